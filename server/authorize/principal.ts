// Who holds an access key? From its row to the principal that policies name.
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_variables.html#principaltable (read 2026-11-21)

import type { Principal } from '@postern/policy/types.ts';
import { isClosed } from '../accounts.ts';
import { assumedRoleArn, federatedUserArn, nameKey, parseRoleArn, roleArn, rootArn, userArn } from '../identities.ts';
import type { AccessKeyRow } from '../store/rows/iam.ts';
import type { Transaction } from '../store/store.ts';

/** An unsigned request (T6). */
export const anonymous: Principal = {
  type: 'anonymous',
  accountId: 'anonymous',
  arn: 'anonymous',
  userId: 'anonymous',
};

export function rootPrincipal(accountId: string, partition: string): Principal {
  return { type: 'root', accountId, arn: rootArn(partition, accountId), userId: accountId };
}

/**
 * @param accessKey the row that the request's signature names
 * @returns the caller, or undefined when the user that the key belonged to is gone, or its account closed (the key is dead then)
 */
export function principalOf(tx: Transaction, accessKey: AccessKeyRow, partition: string): Principal | undefined {
  const { accountId, owner } = accessKey;
  if (isClosed(tx, accountId)) return undefined;
  switch (owner.kind) {
    case 'root':
    case 'root-session':
      return rootPrincipal(accountId, partition);
    case 'user':
      return userPrincipal(tx, accountId, owner.userName, partition);
    case 'session-token':
      return owner.of === 'root'
        ? rootPrincipal(accountId, partition)
        : userPrincipal(tx, accountId, owner.of.userName, partition);
    case 'role-session': {
      const role = tx.get('role', nameKey(accountId, owner.roleName));
      const named = { accountId, path: role?.path ?? '/', roleName: owner.roleName };
      return {
        type: 'role-session',
        accountId,
        arn: assumedRoleArn(partition, accountId, owner.roleName, owner.sessionName),
        roleArn: roleArn(partition, named),
        userId: `${owner.roleId}:${owner.sessionName}`,
        tags: mergeTags(role?.tags, owner.tags),
      };
    }
    case 'federated-user': {
      const user = tx.get('user', nameKey(accountId, owner.parent.slice(owner.parent.lastIndexOf('/') + 1)));
      return {
        type: 'federated-user',
        accountId,
        arn: federatedUserArn(partition, accountId, owner.name),
        parentArn: owner.parent,
        userId: `${accountId}:${owner.name}`,
        // https://docs.aws.amazon.com/STS/latest/APIReference/API_GetFederationToken.html (read 2026-11-21): the session's own tags win over the user's.
        tags: mergeTags(user?.tags, owner.tags),
      };
    }
  }
}

type Tags = Readonly<Record<string, string>>;

/** A session's own tags win over those of whom it is of, whatever their case. */
function mergeTags(lasting: Tags = {}, own: Tags = {}): Tags {
  const taken = new Set(Object.keys(own).map((key) => key.toLowerCase()));
  return { ...Object.fromEntries(Object.entries(lasting).filter(([key]) => !taken.has(key.toLowerCase()))), ...own };
}

function userPrincipal(tx: Transaction, accountId: string, userName: string, partition: string): Principal | undefined {
  const user = tx.get('user', nameKey(accountId, userName));
  if (!user) return undefined;
  return {
    type: 'user',
    accountId,
    arn: userArn(partition, user),
    userId: user.userId,
    userName: user.userName,
    tags: user.tags,
  };
}

/** Is there such an account, user or role? For `Invalid principal in policy` (T4). Sessions and unique ids cannot be looked up. */
export function principalExists(tx: Transaction, name: string): boolean {
  const account = /^(?:arn:[\w-]+:iam::)?(\d{12})(?::root)?$/.exec(name)?.[1];
  // Accounts outside this cloud are AWS's to know; a person's policy may well name one.
  if (account !== undefined) return true;
  const role = parseRoleArn(name);
  if (role)
    return tx.get('role', nameKey(role.accountId, role.roleName))?.path === role.path || !isOurs(tx, role.accountId);
  const user = /^arn:[\w-]+:iam::(\d{12}):user(\/|\/.+\/)([\w+=,.@-]+)$/.exec(name);
  if (!user) return true;
  const [, accountId = '', path = '', userName = ''] = user;
  return tx.get('user', nameKey(accountId, userName))?.path === path || !isOurs(tx, accountId);
}

function isOurs(tx: Transaction, accountId: string): boolean {
  return tx.get('account', accountId) !== undefined;
}
