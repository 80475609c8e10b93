// Which numbers stand for which AWS things: link names, marks, route tables, underlay blocks, endpoint addresses.
// Pure and stable: a thing keeps its number as long as it lives. Numbers are handed out in a circle rather than lowest first, so that a freed
// underlay block or endpoint address comes back as late as possible: an old socket on the AWS side must not speak for a new VPC.

import { addressPlan } from '@postern/network/addresses.ts';
import { contains, formatCidr, numberToIp, parseCidr } from '@postern/network/cidr.ts';
import type {
  Cidr,
  Ipv4,
  NetworkInterface,
  NetworkInterfaceId,
  RouteTable,
  Snapshot,
  Subnet,
  TransitGatewayRouteTableId,
  VpcEndpointId,
  VpcId,
} from '@postern/network/snapshot.ts';

export interface Numbers {
  readonly of: ReadonlyMap<string, number>;
  readonly next: number;
}

export interface Allocation {
  readonly vpcs: Numbers;
  readonly interfaces: Numbers;
  /** Keys of `blockKey`; a number is one /16 of the underlay. */
  readonly blocks: Numbers;
  readonly endpoints: Numbers;
  /** By `publicPairKey`. */
  readonly publicPairs: Numbers;
  /** Of attachments to transit gateways too. */
  readonly peerings: Numbers;
  readonly subnets: Numbers;
  /** By `subnetTableKey` and `transitTableKey`. */
  readonly tables: Numbers;
  /** Conntrack zones of subnets in VPCs that have a middlebox (vpc-filter.ts). */
  readonly middleboxZones: Numbers;
  /** Sets of groups that some interface has, by `groupSetKey`. */
  readonly groupSets: Numbers;
}

/** First and last number of each kind. Marks below 1000 have meanings of their own (vpc-filter.ts). */
const ranges = {
  vpcs: [1, 65_000],
  interfaces: [1, 999_999],
  // 240.0.0.0/16 and the endpoints' 240.240.0.0/16 are no blocks of a VPC; 255.255.0.0/16 holds the broadcast address.
  blocks: [1, 4094],
  // 240.240.0.x is for the resolver and the metadata service. The number is also the endpoint's conntrack zone (16 bits).
  endpoints: [256, 30_000],
  // Zones of the internet gateway: a pair of private and public address each.
  publicPairs: [30_001, 57_000],
  // Conntrack zones too.
  peerings: [57_001, 65_000],
  subnets: [1000, 999_999],
  tables: [1000, 999_999],
  middleboxZones: [65_001, 65_535],
  groupSets: [1, 999_999],
} as const satisfies Record<keyof Allocation, readonly [number, number]>;

/** The /16 numbers that are taken: 240.240.0.0/16. */
const takenBlocks = new Set([240]);
const blockCount = ranges.blocks[1] - ranges.blocks[0] + 1 - takenBlocks.size;

const none: Numbers = { of: new Map(), next: 0 };
export const emptyAllocation: Allocation = {
  vpcs: none,
  interfaces: none,
  blocks: none,
  endpoints: none,
  publicPairs: none,
  peerings: none,
  subnets: none,
  tables: none,
  middleboxZones: none,
  groupSets: none,
};

