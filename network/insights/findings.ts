// Network Access Analyzer: which paths match a scope and are not excluded from it? Reach says which packets get from one end to another; the header statements cut
// the sets, and one packet of what is left is walked to show the path. What its rules let pass is one finding, the rest is looked at again.
// https://docs.aws.amazon.com/vpc/latest/network-access-analyzer/how-network-access-analyzer-works.html (read 2026-11-21). TCP and UDP over IPv4, as there;
// unlike there, a path counts when its answers come back too.

import { AddressSet } from '../reach/address-set.ts';
import type { End, Reach } from '../reach/ends.ts';
import { prepareReach } from '../reach/reach.ts';
import type { SecurityGroupRule } from '../snapshot.ts';
import type { NetworkIndex } from '../walk/network-index.ts';
import type { Origin, Packet } from '../walk/packet.ts';
import { protocols } from '../walk/packet.ts';
import type { Trace } from '../walk/trace.ts';
import { walk } from '../walk/walk.ts';
import {
  headerSlab,
  meansEnd,
  passesThrough,
  type Scope,
  type ScopeEnd,
  type ScopePath,
  scopeEnds,
} from './access-scope.ts';
import { analyse, TooManyFlows } from './analyse.ts';
import { decidingRule } from './explanation.ts';
import { type Header, type Hop, hopsOf } from './hops.ts';
import { ephemeralPorts, passes } from './judge.ts';
import type { Question } from './question.ts';
import {
  both,
  everything,
  exampleOf,
  holds,
  isEmpty,
  portsOf,
  type Slab,
  slabsOf,
  toPortRanges,
  united,
  without,
} from './slabs.ts';

export interface Findings {
  /** The components of each path. */
  readonly paths: readonly (readonly Hop[])[];
  /** There are more than were looked for. */
  readonly isCut: boolean;
  readonly interfaceCount: number;
}

/** AWS returns a representative set; so much is one here. */
const mostPaths = 500;
const mostPairs = 250_000;
/** Of one road: each is another rule that lets it pass. */
const mostOfOneRoad = 100;

export function findPaths(network: NetworkIndex, scope: Scope): Findings {
  const search = new ScopeSearch(network, scope);
  const paths: (readonly Hop[])[] = [];
  let pairs = 0;
  for (const [from, to] of search.pairs()) {
    pairs += 1;
    const isEnough = pairs > mostPairs || paths.length >= mostPaths;
    if (isEnough) return { paths, isCut: true, interfaceCount: search.interfaceCount };
    paths.push(...search.between(from, to));
  }
  const isCut = search.isCut || paths.length > mostPaths;
  return { paths: paths.slice(0, mostPaths), isCut, interfaceCount: search.interfaceCount };
}

class ScopeSearch {
  readonly #network: NetworkIndex;
  readonly #scope: Scope;
  readonly #ends: readonly ScopeEnd[];
  readonly #reach: ReturnType<typeof prepareReach>;
  /** Something was left out between two ends. */
  isCut = false;

  constructor(network: NetworkIndex, scope: Scope) {
    this.#network = network;
    this.#scope = scope;
    this.#ends = scopeEnds(network);
    this.#reach = prepareReach(network);
  }

  get interfaceCount(): number {
    return this.#ends.filter(({ place }) => place.kind === 'interfaces').length;
  }

  /** Ends that some match condition means, each pair once. */
  *pairs(): Generator<readonly [ScopeEnd, ScopeEnd]> {
    const seen = new Set<string>();
    for (const { source, destination } of this.#scope.match) {
      const tos = this.#ends.filter((end) => meansEnd(destination, end));
      for (const from of this.#ends.filter((end) => meansEnd(source, end)))
        for (const to of tos) {
          const key = `${from.place.id} ${to.place.id}`;
          if (from === to || !canJoin(from, to) || seen.has(key)) continue;
          seen.add(key);
          yield [from, to];
        }
    }
  }

  between(from: ScopeEnd, to: ScopeEnd): (readonly Hop[])[] {
    if (from.place.kind === 'peering-connection' || to.place.kind === 'peering-connection')
      return this.#acrossPeering(from, to);
    return this.#reaches(from, to).flatMap((reach) =>
      [protocols.tcp, protocols.udp].flatMap((protocol) => this.#onRoad(from, to, reach, protocol)),
    );
  }

  #reaches(from: ScopeEnd, to: ScopeEnd): Reach[] {
    const found = this.#reach.between([this.#endOf(from)], [this.#endOf(to)]);
    const gateways = [from, to].filter(({ place }) => place.kind === 'internet-gateway');
    return found.filter(({ via, arrival }) => {
      const igws = via.filter(({ kind }) => kind === 'internet-gateway');
      // A road over two gateways is none: an analysis ends at the first.
      if (igws.length !== gateways.length || igws[0]?.id !== gateways[0]?.place.id) return false;
      return to.place.kind !== 'vpc-endpoint' || (arrival === 'vpc-endpoint' && via.at(-1)?.id === to.place.id);
    });
  }

