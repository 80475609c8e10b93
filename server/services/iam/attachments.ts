// Which managed policies are attached to whom? Attach, detach and list for users, groups and roles, and the other way round.
// How many may be attached is a quota that can be raised, so it is enforced with `--quotas aws` only.

import type {
  AttachGroupPolicyRequest,
  AttachRolePolicyRequest,
  AttachUserPolicyRequest,
  DetachGroupPolicyRequest,
  DetachRolePolicyRequest,
  DetachUserPolicyRequest,
  ListAttachedGroupPoliciesRequest,
  ListAttachedGroupPoliciesResponse,
  ListAttachedRolePoliciesRequest,
  ListAttachedRolePoliciesResponse,
  ListAttachedUserPoliciesRequest,
  ListAttachedUserPoliciesResponse,
  ListEntitiesForPolicyRequest,
  ListEntitiesForPolicyResponse,
} from '@aws-sdk/client-iam';
import { type Call, operation } from '../../service.ts';
import { checkedPathPrefix, checkedPolicyArn, constraints, page } from './checks.ts';
import { policyNotAttachable, policyNotFound, quotaExceeded, servicesOwnPolicy } from './errors.ts';
import { allHolders, findHolder, type Holder, type HolderKind, holderName, onHolder, saveHolder } from './holders.ts';
import { onPolicy } from './permissions.ts';
import { lookUpPolicy } from './policies.ts';
import { serviceLinkedPath } from './protected-roles.ts';

interface AttachInput {
  readonly UserName?: string | undefined;
  readonly GroupName?: string | undefined;
  readonly RoleName?: string | undefined;
  readonly PolicyArn?: string | undefined;
  readonly PathPrefix?: string | undefined;
  readonly Marker?: string | undefined;
  readonly MaxItems?: number | undefined;
}

const attachQuotas = {
  user: { name: 'PoliciesPerUser', limit: 10 },
  group: { name: 'PoliciesPerGroup', limit: 10 },
  role: { name: 'PoliciesPerRole', limit: 10 },
} as const;

function attach(kind: HolderKind): (call: Call, input: AttachInput) => void {
  return (call, input) => {
    const arn = checkedPolicyArn(input.PolicyArn);
    const holder = findHolder(call, kind, input);
    const policy = lookUpPolicy(call, arn);
    if (!policy) throw policyNotAttachable(arn);
    if (policy.managedBy === 'aws' && policy.path.startsWith(serviceLinkedPath)) throw servicesOwnPolicy();
    const { attachedPolicyArns } = holder.row;
    if (attachedPolicyArns.includes(arn)) return;
    const quota = attachQuotas[kind];
    if (call.settings.quotas === 'aws' && attachedPolicyArns.length >= quota.limit) {
      throw quotaExceeded(quota.name, quota.limit);
    }
    saveHolder(call, holder, { attachedPolicyArns: [...attachedPolicyArns, arn] });
  };
}

function detach(kind: HolderKind): (call: Call, input: AttachInput) => void {
  return (call, input) => {
    const arn = checkedPolicyArn(input.PolicyArn);
    const holder = findHolder(call, kind, input);
    const { attachedPolicyArns } = holder.row;
    if (!attachedPolicyArns.includes(arn)) throw policyNotFound(arn);
    saveHolder(call, holder, { attachedPolicyArns: attachedPolicyArns.filter((one) => one !== arn) });
  };
}

/** A policy's name is the last part of its ARN. */
export function describeAttached(arn: string): { PolicyName: string; PolicyArn: string } {
  return { PolicyName: arn.slice(arn.lastIndexOf('/') + 1), PolicyArn: arn };
}

function pathOfPolicy(arn: string): string {
  return arn.slice(arn.indexOf('/'), arn.lastIndexOf('/') + 1);
}

function listAttached(kind: HolderKind): (call: Call, input: AttachInput) => ListAttachedUserPoliciesResponse {
  return (call, input) => {
    const prefix = checkedPathPrefix(input.PathPrefix);
    const arns = findHolder(call, kind, input).row.attachedPolicyArns;
    const { items, end } = page(
      arns.filter((arn) => pathOfPolicy(arn).startsWith(prefix)),
      input,
      (arn) => arn,
    );
    return { AttachedPolicies: items.map(describeAttached), ...end };
  };
}

