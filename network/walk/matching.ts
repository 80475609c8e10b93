// Does a rule, an ACL entry or a route match a packet? Written for the walk alone: the compiler has its own answer, and the two are held against each other.

import { containsAddress } from '../cidr.ts';
import type {
  Cidr,
  IcmpMatch,
  NetworkAcl,
  NetworkAclEntry,
  PortRange,
  Protocol,
  Route,
  RouteTable,
  SecurityGroup,
  SecurityGroupRule,
  Vpc,
} from '../snapshot.ts';
import type { NetworkIndex, PlacedInterface } from './network-index.ts';
import { echoRequest6, isIpv6, type Packet, protocols } from './packet.ts';

/** What rules and entries say of protocol and ports. */
interface Match {
  readonly protocol: Protocol;
  readonly ports?: PortRange;
  readonly icmp?: IcmpMatch;
}

export function matchesProtocol({ protocol, ports, icmp }: Match, packet: Packet): boolean {
  if (protocol === -1) return true;
  if (protocol !== packet.protocol) return false;
  if (ports !== undefined) {
    const port = packet.destinationPort;
    if (port === undefined || port < ports.from || port > ports.to) return false;
  }
  if (icmp !== undefined) {
    const { type, code } = packet.icmp ?? { type: -1, code: -1 };
    if (icmp.type !== -1 && icmp.type !== type) return false;
    if (icmp.code !== -1 && icmp.code !== code) return false;
  }
  return true;
}

export function isInside(cidr: Cidr, address: string): boolean {
  return isIpv6(cidr) === isIpv6(address) && containsAddress(cidr, address);
}

/**
 * The first rule of the groups that allows the packet; rules only allow, so any will do (S1).
 * @param direction which rules, and which end of the packet is the peer
 * @param by the peering connection that the packet comes or goes by, if it does: only there a rule can name a group of the other VPC (S7)
 */
export function allowingRule(
  network: NetworkIndex,
  { vpc, groups }: Pick<PlacedInterface, 'vpc' | 'groups'>,
  direction: 'ingress' | 'egress',
  packet: Packet,
  by: string | undefined,
): { readonly group: SecurityGroup; readonly rule: SecurityGroupRule } | undefined {
  const peer = direction === 'ingress' ? packet.source : packet.destination;
  for (const group of groups) {
    for (const rule of group[direction]) {
      if (matchesProtocol(rule, packet) && isPeer(network, vpc, rule, peer, by)) return { group, rule };
    }
  }
  return undefined;
}

function isPeer(
  network: NetworkIndex,
  vpc: Vpc,
  { peer }: SecurityGroupRule,
  address: string,
  by: string | undefined,
): boolean {
  switch (peer.kind) {
    case 'cidr':
      return isInside(peer.cidr, address);
    case 'prefix-list':
      return network.prefixList(peer.prefixListId).some((cidr) => isInside(cidr, address));
    case 'security-group':
      return network.isMember(vpc, peer.groupId, address, by);
  }
}

/** The entry that decides, in ascending order (N1); undefined: the final deny. */
export function decidingEntry(
  acl: NetworkAcl,
  direction: 'ingress' | 'egress',
  packet: Packet,
): NetworkAclEntry | undefined {
  const address = direction === 'ingress' ? packet.source : packet.destination;
  return acl[direction].find((entry) => matchesProtocol(entry, packet) && isInside(entry.cidr, address));
}

/** Longest prefix first; at the same length a static route beats a prefix list's (R1, R2). A blackhole is returned, not skipped (R9). */
export function bestRoute(network: NetworkIndex, table: RouteTable, destination: string): Route | undefined {
  let best: { route: Route; length: number; isStatic: boolean } | undefined;
  for (const route of table.routes) {
    const isStatic = route.destination.kind === 'cidr';
    const cidrs =
      route.destination.kind === 'cidr' ? [route.destination.cidr] : network.prefixList(route.destination.prefixListId);
    for (const cidr of cidrs) {
      if (!isInside(cidr, destination)) continue;
      const length = Number(cidr.slice(cidr.indexOf('/') + 1));
      if (best === undefined || length > best.length || (length === best.length && isStatic && !best.isStatic))
        best = { route, length, isStatic };
    }
  }
  return best?.route;
}

/** TCP, UDP and echo are what a NAT gateway carries; other ICMP belongs to flows (G5). */
export function isTcpUdpOrIcmp({ protocol, source, icmp }: Packet): boolean {
  if (protocol === protocols.tcp || protocol === protocols.udp) return true;
  return isIpv6(source)
    ? protocol === protocols.icmpv6 && icmp?.type === echoRequest6.type
    : protocol === protocols.icmp;
}
