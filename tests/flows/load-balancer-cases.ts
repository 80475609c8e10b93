// The part of the table of flows that is about Network Load Balancers: rows of cases.ts. A flow is open when it is answered by a target, whatever port that has.

import type { LoadBalancerNode, NetworkInterface, NetworkLoadBalancer } from '@postern/network/snapshot.ts';
import { type FlowCase, pingTo, tcpTo, udpTo } from './flow.ts';
import {
  aclEntry,
  allowAll,
  cidrPeer,
  endpointEni,
  eni,
  group,
  groupPeer,
  interfaceEndpoint,
  local,
  openAcl,
  peered,
  snapshot,
  subnet,
  table,
  tcp,
  toIgw,
  toPeer,
  vpc,
} from './snapshots.ts';

const [a, b, c] = ['10.0.0.10', '10.0.0.11', '10.0.1.10'] as const;
const [nodeA, nodeB] = ['10.0.0.50', '10.0.1.50'] as const;
const subnets = [subnet('1', '10.0.0.0/24'), subnet('2', '10.0.1.0/24')];
const open = group('sg-open', [allowAll]);

/** A node's interface `eni-NAME` of `net/lb/1`. */
export function nodeEni(
  name: string,
  subnetName: string,
  address: string,
  options: Partial<NetworkInterface> & { publicAddress?: string } = {},
): NetworkInterface {
  const { attachment: _none, ...bare } = eni(name, subnetName, address, { groupIds: [], ...options });
  return { service: { kind: 'network-load-balancer', loadBalancerId: 'net/lb/1' }, ...bare };
}

/** Listener port → targets, `ADDRESS:PORT`. */
export function node(name: string, listeners: Readonly<Record<number, readonly string[]>>): LoadBalancerNode {
  const target = (text: string) => ({ address: text.split(':')[0] ?? '', port: Number(text.split(':')[1]) });
  return {
    networkInterfaceId: `eni-${name}`,
    listeners: Object.entries(listeners).map(([port, targets]) => ({
      protocol: 6,
      port: Number(port),
      targets: targets.map(target),
    })),
    checks: Object.values(listeners).flat().map(target),
  };
}

export function balancer(
  nodes: readonly LoadBalancerNode[],
  options: Partial<NetworkLoadBalancer> = {},
): NetworkLoadBalancer {
  return { loadBalancerId: 'net/lb/1', scheme: 'internal', nodes, dnsNames: [], ...options };
}

