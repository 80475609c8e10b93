// The rules of security groups, by both APIs: by permission (Authorize, Revoke, UpdateSecurityGroupRuleDescriptions) and by rule id (Describe, Modify).
// Both read and write the same rows, one per peer. Rules S5, S9, S10. https://docs.aws.amazon.com/vpc/latest/userguide/security-group-rules.html
// (read 2026-11-21). Order of Authorize's checks: the group, each permission, repeated in the request, already there, quota.

import type {
  AuthorizeSecurityGroupEgressRequest,
  AuthorizeSecurityGroupEgressResult,
  AuthorizeSecurityGroupIngressRequest,
  AuthorizeSecurityGroupIngressResult,
  DescribeSecurityGroupRulesRequest,
  DescribeSecurityGroupRulesResult,
  IpPermission,
  ModifySecurityGroupRulesRequest,
  ModifySecurityGroupRulesResult,
  RevokeSecurityGroupEgressRequest,
  RevokeSecurityGroupEgressResult,
  RevokeSecurityGroupIngressRequest,
  RevokeSecurityGroupIngressResult,
  SecurityGroupRuleRequest,
  UpdateSecurityGroupRuleDescriptionsEgressRequest,
  UpdateSecurityGroupRuleDescriptionsEgressResult,
  UpdateSecurityGroupRuleDescriptionsIngressRequest,
  UpdateSecurityGroupRuleDescriptionsIngressResult,
} from '@aws-sdk/client-ec2';
import { type Call, type Operation, operation } from '../../service.ts';
import type { SecurityGroupRow, SecurityGroupRuleRow } from '../../store/rows/ec2.ts';
import { describe } from './describe.ts';
import {
  ec2Error,
  invalidCombination,
  invalidParameterValue,
  isWellFormedId,
  malformedId,
  missingParameter,
  notFound,
  unsupportedOperation,
} from './errors.ts';
import { groupPeer, knownPeers } from './group-peers.ts';
import { groupKey, rulesByContent, rulesByGroup } from './indexes.ts';
import { prefixListWeight } from './prefix-list-lookup.ts';
import { enforceQuota } from './quotas.ts';
import { ec2Arn, findRow, scopeOf } from './rows.ts';
import {
  checkDescription,
  cidr6Peer,
  cidrPeer,
  type Peer,
  prefixListPeer,
  protocolName,
  type RuleSpec,
  readPermissions,
  readPorts,
  readProtocol,
  ruleKey,
  ruleText,
  toRule,
} from './rule-form.ts';
import { requireGroup } from './security-groups.ts';
import { tagsFromSpecifications } from './tags.ts';

/** The flat parameters of one rule, from before IpPermissions. */
interface FlatInput {
  readonly IpProtocol?: string | undefined;
  readonly FromPort?: number | undefined;
  readonly ToPort?: number | undefined;
  readonly CidrIp?: string | undefined;
  readonly SourceSecurityGroupName?: string | undefined;
  readonly SourceSecurityGroupOwnerId?: string | undefined;
  readonly IpPermissions?: readonly IpPermission[] | undefined;
}

function permissionsOf(input: FlatInput): readonly IpPermission[] {
  const isFlat = [input.IpProtocol, input.CidrIp, input.SourceSecurityGroupName, input.FromPort, input.ToPort].some(
    (value) => value !== undefined,
  );
  const listed = input.IpPermissions ?? [];
  if (!isFlat) return listed;
  if (listed.length > 0)
    throw invalidCombination('The parameter ipPermissions cannot be used with the parameter ipProtocol');
  const { CidrIp, SourceSecurityGroupName: GroupName, SourceSecurityGroupOwnerId: UserId } = input;
  return [
    {
      IpProtocol: input.IpProtocol,
      FromPort: input.FromPort,
      ToPort: input.ToPort,
      IpRanges: CidrIp === undefined ? [] : [{ CidrIp }],
      UserIdGroupPairs: GroupName === undefined ? [] : [{ GroupName, UserId }],
    },
  ];
}

function rulesOf(call: Call, group: SecurityGroupRow, isEgress: boolean): SecurityGroupRuleRow[] {
  return call.tx.find(rulesByGroup, groupKey(group.id, isEgress));
}

