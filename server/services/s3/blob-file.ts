// The file of a body while it is written: made with its first piece, on disk when `finish` settles.

import * as fs from 'node:fs';
import type { Sink } from '../../edge/intake.ts';

/** Encrypts a body piece by piece, in order. */
export interface BodyCipher {
  update(bytes: Uint8Array): Uint8Array;
}

export interface OpenFile {
  readonly file: number;
  readonly syncDirectory: () => Promise<void>;
}

/** A file that is made with its first piece. What comes while the disk takes a piece is written with one call after it; `finish` waits for the disk. */
export class FileSink implements Sink {
  readonly #create: () => OpenFile;
  readonly #cipher: BodyCipher | undefined;
  #open: OpenFile | undefined;
  #waiting: Uint8Array[] = [];
  /** The write that will take what waits. */
  #next: Promise<void> | undefined;
  #last: Promise<void> = Promise.resolve();

  constructor(create: () => OpenFile, cipher: BodyCipher | undefined) {
    this.#create = create;
    this.#cipher = cipher;
  }

  write(piece: Uint8Array): Promise<void> {
    this.#open ??= this.#create();
    const { file } = this.#open;
    this.#waiting.push(this.#cipher ? this.#cipher.update(piece) : piece);
    if (this.#next) return this.#next;
    const next = this.#last.then(() => {
      const pieces = this.#waiting;
      this.#waiting = [];
      this.#next = undefined;
      return writeAll(file, pieces);
    });
    this.#next = next;
    this.#last = next;
    return next;
  }

  async finish(): Promise<void> {
    if (!this.#open) throw new Error('a blob without a file');
    const { file, syncDirectory } = this.#open;
    // At once: a journal takes both in one commit.
    const outcomes = await Promise.allSettled([sync(file), syncDirectory()]);
    for (const outcome of outcomes) if (outcome.status === 'rejected') throw outcome.reason;
  }

  /** A write into the page cache takes microseconds; a round through the thread pool takes more. */
  async writeWhole(plain: Uint8Array): Promise<void> {
    const bytes = this.#cipher ? this.#cipher.update(plain) : plain;
    this.#open ??= this.#create();
    for (let at = 0; at < bytes.length; ) at += fs.writeSync(this.#open.file, bytes, at);
    await this.finish();
  }

  close(): void {
    if (this.#open) fs.closeSync(this.#open.file);
    this.#open = undefined;
  }
}

export function sync(file: number): Promise<void> {
  return new Promise((resolve, reject) => fs.fdatasync(file, (error) => (error ? reject(error) : resolve())));
}

async function writeAll(file: number, pieces: readonly Uint8Array[]): Promise<void> {
  let left = pieces;
  while (left.length > 0) {
    const current = left;
    let written = await new Promise<number>((resolve, reject) =>
      fs.writev(file, current, (error, count) => (error ? reject(error) : resolve(count))),
    );
    // A full disk may take a part before it refuses the rest.
    let at = 0;
    while (at < current.length && written >= (current[at]?.length ?? 0)) {
      written -= current[at]?.length ?? 0;
      at += 1;
    }
    const cut = current[at];
    left = cut ? [cut.subarray(written), ...current.slice(at + 1)] : [];
  }
}
