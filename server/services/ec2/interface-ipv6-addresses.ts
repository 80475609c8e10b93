// IPv6 addresses of network interfaces: which ones a new interface gets, and AssignIpv6Addresses, UnassignIpv6Addresses.
// https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/using-instance-addressing.html#ipv6-addressing (read 2026-11-21). In each subnet the first four
// addresses and the last are reserved. AWS draws them at random; so it is done here.
// Gap: prefixes (Ipv6Prefixes) are refused.

import type {
  AssignIpv6AddressesRequest,
  AssignIpv6AddressesResult,
  UnassignIpv6AddressesRequest,
  UnassignIpv6AddressesResult,
} from '@aws-sdk/client-ec2';
import { ipv6CidrRange, ipv6ToNumber, normalizeIpv6, numberToIpv6 } from '@postern/network/ipv6.ts';
import type { Ipv6 } from '@postern/network/snapshot.ts';
import { type Call, type Operation, operation } from '../../service.ts';
import type { NetworkInterfaceRow, SubnetRow } from '../../store/rows/ec2.ts';
import type { Transaction } from '../../store/store.ts';
import { ec2Error, invalidCombination, invalidParameterValue, missingParameter, refuseUnsupported } from './errors.ts';
import { instanceTypes } from './instance-type-table.ts';
import { requireRow } from './rows.ts';

/** The members that say which IPv6 addresses an interface has, as every operation spells them. */
export interface Ipv6Request {
  readonly Ipv6Addresses?: readonly { readonly Ipv6Address?: string | undefined }[] | undefined;
  readonly Ipv6AddressCount?: number | undefined;
}

const reservedAtStart = 4n;
/** From then on also near the ends: most of the middle may be kept back. */
const usualDraws = 100;
const mostDraws = 1000;

/** How many a new interface gets: those named, the count, or one where the subnet says so. A count of 0 overrides the subnet. */
export function ipv6AddressCount(subnet: SubnetRow, request: Ipv6Request): number {
  const named = request.Ipv6Addresses?.length ?? 0;
  if (named > 0) return named;
  return request.Ipv6AddressCount ?? (subnet.assignIpv6AddressOnCreation ? 1 : 0);
}

/**
 * The addresses of a new interface, in the order asked for.
 * @throws InvalidParameterCombination, InvalidParameterValue, InvalidIPAddress.InUse
 */
export function chooseIpv6Addresses(call: Call, subnet: SubnetRow, request: Ipv6Request): Ipv6[] {
  const named = (request.Ipv6Addresses ?? []).flatMap((one) => one.Ipv6Address ?? []);
  if (named.length > 0 && request.Ipv6AddressCount)
    throw invalidCombination('IPv6 addresses and IPv6 address count may not be specified on the same request');
  return pick(call.tx, subnet, named, named.length > 0 ? 0 : ipv6AddressCount(subnet, request));
}

function pick(tx: Transaction, subnet: SubnetRow, named: readonly string[], count: number): Ipv6[] {
  if (named.length === 0 && count === 0) return [];
  if (count < 0) throw invalidParameterValue(`Value (${count}) for parameter ipv6AddressCount is invalid.`);
  const block = subnet.ipv6CidrBlock?.cidr;
  if (block === undefined)
    throw invalidParameterValue(`Subnet ${subnet.id} does not have an IPv6 CIDR block associated with it.`);
  const used = new Set<Ipv6>();
  for (const row of tx.list('network-interface', subnet))
    if (row.subnetId === subnet.id) for (const address of row.ipv6Addresses ?? []) used.add(address);
  const { first, last } = ipv6CidrRange(block);
  const chosen: Ipv6[] = [];
  for (const text of named) {
    const value = ipv6ToNumber(text);
    if (value === undefined) throw invalidParameterValue(`Invalid value '${text}' for IPv6 address.`);
    if (value < first || value > last)
      throw invalidParameterValue(`Address ${text} does not fall within the subnet's address range`);
    if (value < first + reservedAtStart || value === last)
      throw invalidParameterValue(`Address ${text} is in subnet's reserved address range`);
    const address = numberToIpv6(value);
    if (used.has(address)) throw ec2Error('InvalidIPAddress.InUse', `Address ${text} is in use.`);
    used.add(address);
    chosen.push(address);
  }
  const keptBack = reservedRanges(tx, subnet);
  for (let draws = 0; chosen.length < named.length + count; draws += 1) {
    const value = first + (draws < usualDraws ? randomHost(tx) : randomBits(tx, 64));
    const address = numberToIpv6(value);
    const isKeptBack = keptBack.some((range) => range.first <= value && value <= range.last);
    if (draws > mostDraws)
      throw ec2Error(
        'InsufficientFreeAddressesInSubnet',
        `There are not enough free addresses in subnet '${subnet.id}' to satisfy the request.`,
      );
    if (used.has(address) || isKeptBack || value < first + reservedAtStart || value >= last) continue;
    used.add(address);
    chosen.push(address);
  }
  return chosen;
}

