// Interfaces, instances, gateways, endpoints and peerings: from AWS's answers to rows.

import type {
  InstanceConnectEndpointId,
  InstanceId,
  InterfaceService,
  Ipv4,
  NetworkInterfaceId,
  PrefixListId,
  SecurityGroupId,
  SubnetId,
  VpcId,
} from '@postern/network/snapshot.ts';
import type { NetworkInterfaceRow } from '../store/rows/ec2.ts';
import type { Building } from './building.ts';
import type { Item } from './item.ts';

/** describe-instances has them in reservations; a query may have taken them out. */
export function instanceItems(building: Building): Item[] {
  return [
    ...building.list('Reservations').flatMap(({ item }) => item.list('Instances')),
    ...building.list('Instances').map(({ item }) => item),
  ];
}

export function readInstances(building: Building): void {
  for (const item of instanceItems(building)) {
    const vpcId = item.optionalText('VpcId') as VpcId | undefined;
    // A terminated one has left its VPC.
    if (vpcId === undefined) continue;
    const metadata = item.item('MetadataOptions');
    const names = item.item('PrivateDnsNameOptions');
    building.rows.putKnown('instance', {
      ...building.ownerOf(vpcId),
      id: item.text('InstanceId') as InstanceId,
      vpcId,
      state: (item.item('State')?.text('Name') ?? 'running') as 'running',
      metadataOptions: {
        httpTokens: 'optional',
        httpEndpoint: metadata?.optionalText('HttpEndpoint') === 'disabled' ? 'disabled' : 'enabled',
        httpPutResponseHopLimit: metadata?.number('HttpPutResponseHopLimit') ?? 1,
        instanceMetadataTags: 'disabled',
        httpProtocolIpv6: 'disabled',
      },
      ...(names?.flag('EnableResourceNameDnsAAAARecord') && { enableResourceNameDnsAAAARecord: true }),
      tags: item.tags(),
    });
  }
}

/** What hands on packets or connections of others, by InterfaceType; true: the receiver sees the first sender's address. */
const relays: Readonly<Record<string, { noun: string; preservesSource: boolean }>> = {
  load_balancer: { noun: 'load balancer', preservesSource: false },
  network_load_balancer: { noun: 'network load balancer', preservesSource: true },
  gateway_load_balancer: { noun: 'gateway load balancer', preservesSource: true },
  global_accelerator_managed: { noun: 'Global Accelerator', preservesSource: true },
  api_gateway_managed: { noun: 'VPC link', preservesSource: false },
};

/** @param services what stands behind interfaces that no instance has */
export function readInterfaces(building: Building, services: ReadonlyMap<string, InterfaceService>): void {
  const subnets = new Set(building.rows.list('subnet').map((row): string => row.id));
  for (const { item } of building.list('NetworkInterfaces', 'NetworkInterfaceId')) {
    const id = item.text('NetworkInterfaceId') as NetworkInterfaceId;
    const vpcId = item.text('VpcId') as VpcId;
    const subnetId = item.text('SubnetId') as SubnetId;
    if (!subnets.has(subnetId)) {
      building.part(`${id} (interface)`, `its subnet ${subnetId} is not in the snapshot`, 'both', [vpcId]);
      continue;
    }
    const service = services.get(id) ?? managedService(item);
    const attachment = attachmentOf(item);
    noteUnmodelled(building, item, id, vpcId);
    const requesterId = item.optionalText('RequesterId');
    building.rows.putKnown('network-interface', {
      ...building.ownerOf(vpcId, item),
      id,
      vpcId,
      subnetId,
      availabilityZone: item.optionalText('AvailabilityZone') ?? '',
      description: item.optionalText('Description') ?? '',
      macAddress: item.optionalText('MacAddress') ?? '',
      privateAddresses: privateAddresses(item),
      ...(item.list('Ipv6Addresses').length > 0 && {
        ipv6Addresses: item.list('Ipv6Addresses').map((each) => each.text('Ipv6Address')),
      }),
      groupIds: item.list('Groups').map((each) => each.text('GroupId') as SecurityGroupId),
      sourceDestCheck: item.flag('SourceDestCheck', true),
      interfaceType: item.optionalText('InterfaceType') ?? 'interface',
      requesterManaged: item.flag('RequesterManaged'),
      ...(requesterId !== undefined && { requesterId }),
      ...(service && { service }),
      ...(attachment && !service && { attachment }),
      tags: item.tags('TagSet'),
    });
  }
}

