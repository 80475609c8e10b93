// Attachments of VPCs to transit gateways. Rules Z1–Z4, Z7.
// https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_CreateTransitGatewayVpcAttachment.html (read 2026-11-22). States complete at once.
// Order of Create's checks: gateway, VPC, subnets, their VPC, their zones, options, another attachment. Codes and wordings of a gateway that is not there, of a second
// attachment and of two subnets of a zone were seen in answers of real AWS. Gap: IPv6 is refused.

import type {
  CreateTransitGatewayVpcAttachmentRequest,
  CreateTransitGatewayVpcAttachmentResult,
  DeleteTransitGatewayVpcAttachmentRequest,
  DeleteTransitGatewayVpcAttachmentResult,
  DescribeTransitGatewayAttachmentsRequest,
  DescribeTransitGatewayAttachmentsResult,
  DescribeTransitGatewayVpcAttachmentsRequest,
  DescribeTransitGatewayVpcAttachmentsResult,
  GetTransitGatewayAttachmentPropagationsRequest,
  GetTransitGatewayAttachmentPropagationsResult,
  ModifyTransitGatewayVpcAttachmentRequest,
  ModifyTransitGatewayVpcAttachmentResult,
} from '@aws-sdk/client-ec2';
import { type Call, type Operation, operation } from '../../service.ts';
import type { SubnetRow } from '../../store/rows/ec2.ts';
import type { DeletedAttachmentRow, TransitGatewayAttachmentRow } from '../../store/rows/transit-gateways.ts';
import { ec2Error, invalidParameterValue, missingParameter, unsupportedOperation } from './errors.ts';
import { applyFilters, type FilterTable } from './filters.ts';
import { choosePrivateAddresses, makeNetworkInterface } from './new-network-interface.ts';
import { paginate } from './pagination.ts';
import { requireRow, scopeOf } from './rows.ts';
import { tagsFromSpecifications } from './tags.ts';
import { attachmentsOf, requireTransit, toAttachment, toVpcAttachment } from './transit-gateway-rows.ts';
import { switchOf } from './transit-gateways.ts';

const kind = 'transit-gateway-attachment';
/** Whose request the interfaces are; at AWS a service's own account. */
const requesterId = 'amazon-aws';

type Subnets = TransitGatewayAttachmentRow['subnets'];

/** @throws MissingParameter, InvalidSubnetID…, InvalidParameterValue, DuplicateSubnetsInSameZone */
function subnetsOf(call: Call, vpcId: string, ids: readonly string[]): SubnetRow[] {
  return [...new Set(ids)].map((id) => {
    const subnet = requireRow(call, 'subnet', id, 'subnetIds');
    if (subnet.vpcId !== vpcId) throw invalidParameterValue(`Subnet ${id} does not belong to ${vpcId}.`);
    return subnet;
  });
}

function checkZones(subnets: readonly SubnetRow[]): void {
  const zones = new Set(subnets.map((subnet) => subnet.availabilityZone));
  if (zones.size < subnets.length) throw ec2Error('DuplicateSubnetsInSameZone', 'Duplicate Subnets for same AZ');
}

/** An interface of the attachment in each subnet. */
function place(
  call: Call,
  row: Pick<TransitGatewayAttachmentRow, 'id' | 'transitGatewayId'>,
  subnets: readonly SubnetRow[],
): Subnets {
  return subnets.map((subnet) => {
    const made = makeNetworkInterface(call, {
      subnet,
      privateAddresses: choosePrivateAddresses(call, subnet, {}),
      groupIds: [],
      description: `Network Interface for Transit Gateway Attachment ${row.id}`,
      interfaceType: 'transit_gateway',
      tags: {},
      managed: {
        service: {
          kind: 'transit-gateway',
          transitGatewayId: row.transitGatewayId,
          transitGatewayAttachmentId: row.id,
        },
        requesterId,
      },
    });
    return { subnetId: subnet.id, networkInterfaceId: made.id };
  });
}

type Options = CreateTransitGatewayVpcAttachmentRequest['Options'];

function optionsOf(
  operationName: string,
  options: Options,
  before: Pick<TransitGatewayAttachmentRow, 'dnsSupport' | 'applianceModeSupport' | 'securityGroupReferencingSupport'>,
) {
  if (switchOf(options?.Ipv6Support, 'Ipv6Support', 'disable') === 'enable')
    throw unsupportedOperation(`The option Ipv6Support of ${operationName}`);
  return {
    dnsSupport: switchOf(options?.DnsSupport, 'DnsSupport', before.dnsSupport),
    applianceModeSupport: switchOf(options?.ApplianceModeSupport, 'ApplianceModeSupport', before.applianceModeSupport),
    securityGroupReferencingSupport: switchOf(
      options?.SecurityGroupReferencingSupport,
      'SecurityGroupReferencingSupport',
      before.securityGroupReferencingSupport,
    ),
  };
}

