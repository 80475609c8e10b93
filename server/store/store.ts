// The store: every row of every service, in one SQLite file and, for reading, in memory.
// A transaction is synchronous, so two never interleave; its rows are visible to the next one at once, and its promise settles when
// they are on disk. Transactions that end while a commit is under way share the next one (commits.ts).

import { type Commits, commitsHere } from './commits.ts';
import { Disk } from './disk.ts';
import type { Batch } from './journal.ts';
import { Tables } from './tables.ts';
import { type Change, type Kind, OpenTransaction, type Row, type Transaction } from './transaction.ts';

export type { Change, Index, Kind, Row, Rows, Scope, Transaction } from './transaction.ts';

/** Told after each transaction that wrote something. @param durable settles when its rows are on disk */
export type ChangeListener = (changes: readonly Change[], revision: number, durable: Promise<void>) => void;

const nothingPending = (): Batch => ({ everythingGoes: false, rows: [], bytes: [] });

/** Those who wait for one batch: they share a promise. */
interface Waiting {
  readonly promise: Promise<void>;
  readonly resolve: () => void;
  readonly reject: (error: Error) => void;
}

export interface StoreOptions {
  /**
   * Told once when the disk refuses a commit. Memory is then ahead of the disk, so the process has to end; until it does, the store answers nothing any more.
   */
  readonly onBroken?: (error: Error) => void;
  /** Who writes the batches; the calling thread unless given. */
  readonly commits?: (disk: Disk) => Commits;
}

export class Store {
  readonly #disk: Disk;
  readonly #commits: Commits;
  readonly #tables = new Tables();
  #reader = new OpenTransaction(this.#tables);
  readonly #listeners = new Set<ChangeListener>();
  /** Put, or removed (undefined), and not in the database yet. */
  readonly #bytesToCome = new Map<string, Uint8Array | undefined>();
  /** Everything that the database has goes: so many times. */
  #clearsToCome = 0;
  #revision = 0;
  #pending = nothingPending();
  #waiting: Waiting | undefined;
  /** A commit is going to begin, or has begun. */
  #committing: Promise<void> | undefined;
  readonly #onBroken: (error: Error) => void;
  #broken: Error | undefined;
  #isClosed = false;

