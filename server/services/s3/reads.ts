// Reading an object: GetObject, HeadObject, GetObjectAttributes.
// https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetObject.html (read 2026-11-21). Order: the key exists (T5: 404 only for those who may list),
// the conditions, the storage class, the range. A missing key is told only to a caller with s3:ListBucket, in the words of that denial.

import type {
  GetObjectAttributesOutput,
  GetObjectAttributesRequest,
  GetObjectOutput,
  GetObjectRequest,
  HeadObjectOutput,
  HeadObjectRequest,
} from '@aws-sdk/client-s3';
import {
  answerStatus,
  type BaseCall,
  type Call,
  type Operation,
  operation,
  type Permission,
  type StreamCall,
  type StreamingBody,
  streamOperation,
} from '../../service.ts';
import type { BucketRow, ObjectRow } from '../../store/rows/s3.ts';
import type { Transaction } from '../../store/store.ts';
import { tagKeys } from '../../tag-keys.ts';
import { type Context, commonContext, type ObjectInput, onObject, requireBucket, requireKey } from './access.ts';
import { type Algorithm, checksumMembers } from './checksums.ts';
import { checkRead } from './conditions.ts';
import { checkOpens, customerKeyOf } from './customer-keys.ts';
import { encodeWords } from './encoded-words.ts';
import { checkDecrypts, encryptionMembers, openingKey } from './encryption.ts';
import {
  deletedKey,
  invalidArgument,
  invalidObjectState,
  invalidRequest,
  isDeleteMarker,
  noSuchKey,
  noSuchVersion,
} from './errors.ts';
import { expirationMember } from './lifecycle.ts';
import { bucketArn, isVersionId } from './names.ts';
import { lockMembers } from './object-lock.ts';
import { contentRange, piecesOf, type Stretch, stretchOf } from './ranges.ts';
import { isReadable, restoreMember } from './restore.ts';
import type { S3 } from './state.ts';
import { isMarker, latestVersion, oneVersion, type VersionRow, versionIdOf } from './versions.ts';

type ReadInput = ObjectInput & {
  readonly VersionId?: string | undefined;
  readonly SSECustomerAlgorithm?: string | undefined;
};

/**
 * The version that a request names, or the current one.
 * @param hidden what a key is whose latest version is a delete marker: to most operations missing, to those that change or tell its settings refused
 * @throws NoSuchKey, NoSuchVersion, or AccessDenied when the caller may not list the bucket (T5); MethodNotAllowed for a delete marker; InvalidArgument
 */
export function requireObject(
  call: BaseCall,
  tx: Transaction,
  input: ReadInput,
  hidden: 'missing' | 'refused' = 'missing',
): ObjectRow {
  return requireObjectIn(call, tx, input, requireBucket(call, tx, input), hidden);
}

function requireObjectIn(
  call: BaseCall,
  tx: Transaction,
  input: ReadInput,
  bucket: BucketRow,
  hidden: 'missing' | 'refused' = 'missing',
): ObjectRow {
  const { VersionId: versionId } = input;
  const key = requireKey(input);
  checkVersionId(bucket, versionId);
  const row = versionId === undefined ? latestVersion(tx, bucket.id, key) : oneVersion(tx, bucket.id, key, versionId);
  if (row && !isMarker(row)) return row;
  call.require(tx, 's3:ListBucket', bucketArn(call.partition, bucket.id), listingContext(call, bucket, key));
  // Recorded: of tags that are read, the element that names the key has the bucket.
  if (!row && versionId === undefined) throw noSuchKey(call.operation === 'GetObjectTagging' ? bucket.id : key);
  if (!row) throw noSuchVersion(key, versionId ?? '');
  if (versionId === undefined && hidden === 'missing') throw deletedKey(key, versionIdOf(row));
  const method = /^(Put|Delete)/.exec(call.operation)?.[0].toUpperCase() ?? 'GET';
  throw isDeleteMarker(method, versionIdOf(row), row.lastModified);
}

/** Whether a version of the bucket can ever have had this id. */
export function isVersionOf(bucket: BucketRow, versionId: string): boolean {
  return versionId === 'null' || (isVersionId(versionId) && bucket.versioning !== undefined);
}

