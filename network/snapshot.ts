// The Snapshot: the only description of the network that leaves the store (design, invariant 1).
// The compiler turns it into kernel state and the walk reads it to explain a packet; both see exactly these fields.
// It carries AWS's nouns only and no Linux word, so that a second fabric can be built from it.
// Everything is already resolved: a subnet names its effective route table and ACL, a route knows whether it is a blackhole.

export type VpcId = `vpc-${string}`;
export type SubnetId = `subnet-${string}`;
export type RouteTableId = `rtb-${string}`;
export type NetworkAclId = `acl-${string}`;
export type SecurityGroupId = `sg-${string}`;
export type SecurityGroupRuleId = `sgr-${string}`;
export type NetworkInterfaceId = `eni-${string}`;
export type InternetGatewayId = `igw-${string}`;
export type VpcEndpointId = `vpce-${string}`;
export type VpcEndpointServiceId = `vpce-svc-${string}`;
export type NatGatewayId = `nat-${string}`;
export type EgressOnlyInternetGatewayId = `eigw-${string}`;
export type VpcPeeringConnectionId = `pcx-${string}`;
export type TransitGatewayId = `tgw-${string}`;
export type TransitGatewayAttachmentId = `tgw-attach-${string}`;
export type TransitGatewayRouteTableId = `tgw-rtb-${string}`;
export type InstanceConnectEndpointId = `eice-${string}`;
/** `net/NAME/ID`, as the ARN of a load balancer ends. */
export type LoadBalancerId = `net/${string}`;
export type PrefixListId = `pl-${string}`;
export type InstanceId = `i-${string}`;

/** An IPv4 address in dotted form, e.g. `10.0.0.4`. */
export type Ipv4 = string;
/** An IPv6 address as RFC 5952 writes it, e.g. `2600:1f18::4`. */
export type Ipv6 = string;
/** A network with its host bits cleared: `10.0.0.0/16`, and where IPv6 may stand, `2600:1f18::/56` (RFC 5952). `isIpv6Cidr` tells them apart. */
export type Cidr = `${string}/${number}`;

export interface PortRange {
  readonly from: number;
  readonly to: number;
}

/** ICMP type and code; -1 means every type or every code (S10). */
export interface IcmpMatch {
  readonly type: number;
  readonly code: number;
}

/** IP protocol number; -1 is every protocol, and then ports and icmp are absent. */
export type Protocol = number;

export type RulePeer =
  | { readonly kind: 'cidr'; readonly cidr: Cidr }
  | { readonly kind: 'prefix-list'; readonly prefixListId: PrefixListId }
  | { readonly kind: 'security-group'; readonly groupId: SecurityGroupId };

export interface SecurityGroupRule {
  readonly ruleId: SecurityGroupRuleId;
  readonly protocol: Protocol;
  /** Present for tcp (6) and udp (17) only. */
  readonly ports?: PortRange;
  /** Present for icmp (1) and icmpv6 (58) only. */
  readonly icmp?: IcmpMatch;
  readonly peer: RulePeer;
}

export interface SecurityGroup {
  readonly groupId: SecurityGroupId;
  readonly ingress: readonly SecurityGroupRule[];
  readonly egress: readonly SecurityGroupRule[];
}

export interface NetworkAclEntry {
  /** 1 to 32766; the final deny (32767) is implied and not listed. */
  readonly ruleNumber: number;
  readonly protocol: Protocol;
  readonly action: 'allow' | 'deny';
  readonly cidr: Cidr;
  readonly ports?: PortRange;
  readonly icmp?: IcmpMatch;
}

export interface NetworkAcl {
  readonly networkAclId: NetworkAclId;
  /** Ascending rule numbers. */
  readonly ingress: readonly NetworkAclEntry[];
  readonly egress: readonly NetworkAclEntry[];
}

export type RouteDestination =
  | { readonly kind: 'cidr'; readonly cidr: Cidr }
  | { readonly kind: 'prefix-list'; readonly prefixListId: PrefixListId };

