// Where does a packet go, and what decides it? Walks one flow through the Snapshot, the way there and the way back, stage by stage (docs/reachability.md).
// Pure and independent of the compiler: they share the Snapshot, the names of the stages and address arithmetic, and no decision (design, invariant 1).
// After a drop the walk goes on as if the packet had passed, as long as there is a way on: a person wants every obstacle, not the first.

import { addressPlan } from '../addresses.ts';
import { addressAt } from '../cidr.ts';
import type { NatGateway, NetworkInterfaceId, Route, Vpc, VpcId } from '../snapshot.ts';
import type { StageName } from '../stages.ts';
import { allowingRule, bestRoute, decidingEntry, isInside, isTcpUdpOrIcmp } from './matching.ts';
import { indexNetwork, type NetworkIndex, type PlacedInterface } from './network-index.ts';
import { type Flow, isIpv6, type Packet, protocols, replyTo } from './packet.ts';
import type { Arrival, Cause, ExplanationCode, Step, Trace } from './trace.ts';

/** More routers than any network that is meant: a packet still on its way is in a loop of middleboxes. */
const mostHops = 16;
const privateBlocks = ['10.0.0.0/8', '172.16.0.0/12', '192.168.0.0/16'] as const;
const sharedBlock = '100.64.0.0/10';
/** Where no packet of a guest may go: loopback, multicast, class E. */
const reservedBlocks = ['127.0.0.0/8', '224.0.0.0/3', '0.0.0.0/8', '169.254.0.0/16'] as const;

/** A leg's end: who has the packet, and as what it came. */
interface End {
  readonly arrival: Arrival;
  readonly packet: Packet;
}

/** An address that a NAT gateway changed, for the way back. */
interface Translation {
  readonly natInterfaceId: NetworkInterfaceId;
  readonly inside: string;
  readonly outside: string;
}

/** Follows one flow. Throws nothing: what does not exist is a step that drops. */
export function walk(snapshot: NetworkIndex | Parameters<typeof indexNetwork>[0], flow: Flow): Trace {
  const network = 'vpcs' in snapshot ? indexNetwork(snapshot) : snapshot;
  return new Walk(network, flow).trace();
}

class Walk {
  readonly #network: NetworkIndex;
  readonly #flow: Flow;
  readonly #steps: Step[] = [];
  /** Interfaces whose groups let the flow begin. */
  readonly #tracked = new Set<NetworkInterfaceId>();
  readonly #translations: Translation[] = [];
  #leg: Step['leg'] = 'forward';
  #hops = 0;

  constructor(network: NetworkIndex, flow: Flow) {
    this.#network = network;
    this.#flow = flow;
  }

  trace(): Trace {
    const { from, packet } = this.#flow;
    const there = from.kind === 'internet' ? this.#fromInternet(packet) : this.#fromId(from.networkInterfaceId, packet);
    if (there !== undefined) this.#walkBack(there);
    const blockers = this.#steps.filter((step) => step.verdict === 'drop');
    return {
      verdict: blockers.length === 0 && there !== undefined ? 'open' : 'dropped',
      steps: this.#steps,
      blockers,
      ...(there !== undefined && { arrival: there.arrival, seenAs: there.packet.source }),
    };
  }

  #walkBack(there: End): void {
    this.#leg = 'return';
    this.#hops = 0;
    const back = this.#backFrom(there, replyTo(there.packet));
    if (back === undefined || this.#isOrigin(back)) return;
    const { arrival, packet } = back;
    const vpcId = arrival.kind === 'network-interface' || arrival.kind === 'vpc-service' ? arrival.vpcId : undefined;
    const vpc = vpcId ?? this.#network.snapshot.vpcs[0]?.vpcId;
    if (vpc === undefined) return;
    this.#push('route', describe(arrival), vpc, packet, 'drop', {
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
        return this.#fromInternet(reply);
      case 'vpc-endpoint':
        return this.#fromEndpoint(reply);
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
    return from.kind === 'internet'
      ? arrival.kind === 'internet'
      : arrival.kind === 'network-interface' && arrival.networkInterfaceId === from.networkInterfaceId;
  }

  // ---- from an interface

