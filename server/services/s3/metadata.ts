// What a write says about an object besides its bytes: content headers, user metadata, storage class, encryption, tags; and the keys that
// policies may ask about them.

import type { BaseCall, Call, Permission } from '../../service.ts';
import type { BucketRow, ObjectRow } from '../../store/rows/s3.ts';
import type { Transaction } from '../../store/store.ts';
import { tagKeys } from '../../tag-keys.ts';
import { type Context, type ObjectInput, onObject } from './access.ts';
import { aclContext } from './acl-grants.ts';
import { aclOfWrite } from './acls.ts';
import { decodeWord } from './encoded-words.ts';
import { type EncryptionInput, kmsKeyContext, protectionOf } from './encryption.ts';
import { invalidRedirectLocation, invalidStorageClass, metadataTooLarge } from './errors.ts';
import { locksOf } from './object-lock.ts';
import { tagsFromHeader } from './tag-sets.ts';

/** The members that PutObject, CreateMultipartUpload and CopyObject share. */
export interface WriteInput extends EncryptionInput {
  readonly Key?: string | undefined;
  readonly ACL?: string | undefined;
  readonly CacheControl?: string | undefined;
  readonly ContentDisposition?: string | undefined;
  readonly ContentEncoding?: string | undefined;
  readonly ContentLanguage?: string | undefined;
  readonly ContentType?: string | undefined;
  readonly Expires?: Date | string | undefined;
  readonly GrantFullControl?: string | undefined;
  readonly GrantRead?: string | undefined;
  readonly GrantReadACP?: string | undefined;
  readonly GrantWriteACP?: string | undefined;
  readonly Metadata?: Record<string, string> | undefined;
  readonly ObjectLockMode?: string | undefined;
  readonly ObjectLockRetainUntilDate?: Date | undefined;
  readonly ObjectLockLegalHoldStatus?: string | undefined;
  readonly ObjectLockEventHold?: string | undefined;
  readonly ObjectLockEventHoldDurationDays?: number | undefined;
  readonly ObjectLockEventHoldDurationYears?: number | undefined;
  readonly StorageClass?: string | undefined;
  readonly Tagging?: string | undefined;
  readonly WebsiteRedirectLocation?: string | undefined;
}

export type ObjectMetadata = Pick<
  ObjectRow,
  | 'contentType'
  | 'systemMetadata'
  | 'userMetadata'
  | 'storageClass'
  | 'tags'
  | 'retention'
  | 'legalHold'
  | 'customerKeyMd5'
  | 'encryption'
  | 'acl'
> & { readonly accountId?: string };

const storageClasses = new Set([
  'STANDARD',
  'REDUCED_REDUNDANCY',
  'STANDARD_IA',
  'ONEZONE_IA',
  'INTELLIGENT_TIERING',
  'GLACIER',
  'DEEP_ARCHIVE',
  'GLACIER_IR',
]);

export function isStorageClass(name: string): boolean {
  return storageClasses.has(name);
}

/** Objects of these classes must be restored before they can be read. */
export function isArchived(storageClass: string): boolean {
  return storageClass === 'GLACIER' || storageClass === 'DEEP_ARCHIVE';
}

/**
 * @param bucket its ownership decides about ACLs
 * @throws NotImplemented, AccessControlListNotSupported, InvalidStorageClass, MetadataTooLarge, InvalidTag, InvalidArgument
 */
export function metadataOf(call: BaseCall, tx: Transaction, bucket: BucketRow, input: WriteInput): ObjectMetadata {
  const accountId = ownerOf(call, bucket, input);
  const storageClass = input.StorageClass ?? 'STANDARD';
  if (!isStorageClass(storageClass)) throw invalidStorageClass(storageClass);
  const userMetadata: Record<string, string> = {};
  for (const [name, value] of Object.entries(input.Metadata ?? {})) userMetadata[name] = decodeWord(value);
  let sizeBytes = 0;
  for (const [name, value] of Object.entries(userMetadata))
    sizeBytes += Buffer.byteLength(name) + Buffer.byteLength(value);
  if (sizeBytes > 2048) throw metadataTooLarge(sizeBytes);
  return {
    contentType: input.ContentType || 'binary/octet-stream',
    systemMetadata: systemMetadataOf(call, input),
    userMetadata,
    storageClass,
    ...(input.Tagging && { tags: tagsFromHeader(input.Tagging) }),
    ...locksOf(call, bucket, input),
    ...protectionOf(call, tx, bucket, input.Key ?? '', input),
    ...(accountId !== bucket.accountId && { accountId }),
    ...aclOfWrite(tx, bucket, input, accountId),
  };
}

/** Whose object it will be: the bucket's owner's, unless the bucket leaves it to a writer of another account. */
function ownerOf(call: BaseCall, bucket: BucketRow, { ACL: acl }: WriteInput): string {
  const { ownership } = bucket;
  const isWriters =
    call.principal.type !== 'anonymous' &&
    (ownership === 'ObjectWriter' || (ownership === 'BucketOwnerPreferred' && acl !== 'bucket-owner-full-control'));
  return isWriters ? call.accountId : bucket.accountId;
}

