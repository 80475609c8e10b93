// Rows → Snapshot: transit gateways with their attachments and the routes that count.

import type { TransitGateway, TransitGatewayAttachment, TransitGatewayRouteTable } from '@postern/network/snapshot.ts';
import { routesThatCount, type TransitRoute } from '@postern/network/transit-routes.ts';
import type { NetworkInterfaceRow } from '../store/rows/ec2.ts';
import type {
  TransitGatewayAttachmentRow,
  TransitGatewayRouteTableRow,
  TransitGatewayRow,
} from '../store/rows/transit-gateways.ts';
import type { Transaction } from '../store/store.ts';

export function transitGateways(tx: Transaction): TransitGateway[] {
  const attachments = tx.list('transit-gateway-attachment');
  const tables = tx.list('transit-gateway-route-table');
  return tx.list('transit-gateway').map((row) => ({
    transitGatewayId: row.id,
    attachments: attachments
      .filter((each) => each.transitGatewayId === row.id)
      .map((each) => toAttachment(tx, row, each)),
    routeTables: tables.filter((each) => each.transitGatewayId === row.id).map((each) => toRouteTable(tx, each)),
  }));
}

/** The routes of a table that count, of the attachments and blocks that are there now. */
export function transitRoutes(tx: Transaction, table: TransitGatewayRouteTableRow): TransitRoute[] {
  const attachment = (id: string | undefined) =>
    id === undefined ? undefined : tx.get('transit-gateway-attachment', id);
  const fixed = table.routes.map(({ cidr, transitGatewayAttachmentId }) => {
    const found = attachment(transitGatewayAttachmentId);
    return { cidr, ...(found && { transitGatewayAttachmentId: found.id }) };
  });
  const propagations = table.propagations.flatMap((id) => {
    const vpc = tx.get('vpc', attachment(id)?.vpcId ?? '');
    return vpc === undefined ? [] : [[id, vpc.cidrBlocks.map(({ cidr }) => cidr)] as const];
  });
  return routesThatCount(fixed, propagations);
}

/** By the gateway: the VPCs that a route to it leads out of. */
export function attachedVpcs(tx: Transaction): (transitGatewayId: string, vpcId: string) => boolean {
  const joined = new Set(tx.list('transit-gateway-attachment').map((row) => `${row.transitGatewayId} ${row.vpcId}`));
  return (transitGatewayId, vpcId) => joined.has(`${transitGatewayId} ${vpcId}`);
}

function toAttachment(
  tx: Transaction,
  gateway: TransitGatewayRow,
  row: TransitGatewayAttachmentRow,
): TransitGatewayAttachment {
  const cards = row.subnets.flatMap(({ networkInterfaceId }) => tx.get('network-interface', networkInterfaceId) ?? []);
  const byZone = (a: NetworkInterfaceRow, b: NetworkInterfaceRow) => (a.availabilityZone < b.availabilityZone ? -1 : 1);
  return {
    transitGatewayAttachmentId: row.id,
    vpcId: row.vpcId,
    networkInterfaceIds: cards.sort(byZone).map((card) => card.id),
    applianceMode: row.applianceModeSupport === 'enable',
    dnsSupport: gateway.dnsSupport === 'enable' && row.dnsSupport === 'enable',
    ...(row.routeTableId && { routeTableId: row.routeTableId }),
  };
}

function toRouteTable(tx: Transaction, row: TransitGatewayRouteTableRow): TransitGatewayRouteTable {
  return {
    transitGatewayRouteTableId: row.id,
    routes: transitRoutes(tx, row).map(({ type: _type, ...route }) => route),
  };
}
