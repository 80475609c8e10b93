// The network's remedies as packets: in random networks with every construct, a flow that drops, the network as a remedy leaves it, and the kernel, which
// must let the same flow through now.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { applyChanges } from '@postern/network/remedy/changes.ts';
import { networkRemedies } from '@postern/network/remedy/remedies.ts';
import { indexNetwork } from '@postern/network/walk/network-index.ts';
import { walk } from '@postern/network/walk/walk.ts';
import fc from 'fast-check';
import { asCommands } from './commands.ts';
import { chosenFlows, walkedFlow } from './flows-of.ts';
import { Differential } from './harness.ts';
import { topologies } from './topology.ts';

const networks = Number(process.env['POSTERN_REMEDY_RUNS'] ?? 8);
const seed = Number(process.env['POSTERN_REMEDY_SEED'] ?? 20261121);
const [flowsPerNetwork, triedPerNetwork] = [50, 3];

let differential: Differential;
before(async () => {
  differential = await Differential.start();
});
after(async () => {
  await differential.stop();
});

test('the kernel lets through what a remedy opens', async (context) => {
  const kinds = new Map<string, number>();
  for (const { snapshot, salt } of fc.sample(topologies(), { numRuns: networks, seed })) {
    const network = indexNetwork(snapshot);
    let tried = 0;
    for (const flow of chosenFlows(snapshot, (one) => walk(network, walkedFlow(one)), flowsPerNetwork, salt)) {
      if (tried >= triedPerNetwork || walk(network, walkedFlow(flow)).verdict === 'open') continue;
      const [remedy] = networkRemedies(snapshot, walkedFlow(flow)).remedies;
      if (remedy === undefined) continue;
      const changes = remedy.steps.map(({ change }) => change);
      const opened = applyChanges(snapshot, changes);
      await differential.apply(opened);
      const [compared] = await differential.compare(opened, [flow]);
      const told = () => `${flow.name} of seed ${seed}: ${JSON.stringify(changes)}\n${asCommands(snapshot)}`;
      assert.ok(compared, told());
      assert.deepEqual(compared.differences, [], told());
      assert.equal(compared.trace.verdict, 'open', told());
      for (const { kind } of changes) kinds.set(kind, (kinds.get(kind) ?? 0) + 1);
      tried += 1;
    }
  }
  context.diagnostic([...kinds].map(([kind, count]) => `${kind} ${count}`).join(', '));
  assert.ok(kinds.size >= 4, `only ${[...kinds.keys()].join(', ')}`);
});
