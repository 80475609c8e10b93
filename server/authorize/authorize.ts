// May this caller do this? Asks the policy engine about every permission of an operation, with policies and facts out of the rows.
//
// For the pipeline:
//   const authorizer = createAuthorizer({ managedPolicyDocument, serviceOf });        // once
//   const asked = authorizer.open(callWithoutRequireAndAllows, service, accessKeyRow); // per request, after the signature is verified
//   const call = { ...callWithoutRequireAndAllows, require: asked.require, allows: asked.allows };
//   asked.authorize({ ...call, tx }, input, operation.authorize);                      // in the transaction of the handler, before it
//   asked.decisions                                                                   // for the request log, also after a throw
// `principalOf` and `anonymous` (principal.ts) make the principal of the call.
//
// Each permission is asked with: the caller's own policies, the resource's policy, and the endpoint's when the request came through one.
// With them go the control policies of organizations (control-policies.ts). The first that is denied is thrown as the service's own error.

import { lowerCaseContext } from '@postern/policy/compile.ts';
import { evaluate } from '@postern/policy/evaluate.ts';
import type { AuthorizationRequest, Decision, PolicyLayer, PolicySet, PolicySource } from '@postern/policy/types.ts';
import { isClosed } from '../accounts.ts';
import type { Authorization, BaseCall, Call, Permission, ResourcePolicy, Service } from '../service.ts';
import type { AccessKeyRow } from '../store/rows/iam.ts';
import type { Transaction } from '../store/store.ts';
import { type CallFacts, globalContext, type MutableContext } from './context.ts';
import { addOrganization, controlPolicies } from './control-policies.ts';
import { actionPrefix, automaticPermissions, type Input } from './permissions.ts';
import { callerPolicies, documentOf, EVERYTHING, type ManagedPolicyDocument } from './policies.ts';

export interface AuthorizerOptions {
  /** The policies that AWS ships, by ARN. */
  readonly managedPolicyDocument: ManagedPolicyDocument;
  /** A service by its action prefix: its resource policies count for permissions that another service's operation requires. */
  readonly serviceOf?: (actionPrefix: string) => Service | undefined;
}

/** One question and its answer, small enough for the request log. */
export interface DecisionRecord {
  readonly action: string;
  readonly resource: string;
  readonly allowed: boolean;
  readonly layer: Decision['layer'];
  readonly explicit: boolean;
  readonly reason: string;
  readonly citations: readonly {
    readonly layer: PolicyLayer;
    readonly policyId: string;
    readonly sid?: string;
    readonly index: number;
  }[];
  /** What every layer said; absent where the answer needed none. */
  readonly layers?: readonly {
    readonly layer: PolicyLayer;
    readonly outcome: Decision['layers'][number]['outcome'];
    /** Of SCPs and RCPs: the root, unit or account whose policies said no. */
    readonly at?: string;
  }[];
  /** The question itself, by reference, so that `postern why` can ask it again; absent where the answer needed no policy. */
  readonly question?: PolicyQuestion;
}

/** Everything that a decision is made of: `evaluate` is a function of these two. */
export interface PolicyQuestion {
  readonly request: AuthorizationRequest;
  readonly policies: PolicySet;
}

export interface RequestAuthorization {
  readonly require: BaseCall['require'];
  readonly allows: BaseCall['allows'];
  /**
   * Asks for everything that the operation needs.
   * @throws the service's error of access denied, or what the operation's own `authorize` throws (NoSuchBucket)
   */
  authorize(call: Call, input: unknown, authorization: Authorization<never>): readonly DecisionRecord[];
  /** Every question of this request so far, in order. */
  readonly decisions: readonly DecisionRecord[];
}

export interface Authorizer {
  open(call: CallFacts, service: Service, accessKey?: AccessKeyRow): RequestAuthorization;
  /** The same question without a request behind it, for `postern why`: what `evaluate` would be asked. */
  question(
    tx: Transaction,
    call: CallFacts,
    service: Service,
    permission: Permission,
    accessKey?: AccessKeyRow,
  ): PolicyQuestion;
}

/** Stands for the identity policies of a call that needs no permission. */
export const noneNeeded = 'none needed';

export function createAuthorizer(options: AuthorizerOptions): Authorizer {
  return {
    open: (call, service, accessKey) => new OpenRequest(options, call, service, accessKey),
    question: (tx, call, service, permission, accessKey) =>
      new OpenRequest(options, call, service, accessKey).question(tx, permission),
  };
}

class OpenRequest implements RequestAuthorization {
  readonly decisions: DecisionRecord[] = [];
  readonly #options: AuthorizerOptions;
  readonly #call: CallFacts;
  readonly #service: Service;
  readonly #accessKey: AccessKeyRow | undefined;
  #context: MutableContext | undefined;
  /** The last one that a permission's own keys made: a delete of a thousand keys asks a thousand times with the same. */
  #merged:
    | {
        readonly own: Permission['context'];
        readonly ownerAccountId: string | undefined;
        readonly context: MutableContext;
      }
    | undefined;

