// What could be changed at a step that drops? A row per stage: from the step to changes that may open it. Whether they do, the walk says afterwards, so
// a candidate may be wrong; it may not be wide: one address, one port, one table.

import { awsPrefixList } from '../aws-prefix-lists.ts';
import { embeddedIpv4 } from '../nat64.ts';
import type {
  Cidr,
  NetworkAclEntry,
  RouteTableId,
  RulePeer,
  SecurityGroup,
  Snapshot,
  TransitGateway,
  TransitGatewayAttachment,
  Vpc,
} from '../snapshot.ts';
import type { StageName } from '../stages.ts';
import { isInside } from '../walk/matching.ts';
import type { NetworkIndex, PlacedInterface } from '../walk/network-index.ts';
import { isIpv6, type Packet, protocols } from '../walk/packet.ts';
import type { Step, Trace } from '../walk/trace.ts';
import { type Change, type GroupRule, newElasticIp, newEndpointId } from './changes.ts';

/** No gateway to the internet takes these. */
const privateBlocks = ['10.0.0.0/8', '172.16.0.0/12', '192.168.0.0/16', '100.64.0.0/10', 'fc00::/7'] as const;

export interface Situation {
  readonly network: NetworkIndex;
  readonly trace: Trace;
  readonly step: Step;
  /** The ports that answers go to: where the flow begins. */
  readonly replyPorts: { readonly from: number; readonly to: number };
}

/** One way to open a step; candidates of one step are different roads, the narrowest first. */
export interface Candidate {
  readonly change: Change;
  /** Other forms of the same: a group instead of an address. */
  readonly forms?: readonly Change[];
}

type Row = (situation: Situation) => readonly Candidate[];
const none: Row = () => [];

const rows: Readonly<Record<StageName, Row>> = {
  'eni-address': sourceDestCheckOff,
  'link-local': none,
  'sg-egress': (situation) => groupRule(situation, 'egress'),
  route: newRoute,
  'acl-egress': (situation) => aclEntry(situation, 'egress'),
  'igw-egress': atInternetGateway,
  'gateway-endpoint': none,
  'nat-gateway': (situation) => [...earlierTransitRoute(situation), ...newRoute(situation)],
  peering: newRoute,
  'transit-gateway': atTransitGateway,
  'egress-only-gateway': publicAccess,
  'igw-ingress': atInternetGateway,
  'source-dest-check': sourceDestCheckOff,
  'acl-ingress': (situation) => aclEntry(situation, 'ingress'),
  'interface-endpoint': none,
  'instance-connect': none,
  'load-balancer': none,
  'sg-ingress': (situation) => groupRule(situation, 'ingress'),
};

export function candidatesFor(situation: Situation): readonly Candidate[] {
  return rows[situation.step.stage](situation);
}

// ---- security groups

function groupRule({ network, step }: Situation, direction: 'ingress' | 'egress'): Candidate[] {
  const placed = network.networkInterface(step.component as `eni-${string}`);
  const group = placed && leastShared(network, placed.groups);
  if (placed === undefined || group === undefined) return [];
  const { packet } = step;
  const address = direction === 'ingress' ? packet.source : packet.destination;
  const rule = (peer: RulePeer): Change => ({
    kind: 'group-rule',
    groupId: group.groupId,
    direction,
    rule: { ...matchOf(packet), peer },
  });
  const peers = groupPeers(network, placed, address);
  return [{ change: rule({ kind: 'cidr', cidr: hostCidr(address) }), forms: peers.map(rule) }];
}

/** A rule in a group is for all that carry it: the one with the fewest. */
function leastShared(network: NetworkIndex, groups: readonly SecurityGroup[]): SecurityGroup | undefined {
  const cards = network.snapshot.vpcs.flatMap((vpc) => vpc.networkInterfaces);
  const members = ({ groupId }: SecurityGroup) => cards.filter((card) => card.groupIds.includes(groupId)).length;
  return [...groups].sort((one, other) => members(one) - members(other))[0];
}

