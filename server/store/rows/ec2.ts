// Rows of the EC2 service. One row per AWS resource; ids are AWS's. Lists inside a row belong to it alone; everything shared is a row of its own.
// What can be computed (available addresses, a route's blackhole state, an effective route table) is not stored.

import type { BlockMode, ExclusionMode } from '@postern/network/block-public-access.ts';
import type {
  Cidr,
  EgressOnlyInternetGatewayId,
  InstanceConnectEndpointId,
  InstanceId,
  InterfaceService,
  InternetGatewayId,
  Ipv4,
  Ipv6,
  NatGatewayId,
  NetworkAclId,
  NetworkInterfaceId,
  PrefixListId,
  RouteTableId,
  SecurityGroupId,
  SecurityGroupRuleId,
  SubnetId,
  TransitGatewayId,
  VpcEndpointId,
  VpcEndpointServiceId,
  VpcId,
  VpcPeeringConnectionId,
} from '@postern/network/snapshot.ts';
import type { Row } from '../store.ts';
import type { FlowLogRow } from './flow-logs.ts';
import type {
  NetworkInsightsAccessScopeAnalysisRow,
  NetworkInsightsAccessScopeRow,
  NetworkInsightsAnalysisRow,
  NetworkInsightsPathRow,
} from './network-insights.ts';
import type { TransitGatewayRows } from './transit-gateways.ts';

export type Tags = Readonly<Record<string, string>>;

export interface VpcRow extends Row {
  id: VpcId;
  cidrBlocks: { associationId: string; cidr: Cidr }[];
  /** Amazon's, a /56 each. */
  ipv6CidrBlocks?: { associationId: string; cidr: Cidr }[];
  isDefault: boolean;
  instanceTenancy: 'default' | 'dedicated';
  enableDnsSupport: boolean;
  enableDnsHostnames: boolean;
  enableNetworkAddressUsageMetrics: boolean;
  /** `default` or a `dopt-…` id. */
  dhcpOptionsId: string;
  tags: Tags;
}

export interface SubnetRow extends Row {
  id: SubnetId;
  vpcId: VpcId;
  cidrBlock: Cidr;
  ipv6CidrBlock?: { associationId: string; cidr: Cidr };
  availabilityZone: string;
  availabilityZoneId: string;
  defaultForAz: boolean;
  mapPublicIpOnLaunch: boolean;
  assignIpv6AddressOnCreation?: boolean;
  enableDns64?: boolean;
  privateDnsHostnameType: 'ip-name' | 'resource-name';
  enableResourceNameDnsARecord: boolean;
  enableResourceNameDnsAAAARecord?: boolean;
  tags: Tags;
}

/** Addresses of a subnet that are kept back from automatic assignment. */
export interface SubnetCidrReservationRow extends Row {
  /** `scr-…` */
  id: string;
  subnetId: SubnetId;
  vpcId: VpcId;
  cidr: Cidr;
  reservationType: 'prefix' | 'explicit';
  description?: string;
  tags: Tags;
}

export interface RouteRow {
  destination: { kind: 'cidr'; cidr: Cidr } | { kind: 'prefix-list'; prefixListId: PrefixListId };
  target:
    | { kind: 'local' }
    | { kind: 'internet-gateway'; internetGatewayId: InternetGatewayId }
    | { kind: 'egress-only-internet-gateway'; egressOnlyInternetGatewayId: EgressOnlyInternetGatewayId }
    | { kind: 'gateway-endpoint'; vpcEndpointId: VpcEndpointId }
    | { kind: 'nat-gateway'; natGatewayId: NatGatewayId }
    | { kind: 'peering-connection'; vpcPeeringConnectionId: VpcPeeringConnectionId }
    | { kind: 'transit-gateway'; transitGatewayId: TransitGatewayId }
    | { kind: 'network-interface'; networkInterfaceId: NetworkInterfaceId; instanceId?: InstanceId };
  origin: 'CreateRouteTable' | 'CreateRoute';
}

export interface RouteTableRow extends Row {
  id: RouteTableId;
  vpcId: VpcId;
  /** In the order of creation; includes the local ones. Gateway-endpoint routes are rows here too, owned by their endpoint (R10). */
  routes: RouteRow[];
  /** Of subnets, or as the edge table of an internet gateway (R14). */
  associations: { associationId: string; main: boolean; subnetId?: SubnetId; gatewayId?: InternetGatewayId }[];
  tags: Tags;
}

export interface InternetGatewayRow extends Row {
  id: InternetGatewayId;
  vpcId?: VpcId;
  tags: Tags;
}

export interface EgressOnlyInternetGatewayRow extends Row {
  id: EgressOnlyInternetGatewayId;
  vpcId: VpcId;
  tags: Tags;
}

