// What protects an object's bytes at rest: the cloud's own key (SSE-S3, the default), a KMS key (SSE-KMS), a KMS key and over it the cloud's own (DSSE-KMS), or the
// customer's (SSE-C, customer-keys.ts).
// https://docs.aws.amazon.com/AmazonS3/latest/userguide/UsingKMSEncryption.html (read 2026-11-21). S3 asks KMS in its caller's name: GenerateDataKey to write, Decrypt to
// read. KMS's own errors come through as `KMS.…` (recorded). Each blob has a key of its own under the KMS key's material, so a read asks for nothing else.
// Two layers know no bucket key: S3 takes the header and does not apply it (seen on S3 by Nextcloud's tests, pull request 62539).
// Gap: SSE-C and SSE-KMS are taken over plain HTTP too.

import type { Soon } from '../../edge/soon.ts';
import { AwsError } from '../../errors.ts';
import {
  algorithmKey,
  checkSymmetric,
  checkUsable,
  findKey,
  firstMaterial,
  keyContext,
  managedKey,
  presentKey,
  s3Alias,
} from '../../kms-keys.ts';
import type { BaseCall, Call, StreamCall } from '../../service.ts';
import type { KmsKeyRow } from '../../store/rows/kms.ts';
import type { BucketRow, KmsEncryption, ObjectRow } from '../../store/rows/s3.ts';
import type { Transaction } from '../../store/store.ts';
import { type BlobKey, inTwoLayers, keysUnder, unwrapping, wrapping } from './blob-cipher.ts';
import { configurationOf } from './configurations.ts';
import { type CustomerKey, type CustomerKeyInput, customerKeyOf } from './customer-keys.ts';
import { bareAccessDenied, invalidArgument, notImplemented } from './errors.ts';
import { bucketArn, objectArn } from './names.ts';
import type { S3 } from './state.ts';

export interface EncryptionInput extends CustomerKeyInput {
  readonly SSEKMSKeyId?: string | undefined;
  readonly SSEKMSEncryptionContext?: string | undefined;
  readonly BucketKeyEnabled?: boolean | undefined;
}

type Protection = Pick<ObjectRow, 'customerKeyMd5' | 'encryption'>;

/** The rule of a bucket, as it is kept. */
interface DefaultRule {
  readonly ApplyServerSideEncryptionByDefault?: { readonly SSEAlgorithm?: string; readonly KMSMasterKeyID?: string };
  readonly BucketKeyEnabled?: boolean;
  readonly BlockedEncryptionTypes?: { readonly EncryptionType?: readonly string[] };
}

function ruleOf(bucket: BucketRow): DefaultRule {
  return configurationOf<{ readonly Rules: readonly DefaultRule[] }>(bucket, 'encryption')?.Rules[0] ?? {};
}

/** What a write asks for, or else what its bucket does by default. @throws InvalidArgument, NotImplemented */
function wanted(bucket: BucketRow, input: EncryptionInput): { algorithm: string; keyId?: string | undefined } {
  const { ServerSideEncryption: asked, SSEKMSKeyId: keyId } = input;
  if (asked !== undefined && !/^(AES256|aws:(kms|kms:dsse|fsx))$/.test(asked))
    throw invalidArgument('The encryption method specified is not supported', 'x-amz-server-side-encryption', asked);
  if (keyId !== undefined && !asked?.startsWith('aws:kms'))
    throw invalidArgument(
      'Server Side Encryption with AWS KMS managed key requires HTTP header x-amz-server-side-encryption : aws:kms',
      'x-amz-server-side-encryption',
      asked ?? 'null',
    );
  const byDefault = ruleOf(bucket).ApplyServerSideEncryptionByDefault;
  const algorithm = asked ?? byDefault?.SSEAlgorithm ?? 'AES256';
  if (algorithm === 'aws:fsx') throw notImplemented(`x-amz-server-side-encryption: ${algorithm}`);
  return { algorithm, keyId: asked === undefined ? byDefault?.KMSMasterKeyID : keyId };
}

