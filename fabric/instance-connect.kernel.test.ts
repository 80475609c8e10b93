// What an instance connect endpoint reaches, and who decides (J4): real packets from the server's own sockets, in two VPCs that have the same addresses.

import assert from 'node:assert/strict';
import { connect } from 'node:net';
import { after, before, test } from 'node:test';
import { emptySnapshot, type SecurityGroup, type Snapshot, type Vpc } from '@postern/network/snapshot.ts';
import { type Probe, ProbeMachines } from '../tests/flows/probe.ts';
import {
  aclEntry,
  allowAll,
  cidrPeer,
  eni,
  group,
  groupPeer,
  local,
  peered,
  snapshot,
  subnet,
  table,
  tcp,
  toIgw,
  toPeer,
  vpc,
} from '../tests/flows/snapshots.ts';
import { createNetworkFabric } from './network-fabric.ts';

const machines = new ProbeMachines();
const fabric = createNetworkFabric({ machines });
let a: Probe;
let b: Probe;

before(async () => {
  [a, b] = [await machines.start('i-a'), await machines.start('i-b')];
  for (const probe of [a, b]) await probe.listen('tcp', 22);
});

after(async () => {
  await machines.stopAll();
  await fabric.close();
});

const laptop = '203.0.113.10';
const eices = { a: 'eice-a', b: 'eice-b' } as const;

/** A VPC with an instance at 10.0.1.10 and an endpoint whose interface is 10.0.0.50. */
function vpcWith(
  name: 'a' | 'b',
  groups: readonly SecurityGroup[],
  {
    preserveClientIp = false,
    inside = false,
    ...more
  }: Partial<Vpc> & { preserveClientIp?: boolean; inside?: boolean } = {},
): Vpc {
  const { attachment: _none, ...bare } = eni(`door-${name}`, `1${name}`, '10.0.0.50', { groupIds: ['sg-door'] });
  const instanceConnectEndpointId = eices[name];
  const door = { ...bare, service: { kind: 'instance-connect-endpoint', instanceConnectEndpointId } as const };
  const { networkInterfaceId } = door;
  return vpc({
    vpcId: `vpc-${name}`,
    subnets: [subnet(`1${name}`, '10.0.0.0/24'), subnet(`2${name}`, '10.0.1.0/24')],
    routeTables: [table('rtb-main', local('10.0.0.0/16'))],
    networkInterfaces: [
      eni(name, `${inside ? 1 : 2}${name}`, inside ? '10.0.0.10' : '10.0.1.10', { groupIds: ['sg-box'] }),
      door,
    ],
    securityGroups: groups,
    instanceConnectEndpoints: [{ instanceConnectEndpointId, networkInterfaceId, preserveClientIp }],
    ...more,
  });
}

const open = [group('sg-door', []), group('sg-box', [tcp(22)])];

async function apply(...vpcs: readonly Vpc[]): Promise<Snapshot> {
  const wanted = snapshot(...vpcs);
  assert.deepEqual((await fabric.apply(wanted)).failures, []);
  return wanted;
}

/** What the machine says of the connection that the server made through an endpoint. */
function dial(name: 'a' | 'b', address = '10.0.1.10', port = 22): Promise<string> {
  const way = fabric.through(eices[name], address, laptop);
  if (!way) return Promise.resolve('no way');
  return new Promise((resolve) => {
    const socket = connect({ host: way.to, port, localAddress: way.from, timeout: 1500 });
    const end = (answer: string) => {
      socket.destroy();
      resolve(answer);
    };
    socket.on('timeout', () => end('timeout'));
    socket.on('error', (error: NodeJS.ErrnoException) => end(error.code ?? 'error'));
    socket.on('data', (data) => end(String(data).trim()));
  });
}

