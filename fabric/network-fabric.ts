// The network half of the fabric: keeps the kernel equal to the last Snapshot it was given.
// It must run as a process of the world (world.ts). What it applied is what the kernel holds: the world dies with this process, and
// nothing else in it has rights over the routers. Where a command fails, that VPC is made anew by the next apply.

import type { InstanceId, Ipv4, NetworkInterfaceId, Snapshot, VpcId } from '@postern/network/snapshot.ts';
import { type Allocation, emptyAllocation } from './compile/allocation.ts';
import { compile } from './compile/compile.ts';
import type { GuestInterface, HostState, NamespaceState, VpcState } from './compile/host-state.ts';
import { metadataAddress, resolverAddress } from './compile/names.ts';
import { type Finished, ipBatch, nft, type Place, run, setKernelParameters } from './host.ts';
import { coreParameters, routerParameters } from './kernel-parameters.ts';
import { type OriginTable, originOf, originTable } from './origin.ts';
import { diffGuest, diffNamespace, removeGuest } from './reconcile.ts';
import { renderTableChange, transactionsOf } from './render/nft.ts';
import type { Applied, Machines, NetworkFabric, Origin } from './types.ts';

export interface NetworkFabricOptions {
  readonly machines: Pick<Machines, 'processId'>;
}

type Failure = Applied['failures'][number];

const core: Place = { kind: 'core' };

export function createNetworkFabric(options: NetworkFabricOptions): NetworkFabric {
  return new KernelNetwork(options);
}

class KernelNetwork implements NetworkFabric {
  readonly listen = { resolver: resolverAddress, metadata: metadataAddress };
  readonly #machines: Pick<Machines, 'processId'>;
  #allocation: Allocation = emptyAllocation;
  #core: NamespaceState | undefined;
  readonly #vpcs = new Map<VpcId, VpcState>();
  #origins: OriginTable = { ways: new Map(), endpoints: new Map() };
  #tail: Promise<unknown> = Promise.resolve();
  #waiting: { readonly snapshot: Snapshot; readonly result: Promise<Applied> } | undefined;

  constructor(options: NetworkFabricOptions) {
    this.#machines = options.machines;
  }

  apply(snapshot: Snapshot): Promise<Applied> {
    const waiting = { snapshot, result: this.#tail.then(() => this.#applyLatest(waiting)) } as {
      snapshot: Snapshot;
      result: Promise<Applied>;
    };
    this.#waiting = waiting;
    this.#tail = waiting.result.catch(() => {});
    return waiting.result;
  }

  origin(remoteAddress: Ipv4, localAddress: Ipv4): Origin | undefined {
    return originOf(this.#origins, remoteAddress, localAddress);
  }

  async close(): Promise<void> {
    await this.apply({ revision: 0, vpcs: [], prefixLists: [] });
  }

  /** A later Snapshot that is waiting already takes this one's place. */
  async #applyLatest(mine: { readonly snapshot: Snapshot }): Promise<Applied> {
    const snapshot = this.#waiting?.snapshot ?? mine.snapshot;
    return this.#applyNow(snapshot);
  }

  async #applyNow(snapshot: Snapshot): Promise<Applied> {
    const started = performance.now();
    const { state, allocation } = compile(snapshot, this.#allocation, this.#processIds(snapshot));
    this.#allocation = allocation;
    // Before the first packet of a new VPC can arrive.
    this.#origins = originTable(snapshot, allocation);
    const failures = await this.#reconcile(state);
    const interfaces = state.vpcs.flatMap((vpc) =>
      this.#vpcs.has(vpc.vpcId) ? vpc.guests.map((guest) => guest.networkInterfaceId) : [],
    );
    return {
      revision: snapshot.revision,
      elapsedMs: performance.now() - started,
      interfaces: interfaces as readonly NetworkInterfaceId[],
      failures,
    };
  }

