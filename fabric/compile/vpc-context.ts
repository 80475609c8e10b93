// One VPC with everything looked up that its parts are compiled from: subnets by id, plugged interfaces with their devices, addresses of groups.

import { addressAt } from '@postern/network/cidr.ts';
import type {
  Cidr,
  GatewayEndpoint,
  InstanceId,
  Ipv4,
  NetworkInterface,
  PrefixListId,
  RouteTable,
  SecurityGroupId,
  Snapshot,
  Subnet,
  Vpc,
} from '@postern/network/snapshot.ts';
import { type Allocation, blockKey, numberOf, underlayBlock } from './allocation.ts';
import { addressesOf, type Family } from './family.ts';
import type { Link } from './host-state.ts';
import { coreInterfaceDevice, endpointDevice, interfaceDevice, mtu, transitDevice } from './names.ts';
import { natGatewayOf } from './nat-gateways.ts';
import type { CompiledPeering } from './peering.ts';
import type { CompiledAttachment } from './transit-gateways.ts';

export interface PluggedInterface {
  readonly eni: NetworkInterface;
  readonly subnet: Subnet;
  readonly number: number;
  readonly device: string;
  readonly mtu: number;
  /** Whose end the other one is: a machine's `ethN`, or a link into the core for a service. */
  readonly peer: Link['peer'];
  /** Its place in the machine; absent for a service's. */
  readonly deviceIndex?: number;
  /** Of an instance connect endpoint that shows instances the client's address (J4). */
  readonly preservesClientIp: boolean;
}

export interface CompiledEndpoint {
  readonly endpoint: GatewayEndpoint;
  readonly number: number;
  readonly device: string;
  /** VPC block → underlay block on this endpoint's link. */
  readonly blocks: readonly (readonly [Cidr, Cidr])[];
}

export interface VpcContext {
  readonly vpc: Vpc;
  readonly number: number;
  readonly allocation: Allocation;
  readonly plugged: readonly PluggedInterface[];
  /** Subnets with a plugged interface. */
  readonly subnets: readonly Subnet[];
  readonly routeTables: ReadonlyMap<string, RouteTable>;
  readonly endpoints: readonly CompiledEndpoint[];
  readonly peerings: readonly CompiledPeering[];
  readonly attachments: readonly CompiledAttachment[];
  /** VPC block → underlay block on the way to metadata and resolver. */
  readonly blocks: readonly (readonly [Cidr, Cidr])[];
  readonly prefixLists: ReadonlyMap<PrefixListId, readonly Cidr[]>;
  /** Private and IPv6 addresses of the interfaces that carry a group (S6), sorted. */
  readonly members: Readonly<Record<Family, ReadonlyMap<SecurityGroupId, readonly string[]>>>;
  /** Base + 2 of the primary block (D2). */
  readonly resolver: Ipv4 | undefined;
}

/** Undefined: nothing is plugged in there, now. */
function otherEnd(
  eni: NetworkInterface,
  allocation: Allocation,
  processIds: ReadonlyMap<InstanceId, number>,
): Pick<PluggedInterface, 'mtu' | 'peer' | 'deviceIndex'> | undefined {
  const { attachment, macAddress } = eni;
  if (attachment !== undefined) {
    const processId = processIds.get(attachment.instanceId);
    const { deviceIndex } = attachment;
    return processId === undefined
      ? undefined
      : { mtu: mtu.interface, peer: { name: `eth${deviceIndex}`, macAddress, processId }, deviceIndex };
  }
  const natGatewayId = natGatewayOf(eni);
  if (natGatewayId !== undefined)
    return { mtu: mtu.natGateway, peer: { name: 'eth0', macAddress, processId: natGatewayId } };
  if (eni.service === undefined) return undefined;
  const number = numberOf(allocation.interfaces, eni.networkInterfaceId);
  if (eni.service.kind === 'transit-gateway')
    return {
      mtu: mtu.transitGateway,
      peer: { name: transitDevice(number), macAddress, processId: eni.service.transitGatewayId },
    };
  const name = coreInterfaceDevice(number);
  const width = eni.service.kind === 'vpc-endpoint' ? mtu.endpoint : mtu.interface;
  return { mtu: width, peer: { name, macAddress, processId: 'core' } };
}

/** True when the VPC has a router in the kernel: some interface of it is plugged in. */
export function isPresent(vpc: Vpc, allocation: Allocation, processIds: ReadonlyMap<InstanceId, number>): boolean {
  const subnets = new Set<string>(vpc.subnets.map((subnet) => subnet.subnetId));
  return vpc.networkInterfaces.some(
    (eni) => subnets.has(eni.subnetId) && otherEnd(eni, allocation, processIds) !== undefined,
  );
}

