// NAT64 over time: large transfers, errors and path MTU, idle flows, a translator that dies, and what is left when nobody needs one. Real packets.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { after, before, test } from 'node:test';
import { emptySnapshot } from '@postern/network/snapshot.ts';
import { type AwsSide, startAwsSide } from '../tests/flows/aws-side.ts';
import { type Probe, ProbeMachines, patientMs } from '../tests/flows/probe.ts';
import { aclEntry, allowAll, cidrPeer, eni, group, local, nat, openAcl, rule, snapshot, subnet, table, toIgw, toNat, vpc } from '../tests/flows/snapshots.ts'; // biome-ignore format: many words
import { type Place, query } from './host.ts';
import { createNetworkFabric } from './network-fabric.ts';

const machines = new ProbeMachines();
/** Longer than a translator takes to come back, also on a busy machine. */
const idleTimeoutSeconds = 5;
const fabric = createNetworkFabric({ machines, natIdleTimeoutSeconds: idleTimeoutSeconds });
let aws: AwsSide;
/** An IPv6 client behind the gateway, and a host of IPv4. */
let c: Probe;
let a: Probe;

before(async () => {
  [c, a] = [await machines.start('i-c'), await machines.start('i-a')];
  await a.listen('tcp', 80);
  await fabric.apply(emptySnapshot);
  aws = await startAwsSide(fabric);
});

after(async () => {
  await aws?.close();
  await machines.stopAll();
  await fabric.close();
});

const block = '2001:db8:1010:100::/56';
const s3 = { host: '64:ff9b::c612:101', port: 443, timeoutMs: patientMs };
const hostA = { host: '64:ff9b::a00:a', port: 80, timeoutMs: patientMs };
const all6 = rule(-1, undefined, cidrPeer('::/0'));
const gateway = nat('1', '1', '10.0.0.5', { publicAddress: '198.19.0.50', macAddress: '0a:00:00:00:99:01' });

function network({ hasNat64 = true, hasGateway = true } = {}) {
  const locals = [local('10.0.0.0/16'), local(block)];
  const cards = [
    { ...eni('c', '2', '10.0.1.10', { ipv6Addresses: ['2001:db8:1010:102::c'] }), macAddress: '0a:00:00:00:99:02' },
    { ...eni('a', '1', '10.0.0.10'), macAddress: '0a:00:00:00:99:03' },
  ];
  return snapshot(vpc({
    ipv6CidrBlocks: [block], internetGatewayId: 'igw-1',
    subnets: [subnet('1', '10.0.0.0/24', { routeTableId: 'rtb-public' }), subnet('2', '10.0.1.0/24', { routeTableId: 'rtb-private', ipv6CidrBlock: '2001:db8:1010:102::/64' })],
    routeTables: [table('rtb-public', ...locals, toIgw), table('rtb-private', ...locals, ...(hasNat64 ? [toNat('1', '64:ff9b::/96')] : []))],
    networkInterfaces: [...cards, ...(hasGateway ? [gateway.card] : [])], natGateways: hasGateway ? [gateway.gateway] : [],
    networkAcls: [{ ...openAcl, ingress: [...openAcl.ingress, aclEntry(101, 'allow', { cidr: '::/0' })], egress: [...openAcl.egress, aclEntry(101, 'allow', { cidr: '::/0' })] }],
    securityGroups: [group('sg-open', [allowAll, all6], [allowAll, all6])],
  })); // biome-ignore format: few words
}

async function apply(wanted: Parameters<typeof network>[0] = {}): Promise<void> {
  assert.deepEqual((await fabric.apply(network(wanted))).failures, []);
}

/** Translators that this process has started and not yet buried. */
function translators(): number[] {
  const children = readFileSync(`/proc/${process.pid}/task/${process.pid}/children`, 'utf8').trim().split(' ');
  return children.map(Number).filter((pid) => pid > 0 && commandOf(pid).includes('nat64.pl'));
}

