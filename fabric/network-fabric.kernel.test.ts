// What changes do to flows that exist, what a guest may not do, and that an apply is minimal and leaves nothing behind. Real packets.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { emptySnapshot, type SecurityGroupRule } from '@postern/network/snapshot.ts';
import { type AwsSide, startAwsSide } from '../tests/flows/aws-side.ts';
import { type Probe, ProbeMachines } from '../tests/flows/probe.ts';
import {
  aclEntry,
  allowAll,
  cidrPeer,
  endpointEni,
  eni,
  everywhere,
  group,
  groupPeer,
  interfaceEndpoint,
  local,
  openAcl,
  peered,
  rule,
  s3Endpoint,
  s3Route,
  snapshot,
  subnet,
  table,
  tcp,
  toIgw,
  toPeer,
  vpc,
} from '../tests/flows/snapshots.ts';
import { query } from './host.ts';
import { createNetworkFabric } from './network-fabric.ts';

const machines = new ProbeMachines();
const fabric = createNetworkFabric({ machines });
let aws: AwsSide;
let a: Probe;
let b: Probe;

before(async () => {
  [a, b] = [await machines.start('i-a'), await machines.start('i-b')];
  for (const probe of [a, b]) await probe.listen('tcp', 80);
  await fabric.apply(emptySnapshot);
  aws = await startAwsSide(fabric);
});

after(async () => {
  await aws?.close();
  await machines.stopAll();
  await fabric.close();
});

const cards = [
  eni('a', '1', '10.0.0.10', { groupIds: ['sg-a'], publicAddress: '198.19.0.10' }),
  eni('b', '2', '10.0.1.10', { groupIds: ['sg-b'] }),
];
const subnets = [subnet('1', '10.0.0.0/24', { routeTableId: 'rtb-public' }), subnet('2', '10.0.1.0/24')];
const toB = { host: '10.0.1.10', port: 80 };

function network(
  options: {
    inbound?: SecurityGroupRule[];
    outbound?: SecurityGroupRule[];
    routes?: Parameters<typeof table>[1][];
    acl?: typeof openAcl;
    cards?: typeof cards;
  } = {},
) {
  return snapshot(vpc({
    subnets, networkInterfaces: options.cards ?? cards, internetGatewayId: 'igw-1', gatewayEndpoints: [s3Endpoint], networkAcls: [options.acl ?? openAcl],
    routeTables: [table('rtb-main', local('10.0.0.0/16')), table('rtb-public', local('10.0.0.0/16'), ...(options.routes ?? [toIgw]))],
    securityGroups: [group('sg-a', [], [allowAll]), group('sg-b', options.inbound ?? [], options.outbound ?? [allowAll])],
  })); // biome-ignore format: few words
}

async function apply(...options: Parameters<typeof network>): Promise<void> {
  const applied = await fabric.apply(network(...options));
  assert.deepEqual(applied.failures, []);
}

test('[S11] a tracked flow survives the removal of the rule that let it in, and new ones are refused', async () => {
  await apply({ inbound: [tcp(80, cidrPeer('10.0.0.0/24'))] });
  assert.match(await a.hold('tracked', toB), /^open/);
  await apply({ inbound: [] });
  assert.equal(await a.say('tracked'), 'echo hello');
  assert.equal(await a.tcp(toB), 'timeout');
});

test('[S12] an untracked flow is cut at once when its rule goes, and lives again when the rule is back', async () => {
  await apply({ inbound: [tcp(80, everywhere)] });
  assert.match(await a.hold('untracked', toB), /^open/);
  await apply({ inbound: [] });
  assert.equal(await a.say('untracked'), 'timeout');
  await apply({ inbound: [tcp(80, everywhere)] });
  // TCP sends again what was lost, at growing intervals: alone, or together with what is said now.
  assert.match(await a.say('untracked', 8000), /^echo hello(\nhello)?$/);
});

test('[S12] a flow from everywhere is tracked when the way back is not open to everything', async () => {
  await apply({ inbound: [tcp(80, everywhere)], outbound: [tcp(443)] });
  assert.match(await a.hold('one-way', toB), /^open/);
  await apply({ inbound: [], outbound: [tcp(443)] });
  assert.equal(await a.say('one-way'), 'echo hello');
});

test('[N6] an ACL change stops flows that exist, tracked or not', async () => {
  await apply({ inbound: [tcp(80, groupPeer('sg-a'))] });
  assert.match(await a.hold('acl', toB), /^open/);
  await apply({
    inbound: [tcp(80, groupPeer('sg-a'))],
    acl: { ...openAcl, ingress: [aclEntry(50, 'deny', { protocol: 6 }), aclEntry(100, 'allow')] },
  });
  assert.equal(await a.say('acl'), 'timeout');
});

