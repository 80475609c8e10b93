// Transit gateways. Each is a namespace of its own that routes and nothing else: every interface of an attachment is a link between it and its VPC's router, and stands for a
// kernel table there, that of the attachment's route table as seen from the interface's zone (Z4–Z7). In the router the link is an interface without groups in its subnet, so
// what comes out of it is routed by that subnet's table (Z2).
// https://docs.aws.amazon.com/vpc/latest/tgw/how-transit-gateways-work.html and tgw-nacls.html (read 2026-11-22)

import type {
  Cidr,
  NetworkInterface,
  NetworkInterfaceId,
  Snapshot,
  TransitGateway,
  TransitGatewayAttachment,
  TransitGatewayAttachmentId,
  TransitGatewayId,
  VpcId,
} from '@postern/network/snapshot.ts';
import { type Allocation, numberOf, transitTableKey } from './allocation.ts';
import { linkLocalBlock, reservedBlocks, stage } from './filter/well-known.ts';
import type { KernelRoute, NftChain, NftRule, NftSet, TransitGatewayState } from './host-state.ts';
import { macAddress, mark, nextHop, table, tracked, transitDevice } from './names.ts';
import type { PluggedInterface, VpcContext } from './vpc-context.ts';

/** An attachment as its VPC sees it. */
export interface CompiledAttachment {
  readonly transitGatewayId: TransitGatewayId;
  readonly transitGatewayAttachmentId: TransitGatewayAttachmentId;
  /** Also the conntrack zone of what goes this way. */
  readonly number: number;
  /** The blocks of the other attached VPCs, with the zone of what a middlebox hands on from there or to there: the first that holds an address counts. */
  readonly farZones: readonly (readonly [Cidr, number])[];
}

/** A link between a gateway and a router. */
interface Door {
  readonly networkInterfaceId: NetworkInterfaceId;
  readonly device: string;
  readonly number: number;
  readonly zone: string;
}

export function attachmentOf({ service }: Pick<NetworkInterface, 'service'>): TransitGatewayAttachmentId | undefined {
  return service?.kind === 'transit-gateway' ? service.transitGatewayAttachmentId : undefined;
}

/** A gateway of the VPC hands packets to it by this interface. */
export function isTransitDoor({ eni }: Pick<PluggedInterface, 'eni'>): boolean {
  return attachmentOf(eni) !== undefined;
}

export function attachmentsByVpc(snapshot: Snapshot, allocation: Allocation): Map<VpcId, CompiledAttachment[]> {
  const byVpc = new Map<VpcId, CompiledAttachment[]>();
  if (snapshot.transitGateways.length === 0) return byVpc;
  const vpcs = new Map(snapshot.vpcs.map((vpc) => [vpc.vpcId, vpc]));
  for (const { transitGatewayId, attachments } of snapshot.transitGateways) {
    const numberOfAttachment = ({ transitGatewayAttachmentId: id }: TransitGatewayAttachment) =>
      numberOf(allocation.peerings, id);
    for (const own of attachments) {
      const far = attachments.filter((each) => each !== own);
      const compiled: CompiledAttachment = {
        transitGatewayId,
        transitGatewayAttachmentId: own.transitGatewayAttachmentId,
        number: numberOfAttachment(own),
        farZones: far.flatMap((each) =>
          (vpcs.get(each.vpcId)?.cidrBlocks ?? []).map((block) => [block, numberOfAttachment(each)] as const),
        ),
      };
      byVpc.set(own.vpcId, [...(byVpc.get(own.vpcId) ?? []), compiled]);
    }
  }
  return byVpc;
}

// ---- the gateway's own namespace

/** @param contexts routers that are in the kernel */
export function compileTransitGateways(
  snapshot: Snapshot,
  allocation: Allocation,
  contexts: readonly VpcContext[],
): TransitGatewayState[] {
  const byId = new Map(contexts.flatMap(({ plugged }) => plugged.map((each) => [each.eni.networkInterfaceId, each])));
  return snapshot.transitGateways.flatMap((gateway) => {
    const state = compileTransitGateway(gateway, allocation, byId);
    return state === undefined ? [] : [state];
  });
}

