// Where is something in an organization, what is its ARN, and may the caller speak about it?
// https://docs.aws.amazon.com/service-authorization/latest/reference/list_awsorganizations.html (read 2026-11-21)

import { randomBytes } from 'node:crypto';
import {
  defaultPolicies,
  defaultPolicyOf,
  type Membership,
  membershipOf,
  type Place,
  parentPlace,
  placesDownTo,
} from '../../organizations.ts';
import type { Authorization, Call } from '../../service.ts';
import type {
  ControlPolicyType,
  OrganizationalUnitRow,
  OrganizationMemberRow,
  OrganizationPolicyRow,
  OrganizationRootRow,
  OrganizationRow,
} from '../../store/rows/organizations.ts';
import { requestTagKeys } from '../../tag-keys.ts';
import { isOpenTo } from './delegation.ts';
import { inputRequired, invalidInput, type OrganizationsErrorCode, organizationsError } from './errors.ts';

export const patterns = {
  root: /^r-[0-9a-z]{4,32}$/,
  unit: /^ou-[0-9a-z]{4,32}-[a-z0-9]{8,32}$/,
  parent: /^(r-[0-9a-z]{4,32}|ou-[0-9a-z]{4,32}-[a-z0-9]{8,32})$/,
  account: /^\d{12}$/,
  child: /^(\d{12}|ou-[0-9a-z]{4,32}-[a-z0-9]{8,32})$/,
  policy: /^p-[0-9a-zA-Z_]{8,128}$/,
  resourcePolicy: /^rp-[0-9a-zA-Z_]{4,128}$/,
  target: /^(r-[0-9a-z]{4,32}|\d{12}|ou-[0-9a-z]{4,32}-[a-z0-9]{8,32})$/,
  creation: /^car-[a-z0-9]{8,32}$/,
  handshake: /^h-[0-9a-z]{8,32}$/,
} as const;

/** @param member as the error's Reason names it: `POLICY_ID`   @throws AwsError InvalidInputException */
export function checked(value: string | undefined, pattern: RegExp, member: string): string {
  if (value === undefined) throw inputRequired(member);
  if (!pattern.test(value)) throw invalidInput(`INVALID_PATTERN:${member}`);
  return value;
}

/** Lengths are counted in characters (recorded). @throws AwsError InvalidInputException */
export function checkedText(value: string | undefined, least: number, most: number, member: string): string {
  if (value === undefined) throw inputRequired(member);
  const { length } = [...value];
  if (length < least) {
    throw invalidInput(
      `MIN_LENGTH_EXCEEDED:${member}`,
      'You provided a string parameter that is shorter than allowed.',
    );
  }
  if (length > most) {
    throw invalidInput(`MAX_LENGTH_EXCEEDED:${member}`, 'You provided a string parameter that is longer than allowed.');
  }
  return value;
}

const idLetters = 'abcdefghijklmnopqrstuvwxyz0123456789';

export function newOrganizationsId(prefix: string, length: number): string {
  let id = prefix;
  for (const byte of randomBytes(length)) id += idLetters.charAt(byte % idLetters.length);
  return id;
}

/** The caller's own place. @throws AwsError AWSOrganizationsNotInUseException */
export function ownMembership(call: Call): Membership {
  const membership = membershipOf(call.tx, call.accountId);
  if (!membership) throw organizationsError('AWSOrganizationsNotInUseException');
  return membership;
}

/** @throws AwsError for a caller that is not of the management account: nearly every operation is that account's */
export function managed(call: Call): OrganizationRow {
  const { organization, isManagement } = ownMembership(call);
  if (!isManagement) throw organizationsError('AccessDeniedException');
  return organization;
}

/** What delegated administrators may read, and what the organization's policy may let members do. @throws AwsError AccessDeniedException */
export function delegated(call: Call): OrganizationRow {
  const membership = ownMembership(call);
  if (!isOpenTo(call.tx, membership, call.operation)) throw organizationsError('AccessDeniedException');
  return membership.organization;
}

/** A service's principal. AWS knows which of its services there are; here their form is checked. */
export function checkedService(value: string | undefined): string {
  if (value === undefined || !/^[\w+=,.@-]{1,128}$/.test(value)) throw invalidInput();
  if (!value.endsWith('.amazonaws.com') && !value.endsWith('.aws.internal')) {
    throw invalidInput('UNRECOGNIZED_SERVICE_PRINCIPAL', 'You specified an unrecognized service principal.');
  }
  return value;
}

export function findRoot(call: Call, organization: OrganizationRow): OrganizationRootRow {
  const root = call.tx.get('organization-root', organization.rootId);
  if (!root) throw new Error(`organization ${organization.id} has no root`);
  return root;
}

export function unitsOf(call: Call, organization: OrganizationRow): OrganizationalUnitRow[] {
  return call.tx
    .list('organizational-unit', { accountId: organization.accountId })
    .filter((unit) => unit.organizationId === organization.id);
}

