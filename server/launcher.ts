// `postern up`, on the host's side: checks the machine, takes the data directory's lock, opens the listening socket, and starts the server in a
// world of its own (fabric/world.ts) with that socket inherited. The listener is all that joins the two: accepted connections arrive on loopback,
// while everything the server does itself happens in namespaces that have no way out.

import { createHash } from 'node:crypto';
import { chmodSync, existsSync, mkdirSync, readdirSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import net from 'node:net';
import { dirname, join } from 'node:path';
import type { Readable } from 'node:stream';
import { fileURLToPath } from 'node:url';
import { pathWithTools, preflight } from '@postern/fabric/preflight.ts';
import { enterWorld } from '@postern/fabric/world.ts';
import { configurationVariable, type ReadyMessage, type ServerConfiguration } from './configuration.ts';
import { loopbackHosts } from './operator/admission.ts';
import { OperatorError } from './operator/operator-error.ts';

export interface LaunchOptions {
  readonly dataDirectory: string;
  readonly host: string;
  readonly port: number;
  readonly auth: 'strict' | 'open';
  readonly quotas: 'off' | 'aws';
  readonly strictImages: boolean;
  readonly natIdleTimeoutSeconds?: number;
}

export interface LaunchedCloud {
  readonly endpoint: string;
  /** The variables of `postern env`. */
  readonly environment: Record<string, string>;
  /** Resolves when the cloud has ended, for whatever reason. */
  readonly ended: Promise<ServerEnd>;
}

/** How the server's process ended: with a status, or by a signal. */
export interface ServerEnd {
  readonly status: number;
  readonly signal?: NodeJS.Signals;
}

/**
 * What to say of a server that nobody asked to end. A bug, a full disk and V8 tell theirs first; SIGKILL leaves no time for it. `unshare`, which is between
 * us and the server, cannot die of SIGKILL as its child did, and ends with 1 (util-linux 2.38); the server itself ends with 1 before it answers only.
 * @param hasAnswered whether it was up
 */
export function wordsOfEnd({ status, signal }: ServerEnd, hasAnswered: boolean): string {
  if (signal === 'SIGKILL' || (signal === undefined && status === 1 && hasAnswered))
    return 'was killed (SIGKILL), which leaves no time for words of its own: by somebody, or by the kernel for want of memory, which `dmesg` tells';
  return `ended by itself, with ${signal ?? `status ${status}`}; if it had words, they are above`;
}

/**
 * Starts the cloud and resolves when it answers. SIGINT and SIGTERM end it in order.
 * @throws OperatorError with the cure when this machine cannot run it, the port or the data directory is taken, or the server fails to start
 */
export async function launch(options: LaunchOptions): Promise<LaunchedCloud> {
  process.env['PATH'] = pathWithTools();
  const failures = preflight();
  const first = failures[0];
  if (first) {
    const message = failures.map((failure) => failure.problem).join('\n  ');
    throw new OperatorError(message, { exitCode: 4, cure: first.cure });
  }
  prepareDirectory(options.dataDirectory);
  const lock = await takeLock(realpathSync(options.dataDirectory));
  const listener = await listen(options.host, options.port).catch((error: unknown) => {
    // An open lock would keep this process alive after it has said why it cannot go on.
    lock.close();
    throw error;
  });
  const endpoint = endpointOf(listener);
  const configuration: ServerConfiguration = {
    version: '0.1.0',
    dataDirectory: options.dataDirectory,
    auth: options.auth,
    quotas: options.quotas,
    strictImages: options.strictImages,
    ...(options.natIdleTimeoutSeconds !== undefined && { natIdleTimeoutSeconds: options.natIdleTimeoutSeconds }),
    endpoint,
    hosts: [
      ...loopbackHosts,
      ...(options.host === '0.0.0.0' || options.host === '::' ? [] : [options.host.toLowerCase()]),
    ],
    privileged: process.getuid?.() === 0,
  };
  const child = await enterWorld({
    command: process.execPath,
    args: serverArguments(),
    extraFds: [descriptor(listener), 'pipe', descriptor(lock)],
    env: { ...process.env, [configurationVariable]: JSON.stringify(configuration) },
  });
  const ended = new Promise<ServerEnd>((resolve) => {
    child.on('exit', (code, signal) => {
      rmSync(join(options.dataDirectory, 'run.json'), { force: true });
      resolve({ status: code ?? 1, ...(signal && { signal }) });
    });
  });
  const end = () => child.stdin?.end();
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, end);
  // The server has the sockets now; this process must not accept from them.
  unref(listener);
  unref(lock);
  const ready = await readyMessage(child.stdio[4] as Readable, ended);
  if (!ready.ready) throw new OperatorError(ready.message, { exitCode: 4 });
  const run = { endpoint, processId: process.pid, startedAt: new Date().toISOString() };
  writeFileSync(join(options.dataDirectory, 'run.json'), JSON.stringify(run), { mode: 0o600 });
  return { endpoint, environment: ready.environment, ended };
}

