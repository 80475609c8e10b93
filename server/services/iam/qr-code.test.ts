import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { PNG } from 'pngjs';
import decodeQR from 'qr/decode.js';
import { qrPng } from './qr-code.ts';

describe('QR codes', () => {
  for (const length of [20, 107, 322])
    it(`are read back from their picture, of ${length} characters`, () => {
      const text = `otpauth://totp/${'name.'.repeat(100)}`.slice(0, length);
      assert.equal(decodeQR(PNG.sync.read(qrPng(text))), text);
    });

  it('have a light margin of four modules', () => {
    const { data, width } = PNG.sync.read(qrPng('x'));
    const isLight = (x: number, y: number) => data[(y * width + x) * 4] === 255;
    for (let at = 0; at < width; at += 1)
      assert.ok(isLight(at, 19) && isLight(19, at) && isLight(at, width - 20), `${at}`);
    assert.ok(!isLight(20, 20));
  });
});
