// What a read of a stretch, a part or the attributes of an object answers. Facts are those of answers recorded at AWS in February 2026.

import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { test } from 'node:test';
import type {
  CreateMultipartUploadOutput,
  GetObjectAttributesOutput,
  GetObjectOutput,
  HeadObjectOutput,
  UploadPartOutput,
} from '@aws-sdk/client-s3';
import { answerStatus } from '../../service.ts';
import { body, makeS3 } from './testing.ts';

type Got = GetObjectOutput & { [answerStatus]?: number };
const Bucket = 'reads';
const firstPart = randomBytes(5 * 1024 ** 2);

async function withBucket(t: Parameters<typeof makeS3>[0]) {
  const { run } = makeS3(t);
  await run('CreateBucket', { Bucket });
  /** An object of two parts, with a CRC32 of the given type. */
  const inParts = async (ChecksumType: 'COMPOSITE' | 'FULL_OBJECT') => {
    const of = { Bucket, Key: ChecksumType };
    const begun = { ...of, ChecksumAlgorithm: 'CRC32', ChecksumType };
    const { UploadId } = await run<CreateMultipartUploadOutput>('CreateMultipartUpload', begun);
    const Parts = [];
    for (const [index, bytes] of [firstPart, Buffer.from('end')].entries()) {
      const PartNumber = index + 1;
      const part = { ...of, UploadId, PartNumber, Body: body(bytes) };
      const { ETag, ChecksumCRC32 } = await run<UploadPartOutput>('UploadPart', part);
      Parts.push({ PartNumber, ETag, ChecksumCRC32 });
    }
    await run('CompleteMultipartUpload', { ...of, UploadId, MultipartUpload: { Parts } });
    return Parts;
  };
  return { run, inParts };
}

test('a stretch is 206, the whole is 200', async (t) => {
  const { run } = await withBucket(t);
  await run('PutObject', { Bucket, Key: 'k', Body: body('0123456789') });
  const status = async (name: string, input: object) =>
    (await run<Got>(name, { Bucket, Key: 'k', ...input }))[answerStatus];
  for (const name of ['GetObject', 'HeadObject']) {
    assert.equal(await status(name, {}), undefined);
    assert.equal(await status(name, { Range: 'bytes=2-4' }), 206);
    assert.equal(await status(name, { Range: 'bytes=0-99' }), 206);
    assert.equal(await status(name, { PartNumber: 1 }), 206);
    assert.equal(await status(name, { Range: 'bytes=4-2' }), undefined);
  }
});

test('a stretch has the checksum of the object only when it is all of it', async (t) => {
  const { run } = await withBucket(t);
  await run('PutObject', { Bucket, Key: 'k', Body: body('0123456789'), ChecksumAlgorithm: 'CRC32' });
  const read = async (input: object) => {
    const got = await run<Got>('GetObject', { Bucket, Key: 'k', ChecksumMode: 'enabled', ...input });
    return [got.ChecksumCRC32, got.ChecksumType];
  };
  const whole = ['poTHxg==', 'FULL_OBJECT'];
  assert.deepEqual(await read({}), whole);
  assert.deepEqual(await read({ Range: 'bytes=-15' }), whole);
  assert.deepEqual(await read({ Range: 'bytes=0-100' }), whole);
  assert.deepEqual(await read({ PartNumber: 1 }), whole);
  assert.deepEqual(await read({ Range: 'bytes=0-8' }), [undefined, undefined]);
  assert.deepEqual(await read({ ChecksumMode: undefined }), [undefined, undefined]);
});

test('a part has a checksum of its own when the object has a composite one', async (t) => {
  const { run, inParts } = await withBucket(t);
  const part = { Bucket, PartNumber: 2, ChecksumMode: 'ENABLED' };
  const [, second] = await inParts('COMPOSITE');
  const composite = await run<HeadObjectOutput>('HeadObject', { ...part, Key: 'COMPOSITE' });
  assert.deepEqual([composite.ChecksumCRC32, composite.ChecksumType], [second?.ChecksumCRC32, 'COMPOSITE']);
  await inParts('FULL_OBJECT');
  const full = await run<HeadObjectOutput>('HeadObject', { ...part, Key: 'FULL_OBJECT' });
  assert.deepEqual([full.ChecksumCRC32, full.ChecksumType], [undefined, undefined]);
});

test('the attributes tell a composite checksum without its number of parts, and the parts of no other', async (t) => {
  const { run, inParts } = await withBucket(t);
  const asked = { Bucket, ObjectAttributes: ['Checksum', 'ObjectParts'] };
  await inParts('COMPOSITE');
  const composite = await run<GetObjectAttributesOutput>('GetObjectAttributes', { ...asked, Key: 'COMPOSITE' });
  assert.match(composite.Checksum?.ChecksumCRC32 ?? '', /^[A-Za-z0-9+/]{6}==$/);
  assert.equal(composite.ObjectParts?.Parts?.length, 2);
  const beyond = { ...asked, Key: 'COMPOSITE', PartNumberMarker: '10' };
  const none = await run<GetObjectAttributesOutput>('GetObjectAttributes', beyond);
  assert.deepEqual([none.ObjectParts?.NextPartNumberMarker, none.ObjectParts?.IsTruncated], ['0', false]);
  await inParts('FULL_OBJECT');
  const full = await run<GetObjectAttributesOutput>('GetObjectAttributes', { ...asked, Key: 'FULL_OBJECT' });
  assert.deepEqual(full.ObjectParts, { TotalPartsCount: 2 });
});

test('the number of tags is told by a head too', async (t) => {
  const { run } = await withBucket(t);
  await run('PutObject', { Bucket, Key: 'k', Body: body('x'), Tagging: 'a=1&b=2' });
  assert.equal((await run<HeadObjectOutput>('HeadObject', { Bucket, Key: 'k' })).TagCount, 2);
});
