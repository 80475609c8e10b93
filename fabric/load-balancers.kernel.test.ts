// What a load balancer does beside who reaches whom (tests/flows/load-balancer-cases.ts): its flows go to all of its targets, each stays with its own, and the server
// asks targets how they are by the same way.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { emptySnapshot, type LoadBalancerTarget, type Vpc } from '@postern/network/snapshot.ts';
import { askTarget } from '@postern/server/control/ask-target.ts';
import { type Probe, ProbeMachines, patientMs } from '../tests/flows/probe.ts';
import { eni, group, snapshot, subnet, tcp, vpc } from '../tests/flows/snapshots.ts';
import { createNetworkFabric } from './network-fabric.ts';

const machines = new ProbeMachines();
const fabric = createNetworkFabric({ machines });
const [a, b, c, node] = ['10.0.0.10', '10.0.0.11', '10.0.1.10', '10.0.0.50'];
let client: Probe;

before(async () => {
  const probes = [await machines.start('i-a'), await machines.start('i-b'), await machines.start('i-c')];
  for (const probe of probes) await probe.listen('tcp', 80);
  client = probes[0] as Probe;
  await fabric.apply(emptySnapshot);
});

after(async () => {
  await machines.stopAll();
  await fabric.close();
});

async function apply(targets: readonly LoadBalancerTarget[], ingress = [tcp(80)]): Promise<void> {
  const { attachment: _none, ...bare } = eni('n', '1', node, { groupIds: [] });
  const made: Vpc = vpc({
    subnets: [subnet('1', '10.0.0.0/24'), subnet('2', '10.0.1.0/24')],
    networkInterfaces: [
      eni('a', '1', a),
      eni('b', '1', b, { groupIds: ['sg-target'] }),
      eni('c', '2', c, { groupIds: ['sg-target'] }),
      { ...bare, service: { kind: 'network-load-balancer', loadBalancerId: 'net/lb/1' } },
    ],
    securityGroups: [group('sg-open', []), group('sg-target', ingress)],
    networkLoadBalancers: [
      {
        loadBalancerId: 'net/lb/1',
        scheme: 'internal',
        dnsNames: [],
        nodes: [{ networkInterfaceId: 'eni-n', checks: targets, listeners: [{ protocol: 6, port: 443, targets }] }],
      },
    ],
  });
  assert.deepEqual((await fabric.apply(snapshot(made))).failures, []);
}

const [toB, toC] = [
  { address: b, port: 80 },
  { address: c, port: 80 },
];

/** Who answered, each time. */
async function answering(count: number): Promise<Set<string>> {
  const seen = new Set<string>();
  for (let time = 0; time < count; time += 1) {
    const answer = await client.tcp({ host: node, port: 443, timeoutMs: patientMs });
    assert.match(answer, /^open /);
    const [source, target] = answer.slice('open '.length).split('>');
    assert.equal(source?.replace('::ffff:', ''), node);
    seen.add(target?.replace('::ffff:', '') ?? '');
  }
  return seen;
}

test('[B2] connections go to all targets, and each stays with its own when the others change', async () => {
  await apply([toB, toC]);
  // That forty flows all fall on one of two is as likely as a coin that falls so forty times.
  assert.deepEqual(await answering(40), new Set([b, c]));
  await apply([toC]);
  assert.match(
    await client.hold('one', { host: node, port: 443, timeoutMs: patientMs }),
    new RegExp(`>(::ffff:)?${c}`),
  );
  await apply([toB]);
  assert.equal(await client.say('one', patientMs), 'echo hello');
  assert.deepEqual(await answering(5), new Set([b]));
});

test('[B5] a health check leaves by the node’s interface, so the target’s groups decide it', async () => {
  const settings = { protocol: 'TCP', port: 'traffic-port', path: '/', matcher: '200-399', intervalSeconds: 5, timeoutSeconds: 2, healthyThreshold: 2, unhealthyThreshold: 2 } as const; // biome-ignore format: one value
  const ask = (timeoutSeconds: number) => {
    const way = fabric.fromNode('eni-n', c);
    assert.ok(way);
    const check = { targetGroupArn: '', target: { id: c, port: 80 }, networkInterfaceId: 'eni-n', address: c, port: 80, settings: { ...settings, timeoutSeconds } } as const; // biome-ignore format: one value
    return askTarget(way, check, new AbortController().signal);
  };
  await apply([toC]);
  assert.equal(await ask(15), 'success');
  await apply([toC], [tcp(80, { kind: 'cidr', cidr: '10.0.0.10/32' })]);
  assert.equal(await ask(1), 'failure');
  await apply([toC], [tcp(80, { kind: 'cidr', cidr: '10.0.0.50/32' })]);
  assert.equal(await ask(15), 'success');
  assert.equal(fabric.fromNode('eni-n', '192.168.7.7'), undefined);
});
