// A data directory that cannot be written: every kind of upload is told so in an answer, and nothing of it is left. A disk that is really full, and one that
// is read-only, are in s3-disk.kernel.test.ts, for they need a file system of their own.

import assert from 'node:assert/strict';
import fs from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { CreateBucketCommand, ListObjectsV2Command } from '@aws-sdk/client-s3';
import { uploadsOf } from './s3-disk.ts';
import { startS3 } from './s3-server.ts';

test('a data directory that is no directory: ServiceUnavailable, and no path of the machine in it', async (t) => {
  const directory = fs.mkdtempSync(join(tmpdir(), 'postern-s3-disk-'));
  const server = await startS3(directory);
  t.after(async () => {
    await server.close();
    fs.rmSync(directory, { recursive: true, force: true });
  });
  await server.client.send(new CreateBucketCommand({ Bucket: 'notes' }));
  fs.rmSync(join(directory, 'objects'), { recursive: true, force: true });
  fs.writeFileSync(join(directory, 'objects'), 'in the way');
  for (const [kind, upload] of Object.entries(uploadsOf(server, 'notes')))
    await assert.rejects(upload(1024 * 1024), (error: Error) => {
      assert.equal(error.name, 'ServiceUnavailable', kind);
      assert.match(error.message, /ENOTDIR.*See that the data directory can be written/);
      assert.ok(!error.message.includes(directory), error.message);
      return true;
    });
  const { KeyCount } = await server.client.send(new ListObjectsV2Command({ Bucket: 'notes' }));
  assert.equal(KeyCount, 0);
  assert.deepEqual(server.bugs, []);
});
