// Does this walk answer the question, and if not, why? What stands in a packet's way is the walk's to say; this adds what the question wanted of its road and
// of its end, and the two limits that are the analyzer's own: packets do pass there, and an analysis says that it does not look (docs/reachability.md).

import type { PortRange, RouteTableId } from '../snapshot.ts';
import { targetName } from '../walk/explain.ts';
import { bestRoute } from '../walk/matching.ts';
import type { NetworkIndex } from '../walk/network-index.ts';
import type { Packet } from '../walk/packet.ts';
import type { Step, Trace } from '../walk/trace.ts';
import { type Explanation, explainBlocker } from './explanation.ts';
import type { Place, Question } from './question.ts';
import { explainOtherRoute, soughtTargets } from './routing.ts';

export interface Verdict {
  /** The packet came to the end that was asked for, whatever stood in its way. */
  readonly isThere: boolean;
  /** Empty: this is a path. */
  readonly reasons: readonly Explanation[];
}

/** @param packet as it leaves the source */
export function judge(network: NetworkIndex, question: Question, packet: Packet, trace: Trace): Verdict {
  const isThere = arrivesAt(question.destination, trace);
  const end = idOf(question.destination);
  const reasons: Explanation[] = trace.blockers.map((step) => {
    if (step.leg === 'forward' && step.stage === 'route' && step.cause.kind === 'no-route') {
      const other = explainOtherRoute(network, step, soughtTargets(network, question, step.vpcId), end);
      if (other !== undefined) return other;
    }
    const explained = explainBlocker(network, step, step.leg === 'forward' ? end : question.source.id);
    const isUnseen = step.stage === 'peering' && explained.code === 'NO_POSSIBLE_DESTINATION';
    return isUnseen && question.destination.kind === 'address'
      ? { ...explained, code: 'UNKNOWN_DESTINATION' }
      : explained;
  });
  reasons.push(...roadReasons(network, question, trace, isThere), ...filterReasons(question, packet, trace));
  if (isThere) reasons.push(...analyzerLimits(network, trace));
  if (!isThere && reasons.length === 0) reasons.push({ code: 'NO_PATH', destination: end });
  return { isThere, reasons };
}

export function idOf(place: Place): string | undefined {
  return place.kind === 'address' ? undefined : place.id;
}

function arrivesAt(destination: Place, { arrival, steps }: Trace): boolean {
  if (arrival === undefined) return false;
  switch (destination.kind) {
    case 'address':
      return true;
    case 'interfaces':
      if (arrival.kind === 'vpc-endpoint')
        return passes(steps).some((id) => isOneOf(destination.networkInterfaceIds, id));
      return (
        (arrival.kind === 'network-interface' || arrival.kind === 'load-balancer') &&
        destination.networkInterfaceIds.includes(arrival.networkInterfaceId)
      );
    case 'internet-gateway':
      return arrival.kind === 'internet' && lastGateway(steps)?.component === destination.id;
    case 'peering-connection':
      return arrival.kind === 'peering-connection' && arrival.vpcPeeringConnectionId === destination.id;
    case 'vpc-endpoint':
      return arrival.kind === 'vpc-endpoint' && arrival.vpcEndpointId === destination.id;
  }
}

const isOneOf = (ids: readonly string[], id: string) => ids.includes(id);
const forward = (steps: readonly Step[]) => steps.filter((step) => step.leg === 'forward');

function lastGateway(steps: readonly Step[]): Step | undefined {
  return forward(steps).findLast((step) => step.stage === 'igw-egress' && step.verdict === 'pass');
}

/** Ids of everything that the packet passed on its way there. */
export function passes(steps: readonly Step[]): string[] {
  return forward(steps).flatMap(({ component, cause, subnetId, vpcId }) => {
    const target = cause.kind === 'route' ? [targetName(cause.route.target)] : [];
    return [component, vpcId, ...target, ...(subnetId === undefined ? [] : [subnetId])];
  });
}

/** The road is not the one that was asked for. */
function roadReasons(network: NetworkIndex, question: Question, trace: Trace, isThere: boolean): Explanation[] {
  const passed = new Set(passes(trace.steps));
  const removed = question.without.filter((id) => passed.has(id));
  const missed = question.through.filter((id) => !passed.has(id));
  const reasons: Explanation[] = [
    ...removed.map((component) => ({ code: 'COMPONENT_FILTER_RESTRICTION_REMOVED_COMPONENT', component }) as const),
    ...missed.map((component) => ({ code: 'COMPONENT_FILTER_RESTRICTION', component }) as const),
  ];
  if (isThere && missed.length === 0) return reasons;
  // What must be passed is missed at the first table; the end, at the last: gateways and middleboxes on the way have tables of their own.
  const routed = forward(trace.steps).filter((each) => each.cause.kind === 'route');
  const step = missed.length > 0 ? routed[0] : routed.at(-1);
  if (step === undefined) return reasons;
  const targets = soughtTargets(network, missed.length > 0 ? { ...question, through: missed } : question, step.vpcId);
  const end = missed[0] ?? idOf(question.destination);
  const other = targets.length === 0 ? undefined : explainOtherRoute(network, step, targets, end);
  return other === undefined ? reasons : [...reasons, other];
}

