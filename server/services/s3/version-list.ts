// ListObjectVersions: every version and delete marker, keys in UTF-8 order and the versions of a key from the latest on.
// https://docs.aws.amazon.com/AmazonS3/latest/API/API_ListObjectVersions.html (read 2026-11-21)
// In a bucket without versions each object is its own latest version `null`: tools that empty a bucket ask for it.

import type { ListObjectVersionsOutput, ListObjectVersionsRequest } from '@aws-sdk/client-s3';
import { type Call, type Operation, operation } from '../../service.ts';
import type { BucketRow } from '../../store/rows/s3.ts';
import { onBucket, requireBucket } from './access.ts';
import { invalidArgument } from './errors.ts';
import { afterPrefix, type Cursor, keyOfSortable, sortableKey } from './key-index.ts';
import { encoder, listContext, maxKeysOf, restoredAtOf, shared, startFor, summary } from './list.ts';
import { canonicalUserId, isVersionId, serialOfVersionId } from './names.ts';
import { wholeSeconds } from './objects.ts';
import type { S3 } from './state.ts';
import { allVersions, isMarker, type VersionRow, versionIdOf } from './versions.ts';

/** Two ascending sets read as one. */
function merged(a: Cursor, b: Cursor): Cursor {
  let [first, second] = [a.next(), b.next()];
  return {
    next() {
      const least = second === undefined || (first !== undefined && first <= second) ? first : second;
      if (first === least) first = a.next();
      if (second === least) second = b.next();
      return least;
    },
  };
}

interface Entry {
  readonly row: VersionRow;
  readonly isLatest: boolean;
}

interface Page {
  readonly entries: Entry[];
  readonly prefixes: string[];
  readonly isTruncated: boolean;
  readonly next: { readonly key: string; readonly versionId?: string } | undefined;
}

/** Where the versions after a marker begin; one that is deleted by now still has its place (recorded). */
function firstAfter(versions: readonly VersionRow[], marker: string): number {
  const at = versions.findIndex((row) => versionIdOf(row) === marker);
  if (at >= 0) return at + 1;
  const serial = marker === 'null' ? 0 : serialOfVersionId(marker);
  const older = versions.findIndex((row) => (row.serial ?? 0) < serial);
  return older < 0 ? versions.length : older;
}

function pageOf(s3: S3, call: Call, bucket: BucketRow, input: ListObjectVersionsRequest, most: number): Page {
  const prefix = sortableKey(input.Prefix ?? '');
  const delimiter = sortableKey(input.Delimiter ?? '');
  const { KeyMarker: keyMarker = '', VersionIdMarker: versionMarker } = input;
  const entries: Entry[] = [];
  const prefixes: string[] = [];
  let last: Page['next'];
  const end = (isTruncated: boolean): Page => ({
    entries,
    prefixes,
    isTruncated,
    next: isTruncated ? last : undefined,
  });
  if (most === 0) return end(false);
  const from = (text: string) => merged(s3.keys.of(bucket.id).from(text), s3.older.of(bucket.id).from(text));
  const take = (key: string, versions: readonly VersionRow[], offset: number): boolean => {
    for (const [index, row] of versions.entries()) {
      if (entries.length + prefixes.length === most) return false;
      entries.push({ row, isLatest: offset + index === 0 });
      last = { key, versionId: versionIdOf(row) };
    }
    return true;
  };
  if (versionMarker && keyMarker.startsWith(input.Prefix ?? '')) {
    const versions = allVersions(call.tx, bucket.id, keyMarker);
    const after = firstAfter(versions, versionMarker);
    if (!take(keyMarker, versions.slice(after), after)) return end(true);
  }
  let reading = from(startFor(prefix, delimiter, sortableKey(keyMarker)) ?? prefix);
  for (;;) {
    const sorted = reading.next();
    if (sorted === undefined || !sorted.startsWith(prefix)) return end(false);
    if (entries.length + prefixes.length === most) return end(true);
    const cut = delimiter === '' ? -1 : sorted.indexOf(delimiter, prefix.length);
    if (cut < 0) {
      const key = keyOfSortable(sorted);
      if (!take(key, allVersions(call.tx, bucket.id, key), 0)) return end(true);
      continue;
    }
    const common = sorted.slice(0, cut + delimiter.length);
    prefixes.push(keyOfSortable(common));
    last = { key: keyOfSortable(common) };
    const beyond = afterPrefix(common);
    if (beyond === undefined) return end(false);
    reading = from(beyond);
  }
}

/** @throws InvalidArgument */
function checkMarkers({ KeyMarker, VersionIdMarker: marker }: ListObjectVersionsRequest): void {
  if (marker === undefined) return;
  if (!KeyMarker)
    throw invalidArgument('A version-id marker cannot be specified without a key marker.', 'version-id-marker', marker);
  if (marker !== '' && marker !== 'null' && !isVersionId(marker))
    throw invalidArgument('Invalid version id specified', 'version-id-marker', marker);
}

function listObjectVersions(s3: S3, call: Call, input: ListObjectVersionsRequest): ListObjectVersionsOutput {
  const bucket = requireBucket(call, call.tx, input);
  const encode = encoder(input.EncodingType);
  const most = maxKeysOf(input.MaxKeys, 'max-keys');
  checkMarkers(input);
  const restoredAt = restoredAtOf(call, input);
  const page = pageOf(s3, call, bucket, input, most);
  const Versions = [];
  const DeleteMarkers = [];
  for (const { row, isLatest } of page.entries) {
    const common = { VersionId: versionIdOf(row), IsLatest: isLatest };
    if (!isMarker(row)) Versions.push({ ...summary(row, encode, true, restoredAt), ...common });
    else
      DeleteMarkers.push({
        Key: encode(row.key),
        LastModified: new Date(wholeSeconds(new Date(row.lastModified))),
        Owner: { ID: canonicalUserId(row.accountId) },
        ...common,
      });
  }
  return {
    ...shared(input, page, most, encode),
    KeyMarker: encode(input.KeyMarker ?? ''),
    VersionIdMarker: input.VersionIdMarker ?? '',
    ...(Versions.length > 0 && { Versions }),
    ...(DeleteMarkers.length > 0 && { DeleteMarkers }),
    ...(page.next && { NextKeyMarker: encode(page.next.key) }),
    ...(page.next?.versionId !== undefined && { NextVersionIdMarker: page.next.versionId }),
  };
}

export function versionListOperations(s3: S3) {
  return {
    ListObjectVersions: operation<ListObjectVersionsRequest, ListObjectVersionsOutput>({
      authorize: onBucket('s3:ListBucketVersions', listContext),
      readOnly: true,
      run: (call, input) => listObjectVersions(s3, call, input),
    }),
  } satisfies Record<string, Operation>;
}
