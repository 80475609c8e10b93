// Who writes a batch: this thread, in a test, or a thread of its own, in the server. A commit waits for the disk, 0.2 ms on a good day and 5 on a bad one,
// and the event loop must not wait with it. There is never more than one batch under way, so their order is the order of the transactions, and
// what comes up meanwhile is the next batch: the busier the cloud, the more share one wait (group commit; docs/decisions/0009).

import { Worker } from 'node:worker_threads';
import type { Batch, Disk } from './disk.ts';

/** What the commit thread says of each batch: nothing, or why it is not on disk. */
export type Verdict = { readonly failure?: string };

export interface Commits {
  /** @param done called once, with an error when the batch is not on disk */
  commit(batch: Batch, done: (error?: Error) => void): void;
  /** Settles when nothing is under way any more and the thread has ended. */
  end(): Promise<void>;
}

/** Commits on the calling thread, at once. */
export function commitsHere(disk: Disk): Commits {
  return {
    commit: (batch, done) => {
      try {
        disk.commit(batch);
        if (disk.isJournalLong) disk.fold();
      } catch (error) {
        done(error as Error);
        return;
      }
      done();
    },
    end: async () => {},
  };
}

/** Starts the commit thread. The disk is open already: what is wrong with the file was told by it. */
export function commitsOnThread(file: string): Commits {
  const here = import.meta.url;
  const fromSource = here.endsWith('.ts');
  const entry = new URL(fromSource ? './commit-thread.ts' : './commit-thread.mjs', here);
  // A thread does not inherit the loader that lets a test run from source (tsx 4.23, Node 20.20).
  const loaded = `import('tsx/esm/api').then(({ register }) => { register(); return import('${entry.href}'); });`;
  const thread = new Worker(fromSource ? loaded : entry, {
    eval: fromSource,
    workerData: file,
    // It makes little garbage; the collector's usual reserve would be a tenth of our idle memory.
    resourceLimits: { maxYoungGenerationSizeMb: 2 },
  });
  let waiting: ((error?: Error) => void) | undefined;
  let gone: Error | undefined;
  const settle = (error?: Error) => {
    const done = waiting;
    waiting = undefined;
    done?.(error);
  };
  thread.on('message', ({ failure }: Verdict) => settle(failure === undefined ? undefined : new Error(failure)));
  thread.on('error', (error) => {
    gone = error;
    settle(error);
  });
  const ended = new Promise<void>((resolve) => {
    thread.on('exit', () => {
      gone ??= new Error('the thread that writes it has ended');
      settle(gone);
      resolve();
    });
  });
  return {
    commit: (batch, done) => {
      waiting = done;
      if (gone) settle(gone);
      else thread.postMessage(batch);
    },
    end: () => {
      thread.postMessage('end');
      return ended;
    },
  };
}
