// What an analysis found, as the API shows it. Shapes: https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_PathComponent.html and API_Explanation.html
// (read 2026-11-21). Protocols of headers are numbers, of rules names, as in the examples of the user guide.

import type {
  AnalysisAclRule,
  AnalysisComponent,
  AnalysisPacketHeader,
  AnalysisRouteTableRoute,
  AnalysisSecurityGroupRule,
  Explanation,
  PathComponent,
  PortRange,
  TransitGatewayRouteTableRoute,
} from '@aws-sdk/client-ec2';
import type { AclRule, Explanation as Reason } from '@postern/network/insights/explanation.ts';
import type { Header, Hop } from '@postern/network/insights/hops.ts';
import type { PortRange as Ports, Route, TransitGatewayRoute } from '@postern/network/snapshot.ts';

/** By id: ARNs and names of what an analysis names, as they were when it began. */
export type Components = Readonly<Record<string, { readonly arn: string; readonly name?: string }>>;

export function toPathComponents(hops: readonly Hop[], components: Components): PathComponent[] {
  const component = (id: string | undefined) => toComponent(id, components);
  return hops.map((hop, index) => ({
    SequenceNumber: index + 1,
    Component: component(hop.component),
    ...defined({
      AttachedTo: component(hop.attachedTo),
      Vpc: component(hop.vpc),
      Subnet: component(hop.subnet),
      SourceVpc: component(hop.sourceVpc),
      DestinationVpc: component(hop.destinationVpc),
      AclRule: hop.aclRule && toAclRule(hop.aclRule),
      SecurityGroupRule: hop.securityGroupRule && toGroupRule(hop.securityGroupRule),
      RouteTableRoute: hop.route && toRoute(hop.route),
      InboundHeader: hop.inbound && toHeader(hop.inbound),
      OutboundHeader: hop.outbound && toHeader(hop.outbound),
      ServiceName: hop.serviceName,
      TransitGateway: component(hop.transitGateway),
      TransitGatewayRouteTableRoute: hop.transitGatewayRoute && toTransitRoute(hop.transitGatewayRoute),
    }),
    AdditionalDetails: (hop.details ?? []).map((code) => ({ AdditionalDetailType: code })),
    Explanations: [],
  }));
}

export function toExplanation(reason: Reason, components: Components): Explanation {
  const component = (id: string | undefined) => toComponent(id, components);
  return {
    ExplanationCode: reason.code,
    ...defined({
      Direction: reason.direction,
      Component: component(reason.component),
      Acl: component(reason.acl),
      AclRule: reason.aclRule && toAclRule(reason.aclRule),
      Address: reason.address,
      Addresses: reason.addresses && [...reason.addresses],
      AttachedTo: component(reason.attachedTo),
      Cidrs: reason.cidrs && [...reason.cidrs],
      ComponentAccount: reason.componentAccount,
      ComponentRegion: reason.componentRegion,
      Destination: component(reason.destination),
      DestinationVpc: component(reason.destinationVpc),
      IngressRouteTable: component(reason.ingressRouteTable),
      InternetGateway: component(reason.internetGateway),
      MissingComponent: reason.missingComponent,
      NatGateway: component(reason.natGateway),
      NetworkInterface: component(reason.networkInterface),
      PacketField: reason.packetField,
      PortRanges: reason.portRanges?.map(toRange),
      PrefixList: component(reason.prefixList),
      Protocols: reason.protocols && [...reason.protocols],
      RouteTable: component(reason.routeTable),
      RouteTableRoute: reason.route && toRoute(reason.route),
      SecurityGroup: component(reason.code === 'SG_HAS_NO_RULES' ? reason.securityGroups?.[0] : undefined),
      SecurityGroups: reason.securityGroups?.flatMap((id) => component(id) ?? []),
      SourceVpc: component(reason.sourceVpc),
      State: reason.state,
      Subnet: component(reason.subnet),
      SubnetRouteTable: component(reason.subnetRouteTable),
      TransitGateway: component(reason.transitGateway),
      TransitGatewayAttachment: component(reason.transitGatewayAttachment),
      TransitGatewayRouteTable: component(reason.transitGatewayRouteTable),
      TransitGatewayRouteTableRoute: reason.transitGatewayRoute && toTransitRoute(reason.transitGatewayRoute),
      Vpc: component(reason.vpc),
      VpcEndpoint: component(reason.vpcEndpoint),
      VpcPeeringConnection: component(reason.vpcPeeringConnection),
    }),
  };
}

