// What the readers of the answers share: the rows that are made so far, whose they are, and what was noticed on the way.

import type { Unmodelled } from '@postern/check/estate.ts';
import type { NetworkInterfaceId, VpcId } from '@postern/network/snapshot.ts';
import { type Answer, type Listed, listOf } from './files.ts';
import type { Item } from './item.ts';
import { RowSet } from './row-set.ts';

export interface Owner {
  readonly accountId: string;
  readonly region: string;
}

const zone = /^([a-z]{2}(?:-[a-z]+)+-\d)/;

export class Building {
  readonly rows = new RowSet();
  readonly answers: readonly Answer[];
  readonly findings: Unmodelled[] = [];
  readonly #owners = new Map<string, Owner>();

  constructor(answers: readonly Answer[]) {
    this.answers = answers;
  }

  list(name: string, idOf?: string): Listed[] {
    return listOf(this.answers, name, idOf);
  }

  /** Is there an answer of this kind at all, though its list may be empty? */
  has(name: string): boolean {
    return this.answers.some(({ fields }) => fields[name] !== undefined);
  }

  own(vpcId: string, owner: Owner): void {
    this.#owners.set(vpcId, owner);
  }

  /** Of what lies in a VPC: a thing has the VPC's region, and its own owner if it tells one. */
  ownerOf(vpcId: string | undefined, item?: Item): Owner {
    const known = this.#owners.get(vpcId ?? '') ??
      this.#owners.values().next().value ?? { accountId: '', region: 'us-east-1' };
    return { ...known, accountId: item?.optionalText('OwnerId') ?? known.accountId };
  }

  /** What is not known of some VPCs; of all when none is named. */
  part(what: string, because: string, effect: 'may-open' | 'may-block' | 'both', vpcIds?: readonly VpcId[]): void {
    this.findings.push({ kind: 'part', what, because, effect, ...(vpcIds && { at: { vpcIds } }) });
  }

  relay(what: string, networkInterfaceId: NetworkInterfaceId, vpcId: VpcId, preservesSource: boolean): void {
    const because = 'it hands on what it is sent, and to whom is not in the snapshot';
    this.findings.push({ kind: 'relay', what, because, networkInterfaceId, vpcId, preservesSource });
  }
}

/** `us-east-1a`, `us-east-1-bos-1a` → `us-east-1` */
export function regionOfZone(name: string | undefined): string | undefined {
  return zone.exec(name ?? '')?.[1];
}
