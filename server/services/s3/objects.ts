// Objects: put and delete. Reading is reads.ts, copying copy.ts.
// https://docs.aws.amazon.com/AmazonS3/latest/API/API_PutObject.html and neighbours (read 2026-11-21).
// A put checks what it can before the first byte (headers, conditions), writes the body to a file, and then commits the row; the conditions are
// checked again in that transaction, so of two `If-None-Match: *` one wins.

import { randomBytes } from 'node:crypto';
import type { Readable } from 'node:stream';
import type {
  DeletedObject,
  DeleteObjectOutput,
  DeleteObjectRequest,
  DeleteObjectsOutput,
  DeleteObjectsRequest,
  PutObjectOutput,
  PutObjectRequest,
  _Error as S3Error,
} from '@aws-sdk/client-s3';
import { type Soon, soon } from '../../edge/soon.ts';
import { AwsError } from '../../errors.ts';
import { isoTime } from '../../iso-time.ts';
import { type Call, type Operation, operation, type StreamCall, streamOperation } from '../../service.ts';
import type { BucketRow, DeleteMarkerRow, ObjectRow } from '../../store/rows/s3.ts';
import { commonContext, onObject, requireBucket, requireKey } from './access.ts';
import type { BlobKey } from './blob-cipher.ts';
import type { Body, WrittenBlob } from './blobs.ts';
import {
  checkMd5Form,
  checksumMembers,
  checksumValue,
  defaultChecksum,
  toCompute,
  verifyBody,
  type WantedChecksum,
  wantedChecksum,
} from './checksums.ts';
import { checkDelete, checkWrite } from './conditions.ts';
import { customerKeyOf } from './customer-keys.ts';
import { contextMember, encryptionMembers, readyManagedKey, sealingKey } from './encryption.ts';
import {
  entityTooLarge,
  headerNotImplemented,
  incompleteBody,
  keyTooLong,
  malformedXml,
  noSuchVersion,
  notImplemented,
} from './errors.ts';
import { expirationMember } from './lifecycle.ts';
import { metadataOf, type ObjectMetadata, onWrite, writeContext } from './metadata.ts';
import { requireMfa } from './mfa-delete.ts';
import { objectArn, objectId } from './names.ts';
import { checkBypass, checkDeletable, checkLockedUpload } from './object-lock.ts';
import { checkVersionId, isVersionOf } from './reads.ts';
import type { S3 } from './state.ts';
import { deleteKey, deleteVersion, isMarker, oneVersion, placeObject, versionIdOf } from './versions.ts';

/** The largest body of one request: 5 GiB. */
export const maxBodyBytes = 5 * 1024 ** 3;

export type WithBody<I> = Omit<I, 'Body'> & { readonly Body?: Readable | Uint8Array };

/** How many bytes a request says it brings; undefined when it does not. */
function announcedBytes(call: StreamCall, input: { readonly ContentLength?: number | undefined }): number | undefined {
  const decoded = call.headers['x-amz-decoded-content-length'];
  if (decoded !== undefined) return Number(decoded);
  return input.ContentLength;
}

/**
 * Writes a request's body to a blob and checks it against the digests that came with it.
 * @param further suffixes of checksums to compute besides; `key`: to encrypt with
 * @throws EntityTooLarge, IncompleteBody, BadDigest, InvalidDigest, or what the body's own checks throw; then nothing is left
 */
export function receiveBody(
  s3: S3,
  call: StreamCall,
  input: WithBody<Pick<PutObjectRequest, 'ContentLength' | 'ContentMD5'>>,
  wanted: WantedChecksum | undefined,
  { further = [], key }: { readonly further?: readonly string[]; readonly key?: BlobKey | undefined } = {},
): Soon<WrittenBlob & { readonly checksum: string | undefined }> {
  checkMd5Form(input.ContentMD5);
  const announced = announcedBytes(call, input);
  const onTooLong = (sizeBytes: number) => entityTooLarge(announced ?? sizeBytes, maxBodyBytes);
  if (announced !== undefined && announced > maxBodyBytes) throw onTooLong(announced);
  const body: Body | undefined = input.Body;
  const blob = s3.blobs.write(body, {
    maxBytes: maxBodyBytes,
    onTooLong,
    checksums: [...toCompute(body, wanted, call.headers), ...further],
    key,
  });
  return soon(blob, (written) => {
    try {
      if (announced !== undefined && written.sizeBytes !== announced)
        throw incompleteBody(announced, written.sizeBytes);
      verifyBody(written, input.ContentMD5, wanted);
    } catch (error) {
      s3.blobs.discard(written.blobId);
      throw error;
    }
    // Not begun with the spread: each such object would be of a class of its own (V8 11).
    return { checksum: checksumValue(body, written, wanted), ...written };
  });
}

