// Interfaces that no rule tells apart: the same subnet, groups and checks, and addresses that the same blocks and the same groups hold. What one of a class
// reaches, and what reaches it, holds for all.

import type { Cidr, NetworkInterfaceId, Snapshot, VpcId } from '../snapshot.ts';
import { AddressSet } from './address-set.ts';
import { fixedBlocks } from './blocks.ts';
import { type Point, SegmentTable } from './segment-table.ts';
import type { Site, Sites } from './sites.ts';

export type InterfaceClass = readonly [Site, ...Site[]];

export function classesOf(sites: Sites): InterfaceClass[] {
  const { snapshot } = sites.network;
  const blockAt = deepestBlock(sites);
  const targets = routeTargets(snapshot);
  const near = neighbourhoods(snapshot);

  /** All that rules can see of an address: the smallest block that holds it, for all larger ones hold that, and who else's groups it stands for. */
  const faceOf = (site: Site, point: Point): string => {
    const others: string[] = [];
    for (const holder of sites.holders(point)) {
      if (holder === site) continue;
      if (point.isIpv6 || near.get(holder.vpc.vpcId) === near.get(site.vpc.vpcId))
        others.push(holder.vpc.vpcId, ...holder.placed.eni.groupIds);
    }
    const blocks = [point, ...sites.nat64.sixes([point])].map((each) => blockAt.at(each));
    return [...blocks, ...others].join('+');
  };

  const keyOf = (site: Site): string => {
    const { eni } = site.placed;
    // What carries others' packets is one of a kind.
    const alone = eni.service !== undefined || targets.has(site.id) ? site.id : '';
    const addresses = eni.privateAddresses.map(({ address, publicAddress }) => {
      const outside = publicAddress === undefined ? '' : faceOf(site, sites.point(publicAddress));
      return `${faceOf(site, sites.point(address))}/${outside}`;
    });
    const addresses6 = eni.ipv6Addresses.map((each) => faceOf(site, sites.point(each)));
    const groups = [...eni.groupIds].sort();
    return [
      site.vpc.vpcId,
      site.subnet.subnetId,
      alone,
      site.carries,
      eni.sourceDestCheck,
      site.hasMetadata6,
      groups,
      addresses,
      addresses6,
    ].join(' ');
  };

  const classes = new Map<string, [Site, ...Site[]]>();
  for (const site of sites.all) {
    const key = keyOf(site);
    const members = classes.get(key);
    if (members === undefined) classes.set(key, [site]);
    else members.push(site);
  }
  return [...classes.values()];
}

/** Which of all blocks that anything names is the smallest around an address. Blocks lie inside one another or apart, so that one says which others do. */
function deepestBlock(sites: Sites): SegmentTable<string> {
  const { snapshot } = sites.network;
  const blocks = new Set<Cidr>(fixedBlocks);
  for (const { cidrs } of snapshot.prefixLists) for (const each of cidrs) blocks.add(each);
  for (const vpc of snapshot.vpcs) {
    for (const each of [...vpc.cidrBlocks, ...vpc.ipv6CidrBlocks]) blocks.add(each);
    for (const each of ['metadata', 'resolver'] as const)
      for (const { text } of sites.vpcServiceAddresses(vpc, each))
        blocks.add(`${text}/${text.includes(':') ? 128 : 32}`);
    for (const { cidrBlock, ipv6CidrBlock } of vpc.subnets) {
      blocks.add(cidrBlock);
      if (ipv6CidrBlock !== undefined) blocks.add(ipv6CidrBlock);
    }
    for (const { routes } of vpc.routeTables)
      for (const { destination } of routes) if (destination.kind === 'cidr') blocks.add(destination.cidr);
    for (const { ingress, egress } of vpc.networkAcls) for (const { cidr } of [...ingress, ...egress]) blocks.add(cidr);
    for (const { ingress, egress } of vpc.securityGroups)
      for (const { peer } of [...ingress, ...egress]) if (peer.kind === 'cidr') blocks.add(peer.cidr);
  }
  for (const { routeTables } of snapshot.transitGateways)
    for (const { routes } of routeTables) for (const { cidr } of routes) blocks.add(cidr);
  const all = [...blocks].sort((a, b) => lengthOf(a) - lengthOf(b));
  return new SegmentTable(
    all.map((each) => AddressSet.ofCidrs([each])),
    (holding) => String(holding.at(-1) ?? 'none'),
  );
}

function lengthOf(cidr: Cidr): number {
  return Number(cidr.slice(cidr.indexOf('/') + 1));
}

function routeTargets({ vpcs }: Snapshot): ReadonlySet<NetworkInterfaceId> {
  const targets = vpcs
    .flatMap((vpc) => vpc.routeTables)
    .flatMap(({ routes }) => routes)
    .flatMap(({ target }) => (target.kind === 'network-interface' ? [target.networkInterfaceId] : []));
  return new Set(targets);
}

/** For each VPC a name of all that peerings and transit gateways join it with, directly or not. */
export function neighbourhoods({ vpcs, peeringConnections, transitGateways }: Snapshot): ReadonlyMap<VpcId, VpcId> {
  const names = new Map<VpcId, VpcId>(vpcs.map(({ vpcId }) => [vpcId, vpcId]));
  const joins = [
    ...peeringConnections.map(({ requester, accepter }) => [requester.vpcId, accepter.vpcId] as const),
    ...transitGateways.flatMap(({ attachments: [first, ...others] }) =>
      first === undefined ? [] : others.map((each) => [first.vpcId, each.vpcId] as const),
    ),
  ];
  for (const [one, other] of joins) {
    const [from, to] = [names.get(one), names.get(other)];
    if (from === undefined || to === undefined || from === to) continue;
    for (const [vpcId, name] of names) if (name === from) names.set(vpcId, to);
  }
  return names;
}
