// Listings: ListObjectsV2, ListObjects. Versions are version-list.ts.
// https://docs.aws.amazon.com/AmazonS3/latest/API/API_ListObjectsV2.html (read 2026-11-21). Keys in UTF-8 order; keys that share the text up to the
// next delimiter after the prefix are one common prefix, counted once, and are jumped over in the index rather than walked.

import type {
  ListObjectsOutput,
  ListObjectsRequest,
  ListObjectsV2Output,
  ListObjectsV2Request,
} from '@aws-sdk/client-s3';
import { answerHeaders, type Call, type Operation, operation } from '../../service.ts';
import type { BucketRow, ObjectRow } from '../../store/rows/s3.ts';
import { type Context, onBucket, requireBucket } from './access.ts';
import { invalidArgument } from './errors.ts';
import { afterPrefix, keyOfSortable, sortableKey } from './key-index.ts';
import { canonicalUserId, objectId } from './names.ts';
import { restoreStatus } from './restore.ts';
import type { S3 } from './state.ts';

/** A listing tells where the bucket is, which no model says (recorded). */
interface WithHeaders {
  readonly [answerHeaders]: Readonly<Record<string, string>>;
}

/** The parameters that all listings of objects share. */
interface ListInput {
  readonly Bucket?: string | undefined;
  readonly Prefix?: string | undefined;
  readonly Delimiter?: string | undefined;
  readonly EncodingType?: 'url' | undefined;
  readonly MaxKeys?: number | undefined;
  readonly OptionalObjectAttributes?: readonly string[] | undefined;
}

interface Page {
  readonly objects: ObjectRow[];
  readonly prefixes: string[];
  /** The last key or common prefix of the page. */
  readonly last: string | undefined;
  readonly isTruncated: boolean;
}

/**
 * One page of a bucket.
 * @param after keys up to this one are left out, and with it what a common prefix of that name covers
 */
function pageOf(
  s3: S3,
  call: Call,
  bucket: BucketRow,
  prefix: string,
  delimiter: string,
  after: string,
  most: number,
): Page {
  const sortedPrefix = sortableKey(prefix);
  const sortedDelimiter = sortableKey(delimiter);
  const keys = s3.keys.of(bucket.id);
  const objects: ObjectRow[] = [];
  const prefixes: string[] = [];
  let last: string | undefined;
  if (most === 0) return { objects, prefixes, last, isTruncated: false };
  const cursor = (from: string) => keys.from(from);
  let reading = cursor(startFor(sortedPrefix, sortedDelimiter, sortableKey(after)) ?? sortedPrefix);
  for (;;) {
    const sorted = reading.next();
    if (sorted === undefined || !sorted.startsWith(sortedPrefix))
      return { objects, prefixes, last, isTruncated: false };
    if (objects.length + prefixes.length === most) return { objects, prefixes, last, isTruncated: true };
    const cut = sortedDelimiter === '' ? -1 : sorted.indexOf(sortedDelimiter, sortedPrefix.length);
    if (cut < 0) {
      const key = keyOfSortable(sorted);
      const object = call.tx.get('object', objectId(bucket.id, key));
      if (object) objects.push(object);
      last = key;
      continue;
    }
    const common = sorted.slice(0, cut + sortedDelimiter.length);
    last = keyOfSortable(common);
    prefixes.push(last);
    const beyond = afterPrefix(common);
    if (beyond === undefined) return { objects, prefixes, last, isTruncated: false };
    reading = cursor(beyond);
  }
}

/** Where to begin reading so that nothing up to `after` is told again. */
export function startFor(prefix: string, delimiter: string, after: string): string | undefined {
  if (after === '' || after < prefix) return prefix;
  // A marker inside a common prefix leaves out all of it, told or not (recorded).
  const cut = delimiter !== '' && after.startsWith(prefix) ? after.indexOf(delimiter, prefix.length) : -1;
  if (cut >= 0) return afterPrefix(after.slice(0, cut + delimiter.length)) ?? `${after}\uffff`;
  // The next text after `after` itself.
  return `${after}\0`;
}

/** @throws InvalidArgument */
export function maxKeysOf(value: number | undefined, name = 'maxKeys'): number {
  if (value === undefined) return 1000;
  if (!Number.isInteger(value) || value < 0 || value > 2 ** 31 - 1)
    throw invalidArgument(`Argument ${name} must be an integer between 0 and 2147483647`, name, String(value));
  return Math.min(value, 1000);
}

