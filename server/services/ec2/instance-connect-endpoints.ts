// EC2 Instance Connect endpoints (J4): a way to private addresses of a VPC for whoever may open a tunnel. The tunnel itself is server/open-tunnel.ts.
// https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/connect-using-eice.html (read 2026-11-21). One per VPC, an interface that AWS manages in its subnet.
// Gap: IPv6 is refused.

import type {
  CreateInstanceConnectEndpointRequest,
  CreateInstanceConnectEndpointResult,
  DeleteInstanceConnectEndpointRequest,
  DeleteInstanceConnectEndpointResult,
  DescribeInstanceConnectEndpointsRequest,
  DescribeInstanceConnectEndpointsResult,
  Ec2InstanceConnectEndpoint,
  ModifyInstanceConnectEndpointRequest,
  ModifyInstanceConnectEndpointResult,
} from '@aws-sdk/client-ec2';
import type { InstanceConnectEndpointId } from '@postern/network/snapshot.ts';
import { derivedId } from '../../derived-id.ts';
import { type Call, type Operation, operation } from '../../service.ts';
import type { InstanceConnectEndpointRow } from '../../store/rows/ec2.ts';
import { describe } from './describe.ts';
import { ec2Error, missingParameter, refuseUnsupported } from './errors.ts';
import type { FilterTable } from './filters.ts';
import { oncePerToken } from './idempotency.ts';
import { chooseGroups, choosePrivateAddresses, makeNetworkInterface } from './new-network-interface.ts';
import { enforceQuota } from './quotas.ts';
import { ec2Arn, findRow, requireRow, scopeOf } from './rows.ts';
import { tagsFromSpecifications, toTags } from './tags.ts';

/** As the interface's owner sees who asked for it. */
const requesterId = 'amazon-ec2-instance-connect';

function dnsName(row: InstanceConnectEndpointRow): string {
  const suffix = row.region.startsWith('cn-') ? 'amazonaws.com.cn' : 'amazonaws.com';
  const label = derivedId('dns', row.id).slice(-8);
  return `${row.id}.${label}.ec2-instance-connect-endpoint.${row.region}.${suffix}`;
}

/** @param state only the answers of create and delete say another than `create-complete` */
function toEndpoint(
  call: Call,
  row: InstanceConnectEndpointRow,
  state: Ec2InstanceConnectEndpoint['State'] = 'create-complete',
): Ec2InstanceConnectEndpoint {
  const subnet = call.tx.get('subnet', row.subnetId);
  return {
    OwnerId: row.accountId,
    InstanceConnectEndpointId: row.id,
    InstanceConnectEndpointArn: ec2Arn(call, 'instance-connect-endpoint', row.id),
    State: state,
    StateMessage: '',
    DnsName: dnsName(row),
    NetworkInterfaceIds: [row.networkInterfaceId],
    VpcId: row.vpcId,
    SubnetId: row.subnetId,
    ...(subnet && { AvailabilityZone: subnet.availabilityZone, AvailabilityZoneId: subnet.availabilityZoneId }),
    CreatedAt: new Date(row.createdAt),
    PreserveClientIp: row.preserveClientIp,
    SecurityGroupIds: call.tx.get('network-interface', row.networkInterfaceId)?.groupIds ?? [],
    IpAddressType: 'ipv4',
    Tags: toTags(row.tags),
  };
}

const filters: FilterTable<InstanceConnectEndpointRow> = {
  'instance-connect-endpoint-id': (row) => row.id,
  state: () => 'create-complete',
  'subnet-id': (row) => row.subnetId,
  'vpc-id': (row) => row.vpcId,
};