/** Public addresses are told where they are, so describe-addresses is not needed: of an Elastic IP and one of the pool the same comes. */
function privateAddresses(item: Item): NetworkInterfaceRow['privateAddresses'] {
  const listed = item.list('PrivateIpAddresses').map((each) => {
    const publicIp = each.item('Association')?.optionalText('PublicIp') as Ipv4 | undefined;
    return {
      address: each.text('PrivateIpAddress'),
      primary: each.flag('Primary'),
      ...(publicIp && { autoPublicIp: { publicIp, associationId: '' } }),
    };
  });
  return [...listed.filter(({ primary }) => primary), ...listed.filter(({ primary }) => !primary)];
}

function attachmentOf(item: Item): NetworkInterfaceRow['attachment'] {
  const attachment = item.item('Attachment');
  const instanceId = attachment?.optionalText('InstanceId') as InstanceId | undefined;
  if (attachment === undefined || instanceId === undefined) return undefined;
  return {
    attachmentId: attachment.optionalText('AttachmentId') ?? '',
    instanceId,
    instanceOwnerId: attachment.optionalText('InstanceOwnerId') ?? '',
    deviceIndex: attachment.number('DeviceIndex') ?? 0,
    deleteOnTermination: attachment.flag('DeleteOnTermination'),
    status: attachment.optionalText('Status') === 'detaching' ? 'detaching' : 'attached',
    attachTime: attachment.optionalText('AttachTime') ?? '',
  };
}

/** In use by something of AWS's that is no instance of this account: RDS, Lambda, a load balancer, ECS. */
function managedService(item: Item): InterfaceService | undefined {
  const isInUse = item.optionalText('Status') === 'in-use';
  if (!isInUse || item.item('Attachment')?.has('InstanceId')) return undefined;
  const requesterId =
    item.optionalText('RequesterId') ?? item.item('Attachment')?.optionalText('InstanceOwnerId') ?? 'amazon-aws';
  return { kind: 'aws-managed', requesterId };
}

function noteUnmodelled(building: Building, item: Item, id: NetworkInterfaceId, vpcId: VpcId): void {
  const type = item.optionalText('InterfaceType') ?? 'interface';
  const description = item.optionalText('Description') ?? '';
  // Classic load balancers and old application ones have interfaces of the ordinary type.
  const relay = relays[type] ?? (/^ELB /.test(description) ? relays['load_balancer'] : undefined);
  if (relay)
    building.relay(
      `${id} (${relay.noun}${description === '' ? '' : `, ${description}`})`,
      id,
      vpcId,
      relay.preservesSource,
    );
  if (item.list('Ipv4Prefixes').length + item.list('Ipv6Prefixes').length > 0)
    building.part(`${id} (interface with prefixes)`, 'prefixes of interfaces are not modelled', 'may-open', [vpcId]);
  if (item.flag('DenyAllIgwTraffic'))
    building.findings.push({
      kind: 'part',
      what: `${id} (interface without internet traffic)`,
      because: 'DenyAllIgwTraffic is not modelled',
      effect: 'may-block',
      at: { vpcIds: [vpcId] },
    });
  const hasOther = item.list('PrivateIpAddresses').some((each) => {
    const association = each.item('Association');
    return association?.has('CarrierIp') || association?.has('CustomerOwnedIp');
  });
  if (hasOther)
    building.part(`${id} (carrier or customer-owned address)`, 'such addresses are not modelled', 'may-open', [vpcId]);
}

