// Every explanation code that can arise is made to arise here, each by a network and a question of its own; those that cannot are listed with a reason.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { analyse } from '@postern/network/insights/analyse.ts';
import type { Place, Question } from '@postern/network/insights/question.ts';
import type { NetworkInterface, Route, Snapshot, Vpc } from '@postern/network/snapshot.ts';
import { stages } from '@postern/network/stages.ts';
import { type AnalysisCode, explanationCodes } from '@postern/network/walk/explanation-codes.ts';
import { indexNetwork } from '@postern/network/walk/network-index.ts';
import { balancer, node, nodeEni } from '../../../tests/flows/load-balancer-cases.ts';
import {
  aclEntry,
  cidrPeer,
  doorEni,
  endpointEni,
  eni,
  group,
  groupPeer,
  interfaceEndpoint,
  local,
  nat,
  peered,
  s3Endpoint,
  s3Route,
  snapshot,
  subnet,
  table,
  tcp,
  toIgw,
  toNat,
  toPeer,
  toTransit,
  transited,
  transitTable,
  vpc,
} from '../../../tests/flows/snapshots.ts';

const vpcBlock = '10.0.0.0/16';
const igw: Place = { kind: 'internet-gateway', id: 'igw-1', vpcId: 'vpc-a' };
const pcx: Place = { kind: 'peering-connection', id: 'pcx-ab', vpcIds: ['vpc-a', 'vpc-b'] };
const s3: Place = { kind: 'vpc-endpoint', id: 'vpce-s3', vpcId: 'vpc-a' };
const at = (address: string): Place => ({ kind: 'address', address });
const instance = (name: string, vpcId: `vpc-${string}` = 'vpc-a'): Place => ({
  kind: 'interfaces',
  id: `i-${name}`,
  vpcId,
  networkInterfaceIds: [`eni-${name}`],
});
const port = (number: number) => ({ from: number, to: number });

interface Site extends Partial<Omit<Vpc, 'networkInterfaces'>> {
  readonly a?: Partial<NetworkInterface> & { publicAddress?: string };
  readonly b?: Partial<NetworkInterface> & { publicAddress?: string };
  /** Of the table of a's subnet, beside the local one. */
  readonly routes?: readonly Route[];
  readonly cards?: readonly NetworkInterface[];
}

/** a in a public subnet, b in a private one. */
function site({ a, b, routes = [toIgw], cards = [], ...options }: Site = {}): Vpc {
  return vpc({
    internetGatewayId: 'igw-1',
    subnets: [subnet('1', '10.0.0.0/24', { routeTableId: 'rtb-1' }), subnet('2', '10.0.1.0/24')],
    routeTables: [table('rtb-main', local(vpcBlock)), table('rtb-1', local(vpcBlock), ...routes)],
    networkInterfaces: [
      eni('a', '1', '10.0.0.10', { publicAddress: '198.19.0.10', ...a }),
      eni('b', '2', '10.0.1.10', b),
      ...cards,
    ],
    ...options,
  });
}

/** c in the VPC b, 10.1.0.0/16. */
function otherSite(options: Partial<Vpc> = {}): Vpc {
  return vpc({
    vpcId: 'vpc-b',
    cidrBlocks: ['10.1.0.0/16'],
    subnets: [subnet('c', '10.1.0.0/24', { routeTableId: 'rtb-c' })],
    routeTables: [table('rtb-c', local('10.1.0.0/16'), toPeer(vpcBlock))],
    networkInterfaces: [eni('c', 'c', '10.1.0.10')],
    ...options,
  });
}

const peers = (...vpcs: Vpc[]): Snapshot => peered(snapshot(...vpcs), { ab: ['vpc-a', 'vpc-b'] });

/** A private subnet's road out by the NAT gateway n, which is in a's subnet. */
function withNat(more: Site = {}): Vpc {
  const { gateway, card } = nat('n', '1', '10.0.0.20', { publicAddress: '198.19.0.20' });
  const routeTables = [table('rtb-main', local(vpcBlock), toNat('n')), table('rtb-1', local(vpcBlock), toIgw)];
  return site({ natGateways: [gateway], cards: [card], routeTables, ...more });
}

