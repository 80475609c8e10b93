// VPC peering connections: request, accept, reject, delete, describe and their DNS options. Rules P1–P3, P8.
// https://docs.aws.amazon.com/vpc/latest/peering/vpc-peering-basics.html and https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_CreateVpcPeeringConnection.html
// (read 2026-11-21). A peer VPC that is not there, or is another owner's or region's, is no error: the connection becomes `failed`, as with overlapping blocks.
// Order of Accept's checks: the connection, whose it is, where, its state, quota, both VPCs, overlap. Wordings of wrong states, accounts and regions
// were seen in answers of real AWS; those of `rejected` and `expired` were not. Gap: ClassicLink is refused.

import type {
  AcceptVpcPeeringConnectionRequest,
  AcceptVpcPeeringConnectionResult,
  CreateVpcPeeringConnectionRequest,
  CreateVpcPeeringConnectionResult,
  DeleteVpcPeeringConnectionRequest,
  DeleteVpcPeeringConnectionResult,
  DescribeVpcPeeringConnectionsRequest,
  DescribeVpcPeeringConnectionsResult,
  ModifyVpcPeeringConnectionOptionsRequest,
  ModifyVpcPeeringConnectionOptionsResult,
  PeeringConnectionOptionsRequest,
  RejectVpcPeeringConnectionRequest,
  RejectVpcPeeringConnectionResult,
} from '@aws-sdk/client-ec2';
import { regions } from '@postern/network/addresses.ts';
import type { VpcId, VpcPeeringConnectionId } from '@postern/network/snapshot.ts';
import { type Call, type Operation, operation } from '../../service.ts';
import type { VpcPeeringConnectionRow, VpcPeeringSideRow, VpcRow } from '../../store/rows/ec2.ts';
import {
  ec2Error,
  invalidParameterValue,
  invalidValue,
  isWellFormedId,
  malformedId,
  missingParameter,
  operationNotPermitted,
  unsupportedOperation,
} from './errors.ts';
import { applyFilters } from './filters.ts';
import { paginate } from './pagination.ts';
import { enforceQuota } from './quotas.ts';
import { requireRow, scopeOf } from './rows.ts';
import { tagsFromSpecifications } from './tags.ts';
import { peeringFilters, toPeering } from './vpc-peering-output.ts';
import {
  doOverlap,
  expiresAfterMs,
  isForgotten,
  otherSide,
  peeringsOfVpc,
  requirePeering,
  type SideName,
  shownPeerings,
  stateOf,
  tagsSeenBy,
} from './vpc-peering-rows.ts';

const kind = 'vpc-peering-connection';

function vpcOf(call: Call, side: VpcPeeringSideRow): VpcRow | undefined {
  const vpc = call.tx.get('vpc', side.vpcId);
  return vpc?.accountId === side.accountId && vpc.region === side.region ? vpc : undefined;
}

/** Whom the request is for. @throws MissingParameter, InvalidVpcID.Malformed, InvalidParameterValue */
function accepterOf(call: Call, input: CreateVpcPeeringConnectionRequest): VpcPeeringSideRow {
  const { PeerVpcId: vpcId, PeerOwnerId: accountId = call.accountId, PeerRegion: region = call.region } = input;
  if (!vpcId) throw missingParameter('peerVpcId');
  if (!isWellFormedId('vpc', vpcId)) throw malformedId('vpc', vpcId);
  if (!/^\d{12}$/.test(accountId)) throw invalidValue(accountId, 'peerOwnerId', 'This is not an account id.');
  if (!regions.some((known) => known === region)) throw invalidValue(region, 'peerRegion', 'There is no such region.');
  return { vpcId: vpcId as VpcId, accountId, region, allowDnsResolutionFromRemoteVpc: false };
}

function isPending(call: Call, row: VpcPeeringConnectionRow): boolean {
  return stateOf(row, call.now) === 'pending-acceptance';
}

/** P3: one of a pair at a time, whoever asked. */
function checkSingle(call: Call, vpcId: VpcId, peerId: VpcId): void {
  const other = peeringsOfVpc(call.tx, vpcId).find(
    (row) => otherSide(row, vpcId).vpcId === peerId && (row.state === 'active' || isPending(call, row)),
  );
  if (other)
    throw ec2Error(
      'VpcPeeringConnectionAlreadyExists',
      `A VPC peering connection already exists between ${vpcId} and ${peerId}: ${other.id}`,
    );
}

