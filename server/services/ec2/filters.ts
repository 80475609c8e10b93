// Which rows does a Describe's `Filters` keep? Filters are joined by AND, the values of one by OR; values may use `*` and `?`, and `\` takes their
// meaning away. https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/Using_Filtering.html (read 2026-11-21).
// Each resource file has a table: filter name → the values that a row has. An unknown name is an error, never ignored.

import type { Filter } from '@aws-sdk/client-ec2';
import { ANY, matchesTokens, ONE, type Token } from '@postern/policy/glob.ts';
import type { Tags } from '../../store/rows/ec2.ts';
import { invalidParameterValue } from './errors.ts';

export type FilterValue = string | number | boolean | undefined | readonly (string | number | boolean | undefined)[];

/** Filter name → what it is compared with. A list matches when one of its values does; undefined never matches. */
export type FilterTable<R> = Readonly<Record<string, (row: R) => FilterValue>>;

const maxValues = 200;

/** Turns one filter value into a test. */
export function wildcard(pattern: string): (value: string) => boolean {
  const tokens = tokensOf(pattern);
  return (value) => matchesTokens(tokens, value);
}

/** As written in a filter: `\` takes a wildcard's meaning away. */
function tokensOf(pattern: string): Token[] {
  const tokens: Token[] = [];
  for (let index = 0; index < pattern.length; index += 1) {
    const char = pattern.charAt(index);
    if (char === '\\' && index + 1 < pattern.length) {
      index += 1;
      tokens.push(pattern.charCodeAt(index));
    } else if (char === '*') {
      if (tokens.at(-1) !== ANY) tokens.push(ANY);
    } else tokens.push(char === '?' ? ONE : char.charCodeAt(0));
  }
  return tokens;
}

function texts(value: FilterValue): string[] {
  const list = Array.isArray(value) ? value : [value];
  return list.filter((one) => one !== undefined).map(String);
}

/**
 * Keeps the rows that every filter matches.
 * @param table without the tag filters: rows with `tags` have `tag:KEY`, `tag-key` and `tag-value` by themselves
 * @throws InvalidParameterValue "The filter 'x' is invalid"
 */
export function applyFilters<R extends object>(
  rows: readonly R[],
  filters: readonly Filter[] | undefined,
  table: FilterTable<R>,
  tagsOf: (row: R) => Tags | undefined = (row) => ('tags' in row ? (row.tags as Tags) : undefined),
): R[] {
  let kept = [...rows];
  for (const filter of filters ?? []) {
    const name = filter.Name ?? '';
    const values = filter.Values ?? [];
    const read = reader(name, table, tagsOf);
    if (!read) throw invalidParameterValue(`The filter '${name === '' ? 'null' : name}' is invalid`);
    if (values.length > maxValues)
      throw invalidParameterValue(`The maximum number of filter values specified on a single call is ${maxValues}`);
    const exact = new Set(values);
    const patterns = values.filter((value) => /[*?\\]/.test(value)).map(wildcard);
    kept = kept.filter((row) =>
      texts(read(row)).some((text) => exact.has(text) || patterns.some((matches) => matches(text))),
    );
  }
  return kept;
}

function reader<R>(
  name: string,
  table: FilterTable<R>,
  tagsOf: (row: R) => Tags | undefined,
): ((row: R) => FilterValue) | undefined {
  if (name.startsWith('tag:')) {
    const key = name.slice('tag:'.length);
    return (row) => ownTag(tagsOf(row), key);
  }
  if (name === 'tag-key') return (row) => Object.keys(tagsOf(row) ?? {});
  if (name === 'tag-value') return (row) => Object.values(tagsOf(row) ?? {});
  return Object.hasOwn(table, name) ? table[name] : undefined;
}

function ownTag(tags: Tags | undefined, key: string): string | undefined {
  return tags && Object.hasOwn(tags, key) ? tags[key] : undefined;
}

/** Refuses filters by their names alone: for answers that are empty before any filter could be read. */
export function checkFilters(filters: readonly Filter[] | undefined, names: readonly string[]): void {
  applyFilters([], filters, Object.fromEntries(names.map((name) => [name, () => undefined])));
}
