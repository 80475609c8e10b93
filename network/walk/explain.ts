// A step of a walk in words a person reads. The code and the ids are there beside them; this says what they mean here.

import type { Cidr, Route, RouteTarget, SecurityGroupRule } from '../snapshot.ts';
import type { NetworkIndex } from './network-index.ts';
import type { Arrival, Step } from './trace.ts';

/** One sentence without its full stop. */
export function explainStep(network: NetworkIndex, step: Step): string {
  const { cause, packet, verdict } = step;
  switch (cause.kind) {
    case 'security-group-rule':
      return `${cause.groupId}, rule ${cause.ruleId}, allows ${ruleWords(network, step, cause.groupId, cause.ruleId)}`;
    case 'security-groups':
      return `no ${step.stage === 'sg-ingress' ? 'inbound' : 'outbound'} rule of ${cause.groupIds.join(', ')} allows ${packetWords(step)}`;
    case 'tracked':
      return 'a reply, which passes once the flow has begun';
    case 'acl-entry':
      return cause.ruleNumber === '*'
        ? `no rule allows ${packetWords(step)}`
        : `rule ${cause.ruleNumber} ${verdict === 'pass' ? 'allows' : 'denies'} it`;
    case 'route':
      return `${destinationOf(cause.route)} → ${targetName(cause.route.target)}${verdict === 'pass' ? '' : ', a blackhole'}`;
    case 'no-route':
      return step.stage === 'igw-ingress'
        ? `the way back to ${packet.source} is not by the internet gateway`
        : `no route to ${packet.destination}`;
    case 'transit-gateway-route': {
      const { cidr, transitGatewayAttachmentId: id } = cause.route;
      if (id === undefined) return `${cidr}, a blackhole`;
      return `${cidr} → ${id}${cause.isBack ? ', where it came from' : ''}`;
    }
    case 'same-subnet':
      return 'inside one subnet there is no route and no network ACL';
    case 'translation':
      return `${cause.from} becomes ${cause.to}`;
    case 'component':
      return cause.because;
  }
}

const protocolNames: Readonly<Record<number, string>> = { 1: 'icmp', 6: 'tcp', 17: 'udp', 58: 'icmpv6' };
const protocolName = (protocol: number) => (protocol === -1 ? 'all' : (protocolNames[protocol] ?? String(protocol)));

/** `tcp 443 from 10.0.0.5 to 10.0.1.7` */
export function packetWords({ packet }: Pick<Step, 'packet'>): string {
  const port = packet.destinationPort === undefined ? '' : ` ${packet.destinationPort}`;
  return `${protocolName(packet.protocol)}${port} from ${packet.source} to ${packet.destination}`;
}

function ruleWords(network: NetworkIndex, step: Step, groupId: string, ruleId: string): string {
  const direction = step.stage === 'sg-ingress' ? 'ingress' : 'egress';
  for (const vpc of network.snapshot.vpcs) {
    const group = vpc.securityGroups.find((each) => each.groupId === groupId);
    const rule = group?.[direction].find((each) => each.ruleId === ruleId);
    if (rule !== undefined)
      return `${portWords(rule)} ${direction === 'ingress' ? 'from' : 'to'} ${peerWords(rule.peer)}`;
  }
  return packetWords(step);
}

function portWords({ protocol, ports }: SecurityGroupRule): string {
  if (ports === undefined || (ports.from === 0 && ports.to === 65_535)) return protocolName(protocol);
  return `${protocolName(protocol)} ${ports.from === ports.to ? ports.from : `${ports.from}–${ports.to}`}`;
}

function peerWords(peer: SecurityGroupRule['peer']): string {
  switch (peer.kind) {
    case 'cidr':
      return peer.cidr;
    case 'prefix-list':
      return peer.prefixListId;
    case 'security-group':
      return peer.groupId;
  }
}

function destinationOf({ destination }: Route): Cidr | string {
  return destination.kind === 'cidr' ? destination.cidr : destination.prefixListId;
}

/** The AWS id of what a route leads to. */
export function targetName(target: RouteTarget): string {
  switch (target.kind) {
    case 'local':
      return 'local';
    case 'internet-gateway':
      return target.internetGatewayId;
    case 'egress-only-internet-gateway':
      return target.egressOnlyInternetGatewayId;
    case 'nat-gateway':
      return target.natGatewayId;
    case 'peering-connection':
      return target.vpcPeeringConnectionId;
    case 'transit-gateway':
      return target.transitGatewayId;
    case 'gateway-endpoint':
      return target.vpcEndpointId;
    case 'network-interface':
      return target.networkInterfaceId;
  }
}

/** Where the packet came out, in a few words. */
export function arrivalWords(arrival: Arrival): string {
  switch (arrival.kind) {
    case 'network-interface':
      return arrival.networkInterfaceId;
    case 'internet':
      return `${arrival.address} on the internet`;
    case 'peering-connection':
      return arrival.vpcPeeringConnectionId;
    case 'vpc-endpoint':
      return `the service behind ${arrival.vpcEndpointId}`;
    case 'load-balancer':
      return `a target of ${arrival.loadBalancerId}`;
    case 'vpc-service':
      return `the ${arrival.service} of ${arrival.vpcId}`;
  }
}