function codes(network: Snapshot | Vpc, source: Place, destination: Place, more: Partial<Question> = {}): string[] {
  if (source.kind === 'address') throw new Error('an address begins nothing');
  const base = { protocol: 6, atSource: {}, atDestination: {}, through: [], without: [] };
  const whole = 'vpcs' in network ? network : snapshot(network);
  const result = analyse(indexNetwork(whole), { ...base, source, destination, ...more });
  assert.equal(result.isFound, result.explanations.length === 0);
  return result.explanations.map((each) => each.code);
}

/** a's VPC and c's on one transit gateway; their doors are in subnets of their own. */
function joined(
  routes: Parameters<typeof transitTable>[1],
  { zone = 'us-east-1a', table: tableOfA = 'tgw-rtb-all' as `tgw-rtb-${string}` | 'none' } = {},
): Snapshot {
  const door = (name: string, block: `${string}/${number}`) =>
    subnet(`door-${name}`, block, { routeTableId: name === 'a' ? 'rtb-main' : 'rtb-c' });
  const a = site({
    routes: [toTransit('10.1.0.0/16')],
    subnets: [
      subnet('1', '10.0.0.0/24', { routeTableId: 'rtb-1', availabilityZone: zone }),
      subnet('2', '10.0.1.0/24'),
      door('a', '10.0.9.0/28'),
    ],
    cards: [doorEni('a', 'door-a', '10.0.9.4', 'a')],
  });
  const b = otherSite({
    subnets: [subnet('c', '10.1.0.0/24', { routeTableId: 'rtb-c' }), door('b', '10.1.9.0/28')],
    routeTables: [table('rtb-c', local('10.1.0.0/16'), toTransit(vpcBlock))],
    networkInterfaces: [eni('c', 'c', '10.1.0.10'), doorEni('b', 'door-b', '10.1.9.4', 'b')],
  });
  return transited(snapshot(a, b), [transitTable('all', { [vpcBlock]: 'a', ...routes })], { a: tableOfA });
}
const [near, far] = [instance('a'), instance('c', 'vpc-b')];

const blackhole = (route: Route): Route => ({ ...route, state: 'blackhole' });
const to = (cidr: `${string}/${number}`, target: Route['target']): Route => ({
  destination: { kind: 'cidr', cidr },
  target,
  state: 'active',
});
const toBox = (name: string, cidr: `${string}/${number}`) =>
  to(cidr, { kind: 'network-interface', networkInterfaceId: `eni-${name}` });
const toPcx = (cidr: `${string}/${number}`) => toPeer(cidr);
const edge = (boxIsPublic: boolean, routes: readonly Route[]) =>
  site({
    b: { sourceDestCheck: false, ...(boxIsPublic && { publicAddress: '198.19.0.11' }) },
    gatewayRouteTableId: 'rtb-edge',
    routeTables: [
      table('rtb-main', local(vpcBlock), toIgw),
      table('rtb-1', local(vpcBlock), ...routes),
      table('rtb-edge', local(vpcBlock), toBox('b', '10.0.0.0/24')),
    ],
  });
const closed = {
  networkAclId: 'acl-open',
  ingress: [aclEntry(100, 'deny')],
  egress: [aclEntry(100, 'allow')],
} as const;
const udpToEndpoint = site({
  cards: [endpointEni('e', '2', '10.0.1.30')],
  interfaceEndpoints: [interfaceEndpoint(['eni-e'])],
});
const twoPrefixes = (first: Route): Snapshot => ({
  ...peers(site({ routes: [first, toPcx('198.51.100.0/24')] }), otherSite()),
  prefixLists: [{ prefixListId: 'pl-1', cidrs: ['198.51.100.0/24'] }],
});
const outside = { destinationAddress: '198.51.100.9' };
const hidden = (a: Vpc): Snapshot => ({ ...peers(a, otherSite()), vpcs: [a] });
/** c's VPC is reached by its gateway alone. */
const apart = snapshot(
  site(),
  otherSite({
    internetGatewayId: 'igw-2',
    routeTables: [
      table('rtb-c', local('10.1.0.0/16'), {
        ...toIgw,
        target: { kind: 'internet-gateway', internetGatewayId: 'igw-2' },
      }),
    ],
    networkInterfaces: [eni('c', 'c', '10.1.0.10', { publicAddress: '198.19.0.30' })],
  }),
);
const onlyTo = (cidr: `${string}/${number}`) => [{ ...toIgw, destination: { kind: 'cidr', cidr } as const }];
/** b is reached under the address of a private NAT gateway. */
const behindNat = () => {
  const { gateway, card } = nat('p', '1', '10.0.0.20');
  return site({
    a: { groupIds: ['sg-clients'] },
    b: { groupIds: ['sg-b'] },
    natGateways: [gateway],
    cards: [card],
    subnets: [
      subnet('1', '10.0.0.0/25', { routeTableId: 'rtb-main' }),
      subnet('2', '10.0.1.0/24'),
      subnet('0', '10.0.0.128/25', { routeTableId: 'rtb-1' }),
    ],
    routes: [toNat('p', '10.0.1.0/24')],
    networkInterfaces: [
      eni('a', '0', '10.0.0.130', { groupIds: ['sg-clients'] }),
      eni('b', '2', '10.0.1.10', { groupIds: ['sg-b'] }),
      card,
    ],
    securityGroups: [group('sg-clients', []), group('sg-b', [tcp(80, groupPeer('sg-clients'))])],
  } as Site);
};

