// Transit gateways as a packet meets them: in by the attachment's interface in the sender's zone, through the gateway by the route table that the attachment is associated
// with, out by an interface of the other attachment, whose subnet's routes decide from there (Z2–Z7, Z9).
// https://docs.aws.amazon.com/vpc/latest/tgw/how-transit-gateways-work.html and tgw-nacls.html (read 2026-11-22)

import type {
  RouteTarget,
  TransitGateway,
  TransitGatewayAttachment,
  TransitGatewayRoute,
  TransitGatewayRouteTable,
} from '../snapshot.ts';
import type { Checks } from './checks.ts';
import type { End } from './gateways.ts';
import { isInside } from './matching.ts';
import type { NetworkIndex, PlacedInterface } from './network-index.ts';
import type { Packet } from './packet.ts';
import type { ExplanationCode } from './trace.ts';
import { wayInside } from './ways.ts';

/** Where what has come out of a gateway may not go: all that is no interface of the VPC (Z9). That two gateways hand a packet to each other has no source, so they do not. */
const closedToTransit: readonly RouteTarget['kind'][] = [
  'internet-gateway',
  'egress-only-internet-gateway',
  'gateway-endpoint',
  'peering-connection',
  'transit-gateway',
];

export function isClosedToTransit({ kind }: RouteTarget): boolean {
  return closedToTransit.includes(kind);
}

export class TransitGateways {
  readonly #checks: Checks;
  readonly #network: NetworkIndex;
  readonly #goOn: (door: PlacedInterface, packet: Packet) => End | undefined;

  /** @param goOn how a packet that comes out of an attachment's interface goes on in its VPC */
  constructor(checks: Checks, goOn: (door: PlacedInterface, packet: Packet) => End | undefined) {
    this.#checks = checks;
    this.#network = checks.network;
    this.#goOn = goOn;
  }

  over(sender: PlacedInterface, id: TransitGateway['transitGatewayId'], packet: Packet): End | undefined {
    const { vpc, subnet } = sender;
    const gateway = this.#network.snapshot.transitGateways.find((each) => each.transitGatewayId === id);
    const own = gateway?.attachments.find((each) => each.vpcId === vpc.vpcId);
    const door = own && this.#doors(own).find((each) => each.subnet.availabilityZone === subnet.availabilityZone);
    const drop = (component: string, because: string, code?: ExplanationCode) => {
      this.#checks.drop('transit-gateway', component, vpc, packet, because, code);
      return undefined;
    };
    if (gateway === undefined || own === undefined)
      return drop(id, 'the VPC is not attached to it', 'NO_POSSIBLE_DESTINATION');
    const attachmentId = own.transitGatewayAttachmentId;
    if (door === undefined)
      return drop(attachmentId, `it has no subnet in ${subnet.availabilityZone}`, 'TGW_ROUTE_AZ_RESTRICTION');
    if (!this.#checks.way(vpc, wayInside(this.#network, sender, door, packet), packet, sender)) return undefined;
    // Also when it is in the sender's own subnet (Z3).
    this.#checks.acl(door, 'ingress', packet);
    const table = gateway.routeTables.find((each) => each.transitGatewayRouteTableId === own.routeTableId);
    if (table === undefined)
      return drop(
        attachmentId,
        'it is associated with no route table of the transit gateway',
        'TGW_ATTACH_MISSING_TGW_RTB_ASSOCIATION',
      );
    const route = longestRoute(table, packet.destination);
    if (route === undefined)
      return drop(
        table.transitGatewayRouteTableId,
        `no route to ${packet.destination}`,
        'TGW_RTB_NO_ROUTE_TO_TGW_ATTACHMENT',
      );
    const next = gateway.attachments.find(
      (each) => each.transitGatewayAttachmentId === route.transitGatewayAttachmentId,
    );
    const nextDoor = next && this.#doorFrom(next, subnet.availabilityZone);
    const isOpen = nextDoor !== undefined && next !== own;
    this.#checks.push(
      'transit-gateway',
      table.transitGatewayRouteTableId,
      vpc.vpcId,
      packet,
      isOpen ? 'pass' : 'drop',
      { kind: 'transit-gateway-route', routeTableId: table.transitGatewayRouteTableId, route, isBack: next === own },
      isOpen ? undefined : next === undefined ? 'TGW_RTB_BAD_STATE_ROUTE' : 'NO_POSSIBLE_DESTINATION',
    );
    return isOpen ? this.#goOn(nextDoor, packet) : undefined;
  }

  #doors({ networkInterfaceIds }: TransitGatewayAttachment): readonly PlacedInterface[] {
    return networkInterfaceIds.flatMap((id) => this.#network.networkInterface(id) ?? []);
  }

  /** Z7. Which interface it is where the zone has none, and which one is chosen in appliance mode, AWS does not say: the first. */
  #doorFrom(next: TransitGatewayAttachment, zone: string): PlacedInterface | undefined {
    const doors = this.#doors(next);
    const inZone = next.applianceMode ? undefined : doors.find((each) => each.subnet.availabilityZone === zone);
    return inZone ?? doors[0];
  }
}

/** Z5. */
function longestRoute({ routes }: TransitGatewayRouteTable, destination: string): TransitGatewayRoute | undefined {
  const lengthOf = ({ cidr }: TransitGatewayRoute) => Number(cidr.slice(cidr.indexOf('/') + 1));
  return routes
    .filter(({ cidr }) => isInside(cidr, destination))
    .sort((one, other) => lengthOf(other) - lengthOf(one))[0];
}
