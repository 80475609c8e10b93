// Encrypted bytes of a file made plain: on the event loop and on the threads of bodies.

import { createDecipheriv } from 'node:crypto';
import type { FileCipher } from '../service.ts';

/** Encrypts or decrypts bytes piece by piece, in order. */
export interface BodyCipher {
  update(bytes: Uint8Array): Uint8Array;
}

const keyBytes = 32;

/** AES-256 in counter mode, in which encrypting and decrypting are the same. A key of twice the length is two keys: of two layers, one over the other (DSSE). */
export function counterMode(key: Uint8Array, counter: Uint8Array): BodyCipher {
  const inner = createDecipheriv('aes-256-ctr', key.subarray(0, keyBytes), counter);
  if (key.length === keyBytes) return inner;
  const outer = createDecipheriv('aes-256-ctr', key.subarray(keyBytes), counter);
  return { update: (bytes) => outer.update(inner.update(bytes)) };
}

/** From the first byte of a stretch on. */
export function decipherOf({ key, counter, skip }: FileCipher): BodyCipher {
  const decipher = counterMode(key, counter);
  if (skip > 0) decipher.update(Buffer.alloc(skip));
  return decipher;
}

const stepBytes = 64 * 1024;

/**
 * In steps that are small enough for memory that was used before: half a megabyte at once would be fresh each time.
 * `fill` is one memcpy; `set` takes longer where the target is shared (V8 11).
 */
export function decipherInPlace(decipher: BodyCipher, piece: Buffer): void {
  for (let at = 0; at < piece.length; at += stepBytes) {
    const end = Math.min(at + stepBytes, piece.length);
    piece.fill(decipher.update(piece.subarray(at, end)), at, end);
  }
}
