// Encryption at rest of every object: on disk nothing is readable, and through the API everything is, whole and in any stretch.

import assert from 'node:assert/strict';
import { createCipheriv, createHash, randomBytes } from 'node:crypto';
import { mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { type TestContext, test } from 'node:test';
import type {
  CreateMultipartUploadOutput,
  GetObjectOutput,
  PutObjectOutput,
  UploadPartOutput,
} from '@aws-sdk/client-s3';
import type { StreamingBody } from '../../service.ts';
import type { ObjectRow } from '../../store/rows/s3.ts';
import { runOperation } from '../../testing.ts';
import { createS3 } from './index.ts';
import { body, bytesOf, makeS3 } from './testing.ts';

type Got = Omit<GetObjectOutput, 'Body'> & { Body: StreamingBody };
const Bucket = 'notes';
const text = Buffer.from('secret words '.repeat(8_000));

function started(t: TestContext) {
  const made = makeS3(t);
  const { run, files, store } = made;
  return {
    ...made,
    get: async (Key: string, more: object = {}) =>
      await bytesOf((await run<Got>('GetObject', { Bucket, Key, ...more })).Body),
    /** What lies on disk, in whatever form. */
    stored: () => [
      ...files().map((file) => readFileSync(file)),
      ...store.bytesIds().map((id) => Buffer.from(store.bytes(id) ?? [])),
    ],
  };
}

test('every body is encrypted at rest, however it came, and each under a key of its own', async (t) => {
  const { run, get, stored, store, directory } = started(t);
  await run('CreateBucket', { Bucket });
  const put = await run<PutObjectOutput>('PutObject', { Bucket, Key: 'file', Body: body(text) });
  // The MD5 of the plain bytes, as AWS has it for SSE-S3.
  const etag = `"${createHash('md5').update(text).digest('hex')}"`;
  assert.deepEqual([put.ETag, put.ServerSideEncryption], [etag, 'AES256']);
  for (const Key of ['small', 'same']) await run('PutObject', { Bucket, Key, Body: body('secret words') });
  const { UploadId } = await run<CreateMultipartUploadOutput>('CreateMultipartUpload', { Bucket, Key: 'parts' });
  const part = (PartNumber: number, bytes: Buffer) =>
    run<UploadPartOutput>('UploadPart', { Bucket, Key: 'parts', UploadId, PartNumber, Body: body(bytes) });
  const first = Buffer.alloc(5 * 1024 ** 2, 'secret words ');
  const Parts = [
    { PartNumber: 1, ETag: (await part(1, first)).ETag },
    { PartNumber: 2, ETag: (await part(2, text)).ETag },
  ];
  await run('CompleteMultipartUpload', { Bucket, Key: 'parts', UploadId, MultipartUpload: { Parts } });
  assert.equal(stored().filter((one) => one.includes('secret')).length, 0);
  const distinct = new Set(stored().map((one) => one.toString('hex')));
  assert.equal(distinct.size, stored().length, 'the same words are not the same bytes');

  const whole = Buffer.concat([first, text]);
  for (const [start, end] of [
    [0, 0],
    [15, 17],
    [first.length - 3, first.length + 3],
    [first.length + 70_001, whole.length - 1],
  ] as const)
    assert.ok(whole.subarray(start, end + 1).equals(await get('parts', { Range: `bytes=${start}-${end}` })));
  for (const start of [0, 1, 16, 33_333])
    assert.ok(text.subarray(start).equals(await get('file', { Range: `bytes=${start}-` })));
  assert.equal((await get('same', { Range: 'bytes=7-' })).toString(), 'words');

  assert.equal(statSync(join(directory, 'objects.key')).mode & 0o777, 0o600);
  // The next start of the cloud reads the key that is there.
  const again = createS3(store, directory);
  t.after(() => again.close());
  const got = await runOperation<Got>(store, again.service, 'GetObject', { Bucket, Key: 'file' });
  assert.ok(text.equals(await bytesOf(got.Body)));
});

test('a copy of a copy needs no bytes of its own, and opens after the first is gone', async (t) => {
  const { run, get, files, s3 } = started(t);
  await run('CreateBucket', { Bucket });
  for (const [Key, bytes] of [
    ['file', text],
    ['row', Buffer.from('secret words')],
  ] as const) {
    await run('PutObject', { Bucket, Key, Body: body(bytes) });
    await run('CopyObject', { Bucket, Key: `${Key}.2`, CopySource: `${Bucket}/${Key}` });
    await run('CopyObject', { Bucket, Key: `${Key}.3`, CopySource: `${Bucket}/${Key}.2` });
    await run('DeleteObject', { Bucket, Key });
    s3.endGrace();
    assert.ok(bytes.equals(await get(`${Key}.3`)));
    assert.ok(bytes.subarray(5).equals(await get(`${Key}.2`, { Range: 'bytes=5-' })));
  }
  const inodes = new Set(files().map((file) => statSync(file).ino));
  assert.deepEqual([files().length, inodes.size], [2, 1]);
  assert.equal(await s3.sweep(), 0, 'their names are those of the rows');
});

test('objects of before, plain or sealed with the key itself, are read, and copies of them are encrypted', async (t) => {
  const { run, get, store, directory, stored } = started(t);
  await run('CreateBucket', { Bucket });
  await run('PutObject', { Bucket, Key: 'new', Body: body(text) });
  const row = store.read((tx) => tx.get('object', `${Bucket}/new`)) as ObjectRow;
  const { encryption: _, ...before } = row;
  const write = (bytes: Uint8Array, blobId: string) => {
    const path = join(directory, 'objects', blobId.slice(0, 2), blobId.slice(2));
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, bytes);
    return blobId;
  };
  const seed = randomBytes(16);
  const key = readFileSync(join(directory, 'objects.key'));
  const sealed = createCipheriv('aes-256-ctr', key, seed).update(text);
  await store.transact((tx) => {
    tx.put('object', {
      ...before,
      id: `${Bucket}/plain`,
      key: 'plain',
      blobId: write(text, randomBytes(16).toString('hex')),
    });
    tx.put('object', {
      ...before,
      id: `${Bucket}/sealed`,
      key: 'sealed',
      blobId: write(sealed, seed.toString('hex')),
      sealed: true,
    });
  }).durable;
  for (const Key of ['plain', 'sealed']) {
    assert.ok(text.equals(await get(Key)), Key);
    await run('CopyObject', { Bucket, Key: `${Key}.2`, CopySource: `${Bucket}/${Key}` });
    assert.ok(text.subarray(99).equals(await get(`${Key}.2`, { Range: 'bytes=99-' })), Key);
  }
  assert.equal(stored().filter((one) => one.includes('secret')).length, 1, 'the plain one alone');
});
