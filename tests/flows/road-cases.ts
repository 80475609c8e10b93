// Flows by the roads to the internet: NAT gateways, edge route tables, middleboxes, public addresses and what blocks them. Part of the one table (cases.ts).

import type { Route, Subnet } from '@postern/network/snapshot.ts';
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

/** A route to the interface of an instance. */
const toBox = (name: string, cidr: `${string}/${number}` = '0.0.0.0/0', state: Route['state'] = 'active'): Route => ({
  destination: { kind: 'cidr', cidr },
  target: { kind: 'network-interface', networkInterfaceId: `eni-${name}` },
  state,
});

/** b is a middlebox in a public subnet, a a protected instance behind it, both with public addresses. */
const guarded = (options: { boxIsPublic?: boolean; edge?: readonly Route[] } = {}) => snapshot(vpc({
  subnets: [subnet('1', '10.0.0.0/24', { routeTableId: 'rtb-guarded' }), subnet('3', '10.0.2.0/24', { routeTableId: 'rtb-public' })], internetGatewayId: 'igw-1',
  ...(options.edge && { gatewayRouteTableId: 'rtb-edge' as const }),
  routeTables: [...publicTables, table('rtb-guarded', local('10.0.0.0/16'), toBox('b')), table('rtb-edge', ...(options.edge ?? []))],
  networkInterfaces: [eni('a', '1', a, { publicAddress: '198.19.0.10' }), eni('b', '3', '10.0.2.11', { sourceDestCheck: false, ...(options.boxIsPublic !== false && { publicAddress: '198.19.0.11' }) })],
})); // biome-ignore format: few words

/** From a to c by b and d, and back by d and b; groups let TCP 80 pass and rely on replies being known. */
const twoBoxes = ({ second = group('sg-d', [tcp(80)], [tcp(80)]) } = {}) => snapshot(vpc({
  subnets: [
    subnet('1', '10.0.0.0/24', { routeTableId: 'rtb-1' }), subnet('2', '10.0.1.0/24', { routeTableId: 'rtb-2' }), subnet('3', '10.0.2.0/24', { routeTableId: 'rtb-3' }), subnet('4', '10.0.3.0/24', { routeTableId: 'rtb-4' }),
  ],
  routeTables: [
    table('rtb-1', local('10.0.0.0/16'), toBox('b', '10.0.1.0/24')), table('rtb-3', local('10.0.0.0/16'), toBox('d', '10.0.1.0/24')),
    table('rtb-4', local('10.0.0.0/16'), toBox('b', '10.0.0.0/24')), table('rtb-2', local('10.0.0.0/16'), toBox('d', '10.0.0.0/24')),
  ],
  networkInterfaces: [
    eni('a', '1', a, { groupIds: ['sg-a'] }), eni('c', '2', c, { groupIds: ['sg-c'] }),
    eni('b', '3', '10.0.2.11', { sourceDestCheck: false, groupIds: ['sg-b'] }), eni('d', '4', '10.0.3.12', { sourceDestCheck: false, groupIds: ['sg-d'] }),
  ],
  securityGroups: [group('sg-a', []), group('sg-c', [tcp(80, cidrPeer('10.0.0.0/24'))], [tcp(443)]), group('sg-b', [tcp(80)], [tcp(80)]), second],
})); // biome-ignore format: few words

