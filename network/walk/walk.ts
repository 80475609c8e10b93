// Where does a packet go, and what decides it? Walks one flow through the Snapshot, the way there and the way back, stage by stage (docs/reachability.md).
// Pure and independent of the compiler: they share the Snapshot, the names of the stages and address arithmetic, and no decision (design, invariant 1).
// After a drop the walk goes on as if the packet had passed, as long as there is a way on: a person wants every obstacle, not the first.

import type { InstanceConnectEndpoint, NetworkInterfaceId, Route, Vpc, VpcId } from '../snapshot.ts';
import { Checks } from './checks.ts';
import { type End, Gateways, type Travel } from './gateways.ts';
import { type Balancer, balancerAt, beginsAtNode, throughBalancer } from './load-balancers.ts';
import { bestRoute, isInside } from './matching.ts';
import { indexNetwork, type NetworkIndex, type PlacedInterface } from './network-index.ts';
import { type Flow, type Packet, protocols, replyTo } from './packet.ts';
import type { Arrival, ExplanationCode, Trace } from './trace.ts';
import { isClosedToTransit, TransitGateways } from './transit-gateways.ts';
import { wayInside } from './ways.ts';

/** More routers than any network that is meant: a packet still on its way is in a loop of middleboxes. */
const mostHops = 16;

/** Follows one flow. Throws nothing: what does not exist is a step that drops. */
export function walk(snapshot: NetworkIndex | Parameters<typeof indexNetwork>[0], flow: Flow): Trace {
  const network = 'vpcs' in snapshot ? indexNetwork(snapshot) : snapshot;
  return new Walk(network, flow).trace();
}

class Walk implements Travel {
  readonly #network: NetworkIndex;
  readonly #flow: Flow;
  readonly #checks: Checks;
  readonly #gateways: Gateways;
  /** How many load balancers began the flows that led to this one. */
  readonly #depth: number;
  readonly #transitGateways: TransitGateways;
  #hops = 0;

  constructor(network: NetworkIndex, flow: Flow, depth = 0) {
    this.#network = network;
    this.#checks = new Checks(network, flow);
    this.#flow = flow;
    this.#depth = depth;
    this.#gateways = new Gateways(this.#checks, flow, this);
    this.#transitGateways = new TransitGateways(this.#checks, (door, packet) => this.#fromTransit(door, packet));
  }

  trace(): Trace {
    const { from, packet } = this.#flow;
    const there = this.#begin(from, packet);
    if (there !== undefined) this.#walkBack(there);
    const blockers = this.#checks.steps.filter((step) => step.verdict === 'drop');
    return {
      verdict: blockers.length === 0 && there !== undefined ? 'open' : 'dropped',
      steps: this.#checks.steps,
      blockers,
      ...(there !== undefined && { arrival: there.arrival, ...seen(there.behind ?? there.packet) }),
    };
  }

