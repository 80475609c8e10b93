// Is a parameter well formed? Names, paths, ARNs, tags and pages, in IAM's own words.
// Limits: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html (read 2026-11-20).

import { Constraints } from '../../constraints.ts';
import { invalidInput, quotaExceeded, validationError } from './errors.ts';

/** IAM leaves the offending value out of its messages. */
export function constraints(): Constraints {
  return new Constraints({ showValues: false });
}

export function required<T>(member: string, value: T | undefined): T {
  constraints().required(member, value).done();
  return value as T;
}

/** A friendly name: present, 1 to `most` characters of `[\w+=,.@-]`. */
export function checkedName(member: string, value: string | undefined, most: number): string {
  const name = required(member, value);
  constraints().length(member, name, 1, most).done();
  if (!/^[\w+=,.@-]+$/.test(name)) {
    throw validationError(
      `The specified value for ${member} is invalid. It must contain only alphanumeric characters and/or the following: +=,.@_-`,
    );
  }
  return name;
}

/** A path, `/` by default. */
export function checkedPath(value: string | undefined, member = 'path'): string {
  const path = value ?? '/';
  constraints().length(member, path, 1, 512).done();
  // Recorded: a delete character is refused, whatever the reference's pattern says.
  if (!/^(\/|\/[\u0021-\u007e]+\/)$/.test(path)) {
    throw validationError(
      `The specified value for ${member} is invalid. It must begin and end with / and contain only alphanumeric characters and/or / characters.`,
    );
  }
  return path;
}

/** A prefix of a path, for lists; it need not end with a slash. */
export function checkedPathPrefix(value: string | undefined): string {
  const prefix = value ?? '/';
  if (!/^\/[\u0021-\u007f]*$/.test(prefix) || prefix.length > 512) {
    throw validationError(
      'The specified value for pathPrefix is invalid. It must begin with / and contain only alphanumeric characters and/or / characters.',
    );
  }
  return prefix;
}

/** A managed policy's ARN, of any account and partition. */
export function checkedPolicyArn(value: string | undefined, member = 'policyArn'): string {
  const arn = required(member, value);
  constraints().length(member, arn, 20, 2048).done();
  const parts = arn.split(':');
  if (parts[0] !== 'arn' || parts.length < 6) throw validationError('Invalid ARN:  Could not be parsed!');
  if (!/^arn:[\w-]+:iam::(\d{12}|aws):policy\/[\u0021-\u007f]+$/.test(arn)) {
    throw validationError(`ARN ${arn} is not valid.`);
  }
  return arn;
}

const tagPattern = /^[\p{L}\p{Z}\p{N}_.:/=+\-@]+$/u;
const shownTagPattern = '[\\p{L}\\p{Z}\\p{N}_.:/=+\\-@]+';
const shownTagValuePattern = '[\\p{L}\\p{Z}\\p{N}_.:/=+\\-@]*';

interface InputTag {
  readonly Key?: string | undefined;
  readonly Value?: string | undefined;
}

/**
 * Are keys the same without case? Those of users and roles are; of all else in IAM `Team` and `team` are two
 * (https://docs.aws.amazon.com/IAM/latest/UserGuide/id_tags.html, and recorded, 2026-09).
 */
export type KeyCase = 'ignored' | 'kept';

const sameKey = (key: string, keyCase: KeyCase) => (keyCase === 'ignored' ? key.toLowerCase() : key);