/** A load balancer's node in b's subnet with one listener, on port 80. */
const withBalancer = (...targets: string[]) =>
  site({
    cards: [nodeEni('node', '2', '10.0.1.50')],
    networkLoadBalancers: [balancer([node('node', { 80: targets })])],
  });

type Arising = () => string[];
/** Codes of the ends themselves, which rows tell: network-insights.test.ts makes them arise. */
const ofEnds: readonly AnalysisCode[] = [
  'BAD_STATE',
  'NO_SOURCE_OR_DESTINATION',
  'UNASSOCIATED_COMPONENT',
  'UNKNOWN_RESOURCE',
];
const cases: Readonly<Record<string, Arising>> = {
  BAD_STATE_ATTACHMENT: () => codes(site({ b: { attachment: undefined } as object }), instance('a'), instance('b')),
  BAD_STATE_ROUTE: () => codes(site({ routes: [blackhole(toIgw)] }), instance('a'), igw),
  CANNOT_ROUTE: () => codes(site({ routes: onlyTo('203.0.113.0/24') }), instance('a'), igw, { atSource: outside }),
  COMPONENT_FILTER_RESTRICTION: () => codes(site(), instance('a'), igw, { through: ['nat-n'] }),
  COMPONENT_FILTER_RESTRICTION_REMOVED_COMPONENT: () => codes(withNat(), instance('b'), igw, { without: ['nat-n'] }),
  DISCONNECTED_VPCS: () => codes(snapshot(site(), otherSite()), instance('a'), instance('c', 'vpc-b')),
  ELBV2_LISTENER_HAS_NO_TG: () => codes(withBalancer(), instance('a'), instance('node'), { atSource: { destinationPorts: port(80) } }),
  ELBV2_LISTENERS_MISMATCH: () => codes(withBalancer('10.0.1.10:80'), instance('a'), instance('node'), { atSource: { destinationPorts: port(81) } }),
  ENI_ADDRESS_RESTRICTION: () => codes(site(), instance('a'), igw, { atSource: { sourceAddress: '10.0.0.99' } }),
  ENI_SG_RULES_MISMATCH: () => codes(site({ b: { groupIds: ['sg-w'] }, securityGroups: [group('sg-open', [tcp(1)]), group('sg-w', [tcp(80)])] }), instance('a'), instance('b'), { atSource: { destinationPorts: port(81) } }),
  ENI_SOURCE_DEST_CHECK_RESTRICTION: () => codes(site({ routes: [toIgw, toBox('d', '10.0.1.0/24')], cards: [eni('d', '1', '10.0.0.40')] }), instance('a'), instance('b')),
  FILTER_AT_DESTINATION_DESTINATION_ADDRESS: () => codes(site(), instance('a'), instance('b'), { atDestination: { destinationAddress: '10.0.1.11' } }),
  FILTER_AT_DESTINATION_DESTINATION_PORT_RANGE: () => codes(site(), instance('a'), instance('b'), { atSource: { destinationPorts: port(1) }, atDestination: { destinationPorts: port(2) } }),
  FILTER_AT_DESTINATION_SOURCE_ADDRESS: () => codes(site(), instance('a'), instance('b'), { atDestination: { sourceAddress: '10.0.0.11' } }),
  FILTER_AT_DESTINATION_SOURCE_PORT_RANGE: () => codes(site(), instance('a'), instance('b'), { atSource: { sourcePorts: port(1) }, atDestination: { sourcePorts: port(2) } }),
  FILTER_AT_SOURCE_DESTINATION_ADDRESS: () => codes(site(), instance('a'), instance('b'), { atSource: { destinationAddress: '10.0.1.11' } }),
  FILTER_AT_SOURCE_DESTINATION_PORT_RANGE: () => codes(site(), instance('a'), instance('b'), { atSource: { destinationPorts: port(1) }, atDestination: { destinationPorts: port(2) } }),
  FILTER_AT_SOURCE_SOURCE_ADDRESS: () => codes(site(), instance('a'), igw, { atSource: { sourceAddress: '10.0.0.99' } }),
  FILTER_AT_SOURCE_SOURCE_PORT_RANGE: () => codes(site(), instance('a'), instance('b'), { atSource: { sourcePorts: port(1) }, atDestination: { sourcePorts: port(2) } }),
  GATEWAY_REJECTS_SPOOFED_TRAFFIC: () => codes(site({ a: { sourceDestCheck: false } }), instance('a'), igw, { atSource: { sourceAddress: '10.0.0.99' } }),
  HIGHER_PRIORITY_ROUTE: () => codes(twoPrefixes({ ...toIgw, destination: { kind: 'prefix-list', prefixListId: 'pl-1' } }), instance('a'), igw, { atSource: outside }),
  IGW_DESTINATION_ADDRESS_IN_VPC_CIDRS: () => codes(apart, igw, instance('a'), { atSource: { destinationAddress: '198.19.0.30' } }),
  IGW_DESTINATION_ADDRESS_NOT_IN_RFC1918_EGRESS: () => codes(site(), instance('a'), at('172.16.0.9')),
  IGW_DESTINATION_ADDRESS_NOT_IN_RFC6598_EGRESS: () => codes(site(), instance('a'), at('100.64.0.9')),
  IGW_EXPECTS_PUBLIC_ADDRESS: () => codes(site(), igw, instance('a'), { atSource: { sourceAddress: '192.168.0.1' } }),
  IGW_NAT_REFLECTION: () => codes(apart, instance('a'), instance('c', 'vpc-b')),
  IGW_PRIVATE_IP_ASSOCIATION_FOR_INGRESS: () => codes(site(), igw, instance('b')),
  IGW_PUBLIC_IP_ASSOCIATION_FOR_EGRESS: () => codes(site({ a: { publicAddress: undefined } as object }), instance('a'), igw),
  IGW_SOURCE_ADDRESS_NOT_IN_RFC1918_INGRESS: () => codes(site(), igw, instance('a'), { atSource: { sourceAddress: '192.168.0.1' } }),
  IGW_SOURCE_ADDRESS_NOT_IN_RFC6598_INGRESS: () => codes(site(), igw, instance('a'), { atSource: { sourceAddress: '100.64.0.1' } }),
  INGRESS_RTB_NO_PUBLIC_IP: () => codes(edge(false, [toBox('b', '0.0.0.0/0')]), igw, instance('a')),
  INGRESS_RTB_TRAFFIC_REDIRECTION: () => codes(edge(true, [toIgw]), instance('a'), igw),
  MORE_SPECIFIC_ROUTE: () => codes(twoPrefixes(toIgw), instance('a'), igw, { atSource: outside }),
  NGW_DEST_ADDRESS_PRESERVATION: () => codes(withNat(), instance('b'), igw, { atSource: outside, atDestination: { destinationAddress: '203.0.113.9' } }),
  NGW_REQUIRES_SOURCE_IN_VPC: () => codes(withNat({ b: { sourceDestCheck: false } }), instance('b'), igw, { atSource: { sourceAddress: '10.9.0.1' } }),
  NGW_SOURCE_ADDRESS_REASSIGN: () => codes(withNat(), instance('b'), igw, { atDestination: { sourceAddress: '10.0.1.10' } }),
  NO_PATH: () => codes(site(), instance('a'), at('169.254.7.7')),
  NO_POSSIBLE_DESTINATION: () => codes(site(), instance('a'), at('10.0.1.99')),
  NO_ROUTE_TO_DESTINATION: () => codes(site({ routes: [] }), instance('a'), igw),
  PCX_REQUIRES_ADDRESS_IN_VPC_CIDR: () => codes(peers(site({ routes: [toPcx('10.0.0.0/8')] }), otherSite()), instance('a'), at('10.9.0.9')),
  PROTOCOL_RESTRICTION: () => codes(udpToEndpoint, instance('a'), { kind: 'vpc-endpoint', id: 'vpce-if', vpcId: 'vpc-a' }, { protocol: 17 }),
  REMAP_EPHEMERAL_PORT: () => codes(withNat(), instance('b'), igw, { atDestination: { sourcePorts: { from: 1, to: 1023 } } }),
  SG_HAS_NO_RULES: () => codes(site({ b: { groupIds: ['sg-none'] }, securityGroups: [group('sg-open', [tcp(1)]), group('sg-none', [], [])] }), instance('a'), instance('b')),
  SG_REFERENCES_NOT_PRESERVED: () => codes(behindNat(), instance('a'), instance('b')),
  SUBNET_ACL_RESTRICTION: () => codes(site({ networkAcls: [closed] }), instance('a'), instance('b')),
  TGW_ATTACH_MISSING_TGW_RTB_ASSOCIATION: () => codes(joined({ '10.1.0.0/16': 'b' }, { table: 'none' }), instance('a'), far),
  TGW_ROUTE_AZ_RESTRICTION: () => codes(joined({ '10.1.0.0/16': 'b' }, { zone: 'us-east-1b' }), instance('a'), far),
  TGW_RTB_BAD_STATE_ROUTE: () => codes(joined({ '10.1.0.0/16': undefined }), instance('a'), far),
  TGW_RTB_NO_ROUTE_TO_TGW_ATTACHMENT: () => codes(joined({}), instance('a'), far),
  UNKNOWN_DESTINATION: () => codes(hidden(site({ routes: [toPcx('10.1.0.0/16')] })), instance('a'), at('10.1.0.10')),
  UNKNOWN_PEERED_SGS: () => codes(hidden(site({ routes: [toPcx('10.1.0.0/16')], securityGroups: [group('sg-open', [], [tcp(80, groupPeer('sg-theirs'))])] })), instance('a'), pcx),
  VPC_BLOCK_PUBLIC_ACCESS_ENABLED: () => codes(site({ subnets: [subnet('1', '10.0.0.0/24', { routeTableId: 'rtb-1', blockPublicAccess: 'block-bidirectional' }), subnet('2', '10.0.1.0/24')] }), igw, instance('a')),
  VPC_LOCAL_ROUTE_CIDR_RESTRICTION: () => codes(site({ routes: [] }), instance('a'), instance('b'), { atSource: { destinationAddress: '10.9.0.1' } }),
  VPCE_GATEWAY_EGRESS_SOURCE_ADDRESS_RESTRICTION: () => codes(site({ gatewayEndpoints: [s3Endpoint] }), s3, instance('a'), { atSource: { sourceAddress: '203.0.113.1' } }),
  VPCE_GATEWAY_PROTOCOL_RESTRICTION: () => codes(site({ gatewayEndpoints: [s3Endpoint], routes: [s3Route] }), instance('a'), s3, { protocol: 17 }),
  VPCE_INTRA_VPC_TRAFFIC: () => codes(site({ gatewayEndpoints: [s3Endpoint] }), s3, instance('a')),
}; // biome-ignore format: a table

