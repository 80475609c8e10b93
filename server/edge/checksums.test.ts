// The CRCs against their catalogued check values, and against a division bit by bit, for lengths around what one turn takes and however they are cut.

import assert from 'node:assert/strict';
import { it } from 'node:test';
import { checksumAlgorithms } from './checksums.ts';

/** https://reveng.sourceforge.io/crc-catalogue/all.htm (read 2026-11-21): the CRC of the text 123456789. */
const catalogue = [
  { name: 'crc32', polynomial: 0xedb88320n, bits: 32n, check: 'cbf43926' },
  { name: 'crc32c', polynomial: 0x82f63b78n, bits: 32n, check: 'e3069283' },
  { name: 'crc64nvme', polynomial: 0x9a6c9329ac4bc9b5n, bits: 64n, check: 'ae8b14860a799888' },
] as const;

function computed(name: string, ...pieces: readonly Uint8Array[]): string {
  const state = checksumAlgorithms[name]?.create();
  for (const piece of pieces) state?.update(piece);
  return Buffer.from(state?.digest() ?? '', 'base64').toString('hex');
}

function divided(polynomial: bigint, bits: bigint, bytes: Uint8Array): string {
  const ones = (1n << bits) - 1n;
  let crc = ones;
  for (const byte of bytes) {
    crc ^= BigInt(byte);
    for (let bit = 0; bit < 8; bit += 1) crc = crc & 1n ? (crc >> 1n) ^ polynomial : crc >> 1n;
  }
  return (crc ^ ones).toString(16).padStart(Number(bits) / 4, '0');
}

for (const { name, polynomial, bits, check } of catalogue)
  it(name, () => {
    assert.equal(computed(name, Buffer.from('123456789')), check);
    const bytes = Buffer.from(Array.from({ length: 300 }, (_, at) => (at * 131 + (at >> 3)) & 255));
    for (const length of [0, 1, 7, 8, 9, 15, 16, 17, 31, 32, 33, 63, 300]) {
      const part = bytes.subarray(0, length);
      assert.equal(computed(name, part), divided(polynomial, bits, part), `${length} bytes`);
    }
    for (const cut of [1, 15, 16, 17, 100, 299])
      assert.equal(computed(name, bytes.subarray(0, cut), bytes.subarray(cut)), divided(polynomial, bits, bytes));
    // More than the module takes in at once.
    const long = Buffer.alloc(200_003, 'the quick brown fox');
    assert.equal(computed(name, long), divided(polynomial, bits, long));
  });
