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
export type PrefixListId = `pl-${string}`;
export type InstanceId = `i-${string}`;

/** An IPv4 address in dotted form, e.g. `10.0.0.4`. */
export type Ipv4 = string;
/** An IPv4 network with its host bits cleared, e.g. `10.0.0.0/16`. */
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
  /** Present for icmp (1) only. */
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
  readonly availabilityZone: string;
  /** The effective table: the explicit association, else the VPC's main table (R11). */
  readonly routeTableId: RouteTableId;
  /** The effective ACL: the association, else the VPC's default ACL (N3). */
  readonly networkAclId: NetworkAclId;
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

export interface NetworkInterface {
  readonly networkInterfaceId: NetworkInterfaceId;
  readonly subnetId: SubnetId;
  /** Lower case, colon separated. */
  readonly macAddress: string;
  /** The primary one first. */
  readonly privateAddresses: readonly PrivateAddress[];
  readonly groupIds: readonly SecurityGroupId[];
  /** R15: when true, packets neither from nor to this interface are dropped. */
  readonly sourceDestCheck: boolean;
  /** Present while attached to an instance that is pending or running; only then does it carry packets. */
  readonly attachment?: Attachment;
}

/** What the metadata service may do for an instance (H4). */
export interface MetadataOptions {
  readonly enabled: boolean;
  /** TTL of the token response, 1 to 64. */
  readonly hopLimit: number;
}

export interface Instance {
  readonly instanceId: InstanceId;
  readonly metadata: MetadataOptions;
}

export interface GatewayEndpoint {
  readonly vpcEndpointId: VpcEndpointId;
  /** `s3` or `dynamodb`. */
  readonly service: string;
  readonly prefixListId: PrefixListId;
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
  readonly enableDnsSupport: boolean;
  readonly enableDnsHostnames: boolean;
  /** Absent: the VPC uses the `default` set, which has no options at all. */
  readonly dhcpOptions?: DhcpOptions;
  /** The attached internet gateway. */
  readonly internetGatewayId?: InternetGatewayId;
  readonly subnets: readonly Subnet[];
  readonly routeTables: readonly RouteTable[];
  readonly networkAcls: readonly NetworkAcl[];
  readonly securityGroups: readonly SecurityGroup[];
  readonly networkInterfaces: readonly NetworkInterface[];
  /** Pending and running instances. */
  readonly instances: readonly Instance[];
  readonly gatewayEndpoints: readonly GatewayEndpoint[];
}

export interface PrefixList {
  readonly prefixListId: PrefixListId;
  readonly cidrs: readonly Cidr[];
}

export interface Snapshot {
  /** The store's revision that this was read from; a larger one is newer. */
  readonly revision: number;
  readonly vpcs: readonly Vpc[];
  /** Customer-managed and AWS-managed lists that some rule or route may name. */
  readonly prefixLists: readonly PrefixList[];
}
