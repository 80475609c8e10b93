// Traffic: which packets, apart from their addresses. Protocol with destination port, or with ICMP type and code, as rules and ACL entries name them (S10, N1).
// One direction only: a reply's destination port is its request's source port. Values come from a pool that keeps one copy of each and remembers
// every intersection and union, because the same few sets meet over and over.

import type { IcmpMatch, PortRange, Protocol } from '../snapshot.ts';
import { has, intersect, nothing, pairsOf, type Ranges, rangesOf, subtract, unite } from './ranges.ts';

/** How many ports there are, and pairs of ICMP type and code, written type × 256 + code. */
const all16: Ranges<number> = [0, 65_536];
const numbers = { icmp: 1, tcp: 6, udp: 17, icmpv6: 58 } as const;
/** Every protocol but the four. */
const allOther: Ranges<number> = subtract(
  [0, 256],
  rangesOf(Object.values(numbers).map((each) => [each, each + 1] as const)),
);

export interface TrafficParts {
  /** Destination ports. */
  readonly tcp: Ranges<number>;
  readonly udp: Ranges<number>;
  /** type × 256 + code. */
  readonly icmp: Ranges<number>;
  readonly icmpv6: Ranges<number>;
  /** Protocol numbers besides these four. */
  readonly other: Ranges<number>;
}

export type PartName = keyof TrafficParts;
export const partNames = ['tcp', 'udp', 'icmp', 'icmpv6', 'other'] as const satisfies readonly PartName[];

export interface Traffic extends TrafficParts {
  readonly id: number;
}

/** What a rule, an ACL entry or a gateway says of protocol and ports. */
export interface TrafficMatch {
  readonly protocol: Protocol;
  readonly ports?: PortRange;
  readonly icmp?: IcmpMatch;
}

/** What is asked of traffic in a packet. */
export interface PacketTraffic {
  readonly protocol: Protocol;
  readonly destinationPort?: number;
  readonly icmp?: IcmpMatch;
}

export const noParts: TrafficParts = { tcp: nothing, udp: nothing, icmp: nothing, icmpv6: nothing, other: nothing };
export const allParts: TrafficParts = { tcp: all16, udp: all16, icmp: all16, icmpv6: all16, other: allOther };

/** The field of a protocol number. */
export function partOf(protocol: Protocol): PartName {
  switch (protocol) {
    case numbers.tcp:
      return 'tcp';
    case numbers.udp:
      return 'udp';
    case numbers.icmp:
      return 'icmp';
    case numbers.icmpv6:
      return 'icmpv6';
    default:
      return 'other';
  }
}

export function partsOf({ protocol, ports, icmp }: TrafficMatch): TrafficParts {
  if (protocol === -1) return allParts;
  const part = partOf(protocol);
  if (part === 'other') return { ...noParts, other: [protocol, protocol + 1] };
  if (part === 'tcp' || part === 'udp')
    return { ...noParts, [part]: ports === undefined ? all16 : [ports.from, ports.to + 1] };
  return { ...noParts, [part]: icmp === undefined ? all16 : icmpRanges(icmp) };
}

function icmpRanges({ type, code }: IcmpMatch): Ranges<number> {
  const types = type === -1 ? Array.from({ length: 256 }, (_, each) => each) : [type];
  return rangesOf(
    types.map((each) => (code === -1 ? [each * 256, each * 256 + 256] : [each * 256 + code, each * 256 + code + 1])),
  );
}

export function hasPacket(parts: TrafficParts, { protocol, destinationPort, icmp }: PacketTraffic): boolean {
  const part = partOf(protocol);
  if (part === 'other') return has(parts.other, protocol);
  if (part === 'tcp' || part === 'udp') return destinationPort !== undefined && has(parts[part], destinationPort);
  return icmp !== undefined && has(parts[part], icmp.type * 256 + icmp.code);
}

const replyTypes = { icmp: [8, 0], icmpv6: [128, 129] } as const;

/** The requests whose replies are in the set: an echo request is answered by an echo reply, everything else by its own kind. */
export function answeredBy(parts: TrafficParts, part: PartName): Ranges<number> {
  if (part !== 'icmp' && part !== 'icmpv6') return parts[part];
  const [request, reply] = replyTypes[part];
  const shift = (request - reply) * 256;
  const replies = intersect(parts[part], [reply * 256, reply * 256 + 256]);
  const others = subtract(parts[part], [request * 256, request * 256 + 256]);
  return unite(
    others,
    replies.map((bound) => bound + shift),
  );
}

