// IPv6 addresses and networks as numbers: what does this text mean, and which addresses does it hold? Addresses are bigints of 128 bits; the text that
// comes out is RFC 5952's (lower case, shortest form), so that two spellings of one address are one string in rows and in the Snapshot.
// cidr.ts is the IPv4 half, and holds what takes either.

import type { Cidr, Ipv6 } from './snapshot.ts';

export interface ParsedIpv6Cidr {
  readonly address: bigint;
  readonly prefixLength: number;
}

const group = /^[0-9a-f]{1,4}$/i;
const octet = /^(0|[1-9]\d{0,2})$/;
const length = /^(0|[1-9]\d{0,2})$/;

/** `2001:db8::4` → its number, also with the last two groups dotted; undefined when the text is no IPv6 address. A zone (`%eth0`) is none. */
export function ipv6ToNumber(text: string): bigint | undefined {
  const halves = text.split('::');
  if (halves.length > 2) return undefined;
  const [head = '', tail] = halves;
  const before = groupsOf(head, tail === undefined);
  const after = tail === undefined ? [] : groupsOf(tail, true);
  if (before === undefined || after === undefined) return undefined;
  const missing = 8 - before.length - after.length;
  // `::` stands for one group at least.
  if (tail === undefined ? missing !== 0 : missing < 1) return undefined;
  return [...before, ...Array<number>(missing).fill(0), ...after].reduce(
    (value, each) => (value << 16n) | BigInt(each),
    0n,
  );
}

function groupsOf(text: string, mayEndDotted: boolean): number[] | undefined {
  if (text === '') return [];
  const parts = text.split(':');
  const dotted = mayEndDotted && parts.at(-1)?.includes('.') === true ? parts.pop()?.split('.') : undefined;
  if (!parts.every((part) => group.test(part))) return undefined;
  const groups = parts.map((part) => Number.parseInt(part, 16));
  if (dotted === undefined) return groups;
  const octets = dotted.map((part) => (octet.test(part) ? Number(part) : 256));
  const [a = 0, b = 0, c = 0, d = 0] = octets;
  return octets.length === 4 && Math.max(a, b, c, d) < 256 ? [...groups, a * 256 + b, c * 256 + d] : undefined;
}

/** RFC 5952: the longest run of two or more zero groups becomes `::`, the first of equally long ones. */
export function numberToIpv6(value: bigint): Ipv6 {
  const groups = Array.from({ length: 8 }, (_, index) => Number((value >> BigInt(112 - index * 16)) & 0xffffn));
  let best = { start: 0, length: 0 };
  for (let start = 0; start < groups.length; start += 1) {
    let run = 0;
    while (groups[start + run] === 0) run += 1;
    if (run > best.length) best = { start, length: run };
  }
  const hex = groups.map((each) => each.toString(16));
  if (best.length < 2) return hex.join(':');
  return `${hex.slice(0, best.start).join(':')}::${hex.slice(best.start + best.length).join(':')}`;
}

/** An address in its one spelling; undefined when the text is no IPv6 address. */
export function normalizeIpv6(text: string): Ipv6 | undefined {
  const value = ipv6ToNumber(text);
  return value === undefined ? undefined : numberToIpv6(value);
}

/** Address and prefix length, host bits kept; undefined when the text is no IPv6 CIDR. */
export function parseIpv6Cidr(text: string): ParsedIpv6Cidr | undefined {
  const slash = text.indexOf('/');
  if (slash < 0) return undefined;
  const address = ipv6ToNumber(text.slice(0, slash));
  const lengthText = text.slice(slash + 1);
  const prefixLength = length.test(lengthText) ? Number(lengthText) : 129;
  return address === undefined || prefixLength > 128 ? undefined : { address, prefixLength };
}

/** The network in canonical form: host bits are cleared. */
export function formatIpv6Cidr({ address, prefixLength }: ParsedIpv6Cidr): Cidr {
  const hostBits = BigInt(128 - prefixLength);
  return `${numberToIpv6((address >> hostBits) << hostBits)}/${prefixLength}`;
}

/** `2001:DB8::1/32` → `2001:db8::/32` (R7); undefined when the text is no IPv6 CIDR. */
export function normalizeIpv6Cidr(text: string): Cidr | undefined {
  const parsed = parseIpv6Cidr(text);
  return parsed === undefined ? undefined : formatIpv6Cidr(parsed);
}

/** First and last address as numbers. Throws on text that is no IPv6 CIDR: by then it was checked. */
export function ipv6CidrRange(cidr: Cidr): { readonly first: bigint; readonly last: bigint } {
  const parsed = parseIpv6Cidr(cidr);
  if (parsed === undefined) throw new TypeError(`not an IPv6 CIDR: ${cidr}`);
  const hostBits = BigInt(128 - parsed.prefixLength);
  const first = (parsed.address >> hostBits) << hostBits;
  return { first, last: first + (1n << hostBits) - 1n };
}

/** The address `offset` places after the network's first; negative counts from the end. */
export function ipv6AddressAt(cidr: Cidr, offset: bigint): Ipv6 {
  const { first, last } = ipv6CidrRange(cidr);
  return numberToIpv6(offset < 0n ? last + 1n + offset : first + offset);
}
