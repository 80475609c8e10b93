// Multipart uploads: begin, bring parts, complete, abort. Listing them is upload-lists.ts.
// https://docs.aws.amazon.com/AmazonS3/latest/userguide/mpuoverview.html (read 2026-11-21). Each part is a file; completing makes an object of those files
// in order and copies nothing, so it takes one transaction. It may be repeated: the object remembers its upload.

import { createHash, randomBytes } from 'node:crypto';
import type {
  AbortMultipartUploadOutput,
  AbortMultipartUploadRequest,
  CompletedPart,
  CompleteMultipartUploadOutput,
  CompleteMultipartUploadRequest,
  CreateMultipartUploadOutput,
  CreateMultipartUploadRequest,
  UploadPartOutput,
  UploadPartRequest,
} from '@aws-sdk/client-s3';
import { AwsError } from '../../errors.ts';
import {
  type BaseCall,
  type Call,
  type Operation,
  operation,
  type Permission,
  type StreamCall,
  streamOperation,
} from '../../service.ts';
import type { ObjectRow, UploadRow } from '../../store/rows/s3.ts';
import type { Transaction } from '../../store/store.ts';
import { type ObjectInput, onObject, requireBucket, requireKey } from './access.ts';
import {
  type Algorithm,
  checksumMembers,
  defaultChecksum,
  givenChecksums,
  parseAlgorithm,
  suffixOf,
  wantedChecksum,
} from './checksums.ts';
import { checkWrite } from './conditions.ts';
import { checkContinues, customerKeyOf } from './customer-keys.ts';
import { checkDecrypts, contextMember, encryptionMembers, sealingKey } from './encryption.ts';
import {
  conditionalConflict,
  entityTooSmall,
  headerNotImplemented,
  invalidPart,
  invalidPartOrder,
  invalidRequest,
  noSuchUpload,
} from './errors.ts';
import { metadataOf, onWrite, writeContext } from './metadata.ts';
import { objectId } from './names.ts';
import { commitBlobs, etagOf, receiveBody, type WithBody, wholeSeconds } from './objects.ts';
import { checkPartNumber } from './ranges.ts';
import type { S3 } from './state.ts';
import { checkMode, joinedChecksum } from './upload-checksums.ts';
import { type NewObject, placeObject } from './versions.ts';

const smallestPartBytes = 5 * 1024 ** 2;

export interface UploadInput extends ObjectInput {
  readonly UploadId?: string | undefined;
}

/** @throws NoSuchUpload */
export function requireUpload(tx: Transaction, input: UploadInput): UploadRow {
  const uploadId = input.UploadId ?? '';
  const upload = tx.get('upload', uploadId);
  if (!upload || upload.bucket !== input.Bucket || upload.key !== input.Key) throw noSuchUpload(uploadId);
  return upload;
}

export function initiatorAccountOf({ initiatorAccountId, accountId }: UploadRow): string {
  return initiatorAccountId ?? accountId;
}

/** An upload may be ended and looked into by who began it, not only by the bucket's owner (mpuoverview.html, permissions). */
export function onUpload(action: string): (call: Call, input: UploadInput) => readonly Permission[] {
  const ofBucket = onObject<UploadInput>(action);
  return (call, input) => {
    const permissions = ofBucket(call, input);
    const upload = call.tx.get('upload', input.UploadId ?? '');
    const isOwn =
      upload !== undefined && initiatorAccountOf(upload) === call.accountId && call.principal.type !== 'anonymous';
    return isOwn ? permissions.map((one) => ({ ...one, ownerAccountId: call.accountId })) : permissions;
  };
}

