// Which names does S3 take, and what are their ARNs?
// https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucketnamingrules.html and …/object-keys.html (read 2026-11-21)
// Gap: names of the special bucket kinds (directory, table, access point alias) are refused, as for a general purpose bucket.

import { createHash, randomBytes } from 'node:crypto';
import { AwsError } from '../../errors.ts';
import { invalidArgument, invalidBucketName, keyTooLong } from './errors.ts';

const forbiddenPrefixes = ['xn--', 'sthree-', 'amzn-s3-demo-'];
const forbiddenSuffixes = ['-s3alias', '--ol-s3', '.mrap', '--x-s3', '--table-s3'];

/** @throws InvalidBucketName */
export function checkBucketName(bucket: string): void {
  const wellFormed = /^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/.test(bucket);
  const address = /^\d{1,3}(\.\d{1,3}){3}$/.test(bucket);
  const reserved =
    forbiddenPrefixes.some((prefix) => bucket.startsWith(prefix)) ||
    forbiddenSuffixes.some((suffix) => bucket.endsWith(suffix));
  if (!wellFormed || address || reserved || bucket.includes('..')) throw invalidBucketName(bucket);
}

/**
 * Names that end with `-an` are their account's alone: `PREFIX-ACCOUNT-REGION-an`, which CreateBucket has to ask for.
 * https://docs.aws.amazon.com/AmazonS3/latest/userguide/gpbucketnamespaces.html (read 2026-11-21). The first two codes are as people met them; the wordings are without a source.
 * @throws MissingNamespaceHeader, InvalidBucketNamespace, InvalidArgument
 */
export function checkNamespace(bucket: string, namespace: string | undefined, accountId: string, region: string): void {
  if (namespace !== undefined && !/^(account-regional|global)$/.test(namespace))
    throw invalidArgument(`Invalid x-amz-bucket-namespace header: ${namespace}`, 'x-amz-bucket-namespace');
  const isAccounts = bucket.endsWith('-an');
  if (isAccounts && namespace === undefined)
    throw new AwsError(
      'MissingNamespaceHeader',
      400,
      'The requested bucket name is of an account regional namespace: the request needs the header x-amz-bucket-namespace: account-regional.',
    );
  const suffix = `-${accountId}-${region}-an`;
  const isOwn = bucket.endsWith(suffix) && bucket.length > suffix.length;
  if (namespace === 'account-regional' ? !isOwn : isAccounts)
    throw new AwsError(
      'InvalidBucketNamespace',
      400,
      `The requested bucket name is not of the namespace ${namespace}: the names of your account regional namespace end with ${suffix}, and no other name ends with -an.`,
      { fields: { BucketName: bucket } },
    );
}

/** @throws KeyTooLongError above 1,024 bytes of UTF-8 */
export function checkKey(key: string): void {
  // 341 characters of three bytes still fit; only longer keys need to be counted.
  if (key.length <= 341) return;
  const sizeBytes = Buffer.byteLength(key);
  if (sizeBytes > 1024) throw keyTooLong(sizeBytes);
}

export function bucketArn(partition: string, bucket: string): string {
  return `arn:${partition}:s3:::${bucket}`;
}

export function objectArn(partition: string, bucket: string, key: string): string {
  return `arn:${partition}:s3:::${bucket}/${key}`;
}

/** The bucket that an S3 ARN names, or undefined when it is none or a pattern. */
export function bucketOfArn(arn: string): string | undefined {
  const colon = arn.indexOf(':', 4);
  if (!arn.startsWith('arn:') || !arn.startsWith(':s3:::', colon)) return undefined;
  if (!/^[\w-]+$/.test(arn.slice(4, colon))) return undefined;
  const slash = arn.indexOf('/', colon);
  const name = arn.slice(colon + 6, slash < 0 ? undefined : slash);
  return /^[a-z0-9.-]+$/.test(name) ? name : undefined;
}

export function objectId(bucket: string, key: string): string {
  return `${bucket}/${key}`;
}

/** Of a version that is not current. No version id has a slash, so the last one parts key and version. */
export function versionRowId(bucket: string, key: string, versionId: string): string {
  return `${bucket}/${key}/${versionId}`;
}

// S3 tells a version id that it made from one that it never made (InvalidArgument instead of NoSuchVersion). So the last of its 32 characters follow
// from the others.
const versionIdLetters = 24;

function sealOf(letters: string): string {
  return lettersOf(createHash('sha256').update(letters).digest().subarray(0, 6));
}

function lettersOf(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('base64url').replaceAll('-', '.');
}

/** @param serial of the version among those of its key: a listing goes on after a version that is gone by now */
export function newVersionId(serial = 0): string {
  const bytes = randomBytes((versionIdLetters / 4) * 3);
  bytes.writeUInt32BE((bytes.readUInt32BE(4) ^ serial) >>> 0);
  const letters = lettersOf(bytes);
  return letters + sealOf(letters);
}

/** The serial that an id was made with. */
export function serialOfVersionId(id: string): number {
  const bytes = Buffer.from(id.slice(0, versionIdLetters).replaceAll('.', '-'), 'base64url');
  return (bytes.readUInt32BE() ^ bytes.readUInt32BE(4)) >>> 0;
}

/** Whether an id was ever given to a version, `null` aside. */
export function isVersionId(text: string): boolean {
  return text.length === 32 && text.slice(versionIdLetters) === sealOf(text.slice(0, versionIdLetters));
}

/** An alias for an access point: its name, cut where it is long, and letters and digits that nobody guesses; 63 characters at most. */
export function newPointAlias(name: string): string {
  const digits = BigInt(`0x${randomBytes(24).toString('hex')}`)
    .toString(36)
    .padStart(34, '0')
    .slice(-34);
  return `${name.slice(0, 20)}-${digits}-s3alias`;
}

/** The 64 hex digits that S3 knows an account by. */
export function canonicalUserId(accountId: string): string {
  return createHash('sha256').update(`canonical-user ${accountId}`).digest('hex');
}
