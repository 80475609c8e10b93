// What the kernel counts for flow logs: by which interface, in which direction, with which action. Real packets.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { emptySnapshot, type NetworkInterface, type Snapshot, type Vpc } from '@postern/network/snapshot.ts';
import { type AwsSide, startAwsSide } from '../tests/flows/aws-side.ts';
import { type Probe, ProbeMachines, patientMs } from '../tests/flows/probe.ts';
import { aclEntry, allowAll, echo, eni, group, local, nat, peered, snapshot, subnet, table, tcp, toIgw, toNat, toPeer, vpc } from '../tests/flows/snapshots.ts'; // biome-ignore format: many words
import { createNetworkFabric } from './network-fabric.ts';
import type { FlowCount } from './types.ts';

const machines = new ProbeMachines();
const fabric = createNetworkFabric({ machines });
let aws: AwsSide;
let a: Probe;
let b: Probe;

before(async () => {
  [a, b] = [await machines.start('i-a'), await machines.start('i-b')];
  for (const each of [a, b]) for (const protocol of ['tcp', 'udp'] as const) await each.listen(protocol, 80);
  await fabric.apply(emptySnapshot);
  aws = await startAwsSide(fabric);
});

after(async () => {
  await aws?.close();
  await machines.stopAll();
  await fabric.close();
});

/** For what does not come: it was sent by then, and the records say what became of it. */
const briefMs = 300;

const all = { loggedTraffic: 'ALL' } as const;
const cards = {
  a: { ...eni('a', '1', '10.0.0.10'), macAddress: '0a:00:00:00:98:01', ...all },
  b: { ...eni('b', '2', '10.0.1.10'), macAddress: '0a:00:00:00:98:02', ...all },
};
const subnets = [subnet('1', '10.0.0.0/24'), subnet('2', '10.0.1.0/24')] as const;

function network(options: Partial<Vpc> = {}, b_: Partial<NetworkInterface> = {}, a_: Partial<NetworkInterface> = {}) {
  return snapshot(
    vpc({ subnets, networkInterfaces: [{ ...cards.a, ...a_ }, { ...cards.b, ...b_ }], ...options }), // biome-ignore format: few words
  );
}

/** Ends of connections of before: their last packets may come when somebody else is being watched. */
const earlierPorts = new Set<number>();
const clientPorts = ({ sourcePort, destinationPort }: FlowCount) =>
  [sourcePort, destinationPort].filter((port) => port > 1024);
const watchedPorts = new Set<number>();

async function apply(wanted: Snapshot): Promise<void> {
  assert.deepEqual((await fabric.apply(wanted)).failures, []);
  const { flows } = await fabric.flowCounts();
  for (const port of [...watchedPorts, ...flows.flatMap(clientPorts)]) earlierPorts.add(port);
}

/**
 * `INTERFACE DIRECTION ACTION SOURCE>DESTINATION PROTOCOL PATH FLAGS`, without the ports that a client picks.
 * @param isAll false: more is to come, and is waited for
 */
async function counted(isAll: (lines: readonly string[]) => boolean = () => true): Promise<string[]> {
  const port = (number: number) => (number === 0 || number > 1024 ? '' : `:${number}`);
  const flags = new Map<string, number>();
  const deadline = Date.now() + patientMs;
  for (;;) {
    const { flows, skipped, failures } = await fabric.flowCounts();
    assert.deepEqual([skipped, failures], [[], []]);
    for (const each of flows.filter((flow) => !clientPorts(flow).some((one) => earlierPorts.has(one)))) {
      for (const one of clientPorts(each)) watchedPorts.add(one);
      assert.ok(each.packets > 0 && each.bytes >= each.packets * 20 && Math.abs(Date.now() - each.firstAtMs) < 60_000);
      const ends = `${each.sourceAddress}${port(each.sourcePort)}>${each.destinationAddress}${port(each.destinationPort)}`;
      const path = each.direction === 'egress' ? ` ${each.path}` : '';
      const key = `${each.networkInterfaceId} ${each.direction} ${each.action}${each.isBlockedPublicAccess ? ' BPA' : ''} ${ends} ${each.protocol}${path}`;
      flags.set(key, (flags.get(key) ?? 0) | each.tcpFlags);
    }
    const lines = [...flags].map(([key, value]) => `${key} ${value}`).toSorted();
    if (isAll(lines) || Date.now() > deadline) return lines;
  }
}

/** Both ends have said that they have no more to say: the probe answers before. */
const areClosed = (lines: readonly string[]) =>
  lines.length > 0 && lines.every((line) => Number(line.split(' ').at(-1)) % 2 === 1);