/** What CIDR reservations keep back. */
function reservedRanges(tx: Transaction, subnet: SubnetRow) {
  return tx
    .list('subnet-cidr-reservation', subnet)
    .filter((row) => row.subnetId === subnet.id && row.cidr.includes(':'))
    .map((row) => ipv6CidrRange(row.cidr));
}

/** Neither near the first address nor the last. */
function randomHost(tx: Transaction): bigint {
  return randomBits(tx, 62) | (1n << 62n);
}

/** At most the 64 random bits of a fresh id. */
function randomBits(tx: Transaction, count: number): bigint {
  return BigInt.asUintN(count, BigInt(`0x${tx.newId('eni').slice(-16)}`));
}

/** @throws PrivateIpAddressLimitExceeded */
export function checkIpv6Limit(count: number, limit: number): void {
  if (count > limit) throw ec2Error('PrivateIpAddressLimitExceeded', `Number of IPv6 addresses will exceed limit.`);
}

function assign(call: Call, row: NetworkInterfaceRow, input: AssignIpv6AddressesRequest): Ipv6[] {
  const named = input.Ipv6Addresses ?? [];
  const count = input.Ipv6AddressCount;
  if (named.length > 0 && count !== undefined)
    throw invalidCombination('IPv6 addresses and IPv6 address count may not be specified on the same request');
  if (named.length === 0 && !count) throw missingParameter('ipv6AddressCount or ipv6Addresses');
  const before = row.ipv6Addresses ?? [];
  // An address that the interface has already is no mistake.
  const fresh = named.filter((text) => !before.includes(normalizeIpv6(text) ?? text));
  const added = pick(call.tx, requireRow(call, 'subnet', row.subnetId), fresh, count ?? 0);
  const instance = row.attachment && call.tx.get('instance', row.attachment.instanceId);
  const type = instance && instanceTypes.get(instance.instanceType);
  if (type) checkIpv6Limit(before.length + added.length, type.addressesPerInterface);
  call.tx.put('network-interface', { ...row, ipv6Addresses: [...before, ...added] });
  return added;
}

function unassign(call: Call, row: NetworkInterfaceRow, texts: readonly string[]): Ipv6[] {
  const before = row.ipv6Addresses ?? [];
  const gone = texts.map((text) => {
    const address = normalizeIpv6(text);
    if (address === undefined || !before.includes(address))
      throw invalidParameterValue(`Some of the specified addresses are not assigned to interface ${row.id}`);
    if (row.primaryIpv6 && address === before[0])
      throw invalidParameterValue(`The primary IPv6 address ${address} cannot be unassigned.`);
    return address;
  });
  call.tx.put('network-interface', { ...row, ipv6Addresses: before.filter((one) => !gone.includes(one)) });
  return gone;
}

export const interfaceIpv6Addresses = {
  AssignIpv6Addresses: operation<AssignIpv6AddressesRequest, AssignIpv6AddressesResult>({
    authorize: 'auto',
    run: (call, input) => {
      refuseUnsupported('AssignIpv6Addresses', input, ['Ipv6Prefixes', 'Ipv6PrefixCount']);
      const row = requireRow(call, 'network-interface', input.NetworkInterfaceId, 'networkInterfaceId');
      const AssignedIpv6Addresses = assign(call, row, input);
      return { NetworkInterfaceId: row.id, AssignedIpv6Addresses, AssignedIpv6Prefixes: [] };
    },
  }),

  UnassignIpv6Addresses: operation<UnassignIpv6AddressesRequest, UnassignIpv6AddressesResult>({
    authorize: 'auto',
    run: (call, input) => {
      refuseUnsupported('UnassignIpv6Addresses', input, ['Ipv6Prefixes']);
      const row = requireRow(call, 'network-interface', input.NetworkInterfaceId, 'networkInterfaceId');
      if (!input.Ipv6Addresses?.length) throw missingParameter('ipv6Addresses');
      const UnassignedIpv6Addresses = unassign(call, row, input.Ipv6Addresses);
      return { NetworkInterfaceId: row.id, UnassignedIpv6Addresses, UnassignedIpv6Prefixes: [] };
    },
  }),
} satisfies Record<string, Operation>;