/** What is absent is not shown at all. */
function defined<T extends object>(members: T): { [K in keyof T]?: Exclude<T[K], undefined> } {
  return Object.fromEntries(Object.entries(members).filter(([, value]) => value !== undefined)) as {
    [K in keyof T]?: Exclude<T[K], undefined>;
  };
}

function toComponent(id: string | undefined, components: Components): AnalysisComponent | undefined {
  if (id === undefined) return undefined;
  const known = components[id];
  return { Id: id, ...(known && { Arn: known.arn }), ...(known?.name !== undefined && { Name: known.name }) };
}

const protocolNames: Readonly<Record<number, string>> = { [-1]: 'all', 1: 'icmp', 6: 'tcp', 17: 'udp', 58: 'icmpv6' };
const nameOf = (protocol: number) => protocolNames[protocol] ?? String(protocol);
const toRange = ({ from, to }: Ports): PortRange => ({ From: from, To: to });

function toAclRule({ egress, entry }: AclRule): AnalysisAclRule {
  return {
    Cidr: entry.cidr,
    Egress: egress,
    ...(entry.ports && { PortRange: toRange(entry.ports) }),
    Protocol: nameOf(entry.protocol),
    RuleAction: entry.action,
    RuleNumber: entry.ruleNumber,
  };
}

function toGroupRule({ rule, direction }: NonNullable<Hop['securityGroupRule']>): AnalysisSecurityGroupRule {
  const { peer } = rule;
  return {
    ...(peer.kind === 'cidr' && { Cidr: peer.cidr }),
    ...(peer.kind === 'security-group' && { SecurityGroupId: peer.groupId }),
    ...(peer.kind === 'prefix-list' && { PrefixListId: peer.prefixListId }),
    Direction: direction,
    ...(rule.ports && { PortRange: toRange(rule.ports) }),
    Protocol: nameOf(rule.protocol),
  };
}

/** Where a route came from is not in the Snapshot; only local ones come with their table. */
function toRoute({ destination, target, state }: Route): AnalysisRouteTableRoute {
  return {
    ...(destination.kind === 'cidr'
      ? { DestinationCidr: destination.cidr }
      : { DestinationPrefixListId: destination.prefixListId }),
    ...toTarget(target),
    Origin: target.kind === 'local' ? 'createroutetable' : 'createroute',
    State: state,
  };
}

/** Whether it is static or propagated is not in the Snapshot. */
function toTransitRoute({ cidr, transitGatewayAttachmentId: id }: TransitGatewayRoute): TransitGatewayRouteTableRoute {
  return { DestinationCidr: cidr, State: id === undefined ? 'blackhole' : 'active', ...(id && { AttachmentId: id }) };
}

function toTarget(target: Route['target']): AnalysisRouteTableRoute {
  switch (target.kind) {
    case 'local':
      return { GatewayId: 'local' };
    case 'internet-gateway':
      return { GatewayId: target.internetGatewayId };
    case 'gateway-endpoint':
      return { GatewayId: target.vpcEndpointId };
    case 'egress-only-internet-gateway':
      return { EgressOnlyInternetGatewayId: target.egressOnlyInternetGatewayId };
    case 'nat-gateway':
      return { NatGatewayId: target.natGatewayId };
    case 'peering-connection':
      return { VpcPeeringConnectionId: target.vpcPeeringConnectionId };
    case 'transit-gateway':
      return { TransitGatewayId: target.transitGatewayId };
    case 'network-interface':
      return { NetworkInterfaceId: target.networkInterfaceId };
  }
}

function toHeader(header: Partial<Header>): AnalysisPacketHeader {
  return defined({
    DestinationAddresses: header.destinationAddresses && [...header.destinationAddresses],
    DestinationPortRanges: header.destinationPorts?.map(toRange),
    Protocol: header.protocol === undefined ? undefined : String(header.protocol),
    SourceAddresses: header.sourceAddresses && [...header.sourceAddresses],
    SourcePortRanges: header.sourcePorts?.map(toRange),
  });
}

/** Every id that hops and reasons name. */
export function idsOf(hops: readonly Hop[], reasons: readonly Reason[]): Set<string> {
  const isId = (value: unknown): value is string =>
    typeof value === 'string' && /^(tgw-)?[a-z]+-[0-9a-f]{8,17}$/.test(value);
  const values = [...hops, ...reasons].flatMap((each): unknown[] => Object.values(each).flat());
  return new Set(values.filter(isId));
}
