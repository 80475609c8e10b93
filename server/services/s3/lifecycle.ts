// Does what lifecycle rules say, for a time that it is given: expires, transitions, cleans up. `index.ts` calls it by the hour, tests with a time of their own.
// https://docs.aws.amazon.com/AmazonS3/latest/userguide/lifecycle-expire-general-considerations.html (read 2026-11-21)
// Where rules disagree, expiry goes before transition and the shorter time before the longer. It runs in slices, each a transaction, so that calls come between.

import type { LifecycleRule } from '@aws-sdk/client-s3';
import type { BucketRow, DeleteMarkerRow, ObjectRow } from '../../store/rows/s3.ts';
import type { Store, Transaction } from '../../store/store.ts';
import { dueAfter, type Filter, filterOf, lifecycleOf, reaches } from './lifecycle-rules.ts';
import { objectId } from './names.ts';
import { isLocked } from './object-lock.ts';
import { allVersions, deleteKey, deleteVersion, isMarker, olderVersions, updateVersion } from './versions.ts';

const sliceKeys = 500;
/** Smaller objects are not worth a cheaper class: they stay, unless the bucket or the rule's own sizes say otherwise. */
const leastTransitionBytes = 128 * 1024;

interface Rule {
  readonly rule: LifecycleRule;
  readonly filter: Filter;
}

/** Rules that are enabled, with their filters read once. */
export function activeRules(bucket: BucketRow): Rule[] {
  return (lifecycleOf(bucket)?.Rules ?? [])
    .filter((rule) => rule.Status === 'Enabled')
    .map((rule) => ({ rule, filter: filterOf(rule) }));
}

/** When and by which rule a current version expires. */
export function expiryOf(
  rules: readonly Rule[],
  object: ObjectRow,
): { readonly at: Date; readonly ruleId: string } | undefined {
  let first: { at: Date; ruleId: string } | undefined;
  for (const { rule, filter } of rules) {
    const { Days, Date: date } = rule.Expiration ?? {};
    if ((Days === undefined && date === undefined) || !reaches(filter, object)) continue;
    const at = Days === undefined ? new Date(date ?? 0) : dueAfter(object.lastModified, Days);
    if (!first || at < first.at) first = { at, ruleId: rule.ID ?? '' };
  }
  return first;
}

/** The header that tells it: `expiry-date="…", rule-id="…"`. */
export function expirationMember(bucket: BucketRow, object: ObjectRow): { Expiration?: string } {
  if (bucket.configurations?.['lifecycle'] === undefined || object.noncurrentSince !== undefined) return {};
  const expiry = expiryOf(activeRules(bucket), object);
  return expiry
    ? { Expiration: `expiry-date="${expiry.at.toUTCString()}", rule-id="${encodeURIComponent(expiry.ruleId)}"` }
    : {};
}

/** Runs every bucket's rules. @returns how many objects, versions, markers and uploads it changed */
export async function runLifecycle(store: Store, now: Date): Promise<number> {
  let changed = 0;
  const names = store.read((tx) => tx.list('bucket').map((bucket) => bucket.id));
  for (const name of names) {
    const bucket = store.read((tx) => tx.get('bucket', name));
    if (bucket?.configurations?.['lifecycle'] === undefined) continue;
    const keys = store.read((tx) => keysOf(tx, name));
    for (let at = 0; at < keys.length; at += sliceKeys) {
      const slice = keys.slice(at, at + sliceKeys);
      changed += await inTransaction(store, name, (tx, current, rules) =>
        slice.reduce((sum, key) => sum + runOnKey(tx, current, rules, key, now), 0),
      );
    }
    changed += await inTransaction(store, name, (tx, current, rules) => abortUploads(tx, current, rules, now));
  }
  return changed;
}

async function inTransaction(
  store: Store,
  name: string,
  work: (tx: Transaction, bucket: BucketRow, rules: readonly Rule[]) => number,
): Promise<number> {
  const { value, durable } = store.transact((tx) => {
    // The bucket and its rules may have changed since the last slice.
    const bucket = tx.get('bucket', name);
    return bucket ? work(tx, bucket, activeRules(bucket)) : 0;
  });
  await durable;
  return value;
}

function keysOf(tx: Transaction, bucket: string): string[] {
  const keys = new Set<string>();
  for (const kind of ['object', 'object-version', 'delete-marker'] as const)
    for (const row of tx.list(kind)) if (row.bucket === bucket) keys.add(row.key);
  return [...keys];
}