/** A listing of one key: `s3:prefix` is the key (ceph pull request 68577, which follows S3 in this). */
function listingContext(call: BaseCall, bucket: BucketRow, key: string): Context {
  return { ...commonContext(call, bucket), 's3:prefix': [key] };
}

/** @throws InvalidArgument for an id that no version ever had */
export function checkVersionId(bucket: BucketRow, versionId: string | undefined): void {
  if (versionId === '') throw invalidArgument('Version id cannot be the empty string', 'versionId', '');
  if (versionId !== undefined && !isVersionOf(bucket, versionId))
    throw invalidArgument('Invalid version id specified', 'versionId', versionId);
}

/** `{ VersionId }` where the bucket has, or had, versions. */
export function versionMember(bucket: BucketRow, row: VersionRow): { VersionId?: string } {
  return bucket.versioning === undefined ? {} : { VersionId: versionIdOf(row) };
}

/** The version that a request names, whatever it is. */
function namedVersion(tx: Transaction, { Bucket = '', Key = '', VersionId }: ReadInput): VersionRow | undefined {
  return VersionId === undefined ? latestVersion(tx, Bucket, Key) : oneVersion(tx, Bucket, Key, VersionId);
}

/** The object's tags, as policies ask for them. */
export function existingTags(call: Call, input: ReadInput): Context {
  const row = namedVersion(call.tx, input);
  return row && !isMarker(row) && row.tags ? tagKeys('s3:ExistingObjectTag', row.tags) : {};
}

type HeaderOutput = Omit<HeadObjectOutput, 'ArchiveStatus'> & { [answerStatus]?: number };

/** The members that GetObject and HeadObject share. Filled in one by one: a dozen spreads, most of nothing, were half of a small get's handler. */
function describe(
  call: BaseCall,
  tx: Transaction,
  input: GetObjectRequest | HeadObjectRequest,
  { bucket, object, stretch }: Read,
): HeaderOutput {
  const kept = object.systemMetadata;
  const output: HeaderOutput = encryptionMembers(object);
  // Before the length: Node 18 to 24 reads the one that follows it as UTF-8, and cuts off an answer whose bytes are not.
  const disposition = input.ResponseContentDisposition ?? kept['content-disposition'];
  if (disposition !== undefined) output.ContentDisposition = disposition;
  output.AcceptRanges = 'bytes';
  output.LastModified = new Date(object.lastModified);
  output.ContentLength = stretch.end - stretch.start;
  output.ETag = object.etag;
  output.Metadata = encodeWords(object.userMetadata);
  output.ContentType = input.ResponseContentType ?? object.contentType;
  const set = <K extends keyof HeaderOutput>(name: K, value: HeaderOutput[K] | undefined) => {
    if (value !== undefined) output[name] = value;
  };
  set('CacheControl', input.ResponseCacheControl ?? kept['cache-control']);
  set('ContentEncoding', input.ResponseContentEncoding ?? kept['content-encoding']);
  set('ContentLanguage', input.ResponseContentLanguage ?? kept['content-language']);
  set('WebsiteRedirectLocation', kept['x-amz-website-redirect-location']);
  set('Expires', input.ResponseExpires ?? dateOf(kept.expires));
  if (stretch.partial) {
    output[answerStatus] = 206;
    output.ContentRange = contentRange(stretch, object.sizeBytes);
  }
  set('PartsCount', stretch.partsCount);
  if (object.storageClass !== 'STANDARD')
    output.StorageClass = object.storageClass as NonNullable<HeaderOutput['StorageClass']>;
  if (wantsChecksum(input)) Object.assign(output, checksumMembers(checksumOf(object, stretch, input.PartNumber)));
  if (bucket.versioning !== undefined) output.VersionId = versionIdOf(object);
  // Recorded: not told of a version that is named.
  if (input.VersionId === undefined) set('Expiration', expirationMember(bucket, object).Expiration);
  set('Restore', restoreMember(object, call.now).Restore);
  Object.assign(output, lockMembers(call, tx, object));
  if (object.tags) output.TagCount = Object.keys(object.tags).length;
  return output;
}

/** Recorded: the value is read without regard to case. */
function wantsChecksum({ ChecksumMode: mode }: GetObjectRequest | HeadObjectRequest): boolean {
  return mode?.toUpperCase() === 'ENABLED';
}