/** Undefined: nothing leads there. */
function compileTransitGateway(
  gateway: TransitGateway,
  allocation: Allocation,
  plugged: ReadonlyMap<NetworkInterfaceId, PluggedInterface>,
): TransitGatewayState | undefined {
  const { transitGatewayId } = gateway;
  const doorsOf = (attachment: TransitGatewayAttachment): Door[] =>
    attachment.networkInterfaceIds.flatMap((networkInterfaceId) => {
      const found = plugged.get(networkInterfaceId);
      if (found === undefined) return [];
      const { number, subnet } = found;
      return [{ networkInterfaceId, number, device: transitDevice(number), zone: subnet.availabilityZone }];
    });
  const attachments = gateway.attachments.map((attachment) => ({ attachment, doors: doorsOf(attachment) }));
  const doors = attachments.flatMap((each) => each.doors);
  if (doors.length === 0) return undefined;
  const routes: KernelRoute[] = [{ table: table.interfaces, destination: '0.0.0.0/0', kind: 'blackhole' }];
  const zones = [...new Set(doors.map((door) => door.zone))];
  for (const { transitGatewayRouteTableId, routes: own } of gateway.routeTables) {
    for (const zone of zones) {
      const number = numberOf(allocation.tables, transitTableKey(transitGatewayRouteTableId, zone));
      const isTaken = attachments.some(
        ({ attachment, doors: its }) =>
          attachment.routeTableId === transitGatewayRouteTableId && its.some((door) => door.zone === zone),
      );
      if (!isTaken) continue;
      const blackhole = (destination: Cidr): KernelRoute => ({ table: number, destination, kind: 'blackhole' });
      if (!own.some(({ cidr }) => cidr === '0.0.0.0/0')) routes.push(blackhole('0.0.0.0/0'));
      for (const { cidr, transitGatewayAttachmentId } of own) {
        const next = attachments.find(
          ({ attachment }) => attachment.transitGatewayAttachmentId === transitGatewayAttachmentId,
        );
        // Z7: the zone that it came from; else, and in appliance mode, always the first.
        const inZone = next?.attachment.applianceMode ? undefined : next?.doors.find((door) => door.zone === zone);
        const door = inZone ?? next?.doors[0];
        routes.push(
          door === undefined
            ? blackhole(cidr)
            : { table: number, destination: cidr, kind: 'unicast', via: nextHop, device: door.device },
        );
      }
    }
  }
  return {
    transitGatewayId,
    // The links are the routers'.
    links: [],
    addresses: [],
    neighbours: doors.map(({ device, number }) => ({
      address: nextHop,
      macAddress: macAddress('interface', number),
      device,
    })),
    routes,
    rules: [
      ...attachments.flatMap(({ attachment: { routeTableId }, doors: own }) =>
        routeTableId === undefined
          ? []
          : own.map(({ device, number, zone }) => ({
              preference: 1000 + number,
              device,
              table: numberOf(allocation.tables, transitTableKey(routeTableId, zone)),
            })),
      ),
      { preference: 2_000_000, table: table.interfaces },
    ],
    table: {
      name: 'transit-gateway',
      sets: [
        {
          name: 'same-attachment',
          kind: 'set',
          type: 'ifname . ifname',
          elements: attachments.flatMap(({ doors: own }) =>
            own.flatMap((one) => own.map((other) => `"${one.device}" . "${other.device}"`)),
          ),
        },
      ],
      chains: [
        {
          name: 'route-through',
          hook: 'type filter hook forward priority filter; policy accept;',
          // No source says what AWS does with a packet whose route leads to where it came from: it is not sent back.
          rules: [
            { match: 'iifname . oifname @same-attachment drop', comment: stage('transit-gateway', transitGatewayId) },
          ],
        },
        { name: 'to-router', hook: 'type filter hook input priority filter; policy drop;', rules: [] },
      ],
    },
    ipv6Table: { family: 'ip6', name: 'transit-gateway', sets: [], chains: [] },
    devices: doors.map(({ device }) => device),
  };
}

// ---- in a VPC's router

function doorsOf(context: VpcContext): readonly PluggedInterface[] {
  return context.plugged.filter(isTransitDoor);
}

function attachmentFor(context: VpcContext, { eni }: PluggedInterface): CompiledAttachment | undefined {
  const id = attachmentOf(eni);
  return context.attachments.find((each) => each.transitGatewayAttachmentId === id);
}

/** The interface by which a subnet of this zone reaches a gateway (Z2). */
export function doorTo(
  context: VpcContext,
  transitGatewayId: TransitGatewayId,
  zone: string,
): PluggedInterface | undefined {
  return doorsOf(context).find(
    ({ eni: { service }, subnet }) =>
      service?.kind === 'transit-gateway' &&
      service.transitGatewayId === transitGatewayId &&
      subnet.availabilityZone === zone,
  );
}

