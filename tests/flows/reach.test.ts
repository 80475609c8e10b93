// The table of flows against reach: a row's flow is in the set of what its machine reaches exactly when the row says that it is carried.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { End, Reach } from '@postern/network/reach/ends.ts';
import { prepareReach, type Reachability, witness } from '@postern/network/reach/reach.ts';
import type { Snapshot } from '@postern/network/snapshot.ts';
import type { Flow as WalkFlow } from '@postern/network/walk/packet.ts';
import { walk } from '@postern/network/walk/walk.ts';
import { flowCases } from './cases.ts';
import { ipv6Cases } from './ipv6-cases.ts';
import { nat64Cases } from './nat64-cases.ts';
import { indexNetwork, isHeard, nameOf, walkedFlow } from './walking.ts';

/** Everything that an end reaches, the VPC's own services too. */
function everything(reach: Reachability, snapshot: Snapshot, from: WalkFlow['from']): Reach[] {
  if (from.kind === 'peering-connection') throw new Error('no row begins there');
  const services = snapshot.vpcs.flatMap(({ vpcId }): End[] => [
    { kind: 'vpc-service', vpcId, service: 'metadata' },
    { kind: 'vpc-service', vpcId, service: 'resolver' },
  ]);
  return [...reach.from(from), ...reach.between([from], services)];
}

for (const flowCase of [...flowCases, ...ipv6Cases, ...nat64Cases]) {
  test(`reach: ${flowCase.title}`, () => {
    const network = indexNetwork(flowCase.snapshot);
    const reach = prepareReach(network);
    for (const row of flowCase.flows) {
      const flow = walkedFlow(network, row);
      const found = everything(reach, flowCase.snapshot, flow.from).find(({ flows }) => flows.contains(flow.packet));
      const verdict = found !== undefined && isHeard(row, found.arrival) ? 'open' : 'timeout';
      assert.equal(verdict, row.expect, `${nameOf(row)}: ${found?.flows.describe() ?? 'in no set'}`);
      if (row.by?.startsWith('vpce-')) assert.equal(found?.via.at(-1)?.id, row.by, nameOf(row));
    }
    for (const each of reach.allPairs().expand()) {
      const flow = witness(each);
      assert.ok(flow, each.flows.describe());
      assert.equal(walk(network, flow).verdict, 'open', `${JSON.stringify(flow)} of ${each.flows.describe()}`);
    }
  });
}
