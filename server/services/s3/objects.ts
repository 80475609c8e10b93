// Objects: put and delete. Reading is reads.ts, copying copy.ts.
// https://docs.aws.amazon.com/AmazonS3/latest/API/API_PutObject.html and neighbours (read 2026-11-21).
// A put checks what it can before the first byte (headers, conditions), writes the body to a file, and then commits the row; the conditions are
// checked again in that transaction, so of two `If-None-Match: *` one wins.

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
import { AwsError } from '../../errors.ts';
import { type Call, type Operation, operation, type StreamCall, streamOperation } from '../../service.ts';
import type { ObjectRow } from '../../store/rows/s3.ts';
import { commonContext, onObject, requireBucket, requireKey } from './access.ts';
import type { Body, WrittenBlob } from './blobs.ts';
import { checkMd5Form, checksumMembers, checksumValue, toCompute, verifyBody, wantedChecksum } from './checksums.ts';
import { checkWrite } from './conditions.ts';
import { entityTooLarge, incompleteBody, invalidArgument, keyTooLong, malformedXml, notImplemented } from './errors.ts';
import { furtherWriteActions, metadataOf, writeContext } from './metadata.ts';
import { objectArn, objectId } from './names.ts';
import type { S3 } from './state.ts';

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
 * @throws EntityTooLarge, IncompleteBody, BadDigest, InvalidDigest, or what the body's own checks throw; then nothing is left
 */
export async function receiveBody(
  s3: S3,
  call: StreamCall,
  input: WithBody<Pick<PutObjectRequest, 'ContentLength' | 'ContentMD5'>>,
  wanted: ReturnType<typeof wantedChecksum>,
): Promise<WrittenBlob & { readonly checksum: string | undefined }> {
  checkMd5Form(input.ContentMD5);
  const announced = announcedBytes(call, input);
  const onTooLong = (sizeBytes: number) => entityTooLarge(announced ?? sizeBytes, maxBodyBytes);
  if (announced !== undefined && announced > maxBodyBytes) throw onTooLong(announced);
  const body: Body | undefined = input.Body;
  const written = await s3.blobs.write(body, {
    maxBytes: maxBodyBytes,
    onTooLong,
    checksums: toCompute(body, wanted, call.headers),
  });
  try {
    if (announced !== undefined && written.sizeBytes !== announced) throw incompleteBody(announced, written.sizeBytes);
    verifyBody(written, input.ContentMD5, wanted);
  } catch (error) {
    s3.blobs.discard(written.blobId);
    throw error;
  }
  return { ...written, checksum: checksumValue(body, written, wanted) };
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

async function putObject(s3: S3, call: StreamCall, input: WithBody<PutObjectRequest>): Promise<PutObjectOutput> {
  const key = requireKey(input);
  if (input.WriteOffsetBytes !== undefined) throw notImplemented('x-amz-write-offset-bytes');
  const wanted = wantedChecksum(call, input);
  const metadata = call.read((tx) => {
    const bucket = requireBucket(call, tx, input);
    checkWrite(tx.get('object', objectId(bucket.id, key)), key, input);
    return metadataOf(call, bucket, input);
  });
  const written = await receiveBody(s3, call, input, wanted);
  const object = await commitBlobs(s3, [written.blobId], () =>
    call.transact((tx) => {
      const bucket = requireBucket(call, tx, input);
      const id = objectId(bucket.id, key);
      checkWrite(tx.get('object', id), key, input);
      const row: ObjectRow = {
        id,
        accountId: bucket.accountId,
        region: bucket.region,
        bucket: bucket.id,
        key,
        blobId: written.blobId,
        sizeBytes: written.sizeBytes,
        etag: `"${written.md5}"`,
        lastModified: wholeSeconds(call.now),
        ...metadata,
        ...(wanted &&
          written.checksum !== undefined && {
            checksum: { algorithm: wanted.algorithm, value: written.checksum, type: 'FULL_OBJECT' as const },
          }),
      };
      tx.put('object', row);
      return row;
    }),
  );
  return { ETag: object.etag, ServerSideEncryption: 'AES256', ...checksumMembers(object.checksum) };
}

/** S3 keeps the time of a change in whole seconds. */
export function wholeSeconds(date: Date): string {
  return new Date(Math.floor(date.getTime() / 1000) * 1000).toISOString();
}

/**
 * Buckets have no versions, so the only version of anything is `null`.
 * @throws InvalidArgument for another id
 */
export function checkVersion(versionId: string | undefined): void {
  if (versionId !== undefined && versionId !== 'null')
    throw invalidArgument('Invalid version id specified', 'versionId', versionId);
}

function deleteObject(call: Call, input: DeleteObjectRequest): DeleteObjectOutput {
  checkVersion(input.VersionId);
  const { IfMatchLastModifiedTime, IfMatchSize } = input;
  if (IfMatchLastModifiedTime !== undefined || IfMatchSize !== undefined) throw notImplemented('x-amz-if-match-size');
  const bucket = requireBucket(call, call.tx, input);
  const key = requireKey(input);
  const id = objectId(bucket.id, key);
  const existing = call.tx.get('object', id);
  checkWrite(existing, key, { IfMatch: input.IfMatch });
  if (existing) call.tx.delete('object', id);
  return {};
}

function deleteObjects(call: Call, input: DeleteObjectsRequest): DeleteObjectsOutput {
  const bucket = requireBucket(call, call.tx, input);
  const wanted = input.Delete?.Objects ?? [];
  if (wanted.length === 0 || wanted.length > 1000) throw malformedXml();
  const Deleted: DeletedObject[] = [];
  const Errors: S3Error[] = [];
  for (const { Key = '', VersionId, ETag } of wanted) {
    const versioned = VersionId !== undefined && { VersionId };
    try {
      if (Buffer.byteLength(Key) > 1024) throw keyTooLong(Buffer.byteLength(Key));
      const action = VersionId === undefined ? 's3:DeleteObject' : 's3:DeleteObjectVersion';
      call.require(call.tx, action, objectArn(call.partition, bucket.id, Key), commonContext(call, bucket));
      checkVersion(VersionId);
      const id = objectId(bucket.id, Key);
      const existing = call.tx.get('object', id);
      checkWrite(existing, Key, { IfMatch: ETag });
      if (existing) call.tx.delete('object', id);
      if (!input.Delete?.Quiet) Deleted.push({ Key, ...versioned });
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
      authorize: onObject<WithBody<PutObjectRequest>>(
        's3:PutObject',
        (_call, input) => writeContext(input),
        furtherWriteActions,
      ),
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
