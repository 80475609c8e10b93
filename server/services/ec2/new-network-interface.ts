// What rows does a new network interface consist of, and which addresses does it get? Used by CreateNetworkInterface and RunInstances.
// Order of checks: private addresses (InvalidParameterValue, InvalidIPAddress.InUse, InsufficientFreeAddressesInSubnet), then security groups (S3, S5).

import type { PrivateIpAddressSpecification } from '@aws-sdk/client-ec2';
import { cidrSize } from '@postern/network/cidr.ts';
import type { InterfaceService, Ipv4, Ipv6, NetworkInterfaceId, SecurityGroupId } from '@postern/network/snapshot.ts';
import type { Call } from '../../service.ts';
import type { NetworkInterfaceRow, SubnetRow, Tags } from '../../store/rows/ec2.ts';
import { freePublicAddress } from './addresses-pool.ts';
import {
  ec2Error,
  invalidCombination,
  invalidParameter,
  invalidParameterValue,
  isWellFormedId,
  malformedId,
  notFound,
} from './errors.ts';
import { enforceQuota } from './quotas.ts';
import { findRow, scopeOf } from './rows.ts';
import { isAssociated } from './security-group-vpcs.ts';
import { freePrivateAddress, requireFreePrivateAddress } from './subnet-addresses.ts';

/** The members that say which private addresses an interface has. */
export interface AddressRequest {
  readonly PrivateIpAddress?: string | undefined;
  readonly PrivateIpAddresses?: readonly PrivateIpAddressSpecification[] | undefined;
  readonly SecondaryPrivateIpAddressCount?: number | undefined;
}

export type PrivateAddresses = NetworkInterfaceRow['privateAddresses'];

/** The addresses of a new interface, the primary one first. */
export function choosePrivateAddresses(call: Call, subnet: SubnetRow, request: AddressRequest): PrivateAddresses {
  const listed = request.PrivateIpAddresses ?? [];
  const primaries = listed.filter((one) => one.Primary).flatMap((one) => one.PrivateIpAddress ?? []);
  if (
    primaries.length > 1 ||
    (primaries.length === 1 && request.PrivateIpAddress && request.PrivateIpAddress !== primaries[0])
  )
    throw invalidParameterValue('Only one primary private IP address can be specified.');
  const primary = request.PrivateIpAddress ?? primaries[0];
  const secondaries = listed
    .flatMap((one) => (one.Primary ? [] : (one.PrivateIpAddress ?? [])))
    .filter((one) => one !== request.PrivateIpAddress);
  if (secondaries.length > 0 && request.SecondaryPrivateIpAddressCount)
    throw invalidCombination(
      'Only one of secondaryPrivateIpAddresses and secondaryPrivateIpAddressCount can be specified',
    );
  const wanted = [...(primary === undefined ? [] : [primary]), ...secondaries];
  for (const [index, address] of wanted.entries()) {
    requireFreePrivateAddress(call.tx, subnet, address);
    if (wanted.indexOf(address) !== index) throw invalidParameterValue(`Duplicate address ${address} specified.`);
  }
  const first = primary ?? freePrivateAddress(call.tx, subnet, wanted);
  const more = [...secondaries];
  for (let count = request.SecondaryPrivateIpAddressCount ?? 0; count > 0; count -= 1) {
    more.push(freePrivateAddress(call.tx, subnet, [first, ...wanted, ...more]));
    if (more.length > cidrSize(subnet.cidrBlock)) break;
  }
  return [{ address: first, primary: true }, ...more.map((address) => ({ address, primary: false }))];
}

/**
 * The groups of an interface in a subnet's VPC: the ones named, or the VPC's default group (S3).
 * @throws InvalidGroupId.Malformed, InvalidGroup.NotFound, InvalidParameter (S5)
 */
