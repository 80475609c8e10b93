// Lifecycle rules, run with a clock of the test's own: what each action takes, and what it leaves.

import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import type {
  CreateMultipartUploadOutput,
  GetObjectOutput,
  HeadObjectOutput,
  ListObjectsV2Output,
  ListObjectVersionsOutput,
  PutObjectOutput,
} from '@aws-sdk/client-s3';
import { awsError, testNow } from '../../testing.ts';
import { body, makeS3 } from './testing.ts';

const Bucket = 'notes';
const dayMs = 86_400_000;
/** Some minutes after the midnight that ends so many days. */
const after = (days: number) => new Date(Math.ceil((testNow.getTime() + days * dayMs) / dayMs) * dayMs + 60_000);

async function withRules(t: TestContext, rules: readonly object[], versioned = false) {
  const s3 = makeS3(t);
  const { run } = s3;
  await run('CreateBucket', { Bucket });
  if (versioned) await run('PutBucketVersioning', { Bucket, VersioningConfiguration: { Status: 'Enabled' } });
  const Rules = rules.map((rule) => ({ Status: 'Enabled', Filter: {}, ...rule }));
  await run('PutBucketLifecycleConfiguration', { Bucket, LifecycleConfiguration: { Rules } });
  const put = (Key: string, text = 'x', more: object = {}) =>
    run<PutObjectOutput>('PutObject', { Bucket, Key, Body: body(text), ...more });
  const keys = async () =>
    (await run<ListObjectsV2Output>('ListObjectsV2', { Bucket })).Contents?.map((one) => one.Key);
  const versions = () => run<ListObjectVersionsOutput>('ListObjectVersions', { Bucket });
  return { ...s3, put, keys, versions };
}

test('objects expire at the midnight after their days, those that the filter reaches, and heads say when', async (t) => {
  const { put, keys, s3, run } = await withRules(t, [
    { ID: 'logs', Expiration: { Days: 2 }, Filter: { Prefix: 'logs/' } },
    { ID: 'tagged', Expiration: { Days: 1 }, Filter: { Tag: { Key: 'temp', Value: 'yes' } } },
    { ID: 'off', Expiration: { Days: 1 }, Status: 'Disabled' },
  ]);
  await put('kept');
  await put('logs/a');
  await put('t', 'x', { Tagging: 'temp=yes' });
  await put('u', 'x', { Tagging: 'temp=no' });
  const head = await run<HeadObjectOutput>('HeadObject', { Bucket, Key: 'logs/a' });
  assert.equal(head.Expiration, 'expiry-date="Tue, 24 Nov 2026 00:00:00 GMT", rule-id="logs"');
  assert.equal(await s3.runLifecycle(new Date(after(1).getTime() - 120_000)), 0);
  assert.equal(await s3.runLifecycle(after(1)), 1);
  assert.deepEqual(await keys(), ['kept', 'logs/a', 'u']);
  assert.equal(await s3.runLifecycle(after(2)), 1);
  assert.deepEqual(await keys(), ['kept', 'u']);
  assert.equal(await s3.runLifecycle(after(50)), 0);
});

test('in a versioned bucket expiry hides, noncurrent versions go in their time, and a marker that hides nothing goes too', async (t) => {
  const { put, s3, versions, keys } = await withRules(
    t,
    [
      { Expiration: { Days: 1 } },
      { NoncurrentVersionExpiration: { NoncurrentDays: 3, NewerNoncurrentVersions: 1 } },
      { Expiration: { ExpiredObjectDeleteMarker: true }, Filter: { Prefix: 'm' } },
    ],
    true,
  );
  for (const text of ['1', '2', '3']) await put('k', text);
  await s3.runLifecycle(after(1));
  assert.equal(await keys(), undefined);
  const hidden = await versions();
  assert.deepEqual([hidden.Versions?.length, hidden.DeleteMarkers?.length], [3, 1]);
  await s3.runLifecycle(after(6));
  assert.equal((await versions()).Versions?.length, 1);
});

test('locked versions stay', async (t) => {
  const { run, s3 } = makeS3(t);
  await run('CreateBucket', { Bucket, ObjectLockEnabledForBucket: true });
  const rule = { Status: 'Enabled', Filter: {}, NoncurrentVersionExpiration: { NoncurrentDays: 1 } };
  await run('PutBucketLifecycleConfiguration', { Bucket, LifecycleConfiguration: { Rules: [rule] } });
  await run('PutObject', {
    Bucket,
    Key: 'k',
    Body: body('1'),
    ChecksumAlgorithm: 'CRC32',
    ObjectLockLegalHoldStatus: 'ON',
  });
  await run('PutObject', { Bucket, Key: 'k', Body: body('2') });
  assert.equal(await s3.runLifecycle(after(10)), 0);
});

test('transitions go to colder classes only, and leave small objects; an archived one is read after a restore', async (t) => {
  const { put, s3, run } = await withRules(t, [
    { Transitions: [{ Days: 30, StorageClass: 'STANDARD_IA' }] },
    { Transitions: [{ Days: 60, StorageClass: 'GLACIER' }] },
  ]);
  await put('large', 'x'.repeat(200_000));
  await put('small', 'x');
  assert.equal(await s3.runLifecycle(after(30)), 1);
  const classOf = async (Key: string) => (await run<HeadObjectOutput>('HeadObject', { Bucket, Key })).StorageClass;
  assert.deepEqual([await classOf('large'), await classOf('small')], ['STANDARD_IA', undefined]);
  await s3.runLifecycle(after(60));
  assert.equal(await classOf('large'), 'GLACIER');
  const read = (now: Date) => run<GetObjectOutput>('GetObject', { Bucket, Key: 'large' }, { now });
  await assert.rejects(read(after(60)), awsError('InvalidObjectState'));
  await assert.rejects(
    run('RestoreObject', { Bucket, Key: 'small', RestoreRequest: { Days: 1 } }),
    awsError('InvalidObjectState'),
  );
  await run('RestoreObject', { Bucket, Key: 'large', RestoreRequest: { Days: 1 } }, { now: after(60) });
  await assert.rejects(read(after(60)), awsError('InvalidObjectState'));
  const soon = new Date(after(60).getTime() + 60_000);
  assert.match((await read(soon)).Restore ?? '', /^ongoing-request="false", expiry-date="/);
  await assert.rejects(read(after(63)), awsError('InvalidObjectState'));
});

test('unfinished uploads are given up', async (t) => {
  const { run, s3, store } = await withRules(t, [{ AbortIncompleteMultipartUpload: { DaysAfterInitiation: 1 } }]);
  const { UploadId } = await run<CreateMultipartUploadOutput>('CreateMultipartUpload', { Bucket, Key: 'k' });
  await run('UploadPart', { Bucket, Key: 'k', UploadId, PartNumber: 1, Body: body('p') });
  assert.equal(await s3.runLifecycle(after(1)), 1);
  assert.deepEqual(store.bytesIds(), []);
  await assert.rejects(run('ListParts', { Bucket, Key: 'k', UploadId }), awsError('NoSuchUpload'));
});