/**
 * The write, and what its parameters need beside it. Those are asked of the account whose object it will be: a writer from elsewhere whom the bucket lets
 * write needs the bucket's owner for no more (`s3:PutObject` under a condition on `s3:x-amz-acl` is all that AWS's own policies for log delivery give).
 */
export function onWrite<I extends WriteInput & ObjectInput>(
  keys: (call: Call, input: I) => Context,
): (call: Call, input: I) => readonly Permission[] {
  const asked = onObject<I>('s3:PutObject', keys, furtherWriteActions);
  return (call, input) => {
    const permissions = asked(call, input);
    const [write, ...further] = permissions;
    // A service of AWS's has no policies of its own, and those for log delivery speak of the write alone.
    if (write && call.principal.type === 'service') return [write];
    const bucket = call.tx.get('bucket', input.Bucket ?? '');
    if (!write || further.length === 0 || !bucket || bucket.ownership === 'BucketOwnerEnforced') return permissions;
    // Nobody's policies speak for an anonymous writer, whose object it would be at S3.
    if (call.principal.type === 'anonymous')
      return [write, ...further.filter(({ action }) => !/^s3:PutObject(Acl|Tagging)$/.test(action))];
    const ownerAccountId = ownerOf(call, bucket, input);
    return [write, ...further.map((one) => ({ ...one, ownerAccountId }))];
  };
}

function systemMetadataOf(call: BaseCall, input: WriteInput): Record<string, string> {
  const kept: Record<string, string> = {};
  // `aws-chunked` describes the upload, not the object.
  const given = input.ContentEncoding ?? '';
  const encoding = given.includes('aws-chunked')
    ? given
        .split(',')
        .map((one) => one.trim())
        .filter((one) => one !== '' && one !== 'aws-chunked')
        .join(',')
    : given;
  const expires = call.headers.expires ?? (input.Expires instanceof Date ? input.Expires.toUTCString() : input.Expires);
  if (input.CacheControl) kept['cache-control'] = input.CacheControl;
  if (input.ContentDisposition) kept['content-disposition'] = input.ContentDisposition;
  if (encoding) kept['content-encoding'] = encoding;
  if (input.ContentLanguage) kept['content-language'] = input.ContentLanguage;
  if (expires) kept.expires = expires;
  const { WebsiteRedirectLocation: redirect } = input;
  if (redirect) {
    if (!/^(https?:\/\/|\/)/.test(redirect)) throw invalidRedirectLocation();
    kept['x-amz-website-redirect-location'] = redirect;
  }
  return kept;
}

/** What policies may ask about a write. */
export function writeContext(
  call: BaseCall,
  input: WriteInput & { readonly IfMatch?: string | undefined; readonly IfNoneMatch?: string | undefined },
): Context {
  return {
    ...aclContext(input),
    ...(input.ServerSideEncryption && { 's3:x-amz-server-side-encryption': [input.ServerSideEncryption] }),
    ...kmsKeyContext(call, input),
    ...(input.SSECustomerAlgorithm && {
      's3:x-amz-server-side-encryption-customer-algorithm': [input.SSECustomerAlgorithm],
    }),
    ...(input.StorageClass && { 's3:x-amz-storage-class': [input.StorageClass] }),
    ...(input.WebsiteRedirectLocation && { 's3:x-amz-website-redirect-location': [input.WebsiteRedirectLocation] }),
    ...(input.IfMatch && { 's3:if-match': [input.IfMatch] }),
    ...(input.IfNoneMatch && { 's3:if-none-match': [input.IfNoneMatch] }),
    ...(input.ObjectLockMode && { 's3:object-lock-mode': [input.ObjectLockMode] }),
    ...(input.ObjectLockLegalHoldStatus && { 's3:object-lock-legal-hold': [input.ObjectLockLegalHoldStatus] }),
    ...(input.Tagging && requestTagContext(tagsFromHeader(input.Tagging))),
  };
}

export function requestTagContext(tags: Readonly<Record<string, string>>): Context {
  return { ...tagKeys('s3:RequestObjectTag', tags), 's3:RequestObjectTagKeys': Object.keys(tags) };
}

/** Permissions that parameters of a write need beside the write itself. */
function furtherWriteActions(input: WriteInput): string[] {
  const grants = [input.ACL, input.GrantFullControl, input.GrantRead, input.GrantReadACP, input.GrantWriteACP];
  return [
    ...(input.Tagging ? ['s3:PutObjectTagging'] : []),
    ...(grants.some((grant) => grant !== undefined) ? ['s3:PutObjectAcl'] : []),
    ...(input.ObjectLockMode ? ['s3:PutObjectRetention'] : []),
    ...(input.ObjectLockLegalHoldStatus ? ['s3:PutObjectLegalHold'] : []),
  ];
}
