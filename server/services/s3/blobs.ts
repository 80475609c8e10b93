// Where are an object's bytes? Each body is one file `objects/xx/REST` under the data directory, named by a random id, never by a key.
// A file is written under its final name and is no one's until a row names it: the row is committed after the file and its directory entry are
// on disk, so a crash leaves at worst a file without a row, which `sweep` removes at the next start. (A temporary name and a rename would
// add two system calls and prove nothing more, because nobody can find the file before the row says its name.)
// A body of at most `inRowBytes` is no file but a row of the store's: one commit makes it and its object durable, instead of three waits for the disk
// (docs/decisions/0008-small-bodies-in-the-database.md).
// Files never change, so a copy is a hard link, and a file is unlinked only some seconds after its row is gone: an answer that was already
// given the path may not have opened it yet.

import { createHash, randomBytes } from 'node:crypto';
import * as fs from 'node:fs';
import { readdir, unlink } from 'node:fs/promises';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { type Checksum, checksumAlgorithms } from '../../edge/checksums.ts';
import type { StreamingBody } from '../../service.ts';

/** Bodies up to this size are written and read in one go; larger ones in pieces of `pieceBytes`. */
const smallBytes = 64 * 1024;
/** Bodies up to this size are kept by `SmallBodies`. */
const inRowBytes = 16 * 1024;
/** Begins the ids of those; no file's id has it, and no path is made of it. */
const inRowPrefix = 'row:';
const pieceBytes = 512 * 1024;
const graceMs = 10_000;

export type Body = Readable | Uint8Array | AsyncIterable<Uint8Array>;

export interface WriteOptions {
  /** Longest body to take; `onTooLong` makes the error. */
  readonly maxBytes: number;
  readonly onTooLong: (sizeBytes: number) => Error;
  /** Suffixes of checksum headers (`crc32` …) to compute on the way. */
  readonly checksums?: readonly string[];
}

export interface WrittenBlob {
  readonly blobId: string;
  readonly sizeBytes: number;
  /** Hexadecimal. */
  readonly md5: string;
  /** Base64, by the suffix asked for. */
  readonly checksums: Readonly<Record<string, string>>;
}

/** A stretch of one blob. `start` is the first byte, `end` one past the last. */
export interface Piece {
  readonly blobId: string;
  readonly start: number;
  readonly end: number;
}

/** The store, as it keeps bodies that are too small for a file. */
export interface SmallBodies {
  putBytes(id: string, bytes: Uint8Array): void;
  deleteBytes(id: string): void;
  bytes(id: string): Uint8Array | undefined;
  bytesIds(): string[];
}

export class Blobs {
  readonly #directory: string;
  readonly #small: SmallBodies;
  readonly #made = new Set<string>();
  /** Written, and not yet named by a committed row. */
  readonly #unclaimed = new Set<string>();
  readonly #readers = new Map<string, number>();
  readonly #condemned = new Map<string, NodeJS.Timeout | 'when-unread'>();

  /** @param dataDirectory made with owner-only mode when missing */
  constructor(dataDirectory: string, small: SmallBodies) {
    this.#small = small;
    this.#directory = join(dataDirectory, 'objects');
  }

