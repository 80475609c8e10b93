// The commit thread: writes one batch after the other, and says of each when it is on disk (commits.ts).

import { parentPort, workerData } from 'node:worker_threads';
import type { Verdict } from './commits.ts';
import { type Batch, Disk } from './disk.ts';

const disk = new Disk(workerData as string, false);

function written(batch: Batch): Verdict {
  try {
    disk.commit(batch);
    return {};
  } catch (error) {
    return { failure: (error as Error).message };
  }
}

/** What ends this thread is told across threads, where the database's own kind of error loses its message. */
function fold(): void {
  try {
    disk.fold();
  } catch (error) {
    throw new Error((error as Error).message);
  }
}

/** A quiet moment: nobody waits then. */
const quietMs = 50;
const folding = setTimeout(fold, quietMs);

parentPort?.on('message', (message: Batch | 'end') => {
  if (message !== 'end') {
    parentPort?.postMessage(written(message));
    folding.refresh();
    if (disk.isJournalLong) fold();
    return;
  }
  disk.fold();
  disk.close();
  // The loader that a test runs it with would keep it alive.
  process.exit();
});
