// Encrypted bodies: the cipher of a blob at any offset, the keys of blobs, and the cloud's own key. docs/decisions/0019-every-object-is-encrypted.md

import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto';
import * as fs from 'node:fs';
import { dirname } from 'node:path';
import { type BodyCipher, counterMode } from '../../edge/decipher.ts';
import { hmacBytes } from '../../edge/hashes.ts';

/** What a blob is encrypted with, by its id: 32 bytes, or 64 for two layers. */
export type BlobKey = (blobId: string) => Buffer;

const seedDigits = 32;

/** What a blob's bytes were encrypted for: the last 16 bytes of its id, which a second name for the same bytes keeps. */
export function seedOf(blobId: string): string {
  return blobId.slice(-seedDigits);
}

/** A key of its own for each blob. @param base of 32 bytes: the cloud's, or a KMS key's */
export function keysUnder(base: Buffer): BlobKey {
  return (blobId) => hmacBytes(base, seedOf(blobId));
}

/** The algorithm of RFC 3394, with its own initial value. */
const wrap = 'id-aes256-wrap';
const wrapInitial = Buffer.alloc(8, 0xa6);

/** The keys of blobs, each wrapped by another one. @param base of 32 bytes   @returns base64 by what `seedOf` the blob says */
export function wrapping(base: Buffer, keys: BlobKey, blobIds: readonly string[]): Record<string, string> {
  const wrapped = (blobId: string) => {
    const cipher = createCipheriv(wrap, base, wrapInitial);
    return Buffer.concat([cipher.update(keys(blobId)), cipher.final()]).toString('base64');
  };
  return Object.fromEntries(blobIds.map((blobId) => [seedOf(blobId), wrapped(blobId)]));
}

/** What `wrapping` wrapped. */
export function unwrapping(base: Buffer, wrapped: Readonly<Record<string, string>>): BlobKey {
  return (blobId) => {
    const decipher = createDecipheriv(wrap, base, wrapInitial);
    const bytes = decipher.update(Buffer.from(wrapped[seedOf(blobId)] ?? '', 'base64'));
    return Buffer.concat([bytes, decipher.final()]);
  };
}

/** The second layer is over the first, each under a key of its own. */
export function inTwoLayers(first: BlobKey, second: BlobKey): BlobKey {
  return (blobId) => Buffer.concat([first(blobId), second(blobId)]);
}

/**
 * Counter mode, so that any stretch can be read by itself. A seed is random and names one content only: it is the counter's start.
 */
export function cipherAt(key: BlobKey, blobId: string, start: number): BodyCipher {
  const cipher = counterMode(key(blobId), counterAt(blobId, start));
  if (start % 16 > 0) cipher.update(Buffer.alloc(start % 16));
  return cipher;
}

/** The counter of the block of 16 bytes that `start` is in. */
export function counterAt(blobId: string, start: number): Buffer {
  const seed = seedOf(blobId);
  if (start < 16) return Buffer.from(seed, 'hex');
  const block = BigInt(`0x${seed}`) + BigInt(Math.floor(start / 16));
  return Buffer.from(BigInt.asUintN(128, block).toString(16).padStart(seedDigits, '0'), 'hex');
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
