// Transit gateways, prepared for reach: their route tables over addresses, and whose an address is at the far end. Written apart from the walk (walk/transit-gateways.ts).

import type {
  RouteTarget,
  TransitGatewayAttachment,
  TransitGatewayId,
  TransitGatewayRoute,
  TransitGatewayRouteTableId,
  Vpc,
} from '../snapshot.ts';
import { AddressSet } from './address-set.ts';
import { SegmentTable } from './segment-table.ts';
import type { Site, Sites } from './sites.ts';

/** The sides of a gateway that a packet passes between. */
export interface Crossing {
  /** The interface of the sender's VPC. */
  readonly door: Site;
  /** What the gateway does with a destination; absent: nothing is associated, and all is dropped. */
  readonly routes: SegmentTable<TransitGatewayRoute | 'none'> | undefined;
  /** The interface that it comes out of; undefined: nowhere, or back to where it came from. */
  readonly exit: (route: TransitGatewayRoute) => Site | undefined;
}

export class TransitGateways {
  readonly #sites: Sites;
  readonly #tables = new Map<TransitGatewayRouteTableId, SegmentTable<TransitGatewayRoute | 'none'>>();
  readonly #far = new Map<string, SegmentTable<string>>();

  constructor(sites: Sites) {
    this.#sites = sites;
  }

  /** Undefined: the subnet's zone has no way in (Z2). */
  crossing(sender: Site, id: TransitGatewayId): Crossing | undefined {
    const gateway = this.#sites.network.snapshot.transitGateways.find((each) => each.transitGatewayId === id);
    const own = gateway?.attachments.find((each) => each.vpcId === sender.vpc.vpcId);
    const zone = sender.subnet.availabilityZone;
    const door = own && this.#doors(own).find((each) => each.subnet.availabilityZone === zone);
    if (gateway === undefined || own === undefined || door === undefined) return undefined;
    const table = gateway.routeTables.find((each) => each.transitGatewayRouteTableId === own.routeTableId);
    return {
      door,
      routes: table && this.#routes(table.transitGatewayRouteTableId, table.routes),
      exit: ({ transitGatewayAttachmentId: to }) => {
        const next = gateway.attachments.find((each) => each.transitGatewayAttachmentId === to);
        if (next === undefined || next === own) return undefined;
        const doors = this.#doors(next);
        // Z7: the zone that it came from; without it, and in appliance mode, the first.
        const near = doors.find((each) => each.subnet.availabilityZone === zone);
        return next.applianceMode ? doors[0] : (near ?? doors[0]);
      },
    };
  }

  /** G9: in a VPC that a gateway brings packets to, sources may be anybody's. */
  isAttached({ vpcId }: Vpc): boolean {
    return this.#sites.network.snapshot.transitGateways.some(({ attachments }) =>
      attachments.some((each) => each.vpcId === vpcId),
    );
  }

  /** By address: the way between a middlebox and the attachment, which is another one for each VPC at the far end. */
  farSides(own: string): SegmentTable<string> {
    const known = this.#far.get(own);
    if (known !== undefined) return known;
    const { network } = this.#sites;
    const gateway = network.snapshot.transitGateways.find(({ attachments }) =>
      attachments.some((each) => each.transitGatewayAttachmentId === own),
    );
    const others = (gateway?.attachments ?? []).filter((each) => each.transitGatewayAttachmentId !== own);
    const sets = others.map(({ vpcId }) => AddressSet.ofCidrs(network.vpc(vpcId)?.cidrBlocks ?? []));
    const made = new SegmentTable(sets, ([first]) => {
      const far = first === undefined ? undefined : others[first];
      return far === undefined ? own : `${own} for ${far.transitGatewayAttachmentId}`;
    });
    this.#far.set(own, made);
    return made;
  }

  #doors({ networkInterfaceIds }: TransitGatewayAttachment): readonly Site[] {
    return networkInterfaceIds.flatMap((id) => this.#sites.site(id) ?? []);
  }

  #routes(
    id: TransitGatewayRouteTableId,
    routes: readonly TransitGatewayRoute[],
  ): SegmentTable<TransitGatewayRoute | 'none'> {
    const known = this.#tables.get(id);
    if (known !== undefined) return known;
    const lengths = routes.map(({ cidr }) => Number(cidr.split('/')[1]));
    const made = new SegmentTable(
      routes.map(({ cidr }) => AddressSet.ofCidrs([cidr])),
      (holding) => {
        const [longest] = [...holding].sort((a, b) => (lengths[b] ?? 0) - (lengths[a] ?? 0));
        return (longest === undefined ? undefined : routes[longest]) ?? 'none';
      },
    );
    this.#tables.set(id, made);
    return made;
  }
}

/** The attachment whose interface it is. */
export function attachmentOf({ placed: { eni } }: Site): string | undefined {
  return eni.service?.kind === 'transit-gateway' ? eni.service.transitGatewayAttachmentId : undefined;
}

/** What comes out of a gateway goes to interfaces: in the VPC, to a NAT gateway, to a middlebox (Z9). */
export function isOpenToTransit({ kind }: RouteTarget): boolean {
  return kind === 'local' || kind === 'nat-gateway' || kind === 'network-interface';
}
