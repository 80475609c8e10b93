// More interfaces of endpoints than the underlay has blocks for: those that are too many do without, and nothing else does.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { InstanceId, Snapshot } from '@postern/network/snapshot.ts';
import { endpointEni, eni, interfaceEndpoint, peered, snapshot, subnet, vpc } from '../tests/flows/snapshots.ts';
import { compile, nothingCompiled } from './compile/compile.ts';
import { endpointInterfacesOf } from './compile/interface-endpoints.ts';
import { originOf, originTable } from './origin.ts';

function network(count: number): Snapshot {
  const names = Array.from({ length: count }, (_, index) => `p${index}`);
  const doors = names.map((name, index) => endpointEni(name, '1', `10.0.${8 + (index >> 8)}.${index & 255}`));
  const first = vpc({
    subnets: [subnet('1', '10.0.0.0/16')],
    networkInterfaces: [eni('a', '1', '10.0.0.10'), ...doors],
    interfaceEndpoints: [interfaceEndpoint(doors.map((each) => each.networkInterfaceId))],
  });
  const other = vpc({ vpcId: 'vpc-b', cidrBlocks: ['10.1.0.0/16'], subnets: [], networkInterfaces: [] });
  return peered(snapshot(first, other), { ab: ['vpc-a', 'vpc-b'] });
}

test('[X6] each interface has a block for its VPC and one for the peer, until there are none left', () => {
  const processes = new Map<InstanceId, number>([['i-a', 1]]);
  const few = network(3);
  const { allocation } = compile(few, nothingCompiled, processes);
  const interfaces = endpointInterfacesOf(few, allocation);
  assert.deepEqual(
    interfaces.map((each) => [each.blocks.map(([block]) => block), each.withoutRoom]),
    Array(3).fill([['10.0.0.0/16', '10.1.0.0/16'], []]),
  );
  const underlay = interfaces.flatMap((each) => each.blocks.map(([, block]) => block));
  assert.equal(new Set(underlay).size, 6);
  // The same client by two interfaces of one endpoint: two remotes, one local address, the same caller.
  const table = originTable(few, allocation);
  const local = interfaces[0]?.endpointAddress ?? '';
  for (const block of underlay) {
    const seen = originOf(table, block.replace('.0.0/16', '.0.10'), local);
    assert.ok(seen?.kind === 'endpoint' && seen.vpcEndpointId === 'vpce-if' && seen.vpcId === 'vpc-a');
    assert.match(seen.sourceIp, /^10\.[01]\.0\.10$/);
  }
  assert.equal(originOf(table, '240.200.0.10', local), undefined);

  const many = network(2100);
  const full = endpointInterfacesOf(many, compile(many, nothingCompiled, processes).allocation);
  const roomless = full.flatMap((each) => each.withoutRoom).length;
  // 4,093 blocks, one of them for the VPC's way to metadata and resolver.
  assert.equal(roomless, 4200 - 4092);
  assert.equal(full.flatMap((each) => each.blocks).length, 4092);
  assert.deepEqual(full[0]?.withoutRoom, []);
});
