// The walk and the kernel, held against each other: random networks, for each of them flows that are walked and sent as packets. The verdict, the source address that
// is seen and what decided must agree (comparison.ts). What disagrees is shrunk to the smallest network that still does and printed as AWS CLI commands.
// POSTERN_DIFFERENTIAL_RUNS, _SEED and _MINUTES make it longer or another one (docs/reachability.md); the seed of a failure is in its message.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { stages } from '@postern/network/stages.ts';
import type { Compared } from './harness.ts';
import { Differential } from './harness.ts';
import { disagreement } from './search.ts';

const networks = Number(process.env['POSTERN_DIFFERENTIAL_RUNS'] ?? 200);
const minutes = Number(process.env['POSTERN_DIFFERENTIAL_MINUTES'] ?? 0);
const firstSeed = Number(process.env['POSTERN_DIFFERENTIAL_SEED'] ?? 20261121);
const flowsPerNetwork = 50;
const shrinkMs = process.env['POSTERN_DIFFERENTIAL_SHRINK'] === 'no' ? 0 : 90_000;

let differential: Differential;

before(async () => {
  differential = await Differential.start();
});

after(async () => {
  await differential.stop();
});

test(`${networks} random networks: the walk says what the kernel does, and by which stage`, async (context) => {
  const deciding = new Map<string, number>();
  const onCompared = ({ trace }: Compared) => {
    const stage = trace.blockers[0]?.stage ?? 'open';
    deciding.set(stage, (deciding.get(stage) ?? 0) + 1);
  };
  const end = performance.now() + minutes * 60_000;
  let seed = firstSeed;
  do {
    const found = await disagreement(differential, { networks, flowsPerNetwork, seed, shrinkMs, onCompared });
    if (found !== undefined) assert.fail(found);
    seed += 1;
  } while (performance.now() < end);
  const histogram = [...deciding].sort(([, a], [, b]) => b - a).map(([stage, count]) => `${stage} ${count}`);
  context.diagnostic(`what decides: ${histogram.join(', ')}; traces lost ${differential.lostTraces}`);
  // A generator in which a stage decides nothing would say nothing of it.
  const rare = stages.filter(({ name }) => (deciding.get(name) ?? 0) < networks / 20).map(({ name }) => name);
  assert.deepEqual(rare, [], `hardly a flow is decided by ${rare.join(', ')}`);
});
