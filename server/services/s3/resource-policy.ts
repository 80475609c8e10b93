// What a bucket itself says of a request: its policy, and the access control lists of the bucket and of the object that is asked for, as one document.
// An object that belongs to its writer is the writer's: the bucket's policy can deny, and only the object's own list permits others
// (https://docs.aws.amazon.com/AmazonS3/latest/userguide/how-s3-evaluates-access-control.html, read 2026-11-21). Writing and deleting stay the bucket's affair.

import type { AclGrant, BucketRow, ObjectRow } from '../../store/rows/s3.ts';
import type { Transaction } from '../../store/store.ts';
import { type Statement, statementsOf } from './acl-grants.ts';
import { bucketArn, bucketOfArn, objectArn, objectId } from './names.ts';
import { effectiveBlock } from './public-access.ts';

interface PolicyDocument {
  readonly Version?: string;
  readonly Statement?: unknown;
}

/** With BucketOwnerEnforced everything is the bucket's owner's, whoever wrote it before. */
export function objectOwner(bucket: BucketRow, object: ObjectRow): string {
  return bucket.ownership === 'BucketOwnerEnforced' ? bucket.accountId : object.accountId;
}

export function resourcePolicyOf(
  tx: Transaction,
  resource: string,
  action = '',
): { readonly policyText: string; readonly id: string; readonly ownerAccountId: string } | undefined {
  const bucket = tx.get('bucket', bucketOfArn(resource) ?? '');
  if (!bucket) return policyOfPoint(tx, resource);
  const ownerAccountId = ownerOf(tx, bucket, resource, action);
  const grants = bucket.ownership === 'BucketOwnerEnforced' ? [] : grantsOn(tx, bucket, resource, ownerAccountId);
  const policy = ownerAccountId === bucket.accountId ? bucket.policy : deniesOf(bucket.policy);
  if (policy === undefined && grants.length === 0) return undefined;
  const policyText = grants.length === 0 ? (policy ?? '') : joined(policy, grants);
  return { policyText, id: `bucket-policy of ${bucket.id}`, ownerAccountId };
}

/** Whose resource it is for an action; undefined for a bucket that is not there. */
export function resourceOwner(tx: Transaction, resource: string, action = ''): string | undefined {
  const bucket = tx.get('bucket', bucketOfArn(resource) ?? '');
  return bucket && ownerOf(tx, bucket, resource, action);
}

const bucketsAffair =
  /^s3:(PutObject|DeleteObject|DeleteObjectVersion|AbortMultipartUpload|ListMultipartUploadParts)$/i;

function ownerOf(tx: Transaction, bucket: BucketRow, resource: string, action: string): string {
  const slash = bucket.ownership === 'BucketOwnerEnforced' ? -1 : resource.indexOf('/');
  if (slash < 0 || action === '' || bucketsAffair.test(action)) return bucket.accountId;
  return tx.get('object', objectId(bucket.id, resource.slice(slash + 1)))?.accountId ?? bucket.accountId;
}

/** Of an access point, or of an object behind it. */
function policyOfPoint(tx: Transaction, resource: string): ReturnType<typeof resourcePolicyOf> {
  const arn = /^arn:[\w-]+:s3:[\w-]+:\d{12}:accesspoint\/[^/]+/.exec(resource)?.[0];
  const point = arn === undefined ? undefined : tx.get('access-point', arn);
  if (point?.policy === undefined) return undefined;
  return { policyText: point.policy, id: `access point policy of ${point.name}`, ownerAccountId: point.accountId };
}

function grantsOn(tx: Transaction, bucket: BucketRow, resource: string, owner: string): Statement[] {
  const [, partition = 'aws'] = resource.split(':', 2);
  const own = bucketArn(partition, bucket.id);
  const ignores = effectiveBlock(tx, bucket).ignorePublicAcls;
  const ofBucket = bucket.acl
    ? statementsOf(bucket, bucket.accountId, bucket.acl, 'bucket', resource, partition, ignores)
    : [];
  if (resource === own || !resource.startsWith(`${own}/`)) return ofBucket.filter(({ Action }) => !isOnObjects(Action));
  const key = resource.slice(own.length + 1);
  const object = tx.get('object', objectId(bucket.id, key));
  // No list of its own yet: who may list the bucket learns that the key is missing, and who may write it gives it one (recorded).
  if (!object) return ofBucket.flatMap(ofMissing);
  const acl: readonly AclGrant[] = object.acl ?? [];
  const arn = objectArn(partition, bucket.id, key);
  // A list of the bucket permits writing of its objects, nothing else of them.
  return [...ofBucket.flatMap(onlyWrites), ...statementsOf(bucket, owner, acl, 'object', arn, partition, ignores)];
}

const writes = new Set(['s3:PutObject', 's3:DeleteObject']);

function isOnObjects(actions: readonly string[]): boolean {
  return actions.every((action) => writes.has(action));
}

function ofMissing(statement: Statement): Statement[] {
  const lists = statement.Action.includes('s3:ListBucket');
  const Action = [
    ...(lists ? ['s3:GetObject', 's3:GetObjectVersion'] : []),
    ...(statement.Action.includes('s3:PutObject') ? [...writes, 's3:PutObjectAcl'] : []),
  ];
  return Action.length > 0 ? [{ ...statement, Action }] : [];
}

function onlyWrites(statement: Statement): Statement[] {
  const Action = statement.Action.filter((action) => writes.has(action));
  return Action.length > 0 ? [{ ...statement, Action }] : [];
}

function statementsIn(policy: string): unknown[] {
  const { Statement: given } = JSON.parse(policy) as PolicyDocument;
  return given === undefined ? [] : [given].flat();
}

/** A policy's denials alone, or undefined where it has none. */
function deniesOf(policy: string | undefined): string | undefined {
  const denies = statementsIn(policy ?? '{}').filter((one) => (one as { Effect?: string }).Effect === 'Deny');
  return denies.length > 0 ? JSON.stringify({ Version: '2012-10-17', Statement: denies }) : undefined;
}

function joined(policy: string | undefined, grants: readonly Statement[]): string {
  const document = (policy === undefined ? { Version: '2012-10-17' } : JSON.parse(policy)) as PolicyDocument;
  return JSON.stringify({ ...document, Statement: [...(policy === undefined ? [] : statementsIn(policy)), ...grants] });
}
