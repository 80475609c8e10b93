// Rows that nobody writes any more: what the rooms that read rows are given for a real account, without a database.

import type { Index, Kind, Row, Rows, Scope, Transaction } from '../store/store.ts';

export class RowSet implements Transaction {
  readonly #kinds = new Map<Kind, Map<string, Row>>();

  get<K extends Kind>(kind: K, id: string): Rows[K] | undefined {
    return this.#kinds.get(kind)?.get(id) as Rows[K] | undefined;
  }

  list<K extends Kind>(kind: K, scope: Scope = {}): Rows[K][] {
    const rows = [...(this.#kinds.get(kind)?.values() ?? [])] as Rows[K][];
    return rows.filter(
      (row) =>
        (scope.accountId === undefined || row.accountId === scope.accountId) &&
        (scope.region === undefined || row.region === scope.region),
    );
  }

  find<K extends Kind>(index: Index<K>, key: string): Rows[K][] {
    return this.list(index.kind).filter((row) => index.keyOf(row) === key);
  }

  put<K extends Kind>(kind: K, row: Rows[K]): void {
    const rows = this.#kinds.get(kind);
    if (rows) rows.set(row.id, row);
    else this.#kinds.set(kind, new Map([[row.id, row]]));
  }

  /**
   * A row of which only that is known which the Snapshot, the names and the policies are read from. What else an operation of the API would have kept
   * (launch times, volumes) has no meaning here, and nobody asks for it.
   */
  putKnown<K extends Kind>(kind: K, row: Partial<Rows[K]> & Row): void {
    this.put(kind, row as unknown as Rows[K]);
  }

  delete(kind: Kind, id: string): void {
    this.#kinds.get(kind)?.delete(id);
  }

  newId<P extends string>(): `${P}-${string}` {
    throw new Error('nothing new is made from what was read');
  }
}
