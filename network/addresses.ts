// The address plan (design, "Addresses"): which blocks the sealed internet is made of. All are documentation or benchmark blocks or class E,
// so none can be mistaken for a real host, and none ever reaches the host's own network.

import { ipToNumber } from './cidr.ts';
import { ipv6CidrRange, numberToIpv6 } from './ipv6.ts';
import type { Cidr, Ipv4, Ipv6 } from './snapshot.ts';

export const addressPlan = {
  /** AWS's own public service addresses; a /24 per region (see `regionServiceBlock`). */
  services: '198.18.0.0/16',
  /** Public and Elastic IPs that Postern hands out. */
  publicPool: '198.19.0.0/16',
  /** Hosts on the sealed internet that names outside AWS resolve to. */
  outside: ['203.0.113.0/24', '198.51.100.0/24'],
  /** The person's terminal: the source address of every request to the loopback endpoint. */
  laptop: '203.0.113.10',
  /** VPC blocks are mapped into here, block by block, on their way to an AWS service. */
  underlay: '240.0.0.0/4',
  /** Each endpoint, resolver and metadata service has an address of its own in here. */
  endpoints: '240.240.0.0/16',
} as const satisfies Record<string, Cidr | Ipv4 | readonly Cidr[]>;

/**
 * The same for IPv6, out of the documentation block (RFC 3849). AWS's own VPCs are in 2600:1f00::/24 and the like, which belong to real hosts; unique
 * local addresses would not do, for they are not global (I7) and a gateway lets none of them out.
 */
export const ipv6Plan = {
  /** Services' addresses: 2001:db8:0:REGION::OFFSET, by the positions of the tables below. */
  services: '2001:db8::/48',
  /** A /56 for each VPC that asks for one: 2001:db8:1RRV:VV00::/56 has 4096 of them in each region (`vpcIpv6Pool`). */
  vpcs: '2001:db8:1000::/36',
  /** Stand-ins for outside hosts: the IPv4 address of the same name is in the last 32 bits. */
  outside: '2001:db8:f000::/96',
  laptop: '2001:db8:f000::10',
  /** AWS's own (R5): metadata and resolver. */
  metadata: 'fd00:ec2::254',
  resolver: 'fd00:ec2::253',
  /** Blocks of VPCs are mapped into here on their way to those two: address by address, `vpcs` moved. */
  underlay: 'fd00:db8:1000::/36',
} as const satisfies Record<string, Cidr | Ipv6>;

/** Regions in a fixed order; the position decides a region's service block, so rows are only ever appended. */
export const regions = [
  'us-east-1', 'us-east-2', 'us-west-1', 'us-west-2', 'eu-west-1', 'eu-west-2', 'eu-west-3', 'eu-central-1', 'eu-central-2',
  'eu-north-1', 'eu-south-1', 'eu-south-2', 'ap-northeast-1', 'ap-northeast-2', 'ap-northeast-3', 'ap-southeast-1', 'ap-southeast-2',
  'ap-southeast-3', 'ap-southeast-4', 'ap-south-1', 'ap-south-2', 'ap-east-1', 'ca-central-1', 'ca-west-1', 'sa-east-1', 'me-south-1',
  'me-central-1', 'il-central-1', 'af-south-1', 'cn-north-1', 'cn-northwest-1', 'us-gov-east-1', 'us-gov-west-1', 'mx-central-1',
  'ap-southeast-5', 'ap-southeast-7', 'ap-east-2', 'ap-southeast-6',
] as const; // biome-ignore format: a table by position

export type Region = (typeof regions)[number];

/** Services whose public address is fixed inside the region's /24. `s3` and `dynamodb` have a /26 each, because their prefix lists are real. */
export const servicePlan = {
  s3: { offset: 0, prefixLength: 26 },
  dynamodb: { offset: 64, prefixLength: 26 },
  ec2: { offset: 129, prefixLength: 32 },
  iam: { offset: 130, prefixLength: 32 },
  sts: { offset: 131, prefixLength: 32 },
  ssm: { offset: 132, prefixLength: 32 },
  ssmmessages: { offset: 133, prefixLength: 32 },
  ec2messages: { offset: 134, prefixLength: 32 },
  logs: { offset: 135, prefixLength: 32 },
  cloudtrail: { offset: 136, prefixLength: 32 },
  'ec2-instance-connect': { offset: 137, prefixLength: 32 },
  account: { offset: 138, prefixLength: 32 },
  organizations: { offset: 139, prefixLength: 32 },
  /** Every AWS host name that has no row of its own. */
  other: { offset: 200, prefixLength: 32 },
} as const;

export type PlannedService = keyof typeof servicePlan;

/** The /24 of a region's services; undefined for a name that is no region. */
export function regionServiceBlock(region: string): Cidr | undefined {
  const index = regions.indexOf(region as Region);
  return index < 0 ? undefined : `198.18.${index + 1}.0/24`;
}

/** Where the blocks of a region's VPCs come from, e.g. us-east-1 → `2001:db8:1010::/44`; undefined for a name that is no region. */
export function vpcIpv6Pool(region: string): Cidr | undefined {
  const index = regions.indexOf(region as Region);
  const first = ipv6CidrRange(ipv6Plan.vpcs).first + (BigInt(index + 1) << 84n);
  return index < 0 ? undefined : `${numberToIpv6(first)}/44`;
}

/** The public block of one service in one region, e.g. s3 in us-east-1 → `198.18.1.0/26`; this is what its prefix list holds. */
export function serviceBlock(region: string, service: PlannedService): Cidr | undefined {
  const index = regions.indexOf(region as Region);
  const row = servicePlan[service];
  return index < 0 ? undefined : `198.18.${index + 1}.${row.offset}/${row.prefixLength}`;
}

/** The address that the service's host names resolve to: the first usable one of its block. */
export function serviceAddress(region: string, service: PlannedService): Ipv4 | undefined {
  const index = regions.indexOf(region as Region);
  const row = servicePlan[service];
  if (index < 0) return undefined;
  return `198.18.${index + 1}.${row.prefixLength === 32 ? row.offset : row.offset + 1}`;
}

/** The IPv6 address that the service's dual-stack names resolve to. */
export function serviceIpv6Address(region: string, service: PlannedService): Ipv6 | undefined {
  const index = regions.indexOf(region as Region);
  const address = serviceAddress(region, service);
  if (address === undefined) return undefined;
  const offset = BigInt((ipToNumber(address) ?? 0) % 256);
  return numberToIpv6(ipv6CidrRange(ipv6Plan.services).first + (BigInt(index + 1) << 64n) + offset);
}

/** The stand-in of an outside host: 203.0.113.50 → `2001:db8:f000::cb00:7132`. */
export function outsideIpv6Address(address: Ipv4): Ipv6 {
  return numberToIpv6(ipv6CidrRange(ipv6Plan.outside).first + BigInt(ipToNumber(address) ?? 0));
}
