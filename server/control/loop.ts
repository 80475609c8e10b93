// The control loop: rows say what should be, this makes it so and writes back what became of it. It hears of every commit; a change that concerns
// packets asks for an apply (network-loop.ts), a change of an instance moves its machine. Each instance is driven by one task at a time, whose
// next step is always decided from the newest row (transitions.ts), so it does not matter in which order wishes and results arrive, nor when the
// process is killed in between: at the next start the rows are read again and the same decisions follow.
// A slow machine delays nobody: machines are driven beside each other, starts at most `startsAtOnce` at a time, and never on the way of an apply.

import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import type { Applied, Machines, NetworkFabric } from '@postern/fabric/types.ts';
import type { InstanceId } from '@postern/network/snapshot.ts';
import { instanceDisk } from '../service.ts';
import type { InstanceRow } from '../store/rows/ec2.ts';
import type { Change, Store } from '../store/store.ts';
import { HealthChecks } from './health-checks.ts';
import { Leases } from './leases.ts';
import { Limit } from './limit.ts';
import { machineSpec } from './machine-spec.ts';
import { NetworkLoop } from './network-loop.ts';
import { concernsNetwork, kindsOfLive, liveVpcs } from './relevance.ts';
import {
  decide,
  forgetTerminated,
  interfacesOf,
  type Machine,
  markEnded,
  markFailed,
  markRunning,
  markStopped,
  markTerminated,
  type Step,
} from './transitions.ts';

export interface Clock {
  now(): Date;
  /** Runs `work` once after `delayMs`. @returns takes it back */
  after(delayMs: number, work: () => void): () => void;
}

export type Log = (message: string) => void;

export interface ControlOptions {
  readonly store: Store;
  readonly fabric: NetworkFabric;
  readonly machines: Machines;
  readonly dataDirectory: string;
  /** PEM of Postern's CA. */
  readonly caCertificate: string;
  readonly clock?: Clock;
  readonly log: Log;
}

export interface Control {
  /** Resolves when the kernel carries the newest rows and no instance is on its way to another state. Rejects with the reason when it can't. */
  settled(): Promise<void>;
  /** The same as a question. */
  readonly isSettled: boolean;
  /** To be called after the store was cleared: ends every machine at once and makes the network as the rows are now. Disks go in the background. */
  reset(): Promise<void>;
  /** Ends every machine; the rows stay as they are, so that the next start brings the same cloud back. */
  close(options?: { graceMs?: number }): Promise<void>;
}

export const systemClock: Clock = {
  now: () => new Date(),
  after: (delayMs, work) => {
    const timer = setTimeout(work, delayMs).unref();
    return () => clearTimeout(timer);
  },
};

const startsAtOnce = 4;
const retryMs = 1000;
/** setTimeout's own limit is 24.8 days; an hour is enough here. */
const longestTimerMs = 3_600_000;

/** Starts the loop: brings back the instances that ran before, and from then on follows the store. */
export function startControl(options: ControlOptions): Control {
  return new ControlLoop(options);
}

class ControlLoop implements Control {
  readonly #options: ControlOptions;
  readonly #store: Store;
  readonly #machines: Machines;
  readonly #clock: Clock;
  readonly #log: Log;
  readonly #network: NetworkLoop;
  readonly #leases: Leases;
  readonly #healthChecks: HealthChecks;
  readonly #starts = new Limit(startsAtOnce);
  readonly #known = new Map<InstanceId, Machine>();
  readonly #busy = new Set<InstanceId>();
  /** Woken while busy: look at the row once more. */
  readonly #again = new Set<InstanceId>();
  readonly #retries = new Map<InstanceId, () => void>();
  readonly #unsubscribe: () => void;
  #waiters: { resolve: () => void; reject: (error: Error) => void }[] = [];
  #live = new Set<string>();
  #cancelForget: (() => void) | undefined;
  /** Resets whose machines and network are not gone yet. */
  #resets = 0;
  #closed = false;

