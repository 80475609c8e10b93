// CopyObject and UploadPartCopy. https://docs.aws.amazon.com/AmazonS3/latest/API/API_CopyObject.html (read 2026-11-21)
// The caller needs s3:GetObject on the source and s3:PutObject on the destination, each in its bucket's account. An object that is one file is copied as
// a hard link; one made of parts is read and written as one, because a copy's ETag is the MD5 of its bytes.

import type {
  CopyObjectOutput,
  CopyObjectRequest,
  UploadPartCopyOutput,
  UploadPartCopyRequest,
} from '@aws-sdk/client-s3';
import type { Soon } from '../../edge/soon.ts';
import { AwsError } from '../../errors.ts';
import { type Call, type Operation, type Permission, type StreamCall, streamOperation } from '../../service.ts';
import type { ObjectRow } from '../../store/rows/s3.ts';
import type { Transaction } from '../../store/store.ts';
import { onObject, requireBucket, requireKey } from './access.ts';
import { permissionsThrough, through } from './access-points.ts';
import type { BlobKey } from './blob-cipher.ts';
import type { WrittenBlob } from './blobs.ts';
import { type Algorithm, checksumMembers, defaultChecksum, parseAlgorithm, suffixOf } from './checksums.ts';
import { checkCopySource, checkWrite } from './conditions.ts';
import { checkContinues, checkOpens, customerKeyOf, sourceKeyOf } from './customer-keys.ts';
import {
  checkDecrypts,
  contextMember,
  encryptionMembers,
  haveOneKey,
  openingKey,
  readyManagedKey,
  sealingKey,
} from './encryption.ts';
import { entityTooLarge, invalidArgument, invalidRequest } from './errors.ts';
import { metadataOf, type ObjectMetadata, onWrite, writeContext } from './metadata.ts';
import { putPart, requireUpload } from './multipart.ts';
import { objectId } from './names.ts';
import { commitBlobs, etagOf, maxBodyBytes, wholeSeconds } from './objects.ts';
import { checkPartNumber, piecesOf } from './ranges.ts';
import { existingTags, requireObject, versioned } from './reads.ts';
import { isReadable } from './restore.ts';
import type { S3 } from './state.ts';
import { tagsFromHeader } from './tag-sets.ts';
import { isMarker, oneVersion, placeObject, versionIdOf } from './versions.ts';

interface Source {
  readonly Bucket: string;
  readonly Key: string;
  readonly VersionId?: string;
}