/** The checksum of what is read: of all of it, or of a part that was given one. */
function checksumOf(object: ObjectRow, stretch: Stretch, partNumber: number | undefined): ObjectRow['checksum'] {
  const { checksum, partChecksums } = object;
  if (checksum?.type === 'COMPOSITE' && partNumber !== undefined && partChecksums) {
    const value = partChecksums[partNumber - 1];
    return value ? { ...checksum, value } : undefined;
  }
  return stretch.start === 0 && stretch.end === object.sizeBytes ? checksum : undefined;
}

function dateOf(text: string | undefined): Date | undefined {
  const date = text === undefined ? undefined : new Date(text);
  return date && !Number.isNaN(date.getTime()) ? date : undefined;
}

const overrides = [
  'ResponseCacheControl',
  'ResponseContentDisposition',
  'ResponseContentEncoding',
  'ResponseContentLanguage',
  'ResponseContentType',
  'ResponseExpires',
] as const;

const beyondLatin1 = /[^\u0020-\u007e\u00a0-\u00ff\t]/;

/** `ResponseContentType` → `response-content-type`. */
function headerOf(name: string): string {
  return name.replace(/(?!^)[A-Z]/g, '-$&').toLowerCase();
}

interface Read {
  readonly bucket: BucketRow;
  readonly object: ObjectRow;
  readonly stretch: Stretch;
}

function prepareRead(call: BaseCall, tx: Transaction, input: GetObjectRequest | HeadObjectRequest): Read {
  const key = customerKeyOf(input, 'reads');
  for (const name of overrides) {
    const value = input[name];
    if (value === undefined) continue;
    if (call.principal.type === 'anonymous')
      throw invalidRequest('Request specific response headers cannot be used for anonymous GET requests.');
    if (typeof value === 'string' && beyondLatin1.test(value))
      throw invalidArgument('Header value cannot be represented using ISO-8859-1.', headerOf(name), value);
  }
  const encryption = call.headers['x-amz-server-side-encryption'];
  if (encryption !== undefined)
    throw invalidArgument(
      'x-amz-server-side-encryption header is not supported for this operation.',
      'x-amz-server-side-encryption',
      encryption,
    );
  const bucket = requireBucket(call, tx, input);
  const object = requireObjectIn(call, tx, input, bucket);
  checkOpens(object, key);
  checkRead(object, input, call.now);
  return { bucket, object, stretch: stretchOf(object, input.Range, input.PartNumber) };
}

function getObject(
  s3: S3,
  call: StreamCall,
  input: GetObjectRequest,
): Omit<GetObjectOutput, 'Body'> & { Body: StreamingBody } {
  return call.read((tx) => {
    const read = prepareRead(call, tx, input);
    const { object, stretch } = read;
    const output = describe(call, tx, input, read) as ReturnType<typeof getObject>;
    if (!isReadable(object, call.now)) throw invalidObjectState(object.storageClass);
    const key = openingKey(s3, call, object, customerKeyOf(input, 'reads'));
    output.Body = s3.blobs.read(piecesOf(object, stretch.start, stretch.end), key);
    return output;
  });
}

function headObject(call: Call, input: HeadObjectRequest): HeadObjectOutput {
  const read = prepareRead(call, call.tx, input);
  // A checksum is of the plain bytes, so it takes the permission to read them.
  if (wantsChecksum(input) && read.object.checksum) checkDecrypts(call, call.tx, read.object);
  return describe(call, call.tx, input, read);
}

const attributeNames = new Set(['ETag', 'Checksum', 'ObjectParts', 'StorageClass', 'ObjectSize']);

function getObjectAttributes(call: Call, input: GetObjectAttributesRequest): GetObjectAttributesOutput {
  const wanted = new Set<string>(input.ObjectAttributes ?? []);
  if (wanted.size === 0 || [...wanted].some((name) => !attributeNames.has(name)))
    throw invalidArgument('Invalid attribute name specified.', 'x-amz-object-attributes', [...wanted].join(','));
  const key = customerKeyOf(input, 'reads');
  const object = requireObject(call, call.tx, input);
  checkOpens(object, key);
  return {
    LastModified: new Date(object.lastModified),
    ...versionMember(requireBucket(call, call.tx, input), object),
    ...(wanted.has('ETag') && { ETag: object.etag.replaceAll('"', '') }),
    ...(wanted.has('Checksum') && object.checksum && { Checksum: attributeChecksum(object.checksum) }),
    ...(wanted.has('ObjectParts') && object.partSizes && { ObjectParts: partsPage(object, input) }),
    ...(wanted.has('StorageClass') && {
      StorageClass: object.storageClass as NonNullable<GetObjectAttributesOutput['StorageClass']>,
    }),
    ...(wanted.has('ObjectSize') && { ObjectSize: object.sizeBytes }),
  };
}

