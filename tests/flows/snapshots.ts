// Snapshots for tests, made of few words. Every piece has AWS's defaults: the default ACL lets all pass, a group starts with `egress all`.

import {
  type GatewayEndpoint,
  type IcmpMatch,
  type InterfaceEndpoint,
  type NatGateway,
  type NetworkAcl,
  type NetworkAclEntry,
  type NetworkInterface,
  noGateways,
  type PeeringConnection,
  type PrefixList,
  type Route,
  type RouteTable,
  type RulePeer,
  type SecurityGroup,
  type SecurityGroupId,
  type SecurityGroupRule,
  type Snapshot,
  type Subnet,
  type TransitGatewayAttachment,
  type TransitGatewayRouteTable,
  type Vpc,
  type VpcId,
} from '@postern/network/snapshot.ts';

export const everywhere: RulePeer = { kind: 'cidr', cidr: '0.0.0.0/0' };
export const groupPeer = (groupId: SecurityGroupId): RulePeer => ({ kind: 'security-group', groupId });
export const cidrPeer = (cidr: `${string}/${number}`): RulePeer => ({ kind: 'cidr', cidr });

let ruleCount = 0;
export function rule(
  protocol: number,
  ports: readonly [number, number] | undefined,
  peer: RulePeer,
  icmp?: IcmpMatch,
): SecurityGroupRule {
  ruleCount += 1;
  return {
    ruleId: `sgr-${String(ruleCount).padStart(4, '0')}`,
    protocol,
    peer,
    ...(ports === undefined ? {} : { ports: { from: ports[0], to: ports[1] } }),
    ...(icmp === undefined ? {} : { icmp }),
  };
}

export const allowAll = rule(-1, undefined, everywhere);
export const tcp = (port: number, peer: RulePeer = everywhere) => rule(6, [port, port], peer);
export const udp = (port: number, peer: RulePeer = everywhere) => rule(17, [port, port], peer);
export const echo = (peer: RulePeer = everywhere) => rule(1, undefined, peer, { type: 8, code: -1 });

export function group(
  groupId: SecurityGroupId,
  ingress: readonly SecurityGroupRule[],
  egress: readonly SecurityGroupRule[] = [allowAll],
): SecurityGroup {
  return { groupId, ingress, egress };
}

export function aclEntry(
  ruleNumber: number,
  action: 'allow' | 'deny',
  match: Partial<Pick<NetworkAclEntry, 'cidr' | 'protocol' | 'ports' | 'icmp'>> = {},
): NetworkAclEntry {
  return { ruleNumber, action, protocol: -1, cidr: '0.0.0.0/0', ...match };
}

export const openAcl: NetworkAcl = {
  networkAclId: 'acl-open',
  ingress: [aclEntry(100, 'allow')],
  egress: [aclEntry(100, 'allow')],
};

export const local = (cidr: `${string}/${number}`): Route => ({
  destination: { kind: 'cidr', cidr },
  target: { kind: 'local' },
  state: 'active',
});
export const toIgw: Route = {
  destination: { kind: 'cidr', cidr: '0.0.0.0/0' },
  target: { kind: 'internet-gateway', internetGatewayId: 'igw-1' },
  state: 'active',
};
export const s3Route: Route = {
  destination: { kind: 'prefix-list', prefixListId: 'pl-s3' },
  target: { kind: 'gateway-endpoint', vpcEndpointId: 'vpce-s3' },
  state: 'active',
};
export const s3Endpoint: GatewayEndpoint = { vpcEndpointId: 'vpce-s3', service: 's3', prefixListId: 'pl-s3' };
export const toPeer = (cidr: `${string}/${number}`, vpcPeeringConnectionId: `pcx-${string}` = 'pcx-ab'): Route => ({
  destination: { kind: 'cidr', cidr },
  target: { kind: 'peering-connection', vpcPeeringConnectionId },
  state: 'active',
});
/** us-east-1's S3 in the address plan. */
export const s3List: PrefixList = { prefixListId: 'pl-s3', cidrs: ['198.18.1.0/26'] };

