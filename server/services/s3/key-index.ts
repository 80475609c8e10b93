// Which keys does a bucket have, in S3's order? Listings must not walk or sort 100,000 rows for a page of 1,000.
// Order: UTF-8 bytes (https://docs.aws.amazon.com/AmazonS3/latest/API/API_ListObjectsV2.html, read 2026-11-21). JavaScript compares UTF-16 units,
// which differs only where a surrogate meets U+E000–U+FFFF, so keys are kept with those two ranges exchanged and compared natively.
// Kept as blocks of at most 512 keys: a change moves one block, and finding a place is two binary searches.

import type { ObjectRow } from '../../store/rows/s3.ts';
import type { Store, Transaction } from '../../store/store.ts';

const blockLimit = 512;

/** The form in which native comparison is the order of the UTF-8 bytes. */
export function sortableKey(key: string): string {
  return /[\ud800-\uffff]/.test(key) ? exchange(key, (unit) => (unit < 0xe000 ? unit + 0x2000 : unit - 0x800)) : key;
}

export function keyOfSortable(sortable: string): string {
  return /[\ud800-\uffff]/.test(sortable)
    ? exchange(sortable, (unit) => (unit >= 0xf800 ? unit - 0x2000 : unit + 0x800))
    : sortable;
}

function exchange(text: string, map: (unit: number) => number): string {
  let out = '';
  for (let at = 0; at < text.length; at += 1) {
    const unit = text.charCodeAt(at);
    out += unit < 0xd800 ? text.charAt(at) : String.fromCharCode(map(unit));
  }
  return out;
}

/** The least text that is greater than every text with this prefix; undefined when there is none. */
export function afterPrefix(prefix: string): string | undefined {
  for (let length = prefix.length; length > 0; length -= 1) {
    const unit = prefix.charCodeAt(length - 1);
    if (unit < 0xffff) return prefix.slice(0, length - 1) + String.fromCharCode(unit + 1);
  }
  return undefined;
}

/** A set of texts in ascending order. */
export class SortedTexts {
  #blocks: string[][] = [];

  constructor(ascending: readonly string[] = []) {
    for (let at = 0; at < ascending.length; at += blockLimit / 2) {
      this.#blocks.push(ascending.slice(at, at + blockLimit / 2));
    }
  }

  get isEmpty(): boolean {
    return this.#blocks.length === 0;
  }

  add(text: string): void {
    const at = this.#blockOf(text);
    const block = this.#blocks[at];
    if (!block) {
      this.#blocks.push([text]);
      return;
    }
    const place = lowerBound(block, text);
    if (block[place] === text) return;
    block.splice(place, 0, text);
    if (block.length > blockLimit)
      this.#blocks.splice(at, 1, block.slice(0, blockLimit / 2), block.slice(blockLimit / 2));
  }

  remove(text: string): void {
    const at = this.#blockOf(text);
    const block = this.#blocks[at];
    if (!block) return;
    const place = lowerBound(block, text);
    if (block[place] !== text) return;
    block.splice(place, 1);
    if (block.length === 0) this.#blocks.splice(at, 1);
  }

  /** A reading position at the first text that is ≥ `from`. Changes to the set spoil it. */
  from(from: string): Cursor {
    let block = this.#blockOf(from);
    let place = lowerBound(this.#blocks[block] ?? [], from);
    const blocks = this.#blocks;
    return {
      next() {
        let current = blocks[block];
        while (current && place >= current.length) {
          block += 1;
          place = 0;
          current = blocks[block];
        }
        const text = current?.[place];
        place += 1;
        return text;
      },
    };
  }

  /** The last block whose first text is ≤ `text`, or the first one. */
  #blockOf(text: string): number {
    let low = 0;
    let high = this.#blocks.length - 1;
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if ((this.#blocks[middle]?.[0] ?? '') <= text) low = middle;
      else high = middle - 1;
    }
    return low;
  }
}

export interface Cursor {
  next(): string | undefined;
}

function lowerBound(texts: readonly string[], text: string): number {
  let low = 0;
  let high = texts.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((texts[middle] ?? '') < text) low = middle + 1;
    else high = middle;
  }
  return low;
}

const noKeys = new SortedTexts();

/** What an index is of: the rows of these kinds, and whether a key of which one went still has others. */
export interface IndexedRows {
  readonly kinds: readonly ('object' | 'object-version' | 'delete-marker')[];
  readonly remains: (tx: Transaction, bucket: string, key: string) => boolean;
}

/** The keys with a current version: what listings list. */
export const currentKeys: IndexedRows = { kinds: ['object'], remains: () => false };

/** Every bucket's keys, kept up by the store's change feed. Between transactions it is exactly what the store holds. */
export class KeyIndex {
  readonly #store: Store;
  readonly #rows: IndexedRows;
  #buckets: Map<string, SortedTexts> | undefined;
  #revision = -1;

  constructor(store: Store, rows: IndexedRows = currentKeys) {
    this.#store = store;
    this.#rows = rows;
    const kinds = new Set<string>(rows.kinds);
    store.onChange((changes, revision) => {
      // A revision that was not told (the store was cleared) makes the index worthless; it is read anew when next asked for.
      if (this.#buckets && revision !== this.#revision + 1) this.#buckets = undefined;
      this.#revision = revision;
      if (!this.#buckets) return;
      for (const { kind, before, after } of changes) {
        if (!kinds.has(kind) || (before !== undefined) === (after !== undefined)) continue;
        const { bucket, key } = (after ?? before) as ObjectRow;
        const keys = this.#keysOf(this.#buckets, bucket);
        if (after || store.read((tx) => rows.remains(tx, bucket, key))) keys.add(sortableKey(key));
        else keys.remove(sortableKey(key));
      }
    });
  }

  /** The sortable forms of a bucket's keys. */
  of(bucket: string): SortedTexts {
    if (!this.#buckets || this.#revision !== this.#store.revision) this.#load();
    return this.#buckets?.get(bucket) ?? noKeys;
  }

  #load(): void {
    const texts = new Map<string, Set<string>>();
    for (const kind of this.#rows.kinds)
      for (const { bucket, key } of this.#store.read((tx) => tx.list(kind))) {
        let keys = texts.get(bucket);
        if (!keys) {
          keys = new Set();
          texts.set(bucket, keys);
        }
        keys.add(sortableKey(key));
      }
    this.#buckets = new Map();
    for (const [bucket, keys] of texts) this.#buckets.set(bucket, new SortedTexts([...keys].sort(byUnits)));
    this.#revision = this.#store.revision;
  }

  #keysOf(buckets: Map<string, SortedTexts>, bucket: string): SortedTexts {
    let keys = buckets.get(bucket);
    if (!keys) {
      keys = new SortedTexts();
      buckets.set(bucket, keys);
    }
    return keys;
  }
}

function byUnits(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
