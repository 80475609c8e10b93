// Network interfaces: create, describe, delete, attach, detach, attributes and secondary private addresses.
// https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/using-eni.html (read 2026-11-21). IPv6 addresses: interface-ipv6-addresses.ts.
// Gap: prefixes and trunk interfaces are refused.

import type {
  AssignPrivateIpAddressesRequest,
  AssignPrivateIpAddressesResult,
  AttachNetworkInterfaceRequest,
  AttachNetworkInterfaceResult,
  CreateNetworkInterfaceRequest,
  CreateNetworkInterfaceResult,
  DeleteNetworkInterfaceRequest,
  DescribeNetworkInterfaceAttributeRequest,
  DescribeNetworkInterfaceAttributeResult,
  DescribeNetworkInterfacesRequest,
  DescribeNetworkInterfacesResult,
  DetachNetworkInterfaceRequest,
  ModifyNetworkInterfaceAttributeRequest,
  ResetNetworkInterfaceAttributeRequest,
  UnassignPrivateIpAddressesRequest,
} from '@aws-sdk/client-ec2';
import { type Call, type Operation, operation } from '../../service.ts';
import type { InstanceRow, NetworkInterfaceRow } from '../../store/rows/ec2.ts';
import { describe } from './describe.ts';
import {
  ec2Error,
  invalidCombination,
  invalidParameterValue,
  missingParameter,
  operationNotPermitted,
  refuseUnsupported,
  unsupportedOperation,
} from './errors.ts';
import { oncePerToken } from './idempotency.ts';
import { instanceTypes } from './instance-type-table.ts';
import { checkIpv6Limit, chooseIpv6Addresses } from './interface-ipv6-addresses.ts';
import { attachAddresses } from './launch-network.ts';
import { networkInterfaceFilters } from './network-interface-filters.ts';
import { interfaceView, toNetworkInterface } from './network-interface-output.ts';
import {
  checkAddressLimit,
  checkInterfaceLimit,
  chooseGroups,
  choosePrivateAddresses,
  makeNetworkInterface,
} from './new-network-interface.ts';
import { restorePublicIp, withoutAutoPublicIp } from './public-address.ts';
import { findRow, requireRow, scopeOf } from './rows.ts';
import { freePrivateAddress, requireFreePrivateAddress } from './subnet-addresses.ts';
import { tagsFromSpecifications } from './tags.ts';

function requireInterface(call: Call, id: string | undefined): NetworkInterfaceRow {
  return requireRow(call, 'network-interface', id, 'networkInterfaceId');
}

/**
 * An interface that the caller may change.
 * @throws AuthFailure for one that AWS manages
 */
function requireOwnInterface(call: Call, id: string | undefined): NetworkInterfaceRow {
  const row = requireInterface(call, id);
  if (row.requesterManaged)
    throw ec2Error('AuthFailure', 'You do not have permission to access the specified resource.');
  return row;
}

function attachedTo(call: Call, instanceId: string): NetworkInterfaceRow[] {
  return call.tx.list('network-interface', scopeOf(call)).filter((row) => row.attachment?.instanceId === instanceId);
}

function requireAttachment(
  call: Call,
  attachmentId: string | undefined,
): NetworkInterfaceRow & { attachment: NonNullable<NetworkInterfaceRow['attachment']> } {
  if (!attachmentId) throw missingParameter('attachmentId');
  if (attachmentId.startsWith('ela-attach-'))
    throw operationNotPermitted(`You are not allowed to manage 'ela-attach' attachments.`);
  const row = call.tx
    .list('network-interface', scopeOf(call))
    .find((one) => one.attachment?.attachmentId === attachmentId);
  if (!row?.attachment)
    throw ec2Error('InvalidAttachmentID.NotFound', `The attachment '${attachmentId}' does not exist.`);
  return { ...row, attachment: row.attachment };
}

function requireAttachable(call: Call, row: NetworkInterfaceRow, instance: InstanceRow, deviceIndex: number): void {
  if (row.attachment) throw ec2Error('InvalidNetworkInterface.InUse', `Interface: [${row.id}] in use.`);
  if (instance.state !== 'running' && instance.state !== 'stopped')
    throw ec2Error(
      'IncorrectInstanceState',
      `The instance '${instance.id}' is not in the 'running' or 'stopped' states.`,
    );
  if (row.availabilityZone !== instance.availabilityZone)
    throw invalidCombination(
      'You may not attach a network interface to an instance if they are not in the same availability zone',
    );
  if (row.vpcId !== instance.vpcId) throw unsupportedOperation('An instance with interfaces in two VPCs');
  const attached = attachedTo(call, instance.id);
  if (attached.some((one) => one.attachment?.deviceIndex === deviceIndex))
    throw invalidParameterValue(
      `Instance '${instance.id}' already has an interface attached at device index '${deviceIndex}'.`,
    );
  const type = instanceTypes.get(instance.instanceType);
  if (!type) return;
  checkInterfaceLimit(attached.length + 1, type.maxInterfaces, type.instanceType);
  checkAddressLimit(row.privateAddresses.length, type.addressesPerInterface);
  checkIpv6Limit((row.ipv6Addresses ?? []).length, type.addressesPerInterface);
}

