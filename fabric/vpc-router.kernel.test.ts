// What belongs to one machine fails alone: machines that end, or pull their own interfaces out, while the network is applied. Real packets.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { type Probe, ProbeMachines } from '../tests/flows/probe.ts';
import { eni, snapshot, subnet, vpc } from '../tests/flows/snapshots.ts';
import { query } from './host.ts';
import { createNetworkFabric } from './network-fabric.ts';

const machines = new ProbeMachines();
const dead = new Map<string, number>();
const fabric = createNetworkFabric({
  machines: { processId: (id) => dead.get(id) ?? machines.processId(id) },
});
let a: Probe;
let b: Probe;

before(async () => {
  [a, b] = [await machines.start('i-a'), await machines.start('i-b')];
  await b.listen('tcp', 80);
});

after(async () => {
  await machines.stopAll();
  await fabric.close();
});

const toB = { host: '10.0.0.11', port: 80 };
const subnets = [subnet('1', '10.0.0.0/24')];
const [cardA, cardB, cardC] = [eni('a', '1', '10.0.0.10'), eni('b', '1', '10.0.0.11'), eni('c', '1', '10.0.0.12')];
const withSecond = (card: typeof cardA, address: string) => ({
  ...card,
  privateAddresses: [...card.privateAddresses, { address, primary: false }],
});

test('a machine that ended between compile and apply is no failure and costs its neighbours nothing', async () => {
  await fabric.apply(snapshot(vpc({ subnets, networkInterfaces: [cardA, cardB] })));
  assert.match(await a.hold('through', toB), /^open/);
  const c = await machines.start('i-c');
  // The world still says that it runs.
  dead.set('i-c', c.processId ?? 0);
  await machines.stop('i-c');
  const applied = await fabric.apply(snapshot(vpc({ subnets, networkInterfaces: [cardA, cardB, cardC] })));
  assert.deepEqual(applied.failures, []);
  assert.deepEqual(applied.interfaces, ['eni-a', 'eni-b']);
  assert.equal(await a.say('through'), 'echo hello');
  dead.clear();
  await machines.start('i-c');
  const later = await fabric.apply(snapshot(vpc({ subnets, networkInterfaces: [cardA, cardB, cardC] })));
  assert.deepEqual(later.failures, []);
  assert.deepEqual(later.interfaces, ['eni-a', 'eni-b', 'eni-c']);
});

test('a machine that ended with its link is no failure when the next change is about it', async () => {
  const c = machines.processId('i-c') ?? 0;
  dead.set('i-c', c);
  await machines.stop('i-c');
  // The kernel takes the link away some time after the machine's last process.
  const links = () => query({ kind: 'vpc', name: 'vpc-a' }, ['ip', 'link']);
  while ((await links()).stdout.includes('alias eni-c')) await new Promise((resolve) => setTimeout(resolve, 20));
  const cards = [cardA, cardB, withSecond(cardC, '10.0.0.13')];
  const applied = await fabric.apply(snapshot(vpc({ subnets, networkInterfaces: cards })));
  assert.deepEqual(applied.failures, []);
  assert.deepEqual(applied.interfaces, ['eni-a', 'eni-b']);
  assert.equal(await a.say('through'), 'echo hello');
  dead.clear();
});

test('a guest that removes its own eth0 is cut off alone, and gets it back with the next change', async () => {
  await fabric.apply(snapshot(vpc({ subnets, networkInterfaces: [cardA, cardB] })));
  const d = await machines.start('i-d');
  const cardD = eni('d', '1', '10.0.0.14');
  await fabric.apply(snapshot(vpc({ subnets, networkInterfaces: [cardA, cardB, cardD] })));
  assert.match(await d.tcp(toB), /^open/);
  assert.match(await d.run('ip', 'link', 'del', 'eth0'), /^0 /);
  const changed = snapshot(vpc({ subnets, networkInterfaces: [cardA, cardB, withSecond(cardD, '10.0.0.15')] }));
  const refused = await fabric.apply(changed);
  assert.deepEqual(
    refused.failures.map((failure) => failure.cause),
    ['eni-d'],
  );
  assert.equal(await a.say('through'), 'echo hello');
  const again = await fabric.apply(changed);
  assert.deepEqual(again.failures, []);
  assert.match(await d.tcp({ ...toB, from: '10.0.0.15' }), /^open 10\.0\.0\.15/);
});

test('machines that end beside applies never take the network of others with them', { timeout: 300_000 }, async () => {
  for (let round = 0; round < 15; round += 1) {
    await machines.start('i-e');
    const cardE = eni('e', '1', '10.0.0.16');
    const plugged = fabric.apply(snapshot(vpc({ subnets, networkInterfaces: [cardA, cardB, cardE] })));
    await new Promise((resolve) => setTimeout(resolve, round * 3));
    await machines.stop('i-e');
    const changed = fabric.apply(
      snapshot(vpc({ subnets, networkInterfaces: [cardA, cardB, withSecond(cardE, '10.0.0.17')] })),
    );
    for (const applied of await Promise.all([plugged, changed])) assert.deepEqual(applied.failures, []);
  }
  assert.equal(await a.say('through'), 'echo hello');
});

test('when an apply is done its links carry packets', async () => {
  await fabric.apply(snapshot(vpc({ subnets, networkInterfaces: [cardA, cardB] })));
  const { stdout } = await query({ kind: 'vpc', name: 'vpc-a' }, ['ip', '-o', 'link', 'show', 'type', 'veth']);
  assert.equal(stdout.trim().split('\n').length, 3);
  for (const line of stdout.trim().split('\n')) assert.match(line, / state UP /);
});

test('[S14] idle flows are forgotten after the times that AWS names', async () => {
  await fabric.apply(snapshot(vpc({ subnets, networkInterfaces: [cardA, cardB] })));
  const names = ['tcp_timeout_established', 'udp_timeout', 'udp_timeout_stream', 'generic_timeout'];
  const files = names.map((name) => `/proc/sys/net/netfilter/nf_conntrack_${name}`);
  const { stdout } = await query({ kind: 'vpc', name: 'vpc-a' }, ['cat', ...files]);
  assert.deepEqual(stdout.trim().split('\n'), ['432000', '30', '180', '600']);
});
