// Whose request would it be? The credentials that an instance has of its profile's role, or whoever is named, as the key that they would sign with.
// No key is made: the row is the one that STS or IAM would write, without a secret.

import { parsePolicy } from '@postern/policy/document.ts';
import { evaluate } from '@postern/policy/evaluate.ts';
import type { Principal } from '@postern/policy/types.ts';
import { anonymous, principalOf } from '../authorize/principal.ts';
import { nameKey, parseRoleArn, roleArn } from '../identities.ts';
import type { ChainLink } from '../operator/api.ts';
import { OperatorFailure } from '../operator/operator.ts';
import type { InstanceRow } from '../store/rows/ec2.ts';
import type { AccessKeyRow, RoleRow } from '../store/rows/iam.ts';
import type { Transaction } from '../store/store.ts';

export interface Caller {
  readonly principal: Principal;
  /** None of a caller without credentials. */
  readonly accessKey?: AccessKeyRow;
  /** How the caller comes by its credentials. */
  readonly link: ChainLink;
}

const partition = 'aws';
const stage = 'credentials';

/** @param as an ARN of a role, a session, a user or an account's root, an account, or `anonymous`   @throws OperatorFailure when there is no such one */
export function callerNamed(tx: Transaction, as: string, instance?: InstanceRow, privateIp = ''): Caller {
  if (as === 'anonymous')
    return { principal: anonymous, link: { stage, verdict: 'pass', because: 'none: the request is not signed' } };
  const session = /^arn:([\w-]+):sts::(\d{12}):assumed-role\/([\w+=,.@-]+)\/([\w+=,.@-]+)$/.exec(as);
  const role = session ? { accountId: session[2] ?? '', roleName: session[3] ?? '' } : parseRoleArn(as);
  if (role) {
    const row = tx.get('role', nameKey(role.accountId, role.roleName));
    if (!row) throw nobody(as, 'aws iam list-roles');
    return known(tx, sessionKey(row, session?.[4] ?? 'trace', instance, privateIp));
  }
  const user = /^arn:[\w-]+:iam::(\d{12}):user\/(?:.*\/)?([\w+=,.@-]+)$/.exec(as);
  if (user) {
    const [, accountId = '', userName = ''] = user;
    if (!tx.get('user', nameKey(accountId, userName))) throw nobody(as, 'aws iam list-users');
    return known(tx, key(accountId, { kind: 'user', userName }));
  }
  const accountId = /^(?:arn:[\w-]+:iam::)?(\d{12})(?::root)?$/.exec(as)?.[1];
  if (accountId === undefined || !tx.get('account', accountId)) throw nobody(as, 'postern account list');
  return known(tx, key(accountId, { kind: 'root' }));
}

/** With the credentials that the metadata service would hand out (H5); without any where it has none. */
export function callerOnInstance(
  tx: Transaction,
  instance: InstanceRow,
  privateIp: string,
): Caller | { readonly principal?: undefined; readonly link: ChainLink } {
  const profileArn = instance.iamInstanceProfile?.arn;
  const none = (because: string): { readonly link: ChainLink } => ({
    link: { stage, verdict: 'drop', component: instance.id, because },
  });
  if (profileArn === undefined) return none('it has no instance profile, so there are no credentials (see --as)');
  const [, accountId = '', name = ''] =
    /^arn:[\w-]+:iam::(\d{12}):instance-profile\/(?:.*\/)?([^/]+)$/.exec(profileArn) ?? [];
  const profile = tx.get('instance-profile', nameKey(accountId, name));
  const roleName = profile?.roleNames[0];
  const role = roleName === undefined ? undefined : tx.get('role', nameKey(accountId, roleName));
  if (role === undefined) return none(`its instance profile ${name} has no role, so there are no credentials`);
  if (!trustsEc2(role))
    return none(
      `the role ${role.roleName} of its profile does not trust ec2.amazonaws.com, so there are no credentials`,
    );
  const caller = known(tx, sessionKey(role, instance.id, instance, privateIp));
  return { ...caller, link: { ...caller.link, because: `the instance profile’s: role ${role.roleName}` } };
}

function trustsEc2(role: RoleRow): boolean {
  const parsed = parsePolicy(role.assumeRolePolicyDocument, { kind: 'trust', maxSize: Number.POSITIVE_INFINITY });
  if (!parsed.ok) return false;
  const serviceName = 'ec2.amazonaws.com';
  const { accountId } = role;
  const principal: Principal = { type: 'service', accountId, arn: serviceName, userId: serviceName, serviceName };
  const resource = roleArn(partition, role);
  const context = new Map([['aws:sourceaccount', [accountId]]]);
  const request = { principal, action: 'sts:AssumeRole', resource, resourceAccountId: accountId, context };
  return evaluate(request, { identity: [], trust: { id: resource, document: parsed.document } }).allowed;
}

function key(accountId: string, owner: AccessKeyRow['owner']): AccessKeyRow {
  const createDate = new Date(0).toISOString();
  return { id: '', accountId, region: 'global', secretAccessKey: '', status: 'Active', createDate, owner };
}

function sessionKey(
  role: RoleRow,
  sessionName: string,
  instance: InstanceRow | undefined,
  privateIp: string,
): AccessKeyRow {
  return {
    ...key(role.accountId, {
      kind: 'role-session',
      roleName: role.roleName,
      roleId: role.roleId,
      sessionName,
      sessionPolicies: [],
      sessionPolicyArns: [],
      tags: {},
      ...(instance && { instance: { instanceId: instance.id, vpcId: instance.vpcId, privateIp, delivery: '2.0' } }),
    }),
    createDate: new Date().toISOString(),
    // That there is one makes it a session's key.
    sessionToken: 'none',
  };
}

function known(tx: Transaction, accessKey: AccessKeyRow): Caller {
  const principal = principalOf(tx, accessKey, partition);
  if (!principal) throw nobody(accessKey.accountId, 'aws iam list-users');
  return { principal, accessKey, link: { stage, verdict: 'pass', because: principal.arn } };
}

function nobody(as: string, cure: string): OperatorFailure {
  return new OperatorFailure(404, `There is no ${as} to ask as.`, cure);
}
