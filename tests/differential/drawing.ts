// What deviations draw and what they find: blocks, ports and peers as arbitraries, and the parts of a draft by their place. The first value of each list is the plainest.

import { contains } from '@postern/network/cidr.ts';
import { nat64Prefix } from '@postern/network/nat64.ts';
import type { Cidr, IcmpMatch, Route, RouteTarget, RulePeer, SecurityGroupRule } from '@postern/network/snapshot.ts';
import fc from 'fast-check';
import { cidrPeer, groupPeer, rule } from '../flows/snapshots.ts';
import {
  type Draft,
  type DraftInterface,
  type DraftVpc,
  ipv6Of,
  type MachineName,
  machineNames,
  machines,
  targets,
  to,
  type VpcNumber,
} from './draft.ts';

export const vpcNumber = fc.constantFrom<VpcNumber[]>(0, 0, 0, 1, 1, 2);
export const machine = fc.constantFrom(...machineNames);
export const direction = fc.constantFrom<('ingress' | 'egress')[]>('ingress', 'egress');
export const subnetPlace = fc.constantFrom<[VpcNumber, number][]>(
  [0, 0],
  [0, 1],
  [0, 2],
  [0, 3],
  [1, 0],
  [1, 1],
  [2, 0],
);
const ipv4Blocks: readonly Cidr[] = ['0.0.0.0/0', '10.0.0.0/16', '10.0.0.0/24', '10.0.1.0/24', '10.0.2.0/24', '10.0.2.200/32', '10.1.0.0/16', '10.1.0.8/29', '10.0.0.8/29', '10.9.0.0/20', '203.0.113.0/24', '198.51.100.0/25', '198.18.1.0/26', '198.19.0.0/16', '10.0.1.220/32']; // biome-ignore format: a table
const ipv6Blocks: readonly Cidr[] = ['::/0', '2001:db8:1010:100::/56', ipv6Of(0, 0), ipv6Of(0, 1), '2001:db8:1010:200::/56', '2001:db8:f000::/96', '2001:db8:0:1::/64', '2001:db8:1010:100::a/128', '64:ff9b::/96', '64:ff9b::a00:0/104']; // biome-ignore format: a table
export const block = fc.oneof(
  { weight: 2, arbitrary: fc.constantFrom<Cidr[]>('0.0.0.0/0', '::/0') },
  { weight: 3, arbitrary: fc.constantFrom(...ipv4Blocks) },
  { weight: 2, arbitrary: fc.constantFrom(...ipv6Blocks) },
);
/** Source ports of flows are below and above 32768 (flows-of.ts). */
const ports = fc.constantFrom<[number, number][]>([0, 65_535], [22, 22], [80, 80], [20, 79], [81, 443], [443, 443], [1024, 65_535], [1024, 32_767], [32_768, 60_999], [53, 80], [8080, 8080]); // biome-ignore format: a table
const icmpTypes = fc.constantFrom('all', 'request', 'reply', 'unreachable', 'request-code-1');
interface Drawn {
  readonly protocol: 'all' | 'tcp' | 'udp' | 'icmp' | 'other';
  readonly ports: readonly [number, number];
  readonly icmp: string;
  readonly block: Cidr;
}
export const match: fc.Arbitrary<Drawn> = fc.record({
  protocol: fc.constantFrom<Drawn['protocol'][]>('all', 'tcp', 'tcp', 'udp', 'icmp', 'other'),
  ports,
  icmp: icmpTypes,
  block,
});

/** Protocol, ports and ICMP as rules and entries say them, for the family of the block. */
export function matchOf({ protocol, ports: [from, last], icmp, block: cidr }: Drawn) {
  const is6 = cidr.includes(':');
  switch (protocol) {
    case 'all':
      return { protocol: -1 };
    case 'tcp':
      return { protocol: 6, ports: { from, to: last } };
    case 'udp':
      return { protocol: 17, ports: { from, to: last } };
    case 'icmp':
      return { protocol: is6 ? 58 : 1, icmp: icmpOf(icmp, is6) };
    case 'other':
      return { protocol: 47 };
  }
}

function icmpOf(name: string, is6: boolean): IcmpMatch {
  const [request, reply, unreachable] = is6 ? [128, 129, 1] : [8, 0, 3];
  switch (name) {
    case 'request':
      return { type: request, code: -1 };
    case 'request-code-1':
      return { type: request, code: 1 };
    case 'reply':
      return { type: reply, code: 0 };
    case 'unreachable':
      return { type: unreachable, code: -1 };
    default:
      return { type: -1, code: -1 };
  }
}