  /**
   * @param file the SQLite file, made with owner-only mode when missing; `:memory:` for a test
   * @throws Error naming the file, when it cannot be opened or another process has it
   */
  constructor(file: string, options: StoreOptions = {}) {
    this.#onBroken = options.onBroken ?? (() => {});
    this.#disk = new Disk(file);
    this.#commits = options.commits?.(this.#disk) ?? commitsHere(this.#disk);
    for (const { kind, json } of this.#disk.rows()) this.#tables.set(kind as Kind, JSON.parse(json) as Row, undefined);
  }

  /** Rises by one with every transaction that wrote something. */
  get revision(): number {
    return this.#revision;
  }

  onChange(listener: ChangeListener): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Runs `work` and throws away what it wrote. */
  read<T>(work: (tx: Transaction) => T): T {
    if (this.#broken) throw this.#broken;
    const reader = this.#reader;
    try {
      return work(reader);
    } finally {
      // It is used again, four times in a request, as long as nobody has written with it.
      if (reader.hasWritten) this.#reader = new OpenTransaction(this.#tables);
    }
  }

  /**
   * Runs `work` in one transaction. If it throws, nothing is kept and the error is thrown on.
   * @returns its value, and `durable`: settles when the rows are on disk, or is undefined when nothing was written
   */
  transact<T>(work: (tx: Transaction) => T): { value: T; durable: Promise<void> | undefined } {
    if (this.#broken) throw this.#broken;
    const open = new OpenTransaction(this.#tables);
    const value = work(open);
    const changes = open.changes();
    if (changes.length === 0) return { value, durable: undefined };
    for (const change of changes) {
      if (change.after) this.#tables.set(change.kind, change.after, change.before);
      else this.#tables.unset(change.kind, change.id);
      this.#pending.rows.push(change.kind, change.id, change.after ? JSON.stringify(change.after) : '');
    }
    this.#revision += 1;
    const durable = this.#durable();
    for (const listener of this.#listeners) listener(changes, this.#revision, durable);
    return { value, durable };
  }

  /**
   * Forgets every row. What is put in the same turn of the event loop shares the commit, so a kill leaves either the old rows or the new first ones.
   * @returns settles when the disk has forgotten too
   */
  clear(): Promise<void> {
    if (this.#broken) throw this.#broken;
    this.#tables.clear();
    this.#revision += 1;
    if (!this.#pending.everythingGoes) this.#clearsToCome += 1;
    this.#pending = { ...nothingPending(), everythingGoes: true };
    this.#bytesToCome.clear();
    return this.#durable();
  }

  /**
   * Keeps bytes that are too few to deserve a file. They are on disk no later than a row that is put after them in the same turn or later.
   * @param id never used before
   */
  putBytes(id: string, bytes: Uint8Array): void {
    if (this.#broken) throw this.#broken;
    // A view would keep all that it is a view of in memory.
    const own = bytes.byteLength === bytes.buffer.byteLength ? bytes : Uint8Array.prototype.slice.call(bytes);
    this.#bytesToCome.set(id, own);
    this.#pending.bytes.push(id, own);
    this.#schedule();
  }

  deleteBytes(id: string): void {
    this.#bytesToCome.set(id, undefined);
    this.#pending.bytes.push(id, undefined);
    this.#schedule();
  }

  /** Read from the database each time: rows live in memory, bodies must not. */
  bytes(id: string): Uint8Array | undefined {
    if (this.#broken) throw this.#broken;
    if (this.#clearsToCome > 0 || this.#bytesToCome.has(id)) return this.#bytesToCome.get(id);
    return this.#disk.bytes(id);
  }

  bytesIds(): string[] {
    const ids = new Set(this.#clearsToCome > 0 ? [] : this.#disk.bytesIds());
    for (const [id, bytes] of this.#bytesToCome) {
      if (bytes) ids.add(id);
      else ids.delete(id);
    }
    return [...ids];
  }

  #durable(): Promise<void> {
    this.#schedule();
    this.#waiting ??= makeWaiting();
    return this.#waiting.promise;
  }

  /** Writes what is pending and lets go of the file. @throws the failure of the last commit */
  async close(): Promise<void> {
    while (this.#committing) await this.#committing;
    this.#isClosed = true;
    await this.#commits.end();
    this.#disk.close();
    if (this.#broken) throw this.#broken;
  }

  #schedule(): void {
    // After the end come requests that were half way when their sockets were closed: nobody hears of them, and the disk has not failed.
    if (this.#committing || this.#broken || this.#isClosed) return;
    // Not at once: who was served together writes together. A tick comes after everything that waits for nothing outside.
    this.#committing = new Promise((resolve) => queueMicrotask(() => process.nextTick(() => this.#commit(resolve))));
  }

  #commit(ended: () => void): void {
    const batch = this.#pending;
    const waiting = this.#waiting;
    this.#pending = nothingPending();
    this.#waiting = undefined;
    const done = (error?: Error) => {
      if (error) this.#break(error, waiting);
      else waiting?.resolve();
      if (!this.#broken && !isEmpty(this.#pending)) return this.#commit(ended);
      this.#committing = undefined;
      ended();
    };
    this.#commits.commit(batch, done, () => this.#placed(batch));
  }

  #placed({ everythingGoes, bytes }: Batch): void {
    if (everythingGoes) this.#clearsToCome -= 1;
    for (let at = 0; at < bytes.length; at += 2) {
      const id = bytes[at] as string;
      if (this.#bytesToCome.get(id) === bytes[at + 1]) this.#bytesToCome.delete(id);
    }
  }

  #break(error: Error, waiting: Waiting | undefined): void {
    const broken = new Error(`the database cannot be written: ${error.message}`, { cause: error });
    this.#broken = broken;
    this.#onBroken(broken);
    waiting?.reject(broken);
    this.#waiting?.reject(broken);
  }
}

function makeWaiting(): Waiting {
  let resolve = () => {};
  let reject = (_error: Error) => {};
  const promise = new Promise<void>((yes, no) => {
    resolve = yes;
    reject = no;
  });
  // The failure itself is told by `onBroken`; not everybody waits for it.
  promise.catch(() => {});
  return { promise, resolve, reject };
}

function isEmpty({ everythingGoes, rows, bytes }: Batch): boolean {
  return !everythingGoes && rows.length === 0 && bytes.length === 0;
}