/** S9: a prefix list counts as its maximum of entries; IPv4 and IPv6 are counted apart. */
function weigh(call: Call, rules: readonly RuleSpec[], family: 'cidr' | 'cidr6'): number {
  let total = 0;
  for (const { peer } of rules) {
    if (peer.kind === 'prefix-list') total += prefixListWeight(call, peer.prefixListId);
    else if (peer.kind === 'security-group' || peer.kind === family) total += 1;
  }
  return total;
}

function checkQuota(call: Call, rules: () => readonly RuleSpec[]): void {
  for (const family of ['cidr', 'cidr6'] as const)
    enforceQuota(call, 'rulesPerSecurityGroup', () => weigh(call, rules(), family), 0);
}

type AuthorizeInput = AuthorizeSecurityGroupIngressRequest & AuthorizeSecurityGroupEgressRequest;

function authorize(call: Call, input: AuthorizeInput, isEgress: boolean) {
  const group = requireGroup(call, input.GroupId, input.GroupName);
  const permissions = permissionsOf(input);
  if (permissions.length === 0) throw missingParameter('ipPermissions');
  const specs = readPermissions(call, group, permissions);
  if (specs.length === 0)
    throw ec2Error(
      'MissingParameter',
      'The request must contain a source or destination: a CIDR block, a prefix list or a security group',
    );
  const asked = new Set<string>();
  for (const spec of specs) {
    const key = ruleKey(spec);
    if (asked.has(key)) throw invalidParameterValue('The same permission must not appear multiple times');
    asked.add(key);
    if (call.tx.find(rulesByContent, `${groupKey(group.id, isEgress)} ${key}`).length > 0)
      throw ec2Error('InvalidPermission.Duplicate', `the specified rule "${ruleText(spec)}" already exists`);
  }
  checkQuota(call, () => [...rulesOf(call, group, isEgress), ...specs]);
  const tags = tagsFromSpecifications(input.TagSpecifications, 'security-group-rule');
  const made = specs.map((spec): SecurityGroupRuleRow => {
    const id = call.tx.newId('sgr');
    return { id, ...scopeOf(call), groupId: group.id, vpcId: group.vpcId, isEgress, ...spec, tags };
  });
  for (const row of made) call.tx.put('security-group-rule', row);
  return { Return: true, SecurityGroupRules: made.map((row) => toRule(call, row)) };
}

/** Rules by id: they must be of this group and direction. */
function rulesById(call: Call, group: SecurityGroupRow, ids: readonly string[], isEgress: boolean) {
  return ids.map((id) => {
    if (!isWellFormedId('security-group-rule', id)) throw malformedId('security-group-rule', id);
    const rule = findRow(call, 'security-group-rule', id);
    if (!rule || rule.groupId !== group.id || rule.isEgress !== isEgress) throw notFound('security-group-rule', [id]);
    return rule;
  });
}

function rulesByPermission(
  call: Call,
  group: SecurityGroupRow,
  permissions: readonly IpPermission[],
  isEgress: boolean,
) {
  const rules = rulesOf(call, group, isEgress);
  const byKey = new Map(rules.map((rule) => [ruleKey(rule), rule]));
  return readPermissions(call, group, permissions, knownPeers(rules)).map((spec) => {
    const rule = byKey.get(ruleKey(spec));
    if (!rule)
      throw ec2Error('InvalidPermission.NotFound', 'The specified rule does not exist in this security group.');
    return { rule, spec };
  });
}

type RevokeInput = RevokeSecurityGroupIngressRequest & RevokeSecurityGroupEgressRequest;