/** @throws InvalidRequest for a type that the algorithm does not have */
function checksumPlan(input: CreateMultipartUploadRequest): Pick<UploadRow, 'checksumAlgorithm' | 'checksumType'> {
  if (input.ChecksumAlgorithm === undefined) {
    if (input.ChecksumType !== undefined)
      throw invalidRequest('The x-amz-checksum-type header can only be used with the x-amz-checksum-algorithm header.');
    return {};
  }
  const checksumAlgorithm = parseAlgorithm(input.ChecksumAlgorithm);
  const checksumType = input.ChecksumType ?? (checksumAlgorithm === 'CRC64NVME' ? 'FULL_OBJECT' : 'COMPOSITE');
  const impossible =
    checksumType === 'COMPOSITE' ? checksumAlgorithm === 'CRC64NVME' : checksumAlgorithm.startsWith('SHA');
  if (impossible)
    throw invalidRequest(
      `The ${checksumType} checksum type cannot be used with the ${checksumAlgorithm.toLowerCase()} checksum algorithm.`,
    );
  return { checksumAlgorithm, checksumType };
}

function replacesOf(existing: ObjectRow | undefined): Pick<UploadRow, 'replaces'> {
  return existing ? { replaces: existing.blobId } : {};
}

/** What changed since the upload began makes its condition meaningless. @throws ConditionalRequestConflict, and what `checkWrite` throws */
function checkCompletion(
  upload: UploadRow,
  existing: ObjectRow | undefined,
  input: CompleteMultipartUploadRequest,
): void {
  checkWrite(existing, upload.key, input);
  if (input.IfNoneMatch !== undefined && upload.replaces !== undefined)
    throw conditionalConflict('If-None-Match', upload.key);
  if (input.IfMatch !== undefined && existing && existing.blobId !== upload.replaces)
    throw conditionalConflict('If-Match', upload.key);
}

/** What stands for a session's name is without a source. */
function initiatorOf(
  { principal, accountId }: BaseCall,
  owner: string,
): Pick<UploadRow, 'initiator' | 'initiatorAccountId'> {
  const { type, arn, userName } = principal;
  if (type === 'anonymous') return {};
  return {
    ...(type !== 'root' && { initiator: { arn, name: userName ?? arn.slice(arn.indexOf('/') + 1) } }),
    ...(accountId !== owner && { initiatorAccountId: accountId }),
  };
}

function createUpload(call: Call, input: CreateMultipartUploadRequest): CreateMultipartUploadOutput {
  const bucket = requireBucket(call, call.tx, input);
  const key = requireKey(input);
  const plan = checksumPlan(input);
  const metadata = metadataOf(call, call.tx, bucket, input);
  const owner = metadata.accountId ?? bucket.accountId;
  const upload: UploadRow = {
    id: randomBytes(66).toString('base64url'),
    accountId: bucket.accountId,
    region: bucket.region,
    bucket: bucket.id,
    key,
    initiated: call.now.toISOString(),
    ...initiatorOf(call, owner),
    ...metadata,
    ...plan,
    ...replacesOf(call.tx.get('object', objectId(bucket.id, key))),
    parts: {},
  };
  call.tx.put('upload', upload);
  return {
    Bucket: bucket.id,
    Key: key,
    UploadId: upload.id,
    ...encryptionMembers(upload),
    ...contextMember(upload),
    ...(plan.checksumAlgorithm && { ChecksumAlgorithm: plan.checksumAlgorithm as Algorithm }),
    ...(plan.checksumType && { ChecksumType: plan.checksumType }),
  };
}

export interface NewPart {
  readonly blobId: string;
  readonly sizeBytes: number;
  readonly etag: string;
  readonly checksum?: string;
}

/** Puts a part in its place; one that was there goes. */
export function putPart(call: BaseCall, tx: Transaction, input: UploadInput, partNumber: number, part: NewPart): void {
  const upload = requireUpload(tx, input);
  const parts = { ...upload.parts, [partNumber]: { ...part, lastModified: wholeSeconds(call.now) } };
  tx.put('upload', { ...upload, parts });
}