export interface SecurityGroupRow extends Row {
  id: SecurityGroupId;
  vpcId: VpcId;
  groupName: string;
  description: string;
  tags: Tags;
}

/** A group that interfaces in another VPC of the same account and region may carry too. */
export interface SecurityGroupVpcAssociationRow extends Row {
  /** `GROUP VPC`: AWS gives an association no id. */
  id: string;
  groupId: SecurityGroupId;
  /** The other VPC. */
  vpcId: VpcId;
}

/** One rule with one peer; both rule APIs read and write these. */
export interface SecurityGroupRuleRow extends Row {
  id: SecurityGroupRuleId;
  groupId: SecurityGroupId;
  vpcId: VpcId;
  isEgress: boolean;
  /** -1 every protocol, else the IP protocol number. */
  protocol: number;
  /** Ports for tcp and udp, type and code for icmp and icmpv6; absent for other protocols. -1 means every one. */
  fromPort?: number;
  toPort?: number;
  peer:
    | { kind: 'cidr'; cidr: Cidr }
    | { kind: 'cidr6'; cidr: Cidr }
    | { kind: 'prefix-list'; prefixListId: PrefixListId }
    | {
        kind: 'security-group';
        groupId: SecurityGroupId;
        ownerId: string;
        /** Of a group in a peered VPC: where it is, and the peering over which it was named first. */
        peering?: { vpcId: VpcId; vpcPeeringConnectionId: VpcPeeringConnectionId };
      };
  description?: string;
  tags: Tags;
}

export interface NetworkAclEntryRow {
  ruleNumber: number;
  egress: boolean;
  protocol: number;
  action: 'allow' | 'deny';
  cidrBlock?: Cidr;
  ipv6CidrBlock?: Cidr;
  portRange?: { from: number; to: number };
  icmp?: { type: number; code: number };
}

export interface NetworkAclRow extends Row {
  id: NetworkAclId;
  vpcId: VpcId;
  isDefault: boolean;
  /** Without the final deny. */
  entries: NetworkAclEntryRow[];
  /** Explicit ones; every other subnet of the VPC belongs to the default ACL, which lists its subnets here too. */
  associations: { associationId: string; subnetId: SubnetId }[];
  tags: Tags;
}

export interface AddressRow extends Row {
  /** `eipalloc-…` */
  id: string;
  publicIp: Ipv4;
  domain: 'vpc';
  associationId?: string;
  networkInterfaceId?: NetworkInterfaceId;
  privateIp?: Ipv4;
  instanceId?: InstanceId;
  tags: Tags;
}

export interface NetworkInterfaceRow extends Row {
  id: NetworkInterfaceId;
  vpcId: VpcId;
  subnetId: SubnetId;
  availabilityZone: string;
  description: string;
  macAddress: string;
  /** The primary one first. `autoPublicIp` is an address that the subnet assigned at launch; it is gone after stop. An Elastic IP is an AddressRow. */
  privateAddresses: { address: Ipv4; primary: boolean; autoPublicIp?: { publicIp: Ipv4; associationId: string } }[];
  /** In the order of assignment. */
  ipv6Addresses?: Ipv6[];
  /** The first of them stays for as long as the interface does. */
  primaryIpv6?: boolean;
  groupIds: SecurityGroupId[];
  sourceDestCheck: boolean;
  /** Said by ModifyNetworkInterfaceAttribute, any interface can carry it; it counts for a primary one. Absent: as the launch decided. */
  associatePublicIpAddress?: boolean;
  interfaceType: string;
  requesterManaged: boolean;
  requesterId?: string;
  /** What of AWS's own it belongs to; its owner sees it and cannot manage it. */
  service?: InterfaceService;
  attachment?: {
    attachmentId: string;
    instanceId: InstanceId;
    instanceOwnerId: string;
    deviceIndex: number;
    deleteOnTermination: boolean;
    status: 'attaching' | 'attached' | 'detaching';
    attachTime: string;
  };
  tags: Tags;
}

/** VPC Block Public Access of an account in a Region: `ACCOUNT/REGION`. Absent: never changed, off. */
export interface BlockPublicAccessRow extends Row {
  mode: BlockMode;
  updatedAt: string;
}

export interface BlockPublicAccessExclusionRow extends Row {
  /** `vpcbpa-exclude-…` */
  id: string;
  /** One of the two. */
  vpcId?: VpcId;
  subnetId?: SubnetId;
  mode: ExclusionMode;
  state: 'create-complete' | 'update-complete';
  createdAt: string;
  updatedAt: string;
  tags: Tags;
}

