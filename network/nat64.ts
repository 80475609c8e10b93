// IPv4 addresses inside IPv6 ones: what DNS64 makes of an A record, and what NAT64 reads out of a destination. RFC 6052, and
// https://docs.aws.amazon.com/vpc/latest/userguide/nat-gateway-nat64-dns64.html (read 2026-11-22): AWS has the well-known prefix alone.

import { containsAddress, ipToNumber, numberToIp } from './cidr.ts';
import { ipv6CidrRange, ipv6ToNumber, numberToIpv6 } from './ipv6.ts';
import type { Cidr, Ipv4, Ipv6 } from './snapshot.ts';

export const nat64Prefix: Cidr = '64:ff9b::/96';
const { first } = ipv6CidrRange(nat64Prefix);

/** 198.51.100.7 → `64:ff9b::c633:6407` */
export function embedIpv4(address: Ipv4): Ipv6 {
  return numberToIpv6(first + BigInt(ipToNumber(address) ?? 0));
}

/** `64:ff9b::c633:6407` → 198.51.100.7; undefined for an address that is not of the prefix. */
export function embeddedIpv4(address: Ipv6): Ipv4 | undefined {
  return containsAddress(nat64Prefix, address)
    ? numberToIp(Number((ipv6ToNumber(address) ?? first) - first))
    : undefined;
}