/** Numbers for everything in the Snapshot; what was there before keeps its number, what is gone gives it back. */
export function allocate(previous: Allocation, snapshot: Snapshot): Allocation {
  const keys: Record<keyof Allocation, string[]> = {
    vpcs: [],
    interfaces: [],
    blocks: [],
    endpoints: [],
    publicPairs: [],
    peerings: [
      ...snapshot.peeringConnections.map((each) => each.vpcPeeringConnectionId),
      ...snapshot.transitGateways.flatMap((each) => each.attachments.map((one) => one.transitGatewayAttachmentId)),
    ],
    subnets: [],
    tables: [],
    middleboxZones: [],
    groupSets: [],
  };
  const groupSets = new Set<string>();
  /** Of services' interfaces, a block per client's block: the most by far, so when there are too many these are the ones that do without. */
  const doorBlocks: string[] = [];
  const clientBlocks = clientBlocksOf(snapshot);
  for (const vpc of snapshot.vpcs) {
    // A VPC without a plugged interface has no namespace, and needs no numbers (an empty VPC costs nothing).
    if (!vpc.networkInterfaces.some(isPlugged)) continue;
    keys.vpcs.push(vpc.vpcId);
    for (const block of vpc.cidrBlocks) keys.blocks.push(blockKey(vpc.vpcId, block));
    for (const endpoint of vpc.gatewayEndpoints) {
      keys.endpoints.push(endpoint.vpcEndpointId);
      for (const block of vpc.cidrBlocks) keys.blocks.push(blockKey(endpoint.vpcEndpointId, block));
    }
    for (const { vpcEndpointId, networkInterfaceIds } of vpc.interfaceEndpoints) {
      keys.endpoints.push(vpcEndpointId);
      for (const owner of networkInterfaceIds)
        for (const block of clientBlocks(vpc.vpcId)) doorBlocks.push(blockKey(owner, block));
    }
    for (const { instanceConnectEndpointId, networkInterfaceId } of vpc.instanceConnectEndpoints) {
      keys.endpoints.push(instanceConnectEndpointId);
      for (const block of clientBlocks(vpc.vpcId)) doorBlocks.push(blockKey(networkInterfaceId, block));
    }
    for (const { loadBalancerId } of vpc.networkLoadBalancers) keys.endpoints.push(loadBalancerId);
    for (const subnet of vpc.subnets) keys.subnets.push(subnet.subnetId);
    if (vpc.networkInterfaces.some((each) => each.attachment !== undefined && !each.sourceDestCheck))
      for (const subnet of vpc.subnets) keys.middleboxZones.push(subnet.subnetId);
    for (const table of vpc.routeTables) keys.tables.push(...subnetTableKeys(table, vpc.subnets));
    for (const each of vpc.networkInterfaces) {
      if (!isPlugged(each)) continue;
      keys.interfaces.push(each.networkInterfaceId);
      for (const { address, publicAddress } of each.privateAddresses)
        if (publicAddress !== undefined) keys.publicPairs.push(publicPairKey(vpc.vpcId, address, publicAddress));
      groupSets.add(groupSetKey(each.groupIds));
    }
  }
  for (const { id, blocks } of nodeBlocksOf(snapshot)) for (const block of blocks) doorBlocks.push(blockKey(id, block));
  keys.tables.push(...transitTableKeys(snapshot));
  keys.groupSets.push(...groupSets);
  keys.blocks.push(...doorBlocks.slice(0, Math.max(0, blockCount - keys.blocks.length)));
  const result = {} as Record<keyof Allocation, Numbers>;
  for (const kind of Object.keys(ranges) as (keyof Allocation)[])
    result[kind] = assign(previous[kind], keys[kind], kind);
  return result;
}

/** An interface that a machine or a service has its end of. */
export function isPlugged(eni: NetworkInterface): boolean {
  return eni.attachment !== undefined || eni.service !== undefined;
}

/** A route to a transit gateway leads to another interface from each zone (Z2), so a table that has one is a kernel table for each. */
export function subnetTableKey(table: RouteTable | undefined, subnet: Subnet): string {
  const isZonal = table?.routes.some(({ target }) => target.kind === 'transit-gateway') === true;
  return isZonal ? `${subnet.routeTableId} ${subnet.availabilityZone}` : subnet.routeTableId;
}

function subnetTableKeys(table: RouteTable, subnets: readonly Subnet[]): string[] {
  const own = subnets.filter((subnet) => subnet.routeTableId === table.routeTableId);
  return [...new Set([table.routeTableId, ...own.map((subnet) => subnetTableKey(table, subnet))])];
}

/** A table of a transit gateway as it is seen from a zone (Z7). */
export function transitTableKey(routeTableId: TransitGatewayRouteTableId, zone: string): string {
  return `${routeTableId} ${zone}`;
}

function transitTableKeys({ transitGateways, vpcs }: Snapshot): string[] {
  if (transitGateways.length === 0) return [];
  const zones = new Set(vpcs.flatMap(({ subnets }) => subnets.map((subnet) => subnet.availabilityZone)));
  return transitGateways.flatMap(({ routeTables }) =>
    routeTables.flatMap(({ transitGatewayRouteTableId: id }) => [...zones].map((zone) => transitTableKey(id, zone))),
  );
}

/** The IPv4 blocks that may speak to a VPC's interface endpoints: its own, and those of the VPCs it is joined with by a peering or a transit gateway (X6). */
export function clientBlocksOf(snapshot: Snapshot): (vpcId: VpcId) => readonly Cidr[] {
  const vpcs = new Map(snapshot.vpcs.map((vpc) => [vpc.vpcId, vpc]));
  const peers = new Map<VpcId, VpcId[]>();
  for (const { requester, accepter } of snapshot.peeringConnections) {
    peers.set(requester.vpcId, [...(peers.get(requester.vpcId) ?? []), accepter.vpcId]);
    peers.set(accepter.vpcId, [...(peers.get(accepter.vpcId) ?? []), requester.vpcId]);
  }
  for (const { attachments } of snapshot.transitGateways)
    for (const { vpcId } of attachments)
      peers.set(vpcId, [...(peers.get(vpcId) ?? []), ...attachments.map((each) => each.vpcId)]);
  return (vpcId) => outermost([vpcId, ...(peers.get(vpcId) ?? [])].flatMap((each) => vpcs.get(each)?.cidrBlocks ?? []));
}

