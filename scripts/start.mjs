// `npm start`: set everything up, then bring the cloud up in the foreground. Arguments after `--` go to `postern up`.
import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { ensureAll, root } from './setup.mjs';

ensureAll();
const child = spawn(process.execPath, [join(root, 'dist', 'postern.mjs'), 'up', ...process.argv.slice(2)], {
  stdio: 'inherit',
});
// The terminal sends Ctrl-C to the whole group: the child ends in order, and this process ends with it.
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'])
  process.on(signal, () => signal !== 'SIGINT' && child.kill(signal));
child.on('exit', (code, signal) => process.exit(signal ? 130 : (code ?? 1)));
