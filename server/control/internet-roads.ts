// Rows → what the Snapshot says of the roads to the internet: NAT gateways, edge route tables, and what blocks public access.

import { effectiveBlockMode } from '@postern/network/block-public-access.ts';
import type { InternetGatewayId, NatGateway, RouteTableId, Subnet, VpcId } from '@postern/network/snapshot.ts';
import type { SubnetRow } from '../store/rows/ec2.ts';
import type { Transaction } from '../store/store.ts';

/** VPC → its available ones. */
export function natGatewaysByVpc(tx: Transaction): ReadonlyMap<VpcId, readonly NatGateway[]> {
  const gateways = new Map<VpcId, NatGateway[]>();
  for (const { id, vpcId, state, connectivityType, networkInterfaceId } of tx.list('nat-gateway')) {
    if (state !== 'available' || networkInterfaceId === undefined) continue;
    const gateway: NatGateway = { natGatewayId: id, connectivityType, networkInterfaceId };
    gateways.set(vpcId, [...(gateways.get(vpcId) ?? []), gateway]);
  }
  return gateways;
}

/** Internet gateway → its edge route table (R14). */
export function edgeTables(tx: Transaction): ReadonlyMap<InternetGatewayId, RouteTableId> {
  return new Map(
    tx
      .list('route-table')
      .flatMap(({ id, associations }) =>
        associations.flatMap(({ gatewayId }) => (gatewayId ? [[gatewayId, id] as const] : [])),
      ),
  );
}

/** What is blocked in a subnet after exclusions; empty: nothing. */
export function publicAccessBlocks(
  tx: Transaction,
): (subnet: SubnetRow) => Pick<Subnet, 'blockPublicAccess' | 'publicAccessExclusionId'> {
  const place = ({ accountId, region }: { accountId: string; region: string }) => `${accountId}/${region}`;
  const modes = new Map(tx.list('vpc-block-public-access').map((row) => [place(row), row.mode]));
  const exclusions = tx.list('vpc-block-public-access-exclusion');
  return (subnet) => {
    const covering = exclusions.filter((row) => row.subnetId === subnet.id || row.vpcId === subnet.vpcId);
    const mode = effectiveBlockMode(
      modes.get(place(subnet)) ?? 'off',
      covering.map((row) => row.mode),
    );
    if (mode === 'off') return {};
    const own = covering.find((row) => row.subnetId === subnet.id);
    return { blockPublicAccess: mode, ...(own && { publicAccessExclusionId: own.id }) };
  };
}
