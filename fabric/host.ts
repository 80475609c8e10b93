// The only file of the network half that starts a process. Commands are argument arrays; what they are to do goes in by stdin.

import { type ChildProcess, spawn } from 'node:child_process';
import { ipv6Only } from './render/ip.ts';

export interface Finished {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs a command to its end. Never rejects: a command that cannot start has code 127. */
export function run(command: string, args: readonly string[], stdin = ''): Promise<Finished> {
  return new Promise((resolve) => {
    const child = spawn(command, args, { stdio: 'pipe' });
    const stdout: Buffer[] = [];
    const stderr: Buffer[] = [];
    child.on('error', (error) => resolve({ code: 127, stdout: '', stderr: error.message }));
    child.on('close', (code) =>
      resolve({
        code: code ?? 128,
        stdout: Buffer.concat(stdout).toString(),
        stderr: Buffer.concat(stderr).toString(),
      }),
    );
    // Out of file descriptors, Node makes a child without streams and says so by the event.
    child.stdout?.on('data', (chunk: Buffer) => stdout.push(chunk));
    child.stderr?.on('data', (chunk: Buffer) => stderr.push(chunk));
    child.stdin?.on('error', () => {}).end(stdin);
  });
}

/** Where a command runs: the core, a VPC's router or a NAT or transit gateway by its id. Inside machines: machine-networks.ts. */
export type Place =
  | { readonly kind: 'core' }
  | { readonly kind: 'vpc' | 'nat-gateway' | 'transit-gateway'; readonly name: string };

function entered(place: Place, command: readonly string[]): readonly [string, ...string[]] {
  const [program = 'true', ...args] = command;
  return place.kind === 'core' ? [program, ...args] : ['nsenter', `--net=/run/netns/${place.name}`, program, ...args];
}

function runIn(place: Place, command: readonly string[], stdin: string): Promise<Finished> {
  const [program, ...args] = entered(place, command);
  return run(program, args, stdin);
}

/** Starts what is to go on running. */
export function startIn(place: Place, command: readonly string[]): ChildProcess {
  const [program, ...args] = entered(place, command);
  return spawn(program, args, { stdio: ['ignore', 'pipe', 'pipe'] });
}

/** What `ip` did not do, with its words. */
export interface Refusal {
  readonly entry: string;
  readonly message: string;
}

/** Runs all of `entries` by one `ip -batch`; one that fails does not keep the others from being done. An entry may have several lines. */
export async function ipEntries(place: Place, entries: readonly string[]): Promise<Refusal[]> {
  const refused: Refusal[] = [];
  for (const { options, lines, entries: own } of ipBatches(entries)) {
    const finished = await runIn(place, ['ip', ...options, '-force', '-batch', '-'], lines);
    refused.push(...refusalsOf(own, finished));
  }
  return refused;
}

export interface IpBatch {
  readonly options: readonly string[];
  readonly lines: string;
  /** As they were given. */
  readonly entries: readonly string[];
}

/** What one `ip` can do at once: the entries that begin with `-6 ` need an `ip -6`. In order, and none without entries. */
export function ipBatches(entries: readonly string[]): IpBatch[] {
  const isIpv6Only = (entry: string) => entry.startsWith(ipv6Only);
  return [false, true].flatMap((wanted) => {
    const own = entries.filter((entry) => isIpv6Only(entry) === wanted);
    const lines = own.map((entry) => (wanted ? entry.slice(ipv6Only.length) : entry));
    return own.length === 0 ? [] : [{ options: wanted ? ['-6'] : [], lines: `${lines.join('\n')}\n`, entries: own }];
  });
}

/** Reads `Command failed -:LINE` off what `ip -force -batch -` said. When it did not get to the lines at all, every entry is refused. */
export function refusalsOf(entries: readonly string[], finished: Pick<Finished, 'code' | 'stderr'>): Refusal[] {
  if (finished.code === 0) return [];
  const owners = entries.flatMap((entry) => entry.split('\n').map(() => entry));
  const refused = new Map<string, string>();
  let words: string[] = [];
  for (const line of finished.stderr.split('\n')) {
    const owner = owners[Number(/^Command failed -:(\d+)$/.exec(line)?.[1]) - 1];
    if (owner === undefined) {
      if (line !== '') words.push(line);
      continue;
    }
    const lineOf = words.join(' ') || 'failed';
    if (!refused.has(owner)) refused.set(owner, `${lineOf} (${owner.split('\n')[0]})`);
    words = [];
  }
  if (refused.size > 0) return [...refused].map(([entry, message]) => ({ entry, message }));
  return entries.map((entry) => ({ entry, message: words.join(' ') || `ended with ${finished.code}` }));
}

/** `nft -f`: one transaction. */
export function nft(place: Place, text: string): Promise<Finished> {
  return runIn(place, ['nft', '-f', '-'], text);
}

export function query(place: Place, command: readonly string[]): Promise<Finished> {
  return runIn(place, command, '');
}

/** Values by path below /proc/sys. */
export function setKernelParameters(
  place: Place,
  values: Readonly<Record<string, string | number>>,
): Promise<Finished> {
  const script = 'while read -r path value; do echo "$value" > "/proc/sys/$path" || failed=1; done; [ -z "$failed" ]';
  const lines = Object.entries(values).map(([path, value]) => `${path} ${value}`);
  return runIn(place, ['sh', '-c', script], `${lines.join('\n')}\n`);
}

/** Elements of sets of table `vpc`, as numbers and not as names; all of them or none. */
export function setsOf(
  place: Place,
  sets: readonly { readonly family: string; readonly name: string }[],
): Promise<Finished> {
  const script =
    'while read -r family name; do nft --numeric --numeric-time list set "$family" vpc "$name" || exit 1; done';
  return runIn(place, ['sh', '-c', script], sets.map(({ family, name }) => `${family} ${name}\n`).join(''));
}
