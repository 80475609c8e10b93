// Presigned URLs of signature version 2, which S3 still takes: AWS CLI v1 and boto3 make them unless told otherwise. Only in the query, only on S3.
// https://docs.aws.amazon.com/AmazonS3/latest/userguide/RESTAuthentication.html (read 2026-11-21). Gap: version 2 in the Authorization header is refused.

import { createHmac } from 'node:crypto';
import { type QueryPair, queryValue, type RequestHead } from './head.ts';

// The parameters that are part of what is signed.
const subResources = new Set(
  'acl lifecycle location logging notification partNumber policy requestPayment torrent uploadId uploads versionId versioning versions website cors delete tagging restore'.split(
    ' ',
  ),
);

function isSigned(name: string): boolean {
  return subResources.has(name) || name.startsWith('response-');
}

export interface SignatureV2 {
  readonly accessKeyId: string;
  readonly signature: string;
  /** Seconds since 1970. */
  readonly expires: number;
}

/** True when the query has a part of a version 2 signature. */
export function hasSignatureV2(head: RequestHead): boolean {
  return (
    queryValue(head, 'AWSAccessKeyId') !== undefined ||
    (queryValue(head, 'Signature') !== undefined && queryValue(head, 'Expires') !== undefined)
  );
}

/** @returns undefined when one of the three parameters is absent or is no number */
export function readSignatureV2(head: RequestHead): SignatureV2 | undefined {
  const accessKeyId = queryValue(head, 'AWSAccessKeyId');
  const signature = queryValue(head, 'Signature');
  const expires = queryValue(head, 'Expires');
  if (!accessKeyId || !signature || !expires || !/^\d{1,12}$/.test(expires)) return undefined;
  return { accessKeyId, signature, expires: Number(expires) };
}

/** @param hostBucket the bucket that the host names: the signed resource begins with it */
export function stringToSignV2(head: RequestHead, expires: number, hostBucket: string | undefined): string {
  const { headers, query = [] } = head;
  const inQuery = (name: string) => query.find((pair) => pair[0].toLowerCase() === name)?.[1];
  // What a URL carries as x-amz- parameters was signed as headers.
  const amz = new Map<string, string>();
  for (const [name, value] of query)
    if (name.toLowerCase().startsWith('x-amz-')) amz.set(name.toLowerCase(), asBytes(value.trim()));
  for (const [name, value] of Object.entries(headers))
    if (name.startsWith('x-amz-') && value !== undefined) amz.set(name, value.trim());
  const amzText = [...amz].sort((a, b) => (a[0] < b[0] ? -1 : 1)).map(([name, value]) => `${name}:${value}\n`);
  const md5 = headers['content-md5'] ?? inQuery('content-md5') ?? '';
  const type = headers['content-type'] ?? inQuery('content-type') ?? '';
  return `${head.method}\n${md5}\n${type}\n${expires}\n${amzText.join('')}${canonicalResource(head.path, query, hostBucket)}`;
}

function canonicalResource(path: string, query: readonly QueryPair[], hostBucket: string | undefined): string {
  const signed = query.filter(([name]) => isSigned(name)).sort((a, b) => (a[0] < b[0] ? -1 : 1));
  const text = signed.map(([name, value]) => (value === '' ? name : `${name}=${asBytes(value)}`)).join('&');
  return `${hostBucket === undefined ? '' : `/${hostBucket}`}${path}${text === '' ? '' : `?${text}`}`;
}

/** A query is decoded from UTF-8, a header is read byte by byte; they are signed as bytes. */
function asBytes(value: string): string {
  return Buffer.from(value, 'utf8').toString('latin1');
}

export function signV2(secret: string, text: string): string {
  return createHmac('sha1', secret).update(text, 'latin1').digest('base64');
}
