// What does IAM find under a name, and how does it show it? Rows in, the shapes of the API out.
// Case does not distinguish names (reference_iam-quotas, "names"): one is found however it is written, and shown as it was given (AWS as ceph/s3-tests saw it
// in December 2023). Lists are in the order of the names without case, whatever their paths (the same).

import type { AttachedPermissionsBoundary, Group, InstanceProfile, Role, User } from '@aws-sdk/client-iam';
import { groupArn, instanceProfileArn, nameKey, roleArn, userArn } from '../../identities.ts';
import type { Call } from '../../service.ts';
import type { GroupRow, InstanceProfileRow, RoleRow, UserRow } from '../../store/rows/iam.ts';
import type { Index, Transaction } from '../../store/store.ts';
import { checkedName, tagList } from './checks.ts';
import { encodeDocument } from './documents.ts';
import { noSuchEntity } from './errors.ts';

export function findUser(call: Call, userName: string | undefined): UserRow {
  const name = checkedName('userName', userName, 128);
  const row = rowNamed(call.tx, 'user', call.accountId, name);
  if (!row) throw noSuchEntity('user', name);
  return row;
}

export function findGroup(call: Call, groupName: string | undefined): GroupRow {
  const name = checkedName('groupName', groupName, 128);
  const row = rowNamed(call.tx, 'group', call.accountId, name);
  if (!row) throw noSuchEntity('group', name);
  return row;
}

export function findRole(call: Call, roleName: string | undefined): RoleRow {
  const name = checkedName('roleName', roleName, 64);
  const row = rowNamed(call.tx, 'role', call.accountId, name);
  if (!row) throw noSuchEntity('role', name);
  return row;
}

export function findInstanceProfile(call: Call, instanceProfileName: string | undefined): InstanceProfileRow {
  const name = checkedName('instanceProfileName', instanceProfileName, 128);
  const row = rowNamed(call.tx, 'instance-profile', call.accountId, name);
  if (!row) throw noSuchEntity('instance-profile', name);
  return row;
}

/** The user with a unique id: what belongs to a user names it so. */
export function userOfId(call: Call, userId: string): UserRow | undefined {
  return call.tx.list('user', { accountId: call.accountId }).find((row) => row.userId === userId);
}

type Named = 'user' | 'group' | 'role' | 'instance-profile' | 'server-certificate';

const inLowerCase = <K extends Named>(kind: K): Index<K> => ({ kind, keyOf: (row) => row.id.toLowerCase() });
const byName = {
  user: inLowerCase('user'),
  group: inLowerCase('group'),
  role: inLowerCase('role'),
  'instance-profile': inLowerCase('instance-profile'),
  'server-certificate': inLowerCase('server-certificate'),
};

/** The row of that name, in whatever case it is asked for. */
export function rowNamed<K extends Named>(tx: Transaction, kind: K, accountId: string, name: string) {
  const key = nameKey(accountId, name);
  // Each kind has its own index; which one it is, the compiler cannot follow.
  const index = byName[kind] as unknown as Index<K>;
  return tx.get(kind, key) ?? tx.find(index, key.toLowerCase())[0];
}

/** Whether a name is taken in this account; case does not distinguish. */
export function isNameTaken(tx: Transaction, kind: Named, accountId: string, name: string): boolean {
  return rowNamed(tx, kind, accountId, name) !== undefined;
}

/** The place of a name in a list. */
export function placeOf(name: string): string {
  return name.toLowerCase();
}

// The SDK's enum says PermissionsBoundaryPolicy, the service answers Policy (asserted against AWS in public test suites).
const boundaryType = 'Policy' as string as AttachedPermissionsBoundary['PermissionsBoundaryType'];

export function boundary(arn: string | undefined): { PermissionsBoundary?: AttachedPermissionsBoundary } {
  if (arn === undefined) return {};
  return { PermissionsBoundary: { PermissionsBoundaryType: boundaryType, PermissionsBoundaryArn: arn } };
}

export function tags(record: Record<string, string>): { Tags?: { Key: string; Value: string }[] } {
  return Object.keys(record).length === 0 ? {} : { Tags: tagList(record) };
}

/** ListUsers leaves boundary and tags out, GetUser shows them; so do the others. */
export type Detail = 'full' | 'listed';

export function describeUser(call: Call, row: UserRow, detail: Detail = 'full'): User {
  return {
    Path: row.path,
    UserName: row.userName,
    UserId: row.userId,
    Arn: userArn(call.partition, row),
    CreateDate: new Date(row.createDate),
    ...(detail === 'full' && { ...boundary(row.permissionsBoundaryArn), ...tags(row.tags) }),
  };
}

export function describeGroup(call: Call, row: GroupRow): Group {
  return {
    Path: row.path,
    GroupName: row.groupName,
    GroupId: row.groupId,
    Arn: groupArn(call.partition, row),
    CreateDate: new Date(row.createDate),
  };
}

/**
 * @param detail `created`: without duration and last use (recorded 2025-03: CreateRole shows neither); `listed`: without boundary, tags and last use
 */
export function describeRole(call: Call, row: RoleRow, detail: Detail | 'created' = 'full'): Role {
  const { lastUsed } = row;
  return {
    Path: row.path,
    RoleName: row.roleName,
    RoleId: row.roleId,
    Arn: roleArn(call.partition, row),
    CreateDate: new Date(row.createDate),
    AssumeRolePolicyDocument: encodeDocument(row.assumeRolePolicyDocument),
    ...(row.description !== undefined && detail !== 'created' && { Description: row.description }),
    ...(detail !== 'created' && { MaxSessionDuration: row.maxSessionDuration }),
    ...(detail !== 'listed' && { ...boundary(row.permissionsBoundaryArn), ...tags(row.tags) }),
    ...(detail === 'full' && {
      RoleLastUsed: lastUsed ? { LastUsedDate: new Date(lastUsed.date), Region: lastUsed.region } : {},
    }),
  };
}

export function describeInstanceProfile(call: Call, row: InstanceProfileRow, detail: Detail = 'full'): InstanceProfile {
  const roles = row.roleNames.flatMap((name) => call.tx.get('role', nameKey(row.accountId, name)) ?? []);
  return {
    Path: row.path,
    InstanceProfileName: row.instanceProfileName,
    InstanceProfileId: row.instanceProfileId,
    Arn: instanceProfileArn(call.partition, row),
    CreateDate: new Date(row.createDate),
    Roles: roles.map((role) => describeRole(call, role, 'listed')),
    ...(detail === 'full' && tags(row.tags)),
  };
}

/** The groups that a user is in. */
export function groupsOf(call: Call, user: UserRow): GroupRow[] {
  return call.tx
    .list('group', { accountId: user.accountId })
    .filter((group) => group.userNames.includes(user.userName));
}
