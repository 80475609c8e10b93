// Where are an object's bytes? Each body is one file `objects/xx/REST` under the data directory, named by a random id, never by a key.
// A file is written under its final name and is no one's until a row names it: the row is committed after the file and its directory entry are
// on disk, so a crash leaves at worst a file without a row, which `sweep` removes at the next start. (A temporary name and a rename would
// add two system calls and prove nothing more, because nobody can find the file before the row says its name.)
// A body of at most `inRowBytes` is no file but a row of the store's: one commit makes it and its object durable, instead of three waits for the disk
// (docs/decisions/0008-small-bodies-in-the-database.md).
// Files never change, so a copy is a hard link, and a file is unlinked only some seconds after its row is gone: an answer that was already
// given the path may not have opened it yet.

import * as fs from 'node:fs';
import { readdir, unlink } from 'node:fs/promises';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { type FedBody, Intake, type IntakeOptions, smallBytes, type TakenIn } from '../../edge/intake.ts';
import { caught, type Soon, soon } from '../../edge/soon.ts';
import type { FileBody, StreamingBody } from '../../service.ts';
import { fewRandomBytes } from '../../store/randomness.ts';
import { type BlobKey, cipherAt, counterAt, keysUnder, readOrMakeKey, seedOf } from './blob-cipher.ts';
import { NewFile, type OpenFile, sync } from './blob-file.ts';
import { concatenate, decrypted, type Piece, pieceBytes, readSmall } from './blob-reading.ts';
import { refusedByDisk } from './errors.ts';
import { RecentBytes } from './recent-bytes.ts';

/** Bodies up to this size are kept by `SmallBodies`. */
const inRowBytes = 16 * 1024;
/** Begins the ids of those; no file's id has it, and no path is made of it. */
const inRowPrefix = 'row:';
/** Of small bodies that were read lately. */
const recentBytes = 8 * 1024 * 1024;
const graceMs = 3000;

export type { Piece } from './blob-reading.ts';

export type Body = FedBody | Readable | Uint8Array;

export interface WriteOptions {
  /** Longest body to take; `onTooLong` makes the error. */
  readonly maxBytes: number;
  readonly onTooLong: (sizeBytes: number) => Error;
  /** Suffixes of checksum headers (`crc32` …) to compute on the way. */
  readonly checksums?: readonly string[];
  /** What is stored is encrypted with it, and reading needs it again. Digests are of the plain bytes. */
  readonly key?: BlobKey | undefined;
}

