// Member accounts: made by the organization, listed, moved in its tree. An account that is made is one of the cloud like any other
// (`postern account list` shows it), with the role that lets the management account in.

import type {
  Account,
  CloseAccountRequest,
  CreateAccountRequest,
  CreateAccountResponse,
  CreateAccountStatus,
  DescribeAccountRequest,
  DescribeAccountResponse,
  DescribeCreateAccountStatusRequest,
  DescribeCreateAccountStatusResponse,
  ListAccountsForParentRequest,
  ListAccountsForParentResponse,
  ListAccountsRequest,
  ListAccountsResponse,
  ListCreateAccountStatusRequest,
  ListCreateAccountStatusResponse,
  MoveAccountRequest,
} from '@aws-sdk/client-organizations';
import { addAccount, isClosed } from '../../accounts.ts';
import { nameKey, newUniqueId, rootArn, timestamp } from '../../identities.ts';
import { type Call, operation } from '../../service.ts';
import type { AccountCreationRow, OrganizationMemberRow, OrganizationRow } from '../../store/rows/organizations.ts';
import { constraintViolation, organizationsError } from './errors.ts';
import { checkedTags } from './tagging.ts';
import {
  checked,
  delegated,
  findMember,
  findParent,
  firstPolicyIds,
  managed,
  membersOf,
  newOrganizationsId,
  onNamed,
  page,
  pathOf,
  patterns,
  placeArn,
} from './tree.ts';

/** An account of `postern account create` has no address of its own, and organizations show one. */
export function emailOf(call: Call, accountId: string): string {
  return call.tx.get('account', accountId)?.email ?? `root+${accountId}@example.com`;
}

export function describeAccount(call: Call, organization: OrganizationRow, member: OrganizationMemberRow): Account {
  const closed = isClosed(call.tx, member.id);
  return {
    Id: member.id,
    Arn: placeArn(call, organization, member),
    Email: member.email,
    Name: member.name,
    Status: closed ? 'SUSPENDED' : 'ACTIVE',
    State: closed ? 'CLOSED' : 'ACTIVE',
    Paths: [pathOf(call, organization, member)],
    JoinedMethod: member.joinedMethod,
    JoinedTimestamp: new Date(member.joinedAt),
  };
}

/** The row of an account that joins, at the root. */
export function newMember(
  call: Call,
  organization: OrganizationRow,
  accountId: string,
  more: Pick<OrganizationMemberRow, 'name' | 'email' | 'joinedMethod' | 'tags'>,
): OrganizationMemberRow {
  return {
    id: accountId,
    accountId: organization.accountId,
    region: 'global',
    organizationId: organization.id,
    parentId: organization.rootId,
    joinedAt: timestamp(call.now),
    policyIds: firstPolicyIds(organization),
    ...more,
  };
}

/** As AWS does it, the answer says IN_PROGRESS; the account is there, and DescribeCreateAccountStatus says how it went. */
function createAccount(call: Call, input: CreateAccountRequest): CreateAccountResponse {
  const organization = managed(call);
  const email = checked(input.Email, /^(?=.{6,64}$)[^\s@]+@[^\s@]+\.[^\s@]+$/, 'EMAIL');
  const accountName = checked(input.AccountName, /^[\u0020-\u007e]{1,50}$/, 'ACCOUNT_NAME');
  const roleName = checked(input.RoleName ?? 'OrganizationAccountAccessRole', /^[\w+=,.@-]{1,64}$/, 'ROLE_NAME');
  const tags = checkedTags(input.Tags);
  const taken = call.tx.list('account').some(({ id }) => emailOf(call, id).toLowerCase() === email.toLowerCase());
  const row: AccountCreationRow = {
    id: newOrganizationsId('car-', 32),
    accountId: organization.accountId,
    region: 'global',
    organizationId: organization.id,
    accountName,
    requestedAt: timestamp(call.now),
    ...(taken
      ? { state: 'FAILED', failureReason: 'EMAIL_ALREADY_EXISTS' }
      : {
          state: 'SUCCEEDED',
          createdAccountId: makeMember(call, organization, { email, accountName, roleName, tags }),
        }),
  };
  call.tx.put('account-creation', row);
  return {
    CreateAccountStatus: {
      Id: row.id,
      AccountName: accountName,
      State: 'IN_PROGRESS',
      RequestedTimestamp: new Date(row.requestedAt),
    },
  };
}