export function membersOf(call: Call, organization: OrganizationRow): OrganizationMemberRow[] {
  return call.tx
    .list('organization-member', { accountId: organization.accountId })
    .filter((member) => member.organizationId === organization.id);
}

/** Everything that policies can be attached to. */
export function allPlaces(call: Call, organization: OrganizationRow): Place[] {
  return [findRoot(call, organization), ...unitsOf(call, organization), ...membersOf(call, organization)];
}

export function findUnit(call: Call, organization: OrganizationRow, id: string | undefined): OrganizationalUnitRow {
  const unit = call.tx.get('organizational-unit', checked(id, patterns.unit, 'ORGANIZATIONAL_UNIT_ID'));
  if (unit?.organizationId !== organization.id) throw organizationsError('OrganizationalUnitNotFoundException');
  return unit;
}

export function findMember(call: Call, organization: OrganizationRow, id: string | undefined): OrganizationMemberRow {
  const member = call.tx.get('organization-member', checked(id, patterns.account, 'ACCOUNT_ID'));
  if (member?.organizationId !== organization.id) throw organizationsError('AccountNotFoundException');
  return member;
}

export function findParent(
  call: Call,
  organization: OrganizationRow,
  id: string | undefined,
  missing: OrganizationsErrorCode = 'ParentNotFoundException',
): OrganizationRootRow | OrganizationalUnitRow {
  const parent = parentPlace(call.tx, checked(id, patterns.parent, 'PARENT_ID'));
  if (parent?.organizationId !== organization.id) throw organizationsError(missing);
  return parent;
}

export function findTarget(call: Call, organization: OrganizationRow, id: string | undefined): Place {
  const target = checked(id, patterns.target, 'TARGET_ID');
  const place = patterns.account.test(target)
    ? call.tx.get('organization-member', target)
    : parentPlace(call.tx, target);
  if (place?.organizationId !== organization.id) throw organizationsError('TargetNotFoundException');
  return place;
}

/** A policy of the organization, or one that AWS ships. */
export type KnownPolicy = Pick<OrganizationPolicyRow, 'id' | 'type' | 'name' | 'description' | 'content'>;

export function findPolicy(call: Call, organization: OrganizationRow, id: string | undefined): KnownPolicy {
  const policyId = checked(id, patterns.policy, 'POLICY_ID');
  const shipped = defaultPolicyOf(policyId);
  if (shipped) return shipped;
  const row = call.tx.get('organization-policy', policyId);
  if (row?.organizationId !== organization.id) throw organizationsError('PolicyNotFoundException');
  return row;
}

export function typeOfPolicy(call: Call, policyId: string): ControlPolicyType | undefined {
  return defaultPolicyOf(policyId)?.type ?? call.tx.get('organization-policy', policyId)?.type;
}

/** Rows are of different kinds, so each is put as what it is. */
export function putPlace(call: Call, place: Place): void {
  if (!('parentId' in place)) call.tx.put('organization-root', place);
  else if ('joinedAt' in place) call.tx.put('organization-member', place);
  else call.tx.put('organizational-unit', place);
}

/** What a new place begins with: the default policy of every type that is enabled. */
export function firstPolicyIds(organization: OrganizationRow): string[] {
  return organization.enabledPolicyTypes.map((type) => defaultPolicies[type].id);
}

// ---- ARNs

const prefixOf = (call: Pick<Call, 'partition'>, { accountId }: { accountId: string }) =>
  `arn:${call.partition}:organizations::${accountId}`;

export const organizationArn = (call: Call, organization: OrganizationRow): string =>
  `${prefixOf(call, organization)}:organization/${organization.id}`;

export function placeArn(call: Call, organization: OrganizationRow, place: Place): string {
  const type = !('parentId' in place) ? 'root' : 'joinedAt' in place ? 'account' : 'ou';
  return `${prefixOf(call, organization)}:${type}/${organization.id}/${place.id}`;
}

/** `o-…/r-…/ou-…/123456789012/`: from the organization down to the place itself (recorded). */
export function pathOf(call: Call, organization: OrganizationRow, place: Place): string {
  return `${[organization.id, ...placesDownTo(call.tx, place).map(({ id }) => id)].join('/')}/`;
}

export function policyArn(call: Call, organization: OrganizationRow, policy: KnownPolicy): string {
  const type = policy.type.toLowerCase();
  return defaultPolicyOf(policy.id)
    ? `arn:${call.partition}:organizations::aws:policy/${type}/${policy.id}`
    : `${prefixOf(call, organization)}:policy/${organization.id}/${type}/${policy.id}`;
}

export const resourcePolicyArn = (call: Call, organization: OrganizationRow, policyId: string): string =>
  `${prefixOf(call, organization)}:resourcepolicy/${organization.id}/${policyId}`;

export const handshakeArn = (call: Call, organization: OrganizationRow, handshakeId: string): string =>
  `${prefixOf(call, organization)}:handshake/${organization.id}/invite/${handshakeId}`;

// ---- pages

