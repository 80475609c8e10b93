// Flows over transit gateways. Part of the one table (cases.ts).

import type { NetworkInterface, Route, Snapshot, Vpc } from '@postern/network/snapshot.ts';
import { type FlowCase, pingTo, tcpTo, udpTo } from './flow.ts';
import { aclEntry, allowAll, cidrPeer, doorEni, endpointEni, eni, group, groupPeer, interfaceEndpoint, local, nat, openAcl, s3Endpoint, snapshot, subnet, table, tcp, toIgw, toNat, toPeer, toTransit, transited, transitTable, vpc } from './snapshots.ts'; // biome-ignore format: many words

/** VPC a: 10.0.0.0/16 with a in subnet 1 and b in subnet 2, zones a and b. VPC b: 10.1.0.0/16 with c. VPC c: 10.2.0.0/16 with d. Each has its doors in subnets of their own. */
const [a1, b2, cFar, dFar] = ['10.0.0.10', '10.0.1.10', '10.1.0.10', '10.2.0.10'] as const;
const inZone = (letter: string) => ({ availabilityZone: `us-east-1${letter}` });
const open = group('sg-open', [allowAll]);
const [machineA, machineB] = [eni('a', '1', a1), eni('b', '2', b2)];
const doorA = doorEni('a', '3', '10.0.9.4', 'a');
const vpcA = (routes: readonly Route[], more: Partial<Vpc> = {}) =>
  vpc({
    subnets: [
      subnet('1', '10.0.0.0/24'),
      subnet('2', '10.0.1.0/24', inZone('b')),
      subnet('3', '10.0.9.0/28', { routeTableId: 'rtb-door' }),
    ],
    networkInterfaces: [machineA, machineB, doorA],
    routeTables: [table('rtb-main', local('10.0.0.0/16'), ...routes), table('rtb-door', local('10.0.0.0/16'))],
    ...more,
  });
const far = (
  name: 'b' | 'c',
  block: '10.1.0.0/16' | '10.2.0.0/16',
  machine: string,
  address: string,
  routes: readonly Route[],
  more: Partial<Vpc> = {},
) =>
  vpc({
    vpcId: `vpc-${name}`,
    cidrBlocks: [block],
    subnets: [
      subnet(`${name}1`, block.replace('0/16', '0/24') as typeof block, { routeTableId: `rtb-${name}` }),
      subnet(`${name}9`, block.replace('0.0/16', '9.0/28') as typeof block, { routeTableId: `rtb-${name}9` }),
    ],
    networkInterfaces: [
      eni(machine, `${name}1`, address),
      doorEni(name, `${name}9`, address.replace('0.10', '9.4'), name),
    ],
    routeTables: [table(`rtb-${name}`, local(block), ...routes), table(`rtb-${name}9`, local(block))],
    ...more,
  });
const vpcB = (routes: readonly Route[], more: Partial<Vpc> = {}) => far('b', '10.1.0.0/16', 'c', cFar, routes, more);
const vpcC = (routes: readonly Route[], more: Partial<Vpc> = {}) => far('c', '10.2.0.0/16', 'd', dFar, routes, more);
const out = toTransit('10.0.0.0/8');
const all = transitTable('all', { '10.0.0.0/16': 'a', '10.1.0.0/16': 'b', '10.2.0.0/16': 'c' });
const three = (tables = [all], associations: Parameters<typeof transited>[2] = {}): Snapshot =>
  transited(snapshot(vpcA([out]), vpcB([out]), vpcC([out])), tables, associations); // biome-ignore format: three small networks

/** A hub that c and d, the spokes, reach the internet by: its doors' subnet routes to a NAT gateway. */
const hub = (more: Partial<Vpc> = {}): Vpc => {
  const { gateway, card } = nat('h', '2', '10.0.1.5', { publicAddress: '198.19.0.50' });
  return vpc({
    internetGatewayId: 'igw-1',
    subnets: [subnet('1', '10.0.0.0/24'), subnet('2', '10.0.1.0/24', { routeTableId: 'rtb-public' }), subnet('3', '10.0.9.0/28', { routeTableId: 'rtb-door' })],
    networkInterfaces: [machineA, card, doorA],
    natGateways: [gateway],
    routeTables: [table('rtb-main', local('10.0.0.0/16'), out), table('rtb-public', local('10.0.0.0/16'), toIgw, out), table('rtb-door', local('10.0.0.0/16'), toNat('h'))],
    ...more,
  });
}; // biome-ignore format: a small network
const everywhere = toTransit('0.0.0.0/0');
const spokes = transitTable('spokes', { '0.0.0.0/0': 'a', '10.1.0.0/16': undefined, '10.2.0.0/16': undefined });
const back = transitTable('back', { '10.1.0.0/16': 'b', '10.2.0.0/16': 'c' });
const egress = (center: Vpc = hub()) =>
  transited(snapshot(center, vpcB([everywhere]), vpcC([everywhere])), [spokes, back], { a: 'tgw-rtb-back' });

