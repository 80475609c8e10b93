// The network half of the fabric: keeps the kernel equal to the last Snapshot it was given.
// It must run as a process of the world (world.ts). What it applied is what the kernel holds: the world dies with this process, and
// nothing else in it has rights over the routers. What was refused is not held, and the next apply makes it again (vpc-router.ts).

import {
  emptySnapshot,
  type InstanceConnectEndpointId,
  type InstanceId,
  type Ipv4,
  type NetworkInterfaceId,
  type Snapshot,
  type VpcId,
} from '@postern/network/snapshot.ts';
import { type Compiled, compile, nothingCompiled } from './compile/compile.ts';
import type { HostState, Link, NamespaceState, VpcState } from './compile/host-state.ts';
import { type ConnectInterface, connectInterfacesOf, dialThrough } from './compile/instance-connect-endpoints.ts';
import { endpointInterfacesOf } from './compile/interface-endpoints.ts';
import { type BalancerInterface, balancerInterfacesOf, dialFromNode } from './compile/load-balancers.ts';
import { metadataAddress, resolverAddress } from './compile/names.ts';
import { FlowCountReader, mergeFlowCounts } from './flow-counts.ts';
import { ipEntries, type Place, setKernelParameters } from './host.ts';
import { coreParameters } from './kernel-parameters.ts';
import { type OriginTable, originOf, originTable } from './origin.ts';
import { PeeringLinks } from './peering-links.ts';
import { diffNamespace, withoutLinks } from './reconcile.ts';
import { renderTablesChange, transactionsOf } from './render/nft.ts';
import { TransitGatewayNamespaces } from './transit-gateway-namespaces.ts';
import type { Applied, FlowCounts, Machines, NetworkFabric, Origin } from './types.ts';
import {
  type AwaitedLink,
  applyTransactions,
  carrierOf,
  clearRouter,
  type Failure,
  failureOf,
  prepareRouter,
  type RouterOptions,
  type RouterOutcome,
  removeRouter,
  wireRouter,
} from './vpc-router.ts';

export interface NetworkFabricOptions {
  readonly machines: Pick<Machines, 'processId'>;
  /** After so long a NAT gateway forgets a flow; 350 at AWS (G7). */
  readonly natIdleTimeoutSeconds?: number;
  /** For tests: the numbers to go on from. */
  readonly compiled?: Pick<Compiled, 'allocation' | 'vpcs'>;
}

const core: Place = { kind: 'core' };

export function createNetworkFabric(options: NetworkFabricOptions): NetworkFabric {
  return new KernelNetwork(options);
}

class KernelNetwork implements NetworkFabric {
  readonly listen = { resolver: resolverAddress, metadata: metadataAddress };
  readonly #machines: Pick<Machines, 'processId'>;
  readonly #routerOptions: RouterOptions;
  #compiled: Pick<Compiled, 'allocation' | 'vpcs'>;
  #core: NamespaceState | undefined;
  #coreIsWhole = true;
  readonly #vpcs = new Map<VpcId, VpcState>();
  readonly #peerings = new PeeringLinks();
  readonly #flowCounts = new FlowCountReader();
  /** Read before the interfaces that they are about were taken away. */
  #earlierCounts: FlowCounts[] = [];
  readonly #transitGateways = new TransitGatewayNamespaces();
  #origins: OriginTable = { ways: new Map(), endpoints: new Map(), ipv6: [] };
  #connects: ReadonlyMap<InstanceConnectEndpointId, ConnectInterface> = new Map();
  #balancers: ReadonlyMap<NetworkInterfaceId, BalancerInterface> = new Map();
  #tail: Promise<unknown> = Promise.resolve();
  #waiting: { readonly snapshot: Snapshot; readonly result: Promise<Applied> } | undefined;

  constructor(options: NetworkFabricOptions) {
    this.#machines = options.machines;
    this.#routerOptions = options;
    this.#compiled = options.compiled ?? nothingCompiled;
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

  through(endpointId: InstanceConnectEndpointId, address: Ipv4, clientIp: Ipv4): { from: Ipv4; to: Ipv4 } | undefined {
    const endpoint = this.#connects.get(endpointId);
    return endpoint && dialThrough(endpoint, address, clientIp);
  }

  flowCounts(): Promise<FlowCounts> {
    const read = this.#tail.then(async () => {
      const newest = await this.#flowCounts.read(this.#vpcs.values());
      return mergeFlowCounts([...this.#earlierCounts.splice(0), newest]);
    });
    this.#tail = read.catch(() => {});
    return read;
  }

  fromNode(networkInterfaceId: NetworkInterfaceId, address: Ipv4): { from: Ipv4; to: Ipv4 } | undefined {
    const node = this.#balancers.get(networkInterfaceId);
    return node && dialFromNode(node, address);
  }

  async close(): Promise<void> {
    await this.apply(emptySnapshot);
  }

  /** What was counted for interfaces that go now would go with them. */
  async #keepCounts(state: HostState): Promise<void> {
    const stays = new Set(state.vpcs.flatMap(({ loggedInterfaces }) => [...(loggedInterfaces?.keys() ?? [])]));
    const losing = [...this.#vpcs.values()].filter(({ loggedInterfaces }) =>
      [...(loggedInterfaces?.keys() ?? [])].some((number) => !stays.has(number)),
    );
    if (losing.length > 0) this.#earlierCounts.push(await this.#flowCounts.read(this.#vpcs.values()));
  }

