// What would these policies decide? The policy simulator: the engine that decides requests, asked about one that nobody made.
// https://docs.aws.amazon.com/IAM/latest/APIReference/API_SimulatePrincipalPolicy.html (read 2026-11-21); the shape of the answer was recorded on AWS.
// One result for each action, with those of its resources in it. A caller's own keys (aws:username …) are known where there is a caller; every other key is what
// ContextEntries says, and what the policies ask about beyond that is told as missing.
// Unsourced: names of inline policies.

import type {
  ContextEntry,
  EvaluationResult,
  GetContextKeysForCustomPolicyRequest,
  GetContextKeysForPolicyResponse,
  GetContextKeysForPrincipalPolicyRequest,
  OrderedOrganizationPolicyType,
  SimulateCustomPolicyRequest,
  SimulatePolicyResponse,
  SimulatePrincipalPolicyRequest,
} from '@aws-sdk/client-iam';
import { contextKeysOf } from '@postern/policy/context-keys.ts';
import { type PolicyKind, parsePolicy } from '@postern/policy/document.ts';
import { evaluate } from '@postern/policy/evaluate.ts';
import type { Decision, PolicyLevel, Principal } from '@postern/policy/types.ts';
import { controlPolicies } from '../../authorize/control-policies.ts';
import { assumedRoleArn, nameKey, roleArn, userArn } from '../../identities.ts';
import { type Authorization, type Call, operation } from '../../service.ts';
import { takesResource } from '../../service-reference.ts';
import { constraints, page, required } from './checks.ts';
import { groupsOf } from './entities.ts';
import { invalidInput, noSuchEntity } from './errors.ts';
import { type Holder, holderName } from './holders.ts';
import { onEverything } from './permissions.ts';
import { lookUpPolicy } from './policies.ts';
import { type Excludes, exclusionsOf, managedPolicy } from './simulator-exclusions.ts';
import { checkedActions, checkedContext, checkedResources, checkScenario, ownerOf } from './simulator-inputs.ts';
import { combined, describe, type SimulatedPolicy } from './simulator-results.ts';

const nothingSaid: Decision = {
  allowed: false,
  layer: 'identity',
  explicit: false,
  citations: [],
  layers: [],
  reason: '',
};

interface Simulation {
  readonly principal: Principal;
  readonly identity: readonly SimulatedPolicy[];
  readonly boundary: SimulatedPolicy | undefined;
  /** Those of the principal's organization, or those given with custom policies; the simulator knows no resource control policies. */
  readonly scpsFor: (action: string, caller: Principal) => readonly PolicyLevel[] | undefined;
}

type Common = Pick<
  SimulateCustomPolicyRequest,
  | 'ActionNames'
  | 'ResourceArns'
  | 'ResourcePolicy'
  | 'ResourceOwner'
  | 'CallerArn'
  | 'ContextEntries'
  | 'ResourceHandlingOption'
  | 'MaxItems'
  | 'Marker'
>;

function simulated(id: string, text: string, kind: PolicyKind = 'identity'): SimulatedPolicy {
  const parsed = parsePolicy(text, { kind, maxSize: Number.POSITIVE_INFINITY });
  if (!parsed.ok) throw invalidInput(parsed.message);
  return { id, text, document: parsed.document };
}

/** The input's own policies, by their places. */
function inputPolicies(member: string, texts: readonly string[] | undefined): SimulatedPolicy[] {
  return (texts ?? []).map((text, place) => simulated(`${member}.${place + 1}`, text));
}

function givenBoundary(texts: readonly string[] | undefined): SimulatedPolicy | undefined {
  if (texts && texts.length > 1) throw invalidInput('The list of Permissions Boundary policies cannot exceed 1 items.');
  return inputPolicies('PermissionsBoundaryPolicyInputList', texts)[0];
}

/** The user, group or role that a source ARN names; by its name alone, whatever path the ARN has (reported of AWS by others, 2026). */
function findSource(call: Call, arn: string | undefined): Holder {
  const source = required('policySourceArn', arn);
  constraints().length('policySourceArn', source, 20, 2048).done();
  const match = /^arn:[\w-]+:iam::(\d{12}):(user|group|role)(\/|\/.+\/)([\w+=,.@-]+)$/.exec(source);
  if (!match) throw invalidInput(`Invalid Entity Arn: ${source} does not clearly define entity type and name.`);
  const [, accountId = '', kind = '', , name = ''] = match;
  const key = nameKey(accountId, name);
  const holder = accountId === call.accountId ? holderOf(call, kind as Holder['kind'], key) : undefined;
  if (!holder) throw noSuchEntity(kind as Holder['kind'], name);
  return holder;
}

function holderOf(call: Call, kind: Holder['kind'], key: string): Holder | undefined {
  const row = call.tx.get(kind, key);
  return row && ({ kind, row } as Holder);
}