/** `BUCKET/KEY` with or without a slash or an endpoint in front, URL-encoded, and perhaps `?versionId=`; or `ARN-OF-ACCESS-POINT/object/KEY`. @throws InvalidArgument */
function parseSource(copySource: string | undefined): Source {
  const [path = '', query] = (copySource ?? '').split('?versionId=');
  let decoded: string;
  try {
    decoded = decodeURIComponent(path.replaceAll('+', ' ')).replace(/^(https?:\/\/[^/]+)?\//, '');
  } catch {
    throw invalidArgument('Invalid copy source encoding', 'x-amz-copy-source', copySource);
  }
  const point = /^(arn:[^/]+\/[^/]+)\/object\/(.+)$/s.exec(decoded);
  const slash = decoded.indexOf('/');
  // Recorded: the value that is told is the header's name.
  if (slash < 1 || slash === decoded.length - 1)
    throw invalidArgument('Invalid copy source object key', 'x-amz-copy-source', 'x-amz-copy-source');
  return {
    Bucket: point?.[1] ?? decoded.slice(0, slash),
    Key: point?.[2] ?? decoded.slice(slash + 1),
    ...(query !== undefined && { VersionId: query }),
  };
}

/** Of the source's bytes and of the copy's. */
interface Keys {
  readonly from: BlobKey | undefined;
  readonly to: BlobKey | undefined;
}

type CopyInput = CopyObjectRequest | UploadPartCopyRequest;

function sourcePermissions(call: Call, input: CopyInput): readonly Permission[] {
  const source = through(call, call.tx, withOwner(parseSource(input.CopySource), input));
  return permissionsThrough(source, versioned<Source>('s3:GetObject', 's3:GetObjectVersion'));
}

function withOwner(source: Source, input: CopyInput): Source & { ExpectedBucketOwner?: string | undefined } {
  return { ...source, ExpectedBucketOwner: input.ExpectedSourceBucketOwner };
}

function findSource(
  s3: S3,
  call: StreamCall,
  input: CopyInput,
): { readonly source: Source; readonly object: ObjectRow; readonly from: BlobKey | undefined } {
  const found = call.read((tx) => through(call, tx, withOwner(parseSource(input.CopySource), input)));
  const source = found.input;
  const key = sourceKeyOf(input);
  const object = call.read((tx) => requireSource(found.call, tx, source));
  checkOpens(object, key);
  checkCopySource(object, input, call.now);
  if (!isReadable(object, call.now))
    throw new AwsError(
      'ObjectNotInActiveTierError',
      403,
      'The source object of the COPY operation is not in the active tier and is only stored in Amazon S3 Glacier.',
    );
  return { source, object, from: openingKey(s3, call, object, key) };
}

/** @throws InvalidRequest for a delete marker that was named; what `requireObject` throws */
function requireSource(call: StreamCall, tx: Transaction, source: Source): ObjectRow {
  const { Bucket, Key, VersionId } = source;
  const named = VersionId === undefined ? undefined : oneVersion(tx, Bucket, Key, VersionId);
  if (named && isMarker(named))
    throw invalidRequest('The source of a copy request may not specifically refer to a delete marker by version id.');
  return requireObject(call, tx, source);
}

/** @throws InvalidArgument; that of tags is worded like that of metadata, without a source of its own */
function checkDirectives({ MetadataDirective: metadata, TaggingDirective: tagging }: CopyObjectRequest): void {
  for (const [what, directive] of [
    ['metadata', metadata],
    ['tagging', tagging],
  ] as const)
    if (directive !== undefined && directive !== 'COPY' && directive !== 'REPLACE')
      throw invalidArgument(`Unknown ${what} directive.`, `x-amz-${what}-directive`, directive);
}

/**
 * A copy onto itself must change something, unless it names a version, which becomes the current one. What was encrypted with a key of KMS's, and what lies
 * in a bucket with an encryption of its own, counts as changed (recorded). @throws InvalidRequest
 */
function checkChanges(call: StreamCall, source: Source, object: ObjectRow, input: CopyObjectRequest): void {
  if (source.Bucket !== input.Bucket || source.Key !== input.Key || source.VersionId !== undefined) return;
  const changes =
    input.MetadataDirective === 'REPLACE' ||
    input.StorageClass !== undefined ||
    input.WebsiteRedirectLocation !== undefined ||
    input.ServerSideEncryption !== undefined ||
    input.SSECustomerAlgorithm !== undefined ||
    object.customerKeyMd5 !== undefined ||
    typeof object.encryption === 'object' ||
    call.read((tx) => tx.get('bucket', object.bucket))?.configurations?.encryption !== undefined ||
    input.ChecksumAlgorithm !== undefined;
  if (!changes)
    throw invalidRequest(
      "This copy request is illegal because it is trying to copy an object to itself without changing the object's metadata, storage class, website redirect location or encryption attributes.",
    );
}

/** Metadata and tags come from the source unless the directives say otherwise. */
function copiedMetadata(given: ObjectMetadata, object: ObjectRow, input: CopyObjectRequest): ObjectMetadata {
  const replaced = input.MetadataDirective === 'REPLACE';
  const tags = input.TaggingDirective === 'REPLACE' ? tagsFromHeader(input.Tagging ?? '') : object.tags;
  const { tags: _, ...rest } = given;
  // A website redirect is never copied.
  const { 'x-amz-website-redirect-location': __, ...systemMetadata } = object.systemMetadata;
  const redirect = given.systemMetadata['x-amz-website-redirect-location'];
  const copied = {
    contentType: object.contentType,
    systemMetadata: {
      ...systemMetadata,
      ...(redirect !== undefined && { 'x-amz-website-redirect-location': redirect }),
    },
    userMetadata: object.userMetadata,
  };
  return { ...rest, ...(!replaced && copied), ...(tags && Object.keys(tags).length > 0 && { tags }) };
}

type Copied = Pick<ObjectRow, 'blobId' | 'sizeBytes' | 'etag' | 'checksum'>;

async function copyBytes(
  s3: S3,
  object: ObjectRow,
  metadata: ObjectMetadata,
  asked: Algorithm | undefined,
  keys: Keys,
): Promise<Copied> {
  const known = object.checksum;
  if (haveOneKey(object, metadata) && !object.partBlobIds && (asked === undefined || asked === known?.algorithm)) {
    const blobId = await s3.blobs.link(object.blobId);
    return { blobId, sizeBytes: object.sizeBytes, etag: object.etag, ...(known && { checksum: known }) };
  }
  const algorithm = asked ?? (known?.algorithm as Algorithm | undefined) ?? defaultChecksum.algorithm;
  const written = await rewrite(s3, object, 0, object.sizeBytes, algorithm, keys);
  const value = algorithm && written.checksums[suffixOf(algorithm)];
  return {
    blobId: written.blobId,
    sizeBytes: written.sizeBytes,
    etag: etagOf(written, metadata),
    ...(algorithm && value !== undefined && { checksum: { algorithm, value, type: 'FULL_OBJECT' as const } }),
  };
}

function rewrite(
  s3: S3,
  object: ObjectRow,
  start: number,
  end: number,
  algorithm: Algorithm | undefined,
  keys: Keys,
): Soon<WrittenBlob> {
  return s3.blobs.write(s3.blobs.stream(piecesOf(object, start, end), keys.from), {
    key: keys.to,
    maxBytes: maxBodyBytes,
    onTooLong: (sizeBytes) => entityTooLarge(sizeBytes, maxBodyBytes),
    checksums: algorithm ? [suffixOf(algorithm)] : [],
  });
}

const tooLargeToCopy = () =>
  invalidRequest(
    `The specified copy source is larger than the maximum allowable size for a copy source: ${maxBodyBytes}`,
  );

async function copyObject(s3: S3, call: StreamCall, input: CopyObjectRequest): Promise<CopyObjectOutput> {
  const key = requireKey(input);
  checkDirectives(input);
  const { source, object, from } = findSource(s3, call, input);
  const customer = customerKeyOf(input);
  checkChanges(call, source, object, input);
  if (object.sizeBytes > maxBodyBytes) throw tooLargeToCopy();
  await readyManagedKey(call, input);
  const asked = input.ChecksumAlgorithm ? parseAlgorithm(input.ChecksumAlgorithm) : undefined;
  const metadata = call.read((tx) => {
    const bucket = requireBucket(call, tx, input);
    checkWrite(tx.get('object', objectId(bucket.id, key)), key, input);
    return copiedMetadata(metadataOf(call, tx, bucket, input), object, input);
  });
  const keys = { from, to: sealingKey(s3, call, metadata, customer) };
  const copied = await copyBytes(s3, object, metadata, asked, keys);
  const row = await commitBlobs(s3, [copied.blobId], () =>
    call.transact((tx) => {
      const bucket = requireBucket(call, tx, input);
      checkWrite(tx.get('object', objectId(bucket.id, key)), key, input);
      return placeObject(tx, bucket, { key, lastModified: wholeSeconds(call.now), ...metadata, ...copied }, call.now);
    }),
  );
  return {
    CopyObjectResult: {
      ETag: row.etag,
      LastModified: new Date(row.lastModified),
      ...checksumMembers(row.checksum),
    },
    ...encryptionMembers(row),
    ...contextMember(row),
    ...copyVersion(call, row),
    ...sourceVersion(object),
  };
}

/** Told where the bucket has, or had, versions: here `null` is one, which a put does not tell (recorded). */
function copyVersion(call: StreamCall, row: ObjectRow): { VersionId?: string } {
  const versioned = call.read((tx) => tx.get('bucket', row.bucket))?.versioning !== undefined;
  return versioned ? { VersionId: versionIdOf(row) } : {};
}

/** `null` is not told (recorded). */
function sourceVersion({ versionId }: ObjectRow): { CopySourceVersionId?: string } {
  return versionId === undefined ? {} : { CopySourceVersionId: versionId };
}

/** @throws InvalidArgument, InvalidRequest: a range that is not `bytes=FIRST-LAST` within the source */
function copyRange(range: string | undefined, sizeBytes: number): { start: number; end: number } {
  if (range === undefined) return { start: 0, end: sizeBytes };
  const match = /^bytes=(\d+)-(\d+)$/.exec(range);
  const start = Number(match?.[1]);
  const end = Number(match?.[2]) + 1;
  if (!match || end <= start)
    throw invalidArgument(
      'The x-amz-copy-source-range value must be of the form bytes=first-last where first and last are the zero-based offsets of the first and last bytes to copy',
      'x-amz-copy-source-range',
      range,
    );
  if (start >= sizeBytes) throw invalidRequest('The specified copy range is invalid for the source object size');
  if (end > sizeBytes)
    throw invalidArgument(
      `Range specified is not valid for source object of size: ${sizeBytes}`,
      'x-amz-copy-source-range',
      range,
    );
  return { start, end };
}

async function uploadPartCopy(s3: S3, call: StreamCall, input: UploadPartCopyRequest): Promise<UploadPartCopyOutput> {
  const partNumber = checkPartNumber(input.PartNumber);
  const upload = call.read((tx) => requireUpload(tx, input));
  const { object, from } = findSource(s3, call, input);
  const customer = customerKeyOf(input);
  checkContinues(upload, customer);
  call.read((tx) => checkDecrypts(call, tx, upload));
  const keys = { from, to: sealingKey(s3, call, upload, customer) };
  const { start, end } = copyRange(input.CopySourceRange, object.sizeBytes);
  if (end - start > maxBodyBytes) throw tooLargeToCopy();
  const algorithm = (upload.checksumAlgorithm ?? defaultChecksum.algorithm) as Algorithm;
  const written = await rewrite(s3, object, start, end, algorithm, keys);
  const checksum = algorithm && written.checksums[suffixOf(algorithm)];
  const etag = etagOf(written, upload);
  await commitBlobs(s3, [written.blobId], () =>
    call.transact((tx) => {
      requireBucket(call, tx, input);
      const part = { blobId: written.blobId, sizeBytes: written.sizeBytes, etag };
      putPart(call, tx, input, partNumber, { ...part, ...(checksum !== undefined && { checksum }) });
    }),
  );
  return {
    CopyPartResult: {
      ETag: etag,
      LastModified: new Date(wholeSeconds(call.now)),
      ...(upload.checksumAlgorithm && checksum !== undefined && { [`Checksum${algorithm}`]: checksum }),
    },
    ...encryptionMembers(upload),
    ...sourceVersion(object),
  };
}

function copyKeys(call: Call, input: CopyObjectRequest) {
  return {
    ...writeContext(call, input),
    ...(input.CopySource && { 's3:x-amz-copy-source': [input.CopySource.replace(/^\//, '')] }),
    ...(input.MetadataDirective && { 's3:x-amz-metadata-directive': [input.MetadataDirective] }),
  };
}

/** Tags that come along are read there and written here. */
function tagPermissions(call: Call, input: CopyObjectRequest): readonly Permission[] {
  const source = through(call, call.tx, parseSource(input.CopySource));
  const tagged = Object.keys(existingTags(call, source.input)).length > 0;
  if (!tagged || input.TaggingDirective === 'REPLACE') return [];
  return [
    ...permissionsThrough(source, versioned<Source>('s3:GetObjectTagging', 's3:GetObjectVersionTagging')),
    ...onObject<CopyObjectRequest>('s3:PutObjectTagging', copyKeys)(call, input),
  ];
}

export function copyOperations(s3: S3) {
  return {
    CopyObject: streamOperation<CopyObjectRequest, CopyObjectOutput>({
      authorize: (call, input) => [
        ...onWrite<CopyObjectRequest>(copyKeys)(call, input),
        ...sourcePermissions(call, input),
        ...tagPermissions(call, input),
      ],
      run: (call, input) => copyObject(s3, call, input),
    }),
    UploadPartCopy: streamOperation<UploadPartCopyRequest, UploadPartCopyOutput>({
      authorize: (call, input) => [
        ...onObject<UploadPartCopyRequest>('s3:PutObject')(call, input),
        ...sourcePermissions(call, input),
      ],
      run: (call, input) => uploadPartCopy(s3, call, input),
    }),
  } satisfies Record<string, Operation>;
}
