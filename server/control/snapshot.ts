// Rows → Snapshot: everything resolved, nothing decided (design, invariant 1). One pass over each kind, so that the work grows with the rows and not with
// their product. A full build is always correct (invariant 4): there is no other way to make a Snapshot.
// Rules: R8, R9 (blackhole), R11 (effective route table), N3 (effective ACL), I2 (public addresses on private ones).

import { awsPrefixLists } from '@postern/network/aws-prefix-lists.ts';
import { endpointDnsNames, endpointService } from '@postern/network/endpoint-services.ts';
import {
  type Cidr,
  type DhcpOptions,
  type GatewayEndpoint,
  type Instance,
  type InstanceConnectEndpoint,
  type InterfaceEndpoint,
  type Ipv4,
  type NetworkInterface,
  noGateways,
  type PeeringConnection,
  type PrefixList,
  type PrivateAddress,
  type Route,
  type RouteTable,
  type Snapshot,
  type Subnet,
  type Vpc,
  type VpcId,
} from '@postern/network/snapshot.ts';
import type {
  DhcpOptionsRow,
  EgressOnlyInternetGatewayRow,
  InstanceRow,
  InterfaceEndpointRow,
  NetworkAclRow,
  NetworkInterfaceRow,
  RouteRow,
  RouteTableRow,
  SecurityGroupRow,
  SecurityGroupRuleRow,
  SubnetRow,
  VpcEndpointRow,
  VpcPeeringConnectionRow,
  VpcPeeringSideRow,
  VpcRow,
} from '../store/rows/ec2.ts';
import type { Transaction } from '../store/store.ts';
import { toNetworkAcl, toSecurityGroup } from './filter-rules.ts';
import { edgeTables, natGatewaysByVpc, publicAccessBlocks } from './internet-roads.ts';
import { behindEndpoint, networkLoadBalancersByVpc } from './load-balancers.ts';
import { type FlowLogsOf, flowLogsOf, loggedTraffic } from './logged-traffic.ts';
import { attachedVpcs, transitGateways } from './transit-gateways.ts';

/** The rows of every kind, by what they are asked for. */
interface Index {
  readonly subnets: Map<string, SubnetRow[]>;
  readonly routeTables: Map<string, RouteTableRow[]>;
  readonly networkAcls: Map<string, NetworkAclRow[]>;
  readonly groups: Map<string, SecurityGroupRow[]>;
  /** By group. */
  readonly rules: Map<string, SecurityGroupRuleRow[]>;
  readonly interfaces: Map<string, NetworkInterfaceRow[]>;
  readonly interfaceById: Map<string, NetworkInterfaceRow>;
  readonly instances: Map<string, InstanceRow[]>;
  readonly liveInstances: Set<string>;
  readonly endpoints: Map<string, VpcEndpointRow[]>;
  readonly connectEndpoints: Map<string, InstanceConnectEndpoint[]>;
  readonly endpointIds: Set<string>;
  readonly natGateways: ReturnType<typeof natGatewaysByVpc>;
  readonly behindEndpoint: (
    row: InterfaceEndpointRow,
    interfaces: Parameters<typeof behindEndpoint>[2],
  ) => ReturnType<typeof behindEndpoint>;
  readonly networkLoadBalancers: ReturnType<typeof networkLoadBalancersByVpc>;
  readonly edgeTables: ReturnType<typeof edgeTables>;
  readonly blockPublicAccess: ReturnType<typeof publicAccessBlocks>;
  readonly activePeerings: Set<string>;
  readonly isAttached: ReturnType<typeof attachedVpcs>;
  /** VPC → its attached gateway. */
  readonly internetGateways: Map<string, `igw-${string}`>;
  /** VPC → its egress-only gateways. */
  readonly egressOnlyGateways: Map<string, EgressOnlyInternetGatewayRow[]>;
  /** `ENI PRIVATE-ADDRESS` → Elastic IP. */
  readonly elasticIps: Map<string, Ipv4>;
  readonly dhcpOptions: Map<string, DhcpOptionsRow>;
  readonly flowLogsOf: FlowLogsOf;
}

/**
 * Reads the network off the rows, of every account and region.
 * @param revision the store's, at the time of `tx`
 */
export function buildSnapshot(tx: Transaction, revision: number): Snapshot {
  const index = indexRows(tx);
  const vpcs = tx.list('vpc').map((row) => toVpc(row, index));
  return {
    revision,
    vpcs,
    peeringConnections: peeringConnections(tx),
    transitGateways: transitGateways(tx),
    prefixLists: prefixLists(tx, new Set(vpcs.map((vpc) => vpc.region))),
  };
}