test('[W6] a gateway endpoint’s route drops the TCP connections it moves, on both sides, coming and going', {
  timeout: 120_000,
}, async () => {
  const s3 = { host: '198.18.1.1', port: 443 };
  await apply({ routes: [toIgw] });
  assert.match(await a.hold('by-igw', s3), /^open 198\.19\.0\.10 internet/);
  assert.equal(await a.say('by-igw'), 'echo hello');
  await apply({ routes: [toIgw, s3Route] });
  assert.equal(await a.say('by-igw'), 'error ECONNRESET');
  assert.match(await a.hold('by-endpoint', s3), /^open 10\.0\.0\.10 endpoint vpce-s3/);
  await apply({ routes: [toIgw] });
  const ends = [...aws.sockets].map((socket) => new Promise((resolve) => socket.once('close', resolve)));
  assert.ok(ends.length > 0);
  for (const socket of aws.sockets) socket.write('late answer\n');
  // The AWS side hears of it too, by its own next packet.
  await Promise.all(ends);
  assert.match(await a.tcp(s3), /^open 198\.19\.0\.10 internet/);
});

test('[S13] a flow to DynamoDB’s gateway endpoint is tracked whatever the rules say, and one to S3’s is not', async () => {
  const dynamoDb = { vpcEndpointId: 'vpce-ddb', service: 'dynamodb', prefixListId: 'pl-ddb' } as const;
  const toDynamoDb = {
    destination: { kind: 'prefix-list', prefixListId: 'pl-ddb' },
    target: { kind: 'gateway-endpoint', vpcEndpointId: 'vpce-ddb' },
    state: 'active',
  } as const;
  const withRules = (rules: SecurityGroupRule[]) => {
    const { vpcs, prefixLists, ...rest } = network({ routes: [s3Route, toDynamoDb] });
    const [only] = vpcs;
    assert.ok(only);
    // Everything in and out: what S12 calls untracked.
    const groups = [group('sg-a', [allowAll], rules), group('sg-b', [])];
    return {
      ...rest,
      prefixLists: [...prefixLists, { prefixListId: 'pl-ddb' as const, cidrs: ['198.18.1.64/26' as const] }],
      vpcs: [{ ...only, securityGroups: groups, gatewayEndpoints: [s3Endpoint, dynamoDb] }],
    };
  };
  assert.deepEqual((await fabric.apply(withRules([allowAll]))).failures, []);
  assert.match(await a.hold('s3', { host: '198.18.1.1', port: 443 }), /^open 10\.0\.0\.10 endpoint vpce-s3/);
  assert.match(await a.hold('dynamodb', { host: '198.18.1.65', port: 443 }), /^open 10\.0\.0\.10 endpoint vpce-ddb/);
  await fabric.apply(withRules([]));
  assert.equal(await a.say('dynamodb'), 'echo hello');
  assert.equal(await a.say('s3'), 'timeout');
});

test('[S13] [X2] a flow to an interface endpoint outlives its rules at both ends, and new ones ask them', async () => {
  const door = { host: '10.0.1.50', port: 443 };
  const withRules = (outbound: SecurityGroupRule[], inbound: SecurityGroupRule[]) => {
    const { vpcs, ...rest } = network();
    const [only] = vpcs;
    assert.ok(only);
    const ends = [group('sg-a', [allowAll], outbound), group('sg-b', []), group('sg-door', inbound)];
    const endpoint = endpointEni('p1', '2', '10.0.1.50', { groupIds: ['sg-door'] });
    const interfaces = [...only.networkInterfaces, endpoint];
    const interfaceEndpoints = [interfaceEndpoint(['eni-p1'])];
    return { ...rest, vpcs: [{ ...only, securityGroups: ends, networkInterfaces: interfaces, interfaceEndpoints }] };
  };
  assert.deepEqual((await fabric.apply(withRules([allowAll], [allowAll]))).failures, []);
  assert.match(await a.hold('door', door), /^open 10\.0\.0\.10 endpoint vpce-if/);
  await fabric.apply(withRules([], []));
  assert.equal(await a.say('door'), 'echo hello');
  assert.equal(await a.tcp(door), 'timeout');
  await fabric.apply(withRules([allowAll], []));
  assert.equal(await a.tcp(door), 'timeout');
  await fabric.apply(withRules([], [allowAll]));
  assert.equal(await a.tcp(door), 'timeout');
  await fabric.apply(withRules([allowAll], [tcp(443)]));
  assert.match(await a.tcp(door), /^open/);
  // An endpoint that is gone takes its connections with it.
  await apply();
  assert.match(await a.say('door'), /timeout|error/);
});