async function uploadPart(s3: S3, call: StreamCall, input: WithBody<UploadPartRequest>): Promise<UploadPartOutput> {
  const partNumber = checkPartNumber(input.PartNumber);
  const key = customerKeyOf(input);
  const upload = call.read((tx) => requireUpload(tx, input));
  checkContinues(upload, key);
  call.read((tx) => checkDecrypts(call, tx, upload));
  const given = wantedChecksum(call, input);
  const expected = upload.checksumAlgorithm as Algorithm | undefined;
  if (given && expected && given.algorithm !== expected)
    throw invalidRequest(
      `Checksum Type mismatch occurred, expected checksum Type: ${expected.toLowerCase()}, actual checksum Type: ${given.algorithm.toLowerCase()}`,
    );
  // Without an algorithm of its own the upload ends as CRC64NVME of the whole, which is joined from the parts'.
  const wanted = given ?? (expected ? { algorithm: expected } : defaultChecksum);
  const own = expected ?? defaultChecksum.algorithm;
  const further = own === wanted.algorithm ? [] : [suffixOf(own)];
  const written = await receiveBody(s3, call, input, wanted, {
    further,
    key: sealingKey(s3, call, upload, key),
  });
  const checksum = written.checksums[suffixOf(own)] ?? written.checksum;
  const etag = etagOf(written, upload);
  await commitBlobs(s3, [written.blobId], () =>
    call.transact((tx) => {
      requireBucket(call, tx, input);
      putPart(call, tx, input, partNumber, {
        blobId: written.blobId,
        sizeBytes: written.sizeBytes,
        etag,
        ...(checksum !== undefined && { checksum }),
      });
    }),
  );
  return {
    ETag: etag,
    ...encryptionMembers(upload),
    // What the client did not ask for is told with the whole object.
    ...((given ?? expected) && written.checksum !== undefined && { [`Checksum${wanted.algorithm}`]: written.checksum }),
  };
}

type Part = UploadRow['parts'][string];

/**
 * The parts that a completion names, checked.
 * @throws InvalidRequest, InvalidPartOrder, InvalidPart, EntityTooSmall, BadDigest
 */
function chosenParts(upload: UploadRow, listed: readonly CompletedPart[]): Part[] {
  if (listed.length === 0) throw invalidRequest('You must specify at least one part');
  const algorithm = upload.checksumAlgorithm as Algorithm | undefined;
  let before = 0;
  const chosen = listed.map((one) => {
    const partNumber = checkPartNumber(one.PartNumber);
    if (partNumber <= before) throw invalidPartOrder(upload.id);
    before = partNumber;
    const part = upload.parts[partNumber];
    const etag = (one.ETag ?? '').replaceAll('"', '');
    if (!part || part.etag !== `"${etag}"`) throw invalidPart(upload.id, partNumber, etag);
    const [given] = givenChecksums(one);
    if (!given && algorithm && upload.checksumType === 'COMPOSITE')
      throw invalidRequest(
        `The upload was created using a ${algorithm.toLowerCase()} checksum. The complete request must include the checksum for each part. It was missing for part ${partNumber} in the request.`,
      );
    if (given && algorithm && given.algorithm !== algorithm)
      throw new AwsError(
        'BadDigest',
        400,
        `The ${suffixOf(given.algorithm)} you specified for part ${partNumber} did not match what we received.`,
      );
    // A part of an upload without an algorithm has no checksum, even if the client sent one with it.
    if (given && (!algorithm || given.value !== part.checksum)) throw invalidPart(upload.id, partNumber, etag);
    return { partNumber, part };
  });
  const last = chosen.at(-1);
  for (const { partNumber, part } of chosen)
    if (partNumber !== last?.partNumber && part.sizeBytes < smallestPartBytes)
      throw entityTooSmall(part.sizeBytes, partNumber, part.etag);
  return chosen.map(({ part }) => part);
}

/** `"MD5-OF-MD5S-COUNT"` */
function joinedEtag(parts: readonly Part[]): string {
  const md5 = createHash('md5');
  for (const part of parts) md5.update(Buffer.from(part.etag.replaceAll('"', ''), 'hex'));
  return `"${md5.digest('hex')}-${parts.length}"`;
}

