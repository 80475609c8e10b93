// Encrypted bodies: the cipher of a blob at any offset, and the cloud's own key. docs/decisions/0016-what-s3-adds-leaves-the-plain-object-alone.md

import { createDecipheriv, randomBytes } from 'node:crypto';
import * as fs from 'node:fs';
import { dirname } from 'node:path';
import type { BodyCipher } from './blob-file.ts';

/**
 * AES-256 in counter mode, so that any stretch can be read by itself. A blob's id is 16 random bytes and names one content only: it is the counter's start.
 * Encrypting and decrypting are the same.
 */
export function cipherAt(key: Buffer, blobId: string, start: number): BodyCipher {
  const block = BigInt(`0x${blobId.replace(/^.*:/, '')}`) + BigInt(Math.floor(start / 16));
  const counter = Buffer.from(BigInt.asUintN(128, block).toString(16).padStart(32, '0'), 'hex');
  const cipher = createDecipheriv('aes-256-ctr', key, counter);
  cipher.update(Buffer.alloc(start % 16));
  return cipher;
}

const keyBytes = 32;

/** Reads the key at a path; the first time it makes one, which is on disk before anything is encrypted with it. */
export function readOrMakeKey(path: string): Buffer {
  try {
    const known = fs.readFileSync(path);
    // One that is torn was never used.
    if (known.length === keyBytes) return known;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
  }
  const key = randomBytes(keyBytes);
  fs.mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
  fs.writeFileSync(path, key, { mode: 0o600, flush: true });
  const directory = fs.openSync(dirname(path), 'r');
  fs.fsyncSync(directory);
  fs.closeSync(directory);
  return key;
}
