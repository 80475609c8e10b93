// The file of a body while it is written: made with its first byte, on disk when `finish` settles.

import * as fs from 'node:fs';
import { counterMode } from '../../edge/decipher.ts';
import type { BodyFile, FileTarget } from '../../edge/intake.ts';

export interface OpenFile {
  readonly file: number;
  readonly syncDirectory: () => Promise<void>;
}

/** A file that is made when it is opened. Whoever opens it writes; `finish` waits for the disk. */
export class NewFile implements BodyFile {
  readonly #create: () => OpenFile;
  readonly #sealing: () => FileTarget['cipher'];
  #open: OpenFile | undefined;

  constructor(create: () => OpenFile, sealing: () => FileTarget['cipher']) {
    this.#create = create;
    this.#sealing = sealing;
  }

  open(): FileTarget {
    this.#open ??= this.#create();
    return { file: this.#open.file, cipher: this.#sealing() };
  }

  async finish(): Promise<void> {
    if (!this.#open) throw new Error('a blob without a file');
    const { file, syncDirectory } = this.#open;
    // At once: a journal takes both in one commit.
    const outcomes = await Promise.allSettled([sync(file), syncDirectory()]);
    for (const outcome of outcomes) if (outcome.status === 'rejected') throw outcome.reason;
  }

  /** A write into the page cache takes microseconds; a round through a thread takes more. */
  async writeWhole(plain: Uint8Array): Promise<void> {
    const { file, cipher } = this.open();
    const bytes = cipher ? counterMode(cipher.key, cipher.counter).update(plain) : plain;
    for (let at = 0; at < bytes.length; ) at += fs.writeSync(file, bytes, at);
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
