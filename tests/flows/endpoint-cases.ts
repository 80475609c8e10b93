// Flows through VPC endpoints, gateway and interface. Part of the one table (cases.ts).

import type { NetworkInterface, Subnet } from '@postern/network/snapshot.ts';
import { type FlowCase, pingTo, tcpTo, udpTo } from './flow.ts';
import { aclEntry, allowAll, cidrPeer, endpointEni, eni, group, groupPeer, interfaceEndpoint, local, nat, openAcl, s3Endpoint, s3Route, snapshot, subnet, table, tcp, toIgw, toNat, vpc } from './snapshots.ts'; // biome-ignore format: many words

const subnets = [subnet('1', '10.0.0.0/24'), subnet('2', '10.0.1.0/24')];
const [a, b, c] = ['10.0.0.10', '10.0.0.11', '10.0.1.10'] as const;
const trio = (groups: { a?: `sg-${string}`[]; b?: `sg-${string}`[] } = {}) => [
  eni('a', '1', a, { groupIds: groups.a ?? ['sg-open'] }),
  eni('b', '1', b, { groupIds: groups.b ?? ['sg-open'] }),
  eni('c', '2', c),
];
const open = group('sg-open', [allowAll]);
const publicSubnets = [subnet('1', '10.0.0.0/24', { routeTableId: 'rtb-public' }), subnet('2', '10.0.1.0/24')];
const publicTables = [table('rtb-main', local('10.0.0.0/16')), table('rtb-public', local('10.0.0.0/16'), toIgw)];
const privateNat = nat('1', '2', '10.0.1.5');

/** The interface of an instance connect endpoint. */
const connectEndpoint = (subnetName: string, address: string): NetworkInterface => {
  const { attachment: _none, ...bare } = eni('door', subnetName, address);
  return { ...bare, service: { kind: 'instance-connect-endpoint', instanceConnectEndpointId: 'eice-1' } };
};

