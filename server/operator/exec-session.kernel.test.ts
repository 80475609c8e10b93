// `postern exec` sessions through a real machine: output, status, terminal and hang-up.

import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { connect, createServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import type { Duplex } from 'node:stream';
import { after, before, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { LinuxMachines } from '@postern/fabric/machine/machines.ts';
import { encodeFrame, FrameReader, frameKinds } from './api.ts';
import { execSession, type SessionRequest } from './exec-session.ts';

const id = 'i-0exec' as const;
let directory: string;
let machines: LinuxMachines;

before(async () => {
  directory = mkdtempSync(join(tmpdir(), 'postern-exec-'));
  const guestDirectory = join(dirname(fileURLToPath(import.meta.url)), '../../guest');
  machines = new LinuxMachines({ imageDirectory: join(directory, 'image'), guestDirectory });
  await machines.start({
    instanceId: id,
    hostname: 'ip-10-0-0-4',
    disk: join(directory, 'disk'),
    caCertificate: 'x',
    authorizedKeys: [],
    lease: { nameServers: [], timeServers: [] },
    region: 'us-east-1',
  });
  machines.release(id);
});

after(async () => {
  await machines.close();
  rmSync(directory, { recursive: true, force: true });
});

interface Session {
  readonly stream: Duplex;
  readonly said: { out: string; err: string; status?: number };
  readonly closed: Promise<unknown>;
}

async function open(request: SessionRequest): Promise<Session> {
  const [stream, far] = await pair();
  const said: { out: string; err: string; status?: number } = { out: '', err: '' };
  const frames = new FrameReader();
  stream.on('data', (chunk: Buffer) => {
    for (const { kind, payload } of frames.push(chunk)) {
      if (kind === frameKinds.stdout) said.out += payload;
      else if (kind === frameKinds.stderr) said.err += payload;
      else if (kind === frameKinds.exit) said.status = Number(payload.toString());
    }
  });
  const closed = once(stream, 'end');
  execSession((argv, options) => machines.exec(id, argv, options), request)(far);
  return { stream, said, closed };
}

async function until(what: string, holds: () => boolean): Promise<void> {
  const end = Date.now() + 60_000;
  while (!holds()) {
    if (Date.now() > end) throw new Error(`never happened: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

test('without a terminal: both outputs apart, input to its end, and the status', async () => {
  const { stream, said, closed } = await open({ argv: ['sh', '-c', 'cat; echo "a b" >&2; exit 4'], tty: false });
  stream.write(encodeFrame(frameKinds.stdin, Buffer.from('typed\n')));
  stream.write(encodeFrame(frameKinds.stdinEnd, new Uint8Array()));
  await closed;
  assert.deepEqual(said, { out: 'typed\n', err: 'a b\n', status: 4 });
});

test('with a terminal: its size, a new size, and what is quoted arrives unchanged', async () => {
  const { stream, said, closed } = await open({
    argv: ['sh', '-c', `echo "it's" ready; while read -r line; do stty size; done`],
    tty: true,
    size: { columns: 91, rows: 31 },
  });
  await until('ready', () => said.out.includes("it's ready"));
  stream.write(encodeFrame(frameKinds.stdin, Buffer.from('\n')));
  await until('the first size', () => said.out.includes('31 91'));
  stream.write(encodeFrame(frameKinds.resize, Buffer.from('{"columns":120,"rows":40}')));
  await until('the new size', () => {
    stream.write(encodeFrame(frameKinds.stdin, Buffer.from('\n')));
    return said.out.includes('40 120');
  });
  stream.write(encodeFrame(frameKinds.stdin, Buffer.from('\u0004')));
  await closed;
  assert.equal(said.status, 0);
});

test('who hangs up takes the process along', async () => {
  const { stream, said } = await open({ argv: ['sh', '-c', 'echo up; exec sleep 4321'], tty: false });
  await until('it is up', () => said.out.includes('up'));
  stream.destroy();
  await until('it is gone', () => !commandLines().some((line) => line.startsWith('sleep 4321')));
});

test('a program that is not there is status 127', async () => {
  const { said, closed } = await open({ argv: ['no-such-program'], tty: false });
  await closed;
  assert.equal(said.status, 127);
});

/** Of every process that this PID namespace sees, the machines' among them. */
function commandLines(): string[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map((pid) => {
      try {
        return readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ');
      } catch {
        return '';
      }
    });
}

/** Two joined sockets. */
async function pair(): Promise<[Socket, Socket]> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const near = connect((server.address() as { port: number }).port, '127.0.0.1');
  const [far] = (await once(server, 'connection')) as [Socket];
  server.close();
  return [near, far];
}
