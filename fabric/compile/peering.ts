// VPC peering: one link between two routers. Rules P4–P7, P9. https://docs.aws.amazon.com/vpc/latest/peering/vpc-peering-basics.html (read 2026-11-21).
// What leaves by one has its source in this VPC's blocks and its destination in the peer's (P6). A peering is not transitive and reaches no gateway (P5),
// because on arrival no route table is asked, only the table of this VPC's interfaces. Addresses are never translated.
// The link is there only while both VPCs are in the kernel; until then the route is a blackhole, for nobody is at the other side.

import type {
  Cidr,
  Ipv4,
  PeeringConnection,
  SecurityGroupId,
  Snapshot,
  Vpc,
  VpcId,
  VpcPeeringConnectionId,
} from '@postern/network/snapshot.ts';
import { type Allocation, numberOf } from './allocation.ts';
import { addressesOf, type Family } from './family.ts';
import { stage } from './filter/well-known.ts';
import type { Neighbour, NftChain, NftRule, PeeringLink } from './host-state.ts';
import { macAddress, mtu, peeringDevice } from './names.ts';
import { mergedRanges } from './ranges.ts';
import type { VpcContext } from './vpc-context.ts';

const sides = ['requester', 'accepter'] as const;
type Side = (typeof sides)[number];

type Members = readonly (readonly [SecurityGroupId, readonly string[]])[];

/** A peering as one of its VPCs sees it. */
export interface CompiledPeering {
  readonly vpcPeeringConnectionId: VpcPeeringConnectionId;
  /** Also the conntrack zone of what goes this way: the peer's addresses may be those of another peer. */
  readonly number: number;
  readonly device: string;
  readonly side: Side;
  readonly peerBlocks: Readonly<Record<Family, readonly Cidr[]>>;
  /** Addresses of the peer's groups that this VPC's rules name, sorted (S6); none across Regions (P7). */
  readonly peerMembers: Readonly<Record<Family, Members>>;
  /** Addresses of the interfaces of the peer's interface endpoints: flows to them are tracked here too (S13). */
  readonly peerEndpoints: readonly Ipv4[];
  readonly isInterRegion: boolean;
}

/** @param present VPCs that are in the kernel   @returns each VPC's peerings whose both ends are */
export function peeringsByVpc(
  snapshot: Snapshot,
  allocation: Allocation,
  present: ReadonlySet<VpcId>,
): Map<VpcId, CompiledPeering[]> {
  const byVpc = new Map<VpcId, CompiledPeering[]>();
  if (snapshot.peeringConnections.length === 0) return byVpc;
  const vpcs = new Map(snapshot.vpcs.map((vpc) => [vpc.vpcId, vpc]));
  for (const connection of snapshot.peeringConnections) {
    for (const [index, side] of sides.entries()) {
      const vpc = vpcs.get(connection[side].vpcId);
      const peer = vpcs.get(connection[sides[1 - index] ?? side].vpcId);
      if (!vpc || !peer || !present.has(vpc.vpcId) || !present.has(peer.vpcId)) continue;
      const number = numberOf(allocation.peerings, connection.vpcPeeringConnectionId);
      const compiled: CompiledPeering = {
        vpcPeeringConnectionId: connection.vpcPeeringConnectionId,
        number,
        device: peeringDevice(number),
        side,
        peerBlocks: { ip: peer.cidrBlocks, ip6: peer.ipv6CidrBlocks },
        peerMembers: { ip: referencedMembers(vpc, peer, 'ip'), ip6: referencedMembers(vpc, peer, 'ip6') },
        peerEndpoints: peer.networkInterfaces.flatMap(({ service, privateAddresses }) =>
          service?.kind === 'vpc-endpoint' ? privateAddresses.map(({ address }) => address) : [],
        ),
        isInterRegion: vpc.region !== peer.region,
      };
      byVpc.set(vpc.vpcId, [...(byVpc.get(vpc.vpcId) ?? []), compiled]);
    }
  }
  return byVpc;
}

