// One way of a walk as the list of components that an analysis shows: ends, interfaces, groups, ACLs, route tables, gateways, each with the rule or route
// that let the packet pass, and with the header where it begins, ends or is changed.
// Shape: https://docs.aws.amazon.com/vpc/latest/reachability/getting-started-cli.html, example 2 (read 2026-11-21)

import type { Cidr, PortRange, Route, SecurityGroupRule, TransitGatewayRoute } from '../snapshot.ts';
import { targetName } from '../walk/explain.ts';
import type { NetworkIndex, PlacedInterface } from '../walk/network-index.ts';
import type { Step, Trace } from '../walk/trace.ts';
import { type AclRule, decidingRule } from './explanation.ts';
import type { Place, Question } from './question.ts';

/** Sets, because one path is that of many packets. */
export interface Header {
  readonly protocol: number;
  readonly sourceAddresses: readonly Cidr[];
  readonly sourcePorts: readonly PortRange[];
  readonly destinationAddresses: readonly Cidr[];
  readonly destinationPorts: readonly PortRange[];
}

export interface LegHeaders {
  /** As it leaves the source, and as it comes to the destination. */
  readonly sent: Header;
  readonly arrived: Header;
}

/** Members are AWS ids. */
export interface Hop {
  readonly component: string;
  readonly attachedTo?: string;
  readonly vpc?: string;
  readonly subnet?: string;
  readonly sourceVpc?: string;
  readonly destinationVpc?: string;
  readonly aclRule?: AclRule;
  readonly securityGroupRule?: { readonly rule: SecurityGroupRule; readonly direction: 'ingress' | 'egress' };
  readonly route?: Route;
  readonly inbound?: Partial<Header>;
  readonly outbound?: Partial<Header>;
  readonly serviceName?: string;
  readonly transitGateway?: string;
  readonly transitGatewayRoute?: TransitGatewayRoute;
  /** Additional detail codes. */
  readonly details?: readonly 'AVAILABILITY_ZONE_CROSSED'[];
}

/** The components of one way of a walk that nothing stopped, in order. */
export function hopsOf(
  network: NetworkIndex,
  question: Question,
  trace: Trace,
  leg: Step['leg'],
  headers: LegHeaders,
): Hop[] {
  const { source, destination } = question;
  const there = leg === 'forward';
  const first = there ? headers.sent : reversed(headers.arrived);
  const last = there ? headers.arrived : reversed(headers.sent);
  const steps = inOrder(trace.steps.filter((step) => step.leg === leg));
  const passed = steps.flatMap((step) => hopsOfStep(network, trace, step));
  const ends = there ? { from: source, to: destination } : { from: destination, to: source };
  const hops = merged([
    ...endHops(network, ends.from, passed, 'from'),
    ...passed,
    ...endHops(network, ends.to, passed, 'to'),
  ]);
  return withZones(network, withHeaders(hops, first, last));
}

/** The route table is shown after the ACL at the edge that the packet leaves by. */
function inOrder(steps: readonly Step[]): Step[] {
  const result = [...steps];
  for (let at = 0; at + 1 < result.length; at++) {
    const [a, b] = [result[at], result[at + 1]];
    if (a?.stage === 'route' && b?.stage === 'acl-egress') [result[at], result[at + 1]] = [b, a];
  }
  return result;
}

function hopsOfStep(network: NetworkIndex, trace: Trace, step: Step): Hop[] {
  const { component, cause, vpcId: vpc, subnetId } = step;
  switch (step.stage) {
    case 'sg-egress':
      return [...interfaceHops(network, component), ...groupHops(network, trace, step)];
    case 'sg-ingress':
      return [...groupHops(network, trace, step), ...interfaceHops(network, component)];
    case 'acl-egress':
    case 'acl-ingress': {
      const aclRule = decidingRule(network, step);
      return [{ component, vpc, ...(subnetId && { subnet: subnetId }), ...(aclRule && { aclRule }) }];
    }
    case 'route':
      return cause.kind === 'route'
        ? [{ component, vpc, route: cause.route }, ...beyond(network, vpc, cause.route)]
        : [];
    case 'nat-gateway':
      return natHops(network, step);
    case 'transit-gateway':
      return transitHops(network, step);
    case 'igw-egress':
    case 'igw-ingress': {
      if (cause.kind !== 'translation') return [];
      const changed: Cidr[] = [`${cause.to}/32`];
      const outbound = step.stage === 'igw-egress' ? { sourceAddresses: changed } : { destinationAddresses: changed };
      return [{ component, vpc, outbound }];
    }
    default:
      return [];
  }
}

