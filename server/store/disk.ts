// The file of the store: one SQLite database with every row as JSON, and the bytes that are too few for a file of their own.
// Rows are read once, at the start; bytes are read when they are asked for. What is written is on disk in the journal first (journal.ts), where it is one
// page to wait for; in the database, where each row is a page or two in the table and its index, it is put later, many batches at once, and before rows are read.
// Then the journal's place is used again, so a transaction is on disk when it ends (WAL, synchronous=FULL).
// https://www.sqlite.org/pragma.html#pragma_synchronous (read 2026-11-21).
//
// Two threads of one process have the file open: the event loop reads, and the fold thread (commits.ts) writes. The VFS `unix-excl` is made for that: it
// locks every other process out until this one ends, and keeps what its connections share in memory. https://www.sqlite.org/vfs.html (read 2026-11-21).

import { chmodSync, closeSync, openSync } from 'node:fs';
import { pathToFileURL } from 'node:url';
import Database from 'libsql';
import { type Batch, type Entry, entriesAfter } from './journal.ts';
import { fewRandomBytes } from './randomness.ts';

export class Disk {
  readonly file: string;
  /** Of the journal's entries: those of another one are none of ours. New at each start. 16 hex digits. */
  readonly generation: string;
  readonly #database: Database.Database;
  readonly #begin: Database.Statement;
  readonly #end: Database.Statement;
  readonly #note: Database.Statement;
  readonly #upsert: Database.Statement;
  readonly #remove: Database.Statement;
  readonly #insertBytes: Database.Statement;
  readonly #removeBytes: Database.Statement;
  readonly #selectBytes: Database.Statement;

  /**
   * Opens it and puts into it what the journal of the last run has beyond it.
   * @param file made with owner-only mode when missing; `:memory:` for a test
   * @param first false when this process has it open already: opening and closing it beside SQLite would drop the process's lock
   * (https://www.sqlite.org/howtocorrupt.html, 2.2, read 2026-11-21)
   * @throws Error naming the file, when it cannot be opened or another process has it
   */
  constructor(file: string, first = true) {
    this.file = file;
    if (first && file !== ':memory:') closeToOthers(file);
    this.#database = openDatabase(file);
    this.#begin = this.#database.prepare('BEGIN IMMEDIATE');
    this.#end = this.#database.prepare('COMMIT');
    this.#note = this.#database.prepare('INSERT OR REPLACE INTO placed (one, generation, serial) VALUES (1, ?, ?)');
    this.#upsert = this.#database.prepare(
      'INSERT INTO rows (kind, id, json) VALUES (?, ?, ?) ON CONFLICT (kind, id) DO UPDATE SET json = excluded.json',
    );
    this.#remove = this.#database.prepare('DELETE FROM rows WHERE kind = ? AND id = ?');
    this.#insertBytes = this.#database.prepare('INSERT INTO bytes (id, data) VALUES (?, ?)');
    this.#removeBytes = this.#database.prepare('DELETE FROM bytes WHERE id = ?');
    this.#selectBytes = this.#database.prepare('SELECT data FROM bytes WHERE id = ?');
    const known = this.#database.prepare('SELECT generation, serial FROM placed').get() as
      | { generation: string; serial: number }
      | undefined;
    if (first) {
      this.generation = fewRandomBytes(8).toString('hex');
      this.#foldFormerJournal();
      this.place(known ? entriesAfter(file, known.generation, known.serial) : [], 0);
    } else this.generation = known?.generation ?? '';
  }

  /** In the order in which they were first put. */
  rows(): { kind: string; json: string }[] {
    return this.#database.prepare('SELECT kind, json FROM rows ORDER BY rowid').all() as {
      kind: string;
      json: string;
    }[];
  }

  bytes(id: string): Uint8Array | undefined {
    return (this.#selectBytes.get(id) as { data: Uint8Array } | undefined)?.data;
  }

  bytesIds(): string[] {
    return (this.#database.prepare('SELECT id FROM bytes').all() as { id: string }[]).map(({ id }) => id);
  }

  /**
   * Writes all of them or nothing, in their order, so that the table is as if each had been put there at once.
   * @param serial the last one's number in this generation's journal   @throws what SQLite says
   */
  place(entries: readonly Entry[], serial: number): void {
    this.#begin.run();
    try {
      for (const { batch } of entries) this.#place(batch);
      this.#note.run(this.generation, serial);
      this.#end.run();
    } catch (error) {
      if (this.#database.inTransaction) this.#database.exec('ROLLBACK');
      throw error;
    }
  }

  #place({ everythingGoes, rows, bytes }: Batch): void {
    if (everythingGoes) this.#database.exec('DELETE FROM rows; DELETE FROM bytes');
    for (let at = 0; at < bytes.length; at += 2) {
      if (bytes[at + 1] === undefined) this.#removeBytes.run(bytes[at]);
      else this.#insertBytes.run(bytes[at], bytes[at + 1]);
    }
    for (let at = 0; at < rows.length; at += 3) {
      if (rows[at + 2] === '') this.#remove.run(rows[at], rows[at + 1]);
      else this.#upsert.run(rows[at], rows[at + 1], rows[at + 2]);
    }
  }

  /** Until November 2026 batches were lines of a table first. */
  #foldFormerJournal(): void {
    if (!this.#database.prepare("SELECT 1 FROM sqlite_master WHERE name = 'journal'").get()) return;
    const lines = this.#database.prepare('SELECT rows FROM journal ORDER BY n').all() as { rows: string }[];
    const entries = lines.map(({ rows }) => ({
      serial: 0,
      batch: { everythingGoes: false, rows: JSON.parse(rows) as string[], bytes: [] },
    }));
    this.place(entries, 0);
    this.#database.exec('DROP TABLE journal');
  }

  close(): void {
    this.#database.close();
  }
}

/** SQLite gives its log the mode of the file beside it. */
function closeToOthers(file: string): void {
  closeSync(openSync(file, 'a', 0o600));
  chmodSync(file, 0o600);
}

function openDatabase(file: string): Database.Database {
  try {
    const database = new Database(file === ':memory:' ? file : `${pathToFileURL(file).href}?vfs=unix-excl`);
    database.exec(`
      PRAGMA journal_mode = WAL;
      PRAGMA synchronous = FULL;
      BEGIN IMMEDIATE;
      CREATE TABLE IF NOT EXISTS rows (kind TEXT NOT NULL, id TEXT NOT NULL, json TEXT NOT NULL, PRIMARY KEY (kind, id));
      CREATE TABLE IF NOT EXISTS placed (one INTEGER PRIMARY KEY, generation TEXT NOT NULL, serial INTEGER NOT NULL);
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
