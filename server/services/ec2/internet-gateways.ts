// Internet gateways: create, attach, detach, delete. Rules I5, I6. https://docs.aws.amazon.com/vpc/latest/userguide/VPC_Internet_Gateway.html
// (read 2026-11-21). Routes to a detached one stay and are blackholes (route-state.ts).

import type {
  AttachInternetGatewayRequest,
  CreateInternetGatewayRequest,
  CreateInternetGatewayResult,
  DeleteInternetGatewayRequest,
  DescribeInternetGatewaysRequest,
  DescribeInternetGatewaysResult,
  DetachInternetGatewayRequest,
  InternetGateway,
} from '@aws-sdk/client-ec2';
import type { InternetGatewayId } from '@postern/network/snapshot.ts';
import { type Call, type Operation, operation } from '../../service.ts';
import type { InternetGatewayRow } from '../../store/rows/ec2.ts';
import { describe } from './describe.ts';
import { removeEdgeAssociation } from './edge-route-tables.ts';
import { alreadyAssociated, dependencyViolation, ec2Error, hasDependencies, invalidParameterValue } from './errors.ts';
import type { FilterTable } from './filters.ts';
import { enforceQuota } from './quotas.ts';
import { requireRow, scopeOf } from './rows.ts';
import { tagsFromSpecifications, toTags } from './tags.ts';

function toInternetGateway(row: InternetGatewayRow): InternetGateway {
  return {
    InternetGatewayId: row.id,
    OwnerId: row.accountId,
    Attachments: row.vpcId ? [{ VpcId: row.vpcId, State: 'available' as 'attached' }] : [],
    Tags: toTags(row.tags),
  };
}

const filters: FilterTable<InternetGatewayRow> = {
  'attachment.state': (row) => row.vpcId && 'available',
  'attachment.vpc-id': (row) => row.vpcId,
  'internet-gateway-id': (row) => row.id,
  'owner-id': (row) => row.accountId,
};

/** Public addresses live at the gateway: while one is mapped the gateway stays. */
/** Public addresses of the VPC's interfaces, auto-assigned and Elastic. */
function mappedAddresses(call: Call, vpcId: string): string[] {
  const interfaces = call.tx.list('network-interface', scopeOf(call)).filter((row) => row.vpcId === vpcId);
  const ids = new Set<string>(interfaces.map((row) => row.id));
  const assigned = interfaces.flatMap((row) =>
    row.privateAddresses.flatMap(({ autoPublicIp }) => autoPublicIp?.publicIp ?? []),
  );
  const elastic = call.tx.list('address', scopeOf(call)).filter((row) => ids.has(row.networkInterfaceId ?? ''));
  return [...assigned, ...elastic.map(({ publicIp }) => publicIp)];
}

export const internetGateways = {
  CreateInternetGateway: operation<CreateInternetGatewayRequest, CreateInternetGatewayResult>({
    authorize: 'auto',
    run: (call, input) => {
      enforceQuota(call, 'internetGatewaysPerRegion', () => call.tx.list('internet-gateway', scopeOf(call)).length);
      const id: InternetGatewayId = call.tx.newId('igw');
      const row: InternetGatewayRow = {
        ...scopeOf(call),
        id,
        tags: tagsFromSpecifications(input.TagSpecifications, 'internet-gateway'),
      };
      call.tx.put('internet-gateway', row);
      return { InternetGateway: toInternetGateway(row) };
    },
  }),

  DescribeInternetGateways: operation<DescribeInternetGatewaysRequest, DescribeInternetGatewaysResult>({
    authorize: 'auto',
    readOnly: true,
    run: (call, input) => {
      const how = { ids: input.InternetGatewayIds, parameter: 'internetGatewaySet', filters };
      const { page, next } = describe(call, 'internet-gateway', input, how);
      return { InternetGateways: page.map(toInternetGateway), ...next };
    },
  }),

  AttachInternetGateway: operation<AttachInternetGatewayRequest, Record<string, never>>({
    authorize: 'auto',
    run: (call, input) => {
      const gateway = requireRow(call, 'internet-gateway', input.InternetGatewayId, 'internetGatewayId');
      const vpc = requireRow(call, 'vpc', input.VpcId, 'vpcId');
      if (gateway.vpcId)
        throw alreadyAssociated(`resource ${gateway.id} is already attached to network ${gateway.vpcId}`);
      const other = call.tx.list('internet-gateway', scopeOf(call)).find((row) => row.vpcId === vpc.id);
      // Seen in logs of real deployments; the list of error codes has no row for it.
      if (other) throw invalidParameterValue(`Network ${vpc.id} already has an internet gateway attached`);
      call.tx.put('internet-gateway', { ...gateway, vpcId: vpc.id });
      return {};
    },
  }),

  DetachInternetGateway: operation<DetachInternetGatewayRequest, Record<string, never>>({
    authorize: 'auto',
    run: (call, input) => {
      const gateway = requireRow(call, 'internet-gateway', input.InternetGatewayId, 'internetGatewayId');
      const vpc = requireRow(call, 'vpc', input.VpcId, 'vpcId');
      const { vpcId, ...detached } = gateway;
      if (vpcId !== vpc.id)
        throw ec2Error('Gateway.NotAttached', `resource ${gateway.id} is not attached to network ${vpc.id}`);
      const mapped = mappedAddresses(call, vpc.id);
      if (mapped.length > 0)
        throw dependencyViolation(
          `Network ${vpc.id} has some mapped public address(es). Please unmap those public address(es) before detaching the gateway.`,
          mapped,
        );
      removeEdgeAssociation(call, gateway.id);
      call.tx.put('internet-gateway', detached);
      return {};
    },
  }),

  DeleteInternetGateway: operation<DeleteInternetGatewayRequest, Record<string, never>>({
    authorize: 'auto',
    run: (call, input) => {
      const gateway = requireRow(call, 'internet-gateway', input.InternetGatewayId, 'internetGatewayId');
      if (gateway.vpcId) throw hasDependencies('internetGateway', gateway.id, [gateway.vpcId]);
      call.tx.delete('internet-gateway', gateway.id);
      return {};
    },
  }),
} satisfies Record<string, Operation>;
