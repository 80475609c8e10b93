// Sorted keys and JSON values in one SQLite file: what the engine keeps, by space and part (a part is a table's items, an index, tags …).
// Keys are sorted by their UTF-8 bytes, which is how SQLite compares text and what dynalite's key encoding counts on.

import { chmodSync, closeSync, openSync } from 'node:fs';
import Database from 'libsql';

export interface Range {
  readonly gt?: string;
  readonly gte?: string;
  readonly lt?: string;
  readonly lte?: string;
  readonly reverse?: boolean;
}

export interface Cell {
  readonly key: string;
  readonly value: unknown;
}

interface RawCell {
  readonly key: string;
  readonly value: string;
}

const bounds = { gt: '>', gte: '>=', lt: '<', lte: '<=' } as const;

export class Cells {
  readonly #database: Database.Database;
  readonly #statements = new Map<string, Database.Statement>();

  /** @param file made with owner-only mode when missing   @throws when another process has it */
  constructor(file: string) {
    closeSync(openSync(file, 'a', 0o600));
    chmodSync(file, 0o600);
    this.#database = new Database(file);
    // FULL: a commit is on disk before the next line runs, also after a power cut. Exclusive: a second process is refused.
    this.#database.exec(`
      PRAGMA locking_mode = EXCLUSIVE;
      PRAGMA journal_mode = WAL;
      PRAGMA synchronous = FULL;
      BEGIN IMMEDIATE;
      CREATE TABLE IF NOT EXISTS cells (
        id INTEGER PRIMARY KEY, space TEXT NOT NULL, part TEXT NOT NULL, key TEXT NOT NULL, value TEXT NOT NULL, UNIQUE (space, part, key)
      );
      COMMIT;
    `);
  }

  get(space: string, part: string, key: string): unknown {
    const row = this.#sql('SELECT value FROM cells WHERE space = ? AND part = ? AND key = ?').get(space, part, key);
    return row === undefined ? undefined : JSON.parse((row as RawCell).value);
  }

  put(space: string, part: string, key: string, value: unknown): void {
    this.#sql(
      'INSERT INTO cells (space, part, key, value) VALUES (?, ?, ?, ?) ON CONFLICT (space, part, key) DO UPDATE SET value = excluded.value',
    ).run(space, part, key, JSON.stringify(value));
  }

  delete(space: string, part: string, key: string): void {
    this.#sql('DELETE FROM cells WHERE space = ? AND part = ? AND key = ?').run(space, part, key);
  }

  clear(space: string, part: string): void {
    this.#sql('DELETE FROM cells WHERE space = ? AND part = ?').run(space, part);
  }

  /** Ends the cells of a part, in every space, whose value has an `at` before this time. */
  expire(part: string, before: number): void {
    this.#sql("DELETE FROM cells WHERE part = ? AND json_extract(value, '$.at') < ?").run(part, before);
  }

  /** At most `limit` cells of a range in its order. */
  list(space: string, part: string, range: Range, limit: number): Cell[] {
    const asked = (['gt', 'gte', 'lt', 'lte'] as const).filter((bound) => range[bound] !== undefined);
    const where = asked.map((bound) => ` AND key ${bounds[bound]} ?`).join('');
    const order = range.reverse === true ? 'DESC' : 'ASC';
    const rows = this.#sql(
      `SELECT key, value FROM cells WHERE space = ? AND part = ?${where} ORDER BY key ${order} LIMIT ?`,
    ).all(space, part, ...asked.map((bound) => range[bound]), limit) as RawCell[];
    return rows.map(({ key, value }) => ({ key, value: JSON.parse(value) }));
  }

  begin(): void {
    this.#database.exec('BEGIN IMMEDIATE');
  }

  /** Returns when everything since `begin` is on disk. @throws when the disk refuses */
  commit(): void {
    this.#database.exec('COMMIT');
  }

  /** What follows can be taken back alone. May be nested. */
  mark(): void {
    this.#database.exec('SAVEPOINT mark');
  }

  /** Ends the last mark. @param keep false takes back what was written since */
  release(keep: boolean): void {
    this.#database.exec(keep ? 'RELEASE mark' : 'ROLLBACK TO mark; RELEASE mark');
  }

  #sql(text: string): Database.Statement {
    let statement = this.#statements.get(text);
    if (!statement) {
      statement = this.#database.prepare(text);
      this.#statements.set(text, statement);
    }
    return statement;
  }
}
