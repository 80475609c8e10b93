// Flows of IPv6, on a table of their own: the walk, as Reachability Analyzer, explains IPv4 alone. Every VPC is 2001:db8:1010:100::/56 with its subnets 1 and 2.

import type { NetworkInterface, Route, Subnet, Vpc } from '@postern/network/snapshot.ts';
import { type FlowCase, pingTo, tcpTo, udpTo } from './flow.ts';
import { aclEntry, allowAll, cidrPeer, eni, group, groupPeer, local, openAcl, peered, rule, snapshot, subnet, table, tcp, toIgw, toPeer, vpc } from './snapshots.ts'; // biome-ignore format: many words

const block = '2001:db8:1010:100::/56';
const [block1, block2] = ['2001:db8:1010:101::/64', '2001:db8:1010:102::/64'] as const;
const [block3, block4] = ['2001:db8:1010:103::/64', '2001:db8:1010:104::/64'] as const;
const toBox = (name: string): Route['target'] => ({ kind: 'network-interface', networkInterfaceId: `eni-${name}` });
const [a, b, c] = ['2001:db8:1010:101::a', '2001:db8:1010:101::b', '2001:db8:1010:102::c'] as const;
/** The peer's. */
const [peerBlock, d] = ['2001:db8:1010:200::/56', '2001:db8:1010:201::d'] as const;
/** A stand-in, us-east-1's S3 and the terminal. */
const [outside, s3, laptop] = ['2001:db8:f000::cb00:7132', '2001:db8:0:1::1', '2001:db8:f000::10'] as const;

const everywhere6 = cidrPeer('::/0');
const allowAll6 = rule(-1, undefined, everywhere6);
const open = group('sg-open', [allowAll, allowAll6], [allowAll, allowAll6]);
const openAcl6 = {
  ...openAcl,
  ingress: [...openAcl.ingress, aclEntry(101, 'allow', { cidr: '::/0' })],
  egress: [...openAcl.egress, aclEntry(101, 'allow', { cidr: '::/0' })],
};
const to = (cidr: `${string}/${number}`, target: Route['target']): Route => ({
  destination: { kind: 'cidr', cidr },
  target,
  state: 'active',
});
const toIgw6 = to('::/0', toIgw.target);
const toEigw = to('::/0', { kind: 'egress-only-internet-gateway', egressOnlyInternetGatewayId: 'eigw-1' });
const locals = [local('10.0.0.0/16'), local(block)];

const subnet1 = (options: Partial<Subnet> = {}) => subnet('1', '10.0.0.0/24', { ipv6CidrBlock: block1, ...options });
const subnet2 = (options: Partial<Subnet> = {}) => subnet('2', '10.0.1.0/24', { ipv6CidrBlock: block2, ...options });
const card = (name: 'a' | 'b' | 'c', options: Partial<NetworkInterface> = {}) => {
  const [subnetName, address, ipv6] = { a: ['1', '10.0.0.10', a], b: ['1', '10.0.0.11', b], c: ['2', '10.0.1.10', c] }[
    name
  ] as [string, string, string];
  return eni(name, subnetName, address, { ipv6Addresses: [ipv6], ...options });
};
const dual = (options: Partial<Vpc> & Pick<Vpc, 'networkInterfaces'>) =>
  vpc({
    ipv6CidrBlocks: [block],
    subnets: [subnet1(), subnet2()],
    routeTables: [table('rtb-main', ...locals)],
    networkAcls: [openAcl6],
    ...options,
    securityGroups: [open, ...(options.securityGroups ?? [])],
  });

/** a and b are public, c is private behind the egress-only gateway. */
const roads = {
  internetGatewayId: 'igw-1',
  egressOnlyInternetGatewayIds: ['eigw-1'],
  subnets: [subnet1({ routeTableId: 'rtb-public' }), subnet2({ routeTableId: 'rtb-private' })],
  routeTables: [
    table('rtb-main', ...locals),
    table('rtb-public', ...locals, toIgw6),
    table('rtb-private', ...locals, toEigw),
  ],
} as const satisfies Partial<Vpc>;