/** One that was killed may need a moment to go. */
async function noTranslators(): Promise<void> {
  const deadline = Date.now() + patientMs;
  while (translators().length > 0 && Date.now() < deadline) await new Promise((resolve) => setTimeout(resolve, 20));
  assert.deepEqual(translators(), []);
}

function commandOf(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8');
  } catch {
    return '';
  }
}

const gatewayLinks = async () => {
  const place: Place = { kind: 'nat-gateway', name: 'nat-1' };
  return (await query(place, ['ip', '-o', 'link'])).stdout;
};

test('[G13] four megabytes go there and come back whole', async () => {
  await apply();
  const script = `
    const sent = require('node:crypto').randomBytes(4 << 20);
    const socket = require('node:net').connect(80, '${hostA.host}');
    let got = Buffer.alloc(0), greeting = -1;
    socket.on('data', (data) => {
      got = Buffer.concat([got, data]);
      if (greeting < 0 && (greeting = got.indexOf(10)) >= 0) socket.write(sent);
      if (greeting < 0 || got.length < sent.length + greeting + 1) return;
      console.log(got.subarray(greeting + 1).equals(sent) ? 'whole' : 'spoiled');
      process.exit();
    });`;
  assert.match(await c.run(process.execPath, '-e', script), /whole/);
});

test('[G13] errors are told in words of ICMPv6: path MTU, a hop limit, a closed port', async () => {
  await apply();
  const ping = (...args: string[]) => c.run('ping', '-6', '-n', '-c', '1', '-W', '15', ...args);
  assert.match(await ping('-M', 'do', '-s', '2000', '64:ff9b::c633:6407'), /mtu ?= ?1520/);
  assert.match(await ping('-t', '2', '64:ff9b::c633:6407'), /From 64:ff9b::\S+ .*Time exceeded/);
  const script = `
    const socket = require('node:dgram').createSocket('udp6');
    socket.connect(9, '${hostA.host}', () => socket.send('x'));
    socket.on('error', (error) => { console.log(error.code); process.exit(); });`;
  assert.match(await c.run(process.execPath, '-e', script), /ECONNREFUSED/);
});

test('[G7] an idle flow is forgotten, and its next packet is answered with a reset', async () => {
  await apply();
  assert.match(await c.hold('idle', s3), /^open 198\.19\.0\.50 internet/);
  await new Promise((resolve) => setTimeout(resolve, (idleTimeoutSeconds + 2) * 1000));
  assert.equal(await c.say('idle', patientMs), 'error ECONNRESET');
});

test('a translator that dies is started again, and the flows through it go on', async () => {
  await apply();
  assert.match(await c.hold('held', hostA), /^open 10\.0\.0\.5/);
  const [pid] = translators();
  assert.ok(pid);
  process.kill(pid, 'SIGKILL');
  // The first word may be lost with it; TCP says it again.
  assert.equal(await c.say('held', patientMs), 'echo hello');
  const now = translators();
  assert.equal(now.length, 1);
  assert.notEqual(now[0], pid);
});

test('a NAT gateway has a translator only while a route leads IPv6 to it, and nothing is left of either', async () => {
  await apply({ hasNat64: false });
  assert.doesNotMatch(await gatewayLinks(), /nat64/);
  await noTranslators();
  assert.equal(await c.tcp({ ...s3, timeoutMs: 500 }), 'timeout');
  await apply();
  assert.match(await gatewayLinks(), /nat64-far/);
  assert.match(await c.tcp(s3), /^open 198\.19\.0\.50/);
  await apply({ hasGateway: false });
  await noTranslators();
  await apply();
  assert.match(await c.tcp(s3), /^open 198\.19\.0\.50/);
  await fabric.apply(snapshot());
  await noTranslators();
  assert.equal((await query({ kind: 'core' }, ['ip', 'netns', 'list'])).stdout, '');
});
