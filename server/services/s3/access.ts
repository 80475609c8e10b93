// What must a caller be allowed to do before an S3 operation runs, and on which bucket does it work?
// Actions, resources and keys: https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazons3.html (read 2026-11-21).
// Order: the bucket exists, the request is for its region, x-amz-expected-bucket-owner agrees, block public access (T7), then the policies.

import { parsePolicy } from '@postern/policy/document.ts';
import { isPublicPolicy } from '@postern/policy/public.ts';
import type { BaseCall, Call, Permission } from '../../service.ts';
import type { BucketRow } from '../../store/rows/s3.ts';
import type { Transaction } from '../../store/store.ts';
import { tagKeys } from '../../tag-keys.ts';
import {
  bareAccessDenied,
  invalidArgument,
  invalidExpectedOwner,
  noSuchBucket,
  permanentRedirect,
  wrongSigningRegion,
} from './errors.ts';
import { bucketArn, checkKey, objectArn } from './names.ts';
import { effectiveBlock } from './public-access.ts';

export interface BucketInput {
  readonly Bucket?: string | undefined;
  readonly ExpectedBucketOwner?: string | undefined;
}

export interface ObjectInput extends BucketInput {
  readonly Key?: string | undefined;
}

export type Context = Readonly<Record<string, readonly string[]>>;

/**
 * The bucket that a request names.
 * @throws NoSuchBucket, PermanentRedirect or AuthorizationHeaderMalformed (another region), AccessDenied (not the expected owner, or T7)
 */
export function requireBucket(call: BaseCall, tx: Transaction, input: BucketInput): BucketRow {
  const name = input.Bucket ?? '';
  const bucket = tx.get('bucket', name);
  if (!bucket) throw noSuchBucket(name);
  // An unsigned request has no region to be wrong.
  if (bucket.region !== call.region && call.principal.type !== 'anonymous') throw wrongRegion(call, bucket);
  checkExpectedOwner(bucket, input.ExpectedBucketOwner);
  if (isRestricted(tx, bucket) && call.principal.accountId !== bucket.accountId && call.principal.type !== 'service')
    throw bareAccessDenied(
      `RestrictPublicBuckets is on, and the policy of ${bucket.id} is public: only ${bucket.accountId} may use it`,
    );
  checkPayer(call, bucket);
  return bucket;
}

/** Where the requester pays, callers of other accounts say that they know (https://docs.aws.amazon.com/AmazonS3/latest/userguide/RequesterPaysBuckets.html). */
function checkPayer(call: BaseCall, bucket: BucketRow): void {
  if (bucket.configurations?.['requestPayment'] === undefined || call.principal.accountId === bucket.accountId) return;
  const said = call.headers['x-amz-request-payer'] ?? /[?&]x-amz-request-payer=([^&]*)/i.exec(call.url)?.[1];
  if (call.principal.type === 'anonymous' || said?.toLowerCase() !== 'requester')
    throw bareAccessDenied(
      `the requester pays for ${bucket.id}, and the request does not say x-amz-request-payer: requester`,
    );
}

function wrongRegion(call: BaseCall, bucket: BucketRow): Error {
  const domain = call.partition === 'aws-cn' ? 'amazonaws.com.cn' : 'amazonaws.com';
  return call.host.startsWith(`${bucket.id}.s3.amazonaws.com`)
    ? wrongSigningRegion(bucket, call.region)
    : permanentRedirect(bucket, domain);
}

export function checkExpectedOwner(bucket: BucketRow, expected: string | undefined): void {
  if (expected === undefined) return;
  if (!/^\d{12}$/.test(expected)) throw invalidExpectedOwner(expected);
  if (expected !== bucket.accountId)
    throw bareAccessDenied(
      `the expected bucket owner is ${expected}, and the owner of ${bucket.id} is ${bucket.accountId}`,
    );
}

const publicByText = new Map<string, boolean>();

/** T8, remembered by the policy's text: it is asked on every request. */
export function hasPublicPolicy(bucket: BucketRow): boolean {
  if (bucket.policy === undefined) return false;
  let known = publicByText.get(bucket.policy);
  if (known === undefined) {
    const parsed = parsePolicy(bucket.policy, { kind: 'resource' });
    known = parsed.ok && isPublicPolicy(parsed.document);
    if (publicByText.size > 1000) publicByText.clear();
    publicByText.set(bucket.policy, known);
  }
  return known;
}

/** T7: a public policy and RestrictPublicBuckets leave the bucket to the owner's principals and to AWS services. */
function isRestricted(tx: Transaction, bucket: BucketRow): boolean {
  return hasPublicPolicy(bucket) && effectiveBlock(tx, bucket).restrictPublicBuckets;
}

const byHeader = ['REST-HEADER'];
const byQuery = ['REST-QUERY-STRING'];
const version4 = ['AWS4-HMAC-SHA256'];

/** Keys that every S3 request has, in an object of the caller's own. */
export function commonContext(call: BaseCall, bucket?: BucketRow): Record<string, readonly string[]> {
  const context: Record<string, readonly string[]> = {
    's3:authType': call.url.includes('?') && /[?&]X-Amz-Signature=/i.test(call.url) ? byQuery : byHeader,
  };
  if (call.principal.type !== 'anonymous') context['s3:signatureversion'] = version4;
  if (!bucket) return context;
  const owner = [bucket.accountId];
  context['s3:ResourceAccount'] = owner;
  context['aws:ResourceAccount'] = owner;
  return Object.assign(context, bucketTagKeys('s3:BucketTag', bucket));
}

/**
 * Policies may ask for a bucket's tags where its owner has switched that on; elsewhere tags are for bills alone.
 * https://docs.aws.amazon.com/AmazonS3/latest/userguide/buckets-tagging-enable-abac.html (read 2026-11-21)
 */
export function bucketTagKeys(prefix: 's3:BucketTag' | 'aws:ResourceTag', bucket: BucketRow): Context | undefined {
  return bucket.tags && hasAbac(bucket) ? tagKeys(prefix, bucket.tags) : undefined;
}

export function hasAbac(bucket: BucketRow): boolean {
  return bucket.configurations?.['abac'] !== undefined;
}

/** A permission on the bucket itself. */
export function onBucket<I extends BucketInput>(
  action: string,
  keys: (call: Call, input: I) => Context = () => ({}),
): (call: Call, input: I) => readonly Permission[] {
  return (call, input) => {
    const bucket = requireBucket(call, call.tx, input);
    return [
      {
        action,
        resource: bucketArn(call.partition, bucket.id),
        context: Object.assign(
          commonContext(call, bucket),
          bucketTagKeys('aws:ResourceTag', bucket),
          keys(call, input),
        ),
      },
    ];
  };
}

/** A permission on one object, whether it exists or not, and further ones that its parameters ask for. */
export function onObject<I extends ObjectInput>(
  action: string,
  keys: (call: Call, input: I) => Context = () => ({}),
  further: (input: I) => readonly string[] = () => [],
): (call: Call, input: I) => readonly Permission[] {
  return (call, input) => {
    const bucket = requireBucket(call, call.tx, input);
    const key = requireKey(input);
    const resource = objectArn(call.partition, bucket.id, key);
    const context = Object.assign(commonContext(call, bucket), keys(call, input));
    return [action, ...further(input)].map((one) => ({ action: one, resource, context }));
  };
}

/** @throws KeyTooLongError */
export function requireKey(input: ObjectInput): string {
  const key = input.Key ?? '';
  if (key === '') throw invalidArgument('Object key must not be empty', 'Key', '');
  checkKey(key);
  return key;
}
