// Interface endpoints. Rules X1, X2, X5, X7, X8. https://docs.aws.amazon.com/vpc/latest/privatelink/create-interface-endpoint.html and
// https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_CreateVpcEndpoint.html (read 2026-11-21).
// Order of checks at creation: unsupported parameters, service, parameters of other types, policy, private DNS, subnets, groups, quota.
// Wordings without a source: subnet of another VPC, policy not supported, the options of private DNS except the gateway endpoint's.

import { createHash } from 'node:crypto';
import type {
  CreateVpcEndpointRequest,
  DnsOptionsSpecification,
  ModifyVpcEndpointRequest,
  SubnetConfiguration,
} from '@aws-sdk/client-ec2';
import { type EndpointService, endpointService } from '@postern/network/endpoint-services.ts';
import type { SecurityGroupId, VpcEndpointId } from '@postern/network/snapshot.ts';
import type { Call } from '../../service.ts';
import type { InterfaceEndpointRow, SubnetRow, VpcRow } from '../../store/rows/ec2.ts';
import { serviceCalled, zonesOfService } from './customers-services.ts';
import { changedPolicy } from './endpoint-policy.ts';
import { requireInterfaceService } from './endpoint-services.ts';
import { ec2Error, invalidParameter, missingParameter, refuseUnsupported, unsupportedOperation } from './errors.ts';
import { chooseGroups, makeNetworkInterface } from './new-network-interface.ts';
import { enforceQuota } from './quotas.ts';
import { requireRow, scopeOf } from './rows.ts';
import { freePrivateAddress, requireFreePrivateAddress } from './subnet-addresses.ts';
import { tagsFromSpecifications } from './tags.ts';

/** The account by which AWS makes endpoints' interfaces. */
const requesterId = '727180483921';

type Subnets = InterfaceEndpointRow['subnets'];
type DnsOptions = InterfaceEndpointRow['dnsOptions'];

/** The service of a stored endpoint. */
export function serviceOf(row: { readonly serviceName: string }): EndpointService {
  const service = endpointService(row.serviceName);
  if (!service) throw new Error(`there is no service ${row.serviceName}`);
  return service;
}

function refuseOtherTypes(input: object): void {
  for (const name of ['RouteTableIds', 'AddRouteTableIds', 'RemoveRouteTableIds']) {
    const value = (input as Record<string, unknown>)[name];
    if (Array.isArray(value) && value.length > 0)
      throw invalidParameter('Route table IDs are only supported for Gateway type VPC Endpoints.');
  }
}

/** What Postern cannot carry: IPv6 at the endpoint's interfaces, and records of it. */
function refuseIpv6(
  operation: string,
  input: Pick<CreateVpcEndpointRequest, 'IpAddressType' | 'DnsOptions' | 'SubnetConfigurations'>,
): void {
  if (input.IpAddressType !== undefined && input.IpAddressType !== 'ipv4')
    throw unsupportedOperation(`The IpAddressType ${input.IpAddressType} of ${operation} for an interface endpoint`);
  const record = input.DnsOptions?.DnsRecordIpType;
  if (record !== undefined && record !== 'ipv4' && record !== 'service-defined')
    throw unsupportedOperation(`The DnsRecordIpType ${record} of ${operation}`);
  const names = ['PrivateDnsPreference', 'PrivateDnsSpecifiedDomains'] as const;
  if (input.DnsOptions) refuseUnsupported(`${operation}'s DnsOptions`, input.DnsOptions, names);
  for (const one of input.SubnetConfigurations ?? [])
    refuseUnsupported(`${operation}'s SubnetConfigurations`, one, ['Ipv6']);
}

// ---- policy and private DNS

/** X7. */
function refusePolicy(service: EndpointService, policy: string | undefined): void {
  if (policy && !service.isPolicySupported)
    throw invalidParameter(`The service ${service.serviceName} does not support endpoint policies.`);
}

function supportsGateway(service: EndpointService): boolean {
  return service.types.includes('Gateway');
}

/** S3 and DynamoDB do not take over their public names unless asked to (X8). */
function privateDnsByDefault(service: EndpointService): boolean {
  return service.privateDnsNames.length > 0 && !supportsGateway(service);
}

