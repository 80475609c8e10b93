// Which control policies of organizations limit a request? SCPs of the caller's account, RCPs of the account whose resource it is, each from the root down.
// https://docs.aws.amazon.com/organizations/latest/userguide/orgs_manage_policies_scps.html and …_rcps.html (read 2026-11-21)
// Neither touches a management account. SCPs are for principals of the account, its root too; RCPs for whoever asks, of the services that have them.
// Both leave service-linked roles alone, and what AWS's own services do.

import type { PolicyLevel, PolicySet, Principal } from '@postern/policy/types.ts';
import { controlPolicyText, type Membership, membershipOf, organizationPath, placesDownTo } from '../organizations.ts';
import { serviceReference } from '../service-reference.ts';
import type { ControlPolicyType } from '../store/rows/organizations.ts';
import type { Transaction } from '../store/store.ts';
import type { MutableContext } from './context.ts';
import { documentOf } from './policies.ts';

/**
 * @param resourceAccountId whose resource it is; undefined when the action has none
 * @returns nothing for accounts without an organization: one look-up each
 */
export function controlPolicies(
  tx: Transaction,
  principal: Principal,
  action: string,
  resourceAccountId: string | undefined,
): Pick<PolicySet, 'scps' | 'rcps'> {
  const own = tx.get('organization-member', principal.accountId) && membershipOf(tx, principal.accountId);
  const owner =
    resourceAccountId === principal.accountId
      ? own
      : resourceAccountId === undefined
        ? undefined
        : membershipOf(tx, resourceAccountId);
  if (!own && !owner) return {};
  if (isServiceLinked(principal) || principal.type === 'service') return {};
  const scps = own && levelsFor(tx, own, 'SERVICE_CONTROL_POLICY', 'scp');
  const rcps =
    owner && serviceReference().withRcps.has(action.slice(0, action.indexOf(':')).toLowerCase())
      ? levelsFor(tx, owner, 'RESOURCE_CONTROL_POLICY', 'rcp')
      : undefined;
  return { ...(scps && { scps }), ...(rcps && { rcps }) };
}

function isServiceLinked(principal: Principal): boolean {
  return principal.roleArn?.includes(':role/aws-service-role/') === true;
}

function levelsFor(
  tx: Transaction,
  membership: Membership,
  type: ControlPolicyType,
  kind: 'scp' | 'rcp',
): PolicyLevel[] | undefined {
  if (membership.isManagement || !membership.organization.enabledPolicyTypes.includes(type)) return undefined;
  return placesDownTo(tx, membership.member).map(({ id, policyIds }) => ({
    at: id,
    policies: policyIds.flatMap((policyId) => {
      const text = controlPolicyText(tx, policyId, type);
      return text === undefined ? [] : [{ id: policyId, document: documentOf(kind, text) }];
    }),
  }));
}

/**
 * Says which organization an account is in: `aws:principalorgid` and `aws:principalorgpaths`, or those of the resource or the endpoint's owner.
 * https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-keys.html (read 2026-11-21)
 */
export function addOrganization(
  tx: Transaction,
  context: MutableContext,
  whose: 'aws:principalorg' | 'aws:resourceorg' | 'aws:vpceorg',
  accountId: string,
): void {
  if (tx.get('organization-member', accountId) === undefined) return;
  const membership = membershipOf(tx, accountId);
  if (!membership) return;
  context.set(`${whose}id`, [membership.organization.id]);
  context.set(`${whose}paths`, [organizationPath(tx, membership)]);
}