test('[L11] a connection is counted at both interfaces, both ways, with the flags that were set', async () => {
  await apply(network());
  assert.match(await a.tcp({ host: '10.0.1.10', port: 80, timeoutMs: patientMs }), /^open/);
  assert.deepEqual(await counted(areClosed), [
    'eni-a egress ACCEPT 10.0.0.10>10.0.1.10:80 6 vpc 3',
    'eni-a ingress ACCEPT 10.0.1.10:80>10.0.0.10 6 19',
    'eni-b egress ACCEPT 10.0.1.10:80>10.0.0.10 6 vpc 19',
    'eni-b ingress ACCEPT 10.0.0.10>10.0.1.10:80 6 3',
  ]);
});

test('[L9] what the receiver’s group refuses is accepted at the sender and rejected at the receiver', async () => {
  const closed = [group('sg-open', [allowAll]), group('sg-closed', [tcp(22)])];
  await apply(network({ securityGroups: closed }, { groupIds: ['sg-closed'] }));
  assert.equal(await a.tcp({ host: '10.0.1.10', port: 80, timeoutMs: briefMs }), 'timeout');
  assert.deepEqual(await counted(), [
    'eni-a egress ACCEPT 10.0.0.10>10.0.1.10:80 6 vpc 2',
    'eni-b ingress REJECT 10.0.0.10>10.0.1.10:80 6 2',
  ]);
});

test('[L9] what the sender’s group refuses is rejected there, and the receiver never hears of it, whatever its ACL says', async () => {
  const silent = [group('sg-open', [allowAll]), group('sg-silent', [allowAll], [tcp(22)])];
  const denying = { networkAclId: 'acl-deny', ingress: [], egress: [aclEntry(100, 'allow')] } as const;
  const openAcl = { networkAclId: 'acl-open', ingress: [aclEntry(100, 'allow')], egress: [aclEntry(100, 'allow')] } as const; // biome-ignore format: as below
  await apply(network({ securityGroups: silent }, {}, { groupIds: ['sg-silent'] }));
  assert.equal(await a.udp({ host: '10.0.1.10', port: 80, timeoutMs: briefMs }), 'timeout');
  const rejected = ['eni-a egress REJECT 10.0.0.10>10.0.1.10:80 17 vpc 0'];
  assert.deepEqual(await counted(), rejected);
  const behindAcl = [subnets[0], { ...subnets[1], networkAclId: 'acl-deny' as const }];
  await apply(network({ securityGroups: silent, networkAcls: [openAcl, denying], subnets: behindAcl }, {}, { groupIds: ['sg-silent'] })); // biome-ignore format: few words
  assert.equal(await a.udp({ host: '10.0.1.10', port: 80, timeoutMs: briefMs }), 'timeout');
  assert.deepEqual(await counted(), rejected);
});

test('[L10] a request that is accepted and a reply that is rejected at the same interface: that is a network ACL', async () => {
  const oneWay = { networkAclId: 'acl-open', ingress: [aclEntry(100, 'allow')], egress: [aclEntry(100, 'allow')] } as const; // biome-ignore format: few words
  const noReplies = { networkAclId: 'acl-b', ingress: [aclEntry(100, 'allow')], egress: [] } as const;
  const behindAcl = [subnets[0], { ...subnets[1], networkAclId: 'acl-b' as const }];
  await apply(network({ networkAcls: [oneWay, noReplies], subnets: behindAcl }));
  assert.equal(await a.ping('10.0.1.10', briefMs), 'timeout');
  assert.deepEqual(await counted(), [
    'eni-a egress ACCEPT 10.0.0.10>10.0.1.10 1 vpc 0',
    'eni-b egress REJECT 10.0.1.10>10.0.0.10 1 vpc 0',
    'eni-b ingress ACCEPT 10.0.0.10>10.0.1.10 1 0',
  ]);
});

test('[L15] without a route, and without a public address, the sender’s record says ACCEPT', async () => {
  await apply(network());
  assert.equal(await a.ping('203.0.113.80', briefMs), 'timeout');
  assert.deepEqual(await counted(), ['eni-a egress ACCEPT 10.0.0.10>203.0.113.80 1 none 0']);
  await apply(
    network({
      internetGatewayId: 'igw-1',
      routeTables: [table('rtb-main', local('10.0.0.0/16'), toIgw)],
      securityGroups: [group('sg-open', [allowAll], [echo()])],
    }),
  );
  assert.equal(await a.ping('203.0.113.80', briefMs), 'timeout');
  assert.equal(await a.udp({ host: '203.0.113.80', port: 80, timeoutMs: briefMs }), 'timeout');
  assert.deepEqual(await counted(), [
    'eni-a egress ACCEPT 10.0.0.10>203.0.113.80 1 internet-gateway 0',
    'eni-a egress REJECT 10.0.0.10>203.0.113.80:80 17 internet-gateway 0',
  ]);
});

