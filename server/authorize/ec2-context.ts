// What is true of an EC2 resource: the condition keys of its type, read off its row, or off the input while it is being created.
// https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazonec2.html#amazonec2-policy-keys (read 2026-11-21)

import type { Tags, VpcPeeringConnectionRow } from '../store/rows/ec2.ts';
import type { Kind, Row, Rows, Transaction } from '../store/store.ts';
import type { CallFacts } from './context.ts';
import type { Input } from './permissions.ts';

export type Ec2Context = Readonly<Record<string, readonly string[]>>;

export interface RowContext {
  readonly context: Ec2Context;
  /** Whose it is: the account in the ARN. Absent when there is no row. */
  readonly accountId?: string;
  /** What the ARN carries when it is not the id. */
  readonly name?: string;
}

interface Place {
  readonly accountId: string;
  readonly region: string;
}
/** The ARN of something where the row is, or at another place. */
type ArnOf = (type: string, id: string, at?: Place) => string;
type Describe<R> = (row: R, arn: ArnOf) => Record<string, string | undefined>;

interface RowType<K extends Kind> {
  readonly kind: K;
  readonly describe: Describe<Rows[K]>;
}

const rowType = <K extends Kind>(kind: K, describe: Describe<Rows[K]>): RowType<Kind> =>
  ({ kind, describe }) as unknown as RowType<Kind>;

/** Resource type → its rows and keys. */
const ROW_TYPES: Readonly<Record<string, RowType<Kind>>> = {
  vpc: rowType('vpc', (row) => ({ 'ec2:VpcID': row.id, 'ec2:Tenancy': row.instanceTenancy })),
  subnet: rowType('subnet', (row, arn) => ({
    'ec2:SubnetID': row.id,
    'ec2:Vpc': arn('vpc', row.vpcId),
    'ec2:AvailabilityZone': row.availabilityZone,
    'ec2:AvailabilityZoneId': row.availabilityZoneId,
  })),
  'subnet-cidr-reservation': rowType('subnet-cidr-reservation', () => ({})),
  'route-table': rowType('route-table', (row, arn) => ({
    'ec2:RouteTableID': row.id,
    'ec2:Vpc': arn('vpc', row.vpcId),
  })),
  'internet-gateway': rowType('internet-gateway', (row) => ({ 'ec2:InternetGatewayID': row.id })),
  'egress-only-internet-gateway': rowType('egress-only-internet-gateway', () => ({})),
  'security-group': rowType('security-group', (row, arn) => ({
    'ec2:SecurityGroupID': row.id,
    'ec2:Vpc': arn('vpc', row.vpcId),
  })),
  'security-group-rule': rowType('security-group-rule', () => ({})),
  'network-acl': rowType('network-acl', (row, arn) => ({
    'ec2:NetworkAclID': row.id,
    'ec2:Vpc': arn('vpc', row.vpcId),
  })),
  'network-interface': rowType('network-interface', (row, arn) => ({
    'ec2:NetworkInterfaceID': row.id,
    'ec2:Vpc': arn('vpc', row.vpcId),
    'ec2:Subnet': arn('subnet', row.subnetId),
    'ec2:AvailabilityZone': row.availabilityZone,
  })),
  'elastic-ip': rowType('address', (row) => ({
    'ec2:AllocationId': row.id,
    'ec2:Domain': row.domain,
    'ec2:PublicIpAddress': row.publicIp,
  })),
  'vpc-endpoint': rowType('vpc-endpoint', (row) => ({
    'ec2:VpceServiceName': row.serviceName,
    'ec2:VpceServiceOwner': 'amazon',
    'ec2:VpceServiceRegion': row.region,
    'ec2:VpceMultiRegion': 'false',
  })),
  'vpc-endpoint-service': rowType('vpc-endpoint-service', () => ({})),
  'vpc-flow-log': rowType('flow-log', () => ({})),
  'network-insights-path': rowType('network-insights-path', () => ({})),
  'network-insights-analysis': rowType('network-insights-analysis', () => ({})),
  'network-insights-access-scope': rowType('network-insights-access-scope', () => ({})),
  'network-insights-access-scope-analysis': rowType('network-insights-access-scope-analysis', () => ({})),
  'instance-connect-endpoint': rowType('instance-connect-endpoint', (row) => ({ 'ec2:SubnetID': row.subnetId })),
  'vpc-block-public-access-exclusion': rowType('vpc-block-public-access-exclusion', () => ({})),
  natgateway: rowType('nat-gateway', () => ({})),
  'vpc-peering-connection': rowType('vpc-peering-connection', ({ id, requester, accepter }, arn) => ({
    'ec2:VpcPeeringConnectionID': id,
    'ec2:RequesterVpc': arn('vpc', requester.vpcId, requester),
    'ec2:AccepterVpc': arn('vpc', accepter.vpcId, accepter),
  })),
  'transit-gateway': rowType('transit-gateway', (row) => ({ 'ec2:transitGatewayId': row.id })),
  'transit-gateway-attachment': rowType('transit-gateway-attachment', (row) => ({
    'ec2:transitGatewayAttachmentId': row.id,
  })),
  'transit-gateway-route-table': rowType('transit-gateway-route-table', (row) => ({
    'ec2:transitGatewayRouteTableId': row.id,
  })),
  'prefix-list': rowType('prefix-list', () => ({})),
  'dhcp-options': rowType('dhcp-options', (row) => ({ 'ec2:DhcpOptionsID': row.id })),
  'key-pair': rowType('key-pair', (row) => ({ 'ec2:KeyPairName': row.keyName, 'ec2:KeyPairType': row.keyType })),
  instance: rowType('instance', (row, arn) => ({
    'ec2:InstanceID': row.id,
    'ec2:InstanceType': row.instanceType,
    'ec2:InstanceProfile': row.iamInstanceProfile?.arn,
    'ec2:AvailabilityZone': row.availabilityZone,
    'ec2:EbsOptimized': String(row.ebsOptimized),
    'ec2:Tenancy': 'default',
    'ec2:RootDeviceType': 'ebs',
    'ec2:MetadataHttpTokens': row.metadataOptions.httpTokens,
    'ec2:MetadataHttpEndpoint': row.metadataOptions.httpEndpoint,
    'ec2:MetadataHttpPutResponseHopLimit': String(row.metadataOptions.httpPutResponseHopLimit),
    'ec2:InstanceMetadataTags': row.metadataOptions.instanceMetadataTags,
    'ec2:Vpc': arn('vpc', row.vpcId),
  })),
};