export function subnet(name: string, cidrBlock: `${string}/${number}`, options: Partial<Subnet> = {}): Subnet {
  return {
    subnetId: `subnet-${name}`,
    cidrBlock,
    availabilityZone: 'us-east-1a',
    routeTableId: 'rtb-main',
    networkAclId: 'acl-open',
    ...options,
  };
}

let macCount = 0;
export function eni(
  name: string,
  subnetName: string,
  address: string,
  options: Partial<NetworkInterface> & { publicAddress?: string } = {},
): NetworkInterface {
  macCount += 1;
  const { publicAddress, ...rest } = options;
  return {
    networkInterfaceId: `eni-${name}`,
    subnetId: `subnet-${subnetName}`,
    macAddress: `0a:00:00:00:${String(macCount >> 8).padStart(2, '0')}:${(macCount & 255).toString(16).padStart(2, '0')}`,
    privateAddresses: [{ address, primary: true, ...(publicAddress === undefined ? {} : { publicAddress }) }],
    ipv6Addresses: [],
    groupIds: ['sg-open'],
    sourceDestCheck: true,
    attachment: { instanceId: `i-${name}`, deviceIndex: 0 },
    ...rest,
  };
}

/** The interface of an endpoint in one subnet. */
export function endpointEni(
  name: string,
  subnetName: string,
  address: string,
  options: Partial<NetworkInterface> & { vpcEndpointId?: `vpce-${string}` } = {},
): NetworkInterface {
  const { vpcEndpointId = 'vpce-if', ...rest } = options;
  const { attachment: _none, ...bare } = eni(name, subnetName, address);
  return { ...bare, service: { kind: 'vpc-endpoint', vpcEndpointId }, ...rest };
}

export function interfaceEndpoint(
  networkInterfaceIds: readonly `eni-${string}`[],
  options: Partial<InterfaceEndpoint> = {},
): InterfaceEndpoint {
  return {
    vpcEndpointId: 'vpce-if',
    service: 'sts',
    serviceRegion: 'us-east-1',
    networkInterfaceIds,
    dnsNames: [],
    privateDnsNames: [],
    ...options,
  };
}

/** A NAT gateway `nat-NAME` with its interface `eni-nat-NAME`. */
export function nat(
  name: string,
  subnetName: string,
  address: string,
  options: Partial<NetworkInterface> & { publicAddress?: string } = {},
): { gateway: NatGateway; card: NetworkInterface } {
  const { attachment: _none, ...card } = eni(`nat-${name}`, subnetName, address, {
    groupIds: [],
    sourceDestCheck: false,
    service: { kind: 'nat-gateway', natGatewayId: `nat-${name}` },
    ...options,
  });
  const connectivityType = card.privateAddresses.some((each) => each.publicAddress) ? 'public' : 'private';
  return {
    gateway: { natGatewayId: `nat-${name}`, connectivityType, networkInterfaceId: card.networkInterfaceId },
    card,
  };
}

export const toNat = (name: string, cidr: `${string}/${number}` = '0.0.0.0/0'): Route => ({
  destination: { kind: 'cidr', cidr },
  target: { kind: 'nat-gateway', natGatewayId: `nat-${name}` },
  state: 'active',
});

export function table(routeTableId: `rtb-${string}`, ...routes: readonly Route[]): RouteTable {
  return { routeTableId, routes };
}

/** The interface of an attachment in one subnet: `eni-tgw-NAME`. */
export function doorEni(name: string, subnetName: string, address: string, attachment: string): NetworkInterface {
  const { attachment: _none, ...bare } = eni(`tgw-${name}`, subnetName, address);
  const service = {
    kind: 'transit-gateway',
    transitGatewayId: 'tgw-1',
    transitGatewayAttachmentId: `tgw-attach-${attachment}`,
  } as const;
  return { ...bare, groupIds: [], service };
}

export const toTransit = (cidr: `${string}/${number}`): Route => ({
  destination: { kind: 'cidr', cidr },
  target: { kind: 'transit-gateway', transitGatewayId: 'tgw-1' },
  state: 'active',
});

