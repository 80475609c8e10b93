// Users, groups, roles, policies (`aws iam get-account-authorization-details`) and bucket policies (`aws s3api get-bucket-policy`): from answers to rows.

import { nameKey } from '../identities.ts';
import type { InlinePolicies } from '../store/rows/iam.ts';
import type { Building } from './building.ts';
import { subjectOf } from './files.ts';
import { ImportError, type Item } from './item.ts';

const accountOf = (arn: string) => arn.split(':')[4] ?? '';

export function readIdentities(building: Building): void {
  const { rows } = building;
  for (const { item } of building.list('RoleDetailList', 'Arn')) {
    const accountId = accountOf(item.text('Arn'));
    const roleName = item.text('RoleName');
    rows.putKnown('role', {
      ...holder(item, accountId, 'RolePolicyList'),
      id: nameKey(accountId, roleName),
      roleName,
      roleId: item.text('RoleId'),
      assumeRolePolicyDocument: item.document('AssumeRolePolicyDocument') ?? '',
      tags: item.tags(),
    });
  }
  const members = new Map<string, string[]>();
  for (const { item } of building.list('UserDetailList', 'Arn')) {
    const accountId = accountOf(item.text('Arn'));
    const userName = item.text('UserName');
    for (const group of item.texts('GroupList')) {
      const key = nameKey(accountId, group);
      members.set(key, [...(members.get(key) ?? []), userName]);
    }
    rows.putKnown('user', {
      ...holder(item, accountId, 'UserPolicyList'),
      id: nameKey(accountId, userName),
      userName,
      userId: item.text('UserId'),
      tags: item.tags(),
    });
  }
  for (const { item } of building.list('GroupDetailList', 'Arn')) {
    const accountId = accountOf(item.text('Arn'));
    const groupName = item.text('GroupName');
    const id = nameKey(accountId, groupName);
    rows.putKnown('group', {
      ...holder(item, accountId, 'GroupPolicyList'),
      id,
      groupName,
      groupId: item.text('GroupId'),
      userNames: members.get(id) ?? [],
    });
  }
  for (const { item } of building.list('Policies', 'Arn')) {
    const arn = item.text('Arn');
    rows.putKnown('managed-policy', {
      accountId: accountOf(arn),
      region: 'global',
      id: arn,
      policyName: item.text('PolicyName'),
      defaultVersionId: item.text('DefaultVersionId'),
      versions: item.list('PolicyVersionList').map((version) => ({
        versionId: version.text('VersionId'),
        document: version.document('Document') ?? '',
        createDate: '',
      })),
    });
  }
}

/** What users, groups and roles have alike. */
function holder(item: Item, accountId: string, inlineList: string) {
  const inlinePolicies: InlinePolicies = {};
  for (const each of item.list(inlineList))
    inlinePolicies[each.text('PolicyName')] = each.document('PolicyDocument') ?? '';
  const boundary = item.item('PermissionsBoundary')?.optionalText('PermissionsBoundaryArn');
  return {
    accountId,
    region: 'global',
    path: item.optionalText('Path') ?? '/',
    attachedPolicyArns: item.list('AttachedManagedPolicies').map((each) => each.text('PolicyArn')),
    inlinePolicies,
    ...(boundary !== undefined && { permissionsBoundaryArn: boundary }),
  };
}

/** Neither answer names its bucket: the policy's resources do, else the file is called as the bucket is. */
export function readBuckets(building: Building): void {
  const owner = building.ownerOf(undefined);
  const put = (name: string, more: object, region?: string) => {
    const known = building.rows.get('bucket', name);
    building.rows.putKnown('bucket', {
      ...owner,
      ownership: 'BucketOwnerEnforced',
      ...known,
      ...(region !== undefined && { region }),
      id: name,
      ...more,
    });
  };
  for (const { item } of building.list('Buckets'))
    put(item.text('Name'), {}, item.optionalText('BucketRegion') ?? owner.region);
  for (const { file, fields } of building.answers) {
    const policy = fields['Policy'];
    const block = fields['PublicAccessBlockConfiguration'];
    if (typeof policy === 'string') put(bucketOfPolicy(policy, file), { policy });
    if (typeof block === 'object' && block !== null) {
      const flags = block as Readonly<Record<string, unknown>>;
      put(subjectOf(file).replace(/^(get-)?public-access-block[._-]/, ''), {
        publicAccessBlock: {
          blockPublicAcls: flags['BlockPublicAcls'] === true,
          ignorePublicAcls: flags['IgnorePublicAcls'] === true,
          blockPublicPolicy: flags['BlockPublicPolicy'] === true,
          restrictPublicBuckets: flags['RestrictPublicBuckets'] === true,
        },
      });
    }
  }
}

function bucketOfPolicy(policy: string, file: string): string {
  try {
    JSON.parse(policy);
  } catch (error) {
    throw new ImportError(`${file}, Policy is no JSON: ${(error as Error).message}`);
  }
  const named = new Set([...policy.matchAll(/"arn:[a-z-]+:s3:::([a-z0-9.-]+)/g)].map((match) => match[1] ?? ''));
  const [only] = named;
  return named.size === 1 && only !== undefined ? only : subjectOf(file);
}