/** What else names the address: a group of the other end, or the prefix list of a service. */
function groupPeers(network: NetworkIndex, { vpc }: PlacedInterface, address: string): RulePeer[] {
  const ways = [undefined, ...network.snapshot.peeringConnections.map((each) => each.vpcPeeringConnectionId)];
  const other = network.snapshot.vpcs
    .map(({ vpcId }) => network.holder(vpcId, address))
    .find((holder) =>
      holder?.groups.some(({ groupId }) => ways.some((by) => network.isMember(vpc, groupId, address, by))),
    );
  const group = other && leastShared(network, other.groups);
  if (group !== undefined) return [{ kind: 'security-group', groupId: group.groupId }];
  const list = network.snapshot.prefixLists.find(({ cidrs }) => cidrs.some((cidr) => isInside(cidr, address)));
  return list === undefined ? [] : [{ kind: 'prefix-list', prefixListId: list.prefixListId }];
}

/** Exactly the packet's protocol and port. */
function matchOf({ protocol, destinationPort, icmp }: Packet): Omit<GroupRule, 'peer'> {
  return {
    protocol,
    ...(destinationPort !== undefined && { ports: { from: destinationPort, to: destinationPort } }),
    ...(icmp !== undefined && { icmp }),
  };
}

// ---- network ACLs

const lastRuleNumber = 32_766;

function aclEntry({ network, step, replyPorts }: Situation, direction: 'ingress' | 'egress'): Candidate[] {
  const { cause, packet, leg } = step;
  if (cause.kind !== 'acl-entry') return [];
  const acl = network.snapshot.vpcs
    .flatMap((vpc) => vpc.networkAcls)
    .find((each) => each.networkAclId === cause.networkAclId);
  if (acl === undefined) return [];
  const isPorted = packet.protocol === protocols.tcp || packet.protocol === protocols.udp;
  const wanted: Omit<NetworkAclEntry, 'ruleNumber'> = {
    ...matchOf(packet),
    ...(isPorted && leg === 'return' && { ports: replyPorts }),
    action: 'allow',
    cidr: hostCidr(direction === 'ingress' ? packet.source : packet.destination),
  };
  const entries = acl[direction];
  const place = { networkAclId: acl.networkAclId, direction };
  const number = freeNumber(entries, cause.ruleNumber);
  if (number !== undefined)
    return [{ change: { kind: 'acl-entry', ...place, entry: { ...wanted, ruleNumber: number } } }];
  if (cause.ruleNumber === '*') return [];
  const shifted = shiftedEntries(entries, cause.ruleNumber, wanted);
  return shifted === undefined ? [] : [{ change: { kind: 'acl-shift', ...place, entries: shifted } }];
}

/** In front of the entry that denies; behind all, where only the final deny does. In tens and hundreds, as people number them. */
function freeNumber(entries: readonly NetworkAclEntry[], denying: number | '*'): number | undefined {
  const taken = new Set(entries.map((each) => each.ruleNumber));
  const last = entries.at(-1)?.ruleNumber ?? 0;
  const isFree = (number: number) => number >= 1 && number <= lastRuleNumber && !taken.has(number);
  if (denying === '*') {
    const next = (Math.floor(last / 100) + 1) * 100;
    return [next, last + 1].find(isFree) ?? descending(lastRuleNumber).find(isFree);
  }
  return [denying - 10, denying - 5].find(isFree) ?? descending(denying - 1).find(isFree);
}

function descending(from: number): number[] {
  return Array.from({ length: Math.max(0, from) }, (_, index) => from - index);
}

