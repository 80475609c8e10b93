// A WebSocket client for tests, as plain as one can be: the presigned URL that the AWS CLI's open-tunnel makes, over plain HTTP to the loopback
// endpoint, and binary messages. Signed with the SDK's own signer.

import { createHash, createHmac, randomBytes } from 'node:crypto';
import http from 'node:http';
import type { Duplex } from 'node:stream';

export interface TunnelRequest {
  readonly endpoint: string;
  readonly host: string;
  readonly region: string;
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken?: string;
  readonly query: Readonly<Record<string, string>>;
}

const sha256 = (text: string) => createHash('sha256').update(text).digest('hex');
const hmac = (key: string | Buffer, text: string) => createHmac('sha256', key).update(text).digest();
const encode = (text: string) =>
  encodeURIComponent(text).replace(/[!'()*]/g, (c) => `%${c.charCodeAt(0).toString(16).toUpperCase()}`);

/** `/openTunnel?…` with a signature in the query. */
export function presign({ host, region, accessKeyId, secretAccessKey, sessionToken, query }: TunnelRequest): string {
  const time = new Date().toISOString().replace(/[-:]|\.\d{3}/g, '');
  const scope = `${time.slice(0, 8)}/${region}/ec2-instance-connect/aws4_request`;
  const all: Record<string, string> = {
    ...query,
    'X-Amz-Algorithm': 'AWS4-HMAC-SHA256',
    'X-Amz-Credential': `${accessKeyId}/${scope}`,
    'X-Amz-Date': time,
    'X-Amz-Expires': '60',
    'X-Amz-SignedHeaders': 'host',
    ...(sessionToken !== undefined && { 'X-Amz-Security-Token': sessionToken }),
  };
  const pairs = Object.entries(all)
    .map(([name, value]) => `${encode(name)}=${encode(value)}`)
    .sort();
  const canonical = ['GET', '/openTunnel', pairs.join('&'), `host:${host}\n`, 'host', sha256('')].join('\n');
  const toSign = ['AWS4-HMAC-SHA256', time, scope, sha256(canonical)].join('\n');
  const key = scope.split('/').reduce<string | Buffer>((before, part) => hmac(before, part), `AWS4${secretAccessKey}`);
  return `/openTunnel?${pairs.join('&')}&X-Amz-Signature=${hmac(key, toSign).toString('hex')}`;
}

export type Opened =
  | { readonly kind: 'open'; readonly socket: Duplex; readonly head: Buffer }
  | { readonly kind: 'refused'; readonly status: number; readonly body: string };

export function openWebSocket(request: TunnelRequest, path = presign(request)): Promise<Opened> {
  const { hostname, port } = new URL(request.endpoint);
  return new Promise((resolve, reject) => {
    const asked = http.request({
      host: hostname,
      port,
      path,
      headers: {
        Host: request.host,
        Connection: 'Upgrade',
        Upgrade: 'websocket',
        'Sec-WebSocket-Version': '13',
        'Sec-WebSocket-Key': randomBytes(16).toString('base64'),
      },
    });
    asked.on('upgrade', (_response, socket, head) => resolve({ kind: 'open', socket, head }));
    asked.on('response', async (response) => {
      let body = '';
      for await (const chunk of response) body += String(chunk);
      resolve({ kind: 'refused', status: response.statusCode ?? 0, body });
    });
    asked.on('error', reject);
    asked.end();
  });
}

/** A masked message of a client, shorter than 126 bytes. */
export function message(opcode: number, payload: Buffer): Buffer {
  const mask = randomBytes(4);
  const masked = payload.map((byte, at) => byte ^ (mask[at & 3] ?? 0));
  return Buffer.concat([Buffer.from([0x80 | opcode, 0x80 | payload.length]), mask, masked]);
}

/** The next whole message of the server. */
export function nextMessage(socket: Duplex, head: Buffer): Promise<{ opcode: number; payload: Buffer }> {
  return new Promise((resolve, reject) => {
    let bytes = head;
    const look = () => {
      const length = (bytes[1] ?? 0) === 126 ? bytes.readUInt16BE(2) : (bytes[1] ?? 0);
      const start = (bytes[1] ?? 0) === 126 ? 4 : 2;
      if (bytes.length < 2 || bytes.length < start + length) return;
      socket.off('data', take);
      resolve({ opcode: (bytes[0] ?? 0) & 15, payload: bytes.subarray(start, start + length) });
    };
    const take = (chunk: Buffer) => {
      bytes = Buffer.concat([bytes, chunk]);
      look();
    };
    socket.on('data', take);
    socket.once('close', () => reject(new Error('closed without a message')));
    look();
  });
}
