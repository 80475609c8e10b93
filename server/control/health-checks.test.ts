// Health checks with a clock and answers of the test's own; real ones are in fabric/load-balancers.kernel.test.ts.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { NetworkLoadBalancer } from '@postern/network/snapshot.ts';
import { ensureRegion } from '../services/ec2/default-vpc.ts';
import { elasticLoadBalancing } from '../services/elastic-load-balancing/index.ts';
import { makeStore, runOperation, testAccountId, testNow } from '../testing.ts';
import { type Answer, isMeant } from './ask-target.ts';
import { HealthChecks } from './health-checks.ts';
import { networkLoadBalancersByVpc } from './load-balancers.ts';
import { FakeClock } from './testing.ts';

/** A balancer in two zones with a listener and two targets, one in each. */
async function makeWorld() {
  const store = makeStore((tx) => ensureRegion(tx, testAccountId, 'us-east-1', testNow));
  const run = <O = Record<string, unknown>>(name: string, input: object) =>
    runOperation<O>(store, elasticLoadBalancing, name, input);
  const [first, second] = store.read((tx) => tx.list('subnet'));
  assert.ok(first && second && first.availabilityZone !== second.availabilityZone);
  const host = (block: string) => block.replace(/\d+\/\d+$/, '200');
  const ids = [host(first.cidrBlock), host(second.cidrBlock)];
  const { LoadBalancers } = await run<{ LoadBalancers: { LoadBalancerArn: string }[] }>('CreateLoadBalancer', {
    Name: 'lb',
    Type: 'network',
    Scheme: 'internal',
    Subnets: [first.id, second.id],
  });
  const LoadBalancerArn = LoadBalancers[0]?.LoadBalancerArn ?? '';
  const { TargetGroups } = await run<{ TargetGroups: { TargetGroupArn: string }[] }>('CreateTargetGroup', {
    Name: 'tg',
    Protocol: 'TCP',
    Port: 80,
    VpcId: first.vpcId,
    TargetType: 'ip',
    HealthCheckIntervalSeconds: 10,
    HealthyThresholdCount: 3,
    UnhealthyThresholdCount: 2,
  });
  const TargetGroupArn = TargetGroups[0]?.TargetGroupArn ?? '';
  await run('RegisterTargets', { TargetGroupArn, Targets: ids.map((Id) => ({ Id })) });
  const states = async () => {
    const { TargetHealthDescriptions: all } = await run<{
      TargetHealthDescriptions: { TargetHealth: { State: string } }[];
    }>('DescribeTargetHealth', { TargetGroupArn });
    return all.map((each) => each.TargetHealth.State).join(' ');
  };
  const balancer = (): NetworkLoadBalancer => {
    const found = store.read(networkLoadBalancersByVpc).get(first.vpcId)?.[0];
    assert.ok(found);
    return found;
  };
  /** Per node, who gets new connections. */
  const rotation = () =>
    balancer().nodes.map(({ listeners }) =>
      listeners.flatMap(({ targets }) => targets.map(({ address }) => ids.indexOf(address))),
    );
  const told = () => balancer().dnsNames[0]?.networkInterfaceIds.length;
  return { store, run, LoadBalancerArn, TargetGroupArn, ids, states, rotation, told };
}

/** Checks that are answered as the test says; `turn` lets time pass by one interval and everything settle. */
function checking({ store }: Awaited<ReturnType<typeof makeWorld>>) {
  const clock = new FakeClock(testNow);
  const answers = new Map<string, Answer>();
  const asked: string[] = [];
  const applying: (() => void)[] = [];
  const checks = new HealthChecks({
    store,
    clock,
    fabric: { fromNode: () => ({ from: '', to: '' }) },
    applied: () => new Promise<void>((resolve) => applying.push(resolve)),
    ask: async (_way, { address }) => {
      asked.push(address);
      return answers.get(address) ?? 'success';
    },
  });
  const end = store.onChange((changes) => checks.changed(changes));
  /** The network is applied, and who waited for that has asked. */
  const settle = () => {
    for (const resolve of applying.splice(0)) resolve();
    return new Promise((resolve) => setImmediate(resolve));
  };
  const turn = async () => {
    clock.advance(10_000);
    await settle();
  };
  const close = () => {
    end();
    checks.close();
  };
  return { clock, answers, asked, settle, turn, close };
}

