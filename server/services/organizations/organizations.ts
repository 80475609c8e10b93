// The organization itself: made by what becomes its management account, left by its members, deleted when only that account is in it.

import type {
  CreateOrganizationRequest,
  CreateOrganizationResponse,
  DescribeOrganizationResponse,
  DisableAWSServiceAccessRequest,
  EnableAWSServiceAccessRequest,
  ListAWSServiceAccessForOrganizationRequest,
  ListAWSServiceAccessForOrganizationResponse,
  ListRootsRequest,
  ListRootsResponse,
  Organization,
  RemoveAccountFromOrganizationRequest,
} from '@aws-sdk/client-organizations';
import { timestamp } from '../../identities.ts';
import { membershipOf } from '../../organizations.ts';
import { type Call, operation } from '../../service.ts';
import type { OrganizationRow } from '../../store/rows/organizations.ts';
import { emailOf } from './accounts.ts';
import { isDelegated } from './delegation.ts';
import { constraintViolation, invalidInput, organizationsError } from './errors.ts';
import { describeRoot } from './policies.ts';
import {
  checkedService,
  delegated,
  findMember,
  managed,
  membersOf,
  newOrganizationsId,
  onNamed,
  organizationArn,
  ownMembership,
  page,
  placeArn,
  unitsOf,
} from './tree.ts';

function describe(call: Call, organization: OrganizationRow): Organization {
  const managementId = organization.accountId;
  const management = findMember(call, organization, managementId);
  return {
    Id: organization.id,
    Arn: organizationArn(call, organization),
    FeatureSet: organization.featureSet,
    MasterAccountArn: placeArn(call, organization, management),
    MasterAccountId: managementId,
    MasterAccountEmail: management.email,
    // Deprecated: it says what there could be, not what is enabled (ListRoots does).
    AvailablePolicyTypes:
      organization.featureSet === 'ALL' ? [{ Type: 'SERVICE_CONTROL_POLICY', Status: 'ENABLED' }] : [],
  };
}

/** No policy type is enabled at first (seen by the Terraform provider's acceptance tests, whatever the reference says of CreateOrganization). */
function createOrganization(call: Call, input: CreateOrganizationRequest): CreateOrganizationResponse {
  const featureSet = input.FeatureSet ?? 'ALL';
  if (featureSet !== 'ALL' && featureSet !== 'CONSOLIDATED_BILLING')
    throw invalidInput('INVALID_ENUM', 'You specified an invalid value.');
  if (membershipOf(call.tx, call.accountId)) throw organizationsError('AlreadyInOrganizationException');
  const scope = { accountId: call.accountId, region: 'global' };
  const organizationId = newOrganizationsId('o-', 10);
  const rootId = newOrganizationsId('r-', 4);
  const organization: OrganizationRow = {
    id: organizationId,
    ...scope,
    featureSet,
    rootId,
    enabledPolicyTypes: [],
    serviceAccess: {},
  };
  const account = call.tx.get('account', call.accountId);
  call.tx.put('organization', organization);
  call.tx.put('organization-root', { id: rootId, ...scope, organizationId, policyIds: [], tags: {} });
  call.tx.put('organization-member', {
    id: call.accountId,
    ...scope,
    organizationId,
    parentId: rootId,
    name: account?.name ?? call.accountId,
    email: emailOf(call, call.accountId),
    joinedMethod: 'INVITED',
    joinedAt: timestamp(call.now),
    policyIds: [],
    tags: {},
  });
  return { Organization: describe(call, organization) };
}

function describeOrganization(call: Call): DescribeOrganizationResponse {
  return { Organization: describe(call, ownMembership(call).organization) };
}

function deleteOrganization(call: Call): void {
  const organization = managed(call);
  if (membersOf(call, organization).length > 1) throw organizationsError('OrganizationNotEmptyException');
  for (const unit of unitsOf(call, organization)) call.tx.delete('organizational-unit', unit.id);
  for (const kind of [
    'organization-policy',
    'organization-resource-policy',
    'account-creation',
    'handshake',
  ] as const) {
    for (const row of call.tx.list(kind)) if (row.organizationId === organization.id) call.tx.delete(kind, row.id);
  }
  call.tx.delete('organization-member', organization.accountId);
  call.tx.delete('organization-root', organization.rootId);
  call.tx.delete('organization', organization.id);
}

