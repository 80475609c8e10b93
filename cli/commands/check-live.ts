// `postern check --live`: the flows that an assertion is about, sent as packets from inside the instances, and what came of them.
// A TCP refusal and ICMP's "port unreachable" are answers: the packets came through, both ways, and nobody listened. Silence is a drop.

import type { Probe, Probed, Result } from '@postern/check/report.ts';
import { encodeFrame, FrameReader, frameKinds } from '@postern/server/operator/api.ts';
import type { Cloud } from '../cloud.ts';
import { OperatorError } from '../terminal.ts';

/** A packet that is dropped costs this much; one that is missing although the model lets it pass is asked for again, longer. */
const [impatientS, patientS] = [1.5, 5];
/** At a time: each is a process in an instance. */
const together = 8;

/** Sends what belongs to each result. The kernel is waited for first, so that what is probed is what was asked for. */
export async function probeAll(cloud: Cloud, results: readonly Result[]): Promise<Result[]> {
  await cloud.ask('GET', '/settled');
  const waiting = results.flatMap(({ probes }, place) => probes.map((probe) => ({ probe, place })));
  const seen: Probed[][] = results.map(() => []);
  const work = async () => {
    for (let next = waiting.shift(); next !== undefined; next = waiting.shift())
      seen[next.place]?.push(await tryOnce(cloud, next.probe));
  };
  await Promise.all(Array.from({ length: together }, work));
  return results.map((result, place) => {
    const probed = seen[place] ?? [];
    const disagreements = probed.filter((each) => each.seen !== 'not tried' && each.seen !== each.expected).length;
    return probed.length === 0 ? result : { ...result, live: { probed, disagreements } };
  });
}

async function tryOnce(cloud: Cloud, probe: Probe): Promise<Probed> {
  try {
    let found = await send(cloud, probe, impatientS);
    if (probe.expected === 'open' && found.seen === 'dropped') found = await send(cloud, probe, patientS);
    const isSilent = found.seen === 'dropped' && probe.expected === 'open' && (await hasUdpService(cloud, probe));
    return {
      ...probe,
      ...(isSilent ? { seen: 'not tried', words: 'a UDP service is there that need not answer' } : found),
    };
  } catch (error) {
    if (!(error instanceof OperatorError)) throw error;
    return { ...probe, seen: 'not tried', words: error.message };
  }
}

/** Nothing tells a service that keeps silent from a packet that was dropped. */
async function hasUdpService(cloud: Cloud, { protocol, to, port }: Probe): Promise<boolean> {
  if (protocol !== 'udp' || to.instanceId === undefined) return false;
  const { output } = await run(cloud, to.instanceId, ['ss', '-ulnH', 'sport', '=', `:${port}`]);
  return output.trim() !== '';
}

type Seen = Pick<Probed, 'seen' | 'words'>;

function send(cloud: Cloud, probe: Probe, seconds: number): Promise<Seen> {
  return probe.from.kind === 'internet'
    ? fromTerminal(cloud, probe)
    : fromInstance(cloud, probe.from.instanceId, probe, seconds);
}

/** The person's terminal has a road to instances, and TCP alone. */
async function fromTerminal(cloud: Cloud, { to, protocol, port }: Probe): Promise<Seen> {
  if (to.instanceId === undefined || protocol !== 'tcp' || port === undefined)
    return { seen: 'not tried', words: 'from the internet, TCP to an instance can be tried' };
  try {
    const stream = await cloud.open(`/tunnel?${new URLSearchParams({ instance: to.instanceId, port: String(port) })}`);
    stream.destroy();
    return { seen: 'open', words: 'connected' };
  } catch (error) {
    if (!(error instanceof OperatorError)) throw error;
    return /refused/i.test(error.message)
      ? { seen: 'open', words: 'refused' }
      : { seen: 'dropped', words: error.message };
  }
}

async function fromInstance(cloud: Cloud, instanceId: string, probe: Probe, seconds: number): Promise<Seen> {
  const { status, output } = await run(cloud, instanceId, commandOf(probe, seconds));
  const words = output.trim().split('\n').at(-1) ?? '';
  if (status === 0) return { seen: 'open', words: words || 'answered' };
  if (status === 1) return { seen: 'dropped', words: words || 'no answer' };
  return { seen: 'not tried', words: words || `the probe ended with ${status}` };
}

/** Perl is in every instance: it is its first process. */
const knock = `
use strict; use Socket qw(:all); use Errno; use IO::Select;
my ($kind, $to, $port, $from, $wait) = @ARGV;
my $family = $to =~ /:/ ? AF_INET6 : AF_INET;
my $name = sub { my ($p, $a) = @_; my $n = inet_pton($family, $a); $family == AF_INET6 ? pack_sockaddr_in6($p, $n) : pack_sockaddr_in($p, $n) };
socket(my $s, $family, $kind eq 'tcp' ? SOCK_STREAM : SOCK_DGRAM, 0) or do { print "$!"; exit 2 };
bind($s, $name->(0, $from)) or do { print "bind: $!"; exit 2 };
$s->blocking(0);
my $begun = connect($s, $name->($port, $to));
my $error = $! + 0;
if ($kind eq 'tcp') {
  do { print "connected"; exit 0 } if $begun;
  do { print "refused"; exit 0 } if $error == Errno::ECONNREFUSED;
  do { print "$!"; exit 1 } if $error != Errno::EINPROGRESS;
  do { print "timed out"; exit 1 } unless IO::Select->new($s)->can_write($wait);
  $error = unpack 'i', getsockopt($s, SOL_SOCKET, SO_ERROR);
  do { print "connected"; exit 0 } if $error == 0;
  do { print "refused"; exit 0 } if $error == Errno::ECONNREFUSED;
  $! = $error; print "$!"; exit 1;
}
for (1 .. 3) {
  send($s, "postern check\\n", 0);
  next unless IO::Select->new($s)->can_read($wait / 3);
  my $got = recv($s, my $text, 1500, 0);
  do { print "answered"; exit 0 } if defined $got;
  do { print "refused"; exit 0 } if $! == Errno::ECONNREFUSED;
}
print "no answer"; exit 1;
`;

function commandOf({ to, from, protocol, port }: Probe, seconds: number): string[] {
  if (protocol === 'icmp')
    return [
      'sh',
      '-c',
      'ping -n -c 2 -i 0.3 -W "$2" "$1" >/dev/null 2>&1',
      'sh',
      to.address,
      String(Math.ceil(seconds)),
    ];
  const source = from.kind === 'instance' ? from.address : '0.0.0.0';
  return ['perl', '-e', knock, protocol, to.address, String(port ?? 0), source, String(seconds)];
}

/** A command inside an instance, and what it printed. */
async function run(
  cloud: Cloud,
  instanceId: string,
  argv: readonly string[],
): Promise<{ status: number; output: string }> {
  const query = new URLSearchParams({ instance: instanceId, argv: JSON.stringify(argv), tty: '0' });
  const stream = await cloud.open(`/exec?${query}`);
  stream.write(encodeFrame(frameKinds.stdinEnd, new Uint8Array()));
  const frames = new FrameReader();
  let output = '';
  let status = 255;
  for await (const chunk of stream)
    for (const { kind, payload } of frames.push(chunk as Buffer)) {
      if (kind === frameKinds.exit) status = Number(payload.toString('utf8'));
      else if (kind === frameKinds.stdout || kind === frameKinds.stderr) output += payload.toString('utf8');
    }
  return { status, output };
}
