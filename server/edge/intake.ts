// Takes in the bytes of one body. A small one is kept and hashed at once. A larger one is gathered in slabs of shared memory, and each slab goes to
// the threads that hash it and write it to its file; it is filled again when all of them are done with it.
// Memory stays bounded, for the source is told to wait while `maxSlabs` of a body, or the budget of all bodies, are under way.

import { openJobs, type ThreadedJob } from './body-threads.ts';
import type { FileTarget } from './body-worker.ts';
import { checksumOf } from './checksums.ts';
import type { Soon } from './soon.ts';
import { SpareMemory } from './spare-memory.ts';
import { noteSpent } from './spent-buffers.ts';

export type { FileTarget };

/** Bodies up to this size are never a slab. */
export const smallBytes = 64 * 1024;
const slabBytes = 512 * 1024;
const maxSlabs = 4;
const budgetSlabs = 64;
const spentPerCollection = 16 * 1024 * 1024;

/** A body that hands over its own bytes, checked: what the edge makes of a request. */
export interface FedBody {
  /**
   * @returns after the last byte is on disk, or nothing is written any more; at once what is small and has come
   * @throws what the file, the intake or the body's own checks throw
   */
  feed(options: IntakeOptions): Soon<TakenIn>;
}

/** Where the bytes of a body that is not small go. */
export interface BodyFile {
  /** Called once, before the first byte is written; the file must stay open until `end` or `abort` has settled. */
  open(): FileTarget;
  /** After the last byte is written; runs beside the rest of the hashing. Settles when the file is on disk. */
  finish(): Promise<void>;
}

export interface IntakeOptions {
  /** Names of `checksumAlgorithms`. */
  readonly digests: readonly string[];
  readonly file: BodyFile;
  /** The longest body to take; `onTooLong` makes the error. */
  readonly maxBytes?: number | undefined;
  readonly onTooLong?: ((sizeBytes: number) => Error) | undefined;
  /** Told the SHA-256, in base64, of the bytes between one `cut` and the next. */
  readonly onChunk?: ((digest: string) => void) | undefined;
  /** Told once, as soon as a write or a thread fails; `end` rejects with the same. */
  readonly onFailure?: (error: Error) => void;
}

export interface TakenIn {
  readonly sizeBytes: number;
  /** Base64, by name. */
  readonly digests: Readonly<Record<string, string>>;
  /** The bytes themselves, when they were few: the file was not opened. */
  readonly small?: Buffer;
}

interface Slab {
  readonly memory: SharedArrayBuffer;
  readonly buffer: Buffer;
}

/** Carries the ends of chunks that lie at the end of the last slab. */
const nothing = { memory: new SharedArrayBuffer(0) };

const slabs = new SpareMemory<Slab>(() => {
  const memory = new SharedArrayBuffer(slabBytes);
  return { memory, buffer: Buffer.from(memory) };
}, budgetSlabs);

export class Intake {
  readonly #options: IntakeOptions;
  #small: Buffer[] | undefined = [];
  #sizeBytes = 0;
  /** The last one has the file. */
  #jobs: readonly ThreadedJob[] = [];
  #slab: Slab | undefined;
  #fill = 0;
  /** Ends of chunks: in the small body, then in the slab. */
  #cuts: number[] = [];
  #underWay = 0;
  /** Told when there is room again, and when nothing is under way any more. */
  #wake: (() => void) | undefined;
  #drained: (() => void) | undefined;
  #failure: Error | undefined;

  constructor(options: IntakeOptions) {
    this.#options = options;
  }

  get sizeBytes(): number {
    return this.#sizeBytes;
  }