interface NewAccount {
  readonly email: string;
  readonly accountName: string;
  readonly roleName: string;
  readonly tags: Record<string, string>;
}

function makeMember(
  call: Call,
  organization: OrganizationRow,
  { email, accountName, roleName, tags }: NewAccount,
): string {
  const account = { ...addAccount(call.tx, accountName, call.now), email };
  call.tx.put('account', account);
  const member = newMember(call, organization, account.id, {
    name: accountName,
    email,
    joinedMethod: 'CREATED',
    tags,
  });
  call.tx.put('organization-member', member);
  call.tx.put('role', {
    id: nameKey(account.id, roleName),
    accountId: account.id,
    region: 'global',
    roleName,
    roleId: newUniqueId('AROA'),
    path: '/',
    createDate: timestamp(call.now),
    maxSessionDuration: 3600,
    assumeRolePolicyDocument: JSON.stringify({
      Version: '2012-10-17',
      Statement: [
        {
          Effect: 'Allow',
          Principal: { AWS: rootArn(call.partition, organization.accountId) },
          Action: 'sts:AssumeRole',
        },
      ],
    }),
    attachedPolicyArns: [`arn:${call.partition}:iam::aws:policy/AdministratorAccess`],
    inlinePolicies: {},
    tags: {},
  });
  return account.id;
}

function describeCreation(row: AccountCreationRow): CreateAccountStatus {
  return {
    Id: row.id,
    AccountName: row.accountName,
    State: row.state,
    RequestedTimestamp: new Date(row.requestedAt),
    CompletedTimestamp: new Date(row.requestedAt),
    ...(row.createdAccountId !== undefined && { AccountId: row.createdAccountId }),
    ...(row.failureReason !== undefined && { FailureReason: row.failureReason }),
  };
}

function describeCreateAccountStatus(
  call: Call,
  input: DescribeCreateAccountStatusRequest,
): DescribeCreateAccountStatusResponse {
  const organization = delegated(call);
  const row = call.tx.get(
    'account-creation',
    checked(input.CreateAccountRequestId, patterns.creation, 'CREATE_ACCOUNT_REQUEST_ID'),
  );
  if (row?.organizationId !== organization.id) throw organizationsError('CreateAccountStatusNotFoundException');
  return { CreateAccountStatus: describeCreation(row) };
}

function listCreateAccountStatus(call: Call, input: ListCreateAccountStatusRequest): ListCreateAccountStatusResponse {
  const organization = delegated(call);
  const states = input.States ?? [];
  const rows = call.tx
    .list('account-creation', { accountId: organization.accountId })
    .filter((row) => states.length === 0 || states.includes(row.state));
  const { items, end } = page(rows, input, ({ id }) => id);
  return { CreateAccountStatuses: items.map(describeCreation), ...end };
}

function showAccount(call: Call, input: DescribeAccountRequest): DescribeAccountResponse {
  const organization = delegated(call);
  return { Account: describeAccount(call, organization, findMember(call, organization, input.AccountId)) };
}

function listAccounts(call: Call, input: ListAccountsRequest): ListAccountsResponse {
  const organization = delegated(call);
  const { items, end } = page(membersOf(call, organization), input, ({ id }) => id);
  return { Accounts: items.map((member) => describeAccount(call, organization, member)), ...end };
}

