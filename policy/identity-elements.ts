// Are the names in a policy of IAM's own form right, and which mistake does IAM name first? Policies of users, groups and roles, session policies, SCPs.
// The order is over the whole document, not statement by statement: the old parser's own demands ("legacy parsing"), sids, that there are actions,
// resources, actions' names, that there are resources. As the public test suite of an emulator has it, whose authors say that they
// tried it on AWS; texts as in public logs. That a key twice is refused has no source: half a condition would vanish without a word.

import { isBase64, parseNumber } from './condition-values.ts';
import { arnParts } from './conditions.ts';
import { checkSidsDiffer, type Fail, type Json } from './document.ts';
import type { PolicyFailure, PolicyKind } from './document-errors.ts';
import { parseIpRange } from './ip-range.ts';
import type { Statement } from './types.ts';

/** @param items the statements as they are written */
export function checkIdentityElements(
  items: readonly Json[],
  statements: readonly Statement[],
  kind: PolicyKind,
  fail: Fail,
): PolicyFailure | undefined {
  const badResource = firstBadResource(statements, fail);
  const badDate = kind !== 'session' && !statements.every(datesAreDates);
  if (items.some(hasForeignEffect) || badDate || badResource === 'legacy') return fail('legacy');
  if (!statements.every((statement) => valuesFit(statement, kind))) return fail('shape');
  return (
    checkSidsDiffer(statements, fail) ??
    (statements.every(hasActions) ? undefined : fail('missing-action')) ??
    badResource ??
    firstBadAction(statements, fail) ??
    (statements.every(hasResources) ? undefined : fail('missing-resource'))
  );
}

/** `allow` is read as Allow by the new parser, and by the old one not at all. */
function hasForeignEffect(item: Json): boolean {
  const effect = typeof item === 'object' && item !== null && !Array.isArray(item) ? item.Effect : undefined;
  return effect !== 'Allow' && effect !== 'Deny';
}

const hasActions = ({ actions, notActions }: Statement) => (actions ?? notActions ?? []).length > 0;
const hasResources = ({ resources, notResources }: Statement) => (resources ?? notResources ?? []).length > 0;

// ---- values of conditions

/** What IAM wants of the values of an operator, besides dates. Recorded: that such a policy is malformed (2026-09); with which words was not. */
const VALUES: readonly (readonly [operator: RegExp, fits: (value: string) => boolean])[] = [
  [/^Binary/, isBase64],
  [/^Numeric/, (value) => parseNumber(value) !== undefined],
  [/^(?:Not)?IpAddress/, (value) => parseIpRange(value) !== undefined],
  // Of ARNs only texts without any likeness to one were tried there.
  [/^Arn/, (value) => value.startsWith('arn:') || /[*?]/.test(value)],
];

/** STS takes any text in a session policy, where it then matches nothing, except instead of bytes. */
function valuesFit({ conditions }: Statement, kind: PolicyKind): boolean {
  const wanted = kind === 'session' ? VALUES.slice(0, 1) : VALUES;
  return conditions.every(({ operator, values }) => {
    const base = operator.replace(/^For\w+:/, '');
    const fits = wanted.find(([pattern]) => pattern.test(base))?.[1];
    return !fits || values.every((value) => value.includes('${') || fits(value));
  });
}

// ---- dates

const mostSeconds = 9223372036854775807n;

function datesAreDates({ conditions }: Statement): boolean {
  return conditions.every(({ operator, values }) => !/^(?:For\w+:)?Date/.test(operator) || values.every(isDate));
}

/** Whole seconds since 1970, or parts of an ISO 8601 time; the years are those of Java. */
function isDate(value: string): boolean {
  const text = value.toLowerCase();
  if (!/[t-]/.test(text)) return /^\d+$/.test(text) && BigInt(text) <= mostSeconds;
  const [date = '', time = ''] = splitOnce(text, 't');
  const negative = date.startsWith('-');
  const [year = '', month, day, ...more] = (negative ? date.slice(1) : date).split('-');
  if (!within(negative ? `-${year}` : year, -292275054, 292278993) || more.length > 0) return false;
  if (month !== undefined && !within(month, 1, 12)) return false;
  if (day !== undefined && !within(day, 1, 31)) return false;
  return time === '' || isTime(time);
}

