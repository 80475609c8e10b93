// The SDK's own uploader of large bodies, `@aws-sdk/lib-storage`: parts side by side from a stream of no known length, and an upload that is given up.

import assert from 'node:assert/strict';
import { createHash, randomBytes } from 'node:crypto';
import { Readable } from 'node:stream';
import { after, before, test } from 'node:test';
import { CreateBucketCommand, GetObjectCommand, ListMultipartUploadsCommand } from '@aws-sdk/client-s3';
import { Upload } from '@aws-sdk/lib-storage';
import { type S3Server, startS3 } from './s3-server.ts';

const mebibyte = 1024 * 1024;
const Bucket = 'notes';
let server: S3Server;

before(async () => {
  server = await startS3();
  await server.client.send(new CreateBucketCommand({ Bucket }));
});
after(() => server.close());

const md5 = (bytes: Uint8Array) => createHash('md5').update(bytes).digest();

for (const ChecksumAlgorithm of [undefined, 'SHA256', 'CRC64NVME'] as const)
  test(`a stream in parts, ${ChecksumAlgorithm ?? 'with the checksum that the SDK adds'}`, async () => {
    const bytes = randomBytes(11 * mebibyte);
    const Key = `large-${ChecksumAlgorithm}`;
    const pieces = Array.from({ length: 11 }, (_, at) => bytes.subarray(at * mebibyte, (at + 1) * mebibyte));
    const Body = Readable.from(pieces, { objectMode: false });
    const params = { Bucket, Key, Body, ...(ChecksumAlgorithm && { ChecksumAlgorithm }) };
    const { ETag } = await new Upload({ client: server.client, params, queueSize: 3, partSize: 5 * mebibyte }).done();
    const parts = [0, 5, 10].map((from) => md5(bytes.subarray(from * mebibyte, (from + 5) * mebibyte)));
    assert.equal(ETag, `"${md5(Buffer.concat(parts)).toString('hex')}-3"`);
    const { Body: got } = await server.client.send(new GetObjectCommand({ Bucket, Key, ChecksumMode: 'ENABLED' }));
    assert.ok(bytes.equals((await got?.transformToByteArray()) ?? Buffer.alloc(0)));
  });

test('what is small is one put', async () => {
  const params = { Bucket, Key: 'small', Body: 'few bytes' };
  const { ETag } = await new Upload({ client: server.client, params }).done();
  assert.equal(ETag, `"${md5(Buffer.from('few bytes')).toString('hex')}"`);
});

test('a stream that fails in the middle: the uploader gives its upload up, and no parts and no files are left', async () => {
  const bodies = server.bodies();
  let left = 12;
  const failing = new Readable({
    read() {
      left -= 1;
      if (left > 0) this.push(Buffer.alloc(mebibyte));
      else this.destroy(new Error('the source is gone'));
    },
  });
  const upload = new Upload({ client: server.client, params: { Bucket, Key: 'failing', Body: failing }, queueSize: 1 });
  await assert.rejects(upload.done(), /the source is gone/);
  const { Uploads } = await server.client.send(new ListMultipartUploadsCommand({ Bucket }));
  assert.equal(Uploads, undefined);
  server.s3.endGrace();
  assert.deepEqual(server.bodies(), bodies);
  assert.deepEqual(server.bugs, []);
});
