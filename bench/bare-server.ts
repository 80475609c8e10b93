// What the figures are compared with: a bare node:http server that reads the whole request and sends as many bytes as Postern sent.
// `POST /size?bytes=N` sets the size of the next answers; it runs in a process of its own, as Postern does.
// With `&floor=put` it does the least that S3's protocol asks of a put besides: SHA-256 of the signed payload, MD5 for the ETag, and a file on disk.
// With `&floor=get` the answer is read from a file.

import { createHash } from 'node:crypto';
import fs from 'node:fs';
import http from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

let body: Buffer = Buffer.alloc(0);
let floor = '';
let serial = 0;
const directory = fs.mkdtempSync(join(tmpdir(), 'postern-bench-floor-'));
const served = join(directory, 'served');

function put(request: http.IncomingMessage, response: http.ServerResponse): void {
  serial += 1;
  const path = join(directory, `put-${serial % 64}`);
  const [payload, etag] = [createHash('sha256'), createHash('md5')];
  const file = fs.createWriteStream(path, { highWaterMark: 1 << 20, flush: true });
  request.on('data', (piece: Buffer) => {
    payload.update(piece);
    etag.update(piece);
    if (!file.write(piece)) {
      request.pause();
      file.once('drain', () => request.resume());
    }
  });
  request.on('end', () => {
    file.end(() => {
      payload.digest('hex');
      response.writeHead(200, { ETag: etag.digest('hex'), 'Content-Length': 0 });
      response.end();
    });
  });
}

function get(response: http.ServerResponse): void {
  response.writeHead(200, { 'Content-Length': body.length });
  fs.createReadStream(served, { highWaterMark: 1 << 20 }).pipe(response);
}

const server = http.createServer((request, response) => {
  const settings = request.url?.startsWith('/size?') ? new URLSearchParams(request.url.split('?')[1]) : undefined;
  if (!settings && floor === 'put') {
    put(request, response);
    return;
  }
  request.on('data', () => {});
  request.on('end', () => {
    if (settings) {
      body = Buffer.alloc(Number(settings.get('bytes')), 'x');
      floor = settings.get('floor') ?? '';
      fs.writeFileSync(served, body);
      response.end();
      return;
    }
    if (floor === 'get') {
      get(response);
      return;
    }
    response.writeHead(200, { 'Content-Type': 'text/xml;charset=UTF-8', 'Content-Length': body.length });
    response.end(body);
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
