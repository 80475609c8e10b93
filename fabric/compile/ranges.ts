// Blocks as an nft interval set holds them: disjoint and in order. The kernel refuses overlapping elements, and `auto-merge` cannot take one away again (nft 1.0.6).

import { cidrRange, numberToIp } from '@postern/network/cidr.ts';
import type { Cidr } from '@postern/network/snapshot.ts';

/** `['10.0.0.0/8', '10.1.0.0/16', '11.0.0.0/8']` → `['10.0.0.0-11.255.255.255']`; a single address stands alone. */
export function mergedRanges(cidrs: readonly Cidr[]): string[] {
  const ranges = cidrs.map(cidrRange).toSorted((a, b) => a.first - b.first);
  const merged: { first: number; last: number }[] = [];
  for (const range of ranges) {
    const before = merged.at(-1);
    if (before !== undefined && range.first <= before.last + 1) before.last = Math.max(before.last, range.last);
    else merged.push({ ...range });
  }
  return merged.map(({ first, last }) =>
    first === last ? numberToIp(first) : `${numberToIp(first)}-${numberToIp(last)}`,
  );
}
