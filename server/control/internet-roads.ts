// Rows → what the Snapshot says of the roads to the internet: NAT gateways.

import type { NatGateway, VpcId } from '@postern/network/snapshot.ts';
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
