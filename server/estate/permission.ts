// One permission of a check file, put to the policies of the rows: the same questions as the pipeline asks of a request (authorize/), without a request.
// What only a request tells (a prefix, a tag, a second factor) is asked both ways: where the answers differ, nobody can know it before.

import type { PermissionAnswer, PermissionQuestion } from '@postern/check/estate.ts';
import { nearest } from '@postern/check/nearest.ts';
import { evaluate } from '@postern/policy/evaluate.ts';
import type { AuthorizationRequest, Citation, PolicySet, PolicySource } from '@postern/policy/types.ts';
import { createAuthorizer, type PolicyQuestion } from '../authorize/authorize.ts';
import type { CallFacts } from '../authorize/context.ts';
import { anonymous, principalOf } from '../authorize/principal.ts';
import { partitionOf } from '../edge/head.ts';
import { nameKey } from '../identities.ts';
import { managedPolicyDocument } from '../managed-policies.ts';
import type { RequestPath } from '../path.ts';
import type { Permission, Service } from '../service.ts';
import { kms } from '../services/kms/index.ts';
import { commonContext, hasPublicPolicy } from '../services/s3/access.ts';
import { bucketArn, bucketOfArn, objectArn } from '../services/s3/names.ts';
import { effectiveBlock } from '../services/s3/public-access.ts';
import { resourceOwner, resourcePolicyOf } from '../services/s3/resource-policy.ts';
import { sts } from '../services/sts/index.ts';
import type { AccessKeyRow } from '../store/rows/iam.ts';
import type { Transaction } from '../store/store.ts';
import { policySteps } from '../why/plans.ts';

/** The services whose resources have policies in the rows. Tables' are with DynamoDB's engine, which is not asked here. */
const withPolicies: Readonly<Record<string, Pick<Service, 'name' | 'resourcePolicy' | 'resourceOwner'>>> = {
  s3: { name: 's3', resourcePolicy: resourcePolicyOf, resourceOwner },
  sts,
  kms,
};

function serviceOf(name: string): Service {
  const unasked = () => new Error('nothing is denied here, only told');
  return { operations: {}, denied: unasked, ...(withPolicies[name] ?? { name }) };
}

/** Keys that are known before a request: those of its caller, its road and the clock. Absent ones among them are known to be absent. */
const knownKeys =
  /^(aws:(sourceip|sourcevpc|sourcevpce|sourcevpcarn|vpcsourceip|vpceaccount|vpceorgid|vpceorgpaths|securetransport|currenttime|epochtime|tokenissuetime|requestedregion|resourceaccount|resourceorgid|resourceorgpaths|viaawsservice|calledvia|calledviafirst|calledvialast|userid|username|principal\w*|principaltag\/.*|sourceaccount|sourcearn|sourceorgid|ec2instance\w+|federatedprovider|sourceidentity)|ec2:sourceinstancearn|s3:(authtype|signatureversion|resourceaccount|dataaccesspoint\w*)|s3:bucket\w*)$/;

export interface Facts {
  readonly now: Date;
  /** The rows are a real account's, out of files: what no file tells is taken for granted, and said with the answer. */
  readonly isImported: boolean;
}

/** Puts one question to the policies. Throws nothing: what does not exist is in the answer. */
export function askPermission(tx: Transaction, question: PermissionQuestion, facts: Facts): PermissionAnswer {
  const caller = callerOf(tx, question.who, facts.now);
  if ('missing' in caller) return caller.missing;
  const { principal, accessKey } = caller;
  const target = targetOf(tx, question.resource);
  if (typeof target !== 'string') return target;
  const service = question.action.slice(0, question.action.indexOf(':')).toLowerCase();
  const region = regionOf(tx, target);
  const call: CallFacts = {
    service,
    operation: question.action.slice(service.length + 1),
    requestId: '',
    region,
    partition: partitionOf(region),
    accountId: principal.accountId,
    principal,
    path: { ...question.path, secure: true } as RequestPath,
    now: facts.now,
    settings: { auth: 'strict', strictImages: false, quotas: 'off', dataDirectory: '' },
    host: '',
    headers: {},
    url: '/',
  };
  const bucket = tx.get('bucket', bucketOfArn(target) ?? '');
  const when = Object.fromEntries(Object.entries(question.when));
  const permission: Permission = {
    action: question.action,
    resource: target,
    context: {
      ...(service === 's3' && commonContext({ ...call, require: () => {}, allows: () => true }, bucket)),
      ...when,
    },
  };
  let asked: PolicyQuestion;
  try {
    asked = createAuthorizer({ managedPolicyDocument, serviceOf }).question(
      tx,
      call,
      serviceOf(service),
      permission,
      accessKey,
    );
  } catch (error) {
    // A real account's policies were checked by AWS, and its grammar may have what ours has not.
    if (!facts.isImported) throw error;
    const unknown = (error as Error).message.replace('a stored', 'the');
    return { ...undecided, unknown };
  }
  const assumptions = !facts.isImported
    ? []
    : [
        'no organization limits the account: SCPs and RCPs are not in a snapshot',
        ...(bucket && bucket.policy === undefined
          ? [`bucket ${bucket.id} has no policy: none is in the snapshot`]
          : []),
      ];
  const unknown = unknownPart(tx, question, asked);
  if (unknown !== undefined) return { kind: 'decided', ...told(asked), mend: [], assumptions, unknown };
  // T7: a public policy and RestrictPublicBuckets leave the bucket to its owner's own.
  const isRestricted =
    bucket !== undefined &&
    effectiveBlock(tx, bucket).restrictPublicBuckets &&
    hasPublicPolicy(bucket) &&
    principal.accountId !== bucket.accountId;
  if (isRestricted)
    return {
      kind: 'decided',
      allowed: false,
      layer: 'resource',
      explicit: true,
      statements: [],
      reason: 'because RestrictPublicBuckets leaves the bucket to its own account',
      mend: [],
      assumptions,
    };
  return { kind: 'decided', ...told(asked), mend: mendOf(tx, asked, facts), assumptions };
}

