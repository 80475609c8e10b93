// Sets of addresses of both families, kept as ranges and told as networks.

import { cidrRange, ipToNumber, isIpv6Cidr, numberToIp } from '../cidr.ts';
import { ipv6CidrRange, ipv6ToNumber, numberToIpv6 } from '../ipv6.ts';
import type { Cidr } from '../snapshot.ts';
import { has, intersect, isSame, nothing, pairsOf, type Ranges, rangesOf, subtract, unite } from './ranges.ts';

export const end4 = 2 ** 32;
export const end6 = 1n << 128n;

export class AddressSet {
  readonly v4: Ranges<number>;
  readonly v6: Ranges<bigint>;

  constructor(v4: Ranges<number>, v6: Ranges<bigint>) {
    this.v4 = v4;
    this.v6 = v6;
  }

  static readonly none = new AddressSet(nothing, nothing);
  static readonly all = new AddressSet([0, end4], [0n, end6]);

  static ofCidrs(cidrs: Iterable<Cidr>): AddressSet {
    const v4: [number, number][] = [];
    const v6: [bigint, bigint][] = [];
    for (const cidr of cidrs) {
      if (isIpv6Cidr(cidr)) {
        const { first, last } = ipv6CidrRange(cidr);
        v6.push([first, last + 1n]);
      } else {
        const { first, last } = cidrRange(cidr);
        v4.push([first, last + 1]);
      }
    }
    return new AddressSet(rangesOf(v4), rangesOf(v6));
  }

  /** What is no address is left out. */
  static ofAddresses(addresses: Iterable<string>): AddressSet {
    const v4: [number, number][] = [];
    const v6: [bigint, bigint][] = [];
    for (const address of addresses) {
      const [four, six] = [ipToNumber(address), address.includes(':') ? ipv6ToNumber(address) : undefined];
      if (four !== undefined) v4.push([four, four + 1]);
      else if (six !== undefined) v6.push([six, six + 1n]);
    }
    return new AddressSet(rangesOf(v4), rangesOf(v6));
  }

  get isEmpty(): boolean {
    return this.v4.length === 0 && this.v6.length === 0;
  }

  contains(address: string): boolean {
    const [four, six] = [ipToNumber(address), address.includes(':') ? ipv6ToNumber(address) : undefined];
    return four === undefined ? six !== undefined && has(this.v6, six) : has(this.v4, four);
  }

  isSame(other: AddressSet): boolean {
    return isSame(this.v4, other.v4) && isSame(this.v6, other.v6);
  }

  unite(other: AddressSet): AddressSet {
    return new AddressSet(unite(this.v4, other.v4), unite(this.v6, other.v6));
  }

  intersect(other: AddressSet): AddressSet {
    return new AddressSet(intersect(this.v4, other.v4), intersect(this.v6, other.v6));
  }

  subtract(other: AddressSet): AddressSet {
    return new AddressSet(subtract(this.v4, other.v4), subtract(this.v6, other.v6));
  }

  /** One of them: of `preferred` the first that is in the set, else the lowest. */
  example(preferred: readonly string[] = []): string | undefined {
    const liked = preferred.find((each) => this.contains(each));
    if (liked !== undefined) return liked;
    const [four] = this.v4;
    const [six] = this.v6;
    return four === undefined ? (six === undefined ? undefined : numberToIpv6(six)) : numberToIp(four);
  }

  /** The fewest networks that make up the set, IPv4 first, ascending. */
  cidrs(): Cidr[] {
    const found: Cidr[] = [];
    for (const [from, end] of pairsOf(this.v4))
      for (const [first, bits] of blocks(BigInt(from), BigInt(end), 32n))
        found.push(`${numberToIp(Number(first))}/${32 - bits}`);
    for (const [from, end] of pairsOf(this.v6))
      for (const [first, bits] of blocks(from, end, 128n)) found.push(`${numberToIpv6(first)}/${128 - bits}`);
    return found;
  }

  /** Few networks that hold all of the set and nothing of another one: where neither is, they may be wide. */
  cover(other: AddressSet): Cidr[] {
    const four = covering(this.v4.map(BigInt), other.v4.map(BigInt), 0n, 32n);
    const six = covering(this.v6, other.v6, 0n, 128n);
    return [
      ...[...four].map(([first, bits]): Cidr => `${numberToIp(Number(first))}/${32 - Number(bits)}`),
      ...[...six].map(([first, bits]): Cidr => `${numberToIpv6(first)}/${128 - Number(bits)}`),
    ];
  }

  /** `10.0.0.4`, `10.0.0.0/8, 192.168.0.0/16`, `anywhere but 10.0.0.0/8`: as few words as say it, cut short after `most` networks. */
  describe(most = 4): string {
    if (this.isSame(AddressSet.all)) return 'anywhere';
    const inside = this.cidrs();
    const families = new AddressSet(this.v4.length > 0 ? [0, end4] : [], this.v6.length > 0 ? [0n, end6] : []);
    const outside = families.subtract(this).cidrs();
    const whole = families.v6.length === 0 ? '0.0.0.0/0' : families.v4.length === 0 ? '::/0' : 'anywhere';
    if (inside.length > 1 && outside.length < inside.length)
      return `${whole}${outside.length === 0 ? '' : ` but ${namesOf(outside, most)}`}`;
    return namesOf(inside, most);
  }
}

/** Networks of one address are that address. */
export function namesOf(cidrs: readonly Cidr[], most = 4): string {
  const names = cidrs.map((each) => each.replace(/(?<=\..*)\/32$|(?<=:.*)\/128$/, ''));
  const rest = names.length - most;
  return rest > 0 ? `${names.slice(0, most).join(', ')} and ${rest} more` : names.join(', ');
}

/** The aligned blocks that make up a range: first address, and how many bits are free. */
function* blocks(from: bigint, end: bigint, width: bigint): Generator<readonly [first: bigint, bits: number]> {
  for (let first = from; first < end; ) {
    let bits = 0n;
    while (bits < width && (first & ((1n << (bits + 1n)) - 1n)) === 0n && first + (1n << (bits + 1n)) <= end)
      bits += 1n;
    yield [first, Number(bits)];
    first += 1n << bits;
  }
}

/** The widest aligned blocks that touch the wanted ranges and none of the others. */
function* covering(
  wanted: Ranges<bigint>,
  others: Ranges<bigint>,
  first: bigint,
  bits: bigint,
): Generator<readonly [first: bigint, bits: bigint]> {
  const block = [first, first + (1n << bits)];
  const [inside, outside] = [intersect(wanted, block), intersect(others, block)];
  if (inside.length === 0) return;
  if (outside.length === 0 || bits === 0n) {
    yield [first, bits];
    return;
  }
  yield* covering(inside, outside, first, bits - 1n);
  yield* covering(inside, outside, first + (1n << (bits - 1n)), bits - 1n);
}