/** 1, 2, 3 are taken and 3 denies: the new one becomes 3, what was 3 becomes 4 and so on, up to the first gap. */
function shiftedEntries(
  entries: readonly NetworkAclEntry[],
  denying: number,
  wanted: Omit<NetworkAclEntry, 'ruleNumber'>,
): NetworkAclEntry[] | undefined {
  const run = entries.filter((each) => each.ruleNumber >= denying);
  const moved: NetworkAclEntry[] = [];
  for (const [index, entry] of run.entries()) {
    if (entry.ruleNumber !== denying + index) break;
    moved.push({ ...entry, ruleNumber: entry.ruleNumber + 1 });
  }
  const highest = moved.at(-1)?.ruleNumber ?? lastRuleNumber + 1;
  return highest > lastRuleNumber ? undefined : [{ ...wanted, ruleNumber: denying }, ...moved];
}

// ---- routes and gateways

function newRoute(situation: Situation): Candidate[] {
  const { network, step } = situation;
  const table = tableOf(situation);
  const vpc = network.vpc(step.vpcId);
  if (table === undefined || vpc === undefined) return [];
  return roadsTo(network, vpc, table, step.packet).map((change) => ({ change }));
}

/** The table of the step itself, or the one that led to the gateway where the packet got stuck. */
function tableOf({ network, trace, step }: Situation): RouteTableId | undefined {
  if (isTable(step.component)) return step.component;
  const at = trace.steps.indexOf(step);
  const led = trace.steps
    .slice(0, at)
    .findLast(({ stage, leg, component }) => stage === 'route' && leg === step.leg && isTable(component));
  if (led !== undefined) return led.component as RouteTableId;
  return network.holder(step.vpcId, step.packet.destination)?.routeTable.routeTableId;
}

const isTable = (id: string): id is RouteTableId => id.startsWith('rtb-');

/**
 * Every road that a table can be given towards a destination with what there is, and where a gateway endpoint or an internet gateway is all that lacks, with a new one.
 * Also for a flow that is open already and ought to go another way.
 */
export function roadsTo(network: NetworkIndex, vpc: Vpc, routeTableId: RouteTableId, packet: Packet): Change[] {
  const { destination } = packet;
  const cidr = hostCidr(destination);
  const replaces = hasRoute(network.snapshot, routeTableId, cidr);
  const route = (target: Extract<Change, { kind: 'route' }>['target']): Change => ({
    kind: 'route',
    routeTableId,
    destination: cidr,
    target,
    replaces,
  });
  const peerings = network.snapshot.peeringConnections.filter(({ requester, accepter }) => {
    const otherId =
      requester.vpcId === vpc.vpcId ? accepter.vpcId : accepter.vpcId === vpc.vpcId ? requester.vpcId : undefined;
    const other = otherId === undefined ? undefined : network.vpc(otherId);
    return [...(other?.cidrBlocks ?? []), ...(other?.ipv6CidrBlocks ?? [])].some((block) =>
      isInside(block, destination),
    );
  });
  const acrossPeering = peerings.map(({ vpcPeeringConnectionId }) =>
    route({ kind: 'peering-connection', vpcPeeringConnectionId }),
  );
  const overTransitGateway = network.snapshot.transitGateways
    .filter(({ attachments }) => attachments.some((each) => each.vpcId === vpc.vpcId))
    .filter((gateway) => attachmentTowards(network, gateway, vpc, destination) !== undefined)
    .map(({ transitGatewayId }) => route({ kind: 'transit-gateway', transitGatewayId }));
  const joined = [...acrossPeering, ...overTransitGateway];
  if (privateBlocks.some((block) => isInside(block, destination))) return joined;
  const nat64 = embeddedIpv4(destination) === undefined ? [] : vpc.natGateways;
  if (nat64.length > 0) return nat64.map(({ natGatewayId }) => route({ kind: 'nat-gateway', natGatewayId }));
  const { internetGatewayId } = vpc;
  const nat = isIpv6(destination) ? [] : vpc.natGateways.filter((each) => each.connectivityType === 'public');
  const egressOnly = isIpv6(destination) ? vpc.egressOnlyInternetGatewayIds : [];
  return [
    ...joined,
    ...endpointRoads(network, vpc, routeTableId, destination),
    ...(internetGatewayId === undefined ? [] : [route({ kind: 'internet-gateway', internetGatewayId })]),
    ...nat.map(({ natGatewayId }) => route({ kind: 'nat-gateway', natGatewayId })),
    ...egressOnly.map((id) => route({ kind: 'egress-only-internet-gateway', egressOnlyInternetGatewayId: id })),
    ...(internetGatewayId === undefined ? [{ kind: 'new-internet-gateway', vpcId: vpc.vpcId } as const] : []),
  ];
}

