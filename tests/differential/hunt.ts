// Looks for a disagreement and says how many networks it took: one run of the mutation check (scripts/mutation-check.mjs), inside a world.

import { Differential } from './harness.ts';
import { disagreement } from './search.ts';

const networks = Number(process.argv[2] ?? 100);
const seed = Number(process.env['POSTERN_DIFFERENTIAL_SEED'] ?? 20261121);
const flowsPerNetwork = 50;

const differential = await Differential.start();
let flows = 0;
const found = await disagreement(differential, {
  networks,
  flowsPerNetwork,
  seed,
  shrinkMs: 0,
  onCompared: () => {
    flows += 1;
  },
}).catch((error: unknown) => `it fails: ${String(error)}`);
process.stdout.write(
  `${JSON.stringify({ isCaught: found !== undefined, networks: Math.ceil(flows / flowsPerNetwork), words: found?.split('\n').slice(0, 2).join(' — ') })}\n`,
);
await differential.stop();
