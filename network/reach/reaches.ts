// What courses found between two ends, as answers: one for each road.

import type { End, Hop, Reach } from './ends.ts';
import type { Found } from './explore.ts';
import { type FlowBox, FlowSet, mergeBoxes } from './flow-set.ts';

export function asReaches(from: End, to: End, found: readonly Found[]): Reach[] {
  const roads = new Map<string, Found[]>();
  for (const each of found) {
    const { via, viaReturn, arrival } = each.outcome;
    const key = [arrival.kind, ...via.map(({ id }) => id), '', ...viaReturn.map(({ id }) => id)].join();
    const same = roads.get(key);
    if (same === undefined) roads.set(key, [each]);
    else same.push(each);
  }
  return [...roads.values()].flatMap((each) => {
    const [first] = each;
    if (first === undefined) return [];
    const flows = new FlowSet(mergeBoxes(each.map(boxOf)));
    const { via, viaReturn, arrival } = first.outcome;
    return flows.isEmpty
      ? []
      : [
          {
            from,
            to,
            via,
            viaReturn,
            arrival: arrival.kind,
            flows,
            assumptions: assumptionsOf([...via, ...viaReturn]),
          },
        ];
  });
}

function boxOf({ sources, destinations, outcome: { there, back } }: Found): FlowBox {
  return { sources, destinations, there, back };
}

/** As the walk: what a box really does is the guest's affair. */
function assumptionsOf(hops: readonly Hop[]): string[] {
  const boxes = new Set(hops.flatMap(({ kind, id }) => (kind === 'middlebox' ? [id] : [])));
  return [...boxes].map((id) => `${id} hands on what is not its own, unchanged`);
}
