// What a bucket itself says of a request: its policy, and the access control lists of the bucket and of the object that is asked for, as one document.

import type { BucketRow } from '../../store/rows/s3.ts';
import type { Transaction } from '../../store/store.ts';
import { type Statement, statementsOf } from './acl-grants.ts';
import { bucketArn, bucketOfArn, objectArn, objectId } from './names.ts';
import { effectiveBlock } from './public-access.ts';

interface PolicyDocument {
  readonly Version?: string;
  readonly Statement?: unknown;
}

export function resourcePolicyOf(
  tx: Transaction,
  resource: string,
): { readonly policyText: string; readonly id: string; readonly ownerAccountId: string } | undefined {
  const bucket = tx.get('bucket', bucketOfArn(resource) ?? '');
  if (!bucket) return policyOfPoint(tx, resource);
  const grants = bucket.ownership === 'BucketOwnerEnforced' ? [] : grantsOn(tx, bucket, resource);
  if (bucket.policy === undefined && grants.length === 0) return undefined;
  const policyText = grants.length === 0 ? (bucket.policy ?? '') : joined(bucket.policy, grants);
  return { policyText, id: `bucket-policy of ${bucket.id}`, ownerAccountId: bucket.accountId };
}

/** Of an access point, or of an object behind it. */
function policyOfPoint(tx: Transaction, resource: string): ReturnType<typeof resourcePolicyOf> {
  const arn = /^arn:[\w-]+:s3:[\w-]+:\d{12}:accesspoint\/[^/]+/.exec(resource)?.[0];
  const point = arn === undefined ? undefined : tx.get('access-point', arn);
  if (point?.policy === undefined) return undefined;
  return { policyText: point.policy, id: `access point policy of ${point.name}`, ownerAccountId: point.accountId };
}

function grantsOn(tx: Transaction, bucket: BucketRow, resource: string): Statement[] {
  const [, partition = 'aws'] = resource.split(':', 2);
  const own = bucketArn(partition, bucket.id);
  const ignores = effectiveBlock(tx, bucket).ignorePublicAcls;
  const ofBucket = bucket.acl ? statementsOf(bucket, bucket.acl, 'bucket', resource, partition, ignores) : [];
  if (resource === own || !resource.startsWith(`${own}/`)) return ofBucket.filter(({ Action }) => !isOnObjects(Action));
  const key = resource.slice(own.length + 1);
  const object = tx.get('object', objectId(bucket.id, key));
  const ofObject = object?.acl
    ? statementsOf(bucket, object.acl, 'object', objectArn(partition, bucket.id, key), partition, ignores)
    : [];
  // A list of the bucket permits writing of its objects, nothing else of them.
  return [...ofBucket.flatMap(onlyWrites), ...ofObject];
}

const writes = new Set(['s3:PutObject', 's3:DeleteObject']);

function isOnObjects(actions: readonly string[]): boolean {
  return actions.every((action) => writes.has(action));
}

function onlyWrites(statement: Statement): Statement[] {
  const Action = statement.Action.filter((action) => writes.has(action));
  return Action.length > 0 ? [{ ...statement, Action }] : [];
}

function joined(policy: string | undefined, grants: readonly Statement[]): string {
  const document = (policy === undefined ? { Version: '2012-10-17' } : JSON.parse(policy)) as PolicyDocument;
  const given = document.Statement === undefined ? [] : [document.Statement].flat();
  return JSON.stringify({ ...document, Statement: [...given, ...grants] });
}
