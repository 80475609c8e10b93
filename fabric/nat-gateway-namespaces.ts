// The namespaces of NAT gateways, named by their ids: made before the link that leads into them, furnished after it. One belongs to its link, so a link that
// is made anew gets a new namespace, and nothing of a gateway's flows outlives it.

import type { Link, NatGatewayState, VpcState } from './compile/host-state.ts';
import { ipEntries, nft, type Place, run, setKernelParameters } from './host.ts';
import { natGatewayParameters } from './kernel-parameters.ts';
import { startTranslator, stopTranslator } from './nat64-translators.ts';
import { renderNat64, renderNatGateway, renderNatGatewayAddresses } from './render/ip.ts';
import { renderTableChange } from './render/nft.ts';
import type { FailedInterface } from './vpc-router.ts';

const placeOf = (nat: NatGatewayState): Place => ({ kind: 'nat-gateway', name: nat.natGatewayId });

/** Makes the namespaces of new links, with their filters, and removes those that are gone. One that cannot be made shows when its link is refused. */
export async function makeNatGateways(
  before: VpcState | undefined,
  vpc: VpcState,
  freshLinks: readonly Link[],
  idleTimeoutSeconds: number,
): Promise<void> {
  const wanted = new Set(vpc.natGateways.map((nat) => nat.natGatewayId));
  await removeNatGateways((before?.natGateways ?? []).filter((nat) => !wanted.has(nat.natGatewayId)));
  await Promise.all(freshOf(vpc, freshLinks).map((nat) => makeNamespace(nat, idleTimeoutSeconds)));
}

async function makeNamespace(nat: NatGatewayState, idleTimeoutSeconds: number): Promise<void> {
  await removeNatGateways([nat]);
  await run('ip', ['netns', 'add', nat.natGatewayId]);
  const set = await setKernelParameters(placeOf(nat), natGatewayParameters(idleTimeoutSeconds));
  const filtered = set.code === 0 ? await nft(placeOf(nat), renderTableChange(undefined, nat.table)) : set;
  // Without its filter it must not be linked.
  if (filtered.code !== 0) await removeNatGateways([nat]);
}

/** Addresses, routes and translation. @returns those that could not be furnished */
export async function configureNatGateways(
  before: VpcState | undefined,
  vpc: VpcState,
  freshLinks: readonly Link[],
): Promise<FailedInterface[]> {
  const fresh = new Set(freshOf(vpc, freshLinks));
  const known = new Map((before?.natGateways ?? []).map((nat) => [nat.natGatewayId, nat]));
  const outcomes = await Promise.all(
    vpc.natGateways.map(async (nat) => {
      const from = fresh.has(nat) ? undefined : known.get(nat.natGatewayId);
      const message = from === nat ? undefined : await configure(from, nat);
      return message === undefined ? [] : [{ networkInterfaceId: nat.networkInterfaceId, message }];
    }),
  );
  return outcomes.flat();
}

async function configure(from: NatGatewayState | undefined, to: NatGatewayState): Promise<string | undefined> {
  if (from === undefined) {
    const [refused] = await ipEntries(placeOf(to), renderNatGateway(to));
    return refused?.message ?? (to.hasNat64 ? await openNat64(to) : undefined);
  }
  if (from.hasNat64 && !to.hasNat64) await closeNat64(to);
  const unopened = to.hasNat64 && !from.hasNat64 ? await openNat64(to) : undefined;
  if (unopened !== undefined) return unopened;
  const old = renderNatGatewayAddresses(from).map((line) => line.add);
  const now = renderNatGatewayAddresses(to).map((line) => line.add);
  const gone = renderNatGatewayAddresses(from).filter((line) => !now.includes(line.add));
  // An address is there before a flow gets it, and no flow gets it any more before it goes.
  const added = await ipEntries(
    placeOf(to),
    now.filter((line) => !old.includes(line)),
  );
  const change = renderTableChange(from.table, to.table);
  const translated = change === '' ? undefined : await nft(placeOf(to), change);
  await ipEntries(
    placeOf(to),
    gone.map((line) => line.remove),
  );
  if (translated !== undefined && translated.code !== 0) return translated.stderr.trim();
  return added[0]?.message;
}

async function openNat64(nat: NatGatewayState): Promise<string | undefined> {
  const [refused] = await ipEntries(placeOf(nat), renderNat64().add);
  return refused?.message ?? (await startTranslator(nat));
}

async function closeNat64(nat: NatGatewayState): Promise<void> {
  stopTranslator(nat.natGatewayId);
  await ipEntries(placeOf(nat), [renderNat64().remove]);
}

export async function removeNatGateways(gateways: readonly NatGatewayState[]): Promise<void> {
  for (const { natGatewayId } of gateways) stopTranslator(natGatewayId);
  await Promise.all(gateways.map((nat) => run('ip', ['netns', 'del', nat.natGatewayId])));
}

function freshOf(vpc: VpcState, freshLinks: readonly Link[]): NatGatewayState[] {
  const fresh = new Set<string>(freshLinks.map((link) => link.alias));
  return vpc.natGateways.filter((nat) => fresh.has(nat.networkInterfaceId));
}
