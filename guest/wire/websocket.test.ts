import assert from 'node:assert/strict';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Duplex } from 'node:stream';
import { after, before, test } from 'node:test';
import { acceptWebSocket, openWebSocket, UpgradeRefused, WebSocketEnd, webSocketKey } from './websocket.ts';

let server: Server;
let url: URL;

before(async () => {
  server = createServer((_request, response) => response.writeHead(403).end('not here'));
  server.on('upgrade', (request, socket, head) => {
    const key = webSocketKey(request);
    if (key === undefined || request.url !== '/echo') {
      socket.end('HTTP/1.1 403 Forbidden\r\nContent-Length: 8\r\nConnection: close\r\n\r\nnot here');
      return;
    }
    const end = acceptWebSocket(key, socket, head, 'r');
    end.listen({
      message: (payload, isText) => end.send(isText ? payload.toString() : payload),
      close: () => {},
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  url = new URL(`ws://127.0.0.1:${(server.address() as AddressInfo).port}/echo`);
});

after(() => {
  server.closeAllConnections();
  server.close();
});

test('messages of every length come back as they went, text as text', async () => {
  const end = await openWebSocket(url);
  const sent = [0, 125, 126, 65_535, 65_536, 300_000].map((length) => Buffer.alloc(length, 'x'));
  const got: Buffer[] = [];
  await new Promise<void>((resolve) => {
    end.listen({
      message: (payload, isText) => {
        if (isText) return void end.close(1000);
        got.push(payload);
        if (got.length === sent.length) end.send('ü');
      },
      close: () => resolve(),
    });
    for (const one of sent) end.send(one);
  });
  assert.deepEqual(
    got.map(({ length }) => length),
    sent.map(({ length }) => length),
  );
});

test('an upgrade that is refused says with what', async () => {
  await assert.rejects(openWebSocket(new URL('/elsewhere', url)), (error) => {
    assert.ok(error instanceof UpgradeRefused);
    assert.equal(error.status, 403);
    return /not here/.test(error.message);
  });
});

/** A socket that holds what is written to it. */
function wire(): { socket: Duplex; written: Buffer[] } {
  const written: Buffer[] = [];
  const socket = new Duplex({
    read() {},
    write(chunk: Buffer, _encoding, done) {
      written.push(chunk);
      done();
    },
  });
  return { socket, written };
}

test('a message in pieces is one message, also with a ping between them', async () => {
  const { socket, written } = wire();
  const end = new WebSocketEnd(socket, 'client');
  const got = new Promise<string>((resolve) => {
    end.listen({ message: (payload, isText) => resolve(`${isText} ${payload}`), close: () => {} });
  });
  socket.push(Buffer.from([0x01, 2, 0x68, 0x65]));
  socket.push(Buffer.from([0x89, 0]));
  socket.push(Buffer.from([0x00, 2, 0x6c, 0x6c]));
  // Cut in the middle of a frame.
  socket.push(Buffer.from([0x80]));
  socket.push(Buffer.from([1, 0x6f]));
  assert.equal(await got, 'true hello');
  assert.equal((written[0]?.[0] ?? 0) & 15, 10, 'the ping was answered');
});

test('a frame that a client masks is none of a server’s, and a continuation begins nothing', async () => {
  for (const bytes of [
    [0x82, 0x81, 1, 2, 3, 4, 5],
    [0x80, 1, 0x68],
  ]) {
    const { socket, written } = wire();
    const end = new WebSocketEnd(socket, 'client');
    end.listen({ message: () => assert.fail('a message'), close: () => {} });
    socket.push(Buffer.from(bytes));
    await new Promise((resolve) => setImmediate(resolve));
    assert.equal((written[0]?.[0] ?? 0) & 15, 8, 'closed');
    assert.ok(end.isClosed);
    socket.destroy();
  }
});
