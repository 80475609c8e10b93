// One reason why no packet gets through, as the API has it: a code and the ids, addresses and rules that it speaks of.

import type { Cidr, Ipv4, NetworkAclEntry, NetworkAclId, PortRange, Route, TransitGatewayRoute } from '../snapshot.ts';
import type { AnalysisCode } from '../walk/explanation-codes.ts';
import type { NetworkIndex } from '../walk/network-index.ts';
import type { Step } from '../walk/trace.ts';

/** An entry of an ACL with its direction; `*` is the final deny. */
export interface AclRule {
  readonly egress: boolean;
  readonly entry: NetworkAclEntry;
}

/** Every member that ends in no unit is an AWS id. */
export interface Explanation {
  readonly code: AnalysisCode;
  readonly direction?: 'ingress' | 'egress' | undefined;
  readonly component?: string | undefined;
  readonly acl?: NetworkAclId | undefined;
  readonly aclRule?: AclRule | undefined;
  readonly address?: Ipv4 | undefined;
  readonly addresses?: readonly Ipv4[] | undefined;
  readonly attachedTo?: string | undefined;
  readonly cidrs?: readonly Cidr[] | undefined;
  /** Whose a component is that is out of sight. */
  readonly componentAccount?: string | undefined;
  readonly componentRegion?: string | undefined;
  readonly destination?: string | undefined;
  readonly destinationVpc?: string | undefined;
  readonly ingressRouteTable?: string | undefined;
  readonly internetGateway?: string | undefined;
  readonly missingComponent?: string | undefined;
  readonly natGateway?: string | undefined;
  readonly networkInterface?: string | undefined;
  readonly packetField?: string | undefined;
  readonly portRanges?: readonly PortRange[] | undefined;
  readonly prefixList?: string | undefined;
  readonly protocols?: readonly string[] | undefined;
  readonly routeTable?: string | undefined;
  readonly route?: Route | undefined;
  readonly securityGroups?: readonly string[] | undefined;
  readonly sourceVpc?: string | undefined;
  readonly state?: string | undefined;
  readonly subnet?: string | undefined;
  readonly subnetRouteTable?: string | undefined;
  readonly transitGateway?: string | undefined;
  readonly transitGatewayAttachment?: string | undefined;
  readonly transitGatewayRouteTable?: string | undefined;
  readonly transitGatewayRoute?: TransitGatewayRoute | undefined;
  readonly vpc?: string | undefined;
  readonly vpcEndpoint?: string | undefined;
  readonly vpcPeeringConnection?: string | undefined;
}

const protocolNames: Readonly<Record<number, string>> = { 1: 'icmp', 6: 'tcp', 17: 'udp' };

/** What a step that drops means, with what its code speaks of; a drop without a code of its own is NO_PATH. */
export function explainBlocker(network: NetworkIndex, step: Step, destination: string | undefined): Explanation {
  const { code = 'NO_PATH', component, vpcId: vpc, subnetId: subnet, packet, cause } = step;
  const placed = component.startsWith('eni-') ? network.networkInterface(component as `eni-${string}`) : undefined;
  const base = { code, vpc } as const;
  switch (step.stage) {
    case 'sg-egress':
    case 'sg-ingress':
      return {
        ...base,
        direction: step.stage === 'sg-egress' ? 'egress' : 'ingress',
        networkInterface: component,
        securityGroups: placed?.eni.groupIds,
        subnet: placed?.subnet.subnetId,
      };
    case 'acl-egress':
    case 'acl-ingress':
      return {
        ...base,
        direction: step.stage === 'acl-egress' ? 'egress' : 'ingress',
        acl: component as NetworkAclId,
        aclRule: decidingRule(network, step),
        subnet,
      };
    case 'eni-address':
    case 'source-dest-check':
      return {
        ...base,
        direction: step.stage === 'eni-address' ? 'egress' : 'ingress',
        networkInterface: component,
        address: step.stage === 'eni-address' ? packet.source : packet.destination,
        addresses: placed?.eni.privateAddresses.map(({ address }) => address),
        subnet: placed?.subnet.subnetId,
      };
    case 'route':
      return explainRoute(base, step, destination);
    case 'igw-egress':
    case 'igw-ingress': {
      if (cause.kind === 'no-route') return { ...base, routeTable: cause.routeTableId, destination: component };
      const isEgress = step.stage === 'igw-egress';
      const isOfSource =
        code === 'GATEWAY_REJECTS_SPOOFED_TRAFFIC' || code.startsWith('IGW_SOURCE') || code.startsWith('IGW_PUBLIC');
      return {
        ...base,
        direction: isEgress ? 'egress' : 'ingress',
        address: isOfSource ? packet.source : packet.destination,
        packetField: isOfSource ? 'source-address' : 'destination-address',
        ...(component.startsWith('igw-') && { internetGateway: component }),
      };
    }
    case 'nat-gateway':
      return {
        ...base,
        natGateway: component,
        address: packet.source,
        ...(code === 'PROTOCOL_RESTRICTION' && { component, protocols: ['tcp', 'udp', 'icmp'] }),
      };
    case 'peering':
      return { ...base, vpcPeeringConnection: component, addresses: [packet.source, packet.destination] };
    case 'transit-gateway':
      return explainTransit(base, step);
    case 'gateway-endpoint':
    case 'interface-endpoint':
      return {
        ...base,
        vpcEndpoint: component,
        protocols: [step.stage === 'gateway-endpoint' ? (protocolNames[packet.protocol] ?? '') : 'tcp'],
        ...(code === 'PROTOCOL_RESTRICTION' && { component }),
      };
    case 'egress-only-gateway':
    case 'load-balancer':
    case 'instance-connect':
    case 'link-local':
      return { ...base, component, address: packet.destination };
  }
}

function explainTransit(base: Pick<Explanation, 'code' | 'vpc'>, { component, cause, packet }: Step): Explanation {
  const kind = component.startsWith('tgw-rtb-')
    ? { transitGatewayRouteTable: component }
    : component.startsWith('tgw-attach-')
      ? { transitGatewayAttachment: component }
      : component.startsWith('tgw-') && { transitGateway: component };
  const route = cause.kind === 'transit-gateway-route' ? { transitGatewayRoute: cause.route } : {};
  return { ...base, ...(kind || { component }), ...route, address: packet.destination };
}

function explainRoute(
  base: Pick<Explanation, 'code' | 'vpc'>,
  step: Step,
  destination: string | undefined,
): Explanation {
  const { cause, component, packet, subnetId: subnet } = step;
  if (cause.kind === 'no-route') return { ...base, routeTable: component, destination };
  if (cause.kind === 'route') return { ...base, routeTable: component, route: cause.route, destination, subnet };
  return { ...base, component, address: packet.destination, destination };
}

/** The entry that an ACL step names; undefined for the final deny. */
export function decidingRule(network: NetworkIndex, { stage, cause, vpcId }: Step): AclRule | undefined {
  if (cause.kind !== 'acl-entry') return undefined;
  const egress = stage === 'acl-egress';
  const acl = network.vpc(vpcId)?.networkAcls.find((each) => each.networkAclId === cause.networkAclId);
  const entry = acl?.[egress ? 'egress' : 'ingress'].find((each) => each.ruleNumber === cause.ruleNumber);
  return entry === undefined ? undefined : { egress, entry };
}
