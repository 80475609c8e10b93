// Access points: further names of a bucket, each with a policy of its own, and perhaps for one VPC alone.
// https://docs.aws.amazon.com/AmazonS3/latest/userguide/access-points-policies.html (read 2026-11-21). A request through one is asked about twice, on the access point and on
// the bucket, and both must allow; so must the endpoint's policy. Operations know nothing of it: `throughAccessPoints` gives them the bucket and asks both.

import { parsePolicy } from '@postern/policy/document.ts';
import { isPublicPolicy } from '@postern/policy/public.ts';
import type { BaseCall, Call, Operation, Permission, StreamCall } from '../../service.ts';
import type { AccessPointRow } from '../../store/rows/s3.ts';
import type { Index, Transaction } from '../../store/store.ts';
import { tagKeys } from '../../tag-keys.ts';
import { bareAccessDenied, methodNotAllowed, noSuchAccessPoint } from './errors.ts';
import { bucketArn } from './names.ts';

/** By alias, and by bucket. */
const byAlias: Index<'access-point'> = { kind: 'access-point', keyOf: (row) => row.alias };
export const byBucket: Index<'access-point'> = { kind: 'access-point', keyOf: (row) => row.bucket };

interface Named {
  readonly Bucket?: string | undefined;
}

/** Operations that go through an access point: https://docs.aws.amazon.com/AmazonS3/latest/userguide/access-points-service-api-support.html (read 2026-11-21) */
const compatible = new Set(
  `AbortMultipartUpload CompleteMultipartUpload CopyObject CreateMultipartUpload DeleteObject DeleteObjects DeleteObjectTagging GetBucketAcl
  GetBucketCors GetBucketLocation GetBucketNotificationConfiguration GetBucketPolicy GetObject GetObjectAcl GetObjectAttributes GetObjectLegalHold
  GetObjectRetention GetObjectTagging HeadBucket HeadObject ListMultipartUploads ListObjects ListObjectsV2 ListObjectVersions ListParts PutObject
  PutObjectAcl PutObjectLegalHold PutObjectRetention PutObjectTagging RestoreObject UploadPart UploadPartCopy`.split(
    /\s+/,
  ),
);

/** The form `NAME-ACCOUNT`, which clients put in front of an endpoint that they are given. */
const hostForm = /^([a-z0-9][a-z0-9-]*[a-z0-9])-(\d{12})$/;

/**
 * The access point that stands in a bucket's place: by ARN, alias, or `NAME-ACCOUNT` where no bucket is called that.
 * @returns undefined for a bucket   @throws NoSuchAccessPoint
 */
function pointNamed(call: BaseCall, tx: Transaction, name: string): AccessPointRow | undefined {
  if (name.startsWith('arn:')) {
    const row = tx.get('access-point', name);
    if (!row) throw noSuchAccessPoint(name.slice(name.lastIndexOf('/') + 1));
    return row;
  }
  if (name.endsWith('-s3alias')) return tx.find(byAlias, name)[0];
  const [, pointName, accountId] = hostForm.exec(name) ?? [];
  if (pointName === undefined || tx.get('bucket', name)) return undefined;
  return tx.get('access-point', `arn:${call.partition}:s3:${call.region}:${accountId}:accesspoint/${pointName}`);
}

/** Whether a name may be an access point's: asked with every request, so it is cheap. */
function mayBePoint(name: string): boolean {
  return name.length > 12 && (name.startsWith('arn:') || name.endsWith('-s3alias') || /-\d{12}$/.test(name));
}

/** What policies may ask about the access point that a request came through. */
function keysOf(point: AccessPointRow): Record<string, readonly string[]> {
  return {
    's3:DataAccessPointArn': [point.id],
    's3:DataAccessPointAccount': [point.accountId],
    's3:AccessPointNetworkOrigin': [networkOrigin(point)],
    ...tagKeys('s3:AccessPointTag', point.tags),
  };
}

export function networkOrigin(point: AccessPointRow): 'VPC' | 'Internet' {
  return point.vpcId === undefined ? 'Internet' : 'VPC';
}

/** A permission on the bucket or its objects becomes two: on the access point, and on the bucket as it was. */
function onBoth(partition: string, point: AccessPointRow, permission: Permission): Permission[] {
  const own = bucketArn(partition, point.bucket);
  const { resource } = permission;
  if (resource !== own && !resource.startsWith(`${own}/`)) return [permission];
  const context = { ...permission.context, ...keysOf(point) };
  const onPoint = resource === own ? point.id : `${point.id}/object/${resource.slice(own.length + 1)}`;
  const ofBucket = Object.entries(context).filter(([key]) => !key.startsWith('aws:ResourceTag/'));
  const ofPoint = {
    ...Object.fromEntries(ofBucket),
    ...tagKeys('aws:ResourceTag', point.tags),
    'aws:ResourceAccount': [point.accountId],
  };
  return [
    { ...permission, resource: onPoint, context: ofPoint },
    { ...permission, context },
  ];
}

