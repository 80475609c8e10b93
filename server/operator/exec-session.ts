// One `postern exec` session: the frames of api.ts on one side, a process inside an instance on the other. With a terminal, script(1) (inside the
// instance, on its own devpts) holds the pty, since Node has none; a new window size is set on that pty through its own `stty`.

import type { ChildProcess, StdioOptions } from 'node:child_process';
import type { Duplex } from 'node:stream';
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
    const child = request.tty ? startWithTerminal(start, request) : start(request.argv, { stdio: 'pipe' });
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
    child.once('close', (code, signal) => finish(code ?? (signal ? 128 + signalNumber(signal) : 1)));
    stream.on('data', (chunk: Buffer) => {
      try {
        for (const { kind, payload } of reader.push(chunk)) {
          if (kind === frameKinds.stdin) stdin?.write(payload);
          else if (kind === frameKinds.stdinEnd) stdin?.end();
          else if (kind === frameKinds.resize && request.tty) resize(start, child, payload);
        }
      } catch {
        stream.destroy();
      }
    });
    stream.on('end', () => stdin?.end());
    stream.on('error', () => stream.destroy());
    // Who hung up has no more use for the process; nsenter passes nothing on, but its own end closes the pipes and, with a terminal, the pty.
    stream.on('close', () => {
      if (!ended) hangUp(start, child);
    });
  };
}

const signalNumber = (signal: NodeJS.Signals) =>
  ({ SIGHUP: 1, SIGINT: 2, SIGQUIT: 3, SIGKILL: 9, SIGTERM: 15 })[signal as 'SIGHUP'] ?? 1;

/** Says its terminal's name and process group on a third stream, so that a resize and a hang-up find them. */
const sizes = new WeakMap<ChildProcess, { pty: Promise<string> }>();

function startWithTerminal(start: Start, request: SessionRequest): ChildProcess {
  const { columns = 80, rows = 24 } = request.size ?? {};
  const quoted = request.argv.map((argument) => `'${argument.replaceAll("'", `'\\''`)}'`).join(' ');
  const inner = `stty rows ${rows} cols ${columns}; tty >&3 2>/dev/null; exec 3>&-; exec ${quoted}`;
  const child = start(['script', '-qefc', inner, '/dev/null'], {
    stdio: ['pipe', 'pipe', 'pipe', 'pipe'],
    env: { TERM: request.term ?? 'xterm-256color', SHELL: '/bin/bash' },
  });
  const words = child.stdio[3] as NodeJS.ReadableStream | null | undefined;
  const pty = new Promise<string>((resolve) => {
    words?.once('data', (chunk: Buffer) => resolve(chunk.toString().trim()));
  });
  sizes.set(child, { pty });
  return child;
}

function resize(start: Start, child: ChildProcess, payload: Buffer): void {
  let size: { columns?: unknown; rows?: unknown };
  try {
    size = JSON.parse(payload.toString()) as typeof size;
  } catch {
    return;
  }
  const { columns, rows } = size;
  if (!Number.isInteger(columns) || !Number.isInteger(rows)) return;
  void sizes.get(child)?.pty.then((pty) => {
    if (/^\/dev\/pts\/\d+$/.test(pty) && child.exitCode === null) {
      start(['stty', '-F', pty, 'rows', String(rows), 'cols', String(columns)], { stdio: 'ignore' }).once(
        'error',
        () => {},
      );
    }
  });
}

function hangUp(_start: Start, child: ChildProcess): void {
  child.stdin?.destroy();
  child.kill('SIGHUP');
}
