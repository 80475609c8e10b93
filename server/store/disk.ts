// The file of the store: one SQLite database with every row as JSON, and the bytes that are too few for a file of their own.
// Rows are read once, at the start; bytes are read when they are asked for; everything is written in batches, each one transaction that is on disk
// when `commit` returns (WAL, synchronous=FULL). https://www.sqlite.org/pragma.html#pragma_synchronous (read 2026-11-21).
// The rows of a batch are first one line of a journal, which is one page to wait for; where they belong, in the table of rows and its index, is a page or
// two for each. `fold` puts them there later, many batches at once, and the start does before it reads.
//
// Two threads of one process have the file open: the event loop reads, and the commit thread (commits.ts) writes. The VFS `unix-excl` is made for that: it
// locks every other process out until this one ends, and keeps what its connections share in memory. https://www.sqlite.org/vfs.html (read 2026-11-21).

import { chmodSync, closeSync, openSync } from 'node:fs';
import { pathToFileURL } from 'node:url';
import Database from 'libsql';

/** What one commit writes. Flat, because it is copied from one thread to another. */
export interface Batch {
  /** Every row and all bytes go before the rest is written. */
  everythingGoes: boolean;
  /** `kind, id, JSON` three by three; an empty JSON removes the row. */
  readonly rows: string[];
  /** `id, bytes` two by two; undefined removes them. */
  readonly bytes: (string | Uint8Array | undefined)[];
}

/** Some four hundred rows: folding them takes a few milliseconds, and the next batch waits. */
const longJournalBytes = 256 * 1024;

export class Disk {
  readonly #database: Database.Database;
  readonly #begin: Database.Statement;
  readonly #end: Database.Statement;
  readonly #journal: Database.Statement;
  #journalBytes = 0;
  readonly #upsert: Database.Statement;
  readonly #remove: Database.Statement;
  readonly #insertBytes: Database.Statement;
  readonly #removeBytes: Database.Statement;
  readonly #selectBytes: Database.Statement;

  /**
   * @param file made with owner-only mode when missing; `:memory:` for a test
   * @param first false when this process has it open already: opening and closing it beside SQLite would drop the process's lock
   * (https://www.sqlite.org/howtocorrupt.html, 2.2, read 2026-11-21)
   * @throws Error naming the file, when it cannot be opened or another process has it
   */
  constructor(file: string, first = true) {
    if (first && file !== ':memory:') closeToOthers(file);
    this.#database = openDatabase(file);
    this.#begin = this.#database.prepare('BEGIN IMMEDIATE');
    this.#end = this.#database.prepare('COMMIT');
    this.#journal = this.#database.prepare('INSERT INTO journal (rows) VALUES (?)');
    this.#upsert = this.#database.prepare(
      'INSERT INTO rows (kind, id, json) VALUES (?, ?, ?) ON CONFLICT (kind, id) DO UPDATE SET json = excluded.json',
    );
    this.#remove = this.#database.prepare('DELETE FROM rows WHERE kind = ? AND id = ?');
    this.#insertBytes = this.#database.prepare('INSERT INTO bytes (id, data) VALUES (?, ?)');
    this.#removeBytes = this.#database.prepare('DELETE FROM bytes WHERE id = ?');
    this.#selectBytes = this.#database.prepare('SELECT data FROM bytes WHERE id = ?');
    if (first) this.fold();
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

  /** Writes all of it or nothing. @throws what SQLite says */
  commit({ everythingGoes, rows, bytes }: Batch): void {
    const lines = rows.length > 0 ? JSON.stringify(rows) : '';
    this.#transaction(() => {
      if (everythingGoes) this.#database.exec('DELETE FROM journal; DELETE FROM rows; DELETE FROM bytes');
      for (let at = 0; at < bytes.length; at += 2) {
        if (bytes[at + 1] === undefined) this.#removeBytes.run(bytes[at]);
        else this.#insertBytes.run(bytes[at], bytes[at + 1]);
      }
      if (lines !== '') this.#journal.run(lines);
    });
    this.#journalBytes += lines.length;
  }

  /** So much is in the journal that folding it should not wait for a quiet moment. */
  get isJournalLong(): boolean {
    return this.#journalBytes > longJournalBytes;
  }

  /** Puts what the journal has where it belongs: in the order of the batches, so that the table is as if each had been put there at once. */
  fold(): void {
    const batches = this.#database.prepare('SELECT rows FROM journal ORDER BY n').all() as { rows: string }[];
    if (batches.length === 0) return;
    this.#transaction(() => {
      for (const { rows } of batches) this.#place(JSON.parse(rows) as string[]);
      this.#database.exec('DELETE FROM journal');
    });
    this.#journalBytes = 0;
  }

  #place(rows: readonly string[]): void {
    for (let at = 0; at < rows.length; at += 3) {
      if (rows[at + 2] === '') this.#remove.run(rows[at], rows[at + 1]);
      else this.#upsert.run(rows[at], rows[at + 1], rows[at + 2]);
    }
  }

  #transaction(work: () => void): void {
    this.#begin.run();
    try {
      work();
      this.#end.run();
    } catch (error) {
      if (this.#database.inTransaction) this.#database.exec('ROLLBACK');
      throw error;
    }
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
      CREATE TABLE IF NOT EXISTS journal (n INTEGER PRIMARY KEY, rows TEXT NOT NULL);
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
