// What the policies are asked about a request: as it would be now, or as it would be if somebody made it. The facts of a call come from what was
// recorded or from the way that a walk found; the authorizer makes the question of them, as it does for every request.

import type { Snapshot } from '@postern/network/snapshot.ts';
import type { PolicySet } from '@postern/policy/types.ts';
import { type Authorizer, noneNeeded, type PolicyQuestion } from '../authorize/authorize.ts';
import type { CallFacts } from '../authorize/context.ts';
import { documentOf } from '../authorize/policies.ts';
import { AwsError } from '../errors.ts';
import type { RequestEvent } from '../operator/api.ts';
import type { RequestPath } from '../path.ts';
import type { Permission, Service, Settings } from '../service.ts';
import { keyNamed } from '../sessions.ts';
import type { Store, Transaction } from '../store/store.ts';
import type { Trail } from '../trail/trail.ts';
import type { Caller } from './caller.ts';
import type { EvidenceLog } from './evidence.ts';
import { operationOf, type Target } from './target.ts';
import { isNewEndpoint } from './ways.ts';

export interface WhyParts {
  readonly store: Store;
  readonly snapshots: () => Snapshot;
  readonly services: ReadonlyMap<string, Service>;
  readonly authorizer: Authorizer;
  readonly settings: Settings;
  readonly trail: Trail;
  readonly evidence: EvidenceLog;
  readonly clock: () => Date;
  readonly defaultAccountId: string;
}

/** The same request with the policies of now. What the service knew of it besides (its own keys) is as it was. */
export function nowQuestion(
  parts: WhyParts,
  tx: Transaction,
  event: RequestEvent,
  { request, policies }: PolicyQuestion,
  path: RequestPath,
): PolicyQuestion {
  const { principal, action, resource, context } = request;
  const service = parts.services.get(event.service);
  if (!service) return { request, policies };
  const accessKey = event.accessKeyId === undefined ? undefined : keyNamed(tx, event.accessKeyId);
  const own = Object.fromEntries(
    [...context].filter(([key]) => !/^aws:/.test(key) || /^aws:(requesttag|resourcetag|tagkeys)/.test(key)),
  );
  const facts = factsOf(parts, {
    ...event,
    principal,
    path,
    userAgent: context.get('aws:useragent')?.[0],
    referer: context.get('aws:referer')?.[0],
  });
  const fresh = parts.authorizer.question(tx, facts, service, { action, resource, context: own }, accessKey);
  // What needs no permission is asked of the gates alone.
  if (policies.identity.some(({ id }) => id === noneNeeded)) {
    const { endpoint, scps, rcps } = fresh.policies;
    const gates = {
      ...(endpoint && { endpoint }),
      ...(policies.scps && scps && { scps }),
      ...(policies.rcps && rcps && { rcps }),
    };
    return { request: fresh.request, policies: withNewEndpoint({ identity: policies.identity, ...gates }, path) };
  }
  // A session whose key is gone, and tables' policies, are known only from then.
  const kept: Partial<PolicySet> = {
    ...(accessKey === undefined &&
      isTemporary(principal.type) && {
        identity: policies.identity,
        ...(policies.session && { session: policies.session }),
      }),
    ...(event.service === 'dynamodb' && policies.resource && { resource: policies.resource }),
  };
  const merged = new Map(fresh.request.context);
  // What an instance's or a session's credentials said of themselves, where their row is gone.
  if (accessKey === undefined)
    for (const [key, values] of context) if (!merged.has(key) && !pathKeys.has(key)) merged.set(key, values);
  return {
    request: { ...fresh.request, context: merged },
    policies: withNewEndpoint({ ...fresh.policies, ...kept }, path),
  };
}

const pathKeys: ReadonlySet<string> = new Set(['aws:sourceip', 'aws:vpcsourceip', 'aws:sourcevpc', 'aws:sourcevpcarn', 'aws:sourcevpce', 'aws:vpceaccount', 'aws:vpceorgid', 'aws:vpceorgpaths']); // biome-ignore format: a list
const isTemporary = (type: string) => type === 'role-session' || type === 'federated-user';