/** How keys are written in a listing. @throws InvalidArgument */
export function encoder(encodingType: string | undefined): (text: string) => string {
  if (encodingType === undefined) return (text) => text;
  if (encodingType !== 'url')
    throw invalidArgument('Invalid Encoding Method specified in Request', 'encoding-type', encodingType);
  // What S3 leaves as it is: the unreserved characters, `/` and `*`; a blank is `+`.
  return (text) =>
    encodeURIComponent(text)
      .replace(/[!'()]/g, (one) => `%${one.charCodeAt(0).toString(16).toUpperCase()}`)
      .replaceAll('%2F', '/')
      .replaceAll('%20', '+')
      .replaceAll('~', '%7E');
}

/** @param restoredAt present: the time, of a listing that is asked how archived objects are restored */
export function summary(
  object: ObjectRow,
  encode: (text: string) => string,
  withOwner: boolean,
  restoredAt: Date | undefined,
) {
  const { checksum } = object;
  return {
    Key: encode(object.key),
    LastModified: new Date(object.lastModified),
    ETag: object.etag,
    Size: object.sizeBytes,
    StorageClass: object.storageClass as 'STANDARD',
    ...(checksum && { ChecksumAlgorithm: [checksum.algorithm as 'CRC32'], ChecksumType: checksum.type }),
    ...(withOwner && { Owner: { ID: canonicalUserId(object.accountId) } }),
    ...(restoredAt && restoreStatus(object, restoredAt)),
  };
}

/** @throws InvalidArgument, whose wording is without a source */
export function restoredAtOf(call: Call, { OptionalObjectAttributes: asked }: ListInput): Date | undefined {
  const unknown = asked?.find((name) => name !== 'RestoreStatus');
  if (unknown !== undefined)
    throw invalidArgument('Invalid optional object attribute specified', 'x-amz-optional-object-attributes', unknown);
  return asked?.length ? call.now : undefined;
}

/** The members that all listings of objects share. */
export function shared(
  input: ListInput,
  page: Pick<Page, 'prefixes' | 'isTruncated'>,
  most: number,
  encode: (text: string) => string,
) {
  return {
    Name: input.Bucket ?? '',
    Prefix: encode(input.Prefix ?? ''),
    MaxKeys: most,
    IsTruncated: page.isTruncated,
    ...(input.Delimiter && { Delimiter: encode(input.Delimiter) }),
    ...(input.EncodingType && { EncodingType: input.EncodingType }),
    ...(page.prefixes.length > 0 && { CommonPrefixes: page.prefixes.map((Prefix) => ({ Prefix: encode(Prefix) })) }),
  };
}

function listObjectsV2(s3: S3, call: Call, input: ListObjectsV2Request): ListObjectsV2Output & WithHeaders {
  const bucket = requireBucket(call, call.tx, input);
  const encode = encoder(input.EncodingType);
  const most = maxKeysOf(input.MaxKeys, 'max-keys');
  const { ContinuationToken: token, StartAfter } = input;
  const after = token === undefined ? (StartAfter ?? '') : readToken(token);
  const page = pageOf(s3, call, bucket, input.Prefix ?? '', input.Delimiter ?? '', after, most);
  const restoredAt = restoredAtOf(call, input);
  const Contents = page.objects.map((object) => summary(object, encode, input.FetchOwner === true, restoredAt));
  return {
    [answerHeaders]: { 'x-amz-bucket-region': bucket.region },
    ...shared(input, page, most, encode),
    KeyCount: page.objects.length + page.prefixes.length,
    ...(Contents.length > 0 && { Contents }),
    ...(token !== undefined && { ContinuationToken: token }),
    // Beside a token it means nothing, and is not told (recorded).
    ...(StartAfter !== undefined && token === undefined && { StartAfter: encode(StartAfter) }),
    ...(page.isTruncated && page.last !== undefined && { NextContinuationToken: writeToken(page.last) }),
  };
}

function writeToken(key: string): string {
  return `1${Buffer.from(key).toString('base64')}`;
}

/** @throws InvalidArgument for a token that this service did not give */
function readToken(token: string): string {
  const bytes = Buffer.from(token.slice(1), 'base64');
  if (token[0] !== '1' || bytes.toString('base64') !== token.slice(1))
    throw invalidArgument('The continuation token provided is incorrect', 'continuation-token');
  return bytes.toString();
}

function listObjects(s3: S3, call: Call, input: ListObjectsRequest): ListObjectsOutput & WithHeaders {
  const bucket = requireBucket(call, call.tx, input);
  const encode = encoder(input.EncodingType);
  const most = maxKeysOf(input.MaxKeys, 'max-keys');
  const page = pageOf(s3, call, bucket, input.Prefix ?? '', input.Delimiter ?? '', input.Marker ?? '', most);
  const restoredAt = restoredAtOf(call, input);
  const Contents = page.objects.map((object) =>
    summary(object, encode, call.principal.type !== 'anonymous', restoredAt),
  );
  return {
    [answerHeaders]: { 'x-amz-bucket-region': bucket.region },
    ...shared(input, page, most, encode),
    Marker: encode(input.Marker ?? ''),
    ...(Contents.length > 0 && { Contents }),
    // Without a delimiter a client goes on from the last key it was told.
    ...(page.isTruncated && input.Delimiter && page.last !== undefined && { NextMarker: encode(page.last) }),
  };
}

export function listContext(_call: Call, input: ListInput): Context {
  return {
    ...(input.Prefix !== undefined && { 's3:prefix': [input.Prefix] }),
    ...(input.Delimiter !== undefined && { 's3:delimiter': [input.Delimiter] }),
    ...(input.MaxKeys !== undefined && { 's3:max-keys': [String(input.MaxKeys)] }),
  };
}

export function listOperations(s3: S3) {
  return {
    ListObjectsV2: operation<ListObjectsV2Request, ListObjectsV2Output>({
      authorize: onBucket('s3:ListBucket', listContext),
      readOnly: true,
      run: (call, input) => listObjectsV2(s3, call, input),
    }),
    ListObjects: operation<ListObjectsRequest, ListObjectsOutput>({
      authorize: onBucket('s3:ListBucket', listContext),
      readOnly: true,
      run: (call, input) => listObjects(s3, call, input),
    }),
  } satisfies Record<string, Operation>;
}
