// Uploads whose connection is cut in the middle: the right error in the trail, nothing half-visible, no file left. What the same key had before stays.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import {
  CreateBucketCommand,
  CreateMultipartUploadCommand,
  GetObjectCommand,
  ListPartsCommand,
  PutObjectCommand,
} from '@aws-sdk/client-s3';
import { headOf, type S3Server, sendAndCut, startS3 } from './s3-server.ts';

const Bucket = 'notes';
const Key = 'k';
let server: S3Server;
let uploadId = '';

before(async () => {
  server = await startS3();
  await server.client.send(new CreateBucketCommand({ Bucket }));
  await server.client.send(new PutObjectCommand({ Bucket, Key, Body: 'what was there' }));
  const upload = await server.client.send(new CreateMultipartUploadCommand({ Bucket, Key }));
  uploadId = upload.UploadId ?? '';
});
after(() => server.close());

const mebibyte = 1024 * 1024;
const unsigned = {
  'x-amz-content-sha256': 'STREAMING-UNSIGNED-PAYLOAD-TRAILER',
  'content-encoding': 'aws-chunked',
  'x-amz-trailer': 'x-amz-checksum-crc32',
};
const policy = {
  expiration: '2100-01-01T00:00:00Z',
  conditions: ['bucket', 'key', 'x-amz-algorithm', 'x-amz-credential', 'x-amz-date'].map((name) => [
    'starts-with',
    `$${name}`,
    '',
  ]),
};
const form = Object.entries({
  key: Key,
  policy: Buffer.from(JSON.stringify(policy)).toString('base64'),
  'x-amz-algorithm': 'AWS4-HMAC-SHA256',
  'x-amz-credential': 'AKIATEST/20261121/us-east-1/s3/aws4_request',
  'x-amz-date': '20261121T000000Z',
  'x-amz-signature': '0'.repeat(64),
}).map(([name, value]) => `--mark\r\nContent-Disposition: form-data; name="${name}"\r\n\r\n${value}\r\n`);

/** What each kind of upload begins with, before the bytes of the object. */
const kinds: Readonly<Record<string, (sizeBytes: number) => string>> = {
  plain: (size) => headOf('PUT', '/notes/k', { 'content-length': size }),
  'plain, with a signed payload': (size) =>
    headOf('PUT', '/notes/k', { 'content-length': size, 'x-amz-content-sha256': 'a'.repeat(64) }),
  'aws-chunked': (size) =>
    `${headOf('PUT', '/notes/k', { ...unsigned, 'x-amz-decoded-content-length': size, 'content-length': size + 100 })}${size.toString(16)}\r\n`,
  'a part': (size) => headOf('PUT', `/notes/k?partNumber=1&uploadId=${uploadId}`, { 'content-length': size }),
  'a form': (size) =>
    `${headOf('POST', '/notes', { 'content-type': 'multipart/form-data; boundary=mark', 'content-length': size + 1000 })}${form.join('')}--mark\r\nContent-Disposition: form-data; name="file"; filename="f"\r\n\r\n`,
  'with chunked transfer coding': (size) =>
    `${headOf('PUT', '/notes/k', { 'transfer-encoding': 'chunked' })}${size.toString(16)}\r\n`,
};

for (const [kind, begin] of Object.entries(kinds))
  for (const sizeBytes of [4096, 8 * mebibyte])
    test(`${kind}, cut in the middle of ${sizeBytes} bytes`, async () => {
      const bodies = server.bodies();
      const answered = server.events.length;
      await sendAndCut(server.port, begin(sizeBytes), Buffer.alloc(sizeBytes / 2, 'x'));
      await server.requests(answered + 1);
      const event = server.events.at(-1);
      assert.equal(event?.errorCode, 'IncompleteBody', event?.errorMessage);
      assert.equal(event?.status, 400);
      assert.deepEqual(server.bodies(), bodies);
      assert.equal(await server.s3.sweep(), 0);
      const { Body } = await server.client.send(new GetObjectCommand({ Bucket, Key }));
      assert.equal(await Body?.transformToString(), 'what was there');
      const { Parts } = await server.client.send(new ListPartsCommand({ Bucket, Key, UploadId: uploadId }));
      assert.equal(Parts, undefined);
      assert.deepEqual(server.bugs, []);
    });