/** Elastic IPs of the given private addresses are free again. */
function freeElasticIps(call: Call, row: NetworkInterfaceRow, addresses: readonly string[]): void {
  for (const address of call.tx.list('address', scopeOf(call))) {
    if (address.networkInterfaceId !== row.id || !addresses.includes(address.privateIp ?? '')) continue;
    const { associationId: _a, networkInterfaceId: _n, privateIp: _p, instanceId: _i, ...rest } = address;
    call.tx.put('address', rest);
  }
}

function assign(call: Call, row: NetworkInterfaceRow, input: AssignPrivateIpAddressesRequest): string[] {
  const { PrivateIpAddresses: wanted = [], SecondaryPrivateIpAddressCount: count } = input;
  if (wanted.length > 0 && count !== undefined)
    throw invalidCombination(
      'You may specify either the private IP addresses or the count of secondary private IP addresses.',
    );
  if (wanted.length === 0 && !count) throw missingParameter('secondaryPrivateIpAddressCount or privateIpAddress');
  const subnet = requireRow(call, 'subnet', row.subnetId);
  const added: string[] = [];
  for (const address of wanted) {
    if (row.privateAddresses.some((one) => one.address === address)) continue;
    const other = call.tx
      .list('network-interface', scopeOf(call))
      .find(
        (one) =>
          one.subnetId === row.subnetId &&
          one.privateAddresses.some((each) => each.address === address && !each.primary),
      );
    if (other && input.AllowReassignment) unassign(call, other, [address]);
    else if (other) throw invalidParameterValue(`[${address}] assigned, but move is not allowed.`);
    added.push(requireFreePrivateAddress(call.tx, subnet, address));
  }
  for (let left = count ?? 0; left > 0; left -= 1) added.push(freePrivateAddress(call.tx, subnet, added));
  const instance = row.attachment && call.tx.get('instance', row.attachment.instanceId);
  const type = instance && instanceTypes.get(instance.instanceType);
  if (type) checkAddressLimit(row.privateAddresses.length + added.length, type.addressesPerInterface);
  call.tx.put('network-interface', {
    ...row,
    privateAddresses: [...row.privateAddresses, ...added.map((address) => ({ address, primary: false }))],
  });
  return added;
}

function unassign(call: Call, row: NetworkInterfaceRow, addresses: readonly string[]): void {
  for (const address of addresses) {
    const found = row.privateAddresses.find((one) => one.address === address);
    if (!found) throw invalidParameterValue(`Some of the specified addresses are not assigned to interface ${row.id}`);
    if (found.primary) throw invalidParameterValue(`The primary private IP address ${address} cannot be unassigned.`);
  }
  freeElasticIps(call, row, addresses);
  call.tx.put('network-interface', {
    ...row,
    privateAddresses: row.privateAddresses.filter((one) => !addresses.includes(one.address)),
  });
}

function modified(
  call: Call,
  row: NetworkInterfaceRow,
  input: ModifyNetworkInterfaceAttributeRequest,
): NetworkInterfaceRow {
  const given = [
    input.Description,
    input.SourceDestCheck,
    input.Groups?.length ? input.Groups : undefined,
    input.Attachment,
    input.AssociatePublicIpAddress,
    input.EnablePrimaryIpv6,
  ];
  if (given.filter((one) => one !== undefined).length > 1)
    throw invalidCombination('Fields for multiple attribute types specified');
  if (input.Description) return { ...row, description: input.Description.Value ?? '' };
  if (input.SourceDestCheck?.Value !== undefined) return { ...row, sourceDestCheck: input.SourceDestCheck.Value };
  if (input.Groups?.length)
    return { ...row, groupIds: chooseGroups(call, requireRow(call, 'subnet', row.subnetId), input.Groups) };
  if (input.Attachment) {
    const { AttachmentId: attachmentId, DeleteOnTermination: deleteOnTermination } = input.Attachment;
    if (!row.attachment || row.attachment.attachmentId !== attachmentId)
      throw ec2Error('InvalidAttachmentID.NotFound', `The attachment '${attachmentId}' does not exist.`);
    if (deleteOnTermination === undefined) throw missingParameter('DeleteOnTermination');
    return { ...row, attachment: { ...row.attachment, deleteOnTermination } };
  }
  if (input.AssociatePublicIpAddress !== undefined) {
    const kept = input.AssociatePublicIpAddress
      ? row
      : withoutAutoPublicIp(row, row.privateAddresses[0]?.address ?? '');
    return { ...kept, associatePublicIpAddress: input.AssociatePublicIpAddress };
  }
  if (input.EnablePrimaryIpv6 !== undefined) return withPrimaryIpv6(row, input.EnablePrimaryIpv6);
  throw invalidCombination('No attributes specified.');
}

