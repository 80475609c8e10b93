// The AWS CLI, as installed and unmodified. Where it is a Python program its modules are loaded once and each command is a forked copy (aws-cli-server.py),
// which saves most of a command's time; the official installer's frozen binary, and anything else, is started anew for each.

import { type ChildProcessByStdio, spawn } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import type { Socket } from 'node:net';
import { delimiter, join } from 'node:path';
import { createInterface } from 'node:readline';
import type { Readable, Writable } from 'node:stream';

export interface Ran {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
  /** Both, for messages and for searching. */
  readonly output: string;
}

const timeoutSeconds = 120;

/** Runs a program to its end. */
export function run(
  command: string,
  args: readonly string[],
  env: NodeJS.ProcessEnv,
  timeoutMs = timeoutSeconds * 1000,
): Promise<Ran> {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { env, stdio: ['ignore', 'pipe', 'pipe'] });
    let stdout = '';
    let stderr = '';
    const timer = setTimeout(() => child.kill('SIGKILL'), timeoutMs);
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      stdout += text;
    });
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      stderr += text;
    });
    child.on('error', (error) => {
      clearTimeout(timer);
      reject(error);
    });
    child.on('close', (code) => {
      clearTimeout(timer);
      resolve({ code: code ?? 137, stdout, stderr, output: stdout + stderr });
    });
  });
}

interface Reply {
  readonly id: number;
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** The interpreter in the first line of a Python script that is the AWS CLI; undefined of any other program. */
function interpreterOf(command: string): string | undefined {
  const places = command.includes('/')
    ? [command]
    : (process.env['PATH'] ?? '').split(delimiter).map((each) => join(each, command));
  const path = places.find((place) => existsSync(place));
  const text = path === undefined ? '' : readFileSync(path, 'latin1').slice(0, 4096);
  return text.includes('awscli.clidriver') ? /^#!(\S*python[\d.]*)\n/.exec(text)?.[1] : undefined;
}

export class AwsCli {
  readonly #command: string;
  readonly #waiting = new Map<number, (reply: Reply) => void>();
  /** The process that has loaded the CLI, once it has; undefined where there is none. */
  readonly #loaded: Promise<ChildProcessByStdio<Writable, Readable, null> | undefined>;
  #lastId = 0;

  /** @param command a path, or a name on the PATH */
  constructor(command: string) {
    this.#command = command;
    const interpreter = interpreterOf(command);
    this.#loaded = interpreter === undefined ? Promise.resolve(undefined) : this.#load(interpreter);
  }

  #load(interpreter: string): Promise<ChildProcessByStdio<Writable, Readable, null> | undefined> {
    const server = spawn(interpreter, [join(import.meta.dirname, 'aws-cli-server.py')], {
      stdio: ['pipe', 'pipe', 'ignore'],
    });
    return new Promise((resolve) => {
      createInterface(server.stdout).on('line', (line) => {
        if (line === 'ready') resolve(server);
        else {
          const reply = JSON.parse(line) as Reply;
          this.#waiting.get(reply.id)?.(reply);
        }
      });
      // Before it was ready nothing has been asked of it; afterwards nobody knows what a command had done, so none is tried again.
      const lost = () => {
        resolve(undefined);
        for (const [id, tell] of this.#waiting) tell({ id, code: 137, stdout: '', stderr: 'The AWS CLI was killed.' });
      };
      server.on('error', lost);
      server.on('close', lost);
      server.stdin.on('error', lost);
    });
  }

  async run(args: readonly string[], env: NodeJS.ProcessEnv): Promise<Ran> {
    const server = await this.#loaded;
    if (server === undefined) return run(this.#command, args, env);
    const id = ++this.#lastId;
    // It ends with this process, which waits for it only while a command runs.
    const handles = [server, server.stdin as Socket, server.stdout as Socket];
    for (const handle of handles) handle.ref();
    const { code, stdout, stderr } = await new Promise<Reply>((resolve) => {
      this.#waiting.set(id, resolve);
      server.stdin.write(`${JSON.stringify({ id, args, env, timeoutSeconds })}\n`);
    });
    this.#waiting.delete(id);
    if (this.#waiting.size === 0) for (const handle of handles) handle.unref();
    return { code, stdout, stderr, output: stdout + stderr };
  }
}
