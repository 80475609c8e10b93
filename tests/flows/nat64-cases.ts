// Flows of IPv6 clients to IPv4 hosts by NAT64. c is private in subnet 2, which has both families; the NAT gateway is in subnet 1, which has IPv4 alone and an
// internet gateway's route, and so has a.

import type { Route, Vpc } from '@postern/network/snapshot.ts';
import { type FlowCase, pingTo, tcpTo, udpTo } from './flow.ts';
import { aclEntry, allowAll, cidrPeer, echo, eni, group, local, nat, openAcl, peered, rule, s3Endpoint, s3Route, snapshot, subnet, table, tcp, toIgw, toNat, toPeer, vpc } from './snapshots.ts'; // biome-ignore format: many words

const [block, block2] = ['2001:db8:1010:100::/56', '2001:db8:1010:102::/64'] as const;
const c = '2001:db8:1010:102::c';
/** 198.18.1.1, a stand-in, and a's 10.0.0.10, as NAT64 has them. */
const [s3, outside, a] = ['64:ff9b::c612:101', '64:ff9b::cb00:7132', '64:ff9b::a00:a'] as const;
const [gatewayAddress, publicAddress] = ['10.0.0.5', '198.19.0.50'] as const;

const everywhere6 = cidrPeer('::/0');
const allowAll6 = rule(-1, undefined, everywhere6);
const open = group('sg-open', [allowAll, allowAll6], [allowAll, allowAll6]);
const openAcl6 = {
  ...openAcl,
  ingress: [...openAcl.ingress, aclEntry(101, 'allow', { cidr: '::/0' })],
  egress: [...openAcl.egress, aclEntry(101, 'allow', { cidr: '::/0' })],
};
const locals = [local('10.0.0.0/16'), local(block)];
const nat64 = toNat('1', '64:ff9b::/96');
const one = (isPublic = true) => nat('1', '1', gatewayAddress, isPublic ? { publicAddress } : {});
const card = (options = {}) => eni('c', '2', '10.0.1.10', { ipv6Addresses: [c], ...options });
const cardA = (options = {}) => eni('a', '1', '10.0.0.10', { publicAddress: '198.19.0.10', ...options });

const network = (options: Partial<Vpc> & { gateway?: ReturnType<typeof one>; privateRoutes?: readonly Route[]; publicRoutes?: readonly Route[] } = {}) => {
  const { gateway = one(), privateRoutes = [nat64], publicRoutes = [toIgw], ...more } = options;
  return vpc({
    ipv6CidrBlocks: [block], internetGatewayId: 'igw-1',
    subnets: [subnet('1', '10.0.0.0/24', { routeTableId: 'rtb-public' }), subnet('2', '10.0.1.0/24', { routeTableId: 'rtb-private', ipv6CidrBlock: block2 })],
    routeTables: [table('rtb-main', ...locals), table('rtb-public', ...locals, ...publicRoutes), table('rtb-private', ...locals, ...privateRoutes)],
    networkAcls: [openAcl6], networkInterfaces: [cardA(), card(), gateway.card], natGateways: [gateway.gateway],
    ...more, securityGroups: [open, ...(options.securityGroups ?? [])],
  });
}; // biome-ignore format: few words