const defaultOptions = {
  dnsSupport: 'enable',
  applianceModeSupport: 'disable',
  securityGroupReferencingSupport: 'enable',
} as const;

function createAttachment(call: Call, input: CreateTransitGatewayVpcAttachmentRequest): TransitGatewayAttachmentRow {
  const gateway = requireTransit(call, 'transit-gateway', input.TransitGatewayId);
  const vpc = requireRow(call, 'vpc', input.VpcId, 'vpcId');
  if (!input.SubnetIds?.length) throw missingParameter('subnetIds');
  const subnets = subnetsOf(call, vpc.id, input.SubnetIds);
  checkZones(subnets);
  const options = optionsOf('CreateTransitGatewayVpcAttachment', input.Options, defaultOptions);
  if (attachmentsOf(call, gateway.id).some((row) => row.vpcId === vpc.id))
    throw ec2Error(
      'DuplicateTransitGatewayAttachment',
      `${gateway.id} has non-deleted Transit Gateway Attachments with same VPC ID.`,
    );
  const named = { id: call.tx.newId('tgw-attach'), transitGatewayId: gateway.id };
  const { associationDefaultRouteTableId: association, propagationDefaultRouteTableId: propagation } = gateway;
  const row: TransitGatewayAttachmentRow = {
    ...scopeOf(call),
    ...named,
    vpcId: vpc.id,
    subnets: place(call, named, subnets),
    ...options,
    ...(association && { routeTableId: association }),
    createdAt: call.now.toISOString(),
    tags: tagsFromSpecifications(input.TagSpecifications, kind),
  };
  call.tx.put(kind, row);
  const table = propagation && call.tx.get('transit-gateway-route-table', propagation);
  if (table) call.tx.put('transit-gateway-route-table', { ...table, propagations: [...table.propagations, row.id] });
  return row;
}

function modifyAttachment(call: Call, input: ModifyTransitGatewayVpcAttachmentRequest): TransitGatewayAttachmentRow {
  const row = requireTransit(call, kind, input.TransitGatewayAttachmentId);
  const options = optionsOf('ModifyTransitGatewayVpcAttachment', input.Options, row);
  const removed = new Set(input.RemoveSubnetIds ?? []);
  for (const id of removed)
    if (!row.subnets.some(({ subnetId }) => subnetId === id))
      throw invalidParameterValue(`Subnet ${id} is not a subnet of ${row.id}.`);
  const kept = row.subnets.filter(({ subnetId }) => !removed.has(subnetId));
  const added = subnetsOf(call, row.vpcId, input.AddSubnetIds ?? []).filter(
    (subnet) => !kept.some(({ subnetId }) => subnetId === subnet.id),
  );
  checkZones([...kept.flatMap(({ subnetId }) => call.tx.get('subnet', subnetId) ?? []), ...added]);
  if (kept.length + added.length === 0) throw invalidParameterValue(`${row.id} must have at least one subnet.`);
  for (const each of row.subnets)
    if (removed.has(each.subnetId)) call.tx.delete('network-interface', each.networkInterfaceId);
  const changed = { ...row, ...options, subnets: [...kept, ...place(call, row, added)] };
  call.tx.put(kind, changed);
  return changed;
}

/** How long a deleted one is shown; AWS's guide does not say. */
const shownForMs = 3_600_000;

const stateOf = (row: TransitGatewayAttachmentRow) => ('deletedAt' in row ? 'deleted' : 'available');

/** The rows of a Describe: those that are there, and what was deleted lately. */
function shown(call: Call, ids: readonly string[] | undefined): TransitGatewayAttachmentRow[] {
  const isRecent = (row: DeletedAttachmentRow) => call.now.getTime() < Date.parse(row.deletedAt) + shownForMs;
  const deleted = call.tx.list('deleted-transit-gateway-attachment', scopeOf(call)).filter(isRecent);
  if (!ids?.length) return [...call.tx.list(kind, scopeOf(call)), ...deleted];
  return [...new Set(ids)].map((id) => deleted.find((row) => row.id === id) ?? requireTransit(call, kind, id));
}

/** Rows that nobody is shown any more, of every account. */
function forgetOld(call: Call): void {
  for (const row of call.tx.list('deleted-transit-gateway-attachment'))
    if (call.now.getTime() >= Date.parse(row.deletedAt) + shownForMs)
      call.tx.delete('deleted-transit-gateway-attachment', row.id);
}

