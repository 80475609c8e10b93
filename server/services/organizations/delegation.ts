// Who besides the management account may do what in an organization? What members may anyway, what delegated administrators may read, and what the
// organization's own policy says. https://docs.aws.amazon.com/organizations/latest/userguide/orgs_delegate_policies.html (read 2026-11-21)
// Recorded on AWS (2026-09): a member needs its own permission and the organization's; a Deny of the organization's policy holds for every member, whatever it was
// let read, and never for the management account, whose everything is (aws:ResourceAccount).

import { compileGlob } from '@postern/policy/pattern.ts';
import type { Principal } from '@postern/policy/types.ts';
import { type Membership, membershipOf } from '../../organizations.ts';
import type { ResourcePolicy } from '../../service.ts';
import type { OrganizationMemberRow, OrganizationResourcePolicyRow } from '../../store/rows/organizations.ts';
import type { Transaction } from '../../store/store.ts';

/** What an account does for itself, in an organization or in none. */
const onesOwn: ReadonlySet<string> = new Set([
  'AcceptHandshake',
  'CreateOrganization',
  'DeclineHandshake',
  'DescribeHandshake',
  'LeaveOrganization',
  'ListHandshakesForAccount',
]);

/** What delegated administrators of any service may do. https://docs.aws.amazon.com/organizations/latest/userguide/orgs_integrate_delegated_admin.html */
const administratorsReads: readonly string[] = [
  'DescribeAccount',
  'DescribeCreateAccountStatus',
  'DescribeEffectivePolicy',
  'DescribeHandshake',
  'DescribeOrganization',
  'DescribeOrganizationalUnit',
  'DescribePolicy',
  'DescribeResourcePolicy',
  'ListAccounts',
  'ListAccountsForParent',
  'ListAWSServiceAccessForOrganization',
  'ListChildren',
  'ListCreateAccountStatus',
  'ListDelegatedAdministrators',
  'ListDelegatedServicesForAccount',
  'ListHandshakesForAccount',
  'ListHandshakesForOrganization',
  'ListOrganizationalUnitsForParent',
  'ListParents',
  'ListPolicies',
  'ListPoliciesForTarget',
  'ListRoots',
  'ListTagsForResource',
  'ListTargetsForPolicy',
];

/** What the organization's policy may speak of: what is read, and policies. The five last were recorded, and are not in the guide. */
export const delegable: ReadonlySet<string> = new Set([
  ...administratorsReads,
  'AttachPolicy',
  'CreatePolicy',
  'DeletePolicy',
  'DetachPolicy',
  'DisablePolicyType',
  'EnablePolicyType',
  'TagResource',
  'UntagResource',
  'UpdatePolicy',
  'DescribeResponsibilityTransfer',
  'ListAccountsWithInvalidEffectivePolicy',
  'ListEffectivePolicyValidationErrors',
  'ListInboundResponsibilityTransfers',
  'ListOutboundResponsibilityTransfers',
]);

export function isDelegated(member: OrganizationMemberRow): boolean {
  return Object.keys(member.delegatedFor ?? {}).length > 0;
}

export function policyOf(tx: Transaction, organizationId: string): OrganizationResourcePolicyRow | undefined {
  const management = tx.get('organization', organizationId)?.accountId;
  return tx
    .list('organization-resource-policy', management === undefined ? {} : { accountId: management })
    .find((row) => row.organizationId === organizationId);
}

interface Written {
  readonly Effect: string;
  readonly Action: string | readonly string[];
}

function statementsOf(tx: Transaction, { organization }: Membership): readonly Written[] {
  const content = policyOf(tx, organization.id)?.content;
  return content === undefined ? [] : (JSON.parse(content) as { Statement: readonly Written[] }).Statement;
}

const nameOf = (action: string): string => action.slice(action.indexOf(':') + 1);

export function matches(pattern: string, operation: string): boolean {
  return compileGlob(nameOf(pattern).toLowerCase())(operation.toLowerCase());
}

/** Is the operation delegated at all? The policies themselves were asked before: on what, by whom and when is theirs to say. */
export function isOpenTo(tx: Transaction, membership: Membership, operation: string): boolean {
  if (membership.isManagement) return true;
  if (isDelegated(membership.member) && administratorsReads.includes(operation)) return true;
  return statementsOf(tx, membership).some(
    ({ Effect, Action }) => Effect === 'Allow' && [Action].flat().some((pattern) => matches(pattern, operation)),
  );
}

/** What the authorizer asks besides a member's own policies: none for the management account, and for what an account does for itself. */
export function organizationPolicy(
  tx: Transaction,
  _resource: string,
  action = '',
  principal?: Principal,
): ResourcePolicy | undefined {
  const membership = principal && membershipOf(tx, principal.accountId);
  if (!membership || membership.isManagement || onesOwn.has(nameOf(action))) return undefined;
  const { organization, member } = membership;
  const reads = isDelegated(member) ? administratorsReads : ['DescribeOrganization'];
  const given = {
    Effect: 'Allow',
    Principal: { AWS: member.id },
    Action: reads.map((name) => `organizations:${name}`),
    Resource: '*',
  };
  return {
    policyText: JSON.stringify({ Version: '2012-10-17', Statement: [...statementsOf(tx, membership), given] }),
    id: policyOf(tx, organization.id)?.id ?? organization.id,
    ownerAccountId: organization.accountId,
  };
}

/** Whose it is that an action is about, where its ARN does not say: the management account's, or the caller's own. */
export function organizationOwner(
  tx: Transaction,
  _resource: string,
  action = '',
  principal?: Principal,
): string | undefined {
  const membership = principal && membershipOf(tx, principal.accountId);
  return membership && !onesOwn.has(nameOf(action)) ? membership.organization.accountId : principal?.accountId;
}
