// A VPC gains and loses an IPv6 block, and with it what AWS adds by itself: the local route of each table (C11), and rules for all IPv6 in the default ACL
// (N2) and in groups (S2), there where the customer has changed nothing yet. They stay when the block goes.
// https://docs.aws.amazon.com/vpc/latest/userguide/default-network-acl.html, security-group-rules.html (read 2026-11-21)

import type { VpcIpv6CidrBlockAssociation } from '@aws-sdk/client-ec2';
import { contains } from '@postern/network/cidr.ts';
import type { Cidr } from '@postern/network/snapshot.ts';
import type { Call } from '../../service.ts';
import type { VpcRow } from '../../store/rows/ec2.ts';
import { ec2Error, invalidParameterValue } from './errors.ts';
import { groupKey, rulesByGroup } from './indexes.ts';
import { freeVpcIpv6Block, newVpcIpv6Association } from './ipv6-blocks.ts';
import { rewriteLocalRoutes } from './local-routes.ts';
import { allowAllOut, anywhere, anywhere6, defaultAclEntries, defaultAclOf, makerOf } from './new-vpc.ts';
import { scopeOf } from './rows.ts';

const maxBlocks = 5;

/** The only group of zones that addresses are advertised from is the region. @throws InvalidParameterValue */
export function checkBorderGroup(call: Call, name: string | undefined): void {
  if (name && name !== call.region)
    throw invalidParameterValue(`The network border group '${name}' does not exist in region '${call.region}'.`);
}

/** @returns the association as the call answers it: the block itself is told by the next Describe */
export function associateIpv6Block(call: Call, vpc: VpcRow): VpcIpv6CidrBlockAssociation {
  const before = vpc.ipv6CidrBlocks ?? [];
  if (before.length >= maxBlocks)
    throw ec2Error(
      'CidrLimitExceeded',
      `This network ${vpc.id} has met its maximum number of allowed CIDRs: ${maxBlocks}`,
    );
  const block = { associationId: call.tx.newId('vpc-cidr-assoc'), cidr: freeVpcIpv6Block(call.tx, call.region) };
  call.tx.put('vpc', { ...vpc, ipv6CidrBlocks: [...before, block] });
  rewriteLocalRoutes(call, vpc, block.cidr, true);
  if (before.length === 0) {
    extendDefaultAcl(call, vpc);
    extendGroups(call, vpc);
  }
  return newVpcIpv6Association(call.region, block.associationId);
}

export function disassociateIpv6Block(
  call: Call,
  vpc: VpcRow,
  block: { readonly associationId: string; readonly cidr: Cidr },
): VpcIpv6CidrBlockAssociation {
  const used = call.tx
    .list('subnet', scopeOf(call))
    .some((row) => row.vpcId === vpc.id && row.ipv6CidrBlock && contains(block.cidr, row.ipv6CidrBlock.cidr));
  if (used)
    throw ec2Error(
      'InvalidCidrBlock.InUse',
      `The vpc ${vpc.id} currently has a subnet within CIDR block ${block.cidr}`,
    );
  const others = (vpc.ipv6CidrBlocks ?? []).filter((one) => one.associationId !== block.associationId);
  call.tx.put('vpc', { ...vpc, ipv6CidrBlocks: others });
  rewriteLocalRoutes(call, vpc, block.cidr, false);
  return {
    ...newVpcIpv6Association(call.region, block.associationId),
    Ipv6CidrBlock: block.cidr,
    Ipv6CidrBlockState: { State: 'disassociating' },
  };
}

/** Rule 101, in each direction that still has rule 100 alone. */
function extendDefaultAcl(call: Call, vpc: VpcRow): void {
  const acl = defaultAclOf(call.tx, { ...scopeOf(call), vpcId: vpc.id });
  const added = defaultAclEntries(101, { ipv6CidrBlock: anywhere6 }).filter(({ egress }) => {
    const [only, ...more] = acl.entries.filter((entry) => entry.egress === egress);
    const { ruleNumber, action, cidrBlock } = only ?? {};
    return more.length === 0 && ruleNumber === 100 && action === 'allow' && cidrBlock === anywhere;
  });
  call.tx.put('network-acl', { ...acl, entries: [...acl.entries, ...added] });
}

function extendGroups(call: Call, vpc: VpcRow): void {
  for (const group of call.tx.list('security-group', scopeOf(call))) {
    if (group.vpcId !== vpc.id) continue;
    const [only, ...more] = call.tx.find(rulesByGroup, groupKey(group.id, true));
    const isUntouched =
      more.length === 0 && only?.protocol === -1 && only.peer.kind === 'cidr' && only.peer.cidr === anywhere;
    if (isUntouched) call.tx.put('security-group-rule', allowAllOut(makerOf(call), group.id, vpc.id, anywhere6));
  }
}
