// Configures interfaces inside machines: addresses, routes and rules in the network namespace of a process of each. One helper process serves all
// machines of an apply, for a thousand of them cost a thousand times two program starts otherwise.
// Only the network namespace is entered and the program is ours, so nothing of the guest's file system runs. The world's root has the capabilities
// over a machine's network because the machine's user namespace is a child of the world's.

import { existsSync, readlinkSync } from 'node:fs';
import type { LinkEnd } from './compile/host-state.ts';
import { ipBatches, type Refusal, refusalsOf, run } from './host.ts';

export interface MachineJob {
  readonly processId: number;
  readonly entries: readonly string[];
}

/** setns(2) has a number of its own on each architecture (asm/unistd.h). */
const setns: Readonly<Record<string, number>> = {
  x64: 308,
  arm64: 268,
  riscv64: 268,
  loong64: 268,
  ppc64: 350,
  s390x: 339,
};
const atOnce = 4;

// Jobs on stdin: `PID BYTES OPTION…\n…`. Answers on stdout, in the same order: `STATUS BYTES\n…`, the bytes being what ip said.
const helper = `
use strict; use warnings; binmode STDIN; binmode STDOUT; $SIG{PIPE} = 'IGNORE';
my ($setns, $most) = map { 0 + $_ } @ARGV;
my $jobs = do { local $/; <STDIN> };
my @running;
sub finish {
  my ($pid, $words) = @{ shift @running };
  my $said = do { local $/; <$words> } // '';
  waitpid $pid, 0;
  print $? == 0 ? 0 : 1, ' ', length $said, "\\n", $said;
}
my $at = 0;
while ($at < length $jobs) {
  my $end = index $jobs, "\\n", $at;
  my ($target, $size, @options) = split / /, substr($jobs, $at, $end - $at);
  my $lines = substr $jobs, $end + 1, $size;
  $at = $end + 1 + $size;
  finish() if @running >= $most;
  pipe my $in, my $feed or die "pipe: $!";
  pipe my $words, my $out or die "pipe: $!";
  my $pid = fork // die "fork: $!";
  if ($pid == 0) {
    open STDIN, '<&', $in; open STDOUT, '>', '/dev/null'; open STDERR, '>&', $out;
    close $feed; close $words;
    if (!open my $namespace, '<', "/proc/$target/ns/net") { print STDERR "the machine has ended\\n"; exit 1 }
    elsif (syscall($setns, fileno $namespace, 0x40000000) != 0) { print STDERR "setns: $!\\n"; exit 1 }
    exec 'ip', @options, '-force', '-batch', '-' or exit 127;
  }
  close $in; close $out;
  print $feed $lines; close $feed;
  push @running, [$pid, $words];
}
finish() while @running;
`;

/** @returns for each job what was refused, in the order of the jobs */
export async function configureMachines(jobs: readonly MachineJob[]): Promise<readonly (readonly Refusal[])[]> {
  if (jobs.length === 0) return [];
  const batches = jobs.flatMap(({ processId, entries }, job) =>
    ipBatches(entries).map((batch) => ({ ...batch, job, processId })),
  );
  const input = batches.map(
    ({ processId, options, lines }) => `${[processId, Buffer.byteLength(lines), ...options].join(' ')}\n${lines}`,
  );
  const number = setns[process.arch];
  if (number === undefined) throw new Error(`the number of setns on ${process.arch} is not known`);
  const finished = await run('perl', ['-e', helper, String(number), String(atOnce)], input.join(''));
  let rest = finished.stdout;
  const refused: Refusal[][] = jobs.map(() => []);
  for (const { job, entries } of batches) {
    const [, status, size = '0'] = /^(\d+) (\d+)\n/.exec(rest) ?? [];
    const head = rest.indexOf('\n') + 1;
    const said = rest.slice(head, head + Number(size));
    rest = rest.slice(head + Number(size));
    const told =
      status === undefined
        ? { code: finished.code || 1, stderr: finished.stderr }
        : { code: Number(status), stderr: said };
    refused[job]?.push(...refusalsOf(entries, told));
  }
  return refused;
}

/** False when the machine has ended, also while nobody has waited for it yet: a zombie has no namespaces. A NAT gateway is there while its namespace is. */
export function isAlive(end: Exclude<LinkEnd, 'core'>): boolean {
  if (typeof end === 'string') return existsSync(`/run/netns/${end}`);
  try {
    readlinkSync(`/proc/${end}/ns/net`);
    return true;
  } catch {
    return false;
  }
}