export const loadBalancerCases: readonly FlowCase[] = [
  {
    title: '[B2] [B3] a listener forwards to its targets, which see the node’s address; nothing else of a node answers',
    snapshot: snapshot(vpc({
      subnets, networkInterfaces: [eni('a', '1', a), eni('b', '1', b), eni('c', '2', c), nodeEni('n1', '1', nodeA), nodeEni('n2', '2', nodeB)],
      networkLoadBalancers: [balancer([node('n1', { 80: [`${c}:80`], 443: [`${c}:22`], 8080: [] }), node('n2', { 80: [`${c}:80`, `${b}:22`] })])],
    })),
    flows: [
      tcpTo('a', nodeA, 80, 'open', { seenAs: nodeA }), tcpTo('a', nodeA, 443, 'open', { seenAs: nodeA }), tcpTo('c', nodeA, 80, 'open', { seenAs: nodeA }), tcpTo('a', nodeB, 80, 'open', { seenAs: nodeB }), tcpTo('b', nodeB, 80, 'open'),
      tcpTo('a', nodeA, 22, 'timeout'), tcpTo('a', nodeA, 8080, 'timeout'), tcpTo('a', nodeB, 443, 'timeout'), udpTo('a', nodeA, 80, 'timeout'), pingTo('a', nodeA, 'timeout'), tcpTo('a', c, 80, 'open', { seenAs: a }),
    ],
  },
  {
    title: '[B4] the balancer’s groups decide what comes in and what goes on to targets, and a target’s what comes from the balancer',
    snapshot: snapshot(vpc({
      subnets, networkInterfaces: [eni('a', '1', a), eni('b', '1', b, { groupIds: ['sg-target'] }), eni('c', '2', c), nodeEni('n1', '1', nodeA, { groupIds: ['sg-lb'] })],
      securityGroups: [open, group('sg-lb', [tcp(80, cidrPeer('10.0.0.0/24')), tcp(443), tcp(8080)], [tcp(22, groupPeer('sg-target')), tcp(80, cidrPeer('10.0.1.0/24'))]), group('sg-target', [tcp(22, groupPeer('sg-lb')), tcp(80, groupPeer('sg-lb'))], [])],
      networkLoadBalancers: [balancer([node('n1', { 80: [`${b}:22`], 443: [`${c}:80`], 8080: [`${b}:80`] })])],
    })),
    flows: [
      tcpTo('a', nodeA, 80, 'open', { seenAs: nodeA }), tcpTo('c', nodeA, 80, 'timeout'), tcpTo('c', nodeA, 443, 'open', { seenAs: nodeA }), tcpTo('a', nodeA, 8080, 'timeout'), tcpTo('a', b, 22, 'timeout'),
    ],
  },
  {
    title: '[N4] [N7] [N8] ACLs of clients’, nodes’ and targets’ subnets see both flows',
    snapshot: snapshot(vpc({
      subnets: [subnet('1', '10.0.0.0/24'), subnet('2', '10.0.1.0/24', { networkAclId: 'acl-2' }), subnet('3', '10.0.3.0/24', { networkAclId: 'acl-3' })],
      networkInterfaces: [eni('a', '1', a), eni('b', '3', '10.0.3.10'), eni('c', '2', c), nodeEni('n1', '1', nodeA), nodeEni('n2', '2', nodeB)],
      networkAcls: [
        openAcl,
        { networkAclId: 'acl-2', ingress: [aclEntry(90, 'deny', { cidr: '10.0.0.50/32', protocol: 6, ports: { from: 22, to: 22 } }), aclEntry(100, 'allow')], egress: [aclEntry(90, 'deny', { cidr: '10.0.3.0/24', protocol: 6, ports: { from: 80, to: 80 } }), aclEntry(100, 'allow')] },
        { networkAclId: 'acl-3', ingress: [aclEntry(100, 'allow')], egress: [aclEntry(90, 'deny', { cidr: '10.0.0.0/24', protocol: 6, ports: { from: 1024, to: 65_535 } }), aclEntry(100, 'allow')] },
      ],
      networkLoadBalancers: [balancer([node('n1', { 80: [`${c}:80`], 443: [`${c}:22`], 8080: ['10.0.3.10:80'] }), node('n2', { 80: ['10.0.3.10:80'], 443: ['10.0.3.10:22'] })])],
    })),
    flows: [
      tcpTo('a', nodeA, 80, 'open', { seenAs: nodeA }), tcpTo('a', nodeA, 443, 'timeout'), tcpTo('a', nodeA, 8080, 'timeout'), tcpTo('c', nodeB, 80, 'timeout'), tcpTo('a', nodeB, 443, 'open', { seenAs: nodeB }), tcpTo('b', nodeB, 443, 'open'), tcpTo('b', nodeA, 80, 'open', { seenAs: nodeA }),
    ],
  },
  {
    title: '[B1] [I2] the internet reaches an internet-facing balancer at its public addresses, also where its targets are private',
    snapshot: snapshot(vpc({
      subnets: [subnet('1', '10.0.0.0/24', { routeTableId: 'rtb-public' }), subnet('2', '10.0.1.0/24')], internetGatewayId: 'igw-1', routeTables: [table('rtb-main', local('10.0.0.0/16')), table('rtb-public', local('10.0.0.0/16'), toIgw)],
      networkInterfaces: [eni('a', '1', a, { publicAddress: '198.19.0.10' }), eni('c', '2', c), nodeEni('n1', '1', nodeA, { publicAddress: '198.19.0.50', groupIds: ['sg-lb'] }), nodeEni('n2', '2', nodeB, { publicAddress: '198.19.0.51' })],
      securityGroups: [open, group('sg-lb', [tcp(80), tcp(443, cidrPeer('10.0.0.0/8'))])],
      networkLoadBalancers: [balancer([node('n1', { 80: [`${c}:80`], 443: [`${c}:22`] }), node('n2', { 80: [`${c}:80`] })], { scheme: 'internet-facing' })],
    })),
    flows: [
      tcpTo('laptop', '198.19.0.50', 80, 'open', { seenAs: nodeA }), tcpTo('laptop', '198.19.0.50', 443, 'timeout'), tcpTo('laptop', '198.19.0.51', 80, 'timeout'), tcpTo('a', '198.19.0.50', 80, 'open', { seenAs: nodeA }), tcpTo('a', nodeA, 443, 'open', { seenAs: nodeA }), tcpTo('laptop', '198.19.0.50', 22, 'timeout'),
    ],
  },
  {
    title: '[B2] [P4] clients and targets of peered VPCs, and overlapping VPCs are told apart',
    snapshot: peered(snapshot(
      vpc({ subnets, networkInterfaces: [eni('a', '1', a), nodeEni('n1', '1', nodeA)], networkLoadBalancers: [balancer([node('n1', { 80: [`${a}:80`], 443: ['10.1.0.10:80'] })])], routeTables: [table('rtb-main', local('10.0.0.0/16'), toPeer('10.1.0.0/16'))] }),
      vpc({ vpcId: 'vpc-b', cidrBlocks: ['10.1.0.0/16'], subnets: [subnet('9', '10.1.0.0/24', { routeTableId: 'rtb-b' })], networkInterfaces: [eni('b', '9', '10.1.0.10')], routeTables: [table('rtb-b', local('10.1.0.0/16'), toPeer('10.0.0.0/16'))] }),
      vpc({ vpcId: 'vpc-c', subnets: [subnet('7', '10.0.0.0/24')], networkInterfaces: [eni('c', '7', '10.0.0.12'), nodeEni('n7', '7', nodeA, { service: { kind: 'network-load-balancer', loadBalancerId: 'net/other/2' } })], networkLoadBalancers: [balancer([node('n7', { 443: ['10.0.0.12:22'] })], { loadBalancerId: 'net/other/2' })] }),
    ), { ab: ['vpc-a', 'vpc-b'] }),
    flows: [
      tcpTo('b', nodeA, 80, 'open', { seenAs: nodeA }), tcpTo('a', nodeA, 443, 'open', { seenAs: nodeA }), tcpTo('b', nodeA, 443, 'open', { seenAs: nodeA }), tcpTo('c', nodeA, 80, 'timeout'), tcpTo('c', nodeA, 443, 'open', { seenAs: nodeA }), tcpTo('a', '10.1.0.10', 80, 'open', { seenAs: a }),
    ],
  },
  {
    title: '[Y1] [Y5] [Y6] through an endpoint a consumer reaches the provider’s targets, which see the node of its zone; blocks may be the same, and nothing begins the other way',
    snapshot: snapshot(
      vpc({
        subnets, networkInterfaces: [eni('a', '1', a, { groupIds: ['sg-target'] }), nodeEni('n1', '1', nodeA), nodeEni('n2', '2', nodeB)],
        securityGroups: [group('sg-target', [tcp(80, cidrPeer('10.0.0.50/32')), tcp(22, cidrPeer('10.0.1.50/32'))])],
        networkLoadBalancers: [balancer([node('n1', { 80: [`${a}:80`], 443: [`${a}:22`] }), node('n2', { 443: [`${a}:22`] })])],
      }),
      vpc({
        vpcId: 'vpc-b', subnets: [subnet('8', '10.0.0.0/24'), subnet('9', '10.0.9.0/24')],
        networkInterfaces: [eni('c', '8', a), eni('d', '9', '10.0.9.10', { groupIds: ['sg-d'] }), endpointEni('p1', '8', '10.0.0.60', { groupIds: ['sg-door'] }), endpointEni('p2', '9', '10.0.9.60'), endpointEni('p3', '9', '10.0.9.61', { vpcEndpointId: 'vpce-pending' })],
        securityGroups: [open, group('sg-door', [tcp(80), tcp(443, groupPeer('sg-d')), tcp(22)], []), group('sg-d', [])],
        interfaceEndpoints: [
          interfaceEndpoint(['eni-p1', 'eni-p2'], { service: 'vpce-svc-1', behind: [{ networkInterfaceId: 'eni-p1', node: 'eni-n1' }, { networkInterfaceId: 'eni-p2', node: 'eni-n2' }] }),
          interfaceEndpoint(['eni-p3'], { vpcEndpointId: 'vpce-pending', service: 'vpce-svc-1', behind: [] }),
        ],
      }),
    ),
    flows: [
      tcpTo('c', '10.0.0.60', 80, 'open', { seenAs: nodeA }), tcpTo('d', '10.0.0.60', 80, 'open', { seenAs: nodeA }), tcpTo('d', '10.0.9.60', 443, 'open', { seenAs: nodeB }),
      tcpTo('d', '10.0.0.60', 443, 'timeout'), tcpTo('c', '10.0.0.60', 443, 'timeout'), tcpTo('c', '10.0.0.60', 22, 'timeout'), tcpTo('d', '10.0.9.60', 80, 'timeout'), udpTo('c', '10.0.0.60', 80, 'timeout'), pingTo('c', '10.0.0.60', 'timeout'),
      tcpTo('d', '10.0.9.61', 80, 'timeout'), tcpTo('d', '10.0.9.61', 443, 'timeout'), tcpTo('a', '10.0.0.60', 80, 'timeout'), tcpTo('a', '10.0.9.10', 80, 'timeout'),
    ],
  },
]; // biome-ignore format: a table