const undecided = {
  kind: 'decided',
  allowed: false,
  layer: 'identity',
  explicit: false,
  statements: [],
  reason: '',
  mend: [],
  assumptions: [],
} as const;

function told({
  request,
  policies,
}: PolicyQuestion): Omit<Extract<PermissionAnswer, { kind: 'decided' }>, 'kind' | 'assumptions' | 'mend'> {
  const { allowed, layer, explicit, citations, reason } = evaluate(request, policies);
  return { allowed, layer, explicit, statements: citations.map(cite), reason };
}

/** As `postern why` would have it. Those for a real account are the plain `aws`, whoever owns what. */
function mendOf(tx: Transaction, question: PolicyQuestion, { isImported }: Facts): readonly string[] {
  const steps = policySteps(tx, question);
  if (typeof steps === 'string' || steps.some(({ guard }) => guard !== undefined)) return [];
  const commands = steps.flatMap((step) => step.commands);
  return isImported ? commands.map((command) => command.replaceAll(/aws --account \d{12} /g, 'aws ')) : commands;
}

function cite({ policyId, statement }: Citation): string {
  return `${policyId}, statement ${statement.index + 1}${statement.sid === undefined ? '' : ` "${statement.sid}"`}`;
}

/** Both ways: with every condition that nobody can know yet as it suits the caller, and as it does not. */
function unknownPart(
  tx: Transaction,
  question: PermissionQuestion,
  { request, policies }: PolicyQuestion,
): string | undefined {
  if (question.action.toLowerCase().startsWith('dynamodb:')) return "the table's own policy is not asked here";
  const missing = unreadPolicies(tx, question);
  if (missing !== undefined) return `the policy ${missing} is attached, and its text is not known here`;
  const keys = new Set<string>();
  const isUnknown = (key: string) => {
    const lower = key.toLowerCase();
    const found = !knownKeys.test(lower) && !request.context.has(lower);
    if (found) keys.add(key);
    return found;
  };
  const generous = evaluate(request, changed(policies, isUnknown, 'Allow'));
  const strict = evaluate(request, changed(policies, isUnknown, 'Deny'));
  if (generous.allowed === strict.allowed) return undefined;
  return `it depends on ${[...keys].sort().join(', ')}, which only the request tells; say it in 'when'`;
}

/** Statements of one effect without their unknown conditions, and none of the other effect that has any. */
function changed(policies: PolicySet, isUnknown: (key: string) => boolean, kept: 'Allow' | 'Deny'): PolicySet {
  const change = (source: PolicySource): PolicySource => ({
    ...source,
    document: {
      ...source.document,
      statements: source.document.statements.flatMap((statement) => {
        const conditions = statement.conditions.filter(({ key }) => !isUnknown(key));
        if (conditions.length === statement.conditions.length) return [statement];
        return statement.effect === kept ? [{ ...statement, conditions }] : [];
      }),
    },
  });
  const { identity, resource, boundary, session, scps, rcps, endpoint, trust } = policies;
  return {
    identity: identity.map(change),
    ...(resource && { resource: change(resource) }),
    ...(boundary && { boundary: change(boundary) }),
    ...(session && { session: session.map(change) }),
    ...(scps && { scps: scps.map((level) => ({ ...level, policies: level.policies.map(change) })) }),
    ...(rcps && { rcps: rcps.map((level) => ({ ...level, policies: level.policies.map(change) })) }),
    ...(endpoint && { endpoint: change(endpoint) }),
    ...(trust && { trust: change(trust) }),
  };
}