function createPeering(call: Call, input: CreateVpcPeeringConnectionRequest): VpcPeeringConnectionRow {
  const vpc = requireRow(call, 'vpc', input.VpcId, 'vpcId');
  const accepter = accepterOf(call, input);
  if (accepter.vpcId === vpc.id) throw invalidParameterValue(`The VPC ${vpc.id} cannot be peered with itself.`);
  const tags = tagsFromSpecifications(input.TagSpecifications, kind);
  checkSingle(call, vpc.id, accepter.vpcId);
  const sent = () => peeringsOfVpc(call.tx, vpc.id).filter((row) => row.requester.vpcId === vpc.id);
  enforceQuota(call, 'outstandingPeeringsPerVpc', () => sent().filter((row) => isPending(call, row)).length);
  // Of every account and region: what nobody sees any more has nobody else to drop it.
  for (const row of call.tx.list(kind)) if (isForgotten(row, call.now)) call.tx.delete(kind, row.id);
  const peer = vpcOf(call, accepter);
  const hasFailed = peer === undefined || doOverlap(vpc, peer);
  const id: VpcPeeringConnectionId = call.tx.newId('pcx');
  const now = call.now.toISOString();
  const row: VpcPeeringConnectionRow = {
    ...scopeOf(call),
    id,
    requester: { ...scopeOf(call), vpcId: vpc.id, allowDnsResolutionFromRemoteVpc: false },
    accepter,
    state: hasFailed ? 'failed' : 'pending-acceptance',
    createdAt: now,
    expiresAt: new Date(call.now.getTime() + expiresAfterMs).toISOString(),
    ...(hasFailed && { endedAt: now }),
    tags,
    accepterTags: {},
  };
  call.tx.put(kind, row);
  return row;
}

/** The answer to a request is the accepter's, in the accepter's region. */
function requireReceived(call: Call, id: string | undefined, verb: 'accept' | 'reject'): VpcPeeringConnectionRow {
  const row = requirePeering(call, id);
  const { accountId, region } = row.accepter;
  if (accountId !== call.accountId)
    throw operationNotPermitted(`User ${call.accountId} cannot ${verb} peering ${row.id}`);
  if (region !== call.region)
    throw operationNotPermitted(
      `Incorrect region (${call.region}) specified for this request. VPC peering connection ${row.id} must be ${verb}ed in region ${region}`,
    );
  return row;
}

/** P2. */
function checkTransition(call: Call, row: VpcPeeringConnectionRow, from: readonly string[], to: string): void {
  const state = stateOf(row, call.now);
  if (!from.includes(state))
    throw ec2Error(
      'InvalidStateTransition',
      `Invalid state transition for ${row.id}, attempted to transition from ${state} to ${to}`,
    );
}

function acceptPeering(call: Call, id: string | undefined): VpcPeeringConnectionRow {
  const row = requireReceived(call, id, 'accept');
  checkTransition(call, row, ['pending-acceptance'], 'provisioning');
  const [vpc, peer] = [vpcOf(call, row.requester), vpcOf(call, row.accepter)];
  // C13: the accepter may have got a block since; and either VPC may be gone.
  const isPossible = vpc !== undefined && peer !== undefined && !doOverlap(vpc, peer);
  for (const side of isPossible ? [vpc, peer] : [])
    enforceQuota(
      call,
      'peeringsPerVpc',
      () => peeringsOfVpc(call.tx, side.id).filter((one) => one.state === 'active').length,
    );
  const next: VpcPeeringConnectionRow = isPossible
    ? { ...row, state: 'active' }
    : { ...row, state: 'failed', endedAt: call.now.toISOString() };
  call.tx.put(kind, next);
  return next;
}

function endPeering(call: Call, row: VpcPeeringConnectionRow, state: 'rejected' | 'deleted'): void {
  const sides = {
    requester: { ...row.requester, allowDnsResolutionFromRemoteVpc: false },
    accepter: { ...row.accepter, allowDnsResolutionFromRemoteVpc: false },
  };
  call.tx.put(kind, { ...row, ...sides, state, endedAt: call.now.toISOString(), endedBy: call.accountId });
}

/** Either owner ends an active one; a request is taken back by who made it. */
function deletePeering(call: Call, id: string | undefined): void {
  const row = requirePeering(call, id);
  checkTransition(call, row, ['pending-acceptance', 'active'], 'deleting');
  if (row.state === 'pending-acceptance' && row.requester.accountId !== call.accountId)
    throw operationNotPermitted(`User ${call.accountId} cannot delete peering ${row.id}`);
  endPeering(call, row, 'deleted');
}

const optionNames = [
  'AllowDnsResolutionFromRemoteVpc',
  'AllowEgressFromLocalClassicLinkToRemoteVpc',
  'AllowEgressFromLocalVpcToRemoteClassicLink',
] as const satisfies readonly (keyof PeeringConnectionOptionsRequest)[];

const optionsOf = {
  requester: 'RequesterPeeringConnectionOptions',
  accepter: 'AccepterPeeringConnectionOptions',
} as const;