export const endpointCases: readonly FlowCase[] = [
  {
    title: '[W1] [W2] [W3] [W5] [W7] a gateway endpoint serves the subnets whose table names it, its own Region, TCP and echo',
    snapshot: snapshot(vpc({
      subnets: publicSubnets, internetGatewayId: 'igw-1', gatewayEndpoints: [s3Endpoint],
      routeTables: [table('rtb-main', local('10.0.0.0/16')), table('rtb-public', local('10.0.0.0/16'), toIgw, s3Route)],
      networkInterfaces: [eni('a', '1', a, { publicAddress: '198.19.0.10' }), eni('b', '1', b), eni('c', '2', c)],
    })),
    flows: [
      tcpTo('a', '198.18.1.1', 443, 'open', { seenAs: a }), tcpTo('b', '198.18.1.1', 443, 'open', { seenAs: b }), pingTo('b', '198.18.1.1', 'open'), tcpTo('c', '198.18.1.1', 443, 'timeout'),
      tcpTo('a', '198.18.2.1', 443, 'open', { seenAs: '198.19.0.10' }), tcpTo('b', '198.18.2.1', 443, 'timeout'), udpTo('b', '198.18.1.1', 80, 'timeout'),
    ],
  },
  {
    title: '[R2] [W3] a static route of the same length beats the endpoint’s prefix list',
    snapshot: snapshot(vpc({
      subnets: publicSubnets, internetGatewayId: 'igw-1', gatewayEndpoints: [s3Endpoint],
      routeTables: [table('rtb-main', local('10.0.0.0/16')), table('rtb-public', local('10.0.0.0/16'), { ...toIgw, destination: { kind: 'cidr', cidr: '198.18.1.0/26' } }, s3Route)],
      networkInterfaces: [eni('a', '1', a, { publicAddress: '198.19.0.10' })],
    })),
    flows: [tcpTo('a', '198.18.1.1', 443, 'open', { seenAs: '198.19.0.10' })],
  },
  {
    title: '[W9] towards a gateway endpoint the groups and ACLs of the sender’s subnet decide, with the service’s addresses and the ports of replies',
    snapshot: snapshot(vpc({
      subnets: [subnet('1', '10.0.0.0/24', { routeTableId: 'rtb-s3', networkAclId: 'acl-s3' }), subnet('2', '10.0.1.0/24', { routeTableId: 'rtb-s3', networkAclId: 'acl-no-replies' })],
      routeTables: [table('rtb-main', local('10.0.0.0/16')), table('rtb-s3', local('10.0.0.0/16'), s3Route)], gatewayEndpoints: [s3Endpoint],
      networkInterfaces: [eni('a', '1', a), eni('b', '1', b, { groupIds: ['sg-80'] }), eni('c', '2', c)], securityGroups: [open, group('sg-80', [], [tcp(80)])],
      networkAcls: [
        openAcl,
        { networkAclId: 'acl-s3', ingress: [aclEntry(100, 'allow', { protocol: 6, cidr: '198.18.1.0/26', ports: { from: 1024, to: 65535 } })], egress: [aclEntry(100, 'allow', { protocol: 6, cidr: '198.18.1.0/26', ports: { from: 443, to: 443 } })] },
        { networkAclId: 'acl-no-replies', ingress: [aclEntry(100, 'allow', { protocol: 6, cidr: '10.0.0.0/16' })], egress: [aclEntry(100, 'allow')] },
      ],
    })),
    flows: [tcpTo('a', '198.18.1.1', 443, 'open', { seenAs: a, by: 'vpce-s3' }), tcpTo('a', '198.18.1.1', 80, 'timeout'), tcpTo('b', '198.18.1.1', 443, 'timeout'), tcpTo('c', '198.18.1.1', 443, 'timeout')],
  },
  {
    title: '[W8] without DNS support nobody finds the service’s name, and its addresses lead through the gateway endpoint all the same',
    snapshot: snapshot(vpc({
      subnets: publicSubnets, enableDnsSupport: false, enableDnsHostnames: false, gatewayEndpoints: [s3Endpoint],
      routeTables: [table('rtb-main', local('10.0.0.0/16')), table('rtb-public', local('10.0.0.0/16'), s3Route)], networkInterfaces: [eni('a', '1', a)],
    })),
    flows: [udpTo('a', '10.0.0.2', 53, 'timeout'), tcpTo('a', '198.18.1.1', 443, 'open', { seenAs: a, by: 'vpce-s3' })],
  },
  {
    title: '[W11] [W1] an endpoint without a route carries nothing, and the traffic goes where the table says',
    snapshot: snapshot(vpc({
      subnets: publicSubnets, internetGatewayId: 'igw-1', gatewayEndpoints: [s3Endpoint], routeTables: publicTables,
      networkInterfaces: [eni('a', '1', a, { publicAddress: '198.19.0.10' }), eni('c', '2', c)],
    })),
    flows: [tcpTo('a', '198.18.1.1', 443, 'open', { seenAs: '198.19.0.10', by: '' }), tcpTo('c', '198.18.1.1', 443, 'timeout')],
  },
  {
    title: '[X2] [X3] an interface endpoint is reached at each of its addresses, by TCP on 443 and 80, and answers no ping',
    snapshot: snapshot(vpc({
      subnets, networkInterfaces: [...trio(), endpointEni('p1', '1', '10.0.0.50'), endpointEni('p2', '2', '10.0.1.50')], interfaceEndpoints: [interfaceEndpoint(['eni-p1', 'eni-p2'])],
    })),
    flows: [
      tcpTo('a', '10.0.0.50', 443, 'open', { seenAs: a, by: 'vpce-if' }), tcpTo('a', '10.0.1.50', 443, 'open', { seenAs: a, by: 'vpce-if' }), tcpTo('c', '10.0.0.50', 80, 'open', { seenAs: c, by: 'vpce-if' }), tcpTo('c', '10.0.1.50', 443, 'open', { seenAs: c }),
      pingTo('a', '10.0.0.50', 'timeout'), pingTo('a', '10.0.1.50', 'timeout'), udpTo('a', '10.0.0.50', 53, 'timeout'), tcpTo('a', '10.0.0.50', 22, 'timeout'), tcpTo('a', '10.0.1.50', 53, 'timeout'), tcpTo('a', '10.0.0.51', 443, 'timeout'), tcpTo('a', b, 80, 'open'),
    ],
  },
  {
    title: '[X2] the endpoint’s groups decide who comes in, its own outbound rules do not matter for replies, and a client’s outbound rules do',
    snapshot: snapshot(vpc({
      subnets, networkInterfaces: [...trio({ a: ['sg-client'], b: ['sg-shut'] }), endpointEni('p1', '2', '10.0.1.50', { groupIds: ['sg-door'] }), endpointEni('p2', '1', '10.0.0.60', { groupIds: ['sg-none'], vpcEndpointId: 'vpce-other' })],
      interfaceEndpoints: [interfaceEndpoint(['eni-p1']), interfaceEndpoint(['eni-p2'], { vpcEndpointId: 'vpce-other' })],
      securityGroups: [open, group('sg-client', [], [tcp(443, groupPeer('sg-door'))]), group('sg-shut', [], [tcp(80)]), group('sg-door', [tcp(443, groupPeer('sg-client')), tcp(443, cidrPeer('10.0.0.11/32'))], []), group('sg-none', [], [])],
    })),
    flows: [tcpTo('a', '10.0.1.50', 443, 'open', { seenAs: a }), tcpTo('b', '10.0.1.50', 443, 'timeout'), tcpTo('c', '10.0.1.50', 443, 'timeout'), tcpTo('c', '10.0.0.60', 443, 'timeout')],
  },
  {
    title: '[N4] [N7] the ACL of the endpoint’s subnet sees what crosses into it, and nothing inside',
    snapshot: snapshot(vpc({
      subnets: [subnets[0] as Subnet, subnet('2', '10.0.1.0/24', { networkAclId: 'acl-1' })], networkInterfaces: [...trio(), endpointEni('p1', '1', '10.0.0.50'), endpointEni('p2', '2', '10.0.1.50')], interfaceEndpoints: [interfaceEndpoint(['eni-p1', 'eni-p2'])],
      networkAcls: [openAcl, { networkAclId: 'acl-1', ingress: [aclEntry(90, 'deny', { cidr: '10.0.0.11/32' }), aclEntry(100, 'allow')], egress: [aclEntry(90, 'deny', { cidr: '10.0.0.0/24', protocol: 6, ports: { from: 0, to: 1023 } }), aclEntry(100, 'allow')] }],
    })),
    flows: [tcpTo('a', '10.0.1.50', 443, 'open'), tcpTo('b', '10.0.1.50', 443, 'timeout'), tcpTo('c', '10.0.1.50', 443, 'open'), tcpTo('c', '10.0.0.50', 443, 'timeout')],
  },
  {
    title: '[C5] [X6] endpoints of VPCs with the same block are told apart, and a client of a second block keeps its address',
    snapshot: snapshot(
      vpc({ cidrBlocks: ['10.0.0.0/16', '10.9.0.0/20'], subnets: [...subnets, subnet('5', '10.9.1.0/24')], networkInterfaces: [eni('a', '1', a), eni('b', '5', '10.9.1.10'), endpointEni('p1', '1', '10.0.0.50')], interfaceEndpoints: [interfaceEndpoint(['eni-p1'])], routeTables: [table('rtb-main', local('10.0.0.0/16'), local('10.9.0.0/20'))] }),
      vpc({ vpcId: 'vpc-b', subnets: [subnet('9', '10.0.0.0/24')], networkInterfaces: [eni('d', '9', a), endpointEni('p9', '9', '10.0.0.50', { vpcEndpointId: 'vpce-b' })], interfaceEndpoints: [interfaceEndpoint(['eni-p9'], { vpcEndpointId: 'vpce-b' })] }),
    ),
    flows: [tcpTo('a', '10.0.0.50', 443, 'open', { seenAs: a, by: 'vpce-if' }), tcpTo('b', '10.0.0.50', 443, 'open', { seenAs: '10.9.1.10', by: 'vpce-if' }), tcpTo('d', '10.0.0.50', 443, 'open', { seenAs: a, by: 'vpce-b' })],
  },
  {
    title: '[R3] an endpoint needs no route, and a gateway endpoint beside it keeps its own path',
    snapshot: snapshot(vpc({
      subnets: publicSubnets, internetGatewayId: 'igw-1', gatewayEndpoints: [s3Endpoint], interfaceEndpoints: [interfaceEndpoint(['eni-p1'])],
      routeTables: [table('rtb-main', local('10.0.0.0/16')), table('rtb-public', local('10.0.0.0/16'), toIgw, s3Route)],
      networkInterfaces: [eni('a', '1', a, { publicAddress: '198.19.0.10' }), eni('c', '2', c), endpointEni('p1', '2', '10.0.1.50')],
    })),
    flows: [
      tcpTo('a', '198.18.1.1', 443, 'open', { seenAs: a, by: 'vpce-s3' }), tcpTo('a', '198.18.1.131', 443, 'open', { seenAs: '198.19.0.10', by: '' }), tcpTo('a', '10.0.1.50', 443, 'open', { seenAs: a, by: 'vpce-if' }),
      tcpTo('c', '10.0.1.50', 443, 'open', { seenAs: c, by: 'vpce-if' }), tcpTo('c', '198.18.1.131', 443, 'timeout'),
    ],
  },
  {
    title: '[X2] [G4] an interface endpoint sees the address of the NAT gateway or middlebox’s client that it is reached from',
    snapshot: snapshot(vpc({
      subnets: [subnet('1', '10.0.0.0/24', { routeTableId: 'rtb-nat' }), subnet('2', '10.0.1.0/24'), subnet('3', '10.0.3.0/24')],
      routeTables: [table('rtb-main', local('10.0.0.0/16')), table('rtb-nat', local('10.0.0.0/16'), toNat('1', '10.0.3.0/24'))],
      networkInterfaces: [eni('a', '1', a), eni('c', '2', c), privateNat.card, endpointEni('p1', '3', '10.0.3.50', { groupIds: ['sg-door'] })], natGateways: [privateNat.gateway],
      interfaceEndpoints: [interfaceEndpoint(['eni-p1'])], securityGroups: [open, group('sg-door', [tcp(443, cidrPeer('10.0.1.0/24'))], [])],
    })),
    flows: [tcpTo('a', '10.0.3.50', 443, 'open', { seenAs: '10.0.1.5', by: 'vpce-if' }), tcpTo('c', '10.0.3.50', 443, 'open', { seenAs: c, by: 'vpce-if' }), pingTo('a', '10.0.3.50', 'timeout')],
  },
  {
    title: '[J4] nobody begins anything with an instance connect endpoint',
    snapshot: snapshot(vpc({
      subnets, networkInterfaces: [...trio(), connectEndpoint('2', '10.0.1.50')],
      instanceConnectEndpoints: [{ instanceConnectEndpointId: 'eice-1', networkInterfaceId: 'eni-door', preserveClientIp: false }],
    })),
    flows: [tcpTo('a', '10.0.1.50', 22, 'timeout'), udpTo('c', '10.0.1.50', 80, 'timeout'), pingTo('c', '10.0.1.50', 'timeout'), tcpTo('a', c, 22, 'open')],
  },
]; // biome-ignore format: a table
