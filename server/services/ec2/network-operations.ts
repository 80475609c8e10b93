// The operations of the network core, merged into one table for index.ts.

import type { Operation } from '../../service.ts';
import { addresses } from './addresses.ts';
import { blockPublicAccess } from './block-public-access.ts';
import { classicLink } from './classic-link.ts';
import { defaultVpc } from './default-vpc.ts';
import { dhcpOptions } from './dhcp-options.ts';
import { egressOnlyInternetGateways } from './egress-only-internet-gateways.ts';
import { endpointConnections } from './endpoint-connections.ts';
import { endpointServiceConfigurations } from './endpoint-service-configurations.ts';
import { endpointServices } from './endpoint-services.ts';
import { flowLogs } from './flow-logs.ts';
import { instanceConnectEndpoints } from './instance-connect-endpoints.ts';
import { internetGateways } from './internet-gateways.ts';
import { natGateways } from './nat-gateways.ts';
import { networkAcls } from './network-acls.ts';
import { networkInsightsAccessScopeAnalyses } from './network-insights-access-scope-analyses.ts';
import { networkInsightsAccessScopes } from './network-insights-access-scopes.ts';
import { networkInsightsAnalyses } from './network-insights-analyses.ts';
import { networkInsightsPaths } from './network-insights-paths.ts';
import { networkInsightsSharing } from './network-insights-sharing.ts';
import { nothingOfThatKind } from './nothing-of-that-kind.ts';
import { prefixLists } from './prefix-lists.ts';
import { routeTables } from './route-tables.ts';
import { routes } from './routes.ts';
import { securityGroupReferences } from './security-group-references.ts';
import { securityGroupRules } from './security-group-rules.ts';
import { securityGroupVpcs } from './security-group-vpcs.ts';
import { securityGroups } from './security-groups.ts';
import { subnetCidrBlocks } from './subnet-cidr-blocks.ts';
import { subnetCidrReservations } from './subnet-cidr-reservations.ts';
import { subnets } from './subnets.ts';
import { tagging } from './tagging.ts';
import { transitGatewayAttachments } from './transit-gateway-attachments.ts';
import { transitGatewayRouteTables } from './transit-gateway-route-tables.ts';
import { transitGatewayRoutes } from './transit-gateway-routes.ts';
import { transitGateways } from './transit-gateways.ts';
import { vpcCidrBlocks } from './vpc-cidr-blocks.ts';
import { vpcEndpoints } from './vpc-endpoints.ts';
import { vpcPeeringConnections } from './vpc-peering-connections.ts';
import { vpcs } from './vpcs.ts';

export const networkOperations: Readonly<Record<string, Operation>> = {
  ...nothingOfThatKind,
  ...classicLink,
  ...vpcs,
  ...vpcCidrBlocks,
  ...defaultVpc,
  ...subnets,
  ...subnetCidrBlocks,
  ...subnetCidrReservations,
  ...routeTables,
  ...routes,
  ...internetGateways,
  ...instanceConnectEndpoints,
  ...egressOnlyInternetGateways,
  ...securityGroups,
  ...securityGroupRules,
  ...securityGroupReferences,
  ...securityGroupVpcs,
  ...natGateways,
  ...blockPublicAccess,
  ...networkAcls,
  ...flowLogs,
  ...networkInsightsPaths,
  ...networkInsightsAnalyses,
  ...networkInsightsSharing,
  ...networkInsightsAccessScopes,
  ...networkInsightsAccessScopeAnalyses,
  ...addresses,
  ...prefixLists,
  ...vpcEndpoints,
  ...endpointServiceConfigurations,
  ...endpointConnections,
  ...vpcPeeringConnections,
  ...transitGateways,
  ...transitGatewayAttachments,
  ...transitGatewayRouteTables,
  ...transitGatewayRoutes,
  ...endpointServices,
  ...dhcpOptions,
  ...tagging,
};
