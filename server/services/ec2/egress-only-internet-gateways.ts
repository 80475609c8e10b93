// Egress-only internet gateways: create, describe, delete. https://docs.aws.amazon.com/vpc/latest/userguide/egress-only-internet-gateway.html
// (read 2026-11-21). One belongs to its VPC from the start; routes to a deleted one stay and are blackholes (R8).

import type {
  CreateEgressOnlyInternetGatewayRequest,
  CreateEgressOnlyInternetGatewayResult,
  DeleteEgressOnlyInternetGatewayRequest,
  DeleteEgressOnlyInternetGatewayResult,
  DescribeEgressOnlyInternetGatewaysRequest,
  DescribeEgressOnlyInternetGatewaysResult,
  EgressOnlyInternetGateway,
} from '@aws-sdk/client-ec2';
import type { EgressOnlyInternetGatewayId } from '@postern/network/snapshot.ts';
import { type Call, type Operation, operation } from '../../service.ts';
import type { EgressOnlyInternetGatewayRow } from '../../store/rows/ec2.ts';
import { describe } from './describe.ts';
import type { FilterTable } from './filters.ts';
import { oncePerToken } from './idempotency.ts';
import { enforceQuota } from './quotas.ts';
import { findRow, requireRow, scopeOf } from './rows.ts';
import { tagsFromSpecifications, toTags } from './tags.ts';

function toEgressOnlyInternetGateway(row: EgressOnlyInternetGatewayRow): EgressOnlyInternetGateway {
  return {
    EgressOnlyInternetGatewayId: row.id,
    Attachments: [{ VpcId: row.vpcId, State: 'attached' }],
    Tags: toTags(row.tags),
  };
}

const filters: FilterTable<EgressOnlyInternetGatewayRow> = {
  'attachment.state': () => 'attached',
  'attachment.vpc-id': (row) => row.vpcId,
  'egress-only-internet-gateway-id': (row) => row.id,
};

function makeGateway(call: Call, input: CreateEgressOnlyInternetGatewayRequest): EgressOnlyInternetGatewayId {
  const vpc = requireRow(call, 'vpc', input.VpcId, 'vpcId');
  enforceQuota(
    call,
    'egressOnlyInternetGatewaysPerRegion',
    () => call.tx.list('egress-only-internet-gateway', scopeOf(call)).length,
  );
  const id: EgressOnlyInternetGatewayId = call.tx.newId('eigw');
  const tags = tagsFromSpecifications(input.TagSpecifications, 'egress-only-internet-gateway');
  call.tx.put('egress-only-internet-gateway', { ...scopeOf(call), id, vpcId: vpc.id, tags });
  return id;
}

export const egressOnlyInternetGateways = {
  CreateEgressOnlyInternetGateway: operation<
    CreateEgressOnlyInternetGatewayRequest,
    CreateEgressOnlyInternetGatewayResult
  >({
    authorize: 'auto',
    run: (call, input) => {
      const known = (ids: readonly string[]) => ids.every((id) => findRow(call, 'egress-only-internet-gateway', id));
      const [id] = oncePerToken(call, input.ClientToken, input, known, () => [makeGateway(call, input)]);
      const row = requireRow(call, 'egress-only-internet-gateway', id);
      return {
        EgressOnlyInternetGateway: toEgressOnlyInternetGateway(row),
        ...(input.ClientToken && { ClientToken: input.ClientToken }),
      };
    },
  }),

  DescribeEgressOnlyInternetGateways: operation<
    DescribeEgressOnlyInternetGatewaysRequest,
    DescribeEgressOnlyInternetGatewaysResult
  >({
    authorize: 'auto',
    readOnly: true,
    run: (call, input) => {
      const how = {
        ids: input.EgressOnlyInternetGatewayIds,
        parameter: 'egressOnlyInternetGatewayIdSet',
        filters,
        max: 255,
      };
      const { page, next } = describe(call, 'egress-only-internet-gateway', input, how);
      return { EgressOnlyInternetGateways: page.map(toEgressOnlyInternetGateway), ...next };
    },
  }),

  DeleteEgressOnlyInternetGateway: operation<
    DeleteEgressOnlyInternetGatewayRequest,
    DeleteEgressOnlyInternetGatewayResult
  >({
    authorize: 'auto',
    run: (call, input) => {
      const row = requireRow(
        call,
        'egress-only-internet-gateway',
        input.EgressOnlyInternetGatewayId,
        'egressOnlyInternetGatewayId',
      );
      call.tx.delete('egress-only-internet-gateway', row.id);
      return { ReturnCode: true };
    },
  }),
} satisfies Record<string, Operation>;
