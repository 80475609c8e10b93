// What would have to change in the policies for a request to be allowed? For each layer in the way the smallest change, tried by asking the engine again.
// Smallest: for this caller, this action and this resource where the language can say so. A deny that covers more keeps covering it: its statement is
// split into what does not touch the request, left as it was, and what does, with an exception. Nothing is ever taken away whole, but what named exactly this.

import { evaluate } from '../evaluate.ts';
import type {
  AuthorizationRequest,
  Citation,
  PolicyLayer,
  PolicySet,
  Principal,
  PrincipalElement,
  Statement,
} from '../types.ts';
import { type Blocker, blockersOf } from './blockers.ts';
import { applyEdits, type Edit } from './edits.ts';
import { type Applies, exceptions } from './exceptions.ts';
import { literal } from './render.ts';

export interface Choice {
  /** What it does, in words. */
  readonly what: string;
  readonly edits: readonly Edit[];
  /** Present when the statement that changes looks like a guard: what it demands of a request. */
  readonly guard?: string;
}

export interface RemedyStep {
  readonly layer: PolicyLayer;
  /** The narrowest first; each of them, together with the first of every other step, allows the request. */
  readonly choices: readonly Choice[];
}

export interface PolicyRemedy {
  readonly steps: readonly RemedyStep[];
  /** Layers in the way that no change of a policy opens, and why. With any of these, `steps` is not enough. */
  readonly unsolved: readonly { readonly layer: PolicyLayer; readonly because: string }[];
}

export interface RemedyOptions {
  /** Whether the resource can have a policy where it has none now: then that may permit what the caller's own policies do not. */
  readonly resourceTakesPolicy?: boolean;
  /** Policies that nobody can change: those that AWS ships. */
  readonly isFixed?: (policyId: string) => boolean;
  readonly applies?: Applies;
}

/** A fix in one layer can uncover another, but there are only so many layers. */
const mostRounds = 4;

export function remediesOf(
  request: AuthorizationRequest,
  policies: PolicySet,
  options: RemedyOptions = {},
): PolicyRemedy {
  const steps: RemedyStep[] = [];
  const unsolved = new Map<PolicyLayer, string>();
  let current = policies;
  for (let round = 0; round < mostRounds; round += 1) {
    const found = blockersOf(request, current);
    if (found.length === 0) break;
    let changed = false;
    for (const blocker of found) {
      for (const step of stepsFor(blocker, request, policies, options)) {
        if (typeof step === 'string') {
          unsolved.set(blocker.layer, step);
          continue;
        }
        steps.push(step);
        changed = true;
      }
    }
    current = applyEdits(policies, firstEdits(steps));
    if (!changed) break;
  }
  return { steps: proven(request, policies, steps, unsolved.size > 0), unsolved: [...unsolved].map(told) };
}

const told = ([layer, because]: [PolicyLayer, string]) => ({ layer, because });
const firstEdits = (steps: readonly RemedyStep[]) => steps.flatMap(({ choices }) => choices[0]?.edits ?? []);

/** Steps that are not needed go, and choices that do not open it. */
function proven(
  request: AuthorizationRequest,
  policies: PolicySet,
  steps: readonly RemedyStep[],
  partial: boolean,
): RemedyStep[] {
  const opens = (some: readonly RemedyStep[]) => evaluate(request, applyEdits(policies, firstEdits(some))).allowed;
  if (partial) return [...steps];
  if (!opens(steps)) return [];
  let kept = [...steps];
  for (const step of steps) {
    const without = kept.filter((one) => one !== step);
    if (opens(without)) kept = without;
  }
  return kept.map((step) => ({
    ...step,
    choices: step.choices.filter((choice) =>
      opens(kept.map((one) => (one === step ? { ...step, choices: [choice] } : one))),
    ),
  }));
}

/** @returns one step per statement that has to change; a text where nothing can be changed */
function stepsFor(
  blocker: Blocker,
  request: AuthorizationRequest,
  policies: PolicySet,
  options: RemedyOptions,
): (RemedyStep | string)[] {
  const { layer } = blocker;
  if (layer === 'session')
    return ['the session policies were fixed when the session began: only a new session can have others'];
  if (blocker.explicit) return blocker.citations.map((citation) => exceptionStep(citation, request, policies, options));
  const choices = grants[layer](request, policies, blocker, options);
  return typeof choices === 'string' ? [choices] : [{ layer, choices }];
}

function exceptionStep(
  citation: Citation,
  request: AuthorizationRequest,
  policies: PolicySet,
  { isFixed, applies }: RemedyOptions,
): RemedyStep | string {
  const { layer, policyId } = citation;
  if (isFixed?.(policyId) === true) return `${policyId} is AWS’s own and cannot be changed`;
  const choices = exceptions(citation, request, policies, applies);
  return choices.length === 0
    ? `no exception for this request can be written into ${policyId}: its statement must be taken out`
    : { layer, choices };
}

type Grant = (
  request: AuthorizationRequest,
  policies: PolicySet,
  blocker: Blocker,
  options: RemedyOptions,
) => readonly Choice[] | string;