test('[L14] resolver and metadata service leave no record', async () => {
  await apply(network());
  await a.run('curl', '-s', '-m', '2', 'http://169.254.169.254/');
  assert.match(await a.udp({ host: '169.254.169.253', port: 53, timeoutMs: 500 }), /./);
  // Afterwards, so that the others had time to be counted.
  assert.equal(await a.ping('10.0.1.10', patientMs), 'open');
  const seen = await counted();
  assert.deepEqual(seen.filter((line) => line.includes('169.254')), []); // biome-ignore format: few words
  assert.equal(seen.length, 4);
});

test('[L12] a NAT gateway’s interface has both halves; an address behind the internet gateway is the private one', async () => {
  const one = nat('1', '2', '10.0.1.20', { publicAddress: '198.19.0.50', ...all });
  const wanted = (publicAddress?: string) =>
    network(
      {
        internetGatewayId: 'igw-1',
        subnets: [{ ...subnets[0], routeTableId: 'rtb-private' }, subnets[1]],
        routeTables: [
          table('rtb-main', local('10.0.0.0/16'), toIgw),
          table('rtb-private', local('10.0.0.0/16'), publicAddress === undefined ? toNat('1') : toIgw),
        ],
        natGateways: [one.gateway],
        networkInterfaces: [
          { ...cards.a, privateAddresses: [{ address: '10.0.0.10', primary: true, ...(publicAddress && { publicAddress }) }] }, // biome-ignore format: few words
          cards.b,
          { ...one.card, macAddress: '0a:00:00:00:98:03' },
        ],
      }, // biome-ignore format: few words
    );
  await apply(wanted());
  const s3 = { host: '198.18.1.1', port: 443, timeoutMs: patientMs };
  assert.match(await a.tcp(s3), /^open 198\.19\.0\.50/);
  const flags = (line: string) => line.replace(/ \d+$/, '');
  assert.deepEqual((await counted()).map(flags), [
    'eni-a egress ACCEPT 10.0.0.10>198.18.1.1:443 6 vpc',
    'eni-a ingress ACCEPT 198.18.1.1:443>10.0.0.10 6',
    'eni-nat-1 egress ACCEPT 10.0.1.20>198.18.1.1:443 6 internet-gateway',
    'eni-nat-1 egress ACCEPT 198.18.1.1:443>10.0.0.10 6 vpc',
    'eni-nat-1 ingress ACCEPT 10.0.0.10>198.18.1.1:443 6',
    'eni-nat-1 ingress ACCEPT 198.18.1.1:443>10.0.1.20 6',
  ]);
  await apply(wanted('198.19.0.51'));
  assert.match(await a.tcp(s3), /^open 198\.19\.0\.51/);
  assert.deepEqual((await counted()).map(flags), [
    'eni-a egress ACCEPT 10.0.0.10>198.18.1.1:443 6 internet-gateway',
    'eni-a ingress ACCEPT 198.18.1.1:443>10.0.0.10 6',
  ]);
});

test('[L8] over a peering each VPC counts its own end; what block public access stops is rejected for that reason', async () => {
  const far = vpc({
    ...{ vpcId: 'vpc-b', cidrBlocks: ['10.1.0.0/16'], region: 'us-west-2' },
    subnets: [subnet('9', '10.1.0.0/24')],
    routeTables: [table('rtb-main', local('10.1.0.0/16'), toPeer('10.0.0.0/16'))],
    networkInterfaces: [{ ...eni('b', '9', '10.1.0.10'), ...all }],
  });
  const near = vpc({
    internetGatewayId: 'igw-1',
    subnets: [{ ...subnets[0], blockPublicAccess: 'block-bidirectional' }],
    routeTables: [table('rtb-main', local('10.0.0.0/16'), toPeer('10.1.0.0/16'), toIgw)],
    networkInterfaces: [{ ...cards.a, privateAddresses: [{ address: '10.0.0.10', primary: true, publicAddress: '198.19.0.51' }] }], // biome-ignore format: few words
  });
  await apply(peered(snapshot(near, far), { ab: ['vpc-a', 'vpc-b'] }));
  assert.equal(await a.ping('203.0.113.80', briefMs), 'timeout');
  assert.equal(await a.ping('10.1.0.10', patientMs), 'open');
  assert.deepEqual(await counted(), [
    'eni-a egress ACCEPT 10.0.0.10>10.1.0.10 1 inter-region-peering 0',
    'eni-a egress REJECT BPA 10.0.0.10>203.0.113.80 1 internet-gateway 0',
    'eni-a ingress ACCEPT 10.1.0.10>10.0.0.10 1 0',
    'eni-b egress ACCEPT 10.1.0.10>10.0.0.10 1 inter-region-peering 0',
    'eni-b ingress ACCEPT 10.0.0.10>10.1.0.10 1 0',
  ]);
});

