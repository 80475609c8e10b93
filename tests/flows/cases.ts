// The one table of flows: a network, and who reaches whom in it. The kernel is held to it here; the walk is held to the same rows, so that
// what Postern explains and what packets do cannot drift apart. Machines answer on tcp and udp 80 and 22, the AWS side on tcp 443 and 80.

import { endpointCases } from './endpoint-cases.ts';
import { type FlowCase, pingTo, tcpTo, udpTo } from './flow.ts';
import { loadBalancerCases } from './load-balancer-cases.ts';
import { peeringCases } from './peering-cases.ts';
import { roadCases } from './road-cases.ts';
import {
  aclEntry,
  allowAll,
  cidrPeer,
  echo,
  eni,
  everywhere,
  group,
  groupPeer,
  local,
  openAcl,
  rule,
  s3Endpoint,
  s3Route,
  snapshot,
  subnet,
  table,
  tcp,
  toIgw,
  udp,
  vpc,
} from './snapshots.ts';
import { transitCases } from './transit-cases.ts';

/** a and b in subnet 1, c in subnet 2. */
const subnets = [subnet('1', '10.0.0.0/24'), subnet('2', '10.0.1.0/24')];
const [a, b, c] = ['10.0.0.10', '10.0.0.11', '10.0.1.10'] as const;
const trio = (groups: { a?: `sg-${string}`[]; b?: `sg-${string}`[]; c?: `sg-${string}`[] } = {}) => [
  eni('a', '1', a, { groupIds: groups.a ?? ['sg-open'] }),
  eni('b', '1', b, { groupIds: groups.b ?? ['sg-open'] }),
  eni('c', '2', c, { groupIds: groups.c ?? ['sg-open'] }),
];
const open = group('sg-open', [allowAll]);

const publicSubnets = [subnet('1', '10.0.0.0/24', { routeTableId: 'rtb-public' }), subnet('2', '10.0.1.0/24')];
const publicTables = [table('rtb-main', local('10.0.0.0/16')), table('rtb-public', local('10.0.0.0/16'), toIgw)];

