// Which credentials does the metadata service give an instance? Those of its instance profile's role, when the role trusts EC2 (H5, E6).
// The session is named after the instance. One set per way of delivery (IMDSv1, v2), good for six hours and replaced an hour before it ends, so that there
// is always a fresh one at least five minutes before. Answers: https://docs.aws.amazon.com/IAM/latest/UserGuide/troubleshoot_iam-ec2.html (read 2026-11-20).

import { parsePolicy } from '@postern/policy/document.ts';
import { evaluate } from '@postern/policy/evaluate.ts';
import type { Principal } from '@postern/policy/types.ts';
import { nameKey, roleArn } from '../../identities.ts';
import type { SessionRow } from '../../sessions.ts';
import type { InstanceRow } from '../../store/rows/ec2.ts';
import type { AccessKeyRow, InstanceProfileRow, RoleRow } from '../../store/rows/iam.ts';
import type { Transaction } from '../../store/store.ts';
import { keepSession } from './sessions.ts';

const lifetimeSeconds = 6 * 60 * 60;
const replacedBeforeEndMs = 60 * 60 * 1000;

export type InstanceCredentials =
  /** No instance profile, or one without a role: the metadata has no `iam/security-credentials/` (404). */
  | { readonly kind: 'none' }
  /** A document that says why there are none: the metadata service answers it with status 200. */
  | { readonly kind: 'failed'; readonly roleName: string; readonly code: string; readonly message: string }
  | {
      readonly kind: 'issued';
      readonly roleName: string;
      readonly roleArn: string;
      readonly accountId: string;
      readonly region: string;
      readonly accessKeyId: string;
      readonly secretAccessKey: string;
      readonly token: string;
      /** ISO times without fractions, as the document prints them. */
      readonly lastUpdated: string;
      readonly expiration: string;
    };

/** `2026-11-21T08:00:00Z` */
function toSeconds(iso: string): string {
  return `${iso.slice(0, 19)}Z`;
}

/** The instance profile that an instance is associated with, if it still is the same one. */
export function instanceProfileOf(tx: Transaction, instance: InstanceRow): InstanceProfileRow | undefined {
  const association = instance.iamInstanceProfile;
  if (!association) return undefined;
  const match = /^arn:[\w-]+:iam::(\d{12}):instance-profile\/(?:.*\/)?([^/]+)$/.exec(association.arn);
  const [, accountId = '', name = ''] = match ?? [];
  const row = tx.get('instance-profile', nameKey(accountId, name));
  return row?.instanceProfileId === association.id ? row : undefined;
}

/** The role that an instance may have, by its profile: what `iam/security-credentials/` lists. */
export function instanceRoleOf(tx: Transaction, instance: InstanceRow): RoleRow | undefined {
  const profile = instanceProfileOf(tx, instance);
  const roleName = profile?.roleNames[0];
  return profile && roleName !== undefined ? tx.get('role', nameKey(profile.accountId, roleName)) : undefined;
}

/** Does the role's trust policy let EC2 of this partition assume it? */
function trustsEc2(role: RoleRow, instance: InstanceRow, partition: string): boolean {
  const parsed = parsePolicy(role.assumeRolePolicyDocument, { kind: 'trust', maxSize: Number.POSITIVE_INFINITY });
  if (!parsed.ok) return false;
  const arn = roleArn(partition, role);
  const context = new Map([
    ['aws:sourceaccount', [instance.accountId]],
    ['aws:sourcearn', [`arn:${partition}:ec2:${instance.region}:${instance.accountId}:instance/${instance.id}`]],
    ['aws:principalisawsservice', ['true']],
    ['sts:rolesessionname', [instance.id as string]],
  ]);
  return ['ec2.amazonaws.com', 'ec2.amazonaws.com.cn'].some((serviceName) => {
    const principal: Principal = {
      type: 'service',
      accountId: role.accountId,
      arn: serviceName,
      userId: serviceName,
      serviceName,
    };
    const request = { principal, action: 'sts:AssumeRole', resource: arn, resourceAccountId: role.accountId, context };
    return evaluate(request, { identity: [], trust: { id: arn, document: parsed.document } }).allowed;
  });
}

type Delivery = '1.0' | '2.0';

/** The set that was given out last and is good for long enough. */
function currentSession(
  tx: Transaction,
  role: RoleRow,
  instance: InstanceRow,
  privateIp: string,
  delivery: Delivery,
  now: Date,
): SessionRow | undefined {
  const atLeast = new Date(now.getTime() + replacedBeforeEndMs).toISOString();
  return tx
    .list('access-key', { accountId: role.accountId })
    .filter(
      ({ owner }: AccessKeyRow) =>
        owner.kind === 'role-session' &&
        owner.roleId === role.roleId &&
        owner.instance?.instanceId === instance.id &&
        owner.instance.privateIp === privateIp &&
        owner.instance.delivery === delivery,
    )
    .find((row): row is SessionRow => row.sessionToken !== undefined && (row.expiration ?? '') > atLeast);
}

/**
 * The credentials that `iam/security-credentials/ROLE` answers now. Makes a new set when there is none that lasts; otherwise writes nothing.
 * @param privateIp the address that the instance's primary interface has: aws:Ec2InstanceSourcePrivateIPv4
 * @param delivery the version of the metadata service that was asked: ec2:RoleDelivery
 */
export function issueInstanceCredentials(
  tx: Transaction,
  instance: InstanceRow,
  privateIp: string,
  now: Date,
  delivery: Delivery,
): InstanceCredentials {
  const association = instance.iamInstanceProfile;
  if (!association) return { kind: 'none' };
  const partition = association.arn.split(':')[1] ?? 'aws';
  const role = instanceRoleOf(tx, instance);
  if (!role) return { kind: 'none' };
  const { roleName } = role;
  if (!trustsEc2(role, instance, partition)) {
    return {
      kind: 'failed',
      roleName,
      code: 'AssumeRoleUnauthorizedAccess',
      message: `EC2 cannot assume the role ${roleName}. Please see documentation at https://docs.aws.amazon.com/IAM/latest/UserGuide/troubleshoot_iam-ec2.html#troubleshoot_iam-ec2_errors-info-doc.`,
    };
  }
  const session =
    currentSession(tx, role, instance, privateIp, delivery, now) ??
    keepSession(
      tx,
      role.accountId,
      {
        kind: 'role-session',
        roleName,
        roleId: role.roleId,
        sessionName: instance.id,
        sessionPolicies: [],
        sessionPolicyArns: [],
        tags: {},
        instance: { instanceId: instance.id, vpcId: instance.vpcId, privateIp, delivery },
      },
      now,
      lifetimeSeconds,
    );
  return {
    kind: 'issued',
    roleName,
    roleArn: roleArn(partition, role),
    accountId: role.accountId,
    region: instance.region,
    accessKeyId: session.id,
    secretAccessKey: session.secretAccessKey,
    token: session.sessionToken,
    lastUpdated: toSeconds(session.createDate),
    expiration: toSeconds(session.expiration),
  };
}
