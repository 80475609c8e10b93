// What was asked of the cloud, by whom, which way it came and who decided? One event per API call, written by the pipeline.
// The newest events are in memory; all go to a file of JSON lines beside the store, a batch at a time, so that a read costs no commit. The file is no part of
// the store's promise: after `kill -9` the last quarter of a second of events may be missing, never a change. Shape to grow into: CloudTrail's record (L1–L4).

import { appendFileSync, chmodSync, existsSync, readFileSync, renameSync, rmSync, statSync } from 'node:fs';
import { appendFile } from 'node:fs/promises';
import type { RequestEvent } from '../operator/api.ts';

const flushAfterMs = 250;
const eventsPerWrite = 128;

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
  readonly #file: string | undefined;
  readonly #capacity: number;
  readonly #maxFileBytes: number;
  readonly #onError: (error: Error) => void;
  readonly #listeners = new Set<TrailListener>();
  /** A ring: once full, `#next` is the oldest and the place of the next one. */
  readonly #ring: RequestEvent[] = [];
  #next = 0;
  #unwritten: RequestEvent[] = [];
  #fileBytes = 0;
  #timer: NodeJS.Timeout | undefined;
  #writing: Promise<void> = Promise.resolve();

  constructor(options: TrailOptions = {}) {
    this.#file = options.file;
    this.#capacity = options.capacity ?? 10_000;
    this.#maxFileBytes = options.maxFileBytes ?? 16 * 1024 * 1024;
    this.#onError = options.onError ?? (() => {});
    if (this.#file === undefined) return;
    for (const file of [previous(this.#file), this.#file]) for (const event of readEvents(file)) this.#keep(event);
    if (existsSync(this.#file)) this.#fileBytes = statSync(this.#file).size;
  }

  /** Keeps one event. Costs a few microseconds: the line is made and written later. */
  record(event: RequestEvent): void {
    this.#keep(event);
    for (const listener of this.#listeners) this.#tell(listener, event);
    if (this.#file === undefined) return;
    this.#unwritten.push(event);
    if (this.#timer) return;
    this.#timer = setTimeout(() => void this.flush(), flushAfterMs);
    this.#timer.unref();
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
    clearTimeout(this.#timer);
    this.#timer = undefined;
    const events = this.#unwritten;
    this.#unwritten = [];
    const { file } = this;
    if (file === undefined || events.length === 0) return this.#writing;
    // One write after the other: lines must not interleave, and the order is the order of the calls.
    this.#writing = this.#writing.then(async () => {
      try {
        // In pieces, so that a burst does not hold up the requests that are under way.
        for (let start = 0; start < events.length; start += eventsPerWrite) {
          const text = lines(events.slice(start, start + eventsPerWrite));
          this.#rotate(file);
          await appendFile(file, text, { mode: 0o600 });
          this.#fileBytes += Buffer.byteLength(text);
        }
      } catch (error) {
        this.#onError(error as Error);
      }
    });
    return this.#writing;
  }

  /** Forgets all events, in memory and on disk. */
  async clear(): Promise<void> {
    await this.flush();
    this.#ring.length = 0;
    this.#next = 0;
    this.#fileBytes = 0;
    if (this.file === undefined) return;
    rmSync(this.file, { force: true });
    rmSync(previous(this.file), { force: true });
  }

  /** Writes what is left, at once: the process is about to end. */
  close(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    const events = this.#unwritten;
    this.#unwritten = [];
    if (this.file === undefined || events.length === 0) return;
    try {
      appendFileSync(this.file, lines(events), { mode: 0o600 });
    } catch (error) {
      this.#onError(error as Error);
    }
  }

  get file(): string | undefined {
    return this.#file;
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

  #rotate(file: string): void {
    if (this.#fileBytes < this.#maxFileBytes) return;
    renameSync(file, previous(file));
    this.#fileBytes = 0;
  }
}

function previous(file: string): string {
  return `${file}.1`;
}

function lines(events: readonly RequestEvent[]): string {
  return events.map((event) => `${JSON.stringify(event)}\n`).join('');
}

/** The events of a file. A line that was cut by the end of the process is left out, and the file ended there. */
function readEvents(file: string): RequestEvent[] {
  if (!existsSync(file)) return [];
  chmodSync(file, 0o600);
  const text = readFileSync(file, 'utf8');
  // The next line must not continue a torn one.
  if (text !== '' && !text.endsWith('\n')) appendFileSync(file, '\n');
  return text.split('\n').flatMap((line): RequestEvent[] => {
    try {
      return line === '' ? [] : [JSON.parse(line) as RequestEvent];
    } catch {
      return [];
    }
  });
}

function fits(event: RequestEvent, filter: TrailFilter): boolean {
  return (
    (filter.since === undefined || event.time >= filter.since) &&
    (filter.accountId === undefined || event.accountId === filter.accountId) &&
    (filter.service === undefined || event.service === filter.service) &&
    (filter.accessKeyId === undefined || event.accessKeyId === filter.accessKeyId) &&
    (filter.failed !== true || event.status >= 400) &&
    (filter.denied !== true || event.decision?.allowed === false)
  );
}