  #endOf({ place }: ScopeEnd): End {
    switch (place.kind) {
      case 'interfaces':
        return { kind: 'network-interface', networkInterfaceId: place.networkInterfaceIds[0] ?? 'eni-' };
      case 'vpc-endpoint': {
        const vpc = this.#network.vpc(place.vpcId);
        const gateway = vpc?.gatewayEndpoints.find((each) => each.vpcEndpointId === place.id);
        const own = vpc?.interfaceEndpoints.find((each) => each.vpcEndpointId === place.id);
        const region = own?.serviceRegion ?? vpc?.region;
        return { kind: 'service', service: gateway?.service ?? own?.service ?? '', ...(region && { region }) };
      }
      default:
        return { kind: 'internet' };
    }
  }

  #onRoad(from: ScopeEnd, to: ScopeEnd, reach: Reach, protocol: number): (readonly Hop[])[] {
    const sides = [
      ...(from.place.kind === 'interfaces' ? ['sources' as const] : []),
      ...(to.place.kind === 'interfaces' ? ['destinations' as const] : []),
    ];
    const origin = originOf(from);
    const paths: (readonly Hop[])[] = [];
    for (const slabs of slabsOf(reach.flows, protocol, sides)) {
      let left = slabs.flatMap((slab) => {
        const sample = exampleOf(slab, protocol);
        return this.#wanted(from, to, slab, sample, walk(this.#network, { from: origin, packet: sample }));
      });
      for (let count = 0; count < mostOfOneRoad; count += 1) {
        const [first] = left;
        if (first === undefined) break;
        const packet = exampleOf(first, protocol);
        const shown = walk(this.#network, { from: origin, packet });
        const passed = passedBy(this.#network, shown, packet);
        // What comes by the same rules is one finding, whichever pieces it was cut into.
        const own = united(left.map((each) => both(each, passed)).filter((each) => !isEmpty(each)));
        const header = own.find((each) => holds(each, packet)) ?? first;
        const headers = { sent: toHeader(header, protocol), arrived: arrivedHeader(header, protocol, packet, shown) };
        paths.push(hopsOf(this.#network, questionOf(from, to, protocol), shown, 'forward', headers));
        left = left.flatMap((each) => without(each, header));
      }
      if (left.length > 0) this.isCut = true;
    }
    return paths;
  }

  /** What of the packets some match condition means and no exclusion does. */
  #wanted(from: ScopeEnd, to: ScopeEnd, slab: Slab, packet: Packet, trace: Trace): Slab[] {
    const region = (path: ScopePath) => this.#regionOf(path, from, to, packet, trace);
    const matched = this.#scope.match.flatMap((path) => {
      const meant = region(path);
      const common = meant === undefined ? undefined : both(slab, meant);
      return common === undefined || isEmpty(common) ? [] : [common];
    });
    return this.#scope.exclude.reduce((left, path) => {
      const meant = region(path);
      return meant === undefined ? left : left.flatMap((each) => without(each, meant));
    }, distinct(matched));
  }

  /** As packets leave the source; undefined: the condition means nothing of this road. */
  #regionOf(path: ScopePath, from: ScopeEnd, to: ScopeEnd, packet: Packet, trace: Trace): Slab | undefined {
    if (!meansEnd(path.source, from) || !meansEnd(path.destination, to)) return undefined;
    if (!passesThrough(path, new Set(passes(trace.steps)))) return undefined;
    const sent = headerSlab(this.#network, path.source?.header, packet.protocol);
    const arrived = headerSlab(this.#network, path.destination?.header, packet.protocol);
    if (sent === undefined || arrived === undefined) return undefined;
    const at = trace.arrivedAs ?? packet;
    // What a gateway changed is one address at the destination: the statement has it or has it not, whatever was sent.
    const isOtherSource = at.source !== packet.source;
    const isOtherDestination = at.destination !== packet.destination;
    if (isOtherSource && !arrived.sources.contains(at.source)) return undefined;
    if (isOtherDestination && !arrived.destinations.contains(at.destination)) return undefined;
    const nat = portsOf([ephemeralPorts]);
    const isNat = trace.steps.some((step) => step.leg === 'forward' && step.stage === 'nat-gateway');
    if (
      isNat &&
      isEmpty(both({ ...everything, sourcePorts: arrived.sourcePorts }, { ...everything, sourcePorts: nat }))
    )
      return undefined;
    return both(sent, {
      sources: isOtherSource ? everything.sources : arrived.sources,
      destinations: isOtherDestination ? everything.destinations : arrived.destinations,
      sourcePorts: isNat ? everything.sourcePorts : arrived.sourcePorts,
      destinationPorts: arrived.destinationPorts,
    });
  }

  /** One path, of the packets that an analysis of it finds: reach has no ends at peerings. */
  #acrossPeering(from: ScopeEnd, to: ScopeEnd): (readonly Hop[])[] {
    return [protocols.tcp, protocols.udp].flatMap((protocol) => {
      const forward = this.#pathOf(questionOf(from, to, protocol));
      const header = forward[0]?.outbound;
      if (header?.sourceAddresses === undefined) return [];
      const slab: Slab = {
        sources: AddressSet.ofCidrs(header.sourceAddresses),
        destinations: AddressSet.ofCidrs(header.destinationAddresses ?? []),
        sourcePorts: portsOf(header.sourcePorts ?? []),
        destinationPorts: portsOf(header.destinationPorts ?? []),
      };
      const packet = exampleOf(slab, protocol);
      const until = to.place.kind === 'peering-connection' ? { until: to.place.id } : {};
      const trace = walk(this.#network, { from: originOf(from, to), packet, ...until });
      return this.#wanted(from, to, slab, packet, trace).length > 0 ? [forward] : [];
    });
  }

  #pathOf(question: Question): readonly Hop[] {
    try {
      return analyse(this.#network, question).forward;
    } catch (error) {
      if (!(error instanceof TooManyFlows)) throw error;
      this.isCut = true;
      return [];
    }
  }
}

