// The loop of the flow logs: every minute it reads what the kernel counted, and hands the records to their destinations. Without a flow log it sleeps.
// AWS delivers to S3 every five minutes (flow-logs-s3-path.html); whoever cannot wait asks for `flush`.

import { randomUUID } from 'node:crypto';
import type { NetworkFabric } from '@postern/fabric/types.ts';
import type { ServiceCaller } from '../as-service.ts';
import { flowLogsOf } from '../control/logged-traffic.ts';
import type { Clock, Log } from '../control/loop.ts';
import { isLive } from '../control/snapshot.ts';
import { AwsError } from '../errors.ts';
import { instanceTypes } from '../services/ec2/instance-type-table.ts';
import { zonesOf } from '../services/ec2/zones.ts';
import type { NetworkInterfaceRow } from '../store/rows/ec2.ts';
import type { FlowLogRow } from '../store/rows/flow-logs.ts';
import type { Change, Store, Transaction } from '../store/store.ts';
import { deliverToLogGroup } from './logs-destination.ts';
import type { LoggedInterface } from './records.ts';
import { deliverToBucket } from './s3-destination.ts';
import { type Lines, type Logged, Windows } from './windows.ts';

export interface FlowLogsOptions {
  readonly store: Store;
  readonly fabric: Pick<NetworkFabric, 'flowCounts'>;
  readonly call: ServiceCaller;
  readonly partitionOf: (region: string) => string;
  readonly clock: Clock;
  readonly log: Log;
}

const minuteMs = 60_000;
const s3EveryMs = 5 * minuteMs;

export class FlowLogs {
  readonly #options: FlowLogsOptions;
  readonly #windows = new Windows();
  /** Interfaces that were deleted since the last reading, with what they were. */
  readonly #gone = new Map<string, Logged>();
  /** Lines that wait for their file, by log. */
  readonly #files = new Map<string, { log: FlowLogRow; lines: string[] }>();
  readonly #unfollow: () => void;
  #cancelTimer: (() => void) | undefined;
  #tail: Promise<void> = Promise.resolve();
  #failure: string | undefined;
  #closed = false;

  constructor(options: FlowLogsOptions) {
    this.#options = options;
    this.#unfollow = options.store.onChange((changes) => this.#changed(changes));
    this.#schedule();
  }

  /** Reads and delivers everything until now. Resolves when it is in its destinations, or its logs say why not. */
  flush(): Promise<void> {
    return this.#run(true);
  }

  /** Resolves when what the clock started is over. */
  async settled(): Promise<void> {
    await this.#tail;
    // The next timer is set a turn after.
    await new Promise<void>((resolve) => setImmediate(resolve));
  }

  /** Delivers what is left. */
  async close(): Promise<void> {
    this.#closed = true;
    this.#unfollow();
    this.#cancelTimer?.();
    if (this.#hasLogs()) await this.#run(true);
  }

  #hasLogs(): boolean {
    return this.#options.store.read((tx) => tx.list('flow-log').length > 0);
  }

