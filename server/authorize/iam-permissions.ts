// Which IAM resources does an IAM operation touch? ARNs carry the path, which is in the row and not in the input.
// https://docs.aws.amazon.com/service-authorization/latest/reference/list_awsidentityandaccessmanagementiam.html (read 2026-11-21)

import { groupArn, instanceProfileArn, nameKey, policyArn, roleArn, userArn } from '../identities.ts';
import type { Permission } from '../service.ts';
import type { Transaction } from '../store/store.ts';
import type { CallFacts } from './context.ts';
import { type ActionFacts, fillArn, type ServiceFacts } from './facts.ts';
import type { Input } from './permissions.ts';

interface Named {
  readonly arn: string;
  readonly tags?: Readonly<Record<string, string>>;
  readonly boundary?: string;
}

type Finder = (tx: Transaction, call: CallFacts, input: Input) => Named | undefined;

const text = (value: unknown): string | undefined => (typeof value === 'string' && value !== '' ? value : undefined);
const pathOf = (input: Input): string => text(input.Path) ?? '/';

/** Resource type → the one that the input names. A row that is not there yet is being created: the input has its path. */
const FINDERS: Readonly<Record<string, Finder>> = {
  user(tx, call, input) {
    const userName = text(input.UserName);
    // Operations on oneself leave the name out.
    if (userName === undefined) {
      return call.principal.type === 'user' ? { arn: call.principal.arn } : undefined;
    }
    const row = tx.get('user', nameKey(call.accountId, userName));
    const arn = userArn(call.partition, row ?? { accountId: call.accountId, path: pathOf(input), userName });
    return { arn, ...(row && { tags: row.tags }), ...boundary(row) };
  },
  role(tx, call, input) {
    const roleName = text(input.RoleName);
    if (roleName === undefined) return undefined;
    const row = tx.get('role', nameKey(call.accountId, roleName));
    const arn = roleArn(call.partition, row ?? { accountId: call.accountId, path: pathOf(input), roleName });
    return { arn, ...(row && { tags: row.tags }), ...boundary(row) };
  },
  group(tx, call, input) {
    const groupName = text(input.GroupName);
    if (groupName === undefined) return undefined;
    const row = tx.get('group', nameKey(call.accountId, groupName));
    return { arn: groupArn(call.partition, row ?? { accountId: call.accountId, path: pathOf(input), groupName }) };
  },
  'instance-profile'(tx, call, input) {
    const instanceProfileName = text(input.InstanceProfileName);
    if (instanceProfileName === undefined) return undefined;
    const row = tx.get('instance-profile', nameKey(call.accountId, instanceProfileName));
    const named = row ?? { accountId: call.accountId, path: pathOf(input), instanceProfileName };
    return { arn: instanceProfileArn(call.partition, named), ...(row && { tags: row.tags }) };
  },
  policy(tx, call, input) {
    const arn = text(input.PolicyArn);
    if (arn !== undefined) {
      const row = tx.get('managed-policy', arn);
      return { arn, ...(row && { tags: row.tags }) };
    }
    const policyName = text(input.PolicyName);
    if (policyName === undefined) return undefined;
    return { arn: policyArn(call.partition, { accountId: call.accountId, path: pathOf(input), policyName }) };
  },
};

function boundary(row: { permissionsBoundaryArn?: string } | undefined): { boundary?: string } {
  return row?.permissionsBoundaryArn === undefined ? {} : { boundary: row.permissionsBoundaryArn };
}

export function iamPermissions(
  tx: Transaction,
  call: CallFacts,
  input: Input,
  asked: string,
  action: ActionFacts,
  facts: ServiceFacts,
): readonly Permission[] {
  const permissions: Permission[] = [];
  for (const { type, required } of action.resources.values()) {
    const found = FINDERS[type]?.(tx, call, input);
    const template = facts.resourceTypes[type];
    if (found) permissions.push({ action: asked, resource: found.arn, context: contextOf(input, action, found) });
    else if (required && template !== undefined) {
      permissions.push({ action: asked, resource: fillArn(template, call, '*'), context: contextOf(input, action) });
    }
  }
  return permissions.length > 0 ? permissions : [{ action: asked, resource: '*', context: contextOf(input, action) }];
}

interface Tag {
  readonly Key?: string;
  readonly Value?: string;
}

function contextOf(input: Input, action: ActionFacts, found?: Named): Record<string, readonly string[]> {
  const context: Record<string, readonly string[]> = {};
  for (const [key, value] of Object.entries(found?.tags ?? {})) {
    context[`aws:ResourceTag/${key}`] = [value];
    context[`iam:ResourceTag/${key}`] = [value];
  }
  const tags = Array.isArray(input.Tags) ? (input.Tags as Tag[]) : [];
  for (const tag of tags) if (tag.Key !== undefined) context[`aws:RequestTag/${tag.Key}`] = [tag.Value ?? ''];
  const tagKeys = Array.isArray(input.TagKeys) ? (input.TagKeys as string[]) : tags.flatMap((tag) => tag.Key ?? []);
  if (tagKeys.length > 0) context['aws:TagKeys'] = tagKeys;
  const policy = text(input.PolicyArn);
  if (policy !== undefined && action.keys.has('iam:policyarn')) context['iam:PolicyARN'] = [policy];
  if (action.keys.has('iam:permissionsboundary')) {
    const limit = text(input.PermissionsBoundary) ?? found?.boundary;
    if (limit !== undefined) context['iam:PermissionsBoundary'] = [limit];
  }
  const service = text(input.AWSServiceName);
  if (service !== undefined && action.keys.has('iam:awsservicename')) context['iam:AWSServiceName'] = [service];
  return context;
}
