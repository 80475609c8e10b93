// A cloud for one test: brought up by the built command in a directory of its own on a free port, and gone afterwards.

import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { chmodSync, chownSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const root = join(dirname(fileURLToPath(import.meta.url)), '..', '..');
export const command = join(root, 'dist', 'postern.mjs');

/** An ordinary user of this machine to run as, when the tests run as root: the first one from 1000 on, or nobody, who can read the build. */
export function ordinaryUser(): { uid: number; gid: number; name: string } | undefined {
  if (process.getuid?.() !== 0) return undefined;
  const users = readFileSync('/etc/passwd', 'utf8')
    .split('\n')
    .map((line) => line.split(':'))
    .map(([name = '', , uid = '', gid = '']) => ({ uid: Number(uid), gid: Number(gid), name }))
    .filter(({ uid }) => uid >= 1000 && uid < 65_000);
  return [...users, { uid: 65_534, gid: 65_534, name: 'nobody' }].find(mayRunTests);
}

/** A checkout or a Node in somebody's closed home is out of another user's reach. */
function mayRunTests({ uid, gid }: { uid: number; gid: number }): boolean {
  const look = 'for (const path of process.argv.slice(1)) require("node:fs").accessSync(path)';
  const places = [
    command,
    join(root, 'dist', 'server.mjs'),
    join(root, 'node_modules', 'libsql', 'package.json'),
    `${tmpdir()}/.`,
  ];
  return spawnSync(process.execPath, ['-e', look, ...places], { uid, gid, cwd: '/', stdio: 'ignore' }).status === 0;
}

export interface Own {
  readonly directory: string;
  readonly environment: Readonly<Record<string, string>>;
  readonly endpoint: string;
  readonly launcher: ChildProcess;
  /** What it wrote to standard error so far. */
  complaints(): string;
  /** Ends in order; keeps the directory when asked to. */
  end(options?: { keep?: boolean }): Promise<number | null>;
  /** Resolves when the launcher has ended. */
  readonly ended: Promise<number | null>;
}

export interface OwnOptions {
  readonly directory?: string;
  readonly args?: readonly string[];
  /** Beside this process's own. */
  readonly environment?: Readonly<Record<string, string>>;
  readonly user?: { readonly uid: number; readonly gid: number };
}

export function newDirectory(user?: { uid: number; gid: number }): string {
  const directory = mkdtempSync(join(tmpdir(), 'postern-test-'));
  chmodSync(directory, 0o700);
  if (user) chownSync(directory, user.uid, user.gid);
  return directory;
}

export function bringUp(options: OwnOptions = {}): Promise<Own> {
  const directory = options.directory ?? newDirectory(options.user);
  const child = spawn(
    process.execPath,
    [command, 'up', '--data', directory, '--port', '0', '--json', ...(options.args ?? [])],
    {
      stdio: ['ignore', 'pipe', 'pipe'],
      env: { ...process.env, ...options.environment, ...(options.user && { HOME: directory }) },
      ...options.user,
    },
  );
  let output = '';
  let complaints = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    complaints += text;
  });
  const ended = new Promise<number | null>((resolve) => child.on('exit', (code) => resolve(code)));
  return new Promise((resolve, reject) => {
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      output += text;
      let greeting: { endpoint: string; environment: Record<string, string> };
      try {
        greeting = JSON.parse(output) as typeof greeting;
      } catch {
        return; // half of it; the rest is coming
      }
      // A failure is JSON too; the end of the process tells it.
      if (greeting.endpoint === undefined) return;
      resolve({
        directory,
        environment: greeting.environment,
        endpoint: greeting.endpoint,
        launcher: child,
        complaints: () => complaints,
        ended,
        end: async ({ keep = false } = {}) => {
          child.kill('SIGTERM');
          const code = await ended;
          if (!keep) rmSync(directory, { recursive: true, force: true });
          return code;
        },
      });
    });
    ended.then((code) => reject(new Error(`the cloud ended with ${code} before it answered:\n${complaints}`)));
  });
}

/** Processes of this machine that have the directory in their command line or environment. */
export function processesOf(directory: string): string[] {
  const found: string[] = [];
  for (const id of readdirSync('/proc')) {
    if (!/^\d+$/.test(id) || Number(id) === process.pid) continue;
    try {
      const line = readFileSync(`/proc/${id}/cmdline`, 'utf8');
      const environment = readFileSync(`/proc/${id}/environ`, 'utf8');
      if (line.includes(directory) || environment.includes(directory))
        found.push(`${id} ${line.replaceAll('\0', ' ')}`);
    } catch {
      // it ended meanwhile, or belongs to somebody else
    }
  }
  return found;
}

export interface Kin {
  readonly id: number;
  /** Together with the id it names a process for good. */
  readonly startedAt: string;
  readonly commandLine: string;
}

/** A process and all its descendants, whatever namespaces they are in: the host's /proc shows them all. */
export function familyOf(ancestor: number): Kin[] {
  const all = readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .flatMap((name) => {
      const found = kinOf(Number(name));
      return found ? [found] : [];
    });
  const family = new Set([ancestor]);
  // A child's number may be lower than its parent's, so until nothing is added any more.
  for (let before = 0; before < family.size; ) {
    before = family.size;
    for (const one of all) if (family.has(one.parent)) family.add(one.id);
  }
  return all.filter((one) => family.has(one.id));
}

/** Those of a family that are still there. */
export function survivors(family: readonly Kin[]): Kin[] {
  return family.filter((one) => kinOf(one.id)?.startedAt === one.startedAt);
}

function kinOf(id: number): (Kin & { parent: number }) | undefined {
  try {
    const stat = readFileSync(`/proc/${id}/stat`, 'utf8');
    // The name in parentheses may hold anything; after it come state, parent … and, as the 20th, the start time (proc(5)).
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    if (fields[0] === 'Z') return undefined;
    const commandLine = readFileSync(`/proc/${id}/cmdline`, 'utf8').replaceAll('\0', ' ');
    return { id, parent: Number(fields[1]), startedAt: fields[19] ?? '', commandLine };
  } catch {
    return undefined;
  }
}

/** Mounts of this machine that lie in the directory. */
export function mountsOf(directory: string): string[] {
  return readFileSync('/proc/self/mounts', 'utf8')
    .split('\n')
    .filter((line) => line.includes(directory));
}
