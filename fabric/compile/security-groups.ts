// Security groups as nft chains: one per direction for each set of groups that some interface carries. https://docs.aws.amazon.com/vpc/latest/userguide/security-group-rules.html
// A chain returns when a rule allows and drops at its end. Rules only allow, so their order is free (S1): first those whose flows AWS does
// not track (S12), which are looked at again for every packet, then the others, whose flows get a tracking bit in `ct mark` and pass from then on (S11).
// Groups and prefix lists are sets of their own, so membership changes without touching a rule (S15).

import type {
  NetworkInterface,
  PrefixListId,
  RulePeer,
  SecurityGroup,
  SecurityGroupId,
  SecurityGroupRule,
} from '@postern/network/snapshot.ts';
import { groupSetKey, numberOf } from './allocation.ts';
import { type Family, families, familyOf, isProtocolOf } from './family.ts';
import type { NftChain, NftRule, NftSet } from './host-state.ts';
import { tracked } from './names.ts';
import { natGatewayOf } from './nat-gateways.ts';
import { portMatch } from './nft-match.ts';
import { mergedRanges } from './ranges.ts';
import { attachmentOf } from './transit-gateways.ts';
import type { PluggedInterface, VpcContext } from './vpc-context.ts';

type Direction = 'ingress' | 'egress';

export interface CompiledGroups {
  readonly sets: readonly NftSet[];
  readonly chains: readonly NftChain[];
  /** Interface → chain, for the two maps of the forward chain. */
  readonly ingress: readonly string[];
  readonly egress: readonly string[];
}

/** @param plugged interfaces that have an address of the family */
export function compileSecurityGroups(
  context: VpcContext,
  family: Family = 'ip',
  plugged: readonly PluggedInterface[] = context.plugged,
): CompiledGroups {
  const groups = new Map(context.vpc.securityGroups.map((group) => [group.groupId, group]));
  const sets = new Map<string, NftSet>();
  const chains = new Map<string, NftChain>();
  const entries: Record<Direction, string[]> = { ingress: [], egress: [] };
  for (const { eni, device } of plugged) {
    // A load balancer may have been made without groups (B4).
    if (natGatewayOf(eni) !== undefined || attachmentOf(eni) !== undefined || isUngroupedBalancer(eni)) continue;
    const number = numberOf(context.allocation.groupSets, groupSetKey(eni.groupIds));
    for (const direction of ['ingress', 'egress'] as const) {
      const name = `sg-${direction}-${number}`;
      entries[direction].push(`"${device}" : jump ${name}`);
      if (chains.has(name)) continue;
      const carried = eni.groupIds.flatMap((groupId) => groups.get(groupId) ?? []);
      chains.set(name, { name, rules: compileDirection(context, family, carried, direction, sets) });
    }
  }
  return {
    sets: [...sets.values()],
    chains: [
      // Only the first packets of a flow come here: a reply that a rule happens to allow does not make the flow a tracked one.
      { name: 'track-sender', rules: [{ match: `ct direction original ct mark set ct mark | ${tracked.sender}` }] },
      { name: 'track-receiver', rules: [{ match: `ct direction original ct mark set ct mark | ${tracked.receiver}` }] },
      ...chains.values(),
    ],
    ingress: entries.ingress,
    egress: entries.egress,
  };
}

function isUngroupedBalancer({ service, groupIds }: NetworkInterface): boolean {
  return service?.kind === 'network-load-balancer' && groupIds.length === 0;
}

function compileDirection(
  context: VpcContext,
  family: Family,
  groups: readonly SecurityGroup[],
  direction: Direction,
  sets: Map<string, NftSet>,
): NftRule[] {
  const reverse: Direction = direction === 'ingress' ? 'egress' : 'ingress';
  const track = direction === 'ingress' ? 'track-receiver' : 'track-sender';
  const reverseRules = groups.flatMap((group) => group[reverse]);
  const untrackedRules: NftRule[] = [];
  const trackedRules: NftRule[] = [];
  for (const group of groups) {
    for (const rule of group[direction]) {
      if (!isRuleOf(family, rule)) continue;
      const comment = `sg-${direction} ${group.groupId}/${rule.ruleId}`;
      const peers = peerMatches(context, family, rule.peer, direction, sets);
      for (const protocol of untrackedProtocols(family, rule, reverseRules)) {
        untrackedRules.push({ match: join(portMatch({ ...rule, protocol }), 'return'), comment });
      }
      for (const peer of peers) trackedRules.push({ match: join(peer, portMatch(rule), `goto ${track}`), comment });
    }
  }
  const ids = groups.map((group) => group.groupId).join(' ');
  return [...untrackedRules, ...trackedRules, { match: 'drop', comment: `sg-${direction} ${ids}`.slice(0, 127) }];
}

