// Courses between two ends: one for each pair of addresses; where an end is the internet, or shows its clients' addresses, one for each interval that the tables on the
// way cut its addresses into.

import { AddressSet } from './address-set.ts';
import { follow, type Outcome } from './course.ts';
import { pairsOf, type Ranges, rangesOf } from './ranges.ts';
import { type Address, Free, isFree, type Point } from './segment-table.ts';
import type { Site, Sites } from './sites.ts';
import type { Takes } from './takes.ts';
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

/** The addresses of an end: those that interfaces have, and hosts that are asked about interval by interval. */
interface Side {
  readonly points: readonly Point[];
  readonly hosts: AddressSet;
}

/** Whether flows can begin at an interface: not at NAT gateways' and endpoints', which answer only, nor at transit gateways'. */
export function begins({ carries, placed }: Site): boolean {
  const kind = placed.eni.service?.kind;
  return carries && kind !== 'nat-gateway' && kind !== 'vpc-endpoint' && kind !== 'transit-gateway';
}

/** An instance connect endpoint that shows its clients' addresses sends as anybody (J4). */
export function sendsAsAnybody({ connectEndpoint }: Site): boolean {
  return connectEndpoint?.preserveClientIp === true;
}

function sourcesOf(origin: Site): Side {
  const own = AddressSet.ofAddresses(origin.addresses.map(({ text }) => text));
  return { points: origin.addresses, hosts: sendsAsAnybody(origin) ? AddressSet.all.subtract(own) : AddressSet.none };
}

/** From each address of an interface to each of the points. */
export function toPoints(exploration: Exploration, origin: Site, points: readonly Point[]): Found[] {
  return between(exploration, origin, sourcesOf(origin), { points, hosts: AddressSet.none });
}

/** To an interface, by its private and public addresses. */
export function toInterface(exploration: Exploration, origin: Site, target: Site): Found[] {
  const found = toPoints(exploration, origin, target.reachedAt);
  return found.filter(({ outcome: { arrival } }) => isAt(arrival, target));
}

/** Whether it is this interface that a packet for one of its addresses came to, and none of another VPC with the same address. */
export function isAt(arrival: Outcome['arrival'], { id, placed }: Site): boolean {
  switch (arrival.kind) {
    case 'network-interface':
      return arrival.networkInterfaceId === id;
    case 'load-balancer':
      return arrival.networkInterfaceId === id;
    case 'vpc-endpoint':
      return placed.eni.service?.kind === 'vpc-endpoint' && placed.eni.service.vpcEndpointId === arrival.vpcEndpointId;
    default:
      return false;
  }
}

/** To addresses outside, also as NAT64 has them. What an interface has as its public address is no host of the internet, and left out. */
export function toOutside(exploration: Exploration, origin: Site, domain: AddressSet): Found[] {
  const held = exploration.sites.publicAddresses();
  const hosts = exploration.sites.nat64.with(domain);
  return between(exploration, origin, sourcesOf(origin), { points: [], hosts }).map(
    ({ sources, destinations, outcome }) => ({
      sources,
      destinations: destinations.subtract(held),
      outcome,
    }),
  );
}

export function fromOutside(exploration: Exploration, domain: AddressSet, target: Site): Found[] {
  const points = [...target.publicAddresses, ...target.addresses.filter((each) => each.isIpv6)];
  return between(exploration, undefined, { points: [], hosts: domain }, { points, hosts: AddressSet.none }).filter(
    ({ outcome: { arrival } }) => isAt(arrival, target),
  );
}

/** Every address, or interval of addresses, of the one side to every one of the other; those that end alike are gathered. */
function between(
  { sites, takes, traffic }: Exploration,
  from: Site | undefined,
  sources: Side,
  destinations: Side,
): Found[] {
  const found: { source: Address; destination: Address; outcome: Outcome }[] = [];
  for (const isIpv6 of [false, true])
    visit(sources, isIpv6, (source) =>
      visit(destinations, isIpv6, (destination) => {
        for (const outcome of follow(sites, takes, from, source, destination, traffic))
          found.push({ source, destination, outcome });
      }),
    );
  const bySource = gather(found, ({ source, outcome }) => `${boundsOf(source).join()} ${keyOf(outcome)}`).map(
    (alike) => ({
      ...alike[0],
      destinations: setOf(alike.map(({ destination }) => destination)),
    }),
  );
  const byBoth = gather(
    bySource,
    ({ destinations: { v4, v6 }, outcome }) => `${v4.join()} ${v6.join()} ${keyOf(outcome)}`,
  );
  return byBoth.map((alike) => {
    const [{ destinations: reached, outcome }] = alike;
    return { sources: setOf(alike.map(({ source }) => source)), destinations: reached, outcome };
  });
}

/**
 * One after the other; an interval that the visit narrowed is followed by the one that begins where it ends now. What a visit finds of an interval holds for what is
 * left of it after the visit.
 */
function visit({ points, hosts }: Side, isIpv6: boolean, each: (address: Address) => void): void {
  for (const point of points) if (point.isIpv6 === isIpv6) each(point);
  for (const [from, end] of pairsOf<number | bigint>(isIpv6 ? hosts.v6 : hosts.v4)) {
    for (let at = from; at < end; ) {
      const free = new Free(isIpv6, at, end);
      each(free);
      at = free.end;
    }
  }
}

function gather<T>(all: readonly T[], keyOfOne: (one: T) => string): [T, ...T[]][] {
  const gathered = new Map<string, [T, ...T[]]>();
  for (const each of all) {
    const key = keyOfOne(each);
    const alike = gathered.get(key);
    if (alike === undefined) gathered.set(key, [each]);
    else alike.push(each);
  }
  return [...gathered.values()];
}

/** Outcomes of the same key differ in nothing but addresses. */
function keyOf({ arrival, there, back, via, viaReturn }: Outcome): string {
  const where = arrival.kind === 'internet' ? arrival.kind : Object.values(arrival).join();
  const road = (hops: Outcome['via']) => hops.map((each) => each.id).join();
  return [where, there.id, back.id, road(via), road(viaReturn)].join(' ');
}

function boundsOf(address: Address): [from: number | bigint, end: number | bigint] {
  if (isFree(address)) return [address.from, address.end];
  const { value } = address;
  return [value, typeof value === 'bigint' ? value + 1n : value + 1];
}

function setOf(addresses: readonly Address[]): AddressSet {
  const ranges = (isIpv6: boolean) => rangesOf(addresses.filter((each) => each.isIpv6 === isIpv6).map(boundsOf));
  return new AddressSet(ranges(false) as Ranges<number>, ranges(true) as Ranges<bigint>);
}