export function readGateways(building: Building): void {
  const isAttached = (each: Item) => ['available', 'attached'].includes(each.optionalText('State') ?? 'available');
  for (const { item } of building.list('InternetGateways', 'InternetGatewayId')) {
    const vpcId = item.list('Attachments').filter(isAttached)[0]?.text('VpcId') as VpcId | undefined;
    building.rows.put('internet-gateway', {
      ...building.ownerOf(vpcId, item),
      id: item.text('InternetGatewayId') as `igw-${string}`,
      ...(vpcId && { vpcId }),
      tags: item.tags(),
    });
  }
  for (const { item } of building.list('EgressOnlyInternetGateways', 'EgressOnlyInternetGatewayId')) {
    const vpcId = item.list('Attachments').filter(isAttached)[0]?.text('VpcId') as VpcId | undefined;
    if (vpcId === undefined) continue;
    const id = item.text('EgressOnlyInternetGatewayId') as `eigw-${string}`;
    building.rows.put('egress-only-internet-gateway', { ...building.ownerOf(vpcId), id, vpcId, tags: item.tags() });
  }
}

/** @param services is told which interfaces are gateways' */
export function readNatGateways(building: Building, services: Map<string, InterfaceService>): void {
  for (const { item } of building.list('NatGateways', 'NatGatewayId')) {
    const id = item.text('NatGatewayId') as `nat-${string}`;
    const vpcId = item.text('VpcId') as VpcId;
    // A regional one is in no subnet.
    const isRegional = item.optionalText('AvailabilityMode') === 'regional';
    const state = isRegional ? 'regional' : (item.optionalText('State') ?? 'available');
    const addresses = item.list('NatGatewayAddresses');
    const primary = addresses.find((each) => each.flag('IsPrimary')) ?? addresses[0];
    const networkInterfaceId = primary?.optionalText('NetworkInterfaceId') as NetworkInterfaceId | undefined;
    if (state === 'available' && networkInterfaceId !== undefined)
      services.set(networkInterfaceId, { kind: 'nat-gateway', natGatewayId: id });
    building.rows.putKnown('nat-gateway', {
      ...building.ownerOf(vpcId),
      id,
      vpcId,
      connectivityType: item.optionalText('ConnectivityType') === 'private' ? 'private' : 'public',
      state: state === 'available' ? 'available' : 'deleted',
      ...(networkInterfaceId && { networkInterfaceId }),
      tags: item.tags(),
    });
  }
}

/** @param services is told which interfaces are endpoints'   @param listOf the prefix list of a gateway endpoint's service */
export function readEndpoints(
  building: Building,
  services: Map<string, InterfaceService>,
  listOf: (serviceName: string, id: string) => PrefixListId | undefined,
): void {
  // biome-ignore format: one line
  const subnetOf = new Map(building.list('NetworkInterfaces', 'NetworkInterfaceId').map(({ item }) => [item.text('NetworkInterfaceId'), item.text('SubnetId')]));
  for (const { item } of building.list('VpcEndpoints', 'VpcEndpointId')) {
    const id = item.text('VpcEndpointId') as `vpce-${string}`;
    const vpcId = item.text('VpcId') as VpcId;
    // AWS writes it `available` and, of some kinds, `Available`.
    if ((item.optionalText('State') ?? 'available').toLowerCase() !== 'available') continue;
    const serviceName = item.optionalText('ServiceName') ?? '';
    const type = item.optionalText('VpcEndpointType') ?? 'Gateway';
    const common = {
      ...building.ownerOf(vpcId, item),
      id,
      vpcId,
      serviceName,
      policyDocument: item.document('PolicyDocument') ?? everything,
      creationTime: '',
      tags: item.tags(),
    };
    if (type === 'Gateway') {
      const prefixListId = listOf(serviceName, id);
      if (prefixListId === undefined) continue; // nothing routes to it, and nobody names its list
      const routeTableIds = item.texts('RouteTableIds') as `rtb-${string}`[];
      building.rows.put('vpc-endpoint', { ...common, endpointType: type, prefixListId, routeTableIds });
      continue;
    }
    const networkInterfaceIds = item.texts('NetworkInterfaceIds') as NetworkInterfaceId[];
    if (type !== 'Interface') {
      for (const each of networkInterfaceIds)
        building.relay(`${id} (${type} endpoint)`, each, vpcId, type === 'GatewayLoadBalancer');
      continue;
    }
    for (const each of networkInterfaceIds) services.set(each, { kind: 'vpc-endpoint', vpcEndpointId: id });
    const options = item.item('DnsOptions');
    building.rows.put('vpc-endpoint', {
      ...common,
      endpointType: type,
      subnets: networkInterfaceIds.map((each) => ({
        subnetId: (subnetOf.get(each) ?? 'subnet-unknown') as SubnetId,
        networkInterfaceId: each,
      })),
      groupIds: item.list('Groups').map((each) => each.text('GroupId') as SecurityGroupId),
      privateDnsEnabled: item.flag('PrivateDnsEnabled'),
      dnsOptions: {
        dnsRecordIpType: options?.optionalText('DnsRecordIpType') === 'service-defined' ? 'service-defined' : 'ipv4',
        ...(options?.flag('PrivateDnsOnlyForInboundResolverEndpoint') && {
          privateDnsOnlyForInboundResolverEndpoint: true,
        }),
      },
      dnsLabel: dnsLabel(item, id),
    });
  }
}