/** @throws InvalidParameter (X8) */
function dnsOptions(
  call: Call,
  vpcId: string,
  service: EndpointService,
  isPrivate: boolean,
  before: DnsOptions | undefined,
  given: DnsOptionsSpecification | undefined,
): DnsOptions {
  const asked = given?.PrivateDnsOnlyForInboundResolverEndpoint;
  if (asked && !supportsGateway(service))
    throw invalidParameter(
      'PrivateDnsOnlyForInboundResolverEndpoint is only supported for services that support both Gateway and Interface type VPC Endpoints.',
    );
  if (asked && !isPrivate)
    throw invalidParameter(
      'PrivateDnsOnlyForInboundResolverEndpoint cannot be set to true when private DNS is not enabled.',
    );
  const dnsRecordIpType = (given?.DnsRecordIpType ??
    before?.dnsRecordIpType ??
    'ipv4') as DnsOptions['dnsRecordIpType'];
  if (!supportsGateway(service)) return { dnsRecordIpType };
  // With private DNS, inbound only is what AWS does unless told otherwise.
  const only = isPrivate && (asked ?? before?.privateDnsOnlyForInboundResolverEndpoint ?? true);
  const has = () =>
    call.tx
      .list('vpc-endpoint', scopeOf(call))
      .some((row) => row.vpcId === vpcId && row.endpointType === 'Gateway' && row.serviceName === service.serviceName);
  if (only && !has())
    throw invalidParameter(
      `To set PrivateDnsOnlyForInboundResolverEndpoint to true, the VPC ${vpcId} must have a Gateway endpoint for the service.`,
    );
  return { dnsRecordIpType, privateDnsOnlyForInboundResolverEndpoint: only };
}

/** X5. @param ownId the endpoint's, once it is there */
function requirePrivateDns(call: Call, vpc: VpcRow, service: EndpointService, ownId?: string): void {
  const [domain] = service.privateDnsNames;
  if (domain === undefined)
    throw invalidParameter(
      `Private DNS can't be enabled because the service ${service.serviceName} does not provide a private DNS name.`,
    );
  if (!vpc.enableDnsSupport || !vpc.enableDnsHostnames)
    throw invalidParameter(
      `Enabling private DNS requires both enableDnsSupport and enableDnsHostnames VPC attributes set to true for ${vpc.id}`,
    );
  const taken = call.tx
    .list('vpc-endpoint', scopeOf(call))
    .some(
      (row) =>
        row.id !== ownId &&
        row.vpcId === vpc.id &&
        row.endpointType === 'Interface' &&
        row.privateDnsEnabled &&
        row.serviceName === service.serviceName,
    );
  if (taken)
    throw invalidParameter(
      `private-dns-enabled cannot be set because there is already a conflicting DNS domain for ${domain} in the VPC ${vpc.id}`,
    );
}

// ---- subnets

/** The subnets that a call adds, each once, with the address that it chose. */
function wantedSubnets(
  call: Call,
  vpcId: string,
  ids: readonly string[] | undefined,
  configurations: readonly SubnetConfiguration[] | undefined,
): { subnet: SubnetRow; address: string | undefined }[] {
  const chosen = new Map<string, string | undefined>((ids ?? []).map((id) => [id, undefined]));
  for (const { SubnetId, Ipv4 } of configurations ?? []) {
    if (!SubnetId) throw missingParameter('SubnetConfiguration.SubnetId');
    chosen.set(SubnetId, Ipv4);
  }
  return [...chosen].map(([id, address]) => {
    const subnet = requireRow(call, 'subnet', id, 'subnetId');
    if (subnet.vpcId !== vpcId) throw invalidParameter(`The subnet ID '${id}' does not belong to VPC ${vpcId}`);
    return { subnet, address };
  });
}