/** A route table `tgw-rtb-NAME`: block → name of an attachment, or undefined for a blackhole. */
export function transitTable(
  name: string,
  routes: Readonly<Record<`${string}/${number}`, string | undefined>>,
): TransitGatewayRouteTable {
  return {
    transitGatewayRouteTableId: `tgw-rtb-${name}`,
    routes: Object.entries(routes).map(([cidr, to]) => ({
      cidr: cidr as `${string}/${number}`,
      ...(to !== undefined && { transitGatewayAttachmentId: `tgw-attach-${to}` as const }),
    })),
  };
}

/** `base` with a gateway `tgw-1`; its attachments, by their names, are what interfaces of the VPCs say. @param associations attachment → table; the first table for the others */
export function transited(
  base: Snapshot,
  routeTables: readonly TransitGatewayRouteTable[],
  associations: Readonly<Record<string, `tgw-rtb-${string}` | 'none'>> = {},
  options: Partial<TransitGatewayAttachment> & { transitGatewayAttachmentId?: `tgw-attach-${string}` } = {},
): Snapshot {
  const attachments = base.vpcs.flatMap((vpc): TransitGatewayAttachment[] => {
    const doors = vpc.networkInterfaces.filter((each) => each.service?.kind === 'transit-gateway');
    const [service] = doors.map((each) => each.service);
    if (service?.kind !== 'transit-gateway') return [];
    const { transitGatewayAttachmentId } = service;
    const table =
      associations[transitGatewayAttachmentId.slice('tgw-attach-'.length)] ??
      routeTables[0]?.transitGatewayRouteTableId;
    return [
      {
        transitGatewayAttachmentId,
        vpcId: vpc.vpcId,
        networkInterfaceIds: doors.map((each) => each.networkInterfaceId),
        applianceMode: false,
        dnsSupport: true,
        ...(table !== undefined && table !== 'none' && { routeTableId: table }),
        ...(options.transitGatewayAttachmentId === transitGatewayAttachmentId && options),
      },
    ];
  });
  return { ...base, transitGateways: [{ transitGatewayId: 'tgw-1', attachments, routeTables }] };
}

/** A VPC 10.0.0.0/16 with the open ACL, the group `sg-open` and one instance per attached interface, unless told otherwise. */
export function vpc(options: Partial<Vpc> & Pick<Vpc, 'subnets' | 'networkInterfaces'>): Vpc {
  const instances = options.networkInterfaces.flatMap((each) =>
    each.attachment === undefined ? [] : [each.attachment.instanceId],
  );
  return {
    vpcId: 'vpc-a',
    ownerId: '123456789012',
    region: 'us-east-1',
    cidrBlocks: ['10.0.0.0/16'],
    enableDnsSupport: true,
    enableDnsHostnames: true,
    routeTables: [table('rtb-main', local('10.0.0.0/16'))],
    networkAcls: [openAcl],
    securityGroups: [group('sg-open', [allowAll])],
    instances: [...new Set(instances)].map((instanceId) => ({ instanceId, metadata: { enabled: true, hopLimit: 2 } })),
    ...noGateways,
    ...options,
  };
}

let revision = 0;
export function snapshot(...vpcs: readonly Vpc[]): Snapshot {
  revision += 1;
  return { revision, vpcs, peeringConnections: [], transitGateways: [], prefixLists: [s3List] };
}

/** `base` with an active peering `pcx-NAME` for each entry: NAME → the requester's VPC and the accepter's. */
export function peered(base: Snapshot, connections: Readonly<Record<string, readonly [VpcId, VpcId]>>): Snapshot {
  const peeringConnections = Object.entries(connections).map(([name, [requester, accepter]]): PeeringConnection => {
    const side = (vpcId: VpcId) => ({ vpcId, allowDnsResolutionFromRemoteVpc: false });
    return { vpcPeeringConnectionId: `pcx-${name}`, requester: side(requester), accepter: side(accepter) };
  });
  return { ...base, peeringConnections };
}
