// Is a policy document one that IAM would keep, and how does IAM give it back?
// The policy room says what is wrong and in which words; the sizes are IAM's: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html
// (read 2026-11-20), white space does not count.

import { POLICY_SIZE, parsePolicy, policyLength } from '@postern/policy/document.ts';
import { AwsError } from '../../errors.ts';
import { nameKey } from '../../identities.ts';
import type { Transaction } from '../../store/store.ts';
import { inlinePolicyTooLarge, quotaExceeded } from './errors.ts';

/** IAM answers documents percent-encoded as RFC 3986 says; encodeURIComponent leaves five characters more than that. */
export function encodeDocument(text: string): string {
  return encodeURIComponent(text).replace(/[!'()*]/g, (c) => `%${c.charCodeAt(0).toString(16).toUpperCase()}`);
}

/**
 * Checks a policy for users, groups and roles.
 * @param managed a managed policy has its own limit and must have version 2012-10-17
 * @throws AwsError MalformedPolicyDocument, LimitExceeded
 */
export function checkIdentityDocument(text: string, managed = false): void {
  const parsed = parsePolicy(text, { kind: 'identity', managed, maxSize: Number.POSITIVE_INFINITY });
  if (!parsed.ok) throw new AwsError(parsed.code, 400, parsed.message);
  if (managed && policyLength(text) > POLICY_SIZE.managedPolicy) {
    throw quotaExceeded('PolicySize', POLICY_SIZE.managedPolicy);
  }
}

const inlineLimits = {
  user: POLICY_SIZE.userInline,
  group: POLICY_SIZE.groupInline,
  role: POLICY_SIZE.roleInline,
} as const;

/** All inline policies of one entity together (documents only) have a size limit that cannot be raised. */
export function checkInlineSize(kind: keyof typeof inlineLimits, name: string, documents: readonly string[]): void {
  const total = documents.reduce((sum, text) => sum + policyLength(text), 0);
  if (total > inlineLimits[kind]) throw inlinePolicyTooLarge(inlineLimits[kind], kind, name);
}

/**
 * Checks a role's trust policy; whom it names must exist.
 * @param quotas 2048 is the default quota, and a request can raise it to 4096
 * @throws AwsError MalformedPolicyDocument, LimitExceeded
 */
export function checkTrustDocument(tx: Transaction, text: string, quotas: 'off' | 'aws'): void {
  const parsed = parsePolicy(text, {
    kind: 'trust',
    maxSize: Number.POSITIVE_INFINITY,
    principalExists: (name) => principalExists(tx, name),
  });
  if (!parsed.ok) throw new AwsError(parsed.code, 400, parsed.message);
  const limit = quotas === 'aws' ? POLICY_SIZE.trustPolicy : 2 * POLICY_SIZE.trustPolicy;
  if (policyLength(text) > limit) throw quotaExceeded('ACLSizePerRole', limit);
}

/**
 * Is there whom a trust policy names? Accounts, services and what lives in accounts that are not ours cannot be checked, and count as there;
 * so do unique ids and sessions.
 */
function principalExists(tx: Transaction, name: string): boolean {
  const match = /^arn:[\w-]+:iam::(\d{12}):(user|role)(\/|\/.+\/)([\w+=,.@-]+)$/.exec(name);
  if (!match) return true;
  const [, accountId = '', kind, path, named = ''] = match;
  if (!tx.get('account', accountId)) return true;
  return tx.get(kind === 'user' ? 'user' : 'role', nameKey(accountId, named))?.path === path;
}