function revoke(call: Call, input: RevokeInput, isEgress: boolean) {
  const group = requireGroup(call, input.GroupId, input.GroupName);
  const ids = input.SecurityGroupRuleIds ?? [];
  const permissions = permissionsOf(input);
  if (ids.length > 0 && permissions.length > 0)
    throw invalidCombination('The parameter ipPermissions cannot be used with the parameter securityGroupRuleIds');
  if (ids.length === 0 && permissions.length === 0) throw missingParameter('ipPermissions or securityGroupRuleIds');
  const rules =
    ids.length > 0
      ? rulesById(call, group, ids, isEgress)
      : rulesByPermission(call, group, permissions, isEgress).map(({ rule }) => rule);
  for (const rule of rules) call.tx.delete('security-group-rule', rule.id);
  return {
    Return: true,
    RevokedSecurityGroupRules: [...new Set(rules)].map((rule) => {
      const {
        SecurityGroupRuleArn: _arn,
        GroupOwnerId: _owner,
        ReferencedGroupInfo: info,
        Tags: _tags,
        ...shown
      } = toRule(call, rule);
      return { ...shown, ...(info?.GroupId && { ReferencedGroupId: info.GroupId }) };
    }),
    UnknownIpPermissions: [],
  };
}

type DescriptionsInput = UpdateSecurityGroupRuleDescriptionsIngressRequest &
  UpdateSecurityGroupRuleDescriptionsEgressRequest;

function updateDescriptions(call: Call, input: DescriptionsInput, isEgress: boolean) {
  const group = requireGroup(call, input.GroupId, input.GroupName);
  const byId = input.SecurityGroupRuleDescriptions ?? [];
  const permissions = input.IpPermissions ?? [];
  if (byId.length > 0 === permissions.length > 0)
    throw byId.length > 0
      ? invalidCombination('Only one of ipPermissions or securityGroupRuleDescriptions can be specified')
      : missingParameter('ipPermissions or securityGroupRuleDescriptions');
  const changes = byId.map((one) => ({
    rule: rulesById(call, group, [one.SecurityGroupRuleId ?? ''], isEgress)[0],
    text: one.Description,
  }));
  for (const { rule, spec } of rulesByPermission(call, group, permissions, isEgress))
    changes.push({ rule, text: spec.description });
  for (const { rule, text } of changes) {
    if (!rule) continue;
    const { description: _old, ...rest } = rule;
    call.tx.put('security-group-rule', text ? { ...rest, description: checkDescription(text) } : rest);
  }
  return { Return: true };
}

const peerParameters = ['CidrIpv4', 'CidrIpv6', 'PrefixListId', 'ReferencedGroupId'] as const;

function peerOf(call: Call, group: SecurityGroupRow, request: SecurityGroupRuleRequest): Peer {
  const [name, ...more] = peerParameters.filter((one) => request[one]);
  if (name === undefined)
    throw ec2Error(
      'MissingParameter',
      'The request must contain exactly one of: cidrIp, cidrIpv6, prefixListId, or referencedGroupId',
    );
  if (more.length > 0)
    throw invalidCombination('Only one of cidrIp, cidrIpv6, prefixListId, or referencedGroupId can be specified');
  switch (name) {
    case 'CidrIpv4':
      return cidrPeer(request.CidrIpv4);
    case 'CidrIpv6':
      return cidr6Peer(request.CidrIpv6);
    case 'PrefixListId':
      return prefixListPeer(call, request.PrefixListId);
    case 'ReferencedGroupId':
      return groupPeer(call, group, { GroupId: request.ReferencedGroupId });
  }
}

function modifyRules(call: Call, input: ModifySecurityGroupRulesRequest): void {
  const group = requireGroup(call, input.GroupId);
  const updates = input.SecurityGroupRules ?? [];
  if (updates.length === 0) throw missingParameter('SecurityGroupRule');
  for (const { SecurityGroupRuleId: id = '', SecurityGroupRule: request } of updates) {
    if (!isWellFormedId('security-group-rule', id)) throw malformedId('security-group-rule', id);
    const old = findRow(call, 'security-group-rule', id);
    if (!old || old.groupId !== group.id) throw notFound('security-group-rule', [id]);
    if (!request) throw missingParameter('SecurityGroupRule');
    const protocol = readProtocol(request.IpProtocol);
    const ports = readPorts(protocol, request.FromPort, request.ToPort);
    const spec: RuleSpec = { protocol, ...ports, peer: peerOf(call, group, request) };
    const { fromPort: _from, toPort: _to, description: _description, ...kept } = old;
    const text = request.Description;
    const row: SecurityGroupRuleRow = { ...kept, ...spec, ...(text ? { description: checkDescription(text) } : {}) };
    const others = rulesOf(call, group, old.isEgress).filter((rule) => rule.id !== old.id);
    if (others.some((rule) => ruleKey(rule) === ruleKey(row)))
      throw ec2Error('InvalidPermission.Duplicate', `the specified rule "${ruleText(row)}" already exists`);
    checkQuota(call, () => [...others, row]);
    call.tx.put('security-group-rule', row);
  }
}