  constructor(options: AuthorizerOptions, call: CallFacts, service: Service, accessKey: AccessKeyRow | undefined) {
    this.#options = options;
    this.#call = call;
    this.#service = service;
    this.#accessKey = accessKey;
  }

  readonly require: BaseCall['require'] = (tx, action, resource, context) => {
    this.#ask(tx, { action, resource, ...(context && { context }) });
  };

  readonly allows: BaseCall['allows'] = (tx, action, resource, context) => {
    const question = this.question(tx, { action, resource, ...(context && { context }) });
    const decision = evaluate(question.request, question.policies);
    this.#record(question, decision);
    return decision.allowed;
  };

  authorize(call: Call, input: unknown, authorization: Authorization<never>): readonly DecisionRecord[] {
    if (authorization === 'none') {
      this.#askEndpoint(call.tx);
      return this.decisions;
    }
    if (authorization === 'auto') {
      if (this.#isRootsOwn(call.tx)) {
        this.decisions.push(rootRecord(call.service, call.operation));
        return this.decisions;
      }
      for (const permission of automaticPermissions(call.tx, call, inputOf(input))) this.#ask(call.tx, permission);
      return this.decisions;
    }
    for (const permission of authorization(call, input as never)) this.#ask(call.tx, permission);
    return this.decisions;
  }

  question(tx: Transaction, permission: Permission): PolicyQuestion {
    const { principal } = this.#call;
    const { policies, ownerAccountId } = this.#policies(tx, permission);
    const request: AuthorizationRequest = {
      principal,
      action: permission.action,
      resource: permission.resource,
      ...(ownerAccountId !== undefined && { resourceAccountId: ownerAccountId }),
      context: this.#contextOf(tx, permission, ownerAccountId),
    };
    return { request, policies };
  }

  /**
   * A root user's request to its own account, not through an endpoint, to a service whose resources have no policies: no layer is left
   * that could say no (E3), so what the operation needs is not even worked out. In an organization there is one.
   */
  #isRootsOwn(tx: Transaction): boolean {
    return (
      this.#isRootAlone(tx) && this.#service.resourcePolicy === undefined && this.#service.resourceOwner === undefined
    );
  }

  /** A root user whom nothing but a resource's own policy could deny something of its account. A session for a task (AssumeRoot) is denied all else. */
  #isRootAlone(tx: Transaction): boolean {
    const { principal, path } = this.#call;
    return (
      principal.type === 'root' &&
      path.kind === 'internet' &&
      this.#accessKey?.owner.kind !== 'root-session' &&
      tx.get('organization-member', principal.accountId) === undefined
    );
  }

  #ask(tx: Transaction, permission: Permission): void {
    if (this.#isRootAlone(tx) && this.#isOwnWithoutPolicy(tx, permission))
      this.decisions.push(rootDecision(permission));
    else this.#decide(this.question(tx, permission));
  }

  #isOwnWithoutPolicy(tx: Transaction, { action, resource }: Permission): boolean {
    const service = this.#serviceOf(action);
    if (!service?.resourceOwner || service.resourcePolicy?.(tx, resource, action)) return false;
    return service.resourceOwner(tx, resource, action) === this.#call.principal.accountId;
  }

  /** What needs no permission still passes the endpoint's gate, which is asked of every request (X7). */
  #askEndpoint(tx: Transaction): void {
    const endpoint = this.#endpointPolicy(tx);
    if (!endpoint) return;
    const { service, operation, principal } = this.#call;
    const permission: Permission = { action: `${actionPrefix(service)}:${operation}`, resource: '*' };
    const context = this.#contextOf(tx, permission, undefined);
    const request: AuthorizationRequest = { principal, ...permission, context };
    this.#decide({ request, policies: { identity: [{ id: noneNeeded, document: EVERYTHING }], endpoint } });
  }

  #decide(question: PolicyQuestion): void {
    const decision = evaluate(question.request, question.policies);
    this.#record(question, decision);
    if (!decision.allowed) throw this.#service.denied(this.#baseCall(), question.request, decision);
  }

  #record(question: PolicyQuestion, decision: Decision): void {
    const { request } = question;
    this.decisions.push({
      action: request.action,
      resource: request.resource,
      allowed: decision.allowed,
      layer: decision.layer,
      explicit: decision.explicit,
      reason: decision.reason,
      citations: decision.citations.map(({ layer, policyId, statement }) => ({
        layer,
        policyId,
        index: statement.index,
        ...(statement.sid !== undefined && { sid: statement.sid }),
      })),
      layers: decision.layers.map(({ layer, outcome, at }) =>
        at === undefined ? { layer, outcome } : { layer, outcome, at },
      ),
      question,
    });
  }

  #baseCall(): BaseCall {
    return { ...this.#call, require: this.require, allows: this.allows };
  }

  #policies(tx: Transaction, permission: Permission): { policies: PolicySet; ownerAccountId: string | undefined } {
    const own = callerPolicies(tx, this.#call.principal, this.#accessKey, this.#options.managedPolicyDocument);
    const service = this.#serviceOf(permission.action);
    const { principal } = this.#call;
    const resource = service?.resourcePolicy?.(tx, permission.resource, permission.action, principal);
    // What a service does in its caller's name with another (S3 with KMS) does not come through the caller's endpoint.
    const endpoint = service === this.#service ? this.#endpointPolicy(tx) : undefined;
    const ownerAccountId =
      permission.ownerAccountId ??
      resource?.ownerAccountId ??
      service?.resourceOwner?.(tx, permission.resource, permission.action, principal) ??
      accountOf(permission.resource);
    // What the owner granted a caller of another account needs no policy of the caller's own.
    const granted = principal.accountId === ownerAccountId ? undefined : resource?.granted;
    const given = [
      ...(permission.grantedBy === undefined ? [] : [{ id: permission.grantedBy, document: EVERYTHING }]),
      ...(granted === undefined ? [] : [{ id: resource?.id ?? '', document: documentOf('resource', granted) }]),
    ];
    const isGone =
      ownerAccountId !== undefined && ownerAccountId !== principal.accountId && isClosed(tx, ownerAccountId);
    // T1: the owner's root is asked as if there were no policy on the bucket.
    const exempt =
      permission.ownerRootExempt === true && principal.type === 'root' && principal.accountId === ownerAccountId;
    return {
      policies: {
        ...own,
        ...(given.length > 0 && { identity: [...own.identity, ...given] }),
        // A role's trust policy must itself allow (E1), so it is a layer of its own.
        ...(isGone && { resource: closedAccount }),
        ...(resource &&
          !exempt &&
          !isGone && { [resource.trust === true ? 'trust' : 'resource']: resourceSource(resource) }),
        ...(endpoint && { endpoint }),
        ...controlPolicies(tx, principal, permission.action, ownerAccountId),
      },
      ownerAccountId,
    };
  }

  #serviceOf(action: string): Service | undefined {
    const prefix = action.slice(0, action.indexOf(':')).toLowerCase();
    return prefix === actionPrefix(this.#service.name) ? this.#service : this.#options.serviceOf?.(prefix);
  }

  /** An endpoint that was deleted under a request lets nothing through: its gate cannot be asked any more. */
  #endpointPolicy(tx: Transaction): PolicySource | undefined {
    const { path } = this.#call;
    if (path.kind !== 'endpoint') return undefined;
    const row = tx.get('vpc-endpoint', path.vpcEndpointId);
    return {
      id: path.vpcEndpointId,
      document: row ? documentOf('endpoint', row.policyDocument) : { version: '2012-10-17', statements: [] },
    };
  }

  #contextOf(tx: Transaction, permission: Permission, ownerAccountId: string | undefined): MutableContext {
    this.#context ??= lowerCaseContext(globalContext(tx, this.#call, this.#accessKey));
    // Most permissions add nothing. A question is kept as evidence, so what adds something gets a context of its own.
    if (ownerAccountId === undefined && permission.context === undefined) return this.#context;
    const { context: own } = permission;
    if (own && this.#merged?.own === own && this.#merged.ownerAccountId === ownerAccountId) return this.#merged.context;
    const context = new Map(this.#context);
    if (ownerAccountId !== undefined) {
      context.set('aws:resourceaccount', [ownerAccountId]);
      addOrganization(tx, context, 'aws:resourceorg', ownerAccountId);
    }
    for (const [key, values] of Object.entries(own ?? {})) context.set(key.toLowerCase(), values);
    const merged = lowerCaseContext(context);
    this.#merged = { own, ownerAccountId, context: merged };
    return merged;
  }
}

