// The two families of addresses in nft's words. A VPC's router has a table for each; a rule that names a block goes into its own family's table only, and
// one that names a group or a list goes into both, with the members or entries of that family (R1: the two know nothing of each other).

import { isIpv6Cidr } from '@postern/network/cidr.ts';
import type { Cidr, NetworkInterface } from '@postern/network/snapshot.ts';

export type Family = 'ip' | 'ip6';

interface FamilyWords {
  readonly addressType: 'ipv4_addr' | 'ipv6_addr';
  readonly everywhere: Cidr;
  /** The protocol number of its ICMP; the other family's says nothing here (S10). */
  readonly icmp: number;
}

export const families = {
  ip: { addressType: 'ipv4_addr', everywhere: '0.0.0.0/0', icmp: 1 },
  ip6: { addressType: 'ipv6_addr', everywhere: '::/0', icmp: 58 },
} as const satisfies Record<Family, FamilyWords>;

export function familyOf(cidr: Cidr): Family {
  return isIpv6Cidr(cidr) ? 'ip6' : 'ip';
}

/** What the interface is called by in packets of this family. */
export function addressesOf(eni: NetworkInterface, family: Family): readonly string[] {
  return family === 'ip' ? eni.privateAddresses.map((each) => each.address) : eni.ipv6Addresses;
}

/** False for a rule of the other family's ICMP. */
export function isProtocolOf(family: Family, protocol: number): boolean {
  const other = family === 'ip' ? families.ip6 : families.ip;
  return protocol !== other.icmp;
}