/** What c and d send each other goes by the box b in the middle. */
const box = (more: Partial<NetworkInterface> = {}): Vpc =>
  vpcA([toTransit('0.0.0.0/0')], {
    routeTables: [table('rtb-main', local('10.0.0.0/16'), toTransit('0.0.0.0/0')), table('rtb-door', local('10.0.0.0/16'), { destination: { kind: 'cidr', cidr: '0.0.0.0/0' }, target: { kind: 'network-interface', networkInterfaceId: 'eni-b' }, state: 'active' })],
    subnets: [subnet('1', '10.0.0.0/24'), subnet('2', '10.0.1.0/24'), subnet('3', '10.0.9.0/28', { routeTableId: 'rtb-door' })],
    ...more,
  }); // biome-ignore format: a small network
const inspection = transitTable('inspection', { '0.0.0.0/0': 'a' });
const withBox = (options: Partial<NetworkInterface>, more: Partial<Vpc> = {}): Snapshot => {
  const center = box();
  const networkInterfaces = center.networkInterfaces.map((each) => each.networkInterfaceId === 'eni-b' ? { ...each, sourceDestCheck: false, ...options } : each);
  return transited(snapshot({ ...center, networkInterfaces, ...more }, vpcB([everywhere]), vpcC([everywhere])), [inspection, back], { a: 'tgw-rtb-back' });
}; // biome-ignore format: a small network

