// The only file of the network half that starts a process. Commands are argument arrays; what they are to do goes in by stdin.

import { spawn } from 'node:child_process';

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
    child.stdout.on('data', (chunk: Buffer) => stdout.push(chunk));
    child.stderr.on('data', (chunk: Buffer) => stderr.push(chunk));
    child.stdin.on('error', () => {});
    child.on('error', (error) => resolve({ code: 127, stdout: '', stderr: error.message }));
    child.on('close', (code) =>
      resolve({
        code: code ?? 128,
        stdout: Buffer.concat(stdout).toString(),
        stderr: Buffer.concat(stderr).toString(),
      }),
    );
    child.stdin.end(stdin);
  });
}

/** Where a command runs: the core, a VPC's router by its id, or a machine's network by a process of it. */
export type Place =
  | { readonly kind: 'core' }
  | { readonly kind: 'vpc'; readonly name: string }
  | { readonly kind: 'machine'; readonly processId: number };

function inPlace(place: Place, command: readonly string[]): readonly string[] {
  switch (place.kind) {
    case 'core':
      return command;
    case 'vpc':
      return ['nsenter', `--net=/run/netns/${place.name}`, ...command];
    case 'machine':
      // Only the network namespace is entered, and the program is ours: nothing of the guest's file system runs. A world's root has the
      // capabilities over a machine's network because the machine's user namespace is a child of the world's.
      return ['nsenter', '-t', String(place.processId), '-n', ...command];
  }
}

function runIn(place: Place, command: readonly string[], stdin: string): Promise<Finished> {
  const [program = 'true', ...args] = inPlace(place, command);
  return run(program, args, stdin);
}

/** `ip -batch`. With `force` it goes on after a line that fails, e.g. when removing what may be gone. */
export function ipBatch(
  place: Place,
  lines: readonly string[],
  options: { readonly force?: boolean } = {},
): Promise<Finished> {
  return runIn(place, ['ip', ...(options.force === true ? ['-force'] : []), '-batch', '-'], `${lines.join('\n')}\n`);
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