export type RouteTarget =
  | { readonly kind: 'local' }
  | { readonly kind: 'internet-gateway'; readonly internetGatewayId: InternetGatewayId }
  | { readonly kind: 'egress-only-internet-gateway'; readonly egressOnlyInternetGatewayId: EgressOnlyInternetGatewayId }
  | { readonly kind: 'nat-gateway'; readonly natGatewayId: NatGatewayId }
  | { readonly kind: 'peering-connection'; readonly vpcPeeringConnectionId: VpcPeeringConnectionId }
  | { readonly kind: 'transit-gateway'; readonly transitGatewayId: TransitGatewayId }
  | { readonly kind: 'gateway-endpoint'; readonly vpcEndpointId: VpcEndpointId }
  | { readonly kind: 'network-interface'; readonly networkInterfaceId: NetworkInterfaceId };

export interface Route {
  readonly destination: RouteDestination;
  readonly target: RouteTarget;
  /** A blackhole still wins by longest prefix and then drops (R9). */
  readonly state: 'active' | 'blackhole';
}

export interface RouteTable {
  readonly routeTableId: RouteTableId;
  /** Includes one `local` route per VPC block (R3). */
  readonly routes: readonly Route[];
}

export interface Subnet {
  readonly subnetId: SubnetId;
  readonly cidrBlock: Cidr;
  /** At most one. */
  readonly ipv6CidrBlock?: Cidr;
  readonly availabilityZone: string;
  /** The effective table: the explicit association, else the VPC's main table (R11). */
  readonly routeTableId: RouteTableId;
  /** The effective ACL: the association, else the VPC's default ACL (N3). */
  readonly networkAclId: NetworkAclId;
  /** The resolver makes AAAA records for its interfaces, of names that have none (D6). */
  readonly enableDns64?: boolean;
  /** VPC Block Public Access as it stands for this subnet after exclusions; absent: off. */
  readonly blockPublicAccess?: 'block-bidirectional' | 'block-ingress';
  /** The exclusion of its own that the subnet has, where something is blocked in spite of it. */
  readonly publicAccessExclusionId?: string;
}

export interface PrivateAddress {
  readonly address: Ipv4;
  readonly primary: boolean;
  /** The public or Elastic IP that the internet gateway translates this address to and from (I2). */
  readonly publicAddress?: Ipv4;
}

export interface Attachment {
  readonly instanceId: InstanceId;
  readonly deviceIndex: number;
}

/** What stands behind an interface that no instance has. */
export type InterfaceService =
  | { readonly kind: 'nat-gateway'; readonly natGatewayId: NatGatewayId }
  | { readonly kind: 'vpc-endpoint'; readonly vpcEndpointId: VpcEndpointId }
  | { readonly kind: 'instance-connect-endpoint'; readonly instanceConnectEndpointId: InstanceConnectEndpointId }
  /** The place in a subnet by which a VPC and a transit gateway hand packets to each other (Z3). */
  | {
      readonly kind: 'transit-gateway';
      readonly transitGatewayId: TransitGatewayId;
      readonly transitGatewayAttachmentId: TransitGatewayAttachmentId;
    }
  | { readonly kind: 'network-load-balancer'; readonly loadBalancerId: LoadBalancerId }
  /** Another thing of AWS's: a database, a function, another load balancer. Only in what was read from a real account; a host like any other. */
  | { readonly kind: 'aws-managed'; readonly requesterId: string };

export interface NetworkInterface {
  readonly networkInterfaceId: NetworkInterfaceId;
  readonly subnetId: SubnetId;
  /** Lower case, colon separated. */
  readonly macAddress: string;
  /** The primary one first. */
  readonly privateAddresses: readonly PrivateAddress[];
  /** Global ones: no gateway translates them (I7). */
  readonly ipv6Addresses: readonly Ipv6[];
  /** Empty for a NAT gateway's and a transit gateway's, which have none (G8), and for a load balancer's that was made without (B4). */
  readonly groupIds: readonly SecurityGroupId[];
  /** R15: when true, packets neither from nor to this interface are dropped. */
  readonly sourceDestCheck: boolean;
  /** Present while attached to an instance that is pending or running; only then does it carry packets. */
  readonly attachment?: Attachment;
  /** Present while the gateway or endpoint that it belongs to is available; then it carries packets too. */
  readonly service?: InterfaceService;
  /** What its flow logs, its subnet's and its VPC's want to know; absent: it has none. */
  readonly loggedTraffic?: 'ACCEPT' | 'REJECT' | 'ALL';
}

