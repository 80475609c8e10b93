// What the tests run inside instances: a way to run many attempts at once, and the small programs that they need there. Perl, because every
// instance has it.

import { spawn } from 'node:child_process';
import { command } from './own-cloud.ts';

export interface Ran {
  readonly status: number | null;
  readonly out: string;
}

/** `postern ARGS…` for the cloud of a data directory. */
export function postern(directory: string, ...args: readonly string[]): Promise<Ran> {
  const child = spawn(process.execPath, [command, ...args], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, POSTERN_DATA: directory },
  });
  let out = '';
  for (const stream of [child.stdout, child.stderr])
    stream.setEncoding('utf8').on('data', (text: string) => {
      out += text;
    });
  return new Promise((resolve) => child.on('close', (status) => resolve({ status, out })));
}

/** Runs a shell script inside an instance. */
export function inside(directory: string, instanceId: string, script: string, ...args: string[]): Promise<Ran> {
  return postern(directory, 'exec', instanceId, '--', 'sh', '-c', script, 'sh', ...args);
}

/** Seconds that what must work is waited for: on a busy machine it may have to wait for its turn. */
export const patient = 15;

const harness = `
patience=$1; shift
while [ $# -gt 0 ]; do
  ( timeout -k 1 "$patience" sh -c "$2" >/dev/null 2>&1 </dev/null; printf '%s\\t%s\\n' "$?" "$1" ) &
  shift 2
done
wait`;

/** Runs scripts inside an instance, beside each other, for `patience` seconds. @returns name → did it end with status 0, which means that the attempt worked */
export async function attempt(
  directory: string,
  instanceId: string,
  scripts: Readonly<Record<string, string>>,
  patience = patient + 5,
): Promise<Record<string, boolean>> {
  const { out } = await inside(directory, instanceId, harness, String(patience), ...Object.entries(scripts).flat());
  const worked: Record<string, boolean> = {};
  for (const line of out.trim().split('\n')) {
    const [status, name] = line.split('\t');
    if (name !== undefined) worked[name] = status === '0';
  }
  const lost = Object.keys(scripts).filter((name) => !(name in worked));
  if (lost.length > 0) throw new Error(`nothing was heard of: ${lost.join(', ')}\n${out}`);
  return worked;
}

/** Answers `reached` on TCP port 8080. In the background when the script ends, so nobody has to wait for it. */
export const webServer = `perl -e '
use Socket; socket(S, 2, 1, 6); setsockopt(S, 1, 2, 1); bind(S, sockaddr_in(8080, INADDR_ANY)) or die $!; listen(S, 64) or die $!;
exit if fork; while (1) { accept(C, S) or next; sysread(C, $x, 4096); syswrite(C, "HTTP/1.0 200 OK\\r\\n\\r\\nreached\\n"); close C }
' </dev/null >/dev/null 2>&1`;

/** Writes \`SOURCE TEXT\` to /tmp/heard for each datagram to port 9999. */
export const ear = `perl -e '
use Socket; socket(S, 2, 2, 17); bind(S, sockaddr_in(9999, INADDR_ANY)) or die $!; exit if fork;
open(H, ">", "/tmp/heard"); select(H); $| = 1;
while (1) { $from = recv(S, $text, 2000, 0); ($port, $address) = sockaddr_in($from); print inet_ntoa($address) . " $text\\n" }
' </dev/null >/dev/null 2>&1`;

/** \`udp SOURCE TARGET TEXT\`: a datagram with a header of our own making. */
export const udp = `udp() { perl -e '
use Socket; my ($source, $target, $text) = @ARGV; socket(R, 2, 3, 255) or die $!;
my $body = pack("nnnna*", 4000, 9999, 8 + length $text, 0, $text);
my $packet = pack("CCnnnCCna4a4", 0x45, 0, 20 + length $body, 0, 0, 64, 17, 0, inet_aton($source), inet_aton($target)) . $body;
send(R, $packet, 0, sockaddr_in(0, inet_aton($target))) or die $!' "$@"; }
`;

/** 20,000 TCP openings from sources that do not exist, 5,000 datagrams from our own to ever new ports, 5,000 ARP claims to be the target. */
export const flood = `perl -e '
use Socket; my ($own, $target) = @ARGV;
socket(R, 2, 3, 255) or die $!;
for my $n (1 .. 20000) {
  my $tcp = pack("nnNNCCnnn", $n % 60000 + 1024, 80, $n, 0, 0x50, 2, 1000, 0, 0);
  send(R, pack("CCnnnCCna4N", 0x45, 0, 40, $n % 65536, 0, 64, 6, 0, pack("N", rand(2**32)), unpack("N", inet_aton($target))) . $tcp, 0, sockaddr_in(0, inet_aton($target)));
}
socket(U, 2, 2, 17) or die $!;
send(U, "x", 0, sockaddr_in(1024 + $_, inet_aton($target))) for 1 .. 5000;
socket(A, 17, 3, 0x0608) or die $!;
open(M, "/sys/class/net/eth0/address"); my $mac = pack("H12", join "", split /[:\\n]/, <M>);
open(I, "/sys/class/net/eth0/ifindex"); my $index = <I>;
my $frame = "\\xff" x 6 . $mac . pack("n", 0x0806) . pack("nnCCn", 1, 0x0800, 6, 4, 2) . $mac . inet_aton($target) . "\\xff" x 6 . inet_aton($target);
send(A, $frame, 0, pack("SnisCCa8", 17, 0x0806, $index, 1, 0, 6, "\\xff" x 6)) or die "arp: $!" for 1 .. 5000;
print "flooded\\n"' "$@"`;