  #changed(changes: readonly Change[]): void {
    if (changes.some(({ kind }) => kind === 'flow-log')) this.#schedule();
    for (const { kind, before, after } of changes) {
      if (kind !== 'network-interface' || before === undefined || after !== undefined) continue;
      const row = before as NetworkInterfaceRow;
      const logged = this.#options.store.read((tx) => toLogged(tx, row, flowLogsOf(tx)(row), false));
      if (logged.logs.length > 0) this.#gone.set(row.id, logged);
    }
  }

  #schedule(): void {
    if (this.#closed || this.#cancelTimer !== undefined || !this.#hasLogs()) return;
    const { clock } = this.#options;
    const delayMs = minuteMs - (clock.now().getTime() % minuteMs);
    this.#cancelTimer = clock.after(delayMs, () => {
      this.#cancelTimer = undefined;
      void this.#run(false).finally(() => this.#schedule());
    });
  }

  /** One at a time. */
  #run(isForced: boolean): Promise<void> {
    const run = this.#tail.then(() => this.#collect(isForced));
    this.#tail = run.catch(() => {});
    return run;
  }

  async #collect(isForced: boolean): Promise<void> {
    const { store, fabric, clock } = this.#options;
    const counts = await fabric.flowCounts();
    this.#note(counts.failures.map(({ cause, message }) => `${cause}: ${message}`).join('\n') || undefined);
    const now = clock.now();
    const present = store.read(loggedInterfaces);
    const there = new Set(present.map(({ eni }) => eni.networkInterfaceId));
    const gone = [...this.#gone.values()].filter(({ eni }) => !there.has(eni.networkInterfaceId));
    this.#gone.clear();
    const ended = this.#windows.add(counts, [...present, ...gone], now.getTime(), isForced);
    for (const each of ended) {
      if (each.log.destinationType === 's3') this.#keep(each);
      else await this.#deliverToStream(each, now);
    }
    const isTimeOfFiles = Math.floor(now.getTime() / s3EveryMs) !== Math.floor((now.getTime() - minuteMs) / s3EveryMs);
    if (isForced || isTimeOfFiles) await this.#deliverFiles(now);
  }

  async #deliverToStream({ log, networkInterfaceId, records }: Lines, now: Date): Promise<void> {
    const { store, call, partitionOf } = this.#options;
    const partition = partitionOf(log.region);
    const delivery = { log, networkInterfaceId, records, now, partition, requestId: randomUUID() };
    await this.#told(log, () => deliverToLogGroup(store, call, delivery));
  }

  #keep({ log, records }: Lines): void {
    const file = this.#files.get(log.id) ?? { log, lines: [] };
    this.#files.set(log.id, file);
    for (const { line } of records) file.lines.push(line);
  }

  async #deliverFiles(now: Date): Promise<void> {
    const { store, call, partitionOf } = this.#options;
    const files = [...this.#files.values()];
    this.#files.clear();
    for (const { log, lines } of files) {
      const delivery = { log, lines, now, partition: partitionOf(log.region), requestId: randomUUID() };
      await this.#told(log, () => deliverToBucket(store, call, delivery));
    }
  }

  /** Delivers, and writes into the log's row how it ended. What was refused is lost, as at AWS. */
  async #told(log: FlowLogRow, deliver: () => Promise<void>): Promise<void> {
    let error: string | undefined;
    try {
      await deliver();
    } catch (failure) {
      // AWS has these two, and one for a throttled log group (API_FlowLog.html).
      error = failure instanceof AwsError ? 'Access error' : 'Unknown error';
      if (!(failure instanceof AwsError)) this.#options.log(`${log.id} is not delivered: ${(failure as Error).stack}`);
    }
    const { store } = this.#options;
    const row = store.read((tx) => tx.get('flow-log', log.id));
    if (row === undefined || row.deliveryError === error) return;
    const { deliveryError: _before, ...rest } = row;
    await store.transact((tx) => tx.put('flow-log', error === undefined ? rest : { ...rest, deliveryError: error }))
      .durable;
  }

  /** Says a failure once, not every minute. */
  #note(failure: string | undefined): void {
    if (failure !== undefined && failure !== this.#failure) this.#options.log(`flow logs are not read: ${failure}`);
    this.#failure = failure;
  }
}

/** Interfaces with a flow log, and whether they carry packets now. */
function loggedInterfaces(tx: Transaction): Logged[] {
  const logsOf = flowLogsOf(tx);
  return tx.list('network-interface').flatMap((row) => {
    const logs = logsOf(row);
    if (logs.length === 0) return [];
    const instance = row.attachment && tx.get('instance', row.attachment.instanceId);
    return [toLogged(tx, row, logs, row.service !== undefined || (instance !== undefined && isLive(instance)))];
  });
}

function toLogged(tx: Transaction, row: NetworkInterfaceRow, logs: readonly FlowLogRow[], isThere: boolean): Logged {
  const instance = row.attachment && tx.get('instance', row.attachment.instanceId);
  const zone = zonesOf(row.region).find(({ name }) => name === row.availabilityZone);
  const eni: LoggedInterface = {
    networkInterfaceId: row.id,
    accountId: row.accountId,
    region: row.region,
    vpcId: row.vpcId,
    subnetId: row.subnetId,
    availabilityZoneId: zone?.id ?? '-',
    ...(instance && { instanceId: instance.id }),
    isNitro: instance !== undefined && instanceTypes.get(instance.instanceType)?.hypervisor === 'nitro',
    primaryAddress: row.privateAddresses[0]?.address ?? '-',
    ipv6Addresses: row.ipv6Addresses ?? [],
  };
  return { eni, logs, isThere };
}
