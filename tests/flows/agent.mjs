// A probe inside a machine of the flow tests. It takes one JSON request per line on stdin and answers with one line each; it is plain JavaScript so
// that it starts fast in a bare namespace.

import { spawn } from 'node:child_process';
import { createSocket } from 'node:dgram';
import { createConnection, createServer } from 'node:net';
import { createInterface } from 'node:readline';

const held = new Map();
/** How a held connection ended while nobody was listening. */
const endings = new Map();

/** What a server says back: who it thinks it talks to, so that a test sees translations. */
const seen = (socket) => `${socket.remoteAddress}>${socket.localAddress}`;

function listenOn(protocol, port, host) {
  return new Promise((resolve, reject) => {
    if (protocol === 'tcp') {
      const server = createServer((socket) => {
        socket.on('error', () => {});
        socket.write(`${seen(socket)}\n`);
        socket.on('data', (data) => socket.write(data));
      });
      server.on('error', reject).listen({ port, host, ipv6Only: true }, () => resolve('listening'));
    } else {
      const socket = createSocket(datagram(host));
      socket.on('message', (_, remote) => socket.send(`${remote.address}\n`, remote.port, remote.address));
      socket.on('error', reject).bind(port, host, () => resolve('listening'));
    }
  });
}

const datagram = (host) => (host.includes(':') ? { type: 'udp6', ipv6Only: true } : { type: 'udp4' });

const operations = {
  /** On every address of both families. */
  async listen({ protocol, port }) {
    await listenOn(protocol, port, '0.0.0.0');
    return listenOn(protocol, port, '::');
  },
  tcp({ host, port, timeoutMs, from, hold }) {
    return new Promise((resolve) => {
      const socket = createConnection({ host, port, ...(from === undefined ? {} : { localAddress: from }) });
      const done = (answer) => {
        clearTimeout(timer);
        if (hold === undefined || !answer.startsWith('open')) socket.destroy();
        resolve(answer);
      };
      const timer = setTimeout(() => done('timeout'), timeoutMs);
      socket.once('error', (error) => done(error.code === 'ECONNREFUSED' ? 'refused' : `error ${error.code}`));
      socket.once('data', (data) => done(`open ${data.toString().trim()}`));
      if (hold === undefined) return;
      held.set(hold, socket);
      // A reset may come before the next word, when a late acknowledgement already went the new way.
      socket.on('error', (error) => endings.set(socket, `error ${error.code}`));
    });
  },
  /** Sends on a held connection; the answer is the echo, how the connection ended, or `timeout`. */
  say({ hold, timeoutMs }) {
    return new Promise((resolve) => {
      const socket = held.get(hold);
      if (socket === undefined || socket.destroyed) return resolve(endings.get(socket) ?? 'gone');
      const timer = setTimeout(() => resolve('timeout'), timeoutMs);
      const done = (answer) => {
        clearTimeout(timer);
        resolve(answer);
      };
      socket.once('data', (data) => done(`echo ${data.toString().trim()}`));
      socket.once('error', (error) => done(`error ${error.code}`));
      socket.once('close', () => done('closed'));
      socket.write('hello\n');
    });
  },
  udp({ host, port, timeoutMs, from }) {
    return new Promise((resolve) => {
      const socket = createSocket(datagram(host));
      const done = (answer) => {
        clearTimeout(timer);
        socket.close();
        resolve(answer);
      };
      const timer = setTimeout(() => done('timeout'), timeoutMs);
      socket.once('message', (message) => done(`open ${message.toString().trim()}`));
      socket.once('error', (error) => done(error.code === 'ECONNREFUSED' ? 'refused' : `error ${error.code}`));
      socket.bind(0, from, () =>
        socket.connect(port, host, (error) => (error ? done(`error ${error.code}`) : socket.send('hello'))),
      );
    });
  },
  run({ command, args }) {
    return new Promise((resolve) => {
      const child = spawn(command, args, { stdio: ['ignore', 'pipe', 'pipe'] });
      let output = '';
      child.stdout.on('data', (data) => (output += data));
      child.stderr.on('data', (data) => (output += data));
      child.on('error', (error) => resolve(`127 ${error.message}`));
      child.on('close', (code) => resolve(`${code} ${output}`));
    });
  },
};

createInterface({ input: process.stdin })
  .on('line', async (line) => {
    const { id, operation, ...request } = JSON.parse(line);
    const answer = await operations[operation](request).catch((error) => `failed ${error.message}`);
    process.stdout.write(`${JSON.stringify({ id, answer })}\n`);
  })
  .on('close', () => process.exit(0));
process.stdout.write(`${JSON.stringify({ id: 0, answer: 'ready' })}\n`);