for (const [code, arising] of Object.entries(cases))
  test(`${code} arises`, () => {
    const found = arising();
    assert.ok(found.includes(code), `${code}: ${found.join(', ')}`);
  });

const rows = Object.entries(explanationCodes);
const arises = rows.filter(([, row]) => 'from' in row).map(([code]) => code);

test('every code of AWS’s list is in the table once: it arises and a test makes it arise, or it never does and the reason is told', () => {
  const rules = readFileSync(join(fileURLToPath(import.meta.url), '../../../../docs/rules/10-reachability.md'), 'utf8');
  const sections = rules.split('\n').filter((line) => line.startsWith('| ') && /^\| [A-Z]/.test(line));
  const listed = sections.flatMap((line) => expand(line.split('|')[1]?.trim() ?? ''));
  assert.deepEqual(rows.map(([code]) => code).sort(), [...new Set(listed)].sort());
  assert.deepEqual([...Object.keys(cases), ...ofEnds].sort(), arises.sort());
});

/** `A_B / _C` and `X_{Y, Z}` are short for several codes. */
function expand(cell: string): string[] {
  const braces = /^(\w+)\{(.+)\}$/.exec(cell);
  if (braces) return fiveOf(braces[1] ?? '', braces[2] ?? '');
  const [first = '', ...rest] = cell.split(' / ');
  if (first === 'Code') return [];
  return [
    first,
    ...rest.map((each) => {
      if (!/^[_…]/.test(each)) return each;
      const tail = each.replace('…', '');
      const stem = first.startsWith('IGW_')
        ? first.slice(0, first.indexOf('RFC'))
        : first.startsWith('TGW_RTB')
          ? 'TGW_RTB'
          : first.slice(0, first.lastIndexOf('_'));
      return stem + tail;
    }),
  ];
}

