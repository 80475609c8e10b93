// Which lease has each machine, and does it have the newest? AWS lets instances find out when they renew, within hours; here a lease is renewed at once
// whenever its VPC has other DHCP options, so a test need not wait for it. A set of options never changes: a VPC gets another set.

import type { Lease, Machines } from '@postern/fabric/types.ts';
import type { InstanceId } from '@postern/network/snapshot.ts';
import type { VpcRow } from '../store/rows/ec2.ts';
import type { Change, Store } from '../store/store.ts';
import { leaseOf } from './machine-spec.ts';

export class Leases {
  readonly #store: Store;
  readonly #machines: Pick<Machines, 'renewLease' | 'running'>;
  /** Machine → its lease as text. */
  readonly #given = new Map<InstanceId, string>();
  readonly #onIdle: () => void;
  #renewing = 0;

  constructor(store: Store, machines: Pick<Machines, 'renewLease' | 'running'>, onIdle: () => void) {
    this.#store = store;
    this.#machines = machines;
    this.#onIdle = onIdle;
  }

  /** True when every machine has what it was sent. */
  get idle(): boolean {
    return this.#renewing === 0;
  }

  /** The machine was started with this one. */
  given(id: InstanceId, lease: Lease): void {
    this.#given.set(id, JSON.stringify(lease));
  }

  forget(id: InstanceId): void {
    this.#given.delete(id);
  }

  changed(changes: readonly Change[]): void {
    const vpcs = new Set(changes.filter(hasOtherOptions).map(({ id }) => id));
    if (vpcs.size === 0) return;
    const ids = this.#machines.running().filter((id) => {
      const vpcId = this.#store.read((tx) => tx.get('instance', id)?.vpcId);
      return vpcId !== undefined && vpcs.has(vpcId);
    });
    for (const id of ids) this.check(id);
  }

  /** Renews the lease of a machine that has an old one; also to be called when it is up, for the options may have changed while it started. */
  check(id: InstanceId): void {
    const lease = this.#store.read((tx) => {
      const row = tx.get('instance', id);
      return row && tx.get('vpc', row.vpcId) && leaseOf(tx, row);
    });
    if (!lease || this.#given.get(id) === JSON.stringify(lease)) return;
    this.given(id, lease);
    this.#renewing += 1;
    void this.#machines.renewLease(id, lease).finally(() => {
      this.#renewing -= 1;
      this.#onIdle();
    });
  }
}

function hasOtherOptions({ kind, before, after }: Change): boolean {
  if (kind !== 'vpc' || !before || !after) return false;
  return (before as VpcRow).dhcpOptionsId !== (after as VpcRow).dhcpOptionsId;
}