test('[J4] connections leave from the private address of the endpoint’s interface, in each VPC its own', async () => {
  await apply(vpcWith('a', open), vpcWith('b', open));
  assert.match(await dial('a'), /10\.0\.0\.50/);
  assert.match(await dial('b'), /10\.0\.0\.50/);
  assert.equal(await dial('a', '10.0.1.10', 80), 'timeout');
  assert.equal(await dial('a', '192.0.2.1'), 'no way');
  assert.equal(fabric.through('eice-none', '10.0.1.10', laptop), undefined);
});

test('[J4] outbound rules of its groups count, inbound ones do not', async () => {
  await apply(vpcWith('a', [group('sg-door', [], []), group('sg-box', [tcp(22)])]), vpcWith('b', open));
  assert.equal(await dial('a'), 'timeout');
  assert.match(await dial('b'), /10\.0\.0\.50/);
  const narrow = group('sg-door', [], [tcp(22, groupPeer('sg-box'))]);
  await apply(vpcWith('a', [narrow, group('sg-box', [tcp(22)])]), vpcWith('b', open));
  assert.match(await dial('a'), /10\.0\.0\.50/);
});

test('[J4] the instance’s groups decide by the endpoint’s group or address', async () => {
  const box = (peer: Parameters<typeof tcp>[1]) => [group('sg-door', []), group('sg-box', [tcp(22, peer)])];
  await apply(vpcWith('a', box(groupPeer('sg-door'))), vpcWith('b', box(cidrPeer('203.0.113.10/32'))));
  assert.match(await dial('a'), /10\.0\.0\.50/);
  assert.equal(await dial('b'), 'timeout');
});

test('[N7] the network ACLs of both subnets see it, both ways', async () => {
  const acl = {
    networkAclId: 'acl-open',
    ingress: [aclEntry(100, 'allow')],
    egress: [aclEntry(100, 'allow')],
  } as const;
  const closed = {
    ...acl,
    egress: [aclEntry(90, 'deny', { protocol: 6, ports: { from: 22, to: 22 } }), aclEntry(100, 'allow')],
  };
  await apply(vpcWith('a', open, { networkAcls: [closed] }), vpcWith('b', open, { networkAcls: [acl] }));
  assert.equal(await dial('a'), 'timeout');
  assert.match(await dial('b'), /10\.0\.0\.50/);
});

test('[J4] nobody begins a connection to it, whatever its inbound rules', async () => {
  const wide = [group('sg-door', [allowAll]), group('sg-box', [allowAll])];
  await apply(vpcWith('a', wide), vpcWith('b', wide));
  assert.equal(await a.tcp({ host: '10.0.0.50', port: 443 }), 'timeout');
  assert.equal(await a.ping('10.0.0.50'), 'timeout');
  assert.match(await dial('a'), /10\.0\.0\.50/);
});

test('[S11] a connection outlives the rules that let it begin, and not the endpoint', async () => {
  await apply(vpcWith('a', [group('sg-door', []), group('sg-box', [tcp(22, groupPeer('sg-door'))])]));
  const way = fabric.through('eice-a', '10.0.1.10', laptop);
  assert.ok(way);
  const socket = connect({ host: way.to, port: 22, localAddress: way.from });
  let heard = '';
  socket.on('data', (data) => {
    heard += String(data);
  });
  socket.on('error', () => {});
  const hears = async (text: string, patienceMs = 15_000) => {
    heard = '';
    socket.write(`${text}\n`);
    for (const deadline = Date.now() + patienceMs; Date.now() < deadline && !heard.includes(text); )
      await new Promise((resolve) => setTimeout(resolve, 10));
    return heard.includes(text);
  };
  assert.equal(await hears('one'), true);
  await apply(vpcWith('a', [group('sg-door', [], []), group('sg-box', [])]));
  assert.equal(await hears('two'), true);
  assert.equal(await dial('a'), 'timeout');
  const { instanceConnectEndpoints: _gone, networkInterfaces, ...rest } = vpcWith('a', open);
  const without = networkInterfaces.filter((each) => each.service === undefined);
  await apply({ ...rest, networkInterfaces: without, instanceConnectEndpoints: [] });
  assert.equal(await hears('three', 1500), false);
  assert.equal(await dial('a'), 'no way');
  socket.destroy();
  await fabric.apply(emptySnapshot);
});

