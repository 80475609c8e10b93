// Route tables of transit gateways, what is associated with them, and what propagates into them. Rules Z4, Z6.
// https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_AssociateTransitGatewayRouteTable.html (read 2026-11-22). States complete at once.
// Of wordings only that of a second association was seen in an answer of real AWS. Gap: propagation of what is announced over peerings.

import type {
  AssociateTransitGatewayRouteTableRequest,
  AssociateTransitGatewayRouteTableResult,
  CreateTransitGatewayRouteTableRequest,
  CreateTransitGatewayRouteTableResult,
  DeleteTransitGatewayRouteTableRequest,
  DeleteTransitGatewayRouteTableResult,
  DescribeTransitGatewayRouteTablesRequest,
  DescribeTransitGatewayRouteTablesResult,
  DisableTransitGatewayRouteTablePropagationRequest,
  DisableTransitGatewayRouteTablePropagationResult,
  DisassociateTransitGatewayRouteTableRequest,
  DisassociateTransitGatewayRouteTableResult,
  EnableTransitGatewayRouteTablePropagationRequest,
  EnableTransitGatewayRouteTablePropagationResult,
  GetTransitGatewayRouteTableAssociationsRequest,
  GetTransitGatewayRouteTableAssociationsResult,
  GetTransitGatewayRouteTablePropagationsRequest,
  GetTransitGatewayRouteTablePropagationsResult,
} from '@aws-sdk/client-ec2';
import { type Call, type Operation, operation } from '../../service.ts';
import type { TransitGatewayAttachmentRow, TransitGatewayRouteTableRow } from '../../store/rows/transit-gateways.ts';
import { alreadyAssociated, ec2Error, invalidParameterValue, refuseUnsupported } from './errors.ts';
import { applyFilters, type FilterTable } from './filters.ts';
import { paginate } from './pagination.ts';
import { tagsFromSpecifications } from './tags.ts';
import { attachmentsOf, requireTransit, selectTransit, toTransitRouteTable } from './transit-gateway-rows.ts';
import { makeRouteTable } from './transit-gateways.ts';

const kind = 'transit-gateway-route-table';

interface Pair {
  readonly table: TransitGatewayRouteTableRow;
  readonly attachment: TransitGatewayAttachmentRow;
}

/** A table and an attachment of the same gateway. */
export function requirePair(
  call: Call,
  input: {
    readonly TransitGatewayRouteTableId: string | undefined;
    readonly TransitGatewayAttachmentId?: string | undefined;
  },
): Pair {
  const table = requireTransit(call, kind, input.TransitGatewayRouteTableId);
  const attachment = requireTransit(call, 'transit-gateway-attachment', input.TransitGatewayAttachmentId);
  if (attachment.transitGatewayId !== table.transitGatewayId)
    throw invalidParameterValue(`${table.id} and ${attachment.id} belong to different transit gateways.`);
  return { table, attachment };
}

function associatedWith(call: Call, table: TransitGatewayRouteTableRow): TransitGatewayAttachmentRow[] {
  return attachmentsOf(call, table.transitGatewayId).filter((row) => row.routeTableId === table.id);
}

function deleteTable(call: Call, id: string | undefined): TransitGatewayRouteTableRow {
  const table = requireTransit(call, kind, id);
  const gateway = call.tx.get('transit-gateway', table.transitGatewayId);
  const isDefault =
    gateway?.associationDefaultRouteTableId === table.id || gateway?.propagationDefaultRouteTableId === table.id;
  if (isDefault) throw ec2Error('IncorrectState', `Cannot delete the default route table ${table.id}.`);
  const [first] = associatedWith(call, table);
  if (first) throw ec2Error('IncorrectState', `${table.id} has non-deleted associations: ${first.id}.`);
  call.tx.delete(kind, table.id);
  return table;
}

const toMember = ({ attachment }: Pair) => ({
  TransitGatewayAttachmentId: attachment.id,
  ResourceId: attachment.vpcId,
  ResourceType: 'vpc' as const,
});

function associate(call: Call, pair: Pair): void {
  const { table, attachment } = pair;
  if (attachment.routeTableId)
    throw alreadyAssociated(`Transit Gateway Attachment ${attachment.id} is already associated to a route table.`);
  call.tx.put('transit-gateway-attachment', { ...attachment, routeTableId: table.id });
}

function disassociate(call: Call, { table, attachment }: Pair): void {
  if (attachment.routeTableId !== table.id)
    throw ec2Error('InvalidAssociation.NotFound', `${attachment.id} is not associated with ${table.id}.`);
  const { routeTableId: _gone, ...rest } = attachment;
  call.tx.put('transit-gateway-attachment', rest);
}

function enable(call: Call, { table, attachment }: Pair): void {
  if (table.propagations.includes(attachment.id))
    throw ec2Error(
      'TransitGatewayRouteTablePropagation.Duplicate',
      `Propagation of ${attachment.id} to ${table.id} is already enabled.`,
    );
  call.tx.put(kind, { ...table, propagations: [...table.propagations, attachment.id] });
}

function disable(call: Call, { table, attachment }: Pair): void {
  if (!table.propagations.includes(attachment.id))
    throw ec2Error(
      'TransitGatewayRouteTablePropagation.NotFound',
      `Propagation of ${attachment.id} to ${table.id} is not enabled.`,
    );
  call.tx.put(kind, { ...table, propagations: table.propagations.filter((id) => id !== attachment.id) });
}

const filters = (call: Call): FilterTable<TransitGatewayRouteTableRow> => ({
  'transit-gateway-route-table-id': (row) => row.id,
  'transit-gateway-id': (row) => row.transitGatewayId,
  state: () => 'available',
  'default-association-route-table': (row) =>
    call.tx.get('transit-gateway', row.transitGatewayId)?.associationDefaultRouteTableId === row.id,
  'default-propagation-route-table': (row) =>
    call.tx.get('transit-gateway', row.transitGatewayId)?.propagationDefaultRouteTableId === row.id,
});

