// Is the request signed by who it says? Header and presigned-query signatures of version 4, with the clock, the token and the payload's hash.
// Order of checks, as callers can see it: form of the signature, clock or expiry, region, key known, token, signature, token's expiry, payload hash (S3/api, "Authenticating Requests").
// Gaps: SigV4A, and version 2 outside of presigned URLs of S3, are refused by name.

import type { Protocol } from '../catalogue/shapes.ts';
import type { AwsError } from '../errors.ts';
import { hmacHex, sha256Hex } from './hashes.ts';
import { queryValue, type RequestHead, readHost } from './head.ts';
import { authorizationPart, type Identified } from './identify.ts';
import { clockSkewed, invalidUri, queryParametersRefused, regionRefused, signatureRefused } from './refusals.ts';
import { remember } from './remember.ts';
import { hasSignatureV2, readSignatureV2, signV2, stringToSignV2 } from './sigv2.ts';
import {
  algorithm,
  canonicalPaths,
  canonicalQuery,
  canonicalRequest,
  emptyHash,
  type SignatureParts,
  sameSignature,
  signingKey,
  stringToSign,
} from './sigv4.ts';

export interface Credentials {
  readonly secretAccessKey: string;
  /** Temporary credentials have one and the request must carry it. */
  readonly sessionToken?: string;
  readonly expiration?: Date;
}

/**
 * What a key signs with. A session may be known by its token alone.
 * @returns `'accept-any'`: the key is let in without comparing the signature (`--auth open`)
 */
export type Lookup = (accessKeyId: string, sessionToken: string | undefined) => Credentials | 'accept-any' | undefined;

export interface VerifyOptions {
  readonly lookup: Lookup;
  readonly now: Date;
  /** Which names are regions; every name is one when it is not given. */
  readonly isRegion?: (name: string) => boolean;
}

export type Signer = Anonymous | Signed;

export interface Anonymous {
  readonly kind: 'anonymous';
}

export interface Signed {
  readonly kind: 'signed';
  readonly accessKeyId: string;
  /** False for a key that was let in by `accept-any`. */
  readonly verified: boolean;
  readonly presigned: boolean;
  readonly sessionToken: string | undefined;
  readonly parts: SignatureParts;
  /** Undefined when the signature was not compared. */
  readonly key: Buffer | undefined;
}

export const anonymous: Anonymous = { kind: 'anonymous' };
const skewMs = 15 * 60 * 1000;
const maxExpiresSeconds = 7 * 24 * 3600;

/**
 * Checks the signature of a request. Does not read a body: a streaming body's hash is checked while it passes (body.ts).
 * @param body the whole of it, when it was read before; needed where no header carries its hash
 * @throws AwsError worded as the service words it
 */
