import { emptySnapshot } from '@postern/network/snapshot.ts';
// The table of flows against real packets. Every case is applied over the one before it, so moving from any network to any other is tried as well.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { createNetworkFabric } from '@postern/fabric/network-fabric.ts';
import { type AwsSide, startAwsSide } from './aws-side.ts';
import { flowCases } from './cases.ts';
import type { Flow } from './flow.ts';
import { ipv6Cases } from './ipv6-cases.ts';
import { nat64Cases } from './nat64-cases.ts';
import { type Probe, ProbeMachines, patientMs } from './probe.ts';

const machines = new ProbeMachines();
const probes = new Map<string, Probe>();
const fabric = createNetworkFabric({ machines });
let aws: AwsSide | undefined;

before(async () => {
  for (const name of ['a', 'b', 'c', 'd']) {
    const probe = await machines.start(`i-${name}`);
    for (const port of [22, 80]) for (const protocol of ['tcp', 'udp'] as const) await probe.listen(protocol, port);
    // For rows in which it is a middlebox.
    await probe.run('sh', '-c', 'echo 1 > /proc/sys/net/ipv4/ip_forward');
    probes.set(name, probe);
  }
  await fabric.apply(emptySnapshot);
  aws = await startAwsSide(fabric);
});

after(async () => {
  await aws?.close();
  await machines.stopAll();
  await fabric.close();
});

async function attempt(flow: Flow): Promise<string> {
  const { to: host, port = 0 } = flow;
  const timeoutMs = flow.expect === 'timeout' ? undefined : patientMs;
  if (flow.from === 'laptop') return aws?.fromLaptop(host, port, timeoutMs) ?? 'no AWS side';
  const probe = probes.get(flow.from);
  if (probe === undefined) throw new Error(`no machine ${flow.from}`);
  if (flow.protocol === 'icmp') return probe.ping(host, timeoutMs);
  return probe[flow.protocol]({
    ...{ host, port },
    ...(flow.source !== undefined && { from: flow.source }),
    ...(timeoutMs !== undefined && { timeoutMs }),
  });
}

function name(flow: Flow): string {
  return `${flow.from} → ${flow.protocol} ${flow.to}${flow.port === undefined ? '' : `:${flow.port}`}`;
}

/** Only what the row asks for. */
function told(flow: Flow, verdict: string, source = '', by = ''): string {
  const seen = flow.seenAs === undefined ? '' : ` as ${source}`;
  return `${name(flow)}: ${verdict}${seen}${flow.by === undefined ? '' : ` by ${by}`}`;
}

for (const flowCase of [...flowCases, ...ipv6Cases, ...nat64Cases]) {
  test(flowCase.title, async () => {
    const applied = await fabric.apply(flowCase.snapshot);
    assert.deepEqual(applied.failures, []);
    const answers = await Promise.all(flowCase.flows.map(attempt));
    const observed = flowCase.flows.map((flow, index) => {
      const [verdict = '', source = '', , by = ''] = (answers[index] ?? '').split(/[ >]/);
      return told(flow, verdict, source, by);
    });
    assert.deepEqual(
      observed,
      flowCase.flows.map((flow) => told(flow, flow.expect, flow.seenAs, flow.by)),
    );
  });
}