function fiveOf(stem: string, names: string): string[] {
  const five = ['DESTINATION_ADDRESS', 'DESTINATION_PORT_RANGE', 'PROTOCOL', 'SOURCE_ADDRESS', 'SOURCE_PORT_RANGE'];
  return (names === 'same five' ? five : names.split(', ')).map((each) => stem + each);
}

test('the table of stages names the codes that steps of the walk have', () => {
  const named = new Set<string>(stages.flatMap((stage) => stage.codes));
  assert.deepEqual(
    [...named].sort(),
    rows.flatMap(([code, row]) => ('from' in row && row.from === 'walk' ? [code] : [])).sort(),
  );
});

test('docs/reachability.md lists what cannot arise, with the reasons of the table', () => {
  const text = readFileSync(join(fileURLToPath(import.meta.url), '../../../../docs/reachability.md'), 'utf8');
  for (const [code, row] of rows)
    if ('never' in row) {
      assert.ok(text.includes(row.never), `no reason for ${code}: ${row.never}`);
      assert.ok(text.includes(`\`${code}\``), code);
    }
});

test('a path beyond a peering ends at it, and one that begins there comes into the VPC', () => {
  const network = peers(site({ routes: [toPcx('10.1.0.0/16')] }), otherSite());
  assert.deepEqual(codes(network, instance('a'), pcx), []);
  assert.deepEqual(codes(network, pcx, instance('a')), []);
  assert.deepEqual(codes(network, instance('a'), instance('c', 'vpc-b'), { through: ['pcx-ab'] }), []);
  assert.deepEqual(codes(network, pcx, instance('a'), { atSource: { destinationPorts: port(22) } }), []);
});