export function chooseGroups(
  call: Call,
  subnet: SubnetRow,
  groupIds: readonly string[] | undefined,
): SecurityGroupId[] {
  if (!groupIds || groupIds.length === 0) {
    const group = call.tx
      .list('security-group', scopeOf(call))
      .find((row) => row.vpcId === subnet.vpcId && row.groupName === 'default');
    if (!group) throw new Error(`${subnet.vpcId} has no default security group`);
    return [group.id];
  }
  const unique = [...new Set(groupIds)];
  enforceQuota(call, 'securityGroupsPerInterface', () => unique.length, 0);
  return unique.map((id) => {
    if (!isWellFormedId('security-group', id)) throw malformedId('security-group', id);
    const group = findRow(call, 'security-group', id);
    if (!group) throw notFound('security-group', [id]);
    if (group.vpcId !== subnet.vpcId && !isAssociated(call.tx, group.id, subnet.vpcId))
      throw invalidParameter(`Security group ${id} and subnet ${subnet.id} belong to different networks.`);
    return group.id;
  });
}

export interface NewNetworkInterface {
  readonly subnet: SubnetRow;
  readonly privateAddresses: PrivateAddresses;
  /** Absent: none. */
  readonly ipv6Addresses?: Ipv6[];
  readonly primaryIpv6?: boolean | undefined;
  readonly groupIds: SecurityGroupId[];
  readonly description: string;
  readonly interfaceType: string;
  readonly tags: Tags;
  readonly attachment?: NetworkInterfaceRow['attachment'];
  /** For what AWS makes in the account's name; `requesterId` is whose request it then was. */
  readonly managed?: { readonly service: InterfaceService; readonly requesterId: string };
}

/** Writes the row. */
export function makeNetworkInterface(call: Call, spec: NewNetworkInterface): NetworkInterfaceRow {
  enforceQuota(call, 'interfacesPerRegion', () => call.tx.list('network-interface', scopeOf(call)).length);
  const id: NetworkInterfaceId = call.tx.newId('eni');
  const row: NetworkInterfaceRow = {
    id,
    accountId: call.accountId,
    region: call.region,
    vpcId: spec.subnet.vpcId,
    subnetId: spec.subnet.id,
    availabilityZone: spec.subnet.availabilityZone,
    description: spec.description,
    macAddress: macAddressOf(id),
    privateAddresses: spec.privateAddresses,
    ipv6Addresses: spec.ipv6Addresses ?? [],
    ...(spec.primaryIpv6 && { primaryIpv6: true }),
    groupIds: spec.groupIds,
    sourceDestCheck: true,
    interfaceType: spec.interfaceType,
    requesterManaged: spec.managed !== undefined,
    ...spec.managed,
    ...(spec.attachment && { attachment: spec.attachment }),
    tags: spec.tags,
  };
  call.tx.put('network-interface', row);
  return row;
}

/** From the id, which is random: 40 bits of it. The first octet marks a locally administered unicast address, as AWS's do (02 to 0e). */
function macAddressOf(id: NetworkInterfaceId): string {
  const hex = id.slice(-10);
  return ['02', ...(hex.match(/../g) ?? [])].join(':');
}

/** Gives the primary private address a public one from the pool; it is gone after stop. */
export function withAutoPublicIp(call: Call, row: NetworkInterfaceRow): NetworkInterfaceRow {
  const publicIp: Ipv4 = freePublicAddress(call.tx);
  const autoPublicIp = { publicIp, associationId: call.tx.newId('eipassoc') };
  const changed = {
    ...row,
    privateAddresses: row.privateAddresses.map((one) => (one.primary ? { ...one, autoPublicIp } : one)),
  };
  call.tx.put('network-interface', changed);
  return changed;
}

/** @throws PrivateIpAddressLimitExceeded */
export function checkAddressLimit(count: number, limit: number): void {
  if (count > limit) throw ec2Error('PrivateIpAddressLimitExceeded', `Number of private addresses will exceed limit.`);
}

/** @throws AttachmentLimitExceeded */
export function checkInterfaceLimit(count: number, limit: number, instanceType: string): void {
  if (count > limit)
    throw ec2Error('AttachmentLimitExceeded', `Interface count ${count} exceeds the limit for ${instanceType}`);
}