  constructor(options: ControlOptions) {
    this.#options = options;
    this.#store = options.store;
    this.#machines = options.machines;
    this.#clock = options.clock ?? systemClock;
    this.#log = options.log;
    this.#network = new NetworkLoop({
      store: options.store,
      fabric: options.fabric,
      clock: this.#clock,
      log: options.log,
      onIdle: () => this.#checkSettled(),
    });
    this.#leases = new Leases(options.store, options.machines, () => this.#checkSettled());
    this.#unsubscribe = this.#store.onChange((changes, _revision, durable) => this.#changed(changes, durable));
    this.#machines.onExit((id, reason) => this.#exited(id, reason));
    this.#live = this.#store.read(liveVpcs);
    this.#askNetwork();
    for (const row of this.#store.read((tx) => tx.list('instance'))) this.#wake(row.id);
    this.#healthChecks = new HealthChecks({
      store: options.store,
      fabric: options.fabric,
      clock: this.#clock,
      applied: () => this.#network.request(),
    });
    this.#forget();
    this.#sweepDisks();
  }

  get isSettled(): boolean {
    return this.#idle && this.#network.failure === undefined;
  }

  settled(): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#waiters.push({ resolve, reject });
      this.#checkSettled();
    });
  }

  reset(): Promise<void> {
    this.#resets += 1;
    return this.#reset().finally(() => {
      this.#resets -= 1;
      this.#checkSettled();
    });
  }

  async #reset(): Promise<void> {
    for (const cancel of this.#retries.values()) cancel();
    this.#retries.clear();
    this.#live = this.#store.read(liveVpcs);
    // Also the ones that a task is stopping gently: the second stop is the shorter one.
    const stops = this.#machines.running().map((id) => this.#machines.stop(id, { graceMs: 0 }));
    for (const result of await Promise.allSettled(stops))
      if (result.status === 'rejected') this.#log(`reset: ${result.reason}`);
    for (const id of this.#known.keys()) this.#wake(id);
    for (const row of this.#store.read((tx) => tx.list('instance'))) this.#wake(row.id);
    this.#healthChecks.follow();
    this.#forget();
    setImmediate(() => this.#sweepDisks());
    await this.#network.request();
  }

  async close(options: { graceMs?: number } = {}): Promise<void> {
    this.#closed = true;
    this.#unsubscribe();
    this.#healthChecks.close();
    this.#cancelForget?.();
    for (const cancel of this.#retries.values()) cancel();
    this.#network.close();
    await Promise.allSettled(this.#machines.running().map((id) => this.#machines.stop(id, options)));
    for (const waiter of this.#waiters.splice(0)) waiter.reject(new Error('the cloud is ending'));
  }

  get #idle(): boolean {
    const isDriving = this.#resets > 0 || this.#busy.size > 0 || this.#retries.size > 0;
    return !isDriving && this.#network.idle && this.#leases.idle;
  }

  #checkSettled(): void {
    if (this.#waiters.length === 0 || !this.#idle) return;
    const { failure } = this.#network;
    for (const waiter of this.#waiters.splice(0)) {
      if (failure === undefined) waiter.resolve();
      else waiter.reject(new Error(failure));
    }
  }

  #changed(changes: readonly Change[], durable: Promise<void>): void {
    if (changes.some((change) => kindsOfLive.has(change.kind))) this.#live = this.#store.read(liveVpcs);
    if (changes.some((change) => concernsNetwork(change, this.#live))) this.#askNetwork(durable);
    this.#leases.changed(changes);
    this.#healthChecks.changed(changes);
    for (const { kind, id } of changes) if (kind === 'instance') this.#wake(id as InstanceId);
  }

  #askNetwork(durable?: Promise<void>): void {
    // The loop logs a failure and tries again; whoever needs the result asks for it.
    this.#network.request(durable).catch(() => {});
  }

  #exited(id: InstanceId, reason: 'shutdown' | 'reboot' | 'crash'): void {
    if (this.#closed) return;
    const before = this.#known.get(id);
    this.#known.set(id, { up: false, generation: before?.generation ?? 0 });
    if (reason === 'crash') this.#log(`${id} ended unexpectedly`);
    this.#store.transact((tx) => markEnded(tx, id, reason, this.#clock.now()));
    // A reboot changes no row.
    this.#wake(id);
  }

  /** Lets the instance's task look at its row. */
  #wake(id: InstanceId): void {
    if (this.#closed) return;
    if (this.#busy.has(id)) {
      this.#again.add(id);
      return;
    }
    this.#busy.add(id);
    void this.#drive(id);
  }

  async #drive(id: InstanceId): Promise<void> {
    // Not in the middle of somebody's transaction listener.
    await Promise.resolve();
    for (;;) {
      this.#again.delete(id);
      const row = this.#store.read((tx) => tx.get('instance', id));
      const step = this.#closed ? 'none' : decide(row, this.#machine(id));
      if (step === 'none') {
        if (this.#again.has(id)) continue;
        break;
      }
      try {
        await this.#take(step, id, row);
      } catch (error) {
        this.#log(`${id}: ${step} failed: ${messageOf(error)}`);
        this.#retry(id);
        break;
      }
    }
    this.#busy.delete(id);
    if (!this.#machine(id).up) this.#known.delete(id);
    this.#checkSettled();
  }

  #machine(id: InstanceId): Machine {
    return this.#known.get(id) ?? { up: false, generation: 0 };
  }

  #retry(id: InstanceId): void {
    if (this.#closed) return;
    this.#retries.get(id)?.();
    this.#retries.set(
      id,
      this.#clock.after(retryMs, () => {
        this.#retries.delete(id);
        this.#wake(id);
      }),
    );
  }

  /** One step; when it returns, row or machine have moved on. A failure to start is a move too; any other failure throws and is tried again. */
  async #take(step: Exclude<Step, 'none'>, id: InstanceId, row: InstanceRow | undefined): Promise<void> {
    const disk = instanceDisk(this.#options.dataDirectory, id);
    switch (step) {
      case 'restart':
        await this.#end(id);
        return;
      case 'start':
        if (row) await this.#starts.run(() => this.#start(row));
        return;
      case 'stop':
        await this.#end(id);
        this.#write((tx) => markStopped(tx, id));
        return;
      case 'terminate':
        await this.#end(id);
        await this.#machines.destroy(id, disk);
        this.#write((tx) => markTerminated(tx, id, this.#clock.now()));
        this.#forget();
        return;
      case 'discard':
        await this.#end(id, { graceMs: 0 });
        await this.#machines.destroy(id, disk);
        return;
    }
  }

  async #end(id: InstanceId, options: { graceMs?: number } = {}): Promise<void> {
    await this.#machines.stop(id, options);
    this.#leases.forget(id);
    this.#known.set(id, { up: false, generation: this.#machine(id).generation });
  }

  async #start(asked: InstanceRow): Promise<void> {
    const { id } = asked;
    // It may have waited for its turn.
    const row = this.#store.read((tx) => tx.get('instance', id));
    if (this.#closed || decide(row, this.#machine(id)) !== 'start' || !row) return;
    try {
      if (!this.#machine(id).up) {
        const spec = this.#store.read((tx) => machineSpec(tx, row, this.#options));
        await this.#machines.start(spec);
        this.#leases.given(id, spec.lease);
        this.#known.set(id, { up: true, generation: row.bootGeneration });
      }
      if (!(await this.#connect(id))) return;
    } catch (error) {
      this.#log(`${id} could not be started: ${messageOf(error)}`);
      this.#write((tx) => markFailed(tx, id));
      return;
    }
    this.#leases.check(id);
    this.#machines.release(id);
    this.#write((tx) => markRunning(tx, id));
  }

  /** Brings the network to the machine. @returns false when it is no longer wanted; throws when the fabric cannot */
  async #connect(id: InstanceId): Promise<boolean> {
    for (let attempt = 1; ; attempt += 1) {
      const applied = await this.#network.request();
      const row = this.#store.read((tx) => tx.get('instance', id));
      if (this.#closed || !row || (row.state !== 'pending' && row.state !== 'running') || !this.#machine(id).up)
        return false;
      const problem = this.#problem(row, applied);
      if (problem === undefined) return true;
      // Once more: an interface attached after the apply began is in the next one, and a neighbour that ended meanwhile is not.
      if (attempt === 3) throw new Error(problem);
    }
  }

  /** Why an instance's interfaces do not carry packets after an apply; undefined when they do. */
  #problem(row: InstanceRow, applied: Applied): string | undefined {
    const carried = new Set(applied.interfaces);
    const mine = this.#store.read((tx) => interfacesOf(tx, row).map((one) => one.id));
    const missing = mine.filter((id) => !carried.has(id));
    const failures = applied.failures.filter((one) => missing.length > 0 || mine.some((id) => id === one.cause));
    if (failures.length > 0) return failures.map((one) => `${one.cause}: ${one.message}`).join('\n');
    return missing.length > 0 ? `the network did not take ${missing.join(', ')}` : undefined;
  }

  #write(work: Parameters<Store['transact']>[0]): void {
    if (!this.#closed) this.#store.transact(work);
  }

  #forget(): void {
    if (this.#closed) return;
    this.#cancelForget?.();
    const now = this.#clock.now();
    const { value: next } = this.#store.transact((tx) => forgetTerminated(tx, now));
    if (next !== undefined)
      this.#cancelForget = this.#clock.after(Math.min(next - now.getTime(), longestTimerMs), () => this.#forget());
  }

  /** Removes the disks of instances that are gone: a kill between terminate and its last write leaves one, and so does a reset. */
  #sweepDisks(): void {
    if (this.#closed) return;
    for (const name of directoryNames(join(instanceDisk(this.#options.dataDirectory, '.')))) {
      const id = name as InstanceId;
      const state = this.#store.read((tx) => tx.get('instance', id))?.state;
      if ((state !== undefined && state !== 'terminated') || this.#busy.has(id) || this.#machine(id).up) continue;
      this.#machines
        .destroy(id, instanceDisk(this.#options.dataDirectory, id))
        .catch((error) => this.#log(`${id}: its disk stays: ${messageOf(error)}`));
    }
  }
}

function directoryNames(directory: string): string[] {
  try {
    return readdirSync(directory).filter((name) => name.startsWith('i-'));
  } catch {
    // No instance was ever started here.
    return [];
  }
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
