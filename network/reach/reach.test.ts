// Questions that people have, on one small network. What is open and what not is held by tests/flows/reach.test.ts, for every construct.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { aclEntry, allowAll, cidrPeer, endpointEni, eni, group, groupPeer, interfaceEndpoint, local, nat, openAcl, rule, s3Endpoint, s3Route, snapshot, subnet, table, tcp, toIgw, toNat, vpc } from '../../tests/flows/snapshots.ts'; // biome-ignore format: many words
import type { Route, Snapshot } from '../snapshot.ts';
import { walk } from '../walk/walk.ts';
import type { End, Reach } from './ends.ts';
import { prepareReach, witness } from './reach.ts';
import { describeReach } from './words.ts';

const interfaceEnd = (name: string): End => ({ kind: 'network-interface', networkInterfaceId: `eni-${name}` });
const internet: End = { kind: 'internet' };
const nameOf = (end: End) =>
  end.kind === 'network-interface' ? end.networkInterfaceId.slice(4) : end.kind === 'service' ? end.service : end.kind;
const rows = (found: readonly Reach[]) =>
  found.map(
    (each) =>
      `${nameOf(each.from)} → ${nameOf(each.to)} by ${each.via.map(({ id }) => id).join(' ') || '-'}: ${describeReach(each)}`,
  );

const natted = nat('1', '1', '10.0.0.5', { publicAddress: '198.19.0.50' });
const publicTable = table('rtb-public', local('10.0.0.0/16'), toIgw);
/** A web server in a public subnet, an application and a database in private ones behind a NAT gateway, S3 by a gateway endpoint and STS by an interface endpoint. */
const network: Snapshot = snapshot(
  vpc({
    internetGatewayId: 'igw-1',
    subnets: [subnet('1', '10.0.0.0/24', { routeTableId: 'rtb-public' }), subnet('2', '10.0.1.0/24', { routeTableId: 'rtb-private' }), subnet('3', '10.0.2.0/24', { networkAclId: 'acl-db' })],
    routeTables: [publicTable, table('rtb-private', local('10.0.0.0/16'), toNat('1'), s3Route), table('rtb-main', local('10.0.0.0/16'))],
    networkInterfaces: [
      eni('web', '1', '10.0.0.10', { publicAddress: '198.19.0.10', groupIds: ['sg-web'] }),
      eni('app', '2', '10.0.1.10', { groupIds: ['sg-app'] }), eni('app2', '2', '10.0.1.11', { groupIds: ['sg-app'] }),
      eni('db', '3', '10.0.2.10', { groupIds: ['sg-db'] }),
      natted.card, endpointEni('sts', '1', '10.0.0.60', { groupIds: ['sg-sts'] }),
    ],
    natGateways: [natted.gateway], gatewayEndpoints: [s3Endpoint], interfaceEndpoints: [interfaceEndpoint(['eni-sts'])],
    networkAcls: [openAcl, { networkAclId: 'acl-db', ingress: [aclEntry(90, 'deny', { cidr: '10.0.1.11/32' }), aclEntry(100, 'allow')], egress: [aclEntry(100, 'allow', { protocol: 6, ports: { from: 32_768, to: 60_999 } })] }],
    securityGroups: [
      group('sg-web', [tcp(443), tcp(22, cidrPeer('203.0.113.0/24'))], [tcp(8080, groupPeer('sg-app'))]),
      group('sg-app', [tcp(8080, groupPeer('sg-web'))], [tcp(443), tcp(5432, groupPeer('sg-db'))]),
      group('sg-db', [tcp(5432, groupPeer('sg-app')), rule(17, [53, 53], groupPeer('sg-app'))], []), group('sg-sts', [tcp(443, cidrPeer('10.0.1.0/24'))], [allowAll]),
    ],
  }),
); // biome-ignore format: a network
const reach = prepareReach(network);

test('who can reach this interface on 22?', () => {
  const found = reach.to(interfaceEnd('web'), { traffic: { protocol: 6, ports: [{ from: 22, to: 22 }] } });
  assert.deepEqual(rows(found), ['internet → web by igw-1: tcp 22 from 203.0.113.0/24']);
  assert.deepEqual(
    rows(reach.to(interfaceEnd('web'))).at(-1),
    'internet → web by igw-1: tcp 22 from 203.0.113.0/24; tcp 443 from any IPv4 address',
  );
});

test('is there any way from the internet to the database, and who has one at all?', () => {
  assert.deepEqual(reach.between([internet], [interfaceEnd('db')]), []);
  // Its ACL lets only replies to Linux’s ephemeral ports out, and takes nothing of app2.
  assert.deepEqual(rows(reach.to(interfaceEnd('db'))), ['app → db by -: tcp 5432 (source ports 32768–60999)']);
});

test('what can this interface reach, and by which roads?', () => {
  assert.deepEqual(rows(reach.from(interfaceEnd('app'))), [
    'app → web by -: tcp 443',
    'app → web by nat-1 igw-1: tcp 443',
    'app → db by -: tcp 5432 (source ports 32768–60999)',
    'app → sts by vpce-if: tcp 443',
    'app → internet by nat-1 igw-1: tcp 443 to any IPv4 address but 198.18.1.0/26',
    'app → s3 by vpce-s3: tcp 443',
    'app → dynamodb by nat-1 igw-1: tcp 443',
    'app → sts by nat-1 igw-1: tcp 443',
    'app → sts by vpce-if: tcp 443',
  ]);
});

