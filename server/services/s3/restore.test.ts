// Archived objects: asked for, under way, there for some days, and gone again.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import type {
  HeadObjectOutput,
  ListObjectsOutput,
  ListObjectsV2Output,
  ListObjectVersionsOutput,
} from '@aws-sdk/client-s3';
import { answerStatus } from '../../service.ts';
import { awsError, testNow } from '../../testing.ts';
import { body, makeS3 } from './testing.ts';

const Bucket = 'notes';
const seconds = (count: number) => ({ now: new Date(testNow.getTime() + count * 1000) });
const days = (count: number) => seconds(count * 24 * 3600);

test('a restore takes its time, is told while it lasts, and is prolonged at once', async (t) => {
  const { run } = makeS3(t);
  await run('CreateBucket', { Bucket });
  await run('PutObject', { Bucket, Key: 'cold', Body: body('x'), StorageClass: 'GLACIER' });
  const restore = async (RestoreRequest: object, at: object) =>
    (await run<{ [answerStatus]?: number }>('RestoreObject', { Bucket, Key: 'cold', RestoreRequest }, at))[
      answerStatus
    ];
  const told = async (at: object) => (await run<HeadObjectOutput>('HeadObject', { Bucket, Key: 'cold' }, at)).Restore;
  const get = (at: object) => run('GetObject', { Bucket, Key: 'cold' }, at);
  assert.equal(await told({}), undefined);
  assert.equal(await restore({ Days: 2, GlacierJobParameters: { Tier: 'Standard' } }, {}), 202);
  assert.equal(await told(seconds(4)), 'ongoing-request="true"');
  await assert.rejects(get(seconds(4)), awsError('InvalidObjectState'));
  await assert.rejects(
    restore({ Days: 2 }, seconds(4)),
    awsError('RestoreAlreadyInProgress', 'Object restore is already in progress'),
  );
  // From midnight to midnight.
  assert.equal(await told(seconds(5)), 'ongoing-request="false", expiry-date="Tue, 24 Nov 2026 00:00:00 GMT"');
  await get(seconds(5));
  assert.equal(await restore({ Days: 9 }, days(1)), 200);
  assert.equal(await told(days(1)), 'ongoing-request="false", expiry-date="Wed, 02 Dec 2026 00:00:00 GMT"');
  await assert.rejects(get(days(30)), awsError('InvalidObjectState'));
  assert.equal(await told(days(30)), undefined);
  assert.equal(await restore({ Days: 1, Tier: 'Expedited' }, days(30)), 202);
});

test('listings tell of it when they are asked', async (t) => {
  const { run } = makeS3(t);
  await run('CreateBucket', { Bucket });
  await run('PutObject', { Bucket, Key: 'cold', Body: body('x'), StorageClass: 'GLACIER' });
  const asked = { Bucket, OptionalObjectAttributes: ['RestoreStatus'] };
  const status = async (at: object) =>
    (await run<ListObjectsV2Output>('ListObjectsV2', asked, at)).Contents?.[0]?.RestoreStatus;
  assert.equal(await status({}), undefined);
  await run('RestoreObject', { Bucket, Key: 'cold', RestoreRequest: { Days: 2 } });
  assert.deepEqual(await status(seconds(4)), { IsRestoreInProgress: true });
  const there = { IsRestoreInProgress: false, RestoreExpiryDate: new Date('2026-11-24T00:00:00.000Z') };
  assert.deepEqual(await status(seconds(5)), there);
  const first = await run<ListObjectsOutput>('ListObjects', asked, seconds(5));
  assert.deepEqual(first.Contents?.[0]?.RestoreStatus, there);
  const { Versions } = await run<ListObjectVersionsOutput>('ListObjectVersions', asked, seconds(5));
  assert.deepEqual(Versions?.[0]?.RestoreStatus, there);
  const unasked = await run<ListObjectsV2Output>('ListObjectsV2', { Bucket }, seconds(5));
  assert.equal(unasked.Contents?.[0]?.RestoreStatus, undefined);
  const other = run('ListObjectsV2', { Bucket, OptionalObjectAttributes: ['Colour'] });
  await assert.rejects(other, awsError('InvalidArgument'));
});

test('what cannot be restored so is refused', async (t) => {
  const { run } = makeS3(t);
  await run('CreateBucket', { Bucket });
  await run('PutObject', { Bucket, Key: 'warm', Body: body('x') });
  await run('PutObject', { Bucket, Key: 'deep', Body: body('x'), StorageClass: 'DEEP_ARCHIVE' });
  const restore = (Key: string, RestoreRequest: object) => run('RestoreObject', { Bucket, Key, RestoreRequest });
  await assert.rejects(restore('none', { Days: 1 }), awsError('NoSuchKey'));
  await assert.rejects(
    restore('warm', { Days: 1 }),
    awsError('InvalidObjectState', "The operation is not valid for the object's storage class"),
  );
  await assert.rejects(restore('deep', {}), awsError('MalformedXML'));
  await assert.rejects(restore('deep', { Days: 1, Tier: 'Sometime' }), awsError('MalformedXML'));
  await assert.rejects(
    restore('deep', { Days: 1, Tier: 'Expedited' }),
    awsError('InvalidArgument', 'Retrieval option is not supported by this storage class'),
  );
  await assert.rejects(restore('deep', { Days: 1, Type: 'SELECT' }), awsError('NotImplemented'));
});
