// `npm run lab`: set everything up, then run the main lab on a cloud of its own. Arguments after `--` go to `postern lab`.
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { ensureAll, root } from './setup.mjs';

ensureAll();
const result = spawnSync(process.execPath, [join(root, 'dist', 'postern.mjs'), 'lab', ...process.argv.slice(2)], {
  stdio: 'inherit',
});
process.exit(result.status ?? 1);
