// Each of these codes was read by a decoder (jsQR 1.4) when its digest was written down.

import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { describe, it } from 'node:test';
import { qrCode, qrPng } from './qr-code.ts';

const text = (length: number) =>
  Array.from({ length }, (_, place) => 'abcdefghij0123456789ABCDEF?=@'[(place * 7 + length) % 29]).join('');
const digest = (length: number) =>
  createHash('sha256')
    .update(
      qrCode(text(length))
        .map((line) => line.map(Number).join(''))
        .join('\n'),
    )
    .digest('hex')
    .slice(0, 16);

describe('QR codes', () => {
  it('are as big as their text needs, and drawn as they were when a decoder read them', () => {
    const drawn = [20, 106, 107, 154, 193, 231, 322].map((length) => [
      length,
      qrCode(text(length)).length,
      digest(length),
    ]);
    assert.deepEqual(drawn, [
      [20, 37, '04687c34df01ad6d'],
      [106, 37, '44393165298c0ba7'],
      [107, 41, 'a2b3ab15b0b963ce'],
      [154, 45, 'c16a8c2018f7c401'],
      [193, 53, '8f44c73cdba0484e'],
      [231, 57, 'fe97d22052f6f054'],
      [322, 65, '1db61db180e889be'],
    ]);
  });

  it('have the largest text that fits, and no larger one', () => {
    assert.equal(qrCode('x'.repeat(367)).length, 65);
    assert.throws(() => qrCode('x'.repeat(368)), /too many/);
  });

  it('are PNG with a light margin', () => {
    const png = qrPng('x');
    assert.equal(png.subarray(1, 4).toString(), 'PNG');
    assert.equal(png.readUInt32BE(16), (37 + 8) * 5);
  });
});
