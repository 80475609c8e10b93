// A bucket as a website: which object, redirect or error page does a path lead to? Read as anybody: what the policy does not give to all is not shown.
// https://docs.aws.amazon.com/AmazonS3/latest/userguide/WebsiteHosting.html and …/how-to-page-redirect.html (read 2026-11-21)
// Order: redirect of everything, routing rules by prefix, the object (or the index of a folder), routing rules by error, the error document.

import type { GetObjectOutput, RoutingRule, WebsiteConfiguration } from '@aws-sdk/client-s3';
import { AwsError } from '../../errors.ts';
import type { StreamingBody, WebAnswer, WebRequest } from '../../service.ts';
import type { Store } from '../../store/store.ts';
import { noSuchConfiguration } from './errors.ts';
import { websiteOf } from './website-configuration.ts';

type Got = Omit<GetObjectOutput, 'Body'> & { readonly Body?: StreamingBody };

/** The bucket of `BUCKET.s3-website-REGION.amazonaws.com`, `BUCKET.s3-website.REGION…` or `BUCKET.s3-website.localhost`. */
export function websiteBucket(host: string | undefined): string | undefined {
  if (!host?.includes('.s3-website')) return undefined;
  return /^(.+)\.s3-website(?:[.-][a-z0-9-]+)?\.(?:amazonaws\.com(?:\.cn)?|localhost)(?::\d+)?$/.exec(
    host.toLowerCase(),
  )?.[1];
}

