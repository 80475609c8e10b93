// Names and fixed numbers that several parts of a compiled state agree on: devices, marks, tables, conntrack zones, addresses of the AWS side.
// Device names are at most 15 characters (Linux), so they carry the allocated number and the link's alias carries the AWS id.

import type { Ipv4, Ipv6 } from '@postern/network/snapshot.ts';

/** Inside a VPC's namespace. */
export const igwDevice = 'igw';
export const egressOnlyDevice = 'eigw';
export const awsDevice = 'aws';
export const endpointDevice = (number: number) => `g${number}`;
export const interfaceDevice = (number: number) => `e${number}`;
/** The same name in both VPCs. */
export const peeringDevice = (number: number) => `p${number}`;

/** In a transit gateway's namespace, by the number of the attachment's interface. */
export const transitDevice = (interfaceNumber: number) => `t${interfaceNumber}`;

/** The same links' ends in the core namespace. */
export const coreIgwDevice = (vpcNumber: number) => `i${vpcNumber}`;
export const coreEgressOnlyDevice = (vpcNumber: number) => `x${vpcNumber}`;
export const coreAwsDevice = (vpcNumber: number) => `a${vpcNumber}`;
export const coreEndpointDevice = (endpointNumber: number) => `g${endpointNumber}`;
export const coreInterfaceDevice = (interfaceNumber: number) => `v${interfaceNumber}`;

/** Packet marks; those of subnets start at 1000. */
export const mark = {
  service: 1,
  sameSubnet: 2,
  toIgw: 3,
  movedFromIgw: 4,
  edge: 5,
  toTunnel: 6,
  toTunnelInSubnet: 7,
} as const;
/** Kernel routing tables; those of AWS route tables start at 1000. */
export const table = { service: 1, toIgw: 3, edge: 5, toTunnel: 6, interfaces: 10 } as const;
/** Mark and table of what the router itself sends through an endpoint's link. */
export const endpointMark = (number: number) => 2_000_000 + number;
/** Mark of a reply that came by an endpoint its flow would no longer take; no rule routes by it. */
export const movedMark = (number: number) => 4_000_000 + number;
/** Conntrack zones; 0 is traffic inside the VPC, an endpoint's zone is its number, and so is that of a pair of private and public address. A path has a zone of its own: see docs/packet-path.md. */
export const zone = { service: 1, betweenBoxes: 3, ipv6Outside: 2 } as const;

/** `ct mark`: the sender's or the receiver's groups track this flow (S11); it began through an egress-only gateway. */
export const tracked = { sender: 1, receiver: 2, both: 3, egressOnly: 4 } as const;

/** Both ends of every link to the core route to this address; it exists only as a permanent neighbour. */
export const nextHop: Ipv4 = '240.255.255.1';
/** The same for IPv6; also how the router calls a middlebox at the end of its link. */
export const nextHop6: Ipv6 = 'fe80::1';
/**
 * Inside a NAT gateway's namespace: the pair of links by which its translator hands IPv4 packets to the kernel and gets them back (nat64.pl), and the numbers
 * that clients have there. What goes to the far end is addressed to nobody, or the kernel would take it up there a second time. 20 bytes of header more than IPv4
 * has, and 8 of a fragment's, still go through a NAT gateway.
 */
export const nat64 = {
  device: 'nat64',
  farDevice: 'nat64-far',
  macAddress: '0e:ff:70:00:00:01',
  nobody: '0e:ff:70:00:00:02',
  clients: '240.0.0.0/5',
} as const;
/** Where guests find the router (VPC user guide, subnet sizing for IPv6). */
export const routerAddress6: Ipv6 = 'fe80:ec2::1';
export const resolverAddress: Ipv4 = '240.240.0.1';
export const metadataAddress: Ipv4 = '240.240.0.2';

/** Instances see 9001, the way to the internet is 1500 wide, endpoints, NAT and transit gateways 8500 (G5; EC2 user guide, network MTU; transit gateway guide, quotas); a peering 9001, between Regions 8500 (P9). */
export const mtu = {
  interface: 9001,
  igw: 1500,
  endpoint: 8500,
  natGateway: 8500,
  transitGateway: 8500,
  interRegionPeering: 8500,
} as const;

const macKinds = [
  'interface',
  'igw',
  'aws',
  'endpoint',
  'core-igw',
  'core-aws',
  'core-endpoint',
  'peering-requester',
  'peering-accepter',
  'eigw',
  'core-eigw',
] as const;

/** A locally administered MAC address: kind in the second octet, number in the last three. */
export function macAddress(kind: (typeof macKinds)[number], number: number): string {
  const octets = [0x0e, macKinds.indexOf(kind), 0x70, (number >> 16) & 255, (number >> 8) & 255, number & 255];
  return octets.map((octet) => octet.toString(16).padStart(2, '0')).join(':');
}
