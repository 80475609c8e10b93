// What happens to a peering's link while its VPCs come, go and change. Who reaches whom over it is in tests/flows/cases.ts.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { emptySnapshot, type Snapshot, type Vpc } from '@postern/network/snapshot.ts';
import { type Probe, ProbeMachines } from '../tests/flows/probe.ts';
import { eni, local, peered, snapshot, subnet, table, toPeer, vpc } from '../tests/flows/snapshots.ts';
import { query } from './host.ts';
import { createNetworkFabric } from './network-fabric.ts';

const machines = new ProbeMachines();
const fabric = createNetworkFabric({ machines });
let a: Probe;
let b: Probe;

const [aAddress, bAddress] = ['10.0.0.10', '10.1.0.10'] as const;
const active = { ab: ['vpc-a', 'vpc-b'] } as const;
const near = (more: Partial<Vpc> = {}) =>
  vpc({
    subnets: [subnet('1', '10.0.0.0/24')],
    networkInterfaces: [eni('a', '1', aAddress)],
    routeTables: [table('rtb-main', local('10.0.0.0/16'), toPeer('10.1.0.0/16'))],
    ...more,
  });
const far = (more: Partial<Vpc> = {}) =>
  vpc({
    vpcId: 'vpc-b',
    cidrBlocks: ['10.1.0.0/16'],
    subnets: [subnet('5', '10.1.0.0/24', { routeTableId: 'rtb-b' })],
    networkInterfaces: [eni('b', '5', bAddress)],
    routeTables: [table('rtb-b', local('10.1.0.0/16'), toPeer('10.0.0.0/16'))],
    ...more,
  });
/** As the server builds it: without the peering its routes are blackholes (P10). */
const parted = (): Snapshot => {
  const gone = (routes: Vpc['routeTables']) =>
    routes.map((each) => ({
      ...each,
      routes: each.routes.map((route) =>
        route.target.kind === 'peering-connection' ? { ...route, state: 'blackhole' as const } : route,
      ),
    }));
  return snapshot(near({ routeTables: gone(near().routeTables) }), far({ routeTables: gone(far().routeTables) }));
};

before(async () => {
  [a, b] = [await machines.start('i-a'), await machines.start('i-b')];
  for (const probe of [a, b]) await probe.listen('tcp', 80);
  await fabric.apply(emptySnapshot);
});

after(async () => {
  await machines.stopAll();
  await fabric.close();
});

async function apply(network: Snapshot): Promise<void> {
  assert.deepEqual((await fabric.apply(network)).failures, []);
}

async function links(vpcId: string): Promise<string[]> {
  const { stdout } = await query({ kind: 'vpc', name: vpcId }, ['ip', '-o', 'link', 'show']);
  return [...stdout.matchAll(/^\d+: (p\d+)@/gm)].map(([, name = '']) => name);
}

test('[P10] a peering that is deleted cuts what flows over it at once, and leaves no link', async () => {
  await apply(peered(snapshot(near(), far()), active));
  assert.equal((await a.hold('held', { host: bAddress, port: 80 })).split(' ')[0], 'open');
  assert.match(await a.say('held'), /^echo/);
  assert.equal((await links('vpc-a')).length, 1);
  await apply(parted());
  assert.doesNotMatch(await a.say('held', 500), /^echo/);
  assert.equal(await a.ping(bAddress), 'timeout');
  assert.deepEqual([...(await links('vpc-a')), ...(await links('vpc-b'))], []);
});

test('[P4] the link waits for both VPCs, goes with either, and comes back', async () => {
  const both = () => peered(snapshot(near(), far()), active);
  const alone = () => peered(snapshot(near(), far({ networkInterfaces: [] })), active);
  for (const step of [alone, both, alone, both]) {
    await apply(step());
    assert.equal(await a.ping(bAddress), step === both ? 'open' : 'timeout');
    assert.equal((await links('vpc-a')).length, step === both ? 1 : 0);
  }
  await apply(peered(snapshot(far()), active));
  assert.deepEqual(await links('vpc-b'), []);
  await apply(both());
  assert.equal(await b.ping(aAddress), 'open');
});

test('[S15] a change of one VPC’s groups or blocks leaves the link and what flows over it', async () => {
  await apply(peered(snapshot(near(), far()), active));
  const [before] = await links('vpc-a');
  assert.equal((await a.hold('staying', { host: bAddress, port: 80 })).split(' ')[0], 'open');
  await apply(
    peered(snapshot(near({ cidrBlocks: ['10.0.0.0/16', '100.64.0.0/16'] }), far({ securityGroups: [] })), active),
  );
  await apply(peered(snapshot(near(), far()), active));
  assert.match(await a.say('staying'), /^echo/);
  assert.deepEqual(await links('vpc-a'), [before]);
});

test('[P9] inside a Region a peering carries jumbo frames, between Regions 8500 bytes', async () => {
  const largest = async (network: Snapshot) => {
    await apply(network);
    const fits = async (bytes: number) =>
      (await a.run('ping', '-n', '-c', '1', '-W', '1', '-M', 'do', '-s', String(bytes - 28), bAddress)).startsWith(
        '0 ',
      );
    return [await fits(9001), await fits(8501), await fits(8500)];
  };
  assert.deepEqual(await largest(peered(snapshot(near(), far()), active)), [true, true, true]);
  const abroad = far({ region: 'eu-west-1' });
  assert.deepEqual(await largest(peered(snapshot(near(), abroad), active)), [false, false, true]);
});

test('a link that the kernel refuses costs its own traffic only, is told, and is made again', async () => {
  await apply(peered(snapshot(near(), far()), active));
  const number = Number((await links('vpc-a'))[0]?.slice(1));
  await apply(parted());
  // Whoever has the next name at the far end.
  const taken = ['ip', 'link', 'add', `p${number + 1}`, 'type', 'veth', 'peer', 'name', 'taken'];
  assert.equal((await query({ kind: 'vpc', name: 'vpc-b' }, taken)).code, 0);
  const applied = await fabric.apply(peered(snapshot(near(), far()), active));
  assert.deepEqual(
    applied.failures.map(({ cause }) => cause),
    ['pcx-ab'],
  );
  assert.deepEqual(applied.interfaces.toSorted(), ['eni-a', 'eni-b']);
  assert.equal(await a.ping(bAddress), 'timeout');
  await apply(peered(snapshot(near(), far()), active));
  assert.equal(await a.ping(bAddress), 'open');
});