function questionOf({ place: source }: ScopeEnd, { place: destination }: ScopeEnd, protocol: number): Question {
  return { source, destination, protocol, atSource: {}, atDestination: {}, through: [], without: [] };
}

/** Which kinds of ends have paths between them at all. */
function canJoin({ place: from }: ScopeEnd, { place: to }: ScopeEnd): boolean {
  switch (from.kind) {
    case 'interfaces':
      return to.kind !== 'peering-connection' || to.vpcIds.includes(from.vpcId);
    case 'internet-gateway':
      return to.kind === 'interfaces' && to.vpcId === from.vpcId;
    case 'peering-connection':
      return to.kind === 'interfaces' && from.vpcIds.includes(to.vpcId);
    case 'vpc-endpoint':
      return false;
  }
}

function originOf({ place }: ScopeEnd, to?: ScopeEnd): Origin {
  switch (place.kind) {
    case 'interfaces':
      return { kind: 'network-interface', networkInterfaceId: place.networkInterfaceIds[0] ?? 'eni-' };
    case 'peering-connection': {
      const vpcId = to?.place.kind === 'interfaces' ? to.place.vpcId : place.vpcIds[0];
      return { kind: 'peering-connection', vpcPeeringConnectionId: place.id, vpcId };
    }
    case 'internet-gateway':
      return { kind: 'internet', internetGatewayId: place.id };
    case 'vpc-endpoint':
      return { kind: 'internet' };
  }
}

/** What the groups' rules and the ACLs' entries on the way there let pass, of packets as they were sent: all of it goes by them. */
function passedBy(network: NetworkIndex, trace: Trace, packet: Packet): Slab {
  let slab = everything;
  for (const step of trace.steps) {
    if (step.leg !== 'forward') continue;
    const { cause, stage, vpcId } = step;
    const isIngress = stage === 'sg-ingress' || stage === 'acl-ingress';
    const peer = isIngress ? ('sources' as const) : ('destinations' as const);
    const isSent = isIngress ? step.packet.source === packet.source : step.packet.destination === packet.destination;
    const rule = cause.kind === 'security-group-rule' ? ruleOf(network, vpcId, cause, isIngress) : undefined;
    const entry = decidingRule(network, step)?.entry;
    const ports = rule?.ports ?? entry?.ports;
    const cidr = rule?.peer.kind === 'cidr' ? rule.peer.cidr : entry?.cidr;
    if (ports !== undefined) slab = both(slab, { ...everything, destinationPorts: portsOf([ports]) });
    if (cidr !== undefined && isSent) slab = both(slab, { ...everything, [peer]: AddressSet.ofCidrs([cidr]) });
  }
  return slab;
}

function ruleOf(
  network: NetworkIndex,
  vpcId: `vpc-${string}`,
  { groupId, ruleId }: { readonly groupId: string; readonly ruleId: string },
  isIngress: boolean,
): SecurityGroupRule | undefined {
  const group = network.vpc(vpcId)?.securityGroups.find((each) => each.groupId === groupId);
  return group?.[isIngress ? 'ingress' : 'egress'].find((each) => each.ruleId === ruleId);
}

function toHeader(slab: Slab, protocol: number): Header {
  return {
    protocol,
    sourceAddresses: slab.sources.cidrs(),
    sourcePorts: toPortRanges(slab.sourcePorts),
    destinationAddresses: slab.destinations.cidrs(),
    destinationPorts: toPortRanges(slab.destinationPorts),
  };
}

function arrivedHeader(slab: Slab, protocol: number, packet: Packet, { arrivedAs = packet, steps }: Trace): Header {
  const sent = toHeader(slab, protocol);
  const isNat = steps.some((step) => step.leg === 'forward' && step.stage === 'nat-gateway');
  return {
    ...sent,
    ...(arrivedAs.source !== packet.source && { sourceAddresses: [`${arrivedAs.source}/32`] as const }),
    ...(arrivedAs.destination !== packet.destination && {
      destinationAddresses: [`${arrivedAs.destination}/32`] as const,
    }),
    ...(isNat && { sourcePorts: [ephemeralPorts] }),
  };
}

/** So that no packet is in two of them. */
function distinct(slabs: readonly Slab[]): Slab[] {
  const result: Slab[] = [];
  for (const slab of slabs)
    result.push(...result.reduce((left, each) => left.flatMap((one) => without(one, each)), [slab]));
  return result;
}
