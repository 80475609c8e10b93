// Instances without source/dest check that forward what others send: a NAT instance and a router between two subnets (R4, R15). Real packets.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { emptySnapshot, type Route, type SecurityGroupId } from '@postern/network/snapshot.ts';
import { type AwsSide, startAwsSide } from '../tests/flows/aws-side.ts';
import { ipv6TwoBoxes } from '../tests/flows/ipv6-cases.ts';
import { type Probe, ProbeMachines } from '../tests/flows/probe.ts';
import { aclEntry, allowAll, cidrPeer, eni, group, local, openAcl, rule, snapshot, subnet, table, tcp, toIgw, vpc } from '../tests/flows/snapshots.ts'; // biome-ignore format: many words
import { createNetworkFabric } from './network-fabric.ts';

const machines = new ProbeMachines();
const fabric = createNetworkFabric({ machines });
let aws: AwsSide;
let a: Probe;
let box: Probe;
let c: Probe;

before(async () => {
  [a, box, c] = [await machines.start('i-a'), await machines.start('i-box'), await machines.start('i-c')];
  for (const probe of [a, box, c]) await probe.listen('tcp', 80);
  await fabric.apply(emptySnapshot);
  aws = await startAwsSide(fabric);
  assert.match(await box.run('sh', '-c', 'echo 1 > /proc/sys/net/ipv4/ip_forward'), /^0 /);
  assert.match(await box.run('sh', '-c', 'echo 1 > /proc/sys/net/ipv6/conf/all/forwarding'), /^0 /);
});

after(async () => {
  await aws?.close();
  await machines.stopAll();
  await fabric.close();
});

const byBox = (cidr: `${string}/${number}`): Route => ({
  destination: { kind: 'cidr', cidr },
  target: { kind: 'network-interface', networkInterfaceId: 'eni-box' },
  state: 'active',
});
const subnets = [
  subnet('1', '10.0.0.0/24', { routeTableId: 'rtb-1', ipv6CidrBlock: '2001:db8:1010:101::/64' }),
  subnet('2', '10.0.1.0/24', { routeTableId: 'rtb-public', ipv6CidrBlock: '2001:db8:1010:102::/64' }),
  subnet('3', '10.0.2.0/24', { routeTableId: 'rtb-3', ipv6CidrBlock: '2001:db8:1010:103::/64' }),
];
const block6 = '2001:db8:1010:100::/56';
const allowAll6 = rule(-1, undefined, cidrPeer('::/0'));
const openAcl6 = {
  networkAclId: 'acl-open',
  ingress: [...openAcl.ingress, aclEntry(101, 'allow', { cidr: '::/0' })],
  egress: [...openAcl.egress, aclEntry(101, 'allow', { cidr: '::/0' })],
} as const;
const toC = { host: '10.0.2.10', port: 80 };
const toC6 = { host: '2001:db8:1010:103::c', port: 80 };

async function apply(
  options: { c?: SecurityGroupId; box?: SecurityGroupId; sourceDestCheck?: boolean } = {},
): Promise<void> {
  const cards = [
    eni('a', '1', '10.0.0.10', { groupIds: ['sg-closed'], ipv6Addresses: ['2001:db8:1010:101::a'] }),
    eni('box', '2', '10.0.1.10', {
      groupIds: [options.box ?? 'sg-open'],
      sourceDestCheck: options.sourceDestCheck ?? false,
      publicAddress: '198.19.0.10',
      ipv6Addresses: ['2001:db8:1010:102::b'],
    }),
    eni('c', '3', '10.0.2.10', { groupIds: [options.c ?? 'sg-open'], ipv6Addresses: [toC6.host] }),
  ];
  const everyWay = [local('10.0.0.0/16'), local(block6)];
  const applied = await fabric.apply(
    snapshot(
      vpc({
        subnets, networkInterfaces: cards, internetGatewayId: 'igw-1', ipv6CidrBlocks: [block6], networkAcls: [openAcl6],
        routeTables: [
          table('rtb-1', ...everyWay, byBox('10.0.2.0/24'), byBox('0.0.0.0/0'), byBox('2001:db8:1010:103::/64'), byBox('::/0')), table('rtb-public', ...everyWay, toIgw, { ...toIgw, destination: { kind: 'cidr', cidr: '::/0' } }),
          table('rtb-3', ...everyWay, byBox('10.0.0.0/24'), byBox('2001:db8:1010:101::/64')),
        ],
        securityGroups: [
          group('sg-open', [allowAll, allowAll6], [allowAll, allowAll6]), group('sg-closed', [], [allowAll, allowAll6]), group('sg-web', [tcp(80, cidrPeer('10.0.0.0/24')), tcp(80, cidrPeer('2001:db8:1010:101::/64'))], [allowAll, allowAll6]),
          group('sg-box', [rule(-1, undefined, cidrPeer('10.0.0.0/16')), rule(-1, undefined, cidrPeer(block6))], []),
        ],
      }), // biome-ignore format: few words
    ),
  );
  assert.deepEqual(applied.failures, []);
}