test('[S13] [X6] a flow to a peer’s interface endpoint is tracked at the client’s end too', async () => {
  const withRules = (outbound: SecurityGroupRule[]) => {
    const first = vpc({
      subnets: [subnet('1', '10.0.0.0/24')],
      networkInterfaces: [eni('a', '1', '10.0.0.10', { groupIds: ['sg-a'] })],
      routeTables: [table('rtb-main', local('10.0.0.0/16'), toPeer('10.1.0.0/16'))],
      securityGroups: [group('sg-a', [allowAll], outbound)],
    });
    const second = vpc({
      vpcId: 'vpc-b',
      cidrBlocks: ['10.1.0.0/16'],
      subnets: [subnet('5', '10.1.0.0/24')],
      networkInterfaces: [endpointEni('p5', '5', '10.1.0.50')],
      interfaceEndpoints: [interfaceEndpoint(['eni-p5'])],
      routeTables: [table('rtb-main', local('10.1.0.0/16'), toPeer('10.0.0.0/16'))],
    });
    return peered(snapshot(first, second), { ab: ['vpc-a', 'vpc-b'] });
  };
  assert.deepEqual((await fabric.apply(withRules([allowAll]))).failures, []);
  assert.match(await a.hold('far', { host: '10.1.0.50', port: 443 }), /^open 10\.0\.0\.10 endpoint vpce-if/);
  await fabric.apply(withRules([]));
  assert.equal(await a.say('far'), 'echo hello');
  assert.equal(await a.tcp({ host: '10.1.0.50', port: 443 }), 'timeout');
});

test('[I2] a flow does not outlive the Elastic IP it was translated to', async () => {
  await apply();
  assert.match(await a.hold('eip', { host: '198.18.1.1', port: 443 }), /^open 198\.19\.0\.10/);
  const [first, second] = cards;
  assert.ok(first !== undefined && second !== undefined);
  const moved = [
    { ...first, privateAddresses: [{ address: '10.0.0.10', primary: true, publicAddress: '198.19.0.44' }] },
    second,
  ];
  await apply({ cards: moved });
  // At AWS the other end resets what now comes from a stranger; here the gateway does.
  assert.equal(await a.say('eip'), 'error ECONNRESET');
  assert.match(await a.tcp({ host: '198.18.1.1', port: 443 }), /^open 198\.19\.0\.44 internet/);
});

test('[R15] a guest cannot send from an address that is not its own', async () => {
  await apply({ inbound: [rule(-1, undefined, everywhere)] });
  assert.match(await a.run('ip', 'addr', 'add', '10.0.0.77/32', 'dev', 'eth0'), /^0 /);
  assert.equal(await a.tcp({ ...toB, from: '10.0.0.77' }), 'timeout');
  assert.match(await a.tcp(toB), /^open/);
});

test('a guest that takes its own filter and addresses away gains nothing', async () => {
  await apply({ inbound: [] });
  assert.match(await a.run('ip', 'route', 'add', '240.0.0.0/4', 'via', '10.0.0.1'), /^0 /);
  assert.equal(await a.tcp({ host: '240.240.0.2', port: 80 }), 'timeout');
  assert.equal(await a.tcp({ host: '127.0.0.1', port: 443 }), 'refused');
  assert.equal(await a.tcp(toB), 'timeout');
});

test('a second interface answers by itself from each address it is given later, and leaves no rule behind when it goes', async () => {
  const bare = eni('a2', '2', '10.0.1.20', { groupIds: ['sg-b'] });
  const second = (...addresses: string[]) => ({
    ...bare,
    attachment: { instanceId: 'i-a', deviceIndex: 1 } as const,
    privateAddresses: addresses.map((address, index) => ({ address, primary: index === 0 })),
  });
  const ping = [rule(-1, undefined, everywhere)];
  const rules = async () =>
    (await a.run('ip', 'rule'))
      .match(/from 10\.\S+/g)
      ?.map((text) => text.slice('from '.length))
      .sort() ?? [];
  for (const addresses of [['10.0.1.20'], ['10.0.1.20', '10.0.1.21', '10.0.1.22'], ['10.0.1.20', '10.0.1.22']]) {
    await apply({ inbound: ping, cards: [...cards, second(...addresses)] });
    // The first one has a rule too while it is not alone: the second one's subnet would take its replies (tests/e2e/roads-rest.test.ts).
    assert.deepEqual(await rules(), ['10.0.0.10', ...addresses]);
    for (const address of addresses) assert.equal(await b.ping(address), 'open', address);
  }
  await apply({ inbound: ping });
  assert.deepEqual(await rules(), []);
});

test('applying the same again changes nothing, and closing leaves nothing behind', async () => {
  const same = network({ inbound: [tcp(80)] });
  await fabric.apply(same);
  const before = await query({ kind: 'vpc', name: 'vpc-a' }, ['nft', '-a', 'list', 'ruleset']);
  const links = await query({ kind: 'vpc', name: 'vpc-a' }, ['ip', '-o', 'link']);
  await fabric.apply(same);
  // Handles and interface indexes are given anew to whatever is made anew.
  assert.equal((await query({ kind: 'vpc', name: 'vpc-a' }, ['nft', '-a', 'list', 'ruleset'])).stdout, before.stdout);
  assert.equal((await query({ kind: 'vpc', name: 'vpc-a' }, ['ip', '-o', 'link'])).stdout, links.stdout);
  await fabric.apply(snapshot());
  assert.equal((await query({ kind: 'core' }, ['ip', 'netns', 'list'])).stdout, '');
  assert.doesNotMatch((await query({ kind: 'core' }, ['ip', '-o', 'link'])).stdout, /: [aig]\d+@/);
  assert.doesNotMatch((await query({ kind: 'core' }, ['ip', 'route', 'show', 'table', 'local'])).stdout, /dev [aig]\d/);
});