/** True while an instance's interfaces carry packets. */
export function isLive(instance: InstanceRow): boolean {
  return instance.state === 'pending' || instance.state === 'running';
}

function indexRows(tx: Transaction): Index {
  const instances = tx.list('instance').filter(isLive);
  const interfaces = tx.list('network-interface');
  const endpoints = tx.list('vpc-endpoint');
  return {
    subnets: groupBy(tx.list('subnet'), (row) => row.vpcId),
    routeTables: groupBy(tx.list('route-table'), (row) => row.vpcId),
    networkAcls: groupBy(tx.list('network-acl'), (row) => row.vpcId),
    groups: groupsByVpc(tx),
    rules: groupBy(tx.list('security-group-rule'), (row) => row.groupId),
    interfaces: groupBy(interfaces, (row) => row.vpcId),
    interfaceById: new Map(interfaces.map((row) => [row.id, row])),
    instances: groupBy(instances, (row) => row.vpcId),
    liveInstances: new Set(instances.map((row) => row.id)),
    endpoints: groupBy(endpoints, (row) => row.vpcId),
    connectEndpoints: mapValues(
      groupBy(tx.list('instance-connect-endpoint'), (row) => row.vpcId),
      (row) => ({
        instanceConnectEndpointId: row.id,
        networkInterfaceId: row.networkInterfaceId,
        preserveClientIp: row.preserveClientIp,
      }),
    ),
    endpointIds: new Set(endpoints.map((row) => row.id)),
    natGateways: natGatewaysByVpc(tx),
    behindEndpoint: (row, interfaces) => behindEndpoint(tx, row, interfaces),
    networkLoadBalancers: networkLoadBalancersByVpc(tx),
    edgeTables: edgeTables(tx),
    blockPublicAccess: publicAccessBlocks(tx),
    isAttached: attachedVpcs(tx),
    activePeerings: new Set(activePeerings(tx).map((row) => row.id)),
    internetGateways: new Map(tx.list('internet-gateway').flatMap((row) => (row.vpcId ? [[row.vpcId, row.id]] : []))),
    egressOnlyGateways: groupBy(tx.list('egress-only-internet-gateway'), (row) => row.vpcId),
    elasticIps: new Map(
      tx
        .list('address')
        .flatMap((row) =>
          row.networkInterfaceId && row.privateIp ? [[`${row.networkInterfaceId} ${row.privateIp}`, row.publicIp]] : [],
        ),
    ),
    dhcpOptions: new Map(tx.list('dhcp-options').map((row) => [row.id, row])),
    flowLogsOf: flowLogsOf(tx),
  };
}

/** The groups that a VPC's interfaces can carry: its own and those associated with it. */
function groupsByVpc(tx: Transaction): Map<string, SecurityGroupRow[]> {
  const groups = groupBy(tx.list('security-group'), (row) => row.vpcId);
  for (const { groupId, vpcId } of tx.list('security-group-vpc-association')) {
    const group = tx.get('security-group', groupId);
    if (!group) continue;
    const own = groups.get(vpcId);
    if (own) own.push(group);
    else groups.set(vpcId, [group]);
  }
  return groups;
}

function toVpc(row: VpcRow, index: Index): Vpc {
  const dhcpOptions = index.dhcpOptions.get(row.dhcpOptionsId);
  const internetGatewayId = index.internetGateways.get(row.id);
  const gatewayRouteTableId = internetGatewayId && index.edgeTables.get(internetGatewayId);
  return {
    vpcId: row.id,
    ownerId: row.accountId,
    region: row.region,
    cidrBlocks: row.cidrBlocks.map((block) => block.cidr),
    enableDnsSupport: row.enableDnsSupport,
    enableDnsHostnames: row.enableDnsHostnames,
    ...(dhcpOptions && { dhcpOptions: toDhcpOptions(dhcpOptions) }),
    ...(internetGatewayId && { internetGatewayId }),
    ...(gatewayRouteTableId && { gatewayRouteTableId }),
    subnets: toSubnets(row, index),
    routeTables: (index.routeTables.get(row.id) ?? []).map((table) => toRouteTable(table, row.id, index)),
    networkAcls: (index.networkAcls.get(row.id) ?? []).map(toNetworkAcl),
    securityGroups: (index.groups.get(row.id) ?? []).map((group) =>
      toSecurityGroup(group, index.rules.get(group.id) ?? []),
    ),
    networkInterfaces: (index.interfaces.get(row.id) ?? []).map((one) => toNetworkInterface(one, index)),
    instances: (index.instances.get(row.id) ?? []).map(toInstance),
    ...noGateways,
    ipv6CidrBlocks: (row.ipv6CidrBlocks ?? []).map((block) => block.cidr),
    egressOnlyInternetGatewayIds: (index.egressOnlyGateways.get(row.id) ?? []).map((gateway) => gateway.id),
    gatewayEndpoints: (index.endpoints.get(row.id) ?? []).flatMap(toGatewayEndpoint),
    interfaceEndpoints: (index.endpoints.get(row.id) ?? []).flatMap((endpoint) => toInterfaceEndpoint(endpoint, index)),
    natGateways: index.natGateways.get(row.id) ?? [],
    instanceConnectEndpoints: index.connectEndpoints.get(row.id) ?? [],
    networkLoadBalancers: index.networkLoadBalancers.get(row.id) ?? [],
  };
}

