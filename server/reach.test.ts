import assert from 'node:assert/strict';
import { test } from 'node:test';
import { eni, group, groupPeer, local, s3Endpoint, s3Route, snapshot, subnet, table, tcp, toIgw, vpc } from '../tests/flows/snapshots.ts'; // biome-ignore format: many words
import type { ReachQuestion } from './operator/api.ts';
import { reachAnswer } from './reach.ts';

const network = snapshot(
  vpc({
    internetGatewayId: 'igw-1',
    gatewayEndpoints: [s3Endpoint],
    subnets: [subnet('1', '10.0.0.0/24', { routeTableId: 'rtb-public' }), subnet('2', '10.0.1.0/24')],
    routeTables: [table('rtb-main', local('10.0.0.0/16'), s3Route), table('rtb-public', local('10.0.0.0/16'), toIgw)],
    networkInterfaces: [eni('a', '1', '10.0.0.10', { publicAddress: '198.19.0.10', groupIds: ['sg-ssh'] }), eni('b', '2', '10.0.1.10', { groupIds: ['sg-web'] })],
    securityGroups: [group('sg-ssh', [tcp(22)]), group('sg-web', [tcp(80, groupPeer('sg-ssh'))])],
  }),
); // biome-ignore format: a network

const ask = (question: ReachQuestion) =>
  reachAnswer(network, question).rows.map(
    (row) =>
      `${row.fromInstance ?? row.from} → ${row.toInstance ?? row.to} by ${row.via.map(({ id }) => id).join(' ') || '-'}: ${row.traffic}`,
  );

test('instances, subnets, groups and VPCs are their interfaces', () => {
  const inside = 'i-a → i-b by -: tcp 80';
  for (const to of ['i-b', 'eni-b', 'subnet-2', 'sg-web']) assert.deepEqual(ask({ to }), [inside], to);
  assert.deepEqual(ask({ from: 'vpc-a', to: 'vpc-a' }), [inside, 'i-b → i-a by -: tcp 22']);
  assert.deepEqual(ask({ from: 'internet', to: 'vpc-a' }), ['internet → i-a by igw-1: tcp 22 from any IPv4 address']);
  assert.deepEqual(ask({ from: 'internet', to: 'sg-web' }), []);
});

test('a service is reached by the road that routes say; a bucket is its service to the network', () => {
  assert.deepEqual(ask({ to: 's3' }), ['i-a → s3 by igw-1: all traffic', 'i-b → s3 by vpce-s3: tcp; icmp echo']);
  assert.deepEqual(ask({ from: 'i-b', to: 's3://bucket/key', protocol: 'tcp', port: 443 }), [
    'i-b → s3 by vpce-s3: tcp 443',
  ]);
  assert.deepEqual(ask({ from: 'i-b', to: 'resolver' }), ['i-b → the resolver of vpc-a by -: tcp 53; udp 53']);
});

test('hosts outside, and only some traffic', () => {
  assert.deepEqual(ask({ from: '203.0.113.9', to: 'i-a' }), ['internet → i-a by igw-1: tcp 22 from 203.0.113.9']);
  assert.deepEqual(ask({ from: 'i-a', to: '203.0.113.0/24', protocol: 'icmp' }), [
    'i-a → internet by igw-1: icmp to 203.0.113.0/24',
  ]);
  assert.deepEqual(
    ask({ protocol: 'udp', port: 53 }).map((row) => row.split(':')[0]),
    ['i-a → internet by igw-1', 'i-a → s3 by igw-1', 'i-a → dynamodb by igw-1'],
  );
});

test('requests are told as rules name them', () => {
  const [row] = reachAnswer(network, { from: 'i-b', to: 's3' }).rows;
  assert.deepEqual(row?.flows, [
    {
      sources: ['10.0.1.10/32'],
      destinations: ['198.18.1.0/26'],
      requests: [
        { protocol: 6, ports: [{ from: 0, to: 65_535 }], sourcePorts: [{ from: 0, to: 65_535 }] },
        { protocol: 1, messages: [{ type: 8, code: -1 }] },
      ],
    },
  ]);
  assert.equal(row?.example?.destinationPort, 443);
});

test('what is no end is refused, with what to do instead', () => {
  assert.throws(() => ask({ from: 's3' }), /nothing begins there/);
  assert.throws(() => ask({ to: 'i-x' }), /i-x has no network interface/);
  assert.throws(() => ask({ to: 'nonsense' }), /is none of/);
  assert.throws(() => ask({ to: '10.0.0.300' }), /no address/);
  assert.throws(() => ask({ from: '10.0.0.0/16', to: 'i-a' }), /10.0.0.0\/16 is private/);
  assert.throws(() => ask({ to: '198.19.0.10' }), /belongs to eni-a/);
});

test('many pairs are asked class by class, and told no differently', () => {
  const cards = Array.from({ length: 80 }, (_, index) =>
    eni(`m${index}`, '2', `10.0.1.${20 + index}`, { groupIds: ['sg-open'] }),
  );
  const many = {
    ...network,
    vpcs: network.vpcs.map((each) => ({ ...each, networkInterfaces: [...each.networkInterfaces, ...cards] })),
  };
  const { rows, isComplete } = reachAnswer(many, { to: 'subnet-2', protocol: 'tcp', port: 80 });
  assert.deepEqual([rows.length, isComplete], [1, true]);
  const open = {
    ...many,
    vpcs: many.vpcs.map((each) => ({ ...each, securityGroups: [...each.securityGroups, group('sg-open', [tcp(80)])] })),
  };
  // Everybody but the receiver itself, and to b from a alone.
  assert.equal(reachAnswer(open, { to: 'subnet-2', protocol: 'tcp', port: 80 }).rows.length, 80 * 81 + 1);
});

test('more rows than a person reads are not told, and said so', () => {
  const cards = Array.from({ length: 101 }, (_, index) => eni(`m${index}`, '2', `10.0.1.${20 + index}`));
  const crowd = snapshot(vpc({ subnets: [subnet('2', '10.0.1.0/24')], networkInterfaces: cards }));
  assert.deepEqual([reachAnswer(crowd, {}).rows.length, reachAnswer(crowd, {}).isComplete], [10_000, false]);
});
