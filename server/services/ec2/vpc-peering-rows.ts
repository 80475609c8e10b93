// Which peering connections are there, for whom, and in which state? A connection is one row with two sides; time alone makes a request expire and makes
// what has ended disappear (P1), so both are computed and not stored. https://docs.aws.amazon.com/vpc/latest/peering/vpc-peering-basics.html (read 2026-11-21).

import { overlaps } from '@postern/network/cidr.ts';
import type { Cidr, VpcId } from '@postern/network/snapshot.ts';
import type { Call } from '../../service.ts';
import type { Tags, VpcPeeringConnectionRow, VpcPeeringSideRow, VpcRow } from '../../store/rows/ec2.ts';
import type { Index, Transaction } from '../../store/store.ts';
import { isWellFormedId, malformedId, missingParameter, notFound } from './errors.ts';
import { scopeOf } from './rows.ts';

export type SideName = 'requester' | 'accepter';
export type PeeringState = VpcPeeringConnectionRow['state'] | 'expired';

const kind = 'vpc-peering-connection';
const hourMs = 3_600_000;
/** P1: an unanswered request lives for a week. */
export const expiresAfterMs = 7 * 24 * hourMs;

const byAccepter: Index<typeof kind> = { kind, keyOf: ({ accepter }) => `${accepter.accountId} ${accepter.region}` };
const byRequesterVpc: Index<typeof kind> = { kind, keyOf: ({ requester }) => requester.vpcId };
const byAccepterVpc: Index<typeof kind> = { kind, keyOf: ({ accepter }) => accepter.vpcId };

export function stateOf(row: VpcPeeringConnectionRow, now: Date): PeeringState {
  const isOver = row.state === 'pending-acceptance' && now.getTime() >= Date.parse(row.expiresAt);
  return isOver ? 'expired' : row.state;
}

interface Scope {
  readonly accountId: string;
  readonly region: string;
}

function isOf(side: VpcPeeringSideRow, { accountId, region }: Scope): boolean {
  return side.accountId === accountId && side.region === region;
}

/** P1: how long what has ended is still shown to one side; one account sees what its two sides see shorter. */
function shownForMs(row: VpcPeeringConnectionRow, state: PeeringState, accountId: string): number {
  const ownSide: SideName = row.requester.accountId === accountId ? 'requester' : 'accepter';
  const isOneAccount = row.requester.accountId === row.accepter.accountId;
  switch (state) {
    case 'failed':
      return 2 * hourMs;
    case 'expired':
      return 48 * hourMs;
    case 'rejected':
      return ownSide === 'requester' && !isOneAccount ? 48 * hourMs : 2 * hourMs;
    case 'deleted':
      return row.endedBy === accountId ? 2 * hourMs : 48 * hourMs;
    default:
      return Number.POSITIVE_INFINITY;
  }
}

function isShown(row: VpcPeeringConnectionRow, scope: Scope, now: Date): boolean {
  if (!isOf(row.requester, scope) && !isOf(row.accepter, scope)) return false;
  const state = stateOf(row, now);
  const endedAt = Date.parse((state === 'expired' ? row.expiresAt : row.endedAt) ?? row.createdAt);
  return now.getTime() < endedAt + shownForMs(row, state, scope.accountId);
}

/** Nobody is shown it any more. */
export function isForgotten(row: VpcPeeringConnectionRow, now: Date): boolean {
  return !isShown(row, row.requester, now) && !isShown(row, row.accepter, now);
}

/** Those that the caller's account and region have a side of. */
export function shownPeerings(call: Call): VpcPeeringConnectionRow[] {
  const scope = scopeOf(call);
  const received = call.tx.find(byAccepter, `${call.accountId} ${call.region}`);
  return [...new Set([...call.tx.list(kind, scope), ...received])].filter((row) => isShown(row, scope, call.now));
}

export function findPeering(call: Call, id: string): VpcPeeringConnectionRow | undefined {
  const row = call.tx.get(kind, id);
  return row && isShown(row, scopeOf(call), call.now) ? row : undefined;
}

/** @throws MissingParameter, InvalidVpcPeeringConnectionId.Malformed, InvalidVpcPeeringConnectionID.NotFound */
export function requirePeering(call: Call, id: string | undefined): VpcPeeringConnectionRow {
  if (!id) throw missingParameter('vpcPeeringConnectionId');
  if (!isWellFormedId(kind, id)) throw malformedId(kind, id);
  const row = findPeering(call, id);
  if (!row) throw notFound(kind, [id]);
  return row;
}

/** Tags belong to an account and region: the two sides share them only when both are one. */
export function tagsSeenBy(row: VpcPeeringConnectionRow, scope: Scope): Tags {
  return isOf(row.requester, scope) ? row.tags : row.accepterTags;
}

export function withTags(row: VpcPeeringConnectionRow, scope: Scope, tags: Tags): VpcPeeringConnectionRow {
  return isOf(row.requester, scope) ? { ...row, tags } : { ...row, accepterTags: tags };
}

/** Every peering that the VPC is a side of, in any state. */
export function peeringsOfVpc(tx: Transaction, vpcId: VpcId): VpcPeeringConnectionRow[] {
  return [...tx.find(byRequesterVpc, vpcId), ...tx.find(byAccepterVpc, vpcId)];
}

export function otherSide(row: VpcPeeringConnectionRow, vpcId: VpcId): VpcPeeringSideRow {
  return row.requester.vpcId === vpcId ? row.accepter : row.requester;
}

/** The active peering of two VPCs. */
export function activePeering(tx: Transaction, vpcId: VpcId, peerId: VpcId): VpcPeeringConnectionRow | undefined {
  return peeringsOfVpc(tx, vpcId).find((row) => row.state === 'active' && otherSide(row, vpcId).vpcId === peerId);
}

export function blocksOf(vpc: VpcRow | undefined): Cidr[] {
  return [...(vpc?.cidrBlocks ?? []), ...(vpc?.ipv6CidrBlocks ?? [])].map((block) => block.cidr);
}

/** P3: any block of the one against any block of the other. */
export function doOverlap(a: VpcRow, b: VpcRow): boolean {
  return blocksOf(a).some((one) => blocksOf(b).some((other) => overlaps(one, other)));
}
