// dynalite's idea of a store, over our cells: what its actions read and write goes into the transaction that is open.
// dynalite's own store is LevelDB; this one is ours because a request must be atomic and on disk before it is answered, and tables are apart by
// account and region. Its shape is that of `create` in dynalite/db/index.js (4.0.0, read 2026-11-21).

import { Readable } from 'node:stream';
import type { Cells, Range } from './cells.ts';
import type { Space } from './protocol.ts';

type Done = (error: Error | null, value?: unknown) => void;
type Batch = readonly ({ type: 'put'; key: string; value: unknown } | { type: 'del'; key: string })[];

/** Every table's row, as dynalite keeps it. */
export interface Throughput {
  ProvisionedThroughput?: { ReadCapacityUnits: number; WriteCapacityUnits: number };
}

export interface TableRow extends Throughput {
  TableName: string;
  TableStatus: string;
  TableArn: string;
  TableId: string;
  AttributeDefinitions: AttributeDefinition[];
  KeySchema: { AttributeName: string; KeyType: string }[];
  CreationDateTime: number;
  GlobalSecondaryIndexes?: IndexRow[];
  LocalSecondaryIndexes?: IndexRow[];
  BillingModeSummary?: { BillingMode: string };
  DeletionProtectionEnabled?: boolean;
  /** Ours alone: no answer has it. */
  ResourcePolicy?: TablePolicy;
}

export interface TablePolicy {
  readonly Policy: string;
  readonly RevisionId: string;
}

export interface AttributeDefinition {
  readonly AttributeName: string;
  readonly AttributeType: string;
}

export interface IndexRow extends Throughput {
  IndexName: string;
  IndexArn: string;
  KeySchema: { AttributeName: string; KeyType: string }[];
}

const maxItemSizeBytes = 400 * 1024;
const pageSize = 64;

const tablesPart = 'tables';
export const tokensPart = 'tokens';
const itemsPart = (table: string) => `item~${table}`;
const tagsPart = (table: string) => `tag~${table}`;
const indexPart = (kind: string, table: string, index: string) => `index-${kind.toLowerCase()}~${table}~${index}`;

/** One part of a space. */
class Part {
  readonly #cells: Cells;
  readonly #space: string;
  readonly #part: string;

  constructor(cells: Cells, space: string, part: string) {
    this.#cells = cells;
    this.#space = space;
    this.#part = part;
  }

  /** Requests run one after the other, and no request changes one item twice: nobody ever waits. */
  lock(_key: string, work: (release: (done: Done) => Done) => void): void {
    work((done) => done);
  }

  get(key: string, done: Done): void {
    const value = this.#cells.get(this.#space, this.#part, key);
    setImmediate(done, null, value);
  }

  put(key: string, value: unknown, done: Done): void {
    this.#cells.put(this.#space, this.#part, key, value);
    setImmediate(done, null);
  }

  del(key: string, done: Done): void {
    this.#cells.delete(this.#space, this.#part, key);
    setImmediate(done, null);
  }

  batch(changes: Batch, done: Done): void {
    for (const change of changes) {
      if (change.type === 'put') this.#cells.put(this.#space, this.#part, change.key, change.value);
      else this.#cells.delete(this.#space, this.#part, change.key);
    }
    setImmediate(done, null);
  }

  createKeyStream(range: Range = {}): Readable {
    return Readable.from(this.#walk(range, 'key'), { objectMode: true, highWaterMark: pageSize });
  }

  createValueStream(range: Range = {}): Readable {
    return Readable.from(this.#walk(range, 'value'), { objectMode: true, highWaterMark: pageSize });
  }

  /** Page by page: most readers stop early. */
  *#walk(range: Range, what: 'key' | 'value'): Generator {
    let rest: Range = range;
    for (;;) {
      const page = this.#cells.list(this.#space, this.#part, rest, pageSize);
      for (const cell of page) yield cell[what];
      const last = page.at(-1);
      if (!last || page.length < pageSize) return;
      const { gt, gte, lt, lte, ...others } = rest;
      rest =
        range.reverse === true
          ? { ...others, ...(gt !== undefined && { gt }), ...(gte !== undefined && { gte }), lt: last.key }
          : { ...others, ...(lt !== undefined && { lt }), ...(lte !== undefined && { lte }), gt: last.key };
    }
  }
}

/** The rows of tables. Ids that dynalite writes for the `aws` partition are made the space's own. */
class TablePart extends Part {
  readonly awsAccountId: string;
  readonly awsRegion: string;
  readonly #partition: string;

