// Which private addresses of a subnet are free? Five are reserved in each: network, router, resolver, future use, broadcast.
// https://docs.aws.amazon.com/vpc/latest/userguide/subnet-sizing.html (read 2026-11-21). Nothing is stored: the interfaces are the record.
// What a CIDR reservation keeps back is never chosen for the caller; an address that the caller names may lie in it (subnet-cidr-reservations.ts).

import { addressAt, cidrRange, cidrSize, containsAddress, ipToNumber, numberToIp } from '@postern/network/cidr.ts';
import type { Ipv4 } from '@postern/network/snapshot.ts';
import type { SubnetRow } from '../../store/rows/ec2.ts';
import type { Transaction } from '../../store/store.ts';
import { ec2Error, invalidParameterValue } from './errors.ts';

const reservedAtStart = 4;
const reserved = 5;

/** Addresses that interfaces of each subnet have, of every subnet of one account and region, by one scan. */
export function privateAddressCounts(
  tx: Transaction,
  scope: { accountId: string; region: string },
): Map<string, number> {
  const counts = new Map<string, number>();
  for (const row of tx.list('network-interface', scope))
    counts.set(row.subnetId, (counts.get(row.subnetId) ?? 0) + row.privateAddresses.length);
  return counts;
}

/** What `AvailableIpAddressCount` shows; a /24 without interfaces has 251. */
export function availableIpAddressCount(tx: Transaction, subnet: SubnetRow): number {
  return availableOf(subnet, privateAddressCounts(tx, subnet).get(subnet.id) ?? 0);
}

export function availableOf(subnet: SubnetRow, used: number): number {
  return cidrSize(subnet.cidrBlock) - reserved - used;
}

function usedAddresses(tx: Transaction, subnet: SubnetRow): Set<Ipv4> {
  const used = new Set<Ipv4>();
  for (const row of tx.list('network-interface', subnet)) {
    if (row.subnetId !== subnet.id) continue;
    for (const { address } of row.privateAddresses) used.add(address);
  }
  return used;
}

/** How many addresses AWS can still choose by itself: without those that reservations keep back. */
export function assignableAddressCount(tx: Transaction, subnet: SubnetRow): number {
  const keptBack = reservedRanges(tx, subnet);
  if (keptBack.length === 0) return availableIpAddressCount(tx, subnet);
  const { first, last } = cidrRange(subnet.cidrBlock);
  const used = usedAddresses(tx, subnet);
  let count = 0;
  for (let value = first + reservedAtStart; value < last; value += 1) {
    const isKeptBack = keptBack.some((one) => one.first <= value && value <= one.last);
    if (!isKeptBack && !used.has(numberToIp(value))) count += 1;
  }
  return count;
}

function reservedRanges(tx: Transaction, subnet: SubnetRow) {
  return tx
    .list('subnet-cidr-reservation', subnet)
    .filter((row) => row.subnetId === subnet.id && !row.cidr.includes(':'))
    .map((row) => cidrRange(row.cidr));
}

/**
 * The lowest free address of a subnet that no reservation keeps back.
 * @param beside addresses that the same request has taken already
 * @throws InsufficientFreeAddressesInSubnet
 */
export function freePrivateAddress(tx: Transaction, subnet: SubnetRow, beside: readonly Ipv4[] = []): Ipv4 {
  const used = usedAddresses(tx, subnet);
  for (const address of beside) used.add(address);
  const { first, last } = cidrRange(subnet.cidrBlock);
  const keptBack = reservedRanges(tx, subnet);
  for (let value = first + reservedAtStart; value < last; value += 1) {
    const range = keptBack.find((one) => one.first <= value && value <= one.last);
    if (range) {
      value = range.last;
      continue;
    }
    const address = numberToIp(value);
    if (!used.has(address)) return address;
  }
  throw ec2Error(
    'InsufficientFreeAddressesInSubnet',
    `There are not enough free addresses in subnet '${subnet.id}' to satisfy the requested number of instances.`,
  );
}

/**
 * Checks an address that the caller chose.
 * @throws InvalidParameterValue (outside the subnet, reserved), InvalidIPAddress.InUse
 */
export function requireFreePrivateAddress(tx: Transaction, subnet: SubnetRow, address: Ipv4): Ipv4 {
  const value = ipToNumber(address);
  if (value === undefined) throw invalidParameterValue(`Invalid value '${address}' for IPv4 address.`);
  if (!containsAddress(subnet.cidrBlock, address))
    throw invalidParameterValue(`Address ${address} does not fall within the subnet's address range`);
  const { first, last } = cidrRange(subnet.cidrBlock);
  if (value < first + reservedAtStart || value === last)
    throw invalidParameterValue(`Address ${address} is in subnet's reserved address range`);
  if (usedAddresses(tx, subnet).has(address)) throw ec2Error('InvalidIPAddress.InUse', `Address ${address} is in use.`);
  return address;
}

/** The VPC's resolver answers at the second address of its primary block (D2). */
export function resolverAddress(primaryCidr: `${string}/${number}`): Ipv4 {
  return addressAt(primaryCidr, 2);
}
