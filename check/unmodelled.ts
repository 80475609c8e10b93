// Could something that is not modelled change this answer? The Snapshot of a real account is a part of the truth: its roads that are not modelled are closed in it.
// So what it lets pass does pass, and what it does not let pass may pass by one of them. Each kind says where that can be.

import { AddressSet } from '@postern/network/reach/address-set.ts';
import type { Reachability } from '@postern/network/reach/reach.ts';
import type { Cidr, VpcId } from '@postern/network/snapshot.ts';
import type { Estate, Unmodelled } from './estate.ts';
import { type Place, privateBlocks, reachEnds, type Side } from './resolve.ts';

/** `may-open`: an answer that nothing passes is in doubt; `may-block`: one that something passes. */
export type Doubt = 'may-open' | 'may-block';

export interface Depends {
  readonly what: string;
  readonly because: string;
}

type Part = Extract<Unmodelled, { kind: 'part' }>;

/** What of the estate's unmodelled things could change what passes between two sides. */
export function dependsOn(
  estate: Estate,
  reachability: Reachability,
  froms: readonly Side[],
  tos: readonly Side[],
  doubt: Doubt,
): Depends[] {
  return estate.unmodelled
    .filter((each) => matters(estate, reachability, each, froms, tos, doubt))
    .map(({ what, because }) => ({ what, because }));
}

function matters(
  estate: Estate,
  reachability: Reachability,
  one: Unmodelled,
  froms: readonly Side[],
  tos: readonly Side[],
  doubt: Doubt,
): boolean {
  switch (one.kind) {
    case 'nothing':
      return false;
    case 'part':
      if (one.effect !== 'both' && one.effect !== doubt) return false;
      return one.at === undefined || isAt(one.at, froms, 'egress') || isAt(one.at, tos, 'ingress');
    case 'road':
      return doubt === 'may-open' && froms.some((from) => tos.some((to) => isRoadBetween(one, from, to)));
    case 'relay':
      return doubt === 'may-open' && relays(estate, reachability, one, froms, tos);
  }
}

function isAt(at: NonNullable<Part['at']>, sides: readonly Side[], direction: 'ingress' | 'egress'): boolean {
  const { vpcIds = [], groupIds = [], routeTableIds = [] } = at;
  if (at.direction !== undefined && at.direction !== direction) return false;
  return sides.some(
    (side) =>
      side.kind === 'interfaces' &&
      side.places.some(
        (place) =>
          vpcIds.includes(place.vpc.vpcId) ||
          place.eni.groupIds.some((each) => groupIds.includes(each)) ||
          routeTableIds.some((each) => each === tableOf(place)),
      ),
  );
}

function tableOf({ eni, vpc }: Place): string | undefined {
  return vpc.subnets.find((each) => each.subnetId === eni.subnetId)?.routeTableId;
}

function vpcsOf(sides: readonly Side[]): Set<VpcId> {
  return new Set(sides.flatMap((side) => (side.kind === 'interfaces' ? side.places.map(({ vpc }) => vpc.vpcId) : [])));
}

/**
 * Inside one VPC the local route decides, unless the road has a narrower one (a firewall between subnets). To somewhere else the sender's route table has to lead by the road; from somewhere else the receiver's has to lead the
 * replies back by it.
 */
function isRoadBetween(road: Extract<Unmodelled, { kind: 'road' }>, from: Side, to: Side): boolean {
  const pairs = placesOf(from).flatMap((a) => placesOf(to).map((b) => [a, b] as const));
  return pairs.some(([a, b]) => {
    if (a !== undefined && b !== undefined && a.vpc.vpcId === b.vpc.vpcId)
      return leadsInside(road, a, addressesOf(to, b)) || leadsInside(road, b, addressesOf(from, a));
    const there = a === undefined || leads(road, a, addressesOf(to, b));
    const back = b === undefined || leads(road, b, addressesOf(from, a));
    return there && back && (a !== undefined || b !== undefined);
  });
}

/** Of an end outside: one place that is no interface. */
function placesOf(side: Side): readonly (Place | undefined)[] {
  return side.kind === 'interfaces' ? side.places : [undefined];
}

function addressesOf(side: Side, place: Place | undefined): AddressSet {
  if (place !== undefined) {
    const { privateAddresses, ipv6Addresses } = place.eni;
    return AddressSet.ofAddresses([...privateAddresses.map((each) => each.address), ...ipv6Addresses]);
  }
  return side.kind === 'internet' && side.cidrs !== undefined ? AddressSet.ofCidrs(side.cidrs) : outside;
}

/** Where the internet is. */
const outside = AddressSet.all.subtract(AddressSet.ofCidrs(privateBlocks));

function leads(road: Extract<Unmodelled, { kind: 'road' }>, place: Place, target: AddressSet): boolean {
  return !AddressSet.ofCidrs(destinationsFrom(road, place)).intersect(target).isEmpty;
}

function leadsInside(road: Extract<Unmodelled, { kind: 'road' }>, place: Place, target: AddressSet): boolean {
  const blocks = AddressSet.ofCidrs([...place.vpc.cidrBlocks, ...place.vpc.ipv6CidrBlocks]);
  const narrow = destinationsFrom(road, place).filter((each) => AddressSet.ofCidrs([each]).subtract(blocks).isEmpty);
  return !AddressSet.ofCidrs(narrow).intersect(target).isEmpty;
}

function destinationsFrom({ routes }: Extract<Unmodelled, { kind: 'road' }>, place: Place): Cidr[] {
  const table = tableOf(place);
  return routes.filter((each) => each.routeTableId === table).flatMap((each) => each.destinations);
}

/** A box hands on what reaches it: it matters when the sender reaches the box, and the box could reach the receiver. */
function relays(
  estate: Estate,
  reachability: Reachability,
  relay: Extract<Unmodelled, { kind: 'relay' }>,
  froms: readonly Side[],
  tos: readonly Side[],
): boolean {
  const box: Side = {
    kind: 'interfaces',
    places: estate.snapshot.vpcs.flatMap((vpc) =>
      vpc.networkInterfaces
        .filter((eni) => eni.networkInterfaceId === relay.networkInterfaceId)
        .map((eni) => ({ eni, vpc })),
    ),
  };
  const isIn = (sides: readonly Side[]) =>
    sides.some(
      (side) =>
        side.kind === 'interfaces' &&
        side.places.some(({ eni }) => eni.networkInterfaceId === relay.networkInterfaceId),
    );
  // Asked about the box itself, it is an end like any other.
  if (isIn(froms) || isIn(tos)) return false;
  const reaches = (some: readonly Side[], others: readonly Side[]) =>
    some.some((from) => others.some((to) => reachability.between(reachEnds(from), reachEnds(to)).length > 0));
  // Load balancers have private addresses as targets, no services and no hosts outside.
  const targets = tos.filter((side) => side.kind === 'interfaces');
  if (targets.length === 0 || !reaches(froms, [box])) return false;
  // With the first sender's address the receiver's groups are asked about that, and the way is not the VPC's: whoever is in its VPC may be behind it.
  return relay.preservesSource ? vpcsOf(targets).has(relay.vpcId) : reaches([box], targets);
}