export interface WrittenBlob {
  readonly blobId: string;
  readonly sizeBytes: number;
  /** Hexadecimal. */
  readonly md5: string;
  /** Base64, by the suffix asked for. */
  readonly checksums: Readonly<Record<string, string>>;
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
  #ownKey: Buffer | undefined;
  #ownKeys: BlobKey | undefined;
  readonly #recent = new RecentBytes(recentBytes);
  readonly #made = new Set<string>();
  /** Written, and not yet named by a committed row. */
  readonly #unclaimed = new Set<string>();
  /** While `sweep` is under way: it was told the names of before. */
  #claimedMeanwhile: Set<string> | undefined;
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
   * Writes a body; what it returns is on disk, or shares the commit of a row that is put in the same turn. When the body or the disk fails, nothing is left.
   * The blob is safe from `sweep` until `claim` or `discard`.
   */
  write(body: Body | undefined, options: WriteOptions): Soon<WrittenBlob> {
    const blobId = fewRandomBytes(16).toString('hex');
    this.#unclaimed.add(blobId);
    const { key } = options;
    const sealing = () => key && { key: key(blobId), counter: counterAt(blobId, 0) };
    const file = new NewFile(() => this.#create(blobId), sealing);
    const { checksums: names = [], maxBytes, onTooLong } = options;
    const written = ({ digests, sizeBytes }: TakenIn, id = blobId): WrittenBlob => ({
      blobId: id,
      sizeBytes,
      md5: Buffer.from(digests.md5 ?? '', 'base64').toString('hex'),
      checksums: Object.fromEntries(names.map((name) => [name, digests[name] ?? ''])),
    });
    const kept = (taken: TakenIn): Soon<WrittenBlob> => {
      const { small } = taken;
      if (small && small.length <= inRowBytes) {
        this.#unclaimed.delete(blobId);
        return written(taken, this.#keep(blobId, key ? cipherAt(key, blobId, 0).update(small) : small));
      }
      const onDisk = small ? file.writeWhole(small) : undefined;
      const closed = () => {
        file.close();
        return written(taken);
      };
      return onDisk ? onDisk.then(closed) : closed();
    };
    return caught(
      () => soon(takeIn(body, { digests: ['md5', ...names], file, maxBytes, onTooLong }), kept),
      (error) => {
        file.close();
        this.#discardIfPossible(blobId);
        throw refusedByDisk(error as NodeJS.ErrnoException) ?? error;
      },
    );
  }

  /** The cloud's own key, made when it is first needed and kept beside the bodies; it survives a power cut before the first body that needs it does. */
  ownKey(): Buffer {
    this.#ownKey ??= readOrMakeKey(`${this.#directory}.key`);
    return this.#ownKey;
  }

  /** A key under it for each blob. */
  ownKeys(): BlobKey {
    this.#ownKeys ??= keysUnder(this.ownKey());
    return this.#ownKeys;
  }

  #create(blobId: string): OpenFile {
    this.#makeDirectory(blobId);
    const file = fs.openSync(this.path(blobId), 'wx', 0o600);
    return { file, syncDirectory: () => this.#syncDirectory(blobId) };
  }

  #keep(name: string, bytes: Uint8Array): string {
    const blobId = `${inRowPrefix}${name}`;
    this.#unclaimed.add(blobId);
    this.#small.putBytes(blobId, bytes);
    return blobId;
  }

  /** A second name for the same bytes; the key that opens them stays the same. */
  async link(blobId: string): Promise<string> {
    const copy = `${fewRandomBytes(16).toString('hex')}-${seedOf(blobId)}`;
    if (isInRow(blobId)) return this.#keep(copy, this.#inRow(blobId));
    this.#unclaimed.add(copy);
    this.#makeDirectory(copy);
    fs.linkSync(this.path(blobId), this.path(copy));
    await this.#syncDirectory(copy);
    return copy;
  }

  /** A committed row names it now. */
  claim(blobId: string): void {
    this.#unclaimed.delete(blobId);
    this.#claimedMeanwhile?.add(blobId);
  }

  /** Removes a blob that no row ever named. */
  discard(blobId: string): void {
    this.#unclaimed.delete(blobId);
    this.#unlink(blobId);
  }

  /** What cannot be removed, on a disk that became read-only, is the next sweep's. */
  #discardIfPossible(blobId: string): void {
    try {
      this.discard(blobId);
    } catch {
      // The error that led here is the one to tell.
    }
  }

