// What was asked of the cloud, by whom, which way it came and who decided? One event per API call, written by the pipeline.
// The newest events are in memory; all go to a file of JSON lines beside the store, a batch at a time, so that a read costs no commit. The file is no part of
// the store's promise: after `kill -9` the last quarter of a second of events may be missing, never a change. CloudTrail's records are event-history.ts's.

import type { RequestEvent } from '../operator/api.ts';
import { JsonLines } from './json-lines.ts';

export interface TrailOptions {
  /** The file of events; its predecessor is kept as `FILE.1`. Without a file, memory is all there is. */
  readonly file?: string;
  /** How many events are kept in memory. */
  readonly capacity?: number;
  /** When the file has grown to this size it becomes the predecessor. */
  readonly maxFileBytes?: number;
  /** Told once per failure to write; the events stay in memory. */
  readonly onError?: (error: Error) => void;
}

export interface TrailFilter {
  /** The newest so many; all by default. */
  readonly limit?: number;
  /** The one with this id. */
  readonly requestId?: string;
  /** Only events at or after this ISO time. */
  readonly since?: string;
  readonly accountId?: string;
  readonly service?: string;
  readonly accessKeyId?: string;
  /** Only calls that were answered with an error. */
  readonly failed?: boolean;
  /** Only calls that a policy denied. */
  readonly denied?: boolean;
}

export type TrailListener = (event: RequestEvent) => void;

export class Trail {
  readonly #lines: JsonLines<RequestEvent> | undefined;
  readonly #capacity: number;
  readonly #onError: (error: Error) => void;
  readonly #listeners = new Set<TrailListener>();
  /** A ring: once full, `#next` is the oldest and the place of the next one. */
  readonly #ring: RequestEvent[] = [];
  #next = 0;

  constructor({ file, capacity = 10_000, maxFileBytes = 16 * 1024 * 1024, onError = () => {} }: TrailOptions = {}) {
    this.#capacity = capacity;
    this.#onError = onError;
    this.#lines = file === undefined ? undefined : new JsonLines({ file, maxFileBytes, onError });
    for (const event of this.#lines?.read() ?? []) this.#keep(event);
  }

  /** Keeps one event. Costs a few microseconds: the line is made and written later. */
  record(event: RequestEvent): void {
    this.#keep(event);
    for (const listener of this.#listeners) this.#tell(listener, event);
    this.#lines?.append(event);
  }

  /** The events that fit, the oldest first. */
  list(filter: TrailFilter = {}): RequestEvent[] {
    const limit = filter.limit ?? Number.POSITIVE_INFINITY;
    const found: RequestEvent[] = [];
    for (let age = 1; age <= this.#ring.length && found.length < limit; age += 1) {
      const event = this.#ring.at((this.#next - age) % this.#ring.length);
      if (event && fits(event, filter)) found.push(event);
    }
    return found.reverse();
  }

  /** Tells `listener` each event from now on. @returns call it to stop */
  follow(listener: TrailListener): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Settles when everything recorded so far is in the file, or could not be put there. */
  flush(): Promise<void> {
    return this.#lines?.flush() ?? Promise.resolve();
  }

  /** Forgets all events, in memory and on disk. */
  async clear(): Promise<void> {
    await this.#lines?.clear();
    this.#ring.length = 0;
    this.#next = 0;
  }

  /** Writes what is left, at once: the process is about to end. */
  close(): void {
    this.#lines?.close();
  }

  #keep(event: RequestEvent): void {
    if (this.#ring.length < this.#capacity) {
      this.#ring.push(event);
      this.#next = this.#ring.length % this.#capacity;
      return;
    }
    this.#ring[this.#next] = event;
    this.#next = (this.#next + 1) % this.#capacity;
  }

  /** A listener that fails is its own problem, not the caller's whose request this is. */
  #tell(listener: TrailListener, event: RequestEvent): void {
    try {
      listener(event);
    } catch (error) {
      this.#listeners.delete(listener);
      this.#onError(error as Error);
    }
  }
}

function fits(event: RequestEvent, filter: TrailFilter): boolean {
  return (
    (filter.requestId === undefined || event.requestId === filter.requestId) &&
    (filter.since === undefined || event.time >= filter.since) &&
    (filter.accountId === undefined || event.accountId === filter.accountId) &&
    (filter.service === undefined || event.service === filter.service) &&
    (filter.accessKeyId === undefined || event.accessKeyId === filter.accessKeyId) &&
    (filter.failed !== true || event.status >= 400) &&
    (filter.denied !== true || event.decision?.allowed === false)
  );
}