test('[R4] a route to an interface carries traffic between two subnets through the instance, replies too', async () => {
  await apply({ c: 'sg-web' });
  assert.match(await a.tcp(toC), /^open 10\.0\.0\.10>/);
  assert.match(await a.hold('by-box', toC), /^open/);
  assert.equal(await a.say('by-box'), 'echo hello');
  assert.match(await a.tcp(toC6), /^open 2001:db8:1010:101::a>/);
});

test('[S1] the groups of the receiver decide on what a middlebox forwards, and those of the sender on what comes back', async () => {
  await apply({ c: 'sg-closed' });
  assert.equal(await a.tcp(toC), 'timeout');
  // a lets nothing in.
  assert.equal(await c.tcp({ host: '10.0.0.10', port: 80 }), 'timeout');
  await apply({ box: 'sg-box' });
  assert.equal(await a.tcp(toC), 'timeout', 'the box lets nothing out');
  assert.equal(await a.tcp(toC6), 'timeout', 'by IPv6 neither');
});

test('[R15] with the check on, a middlebox neither gets nor sends the packets of others', async () => {
  await apply({ sourceDestCheck: true });
  assert.equal(await a.tcp(toC), 'timeout');
  assert.equal(await a.tcp(toC6), 'timeout');
});

test('a NAT instance brings a private subnet to the internet under its own public address', async () => {
  await apply();
  const masquerade =
    'add table ip n\nadd chain ip n out { type nat hook postrouting priority 100; }\nadd rule ip n out ip daddr != 10.0.0.0/8 masquerade\n';
  assert.match(await box.run('sh', '-c', `printf '${masquerade.replaceAll('\n', '\\n')}' | nft -f -`), /^0 /);
  assert.match(await a.tcp({ host: '198.18.1.1', port: 443 }), /^open 198\.19\.0\.10 internet/);
  assert.match(await box.tcp({ host: '198.18.1.1', port: 443 }), /^open 198\.19\.0\.10 internet/);
  assert.match(await a.tcp({ host: '10.0.1.10', port: 80 }), /^open 10\.0\.0\.10>/);
});

test('[S1] [R4] IPv6: two middleboxes in a row, the groups of every interface on the way decide once for each flow, and replies pass', async () => {
  const boxes = [await machines.start('i-b'), await machines.start('i-d')];
  for (const each of boxes)
    assert.match(await each.run('sh', '-c', 'echo 1 > /proc/sys/net/ipv6/conf/all/forwarding'), /^0 /);
  assert.deepEqual((await fabric.apply(ipv6TwoBoxes)).failures, []);
  const far = { host: '2001:db8:1010:102::c', port: 80 };
  assert.match(await a.tcp({ ...far, timeoutMs: 6000 }), /^open 2001:db8:1010:101::a>/);
  assert.equal(await a.tcp({ ...far, port: 22 }), 'timeout');
  assert.equal(await c.tcp({ host: '2001:db8:1010:101::a', port: 80 }), 'timeout');
});
