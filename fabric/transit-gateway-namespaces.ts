// The namespaces of transit gateways, named by their ids. The links that lead there are the routers', so a namespace is there before them, with its filter, and its routes come
// after them. A route that leads elsewhere is written before the link that it led to goes: at no moment a packet falls back to another route.

import type { TransitGatewayId } from '@postern/network/snapshot.ts';
import type { NamespaceState, TransitGatewayState, VpcState } from './compile/host-state.ts';
import { ipEntries, nft, type Place, run, setKernelParameters } from './host.ts';
import { transitGatewayParameters } from './kernel-parameters.ts';
import { diffNamespace, withoutLinks, withoutRefusedLines } from './reconcile.ts';
import { renderTablesChange } from './render/nft.ts';
import { type Failure, failureOf } from './vpc-router.ts';

const placeOf = (name: TransitGatewayId): Place => ({ kind: 'transit-gateway', name });

export class TransitGatewayNamespaces {
  readonly #held = new Map<TransitGatewayId, NamespaceState>();

  /** Before the routers change: namespaces and filters, and no route over a link that is about to go. @param vpcs that are held now */
  async prepare(wanted: readonly TransitGatewayState[], vpcs: readonly VpcState[]): Promise<readonly Failure[]> {
    const present = devicesIn(vpcs);
    const failures = await Promise.all(
      wanted.map(async (state): Promise<readonly Failure[]> => {
        const failure = await this.#filter(state);
        if (failure !== undefined) return [failure];
        return this.#route(state, present(state.transitGatewayId), new Set());
      }),
    );
    return failures.flat();
  }

  /** When the routers are as they should be: what lies on their links. @param fresh names of the links' ends that were made just now */
  async furnish(
    wanted: readonly TransitGatewayState[],
    vpcs: readonly VpcState[],
    fresh: ReadonlySet<string>,
  ): Promise<readonly Failure[]> {
    const present = devicesIn(vpcs);
    const failures = await Promise.all(
      wanted
        .filter((state) => this.#held.has(state.transitGatewayId))
        .map((state) => this.#route(state, present(state.transitGatewayId), fresh)),
    );
    return failures.flat();
  }

  /** Those that nothing leads to any more. */
  async removeOthers(wanted: readonly TransitGatewayState[]): Promise<void> {
    const ids = new Set(wanted.map((state) => state.transitGatewayId));
    const gone = [...this.#held.keys()].filter((id) => !ids.has(id));
    for (const id of gone) this.#held.delete(id);
    await Promise.all(gone.map((id) => run('ip', ['netns', 'del', id])));
  }

  async #filter(state: TransitGatewayState): Promise<Failure | undefined> {
    const { transitGatewayId: id, table, ipv6Table } = state;
    const before = this.#held.get(id);
    if (before === undefined) {
      // A failed attempt may have left one.
      await run('ip', ['netns', 'del', id]);
      const made = await run('ip', ['netns', 'add', id]);
      const set = made.code === 0 ? await setKernelParameters(placeOf(id), transitGatewayParameters) : made;
      if (set.code !== 0) return failureOf(id, set);
      // Without it no address is a next hop: the kernel has no local table yet.
      await ipEntries(placeOf(id), ['link set lo up']);
    }
    const change = renderTablesChange(before, state);
    const filtered = change === '' ? undefined : await nft(placeOf(id), change);
    if (filtered !== undefined && filtered.code !== 0) {
      if (before === undefined) await run('ip', ['netns', 'del', id]);
      return failureOf(id, filtered);
    }
    const nothing = { links: [], addresses: [], neighbours: [], routes: [], rules: [] };
    this.#held.set(id, { ...(before ?? nothing), table, ipv6Table });
    return undefined;
  }

  /** @param present its ends of links that are there   @param fresh of them, those that are new: nothing is on them yet */
  async #route(
    state: TransitGatewayState,
    present: ReadonlySet<string>,
    fresh: ReadonlySet<string>,
  ): Promise<readonly Failure[]> {
    const { transitGatewayId: id } = state;
    const before = this.#held.get(id);
    if (before === undefined) return [];
    const absent = new Set(state.devices.filter((device) => !present.has(device)));
    const to: NamespaceState = withoutLinks(state, absent);
    const change = diffNamespace(before, to, process.pid, [...fresh]);
    await ipEntries(placeOf(id), change.remove);
    const up = [...fresh].filter((device) => present.has(device) && state.devices.includes(device));
    const refused = await ipEntries(placeOf(id), [...up.map((device) => `link set ${device} up`), ...change.add]);
    this.#held.set(id, withoutRefusedLines(to, new Set(refused.map(({ entry }) => entry))));
    return refused.map(({ message }) => ({ cause: id, message }));
  }
}

/** Of the routers' links, the gateways' ends. */
function devicesIn(vpcs: readonly VpcState[]): (id: TransitGatewayId) => ReadonlySet<string> {
  const links = vpcs.flatMap((vpc) => vpc.links);
  return (id) => new Set(links.flatMap(({ peer }) => (peer.processId === id ? [peer.name] : [])));
}
