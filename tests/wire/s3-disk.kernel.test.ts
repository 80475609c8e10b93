// Disks that are full and disks that are read-only, really: file systems of a few megabytes, in a world of the test's own.

import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { CreateBucketCommand, GetObjectCommand, ListObjectsV2Command, PutObjectCommand } from '@aws-sdk/client-s3';
import { uploadsOf } from './s3-disk.ts';
import { type S3Server, startS3 } from './s3-server.ts';

const mebibyte = 1024 * 1024;
const Bucket = 'notes';
const directory = fs.mkdtempSync(join(tmpdir(), 'postern-s3-disk-'));
let server: S3Server;

before(async () => {
  execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=4m', 'tmpfs', directory]);
  server = await startS3(directory);
  await server.client.send(new CreateBucketCommand({ Bucket }));
  await server.client.send(new PutObjectCommand({ Bucket, Key: 'plain', Body: Buffer.alloc(mebibyte, 'a') }));
});
after(async () => {
  await server.close();
  execFileSync('umount', [directory]);
  fs.rmdirSync(directory);
});

async function expectRefused(what: RegExp, sizeBytes: number): Promise<void> {
  const bodies = server.bodies();
  for (const [kind, upload] of Object.entries(uploadsOf(server, Bucket)))
    await assert.rejects(upload(sizeBytes), (error: Error) => {
      assert.equal(error.name, 'ServiceUnavailable', `${kind}: ${error.message}`);
      assert.match(error.message, what);
      return true;
    });
  assert.deepEqual(server.bodies(), bodies);
  assert.deepEqual(server.bugs, []);
}

test('a full disk: ServiceUnavailable, what was there stays, and what fits is taken again', async () => {
  await expectRefused(/ENOSPC.*Free some space/, 8 * mebibyte);
  const listed = await server.client.send(new ListObjectsV2Command({ Bucket }));
  assert.deepEqual(
    listed.Contents?.map(({ Key, Size }) => [Key, Size]),
    [['plain', mebibyte]],
  );
  const put = new PutObjectCommand({ Bucket, Key: 'fits', Body: Buffer.alloc(2 * mebibyte, 'b') });
  assert.equal((await server.client.send(put)).$metadata.httpStatusCode, 200);
});

test('64 at once on a disk that has room for one or two: each is whole or refused', async () => {
  const outcomes = await Promise.allSettled(
    Array.from({ length: 64 }, (_, index) =>
      server.client.send(
        new PutObjectCommand({ Bucket, Key: `many-${index}`, Body: Buffer.alloc(mebibyte / 2, index) }),
      ),
    ),
  );
  for (const [index, { status }] of outcomes.entries()) {
    const got = server.client.send(new GetObjectCommand({ Bucket, Key: `many-${index}` }));
    if (status === 'rejected') await assert.rejects(got, { name: 'NoSuchKey' });
    else {
      const bytes = (await (await got).Body?.transformToByteArray()) ?? [];
      assert.ok(Buffer.alloc(mebibyte / 2, index).equals(bytes as Uint8Array));
    }
  }
  assert.ok(outcomes.some(({ status }) => status === 'rejected'));
  assert.equal(await server.s3.sweep(), 0);
  assert.deepEqual(server.bugs, []);
});

test('a disk that became read-only: ServiceUnavailable, and reads go on', async () => {
  execFileSync('mount', ['-o', 'remount,ro', directory]);
  await expectRefused(/(EROFS|ENOENT).*See that the data directory can be written/, mebibyte);
  const { ContentLength, Body } = await server.client.send(new GetObjectCommand({ Bucket, Key: 'plain' }));
  assert.equal(ContentLength, (await Body?.transformToByteArray())?.length);
});
