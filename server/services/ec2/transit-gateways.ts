// Transit gateways: create, describe, modify, delete. Rules Z1–Z10.
// https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_CreateTransitGateway.html (read 2026-11-22). States complete at once.
// Gaps: multicast, group references (Z10), CIDR blocks of a gateway's own (they are for Connect) and encryption are refused. Nobody can share one, so that shared
// attachments are accepted by themselves changes nothing.

import type {
  CreateTransitGatewayRequest,
  CreateTransitGatewayResult,
  DeleteTransitGatewayRequest,
  DeleteTransitGatewayResult,
  DescribeTransitGatewaysRequest,
  DescribeTransitGatewaysResult,
  ModifyTransitGatewayRequest,
  ModifyTransitGatewayResult,
} from '@aws-sdk/client-ec2';
import type { TransitGatewayRouteTableId } from '@postern/network/snapshot.ts';
import { type Call, type Operation, operation } from '../../service.ts';
import type { Switch, TransitGatewayRow } from '../../store/rows/transit-gateways.ts';
import { ec2Error, invalidParameterValue, invalidValue, refuseUnsupported, unsupportedOperation } from './errors.ts';
import { applyFilters, type FilterTable } from './filters.ts';
import { paginate } from './pagination.ts';
import { scopeOf } from './rows.ts';
import { tagsFromSpecifications } from './tags.ts';
import { attachmentsOf, requireTransit, selectTransit, toTransitGateway } from './transit-gateway-rows.ts';

const kind = 'transit-gateway';
const defaultAsn = 64_512;

/** @throws InvalidParameterValue */
export function switchOf(value: string | undefined, parameter: string, otherwise: Switch): Switch {
  if (value === undefined) return otherwise;
  if (value !== 'enable' && value !== 'disable') throw invalidValue(value, parameter, 'Use enable or disable.');
  return value;
}

/** Options that are there at AWS and would change who reaches what. */
function refuseOptions(
  operationName: string,
  options: {
    readonly MulticastSupport?: string | undefined;
    readonly SecurityGroupReferencingSupport?: string | undefined;
  },
): void {
  for (const name of ['MulticastSupport', 'SecurityGroupReferencingSupport'] as const)
    if (switchOf(options[name], name, 'disable') === 'enable')
      throw unsupportedOperation(`The option ${name} of ${operationName}`);
}

function asnOf(asn: number | undefined): number {
  if (asn === undefined) return defaultAsn;
  const isPrivate = (asn >= 64_512 && asn <= 65_534) || (asn >= 4_200_000_000 && asn <= 4_294_967_294);
  if (!isPrivate) throw invalidValue(asn, 'amazonSideAsn', 'This is not a private ASN.');
  return asn;
}

/** Makes the row of a table without routes. */
export function makeRouteTable(
  call: Call,
  transitGatewayId: TransitGatewayRow['id'],
  tags = {},
): TransitGatewayRouteTableId {
  const id: TransitGatewayRouteTableId = call.tx.newId('tgw-rtb');
  call.tx.put('transit-gateway-route-table', {
    ...scopeOf(call),
    id,
    transitGatewayId,
    routes: [],
    propagations: [],
    createdAt: call.now.toISOString(),
    tags,
  });
  return id;
}

function createGateway(call: Call, input: CreateTransitGatewayRequest): TransitGatewayRow {
  const options = input.Options ?? {};
  refuseOptions('CreateTransitGateway', options);
  refuseUnsupported('CreateTransitGateway', options, ['TransitGatewayCidrBlocks']);
  const isOn = (name: 'DefaultRouteTableAssociation' | 'DefaultRouteTablePropagation') =>
    switchOf(options[name], name, 'enable') === 'enable';
  const [associates, propagates] = [isOn('DefaultRouteTableAssociation'), isOn('DefaultRouteTablePropagation')];
  const row: TransitGatewayRow = {
    ...scopeOf(call),
    id: call.tx.newId('tgw'),
    ...(input.Description !== undefined && { description: input.Description }),
    amazonSideAsn: asnOf(options.AmazonSideAsn),
    autoAcceptSharedAttachments: switchOf(
      options.AutoAcceptSharedAttachments,
      'AutoAcceptSharedAttachments',
      'disable',
    ),
    vpnEcmpSupport: switchOf(options.VpnEcmpSupport, 'VpnEcmpSupport', 'enable'),
    dnsSupport: switchOf(options.DnsSupport, 'DnsSupport', 'enable'),
    createdAt: call.now.toISOString(),
    tags: tagsFromSpecifications(input.TagSpecifications, kind),
  };
  // One table for both, where both are wanted.
  const tableId = associates || propagates ? makeRouteTable(call, row.id) : undefined;
  const made: TransitGatewayRow = {
    ...row,
    ...(tableId && associates && { associationDefaultRouteTableId: tableId }),
    ...(tableId && propagates && { propagationDefaultRouteTableId: tableId }),
  };
  call.tx.put(kind, made);
  return made;
}

type DefaultTable = 'associationDefaultRouteTableId' | 'propagationDefaultRouteTableId';

