// Sets of whole numbers as ranges: ports, ICMP types, protocols, addresses. A set is a flat ascending list of bounds, half open, [from, end, from, end, …],
// and two neighbours never touch. So a place is inside when an odd number of bounds is at or below it, and every operation is one sweep over both lists.
// Numbers for IPv4 and ports, bigints for IPv6; one set has one of the two.

export type Bound = number | bigint;
export type Ranges<N extends Bound> = readonly N[];

export const nothing: readonly never[] = [];

function sweep<N extends Bound>(a: Ranges<N>, b: Ranges<N>, keep: (inA: boolean, inB: boolean) => boolean): Ranges<N> {
  const bounds: N[] = [];
  let [i, j, isInside] = [0, 0, false];
  while (i < a.length || j < b.length) {
    const nextA: N | undefined = a[i];
    const nextB: N | undefined = b[j];
    const at: N = nextB === undefined || (nextA !== undefined && nextA <= nextB) ? (nextA as N) : nextB;
    if (nextA === at) i += 1;
    if (nextB === at) j += 1;
    if (keep(i % 2 === 1, j % 2 === 1) === isInside) continue;
    isInside = !isInside;
    bounds.push(at);
  }
  return bounds;
}

export function unite<N extends Bound>(a: Ranges<N>, b: Ranges<N>): Ranges<N> {
  if (a.length === 0 || b.length === 0) return a.length === 0 ? b : a;
  return sweep(a, b, (inA, inB) => inA || inB);
}

export function intersect<N extends Bound>(a: Ranges<N>, b: Ranges<N>): Ranges<N> {
  return a.length === 0 || b.length === 0 ? nothing : sweep(a, b, (inA, inB) => inA && inB);
}

export function subtract<N extends Bound>(a: Ranges<N>, b: Ranges<N>): Ranges<N> {
  return a.length === 0 || b.length === 0 ? a : sweep(a, b, (inA, inB) => inA && !inB);
}

/** Any number of ranges in any order; empty ones are left out. */
export function rangesOf<N extends Bound>(pairs: Iterable<readonly [from: N, end: N]>): Ranges<N> {
  const sorted = [...pairs].filter(([from, end]) => from < end).sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0));
  const bounds: N[] = [];
  for (const [from, end] of sorted) {
    const last = bounds.at(-1);
    if (last === undefined || from > last) bounds.push(from, end);
    else if (end > last) bounds[bounds.length - 1] = end;
  }
  return bounds;
}

/** How many bounds are at or below the place: odd inside, even outside. */
export function boundsUpTo<N extends Bound>(ranges: Ranges<N>, place: N): number {
  let [low, high] = [0, ranges.length];
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((ranges[middle] as N) <= place) low = middle + 1;
    else high = middle;
  }
  return low;
}

export function has<N extends Bound>(ranges: Ranges<N>, place: N): boolean {
  return boundsUpTo(ranges, place) % 2 === 1;
}

export function isSame<N extends Bound>(a: Ranges<N>, b: Ranges<N>): boolean {
  return a === b || (a.length === b.length && a.every((bound, index) => bound === b[index]));
}

export function* pairsOf<N extends Bound>(ranges: Ranges<N>): Generator<readonly [from: N, end: N]> {
  for (let index = 0; index < ranges.length; index += 2) yield [ranges[index] as N, ranges[index + 1] as N];
}
