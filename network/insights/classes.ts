// Which ports and addresses need to be tried? Rules and routes cut the numbers into classes: two numbers that no rule tells apart have one fate, so one of
// each class stands for all. On the internet no interface is a class of its own: public addresses of interfaces are all in the pool that nobody else answers in.

import { addressPlan } from '../addresses.ts';
import { cidrRange, ipToNumber, isIpv6Cidr, numberToIp } from '../cidr.ts';
import type { Cidr, Ipv4, PortRange, SecurityGroup, Vpc } from '../snapshot.ts';
import type { NetworkIndex } from '../walk/network-index.ts';
import { privateBlocks, reservedBlocks, sharedBlock, unanswered } from '../walk/special-blocks.ts';

/** Numbers from first to last that nothing tells apart. */
export interface Class {
  readonly first: number;
  readonly last: number;
}

export const everyPort: PortRange = { from: 0, to: 65_535 };
/** What listens at endpoints, metadata and resolver: the network knows these ports, whatever rules say. */
const servicePorts = [53, 80, 443];

/** Cuts `within` at the ends of each range. */
export function classesOf(within: Class, ranges: Iterable<Class>): Class[] {
  const starts = new Set([within.first]);
  for (const { first, last } of ranges) {
    if (first > within.first && first <= within.last) starts.add(first);
    if (last >= within.first && last < within.last) starts.add(last + 1);
  }
  const sorted = [...starts].sort((a, b) => a - b);
  return sorted.map((first, index) => ({ first, last: (sorted[index + 1] ?? within.last + 1) - 1 }));
}

/** Whose rules tell numbers apart: ACLs and groups that some packet of the search can meet. */
export interface Telling {
  readonly vpcs: readonly Vpc[];
  readonly groups: readonly SecurityGroup[];
}

/** The ports that the ACLs tell apart, load balancers' listeners and, unless they look at replies only, the groups. */
export function portClasses({ vpcs, groups }: Telling, protocol: number, within: PortRange = everyPort): Class[] {
  const ranges: Class[] = servicePorts.map((port) => ({ first: port, last: port }));
  for (const { ingress, egress } of [...groups, ...vpcs.flatMap((vpc) => vpc.networkAcls)])
    for (const rule of [...ingress, ...egress])
      if (rule.ports !== undefined && rule.protocol === protocol)
        ranges.push({ first: rule.ports.from, last: rule.ports.to });
  for (const { networkLoadBalancers } of vpcs)
    for (const { listeners } of networkLoadBalancers.flatMap(({ nodes }) => nodes))
      for (const { port } of listeners) ranges.push({ first: port, last: port });
  return classesOf({ first: within.from, last: within.to }, ranges);
}

/**
 * The addresses inside `within` that rules and routes tell apart, and with `interfaces` those of interfaces, which are members of groups.
 */
export function addressClasses(
  network: NetworkIndex,
  { vpcs, groups }: Telling,
  within: readonly Cidr[],
  interfaces: 'interfaces' | 'no interfaces',
): Class[] {
  const cidrs: Cidr[] = [...privateBlocks, ...reservedBlocks, sharedBlock, ...unanswered];
  const addPrefixList = (id: Parameters<NetworkIndex['prefixList']>[0]) => cidrs.push(...network.prefixList(id));
  for (const { ingress, egress } of groups)
    for (const { peer } of [...ingress, ...egress])
      if (peer.kind === 'cidr') cidrs.push(peer.cidr);
      else if (peer.kind === 'prefix-list') addPrefixList(peer.prefixListId);
  for (const vpc of vpcs) {
    cidrs.push(...vpc.cidrBlocks);
    for (const { routes } of vpc.routeTables)
      for (const { destination } of routes)
        if (destination.kind === 'cidr') cidrs.push(destination.cidr);
        else addPrefixList(destination.prefixListId);
    for (const { ingress, egress } of vpc.networkAcls) for (const { cidr } of [...ingress, ...egress]) cidrs.push(cidr);
    if (interfaces === 'interfaces')
      for (const { privateAddresses } of vpc.networkInterfaces)
        for (const { address } of privateAddresses) cidrs.push(`${address}/32`);
  }
  const ranges = [...new Set(cidrs)].filter((cidr) => !isIpv6Cidr(cidr)).map(cidrRange);
  return within.flatMap((cidr) => classesOf(cidrRange(cidr), ranges));
}

/** A number of the class: of an address block not the first, which names the network. */
export function sampleOf({ first, last }: Class): number {
  return first === last ? first : first + 1;
}

export function sampleAddress(each: Class): Ipv4 {
  return numberToIp(sampleOf(each));
}

/** Where hosts of the internet are, the person's terminal first: what a search tries first is what people mean. */
export const internet: readonly Cidr[] = [`${addressPlan.laptop}/32`, '0.0.0.0/0'];

/** Neighbours joined, in order. */
export function joined(classes: readonly Class[]): Class[] {
  const result: Class[] = [];
  for (const each of [...classes].sort((a, b) => a.first - b.first)) {
    const before = result.at(-1);
    if (before !== undefined && each.first <= before.last + 1)
      result[result.length - 1] = { first: before.first, last: Math.max(before.last, each.last) };
    else result.push(each);
  }
  return result;
}

/** The fewest blocks that hold exactly these addresses, in order. */
export function toCidrs(classes: readonly Class[]): Cidr[] {
  const cidrs: Cidr[] = [];
  for (const { first, last } of joined(classes)) {
    for (let at = first; at <= last; ) {
      let length = 32;
      // Doubles the block while it stays aligned and inside.
      while (length > 0 && at % 2 ** (33 - length) === 0 && at + 2 ** (33 - length) - 1 <= last) length -= 1;
      cidrs.push(`${numberToIp(at)}/${length}`);
      at += 2 ** (32 - length);
    }
  }
  return cidrs;
}

export function toPortRanges(classes: readonly Class[]): PortRange[] {
  return joined(classes).map(({ first, last }) => ({ from: first, to: last }));
}

export function classOf(address: Ipv4): Class {
  const number = ipToNumber(address) ?? 0;
  return { first: number, last: number };
}