function uses(holder: Holder, arn: string, filter: string | undefined): boolean {
  const attached = holder.row.attachedPolicyArns.includes(arn);
  const bounded = holder.kind !== 'group' && holder.row.permissionsBoundaryArn === arn;
  if (filter === 'PermissionsPolicy') return attached;
  if (filter === 'PermissionsBoundary') return bounded;
  return attached || bounded;
}

function listEntitiesForPolicy(call: Call, input: ListEntitiesForPolicyRequest): ListEntitiesForPolicyResponse {
  const arn = checkedPolicyArn(input.PolicyArn);
  constraints()
    .oneOf('entityFilter', input.EntityFilter, ['User', 'Role', 'Group', 'LocalManagedPolicy', 'AWSManagedPolicy'])
    .oneOf('policyUsageFilter', input.PolicyUsageFilter, ['PermissionsPolicy', 'PermissionsBoundary'])
    .done();
  if (!lookUpPolicy(call, arn)) throw policyNotFound(arn);
  const prefix = checkedPathPrefix(input.PathPrefix);
  const holders = allHolders(call)
    .filter((holder) => input.EntityFilter === undefined || holder.kind === input.EntityFilter.toLowerCase())
    .filter((holder) => holder.row.path.startsWith(prefix) && uses(holder, arn, input.PolicyUsageFilter));
  const { items, end } = page(holders, input, (holder) => `${holder.kind} ${holderName(holder)}`);
  const answer = { PolicyGroups: [], PolicyUsers: [], PolicyRoles: [], ...end } as Required<
    Pick<ListEntitiesForPolicyResponse, 'PolicyGroups' | 'PolicyUsers' | 'PolicyRoles'>
  >;
  for (const { kind, row } of items) {
    if (kind === 'user') answer.PolicyUsers?.push({ UserName: row.userName, UserId: row.userId });
    else if (kind === 'group') answer.PolicyGroups?.push({ GroupName: row.groupName, GroupId: row.groupId });
    else answer.PolicyRoles?.push({ RoleName: row.roleName, RoleId: row.roleId });
  }
  return answer;
}

export const attachments = {
  AttachUserPolicy: operation<AttachUserPolicyRequest, void>({ authorize: onHolder.user, run: attach('user') }),
  AttachGroupPolicy: operation<AttachGroupPolicyRequest, void>({ authorize: onHolder.group, run: attach('group') }),
  AttachRolePolicy: operation<AttachRolePolicyRequest, void>({ authorize: onHolder.role, run: attach('role') }),
  DetachUserPolicy: operation<DetachUserPolicyRequest, void>({ authorize: onHolder.user, run: detach('user') }),
  DetachGroupPolicy: operation<DetachGroupPolicyRequest, void>({ authorize: onHolder.group, run: detach('group') }),
  DetachRolePolicy: operation<DetachRolePolicyRequest, void>({ authorize: onHolder.role, run: detach('role') }),
  ListAttachedUserPolicies: operation<ListAttachedUserPoliciesRequest, ListAttachedUserPoliciesResponse>({
    authorize: onHolder.user,
    run: listAttached('user'),
    readOnly: true,
  }),
  ListAttachedGroupPolicies: operation<ListAttachedGroupPoliciesRequest, ListAttachedGroupPoliciesResponse>({
    authorize: onHolder.group,
    run: listAttached('group'),
    readOnly: true,
  }),
  ListAttachedRolePolicies: operation<ListAttachedRolePoliciesRequest, ListAttachedRolePoliciesResponse>({
    authorize: onHolder.role,
    run: listAttached('role'),
    readOnly: true,
  }),
  ListEntitiesForPolicy: operation<ListEntitiesForPolicyRequest, ListEntitiesForPolicyResponse>({
    authorize: onPolicy,
    run: listEntitiesForPolicy,
    readOnly: true,
  }),
};