test('[I7] IPv6 is counted as IPv4 is', async () => {
  const entry = aclEntry(101, 'allow', { cidr: '::/0' });
  const block = '2001:db8:1000::/64';
  const address = (last: number) => ({ ipv6Addresses: [`2001:db8:1000::${last}`] });
  await apply(
    network(
      {
        networkAcls: [{ networkAclId: 'acl-open', ingress: [entry], egress: [entry] }],
        ipv6CidrBlocks: ['2001:db8:1000::/56'],
        subnets: [{ ...subnets[0], ipv6CidrBlock: block }, { ...subnets[1], ipv6CidrBlock: '2001:db8:1000:1::/64' }],
        routeTables: [table('rtb-main', local('10.0.0.0/16'), local('2001:db8:1000::/56'))],
        securityGroups: [group('sg-open', [{ ...allowAll, peer: { kind: 'cidr', cidr: '::/0' } }], [{ ...allowAll, peer: { kind: 'cidr', cidr: '::/0' } }])],
      },
      { ipv6Addresses: ['2001:db8:1000:1::2'] },
      address(1),
    ), // biome-ignore format: few words
  );
  assert.match(await a.tcp({ host: '2001:db8:1000:1::2', port: 80, timeoutMs: patientMs }), /^open/);
  assert.deepEqual(await counted(areClosed), [
    'eni-a egress ACCEPT 2001:db8:1000::1>2001:db8:1000:1::2:80 6 vpc 3',
    'eni-a ingress ACCEPT 2001:db8:1000:1::2:80>2001:db8:1000::1 6 19',
    'eni-b egress ACCEPT 2001:db8:1000:1::2:80>2001:db8:1000::1 6 vpc 19',
    'eni-b ingress ACCEPT 2001:db8:1000::1>2001:db8:1000:1::2:80 6 3',
  ]);
});

const sum = (flows: readonly FlowCount[], of: string) =>
  flows
    .filter((each) => `${each.networkInterfaceId} ${each.direction}` === of)
    .reduce((total, each) => ({ packets: total.packets + each.packets, bytes: total.bytes + each.bytes }), {
      packets: 0,
      bytes: 0,
    });

test('[L7] packets and bytes are exact, however often they are read in between', async () => {
  await apply(network());
  const count = 400;
  const pings = a.run('ping', '-n', '-q', '-i', '0.002', '-c', String(count), '-s', '100', '10.0.1.10');
  const flows: FlowCount[] = [];
  let isOver = false;
  void pings.then(() => {
    isOver = true;
  });
  while (!isOver) flows.push(...(await fabric.flowCounts()).flows);
  const output = await pings;
  const answered = Number(/(\d+) received/.exec(output)?.[1]);
  assert.equal(answered, count, output);
  flows.push(...(await fabric.flowCounts()).flows);
  for (const of of ['eni-a egress', 'eni-a ingress', 'eni-b egress', 'eni-b ingress'])
    assert.deepEqual(sum(flows, of), { packets: count, bytes: count * 128 }, of);
});

test('[L6] a log of one action is told of no other, and an interface without a log of nothing', async () => {
  const closed = [group('sg-open', [allowAll]), group('sg-closed', [tcp(22), echo()])];
  const { loggedTraffic: _none, ...unlogged } = cards.a;
  const wanted = network({ securityGroups: closed, networkInterfaces: [unlogged, { ...cards.b, groupIds: ['sg-closed'], loggedTraffic: 'REJECT' }] }); // biome-ignore format: few words
  await apply(wanted);
  assert.equal(await a.tcp({ host: '10.0.1.10', port: 80, timeoutMs: briefMs }), 'timeout');
  assert.equal(await a.ping('10.0.1.10', patientMs), 'open');
  assert.deepEqual(await counted(), ['eni-b ingress REJECT 10.0.0.10>10.0.1.10:80 6 2']);
});

test('what an interface carried is told although it is gone by then', async () => {
  await apply(network());
  assert.equal(await a.ping('10.0.1.10', patientMs), 'open');
  assert.deepEqual((await fabric.apply(emptySnapshot)).failures, []);
  assert.deepEqual(await counted(), [
    'eni-a egress ACCEPT 10.0.0.10>10.0.1.10 1 vpc 0',
    'eni-a ingress ACCEPT 10.0.1.10>10.0.0.10 1 0',
    'eni-b egress ACCEPT 10.0.1.10>10.0.0.10 1 vpc 0',
    'eni-b ingress ACCEPT 10.0.0.10>10.0.1.10 1 0',
  ]);
});