  /** A later Snapshot that is waiting already takes this one's place. */
  async #applyLatest(mine: { readonly snapshot: Snapshot }): Promise<Applied> {
    const snapshot = this.#waiting?.snapshot ?? mine.snapshot;
    return this.#applyNow(snapshot);
  }

  async #applyNow(snapshot: Snapshot): Promise<Applied> {
    const started = performance.now();
    const compiled = compile(snapshot, this.#compiled, this.#processIds(snapshot));
    this.#compiled = compiled;
    // Before the first packet of a new VPC can arrive.
    this.#origins = originTable(snapshot, compiled.allocation);
    const connects = connectInterfacesOf(snapshot, compiled.allocation);
    this.#connects = new Map(connects.map((each) => [each.instanceConnectEndpointId, each]));
    await this.#keepCounts(compiled.state);
    const balancers = balancerInterfacesOf(snapshot, compiled.allocation);
    this.#balancers = new Map(balancers.map((each) => [each.networkInterfaceId, each]));
    const failures = [...(await this.#reconcile(compiled.state)), ...withoutRoom(snapshot, compiled)];
    const interfaces = [...this.#vpcs.values()].flatMap((vpc) => vpc.guests.map((guest) => guest.networkInterfaceId));
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

  async #reconcile(state: HostState): Promise<readonly Failure[]> {
    if (this.#core === undefined) {
      const finished = await setKernelParameters(core, coreParameters);
      if (finished.code !== 0) return [failureOf('core', finished)];
    }
    // Filters of the core before the links that lead to it, routes and neighbours after them.
    const transactions = transactionsOf(renderTablesChange(this.#core, state.core));
    const rules = await applyTransactions(core, transactions);
    if (rules !== undefined) {
      // One that failed changed nothing; of several, some may have been done.
      if (transactions.length > 1) {
        this.#core = undefined;
        this.#coreIsWhole = false;
      }
      return [failureOf('core', rules)];
    }
    const failures: Failure[] = [...(await this.#transitGateways.prepare(state.transitGateways, this.#staying(state)))];
    await this.#removeGone(state);
    const freshLinks = new Map<VpcState, readonly Link[]>();
    const keep = (vpc: VpcState, outcome: RouterOutcome) => {
      failures.push(...outcome.failures);
      if (outcome.held === undefined) {
        this.#vpcs.delete(vpc.vpcId);
        this.#peerings.forget(vpc.vpcId);
        this.#flowCounts.forget(vpc.vpcId);
      } else this.#vpcs.set(vpc.vpcId, outcome.held);
      if (outcome.freshLinks.length > 0) freshLinks.set(vpc, outcome.freshLinks);
    };
    // The same object: nothing of this VPC changed.
    const changed = state.vpcs.filter((vpc) => this.#vpcs.get(vpc.vpcId) !== vpc);
    const ready = new Set<VpcState>();
    await Promise.all(
      changed.map(async (vpc) => {
        const outcome = await prepareRouter(this.#vpcs.get(vpc.vpcId), vpc);
        if (outcome === undefined) ready.add(vpc);
        else keep(vpc, outcome);
      }),
    );
    const present = new Set([...this.#vpcs.keys(), ...[...ready].map((vpc) => vpc.vpcId)]);
    const peerings = await this.#peerings.make(state.peerings, present);
    failures.push(...peerings.failures);
    const toWire = state.vpcs.flatMap((vpc) => {
      const [before, absent] = [this.#vpcs.get(vpc.vpcId), this.#peerings.absent(vpc.vpcId, state.peerings)];
      const isUntouched = before === vpc && absent.size === 0 && !peerings.fresh.has(vpc.vpcId);
      const isReady = ready.has(vpc) || (before === vpc && !isUntouched);
      return isReady ? [{ vpc, before, wanted: withoutLinks(vpc, absent) }] : [];
    });
    const cleared = await Promise.all(
      toWire.map(async (each) => {
        const change = await clearRouter(each.before, each.wanted, peerings.fresh.get(each.vpc.vpcId));
        return { ...each, change };
      }),
    );
    await Promise.all(
      cleared.map(async ({ vpc, wanted, before, change }) =>
        keep(vpc, await wireRouter(before, wanted, change, this.#routerOptions)),
      ),
    );
    await this.#peerings.removeOthers(state.peerings);
    const freshEnds = new Set([...freshLinks.values()].flat().map((link) => link.peer.name));
    failures.push(...(await this.#transitGateways.furnish(state.transitGateways, [...this.#vpcs.values()], freshEnds)));
    await this.#transitGateways.removeOthers(state.transitGateways);
    failures.push(...(await this.#applyCore(state.core, [...freshLinks.values()].flat())));
    await Promise.all(
      state.vpcs.map((vpc) => {
        const peeringDevices = (peerings.fresh.get(vpc.vpcId) ?? []).map((name): AwaitedLink => ({ name }));
        const awaited = [...(freshLinks.get(vpc) ?? []), ...peeringDevices];
        return awaited.length === 0 ? undefined : carrierOf(vpc, awaited);
      }),
    );
    return failures;
  }

  /** What the routers hold now, as far as it stays: without the links that are not wanted any more. */
  #staying(state: HostState): readonly VpcState[] {
    const wanted = new Map(
      state.vpcs.map((vpc) => [vpc.vpcId, new Set(vpc.links.map((link) => JSON.stringify(link)))]),
    );
    return [...this.#vpcs.values()].map((vpc) => ({
      ...vpc,
      links: vpc.links.filter((link) => wanted.get(vpc.vpcId)?.has(JSON.stringify(link)) === true),
    }));
  }

  async #removeGone(state: HostState): Promise<void> {
    const wanted = new Set(state.vpcs.map((vpc) => vpc.vpcId));
    const gone = [...this.#vpcs.values()].filter((vpc) => !wanted.has(vpc.vpcId));
    for (const vpc of gone) this.#vpcs.delete(vpc.vpcId);
    await this.#peerings.removeOf(new Set(gone.map((vpc) => vpc.vpcId)));
    await Promise.all(gone.map(removeRouter));
  }

  async #applyCore(wanted: NamespaceState, freshLinks: readonly Link[]): Promise<Failure[]> {
    const devices = (links: readonly Link[]) =>
      links.filter((link) => link.peer.processId === 'core').map((link) => link.peer.name);
    const fresh = devices(freshLinks);
    const present = devices([...this.#vpcs.values()].flatMap((vpc) => vpc.links));
    // After a failure every end is brought up again: it may have been that which failed.
    const up = this.#coreIsWhole ? fresh : present;
    const to = withDevices(wanted, new Set(['lo', ...present]));
    const change = diffNamespace(this.#core, to, process.pid, fresh);
    await ipEntries(core, change.remove);
    const refused = await ipEntries(core, [
      ...(this.#core === undefined ? ['link set lo up'] : []),
      ...up.map((device) => `link set ${device} up`),
      ...change.add,
    ]);
    this.#coreIsWhole = refused.length === 0;
    // Nothing but the table is taken as known then, so that the next apply writes the rest again (every line replaces).
    this.#core = this.#coreIsWhole ? to : { ...to, links: [], addresses: [], neighbours: [], routes: [], rules: [] };
    return refused.map(({ message }) => ({ cause: 'core', message }));
  }
}

function withoutRoom(snapshot: Snapshot, { allocation }: Compiled): Failure[] {
  const endpoints = endpointInterfacesOf(snapshot, allocation).map((each) => ({ ...each, owner: each.vpcEndpointId }));
  const balancers = balancerInterfacesOf(snapshot, allocation).map((each) => ({ ...each, owner: each.loadBalancerId }));
  return [...endpoints, ...balancers].flatMap((each) =>
    each.withoutRoom.map((block) => ({
      cause: each.owner,
      message: `${each.networkInterfaceId} cannot be reached from ${block}: there are more interfaces of endpoints than the underlay has blocks for`,
    })),
  );
}

/** Without what lies on links that could not be made: their failure is told already, and they come with a later apply. */
function withDevices(state: NamespaceState, present: ReadonlySet<string>): NamespaceState {
  return {
    ...state,
    neighbours: state.neighbours.filter((each) => present.has(each.device)),
    routes: state.routes.filter((each) => each.device === undefined || present.has(each.device)),
  };
}