/** Makes an interface in each subnet. @throws DuplicateSubnetsInSameZone (X1), and what an address can be wrong with */
function addSubnets(call: Call, endpoint: InterfaceEndpointRow, wanted: ReturnType<typeof wantedSubnets>): Subnets {
  const subnets = [...endpoint.subnets];
  const provider = serviceCalled(call.tx, endpoint.serviceName);
  const offered = provider && zonesOfService(call.tx, provider);
  const zones = new Set(subnets.map(({ subnetId }) => requireRow(call, 'subnet', subnetId).availabilityZone));
  for (const { subnet, address } of wanted) {
    if (zones.has(subnet.availabilityZone))
      throw ec2Error(
        'DuplicateSubnetsInSameZone',
        `Found another VPC endpoint subnet in the availability zone of ${subnet.id}. VPC endpoint subnets should be in different availability zones supported by the VPC endpoint service.`,
      );
    if (offered?.includes(subnet.availabilityZone) === false)
      throw invalidParameter(
        `The VPC endpoint service ${endpoint.serviceName} does not support the availability zone of the subnet: ${subnet.id}.`,
      );
    zones.add(subnet.availabilityZone);
    const own = address ? requireFreePrivateAddress(call.tx, subnet, address) : freePrivateAddress(call.tx, subnet);
    const made = makeNetworkInterface(call, {
      subnet,
      privateAddresses: [{ address: own, primary: true }],
      groupIds: endpoint.groupIds,
      description: `VPC Endpoint Interface ${endpoint.id}`,
      interfaceType: 'vpc_endpoint',
      tags: {},
      managed: { service: { kind: 'vpc-endpoint', vpcEndpointId: endpoint.id }, requesterId },
    });
    subnets.push({ subnetId: subnet.id, networkInterfaceId: made.id });
  }
  return subnets;
}

/** A configuration for a subnet that the endpoint is in already gives its interface another address. */
function moveAddress(call: Call, { subnetId, networkInterfaceId }: Subnets[number], address: string | undefined): void {
  const eni = call.tx.get('network-interface', networkInterfaceId);
  if (!eni || !address || eni.privateAddresses[0]?.address === address) return;
  const own = requireFreePrivateAddress(call.tx, requireRow(call, 'subnet', subnetId), address);
  call.tx.put('network-interface', { ...eni, privateAddresses: [{ address: own, primary: true }] });
}

// ---- groups

function requireGroups(
  call: Call,
  vpcId: VpcRow['id'],
  subnetId: string | undefined,
  ids: readonly string[] | undefined,
): SecurityGroupId[] {
  // Only the id and the VPC of the place are looked at.
  return chooseGroups(call, { id: subnetId ?? vpcId, vpcId } as SubnetRow, ids);
}

// ---- the three operations

export function makeInterfaceEndpoint(
  call: Call,
  vpc: VpcRow,
  input: CreateVpcEndpointRequest & { ServiceName: string },
): VpcEndpointId {
  if (input.ServiceRegion && input.ServiceRegion !== call.region)
    throw unsupportedOperation(
      'The parameter ServiceRegion of CreateVpcEndpoint, an endpoint for another region’s service,',
    );
  refuseIpv6('CreateVpcEndpoint', input);
  const service = requireInterfaceService(call, input.ServiceName);
  const provider = serviceCalled(call.tx, service.serviceName);
  refuseOtherTypes(input);
  refusePolicy(service, input.PolicyDocument);
  const policyDocument = changedPolicy('interface', undefined, { PolicyDocument: input.PolicyDocument });
  const privateDnsEnabled = input.PrivateDnsEnabled ?? privateDnsByDefault(service);
  if (privateDnsEnabled) requirePrivateDns(call, vpc, service);
  const options = dnsOptions(call, vpc.id, service, privateDnsEnabled, undefined, input.DnsOptions);
  const wanted = wantedSubnets(call, vpc.id, input.SubnetIds, input.SubnetConfigurations);
  const id: VpcEndpointId = call.tx.newId('vpce');
  const endpoint: InterfaceEndpointRow = {
    ...scopeOf(call),
    id,
    vpcId: vpc.id,
    endpointType: 'Interface',
    serviceName: service.serviceName,
    policyDocument,
    subnets: [],
    groupIds: requireGroups(call, vpc.id, wanted[0]?.subnet.id, input.SecurityGroupIds),
    privateDnsEnabled,
    dnsOptions: options,
    dnsLabel: dnsLabelOf(id),
    creationTime: call.now.toISOString(),
    ...(provider && {
      connection: provider.acceptanceRequired ? ('pendingAcceptance' as const) : ('available' as const),
    }),
    tags: tagsFromSpecifications(input.TagSpecifications, 'vpc-endpoint'),
  };
  enforceQuota(
    call,
    'interfaceEndpointsPerVpc',
    () =>
      call.tx
        .list('vpc-endpoint', scopeOf(call))
        .filter((row) => row.vpcId === vpc.id && row.endpointType === 'Interface').length,
  );
  call.tx.put('vpc-endpoint', { ...endpoint, subnets: addSubnets(call, endpoint, wanted) });
  return id;
}

