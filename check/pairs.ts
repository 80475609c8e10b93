// Pairs of a sender and a receiver that speak for all: of interfaces that no rule tells apart, one. A claim about a thousand machines of ten kinds is a hundred questions.

import type { NetworkInterfaceId } from '@postern/network/snapshot.ts';
import type { Place, Side } from './resolve.ts';

export interface Pair {
  /** With one interface, where it has any. */
  readonly from: Side;
  readonly to: Side;
  /** How many pairs it speaks for. */
  readonly count: number;
}

/** Each interface with its class; one that is in none is a class of its own. */
export type ClassOf = (id: NetworkInterfaceId) => number | string;

export function* pairsBetween(classOf: ClassOf, froms: readonly Side[], tos: readonly Side[]): Generator<Pair> {
  const receivers = tos.flatMap((to) => groupsOf(classOf, to));
  for (const sender of froms.flatMap((from) => groupsOf(classOf, from)))
    for (const receiver of receivers) {
      const pair = pairOf(sender, receiver);
      if (pair !== undefined) yield pair;
    }
}

interface Group {
  readonly side: Side;
  readonly places: readonly Place[];
}

function groupsOf(classOf: ClassOf, side: Side): Group[] {
  if (side.kind !== 'interfaces') return [{ side, places: [] }];
  // A block that was named may tell apart what no rule does.
  const keyOf = ({ eni }: Place) =>
    side.only === undefined ? classOf(eni.networkInterfaceId) : eni.networkInterfaceId;
  const groups = new Map<number | string, Place[]>();
  for (const place of side.places) {
    const key = keyOf(place);
    const group = groups.get(key);
    if (group) group.push(place);
    else groups.set(key, [place]);
  }
  return [...groups.values()].map((places) => ({ side, places }));
}

/** An interface is no receiver of its own. */
function pairOf(sender: Group, receiver: Group): Pair | undefined {
  const [from] = sender.places;
  const to = receiver.places.find((each) => each.eni !== from?.eni);
  if (receiver.places.length > 0 && to === undefined) return undefined;
  const own = new Set(sender.places.map(({ eni }) => eni));
  const both = receiver.places.filter(({ eni }) => own.has(eni)).length;
  const count = Math.max(1, sender.places.length) * Math.max(1, receiver.places.length) - both;
  return { from: withPlace(sender.side, from), to: withPlace(receiver.side, to), count };
}

const withPlace = (side: Side, place: Place | undefined): Side =>
  side.kind === 'interfaces' && place !== undefined ? { ...side, places: [place] } : side;
