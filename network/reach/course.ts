// One course: from one end, between two addresses, there and back, with all traffic at once. Each check keeps what it lets pass of the traffic that is left; each
// table that is asked about a Free address narrows it. So one course answers for every port, ICMP type and protocol and for an interval of addresses.
//
// Written apart from the walk, which follows one packet; tests hold the two against each other. Where the walk goes on after a drop, a course ends: nothing is left.

import type { NetworkInterfaceId, Route, TransitGatewayId, Vpc } from '../snapshot.ts';
import type { Arrival } from '../walk/trace.ts';
import type { Hop } from './ends.ts';
import { type Address, isFree, type Point } from './segment-table.ts';
import { hasNoGroups, isNat, isPublicAccessBlocked, type Site, type Sites } from './sites.ts';
import type { Takes } from './takes.ts';
import type { Traffic } from './traffic.ts';
import { attachmentOf, isOpenToTransit } from './transit-gateways.ts';
import { type Way, wayInside } from './ways.ts';

/** As the walk: a packet still on its way then goes round in a circle. */
const mostHops = 16;
/** Of load balancers whose targets are load balancers; as the walk. */
const mostBalancers = 4;

/** Who has the packet, and between which addresses. */
interface Landing {
  readonly arrival: Arrival;
  readonly source: Address;
  readonly destination: Address;
}

export interface Outcome {
  readonly arrival: Arrival;
  /** Requests that arrive. */
  readonly there: Traffic;
  /** Replies that come back. */
  readonly back: Traffic;
  readonly via: readonly Hop[];
  readonly viaReturn: readonly Hop[];
}

/**
 * @param from the interface that sends, or undefined: the internet
 * @param source one of its addresses   @param destination either may be Free, and is narrowed then to what the answer holds for
 * @param traffic requests that are asked about
 * @returns nothing when nothing is open; several, where listeners of a load balancer lead to targets whose replies differ
 */
export function follow(
  sites: Sites,
  takes: Takes,
  from: Site | undefined,
  source: Address,
  destination: Address,
  traffic: Traffic,
  depth = 0,
): readonly Outcome[] {
  const course = new Course(sites, takes, from, traffic, depth);
  const outcome = course.outcome(source, destination);
  const { postponed } = course;
  const others = postponed === sites.pool.none ? [] : follow(sites, takes, from, source, destination, postponed, depth);
  return outcome === undefined ? others : [outcome, ...others];
}

class Course {
  readonly #sites: Sites;
  readonly #takes: Takes;
  readonly #from: Site | undefined;
  /** What is left of it on this leg. */
  #traffic: Traffic;
  #isReturn = false;
  #hops = 0;
  #via: Hop[] = [];
  /** Interfaces whose groups were asked when the flow began: its replies pass them (S11). */
  readonly #tracked: Site[] = [];
  readonly #translations: { readonly nat: Site; readonly inside: Address; readonly outside: Point }[] = [];
  /** By which ways the request has passed its VPCs: a reply that takes another one is of no flow there. */
  readonly #ways: Way[] = [];
  /** The packet is one of IPv4 that NAT64 made of one of IPv6, whose traffic is told all the same. */
  #isTranslated = false;
  /** The reply goes another way, where its groups are asked as if it were the first packet. */
  #isAnew = false;
  /** The way that the packet took last, through the VPC that it is in. */
  #cameBy: string | undefined;
  /** As whom the flow was sent. */
  #source: Address | undefined;
  /** As whom the flow left by an egress-only gateway. */
  #leftAs: { readonly source: Address; readonly hop: Hop } | undefined;

  /** How many load balancers began the flows that led to this one. */
  readonly #depth: number;
  /** The load balancer's interface that the requests came to, and what of the replies its targets' come back for. */
  #balanced: { readonly site: Site; readonly back: Traffic } | undefined;
  /** What is asked about, and could not be answered together with the rest. */
  postponed: Traffic;

  constructor(sites: Sites, takes: Takes, from: Site | undefined, traffic: Traffic, depth: number) {
    this.#sites = sites;
    this.#takes = takes;
    this.#from = from;
    this.#traffic = traffic;
    this.#depth = depth;
    this.postponed = sites.pool.none;
  }