function make(call: Call, input: CreateInstanceConnectEndpointRequest): InstanceConnectEndpointId {
  const subnet = requireRow(call, 'subnet', input.SubnetId, 'subnetId');
  const groupIds = chooseGroups(call, subnet, input.SecurityGroupIds);
  const all = call.tx.list('instance-connect-endpoint', scopeOf(call));
  // A limit that no request raises: always there. The wording follows the other limits'.
  if (all.some((row) => row.vpcId === subnet.vpcId))
    throw ec2Error(
      'InstanceConnectEndpointLimitExceeded',
      `The maximum number of instance connect endpoints has been reached for ${subnet.vpcId}.`,
    );
  enforceQuota(call, 'instanceConnectEndpointsPerRegion', () => all.length);
  const id: InstanceConnectEndpointId = call.tx.newId('eice');
  const card = makeNetworkInterface(call, {
    subnet,
    privateAddresses: choosePrivateAddresses(call, subnet, {}),
    groupIds,
    description: `EC2 Instance Connect Endpoint - ${id}`,
    interfaceType: 'ec2_instance_connect_endpoint',
    tags: {},
    managed: { service: { kind: 'instance-connect-endpoint', instanceConnectEndpointId: id }, requesterId },
  });
  call.tx.put('instance-connect-endpoint', {
    ...scopeOf(call),
    id,
    vpcId: subnet.vpcId,
    subnetId: subnet.id,
    networkInterfaceId: card.id,
    preserveClientIp: input.PreserveClientIp ?? false,
    createdAt: call.now.toISOString(),
    tags: tagsFromSpecifications(input.TagSpecifications, 'instance-connect-endpoint'),
  });
  return id;
}

function refuseOtherFamilies(name: string, input: { readonly IpAddressType?: string | undefined }): void {
  if (input.IpAddressType && input.IpAddressType !== 'ipv4') refuseUnsupported(name, input, ['IpAddressType']);
}

function requireEndpoint(call: Call, id: string | undefined): InstanceConnectEndpointRow {
  return requireRow(call, 'instance-connect-endpoint', id, 'instanceConnectEndpointId');
}

export const instanceConnectEndpoints = {
  CreateInstanceConnectEndpoint: operation<CreateInstanceConnectEndpointRequest, CreateInstanceConnectEndpointResult>({
    authorize: 'auto',
    run: (call, input) => {
      refuseOtherFamilies('CreateInstanceConnectEndpoint', input);
      const known = ([id]: readonly string[]) =>
        id !== undefined && findRow(call, 'instance-connect-endpoint', id) !== undefined;
      const [id] = oncePerToken(call, input.ClientToken, input, known, () => [make(call, input)]);
      return {
        InstanceConnectEndpoint: toEndpoint(call, requireEndpoint(call, id), 'create-in-progress'),
        ...(input.ClientToken && { ClientToken: input.ClientToken }),
      };
    },
  }),

  DescribeInstanceConnectEndpoints: operation<
    DescribeInstanceConnectEndpointsRequest,
    DescribeInstanceConnectEndpointsResult
  >({
    authorize: 'auto',
    readOnly: true,
    run: (call, input) => {
      const how = {
        ids: input.InstanceConnectEndpointIds,
        parameter: 'instanceConnectEndpointIdSet',
        filters,
        min: 1,
        max: 50,
      };
      const { page, next } = describe(call, 'instance-connect-endpoint', input, how);
      return { InstanceConnectEndpoints: page.map((row) => toEndpoint(call, row)), ...next };
    },
  }),

  ModifyInstanceConnectEndpoint: operation<ModifyInstanceConnectEndpointRequest, ModifyInstanceConnectEndpointResult>({
    authorize: 'auto',
    run: (call, input) => {
      refuseOtherFamilies('ModifyInstanceConnectEndpoint', input);
      const row = requireEndpoint(call, input.InstanceConnectEndpointId);
      if (!input.SecurityGroupIds?.length && !input.IpAddressType) throw missingParameter('securityGroupIds');
      const card = requireRow(call, 'network-interface', row.networkInterfaceId);
      const subnet = requireRow(call, 'subnet', row.subnetId);
      if (input.SecurityGroupIds?.length)
        call.tx.put('network-interface', { ...card, groupIds: chooseGroups(call, subnet, input.SecurityGroupIds) });
      return { Return: true };
    },
  }),

  DeleteInstanceConnectEndpoint: operation<DeleteInstanceConnectEndpointRequest, DeleteInstanceConnectEndpointResult>({
    authorize: 'auto',
    run: (call, input) => {
      const row = requireEndpoint(call, input.InstanceConnectEndpointId);
      const InstanceConnectEndpoint = toEndpoint(call, row, 'delete-in-progress');
      call.tx.delete('network-interface', row.networkInterfaceId);
      call.tx.delete('instance-connect-endpoint', row.id);
      return { InstanceConnectEndpoint };
    },
  }),
} satisfies Record<string, Operation>;
