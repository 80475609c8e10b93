// What a token of an identity provider outside AWS becomes: the trust policy is asked about its claims, and a session of the role begins. For
// OpenID Connect (web-identity.ts) and SAML (saml.ts), whose requests are not signed: the token is the proof.

import { parsePolicy } from '@postern/policy/document.ts';
import { evaluate } from '@postern/policy/evaluate.ts';
import type { Principal } from '@postern/policy/types.ts';
import { isClosed } from '../../accounts.ts';
import { requestContext } from '../../authorize/context.ts';
import { addOrganization, controlPolicies } from '../../authorize/control-policies.ts';
import { nameKey } from '../../identities.ts';
import { managedPolicyDocument } from '../../managed-policies.ts';
import type { Call } from '../../service.ts';
import type { SessionRow } from '../../sessions.ts';
import type { AccessKeyRow, RoleRow } from '../../store/rows/iam.ts';
import { accessDenied, validationError } from './errors.ts';
import { checkedSessionPolicies, managedDocument, mergeSessionTags, type SessionPolicies } from './session-inputs.ts';
import { checkedTokenSize, startSession } from './sessions.ts';

export type ClaimContext = Map<string, readonly string[]>;

/** What is true of the request itself, and who vouches. Keys in lower case. */
export function federatedContext(call: Call, providerArn: string): ClaimContext {
  return requestContext(call.tx, call).set('aws:federatedprovider', [providerArn]);
}

/** What the token's provider wants of the session. */
export interface Vouched {
  /** `sts:AssumeRoleWithSAML`: what the trust policy must allow. */
  readonly action: string;
  readonly roleArn: string;
  readonly roleAccountId: string;
  readonly roleName: string;
  readonly rolePath: string;
  readonly sessionName: string;
  readonly providerArn: string;
  readonly tags: Readonly<Record<string, string>>;
  readonly transitiveTagKeys: readonly string[];
  readonly sourceIdentity: string | undefined;
  readonly durationSeconds: number | undefined;
  /** The session ends by then, whatever was asked for. */
  readonly endsBy?: Date;
  readonly input: Parameters<typeof checkedSessionPolicies>[0] & {
    readonly MinimumSessionTokenSize?: number | undefined;
  };
  /** The condition keys of the token that the session's later requests have too. */
  readonly keptKeys: readonly string[];
}

/**
 * @param context the token's claims on top of `requestContext`
 * @throws AwsError AccessDenied: a role that is not there answers as one that does not trust the token
 */
export function startFederatedSession(
  call: Call,
  vouched: Vouched,
  context: ClaimContext,
): { session: SessionRow; role: RoleRow; policies: SessionPolicies } {
  const { sourceIdentity, tags: given, transitiveTagKeys: transitive } = vouched;
  const role = call.tx.get('role', nameKey(vouched.roleAccountId, vouched.roleName));
  if (!role || role.path !== vouched.rolePath || isClosed(call.tx, role.accountId)) throw notAuthorized(vouched.action);
  context.set('sts:rolesessionname', [vouched.sessionName]);
  context.set('aws:resourceaccount', [role.accountId]);
  addOrganization(call.tx, context, 'aws:resourceorg', role.accountId);
  const tagKeys = Object.keys(given);
  for (const [key, value] of Object.entries(given)) context.set(`aws:requesttag/${key.toLowerCase()}`, [value]);
  if (tagKeys.length > 0) context.set('aws:tagkeys', tagKeys);
  if (transitive.length > 0) context.set('sts:transitivetagkeys', transitive);
  if (sourceIdentity !== undefined) context.set('sts:sourceidentity', [sourceIdentity]);
  for (const [key, value] of Object.entries(role.tags)) context.set(`aws:resourcetag/${key.toLowerCase()}`, [value]);
  const further = [
    ...(tagKeys.length > 0 ? ['sts:TagSession'] : []),
    ...(sourceIdentity === undefined ? [] : ['sts:SetSourceIdentity']),
  ];
  for (const action of [vouched.action, ...further]) {
    if (!isTrusted(call, role, vouched, action, context)) throw notAuthorized(vouched.action);
  }
  const { tags, transitiveTagKeys } = mergeSessionTags(given, transitive, {});
  const policies = checkedSessionPolicies(
    vouched.input,
    managedDocument(call.tx, role.accountId, managedPolicyDocument),
    tags,
  );
  const claims = vouched.keptKeys.flatMap((key) => {
    const values = context.get(key);
    return values ? [[key, values] as const] : [];
  });
  const owner: AccessKeyRow['owner'] = {
    kind: 'role-session',
    roleName: role.roleName,
    roleId: role.roleId,
    sessionName: vouched.sessionName,
    sessionPolicies: policies.texts,
    sessionPolicyArns: policies.arns,
    tags,
    ...(transitiveTagKeys.length > 0 && { transitiveTagKeys }),
    ...(sourceIdentity !== undefined && { sourceIdentity }),
    federatedProvider: vouched.providerArn,
    ...(claims.length > 0 && { claims: Object.fromEntries(claims) }),
  };
  const seconds = checkedDuration(call, role, vouched);
  const leastTokenBytes = checkedTokenSize(vouched.input.MinimumSessionTokenSize);
  const session = startSession(call.tx, role.accountId, owner, call.now, seconds, leastTokenBytes);
  return { session, role, policies };
}

function checkedDuration(call: Call, role: RoleRow, { durationSeconds = 3600, endsBy }: Vouched): number {
  if (durationSeconds > role.maxSessionDuration) {
    throw validationError('The requested DurationSeconds exceeds the MaxSessionDuration set for this role.');
  }
  const left = endsBy === undefined ? durationSeconds : Math.floor((endsBy.getTime() - call.now.getTime()) / 1000);
  return Math.min(durationSeconds, left);
}

/** Asks the role's trust policy, and its organization's RCPs, whether whoever has the token may do that. */
function isTrusted(call: Call, role: RoleRow, vouched: Vouched, action: string, context: ClaimContext): boolean {
  const parsed = parsePolicy(role.assumeRolePolicyDocument, { kind: 'trust', maxSize: Number.POSITIVE_INFINITY });
  if (!parsed.ok) return false;
  const principal: Principal = {
    type: 'anonymous',
    accountId: 'anonymous',
    arn: vouched.providerArn,
    userId: '',
    federatedProvider: vouched.providerArn,
  };
  const request = { principal, action, resource: vouched.roleArn, resourceAccountId: role.accountId, context };
  const trust = { id: `trust policy of ${role.roleName}`, document: parsed.document };
  const policies = { identity: [], trust, ...controlPolicies(call.tx, principal, action, role.accountId) };
  return evaluate(request, policies).allowed;
}

function notAuthorized(action: string) {
  return accessDenied(`Not authorized to perform ${action}`);
}
