// Which VPCs see each other's private addresses, as far as what joins them goes: peerings and transit gateways. Whether packets get through is the walk's to say.

import type { Snapshot, VpcId } from './snapshot.ts';

/** The VPCs at the other ends of its peerings, of any Region, and those attached to the same transit gateways; one may be there twice. */
export function joinedVpcs({ peeringConnections, transitGateways }: Snapshot, vpcId: VpcId): VpcId[] {
  return [
    ...peeringConnections.flatMap(({ requester, accepter }) =>
      requester.vpcId === vpcId ? [accepter.vpcId] : accepter.vpcId === vpcId ? [requester.vpcId] : [],
    ),
    ...transitGateways
      .map(({ attachments }) => attachments.map((each) => each.vpcId))
      .filter((attached) => attached.includes(vpcId))
      .flatMap((attached) => attached.filter((each) => each !== vpcId)),
  ];
}