function policiesOf(call: Call, holder: Holder, excludes: Excludes): SimulatedPolicy[] {
  const { row, kind: holderKind } = holder;
  const named = { type: 'inline', holderKind, holderName: holderName(holder) } as const;
  const inline = Object.entries(row.inlinePolicies)
    .filter(([policyName]) => !excludes({ ...named, policyName }))
    .map(([name, text]) => simulated(`${holderKind}_${holderName(holder)}_${name}`, text));
  const groups =
    holderKind === 'user' ? groupsOf(call, holder.row).map((group) => ({ kind: 'group', row: group }) as const) : [];
  return [
    ...inline,
    ...row.attachedPolicyArns.filter((arn) => !excludes(managedPolicy(arn))).flatMap((arn) => managed(call, arn)),
    ...groups.flatMap((group) => policiesOf(call, group, excludes)),
  ];
}

function managed(call: Call, arn: string): SimulatedPolicy[] {
  const policy = lookUpPolicy(call, arn);
  const version = policy?.versions.find((one) => one.versionId === policy.defaultVersionId);
  return policy && version ? [simulated(policy.policyName, version.document)] : [];
}

/** Whom a source stands for: a group, for any user in it. */
function principalOf(call: Call, holder: Holder | undefined): Principal {
  const { accountId, partition } = call;
  switch (holder?.kind) {
    case 'user': {
      const { userId, userName, tags } = holder.row;
      return { type: 'user', accountId, arn: userArn(partition, holder.row), userId, userName, tags };
    }
    case 'role': {
      const { roleId, roleName, tags } = holder.row;
      return {
        type: 'role-session',
        accountId,
        arn: assumedRoleArn(partition, accountId, roleName, 'simulation'),
        roleArn: roleArn(partition, holder.row),
        userId: `${roleId}:simulation`,
        tags,
      };
    }
    default:
      return { type: 'user', accountId, arn: '', userId: '' };
  }
}

/**
 * The caller that the input names: a user, group or role, who need not exist (so others report of AWS; the reference says users alone). Its id is the ARN itself, unless it is
 * said in the context.
 */
function namedCaller(call: Call, arn: string): Principal {
  const match = /^arn:[\w-]+:iam::(\d{12}):(user|group|role)(?:\/|\/.+\/)([\w+=,.@-]+)$/.exec(arn);
  if (!match)
    throw invalidInput(`Invalid Caller Arn: ${arn}. You can specify only the ARN of an IAM user, group or role.`);
  const [, accountId = '', kind, name = ''] = match;
  if (kind !== 'user') return { type: 'user', accountId, arn, userId: arn };
  const row = call.tx.get('user', nameKey(accountId, name));
  return { type: 'user', accountId, arn, userId: arn, userName: name, ...(row && { tags: row.tags }) };
}

/** What is known of the request, by lower-case key: the caller's own facts, and on top of them what the input says. */
function contextOf(principal: Principal, entries: readonly ContextEntry[] | undefined): Map<string, readonly string[]> {
  const context = new Map<string, readonly string[]>();
  if (principal.arn !== '') {
    context.set('aws:principalarn', [principal.roleArn ?? principal.arn]);
    context.set('aws:principalaccount', [principal.accountId]);
    context.set('aws:principaltype', [principal.type === 'user' ? 'User' : 'AssumedRole']);
    context.set('aws:userid', [principal.userId]);
    if (principal.userName !== undefined) context.set('aws:username', [principal.userName]);
    for (const [key, value] of Object.entries(principal.tags ?? {})) {
      context.set(`aws:principaltag/${key.toLowerCase()}`, [value]);
    }
  }
  for (const [key, values] of checkedContext(entries)) context.set(key, values);
  return context;
}

/** A role's trust policy has no Resource; every other policy of a resource does. */
function resourcePolicy(text: string): SimulatedPolicy {
  const parsed = parsePolicy(text, { kind: 'trust', maxSize: Number.POSITIVE_INFINITY });
  return simulated('ResourcePolicy', text, parsed.ok ? 'trust' : 'resource');
}

function simulate(call: Call, input: Common, simulation: Simulation): SimulatePolicyResponse {
  const actions = checkedActions(input.ActionNames);
  const resources = checkedResources(input.ResourceArns);
  checkScenario(input.ResourceHandlingOption, resources);
  const { identity, boundary } = simulation;
  const principal = input.CallerArn === undefined ? simulation.principal : namedCaller(call, input.CallerArn);
  if (input.ResourcePolicy !== undefined && principal.arn === '') {
    throw invalidInput('CallerArn is required when a ResourcePolicy is specified.');
  }
  const resource = input.ResourcePolicy === undefined ? undefined : resourcePolicy(input.ResourcePolicy);
  const context = contextOf(principal, input.ContextEntries);
  const policies = [...identity, ...(boundary ? [boundary] : []), ...(resource ? [resource] : [])];
  const asked = contextKeysOf(policies.map((policy) => policy.document));
  const missing = asked.filter((key) => !context.has(key.toLowerCase()));
  const decide = (action: string, arn: string): EvaluationResult => {
    const ownerAccountId = ownerOf(arn, input.ResourceOwner, principal.accountId);
    const scps = simulation.scpsFor(action, principal);
    // Recorded: no policy allows an action on a resource of another service, though a bucket will do where an object is meant.
    if (arn !== '*' && !takesResource(action, arn)) return describe(action, arn, nothingSaid, policies, missing, false);
    const decision = evaluate(
      { principal, action, resource: arn, resourceAccountId: ownerAccountId, context },
      {
        identity,
        ...(boundary && { boundary }),
        ...(resource && { resource }),
        ...(scps && { scps }),
      },
    );
    return describe(action, arn, decision, policies, missing, ownerAccountId !== principal.accountId);
  };
  // The place is the key: results come in the order of the question, and pages with them.
  const numbered = actions.map((action, place) => ({ action, key: String(place).padStart(8, '0') }));
  const { items, end } = page(numbered, input, ({ key }) => key);
  const results = items.map(({ action }) =>
    combined(
      action,
      call.partition,
      resources.map((arn) => decide(action, arn)),
    ),
  );
  return { EvaluationResults: results, ...end };
}

