// Sets of packets of one protocol, as products of addresses and ports: what is left of one when another is taken away is a few more of them. IPv4.

import { addressesOf as addressesOfCidr } from '../cidr.ts';
import { AddressSet, end4 } from '../reach/address-set.ts';
import type { FlowSet } from '../reach/flow-set.ts';
import { has, intersect, isSame, pairsOf, type Ranges, rangesOf, subtract, unite } from '../reach/ranges.ts';
import type { PortRange } from '../snapshot.ts';
import type { Packet } from '../walk/packet.ts';

export interface Slab {
  readonly sources: AddressSet;
  readonly destinations: AddressSet;
  readonly sourcePorts: Ranges<number>;
  readonly destinationPorts: Ranges<number>;
}

export const anyAddress = new AddressSet([0, end4], []);
export const anyPort: Ranges<number> = [0, 65_536];
export const everything: Slab = {
  sources: anyAddress,
  destinations: anyAddress,
  sourcePorts: anyPort,
  destinationPorts: anyPort,
};

export function portsOf(ranges: Iterable<PortRange>): Ranges<number> {
  return rangesOf([...ranges].map(({ from, to }) => [from, to + 1] as const));
}

export function toPortRanges(ranges: Ranges<number>): PortRange[] {
  return [...pairsOf(ranges)].map(([from, end]) => ({ from, to: end - 1 }));
}

export function isEmpty({ sources, destinations, sourcePorts, destinationPorts }: Slab): boolean {
  return sources.isEmpty || destinations.isEmpty || sourcePorts.length === 0 || destinationPorts.length === 0;
}

export function both(a: Slab, b: Slab): Slab {
  return {
    sources: a.sources.intersect(b.sources),
    destinations: a.destinations.intersect(b.destinations),
    sourcePorts: intersect(a.sourcePorts, b.sourcePorts),
    destinationPorts: intersect(a.destinationPorts, b.destinationPorts),
  };
}

/** What of `a` is not in `b`: field by field, so that no packet is in two of the slabs. */
export function without(a: Slab, b: Slab): Slab[] {
  const common = both(a, b);
  if (isEmpty(common)) return [a];
  const { sources, destinations, sourcePorts, destinationPorts } = common;
  const rest: Slab[] = [
    { ...a, sources: a.sources.subtract(sources) },
    { ...a, sources, destinations: a.destinations.subtract(destinations) },
    { ...a, sources, destinations, sourcePorts: subtract(a.sourcePorts, sourcePorts) },
    { sources, destinations, sourcePorts, destinationPorts: subtract(a.destinationPorts, destinationPorts) },
  ];
  return rest.filter((each) => !isEmpty(each));
}

/** Slabs that differ in one field only become one, until none do. */
export function united(slabs: readonly Slab[]): Slab[] {
  const result: Slab[] = [];
  for (let slab of slabs) {
    for (let at = result.findIndex((each) => difference(each, slab) !== undefined); at >= 0; ) {
      const [other] = result.splice(at, 1);
      const field = other === undefined ? undefined : difference(other, slab);
      if (other === undefined || field === undefined) break;
      slab = {
        ...slab,
        ...(field === 'sources' || field === 'destinations'
          ? { [field]: slab[field].unite(other[field]) }
          : { [field]: unite(slab[field], other[field]) }),
      };
      at = result.findIndex((each) => difference(each, slab) !== undefined);
    }
    result.push(slab);
  }
  return result;
}

/** The one field that two slabs differ in; any, when they are the same; undefined: more than one. */
function difference(a: Slab, b: Slab): keyof Slab | undefined {
  const differing = fields.filter((field) =>
    field === 'sources' || field === 'destinations' ? !a[field].isSame(b[field]) : !isSame(a[field], b[field]),
  );
  return differing.length > 1 ? undefined : (differing[0] ?? 'sources');
}

const fields = ['sources', 'destinations', 'sourcePorts', 'destinationPorts'] as const satisfies (keyof Slab)[];

export function holds(slab: Slab, { source, destination, sourcePort = -1, destinationPort = -1 }: Packet): boolean {
  return (
    slab.sources.contains(source) &&
    slab.destinations.contains(destination) &&
    has(slab.sourcePorts, sourcePort) &&
    has(slab.destinationPorts, destinationPort)
  );
}

/** The flows of tcp (6) or udp (17) of a set, together those that have the same address at each end that is an interface: what a gateway makes of it is one. */
export function slabsOf(flows: FlowSet, protocol: number, split: readonly ('sources' | 'destinations')[]): Slab[][] {
  const part = protocol === 6 ? 'tcp' : 'udp';
  const groups = new Map<string, Slab[]>();
  for (const { sources, destinations, there, back } of flows.boxes) {
    const whole: Slab = {
      sources: sources.intersect(anyAddress),
      destinations: destinations.intersect(anyAddress),
      sourcePorts: back[part],
      destinationPorts: there[part],
    };
    if (isEmpty(whole)) continue;
    const single = split.reduce<readonly Slab[]>(
      (list, side) => list.flatMap((slab) => addressesOf(slab[side]).map((one) => ({ ...slab, [side]: one }))),
      [whole],
    );
    for (const slab of single) {
      const key = split.map((side) => slab[side].describe()).join();
      groups.set(key, [...(groups.get(key) ?? []), slab]);
    }
  }
  return [...groups.values()].map(united);
}

/** Each for itself; an interface has few. */
function addressesOf(set: AddressSet): AddressSet[] {
  return set.cidrs().flatMap((cidr) => [...addressesOfCidr(cidr)].map((address) => AddressSet.ofAddresses([address])));
}

/** A packet of the slab, a usual one where there is one. */
export function exampleOf(slab: Slab, protocol: number): Packet {
  const usual = ['203.0.113.50', '198.51.100.7'];
  return {
    protocol,
    source: slab.sources.example(usual) ?? '',
    destination: slab.destinations.example(usual) ?? '',
    sourcePort: pick(slab.sourcePorts, [40_000]),
    destinationPort: pick(slab.destinationPorts, [443, 80, 22]),
  };
}

function pick(ranges: Ranges<number>, preferred: readonly number[]): number {
  return preferred.find((each) => intersect(ranges, [each, each + 1]).length > 0) ?? ranges[0] ?? 0;
}