/** Whether a write will need the account's `aws/s3`. */
function needsManagedKey(bucket: BucketRow, input: EncryptionInput): boolean {
  if (input.SSECustomerAlgorithm !== undefined) return false;
  const { algorithm, keyId } = wanted(bucket, input);
  return algorithm !== 'AES256' && (keyId === undefined || keyId.endsWith(s3Alias));
}

/** Makes `aws/s3` before a write that needs it: what a write finds out about its bucket is a read, which keeps nothing. */
export function readyManagedKey(
  call: StreamCall,
  input: EncryptionInput & { readonly Bucket?: string | undefined },
): Soon<void> {
  const bucket = call.read((tx) => tx.get('bucket', input.Bucket ?? ''));
  if (!bucket || !needsManagedKey(bucket, input)) return undefined;
  return call.transact((tx) => void managedKey(tx, scopeOf(call, bucket), 's3', call.now));
}

function scopeOf(call: BaseCall, bucket: Pick<BucketRow, 'region'>) {
  return { partition: call.partition, region: bucket.region, accountId: call.accountId };
}

/**
 * What will protect the object that a request writes; the caller may use the key.
 * @throws KMS.NotFoundException, KMS.DisabledException, KMS.KMSInvalidStateException, AccessDenied, InvalidArgument, NotImplemented
 */
export function protectionOf(
  call: BaseCall,
  tx: Transaction,
  bucket: BucketRow,
  key: string,
  input: EncryptionInput,
): Protection {
  const customerKey = customerKeyOf(input);
  if (customerKey) {
    if (ruleOf(bucket).BlockedEncryptionTypes?.EncryptionType?.includes('SSE-C'))
      throw bareAccessDenied(`the encryption of ${bucket.id} blocks customer keys (SSE-C)`);
    return { customerKeyMd5: customerKey.md5 };
  }
  const { algorithm, keyId } = wanted(bucket, input);
  if (algorithm === 'AES256') return { encryption: 'AES256' };
  const scope = scopeOf(call, bucket);
  if (call.principal.type === 'anonymous') throw needsSignature();
  const kmsKey =
    keyId === undefined ? managedKey(tx, scope, 's3', call.now) : findKey(tx, scope, keyId, call.now, 'KMS.');
  const twoLayers = algorithm === 'aws:kms:dsse';
  const bucketKey = !twoLayers && (input.BucketKeyEnabled ?? ruleOf(bucket).BucketKeyEnabled ?? false);
  const context = checkedContext(input.SSEKMSEncryptionContext);
  const encryption: KmsEncryption = {
    keyArn: kmsKey.id,
    ...(twoLayers && { twoLayers }),
    ...(bucketKey && { bucketKey: true }),
    ...(context && { context }),
  };
  askKms(call, tx, 'kms:GenerateDataKey', kmsKey, encryption, { bucket: bucket.id, key, region: bucket.region });
  return { encryption };
}

const needsSignature = () =>
  invalidArgument(
    'Requests specifying Server Side Encryption with AWS KMS managed keys require AWS Signature Version 4.',
    'Authorization',
    'null',
  );

interface Place {
  readonly bucket: string;
  readonly key: string;
  readonly region: string;
}

/** @throws AccessDenied in the words of the KMS action, KMS.DisabledException, KMS.KMSInvalidStateException */
function askKms(
  call: BaseCall,
  tx: Transaction,
  action: `kms:${'GenerateDataKey' | 'Decrypt' | 'Encrypt' | 'ReEncryptFrom' | 'ReEncryptTo'}`,
  kmsKey: KmsKeyRow,
  { bucketKey, context }: KmsEncryption,
  { bucket, key, region }: Place,
): void {
  const arn = bucketKey ? bucketArn(call.partition, bucket) : objectArn(call.partition, bucket, key);
  const via = `s3.${region}.amazonaws.com`;
  const given = context === undefined ? {} : (JSON.parse(context) as Record<string, string>);
  const keys = keyContext(tx, kmsKey, call.accountId, { ...given, 'aws:s3:arn': arn }, via);
  call.require(tx, action, kmsKey.id, { ...keys, ...algorithmKey });
  checkUsable(kmsKey, call.now, 'KMS.');
  checkSymmetric(kmsKey, action.replace(/^kms:|(From|To)$/g, ''), 'KMS.');
}

