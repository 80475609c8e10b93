// The local routes of a VPC's tables: one for each block of the VPC, IPv4 and IPv6, in every table (R3, C11).

import type { Cidr } from '@postern/network/snapshot.ts';
import type { Call } from '../../service.ts';
import type { VpcRow } from '../../store/rows/ec2.ts';
import { localRoute } from './new-vpc.ts';
import { scopeOf } from './rows.ts';

/** Every table of the VPC gains or loses the block's local route. */
export function rewriteLocalRoutes(call: Call, vpc: VpcRow, cidr: Cidr, associated: boolean): void {
  for (const table of call.tx.list('route-table', scopeOf(call))) {
    if (table.vpcId !== vpc.id) continue;
    const others = table.routes.filter(
      ({ origin, destination }) =>
        !(origin === 'CreateRouteTable' && destination.kind === 'cidr' && destination.cidr === cidr),
    );
    call.tx.put('route-table', { ...table, routes: associated ? [...others, localRoute(cidr)] : others });
  }
}
