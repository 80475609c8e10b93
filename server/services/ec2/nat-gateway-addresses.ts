// The addresses of a NAT gateway: private ones of its interface, each with an Elastic IP when the gateway is public. The first is the primary one and stays
// as long as the gateway does. https://docs.aws.amazon.com/vpc/latest/userguide/nat-gateway-basics.html (read 2026-11-21). Rule G6.

import type { NatGatewayAddress, NatGatewayAddressStatus } from '@aws-sdk/client-ec2';
import type { Ipv4 } from '@postern/network/snapshot.ts';
import type { Call } from '../../service.ts';
import type { AddressRow, NatGatewayRow, NetworkInterfaceRow, SubnetRow } from '../../store/rows/ec2.ts';
import { alreadyAssociated, ec2Error, invalidParameter, invalidParameterValue } from './errors.ts';
import { enforceQuota } from './quotas.ts';
import { requireRow, scopeOf } from './rows.ts';
import { freePrivateAddress, requireFreePrivateAddress } from './subnet-addresses.ts';

type Address = NatGatewayRow['addresses'][number];

/** G6: one primary and seven others. */
export const mostAddresses = 8;

export function toNatGatewayAddress(
  row: NatGatewayRow,
  address: Address,
  status: NatGatewayAddressStatus = 'succeeded',
): NatGatewayAddress {
  const { privateIp, primary, elastic } = address;
  return {
    ...(elastic && { AllocationId: elastic.allocationId }),
    ...(elastic?.associationId && { AssociationId: elastic.associationId }),
    ...(elastic?.publicIp && { PublicIp: elastic.publicIp }),
    ...(row.networkInterfaceId && { NetworkInterfaceId: row.networkInterfaceId }),
    ...(privateIp && { PrivateIp: privateIp }),
    IsPrimary: primary,
    Status: row.state === 'failed' ? 'failed' : status,
  };
}

/** The Elastic IP belongs to the gateway's private address from now on. */
export function giveElasticIp(
  call: Call,
  address: AddressRow,
  networkInterface: NetworkInterfaceRow,
  privateIp: Ipv4,
): NonNullable<Address['elastic']> {
  const associationId = call.tx.newId('eipassoc');
  call.tx.put('address', { ...address, associationId, networkInterfaceId: networkInterface.id, privateIp });
  return { allocationId: address.id, associationId, publicIp: address.publicIp };
}

export function freeElasticIps(call: Call, addresses: readonly Address[]): void {
  for (const { elastic } of addresses) {
    const row = elastic && call.tx.get('address', elastic.allocationId);
    if (!row || row.associationId !== elastic.associationId) continue;
    const { associationId: _association, networkInterfaceId: _interface, privateIp: _private, ...free } = row;
    call.tx.put('address', free);
  }
}

/** Adds private addresses to the gateway's interface, those asked for or free ones. */
function growInterface(call: Call, row: NatGatewayRow, wanted: readonly Ipv4[], count: number) {
  const card = requireRow(call, 'network-interface', row.networkInterfaceId);
  if (row.addresses.length + count > mostAddresses)
    throw invalidParameterValue(`A NAT gateway can have at most ${mostAddresses} IPv4 addresses.`);
  const subnet: SubnetRow = requireRow(call, 'subnet', row.subnetId);
  const added: Ipv4[] = [];
  for (const address of wanted) {
    if (added.includes(address)) throw invalidParameterValue(`Duplicate address ${address} specified.`);
    added.push(requireFreePrivateAddress(call.tx, subnet, address));
  }
  while (added.length < count) added.push(freePrivateAddress(call.tx, subnet, added));
  const grown: NetworkInterfaceRow = {
    ...card,
    privateAddresses: [...card.privateAddresses, ...added.map((address) => ({ address, primary: false }))],
  };
  call.tx.put('network-interface', grown);
  return { card: grown, added };
}