/** The header is not the one that was asked for, at one end or the other. */
function filterReasons(
  { source, destination, atSource, atDestination }: Question,
  sent: Packet,
  trace: Trace,
): Explanation[] {
  const reasons: Explanation[] = [];
  const isSpoofed = trace.blockers.some((step) => step.leg === 'forward' && step.stage === 'eni-address');
  if (isSpoofed && atSource.sourceAddress !== undefined && source.kind === 'interfaces')
    reasons.push({ code: 'FILTER_AT_SOURCE_SOURCE_ADDRESS', address: atSource.sourceAddress });
  if (atSource.destinationAddress !== undefined && destination.kind !== 'address' && !arrivesAt(destination, trace))
    reasons.push({ code: 'FILTER_AT_SOURCE_DESTINATION_ADDRESS', address: atSource.destinationAddress });
  const nat = forward(trace.steps).find((step) => step.stage === 'nat-gateway' && step.cause.kind === 'translation');
  const natGateway = nat?.component;
  const arrived = trace.arrivedAs;
  const want = atDestination.sourceAddress;
  if (arrived !== undefined && want !== undefined && arrived.source !== want) {
    reasons.push({ code: 'FILTER_AT_DESTINATION_SOURCE_ADDRESS', address: want });
    if (nat?.cause.kind === 'translation')
      reasons.push({ code: 'NGW_SOURCE_ADDRESS_REASSIGN', natGateway, address: nat.cause.to, vpc: nat.vpcId });
  }
  const wantTo = atDestination.destinationAddress;
  if (arrived !== undefined && wantTo !== undefined && arrived.destination !== wantTo) {
    reasons.push({ code: 'FILTER_AT_DESTINATION_DESTINATION_ADDRESS', address: wantTo });
    if (nat !== undefined)
      reasons.push({ code: 'NGW_DEST_ADDRESS_PRESERVATION', natGateway, address: sent.destination, vpc: nat.vpcId });
  }
  const ports = atDestination.destinationPorts;
  if (ports !== undefined && !has(ports, sent.destinationPort)) {
    reasons.push({ code: 'FILTER_AT_DESTINATION_DESTINATION_PORT_RANGE', portRanges: [ports] });
    const { destinationPorts } = atSource;
    if (destinationPorts !== undefined)
      reasons.push({ code: 'FILTER_AT_SOURCE_DESTINATION_PORT_RANGE', portRanges: [destinationPorts] });
  }
  const sourcePorts = atDestination.sourcePorts;
  if (sourcePorts !== undefined && nat !== undefined && !overlap(sourcePorts, ephemeralPorts)) {
    reasons.push({ code: 'FILTER_AT_DESTINATION_SOURCE_PORT_RANGE', portRanges: [sourcePorts] });
    reasons.push({ code: 'REMAP_EPHEMERAL_PORT', natGateway, portRanges: [ephemeralPorts], vpc: nat.vpcId });
  }
  if (sourcePorts !== undefined && nat === undefined && !has(sourcePorts, sent.sourcePort)) {
    reasons.push({ code: 'FILTER_AT_DESTINATION_SOURCE_PORT_RANGE', portRanges: [sourcePorts] });
    if (atSource.sourcePorts !== undefined)
      reasons.push({ code: 'FILTER_AT_SOURCE_SOURCE_PORT_RANGE', portRanges: [atSource.sourcePorts] });
  }
  return reasons;
}

/** What a NAT gateway gives as source ports (G5). */
export const ephemeralPorts: PortRange = { from: 1024, to: 65_535 };

function has({ from, to }: PortRange, port: number | undefined): boolean {
  return port !== undefined && from <= port && port <= to;
}

function overlap(a: PortRange, b: PortRange): boolean {
  return a.from <= b.to && b.from <= a.to;
}

function analyzerLimits(network: NetworkIndex, { steps }: Trace): Explanation[] {
  const reasons: Explanation[] = [];
  const there = forward(steps).filter((step) => step.verdict === 'pass');
  const out = there.findIndex((step) => step.stage === 'igw-egress');
  const back = there.findIndex((step, index) => index > out && step.stage === 'igw-ingress');
  const gateway = there[out];
  if (gateway !== undefined && back > out)
    reasons.push({ code: 'IGW_NAT_REFLECTION', internetGateway: gateway.component, vpc: gateway.vpcId });
  for (const [index, step] of steps.entries()) {
    if (step.stage !== 'igw-egress' || step.verdict !== 'pass') continue;
    const redirection = redirected(network, steps, index);
    if (redirection !== undefined) reasons.push(redirection);
  }
  return reasons;
}

/** The edge table sends what comes in for this sender to a middlebox, and what it sends goes out past the box. */
function redirected(network: NetworkIndex, steps: readonly Step[], index: number): Explanation | undefined {
  const step = steps[index];
  const vpc = step === undefined ? undefined : network.vpc(step.vpcId);
  const edge = vpc?.routeTables.find((each) => each.routeTableId === vpc.gatewayRouteTableId);
  if (step === undefined || edge === undefined) return undefined;
  const route = bestRoute(network, edge, step.packet.source);
  if (route?.target.kind !== 'network-interface') return undefined;
  const box = network.networkInterface(route.target.networkInterfaceId);
  if (box === undefined || box.eni.privateAddresses.some(({ address }) => address === step.packet.source))
    return undefined;
  const legBefore = steps.slice(0, index).filter((each) => each.leg === step.leg);
  if (legBefore.some((each) => each.component === box.eni.networkInterfaceId)) return undefined;
  const table = legBefore.findLast((each) => each.cause.kind === 'route');
  return {
    code: 'INGRESS_RTB_TRAFFIC_REDIRECTION',
    ingressRouteTable: edge.routeTableId,
    subnetRouteTable: table?.component as RouteTableId | undefined,
    networkInterface: box.eni.networkInterfaceId,
    subnet: table?.subnetId,
    vpc: step.vpcId,
    internetGateway: step.component,
  };
}