/** The attachment of another VPC that has the address. */
function attachmentTowards(
  network: NetworkIndex,
  { attachments }: TransitGateway,
  vpc: Vpc,
  destination: string,
): TransitGatewayAttachment | undefined {
  return attachments.find(
    ({ vpcId }) =>
      vpcId !== vpc.vpcId && network.vpc(vpcId)?.cidrBlocks.some((block) => isInside(block, destination)) === true,
  );
}

/** A route in the gateway's own table, or the table itself. */
function atTransitGateway(situation: Situation): Candidate[] {
  const { network, step } = situation;
  const { component, vpcId, packet } = step;
  const vpc = network.vpc(vpcId);
  const gateway = network.snapshot.transitGateways.find(
    ({ attachments, routeTables }) =>
      attachments.some((each) => each.transitGatewayAttachmentId === component) ||
      routeTables.some((each) => each.transitGatewayRouteTableId === component),
  );
  const own = gateway?.attachments.find((each) => each.vpcId === vpcId);
  if (vpc === undefined || gateway === undefined || own === undefined)
    return [...earlierTransitRoute(situation), ...newRoute(situation)];
  if (step.code === 'TGW_ATTACH_MISSING_TGW_RTB_ASSOCIATION')
    return gateway.routeTables.map(({ transitGatewayRouteTableId }) => ({
      change: {
        kind: 'transit-gateway-association',
        vpcId,
        transitGatewayRouteTableId,
        transitGatewayAttachmentId: own.transitGatewayAttachmentId,
      },
    }));
  const table = gateway.routeTables.find((each) => each.transitGatewayRouteTableId === component);
  const next = attachmentTowards(network, gateway, vpc, packet.destination);
  if (table === undefined || next === undefined) return newRoute(situation);
  const destination = hostCidr(packet.destination);
  return [
    {
      change: {
        kind: 'transit-gateway-route',
        vpcId,
        transitGatewayRouteTableId: table.transitGatewayRouteTableId,
        destination,
        transitGatewayAttachmentId: next.transitGatewayAttachmentId,
        replaces: table.routes.some(({ cidr }) => cidr === destination),
      },
    },
  ];
}

/** Stuck in a VPC that a transit gateway led it to: the gateway's table could have led it to the right one. */
function earlierTransitRoute(situation: Situation): Candidate[] {
  const { trace, step } = situation;
  const led = trace.steps
    .slice(0, trace.steps.indexOf(step))
    .findLast(
      ({ stage, leg, cause }) =>
        leg === step.leg && stage === 'transit-gateway' && cause.kind === 'transit-gateway-route',
    );
  return led === undefined || led.packet.destination !== step.packet.destination
    ? []
    : [...atTransitGateway({ ...situation, step: led })];
}

function endpointRoads(network: NetworkIndex, vpc: Vpc, routeTableId: RouteTableId, destination: string): Change[] {
  const holds = (id: `pl-${string}`) => network.prefixList(id).some((cidr) => isInside(cidr, destination));
  const existing = vpc.gatewayEndpoints.filter(({ prefixListId }) => holds(prefixListId));
  if (existing.length > 0)
    // One that this very plan makes is in its table already.
    return existing
      .filter(({ vpcEndpointId }) => vpcEndpointId !== newEndpointId)
      .map(({ vpcEndpointId, prefixListId }) => ({
        kind: 'endpoint-route-table',
        vpcEndpointId,
        prefixListId,
        routeTableId,
      }));
  const list = network.snapshot.prefixLists.find(({ prefixListId }) => holds(prefixListId));
  const known = list && awsPrefixList(list.prefixListId);
  // A gateway endpoint is for its own Region's service (W2).
  if (known === undefined || known.region !== vpc.region) return [];
  const { service, prefixListId } = known;
  return [{ kind: 'new-gateway-endpoint', vpcId: vpc.vpcId, service, prefixListId, routeTableId }];
}