/** What the option and the id say together; a table of the gateway, or none. */
function withDefaultTable(
  call: Call,
  row: TransitGatewayRow,
  member: DefaultTable,
  option: { readonly name: string; readonly value: string | undefined; readonly tableId: string | undefined },
): TransitGatewayRow {
  const { name, value, tableId } = option;
  if (value === undefined && tableId === undefined) return row;
  const { [member]: before, ...without } = row;
  if (switchOf(value, name, 'enable') === 'disable') return without;
  const table = tableId === undefined ? before : requireTransit(call, 'transit-gateway-route-table', tableId).id;
  if (table === undefined)
    throw invalidParameterValue(`The option ${name} of ${row.id} needs the id of a route table.`);
  if (call.tx.get('transit-gateway-route-table', table)?.transitGatewayId !== row.id)
    throw invalidParameterValue(`Transit Gateway Route Table ${table} does not belong to ${row.id}.`);
  return { ...without, [member]: table };
}

function modifyGateway(call: Call, input: ModifyTransitGatewayRequest): TransitGatewayRow {
  const before = requireTransit(call, kind, input.TransitGatewayId);
  const options = input.Options ?? {};
  refuseOptions('ModifyTransitGateway', options);
  refuseUnsupported('ModifyTransitGateway', options, ['AddTransitGatewayCidrBlocks', 'RemoveTransitGatewayCidrBlocks']);
  if (switchOf(options.EncryptionSupport, 'EncryptionSupport', 'disable') === 'enable')
    throw unsupportedOperation('The option EncryptionSupport of ModifyTransitGateway');
  let row: TransitGatewayRow = {
    ...before,
    ...(input.Description !== undefined && { description: input.Description }),
    ...(options.AmazonSideAsn !== undefined && { amazonSideAsn: asnOf(options.AmazonSideAsn) }),
    autoAcceptSharedAttachments: switchOf(
      options.AutoAcceptSharedAttachments,
      'AutoAcceptSharedAttachments',
      before.autoAcceptSharedAttachments,
    ),
    vpnEcmpSupport: switchOf(options.VpnEcmpSupport, 'VpnEcmpSupport', before.vpnEcmpSupport),
    dnsSupport: switchOf(options.DnsSupport, 'DnsSupport', before.dnsSupport),
  };
  row = withDefaultTable(call, row, 'associationDefaultRouteTableId', {
    name: 'DefaultRouteTableAssociation',
    value: options.DefaultRouteTableAssociation,
    tableId: options.AssociationDefaultRouteTableId,
  });
  row = withDefaultTable(call, row, 'propagationDefaultRouteTableId', {
    name: 'DefaultRouteTablePropagation',
    value: options.DefaultRouteTablePropagation,
    tableId: options.PropagationDefaultRouteTableId,
  });
  call.tx.put(kind, row);
  return row;
}

/** Its route tables go with it. */
function deleteGateway(call: Call, id: string | undefined): TransitGatewayRow {
  const row = requireTransit(call, kind, id);
  const attached = attachmentsOf(call, row.id);
  // Code and beginning as Terraform's provider waits for them.
  if (attached.length > 0)
    throw ec2Error(
      'IncorrectState',
      `${row.id} has non-deleted Transit Gateway Attachments: ${attached.map((each) => each.id).join(', ')}.`,
    );
  for (const table of call.tx.list('transit-gateway-route-table', scopeOf(call)))
    if (table.transitGatewayId === row.id) call.tx.delete('transit-gateway-route-table', table.id);
  call.tx.delete(kind, row.id);
  return row;
}

const isSet = (value: string | undefined) => (value === undefined ? 'disable' : 'enable');

const filters: FilterTable<TransitGatewayRow> = {
  'transit-gateway-id': (row) => row.id,
  'owner-id': (row) => row.accountId,
  state: () => 'available',
  'options.amazon-side-asn': (row) => row.amazonSideAsn,
  'options.association-default-route-table-id': (row) => row.associationDefaultRouteTableId,
  'options.propagation-default-route-table-id': (row) => row.propagationDefaultRouteTableId,
  'options.auto-accept-shared-attachments': (row) => row.autoAcceptSharedAttachments,
  'options.default-route-table-association': (row) => isSet(row.associationDefaultRouteTableId),
  'options.default-route-table-propagation': (row) => isSet(row.propagationDefaultRouteTableId),
  'options.dns-support': (row) => row.dnsSupport,
  'options.vpn-ecmp-support': (row) => row.vpnEcmpSupport,
};

export const transitGateways = {
  CreateTransitGateway: operation<CreateTransitGatewayRequest, CreateTransitGatewayResult>({
    authorize: 'auto',
    run: (call, input) => ({ TransitGateway: toTransitGateway(call, createGateway(call, input), 'pending') }),
  }),

  DescribeTransitGateways: operation<DescribeTransitGatewaysRequest, DescribeTransitGatewaysResult>({
    authorize: 'auto',
    readOnly: true,
    run: (call, input) => {
      const rows = applyFilters(selectTransit(call, kind, input.TransitGatewayIds), input.Filters, filters);
      const { page, ...next } = paginate(rows, input, { min: 5, max: 1000 }, (row) => row.id);
      return { TransitGateways: page.map((row) => toTransitGateway(call, row)), ...next };
    },
  }),

  ModifyTransitGateway: operation<ModifyTransitGatewayRequest, ModifyTransitGatewayResult>({
    authorize: 'auto',
    run: (call, input) => ({ TransitGateway: toTransitGateway(call, modifyGateway(call, input), 'modifying') }),
  }),

  DeleteTransitGateway: operation<DeleteTransitGatewayRequest, DeleteTransitGatewayResult>({
    authorize: 'auto',
    run: (call, input) => ({
      TransitGateway: toTransitGateway(call, deleteGateway(call, input.TransitGatewayId), 'deleting'),
    }),
  }),
} satisfies Record<string, Operation>;
