// NAT gateways over time: idle flows, removal, addresses that come and go, what they leave behind. Real packets.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { emptySnapshot, type PrivateAddress, type SecurityGroupRule } from '@postern/network/snapshot.ts';
import { type AwsSide, startAwsSide } from '../tests/flows/aws-side.ts';
import { type Probe, ProbeMachines } from '../tests/flows/probe.ts';
import { allowAll, eni, group, local, nat, snapshot, subnet, table, toIgw, toNat, udp, vpc } from '../tests/flows/snapshots.ts'; // biome-ignore format: many words
import { type Place, query } from './host.ts';
import { createNetworkFabric } from './network-fabric.ts';

const machines = new ProbeMachines();
const idleTimeoutSeconds = 2;
const fabric = createNetworkFabric({ machines, natIdleTimeoutSeconds: idleTimeoutSeconds });
let aws: AwsSide;
let a: Probe;

before(async () => {
  a = await machines.start('i-a');
  await fabric.apply(emptySnapshot);
  aws = await startAwsSide(fabric);
});

after(async () => {
  await aws?.close();
  await machines.stopAll();
  await fabric.close();
});

const s3 = { host: '198.18.1.1', port: 443 };
const core: Place = { kind: 'core' };
const primary: PrivateAddress = { address: '10.0.0.5', primary: true, publicAddress: '198.19.0.50' };
const second: PrivateAddress = { address: '10.0.0.6', primary: false, publicAddress: '198.19.0.51' };

interface Wanted {
  readonly addresses?: readonly PrivateAddress[];
  readonly egress?: readonly SecurityGroupRule[];
  readonly route?: 'nat' | 'igw' | 'none';
  readonly withGateway?: boolean;
  readonly publicAddress?: string;
}

function network({ addresses = [primary], egress = [allowAll], route = 'nat', withGateway = true, ...more }: Wanted) {
  const one = nat('1', '1', '10.0.0.5', { privateAddresses: addresses, macAddress: '0a:00:00:00:99:01' });
  const way = { nat: [toNat('1')], igw: [toIgw], none: [] }[route];
  return snapshot(vpc({
    subnets: [subnet('1', '10.0.0.0/24', { routeTableId: 'rtb-public' }), subnet('2', '10.0.1.0/24', { routeTableId: 'rtb-private' })], internetGatewayId: 'igw-1',
    routeTables: [table('rtb-public', local('10.0.0.0/16'), toIgw), table('rtb-private', local('10.0.0.0/16'), ...way)],
    networkInterfaces: [{ ...eni('a', '2', '10.0.1.10', { groupIds: ['sg-a'], ...more }), macAddress: '0a:00:00:00:99:02' }, ...(withGateway ? [one.card] : [])],
    natGateways: withGateway ? [one.gateway] : [], securityGroups: [group('sg-a', [allowAll], egress)],
  })); // biome-ignore format: few words
}

async function apply(wanted: Wanted = {}): Promise<void> {
  assert.deepEqual((await fabric.apply(network(wanted))).failures, []);
}

test('[G7] an idle flow is forgotten, and its next packet is answered with a reset', async () => {
  await apply();
  assert.match(await a.hold('idle', s3), /^open 198\.19\.0\.50 internet/);
  assert.match(await a.hold('busy', s3), /^open 198\.19\.0\.50 internet/);
  const until = Date.now() + (idleTimeoutSeconds + 2) * 1000;
  // The one that speaks stays: each packet begins its time anew.
  while (Date.now() < until) {
    assert.equal(await a.say('busy'), 'echo hello');
    await new Promise((resolve) => setTimeout(resolve, 500));
  }
  assert.equal(await a.say('idle'), 'error ECONNRESET');
  assert.equal(await a.say('busy'), 'echo hello');
});

test('[S13] a flow through a NAT gateway is tracked, so it outlives the rule that let it out', async () => {
  await apply();
  assert.match(await a.hold('tracked', s3), /^open/);
  await apply({ egress: [udp(9)] });
  assert.equal(await a.say('tracked'), 'echo hello');
  assert.equal(await a.tcp(s3), 'timeout');
});

