// Invariant 4 of the design: a full recompute is the truth, and what is kept from the last compile must equal it.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { InstanceId } from '@postern/network/snapshot.ts';
import { randomNetworks } from '../tests/flows/random-networks.ts';
import { type Compiled, compile, nothingCompiled } from './compile/compile.ts';
import { diffNamespace } from './reconcile.ts';
import { renderTablesChange } from './render/nft.ts';

const names = ['a', 'b', 'c', 'd', 'e'];
const machines = new Map<InstanceId, number>(names.map((name, index) => [`i-${name}`, 100 + index]));

for (const seed of [1, 2, 3, 4, 5]) {
  test(`compiling step by step gives what compiling at once gives (seed ${seed})`, () => {
    let previous: Pick<Compiled, 'allocation' | 'vpcs'> = nothingCompiled;
    let [kept, peerings] = [0, 0];
    for (const [step, network] of randomNetworks(seed, 200, names).entries()) {
      // A machine restarts now and then.
      if (step % 17 === 0) machines.set('i-a', 1000 + step);
      const incremental = compile(network, previous, machines);
      const full = compile(network, { ...nothingCompiled, allocation: previous.allocation }, machines);
      assert.deepEqual(incremental.state, full.state);
      assert.deepEqual(incremental.allocation, full.allocation);
      peerings += incremental.state.peerings.length;
      const [before] = [...previous.vpcs.values()];
      const [now] = incremental.state.vpcs;
      if (now !== undefined && now.links === before?.state?.links) {
        kept += 1;
        const fresh = full.state.vpcs[0];
        assert.ok(fresh);
        assert.deepEqual(diffNamespace(before.state, now, 1), diffNamespace(before.state, fresh, 1));
        assert.equal(renderTablesChange(now, fresh), '');
      }
      previous = incremental;
    }
    assert.ok(peerings > 20, 'hardly any peering: the test says nothing of them');
    assert.ok(kept > 20, `only ${kept} steps kept anything: the test says nothing`);
  });
}
