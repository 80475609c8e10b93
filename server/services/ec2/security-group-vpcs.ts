// Groups in other VPCs than their own: associations, and which groups a VPC's interfaces can carry. Same account and region.
// https://docs.aws.amazon.com/vpc/latest/userguide/security-group-assoc.html (read 2026-11-21): not for default groups, not with the default VPC; a group
// cannot leave a VPC while an interface there carries it. The answer of the call says `associating`; the next Describe says `associated`.
// Wordings of the refusals: no answer of AWS was seen.

import type {
  AssociateSecurityGroupVpcRequest,
  AssociateSecurityGroupVpcResult,
  DescribeSecurityGroupVpcAssociationsRequest,
  DescribeSecurityGroupVpcAssociationsResult,
  DisassociateSecurityGroupVpcRequest,
  DisassociateSecurityGroupVpcResult,
  GetSecurityGroupsForVpcRequest,
  GetSecurityGroupsForVpcResult,
} from '@aws-sdk/client-ec2';
import { type Call, type Operation, operation } from '../../service.ts';
import type { SecurityGroupRow, SecurityGroupVpcAssociationRow } from '../../store/rows/ec2.ts';
import type { Transaction } from '../../store/store.ts';
import { alreadyAssociated, dependencyViolation, ec2Error, invalidParameterValue } from './errors.ts';
import { applyFilters } from './filters.ts';
import { paginate } from './pagination.ts';
import { requireRow, scopeOf } from './rows.ts';
import { toTags } from './tags.ts';

const associationId = (groupId: string, vpcId: string) => `${groupId} ${vpcId}`;

/** May interfaces of this VPC carry the group, which is another VPC's? */
export function isAssociated(tx: Transaction, groupId: string, vpcId: string): boolean {
  return tx.get('security-group-vpc-association', associationId(groupId, vpcId)) !== undefined;
}

export function associationsOfGroup(call: Call, groupId: string): SecurityGroupVpcAssociationRow[] {
  return call.tx.list('security-group-vpc-association', scopeOf(call)).filter((row) => row.groupId === groupId);
}

function associate(call: Call, input: AssociateSecurityGroupVpcRequest): void {
  const group = requireRow(call, 'security-group', input.GroupId, 'groupId');
  const vpc = requireRow(call, 'vpc', input.VpcId, 'vpcId');
  if (group.groupName === 'default')
    throw invalidParameterValue(`The default security group ${group.id} cannot be associated with another VPC.`);
  if (group.vpcId === vpc.id)
    throw invalidParameterValue(`Security group ${group.id} was created in ${vpc.id} and belongs to it already.`);
  const defaultVpc = [vpc, call.tx.get('vpc', group.vpcId)].find((row) => row?.isDefault);
  if (defaultVpc) throw invalidParameterValue(`Security groups cannot be associated across the default VPC.`);
  if (isAssociated(call.tx, group.id, vpc.id))
    throw alreadyAssociated(`Security group ${group.id} is already associated with ${vpc.id}`);
  const id = associationId(group.id, vpc.id);
  call.tx.put('security-group-vpc-association', { ...scopeOf(call), id, groupId: group.id, vpcId: vpc.id });
}

function disassociate(call: Call, input: DisassociateSecurityGroupVpcRequest): void {
  const group = requireRow(call, 'security-group', input.GroupId, 'groupId');
  const vpc = requireRow(call, 'vpc', input.VpcId, 'vpcId');
  if (!isAssociated(call.tx, group.id, vpc.id))
    throw ec2Error('InvalidAssociation.NotFound', `Security group ${group.id} is not associated with ${vpc.id}`);
  const wearing = call.tx
    .list('network-interface', scopeOf(call))
    .filter((row) => row.vpcId === vpc.id && row.groupIds.includes(group.id));
  if (wearing.length > 0)
    throw dependencyViolation(
      `resource ${group.id} has a dependent object`,
      wearing.map(({ id }) => id),
    );
  call.tx.delete('security-group-vpc-association', associationId(group.id, vpc.id));
}

/** The VPC's own groups and those associated with it. */
function groupsFor(call: Call, vpcId: string): SecurityGroupRow[] {
  return call.tx
    .list('security-group', scopeOf(call))
    .filter((row) => row.vpcId === vpcId || isAssociated(call.tx, row.id, vpcId));
}

export const securityGroupVpcs = {
  AssociateSecurityGroupVpc: operation<AssociateSecurityGroupVpcRequest, AssociateSecurityGroupVpcResult>({
    authorize: 'auto',
    run: (call, input) => {
      associate(call, input);
      return { State: 'associating' };
    },
  }),

  DisassociateSecurityGroupVpc: operation<DisassociateSecurityGroupVpcRequest, DisassociateSecurityGroupVpcResult>({
    authorize: 'auto',
    run: (call, input) => {
      disassociate(call, input);
      return { State: 'disassociating' };
    },
  }),

  DescribeSecurityGroupVpcAssociations: operation<
    DescribeSecurityGroupVpcAssociationsRequest,
    DescribeSecurityGroupVpcAssociationsResult
  >({
    authorize: 'auto',
    readOnly: true,
    run: (call, input) => {
      const all = call.tx.list('security-group-vpc-association', scopeOf(call));
      const rows = applyFilters(all, input.Filters, {
        'group-id': (row) => row.groupId,
        'vpc-id': (row) => row.vpcId,
        'vpc-owner-id': (row) => row.accountId,
        'group-owner-id': (row) => row.accountId,
        state: () => 'associated',
      });
      const { page, ...next } = paginate(rows, input, { min: 5, max: 1000 }, (row) => row.id);
      return {
        SecurityGroupVpcAssociations: page.map((row) => ({
          GroupId: row.groupId,
          VpcId: row.vpcId,
          VpcOwnerId: row.accountId,
          GroupOwnerId: row.accountId,
          State: 'associated' as const,
        })),
        ...next,
      };
    },
  }),

  GetSecurityGroupsForVpc: operation<GetSecurityGroupsForVpcRequest, GetSecurityGroupsForVpcResult>({
    authorize: 'auto',
    readOnly: true,
    run: (call, input) => {
      const vpc = requireRow(call, 'vpc', input.VpcId, 'vpcId');
      const rows = applyFilters(groupsFor(call, vpc.id), input.Filters, {
        'group-id': (row) => row.id,
        description: (row) => row.description,
        'group-name': (row) => row.groupName,
        'owner-id': (row) => row.accountId,
        'primary-vpc-id': (row) => row.vpcId,
      });
      const { page, ...next } = paginate(rows, input, { min: 5, max: 1000 }, (row) => row.id);
      return {
        SecurityGroupForVpcs: page.map((row) => ({
          GroupId: row.id,
          GroupName: row.groupName,
          Description: row.description,
          OwnerId: row.accountId,
          PrimaryVpcId: row.vpcId,
          Tags: toTags(row.tags),
        })),
        ...next,
      };
    },
  }),
} satisfies Record<string, Operation>;
