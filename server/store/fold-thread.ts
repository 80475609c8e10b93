// The fold thread: puts what is in one file of the journal into the database, and says when it is there (commits.ts).

import { ftruncateSync, openSync, readSync } from 'node:fs';
import { parentPort, workerData } from 'node:worker_threads';
import type { Fold } from './commits.ts';
import { Disk } from './disk.ts';
import { entriesOf, journalBytes, journalFiles } from './journal.ts';

const disk = new Disk(workerData as string, false);
const files = journalFiles(disk.file).map((path) => openSync(path, 'r+'));

function fold({ file, bytes }: Fold): void {
  const descriptor = files[file] as number;
  const memory = Buffer.alloc(bytes);
  readSync(descriptor, memory, 0, bytes, 0);
  const entries = entriesOf(memory, disk.generation);
  const last = entries.at(-1);
  if (!last) throw new Error(`${journalFiles(disk.file)[file]} cannot be read back`);
  disk.place(entries, last.serial);
  // A large batch made it longer than it has to be.
  if (bytes > 2 * journalBytes) ftruncateSync(descriptor, journalBytes);
}

parentPort?.on('message', (message: Fold | 'end') => {
  if (message !== 'end') {
    try {
      fold(message);
    } catch (error) {
      // Across threads the database's own kind of error loses its message.
      throw new Error((error as Error).message);
    }
    parentPort?.postMessage('placed');
    return;
  }
  disk.close();
  // The loader that a test runs it with would keep it alive.
  process.exit();
});
