// Is a bucket policy public? T8, for block public access.
// https://docs.aws.amazon.com/AmazonS3/latest/userguide/access-control-block-public-access.html#access-control-block-public-access-policy-status
// (read 2026-11-21). A policy is public when some Allow is for everyone and no condition holds it to fixed values of one of the keys below.
// Like AWS's rule it looks at what is granted: a Deny beside it does not make a policy less public.

import { parseIpRange } from './ip-range.ts';
import type { Condition, PolicyDocument, Statement } from './types.ts';

const FIXED = (value: string) => !/[*?]|\$\{/.test(value);

/** Key → is this value narrow enough? */
const NARROWING: Readonly<Record<string, (value: string) => boolean>> = {
  'aws:principalarn': FIXED,
  'aws:principalaccount': FIXED,
  'aws:principalorgid': FIXED,
  'aws:principalorgpaths': FIXED,
  'aws:sourceip': isNarrowRange,
  'aws:sourcearn': FIXED,
  'aws:sourcevpc': FIXED,
  'aws:sourcevpce': FIXED,
  'aws:sourceowner': FIXED,
  'aws:sourceaccount': FIXED,
  // `AROLEID:*` is every session of a role and still counts as public.
  'aws:userid': FIXED,
  's3:x-amz-server-side-encryption-aws-kms-key-id': FIXED,
  's3:dataaccesspointarn': isFixedAccessPoint,
  's3:dataaccesspointaccount': FIXED,
};

/** Operators that hold a key to the listed values, and are false when it is absent. */
const HOLDING: ReadonlySet<string> = new Set([
  'StringEquals',
  'StringEqualsIgnoreCase',
  'StringLike',
  'ArnEquals',
  'ArnLike',
  'IpAddress',
  'ForAnyValue:StringEquals',
  'ForAnyValue:StringLike',
]);

/** @returns the first statement that makes the policy public, or undefined when it is not public */
export function publicStatement(document: PolicyDocument): Statement | undefined {
  return document.statements.find(
    (statement) => statement.effect === 'Allow' && isForEveryone(statement) && !isNarrowed(statement),
  );
}

export function isPublicPolicy(document: PolicyDocument): boolean {
  return publicStatement(document) !== undefined;
}

function isForEveryone(statement: Statement): boolean {
  return statement.notPrincipal !== undefined || statement.principal?.any === true;
}

function isNarrowed(statement: Statement): boolean {
  return statement.conditions.some(narrows);
}

function narrows(condition: Condition): boolean {
  if (!HOLDING.has(condition.operator)) return false;
  const key = condition.key.toLowerCase();
  const narrow = Object.hasOwn(NARROWING, key) ? NARROWING[key] : undefined;
  return narrow !== undefined && condition.values.length > 0 && condition.values.every(narrow);
}

/** Not wider than /8 for IPv4, /32 for IPv6. */
function isNarrowRange(value: string): boolean {
  const range = parseIpRange(value);
  return range !== undefined && range.prefixLength >= (range.version === 4 ? 8 : 32);
}

/** The access point's name may be a wildcard when its account is fixed. */
function isFixedAccessPoint(value: string): boolean {
  return FIXED(value.split(':').slice(0, 5).join(':'));
}
