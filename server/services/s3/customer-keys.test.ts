// Objects under a key that only the customer has: encrypted on disk, read in any stretch with the key and with no other.

import assert from 'node:assert/strict';
import { createHash, randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import type {
  CompleteMultipartUploadOutput,
  CreateMultipartUploadOutput,
  GetObjectOutput,
  PutObjectOutput,
  UploadPartOutput,
} from '@aws-sdk/client-s3';
import type { StreamingBody } from '../../service.ts';
import { awsError } from '../../testing.ts';
import { body, bytesOf, makeS3 } from './testing.ts';

type Got = Omit<GetObjectOutput, 'Body'> & { Body: StreamingBody };
const Bucket = 'notes';
const md5 = (bytes: Uint8Array) => createHash('md5').update(bytes).digest('base64');

function keyOf(bytes: Buffer) {
  return { SSECustomerAlgorithm: 'AES256', SSECustomerKey: bytes.toString('base64'), SSECustomerKeyMD5: md5(bytes) };
}

const asSource = (key: ReturnType<typeof keyOf>) =>
  Object.fromEntries(Object.entries(key).map(([name, value]) => [`CopySource${name}`, value]));

for (const [what, sizeBytes] of [
  ['a small object', 1000],
  ['a file', 50_000],
  ['a large file', 700_001],
] as const)
  test(`${what} is encrypted at rest and opens with its key alone, at any offset`, async (t) => {
    const { run, files, store } = makeS3(t);
    await run('CreateBucket', { Bucket });
    const text = Buffer.from('secret words '.repeat(Math.ceil(sizeBytes / 13)).slice(0, sizeBytes));
    const key = keyOf(randomBytes(32));
    const put = await run<PutObjectOutput>('PutObject', { Bucket, Key: 'k', Body: body(text), ...key });
    assert.equal(put.SSECustomerKeyMD5, key.SSECustomerKeyMD5);
    assert.equal(put.ServerSideEncryption, undefined);
    const stored = [
      ...files().map((file) => readFileSync(file)),
      ...store.bytesIds().map((id) => store.bytes(id) ?? []),
    ];
    assert.equal(stored.length, 1);
    assert.ok(!Buffer.from(stored[0] ?? []).includes('secret'));
    const get = (more: object) => run<Got>('GetObject', { Bucket, Key: 'k', ...more });
    assert.ok(text.equals(await bytesOf((await get(key)).Body)));
    for (const [start, end] of [
      [0, 0],
      [15, 16],
      [17, 900],
      [sizeBytes - 5, sizeBytes - 1],
    ] as const)
      assert.ok(
        text
          .subarray(start, end + 1)
          .equals(await bytesOf((await get({ ...key, Range: `bytes=${start}-${end}` })).Body)),
      );
    await assert.rejects(get({}), awsError('InvalidRequest', /stored using a form of Server Side Encryption/));
    await assert.rejects(get(keyOf(randomBytes(32))), awsError('AccessDenied', /the correct secret key/));
    const other = keyOf(randomBytes(32));
    const copy = { Bucket, Key: 'copy', CopySource: `${Bucket}/k` };
    await assert.rejects(run('CopyObject', copy), awsError('InvalidRequest'));
    await run('CopyObject', { ...copy, ...asSource(key), ...other });
    assert.ok(text.equals(await bytesOf((await run<Got>('GetObject', { Bucket, Key: 'copy', ...other })).Body)));
    await run('CopyObject', { ...copy, Key: 'plain', ...asSource(key) });
    assert.ok(text.equals(await bytesOf((await run<Got>('GetObject', { Bucket, Key: 'plain' })).Body)));
    await assert.rejects(
      run('GetObject', { Bucket, Key: 'plain', ...key }),
      awsError('InvalidRequest', 'The encryption parameters are not applicable to this object.'),
    );
  });

test('every part of an upload brings the key it was begun with', async (t) => {
  const { run } = makeS3(t);
  await run('CreateBucket', { Bucket });
  const key = keyOf(randomBytes(32));
  const { UploadId } = await run<CreateMultipartUploadOutput>('CreateMultipartUpload', { Bucket, Key: 'k', ...key });
  const part = (PartNumber: number, bytes: Buffer, more: object) =>
    run<UploadPartOutput>('UploadPart', { Bucket, Key: 'k', UploadId, PartNumber, Body: body(bytes), ...more });
  await assert.rejects(part(1, Buffer.from('x'), {}), awsError('InvalidRequest', /initiate requested encryption/));
  await assert.rejects(part(1, Buffer.from('x'), keyOf(randomBytes(32))), awsError('InvalidRequest', /did not match/));
  const [first, second] = [randomBytes(5 * 1024 * 1024), Buffer.from('tail')];
  const tags = [await part(1, first, key), await part(2, second, key)].map((one) => one.ETag);
  const done = await run<CompleteMultipartUploadOutput>('CompleteMultipartUpload', {
    Bucket,
    Key: 'k',
    UploadId,
    MultipartUpload: { Parts: tags.map((ETag, index) => ({ PartNumber: index + 1, ETag })) },
  });
  assert.equal(done.ChecksumCRC64NVME, undefined);
  const got = await run<Got>('GetObject', { Bucket, Key: 'k', Range: `bytes=${first.length - 3}-`, ...key });
  assert.ok(Buffer.concat([first.subarray(-3), second]).equals(await bytesOf(got.Body)));
});

test('an upload with checksums is completed with the key, or one without them with none or the right one', async (t) => {
  const { run } = makeS3(t);
  await run('CreateBucket', { Bucket });
  const key = keyOf(randomBytes(32));
  const complete = async (begun: object, completed: object) => {
    const { UploadId } = await run<CreateMultipartUploadOutput>('CreateMultipartUpload', {
      Bucket,
      Key: 'k',
      ...key,
      ...begun,
    });
    const part = await run<UploadPartOutput>('UploadPart', {
      Bucket,
      Key: 'k',
      UploadId,
      PartNumber: 1,
      Body: body('x'),
      ...key,
    });
    const Parts = [{ PartNumber: 1, ETag: part.ETag, ChecksumCRC32: part.ChecksumCRC32 }];
    await run('CompleteMultipartUpload', { Bucket, Key: 'k', UploadId, MultipartUpload: { Parts }, ...completed });
  };
  await complete({}, {});
  await complete({ ChecksumAlgorithm: 'CRC32' }, key);
  await assert.rejects(
    complete({ ChecksumAlgorithm: 'CRC32' }, {}),
    awsError('InvalidRequest', /requested encryption/),
  );
  await assert.rejects(complete({}, keyOf(randomBytes(32))), awsError('InvalidRequest', /did not match/));
});

test('a request that has half a key, or a wrong one, is told what is wrong with it', async (t) => {
  const { run } = makeS3(t);
  await run('CreateBucket', { Bucket });
  const key = keyOf(randomBytes(32));
  const put = (more: object) => run('PutObject', { Bucket, Key: 'k', Body: body('x'), ...more });
  for (const [input, code, message] of [
    [{ ...key, ServerSideEncryption: 'AES256' }, 'InvalidArgument', /incompatible with the encryption method/],
    [{ ...key, SSECustomerAlgorithm: 'AES' }, 'InvalidEncryptionAlgorithmError', /Supported value: AES256/],
    [{ SSECustomerKey: key.SSECustomerKey }, 'InvalidArgument', /a valid encryption algorithm/],
    [{ SSECustomerAlgorithm: 'AES256' }, 'InvalidArgument', /an appropriate secret key/],
    [keyOf(randomBytes(16)), 'InvalidArgument', 'The secret key was invalid for the specified algorithm.'],
    [{ ...key, SSECustomerKeyMD5: md5(Buffer.from('x')) }, 'InvalidArgument', /MD5 hash of the key did not match/],
  ] as const)
    await assert.rejects(put(input), awsError(code, message));
});

test('a key of another length is none for a write, and the wrong one for a read', async (t) => {
  const { run } = makeS3(t);
  await run('CreateBucket', { Bucket });
  await run('PutObject', { Bucket, Key: 'k', Body: body('x'), ...keyOf(randomBytes(32)) });
  const short = keyOf(randomBytes(10));
  await assert.rejects(
    run('PutObject', { Bucket, Key: 'k', Body: body('x'), ...short }),
    awsError('InvalidArgument', 'The secret key was invalid for the specified algorithm.'),
  );
  await assert.rejects(run('GetObject', { Bucket, Key: 'k', ...short }), awsError('AccessDenied'));
});

test('a part with a key is refused where the upload was begun without', async (t) => {
  const { run } = makeS3(t);
  await run('CreateBucket', { Bucket });
  const { UploadId } = await run<CreateMultipartUploadOutput>('CreateMultipartUpload', { Bucket, Key: 'k' });
  const part = { Bucket, Key: 'k', UploadId, PartNumber: 1, Body: body('x') };
  await assert.rejects(
    run('UploadPart', { ...part, ...keyOf(randomBytes(32)) }),
    awsError('InvalidRequest', /^The multipart upload initiate requested encryption\./),
  );
});

test('a put under a key has the checksum that any put has', async (t) => {
  const { run } = makeS3(t);
  await run('CreateBucket', { Bucket });
  const key = keyOf(randomBytes(32));
  await run('PutObject', { Bucket, Key: 'k', Body: body('x'), ...key });
  const got = await run<Got>('GetObject', { Bucket, Key: 'k', ChecksumMode: 'ENABLED', ...key });
  assert.equal(got.ChecksumType, 'FULL_OBJECT');
  assert.match(got.ChecksumCRC64NVME ?? '', /=$/);
});
