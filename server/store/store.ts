// The store: every row of every service, in one SQLite file and, for reading, in memory.
// A transaction is synchronous, so two never interleave; its rows are visible to the next one at once, and its promise settles when
// they are on disk. Transactions that end while a commit is under way share the next one (commits.ts).

import { type Commits, commitsHere } from './commits.ts';
import { Disk } from './disk.ts';
import type { Batch } from './journal.ts';
import { fewRandomBytes } from './randomness.ts';
import type { Ec2Rows } from './rows/ec2.ts';
import type { IamRows } from './rows/iam.ts';
import type { InstanceConnectRows } from './rows/instance-connect.ts';
import type { KmsRows } from './rows/kms.ts';
import type { OrganizationsRows } from './rows/organizations.ts';
import type { S3Rows } from './rows/s3.ts';

/** What every row has. `id` is unique within its kind, across accounts and regions. */
export interface Row {
  id: string;
  accountId: string;
  /** A region's name, or `global`. */
  region: string;
}

export interface Rows extends Ec2Rows, IamRows, InstanceConnectRows, KmsRows, OrganizationsRows, S3Rows {}
export type Kind = keyof Rows;

export interface Scope {
  readonly accountId?: string;
  readonly region?: string;
}

/** Finds rows by what they say. Make one constant of each: the store keeps it from its first use on. A key must follow from the row alone. */
export interface Index<K extends Kind> {
  readonly kind: K;
  /** Undefined: the row is not in the index. */
  readonly keyOf: (row: Rows[K]) => string | undefined;
}

export interface Transaction {
  /** The row, or undefined. Rows are frozen in meaning: change a copy and `put` it. */
  get<K extends Kind>(kind: K, id: string): Rows[K] | undefined;
  /** Rows of a kind in the order they were first put, of one account and region when given. */
  list<K extends Kind>(kind: K, scope?: Scope): Rows[K][];
  /** The rows with this key, in the order of `list`; takes as long as they are many, however many others there are. */
  find<K extends Kind>(index: Index<K>, key: string): Rows[K][];
  put<K extends Kind>(kind: K, row: Rows[K]): void;
  delete(kind: Kind, id: string): void;
  /** A new id in AWS's long form: `vpc` → `vpc-0` and 16 hex digits. */
  newId<P extends string>(prefix: P): `${P}-${string}`;
}

export interface Change {
  readonly kind: Kind;
  readonly id: string;
  readonly before?: Row;
  readonly after?: Row;
}

/** Told after each committed transaction that wrote something. */
export type ChangeListener = (changes: readonly Change[], revision: number) => void;

interface Table {
  readonly rows: Map<string, Row>;
  /** Index, of those that were asked for → key → id → row. */
  readonly byIndex: Map<KeyOf, Map<string, Map<string, Row>>>;
}

type KeyOf = (row: Row) => string | undefined;

/** The indexes of `list`, of every kind. Few kinds are listed by both, and many rows by neither. */
const accountOf: KeyOf = (row) => row.accountId;
const regionOf: KeyOf = (row) => regionKey(row.accountId, row.region);

let lastAccount = '';
let lastRegion = '';
let lastKey = ' ';