// ---- finding things in the draft

export const vpcAt = (draft: Draft, number: VpcNumber) => draft.vpcs.find((vpc) => vpc.vpcId === `vpc-${number}`);
export const tableAt = (draft: Draft, [number, subnet]: readonly [VpcNumber, number]) =>
  vpcAt(draft, number)?.routeTables.find((each) => each.routeTableId === `rtb-${number}${subnet}`);
export const cardOf = (draft: Draft, name: MachineName): DraftInterface | undefined =>
  vpcAt(draft, machines[name])?.networkInterfaces.find(
    (each) => each.attachment?.instanceId === `i-${name}` && each.attachment.deviceIndex === 0,
  );
export const familyOf = (cidr: Cidr) => (cidr.includes(':') ? 6 : 4);

/** At most one route per destination, as the API has it. */
export function setRoute(routes: Draft['vpcs'][number]['routeTables'][number]['routes'], route: Route): void {
  const key = JSON.stringify(route.destination);
  const at = routes.findIndex((each) => JSON.stringify(each.destination) === key);
  if (at >= 0) routes.splice(at, 1, route as (typeof routes)[number]);
  else routes.push(route as (typeof routes)[number]);
}

/** What a group's rule may name beside blocks; a group that is gone, or out of reach, matches nobody (S7, S17). */
export const peers = ['own', 'next', 'shared', 'peer', 'across-regions', 'gone', 'pl-s3', 'pl-own', 'pl-own6'] as const;
export const peer = fc.oneof(
  { weight: 3, arbitrary: block.map((cidr): (typeof peers)[number] | Cidr => cidr) },
  { weight: 2, arbitrary: fc.constantFrom(...peers) },
);

export function peerOf(name: MachineName, what: (typeof peers)[number] | Cidr): RulePeer {
  const order: Readonly<Record<MachineName, MachineName>> = { a: 'b', b: 'a', c: 'a', d: 'b', e: 'f', f: 'e', g: 'g' };
  const across: Readonly<Record<MachineName, MachineName>> = { a: 'e', b: 'f', c: 'e', d: 'f', e: 'a', f: 'b', g: 'f' };
  switch (what) {
    case 'own':
      return groupPeer(`sg-${name}`);
    case 'next':
      return groupPeer(`sg-${order[name]}`);
    case 'shared':
      return groupPeer('sg-shared');
    case 'peer':
      return groupPeer(`sg-${across[name]}`);
    case 'across-regions':
      return groupPeer(machines[name] === 1 ? 'sg-g' : 'sg-f');
    case 'gone':
      return groupPeer('sg-gone');
    case 'pl-s3':
    case 'pl-own':
    case 'pl-own6':
      // Lists are of one Region.
      if (machines[name] === 2) return groupPeer('sg-gone');
      return { kind: 'prefix-list', prefixListId: what };
    default:
      return cidrPeer(what);
  }
}

interface DrawnRule extends Drawn {
  readonly peer: (typeof peers)[number] | Cidr;
}
export const drawnRule: fc.Arbitrary<DrawnRule> = fc.tuple(match, peer).map(([drawn, what]) => ({
  ...drawn,
  ...(what.includes('/') && { block: what as Cidr }),
  peer: what,
}));

export function ruleOf(name: MachineName, drawn: DrawnRule): SecurityGroupRule {
  const {
    protocol,
    ports: range,
    icmp,
  } = matchOf(drawn) as { protocol: number; ports?: { from: number; to: number }; icmp?: IcmpMatch };
  return rule(protocol, range && [range.from, range.to], peerOf(name, drawn.peer), icmp);
}

export function setRules(
  vpc: DraftVpc | undefined,
  groupId: string,
  which: 'ingress' | 'egress',
  rules: readonly SecurityGroupRule[],
): void {
  const found = vpc?.securityGroups.find((each) => each.groupId === groupId);
  if (found !== undefined) found[which] = [...rules];
}

