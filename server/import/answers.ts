// Which lists of AWS's answers are read, which have no part in who reaches what, and which are roads and boxes that Postern does not model.
// Names are the members of the answers of describe-…, list-… and get-… in the AWS CLI.

export const modelled = [
  'Vpcs', 'Subnets', 'RouteTables', 'NetworkAcls', 'SecurityGroups', 'SecurityGroupRules', 'NetworkInterfaces', 'Reservations', 'Instances', 'InternetGateways',
  'EgressOnlyInternetGateways', 'NatGateways', 'VpcEndpoints', 'VpcPeeringConnections', 'PrefixLists', 'Entries', 'DhcpOptions', 'InstanceConnectEndpoints',
  'SecurityGroupVpcAssociations', 'VpcBlockPublicAccessOptions', 'VpcBlockPublicAccessExclusions', 'Addresses', 'EnableDnsSupport', 'EnableDnsHostnames',
  'UserDetailList', 'GroupDetailList', 'RoleDetailList', 'Policies', 'Policy', 'Buckets', 'LocationConstraint', 'PublicAccessBlockConfiguration',
] as const; // biome-ignore format: a list

/** Without these there is no network to speak of. */
export const required = {
  Vpcs: 'describe-vpcs',
  Subnets: 'describe-subnets',
  RouteTables: 'describe-route-tables',
  NetworkAcls: 'describe-network-acls',
  SecurityGroups: 'describe-security-groups',
  NetworkInterfaces: 'describe-network-interfaces',
} as const;

/** Members of answers that are no lists of things. */
export const envelope = [
  'NextToken',
  'nextToken',
  'Marker',
  'IsTruncated',
  'ResponseMetadata',
  'VpcId',
  'Owner',
  'Prefix',
] as const;

/** No part in who reaches what. */
export const harmless = [
  'AvailabilityZones', 'Regions', 'Volumes', 'Snapshots', 'Images', 'KeyPairs', 'LaunchTemplates', 'LaunchTemplateVersions', 'PlacementGroups', 'Tags', 'FlowLogs',
  'InstanceStatuses', 'InstanceTypes', 'IamInstanceProfileAssociations', 'AccountAttributes', 'CapacityReservations', 'ReservedInstances', 'SpotInstanceRequests',
  'NetworkInsightsPaths', 'NetworkInsightsAnalyses', 'NetworkInsightsAccessScopes', 'SubnetCidrReservations', 'StaleSecurityGroupSet', 'SecurityGroupReferenceSet',
  'CustomerGateways', 'PublicIpv4Pools', 'ByoipCidrs', 'Ipams', 'IpamPools', 'IpamScopes', 'ServiceNames', 'ServiceDetails', 'VolumesModifications', 'Hosts',
  'AccountAliases', 'SummaryMap', 'UserId', 'Account', 'Arn', 'DBInstances', 'DBClusters', 'Functions', 'AutoScalingGroups', 'DBSubnetGroups', 'CacheClusters',
] as const; // biome-ignore format: a list

/**
 * Not modelled. Roads among them matter where routes lead to them, boxes by their interfaces; both are found there (findings.ts), and these lists only give
 * them their names. `anywhere`: nothing in the other answers shows where it matters.
 */
export const unmodelled: Readonly<Record<string, { readonly noun: string; readonly id: string; readonly anywhere?: true }>> = {
  TransitGatewayVpcAttachments: { noun: 'transit gateway attachment', id: 'TransitGatewayAttachmentId' },
  TransitGatewayAttachments: { noun: 'transit gateway attachment', id: 'TransitGatewayAttachmentId' },
  TransitGateways: { noun: 'transit gateway', id: 'TransitGatewayId' },
  TransitGatewayRouteTables: { noun: 'transit gateway route table', id: 'TransitGatewayRouteTableId' },
  TransitGatewayPeeringAttachments: { noun: 'transit gateway peering', id: 'TransitGatewayAttachmentId' },
  TransitGatewayConnects: { noun: 'transit gateway connect attachment', id: 'TransitGatewayAttachmentId' },
  VpnGateways: { noun: 'virtual private gateway', id: 'VpnGatewayId' },
  VpnConnections: { noun: 'VPN connection', id: 'VpnConnectionId' },
  ClientVpnEndpoints: { noun: 'client VPN endpoint', id: 'ClientVpnEndpointId', anywhere: true },
  CarrierGateways: { noun: 'carrier gateway', id: 'CarrierGatewayId' },
  LocalGateways: { noun: 'local gateway', id: 'LocalGatewayId' },
  LocalGatewayRouteTables: { noun: 'local gateway route table', id: 'LocalGatewayRouteTableId' },
  CoreNetworks: { noun: 'Cloud WAN core network', id: 'CoreNetworkId' },
  virtualInterfaces: { noun: 'Direct Connect virtual interface', id: 'virtualInterfaceId' },
  LoadBalancers: { noun: 'load balancer', id: 'LoadBalancerArn' },
  LoadBalancerDescriptions: { noun: 'classic load balancer', id: 'LoadBalancerName' },
  TargetGroups: { noun: 'target group', id: 'TargetGroupArn' },
  Firewalls: { noun: 'network firewall', id: 'FirewallName' },
  ServiceConfigurations: { noun: 'endpoint service', id: 'ServiceId', anywhere: true },
  VerifiedAccessEndpoints: { noun: 'Verified Access endpoint', id: 'VerifiedAccessEndpointId', anywhere: true },
  RouteServers: { noun: 'route server', id: 'RouteServerId' },
  TrafficMirrorSessions: { noun: 'traffic mirror session', id: 'TrafficMirrorSessionId' },
  Accelerators: { noun: 'Global Accelerator', id: 'AcceleratorArn', anywhere: true },
}; // biome-ignore format: a table
