// What the roads to the internet are to the kernel: a NAT gateway, an edge route table with its middlebox, and public access that is blocked.
// `UPDATE_GOLDEN=1` writes the golden file anew.

import assert from 'node:assert/strict';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { test } from 'node:test';
import { eni, local, nat, snapshot, subnet, table, toIgw, toNat, vpc } from '../tests/flows/snapshots.ts';
import { compile, nothingCompiled } from './compile/compile.ts';
import { namespaceText } from './golden/text.ts';
import { renderNatGateway } from './render/ip.ts';
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