test('only hosts of a block, and only some traffic', () => {
  const found = reach.between([interfaceEnd('app')], [{ kind: 'internet', cidrs: ['203.0.113.0/24', '10.9.0.0/16'] }]);
  assert.deepEqual(rows(found), ['app → internet by nat-1 igw-1: tcp 443 to 203.0.113.0/24']);
  const udp = { traffic: { protocol: 17 } };
  assert.deepEqual(reach.from(interfaceEnd('app'), udp), []);
  assert.deepEqual(
    rows(
      reach.between([internet], [interfaceEnd('web')], {
        traffic: [{ protocol: 17 }, { protocol: 6, ports: [{ from: 1, to: 25 }] }],
      }),
    ),
    ['internet → web by igw-1: tcp 22 from 203.0.113.0/24'],
  );
});

test('metadata and resolver are reached past groups and ACLs, nothing begins at services, and what is not there reaches nothing', () => {
  const services = (['metadata', 'resolver'] as const).map(
    (service): End => ({ kind: 'vpc-service', vpcId: 'vpc-a', service }),
  );
  assert.deepEqual(rows(reach.between([interfaceEnd('db')], services)), [
    'db → vpc-service by -: tcp 80',
    'db → vpc-service by -: tcp 53; udp 53',
  ]);
  assert.deepEqual(
    reach.between(
      [{ kind: 'service', service: 's3' }, interfaceEnd('gone'), interfaceEnd('nat-1')],
      [interfaceEnd('web'), internet],
    ),
    [],
  );
  assert.deepEqual(reach.to(interfaceEnd('gone')), []);
});

test('of every answer there is a flow that the walk lets through', () => {
  const all = [...reach.allPairs().expand(), ...reach.from(interfaceEnd('app'))];
  for (const each of all) {
    const flow = witness(each);
    assert.ok(flow && each.flows.contains(flow.packet));
    assert.equal(walk(network, flow).verdict, 'open', JSON.stringify(flow));
  }
  assert.ok(all.length > 10);
});

test('interfaces that nothing tells apart are one class', () => {
  const twins = snapshot(
    vpc({
      subnets: [subnet('1', '10.0.0.0/24')],
      networkInterfaces: ['a', 'b', 'c'].map((name, index) => eni(name, '1', `10.0.0.1${index}`)),
    }),
  );
  const pairs = prepareReach(twins).allPairs();
  assert.deepEqual(pairs.classes, [['eni-a', 'eni-b', 'eni-c']]);
  assert.deepEqual([pairs.count, pairs.pairs.length], [6, 1]);
  assert.deepEqual(rows([...pairs.expand({ to: (end) => nameOf(end) === 'b' })]), [
    'a → b by -: all traffic',
    'c → b by -: all traffic',
  ]);
  // A rule that names one address tells it apart.
  const told = {
    ...twins,
    vpcs: twins.vpcs.map((each) => ({
      ...each,
      securityGroups: [group('sg-open', [tcp(80, cidrPeer('10.0.0.10/32'))])],
    })),
  };
  assert.deepEqual(prepareReach(told).allPairs().classes, [['eni-a'], ['eni-b', 'eni-c']]);
});

/** a and c with the middlebox box between them: on the way there, and back too where the table of c's subnet is `rtb-back`. */
const boxed = (tableOfC: `rtb-${string}`, groupsOfC = [group('sg-c', [allowAll])]) => {
  const toBox = (cidr: `${string}/${number}`): Route => ({
    destination: { kind: 'cidr', cidr },
    target: { kind: 'network-interface', networkInterfaceId: 'eni-box' },
    state: 'active',
  });
  return snapshot(
    vpc({
      subnets: [subnet('1', '10.0.0.0/24', { routeTableId: 'rtb-there' }), subnet('2', '10.0.1.0/24', { routeTableId: tableOfC }), subnet('3', '10.0.2.0/24')],
      routeTables: [table('rtb-main', local('10.0.0.0/16')), table('rtb-there', local('10.0.0.0/16'), toBox('10.0.1.0/24')), table('rtb-back', local('10.0.0.0/16'), toBox('10.0.0.0/24'))],
      networkInterfaces: [eni('a', '1', '10.0.0.10'), eni('c', '2', '10.0.1.10', { groupIds: ['sg-c'] }), eni('box', '3', '10.0.2.10', { sourceDestCheck: false })],
      securityGroups: [group('sg-open', [allowAll]), ...groupsOfC],
    }),
  ); // biome-ignore format: a network
};
const throughBox = (snapshotOfIt: Snapshot) =>
  prepareReach(snapshotOfIt).between([interfaceEnd('a')], [interfaceEnd('c')]);

test('[R4] what a middlebox does is the guest’s affair, and said so', () => {
  const [found] = throughBox(boxed('rtb-back'));
  assert.deepEqual(found && rows([found]), ['a → c by eni-box: all traffic']);
  assert.deepEqual(found?.via, [{ kind: 'middlebox', id: 'eni-box' }]);
  assert.deepEqual(found?.viaReturn, found?.via);
  assert.deepEqual(found?.assumptions, ['eni-box hands on what is not its own, unchanged']);
});

test('replies that go past the middlebox: UDP alone, and as flows of their own that groups must let begin', () => {
  assert.deepEqual(rows(throughBox(boxed('rtb-main'))), ['a → c by eni-box: udp']);
  assert.deepEqual(rows(throughBox(boxed('rtb-main', [group('sg-c', [allowAll], [])]))), []);
  assert.deepEqual(rows(throughBox(boxed('rtb-back', [group('sg-c', [allowAll], [])]))), [
    'a → c by eni-box: all traffic',
  ]);
});