/** Eight letters and digits, as random as the id. */
function dnsLabelOf(id: VpcEndpointId): string {
  const digest = createHash('sha256').update(id).digest().readBigUInt64BE(0);
  return digest.toString(36).padStart(13, '0').slice(-8);
}

export function modifyInterfaceEndpoint(
  call: Call,
  before: InterfaceEndpointRow,
  input: ModifyVpcEndpointRequest,
): void {
  const service = serviceOf(before);
  refuseIpv6('ModifyVpcEndpoint', input);
  refuseOtherTypes(input);
  refusePolicy(service, input.PolicyDocument);
  const vpc = requireRow(call, 'vpc', before.vpcId);
  const privateDnsEnabled = input.PrivateDnsEnabled ?? before.privateDnsEnabled;
  const turnsOn = privateDnsEnabled && !before.privateDnsEnabled;
  if (turnsOn) requirePrivateDns(call, vpc, service, before.id);
  const asksDns = input.DnsOptions !== undefined || input.PrivateDnsEnabled !== undefined;
  const changed: InterfaceEndpointRow = {
    ...before,
    policyDocument: changedPolicy('interface', before.policyDocument, input),
    privateDnsEnabled,
    dnsOptions: asksDns
      ? dnsOptions(call, vpc.id, service, privateDnsEnabled, turnsOn ? undefined : before.dnsOptions, input.DnsOptions)
      : before.dnsOptions,
    groupIds: changedGroups(call, before, input),
    subnets: withoutSubnets(call, before, input.RemoveSubnetIds),
  };
  const here = new Map(changed.subnets.map((each) => [each.subnetId as string, each]));
  const wanted = wantedSubnets(call, vpc.id, input.AddSubnetIds, input.SubnetConfigurations);
  for (const { subnet, address } of wanted) {
    const present = here.get(subnet.id);
    if (present) moveAddress(call, present, address);
  }
  const subnets = addSubnets(
    call,
    changed,
    wanted.filter(({ subnet }) => !here.has(subnet.id)),
  );
  for (const { networkInterfaceId } of subnets) {
    const eni = call.tx.get('network-interface', networkInterfaceId);
    if (eni) call.tx.put('network-interface', { ...eni, groupIds: changed.groupIds });
  }
  call.tx.put('vpc-endpoint', { ...changed, subnets });
}

function changedGroups(call: Call, before: InterfaceEndpointRow, input: ModifyVpcEndpointRequest): SecurityGroupId[] {
  const { AddSecurityGroupIds: add = [], RemoveSecurityGroupIds: remove = [] } = input;
  if (add.length + remove.length === 0) return before.groupIds;
  const absent = remove.find((id) => !(before.groupIds as string[]).includes(id));
  if (absent) {
    requireRow(call, 'security-group', absent);
    throw invalidParameter(`Security group ${absent} is not associated with VPC endpoint ${before.id}`);
  }
  const left = before.groupIds.filter((id) => !remove.includes(id));
  if (left.length + add.length === 0)
    throw invalidParameter(`At least one security group must remain associated with VPC endpoint ${before.id}`);
  return add.length === 0 ? left : requireGroups(call, before.vpcId, before.subnets[0]?.subnetId, [...left, ...add]);
}

function withoutSubnets(call: Call, before: InterfaceEndpointRow, ids: readonly string[] | undefined): Subnets {
  const gone = new Set(ids ?? []);
  for (const id of gone) {
    if (before.subnets.some(({ subnetId }) => subnetId === id)) continue;
    requireRow(call, 'subnet', id, 'subnetId');
    throw invalidParameter(`Subnet ${id} is not associated with VPC endpoint ${before.id}`);
  }
  for (const { subnetId, networkInterfaceId } of before.subnets)
    if (gone.has(subnetId)) call.tx.delete('network-interface', networkInterfaceId);
  return before.subnets.filter(({ subnetId }) => !gone.has(subnetId));
}

export function deleteInterfaceEndpoint(call: Call, endpoint: InterfaceEndpointRow): void {
  for (const { networkInterfaceId } of endpoint.subnets) call.tx.delete('network-interface', networkInterfaceId);
  call.tx.delete('vpc-endpoint', endpoint.id);
}
