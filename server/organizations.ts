// Which organization is an account in, and what is attached above it? For the service that changes organizations and for those who ask its policies.
// https://docs.aws.amazon.com/organizations/latest/userguide/orgs_manage_policies_scps_evaluation.html (read 2026-11-21)

import type {
  ControlPolicyType,
  OrganizationalUnitRow,
  OrganizationMemberRow,
  OrganizationRootRow,
  OrganizationRow,
} from './store/rows/organizations.ts';
import type { Transaction } from './store/store.ts';

export interface DefaultPolicy {
  readonly id: string;
  readonly type: ControlPolicyType;
  readonly name: string;
  readonly description: string;
  readonly content: string;
}

const pretty = (statement: object): string =>
  JSON.stringify({ Version: '2012-10-17', Statement: [statement] }, undefined, 2);

/** What AWS attaches everywhere when a type is enabled, so that nothing is forbidden at first. */
export const defaultPolicies: Readonly<Record<ControlPolicyType, DefaultPolicy>> = {
  SERVICE_CONTROL_POLICY: {
    id: 'p-FullAWSAccess',
    type: 'SERVICE_CONTROL_POLICY',
    name: 'FullAWSAccess',
    description: 'Allows access to every operation',
    content: pretty({ Effect: 'Allow', Action: '*', Resource: '*' }),
  },
  RESOURCE_CONTROL_POLICY: {
    id: 'p-RCPFullAWSAccess',
    type: 'RESOURCE_CONTROL_POLICY',
    name: 'RCPFullAWSAccess',
    description: 'Allows access to every resource',
    content: pretty({ Effect: 'Allow', Principal: '*', Action: '*', Resource: '*' }),
  },
};

export const controlPolicyTypes = Object.keys(defaultPolicies) as ControlPolicyType[];

export function defaultPolicyOf(policyId: string): DefaultPolicy | undefined {
  return Object.values(defaultPolicies).find((policy) => policy.id === policyId);
}

/** A place in an organization's tree. */
export type Place = OrganizationRootRow | OrganizationalUnitRow | OrganizationMemberRow;

export interface Membership {
  readonly organization: OrganizationRow;
  readonly member: OrganizationMemberRow;
  readonly isManagement: boolean;
}

/** @returns undefined for an account that is in no organization */
export function membershipOf(tx: Transaction, accountId: string): Membership | undefined {
  const member = tx.get('organization-member', accountId);
  const organization = member && tx.get('organization', member.organizationId);
  return organization && { organization, member, isManagement: organization.accountId === member.id };
}

/** The root or organizational unit with this id. */
export function parentPlace(tx: Transaction, id: string): OrganizationRootRow | OrganizationalUnitRow | undefined {
  return id.startsWith('r-') ? tx.get('organization-root', id) : tx.get('organizational-unit', id);
}

/** From the root down to the place itself. */
export function placesDownTo(tx: Transaction, place: Place): Place[] {
  const places: Place[] = [place];
  let above: Place | undefined = place;
  while (above !== undefined && 'parentId' in above) {
    above = parentPlace(tx, above.parentId);
    if (above) places.unshift(above);
  }
  return places;
}

/** As in aws:PrincipalOrgPaths: `o-a1b2c3d4e5/r-ab12/ou-ab12-11111111/`, without the account. */
export function organizationPath(tx: Transaction, { organization, member }: Membership): string {
  const above = placesDownTo(tx, member).slice(0, -1);
  return `${[organization.id, ...above.map(({ id }) => id)].join('/')}/`;
}

/** The text of a policy, its own or one that AWS ships, if it is of that type. */
export function controlPolicyText(tx: Transaction, policyId: string, type: ControlPolicyType): string | undefined {
  const shipped = defaultPolicies[type];
  if (shipped.id === policyId) return shipped.content;
  const row = tx.get('organization-policy', policyId);
  return row?.type === type ? row.content : undefined;
}
