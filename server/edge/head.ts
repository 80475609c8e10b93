// What a request says before its body: method, path, query, headers, host. Nothing is decided here; `identify` reads it.
// Host forms: https://docs.aws.amazon.com/AmazonS3/latest/userguide/VirtualHosting.html (read 2026-11-21), and the ones local tools use.

import type { IncomingMessage } from 'node:http';
import { services } from '../catalogue/catalogue.ts';
import { remember } from './remember.ts';

export type Headers = Readonly<Record<string, string | undefined>>;

export interface RequestHead {
  readonly method: string;
  /** Path and query as the client sent them, still encoded. */
  readonly url: string;
  /** The path alone, still encoded, always with a leading slash. */
  readonly path: string;
  /** Decoded names and values in the order sent; undefined when the encoding is broken. */
  readonly query: readonly QueryPair[] | undefined;
  /** Names in lower case. */
  readonly headers: Headers;
}

export type QueryPair = readonly [name: string, value: string];

/** The head of a request that `node:http` has read. */
export function headOf(request: IncomingMessage): RequestHead {
  const headers = request.headers as Record<string, string | string[] | undefined>;
  if (Array.isArray(headers['set-cookie'])) headers['set-cookie'] = headers['set-cookie'].join('; ');
  return makeHead(request.method ?? 'GET', request.url ?? '/', headers as Headers);
}

export function makeHead(method: string, url: string, headers: Headers): RequestHead {
  // The absolute form is what a client sends to a proxy.
  const target = url.startsWith('/') ? url : url.replace(/^[a-z]+:\/\/[^/?]*/i, '');
  const mark = target.indexOf('?');
  const path = mark < 0 ? target : target.slice(0, mark);
  return {
    method,
    url,
    path: path.startsWith('/') ? path : `/${path}`,
    query: mark < 0 ? [] : parseForm(target.slice(mark + 1)),
    headers,
  };
}

/**
 * Reads `a=b&c=d`, of a query string or a form body.
 * @returns undefined when a percent sequence is broken or is not UTF-8
 */
export function parseForm(text: string): QueryPair[] | undefined {
  const pairs: QueryPair[] = [];
  let start = 0;
  while (start < text.length) {
    let end = text.indexOf('&', start);
    if (end < 0) end = text.length;
    if (end > start) {
      const equals = text.indexOf('=', start);
      const split = equals < 0 || equals > end ? end : equals;
      const name = decodePart(text.slice(start, split));
      const value = split === end ? '' : decodePart(text.slice(split + 1, end));
      if (name === undefined || value === undefined) return undefined;
      pairs.push([name, value]);
    }
    start = end + 1;
  }
  return pairs;
}

function decodePart(part: string): string | undefined {
  const spaced = part.includes('+') ? part.replaceAll('+', ' ') : part;
  return decodePercent(spaced);
}

/** Decodes percent sequences, or answers undefined when one is broken. */
export function decodePercent(text: string): string | undefined {
  if (!text.includes('%')) return text;
  try {
    return decodeURIComponent(text);
  } catch {
    return undefined;
  }
}

export function queryValue(head: RequestHead, name: string): string | undefined {
  return head.query?.find((pair) => pair[0] === name)?.[1];
}

/** What a host name says. `bucket` only for S3's virtual-host style. */
export interface HostAddress {
  readonly service?: string;
  readonly region?: string;
  /** A name, or the ARN of the access point that the host stands for. */
  readonly bucket?: string;
}

const unknownHost: HostAddress = {};
const awsSuffix = /^(.*)\.(?:amazonaws\.com(?:\.cn)?|api\.aws|api\.amazonwebservices\.com\.cn)$/;
// Clients put an account or an access point in front of the endpoint that they are given, even of an address.
const localSuffix = /^(.*)\.(?:localhost(?:\.localstack\.cloud)?|127\.0\.0\.1)$/;
const regionLabel = /^[a-z]{2,4}(?:-[a-z]+)+-\d$/;

const rememberedHost = remember(parseHost);

/** Reads the `Host` header; an IP address or an unknown name says nothing, and S3 is then path style. */
export function readHost(host: string | undefined): HostAddress {
  return host ? rememberedHost(host) : unknownHost;
}