export const nat64Cases: readonly FlowCase[] = [
  {
    title: '[G13] a route of the well-known prefix to a NAT gateway leads IPv6 to hosts of IPv4: outside, and in the VPC',
    snapshot: snapshot(network()),
    flows: [
      tcpTo('c', s3, 443, 'open', { seenAs: publicAddress }), tcpTo('c', outside, 80, 'open', { seenAs: publicAddress }), pingTo('c', outside, 'open'),
      tcpTo('c', a, 80, 'open', { seenAs: gatewayAddress }), udpTo('c', a, 80, 'open', { seenAs: gatewayAddress }), pingTo('c', a, 'open'),
      // What it has no IPv4 address for, or none that anybody may have.
      ...['64:ff9b::a9fe:a9fe', '64:ff9b::a00:2', '64:ff9b::7f00:1', '64:ff9b:1::a00:a'].map((to) => tcpTo('c', to, 80, 'timeout')), pingTo('c', '64:ff9b::e000:1', 'timeout'),
      // No route of its own, and IPv4 has another one.
      tcpTo('c', '198.18.1.1', 443, 'timeout'), tcpTo('c', '10.0.0.10', 80, 'open', { seenAs: '10.0.1.10' }), tcpTo('laptop', publicAddress, 80, 'timeout'),
    ],
  },
  {
    title: '[G13] beside its own IPv4 clients, and to what is more than the prefix',
    snapshot: snapshot(network({ privateRoutes: [toNat('1'), toNat('1', '::/0')] })),
    flows: [tcpTo('c', s3, 443, 'open', { seenAs: publicAddress }), tcpTo('c', '198.18.1.1', 443, 'open', { seenAs: publicAddress }), tcpTo('c', '2001:db8:0:1::1', 443, 'timeout')],
  },
  {
    title: '[G13] [S1] groups see IPv6 at the client and the gateway’s IPv4 address at the other end',
    snapshot: snapshot(network({
      networkInterfaces: [cardA({ groupIds: ['sg-a'] }), card({ groupIds: ['sg-c'] }), one().card],
      securityGroups: [group('sg-a', [tcp(80, cidrPeer('10.0.0.5/32')), tcp(22, everywhere6), echo(cidrPeer('10.0.0.5/32'))], []), group('sg-c', [], [tcp(22, cidrPeer('64:ff9b::/96')), tcp(80, cidrPeer('64:ff9b::a00:0/104')), rule(17, [80, 80], cidrPeer('10.0.0.0/8')), rule(58, undefined, cidrPeer('64:ff9b::a00:0/104'), { type: 128, code: -1 })])],
    })),
    flows: [tcpTo('c', a, 80, 'open', { seenAs: gatewayAddress }), tcpTo('c', a, 22, 'timeout'), tcpTo('c', outside, 80, 'timeout'), udpTo('c', a, 80, 'timeout'), pingTo('c', a, 'open'), pingTo('c', outside, 'timeout')],
  },
  {
    title: '[G13] [G8] [N4] ACLs see IPv6 between the subnets and IPv4 behind the gateway',
    snapshot: snapshot(network({
      subnets: [
        subnet('1', '10.0.0.0/24', { routeTableId: 'rtb-public', networkAclId: 'acl-1' }), subnet('2', '10.0.1.0/24', { routeTableId: 'rtb-private', networkAclId: 'acl-2', ipv6CidrBlock: block2 }),
        subnet('3', '10.0.2.0/24', { routeTableId: 'rtb-public' }),
      ],
      networkInterfaces: [eni('a', '3', '10.0.2.10'), card(), one().card],
      networkAcls: [
        openAcl6,
        { networkAclId: 'acl-1', ingress: [aclEntry(100, 'allow', { protocol: 6, cidr: block }), aclEntry(110, 'allow', { protocol: 6, ports: { from: 1024, to: 65_535 }, cidr: '10.0.2.0/24' })], egress: [aclEntry(90, 'deny', { protocol: 6, ports: { from: 22, to: 22 } }), aclEntry(100, 'allow', { protocol: 6 }), aclEntry(110, 'allow', { protocol: 6, cidr: block2 })] },
        { networkAclId: 'acl-2', ingress: [aclEntry(100, 'allow', { cidr: '64:ff9b::/96' })], egress: [aclEntry(100, 'allow', { cidr: '64:ff9b::/96' })] },
      ],
    })),
    flows: [tcpTo('c', '64:ff9b::a00:20a', 80, 'open', { seenAs: gatewayAddress }), tcpTo('c', '64:ff9b::a00:20a', 22, 'timeout'), udpTo('c', '64:ff9b::a00:20a', 80, 'timeout'), pingTo('c', '64:ff9b::a00:20a', 'timeout'), tcpTo('c', '10.0.2.10', 80, 'timeout')],
  },
  {
    title: '[G13] [G10] a private one, over a peering and to S3 by the gateway endpoint of its subnet',
    snapshot: peered(
      snapshot(
        network({ gateway: one(false), gatewayEndpoints: [s3Endpoint], publicRoutes: [toIgw, s3Route, toPeer('10.1.0.0/16')] }),
        vpc({
          vpcId: 'vpc-b', cidrBlocks: ['10.1.0.0/16'], subnets: [subnet('9', '10.1.0.0/24')], networkInterfaces: [eni('d', '9', '10.1.0.10')],
          routeTables: [table('rtb-main', local('10.1.0.0/16'), toPeer('10.0.0.0/24'))],
        }),
      ),
      { ab: ['vpc-a', 'vpc-b'] },
    ),
    flows: [
      tcpTo('c', s3, 443, 'open', { seenAs: gatewayAddress, by: s3Endpoint.vpcEndpointId }), tcpTo('c', '64:ff9b::a01:a', 80, 'open', { seenAs: gatewayAddress }), pingTo('c', '64:ff9b::a01:a', 'open'),
      tcpTo('c', outside, 80, 'timeout'), tcpTo('c', a, 80, 'open', { seenAs: gatewayAddress }),
    ],
  },
  {
    title: '[G13] [R9] a NAT gateway without such a route translates none, and a blackhole drops',
    snapshot: snapshot(network({ privateRoutes: [toNat('1'), { ...nat64, state: 'blackhole' }] })),
    flows: [tcpTo('c', s3, 443, 'timeout'), tcpTo('c', '198.18.1.1', 443, 'open', { seenAs: publicAddress })],
  },
]; // biome-ignore format: a table