/** Static routes to it stay and are blackholes; propagated ones go. */
function deleteAttachment(call: Call, id: string | undefined): TransitGatewayAttachmentRow {
  const row = requireTransit(call, kind, id);
  for (const { networkInterfaceId } of row.subnets) call.tx.delete('network-interface', networkInterfaceId);
  for (const table of call.tx.list('transit-gateway-route-table', scopeOf(call)))
    if (table.propagations.includes(row.id))
      call.tx.put('transit-gateway-route-table', {
        ...table,
        propagations: table.propagations.filter((each) => each !== row.id),
      });
  call.tx.delete(kind, row.id);
  forgetOld(call);
  const { routeTableId: _association, ...rest } = row;
  call.tx.put('deleted-transit-gateway-attachment', { ...rest, deletedAt: call.now.toISOString() });
  return row;
}

const ofVpcs: FilterTable<TransitGatewayAttachmentRow> = {
  'transit-gateway-attachment-id': (row) => row.id,
  'transit-gateway-id': (row) => row.transitGatewayId,
  'vpc-id': (row) => row.vpcId,
  state: stateOf,
};

const ofAll: FilterTable<TransitGatewayAttachmentRow> = {
  'transit-gateway-attachment-id': (row) => row.id,
  'transit-gateway-id': (row) => row.transitGatewayId,
  'transit-gateway-owner-id': (row) => row.accountId,
  'resource-id': (row) => row.vpcId,
  'resource-owner-id': (row) => row.accountId,
  'resource-type': () => 'vpc',
  'association.state': (row) => (row.routeTableId ? 'associated' : undefined),
  'association.transit-gateway-route-table-id': (row) => row.routeTableId,
  state: stateOf,
};

export const transitGatewayAttachments = {
  CreateTransitGatewayVpcAttachment: operation<
    CreateTransitGatewayVpcAttachmentRequest,
    CreateTransitGatewayVpcAttachmentResult
  >({
    authorize: 'auto',
    run: (call, input) => ({ TransitGatewayVpcAttachment: toVpcAttachment(createAttachment(call, input), 'pending') }),
  }),

  DescribeTransitGatewayVpcAttachments: operation<
    DescribeTransitGatewayVpcAttachmentsRequest,
    DescribeTransitGatewayVpcAttachmentsResult
  >({
    authorize: 'auto',
    readOnly: true,
    run: (call, input) => {
      const rows = applyFilters(shown(call, input.TransitGatewayAttachmentIds), input.Filters, ofVpcs);
      const { page, ...next } = paginate(rows, input, { min: 5, max: 1000 }, (row) => row.id);
      return { TransitGatewayVpcAttachments: page.map((row) => toVpcAttachment(row, stateOf(row))), ...next };
    },
  }),

  DescribeTransitGatewayAttachments: operation<
    DescribeTransitGatewayAttachmentsRequest,
    DescribeTransitGatewayAttachmentsResult
  >({
    authorize: 'auto',
    readOnly: true,
    run: (call, input) => {
      const rows = applyFilters(shown(call, input.TransitGatewayAttachmentIds), input.Filters, ofAll);
      const { page, ...next } = paginate(rows, input, { min: 5, max: 1000 }, (row) => row.id);
      return { TransitGatewayAttachments: page.map((row) => toAttachment(row, stateOf(row))), ...next };
    },
  }),

  ModifyTransitGatewayVpcAttachment: operation<
    ModifyTransitGatewayVpcAttachmentRequest,
    ModifyTransitGatewayVpcAttachmentResult
  >({
    authorize: 'auto',
    run: (call, input) => ({
      TransitGatewayVpcAttachment: toVpcAttachment(modifyAttachment(call, input), 'modifying'),
    }),
  }),

  DeleteTransitGatewayVpcAttachment: operation<
    DeleteTransitGatewayVpcAttachmentRequest,
    DeleteTransitGatewayVpcAttachmentResult
  >({
    authorize: 'auto',
    run: (call, input) => ({
      TransitGatewayVpcAttachment: toVpcAttachment(
        deleteAttachment(call, input.TransitGatewayAttachmentId),
        'deleting',
      ),
    }),
  }),

  GetTransitGatewayAttachmentPropagations: operation<
    GetTransitGatewayAttachmentPropagationsRequest,
    GetTransitGatewayAttachmentPropagationsResult
  >({
    authorize: 'auto',
    readOnly: true,
    run: (call, input) => {
      const { id } = requireTransit(call, kind, input.TransitGatewayAttachmentId);
      const tables = call.tx
        .list('transit-gateway-route-table', scopeOf(call))
        .filter((table) => table.propagations.includes(id));
      const rows = applyFilters(tables, input.Filters, { 'transit-gateway-route-table-id': (row) => row.id });
      const { page, ...next } = paginate(rows, input, { min: 5, max: 1000 }, (row) => row.id);
      return {
        TransitGatewayAttachmentPropagations: page.map((row) => ({
          TransitGatewayRouteTableId: row.id,
          State: 'enabled',
        })),
        ...next,
      };
    },
  }),
} satisfies Record<string, Operation>;
