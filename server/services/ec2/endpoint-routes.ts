// The routes that gateway endpoints own: `pl-… → vpce-…` in each table that the endpoint is associated with. Only the endpoint makes and removes them (R10).

import type { RouteTableId } from '@postern/network/snapshot.ts';
import type { Call } from '../../service.ts';
import type { GatewayEndpointRow, RouteTableRow } from '../../store/rows/ec2.ts';
import { edgeGatewayOf } from './edge-route-tables.ts';
import { ec2Error, invalidParameter } from './errors.ts';
import { requireRow } from './rows.ts';

/** The tables that a call names, each once; they must be of the endpoint's VPC. */
export function requireTables(call: Call, vpcId: string, ids: readonly string[] | undefined): RouteTableRow[] {
  return [...new Set(ids ?? [])].map((id) => {
    const table = requireRow(call, 'route-table', id, 'routeTableId');
    if (table.vpcId !== vpcId) throw invalidParameter(`Route table ${table.id} does not belong to VPC ${vpcId}`);
    return table;
  });
}

/**
 * Adds the endpoint's route to a table (W1).
 * @throws RouteAlreadyExists when the table has an endpoint for the service already (W4)
 */
export function addEndpointRoute(call: Call, endpoint: GatewayEndpointRow, table: RouteTableRow): void {
  const { prefixListId } = endpoint;
  // R14: an edge table has no prefix lists.
  if (edgeGatewayOf(table))
    throw invalidParameter(`Route table ${table.id} is associated with a gateway and cannot be used by an endpoint.`);
  const taken = table.routes.some(
    ({ destination }) => destination.kind === 'prefix-list' && destination.prefixListId === prefixListId,
  );
  if (taken)
    throw ec2Error(
      'RouteAlreadyExists',
      `route table ${table.id} already has a route with destination-prefix-list-id ${prefixListId}`,
    );
  const route: RouteTableRow['routes'][number] = {
    destination: { kind: 'prefix-list', prefixListId },
    target: { kind: 'gateway-endpoint', vpcEndpointId: endpoint.id },
    origin: 'CreateRoute',
  };
  call.tx.put('route-table', { ...table, routes: [...table.routes, route] });
}

/** W11; a table that is gone already has no route to remove. */
export function removeEndpointRoutes(call: Call, endpoint: GatewayEndpointRow, ids: readonly RouteTableId[]): void {
  for (const id of ids) {
    const table = call.tx.get('route-table', id);
    if (!table) continue;
    const routes = table.routes.filter(
      ({ target }) => !(target.kind === 'gateway-endpoint' && target.vpcEndpointId === endpoint.id),
    );
    call.tx.put('route-table', { ...table, routes });
  }
}
