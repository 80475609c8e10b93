// Gateway endpoints. Rules V1, V2, V5, W1, W4, W5, W10, W11. https://docs.aws.amazon.com/vpc/latest/privatelink/gateway-endpoints.html (read 2026-11-21).
// Order of CreateVpcEndpoint's checks: type, VPC, service, parameters of other types, policy, route tables, quota. Interface endpoints are refused.

import type {
  CreateVpcEndpointRequest,
  CreateVpcEndpointResult,
  DeleteVpcEndpointsRequest,
  DeleteVpcEndpointsResult,
  DescribeVpcEndpointsRequest,
  DescribeVpcEndpointsResult,
  ModifyVpcEndpointRequest,
  ModifyVpcEndpointResult,
  UnsuccessfulItem,
  VpcEndpoint,
} from '@aws-sdk/client-ec2';
import type { VpcEndpointId } from '@postern/network/snapshot.ts';
import { parsePolicy } from '@postern/policy/document.ts';
import { AwsError } from '../../errors.ts';
import { type Call, type Operation, operation } from '../../service.ts';
import type { VpcEndpointRow } from '../../store/rows/ec2.ts';
import { describe } from './describe.ts';
import { addEndpointRoute, removeEndpointRoutes, requireTables } from './endpoint-routes.ts';
import { refuseInterfaceEndpoint, requireGatewayService } from './endpoint-services.ts';
import { ec2Error, invalidCombination, invalidParameter, missingParameter, refuseUnsupported } from './errors.ts';
import type { FilterTable } from './filters.ts';
import { oncePerToken } from './idempotency.ts';
import { enforceQuota } from './quotas.ts';
import { findRow, requireRow, scopeOf } from './rows.ts';
import { tagsFromSpecifications, toTags } from './tags.ts';

/** W10: what an endpoint allows when nobody said otherwise. */
export const defaultEndpointPolicy =
  '{"Version":"2008-10-17","Statement":[{"Effect":"Allow","Principal":"*","Action":"*","Resource":"*"}]}';

function toVpcEndpoint(row: VpcEndpointRow): VpcEndpoint {
  return {
    VpcEndpointId: row.id,
    VpcEndpointType: row.endpointType,
    VpcId: row.vpcId,
    OwnerId: row.accountId,
    ServiceName: row.serviceName,
    ServiceRegion: row.region,
    // On the wire AWS writes its states in lower case (V2).
    State: 'available' as 'Available',
    PolicyDocument: row.policyDocument,
    RouteTableIds: row.routeTableIds,
    SubnetIds: [],
    Groups: [],
    IpAddressType: 'ipv4',
    DnsOptions: { DnsRecordIpType: 'service-defined' },
    PrivateDnsEnabled: false,
    RequesterManaged: false,
    NetworkInterfaceIds: [],
    DnsEntries: [],
    CreationTimestamp: new Date(row.creationTime),
    Tags: toTags(row.tags),
  };
}

const filters: FilterTable<VpcEndpointRow> = {
  'ip-address-type': () => 'ipv4',
  'owner-id': (row) => row.accountId,
  'service-name': (row) => row.serviceName,
  'service-region': (row) => row.region,
  'vpc-endpoint-id': (row) => row.id,
  // Both spellings are in use by tools.
  'vpc-endpoint-state': () => ['available', 'Available'],
  'vpc-endpoint-type': (row) => row.endpointType,
  'vpc-id': (row) => row.vpcId,
};

/** W10. @throws InvalidPolicyDocument */
function checkPolicy(text: string): string {
  const parsed = parsePolicy(text, { kind: 'endpoint' });
  if (!parsed.ok) throw ec2Error(parsed.code, parsed.message);
  return text;
}

const otherTypes = ['SubnetIds', 'SecurityGroupIds', 'PrivateDnsEnabled', 'SubnetConfigurations'] as const;

/** Parameters that only other endpoint types have. */
function refuseOtherTypes(input: Partial<Record<(typeof otherTypes)[number], unknown>>): void {
  for (const name of otherTypes) {
    const value = input[name];
    if (value === undefined || value === false || (Array.isArray(value) && value.length === 0)) continue;
    throw invalidParameter(`${name} is not supported for Gateway type VPC Endpoints.`);
  }
}