/** @returns the JSON in a canonical form   @throws InvalidArgument, whose wording is without a source */
function checkedContext(encoded: string | undefined): string | undefined {
  if (encoded === undefined) return undefined;
  try {
    const pairs = JSON.parse(Buffer.from(encoded, 'base64').toString()) as Record<string, unknown>;
    if (pairs !== null && typeof pairs === 'object' && Object.values(pairs).every((value) => typeof value === 'string'))
      return JSON.stringify(pairs);
  } catch {
    // Falls through to the same answer.
  }
  throw invalidArgument(
    'The header x-amz-server-side-encryption-context shall be Base64-encoded UTF-8 string holding JSON which represents a string-string map',
    'x-amz-server-side-encryption-context',
    encoded,
  );
}

type Stored = Pick<ObjectRow, 'encryption' | 'sealed'> & Place;

/** What a write's bytes are sealed with, after `protectionOf` has said what protects them; undefined for an upload that began before all were encrypted. */
export function sealingKey(
  s3: S3,
  call: StreamCall,
  row: Pick<ObjectRow, 'encryption' | 'sealed'>,
  customerKey: CustomerKey | undefined,
): BlobKey | undefined {
  if (customerKey) return () => customerKey.key;
  const { encryption } = row;
  if (encryption === undefined) return row.sealed && (() => s3.blobs.ownKey());
  if (encryption === 'AES256') return s3.blobs.ownKeys();
  return call.read((tx) => keysUnderKms(s3, tx, encryption, call.now));
}

/** @throws KMS.NotFoundException */
function keysUnderKms(s3: S3, tx: Transaction, encryption: KmsEncryption, now: Date): BlobKey {
  const kmsKey = requirePresent(tx, encryption.keyArn, now);
  const material = Buffer.from(firstMaterial(kmsKey), 'base64');
  const keys = encryption.wrappedKeys ? unwrapping(material, encryption.wrappedKeys) : keysUnder(material);
  return encryption.twoLayers ? inTwoLayers(keys, s3.blobs.ownKeys()) : keys;
}

/**
 * Puts an object's bytes under a KMS key where they lie: their own keys are wrapped by it. The caller may open what they are under now, and use the new key.
 * @throws as `protectionOf`
 */
export function rewrapped(s3: S3, call: Call, object: ObjectRow, kmsKey: KmsKeyRow, bucketKey: boolean): ObjectRow {
  const { tx } = call;
  const { encryption: before } = object;
  const under = { keyArn: kmsKey.id, ...(bucketKey && { bucketKey: true as const }) };
  let open: BlobKey = object.sealed ? () => s3.blobs.ownKey() : s3.blobs.ownKeys();
  if (typeof before === 'object') {
    for (const action of ['kms:Decrypt', 'kms:ReEncryptFrom'] as const)
      askKms(call, tx, action, requirePresent(tx, before.keyArn, call.now), before, object);
    open = keysUnderKms(s3, tx, before, call.now);
  }
  for (const action of ['kms:GenerateDataKey', 'kms:Encrypt', 'kms:ReEncryptTo'] as const)
    askKms(call, tx, action, kmsKey, under, object);
  const material = Buffer.from(firstMaterial(kmsKey), 'base64');
  const wrappedKeys = wrapping(material, open, object.partBlobIds ?? [object.blobId]);
  const { sealed: _, ...kept } = object;
  return { ...kept, encryption: { ...under, wrappedKeys } };
}