function completeUpload(call: Call, input: CompleteMultipartUploadRequest): CompleteMultipartUploadOutput {
  const bucket = requireBucket(call, call.tx, input);
  const key = requireKey(input);
  const existing = call.tx.get('object', objectId(bucket.id, key));
  if (existing?.uploadId !== undefined && existing.uploadId === input.UploadId) return completed(call, existing);
  const upload = requireUpload(call.tx, input);
  const customerKey = customerKeyOf(input);
  // Who did not ask for checksums may leave the key out (API_CompleteMultipartUpload).
  if (customerKey || upload.checksumAlgorithm !== undefined) checkContinues(upload, customerKey);
  checkDecrypts(call, call.tx, upload);
  checkMode(upload, input.ChecksumType);
  const parts = chosenParts(upload, input.MultipartUpload?.Parts ?? []);
  checkCompletion(upload, existing, input);
  const sizeBytes = parts.reduce((sum, part) => sum + part.sizeBytes, 0);
  if (input.MpuObjectSize !== undefined && Number(input.MpuObjectSize) !== sizeBytes)
    throw invalidRequest(
      `The provided 'x-amz-mp-object-size' header value ${input.MpuObjectSize} does not match what was computed: ${sizeBytes}`,
    );
  const checksum = joinedChecksum(upload, parts, input);
  const made: NewObject = {
    accountId: upload.accountId,
    key,
    blobId: parts[0]?.blobId ?? '',
    sizeBytes,
    etag: joinedEtag(parts),
    lastModified: wholeSeconds(call.now),
    contentType: upload.contentType,
    systemMetadata: upload.systemMetadata,
    userMetadata: upload.userMetadata,
    storageClass: upload.storageClass,
    ...(checksum && { checksum }),
    ...(upload.tags && { tags: upload.tags }),
    partSizes: parts.map((part) => part.sizeBytes),
    partBlobIds: parts.map((part) => part.blobId),
    ...(checksum && upload.checksumAlgorithm && { partChecksums: parts.map((part) => part.checksum ?? null) }),
    uploadId: upload.id,
    ...(upload.encryption && { encryption: upload.encryption }),
    ...(upload.customerKeyMd5 !== undefined && { customerKeyMd5: upload.customerKeyMd5 }),
    ...(upload.acl && { acl: upload.acl }),
    ...(upload.retention && { retention: upload.retention }),
    ...(upload.legalHold !== undefined && { legalHold: upload.legalHold }),
  };
  const object = placeObject(call.tx, bucket, made, call.now);
  call.tx.delete('upload', upload.id);
  return completed(call, object);
}

function completed(call: BaseCall, object: ObjectRow): CompleteMultipartUploadOutput {
  // Recorded: under a key of KMS's, the checksum that nobody asked for is told by reads alone.
  const isTold = typeof object.encryption !== 'object' || object.partChecksums !== undefined;
  return {
    Location: `http://${call.host}/${object.bucket}/${encodeURIComponent(object.key).replaceAll('%2F', '/')}`,
    Bucket: object.bucket,
    Key: object.key,
    ETag: object.etag,
    ...encryptionMembers(object),
    ...(isTold && checksumMembers(object.checksum)),
    ...(object.versionId !== undefined && { VersionId: object.versionId }),
  };
}

export function multipartOperations(s3: S3) {
  return {
    CreateMultipartUpload: operation<CreateMultipartUploadRequest, CreateMultipartUploadOutput>({
      authorize: onWrite<CreateMultipartUploadRequest>(writeContext),
      run: createUpload,
    }),
    UploadPart: streamOperation<WithBody<UploadPartRequest>, UploadPartOutput>({
      authorize: onObject('s3:PutObject'),
      run: (call, input) => uploadPart(s3, call, input),
    }),
    CompleteMultipartUpload: operation<CompleteMultipartUploadRequest, CompleteMultipartUploadOutput>({
      authorize: onObject('s3:PutObject'),
      run: completeUpload,
    }),
    AbortMultipartUpload: operation<AbortMultipartUploadRequest, AbortMultipartUploadOutput>({
      authorize: onUpload('s3:AbortMultipartUpload'),
      run: (call, input) => {
        requireBucket(call, call.tx, input);
        // Of directory buckets alone.
        if (input.IfMatchInitiatedTime !== undefined) throw headerNotImplemented('x-amz-if-match-initiated-time');
        call.tx.delete('upload', requireUpload(call.tx, input).id);
        return {};
      },
    }),
  } satisfies Record<string, Operation>;
}
