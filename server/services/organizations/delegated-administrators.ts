// Delegated administrators: member accounts that manage an AWS service for the organization. Here that lets them read the organization, and with IAM's
// lends them members' roots (sts:AssumeRoot). https://docs.aws.amazon.com/organizations/latest/APIReference/API_RegisterDelegatedAdministrator.html
// (read 2026-11-21). Gap: how many a service may have is not counted, for each service has a number of its own.

import type {
  DelegatedAdministrator,
  DelegatedService,
  DeregisterDelegatedAdministratorRequest,
  ListDelegatedAdministratorsRequest,
  ListDelegatedAdministratorsResponse,
  ListDelegatedServicesForAccountRequest,
  ListDelegatedServicesForAccountResponse,
  RegisterDelegatedAdministratorRequest,
} from '@aws-sdk/client-organizations';
import { isClosed } from '../../accounts.ts';
import { timestamp } from '../../identities.ts';
import { type Call, operation } from '../../service.ts';
import { describeAccount } from './accounts.ts';
import { isDelegated } from './delegation.ts';
import { constraintViolation, organizationsError } from './errors.ts';
import { checkedService, delegated, findMember, managed, membersOf, onNamed, page } from './tree.ts';

function register(call: Call, input: RegisterDelegatedAdministratorRequest): void {
  const organization = managed(call);
  const service = checkedService(input.ServicePrincipal);
  const member = findMember(call, organization, input.AccountId);
  if (member.id === organization.accountId) {
    throw constraintViolation('CANNOT_REGISTER_MASTER_AS_DELEGATED_ADMINISTRATOR');
  }
  if (isClosed(call.tx, member.id)) {
    throw constraintViolation('CANNOT_REGISTER_SUSPENDED_ACCOUNT_AS_DELEGATED_ADMINISTRATOR');
  }
  if (organization.serviceAccess[service] === undefined) throw constraintViolation('SERVICE_ACCESS_NOT_ENABLED');
  if (member.delegatedFor?.[service] !== undefined) throw organizationsError('AccountAlreadyRegisteredException');
  const delegatedFor = { ...member.delegatedFor, [service]: timestamp(call.now) };
  call.tx.put('organization-member', { ...member, delegatedFor });
}

function deregister(call: Call, input: DeregisterDelegatedAdministratorRequest): void {
  const organization = managed(call);
  const service = checkedService(input.ServicePrincipal);
  const member = findMember(call, organization, input.AccountId);
  const { [service]: since, ...delegatedFor } = member.delegatedFor ?? {};
  if (since === undefined) throw organizationsError('AccountNotRegisteredException');
  call.tx.put('organization-member', { ...member, delegatedFor });
}

function listAdministrators(
  call: Call,
  input: ListDelegatedAdministratorsRequest,
): ListDelegatedAdministratorsResponse {
  const organization = delegated(call);
  const service = input.ServicePrincipal === undefined ? undefined : checkedService(input.ServicePrincipal);
  const administrators = membersOf(call, organization).filter((member) =>
    service === undefined ? isDelegated(member) : member.delegatedFor?.[service] !== undefined,
  );
  const { items, end } = page(administrators, input, ({ id }) => id);
  const shown = items.map((member): DelegatedAdministrator => {
    // Of several services: since the first of them.
    const dates = Object.entries(member.delegatedFor ?? {}).filter(
      ([name]) => service === undefined || name === service,
    );
    const [first = member.joinedAt] = dates.map(([, since]) => since).sort();
    return { ...describeAccount(call, organization, member), DelegationEnabledDate: new Date(first) };
  });
  return { DelegatedAdministrators: shown, ...end };
}

function listServices(
  call: Call,
  input: ListDelegatedServicesForAccountRequest,
): ListDelegatedServicesForAccountResponse {
  const organization = delegated(call);
  const member = findMember(call, organization, input.AccountId);
  if (!isDelegated(member)) throw organizationsError('AccountNotRegisteredException');
  const { items, end } = page(Object.entries(member.delegatedFor ?? {}), input, ([service]) => service);
  const DelegatedServices = items.map(
    ([ServicePrincipal, since]): DelegatedService => ({ ServicePrincipal, DelegationEnabledDate: new Date(since) }),
  );
  return { DelegatedServices, ...end };
}

export const delegatedAdministrators = {
  RegisterDelegatedAdministrator: operation<RegisterDelegatedAdministratorRequest, void>({
    authorize: onNamed,
    run: register,
  }),
  DeregisterDelegatedAdministrator: operation<DeregisterDelegatedAdministratorRequest, void>({
    authorize: onNamed,
    run: deregister,
  }),
  ListDelegatedAdministrators: operation<ListDelegatedAdministratorsRequest, ListDelegatedAdministratorsResponse>({
    authorize: onNamed,
    run: listAdministrators,
    readOnly: true,
  }),
  ListDelegatedServicesForAccount: operation<
    ListDelegatedServicesForAccountRequest,
    ListDelegatedServicesForAccountResponse
  >({ authorize: onNamed, run: listServices, readOnly: true }),
};
