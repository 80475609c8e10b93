// The proof of the network's remedies: in random clouds, the AWS CLI commands that a trace prints are carried out, and the same flow is open.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ec2 } from '@postern/server/services/ec2/index.ts';
import { testAccountId } from '@postern/server/testing.ts';
import { traceFlow } from '@postern/server/why/trace.ts';
import fc from 'fast-check';

import { flowsOfTwoVpcs } from '../differential/flows-of-two-vpcs.ts';
import { topologies } from '../differential/two-vpcs.ts';
import { build } from './built.ts';
import { carryOut } from './command-line.ts';

const runs = Number(process.env['POSTERN_ROUND_TRIP_RUNS'] ?? 6);
const seed = Number(process.env['POSTERN_ROUND_TRIP_SEED'] ?? 20261121);
/** Of each network: they are much alike. */
const mostFlows = 8;
const constructs = { nat: true, peering: true, interfaceEndpoints: false, middleboxes: false };

test('what a trace prints opens the flow, plan by plan', async () => {
  let carried = 0;
  const kinds = new Set<string>();
  for (const [number, drawn] of fc.sample(topologies(constructs), { numRuns: runs, seed }).entries()) {
    const first = await build(drawn);
    const { snapshot } = first;
    const flows = flowsOfTwoVpcs(drawn).filter(({ from }) => from === 'laptop' || first.instances.has(`i-${from}`));
    const dropped = flows.flatMap((flow) => {
      const ask = (of: typeof first) => ({
        from: flow.from === 'laptop' ? 'internet' : (of.instances.get(`i-${flow.from}`) ?? ''),
        to: flow.to,
        protocol: flow.protocol,
        ...(flow.port !== undefined && { port: flow.port }),
      });
      const plans = traceFlow(snapshot(), ask(first)).cure?.plans ?? [];
      return plans.map((_plan, place) => ({ ask, place }));
    });
    // Spread over all, so that every machine and target has its turn.
    const step = Math.max(1, Math.floor(dropped.length / mostFlows));
    for (const { ask, place } of dropped.filter((_one, index) => index % step === 0)) {
      const cloud = await build(drawn);
      const name = `seed ${seed}, network ${number}: ${JSON.stringify(ask(cloud))}, plan ${place}`;
      const plan = traceFlow(cloud.snapshot(), ask(cloud)).cure?.plans[place];
      assert.ok(plan, name);
      const commands = plan.steps.flatMap((one) => one.commands);
      const line = { store: cloud.world.store, services: new Map([['ec2', ec2]]), accountId: testAccountId };
      await carryOut(line, commands).catch((error: Error) => assert.fail(`${name}: ${error.message}\n${commands.join('\n')}`)); // biome-ignore format: one call
      const after = traceFlow(cloud.snapshot(), ask(cloud));
      assert.equal(after.verdict, 'open', `${name}\n${commands.join('\n')}\n${JSON.stringify(after.steps, null, 1)}`);
      for (const command of commands) kinds.add(command.split(' ').slice(1, 3).join(' '));
      carried += 1;
      cloud.world.store.close();
    }
    first.world.store.close();
  }
  assert.ok(carried >= runs * 4, `only ${carried} plans were carried out`);
  assert.ok(kinds.size >= 4, `only ${[...kinds].join(', ')}`);
});