/** Runs a transaction that names new blobs; when it fails they are removed. */
export async function commitBlobs<T>(s3: S3, blobIds: readonly string[], commit: () => Promise<T>): Promise<T> {
  try {
    return await commit();
  } catch (error) {
    for (const blobId of blobIds) s3.blobs.discard(blobId);
    throw error;
  }
}

function putObject(s3: S3, call: StreamCall, input: WithBody<PutObjectRequest>): Soon<PutObjectOutput> {
  const key = requireKey(input);
  if (input.WriteOffsetBytes !== undefined) throw notImplemented('x-amz-write-offset-bytes');
  const given = wantedChecksum(call, input);
  const customerKey = customerKeyOf(input);
  const wanted = given ?? defaultChecksum;
  return soon(readyManagedKey(call, input), () => {
    const metadata = call.read((tx) => {
      const bucket = requireBucket(call, tx, input);
      checkWrite(tx.get('object', objectId(bucket.id, key)), key, input);
      return metadataOf(call, tx, bucket, input);
    });
    checkLockedUpload(metadata, input.ContentMD5 !== undefined || given !== undefined);
    const received = receiveBody(s3, call, input, wanted, { key: sealingKey(s3, call, metadata, customerKey) });
    return soon(received, (written) => placePut(s3, call, input, { key, metadata, wanted, written }));
  });
}

interface Received {
  readonly key: string;
  readonly metadata: ObjectMetadata;
  readonly wanted: WantedChecksum | undefined;
  readonly written: WrittenBlob & { readonly checksum: string | undefined };
}

/** Names what was received in a row. */
async function placePut(
  s3: S3,
  call: StreamCall,
  input: WithBody<PutObjectRequest>,
  { key, metadata, wanted, written }: Received,
): Promise<PutObjectOutput> {
  const object = await commitBlobs(s3, [written.blobId], () =>
    call.transact((tx) => {
      const bucket = requireBucket(call, tx, input);
      checkWrite(tx.get('object', objectId(bucket.id, key)), key, input);
      const made = {
        key,
        blobId: written.blobId,
        sizeBytes: written.sizeBytes,
        etag: etagOf(written, metadata),
        lastModified: wholeSeconds(call.now),
        ...metadata,
        ...(wanted &&
          written.checksum !== undefined && {
            checksum: { algorithm: wanted.algorithm, value: written.checksum, type: 'FULL_OBJECT' as const },
          }),
      };
      return placeObject(tx, bucket, made, call.now);
    }),
  );
  return {
    ETag: object.etag,
    ...encryptionMembers(object),
    ...contextMember(object),
    ...checksumMembers(object.checksum),
    ...(object.versionId !== undefined && { VersionId: object.versionId }),
    ...call.read((tx) => expirationMember(requireBucket(call, tx, input), object)),
  };
}

/** The MD5 of the bytes, in quotes; of bytes under a key that is not the cloud's own it tells nothing. */
export function etagOf(
  written: WrittenBlob,
  { customerKeyMd5, encryption }: Pick<ObjectRow, 'customerKeyMd5' | 'encryption'>,
): string {
  const isPlain = customerKeyMd5 === undefined && typeof encryption !== 'object';
  return `"${isPlain ? written.md5 : randomBytes(16).toString('hex')}"`;
}

/** S3 keeps the time of a change in whole seconds. */
export function wholeSeconds(date: Date): string {
  return `${isoTime(date).slice(0, -4)}000Z`;
}

interface Deletion {
  readonly VersionId?: string | undefined;
  readonly IfMatch?: string | undefined;
  readonly bypass: boolean | undefined;
}

/** Deletes a key, or one version of it. @throws PreconditionFailed, NoSuchKey, AccessDenied (object lock), InvalidArgument */
function remove(
  call: Call,
  bucket: BucketRow,
  key: string,
  { VersionId: versionId, IfMatch, bypass }: Deletion,
): { readonly marker?: DeleteMarkerRow; readonly wasMarker?: true } {
  checkVersionId(bucket, versionId);
  if (versionId === undefined) {
    if (IfMatch !== undefined) checkDelete(call.tx.get('object', objectId(bucket.id, key)), key, IfMatch);
    const marker = deleteKey(call.tx, bucket, key, call.now);
    return marker ? { marker } : {};
  }
  const row = oneVersion(call.tx, bucket.id, key, versionId);
  checkDelete(row && !isMarker(row) ? row : undefined, key, IfMatch);
  if (!row) return {};
  if (!isMarker(row)) checkDeletable(call, call.tx, bucket, row, bypass);
  deleteVersion(call.tx, row);
  return isMarker(row) ? { wasMarker: true } : {};
}

