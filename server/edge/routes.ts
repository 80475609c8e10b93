// Which operation does a method and a path mean? Only for rest-json and rest-xml; the other protocols name the operation.
// Order: literal parts of the path and query first, then the query parameters an operation cannot do without, then the copy header.

import type { RouteRow, ServiceModel } from '../catalogue/shapes.ts';
import { decodePercent, type QueryPair, type RequestHead } from './head.ts';

export interface Route {
  readonly operation: string;
  /** Decoded path labels: `Bucket`, `Key` and those of the template. */
  readonly labels: Readonly<Record<string, string>>;
}

export type NoRoute = 'bad-encoding' | 'no-such-operation';

interface Template {
  readonly row: RouteRow;
  readonly segments: readonly Segment[];
  /** Literal queries without `x-id`, which only SDKs send. */
  readonly literals: readonly QueryPair[];
  /** How many parts of path and query are literal. */
  readonly literalParts: number;
}

type Segment = { readonly literal: string } | { readonly label: string; readonly greedy: boolean };

interface Table {
  /** By method. Most of S3's operations have a word in the query, and most requests have no query: `plain` are those without a word. */
  readonly byMethod: ReadonlyMap<string, { readonly all: readonly Template[]; readonly plain: readonly Template[] }>;
  /** Every literal query name: a request with one of them must not fall to an operation that ignores it. */
  readonly literalNames: ReadonlySet<string>;
}

const tables = new WeakMap<ServiceModel, Table>();

function tableOf(service: ServiceModel): Table {
  let table = tables.get(service);
  if (!table) {
    const templates = service.routes.map(templateOf);
    const byMethod = new Map(
      [...new Set(templates.map(({ row }) => row.http.method))].map((method) => {
        const all = templates.filter(({ row }) => row.http.method === method);
        return [method, { all, plain: all.filter(({ literals }) => literals.length === 0) }];
      }),
    );
    table = { byMethod, literalNames: new Set(templates.flatMap(({ literals }) => literals.map(([name]) => name))) };
    tables.set(service, table);
  }
  return table;
}

function templateOf(row: RouteRow): Template {
  const [path = '/', query = ''] = row.http.uri.split('?');
  const segments = path
    .split('/')
    .filter((part) => part !== '')
    .map((part): Segment => {
      const label = /^\{(.+?)(\+?)\}$/.exec(part);
      return label ? { label: label[1] ?? '', greedy: label[2] === '+' } : { literal: part };
    });
  const literals = query
    .split('&')
    .filter((part) => part !== '' && !part.startsWith('x-id='))
    .map((part): QueryPair => {
      const [name = '', value = ''] = part.split('=');
      return [name, value];
    });
  const literalParts = literals.length + segments.filter((segment) => 'literal' in segment).length;
  return { row, segments, literals, literalParts };
}

/**
 * @param bucket the bucket that the host names, if it does; otherwise S3's path begins with it
 */
