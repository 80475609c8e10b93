// Runs any command in a fresh world: `node --import tsx fabric/in-world.ts -- CMD ARG…`. The exit status passes through.
// The test runner uses it for `*.kernel.test.ts`, and it is handy for a look around: `-- bash`.

import { enterWorld } from './world.ts';

const separator = process.argv.indexOf('--');
const [command, ...args] = process.argv.slice(separator < 0 ? 2 : separator + 1);
if (command === undefined) {
  console.error('usage: in-world.ts -- COMMAND [ARG…]');
  process.exit(64);
}
try {
  const child = await enterWorld({ command, args, stdio: ['inherit', 'inherit', 'inherit'] });
  // The terminal sends an interrupt to the whole group, the command too; this process only waits for the outcome.
  process.on('SIGINT', () => {});
  process.on('SIGTERM', () => child.kill('SIGKILL'));
  child.on('exit', (code, signal) => {
    if (signal === null) process.exit(code ?? 1);
    process.exit(128 + 9);
  });
} catch (error) {
  console.error(`in-world: ${error instanceof Error ? error.message : String(error)}`);
  process.exit(125);
}