/**
 * What a closed account has is there for nobody, whatever its policies allow. Nobody of its own can ask: its keys and roles are dead.
 * https://docs.aws.amazon.com/organizations/latest/APIReference/API_CloseAccount.html (read 2026-11-21)
 */
const closedAccount: PolicySource = {
  id: 'closed account',
  document: documentOf(
    'resource',
    '{"Version":"2012-10-17","Statement":[{"Effect":"Deny","Principal":"*","Action":"*","Resource":"*"}]}',
  ),
};

function resourceSource(resource: ResourcePolicy): PolicySource {
  const kind = resource.kind ?? (resource.trust === true ? 'trust' : 'resource');
  return { id: resource.id, document: documentOf(kind, resource.policyText) };
}

/** The account in an ARN; `aws` in the ARN of what AWS ships is nobody's. */
function accountOf(arn: string): string | undefined {
  return /^arn:[^:]*:[^:]*:[^:]*:(\d{12}):/.exec(arn)?.[1];
}

function inputOf(input: unknown): Input {
  return typeof input === 'object' && input !== null ? (input as Input) : {};
}

function rootDecision({ action, resource }: Permission): DecisionRecord {
  return { action, resource, allowed: true, layer: 'root', explicit: false, reason: '', citations: [] };
}

const rootRecords = new Map<string, DecisionRecord>();

/** The same for every such call, and the trail keeps ten thousand: one of each operation. */
function rootRecord(service: string, operation: string): DecisionRecord {
  const action = `${actionPrefix(service)}:${operation}`;
  let record = rootRecords.get(action);
  if (!record) {
    record = rootDecision({ action, resource: '*' });
    rootRecords.set(action, record);
  }
  return record;
}