interface PageInput {
  readonly NextToken?: string | undefined;
  readonly MaxResults?: number | undefined;
}

/** One page; the token names the last item that was given, so that nothing that stays is skipped when the list changes in between. */
export function page<T>(
  items: readonly T[],
  input: PageInput,
  keyOf: (item: T) => string,
): { items: T[]; end: { NextToken?: string } } {
  const most = input.MaxResults ?? 20;
  if (!Number.isInteger(most) || most < 1)
    throw invalidInput(
      'MIN_VALUE_EXCEEDED:MAX_RESULTS',
      'You provided a numeric argument that is less than the minimum.',
    );
  if (most > 20)
    throw invalidInput(
      'MAX_VALUE_EXCEEDED:MAX_RESULTS',
      'You provided a numeric argument that is larger than the maximum value.',
    );
  const sorted = [...items].sort((a, b) => (keyOf(a) < keyOf(b) ? -1 : 1));
  const after = input.NextToken === undefined ? undefined : readToken(input.NextToken);
  const rest = after === undefined ? sorted : sorted.filter((item) => keyOf(item) > after);
  const given = rest.slice(0, most);
  const last = given.at(-1);
  if (rest.length <= most || last === undefined) return { items: given, end: {} };
  return { items: given, end: { NextToken: Buffer.from(`after:${keyOf(last)}`).toString('base64') } };
}

function readToken(token: string): string {
  const text = Buffer.from(token, 'base64').toString();
  if (!text.startsWith('after:')) {
    throw invalidInput(
      'INVALID_NEXT_TOKEN',
      'You specified an invalid value for nextToken. You must get it from the response of a previous call.',
    );
  }
  return text.slice('after:'.length);
}

// ---- permissions

/** The members that name what an operation is about; every resource of the service's reference is found by one. */
const resourceMembers = [
  'PolicyId',
  'TargetId',
  'AccountId',
  'OrganizationalUnitId',
  'RootId',
  'ParentId',
  'ChildId',
  'SourceParentId',
  'DestinationParentId',
  'ResourceId',
] as const;

interface Named {
  readonly arn: string;
  readonly tags: Readonly<Record<string, string>>;
}

/** One question for each resource that the input names, with the keys that the service's reference has; `*` when it names none. */
export const onNamed: Authorization<object> = (call, given) => {
  const input = given as Readonly<Record<string, unknown>>;
  const organization = membershipOf(call.tx, call.accountId)?.organization;
  const action = `organizations:${call.operation}`;
  const common = contextOf(call, input);
  const named = resourceMembers.flatMap((member) => {
    const id = input[member];
    return organization === undefined || typeof id !== 'string' ? [] : (findNamed(call, organization, id) ?? []);
  });
  const resources = [...named, ...handshakeOf(call, input['HandshakeId'])];
  if (resources.length === 0) return [{ action, resource: '*', context: common }];
  return resources.map(({ arn, tags }) => {
    const ofResource = Object.entries(tags).map(([key, value]) => [`aws:ResourceTag/${key}`, [value]]);
    return { action, resource: arn, context: { ...common, ...Object.fromEntries(ofResource) } };
  });
};

function contextOf(call: Call, input: Readonly<Record<string, unknown>>): Record<string, readonly string[]> {
  const { PolicyId, ServicePrincipal, Tags, TagKeys } = input;
  const named = input['PolicyType'] ?? input['Filter'] ?? input['Type'];
  const type =
    typeof named === 'string' ? named : typeof PolicyId === 'string' ? typeOfPolicy(call, PolicyId) : undefined;
  return {
    ...(type !== undefined && { 'organizations:PolicyType': [type] }),
    ...(typeof ServicePrincipal === 'string' && { 'organizations:ServicePrincipal': [ServicePrincipal] }),
    ...requestTagKeys(Tags as readonly { Key?: string; Value?: string }[], TagKeys as readonly string[]),
  };
}

/** An invitation is its organization's, also for the account that is invited and in none. */
function handshakeOf(call: Call, id: unknown): Named[] {
  const row = typeof id === 'string' ? call.tx.get('handshake', id) : undefined;
  const organization = row && call.tx.get('organization', row.organizationId);
  return organization ? [{ arn: handshakeArn(call, organization, row.id), tags: {} }] : [];
}

function findNamed(call: Call, organization: OrganizationRow, id: string): Named | undefined {
  if (id.startsWith('rp-')) {
    const row = call.tx.get('organization-resource-policy', id);
    return row && { arn: resourcePolicyArn(call, organization, id), tags: row.tags };
  }
  if (id.startsWith('p-')) {
    const own = call.tx.get('organization-policy', id);
    const policy = defaultPolicyOf(id) ?? own;
    return policy && { arn: policyArn(call, organization, policy), tags: own?.tags ?? {} };
  }
  const place = patterns.account.test(id) ? call.tx.get('organization-member', id) : parentPlace(call.tx, id);
  return place && { arn: placeArn(call, organization, place), tags: place.tags };
}
