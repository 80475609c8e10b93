// Keeps the kernel's network as the rows say: one apply at a time, always of the newest rows; requests that come in the same turn or while one runs
// share the next. A failed apply is tried again, because nobody else would ask.

import type { Applied, NetworkFabric } from '@postern/fabric/types.ts';
import type { Store } from '../store/store.ts';
import type { Clock, Log } from './loop.ts';
import { buildSnapshot } from './snapshot.ts';

const firstRetryMs = 50;
const lastRetryMs = 5000;
/** So many tries are one attempt to whoever waits: a machine that ended or a busy kernel is over by then. */
const patientRetries = 3;

interface Waiting {
  readonly promise: Promise<Applied>;
  readonly resolve: (applied: Applied) => void;
  readonly reject: (error: Error) => void;
}

export class NetworkLoop {
  readonly #store: Store;
  readonly #fabric: NetworkFabric;
  readonly #clock: Clock;
  readonly #log: Log;
  readonly #onIdle: () => void;
  #next: Waiting | undefined;
  #running = false;
  #cancelRetry: (() => void) | undefined;
  #closed = false;
  #failure: string | undefined;
  #retryMs = firstRetryMs;
  #retries = 0;

  constructor(options: { store: Store; fabric: NetworkFabric; clock: Clock; log: Log; onIdle: () => void }) {
    this.#store = options.store;
    this.#fabric = options.fabric;
    this.#clock = options.clock;
    this.#log = options.log;
    this.#onIdle = options.onIdle;
  }

  /** True when nothing is asked for that was not applied, or not for lack of trying. */
  get idle(): boolean {
    const isTrying = this.#cancelRetry !== undefined && this.#retries <= patientRetries;
    return !this.#running && this.#next === undefined && !isTrying;
  }

  /** Why the kernel does not carry the newest rows, after the last apply; undefined when it does. */
  get failure(): string | undefined {
    return this.#failure;
  }

  /**
   * Settles with an apply that begins after this call. Rejects with the fabric's reason.
   * @param durable of the rows that it is for: to compile them takes longer than all else of a small call, and answers go first
   */
  request(durable?: Promise<void>): Promise<Applied> {
    if (!this.#next) {
      this.#next = deferred();
      // A waiter may have gone away (closed, or the instance ended): the failure is logged below in any case.
      this.#next.promise.catch(() => {});
      if (!this.#running) this.#begin(durable);
    }
    return this.#next.promise;
  }

  #begin(durable: Promise<void> | undefined): void {
    const begin = () => setImmediate(() => void this.#run());
    // Answers go out at the end of the turn in which they are known, so this comes a turn later.
    const afterAnswers = () => setImmediate(begin);
    if (durable) void durable.then(afterAnswers, afterAnswers);
    else begin();
  }

  close(): void {
    this.#closed = true;
    this.#cancelRetry?.();
    this.#next?.reject(new Error('the cloud is ending'));
    this.#next = undefined;
  }

  async #run(): Promise<void> {
    if (this.#running) return;
    this.#running = true;
    this.#cancelRetry?.();
    this.#cancelRetry = undefined;
    for (let waiting = this.#next; waiting && !this.#closed; waiting = this.#next) {
      this.#next = undefined;
      try {
        const snapshot = this.#store.read((tx) => buildSnapshot(tx, this.#store.revision));
        const applied = await this.#fabric.apply(snapshot);
        this.#note(applied.failures.map((one) => `${one.cause}: ${one.message}`).join('\n') || undefined);
        waiting.resolve(applied);
      } catch (error) {
        this.#note(error instanceof Error ? error.message : String(error));
        waiting.reject(error instanceof Error ? error : new Error(String(error)));
      }
    }
    this.#running = false;
    if (this.#failure !== undefined && !this.#closed) this.#retryLater();
    this.#onIdle();
  }

  #retryLater(): void {
    this.#retries += 1;
    this.#cancelRetry = this.#clock.after(this.#retryMs, () => void this.request().catch(() => {}));
    this.#retryMs = Math.min(this.#retryMs * 2, lastRetryMs);
  }

  /** Says a failure once, not at each try. */
  #note(failure: string | undefined): void {
    if (failure !== undefined && failure !== this.#failure) this.#log(`the network could not be applied: ${failure}`);
    if (failure === undefined && this.#failure !== undefined) this.#log('the network is applied again');
    this.#failure = failure;
    if (failure !== undefined) return;
    this.#retryMs = firstRetryMs;
    this.#retries = 0;
  }
}

function deferred(): Waiting {
  let resolve: Waiting['resolve'] = () => {};
  let reject: Waiting['reject'] = () => {};
  const promise = new Promise<Applied>((yes, no) => {
    resolve = yes;
    reject = no;
  });
  return { promise, resolve, reject };
}