function isTime(time: string): boolean {
  const match = /^(\d{1,2})(?::(\d{1,2})(?::(\d{1,2})(?:\.\d{1,9})?)?)?(?:z|[+-](\d\d)(?::?(\d\d))?)?$/.exec(time);
  if (!match) return false;
  const [, hours, minutes, seconds, zoneHours, zoneMinutes] = match;
  return (
    within(hours, 0, 23) &&
    within(minutes ?? '0', 0, 59) &&
    within(seconds ?? '0', 0, 59) &&
    within(zoneHours ?? '0', 0, 23) &&
    within(zoneMinutes ?? '0', 0, 59)
  );
}

function splitOnce(text: string, separator: string): string[] {
  const at = text.indexOf(separator);
  return at < 0 ? [text] : [text.slice(0, at), text.slice(at + 1)];
}

function within(text: string | undefined, least: number, most: number): boolean {
  return text !== undefined && /^-?\d+$/.test(text) && Number(text) >= least && Number(text) <= most;
}

// ---- actions

function firstBadAction(statements: readonly Statement[], fail: Fail): PolicyFailure | undefined {
  for (const action of [
    ...statements.flatMap((one) => one.actions ?? []),
    ...statements.flatMap((one) => one.notActions ?? []),
  ]) {
    if (action === '*') continue;
    const [vendor = '', ...names] = action.split(':');
    if (names.length === 0) return fail('action', action);
    if (names.length > 1) return fail('action-colons', action);
    if (vendor !== '*' && !/^[A-Za-z0-9.-]*$/.test(vendor)) return fail('action-vendor', vendor);
  }
  return undefined;
}

// ---- resources

/** The first resource that is wrong by itself (of a list the first by the alphabet), or `legacy` when before it comes one that the old parser refuses. */
function firstBadResource(statements: readonly Statement[], fail: Fail): PolicyFailure | 'legacy' | undefined {
  let first: PolicyFailure | undefined;
  for (const list of [...statements.map((one) => one.resources), ...statements.map((one) => one.notResources)]) {
    const named = (list ?? []).filter((resource) => resource !== '*');
    for (const resource of [...named].sort()) first ??= checkResource(resource, fail);
    if (first === undefined && !named.every(isLegacyArn)) return 'legacy';
  }
  return first;
}

function isLegacyArn(resource: string): boolean {
  const parts = resource.split(':');
  return (parts.length >= 6 || !resource.includes('::')) && parts[2] !== '';
}

function checkResource(resource: string, fail: Fail): PolicyFailure | undefined {
  const parts = arnParts(resource);
  // A resource of stars alone is `*`.
  if (parts.length === 1) return /^\*+$/.test(resource) ? undefined : fail('resource', resource);
  const [, partition = '', service = '', region = '', account = '', name = ''] = parts;
  if (!/[*?]/.test(partition) && !/^aws(-[a-z]+)*$/.test(partition)) {
    const shown = [service, region, account, name].map((part, place) => (parts.length > place + 2 ? part : '*'));
    return fail('resource-partition', `arn:${partition}:${shown.join(':')}`);
  }
  if (parts.length < 3 || (/[*?]/.test(service) && parts.length > 3)) return fail('resource-vendor', resource);
  return checkKnownServices(resource, parts, service, region, name, fail);
}

const IAM_PATH =
  /^(?:\*|(?:user|federated-user|role|group|instance-profile|mfa|server-certificate|policy|sms-mfa|saml-provider|oidc-provider|report|access-report)\/)/;

/** Access points, jobs and the like have a region in their ARN, buckets and objects have none. */
const NAMED_BY_REGION =
  /^(accesspoint|access-grants|async-request|job|storage-lens|storage-lens-group|multiregionaccesspoint|\*)/;

/** What IAM knows of ARNs of its own and S3's. A part with a wildcard or a variable may stand for anything. */
function checkKnownServices(
  resource: string,
  parts: readonly string[],
  service: string,
  region: string,
  name: string,
  fail: Fail,
): PolicyFailure | undefined {
  if (parts.length < 6) return undefined;
  const named = region !== '' && !/^\*+$/.test(region);
  if (service === 's3' && named && !NAMED_BY_REGION.test(name)) return fail('s3-region', resource);
  if (service !== 'iam') return undefined;
  if (named) return fail('iam-region', resource);
  const open = /[*?]|\$\{/.exec(name)?.index ?? name.length;
  const fixed = name.slice(0, open);
  // A wildcard inside the kind (`r*`) can still become a right one.
  if (fixed.includes('/') && !IAM_PATH.test(name)) return fail('iam-path');
  if (open === name.length && name !== 'root' && !IAM_PATH.test(name)) return fail('iam-path');
  return undefined;
}
