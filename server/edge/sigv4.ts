// Signature version 4: the canonical request and its signature, as arithmetic on strings. Who is allowed in is decided in verify.ts.
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html (read 2026-11-21).

import { createHmac, timingSafeEqual } from 'node:crypto';
import { sha256OfLatin1 } from './hashes.ts';
import { decodePercent, type QueryPair, type RequestHead } from './head.ts';
import type { SignatureScope } from './identify.ts';

export const algorithm = 'AWS4-HMAC-SHA256';
export const emptyHash = 'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855';

export interface SignatureParts {
  readonly scope: SignatureScope;
  readonly signedHeaders: readonly string[];
  readonly signature: string;
  /** `20261121T071500Z` */
  readonly timestamp: string;
}

const keys = new Map<string, { readonly secret: string; readonly key: Buffer }>();

/** The key derived from a secret for one day, region and service; four HMACs, so it is kept. */
export function signingKey(secret: string, scope: SignatureScope): Buffer {
  const id = `${scope.accessKeyId}/${scope.date}/${scope.region}/${scope.service}`;
  const known = keys.get(id);
  if (known && known.secret === secret) return known.key;
  let key: Buffer = Buffer.from(`AWS4${secret}`, 'utf8');
  for (const part of [scope.date, scope.region, scope.service, 'aws4_request'])
    key = createHmac('sha256', key).update(part).digest();
  if (keys.size >= 1000) keys.clear();
  keys.set(id, { secret, key });
  return key;
}

export function scopeText(scope: SignatureScope): string {
  return `${scope.date}/${scope.region}/${scope.service}/aws4_request`;
}

export function canonicalRequest(
  head: RequestHead,
  path: string,
  query: string,
  signedHeaders: readonly string[],
  payloadHash: string,
): string {
  let headers = '';
  for (const name of signedHeaders) headers += `${name}:${canonicalValue(head.headers[name] ?? '')}\n`;
  return `${head.method}\n${path}\n${query}\n${headers}\n${signedHeaders.join(';')}\n${payloadHash}`;
}

export function stringToSign(parts: SignatureParts, canonical: string): string {
  return `${algorithm}\n${parts.timestamp}\n${scopeText(parts.scope)}\n${sha256OfLatin1(canonical)}`;
}

function canonicalValue(value: string): string {
  const trimmed = value.trim();
  return trimmed.includes('  ') ? trimmed.replace(/ {2,}/g, ' ') : trimmed;
}

/** Strict RFC 3986: everything but the unreserved characters is encoded. */
export function encodeStrict(text: string): string {
  return /^[A-Za-z0-9\-._~]*$/.test(text) ? text : encodeURIComponent(text).replace(/[!'()*]/g, percent);
}

function percent(character: string): string {
  return `%${character.charCodeAt(0).toString(16).toUpperCase()}`;
}

export function canonicalQuery(query: readonly QueryPair[], except?: string): string {
  if (query.length === 0) return '';
  const encoded: [string, string][] = [];
  for (const [name, value] of query) if (name !== except) encoded.push([encodeStrict(name), encodeStrict(value)]);
  encoded.sort((a, b) => (a[0] < b[0] ? -1 : a[0] > b[0] ? 1 : a[1] < b[1] ? -1 : a[1] > b[1] ? 1 : 0));
  return encoded.map(([name, value]) => `${name}=${value}`).join('&');
}

/**
 * The paths that a correct client may have signed. S3 signs the encoded path once; the others normalise it and encode it again.
 */
export function canonicalPaths(path: string, isS3: boolean): readonly string[] {
  if (path === '/') return onlyRoot;
  if (/^[A-Za-z0-9\-_~/]*$/.test(path) && !path.includes('//')) return [path];
  if (!isS3) return [encodeSlashed(normalise(path))];
  const decoded = decodePercent(path);
  const canonical = decoded === undefined ? path : encodeSlashed(decoded);
  return canonical === path ? [path] : [canonical, path];
}

const onlyRoot = ['/'] as const;

function encodeSlashed(path: string): string {
  return path.split('/').map(encodeStrict).join('/');
}

function normalise(path: string): string {
  const kept: string[] = [];
  for (const part of path.split('/')) {
    if (part === '..') kept.pop();
    else if (part !== '' && part !== '.') kept.push(part);
  }
  const trailing = path.endsWith('/') && kept.length > 0 ? '/' : '';
  return `/${kept.join('/')}${trailing}`;
}

/** Compares in constant time; lengths are no secret. */
export function sameSignature(a: string, b: string): boolean {
  if (a.length !== b.length) return false;
  const left = Buffer.from(a, 'latin1');
  const right = Buffer.from(b, 'latin1');
  return left.length === right.length && timingSafeEqual(left, right);
}