/** Components that leave no step of their own when they let a packet pass. */
function beyond(network: NetworkIndex, vpcId: `vpc-${string}`, { target }: Route): Hop[] {
  if (target.kind === 'peering-connection') {
    const peering = network.peering(target.vpcPeeringConnectionId);
    const ids = peering === undefined ? [] : [peering.requester.vpcId, peering.accepter.vpcId];
    const other = ids.find((id) => id !== vpcId);
    return [{ component: targetName(target), sourceVpc: vpcId, ...(other && { destinationVpc: other }) }];
  }
  if (target.kind !== 'gateway-endpoint') return [];
  const vpc = network.vpc(vpcId);
  const endpoint = vpc?.gatewayEndpoints.find((each) => each.vpcEndpointId === target.vpcEndpointId);
  const serviceName = endpoint && vpc ? `com.amazonaws.${vpc.region}.${endpoint.service}` : undefined;
  return [{ component: target.vpcEndpointId, vpc: vpcId, ...(serviceName && { serviceName }) }];
}

function groupHops(network: NetworkIndex, trace: Trace, step: Step): Hop[] {
  const { cause, component, vpcId, stage } = step;
  const direction = stage === 'sg-egress' ? 'egress' : 'ingress';
  if (cause.kind === 'security-group-rule') {
    const group = network.vpc(vpcId)?.securityGroups.find((each) => each.groupId === cause.groupId);
    const rule = group?.[direction].find((each) => each.ruleId === cause.ruleId);
    return [{ component: cause.groupId, vpc: vpcId, ...(rule && { securityGroupRule: { rule, direction } }) }];
  }
  // A reply passes by the group that let the flow begin, and no rule is asked.
  const begun = trace.steps.find((each) => each.component === component && each.cause.kind === 'security-group-rule');
  return begun?.cause.kind === 'security-group-rule' ? [{ component: begun.cause.groupId, vpc: vpcId }] : [];
}

function interfaceHops(network: NetworkIndex, id: string): Hop[] {
  const placed = network.networkInterface(id as `eni-${string}`);
  if (placed === undefined) return [];
  const owner = ownerOf(placed);
  const { vpc, subnet } = placed;
  return [{ component: id, vpc: vpc.vpcId, subnet: subnet.subnetId, ...(owner && { attachedTo: owner }) }];
}

function ownerOf({ eni: { attachment, service } }: PlacedInterface): string | undefined {
  if (attachment !== undefined) return attachment.instanceId;
  switch (service?.kind) {
    case 'nat-gateway':
      return service.natGatewayId;
    case 'vpc-endpoint':
      return service.vpcEndpointId;
    case 'instance-connect-endpoint':
      return service.instanceConnectEndpointId;
    case 'network-load-balancer':
      return service.loadBalancerId;
    case 'transit-gateway':
      return service.transitGatewayAttachmentId;
    case undefined:
      return undefined;
  }
}

function natHops(network: NetworkIndex, { component, cause, vpcId, packet }: Step): Hop[] {
  if (cause.kind !== 'translation') return [];
  const gateway = network.vpc(vpcId)?.natGateways.find((each) => each.natGatewayId === component);
  const card = gateway === undefined ? [] : interfaceHops(network, gateway.networkInterfaceId);
  const changed: Cidr[] = [`${cause.to}/32`];
  const outbound: Partial<Header> =
    packet.source === cause.from
      ? { sourceAddresses: changed, sourcePorts: [{ from: 1024, to: 65_535 }] }
      : { destinationAddresses: changed };
  const [placed] = card;
  return [...card, { component, vpc: vpcId, ...(placed?.subnet && { subnet: placed.subnet }), outbound }];
}

