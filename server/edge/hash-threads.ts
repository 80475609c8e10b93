// Hashing beside the event loop. MD5 and SHA-256 of 8 MiB cost 15 to 50 ms of a processor; here they run on threads, next to each other and to the
// socket and the disk. The threads are made when the first large body comes. A digest is one thread's from its first byte to its last.
// docs/decisions/0010-bodies-are-hashed-on-threads.md

import { availableParallelism } from 'node:os';
import { Worker } from 'node:worker_threads';
import type { FromWorker, ToWorker } from './hash-worker.ts';

export interface ThreadedDigest {
  /**
   * Hashes the first `length` bytes of `memory`, which must stay as they are until `done`.
   * @param cuts see `ToWorker`; `done` is told the digests of the chunks that ended
   */
  update(
    memory: SharedArrayBuffer,
    length: number,
    cuts: readonly number[] | undefined,
    done: (digests: readonly string[]) => void,
  ): void;
  /** The digest in base64. @throws Error when the thread ended */
  finish(): Promise<string>;
  /** Gives up; what is under way is still told to its `done`. */
  drop(): void;
}

interface Waiting {
  readonly done: (digests: readonly string[]) => void;
  readonly failed: (error: Error) => void;
}

interface Thread {
  readonly worker: Worker;
  /** By job, in the order of what was sent. */
  readonly waiting: Map<number, Waiting[]>;
  open: number;
  idle?: NodeJS.Timeout;
  ended?: Error;
}

const maxThreads = Math.max(2, Math.min(4, availableParallelism()));
// Bundled in dist, and TypeScript in a test: a thread does not inherit the loader that reads it (Node 20).
const isSource = import.meta.url.endsWith('.ts');
const script = isSource
  ? `import('tsx/esm/api').then((tsx) => tsx.register()).then(() => import(${JSON.stringify(new URL('./hash-worker.ts', import.meta.url).href)}))`
  : new URL('./hash-worker.mjs', import.meta.url);
const idleMs = 30_000;
const threads: Thread[] = [];
let lastJob = 0;

function start(): Thread {
  // It keeps nothing but the states of digests.
  const worker = new Worker(script, {
    eval: isSource,
    resourceLimits: { maxYoungGenerationSizeMb: 4, maxOldGenerationSizeMb: 64 },
  });
  const thread: Thread = { worker, waiting: new Map(), open: 0 };
  worker.unref();
  worker.on('message', ({ job, digests }: FromWorker) => thread.waiting.get(job)?.shift()?.done(digests));
  const ended = (cause: unknown) => {
    const at = threads.indexOf(thread);
    if (at >= 0) threads.splice(at, 1);
    const error = new Error('a hashing thread ended', { cause });
    thread.ended ??= error;
    for (const queue of thread.waiting.values()) for (const one of queue) one.failed(error);
    thread.waiting.clear();
  };
  worker.on('error', ended);
  worker.on('exit', ended);
  threads.push(thread);
  return thread;
}

/** Nobody has a large body any more: its memory is better free. */
function end(thread: Thread): void {
  const at = threads.indexOf(thread);
  if (at >= 0) threads.splice(at, 1);
  void thread.worker.terminate();
}

function leastBusy(): Thread {
  const [least] = [...threads].sort((a, b) => a.open - b.open);
  return least && (least.open === 0 || threads.length >= maxThreads) ? least : start();
}

/** @param algorithm a name of `checksumAlgorithms`   @param failed told when the thread ends before its answer to an update */
export function openDigest(algorithm: string, failed: (error: Error) => void): ThreadedDigest {
  const thread = leastBusy();
  lastJob += 1;
  const job = lastJob;
  const queue: Waiting[] = [];
  thread.waiting.set(job, queue);
  // Only while it works does a thread keep the process alive.
  if (thread.open === 0) thread.worker.ref();
  clearTimeout(thread.idle);
  thread.open += 1;
  const send = (message: ToWorker, waiting: Waiting) => {
    if (thread.ended) return waiting.failed(thread.ended);
    queue.push(waiting);
    thread.worker.postMessage(message);
  };
  let closing = false;
  const close = () => {
    thread.waiting.delete(job);
    thread.open -= 1;
    if (thread.open > 0) return;
    thread.worker.unref();
    thread.idle = setTimeout(() => end(thread), idleMs);
    thread.idle.unref();
  };
  return {
    update: (memory, length, cuts, done) =>
      send({ kind: 'update', job, algorithm, memory, length, cuts }, { done, failed }),
    finish: () =>
      new Promise((resolve, reject) => {
        const done = (digests: readonly string[]) => {
          close();
          resolve(digests[0] ?? '');
        };
        closing = true;
        send({ kind: 'finish', job, algorithm }, { done, failed: reject });
      }),
    drop() {
      if (!closing) send({ kind: 'drop', job, algorithm }, { done: close, failed: () => {} });
      closing = true;
    },
  };
}
