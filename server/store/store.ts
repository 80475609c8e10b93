// The store: every row of every service, in one SQLite file and, for reading, in memory.
// A transaction is synchronous, so two never interleave; its rows are visible to the next one at once, and its promise settles when
// SQLite has it on disk (WAL, synchronous=FULL). Transactions that end in the same turn of the event loop share one commit.
// Source of the durability claim: https://www.sqlite.org/pragma.html#pragma_synchronous (read 2026-11-21).

import { randomBytes } from 'node:crypto';
import { chmodSync, closeSync, openSync } from 'node:fs';
import Database from 'libsql';
import type { Ec2Rows } from './rows/ec2.ts';
import type { IamRows } from './rows/iam.ts';
import type { InstanceConnectRows } from './rows/instance-connect.ts';
import type { S3Rows } from './rows/s3.ts';

/** What every row has. `id` is unique within its kind, across accounts and regions. */
export interface Row {
  id: string;
  accountId: string;
  /** A region's name, or `global`. */
  region: string;
}

export interface Rows extends Ec2Rows, IamRows, InstanceConnectRows, S3Rows {}
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
  /** `ACCOUNT REGION` → id → row; and `ACCOUNT` alone. */
  readonly byScope: Map<string, Map<string, Row>>;
  /** Index → key → id → row. */
  readonly byIndex: Map<Index<Kind>, Map<string, Map<string, Row>>>;
}

type KeyOf = (row: Row) => string | undefined;

interface PendingWrite {
  readonly kind: Kind;
  readonly id: string;
  readonly row: Row | undefined;
}

/** Undefined: they go. */
interface PendingBytes {
  readonly id: string;
  readonly bytes: Uint8Array | undefined;
}

export class Store {
  readonly #database: Database.Database;
  readonly #tables = new Map<Kind, Table>();
  readonly #listeners = new Set<ChangeListener>();
  readonly #upsert: Database.Statement;
  readonly #remove: Database.Statement;
  readonly #insertBytes: Database.Statement;
  readonly #removeBytes: Database.Statement;
  readonly #selectBytes: Database.Statement;
  /** Put and not written yet. */
  readonly #bytesToCome = new Map<string, Uint8Array>();
  #revision = 0;
  /** `everything` is the deletion of every row. */
  #pending: (PendingWrite | PendingBytes | 'everything')[] = [];
  #waiting: { resolve: () => void; reject: (error: Error) => void }[] = [];
  #scheduled = false;
  readonly #onBroken: (error: Error) => void;
  #broken: Error | undefined;

