// Which policies let the log delivery service write, and what is added to one that does not.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { bucketAndPrefix, mayDeliver, withDeliveryStatements } from './log-delivery.ts';
import type { BucketRow } from './store/rows/s3.ts';

const source = { accountId: '123456789012', region: 'us-east-1', partition: 'aws' };
const bucket: BucketRow = {
  id: 'logs',
  accountId: '123456789012',
  region: 'us-east-1',
  creationDate: '',
  ownership: 'BucketOwnerEnforced',
  settings: {},
};
const folder = (prefix: string, accountId = source.accountId) => `${prefix}AWSLogs/${accountId}/`;
const key = (prefix: string, accountId?: string) => `${folder(prefix, accountId)}vpcflowlogs/x`;

test('a bucket without a policy takes nothing; with the statements it takes the files of that account below that prefix', () => {
  assert.equal(mayDeliver(bucket, key(''), source), false);
  const ready = { ...bucket, policy: withDeliveryStatements(bucket, folder('net/'), source) };
  assert.equal(mayDeliver(ready, key('net/'), source), true);
  assert.equal(mayDeliver(ready, key(''), source), false);
  assert.equal(mayDeliver(ready, key('net/', '210987654321'), source), false);
  const other = { ...source, accountId: '210987654321' };
  assert.equal(mayDeliver(ready, key('net/'), other), false);
});

test('the statements for a second prefix stand beside the first, under names of their own', () => {
  const first = { ...bucket, policy: withDeliveryStatements(bucket, folder(''), source) };
  const both = { ...bucket, policy: withDeliveryStatements(first, folder('net/'), source) };
  assert.equal(mayDeliver(both, key(''), source), true);
  assert.equal(mayDeliver(both, key('net/'), source), true);
  const { Statement } = JSON.parse(both.policy) as { Statement: { Sid: string }[] };
  assert.deepEqual(
    Statement.map(({ Sid }) => Sid),
    ['AWSLogDeliveryWrite', 'AWSLogDeliveryAclCheck', 'AWSLogDeliveryWrite1', 'AWSLogDeliveryAclCheck1'],
  );
});

test('a statement that denies the service decides', () => {
  const Statement = [{ Effect: 'Deny', Principal: '*', Action: 's3:PutObject', Resource: 'arn:aws:s3:::logs/*' }];
  const closed = { ...bucket, policy: JSON.stringify({ Version: '2012-10-17', Statement }) };
  const added = { ...bucket, policy: withDeliveryStatements(closed, folder(''), source) };
  assert.equal(mayDeliver(added, key(''), source), false);
});

test('a destination is a bucket and perhaps a folder, which is not AWSLogs', () => {
  assert.deepEqual(bucketAndPrefix('arn:aws:s3:::logs'), { bucket: 'logs', prefix: '' });
  assert.deepEqual(bucketAndPrefix('arn:aws:s3:::logs/a/b'), { bucket: 'logs', prefix: 'a/b/' });
  assert.deepEqual(bucketAndPrefix('arn:aws:s3:::logs/a/'), { bucket: 'logs', prefix: 'a/' });
  assert.equal(bucketAndPrefix('arn:aws:s3:::logs/AWSLogs/'), undefined);
  assert.equal(bucketAndPrefix('logs'), undefined);
});
