// The links between the routers of peered VPCs. A link belongs to two namespaces, so it is neither's: it is made when both have their filters and before
// the routes that lie on it, and taken away after those have gone, so that at no moment a packet passes unfiltered or falls back to another route (R9).

import type { VpcId } from '@postern/network/snapshot.ts';
import type { PeeringEnd, PeeringLink } from './compile/host-state.ts';
import { ipEntries, type Place, type Refusal } from './host.ts';
import { renderPeeringLink } from './render/ip.ts';
import type { Failure } from './vpc-router.ts';

export class PeeringLinks {
  /** By the link's own text: a link of which anything changed is another. */
  #held = new Map<string, PeeringLink>();

  /**
   * Makes what is wanted and not there.
   * @param present VPCs whose routers are there
   * @returns the devices that are new in each VPC, and what could not be made
   */
  async make(
    wanted: readonly PeeringLink[],
    present: ReadonlySet<VpcId>,
  ): Promise<{ readonly fresh: ReadonlyMap<VpcId, readonly string[]>; readonly failures: readonly Failure[] }> {
    const missing = wanted.filter(
      (link) => !this.#held.has(keyOf(link)) && link.ends.every((end) => present.has(end.vpcId)),
    );
    // In one's own place: the same devices.
    const replaced = new Set(missing.map((link) => link.alias));
    await this.#remove([...this.#held.values()].filter((link) => replaced.has(link.alias)));
    const refused = new Map([
      ...(await inBatches(missing, 0, (link) => renderPeeringLink(link).add)),
      ...(await inBatches(missing, 1, (link) => renderPeeringLink(link).up)),
    ]);
    const failed = missing.filter((link) => refused.has(link));
    // Half of it may be there, at either end.
    for (const index of [0, 1] as const) await inBatches(failed, index, (link) => `link del ${link.ends[index].name}`);
    const made = missing.filter((link) => !refused.has(link));
    for (const link of made) this.#held.set(keyOf(link), link);
    return {
      fresh: devicesByVpc(made),
      failures: failed.map((link) => ({ cause: link.alias, message: refused.get(link) ?? '' })),
    };
  }

  /** Takes away what is not wanted any more. */
  async removeOthers(wanted: readonly PeeringLink[]): Promise<void> {
    const keys = new Set(wanted.map(keyOf));
    await this.#remove([...this.#held.values()].filter((link) => !keys.has(keyOf(link))));
  }

  /** The routers of these VPCs are about to go: their links go first, from both ends at once. */
  async removeOf(vpcIds: ReadonlySet<VpcId>): Promise<void> {
    await this.#remove([...this.#held.values()].filter((link) => link.ends.some((end) => vpcIds.has(end.vpcId))));
  }

  /** The router went, and the kernel took its links along. */
  forget(vpcId: VpcId): void {
    for (const [key, link] of this.#held) if (link.ends.some((end) => end.vpcId === vpcId)) this.#held.delete(key);
  }

  /** Devices of a VPC that are not there though they are wanted. */
  absent(vpcId: VpcId, wanted: readonly PeeringLink[]): ReadonlySet<string> {
    const missing = wanted.filter((link) => !this.#held.has(keyOf(link)));
    return new Set(devicesByVpc(missing).get(vpcId));
  }

  async #remove(links: readonly PeeringLink[]): Promise<void> {
    for (const link of links) this.#held.delete(keyOf(link));
    await inBatches(links, 0, (link) => renderPeeringLink(link).remove);
  }
}

function keyOf(link: PeeringLink): string {
  return JSON.stringify(link);
}

function devicesByVpc(links: readonly PeeringLink[]): Map<VpcId, string[]> {
  const devices = new Map<VpcId, string[]>();
  for (const { vpcId, name } of links.flatMap((link): readonly PeeringEnd[] => link.ends))
    devices.set(vpcId, [...(devices.get(vpcId) ?? []), name]);
  return devices;
}

/** One entry per link, in the namespace of one of its ends; one program per namespace. @returns what was refused, with the reason */
async function inBatches(
  links: readonly PeeringLink[],
  end: 0 | 1,
  render: (link: PeeringLink) => string,
): Promise<[PeeringLink, string][]> {
  const byVpc = new Map<VpcId, PeeringLink[]>();
  for (const link of links) byVpc.set(link.ends[end].vpcId, [...(byVpc.get(link.ends[end].vpcId) ?? []), link]);
  const answers = [...byVpc].map(async ([name, own]): Promise<[PeeringLink, string][]> => {
    const place: Place = { kind: 'vpc', name };
    const refusals = await ipEntries(place, own.map(render));
    const why = new Map(refusals.map(({ entry, message }: Refusal) => [entry, message]));
    return own.flatMap((link): [PeeringLink, string][] => {
      const message = why.get(render(link));
      return message === undefined ? [] : [[link, message]];
    });
  });
  return (await Promise.all(answers)).flat();
}