/** The example of AWS's guide: a in a public subnet, c behind the NAT gateway of another. */
const withBlocking = (publicSide: Subnet['blockPublicAccess'], natSide: Subnet['blockPublicAccess']) => snapshot(vpc({
  subnets: [
    subnet('1', '10.0.0.0/24', { routeTableId: 'rtb-public', ...(publicSide && { blockPublicAccess: publicSide }) }), subnet('2', '10.0.1.0/24', { routeTableId: 'rtb-private', ...(natSide && { blockPublicAccess: natSide }) }),
    subnet('3', '10.0.2.0/24', { routeTableId: 'rtb-public', ...(natSide && { blockPublicAccess: natSide }) }),
  ],
  routeTables: [...publicTables, table('rtb-private', local('10.0.0.0/16'), toNat('3'))], internetGatewayId: 'igw-1', natGateways: [nat('3', '3', '10.0.2.5').gateway],
  networkInterfaces: [eni('a', '1', a, { publicAddress: '198.19.0.10' }), eni('c', '2', c), nat('3', '3', '10.0.2.5', { publicAddress: '198.19.0.50' }).card],
})); // biome-ignore format: few words

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
  {
    title: '[R14] an edge route table brings what comes in by the internet gateway to the middlebox, and what goes out comes back by it',
    snapshot: guarded({ edge: [local('10.0.0.0/16'), toBox('b', '10.0.0.0/24')] }),
    flows: [
      tcpTo('laptop', '198.19.0.10', 22, 'open', { seenAs: '203.0.113.10' }), tcpTo('laptop', '198.19.0.11', 22, 'open', { seenAs: '203.0.113.10' }),
      tcpTo('a', '198.18.1.1', 443, 'open', { seenAs: '198.19.0.10' }), tcpTo('b', '198.18.1.1', 443, 'open', { seenAs: '198.19.0.11' }), pingTo('a', '198.51.100.7', 'open'), tcpTo('a', '198.19.0.11', 80, 'open', { seenAs: '198.19.0.10' }),
    ],
  },
  {
    title: '[R3] [R14] the edge table’s local route may lead to the middlebox as a whole',
    snapshot: guarded({ edge: [toBox('b', '10.0.0.0/16')] }),
    flows: [tcpTo('laptop', '198.19.0.10', 22, 'open'), tcpTo('laptop', '198.19.0.11', 22, 'open'), tcpTo('a', '203.0.113.50', 80, 'open', { seenAs: '198.19.0.10' })],
  },
  {
    title: '[R14] the gateway sends to a middlebox with a public address only, and a blackhole is one here too',
    snapshot: guarded({ edge: [local('10.0.0.0/16'), toBox('b', '10.0.0.0/24')], boxIsPublic: false }),
    flows: [tcpTo('laptop', '198.19.0.10', 22, 'timeout'), tcpTo('a', '198.18.1.1', 443, 'timeout')],
  },
  {
    title: '[R9] [R14] a blackhole in the edge table drops what comes in',
    snapshot: guarded({ edge: [local('10.0.0.0/16'), toBox('gone', '10.0.0.0/24', 'blackhole')] }),
    flows: [tcpTo('laptop', '198.19.0.10', 22, 'timeout'), tcpTo('laptop', '198.19.0.11', 22, 'open')],
  },
  {
    title: '[I3] [R14] without the edge table the way in is not the way back, so nothing comes in',
    snapshot: guarded(),
    flows: [tcpTo('laptop', '198.19.0.10', 22, 'timeout'), tcpTo('a', '198.18.1.1', 443, 'timeout'), tcpTo('laptop', '198.19.0.11', 22, 'open')],
  },
  {
    title: '[R3] [R4] a local route replaced by a middlebox carries what leaves the subnet, and not what stays in it',
    snapshot: snapshot(vpc({
      subnets: [subnet('1', '10.0.0.0/24', { routeTableId: 'rtb-by-box' }), subnet('2', '10.0.1.0/24', { routeTableId: 'rtb-by-box' }), subnet('3', '10.0.2.0/24')],
      routeTables: [table('rtb-main', local('10.0.0.0/16')), table('rtb-by-box', toBox('b', '10.0.0.0/16'))],
      networkInterfaces: [eni('a', '1', a), eni('d', '1', '10.0.0.12'), eni('c', '2', c, { groupIds: ['sg-c'] }), eni('b', '3', '10.0.2.11', { sourceDestCheck: false, groupIds: ['sg-box'] })],
      securityGroups: [open, group('sg-c', [tcp(80, cidrPeer('10.0.0.10/32'))]), group('sg-box', [tcp(80)], [tcp(80), tcp(22)])],
    })),
    flows: [tcpTo('a', c, 80, 'open', { seenAs: a }), tcpTo('d', c, 80, 'timeout'), tcpTo('a', c, 22, 'timeout'), tcpTo('a', '10.0.0.12', 22, 'open', { seenAs: a })],
  },
  {
    title: '[S1] [R13] between two interfaces of one subnet by a middlebox, the groups of each are asked',
    snapshot: snapshot(vpc({
      subnets: [subnet('1', '10.0.0.0/24', { routeTableId: 'rtb-by-box' }), subnet('3', '10.0.2.0/24')],
      routeTables: [table('rtb-main', local('10.0.0.0/16')), table('rtb-by-box', local('10.0.0.0/16'), toBox('b', '10.0.0.0/24'))],
      networkInterfaces: [eni('a', '1', a, { groupIds: ['sg-a'] }), eni('d', '1', '10.0.0.12', { groupIds: ['sg-d'] }), eni('b', '3', '10.0.2.11', { sourceDestCheck: false })],
      securityGroups: [open, group('sg-a', []), group('sg-d', [tcp(80)])],
    })),
    flows: [tcpTo('a', '10.0.0.12', 22, 'timeout'), tcpTo('d', a, 80, 'timeout'), tcpTo('a', '10.0.0.12', 80, 'open', { seenAs: a })],
  },
  {
    title: '[S1] [R4] two middleboxes in a row: the groups of every interface on the way decide once for each flow, and replies pass',
    snapshot: twoBoxes(),
    flows: [tcpTo('a', c, 80, 'open', { seenAs: a }), udpTo('a', c, 80, 'timeout'), tcpTo('a', c, 22, 'timeout'), tcpTo('c', a, 80, 'timeout'), pingTo('a', c, 'timeout')],
  },
  {
    title: '[S1] the second of two middleboxes lets nothing in',
    snapshot: twoBoxes({ second: group('sg-d', [], [allowAll]) }),
    flows: [tcpTo('a', c, 80, 'timeout')],
  },
  {
    title: '[S1] the second of two middleboxes lets nothing out',
    snapshot: twoBoxes({ second: group('sg-d', [allowAll], []) }),
    flows: [tcpTo('a', c, 80, 'timeout')],
  },
  {
    title: '[R4] a reply that does not come back by the middlebox of its request is of no flow: only UDP passes, as a flow of its own',
    snapshot: snapshot(vpc({
      subnets: [subnet('1', '10.0.0.0/24', { routeTableId: 'rtb-there' }), subnet('2', '10.0.1.0/24'), subnet('3', '10.0.2.0/24')],
      routeTables: [table('rtb-main', local('10.0.0.0/16')), table('rtb-there', local('10.0.0.0/16'), toBox('b', '10.0.1.0/24'))],
      networkInterfaces: [eni('a', '1', a), eni('c', '2', c), eni('b', '3', '10.0.2.11', { sourceDestCheck: false })],
    })),
    flows: [tcpTo('a', c, 80, 'timeout'), pingTo('a', c, 'timeout'), udpTo('a', c, 80, 'open'), tcpTo('b', c, 80, 'open')],
  },
  {
    title: '[G2] [R4] a middlebox in front of a NAT gateway, there and back',
    snapshot: snapshot(vpc({
      subnets: [subnet('1', '10.0.0.0/24', { routeTableId: 'rtb-guarded' }), subnet('3', '10.0.2.0/24', { routeTableId: 'rtb-box' }), subnet('4', '10.0.3.0/24', { routeTableId: 'rtb-nat' })],
      internetGatewayId: 'igw-1', natGateways: [nat('4', '4', '10.0.3.5').gateway],
      routeTables: [...publicTables, table('rtb-guarded', local('10.0.0.0/16'), toBox('b')), table('rtb-box', local('10.0.0.0/16'), toNat('4')), table('rtb-nat', local('10.0.0.0/16'), toIgw, toBox('b', '10.0.0.0/24'))],
      networkInterfaces: [eni('a', '1', a, { groupIds: ['sg-out'] }), eni('b', '3', '10.0.2.11', { sourceDestCheck: false, groupIds: ['sg-box'] }), nat('4', '4', '10.0.3.5', { publicAddress: '198.19.0.50' }).card],
      securityGroups: [group('sg-out', [], [tcp(443)]), group('sg-box', [tcp(443, cidrPeer('10.0.0.0/24'))], [tcp(443)])],
    })),
    flows: [tcpTo('a', '198.18.1.1', 443, 'open', { seenAs: '198.19.0.50' }), tcpTo('a', '198.18.1.1', 80, 'timeout')],
  },
  {
    title: '[BPA] block-bidirectional: nothing passes the internet gateway, NAT gateways’ flows neither; inside the VPC all goes on',
    snapshot: withBlocking('block-bidirectional', 'block-bidirectional'),
    flows: [tcpTo('laptop', '198.19.0.10', 22, 'timeout'), pingTo('a', '198.51.100.7', 'timeout'), tcpTo('c', '198.18.1.1', 443, 'timeout'), tcpTo('a', c, 80, 'open')],
  },
  {
    title: '[BPA] block-ingress: public instances neither answer nor ask, and NAT gateways go on',
    snapshot: withBlocking('block-ingress', 'block-ingress'),
    flows: [tcpTo('laptop', '198.19.0.10', 22, 'timeout'), pingTo('a', '198.51.100.7', 'timeout'), tcpTo('c', '198.18.1.1', 443, 'open', { seenAs: '198.19.0.50' }), pingTo('c', '198.51.100.7', 'open')],
  },
  {
    title: '[BPA] a subnet that is excluded is as ever',
    snapshot: withBlocking(undefined, 'block-bidirectional'),
    flows: [tcpTo('laptop', '198.19.0.10', 22, 'open'), tcpTo('a', '198.18.1.1', 443, 'open'), tcpTo('c', '198.18.1.1', 443, 'timeout')],
  },
]; // biome-ignore format: a table
