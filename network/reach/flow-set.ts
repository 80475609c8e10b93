// A set of flows: which requests get through, as sets of addresses, ports and ICMP types. Nothing is sampled: a box says it of all its packets.
// Between one source and one destination the way there sees the request's destination port and the way back its source port, so traffic is two
// one-way sets; a request is in the box when it is in the first and its reply is in the second.

import type { PortRange, Protocol } from '../snapshot.ts';
import { echoRequest, echoRequest6, type Packet, protocols, replyTo } from '../walk/packet.ts';
import { AddressSet } from './address-set.ts';
import { intersect, isSame, nothing, pairsOf, type Ranges, unite } from './ranges.ts';
import {
  allParts,
  combineParts,
  hasPacket,
  noParts,
  openPart,
  partNames,
  partOf,
  partsOf,
  type TrafficMatch,
  type TrafficParts,
} from './traffic.ts';
import { describeBoxes } from './words.ts';

export interface FlowBox {
  readonly sources: AddressSet;
  readonly destinations: AddressSet;
  readonly there: TrafficParts;
  /** Of the replies: their destination ports are the requests' source ports. */
  readonly back: TrafficParts;
}

/** Source ports that clients have (N8); the first that is free for use in an example. */
const usualSourcePort = 40_000;
const usualPorts = [443, 80, 22, 53];
const usualAddresses = ['203.0.113.50', '198.51.100.7', '2001:db8:f000::cb00:7132'];

export class FlowSet {
  readonly boxes: readonly FlowBox[];

  /** @param boxes those without a packet are left out */
  constructor(boxes: readonly FlowBox[]) {
    this.boxes = boxes.filter((box) => !isEmptyBox(box));
  }

  get isEmpty(): boolean {
    return this.boxes.length === 0;
  }

  contains(packet: Packet): boolean {
    const reply = replyTo(packet);
    return this.boxes.some(
      ({ sources, destinations, there, back }) =>
        sources.contains(packet.source) &&
        destinations.contains(packet.destination) &&
        hasPacket(there, packet) &&
        hasPacket(back, reply),
    );
  }

  intersect(other: FlowSet): FlowSet {
    return new FlowSet(
      this.boxes.flatMap((a) =>
        other.boxes.map((b) => ({
          sources: a.sources.intersect(b.sources),
          destinations: a.destinations.intersect(b.destinations),
          there: combineParts(a.there, b.there, intersect),
          back: combineParts(a.back, b.back, intersect),
        })),
      ),
    );
  }

  unite(other: FlowSet): FlowSet {
    return new FlowSet([...this.boxes, ...other.boxes]);
  }

  /** What of it matches: requests of a protocol to some ports. */
  only(...matches: readonly TrafficMatch[]): FlowSet {
    const there = matches.map(partsOf).reduce((sum, each) => combineParts(sum, each, unite), noParts);
    const filter: FlowBox = { sources: AddressSet.all, destinations: AddressSet.all, there, back: allParts };
    return this.intersect(new FlowSet([filter]));
  }

  /** Protocol numbers of which there is any packet, ascending. */
  protocols(): Protocol[] {
    const found = new Set<Protocol>();
    for (const { there, back } of this.boxes) {
      for (const part of partNames) {
        const open = openPart(there, back, part);
        if (part !== 'other') {
          if (open.length > 0) found.add(protocols[part]);
        } else for (const [from, end] of pairsOf(open)) for (let each = from; each < end; each += 1) found.add(each);
      }
    }
    return [...found].sort((a, b) => a - b);
  }

  /** Destination ports of tcp or udp that some packet has; empty for other protocols. */
  ports(protocol: Protocol): PortRange[] {
    const part = partOf(protocol);
    if (part !== 'tcp' && part !== 'udp') return [];
    const all = this.boxes
      .map(({ there, back }) => openPart(there, back, part))
      .reduce<Ranges<number>>((sum, each) => unite(sum, each), nothing);
    return [...pairsOf(all)].map(([from, end]) => ({ from, to: end - 1 }));
  }

  sources(): AddressSet {
    return this.boxes.reduce((sum, box) => sum.unite(box.sources), AddressSet.none);
  }

  destinations(): AddressSet {
    return this.boxes.reduce((sum, box) => sum.unite(box.destinations), AddressSet.none);
  }

  /** One packet of the set, a usual one where there is one: walk() says of it that it is open. */
  example(): Packet | undefined {
    const [box] = this.boxes;
    return box === undefined ? undefined : exampleOf(box);
  }

  /** `tcp 22, 443 from 10.0.0.0/8 to 10.0.1.7`; `all traffic`, where it is that. */
  describe(): string {
    return describeBoxes(this.boxes);
  }
}

export function isEmptyBox({ sources, destinations, there, back }: FlowBox): boolean {
  return sources.isEmpty || destinations.isEmpty || partNames.every((part) => openPart(there, back, part).length === 0);
}

/** Boxes that differ in one side only become one, until none do. */
export function mergeBoxes(boxes: readonly FlowBox[]): readonly FlowBox[] {
  const merged: FlowBox[] = [];
  for (const box of boxes) {
    const index = merged.findIndex(
      (each) =>
        isSameTraffic(each, box) && (each.sources.isSame(box.sources) || each.destinations.isSame(box.destinations)),
    );
    const found = merged[index];
    if (found === undefined) merged.push(box);
    else
      merged[index] = {
        ...box,
        sources: found.sources.unite(box.sources),
        destinations: found.destinations.unite(box.destinations),
      };
  }
  return merged.length === boxes.length ? merged : mergeBoxes(merged);
}

export function isSameTraffic(a: FlowBox, b: FlowBox): boolean {
  return partNames.every((part) => isSame(a.there[part], b.there[part]) && isSame(a.back[part], b.back[part]));
}

function exampleOf({ sources, destinations, there, back }: FlowBox): Packet | undefined {
  const source = sources.example(usualAddresses);
  // Of the source's family, if there is one: no packet has two.
  const isOf6 = source?.includes(':') === true;
  const family = new AddressSet(isOf6 ? [] : AddressSet.all.v4, isOf6 ? AddressSet.all.v6 : []);
  const destination = destinations.intersect(family).example(usualAddresses);
  if (source === undefined || destination === undefined) return undefined;
  for (const part of partNames) {
    const open = openPart(there, back, part);
    if (open.length === 0) continue;
    if (part === 'other') return { protocol: pick(open, []), source, destination };
    const protocol = protocols[part];
    if (part === 'tcp' || part === 'udp') {
      const destinationPort = pick(open, usualPorts);
      return { protocol, source, destination, sourcePort: pick(back[part], [usualSourcePort]), destinationPort };
    }
    const echo = part === 'icmp' ? echoRequest : echoRequest6;
    const value = pick(open, [echo.type * 256 + echo.code]);
    return { protocol, source, destination, icmp: { type: value >> 8, code: value & 255 } };
  }
  return undefined;
}

function pick(ranges: Ranges<number>, preferred: readonly number[]): number {
  const liked = preferred.find((each) => intersect(ranges, [each, each + 1]).length > 0);
  return liked ?? ranges[0] ?? 0;
}
