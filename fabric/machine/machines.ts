// The machines: an instance is a process 1 in user, network, mount, PID, UTS, IPC and cgroup namespaces of its own (guest/init.pl makes them).
// Here is its life as the server sees it: start, release, stop, exit, exec, console. The network is not ours: the fabric configures the interfaces
// inside the namespaces of `processId`. A disk is DISK/{upper,work}/{usr,etc,var,opt}, DISK/home, DISK/root and DISK/console.log; DISK itself
// is closed to the machine, so whatever a guest does to its files (links!) we never follow a path below those directories.

import { type ChildProcess, type StdioOptions, spawn } from 'node:child_process';
import { chmodSync, chownSync, mkdirSync, readFileSync, statSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import type { Socket } from 'node:net';
import { join } from 'node:path';
import type { InstanceId } from '@postern/network/snapshot.ts';
import type { Lease, MachineSpec, Machines } from '../types.ts';
import { type BootFile, bootFiles, leaseFiles, machineEnvironment } from './boot-files.ts';
import { ConsoleRing, savedConsole } from './console-ring.ts';
import { type IdPlan, planIds } from './id-plan.ts';
import { buildImage } from './image.ts';
import { kill, Launcher } from './launcher.ts';

export interface MachinesOptions {
  /** A directory for the shared image, owned whole by us; its parents may be closed to everybody else. */
  readonly imageDirectory: string;
  /** Where `init.pl` and, when built, `ssh.mjs` and `ssm-agent.mjs` lie. */
  readonly guestDirectory: string;
  /** The Node binary shown to machines. */
  readonly node?: string;
  readonly sshBundle?: string;
  /** For the tests: another id map than /proc/self/uid_map. */
  readonly uidMap?: string;
}

type Reason = 'shutdown' | 'reboot' | 'crash';

interface Machine {
  readonly pid: number;
  readonly socket: Socket;
  readonly console: ConsoleRing;
  readonly gone: Promise<void>;
  readonly settleGone: () => void;
  ready?: { resolve: () => void; reject: (error: Error) => void } | undefined;
  /** Told one by one when the machine has taken a lease. */
  readonly renewals: (() => void)[];
  /** We asked for its end: then it is no exit of its own. */
  stopping: boolean;
}

const overlays = ['usr', 'etc', 'var', 'opt'] as const;
const bootTimeoutMs = 10_000;

/** Machines made of Linux namespaces. One object per server process. */
export class LinuxMachines implements Machines {
  readonly #options: MachinesOptions;
  readonly #ids: IdPlan;
  readonly #launcher: Launcher;
  readonly #machines = new Map<InstanceId, Machine>();
  readonly #starting = new Set<InstanceId>();
  readonly #consoleFiles = new Map<InstanceId, string>();
  readonly #listeners = new Set<(instanceId: InstanceId, reason: Reason) => void>();
  #imageFor: string | undefined;

  constructor(options: MachinesOptions) {
    this.#options = options;
    this.#ids = planIds(options.uidMap ?? readFileSync('/proc/self/uid_map', 'utf8'));
    const files = {
      initScript: join(options.guestDirectory, 'init.pl'),
      image: options.imageDirectory,
      node: options.node ?? process.execPath,
    };
    this.#launcher = new Launcher(files, this.#ids, (id, status) => this.#ended(id as InstanceId, status));
  }

  /** Builds the shared image; `start` does it when it wasn't done, which costs the first machine some 50 ms. */
  prepare(caCertificate: string): void {
    if (this.#imageFor === caCertificate) return;
    if (this.#machines.size + this.#starting.size > 1)
      throw new Error('machines run that trust another certificate authority: stop them first');
    const sshBundle = this.#options.sshBundle ?? join(this.#options.guestDirectory, 'ssh.mjs');
    const agentBundle = join(this.#options.guestDirectory, 'ssm-agent.mjs');
    const isBuilt = (file: string) => statSync(file, { throwIfNoEntry: false })?.isFile() === true;
    buildImage(this.#options.imageDirectory, this.#ids, {
      caCertificate,
      ...(isBuilt(sshBundle) && { sshBundle }),
      ...(isBuilt(agentBundle) && { agentBundle }),
    });
    this.#imageFor = caCertificate;
  }

  async start(spec: MachineSpec): Promise<void> {
    const id = spec.instanceId;
    if (this.#machines.has(id) || this.#starting.has(id)) throw new Error(`the machine ${id} runs already`);
    this.#starting.add(id);
    try {
      this.prepare(spec.caCertificate);
      this.#makeDisk(spec.disk);
      const { pid, socket } = await this.#launcher.launch(id, spec.disk);
      const consoleFile = join(spec.disk, 'console.log');
      this.#consoleFiles.set(id, consoleFile);
      let settleGone = () => {};
      const gone = new Promise<void>((resolve) => {
        settleGone = resolve;
      });
      const machine: Machine = {
        pid,
        socket,
        console: new ConsoleRing(consoleFile),
        gone,
        settleGone,
        renewals: [],
        stopping: false,
      };
      this.#machines.set(id, machine);
      await this.#configure(id, machine, spec);
    } finally {
      this.#starting.delete(id);
    }
  }

  release(instanceId: InstanceId): void {
    this.#machines.get(instanceId)?.socket.write('release\n');
  }

  renewLease(instanceId: InstanceId, lease: Lease): Promise<void> {
    const machine = this.#machines.get(instanceId);
    if (!machine) return Promise.resolve();
    machine.socket.write(Buffer.concat([...leaseFiles(lease).map(fileFrame), Buffer.from('renewed\n')]));
    return Promise.race([machine.gone, new Promise<void>((resolve) => machine.renewals.push(resolve))]);
  }

  async stop(instanceId: InstanceId, options: { graceMs?: number } = {}): Promise<void> {
    const machine = this.#machines.get(instanceId);
    if (!machine) return;
    machine.stopping = true;
    const graceMs = options.graceMs ?? 2000;
    // Without a grace there is nothing to ask: the kernel ends all of it with its process 1.
    if (graceMs === 0) kill(machine.pid);
    else machine.socket.write(`stop ${graceMs}\n`);
    // Init ends by itself at the end of the grace; the kernel then ends all of its namespace. This is for an init that does not.
    const timer = setTimeout(() => kill(machine.pid), graceMs + 500);
    await machine.gone;
    clearTimeout(timer);
  }

  async destroy(instanceId: InstanceId, disk: string): Promise<void> {
    if (this.#machines.has(instanceId))
      throw new Error(`the machine ${instanceId} runs: stop it before its disk is removed`);
    this.#consoleFiles.delete(instanceId);
    // A guest may have filled it with a million files: nobody else waits for that.
    await rm(disk, { recursive: true, force: true });
  }

  running(): readonly InstanceId[] {
    return [...this.#machines.keys()];
  }

  processId(instanceId: InstanceId): number | undefined {
    return this.#machines.get(instanceId)?.pid;
  }

  onExit(listener: (instanceId: InstanceId, reason: Reason) => void): void {
    this.#listeners.add(listener);
  }

  exec(
    instanceId: InstanceId,
    argv: readonly string[],
    options: { stdio: StdioOptions; env?: Record<string, string>; cwd?: string },
  ): ChildProcess {
    const machine = this.#machines.get(instanceId);
    if (!machine) throw new Error(`the machine ${instanceId} is not running`);
    // Without an id range setgroups is forbidden, and nsenter would insist on it; our own id is then the machine's root already.
    const credentials = this.#ids.count === 1 ? ['--preserve-credentials'] : [];
    // The limit on processes is init's; what is entered from outside would not have it. dash says -p where bash says -u.
    const enter = 'ulimit -u 4096 2>/dev/null || ulimit -p 4096 2>/dev/null; cd -- "$0" 2>/dev/null || cd /; exec "$@"';
    const cwd = options.cwd ?? '/home/ec2-user';
    // Not --all: that names the time namespace too, which is ours and may not be entered again.
    const namespaces = ['--user', '--mount', '--uts', '--ipc', '--net', '--pid', '--cgroup'];
    const command = [
      ...namespaces,
      '--target',
      String(machine.pid),
      ...credentials,
      '--',
      '/bin/sh',
      '-c',
      enter,
      cwd,
      ...argv,
    ];
    return spawn('nsenter', command, {
      stdio: options.stdio,
      env: { ...machineEnvironment(), ...options.env },
      cwd: '/',
    });
  }

  /** @param disk for a machine that this process never started, e.g. one that was stopped before a restart */
  consoleOutput(instanceId: InstanceId, disk?: string): Buffer {
    const machine = this.#machines.get(instanceId);
    if (machine) return machine.console.text();
    const file = disk === undefined ? this.#consoleFiles.get(instanceId) : join(disk, 'console.log');
    return file === undefined ? Buffer.alloc(0) : savedConsole(file);
  }

  /** Stops every machine and the launcher. */
  async close(): Promise<void> {
    await Promise.all(this.running().map((id) => this.stop(id, { graceMs: 300 })));
    await this.#launcher.close();
  }

  #makeDisk(disk: string): void {
    mkdirSync(disk, { recursive: true, mode: 0o711 });
    // The machine's root goes through this directory by descriptor only; the parents are closed to it.
    chmodSync(disk, 0o711);
    for (const name of [
      'upper',
      'work',
      'home',
      'root',
      ...overlays.flatMap((name) => [`upper/${name}`, `work/${name}`]),
    ]) {
      const path = join(disk, name);
      if (statSync(path, { throwIfNoEntry: false })) continue;
      mkdirSync(path, { mode: name === 'root' ? 0o700 : 0o755 });
      chmodSync(path, name === 'root' ? 0o700 : 0o755);
      if (this.#ids.base !== 0) chownSync(path, this.#ids.base, this.#ids.base);
    }
  }

  /** Sends what is particular to this machine and waits until its init is up. */
  #configure(id: InstanceId, machine: Machine, spec: MachineSpec): Promise<void> {
    const { socket } = machine;
    const up = new Promise<void>((resolve, reject) => {
      machine.ready = { resolve, reject };
    });
    this.#listen(machine);
    const environment = Buffer.from(
      Object.entries(machineEnvironment())
        .map(([name, value]) => `${name}=${value}`)
        .join('\0'),
    );
    const frames = [
      frame(`environment ${environment.length}`, environment),
      Buffer.from(`hostname ${spec.hostname}\n`),
    ];
    for (const file of bootFiles(spec)) frames.push(fileFrame(file));
    if (spec.userData && spec.userData.length > 0)
      frames.push(frame(`user-data ${spec.userData.length}`, spec.userData));
    frames.push(Buffer.from('configured\n'));
    socket.write(Buffer.concat(frames));
    const timer = setTimeout(() => {
      machine.ready?.reject(new Error(`the machine ${id} did not come up within ${bootTimeoutMs / 1000} s`));
    }, bootTimeoutMs);
    return up
      .catch(async (error: unknown) => {
        machine.stopping = true;
        kill(machine.pid);
        await machine.gone;
        throw error;
      })
      .finally(() => {
        clearTimeout(timer);
        machine.ready = undefined;
      });
  }

  /** Frames from init: `ready`, `renewed`, `console BYTES\n…`, `failed BYTES\n…`. */
  #listen(machine: Machine): void {
    let buffer: Buffer = Buffer.alloc(0);
    machine.socket.on('data', (chunk: Buffer) => {
      buffer = buffer.length === 0 ? chunk : Buffer.concat([buffer, chunk]);
      for (;;) {
        const end = buffer.indexOf(10);
        // Init's memory is its guest's to change: a head that is no frame ends the talk, not the server.
        if (end < 0 ? buffer.length > 64 : end > 64) return void machine.socket.destroy();
        if (end < 0) return;
        const [verb, length = '0'] = buffer.subarray(0, end).toString().split(' ');
        const bytes = Number(length);
        if (!(bytes >= 0 && bytes <= 1 << 20)) return void machine.socket.destroy();
        if (buffer.length < end + 1 + bytes) return;
        const body = buffer.subarray(end + 1, end + 1 + bytes);
        buffer = buffer.subarray(end + 1 + bytes);
        if (verb === 'ready') machine.ready?.resolve();
        else if (verb === 'renewed') machine.renewals.shift()?.();
        else if (verb === 'console') machine.console.append(Buffer.from(body));
        else if (verb === 'failed')
          machine.ready?.reject(new Error(`the machine could not be made: ${body.toString().trim()}`));
      }
    });
  }

  #ended(id: InstanceId, waitStatus: number): void {
    const machine = this.#machines.get(id);
    if (!machine) return;
    this.#machines.delete(id);
    machine.ready?.reject(new Error(`the machine ${id} ended while it came up (status ${waitStatus})`));
    // What it said last may still be in the socket.
    const finish = () => {
      machine.console.close();
      machine.settleGone();
      if (!machine.stopping) for (const listener of this.#listeners) listener(id, reasonOf(waitStatus));
    };
    if (machine.socket.closed) finish();
    else machine.socket.once('close', finish).resume();
    machine.socket.end();
  }
}

function frame(head: string, body: Buffer): Buffer {
  return Buffer.concat([Buffer.from(`${head}\n`), body]);
}

function fileFrame({ path, mode, text, onlyWhenMissing }: BootFile): Buffer {
  const bytes = Buffer.from(text);
  return frame(`file ${bytes.length} ${onlyWhenMissing ? 'new:' : ''}${mode} ${path}`, bytes);
}

/** Our init's exit codes, and the signals by which the kernel answers reboot(2) in a PID namespace (man 2 reboot): SIGINT power off, SIGHUP restart. */
function reasonOf(waitStatus: number): Reason {
  const signal = waitStatus & 127;
  const code = waitStatus >> 8;
  if (signal === 2 || (signal === 0 && code === 0)) return 'shutdown';
  if (signal === 1 || (signal === 0 && code === 3)) return 'reboot';
  return 'crash';
}
