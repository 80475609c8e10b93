// Users: people and programs with long-term keys.
// Order of DeleteUser's checks follows what public logs show: groups, policies, keys; MFA devices before keys was recorded on AWS. That of the rest is unsourced.

import type {
  CreateUserRequest,
  CreateUserResponse,
  DeleteUserRequest,
  GetUserRequest,
  GetUserResponse,
  ListUsersRequest,
  ListUsersResponse,
  UpdateUserRequest,
} from '@aws-sdk/client-iam';
import { nameKey, newUniqueId, rootArn, timestamp } from '../../identities.ts';
import { type Call, operation } from '../../service.ts';
import type { UserRow } from '../../store/rows/iam.ts';
import { checkBoundary } from './boundaries.ts';
import { checkedName, checkedPath, checkedPathPrefix, checkedTags, page } from './checks.ts';
import { describeUser, findUser, groupsOf, isNameTaken, placeOf } from './entities.ts';
import { deleteConflict, entityAlreadyExists } from './errors.ts';
import { mfaDevicesOf } from './mfa-devices.ts';
import { onList, onUser, onUserOrSelf, subjectUserName } from './permissions.ts';
import { forgetPrincipal, renamePrincipal } from './principals-in-policies.ts';
import { credentialsOf } from './user-credentials.ts';

function createUser(call: Call, input: CreateUserRequest): CreateUserResponse {
  const userName = checkedName('userName', input.UserName, 64);
  const path = checkedPath(input.Path);
  const tags = checkedTags(input.Tags, 'ignored');
  if (isNameTaken(call.tx, 'user', call.accountId, userName)) throw entityAlreadyExists('user', userName);
  const permissionsBoundaryArn = checkBoundary(call, input.PermissionsBoundary);
  const row: UserRow = {
    id: nameKey(call.accountId, userName),
    accountId: call.accountId,
    region: 'global',
    userName,
    userId: newUniqueId('AIDA'),
    path,
    createDate: timestamp(call.now),
    attachedPolicyArns: [],
    inlinePolicies: {},
    ...(permissionsBoundaryArn !== undefined && { permissionsBoundaryArn }),
    tags,
  };
  call.tx.put('user', row);
  return { User: describeUser(call, row) };
}

function getUser(call: Call, input: GetUserRequest): GetUserResponse {
  const userName = subjectUserName(call, input.UserName);
  if (userName !== undefined) return { User: describeUser(call, findUser(call, userName)) };
  const account = call.tx.get('account', call.accountId);
  return {
    User: {
      // Root has neither path nor name.
      Path: undefined,
      UserName: undefined,
      UserId: call.accountId,
      Arn: rootArn(call.partition, call.accountId),
      CreateDate: account ? new Date(account.createdAt) : call.now,
    },
  };
}

function listUsers(call: Call, input: ListUsersRequest): ListUsersResponse {
  const prefix = checkedPathPrefix(input.PathPrefix);
  const rows = call.tx.list('user', { accountId: call.accountId }).filter((row) => row.path.startsWith(prefix));
  const { items, end } = page(rows, input, (row) => placeOf(row.userName));
  return { Users: items.map((row) => describeUser(call, row, 'listed')), ...end };
}

function updateUser(call: Call, input: UpdateUserRequest): void {
  const row = findUser(call, input.UserName);
  const path = input.NewPath === undefined ? row.path : checkedPath(input.NewPath, 'newPath');
  const userName = input.NewUserName === undefined ? row.userName : checkedName('newUserName', input.NewUserName, 64);
  const sameName = userName.toLowerCase() === row.userName.toLowerCase();
  if (!sameName && isNameTaken(call.tx, 'user', call.accountId, userName)) throw entityAlreadyExists('user', userName);
  if (userName !== row.userName) renameUser(call, row, userName);
  const renamed: UserRow = { ...row, id: nameKey(call.accountId, userName), userName, path };
  call.tx.put('user', renamed);
  if (userName !== row.userName || path !== row.path) renamePrincipal(call.tx, row, renamed);
}

/** Groups and keys name their user, so they follow. */
function renameUser(call: Call, row: UserRow, userName: string): void {
  call.tx.delete('user', row.id);
  for (const group of groupsOf(call, row)) {
    const userNames = group.userNames.map((name) => (name === row.userName ? userName : name));
    call.tx.put('group', { ...group, userNames });
  }
  for (const key of call.tx.list('access-key', { accountId: row.accountId })) {
    const { owner } = key;
    if (owner.kind === 'user' && owner.userName === row.userName) {
      call.tx.put('access-key', { ...key, owner: { kind: 'user', userName } });
    }
    if (owner.kind === 'session-token' && owner.of !== 'root' && owner.of.userName === row.userName) {
      call.tx.put('access-key', { ...key, owner: { kind: 'session-token', of: { userName } } });
    }
  }
}

function deleteUser(call: Call, input: DeleteUserRequest): void {
  const row = findUser(call, input.UserName);
  if (groupsOf(call, row).length > 0) throw deleteConflict('members');
  if (row.attachedPolicyArns.length > 0) throw deleteConflict('attached-policies');
  if (Object.keys(row.inlinePolicies).length > 0) throw deleteConflict('inline-policies');
  if (mfaDevicesOf(call, row.userId).length > 0) throw deleteConflict('mfa-devices');
  const keys = call.tx.list('access-key', { accountId: row.accountId });
  if (keys.some(({ owner }) => owner.kind === 'user' && owner.userName === row.userName)) {
    throw deleteConflict('access-keys');
  }
  if (call.tx.get('login-profile', row.userId)) throw deleteConflict('login-profile');
  if (credentialsOf(call, 'signing-certificate', row.userId).length > 0) throw deleteConflict('signing-certificates');
  if (credentialsOf(call, 'ssh-public-key', row.userId).length > 0) throw deleteConflict('references');
  if (credentialsOf(call, 'service-credential', row.userId).length > 0) throw deleteConflict('references');
  // Sessions of the user end with it.
  for (const { id, owner } of keys) {
    if (owner.kind === 'session-token' && owner.of !== 'root' && owner.of.userName === row.userName) {
      call.tx.delete('access-key', id);
    }
  }
  call.tx.delete('user', row.id);
  forgetPrincipal(call.tx, { kind: 'user', row });
}

export const users = {
  CreateUser: operation<CreateUserRequest, CreateUserResponse>({ authorize: onUser, run: createUser }),
  GetUser: operation<GetUserRequest, GetUserResponse>({ authorize: onUserOrSelf, run: getUser, readOnly: true }),
  ListUsers: operation<ListUsersRequest, ListUsersResponse>({
    authorize: onList('user'),
    run: listUsers,
    readOnly: true,
  }),
  UpdateUser: operation<UpdateUserRequest, void>({ authorize: onUser, run: updateUser }),
  DeleteUser: operation<DeleteUserRequest, void>({ authorize: onUser, run: deleteUser }),
};
