// Do the Action, Resource and Principal elements of a statement fit a request? Rules M1–M4.
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements.html (read 2026-11-21)

import { compileGlob, compilePattern, type Lookup } from './pattern.ts';
import type { Principal, PrincipalElement } from './types.ts';

/** @returns a matcher that takes the action in lower case: prefix and name have no case (M1) */
export function compileActions(patterns: readonly string[]): (lowerCaseAction: string) => boolean {
  const globs = patterns.map((pattern) => compileGlob(pattern.toLowerCase()));
  const one = globs.length === 1 ? globs[0] : undefined;
  return one ?? ((action) => globs.some((glob) => glob(action)));
}

/**
 * @param variables true in a document of version 2012-10-17
 * @returns a matcher for a resource's ARN, with case (M2). `*` reaches over `/` and `:`. An action without a resource is asked with `*`,
 *   which only a pattern of stars fits. A variable may stand anywhere: AWS's guide wants it behind the fifth colon, and its own managed policies have it
 *   in front, which works (recorded on AWS, 2026-09)
 */
export function compileResources(
  patterns: readonly string[],
  variables: boolean,
): (resource: string, lookup: Lookup) => boolean {
  const matchers = patterns.map((pattern) => compilePattern(completeArn(pattern), { variables, wildcards: true }));
  const one = matchers.length === 1 ? matchers[0] : undefined;
  return one ?? ((resource, lookup) => matchers.some((matcher) => matcher(resource, lookup)));
}

/** An ARN with fewer than six parts is completed with wildcards, as IAM does: `arn:aws:sqs` means every queue. */
function completeArn(pattern: string): string {
  if (!pattern.startsWith('arn:') || pattern.includes('${')) return pattern;
  return pattern.split(':').length < 6 ? `${pattern}:*` : pattern;
}

/**
 * How a Principal element came to name a caller: what an Allow there overrides depends on it (E1, the table of 7.1).
 * From the widest to the narrowest.
 */
export type PrincipalMatch = 'account' | 'role' | 'any' | 'exact';

/**
 * `resource`: an account stands for everyone in it. `endpoint`: an account stands for its root user only (W10).
 */
export type PrincipalReading = 'resource' | 'endpoint';

/** @returns the strongest way in which the element names the caller, or undefined when it does not */
export function matchPrincipal(
  element: PrincipalElement,
  principal: Principal,
  reading: PrincipalReading,
): PrincipalMatch | undefined {
  let found: PrincipalMatch | undefined;
  for (const name of element.aws) {
    const match = matchAws(name, principal, reading);
    if (match === 'exact') return 'exact';
    if (match && (found === undefined || RANK[match] > RANK[found])) found = match;
  }
  if (principal.serviceName !== undefined && element.service.includes(principal.serviceName)) return 'exact';
  if (principal.federatedProvider !== undefined && element.federated.includes(principal.federatedProvider))
    return 'exact';
  if (principal.canonicalUserId !== undefined && element.canonicalUser.includes(principal.canonicalUserId)) {
    return principal.type === 'root' ? 'exact' : (found ?? 'account');
  }
  return element.any ? strongest(found, 'any') : found;
}

const RANK: Readonly<Record<PrincipalMatch, number>> = { account: 0, role: 1, any: 2, exact: 3 };

function strongest(one: PrincipalMatch | undefined, other: PrincipalMatch): PrincipalMatch {
  return one !== undefined && RANK[one] > RANK[other] ? one : other;
}

function matchAws(name: string, principal: Principal, reading: PrincipalReading): PrincipalMatch | undefined {
  if (name === '*') return 'any';
  if (principal.type === 'anonymous' || principal.type === 'service') return undefined;
  if (name === principal.arn) return principal.type === 'root' ? 'account' : 'exact';
  if (principal.roleArn !== undefined && name === principal.roleArn) return 'role';
  if (principal.parentArn !== undefined && name === principal.parentArn)
    return name.endsWith(':root') ? 'account' : 'role';
  if (accountOf(name) === principal.accountId) {
    return reading === 'resource' || principal.type === 'root' ? 'account' : undefined;
  }
  // A deleted principal's ARN turns into its unique id (M3); a live one may be named by it too.
  if (name === principal.userId) return 'exact';
  if (principal.type === 'role-session' && principal.userId.startsWith(`${name}:`)) return 'role';
  return undefined;
}

/** The account that `123456789012` or `arn:aws:iam::123456789012:root` stands for. */
export function accountOf(name: string): string | undefined {
  const match = /^(?:(\d{12})|arn:[a-z0-9-]+:iam::(\d{12}):root)$/.exec(name);
  return match?.[1] ?? match?.[2];
}

/**
 * Does NotPrincipal spare the caller? Every form of the caller must be listed: the account, for a role the role and the session too.
 * A caller with a permissions boundary is never spared (M4).
 */
export function notPrincipalSpares(element: PrincipalElement, principal: Principal, hasBoundary: boolean): boolean {
  if (element.any) return true;
  if (principal.type === 'service') {
    return principal.serviceName !== undefined && element.service.includes(principal.serviceName);
  }
  if (principal.type === 'anonymous' || hasBoundary) return false;
  if (!element.aws.some((name) => accountOf(name) === principal.accountId)) return false;
  if (principal.type === 'root') return true;
  const listed = (arn: string) => element.aws.includes(arn);
  if (principal.type === 'role-session') {
    return principal.roleArn !== undefined && listed(principal.roleArn) && listed(principal.arn);
  }
  return listed(principal.arn) || listed(principal.userId);
}
