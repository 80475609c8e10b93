// Requests as bytes, signed once: a signature is good for a quarter of an hour, and nothing forbids sending the same request again.

import { createHash, createHmac } from 'node:crypto';

export interface Credentials {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
}

export interface Wanted {
  readonly service: string;
  readonly region: string;
  readonly method: string;
  /** Path and canonical query. */
  readonly path: string;
  readonly host: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body: Buffer;
}

const sha256 = (data: Buffer | string) => createHash('sha256').update(data).digest('hex');
const hmac = (key: Buffer | string, text: string) => createHmac('sha256', key).update(text).digest();

/** Signature version 4 by hand, so that the measured server's own code signs nothing. https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html (read 2026-11-20) */
export function signedRequest(wanted: Wanted, credentials: Credentials, now = new Date()): Buffer {
  const time = now.toISOString().replace(/[-:]|\.\d{3}/g, '');
  const date = time.slice(0, 8);
  const payload = sha256(wanted.body);
  const headers: Record<string, string> = {
    host: wanted.host,
    'x-amz-content-sha256': payload,
    'x-amz-date': time,
    ...wanted.headers,
  };
  const names = Object.keys(headers).sort();
  const [path, query = ''] = wanted.path.split('?', 2);
  const canonical = [
    wanted.method,
    path,
    query,
    ...names.map((name) => `${name}:${headers[name]}`),
    '',
    names.join(';'),
    payload,
  ].join('\n');
  const scope = `${date}/${wanted.region}/${wanted.service}/aws4_request`;
  const toSign = ['AWS4-HMAC-SHA256', time, scope, sha256(canonical)].join('\n');
  const key = hmac(
    hmac(hmac(hmac(`AWS4${credentials.secretAccessKey}`, date), wanted.region), wanted.service),
    'aws4_request',
  );
  const signature = hmac(key, toSign).toString('hex');
  const lines = [
    `${wanted.method} ${wanted.path} HTTP/1.1`,
    ...names.map((name) => `${name}: ${headers[name]}`),
    `authorization: AWS4-HMAC-SHA256 Credential=${credentials.accessKeyId}/${scope}, SignedHeaders=${names.join(';')}, Signature=${signature}`,
    `content-length: ${wanted.body.length}`,
  ];
  return Buffer.concat([Buffer.from(`${lines.join('\r\n')}\r\n\r\n`, 'latin1'), wanted.body]);
}
