// Courses between two ends: one for each pair of addresses, and where an end is the internet, as many intervals as the tables on the way cut it into.

import { AddressSet } from './address-set.ts';
import { follow, type Outcome, type Takes } from './course.ts';
import { pairsOf, type Ranges, rangesOf } from './ranges.ts';
import { type Address, Free, type Point } from './segment-table.ts';
import type { Site, Sites } from './sites.ts';
import type { Traffic } from './traffic.ts';

/** What questions are asked with. */
export interface Exploration {
  readonly sites: Sites;
  readonly takes: Takes;
  /** Requests that are asked about. */
  readonly traffic: Traffic;
}

/** Addresses between which something is open, and what. */
export interface Found {
  readonly sources: AddressSet;
  readonly destinations: AddressSet;
  readonly outcome: Outcome;
}

/** Whether flows can begin at an interface: not at NAT gateways' and endpoints', which answer only. */
export function begins({ carries, placed }: Site): boolean {
  const kind = placed.eni.service?.kind;
  return carries && kind !== 'nat-gateway' && kind !== 'vpc-endpoint';
}

/** From each address of an interface to each of the points; those of one family. */
export function toPoints(exploration: Exploration, origin: Site, points: Iterable<Point>): Found[] {
  const { sites, takes, traffic } = exploration;
  const found: Found[] = [];
  for (const destination of points) {
    for (const source of origin.addresses) {
      if (source.isIpv6 !== destination.isIpv6) continue;
      const outcome = follow(sites, takes, origin, source, destination, traffic);
      if (outcome !== undefined) found.push({ sources: setOf(source), destinations: setOf(destination), outcome });
    }
  }
  return found;
}

/** To an interface, by its private and public addresses. */
export function toInterface(exploration: Exploration, origin: Site, target: Site): Found[] {
  const found = toPoints(exploration, origin, [...target.addresses, ...target.publicAddresses]);
  return found.filter(({ outcome: { arrival } }) => isAt(arrival, target));
}

/** Whether it is this interface that a packet for one of its addresses came to, and none of another VPC with the same address. */
export function isAt(arrival: Outcome['arrival'], { id, placed }: Site): boolean {
  switch (arrival.kind) {
    case 'network-interface':
      return arrival.networkInterfaceId === id;
    case 'vpc-endpoint':
      return placed.eni.service?.kind === 'vpc-endpoint' && placed.eni.service.vpcEndpointId === arrival.vpcEndpointId;
    default:
      return false;
  }
}

/** To addresses outside. What an interface has as its public address is no host of the internet, and left out. */
export function toOutside(exploration: Exploration, origin: Site, domain: AddressSet): Found[] {
  const { sites, takes, traffic } = exploration;
  const held = sites.publicAddresses();
  return origin.addresses.flatMap((source) =>
    cutOut(source.isIpv6, domain, (free) => follow(sites, takes, origin, source, free, traffic)).map(
      ([addresses, outcome]) => ({ sources: setOf(source), destinations: addresses.subtract(held), outcome }),
    ),
  );
}

export function fromOutside(exploration: Exploration, domain: AddressSet, target: Site): Found[] {
  const { sites, takes, traffic } = exploration;
  const addresses = [...target.publicAddresses, ...target.addresses.filter((each) => each.isIpv6)];
  return addresses.flatMap((destination) =>
    cutOut(destination.isIpv6, domain, (free) => follow(sites, takes, undefined, free, destination, traffic))
      .filter(([, { arrival }]) => isAt(arrival, target))
      .map(([sources, outcome]) => ({ sources, destinations: setOf(destination), outcome })),
  );
}

/**
 * Cuts one family's part of a domain into the intervals in which a course ends alike, and gathers those that end the same way.
 * @param course narrows its address to what the answer holds for
 */
function cutOut(
  isIpv6: boolean,
  domain: AddressSet,
  course: (free: Free) => Outcome | undefined,
): [addresses: AddressSet, outcome: Outcome][] {
  const gathered = new Map<string, { outcome: Outcome; pairs: [Free['from'], Free['end']][] }>();
  for (const [from, end] of pairsOf<number | bigint>(isIpv6 ? domain.v6 : domain.v4)) {
    for (let at = from; at < end; ) {
      const free = new Free(isIpv6, at, end);
      const outcome = course(free);
      if (outcome !== undefined) {
        const key = keyOf(outcome);
        const same = gathered.get(key) ?? { outcome, pairs: [] };
        gathered.set(key, same);
        same.pairs.push([at, free.end]);
      }
      at = free.end;
    }
  }
  return [...gathered.values()].map(({ outcome, pairs }) => {
    const ranges = rangesOf(pairs);
    return [
      isIpv6 ? new AddressSet([], ranges as Ranges<bigint>) : new AddressSet(ranges as Ranges<number>, []),
      outcome,
    ];
  });
}

/** Outcomes of the same key differ in nothing but addresses. */
export function keyOf({ arrival, there, back, via, viaReturn }: Outcome): string {
  const where = arrival.kind === 'internet' ? arrival.kind : Object.values(arrival).join();
  const road = (hops: Outcome['via']) => hops.map((each) => each.id).join();
  return [where, there.id, back.id, road(via), road(viaReturn)].join(' ');
}

function setOf({ isIpv6, value }: Address): AddressSet {
  return isIpv6
    ? new AddressSet([], [value as bigint, (value as bigint) + 1n])
    : new AddressSet([value as number, (value as number) + 1], []);
}
