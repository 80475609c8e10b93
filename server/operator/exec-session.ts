// One `postern exec` session: the frames of api.ts on one side, a process inside an instance on the other. With a terminal, script(1) (inside the
// instance, on its own devpts) holds the pty, since Node has none; a new window size is set on that pty through its own `stty`.

import type { ChildProcess, StdioOptions } from 'node:child_process';
import { constants } from 'node:os';
import type { Duplex, Writable } from 'node:stream';
import { encodeFrame, FrameReader, frameKinds } from './api.ts';

export interface SessionRequest {
  readonly argv: readonly string[];
  readonly tty: boolean;
  readonly size?: { readonly columns: number; readonly rows: number };
  /** The person's own terminal type. */
  readonly term?: string;
}

/** Starts a process inside the instance, as `Machines.exec` does. */
export type Start = (
  argv: readonly string[],
  options: { stdio: StdioOptions; env?: Record<string, string> },
) => ChildProcess;

/** Carries a session until its process ends or the client goes away. A failure to start is an exit status 127 with a word on stderr. */
export function execSession(start: Start, request: SessionRequest): (stream: Duplex) => void {
  return (stream) => {
    const { child, place } = startSession(start, request);
    const { stdin, stdout, stderr } = child;
    const reader = new FrameReader();
    let ended = false;
    const finish = (status: number, words?: string) => {
      if (ended) return;
      ended = true;
      if (words !== undefined) stream.write(encodeFrame(frameKinds.stderr, Buffer.from(words)));
      stream.end(encodeFrame(frameKinds.exit, Buffer.from(String(status))));
    };
    const forward = (from: NodeJS.ReadableStream | null, kind: typeof frameKinds.stdout | typeof frameKinds.stderr) => {
      from?.on('data', (chunk: Buffer) => {
        if (stream.write(encodeFrame(kind, chunk)) || !from) return;
        from.pause();
        stream.once('drain', () => from.resume());
      });
    };
    forward(stdout, frameKinds.stdout);
    forward(stderr, frameKinds.stderr);
    // The process may end without reading all that was typed.
    stdin?.on('error', () => {});
    child.once('error', (error) => finish(127, `postern: ${error.message}\n`));
    child.once('close', (code, signal) => finish(code ?? (signal ? 128 + constants.signals[signal] : 1)));
    stream.on('data', (chunk: Buffer) => {
      try {
        for (const { kind, payload } of reader.push(chunk)) {
          if (kind === frameKinds.stdin) {
            if (stdin?.write(payload) === false && !request.tty) hold(stream, stdin);
          } else if (kind === frameKinds.stdinEnd) stdin?.end();
          else if (kind === frameKinds.resize && request.tty) resize(start, child, place, payload);
        }
      } catch {
        stream.destroy();
      }
    });
    stream.on('end', () => stdin?.end());
    stream.on('error', () => stream.destroy());
    stream.on('close', () => {
      if (!ended) hangUp(start, child, place);
    });
  };
}

/** How often a client that is not read from is asked whether it is still there. */
const stillThereMs = 500;

/**
 * Takes no more input until the process has read what there is: it may never read, and the input may be any size. A socket that is not read
 * does not tell that its other end is gone, so empty frames are written to it meanwhile: a write does.
 */
function hold(stream: Duplex, stdin: Writable): void {
  if (stream.isPaused()) return;
  stream.pause();
  const ask = setInterval(() => stream.write(encodeFrame(frameKinds.stdout, new Uint8Array())), stillThereMs);
  const goOn = () => {
    clearInterval(ask);
    stream.resume();
  };
  stdin.once('drain', goOn);
  stdin.once('close', goOn);
  stream.once('close', () => clearInterval(ask));
}

/** Inside the instance: the process, and its terminal if it has one. */
type Place = Promise<{ readonly pid: string; readonly terminal: string | undefined }>;

const quote = (argument: string) => `'${argument.replaceAll("'", `'\\''`)}'`;

/** The process says on a third stream who it is, so that a resize and a hang-up find it: killing nsenter would leave it running. */
function startSession(start: Start, request: SessionRequest): { child: ChildProcess; place: Place } {
  const { columns = 80, rows = 24 } = request.size ?? {};
  const words = `echo "$$ $(tty)" >&3; exec 3>&-; exec`;
  const argv = request.tty
    ? [
        'script',
        '-qefc',
        `stty rows ${rows} cols ${columns}; ${words} ${request.argv.map(quote).join(' ')}`,
        '/dev/null',
      ]
    : ['sh', '-c', `${words} "$@"`, 'sh', ...request.argv];
  const env = { ...(request.tty && { TERM: request.term ?? 'xterm-256color' }), SHELL: '/bin/bash' };
  const child = start(argv, { stdio: ['pipe', 'pipe', 'pipe', 'pipe'], env });
  const third = child.stdio[3] as NodeJS.ReadableStream | null | undefined;
  const place: Place = new Promise((resolve) => {
    third?.once('data', (chunk: Buffer) => {
      const [pid = '', terminal] = chunk.toString().trim().split(' ');
      resolve({ pid, terminal: /^\/dev\/pts\/\d+$/.test(terminal ?? '') ? terminal : undefined });
    });
  });
  return { child, place };
}

function resize(start: Start, child: ChildProcess, place: Place, payload: Buffer): void {
  let size: { columns?: unknown; rows?: unknown };
  try {
    size = JSON.parse(payload.toString()) as typeof size;
  } catch {
    return;
  }
  const { columns, rows } = size;
  if (!Number.isInteger(columns) || !Number.isInteger(rows)) return;
  void place.then(({ terminal }) => {
    if (terminal === undefined || child.exitCode !== null) return;
    attempt(start, ['stty', '-F', terminal, 'rows', String(rows), 'cols', String(columns)]);
  });
}

/** Who hung up has no more use for the process: it gets what a lost terminal would send. */
function hangUp(start: Start, child: ChildProcess, place: Place): void {
  child.stdin?.destroy();
  void place.then(({ pid }) => {
    if (/^\d+$/.test(pid) && child.exitCode === null)
      attempt(start, ['sh', '-c', 'kill -HUP "$1"; kill -CONT "$1"', 'sh', pid]);
  });
}

/** The instance may have ended meanwhile, and then there is nothing to do. */
function attempt(start: Start, argv: readonly string[]): void {
  try {
    start(argv, { stdio: 'ignore' }).once('error', () => {});
  } catch {
    // Not running any more.
  }
}
