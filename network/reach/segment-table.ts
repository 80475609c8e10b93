// A decision as a function of one address: the address space cut into segments in which the decision is the same. An ACL, a group's rules, a route table each
// become one table, made once. Looking an address up is a binary search, and for the addresses that interfaces have it is remembered.
//
// An address can also stand for all addresses around it: a Free one. Each table that it is looked up in narrows it to the segment that it lies in, so that at the
// end of a road the answer holds for the whole interval that is left. That is what makes reach exact without trying addresses (docs/reachability.md).

import { type AddressSet, end4, end6 } from './address-set.ts';
import { type Bound, boundsUpTo, type Ranges } from './ranges.ts';

/** An address that some interface has, or one that a question is about; the same text is always the same object. */
export interface Point {
  readonly text: string;
  readonly isIpv6: boolean;
  readonly value: Bound;
  /** Its place in the tables' memories. */
  readonly slot: number;
}

/** All addresses of an interval; `value` is one of them, and no interface has any of them. */
export class Free {
  readonly isIpv6: boolean;
  readonly value: Bound;
  from: Bound;
  /** The first after it. */
  end: Bound;

  constructor(isIpv6: boolean, from: Bound, end: Bound) {
    this.isIpv6 = isIpv6;
    this.value = from;
    this.from = from;
    this.end = end;
  }

  narrow(from: Bound, end: Bound): void {
    if (from > this.from) this.from = from;
    if (end < this.end) this.end = end;
  }
}

/** What NAT64 makes of an interval of IPv6 addresses: that of the IPv4 ones in them. What narrows it narrows the interval that it came from. */
export class EmbeddedFree extends Free {
  readonly six: Free;
  readonly #first: bigint;

  /** @param first the IPv6 address that holds 0.0.0.0 */
  constructor(six: Free, first: bigint) {
    super(false, Number((six.from as bigint) - first), Number((six.end as bigint) - first));
    this.six = six;
    this.#first = first;
  }

  override narrow(from: Bound, end: Bound): void {
    super.narrow(from, end);
    this.six.narrow(this.#first + BigInt(from), this.#first + BigInt(end));
  }
}

export type Address = Point | Free;

export function isFree(address: Address): address is Free {
  return address instanceof Free;
}

interface Segments<T> {
  /** Ascending; the first is 0. */
  readonly starts: readonly Bound[];
  readonly values: readonly T[];
  readonly end: Bound;
}

export class SegmentTable<T> {
  readonly #v4: Segments<T>;
  readonly #v6: Segments<T>;
  readonly #memory: (T | undefined)[] = [];

  /**
   * @param sets   what the decision looks at: the blocks of rules, entries, routes
   * @param decide the decision where exactly these sets hold the address, by their places, ascending
   */
  constructor(sets: readonly AddressSet[], decide: (holding: readonly number[], isIpv6: boolean) => T) {
    this.#v4 = cut(
      sets.map((each) => each.v4),
      0,
      end4,
      (holding) => decide(holding, false),
    );
    this.#v6 = cut(
      sets.map((each) => each.v6),
      0n,
      end6,
      (holding) => decide(holding, true),
    );
  }

  at(address: Address): T {
    if (isFree(address)) return this.#narrowing(address);
    const known = this.#memory[address.slot];
    if (known !== undefined) return known;
    const { starts, values } = address.isIpv6 ? this.#v6 : this.#v4;
    const value = values[boundsUpTo(starts, address.value) - 1] as T;
    this.#memory[address.slot] = value;
    return value;
  }

  #narrowing(free: Free): T {
    const { starts, values, end } = free.isIpv6 ? this.#v6 : this.#v4;
    const index = boundsUpTo(starts, free.value) - 1;
    free.narrow(starts[index] as Bound, starts[index + 1] ?? end);
    return values[index] as T;
  }
}

/** One sweep over the bounds of all sets; a segment that decides as the one before is part of it. */
function cut<N extends Bound, T>(
  sets: readonly Ranges<N>[],
  start: N,
  end: N,
  decide: (holding: readonly number[]) => T,
): Segments<T> {
  const changes = sets
    .flatMap((ranges, set) => ranges.map((at) => ({ at, set })))
    .sort((a, b) => (a.at < b.at ? -1 : a.at > b.at ? 1 : 0));
  const holding = new Set<number>();
  const starts: N[] = [];
  const values: T[] = [];
  const add = (at: N) => {
    const value = decide([...holding].sort((a, b) => a - b));
    if (values.length > 0 && values.at(-1) === value) return;
    starts.push(at);
    values.push(value);
  };
  for (let index = 0, at = start; ; ) {
    for (let change = changes[index]; change?.at === at; change = changes[++index]) {
      if (!holding.delete(change.set)) holding.add(change.set);
    }
    add(at);
    const next = changes[index];
    if (next === undefined || next.at >= end) break;
    at = next.at;
  }
  return { starts, values, end };
}

/** Whether an address is in some blocks. */
export function membership(set: AddressSet): SegmentTable<boolean> {
  return new SegmentTable([set], (holding) => holding.length > 0);
}