function isRuleOf(family: Family, { protocol, peer }: SecurityGroupRule): boolean {
  return isProtocolOf(family, protocol) && (peer.kind !== 'cidr' || familyOf(peer.cidr) === family);
}

/** TCP and UDP from everywhere, when the other direction lets everything of that protocol back to everywhere (S12); ICMP is always tracked. */
function untrackedProtocols(
  family: Family,
  rule: SecurityGroupRule,
  reverse: readonly SecurityGroupRule[],
): readonly number[] {
  if (!isEverywhere(family, rule.peer)) return [];
  return [6, 17].filter(
    (protocol) =>
      (rule.protocol === protocol || rule.protocol === -1) &&
      reverse.some(
        (other) =>
          isEverywhere(family, other.peer) &&
          (other.protocol === -1 || (other.protocol === protocol && isEveryPort(other))),
      ),
  );
}

function isEverywhere(family: Family, peer: RulePeer): boolean {
  return peer.kind === 'cidr' && peer.cidr === families[family].everywhere;
}

function isEveryPort(rule: SecurityGroupRule): boolean {
  return rule.ports === undefined || (rule.ports.from === 0 && rule.ports.to === 65_535);
}

/** One of them must fit. */
function peerMatches(
  context: VpcContext,
  family: Family,
  peer: RulePeer,
  direction: Direction,
  sets: Map<string, NftSet>,
): readonly string[] {
  const field = `${family} ${direction === 'ingress' ? 'saddr' : 'daddr'}`;
  switch (peer.kind) {
    case 'cidr':
      return [peer.cidr === families[family].everywhere ? '' : `${field} ${peer.cidr}`];
    case 'security-group': {
      const name = `members-${peer.groupId}`;
      if (!sets.has(name)) sets.set(name, memberSet(family, name, context.members[family].get(peer.groupId) ?? []));
      return [`${field} @${name}`, ...membersAcrossPeerings(context, family, peer.groupId, direction, sets)];
    }
    case 'prefix-list':
      if (!sets.has(peer.prefixListId)) sets.set(peer.prefixListId, prefixListSet(context, family, peer.prefixListId));
      return [`${field} @${peer.prefixListId}`];
  }
}

/**
 * A peered VPC's members of a group, by the peering's link and no other way: another peer may have the same addresses, and what a middlebox forwards
 * does not match (S7).
 */
function membersAcrossPeerings(
  context: VpcContext,
  family: Family,
  groupId: SecurityGroupId,
  direction: Direction,
  sets: Map<string, NftSet>,
): string[] {
  const [device, address] = direction === 'ingress' ? ['iifname', 'saddr'] : ['oifname', 'daddr'];
  return context.peerings.flatMap((peering) => {
    const [, addresses] = peering.peerMembers[family].find(([id]) => id === groupId) ?? [];
    if (addresses === undefined || addresses.length === 0) return [];
    const name = `members-${peering.device}-${groupId}`;
    if (!sets.has(name)) sets.set(name, memberSet(family, name, addresses));
    return [`${device} "${peering.device}" ${family} ${address} @${name}`];
  });
}

function memberSet(family: Family, name: string, addresses: readonly string[]): NftSet {
  return { name, kind: 'set', type: families[family].addressType, elements: addresses };
}

function prefixListSet(context: VpcContext, family: Family, prefixListId: PrefixListId): NftSet {
  const cidrs = context.prefixLists.get(prefixListId) ?? [];
  return {
    name: prefixListId,
    kind: 'set',
    type: families[family].addressType,
    interval: true,
    elements: mergedRanges(cidrs.filter((cidr) => familyOf(cidr) === family)),
  };
}

function join(...parts: readonly string[]): string {
  return parts.filter((part) => part !== '').join(' ');
}