export function verify(identified: Identified, options: VerifyOptions, body?: Uint8Array): Signer {
  const { head, protocol } = identified;
  const authorization = head.headers.authorization;
  if (authorization === undefined && protocol === 'rest-xml' && hasSignatureV2(head))
    return verifyV2(identified, options);
  const presigned = authorization === undefined && isPresigned(head);
  if (authorization === undefined && !presigned) return unsigned(identified);
  if (authorization !== undefined && !authorization.startsWith(`${algorithm} `))
    throw signatureRefused(protocol, 'not-supported');
  if (!head.query) throw invalidUri(protocol);
  const parts = presigned ? partsOfQuery(identified) : partsOfHeader(identified, authorization ?? '');
  if (!parts || parts.signedHeaders.length === 0 || !parts.timestamp.startsWith(parts.scope.date))
    throw malformed(identified, presigned);
  checkTime(identified, parts, presigned, options.now);
  const { accessKeyId, region } = parts.scope;
  if (options.isRegion?.(region) === false) throw regionRefused(protocol, region);
  // A regional endpoint takes only what was signed for its region.
  const hostRegion = readHost(head.headers.host).region;
  if (hostRegion !== undefined && hostRegion !== region) throw regionRefused(protocol, region, hostRegion);
  const sessionToken = head.headers['x-amz-security-token'] ?? queryValue(head, 'X-Amz-Security-Token');
  const credentials = options.lookup(accessKeyId, sessionToken);
  if (!credentials) throw unknownKey(protocol, accessKeyId, sessionToken);
  const payloadHash = declaredHash(identified, presigned, body);
  if (credentials === 'accept-any')
    return { kind: 'signed', accessKeyId, verified: false, presigned, sessionToken, parts, key: undefined };
  if (!sameToken(credentials.sessionToken, sessionToken))
    throw signatureRefused(protocol, 'wrong-token', { 'Token-0': sessionToken });
  const key = signingKey(credentials.secretAccessKey, parts.scope);
  // Recorded: of a presigned URL a header too many is told before the signature is compared.
  if (presigned) checkUnsignedHeaders(identified, parts, presigned);
  compare(identified, parts, key, payloadHash, presigned);
  if (!presigned) checkUnsignedHeaders(identified, parts, presigned);
  if (credentials.expiration && credentials.expiration <= options.now)
    throw signatureRefused(protocol, 'expired-token', { 'Token-0': sessionToken });
  return { kind: 'signed', accessKeyId, verified: true, presigned, sessionToken, parts, key };
}

/** A presigned URL of version 2; S3 alone takes them. */
function verifyV2(identified: Identified, options: VerifyOptions): Signed {
  const { head, protocol } = identified;
  const given = readSignatureV2(head);
  if (!given) throw signatureRefused(protocol, 'missing-v2');
  if (given.expires * 1000 < options.now.getTime()) {
    const ServerTime = options.now.toISOString().replace(/\.\d{3}Z/, 'Z');
    throw signatureRefused(protocol, 'expired-url', {
      Expires: new Date(given.expires * 1000).toISOString().replace('.000Z', 'Z'),
      ServerTime,
    });
  }
  const { accessKeyId } = given;
  const sessionToken =
    head.headers['x-amz-security-token'] ??
    head.query?.find(([name]) => name.toLowerCase() === 'x-amz-security-token')?.[1];
  const credentials = options.lookup(accessKeyId, sessionToken);
  if (!credentials) throw unknownKey(protocol, accessKeyId, sessionToken);
  const scope = { accessKeyId, date: '', region: identified.region, service: 's3' };
  const parts: SignatureParts = { scope, signedHeaders: [], signature: given.signature, timestamp: '' };
  const signed = { kind: 'signed' as const, accessKeyId, presigned: true, sessionToken, parts, key: undefined };
  if (credentials === 'accept-any') return { ...signed, verified: false };
  if (!sameToken(credentials.sessionToken, sessionToken))
    throw signatureRefused(protocol, 'wrong-token', { 'Token-0': sessionToken });
  const text = stringToSignV2(head, given.expires, readHost(head.headers.host).bucket);
  if (!sameSignature(signV2(credentials.secretAccessKey, text), given.signature)) {
    throw signatureRefused(protocol, 'wrong-signature', {
      AWSAccessKeyId: accessKeyId,
      StringToSign: text,
      SignatureProvided: given.signature,
    });
  }
  if (credentials.expiration && credentials.expiration <= options.now)
    throw signatureRefused(protocol, 'expired-token', { 'Token-0': sessionToken });
  return { ...signed, verified: true };
}

/** A session is its token: without one of ours nobody knows its key. */
function unknownKey(protocol: Protocol, accessKeyId: string, sessionToken: string | undefined): AwsError {
  return accessKeyId.startsWith('ASIA') && sessionToken
    ? signatureRefused(protocol, 'wrong-token', { 'Token-0': sessionToken })
    : signatureRefused(protocol, 'unknown-key', { AWSAccessKeyId: accessKeyId });
}

function unsigned(identified: Identified): Anonymous {
  const { service, operation, protocol } = identified;
  if (!service || service.protocol === 'rest-xml') return anonymous;
  if (operation && service.unsigned.includes(operation.name)) return anonymous;
  throw signatureRefused(protocol, 'missing');
}