/** The bundle beside this file, or the source when there is none. */
function serverArguments(): string[] {
  const here = fileURLToPath(import.meta.url);
  if (here.endsWith('.ts')) return ['--import', 'tsx', join(dirname(here), 'main.ts')];
  // For profiling: POSTERN_NODE_OPTIONS='--cpu-prof --cpu-prof-dir=/tmp/profile'.
  const extra = (process.env['POSTERN_NODE_OPTIONS'] ?? '').split(' ').filter((word) => word !== '');
  return ['--enable-source-maps', '--max-semi-space-size=16', ...extra, join(dirname(here), 'server.mjs')];
}

/** Makes the data directory, the operator's alone, and sees that it can be written. */
function prepareDirectory(directory: string): void {
  const probe = join(directory, '.writable');
  try {
    mkdirSync(directory, { recursive: true, mode: 0o700 });
    refuseForeign(directory);
    chmodSync(directory, 0o700);
    // The kernel's own answer: a root may write anywhere but on a read-only file system, and only trying tells a full one.
    writeFileSync(probe, 'x');
  } catch (error) {
    if (error instanceof OperatorError) throw error;
    const { code, message } = error as NodeJS.ErrnoException;
    const problem: Record<string, string> = {
      EACCES: 'you may not write there',
      EPERM: 'it belongs to another user',
      EROFS: 'its file system is read-only',
      ENOSPC: 'its file system is full',
      EDQUOT: 'your disk quota is used up',
      EEXIST: 'it is a file',
      // Node's answer to a missing directory on a read-only file system (20.20).
      ENOENT: 'it cannot be made there; the file system may be read-only',
      ENOTDIR: 'a part of its path is a file',
    };
    throw new OperatorError(`The cloud cannot be kept in ${directory}: ${problem[code ?? ''] ?? message}.`, {
      exitCode: 4,
      cure:
        code === 'ENOSPC' || code === 'EDQUOT'
          ? `df -h ${dirname(directory)}`
          : `ls -ld ${dirname(directory)} ${directory}`,
    });
  } finally {
    // rmSync fails even with `force` where it may not look.
    if (existsSync(probe)) rmSync(probe);
  }
}

/** A directory of somebody else's things would be closed to everybody and filled: `--data /tmp` must not do that. */
function refuseForeign(directory: string): void {
  const names = readdirSync(directory).filter((name) => name !== 'lost+found' && name !== '.writable');
  if (names.length === 0 || names.includes('postern.db') || names.includes('operator-token')) return;
  throw new OperatorError(
    `${directory} holds things that are not Postern's (${names.slice(0, 3).join(', ')}${names.length > 3 ? ', …' : ''}).`,
    { exitCode: 4, cure: `postern up --data ${join(directory, 'postern')}` },
  );
}

/** An abstract socket named after the directory: the kernel gives the name back when the last holder dies, however it dies. */
function takeLock(directory: string): Promise<net.Server> {
  const name = `\0postern-${createHash('sha256').update(directory).digest('hex').slice(0, 32)}`;
  return new Promise((resolve, reject) => {
    const server = net.createServer();
    server.on('error', (error: NodeJS.ErrnoException) => {
      reject(
        error.code === 'EADDRINUSE'
          ? new OperatorError(`A cloud already runs on ${directory}.`, { exitCode: 4, cure: 'postern status' })
          : error,
      );
    });
    server.listen(name, () => resolve(server));
  });
}

function listen(host: string, port: number): Promise<net.Server> {
  return new Promise((resolve, reject) => {
    // Nobody answers until the server has the socket: a client that comes too early is told so at once instead of waiting for ever.
    const server = net.createServer((socket) => socket.destroy());
    server.on('error', (error: NodeJS.ErrnoException) => {
      const problem: Record<string, string> = {
        EADDRINUSE: `Port ${port} on ${host} is taken by another program.`,
        EADDRNOTAVAIL: `${host} is no address of this machine.`,
        EACCES: `Port ${port} needs root.`,
      };
      const message = problem[error.code ?? ''] ?? `Cannot listen on ${host} port ${port}: ${error.message}`;
      reject(new OperatorError(message, { exitCode: 4, cure: 'postern up --port 0' }));
    });
    server.listen({ host, port, backlog: 511 }, () => resolve(server));
  });
}

function endpointOf(listener: net.Server): string {
  const address = listener.address();
  if (typeof address !== 'object' || address === null) throw new Error('the listener has no address');
  const host = address.family === 'IPv6' ? `[${address.address}]` : address.address;
  return `http://${host}:${address.port}`;
}

/** Node has no public way to read a server's descriptor; `_handle.fd` is what its own cluster module uses (Node 20). */
function descriptor(server: net.Server): number {
  const handle = (server as unknown as { _handle?: { fd?: number } })._handle;
  if (handle?.fd === undefined || handle.fd < 0) throw new Error('the listening socket has no descriptor');
  return handle.fd;
}

/** Closes this process's copy; the server's own copy lives on. */
function unref(server: net.Server): void {
  server.close();
}

function readyMessage(stream: Readable, ended: Promise<ServerEnd>): Promise<ReadyMessage> {
  return new Promise((resolve) => {
    let text = '';
    stream.setEncoding('utf8').on('data', (chunk: string) => {
      text += chunk;
      if (text.includes('\n')) resolve(JSON.parse(text.split('\n')[0] ?? '') as ReadyMessage);
    });
    ended.then((end) => resolve({ ready: false, message: `Before it answered, the cloud ${wordsOfEnd(end, false)}.` }));
  });
}
