// Encrypted bytes of a file made plain: on the event loop and on the threads of bodies.

import { createDecipheriv, type Decipher } from 'node:crypto';
import type { FileCipher } from '../service.ts';

/** AES-256 in counter mode from the first byte of a stretch on. */
export function decipherOf({ key, counter, skip }: FileCipher): Decipher {
  const decipher = createDecipheriv('aes-256-ctr', key, counter);
  if (skip > 0) decipher.update(Buffer.alloc(skip));
  return decipher;
}

const stepBytes = 64 * 1024;

/** In steps that are small enough for memory that was used before: half a megabyte at once would be fresh each time. */
export function decipherInPlace(decipher: Decipher, piece: Uint8Array): void {
  for (let at = 0; at < piece.length; at += stepBytes)
    piece.set(decipher.update(piece.subarray(at, at + stepBytes)), at);
}
