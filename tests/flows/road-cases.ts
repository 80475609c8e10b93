// Flows by the roads to the internet: NAT gateways, edge route tables, middleboxes, public addresses and what blocks them. Part of the one table (cases.ts).

import { type FlowCase, pingTo, tcpTo, udpTo } from './flow.ts';
import { aclEntry, allowAll, cidrPeer, eni, group, local, nat, openAcl, s3Endpoint, s3Route, snapshot, subnet, table, tcp, toIgw, toNat, vpc } from './snapshots.ts'; // biome-ignore format: many words

const [a, c] = ['10.0.0.10', '10.0.1.10'] as const;
const open = group('sg-open', [allowAll]);
const publicTables = [table('rtb-main', local('10.0.0.0/16')), table('rtb-public', local('10.0.0.0/16'), toIgw)];
/** c is private behind a NAT gateway in the public subnet of a. */
const natted = nat('1', '1', '10.0.0.5', { publicAddress: '198.19.0.50' });
const behindNat = [
  subnet('1', '10.0.0.0/24', { routeTableId: 'rtb-public' }),
  subnet('2', '10.0.1.0/24', { routeTableId: 'rtb-private' }),
];
const natTables = [...publicTables, table('rtb-private', local('10.0.0.0/16'), toNat('1'))];

