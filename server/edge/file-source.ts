// A stretch of a file, piece by piece in two buffers that take turns, for sending. What is encrypted is deciphered on the way: here when one piece is all of it, and
// otherwise on a thread of bodies, which reads the next piece into shared memory while the event loop sends the one before (docs/decisions/0019).

import { type FileHandle, open } from 'node:fs/promises';
import type { FileBody, FileCipher } from '../service.ts';
import { openJobs, type ThreadedJob } from './body-threads.ts';
import { decipherInPlace, decipherOf } from './decipher.ts';
import { SpareMemory } from './spare-memory.ts';
import { noteSpent } from './spent-buffers.ts';

// Large enough that the calls do not matter, small enough that many at once do not.
export const pieceBytes = 512 * 1024;
const own = new SpareMemory<Buffer>(() => Buffer.allocUnsafeSlow(pieceBytes), 32);
const shared = new SpareMemory<Buffer>(() => Buffer.from(new SharedArrayBuffer(pieceBytes)), 32);
const spentPerCollection = 16 * 1024 * 1024;

export interface FileSource {
  /** Fills the buffer of a turn; nobody may still read what the turn before the last one gave. @throws when the file is too short, or gone */
  read(turn: number, at: number, length: number): Promise<Buffer>;
  /** @param isHeld somebody may still have a buffer: an answer that was cut off */
  close(isHeld: boolean): Promise<void>;
}

/** @throws when the file cannot be opened */
export async function openSource(body: FileBody): Promise<FileSource> {
  const file = await open(body.file, 'r');
  const job = body.cipher && body.end - body.start > pieceBytes && readingJob(file, body.start, body.cipher);
  const memory = job ? shared : own;
  const pair = [memory.take(), memory.take()] as const;
  const decipher = job ? undefined : body.cipher && decipherOf(body.cipher);
  return {
    async read(turn, at, length) {
      const buffer = pair[turn % 2 === 0 ? 0 : 1];
      if (job) {
        await update(job, buffer, length);
        return buffer.subarray(0, length);
      }
      const { bytesRead } = await file.read(buffer, 0, length, at);
      if (bytesRead === 0) throw new Error(`${body.file} is shorter than ${body.end} bytes`);
      const piece = buffer.subarray(0, bytesRead);
      if (decipher) {
        decipherInPlace(decipher, piece);
        noteSpent(piece.length, spentPerCollection);
      }
      return piece;
    },
    close(isHeld) {
      if (job) job.drop();
      for (const buffer of pair) memory.give(buffer, isHeld);
      return file.close();
    },
  };
}

function readingJob(file: FileHandle, start: number, cipher: FileCipher): ThreadedJob {
  const source = { file: file.fd, start, cipher };
  return openJobs({ algorithms: [], chunks: false, target: undefined, source })[0];
}

function update(job: ThreadedJob, buffer: Buffer, length: number): Promise<void> {
  return new Promise((resolve, reject) =>
    job.update(buffer.buffer as unknown as SharedArrayBuffer, length, [], (_, error) =>
      error ? reject(error) : resolve(),
    ),
  );
}
