// Requests to S3 that are no calls: a browser's preflight, a page of a website, a form. Which is it, and what becomes of it?
// https://docs.aws.amazon.com/AmazonS3/latest/API/RESTOPTIONSobject.html, …/RESTObjectPOST.html, …/userguide/WebsiteEndpoints.html (read 2026-11-21)

import { AwsError } from '../../errors.ts';
import type { WebAnswer, WebHandler, WebRequest } from '../../service.ts';
import type { Store } from '../../store/store.ts';
import { corsHeaders } from './cors.ts';
import { postObject } from './form-upload.ts';
import { websiteBucket, websitePage } from './website.ts';

type Headers = Readonly<Record<string, string | undefined>>;

function forbidden(message: string, method: string, key: string): AwsError {
  return new AwsError('AccessForbidden', 403, `CORSResponse: ${message}`, {
    fields: { Method: method, ResourceType: key === '' ? 'BUCKET' : 'OBJECT' },
  });
}

function listOf(header: string | undefined): string[] {
  return (header ?? '')
    .split(',')
    .map((one) => one.trim().toLowerCase())
    .filter((one) => one !== '');
}

/** @throws BadRequest, AccessForbidden */
async function preflight(store: Store, request: WebRequest): Promise<WebAnswer> {
  const { origin } = request.headers;
  const method = request.headers['access-control-request-method'];
  if (!origin) throw new AwsError('BadRequest', 400, 'Insufficient information. Origin request header needed.');
  const bucket = store.read((tx) => tx.get('bucket', request.bucket ?? ''));
  if (!bucket) throw forbidden('Bucket not found', 'OPTIONS', '');
  if (bucket.configurations?.['cors'] === undefined)
    throw forbidden('CORS is not enabled for this bucket.', method ?? 'OPTIONS', '');
  if (!method) throw new AwsError('BadRequest', 400, 'Invalid Access-Control-Request-Method: null');
  const headers = listOf(request.headers['access-control-request-headers']);
  const allowed = corsHeaders(bucket, { origin, method, headers });
  if (!allowed)
    throw forbidden(
      // S3's spelling.
      "This CORS request is not allowed. This is usually because the evalution of Origin, request method / Access-Control-Request-Method or Access-Control-Request-Headers are not whitelisted by the resource's CORS spec.",
      method,
      request.key,
    );
  return { status: 200, headers: { ...allowed, ...idsOf(request) }, body: undefined };
}

function idsOf({ requestId }: WebRequest): Record<string, string> {
  return {
    'x-amz-id-2': Buffer.from(`postern/${requestId}`).toString('base64'),
    'x-amz-request-id': requestId,
  };
}

export function webHandlers(store: Store) {
  return {
    web({ method, headers }: { readonly method: string; readonly headers: Headers }): WebHandler | undefined {
      const site = websiteBucket(headers.host);
      if (site !== undefined) return (request) => websitePage(store, site, request);
      if (method === 'OPTIONS') return (request) => preflight(store, request);
      if (method === 'POST' && headers['content-type']?.startsWith('multipart/form-data')) return postObject;
      return undefined;
    },
    crossOrigin(name: string, method: string, headers: Headers): Record<string, string> | undefined {
      const bucket = store.read((tx) => tx.get('bucket', websiteBucket(headers.host) ?? name));
      if (!bucket || !headers.origin) return undefined;
      // A request that says what it would ask in a preflight is held to that (recorded).
      const asked = headers['access-control-request-method'] ?? method;
      return corsHeaders(bucket, {
        origin: headers.origin,
        method: asked,
        headers: listOf(headers['access-control-request-headers']),
      });
    },
  };
}
