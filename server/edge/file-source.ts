// A stretch of a file, piece by piece, for sending. What is encrypted is deciphered on the way: here when they are few bytes, and otherwise on a thread of
// bodies, which reads the next piece into shared memory while the event loop sends the one before (docs/decisions/0019).
// Only a few pieces are read at a time, however many files are sent: the same memory is used again while it is still in the processor's cache.

import { closeSync, openSync, read } from 'node:fs';
import type { FileBody, FileCipher } from '../service.ts';
import { maxThreads, openJobs, type ThreadedJob } from './body-threads.ts';
import { decipherInPlace, decipherOf } from './decipher.ts';
import { SpareMemory } from './spare-memory.ts';
import { noteSpent } from './spent-buffers.ts';

// Large enough that the calls do not matter, small enough that many at once do not.
export const pieceBytes = 1024 * 1024;
/** What costs the event loop less than a message to a thread and back costs everybody. */
const fewBytes = pieceBytes / 2;
const own = new SpareMemory<Buffer>(() => Buffer.allocUnsafeSlow(pieceBytes), 32);
const shared = new SpareMemory<Buffer>(() => Buffer.from(new SharedArrayBuffer(pieceBytes)), 32);
const spentPerCollection = 16 * 1024 * 1024;

/** One is read while the next one waits in front of its thread. */
let turns = 2 * maxThreads;
const waiting: (() => void)[] = [];

/** Some bytes of a file, in memory that is used again. */
export interface Piece {
  readonly bytes: Uint8Array;
  /** @param isHeld somebody may still have it: an answer that was cut off */
  giveBack(isHeld?: boolean): void;
}

export interface FileSource {
  /** One after the other, each awaited before the next. @throws when the file is too short, or gone */
  read(at: number, length: number): Promise<Piece>;
  close(): void;
}

/** @throws when the file cannot be opened */
export function openSource({ file: path, start, end, cipher }: FileBody): FileSource {
  const file = openSync(path, 'r');
  const close = () => closeSync(file);
  const tooShort = () => new Error(`${path} is shorter than ${end} bytes`);
  if (cipher && end - start > fewBytes) {
    const job = readingJob(file, start, cipher);
    return {
      read: (_at, length) => readOnThread(job, length),
      close() {
        job.drop();
        close();
      },
    };
  }
  const decipher = cipher && decipherOf(cipher);
  return {
    async read(at, length) {
      const buffer = own.take();
      const giveBack = (isHeld?: boolean) => own.give(buffer, isHeld);
      try {
        const count = await readAt(file, buffer, length, at);
        if (count === 0) throw tooShort();
        const bytes = buffer.subarray(0, count);
        if (decipher) {
          decipherInPlace(decipher, bytes);
          noteSpent(count, spentPerCollection);
        }
        return { bytes, giveBack };
      } catch (error) {
        giveBack();
        throw error;
      }
    },
    close,
  };
}

function readAt(file: number, buffer: Buffer, length: number, at: number): Promise<number> {
  return new Promise((resolve, reject) =>
    read(file, buffer, 0, length, at, (error, count) => (error ? reject(error) : resolve(count))),
  );
}

function readingJob(file: number, start: number, cipher: FileCipher): ThreadedJob {
  const source = { file, start, cipher };
  return openJobs({ algorithms: [], chunks: false, target: undefined, source })[0];
}

function readOnThread(job: ThreadedJob, length: number): Promise<Piece> {
  return new Promise((resolve, reject) => {
    const begin = () => {
      const buffer = shared.take();
      job.update(buffer.buffer as unknown as SharedArrayBuffer, length, [], (_, error) => {
        const next = waiting.shift();
        if (next) next();
        else turns += 1;
        if (!error)
          return resolve({ bytes: buffer.subarray(0, length), giveBack: (isHeld) => shared.give(buffer, isHeld) });
        shared.give(buffer);
        reject(error);
      });
    };
    if (turns === 0) {
      waiting.push(begin);
      return;
    }
    turns -= 1;
    begin();
  });
}