/** Narrow destinations that a route table may get beside its usual ones. */
export const routeBlocks: readonly Cidr[] = ['0.0.0.0/0', '198.51.100.0/24', '198.51.100.64/26', '203.0.113.0/25', '198.18.0.0/16', '198.18.1.0/26', '10.1.0.0/24', '192.168.0.0/16', '::/0', '2001:db8:f000::/96', '2001:db8:f000::c633:6440/122', '2001:db8:1010:200::/60', '2001:db8:0:1::/64', '64:ff9b::/96', '64:ff9b::c633:6400/120']; // biome-ignore format: a table
export const routeTargets = [
  'igw',
  'nat',
  'eigw',
  'peer-01',
  'peer-12',
  'transit',
  'transit',
  'box',
  'checked',
] as const;

export function targetOf(
  draft: Draft,
  number: VpcNumber,
  what: (typeof routeTargets)[number],
): RouteTarget | undefined {
  const vpc = vpcAt(draft, number);
  const isIn = (pair: string) =>
    pair.includes(String(number)) &&
    draft.peeringConnections.some((each) => each.vpcPeeringConnectionId === `pcx-${pair}`);
  switch (what) {
    case 'igw':
      return vpc?.internetGatewayId === undefined ? undefined : targets.igw(number);
    case 'nat':
      return vpc?.natGateways.length ? targets.nat(number) : undefined;
    case 'eigw':
      return vpc?.egressOnlyInternetGatewayIds.length ? targets.eigw(number) : undefined;
    case 'peer-01':
      return isIn('01') ? targets.peer('01') : undefined;
    case 'peer-12':
      return isIn('12') ? targets.peer('12') : undefined;
    case 'transit':
      return number !== 2 && draft.transitGateways.length > 0 ? targets.transit : undefined;
    case 'box':
      return number === 0 ? targets.box('eni-c2') : undefined;
    case 'checked':
      return number === 0 ? targets.box('eni-b1') : targets.box(number === 1 ? 'eni-e0' : 'eni-g0');
  }
}

export const isInPeersOwn = (cidr: Cidr) => cidr === '10.1.0.0/24' || cidr === '2001:db8:1010:200::/60';

/** Transit gateways take IPv4; NAT gateways take IPv4 and what is NAT64's of IPv6; egress-only gateways IPv6. */
export function fits(cidr: Cidr, target: RouteTarget): boolean {
  if (target.kind === 'egress-only-internet-gateway') return familyOf(cidr) === 6;
  if (target.kind === 'transit-gateway') return familyOf(cidr) === 4;
  return target.kind !== 'nat-gateway' || familyOf(cidr) === 4 || contains(nat64Prefix, cidr);
}

/** Routes the traffic between two subnets of vpc-0 through c, which hands on what is not its own (R4, R13). */
export function throughBox(draft: Draft, from: number, toSubnet: number): void {
  const vpc = vpcAt(draft, 0);
  const other = vpc?.subnets.find((each) => each.subnetId === `subnet-0${toSubnet}`);
  const table = tableAt(draft, [0, from]);
  if (other === undefined || table === undefined || toSubnet === 2) return;
  setRoute(table.routes, to(other.cidrBlock, targets.box('eni-c2')));
  if (other.ipv6CidrBlock !== undefined) setRoute(table.routes, to(other.ipv6CidrBlock, targets.box('eni-c2')));
}

/** The attachment's interface in the first zone goes to that zone's other subnet, where the public machines are. */
export function moveDoor(draft: Draft, number: 0 | 1): void {
  const [before, after] = number === 0 ? (['eni-door1', 'eni-door0'] as const) : (['eni-gate1', 'eni-gate0'] as const);
  const [card, attachment] = [
    vpcAt(draft, number)?.networkInterfaces.find((each) => each.networkInterfaceId === before),
    draft.transitGateways[0]?.attachments[number],
  ];
  const [address] = card?.privateAddresses ?? [];
  if (card === undefined || attachment === undefined || address === undefined) return;
  card.networkInterfaceId = after;
  card.subnetId = `subnet-${number}0`;
  card.macAddress = card.macAddress.replace(/^0a:00/, '0a:01');
  address.address = `10.${number}.0.240`;
  attachment.networkInterfaceIds = attachment.networkInterfaceIds.map((id) => (id === before ? after : id));
}

/** A route whose target is gone; it still wins (R9). */
export function dead(route: Route): Route {
  return { ...route, state: 'blackhole' };
}

export function killRoutes(draft: Draft, number: VpcNumber, isGone: (target: RouteTarget) => boolean): void {
  for (const table of vpcAt(draft, number)?.routeTables ?? [])
    for (const route of table.routes) if (isGone(route.target as RouteTarget)) route.state = 'blackhole';
}