  #processIds(snapshot: Snapshot): Map<InstanceId, number> {
    const processIds = new Map<InstanceId, number>();
    for (const vpc of snapshot.vpcs) {
      for (const { attachment } of vpc.networkInterfaces) {
        const processId = attachment === undefined ? undefined : this.#machines.processId(attachment.instanceId);
        if (attachment !== undefined && processId !== undefined) processIds.set(attachment.instanceId, processId);
      }
    }
    return processIds;
  }

  async #reconcile(state: HostState): Promise<Failure[]> {
    const failures: Failure[] = [];
    if (this.#core === undefined) {
      collect(failures, 'core', await setKernelParameters(core, coreParameters));
    }
    const wanted = new Set(state.vpcs.map((vpc) => vpc.vpcId));
    const gone = [...this.#vpcs.keys()].filter((vpcId) => !wanted.has(vpcId));
    // Filters of the core before the links that lead to it, routes and neighbours after them.
    collect(failures, 'core', await applyNft(core, renderTableChange(this.#core?.table, state.core.table)));
    await Promise.all(gone.map((vpcId) => this.#removeVpc(vpcId)));
    const fresh = (await Promise.all(state.vpcs.map((vpc) => this.#applyVpc(vpc, failures)))).flat();
    const change = diffNamespace(this.#core, state.core, process.pid, fresh);
    await force(core, change.remove);
    const up = [...(this.#core === undefined ? ['lo'] : []), ...fresh].map((device) => `link set ${device} up`);
    collect(failures, 'core', await batch(core, [...up, ...change.add]));
    this.#core = failures.some((failure) => failure.cause === 'core') ? withoutObjects(state.core) : state.core;
    return failures;
  }

  /** Returns the core's ends of the links that were made. */
  async #applyVpc(vpc: VpcState, allFailures: Failure[]): Promise<readonly string[]> {
    const failures: Failure[] = [];
    const place: Place = { kind: 'vpc', name: vpc.vpcId };
    const before = this.#vpcs.get(vpc.vpcId);
    if (before === undefined) {
      await run('ip', ['netns', 'del', vpc.vpcId]);
      collect(failures, vpc.vpcId, await run('ip', ['netns', 'add', vpc.vpcId]));
      collect(failures, vpc.vpcId, await setKernelParameters(place, routerParameters));
    }
    const change = diffNamespace(before, vpc, process.pid);
    await force(place, change.remove);
    collect(failures, vpc.vpcId, await applyNft(place, change.nft));
    collect(
      failures,
      vpc.vpcId,
      await batch(place, [...(before === undefined ? ['link set lo up'] : []), ...change.links, ...change.add]),
    );
    // A link that was made anew has a bare interface at its other end.
    const fresh = new Set<string>(change.freshLinks.map((link) => link.alias));
    const staying = (before?.guests ?? []).filter((guest) => !fresh.has(guest.networkInterfaceId));
    const known = new Map(staying.map((guest) => [guest.networkInterfaceId, guest]));
    await Promise.all(pulledOut(before?.guests ?? [], vpc.guests).map((guest) => forgetGuest(guest)));
    const guests = await Promise.all(vpc.guests.map((guest) => applyGuest(known.get(guest.networkInterfaceId), guest)));
    allFailures.push(...failures, ...guests.flat());
    if (failures.length > 0) {
      await this.#removeVpc(vpc.vpcId);
      return [];
    }
    this.#vpcs.set(vpc.vpcId, vpc);
    return change.freshLinks.filter((link) => link.peer.processId === 'core').map((link) => link.peer.name);
  }

  async #removeVpc(vpcId: VpcId): Promise<void> {
    const before = this.#vpcs.get(vpcId);
    this.#vpcs.delete(vpcId);
    // A namespace ends when its last process and its handle are gone; its links are removed by name at once rather than when the kernel gets to it.
    await force(
      { kind: 'vpc', name: vpcId },
      (before?.links ?? []).map((link) => `link del ${link.name}`),
    );
    await run('ip', ['netns', 'del', vpcId]);
  }
}

/** Interfaces that are gone or elsewhere, of machines that stay. */
function pulledOut(before: readonly GuestInterface[], now: readonly GuestInterface[]): GuestInterface[] {
  const machines = new Set(now.map((guest) => guest.processId));
  const plugged = new Set(now.map((guest) => `${guest.processId} ${guest.device} ${guest.networkInterfaceId}`));
  return before.filter(
    (guest) =>
      machines.has(guest.processId) && !plugged.has(`${guest.processId} ${guest.device} ${guest.networkInterfaceId}`),
  );
}

function forgetGuest(guest: GuestInterface): Promise<void> {
  return force({ kind: 'machine', processId: guest.processId }, removeGuest(guest));
}

async function applyGuest(from: GuestInterface | undefined, to: GuestInterface): Promise<Failure[]> {
  const place: Place = { kind: 'machine', processId: to.processId };
  const change = diffGuest(from, to);
  await force(place, change.remove);
  const failures: Failure[] = [];
  collect(failures, to.networkInterfaceId, await batch(place, change.add));
  return failures;
}

/** After a failure: nothing but the table is taken as known, so that the next apply writes the rest again (every line replaces). */
function withoutObjects(state: NamespaceState): NamespaceState {
  return { ...state, links: [], addresses: [], neighbours: [], routes: [], rules: [] };
}

async function force(place: Place, lines: readonly string[]): Promise<void> {
  if (lines.length > 0) await ipBatch(place, lines, { force: true });
}

function batch(place: Place, lines: readonly string[]): Promise<Finished | undefined> {
  return lines.length === 0 ? Promise.resolve(undefined) : ipBatch(place, lines);
}

async function applyNft(place: Place, change: string): Promise<Finished | undefined> {
  let finished: Finished | undefined;
  for (const transaction of transactionsOf(change)) {
    finished = await nft(place, transaction);
    if (finished.code !== 0) break;
  }
  return finished;
}

function collect(failures: Failure[], cause: string, finished: Finished | undefined): void {
  if (finished !== undefined && finished.code !== 0)
    failures.push({ cause, message: finished.stderr.trim() || `ended with ${finished.code}` });
}
