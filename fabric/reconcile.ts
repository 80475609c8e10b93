// From what the kernel holds to what it should hold, by the fewest commands; for rules, render/nft.ts. The diff is pure; network-fabric.ts runs the steps.
// Order of a change: rules before links (a new interface is never unfiltered), links before routes, and removals before additions of the same name.

import type { GuestInterface, KernelRoute, Link, NamespaceState, VpcState } from './compile/host-state.ts';
import {
  type Line,
  renderAddress,
  renderGuest,
  renderGuestAddresses,
  renderGuestIpv6,
  renderGuestRules,
  renderLink,
  renderNeighbour,
  renderRoute,
  renderRule,
} from './render/ip.ts';

export interface NamespaceChange {
  /** Tolerant: the kernel may have removed these with a machine or a link. */
  readonly remove: readonly string[];
  readonly links: readonly string[];
  /** Those that `links` makes. */
  readonly freshLinks: readonly Link[];
  readonly add: readonly string[];
}

/**
 * @param from absent: the namespace is new   @param coreProcessId see `renderLink`
 * @param remadeElsewhere devices whose link was made anew from its other end; what was known of them is gone
 */
export function diffNamespace(
  from: NamespaceState | undefined,
  to: NamespaceState,
  coreProcessId: number,
  remadeElsewhere: readonly string[] = [],
): NamespaceChange {
  const links = diffLines(from?.links ?? [], to.links, (link) => renderLink(link, coreProcessId));
  // The kernel takes a removed link's addresses, routes and neighbours with it, so those of a link that is made anew are new as well.
  const made = new Set(links.add);
  const fresh = made.size === 0 ? [] : to.links.filter((link) => made.has(renderLink(link, coreProcessId).add));
  const remade = new Set([...fresh.map((link) => link.name), ...remadeElsewhere]);
  const parts = [
    diffLines(from?.rules ?? [], to.rules, renderRule),
    diffLines(staying(from?.addresses, remade), to.addresses, renderAddress),
    diffLines(staying(from?.neighbours, remade), to.neighbours, renderNeighbour),
    diffLines(staying(from?.routes, remade), to.routes, renderRoute),
  ];
  // A route or neighbour is replaced in place when only its target changed.
  const replaced = new Set(
    from?.routes === to.routes ? [] : to.routes.map((route) => `${route.table} ${route.destination}`),
  );
  const goneRoutes = (from?.routes ?? [])
    .filter((route) => replaced.has(`${route.table} ${route.destination}`))
    .map((route) => renderRoute(route).remove);
  const kept = new Set(goneRoutes);
  return {
    remove: [...parts.toReversed().flatMap((part) => part.remove.filter((line) => !kept.has(line))), ...links.remove],
    links: links.add,
    freshLinks: fresh,
    add: parts.flatMap((part) => part.add),
  };
}

function staying<T extends { readonly device?: string }>(
  before: readonly T[] | undefined,
  remade: ReadonlySet<string>,
): readonly T[] {
  if (before === undefined || remade.size === 0) return before ?? [];
  return before.filter((each) => each.device === undefined || !remade.has(each.device));
}

/** The same of what lies on a namespace's links. */
export function withoutRefusedLines<T extends NamespaceState>(
  state: T,
  refused: ReadonlySet<string>,
  absentDevices: ReadonlySet<string> = new Set(),
): T {
  const held = <O extends { readonly device?: string }>(objects: readonly O[], render: (each: O) => Line) =>
    objects.filter(
      (each) => !refused.has(render(each).add) && !(each.device !== undefined && absentDevices.has(each.device)),
    );
  return {
    ...state,
    rules: state.rules.filter((rule) => !refused.has(renderRule(rule).add)),
    addresses: held(state.addresses, renderAddress),
    neighbours: held(state.neighbours, renderNeighbour),
    routes: held(state.routes, renderRoute),
  };
}

/** What of `state` the kernel holds when some of its lines were refused: without those objects, and without all that is on a link that is not there. */
export function withoutRefused(
  state: VpcState,
  refused: ReadonlySet<string>,
  absentDevices: ReadonlySet<string>,
  coreProcessId: number,
): VpcState {
  const absent = state.links.filter((link) => absentDevices.has(link.name));
  const absentIds = new Set<string>(absent.map((link) => link.alias));
  return {
    ...withoutRefusedLines(state, refused, absentDevices),
    links: state.links.filter(
      (link) => !absentDevices.has(link.name) && !refused.has(renderLink(link, coreProcessId).add),
    ),
    guests: state.guests.filter((guest) => !absentIds.has(guest.networkInterfaceId)),
    natGateways: state.natGateways.filter((nat) => !absentIds.has(nat.networkInterfaceId)),
  };
}

/** `state` while links that are made elsewhere are not there: what would go over them is dropped, and falls back to no other route (R9). */
export function withoutLinks<T extends NamespaceState>(state: T, absentDevices: ReadonlySet<string>): T {
  if (absentDevices.size === 0) return state;
  const isAbsent = ({ device }: { readonly device?: string }) => device !== undefined && absentDevices.has(device);
  return {
    ...state,
    neighbours: state.neighbours.filter((each) => !isAbsent(each)),
    routes: state.routes.map(
      (route): KernelRoute =>
        isAbsent(route) ? { table: route.table, destination: route.destination, kind: 'blackhole' } : route,
    ),
  };
}

/** The device that a line of `state` is about. */
export function devicesByLine(state: NamespaceState, coreProcessId: number): ReadonlyMap<string, string> {
  const devices = new Map<string, string>();
  for (const link of state.links) devices.set(renderLink(link, coreProcessId).add, link.name);
  for (const each of state.addresses) devices.set(renderAddress(each).add, each.device);
  for (const each of state.neighbours) devices.set(renderNeighbour(each).add, each.device);
  for (const each of state.routes) if (each.device !== undefined) devices.set(renderRoute(each).add, each.device);
  return devices;
}

/** Lines for one machine's interface: everything when it is new, else only addresses that came or went. */
export function diffGuest(
  from: GuestInterface | undefined,
  to: GuestInterface,
): { readonly remove: readonly string[]; readonly add: readonly string[] } {
  if (from === undefined || from.processId !== to.processId || from.device !== to.device)
    // An interface that was plugged in here before may have left its rules.
    return { remove: renderGuestRules(to).map((line) => line.remove), add: renderGuest(to) };
  const own = (guest: GuestInterface) => [...renderGuestAddresses(guest), ...renderGuestIpv6(guest)];
  const addresses = diffLines(own(from), own(to), (line) => line);
  const rules = diffLines(renderGuestRules(from), renderGuestRules(to), (line) => line);
  return { remove: [...rules.remove, ...addresses.remove], add: [...addresses.add, ...rules.add] };
}

/** Lines for a machine that stays when one of its interfaces is pulled out: address and routes go with the link, the rules don't. */
export function removeGuest(guest: GuestInterface): readonly string[] {
  return renderGuestRules(guest).map((line) => line.remove);
}

function diffLines<T>(
  from: readonly T[],
  to: readonly T[],
  render: (each: T) => Line,
): { readonly remove: string[]; readonly add: string[] } {
  // Kept by the compiler: nothing of it changed.
  if (from === to) return { remove: [], add: [] };
  const before = new Map(from.map((each) => render(each)).map((line) => [line.add, line]));
  const after = new Map(to.map((each) => render(each)).map((line) => [line.add, line]));
  return {
    remove: [...before.values()].filter((line) => !after.has(line.add)).map((line) => line.remove),
    add: [...after.values()].filter((line) => !before.has(line.add)).map((line) => line.add),
  };
}