test('[J4] where it preserves the client’s address the instance sees that one, and its replies find the way back', async () => {
  const fromHome = [group('sg-door', []), group('sg-box', [tcp(22, cidrPeer('203.0.113.10/32'))])];
  const away: Partial<Vpc> = {
    internetGatewayId: 'igw-1',
    // The replies' own route leads out of the VPC.
    routeTables: [table('rtb-main', local('10.0.0.0/16'), toIgw)],
  };
  await apply(
    vpcWith('a', fromHome, { preserveClientIp: true, ...away }),
    vpcWith('b', open, { preserveClientIp: true }),
  );
  assert.match(await dial('a'), /203\.0\.113\.10/);
  assert.match(await dial('b'), /203\.0\.113\.10/);
  const byGroup = [group('sg-door', []), group('sg-box', [tcp(22, groupPeer('sg-door'))])];
  await apply(vpcWith('a', byGroup, { preserveClientIp: true, ...away }));
  assert.equal(await dial('a'), 'timeout');
  // An address that this cloud gives out is its holder's.
  assert.equal(fabric.through('eice-a', '10.0.1.10', '198.19.0.7'), undefined);
});

test('[N4] [N7] the ACLs see the client’s address, and none is asked inside the endpoint’s subnet', async () => {
  const closed = {
    networkAclId: 'acl-open',
    ingress: [aclEntry(100, 'allow')],
    egress: [aclEntry(90, 'deny', { cidr: '203.0.113.0/24' }), aclEntry(100, 'allow')],
  } as const;
  const preserving = { preserveClientIp: true, networkAcls: [closed] };
  await apply(vpcWith('a', open, preserving));
  assert.equal(await dial('a'), 'timeout');
  await apply(vpcWith('a', open, { ...preserving, inside: true }));
  assert.match(await dial('a', '10.0.0.10'), /203\.0\.113\.10/);
});

test('[I2] what the instance begins itself to that client still takes its own route', async () => {
  await apply(vpcWith('a', [group('sg-door', []), group('sg-box', [allowAll])], { preserveClientIp: true }));
  assert.match(await dial('a'), /203\.0\.113\.10/);
  assert.match(await a.tcp({ host: '203.0.113.10', port: 22 }), /timeout|EHOSTUNREACH|ENETUNREACH/);
});

test('[P4] [J4] it reaches instances of a peered VPC where both sides have routes, and not while it preserves the client’s address', async () => {
  const routes = (own: `${string}/${number}`, other: `${string}/${number}`) => [
    table('rtb-main', local(own), toPeer(other, 'pcx-ac')),
  ];
  const near = vpcWith('a', open, { routeTables: routes('10.0.0.0/16', '10.1.0.0/16') });
  const far = vpc({
    vpcId: 'vpc-c',
    cidrBlocks: ['10.1.0.0/16'],
    subnets: [subnet('1c', '10.1.0.0/24')],
    routeTables: routes('10.1.0.0/16', '10.0.0.0/16'),
    networkInterfaces: [eni('b', '1c', '10.1.0.10', { groupIds: ['sg-far'] })],
    securityGroups: [group('sg-far', [tcp(22, cidrPeer('10.0.0.50/32'))])],
  });
  const both = (...vpcs: readonly Vpc[]) => peered(snapshot(...vpcs), { ac: ['vpc-a', 'vpc-c'] });
  assert.deepEqual((await fabric.apply(both(near, far))).failures, []);
  assert.match(await dial('a', '10.1.0.10'), /10\.0\.0\.50/);
  await fabric.apply(both(near, { ...far, routeTables: [table('rtb-main', local('10.1.0.0/16'))] }));
  assert.equal(await dial('a', '10.1.0.10'), 'timeout');
  await fabric.apply(both(vpcWith('a', open, { preserveClientIp: true }), far));
  assert.equal(await dial('a', '10.1.0.10'), 'no way');
});
