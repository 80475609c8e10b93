// What the roads to the internet are to the kernel: a NAT gateway, an edge route table with its middlebox, and public access that is blocked.
// `UPDATE_GOLDEN=1` writes the golden file anew.

import assert from 'node:assert/strict';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { test } from 'node:test';
import { eni, local, nat, snapshot, subnet, table, toIgw, toNat, vpc } from '../tests/flows/snapshots.ts';
import { compile, nothingCompiled } from './compile/compile.ts';
import { namespaceText } from './golden/text.ts';
import { renderNat64, renderNatGateway } from './render/ip.ts';
import { renderTable } from './render/nft.ts';

const addresses = [
  { address: '10.0.0.5', primary: true, publicAddress: '198.19.0.50' },
  { address: '10.0.0.6', primary: false, publicAddress: '198.19.0.51' },
];
const natted = nat('1', 'nat', '10.0.0.5', { privateAddresses: addresses, macAddress: '0a:00:00:00:01:01' });
const toBox = {
  destination: { kind: 'cidr', cidr: '10.0.1.0/24' },
  target: { kind: 'network-interface', networkInterfaceId: 'eni-box' },
  state: 'active',
} as const;
const network = snapshot(vpc({
  subnets: [subnet('nat', '10.0.0.0/24', { routeTableId: 'rtb-public' }), subnet('private', '10.0.1.0/24', { routeTableId: 'rtb-private' }), subnet('box', '10.0.2.0/24', { routeTableId: 'rtb-public', blockPublicAccess: 'block-bidirectional' })],
  internetGatewayId: 'igw-1', gatewayRouteTableId: 'rtb-edge', natGateways: [natted.gateway],
  routeTables: [table('rtb-public', local('10.0.0.0/16'), toIgw), table('rtb-private', local('10.0.0.0/16'), toNat('1')), table('rtb-edge', local('10.0.0.0/16'), toBox)],
  networkInterfaces: [natted.card, eni('a', 'private', '10.0.1.10', { macAddress: '0a:00:00:00:01:02' }), eni('box', 'box', '10.0.2.10', { macAddress: '0a:00:00:00:01:03', sourceDestCheck: false, publicAddress: '198.19.0.10' })],
})); // biome-ignore format: few words

test('the kernel is told what the golden file says of the roads to the internet', () => {
  const machines = new Map([
    ['i-a' as const, 4711],
    ['i-box' as const, 4712],
  ]);
  const { state } = compile(network, nothingCompiled, machines);
  const actual = state.vpcs
    .flatMap((each) => [
      namespaceText(each.vpcId, each),
      ...each.natGateways.flatMap((one) => [
        `# ${one.natGatewayId}: ip -batch`,
        ...renderNatGateway(one),
        '',
        `# ${one.natGatewayId}: nft -f`,
        renderTable(one.table),
      ]),
    ])
    .join('\n');
  const path = new URL('golden/internet-roads.txt', import.meta.url);
  if (process.env.UPDATE_GOLDEN !== undefined || !existsSync(path)) writeFileSync(path, actual);
  assert.equal(actual, readFileSync(path, 'utf8'));
});

test('NAT64 adds to that what its golden file says', () => {
  const block = '2001:db8:1010:100::/56';
  const [first] = network.vpcs;
  assert.ok(first);
  const dual = snapshot({
    ...first, ipv6CidrBlocks: [block],
    routeTables: first.routeTables.map((each) => ({ ...each, routes: [...each.routes, local(block), ...(each.routeTableId === 'rtb-private' ? [toNat('1', '64:ff9b::/96')] : [])] })),
    subnets: first.subnets.map((each) => (each.subnetId === 'subnet-private' ? { ...each, ipv6CidrBlock: '2001:db8:1010:101::/64' as const } : each)),
    networkInterfaces: first.networkInterfaces.map((each) => (each.networkInterfaceId === 'eni-a' ? { ...each, ipv6Addresses: ['2001:db8:1010:101::a'] } : each)),
  }); // biome-ignore format: few words
  const machines = new Map([['i-a' as const, 4711], ['i-box' as const, 4712]]); // biome-ignore format: two pairs
  const without = { ...dual, vpcs: dual.vpcs.map((each) => ({ ...each, routeTables: each.routeTables.map((one) => ({ ...one, routes: one.routes.filter(({ destination }) => destination.kind !== 'cidr' || destination.cidr !== '64:ff9b::/96') })) })) }; // biome-ignore format: few words
  const lines = (of: typeof dual) => {
    const { state } = compile(of, nothingCompiled, machines);
    return state.vpcs.flatMap((each) => [
      ...namespaceText(each.vpcId, each).split('\n'),
      ...each.natGateways.flatMap(({ hasNat64 }) => (hasNat64 ? renderNat64().add : [])),
    ]);
  };
  const known = new Set(lines(without));
  const actual = `${lines(dual).filter((line) => !known.has(line)).join('\n')}\n`; // biome-ignore format: one thought
  const path = new URL('golden/nat64.txt', import.meta.url);
  if (process.env.UPDATE_GOLDEN !== undefined || !existsSync(path)) writeFileSync(path, actual);
  assert.equal(actual, readFileSync(path, 'utf8'));
});