function parseHost(host: string): HostAddress {
  const name = host.replace(/:\d*$/, '').toLowerCase();
  const aws = awsSuffix.exec(name)?.[1];
  if (aws !== undefined) return oneRegional(aws, parseLabels(aws.replace(/\.vpce$/, '').split('.')) ?? unknownHost);
  const local = localSuffix.exec(name)?.[1];
  if (local === undefined) return unknownHost;
  // `my-bucket.localhost`: a bucket unless it is a service's name.
  return parseLabels(local.split('.')) ?? { service: 's3', bucket: local };
}

/**
 * The names without a region of services that have one for the whole partition are endpoints of us-east-1, and take only what was signed for it.
 * https://docs.aws.amazon.com/general/latest/gr/sts.html and iam-service.html (read 2026-11-21)
 */
function oneRegional(labels: string, address: HostAddress): HostAddress {
  return labels === 'iam' || labels === 'sts' ? { ...address, region: 'us-east-1' } : address;
}

/** `BUCKET… s3 [dualstack] [REGION]`, `[vpce-…] SERVICE [REGION]`, read from the right. */
function parseLabels(labels: string[]): HostAddress | undefined {
  const rest = [...labels];
  let region: string | undefined;
  const last = rest.at(-1) ?? '';
  if (regionLabel.test(last)) {
    region = last;
    rest.pop();
  }
  if (rest.at(-1) === 'dualstack') rest.pop();
  let label = rest.pop();
  if (label === undefined) return undefined;
  // The dash form, s3-eu-west-1, and the FIPS ones.
  const dashed = /^s3-(?:fips-)?([a-z0-9-]+)$/.exec(label)?.[1];
  if (
    dashed !== undefined &&
    (regionLabel.test(dashed) || dashed === 'fips' || dashed === 'accelerate' || dashed === 'external-1')
  ) {
    if (regionLabel.test(dashed)) region = dashed;
    label = 's3';
  }
  label = label.replace(/-fips$/, '');
  if (label === 's3-accesspoint') return accessPoint(rest, region);
  const service = services().find((one) => one.hosts.includes(label))?.name;
  if (!service) return undefined;
  const address = region === undefined ? { service } : { service, region };
  if (service !== 's3') return address;
  // An interface endpoint: `bucket.vpce-….s3.REGION.vpce` serves buckets before that name, or in the path.
  const endpoint = rest.findIndex((one) => one.startsWith('vpce-'));
  const door = endpoint > 0 ? rest[endpoint - 1] : undefined;
  if (door === 'accesspoint') return accessPoint(rest.slice(0, endpoint - 1), region);
  if (door === 'control') return { ...address, service: 's3-control' };
  const bucket = endpoint < 0 ? rest.join('.') : rest.slice(0, Math.max(0, endpoint - 1)).join('.');
  return bucket === '' ? address : { ...address, bucket };
}

/** `NAME-ACCOUNT` in front of the access points' own host. */
function accessPoint(labels: readonly string[], region = 'us-east-1'): HostAddress {
  const [, name, account] = /^(.+)-(\d{12})$/.exec(labels.join('.')) ?? [];
  const bucket =
    name === undefined ? undefined : `arn:${partitionOf(region)}:s3:${region}:${account}:accesspoint/${name}`;
  return { service: 's3', region, ...(bucket !== undefined && { bucket }) };
}

/** The partition that a region belongs to (`aws`, `aws-cn`, `aws-us-gov` …), by its name as AWS's own SDKs decide it. */
export function partitionOf(region: string): string {
  for (const [prefix, partition] of partitions) if (region.startsWith(prefix)) return partition;
  return 'aws';
}

// https://github.com/boto/botocore/blob/develop/botocore/data/partitions.json (regionRegex, read 2026-11-21)
const partitions = [
  ['cn-', 'aws-cn'],
  ['us-gov-', 'aws-us-gov'],
  ['us-isob-', 'aws-iso-b'],
  ['us-isof-', 'aws-iso-f'],
  ['us-iso-', 'aws-iso'],
  ['eu-isoe-', 'aws-iso-e'],
  ['eusc-', 'aws-eusc'],
] as const;
