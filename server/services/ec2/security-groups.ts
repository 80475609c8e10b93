// Security groups themselves; their rules are in security-group-rules.ts. Rules S2–S4, S8. https://docs.aws.amazon.com/vpc/latest/userguide/vpc-security-groups.html
// (read 2026-11-21).

import type {
  CreateSecurityGroupRequest,
  CreateSecurityGroupResult,
  DeleteSecurityGroupRequest,
  DeleteSecurityGroupResult,
  DescribeSecurityGroupsRequest,
  DescribeSecurityGroupsResult,
  SecurityGroup,
} from '@aws-sdk/client-ec2';
import type { SecurityGroupId, VpcId } from '@postern/network/snapshot.ts';
import { type Call, type Operation, operation } from '../../service.ts';
import type { SecurityGroupRow, SecurityGroupRuleRow } from '../../store/rows/ec2.ts';
import { defaultVpcOf } from './default-vpc.ts';
import { dependencyViolation, ec2Error, invalidParameterValue, missingParameter } from './errors.ts';
import { applyFilters, type FilterTable } from './filters.ts';
import { isPeered } from './group-peers.ts';
import { groupNameKey, groupsByName } from './indexes.ts';
import { allowAllOut, anywhere, anywhere6, makerOf } from './new-vpc.ts';
import { paginate } from './pagination.ts';
import { enforceQuota } from './quotas.ts';
import { ec2Arn, requireRow, scopeOf, selectRows } from './rows.ts';
import { protocolName, toPermissions } from './rule-form.ts';
import { associationsOfGroup } from './security-group-vpcs.ts';
import { tagsFromSpecifications, toTags } from './tags.ts';

/** The rules of every group of the caller, by one scan. */
export function rulesByGroup(call: Call): Map<string, SecurityGroupRuleRow[]> {
  const byGroup = new Map<string, SecurityGroupRuleRow[]>();
  for (const rule of call.tx.list('security-group-rule', scopeOf(call))) {
    const rules = byGroup.get(rule.groupId);
    if (rules) rules.push(rule);
    else byGroup.set(rule.groupId, [rule]);
  }
  return byGroup;
}

function toSecurityGroup(call: Call, row: SecurityGroupRow, rules: readonly SecurityGroupRuleRow[]): SecurityGroup {
  return {
    GroupId: row.id,
    GroupName: row.groupName,
    Description: row.description,
    OwnerId: row.accountId,
    VpcId: row.vpcId,
    SecurityGroupArn: ec2Arn(call, 'security-group', row.id),
    IpPermissions: toPermissions(
      call.tx,
      rules.filter((rule) => !rule.isEgress),
    ),
    IpPermissionsEgress: toPermissions(
      call.tx,
      rules.filter((rule) => rule.isEgress),
    ),
    Tags: toTags(row.tags),
  };
}

/** `ip-permission.…` and `egress.ip-permission.…` compare one thing of each rule. */
const ruleFilters: Readonly<Record<string, (rule: SecurityGroupRuleRow) => string | number | undefined>> = {
  cidr: ({ peer }) => (peer.kind === 'cidr' ? peer.cidr : undefined),
  'ipv6-cidr': ({ peer }) => (peer.kind === 'cidr6' ? peer.cidr : undefined),
  'prefix-list-id': ({ peer }) => (peer.kind === 'prefix-list' ? peer.prefixListId : undefined),
  'group-id': ({ peer }) => (peer.kind === 'security-group' ? peer.groupId : undefined),
  'user-id': ({ peer }) => (peer.kind === 'security-group' ? peer.ownerId : undefined),
  'from-port': (rule) => rule.fromPort,
  'to-port': (rule) => rule.toPort,
  protocol: (rule) => protocolName(rule.protocol),
};

