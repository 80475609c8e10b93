// Public addresses while packets flow: Elastic IPs that move, addresses whose subnet has no way to the gateway, public access that is blocked. Real packets.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { emptySnapshot, type Subnet } from '@postern/network/snapshot.ts';
import { type AwsSide, startAwsSide } from '../tests/flows/aws-side.ts';
import { type Probe, ProbeMachines } from '../tests/flows/probe.ts';
import { eni, local, snapshot, subnet, table, toIgw, vpc } from '../tests/flows/snapshots.ts';
import { query } from './host.ts';
import { createNetworkFabric } from './network-fabric.ts';

const machines = new ProbeMachines();
const fabric = createNetworkFabric({ machines });
let aws: AwsSide;
let a: Probe;
let b: Probe;

before(async () => {
  [a, b] = [await machines.start('i-a'), await machines.start('i-b')];
  for (const probe of [a, b]) for (const protocol of ['tcp', 'udp'] as const) await probe.listen(protocol, 80);
  await fabric.apply(emptySnapshot);
  aws = await startAwsSide(fabric);
});

after(async () => {
  await aws?.close();
  await machines.stopAll();
  await fabric.close();
});

interface Wanted {
  /** Public address of each private one. */
  readonly a?: Readonly<Record<string, string>>;
  readonly b?: Readonly<Record<string, string>>;
  readonly routeOfA?: 'igw' | 'none';
  readonly blockPublicAccess?: Subnet['blockPublicAccess'];
}

const cards = { a: eni('a', '1', '10.0.0.10'), b: eni('b', '2', '10.0.1.10') };

async function apply(wanted: Wanted): Promise<void> {
  const card = (name: 'a' | 'b', addresses: readonly string[]) => ({
    ...cards[name],
    privateAddresses: addresses.map((address, index) => {
      const publicAddress = wanted[name]?.[address];
      return { address, primary: index === 0, ...(publicAddress && { publicAddress }) };
    }),
  });
  const { blockPublicAccess } = wanted;
  const network = vpc({
    subnets: [
      subnet('1', '10.0.0.0/24', { routeTableId: 'rtb-a', ...(blockPublicAccess && { blockPublicAccess }) }),
      subnet('2', '10.0.1.0/24', { routeTableId: 'rtb-b' }),
    ],
    internetGatewayId: 'igw-1',
    routeTables: [
      table('rtb-a', local('10.0.0.0/16'), ...(wanted.routeOfA === 'none' ? [] : [toIgw])),
      table('rtb-b', local('10.0.0.0/16'), toIgw),
    ],
    networkInterfaces: [card('a', ['10.0.0.10', '10.0.0.20']), card('b', ['10.0.1.10'])],
  });
  assert.deepEqual((await fabric.apply(snapshot(network))).failures, []);
}

const s3 = { host: '198.18.1.1', port: 443 };
/** UDP and back, always from the same port; the answer is the address that b saw. */
const udp = (to: string) =>
  a.run(
    'perl',
    '-MIO::Socket::INET',
    '-e',
    `$s = IO::Socket::INET->new(Proto => 'udp', LocalPort => 4444, PeerAddr => '${to}:80'); $s->send('x'); alarm 1; $s->recv($m, 99); print $m`,
  );
const datagramsOfA = () => a.run('awk', '/^Udp:/ && $2 ~ /[0-9]/ { print $2 + $3 }', '/proc/net/snmp');

test('[I2] an Elastic IP that moves takes new flows along, and UDP that goes on from the same port continues under the new address', async () => {
  const toB = '198.19.0.12';
  await apply({ a: { '10.0.0.10': '198.19.0.10' }, b: { '10.0.1.10': toB } });
  assert.match(await udp(toB), /^0 198\.19\.0\.10/);
  assert.match(await a.hold('before', s3), /^open 198\.19\.0\.10/);
  await apply({ a: { '10.0.0.10': '198.19.0.44' }, b: { '10.0.1.10': toB } });
  assert.match(await udp(toB), /^0 198\.19\.0\.44/);
  assert.equal(await a.say('before'), 'error ECONNRESET');
  assert.match(await a.tcp(s3), /^open 198\.19\.0\.44/);
  assert.equal(await aws.fromLaptop('198.19.0.10', 80), 'timeout');
  // And back again, to another interface and to this one.
  await apply({ b: { '10.0.1.10': '198.19.0.10' } });
  assert.match(await aws.fromLaptop('198.19.0.10', 80), /^open 203\.0\.113\.10>10\.0\.1\.10/);
  await apply({ a: { '10.0.0.10': '198.19.0.10' }, b: { '10.0.1.10': toB } });
  assert.match(await aws.fromLaptop('198.19.0.10', 80), /^open 203\.0\.113\.10>10\.0\.0\.10/);
  assert.match(await udp(toB), /^0 198\.19\.0\.10/);
});

test('[I2] an Elastic IP may be on a secondary private address, alone or beside one on the first, and move between them', async () => {
  await apply({ a: { '10.0.0.20': '198.19.0.20' } });
  assert.match(await a.tcp({ ...s3, from: '10.0.0.20' }), /^open 198\.19\.0\.20/);
  assert.equal(await a.tcp(s3), 'timeout');
  assert.match(await aws.fromLaptop('198.19.0.20', 80), /^open 203\.0\.113\.10>10\.0\.0\.20/);
  await apply({ a: { '10.0.0.10': '198.19.0.20' } });
  assert.match(await a.tcp(s3), /^open 198\.19\.0\.20/);
  assert.equal(await a.tcp({ ...s3, from: '10.0.0.20' }), 'timeout');
  assert.match(await aws.fromLaptop('198.19.0.20', 80), /^open 203\.0\.113\.10>10\.0\.0\.10/);
});

test('[I3] a public address whose subnet has no route to the gateway is not reached, by a lone datagram neither', async () => {
  const send = () =>
    query({ kind: 'core' }, [
      'perl',
      '-MIO::Socket::INET',
      '-e',
      "IO::Socket::INET->new(Proto => 'udp', LocalAddr => '203.0.113.10', PeerAddr => '198.19.0.10:9')->send('x') or die",
    ]);
  const arrivals = async () => {
    const before_ = await datagramsOfA();
    assert.equal((await send()).code, 0);
    await new Promise((resolve) => setTimeout(resolve, 100));
    return (await datagramsOfA()) !== before_;
  };
  await apply({ a: { '10.0.0.10': '198.19.0.10' } });
  assert.equal(await arrivals(), true, 'the way itself is open');
  await apply({ a: { '10.0.0.10': '198.19.0.10' }, routeOfA: 'none' });
  assert.equal(await arrivals(), false);
});

test('[BPA] blocking stops flows that exist, and they live again when it is off', { timeout: 120_000 }, async () => {
  const addresses = { a: { '10.0.0.10': '198.19.0.10' } };
  await apply(addresses);
  assert.match(await a.hold('blocked', s3), /^open/);
  await apply({ ...addresses, blockPublicAccess: 'block-ingress' });
  assert.equal(await a.say('blocked'), 'timeout');
  await apply(addresses);
  assert.match(await a.say('blocked', 8000), /^echo hello/);
});
