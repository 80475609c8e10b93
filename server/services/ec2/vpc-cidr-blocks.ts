// Secondary blocks of a VPC. Rules C6–C13. https://docs.aws.amazon.com/vpc/latest/userguide/vpc-cidr-blocks.html (read 2026-11-21).
// Order of AssociateVpcCidrBlock's checks: the VPC, a peering request under way, size, number of blocks, overlap, the table of ranges, peers, routes.
// IPv6: vpc-ipv6-blocks.ts. Gap: IPAM is refused.

import type {
  AssociateVpcCidrBlockRequest,
  AssociateVpcCidrBlockResult,
  DisassociateVpcCidrBlockRequest,
  DisassociateVpcCidrBlockResult,
} from '@aws-sdk/client-ec2';
import { contains, isIpv6Cidr, overlaps } from '@postern/network/cidr.ts';
import type { Cidr } from '@postern/network/snapshot.ts';
import { type Call, type Operation, operation } from '../../service.ts';
import type { VpcRow } from '../../store/rows/ec2.ts';
import { ec2Error, invalidCombination, missingParameter, operationNotPermitted, refuseUnsupported } from './errors.ts';
import { rewriteLocalRoutes } from './local-routes.ts';
import { requireRow, scopeOf } from './rows.ts';
import { associateIpv6Block, checkBorderGroup, disassociateIpv6Block } from './vpc-ipv6-blocks.ts';
import { blocksOf, otherSide, peeringsOfVpc, stateOf } from './vpc-peering-rows.ts';
import { vpcBlock } from './vpcs.ts';

/** Not a quota that `--quotas off` lifts: the fabric counts on few blocks. */
const maxBlocks = 5;

const privateRanges: readonly Cidr[] = ['10.0.0.0/8', '172.16.0.0/12', '192.168.0.0/16'];
const benchmark: Cidr = '198.19.0.0/16';

/** C12: a VPC with a block in `existing` cannot take one that overlaps any of `refused`. */
const restrictions: readonly { existing: Cidr; refused: readonly Cidr[] }[] = [
  { existing: '10.0.0.0/8', refused: ['172.16.0.0/12', '192.168.0.0/16', benchmark] },
  { existing: '10.0.0.0/15', refused: ['10.0.0.0/16'] },
  { existing: '172.16.0.0/12', refused: ['10.0.0.0/8', '192.168.0.0/16', '172.31.0.0/16', benchmark] },
  { existing: '192.168.0.0/16', refused: ['10.0.0.0/8', '172.16.0.0/12', benchmark] },
  { existing: benchmark, refused: privateRanges },
];

/** A public block or one of 100.64.0.0/10. */
const otherwiseRefused: readonly Cidr[] = [...privateRanges, benchmark];

function refusedRanges(existing: Cidr): readonly Cidr[] {
  const rows = restrictions.filter((row) => contains(row.existing, existing));
  return rows.length > 0 ? rows.flatMap((row) => row.refused) : otherwiseRefused;
}

function checkBlock(call: Call, vpc: VpcRow, cidr: Cidr): void {
  if (vpc.cidrBlocks.length >= maxBlocks)
    throw ec2Error(
      'CidrLimitExceeded',
      `This network ${vpc.id} has met its maximum number of allowed CIDRs: ${maxBlocks}`,
    );
  const taken = vpc.cidrBlocks.find((block) => overlaps(block.cidr, cidr));
  if (taken)
    throw ec2Error(
      'InvalidVpc.Conflict',
      `The CIDR '${cidr}' conflicts with another CIDR block of the VPC: ${taken.cidr}`,
    );
  if (vpc.cidrBlocks.some((block) => refusedRanges(block.cidr).some((range) => overlaps(range, cidr))))
    throw ec2Error(
      'InvalidVpc.Range',
      `The CIDR '${cidr}' is restricted. Use a CIDR from the same private address range as the current VPC CIDR, or use a publicly-routable CIDR. For additional restrictions, see https://docs.aws.amazon.com/vpc/latest/userguide/VPC_Subnets.html#VPC_Sizing`,
    );
  checkPeers(call, vpc, cidr);
  const tables = call.tx.list('route-table', scopeOf(call)).filter((row) => row.vpcId === vpc.id);
  for (const table of tables)
    for (const { destination } of table.routes)
      if (destination.kind === 'cidr' && contains(cidr, destination.cidr))
        throw ec2Error(
          'InvalidVpc.Conflict',
          `The CIDR '${cidr}' is equal to or larger than the destination ${destination.cidr} of a route in route table ${table.id}`,
        );
}

