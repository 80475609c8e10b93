// Could something that is not modelled change this answer? The Snapshot of a real account is a part of the truth: its roads that are not modelled are closed in it.
// So what it lets pass does pass, and what it does not let pass may pass by one of them. Each kind says where that can be.

import { AddressSet } from '@postern/network/reach/address-set.ts';
import type { Reachability } from '@postern/network/reach/reach.ts';
import type { Cidr, Vpc, VpcId } from '@postern/network/snapshot.ts';
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
function isRoadBetween(road: Unmodelled & { kind: 'road' }, from: Side, to: Side): boolean {
  const receivers = spotsOf(to);
  return spotsOf(from).some((a) =>
    receivers.some((b) => {
      if (a.vpc !== undefined && a.vpc === b.vpc)
        return leadsInside(road, a, b.addresses) || leadsInside(road, b, a.addresses);
      const there = a.vpc === undefined || leads(road, a, b.addresses);
      const back = b.vpc === undefined || leads(road, b, a.addresses);
      return there && back && (a.vpc ?? b.vpc) !== undefined;
    }),
  );
}

/** A subnet that interfaces of a side are in, or the hosts outside. */
interface Spot {
  readonly vpc?: Vpc;
  readonly routeTableId?: string;
  readonly addresses: AddressSet;
}

function spotsOf(side: Side): Spot[] {
  if (side.kind !== 'interfaces') {
    const addresses = side.kind === 'internet' && side.cidrs !== undefined ? AddressSet.ofCidrs(side.cidrs) : outside;
    return [{ addresses }];
  }
  const subnets = new Map(side.places.map(({ eni, vpc }) => [eni.subnetId, vpc]));
  return [...subnets].flatMap(([subnetId, vpc]): Spot[] => {
    const subnet = vpc.subnets.find((each) => each.subnetId === subnetId);
    if (subnet === undefined) return [];
    const blocks = AddressSet.ofCidrs([subnet.cidrBlock, ...(subnet.ipv6CidrBlock ? [subnet.ipv6CidrBlock] : [])]);
    const addresses = side.only === undefined ? blocks : blocks.intersect(side.only);
    return [{ vpc, routeTableId: subnet.routeTableId, addresses }];
  });
}

/** Where the internet is. */
const outside = AddressSet.all.subtract(AddressSet.ofCidrs(privateBlocks));

function leads(road: Unmodelled & { kind: 'road' }, spot: Spot, target: AddressSet): boolean {
  return !AddressSet.ofCidrs(destinationsFrom(road, spot)).intersect(target).isEmpty;
}

function leadsInside(road: Unmodelled & { kind: 'road' }, spot: Spot, target: AddressSet): boolean {
  const blocks = AddressSet.ofCidrs([...(spot.vpc?.cidrBlocks ?? []), ...(spot.vpc?.ipv6CidrBlocks ?? [])]);
  const narrow = destinationsFrom(road, spot).filter((each) => AddressSet.ofCidrs([each]).subtract(blocks).isEmpty);
  return !AddressSet.ofCidrs(narrow).intersect(target).isEmpty;
}

function destinationsFrom({ routes }: Unmodelled & { kind: 'road' }, { routeTableId }: Spot): Cidr[] {
  return routes.filter((each) => each.routeTableId === routeTableId).flatMap((each) => each.destinations);
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
