// Transit gateways, their attachments and route tables: found by their ids, and shown.
// Wordings of what is not there: the gateway's was seen in answers of real AWS, the others follow it.

import type {
  TransitGateway,
  TransitGatewayAttachment,
  TransitGatewayRouteTable,
  TransitGatewayVpcAttachment,
} from '@aws-sdk/client-ec2';
import type { Call } from '../../service.ts';
import type {
  TransitGatewayAttachmentRow,
  TransitGatewayRouteTableRow,
  TransitGatewayRow,
  TransitGatewayRows,
} from '../../store/rows/transit-gateways.ts';
import { ec2Error, isWellFormedId, malformedId, missingParameter, notFound } from './errors.ts';
import { ec2Arn, findRow, scopeOf } from './rows.ts';
import { toTags } from './tags.ts';

type TransitKind = Exclude<keyof TransitGatewayRows, 'deleted-transit-gateway-attachment'>;

const nouns = {
  'transit-gateway': { parameter: 'transitGatewayId', noun: 'Transit Gateway', code: 'InvalidTransitGatewayID.NotFound' },
  'transit-gateway-attachment': { parameter: 'transitGatewayAttachmentId', noun: 'Transit Gateway Attachment', code: 'InvalidTransitGatewayAttachmentID.NotFound' },
  'transit-gateway-route-table': { parameter: 'transitGatewayRouteTableId', noun: 'Transit Gateway Route Table', code: 'InvalidRouteTableID.NotFound' },
} as const satisfies Record<TransitKind, object>; // biome-ignore format: a table

/** @throws MissingParameter, Invalid….Malformed, Invalid….NotFound */
export function requireTransit<K extends TransitKind>(
  call: Call,
  kind: K,
  id: string | undefined,
): TransitGatewayRows[K] {
  const { parameter, noun, code } = nouns[kind];
  if (!id) throw missingParameter(parameter);
  if (!isWellFormedId(kind, id)) throw malformedId(kind, id);
  const row = findRow(call, kind, id);
  if (!row) throw ec2Error(code, `${noun} ${id} was deleted or does not exist.`);
  return row as TransitGatewayRows[K];
}

/** The rows of a Describe. */
export function selectTransit<K extends TransitKind>(
  call: Call,
  kind: K,
  ids: readonly string[] | undefined,
): TransitGatewayRows[K][] {
  if (!ids || ids.length === 0) return call.tx.list(kind, scopeOf(call)) as TransitGatewayRows[K][];
  return [...new Set(ids)].map((id) => requireTransit(call, kind, id));
}

export function attachmentsOf(call: Call, transitGatewayId: string): TransitGatewayAttachmentRow[] {
  return call.tx
    .list('transit-gateway-attachment', scopeOf(call))
    .filter((row) => row.transitGatewayId === transitGatewayId);
}

/**
 * The gateway that a VPC's route may lead to: one that the VPC is attached to (Z2).
 * @throws InvalidTransitGatewayID.NotFound, also when only the attachment is missing
 */
export function requireAttachedGateway(call: Call, id: string, vpcId: string): TransitGatewayRow {
  const row = isWellFormedId('transit-gateway', id) ? findRow(call, 'transit-gateway', id) : undefined;
  if (!row || !attachmentsOf(call, row.id).some((each) => each.vpcId === vpcId))
    throw notFound('transit-gateway', [id]);
  return row;
}

/** @param state of an answer that begins something; it is done by then */
export function toTransitGateway(
  call: Call,
  row: TransitGatewayRow,
  state: TransitGateway['State'] = 'available',
): TransitGateway {
  const { associationDefaultRouteTableId: association, propagationDefaultRouteTableId: propagation } = row;
  return {
    TransitGatewayId: row.id,
    TransitGatewayArn: ec2Arn(call, 'transit-gateway', row.id),
    State: state,
    OwnerId: row.accountId,
    ...(row.description !== undefined && { Description: row.description }),
    CreationTime: new Date(row.createdAt),
    Options: {
      AmazonSideAsn: row.amazonSideAsn,
      AutoAcceptSharedAttachments: row.autoAcceptSharedAttachments,
      DefaultRouteTableAssociation: association ? 'enable' : 'disable',
      ...(association && { AssociationDefaultRouteTableId: association }),
      DefaultRouteTablePropagation: propagation ? 'enable' : 'disable',
      ...(propagation && { PropagationDefaultRouteTableId: propagation }),
      VpnEcmpSupport: row.vpnEcmpSupport,
      DnsSupport: row.dnsSupport,
      SecurityGroupReferencingSupport: 'disable',
      MulticastSupport: 'disable',
    },
    Tags: toTags(row.tags),
  };
}

export function toVpcAttachment(
  row: TransitGatewayAttachmentRow,
  state: TransitGatewayVpcAttachment['State'] = 'available',
): TransitGatewayVpcAttachment {
  return {
    TransitGatewayAttachmentId: row.id,
    TransitGatewayId: row.transitGatewayId,
    VpcId: row.vpcId,
    VpcOwnerId: row.accountId,
    State: state,
    SubnetIds: row.subnets.map((each) => each.subnetId),
    CreationTime: new Date(row.createdAt),
    Options: {
      DnsSupport: row.dnsSupport,
      SecurityGroupReferencingSupport: row.securityGroupReferencingSupport,
      Ipv6Support: 'disable',
      ApplianceModeSupport: row.applianceModeSupport,
    },
    Tags: toTags(row.tags),
  };
}

export function toAttachment(
  row: TransitGatewayAttachmentRow,
  state: TransitGatewayAttachment['State'],
): TransitGatewayAttachment {
  return {
    TransitGatewayAttachmentId: row.id,
    TransitGatewayId: row.transitGatewayId,
    TransitGatewayOwnerId: row.accountId,
    ResourceOwnerId: row.accountId,
    ResourceType: 'vpc',
    ResourceId: row.vpcId,
    State: state,
    ...(row.routeTableId && { Association: { TransitGatewayRouteTableId: row.routeTableId, State: 'associated' } }),
    CreationTime: new Date(row.createdAt),
    Tags: toTags(row.tags),
  };
}

export function toTransitRouteTable(
  call: Call,
  row: TransitGatewayRouteTableRow,
  state: TransitGatewayRouteTable['State'] = 'available',
): TransitGatewayRouteTable {
  const gateway = call.tx.get('transit-gateway', row.transitGatewayId);
  return {
    TransitGatewayRouteTableId: row.id,
    TransitGatewayId: row.transitGatewayId,
    State: state,
    DefaultAssociationRouteTable: gateway?.associationDefaultRouteTableId === row.id,
    DefaultPropagationRouteTable: gateway?.propagationDefaultRouteTableId === row.id,
    CreationTime: new Date(row.createdAt),
    Tags: toTags(row.tags),
  };
}
