// Cross-origin rules of a bucket: what may be put, and which rule answers a browser.
// https://docs.aws.amazon.com/AmazonS3/latest/userguide/cors.html (read 2026-11-21). The first rule that fits decides: origin with at most one `*`, method, and in
// a preflight every header that is asked for. Paths of the answers: cors-answers.ts.

import type { CORSRule, PutBucketCorsRequest } from '@aws-sdk/client-s3';
import type { Call, Operation } from '../../service.ts';
import type { BucketRow } from '../../store/rows/s3.ts';
import { configurationOf, deleting, getting, putting } from './configurations.ts';
import { invalidRequest, malformedXml } from './errors.ts';

const methods = new Set(['GET', 'PUT', 'HEAD', 'POST', 'DELETE']);
const maxRules = 100;

/** @throws MalformedXML, InvalidRequest */
function takeCors(_call: Call, _bucket: BucketRow, input: PutBucketCorsRequest): readonly CORSRule[] {
  const rules = input.CORSConfiguration?.CORSRules ?? [];
  if (rules.length === 0) throw malformedXml();
  if (rules.length > maxRules)
    throw invalidRequest(`The number of CORS rules should not exceed allowed limit of ${maxRules} rules.`);
  for (const { AllowedMethods = [], AllowedOrigins = [], AllowedHeaders = [], ExposeHeaders = [] } of rules) {
    if (AllowedMethods.length === 0 || AllowedOrigins.length === 0) throw malformedXml();
    for (const method of AllowedMethods)
      if (!methods.has(method))
        throw invalidRequest(`Found unsupported HTTP method in CORS config. Unsupported method is ${method}`);
    for (const origin of AllowedOrigins)
      if (stars(origin) > 1) throw invalidRequest(`AllowedOrigin "${origin}" can not have more than one wildcard.`);
    for (const header of AllowedHeaders)
      if (stars(header) > 1) throw invalidRequest(`AllowedHeader "${header}" can not have more than one wildcard.`);
    for (const header of ExposeHeaders)
      if (stars(header) > 0)
        throw invalidRequest(
          `ExposeHeader "${header}" contains wildcard. We currently do not support wildcard for ExposeHeader.`,
        );
  }
  return rules;
}

function stars(pattern: string): number {
  return pattern.split('*').length - 1;
}

function fits(pattern: string, text: string): boolean {
  const [head = '', tail] = pattern.split('*');
  if (tail === undefined) return head === text;
  return text.length >= head.length + tail.length && text.startsWith(head) && text.endsWith(tail);
}

export interface CrossOriginAsk {
  readonly origin: string;
  readonly method: string;
  /** Lower case; those of a preflight. */
  readonly headers: readonly string[];
}

/** The headers that allow what a browser asks; undefined when no rule does. */
export function corsHeaders(bucket: BucketRow, ask: CrossOriginAsk): Record<string, string> | undefined {
  for (const rule of configurationOf<readonly CORSRule[]>(bucket, 'cors') ?? []) {
    const allowed = (rule.AllowedHeaders ?? []).map((one) => one.toLowerCase());
    const origin = rule.AllowedOrigins?.find((one) => fits(one, ask.origin));
    if (origin === undefined || !rule.AllowedMethods?.includes(ask.method)) continue;
    if (!ask.headers.every((header) => allowed.some((one) => fits(one, header)))) continue;
    return {
      // Any origin at all is told as such, and then no credentials go with it.
      ...(origin === '*'
        ? { 'Access-Control-Allow-Origin': '*' }
        : { 'Access-Control-Allow-Origin': ask.origin, 'Access-Control-Allow-Credentials': 'true' }),
      'Access-Control-Allow-Methods': rule.AllowedMethods.join(', '),
      ...(ask.headers.length > 0 && { 'Access-Control-Allow-Headers': ask.headers.join(', ') }),
      ...(rule.ExposeHeaders?.length && { 'Access-Control-Expose-Headers': rule.ExposeHeaders.join(', ') }),
      ...(rule.MaxAgeSeconds !== undefined && { 'Access-Control-Max-Age': String(rule.MaxAgeSeconds) }),
      Vary: 'Origin, Access-Control-Request-Headers, Access-Control-Request-Method',
    };
  }
  return undefined;
}

export const corsOperations: Readonly<Record<string, Operation>> = {
  GetBucketCors: getting('cors', 's3:GetBucketCORS', (CORSRules: CORSRule[]) => ({ CORSRules }), [
    'NoSuchCORSConfiguration',
    'The CORS configuration does not exist',
  ]),
  PutBucketCors: putting('cors', 's3:PutBucketCORS', takeCors),
  DeleteBucketCors: deleting('cors', 's3:PutBucketCORS'),
};
