// Edge route tables: one that is associated with an internet gateway decides where what comes in goes. Rule R14.
// https://docs.aws.amazon.com/vpc/latest/userguide/gateway-route-tables.html (read 2026-11-21). The page says what is refused and not in which words.
// Gap: virtual private gateways and Gateway Load Balancer endpoints are not there yet; IPv6 cannot be sent to a middlebox.

import { contains, isIpv6Cidr } from '@postern/network/cidr.ts';
import type { Call } from '../../service.ts';
import type { InternetGatewayRow, RouteRow, RouteTableRow } from '../../store/rows/ec2.ts';
import { alreadyAssociated, ec2Error, invalidParameterValue, isWellFormedId, unsupportedOperation } from './errors.ts';
import { findRow, scopeOf } from './rows.ts';

/** The internet gateway whose edge table it is. */
export function edgeGatewayOf(table: RouteTableRow): string | undefined {
  return table.associations.find((one) => one.gatewayId)?.gatewayId;
}

/**
 * A gateway that the table may be associated with: attached to its VPC, without an edge table so far.
 * @throws InvalidGatewayID.NotFound, InvalidParameterValue, Resource.AlreadyAssociated
 */
export function requireEdgeGateway(call: Call, table: RouteTableRow, id: string): InternetGatewayRow {
  if (id.startsWith('vgw-')) throw unsupportedOperation(`The parameter GatewayId (${id}) of AssociateRouteTable`);
  const gateway = isWellFormedId('internet-gateway', id) ? findRow(call, 'internet-gateway', id) : undefined;
  if (!gateway) throw ec2Error('InvalidGatewayID.NotFound', `The gateway ID '${id}' does not exist`);
  if (gateway.vpcId !== table.vpcId)
    throw invalidParameterValue(`route table ${table.id} and network gateway ${id} belong to different networks`);
  if (call.tx.list('route-table', scopeOf(call)).some((row) => edgeGatewayOf(row) === id))
    throw alreadyAssociated(
      `the specified association for route table ${table.id} conflicts with an existing association`,
    );
  return gateway;
}

/** A table that becomes an edge table has nothing in it that one may not have. */
export function checkEdgeTable(call: Call, table: RouteTableRow): void {
  // R11.
  if (table.associations.some((one) => one.main))
    throw invalidParameterValue(`The main route table ${table.id} cannot be associated with a gateway.`);
  for (const route of table.routes) checkEdgeRoute(call, table, route);
}

/** @throws InvalidParameterValue for what an edge table cannot have; everything is well for any other table's own checks */
export function checkEdgeRoute(
  call: Call,
  table: RouteTableRow,
  { destination, target }: Pick<RouteRow, 'destination' | 'target'>,
): void {
  if (destination.kind === 'prefix-list')
    throw invalidParameterValue(
      `Route table ${table.id} is for a gateway and cannot have ${destination.prefixListId} as a destination.`,
    );
  const vpc = call.tx.get('vpc', table.vpcId);
  const blocks = [...(vpc?.cidrBlocks ?? []), ...(vpc?.ipv6CidrBlocks ?? [])];
  if (!blocks.some((block) => contains(block.cidr, destination.cidr)))
    throw invalidParameterValue(
      `Route table ${table.id} is for a gateway; the destination ${destination.cidr} is outside of the VPC's CIDR blocks.`,
    );
  if (target.kind === 'network-interface' && isIpv6Cidr(destination.cidr))
    throw unsupportedOperation(`An IPv6 route (${destination.cidr}) to an interface in a gateway's route table`);
  if (target.kind !== 'local' && target.kind !== 'network-interface')
    throw invalidParameterValue(
      `Route table ${table.id} is for a gateway; the route to ${destination.cidr} can target only local or a network interface.`,
    );
}

/** With the gateway goes its association. */
export function removeEdgeAssociation(call: Call, gatewayId: string): void {
  for (const table of call.tx.list('route-table', scopeOf(call))) {
    if (edgeGatewayOf(table) !== gatewayId) continue;
    const associations = table.associations.filter((one) => one.gatewayId !== gatewayId);
    call.tx.put('route-table', { ...table, associations });
  }
}