/** What DHCP tells the instances of a VPC. */
export function toDhcpOptions(row: DhcpOptionsRow): DhcpOptions {
  const values = (key: string) => row.configurations.find((one) => one.key === key)?.values ?? [];
  const domainName = values('domain-name')[0];
  return { ...(domainName && { domainName }), domainNameServers: values('domain-name-servers') };
}

function toSubnets(vpc: VpcRow, index: Index): Subnet[] {
  const tableOf = new Map<string, RouteTableRow['id']>();
  let mainTable: RouteTableRow['id'] | undefined;
  for (const table of index.routeTables.get(vpc.id) ?? []) {
    for (const { main, subnetId } of table.associations) {
      if (main) mainTable = table.id;
      if (subnetId) tableOf.set(subnetId, table.id);
    }
  }
  const aclOf = new Map<string, NetworkAclRow['id']>();
  let defaultAcl: NetworkAclRow['id'] | undefined;
  for (const acl of index.networkAcls.get(vpc.id) ?? []) {
    if (acl.isDefault) defaultAcl = acl.id;
    for (const { subnetId } of acl.associations) aclOf.set(subnetId, acl.id);
  }
  return (index.subnets.get(vpc.id) ?? []).map((subnet) => {
    const routeTableId = tableOf.get(subnet.id) ?? mainTable;
    const networkAclId = aclOf.get(subnet.id) ?? defaultAcl;
    if (!routeTableId || !networkAclId) throw new Error(`${vpc.id} has no main route table or no default network ACL`);
    return {
      subnetId: subnet.id,
      cidrBlock: subnet.cidrBlock,
      ...(subnet.ipv6CidrBlock && { ipv6CidrBlock: subnet.ipv6CidrBlock.cidr }),
      ...(subnet.enableDns64 && { enableDns64: true }),
      availabilityZone: subnet.availabilityZone,
      routeTableId,
      networkAclId,
      ...index.blockPublicAccess(subnet),
    };
  });
}

function toRouteTable(table: RouteTableRow, vpcId: VpcId, index: Index): RouteTable {
  return { routeTableId: table.id, routes: table.routes.map((route) => toRoute(route, vpcId, index)) };
}

function toRoute(route: RouteRow, vpcId: VpcId, index: Index): Route {
  const state = targetIsUsable(route, vpcId, index) ? 'active' : 'blackhole';
  const { target } = route;
  // The row also keeps which instance was named; the packet's next hop is the interface.
  if (target.kind === 'network-interface')
    return {
      destination: route.destination,
      target: { kind: target.kind, networkInterfaceId: target.networkInterfaceId },
      state,
    };
  return { destination: route.destination, target, state };
}

/** R8: a detached gateway, a deleted endpoint, an interface that is gone or whose instance does not run, a peering that is not active, and a transit
 * gateway that the VPC is not attached to make a blackhole. */
function targetIsUsable({ target }: RouteRow, vpcId: VpcId, index: Index): boolean {
  switch (target.kind) {
    case 'local':
      return true;
    case 'internet-gateway':
      return index.internetGateways.get(vpcId) === target.internetGatewayId;
    case 'egress-only-internet-gateway':
      return (index.egressOnlyGateways.get(vpcId) ?? []).some((row) => row.id === target.egressOnlyInternetGatewayId);
    case 'gateway-endpoint':
      return index.endpointIds.has(target.vpcEndpointId);
    case 'nat-gateway':
      return (index.natGateways.get(vpcId) ?? []).some((each) => each.natGatewayId === target.natGatewayId);
    case 'peering-connection':
      return index.activePeerings.has(target.vpcPeeringConnectionId);
    case 'transit-gateway':
      return index.isAttached(target.transitGatewayId, vpcId);
    case 'network-interface': {
      const attachment = index.interfaceById.get(target.networkInterfaceId)?.attachment;
      return attachment !== undefined && index.liveInstances.has(attachment.instanceId);
    }
  }
}

