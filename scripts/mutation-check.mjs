// `node scripts/mutation-check.mjs [WORD…]`: can the differential test fail? See tests/differential/mutation-check.ts. Needs what the kernel tests need.
import { spawnSync } from 'node:child_process';
import { ensureAll, root } from './setup.mjs';

ensureAll();
const args = ['--import', 'tsx', 'tests/differential/mutation-check.ts', ...process.argv.slice(2)];
process.exit(spawnSync(process.execPath, args, { cwd: root, stdio: 'inherit' }).status ?? 1);
