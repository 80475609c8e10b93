// Gateways, peering and endpoints: what each lets pass, changes, and hands on.

import { embeddedIpv4, embedIpv4, nat64Prefix } from '../nat64.ts';
import type { EgressOnlyInternetGatewayId, NatGateway, NetworkInterfaceId, Vpc } from '../snapshot.ts';
import type { Checks } from './checks.ts';
import { bestRoute, isInside, isTcpUdpOrIcmp } from './matching.ts';
import type { NetworkIndex, PlacedInterface } from './network-index.ts';
import { type Flow, isIpv6, type Packet, protocols } from './packet.ts';
import { isNat64Nowhere, privateBlocks, sharedBlock, unanswered } from './special-blocks.ts';
import type { Arrival, ExplanationCode } from './trace.ts';
import { wayInside } from './ways.ts';

const uniqueLocal = 'fc00::/7';

/** A leg's end: who has the packet, and as what it came. */
export interface End {
  readonly arrival: Arrival;
  readonly packet: Packet;
  /** Behind a load balancer: the packet as a target gets it. */
  readonly behind?: Packet;
}

/** How a packet goes on inside a VPC. */
export interface Travel {
  /** To whichever interface of the VPC has the address. */
  deliver(vpc: Vpc | undefined, packet: Packet, sender?: PlacedInterface): End | undefined;
  toInterface(receiver: PlacedInterface, packet: Packet, sender?: PlacedInterface): End | undefined;
  /** @param how what is forwarded was begun by another: whose address it has is not asked */
  fromInterface(placed: PlacedInterface, packet: Packet, how: 'sends' | 'forwards'): End | undefined;
}

/** An address that a NAT gateway changed, for the way back. */
interface Translation {
  readonly natInterfaceId: NetworkInterfaceId;
  readonly inside: string;
  readonly outside: string;
}

export class Gateways {
  readonly #checks: Checks;
  readonly #network: NetworkIndex;
  readonly #flow: Flow;
  readonly #travel: Travel;
  readonly #translations: Translation[] = [];
  /** The egress-only gateway that the flow left by, and as whom. */
  #leftBy: { readonly id: EgressOnlyInternetGatewayId; readonly source: string } | undefined;

  constructor(checks: Checks, flow: Flow, travel: Travel) {
    this.#checks = checks;
    this.#network = checks.network;
    this.#flow = flow;
    this.#travel = travel;
  }