export interface NatGatewayRow extends Row {
  id: NatGatewayId;
  vpcId: VpcId;
  subnetId: SubnetId;
  connectivityType: 'public' | 'private';
  state: 'available' | 'failed' | 'deleted';
  failure?: { code: string; message: string };
  /** Absent: it failed. */
  networkInterfaceId?: NetworkInterfaceId;
  /** The primary one first; of a deleted one as they last were. A failed one has no more than what was asked for. */
  addresses: {
    privateIp?: Ipv4;
    primary: boolean;
    elastic?: { allocationId: string; associationId?: string; publicIp?: Ipv4 };
  }[];
  createTime: string;
  deleteTime?: string;
  tags: Tags;
}

interface EndpointRow extends Row {
  id: VpcEndpointId;
  vpcId: VpcId;
  /** `com.amazonaws.us-east-1.s3` */
  serviceName: string;
  /** The JSON text as given or the default; checked when it was written. */
  policyDocument: string;
  creationTime: string;
  tags: Tags;
}

export interface GatewayEndpointRow extends EndpointRow {
  endpointType: 'Gateway';
  prefixListId: PrefixListId;
  routeTableIds: RouteTableId[];
}

export interface InterfaceEndpointRow extends EndpointRow {
  endpointType: 'Interface';
  /** In the order in which they were added, each with the interface that is in it. */
  subnets: { subnetId: SubnetId; networkInterfaceId: NetworkInterfaceId }[];
  groupIds: SecurityGroupId[];
  privateDnsEnabled: boolean;
  dnsOptions: { dnsRecordIpType: 'ipv4' | 'service-defined'; privateDnsOnlyForInboundResolverEndpoint?: boolean };
  /** The random part of its DNS names. */
  dnsLabel: string;
  /** For somebody's endpoint service: only `available` carries packets (Y3). */
  connection?: 'pendingAcceptance' | 'available' | 'rejected';
}

export interface VpcEndpointServiceRow extends Row {
  id: VpcEndpointServiceId;
  loadBalancerArns: string[];
  acceptanceRequired: boolean;
  /** Who may use it besides its own account (Y2). */
  principals: { arn: string }[];
  tags: Tags;
}

export type VpcEndpointRow = GatewayEndpointRow | InterfaceEndpointRow;

export interface VpcPeeringSideRow {
  vpcId: VpcId;
  accountId: string;
  region: string;
  /** P8: this side's public host names mean private addresses to the other side. */
  allowDnsResolutionFromRemoteVpc: boolean;
}

/** Account and region are the requester's; the accepter's sees it too. */
export interface VpcPeeringConnectionRow extends Row {
  id: VpcPeeringConnectionId;
  requester: VpcPeeringSideRow;
  /** As it was asked for: of a failed one it may name nothing that exists. */
  accepter: VpcPeeringSideRow;
  /** A pending one is expired from `expiresAt` on. */
  state: 'pending-acceptance' | 'active' | 'failed' | 'rejected' | 'deleted';
  createdAt: string;
  expiresAt: string;
  /** When it failed, or was rejected or deleted. */
  endedAt?: string;
  /** The account that rejected or deleted it. */
  endedBy?: string;
  /** The requester's, and the accepter's too when both are one account in one region. */
  tags: Tags;
  accepterTags: Tags;
}

export interface InstanceConnectEndpointRow extends Row {
  id: InstanceConnectEndpointId;
  vpcId: VpcId;
  subnetId: SubnetId;
  /** Its interface carries its groups. */
  networkInterfaceId: NetworkInterfaceId;
  preserveClientIp: boolean;
  createdAt: string;
  tags: Tags;
}

export interface PrefixListRow extends Row {
  id: PrefixListId;
  prefixListName: string;
  addressFamily: 'IPv4' | 'IPv6';
  maxEntries: number;
  version: number;
  state: 'create-complete' | 'modify-complete';
  entries: { cidr: string; description?: string }[];
  /** Older versions' entries, for GetManagedPrefixListEntries and RestoreManagedPrefixListVersion. */
  history: { version: number; entries: { cidr: string; description?: string }[] }[];
  tags: Tags;
}

export interface DhcpOptionsRow extends Row {
  id: string;
  configurations: { key: string; values: string[] }[];
  tags: Tags;
}

export interface KeyPairRow extends Row {
  /** `key-…` */
  id: string;
  keyName: string;
  keyType: 'rsa' | 'ed25519';
  /** OpenSSH form; the private half is never kept. */
  publicKey: string;
  fingerprint: string;
  createTime: string;
  tags: Tags;
}