/** Each owner sets the options of its own side, in its own region. */
function modifySide(
  call: Call,
  row: VpcPeeringConnectionRow,
  name: SideName,
  options: PeeringConnectionOptionsRequest,
): VpcPeeringConnectionRow {
  const side = row[name];
  if (side.accountId !== call.accountId)
    throw operationNotPermitted(
      `User ${call.accountId} does not have permission to modify the ${name} side peering options`,
    );
  if (side.region !== call.region) {
    const owner = name === 'requester' ? "Requester's" : "Accepter's";
    throw operationNotPermitted(`${owner} VPC Peering connection options cannot be modified for a different region`);
  }
  for (const option of optionNames.slice(1))
    if (options[option]) throw unsupportedOperation(`The option ${option} (ClassicLink)`);
  const allow = options.AllowDnsResolutionFromRemoteVpc;
  if (allow === undefined) return row;
  const vpcs = [vpcOf(call, row.requester), vpcOf(call, row.accepter)];
  if (allow && vpcs.some((vpc) => !vpc?.enableDnsSupport || !vpc.enableDnsHostnames))
    throw ec2Error(
      'InvalidVpcPeeringConnectionState.DnsHostnamesDisabled',
      'To enable DNS hostname resolution for the VPC peering connection, DNS hostname support must be enabled for the VPCs.',
    );
  return { ...row, [name]: { ...side, allowDnsResolutionFromRemoteVpc: allow } };
}

function modifyOptions(
  call: Call,
  input: ModifyVpcPeeringConnectionOptionsRequest,
): ModifyVpcPeeringConnectionOptionsResult {
  let row = requirePeering(call, input.VpcPeeringConnectionId);
  const names = (['requester', 'accepter'] as const).filter((name) => input[optionsOf[name]] !== undefined);
  if (names.length === 0)
    throw missingParameter('accepterPeeringConnectionOptions or requesterPeeringConnectionOptions');
  if (row.state !== 'active')
    throw operationNotPermitted(
      `Peering ${row.id} is not active. Peering options can be added only to active peerings.`,
    );
  for (const name of names) row = modifySide(call, row, name, input[optionsOf[name]] ?? {});
  call.tx.put(kind, row);
  return Object.fromEntries(
    names.map((name) => [
      optionsOf[name],
      {
        AllowDnsResolutionFromRemoteVpc: row[name].allowDnsResolutionFromRemoteVpc,
        AllowEgressFromLocalClassicLinkToRemoteVpc: false,
        AllowEgressFromLocalVpcToRemoteClassicLink: false,
      },
    ]),
  );
}

export const vpcPeeringConnections = {
  CreateVpcPeeringConnection: operation<CreateVpcPeeringConnectionRequest, CreateVpcPeeringConnectionResult>({
    authorize: 'auto',
    run: (call, input) => ({
      VpcPeeringConnection: toPeering(call, createPeering(call, input), 'initiating-request'),
    }),
  }),

  AcceptVpcPeeringConnection: operation<AcceptVpcPeeringConnectionRequest, AcceptVpcPeeringConnectionResult>({
    authorize: 'auto',
    run: (call, input) => {
      const row = acceptPeering(call, input.VpcPeeringConnectionId);
      return { VpcPeeringConnection: toPeering(call, row, row.state === 'active' ? 'provisioning' : undefined) };
    },
  }),

  RejectVpcPeeringConnection: operation<RejectVpcPeeringConnectionRequest, RejectVpcPeeringConnectionResult>({
    authorize: 'auto',
    run: (call, input) => {
      const row = requireReceived(call, input.VpcPeeringConnectionId, 'reject');
      checkTransition(call, row, ['pending-acceptance'], 'rejected');
      endPeering(call, row, 'rejected');
      return { Return: true };
    },
  }),

  DeleteVpcPeeringConnection: operation<DeleteVpcPeeringConnectionRequest, DeleteVpcPeeringConnectionResult>({
    authorize: 'auto',
    run: (call, input) => {
      deletePeering(call, input.VpcPeeringConnectionId);
      return { Return: true };
    },
  }),

  DescribeVpcPeeringConnections: operation<DescribeVpcPeeringConnectionsRequest, DescribeVpcPeeringConnectionsResult>({
    authorize: 'auto',
    readOnly: true,
    run: (call, input) => {
      const ids = input.VpcPeeringConnectionIds ?? [];
      const rows = ids.length > 0 ? [...new Set(ids)].map((id) => requirePeering(call, id)) : shownPeerings(call);
      const kept = applyFilters(rows, input.Filters, peeringFilters(call), (row) => tagsSeenBy(row, scopeOf(call)));
      const bounds = { min: 5, max: 1000, ids: { values: ids, parameter: 'vpcPeeringConnectionSet' } };
      const { page, ...next } = paginate(kept, input, bounds, (row) => row.id);
      return { VpcPeeringConnections: page.map((row) => toPeering(call, row)), ...next };
    },
  }),

  ModifyVpcPeeringConnectionOptions: operation<
    ModifyVpcPeeringConnectionOptionsRequest,
    ModifyVpcPeeringConnectionOptionsResult
  >({ authorize: 'auto', run: modifyOptions }),
} satisfies Record<string, Operation>;
