// Flows over VPC peering connections. Part of the one table (cases.ts).

import type { Route, Vpc } from '@postern/network/snapshot.ts';
import { type FlowCase, pingTo, tcpTo, udpTo } from './flow.ts';
import { aclEntry, allowAll, cidrPeer, endpointEni, eni, group, groupPeer, interfaceEndpoint, local, nat, openAcl, peered, s3Endpoint, s3Route, snapshot, subnet, table, tcp, toIgw, toNat, toPeer, udp, vpc } from './snapshots.ts'; // biome-ignore format: many words

const subnets = [subnet('1', '10.0.0.0/24'), subnet('2', '10.0.1.0/24')];
const open = group('sg-open', [allowAll]);
/** VPC a: 10.0.0.0/16 with a in subnet 1 and b in subnet 2. VPC b: 10.1.0.0/16 with c. VPC c: 10.2.0.0/16 with d. */
const [a1, b2, cPeer, dPeer] = ['10.0.0.10', '10.0.1.10', '10.1.0.10', '10.2.0.10'] as const;
const peerA = (routes: readonly Route[], more: Partial<Vpc> = {}) =>
  vpc({
    subnets,
    networkInterfaces: [eni('a', '1', a1), eni('b', '2', b2)],
    routeTables: [table('rtb-main', local('10.0.0.0/16'), ...routes)],
    ...more,
  });
const peerB = (routes: readonly Route[], more: Partial<Vpc> = {}) =>
  vpc({
    vpcId: 'vpc-b',
    cidrBlocks: ['10.1.0.0/16'],
    subnets: [subnet('5', '10.1.0.0/24', { routeTableId: 'rtb-b' })],
    networkInterfaces: [eni('c', '5', cPeer)],
    routeTables: [table('rtb-b', local('10.1.0.0/16'), ...routes)],
    ...more,
  });
const peerC = (routes: readonly Route[], more: Partial<Vpc> = {}) =>
  vpc({
    vpcId: 'vpc-c',
    cidrBlocks: ['10.2.0.0/16'],
    subnets: [subnet('6', '10.2.0.0/24', { routeTableId: 'rtb-c' })],
    networkInterfaces: [eni('d', '6', dPeer)],
    routeTables: [table('rtb-c', local('10.2.0.0/16'), ...routes)],
    ...more,
  });
const ab = { ab: ['vpc-a', 'vpc-b'] } as const;
const [toB, toA] = [toPeer('10.1.0.0/16'), toPeer('10.0.0.0/16')]; // biome-ignore format: three small networks

