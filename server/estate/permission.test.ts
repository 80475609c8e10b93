// One permission, put to the policies of the rows: as the request would be answered.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { PermissionQuestion } from '@postern/check/estate.ts';
import { allow, policy, role } from '../authorize/testing.ts';
import type { BucketRow, ObjectRow } from '../store/rows/s3.ts';
import { makeStore, testAccountId, testNow } from '../testing.ts';
import { askPermission } from './permission.ts';

const otherAccountId = '210987654321';
const of = { accountId: testAccountId, region: 'us-east-1' };

const bucket = (id: string, more: Partial<BucketRow>): BucketRow => ({
  ...of,
  id,
  creationDate: testNow.toISOString(),
  settings: {},
  ownership: 'BucketOwnerEnforced',
  ...more,
});

const object = (key: string, accountId: string): ObjectRow => ({
  ...of,
  accountId,
  id: `lab/${key}`,
  bucket: 'lab',
  key,
  blobId: 'x',
  sizeBytes: 1,
  etag: '"x"',
  lastModified: testNow.toISOString(),
  contentType: 'text/plain',
  systemMetadata: {},
  userMetadata: {},
  storageClass: 'STANDARD',
});

const app: PermissionQuestion['who'] = { kind: 'role', name: 'app' };
const anonymous: PermissionQuestion['who'] = { kind: 'anonymous', name: '' };

function asked() {
  const open = policy(allow({ Principal: '*', Action: 's3:GetObject', Resource: 'arn:aws:s3:::open/*' }));
  const store = makeStore((tx) => {
    tx.put('role', role('app', { inlinePolicies: { p: policy(allow({ Action: 's3:*' })) } }));
    tx.put('bucket', bucket('lab', { ownership: 'ObjectWriter' }));
    tx.put('object', object('mine', testAccountId));
    tx.put('object', object('theirs', otherAccountId));
    tx.put('bucket', bucket('open', { policy: open, accountId: otherAccountId }));
  });
  const isAllowed = (who: PermissionQuestion['who'], action: string, resource: string) => {
    const path = { kind: 'internet', sourceIp: '203.0.113.10' } as const;
    const answer = store.read((tx) =>
      askPermission(tx, { who, action, resource, path, when: {} }, { now: testNow, isImported: false }),
    );
    assert.ok(answer.kind === 'decided' && answer.unknown === undefined, JSON.stringify(answer));
    return answer.allowed;
  };
  return { store, isAllowed };
}

test("an object that belongs to its writer is asked of the writer's account; deleting it stays the bucket's affair", () => {
  const { isAllowed } = asked();
  assert.equal(isAllowed(app, 's3:GetObject', 'bucket lab/mine'), true);
  assert.equal(isAllowed(app, 's3:GetObject', 'bucket lab/theirs'), false);
  assert.equal(isAllowed(app, 's3:DeleteObject', 'bucket lab/theirs'), true);
});

test('[T7] what an account blocks is blocked for its buckets', async () => {
  const { store, isAllowed } = asked();
  assert.equal(isAllowed(anonymous, 's3:GetObject', 'bucket open/x'), true);
  const none = { blockPublicAcls: false, ignorePublicAcls: false, blockPublicPolicy: false };
  await store.transact((tx) =>
    tx.put('account-public-access-block', {
      id: otherAccountId,
      accountId: otherAccountId,
      region: 'global',
      publicAccessBlock: { ...none, restrictPublicBuckets: true },
    }),
  ).durable;
  assert.equal(isAllowed(anonymous, 's3:GetObject', 'bucket open/x'), false);
});