/** Undefined when no interface of the VPC is plugged in: then nothing of it is in the kernel. */
export function vpcContext(
  vpc: Vpc,
  snapshot: Snapshot,
  allocation: Allocation,
  processIds: ReadonlyMap<InstanceId, number>,
  joined: Pick<VpcContext, 'peerings' | 'attachments'>,
): VpcContext | undefined {
  const subnets = new Map(vpc.subnets.map((subnet) => [subnet.subnetId, subnet]));
  const preserving = new Set<string>(
    vpc.instanceConnectEndpoints.filter((each) => each.preserveClientIp).map((each) => each.networkInterfaceId),
  );
  const plugged: PluggedInterface[] = [];
  for (const eni of vpc.networkInterfaces) {
    const subnet = subnets.get(eni.subnetId);
    const end = subnet === undefined ? undefined : otherEnd(eni, allocation, processIds);
    if (subnet === undefined || end === undefined) continue;
    const number = numberOf(allocation.interfaces, eni.networkInterfaceId);
    const preservesClientIp = preserving.has(eni.networkInterfaceId);
    plugged.push({ eni, subnet, number, device: interfaceDevice(number), preservesClientIp, ...end });
  }
  if (plugged.length === 0) return undefined;
  const inUse = new Set(plugged.map((each) => each.subnet.subnetId));
  const mapBlocks = (owner: Parameters<typeof blockKey>[0]) =>
    vpc.cidrBlocks.map(
      (block) => [block, underlayBlock(numberOf(allocation.blocks, blockKey(owner, block)), block)] as const,
    );
  const [primary] = vpc.cidrBlocks;
  return {
    vpc,
    number: numberOf(allocation.vpcs, vpc.vpcId),
    allocation,
    plugged,
    subnets: vpc.subnets.filter((subnet) => inUse.has(subnet.subnetId)),
    routeTables: new Map(vpc.routeTables.map((each) => [each.routeTableId, each])),
    endpoints: vpc.gatewayEndpoints.map((endpoint) => {
      const endpointNumber = numberOf(allocation.endpoints, endpoint.vpcEndpointId);
      return {
        endpoint,
        number: endpointNumber,
        device: endpointDevice(endpointNumber),
        blocks: mapBlocks(endpoint.vpcEndpointId),
      };
    }),
    ...joined,
    blocks: mapBlocks(vpc.vpcId),
    prefixLists: new Map(snapshot.prefixLists.map((list) => [list.prefixListId, list.cidrs])),
    members: { ip: membersOf(vpc, 'ip'), ip6: membersOf(vpc, 'ip6') },
    resolver: primary === undefined ? undefined : addressAt(primary, 2),
  };
}

function membersOf(vpc: Vpc, family: Family): ReadonlyMap<SecurityGroupId, readonly string[]> {
  const members = new Map<SecurityGroupId, string[]>();
  for (const eni of vpc.networkInterfaces) {
    for (const groupId of eni.groupIds) {
      const addresses = members.get(groupId) ?? [];
      addresses.push(...addressesOf(eni, family));
      members.set(groupId, addresses);
    }
  }
  return new Map([...members].map(([groupId, addresses]) => [groupId, addresses.toSorted()]));
}

/** True for what hands on packets of others: a middlebox or a NAT gateway. Transit gateways' interfaces do too, and are asked for by themselves. */
export function isForwarding({ eni, preservesClientIp }: PluggedInterface): boolean {
  return !eni.sourceDestCheck || natGatewayOf(eni) !== undefined || preservesClientIp;
}

/** Interfaces of instances without source/dest check (R15). */
export function middleboxesOf(context: VpcContext): readonly PluggedInterface[] {
  return context.plugged.filter(({ eni }) => !eni.sourceDestCheck && eni.service === undefined);
}

/** The internet gateway's own route table (R14). */
export function edgeTable(context: VpcContext): RouteTable | undefined {
  const { internetGatewayId, gatewayRouteTableId } = context.vpc;
  if (internetGatewayId === undefined || gatewayRouteTableId === undefined) return undefined;
  return context.routeTables.get(gatewayRouteTableId);
}

/** Private and public address of everything plugged that has one; empty without an internet gateway. */
export function publicPairs(context: VpcContext): (readonly [string, string])[] {
  if (context.vpc.internetGatewayId === undefined) return [];
  return context.plugged.flatMap((each) =>
    each.eni.privateAddresses.flatMap(({ address, publicAddress }) =>
      publicAddress === undefined ? [] : [[address, publicAddress] as const],
    ),
  );
}
