// How many flows of random networks a second is sent, traced and compared: `npm run bench -- --only differential`, inside a world.

import { indexNetwork } from '@postern/network/walk/network-index.ts';
import { walk } from '@postern/network/walk/walk.ts';
import fc from 'fast-check';
import { chosenFlows, walkedFlow } from './flows-of.ts';
import { Differential } from './harness.ts';
import { topologies } from './topology.ts';

const networks = Number(process.argv[2] ?? 20);
const flowsPerNetwork = 50;

const differential = await Differential.start();
let [flows, applyMs, flowsMs] = [0, 0, 0];
for (const { snapshot, salt } of fc.sample(topologies(), { numRuns: networks, seed: 1 })) {
  const network = indexNetwork(snapshot);
  const chosen = chosenFlows(snapshot, (flow) => walk(network, walkedFlow(flow)), flowsPerNetwork, salt);
  const started = performance.now();
  await differential.apply(snapshot);
  const applied = performance.now();
  flows += (await differential.compare(snapshot, chosen)).length;
  applyMs += applied - started;
  flowsMs += performance.now() - applied;
}
await differential.stop();
process.stdout.write(JSON.stringify({ networks, flows, applyMs, flowsMs }));
