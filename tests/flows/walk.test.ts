// The table of flows against the walk: what it explains must be what the kernel does with the same rows (flows.kernel.test.ts).

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { flowCases } from './cases.ts';
import { ipv6Cases } from './ipv6-cases.ts';
import { nat64Cases } from './nat64-cases.ts';
import { indexNetwork, isAnswered, nameOf, walkFlow } from './walking.ts';

for (const flowCase of [...flowCases, ...ipv6Cases, ...nat64Cases]) {
  test(`walk: ${flowCase.title}`, () => {
    const network = indexNetwork(flowCase.snapshot);
    for (const flow of flowCase.flows) {
      const trace = walkFlow(network, flow);
      const name = nameOf(flow);
      const verdict = trace.verdict === 'open' && isAnswered(flow, trace) ? 'open' : 'timeout';
      assert.equal(verdict, flow.expect, `${name}\n${JSON.stringify(trace.blockers, null, 1)}`);
      if (flow.seenAs !== undefined) assert.equal(trace.seenAs, flow.seenAs, name);
      if (flow.expect === 'timeout' && trace.verdict === 'dropped')
        assert.ok(trace.blockers.length > 0, `${name} is dropped by nothing`);
    }
  });
}
