// Writers and readers whom a bucket of another account lets in: what else they need, whose their uploads are, and what they are told of keys that are not there.

import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import type { CreateMultipartUploadOutput, ListMultipartUploadsOutput } from '@aws-sdk/client-s3';
import type { Principal } from '@postern/policy/types.ts';
import { createAuthorizer } from '../../authorize/authorize.ts';
import { anonymous } from '../../authorize/principal.ts';
import { managedPolicyDocument } from '../../managed-policies.ts';
import { awsError, makeBaseCall, rootPrincipal, testAccountId } from '../../testing.ts';
import { canonicalUserId } from './names.ts';
import { body, makeS3 } from './testing.ts';

const Bucket = 'shared';
const other = '210987654321';
const writer = rootPrincipal(other);
const owner = rootPrincipal(testAccountId);

async function opened(t: TestContext, ObjectOwnership = 'ObjectWriter') {
  const s3 = makeS3(t);
  const { run, store } = s3;
  store.transact((tx) => {
    for (const id of [testAccountId, other])
      tx.put('account', { id, accountId: id, region: 'global', name: id, email: `${id}@example.com` } as never);
  });
  await run('CreateBucket', { Bucket, ObjectOwnership });
  await run('DeletePublicAccessBlock', { Bucket });
  const { service } = s3.s3;
  const authorizer = createAuthorizer({ managedPolicyDocument, serviceOf: () => service });
  const asked = (principal: Principal, operation: string) => {
    const base = makeBaseCall({ service: 's3', operation, principal, accountId: principal.accountId });
    const open = authorizer.open(base, service, undefined);
    return { open, call: { ...base, require: open.require, allows: open.allows } };
  };
  return {
    ...s3,
    allow: (statement: object) =>
      run('PutBucketPolicy', {
        Bucket,
        Policy: JSON.stringify({ Version: '2012-10-17', Statement: [{ Effect: 'Allow', ...statement }] }),
      }),
    /** Asks the policies alone. @throws as the call would */
    ask: (principal: Principal, operation: string, input: object) => {
      const { open, call } = asked(principal, operation);
      const row = service.operations[operation];
      assert.ok(row);
      store.read((tx) => open.authorize({ ...call, tx }, { Bucket, ...input }, row.authorize));
    },
    /** Asks and reads. */
    read: async (principal: Principal, operation: string, Key: string) => {
      const { open, call } = asked(principal, operation);
      const row = service.operations[operation];
      assert.ok(row);
      store.read((tx) => open.authorize({ ...call, tx }, { Bucket, Key }, row.authorize));
      return run(operation, { Bucket, Key }, call);
    },
  };
}

const denied = awsError('AccessDenied');
const everyone = { Principal: '*', Resource: `arn:aws:s3:::${Bucket}/*` };

test('[T5] who may list a bucket, by its list of grants too, is told that a key is missing', async (t) => {
  const { run, read } = await opened(t);
  await run('PutObject', { Bucket, Key: 'private', Body: body('x') });
  await assert.rejects(read(anonymous, 'GetObject', 'missing'), denied);
  await run('PutBucketAcl', { Bucket, ACL: 'public-read' });
  await assert.rejects(read(anonymous, 'GetObject', 'missing'), awsError('NoSuchKey'));
  await assert.rejects(read(anonymous, 'HeadObject', 'missing'), awsError('NoSuchKey'));
  await assert.rejects(read(anonymous, 'GetObject', 'private'), denied);
});

test('[T5] that a key is missing is a listing of that key: a condition on s3:prefix sees it', async (t) => {
  const { allow, read } = await opened(t);
  const Resource = `arn:aws:s3:::${Bucket}`;
  await allow({
    ...everyone,
    Action: 's3:ListBucket',
    Resource,
    Condition: { StringLike: { 's3:prefix': 'public/*' } },
  });
  await assert.rejects(read(writer, 'HeadObject', 'public/k'), awsError('NoSuchKey'));
  await assert.rejects(read(writer, 'HeadObject', 'private/k'), denied);
});

test('a list of grants and tags of a new object are its writer’s affair, once the bucket lets it write', async (t) => {
  const { allow, ask, run } = await opened(t);
  const grant = `id=${canonicalUserId(testAccountId)}`;
  const put = (principal: Principal, more: object = {}) => ask(principal, 'PutObject', { Key: 'k', ...more });
  await allow({
    ...everyone,
    Action: 's3:PutObject',
    Condition: { StringEquals: { 's3:x-amz-grant-full-control': grant } },
  });
  assert.throws(() => put(writer), denied);
  put(writer, { GrantFullControl: grant });
  await allow({ ...everyone, Action: 's3:PutObject' });
  for (const principal of [writer, anonymous]) {
    put(principal, { ACL: 'bucket-owner-read', Tagging: 'a=b' });
    ask(principal, 'CreateMultipartUpload', { Key: 'k', ACL: 'bucket-owner-full-control' });
  }
  assert.throws(() => put(anonymous, { ObjectLockMode: 'GOVERNANCE' }), denied);
  // Where it will be the bucket's owner's, that one is asked.
  const asOwner = (ObjectOwnership: string) =>
    run('PutBucketOwnershipControls', { Bucket, OwnershipControls: { Rules: [{ ObjectOwnership }] } });
  await asOwner('BucketOwnerPreferred');
  put(writer, { ACL: 'bucket-owner-read' });
  assert.throws(() => put(writer, { ACL: 'bucket-owner-full-control' }), denied);
  await asOwner('BucketOwnerEnforced');
  assert.throws(() => put(writer, { ACL: 'bucket-owner-full-control' }), denied);
});

for (const ownership of ['ObjectWriter', 'BucketOwnerEnforced'])
  test(`who began an upload may look into it and end it, and so may the bucket’s owner; nobody else: ${ownership}`, async (t) => {
    const { allow, ask, run } = await opened(t, ownership);
    await allow({ ...everyone, Action: 's3:PutObject' });
    const begin = (principal: Principal) =>
      run<CreateMultipartUploadOutput>(
        'CreateMultipartUpload',
        { Bucket, Key: 'k' },
        { principal, accountId: principal.accountId },
      );
    const { UploadId } = await begin(writer);
    for (const operation of ['ListParts', 'AbortMultipartUpload']) {
      for (const principal of [writer, owner]) ask(principal, operation, { Key: 'k', UploadId });
      for (const principal of [rootPrincipal('345678901234'), anonymous])
        assert.throws(() => ask(principal, operation, { Key: 'k', UploadId }), denied);
      const { UploadId: owners } = await begin(owner);
      assert.throws(() => ask(writer, operation, { Key: 'k', UploadId: owners }), denied);
    }
    const { Uploads = [] } = await run<ListMultipartUploadsOutput>('ListMultipartUploads', { Bucket });
    const [first] = Uploads;
    assert.equal(first?.Initiator?.ID, canonicalUserId(other));
    assert.equal(first?.Owner?.ID, canonicalUserId(ownership === 'ObjectWriter' ? other : testAccountId));
  });
