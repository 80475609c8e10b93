// Many clients of one key, over real sockets: a write is whole or not at all, a read is of one version, and of those that race under a condition one wins.

import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { after, before, test } from 'node:test';
import {
  CompleteMultipartUploadCommand,
  CreateBucketCommand,
  CreateMultipartUploadCommand,
  GetObjectCommand,
  ListObjectVersionsCommand,
  PutBucketVersioningCommand,
  PutObjectCommand,
  UploadPartCommand,
} from '@aws-sdk/client-s3';
import { type S3Server, startS3 } from './s3-server.ts';

const writers = 64;
const Bucket = 'notes';
let server: S3Server;

before(async () => {
  server = await startS3();
  await server.client.send(new CreateBucketCommand({ Bucket }));
});
after(() => server.close());

const each = <T>(work: (index: number) => Promise<T>) =>
  Promise.all(Array.from({ length: writers }, (_, index) => work(index)));
const md5 = (bytes: Uint8Array) => `"${createHash('md5').update(bytes).digest('hex')}"`;

async function get(Key: string, VersionId?: string): Promise<{ bytes: Buffer; etag: string | undefined }> {
  const { Body, ETag, ContentLength } = await server.client.send(new GetObjectCommand({ Bucket, Key, VersionId }));
  const bytes = Buffer.from((await Body?.transformToByteArray()) ?? []);
  assert.equal(bytes.length, ContentLength);
  return { bytes, etag: ETag };
}

/** What became of a call: `ok` or AWS's code. */
async function outcome(call: Promise<unknown>): Promise<string> {
  try {
    await call;
    return 'ok';
  } catch (error) {
    return (error as Error).name;
  }
}

/** Of one writer: each has a length and a letter of its own. */
const bodyOf = (sizeBytes: number, index: number) => Buffer.alloc(sizeBytes + index, 65 + index);

for (const [what, sizeBytes] of [
  ['in the database', 1024],
  ['in files', 300_000],
] as const)
  test(`64 writers to one key, bodies ${what}: one of them is there, whole, and readers see one version each`, async () => {
    const Key = `race-${sizeBytes}`;
    await server.client.send(new PutObjectCommand({ Bucket, Key, Body: bodyOf(sizeBytes, 0) }));
    let writing = true;
    let reads = 0;
    const readers = Array.from({ length: 4 }, async () => {
      while (writing) {
        const { bytes, etag } = await get(Key);
        reads += 1;
        assert.ok(
          bytes.every((byte) => byte === bytes[0]),
          'a mix of two versions',
        );
        assert.equal(bytes.length, sizeBytes + (bytes[0] ?? 0) - 65);
        assert.equal(md5(bytes), etag);
      }
    });
    const wave = (of: (index: number) => number) =>
      each((index) => server.client.send(new PutObjectCommand({ Bucket, Key, Body: bodyOf(sizeBytes, of(index)) })));
    await wave((index) => index);
    // All of these begin after all of those were answered: one of the latter cannot be the last.
    await wave((index) => 100 + index);
    writing = false;
    await Promise.all(readers);
    assert.ok(reads >= 4);
    const last = await get(Key);
    assert.ok((last.bytes[0] ?? 0) >= 165);
    server.s3.endGrace();
    assert.equal(await server.s3.sweep(), 0);
  });

test('64 writers to one key with versions: each is a version of its own, and the latest is what a read gets', async () => {
  const versioned = { Bucket, VersioningConfiguration: { Status: 'Enabled' as const } };
  await server.client.send(new PutBucketVersioningCommand(versioned));
  const Key = 'versions';
  const puts = await each((index) =>
    server.client.send(new PutObjectCommand({ Bucket, Key, Body: bodyOf(100_000, index) })),
  );
  const listed = await server.client.send(new ListObjectVersionsCommand({ Bucket, Prefix: Key }));
  assert.equal(new Set(puts.map((put) => put.VersionId)).size, writers);
  assert.deepEqual((listed.Versions ?? []).map((one) => one.VersionId).sort(), puts.map((put) => put.VersionId).sort());
  for (const [index, put] of puts.entries())
    assert.ok((await get(Key, put.VersionId)).bytes.equals(bodyOf(100_000, index)));
  const latest = listed.Versions?.find((one) => one.IsLatest);
  assert.equal((await get(Key)).etag, latest?.ETag);
});

test('64 completes of one upload: one object, told to all of them', async () => {
  const Key = 'parts';
  const { UploadId } = await server.client.send(new CreateMultipartUploadCommand({ Bucket, Key }));
  const bodies = [Buffer.alloc(5 * 1024 * 1024, 'a'), Buffer.alloc(70_000, 'b')];
  const Parts = await Promise.all(
    bodies.map(async (Body, index) => {
      const part = { Bucket, Key, UploadId, PartNumber: index + 1, Body };
      const { ETag } = await server.client.send(new UploadPartCommand(part));
      return { ETag, PartNumber: index + 1 };
    }),
  );
  const answers = await each(() =>
    server.client.send(new CompleteMultipartUploadCommand({ Bucket, Key, UploadId, MultipartUpload: { Parts } })),
  );
  assert.equal(new Set(answers.map(({ ETag, VersionId }) => `${ETag} ${VersionId}`)).size, 1);
  const { Versions } = await server.client.send(new ListObjectVersionsCommand({ Bucket, Prefix: Key }));
  assert.equal(Versions?.length, 1);
  assert.ok((await get(Key)).bytes.equals(Buffer.concat(bodies)));
});

test('64 writers with If-None-Match: * — one wins, the others are told so and leave nothing', async () => {
  const Key = 'first';
  const before = server.bodies().length;
  const outcomes = await each((index) =>
    outcome(server.client.send(new PutObjectCommand({ Bucket, Key, Body: bodyOf(80_000, index), IfNoneMatch: '*' }))),
  );
  assert.deepEqual(
    outcomes.filter((one) => one !== 'ok'),
    Array(writers - 1).fill('PreconditionFailed'),
  );
  assert.ok((await get(Key)).bytes.equals(bodyOf(80_000, outcomes.indexOf('ok'))));
  assert.equal(server.bodies().length, before + 1);
});

test('64 writers with If-Match of the same tag: one wins', async () => {
  const Key = 'next';
  const { ETag } = await server.client.send(new PutObjectCommand({ Bucket, Key, Body: 'old' }));
  const outcomes = await each((index) =>
    outcome(server.client.send(new PutObjectCommand({ Bucket, Key, Body: bodyOf(80_000, index), IfMatch: ETag }))),
  );
  assert.deepEqual(
    outcomes.filter((one) => one !== 'ok'),
    Array(writers - 1).fill('PreconditionFailed'),
  );
  assert.ok((await get(Key)).bytes.equals(bodyOf(80_000, outcomes.indexOf('ok'))));
});