  /** Its row is gone, durably: remove the file once nobody can be about to read it. */
  condemn(blobId: string): void {
    if (this.#condemned.has(blobId)) return;
    // Whoever was given these bytes has them.
    if (isInRow(blobId)) {
      this.#recent.delete(blobId);
      this.#small.deleteBytes(blobId);
      return;
    }
    const timer = setTimeout(() => this.#finish(blobId, unlinkLater), graceMs);
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
      this.#finish(blobId, unlinkNow);
    }
  }

  /** The bytes of the pieces one after the other, in the cheapest form for sending. @param key of encrypted blobs */
  read(pieces: readonly Piece[], key?: BlobKey): StreamingBody {
    const whole = pieces.filter((piece) => piece.end > piece.start);
    const [first] = whole;
    if (!first) return new Uint8Array(0);
    if (whole.length === 1) return this.#readOne(first, key);
    const sizeBytes = whole.reduce((sum, { start, end }) => sum + end - start, 0);
    // A row goes without grace.
    const kept = whole.map((piece) => (isInRow(piece.blobId) ? this.#readOne(piece, key) : piece));
    return { sizeBytes, pieces: this.#readEach(kept, key) };
  }

  /** One by one: an object may have ten thousand, each with a key of its own. */
  *#readEach(
    kept: readonly (Piece | FileBody | Uint8Array)[],
    key: BlobKey | undefined,
  ): Generator<FileBody | Uint8Array> {
    const release = this.#hold(kept.filter(isPiece));
    try {
      for (const one of kept) yield isPiece(one) ? this.#readOne(one, key) : one;
    } finally {
      release();
    }
  }

  #readOne({ blobId, start, end }: Piece, key: BlobKey | undefined): FileBody | Uint8Array {
    if (isInRow(blobId) && key !== undefined && key === this.#ownKeys)
      return this.#opened(blobId, key).subarray(start, end);
    if (!isInRow(blobId) && end - start > smallBytes) {
      const cipher = key && { key: key(blobId), counter: counterAt(blobId, start), skip: start % 16 };
      return { file: this.path(blobId), start, end, ...(cipher && { cipher }) };
    }
    const bytes = isInRow(blobId)
      ? this.#inRow(blobId).subarray(start, end)
      : readSmall(this.path(blobId), start, end - start);
    return key ? cipherAt(key, blobId, start).update(bytes) : bytes;
  }

  /** Until what is returned is called, none of the files goes. */
  #hold(pieces: readonly Piece[]): () => void {
    for (const { blobId } of pieces) this.#readers.set(blobId, (this.#readers.get(blobId) ?? 0) + 1);
    return () => {
      for (const { blobId } of pieces) this.#unread(blobId);
    };
  }

  /** The same as a stream; while it is open none of its files goes. @param key of encrypted blobs */
  stream(pieces: readonly Piece[], key?: BlobKey): Readable {
    const release = this.#hold(pieces);
    const sources = pieces.map(({ blobId, start, end }) =>
      isInRow(blobId) ? this.#inRow(blobId).subarray(start, end) : { file: this.path(blobId), start, end: end - 1 },
    );
    const opened = key ? decrypted(sources, pieces, key) : concatenate(sources);
    const stream = Readable.from(opened, { objectMode: false, highWaterMark: pieceBytes });
    stream.once('close', release);
    return stream;
  }

  #unread(blobId: string): void {
    const left = (this.#readers.get(blobId) ?? 1) - 1;
    if (left > 0) {
      this.#readers.set(blobId, left);
      return;
    }
    this.#readers.delete(blobId);
    if (this.#condemned.get(blobId) === 'when-unread') this.#finish(blobId, unlinkLater);
  }

  #finish(blobId: string, unlinkFile: (path: string) => void): void {
    if (this.#readers.has(blobId)) {
      this.#condemned.set(blobId, 'when-unread');
      return;
    }
    this.#condemned.delete(blobId);
    unlinkFile(this.path(blobId));
  }

  /** Removes every file that no row names. @returns how many */
  async sweep(isNamed: (blobId: string) => boolean): Promise<number> {
    let removed = 0;
    const claimed = new Set<string>();
    this.#claimedMeanwhile = claimed;
    const isKept = (blobId: string) => isNamed(blobId) || this.#unclaimed.has(blobId) || claimed.has(blobId);
    for (const shard of await listed(this.#directory)) {
      for (const rest of await listed(join(this.#directory, shard))) {
        const blobId = shard + rest;
        if (isKept(blobId) || this.#condemned.has(blobId)) continue;
        await unlink(join(this.#directory, shard, rest)).catch(ignoreMissing);
        removed += 1;
      }
    }
    for (const blobId of this.#small.bytesIds()) {
      if (isKept(blobId)) continue;
      this.#small.deleteBytes(blobId);
      removed += 1;
    }
    this.#claimedMeanwhile = undefined;
    return removed;
  }

  /** Plain. Of bodies under the cloud's own key alone: a customer's key leaves nothing behind. */
  #opened(blobId: string, key: BlobKey): Uint8Array {
    const known = this.#recent.get(blobId);
    if (known) return known;
    const opened = cipherAt(key, blobId, 0).update(this.#inRow(blobId));
    this.#recent.set(blobId, opened);
    return opened;
  }

  /** A copy into our own memory happens in the database's reader: what is returned stays as it is. */
  #inRow(blobId: string): Uint8Array {
    const bytes = this.#small.bytes(blobId);
    if (!bytes) throw new Error(`${blobId} is not in the database`);
    return bytes;
  }

  #unlink(blobId: string): void {
    if (isInRow(blobId)) {
      this.#recent.delete(blobId);
      this.#small.deleteBytes(blobId);
      return;
    }
    unlinkNow(this.path(blobId));
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

function takeIn(body: Body | undefined, options: IntakeOptions): Soon<TakenIn> {
  return body && 'feed' in body ? body.feed(options) : takeFrom(body, options);
}

async function takeFrom(body: Readable | Uint8Array | undefined, options: IntakeOptions): Promise<TakenIn> {
  const intake = new Intake(options);
  try {
    for await (const chunk of body instanceof Uint8Array ? [body] : (body ?? [])) await intake.take(chunk);
    return await intake.end();
  } catch (error) {
    await intake.abort();
    throw error;
  }
}

function isPiece(one: object): one is Piece {
  return 'blobId' in one;
}

function isInRow(blobId: string): boolean {
  return blobId.startsWith(inRowPrefix);
}

function unlinkNow(path: string): void {
  try {
    fs.unlinkSync(path);
  } catch (error) {
    ignoreMissing(error);
  }
}

/** Freeing the blocks of a large file takes milliseconds. One that is left is the next sweep's. */
function unlinkLater(path: string): void {
  fs.unlink(path, () => {});
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
