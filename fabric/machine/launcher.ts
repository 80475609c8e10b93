// Our end of guest/init.pl: one launcher process for all machines and one socket per machine.
// Answers come on the launcher's output (`started ID PID`, `failed ID WHY`, `exited ID STATUS`); a machine's own words come on its socket.

import { type ChildProcess, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { createServer, type Server, type Socket } from 'node:net';
import { createInterface } from 'node:readline';
import type { IdPlan } from './id-plan.ts';

export interface LauncherFiles {
  /** `guest/init.pl` */
  readonly initScript: string;
  /** The image's directory. */
  readonly image: string;
  /** The Node binary that machines see, for their ssh server. */
  readonly node: string;
}

export interface Launched {
  /** Process 1 of the machine, as seen by us. */
  readonly pid: number;
  readonly socket: Socket;
}

interface Waiting {
  readonly token: string;
  readonly resolve: (launched: Launched) => void;
  readonly reject: (error: Error) => void;
  pid?: number;
  socket?: Socket;
}

/** The launcher process. It is made at the first `launch`, and again when it was lost; machines that it had are then reported as ended. */
export class Launcher {
  readonly #files: LauncherFiles;
  readonly #ids: IdPlan;
  readonly #onExit: (id: string, waitStatus: number) => void;
  readonly #waiting = new Map<string, Waiting>();
  readonly #alive = new Map<string, number>();
  // An abstract name: it lives in our network namespace alone, where no machine is.
  readonly #socketName = `postern-machines-${randomBytes(8).toString('hex')}`;
  #server: Server | undefined;
  #process: ChildProcess | undefined;

  /** @param onExit told when a machine's process 1 has ended, with the status that waitpid gave */
  constructor(files: LauncherFiles, ids: IdPlan, onExit: (id: string, waitStatus: number) => void) {
    this.#files = files;
    this.#ids = ids;
    this.#onExit = onExit;
  }

  /** Makes a machine's namespaces and its process 1 over `disk`. Fails with the kernel's reason, and then nothing is left. */
  launch(id: string, disk: string): Promise<Launched> {
    const input = this.#open().stdin;
    return new Promise((resolve, reject) => {
      const token = randomBytes(16).toString('hex');
      this.#waiting.set(id, { token, resolve, reject });
      input?.write(`start ${id} ${token} ${Buffer.from(disk).toString('hex')}\n`);
    });
  }

  /** Ends the launcher; machines that still run are left to their sockets' end. */
  async close(): Promise<void> {
    const child = this.#process;
    this.#process = undefined;
    if (child && child.exitCode === null && child.signalCode === null) {
      const gone = new Promise((resolve) => child.once('exit', resolve));
      child.stdin?.end();
      await gone;
    }
    this.#server?.close();
    this.#server = undefined;
  }

  #open(): ChildProcess {
    if (!this.#server) {
      this.#server = createServer((socket) => this.#greet(socket));
      this.#server.listen(`\0${this.#socketName}`);
    }
    if (this.#process) return this.#process;
    const { initScript, image, node } = this.#files;
    const ids = `0 ${this.#ids.base} ${this.#ids.count}`;
    const child = spawn('perl', [initScript, process.arch, this.#socketName, image, node, ids], {
      stdio: ['pipe', 'pipe', 'pipe'],
      env: { PATH: process.env.PATH ?? '/usr/bin:/bin' },
      cwd: '/',
    });
    this.#process = child;
    let words = '';
    child.stderr.on('data', (chunk: Buffer) => {
      words = (words + chunk.toString()).slice(-2000);
    });
    createInterface({ input: child.stdout }).on('line', (line) => this.#hear(line));
    child.stdin.on('error', () => {});
    const lost = (why: string) => {
      if (this.#process === child) this.#process = undefined;
      for (const [id, waiting] of this.#waiting)
        this.#fail(id, waiting, `the launcher of machines ended: ${words.trim() || why}`);
      // Their sockets end as well, so each shuts itself down; nobody is left to reap it, hence the certain way.
      for (const [id, pid] of [...this.#alive]) {
        kill(pid);
        this.#alive.delete(id);
        this.#onExit(id, 9);
      }
    };
    child.once('error', (error) => lost(`perl could not be started: ${error.message}`));
    child.once('close', (code, signal) => lost(`status ${code ?? signal}`));
    return child;
  }

  #hear(line: string): void {
    const [verb, id = '', ...rest] = line.split(' ');
    const waiting = this.#waiting.get(id);
    if (verb === 'started') {
      const pid = Number(rest[0]);
      this.#alive.set(id, pid);
      if (!waiting) return;
      waiting.pid = pid;
      this.#settle(id, waiting);
    } else if (verb === 'failed') {
      if (waiting) this.#fail(id, waiting, rest.join(' '));
    } else if (verb === 'exited') {
      this.#alive.delete(id);
      if (waiting) this.#fail(id, waiting, 'it ended at once');
      else this.#onExit(id, Number(rest[0]));
    }
  }

  /** The first line names the machine and proves, by its token, that the launcher opened the socket. */
  #greet(socket: Socket): void {
    socket.on('error', () => socket.destroy());
    socket.once('readable', () => {
      const first = (socket.read() as Buffer | null) ?? Buffer.alloc(0);
      const end = first.indexOf(10);
      const [verb, id = '', token] = first.subarray(0, Math.max(end, 0)).toString().split(' ');
      const waiting = this.#waiting.get(id);
      if (verb !== 'hello' || !waiting || waiting.token !== token) {
        socket.destroy();
        return;
      }
      if (first.length > end + 1) socket.unshift(first.subarray(end + 1));
      waiting.socket = socket;
      this.#settle(id, waiting);
    });
  }

  #settle(id: string, waiting: Waiting): void {
    if (waiting.pid === undefined || !waiting.socket) return;
    this.#waiting.delete(id);
    waiting.resolve({ pid: waiting.pid, socket: waiting.socket });
  }

  #fail(id: string, waiting: Waiting, why: string): void {
    this.#waiting.delete(id);
    waiting.socket?.destroy();
    waiting.reject(new Error(`the machine ${id} could not be made: ${why}`));
  }
}

/** SIGKILL; a process that is gone already is what we want. */
export function kill(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    // ESRCH
  }
}
