// `npm run bench`: set everything up, then measure. `-- --quick` for a short run, `-- --only api,s3,start,network,fabric`.
import { spawnSync } from 'node:child_process';
import { ensureAll, root } from './setup.mjs';

ensureAll();
const result = spawnSync(process.execPath, ['--import', 'tsx', 'bench/main.ts', ...process.argv.slice(2)], {
  cwd: root,
  stdio: 'inherit',
});
process.exit(result.status ?? 1);