/** Here alone a composite value stands without the number of its parts. */
function attributeChecksum(checksum: NonNullable<ObjectRow['checksum']>) {
  return checksumMembers({ ...checksum, value: checksum.value.replace(/-\d+$/, '') });
}

/** The single parts are told only of a composite checksum; their number always. */
function partsPage(
  object: ObjectRow,
  input: GetObjectAttributesRequest,
): NonNullable<GetObjectAttributesOutput['ObjectParts']> {
  const sizes = object.partSizes ?? [];
  if (!object.partChecksums || object.checksum?.type !== 'COMPOSITE') return { TotalPartsCount: sizes.length };
  const after = Number(input.PartNumberMarker ?? 0);
  const most = input.MaxParts ?? 1000;
  const algorithm = object.checksum.algorithm as Algorithm;
  const checksums = object.partChecksums;
  const Parts = sizes.slice(after, after + most).map((Size, index) => {
    const value = checksums[after + index];
    return { PartNumber: after + index + 1, Size, ...(value && { [`Checksum${algorithm}`]: value }) };
  });
  const last = Parts.at(-1)?.PartNumber ?? 0;
  return {
    TotalPartsCount: sizes.length,
    PartNumberMarker: String(after),
    NextPartNumberMarker: String(last),
    MaxParts: most,
    IsTruncated: after + Parts.length < sizes.length,
    Parts,
  };
}

/** A version by its id is an action of its own. */
export function versioned<I extends ReadInput>(action: string, versionAction: string) {
  const plain = onObject<I>(action, existingTags);
  const withVersion = onObject<I>(versionAction, (call, input) => ({
    ...existingTags(call, input),
    's3:VersionId': [input.VersionId ?? ''],
  }));
  return (call: Call, input: I) => (input.VersionId === undefined ? plain(call, input) : withVersion(call, input));
}

/**
 * What is not there cannot be permitted by itself (an object's list of grants is missing with it): who may list the bucket is told that it is missing,
 * also without a permission to read (T5; S3's team in AWS's forum, thread 56531).
 */
function onRead<I extends ReadInput>(call: Call, input: I): readonly Permission[] {
  const permissions = versioned<I>('s3:GetObject', 's3:GetObjectVersion')(call, input);
  const row = namedVersion(call.tx, input);
  if (row && !isMarker(row)) return permissions;
  const isPermitted = ({ action, resource, context }: Permission) =>
    call.allows(call.tx, action, resource, { ...context });
  if (permissions.every(isPermitted)) return permissions;
  const bucket = requireBucket(call, call.tx, input);
  const listing = {
    action: 's3:ListBucket',
    resource: bucketArn(call.partition, bucket.id),
    context: listingContext(call, bucket, requireKey(input)),
  };
  return isPermitted(listing) ? [listing] : permissions;
}

export function readOperations(s3: S3) {
  return {
    GetObject: streamOperation<GetObjectRequest, Omit<GetObjectOutput, 'Body'> & { Body: StreamingBody }>({
      authorize: onRead,
      readOnly: true,
      run: (call, input) => getObject(s3, call, input),
    }),
    HeadObject: operation<HeadObjectRequest, HeadObjectOutput>({
      authorize: onRead,
      readOnly: true,
      run: headObject,
    }),
    GetObjectAttributes: operation<GetObjectAttributesRequest, GetObjectAttributesOutput>({
      authorize: (call, input) => [
        ...versioned<GetObjectAttributesRequest>('s3:GetObject', 's3:GetObjectVersion')(call, input),
        ...versioned<GetObjectAttributesRequest>('s3:GetObjectAttributes', 's3:GetObjectVersionAttributes')(
          call,
          input,
        ),
      ],
      readOnly: true,
      run: getObjectAttributes,
    }),
  } satisfies Record<string, Operation>;
}
