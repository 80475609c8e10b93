// Rows in memory: a table for each kind, and the indexes that were asked for, kept up with every row.

import type { Kind, Row, Scope } from './transaction.ts';

export interface Table {
  readonly rows: Map<string, Row>;
  /** Index, of those that were asked for → key → id → row. */
  readonly byIndex: Map<KeyOf, Map<string, Map<string, Row>>>;
}

export type KeyOf = (row: Row) => string | undefined;

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

export class Tables {
  readonly #tables = new Map<Kind, Table>();

  of(kind: Kind): Table {
    let table = this.#tables.get(kind);
    if (!table) {
      table = { rows: new Map(), byIndex: new Map() };
      this.#tables.set(kind, table);
    }
    return table;
  }

  set(kind: Kind, row: Row): void {
    const table = this.of(kind);
    const before = table.rows.get(row.id);
    table.rows.set(row.id, row);
    for (const [keyOf, rows] of table.byIndex) {
      const key = keyOf(row);
      const keyBefore = before && keyOf(before);
      if (keyBefore !== undefined && keyBefore !== key) removeFrom(rows, keyBefore, row.id);
      if (key !== undefined) addTo(rows, key, row);
    }
  }

  unset(kind: Kind, id: string): void {
    const table = this.of(kind);
    const row = table.rows.get(id);
    if (!row) return;
    table.rows.delete(id);
    for (const [keyOf, rows] of table.byIndex) {
      const key = keyOf(row);
      if (key !== undefined) removeFrom(rows, key, id);
    }
  }

  clear(): void {
    this.#tables.clear();
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

export function indexed(table: Table, keyOf: KeyOf): Map<string, Map<string, Row>> {
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
export function inScope(table: Table, { accountId, region }: Scope): ReadonlyMap<string, Row> | undefined {
  if (accountId === undefined) return undefined;
  const found =
    region === undefined
      ? indexed(table, accountOf).get(accountId)
      : indexed(table, regionOf).get(regionKey(accountId, region));
  return found ?? new Map();
}