test('[Z2] [Z4] a path over a transit gateway shows both attachments and the gateway’s table, both ways', () => {
  const network = indexNetwork(joined({ '10.1.0.0/16': 'b' }));
  const question = { source: near, destination: far, protocol: 6, atSource: {}, atDestination: {} };
  const { forward, back, explanations } = analyse(network, {
    ...(question as Question),
    through: ['tgw-1'],
    without: [],
  });
  assert.deepEqual(explanations, []);
  const middle = (hops: typeof forward) => hops.map((hop) => hop.component).filter((id) => id.startsWith('tgw-'));
  assert.deepEqual(middle(forward), ['tgw-attach-a', 'tgw-rtb-all', 'tgw-attach-b']);
  assert.deepEqual(middle(back), ['tgw-attach-b', 'tgw-rtb-all', 'tgw-attach-a']);
  const hop = forward.find((each) => each.component === 'tgw-rtb-all');
  assert.deepEqual(hop?.transitGatewayRoute, { cidr: '10.1.0.0/16', transitGatewayAttachmentId: 'tgw-attach-b' });
});

test('a destination of an address alone is wherever that address is', () => {
  assert.deepEqual(codes(withNat(), instance('b'), at('203.0.113.80')), []);
  assert.deepEqual(codes(site(), instance('a'), at('10.0.1.10')), []);
  assert.deepEqual(codes(site({ gatewayEndpoints: [s3Endpoint], routes: [s3Route] }), instance('a'), s3), []);
});

test('any port that is open will do, unless one is asked for', () => {
  const network = site({
    b: { groupIds: ['sg-w'] },
    securityGroups: [group('sg-open', []), group('sg-w', [tcp(8443, cidrPeer('10.0.0.0/24'))])],
  });
  assert.deepEqual(codes(network, instance('a'), instance('b')), []);
  assert.deepEqual(codes(network, instance('a'), instance('b'), { atSource: { destinationPorts: port(443) } }), [
    'ENI_SG_RULES_MISMATCH',
  ]);
});