  path(blobId: string): string {
    return join(this.#directory, blobId.slice(0, 2), blobId.slice(2));
  }

  /**
   * Writes a body; resolves after it is on disk. When the body or the disk fails, nothing is left.
   * The blob is safe from `sweep` until `claim` or `discard`.
   */
  async write(body: Body | undefined, options: WriteOptions): Promise<WrittenBlob> {
    const blobId = randomBytes(16).toString('hex');
    this.#unclaimed.add(blobId);
    const digests = new Digests(options.checksums ?? []);
    let file: number | undefined;
    try {
      const { sizeBytes, small } = await this.#fill(body, options, digests, () => {
        this.#makeDirectory(blobId);
        file = fs.openSync(this.path(blobId), 'wx', 0o600);
        return file;
      });
      if (small) {
        this.#unclaimed.delete(blobId);
        return { blobId: this.#keep(small), sizeBytes, ...digests.finish() };
      }
      if (file === undefined) throw new Error('a blob without a file');
      // At once: a journal takes both in one commit.
      const outcomes = await Promise.allSettled([sync(file), this.#syncDirectory(blobId)]);
      for (const outcome of outcomes) if (outcome.status === 'rejected') throw outcome.reason;
      fs.closeSync(file);
      file = undefined;
      return { blobId, sizeBytes, ...digests.finish() };
    } catch (error) {
      if (file !== undefined) fs.closeSync(file);
      this.discard(blobId);
      throw error;
    }
  }

  #keep(bytes: Uint8Array): string {
    const blobId = `${inRowPrefix}${randomBytes(16).toString('hex')}`;
    this.#unclaimed.add(blobId);
    this.#small.putBytes(blobId, bytes);
    return blobId;
  }

  /** @returns the bytes themselves when they are too few for a file; then none was made */
  async #fill(
    body: Body | undefined,
    options: WriteOptions,
    digests: Digests,
    create: () => number,
  ): Promise<{ sizeBytes: number; small?: Uint8Array }> {
    let sizeBytes = 0;
    let file: number | undefined;
    let waiting: Uint8Array[] = [];
    let waitingBytes = 0;
    let writing: Promise<void> | undefined;
    const take = (chunk: Uint8Array) => {
      sizeBytes += chunk.length;
      if (sizeBytes > options.maxBytes) throw options.onTooLong(sizeBytes);
      waiting.push(chunk);
      waitingBytes += chunk.length;
    };
    try {
      for await (const chunk of body instanceof Uint8Array ? [body] : (body ?? [])) {
        take(chunk);
        if (waitingBytes < (file === undefined ? smallBytes + 1 : pieceBytes)) continue;
        file ??= create();
        // Hash the next pieces while the disk takes these: one write is under way at a time.
        await writing;
        writing = writeAll(file, waiting);
        // Awaited at the next turn; until then a failure has no one to tell.
        writing.catch(() => {});
        for (const one of waiting) digests.update(one);
        waiting = [];
        waitingBytes = 0;
      }
    } finally {
      await writing?.catch((error) => {
        writing = Promise.reject(error);
        writing.catch(() => {});
      });
    }
    await writing;
    for (const one of waiting) digests.update(one);
    if (file === undefined && sizeBytes <= inRowBytes) return { sizeBytes, small: Buffer.concat(waiting) };
    if (file === undefined) {
      // A write into the page cache takes microseconds; a round through the thread pool takes more.
      const small = create();
      for (const one of waiting) writeSyncAll(small, one);
    } else if (waiting.length > 0) {
      await writeAll(file, waiting);
    }
    return { sizeBytes };
  }

  /** A second name for the same bytes. */
  async link(blobId: string): Promise<string> {
    if (isInRow(blobId)) return this.#keep(this.#inRow(blobId));
    const copy = randomBytes(16).toString('hex');
    this.#unclaimed.add(copy);
    this.#makeDirectory(copy);
    fs.linkSync(this.path(blobId), this.path(copy));
    await this.#syncDirectory(copy);
    return copy;
  }

  /** A committed row names it now. */
  claim(blobId: string): void {
    this.#unclaimed.delete(blobId);
  }

  /** Removes a blob that no row ever named. */
  discard(blobId: string): void {
    this.#unclaimed.delete(blobId);
    this.#unlink(blobId);
  }

