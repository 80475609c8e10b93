// Can the differential test fail? Breaks one decision at a time, in the walk, in the compiler or in reach, and expects the test to notice: at the first disagreement a run
// ends, and without one after 100 networks; then the table of flows is asked. Begun by scripts/mutation-check.mjs; arguments are words of the names of mutations (mutations.ts).
// No file changes: the broken source is given to the loader (scripts/mutate.mjs).

import { spawn } from 'node:child_process';
import { availableParallelism } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type Mutation, mutations, nameOf } from './mutations.ts';

const root = join(dirname(fileURLToPath(import.meta.url)), '..', '..');
const networks = '100';
const longestMs = 180_000;

interface Hunted {
  readonly isCaught: boolean;
  readonly networks?: number;
  readonly words?: string;
}

function hunt(mutation: Mutation): Promise<Hunted> {
  const node = [process.execPath, '--import', join(root, 'scripts', 'mutate.mjs'), '--import', 'tsx'];
  const [command = 'node', ...args] = [
    ...node,
    'fabric/in-world.ts',
    '--',
    ...node,
    'tests/differential/hunt.ts',
    networks,
  ];
  const env = { ...process.env, POSTERN_MUTATION: JSON.stringify(mutation) };
  const child = spawn(command, args, { cwd: root, env, stdio: ['ignore', 'pipe', 'pipe'] });
  let [output, complaint] = ['', ''];
  child.stdout.on('data', (data: Buffer) => {
    output += String(data);
  });
  child.stderr.on('data', (data: Buffer) => {
    complaint += String(data);
  });
  const limit = setTimeout(() => child.kill('SIGTERM'), longestMs);
  return new Promise((resolve) => {
    child.on('close', () => {
      clearTimeout(limit);
      const line = output.split('\n').findLast((each) => each.startsWith('{'));
      resolve(line === undefined ? { isCaught: false, words: complaint.slice(-500) } : (JSON.parse(line) as Hunted));
    });
  });
}

/** Tests that fail say what is broken by failing; the first one that does is enough. */
async function huntIn(files: readonly string[], mutation: Mutation): Promise<Hunted> {
  const node = [process.execPath, '--import', join(root, 'scripts', 'mutate.mjs'), '--import', 'tsx'];
  for (const file of files) {
    const inWorld = file.endsWith('.kernel.test.ts') ? [...node, 'fabric/in-world.ts', '--'] : [];
    const [command = 'node', ...args] = [...inWorld, ...node, file];
    const env = { ...process.env, POSTERN_MUTATION: JSON.stringify(mutation) };
    const child = spawn(command, args, { cwd: root, env, stdio: 'ignore' });
    const code = await new Promise((resolve) => child.on('close', resolve));
    if (code !== 0) return { isCaught: true, words: file };
  }
  return { isCaught: false };
}

const reachTests = ['network/reach/reach.test.ts', 'network/reach/traffic.test.ts', 'tests/flows/reach.test.ts', 'tests/differential/reach.test.ts']; // biome-ignore format: one list
/** What too few random networks come upon has a row of its own there. */
const flowTests = { walk: ['tests/flows/walk.test.ts'], compile: ['tests/flows/flows.kernel.test.ts'] };

async function hunted(mutation: Mutation): Promise<Hunted> {
  if (mutation.side === 'reach') return huntIn(reachTests, mutation);
  const found = await hunt(mutation);
  return found.isCaught ? found : huntIn(flowTests[mutation.side], mutation);
}

const words = process.argv.slice(2);
const waiting = mutations.filter((each) => words.length === 0 || words.some((word) => nameOf(each).includes(word)));
let missed = 0;

async function lane(): Promise<void> {
  for (let mutation = waiting.shift(); mutation !== undefined; mutation = waiting.shift()) {
    const started = performance.now();
    const found = await hunted(mutation);
    const seconds = ((performance.now() - started) / 1000).toFixed(0);
    if (!found.isCaught) missed += 1;
    const where = found.networks === undefined ? 'noticed' : `in network ${found.networks}`;
    const after = found.isCaught ? where : 'NOT NOTICED';
    process.stdout.write(
      `${found.isCaught ? '✓' : '✗'} ${nameOf(mutation)} (${mutation.file}) ${after}, ${seconds} s. ${found.words ?? ''}\n`,
    );
  }
}

await Promise.all(Array.from({ length: Math.max(1, availableParallelism()) }, lane));
process.stdout.write(missed === 0 ? 'every mutation was noticed\n' : `${missed} not noticed\n`);
process.exit(missed > 0 ? 1 : 0);