function filtersOf(call: Call, rules: ReadonlyMap<string, readonly SecurityGroupRuleRow[]>): FilterTable<SecurityGroupRow> {
  const table: Record<string, FilterTable<SecurityGroupRow>[string]> = {
    description: (row) => row.description,
    'group-id': (row) => row.id,
    'group-name': (row) => row.groupName,
    'owner-id': (row) => row.accountId,
    'vpc-id': (row) => row.vpcId,
  };
  for (const [prefix, egress] of [['ip-permission.', false], ['egress.ip-permission.', true]] as const) {
    const own = (row: SecurityGroupRow) => (rules.get(row.id) ?? []).filter((rule) => rule.isEgress === egress);
    for (const [name, read] of Object.entries(ruleFilters)) table[`${prefix}${name}`] = (row) => own(row).map(read);
    table[`${prefix}group-name`] = (row) =>
      own(row).map(({ peer }) => (peer.kind === 'security-group' && !isPeered(peer) ? call.tx.get('security-group', peer.groupId)?.groupName : undefined)); // a peer's names are its own
  }
  return table;
} // biome-ignore format: two pairs

const nameCharacters = /^[a-zA-Z0-9 ._\-:/()#,@[\]+=&;{}!$*]+$/;

/** S4. */
function checkName(name: string | undefined): string {
  if (!name) throw missingParameter('GroupName');
  if (name.toLowerCase() === 'default')
    throw ec2Error('InvalidGroup.Reserved', `Cannot use reserved security group name: ${name}`);
  if (name.startsWith('sg-'))
    throw invalidParameterValue(
      `Value (${name}) for parameter GroupName is invalid. Group names may not be in the format sg-*.`,
    );
  if (name.length > 255 || !nameCharacters.test(name))
    throw invalidParameterValue(
      `Invalid security group name. Valid names are strings less than 256 characters from the following set:  a-zA-Z0-9. _-:/()#,@[]+=&;{}!$*`,
    );
  return name;
}

function checkDescription(description: string | undefined): string {
  if (!description) throw missingParameter('GroupDescription');
  if (description.length > 255 || !nameCharacters.test(description))
    throw invalidParameterValue(
      'Invalid security group description. Valid descriptions are strings less than 256 characters from the following set:  a-zA-Z0-9. _-:/()#,@[]+=&;{}!$*',
    );
  return description;
}

function vpcIdFor(call: Call, vpcId: string | undefined): VpcId {
  if (vpcId) return requireRow(call, 'vpc', vpcId).id;
  const vpc = defaultVpcOf(call.tx, call.accountId, call.region);
  if (!vpc) throw ec2Error('VPCIdNotSpecified', 'No default VPC for this user');
  return vpc.id;
}

function createGroup(call: Call, input: CreateSecurityGroupRequest): SecurityGroupRow {
  const groupName = checkName(input.GroupName);
  const description = checkDescription(input.Description);
  const vpcId = vpcIdFor(call, input.VpcId);
  if (call.tx.find(groupsByName, groupNameKey(vpcId, groupName)).length > 0)
    throw ec2Error('InvalidGroup.Duplicate', `The security group '${groupName}' already exists for VPC '${vpcId}'`);
  enforceQuota(call, 'securityGroupsPerRegion', () => call.tx.list('security-group', scopeOf(call)).length);
  const id: SecurityGroupId = call.tx.newId('sg');
  const tags = tagsFromSpecifications(input.TagSpecifications, 'security-group');
  const row: SecurityGroupRow = { id, ...scopeOf(call), vpcId, groupName, description, tags };
  call.tx.put('security-group', row);
  const hasIpv6 = (call.tx.get('vpc', vpcId)?.ipv6CidrBlocks ?? []).length > 0;
  for (const cidr of hasIpv6 ? [anywhere, anywhere6] : [anywhere])
    call.tx.put('security-group-rule', allowAllOut(makerOf(call), id, vpcId, cidr));
  return row;
}

/**
 * The group of a call that may name it by id, or by name in the default VPC.
 * @throws MissingParameter, InvalidGroupId.Malformed, InvalidGroup.NotFound
 */
export function requireGroup(call: Call, id: string | undefined, name?: string): SecurityGroupRow {
  if (id) return requireRow(call, 'security-group', id);
  if (!name) throw missingParameter('groupName or groupId');
  return groupsNamed(call, [name])[0] as SecurityGroupRow;
}

/** Names work in the default VPC only; at least one row per name. */
function groupsNamed(call: Call, names: readonly string[]): SecurityGroupRow[] {
  const vpc = defaultVpcOf(call.tx, call.accountId, call.region);
  const own = call.tx.list('security-group', scopeOf(call)).filter((row) => row.vpcId === vpc?.id);
  return names.map((name) => {
    const row = own.find((one) => one.groupName === name);
    if (row) return row;
    throw ec2Error(
      'InvalidGroup.NotFound',
      vpc
        ? `The security group '${name}' does not exist in default VPC '${vpc.id}'`
        : `The security group '${name}' does not exist`,
    );
  });
}

function deleteGroup(call: Call, group: SecurityGroupRow): void {
  const { tx } = call;
  const scope = scopeOf(call);
  if (group.groupName === 'default')
    throw ec2Error('CannotDelete', `the specified group: "${group.id}" name: "default" cannot be deleted by a user`);
  const rules = tx.list('security-group-rule', scope);
  const naming = rules.filter(
    // A peer's rule does not hold the group: it becomes stale (S8).
    ({ groupId, peer }) =>
      groupId !== group.id && peer.kind === 'security-group' && peer.groupId === group.id && !isPeered(peer),
  );
  const wearing = tx.list('network-interface', scope).filter((row) => row.groupIds.includes(group.id));
  const elsewhere = associationsOfGroup(call, group.id);
  const endpoints = tx
    .list('vpc-endpoint', scope)
    .filter((row) => row.endpointType === 'Interface' && row.groupIds.includes(group.id));
  const dependents = [
    ...naming.map((rule) => `${rule.id} in ${rule.groupId}`),
    ...[...wearing, ...endpoints].map(({ id }) => id),
    ...elsewhere.map(({ vpcId }) => `its association with ${vpcId}`),
  ];
  if (dependents.length > 0) throw dependencyViolation(`resource ${group.id} has a dependent object`, dependents);
  for (const rule of rules) if (rule.groupId === group.id) tx.delete('security-group-rule', rule.id);
  tx.delete('security-group', group.id);
}

/** Groups by id and by name together; each once. */
function selectGroups(call: Call, input: DescribeSecurityGroupsRequest): SecurityGroupRow[] {
  const names = input.GroupNames ?? [];
  if (names.length === 0) return selectRows(call, 'security-group', input.GroupIds);
  const byId = (input.GroupIds?.length ?? 0) > 0 ? selectRows(call, 'security-group', input.GroupIds) : [];
  return [...new Set([...byId, ...groupsNamed(call, names)])];
}

export const securityGroups = {
  CreateSecurityGroup: operation<CreateSecurityGroupRequest, CreateSecurityGroupResult>({
    authorize: 'auto',
    run: (call, input) => {
      const row = createGroup(call, input);
      const Tags = toTags(row.tags);
      const answer = { GroupId: row.id, SecurityGroupArn: ec2Arn(call, 'security-group', row.id) };
      return Tags.length > 0 ? { ...answer, Tags } : answer;
    },
  }),

  DescribeSecurityGroups: operation<DescribeSecurityGroupsRequest, DescribeSecurityGroupsResult>({
    authorize: 'auto',
    readOnly: true,
    run: (call, input) => {
      const rules = rulesByGroup(call);
      const rows = applyFilters(selectGroups(call, input), input.Filters, filtersOf(call, rules));
      const bounds = { min: 5, max: 1000, ids: { values: input.GroupIds, parameter: 'securityGroupIds' } };
      const { page, ...next } = paginate(rows, input, bounds, (row) => row.id);
      return { SecurityGroups: page.map((row) => toSecurityGroup(call, row, rules.get(row.id) ?? [])), ...next };
    },
  }),

  DeleteSecurityGroup: operation<DeleteSecurityGroupRequest, DeleteSecurityGroupResult>({
    authorize: 'auto',
    run: (call, input) => {
      const group = requireGroup(call, input.GroupId, input.GroupName);
      deleteGroup(call, group);
      return { Return: true, GroupId: group.id };
    },
  }),
} satisfies Record<string, Operation>;
