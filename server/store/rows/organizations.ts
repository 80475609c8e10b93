// Rows of AWS Organizations. `region` is `global` for all of them, `accountId` the management account's; a member's row is found by its account's id, so
// that an account without an organization costs one look-up.

import type { Row } from '../store.ts';

export type ControlPolicyType = 'SERVICE_CONTROL_POLICY' | 'RESOURCE_CONTROL_POLICY';

/** What policies can be attached to. */
interface PolicyTarget extends Row {
  organizationId: string;
  /** Of every enabled type, in the order of attachment; `p-FullAWSAccess` and `p-RCPFullAWSAccess` ship with the program. */
  policyIds: string[];
  tags: Record<string, string>;
}

/** `id` is the organization's (`o-…`). */
export interface OrganizationRow extends Row {
  featureSet: 'ALL' | 'CONSOLIDATED_BILLING';
  rootId: string;
  enabledPolicyTypes: ControlPolicyType[];
  /** AWS services that were let in, and since when. Only Reachability Analyzer acts in an organization here. */
  serviceAccess: Record<string, string>;
  /** What the management account may do about members' roots (IAM's EnableOrganizationsRoot…). */
  rootFeatures?: ('RootCredentialsManagement' | 'RootSessions')[];
}

/** `id` is `r-…`. */
export interface OrganizationRootRow extends PolicyTarget {}

/** `id` is `ou-ROOT-…`. */
export interface OrganizationalUnitRow extends PolicyTarget {
  parentId: string;
  name: string;
}

/** `id` is the member account's; the management account has a row too. */
export interface OrganizationMemberRow extends PolicyTarget {
  parentId: string;
  name: string;
  email: string;
  joinedMethod: 'INVITED' | 'CREATED';
  joinedAt: string;
  /** AWS services that the account is a delegated administrator of, and since when. */
  delegatedFor?: Readonly<Record<string, string>>;
}

/** `id` is `p-…`. */
export interface OrganizationPolicyRow extends Row {
  organizationId: string;
  type: ControlPolicyType;
  name: string;
  description: string;
  content: string;
  tags: Record<string, string>;
}

/** The organization's own policy, one at most; `id` is `rp-…`. */
export interface OrganizationResourcePolicyRow extends Row {
  organizationId: string;
  content: string;
  tags: Record<string, string>;
}

/** `id` is `car-…`. */
export interface AccountCreationRow extends Row {
  organizationId: string;
  accountName: string;
  state: 'SUCCEEDED' | 'FAILED';
  requestedAt: string;
  createdAccountId?: string;
  failureReason?: 'EMAIL_ALREADY_EXISTS';
}

/** An invitation; `id` is `h-…`. */
export interface HandshakeRow extends Row {
  organizationId: string;
  invitedAccountId: string;
  state: 'OPEN' | 'ACCEPTED' | 'DECLINED' | 'CANCELED';
  requestedAt: string;
  expiresAt: string;
  notes?: string;
  tags: Record<string, string>;
}

export interface OrganizationsRows {
  organization: OrganizationRow;
  'organization-root': OrganizationRootRow;
  'organizational-unit': OrganizationalUnitRow;
  'organization-member': OrganizationMemberRow;
  'organization-policy': OrganizationPolicyRow;
  'organization-resource-policy': OrganizationResourcePolicyRow;
  'account-creation': AccountCreationRow;
  handshake: HandshakeRow;
}