/** What the metadata service may do for an instance (H4). */
export interface MetadataOptions {
  readonly enabled: boolean;
  /** TTL of the token response, 1 to 64. */
  readonly hopLimit: number;
  /** It answers at fd00:ec2::254 too. */
  readonly hasIpv6?: boolean;
}

export interface Instance {
  readonly instanceId: InstanceId;
  /** The name by its id has an AAAA record too. */
  readonly enableResourceNameDnsAAAARecord?: boolean;
  readonly metadata: MetadataOptions;
}

export interface GatewayEndpoint {
  readonly vpcEndpointId: VpcEndpointId;
  /** `s3` or `dynamodb`. */
  readonly service: string;
  readonly prefixListId: PrefixListId;
}

export interface InterfaceEndpoint {
  readonly vpcEndpointId: VpcEndpointId;
  /** The service's part of its endpoint name: `ssm`, `s3`, `ec2messages`. */
  readonly service: string;
  /** Region of the service. */
  readonly serviceRegion: string;
  /** One per subnet, in the Snapshot's `networkInterfaces`. */
  readonly networkInterfaceIds: readonly NetworkInterfaceId[];
  /** The names `vpce-ID-RAND.SERVICE.REGION.vpce.amazonaws.com`, the regional one first; each zonal one answers with one interface only (X4). */
  readonly dnsNames: readonly { readonly name: string; readonly networkInterfaceIds: readonly NetworkInterfaceId[] }[];
  /**
   * Of somebody's endpoint service: the balancer's node that each of its interfaces leads to, in the same zone (Y6); none while the connection is not accepted (Y3).
   * Absent: a service of AWS's.
   */
  readonly behind?: readonly { readonly networkInterfaceId: NetworkInterfaceId; readonly node: NetworkInterfaceId }[];
  /** Names of the hidden zone that this endpoint answers for in its VPC, `*.` first where all below is meant (X5); empty without private DNS. */
  readonly privateDnsNames: readonly string[];
}

export interface NatGateway {
  readonly natGatewayId: NatGatewayId;
  readonly connectivityType: 'public' | 'private';
  /** Its only interface; the private addresses of that one are what it translates to. */
  readonly networkInterfaceId: NetworkInterfaceId;
}

export interface InstanceConnectEndpoint {
  readonly instanceConnectEndpointId: InstanceConnectEndpointId;
  readonly networkInterfaceId: NetworkInterfaceId;
  readonly preserveClientIp: boolean;
}

export interface LoadBalancerTarget {
  readonly address: Ipv4;
  readonly port: number;
}

/** A Network Load Balancer in one Availability Zone. */
export interface LoadBalancerNode {
  readonly networkInterfaceId: NetworkInterfaceId;
  readonly listeners: readonly {
    readonly protocol: Protocol;
    readonly port: number;
    /** Those that new connections go to now: healthy ones, or all where none is (B6, B7). */
    readonly targets: readonly LoadBalancerTarget[];
  }[];
  /** Where it looks whether a target is healthy. */
  readonly checks: readonly LoadBalancerTarget[];
}

export interface NetworkLoadBalancer {
  readonly loadBalancerId: LoadBalancerId;
  readonly scheme: 'internal' | 'internet-facing';
  readonly nodes: readonly LoadBalancerNode[];
  /** The regional name first; each answers with the addresses of these nodes, public ones for an internet-facing balancer (B9). */
  readonly dnsNames: readonly { readonly name: string; readonly networkInterfaceIds: readonly NetworkInterfaceId[] }[];
}

export interface DhcpOptions {
  readonly domainName?: string;
  /** `AmazonProvidedDNS` or addresses. */
  readonly domainNameServers: readonly string[];
}