const everything =
  '{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":"*","Action":"*","Resource":"*"}]}';

/** `vpce-0ab-x1y2z3.ssm.us-east-1.vpce.amazonaws.com` → `x1y2z3` */
function dnsLabel(item: Item, id: string): string {
  for (const each of item.list('DnsEntries')) {
    const name = each.optionalText('DnsName') ?? '';
    const at = name.indexOf(`${id}-`);
    if (at >= 0) return name.slice(at + id.length + 1).split(/[.-]/)[0] ?? '';
  }
  return '';
}

export function readInstanceConnectEndpoints(building: Building, services: Map<string, InterfaceService>): void {
  for (const { item } of building.list('InstanceConnectEndpoints', 'InstanceConnectEndpointId')) {
    if (item.optionalText('State')?.startsWith('delete')) continue;
    const id = item.text('InstanceConnectEndpointId') as InstanceConnectEndpointId;
    const vpcId = item.text('VpcId') as VpcId;
    const [networkInterfaceId] = item.texts('NetworkInterfaceIds') as NetworkInterfaceId[];
    if (networkInterfaceId === undefined) continue;
    services.set(networkInterfaceId, { kind: 'instance-connect-endpoint', instanceConnectEndpointId: id });
    building.rows.putKnown('instance-connect-endpoint', {
      ...building.ownerOf(vpcId, item),
      id,
      vpcId,
      subnetId: item.text('SubnetId') as SubnetId,
      networkInterfaceId,
      preserveClientIp: item.flag('PreserveClientIp'),
      tags: item.tags(),
    });
  }
}

export function readPeerings(building: Building): void {
  for (const { item } of building.list('VpcPeeringConnections', 'VpcPeeringConnectionId')) {
    const side = (name: string) => {
      const info = item.item(name);
      return {
        vpcId: (info?.optionalText('VpcId') ?? 'vpc-unknown') as VpcId,
        accountId: info?.optionalText('OwnerId') ?? '',
        region: info?.optionalText('Region') ?? '',
        allowDnsResolutionFromRemoteVpc: info?.item('PeeringOptions')?.flag('AllowDnsResolutionFromRemoteVpc') ?? false,
      };
    };
    const requester = side('RequesterVpcInfo');
    building.rows.putKnown('vpc-peering-connection', {
      accountId: requester.accountId,
      region: requester.region,
      id: item.text('VpcPeeringConnectionId') as `pcx-${string}`,
      requester,
      accepter: side('AccepterVpcInfo'),
      state: item.item('Status')?.optionalText('Code') === 'active' ? 'active' : 'deleted',
      tags: item.tags(),
      accepterTags: {},
    });
  }
}
