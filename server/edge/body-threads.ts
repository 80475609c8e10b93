// Threads beside the event loop for the bytes of large bodies. MD5 and SHA-256 of 8 MiB cost 15 to 50 ms of a processor, and writing them a few more; here
// that happens next to the socket. The threads are made when the first large body comes. A job is one thread's from its first byte to its last.
// docs/decisions/0010-bodies-are-hashed-on-threads.md

import { availableParallelism } from 'node:os';
import { Worker } from 'node:worker_threads';
import type { FromWorker, ToWorker, Work } from './body-worker.ts';

/** @param digests see `FromWorker`   @param error of the file, or because the thread ended */
export type Done = (digests: readonly string[], error?: Error) => void;

export interface ThreadedJob {
  /**
   * Takes the first `length` bytes of `memory`, which must stay as they are until `done`.
   * @param cuts see `ToWorker`
   */
  update(memory: SharedArrayBuffer, length: number, cuts: readonly number[], done: Done): void;
  /** Settles after everything before it: all bytes are in the file then. @returns the digests, in base64, in the order of the algorithms   @throws as `Done` */
  finish(): Promise<readonly string[]>;
  /** Gives up; what is under way is still told to its `done`. */
  drop(): void;
}

interface Thread {
  readonly worker: Worker;
  /** By job, in the order of what was sent. */
  readonly waiting: Map<number, Done[]>;
  open: number;
  idle?: NodeJS.Timeout;
  ended?: Error;
}

export const maxThreads = Math.max(2, Math.min(4, availableParallelism()));
// Bundled in dist, and TypeScript in a test: a thread does not inherit the loader that reads it (Node 20).
const isSource = import.meta.url.endsWith('.ts');
const script = isSource
  ? `import('tsx/esm/api').then((tsx) => tsx.register()).then(() => import(${JSON.stringify(new URL('./body-worker.ts', import.meta.url).href)}))`
  : new URL('./body-worker.mjs', import.meta.url);
const idleMs = 30_000;
const threads: Thread[] = [];
let lastJob = 0;

function start(): Thread {
  // It keeps nothing but the states of bodies.
  const worker = new Worker(script, {
    eval: isSource,
    resourceLimits: { maxYoungGenerationSizeMb: 4, maxOldGenerationSizeMb: 64 },
  });
  const thread: Thread = { worker, waiting: new Map(), open: 0 };
  worker.unref();
  worker.on('message', ({ job, digests, failure }: FromWorker) =>
    thread.waiting.get(job)?.shift()?.(digests, failure && fileError(failure)),
  );
  const ended = (cause: unknown) => {
    const at = threads.indexOf(thread);
    if (at >= 0) threads.splice(at, 1);
    const error = new Error('a thread of bodies ended', { cause });
    thread.ended ??= error;
    for (const queue of thread.waiting.values()) for (const done of queue) done([], error);
    thread.waiting.clear();
  };
  worker.on('error', ended);
  worker.on('exit', ended);
  threads.push(thread);
  return thread;
}

function fileError({ message, code }: NonNullable<FromWorker['failure']>): Error {
  return Object.assign(new Error(message), { code });
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

/**
 * Starts a body. While threads are free its first algorithm, which should be the slowest, has one of its own; otherwise one thread does all, for a
 * message costs as much as hashing some KiB.
 * @returns one or two jobs, each to be told all of the bytes: one after the other their digests are in the order of the algorithms, and the last has the chunks and the file
 */
export function openJobs(work: Work): readonly [...ThreadedJob[], ThreadedJob] {
  const [slowest, ...others] = work.algorithms;
  const busy = threads.filter((thread) => thread.open > 0).length;
  if (slowest === undefined || maxThreads - busy < 2) return [openJob(work)];
  const apart = openJob({ algorithms: [slowest], chunks: false, target: undefined });
  return [apart, openJob({ ...work, algorithms: others })];
}

function openJob(work: Work): ThreadedJob {
  const thread = leastBusy();
  lastJob += 1;
  const job = lastJob;
  const queue: Done[] = [];
  thread.waiting.set(job, queue);
  // Only while it works does a thread keep the process alive.
  if (thread.open === 0) thread.worker.ref();
  clearTimeout(thread.idle);
  thread.open += 1;
  const post = (message: ToWorker) => thread.worker.postMessage(message);
  const send = (message: ToWorker, done: Done) => {
    if (thread.ended) return done([], thread.ended);
    queue.push(done);
    post(message);
  };
  post({ kind: 'open', job, work });
  let closing = false;
  const close = () => {
    thread.waiting.delete(job);
    thread.open -= 1;
    if (thread.open > 0 || thread.ended) return;
    thread.worker.unref();
    thread.idle = setTimeout(() => end(thread), idleMs);
    thread.idle.unref();
  };
  return {
    update: (memory, length, cuts, done) => send({ kind: 'update', job, memory, length, cuts }, done),
    finish: () =>
      new Promise((resolve, reject) => {
        closing = true;
        send({ kind: 'finish', job }, (digests, error) => {
          close();
          if (error) reject(error);
          else resolve(digests);
        });
      }),
    drop() {
      if (!closing) send({ kind: 'drop', job }, close);
      closing = true;
    },
  };
}
