// `npm test`: set everything up, then run every test file. `*.kernel.test.ts` run inside a world of their own (fabric/world.ts), because they
// make namespaces and rules; a machine that cannot do that skips them and says why. Arguments: path fragments to select files, --no-kernel.
import { spawn, spawnSync } from 'node:child_process';
import { chownSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { availableParallelism, tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { ensureAll, root } from './setup.mjs';
import { ensureTestClients } from './test-clients.mjs';

const rooms = ['network', 'check', 'policy', 'fabric', 'server', 'guest', 'cli', 'labs', 'tests', 'bench'];

function* testFiles(directory) {
  for (const entry of readdirSync(directory, { withFileTypes: true })) {
    if (entry.name === 'node_modules') continue;
    const path = join(directory, entry.name);
    if (entry.isDirectory()) yield* testFiles(path);
    else if (entry.name.endsWith('.test.ts')) yield relative(root, path);
  }
}

ensureAll();
const fragments = process.argv.slice(2).filter((argument) => !argument.startsWith('--'));
const wanted = (file) => fragments.length === 0 || fragments.some((fragment) => file.includes(fragment));
const files = rooms
  .flatMap((room) => [...testFiles(join(root, room))])
  .filter(wanted)
  .sort();
ensureTestClients(files);
const kernel = files.filter((file) => file.endsWith('.kernel.test.ts'));
const plain = files.filter((file) => !file.endsWith('.kernel.test.ts'));

const node = [process.execPath, '--import', 'tsx', '--test', '--test-reporter=spec'];
/** Each file of kernel tests has a world of its own, so that none finds what another left. */
const inWorld = [process.execPath, '--import', 'tsx', 'fabric/in-world.ts', '--', ...node];
/** These take long, and start clouds of their own or keep one busy: each is a run of its own. */
const isAlone = (file) => ['e2e', 'soak'].some((folder) => file.startsWith(join('tests', folder)));
const together = plain.filter((file) => !isAlone(file));
const runs = [
  { name: `${together.length} test files`, command: node, files: together },
  ...plain.filter(isAlone).map((file) => ({ name: file, command: node, files: [file] })),
];
if (!process.argv.includes('--no-kernel')) {
  for (const file of kernel) runs.push({ name: `${file}, in a world of its own`, command: inWorld, files: [file] });
  // A cloud needs no root, and an ordinary user's namespaces have fewer rights: the table of flows once more as one.
  const flows = kernel.filter((file) => file.startsWith(join('tests', 'flows')));
  const user = flows.length === 0 ? undefined : ordinaryUser();
  if (user !== undefined) {
    const command = [...user.command, ...inWorld];
    runs.push({ name: `${flows.join(', ')}, as ${user.name} without root`, command, files: flows });
  }
}

/** How to run something as the first login user (else nobody); undefined when we are not root, or that user cannot read this checkout and run node. */
function ordinaryUser() {
  if (process.getuid() !== 0) return undefined;
  const users = readFileSync('/etc/passwd', 'utf8')
    .split('\n')
    .map((line) => line.split(':'));
  const login = users.find(([, , uid]) => Number(uid) >= 1000 && Number(uid) < 65_000);
  const [name, , uid, gid] = login ?? ['nobody', '', '65534', '65534'];
  const home = mkdtempSync(join(tmpdir(), 'postern-user-'));
  chownSync(home, Number(uid), Number(gid));
  process.on('exit', () => rmSync(home, { recursive: true, force: true }));
  const drop = ['setpriv', `--reuid=${uid}`, `--regid=${gid}`, '--clear-groups'];
  const command = [...drop, 'env', `HOME=${home}`, `TMPDIR=${home}`];
  const [program, ...args] = [...command, process.execPath, '--import', 'tsx', '-e', ''];
  return spawnSync(program, args, { cwd: root, stdio: 'ignore' }).status === 0 ? { name, command } : undefined;
}

/** Several times what the longest one takes on two busy processors. */
const longestRunMs = (20 + Number(process.env.POSTERN_DIFFERENTIAL_MINUTES ?? 0)) * 60_000;
const total = { pass: 0, fail: 0, skipped: 0 };

/** Runs the files, prints what they said when they have ended, and adds up the counts that node's reporter closes with. */
function run({ name, command: [command, ...args], files }) {
  process.stdout.write(`postern: ${name} …\n`);
  const startedAt = performance.now();
  const child = spawn(command, [...args, ...files], { cwd: root, stdio: ['ignore', 'pipe', 'pipe'] });
  running.add(child);
  let output = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (text) => {
      output += text;
    });
  }
  // A run that hangs is a failure, not a wait without end.
  const limit = setTimeout(() => child.kill('SIGKILL'), longestRunMs);
  return new Promise((resolve) => {
    child.on('close', (code) => {
      clearTimeout(limit);
      running.delete(child);
      const seconds = Math.round((performance.now() - startedAt) / 1000);
      took.push({ name, seconds });
      process.stdout.write(`\npostern: ${name}${code === 0 ? '' : ': FAILED'} after ${seconds} s\n${output}`);
      for (const key of Object.keys(total))
        total[key] += Number([...output.matchAll(new RegExp(`^ℹ ${key} (\\d+)$`, 'gm'))].at(-1)?.[1] ?? 0);
      if (code !== 0) failed.push({ name, failures: failuresIn(output) });
      resolve();
    });
  });
}

/** What node's reporter says of the failed tests, with their differences; of a run that ended before its report, the end of its output. */
function failuresIn(output) {
  const lines = output.split('\n');
  const from = lines.findIndex((line) => /^✖ failing tests/.test(line));
  return (from < 0 ? lines.slice(-30) : lines.slice(from + 1, from + 200)).join('\n').trim();
}

const running = new Set();
for (const signal of ['SIGTERM', 'SIGHUP'])
  process.on(signal, () => {
    for (const child of running) child.kill(signal);
    process.exit(1);
  });

const failed = [];
const took = [];
const waiting = runs.filter((one) => one.files.length > 0);
/** Runs what waits, one after another. One lane more than processors, for a good part of many tests is waiting for what must not arrive. */
async function lane() {
  for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) await run(next);
}
await Promise.all(Array.from({ length: availableParallelism() + 1 }, lane));
process.stdout.write('\nwhat took longest, in seconds:\n');
for (const { name, seconds } of took.sort((a, b) => b.seconds - a.seconds).slice(0, 12))
  process.stdout.write(`${String(seconds).padStart(6)}  ${name}\n`);
for (const { name, failures } of failed) process.stdout.write(`\nfailed: ${name}\n${failures}\n`);
process.stdout.write(`\n${total.pass} passed, ${total.fail} failed, ${total.skipped} skipped\n`);
process.exit(failed.length > 0 ? 1 : 0);