/** SCPs as the input has them, from the root down. @throws AwsError InvalidInput, recorded, for a level without any */
function givenLevels(levels: readonly OrderedOrganizationPolicyType[] | undefined): PolicyLevel[] | undefined {
  if (!levels || levels.length === 0) return undefined;
  return levels.map(({ ServiceControlPolicyInputList: texts = [] }, place) => {
    if (texts.length === 0) {
      throw invalidInput(`Organization policy at index ${place + 1} must contain at least one service control policy`);
    }
    return { at: `level ${place + 1}`, policies: texts.map((text) => simulated('scp', text, 'scp')) };
  });
}

function simulateCustomPolicy(call: Call, input: SimulateCustomPolicyRequest): SimulatePolicyResponse {
  const identity = inputPolicies('PolicyInputList', required('policyInputList', input.PolicyInputList));
  const boundary = givenBoundary(input.PermissionsBoundaryPolicyInputList);
  const levels = givenLevels(input.OrderedOrganizationPolicyInputList);
  return simulate(call, input, { principal: principalOf(call, undefined), identity, boundary, scpsFor: () => levels });
}

function simulatePrincipalPolicy(call: Call, input: SimulatePrincipalPolicyRequest): SimulatePolicyResponse {
  const source = findSource(call, input.PolicySourceArn);
  const excludes = exclusionsOf(input.PolicyExclusionList);
  const identity = [...policiesOf(call, source, excludes), ...inputPolicies('PolicyInputList', input.PolicyInputList)];
  const attached =
    source.kind === 'group' || excludes({ type: 'permission-boundary' })
      ? undefined
      : source.row.permissionsBoundaryArn;
  const boundary =
    givenBoundary(input.PermissionsBoundaryPolicyInputList) ??
    // A boundary whose policy is gone still limits: to nothing, as it does to a request.
    (attached === undefined
      ? undefined
      : (managed(call, attached)[0] ?? {
          id: attached,
          text: '',
          document: { version: '2012-10-17', statements: [] },
        }));
  const principal = principalOf(call, source);
  return simulate(call, input, {
    principal,
    identity,
    boundary,
    scpsFor: (action, caller) =>
      excludes({ type: 'scp' }) ? undefined : controlPolicies(call.tx, caller, action, undefined).scps,
  });
}

function contextKeysForCustomPolicy(
  _call: Call,
  input: GetContextKeysForCustomPolicyRequest,
): GetContextKeysForPolicyResponse {
  const policies = inputPolicies('PolicyInputList', required('policyInputList', input.PolicyInputList));
  return { ContextKeyNames: contextKeysOf(policies.map((policy) => policy.document)) };
}

function contextKeysForPrincipalPolicy(
  call: Call,
  input: GetContextKeysForPrincipalPolicyRequest,
): GetContextKeysForPolicyResponse {
  const source = findSource(call, input.PolicySourceArn);
  const policies = [
    ...policiesOf(call, source, exclusionsOf()),
    ...inputPolicies('PolicyInputList', input.PolicyInputList),
  ];
  return { ContextKeyNames: contextKeysOf(policies.map((policy) => policy.document)) };
}

/** On the user, group or role whose policies are read. */
const onSource: Authorization<{ PolicySourceArn?: string | undefined }> = (call, input) => [
  { action: `iam:${call.operation}`, resource: required('policySourceArn', input.PolicySourceArn) },
];

export const simulator = {
  SimulateCustomPolicy: operation<SimulateCustomPolicyRequest, SimulatePolicyResponse>({
    authorize: onEverything,
    run: simulateCustomPolicy,
    readOnly: true,
  }),
  SimulatePrincipalPolicy: operation<SimulatePrincipalPolicyRequest, SimulatePolicyResponse>({
    authorize: onSource,
    run: simulatePrincipalPolicy,
    readOnly: true,
  }),
  GetContextKeysForCustomPolicy: operation<GetContextKeysForCustomPolicyRequest, GetContextKeysForPolicyResponse>({
    authorize: onEverything,
    run: contextKeysForCustomPolicy,
    readOnly: true,
  }),
  GetContextKeysForPrincipalPolicy: operation<GetContextKeysForPrincipalPolicyRequest, GetContextKeysForPolicyResponse>(
    {
      authorize: onSource,
      run: contextKeysForPrincipalPolicy,
      readOnly: true,
    },
  ),
};
