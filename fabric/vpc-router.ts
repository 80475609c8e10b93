// Brings one VPC's router namespace, and the interfaces of its machines, from one state to another.
// What belongs to one machine fails alone: a machine may end, or its root may pull its own eth0 out, between compile and the last line, and that must
// not cost its neighbours a packet. What was refused is taken away and left out of the state that is kept, so the next apply makes it again.

import type { GuestInterface, Link, VpcState } from './compile/host-state.ts';
import { type Finished, ipEntries, nft, type Place, query, run, setKernelParameters } from './host.ts';
import { routerParameters } from './kernel-parameters.ts';
import { configureMachines, isAlive } from './machine-networks.ts';
import { configureNatGateways, makeNatGateways, removeNatGateways } from './nat-gateway-namespaces.ts';
import {
  devicesByLine,
  diffGuest,
  diffNamespace,
  type NamespaceChange,
  removeGuest,
  withoutRefused,
} from './reconcile.ts';
import { renderTablesChange, transactionsOf } from './render/nft.ts';
import type { Applied } from './types.ts';

export type Failure = Applied['failures'][number];

export interface RouterOutcome {
  /** What the kernel holds now; undefined: the namespace is not there. */
  readonly held: VpcState | undefined;
  readonly failures: readonly Failure[];
  /** Links that were made and wait for their other end. */
  readonly freshLinks: readonly Link[];
}

export interface RouterOptions {
  /** After so long a NAT gateway forgets a flow (G7). */
  readonly natIdleTimeoutSeconds?: number;
}

/** A device of a router, with the machine at its other end if it is one's. */
export type AwaitedLink = Pick<Link, 'name'> & Partial<Pick<Link, 'peer'>>;

const carrierTimeoutMs = 2000;
const natIdleTimeoutSeconds = 350;

/**
 * Makes the namespace and its rules, before any link leads there.
 * @param before what the last outcome held   @returns how it ended when it cannot go on to `wireRouter`
 */
export async function prepareRouter(before: VpcState | undefined, vpc: VpcState): Promise<RouterOutcome | undefined> {
  const place = routerOf(vpc);
  if (before === undefined) {
    const failure = await makeNamespace(vpc, place);
    if (failure !== undefined) return lost(before, vpc, failure);
  }
  const transactions = transactionsOf(renderTablesChange(before, vpc));
  const rules = await applyTransactions(place, transactions);
  // No interface without its filter. One transaction that failed changed nothing: the VPC goes on with the rules it had.
  if (rules === undefined) return undefined;
  if (before !== undefined && transactions.length === 1)
    return { held: before, failures: [failureOf(vpc.vpcId, rules)], freshLinks: [] };
  return lost(before, vpc, failureOf(vpc.vpcId, rules));
}

/**
 * Takes away what is not wanted any more: in every router, before any makes something, for a machine's interface may have moved.
 * @param remadeElsewhere devices of this router that are new and not its own to make
 * @returns what is left to do, for `wireRouter`
 */
export async function clearRouter(
  before: VpcState | undefined,
  vpc: VpcState,
  remadeElsewhere: readonly string[] = [],
): Promise<NamespaceChange> {
  const change = diffNamespace(before, vpc, process.pid, remadeElsewhere);
  await ipEntries(routerOf(vpc), change.remove);
  return change;
}

/** Links, addresses, routes, and the interfaces of the machines. */
export async function wireRouter(
  before: VpcState | undefined,
  vpc: VpcState,
  change: NamespaceChange,
  options: RouterOptions = {},
): Promise<RouterOutcome> {
  const place = routerOf(vpc);
  await makeNatGateways(before, vpc, change.freshLinks, options.natIdleTimeoutSeconds ?? natIdleTimeoutSeconds);
  const up = before === undefined ? ['link set lo up'] : [];
  const refused = await ipEntries(place, [...up, ...change.links, ...change.add]);
  const guests = await applyGuests(before, vpc, change.freshLinks);
  const natGateways = await configureNatGateways(before, vpc, change.freshLinks);
  return settle(vpc, place, refused, [...guests, ...natGateways], change.freshLinks);
}

/** Removes the namespace. It ends when its last process and its handle are gone; its links are removed by name at once, not when the kernel gets to it. */
export async function removeRouter(vpc: VpcState): Promise<void> {
  await ipEntries(
    routerOf(vpc),
    vpc.links.map((link) => `link del ${link.name}`),
  );
  await Promise.all([run('ip', ['netns', 'del', vpc.vpcId]), removeNatGateways(vpc.natGateways)]);
}

/**
 * Waits until the kernel has noticed that both ends of the links are up: until then a link's queue throws packets away (dev_activate).
 * A machine that ended or took its interface down has no carrier, which is its own affair.
 */
export async function carrierOf(vpc: VpcState, links: readonly AwaitedLink[]): Promise<void> {
  const awaited = new Set(links.map((link) => link.name));
  const deadline = performance.now() + carrierTimeoutMs;
  while (awaited.size > 0 && performance.now() < deadline) {
    const { code, stdout } = await query(routerOf(vpc), ['ip', '-o', 'link', 'show']);
    if (code !== 0) return;
    const seen = new Map(
      [...stdout.matchAll(/^\d+: ([^@:]+)[@:].* state (\w+) /gm)].map(([, name, state]) => [name, state]),
    );
    for (const link of links) {
      const state = seen.get(link.name);
      const processId = link.peer?.processId;
      const ended = typeof processId === 'number' && !isAlive(processId);
      if (state === 'UP' || state === undefined || ended) awaited.delete(link.name);
    }
  }
}