function referencedMembers(vpc: Vpc, peer: Vpc, family: Family): Members {
  if (vpc.region !== peer.region) return [];
  const named = new Set<string>();
  for (const group of vpc.securityGroups)
    for (const rule of [...group.ingress, ...group.egress])
      if (rule.peer.kind === 'security-group') named.add(rule.peer.groupId);
  const members = new Map<SecurityGroupId, string[]>();
  for (const eni of peer.networkInterfaces)
    for (const groupId of eni.groupIds)
      if (named.has(groupId)) members.set(groupId, [...(members.get(groupId) ?? []), ...addressesOf(eni, family)]);
  return [...members].map(([groupId, addresses]) => [groupId, addresses.toSorted()] as const);
}

/** The links themselves: of a pair that both see, the requester's end first. */
export function peeringLinks(
  snapshot: Snapshot,
  byVpc: ReadonlyMap<VpcId, readonly CompiledPeering[]>,
): readonly PeeringLink[] {
  const regions = new Map(snapshot.vpcs.map((vpc) => [vpc.vpcId, vpc.region]));
  const width = ({ requester, accepter }: PeeringConnection) =>
    regions.get(requester.vpcId) === regions.get(accepter.vpcId) ? mtu.interface : mtu.interRegionPeering;
  return snapshot.peeringConnections.flatMap((connection): PeeringLink[] => {
    const { vpcPeeringConnectionId: id, requester, accepter } = connection;
    const compiled = byVpc.get(requester.vpcId)?.find((each) => each.vpcPeeringConnectionId === id);
    if (compiled === undefined) return [];
    const { number, device: name } = compiled;
    const end = (vpcId: VpcId, side: Side) => ({ vpcId, name, macAddress: macAddress(`peering-${side}`, number) });
    const ends = [end(requester.vpcId, 'requester'), end(accepter.vpcId, 'accepter')] as const;
    return [{ alias: id, mtu: width(connection), ends }];
  });
}

/** @param address what routes over them call the other side */
export function peeringNeighbours(peerings: readonly CompiledPeering[], address: Neighbour['address']): Neighbour[] {
  return peerings.map(({ device, number, side }) => ({
    address,
    macAddress: macAddress(side === 'requester' ? 'peering-accepter' : 'peering-requester', number),
    device,
  }));
}

/** Interface → chain, for the map of arrivals. Its filter is at the other side, where the packet was sent. */
export function peeringArrivals(peerings: readonly CompiledPeering[]): string[] {
  return peerings.map(({ device }) => `"${device}" : goto zone-${device}`);
}

/** The zones of what comes from a peer and of what goes to one. */
export function peeringZoneChains(peerings: readonly CompiledPeering[]): NftChain[] {
  return peerings.map(({ device, number }) => ({
    name: `zone-${device}`,
    rules: [{ match: `ct zone set ${number}` }],
  }));
}

/** Not in any map: a link that is about to go, or about to come, carries nothing. */
export function unknownPeering(context: VpcContext): NftRule {
  return { match: 'iifname "p*" drop', comment: stage('peering', context.vpc.vpcId) };
}

export function peeringForwardRules(peerings: readonly CompiledPeering[], family: Family = 'ip'): NftRule[] {
  return peerings.flatMap(({ device, peerBlocks, vpcPeeringConnectionId }): NftRule[] => {
    const comment = stage('peering', vpcPeeringConnectionId);
    return [
      { match: `oifname "${device}" ${family} saddr != @vpc-blocks drop`, comment },
      { match: `oifname "${device}" ${family} daddr != ${setOf(peerBlocks[family])} drop`, comment },
    ];
  });
}

function setOf(blocks: readonly Cidr[]): string {
  return `{ ${mergedRanges(blocks).join(', ')} }`;
}