export const roadCases: readonly FlowCase[] = [
  {
    title: '[G2] [G5] [N8] a NAT gateway brings a private subnet to the internet under its Elastic IP; nothing begins from outside',
    snapshot: snapshot(vpc({
      subnets: behindNat, routeTables: natTables, internetGatewayId: 'igw-1', natGateways: [natted.gateway],
      networkInterfaces: [eni('a', '1', a, { publicAddress: '198.19.0.10' }), eni('c', '2', c, { groupIds: ['sg-closed'] }), natted.card], securityGroups: [open, group('sg-closed', [])],
    })),
    flows: [
      tcpTo('c', '198.18.1.1', 443, 'open', { seenAs: '198.19.0.50' }), tcpTo('c', '203.0.113.50', 80, 'open', { seenAs: '198.19.0.50' }), pingTo('c', '198.51.100.7', 'open'), tcpTo('c', '198.19.0.10', 80, 'open', { seenAs: '198.19.0.50' }), udpTo('c', '198.19.0.10', 80, 'open', { seenAs: '198.19.0.50' }),
      tcpTo('a', '198.18.1.1', 443, 'open', { seenAs: '198.19.0.10' }), tcpTo('laptop', '198.19.0.50', 22, 'timeout'), pingTo('a', '10.0.0.5', 'timeout'), tcpTo('a', '10.0.0.5', 80, 'timeout'), tcpTo('c', a, 80, 'open', { seenAs: c }), tcpTo('a', c, 80, 'timeout'),
    ],
  },
  {
    title: '[G2] a public NAT gateway in a subnet without an internet route drops in silence',
    snapshot: snapshot(vpc({
      subnets: [subnet('1', '10.0.0.0/24'), subnet('2', '10.0.1.0/24', { routeTableId: 'rtb-private' })], routeTables: natTables, internetGatewayId: 'igw-1', natGateways: [natted.gateway],
      networkInterfaces: [eni('c', '2', c), natted.card],
    })),
    flows: [tcpTo('c', '198.18.1.1', 443, 'timeout'), pingTo('c', '198.51.100.7', 'timeout')],
  },
  {
    title: '[G4] [R3] [R4] a private NAT gateway: inside the VPC it is the source, and the internet gateway drops what it sends',
    snapshot: snapshot(vpc({
      subnets: [...behindNat, subnet('3', '10.0.2.0/24')], internetGatewayId: 'igw-1', natGateways: [nat('1', '1', '10.0.0.5').gateway],
      routeTables: [...publicTables, table('rtb-private', toNat('1', '10.0.0.0/16'), toNat('1'), toNat('1', '10.0.2.0/24'))],
      networkInterfaces: [eni('a', '1', a), eni('c', '2', c), eni('b', '3', '10.0.2.10', { groupIds: ['sg-nat'] }), nat('1', '1', '10.0.0.5').card],
      securityGroups: [open, group('sg-nat', [tcp(80, cidrPeer('10.0.0.5/32'))])],
    })),
    flows: [tcpTo('c', '198.18.1.1', 443, 'timeout'), tcpTo('c', '10.0.2.10', 80, 'open', { seenAs: '10.0.0.5' }), tcpTo('c', a, 80, 'open', { seenAs: '10.0.0.5' }), tcpTo('c', '10.0.2.10', 22, 'timeout'), tcpTo('a', '10.0.2.10', 80, 'timeout'), udpTo('c', a, 80, 'open', { seenAs: '10.0.0.5' }), pingTo('c', a, 'open')],
  },
  {
    title: '[G8] [N8] the ACL of the NAT gateway’s subnet decides on both of its legs, with its ports',
    snapshot: snapshot(vpc({
      subnets: [subnet('1', '10.0.0.0/24', { routeTableId: 'rtb-public', networkAclId: 'acl-nat' }), subnet('2', '10.0.1.0/24', { routeTableId: 'rtb-private' })], routeTables: natTables, internetGatewayId: 'igw-1', natGateways: [natted.gateway],
      networkInterfaces: [eni('c', '2', c), natted.card],
      networkAcls: [openAcl, {
        networkAclId: 'acl-nat',
        ingress: [aclEntry(90, 'deny', { protocol: 6, ports: { from: 80, to: 80 }, cidr: '10.0.1.0/24' }), aclEntry(100, 'allow', { protocol: 6, ports: { from: 1024, to: 65535 } }), aclEntry(110, 'allow', { protocol: 6, cidr: '10.0.1.0/24' })],
        egress: [aclEntry(100, 'allow', { protocol: 6 })],
      }],
    })),
    flows: [tcpTo('c', '198.18.1.1', 443, 'open'), tcpTo('c', '203.0.113.50', 80, 'timeout'), pingTo('c', '198.51.100.7', 'timeout')],
  },
  {
    title: '[G8] a NAT gateway whose own subnet routes back to it leads nowhere',
    snapshot: snapshot(vpc({
      subnets: [subnet('1', '10.0.0.0/24', { routeTableId: 'rtb-public' })], internetGatewayId: 'igw-1', natGateways: [natted.gateway],
      routeTables: [table('rtb-public', local('10.0.0.0/16'), toIgw, toNat('1', '198.51.100.0/24'))], networkInterfaces: [eni('a', '1', a, { publicAddress: '198.19.0.10' }), natted.card],
    })),
    flows: [tcpTo('a', '198.51.100.7', 80, 'timeout'), tcpTo('a', '203.0.113.50', 80, 'open')],
  },
  {
    title: '[G10] [W3] a gateway endpoint’s route beats the one to the NAT gateway',
    snapshot: snapshot(vpc({
      subnets: behindNat, internetGatewayId: 'igw-1', natGateways: [natted.gateway], gatewayEndpoints: [s3Endpoint],
      routeTables: [...publicTables, table('rtb-private', local('10.0.0.0/16'), toNat('1'), s3Route)], networkInterfaces: [eni('c', '2', c), natted.card],
    })),
    flows: [tcpTo('c', '198.18.1.1', 443, 'open', { seenAs: c }), tcpTo('c', '198.18.2.1', 443, 'open', { seenAs: '198.19.0.50' })],
  },
  {
    title: '[R8] [G1] a route to a NAT gateway that is gone is a blackhole',
    snapshot: snapshot(vpc({ subnets: behindNat, internetGatewayId: 'igw-1', routeTables: [...publicTables, table('rtb-private', local('10.0.0.0/16'), { ...toNat('1'), state: 'blackhole' })], networkInterfaces: [eni('a', '1', a), eni('c', '2', c)] })),
    flows: [tcpTo('c', '198.18.1.1', 443, 'timeout'), tcpTo('c', a, 80, 'open')],
  },
]; // biome-ignore format: a table
