// What the network's remedies promise, on random networks: a remedy opens its flow, each of its steps is needed, and it opens one address and port.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { applyChanges, type Change } from '@postern/network/remedy/changes.ts';
import { networkRemedies } from '@postern/network/remedy/remedies.ts';
import { walk } from '@postern/network/walk/walk.ts';
import fc from 'fast-check';
import { flowCases } from '../flows/cases.ts';
import { ipv6Cases } from '../flows/ipv6-cases.ts';
import { indexNetwork, nameOf, walkedFlow as walkedRow } from '../flows/walking.ts';
import { chosenFlows, walkedFlow } from './flows-of.ts';
import { topologies } from './topology.ts';

const runs = Number(process.env['POSTERN_DIFFERENTIAL_RUNS'] ?? 20);
const seed = Number(process.env['POSTERN_DIFFERENTIAL_SEED'] ?? 20261121);
const flowsPerNetwork = 50;

const cases = [
  ...[...flowCases, ...ipv6Cases].map(({ title, snapshot, flows }) => {
    const network = indexNetwork(snapshot);
    return { title, snapshot, flows: flows.map((row) => ({ name: nameOf(row), walked: walkedRow(network, row) })) };
  }),
  ...fc.sample(topologies(), { numRuns: runs, seed }).map(({ snapshot, salt }, number) => {
    const network = indexNetwork(snapshot);
    // A remedy is for the ports that a client chooses from, and 32000 is not of them.
    const flows = chosenFlows(snapshot, (one) => walk(network, walkedFlow(one)), flowsPerNetwork, salt).filter(
      ({ protocol, sourcePorts }) => protocol === 'icmp' || sourcePorts === 'high',
    );
    return {
      title: `network ${number} of seed ${seed}`,
      snapshot,
      flows: flows.map((flow) => ({ name: flow.name, walked: walkedFlow(flow) })),
    };
  }),
];

/** Nothing but one address, where a change names addresses at all. */
function isNarrow(change: Change): boolean {
  if (change.kind === 'route') return /\/(32|128)$/.test(change.destination);
  if (change.kind === 'acl-entry') return /\/(32|128)$/.test(change.entry.cidr);
  return (
    change.kind !== 'group-rule' || (change.rule.peer.kind === 'cidr' && /\/(32|128)$/.test(change.rule.peer.cidr))
  );
}

test('a remedy opens its flow, with no step that is not needed', () => {
  let opened = 0;
  let unsolved = 0;
  for (const { title, snapshot, flows } of cases) {
    const network = indexNetwork(snapshot);
    for (const { name: flowName, walked } of flows) {
      if (walk(network, walked).verdict === 'open') continue;
      const found = networkRemedies(snapshot, walked);
      const name = `${title}: ${flowName}`;
      if (found.remedies.length === 0) {
        assert.ok(found.unsolved.length > 0, `${name} has no remedy and no reason`);
        unsolved += 1;
        continue;
      }
      opened += 1;
      for (const { steps, trace } of found.remedies) {
        assert.equal(trace.verdict, 'open', name);
        for (const step of steps) {
          const others = steps.filter((one) => one !== step).map((one) => one.change);
          const ports = [40_000, 32_768, 60_999, 1024, 65_535];
          const still = ports.map((sourcePort) => {
            const { packet } = walked;
            const from = packet.sourcePort === undefined ? packet : { ...packet, sourcePort };
            return walk(applyChanges(snapshot, others), { ...walked, packet: from }).verdict;
          });
          assert.ok(still.includes('dropped'), `${name}: ${JSON.stringify(step.change)} is not needed`);
          assert.ok(isNarrow(step.change), `${name}: ${JSON.stringify(step.change)} is wide`);
          for (const form of step.forms) {
            const changes = steps.map((one) => (one === step ? form : one.change));
            assert.equal(walk(applyChanges(snapshot, changes), walked).verdict, 'open', name);
          }
        }
      }
    }
  }

  assert.ok(opened > 200, `${opened} opened, ${unsolved} not`);
});
