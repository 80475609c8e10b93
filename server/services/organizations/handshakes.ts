// Invitations: how an account that is there already comes into an organization. Open for fifteen days; those that have ended are shown for thirty.

import type {
  AcceptHandshakeRequest,
  AcceptHandshakeResponse,
  CancelHandshakeRequest,
  CancelHandshakeResponse,
  DeclineHandshakeRequest,
  DeclineHandshakeResponse,
  DescribeHandshakeRequest,
  DescribeHandshakeResponse,
  Handshake,
  HandshakeParty,
  InviteAccountToOrganizationRequest,
  InviteAccountToOrganizationResponse,
  ListHandshakesForAccountRequest,
  ListHandshakesForAccountResponse,
  ListHandshakesForOrganizationRequest,
  ListHandshakesForOrganizationResponse,
} from '@aws-sdk/client-organizations';
import { AwsError } from '../../errors.ts';
import { timestamp } from '../../identities.ts';
import { membershipOf } from '../../organizations.ts';
import { type Call, operation } from '../../service.ts';
import type { HandshakeRow, OrganizationRow } from '../../store/rows/organizations.ts';
import { emailOf, newMember } from './accounts.ts';
import { invalidInput, organizationsError } from './errors.ts';
import { checkedTags } from './tagging.ts';
import {
  checked,
  delegated,
  findMember,
  handshakeArn,
  managed,
  newOrganizationsId,
  onNamed,
  page,
  patterns,
} from './tree.ts';

const openForMs = 15 * 24 * 60 * 60 * 1000;
const shownForMs = 30 * 24 * 60 * 60 * 1000;

function stateOf(row: HandshakeRow, now: Date): Handshake['State'] {
  return row.state === 'OPEN' && Date.parse(row.expiresAt) <= now.getTime() ? 'EXPIRED' : row.state;
}

function organizationOf(call: Call, row: HandshakeRow): OrganizationRow {
  const organization = call.tx.get('organization', row.organizationId);
  if (!organization) throw new Error(`the organization of ${row.id} is gone`);
  return organization;
}

function describe(call: Call, row: HandshakeRow): Handshake {
  const organization = organizationOf(call, row);
  const management = findMember(call, organization, organization.accountId);
  return {
    Id: row.id,
    Arn: handshakeArn(call, organization, row.id),
    Parties: [
      { Id: organization.id.slice('o-'.length), Type: 'ORGANIZATION' },
      { Id: row.invitedAccountId, Type: 'ACCOUNT' },
    ],
    State: stateOf(row, call.now),
    RequestedTimestamp: new Date(row.requestedAt),
    ExpirationTimestamp: new Date(row.expiresAt),
    Action: 'INVITE',
    Resources: [
      {
        Value: organization.id,
        Type: 'ORGANIZATION',
        Resources: [
          { Value: management.email, Type: 'MASTER_EMAIL' },
          { Value: management.name, Type: 'MASTER_NAME' },
          { Value: organization.featureSet, Type: 'ORGANIZATION_FEATURE_SET' },
        ],
      },
      { Value: row.invitedAccountId, Type: 'ACCOUNT' },
      ...(row.notes === undefined ? [] : [{ Value: row.notes, Type: 'NOTES' as const }]),
    ],
  };
}

/** The account that a target names, by its id or its address. */
function invitedAccount(call: Call, target: HandshakeParty | undefined): string {
  if (target?.Type !== 'ACCOUNT' && target?.Type !== 'EMAIL') {
    throw invalidInput(
      'INVALID_PARTY_TYPE_TARGET',
      'You specified the wrong type of entity (account, organization, or email) as a party.',
    );
  }
  const named =
    target.Type === 'ACCOUNT' ? checked(target.Id, patterns.account, 'TARGET_ID') : (target.Id ?? '').toLowerCase();
  const account = call.tx
    .list('account')
    .find(({ id }) => (target.Type === 'ACCOUNT' ? id === named : emailOf(call, id).toLowerCase() === named));
  if (account) return account.id;
  throw new AwsError(
    'HandshakeConstraintViolationException',
    400,
    `There is no account ${target.Id} in this cloud: postern account create makes one.`,
    { fields: { Reason: 'TARGET_ACCOUNT_VALIDATION_FAILURE' } },
  );
}

function invite(call: Call, input: InviteAccountToOrganizationRequest): InviteAccountToOrganizationResponse {
  const organization = managed(call);
  const tags = checkedTags(input.Tags);
  const accountId = invitedAccount(call, input.Target);
  if (membershipOf(call.tx, accountId)?.organization.id === organization.id) {
    throw new AwsError(
      'HandshakeConstraintViolationException',
      400,
      'The handshake request is invalid because the invited account is already a member of an organization.',
      { fields: { Reason: 'ALREADY_IN_AN_ORGANIZATION' } },
    );
  }
  const open = call.tx
    .list('handshake', { accountId: organization.accountId })
    .some((row) => row.invitedAccountId === accountId && stateOf(row, call.now) === 'OPEN');
  if (open) throw organizationsError('DuplicateHandshakeException');
  const row: HandshakeRow = {
    id: newOrganizationsId('h-', 32),
    accountId: organization.accountId,
    region: 'global',
    organizationId: organization.id,
    invitedAccountId: accountId,
    state: 'OPEN',
    requestedAt: timestamp(call.now),
    expiresAt: timestamp(new Date(call.now.getTime() + openForMs)),
    ...(input.Notes !== undefined && { notes: input.Notes }),
    tags,
  };
  call.tx.put('handshake', row);
  return { Handshake: describe(call, row) };
}

