import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import net, { type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { after, describe, it } from 'node:test';
import type { Answer } from './answer.ts';
import { createEdge } from './edge.ts';

const directory = mkdtempSync(join(tmpdir(), 'postern-listener-'));
after(() => rmSync(directory, { recursive: true }));

/** What a client hears until the connection ends, and what the edge said was cut. */
async function heard(
  answer: Answer,
  requests = 'GET /b/k?X-Amz-Signature=secret HTTP/1.1\r\nHost: h\r\n\r\n',
  leave?: (socket: net.Socket) => void,
) {
  const cuts: string[] = [];
  const edge = createEdge({
    handle: () => answer,
    pathOf: () => ({ kind: 'internet', sourceIp: '192.0.2.1', secure: false }),
    onCut: (error, request) => cuts.push(`${request}: ${error.message}`),
  });
  await new Promise<void>((resolve) => edge.listen(0, '127.0.0.1', resolve));
  const pieces: Buffer[] = [];
  await new Promise<void>((resolve) => {
    const socket = net.connect((edge.address() as AddressInfo).port, '127.0.0.1', () => socket.write(requests));
    socket.on('data', (piece: Buffer) => {
      pieces.push(piece);
      leave?.(socket);
    });
    socket.on('error', () => {});
    socket.on('close', () => resolve());
  });
  await new Promise((resolve) => edge.close(resolve));
  return { text: Buffer.concat(pieces).toString('latin1'), cuts };
}

const ok = (body: Answer['body']): Answer => ({ status: 200, headers: {}, body });

describe('an answer that ends in its middle', () => {
  const file = join(directory, 'short');
  writeFileSync(file, 'only this');

  it('cuts the connection, and the reason is told, where its file is shorter than it should be', async () => {
    const { text, cuts } = await heard(ok({ file, start: 0, end: 100 }));
    assert.match(text, /Content-Length: 100\r\n.*only this$/s);
    assert.deepEqual(cuts, [`GET /b/k: ${file} is shorter than 100 bytes`]);
  });

  it('tells it of a stream that fails too', async () => {
    const body = Readable.from(
      (async function* () {
        yield Buffer.from('one');
        throw new Error('the source is gone');
      })(),
    );
    assert.deepEqual((await heard(ok(body))).cuts, ['GET /b/k: the source is gone']);
  });

  it('is nobody’s mistake when the client leaves', async () => {
    const body = Readable.from(
      (async function* () {
        for (;;) yield Buffer.alloc(64 * 1024);
      })(),
    );
    const left = new Promise((resolve) => body.once('close', resolve));
    const { cuts } = await heard(ok(body), undefined, (socket) => socket.resetAndDestroy());
    await left;
    // Whoever waited for the body hears of its end in the same turn.
    await new Promise((resolve) => setImmediate(resolve));
    assert.deepEqual(cuts, []);
  });
});

describe('requests of one connection', () => {
  it('are answered in their order, also those that came in one packet', async () => {
    const get = (path: string, more = '') => `GET ${path} HTTP/1.1\r\nHost: h\r\n${more}\r\n`;
    const { text } = await heard(ok('x'), get('/1') + get('/2') + get('/3', 'Connection: close\r\n'));
    assert.equal(text.match(/HTTP\/1\.1 200 OK/g)?.length, 3);
  });
});

it('a client that closed its side hears an answer that took its time', async () => {
  const edge = createEdge({
    handle: () => new Promise((resolve) => setTimeout(() => resolve(ok('late')), 20)),
    pathOf: () => ({ kind: 'internet', sourceIp: '192.0.2.1', secure: false }),
  });
  await new Promise<void>((resolve) => edge.listen(0, '127.0.0.1', resolve));
  const socket = net.connect({ port: (edge.address() as AddressInfo).port, host: '127.0.0.1', allowHalfOpen: true });
  socket.end('GET / HTTP/1.1\r\nHost: h\r\n\r\n');
  let text = '';
  for await (const piece of socket) text += String(piece);
  assert.match(text, /late$/);
  await new Promise((resolve) => edge.close(resolve));
});
