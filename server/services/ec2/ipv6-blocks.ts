// IPv6 blocks of VPCs and subnets: which one does a VPC get, what may a subnet take of it, and how are both shown?
// https://docs.aws.amazon.com/vpc/latest/userguide/vpc-cidr-blocks.html#vpc-ipv6-cidrs (read 2026-11-21). Amazon gives a VPC a /56; a subnet takes a /56,
// /60 or /64 of it. Gap: blocks that the customer brings, and IPAM pools, are refused by name.

import type { SubnetIpv6CidrBlockAssociation, VpcIpv6CidrBlockAssociation } from '@aws-sdk/client-ec2';
import { vpcIpv6Pool } from '@postern/network/addresses.ts';
import { contains, overlaps } from '@postern/network/cidr.ts';
import { formatIpv6Cidr, ipv6CidrRange, parseIpv6Cidr } from '@postern/network/ipv6.ts';
import type { Cidr } from '@postern/network/snapshot.ts';
import type { Call } from '../../service.ts';
import type { SubnetRow, VpcRow } from '../../store/rows/ec2.ts';
import type { Transaction } from '../../store/store.ts';
import { ec2Error, invalidParameterValue } from './errors.ts';
import { subnetsByVpc } from './indexes.ts';

/** 2⁷²: the addresses of a /56. */
const vpcBlockSize = 1n << 72n;

/**
 * A /56 that no VPC has. As with public addresses, the search goes on from the highest block in use and wraps, so that a block that was given back comes
 * again late.
 * @throws InsufficientCidrBlocks
 */
export function freeVpcIpv6Block(tx: Transaction, region: string): Cidr {
  const pool = vpcIpv6Pool(region);
  if (pool === undefined) throw new Error(`no IPv6 pool for ${region}`);
  const { first, last } = ipv6CidrRange(pool);
  const blocks = tx.list('vpc').flatMap((row) => row.ipv6CidrBlocks ?? []);
  const used = new Set(blocks.map(({ cidr }) => ipv6CidrRange(cidr).first).filter((at) => first <= at && at <= last));
  // The first block of the pool stays free, as the first public addresses do.
  const start = first + vpcBlockSize;
  const count = (last + 1n - start) / vpcBlockSize;
  const highest = [...used].reduce((most, at) => (at > most ? at : most), first);
  for (let step = 1n; step <= count; step += 1n) {
    const address = start + ((highest - start + step * vpcBlockSize) % (count * vpcBlockSize));
    if (!used.has(address)) return formatIpv6Cidr({ address, prefixLength: 56 });
  }
  throw ec2Error('InsufficientCidrBlocks', 'Not enough IPv6 CIDR blocks are available to satisfy the request.');
}

/** AWS's codes have no neighbour to tell these by, so the wordings are what real deployments logged. */
const badSubnetBlock = (text: string) => invalidParameterValue(`invalid value for parameter ipv6-cidr-block: ${text}`);
const outOfRange = (text: string) => ec2Error('InvalidSubnet.Range', `The IPv6 CIDR '${text}' is invalid.`);

/**
 * A block for a subnet, host bits cleared: of a block of the VPC, and no sibling's.
 * @throws InvalidParameterValue when it is no CIDR or of a length that no subnet has, InvalidSubnet.Range, InvalidSubnet.Conflict
 */
export function subnetIpv6Block(call: Call, vpc: VpcRow, text: string): Cidr {
  const parsed = parseIpv6Cidr(text);
  if (!parsed || parsed.prefixLength < 44 || parsed.prefixLength > 64 || parsed.prefixLength % 4 !== 0)
    throw badSubnetBlock(text);
  const cidr = formatIpv6Cidr(parsed);
  if (!(vpc.ipv6CidrBlocks ?? []).some((block) => contains(block.cidr, cidr))) throw outOfRange(text);
  for (const sibling of call.tx.find(subnetsByVpc, vpc.id))
    if (sibling.ipv6CidrBlock && overlaps(sibling.ipv6CidrBlock.cidr, cidr))
      throw ec2Error('InvalidSubnet.Conflict', `The CIDR '${text}' conflicts with another subnet`);
  return cidr;
}

/** What `associating` looks like: the block is told by the next Describe. */
export function newVpcIpv6Association(region: string, associationId: string): VpcIpv6CidrBlockAssociation {
  return {
    AssociationId: associationId,
    Ipv6CidrBlock: '',
    Ipv6CidrBlockState: { State: 'associating' },
    NetworkBorderGroup: region,
    Ipv6Pool: 'Amazon',
  };
}

export function toVpcIpv6Associations(row: VpcRow): VpcIpv6CidrBlockAssociation[] {
  return (row.ipv6CidrBlocks ?? []).map(({ associationId, cidr }) => ({
    AssociationId: associationId,
    Ipv6CidrBlock: cidr,
    Ipv6CidrBlockState: { State: 'associated' },
    NetworkBorderGroup: row.region,
    Ipv6Pool: 'Amazon',
    Ipv6AddressAttribute: 'public',
    IpSource: 'amazon',
  }));
}

type BlockState = 'associating' | 'associated' | 'disassociating';

export function toSubnetIpv6Association(
  { associationId, cidr }: NonNullable<SubnetRow['ipv6CidrBlock']>,
  state: BlockState,
): SubnetIpv6CidrBlockAssociation {
  return {
    AssociationId: associationId,
    Ipv6CidrBlock: cidr,
    Ipv6CidrBlockState: { State: state },
    Ipv6AddressAttribute: 'public',
    IpSource: 'amazon',
  };
}