/** @param id undefined while the resource is being created */
export function rowContext(
  tx: Transaction,
  call: CallFacts,
  action: string,
  type: string,
  id: string | undefined,
  input: Input,
): RowContext {
  if (id === undefined) return { context: compact(createdContext(tx, call, action, type, input)) };
  const rowKind = ROW_TYPES[type];
  const row = rowKind && findRow(tx, call, rowKind.kind, id);
  if (!rowKind || !row) {
    if (type === 'image')
      return {
        context: compact({
          'ec2:ImageID': id,
          'ec2:Owner': 'amazon',
          'ec2:Public': 'true',
          'ec2:RootDeviceType': 'ebs',
          'ec2:ImageType': 'machine',
        }),
      };
    return { context: type === 'key-pair' ? { 'ec2:KeyPairName': [id] } : {} };
  }
  const arn: ArnOf = (of, name, at = row) => `arn:${call.partition}:ec2:${at.region}:${at.accountId}:${of}/${name}`;
  const context: Record<string, readonly string[]> = { ...compact(rowKind.describe(row as never, arn)) };
  for (const [key, value] of Object.entries(tagsOf(row))) {
    context[`aws:ResourceTag/${key}`] = [value];
    context[`ec2:ResourceTag/${key}`] = [value];
  }
  return {
    context,
    // Another account's row is as good as none to EC2, and its ARN would tell that it exists.
    ...(row.accountId === call.accountId && { accountId: row.accountId }),
    ...('keyName' in row && type === 'key-pair' && { name: row.keyName }),
  };
}

function findRow(tx: Transaction, call: CallFacts, kind: Kind, id: string): (Row & Rows[Kind]) | undefined {
  const scope = { accountId: call.accountId, region: call.region };
  if (kind === 'key-pair' && !id.startsWith('key-'))
    return tx.list('key-pair', scope).find((row) => row.keyName === id);
  if (kind === 'vpc-peering-connection') return peeringSeenBy(call, tx.get(kind, id));
  const row = tx.get(kind, id);
  return row && (row.accountId === call.accountId || row.accountId === 'aws') ? row : undefined;
}

/** Either side's, with the tags of the caller's side. */
function peeringSeenBy(call: CallFacts, row: VpcPeeringConnectionRow | undefined) {
  if (row?.requester.accountId === call.accountId && row.region === call.region) return row;
  return row?.accepter.accountId === call.accountId ? { ...row, tags: row.accepterTags } : undefined;
}

