// A fabric and machines that only remember what was asked of them, and a clock that stands still: the control loop's decisions without a kernel.

import type { Applied, FlowCounts, Lease, MachineSpec, Machines, NetworkFabric } from '@postern/fabric/types.ts';
import type { InstanceId, Snapshot } from '@postern/network/snapshot.ts';
import type { Clock } from './loop.ts';

type ExitListener = Parameters<Machines['onExit']>[0];

/** A promise that a test holds back. */
export class Gate {
  #open: () => void = () => {};
  readonly opened: Promise<void>;

  constructor() {
    this.opened = new Promise((resolve) => {
      this.#open = resolve;
    });
  }

  open(): void {
    this.#open();
  }
}

export class FakeMachines implements Machines {
  /** `start i-1`, `release i-1`, `stop i-1`, `destroy i-1` in order. */
  readonly log: string[] = [];
  readonly specs: MachineSpec[] = [];
  readonly #up = new Set<InstanceId>();
  readonly #listeners: ExitListener[] = [];
  startGate: Gate | undefined;
  stopGate: Gate | undefined;
  failStart: string | undefined;
  starting = 0;
  mostStarting = 0;

  async start(spec: MachineSpec): Promise<void> {
    this.log.push(`start ${spec.instanceId}`);
    this.specs.push(spec);
    this.starting += 1;
    this.mostStarting = Math.max(this.mostStarting, this.starting);
    await this.startGate?.opened;
    this.starting -= 1;
    if (this.failStart !== undefined) throw new Error(this.failStart);
    if (this.#up.has(spec.instanceId)) throw new Error(`${spec.instanceId} runs already`);
    this.#up.add(spec.instanceId);
  }

  release(instanceId: InstanceId): void {
    this.log.push(`release ${instanceId}`);
  }

  async renewLease(instanceId: InstanceId, lease: Lease): Promise<void> {
    this.log.push(`renew ${instanceId} ${lease.nameServers.join(' ')}`);
  }

  async stop(instanceId: InstanceId, options: { graceMs?: number } = {}): Promise<void> {
    if (!this.#up.has(instanceId)) return;
    this.log.push(`stop ${instanceId}`);
    if (options.graceMs !== 0) await this.stopGate?.opened;
    this.#up.delete(instanceId);
  }

  async destroy(instanceId: InstanceId): Promise<void> {
    if (this.#up.has(instanceId)) throw new Error(`${instanceId} runs`);
    this.log.push(`destroy ${instanceId}`);
  }

  running(): readonly InstanceId[] {
    return [...this.#up];
  }

  processId(instanceId: InstanceId): number | undefined {
    return this.#up.has(instanceId) ? 1 : undefined;
  }

  onExit(listener: ExitListener): void {
    this.#listeners.push(listener);
  }

  /** The machine ends by itself. */
  exit(instanceId: InstanceId, reason: 'shutdown' | 'reboot' | 'crash'): void {
    this.#up.delete(instanceId);
    for (const listener of this.#listeners) listener(instanceId, reason);
  }

  exec(): never {
    throw new Error('nothing runs in a fake machine');
  }

  consoleOutput(): Buffer {
    return Buffer.alloc(0);
  }
}

export class FakeFabric implements NetworkFabric {
  readonly snapshots: Snapshot[] = [];
  readonly listen = { resolver: '240.240.0.1', metadata: '240.240.0.2' };
  readonly #machines: FakeMachines;
  gate: Gate | undefined;
  fail: string | undefined;

  constructor(machines: FakeMachines) {
    this.#machines = machines;
  }

  async apply(snapshot: Snapshot): Promise<Applied> {
    this.snapshots.push(snapshot);
    await this.gate?.opened;
    const live = snapshot.vpcs.flatMap((vpc) => vpc.networkInterfaces);
    const up = new Set(this.#machines.running());
    return {
      revision: snapshot.revision,
      elapsedMs: 0,
      interfaces: this.fail
        ? []
        : live
            .filter((one) => one.attachment && up.has(one.attachment.instanceId))
            .map((one) => one.networkInterfaceId),
      failures: this.fail ? [{ cause: 'vpc', message: this.fail }] : [],
    };
  }

  through(): undefined {
    return undefined;
  }

  fromNode(): undefined {
    return undefined;
  }

  origin(): undefined {
    return undefined;
  }

  /** What the next reading tells. */
  counts: FlowCounts = { flows: [], skipped: [], failures: [] };

  async flowCounts(): Promise<FlowCounts> {
    return this.counts;
  }

  async close(): Promise<void> {}
}

/** Time passes when the test says so. */
export class FakeClock implements Clock {
  #now: number;
  readonly #timers = new Set<{ at: number; work: () => void }>();

  constructor(start: Date) {
    this.#now = start.getTime();
  }

  now(): Date {
    return new Date(this.#now);
  }

  after(delayMs: number, work: () => void): () => void {
    const timer = { at: this.#now + delayMs, work };
    this.#timers.add(timer);
    return () => this.#timers.delete(timer);
  }

  get timers(): number {
    return this.#timers.size;
  }

  advance(byMs: number): void {
    this.#now += byMs;
    for (const timer of [...this.#timers]) {
      if (timer.at > this.#now) continue;
      this.#timers.delete(timer);
      timer.work();
    }
  }
}