  outByInternetGateway(sender: PlacedInterface, packet: Packet): End | undefined {
    const { vpc } = sender;
    // A middlebox hands on what another sent: the address is asked for, not who brings it.
    const holder = this.#network.holder(vpc.vpcId, packet.source);
    const publicAddress = holder?.eni.privateAddresses.find((each) => each.address === packet.source)?.publicAddress;
    const isOutside = publicAddress !== undefined || isIpv6(packet.source);
    if (!this.#checks.way(vpc, isOutside ? wayOutside(packet.source) : 'inside', packet, sender)) return undefined;
    const igw = vpc.internetGatewayId ?? vpc.vpcId;
    const drop = (because: string, code?: ExplanationCode) =>
      this.#checks.drop('igw-egress', igw, vpc, packet, because, code);
    if (privateBlocks.some((block) => isInside(block, packet.destination)))
      drop(`${packet.destination} is a private address`, 'IGW_DESTINATION_ADDRESS_NOT_IN_RFC1918_EGRESS');
    if (isInside(uniqueLocal, packet.destination)) drop(`${packet.destination} is a private address`);
    if (isInside(sharedBlock, packet.destination))
      drop(`${packet.destination} is a shared address`, 'IGW_DESTINATION_ADDRESS_NOT_IN_RFC6598_EGRESS');
    if (isPublicAccessBlocked(sender)) drop('VPC Block Public Access is on', 'VPC_BLOCK_PUBLIC_ACCESS_ENABLED');
    if (holder === undefined)
      drop(`${packet.source} belongs to no interface of the VPC`, 'GATEWAY_REJECTS_SPOOFED_TRAFFIC');
    if (isIpv6(packet.source)) return this.onInternet(vpc, packet);
    if (publicAddress === undefined) {
      drop(`${packet.source} has no public address`, 'IGW_PUBLIC_IP_ASSOCIATION_FOR_EGRESS');
      return undefined;
    }
    this.#checks.push('igw-egress', igw, vpc.vpcId, packet, 'pass', {
      kind: 'translation',
      from: packet.source,
      to: publicAddress,
    });
    return this.onInternet(vpc, { ...packet, source: publicAddress });
  }

  /** Lets out what was begun inside, and lets its replies back in (4.4). */
  outByEgressOnlyGateway(sender: PlacedInterface, id: EgressOnlyInternetGatewayId, packet: Packet): End | undefined {
    const { vpc, subnet } = sender;
    if (!this.#checks.way(vpc, wayOutside(packet.source), packet, sender)) return undefined;
    const drop = (because: string, code?: ExplanationCode) =>
      this.#checks.drop('egress-only-gateway', id, vpc, packet, because, code);
    const isReply = this.#checks.leg === 'return';
    if (isReply && this.#flow.from.kind === 'internet') drop('flows begin inside, here it began outside');
    if (isInside(uniqueLocal, packet.destination)) drop(`${packet.destination} is a private address`);
    if (this.#network.holder(vpc.vpcId, packet.source) === undefined)
      drop(`${packet.source} belongs to no interface of the VPC`, 'GATEWAY_REJECTS_SPOOFED_TRAFFIC');
    if (subnet.blockPublicAccess === 'block-bidirectional')
      drop('VPC Block Public Access is on', 'VPC_BLOCK_PUBLIC_ACCESS_ENABLED');
    if (!isReply) this.#leftBy = { id, source: packet.source };
    return this.onInternet(vpc, packet);
  }

  /** Outside: another VPC's public address, a host, a service, or nobody. */
  onInternet(vpc: Vpc, packet: Packet): End | undefined {
    if (this.#checks.leg === 'return' && this.#flow.from.kind === 'internet')
      return { arrival: { kind: 'internet', address: packet.destination }, packet };
    if (this.#network.publicHolder(packet.destination) !== undefined) return this.fromInternet(packet);
    const isNobody = unanswered.some((block) => isInside(block, packet.destination));
    if (isNobody && this.#checks.leg === 'forward') {
      const because = `nobody on the internet answers at ${packet.destination}`;
      this.#checks.drop(
        'igw-egress',
        vpc.internetGatewayId ?? vpc.vpcId,
        vpc,
        packet,
        because,
        'NO_POSSIBLE_DESTINATION',
      );
      return undefined;
    }
    return { arrival: { kind: 'internet', address: packet.destination }, packet };
  }

  /** Arrives at the gateway of the VPC that has the public address. */
  fromInternet(packet: Packet): End | undefined {
    const held = this.#network.publicHolder(packet.destination);
    const entered = this.#checks.leg === 'forward' ? this.#enteredBy() : undefined;
    const vpc = entered ?? held?.placed.vpc ?? this.#network.snapshot.vpcs[0];
    if (vpc === undefined) return undefined;
    if (held !== undefined && held.placed.vpc.vpcId !== vpc.vpcId) {
      const because = `${packet.destination} is outside ${vpc.vpcId}`;
      const code = 'IGW_DESTINATION_ADDRESS_IN_VPC_CIDRS';
      this.#checks.drop('igw-ingress', vpc.internetGatewayId ?? vpc.vpcId, vpc, packet, because, code);
      return undefined;
    }
    if (held !== undefined && this.#checks.leg === 'return' && this.#leftBy?.source === packet.destination) {
      const cause = { kind: 'component', because: 'the reply of a flow that it let out' } as const;
      this.#checks.push('egress-only-gateway', this.#leftBy.id, vpc.vpcId, packet, 'pass', cause);
      this.#checks.way(vpc, wayOutside(packet.destination), packet);
      return this.#travel.toInterface(held.placed, packet);
    }
    const igw = vpc.internetGatewayId;
    // At a gateway that was named, what has no public address has a way on all the same: every obstacle behind it is told.
    const owner = held === undefined && igw !== undefined ? this.#behind(entered, packet) : undefined;
    if (owner !== undefined && igw !== undefined) {
      const because = `${packet.destination} has no public address`;
      const code = 'IGW_PRIVATE_IP_ASSOCIATION_FOR_INGRESS';
      this.#checks.drop('igw-ingress', igw, vpc, packet, because, code);
    }
    if ((held === undefined && owner === undefined) || igw === undefined) {
      this.#checks.drop(
        'igw-ingress',
        igw ?? vpc.vpcId,
        vpc,
        packet,
        held === undefined
          ? `${packet.destination} belongs to no interface`
          : 'the VPC has no internet gateway attached',
        'IGW_PRIVATE_IP_ASSOCIATION_FOR_INGRESS',
      );
      return undefined;
    }
    const { placed, privateAddress } = held ?? { placed: owner, privateAddress: packet.destination };
    if (placed === undefined) return undefined;
    const drop = (because: string, code: ExplanationCode) =>
      this.#checks.drop('igw-ingress', igw, vpc, packet, because, code);
    if (privateBlocks.some((block) => isInside(block, packet.source)))
      drop(`${packet.source} is a private address`, 'IGW_SOURCE_ADDRESS_NOT_IN_RFC1918_INGRESS');
    if (isInside(sharedBlock, packet.source))
      drop(`${packet.source} is a shared address`, 'IGW_SOURCE_ADDRESS_NOT_IN_RFC6598_INGRESS');
    if (vpc.cidrBlocks.some((block) => isInside(block, packet.source)))
      drop(`${packet.source} is an address of the VPC itself`, 'GATEWAY_REJECTS_SPOOFED_TRAFFIC');
    const inside = { ...packet, destination: privateAddress };
    if (!this.#checks.way(vpc, wayOutside(privateAddress), inside)) return undefined;
    if (inside.destination !== packet.destination)
      this.#checks.push('igw-ingress', igw, vpc.vpcId, packet, 'pass', {
        kind: 'translation',
        from: packet.destination,
        to: privateAddress,
      });
    const edge = vpc.routeTables.find((each) => each.routeTableId === vpc.gatewayRouteTableId);
    const route = edge === undefined ? undefined : bestRoute(this.#network, edge, privateAddress);
    if (edge !== undefined && route?.target.kind === 'network-interface') {
      this.#checks.route({ ...placed, routeTable: edge }, route, inside);
      const box = this.#network.networkInterface(route.target.networkInterfaceId);
      if (box === undefined || route.state === 'blackhole') {
        this.#wayBack(placed, inside, igw);
        return undefined;
      }
      if (!box.eni.privateAddresses.some((each) => each.publicAddress !== undefined))
        drop(`${box.eni.networkInterfaceId} has no public address`, 'INGRESS_RTB_NO_PUBLIC_IP');
      // One that hands nothing on is no way in, so the subnet behind it is asked for the way back too.
      if (box.eni.sourceDestCheck) this.#wayBack(placed, inside, igw);
      return this.#byGateway(box, inside, igw, drop);
    }
    return this.#byGateway(placed, inside, igw, drop);
  }

  #behind(entered: Vpc | undefined, { destination }: Packet): PlacedInterface | undefined {
    return entered === undefined ? undefined : this.#network.holder(entered.vpcId, destination);
  }

  /** The VPC of the gateway that the flow is said to come in by. */
  #enteredBy(): Vpc | undefined {
    const { from } = this.#flow;
    if (from.kind !== 'internet' || from.internetGatewayId === undefined) return undefined;
    return this.#network.snapshot.vpcs.find((vpc) => vpc.internetGatewayId === from.internetGatewayId);
  }

  #byGateway(
    receiver: PlacedInterface,
    packet: Packet,
    igw: string,
    drop: (because: string, code: ExplanationCode) => void,
  ): End | undefined {
    if (isPublicAccessBlocked(receiver)) drop('VPC Block Public Access is on', 'VPC_BLOCK_PUBLIC_ACCESS_ENABLED');
    this.#wayBack(receiver, packet, igw);
    return this.#travel.toInterface(receiver, packet);
  }

  /** I3: what answers must leave by the gateway, also when nothing answers. */
  #wayBack(receiver: PlacedInterface, packet: Packet, igw: string): void {
    const back = bestRoute(this.#network, receiver.routeTable, packet.source);
    if (back?.target.kind !== 'internet-gateway' || back.state === 'blackhole')
      this.#checks.noWayBack(receiver, igw, packet);
  }

  throughNatGateway(sender: PlacedInterface, id: NatGateway['natGatewayId'], packet: Packet): End | undefined {
    const { vpc } = sender;
    const gateway = vpc.natGateways.find((each) => each.natGatewayId === id);
    const nat = gateway === undefined ? undefined : this.#network.networkInterface(gateway.networkInterfaceId);
    const outside = nat?.eni.privateAddresses[0]?.address;
    if (nat !== undefined && !this.#checks.way(vpc, wayInside(this.#network, sender, nat, packet), packet, sender))
      return undefined;
    if (nat?.subnet.subnetId !== sender.subnet.subnetId) this.#checks.acl(sender, 'egress', packet);
    if (nat === undefined || outside === undefined) {
      this.#checks.drop('route', id, vpc, packet, 'the NAT gateway is gone', 'NO_POSSIBLE_DESTINATION');
      return undefined;
    }
    if (nat.subnet.subnetId !== sender.subnet.subnetId) this.#checks.acl(nat, 'ingress', packet);
    // G9: what only passes the VPC is not served, but for what a transit gateway brings, directly or by a middlebox (Z9).
    const isAttached = this.#network.snapshot.transitGateways.some(({ attachments }) =>
      attachments.some((each) => each.vpcId === vpc.vpcId),
    );
    if (!isAttached && ![...vpc.cidrBlocks, ...vpc.ipv6CidrBlocks].some((block) => isInside(block, packet.source))) {
      const because = `${packet.source} is no address of the VPC`;
      this.#checks.drop('nat-gateway', id, vpc, packet, because, 'NGW_REQUIRES_SOURCE_IN_VPC');
    }
    if (!isTcpUdpOrIcmp(packet))
      this.#checks.drop(
        'nat-gateway',
        id,
        vpc,
        packet,
        'a NAT gateway carries TCP, UDP and ICMP',
        'PROTOCOL_RESTRICTION',
      );
    const sent = isIpv6(packet.source) ? this.#toIpv4(id, vpc, packet) : packet;
    if (sent === undefined) return undefined;
    // UDP may begin with any packet: it goes on under the gateway's address, and comes to nobody who waits for it.
    if (this.#checks.leg === 'return' && packet.protocol !== protocols.udp) {
      this.#checks.drop('nat-gateway', id, vpc, packet, 'it knows no flow that this is the reply of');
      return undefined;
    }
    this.#checks.push('nat-gateway', id, vpc.vpcId, packet, 'pass', {
      kind: 'translation',
      from: packet.source,
      to: outside,
    });
    this.#translations.push({ natInterfaceId: nat.eni.networkInterfaceId, inside: packet.source, outside });
    return this.#travel.fromInterface(nat, { ...sent, source: outside }, 'forwards');
  }

  /** G13: what NAT64 makes of a packet, but for its source. */
  #toIpv4(id: NatGateway['natGatewayId'], vpc: Vpc, packet: Packet): Packet | undefined {
    const destination = embeddedIpv4(packet.destination);
    if (destination === undefined || isNat64Nowhere(vpc, destination)) {
      const because =
        destination === undefined
          ? `${packet.destination} is no IPv4 address of ${nat64Prefix}`
          : `a NAT gateway sends nothing to ${destination}`;
      this.#checks.drop('nat-gateway', id, vpc, packet, because);
      return undefined;
    }
    if (packet.protocol !== protocols.icmpv6) return { ...packet, destination };
    return { ...packet, destination, protocol: protocols.icmp, icmp: { type: 8, code: packet.icmp?.code ?? 0 } };
  }

  /** A packet to a NAT gateway's own address is a reply, or nothing (G5). */
  backThroughNatGateway(nat: PlacedInterface, packet: Packet): End | undefined {
    const { eni, vpc } = nat;
    const id = eni.service?.kind === 'nat-gateway' ? eni.service.natGatewayId : eni.networkInterfaceId;
    const known = this.#translations.find(
      (each) => each.natInterfaceId === eni.networkInterfaceId && each.outside === packet.destination,
    );
    if (this.#checks.leg === 'forward' || known === undefined) {
      this.#checks.drop(
        'nat-gateway',
        id,
        vpc,
        packet,
        'it lets nothing begin from outside',
        'NO_POSSIBLE_DESTINATION',
      );
      return undefined;
    }
    this.#checks.push('nat-gateway', id, vpc.vpcId, packet, 'pass', {
      kind: 'translation',
      from: packet.destination,
      to: known.inside,
    });
    return this.#travel.fromInterface(
      nat,
      { ...fromIpv4(packet, known.inside), destination: known.inside },
      'forwards',
    );
  }

  throughGatewayEndpoint({ vpc }: PlacedInterface, vpcEndpointId: `vpce-${string}`, packet: Packet): End | undefined {
    const isEcho = packet.protocol === protocols.icmp && packet.icmp?.type === 8;
    if (packet.protocol !== protocols.tcp && !isEcho)
      this.#checks.drop(
        'gateway-endpoint',
        vpcEndpointId,
        vpc,
        packet,
        'a gateway endpoint takes TCP and ICMP echo only',
        'VPCE_GATEWAY_PROTOCOL_RESTRICTION',
      );
    return { arrival: { kind: 'vpc-endpoint', vpcEndpointId }, packet };
  }

  /** The answer of a service that was reached through an endpoint: from the endpoint's interface, or from nowhere inside the VPC. */
  fromEndpoint(reply: Packet): End | undefined {
    for (const vpc of this.#network.snapshot.vpcs) {
      const holder = this.#network.holder(vpc.vpcId, reply.source);
      if (holder?.eni.service?.kind === 'vpc-endpoint' && this.#checks.tracked.has(holder.eni.networkInterfaceId))
        return this.#travel.fromInterface(holder, reply, 'forwards');
    }
    // A gateway endpoint is used by interfaces of its own VPC only (W5), so the origin is the receiver.
    const { from } = this.#flow;
    const origin =
      from.kind === 'network-interface' ? this.#network.networkInterface(from.networkInterfaceId) : undefined;
    const boxes = this.#translations.at(-1);
    const last = boxes === undefined ? origin : this.#network.networkInterface(boxes.natInterfaceId);
    return last === undefined ? undefined : this.#travel.deliver(last.vpc, reply);
  }

  acrossPeering(sender: PlacedInterface, id: `pcx-${string}`, packet: Packet): End | undefined {
    const { vpc } = sender;
    const peering = this.#network.peering(id);
    const otherId = peering?.requester.vpcId === vpc.vpcId ? peering.accepter.vpcId : peering?.requester.vpcId;
    const other = otherId === undefined ? undefined : this.#network.vpc(otherId);
    if (peering === undefined || otherId === undefined) {
      this.#checks.drop('peering', id, vpc, packet, 'the peering connection is gone', 'NO_POSSIBLE_DESTINATION');
      return undefined;
    }
    if (!this.#checks.way(vpc, id, packet, sender)) return undefined;
    const blocksOf = (each: Vpc) => [...each.cidrBlocks, ...each.ipv6CidrBlocks];
    const isOf = (each: Vpc, address: string) => blocksOf(each).some((block) => isInside(block, address));
    if (!isOf(vpc, packet.source) || (other !== undefined && !isOf(other, packet.destination))) {
      const because = 'source and destination must lie in the blocks of the two VPCs';
      this.#checks.drop('peering', id, vpc, packet, because, 'PCX_REQUIRES_ADDRESS_IN_VPC_CIDR');
      return undefined;
    }
    const { from, until } = this.#flow;
    const isBack =
      this.#checks.leg === 'return' && from.kind === 'peering-connection' && from.vpcPeeringConnectionId === id;
    if (isBack || (this.#checks.leg === 'forward' && until === id))
      return {
        arrival: {
          kind: 'peering-connection',
          vpcPeeringConnectionId: peering.vpcPeeringConnectionId,
          vpcId: vpc.vpcId,
        },
        packet,
      };
    if (other === undefined) {
      const because = `${otherId} belongs to another account or Region`;
      this.#checks.drop('peering', id, vpc, packet, because, 'NO_POSSIBLE_DESTINATION');
      return undefined;
    }
    return this.#checks.way(other, id, packet) ? this.#travel.deliver(other, packet) : undefined;
  }
}

/** G13: a reply as a client of IPv6 gets it. */
function fromIpv4(packet: Packet, inside: string): Packet {
  if (!isIpv6(inside)) return packet;
  const source = embedIpv4(packet.source);
  if (packet.protocol !== protocols.icmp) return { ...packet, source };
  return { ...packet, source, protocol: protocols.icmpv6, icmp: { type: 129, code: packet.icmp?.code ?? 0 } };
}

/** Each pair of a private and a public address is a way of its own; IPv6 has one for both gateways. */
function wayOutside(source: string): string {
  return isIpv6(source) ? 'outside' : `outside as ${source}`;
}

/** By the interface that the gateway meets. Ingress-only mode leaves NAT gateways, for their flows begin inside. */
function isPublicAccessBlocked({ eni, subnet: { blockPublicAccess } }: PlacedInterface): boolean {
  return (
    blockPublicAccess === 'block-bidirectional' ||
    (blockPublicAccess === 'block-ingress' && eni.service?.kind !== 'nat-gateway')
  );
}
