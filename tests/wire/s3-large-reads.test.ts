// Long stretches of encrypted files over a socket: deciphered on a thread, whole and from any offset, many at once, and given up in the middle.

import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { after, before, test } from 'node:test';
import {
  CompleteMultipartUploadCommand,
  CreateBucketCommand,
  CreateMultipartUploadCommand,
  GetObjectCommand,
  PutObjectCommand,
  UploadPartCommand,
} from '@aws-sdk/client-s3';
import { getSignedUrl } from '@aws-sdk/s3-request-presigner';
import { type S3Server, startS3 } from './s3-server.ts';

const Bucket = 'large';
const text = Buffer.concat([Buffer.from('secret words '), randomBytes(5 * 1024 ** 2 + 123)]);
const half = 512 * 1024;
let server: S3Server;

before(async () => {
  server = await startS3();
  await server.client.send(new CreateBucketCommand({ Bucket }));
  await server.client.send(new PutObjectCommand({ Bucket, Key: 'k', Body: text }));
});
after(() => server.close());

async function get(start: number, end: number, Key = 'k'): Promise<Buffer> {
  const Range = `bytes=${start}-${end - 1}`;
  const { Body } = await server.client.send(new GetObjectCommand({ Bucket, Key, Range }));
  return Buffer.from((await Body?.transformToByteArray()) ?? []);
}

test('what is read is what was written, from any offset, many at once', async () => {
  assert.ok(server.bodies().every((file) => !readFileSync(file).includes('secret')));
  const stretches = [
    [0, text.length],
    [1, text.length],
    [17, half + 17],
    [15, half + 16],
    [half - 1, 2 * half + 1],
    [1_000_003, 4_000_001],
    [text.length - half - 33, text.length],
    [text.length - 70_000, text.length],
  ] as const;
  const all = Array.from({ length: 24 }, (_, index) => stretches[index % stretches.length] ?? ([0, 1] as const));
  for (const [start, end, bytes] of await Promise.all(all.map(async ([a, b]) => [a, b, await get(a, b)] as const)))
    assert.ok(bytes.equals(text.subarray(start, end)), `${start} to ${end}`);
});

/** An object of three parts, of which the last is small enough for the database. */
async function putInParts(Key: string): Promise<void> {
  const { client } = server;
  const { UploadId } = await client.send(new CreateMultipartUploadCommand({ Bucket, Key }));
  const bodies = [text, text.subarray(7), text.subarray(0, 1000)];
  const Parts = [];
  for (const [index, Body] of bodies.entries()) {
    const PartNumber = index + 1;
    const { ETag } = await client.send(new UploadPartCommand({ Bucket, Key, UploadId, PartNumber, Body }));
    Parts.push({ PartNumber, ETag });
  }
  await client.send(new CompleteMultipartUploadCommand({ Bucket, Key, UploadId, MultipartUpload: { Parts } }));
}
const inParts = Buffer.concat([text, text.subarray(7), text.subarray(0, 1000)]);

test('an object of parts is read as one, whole and across their ends, many at once', async () => {
  await putInParts('parts');
  const stretches = [
    [0, inParts.length],
    [3, inParts.length - 3],
    [text.length - 5, text.length + 5],
    [text.length - half - 1, inParts.length - 999],
    [inParts.length - 1001, inParts.length],
  ] as const;
  const all = Array.from({ length: 10 }, (_, index) => stretches[index % stretches.length] ?? ([0, 1] as const));
  const got = await Promise.all(all.map(async ([a, b]) => [a, b, await get(a, b, 'parts')] as const));
  for (const [start, end, bytes] of got) assert.ok(bytes.equals(inParts.subarray(start, end)), `${start} to ${end}`);
});

test('a reader who goes away in the middle spoils nobody’s bytes', async () => {
  for (let round = 0; round < 8; round += 1) {
    const controller = new AbortController();
    const answer = await fetch(await getSignedUrl(server.client, new GetObjectCommand({ Bucket, Key: 'k' })), {
      signal: controller.signal,
    });
    assert.equal(answer.status, 200);
    await answer.body?.getReader().read();
    controller.abort();
    assert.ok((await get(0, text.length)).equals(text));
  }
  assert.deepEqual(server.bugs, []);
});
