// The table of flows against the walk: what it explains must be what the kernel does with the same rows (flows.kernel.test.ts).

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { addressPlan } from '@postern/network/addresses.ts';
import type { Snapshot } from '@postern/network/snapshot.ts';
import { echoRequest, protocols } from '@postern/network/walk/packet.ts';
import type { Trace } from '@postern/network/walk/trace.ts';
import { walk } from '@postern/network/walk/walk.ts';
import { flowCases } from './cases.ts';
import type { Flow } from './flow.ts';

/** The walk ends at a host; whether something listens there is the host's affair, and these ports are the ones of the table. */
const open = { machine: [22, 80], outside: [80, 443], 'vpc-endpoint': [80, 443] };

function walkFlow(snapshot: Snapshot, flow: Flow): Trace {
  const ports = flow.port === undefined ? {} : { sourcePort: 40_000, destinationPort: flow.port };
  const icmp = flow.protocol === 'icmp' ? { icmp: echoRequest } : {};
  const packet = { protocol: protocols[flow.protocol], destination: flow.to, ...ports, ...icmp };
  if (flow.from === 'laptop')
    return walk(snapshot, { from: { kind: 'internet' }, packet: { ...packet, source: addressPlan.laptop } });
  const cards = snapshot.vpcs.flatMap((vpc) => vpc.networkInterfaces);
  const card = cards.find((each) => each.attachment?.instanceId === `i-${flow.from}`);
  assert.ok(card, `i-${flow.from} has no interface`);
  const source = flow.source ?? card.privateAddresses[0]?.address ?? '';
  return walk(snapshot, {
    from: { kind: 'network-interface', networkInterfaceId: card.networkInterfaceId },
    packet: { ...packet, source },
  });
}

function isAnswered(flow: Flow, { arrival }: Trace): boolean {
  if (flow.protocol === 'icmp' || arrival === undefined || arrival.kind === 'vpc-service') return true;
  const ports =
    arrival.kind === 'network-interface'
      ? open.machine
      : arrival.kind === 'internet'
        ? open.outside
        : open['vpc-endpoint'];
  return ports.includes(flow.port ?? 0) && (arrival.kind === 'network-interface' || flow.protocol === 'tcp');
}

for (const flowCase of flowCases) {
  test(`walk: ${flowCase.title}`, () => {
    for (const flow of flowCase.flows) {
      const trace = walkFlow(flowCase.snapshot, flow);
      const name = `${flow.from} → ${flow.protocol} ${flow.to}:${flow.port ?? ''}`;
      const verdict = trace.verdict === 'open' && isAnswered(flow, trace) ? 'open' : 'timeout';
      assert.equal(verdict, flow.expect, `${name}\n${JSON.stringify(trace.blockers, null, 1)}`);
      if (flow.seenAs !== undefined) assert.equal(trace.seenAs, flow.seenAs, name);
      if (flow.expect === 'timeout' && trace.verdict === 'dropped')
        assert.ok(trace.blockers.length > 0, `${name} is dropped by nothing`);
    }
  });
}