function listAccountsForParent(call: Call, input: ListAccountsForParentRequest): ListAccountsForParentResponse {
  const organization = delegated(call);
  const parent = findParent(call, organization, input.ParentId);
  const below = membersOf(call, organization).filter(({ parentId }) => parentId === parent.id);
  const { items, end } = page(below, input, ({ id }) => id);
  return { Accounts: items.map((member) => describeAccount(call, organization, member)), ...end };
}

function moveAccount(call: Call, input: MoveAccountRequest): void {
  const organization = managed(call);
  const member = findMember(call, organization, input.AccountId);
  const source = findParent(call, organization, input.SourceParentId, 'SourceParentNotFoundException');
  const destination = findParent(call, organization, input.DestinationParentId, 'DestinationParentNotFoundException');
  if (destination.id === member.parentId) throw organizationsError('DuplicateAccountException');
  // Unsourced: which of the errors AWS chooses for an account that is elsewhere.
  if (source.id !== member.parentId) throw organizationsError('AccountNotFoundException');
  call.tx.put('organization-member', { ...member, parentId: destination.id });
}

const closingQuotaDays = 30;

/**
 * The account is closed at once, where AWS takes minutes: none of its keys is good any more and nobody gets one of its roles. Only AWS's support opens it again.
 * What it has is refused to everybody (server/authorize). Gap: its instances go on.
 */
function closeAccount(call: Call, input: CloseAccountRequest): void {
  const organization = managed(call);
  const member = findMember(call, organization, input.AccountId);
  if (organization.featureSet !== 'ALL') throw constraintViolation('ORGANIZATION_NOT_IN_ALL_FEATURES_MODE');
  if (member.id === organization.accountId) throw constraintViolation('CANNOT_CLOSE_MANAGEMENT_ACCOUNT');
  if (isClosed(call.tx, member.id)) throw organizationsError('AccountAlreadyClosedException');
  if (call.settings.quotas === 'aws') checkClosingQuota(call, organization);
  const account = call.tx.get('account', member.id);
  if (!account) throw new Error(`member ${member.id} is no account`);
  call.tx.put('account', { ...account, closedAt: timestamp(call.now) });
}

/** 250 accounts or a fifth of them within 30 days, whichever is more, and 1,000 at most. */
function checkClosingQuota(call: Call, organization: OrganizationRow): void {
  const since = new Date(call.now.getTime() - closingQuotaDays * 86_400_000).toISOString();
  const members = membersOf(call, organization);
  const closed = members.filter(({ id }) => (call.tx.get('account', id)?.closedAt ?? '') > since).length;
  if (closed >= Math.min(1000, Math.max(250, Math.floor(members.length / 5)))) {
    throw constraintViolation('CLOSE_ACCOUNT_QUOTA_EXCEEDED');
  }
}

export const accounts = {
  CloseAccount: operation<CloseAccountRequest, void>({ authorize: onNamed, run: closeAccount }),
  CreateAccount: operation<CreateAccountRequest, CreateAccountResponse>({ authorize: onNamed, run: createAccount }),
  DescribeCreateAccountStatus: operation<DescribeCreateAccountStatusRequest, DescribeCreateAccountStatusResponse>({
    authorize: onNamed,
    run: describeCreateAccountStatus,
    readOnly: true,
  }),
  ListCreateAccountStatus: operation<ListCreateAccountStatusRequest, ListCreateAccountStatusResponse>({
    authorize: onNamed,
    run: listCreateAccountStatus,
    readOnly: true,
  }),
  DescribeAccount: operation<DescribeAccountRequest, DescribeAccountResponse>({
    authorize: onNamed,
    run: showAccount,
    readOnly: true,
  }),
  ListAccounts: operation<ListAccountsRequest, ListAccountsResponse>({
    authorize: onNamed,
    run: listAccounts,
    readOnly: true,
  }),
  ListAccountsForParent: operation<ListAccountsForParentRequest, ListAccountsForParentResponse>({
    authorize: onNamed,
    run: listAccountsForParent,
    readOnly: true,
  }),
  MoveAccount: operation<MoveAccountRequest, void>({ authorize: onNamed, run: moveAccount }),
};
