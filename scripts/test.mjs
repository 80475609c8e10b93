// `npm test`: set everything up, then run every test file. `*.kernel.test.ts` run inside a world of their own (fabric/world.ts), because they
// make namespaces and rules; a machine that cannot do that skips them and says why. Arguments: path fragments to select files, --no-kernel.
import { spawnSync } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { join, relative } from 'node:path';
import { ensureAll, root } from './setup.mjs';

const rooms = ['network', 'policy', 'fabric', 'server', 'guest', 'cli', 'labs', 'tests', 'bench'];

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
const kernel = files.filter((file) => file.endsWith('.kernel.test.ts'));
const plain = files.filter((file) => !file.endsWith('.kernel.test.ts'));

const node = [process.execPath, '--import', 'tsx', '--test', '--test-reporter=spec'];
const groups = [{ name: 'tests', files: plain, command: node }];
if (!process.argv.includes('--no-kernel')) {
  groups.push({
    name: 'kernel tests',
    files: kernel,
    command: [process.execPath, '--import', 'tsx', 'fabric/in-world.ts', '--', ...node, '--test-concurrency=1'],
  });
}

let failed = false;
for (const group of groups) {
  if (group.files.length === 0) continue;
  process.stderr.write(`\npostern: ${group.files.length} files of ${group.name}\n`);
  const [command, ...args] = group.command;
  const result = spawnSync(command, [...args, ...group.files], { cwd: root, stdio: 'inherit' });
  if (result.status !== 0) failed = true;
}
process.exit(failed ? 1 : 0);
