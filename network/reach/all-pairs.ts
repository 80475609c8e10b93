// Who reaches whom, of everybody. One interface of each class (classes.ts) is asked about, so the work grows with a network's design and not with its size:
// more of the same machines are no more classes. What was found is kept once for a pair of classes, and told for each pair of interfaces when it is asked for.

import type { NetworkInterfaceId } from '../snapshot.ts';
import { AddressSet } from './address-set.ts';
import { classesOf, type InterfaceClass, neighbourhoods } from './classes.ts';
import { follow, type Outcome } from './course.ts';
import type { End, Reach } from './ends.ts';
import {
  begins,
  type Exploration,
  type Found,
  fromOutside,
  isAt,
  sendsAsAnybody,
  toInterface,
  toOutside,
} from './explore.ts';
import { asReaches } from './reaches.ts';
import type { Site } from './sites.ts';

/** Addresses by their place among those of a class's members (`reachedAt`), or of the internet. */
interface PairFound {
  readonly source: number | AddressSet;
  readonly destination: number | AddressSet;
  readonly outcome: Outcome;
}

export interface ClassPair {
  /** A place in `classes`, or the internet. */
  readonly from: number | 'internet';
  readonly to: number | 'internet';
  readonly found: readonly PairFound[];
}

export class AllPairs {
  /** Interfaces that nothing tells apart. */
  readonly classes: readonly (readonly NetworkInterfaceId[])[];
  /** Those between which something is open. */
  readonly pairs: readonly ClassPair[];
  readonly #members: readonly InterfaceClass[];

  constructor(members: readonly InterfaceClass[], pairs: readonly ClassPair[]) {
    this.#members = members;
    this.classes = members.map((each) => each.map(({ id }) => id));
    this.pairs = pairs;
  }

  /** How many pairs of ends reach each other. */
  get count(): number {
    const size = (place: number | 'internet') => (place === 'internet' ? 1 : (this.classes[place]?.length ?? 0));
    return this.pairs.reduce((sum, { from, to }) => sum + size(from) * (from === to ? size(to) - 1 : size(to)), 0);
  }

  /**
   * The answers for all pairs of ends, one after the other.
   * @param among only between these
   */
  *expand(among: { from?: (end: End) => boolean; to?: (end: End) => boolean } = {}): Generator<Reach> {
    const { from: isFrom = () => true, to: isTo = () => true } = among;
    for (const pair of this.pairs) {
      const froms = this.#sitesAt(pair.from).filter((site) => isFrom(endOf(site)));
      const tos = this.#sitesAt(pair.to).filter((site) => isTo(endOf(site)));
      for (const from of froms)
        for (const to of tos) {
          if (from === to) continue;
          yield* asReaches(
            endOf(from),
            endOf(to),
            pair.found.map((each) => concrete(each, from, to)),
          );
        }
    }
  }

  #sitesAt(place: number | 'internet'): readonly (Site | undefined)[] {
    return place === 'internet' ? [undefined] : (this.#members[place] ?? []);
  }
}

export function allPairs(exploration: Exploration): AllPairs {
  const classes = classesOf(exploration.sites);
  const near = neighbourhoods(exploration.sites.network.snapshot);
  const pairs: ClassPair[] = [];
  const add = (from: ClassPair['from'], to: ClassPair['to'], found: readonly PairFound[]) => {
    if (found.length > 0) pairs.push({ from, to, found });
  };
  classes.forEach((senders, from) => {
    const [sender] = senders;
    if (begins(sender)) {
      classes.forEach((receivers, to) => {
        const receiver = from === to ? receivers[1] : receivers[0];
        if (receiver === undefined) return;
        const isNear = near.get(sender.vpc.vpcId) === near.get(receiver.vpc.vpcId);
        const found = sendsAsAnybody(sender)
          ? toInterface(exploration, sender, receiver).flatMap((each) => placed(each, undefined, receiver))
          : between(exploration, sender, receiver, isNear);
        add(from, to, found);
      });
      add(
        from,
        'internet',
        toOutside(exploration, sender, AddressSet.all)
          .filter(({ outcome }) => outcome.arrival.kind === 'internet')
          .flatMap((each) => placed(each, sendsAsAnybody(sender) ? undefined : sender, undefined)),
      );
    }
    add(
      'internet',
      from,
      fromOutside(exploration, AddressSet.all, sender).flatMap((each) => placed(each, undefined, sender)),
    );
  });
  return new AllPairs(classes, pairs);
}

/** @param isNear whether private addresses of the one mean something to the other */
function between({ sites, takes, traffic }: Exploration, sender: Site, receiver: Site, isNear: boolean): PairFound[] {
  let found: PairFound[] | undefined;
  const points = receiver.reachedAt;
  for (let destination = 0; destination < points.length; destination += 1) {
    const to = points[destination];
    if (to === undefined || (!isNear && !to.isIpv6 && destination < receiver.addresses.length)) continue;
    for (let source = 0; source < sender.addresses.length; source += 1) {
      const from = sender.addresses[source];
      if (from === undefined || from.isIpv6 !== to.isIpv6) continue;
      for (const outcome of follow(sites, takes, sender, from, to, traffic)) {
        if (!isAt(outcome.arrival, receiver)) continue;
        found ??= [];
        found.push({ source, destination, outcome });
      }
    }
  }
  return found ?? [];
}

/** What was found, by the places of an end's addresses; an end that is undefined, and one that sends as anybody and is alone in its class, keeps its own. */
function placed({ sources, destinations, outcome }: Found, from: Site | undefined, to: Site | undefined): PairFound[] {
  return placesOf(sources, from).flatMap((source) =>
    placesOf(destinations, to).map((destination) => ({ source, destination, outcome })),
  );
}

function placesOf(addresses: AddressSet, site: Site | undefined): (number | AddressSet)[] {
  if (site === undefined) return [addresses];
  return site.reachedAt.flatMap(({ text }, place) => (addresses.contains(text) ? [place] : []));
}

function concrete({ source, destination, outcome }: PairFound, from: Site | undefined, to: Site | undefined): Found {
  return { sources: setAt(source, from), destinations: setAt(destination, to), outcome };
}

function setAt(place: number | AddressSet, site: Site | undefined): AddressSet {
  if (typeof place !== 'number') return place;
  const point = site?.reachedAt[place];
  return point === undefined ? AddressSet.none : AddressSet.ofAddresses([point.text]);
}

function endOf(site: Site | undefined): End {
  return site === undefined ? { kind: 'internet' } : { kind: 'network-interface', networkInterfaceId: site.id };
}
