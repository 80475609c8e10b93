// A packet took another road than the one that would have led to the end that was asked for. Why, of the table that decided?

import { cidrRange } from '../cidr.ts';
import type { Cidr, Route, RouteTable, RouteTarget } from '../snapshot.ts';
import { targetName } from '../walk/explain.ts';
import { isInside } from '../walk/matching.ts';
import type { NetworkIndex } from '../walk/network-index.ts';
import type { Step } from '../walk/trace.ts';
import type { Explanation } from './explanation.ts';
import { type Question, vpcsOf } from './question.ts';

/**
 * The targets of routes, by their ids or `local`, that would lead a packet of one VPC towards the end or towards what it must pass.
 * @returns empty when nothing joins the VPC and the end
 */
export function soughtTargets(network: NetworkIndex, question: Question, vpcId: `vpc-${string}`): readonly string[] {
  const { destination, through } = question;
  const routable = through.filter((id) => /^(nat|igw|pcx|vpce|eni|tgw)-/.test(id));
  if (routable.length > 0) return routable;
  switch (destination.kind) {
    case 'address':
      return [];
    case 'internet-gateway':
      return destination.vpcId === vpcId ? [destination.id] : [];
    case 'peering-connection':
      return destination.vpcIds.includes(vpcId) ? [destination.id] : [];
    case 'vpc-endpoint': {
      const isGateway = network.vpc(vpcId)?.gatewayEndpoints.some((each) => each.vpcEndpointId === destination.id);
      return isGateway === true ? [destination.id] : towards(network, vpcId, destination.vpcId);
    }
    case 'interfaces':
      return towards(network, vpcId, destination.vpcId);
  }
}

function towards(network: NetworkIndex, from: `vpc-${string}`, to: `vpc-${string}`): readonly string[] {
  return from === to ? ['local'] : joinsBetween(network, from, to);
}

/** Active peering connections of two VPCs, and transit gateways that both are attached to. */
export function joinsBetween(network: NetworkIndex, a: `vpc-${string}`, b: `vpc-${string}`): readonly string[] {
  const { peeringConnections, transitGateways } = network.snapshot;
  const peerings = peeringConnections.filter(({ requester, accepter }) => {
    const both = [requester.vpcId, accepter.vpcId];
    return both.includes(a) && both.includes(b);
  });
  const gateways = transitGateways.filter(({ attachments }) =>
    [a, b].every((vpcId) => attachments.some((each) => each.vpcId === vpcId)),
  );
  return [...peerings.map((each) => each.vpcPeeringConnectionId), ...gateways.map((each) => each.transitGatewayId)];
}

/** Whether something joins two places: the same VPC, a peering or a transit gateway. */
export function areJoined(network: NetworkIndex, { source, destination }: Question): boolean {
  const [from, to] = [vpcsOf(source), vpcsOf(destination)];
  if (to.length === 0) return true;
  return from.some((a) => to.some((b) => a === b || joinsBetween(network, a, b).length > 0));
}

/** Why the table at `step` did not send the packet to any of the targets, by the route that it took or for want of one. Undefined: it did. */
export function explainOtherRoute(
  network: NetworkIndex,
  step: Step,
  targets: readonly string[],
  destination: string | undefined,
): Explanation | undefined {
  const { cause, packet, vpcId: vpc } = step;
  const taken = cause.kind === 'route' ? cause.route : undefined;
  if (taken === undefined && cause.kind !== 'no-route') return undefined;
  if (taken !== undefined && targets.includes(targetName(taken.target))) return undefined;
  const table = tableOf(network, step);
  if (table === undefined) return undefined;
  const wanted = table.routes.filter((route) => targets.includes(targetName(route.target)));
  const base = { routeTable: table.routeTableId, vpc, destination: destination ?? targets[0] };
  const [first] = wanted;
  if (first === undefined) return taken === undefined ? undefined : { code: 'NO_ROUTE_TO_DESTINATION', ...base };
  const matching = wanted.find((route) => cidrsOf(network, route).some((cidr) => isInside(cidr, packet.destination)));
  if (matching === undefined)
    return {
      code: first.target.kind === 'local' ? 'VPC_LOCAL_ROUTE_CIDR_RESTRICTION' : 'CANNOT_ROUTE',
      ...base,
      route: first,
      address: packet.destination,
      ...(first.target.kind === 'local' && { cidrs: network.vpc(vpc)?.cidrBlocks }),
    };
  if (matching.state === 'blackhole') return { code: 'BAD_STATE_ROUTE', ...base, route: matching };
  if (taken === undefined) return undefined;
  const [length, other] = [taken, matching].map((route) => lengthFor(network, route, packet.destination));
  const code = length === other ? 'HIGHER_PRIORITY_ROUTE' : 'MORE_SPECIFIC_ROUTE';
  return { code, ...base, route: matching, address: packet.destination, cidrs: cidrsOf(network, taken) };
}

export function tableOf(network: NetworkIndex, { vpcId, component }: Step): RouteTable | undefined {
  return network.vpc(vpcId)?.routeTables.find((each) => each.routeTableId === component);
}

export function cidrsOf(network: NetworkIndex, { destination }: Route): readonly Cidr[] {
  return destination.kind === 'cidr' ? [destination.cidr] : network.prefixList(destination.prefixListId);
}

/** The longest of its prefixes that has the address. */
function lengthFor(network: NetworkIndex, route: Route, address: string): number {
  const lengths = cidrsOf(network, route)
    .filter((cidr) => isInside(cidr, address))
    .map((cidr) => 32 - Math.log2(cidrRange(cidr).last - cidrRange(cidr).first + 1));
  return Math.max(-1, ...lengths);
}

/** The component that a route leads to, where it is one. */
export function targetId(target: RouteTarget): string | undefined {
  return target.kind === 'local' ? undefined : targetName(target);
}
