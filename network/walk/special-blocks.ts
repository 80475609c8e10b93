// Blocks of addresses that the walk treats by themselves, whatever rules and routes say.

import { addressPlan, ipv6Plan } from '../addresses.ts';
import { addressAt, containsAddress } from '../cidr.ts';
import { nat64Prefix } from '../nat64.ts';
import type { Cidr, Ipv4, Vpc } from '../snapshot.ts';

/** RFC 1918: no gateway lets them out or in. */
export const privateBlocks = ['10.0.0.0/8', '172.16.0.0/12', '192.168.0.0/16'] as const;
/** RFC 6598. */
export const sharedBlock = '100.64.0.0/10';
/** What an internet gateway does not take for public. */
export const nonPublicBlocks: readonly Cidr[] = [...privateBlocks, sharedBlock];
/** Where no packet of a guest may go: loopback, multicast, class E, link-local. */
export const reservedBlocks = ['127.0.0.0/8', '224.0.0.0/3', '0.0.0.0/8', '169.254.0.0/16'] as const;
/** Public addresses that no host has: those of VPCs that are nobody's now, the terminal, which takes nothing in, and IPv4 ones that only NAT64 understands. */
export const unanswered = [
  addressPlan.publicPool,
  `${addressPlan.laptop}/32`,
  ipv6Plan.vpcs,
  `${ipv6Plan.laptop}/128`,
  nat64Prefix,
] as const;

/** What NAT64 leads to nobody: where no guest may send, and the VPC's own services, which know a guest by its own address. */
export function isNat64Nowhere({ cidrBlocks: [primary] }: Vpc, address: Ipv4): boolean {
  return (
    reservedBlocks.some((block) => containsAddress(block, address)) ||
    (primary !== undefined && addressAt(primary, 2) === address)
  );
}
