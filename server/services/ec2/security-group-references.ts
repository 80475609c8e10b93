// Who names our groups over a peering, and which of our rules name what is gone? Rules S7, S8, P7.
// https://docs.aws.amazon.com/vpc/latest/peering/vpc-peering-security-groups.html#vpc-peering-stale-groups (read 2026-11-21).

import type {
  DescribeSecurityGroupReferencesRequest,
  DescribeSecurityGroupReferencesResult,
  DescribeStaleSecurityGroupsRequest,
  DescribeStaleSecurityGroupsResult,
  SecurityGroupReference,
  StaleIpPermission,
  StaleSecurityGroup,
} from '@aws-sdk/client-ec2';
import { type Call, type Operation, operation } from '../../service.ts';
import type { SecurityGroupRow } from '../../store/rows/ec2.ts';
import { missingParameter } from './errors.ts';
import { isPeered, isStale } from './group-peers.ts';
import { groupKey, rulesByGroup, rulesByPeeredGroup } from './indexes.ts';
import { paginate } from './pagination.ts';
import { requireRow, scopeOf, selectRows } from './rows.ts';
import { toPermissions } from './rule-form.ts';
import { activePeering } from './vpc-peering-rows.ts';

/** The VPCs on the other side of an active peering whose rules name the group, whosever they are; each once. */
function referencesOf(call: Call, group: SecurityGroupRow): SecurityGroupReference[] {
  const naming = new Set(call.tx.find(rulesByPeeredGroup, group.id).map((rule) => rule.vpcId));
  return [...naming].flatMap((vpcId) => {
    const peering = activePeering(call.tx, group.vpcId, vpcId);
    return peering ? [{ GroupId: group.id, ReferencingVpcId: vpcId, VpcPeeringConnectionId: peering.id }] : [];
  });
}

function staleRules(call: Call, group: SecurityGroupRow, isEgress: boolean): StaleIpPermission[] {
  const rules = call.tx
    .find(rulesByGroup, groupKey(group.id, isEgress))
    .filter((rule) => isPeered(rule.peer) && isStale(call.tx, rule, rule.peer));
  return toPermissions(call.tx, rules).map(({ IpProtocol, FromPort, ToPort, UserIdGroupPairs }) => ({
    IpProtocol,
    ...(FromPort !== undefined && { FromPort }),
    ...(ToPort !== undefined && { ToPort }),
    IpRanges: [],
    PrefixListIds: [],
    UserIdGroupPairs,
  }));
}

function toStaleGroup(call: Call, group: SecurityGroupRow): StaleSecurityGroup[] {
  const [ingress, egress] = [staleRules(call, group, false), staleRules(call, group, true)];
  if (ingress.length + egress.length === 0) return [];
  return [
    {
      GroupId: group.id,
      GroupName: group.groupName,
      Description: group.description,
      VpcId: group.vpcId,
      StaleIpPermissions: ingress,
      StaleIpPermissionsEgress: egress,
    },
  ];
}

export const securityGroupReferences = {
  DescribeSecurityGroupReferences: operation<
    DescribeSecurityGroupReferencesRequest,
    DescribeSecurityGroupReferencesResult
  >({
    authorize: 'auto',
    readOnly: true,
    run: (call, input) => {
      if (!input.GroupId || input.GroupId.length === 0) throw missingParameter('groupId');
      const groups = selectRows(call, 'security-group', input.GroupId);
      return { SecurityGroupReferenceSet: groups.flatMap((group) => referencesOf(call, group)) };
    },
  }),

  DescribeStaleSecurityGroups: operation<DescribeStaleSecurityGroupsRequest, DescribeStaleSecurityGroupsResult>({
    authorize: 'auto',
    readOnly: true,
    run: (call, input) => {
      const vpc = requireRow(call, 'vpc', input.VpcId, 'vpcId');
      const groups = call.tx.list('security-group', scopeOf(call)).filter((row) => row.vpcId === vpc.id);
      const stale = groups.flatMap((group) => toStaleGroup(call, group));
      const { page, ...next } = paginate(stale, input, { min: 5, max: 255 }, (one) => one.GroupId ?? '');
      return { StaleSecurityGroupSet: [...page], ...next };
    },
  }),
} satisfies Record<string, Operation>;
