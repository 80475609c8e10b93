// Lists of what nobody can make here: tools ask for them before they begin (CDK for VPN gateways, Terraform and inventories for the rest), and an empty
// list is the true answer. One that is asked for by its id does not exist. A row leaves when its kind can be made; a test sees to that.
// Filters are read and match nothing; their names are not checked.

import { type Operation, operation } from '../../service.ts';
import { ec2Error } from './errors.ts';

export interface Nothing {
  /** The operation that would make one. */
  readonly maker: string;
  /** The member of the output that is the list. */
  readonly list: string;
  /** The member of the input that names some. */
  readonly ids?: string;
  /** What such an id is answered with. */
  readonly notFound?: string;
  readonly noun?: string;
}

export const nothings = {
  DescribeTransitGatewayPeeringAttachments: { maker: 'CreateTransitGatewayPeeringAttachment', list: 'TransitGatewayPeeringAttachments', ids: 'TransitGatewayAttachmentIds', notFound: 'InvalidTransitGatewayAttachmentID.NotFound', noun: 'Transit Gateway Attachment' },
  DescribeTransitGatewayConnects: { maker: 'CreateTransitGatewayConnect', list: 'TransitGatewayConnects', ids: 'TransitGatewayAttachmentIds', notFound: 'InvalidTransitGatewayAttachmentID.NotFound', noun: 'Transit Gateway Attachment' },
  DescribeTransitGatewayConnectPeers: { maker: 'CreateTransitGatewayConnectPeer', list: 'TransitGatewayConnectPeers', ids: 'TransitGatewayConnectPeerIds', notFound: 'InvalidTransitGatewayConnectPeerID.NotFound', noun: 'Transit Gateway Connect Peer' },
  DescribeTransitGatewayMulticastDomains: { maker: 'CreateTransitGatewayMulticastDomain', list: 'TransitGatewayMulticastDomains', ids: 'TransitGatewayMulticastDomainIds', notFound: 'InvalidTransitGatewayMulticastDomainId.NotFound', noun: 'Transit Gateway Multicast Domain' },
  DescribeTransitGatewayPolicyTables: { maker: 'CreateTransitGatewayPolicyTable', list: 'TransitGatewayPolicyTables', ids: 'TransitGatewayPolicyTableIds', notFound: 'InvalidTransitGatewayPolicyTableId.NotFound', noun: 'Transit Gateway Policy Table' },
  DescribeVpnGateways: { maker: 'CreateVpnGateway', list: 'VpnGateways', ids: 'VpnGatewayIds', notFound: 'InvalidVpnGatewayID.NotFound', noun: 'vpnGateway' },
  DescribeVpnConnections: { maker: 'CreateVpnConnection', list: 'VpnConnections', ids: 'VpnConnectionIds', notFound: 'InvalidVpnConnectionID.NotFound', noun: 'vpnConnection' },
  DescribeCustomerGateways: { maker: 'CreateCustomerGateway', list: 'CustomerGateways', ids: 'CustomerGatewayIds', notFound: 'InvalidCustomerGatewayID.NotFound', noun: 'customerGateway' },
  DescribeClientVpnEndpoints: { maker: 'CreateClientVpnEndpoint', list: 'ClientVpnEndpoints', ids: 'ClientVpnEndpointIds', notFound: 'InvalidClientVpnEndpointId.NotFound', noun: 'clientVpnEndpoint' },
  DescribeCarrierGateways: { maker: 'CreateCarrierGateway', list: 'CarrierGateways', ids: 'CarrierGatewayIds', notFound: 'InvalidCarrierGatewayID.NotFound', noun: 'carrierGateway' },
  DescribeLocalGateways: { maker: 'CreateLocalGatewayRouteTable', list: 'LocalGateways', ids: 'LocalGatewayIds', notFound: 'InvalidLocalGatewayID.NotFound', noun: 'localGateway' },
  DescribeLocalGatewayRouteTables: { maker: 'CreateLocalGatewayRouteTable', list: 'LocalGatewayRouteTables', ids: 'LocalGatewayRouteTableIds', notFound: 'InvalidLocalGatewayRouteTableID.NotFound', noun: 'localGatewayRouteTable' },
  DescribeLocalGatewayVirtualInterfaces: { maker: 'CreateLocalGatewayVirtualInterface', list: 'LocalGatewayVirtualInterfaces', ids: 'LocalGatewayVirtualInterfaceIds', notFound: 'InvalidLocalGatewayVirtualInterfaceID.NotFound', noun: 'localGatewayVirtualInterface' },
  DescribeLocalGatewayVirtualInterfaceGroups: { maker: 'CreateLocalGatewayVirtualInterfaceGroup', list: 'LocalGatewayVirtualInterfaceGroups', ids: 'LocalGatewayVirtualInterfaceGroupIds', notFound: 'InvalidLocalGatewayVirtualInterfaceGroupID.NotFound', noun: 'localGatewayVirtualInterfaceGroup' },
  DescribeCoipPools: { maker: 'CreateCoipPool', list: 'CoipPools', ids: 'PoolIds', notFound: 'InvalidPoolID.NotFound', noun: 'pool' },
  DescribePublicIpv4Pools: { maker: 'CreatePublicIpv4Pool', list: 'PublicIpv4Pools', ids: 'PoolIds', notFound: 'InvalidPoolID.NotFound', noun: 'pool' },
  DescribeByoipCidrs: { maker: 'ProvisionByoipCidr', list: 'ByoipCidrs' },
  DescribeAddressTransfers: { maker: 'EnableAddressTransfer', list: 'AddressTransfers' },
  DescribeMovingAddresses: { maker: 'MoveAddressToVpc', list: 'MovingAddressStatuses' },
  DescribeIpams: { maker: 'CreateIpam', list: 'Ipams', ids: 'IpamIds', notFound: 'InvalidIpamId.NotFound', noun: 'ipam' },
  DescribeIpamPools: { maker: 'CreateIpamPool', list: 'IpamPools', ids: 'IpamPoolIds', notFound: 'InvalidIpamPoolId.NotFound', noun: 'ipamPool' },
  DescribeIpamScopes: { maker: 'CreateIpamScope', list: 'IpamScopes', ids: 'IpamScopeIds', notFound: 'InvalidIpamScopeId.NotFound', noun: 'ipamScope' },
  DescribeIpamResourceDiscoveries: { maker: 'CreateIpamResourceDiscovery', list: 'IpamResourceDiscoveries', ids: 'IpamResourceDiscoveryIds', notFound: 'InvalidIpamResourceDiscoveryId.NotFound', noun: 'ipamResourceDiscovery' },
  DescribeTrafficMirrorFilters: { maker: 'CreateTrafficMirrorFilter', list: 'TrafficMirrorFilters', ids: 'TrafficMirrorFilterIds', notFound: 'InvalidTrafficMirrorFilterId.NotFound', noun: 'trafficMirrorFilter' },
  DescribeTrafficMirrorSessions: { maker: 'CreateTrafficMirrorSession', list: 'TrafficMirrorSessions', ids: 'TrafficMirrorSessionIds', notFound: 'InvalidTrafficMirrorSessionId.NotFound', noun: 'trafficMirrorSession' },
  DescribeTrafficMirrorTargets: { maker: 'CreateTrafficMirrorTarget', list: 'TrafficMirrorTargets', ids: 'TrafficMirrorTargetIds', notFound: 'InvalidTrafficMirrorTargetId.NotFound', noun: 'trafficMirrorTarget' },
  DescribeNetworkInterfacePermissions: { maker: 'CreateNetworkInterfacePermission', list: 'NetworkInterfacePermissions', ids: 'NetworkInterfacePermissionIds', notFound: 'InvalidPermissionID.NotFound', noun: 'networkInterfacePermission' },
  DescribeTrunkInterfaceAssociations: { maker: 'AssociateTrunkInterface', list: 'InterfaceAssociations', ids: 'AssociationIds', notFound: 'InvalidAssociationID.NotFound', noun: 'association' },
  DescribeVpcEndpointConnectionNotifications: { maker: 'CreateVpcEndpointConnectionNotification', list: 'ConnectionNotificationSet' },
  DescribeVerifiedAccessInstances: { maker: 'CreateVerifiedAccessInstance', list: 'VerifiedAccessInstances', ids: 'VerifiedAccessInstanceIds', notFound: 'InvalidVerifiedAccessInstanceId.NotFound', noun: 'verifiedAccessInstance' },
  DescribeVerifiedAccessGroups: { maker: 'CreateVerifiedAccessGroup', list: 'VerifiedAccessGroups', ids: 'VerifiedAccessGroupIds', notFound: 'InvalidVerifiedAccessGroupId.NotFound', noun: 'verifiedAccessGroup' },
  DescribeVerifiedAccessEndpoints: { maker: 'CreateVerifiedAccessEndpoint', list: 'VerifiedAccessEndpoints', ids: 'VerifiedAccessEndpointIds', notFound: 'InvalidVerifiedAccessEndpointId.NotFound', noun: 'verifiedAccessEndpoint' },
  DescribeVerifiedAccessTrustProviders: { maker: 'CreateVerifiedAccessTrustProvider', list: 'VerifiedAccessTrustProviders', ids: 'VerifiedAccessTrustProviderIds', notFound: 'InvalidVerifiedAccessTrustProviderId.NotFound', noun: 'verifiedAccessTrustProvider' },
  DescribeRouteServers: { maker: 'CreateRouteServer', list: 'RouteServers', ids: 'RouteServerIds', notFound: 'InvalidRouteServerId.NotFound', noun: 'routeServer' },
  DescribeLaunchTemplates: { maker: 'CreateLaunchTemplate', list: 'LaunchTemplates', ids: 'LaunchTemplateIds', notFound: 'InvalidLaunchTemplateId.NotFound', noun: 'launch template' },
  DescribePlacementGroups: { maker: 'CreatePlacementGroup', list: 'PlacementGroups', ids: 'GroupNames', notFound: 'InvalidPlacementGroup.Unknown', noun: 'Placement Group' },
  DescribeHosts: { maker: 'AllocateHosts', list: 'Hosts', ids: 'HostIds', notFound: 'InvalidHostID.NotFound', noun: 'host' },
  DescribeHostReservations: { maker: 'PurchaseHostReservation', list: 'HostReservationSet' },
  DescribeCapacityReservations: { maker: 'CreateCapacityReservation', list: 'CapacityReservations', ids: 'CapacityReservationIds', notFound: 'InvalidCapacityReservationId.NotFound', noun: 'capacity reservation' },
  DescribeReservedInstances: { maker: 'PurchaseReservedInstancesOffering', list: 'ReservedInstances', ids: 'ReservedInstancesIds', notFound: 'InvalidReservedInstancesId.NotFound', noun: 'reserved instance' },
  DescribeScheduledInstances: { maker: 'PurchaseScheduledInstances', list: 'ScheduledInstanceSet' },
  DescribeSpotInstanceRequests: { maker: 'RequestSpotInstances', list: 'SpotInstanceRequests', ids: 'SpotInstanceRequestIds', notFound: 'InvalidSpotInstanceRequestID.NotFound', noun: 'spot instance request' },
  DescribeSpotFleetRequests: { maker: 'RequestSpotFleet', list: 'SpotFleetRequestConfigs' },
  DescribeFleets: { maker: 'CreateFleet', list: 'Fleets' },
  DescribeInstanceEventWindows: { maker: 'CreateInstanceEventWindow', list: 'InstanceEventWindows' },
  DescribeSnapshots: { maker: 'CreateSnapshot', list: 'Snapshots', ids: 'SnapshotIds', notFound: 'InvalidSnapshot.NotFound', noun: 'snapshot' },
  DescribeReplaceRootVolumeTasks: { maker: 'CreateReplaceRootVolumeTask', list: 'ReplaceRootVolumeTasks' },
  DescribeFastSnapshotRestores: { maker: 'EnableFastSnapshotRestores', list: 'FastSnapshotRestores' },
  DescribeImportImageTasks: { maker: 'ImportImage', list: 'ImportImageTasks' },
  DescribeImportSnapshotTasks: { maker: 'ImportSnapshot', list: 'ImportSnapshotTasks' },
  DescribeExportTasks: { maker: 'CreateInstanceExportTask', list: 'ExportTasks' },
  DescribeExportImageTasks: { maker: 'ExportImage', list: 'ExportImageTasks' },
  DescribeConversionTasks: { maker: 'ImportInstance', list: 'ConversionTasks' },
  DescribeBundleTasks: { maker: 'BundleInstance', list: 'BundleTasks' },
  DescribeClassicLinkInstances: { maker: 'AttachClassicLinkVpc', list: 'Instances' },
} as const satisfies Record<string, Nothing>; // biome-ignore format: a table

function describeNothing({ list, ids, notFound, noun }: Nothing): Operation {
  return operation<Readonly<Record<string, unknown>>, Record<string, never[]>>({
    authorize: 'auto',
    readOnly: true,
    run: (_call, input) => {
      const named = ids === undefined ? undefined : input[ids];
      const first: unknown = Array.isArray(named) ? named[0] : undefined;
      if (first !== undefined && notFound) throw ec2Error(notFound, `The ${noun} ID '${String(first)}' does not exist`);
      return { [list]: [] };
    },
  });
}

export const nothingOfThatKind: Readonly<Record<string, Operation>> = Object.fromEntries(
  Object.entries(nothings).map(([name, row]) => [name, describeNothing(row)]),
);
