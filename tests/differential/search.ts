// Looks for a network in which the walk and the kernel disagree, and makes it small. Shared by the test, the long form and the mutation check.

import { emptySnapshot, type Snapshot } from '@postern/network/snapshot.ts';
import { indexNetwork } from '@postern/network/walk/network-index.ts';
import { walk } from '@postern/network/walk/walk.ts';
import fc from 'fast-check';
import { asCommands } from './commands.ts';
import { chosenFlows, flowsOf, walkedFlow } from './flows-of.ts';
import type { Compared, Differential } from './harness.ts';
import { smaller } from './smaller.ts';
import { type Topology, topologies } from './topology.ts';

export interface Search {
  readonly networks: number;
  readonly flowsPerNetwork: number;
  readonly seed: number;
  /** How long a disagreement may be made smaller; 0: it is told as it was found. */
  readonly shrinkMs: number;
  /** Told of every flow that was tried. */
  readonly onCompared?: (compared: Compared) => void;
}

/** @returns the first disagreement in words: the flow, what each side says, and the smallest network as commands. Undefined: there was none. */
export async function disagreement(differential: Differential, search: Search): Promise<string | undefined> {
  /** The flow that disagreed first: from then on only this one is tried, for every try costs an apply. */
  let wanted: string | undefined;
  let deadline = Number.POSITIVE_INFINITY;
  let smallest: { readonly topology: Topology; readonly compared: Compared } | undefined;
  const property = fc.asyncProperty(topologies(), async (topology) => {
    if (performance.now() > deadline) return;
    const compared = await tryOne(differential, topology, wanted, search);
    const differing = compared.find((each) => each.differences.length > 0);
    if (differing === undefined) return;
    if (wanted === undefined) deadline = performance.now() + search.shrinkMs / 2;
    wanted = differing.flow.name;
    smallest = { topology, compared: differing };
    throw new Error(wanted);
  });
  const { networks, seed, shrinkMs } = search;
  const report = await fc.check(property, { numRuns: networks, seed, endOnFailure: shrinkMs === 0 });
  if (!report.failed) return undefined;
  if (smallest === undefined) throw report.errorInstance;
  const { snapshot, compared } = await pruned(differential, smallest.topology.snapshot, smallest.compared, shrinkMs);
  return tell(snapshot, smallest.topology, compared, report.seed, await isOfItself(differential, snapshot, compared));
}

async function tryOne(
  differential: Differential,
  { snapshot, salt }: Topology,
  wanted: string | undefined,
  { flowsPerNetwork, onCompared }: Search,
): Promise<readonly Compared[]> {
  const network = indexNetwork(snapshot);
  const flows =
    wanted === undefined
      ? chosenFlows(snapshot, (flow) => walk(network, walkedFlow(flow)), flowsPerNetwork, salt)
      : flowsOf(snapshot).filter((flow) => flow.name === wanted);
  if (flows.length === 0) return [];
  await differential.apply(snapshot);
  const compared = await differential.compare(snapshot, flows);
  if (wanted === undefined) for (const each of compared) onCompared?.(each);
  return compared;
}

/** Takes away whatever the disagreement does not need. */
async function pruned(
  differential: Differential,
  snapshot: Snapshot,
  compared: Compared,
  budgetMs: number,
): Promise<{ snapshot: Snapshot; compared: Compared }> {
  const deadline = performance.now() + budgetMs / 2;
  let best = { snapshot, compared };
  for (let isSmaller = true; isSmaller; ) {
    isSmaller = false;
    for (const less of smaller(best.snapshot, best.compared.flow.sender)) {
      if (performance.now() > deadline) return best;
      const found = await still(differential, less, best.compared);
      if (found === undefined) continue;
      best = { snapshot: less, compared: found };
      isSmaller = true;
      break;
    }
  }
  return best;
}

async function still(
  differential: Differential,
  snapshot: Snapshot,
  { flow }: Compared,
): Promise<Compared | undefined> {
  await differential.apply(snapshot);
  const [found] = await differential.compare(snapshot, [flow]);
  return found !== undefined && found.differences.length > 0 ? found : undefined;
}

/** False: it needs the network that was there before, so that the change is what is wrong. */
async function isOfItself(differential: Differential, snapshot: Snapshot, compared: Compared): Promise<boolean> {
  await differential.apply(emptySnapshot);
  return (await still(differential, snapshot, compared)) !== undefined;
}

function tell(snapshot: Snapshot, topology: Topology, compared: Compared, seed: number, isOfItself: boolean): string {
  const { flow, trace, seen, differences } = compared;
  const path = seen.passages.map(
    ({ leg, place, rules }) =>
      `  ${leg} ${place}: ${rules.map(({ rule, verdict }) => `${rule}${verdict === 'next' ? '' : ` ${verdict}`}`).join('; ')}`,
  );
  return [
    `${flow.name} (${flow.source} → ${flow.destination}), seed ${seed}`,
    ...differences.map((each) => `  ${each}`),
    ...(isOfItself
      ? []
      : ['  Applied to an empty kernel, this network shows nothing of it: the change from the one before it does.']),
    '',
    'The kernel:',
    ...path,
    'The walk:',
    ...trace.steps.map(
      (step) => `  ${step.leg} ${step.stage} ${step.component} ${step.verdict} ${JSON.stringify(step.cause)}`,
    ),
    '',
    'It deviates by:',
    ...topology.deviations.map((each) => `  ${each}`),
    '',
    'As commands:',
    asCommands(snapshot),
  ].join('\n');
}