function atInternetGateway(situation: Situation): Candidate[] {
  const { network, step } = situation;
  switch (step.code) {
    case 'VPC_BLOCK_PUBLIC_ACCESS_ENABLED':
      return publicAccess(situation);
    case 'IGW_PUBLIC_IP_ASSOCIATION_FOR_EGRESS': {
      const holder = network.holder(step.vpcId, step.packet.source);
      // What a gateway or an endpoint has is theirs to say.
      const networkInterfaceId = holder?.eni.service === undefined ? holder?.eni.networkInterfaceId : undefined;
      const own: Candidate[] =
        // One in a plan: two of them could not be told apart before they are there.
        networkInterfaceId === undefined || network.publicHolder(newElasticIp) !== undefined
          ? []
          : [{ change: { kind: 'elastic-ip', networkInterfaceId, address: step.packet.source } }];
      return [...newRoute(situation), ...own];
    }
    case 'IGW_PRIVATE_IP_ASSOCIATION_FOR_INGRESS': {
      const vpc = network.vpc(step.vpcId);
      return vpc === undefined || vpc.internetGatewayId !== undefined
        ? []
        : [{ change: { kind: 'new-internet-gateway', vpcId: vpc.vpcId } }];
    }
    case 'NO_ROUTE_TO_DESTINATION':
      return wayBack(situation);
    default:
      return newRoute(situation);
  }
}

/** What came in by the gateway must find back to it (I3). */
function wayBack({ network, step: { packet, vpcId } }: Situation): Candidate[] {
  const holder = network.holder(vpcId, packet.destination);
  const internetGatewayId = holder?.vpc.internetGatewayId;
  if (holder === undefined || internetGatewayId === undefined) return [];
  const { routeTableId } = holder.routeTable;
  const destination = hostCidr(packet.source);
  const replaces = hasRoute(network.snapshot, routeTableId, destination);
  const target = { kind: 'internet-gateway', internetGatewayId } as const;
  return [{ change: { kind: 'route', routeTableId, destination, target, replaces } }];
}

function publicAccess({ network, step: { packet, vpcId } }: Situation): Candidate[] {
  const inside = network.holder(vpcId, packet.source) ?? network.holder(vpcId, packet.destination);
  if (inside?.subnet.blockPublicAccess === undefined) return [];
  const { subnetId, publicAccessExclusionId: exclusionId } = inside.subnet;
  return (['allow-egress', 'allow-bidirectional'] as const).map((mode) => ({
    change: { kind: 'public-access-exclusion', subnetId, mode, ...(exclusionId !== undefined && { exclusionId }) },
  }));
}

function sourceDestCheckOff({ network, step }: Situation): Candidate[] {
  if (step.code !== 'ENI_SOURCE_DEST_CHECK_RESTRICTION' && step.code !== 'ENI_ADDRESS_RESTRICTION') return [];
  const placed = network.networkInterface(step.component as `eni-${string}`);
  return placed === undefined || placed.eni.service !== undefined || !placed.eni.sourceDestCheck
    ? []
    : [{ change: { kind: 'no-source-dest-check', networkInterfaceId: placed.eni.networkInterfaceId } }];
}

/** One address as a block. */
export function hostCidr(address: string): Cidr {
  return `${address}/${isIpv6(address) ? 128 : 32}`;
}

/** Whether a table has a route for exactly this block. */
export function hasRoute({ vpcs }: Snapshot, routeTableId: RouteTableId, cidr: Cidr): boolean {
  const table = vpcs.flatMap((vpc) => vpc.routeTables).find((each) => each.routeTableId === routeTableId);
  return table?.routes.some(({ destination }) => destination.kind === 'cidr' && destination.cidr === cidr) === true;
}