function isPresigned(head: RequestHead): boolean {
  return (
    head.query?.some(
      ([name]) => name === 'X-Amz-Signature' || name === 'X-Amz-Algorithm' || name === 'X-Amz-Credential',
    ) ?? false
  );
}

function malformed({ head, protocol, scope }: Identified, presigned: boolean): AwsError {
  if (!presigned || protocol !== 'rest-xml') return signatureRefused(protocol, 'malformed');
  return queryParametersRefused(queryValue(head, 'X-Amz-Credential') && !scope ? credentialForm : needed);
}

const credentialForm =
  'Error parsing the X-Amz-Credential parameter; the Credential is mal-formed; expecting "<YOUR-AKID>/YYYYMMDD/REGION/SERVICE/aws4_request".';

const needed =
  'Query-string authentication version 4 requires the X-Amz-Algorithm, X-Amz-Credential, X-Amz-Signature, X-Amz-Date, X-Amz-SignedHeaders, and X-Amz-Expires parameters.';

const splitHeaders = remember((text): readonly string[] => text.split(';'));
const signaturePattern = /^[0-9a-f]{64}$/;

function partsOfHeader({ head, scope }: Identified, authorization: string): SignatureParts | undefined {
  const signedHeaders = authorizationPart(authorization, 'SignedHeaders=');
  const signature = authorizationPart(authorization, 'Signature=');
  const timestamp = head.headers['x-amz-date'] ?? basicTime(head.headers.date);
  if (!scope || !signedHeaders || !signature || !signaturePattern.test(signature) || !timestamp) return undefined;
  return { scope, signedHeaders: splitHeaders(signedHeaders), signature, timestamp };
}

/** A client may sign with `Date` alone; its day must be the scope's. */
function basicTime(date: string | undefined): string | undefined {
  const time = date === undefined ? Number.NaN : Date.parse(date);
  return Number.isNaN(time) ? undefined : formatTime(new Date(time));
}

function partsOfQuery({ head, scope }: Identified): SignatureParts | undefined {
  const signedHeaders = queryValue(head, 'X-Amz-SignedHeaders');
  const signature = queryValue(head, 'X-Amz-Signature');
  const timestamp = queryValue(head, 'X-Amz-Date');
  if (!scope || !signedHeaders || !signature || !timestamp || queryValue(head, 'X-Amz-Algorithm') !== algorithm)
    return undefined;
  return { scope, signedHeaders: splitHeaders(signedHeaders), signature, timestamp };
}

/** `20261121T071500Z` → milliseconds, or undefined. */
function parseTime(timestamp: string): number | undefined {
  const match = /^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/.exec(timestamp);
  if (!match) return undefined;
  const time = Date.parse(`${match[1]}-${match[2]}-${match[3]}T${match[4]}:${match[5]}:${match[6]}Z`);
  return Number.isNaN(time) ? undefined : time;
}

const rememberedTime = remember(parseTime);

function formatTime(date: Date): string {
  return date.toISOString().replace(/[-:]|\.\d{3}/g, '');
}

function checkTime(identified: Identified, parts: SignatureParts, presigned: boolean, now: Date): void {
  const { head, protocol } = identified;
  const signedAt = rememberedTime(parts.timestamp);
  if (signedAt === undefined) throw malformed(identified, presigned);
  const nowMs = now.getTime();
  const future = signedAt > nowMs + skewMs;
  if (future || (!presigned && signedAt < nowMs - skewMs)) {
    const limit = formatTime(new Date(nowMs + (future ? skewMs : -skewMs)));
    throw clockSkewed(protocol, parts.timestamp, formatTime(now), limit, future);
  }
  if (!presigned) return;
  // S3 demands it; the others take 15 minutes when it is absent.
  const expires = queryValue(head, 'X-Amz-Expires') ?? (protocol === 'rest-xml' ? '' : '900');
  if (!/^\d+$/.test(expires)) throw malformed(identified, presigned);
  const seconds = Number(expires);
  if (seconds > maxExpiresSeconds) {
    throw protocol === 'rest-xml'
      ? queryParametersRefused(
          'X-Amz-Expires must be less than a week (in seconds); that is, the given X-Amz-Expires must be less than 604800 seconds',
        )
      : malformed(identified, presigned);
  }
  const end = signedAt + seconds * 1000;
  if (end < nowMs) {
    throw signatureRefused(protocol, 'expired-url', {
      'X-Amz-Expires': expires,
      Expires: new Date(end).toISOString().replace('.000Z', 'Z'),
      ServerTime: now.toISOString().replace(/\.\d{3}Z/, 'Z'),
    });
  }
}