export const flowCases: readonly FlowCase[] = [
  {
    title: '[R3] [R13] instances of a VPC reach each other, in one subnet and across',
    snapshot: snapshot(vpc({ subnets, networkInterfaces: trio() })),
    flows: [
      tcpTo('a', b, 80, 'open', { seenAs: a }), tcpTo('a', c, 80, 'open', { seenAs: a }), tcpTo('c', a, 22, 'open', { seenAs: c }),
      udpTo('a', b, 80, 'open'), udpTo('c', b, 80, 'open'), pingTo('a', b, 'open'), pingTo('c', a, 'open'), tcpTo('a', '10.0.0.99', 80, 'timeout'), tcpTo('a', '203.0.113.50', 80, 'timeout'),
    ],
  },
  {
    title: '[S1] [S2] a group without inbound rules lets nothing in, and replies to what went out',
    snapshot: snapshot(vpc({ subnets, networkInterfaces: trio({ b: ['sg-closed'] }), securityGroups: [open, group('sg-closed', [])] })),
    flows: [tcpTo('a', b, 80, 'timeout'), udpTo('a', b, 80, 'timeout'), pingTo('a', b, 'timeout'), tcpTo('b', a, 80, 'open'), udpTo('b', c, 80, 'open'), pingTo('b', c, 'open')],
  },
  {
    title: '[S1] groups of one interface are a union; ports and protocols are told apart',
    snapshot: snapshot(vpc({
      subnets, networkInterfaces: trio({ b: ['sg-web', 'sg-ssh'] }),
      securityGroups: [open, group('sg-web', [tcp(80)]), group('sg-ssh', [rule(6, [20, 25], cidrPeer('10.0.0.0/24'))])],
    })),
    flows: [tcpTo('a', b, 80, 'open'), tcpTo('c', b, 80, 'open'), tcpTo('a', b, 22, 'open'), tcpTo('c', b, 22, 'timeout'), udpTo('a', b, 80, 'timeout'), pingTo('a', b, 'timeout')],
  },
  {
    title: '[S1] outbound rules decide what leaves',
    snapshot: snapshot(vpc({ subnets, networkInterfaces: trio({ a: ['sg-out'] }), securityGroups: [open, group('sg-out', [allowAll], [tcp(80, cidrPeer('10.0.1.0/24')), udp(80)])] })),
    flows: [tcpTo('a', c, 80, 'open'), tcpTo('a', b, 80, 'timeout'), tcpTo('a', c, 22, 'timeout'), udpTo('a', b, 80, 'open'), pingTo('a', c, 'timeout'), tcpTo('b', a, 22, 'open')],
  },
  {
    title: '[S6] [S8] a group as the source means its members, and a group does not trust itself unsaid',
    snapshot: snapshot(vpc({
      subnets, networkInterfaces: trio({ a: ['sg-app'], b: ['sg-app'], c: ['sg-db'] }),
      securityGroups: [group('sg-app', []), group('sg-db', [tcp(22, groupPeer('sg-app'))]), open],
    })),
    flows: [tcpTo('a', c, 22, 'open'), tcpTo('b', c, 22, 'open'), tcpTo('a', b, 22, 'timeout'), tcpTo('a', c, 80, 'timeout')],
  },
  {
    title: '[S3] a group that names itself lets its members talk and nobody else',
    snapshot: snapshot(vpc({
      subnets, networkInterfaces: trio({ a: ['sg-self'], b: ['sg-self'] }), securityGroups: [group('sg-self', [rule(-1, undefined, groupPeer('sg-self'))]), open],
    })),
    flows: [tcpTo('a', b, 22, 'open'), pingTo('b', a, 'open'), tcpTo('c', a, 22, 'timeout')],
  },
  {
    title: '[S10] ICMP rules name type and code',
    snapshot: snapshot(vpc({ subnets, networkInterfaces: trio({ b: ['sg-echo'], c: ['sg-unreachable'] }), securityGroups: [open, group('sg-echo', [echo()]), group('sg-unreachable', [rule(1, undefined, everywhere, { type: 3, code: -1 })])] })),
    flows: [pingTo('a', b, 'open'), pingTo('a', c, 'timeout'), tcpTo('a', b, 80, 'timeout')],
  },
  {
    title: '[S9] a prefix list as the destination means what it holds',
    snapshot: snapshot(vpc({
      subnets: [subnet('1', '10.0.0.0/24', { routeTableId: 'rtb-s3' })],
      networkInterfaces: [eni('a', '1', a, { groupIds: ['sg-s3'] }), eni('b', '1', b, { groupIds: ['sg-none'] })],
      routeTables: [table('rtb-main', local('10.0.0.0/16')), table('rtb-s3', local('10.0.0.0/16'), s3Route)], gatewayEndpoints: [s3Endpoint],
      securityGroups: [group('sg-s3', [], [rule(6, [443, 443], { kind: 'prefix-list', prefixListId: 'pl-s3' })]), group('sg-none', [], [])],
    })),
    flows: [tcpTo('a', '198.18.1.1', 443, 'open'), tcpTo('a', '198.18.1.1', 80, 'timeout'), tcpTo('b', '198.18.1.1', 443, 'timeout')],
  },
  {
    title: '[N1] [N2] [N4] [N7] ACL rules are tried in order, only at the subnet’s edge, and replies need a rule of their own',
    snapshot: snapshot(vpc({
      subnets: [subnet('1', '10.0.0.0/24', { networkAclId: 'acl-1' }), subnet('2', '10.0.1.0/24')], networkInterfaces: trio(),
      networkAcls: [openAcl, {
        networkAclId: 'acl-1',
        ingress: [aclEntry(90, 'allow', { protocol: 6, ports: { from: 80, to: 80 } }), aclEntry(100, 'deny', { protocol: 6, ports: { from: 0, to: 1023 } }), aclEntry(110, 'allow', { protocol: 6, ports: { from: 22, to: 22 } }), aclEntry(120, 'allow', { protocol: 6, ports: { from: 1024, to: 65535 } })],
        egress: [aclEntry(100, 'allow')],
      }],
    })),
    flows: [
      tcpTo('c', a, 80, 'open'), tcpTo('c', a, 22, 'timeout'), tcpTo('a', c, 22, 'open'), udpTo('a', c, 80, 'timeout'), pingTo('a', c, 'timeout'),
      tcpTo('a', b, 22, 'open'), udpTo('a', b, 80, 'open'), pingTo('b', a, 'open'),
    ],
  },
  {
    title: '[N7] [N8] a reply is dropped when the ephemeral ports are not let out',
    snapshot: snapshot(vpc({
      subnets: [subnet('1', '10.0.0.0/24', { networkAclId: 'acl-1' }), subnet('2', '10.0.1.0/24')], networkInterfaces: trio(),
      networkAcls: [openAcl, { networkAclId: 'acl-1', ingress: [aclEntry(100, 'allow')], egress: [aclEntry(100, 'allow', { protocol: 6, ports: { from: 80, to: 80 } })] }],
    })),
    flows: [tcpTo('c', a, 80, 'timeout'), tcpTo('a', c, 80, 'open'), tcpTo('a', c, 22, 'timeout')],
  },
  {
    title: '[N1] an ACL without rules drops all that crosses, also ICMP',
    snapshot: snapshot(vpc({ subnets: [subnet('1', '10.0.0.0/24', { networkAclId: 'acl-1' }), subnet('2', '10.0.1.0/24')], networkInterfaces: trio(), networkAcls: [openAcl, { networkAclId: 'acl-1', ingress: [], egress: [] }] })),
    flows: [tcpTo('c', a, 80, 'timeout'), tcpTo('a', c, 80, 'timeout'), pingTo('a', c, 'timeout'), tcpTo('a', b, 80, 'open'), tcpTo('a', '169.254.169.254', 80, 'open')],
  },
  {
    title: '[I1] [I2] [I3] the internet gateway: a public address and a route, or nothing',
    snapshot: snapshot(vpc({
      subnets: publicSubnets, routeTables: publicTables, internetGatewayId: 'igw-1',
      networkInterfaces: [eni('a', '1', a, { publicAddress: '198.19.0.10' }), eni('b', '1', b), eni('c', '2', c, { publicAddress: '198.19.0.12' })],
    })),
    flows: [
      tcpTo('a', '198.18.1.1', 443, 'open', { seenAs: '198.19.0.10' }), tcpTo('a', '203.0.113.50', 80, 'open', { seenAs: '198.19.0.10' }), pingTo('a', '198.51.100.7', 'open'), pingTo('a', '8.8.8.8', 'open'),
      tcpTo('b', '198.18.1.1', 443, 'timeout'), pingTo('b', '198.51.100.7', 'timeout'), tcpTo('c', '198.18.1.1', 443, 'timeout'),
      tcpTo('laptop', '198.19.0.10', 22, 'open', { seenAs: '203.0.113.10' }), tcpTo('laptop', '198.19.0.12', 22, 'timeout'), tcpTo('laptop', '198.19.0.99', 22, 'timeout'),
      tcpTo('a', '203.0.113.10', 80, 'timeout'),
    ],
  },
  {
    title: '[I4] [R5] the internet gateway lets no private destination out, and no link-local one',
    snapshot: snapshot(vpc({ subnets: publicSubnets, routeTables: publicTables, internetGatewayId: 'igw-1', networkInterfaces: [eni('a', '1', a, { publicAddress: '198.19.0.10' })] })),
    flows: [
      tcpTo('a', '192.168.1.1', 80, 'timeout'), tcpTo('a', '172.16.0.1', 80, 'timeout'), tcpTo('a', '100.64.0.1', 80, 'timeout'), tcpTo('a', '10.9.0.1', 80, 'timeout'), tcpTo('a', '169.254.7.7', 80, 'timeout'), pingTo('a', '169.254.169.250', 'timeout'),
      tcpTo('a', '240.240.0.2', 80, 'timeout'), tcpTo('a', '240.1.0.10', 80, 'timeout'), tcpTo('a', '100.128.0.1', 80, 'open'),
    ],
  },
  {
    title: '[S6] a group as the source does not match traffic that comes over public addresses',
    snapshot: snapshot(vpc({
      subnets: [subnet('1', '10.0.0.0/24', { routeTableId: 'rtb-public' })], routeTables: publicTables, internetGatewayId: 'igw-1',
      networkInterfaces: [eni('a', '1', a, { groupIds: ['sg-self'], publicAddress: '198.19.0.10' }), eni('b', '1', b, { groupIds: ['sg-self'], publicAddress: '198.19.0.11' }), eni('c', '1', '10.0.0.12', { publicAddress: '198.19.0.12' })],
      securityGroups: [group('sg-self', [rule(-1, undefined, groupPeer('sg-self'))]), open],
    })),
    flows: [tcpTo('a', b, 80, 'open'), tcpTo('a', '198.19.0.11', 80, 'timeout'), tcpTo('a', '198.19.0.12', 80, 'open', { seenAs: '198.19.0.10' }), pingTo('b', '198.19.0.12', 'open')],
  },
  {
    title: '[R1] [R9] longest prefix wins, and a blackhole drops rather than falling back',
    snapshot: snapshot(vpc({
      subnets: [subnet('1', '10.0.0.0/24', { routeTableId: 'rtb-public' })], internetGatewayId: 'igw-1',
      routeTables: [table('rtb-public', local('10.0.0.0/16'), toIgw,
        { destination: { kind: 'cidr', cidr: '198.51.100.0/24' }, target: { kind: 'network-interface', networkInterfaceId: 'eni-gone' }, state: 'blackhole' },
        { ...toIgw, destination: { kind: 'cidr', cidr: '198.51.100.128/25' } })],
      networkInterfaces: [eni('a', '1', a, { publicAddress: '198.19.0.10' })],
    })),
    flows: [pingTo('a', '203.0.113.50', 'open'), pingTo('a', '198.51.100.7', 'timeout'), pingTo('a', '198.51.100.200', 'open')],
  },
  {
    title: '[I6] without an attached internet gateway the route leads nowhere',
    snapshot: snapshot(vpc({ subnets: publicSubnets, routeTables: publicTables, networkInterfaces: [eni('a', '1', a, { publicAddress: '198.19.0.10' })] })),
    flows: [pingTo('a', '203.0.113.50', 'timeout'), tcpTo('laptop', '198.19.0.10', 22, 'timeout')],
  },
  {
    title: '[H7] [D2] metadata and resolver pass groups and ACLs',
    snapshot: snapshot(vpc({
      subnets: [subnet('1', '10.0.0.0/24', { networkAclId: 'acl-none' })], networkAcls: [{ networkAclId: 'acl-none', ingress: [], egress: [] }],
      networkInterfaces: [eni('a', '1', a, { groupIds: ['sg-none'] })], securityGroups: [group('sg-none', [], [])],
    })),
    flows: [
      tcpTo('a', '169.254.169.254', 80, 'open', { seenAs: a }), udpTo('a', '169.254.169.253', 53, 'open', { seenAs: a }), udpTo('a', '10.0.0.2', 53, 'open', { seenAs: a }), tcpTo('a', '10.0.0.2', 53, 'open'),
      tcpTo('a', '169.254.169.254', 443, 'timeout'), tcpTo('a', '10.0.0.1', 80, 'timeout'),
    ],
  },
  {
    title: '[D4] without DNS support the resolver does not answer; metadata does',
    snapshot: snapshot(vpc({ subnets, networkInterfaces: trio(), enableDnsSupport: false })),
    flows: [udpTo('a', '169.254.169.253', 53, 'timeout'), udpTo('a', '10.0.0.2', 53, 'timeout'), tcpTo('a', '10.0.0.2', 53, 'timeout'), tcpTo('a', '169.254.169.254', 80, 'open')],
  },
  {
    title: '[I2] each private address has a public one of its own',
    snapshot: snapshot(vpc({
      subnets: publicSubnets, routeTables: publicTables, internetGatewayId: 'igw-1',
      networkInterfaces: [eni('a', '1', a, { privateAddresses: [{ address: a, primary: true, publicAddress: '198.19.0.10' }, { address: '10.0.0.20', primary: false, publicAddress: '198.19.0.20' }] }), eni('b', '1', b)],
    })),
    flows: [
      tcpTo('a', '198.18.1.1', 443, 'open', { seenAs: '198.19.0.10' }), tcpTo('a', '198.18.1.1', 443, 'open', { source: '10.0.0.20', seenAs: '198.19.0.20' }),
      tcpTo('laptop', '198.19.0.20', 22, 'open'), tcpTo('b', '10.0.0.20', 80, 'open'),
    ],
  },
  {
    title: '[C5] VPCs with the same block know nothing of each other',
    snapshot: snapshot(
      vpc({ subnets, networkInterfaces: [eni('a', '1', a), eni('b', '1', b)] }),
      vpc({ vpcId: 'vpc-b', subnets: [subnet('9', '10.0.0.0/24')], networkInterfaces: [eni('c', '9', a), eni('d', '9', '10.0.0.12')] }),
    ),
    flows: [tcpTo('a', b, 80, 'open'), tcpTo('c', '10.0.0.12', 80, 'open'), tcpTo('a', '10.0.0.12', 80, 'timeout'), tcpTo('d', b, 80, 'timeout'), tcpTo('a', '169.254.169.254', 80, 'open', { seenAs: a }), tcpTo('c', '169.254.169.254', 80, 'open', { seenAs: a })],
  },
  {
    title: '[I2] instances of two VPCs meet on the internet with their public addresses',
    snapshot: snapshot(
      vpc({ subnets: publicSubnets, routeTables: publicTables, internetGatewayId: 'igw-1', networkInterfaces: [eni('a', '1', a, { publicAddress: '198.19.0.10' })] }),
      vpc({
        vpcId: 'vpc-b', subnets: [subnet('9', '10.0.0.0/24', { routeTableId: 'rtb-b' })], internetGatewayId: 'igw-2', networkInterfaces: [eni('c', '9', a, { publicAddress: '198.19.0.12' })],
        routeTables: [table('rtb-b', local('10.0.0.0/16'), { ...toIgw, target: { kind: 'internet-gateway', internetGatewayId: 'igw-2' } })],
      }),
    ),
    flows: [tcpTo('a', '198.19.0.12', 80, 'open', { seenAs: '198.19.0.10' }), pingTo('c', '198.19.0.10', 'open')],
  },
  ...roadCases,
  ...endpointCases,
  ...loadBalancerCases,
  ...peeringCases,
  ...transitCases,
]; // biome-ignore format: a table
