// IPv4 addresses and networks as numbers: what does this text mean, and which addresses does it hold? `contains`, `containsAddress`, `overlaps` and
// `compareCidrs` take IPv6 too (ipv6.ts): blocks of different families have nothing in common (R1). The rest is IPv4's only.
// Addresses are unsigned 32-bit numbers. `parseCidr` takes exactly what EC2 takes (four decimal octets, a slash, 0 to 32);
// host bits are kept, so that a caller can tell `10.0.0.4/24` from `10.0.0.0/24` and clear them with `normalizeCidr` (C2, R7).

import { ipv6CidrRange, ipv6ToNumber, parseIpv6Cidr } from './ipv6.ts';
import type { Cidr, Ipv4, Ipv6 } from './snapshot.ts';

export interface ParsedCidr {
  readonly address: number;
  readonly prefixLength: number;
}

const length = /^(0|[1-9]\d?)$/;

/** `10.0.0.4` → its number; undefined when the text is no dotted IPv4 address. */
export function ipToNumber(text: string): number | undefined {
  return readOctets(text, text.length);
}

const dot = 46;
const zero = 48;

/** By the character: a subnet's block is held against those of all others, and a pattern for each octet was most of what a thousandth subnet cost. */
function readOctets(text: string, end: number): number | undefined {
  let value = 0;
  let at = 0;
  for (let part = 0; part < 4; part++) {
    if (part > 0 && text.charCodeAt(at++) !== dot) return undefined;
    const start = at;
    let octet = 0;
    for (; at < end; at++) {
      const digit = text.charCodeAt(at) - zero;
      if (digit < 0 || digit > 9) break;
      octet = octet * 10 + digit;
    }
    const hasLeadingZero = at - start > 1 && text.charCodeAt(start) === zero;
    if (at === start || hasLeadingZero || octet > 255) return undefined;
    value = value * 256 + octet;
  }
  return at === end ? value : undefined;
}

export function numberToIp(value: number): Ipv4 {
  return `${(value >>> 24) & 255}.${(value >>> 16) & 255}.${(value >>> 8) & 255}.${value & 255}`;
}

/** The mask of a prefix length as an unsigned number; 0 for /0. */
export function maskOf(prefixLength: number): number {
  return prefixLength === 0 ? 0 : (0xffffffff << (32 - prefixLength)) >>> 0;
}

/** Address and prefix length, host bits kept; undefined when the text is no IPv4 CIDR. */
export function parseCidr(text: string): ParsedCidr | undefined {
  const slash = text.indexOf('/');
  if (slash < 0) return undefined;
  const address = readOctets(text, slash);
  const lengthText = text.slice(slash + 1);
  const prefixLength = length.test(lengthText) ? Number(lengthText) : 33;
  return address === undefined || prefixLength > 32 ? undefined : { address, prefixLength };
}

/** The network in canonical form: host bits are cleared. */
export function formatCidr(cidr: ParsedCidr): Cidr {
  return `${numberToIp((cidr.address & maskOf(cidr.prefixLength)) >>> 0)}/${cidr.prefixLength}`;
}

/** `100.68.0.18/18` → `100.68.0.0/18` (C2); undefined when the text is no IPv4 CIDR. */
export function normalizeCidr(text: string): Cidr | undefined {
  const parsed = parseCidr(text);
  return parsed === undefined ? undefined : formatCidr(parsed);
}

/** How many addresses the network holds. Throws on text that is no CIDR, as all functions below do: by then it was checked. */
export function cidrSize(cidr: Cidr): number {
  return 2 ** (32 - must(cidr).prefixLength);
}

/** First and last address as numbers. */
export function cidrRange(cidr: Cidr): { readonly first: number; readonly last: number } {
  const { address, prefixLength } = must(cidr);
  const first = (address & maskOf(prefixLength)) >>> 0;
  return { first, last: first + 2 ** (32 - prefixLength) - 1 };
}

/** True when every address of `inner` is in `outer`; equal networks contain each other. */
export function contains(outer: Cidr, inner: Cidr): boolean {
  if (isIpv6Cidr(outer) !== isIpv6Cidr(inner)) return false;
  const a = rangeOf(outer);
  const b = rangeOf(inner);
  return a.first <= b.first && b.last <= a.last;
}

export function containsAddress(cidr: Cidr, address: Ipv4 | Ipv6): boolean {
  const value = isIpv6Cidr(cidr) ? ipv6ToNumber(address) : ipToNumber(address);
  if (value === undefined) return false;
  const { first, last } = rangeOf(cidr);
  return first <= value && value <= last;
}

export function overlaps(a: Cidr, b: Cidr): boolean {
  if (isIpv6Cidr(a) !== isIpv6Cidr(b)) return false;
  const x = rangeOf(a);
  const y = rangeOf(b);
  return x.first <= y.last && y.first <= x.last;
}

/** The address `offset` places after the network's first, e.g. 1 for the VPC router and 2 for the resolver; negative counts from the end. */
export function addressAt(cidr: Cidr, offset: number): Ipv4 {
  const { first, last } = cidrRange(cidr);
  return numberToIp(offset < 0 ? last + 1 + offset : first + offset);
}

/** Every address of the network in order. */
export function* addressesOf(cidr: Cidr): Generator<Ipv4> {
  const { first, last } = cidrRange(cidr);
  for (let value = first; value <= last; value++) yield numberToIp(value);
}

/** Orders networks by family, IPv4 first, then by address, then the wider first. */
export function compareCidrs(a: Cidr, b: Cidr): number {
  const families = Number(isIpv6Cidr(a)) - Number(isIpv6Cidr(b));
  if (families !== 0) return families;
  const [x, y] = isIpv6Cidr(a) ? [parseIpv6Cidr(a), parseIpv6Cidr(b)] : [must(a), must(b)];
  if (x === undefined || y === undefined) throw new TypeError(`not IPv6 CIDRs: ${a}, ${b}`);
  if (x.address !== y.address) return x.address < y.address ? -1 : 1;
  return x.prefixLength - y.prefixLength;
}

/** Numbers or bigints; two of one family compare. */
function rangeOf(cidr: Cidr): { readonly first: number | bigint; readonly last: number | bigint } {
  return isIpv6Cidr(cidr) ? ipv6CidrRange(cidr) : cidrRange(cidr);
}

function must(cidr: string): ParsedCidr {
  const parsed = parseCidr(cidr);
  if (parsed === undefined) throw new TypeError(`not an IPv4 CIDR: ${cidr}`);
  return parsed;
}

/** IPv6 networks are written with colons. */
export function isIpv6Cidr(cidr: Cidr): boolean {
  return cidr.includes(':');
}