  constructor(cells: Cells, space: Space) {
    super(cells, spaceKey(space), tablesPart);
    this.awsAccountId = space.accountId;
    this.awsRegion = space.region;
    this.#partition = space.partition;
  }

  override put(key: string, table: TableRow, done: Done): void {
    // In place: dynalite answers with the same object.
    table.TableArn = this.#own(table.TableArn);
    for (const index of [...(table.GlobalSecondaryIndexes ?? []), ...(table.LocalSecondaryIndexes ?? [])])
      index.IndexArn = this.#own(index.IndexArn);
    super.put(key, table, done);
  }

  #own(arn: string): string {
    return arn.replace(/^arn:aws:/, `arn:${this.#partition}:`);
  }
}

export function spaceKey({ partition, accountId, region }: Space): string {
  return `${partition}/${accountId}/${region}`;
}

export class SpaceStore {
  /** No delays: what dynalite puts off is done at the end of its request (`./action.ts`). */
  readonly options = { createTableMs: 0, deleteTableMs: 0, updateTableMs: 0, maxItemSize: maxItemSizeBytes };
  readonly tableDb: TablePart;
  readonly #cells: Cells;
  readonly #key: string;
  readonly #parts = new Map<string, Part>();

  constructor(cells: Cells, space: Space) {
    this.#cells = cells;
    this.#key = spaceKey(space);
    this.tableDb = new TablePart(cells, space);
  }

  // dynalite passes these on as plain functions.
  readonly getItemDb = (table: string) => this.#part(itemsPart(table));
  readonly getIndexDb = (kind: string, table: string, index: string) => this.#part(indexPart(kind, table, index));
  readonly getTagDb = (table: string) => this.#part(tagsPart(table));
  readonly deleteItemDb = (table: string, done: Done) => this.#clear(itemsPart(table), done);
  readonly deleteTagDb = (table: string, done: Done) => this.#clear(tagsPart(table), done);
  readonly deleteIndexDb = (kind: string, table: string, index: string, done: Done) =>
    this.#clear(indexPart(kind, table, index), done);

  /** dynalite asks with or without `checkStatus`; a request never sees a table that is on its way, so both are the same but for the words. */
  readonly getTable = (name: string, checkStatus: boolean | Done, callback?: Done): void => {
    const done = typeof checkStatus === 'function' ? checkStatus : callback;
    const table = this.table(name);
    const words = `Requested resource not found${checkStatus === false ? `: Table: ${name} not found` : ''}`;
    if (done) setImmediate(done, table ? null : notFound(words), table);
  };

  table(name: string): TableRow | undefined {
    return this.#cells.get(this.#key, tablesPart, name) as TableRow | undefined;
  }

  tags(name: string): Record<string, string> {
    const cells = this.#cells.list(this.#key, tagsPart(name), {}, 1000);
    return Object.fromEntries(cells.map(({ key, value }) => [key, String(value)]));
  }

  item(table: string, key: string): Record<string, unknown> | undefined {
    return this.#cells.get(this.#key, itemsPart(table), key) as Record<string, unknown> | undefined;
  }

  /** Every item of a table, a page at a time. */
  *items(table: string): Generator<Record<string, unknown>> {
    let gt = '';
    for (;;) {
      const page = this.#cells.list(this.#key, itemsPart(table), { gt }, pageSize);
      for (const { value } of page) yield value as Record<string, unknown>;
      const last = page.at(-1);
      if (!last) return;
      gt = last.key;
    }
  }

  putIndexEntry(table: string, index: string, key: string, item: unknown): void {
    this.#cells.put(this.#key, indexPart('global', table, index), key, item);
  }

  /** What was kept with a client's token, unless it is older than `since`. */
  token(token: string, since: number): string | undefined {
    const known = this.#cells.get(this.#key, tokensPart, token) as { digest: string; at: number } | undefined;
    return known && known.at >= since ? known.digest : undefined;
  }

  keepToken(token: string, digest: string, at: number): void {
    this.#cells.put(this.#key, tokensPart, token, { digest, at });
  }

  #clear(part: string, done: Done): void {
    this.#cells.clear(this.#key, part);
    setImmediate(done, null);
  }

  #part(name: string): Part {
    let part = this.#parts.get(name);
    if (!part) {
      part = new Part(this.#cells, this.#key, name);
      this.#parts.set(name, part);
    }
    return part;
  }
}

function notFound(message: string): Error {
  return Object.assign(new Error(message), {
    name: 'NotFoundError',
    statusCode: 400,
    body: { __type: 'com.amazonaws.dynamodb.v20120810#ResourceNotFoundException', message },
  });
}