/** An endpoint that does not exist yet will have AWS's default policy, which lets all pass (W9). */
function withNewEndpoint(policies: PolicySet, path: RequestPath): PolicySet {
  return isNewEndpoint(path) ? { ...policies, endpoint: { id: 'the default policy', document: fullAccess } } : policies;
}
const fullAccess = documentOf(
  'endpoint',
  JSON.stringify({
    Version: '2012-10-17',
    Statement: [{ Effect: 'Allow', Principal: '*', Action: '*', Resource: '*' }],
  }),
);

/** Layers whose documents are not those of then. */
export function changedLayers(then: PolicySet, now: PolicySet): string[] {
  const layers = ['endpoint', 'scps', 'rcps', 'resource', 'trust', 'identity', 'boundary', 'session'] as const;
  return layers.filter((layer) => JSON.stringify(then[layer]) !== JSON.stringify(now[layer]));
}

interface Facts {
  readonly service: string;
  readonly operation: string;
  readonly region: string;
  readonly requestId: string;
  readonly principal: CallFacts['principal'];
  readonly path: RequestPath;
  readonly userAgent?: string | undefined;
  readonly referer?: string | undefined;
}

function factsOf(
  parts: WhyParts,
  { service, operation, region, requestId, principal, path, userAgent, referer }: Facts,
): CallFacts {
  return {
    service,
    operation,
    requestId,
    region,
    partition: region.startsWith('cn-') ? 'aws-cn' : region.startsWith('us-gov-') ? 'aws-us-gov' : 'aws',
    accountId: principal.accountId,
    principal,
    path,
    now: parts.clock(),
    settings: parts.settings,
    host: '',
    headers: { ...(userAgent !== undefined && { 'user-agent': userAgent }), ...(referer !== undefined && { referer }) },
    url: '/',
  };
}

// ---- of a request that nobody made

/** What the policies would be asked; or the error that the service would answer before it asks any. */
export function hypothetical(
  parts: WhyParts,
  tx: Transaction,
  { service, region, input }: Target,
  permission: Permission,
  { principal, accessKey }: Caller,
  path: RequestPath,
): {
  readonly question: PolicyQuestion;
  readonly failure?: Pick<RequestEvent, 'service' | 'errorCode' | 'errorMessage' | 'explanation'>;
} {
  const operation = operationOf(permission.action);
  const facts = factsOf(parts, { service: service.name, operation, region, requestId: 'trace', principal, path });
  const { asked, failure } = permissionOf(tx, service, facts, permission, input);
  const question = parts.authorizer.question(tx, facts, service, asked, accessKey);
  return {
    question: { ...question, policies: withNewEndpoint(question.policies, path) },
    ...(failure && {
      failure: {
        service: service.name,
        errorCode: failure.code,
        errorMessage: failure.message,
        ...(failure.explanation !== undefined && { explanation: failure.explanation }),
      },
    }),
  };
}

/** With the keys that the service itself puts to the question, where the operation can be told from the target. */
function permissionOf(
  tx: Transaction,
  service: Service,
  facts: CallFacts,
  permission: Permission,
  input: Readonly<Record<string, string>>,
): { readonly asked: Permission; readonly failure?: AwsError } {
  const authorize = service.operations[facts.operation]?.authorize;
  if (typeof authorize !== 'function' || Object.keys(input).length === 0) return { asked: permission };
  try {
    const call = { ...facts, require: () => {}, allows: () => true, tx };
    const all: readonly Permission[] = authorize(call, input as never);
    const own = all.find((one) => one.action === permission.action && one.resource === permission.resource);
    return { asked: own ?? permission };
  } catch (error) {
    if (!(error instanceof AwsError)) throw error;
    return { asked: permission, failure: error };
  }
}