  outcome(source: Address, destination: Address): Outcome | undefined {
    const { pool } = this.#sites;
    this.#source = source;
    const landing =
      this.#from === undefined
        ? this.#fromInternet(source, destination)
        : this.#leave(this.#from, source, destination, true);
    if (landing === undefined || this.#traffic === pool.none) return undefined;
    const [there, via] = [this.#traffic, this.#via];
    this.#isReturn = true;
    this.#hops = 0;
    this.#traffic = pool.all;
    this.#via = [];
    const back = this.#answer(landing);
    if (back === undefined || back.destination !== source || back.source !== destination) return undefined;
    const isHome =
      this.#from === undefined
        ? back.arrival.kind === 'internet'
        : back.arrival.kind === 'network-interface' && back.arrival.networkInterfaceId === this.#from.id;
    if (!isHome || !pool.isOpen(there, this.#traffic)) return undefined;
    return { arrival: landing.arrival, there, back: this.#traffic, via, viaReturn: this.#via };
  }

  /** The reply's way begins where the request's ended. */
  #answer({ arrival, source, destination }: Landing): Landing | undefined {
    switch (arrival.kind) {
      case 'network-interface': {
        const site = this.#sites.site(arrival.networkInterfaceId);
        return site && this.#leave(site, destination, source, true);
      }
      case 'internet':
        return this.#fromInternet(destination, source);
      case 'vpc-endpoint':
        if (this.#balanced !== undefined && !this.#pass(this.#balanced.back)) return undefined;
        return this.#fromEndpoint(arrival.vpcEndpointId, destination, source);
      case 'load-balancer': {
        const node = this.#balanced;
        return node && this.#pass(node.back) ? this.#leave(node.site, destination, source, true) : undefined;
      }
      case 'vpc-service': {
        // Past groups and ACLs, as the question came (3.3).
        const asker = this.#sites.holder(arrival.vpcId, source);
        return asker && { arrival: arrivalAt(asker), source: destination, destination: source };
      }
    }
  }

  /** Keeps of the traffic what a check lets pass. @returns whether any is left */
  #pass(allowed: Traffic): boolean {
    const { pool } = this.#sites;
    this.#traffic = pool.intersect(this.#traffic, this.#isTranslated ? pool.beforeNat64(allowed) : allowed);
    return this.#traffic !== pool.none;
  }

  #by(kind: Hop['kind'], id: string): void {
    const last = this.#via.at(-1);
    if (last?.id !== id) this.#via.push({ kind, id });
  }

  /** @param by the way that the packet comes or goes: by a peering connection the groups of its other VPC can be named (S7) */
  #passGroups(site: Site, direction: 'ingress' | 'egress', peer: Address, by: string | undefined): boolean {
    if (hasNoGroups(site) || attachmentOf(site) !== undefined) return true;
    if (this.#isReturn && !this.#isAnew && this.#tracked.includes(site)) return true;
    if (!this.#isReturn) this.#tracked.push(site);
    return this.#pass(site.groups(by?.startsWith('pcx-') ? by : undefined).allow(direction, peer));
  }

  /**
   * The packet goes this way through a VPC: a gateway, a peering, or a part of the VPC (`wayInside`). On a way that its request did not take, a reply is nobody's: TCP
   * and ICMP are dropped there, and UDP is a flow of its own.
   */
  #takeWay(vpc: Vpc, way: string, source: Address, destination: Address, sender?: Site): boolean {
    this.#cameBy = way;
    if (!this.#isReturn) {
      this.#ways.push({ vpcId: vpc.vpcId, way, source, destination });
      return true;
    }
    this.#isAnew = !this.#ways.some(
      (each) =>
        each.vpcId === vpc.vpcId && each.way === way && each.source === destination && each.destination === source,
    );
    if (!this.#isAnew) return true;
    return (
      this.#pass(this.#takes.anyBeginning) &&
      (sender === undefined || this.#passGroups(sender, 'egress', destination, way))
    );
  }

  /** The instance connect endpoint that this is a reply to, where it shows the client's address: such replies go to it whatever the routes say (J4). */
  #tunnelBack(destination: Address): Site | undefined {
    if (!this.#isReturn || destination !== this.#source) return undefined;
    return this.#from?.connectEndpoint?.preserveClientIp === true ? this.#from : undefined;
  }

  // ---- out of an interface

  /** @param sends false: hands on what another began, so its own address is not asked for */
  #leave(site: Site, source: Address, destination: Address, sends: boolean): Landing | undefined {
    if (++this.#hops > mostHops || !site.carries) return undefined;
    const { connectEndpoint } = site;
    if (connectEndpoint !== undefined && !this.#pass(this.#takes.connectEndpoint)) return undefined;
    if (!this.#isReturn && !this.#pass(this.#sites.begunAt(site, destination))) return undefined;
    const isOwn = connectEndpoint?.preserveClientIp === true || (!isFree(source) && site.own.has(source));
    if (sends && site.placed.eni.sourceDestCheck && !isOwn) return undefined;
    const hop = site.nextHop.at(destination);
    switch (hop.kind) {
      case 'nowhere':
      case 'reserved':
        return undefined;
      case 'metadata':
      case 'resolver': {
        const { vpcId } = site.vpc;
        if (hop.kind === 'metadata' && destination.isIpv6 && !site.hasMetadata6) return undefined;
        if (!this.#pass(this.#takes[hop.kind])) return undefined;
        return { arrival: { kind: 'vpc-service', vpcId, service: hop.kind }, source, destination };
      }
    }
    const target = hop.kind === 'route' ? hop.route.target : undefined;
    const leavesBy = target?.kind === 'peering-connection' ? target.vpcPeeringConnectionId : undefined;
    if (!this.#passGroups(site, 'egress', destination, leavesBy)) return undefined;
    const door = this.#tunnelBack(destination);
    if (door !== undefined && door.vpc.vpcId === site.vpc.vpcId) return this.#cross(site, door, source, destination);
    switch (hop.kind) {
      case 'no-route':
        return undefined;
      case 'same-subnet':
        return this.#deliver(site.vpc, source, destination, site);
      case 'route':
        return hop.route.state === 'blackhole' ? undefined : this.#along(site, hop.route, source, destination);
    }
  }

  #along(site: Site, { target }: Route, source: Address, destination: Address): Landing | undefined {
    switch (target.kind) {
      case 'local':
        return this.#deliver(site.vpc, source, destination, site);
      case 'network-interface': {
        const box = this.#sites.site(target.networkInterfaceId);
        return box && this.#cross(site, box, source, destination);
      }
      case 'nat-gateway':
        return this.#throughNatGateway(site, target.natGatewayId, source, destination);
      default:
        if (!this.#pass(site.acl.egress.at(destination))) return undefined;
    }
    switch (target.kind) {
      case 'internet-gateway':
        return this.#outByInternetGateway(site, target.internetGatewayId, source, destination);
      case 'egress-only-internet-gateway':
        return this.#outByEgressOnlyGateway(site, target.egressOnlyInternetGatewayId, source, destination);
      case 'gateway-endpoint':
        if (!this.#pass(this.#takes.gatewayEndpoint)) return undefined;
        this.#by('gateway-endpoint', target.vpcEndpointId);
        return { arrival: { kind: 'vpc-endpoint', vpcEndpointId: target.vpcEndpointId }, source, destination };
      case 'peering-connection':
        return this.#acrossPeering(site, target.vpcPeeringConnectionId, source, destination);
      case 'transit-gateway':
        return this.#overTransitGateway(site, target.transitGatewayId, source, destination);
    }
  }

  /** ACLs: out of the sender's subnet, and into the attachment's, also where the two are one (Z3). */
  #overTransitGateway(site: Site, id: TransitGatewayId, source: Address, destination: Address): Landing | undefined {
    const crossing = this.#sites.transitGateways.crossing(site, id);
    if (crossing === undefined) return undefined;
    const { door, routes, exit } = crossing;
    const way = wayInside(this.#sites, site, door, source, destination);
    if (!this.#takeWay(site.vpc, way, source, destination, site)) return undefined;
    if (!this.#pass(door.acl.ingress.at(source))) return undefined;
    const route = routes?.at(destination) ?? 'none';
    const out = route === 'none' ? undefined : exit(route);
    if (out === undefined || ++this.#hops > mostHops) return undefined;
    this.#by('transit-gateway', id);
    const hop = out.nextHop.at(destination);
    if (hop.kind === 'same-subnet') return this.#deliver(out.vpc, source, destination, out);
    if (hop.kind !== 'route' || hop.route.state === 'blackhole' || !isOpenToTransit(hop.route.target)) return undefined;
    return this.#along(out, hop.route, source, destination);
  }

  // ---- to an interface

  /** To whichever interface of the VPC has the address; an interval of addresses is nobody's. */
  #deliver(vpc: Vpc, source: Address, destination: Address, sender?: Site): Landing | undefined {
    const receiver = this.#sites.holder(vpc.vpcId, destination);
    if (receiver === undefined) return undefined;
    return sender === undefined
      ? this.#enter(receiver, source, destination)
      : this.#cross(sender, receiver, source, destination);
  }

  /** From subnet to subnet; inside one, no ACL looks (N4). */
  #cross(sender: Site, receiver: Site, source: Address, destination: Address): Landing | undefined {
    const isInside = sender.subnet.subnetId === receiver.subnet.subnetId;
    if (!isInside && !this.#pass(sender.acl.egress.at(destination))) return undefined;
    return this.#enter(receiver, source, destination, sender);
  }

  /** @param sender undefined: it comes from a gateway */
  #enter(receiver: Site, source: Address, destination: Address, sender?: Site): Landing | undefined {
    const { eni } = receiver.placed;
    if (!receiver.carries || attachmentOf(receiver) !== undefined) return undefined;
    if (sender !== undefined) {
      const isTunnel = this.#tunnelBack(destination) === receiver;
      const way = isTunnel ? 'inside' : wayInside(this.#sites, sender, receiver, source, destination);
      if (!this.#takeWay(receiver.vpc, way, source, destination, sender)) return undefined;
    }
    const isOwn = !isFree(destination) && receiver.own.has(destination);
    // An instance connect endpoint takes replies of its own flows, whatever its inbound rules say, and nothing else (J4).
    const isDoor = receiver.connectEndpoint !== undefined;
    if (isDoor ? !this.#isReturn || this.#from !== receiver : !isOwn && eni.sourceDestCheck) return undefined;
    if (sender?.subnet.subnetId !== receiver.subnet.subnetId && !this.#pass(receiver.acl.ingress.at(source)))
      return undefined;
    if (isDoor) return { arrival: arrivalAt(receiver), source, destination };
    if (isNat(receiver)) return this.#backThroughNatGateway(receiver, source, destination);
    if (!this.#passGroups(receiver, 'ingress', source, this.#cameBy)) return undefined;
    if (eni.service?.kind === 'vpc-endpoint') {
      const { vpcEndpointId } = eni.service;
      if (!this.#sites.blocks(receiver.vpc).clients.at(source)) return undefined;
      const endpoint = receiver.vpc.interfaceEndpoints.find((each) => each.vpcEndpointId === vpcEndpointId);
      this.#by('interface-endpoint', vpcEndpointId);
      const arrival = { kind: 'vpc-endpoint', vpcEndpointId } as const;
      if (endpoint?.behind !== undefined) {
        const door = endpoint.behind.find((each) => each.networkInterfaceId === receiver.id);
        const node = door && this.#sites.site(door.node);
        return node !== undefined && this.#passListeners(node) ? { arrival, source, destination } : undefined;
      }
      return this.#pass(this.#takes.interfaceEndpoint) ? { arrival, source, destination } : undefined;
    }
    if (receiver.balancer !== undefined) return this.#balance(receiver, source, destination);
    if (isOwn) return { arrival: arrivalAt(receiver), source, destination };
    // A middlebox hands on what is not its own.
    this.#by('middlebox', receiver.id);
    return this.#leave(receiver, source, destination, false);
  }

  #balance(receiver: Site, source: Address, destination: Address): Landing | undefined {
    const { balancer, id } = receiver;
    if (balancer === undefined) return undefined;
    if (this.#isReturn)
      return this.#from === receiver ? { arrival: arrivalAt(receiver), source, destination } : undefined;
    const { clients } = this.#sites.blocks(receiver.vpc);
    if (!clients.at(source) && (balancer.of.scheme === 'internal' || this.#sites.forbiddenIn.at(source)))
      return undefined;
    const { loadBalancerId } = balancer.of;
    this.#by('load-balancer', loadBalancerId);
    const arrival = { kind: 'load-balancer', loadBalancerId, networkInterfaceId: id } as const;
    return this.#passListeners(receiver) ? { arrival, source, destination } : undefined;
  }

  /** A request ends at the node, and what that begins is followed by itself: a listener is open when each of its targets is. */
  #passListeners(node: Site): boolean {
    const { balancer } = node;
    const [own] = node.addresses;
    if (balancer === undefined || own === undefined || !node.carries) return false;
    const { pool } = this.#sites;
    const { clients } = this.#sites.blocks(node.vpc);
    /** By what of the replies comes back. */
    const open = new Map<Traffic, Traffic>();
    for (const { protocol, port, targets } of balancer.node.listeners) {
      const taken = pool.of({ protocol, ports: { from: port, to: port } });
      // Its VPC's and the peers', whose clients it serves, are also where its targets can be.
      const near = targets.filter(({ address }) => clients.at(this.#sites.point(address)));
      const isAsked = pool.intersect(this.#traffic, taken) !== pool.none;
      if (near.length === 0 || this.#depth >= mostBalancers || !isAsked) continue;
      let back = pool.all;
      for (const target of near) {
        const asked = pool.of({ protocol, ports: { from: target.port, to: target.port } });
        const to = this.#sites.point(target.address);
        const [found] = follow(this.#sites, this.#takes, node, own, to, asked, this.#depth + 1);
        back = pool.intersect(back, found?.back ?? pool.none);
      }
      if (back !== pool.none) open.set(back, pool.unite(open.get(back) ?? pool.none, taken));
    }
    const [first, ...others] = open;
    if (first === undefined) return false;
    const [back, ports] = first;
    this.postponed = others.reduce((sum, [, each]) => pool.unite(sum, pool.intersect(this.#traffic, each)), pool.none);
    this.#balanced = { site: node, back };
    return this.#pass(ports);
  }

  // ---- gateways, peering and endpoints

  #outByInternetGateway(site: Site, id: string, source: Address, destination: Address): Landing | undefined {
    if (!this.#takeWay(site.vpc, 'outside', source, destination, site)) return undefined;
    if (this.#sites.forbiddenOut.at(destination) || isPublicAccessBlocked(site)) return undefined;
    // A middlebox hands on what another sent: the address is asked for, not who brings it.
    const holder = this.#sites.holder(site.vpc.vpcId, source);
    const outside = source.isIpv6 ? holder && source : this.#sites.publicAddressOf(holder, source);
    if (outside === undefined) return undefined;
    this.#by('internet-gateway', id);
    return this.#onInternet(outside, destination);
  }

  /** Lets out what was begun inside, and lets its replies back in (4.4). */
  #outByEgressOnlyGateway(site: Site, id: string, source: Address, destination: Address): Landing | undefined {
    if (!this.#takeWay(site.vpc, 'outside', source, destination, site)) return undefined;
    if (this.#isReturn && this.#from === undefined) return undefined;
    if (this.#sites.forbiddenOut.at(destination)) return undefined;
    if (this.#sites.holder(site.vpc.vpcId, source) === undefined) return undefined;
    if (site.subnet.blockPublicAccess === 'block-bidirectional') return undefined;
    this.#by('egress-only-internet-gateway', id);
    if (!this.#isReturn) this.#leftAs = { source, hop: { kind: 'egress-only-internet-gateway', id } };
    return this.#onInternet(source, destination);
  }

  #onInternet(source: Address, destination: Address): Landing | undefined {
    const isHome = this.#isReturn && this.#from === undefined;
    if (!isHome && this.#sites.publicHolder(destination) !== undefined) return this.#fromInternet(source, destination);
    if (!this.#isReturn && this.#sites.unanswered.at(destination)) return undefined;
    const address = isFree(destination) ? '' : destination.text;
    return { arrival: { kind: 'internet', address }, source, destination };
  }

  /** Arrives at the gateway of the VPC that has the public address. */
  #fromInternet(source: Address, destination: Address): Landing | undefined {
    const held = this.#sites.publicHolder(destination);
    if (held === undefined) return undefined;
    if (this.#isReturn && this.#leftAs?.source === destination) {
      this.#by(this.#leftAs.hop.kind, this.#leftAs.hop.id);
      if (!this.#takeWay(held.site.vpc, 'outside', source, destination)) return undefined;
      return this.#enter(held.site, source, destination);
    }
    const { site, inside } = held;
    const { vpc } = site;
    if (vpc.internetGatewayId === undefined || this.#sites.forbiddenIn.at(source)) return undefined;
    if (!source.isIpv6 && this.#sites.blocks(vpc).own.at(source)) return undefined;
    if (!this.#takeWay(vpc, 'outside', source, inside)) return undefined;
    this.#by('internet-gateway', vpc.internetGatewayId);
    const edge = vpc.routeTables.find((each) => each.routeTableId === vpc.gatewayRouteTableId);
    const route = edge === undefined ? 'none' : this.#sites.edgeRoute(vpc, edge, inside);
    if (route === 'none' || route.target.kind !== 'network-interface') return this.#byGateway(site, source, inside);
    const box = this.#sites.site(route.target.networkInterfaceId);
    if (box === undefined || route.state === 'blackhole' || box.publicAddresses.length === 0) return undefined;
    return this.#byGateway(box, source, inside);
  }

  #byGateway(receiver: Site, source: Address, destination: Address): Landing | undefined {
    if (isPublicAccessBlocked(receiver)) return undefined;
    // I3: what answers must leave by the gateway.
    const way = receiver.routes.at(source);
    if (way === 'none' || way.target.kind !== 'internet-gateway' || way.state === 'blackhole') return undefined;
    return this.#enter(receiver, source, destination);
  }

  #throughNatGateway(sender: Site, id: string, source: Address, destination: Address): Landing | undefined {
    const gateway = sender.vpc.natGateways.find((each) => each.natGatewayId === id);
    const nat = gateway && this.#sites.site(gateway.networkInterfaceId);
    const [outside] = nat?.addresses ?? [];
    if (this.#isReturn || nat === undefined || outside === undefined) return undefined;
    this.#takeWay(sender.vpc, wayInside(this.#sites, sender, nat, source, destination), source, destination, sender);
    if (nat.subnet.subnetId !== sender.subnet.subnetId) {
      if (!this.#pass(sender.acl.egress.at(destination)) || !this.#pass(nat.acl.ingress.at(source))) return undefined;
    }
    // G9: only for interfaces of its own VPC.
    const isServed =
      this.#sites.transitGateways.isAttached(sender.vpc) || this.#sites.blocks(sender.vpc).own.at(source);
    if (!isServed) return undefined;
    if (!this.#pass(source.isIpv6 ? this.#takes.nat64 : this.#takes.natGateway)) return undefined;
    const host = source.isIpv6 ? this.#sites.nat64.four(sender.vpc, destination) : destination;
    if (host === undefined) return undefined;
    this.#isTranslated = this.#isTranslated || source.isIpv6;
    this.#by('nat-gateway', id);
    this.#translations.push({ nat, inside: source, outside });
    return this.#leave(nat, outside, host, false);
  }

  /** A packet to a NAT gateway's own address is a reply, or nothing (G5). */
  #backThroughNatGateway(nat: Site, source: Address, destination: Address): Landing | undefined {
    const known = this.#translations.find((each) => each.nat === nat && each.outside === destination);
    if (!this.#isReturn || known === undefined) return undefined;
    const service = nat.placed.eni.service;
    this.#by('nat-gateway', service?.kind === 'nat-gateway' ? service.natGatewayId : nat.id);
    if (!known.inside.isIpv6) return this.#leave(nat, source, known.inside, false);
    this.#isTranslated = false;
    return this.#leave(nat, this.#sites.nat64.six(source), known.inside, false);
  }

  /** The answer of a service behind an endpoint: from the endpoint's interface, or from nowhere inside the VPC. */
  #fromEndpoint(id: string, source: Address, destination: Address): Landing | undefined {
    for (const holder of this.#sites.holders(source)) {
      const { service } = holder.placed.eni;
      if (service?.kind !== 'vpc-endpoint' || !this.#tracked.includes(holder)) continue;
      this.#by('interface-endpoint', service.vpcEndpointId);
      return this.#leave(holder, source, destination, false);
    }
    // A gateway endpoint is used by interfaces of its own VPC only (W5).
    this.#by('gateway-endpoint', id);
    const last = this.#translations.at(-1)?.nat ?? this.#from;
    return last && this.#deliver(last.vpc, source, destination);
  }

  #acrossPeering(site: Site, id: string, source: Address, destination: Address): Landing | undefined {
    const { vpc } = site;
    const peering = this.#sites.network.peering(id);
    const otherId = peering?.requester.vpcId === vpc.vpcId ? peering.accepter.vpcId : peering?.requester.vpcId;
    const other = otherId === undefined ? undefined : this.#sites.network.vpc(otherId);
    if (other === undefined) return undefined;
    if (!this.#takeWay(vpc, id, source, destination, site)) return undefined;
    if (!this.#sites.blocks(vpc).own.at(source) || !this.#sites.blocks(other).own.at(destination)) return undefined;
    this.#by('peering-connection', id);
    if (!this.#takeWay(other, id, source, destination)) return undefined;
    return this.#deliver(other, source, destination);
  }
}

function arrivalAt({ id, vpc }: Site): {
  kind: 'network-interface';
  networkInterfaceId: NetworkInterfaceId;
  vpcId: Vpc['vpcId'];
} {
  return { kind: 'network-interface', networkInterfaceId: id, vpcId: vpc.vpcId };
}
