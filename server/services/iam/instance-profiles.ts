// Instance profiles: what lets an instance have a role. One role at most, and that quota cannot be raised.
// Deleting a profile that instances still use is allowed by AWS; their credentials then stop being renewed.

import type {
  AddRoleToInstanceProfileRequest,
  CreateInstanceProfileRequest,
  CreateInstanceProfileResponse,
  DeleteInstanceProfileRequest,
  GetInstanceProfileRequest,
  GetInstanceProfileResponse,
  ListInstanceProfilesForRoleRequest,
  ListInstanceProfilesForRoleResponse,
  ListInstanceProfilesRequest,
  ListInstanceProfilesResponse,
  RemoveRoleFromInstanceProfileRequest,
} from '@aws-sdk/client-iam';
import { nameKey, newUniqueId, roleArn, timestamp } from '../../identities.ts';
import { type Call, operation } from '../../service.ts';
import type { InstanceProfileRow } from '../../store/rows/iam.ts';
import { checkedName, checkedPath, checkedPathPrefix, checkedTags, page } from './checks.ts';
import { describeInstanceProfile, findInstanceProfile, findRole, isNameTaken, placeOf } from './entities.ts';
import { deleteConflict, entityAlreadyExists, noSuchEntity, quotaExceeded } from './errors.ts';
import { onInstanceProfile, onList, onRole } from './permissions.ts';

function createInstanceProfile(call: Call, input: CreateInstanceProfileRequest): CreateInstanceProfileResponse {
  const instanceProfileName = checkedName('instanceProfileName', input.InstanceProfileName, 128);
  const path = checkedPath(input.Path);
  const tags = checkedTags(input.Tags, 'kept');
  if (isNameTaken(call.tx, 'instance-profile', call.accountId, instanceProfileName)) {
    throw entityAlreadyExists('instance-profile', instanceProfileName);
  }
  const row: InstanceProfileRow = {
    id: nameKey(call.accountId, instanceProfileName),
    accountId: call.accountId,
    region: 'global',
    instanceProfileName,
    instanceProfileId: newUniqueId('AIPA'),
    path,
    createDate: timestamp(call.now),
    roleNames: [],
    tags,
  };
  call.tx.put('instance-profile', row);
  return { InstanceProfile: describeInstanceProfile(call, row) };
}

function getInstanceProfile(call: Call, input: GetInstanceProfileRequest): GetInstanceProfileResponse {
  return { InstanceProfile: describeInstanceProfile(call, findInstanceProfile(call, input.InstanceProfileName)) };
}

function listInstanceProfiles(call: Call, input: ListInstanceProfilesRequest): ListInstanceProfilesResponse {
  const prefix = checkedPathPrefix(input.PathPrefix);
  const all = call.tx.list('instance-profile', { accountId: call.accountId });
  const rows = all.filter((row) => row.path.startsWith(prefix));
  const { items, end } = page(rows, input, (row) => placeOf(row.instanceProfileName));
  return { InstanceProfiles: items.map((row) => describeInstanceProfile(call, row, 'listed')), ...end };
}

function listInstanceProfilesForRole(
  call: Call,
  input: ListInstanceProfilesForRoleRequest,
): ListInstanceProfilesForRoleResponse {
  const role = findRole(call, input.RoleName);
  const all = call.tx.list('instance-profile', { accountId: call.accountId });
  const rows = all.filter((row) => row.roleNames.includes(role.roleName));
  const { items, end } = page(rows, input, (row) => placeOf(row.instanceProfileName));
  return { InstanceProfiles: items.map((row) => describeInstanceProfile(call, row, 'listed')), ...end };
}

/** The caller hands the role to EC2, so it must be allowed to pass it. */
function addRole(call: Call, input: AddRoleToInstanceProfileRequest): void {
  const row = findInstanceProfile(call, input.InstanceProfileName);
  const role = findRole(call, input.RoleName);
  const passedTo = call.partition === 'aws-cn' ? 'ec2.amazonaws.com.cn' : 'ec2.amazonaws.com';
  call.require(call.tx, 'iam:PassRole', roleArn(call.partition, role), { 'iam:PassedToService': [passedTo] });
  if (row.roleNames.length > 0) throw quotaExceeded('InstanceSessionsPerInstanceProfile', 1);
  call.tx.put('instance-profile', { ...row, roleNames: [role.roleName] });
}

function removeRole(call: Call, input: RemoveRoleFromInstanceProfileRequest): void {
  const row = findInstanceProfile(call, input.InstanceProfileName);
  const roleName = checkedName('roleName', input.RoleName, 64);
  if (!row.roleNames.includes(roleName)) throw noSuchEntity('role', roleName);
  call.tx.put('instance-profile', { ...row, roleNames: row.roleNames.filter((name) => name !== roleName) });
}

function deleteInstanceProfile(call: Call, input: DeleteInstanceProfileRequest): void {
  const row = findInstanceProfile(call, input.InstanceProfileName);
  if (row.roleNames.length > 0) throw deleteConflict('instance-profiles');
  call.tx.delete('instance-profile', row.id);
}

export const instanceProfiles = {
  CreateInstanceProfile: operation<CreateInstanceProfileRequest, CreateInstanceProfileResponse>({
    authorize: onInstanceProfile,
    run: createInstanceProfile,
  }),
  GetInstanceProfile: operation<GetInstanceProfileRequest, GetInstanceProfileResponse>({
    authorize: onInstanceProfile,
    run: getInstanceProfile,
    readOnly: true,
  }),
  ListInstanceProfiles: operation<ListInstanceProfilesRequest, ListInstanceProfilesResponse>({
    authorize: onList('instance-profile'),
    run: listInstanceProfiles,
    readOnly: true,
  }),
  ListInstanceProfilesForRole: operation<ListInstanceProfilesForRoleRequest, ListInstanceProfilesForRoleResponse>({
    authorize: onRole,
    run: listInstanceProfilesForRole,
    readOnly: true,
  }),
  AddRoleToInstanceProfile: operation<AddRoleToInstanceProfileRequest, void>({
    authorize: onInstanceProfile,
    run: addRole,
  }),
  RemoveRoleFromInstanceProfile: operation<RemoveRoleFromInstanceProfileRequest, void>({
    authorize: onInstanceProfile,
    run: removeRole,
  }),
  DeleteInstanceProfile: operation<DeleteInstanceProfileRequest, void>({
    authorize: onInstanceProfile,
    run: deleteInstanceProfile,
  }),
};