function sameToken(expected: string | undefined, given: string | undefined): boolean {
  if (expected === undefined) return given === undefined || given === '';
  return given !== undefined && sameSignature(sha256Hex(expected), sha256Hex(given));
}

/** What the client says the hash of the payload is; a literal such as UNSIGNED-PAYLOAD stands for itself. */
function declaredHash(identified: Identified, presigned: boolean, body: Uint8Array | undefined): string {
  const { head, protocol } = identified;
  const declared = head.headers['x-amz-content-sha256'];
  const isS3 = protocol === 'rest-xml';
  if (presigned && isS3) return declared ?? queryValue(head, 'X-Amz-Content-Sha256') ?? 'UNSIGNED-PAYLOAD';
  if (isS3) {
    if (declared === undefined) throw signatureRefused(protocol, 'missing-payload-hash');
    return declared;
  }
  if (body === undefined) return declared ?? emptyHash;
  const actual = body.length === 0 ? emptyHash : sha256Hex(body);
  if (declared !== undefined && /^[0-9a-f]{64}$/.test(declared) && declared !== actual)
    throw signatureRefused(protocol, 'wrong-payload-hash');
  // Some clients of the other services sign UNSIGNED-PAYLOAD over TLS.
  return declared ?? actual;
}

function compare(
  identified: Identified,
  parts: SignatureParts,
  key: Buffer,
  payloadHash: string,
  presigned: boolean,
): void {
  const { head, protocol } = identified;
  const isS3 = protocol === 'rest-xml';
  const query = canonicalQuery(head.query ?? [], presigned ? 'X-Amz-Signature' : undefined);
  let canonical = '';
  let toSign = '';
  for (const path of canonicalPaths(head.path, isS3)) {
    canonical = canonicalRequest(head, path, query, parts.signedHeaders, payloadHash);
    toSign = stringToSign(parts, canonical);
    if (sameSignature(hmacHex(key, toSign), parts.signature)) return;
  }
  throw signatureRefused(protocol, 'wrong-signature', {
    AWSAccessKeyId: parts.scope.accessKeyId,
    StringToSign: toSign,
    SignatureProvided: parts.signature,
    StringToSignBytes: spacedHex(toSign),
    CanonicalRequest: canonical,
    CanonicalRequestBytes: spacedHex(canonical),
  });
}

function spacedHex(text: string): string {
  return (Buffer.from(text, 'latin1').toString('hex').match(/../g) ?? []).join(' ');
}

/** Headers that change what a request means must be signed: the host everywhere, every x-amz-* on S3. */
function checkUnsignedHeaders(identified: Identified, parts: SignatureParts, presigned: boolean): void {
  const { head, protocol } = identified;
  const missing: string[] = [];
  if (!parts.signedHeaders.includes('host')) missing.push('host');
  if (protocol === 'rest-xml') {
    for (const name in head.headers) {
      if (!name.startsWith('x-amz-') || parts.signedHeaders.includes(name)) continue;
      if (presigned && name === 'x-amz-content-sha256') continue;
      missing.push(name);
    }
  }
  if (missing.length > 0)
    throw signatureRefused(protocol, 'unsigned-headers', { HeadersNotSigned: missing.join(', ') });
}
