// Rows in memory: a table for each kind, and the indexes that were asked for, kept up with every row.

import type { Kind, Row, Scope } from './transaction.ts';

export interface Table {
  readonly rows: Map<string, Row>;
  /** Of those that were asked for. */
  readonly byIndex: Map<KeyOf, Groups>;
}

/** Key → its row, or its rows by id: most keys have one, and a map of its own costs more than the row. */
type Groups = Map<string, Group>;
export type Group = Row | Map<string, Row>;

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

  /** @param before the row that has this id now */
  set(kind: Kind, row: Row, before: Row | undefined): void {
    const table = this.of(kind);
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

function addTo(groups: Groups, key: string, row: Row): void {
  const group = groups.get(key);
  if (group instanceof Map) group.set(row.id, row);
  else if (!group || group.id === row.id) groups.set(key, row);
  else groups.set(key, new Map<string, Row>().set(group.id, group).set(row.id, row));
}

function removeFrom(groups: Groups, key: string, id: string): void {
  const group = groups.get(key);
  if (group instanceof Map) group.delete(id);
  // Keys may be as many as rows ever were.
  if (group instanceof Map ? group.size === 0 : group?.id === id) groups.delete(key);
}

const none: ReadonlyMap<string, Row> = new Map();

/** The rows with this key, in the order in which they were first put. */
export function groupOf(table: Table, keyOf: KeyOf, key: string): Group | undefined {
  return indexed(table, keyOf).get(key);
}

export function byId(group: Group | undefined): ReadonlyMap<string, Row> {
  return group instanceof Map ? group : group ? new Map([[group.id, group]]) : none;
}

function indexed(table: Table, keyOf: KeyOf): Groups {
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
  return byId(
    region === undefined
      ? groupOf(table, accountOf, accountId)
      : groupOf(table, regionOf, regionKey(accountId, region)),
  );
}