/** A row per layer: what permits the request there, and nothing else. */
const grants: Readonly<Record<Exclude<PolicyLayer, 'session'>, Grant>> = {
  identity: (request, policies, _blocker, options) => {
    const own: Choice = {
      what: `let ${shortName(request.principal)} do exactly this`,
      edits: [{ kind: 'append', layer: 'identity', statement: permission(request) }],
    };
    const isOwn = request.resourceAccountId === undefined || request.resourceAccountId === request.principal.accountId;
    const hasResourcePolicy = policies.trust === undefined && (policies.resource || options.resourceTakesPolicy);
    return isOwn && hasResourcePolicy ? [own, ...asList(grants.resource(request, policies, _blocker, options))] : [own];
  },
  resource: (request, policies, _blocker, { resourceTakesPolicy }) =>
    policies.resource === undefined && resourceTakesPolicy !== true
      ? `no resource-based policy can be put on ${request.resource}`
      : [
          {
            what: `let the resource’s policy allow ${shortName(request.principal)}`,
            edits: [
              {
                kind: 'append',
                layer: 'resource',
                ...(policies.resource && { policyId: policies.resource.id }),
                statement: { ...permission(request), ...whom(request) },
              },
            ],
          },
        ],
  trust: (request, policies) => {
    const { resources: _none, ...bare } = permission(request);
    // A role's trust policy has no Resource; a key's policy has to have one, and it is about its own key only.
    const statement = request.action.startsWith('sts:') ? bare : { ...bare, resources: ['*'] };
    const policyId = policies.trust?.id;
    return [
      {
        what: `let ${request.action.startsWith('sts:') ? 'the role trust' : 'the key’s policy allow'} ${shortName(request.principal)}`,
        edits: [
          {
            kind: 'append',
            layer: 'trust',
            ...(policyId && { policyId }),
            statement: { ...statement, ...whom(request) },
          },
        ],
      },
    ];
  },
  boundary: (request, policies, _blocker, { isFixed }) => {
    const policyId = policies.boundary?.id;
    if (policyId !== undefined && isFixed?.(policyId) === true)
      return `${policyId} is AWS’s own and cannot be changed: another boundary would have to be set`;
    return [
      {
        what: 'let the permissions boundary reach so far',
        edits: [{ kind: 'append', layer: 'boundary', ...(policyId && { policyId }), statement: permission(request) }],
      },
    ];
  },
  endpoint: (request, policies) => {
    const policyId = policies.endpoint?.id;
    const arn = request.context.get('aws:principalarn')?.[0];
    // An endpoint policy names callers by a condition: an account in its Principal is that account's root alone (W10).
    const conditions = arn === undefined ? [] : [{ operator: 'ArnEquals', key: 'aws:PrincipalArn', values: [arn] }];
    return [
      {
        what: `let the endpoint’s policy pass it for ${shortName(request.principal)}`,
        edits: [
          {
            kind: 'append',
            layer: 'endpoint',
            ...(policyId && { policyId }),
            statement: { ...permission(request), principal: everybody, conditions },
          },
        ],
      },
    ];
  },
  scp: (request, policies, { level = 0 }, options) =>
    onLevel('scp', policies.scps?.[level]?.policies, permission(request), options),
  rcp: (request, policies, { level = 0 }, options) =>
    onLevel('rcp', policies.rcps?.[level]?.policies, { ...permission(request), principal: everybody }, options),
};

function onLevel(
  layer: 'scp' | 'rcp',
  sources: readonly { readonly id: string }[] | undefined,
  statement: Statement,
  { isFixed }: RemedyOptions,
): readonly Choice[] | string {
  const policy = sources?.find(({ id }) => isFixed?.(id) !== true);
  if (policy === undefined) return 'no policy of this level can be changed: another one has to be attached there';
  return [
    {
      what: `let ${policy.id} permit exactly this, for everybody below it`,
      edits: [{ kind: 'append', layer, policyId: policy.id, statement }],
    },
  ];
}

const asList = (choices: readonly Choice[] | string) => (typeof choices === 'string' ? [] : choices);
const everybody: PrincipalElement = { any: true, aws: ['*'], service: [], federated: [], canonicalUser: [] };

/** Exactly this action on exactly this resource. */
function permission({ action, resource }: AuthorizationRequest): Statement {
  return { index: 0, effect: 'Allow', actions: [action], resources: [literal(resource)], conditions: [] };
}

/** The Principal element, and for a caller without a name where it comes from. */
function whom({ principal, context }: AuthorizationRequest): Pick<Statement, 'principal' | 'conditions'> {
  const named = (some: Partial<PrincipalElement>): PrincipalElement => ({ ...everybody, any: false, aws: [], ...some });
  if (principal.type === 'service')
    return { principal: named({ service: [principal.serviceName ?? ''] }), conditions: [] };
  if (principal.type !== 'anonymous') {
    if (principal.federatedProvider !== undefined && principal.roleArn === undefined)
      return { principal: named({ federated: [principal.federatedProvider] }), conditions: [] };
    return { principal: named({ aws: [principal.roleArn ?? principal.arn] }), conditions: [] };
  }
  const [vpce] = context.get('aws:sourcevpce') ?? [];
  const [ip] = context.get('aws:sourceip') ?? [];
  const operator = vpce !== undefined ? 'StringEquals' : 'IpAddress';
  const key = vpce !== undefined ? 'aws:SourceVpce' : 'aws:SourceIp';
  const value = vpce ?? (ip === undefined ? undefined : `${ip}/${ip.includes(':') ? 128 : 32}`);
  return { principal: everybody, conditions: value === undefined ? [] : [{ operator, key, values: [value] }] };
}

/** `role app`, `user ana`, `the account’s root`. */
export function shortName(principal: Principal): string {
  if (principal.type === 'anonymous') return 'anybody without credentials';
  if (principal.type === 'root') return `the root of ${principal.accountId}`;
  const name = (principal.roleArn ?? principal.arn).split(':').slice(5).join(':');
  return name.replace(/^(role|user)\/(?:.*\/)?/, '$1 ');
}