function tagsOf(row: object): Tags {
  return 'tags' in row ? (row.tags as Tags) : {};
}

function compact(context: Readonly<Record<string, string | undefined>>): Record<string, readonly string[]> {
  const kept: Record<string, readonly string[]> = {};
  for (const [key, value] of Object.entries(context)) if (value !== undefined) kept[key] = [value];
  return kept;
}

const textOf = (value: unknown): string | undefined => (typeof value === 'string' && value !== '' ? value : undefined);

/** What the input says of the resource that it creates. */
function createdContext(
  tx: Transaction,
  call: CallFacts,
  action: string,
  type: string,
  input: Input,
): Record<string, string | undefined> {
  const arn = (of: string, id: string | undefined) =>
    id === undefined ? undefined : `arn:${call.partition}:ec2:${call.region}:${call.accountId}:${of}/${id}`;
  const subnetId = textOf(input.SubnetId) ?? firstCardSubnet(input);
  const subnet = subnetId === undefined ? undefined : tx.get('subnet', subnetId);
  const vpc = arn('vpc', textOf(input.VpcId) ?? subnet?.vpcId);
  switch (type) {
    case 'instance': {
      const options = recordOf(input.MetadataOptions);
      const placement = recordOf(input.Placement);
      return {
        'ec2:InstanceType': textOf(input.InstanceType) ?? (action === 'RunInstances' ? 'm1.small' : undefined),
        'ec2:AvailabilityZone': subnet?.availabilityZone ?? textOf(placement.AvailabilityZone),
        'ec2:InstanceProfile': textOf(recordOf(input.IamInstanceProfile).Arn),
        'ec2:EbsOptimized': String(input.EbsOptimized === true),
        'ec2:Tenancy': textOf(placement.Tenancy) ?? 'default',
        'ec2:RootDeviceType': 'ebs',
        'ec2:MetadataHttpTokens': textOf(options.HttpTokens),
        'ec2:MetadataHttpEndpoint': textOf(options.HttpEndpoint),
        'ec2:MetadataHttpPutResponseHopLimit':
          typeof options.HttpPutResponseHopLimit === 'number' ? String(options.HttpPutResponseHopLimit) : undefined,
      };
    }
    case 'network-interface':
      return {
        'ec2:Vpc': vpc,
        'ec2:Subnet': arn('subnet', subnetId),
        'ec2:AvailabilityZone': subnet?.availabilityZone,
        'ec2:AssociatePublicIpAddress': associatePublicIp(input),
      };
    case 'volume':
      return { 'ec2:AvailabilityZone': subnet?.availabilityZone, 'ec2:VolumeType': undefined };
    case 'security-group':
    case 'route-table':
    case 'network-acl':
    case 'subnet':
      return { 'ec2:Vpc': vpc, 'ec2:AvailabilityZone': textOf(input.AvailabilityZone) };
    case 'vpc-endpoint':
      return {
        'ec2:VpceServiceName': textOf(input.ServiceName),
        'ec2:VpceServiceOwner': 'amazon',
        'ec2:VpceServiceRegion': textOf(input.ServiceRegion) ?? call.region,
        'ec2:VpceMultiRegion': 'false',
      };
    case 'vpc-peering-connection': {
      const [accountId, region] = [
        textOf(input.PeerOwnerId) ?? call.accountId,
        textOf(input.PeerRegion) ?? call.region,
      ];
      const peer = textOf(input.PeerVpcId);
      return {
        'ec2:RequesterVpc': vpc,
        'ec2:AccepterVpc': peer && `arn:${call.partition}:ec2:${region}:${accountId}:vpc/${peer}`,
      };
    }
    case 'vpc':
      return { 'ec2:Tenancy': textOf(input.InstanceTenancy) ?? 'default' };
    case 'key-pair':
      return { 'ec2:KeyPairName': textOf(input.KeyName), 'ec2:KeyPairType': textOf(input.KeyType) ?? 'rsa' };
    case 'elastic-ip':
      return { 'ec2:Domain': 'vpc' };
    default:
      return {};
  }
}

function recordOf(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {};
}

function firstCard(input: Input): Readonly<Record<string, unknown>> {
  return recordOf(Array.isArray(input.NetworkInterfaces) ? input.NetworkInterfaces[0] : undefined);
}

function firstCardSubnet(input: Input): string | undefined {
  return textOf(firstCard(input).SubnetId);
}

function associatePublicIp(input: Input): string | undefined {
  const value = firstCard(input).AssociatePublicIpAddress;
  return typeof value === 'boolean' ? String(value) : undefined;
}