export async function websitePage(store: Store, name: string, request: WebRequest): Promise<WebAnswer> {
  const path = decoded(request.url.replace(/\?.*$/s, '')).replace(/^\//, '');
  try {
    const bucket = store.read((tx) => tx.get('bucket', name));
    if (!bucket)
      throw new AwsError('NoSuchBucket', 404, 'The specified bucket does not exist', { fields: { BucketName: name } });
    const site = websiteOf(bucket);
    if (!site)
      throw noSuchConfiguration(
        'NoSuchWebsiteConfiguration',
        'The specified bucket does not have a website configuration',
        name,
      );
    if (request.method !== 'GET' && request.method !== 'HEAD')
      throw new AwsError('MethodNotAllowed', 405, 'The specified method is not allowed against this resource.', {
        fields: { Method: request.method, ResourceType: 'OBJECT' },
      });
    return await page({ site, name, request }, path);
  } catch (error) {
    if (!(error instanceof AwsError)) throw error;
    return errorPage(error, request);
  }
}

interface Visit {
  readonly site: WebsiteConfiguration;
  readonly name: string;
  readonly request: WebRequest;
}

async function page(visit: Visit, path: string): Promise<WebAnswer> {
  const { site, request } = visit;
  const everything = site.RedirectAllRequestsTo;
  if (everything) return redirect(301, `${everything.Protocol ?? 'http'}://${everything.HostName}/${encoded(path)}`);
  const byPrefix = site.RoutingRules?.find(
    ({ Condition }) =>
      Condition?.HttpErrorCodeReturnedEquals === undefined && fitsPrefix(Condition?.KeyPrefixEquals, path),
  );
  if (byPrefix) return ruled(byPrefix, path, request);
  const suffix = site.IndexDocument?.Suffix ?? 'index.html';
  const key = path === '' || path.endsWith('/') ? path + suffix : path;
  try {
    const got = await read(visit, key);
    if (got.WebsiteRedirectLocation !== undefined) return redirect(301, got.WebsiteRedirectLocation);
    return shown(200, got);
  } catch (error) {
    if (!(error instanceof AwsError)) throw error;
    if (error.status === 304) return { status: 304, headers: { ...error.headers }, body: undefined };
    // A folder without its slash.
    if (key === path && (await exists(visit, `${path}/${suffix}`))) return redirect(302, `/${encoded(path)}/`);
    return failed(visit, path, error);
  }
}

async function failed(visit: Visit, path: string, error: AwsError): Promise<WebAnswer> {
  const { site, request } = visit;
  const byError = site.RoutingRules?.find(
    ({ Condition }) =>
      Condition?.HttpErrorCodeReturnedEquals === String(error.status) && fitsPrefix(Condition.KeyPrefixEquals, path),
  );
  if (byError) return ruled(byError, path, request);
  const document = site.ErrorDocument?.Key;
  if (document === undefined) throw error;
  try {
    const got = await read(visit, document);
    if (got.WebsiteRedirectLocation !== undefined) return redirect(301, got.WebsiteRedirectLocation);
    return shown(error.status, got);
  } catch (second) {
    if (!(second instanceof AwsError)) throw second;
    return errorPage(error, request, second);
  }
}

function fitsPrefix(prefix: string | undefined, path: string): boolean {
  return path.startsWith(prefix ?? '');
}

async function read({ name, request }: Visit, Key: string): Promise<Got> {
  const { headers } = request;
  const since = headers['if-modified-since'];
  return request.run<Got>(request.method === 'HEAD' ? 'HeadObject' : 'GetObject', {
    Bucket: name,
    Key,
    ...(headers['if-none-match'] !== undefined && { IfNoneMatch: headers['if-none-match'] }),
    ...(since !== undefined && !Number.isNaN(Date.parse(since)) && { IfModifiedSince: new Date(since) }),
    ...(headers.range !== undefined && { Range: headers.range }),
  });
}

async function exists({ name, request }: Visit, Key: string): Promise<boolean> {
  try {
    await request.run('HeadObject', { Bucket: name, Key });
    return true;
  } catch (error) {
    if (error instanceof AwsError) return false;
    throw error;
  }
}

const headerMembers = [
  ['CacheControl', 'Cache-Control'],
  ['ContentDisposition', 'Content-Disposition'],
  ['ContentEncoding', 'Content-Encoding'],
  ['ContentLanguage', 'Content-Language'],
  ['ContentRange', 'Content-Range'],
  ['ContentType', 'Content-Type'],
  ['ETag', 'ETag'],
] as const;

function shown(status: number, got: Got): WebAnswer {
  const headers: Record<string, string> = {};
  for (const [member, header] of headerMembers) {
    const value = got[member];
    if (value !== undefined) headers[header] = value;
  }
  if (got.LastModified) headers['Last-Modified'] = got.LastModified.toUTCString();
  for (const [name, value] of Object.entries(got.Metadata ?? {})) headers[`x-amz-meta-${name}`] = value;
  if (got.Body === undefined && got.ContentLength !== undefined) headers['Content-Length'] = String(got.ContentLength);
  return { status: got.ContentRange !== undefined ? 206 : status, headers, body: got.Body };
}

function redirect(status: number, location: string): WebAnswer {
  return { status, headers: { Location: location }, body: undefined };
}

function ruled({ Condition, Redirect: to = {} }: RoutingRule, path: string, request: WebRequest): WebAnswer {
  const prefix = Condition?.KeyPrefixEquals ?? '';
  const key =
    to.ReplaceKeyWith ??
    (to.ReplaceKeyPrefixWith === undefined ? path : to.ReplaceKeyPrefixWith + path.slice(prefix.length));
  const host = to.HostName ?? request.headers.host ?? '';
  return redirect(Number(to.HttpRedirectCode ?? 301), `${to.Protocol ?? 'http'}://${host}/${encoded(key)}`);
}

function encoded(path: string): string {
  return path.split('/').map(encodeURIComponent).join('/');
}

function decoded(path: string): string {
  try {
    return decodeURIComponent(path);
  } catch {
    return path;
  }
}

const reasons: Readonly<Record<number, string>> = {
  400: 'Bad Request',
  403: 'Forbidden',
  404: 'Not Found',
  405: 'Method Not Allowed',
  412: 'Precondition Failed',
  416: 'Range Not Satisfiable',
};

/** @param ofDocument why the site's own page for errors is not shown */
function errorPage(error: AwsError, request: WebRequest, ofDocument?: AwsError): WebAnswer {
  const title = `${error.status} ${reasons[error.status] ?? ''}`.trim();
  const ids = [
    ['RequestId', request.requestId],
    ['HostId', Buffer.from(`postern/${request.requestId}`).toString('base64')],
  ] as const;
  const further = ofDocument
    ? `<h3>An Error Occurred While Attempting to Retrieve a Custom Error Document</h3>\n${listOf(ofDocument)}`
    : '';
  return {
    status: error.status,
    headers: {
      'Content-Type': 'text/html; charset=utf-8',
      'x-amz-error-code': error.code,
      'x-amz-request-id': request.requestId,
    },
    body: `<html>\n<head><title>${title}</title></head>\n<body>\n<h1>${title}</h1>\n${listOf(error, ids)}${further}<hr/>\n</body>\n</html>\n`,
  };
}

function listOf({ code, message, fields }: AwsError, further: readonly (readonly [string, string])[] = []): string {
  const items = [['Code', code], ['Message', message], ...Object.entries(fields ?? {}), ...further];
  const lines = items.map(([name, value]) => `<li>${escaped(String(name))}: ${escaped(String(value))}</li>\n`);
  return `<ul>\n${lines.join('')}</ul>\n`;
}

function escaped(text: string): string {
  return text.replace(/[<>&"]/g, (one) => `&#${one.charCodeAt(0)};`);
}
