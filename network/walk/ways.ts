// By which ways a flow has passed its VPCs. A reply belongs to its flow on the way that the request took, and nowhere else: by another gateway or peering, or past a
// middlebox that the request went through, TCP and ICMP are nobody's and are dropped, UDP is a flow of its own and its groups are asked.
// At AWS each interface knows its flows whatever way their packets take; docs/gaps.md says so.

import type { TransitGatewayAttachment, TransitGatewayAttachmentId, VpcId } from '../snapshot.ts';
import { isInside } from './matching.ts';
import type { NetworkIndex, PlacedInterface } from './network-index.ts';
import type { Packet } from './packet.ts';

export class Ways {
  readonly #taken = new Set<string>();

  take(vpcId: VpcId, way: string, { source, destination }: Packet): void {
    this.#taken.add(`${vpcId} ${way} ${source} ${destination}`);
  }

  /** Whether the packet is the reply of one that took this way. */
  isBack(vpcId: VpcId, way: string, { source, destination }: Packet): boolean {
    return this.#taken.has(`${vpcId} ${way} ${destination} ${source}`);
  }
}

/** The way between two interfaces of a VPC: what a middlebox hands on passes the router twice with the same addresses, so each leg is a way of its own. */
export function wayInside(
  network: NetworkIndex,
  sender: PlacedInterface,
  receiver: PlacedInterface,
  packet: Packet,
): string {
  const isForBox = isBoxAddress(receiver, packet.destination);
  // A box between two VPCs gets from a gateway and gives back to it: the far end's VPC tells the two legs apart.
  const [cameBy, goesTo] = [attachmentOf(sender), attachmentOf(receiver)];
  if (cameBy !== undefined) return isBox(receiver) && !isForBox ? farSide(network, cameBy, packet.source) : cameBy;
  if (goesTo !== undefined)
    return isBox(sender) && !isBoxAddress(sender, packet.source)
      ? farSide(network, goesTo, packet.destination)
      : goesTo;
  if (isBox(sender) && !isBoxAddress(sender, packet.source)) {
    if (isBox(receiver) && !isForBox) return 'between middleboxes';
    if (receiver.eni.service?.kind === 'nat-gateway') return `leg ${receiver.subnet.subnetId}`;
    return `leg ${subnetOf(receiver, packet.destination)}`;
  }
  return isBox(receiver) && !isForBox ? `leg ${sender.subnet.subnetId}` : 'inside';
}

function attachmentOf({ eni: { service } }: PlacedInterface): TransitGatewayAttachmentId | undefined {
  return service?.kind === 'transit-gateway' ? service.transitGatewayAttachmentId : undefined;
}

/** The first other attachment of the gateway whose VPC holds the address, else the attachment itself. */
function farSide({ snapshot, vpc }: NetworkIndex, own: TransitGatewayAttachmentId, address: string): string {
  const isOwn = (each: TransitGatewayAttachment) => each.transitGatewayAttachmentId === own;
  const gateway = snapshot.transitGateways.find(({ attachments }) => attachments.some(isOwn));
  const far = gateway?.attachments.find(
    (each) => !isOwn(each) && vpc(each.vpcId)?.cidrBlocks.some((block) => isInside(block, address)),
  );
  return far === undefined ? own : `${own} for ${far.transitGatewayAttachmentId}`;
}

function isBox({ eni }: PlacedInterface): boolean {
  return !eni.sourceDestCheck && eni.attachment !== undefined;
}

/** An address of this middlebox, or of another in its VPC: what it sends itself is a flow like any other. */
function isBoxAddress({ vpc }: PlacedInterface, address: string): boolean {
  return vpc.networkInterfaces.some(
    (eni) =>
      !eni.sourceDestCheck &&
      eni.attachment !== undefined &&
      (eni.ipv6Addresses.includes(address) || eni.privateAddresses.some((each) => each.address === address)),
  );
}

function subnetOf({ vpc, subnet }: PlacedInterface, address: string): string {
  const holds = (block: typeof subnet.cidrBlock | undefined) => block !== undefined && isInside(block, address);
  const found = vpc.subnets.find((each) => holds(each.cidrBlock) || holds(each.ipv6CidrBlock));
  return (found ?? subnet).subnetId;
}
