// The versions of a key: which is current, what a write, a delete and the deletion of one version make of them. Rows in, rows out; no permissions, no locks.
// https://docs.aws.amazon.com/AmazonS3/latest/userguide/versioning-workflows.html (read 2026-11-21)
// The current version is a row of kind `object`, so that everything that knows nothing of versions reads and lists it; those that were are rows of kind
// `object-version`, delete markers of kind `delete-marker`. In a suspended bucket a write replaces the version `null`, whichever place it has.

import type { BucketRow, DeleteMarkerRow, ObjectRow } from '../../store/rows/s3.ts';
import type { Index, Transaction } from '../../store/store.ts';
import type { IndexedRows } from './key-index.ts';
import { newVersionId, objectId, versionRowId } from './names.ts';

export type VersionRow = ObjectRow | DeleteMarkerRow;

/** What the caller makes; place and version are given here. */
export type NewObject = Omit<ObjectRow, 'id' | 'accountId' | 'region' | 'bucket' | 'versionId' | 'serial'> & {
  /** The owner's; the bucket's unless given. */
  readonly accountId?: string;
};

const byKey = {
  'object-version': {
    kind: 'object-version',
    keyOf: (row) => objectId(row.bucket, row.key),
  } as Index<'object-version'>,
  'delete-marker': { kind: 'delete-marker', keyOf: (row) => objectId(row.bucket, row.key) } as Index<'delete-marker'>,
};

/** The keys that have versions besides the current one: listings of versions go through both. */
export const olderKeys: IndexedRows = {
  kinds: ['object-version', 'delete-marker'],
  remains: (tx, bucket, key) => olderVersions(tx, bucket, key).length > 0,
};

export function isMarker(row: VersionRow): row is DeleteMarkerRow {
  return 'deleteMarker' in row;
}

/** As the API writes it. */
export function versionIdOf(row: { readonly versionId?: string }): string {
  return row.versionId ?? 'null';
}

function serialOf(row: VersionRow | undefined): number {
  return row?.serial ?? 0;
}

/** Those that are not current, the latest first. */
export function olderVersions(tx: Transaction, bucket: string, key: string): VersionRow[] {
  const id = objectId(bucket, key);
  return [...tx.find(byKey['object-version'], id), ...tx.find(byKey['delete-marker'], id)].sort(
    (a, b) => serialOf(b) - serialOf(a),
  );
}

/** All of them, the latest first. */
export function allVersions(tx: Transaction, bucket: string, key: string): VersionRow[] {
  const current = tx.get('object', objectId(bucket, key));
  return [...(current ? [current] : []), ...olderVersions(tx, bucket, key)];
}

/** The current object, or the delete marker that hides the key. */
export function latestVersion(tx: Transaction, bucket: string, key: string): VersionRow | undefined {
  return tx.get('object', objectId(bucket, key)) ?? olderVersions(tx, bucket, key)[0];
}

/** @param versionId `null` or one that was given */
export function oneVersion(tx: Transaction, bucket: string, key: string, versionId: string): VersionRow | undefined {
  const current = tx.get('object', objectId(bucket, key));
  if (current && versionIdOf(current) === versionId) return current;
  const id = versionRowId(bucket, key, versionId);
  return tx.get('object-version', id) ?? tx.get('delete-marker', id);
}

/** Writes back a version whose tags, lock or list changed, wherever it is. */
export function updateVersion(tx: Transaction, row: ObjectRow): void {
  tx.put(row.noncurrentSince === undefined ? 'object' : 'object-version', row);
}

/** Makes an object the current version of its key. @returns its row */
export function placeObject(tx: Transaction, bucket: BucketRow, made: NewObject, now: Date): ObjectRow {
  const id = objectId(bucket.id, made.key);
  const accountId = made.accountId ?? bucket.accountId;
  const row: ObjectRow = { id, ...made, accountId, region: bucket.region, bucket: bucket.id };
  if (bucket.versioning !== undefined) Object.assign(row, makeRoom(tx, bucket, made.key, now));
  tx.put('object', row);
  return row;
}

/** Hides a key: a delete without a version. @returns the marker, or undefined where there are no versions and the object is simply gone */
export function deleteKey(tx: Transaction, bucket: BucketRow, key: string, now: Date): DeleteMarkerRow | undefined {
  const id = objectId(bucket.id, key);
  if (bucket.versioning === undefined) {
    if (tx.get('object', id)) tx.delete('object', id);
    return undefined;
  }
  const place = makeRoom(tx, bucket, key, now);
  if (tx.get('object', id)) tx.delete('object', id);
  const marker: DeleteMarkerRow = {
    id: versionRowId(bucket.id, key, place.versionId ?? 'null'),
    accountId: bucket.accountId,
    region: bucket.region,
    bucket: bucket.id,
    key,
    ...place,
    lastModified: now.toISOString(),
    deleteMarker: true,
  };
  tx.put('delete-marker', marker);
  return marker;
}

/** Deletes one version for good; when it was the latest, the one before becomes current. */
export function deleteVersion(tx: Transaction, row: VersionRow): void {
  const { bucket, key } = row;
  const current = tx.get('object', objectId(bucket, key));
  if (isMarker(row)) tx.delete('delete-marker', row.id);
  else if (row.noncurrentSince === undefined) tx.delete('object', row.id);
  else tx.delete('object-version', row.id);
  if (current && current.id !== row.id) return;
  const [next] = olderVersions(tx, bucket, key);
  if (!next || isMarker(next)) return;
  const { noncurrentSince: _, ...promoted } = next;
  tx.delete('object-version', next.id);
  tx.put('object', { ...promoted, id: objectId(bucket, key) });
}

/** Moves the current version aside, or drops the version `null` that the next one replaces. */
function makeRoom(
  tx: Transaction,
  bucket: BucketRow,
  key: string,
  now: Date,
): { readonly serial: number; readonly versionId?: string } {
  const current = tx.get('object', objectId(bucket.id, key));
  const older = olderVersions(tx, bucket.id, key);
  const serial = Math.max(serialOf(current), serialOf(older[0])) + 1;
  const replacesNull = bucket.versioning === 'Suspended';
  if (replacesNull) {
    const before = older.find((row) => row.versionId === undefined);
    if (before) tx.delete(isMarker(before) ? 'delete-marker' : 'object-version', before.id);
  }
  const since = now.toISOString();
  if (current && !(replacesNull && current.versionId === undefined))
    tx.put('object-version', {
      ...current,
      id: versionRowId(bucket.id, key, versionIdOf(current)),
      noncurrentSince: since,
    });
  const [hiding] = older;
  if (!current && hiding && isMarker(hiding) && tx.get('delete-marker', hiding.id))
    tx.put('delete-marker', { ...hiding, noncurrentSince: since });
  return { serial, ...(!replacesNull && { versionId: newVersionId(serial) }) };
}
