// The proof of the network's remedies: in random clouds, the AWS CLI commands that a trace prints are carried out, and the same flow is open.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Snapshot } from '@postern/network/snapshot.ts';
import { indexNetwork } from '@postern/network/walk/network-index.ts';
import { isIpv6 } from '@postern/network/walk/packet.ts';
import { walk } from '@postern/network/walk/walk.ts';
import { ec2 } from '@postern/server/services/ec2/index.ts';
import { testAccountId } from '@postern/server/testing.ts';
import { placeOf, sourceOf } from '@postern/server/why/ends.ts';
import { traceFlow } from '@postern/server/why/trace.ts';
import fc from 'fast-check';

import { type Built, build } from '../differential/built.ts';
import { chosenFlows, type TriedFlow, walkedFlow } from '../differential/flows-of.ts';
import { topologies } from '../differential/topology.ts';
import { carryOut } from './command-line.ts';

const runs = Number(process.env['POSTERN_ROUND_TRIP_RUNS'] ?? 10);
const seed = Number(process.env['POSTERN_ROUND_TRIP_SEED'] ?? 20261121);
/** Of each network: they are much alike. */
const [flowsPerNetwork, mostPlans] = [60, 6];

/** The question of a person, who does not choose a source address, and whose client takes a high port. */
function questionOf({ sender, source, destination: to, protocol, port, sourcePorts }: TriedFlow, snapshot: Snapshot) {
  if (sender.kind === 'connect-endpoint' || (protocol !== 'icmp' && sourcePorts === 'low')) return undefined;
  const place = sender.kind === 'machine' ? placeOf(snapshot, sender.networkInterfaceId) : undefined;
  const isOwn = (isIpv6(to) ? (place?.card.ipv6Addresses.length ?? 1) > 0 : true) && sourceOf(place, to) === source;
  const from = sender.kind === 'machine' ? sender.networkInterfaceId : 'internet';
  return isOwn ? { from, to, protocol, ...(port !== undefined && { port }) } : undefined;
}

test('what a trace prints opens the flow, plan by plan', async () => {
  let carried = 0;
  const kinds = new Set<string>();
  for (const [number, { snapshot: drawn, salt }] of fc.sample(topologies(), { numRuns: runs, seed }).entries()) {
    const first = await build(drawn);
    const snapshot = first.snapshot();
    const network = indexNetwork(snapshot);
    const nameOf = new Map([...first.names].map(([name, id]) => [id, name]));
    const dropped = chosenFlows(snapshot, (flow) => walk(network, walkedFlow(flow)), flowsPerNetwork, salt).flatMap(
      (flow) => {
        const question = questionOf(flow, snapshot);
        if (question === undefined) return [];
        // Every cloud gives ids of its own, and the same addresses.
        const ask = ({ names }: Built) => ({
          ...question,
          from: names.get(nameOf.get(question.from) ?? '') ?? question.from,
        });
        const plans = traceFlow(snapshot, ask(first)).cure?.plans ?? [];
        return plans.map((_plan, place) => ({ ask, place }));
      },
    );
    // Spread over all, so that every machine and target has its turn.
    const step = Math.max(1, Math.floor(dropped.length / mostPlans));
    for (const { ask, place } of dropped.filter((_one, index) => index % step === 0)) {
      const cloud = await build(drawn);
      const name = `seed ${seed}, network ${number}: ${JSON.stringify(ask(cloud))}, plan ${place}`;
      const plan = traceFlow(cloud.snapshot(), ask(cloud)).cure?.plans[place];
      assert.ok(plan, name);
      const commands = plan.steps.flatMap((one) => one.commands);
      const line = { store: cloud.world.store, services: new Map([['ec2', ec2]]), accountId: testAccountId };
      await carryOut(line, commands).catch((error: Error) =>
        assert.fail(`${name}: ${error.message}\n${commands.join('\n')}`),
      );
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