export const peeringCases: readonly FlowCase[] = [
  {
    title: '[P4] a peering carries what both sides have routes for, with true source addresses',
    snapshot: peered(snapshot(peerA([toB]), peerB([toA])), ab),
    flows: [
      tcpTo('a', cPeer, 80, 'open', { seenAs: a1 }), tcpTo('b', cPeer, 22, 'open', { seenAs: b2 }), udpTo('a', cPeer, 80, 'open'), pingTo('a', cPeer, 'open'),
      tcpTo('c', a1, 80, 'open', { seenAs: cPeer }), udpTo('c', b2, 80, 'open', { seenAs: cPeer }), pingTo('c', b2, 'open'), tcpTo('a', '10.1.0.99', 80, 'timeout'), tcpTo('a', '10.1.0.1', 80, 'timeout'),
    ],
  },
  {
    title: '[P4] a route on one side only: requests may arrive, answers do not come back',
    snapshot: peered(snapshot(peerA([toB]), peerB([])), ab),
    flows: [tcpTo('a', cPeer, 80, 'timeout'), udpTo('a', cPeer, 80, 'timeout'), pingTo('a', cPeer, 'timeout'), tcpTo('c', a1, 80, 'timeout')],
  },
  {
    title: '[P1] [R9] a route over a peering that is not active is a blackhole',
    snapshot: snapshot(peerA([{ ...toB, state: 'blackhole' }]), peerB([{ ...toA, state: 'blackhole' }])),
    flows: [tcpTo('a', cPeer, 80, 'timeout'), pingTo('c', a1, 'timeout'), tcpTo('a', b2, 80, 'open')],
  },
  {
    title: '[G9] a NAT gateway serves its own VPC: a peer is reached through it under its address, and a peer’s packets do not get out by it',
    snapshot: peered(
      snapshot(
        peerA([toB], {
          subnets: [subnet('1', '10.0.0.0/24', { routeTableId: 'rtb-private' }), subnet('2', '10.0.1.0/24')], internetGatewayId: 'igw-1',
          routeTables: [table('rtb-main', local('10.0.0.0/16'), toB, toIgw), table('rtb-private', local('10.0.0.0/16'), toNat('2'))],
          networkInterfaces: [eni('a', '1', a1), eni('b', '2', b2), nat('2', '2', '10.0.1.5', { publicAddress: '198.19.0.50' }).card],
          natGateways: [nat('2', '2', '10.0.1.5').gateway],
        }),
        peerB([toA, toPeer('198.51.100.0/24')]),
      ),
      ab,
    ),
    flows: [
      tcpTo('a', cPeer, 80, 'open', { seenAs: '10.0.1.5' }), pingTo('a', cPeer, 'open'), pingTo('a', '198.51.100.7', 'open'), tcpTo('b', cPeer, 80, 'open', { seenAs: b2 }),
      pingTo('c', '198.51.100.7', 'timeout'), tcpTo('c', '10.0.1.5', 80, 'timeout'),
    ],
  },
  {
    title: '[P5] peerings are not transitive, whatever the routes say',
    snapshot: peered(
      snapshot(peerA([toB, toPeer('10.2.0.0/16')]), peerB([toA, toPeer('10.2.0.0/16', 'pcx-bc')]), peerC([toPeer('10.1.0.0/16', 'pcx-bc'), toPeer('10.0.0.0/16', 'pcx-bc')])),
      { ...ab, bc: ['vpc-b', 'vpc-c'] },
    ),
    flows: [tcpTo('a', cPeer, 80, 'open'), tcpTo('c', dPeer, 80, 'open', { seenAs: cPeer }), tcpTo('d', cPeer, 80, 'open'), tcpTo('a', dPeer, 80, 'timeout'), pingTo('d', a1, 'timeout'), udpTo('a', dPeer, 80, 'timeout')],
  },
  {
    title: '[P5] [P6] [W5] a peer uses neither our internet gateway nor our gateway endpoint nor our resolver',
    snapshot: peered(
      snapshot(peerA([toPeer('0.0.0.0/0')]), peerB([toA, toIgw, s3Route], {
        internetGatewayId: 'igw-1', gatewayEndpoints: [s3Endpoint], networkInterfaces: [eni('c', '5', cPeer, { publicAddress: '198.19.0.12' })],
      })),
      ab,
    ),
    flows: [
      tcpTo('a', cPeer, 80, 'open', { seenAs: a1 }), tcpTo('c', '198.18.1.1', 443, 'open', { seenAs: cPeer }), tcpTo('c', '198.18.2.1', 443, 'open', { seenAs: '198.19.0.12' }),
      tcpTo('a', '198.18.1.1', 443, 'timeout'), tcpTo('a', '203.0.113.50', 80, 'timeout'), pingTo('a', '198.51.100.7', 'timeout'), tcpTo('a', '198.19.0.12', 80, 'timeout'), udpTo('a', '10.1.0.2', 53, 'timeout'),
    ],
  },
  {
    title: '[S6] [S7] [P7] a group of the peer as source and destination means its members there',
    snapshot: peered(
      snapshot(
        peerA([toB], { networkInterfaces: [eni('a', '1', a1, { groupIds: ['sg-app'] }), eni('b', '2', b2, { groupIds: ['sg-other'] })], securityGroups: [group('sg-app', []), group('sg-other', [tcp(80, groupPeer('sg-db'))], [tcp(80, groupPeer('sg-db'))])] }),
        peerB([toA], { networkInterfaces: [eni('c', '5', cPeer, { groupIds: ['sg-db'] })], securityGroups: [group('sg-db', [tcp(22, groupPeer('sg-app')), tcp(80, groupPeer('sg-other'))])] }),
      ),
      ab,
    ),
    flows: [tcpTo('a', cPeer, 22, 'open', { seenAs: a1 }), tcpTo('b', cPeer, 22, 'timeout'), tcpTo('a', cPeer, 80, 'timeout'), tcpTo('b', cPeer, 80, 'open'), tcpTo('c', b2, 80, 'open'), tcpTo('c', a1, 80, 'timeout')],
  },
  {
    title: '[S7] [P9] over a peering between Regions a group of the peer matches nothing, a block does',
    snapshot: peered(
      snapshot(
        peerA([toB], { networkInterfaces: [eni('a', '1', a1, { groupIds: ['sg-app'] }), eni('b', '2', b2)], securityGroups: [group('sg-app', []), open] }),
        peerB([toA], { region: 'eu-west-1', networkInterfaces: [eni('c', '5', cPeer, { groupIds: ['sg-db'] })], securityGroups: [group('sg-db', [tcp(22, groupPeer('sg-app')), tcp(80, cidrPeer('10.0.0.0/24'))])] }),
      ),
      ab,
    ),
    flows: [tcpTo('a', cPeer, 22, 'timeout'), tcpTo('a', cPeer, 80, 'open', { seenAs: a1 }), tcpTo('b', cPeer, 80, 'timeout')],
  },
  {
    title: '[S8] without the peering its group references match nothing',
    snapshot: snapshot(
      peerA([{ ...toB, state: 'blackhole' }], { networkInterfaces: [eni('a', '1', a1, { groupIds: ['sg-app'] }), eni('b', '2', b2, { groupIds: ['sg-other'] })], securityGroups: [group('sg-app', []), group('sg-other', [tcp(80, groupPeer('sg-db'))])] }),
      peerB([], { networkInterfaces: [eni('c', '5', cPeer, { groupIds: ['sg-db'] })], securityGroups: [group('sg-db', [])] }),
    ),
    flows: [tcpTo('a', b2, 80, 'timeout'), tcpTo('c', b2, 80, 'timeout')],
  },
  {
    title: '[P4] [N7] [S1] groups and ACLs of both ends of a peering decide',
    snapshot: peered(
      snapshot(
        peerA([toB], { subnets: [subnet('1', '10.0.0.0/24', { networkAclId: 'acl-1' }), subnet('2', '10.0.1.0/24')], networkAcls: [openAcl, { networkAclId: 'acl-1', ingress: [aclEntry(100, 'allow', { cidr: '10.1.0.0/16' })], egress: [aclEntry(90, 'deny', { protocol: 6, ports: { from: 22, to: 22 } }), aclEntry(100, 'allow')] }] }),
        peerB([toA], { networkInterfaces: [eni('c', '5', cPeer, { groupIds: ['sg-web'] })], securityGroups: [group('sg-web', [tcp(80), tcp(22)], [udp(80)])] }),
      ),
      ab,
    ),
    flows: [tcpTo('a', cPeer, 80, 'open'), tcpTo('a', cPeer, 22, 'timeout'), tcpTo('b', cPeer, 22, 'open'), udpTo('a', cPeer, 80, 'timeout'), udpTo('c', a1, 80, 'open'), tcpTo('c', a1, 80, 'timeout'), tcpTo('c', b2, 80, 'timeout')],
  },
  {
    title: '[P3] [P5] two peers with one block: the route table of each subnet says which, also for answers',
    snapshot: peered(
      snapshot(
        peerA([], { subnets: [subnet('1', '10.0.0.0/24', { routeTableId: 'rtb-1' }), subnet('2', '10.0.1.0/24', { routeTableId: 'rtb-2' })], routeTables: [table('rtb-1', local('10.0.0.0/16'), toB), table('rtb-2', local('10.0.0.0/16'), toPeer('10.1.0.0/16', 'pcx-ac'))] }),
        peerB([toA]),
        peerC([toPeer('10.0.0.0/16', 'pcx-ac')], { cidrBlocks: ['10.1.0.0/16'], subnets: [subnet('6', '10.1.0.0/24', { routeTableId: 'rtb-c' })], networkInterfaces: [eni('d', '6', cPeer, { groupIds: ['sg-ssh'] })], routeTables: [table('rtb-c', local('10.1.0.0/16'), toPeer('10.0.0.0/16', 'pcx-ac'))], securityGroups: [group('sg-ssh', [tcp(22)])] }),
      ),
      { ...ab, ac: ['vpc-a', 'vpc-c'] },
    ),
    flows: [tcpTo('a', cPeer, 80, 'open', { seenAs: a1 }), tcpTo('b', cPeer, 80, 'timeout'), tcpTo('b', cPeer, 22, 'open', { seenAs: b2 }), tcpTo('c', a1, 80, 'open'), tcpTo('d', b2, 80, 'open'), tcpTo('d', a1, 80, 'timeout'), tcpTo('c', b2, 80, 'timeout')],
  },
  {
    title: '[X6] an interface endpoint is reached over a peering, by the addresses of its interfaces, and keeps its groups',
    snapshot: peered(
      snapshot(
        peerA([toB]),
        peerB([toA], { networkInterfaces: [eni('c', '5', cPeer), endpointEni('p1', '5', '10.1.0.50', { groupIds: ['sg-door'] })], interfaceEndpoints: [interfaceEndpoint(['eni-p1'])], securityGroups: [open, group('sg-door', [tcp(443, cidrPeer('10.0.0.0/24')), tcp(443, cidrPeer('10.1.0.0/16'))], [])] }),
      ),
      ab,
    ),
    flows: [tcpTo('a', '10.1.0.50', 443, 'open', { seenAs: a1, by: 'vpce-if' }), tcpTo('c', '10.1.0.50', 443, 'open', { seenAs: cPeer, by: 'vpce-if' }), tcpTo('b', '10.1.0.50', 443, 'timeout'), pingTo('a', '10.1.0.50', 'timeout')],
  },
  {
    title: '[P5] [G4] a peer does not get through our NAT gateway; what our private one sends over the peering comes from it',
    snapshot: peered(
      snapshot(
        peerA([toPeer('0.0.0.0/0'), toB]),
        peerB([toA, toIgw], {
          internetGatewayId: 'igw-1', subnets: [subnet('5', '10.1.0.0/24', { routeTableId: 'rtb-b' }), subnet('7', '10.1.1.0/24', { routeTableId: 'rtb-private' })],
          routeTables: [table('rtb-b', local('10.1.0.0/16'), toA, toIgw), table('rtb-private', local('10.1.0.0/16'), toNat('1'))], natGateways: [nat('1', '5', '10.1.0.5').gateway],
          networkInterfaces: [eni('c', '7', '10.1.1.10'), nat('1', '5', '10.1.0.5', { publicAddress: '198.19.0.50' }).card],
        }),
      ),
      ab,
    ),
    flows: [tcpTo('c', '203.0.113.50', 80, 'open', { seenAs: '198.19.0.50' }), tcpTo('c', a1, 80, 'open', { seenAs: '10.1.0.5' }), tcpTo('a', '203.0.113.50', 80, 'timeout'), pingTo('a', '10.1.0.5', 'timeout'), tcpTo('a', '10.1.0.5', 80, 'timeout')],
  },
]; // biome-ignore format: a table
