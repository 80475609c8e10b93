// Which routes does a table of a transit gateway have? One for each block: the static one, else the first that is propagated (Z5, Z6). The API shows them and the Snapshot
// holds them. https://docs.aws.amazon.com/vpc/latest/tgw/how-transit-gateways-work.html (read 2026-11-22)

import { overlaps } from './cidr.ts';
import type { Cidr, TransitGatewayAttachmentId, TransitGatewayRoute } from './snapshot.ts';

export interface TransitRoute extends TransitGatewayRoute {
  readonly type: 'static' | 'propagated';
}

/**
 * @param fixed the static ones; one to an attachment that is gone has none, and is a blackhole
 * @param propagations in the order in which they were enabled, with the blocks that the VPC has now
 */
export function routesThatCount(
  fixed: readonly TransitGatewayRoute[],
  propagations: readonly (readonly [TransitGatewayAttachmentId, readonly Cidr[]])[],
): TransitRoute[] {
  const propagated: TransitRoute[] = [];
  for (const [transitGatewayAttachmentId, cidrs] of propagations) {
    // Against those of other VPCs alone: blocks of one VPC do not overlap.
    const taken = [...propagated];
    for (const cidr of cidrs)
      if (!taken.some((other) => overlaps(other.cidr, cidr)))
        propagated.push({ cidr, type: 'propagated', transitGatewayAttachmentId });
  }
  const isFixed = ({ cidr }: TransitRoute) => fixed.some((route) => route.cidr === cidr);
  return [
    ...fixed.map((route): TransitRoute => ({ ...route, type: 'static' })),
    ...propagated.filter((route) => !isFixed(route)),
  ];
}
