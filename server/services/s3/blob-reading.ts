// Stored bytes on their way out: stretches of blobs one after the other, opened where they are encrypted.

import * as fs from 'node:fs';
import { type BlobKey, cipherAt } from './blob-cipher.ts';

export const pieceBytes = 512 * 1024;

/** A stretch of one blob. `start` is the first byte, `end` one past the last. */
export interface Piece {
  readonly blobId: string;
  readonly start: number;
  readonly end: number;
}

export type Source = Uint8Array | { readonly file: string; readonly start: number; readonly end: number };

export async function* decrypted(
  sources: readonly Source[],
  pieces: readonly Piece[],
  key: BlobKey,
): AsyncGenerator<Uint8Array> {
  for (const [index, { blobId, start }] of pieces.entries()) {
    const cipher = cipherAt(key, blobId, start);
    for await (const chunk of concatenate(sources.slice(index, index + 1))) yield cipher.update(chunk);
  }
}

export async function* concatenate(sources: readonly Source[]): AsyncGenerator<Uint8Array> {
  for (const source of sources) {
    if (source instanceof Uint8Array) {
      yield source;
      continue;
    }
    const { file, start, end } = source;
    for await (const chunk of fs.createReadStream(file, { start, end, highWaterMark: pieceBytes }))
      yield chunk as Buffer;
  }
}

/** At once: a small body is read sooner than asked for. */
export function readSmall(path: string, start: number, sizeBytes: number): Uint8Array {
  const file = fs.openSync(path, 'r');
  try {
    const bytes = Buffer.allocUnsafe(sizeBytes);
    let got = 0;
    while (got < sizeBytes) {
      const count = fs.readSync(file, bytes, got, sizeBytes - got, start + got);
      if (count === 0) throw new Error(`${path} is shorter than its row says`);
      got += count;
    }
    return bytes;
  } finally {
    fs.closeSync(file);
  }
}