  /**
   * @param file the SQLite file, made with owner-only mode when missing; `:memory:` for a test
   * @param onBroken told once when the disk refuses a commit. Memory is then ahead of the disk, so the process has to end; until it does, the store
   * answers nothing any more   @throws Error naming the file, when it cannot be opened or another process has it
   */
  constructor(file: string, onBroken: (error: Error) => void = () => {}) {
    this.#onBroken = onBroken;
    if (file !== ':memory:') closeToOthers(file);
    this.#database = openDatabase(file);
    this.#upsert = this.#database.prepare(
      'INSERT INTO rows (kind, id, json) VALUES (?, ?, ?) ON CONFLICT (kind, id) DO UPDATE SET json = excluded.json',
    );
    this.#remove = this.#database.prepare('DELETE FROM rows WHERE kind = ? AND id = ?');
    this.#insertBytes = this.#database.prepare('INSERT INTO bytes (id, data) VALUES (?, ?)');
    this.#removeBytes = this.#database.prepare('DELETE FROM bytes WHERE id = ?');
    this.#selectBytes = this.#database.prepare('SELECT data FROM bytes WHERE id = ?');
    for (const { kind, json } of this.#database.prepare('SELECT kind, json FROM rows ORDER BY rowid').all() as {
      kind: Kind;
      json: string;
    }[]) {
      this.#set(kind, JSON.parse(json) as Row);
    }
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
    return work(new OpenTransaction((kind) => this.#table(kind)));
  }

  /**
   * Runs `work` in one transaction. If it throws, nothing is kept and the error is thrown on.
   * @returns its value, and `durable`: settles when the rows are on disk, or is undefined when nothing was written
   */
  transact<T>(work: (tx: Transaction) => T): { value: T; durable: Promise<void> | undefined } {
    if (this.#broken) throw this.#broken;
    const open = new OpenTransaction((kind) => this.#table(kind));
    const value = work(open);
    const changes = open.changes();
    if (changes.length === 0) return { value, durable: undefined };
    for (const change of changes) {
      if (change.after) this.#set(change.kind, change.after);
      else this.#unset(change.kind, change.id);
      this.#pending.push({ kind: change.kind, id: change.id, row: change.after });
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
    this.#pending = ['everything'];
    this.#bytesToCome.clear();
    return this.#durable();
  }

  /**
   * Keeps bytes that are too few to deserve a file. They are on disk no later than a row that is put after them in the same turn or later.
   * @param id never used before
   */
  putBytes(id: string, bytes: Uint8Array): void {
    if (this.#broken) throw this.#broken;
    this.#bytesToCome.set(id, bytes);
    this.#pending.push({ id, bytes });
    this.#schedule();
  }

  deleteBytes(id: string): void {
    this.#bytesToCome.delete(id);
    this.#pending.push({ id, bytes: undefined });
    this.#schedule();
  }

  /** Read from the database each time: rows live in memory, bodies must not. */
  bytes(id: string): Uint8Array | undefined {
    if (this.#broken) throw this.#broken;
    return this.#bytesToCome.get(id) ?? (this.#selectBytes.get(id) as { data: Uint8Array } | undefined)?.data;
  }

  bytesIds(): string[] {
    const rows = this.#database.prepare('SELECT id FROM bytes').all() as { id: string }[];
    return [...rows.map(({ id }) => id), ...this.#bytesToCome.keys()];
  }

  #durable(): Promise<void> {
    this.#schedule();
    const durable = new Promise<void>((resolve, reject) => this.#waiting.push({ resolve, reject }));
    // The failure itself is told by the commit; not everybody waits for it.
    durable.catch(() => {});
    return durable;
  }

  close(): void {
    if (!this.#broken) this.#commit();
    this.#database.close();
  }

  #commit(): void {
    this.#scheduled = false;
    const writes = this.#pending;
    const waiting = this.#waiting;
    this.#pending = [];
    this.#waiting = [];
    if (writes.length === 0) return;
    try {
      this.#database.exec('BEGIN IMMEDIATE');
      for (const write of writes) {
        if (write === 'everything') this.#database.exec('DELETE FROM rows; DELETE FROM bytes');
        else if ('bytes' in write) this.#writeBytes(write);
        else if (write.row) this.#upsert.run(write.kind, write.id, JSON.stringify(write.row));
        else this.#remove.run(write.kind, write.id);
      }
      this.#database.exec('COMMIT');
    } catch (error) {
      const broken = new Error(`the database cannot be written: ${(error as Error).message}`, { cause: error });
      this.#broken = broken;
      this.#onBroken(broken);
      for (const one of waiting) one.reject(broken);
      throw broken;
    }
    for (const one of waiting) one.resolve();
  }

  #writeBytes({ id, bytes }: PendingBytes): void {
    if (bytes === undefined) {
      this.#removeBytes.run(id);
      return;
    }
    this.#insertBytes.run(id, bytes);
    if (this.#bytesToCome.get(id) === bytes) this.#bytesToCome.delete(id);
  }

  #schedule(): void {
    if (this.#scheduled) return;
    this.#scheduled = true;
    setImmediate(() => this.#commit());
  }

  #table(kind: Kind): Table {
    let table = this.#tables.get(kind);
    if (!table) {
      table = { rows: new Map(), byScope: new Map(), byIndex: new Map() };
      this.#tables.set(kind, table);
    }
    return table;
  }

  #set(kind: Kind, row: Row): void {
    const table = this.#table(kind);
    const before = table.rows.get(row.id);
    table.rows.set(row.id, row);
    for (const scope of scopesOf(row)) addTo(table.byScope, scope, row);
    for (const [index, rows] of table.byIndex) {
      const key = (index.keyOf as KeyOf)(row);
      const keyBefore = before && (index.keyOf as KeyOf)(before);
      if (keyBefore !== undefined && keyBefore !== key) removeFrom(rows, keyBefore, row.id);
      if (key !== undefined) addTo(rows, key, row);
    }
  }

  #unset(kind: Kind, id: string): void {
    const table = this.#table(kind);
    const row = table.rows.get(id);
    if (!row) return;
    table.rows.delete(id);
    for (const scope of scopesOf(row)) table.byScope.get(scope)?.delete(id);
    for (const [index, rows] of table.byIndex) {
      const key = (index.keyOf as KeyOf)(row);
      if (key !== undefined) removeFrom(rows, key, id);
    }
  }
}

/** SQLite gives its log the mode of the file beside it. */
function closeToOthers(file: string): void {
  closeSync(openSync(file, 'a', 0o600));
  chmodSync(file, 0o600);
}

function openDatabase(file: string): Database.Database {
  try {
    const database = new Database(file);
    // Exclusive: whoever else may come to this file, from another namespace or by another name, is refused by SQLite itself, until this process ends.
    database.exec(`
      PRAGMA locking_mode = EXCLUSIVE;
      PRAGMA journal_mode = WAL;
      PRAGMA synchronous = FULL;
      BEGIN IMMEDIATE;
      CREATE TABLE IF NOT EXISTS rows (kind TEXT NOT NULL, id TEXT NOT NULL, json TEXT NOT NULL, PRIMARY KEY (kind, id));
      CREATE TABLE IF NOT EXISTS bytes (id TEXT PRIMARY KEY NOT NULL, data BLOB NOT NULL);
      COMMIT;
    `);
    return database;
  } catch (error) {
    const { code, message } = error as Error & { code?: string };
    throw new Error(
      code === 'SQLITE_BUSY' ? `another process has ${file} open` : `${file} cannot be opened: ${message}`,
    );
  }
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

function indexed(table: Table, index: Index<Kind>): Map<string, Map<string, Row>> {
  let groups = table.byIndex.get(index);
  if (!groups) {
    groups = new Map();
    for (const row of table.rows.values()) {
      const key = (index.keyOf as KeyOf)(row);
      if (key !== undefined) addTo(groups, key, row);
    }
    table.byIndex.set(index, groups);
  }
  return groups;
}

function scopesOf(row: Row): [string, string] {
  return [row.accountId, `${row.accountId} ${row.region}`];
}

function scopeKey(scope: Scope): string | undefined {
  if (scope.accountId === undefined) return undefined;
  return scope.region === undefined ? scope.accountId : `${scope.accountId} ${scope.region}`;
}

/** Writes go to an overlay until the transaction ends. */
class OpenTransaction implements Transaction {
  readonly #table: (kind: Kind) => Table;
  readonly #writes = new Map<Kind, Map<string, Row | undefined>>();

  constructor(table: (kind: Kind) => Table) {
    this.#table = table;
  }

  get<K extends Kind>(kind: K, id: string): Rows[K] | undefined {
    const written = this.#writes.get(kind);
    if (written?.has(id)) return written.get(id) as Rows[K] | undefined;
    return this.#table(kind).rows.get(id) as Rows[K] | undefined;
  }

  list<K extends Kind>(kind: K, scope: Scope = {}): Rows[K][] {
    const table = this.#table(kind);
    const key = scopeKey(scope);
    const base = key === undefined ? table.rows : (table.byScope.get(key) ?? new Map<string, Row>());
    const written = this.#writes.get(kind);
    const fits = (row: Row) =>
      (scope.accountId === undefined || row.accountId === scope.accountId) &&
      (scope.region === undefined || row.region === scope.region);
    const filtered = key === undefined && scope.region !== undefined;
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
    const base = indexed(this.#table(index.kind), index as unknown as Index<Kind>).get(key);
    const written = this.#writes.get(index.kind);
    if (!written) return base ? ([...base.values()] as Rows[K][]) : [];
    const rows: Row[] = [];
    const fits = (row: Row) => (index.keyOf as KeyOf)(row) === key;
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
    return `${prefix}-0${randomBytes(8).toString('hex')}`;
  }

  changes(): Change[] {
    const changes: Change[] = [];
    for (const [kind, rows] of this.#writes) {
      for (const [id, after] of rows) {
        const before = this.#table(kind).rows.get(id);
        if (!before && !after) continue;
        changes.push({ kind, id, ...(before && { before }), ...(after && { after }) });
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
