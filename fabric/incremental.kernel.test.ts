// The kernel after many changes equals the kernel after one: so the state that is kept may be taken for what the kernel holds, and nothing is read back.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { ProbeMachines } from '../tests/flows/probe.ts';
import { randomNetworks } from '../tests/flows/random-networks.ts';
import { type Compiled, compile, nothingCompiled } from './compile/compile.ts';
import { type Place, query } from './host.ts';
import { createNetworkFabric } from './network-fabric.ts';

const names = ['a', 'b', 'c', 'd'];
const machines = new ProbeMachines();

before(async () => {
  for (const name of names) await machines.start(`i-${name}`);
});

after(() => machines.stopAll());

/** Rules, routes, neighbours and links of router and core, in a form that does not tell in what order they were made. */
async function kernelState(): Promise<string[]> {
  const commands = [
    'nft list ruleset',
    'ip route show table all',
    'ip rule',
    // Those that are given to it: what a guest's own link-local address taught the router comes and goes.
    'ip neigh show nud permanent',
    'ip -d -o link',
    'ip -o -4 addr',
    'ip -6 route show table all',
    'ip -6 rule',
    'ip -o -6 addr',
  ];
  const places: Place[] = [
    { kind: 'core' },
    { kind: 'vpc', name: 'vpc-a' },
    { kind: 'vpc', name: 'vpc-b' },
    { kind: 'nat-gateway', name: 'nat-1' },
  ];
  const lines: string[] = [];
  for (const place of places) {
    for (const command of commands) {
      const { stdout } = await query(place, command.split(' '));
      // Indexes of links and namespaces, and sets' elements by line, are told in the order of making.
      const plain = stdout
        .replaceAll(/^\d+: /gm, '')
        .replaceAll(/@if\d+|@\w+(?=:)|link-netnsid \d+|link-netns \S+|ifindex \d+/g, '');
      const sorted = plain.replaceAll(
        /elements = \{([^}]*)\}/g,
        (_, all: string) =>
          `elements = { ${all
            .split(',')
            .map((each) => each.trim())
            .toSorted()
            .join(', ')} }`,
      );
      const where = place.kind === 'core' ? 'core' : place.name;
      lines.push(...sorted.split('\n').map((line) => `${where} ${line.trim()}`));
    }
  }
  return lines.toSorted();
}

for (const seed of [11, 12]) {
  test(`twenty changes, one after the other, leave the kernel as one would (seed ${seed})`, {
    timeout: 600_000,
  }, async () => {
    const networks = randomNetworks(seed, 20, names).filter((each) =>
      each.vpcs[0]?.networkInterfaces.some((one) => one.attachment),
    );
    const last = networks.at(-1);
    assert.ok(last);
    const byStep = createNetworkFabric({ machines });
    const processes = new Map(names.map((name) => [`i-${name}` as const, machines.processId(`i-${name}`) ?? 0]));
    let compiled: Pick<Compiled, 'allocation' | 'vpcs'> = nothingCompiled;
    for (const network of networks) {
      assert.deepEqual((await byStep.apply(network)).failures, []);
      compiled = compile(network, compiled, processes);
    }
    const stepwise = await kernelState();
    await byStep.close();
    const atOnce = createNetworkFabric({ machines, compiled: { ...nothingCompiled, allocation: compiled.allocation } });
    assert.deepEqual((await atOnce.apply(last)).failures, []);
    const whole = await kernelState();
    await atOnce.close();
    assert.ok(whole.length > 100);
    assert.deepEqual(stepwise, whole);
  });
}
