// Addresses that are treated apart whatever a network looks like. The walk has a list of its own.

import { addressPlan, ipv6Plan } from '../addresses.ts';
import { nat64Prefix } from '../nat64.ts';
import type { Cidr } from '../snapshot.ts';

export const linkLocal: Cidr = '169.254.0.0/16';
export const metadataAddress = '169.254.169.254';
export const resolverAddress = '169.254.169.253';
export const metadataAddresses = [metadataAddress, ipv6Plan.metadata];
export const privateBlocks: readonly Cidr[] = ['10.0.0.0/8', '172.16.0.0/12', '192.168.0.0/16', '100.64.0.0/10'];
export const uniqueLocal: readonly Cidr[] = ['fc00::/7'];
/** Public addresses that no host has. */
export const unansweredBlocks: readonly Cidr[] = [
  addressPlan.publicPool,
  `${addressPlan.laptop}/32`,
  ipv6Plan.vpcs,
  `${ipv6Plan.laptop}/128`,
  nat64Prefix,
];
/** Loopback, multicast, class E: no guest may send there. */
export const reservedBlocks: readonly Cidr[] = ['127.0.0.0/8', '224.0.0.0/3', '0.0.0.0/8', linkLocal];

/** Blocks that are treated apart whatever a network looks like. */
export const fixedBlocks: readonly Cidr[] = [...privateBlocks, ...uniqueLocal, ...reservedBlocks, ...unansweredBlocks];
