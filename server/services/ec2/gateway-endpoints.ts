// Gateway endpoints. Rules W1, W4, W5, W10, W11. https://docs.aws.amazon.com/vpc/latest/privatelink/gateway-endpoints.html (read 2026-11-21).
// Order of checks at creation: service, parameters of other types, route tables, policy, quota.

import type { CreateVpcEndpointRequest, DnsOptionsSpecification, ModifyVpcEndpointRequest } from '@aws-sdk/client-ec2';
import type { VpcEndpointId } from '@postern/network/snapshot.ts';
import type { Call } from '../../service.ts';
import type { GatewayEndpointRow, VpcRow } from '../../store/rows/ec2.ts';
import { changedPolicy } from './endpoint-policy.ts';
import { addEndpointRoute, removeEndpointRoutes, requireTables } from './endpoint-routes.ts';
import { requireGatewayService } from './endpoint-services.ts';
import { invalidParameter, refuseUnsupported, unsupportedOperation } from './errors.ts';
import { enforceQuota } from './quotas.ts';
import { scopeOf } from './rows.ts';
import { tagsFromSpecifications } from './tags.ts';

/** Parameters that only other types have, in AWS's words for each. */
const onlyOthers = {
  SubnetIds: 'Subnet IDs are only supported for Interface and GatewayLoadBalancer type VPC Endpoints.',
  AddSubnetIds: 'Subnet IDs are only supported for Interface and GatewayLoadBalancer type VPC Endpoints.',
  RemoveSubnetIds: 'Subnet IDs are only supported for Interface and GatewayLoadBalancer type VPC Endpoints.',
  SubnetConfigurations: 'Subnet configurations are only supported for Interface type VPC Endpoints.',
  SecurityGroupIds: 'Security group IDs are only supported for Interface type VPC Endpoints.',
  AddSecurityGroupIds: 'Security group IDs are only supported for Interface type VPC Endpoints.',
  RemoveSecurityGroupIds: 'Security group IDs are only supported for Interface type VPC Endpoints.',
  PrivateDnsEnabled: 'Private DNS is only supported for Interface type VPC Endpoints.',
} as const;

function refuseOtherTypes(input: object): void {
  for (const [name, message] of Object.entries(onlyOthers)) {
    const value = (input as Record<string, unknown>)[name];
    if (value === undefined || value === false || (Array.isArray(value) && value.length === 0)) continue;
    throw invalidParameter(message);
  }
}

/** A gateway endpoint makes no records: what says so is taken, and shown as `service-defined`. */
function checkDnsOptions(operation: string, options: DnsOptionsSpecification | undefined): void {
  if (options?.PrivateDnsOnlyForInboundResolverEndpoint !== undefined)
    throw invalidParameter(
      'DnsOptions PrivateDnsOnlyForInboundResolverEndpoint is applicable only to Interface VPC Endpoints.',
    );
  const record = options?.DnsRecordIpType;
  if (record !== undefined && record !== 'ipv4' && record !== 'service-defined')
    throw unsupportedOperation(`The DnsRecordIpType ${record} of ${operation}`);
}

export function makeGatewayEndpoint(
  call: Call,
  vpc: VpcRow,
  input: CreateVpcEndpointRequest & { ServiceName: string },
): VpcEndpointId {
  if (input.ServiceRegion && input.ServiceRegion !== call.region)
    throw invalidParameter('ServiceRegion is not supported for Gateway type VPC Endpoints.');
  if (input.IpAddressType && input.IpAddressType !== 'ipv4')
    refuseUnsupported('CreateVpcEndpoint', input, ['IpAddressType']);
  checkDnsOptions('CreateVpcEndpoint', input.DnsOptions);
  const service = requireGatewayService(call, input.ServiceName);
  refuseOtherTypes(input);
  const tables = requireTables(call, vpc.id, input.RouteTableIds);
  const id: VpcEndpointId = call.tx.newId('vpce');
  const endpoint: GatewayEndpointRow = {
    ...scopeOf(call),
    id,
    vpcId: vpc.id,
    endpointType: 'Gateway',
    serviceName: service.prefixListName,
    prefixListId: service.prefixListId,
    policyDocument: changedPolicy('gateway', undefined, input),
    routeTableIds: tables.map((table) => table.id),
    creationTime: call.now.toISOString(),
    tags: tagsFromSpecifications(input.TagSpecifications, 'vpc-endpoint'),
  };
  enforceQuota(
    call,
    'gatewayEndpointsPerRegion',
    () => call.tx.list('vpc-endpoint', scopeOf(call)).filter((row) => row.endpointType === 'Gateway').length,
  );
  call.tx.put('vpc-endpoint', endpoint);
  for (const table of tables) addEndpointRoute(call, endpoint, table);
  return id;
}

export function modifyGatewayEndpoint(call: Call, endpoint: GatewayEndpointRow, input: ModifyVpcEndpointRequest): void {
  refuseOtherTypes(input);
  if (input.IpAddressType && input.IpAddressType !== 'ipv4')
    refuseUnsupported('ModifyVpcEndpoint', input, ['IpAddressType']);
  checkDnsOptions('ModifyVpcEndpoint', input.DnsOptions);
  const policyDocument = changedPolicy('gateway', endpoint.policyDocument, input);
  const remove = requireTables(call, endpoint.vpcId, input.RemoveRouteTableIds);
  const absent = remove.find((table) => !endpoint.routeTableIds.includes(table.id));
  if (absent) throw invalidParameter(`Route table ${absent.id} is not associated with VPC endpoint ${endpoint.id}`);
  const removed = new Set(remove.map((table) => table.id));
  removeEndpointRoutes(call, endpoint, [...removed]);
  const add = requireTables(call, endpoint.vpcId, input.AddRouteTableIds);
  for (const table of add) addEndpointRoute(call, endpoint, table);
  call.tx.put('vpc-endpoint', {
    ...endpoint,
    routeTableIds: [...endpoint.routeTableIds.filter((id) => !removed.has(id)), ...add.map((table) => table.id)],
    policyDocument,
  });
}

/** @throws InvalidParameter while an interface endpoint counts on it (X8) */
export function deleteGatewayEndpoint(call: Call, endpoint: GatewayEndpointRow): void {
  const here = call.tx
    .list('vpc-endpoint', scopeOf(call))
    .filter((row) => row.vpcId === endpoint.vpcId && row.serviceName === endpoint.serviceName);
  const isLast = !here.some((row) => row.endpointType === 'Gateway' && row.id !== endpoint.id);
  const leaning = here.find(
    (row) => row.endpointType === 'Interface' && row.dnsOptions.privateDnsOnlyForInboundResolverEndpoint === true,
  );
  if (isLast && leaning)
    throw invalidParameter(
      `Gateway endpoint cannot be deleted while Interface endpoint ${leaning.id} for the service has PrivateDnsOnlyForInboundResolverEndpoint set to true.`,
    );
  removeEndpointRoutes(call, endpoint, endpoint.routeTableIds);
  call.tx.delete('vpc-endpoint', endpoint.id);
}