const members: FilterTable<TransitGatewayAttachmentRow> = {
  'resource-id': (row) => row.vpcId,
  'resource-type': () => 'vpc',
  'transit-gateway-attachment-id': (row) => row.id,
};

const announcement = ['TransitGatewayRouteTableAnnouncementId'] as const;

export const transitGatewayRouteTables = {
  CreateTransitGatewayRouteTable: operation<
    CreateTransitGatewayRouteTableRequest,
    CreateTransitGatewayRouteTableResult
  >({
    authorize: 'auto',
    run: (call, input) => {
      const gateway = requireTransit(call, 'transit-gateway', input.TransitGatewayId);
      const id = makeRouteTable(call, gateway.id, tagsFromSpecifications(input.TagSpecifications, kind));
      return { TransitGatewayRouteTable: toTransitRouteTable(call, requireTransit(call, kind, id), 'pending') };
    },
  }),

  DescribeTransitGatewayRouteTables: operation<
    DescribeTransitGatewayRouteTablesRequest,
    DescribeTransitGatewayRouteTablesResult
  >({
    authorize: 'auto',
    readOnly: true,
    run: (call, input) => {
      const tables = selectTransit(call, kind, input.TransitGatewayRouteTableIds);
      const rows = applyFilters(tables, input.Filters, filters(call));
      const { page, ...next } = paginate(rows, input, { min: 5, max: 1000 }, (row) => row.id);
      return { TransitGatewayRouteTables: page.map((row) => toTransitRouteTable(call, row)), ...next };
    },
  }),

  DeleteTransitGatewayRouteTable: operation<
    DeleteTransitGatewayRouteTableRequest,
    DeleteTransitGatewayRouteTableResult
  >({
    authorize: 'auto',
    run: (call, input) => ({
      TransitGatewayRouteTable: toTransitRouteTable(
        call,
        deleteTable(call, input.TransitGatewayRouteTableId),
        'deleting',
      ),
    }),
  }),

  AssociateTransitGatewayRouteTable: operation<
    AssociateTransitGatewayRouteTableRequest,
    AssociateTransitGatewayRouteTableResult
  >({
    authorize: 'auto',
    run: (call, input) => {
      const pair = requirePair(call, input);
      associate(call, pair);
      return { Association: { TransitGatewayRouteTableId: pair.table.id, ...toMember(pair), State: 'associating' } };
    },
  }),

  DisassociateTransitGatewayRouteTable: operation<
    DisassociateTransitGatewayRouteTableRequest,
    DisassociateTransitGatewayRouteTableResult
  >({
    authorize: 'auto',
    run: (call, input) => {
      const pair = requirePair(call, input);
      disassociate(call, pair);
      return { Association: { TransitGatewayRouteTableId: pair.table.id, ...toMember(pair), State: 'disassociating' } };
    },
  }),

  EnableTransitGatewayRouteTablePropagation: operation<
    EnableTransitGatewayRouteTablePropagationRequest,
    EnableTransitGatewayRouteTablePropagationResult
  >({
    authorize: 'auto',
    run: (call, input) => {
      refuseUnsupported('EnableTransitGatewayRouteTablePropagation', input, announcement);
      const pair = requirePair(call, input);
      enable(call, pair);
      return { Propagation: { ...toMember(pair), TransitGatewayRouteTableId: pair.table.id, State: 'enabled' } };
    },
  }),

  DisableTransitGatewayRouteTablePropagation: operation<
    DisableTransitGatewayRouteTablePropagationRequest,
    DisableTransitGatewayRouteTablePropagationResult
  >({
    authorize: 'auto',
    run: (call, input) => {
      refuseUnsupported('DisableTransitGatewayRouteTablePropagation', input, announcement);
      const pair = requirePair(call, input);
      disable(call, pair);
      return { Propagation: { ...toMember(pair), TransitGatewayRouteTableId: pair.table.id, State: 'disabled' } };
    },
  }),

  GetTransitGatewayRouteTableAssociations: operation<
    GetTransitGatewayRouteTableAssociationsRequest,
    GetTransitGatewayRouteTableAssociationsResult
  >({
    authorize: 'auto',
    readOnly: true,
    run: (call, input) => {
      const table = requireTransit(call, kind, input.TransitGatewayRouteTableId);
      const rows = applyFilters(associatedWith(call, table), input.Filters, members);
      const { page, ...next } = paginate(rows, input, { min: 5, max: 1000 }, (row) => row.id);
      const associations = page.map((attachment) => ({
        ...toMember({ table, attachment }),
        State: 'associated' as const,
      }));
      return { Associations: associations, ...next };
    },
  }),

  GetTransitGatewayRouteTablePropagations: operation<
    GetTransitGatewayRouteTablePropagationsRequest,
    GetTransitGatewayRouteTablePropagationsResult
  >({
    authorize: 'auto',
    readOnly: true,
    run: (call, input) => {
      const table = requireTransit(call, kind, input.TransitGatewayRouteTableId);
      const attachments = table.propagations.flatMap((id) => call.tx.get('transit-gateway-attachment', id) ?? []);
      const rows = applyFilters(attachments, input.Filters, members);
      const { page, ...next } = paginate(rows, input, { min: 5, max: 1000 }, (row) => row.id);
      const propagations = page.map((attachment) => ({
        ...toMember({ table, attachment }),
        State: 'enabled' as const,
      }));
      return { TransitGatewayRouteTablePropagations: propagations, ...next };
    },
  }),
} satisfies Record<string, Operation>;
