// What goes in comes out, with the digests that Node's own hashes have, however it is cut; and a slow or broken sink is felt at the source.

import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { it } from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';
import { checksumAlgorithms } from './checksums.ts';
import { Intake, type Sink } from './intake.ts';

const mebibyte = 1024 * 1024;

function bytesOf(length: number): Buffer {
  const bytes = Buffer.allocUnsafe(length);
  for (let at = 0; at < length; at += 1) bytes[at] = (at * 31 + (at >> 8)) & 255;
  return bytes;
}

function gathering(): Sink & { readonly pieces: Buffer[] } {
  const pieces: Buffer[] = [];
  return { pieces, write: async (piece) => void pieces.push(Buffer.from(piece)), finish: async () => {} };
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
  [262_144, 1000],
  [mebibyte + 1, 70_001],
  [3 * mebibyte, 3 * mebibyte],
] as const)
  it(`${sizeBytes} bytes in pieces of ${pieceBytes}`, async () => {
    const bytes = bytesOf(sizeBytes);
    const digests = ['md5', 'sha256', 'crc32', 'crc64nvme'];
    const sink = gathering();
    const intake = new Intake({ digests, sink });
    for (let at = 0; at < sizeBytes; at += pieceBytes) await intake.take(bytes.subarray(at, at + pieceBytes));
    const taken = await intake.end();
    assert.equal(taken.sizeBytes, sizeBytes);
    assert.equal(taken.small !== undefined, sizeBytes <= 65_536);
    assert.ok(bytes.equals(taken.small ?? Buffer.concat(sink.pieces)));
    assert.deepEqual(taken.digests, Object.fromEntries(digests.map((name) => [name, expected(name, bytes)])));
  });

it('chunks are hashed by themselves, also where one ends with a slab', async () => {
  const bytes = bytesOf(600_000);
  const ends = [10, 10, 65_546, 262_144, 600_000, 600_000];
  const seen: string[] = [];
  const intake = new Intake({ digests: ['md5'], sink: gathering(), onChunk: (digest) => seen.push(digest) });
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

it('the source waits while the sink is slow, and no more than two mebibytes are under way', async () => {
  const release: (() => void)[] = [];
  let underWay = 0;
  let most = 0;
  const sink: Sink = {
    write(piece) {
      underWay += piece.length;
      most = Math.max(most, underWay);
      return new Promise((resolve) =>
        release.push(() => {
          underWay -= piece.length;
          resolve();
        }),
      );
    },
    finish: async () => {},
  };
  const intake = new Intake({ digests: ['md5'], sink });
  const bytes = bytesOf(65_536);
  let waits = 0;
  for (let count = 0; count < 160; count += 1) {
    const room = intake.take(bytes);
    if (!room) continue;
    waits += 1;
    for (const one of release.splice(0)) one();
    await room;
  }
  const ended = intake.end();
  while (underWay > 0) {
    for (const one of release.splice(0)) one();
    await turn();
  }
  assert.equal((await ended).sizeBytes, 10 * mebibyte);
  assert.ok(waits >= 4, `it waited ${waits} times`);
  assert.ok(most <= 2.5 * mebibyte, `${most} bytes were under way`);
});

it('a sink that fails is told at once, and ends the body', async () => {
  const told: Error[] = [];
  const sink: Sink = {
    write: async () => {
      throw new Error('ENOSPC');
    },
    finish: async () => {},
  };
  const intake = new Intake({ digests: ['md5'], sink, onFailure: (error) => told.push(error) });
  await intake.take(bytesOf(mebibyte));
  await turn();
  assert.throws(() => intake.take(Buffer.alloc(1)), /ENOSPC/);
  await assert.rejects(intake.end(), /ENOSPC/);
  await intake.abort();
  assert.equal(told.length, 1);
});