/** The one of before again, as a rule: a text that is made anew is hashed anew too. */
function regionKey(accountId: string, region: string): string {
  if (accountId !== lastAccount || region !== lastRegion) {
    lastAccount = accountId;
    lastRegion = region;
    lastKey = `${accountId} ${region}`;
  }
  return lastKey;
}

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
  readonly #tables = new Map<Kind, Table>();
  readonly #tableOf = (kind: Kind) => this.#table(kind);
  #reader = new OpenTransaction(this.#tableOf);
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
    for (const { kind, json } of this.#disk.rows()) this.#set(kind as Kind, JSON.parse(json) as Row);
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
      if (reader.hasWritten) this.#reader = new OpenTransaction(this.#tableOf);
    }
  }

  /**
   * Runs `work` in one transaction. If it throws, nothing is kept and the error is thrown on.
   * @returns its value, and `durable`: settles when the rows are on disk, or is undefined when nothing was written
   */
  transact<T>(work: (tx: Transaction) => T): { value: T; durable: Promise<void> | undefined } {
    if (this.#broken) throw this.#broken;
    const open = new OpenTransaction(this.#tableOf);
    const value = work(open);
    const changes = open.changes();
    if (changes.length === 0) return { value, durable: undefined };
    for (const change of changes) {
      if (change.after) this.#set(change.kind, change.after);
      else this.#unset(change.kind, change.id);
      this.#pending.rows.push(change.kind, change.id, change.after ? JSON.stringify(change.after) : '');
    }
    this.#revision += 1;
    const durable = this.#durable();
    for (const listener of this.#listeners) listener(changes, this.#revision);
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

  #table(kind: Kind): Table {
    let table = this.#tables.get(kind);
    if (!table) {
      table = { rows: new Map(), byIndex: new Map() };
      this.#tables.set(kind, table);
    }
    return table;
  }

  #set(kind: Kind, row: Row): void {
    const table = this.#table(kind);
    const before = table.rows.get(row.id);
    table.rows.set(row.id, row);
    for (const [keyOf, rows] of table.byIndex) {
      const key = keyOf(row);
      const keyBefore = before && keyOf(before);
      if (keyBefore !== undefined && keyBefore !== key) removeFrom(rows, keyBefore, row.id);
      if (key !== undefined) addTo(rows, key, row);
    }
  }

  #unset(kind: Kind, id: string): void {
    const table = this.#table(kind);
    const row = table.rows.get(id);
    if (!row) return;
    table.rows.delete(id);
    for (const [keyOf, rows] of table.byIndex) {
      const key = keyOf(row);
      if (key !== undefined) removeFrom(rows, key, id);
    }
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

function addTo(groups: Map<string, Map<string, Row>>, key: string, row: Row): void {
  const rows = groups.get(key);
  if (rows) rows.set(row.id, row);
  else groups.set(key, new Map([[row.id, row]]));
}

function removeFrom(groups: Map<string, Map<string, Row>>, key: string, id: string): void {
  const rows = groups.get(key);
  rows?.delete(id);
  // Keys may be as many as rows ever were.
  if (rows?.size === 0) groups.delete(key);
}

function indexed(table: Table, keyOf: KeyOf): Map<string, Map<string, Row>> {
  let groups = table.byIndex.get(keyOf);
  if (!groups) {
    groups = new Map();
    for (const row of table.rows.values()) {
      const key = keyOf(row);
      if (key !== undefined) addTo(groups, key, row);
    }
    table.byIndex.set(keyOf, groups);
  }
  return groups;
}

/** @returns undefined where the account is not given: then it is all rows */
function inScope(table: Table, { accountId, region }: Scope): ReadonlyMap<string, Row> | undefined {
  if (accountId === undefined) return undefined;
  const found =
    region === undefined
      ? indexed(table, accountOf).get(accountId)
      : indexed(table, regionOf).get(regionKey(accountId, region));
  return found ?? new Map();
}

/** Writes go to an overlay until the transaction ends. */
class OpenTransaction implements Transaction {
  readonly #table: (kind: Kind) => Table;
  readonly #writes = new Map<Kind, Map<string, Row | undefined>>();

  constructor(table: (kind: Kind) => Table) {
    this.#table = table;
  }

  get hasWritten(): boolean {
    return this.#writes.size > 0;
  }

  get<K extends Kind>(kind: K, id: string): Rows[K] | undefined {
    const written = this.#writes.get(kind);
    if (written?.has(id)) return written.get(id) as Rows[K] | undefined;
    return this.#table(kind).rows.get(id) as Rows[K] | undefined;
  }

  list<K extends Kind>(kind: K, scope: Scope = {}): Rows[K][] {
    const table = this.#table(kind);
    const scoped = inScope(table, scope);
    const base = scoped ?? table.rows;
    const written = this.#writes.get(kind);
    const fits = (row: Row) =>
      (scope.accountId === undefined || row.accountId === scope.accountId) &&
      (scope.region === undefined || row.region === scope.region);
    const filtered = !scoped && scope.region !== undefined;
    if (!written && !filtered) return [...base.values()] as Rows[K][];
    const rows: Row[] = [];
    for (const row of base.values()) {
      const current = written?.has(row.id) ? written.get(row.id) : row;
      if (current && fits(current)) rows.push(current);
    }
    for (const [id, row] of written ?? []) if (row && !base.has(id) && fits(row)) rows.push(row);
    return rows as Rows[K][];
  }

  find<K extends Kind>(index: Index<K>, key: string): Rows[K][] {
    const keyOf = index.keyOf as KeyOf;
    const base = indexed(this.#table(index.kind), keyOf).get(key);
    const written = this.#writes.get(index.kind);
    if (!written) return base ? ([...base.values()] as Rows[K][]) : [];
    const rows: Row[] = [];
    const fits = (row: Row) => keyOf(row) === key;
    for (const row of base?.values() ?? []) {
      const current = written.has(row.id) ? written.get(row.id) : row;
      if (current && fits(current)) rows.push(current);
    }
    for (const [id, row] of written) if (row && !base?.has(id) && fits(row)) rows.push(row);
    return rows as Rows[K][];
  }

  put<K extends Kind>(kind: K, row: Rows[K]): void {
    this.#written(kind).set(row.id, row);
  }

  delete(kind: Kind, id: string): void {
    this.#written(kind).set(id, undefined);
  }

  newId<P extends string>(prefix: P): `${P}-${string}` {
    return `${prefix}-0${fewRandomBytes(8).toString('hex')}`;
  }

  changes(): Change[] {
    const changes: Change[] = [];
    for (const [kind, rows] of this.#writes) {
      for (const [id, after] of rows) {
        const before = this.#table(kind).rows.get(id);
        if (!before && !after) continue;
        changes.push(
          before ? (after ? { kind, id, before, after } : { kind, id, before }) : { kind, id, after: after as Row },
        );
      }
    }
    return changes;
  }

  #written(kind: Kind): Map<string, Row | undefined> {
    let rows = this.#writes.get(kind);
    if (!rows) {
      rows = new Map();
      this.#writes.set(kind, rows);
    }
    return rows;
  }
}
