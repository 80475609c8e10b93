// Which public IPv4 address does a new Elastic or auto-assigned IP get? One from Postern's public pool (design, "Addresses"), unique over every
// account and region: there is one internet. The lowest free one would be handed out again at once after a release and hide mistakes in policies
// that still name it, so the search goes on from the highest address in use and wraps.

import { addressPlan } from '@postern/network/addresses.ts';
import { cidrRange, ipToNumber, numberToIp } from '@postern/network/cidr.ts';
import type { Ipv4 } from '@postern/network/snapshot.ts';
import type { Transaction } from '../../store/store.ts';
import { ec2Error } from './errors.ts';

/** Kept free at the start of the pool, for the fabric's own use. */
const reservedAtStart = 10;

/** Every public address in use: Elastic IPs and auto-assigned ones, of every account and region. */
export function publicAddressesInUse(tx: Transaction): Set<Ipv4> {
  const used = new Set<Ipv4>();
  for (const address of tx.list('address')) used.add(address.publicIp);
  for (const networkInterface of tx.list('network-interface'))
    for (const { autoPublicIp } of networkInterface.privateAddresses) if (autoPublicIp) used.add(autoPublicIp.publicIp);
  return used;
}

/**
 * A public address that nobody has.
 * @param wanted a particular one (AllocateAddress with Address)   @throws InsufficientAddressCapacity, InvalidAddress.NotFound
 */
export function freePublicAddress(tx: Transaction, wanted?: Ipv4): Ipv4 {
  const pool = cidrRange(addressPlan.publicPool);
  const first = pool.first + reservedAtStart;
  const end = pool.last;
  const used = publicAddressesInUse(tx);
  if (wanted !== undefined) {
    const value = ipToNumber(wanted) ?? -1;
    if (used.has(wanted) || !(first <= value && value < end))
      throw ec2Error('InvalidAddress.NotFound', `Address '${wanted}' not found.`);
    return wanted;
  }
  let highest = first - 1;
  for (const address of used) highest = Math.max(highest, ipToNumber(address) ?? 0);
  const count = end - first;
  for (let step = 0; step < count; step += 1) {
    const address = numberToIp(first + ((highest + 1 - first + step) % count));
    if (!used.has(address)) return address;
  }
  throw ec2Error('InsufficientAddressCapacity', 'Not enough addresses available to satisfy the request.');
}
