// One thread that has the bytes of large bodies: it is told stretches of shared memory, hashes them, and encrypts and writes them to their file.
// It keeps the state of each body between them. `body-threads.ts` talks to it.

import { readSync, writeSync } from 'node:fs';
import { parentPort } from 'node:worker_threads';
import type { FileCipher } from '../service.ts';
import { type Checksum, checksumAlgorithms } from './checksums.ts';
import { counterMode, decipherInPlace, decipherOf } from './decipher.ts';
import { noteSpent } from './spent-buffers.ts';

/** An open file that a body is written to, from where it stands. Who opened it closes it. */
export interface FileTarget {
  readonly file: number;
  /** Of `counterMode`; without it the bytes are written as they are. */
  readonly cipher?: { readonly key: Uint8Array; readonly counter: Uint8Array } | undefined;
}

/** An open file that is read from a place on, instead of bytes that are given. Who opened it closes it. */
export interface FileSource {
  readonly file: number;
  readonly start: number;
  readonly cipher: FileCipher;
}

/** What is to be done with one body's bytes. */
export interface Work {
  /** Names of `checksumAlgorithms`. */
  readonly algorithms: readonly string[];
  /** Also the SHA-256 of each stretch between two cuts (signed chunks of an upload). */
  readonly chunks: boolean;
  readonly target: FileTarget | undefined;
  /** Present: an update fills its memory with the next bytes of a file, deciphered. */
  readonly source?: FileSource;
}

export type ToWorker =
  | { readonly kind: 'open'; readonly job: number; readonly work: Work }
  | {
      readonly kind: 'update';
      readonly job: number;
      readonly memory: SharedArrayBuffer;
      readonly length: number;
      /** Offsets at which chunks end. */
      readonly cuts: readonly number[];
    }
  | { readonly kind: 'finish' | 'drop'; readonly job: number };

/** One for each message but `open`, in order. In base64: of `finish` one digest for each algorithm, of an update those of the chunks that ended in it. */
export interface FromWorker {
  readonly job: number;
  readonly digests: readonly string[];
  /** What the disk answered; an Error would lose its code on the way. */
  readonly failure?: { readonly message: string; readonly code: string | undefined };
}

// Of the cipher's output. More at once would be fresh memory of the kernel's each time, whose pages cost more than the cipher (glibc: from 128 KiB on).
const encryptedBytes = 64 * 1024;
// This thread's heap is next to nothing.
const spentPerCollection = 2 * 1024 * 1024;

class Job {
  readonly #states: Checksum[];
  #chunk: Checksum | undefined;
  readonly #write: ((bytes: Uint8Array) => void) | undefined;
  readonly #read: ((bytes: Buffer) => void) | undefined;

  constructor({ algorithms, chunks, target, source }: Work) {
    this.#states = algorithms.map(create);
    this.#chunk = chunks ? create('sha256') : undefined;
    this.#write = target && writerTo(target);
    this.#read = source && readerOf(source);
  }

  update(bytes: Buffer, cuts: readonly number[]): string[] {
    this.#read?.(bytes);
    this.#write?.(bytes);
    for (const state of this.#states) state.update(bytes);
    if (!this.#chunk) return [];
    const digests: string[] = [];
    let at = 0;
    for (const cut of cuts) {
      this.#chunk.update(bytes.subarray(at, cut));
      digests.push(this.#chunk.digest());
      this.#chunk = create('sha256');
      at = cut;
    }
    if (at < bytes.length) this.#chunk.update(bytes.subarray(at));
    return digests;
  }

  digests(): string[] {
    return this.#states.map((state) => state.digest());
  }
}

function create(algorithm: string): Checksum {
  const known = checksumAlgorithms[algorithm];
  if (!known) throw new Error(`no implementation of ${algorithm}`);
  return known.create();
}

function writerTo({ file, cipher: settings }: FileTarget): (bytes: Uint8Array) => void {
  const plain = (bytes: Uint8Array) => {
    // A full disk may take a part before it refuses the rest.
    for (let at = 0; at < bytes.length; ) at += writeSync(file, bytes, at);
  };
  if (!settings) return plain;
  const cipher = counterMode(settings.key, settings.counter);
  return (bytes) => {
    for (let at = 0; at < bytes.length; at += encryptedBytes)
      plain(cipher.update(bytes.subarray(at, at + encryptedBytes)));
    noteSpent(bytes.length, spentPerCollection);
  };
}

function readerOf({ file, start, cipher }: FileSource): (bytes: Buffer) => void {
  const decipher = decipherOf(cipher);
  let position = start;
  return (bytes) => {
    for (let at = 0; at < bytes.length; ) {
      const count = readSync(file, bytes, at, bytes.length - at, position);
      if (count === 0) throw new Error('the file is shorter than its row says');
      at += count;
      position += count;
    }
    decipherInPlace(decipher, bytes);
    noteSpent(bytes.length, spentPerCollection);
  };
}

const jobs = new Map<number, Job>();

function take(message: Exclude<ToWorker, { kind: 'open' }>): readonly string[] {
  const job = jobs.get(message.job);
  if (message.kind === 'update') return job?.update(Buffer.from(message.memory, 0, message.length), message.cuts) ?? [];
  jobs.delete(message.job);
  return message.kind === 'finish' && job ? job.digests() : [];
}

parentPort?.on('message', (message: ToWorker) => {
  const { job } = message;
  if (message.kind === 'open') {
    jobs.set(job, new Job(message.work));
    return;
  }
  let answer: FromWorker;
  try {
    answer = { job, digests: take(message) };
  } catch (error) {
    const { message: text, code } = error as NodeJS.ErrnoException;
    // Nothing is written after what was not.
    jobs.delete(job);
    answer = { job, digests: [], failure: { message: text, code } };
  }
  parentPort?.postMessage(answer);
});
