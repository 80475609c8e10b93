// By which ways a request passes its VPCs. Its reply belongs to it on the same way and nowhere else (network/walk/ways.ts tells of it).

import type { VpcId } from '../snapshot.ts';
import type { Address } from './segment-table.ts';
import { isMiddlebox, isNat, type Site, type Sites } from './sites.ts';
import { attachmentOf } from './transit-gateways.ts';

/** One that was taken, between which addresses. */
export interface Way {
  readonly vpcId: VpcId;
  readonly way: string;
  readonly source: Address;
  readonly destination: Address;
}

/** What a middlebox hands on passes the VPC twice between the same addresses, so each leg is a way of its own. */
export function wayInside(sites: Sites, sender: Site, receiver: Site, source: Address, destination: Address): string {
  const [cameBy, goesTo] = [attachmentOf(sender), attachmentOf(receiver)];
  const gateway = cameBy ?? goesTo;
  if (!isMiddlebox(sender) && !isMiddlebox(receiver)) return gateway ?? 'inside';
  const { middleboxes, subnets } = sites.blocks(receiver.vpc);
  if (gateway !== undefined) {
    // The box's own address, or the far end's VPC, as its legs are told apart.
    const far = sites.transitGateways.farSides(gateway);
    if (cameBy === undefined) return middleboxes.at(source) ? gateway : far.at(destination);
    return middleboxes.at(destination) ? gateway : far.at(source);
  }
  const isHandedTo = isMiddlebox(receiver) && !middleboxes.at(destination);
  if (!isMiddlebox(sender) || middleboxes.at(source)) return isHandedTo ? `leg ${sender.subnet.subnetId}` : 'inside';
  if (isHandedTo) return 'between middleboxes';
  const subnetId = isNat(receiver) ? 'none' : subnets.at(destination);
  return `leg ${subnetId === 'none' ? receiver.subnet.subnetId : subnetId}`;
}