function runOnKey(tx: Transaction, bucket: BucketRow, rules: readonly Rule[], key: string, now: Date): number {
  let changed = 0;
  const current = tx.get('object', objectId(bucket.id, key));
  if (current) {
    const expiry = expiryOf(rules, current);
    if (expiry && expiry.at <= now) {
      deleteKey(tx, bucket, key, now);
      changed += 1;
    } else changed += transition(tx, bucket, rules, current, now);
  }
  const older = olderVersions(tx, bucket.id, key).filter((row): row is ObjectRow => !isMarker(row));
  for (const [index, row] of older.entries()) {
    if (expiresNoncurrent(rules, row, index, now)) {
      if (isLocked(row, now)) continue;
      deleteVersion(tx, row);
      changed += 1;
    } else changed += transition(tx, bucket, rules, row, now);
  }
  const [only, ...others] = allVersions(tx, bucket.id, key);
  if (only && others.length === 0 && isMarker(only) && expiresMarker(rules, only, now)) {
    deleteVersion(tx, only);
    changed += 1;
  }
  return changed;
}

/** @param index of the version among the noncurrent ones, the newest first */
function expiresNoncurrent(rules: readonly Rule[], row: ObjectRow, index: number, now: Date): boolean {
  return rules.some(({ rule, filter }) => {
    const { NoncurrentDays: days, NewerNoncurrentVersions: kept = 0 } = rule.NoncurrentVersionExpiration ?? {};
    return (
      days !== undefined && index >= kept && reaches(filter, row) && dueAfter(row.noncurrentSince ?? '', days) <= now
    );
  });
}

/** A marker that hides nothing any more. */
function expiresMarker(rules: readonly Rule[], marker: DeleteMarkerRow, now: Date): boolean {
  return rules.some(({ rule, filter }) => {
    if (!marker.key.startsWith(filter.prefix) || filter.tags.length > 0) return false;
    const { ExpiredObjectDeleteMarker, Days } = rule.Expiration ?? {};
    return ExpiredObjectDeleteMarker === true || (Days !== undefined && dueAfter(marker.lastModified, Days) <= now);
  });
}

// A class is left only for a colder one.
const coldness = [
  'STANDARD',
  'REDUCED_REDUNDANCY',
  'STANDARD_IA',
  'INTELLIGENT_TIERING',
  'ONEZONE_IA',
  'GLACIER_IR',
  'GLACIER',
  'DEEP_ARCHIVE',
];

function transition(tx: Transaction, bucket: BucketRow, rules: readonly Rule[], row: ObjectRow, now: Date): number {
  let target = row.storageClass;
  for (const { rule, filter } of rules) {
    if (!reaches(filter, row) || !isWorthIt(bucket, filter, row)) continue;
    const due =
      row.noncurrentSince === undefined
        ? (rule.Transitions ?? [])
            .filter(({ Date: date, Days }) =>
              date === undefined ? dueAfter(row.lastModified, Days ?? 0) <= now : new Date(date) <= now,
            )
            .map((one) => one.StorageClass)
        : (rule.NoncurrentVersionTransitions ?? [])
            .filter((one) => dueAfter(row.noncurrentSince ?? '', one.NoncurrentDays ?? 0) <= now)
            .map((one) => one.StorageClass);
    for (const one of due) if (one && coldness.indexOf(one) > coldness.indexOf(target)) target = one;
  }
  if (target === row.storageClass) return 0;
  updateVersion(tx, { ...row, storageClass: target });
  return 1;
}

function isWorthIt(bucket: BucketRow, filter: Filter, row: ObjectRow): boolean {
  const sized = filter.largerThan >= 0 || Number.isFinite(filter.smallerThan);
  const all = lifecycleOf(bucket)?.TransitionDefaultMinimumObjectSize !== 'varies_by_storage_class';
  return sized || !all || row.sizeBytes >= leastTransitionBytes;
}

function abortUploads(tx: Transaction, bucket: BucketRow, rules: readonly Rule[], now: Date): number {
  let changed = 0;
  for (const upload of tx.list('upload')) {
    if (upload.bucket !== bucket.id) continue;
    const due = rules.some(({ rule, filter }) => {
      const days = rule.AbortIncompleteMultipartUpload?.DaysAfterInitiation;
      return days !== undefined && upload.key.startsWith(filter.prefix) && dueAfter(upload.initiated, days) <= now;
    });
    if (!due) continue;
    tx.delete('upload', upload.id);
    changed += 1;
  }
  return changed;
}