const publicByText = new Map<string, boolean>();

/** T8. An access point of a VPC is never public. */
export function hasPublicPointPolicy({ policy, vpcId }: AccessPointRow): boolean {
  if (policy === undefined || vpcId !== undefined) return false;
  let known = publicByText.get(policy);
  if (known === undefined) {
    const parsed = parsePolicy(policy, { kind: 'resource' });
    known = parsed.ok && isPublicPolicy(parsed.document);
    if (publicByText.size > 1000) publicByText.clear();
    publicByText.set(policy, known);
  }
  return known;
}

/** @throws AccessDenied: not from its VPC, or public and kept to its owner (T7); MethodNotAllowed */
function checkPoint(call: BaseCall, point: AccessPointRow): void {
  if (!compatible.has(call.operation)) throw methodNotAllowed(call.operation, 'ACCESSPOINT');
  const { path } = call;
  if (point.vpcId !== undefined && (path.kind !== 'endpoint' || path.vpcId !== point.vpcId))
    throw bareAccessDenied(`the access point takes requests from ${point.vpcId} only, through an endpoint there`);
  if (
    point.publicAccessBlock.restrictPublicBuckets &&
    hasPublicPointPolicy(point) &&
    call.principal.accountId !== point.accountId &&
    call.principal.type !== 'service'
  )
    throw bareAccessDenied(
      'RestrictPublicBuckets of the access point is on, and its policy is public: only its account may use it',
    );
}

/** A call that asks for every permission on both. */
function asking<C extends BaseCall>(call: C, point: AccessPointRow): C {
  const both = (action: string, resource: string, context?: Record<string, readonly string[]>) =>
    onBoth(call.partition, point, { action, resource, ...(context && { context }) });
  return {
    ...call,
    require: (tx, action, resource, context) => {
      for (const one of both(action, resource, context)) call.require(tx, one.action, one.resource, { ...one.context });
    },
    allows: (tx, action, resource, context) =>
      both(action, resource, context).every((one) => call.allows(tx, one.action, one.resource, { ...one.context })),
  };
}

export interface Through<C, I> {
  readonly call: C;
  readonly input: I;
  readonly point: AccessPointRow | undefined;
}

/** What a handler is given instead: the bucket behind the access point, and a call that asks about both. Itself where a bucket is named. */
export function through<C extends BaseCall, I extends Named>(call: C, tx: Transaction, input: I): Through<C, I> {
  const name = input.Bucket;
  const point = name !== undefined && mayBePoint(name) ? pointNamed(call, tx, name) : undefined;
  if (!point) return { call, input, point };
  checkPoint(call, point);
  return { call: asking(call, point), input: { ...input, Bucket: point.bucket }, point };
}

/** Permissions of something that was found `through` an access point, asked on both. */
export function permissionsThrough<C, I>(
  { call, input, point }: Through<C & BaseCall, I>,
  permissions: (call: C & BaseCall, input: I) => readonly Permission[],
): readonly Permission[] {
  const asked = permissions(call, input);
  return point ? asked.flatMap((one) => onBoth(call.partition, point, one)) : asked;
}

type Authorize = (call: Call, input: Named) => readonly Permission[];

/** The same operations, which an access point may be named for instead of its bucket. */
export function throughAccessPoints(operations: Readonly<Record<string, Operation>>): Record<string, Operation> {
  // What CreateBucket names is not there yet.
  return Object.fromEntries(
    Object.entries(operations).map(([name, row]) => [name, name === 'CreateBucket' ? row : throughPoint(row)]),
  );
}

function throughPoint(row: Operation): Operation {
  const authorization = row.authorize as Authorize | 'auto' | 'none';
  if (typeof authorization !== 'function') return row;
  const authorize: Authorize = (call, input) => permissionsThrough(through(call, call.tx, input), authorization);
  if (row.kind === 'stream')
    return {
      ...row,
      authorize,
      run: (call: StreamCall, input: Named) => {
        const given = call.read((tx) => through(call, tx, input));
        return row.run(given.call, given.input);
      },
    };
  return {
    ...row,
    authorize,
    run: (call: Call, input: Named) => {
      const given = through(call, call.tx, input);
      const output: unknown = row.run(given.call, given.input);
      return given.point && call.operation === 'HeadBucket'
        ? { ...(output as object), AccessPointAlias: true }
        : output;
    },
  };
}
