import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Service } from '../service.ts';
import { makeStore } from '../testing.ts';
import { targetOf } from './target.ts';

const services = new Map([['s3', { name: 's3' } as unknown as Service]]);

test('a bucket that is not there, an action that AWS has not, a service that is not here: each is said', () => {
  const store = makeStore();
  const ask = (to: string, action?: string) => store.read((tx) => targetOf(tx, services, to, action, 'us-east-1'));
  assert.throws(() => ask('s3://missing/x'), /There is no bucket missing\./);
  assert.throws(() => ask('s3://missing/x', 's3:Foo'), /AWS has no action s3:Foo\./);
  assert.throws(() => ask('s3://missing/x', 'getobject'), /SERVICE:Action/);
  assert.throws(() => ask('arn:aws:sqs:us-east-1:123456789012:queue'), /no service 'sqs' here/);
  assert.equal(ask('s3://new', 's3:CreateBucket').permission?.resource, 'arn:aws:s3:::new');
});