function leaveOrganization(call: Call): void {
  const { member, isManagement } = ownMembership(call);
  if (isManagement) throw organizationsError('MasterCannotLeaveOrganizationException');
  if (isDelegated(member)) throw constraintViolation('CANNOT_REMOVE_DELEGATED_ADMINISTRATOR_FROM_ORG');
  call.tx.delete('organization-member', member.id);
}

/** Gap: an account that the organization made may leave at once; at AWS it first needs a way to pay, and some days. */
function removeAccount(call: Call, input: RemoveAccountFromOrganizationRequest): void {
  const organization = managed(call);
  const member = findMember(call, organization, input.AccountId);
  if (member.id === organization.accountId) throw organizationsError('MasterCannotLeaveOrganizationException');
  if (isDelegated(member)) throw constraintViolation('CANNOT_REMOVE_DELEGATED_ADMINISTRATOR_FROM_ORG');
  call.tx.delete('organization-member', member.id);
}

function listRoots(call: Call, input: ListRootsRequest): ListRootsResponse {
  const organization = delegated(call);
  const { items: Roots, end } = page([describeRoot(call, organization)], input, ({ Id }) => Id ?? '');
  return { Roots, ...end };
}

function enableServiceAccess(call: Call, input: EnableAWSServiceAccessRequest): void {
  const organization = managed(call);
  const service = checkedService(input.ServicePrincipal);
  if (organization.featureSet !== 'ALL') throw constraintViolation('ORGANIZATION_NOT_IN_ALL_FEATURES_MODE');
  const since = organization.serviceAccess[service] ?? timestamp(call.now);
  call.tx.put('organization', { ...organization, serviceAccess: { ...organization.serviceAccess, [service]: since } });
}

function disableServiceAccess(call: Call, input: DisableAWSServiceAccessRequest): void {
  const organization = managed(call);
  const service = checkedService(input.ServicePrincipal);
  if (membersOf(call, organization).some(({ delegatedFor }) => delegatedFor?.[service] !== undefined)) {
    throw constraintViolation('DELEGATED_ADMINISTRATOR_EXISTS_FOR_THIS_SERVICE');
  }
  const { [service]: _gone, ...serviceAccess } = organization.serviceAccess;
  call.tx.put('organization', { ...organization, serviceAccess });
}

function listServiceAccess(
  call: Call,
  input: ListAWSServiceAccessForOrganizationRequest,
): ListAWSServiceAccessForOrganizationResponse {
  const { items, end } = page(Object.entries(delegated(call).serviceAccess), input, ([service]) => service);
  const EnabledServicePrincipals = items.map(([ServicePrincipal, since]) => ({
    ServicePrincipal,
    DateEnabled: new Date(since),
  }));
  return { EnabledServicePrincipals, ...end };
}

export const organizationOperations = {
  CreateOrganization: operation<CreateOrganizationRequest, CreateOrganizationResponse>({
    authorize: onNamed,
    run: createOrganization,
  }),
  DescribeOrganization: operation<Record<string, never>, DescribeOrganizationResponse>({
    authorize: onNamed,
    run: describeOrganization,
    readOnly: true,
  }),
  DeleteOrganization: operation<Record<string, never>, void>({ authorize: onNamed, run: deleteOrganization }),
  LeaveOrganization: operation<Record<string, never>, void>({ authorize: onNamed, run: leaveOrganization }),
  RemoveAccountFromOrganization: operation<RemoveAccountFromOrganizationRequest, void>({
    authorize: onNamed,
    run: removeAccount,
  }),
  ListRoots: operation<ListRootsRequest, ListRootsResponse>({
    authorize: onNamed,
    run: listRoots,
    readOnly: true,
  }),
  EnableAWSServiceAccess: operation<EnableAWSServiceAccessRequest, void>({
    authorize: onNamed,
    run: enableServiceAccess,
  }),
  DisableAWSServiceAccess: operation<DisableAWSServiceAccessRequest, void>({
    authorize: onNamed,
    run: disableServiceAccess,
  }),
  ListAWSServiceAccessForOrganization: operation<
    ListAWSServiceAccessForOrganizationRequest,
    ListAWSServiceAccessForOrganizationResponse
  >({ authorize: onNamed, run: listServiceAccess, readOnly: true }),
};