  #fromId(id: NetworkInterfaceId, packet: Packet): End | undefined {
    const placed = this.#network.networkInterface(id);
    return placed === undefined ? undefined : this.#fromInterface(placed, packet, 'sends');
  }

  /** @param how a middlebox forwards what it did not begin, so its own address is not asked for; nor is a NAT gateway's */
  #fromInterface(placed: PlacedInterface, packet: Packet, how: 'sends' | 'forwards'): End | undefined {
    const { eni, vpc, subnet, routeTable } = placed;
    if (++this.#hops > mostHops) {
      this.#push('route', routeTable.routeTableId, vpc.vpcId, packet, 'drop', {
        kind: 'component',
        because: 'the packet goes round in a circle of middleboxes',
      });
      return undefined;
    }
    if (!carries(placed)) {
      this.#drop('eni-address', eni.networkInterfaceId, vpc, packet, 'it is attached to nothing that runs');
      return undefined;
    }
    if (how === 'sends' && eni.sourceDestCheck && !hasAddress(placed, packet.source))
      this.#drop(
        'eni-address',
        eni.networkInterfaceId,
        vpc,
        packet,
        `${packet.source} is no address of the interface`,
        'ENI_ADDRESS_RESTRICTION',
      );
    const service = this.#vpcService(vpc, packet);
    if (service !== undefined) return service === 'nobody' ? undefined : { arrival: service, packet };
    this.#groups(placed, 'egress', packet);
    if (reservedBlocks.some((block) => isInside(block, packet.destination))) {
      this.#drop('route', vpc.vpcId, vpc, packet, `nothing can be sent to ${packet.destination}`);
      return undefined;
    }
    const inSubnet = isInside(subnet.cidrBlock, packet.destination) || isInSubnet6(subnet.ipv6CidrBlock, packet);
    if (inSubnet && !hasMiddleboxRoute(placed)) {
      this.#push('route', subnet.subnetId, vpc.vpcId, packet, 'pass', {
        kind: 'same-subnet',
        subnetId: subnet.subnetId,
      });
      return this.#deliver(vpc, packet, placed);
    }
    const route = bestRoute(this.#network, routeTable, packet.destination);
    if (route === undefined) {
      this.#push(
        'route',
        routeTable.routeTableId,
        vpc.vpcId,
        packet,
        'drop',
        { kind: 'no-route', routeTableId: routeTable.routeTableId },
        'NO_ROUTE_TO_DESTINATION',
      );
      return undefined;
    }
    this.#route(placed, route, packet);
    if (route.state === 'blackhole') return undefined;
    return this.#along(placed, route, packet);
  }

  #route({ vpc, routeTable: { routeTableId } }: PlacedInterface, route: Route, packet: Packet): void {
    const isDead = route.state === 'blackhole';
    this.#push(
      'route',
      routeTableId,
      vpc.vpcId,
      packet,
      isDead ? 'drop' : 'pass',
      { kind: 'route', routeTableId, route },
      isDead ? 'BAD_STATE_ROUTE' : undefined,
    );
  }

  #along(placed: PlacedInterface, { target }: Route, packet: Packet): End | undefined {
    const { vpc } = placed;
    switch (target.kind) {
      case 'local':
        return this.#deliver(vpc, packet, placed);
      case 'network-interface':
        return this.#toBox(placed, target.networkInterfaceId, packet);
      case 'nat-gateway':
        return this.#throughNatGateway(placed, target.natGatewayId, packet);
      case 'internet-gateway':
        this.#acl(placed, 'egress', packet);
        return this.#outByInternetGateway(placed, packet);
      case 'egress-only-internet-gateway':
        this.#acl(placed, 'egress', packet);
        if (this.#leg === 'return' && this.#flow.from.kind === 'internet')
          this.#drop(
            'egress-only-gateway',
            target.egressOnlyInternetGatewayId,
            vpc,
            packet,
            'flows begin inside, here it began outside',
          );
        return this.#onInternet(vpc, packet);
      case 'gateway-endpoint':
        this.#acl(placed, 'egress', packet);
        return this.#throughGatewayEndpoint(placed, target.vpcEndpointId, packet);
      case 'peering-connection':
        this.#acl(placed, 'egress', packet);
        return this.#acrossPeering(vpc, target.vpcPeeringConnectionId, packet);
    }
  }

  // ---- to an interface

  /** To whichever interface of the VPC has the address. */
  #deliver(vpc: Vpc | undefined, packet: Packet, sender?: PlacedInterface): End | undefined {
    if (vpc === undefined) return undefined;
    const receiver = this.#network.holder(vpc.vpcId, packet.destination);
    if (sender !== undefined && sender.subnet.subnetId !== receiver?.subnet.subnetId)
      this.#acl(sender, 'egress', packet);
    if (receiver === undefined) {
      this.#drop('route', vpc.vpcId, vpc, packet, `no interface has ${packet.destination}`, 'NO_POSSIBLE_DESTINATION');
      return undefined;
    }
    return this.#toInterface(receiver, packet, sender);
  }

  #toInterface(receiver: PlacedInterface, packet: Packet, sender?: PlacedInterface): End | undefined {
    const { eni, vpc } = receiver;
    if (!carries(receiver)) {
      this.#drop(
        'source-dest-check',
        eni.networkInterfaceId,
        vpc,
        packet,
        'it is attached to nothing that runs',
        'NO_POSSIBLE_DESTINATION',
      );
      return undefined;
    }
    const isOwn = hasAddress(receiver, packet.destination);
    if (!isOwn && eni.sourceDestCheck)
      this.#drop(
        'source-dest-check',
        eni.networkInterfaceId,
        vpc,
        packet,
        `${packet.destination} is no address of the interface, and its source/destination check is on`,
        'ENI_SOURCE_DEST_CHECK_RESTRICTION',
      );
    if (sender?.subnet.subnetId !== receiver.subnet.subnetId) this.#acl(receiver, 'ingress', packet);
    if (eni.service?.kind === 'nat-gateway') return this.#backThroughNatGateway(receiver, packet);
    this.#groups(receiver, 'ingress', packet);
    if (eni.service?.kind === 'vpc-endpoint') {
      this.#interfaceEndpoint(eni.service.vpcEndpointId, vpc, packet);
      return { arrival: { kind: 'vpc-endpoint', vpcEndpointId: eni.service.vpcEndpointId }, packet };
    }
    if (isOwn)
      return {
        arrival: { kind: 'network-interface', networkInterfaceId: eni.networkInterfaceId, vpcId: vpc.vpcId },
        packet,
      };
    // A middlebox hands on what is not its own.
    return eni.sourceDestCheck ? undefined : this.#fromInterface(receiver, packet, 'forwards');
  }

  #toBox(sender: PlacedInterface, id: NetworkInterfaceId, packet: Packet): End | undefined {
    const box = this.#network.networkInterface(id);
    if (box?.subnet.subnetId !== sender.subnet.subnetId) this.#acl(sender, 'egress', packet);
    if (box === undefined) {
      this.#drop('route', id, sender.vpc, packet, 'the interface is gone', 'NO_POSSIBLE_DESTINATION');
      return undefined;
    }
    return this.#toInterface(box, packet, sender);
  }

  /** X3; and what listens there is a service's HTTP. */
  #interfaceEndpoint(vpcEndpointId: `vpce-${string}`, vpc: Vpc, packet: Packet): void {
    const drop = (because: string) =>
      this.#drop('interface-endpoint', vpcEndpointId, vpc, packet, because, 'PROTOCOL_RESTRICTION');
    const isTcp = packet.protocol === protocols.tcp;
    if (!isTcp && packet.protocol !== protocols.udp) drop('an interface endpoint takes TCP and UDP only');
    else if (!isTcp || (packet.destinationPort !== 443 && packet.destinationPort !== 80))
      drop('the service behind the endpoint listens on TCP 443 and 80');
  }

  // ---- gateways

  #outByInternetGateway({ eni, vpc, subnet }: PlacedInterface, packet: Packet): End | undefined {
    const igw = vpc.internetGatewayId ?? vpc.vpcId;
    const drop = (because: string, code: ExplanationCode) => this.#drop('igw-egress', igw, vpc, packet, because, code);
    if (privateBlocks.some((block) => isInside(block, packet.destination)))
      drop(`${packet.destination} is a private address`, 'IGW_DESTINATION_ADDRESS_NOT_IN_RFC1918_EGRESS');
    if (isInside(sharedBlock, packet.destination))
      drop(`${packet.destination} is a shared address`, 'IGW_DESTINATION_ADDRESS_NOT_IN_RFC6598_EGRESS');
    const isReplyOut = this.#leg === 'return';
    if (
      subnet.blockPublicAccess === 'block-bidirectional' ||
      (subnet.blockPublicAccess === 'block-ingress' && isReplyOut && this.#flow.from.kind === 'internet')
    )
      drop('VPC Block Public Access is on', 'VPC_BLOCK_PUBLIC_ACCESS_ENABLED');
    if (isIpv6(packet.source)) return this.#onInternet(vpc, packet);
    const publicAddress = eni.privateAddresses.find((each) => each.address === packet.source)?.publicAddress;
    if (publicAddress === undefined) {
      drop(`${packet.source} has no public address`, 'IGW_PUBLIC_IP_ASSOCIATION_FOR_EGRESS');
      return undefined;
    }
    this.#push('igw-egress', igw, vpc.vpcId, packet, 'pass', {
      kind: 'translation',
      from: packet.source,
      to: publicAddress,
    });
    return this.#onInternet(vpc, { ...packet, source: publicAddress });
  }

  /** Outside: another VPC's public address, a host, a service, or nobody. */
  #onInternet(vpc: Vpc, packet: Packet): End | undefined {
    if (this.#leg === 'return' && this.#flow.from.kind === 'internet')
      return { arrival: { kind: 'internet', address: packet.destination }, packet };
    if (this.#network.publicHolder(packet.destination) !== undefined) return this.#fromInternet(packet);
    const isNobody = isInside(addressPlan.publicPool, packet.destination) || packet.destination === addressPlan.laptop;
    if (isNobody && this.#leg === 'forward') {
      const because = `nobody on the internet answers at ${packet.destination}`;
      this.#drop('igw-egress', vpc.internetGatewayId ?? vpc.vpcId, vpc, packet, because, 'NO_POSSIBLE_DESTINATION');
      return undefined;
    }
    return { arrival: { kind: 'internet', address: packet.destination }, packet };
  }

  /** Arrives at the gateway of the VPC that has the public address. */
  #fromInternet(packet: Packet): End | undefined {
    const held = this.#network.publicHolder(packet.destination);
    const vpc = held?.placed.vpc ?? this.#network.snapshot.vpcs[0];
    if (vpc === undefined) return undefined;
    const igw = vpc.internetGatewayId;
    if (held === undefined || igw === undefined) {
      this.#drop(
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
    const { placed, privateAddress } = held;
    const drop = (because: string, code: ExplanationCode) => this.#drop('igw-ingress', igw, vpc, packet, because, code);
    if (privateBlocks.some((block) => isInside(block, packet.source)))
      drop(`${packet.source} is a private address`, 'IGW_SOURCE_ADDRESS_NOT_IN_RFC1918_INGRESS');
    if (isInside(sharedBlock, packet.source))
      drop(`${packet.source} is a shared address`, 'IGW_SOURCE_ADDRESS_NOT_IN_RFC6598_INGRESS');
    const { blockPublicAccess } = placed.subnet;
    if (
      blockPublicAccess === 'block-bidirectional' ||
      (blockPublicAccess === 'block-ingress' && this.#leg === 'forward')
    )
      drop('VPC Block Public Access is on', 'VPC_BLOCK_PUBLIC_ACCESS_ENABLED');
    const inside = { ...packet, destination: privateAddress };
    if (inside.destination !== packet.destination)
      this.#push('igw-ingress', igw, vpc.vpcId, packet, 'pass', {
        kind: 'translation',
        from: packet.destination,
        to: privateAddress,
      });
    const edge = vpc.routeTables.find((each) => each.routeTableId === vpc.gatewayRouteTableId);
    const route = edge === undefined ? undefined : bestRoute(this.#network, edge, privateAddress);
    if (edge !== undefined && route?.target.kind === 'network-interface') {
      this.#route({ ...placed, routeTable: edge }, route, inside);
      const box = this.#network.networkInterface(route.target.networkInterfaceId);
      return box === undefined || route.state === 'blackhole' ? undefined : this.#toInterface(box, inside);
    }
    return this.#toInterface(placed, inside);
  }

  #throughNatGateway(sender: PlacedInterface, id: NatGateway['natGatewayId'], packet: Packet): End | undefined {
    const { vpc } = sender;
    const gateway = vpc.natGateways.find((each) => each.natGatewayId === id);
    const nat = gateway === undefined ? undefined : this.#network.networkInterface(gateway.networkInterfaceId);
    const outside = nat?.eni.privateAddresses[0]?.address;
    if (nat?.subnet.subnetId !== sender.subnet.subnetId) this.#acl(sender, 'egress', packet);
    if (nat === undefined || outside === undefined) {
      this.#drop('route', id, vpc, packet, 'the NAT gateway is gone', 'NO_POSSIBLE_DESTINATION');
      return undefined;
    }
    if (nat.subnet.subnetId !== sender.subnet.subnetId) this.#acl(nat, 'ingress', packet);
    if (!isTcpUdpOrIcmp(packet))
      this.#drop('nat-gateway', id, vpc, packet, 'a NAT gateway carries TCP, UDP and ICMP', 'PROTOCOL_RESTRICTION');
    if (this.#leg === 'return') {
      this.#drop('nat-gateway', id, vpc, packet, 'it knows no flow that this is the reply of');
      return undefined;
    }
    this.#push('nat-gateway', id, vpc.vpcId, packet, 'pass', {
      kind: 'translation',
      from: packet.source,
      to: outside,
    });
    this.#translations.push({ natInterfaceId: nat.eni.networkInterfaceId, inside: packet.source, outside });
    return this.#fromInterface(nat, { ...packet, source: outside }, 'forwards');
  }

  /** A packet to a NAT gateway's own address is a reply, or nothing (G5). */
  #backThroughNatGateway(nat: PlacedInterface, packet: Packet): End | undefined {
    const { eni, vpc } = nat;
    const id = eni.service?.kind === 'nat-gateway' ? eni.service.natGatewayId : eni.networkInterfaceId;
    const known = this.#translations.find(
      (each) => each.natInterfaceId === eni.networkInterfaceId && each.outside === packet.destination,
    );
    if (this.#leg === 'forward' || known === undefined) {
      this.#drop('nat-gateway', id, vpc, packet, 'it lets nothing begin from outside', 'NO_POSSIBLE_DESTINATION');
      return undefined;
    }
    this.#push('nat-gateway', id, vpc.vpcId, packet, 'pass', {
      kind: 'translation',
      from: packet.destination,
      to: known.inside,
    });
    return this.#fromInterface(nat, { ...packet, destination: known.inside }, 'forwards');
  }

  #throughGatewayEndpoint({ vpc }: PlacedInterface, vpcEndpointId: `vpce-${string}`, packet: Packet): End | undefined {
    const isEcho = packet.protocol === protocols.icmp && packet.icmp?.type === 8;
    if (packet.protocol !== protocols.tcp && !isEcho)
      this.#drop(
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
  #fromEndpoint(reply: Packet): End | undefined {
    for (const vpc of this.#network.snapshot.vpcs) {
      const holder = this.#network.holder(vpc.vpcId, reply.source);
      if (holder?.eni.service?.kind === 'vpc-endpoint' && this.#tracked.has(holder.eni.networkInterfaceId))
        return this.#fromInterface(holder, reply, 'forwards');
    }
    // A gateway endpoint is used by interfaces of its own VPC only (W5), so the origin is the receiver.
    const { from } = this.#flow;
    const origin = from.kind === 'internet' ? undefined : this.#network.networkInterface(from.networkInterfaceId);
    const boxes = this.#translations.at(-1);
    const last = boxes === undefined ? origin : this.#network.networkInterface(boxes.natInterfaceId);
    return last === undefined ? undefined : this.#deliver(last.vpc, reply);
  }

  #acrossPeering(vpc: Vpc, id: `pcx-${string}`, packet: Packet): End | undefined {
    const peering = this.#network.peering(id);
    const otherId = peering?.requester.vpcId === vpc.vpcId ? peering.accepter.vpcId : peering?.requester.vpcId;
    const other = otherId === undefined ? undefined : this.#network.vpc(otherId);
    if (other === undefined) {
      this.#drop('peering', id, vpc, packet, 'the peering connection is gone', 'NO_POSSIBLE_DESTINATION');
      return undefined;
    }
    const blocksOf = (each: Vpc) => [...each.cidrBlocks, ...each.ipv6CidrBlocks];
    const isOf = (each: Vpc, address: string) => blocksOf(each).some((block) => isInside(block, address));
    if (!isOf(vpc, packet.source) || !isOf(other, packet.destination)) {
      const because = 'source and destination must lie in the blocks of the two VPCs';
      this.#drop('peering', id, vpc, packet, because, 'PCX_REQUIRES_ADDRESS_IN_VPC_CIDR');
      return undefined;
    }
    return this.#deliver(other, packet);
  }

  /** Metadata and resolver, past groups and ACLs (3.3); undefined when the packet is for neither. */
  #vpcService(vpc: Vpc, packet: Packet): Arrival | 'nobody' | undefined {
    const [primary] = vpc.cidrBlocks;
    const resolvers = ['169.254.169.253', ...(primary === undefined ? [] : [addressAt(primary, 2)])];
    const isTcp = packet.protocol === protocols.tcp;
    const { destination, destinationPort } = packet;
    if (destination === '169.254.169.254' && isTcp && destinationPort === 80)
      return { kind: 'vpc-service', vpcId: vpc.vpcId, service: 'metadata' };
    if (resolvers.includes(destination)) {
      const isDns = destinationPort === 53 && (isTcp || packet.protocol === protocols.udp);
      if (isDns && vpc.enableDnsSupport) return { kind: 'vpc-service', vpcId: vpc.vpcId, service: 'resolver' };
      this.#drop('link-local', vpc.vpcId, vpc, packet, isDns ? 'enableDnsSupport is false' : 'it answers DNS only');
      return 'nobody';
    }
    if (!isInside('169.254.0.0/16', destination)) return undefined;
    this.#drop('link-local', vpc.vpcId, vpc, packet, `nothing answers at ${destination}`);
    return 'nobody';
  }

  // ---- groups and ACLs

  #groups(placed: PlacedInterface, direction: 'ingress' | 'egress', packet: Packet): void {
    const { eni, vpc, groups } = placed;
    if (eni.service?.kind === 'nat-gateway') return;
    const stage = `sg-${direction}` as const;
    const component = eni.networkInterfaceId;
    if (this.#leg === 'return' && this.#tracked.has(component)) {
      this.#push(stage, component, vpc.vpcId, packet, 'pass', { kind: 'tracked' });
      return;
    }
    if (this.#leg === 'forward') this.#tracked.add(component);
    const found = allowingRule(this.#network, placed, direction, packet);
    if (found !== undefined) {
      const { group, rule } = found;
      const cause: Cause = { kind: 'security-group-rule', groupId: group.groupId, ruleId: rule.ruleId };
      this.#push(stage, component, vpc.vpcId, packet, 'pass', cause);
      return;
    }
    const hasRules = groups.some((group) => group[direction].length > 0);
    const cause: Cause = { kind: 'security-groups', groupIds: eni.groupIds };
    const code = hasRules ? 'ENI_SG_RULES_MISMATCH' : 'SG_HAS_NO_RULES';
    this.#push(stage, component, vpc.vpcId, packet, 'drop', cause, code);
  }

  #acl({ acl, vpc }: PlacedInterface, direction: 'ingress' | 'egress', packet: Packet): void {
    const entry = decidingEntry(acl, direction, packet);
    const isAllowed = entry?.action === 'allow';
    const cause: Cause = {
      kind: 'acl-entry',
      networkAclId: acl.networkAclId,
      ruleNumber: entry?.ruleNumber ?? '*',
    };
    const code = isAllowed ? undefined : 'SUBNET_ACL_RESTRICTION';
    this.#push(`acl-${direction}`, acl.networkAclId, vpc.vpcId, packet, isAllowed ? 'pass' : 'drop', cause, code);
  }

  // ---- recording

  #drop(stage: StageName, component: string, vpc: Vpc, packet: Packet, because: string, code?: ExplanationCode): void {
    this.#push(stage, component, vpc.vpcId, packet, 'drop', { kind: 'component', because }, code);
  }

  #push(
    stage: StageName,
    component: string,
    vpcId: Vpc['vpcId'],
    packet: Packet,
    verdict: Step['verdict'],
    cause: Cause,
    code?: ExplanationCode,
  ): void {
    this.#steps.push({
      leg: this.#leg,
      stage,
      component,
      vpcId,
      verdict,
      cause,
      packet,
      ...(code !== undefined && { code }),
    });
  }
}

/** Only then does an interface carry packets. */
function carries({ eni }: PlacedInterface): boolean {
  return eni.attachment !== undefined || eni.service !== undefined;
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
    case 'vpc-endpoint':
      return arrival.vpcEndpointId;
    case 'vpc-service':
      return arrival.service;
  }
}