function toNetworkInterface(row: NetworkInterfaceRow, index: Index): NetworkInterface {
  const { attachment } = row;
  const attached =
    attachment && attachment.status !== 'detaching' && index.liveInstances.has(attachment.instanceId)
      ? { instanceId: attachment.instanceId, deviceIndex: attachment.deviceIndex }
      : undefined;
  return {
    networkInterfaceId: row.id,
    subnetId: row.subnetId,
    macAddress: row.macAddress,
    privateAddresses: row.privateAddresses.map(({ address, primary, autoPublicIp }): PrivateAddress => {
      const publicAddress = index.elasticIps.get(`${row.id} ${address}`) ?? autoPublicIp?.publicIp;
      return { address, primary, ...(publicAddress && { publicAddress }) };
    }),
    ipv6Addresses: row.ipv6Addresses ?? [],
    groupIds: row.groupIds,
    sourceDestCheck: row.sourceDestCheck,
    ...(attached && { attachment: attached }),
    ...(row.service && { service: row.service }),
    ...loggedTraffic(index.flowLogsOf(row)),
  };
}

function toGatewayEndpoint(row: VpcEndpointRow): GatewayEndpoint[] {
  if (row.endpointType !== 'Gateway') return [];
  const service = row.serviceName.split('.').at(-1) ?? '';
  return [{ vpcEndpointId: row.id, service, prefixListId: row.prefixListId }];
}

function toInterfaceEndpoint(row: VpcEndpointRow, index: Index): InterfaceEndpoint[] {
  const service = endpointService(row.serviceName);
  if (row.endpointType !== 'Interface' || service === undefined) return [];
  const interfaces = row.subnets.flatMap(({ networkInterfaceId }) => {
    const eni = index.interfaceById.get(networkInterfaceId);
    return eni === undefined ? [] : [{ networkInterfaceId, availabilityZone: eni.availabilityZone }];
  });
  // For inbound resolver endpoints only means for nobody inside the VPC (X8).
  const isPrivate = row.privateDnsEnabled && row.dnsOptions.privateDnsOnlyForInboundResolverEndpoint !== true;
  const behind = index.behindEndpoint(row, interfaces);
  return [
    {
      vpcEndpointId: row.id,
      ...(behind && { behind }),
      service: service.service,
      serviceRegion: service.region,
      networkInterfaceIds: interfaces.map(({ networkInterfaceId }) => networkInterfaceId),
      dnsNames: endpointDnsNames(row, interfaces),
      privateDnsNames: isPrivate ? service.privateDnsNames : [],
    },
  ];
}

function toInstance(row: InstanceRow): Instance {
  return {
    instanceId: row.id,
    ...(row.enableResourceNameDnsAAAARecord && { enableResourceNameDnsAAAARecord: true }),
    metadata: {
      enabled: row.metadataOptions.httpEndpoint === 'enabled',
      hopLimit: row.metadataOptions.httpPutResponseHopLimit,
      ...(row.metadataOptions.httpProtocolIpv6 === 'enabled' && { hasIpv6: true }),
    },
  };
}

/** P1: in every other state it carries nothing. */
function activePeerings(tx: Transaction): VpcPeeringConnectionRow[] {
  return tx.list('vpc-peering-connection').filter((row) => row.state === 'active');
}

function peeringConnections(tx: Transaction): PeeringConnection[] {
  const side = ({ vpcId, allowDnsResolutionFromRemoteVpc }: VpcPeeringSideRow) => ({
    vpcId,
    allowDnsResolutionFromRemoteVpc,
  });
  return activePeerings(tx).map(({ id, requester, accepter }) => ({
    vpcPeeringConnectionId: id,
    requester: side(requester),
    accepter: side(accepter),
  }));
}

/** Customers' lists and AWS's own of every region that has a VPC. */
function prefixLists(tx: Transaction, regions: ReadonlySet<string>): PrefixList[] {
  const lists = tx
    .list('prefix-list')
    .map((row) => ({ prefixListId: row.id, cidrs: row.entries.map((entry) => entry.cidr as Cidr) }));
  const managed = [...regions].flatMap(awsPrefixLists).map(({ prefixListId, cidrs }) => ({ prefixListId, cidrs }));
  return [...lists, ...managed];
}

function groupBy<R>(rows: readonly R[], keyOf: (row: R) => string): Map<string, R[]> {
  const groups = new Map<string, R[]>();
  for (const row of rows) {
    const key = keyOf(row);
    const group = groups.get(key);
    if (group) group.push(row);
    else groups.set(key, [row]);
  }
  return groups;
}

function mapValues<A, B>(groups: Map<string, A[]>, change: (value: A) => B): Map<string, B[]> {
  return new Map([...groups].map(([key, values]) => [key, values.map(change)]));
}
