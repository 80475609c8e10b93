// Route tables and which subnets use them. Rules R3, R8, R11, R12. https://docs.aws.amazon.com/vpc/latest/userguide/VPC_Route_Tables.html
// (read 2026-11-21). Edge tables: edge-route-tables.ts.

import type {
  AssociateRouteTableRequest,
  AssociateRouteTableResult,
  CreateRouteTableRequest,
  CreateRouteTableResult,
  DeleteRouteTableRequest,
  DescribeRouteTablesRequest,
  DescribeRouteTablesResult,
  DisassociateRouteTableRequest,
  ReplaceRouteTableAssociationRequest,
  ReplaceRouteTableAssociationResult,
  RouteTable,
} from '@aws-sdk/client-ec2';
import type { InternetGatewayId, RouteTableId, SubnetId } from '@postern/network/snapshot.ts';
import { type Call, type Operation, operation } from '../../service.ts';
import type { RouteTableRow } from '../../store/rows/ec2.ts';
import { describe } from './describe.ts';
import { checkEdgeTable, edgeGatewayOf, requireEdgeGateway } from './edge-route-tables.ts';
import {
  alreadyAssociated,
  ec2Error,
  hasDependencies,
  invalidCombination,
  invalidParameterValue,
  missingParameter,
  refuseUnsupported,
} from './errors.ts';
import type { FilterTable } from './filters.ts';
import { oncePerToken } from './idempotency.ts';
import { localRoute } from './new-vpc.ts';
import { enforceQuota } from './quotas.ts';
import { toRoute } from './route-state.ts';
import { findRow, requireRow, scopeOf } from './rows.ts';
import { tagsFromSpecifications, toTags } from './tags.ts';

function toRouteTable(call: Call, row: RouteTableRow): RouteTable {
  return {
    RouteTableId: row.id,
    VpcId: row.vpcId,
    OwnerId: row.accountId,
    Associations: row.associations.map((one) => ({
      RouteTableAssociationId: one.associationId,
      RouteTableId: row.id,
      Main: one.main,
      ...(one.subnetId && { SubnetId: one.subnetId }),
      ...(one.gatewayId && { GatewayId: one.gatewayId }),
      AssociationState: { State: 'associated' },
    })),
    PropagatingVgws: [],
    Routes: row.routes.map((route) => toRoute(call.tx, row.vpcId, route)),
    Tags: toTags(row.tags),
  };
}

function filtersOf(call: Call): FilterTable<RouteTableRow> {
  const shown = (row: RouteTableRow) => row.routes.map((route) => toRoute(call.tx, row.vpcId, route));
  return {
    'association.gateway-id': (row) => row.associations.map((one) => one.gatewayId),
    'association.main': (row) => row.associations.map((one) => one.main),
    'association.route-table-association-id': (row) => row.associations.map((one) => one.associationId),
    'association.route-table-id': (row) => (row.associations.length > 0 ? row.id : undefined),
    'association.subnet-id': (row) => row.associations.map((one) => one.subnetId),
    'owner-id': (row) => row.accountId,
    'route-table-id': (row) => row.id,
    'route.carrier-gateway-id': () => undefined,
    'route.destination-cidr-block': (row) => shown(row).map((route) => route.DestinationCidrBlock),
    'route.destination-ipv6-cidr-block': (row) => shown(row).map((route) => route.DestinationIpv6CidrBlock),
    'route.destination-prefix-list-id': (row) => shown(row).map((route) => route.DestinationPrefixListId),
    'route.egress-only-internet-gateway-id': (row) => shown(row).map((route) => route.EgressOnlyInternetGatewayId),
    'route.gateway-id': (row) => shown(row).map((route) => route.GatewayId),
    'route.instance-id': (row) => shown(row).map((route) => route.InstanceId),
    'route.local-gateway-id': () => undefined,
    'route.nat-gateway-id': (row) => shown(row).map((route) => route.NatGatewayId),
    'route.network-interface-id': (row) => shown(row).map((route) => route.NetworkInterfaceId),
    'route.origin': (row) => shown(row).map((route) => route.Origin),
    'route.state': (row) => shown(row).map((route) => route.State),
    'route.transit-gateway-id': () => undefined,
    'route.vpc-peering-connection-id': (row) => shown(row).map((route) => route.VpcPeeringConnectionId),
    'vpc-id': (row) => row.vpcId,
  };
}

function makeRouteTable(call: Call, input: CreateRouteTableRequest): RouteTableId {
  const vpc = requireRow(call, 'vpc', input.VpcId, 'vpcId');
  enforceQuota(
    call,
    'routeTablesPerVpc',
    () => call.tx.list('route-table', scopeOf(call)).filter((row) => row.vpcId === vpc.id).length,
  );
  const id: RouteTableId = call.tx.newId('rtb');
  call.tx.put('route-table', {
    ...scopeOf(call),
    id,
    vpcId: vpc.id,
    routes: [...vpc.cidrBlocks, ...(vpc.ipv6CidrBlocks ?? [])].map(({ cidr }) => localRoute(cidr)),
    associations: [],
    tags: tagsFromSpecifications(input.TagSpecifications, 'route-table'),
  });
  return id;
}

/** A table in use stays (R11); gateway endpoints forget a table that goes. */
function deleteRouteTable(call: Call, table: RouteTableRow): void {
  const { tx } = call;
  if (table.associations.length > 0) {
    const users = table.associations.map(
      ({ subnetId, gatewayId }) => subnetId ?? gatewayId ?? `${table.vpcId} (it is the main table)`,
    );
    throw hasDependencies('routeTable', table.id, users);
  }
  for (const endpoint of tx.list('vpc-endpoint', scopeOf(call)))
    if (endpoint.endpointType === 'Gateway' && endpoint.routeTableIds.includes(table.id))
      tx.put('vpc-endpoint', { ...endpoint, routeTableIds: endpoint.routeTableIds.filter((id) => id !== table.id) });
  tx.delete('route-table', table.id);
}

