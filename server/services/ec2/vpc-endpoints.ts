// VPC endpoints: what the calls have in common; the two types that are carried are in gateway-endpoints.ts and interface-endpoints.ts.
// Rules V1–V5. https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_VpcEndpoint.html (read 2026-11-21).
// Order of CreateVpcEndpoint's checks: VPC, type, service name, then the type's own. Other types are refused by name.

import { createHash } from 'node:crypto';
import type {
  CreateVpcEndpointRequest,
  CreateVpcEndpointResult,
  DeleteVpcEndpointsRequest,
  DeleteVpcEndpointsResult,
  DescribeVpcEndpointsRequest,
  DescribeVpcEndpointsResult,
  DnsEntry,
  ModifyVpcEndpointRequest,
  ModifyVpcEndpointResult,
  State,
  UnsuccessfulItem,
  VpcEndpoint,
} from '@aws-sdk/client-ec2';
import { endpointDnsNames } from '@postern/network/endpoint-services.ts';
import type { VpcEndpointId } from '@postern/network/snapshot.ts';
import { type Call, type Operation, operation } from '../../service.ts';
import type { InterfaceEndpointRow, VpcEndpointRow } from '../../store/rows/ec2.ts';
import { describe } from './describe.ts';
import { eachForItself } from './each-for-itself.ts';
import { ec2Error, missingParameter, refuseUnsupported, unsupportedOperation } from './errors.ts';
import type { FilterTable } from './filters.ts';
import { deleteGatewayEndpoint, makeGatewayEndpoint, modifyGatewayEndpoint } from './gateway-endpoints.ts';
import { oncePerToken } from './idempotency.ts';
import {
  deleteInterfaceEndpoint,
  makeInterfaceEndpoint,
  modifyInterfaceEndpoint,
  serviceOf,
} from './interface-endpoints.ts';
import { findRow, requireRow } from './rows.ts';
import { tagsFromSpecifications, toTags } from './tags.ts';

/** On the wire AWS writes its states in lower case (V2). */
const stateOf = (text: 'available' | 'pending' | 'pendingAcceptance' | 'rejected') => text as unknown as State;

/** @param state an interface endpoint is answered as `pending` once, and is available at the next look */
function toVpcEndpoint(call: Call, row: VpcEndpointRow, state: 'available' | 'pending' = 'available'): VpcEndpoint {
  const connection = row.endpointType === 'Interface' ? row.connection : undefined;
  return {
    VpcEndpointId: row.id,
    VpcEndpointType: row.endpointType,
    VpcId: row.vpcId,
    OwnerId: row.accountId,
    ServiceName: row.serviceName,
    ServiceRegion: row.region,
    // Y3: what is not accepted says so from the beginning.
    State: stateOf(connection === undefined || connection === 'available' ? state : connection),
    PolicyDocument: row.policyDocument,
    IpAddressType: 'ipv4',
    RequesterManaged: false,
    CreationTimestamp: new Date(row.creationTime),
    Tags: toTags(row.tags),
    ...(row.endpointType === 'Gateway'
      ? {
          RouteTableIds: row.routeTableIds,
          SubnetIds: [],
          Groups: [],
          DnsOptions: { DnsRecordIpType: 'service-defined' },
          PrivateDnsEnabled: false,
          NetworkInterfaceIds: [],
          DnsEntries: [],
        }
      : interfaceMembers(call, row)),
  };
}

function interfaceMembers(call: Call, row: InterfaceEndpointRow): VpcEndpoint {
  const { dnsRecordIpType, privateDnsOnlyForInboundResolverEndpoint: only } = row.dnsOptions;
  return {
    RouteTableIds: [],
    SubnetIds: row.subnets.map(({ subnetId }) => subnetId),
    Groups: row.groupIds.map((id) => ({
      GroupId: id,
      GroupName: call.tx.get('security-group', id)?.groupName ?? '',
    })),
    DnsOptions: {
      DnsRecordIpType: dnsRecordIpType,
      ...(only !== undefined && { PrivateDnsOnlyForInboundResolverEndpoint: only }),
    },
    PrivateDnsEnabled: row.privateDnsEnabled,
    NetworkInterfaceIds: row.subnets.map(({ networkInterfaceId }) => networkInterfaceId),
    DnsEntries: dnsEntries(call, row),
  };
}

function dnsEntries(call: Call, row: InterfaceEndpointRow): DnsEntry[] {
  const interfaces = row.subnets.map(({ networkInterfaceId }) => ({
    networkInterfaceId,
    availabilityZone: call.tx.get('network-interface', networkInterfaceId)?.availabilityZone ?? '',
  }));
  const own = endpointDnsNames(row, interfaces).map(({ name }) => ({
    DnsName: name,
    HostedZoneId: hostedZoneId('vpce', row.region),
  }));
  const taken = row.privateDnsEnabled ? serviceOf(row).privateDnsNames : [];
  return [
    ...own,
    ...taken.map((name) => ({ DnsName: name, HostedZoneId: hostedZoneId(row.id, name.replace('*.', '')) })),
  ];
}

