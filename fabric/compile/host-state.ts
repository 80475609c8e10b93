// What the kernel should hold, in the kernel's nouns: the compiler's output, the renderer's input, and what two states are compared by.
// A machine's own side of its interfaces is here too, but only what is set up at attach: the guest owns it afterwards.

import type {
  Cidr,
  Ipv4,
  Ipv6,
  NatGatewayId,
  NetworkInterfaceId,
  TransitGatewayId,
  VpcId,
} from '@postern/network/snapshot.ts';
import type { Family } from './family.ts';

export interface HostState {
  /** The AWS side and the sealed internet: the namespace that the server itself runs in. */
  readonly core: NamespaceState;
  readonly vpcs: readonly VpcState[];
  /** Between two of `vpcs`; what lies on them is the VPCs'. */
  readonly peerings: readonly PeeringLink[];
  readonly transitGateways: readonly TransitGatewayState[];
}

export interface VpcState extends NamespaceState {
  readonly vpcId: VpcId;
  readonly guests: readonly GuestInterface[];
  readonly natGateways: readonly NatGatewayState[];
  /** Those with a flow log, by the number that their packets are counted under; absent: nothing is counted. */
  readonly loggedInterfaces?: ReadonlyMap<number, NetworkInterfaceId>;
}

/** The namespace of a transit gateway; its links are those of the routers. */
export interface TransitGatewayState extends NamespaceState {
  readonly transitGatewayId: TransitGatewayId;
  /** Its ends of them. */
  readonly devices: readonly string[];
}

export interface NamespaceState {
  /** Links whose first end is in this namespace; a VPC's links to the core are the VPC's. */
  readonly links: readonly Link[];
  readonly addresses: readonly { readonly address: Ipv4 | Ipv6; readonly device: string }[];
  readonly neighbours: readonly Neighbour[];
  readonly routes: readonly KernelRoute[];
  readonly rules: readonly PolicyRule[];
  readonly table: NftTable;
  readonly ipv6Table: NftTable;
}

/** Whose the other end is: a process of the machine, the core, or a NAT or transit gateway, whose namespace has its id for a name. */
export type LinkEnd = number | 'core' | NatGatewayId | TransitGatewayId;

export interface Link {
  readonly name: string;
  readonly macAddress: string;
  readonly mtu: number;
  readonly peer: { readonly name: string; readonly macAddress: string; readonly processId: LinkEnd };
  /** The AWS id; shown by `ip link`. */
  readonly alias: string;
}

/** A link between the routers of two VPCs. */
export interface PeeringLink {
  /** The AWS id. */
  readonly alias: string;
  readonly mtu: number;
  readonly ends: readonly [PeeringEnd, PeeringEnd];
}

export interface PeeringEnd {
  readonly vpcId: VpcId;
  readonly name: string;
  readonly macAddress: string;
}

export interface Neighbour {
  readonly address: Ipv4 | Ipv6;
  readonly macAddress: string;
  readonly device: string;
}

export interface KernelRoute {
  readonly table: number | 'local';
  readonly destination: Cidr;
  readonly kind: 'unicast' | 'throw' | 'blackhole' | 'local';
  readonly device?: string;
  readonly via?: Ipv4 | Ipv6;
}

export interface PolicyRule {
  /** Absent: `ip`. */
  readonly family?: Family;
  readonly preference: number;
  /** With neither: every packet. */
  readonly mark?: number;
  /** That it came in by. */
  readonly device?: string;
  readonly table: number;
}

export interface NftTable {
  /** Absent: `ip`. */
  readonly family?: Family;
  readonly name: string;
  readonly sets: readonly NftSet[];
  readonly chains: readonly NftChain[];
}

export interface NftSet {
  readonly name: string;
  readonly kind: 'set' | 'map';
  /** `ipv4_addr`, `ifname : verdict`, `typeof ip saddr : ct zone`. */
  readonly type: string;
  readonly interval?: boolean;
  /** Packets add to it: an element that none has added for so long goes. */
  readonly timeoutSeconds?: number;
  /** How many they may add; absent: the kernel's own bound. */
  readonly maxElements?: number;
  /** `key` or `key : value`, with comments where the kernel keeps them. */
  readonly elements: readonly string[];
}

export interface NftChain {
  readonly name: string;
  /** `type filter hook forward priority filter; policy drop;` of a base chain. */
  readonly hook?: string;
  readonly rules: readonly NftRule[];
}

export interface NftRule {
  readonly match: string;
  /** Stage and AWS id: from a packet one reaches the API call. */
  readonly comment?: string;
}

/** What is configured inside a machine when its interface is plugged in. */
export interface GuestInterface {
  readonly networkInterfaceId: NetworkInterfaceId;
  readonly processId: number;
  readonly device: string;
  readonly deviceIndex: number;
  readonly prefixLength: number;
  /** The primary one first. */
  readonly addresses: readonly Ipv4[];
  readonly ipv6Addresses: readonly Ipv6[];
  readonly gateway: Ipv4;
  /** The router's end of the link. */
  readonly routerMacAddress: string;
  /** The machine has several interfaces: what it sends from this one's addresses must leave by this one. */
  readonly ownTable: boolean;
}

/** A NAT gateway's namespace: one interface, and what it lets through and translates. */
export interface NatGatewayState {
  readonly natGatewayId: NatGatewayId;
  readonly networkInterfaceId: NetworkInterfaceId;
  /** The primary one first. */
  readonly addresses: readonly Ipv4[];
  /** The router's address in the subnet, and the MAC address that stands for it. */
  readonly gateway: Ipv4;
  readonly gatewayMacAddress: string;
  /** Some route leads IPv6 for IPv4 addresses here. */
  readonly hasNat64: boolean;
  readonly table: NftTable;
}