/** The attachment that the packet came by, the gateway's table, and the attachment that it leaves by. */
function transitHops(network: NetworkIndex, { component, cause, vpcId }: Step): Hop[] {
  if (cause.kind !== 'transit-gateway-route') return [];
  const gateway = network.snapshot.transitGateways.find(({ routeTables }) =>
    routeTables.some((each) => each.transitGatewayRouteTableId === component),
  );
  const own = gateway?.attachments.find((each) => each.vpcId === vpcId);
  const next = gateway?.attachments.find(
    (each) => each.transitGatewayAttachmentId === cause.route.transitGatewayAttachmentId,
  );
  if (gateway === undefined || own === undefined || next === undefined) return [];
  const { transitGatewayId: transitGateway } = gateway;
  return [
    { component: own.transitGatewayAttachmentId, transitGateway, vpc: vpcId },
    { component, transitGateway, transitGatewayRoute: cause.route },
    { component: next.transitGatewayAttachmentId, transitGateway, vpc: next.vpcId },
  ];
}

/** An end that is no interface, and so no step has named. */
function endHops(network: NetworkIndex, place: Place, passed: readonly Hop[], side: 'from' | 'to'): Hop[] {
  const edge = side === 'from' ? passed[0] : passed.at(-1);
  switch (place.kind) {
    case 'address':
      return [];
    case 'interfaces':
      // A path from or to an instance has the instance at its end, and one of an interface the interface.
      return place.id.startsWith('i-') ? [{ component: place.id, vpc: place.vpcId }] : [];
    case 'internet-gateway':
      return edge?.component === place.id ? [] : [{ component: place.id, vpc: place.vpcId }];
    case 'vpc-endpoint': {
      if (edge?.component === place.id) return [];
      const vpc = network.vpc(place.vpcId);
      const endpoint = vpc?.interfaceEndpoints.find((each) => each.vpcEndpointId === place.id);
      const serviceName = endpoint && `com.amazonaws.${endpoint.serviceRegion}.${endpoint.service}`;
      return [{ component: place.id, vpc: place.vpcId, ...(serviceName && { serviceName }) }];
    }
    case 'peering-connection': {
      if (edge?.component === place.id) return [];
      const inside = edge?.vpc;
      const other = place.vpcIds.find((id) => id !== inside);
      const [sourceVpc, destinationVpc] = side === 'from' ? [other, inside] : [inside, other];
      return [{ component: place.id, ...(sourceVpc && { sourceVpc }), ...(destinationVpc && { destinationVpc }) }];
    }
  }
}

/** One component that two steps name in a row is one hop: a middlebox's interface is passed in and out. */
function merged(hops: readonly Hop[]): Hop[] {
  const result: Hop[] = [];
  for (const hop of hops) {
    const before = result.at(-1);
    if (before?.component === hop.component) result[result.length - 1] = { ...before, ...hop };
    else result.push(hop);
  }
  return result;
}

function withHeaders(hops: readonly Hop[], first: Header, last: Header): Hop[] {
  return hops.map((hop, index) => {
    const isGateway = hop.component.startsWith('igw-');
    // A gateway that begins a path shows what came in and what it made of it; anything else, what it sends.
    const begin = index > 0 ? {} : isGateway ? { inbound: first } : { outbound: first };
    const end = index < hops.length - 1 ? {} : isGateway ? { outbound: last } : { inbound: last };
    return { ...hop, ...begin, ...end };
  });
}

/** Says where the path goes into another Availability Zone: at the first interface there. */
function withZones(network: NetworkIndex, hops: readonly Hop[]): Hop[] {
  let before: string | undefined;
  return hops.map((hop) => {
    const subnet = network.vpc(hop.vpc as `vpc-${string}`)?.subnets.find((each) => each.subnetId === hop.subnet);
    if (subnet === undefined || !hop.component.startsWith('eni-')) return hop;
    const isCrossed = before !== undefined && before !== subnet.availabilityZone;
    before = subnet.availabilityZone;
    return isCrossed ? { ...hop, details: ['AVAILABILITY_ZONE_CROSSED'] } : hop;
  });
}

export function reversed(header: Header): Header {
  return {
    protocol: header.protocol,
    sourceAddresses: header.destinationAddresses,
    sourcePorts: header.destinationPorts,
    destinationAddresses: header.sourceAddresses,
    destinationPorts: header.sourcePorts,
  };
}