/** @param isInvited the invited account asks; otherwise the organization's management account */
function findHandshake(call: Call, id: string | undefined, isInvited: boolean): HandshakeRow {
  const row = call.tx.get('handshake', checked(id, patterns.handshake, 'HANDSHAKE_ID'));
  if (!row) throw organizationsError('HandshakeNotFoundException');
  if ((isInvited ? row.invitedAccountId : row.accountId) !== call.accountId) {
    throw organizationsError('AccessDeniedException');
  }
  return row;
}

/** Only an open invitation changes, and only once. */
function end(call: Call, row: HandshakeRow, state: 'ACCEPTED' | 'DECLINED' | 'CANCELED'): HandshakeRow {
  if (row.state === state) throw organizationsError('HandshakeAlreadyInStateException');
  if (stateOf(row, call.now) !== 'OPEN') throw organizationsError('InvalidHandshakeTransitionException');
  const ended = { ...row, state };
  call.tx.put('handshake', ended);
  return ended;
}

function accept(call: Call, input: AcceptHandshakeRequest): AcceptHandshakeResponse {
  const row = findHandshake(call, input.HandshakeId, true);
  if (membershipOf(call.tx, call.accountId) && stateOf(row, call.now) === 'OPEN') {
    throw organizationsError('AlreadyInOrganizationException');
  }
  const accepted = end(call, row, 'ACCEPTED');
  const account = call.tx.get('account', call.accountId);
  const member = newMember(call, organizationOf(call, row), call.accountId, {
    name: account?.name ?? call.accountId,
    email: emailOf(call, call.accountId),
    joinedMethod: 'INVITED',
    tags: row.tags,
  });
  call.tx.put('organization-member', member);
  return { Handshake: describe(call, accepted) };
}

function decline(call: Call, input: DeclineHandshakeRequest): DeclineHandshakeResponse {
  return { Handshake: describe(call, end(call, findHandshake(call, input.HandshakeId, true), 'DECLINED')) };
}

function cancel(call: Call, input: CancelHandshakeRequest): CancelHandshakeResponse {
  return { Handshake: describe(call, end(call, findHandshake(call, input.HandshakeId, false), 'CANCELED')) };
}

function describeHandshake(call: Call, input: DescribeHandshakeRequest): DescribeHandshakeResponse {
  const row = call.tx.get('handshake', checked(input.HandshakeId, patterns.handshake, 'HANDSHAKE_ID'));
  if (!row || (row.accountId !== call.accountId && row.invitedAccountId !== call.accountId)) {
    throw organizationsError('HandshakeNotFoundException');
  }
  return { Handshake: describe(call, row) };
}

function shown(call: Call, input: ListHandshakesForAccountRequest, rows: readonly HandshakeRow[]) {
  const wanted = input.Filter?.ActionType;
  const recent = rows.filter((row) => call.now.getTime() - Date.parse(row.requestedAt) < shownForMs + openForMs);
  const { items, end: token } = page(wanted === undefined || wanted === 'INVITE' ? recent : [], input, ({ id }) => id);
  return { Handshakes: items.map((row) => describe(call, row)), ...token };
}

function listForAccount(call: Call, input: ListHandshakesForAccountRequest): ListHandshakesForAccountResponse {
  const rows = call.tx.list('handshake').filter((row) => row.invitedAccountId === call.accountId);
  return shown(call, input, rows);
}

function listForOrganization(
  call: Call,
  input: ListHandshakesForOrganizationRequest,
): ListHandshakesForOrganizationResponse {
  return shown(call, input, call.tx.list('handshake', { accountId: delegated(call).accountId }));
}

export const handshakes = {
  InviteAccountToOrganization: operation<InviteAccountToOrganizationRequest, InviteAccountToOrganizationResponse>({
    authorize: onNamed,
    run: invite,
  }),
  AcceptHandshake: operation<AcceptHandshakeRequest, AcceptHandshakeResponse>({ authorize: onNamed, run: accept }),
  DeclineHandshake: operation<DeclineHandshakeRequest, DeclineHandshakeResponse>({ authorize: onNamed, run: decline }),
  CancelHandshake: operation<CancelHandshakeRequest, CancelHandshakeResponse>({ authorize: onNamed, run: cancel }),
  DescribeHandshake: operation<DescribeHandshakeRequest, DescribeHandshakeResponse>({
    authorize: onNamed,
    run: describeHandshake,
    readOnly: true,
  }),
  ListHandshakesForAccount: operation<ListHandshakesForAccountRequest, ListHandshakesForAccountResponse>({
    authorize: onNamed,
    run: listForAccount,
    readOnly: true,
  }),
  ListHandshakesForOrganization: operation<ListHandshakesForOrganizationRequest, ListHandshakesForOrganizationResponse>(
    { authorize: onNamed, run: listForOrganization, readOnly: true },
  ),
};
