// Rows of transit gateways. What a route table holds in the end is computed (server/transit-gateway-routes.ts): propagated routes are the blocks that VPCs have now.

import type {
  Cidr,
  NetworkInterfaceId,
  SubnetId,
  TransitGatewayAttachmentId,
  TransitGatewayId,
  TransitGatewayRouteTableId,
  VpcId,
} from '@postern/network/snapshot.ts';
import type { Row } from '../store.ts';
import type { Tags } from './ec2.ts';

export type Switch = 'enable' | 'disable';

export interface TransitGatewayRow extends Row {
  id: TransitGatewayId;
  description?: string;
  amazonSideAsn: number;
  autoAcceptSharedAttachments: Switch;
  vpnEcmpSupport: Switch;
  dnsSupport: Switch;
  /** What a new attachment is associated with; absent: the option is off. */
  associationDefaultRouteTableId?: TransitGatewayRouteTableId;
  /** Where a new attachment propagates to; absent: the option is off. */
  propagationDefaultRouteTableId?: TransitGatewayRouteTableId;
  createdAt: string;
  tags: Tags;
}

/** Of a VPC: there are no others. */
export interface TransitGatewayAttachmentRow extends Row {
  id: TransitGatewayAttachmentId;
  transitGatewayId: TransitGatewayId;
  vpcId: VpcId;
  /** In the order in which they were added, each with the interface that is in it; one in a zone. */
  subnets: { subnetId: SubnetId; networkInterfaceId: NetworkInterfaceId }[];
  dnsSupport: Switch;
  /** Kept and shown: the gateway's own option is off. */
  securityGroupReferencingSupport: Switch;
  applianceModeSupport: Switch;
  /** Its association. */
  routeTableId?: TransitGatewayRouteTableId;
  createdAt: string;
  tags: Tags;
}

/** What is left of one for a while: clients wait until they see that it is deleted. */
export interface DeletedAttachmentRow extends TransitGatewayAttachmentRow {
  deletedAt: string;
}

export interface TransitGatewayRouteTableRow extends Row {
  id: TransitGatewayRouteTableId;
  transitGatewayId: TransitGatewayId;
  /** Static ones; without an attachment it is a blackhole. One to an attachment that is gone is a blackhole too. */
  routes: { cidr: Cidr; transitGatewayAttachmentId?: TransitGatewayAttachmentId }[];
  /** In the order in which they were enabled. */
  propagations: TransitGatewayAttachmentId[];
  createdAt: string;
  tags: Tags;
}

export interface TransitGatewayRows {
  'transit-gateway': TransitGatewayRow;
  'transit-gateway-attachment': TransitGatewayAttachmentRow;
  'deleted-transit-gateway-attachment': DeletedAttachmentRow;
  'transit-gateway-route-table': TransitGatewayRouteTableRow;
}
