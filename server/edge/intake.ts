// Takes in the bytes of one body. A small one is kept and hashed at once. A larger one is gathered in slabs of shared memory, and each slab is
// hashed on threads and written by its user at the same time; a slab is filled again when all of them are done with it.
// Memory stays bounded, for the source is told to wait while `maxSlabs` of a body, or the budget of all bodies, are under way.

import { checksumAlgorithms } from './checksums.ts';
import { openDigest, type ThreadedDigest } from './hash-threads.ts';

/** Bodies up to this size are never a slab. */
export const smallBytes = 64 * 1024;
const slabBytes = 256 * 1024;
const maxSlabs = 8;
const budgetSlabs = 128;

/** A body that hands over its own bytes, checked: what the edge makes of a request. */
export interface FedBody {
  /** @returns after the sink has let go of every piece   @throws what the sink, the intake or the body's own checks throw */
  feed(options: IntakeOptions): Promise<TakenIn>;
}

/** Where the bytes of a body that is not small go. */
export interface Sink {
  /** Called once per piece, in order, without waiting for the one before. The bytes are the sink's until the promise settles. */
  write(piece: Buffer): Promise<void>;
  /** After the last piece is written; runs beside the rest of the hashing. */
  finish(): Promise<void>;
}

export interface IntakeOptions {
  /** Names of `checksumAlgorithms`. */
  readonly digests: readonly string[];
  readonly sink: Sink;
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
  /** The bytes themselves, when they were few: the sink never saw them. */
  readonly small?: Buffer;
}

interface Slab {
  readonly memory: SharedArrayBuffer;
  readonly buffer: Buffer;
  users: number;
}

// Fresh memory is slow, each page is faulted in; and what is kept is bounded.
const spare: Slab[] = [];
const maxSpare = 32;
let inUse = 0;

function takeSlab(): Slab {
  inUse += 1;
  const known = spare.pop();
  if (known) return known;
  const memory = new SharedArrayBuffer(slabBytes);
  return { memory, buffer: Buffer.from(memory), users: 0 };
}

function giveSlab(slab: Slab): void {
  inUse -= 1;
  if (spare.length < maxSpare) spare.push(slab);
}

export class Intake {
  readonly #options: IntakeOptions;
  #small: Buffer[] | undefined = [];
  #sizeBytes = 0;
  #threaded: ThreadedDigest[] = [];
  #chunks: ThreadedDigest | undefined;
  #slab: Slab | undefined;
  #fill = 0;
  /** Ends of chunks: in the small body, then in the slab. */
  #cuts: number[] = [];
  #underWay = 0;
  #wake: (() => void) | undefined;
  readonly #writes = new Set<Promise<void>>();
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

  /** @returns after all of it is hashed and written   @throws what failed */
  async end(): Promise<TakenIn> {
    if (this.#small) return this.#endSmall(Buffer.concat(this.#small));
    this.#dispatch();
    const digests = Promise.all(
      [...this.#threaded, ...(this.#chunks ? [this.#chunks] : [])].map((one) => one.finish()),
    );
    // A digest that fails after a write did has nobody to tell.
    digests.catch(() => {});
    await Promise.all(this.#writes);
    if (this.#failure) throw this.#failure;
    const [values] = await Promise.all([digests, this.#options.sink.finish()]);
    if (this.#failure) throw this.#failure;
    const byName = Object.fromEntries(this.#options.digests.map((name, index) => [name, values[index] ?? '']));
    return { sizeBytes: this.#sizeBytes, digests: byName };
  }

  /** Gives up. @returns after the sink has let go of every piece */
  async abort(): Promise<void> {
    this.#fail(new Error('the body was given up'));
    await Promise.all(this.#writes);
  }

  #endSmall(small: Buffer): TakenIn {
    let at = 0;
    for (const cut of this.#cuts) {
      this.#options.onChunk?.(digestOf('sha256', small.subarray(at, cut)));
      at = cut;
    }
    const digests = Object.fromEntries(this.#options.digests.map((name) => [name, digestOf(name, small)]));
    return { sizeBytes: this.#sizeBytes, digests, small };
  }

  #outgrow(pieces: readonly Buffer[]): void {
    this.#small = undefined;
    const failed = (error: Error) => this.#fail(error);
    this.#threaded = this.#options.digests.map((name) => openDigest(name, failed));
    if (this.#options.onChunk) this.#chunks = openDigest('sha256', failed);
    // Cuts count from the start of the body, and of the slab: the last piece alone may be larger than one.
    for (const piece of pieces) this.#gather(piece);
  }

  #gather(bytes: Uint8Array): void {
    for (let at = 0; at < bytes.length; ) {
      this.#slab ??= takeSlab();
      const piece = bytes.subarray(at, at + slabBytes - this.#fill);
      // `fill` is one memcpy; `set` goes byte by byte where the target is shared and not aligned with the source (V8 11).
      this.#slab.buffer.fill(piece, this.#fill, this.#fill + piece.length);
      this.#fill += piece.length;
      at += piece.length;
      if (this.#fill === slabBytes) this.#dispatch();
    }
  }

  /** Hands the slab to the threads and the sink. */
  #dispatch(): void {
    const slab = this.#slab ?? takeSlab();
    const length = this.#fill;
    const cuts = this.#cuts;
    this.#slab = undefined;
    this.#fill = 0;
    this.#cuts = [];
    slab.users = this.#threaded.length + (this.#chunks ? 1 : 0) + 1;
    this.#underWay += 1;
    const done = () => this.#release(slab);
    for (const digest of this.#threaded) digest.update(slab.memory, length, undefined, done);
    this.#chunks?.update(slab.memory, length, cuts, (digests) => {
      done();
      if (this.#failure) return;
      try {
        for (const digest of digests) this.#options.onChunk?.(digest);
      } catch (error) {
        this.#fail(error as Error);
      }
    });
    const written: Promise<void> = this.#write(slab.buffer.subarray(0, length)).then((error) => {
      this.#writes.delete(written);
      if (error) this.#fail(error);
      done();
    });
    this.#writes.add(written);
  }

  async #write(piece: Buffer): Promise<Error | undefined> {
    try {
      if (piece.length > 0) await this.#options.sink.write(piece);
      return undefined;
    } catch (error) {
      return error as Error;
    }
  }

  #release(slab: Slab): void {
    slab.users -= 1;
    if (slab.users > 0) return;
    giveSlab(slab);
    this.#underWay -= 1;
    if (!this.#wake || this.#isFull()) return;
    this.#wake();
    this.#wake = undefined;
  }

  #isFull(): boolean {
    return !this.#failure && this.#underWay > 0 && (this.#underWay >= maxSlabs || inUse > budgetSlabs);
  }

  #fail(error: Error): void {
    if (this.#failure) return;
    this.#failure = error;
    if (this.#slab) giveSlab(this.#slab);
    this.#slab = undefined;
    for (const digest of this.#threaded) digest.drop();
    this.#chunks?.drop();
    this.#wake?.();
    this.#options.onFailure?.(error);
  }
}

function digestOf(name: string, bytes: Uint8Array): string {
  const state = checksumAlgorithms[name]?.create();
  if (!state) throw new Error(`no implementation of ${name}`);
  state.update(bytes);
  return state.digest();
}