export const securityGroupRules = {
  AuthorizeSecurityGroupIngress: operation<AuthorizeSecurityGroupIngressRequest, AuthorizeSecurityGroupIngressResult>({
    authorize: 'auto',
    run: (call, input) => authorize(call, input as AuthorizeInput, false),
  }),

  AuthorizeSecurityGroupEgress: operation<AuthorizeSecurityGroupEgressRequest, AuthorizeSecurityGroupEgressResult>({
    authorize: 'auto',
    run: (call, input) => {
      refuseFlatEgress(input);
      return authorize(call, input, true);
    },
  }),

  RevokeSecurityGroupIngress: operation<RevokeSecurityGroupIngressRequest, RevokeSecurityGroupIngressResult>({
    authorize: 'auto',
    run: (call, input) => revoke(call, input as RevokeInput, false),
  }),

  RevokeSecurityGroupEgress: operation<RevokeSecurityGroupEgressRequest, RevokeSecurityGroupEgressResult>({
    authorize: 'auto',
    run: (call, input) => {
      refuseFlatEgress(input);
      return revoke(call, input, true);
    },
  }),

  UpdateSecurityGroupRuleDescriptionsIngress: operation<
    UpdateSecurityGroupRuleDescriptionsIngressRequest,
    UpdateSecurityGroupRuleDescriptionsIngressResult
  >({ authorize: 'auto', run: (call, input) => updateDescriptions(call, input, false) }),

  UpdateSecurityGroupRuleDescriptionsEgress: operation<
    UpdateSecurityGroupRuleDescriptionsEgressRequest,
    UpdateSecurityGroupRuleDescriptionsEgressResult
  >({ authorize: 'auto', run: (call, input) => updateDescriptions(call, input, true) }),

  ModifySecurityGroupRules: operation<ModifySecurityGroupRulesRequest, ModifySecurityGroupRulesResult>({
    authorize: 'auto',
    run: (call, input) => {
      modifyRules(call, input);
      return { Return: true };
    },
  }),

  DescribeSecurityGroupRules: operation<DescribeSecurityGroupRulesRequest, DescribeSecurityGroupRulesResult>({
    authorize: 'auto',
    readOnly: true,
    run: (call, input) => {
      checkGroupFilter(input);
      const { page, next } = describe(call, 'security-group-rule', input, {
        ids: input.SecurityGroupRuleIds,
        parameter: 'securityGroupRuleIds',
        filters: {
          'group-id': (row) => row.groupId,
          'security-group-rule-id': (row) => row.id,
          'is-egress': (row) => row.isEgress,
          'ip-protocol': (row) => protocolName(row.protocol),
          'security-group-rule-arn': (row) => ec2Arn(call, 'security-group-rule', row.id),
        },
      });
      return { SecurityGroupRules: page.map((row) => toRule(call, row)), ...next };
    },
  }),
} satisfies Record<string, Operation>;

/** The flat form of a destination is in the API's shape only; AWS refuses it for egress. */
function refuseFlatEgress(input: { SourceSecurityGroupName?: string | undefined }): void {
  if (input.SourceSecurityGroupName !== undefined)
    throw unsupportedOperation('SourceSecurityGroupName for an egress rule');
}

/** Unlike other filters, this one's values must look like ids. */
function checkGroupFilter(input: DescribeSecurityGroupRulesRequest): void {
  const values = input.Filters?.find((filter) => filter.Name === 'group-id')?.Values ?? [];
  for (const id of values)
    if (!isWellFormedId('security-group', id) && !/[*?]/.test(id))
      throw ec2Error('InvalidGroupId.Malformed', `The security group ID '${id}' is malformed`);
}