  /**
   * Takes the next bytes; the buffer may be kept until the body has outgrown `smallBytes`.
   * @returns undefined when more may come at once, or what settles when there is room   @throws what failed before
   */
  take(bytes: Uint8Array): Promise<void> | undefined {
    if (this.#failure) throw this.#failure;
    this.#sizeBytes += bytes.length;
    const { maxBytes, onTooLong } = this.#options;
    if (maxBytes !== undefined && this.#sizeBytes > maxBytes)
      throw onTooLong?.(this.#sizeBytes) ?? new Error('the body is too long');
    if (this.#small) {
      this.#small.push(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length));
      if (this.#sizeBytes <= smallBytes) return undefined;
      this.#outgrow(this.#small);
    } else {
      this.#gather(bytes);
    }
    return this.#isFull() ? new Promise((resolve) => (this.#wake = resolve)) : undefined;
  }

  /** Ends a chunk here. */
  cut(): void {
    this.#cuts.push(this.#small ? this.#sizeBytes : this.#fill);
  }

  /** @returns after all of it is hashed and written; at once what is small   @throws what failed */
  end(): Soon<TakenIn> {
    if (this.#failure) throw this.#failure;
    if (this.#small) return this.#endSmall(whole(this.#small));
    return this.#endLarge();
  }

  async #endLarge(): Promise<TakenIn> {
    this.#dispatch();
    const ended = this.#jobs.map((job) => job.finish());
    const written = ended.at(-1)?.then(() => (this.#failure ? undefined : this.#options.file.finish()));
    // All of them, whichever fails: until then somebody may be at the file.
    const outcomes = await Promise.allSettled([Promise.all(ended), written]);
    if (this.#failure) throw this.#failure;
    for (const outcome of outcomes) if (outcome.status === 'rejected') throw outcome.reason;
    const values = (await Promise.all(ended)).flat();
    const byName = Object.fromEntries(this.#options.digests.map((name, index) => [name, values[index] ?? '']));
    return { sizeBytes: this.#sizeBytes, digests: byName };
  }

  /** Gives up. @returns after the last write */
  async abort(): Promise<void> {
    this.#fail(new Error('the body was given up'));
    if (this.#underWay > 0) await new Promise<void>((resolve) => (this.#drained = resolve));
  }

  #endSmall(small: Buffer): TakenIn {
    let at = 0;
    for (const cut of this.#cuts) {
      this.#options.onChunk?.(checksumOf('sha256', small.subarray(at, cut)));
      at = cut;
    }
    const digests = Object.fromEntries(this.#options.digests.map((name) => [name, checksumOf(name, small)]));
    return { sizeBytes: this.#sizeBytes, digests, small };
  }

  #outgrow(pieces: readonly Buffer[]): void {
    this.#small = undefined;
    const { digests: algorithms, file, onChunk } = this.#options;
    this.#jobs = openJobs({ algorithms, chunks: onChunk !== undefined, target: file.open() });
    // Cuts count from the start of the body, and of the slab: the last piece alone may be larger than one.
    for (const piece of pieces) this.#gather(piece);
  }

  #gather(bytes: Uint8Array): void {
    noteSpent(bytes.length, spentPerCollection);
    for (let at = 0; at < bytes.length; ) {
      this.#slab ??= slabs.take();
      const piece = bytes.subarray(at, at + slabBytes - this.#fill);
      // `fill` is one memcpy; `set` goes byte by byte where the target is shared and not aligned with the source (V8 11).
      this.#slab.buffer.fill(piece, this.#fill, this.#fill + piece.length);
      this.#fill += piece.length;
      at += piece.length;
      if (this.#fill === slabBytes) this.#dispatch();
    }
  }

  /** Hands the slab to the threads. */
  #dispatch(): void {
    const slab = this.#slab;
    if (!slab && this.#cuts.length === 0) return;
    const { memory } = slab ?? nothing;
    const length = this.#fill;
    const cuts = this.#cuts;
    this.#slab = undefined;
    this.#fill = 0;
    this.#cuts = [];
    let users = this.#jobs.length;
    this.#underWay += 1;
    for (const job of this.#jobs)
      job.update(memory, length, cuts, (digests, error) => {
        users -= 1;
        if (users === 0) this.#release(slab);
        if (error) this.#fail(error);
        if (!this.#failure) this.#tell(digests);
      });
  }

  #tell(digests: readonly string[]): void {
    try {
      for (const digest of digests) this.#options.onChunk?.(digest);
    } catch (error) {
      this.#fail(error as Error);
    }
  }

  #release(slab: Slab | undefined): void {
    if (slab) slabs.give(slab);
    this.#underWay -= 1;
    if (this.#underWay === 0) this.#drained?.();
    if (!this.#wake || this.#isFull()) return;
    this.#wake();
    this.#wake = undefined;
  }

  #isFull(): boolean {
    return !this.#failure && this.#underWay > 0 && (this.#underWay >= maxSlabs || slabs.inUse > budgetSlabs);
  }

  #fail(error: Error): void {
    if (this.#failure) return;
    this.#failure = error;
    if (this.#slab) slabs.give(this.#slab);
    this.#slab = undefined;
    for (const job of this.#jobs) job.drop();
    this.#wake?.();
    this.#options.onFailure?.(error);
  }
}

function whole(pieces: readonly Buffer[]): Buffer {
  const [first] = pieces;
  return first && pieces.length === 1 ? first : Buffer.concat(pieces);
}