test('[B5] a target is in service with its first success, and out of it and back with the thresholds', async () => {
  const world = await makeWorld();
  const { answers, asked, settle, turn, close } = checking(world);
  const forward = { Type: 'forward', TargetGroupArn: world.TargetGroupArn };
  await settle();
  assert.deepEqual(asked, [], 'nobody is asked while no listener forwards to the group');
  assert.equal(await world.states(), 'unused unused');
  answers.set(world.ids[1] ?? '', 'failure');
  const { LoadBalancerArn } = world;
  await world.run('CreateListener', { LoadBalancerArn, Protocol: 'TCP', Port: 80, DefaultActions: [forward] });
  assert.equal(await world.states(), 'initial initial');
  assert.deepEqual(world.rotation(), [[], []], 'one that was not asked yet gets nothing');
  await settle();
  assert.equal(await world.states(), 'healthy initial');
  await turn();
  assert.equal(await world.states(), 'healthy unhealthy');
  answers.set(world.ids[1] ?? '', 'success');
  await turn();
  await turn();
  assert.equal(await world.states(), 'healthy unhealthy');
  await turn();
  assert.equal(await world.states(), 'healthy healthy');
  close();
});

test('[B6] [B7] an unhealthy target gets nothing, its zone is not told of, and when all are unhealthy all get something', async () => {
  const world = await makeWorld();
  const { answers, settle, turn, close } = checking(world);
  const forward = { Type: 'forward', TargetGroupArn: world.TargetGroupArn };
  const { LoadBalancerArn } = world;
  await world.run('CreateListener', { LoadBalancerArn, Protocol: 'TCP', Port: 80, DefaultActions: [forward] });
  await settle();
  assert.deepEqual([world.rotation(), world.told()], [[[0], [1]], 2], 'each node has the targets of its zone');
  answers.set(world.ids[1] ?? '', 'failure');
  await turn();
  await turn();
  assert.deepEqual([world.rotation(), world.told()], [[[0], []], 1]);
  const Attributes = [{ Key: 'load_balancing.cross_zone.enabled', Value: 'true' }];
  await world.run('ModifyLoadBalancerAttributes', { LoadBalancerArn, Attributes });
  assert.deepEqual(
    [world.rotation(), world.told()],
    [[[0], [0]], 2],
    'cross-zone: every node has all that are healthy',
  );
  answers.set(world.ids[0] ?? '', 'failure');
  await turn();
  await turn();
  assert.deepEqual(world.rotation(), [[0, 1], [0, 1]]); // biome-ignore format: one value
  close();
});

test('[B5] a deregistered target gets nothing at once, drains and is gone', async () => {
  const world = await makeWorld();
  const { asked, settle, turn, close } = checking(world);
  const forward = { Type: 'forward', TargetGroupArn: world.TargetGroupArn };
  const { LoadBalancerArn, TargetGroupArn } = world;
  await world.run('CreateListener', { LoadBalancerArn, Protocol: 'TCP', Port: 80, DefaultActions: [forward] });
  await settle();
  await world.run('DeregisterTargets', { TargetGroupArn, Targets: [{ Id: world.ids[0] }] });
  assert.equal(await world.states(), 'draining healthy');
  assert.deepEqual(world.rotation(), [[], [1]]);
  const count = asked.length;
  await turn();
  assert.deepEqual(asked.slice(count), [world.ids[1]], 'nobody asks it any more');
  const late = { now: new Date(testNow.getTime() + 301_000) };
  const { TargetHealthDescriptions } = await runOperation<{ TargetHealthDescriptions: unknown[] }>(
    world.store, elasticLoadBalancing, 'DescribeTargetHealth', { TargetGroupArn }, late,
  ); // biome-ignore format: one call
  assert.equal(TargetHealthDescriptions.length, 1);
  close();
});

test('codes that a matcher means', () => {
  const cases: [string, number, boolean][] = [['200-399', 204, true], ['200-399', 404, false], ['200,301', 301, true], ['200,301', 302, false]]; // biome-ignore format: a table
  for (const [matcher, status, expected] of cases)
    assert.equal(isMeant(matcher, status), expected, `${matcher} ${status}`);
});
