// What the figures are compared with: a bare node:http server that reads the whole request and sends as many bytes as Postern sent.
// `POST /size?bytes=N` sets the size of the next answers; it runs in a process of its own, as Postern does.
// With `&floor=put` it does the least that S3 asks of a put besides: SHA-256 of the signed payload, MD5 for the ETag, CRC-64/NVME, which S3 itself adds,
// AES-256, because every object is encrypted at rest, and a file on disk.
// With `&floor=get` the answer is read from a file and deciphered. With `&floor=signature` and a secret it verifies the request's signature, version 4; with `&floor=commit` it
// also puts one row into the store, and answers when that is on disk, sharing commits as Postern does.

import { createCipheriv, createHash } from 'node:crypto';
import fs from 'node:fs';
import http from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { checksumAlgorithms } from '../server/edge/checksums.ts';
import { hmacHex, sha256Hex } from '../server/edge/hashes.ts';
import { canonicalRequest, signingKey, stringToSign } from '../server/edge/sigv4.ts';
import { commitsInJournal } from '../server/store/commits.ts';
import { Store } from '../server/store/store.ts';

let body: Buffer = Buffer.alloc(0);
let floor = '';
let secret = '';
let store: Store | undefined;
let serial = 0;
const directory = fs.mkdtempSync(join(tmpdir(), 'postern-bench-floor-'));
const served = join(directory, 'served');

function put(request: http.IncomingMessage, response: http.ServerResponse): void {
  serial += 1;
  const path = join(directory, `put-${serial % 64}`);
  const [payload, etag, checksum] = [
    createHash('sha256'),
    createHash('md5'),
    checksumAlgorithms['crc64nvme']?.create(),
  ];
  const cipher = createCipheriv('aes-256-ctr', Buffer.alloc(32, 1), Buffer.alloc(16, serial));
  const file = fs.createWriteStream(path, { highWaterMark: 1 << 20, flush: true });
  request.on('data', (piece: Buffer) => {
    payload.update(piece);
    etag.update(piece);
    checksum?.update(piece);
    if (!file.write(cipher.update(piece))) {
      request.pause();
      file.once('drain', () => request.resume());
    }
  });
  request.on('end', () => {
    file.end(() => {
      payload.digest('hex');
      const headers = { 'x-amz-checksum-crc64nvme': checksum?.digest() };
      response.writeHead(200, { ...headers, ETag: etag.digest('hex'), 'Content-Length': 0 });
      response.end();
    });
  });
}

function get(response: http.ServerResponse): void {
  response.writeHead(200, { 'Content-Length': body.length });
  const decipher = createCipheriv('aes-256-ctr', Buffer.alloc(32, 1), Buffer.alloc(16));
  // In pieces that are small: fresh memory costs more than the cipher.
  fs.createReadStream(served, { highWaterMark: 64 * 1024 })
    .pipe(decipher)
    .pipe(response);
}

/** Nothing of identifying, parsing, authorizing, running, rendering or recording: the two hashes and the HMAC that the signature is. */
function isSigned(request: http.IncomingMessage, payload: Buffer): boolean {
  const [, accessKeyId = '', date = '', region = '', service = '', names = '', signature = ''] =
    /Credential=([^/]+)\/(\d+)\/([^/]+)\/([^/]+)\/aws4_request, SignedHeaders=([^,]+), Signature=(\w+)/.exec(
      request.headers.authorization ?? '',
    ) ?? [];
  const scope = { accessKeyId, date, region, service };
  const { method = '', url = '' } = request;
  const headers = request.headers as Record<string, string>;
  const head = { method, url, path: url, query: [], headers };
  const signedHeaders = names.split(';');
  const parts = { scope, signedHeaders, signature, timestamp: headers['x-amz-date'] ?? '' };
  const canonical = canonicalRequest(head, url, '', signedHeaders, sha256Hex(payload));
  return hmacHex(signingKey(secret, scope), stringToSign(parts, canonical)) === signature;
}

/** One row of the usual size. */
function oneRow(): Promise<void> {
  store ??= new Store(join(directory, 'floor.db'), { commits: commitsInJournal });
  serial += 1;
  const id = `dopt-${serial % 10_000}` as const;
  const row = {
    id,
    accountId: '123456789012',
    region: 'us-east-1',
    configurations: [],
    tags: { filler: 'x'.repeat(500) },
  };
  return store.transact((tx) => tx.put('dhcp-options', row)).durable ?? Promise.resolve();
}

const server = http.createServer((request, response) => {
  const settings = request.url?.startsWith('/size?') ? new URLSearchParams(request.url.split('?')[1]) : undefined;
  if (!settings && floor === 'put') {
    put(request, response);
    return;
  }
  const pieces: Buffer[] = [];
  const isHashed = floor === 'signature' || floor === 'commit';
  request.on('data', (piece: Buffer) => {
    if (isHashed) pieces.push(piece);
  });
  request.on('end', () => {
    if (settings) {
      body = Buffer.alloc(Number(settings.get('bytes')), 'x');
      floor = settings.get('floor') ?? '';
      secret = settings.get('secret') ?? '';
      fs.writeFileSync(served, body);
      response.end();
      return;
    }
    if (floor === 'get') {
      get(response);
      return;
    }
    const answer = () => {
      response.writeHead(200, { 'Content-Type': 'text/xml;charset=UTF-8', 'Content-Length': body.length });
      response.end(body);
    };
    if (isHashed && !isSigned(request, pieces.length === 1 && pieces[0] ? pieces[0] : Buffer.concat(pieces))) {
      response.writeHead(403).end();
    } else if (floor === 'commit') void oneRow().then(answer);
    else answer();
  });
});
server.listen(0, '127.0.0.1', () => {
  const address = server.address();
  process.stdout.write(`${typeof address === 'object' && address ? address.port : 0}\n`);
});
process.stdin.resume().on('end', () => {
  fs.rmSync(directory, { recursive: true, force: true });
  process.exit(0);
});
