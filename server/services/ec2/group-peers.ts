// Which group does a rule name, and what is to be said of it? A group of the same VPC, of one that shares it, or of a VPC peered in the same region, also
// another account's (S7). A reference over a peering stays when the group or the peering goes: it is stale, and counts again when the VPCs are peered again (S8).
// https://docs.aws.amazon.com/vpc/latest/peering/vpc-peering-security-groups.html (read 2026-11-21).

import type { UserIdGroupPair } from '@aws-sdk/client-ec2';
import type { SecurityGroupId } from '@postern/network/snapshot.ts';
import type { Call } from '../../service.ts';
import type { SecurityGroupRow, SecurityGroupRuleRow } from '../../store/rows/ec2.ts';
import type { Transaction } from '../../store/store.ts';
import { ec2Error, isWellFormedId, malformedId, missingParameter, notFound } from './errors.ts';
import { scopeOf } from './rows.ts';
import { isAssociated } from './security-group-vpcs.ts';
import { activePeering } from './vpc-peering-rows.ts';

type Peer = SecurityGroupRuleRow['peer'];
export type GroupPeer = Extract<Peer, { kind: 'security-group' }>;
export type PeeredGroup = GroupPeer & Required<Pick<GroupPeer, 'peering'>>;

/** Groups that a group's rules name now: they can be taken out again by name when they are gone. */
export type KnownPeers = ReadonlyMap<string, GroupPeer>;
export const noKnownPeers: KnownPeers = new Map();

const otherNetwork = () =>
  ec2Error('InvalidGroup.NotFound', 'You have specified two resources that belong to different networks.');

/**
 * @param group whose rule it is: a name is looked up in its VPC
 * @param pair the group's id may be written `ACCOUNT/sg-…`, where an id or a name stands
 * @throws MissingParameter, InvalidGroupId.Malformed, InvalidGroup.NotFound
 */
export function groupPeer(
  call: Call,
  group: SecurityGroupRow,
  pair: UserIdGroupPair,
  known: KnownPeers = noKnownPeers,
): GroupPeer {
  const [, owner, idOfOwner] = /^(\d{12})\/(sg-.*)$/.exec(pair.GroupId ?? pair.GroupName ?? '') ?? [];
  const id = idOfOwner ?? pair.GroupId;
  if (id === undefined || id === '') return plain(groupByName(call, group, pair));
  if (!isWellFormedId('security-group', id)) throw malformedId('security-group', id);
  const before = known.get(id);
  if (before) return before;
  const accountId = owner ?? (pair.UserId || call.accountId);
  const found = call.tx.get('security-group', id);
  if (found?.accountId !== accountId || found.region !== call.region) throw notFound('security-group', [id]);
  const isOwn = accountId === call.accountId;
  if (isOwn && shareVpc(call.tx, found, group)) return plain(found);
  const peering = activePeering(call.tx, group.vpcId, found.vpcId);
  const isNamed = !pair.VpcPeeringConnectionId || pair.VpcPeeringConnectionId === peering?.id;
  if (peering && isNamed)
    return { ...plain(found), peering: { vpcId: found.vpcId, vpcPeeringConnectionId: peering.id } };
  // Another account's group does not exist for whoever has no peering with it.
  throw isOwn || peering ? otherNetwork() : notFound('security-group', [id]);
}

function plain(found: SecurityGroupRow): GroupPeer {
  return { kind: 'security-group', groupId: found.id, ownerId: found.accountId };
}

function shareVpc(tx: Transaction, a: SecurityGroupRow, b: SecurityGroupRow): boolean {
  return a.vpcId === b.vpcId || isAssociated(tx, a.id, b.vpcId) || isAssociated(tx, b.id, a.vpcId);
}

function groupByName(call: Call, group: SecurityGroupRow, pair: UserIdGroupPair): SecurityGroupRow {
  const { GroupName: name, UserId: userId } = pair;
  if (!name) throw missingParameter('groupId');
  const found = call.tx
    .list('security-group', scopeOf(call))
    .find((row) => row.vpcId === group.vpcId && row.groupName === name);
  if (!found || (userId && userId !== call.accountId)) throw notFound('security-group', [name]);
  return found;
}

/** S8: it matches nothing. */
export function isStale(tx: Transaction, rule: SecurityGroupRuleRow, { groupId, peering }: PeeredGroup): boolean {
  return !tx.get('security-group', groupId) || !activePeering(tx, rule.vpcId, peering.vpcId);
}

/** A group over a peering as the API names it. The owner is told while the group is there. */
export function peeredPair(tx: Transaction, rule: SecurityGroupRuleRow, peer: PeeredGroup): UserIdGroupPair {
  const { groupId, ownerId, peering } = peer;
  const active = activePeering(tx, rule.vpcId, peering.vpcId);
  const before = tx.get('vpc-peering-connection', peering.vpcPeeringConnectionId);
  return {
    GroupId: groupId,
    ...(tx.get('security-group', groupId) && { UserId: ownerId }),
    VpcId: peering.vpcId,
    VpcPeeringConnectionId: active?.id ?? peering.vpcPeeringConnectionId,
    PeeringStatus: active?.state ?? before?.state ?? 'deleted',
  };
}

export function isPeered(peer: Peer): peer is PeeredGroup {
  return peer.kind === 'security-group' && peer.peering !== undefined;
}

export function knownPeers(rules: readonly SecurityGroupRuleRow[]): KnownPeers {
  const known = new Map<SecurityGroupId, GroupPeer>();
  for (const { peer } of rules) if (peer.kind === 'security-group') known.set(peer.groupId, peer);
  return known;
}