/** Without those that lie in another one: VPCs that one VPC is joined with may overlap each other. */
function outermost(blocks: readonly Cidr[]): Cidr[] {
  const distinct = [...new Set(blocks)];
  return distinct.filter((block) => !distinct.some((other) => other !== block && contains(other, block)));
}

/** Where clients on the internet can be: all hosts that the sealed internet has. */
const internetBlocks: readonly Cidr[] = [addressPlan.publicPool, ...addressPlan.outside];

/** What each node of a load balancer has blocks of the underlay for, the VPC's own first. */
export function nodeBlocksOf(snapshot: Snapshot): { id: NetworkInterfaceId; blocks: readonly Cidr[] }[] {
  const near = clientBlocksOf(snapshot);
  return snapshot.vpcs.flatMap(({ vpcId, networkLoadBalancers }) =>
    networkLoadBalancers.flatMap(({ scheme, nodes }) =>
      nodes.map(({ networkInterfaceId: id }) => ({
        id,
        blocks: [...near(vpcId), ...(scheme === 'internet-facing' ? internetBlocks : [])],
      })),
    ),
  );
}

function assign(previous: Numbers, keys: readonly string[], kind: keyof Allocation): Numbers {
  const [first, last] = ranges[kind];
  const of = new Map<string, number>();
  const used = new Set<number>(kind === 'blocks' ? takenBlocks : []);
  for (const key of keys) {
    const number = previous.of.get(key);
    if (number === undefined) continue;
    of.set(key, number);
    used.add(number);
  }
  let next = Math.max(first, previous.next);
  for (const key of keys) {
    if (of.has(key)) continue;
    if (used.size > last - first)
      throw new RangeError(`no number is left for ${key}: this fabric has room for ${last - first + 1} ${kind}`);
    while (used.has(next) || next > last) next = next >= last ? first : next + 1;
    of.set(key, next);
    used.add(next);
    next = next >= last ? first : next + 1;
  }
  return { of, next };
}

/** The number of something the Snapshot holds. */
export function numberOf(numbers: Numbers, key: string): number {
  const number = numbers.of.get(key);
  if (number === undefined) throw new Error(`${key} has no number`);
  return number;
}

/** `owner` is the VPC for the way to metadata and resolver, the gateway endpoint, or one interface of an interface endpoint, an instance connect endpoint or a load balancer. */
export function blockKey(owner: VpcId | VpcEndpointId | NetworkInterfaceId, block: Cidr): string {
  return `${owner} ${block}`;
}

export function publicPairKey(vpcId: VpcId, address: Ipv4, publicAddress: Ipv4): string {
  return `${vpcId} ${address} ${publicAddress}`;
}

export function groupSetKey(groupIds: readonly string[]): string {
  return groupIds.toSorted().join(' ');
}

/** The underlay blocks that an interface of a service has for blocks of its clients, and for which of them there was no room. */
export function underlayBlocksOf(
  { blocks }: Allocation,
  owner: NetworkInterfaceId,
  all: readonly Cidr[],
): { readonly blocks: readonly (readonly [Cidr, Cidr])[]; readonly withoutRoom: readonly Cidr[] } {
  const numberOfBlock = (block: Cidr) => blocks.of.get(blockKey(owner, block));
  return {
    blocks: all.flatMap((block): (readonly [Cidr, Cidr])[] => {
      const number = numberOfBlock(block);
      return number === undefined ? [] : [[block, underlayBlock(number, block)]];
    }),
    withoutRoom: all.filter((block) => numberOfBlock(block) === undefined),
  };
}

/** Where a VPC block lies in the underlay: the same prefix length, in a /16 of its own. */
export function underlayBlock(number: number, block: Cidr): Cidr {
  const prefixLength = parseCidr(block)?.prefixLength ?? 32;
  return formatCidr({ address: (0xf0000000 + number * 65_536) >>> 0, prefixLength });
}

export function endpointAddress(number: number): Ipv4 {
  return numberToIp((0xf0f00000 + number) >>> 0);
}