/** Link → chain, for what comes out of a gateway. */
export function transitArrivals(context: VpcContext): string[] {
  return doorsOf(context).map(({ device }) => `"${device}" : goto from-${device}`);
}

/** Link → chain, for what goes to a gateway. @param isHandedOn by a middlebox: then the far end says in which zone */
export function transitPaths(context: VpcContext, isHandedOn: boolean): string[] {
  return doorsOf(context).map(({ device }) => `"${device}" : goto ${isHandedOn ? 'handed-to' : 'zone'}-${device}`);
}

/**
 * Before connection tracking. An attachment is a zone; what a middlebox gets from a gateway or gives to it is in the zone of the VPC at the far end, for it passes twice
 * between the same addresses, and each time other groups decide.
 * @param isDiverted whether a subnet's own block has a middlebox's route (R13)   @param boxes devices of middleboxes
 */
export function transitChains(
  context: VpcContext,
  numberOfSubnet: (door: PluggedInterface) => number,
  isDiverted: (door: PluggedInterface) => boolean,
  boxes: readonly string[],
): NftChain[] {
  const services = context.resolver === undefined ? [] : [context.resolver];
  return doorsOf(context).flatMap((door): NftChain[] => {
    const attachment = attachmentFor(context, door);
    if (attachment === undefined) return [];
    const { device, subnet } = door;
    const { subnetId, cidrBlock, routeTableId } = subnet;
    const { vpcId } = context.vpc;
    const far = (field: 'saddr' | 'daddr'): NftRule[] => [
      ...attachment.farZones.map(([block, zone]) => ({ match: `ip ${field} ${block} ct zone set ${zone} return` })),
      { match: `ct zone set ${attachment.number}` },
    ];
    return [
      {
        name: `from-${device}`,
        rules: [
          {
            match: `ip daddr { ${[linkLocalBlock, ...services].join(', ')} } drop`,
            comment: stage('link-local', vpcId),
          },
          { match: `ip daddr ${reservedBlocks} drop`, comment: stage('route', vpcId) },
          ...(isDiverted(door)
            ? []
            : [
                {
                  match: `ip daddr ${cidrBlock} meta mark set ${mark.sameSubnet} goto zone-${device}`,
                  comment: stage('route', `${subnetId} local`),
                },
              ]),
          { match: `meta mark set ${numberOfSubnet(door)}`, comment: stage('route', `${subnetId} ${routeTableId}`) },
          ...(boxes.length === 0
            ? []
            : [
                {
                  match: `ip daddr != @middlebox-addresses fib daddr . mark oifname { ${boxes.map((box) => `"${box}"`).join(', ')} } goto brought-by-${device}`,
                },
              ]),
          { match: `goto zone-${device}` },
        ],
      },
      { name: `zone-${device}`, rules: [{ match: `ct zone set ${attachment.number}` }] },
      ...(boxes.length === 0
        ? []
        : [
            { name: `brought-by-${device}`, rules: far('saddr') },
            { name: `handed-to-${device}`, rules: far('daddr') },
          ]),
    ];
  });
}

export function transitSets(context: VpcContext): NftSet[] {
  const doors = doorsOf(context);
  if (doors.length === 0) return [];
  return [
    { name: 'transit-gateways', kind: 'set', type: 'ifname', elements: doors.map(({ device }) => `"${device}"`) },
  ];
}

/** First in the forward chain. @param edges devices of gateways and peerings: nothing that a transit gateway brings leaves by one (Z9) */
export function closedToTransit(context: VpcContext, edges: readonly string[]): NftRule[] {
  const doors = doorsOf(context);
  if (doors.length === 0) return [];
  const closed = [...edges, ...doors.map(({ device }) => device)].map((device) => `"${device}"`).join(', ');
  return [
    {
      match: `iifname @transit-gateways oifname { ${closed} } drop`,
      comment: stage('transit-gateway', context.vpc.vpcId),
    },
    ...doors.map(({ eni, device }) => ({
      match: `oifname "${device}" ip daddr { ${eni.privateAddresses.map(({ address }) => address).join(', ')} } drop`,
      comment: stage('transit-gateway', attachmentOf(eni) ?? ''),
    })),
  ];
}

/** As gateways and peerings it has no groups: its end of a flow counts as tracked. */
export function transitTracking(context: VpcContext): NftRule[] {
  if (doorsOf(context).length === 0) return [];
  return [
    { match: `ct state new oifname @transit-gateways ct mark set ct mark | ${tracked.receiver}` },
    { match: `ct state new iifname @transit-gateways ct mark set ct mark | ${tracked.sender}` },
  ];
}
