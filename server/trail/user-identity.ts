// Who asked, as CloudTrail's records say it: `userIdentity` (L4).
// https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-event-reference-user-identity.html (read 2026-11-22)

import type { Principal } from '@postern/policy/types.ts';
import type { AccessKeyRow } from '../store/rows/iam.ts';
import type { Transaction } from '../store/store.ts';

export type UserIdentity = Readonly<Record<string, unknown>>;

const seconds = (iso: string) => `${iso.slice(0, 19)}Z`;

/** An unsigned request to a bucket. */
export const anonymousIdentity: UserIdentity = {
  type: 'AWSAccount',
  principalId: '',
  accountId: 'ANONYMOUS_PRINCIPAL',
};

/** Of each key the last one: most requests are signed by the same few. */
const texts = new WeakMap<AccessKeyRow, { readonly of: string; readonly text: string }>();

/**
 * As JSON, as the caller's own account sees it.
 * @param accessKey absent for a key that `--auth open` let in
 */
export function identityText(
  tx: Transaction,
  principal: Principal,
  accessKey: AccessKeyRow | undefined,
  accessKeyId: string | undefined,
): string {
  // Root has its account's alias as a name; a user's path may change.
  const of = (principal.type === 'root' && tx.get('account', principal.accountId)?.alias) || principal.arn;
  const known = accessKey && texts.get(accessKey);
  if (known?.of === of) return known.text;
  const text = JSON.stringify(identityOf(tx, principal, accessKey, accessKeyId));
  if (accessKey) texts.set(accessKey, { of, text });
  return text;
}

function identityOf(
  tx: Transaction,
  principal: Principal,
  accessKey: AccessKeyRow | undefined,
  accessKeyId: string | undefined,
): UserIdentity {
  const { type, userId, arn, accountId, userName } = principal;
  if (type === 'anonymous') return anonymousIdentity;
  const alias = type === 'root' ? tx.get('account', accountId)?.alias : undefined;
  const name = type === 'root' ? alias : type === 'user' ? userName : undefined;
  const context = accessKey && sessionContext(tx, principal, accessKey);
  return {
    type: types[type],
    principalId: userId,
    arn,
    accountId,
    ...(accessKeyId !== undefined && { accessKeyId }),
    ...(name !== undefined && { userName: name }),
    ...(context && { sessionContext: context }),
  };
}

const types = {
  root: 'Root',
  user: 'IAMUser',
  'role-session': 'AssumedRole',
  'federated-user': 'FederatedUser',
  service: 'AWSService',
} as const;

/** What another account, whose resource was asked for, is told of the caller. */
export function identityForOthers(principal: Principal): UserIdentity {
  return { type: 'AWSAccount', principalId: principal.userId, accountId: principal.accountId };
}

/** Of temporary keys: when they were made, from what, and how they came to their holder. */
function sessionContext(tx: Transaction, principal: Principal, accessKey: AccessKeyRow): object | undefined {
  const { owner } = accessKey;
  const attributes = {
    creationDate: seconds(accessKey.createDate),
    mfaAuthenticated: String(accessKey.mfaDate !== undefined),
  };
  switch (owner.kind) {
    case 'root':
    case 'user':
      return undefined;
    case 'session-token':
    case 'root-session':
      return { attributes };
    case 'role-session': {
      const sessionIssuer = {
        type: 'Role',
        principalId: owner.roleId,
        arn: principal.roleArn ?? '',
        accountId: accessKey.accountId,
        userName: owner.roleName,
      };
      const provider = owner.federatedProvider;
      return {
        sessionIssuer,
        ...(provider !== undefined && { webIdFederationData: { federatedProvider: provider, attributes: {} } }),
        attributes,
        ...(owner.sourceIdentity !== undefined && { sourceIdentity: owner.sourceIdentity }),
        ...(owner.instance && { ec2RoleDelivery: owner.instance.delivery }),
      };
    }
    case 'federated-user':
      return { sessionIssuer: issuerOf(tx, accessKey.accountId, owner.parent), attributes };
  }
}

/** The user, or root, whose GetFederationToken it was. */
function issuerOf(tx: Transaction, accountId: string, arn: string): object {
  const userName = /:user\/(?:.*\/)?([^/]+)$/.exec(arn)?.[1];
  if (userName === undefined) return { type: 'Root', principalId: accountId, arn, accountId };
  const principalId = tx.get('user', `${accountId}/${userName}`)?.userId ?? '';
  return { type: 'IAMUser', principalId, arn, accountId, userName };
}

/** Of AssumeRoleWithSAML and AssumeRoleWithWebIdentity, which nobody signs: the provider's name for the subject, as far as the token was read. */
export function identityOfToken(
  operation: string,
  output: Readonly<Record<string, unknown>> | undefined,
): UserIdentity {
  const text = (name: string) => output?.[name] as string | undefined;
  if (operation === 'AssumeRoleWithSAML') {
    const [provider, subject] = [text('NameQualifier'), text('Subject')];
    if (provider === undefined || subject === undefined) return { type: 'SAMLUser' };
    return {
      type: 'SAMLUser',
      principalId: `${provider}:${subject}`,
      userName: subject,
      identityProvider: provider,
    };
  }
  const [provider, subject] = [text('Provider'), text('SubjectFromWebIdentityToken')];
  if (provider === undefined || subject === undefined) return { type: 'WebIdentityUser' };
  // A provider of the account's own is named by its ARN, in records by its host.
  const identityProvider = provider.replace(/^arn:[^/]*:oidc-provider\//, '');
  return {
    type: 'WebIdentityUser',
    principalId: `${identityProvider}:${text('Audience') ?? ''}:${subject}`,
    userName: subject,
    identityProvider: provider,
  };
}
