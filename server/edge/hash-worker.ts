// One thread that hashes: it is told stretches of shared memory and keeps the state of each digest between them. `hash-threads.ts` talks to it.

import { parentPort } from 'node:worker_threads';
import { type Checksum, checksumAlgorithms } from './checksums.ts';

/** `cuts`: the digest is of the chunks that end at these offsets, not of the whole (signed chunks of an upload). */
export type ToWorker =
  | {
      readonly kind: 'update';
      readonly job: number;
      readonly algorithm: string;
      readonly memory: SharedArrayBuffer;
      readonly length: number;
      readonly cuts: readonly number[] | undefined;
    }
  | { readonly kind: 'finish' | 'drop'; readonly job: number; readonly algorithm: string };

/** One for each message, in order; `finish` has the digest, an update those of its chunks. In base64. */
export interface FromWorker {
  readonly job: number;
  readonly digests: readonly string[];
}

const states = new Map<number, Checksum>();

function create(algorithm: string): Checksum {
  const known = checksumAlgorithms[algorithm];
  if (!known) throw new Error(`no implementation of ${algorithm}`);
  return known.create();
}

function take(message: ToWorker): FromWorker {
  const { job, algorithm } = message;
  let state = states.get(job) ?? create(algorithm);
  states.set(job, state);
  if (message.kind !== 'update') {
    states.delete(job);
    return { job, digests: message.kind === 'finish' ? [state.digest()] : [] };
  }
  const { memory, length, cuts = [] } = message;
  const bytes = new Uint8Array(memory, 0, length);
  const digests: string[] = [];
  let at = 0;
  for (const cut of cuts) {
    state.update(bytes.subarray(at, cut));
    digests.push(state.digest());
    state = create(algorithm);
    states.set(job, state);
    at = cut;
  }
  if (at < length) state.update(bytes.subarray(at));
  return { job, digests };
}

parentPort?.on('message', (message: ToWorker) => parentPort?.postMessage(take(message)));
