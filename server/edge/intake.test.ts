// What goes in comes out, with the digests that Node's own hashes have, however it is cut; and a slow or broken file is felt at the source.

import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { createDecipheriv, createHash } from 'node:crypto';
import fs from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, it } from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';
import type { FileTarget } from './body-worker.ts';
import { checksumAlgorithms } from './checksums.ts';
import { type BodyFile, Intake } from './intake.ts';

const directory = fs.mkdtempSync(join(tmpdir(), 'postern-intake-'));
after(() => fs.rmSync(directory, { recursive: true, force: true }));

const mebibyte = 1024 * 1024;

function bytesOf(length: number): Buffer {
  const bytes = Buffer.allocUnsafe(length);
  for (let at = 0; at < length; at += 1) bytes[at] = (at * 31 + (at >> 8)) & 255;
  return bytes;
}

let serial = 0;

function newFile(cipher?: FileTarget['cipher']): BodyFile & { content(): Buffer } {
  serial += 1;
  const path = join(directory, String(serial));
  const file = fs.openSync(path, 'wx');
  return {
    open: () => ({ file, cipher }),
    finish: async () => {},
    content: () => {
      fs.closeSync(file);
      return fs.readFileSync(path);
    },
  };
}

const expected = (name: string, bytes: Buffer) => {
  const state = checksumAlgorithms[name]?.create();
  state?.update(bytes);
  return state?.digest();
};

for (const [sizeBytes, pieceBytes] of [
  [0, 1],
  [65_536, 65_536],
  [65_537, 65_536],
  [524_288, 1000],
  [mebibyte + 1, 70_001],
  [3 * mebibyte, 3 * mebibyte],
] as const)
  it(`${sizeBytes} bytes in pieces of ${pieceBytes}`, async () => {
    const bytes = bytesOf(sizeBytes);
    const digests = ['md5', 'sha256', 'crc32', 'crc64nvme'];
    const file = newFile();
    const intake = new Intake({ digests, file });
    for (let at = 0; at < sizeBytes; at += pieceBytes) await intake.take(bytes.subarray(at, at + pieceBytes));
    const taken = await intake.end();
    assert.equal(taken.sizeBytes, sizeBytes);
    assert.equal(taken.small !== undefined, sizeBytes <= 65_536);
    assert.ok(bytes.equals(taken.small ?? file.content()));
    assert.deepEqual(taken.digests, Object.fromEntries(digests.map((name) => [name, expected(name, bytes)])));
  });

it('chunks are hashed by themselves, also where one ends with a slab', async () => {
  const bytes = bytesOf(600_000);
  const ends = [10, 10, 65_546, 524_288, 600_000, 600_000];
  const seen: string[] = [];
  const intake = new Intake({ digests: ['md5'], file: newFile(), onChunk: (digest) => seen.push(digest) });
  let at = 0;
  for (const end of ends) {
    await intake.take(bytes.subarray(at, end));
    intake.cut();
    at = end;
  }
  await intake.end();
  const starts = [0, ...ends];
  const wanted = ends.map((end, index) =>
    createHash('sha256').update(bytes.subarray(starts[index], end)).digest('base64'),
  );
  assert.deepEqual(seen, wanted);
});

it('bodies side by side have each their own file and digests, more of them than there are threads', async () => {
  const sizes = Array.from({ length: 9 }, (_, index) => mebibyte + index * 100_001);
  await Promise.all(
    sizes.map(async (size, index) => {
      const bytes = Buffer.alloc(size, index + 1);
      const file = newFile();
      const intake = new Intake({ digests: ['md5', 'crc64nvme'], file });
      for (let at = 0; at < size; at += 65_536) await intake.take(bytes.subarray(at, at + 65_536));
      const { digests } = await intake.end();
      assert.equal(digests['md5'], expected('md5', bytes));
      assert.equal(digests['crc64nvme'], expected('crc64nvme', bytes));
      assert.ok(bytes.equals(file.content()));
    }),
  );
});

it('a cipher is for the file alone: the digests are of the plain bytes', async () => {
  const cipher = { key: Buffer.alloc(32, 7), counter: Buffer.alloc(16, 255) };
  const file = newFile(cipher);
  const bytes = bytesOf(mebibyte + 7);
  const intake = new Intake({ digests: ['md5'], file });
  for (let at = 0; at < bytes.length; at += 100_001) await intake.take(bytes.subarray(at, at + 100_001));
  const { digests } = await intake.end();
  assert.equal(digests['md5'], expected('md5', bytes));
  const written = file.content();
  assert.ok(!written.equals(bytes));
  assert.ok(createDecipheriv('aes-256-ctr', cipher.key, cipher.counter).update(written).equals(bytes));
});

it('the source waits while the file is slow, and no more than two mebibytes are under way', async () => {
  // A pipe takes 64 KiB, and no more until somebody reads.
  const path = join(directory, 'pipe');
  assert.equal(spawnSync('mkfifo', [path]).status, 0);
  const pipe = fs.openSync(path, 'r+');
  const into = Buffer.alloc(mebibyte);
  let read = 0;
  let given = 0;
  let reading: Promise<void> | undefined;
  // One at a time, and only while something is to come: another would wait for ever.
  const readSome = () => {
    if (read === given) return turn();
    reading ??= new Promise<void>((resolve, reject) =>
      fs.read(pipe, into, 0, into.length, null, (error, count) => {
        read += count;
        reading = undefined;
        if (error) reject(error);
        else resolve();
      }),
    );
    return reading;
  };
  const file: BodyFile = { open: () => ({ file: pipe }), finish: async () => {} };
  const intake = new Intake({ digests: ['md5'], file });
  const bytes = bytesOf(65_536);
  let waits = 0;
  let most = 0;
  for (let count = 1; count <= 160; count += 1) {
    const room = intake.take(bytes);
    given += bytes.length;
    most = Math.max(most, given - read);
    if (!room) continue;
    waits += 1;
    const isRoom = room.then(() => true);
    while (!(await Promise.race([isRoom, readSome().then(() => false)])));
  }
  const ended = intake.end();
  while (read < 10 * mebibyte) await readSome();
  assert.equal((await ended).sizeBytes, 10 * mebibyte);
  assert.ok(waits >= 4, `it waited ${waits} times`);
  assert.ok(most <= 2.5 * mebibyte, `${most} bytes were under way`);
  fs.closeSync(pipe);
});

it('a file that fails is told at once, and ends the body', async () => {
  const told: Error[] = [];
  const full = fs.openSync('/dev/full', 'w');
  const file: BodyFile = { open: () => ({ file: full }), finish: async () => {} };
  const intake = new Intake({ digests: ['md5'], file, onFailure: (error) => told.push(error) });
  await intake.take(bytesOf(mebibyte));
  while (told.length === 0) await turn();
  assert.equal((told[0] as NodeJS.ErrnoException).code, 'ENOSPC');
  assert.throws(() => intake.take(Buffer.alloc(1)), { code: 'ENOSPC' });
  await assert.rejects(async () => intake.end(), { code: 'ENOSPC' });
  await intake.abort();
  assert.equal(told.length, 1);
  fs.closeSync(full);
});

it('a body that is given up is not written any more, once that is settled', async () => {
  const file = newFile();
  const intake = new Intake({ digests: ['md5', 'sha256'], file });
  await intake.take(bytesOf(3 * mebibyte));
  await intake.abort();
  const size = file.content().length;
  await new Intake({ digests: ['md5'], file: newFile() }).end();
  assert.equal(fs.statSync(join(directory, String(serial - 1))).size, size);
});