function makeEndpoint(call: Call, input: CreateVpcEndpointRequest): VpcEndpointId {
  const type = input.VpcEndpointType ?? 'Gateway';
  const vpc = requireRow(call, 'vpc', input.VpcId, 'vpcId');
  if (!input.ServiceName) throw missingParameter('serviceName');
  if (type !== 'Gateway') refuseInterfaceEndpoint(call, type, input.ServiceName);
  refuseUnsupported('CreateVpcEndpoint', input, ['ServiceNetworkArn', 'ResourceConfigurationArn']);
  if (input.ServiceRegion && input.ServiceRegion !== call.region)
    throw invalidParameter('ServiceRegion is not supported for Gateway type VPC Endpoints.');
  if (input.IpAddressType && input.IpAddressType !== 'ipv4')
    refuseUnsupported('CreateVpcEndpoint', input, ['IpAddressType']);
  const service = requireGatewayService(call, input.ServiceName);
  refuseOtherTypes(input);
  const tables = requireTables(call, vpc.id, input.RouteTableIds);
  const id: VpcEndpointId = call.tx.newId('vpce');
  const endpoint: VpcEndpointRow = {
    ...scopeOf(call),
    id,
    vpcId: vpc.id,
    endpointType: 'Gateway',
    serviceName: service.prefixListName,
    prefixListId: service.prefixListId,
    policyDocument: input.PolicyDocument ? checkPolicy(input.PolicyDocument) : defaultEndpointPolicy,
    routeTableIds: tables.map((table) => table.id),
    creationTime: call.now.toISOString(),
    tags: tagsFromSpecifications(input.TagSpecifications, 'vpc-endpoint'),
  };
  enforceQuota(call, 'gatewayEndpointsPerRegion', () => call.tx.list('vpc-endpoint', scopeOf(call)).length);
  call.tx.put('vpc-endpoint', endpoint);
  for (const table of tables) addEndpointRoute(call, endpoint, table);
  return id;
}

function modifyEndpoint(call: Call, input: ModifyVpcEndpointRequest): void {
  const endpoint = requireRow(call, 'vpc-endpoint', input.VpcEndpointId, 'vpcEndpointId');
  const { AddSubnetIds, RemoveSubnetIds, AddSecurityGroupIds, RemoveSecurityGroupIds } = input;
  refuseOtherTypes({
    SubnetIds: [...(AddSubnetIds ?? []), ...(RemoveSubnetIds ?? [])],
    SecurityGroupIds: [...(AddSecurityGroupIds ?? []), ...(RemoveSecurityGroupIds ?? [])],
    PrivateDnsEnabled: input.PrivateDnsEnabled,
    SubnetConfigurations: input.SubnetConfigurations,
  });
  if (input.IpAddressType && input.IpAddressType !== 'ipv4')
    refuseUnsupported('ModifyVpcEndpoint', input, ['IpAddressType']);
  if (input.ResetPolicy && input.PolicyDocument)
    throw invalidCombination('The parameter policyDocument cannot be used with the parameter resetPolicy');
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
    ...(input.PolicyDocument && { policyDocument: checkPolicy(input.PolicyDocument) }),
    ...(input.ResetPolicy && { policyDocument: defaultEndpointPolicy }),
  });
}

/** Each id for itself: what cannot be deleted is listed, the rest goes (V5). */
function deleteEndpoints(call: Call, ids: readonly string[]): UnsuccessfulItem[] {
  const unsuccessful: UnsuccessfulItem[] = [];
  for (const id of new Set(ids)) {
    try {
      const endpoint = requireRow(call, 'vpc-endpoint', id);
      removeEndpointRoutes(call, endpoint, endpoint.routeTableIds);
      call.tx.delete('vpc-endpoint', endpoint.id);
    } catch (error) {
      if (!(error instanceof AwsError)) throw error;
      unsuccessful.push({ ResourceId: id, Error: { Code: error.code, Message: error.message } });
    }
  }
  return unsuccessful;
}

export const vpcEndpoints = {
  CreateVpcEndpoint: operation<CreateVpcEndpointRequest, CreateVpcEndpointResult>({
    authorize: 'auto',
    run: (call, input) => {
      const known = (ids: readonly string[]) => ids.every((id) => findRow(call, 'vpc-endpoint', id));
      const [id] = oncePerToken(call, input.ClientToken, input, known, () => [makeEndpoint(call, input)]);
      const row = requireRow(call, 'vpc-endpoint', id);
      return { VpcEndpoint: toVpcEndpoint(row), ...(input.ClientToken && { ClientToken: input.ClientToken }) };
    },
  }),

  DescribeVpcEndpoints: operation<DescribeVpcEndpointsRequest, DescribeVpcEndpointsResult>({
    authorize: 'auto',
    readOnly: true,
    run: (call, input) => {
      const how = { ids: input.VpcEndpointIds, parameter: 'vpcEndpointSet', filters, min: 1 };
      const { page, next } = describe(call, 'vpc-endpoint', input, how);
      return { VpcEndpoints: page.map(toVpcEndpoint), ...next };
    },
  }),

  ModifyVpcEndpoint: operation<ModifyVpcEndpointRequest, ModifyVpcEndpointResult>({
    authorize: 'auto',
    run: (call, input) => {
      modifyEndpoint(call, input);
      return { Return: true };
    },
  }),

  DeleteVpcEndpoints: operation<DeleteVpcEndpointsRequest, DeleteVpcEndpointsResult>({
    authorize: 'auto',
    run: (call, input) => {
      if (!input.VpcEndpointIds || input.VpcEndpointIds.length === 0) throw missingParameter('vpcEndpointId');
      return { Unsuccessful: deleteEndpoints(call, input.VpcEndpointIds) };
    },
  }),
} satisfies Record<string, Operation>;