/** From a to c by the boxes b and d, and back by d and b; no row of the table, for a box needs a second until it may speak (duplicate address detection). */
export const ipv6TwoBoxes = snapshot(dual({
      subnets: [subnet1({ routeTableId: 'rtb-1' }), subnet2({ routeTableId: 'rtb-2' }), subnet('3', '10.0.2.0/24', { ipv6CidrBlock: block3, routeTableId: 'rtb-3' }), subnet('4', '10.0.3.0/24', { ipv6CidrBlock: block4, routeTableId: 'rtb-4' })],
      routeTables: [
        table('rtb-1', ...locals, to(block2, toBox('b'))), table('rtb-3', ...locals, to(block2, toBox('d'))),
        table('rtb-4', ...locals, to(block1, toBox('b'))), table('rtb-2', ...locals, to(block1, toBox('d'))),
      ],
      networkInterfaces: [
        card('a', { groupIds: ['sg-a'] }), card('c', { groupIds: ['sg-c'] }),
        eni('b', '3', '10.0.2.11', { ipv6Addresses: ['2001:db8:1010:103::b'], sourceDestCheck: false, groupIds: ['sg-box'] }), eni('d', '4', '10.0.3.12', { ipv6Addresses: ['2001:db8:1010:104::d'], sourceDestCheck: false, groupIds: ['sg-box'] }),
      ],
      securityGroups: [group('sg-a', [], [allowAll6]), group('sg-c', [tcp(80, cidrPeer(block1))], [tcp(443, everywhere6)]), group('sg-box', [tcp(80, everywhere6)], [tcp(80, everywhere6)])],
    })); // biome-ignore format: few words