/** Takes addresses off the gateway, its interface and its Elastic IPs. */
function shrink(call: Call, row: NatGatewayRow, gone: readonly Address[]): void {
  const primary = gone.find((one) => one.primary);
  if (primary)
    throw invalidParameter(`The primary address ${primary.privateIp} of NAT gateway ${row.id} cannot be removed.`);
  const card = requireRow(call, 'network-interface', row.networkInterfaceId);
  freeElasticIps(call, gone);
  const privateIps = new Set(gone.map((one) => one.privateIp));
  call.tx.put('network-interface', {
    ...card,
    privateAddresses: card.privateAddresses.filter((one) => !privateIps.has(one.address)),
  });
  call.tx.put('nat-gateway', { ...row, addresses: row.addresses.filter((one) => !gone.includes(one)) });
}

/** AssociateNatGatewayAddress. @returns the new ones */
export function associateAddresses(
  call: Call,
  row: NatGatewayRow,
  allocationIds: readonly string[],
  privateIps: readonly Ipv4[],
): Address[] {
  if (new Set(allocationIds).size < allocationIds.length)
    throw invalidParameterValue('Duplicate allocation IDs specified.');
  if (privateIps.length > 0 && privateIps.length !== allocationIds.length)
    throw invalidParameterValue('The number of private IP addresses must equal the number of allocation IDs.');
  const elastics = allocationIds.map((id) => requireRow(call, 'address', id));
  for (const one of elastics)
    if (one.associationId) throw alreadyAssociated(`Elastic IP address [${one.id}] is already associated`);
  enforceQuota(call, 'addressesPerNatGateway', () => row.addresses.length, elastics.length);
  const { card, added } = growInterface(call, row, privateIps, elastics.length);
  const fresh = elastics.map(
    (one, index): Address => ({
      privateIp: added[index] ?? '',
      primary: false,
      elastic: giveElasticIp(call, one, card, added[index] ?? ''),
    }),
  );
  call.tx.put('nat-gateway', { ...row, addresses: [...row.addresses, ...fresh] });
  return fresh;
}

/** DisassociateNatGatewayAddress. @returns those that went */
export function disassociateAddresses(call: Call, row: NatGatewayRow, associationIds: readonly string[]): Address[] {
  const gone = [...new Set(associationIds)].map((id) => {
    const found = row.addresses.find((one) => one.elastic?.associationId === id);
    if (!found) throw ec2Error('InvalidAssociationID.NotFound', `The association ID '${id}' does not exist`);
    return found;
  });
  shrink(call, row, gone);
  return gone;
}

/** AssignPrivateNatGatewayAddress. @returns the new ones */
export function assignAddresses(call: Call, row: NatGatewayRow, privateIps: readonly Ipv4[], count: number): Address[] {
  const { added } = growInterface(call, row, privateIps, Math.max(count, privateIps.length));
  const fresh = added.map((privateIp): Address => ({ privateIp, primary: false }));
  call.tx.put('nat-gateway', { ...row, addresses: [...row.addresses, ...fresh] });
  return fresh;
}

/** UnassignPrivateNatGatewayAddress. @returns those that went */
export function unassignAddresses(call: Call, row: NatGatewayRow, privateIps: readonly Ipv4[]): Address[] {
  const gone = [...new Set(privateIps)].map((address) => {
    const found = row.addresses.find((one) => one.privateIp === address);
    if (!found) throw invalidParameterValue(`The private IP address ${address} is not assigned to ${row.id}`);
    return found;
  });
  shrink(call, row, gone);
  return gone;
}

/** An Elastic IP of a gateway is managed by the gateway's own calls. */
export function isOfNatGateway(call: Call, address: AddressRow): boolean {
  return call.tx
    .list('nat-gateway', scopeOf(call))
    .some((row) =>
      row.addresses.some(
        (one) => one.elastic?.associationId !== undefined && one.elastic.associationId === address.associationId,
      ),
    );
}
