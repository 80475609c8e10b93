// The walk and the kernel, held against each other: random networks, for each of them flows that are walked and sent as packets. Verdict and the source
// address that is seen must agree. What disagrees is shrunk to the smallest network that still does and printed as AWS CLI commands.
// POSTERN_DIFFERENTIAL_RUNS and POSTERN_DIFFERENTIAL_SEED make it longer or another one; the seed of a failure is in its message.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { createNetworkFabric } from '@postern/fabric/network-fabric.ts';
import { emptySnapshot, type Snapshot } from '@postern/network/snapshot.ts';
import fc from 'fast-check';
import { type AwsSide, startAwsSide } from '../flows/aws-side.ts';
import type { Flow } from '../flows/flow.ts';
import { type Probe, ProbeMachines } from '../flows/probe.ts';
import { indexNetwork, isAnswered, nameOf, walkFlow } from '../flows/walking.ts';
import { asCommands } from './commands.ts';
import { flowsOf } from './flows-of.ts';
import { machines as names, topologies } from './topology.ts';

const runs = Number(process.env['POSTERN_DIFFERENTIAL_RUNS'] ?? 25);
const seed = Number(process.env['POSTERN_DIFFERENTIAL_SEED'] ?? 20261121);
/** A dropped packet costs this much; what is missing although the walk lets it pass is asked again, longer. */
const [impatientMs, patientMs] = [500, 3000];

const machines = new ProbeMachines();
const probes = new Map<string, Probe>();
const fabric = createNetworkFabric({ machines });
let aws: AwsSide | undefined;

before(async () => {
  for (const name of names) {
    const probe = await machines.start(`i-${name}`);
    for (const port of [22, 80]) for (const protocol of ['tcp', 'udp'] as const) await probe.listen(protocol, port);
    // Any of them may be a middlebox.
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

/** `open SOURCE`, or `timeout`. A refusal is an answer: the packets came through, both ways. */
async function send(flow: Flow, timeoutMs: number): Promise<string> {
  const answer = await ask(flow, timeoutMs);
  const [verdict, source = ''] = answer.split(/[ >]/);
  if (verdict === 'open') return flow.protocol === 'tcp' ? `open as ${source}` : 'open';
  return verdict === 'timeout' ? 'timeout' : answer;
}

async function ask(flow: Flow, timeoutMs: number): Promise<string> {
  const { to: host, port = 0 } = flow;
  if (flow.from === 'laptop') return (await aws?.fromLaptop(host, port, timeoutMs)) ?? 'no AWS side';
  const probe = probes.get(flow.from);
  if (probe === undefined) throw new Error(`no machine ${flow.from}`);
  return flow.protocol === 'icmp' ? probe.ping(host) : probe[flow.protocol]({ host, port, timeoutMs });
}

interface Disagreement {
  readonly flow: string;
  readonly walk: string;
  readonly kernel: string;
  readonly why: unknown;
}

async function disagreements(snapshot: Snapshot): Promise<Disagreement[]> {
  // An instance never changes its VPC, and here the next network may have it in another one.
  await fabric.apply(emptySnapshot);
  const applied = await fabric.apply(snapshot);
  assert.deepEqual(applied.failures, []);
  const network = indexNetwork(snapshot);
  const found = await Promise.all(
    flowsOf(snapshot).map(async (flow): Promise<Disagreement[]> => {
      const trace = walkFlow(network, flow);
      const isOpen = trace.verdict === 'open' && isAnswered(flow, trace);
      const said = !isOpen
        ? 'timeout'
        : flow.protocol === 'tcp' && flow.from !== 'laptop'
          ? `open as ${trace.seenAs}`
          : 'open';
      const agrees = (seen: string) => (said === 'open' ? seen.startsWith('open') : seen === said);
      let kernel = await send(flow, impatientMs);
      if (isOpen && !agrees(kernel)) kernel = await send(flow, patientMs);
      if (agrees(kernel)) return [];
      const why = isOpen ? trace.steps : trace.blockers;
      return [{ flow: nameOf(flow), walk: said, kernel, why }];
    }),
  );
  return found.flat();
}

test(`${runs} random networks: the walk says what the kernel does`, async () => {
  let flows = 0;
  const property = fc.asyncProperty(
    topologies({ nat: true, peering: true, interfaceEndpoints: true, middleboxes: true }),
    async (snapshot) => {
      flows += flowsOf(snapshot).length;
      const found = await disagreements(snapshot);
      if (found.length > 0) throw new Error(`${JSON.stringify(found, null, 1)}\n\n${asCommands(snapshot)}`);
    },
  );
  const report = await fc.check(property, {
    numRuns: runs,
    seed,
    endOnFailure: false,
    interruptAfterTimeLimit: 600_000,
  });
  if (report.failed) {
    const message = report.errorInstance instanceof Error ? report.errorInstance.message : String(report.errorInstance);
    assert.fail(
      `seed ${report.seed}, path ${report.counterexamplePath}, shrunk ${report.numShrinks} times\n${message}`,
    );
  }
  assert.ok(flows > runs * 20, `only ${flows} flows were tried`);
});