type Caller =
  | { readonly principal: AuthorizationRequest['principal']; readonly accessKey?: AccessKeyRow }
  | { readonly missing: Extract<PermissionAnswer, { kind: 'missing' }> };

/** A session of the role, or a key of the user, as it would be made. */
function callerOf(tx: Transaction, who: PermissionQuestion['who'], now: Date): Caller {
  if (who.kind === 'anonymous') return { principal: anonymous };
  const rows = who.kind === 'role' ? tx.list('role') : tx.list('user');
  const nameOf = (row: (typeof rows)[number]) => ('roleName' in row ? row.roleName : row.userName);
  const [, accountId, name = who.name] =
    /^arn:[\w-]+:iam::(\d{12}):(?:role|user)\/(?:.*\/)?([^/]+)$/.exec(who.name) ?? [];
  const found = rows.filter((row) => nameOf(row) === name && (accountId === undefined || row.accountId === accountId));
  const [row] = found;
  if (row === undefined) {
    const near = nearest(name, rows.map(nameOf));
    return { missing: { kind: 'missing', what: `${who.kind} ${name}`, ...(near !== undefined && { near }) } };
  }
  if (found.length > 1) {
    const accounts = found.map((each) => each.accountId).join(' and ');
    return {
      missing: { kind: 'missing', what: `one ${who.kind} ${name} (there is one in ${accounts}: name it by its ARN)` },
    };
  }
  const owner: AccessKeyRow['owner'] =
    'roleName' in row
      ? {
          kind: 'role-session',
          roleName: row.roleName,
          roleId: row.roleId,
          sessionName: 'check',
          sessionPolicies: [],
          sessionPolicyArns: [],
          tags: {},
        }
      : { kind: 'user', userName: row.userName };
  const accessKey: AccessKeyRow = {
    id: '',
    accountId: row.accountId,
    region: 'global',
    secretAccessKey: '',
    status: 'Active',
    createDate: now.toISOString(),
    owner,
    ...(owner.kind === 'role-session' && { sessionToken: 'check' }),
  };
  const principal = principalOf(tx, accessKey, partitionOf(homeOf(tx)));
  return principal === undefined
    ? { missing: { kind: 'missing', what: `${who.kind} ${name}` } }
    : { principal, accessKey };
}

/** A policy that AWS ships and whose text nobody here has. */
function unreadPolicies(tx: Transaction, { who }: PermissionQuestion): string | undefined {
  if (who.kind === 'anonymous') return undefined;
  const rows = [
    ...(who.kind === 'role' ? tx.list('role') : tx.list('user')),
    ...tx.list('group').filter((group) => group.userNames.includes(who.name)),
  ].filter((row) => 'groupName' in row || nameKey(row.accountId, who.name.split('/').at(-1) ?? '') === row.id);
  const arns = rows.flatMap((row) => [
    ...row.attachedPolicyArns,
    ...('permissionsBoundaryArn' in row && row.permissionsBoundaryArn ? [row.permissionsBoundaryArn] : []),
  ]);
  return arns.find((arn) => tx.get('managed-policy', arn) === undefined && managedPolicyDocument(arn) === undefined);
}

/** `bucket media/photos/1.jpg` → its ARN. */
function targetOf(tx: Transaction, resource: string): string | Extract<PermissionAnswer, { kind: 'missing' }> {
  const [, bucket, key] = /^bucket ([^/\s]+)(?:\/(.+))?$/s.exec(resource) ?? [];
  const name = bucket ?? bucketOfArn(resource);
  if (name !== undefined && tx.get('bucket', name) === undefined) {
    const near = nearest(
      name,
      tx.list('bucket').map((row) => row.id),
    );
    return { kind: 'missing', what: `bucket ${name}`, ...(near !== undefined && { near }) };
  }
  if (bucket === undefined) return resource;
  const partition = partitionOf(tx.get('bucket', bucket)?.region ?? homeOf(tx));
  return key === undefined ? bucketArn(partition, bucket) : objectArn(partition, bucket, key);
}

/** Where the resource is, else where the account's networks are. */
function regionOf(tx: Transaction, arn: string): string {
  return tx.get('bucket', bucketOfArn(arn) ?? '')?.region ?? (arn.split(':')[3] || homeOf(tx));
}

function homeOf(tx: Transaction): string {
  return tx.list('vpc')[0]?.region ?? 'us-east-1';
}
