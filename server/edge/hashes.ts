// Hashes of what is there as a whole. A `Hash` or an `Hmac` is an object with memory outside of the heap, and to collect one costs as much again as its arithmetic
// (13 % of DescribeVpcs' own time in the profile): here there are none.

import * as crypto from 'node:crypto';
import { createHash, createHmac } from 'node:crypto';

// The one-shot form came with Node 20.12 and costs a third.
type OneShot = (algorithm: string, data: string | Uint8Array, encoding: Encoding | 'buffer') => string | Buffer;
type Encoding = 'hex' | 'base64';
const oneShot = (crypto as unknown as { hash?: OneShot }).hash;

export function hashText(algorithm: string, data: string | Uint8Array, encoding: Encoding): string {
  return oneShot ? (oneShot(algorithm, data, encoding) as string) : createHash(algorithm).update(data).digest(encoding);
}

export function sha256Hex(data: string | Uint8Array): string {
  return hashText('sha256', data, 'hex');
}

/** RFC 2104: a key of at most one block, mixed with each of the two paddings. The outer one has room for the inner hash. */
interface Pads {
  readonly inner: Buffer;
  readonly outer: Buffer;
}

const blockBytes = 64;
const padsOf = new WeakMap<Uint8Array, Pads>();

function makePads(key: Uint8Array): Pads {
  const inner = Buffer.alloc(blockBytes, 0x36);
  const outer = Buffer.alloc(blockBytes + 32, 0x5c);
  for (const [at, byte] of key.entries()) {
    inner[at] = 0x36 ^ byte;
    outer[at] = 0x5c ^ byte;
  }
  const pads = { inner, outer };
  padsOf.set(key, pads);
  return pads;
}

/** The outer message of HMAC-SHA-256, whose hash is the HMAC; undefined where it is not made of one-shot hashes. */
function outerOf(key: Uint8Array, text: string): Buffer | undefined {
  if (!oneShot || key.length > blockBytes) return undefined;
  const { inner, outer } = padsOf.get(key) ?? makePads(key);
  const length = blockBytes + text.length;
  const message = length <= scratch.length ? scratch : Buffer.allocUnsafe(length);
  message.set(inner);
  message.write(text, blockBytes, 'latin1');
  outer.set(oneShot('sha256', message.subarray(0, length), 'buffer') as Buffer, blockBytes);
  return outer;
}

/**
 * HMAC-SHA-256.
 * @param key always the same object for the same key   @param text of single-byte characters
 */
export function hmacHex(key: Uint8Array, text: string): string {
  const outer = outerOf(key, text);
  return outer ? sha256Hex(outer) : createHmac('sha256', key).update(text, 'latin1').digest('hex');
}

/** The same as bytes. */
export function hmacBytes(key: Uint8Array, text: string): Buffer {
  const outer = outerOf(key, text);
  return outer && oneShot
    ? (oneShot('sha256', outer, 'buffer') as Buffer)
    : createHmac('sha256', key).update(text, 'latin1').digest();
}

/** For what is hashed at once and then forgotten; nothing here waits, so nobody else can be using it. */
const scratch = Buffer.allocUnsafeSlow(8192);

/** Node reads header bytes as latin1; written back the same way they are the bytes that the client signed. */
export function sha256OfLatin1(text: string): string {
  if (text.length > scratch.length) return sha256Hex(Buffer.from(text, 'latin1'));
  return sha256Hex(scratch.subarray(0, scratch.write(text, 'latin1')));
}
