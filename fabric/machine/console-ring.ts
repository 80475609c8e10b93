// The last 64 KiB that a console printed, as EC2 keeps it; also in a file, so that GetConsoleOutput works after a stop.

import { readFileSync, writeFileSync } from 'node:fs';

const keptBytes = 65_536;

/** Collects console output; written to `file` at most every 200 ms, and at `close`. */
export class ConsoleRing {
  readonly #file: string;
  #chunks: Buffer[] = [];
  #size = 0;
  #timer: NodeJS.Timeout | undefined;

  constructor(file: string) {
    this.#file = file;
    this.#write();
  }

  append(chunk: Buffer): void {
    this.#chunks.push(chunk);
    this.#size += chunk.length;
    if (this.#size > keptBytes * 2) this.#chunks = [this.text()];
    this.#size = this.#chunks.reduce((size, one) => size + one.length, 0);
    this.#timer ??= setTimeout(() => this.#write(), 200).unref();
  }

  text(): Buffer {
    return Buffer.concat(this.#chunks).subarray(-keptBytes);
  }

  close(): void {
    if (this.#timer) this.#write();
  }

  #write(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    try {
      writeFileSync(this.#file, this.text(), { mode: 0o600 });
    } catch {
      // The disk was removed under us: then nobody will ask for it.
    }
  }
}

/** What a machine that is not running had printed; empty when it never ran. */
export function savedConsole(file: string): Buffer {
  try {
    return readFileSync(file);
  } catch {
    return Buffer.alloc(0);
  }
}
