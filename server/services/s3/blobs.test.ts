import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { existsSync } from 'node:fs';
import { test } from 'node:test';
import { Blobs } from './blobs.ts';
import { bytesOf, makeS3 } from './testing.ts';

test('bytes that were deleted after somebody began to read them are read to their end', async (t) => {
  const { store, directory } = makeS3(t);
  const blobs = new Blobs(directory, store);
  const key = blobs.ownKeys();
  const bodies = [randomBytes(100_000), randomBytes(1000), randomBytes(200_000)];
  const options = { maxBytes: 1e6, onTooLong: () => new Error('too long'), key };
  const written = [];
  for (const body of bodies) written.push(await blobs.write(body, options));
  const content = blobs.read(
    written.map(({ blobId, sizeBytes }) => ({ blobId, start: 0, end: sizeBytes })),
    key,
  );
  assert.ok('pieces' in content);
  assert.equal(content.sizeBytes, 301_000);
  const got: Buffer[] = [];
  const paths = [written[0], written[2]].map((one) => blobs.path(one?.blobId ?? ''));
  for (const piece of content.pieces) {
    if (got.length === 0) for (const { blobId } of written) blobs.condemn(blobId);
    blobs.endGrace();
    assert.ok(paths.every(existsSync));
    got.push(await bytesOf(piece));
  }
  assert.ok(Buffer.concat(got).equals(Buffer.concat(bodies)));
  // Then they go, which nobody waits for.
  while (paths.some(existsSync)) await new Promise((resolve) => setImmediate(resolve));
});

test('a sweep leaves what is written and named while it goes on', async (t) => {
  const { store, directory } = makeS3(t);
  const blobs = new Blobs(directory, store);
  const options = { maxBytes: 1e6, onTooLong: () => new Error('too long') };
  // So many folders that it takes a while.
  const orphans = await Promise.all(Array.from({ length: 200 }, () => blobs.write(randomBytes(100_000), options)));
  const again = new Blobs(directory, store);
  const sweeping = again.sweep(() => false);
  const written = await Promise.all(Array.from({ length: 40 }, () => again.write(randomBytes(100_000), options)));
  for (const { blobId } of written) again.claim(blobId);
  assert.equal(await sweeping, orphans.length);
  assert.ok(written.every(({ blobId }) => existsSync(again.path(blobId))));
});
