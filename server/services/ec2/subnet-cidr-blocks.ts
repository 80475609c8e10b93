// The IPv6 block of a subnet, given and taken after its creation. https://docs.aws.amazon.com/vpc/latest/userguide/subnet-associate-ipv6-cidr.html
// (read 2026-11-21). Order of AssociateSubnetCidrBlock's checks: the subnet, its present block, the block itself.

import type {
  AssociateSubnetCidrBlockRequest,
  AssociateSubnetCidrBlockResult,
  DisassociateSubnetCidrBlockRequest,
  DisassociateSubnetCidrBlockResult,
} from '@aws-sdk/client-ec2';
import { type Call, type Operation, operation } from '../../service.ts';
import { ec2Error, missingParameter, refuseUnsupported } from './errors.ts';
import { subnetIpv6Block, toSubnetIpv6Association } from './ipv6-blocks.ts';
import { requireRow, scopeOf } from './rows.ts';

const inUse = (associationId: string, why: string) =>
  ec2Error(
    'InvalidCidrBlock.InUse',
    `The subnet IPv6 CIDR block with association ID ${associationId} may not be disassociated, because ${why}`,
  );

function blockOf(call: Call, associationId: string | undefined) {
  if (!associationId) throw missingParameter('associationId');
  if (!/^subnet-cidr-assoc-[0-9a-f]{8,17}$/.test(associationId))
    throw ec2Error(
      'InvalidSubnetCidrBlockAssociationId.Malformed',
      `Invalid id: "${associationId}" (expecting "subnet-cidr-assoc-...")`,
    );
  const subnet = call.tx
    .list('subnet', scopeOf(call))
    .find((row) => row.ipv6CidrBlock?.associationId === associationId);
  if (!subnet?.ipv6CidrBlock)
    throw ec2Error(
      'InvalidSubnetCidrBlockAssociationID.NotFound',
      `The subnet CIDR block with association ID '${associationId}' does not exist`,
    );
  return { subnet, block: subnet.ipv6CidrBlock };
}

export const subnetCidrBlocks = {
  AssociateSubnetCidrBlock: operation<AssociateSubnetCidrBlockRequest, AssociateSubnetCidrBlockResult>({
    authorize: 'auto',
    run: (call, input) => {
      refuseUnsupported('AssociateSubnetCidrBlock', input, ['Ipv6IpamPoolId', 'Ipv6NetmaskLength']);
      const subnet = requireRow(call, 'subnet', input.SubnetId, 'subnetId');
      if (!input.Ipv6CidrBlock) throw missingParameter('ipv6CidrBlock');
      if (subnet.ipv6CidrBlock)
        throw ec2Error(
          'CidrLimitExceeded',
          `This subnet '${subnet.id}' has met its maximum number of allowed IPv6 CIDRs: 1`,
        );
      const cidr = subnetIpv6Block(call, requireRow(call, 'vpc', subnet.vpcId), input.Ipv6CidrBlock);
      const ipv6CidrBlock = { associationId: call.tx.newId('subnet-cidr-assoc'), cidr };
      call.tx.put('subnet', { ...subnet, ipv6CidrBlock });
      return { SubnetId: subnet.id, Ipv6CidrBlockAssociation: toSubnetIpv6Association(ipv6CidrBlock, 'associating') };
    },
  }),

  DisassociateSubnetCidrBlock: operation<DisassociateSubnetCidrBlockRequest, DisassociateSubnetCidrBlockResult>({
    authorize: 'auto',
    run: (call, input) => {
      const { subnet, block } = blockOf(call, input.AssociationId);
      if (subnet.assignIpv6AddressOnCreation)
        throw inUse(block.associationId, 'its subnet has assign-ipv6-address-on-creation set to true.');
      // By analogy: no source was found for this wording.
      if (subnet.enableDns64) throw inUse(block.associationId, 'its subnet has enable-dns64 set to true.');
      const users = call.tx
        .list('network-interface', scopeOf(call))
        .filter((row) => row.subnetId === subnet.id && (row.ipv6Addresses ?? []).length > 0);
      if (users.length > 0) throw inUse(block.associationId, 'it is in use.');
      const { ipv6CidrBlock: _gone, ...rest } = subnet;
      call.tx.put('subnet', rest);
      return { SubnetId: subnet.id, Ipv6CidrBlockAssociation: toSubnetIpv6Association(block, 'disassociating') };
    },
  }),
} satisfies Record<string, Operation>;