/** C13: also for IPv6. Wording: no answer of AWS was seen. */
function checkNoRequest(call: Call, vpc: VpcRow): void {
  const waiting = peeringsOfVpc(call.tx, vpc.id).find(
    (row) => row.requester.vpcId === vpc.id && stateOf(row, call.now) === 'pending-acceptance',
  );
  if (waiting)
    throw operationNotPermitted(
      `A CIDR block cannot be added to ${vpc.id} while its VPC peering request ${waiting.id} is pending acceptance.`,
    );
}

/** C13. Wording: no answer of AWS was seen. */
function checkPeers(call: Call, vpc: VpcRow, cidr: Cidr): void {
  for (const row of peeringsOfVpc(call.tx, vpc.id)) {
    const peer = otherSide(row, vpc.id).vpcId;
    const blocks = row.state === 'active' ? blocksOf(call.tx.get('vpc', peer)) : [];
    const taken = blocks.find((block) => overlaps(block, cidr));
    if (taken)
      throw ec2Error(
        'InvalidVpc.Conflict',
        `The CIDR '${cidr}' conflicts with the CIDR block ${taken} of ${peer}, which is peered by ${row.id}`,
      );
  }
}

function blockOf(call: Call, associationId: string | undefined) {
  if (!associationId) throw missingParameter('associationId');
  for (const vpc of call.tx.list('vpc', scopeOf(call))) {
    const block = [...vpc.cidrBlocks, ...(vpc.ipv6CidrBlocks ?? [])].find((one) => one.associationId === associationId);
    if (block) return { vpc, block };
  }
  throw ec2Error(
    'InvalidVpcCidrBlockAssociationID.NotFound',
    `The vpc CIDR block association ID '${associationId}' does not exist`,
  );
}

export const vpcCidrBlocks = {
  AssociateVpcCidrBlock: operation<AssociateVpcCidrBlockRequest, AssociateVpcCidrBlockResult>({
    authorize: 'auto',
    run: (call, input) => {
      refuseUnsupported('AssociateVpcCidrBlock', input, [
        'Ipv6Pool', 'Ipv6CidrBlock', 'Ipv4IpamPoolId', 'Ipv4NetmaskLength', 'Ipv6IpamPoolId', 'Ipv6NetmaskLength',
      ]); // biome-ignore format: a list
      checkBorderGroup(call, input.Ipv6CidrBlockNetworkBorderGroup);
      const vpc = requireRow(call, 'vpc', input.VpcId, 'vpcId');
      checkNoRequest(call, vpc);
      if (input.AmazonProvidedIpv6CidrBlock) {
        if (input.CidrBlock)
          throw invalidCombination(
            'The parameter cidrBlock cannot be used with the parameter amazonProvidedIpv6CidrBlock',
          );
        return { VpcId: vpc.id, Ipv6CidrBlockAssociation: associateIpv6Block(call, vpc) };
      }
      if (!input.CidrBlock) throw missingParameter('cidrBlock');
      const cidr = vpcBlock(input.CidrBlock);
      checkBlock(call, vpc, cidr);
      const associationId = call.tx.newId('vpc-cidr-assoc');
      call.tx.put('vpc', { ...vpc, cidrBlocks: [...vpc.cidrBlocks, { associationId, cidr }] });
      rewriteLocalRoutes(call, vpc, cidr, true);
      return {
        VpcId: vpc.id,
        CidrBlockAssociation: {
          AssociationId: associationId,
          CidrBlock: cidr,
          CidrBlockState: { State: 'associating' },
        },
      };
    },
  }),

  DisassociateVpcCidrBlock: operation<DisassociateVpcCidrBlockRequest, DisassociateVpcCidrBlockResult>({
    authorize: 'auto',
    run: (call, input) => {
      const { vpc, block } = blockOf(call, input.AssociationId);
      if (isIpv6Cidr(block.cidr))
        return { VpcId: vpc.id, Ipv6CidrBlockAssociation: disassociateIpv6Block(call, vpc, block) };
      if (vpc.cidrBlocks[0] === block)
        throw operationNotPermitted(
          `The vpc CIDR block with association ID ${block.associationId} may not be disassociated. It is the primary IPv4 CIDR block of the VPC`,
        );
      const used = call.tx
        .list('subnet', scopeOf(call))
        .some((row) => row.vpcId === vpc.id && contains(block.cidr, row.cidrBlock));
      if (used)
        throw ec2Error(
          'InvalidCidrBlock.InUse',
          `The vpc ${vpc.id} currently has a subnet within CIDR block ${block.cidr}`,
        );
      call.tx.put('vpc', { ...vpc, cidrBlocks: vpc.cidrBlocks.filter((one) => one !== block) });
      rewriteLocalRoutes(call, vpc, block.cidr, false);
      return {
        VpcId: vpc.id,
        CidrBlockAssociation: {
          AssociationId: block.associationId,
          CidrBlock: block.cidr,
          CidrBlockState: { State: 'disassociating' },
        },
      };
    },
  }),
} satisfies Record<string, Operation>;
