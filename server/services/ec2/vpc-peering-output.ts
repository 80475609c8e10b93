// A peering connection as the API shows it to one of its sides, and by what it is filtered. Before acceptance nobody is shown the accepter's blocks and
// options: shape recorded on AWS.

import type { VpcPeeringConnection, VpcPeeringConnectionVpcInfo } from '@aws-sdk/client-ec2';
import { isIpv6Cidr } from '@postern/network/cidr.ts';
import type { Call } from '../../service.ts';
import type { VpcPeeringConnectionRow, VpcPeeringSideRow } from '../../store/rows/ec2.ts';
import type { FilterTable } from './filters.ts';
import { scopeOf } from './rows.ts';
import { toTags } from './tags.ts';
import { blocksOf, type PeeringState, stateOf, tagsSeenBy } from './vpc-peering-rows.ts';

/** States that are passed in the answer of the call itself only. */
type PassingState = 'initiating-request' | 'provisioning';

const messages: Readonly<Record<PeeringState | PassingState, (row: VpcPeeringConnectionRow) => string>> = {
  'initiating-request': ({ accepter }) => `Initiating Request to ${accepter.accountId}`,
  'pending-acceptance': ({ accepter }) => `Pending Acceptance by ${accepter.accountId}`,
  provisioning: () => 'Provisioning',
  active: () => 'Active',
  failed: () => 'Failed due to incorrect VPC-ID, Account ID, or overlapping CIDR range',
  rejected: ({ endedBy }) => `Rejected by ${endedBy}`,
  deleted: ({ endedBy }) => `Deleted by ${endedBy}`,
  expired: () => 'Expired',
};

function toSide(call: Call, side: VpcPeeringSideRow, isOpen: boolean): VpcPeeringConnectionVpcInfo {
  const { vpcId, accountId, region, allowDnsResolutionFromRemoteVpc } = side;
  const known = { OwnerId: accountId, VpcId: vpcId, Region: region };
  const blocks = blocksOf(call.tx.get('vpc', vpcId));
  const [primary] = blocks;
  if (!isOpen || primary === undefined) return known;
  const ipv6 = blocks.filter(isIpv6Cidr);
  return {
    ...known,
    CidrBlock: primary,
    CidrBlockSet: blocks.filter((block) => !isIpv6Cidr(block)).map((CidrBlock) => ({ CidrBlock })),
    ...(ipv6.length > 0 && { Ipv6CidrBlockSet: ipv6.map((Ipv6CidrBlock) => ({ Ipv6CidrBlock })) }),
    PeeringOptions: {
      AllowDnsResolutionFromRemoteVpc: allowDnsResolutionFromRemoteVpc,
      AllowEgressFromLocalClassicLinkToRemoteVpc: false,
      AllowEgressFromLocalVpcToRemoteClassicLink: false,
    },
  };
}

/** @param passing shown instead of the state that the row has reached */
export function toPeering(call: Call, row: VpcPeeringConnectionRow, passing?: PassingState): VpcPeeringConnection {
  const state = stateOf(row, call.now);
  const code = passing ?? state;
  return {
    VpcPeeringConnectionId: row.id,
    RequesterVpcInfo: toSide(call, row.requester, true),
    AccepterVpcInfo: toSide(call, row.accepter, state === 'active'),
    Status: { Code: code, Message: messages[code](row) },
    ...((state === 'pending-acceptance' || passing === 'initiating-request') && {
      ExpirationTime: new Date(row.expiresAt),
    }),
    Tags: toTags(tagsSeenBy(row, scopeOf(call))),
  };
}

export function peeringFilters(call: Call): FilterTable<VpcPeeringConnectionRow> {
  const info = (row: VpcPeeringConnectionRow) => toPeering(call, row);
  return {
    'accepter-vpc-info.cidr-block': (row) => info(row).AccepterVpcInfo?.CidrBlock,
    'accepter-vpc-info.owner-id': (row) => row.accepter.accountId,
    'accepter-vpc-info.vpc-id': (row) => row.accepter.vpcId,
    'expiration-time': (row) => info(row).ExpirationTime?.toISOString(),
    'requester-vpc-info.cidr-block': (row) => info(row).RequesterVpcInfo?.CidrBlock,
    'requester-vpc-info.owner-id': (row) => row.requester.accountId,
    'requester-vpc-info.vpc-id': (row) => row.requester.vpcId,
    'status-code': (row) => stateOf(row, call.now),
    'status-message': (row) => info(row).Status?.Message,
    'vpc-peering-connection-id': (row) => row.id,
  };
}