/** Tags of one request as a record; at most 50, no key twice. */
export function checkedTags(tags: readonly InputTag[] | undefined, keyCase: KeyCase): Record<string, string> {
  const checks = constraints().count('tags', tags, 50);
  for (const [index, tag] of (tags ?? []).entries()) {
    const member = `tags.${index + 1}.member`;
    checks.required(`${member}.key`, tag.Key).length(`${member}.key`, tag.Key, 1, 128);
    checks.pattern(`${member}.key`, tag.Key, tagPattern, shownTagPattern);
    checks.required(`${member}.value`, tag.Value).length(`${member}.value`, tag.Value, 0, 256);
    if (tag.Value !== '') checks.pattern(`${member}.value`, tag.Value, tagPattern, shownTagValuePattern);
  }
  checks.done();
  const record: Record<string, string> = {};
  const seen = new Set<string>();
  for (const { Key = '', Value = '' } of tags ?? []) {
    if (Key.toLowerCase().startsWith('aws:')) {
      throw invalidInput('Tag keys beginning with aws: are reserved for system use.');
    }
    if (seen.has(sameKey(Key, keyCase))) {
      throw invalidInput('Duplicate tag keys found. Please note that Tag keys are case insensitive.');
    }
    seen.add(sameKey(Key, keyCase));
    record[Key] = Value;
  }
  return record;
}

/** What is left of `tags` with `added` on top; the new spelling of a key wins. @param quota AWS's name of the limit, for the error */
export function mergeTags(
  tags: Readonly<Record<string, string>>,
  added: Readonly<Record<string, string>>,
  keyCase: KeyCase,
  quota: string,
): Record<string, string> {
  const merged = withoutTags(tags, Object.keys(added), keyCase);
  Object.assign(merged, added);
  // Recorded is the code; the quota's name in the text has no source.
  if (Object.keys(merged).length > 50) throw quotaExceeded(quota, 50);
  return merged;
}

export function withoutTags(
  tags: Readonly<Record<string, string>>,
  keys: readonly string[],
  keyCase: KeyCase,
): Record<string, string> {
  const gone = new Set(keys.map((key) => sameKey(key, keyCase)));
  return Object.fromEntries(Object.entries(tags).filter(([key]) => !gone.has(sameKey(key, keyCase))));
}

export function checkedTagKeys(keys: readonly string[] | undefined): readonly string[] {
  const checks = constraints().required('tagKeys', keys).count('tagKeys', keys, 50);
  for (const [index, key] of (keys ?? []).entries()) {
    const member = `tagKeys.${index + 1}.member`;
    checks.length(member, key, 1, 128).pattern(member, key, tagPattern, shownTagPattern);
  }
  checks.done();
  return keys ?? [];
}

export function tagList(tags: Readonly<Record<string, string>>): { Key: string; Value: string }[] {
  return Object.entries(tags).map(([Key, Value]) => ({ Key, Value }));
}

interface PageInput {
  readonly Marker?: string | undefined;
  readonly MaxItems?: number | undefined;
}

export interface Page<T> {
  readonly items: readonly T[];
  readonly end: { IsTruncated: boolean; Marker?: string };
}

/**
 * One page of a list that is sorted by `keyOf` (unique, compared by code point). The marker names the last item that was given, so a list that
 * changes between two pages repeats and skips nothing that stays.
 */
export function page<T>(items: readonly T[], input: PageInput, keyOf: (item: T) => string): Page<T> {
  constraints().range('maxItems', input.MaxItems, 1, 1000).done();
  const sorted = [...items].sort((a, b) => (keyOf(a) < keyOf(b) ? -1 : keyOf(a) > keyOf(b) ? 1 : 0));
  const after = input.Marker === undefined ? undefined : readMarker(input.Marker);
  const rest = after === undefined ? sorted : sorted.filter((item) => keyOf(item) > after);
  const most = input.MaxItems ?? 100;
  const given = rest.slice(0, most);
  const last = given.at(-1);
  if (rest.length <= most || last === undefined) return { items: given, end: { IsTruncated: false } };
  return { items: given, end: { IsTruncated: true, Marker: writeMarker(keyOf(last)) } };
}

function writeMarker(key: string): string {
  return Buffer.from(`v1:${key}`).toString('base64');
}

function readMarker(marker: string): string {
  const key = keyOfMarker(marker);
  if (key === undefined) throw validationError('Invalid Marker.');
  return key;
}

/** @returns the key of the last item of the page before, or undefined when the text is no marker */
export function keyOfMarker(marker: string): string | undefined {
  const text = Buffer.from(marker, 'base64').toString();
  return text.startsWith('v1:') ? text.slice(3) : undefined;
}