/** What was made primary stays it. */
function withPrimaryIpv6(row: NetworkInterfaceRow, isPrimary: boolean): NetworkInterfaceRow {
  if (!isPrimary && row.primaryIpv6)
    throw operationNotPermitted(`The primary IPv6 address of interface ${row.id} cannot be disabled.`);
  if (isPrimary && (row.ipv6Addresses ?? []).length === 0)
    throw invalidParameterValue(`Interface ${row.id} has no IPv6 address that could be its primary one.`);
  return isPrimary ? { ...row, primaryIpv6: true } : row;
}

const unknownAttribute = (name: string) =>
  invalidParameterValue(`Value (${name}) for parameter attribute is invalid. Unknown attribute.`);

export const networkInterfaces = {
  CreateNetworkInterface: operation<CreateNetworkInterfaceRequest, CreateNetworkInterfaceResult>({
    authorize: 'auto',
    run: (call, input) => {
      refuseUnsupported('CreateNetworkInterface', input, [
        'Ipv4Prefixes', 'Ipv4PrefixCount', 'Ipv6Prefixes', 'Ipv6PrefixCount', 'ConnectionTrackingSpecification', 'Operator',
      ]); // biome-ignore format: a list
      if (input.InterfaceType && (input.InterfaceType as string) !== 'interface')
        throw unsupportedOperation(`The interface type ${input.InterfaceType}`);
      const [id] = oncePerToken(
        call,
        input.ClientToken,
        input,
        ([made]) => made !== undefined && findRow(call, 'network-interface', made) !== undefined,
        () => {
          const subnet = requireRow(call, 'subnet', input.SubnetId, 'subnetId');
          const row = makeNetworkInterface(call, {
            subnet,
            privateAddresses: choosePrivateAddresses(call, subnet, input),
            ipv6Addresses: chooseIpv6Addresses(call, subnet, input),
            primaryIpv6: input.EnablePrimaryIpv6,
            groupIds: chooseGroups(call, subnet, input.Groups),
            description: input.Description ?? '',
            interfaceType: 'interface',
            tags: tagsFromSpecifications(input.TagSpecifications, 'network-interface'),
          });
          return [row.id];
        },
      );
      const NetworkInterface = toNetworkInterface(interfaceView(call), requireInterface(call, id));
      return {
        NetworkInterface,
        ...(input.ClientToken && { ClientToken: input.ClientToken }),
      };
    },
  }),

  DescribeNetworkInterfaces: operation<DescribeNetworkInterfacesRequest, DescribeNetworkInterfacesResult>({
    authorize: 'auto',
    readOnly: true,
    run: (call, input) => {
      const view = interfaceView(call);
      const how = {
        ids: input.NetworkInterfaceIds,
        parameter: 'networkInterfaceIdSet',
        filters: networkInterfaceFilters(view),
      };
      const { page, next } = describe(call, 'network-interface', input, how);
      return { NetworkInterfaces: page.map((row) => toNetworkInterface(view, row)), ...next };
    },
  }),

  DeleteNetworkInterface: operation<DeleteNetworkInterfaceRequest, Record<string, never>>({
    authorize: 'auto',
    run: (call, input) => {
      const row = requireInterface(call, input.NetworkInterfaceId);
      if (row.attachment || row.service)
        throw invalidParameterValue(`Network interface '${row.id}' is currently in use.`);
      freeElasticIps(
        call,
        row,
        row.privateAddresses.map((one) => one.address),
      );
      call.tx.delete('network-interface', row.id);
      return {};
    },
  }),

  AttachNetworkInterface: operation<AttachNetworkInterfaceRequest, AttachNetworkInterfaceResult>({
    authorize: 'auto',
    run: (call, input) => {
      refuseUnsupported('AttachNetworkInterface', input, ['EnaSrdSpecification', 'EnaQueueCount']);
      const row = requireOwnInterface(call, input.NetworkInterfaceId);
      const instance = requireRow(call, 'instance', input.InstanceId, 'instanceId');
      const deviceIndex = input.DeviceIndex;
      if (deviceIndex === undefined) throw missingParameter('deviceIndex');
      requireAttachable(call, row, instance, deviceIndex);
      const attachmentId = call.tx.newId('eni-attach');
      call.tx.put('network-interface', {
        ...row,
        attachment: {
          attachmentId,
          instanceId: instance.id,
          instanceOwnerId: instance.accountId,
          deviceIndex,
          deleteOnTermination: false,
          status: 'attached',
          attachTime: call.now.toISOString(),
        },
      });
      attachAddresses(call, row, instance.id);
      return { AttachmentId: attachmentId, NetworkCardIndex: 0 };
    },
  }),

  DetachNetworkInterface: operation<DetachNetworkInterfaceRequest, Record<string, never>>({
    authorize: 'auto',
    run: (call, input) => {
      const { attachment, ...rest } = requireAttachment(call, input.AttachmentId);
      if (attachment.deviceIndex === 0)
        throw operationNotPermitted(
          'The network interface at device index 0 and networkCard index 0 cannot be detached.',
        );
      call.tx.put('network-interface', rest);
      attachAddresses(call, rest, undefined);
      return {};
    },
  }),

  ModifyNetworkInterfaceAttribute: operation<ModifyNetworkInterfaceAttributeRequest, Record<string, never>>({
    authorize: 'auto',
    run: (call, input) => {
      refuseUnsupported('ModifyNetworkInterfaceAttribute', input, [
        'EnaSrdSpecification', 'ConnectionTrackingSpecification', 'AssociatedSubnetIds',
      ]); // biome-ignore format: a list
      call.tx.put('network-interface', modified(call, requireOwnInterface(call, input.NetworkInterfaceId), input));
      if (input.AssociatePublicIpAddress) restorePublicIp(call, input.NetworkInterfaceId);
      return {};
    },
  }),

  ResetNetworkInterfaceAttribute: operation<ResetNetworkInterfaceAttributeRequest, Record<string, never>>({
    authorize: 'auto',
    run: (call, input) => {
      // The API's only attribute here, whatever the value says.
      call.tx.put('network-interface', {
        ...requireOwnInterface(call, input.NetworkInterfaceId),
        sourceDestCheck: true,
      });
      return {};
    },
  }),

  DescribeNetworkInterfaceAttribute: operation<
    DescribeNetworkInterfaceAttributeRequest,
    DescribeNetworkInterfaceAttributeResult
  >({
    authorize: 'auto',
    readOnly: true,
    run: (call, input) => {
      const row = requireInterface(call, input.NetworkInterfaceId);
      const full = toNetworkInterface(interfaceView(call), row);
      const common = { NetworkInterfaceId: row.id };
      switch (input.Attribute as string | undefined) {
        case 'description':
          return { ...common, Description: { Value: row.description } };
        case 'groupSet':
          return { ...common, Groups: full.Groups };
        case 'sourceDestCheck':
          return { ...common, SourceDestCheck: { Value: row.sourceDestCheck } };
        case 'attachment':
          return { ...common, ...(full.Attachment && { Attachment: full.Attachment }) };
        case 'associatePublicIpAddress':
          return {
            ...common,
            AssociatePublicIpAddress:
              row.associatePublicIpAddress ?? row.privateAddresses.some((one) => one.autoPublicIp),
          };
        default:
          throw unknownAttribute(String(input.Attribute));
      }
    },
  }),

  AssignPrivateIpAddresses: operation<AssignPrivateIpAddressesRequest, AssignPrivateIpAddressesResult>({
    authorize: 'auto',
    run: (call, input) => {
      refuseUnsupported('AssignPrivateIpAddresses', input, ['Ipv4Prefixes', 'Ipv4PrefixCount']);
      const row = requireOwnInterface(call, input.NetworkInterfaceId);
      const added = assign(call, row, input);
      return {
        NetworkInterfaceId: row.id,
        AssignedPrivateIpAddresses: added.map((PrivateIpAddress) => ({ PrivateIpAddress })),
        AssignedIpv4Prefixes: [],
      };
    },
  }),

  UnassignPrivateIpAddresses: operation<UnassignPrivateIpAddressesRequest, Record<string, never>>({
    authorize: 'auto',
    run: (call, input) => {
      refuseUnsupported('UnassignPrivateIpAddresses', input, ['Ipv4Prefixes']);
      const row = requireOwnInterface(call, input.NetworkInterfaceId);
      if (!input.PrivateIpAddresses?.length) throw missingParameter('privateIpAddress');
      unassign(call, row, input.PrivateIpAddresses);
      return {};
    },
  }),
} satisfies Record<string, Operation>;
