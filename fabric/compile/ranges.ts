// Blocks as an nft interval set holds them: disjoint and in order. The kernel refuses overlapping elements, and `auto-merge` cannot take one away again (nft 1.0.6).

import { cidrRange, numberToIp } from '@postern/network/cidr.ts';
import { ipv6CidrRange, numberToIpv6 } from '@postern/network/ipv6.ts';
import type { Cidr } from '@postern/network/snapshot.ts';
import { familyOf } from './family.ts';

/** `['10.0.0.0/8', '10.1.0.0/16', '11.0.0.0/8']` → `['10.0.0.0-11.255.255.255']`; a single address stands alone. All of one family. */
export function mergedRanges(cidrs: readonly Cidr[]): string[] {
  const isIpv6 = cidrs[0] !== undefined && familyOf(cidrs[0]) === 'ip6';
  return isIpv6
    ? merged(cidrs.map(ipv6CidrRange), numberToIpv6)
    : merged(
        cidrs.map(cidrRange).map(({ first, last }) => ({ first: BigInt(first), last: BigInt(last) })),
        (value) => numberToIp(Number(value)),
      );
}

interface Range {
  readonly first: bigint;
  readonly last: bigint;
}

function merged(ranges: readonly Range[], textOf: (value: bigint) => string): string[] {
  const result: { first: bigint; last: bigint }[] = [];
  for (const range of ranges.toSorted((a, b) => (a.first < b.first ? -1 : a.first > b.first ? 1 : 0))) {
    const before = result.at(-1);
    if (before === undefined || range.first > before.last + 1n) result.push({ ...range });
    else if (range.last > before.last) before.last = range.last;
  }
  return result.map(({ first, last }) => (first === last ? textOf(first) : `${textOf(first)}-${textOf(last)}`));
}