export const transitCases: readonly FlowCase[] = [
  {
    title: '[Z2] [Z4] three VPCs reach each other over a transit gateway, with true source addresses',
    snapshot: three(),
    flows: [
      tcpTo('a', cFar, 80, 'open', { seenAs: a1 }), udpTo('a', dFar, 80, 'open'), pingTo('a', dFar, 'open'), tcpTo('c', a1, 80, 'open', { seenAs: cFar }), udpTo('c', dFar, 80, 'open', { seenAs: cFar }),
      pingTo('d', cFar, 'open'), tcpTo('d', a1, 22, 'open', { seenAs: dFar }), tcpTo('a', '10.1.0.99', 80, 'timeout'), tcpTo('a', '10.1.9.4', 80, 'timeout'), tcpTo('a', '10.3.0.10', 80, 'timeout'), tcpTo('a', '10.0.9.4', 80, 'timeout'), tcpTo('a', '10.1.0.1', 80, 'timeout'), udpTo('a', '10.1.0.2', 53, 'timeout'),
    ],
  },
  {
    title: '[Z2] a zone without a subnet of the attachment cannot reach the gateway',
    snapshot: three(),
    flows: [tcpTo('b', cFar, 80, 'timeout'), pingTo('b', dFar, 'timeout'), tcpTo('c', b2, 80, 'timeout'), tcpTo('b', a1, 80, 'open'), tcpTo('a', cFar, 80, 'open')],
  },
  {
    title: '[Z2] [Z7] one table in two zones: each zone has its own door, and a reply may come by the other one',
    snapshot: transited(
      snapshot(vpcA([out], { networkInterfaces: [machineA, machineB, doorA, doorEni('a2', '4', '10.0.9.20', 'a')], subnets: [subnet('1', '10.0.0.0/24'), subnet('2', '10.0.1.0/24', inZone('b')), subnet('3', '10.0.9.0/28', { routeTableId: 'rtb-door' }), subnet('4', '10.0.9.16/28', { ...inZone('b'), routeTableId: 'rtb-door' })] }), vpcB([out])),
      [all],
    ),
    flows: [tcpTo('a', cFar, 80, 'open', { seenAs: a1 }), tcpTo('b', cFar, 80, 'open', { seenAs: b2 }), tcpTo('c', b2, 80, 'open', { seenAs: cFar }), udpTo('c', a1, 80, 'open'), pingTo('b', cFar, 'open')],
  },
  {
    title: '[Z4] separate tables keep VPCs apart, and one without a table reaches nobody',
    snapshot: three([transitTable('ab', { '10.0.0.0/16': 'a', '10.1.0.0/16': 'b' }), transitTable('c', { '10.0.0.0/16': 'a' })], { c: 'tgw-rtb-c' }),
    flows: [tcpTo('a', cFar, 80, 'open'), tcpTo('c', a1, 80, 'open'), tcpTo('a', dFar, 80, 'timeout'), tcpTo('d', a1, 80, 'timeout'), tcpTo('d', cFar, 80, 'timeout'), pingTo('c', dFar, 'timeout')],
  },
  {
    title: '[Z4] an attachment that is associated with no table: what comes from it is dropped',
    snapshot: three([all], { b: 'none' }),
    flows: [tcpTo('c', a1, 80, 'timeout'), tcpTo('a', cFar, 80, 'timeout'), tcpTo('a', dFar, 80, 'open')],
  },
  {
    title: '[Z5] [R9] the longest prefix counts, a blackhole drops, and a route back to where a packet came from leads nowhere',
    snapshot: three([transitTable('all', { '10.0.0.0/16': 'a', '10.1.0.0/16': 'b', '10.2.0.0/16': 'c', '10.1.0.10/32': 'c', '10.2.0.8/29': undefined, '10.3.0.0/16': 'a' })]),
    flows: [tcpTo('a', cFar, 80, 'timeout'), tcpTo('a', dFar, 80, 'timeout'), tcpTo('c', a1, 80, 'timeout'), tcpTo('a', '10.3.0.10', 80, 'timeout'), tcpTo('a', b2, 80, 'open')],
  },
  {
    title: '[R9] a route of a VPC whose attachment is gone is a blackhole',
    snapshot: transited(snapshot(vpcA([{ ...out, state: 'blackhole' }]), vpcB([out])), [all]),
    flows: [tcpTo('a', cFar, 80, 'timeout'), tcpTo('a', b2, 80, 'open'), tcpTo('c', a1, 80, 'timeout')],
  },
  {
    title: '[Z3] ACLs of the instance’s subnet and of the attachment’s, each direction once',
    snapshot: transited(
      snapshot(
        vpcA([out]),
        vpcB([out], {
          subnets: [subnet('b1', '10.1.0.0/24', { routeTableId: 'rtb-b', networkAclId: 'acl-in' }), subnet('b9', '10.1.9.0/28', { routeTableId: 'rtb-b9', networkAclId: 'acl-door' })],
          networkAcls: [
            { networkAclId: 'acl-in', ingress: [aclEntry(90, 'deny', { protocol: 6, ports: { from: 22, to: 22 } }), aclEntry(100, 'allow')], egress: [aclEntry(100, 'allow')] },
            { networkAclId: 'acl-door', ingress: [aclEntry(90, 'deny', { protocol: 1 }), aclEntry(100, 'allow', { cidr: '10.1.0.0/16' })], egress: [aclEntry(90, 'deny', { protocol: 17 }), aclEntry(100, 'allow', { cidr: '10.1.0.0/24' })] },
          ],
        }),
      ),
      [all],
    ),
    flows: [tcpTo('a', cFar, 80, 'open'), tcpTo('a', cFar, 22, 'timeout'), udpTo('a', cFar, 80, 'timeout'), pingTo('a', cFar, 'timeout'), udpTo('c', a1, 80, 'timeout'), pingTo('c', a1, 'timeout'), tcpTo('c', a1, 22, 'open')],
  },
  {
    title: '[Z3] in the attachment’s own subnet its ACL is asked on the way out, twice, and not on the way in',
    snapshot: transited(
      snapshot(
        vpcA([out]),
        vpcB([out], {
          subnets: [subnet('b1', '10.1.0.0/24', { routeTableId: 'rtb-b', networkAclId: 'acl-own' })], networkInterfaces: [eni('c', 'b1', cFar), doorEni('b', 'b1', '10.1.0.4', 'b')],
          networkAcls: [{ networkAclId: 'acl-own', ingress: [aclEntry(90, 'deny', { protocol: 6, ports: { from: 22, to: 22 } }), aclEntry(100, 'allow', { cidr: '10.1.0.0/16' })], egress: [aclEntry(90, 'deny', { protocol: 17 }), aclEntry(100, 'allow', { cidr: '10.0.0.0/16' })] }],
          routeTables: [table('rtb-b', local('10.1.0.0/16'), out)],
        }),
      ),
      [all],
    ),
    flows: [tcpTo('a', cFar, 22, 'open'), udpTo('a', cFar, 80, 'timeout'), tcpTo('c', a1, 80, 'open'), tcpTo('c', a1, 22, 'timeout'), udpTo('c', a1, 80, 'timeout')],
  },
  {
    title: '[S1] [S7] groups of both ends decide, and a group of the other VPC matches nothing',
    snapshot: transited(
      snapshot(
        vpcA([out], { networkInterfaces: [eni('a', '1', a1, { groupIds: ['sg-app'] }), machineB, doorA], securityGroups: [open, group('sg-app', [], [tcp(80), tcp(22)])] }),
        vpcB([out], { securityGroups: [group('sg-open', [tcp(22, groupPeer('sg-app')), tcp(80, cidrPeer('10.0.0.0/24'))])] }),
      ),
      [all],
    ),
    flows: [tcpTo('a', cFar, 80, 'open'), tcpTo('a', cFar, 22, 'timeout'), udpTo('a', cFar, 80, 'timeout'), tcpTo('c', a1, 80, 'timeout')],
  },
  {
    title: '[Z9] [W5] [P5] what a gateway brings uses no internet gateway, gateway endpoint or peering of the VPC',
    snapshot: transited(
      { ...snapshot(
        hub({
          gatewayEndpoints: [s3Endpoint], networkInterfaces: [eni('a', '1', a1, { publicAddress: '198.19.0.10' }), doorA], natGateways: [],
          routeTables: [table('rtb-main', local('10.0.0.0/16'), toIgw, out), table('rtb-public', local('10.0.0.0/16')), table('rtb-door', local('10.0.0.0/16'), toIgw, toPeer('10.2.0.0/16'), { destination: { kind: 'prefix-list', prefixListId: 'pl-s3' }, target: { kind: 'gateway-endpoint', vpcEndpointId: 'vpce-s3' }, state: 'active' })],
        }),
        vpcB([everywhere]),
        vpc({ vpcId: 'vpc-c', cidrBlocks: ['10.2.0.0/16'], subnets: [subnet('c1', '10.2.0.0/24', { routeTableId: 'rtb-c' })], networkInterfaces: [eni('d', 'c1', dFar)], routeTables: [table('rtb-c', local('10.2.0.0/16'), toPeer('10.0.0.0/16'), toPeer('10.1.0.0/16'))] }),
      ), peeringConnections: [{ vpcPeeringConnectionId: 'pcx-ab', requester: { vpcId: 'vpc-a', allowDnsResolutionFromRemoteVpc: false }, accepter: { vpcId: 'vpc-c', allowDnsResolutionFromRemoteVpc: false } }] },
      [spokes, back], { a: 'tgw-rtb-back' },
    ),
    flows: [tcpTo('a', '203.0.113.50', 80, 'open', { seenAs: '198.19.0.10' }), tcpTo('c', a1, 80, 'open', { seenAs: cFar }), tcpTo('c', '203.0.113.50', 80, 'timeout'), tcpTo('c', '198.18.1.1', 443, 'timeout'), pingTo('c', '198.51.100.7', 'timeout'), tcpTo('c', dFar, 80, 'timeout'), tcpTo('d', cFar, 80, 'timeout')],
  },
  {
    title: '[X6] an interface endpoint of a hub is reached over the gateway, by the addresses of its interfaces',
    snapshot: transited(
      snapshot(vpcA([out], { networkInterfaces: [machineA, machineB, doorA, endpointEni('p1', '1', '10.0.0.50', { groupIds: ['sg-door'] })], interfaceEndpoints: [interfaceEndpoint(['eni-p1'])], securityGroups: [open, group('sg-door', [tcp(443, cidrPeer('10.1.0.0/16')), tcp(443, cidrPeer('10.0.0.0/24'))], [])] }), vpcB([out]), vpcC([out])),
      [all],
    ),
    flows: [tcpTo('c', '10.0.0.50', 443, 'open', { seenAs: cFar, by: 'vpce-if' }), tcpTo('a', '10.0.0.50', 443, 'open', { seenAs: a1, by: 'vpce-if' }), tcpTo('d', '10.0.0.50', 443, 'timeout'), pingTo('c', '10.0.0.50', 'timeout')],
  },
  {
    title: '[Z2] [Z9] [G4] centralised egress: spokes reach the internet by the hub’s NAT gateway, and not each other',
    snapshot: egress(),
    flows: [
      tcpTo('c', '203.0.113.50', 80, 'open', { seenAs: '198.19.0.50' }), pingTo('d', '198.51.100.7', 'open'), tcpTo('c', '198.18.1.1', 443, 'open', { seenAs: '198.19.0.50' }),
      tcpTo('c', dFar, 80, 'timeout'), tcpTo('d', cFar, 80, 'timeout'), tcpTo('c', a1, 80, 'open', { seenAs: cFar }), tcpTo('a', cFar, 80, 'open', { seenAs: a1 }), tcpTo('a', '203.0.113.50', 80, 'timeout'), tcpTo('c', '10.0.1.5', 80, 'timeout'),
    ],
  },
  {
    title: '[Z2] centralised egress without the way back: the NAT gateway’s subnet has no route to the spokes',
    snapshot: egress(hub({ routeTables: [table('rtb-main', local('10.0.0.0/16'), out), table('rtb-public', local('10.0.0.0/16'), toIgw), table('rtb-door', local('10.0.0.0/16'), toNat('h'))] })),
    flows: [tcpTo('c', '203.0.113.50', 80, 'timeout'), pingTo('d', '198.51.100.7', 'timeout'), tcpTo('a', cFar, 80, 'open')],
  },
  {
    title: '[Z2] [R15] inspection: what the spokes send each other passes the box in the hub, both ways',
    snapshot: withBox({}),
    flows: [tcpTo('c', dFar, 80, 'open', { seenAs: cFar }), udpTo('d', cFar, 80, 'open', { seenAs: dFar }), pingTo('c', dFar, 'open'), tcpTo('c', b2, 80, 'open', { seenAs: cFar }), tcpTo('b', cFar, 80, 'open', { seenAs: b2 })],
  },
  {
    title: '[R15] inspection by a box whose source/destination check is on: it takes only what is its own',
    snapshot: withBox({ sourceDestCheck: true }),
    flows: [tcpTo('c', dFar, 80, 'timeout'), pingTo('d', cFar, 'timeout'), tcpTo('c', b2, 80, 'open')],
  },
  {
    title: '[S1] inspection: the box’s groups are asked for what comes in and for what goes out',
    snapshot: withBox({ groupIds: ['sg-box'] }, { securityGroups: [open, group('sg-box', [tcp(80), tcp(22)], [tcp(80)])] }),
    flows: [tcpTo('c', dFar, 80, 'open'), tcpTo('c', dFar, 22, 'timeout'), udpTo('c', dFar, 80, 'timeout'), tcpTo('c', b2, 22, 'open'), tcpTo('d', cFar, 80, 'open')],
  },
  {
    title: '[Z7] appliance mode: all that goes to the hub comes by its first door',
    snapshot: transited(
      snapshot(
        vpcA([out], {
          networkInterfaces: [machineA, machineB, doorA, doorEni('a2', '4', '10.0.9.20', 'a')],
          subnets: [subnet('1', '10.0.0.0/24'), subnet('2', '10.0.1.0/24', inZone('b')), subnet('3', '10.0.9.0/28', { routeTableId: 'rtb-door' }), subnet('4', '10.0.9.16/28', { ...inZone('b'), routeTableId: 'rtb-closed', networkAclId: 'acl-closed' })],
          routeTables: [table('rtb-main', local('10.0.0.0/16'), out), table('rtb-door', local('10.0.0.0/16')), table('rtb-closed', local('10.0.0.0/16'))], networkAcls: [openAcl, { networkAclId: 'acl-closed', ingress: [aclEntry(100, 'allow')], egress: [] }],
        }),
        vpcB([out], { subnets: [subnet('b1', '10.1.0.0/24', { routeTableId: 'rtb-b', ...inZone('b') }), subnet('b9', '10.1.9.0/28', { routeTableId: 'rtb-b9', ...inZone('b') })] }),
      ),
      [all], {}, { transitGatewayAttachmentId: 'tgw-attach-a', applianceMode: true },
    ),
    flows: [tcpTo('c', b2, 80, 'open', { seenAs: cFar }), tcpTo('b', cFar, 80, 'open', { seenAs: b2 }), tcpTo('c', a1, 80, 'open'), tcpTo('a', cFar, 80, 'open')],
  },
]; // biome-ignore format: a table