function associationOf(call: Call, associationId: string | undefined) {
  if (!associationId) throw missingParameter('associationId');
  for (const table of call.tx.list('route-table', scopeOf(call))) {
    const association = table.associations.find((one) => one.associationId === associationId);
    if (association) return { table, association };
  }
  throw ec2Error('InvalidAssociationID.NotFound', `The association ID '${associationId}' does not exist`);
}

function without(table: RouteTableRow, associationId: string): RouteTableRow {
  return { ...table, associations: table.associations.filter((one) => one.associationId !== associationId) };
}

const associated = { State: 'associated' } as const;

function associate(
  call: Call,
  table: RouteTableRow,
  what: { subnetId: SubnetId } | { gatewayId: InternetGatewayId },
): AssociateRouteTableResult {
  const associationId = call.tx.newId('rtbassoc');
  const associations = [...table.associations, { associationId, main: false, ...what }];
  call.tx.put('route-table', { ...table, associations });
  return { AssociationId: associationId, AssociationState: associated };
}

export const routeTables = {
  CreateRouteTable: operation<CreateRouteTableRequest, CreateRouteTableResult>({
    authorize: 'auto',
    run: (call, input) => {
      const known = (ids: readonly string[]) => ids.every((id) => findRow(call, 'route-table', id));
      const [id] = oncePerToken(call, input.ClientToken, input, known, () => [makeRouteTable(call, input)]);
      const table = requireRow(call, 'route-table', id);
      return { RouteTable: toRouteTable(call, table), ...(input.ClientToken && { ClientToken: input.ClientToken }) };
    },
  }),

  DescribeRouteTables: operation<DescribeRouteTablesRequest, DescribeRouteTablesResult>({
    authorize: 'auto',
    readOnly: true,
    run: (call, input) => {
      const how = { ids: input.RouteTableIds, parameter: 'routeTableSet', filters: filtersOf(call), max: 100 };
      const { page, next } = describe(call, 'route-table', input, how);
      return { RouteTables: page.map((row) => toRouteTable(call, row)), ...next };
    },
  }),

  DeleteRouteTable: operation<DeleteRouteTableRequest, Record<string, never>>({
    authorize: 'auto',
    run: (call, input) => {
      deleteRouteTable(call, requireRow(call, 'route-table', input.RouteTableId, 'routeTableId'));
      return {};
    },
  }),

  AssociateRouteTable: operation<AssociateRouteTableRequest, AssociateRouteTableResult>({
    authorize: 'auto',
    run: (call, input) => {
      refuseUnsupported('AssociateRouteTable', input, ['PublicIpv4Pool']);
      const table = requireRow(call, 'route-table', input.RouteTableId, 'routeTableId');
      if (input.SubnetId && input.GatewayId)
        throw invalidCombination('The parameter gatewayId cannot be used with the parameter subnetId');
      if (input.GatewayId) {
        const gateway = requireEdgeGateway(call, table, input.GatewayId);
        checkEdgeTable(call, table);
        return associate(call, table, { gatewayId: gateway.id });
      }
      const subnet = requireRow(call, 'subnet', input.SubnetId, 'subnetId');
      if (table.vpcId !== subnet.vpcId)
        throw invalidParameterValue(`route table ${table.id} and subnet ${subnet.id} belong to different networks`);
      const taken = call.tx
        .list('route-table', scopeOf(call))
        .some((row) => row.associations.some((one) => one.subnetId === subnet.id));
      if (taken)
        throw alreadyAssociated(
          `the specified association for route table ${table.id} conflicts with an existing association`,
        );
      return associate(call, table, { subnetId: subnet.id });
    },
  }),

  DisassociateRouteTable: operation<DisassociateRouteTableRequest, Record<string, never>>({
    authorize: 'auto',
    run: (call, input) => {
      const { table, association } = associationOf(call, input.AssociationId);
      if (association.main)
        throw invalidParameterValue(
          `cannot disassociate the main route table association ${association.associationId}`,
        );
      call.tx.put('route-table', without(table, association.associationId));
      return {};
    },
  }),

  ReplaceRouteTableAssociation: operation<ReplaceRouteTableAssociationRequest, ReplaceRouteTableAssociationResult>({
    authorize: 'auto',
    run: (call, input) => {
      const { table: old, association } = associationOf(call, input.AssociationId);
      const table = requireRow(call, 'route-table', input.RouteTableId, 'routeTableId');
      if (table.vpcId !== old.vpcId)
        throw invalidParameterValue(
          `route table ${table.id} and the association ${association.associationId} belong to different networks`,
        );
      if (association.main && table.id === old.id)
        return { NewAssociationId: association.associationId, AssociationState: associated };
      if (association.gatewayId) checkEdgeTable(call, table);
      if (association.main && edgeGatewayOf(table))
        throw invalidParameterValue(`Route table ${table.id} is associated with a gateway and cannot be the main one.`);
      const associationId = call.tx.newId('rtbassoc');
      call.tx.put('route-table', without(old, association.associationId));
      const current = requireRow(call, 'route-table', table.id);
      call.tx.put('route-table', {
        ...current,
        associations: [...current.associations, { ...association, associationId }],
      });
      return { NewAssociationId: associationId, AssociationState: associated };
    },
  }),
} satisfies Record<string, Operation>;
