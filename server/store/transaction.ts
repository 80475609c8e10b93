// A transaction: what a handler reads and writes rows with. Its writes are its own until it ends; the store (store.ts) makes them everybody's, and durable.

import { fewRandomBytes } from './randomness.ts';
import type { CloudtrailRows } from './rows/cloudtrail.ts';
import type { Ec2Rows } from './rows/ec2.ts';
import type { IamRows } from './rows/iam.ts';
import type { InstanceConnectRows } from './rows/instance-connect.ts';
import type { KmsRows } from './rows/kms.ts';
import type { LoadBalancingRows } from './rows/load-balancing.ts';
import type { LogsRows } from './rows/logs.ts';
import type { OrganizationsRows } from './rows/organizations.ts';
import type { S3Rows } from './rows/s3.ts';
import type { SsmRows } from './rows/ssm.ts';
import { byId, groupOf, inScope, type KeyOf, type Tables } from './tables.ts';

/** What every row has. `id` is unique within its kind, across accounts and regions. */
export interface Row {
  id: string;
  accountId: string;
  /** A region's name, or `global`. */
  region: string;
}

export interface Rows
  extends CloudtrailRows,
    Ec2Rows,
    IamRows,
    InstanceConnectRows,
    KmsRows,
    LoadBalancingRows,
    LogsRows,
    OrganizationsRows,
    S3Rows,
    SsmRows {}
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

/** Writes go to an overlay until the transaction ends. */
export class OpenTransaction implements Transaction {
  readonly #tables: Tables;
  readonly #writes = new Map<Kind, Map<string, Row | undefined>>();

  constructor(tables: Tables) {
    this.#tables = tables;
  }

  get hasWritten(): boolean {
    return this.#writes.size > 0;
  }

  get<K extends Kind>(kind: K, id: string): Rows[K] | undefined {
    const written = this.#writes.get(kind);
    if (written?.has(id)) return written.get(id) as Rows[K] | undefined;
    return this.#tables.of(kind).rows.get(id) as Rows[K] | undefined;
  }

  list<K extends Kind>(kind: K, scope: Scope = {}): Rows[K][] {
    const table = this.#tables.of(kind);
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
    const group = groupOf(this.#tables.of(index.kind), keyOf, key);
    const written = this.#writes.get(index.kind);
    if (!written) return (group instanceof Map ? [...group.values()] : group ? [group] : []) as Rows[K][];
    const base = byId(group);
    const rows: Row[] = [];
    const fits = (row: Row) => keyOf(row) === key;
    for (const row of base.values()) {
      const current = written.has(row.id) ? written.get(row.id) : row;
      if (current && fits(current)) rows.push(current);
    }
    for (const [id, row] of written) if (row && !base.has(id) && fits(row)) rows.push(row);
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
      const table = this.#tables.of(kind);
      for (const [id, after] of rows) {
        const before = table.rows.get(id);
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