export interface InstanceRow extends Row {
  id: InstanceId;
  reservationId: string;
  imageId: string;
  instanceType: string;
  keyName?: string;
  launchTime: string;
  launchIndex: number;
  clientToken?: string;
  vpcId: VpcId;
  subnetId: SubnetId;
  availabilityZone: string;
  /** What the API shows; `control/` moves pending → running and stopping → stopped when the machine has done so. */
  state: 'pending' | 'running' | 'shutting-down' | 'terminated' | 'stopping' | 'stopped';
  stateReason?: { code: string; message: string };
  stateTransitionReason: string;
  /** Rises with every reboot asked for; the machine restarts when it is behind. */
  bootGeneration: number;
  /** Base64, as given. */
  userData?: string;
  /** Association of an instance profile. */
  iamInstanceProfile?: { associationId: string; arn: string; id: string; state: 'associated'; timestamp: string };
  metadataOptions: {
    httpTokens: 'optional' | 'required';
    httpEndpoint: 'enabled' | 'disabled';
    httpPutResponseHopLimit: number;
    instanceMetadataTags: 'enabled' | 'disabled';
    httpProtocolIpv6: 'enabled' | 'disabled';
  };
  disableApiTermination: boolean;
  disableApiStop: boolean;
  instanceInitiatedShutdownBehavior: 'stop' | 'terminate';
  monitoring: 'enabled' | 'disabled';
  ebsOptimized: boolean;
  rootVolumeId: string;
  /** What was asked for the root volume; absent: the image's own. */
  rootVolume?: {
    sizeGiB: number;
    volumeType: string;
    /** What was asked for; absent: what its type has. */
    iops?: number;
    throughput?: number;
    deleteOnTermination: boolean;
    encrypted: boolean;
    kmsKeyId?: string;
    tags: Tags;
    /** The latest change by ModifyVolume, which is complete at once. */
    modification?: {
      startTime: string;
      original: { sizeGiB: number; volumeType: string; iops?: number; throughput?: number };
    };
  };
  /** The primary interface was given a public address at launch: a start after a stop gives it another. */
  assignsPublicIp?: boolean;
  /** What was asked for; absent: what its type has. */
  cpuCredits?: 'standard' | 'unlimited';
  cpuOptions?: { coreCount: number; threadsPerCore: number };
  autoRecovery?: 'default' | 'disabled';
  /** Absent: `ip-name`. */
  hostnameType?: 'ip-name' | 'resource-name';
  /** Its name by id has an AAAA record too. */
  enableResourceNameDnsAAAARecord?: boolean;
  /** When a terminated instance is forgotten (an hour later). */
  terminatedAt?: string;
  tags: Tags;
}

/** A ClientToken that was used: the same token and input gives the same answer, another input IdempotentParameterMismatch. */
export interface IdempotencyRow extends Row {
  operation: string;
  inputHash: string;
  resourceIds: string[];
  createdAt: string;
}

/** Marks that the region's default VPC was made, so that deleting it is remembered. */
export interface RegionRow extends Row {
  defaultVpcCreated: boolean;
}

export interface Ec2Rows extends TransitGatewayRows {
  vpc: VpcRow;
  subnet: SubnetRow;
  'subnet-cidr-reservation': SubnetCidrReservationRow;
  'route-table': RouteTableRow;
  'internet-gateway': InternetGatewayRow;
  'egress-only-internet-gateway': EgressOnlyInternetGatewayRow;
  'security-group': SecurityGroupRow;
  'security-group-rule': SecurityGroupRuleRow;
  'security-group-vpc-association': SecurityGroupVpcAssociationRow;
  'network-acl': NetworkAclRow;
  address: AddressRow;
  'network-interface': NetworkInterfaceRow;
  'nat-gateway': NatGatewayRow;
  'vpc-block-public-access': BlockPublicAccessRow;
  'vpc-block-public-access-exclusion': BlockPublicAccessExclusionRow;
  'vpc-endpoint': VpcEndpointRow;
  'vpc-endpoint-service': VpcEndpointServiceRow;
  'vpc-peering-connection': VpcPeeringConnectionRow;
  'instance-connect-endpoint': InstanceConnectEndpointRow;
  'prefix-list': PrefixListRow;
  'dhcp-options': DhcpOptionsRow;
  'key-pair': KeyPairRow;
  'flow-log': FlowLogRow;
  instance: InstanceRow;
  'network-insights-path': NetworkInsightsPathRow;
  'network-insights-analysis': NetworkInsightsAnalysisRow;
  'network-insights-access-scope': NetworkInsightsAccessScopeRow;
  'network-insights-access-scope-analysis': NetworkInsightsAccessScopeAnalysisRow;
  'ec2-idempotency': IdempotencyRow;
  'ec2-region': RegionRow;
}