  /** Its row is gone, durably: remove the file once nobody can be about to read it. */
  condemn(blobId: string): void {
    if (this.#condemned.has(blobId)) return;
    // Whoever was given these bytes has them.
    if (isInRow(blobId)) {
      this.#small.deleteBytes(blobId);
      return;
    }
    const timer = setTimeout(() => this.#finish(blobId), graceMs);
    timer.unref();
    this.#condemned.set(blobId, timer);
  }

  /** Forgets what waits for its seconds to pass; the next sweep removes it. At shutdown, when a commit may still be under way. */
  close(): void {
    for (const timer of this.#condemned.values()) if (timer !== 'when-unread') clearTimeout(timer);
    this.#condemned.clear();
  }

  /** Does now what the seconds of grace would lead to. */
  endGrace(): void {
    for (const [blobId, timer] of this.#condemned) {
      if (timer !== 'when-unread') clearTimeout(timer);
      this.#finish(blobId);
    }
  }

  /** The bytes of the pieces one after the other, in the cheapest form for sending. */
  read(pieces: readonly Piece[]): StreamingBody {
    const whole = pieces.filter((piece) => piece.end > piece.start);
    const [first] = whole;
    if (!first) return new Uint8Array(0);
    if (whole.length === 1) {
      const sizeBytes = first.end - first.start;
      if (isInRow(first.blobId)) return this.#inRow(first.blobId).subarray(first.start, first.end);
      if (sizeBytes > smallBytes) return { file: this.path(first.blobId), start: first.start, end: first.end };
      return readSmall(this.path(first.blobId), first.start, sizeBytes);
    }
    return this.stream(whole);
  }

  /** The same as a stream; while it is open none of its files goes. */
  stream(pieces: readonly Piece[]): Readable {
    for (const { blobId } of pieces) this.#readers.set(blobId, (this.#readers.get(blobId) ?? 0) + 1);
    const sources = pieces.map(({ blobId, start, end }) =>
      isInRow(blobId) ? this.#inRow(blobId).subarray(start, end) : { file: this.path(blobId), start, end: end - 1 },
    );
    const stream = Readable.from(concatenate(sources), { objectMode: false, highWaterMark: pieceBytes });
    stream.once('close', () => {
      for (const { blobId } of pieces) this.#unread(blobId);
    });
    return stream;
  }

  #unread(blobId: string): void {
    const left = (this.#readers.get(blobId) ?? 1) - 1;
    if (left > 0) {
      this.#readers.set(blobId, left);
      return;
    }
    this.#readers.delete(blobId);
    if (this.#condemned.get(blobId) === 'when-unread') this.#finish(blobId);
  }

  #finish(blobId: string): void {
    if (this.#readers.has(blobId)) {
      this.#condemned.set(blobId, 'when-unread');
      return;
    }
    this.#condemned.delete(blobId);
    this.#unlink(blobId);
  }

  /** Removes every file that no row names. @returns how many */
  async sweep(isNamed: (blobId: string) => boolean): Promise<number> {
    let removed = 0;
    for (const shard of await listed(this.#directory)) {
      for (const rest of await listed(join(this.#directory, shard))) {
        const blobId = shard + rest;
        if (isNamed(blobId) || this.#unclaimed.has(blobId) || this.#condemned.has(blobId)) continue;
        await unlink(join(this.#directory, shard, rest)).catch(ignoreMissing);
        removed += 1;
      }
    }
    for (const blobId of this.#small.bytesIds()) {
      if (isNamed(blobId) || this.#unclaimed.has(blobId)) continue;
      this.#small.deleteBytes(blobId);
      removed += 1;
    }
    return removed;
  }

  /** A copy into our own memory happens in the database's reader: what is returned stays as it is. */
  #inRow(blobId: string): Uint8Array {
    const bytes = this.#small.bytes(blobId);
    if (!bytes) throw new Error(`${blobId} is not in the database`);
    return bytes;
  }

  #unlink(blobId: string): void {
    if (isInRow(blobId)) {
      this.#small.deleteBytes(blobId);
      return;
    }
    try {
      fs.unlinkSync(this.path(blobId));
    } catch (error) {
      ignoreMissing(error);
    }
  }

  #makeDirectory(blobId: string): void {
    const shard = blobId.slice(0, 2);
    if (this.#made.has(shard)) return;
    fs.mkdirSync(join(this.#directory, shard), { recursive: true, mode: 0o700 });
    this.#made.add(shard);
  }

  /** Linux keeps a new name through a power cut only after its directory is synced too (fsync(2)). */
  async #syncDirectory(blobId: string): Promise<void> {
    const directory = fs.openSync(join(this.#directory, blobId.slice(0, 2)), 'r');
    try {
      await sync(directory);
    } finally {
      fs.closeSync(directory);
    }
  }
}

class Digests {
  readonly #md5 = createHash('md5');
  readonly #checksums: readonly [string, Checksum][];

  constructor(names: readonly string[]) {
    this.#checksums = names.flatMap((name) => {
      const algorithm = checksumAlgorithms[name];
      return algorithm ? [[name, algorithm.create()] as [string, Checksum]] : [];
    });
  }

  update(bytes: Uint8Array): void {
    this.#md5.update(bytes);
    for (const [, checksum] of this.#checksums) checksum.update(bytes);
  }

  finish(): { md5: string; checksums: Record<string, string> } {
    return {
      md5: this.#md5.digest('hex'),
      checksums: Object.fromEntries(this.#checksums.map(([name, checksum]) => [name, checksum.digest()])),
    };
  }
}

function isInRow(blobId: string): boolean {
  return blobId.startsWith(inRowPrefix);
}

async function* concatenate(
  sources: readonly (Uint8Array | { file: string; start: number; end: number })[],
): AsyncGenerator<Uint8Array> {
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

function readSmall(path: string, start: number, sizeBytes: number): Uint8Array {
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

function sync(file: number): Promise<void> {
  return new Promise((resolve, reject) => fs.fdatasync(file, (error) => (error ? reject(error) : resolve())));
}

function writeSyncAll(file: number, bytes: Uint8Array): void {
  for (let at = 0; at < bytes.length; ) at += fs.writeSync(file, bytes, at);
}

async function writeAll(file: number, chunks: readonly Uint8Array[]): Promise<void> {
  let left = chunks;
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

async function listed(directory: string): Promise<string[]> {
  try {
    return await readdir(directory);
  } catch (error) {
    ignoreMissing(error);
    return [];
  }
}

function ignoreMissing(error: unknown): void {
  if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
}