export function findRoute(service: ServiceModel, head: RequestHead, bucket: string | undefined): Route | NoRoute {
  const table = tableOf(service);
  const query = head.query;
  if (!query) return 'bad-encoding';
  const onBuckets = service.bucketPaths;
  const address = onBuckets ? bucketAddress(head.path, bucket) : { rest: head.path };
  if (!address) return 'bad-encoding';
  let best: { readonly template: Template; readonly labels: Record<string, string>; readonly rank: number } | undefined;
  const ofMethod = table.byMethod.get(head.method);
  for (const template of (query.length === 0 ? ofMethod?.plain : ofMethod?.all) ?? []) {
    const { row } = template;
    if (onBuckets && row.onBucket !== (address.bucket !== undefined)) continue;
    if (!template.literals.every(([name, value]) => has(query, name, value))) continue;
    const labels = matchPath(template.segments, address.rest, onBuckets);
    if (labels === 'bad-encoding') return labels;
    if (!labels) continue;
    if (row.requiredHeaders.includes('x-amz-copy-source') && head.headers['x-amz-copy-source'] === undefined) continue;
    const satisfied = row.requiredQueries.every((name) => has(query, name, ''));
    // Two operations may differ in nothing else than what the SDKs add: ListBuckets and ListDirectoryBuckets.
    const hinted = has(query, 'x-id', row.name) ? 0.5 : 0;
    // An operation whose literals fit but whose parameter is missing still wins over one with fewer literals: DELETE ?annotation is no DeleteObject.
    const rank =
      template.literalParts * 100 +
      (satisfied ? row.requiredQueries.length * 2 + row.requiredHeaders.length + 1 : 0) +
      hinted;
    if (!best || rank > best.rank) best = { template, labels, rank };
  }
  if (!best) return decodePercent(address.rest) === undefined ? 'bad-encoding' : 'no-such-operation';
  const { literals, row } = best.template;
  // A POST on a key that has no upload is no CompleteMultipartUpload (public logs of S3). What a word in the query names is told what it lacks.
  const incomplete = literals.length === 0 && !row.requiredQueries.every((name) => has(query, name, ''));
  const ignored =
    query.length > 0 &&
    query.some(([name]) => table.literalNames.has(name) && !literals.some(([literal]) => literal === name));
  // `uploadId` means a part of an upload and nothing else.
  if (onBuckets && (ignored || incomplete || (has(query, 'uploadId', '') && !row.requiredQueries.includes('uploadId'))))
    return 'no-such-operation';
  return {
    operation: row.name,
    labels: address.bucket === undefined ? best.labels : { Bucket: address.bucket, ...best.labels },
  };
}

function has(query: readonly QueryPair[], name: string, value: string): boolean {
  return query.some((pair) => pair[0] === name && (value === '' || pair[1] === value));
}

function bucketAddress(path: string, hostBucket: string | undefined): { bucket?: string; rest: string } | undefined {
  if (hostBucket !== undefined) return { bucket: hostBucket, rest: path };
  if (path === '/' || path === '/WriteGetObjectResponse') return { rest: path };
  const slash = path.indexOf('/', 1);
  const bucket = decodePercent(slash < 0 ? path.slice(1) : path.slice(1, slash));
  if (bucket === undefined) return undefined;
  return { bucket, rest: slash < 0 ? '/' : path.slice(slash) };
}

function literalsOf(segments: readonly Segment[]): string {
  return segments.map((one) => ('literal' in one ? `/${one.literal}` : '')).join('');
}

/** A greedy label takes the rest with its slashes, also doubled ones: S3 keys may hold them. */
function matchPath(
  segments: readonly Segment[],
  path: string,
  exact: boolean,
): Record<string, string> | 'bad-encoding' | undefined {
  const labels: Record<string, string> = {};
  let rest = path.slice(1);
  for (let at = 0; at < segments.length; at++) {
    const segment = segments[at] as Segment;
    if ('label' in segment && segment.greedy) {
      // Literal segments may follow: `/{Name+}/policy`.
      const suffix = at === segments.length - 1 ? '' : literalsOf(segments.slice(at + 1));
      if (!rest.endsWith(suffix)) return undefined;
      const value = decodePercent(suffix === '' ? rest : rest.slice(0, -suffix.length));
      if (value === undefined) return 'bad-encoding';
      if (value === '') return undefined;
      labels[segment.label] = value;
      return labels;
    }
    const slash = rest.indexOf('/');
    const part = slash < 0 ? rest : rest.slice(0, slash);
    if (part === '') return undefined;
    if ('literal' in segment) {
      if (part !== segment.literal) return undefined;
    } else {
      const value = decodePercent(part);
      if (value === undefined) return 'bad-encoding';
      labels[segment.label] = value;
    }
    rest = slash < 0 ? '' : rest.slice(slash + 1);
    if (slash < 0 && at < segments.length - 1) return undefined;
  }
  return rest === '' || (!exact && rest === '/') ? labels : undefined;
}