function deleteObject(call: Call, input: DeleteObjectRequest): DeleteObjectOutput {
  if (input.IfMatchLastModifiedTime !== undefined) throw headerNotImplemented('x-amz-if-match-last-modified-time');
  if (input.IfMatchSize !== undefined) throw headerNotImplemented('x-amz-if-match-size');
  const { VersionId, IfMatch, BypassGovernanceRetention: bypass } = input;
  const bucket = requireBucket(call, call.tx, input);
  const key = requireKey(input);
  checkBypass(bucket, bypass);
  if (bucket.mfaDelete && VersionId !== undefined) requireMfa(call, bucket, input);
  const { marker, wasMarker } = remove(call, bucket, key, { VersionId, IfMatch, bypass });
  if (marker) return { DeleteMarker: true, VersionId: versionIdOf(marker) };
  return {
    ...(VersionId !== undefined && bucket.versioning !== undefined && { VersionId }),
    ...(wasMarker && { DeleteMarker: true }),
  };
}

function deleteObjects(call: Call, input: DeleteObjectsRequest): DeleteObjectsOutput {
  const bucket = requireBucket(call, call.tx, input);
  const wanted = input.Delete?.Objects ?? [];
  if (wanted.length === 0 || wanted.length > 1000 || wanted.some((one) => !one.Key)) throw malformedXml();
  const { BypassGovernanceRetention: bypass } = input;
  checkBypass(bucket, bypass);
  if (bucket.mfaDelete && wanted.some((one) => one.VersionId !== undefined)) requireMfa(call, bucket, input);
  const context = commonContext(call, bucket);
  const Deleted: DeletedObject[] = [];
  const Errors: S3Error[] = [];
  for (const { Key = '', VersionId, ETag } of wanted) {
    const versioned = VersionId !== undefined && { VersionId };
    try {
      if (Buffer.byteLength(Key) > 1024) throw keyTooLong(Buffer.byteLength(Key));
      const action = VersionId === undefined ? 's3:DeleteObject' : 's3:DeleteObjectVersion';
      call.require(call.tx, action, objectArn(call.partition, bucket.id, Key), context);
      // Recorded: of several, one with an id that no version ever had is not there; alone it is an InvalidArgument.
      if (VersionId && !isVersionOf(bucket, VersionId)) throw noSuchVersion(Key, VersionId);
      const { marker, wasMarker } = remove(call, bucket, Key, { VersionId, IfMatch: ETag, bypass });
      const markerId = marker ? versionIdOf(marker) : wasMarker && VersionId;
      if (!input.Delete?.Quiet)
        Deleted.push({ Key, ...versioned, ...(markerId && { DeleteMarker: true, DeleteMarkerVersionId: markerId }) });
    } catch (error) {
      if (!(error instanceof AwsError)) throw error;
      Errors.push({ Key, ...versioned, Code: error.code, Message: error.message });
    }
  }
  return { ...(Deleted.length > 0 && { Deleted }), ...(Errors.length > 0 && { Errors }) };
}

export function objectOperations(s3: S3) {
  return {
    PutObject: streamOperation<WithBody<PutObjectRequest>, PutObjectOutput>({
      authorize: onWrite<WithBody<PutObjectRequest>>(writeContext),
      run: (call, input) => putObject(s3, call, input),
    }),
    DeleteObject: operation<DeleteObjectRequest, DeleteObjectOutput>({
      authorize: (call, input) =>
        onObject<DeleteObjectRequest>(input.VersionId === undefined ? 's3:DeleteObject' : 's3:DeleteObjectVersion')(
          call,
          input,
        ),
      run: deleteObject,
    }),
    DeleteObjects: operation<DeleteObjectsRequest, DeleteObjectsOutput>({
      // Each key is asked about by itself, and a denied one is an error in the answer.
      authorize: (call, input) => {
        requireBucket(call, call.tx, input);
        return [];
      },
      run: deleteObjects,
    }),
  } satisfies Record<string, Operation>;
}
