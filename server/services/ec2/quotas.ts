// How many of a kind may there be? AWS's defaults, enforced only with `--quotas aws`.
// https://docs.aws.amazon.com/vpc/latest/userguide/amazon-vpc-limits.html (read 2026-11-21).

import type { Call } from '../../service.ts';
import { ec2Error } from './errors.ts';

export const quotas = {
  vpcsPerRegion: { limit: 5, code: 'VpcLimitExceeded', message: 'The maximum number of VPCs has been reached.' },
  internetGatewaysPerRegion: { limit: 5, code: 'InternetGatewayLimitExceeded', message: 'The maximum number of internet gateways has been reached.' },
  egressOnlyInternetGatewaysPerRegion: { limit: 5, code: 'EgressOnlyInternetGatewayLimitExceeded', message: 'The maximum number of egress-only internet gateways has been reached.' },
  addressesPerRegion: { limit: 5, code: 'AddressLimitExceeded', message: 'The maximum number of addresses has been reached.' },
  subnetsPerVpc: { limit: 200, code: 'SubnetLimitExceeded', message: 'The maximum number of subnets has been reached.' },
  routeTablesPerVpc: { limit: 200, code: 'RouteTableLimitExceeded', message: 'The maximum number of route tables has been reached.' },
  routesPerRouteTable: { limit: 50, code: 'RouteLimitExceeded', message: 'The maximum number of routes has been reached.' },
  networkAclsPerVpc: { limit: 200, code: 'NetworkAclLimitExceeded', message: 'The maximum number of network acls has been reached.' },
  entriesPerNetworkAcl: { limit: 20, code: 'NetworkAclEntryLimitExceeded', message: 'The maximum number of network acl entries has been reached.' },
  securityGroupsPerRegion: { limit: 2500, code: 'SecurityGroupLimitExceeded', message: 'The maximum number of security groups has been reached.' },
  rulesPerSecurityGroup: { limit: 60, code: 'RulesPerSecurityGroupLimitExceeded', message: 'The maximum number of rules per security group has been reached.' },
  securityGroupsPerInterface: { limit: 5, code: 'SecurityGroupsPerInterfaceLimitExceeded', message: 'The maximum number of security groups per interface has been reached.' },
  natGatewaysPerZone: { limit: 5, code: 'NatGatewayLimitExceeded', message: 'Performing this operation would exceed the limit of 5 NAT gateways' },
  // AWS’s code for this one was not seen.
  addressesPerNatGateway: { limit: 2, code: 'AddressLimitExceeded', message: 'Performing this operation would exceed the limit of 2 Elastic IP addresses for a NAT gateway' },
  peeringsPerVpc: { limit: 50, code: 'VpcPeeringConnectionsPerVpcLimitExceeded', message: 'The maximum number of VPC peering connections per VPC has been reached.' },
  outstandingPeeringsPerVpc: { limit: 25, code: 'OutstandingVpcPeeringConnectionLimitExceeded', message: 'The maximum number of outstanding VPC peering connection requests has been reached.' },
  // AWS’s code for this one was not seen.
  blockPublicAccessExclusionsPerRegion: { limit: 50, code: 'VpcBlockPublicAccessExclusionLimitExceeded', message: 'The maximum number of VPC Block Public Access exclusions has been reached.' },
  gatewayEndpointsPerRegion: { limit: 20, code: 'VpcEndpointLimitExceeded', message: 'The maximum number of VPC endpoints has been reached.' },
  instanceConnectEndpointsPerRegion: { limit: 5, code: 'InstanceConnectEndpointLimitExceeded', message: 'The maximum number of instance connect endpoints has been reached.' },
  interfaceEndpointsPerVpc: { limit: 50, code: 'VpcEndpointLimitExceeded', message: 'The maximum number of VPC endpoints has been reached.' },
  networkInsightsPathsPerRegion: { limit: 1000, code: 'NetworkInsightsPath.LimitExceeded', message: 'The maximum number of network insights paths has been reached.' },
  // AWS’s code for this one was not seen.
  networkInsightsAnalysesPerRegion: { limit: 10_000, code: 'NetworkInsightsAnalysis.LimitExceeded', message: 'The maximum number of network insights analyses has been reached.' },
  // AWS’s codes for these two were not seen.
  networkInsightsAccessScopesPerRegion: { limit: 1000, code: 'NetworkInsightsAccessScope.LimitExceeded', message: 'The maximum number of network insights access scopes has been reached.' },
  networkInsightsAccessScopeAnalysesPerRegion: { limit: 10_000, code: 'NetworkInsightsAccessScopeAnalysis.LimitExceeded', message: 'The maximum number of network insights access scope analyses has been reached.' },
  interfacesPerRegion: { limit: 5000, code: 'NetworkInterfaceLimitExceeded', message: 'The maximum number of network interfaces has been reached.' },
} as const satisfies Record<string, { limit: number; code: string; message: string }>; // biome-ignore format: a table

export type Quota = keyof typeof quotas;

/**
 * Refuses one more when there are already as many as the quota allows; does nothing unless the operator asked for AWS's quotas.
 * @param count how many there are, counted only when needed
 */
export function enforceQuota(call: Call, quota: Quota, count: () => number, adding = 1): void {
  if (call.settings.quotas !== 'aws') return;
  const { limit, code, message } = quotas[quota];
  if (count() + adding > limit) throw ec2Error(code, message);
}