/** AWS's for the endpoints of us-east-1, made-up ones elsewhere; the hidden zone of private DNS has one of its own. */
function hostedZoneId(...words: string[]): string {
  if (words.join(' ') === 'vpce us-east-1') return 'Z7HUB22UULQXV';
  const digest = createHash('sha256').update(words.join(' ')).digest().readBigUInt64BE(0);
  return `Z0${digest.toString(36).toUpperCase()}`;
}

const filters: FilterTable<VpcEndpointRow> = {
  'ip-address-type': () => 'ipv4',
  'owner-id': (row) => row.accountId,
  'service-name': (row) => row.serviceName,
  'service-region': (row) => row.region,
  'vpc-endpoint-id': (row) => row.id,
  // Both spellings are in use by tools.
  'vpc-endpoint-state': (row) => {
    const state = (row.endpointType === 'Interface' && row.connection) || 'available';
    return [state, `${state[0]?.toUpperCase()}${state.slice(1)}`];
  },
  'vpc-endpoint-type': (row) => row.endpointType,
  'vpc-id': (row) => row.vpcId,
};

const types = ['Gateway', 'Interface', 'GatewayLoadBalancer', 'Resource', 'ServiceNetwork', 'Tunnel'];

function makeEndpoint(call: Call, input: CreateVpcEndpointRequest): VpcEndpointId {
  const type: string = input.VpcEndpointType ?? 'Gateway';
  const vpc = requireRow(call, 'vpc', input.VpcId, 'vpcId');
  if (!types.includes(type))
    throw ec2Error(
      'InvalidVpcEndpointType',
      `The VPC endpoint type '${type}' is not valid. Valid types: ${types.join(', ')}`,
    );
  if (type !== 'Gateway' && type !== 'Interface') throw unsupportedOperation(`A VPC endpoint of type ${type}`);
  refuseUnsupported('CreateVpcEndpoint', input, ['ServiceNetworkArn', 'ResourceConfigurationArn']);
  if (!input.ServiceName) throw missingParameter('serviceName');
  const named = { ...input, ServiceName: input.ServiceName };
  tagsFromSpecifications(input.TagSpecifications, 'vpc-endpoint');
  return type === 'Gateway' ? makeGatewayEndpoint(call, vpc, named) : makeInterfaceEndpoint(call, vpc, named);
}

/** Each id for itself: what cannot be deleted is listed, the rest goes (V5). */
function deleteEndpoints(call: Call, ids: readonly string[]): UnsuccessfulItem[] {
  return eachForItself(ids, (id) => {
    const endpoint = requireRow(call, 'vpc-endpoint', id);
    if (endpoint.endpointType === 'Gateway') deleteGatewayEndpoint(call, endpoint);
    else deleteInterfaceEndpoint(call, endpoint);
  });
}

export const vpcEndpoints = {
  CreateVpcEndpoint: operation<CreateVpcEndpointRequest, CreateVpcEndpointResult>({
    authorize: 'auto',
    run: (call, input) => {
      const known = (ids: readonly string[]) => ids.every((id) => findRow(call, 'vpc-endpoint', id));
      let state: 'available' | 'pending' = 'available';
      const [id] = oncePerToken(call, input.ClientToken, input, known, () => {
        if (input.VpcEndpointType === 'Interface') state = 'pending';
        return [makeEndpoint(call, input)];
      });
      const row = requireRow(call, 'vpc-endpoint', id);
      return {
        VpcEndpoint: toVpcEndpoint(call, row, state),
        ...(input.ClientToken && { ClientToken: input.ClientToken }),
      };
    },
  }),

  DescribeVpcEndpoints: operation<DescribeVpcEndpointsRequest, DescribeVpcEndpointsResult>({
    authorize: 'auto',
    readOnly: true,
    run: (call, input) => {
      const how = { ids: input.VpcEndpointIds, parameter: 'vpcEndpointSet', filters, min: 1 };
      const { page, next } = describe(call, 'vpc-endpoint', input, how);
      return { VpcEndpoints: page.map((row) => toVpcEndpoint(call, row)), ...next };
    },
  }),

  ModifyVpcEndpoint: operation<ModifyVpcEndpointRequest, ModifyVpcEndpointResult>({
    authorize: 'auto',
    run: (call, input) => {
      const endpoint = requireRow(call, 'vpc-endpoint', input.VpcEndpointId, 'vpcEndpointId');
      if (endpoint.endpointType === 'Gateway') modifyGatewayEndpoint(call, endpoint, input);
      else modifyInterfaceEndpoint(call, endpoint, input);
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