  #begin(from: Flow['from'], packet: Packet): End | undefined {
    switch (from.kind) {
      case 'internet':
        return this.#gateways.fromInternet(packet);
      case 'network-interface':
        return this.#fromId(from.networkInterfaceId, packet);
      case 'peering-connection': {
        const vpc = this.#network.vpc(from.vpcId);
        if (vpc !== undefined) this.#checks.way(vpc, from.vpcPeeringConnectionId, packet);
        return this.deliver(vpc, packet);
      }
    }
  }

  #walkBack(there: End): void {
    this.#checks.leg = 'return';
    this.#hops = 0;
    const back = this.#backFrom(there, replyTo(there.packet));
    if (back === undefined || this.#isOrigin(back)) return;
    const { arrival, packet } = back;
    const vpcId = 'vpcId' in arrival ? arrival.vpcId : undefined;
    const vpc = vpcId ?? this.#network.snapshot.vpcs[0]?.vpcId;
    if (vpc === undefined) return;
    this.#checks.push('route', describe(arrival), vpc, packet, 'drop', {
      kind: 'component',
      because: `the reply comes to ${describe(arrival)} from ${packet.source}, where nobody waits for it`,
    });
  }

  /** The reply's journey begins where the request's ended. */
  #backFrom({ arrival }: End, reply: Packet): End | undefined {
    switch (arrival.kind) {
      case 'network-interface':
        return this.#fromId(arrival.networkInterfaceId, reply);
      case 'internet':
        return this.#gateways.fromInternet(reply);
      case 'vpc-endpoint':
        return this.#gateways.fromEndpoint(reply);
      case 'peering-connection':
        return this.deliver(this.#network.vpc(arrival.vpcId), reply);
      case 'load-balancer':
        return this.#fromId(arrival.networkInterfaceId, reply);
      case 'vpc-service':
        // Replies of metadata and resolver pass groups and ACLs as the questions did (3.3).
        return this.#toAsker(arrival.vpcId, reply);
    }
  }

  #toAsker(vpcId: VpcId, packet: Packet): End | undefined {
    const asker = this.#network.holder(vpcId, packet.destination);
    if (asker === undefined) return undefined;
    const { networkInterfaceId } = asker.eni;
    return { arrival: { kind: 'network-interface', networkInterfaceId, vpcId }, packet };
  }

  #isOrigin({ arrival, packet }: End): boolean {
    const { from, packet: first } = this.#flow;
    if (packet.destination !== first.source || packet.source !== first.destination) return false;
    // By the gateway that the request came in by there is no more to compare than the addresses.
    if (from.kind !== 'network-interface') return arrival.kind === from.kind;
    return arrival.kind === 'network-interface' && arrival.networkInterfaceId === from.networkInterfaceId;
  }

  // ---- from an interface

  #fromId(id: NetworkInterfaceId, packet: Packet): End | undefined {
    const placed = this.#network.networkInterface(id);
    return placed === undefined ? undefined : this.fromInterface(placed, packet, 'sends');
  }

  /** @param how a middlebox forwards what it did not begin, so its own address is not asked for; nor is a NAT gateway's */
  fromInterface(placed: PlacedInterface, packet: Packet, how: 'sends' | 'forwards'): End | undefined {
    const { eni, vpc, subnet, routeTable } = placed;
    if (!this.#hop(placed, packet)) return undefined;
    if (!carries(placed)) {
      this.#checks.drop(
        'eni-address',
        eni.networkInterfaceId,
        vpc,
        packet,
        'it is attached to nothing that runs',
        'BAD_STATE_ATTACHMENT',
      );
      return undefined;
    }
    const connect = connectEndpointOf(placed);
    if (connect !== undefined && packet.protocol !== protocols.tcp)
      this.#checks.drop(
        'instance-connect',
        connect.instanceConnectEndpointId,
        vpc,
        packet,
        'it begins TCP connections',
      );
    const balancer = balancerAt(placed);
    if (balancer !== undefined && this.#checks.leg === 'forward' && !beginsAtNode(balancer, packet))
      this.#checks.drop(
        'load-balancer',
        balancer.loadBalancerId,
        vpc,
        packet,
        'it begins nothing but with its targets',
      );
    const isOwnSource = connect?.preserveClientIp === true || hasAddress(placed, packet.source);
    if (how === 'sends' && eni.sourceDestCheck && !isOwnSource)
      this.#checks.drop(
        'eni-address',
        eni.networkInterfaceId,
        vpc,
        packet,
        `${packet.source} is no address of the interface`,
        'ENI_ADDRESS_RESTRICTION',
      );
    const service = this.#checks.vpcService(placed, packet);
    if (service !== undefined) return service === 'nobody' ? undefined : { arrival: service, packet };
    const route = bestRoute(this.#network, routeTable, packet.destination);
    const leavesBy = route?.target.kind === 'peering-connection' ? route.target.vpcPeeringConnectionId : undefined;
    this.#checks.groups(placed, 'egress', packet, leavesBy);
    if (!this.#checks.isSendable(vpc, packet)) return undefined;
    const door = this.#tunnelBack(packet);
    if (door !== undefined && door.vpc.vpcId === vpc.vpcId) {
      if (door.subnet.subnetId !== subnet.subnetId) this.#checks.acl(placed, 'egress', packet);
      return this.toInterface(door, packet, placed);
    }
    return this.#onwards(placed, route, packet);
  }

  /** What comes out of a transit gateway is routed by its interface's subnet, and no group was asked (Z2). */
  #fromTransit(door: PlacedInterface, packet: Packet): End | undefined {
    const { vpc, routeTable } = door;
    if (!this.#hop(door, packet)) return undefined;
    if (this.#checks.isServiceAddress(vpc, packet.destination)) {
      const because = `${packet.destination} answers inside the VPC only`;
      this.#checks.drop('link-local', vpc.vpcId, vpc, packet, because);
      return undefined;
    }
    if (!this.#checks.isSendable(vpc, packet)) return undefined;
    return this.#onwards(door, bestRoute(this.#network, routeTable, packet.destination), packet);
  }

  /** Inside the subnet, or by the route. */
  #onwards(placed: PlacedInterface, route: Route | undefined, packet: Packet): End | undefined {
    const { vpc, subnet } = placed;
    const inSubnet = isInside(subnet.cidrBlock, packet.destination) || isInSubnet6(subnet.ipv6CidrBlock, packet);
    if (inSubnet && !hasMiddleboxRoute(placed)) {
      this.#checks.push('route', subnet.subnetId, vpc.vpcId, packet, 'pass', {
        kind: 'same-subnet',
        subnetId: subnet.subnetId,
      });
      return this.deliver(vpc, packet, placed);
    }
    if (route === undefined) {
      this.#checks.noRoute(placed, packet);
      return undefined;
    }
    this.#checks.route(placed, route, packet);
    if (route.state === 'blackhole') return undefined;
    return this.#along(placed, route, packet);
  }

  /** @returns false when there were too many */
  #hop({ vpc, routeTable }: PlacedInterface, packet: Packet): boolean {
    if (++this.#hops <= mostHops) return true;
    this.#checks.push('route', routeTable.routeTableId, vpc.vpcId, packet, 'drop', {
      kind: 'component',
      because: 'the packet goes round in a circle of middleboxes',
    });
    return false;
  }

  #along(placed: PlacedInterface, { target }: Route, packet: Packet): End | undefined {
    const { vpc } = placed;
    if (attachmentOf(placed) !== undefined && isClosedToTransit(target)) {
      const because = 'what a transit gateway brings goes to interfaces of the VPC only';
      this.#checks.drop('transit-gateway', vpc.vpcId, vpc, packet, because, 'NO_POSSIBLE_DESTINATION');
      return undefined;
    }
    switch (target.kind) {
      case 'local':
        return this.deliver(vpc, packet, placed);
      case 'network-interface':
        return this.#toBox(placed, target.networkInterfaceId, packet);
      case 'nat-gateway':
        return this.#gateways.throughNatGateway(placed, target.natGatewayId, packet);
      case 'internet-gateway':
        this.#checks.acl(placed, 'egress', packet);
        return this.#gateways.outByInternetGateway(placed, packet);
      case 'egress-only-internet-gateway':
        this.#checks.acl(placed, 'egress', packet);
        return this.#gateways.outByEgressOnlyGateway(placed, target.egressOnlyInternetGatewayId, packet);
      case 'gateway-endpoint':
        this.#checks.acl(placed, 'egress', packet);
        return this.#gateways.throughGatewayEndpoint(placed, target.vpcEndpointId, packet);
      case 'peering-connection':
        this.#checks.acl(placed, 'egress', packet);
        return this.#gateways.acrossPeering(placed, target.vpcPeeringConnectionId, packet);
      case 'transit-gateway':
        this.#checks.acl(placed, 'egress', packet);
        return this.#transitGateways.over(placed, target.transitGatewayId, packet);
    }
  }

  // ---- to an interface

  /** To whichever interface of the VPC has the address. */
  deliver(vpc: Vpc | undefined, packet: Packet, sender?: PlacedInterface): End | undefined {
    if (vpc === undefined) return undefined;
    const receiver = this.#network.holder(vpc.vpcId, packet.destination);
    if (sender !== undefined && sender.subnet.subnetId !== receiver?.subnet.subnetId)
      this.#checks.acl(sender, 'egress', packet);
    if (receiver === undefined) {
      this.#checks.drop(
        'route',
        vpc.vpcId,
        vpc,
        packet,
        `no interface has ${packet.destination}`,
        'NO_POSSIBLE_DESTINATION',
      );
      return undefined;
    }
    return this.toInterface(receiver, packet, sender);
  }

  toInterface(receiver: PlacedInterface, packet: Packet, sender?: PlacedInterface): End | undefined {
    const { eni, vpc } = receiver;
    if (!carries(receiver)) {
      this.#checks.drop(
        'source-dest-check',
        eni.networkInterfaceId,
        vpc,
        packet,
        'it is attached to nothing that runs',
        'BAD_STATE_ATTACHMENT',
      );
      return undefined;
    }
    const attachmentId = attachmentOf(receiver);
    if (attachmentId !== undefined) {
      const because = 'the interface of a transit gateway takes nothing for itself';
      this.#checks.drop('transit-gateway', attachmentId, vpc, packet, because, 'NO_POSSIBLE_DESTINATION');
      return undefined;
    }
    if (sender !== undefined && !this.#checks.way(vpc, this.#wayFrom(sender, receiver, packet), packet, sender))
      return undefined;
    if (connectEndpointOf(receiver) !== undefined) return this.#toConnectEndpoint(receiver, packet, sender);
    const isOwn = hasAddress(receiver, packet.destination);
    if (!isOwn && eni.sourceDestCheck)
      this.#checks.drop(
        'source-dest-check',
        eni.networkInterfaceId,
        vpc,
        packet,
        `${packet.destination} is no address of the interface, and its source/destination check is on`,
        'ENI_SOURCE_DEST_CHECK_RESTRICTION',
      );
    if (sender?.subnet.subnetId !== receiver.subnet.subnetId) this.#checks.acl(receiver, 'ingress', packet);
    if (eni.service?.kind === 'nat-gateway') return this.#gateways.backThroughNatGateway(receiver, packet);
    this.#checks.groups(receiver, 'ingress', packet);
    if (eni.service?.kind === 'vpc-endpoint') return this.#throughEndpoint(receiver, eni.service.vpcEndpointId, packet);
    const balancer = balancerAt(receiver);
    if (balancer !== undefined) return this.#toBalancer(receiver, balancer, packet);
    if (isOwn)
      return {
        arrival: { kind: 'network-interface', networkInterfaceId: eni.networkInterfaceId, vpcId: vpc.vpcId },
        packet,
      };
    // A middlebox hands on what is not its own.
    return eni.sourceDestCheck ? undefined : this.fromInterface(receiver, packet, 'forwards');
  }

  #wayFrom(sender: PlacedInterface, receiver: PlacedInterface, packet: Packet): string {
    return this.#tunnelBack(packet) === receiver ? 'inside' : wayInside(this.#network, sender, receiver, packet);
  }

  /** Replies come in whatever its inbound rules say, and nothing else does (J4). */
  #toConnectEndpoint(receiver: PlacedInterface, packet: Packet, sender?: PlacedInterface): End {
    const { eni, vpc, subnet } = receiver;
    const id = connectEndpointOf(receiver)?.instanceConnectEndpointId ?? eni.networkInterfaceId;
    const { from } = this.#flow;
    const isReply =
      this.#checks.leg === 'return' &&
      from.kind === 'network-interface' &&
      from.networkInterfaceId === eni.networkInterfaceId;
    if (!isReply) this.#checks.drop('instance-connect', id, vpc, packet, 'it takes replies and nothing else');
    if (sender?.subnet.subnetId !== subnet.subnetId) this.#checks.acl(receiver, 'ingress', packet);
    const { networkInterfaceId } = eni;
    return { arrival: { kind: 'network-interface', networkInterfaceId, vpcId: vpc.vpcId }, packet };
  }

  /** The endpoint that this is a reply to, where it shows the client's address: such replies go to it whatever the routes say (J4). */
  #tunnelBack(packet: Packet): PlacedInterface | undefined {
    const { from, packet: first } = this.#flow;
    if (this.#checks.leg === 'forward' || from.kind !== 'network-interface' || packet.destination !== first.source)
      return undefined;
    const placed = this.#network.networkInterface(from.networkInterfaceId);
    return placed !== undefined && connectEndpointOf(placed)?.preserveClientIp === true ? placed : undefined;
  }

  #toBalancer(receiver: PlacedInterface, balancer: Balancer, packet: Packet): End | undefined {
    const { networkInterfaceId } = receiver.eni;
    const { from } = this.#flow;
    if (this.#checks.leg === 'forward') {
      const walkOn = (flow: Flow) => new Walk(this.#network, flow, this.#depth + 1).trace();
      return throughBalancer(this.#checks, receiver, balancer, packet, walkOn, this.#depth);
    }
    // What a target answers to the flow that began here.
    if (from.kind === 'network-interface' && from.networkInterfaceId === networkInterfaceId)
      return { arrival: { kind: 'network-interface', networkInterfaceId, vpcId: receiver.vpc.vpcId }, packet };
    const because = 'it knows no flow that this is the reply of';
    this.#checks.drop('load-balancer', balancer.loadBalancerId, receiver.vpc, packet, because);
    return undefined;
  }

  #toBox(sender: PlacedInterface, id: NetworkInterfaceId, packet: Packet): End | undefined {
    const box = this.#network.networkInterface(id);
    if (box?.subnet.subnetId !== sender.subnet.subnetId) this.#checks.acl(sender, 'egress', packet);
    if (box === undefined) {
      this.#checks.drop('route', id, sender.vpc, packet, 'the interface is gone', 'NO_POSSIBLE_DESTINATION');
      return undefined;
    }
    return this.toInterface(box, packet, sender);
  }

  #throughEndpoint(receiver: PlacedInterface, vpcEndpointId: `vpce-${string}`, packet: Packet): End | undefined {
    const { vpc, eni } = receiver;
    const arrival = { kind: 'vpc-endpoint', vpcEndpointId } as const;
    const drop = (because: string, code: ExplanationCode = 'PROTOCOL_RESTRICTION') =>
      this.#checks.drop('interface-endpoint', vpcEndpointId, vpc, packet, because, code);
    const isTcp = packet.protocol === protocols.tcp;
    const clients = [vpc, ...this.#network.neighboursOf(vpc.vpcId)].flatMap((each) => each.cidrBlocks);
    if (!clients.some((block) => isInside(block, packet.source)))
      drop(`${packet.source} is no address of the VPC or of one that is joined with it`);
    const isCarried = isTcp || packet.protocol === protocols.udp;
    if (!isCarried) drop('an interface endpoint takes TCP and UDP only');
    const endpoint = vpc.interfaceEndpoints.find((each) => each.vpcEndpointId === vpcEndpointId);
    if (endpoint?.behind === undefined) {
      // X3; and what listens there is a service's HTTP.
      if (isCarried && (!isTcp || (packet.destinationPort !== 443 && packet.destinationPort !== 80)))
        drop('the service behind the endpoint listens on TCP 443 and 80');
      return { arrival, packet };
    }
    const door = endpoint.behind.find((each) => each.networkInterfaceId === eni.networkInterfaceId);
    const node = door && this.#network.networkInterface(door.node);
    const balancer = node && balancerAt(node);
    if (node === undefined || balancer === undefined) {
      drop('its connection is not accepted, or the service is not in its zone', 'NO_POSSIBLE_DESTINATION');
      return undefined;
    }
    const walkOn = (flow: Flow) => new Walk(this.#network, flow, this.#depth + 1).trace();
    const end = throughBalancer(this.#checks, node, balancer, packet, walkOn, this.#depth, 'an endpoint');
    return end && { ...end, arrival };
  }
}

/** What the end says of the packet that it got. */
function seen(packet: Packet): Pick<Trace, 'seenAs' | 'arrivedAs'> {
  return { seenAs: packet.source, arrivedAs: packet };
}

/** Only then does an interface carry packets. */
function carries({ eni }: PlacedInterface): boolean {
  return eni.attachment !== undefined || eni.service !== undefined;
}

function attachmentOf({ eni: { service } }: PlacedInterface): string | undefined {
  return service?.kind === 'transit-gateway' ? service.transitGatewayAttachmentId : undefined;
}

function connectEndpointOf({ eni, vpc }: PlacedInterface): InstanceConnectEndpoint | undefined {
  return vpc.instanceConnectEndpoints.find((each) => each.networkInterfaceId === eni.networkInterfaceId);
}

function hasAddress({ eni }: PlacedInterface, address: string): boolean {
  return eni.privateAddresses.some((each) => each.address === address) || eni.ipv6Addresses.includes(address);
}

function isInSubnet6(block: string | undefined, packet: Packet): boolean {
  return block !== undefined && isInside(block as `${string}/${number}`, packet.destination);
}

/** A route for exactly the subnet's own block catches what would not be routed otherwise (R4, R13). */
function hasMiddleboxRoute({ subnet, routeTable }: PlacedInterface): boolean {
  return routeTable.routes.some(
    ({ destination, target }) =>
      destination.kind === 'cidr' && destination.cidr === subnet.cidrBlock && target.kind !== 'local',
  );
}

function describe(arrival: Arrival): string {
  switch (arrival.kind) {
    case 'network-interface':
      return arrival.networkInterfaceId;
    case 'internet':
      return arrival.address;
    case 'peering-connection':
      return arrival.vpcPeeringConnectionId;
    case 'vpc-endpoint':
      return arrival.vpcEndpointId;
    case 'load-balancer':
      return arrival.loadBalancerId;
    case 'vpc-service':
      return arrival.service;
  }
}