/** Requests of a part that pass on the way there and whose replies pass on the way back. Ports of the way back are the request's source ports. */
export function openPart(there: TrafficParts, back: TrafficParts, part: PartName): Ranges<number> {
  if (part === 'tcp' || part === 'udp') return back[part].length === 0 ? nothing : there[part];
  return intersect(there[part], answeredBy(back, part));
}

export function combineParts(
  a: TrafficParts,
  b: TrafficParts,
  operation: (a: Ranges<number>, b: Ranges<number>) => Ranges<number>,
): TrafficParts {
  return {
    tcp: operation(a.tcp, b.tcp),
    udp: operation(a.udp, b.udp),
    icmp: operation(a.icmp, b.icmp),
    icmpv6: operation(a.icmpv6, b.icmpv6),
    other: operation(a.other, b.other),
  };
}

/** More values than one network has; an id times this plus another is a whole number still. */
const idSpace = 2 ** 24;

/** Packets of an IPv6 client that NAT64 makes these of (G13): echo is what its ICMP has of a flow. */
function sixPartsOf({ tcp, udp, icmp }: TrafficParts): TrafficParts {
  const echoes = [0, 1].flatMap((which) => {
    const [four, six] = [replyTypes.icmp[which] ?? 0, replyTypes.icmpv6[which] ?? 0];
    return [...pairsOf(intersect(icmp, [four * 256, four * 256 + 256]))].map(
      ([from, end]) => [from + (six - four) * 256, end + (six - four) * 256] as const,
    );
  });
  return { ...noParts, tcp, udp, icmpv6: rangesOf(echoes) };
}

export class TrafficPool {
  readonly #values = new Map<string, Traffic>();
  readonly #intersections = new Map<number, Traffic>();
  readonly #unions = new Map<number, Traffic>();
  readonly #answered = new Map<number, boolean>();
  readonly #beforeNat64 = new Map<Traffic, Traffic>();
  readonly none: Traffic;
  readonly all: Traffic;

  constructor() {
    this.none = this.keep(noParts);
    this.all = this.keep(allParts);
  }

  /** The one copy of these parts. */
  keep(parts: TrafficParts): Traffic {
    const key = partNames.map((name) => parts[name].join()).join(' ');
    let value = this.#values.get(key);
    if (value === undefined) {
      const { tcp, udp, icmp, icmpv6, other } = parts;
      value = { id: this.#values.size, tcp, udp, icmp, icmpv6, other };
      this.#values.set(key, value);
    }
    return value;
  }

  of(...matches: readonly TrafficMatch[]): Traffic {
    return matches.map((each) => this.keep(partsOf(each))).reduce((sum, each) => this.unite(sum, each), this.none);
  }

  intersect(a: Traffic, b: Traffic): Traffic {
    if (a === b || b === this.all || a === this.none) return a;
    if (a === this.all || b === this.none) return b;
    return this.#combine(this.#intersections, a, b, intersect);
  }

  unite(a: Traffic, b: Traffic): Traffic {
    if (a === b || b === this.none || a === this.all) return a;
    if (a === this.none || b === this.all) return b;
    return this.#combine(this.#unions, a, b, unite);
  }

  /** As an IPv6 client of NAT64 sends it. */
  beforeNat64(a: Traffic): Traffic {
    const known = this.#beforeNat64.get(a);
    if (known !== undefined) return known;
    const value = this.keep(sixPartsOf(a));
    this.#beforeNat64.set(a, value);
    return value;
  }

  subtract(a: Traffic, b: Traffic): Traffic {
    return this.keep(combineParts(a, b, subtract));
  }

  /** Whether any request passes there and its reply back. */
  isOpen(there: Traffic, back: Traffic): boolean {
    const key = there.id * idSpace + back.id;
    let isOpen = this.#answered.get(key);
    if (isOpen === undefined) {
      isOpen = partNames.some((part) => openPart(there, back, part).length > 0);
      this.#answered.set(key, isOpen);
    }
    return isOpen;
  }

  #combine(memory: Map<number, Traffic>, a: Traffic, b: Traffic, operation: typeof intersect<number>): Traffic {
    const key = a.id < b.id ? a.id * idSpace + b.id : b.id * idSpace + a.id;
    let value = memory.get(key);
    if (value === undefined) {
      value = this.keep(combineParts(a, b, operation));
      memory.set(key, value);
    }
    return value;
  }
}