/** @throws KMS.NotFoundException */
function requirePresent(tx: Transaction, keyArn: string, now: Date): KmsKeyRow {
  const kmsKey = presentKey(tx, keyArn, now);
  if (!kmsKey) throw keyIsGone(keyArn);
  return kmsKey;
}

/** The same to open what is stored: the caller may decrypt with its KMS key. @throws as `protectionOf` */
export function openingKey(
  s3: S3,
  call: StreamCall,
  row: Stored,
  customerKey: CustomerKey | undefined,
): BlobKey | undefined {
  const { encryption } = row;
  if (typeof encryption === 'object') call.read((tx) => checkDecrypts(call, tx, row));
  return sealingKey(s3, call, row, customerKey);
}

/** Whether the caller may decrypt under the KMS key of an object or an upload; nothing to ask of other protections. */
export function checkDecrypts(call: BaseCall, tx: Transaction, row: Stored): void {
  const { encryption } = row;
  if (typeof encryption !== 'object') return;
  if (call.principal.type === 'anonymous') throw needsSignature();
  askKms(call, tx, 'kms:Decrypt', requirePresent(tx, encryption.keyArn, call.now), encryption, row);
}

/** A deleted key takes its objects with it. */
function keyIsGone(arn: string): AwsError {
  return new AwsError('KMS.NotFoundException', 400, `Key '${arn}' does not exist`);
}

/** Whether a copy may be a second name for the same encrypted bytes. */
export function haveOneKey(from: Pick<ObjectRow, 'encryption'>, to: Pick<ObjectRow, 'encryption'>): boolean {
  const baseOf = ({ encryption }: Pick<ObjectRow, 'encryption'>) =>
    typeof encryption === 'object' ? `${encryption.keyArn} ${encryption.twoLayers ?? false}` : encryption;
  // Bytes whose keys are wrapped have them in their own row.
  if (typeof from.encryption === 'object' && from.encryption.wrappedKeys) return false;
  return from.encryption !== undefined && baseOf(from) === baseOf(to);
}

/** How an answer says what protects the bytes. */
export function encryptionMembers({ customerKeyMd5, encryption }: Protection): {
  SSECustomerAlgorithm?: string;
  SSECustomerKeyMD5?: string;
  ServerSideEncryption?: 'AES256' | 'aws:kms' | 'aws:kms:dsse';
  SSEKMSKeyId?: string;
  BucketKeyEnabled?: true;
} {
  if (customerKeyMd5 !== undefined) return { SSECustomerAlgorithm: 'AES256', SSECustomerKeyMD5: customerKeyMd5 };
  if (typeof encryption !== 'object') return { ServerSideEncryption: 'AES256' };
  return {
    ServerSideEncryption: encryption.twoLayers ? 'aws:kms:dsse' : 'aws:kms',
    SSEKMSKeyId: encryption.keyArn,
    ...(encryption.bucketKey && { BucketKeyEnabled: true }),
  };
}

/** What a write tells besides: the context that it was given. */
export function contextMember({ encryption }: Protection): { SSEKMSEncryptionContext?: string } {
  if (typeof encryption !== 'object' || encryption.context === undefined) return {};
  return { SSEKMSEncryptionContext: Buffer.from(encryption.context).toString('base64') };
}

/** The key's ARN, as policies ask for it whatever form the request names it in. */
export function kmsKeyContext(
  call: BaseCall,
  { SSEKMSKeyId: named }: EncryptionInput,
): Record<string, readonly string[]> {
  if (named === undefined) return {};
  const scope = `arn:${call.partition}:kms:${call.region}:${call.accountId}`;
  const arn = named.startsWith('arn:') ? named : `${scope}:${named.startsWith('alias/') ? '' : 'key/'}${named}`;
  return { 's3:x-amz-server-side-encryption-aws-kms-key-id': [arn] };
}
