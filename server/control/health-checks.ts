// Health checks of load balancers (B5): each target is asked at once when it comes into use, and from then on every interval, by a connection that the node's own interface
// begins. So groups, ACLs and routes decide it as they decide what is forwarded. What it says is written into the rows when it changes, and the Snapshot follows.

import { isDeepStrictEqual } from 'node:util';
import type { NetworkFabric } from '@postern/fabric/types.ts';
import type { TargetRow } from '../store/rows/load-balancing.ts';
import type { Change, Kind, Store } from '../store/store.ts';
import { type Answer, askTarget } from './ask-target.ts';
import { type HealthCheck, healthChecks } from './load-balancers.ts';
import type { Clock } from './loop.ts';

/** Kinds of rows that checks follow from. */
const kinds: ReadonlySet<Kind> = new Set([
  'load-balancer',
  'target-group',
  'listener',
  'instance',
  'network-interface',
]);

interface Running {
  readonly check: HealthCheck;
  /** In a row, of one kind. */
  successes: number;
  failures: number;
  end: () => void;
}

export interface HealthCheckOptions {
  readonly store: Store;
  readonly fabric: Pick<NetworkFabric, 'fromNode'>;
  readonly clock: Clock;
  /** Settles when the kernel carries the rows of now. */
  readonly applied: () => Promise<unknown>;
  /** For tests. */
  readonly ask?: typeof askTarget;
}

export class HealthChecks {
  readonly #options: HealthCheckOptions;
  readonly #running = new Map<string, Running>();
  #isClosed = false;

  constructor(options: HealthCheckOptions) {
    this.#options = options;
    this.follow();
  }

  changed(changes: readonly Change[]): void {
    if (changes.some(({ kind }) => kinds.has(kind))) this.follow();
  }

  close(): void {
    this.#isClosed = true;
    for (const { end } of this.#running.values()) end();
    this.#running.clear();
  }

  /** Begins what is new, ends what is not wanted any more; what goes on keeps its place in the interval. */
  follow(): void {
    if (this.#isClosed) return;
    const wanted = new Map(this.#options.store.read(healthChecks).map((check) => [keyOf(check), check]));
    for (const [key, { check, end }] of this.#running) {
      if (isDeepStrictEqual(wanted.get(key), check)) continue;
      end();
      this.#running.delete(key);
    }
    for (const [key, check] of wanted) if (!this.#running.has(key)) this.#begin(key, check);
  }

  #begin(key: string, check: HealthCheck): void {
    const running: Running = { check, successes: 0, failures: 0, end: () => {} };
    this.#running.set(key, running);
    let isEnded = false;
    running.end = () => {
      isEnded = true;
    };
    const start = () => {
      if (!isEnded) void this.#ask(running);
    };
    // A packet that is sent before its way is there would be a failure of nobody's.
    this.#options.applied().then(start, start);
  }

  async #ask(running: Running): Promise<void> {
    const { store, fabric, clock, ask = askTarget } = this.#options;
    const { check } = running;
    const way = fabric.fromNode(check.networkInterfaceId, check.address);
    const abort = new AbortController();
    running.end = () => abort.abort();
    const answer: Answer = way === undefined ? 'failure' : await ask(way, check, abort.signal);
    if (abort.signal.aborted) return;
    running.successes = answer === 'success' ? running.successes + 1 : 0;
    running.failures = answer === 'failure' ? running.failures + 1 : 0;
    running.end = clock.after(check.settings.intervalSeconds * 1000, () => void this.#ask(running));
    const group = store.read((tx) => tx.get('target-group', check.targetGroupArn));
    const target = group?.targets.find((each) => isSame(each, check.target));
    if (target === undefined || stateAfter(target.state, running) === target.state) return;
    store.transact((tx) => {
      const row = tx.get('target-group', check.targetGroupArn);
      if (!row) return;
      const targets = row.targets.map((each) =>
        isSame(each, check.target) ? { ...each, state: stateAfter(each.state, running) } : each,
      );
      tx.put('target-group', { ...row, targets });
    });
  }
}

/** A new target is in service with its first success; from then on the thresholds count (B5). */
function stateAfter(before: TargetRow['state'], { check, successes, failures }: Running): TargetRow['state'] {
  if (before === 'draining') return before;
  if (successes >= (before === 'initial' ? 1 : check.settings.healthyThreshold)) return 'healthy';
  return failures >= check.settings.unhealthyThreshold ? 'unhealthy' : before;
}

const isSame = (one: Pick<TargetRow, 'id' | 'port'>, other: Pick<TargetRow, 'id' | 'port'>) =>
  one.id === other.id && one.port === other.port;

const keyOf = ({ targetGroupArn, target }: HealthCheck) => `${targetGroupArn} ${target.id} ${target.port}`;