test('[G6] several Elastic IPs are in use at once, and a flow on one that went ends while the others go on', async () => {
  await apply({ addresses: [primary, second] });
  const seen = new Map<string, string>();
  for (let index = 0; index < 16 && seen.size < 2; index += 1) {
    const [, address = ''] = /^open (\S+) internet/.exec(await a.hold(`spread-${index}`, s3)) ?? [];
    seen.set(address, `spread-${index}`);
  }
  assert.deepEqual([...seen.keys()].toSorted(), ['198.19.0.50', '198.19.0.51']);
  await apply();
  assert.equal(await a.say(seen.get('198.19.0.50') ?? ''), 'echo hello');
  assert.equal(await a.say(seen.get('198.19.0.51') ?? ''), 'timeout');
  for (let index = 0; index < 4; index += 1) assert.match(await a.tcp(s3), /^open 198\.19\.0\.50/);
});

test('[N10] what is too big for the way behind a NAT gateway is told so, in words of ICMP', async () => {
  await apply();
  const told = await a.run('ping', '-n', '-M', 'do', '-s', '2000', '-c', '1', '-W', '2', '198.51.100.7');
  assert.match(told, /mtu ?= ?1500/);
});

test('a connection that is moved to or from a NAT gateway is answered with a reset', async () => {
  await apply({ route: 'igw', publicAddress: '198.19.0.10' });
  assert.match(await a.hold('from-igw', s3), /^open 198\.19\.0\.10 internet/);
  await apply({ publicAddress: '198.19.0.10' });
  assert.equal(await a.say('from-igw'), 'error ECONNRESET');
  assert.match(await a.hold('from-nat', s3), /^open 198\.19\.0\.50 internet/);
  await apply({ route: 'igw', publicAddress: '198.19.0.10' });
  assert.equal(await a.say('from-nat'), 'error ECONNRESET');
});

test('[R15] what a NAT gateway sends under other addresses than its own are replies and nothing else', async () => {
  await apply();
  // As if its translation had failed: a stranger's address, towards the instance.
  const place: Place = { kind: 'nat-gateway', name: 'nat-1' };
  const send = (source: string) =>
    query(place, [
      'perl',
      '-MIO::Socket::INET',
      '-e',
      `IO::Socket::INET->new(Proto => 'udp', PeerAddr => '10.0.1.10:9', LocalAddr => '${source}')->send('x') or die`,
    ]);
  const datagrams = async () =>
    (await a.run('awk', '/^Udp:/ && $2 ~ /[0-9]/ { print $2 + $3 }', '/proc/net/snmp')).trim();
  await query(place, ['ip', 'addr', 'add', '198.51.100.9/32', 'dev', 'lo']);
  await query(place, ['nft', 'flush', 'chain', 'ip', 'nat-gateway', 'translate']);
  const atFirst = await datagrams();
  assert.equal((await send('198.51.100.9')).code, 0);
  await new Promise((resolve) => setTimeout(resolve, 100));
  assert.equal(await datagrams(), atFirst);
  assert.equal((await send('10.0.0.5')).code, 0);
  await new Promise((resolve) => setTimeout(resolve, 100));
  assert.notEqual(await datagrams(), atFirst, 'the way itself is open');
});

test('[G1] removing the gateway ends its flows, and leaves nothing behind', async () => {
  await apply({ withGateway: false, route: 'none' });
  assert.doesNotMatch((await query(core, ['ip', 'netns', 'list'])).stdout, /nat-/);
  await apply();
  assert.match(await a.hold('ended', s3), /^open/);
  await apply({ withGateway: false });
  assert.equal(await a.say('ended'), 'timeout');
  assert.doesNotMatch((await query(core, ['ip', 'netns', 'list'])).stdout, /nat-/);
  // Made again, it does not know the flow.
  await apply();
  assert.equal(await a.say('ended', 8000), 'error ECONNRESET');
  await fabric.apply(snapshot());
  assert.equal((await query(core, ['ip', 'netns', 'list'])).stdout, '');
});