function routerOf(vpc: VpcState): Place {
  return { kind: 'vpc', name: vpc.vpcId };
}

async function makeNamespace(vpc: VpcState, place: Place): Promise<Failure | undefined> {
  // A failed attempt may have left one.
  await run('ip', ['netns', 'del', vpc.vpcId]);
  const made = await run('ip', ['netns', 'add', vpc.vpcId]);
  const finished = made.code === 0 ? await setKernelParameters(place, routerParameters) : made;
  return finished.code === 0 ? undefined : failureOf(vpc.vpcId, finished);
}

async function lost(before: VpcState | undefined, vpc: VpcState, failure: Failure): Promise<RouterOutcome> {
  await removeRouter(before ?? vpc);
  return { held: undefined, failures: [failure], freshLinks: [] };
}

/** @returns the one that failed; those after it are not tried */
export async function applyTransactions(place: Place, transactions: readonly string[]): Promise<Finished | undefined> {
  for (const transaction of transactions) {
    const finished = await nft(place, transaction);
    if (finished.code !== 0) return finished;
  }
  return undefined;
}

/** An interface that could not be set up at its other end, with the reason. */
export interface FailedInterface {
  readonly networkInterfaceId: string;
  readonly message: string;
}

async function applyGuests(
  before: VpcState | undefined,
  vpc: VpcState,
  freshLinks: readonly Link[],
): Promise<FailedInterface[]> {
  // A link that was made anew has a bare interface at its other end.
  const fresh = new Set<string>(freshLinks.map((link) => link.alias));
  const staying = (before?.guests ?? []).filter((guest) => !fresh.has(guest.networkInterfaceId));
  const known = new Map(staying.map((guest) => [guest.networkInterfaceId, guest]));
  const changes = vpc.guests.flatMap((guest) => {
    const from = known.get(guest.networkInterfaceId);
    if (from === guest) return [];
    const { remove, add } = diffGuest(from, guest);
    return remove.length + add.length === 0
      ? []
      : [{ guest, isNew: !known.has(guest.networkInterfaceId), remove, add }];
  });
  const leaving = pulledOut(before?.guests ?? [], vpc.guests).flatMap((guest) => {
    const entries = removeGuest(guest);
    return entries.length === 0 ? [] : [{ processId: guest.processId, entries }];
  });
  await configureMachines(leaving);
  const refused = await configureMachines(
    changes.map(({ guest, remove, add }) => ({ processId: guest.processId, entries: [...remove, ...add] })),
  );
  const failed: FailedInterface[] = [];
  for (const [index, { guest, isNew, add }] of changes.entries()) {
    // Later changes are a service to the guest, as DHCP is: its root may have renamed or removed what they are about.
    const wanted = new Set(isNew ? add : []);
    const first = refused[index]?.find((refusal) => wanted.has(refusal.entry));
    if (first !== undefined) failed.push({ networkInterfaceId: guest.networkInterfaceId, message: first.message });
  }
  return failed;
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

/** Whose was what failed: a machine's that has ended (no failure at all), one interface's, or the VPC's. */
async function settle(
  vpc: VpcState,
  place: Place,
  refused: readonly { readonly entry: string; readonly message: string }[],
  failedEnds: readonly FailedInterface[],
  freshLinks: readonly Link[],
): Promise<RouterOutcome> {
  if (refused.length === 0 && failedEnds.length === 0) return { held: vpc, failures: [], freshLinks };
  const devices = devicesByLine(vpc, process.pid);
  const links = new Map(vpc.links.map((link) => [link.name, link]));
  const byInterface = new Map(vpc.links.map((link) => [link.alias, link]));
  const failures: Failure[] = [];
  const absent = new Map<string, Link>();
  const interfaceFailed = (link: Link, message: string) => {
    const { processId } = link.peer;
    if (!absent.has(link.name) && processId !== 'core' && isAlive(processId))
      failures.push({ cause: link.alias, message });
    absent.set(link.name, link);
  };
  for (const { entry, message } of refused) {
    const link = links.get(devices.get(entry) ?? '');
    if (link !== undefined && link.peer.processId !== 'core') interfaceFailed(link, message);
    else failures.push({ cause: vpc.vpcId, message });
  }
  for (const { networkInterfaceId, message } of failedEnds) {
    const link = byInterface.get(networkInterfaceId);
    if (link !== undefined) interfaceFailed(link, message);
  }
  // A line to the core that failed says nothing of its other end: made anew too.
  for (const { entry } of refused) {
    const link = links.get(devices.get(entry) ?? '');
    if (link !== undefined && !absent.has(link.name)) absent.set(link.name, link);
  }
  const held = withoutRefused(vpc, new Set(refused.map((each) => each.entry)), new Set(absent.keys()), process.pid);
  await ipEntries(place, [
    ...[...absent.keys()].map((name) => `link del ${name}`),
    ...diffNamespace(vpc, held, process.pid).remove,
  ]);
  const kept = new Set(held.natGateways);
  await removeNatGateways(vpc.natGateways.filter((nat) => !kept.has(nat)));
  return { held, failures, freshLinks: freshLinks.filter((link) => !absent.has(link.name)) };
}

export function failureOf(cause: string, finished: Finished): Failure {
  return { cause, message: finished.stderr.trim() || `ended with ${finished.code}` };
}