export const ipv6Cases: readonly FlowCase[] = [
  {
    title: '[R3] [R13] IPv6: instances of a VPC reach each other, in one subnet and across, beside their IPv4',
    snapshot: snapshot(dual({ networkInterfaces: [card('a'), card('b'), card('c')] })),
    flows: [
      tcpTo('a', b, 80, 'open', { seenAs: a }), tcpTo('a', c, 80, 'open', { seenAs: a }), tcpTo('c', a, 22, 'open', { seenAs: c }), udpTo('a', b, 80, 'open'), udpTo('c', b, 80, 'open'),
      pingTo('a', b, 'open'), pingTo('c', a, 'open'), tcpTo('a', '10.0.1.10', 80, 'open'), tcpTo('a', '2001:db8:1010:101::99', 80, 'timeout'), tcpTo('a', outside, 80, 'timeout'), pingTo('a', '2001:db8:1010:101::1', 'timeout'),
    ],
  },
  {
    title: '[S1] [S11] [S10] IPv6: rules name blocks of their own family, icmpv6 is a protocol of its own, and replies pass',
    snapshot: snapshot(dual({
      networkInterfaces: [card('a', { groupIds: ['sg-a'] }), card('b', { groupIds: ['sg-b'] }), card('c', { groupIds: ['sg-c'] })],
      securityGroups: [
        group('sg-a', []),
        group('sg-b', [tcp(80, cidrPeer(block2)), rule(58, undefined, everywhere6, { type: 128, code: -1 })], [allowAll6]),
        group('sg-c', [rule(1, undefined, cidrPeer('0.0.0.0/0'), { type: -1, code: -1 }), tcp(22, groupPeer('sg-b'))], [allowAll, allowAll6]),
      ],
    })),
    flows: [
      tcpTo('c', b, 80, 'open'), tcpTo('c', b, 22, 'timeout'), tcpTo('a', b, 80, 'timeout'), pingTo('c', b, 'open'), pingTo('b', c, 'timeout'), pingTo('a', b, 'timeout'), pingTo('a', '10.0.1.10', 'open'),
      tcpTo('b', c, 22, 'open'), tcpTo('c', a, 80, 'timeout'), tcpTo('b', '10.0.1.10', 22, 'timeout'),
    ],
  },
  {
    title: '[S2] IPv6: a group that only lets IPv4 out lets no IPv6 out, and one that only lets IPv4 in lets none in',
    snapshot: snapshot(dual({ networkInterfaces: [card('a', { groupIds: ['sg-four'] }), card('c')], securityGroups: [group('sg-four', [allowAll], [allowAll])] })),
    flows: [tcpTo('a', c, 80, 'timeout'), tcpTo('c', a, 80, 'timeout'), tcpTo('a', '10.0.1.10', 80, 'open'), tcpTo('c', '10.0.0.10', 80, 'open')],
  },
  {
    title: '[N1] [N2] [N4] IPv6: an ACL’s IPv6 rules decide at the subnet’s edge, in order, and the last one denies',
    snapshot: snapshot(dual({
      networkInterfaces: [card('a'), card('b'), card('c')],
      subnets: [subnet1({ networkAclId: 'acl-1' }), subnet2()],
      networkAcls: [openAcl6, {
        networkAclId: 'acl-1',
        ingress: [aclEntry(90, 'deny', { protocol: 6, ports: { from: 22, to: 22 }, cidr: '::/0' }), aclEntry(100, 'allow', { protocol: 6, cidr: block }), aclEntry(110, 'allow', { protocol: 58, icmp: { type: 129, code: -1 }, cidr: '::/0' })],
        egress: [aclEntry(100, 'allow', { cidr: '::/0' })],
      }],
    })),
    flows: [tcpTo('c', a, 80, 'open'), tcpTo('c', a, 22, 'timeout'), tcpTo('a', c, 22, 'open'), udpTo('a', c, 80, 'timeout'), pingTo('a', c, 'open'), pingTo('c', a, 'timeout'), tcpTo('a', b, 22, 'open'), tcpTo('c', '10.0.0.10', 80, 'timeout')],
  },
  ...[true, false].map((isOn): FlowCase => ({
    title: `[D2] [H1] [D4] IPv6: the metadata service answers where it is to, past routes, groups and ACLs, and the resolver ${isOn ? 'does' : 'does not where DNS is off'}`,
    snapshot: snapshot(dual({
      networkInterfaces: [card('a', { groupIds: [] }), card('c', { groupIds: [] })], networkAcls: [{ ...openAcl6, ingress: [], egress: [] }], enableDnsSupport: isOn,
      instances: [{ instanceId: 'i-a', metadata: { enabled: true, hopLimit: 2, hasIpv6: true } }, { instanceId: 'i-c', metadata: { enabled: true, hopLimit: 2 } }],
    })),
    flows: [
      tcpTo('a', 'fd00:ec2::254', 80, 'open', { seenAs: a }), tcpTo('c', 'fd00:ec2::254', 80, 'timeout'), tcpTo('a', 'fd00:ec2::254', 443, 'timeout'), pingTo('a', 'fd00:ec2::254', 'timeout'),
      ...(['a', 'c'] as const).flatMap((from) => [udpTo(from, 'fd00:ec2::253', 53, isOn ? 'open' : 'timeout'), tcpTo(from, 'fd00:ec2::253', 53, isOn ? 'open' : 'timeout')]), tcpTo('a', 'fd00:ec2::253', 80, 'timeout'), tcpTo('a', 'fd00:ec2::5', 80, 'timeout'),
    ],
  })),
  {
    title: '[I7] [I1] IPv6: the internet gateway translates nothing; a route is all that a subnet needs',
    snapshot: snapshot(dual({ ...roads, networkInterfaces: [card('a'), card('b', { ipv6Addresses: [] })] })),
    flows: [
      tcpTo('a', s3, 443, 'open', { seenAs: a }), tcpTo('a', outside, 80, 'open', { seenAs: a }), pingTo('a', outside, 'open'), pingTo('a', '2606:4700::1111', 'open'), tcpTo('laptop', a, 22, 'open', { seenAs: laptop }), tcpTo('laptop', b, 22, 'timeout'),
      tcpTo('a', laptop, 80, 'timeout'), tcpTo('a', 'fd00::1', 80, 'timeout'), pingTo('a', '2001:db8:1010:900::1', 'timeout'), tcpTo('a', '203.0.113.50', 80, 'timeout'),
    ],
  },
  {
    title: '[I7] [S13] [D6] an egress-only gateway lets out what was begun inside, and lets nothing begin from outside',
    snapshot: snapshot(dual({ ...roads, networkInterfaces: [card('a'), card('c')] })),
    flows: [
      tcpTo('c', s3, 443, 'open', { seenAs: c }), pingTo('c', outside, 'open'), tcpTo('c', outside, 80, 'open', { seenAs: c }), tcpTo('laptop', c, 22, 'timeout'), tcpTo('laptop', a, 22, 'open'),
      ...['a', 'c'].map((from) => pingTo(from as 'a' | 'c', '64:ff9b::cb00:7132', 'timeout')),
      tcpTo('c', a, 80, 'open', { seenAs: c }), tcpTo('a', c, 80, 'open', { seenAs: a }),
    ],
  },
  {
    title: '[I7] an egress-only gateway alone, in a VPC without an internet gateway',
    snapshot: snapshot(dual({ ...roads, networkInterfaces: [card('a'), card('c')], internetGatewayId: undefined } as unknown as Parameters<typeof dual>[0])),
    flows: [tcpTo('c', s3, 443, 'open', { seenAs: c }), pingTo('c', outside, 'open'), tcpTo('laptop', c, 22, 'timeout'), tcpTo('a', s3, 443, 'timeout'), tcpTo('laptop', a, 22, 'timeout')],
  },
  {
    title: '[R1] [R9] IPv6: the longest prefix wins, a blackhole drops, and the families do not mix',
    snapshot: snapshot(dual({
      ...roads, networkInterfaces: [card('a'), card('c')],
      routeTables: [
        table('rtb-public', ...locals, toIgw6, { ...toIgw6, destination: { kind: 'cidr', cidr: '2001:db8:f000::/48' }, state: 'blackhole' }, to('2001:db8:f000::cb00:7132/128', toIgw.target)),
        table('rtb-private', ...locals, { ...toEigw, state: 'blackhole' }),
      ],
    })),
    flows: [pingTo('a', outside, 'open'), pingTo('a', '2001:db8:f000::cb00:7133', 'timeout'), pingTo('a', s3, 'open'), pingTo('c', outside, 'timeout'), tcpTo('c', a, 80, 'open'), tcpTo('laptop', c, 22, 'timeout')],
  },
  {
    title: '[R15] IPv6: an interface takes and sends its own addresses only, until its check is off; then it forwards',
    snapshot: snapshot(dual({
      subnets: [subnet1({ routeTableId: 'rtb-box' }), subnet2()],
      routeTables: [table('rtb-main', ...locals), table('rtb-box', ...locals, to('2001:db8:f000::/48', { kind: 'network-interface', networkInterfaceId: 'eni-c' }))],
      networkInterfaces: [card('a'), card('b', { ipv6Addresses: [b, '2001:db8:1010:101::2b'] }), card('c')],
    })),
    flows: [tcpTo('a', outside, 80, 'timeout'), tcpTo('b', a, 80, 'open', { source: '2001:db8:1010:101::2b', seenAs: '2001:db8:1010:101::2b' }), tcpTo('a', '2001:db8:1010:101::2b', 80, 'open')],
  },
  {
    title: '[P4] [P6] [S7] IPv6 over a peering, both ways with both routes; a peer’s group is its members there',
    snapshot: peered(
      snapshot(
        dual({ ...roads, networkInterfaces: [card('a'), card('b', { groupIds: ['sg-b'] }), card('c')], securityGroups: [group('sg-b', [tcp(80, groupPeer('sg-d'))])], routeTables: [table('rtb-public', ...locals, toIgw6, toPeer(peerBlock)), table('rtb-private', ...locals, toEigw)] }),
        vpc({
          vpcId: 'vpc-b', ipv6CidrBlocks: [peerBlock], cidrBlocks: ['10.1.0.0/16'], subnets: [subnet('9', '10.1.0.0/24', { ipv6CidrBlock: '2001:db8:1010:201::/64' })],
          networkInterfaces: [eni('d', '9', '10.1.0.10', { ipv6Addresses: [d], groupIds: ['sg-d'] })], networkAcls: [openAcl6], securityGroups: [group('sg-d', [allowAll6], [allowAll6])],
          routeTables: [table('rtb-main', local('10.1.0.0/16'), local(peerBlock), toPeer(block), toPeer('::/0'))],
        }),
      ),
      { ab: ['vpc-a', 'vpc-b'] },
    ),
    flows: [
      tcpTo('a', d, 80, 'open', { seenAs: a }), pingTo('d', a, 'open'), tcpTo('d', b, 80, 'open', { seenAs: d }), tcpTo('d', b, 22, 'timeout'), udpTo('d', a, 80, 'open'),
      tcpTo('c', d, 80, 'timeout'), tcpTo('d', c, 80, 'timeout'), tcpTo('d', outside, 80, 'timeout'), tcpTo('a', outside, 80, 'open', { seenAs: a }),
    ],
  },
  {
    title: '[I3] IPv6: what comes in by the internet gateway must be answered by it',
    snapshot: peered(
      snapshot(
        dual({ ...roads, networkInterfaces: [card('a'), card('c')] }),
        vpc({
          vpcId: 'vpc-b', ipv6CidrBlocks: [peerBlock], cidrBlocks: ['10.1.0.0/16'], subnets: [subnet('9', '10.1.0.0/24', { ipv6CidrBlock: '2001:db8:1010:201::/64' })], internetGatewayId: 'igw-b',
          networkInterfaces: [eni('d', '9', '10.1.0.10', { ipv6Addresses: [d], groupIds: ['sg-d'] })], networkAcls: [openAcl6], securityGroups: [group('sg-d', [allowAll6], [allowAll6])],
          routeTables: [table('rtb-main', local('10.1.0.0/16'), local(peerBlock), to('::/0', { kind: 'internet-gateway', internetGatewayId: 'igw-b' }), toPeer(block2))],
        }),
      ),
      { ab: ['vpc-a', 'vpc-b'] },
    ),
    flows: [tcpTo('a', d, 80, 'open', { seenAs: a }), udpTo('a', d, 80, 'open'), tcpTo('c', d, 80, 'timeout'), udpTo('c', d, 80, 'timeout'), tcpTo('laptop', d, 22, 'open')],
  },
  {
    title: '[S7] a peer’s group is its members over the peering: who comes over the internet is none, by IPv6 too',
    snapshot: peered(
      snapshot(
        dual({ ...roads, networkInterfaces: [card('a'), card('b', { groupIds: ['sg-b'] })], securityGroups: [group('sg-b', [tcp(80, groupPeer('sg-d')), tcp(22, cidrPeer('::/0'))])] }),
        vpc({
          vpcId: 'vpc-b', ipv6CidrBlocks: [peerBlock], cidrBlocks: ['10.1.0.0/16'], subnets: [subnet('9', '10.1.0.0/24', { ipv6CidrBlock: '2001:db8:1010:201::/64' })], internetGatewayId: 'igw-b',
          networkInterfaces: [eni('d', '9', '10.1.0.10', { ipv6Addresses: [d], groupIds: ['sg-d'] })], networkAcls: [openAcl6], securityGroups: [group('sg-d', [allowAll6], [allowAll6])],
          routeTables: [table('rtb-main', local('10.1.0.0/16'), local(peerBlock), to('::/0', { kind: 'internet-gateway', internetGatewayId: 'igw-b' }))],
        }),
      ),
      { ab: ['vpc-a', 'vpc-b'] },
    ),
    flows: [tcpTo('d', b, 80, 'timeout'), tcpTo('d', b, 22, 'open', { seenAs: d }), tcpTo('d', a, 80, 'open', { seenAs: d })],
  },
  {
    title: '[R1] a VPC that loses its IPv6 carries none, and its IPv4 goes on',
    snapshot: snapshot(vpc({ subnets: [subnet('1', '10.0.0.0/24'), subnet('2', '10.0.1.0/24')], networkInterfaces: [eni('a', '1', '10.0.0.10'), eni('c', '2', '10.0.1.10')] })),
    flows: [tcpTo('a', '10.0.1.10', 80, 'open')],
  },
  ...(['block-bidirectional', 'block-ingress'] as const).map((blockPublicAccess): FlowCase => ({
    title: `[BPA] IPv6: ${blockPublicAccess} closes the internet gateway, and in ingress-only mode the egress-only one stays open`,
    snapshot: snapshot(dual({
      ...roads, networkInterfaces: [card('a'), card('c')],
      subnets: [subnet1({ routeTableId: 'rtb-public', blockPublicAccess }), subnet2({ routeTableId: 'rtb-private', blockPublicAccess })],
    })),
    flows: [pingTo('a', outside, 'timeout'), pingTo('c', outside, blockPublicAccess === 'block-ingress' ? 'open' : 'timeout'), tcpTo('a', c, 80, 'open')],
  })),
]; // biome-ignore format: a table