export interface Vpc {
  readonly vpcId: VpcId;
  readonly ownerId: string;
  readonly region: string;
  /** The primary block first. */
  readonly cidrBlocks: readonly Cidr[];
  readonly ipv6CidrBlocks: readonly Cidr[];
  readonly enableDnsSupport: boolean;
  readonly enableDnsHostnames: boolean;
  /** Absent: the VPC uses the `default` set, which has no options at all. */
  readonly dhcpOptions?: DhcpOptions;
  /** The attached internet gateway. */
  readonly internetGatewayId?: InternetGatewayId;
  /** The edge route table of that gateway, one of `routeTables` (R14). */
  readonly gatewayRouteTableId?: RouteTableId;
  readonly egressOnlyInternetGatewayIds: readonly EgressOnlyInternetGatewayId[];
  readonly subnets: readonly Subnet[];
  readonly routeTables: readonly RouteTable[];
  readonly networkAcls: readonly NetworkAcl[];
  readonly securityGroups: readonly SecurityGroup[];
  readonly networkInterfaces: readonly NetworkInterface[];
  /** Pending and running instances. */
  readonly instances: readonly Instance[];
  readonly gatewayEndpoints: readonly GatewayEndpoint[];
  readonly interfaceEndpoints: readonly InterfaceEndpoint[];
  /** Available ones. */
  readonly natGateways: readonly NatGateway[];
  readonly instanceConnectEndpoints: readonly InstanceConnectEndpoint[];
  readonly networkLoadBalancers: readonly NetworkLoadBalancer[];
}

export interface PeeringSide {
  readonly vpcId: VpcId;
  /** P8: this side's public host names mean private addresses to the other side. */
  readonly allowDnsResolutionFromRemoteVpc: boolean;
}

/** An active one; every other state carries nothing. */
export interface PeeringConnection {
  readonly vpcPeeringConnectionId: VpcPeeringConnectionId;
  readonly requester: PeeringSide;
  readonly accepter: PeeringSide;
}

/** An available attachment of a VPC. */
export interface TransitGatewayAttachment {
  readonly transitGatewayAttachmentId: TransitGatewayAttachmentId;
  readonly vpcId: VpcId;
  /** One in each of its zones, in the order of the zones; in the VPC's `networkInterfaces`. */
  readonly networkInterfaceIds: readonly NetworkInterfaceId[];
  /** Z7: all that goes to this VPC goes by one interface, in both directions. */
  readonly applianceMode: boolean;
  /** Z8: instances' public names mean private addresses to the other VPCs that have it too; the gateway's own option counted. */
  readonly dnsSupport: boolean;
  /** The route table that decides where what comes from this VPC goes; absent: nowhere (Z4). */
  readonly routeTableId?: TransitGatewayRouteTableId;
}

/** The one route that counts of those for a block: static before propagated, then the first that was propagated (Z5, Z6). */
export interface TransitGatewayRoute {
  readonly cidr: Cidr;
  /** Absent: a blackhole. */
  readonly transitGatewayAttachmentId?: TransitGatewayAttachmentId;
}

export interface TransitGatewayRouteTable {
  readonly transitGatewayRouteTableId: TransitGatewayRouteTableId;
  readonly routes: readonly TransitGatewayRoute[];
}

export interface TransitGateway {
  readonly transitGatewayId: TransitGatewayId;
  readonly attachments: readonly TransitGatewayAttachment[];
  readonly routeTables: readonly TransitGatewayRouteTable[];
}

export interface PrefixList {
  readonly prefixListId: PrefixListId;
  readonly cidrs: readonly Cidr[];
}

export interface Snapshot {
  /** The store's revision that this was read from; a larger one is newer. */
  readonly revision: number;
  readonly vpcs: readonly Vpc[];
  readonly peeringConnections: readonly PeeringConnection[];
  readonly transitGateways: readonly TransitGateway[];
  /** Customer-managed and AWS-managed lists that some rule or route may name. */
  readonly prefixLists: readonly PrefixList[];
}

export const emptySnapshot: Snapshot = {
  revision: 0,
  vpcs: [],
  peeringConnections: [],
  transitGateways: [],
  prefixLists: [],
};

/** The gateways and endpoints of a VPC that has none: to spread into one. */
export const noGateways = {
  ipv6CidrBlocks: [],
  egressOnlyInternetGatewayIds: [],
  gatewayEndpoints: [],
  interfaceEndpoints: [],
  natGateways: [],
  instanceConnectEndpoints: [],
  networkLoadBalancers: [],
} as const satisfies Partial<Vpc>;
