// What would have to change in the network for a flow to pass? Steps that drop are opened one after the other, each by a candidate that the walk then
// confirms on a copy of the Snapshot, until nothing drops; where there are several roads, each is followed. What turns out not to be needed is left out.

import type { Snapshot } from '../snapshot.ts';
import { indexNetwork, type NetworkIndex } from '../walk/network-index.ts';
import type { Flow } from '../walk/packet.ts';
import type { Trace } from '../walk/trace.ts';
import { walk } from '../walk/walk.ts';
import { candidatesFor, hasRoute } from './candidates.ts';
import { applyChange, applyChanges, type Change } from './changes.ts';

export interface NetworkStep {
  readonly change: Change;
  /** Other forms of the same change, each of which opens the flow too. */
  readonly forms: readonly Change[];
}

export interface NetworkRemedy {
  readonly steps: readonly NetworkStep[];
  /** The walk afterwards. */
  readonly trace: Trace;
}

export interface NetworkRemedies {
  /** Different roads, the one with the smallest changes first; none of them holds another's changes and more. Empty: no change that is known opens it. */
  readonly remedies: readonly NetworkRemedy[];
  /** Steps that nothing is known to open, where there is no remedy. */
  readonly unsolved: Trace['blockers'];
}

const mostWalks = 400;
const mostSteps = 14;
const mostRemedies = 4;

/** How large a change is: a rule is less than a gateway, and what costs money most. */
const sizes: Readonly<Record<Change['kind'], number>> = {
  'dns-support': 1,
  'group-rule': 1,
  'acl-entry': 1,
  'endpoint-route-table': 1,
  route: 1.5,
  'no-source-dest-check': 2,
  'acl-shift': 2,
  'public-access-exclusion': 2,
  'new-gateway-endpoint': 3,
  'elastic-ip': 4,
  'transit-gateway-route': 3,
  'transit-gateway-association': 4,
  'new-internet-gateway': 4,
};

/** The ports that a flow's own side may choose: Linux picks from the first range, others and NAT gateways from the second. */
export function replyPortsOf({ from }: Flow): { readonly from: number; readonly to: number } {
  return from.kind === 'internet' ? { from: 1024, to: 65_535 } : { from: 32_768, to: 60_999 };
}

/**
 * Remedies for one flow, whose source port may be any that its side would choose.
 * @param first changes that are made in any case: a road that somebody wants tried
 */
export function networkRemedies(snapshot: Snapshot, flow: Flow, first: readonly Change[] = []): NetworkRemedies {
  const search = new Search(flow);
  search.follow(
    applyChanges(snapshot, first),
    first.map((change) => ({ change, forms: [] })),
  );
  const found = search.found
    .map((steps) => minimal(snapshot, flow, steps, first))
    .sort((one, other) => sizeOf(one) - sizeOf(other));
  const distinct = found.filter((steps, place) => !found.slice(0, place).some((other) => holds(steps, other)));
  return {
    remedies: distinct.slice(0, mostRemedies).map((steps) => ({
      steps: withForms(snapshot, flow, steps),
      trace: walk(applyChanges(snapshot, changesOf(steps)), flow),
    })),
    unsolved: found.length > 0 ? [] : search.stuck,
  };
}

class Search {
  readonly found: (readonly NetworkStep[])[] = [];
  stuck: Trace['blockers'] = [];
  readonly #flow: Flow;
  #walks = 0;

  constructor(flow: Flow) {
    this.#flow = flow;
  }

  follow(snapshot: Snapshot, steps: readonly NetworkStep[]): void {
    if (this.#walks >= mostWalks || steps.length > mostSteps) return;
    const network = indexNetwork(snapshot);
    const trace = firstDropped(network, this.#flow);
    this.#walks += 1;
    if (trace === undefined) {
      this.found.push(steps);
      return;
    }
    // The first obstacle that something can be done about: an early one may be the consequence of the road that a later one changes.
    for (const step of trace.blockers) {
      const candidates = candidatesFor({ network, trace, step, replyPorts: replyPortsOf(this.#flow) }).filter(
        ({ change }) => !steps.some((one) => isSame(one.change, change)),
      );
      if (candidates.length === 0) continue;
      for (const { change, forms = [] } of candidates) {
        this.follow(applyChange(snapshot, change), [...steps, { change, forms }]);
      }
      return;
    }
    if (this.stuck.length === 0) this.stuck = trace.blockers;
  }
}

/**
 * A flow's source port may be any of a range, and ACLs look at it on the way back. They change their minds only at the ends of their entries, so those
 * stand for all between.
 */
function firstDropped(network: NetworkIndex, flow: Flow): Trace | undefined {
  const trace = walk(network, flow);
  const { packet } = flow;
  if (trace.verdict === 'dropped' || packet.sourcePort === undefined)
    return trace.verdict === 'dropped' ? trace : undefined;
  const { from, to } = replyPortsOf(flow);
  const met = new Set(trace.steps.map((step) => step.component));
  const entries = network.snapshot.vpcs
    .flatMap((vpc) => vpc.networkAcls)
    .filter((acl) => met.has(acl.networkAclId))
    .flatMap((acl) => [...acl.ingress, ...acl.egress]);
  const ends = entries.flatMap(({ ports }) => (ports ? [ports.from - 1, ports.from, ports.to, ports.to + 1] : []));
  const samples = new Set([from, to, ...ends.filter((port) => port >= from && port <= to)]);
  for (const sourcePort of samples) {
    const other = walk(network, { ...flow, packet: { ...packet, sourcePort } });
    if (other.verdict === 'dropped') return other;
  }
  return undefined;
}

function isOpen(snapshot: Snapshot, flow: Flow, changes: readonly Change[]): boolean {
  return firstDropped(indexNetwork(applyChanges(snapshot, changes)), flow) === undefined;
}

const changesOf = (steps: readonly NetworkStep[]) => steps.map(({ change }) => change);
const sizeOf = (steps: readonly NetworkStep[]) => steps.reduce((sum, { change }) => sum + sizes[change.kind], 0);
const isSame = (one: Change, other: Change) => JSON.stringify(one) === JSON.stringify(other);
const holds = (larger: readonly NetworkStep[], smaller: readonly NetworkStep[]) =>
  smaller.every((step) => larger.some((one) => isSame(one.change, step.change)));

function minimal(
  snapshot: Snapshot,
  flow: Flow,
  steps: readonly NetworkStep[],
  first: readonly Change[],
): NetworkStep[] {
  let kept = [...steps];
  for (const step of steps) {
    if (first.includes(step.change)) continue;
    const without = kept.filter((one) => one !== step);
    if (isOpen(snapshot, flow, changesOf(without))) kept = without;
  }
  return replayed(snapshot, kept);
}

/** Whether a route replaces one depends on the steps before it, and some of those may be gone now. */
function replayed(snapshot: Snapshot, steps: readonly NetworkStep[]): NetworkStep[] {
  let current = snapshot;
  return steps.map((step) => {
    const { change } = step;
    const before = current;
    current = applyChange(current, change);
    if (change.kind !== 'route') return step;
    const replaces = hasRoute(before, change.routeTableId, change.destination);
    return { ...step, change: { ...change, replaces } };
  });
}

function withForms(snapshot: Snapshot, flow: Flow, steps: readonly NetworkStep[]): NetworkStep[] {
  return steps.map((step) => ({
    ...step,
    forms: step.forms.filter((form) =>
      isOpen(
        snapshot,
        flow,
        steps.map((one) => (one === step ? form : one.change)),
      ),
    ),
  }));
}