test('the ports of both ways are looked for apart: an ACL that lets only some replies back', () => {
  const acl = {
    networkAclId: 'acl-open',
    ingress: [aclEntry(100, 'allow')],
    egress: [
      aclEntry(90, 'allow', { protocol: 6, ports: port(5000) }),
      aclEntry(100, 'allow', { protocol: 6, ports: { from: 80, to: 90 } }),
    ],
  } as const;
  assert.deepEqual(codes(site({ networkAcls: [acl] }), instance('a'), instance('b')), []);
  assert.deepEqual(
    codes(site({ networkAcls: [acl] }), instance('a'), instance('b'), {
      atSource: { sourcePorts: { from: 6000, to: 7000 } },
    }),
    ['SUBNET_ACL_RESTRICTION'],
  );
});

test('a path by a NAT gateway shows what it makes of the header, both ways, and where the zone changes', () => {
  const { gateway, card } = nat('n', '1', '10.0.0.20', { publicAddress: '198.19.0.20' });
  const subnets = [
    subnet('1', '10.0.0.0/24', { routeTableId: 'rtb-1' }),
    subnet('2', '10.0.1.0/24', { availabilityZone: 'us-east-1b' }),
  ];
  const routeTables = [table('rtb-main', local(vpcBlock), toNat('n')), table('rtb-1', local(vpcBlock), toIgw)];
  const network = site({ natGateways: [gateway], cards: [card], routeTables, subnets });
  const question = {
    source: instance('b'),
    destination: at('203.0.113.80'),
    protocol: 6,
    atSource: {},
    atDestination: {},
  };
  const { forward, back } = analyse(indexNetwork(snapshot(network)), {
    ...(question as Question),
    through: ['nat-n'],
    without: [],
  });
  const names = (hops: typeof forward) => hops.map((hop) => hop.component);
  assert.deepEqual(names(forward), [
    'i-b',
    'eni-b',
    'sg-open',
    'acl-open',
    'rtb-main',
    'acl-open',
    'eni-nat-n',
    'nat-n',
    'acl-open',
    'rtb-1',
    'igw-1',
  ]);
  assert.deepEqual(names(back), [
    'igw-1',
    'acl-open',
    'eni-nat-n',
    'nat-n',
    'acl-open',
    'rtb-1',
    'acl-open',
    'sg-open',
    'eni-b',
    'i-b',
  ]);
  const hop = (hops: typeof forward, id: string) => hops.find((each) => each.component === id);
  const ephemeral = { from: 1024, to: 65_535 };
  assert.deepEqual(hop(forward, 'nat-n')?.outbound, { sourceAddresses: ['10.0.0.20/32'], sourcePorts: [ephemeral] });
  assert.deepEqual(hop(back, 'nat-n')?.outbound, { destinationAddresses: ['10.0.1.10/32'] });
  assert.deepEqual(hop(forward, 'igw-1')?.outbound?.sourceAddresses, ['198.19.0.20/32']);
  assert.deepEqual(hop(forward, 'eni-nat-n')?.details, ['AVAILABILITY_ZONE_CROSSED']);
  assert.equal(hop(forward, 'eni-nat-n')?.attachedTo, 'nat-n');
});

test('where there is no path, gateways and peerings that might make one are hinted at', () => {
  const hints = (network: Snapshot | Vpc, source: Place, destination: Place, without: string[] = []) => {
    const question = { source, destination, protocol: 6, atSource: {}, atDestination: {}, through: [], without };
    return analyse(indexNetwork('vpcs' in network ? network : snapshot(network)), question as Question).alternatives;
  };
  const unrouted = [table('rtb-main', local(vpcBlock)), table('rtb-1', local(vpcBlock), toIgw)];
  assert.deepEqual(hints(withNat({ routeTables: unrouted }), instance('b'), igw), ['nat-n']);
  assert.deepEqual(hints(withNat({ routeTables: unrouted }), instance('b'), igw, ['nat-n']), []);
  assert.deepEqual(hints(peers(site(), otherSite()), instance('a'), instance('c', 'vpc-b')), ['pcx-ab']);
  assert.deepEqual(hints(withNat(), instance('b'), igw), []);
});
