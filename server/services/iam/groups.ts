// Groups: users that share policies. A group is no principal and has no tags.

import type {
  AddUserToGroupRequest,
  CreateGroupRequest,
  CreateGroupResponse,
  DeleteGroupRequest,
  GetGroupRequest,
  GetGroupResponse,
  ListGroupsForUserRequest,
  ListGroupsForUserResponse,
  ListGroupsRequest,
  ListGroupsResponse,
  RemoveUserFromGroupRequest,
  UpdateGroupRequest,
} from '@aws-sdk/client-iam';
import { nameKey, newUniqueId, timestamp } from '../../identities.ts';
import { type Call, operation } from '../../service.ts';
import type { GroupRow } from '../../store/rows/iam.ts';
import { checkedName, checkedPath, checkedPathPrefix, page } from './checks.ts';
import { describeGroup, describeUser, findGroup, findUser, groupsOf, isNameTaken, placeOf } from './entities.ts';
import { deleteConflict, entityAlreadyExists, noSuchMember, quotaExceeded } from './errors.ts';
import { onGroup, onList, onUser } from './permissions.ts';

const groupsPerUser = 10;

function createGroup(call: Call, input: CreateGroupRequest): CreateGroupResponse {
  const groupName = checkedName('groupName', input.GroupName, 128);
  const path = checkedPath(input.Path);
  if (isNameTaken(call.tx, 'group', call.accountId, groupName)) throw entityAlreadyExists('group', groupName);
  const row: GroupRow = {
    id: nameKey(call.accountId, groupName),
    accountId: call.accountId,
    region: 'global',
    groupName,
    groupId: newUniqueId('AGPA'),
    path,
    createDate: timestamp(call.now),
    userNames: [],
    attachedPolicyArns: [],
    inlinePolicies: {},
  };
  call.tx.put('group', row);
  return { Group: describeGroup(call, row) };
}

/** The group and a page of its users. */
function getGroup(call: Call, input: GetGroupRequest): GetGroupResponse {
  const row = findGroup(call, input.GroupName);
  const members = row.userNames.flatMap((name) => call.tx.get('user', nameKey(row.accountId, name)) ?? []);
  const { items, end } = page(members, input, (user) => user.userName);
  return {
    Group: describeGroup(call, row),
    Users: items.map((user) => describeUser(call, user, 'listed')),
    ...end,
  };
}

function listGroups(call: Call, input: ListGroupsRequest): ListGroupsResponse {
  const prefix = checkedPathPrefix(input.PathPrefix);
  const rows = call.tx.list('group', { accountId: call.accountId }).filter((row) => row.path.startsWith(prefix));
  const { items, end } = page(rows, input, (row) => placeOf(row.groupName));
  return { Groups: items.map((row) => describeGroup(call, row)), ...end };
}

function listGroupsForUser(call: Call, input: ListGroupsForUserRequest): ListGroupsForUserResponse {
  const { items, end } = page(groupsOf(call, findUser(call, input.UserName)), input, (row) => placeOf(row.groupName));
  return { Groups: items.map((row) => describeGroup(call, row)), ...end };
}

function updateGroup(call: Call, input: UpdateGroupRequest): void {
  const row = findGroup(call, input.GroupName);
  const path = input.NewPath === undefined ? row.path : checkedPath(input.NewPath, 'newPath');
  const groupName =
    input.NewGroupName === undefined ? row.groupName : checkedName('newGroupName', input.NewGroupName, 128);
  const sameName = groupName.toLowerCase() === row.groupName.toLowerCase();
  if (!sameName && isNameTaken(call.tx, 'group', call.accountId, groupName)) {
    throw entityAlreadyExists('group', groupName);
  }
  if (groupName !== row.groupName) call.tx.delete('group', row.id);
  call.tx.put('group', { ...row, id: nameKey(call.accountId, groupName), groupName, path });
}

function deleteGroup(call: Call, input: DeleteGroupRequest): void {
  const row = findGroup(call, input.GroupName);
  if (row.userNames.length > 0) throw deleteConflict('members');
  if (row.attachedPolicyArns.length > 0) throw deleteConflict('attached-policies');
  if (Object.keys(row.inlinePolicies).length > 0) throw deleteConflict('inline-policies');
  call.tx.delete('group', row.id);
}

function addUserToGroup(call: Call, input: AddUserToGroupRequest): void {
  const group = findGroup(call, input.GroupName);
  const user = findUser(call, input.UserName);
  if (group.userNames.includes(user.userName)) return;
  if (groupsOf(call, user).length >= groupsPerUser) throw quotaExceeded('GroupsPerUser', groupsPerUser);
  call.tx.put('group', { ...group, userNames: [...group.userNames, user.userName] });
}

function removeUserFromGroup(call: Call, input: RemoveUserFromGroupRequest): void {
  const group = findGroup(call, input.GroupName);
  const user = findUser(call, input.UserName);
  if (!group.userNames.includes(user.userName)) {
    throw noSuchMember(`User ${user.userName} not in group ${group.groupName}`);
  }
  call.tx.put('group', { ...group, userNames: group.userNames.filter((name) => name !== user.userName) });
}

export const groups = {
  CreateGroup: operation<CreateGroupRequest, CreateGroupResponse>({ authorize: onGroup, run: createGroup }),
  GetGroup: operation<GetGroupRequest, GetGroupResponse>({ authorize: onGroup, run: getGroup, readOnly: true }),
  ListGroups: operation<ListGroupsRequest, ListGroupsResponse>({
    authorize: onList('group'),
    run: listGroups,
    readOnly: true,
  }),
  ListGroupsForUser: operation<ListGroupsForUserRequest, ListGroupsForUserResponse>({
    authorize: onUser,
    run: listGroupsForUser,
    readOnly: true,
  }),
  UpdateGroup: operation<UpdateGroupRequest, void>({ authorize: onGroup, run: updateGroup }),
  DeleteGroup: operation<DeleteGroupRequest, void>({ authorize: onGroup, run: deleteGroup }),
  AddUserToGroup: operation<AddUserToGroupRequest, void>({ authorize: onGroup, run: addUserToGroup }),
  RemoveUserFromGroup: operation<RemoveUserFromGroupRequest, void>({ authorize: onGroup, run: removeUserFromGroup }),
};
