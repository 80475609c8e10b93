// Elastic IPs: allocate, associate, disassociate, release. Section 4.2. https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_AssociateAddress.html
// (read 2026-11-21). Associating takes away the auto-assigned public address of the same private address; disassociating brings another one back (public-address.ts).

import type {
  Address,
  AllocateAddressRequest,
  AllocateAddressResult,
  AssociateAddressRequest,
  AssociateAddressResult,
  DescribeAddressesAttributeRequest,
  DescribeAddressesAttributeResult,
  DescribeAddressesRequest,
  DescribeAddressesResult,
  DisassociateAddressRequest,
  ReleaseAddressRequest,
} from '@aws-sdk/client-ec2';
import { ipToNumber } from '@postern/network/cidr.ts';
import { type Call, type Operation, operation } from '../../service.ts';
import type { AddressRow, NetworkInterfaceRow } from '../../store/rows/ec2.ts';
import { freePublicAddress } from './addresses-pool.ts';
import {
  alreadyAssociated,
  ec2Error,
  invalidCombination,
  invalidParameterValue,
  invalidValue,
  missingParameter,
  refuseUnsupported,
} from './errors.ts';
import { applyFilters, type FilterTable } from './filters.ts';
import { isOfNatGateway } from './nat-gateway-addresses.ts';
import { paginate } from './pagination.ts';
import { restorePublicIp, withoutAutoPublicIp } from './public-address.ts';
import { enforceQuota } from './quotas.ts';
import { requireRow, scopeOf, selectRows } from './rows.ts';
import { tagsFromSpecifications, toTags } from './tags.ts';

function toAddress(row: AddressRow): Address {
  return {
    AllocationId: row.id,
    PublicIp: row.publicIp,
    Domain: row.domain,
    PublicIpv4Pool: 'amazon',
    NetworkBorderGroup: row.region,
    ...(row.associationId && { AssociationId: row.associationId }),
    ...(row.instanceId && { InstanceId: row.instanceId }),
    ...(row.networkInterfaceId && {
      NetworkInterfaceId: row.networkInterfaceId,
      NetworkInterfaceOwnerId: row.accountId,
    }),
    ...(row.privateIp && { PrivateIpAddress: row.privateIp }),
    Tags: toTags(row.tags),
  };
}

const filters: FilterTable<AddressRow> = {
  'allocation-id': (row) => row.id,
  'association-id': (row) => row.associationId,
  domain: (row) => row.domain,
  'instance-id': (row) => row.instanceId,
  'network-border-group': (row) => row.region,
  'network-interface-id': (row) => row.networkInterfaceId,
  'network-interface-owner-id': (row) => row.networkInterfaceId && row.accountId,
  'private-ip-address': (row) => row.privateIp,
  'public-ip': (row) => row.publicIp,
};

function addressNotFound(publicIp: string) {
  return ec2Error('InvalidAddress.NotFound', `Address '${publicIp}' not found.`);
}

function byPublicIp(call: Call, publicIp: string): AddressRow {
  if (ipToNumber(publicIp) === undefined) throw invalidValue(publicIp, 'publicIp', 'Invalid IPv4 address.');
  const row = call.tx.list('address', scopeOf(call)).find((one) => one.publicIp === publicIp);
  if (!row) throw addressNotFound(publicIp);
  return row;
}

/** An Elastic IP by its allocation or by its address. */
function requireAddress(
  call: Call,
  input: { AllocationId?: string | undefined; PublicIp?: string | undefined },
  missing: string,
) {
  if (input.AllocationId && input.PublicIp)
    throw invalidCombination('You may specify public IP or allocation id, but not both in the same call');
  if (input.AllocationId) return requireRow(call, 'address', input.AllocationId);
  if (input.PublicIp) return byPublicIp(call, input.PublicIp);
  throw ec2Error('MissingParameter', missing);
}

/** Of what AWS manages in the account's name. */
const notYours = () => ec2Error('AuthFailure', 'You do not have permission to access the specified resource.');

function withoutAssociation(row: AddressRow): AddressRow {
  const { associationId: _a, networkInterfaceId: _n, privateIp: _p, instanceId: _i, ...free } = row;
  return free;
}

/**
 * The interface that an instance id or an interface id names. AWS documents that both may not be given and takes both: then the instance decides, and the
 * interface is not looked at (https://github.com/hashicorp/terraform/pull/3036, and /issues/31744 for which of them). Terraform moves an address so,
 * with the interface that it was on.
 */
function interfaceOf(call: Call, input: AssociateAddressRequest): NetworkInterfaceRow {
  if (!input.InstanceId) {
    const named = requireRow(call, 'network-interface', input.NetworkInterfaceId);
    if (named.requesterManaged) throw notYours();
    return named;
  }
  const instance = requireRow(call, 'instance', input.InstanceId);
  if (instance.state !== 'running' && instance.state !== 'stopped' && instance.state !== 'stopping')
    throw ec2Error(
      'InvalidInstanceID',
      `The ${instance.state} instance '${instance.id}' is not in a valid state for this operation.`,
    );
  const own = call.tx
    .list('network-interface', scopeOf(call))
    .filter((row) => row.attachment?.instanceId === instance.id);
  const [only, ...more] = own;
  if (!only) throw ec2Error('InvalidInstanceID', `The instance '${instance.id}' has no network interface.`);
  if (more.length > 0)
    throw ec2Error(
      'InvalidInstanceID',
      `There are multiple interfaces attached to instance '${instance.id}'. Please specify an interface ID for the operation instead.`,
    );
  return only;
}

function associate(call: Call, input: AssociateAddressRequest): string {
  const { tx } = call;
  if (!input.AllocationId && !input.PublicIp)
    throw ec2Error('MissingParameter', 'Invalid request, expect PublicIp/AllocationId parameter.');
  if (!input.InstanceId && !input.NetworkInterfaceId)
    throw ec2Error('MissingParameter', 'Invalid request, expect InstanceId/NetworkId parameter.');
  const address = requireAddress(call, input, '');
  if (isOfNatGateway(call, address)) throw notYours();
  const networkInterface = interfaceOf(call, input);
  const target = networkInterface.privateAddresses.find((one) =>
    input.PrivateIpAddress ? one.address === input.PrivateIpAddress : one.primary,
  );
  if (!target)
    throw invalidParameterValue(
      `The private IP address ${input.PrivateIpAddress} is not assigned to interface ${networkInterface.id}`,
    );
  if (!tx.list('internet-gateway', scopeOf(call)).some((row) => row.vpcId === networkInterface.vpcId))
    throw ec2Error('Gateway.NotAttached', `Network ${networkInterface.vpcId} is not attached to any internet gateway`);
  const isSame = address.networkInterfaceId === networkInterface.id && address.privateIp === target.address;
  if (isSame && address.associationId) return address.associationId;
  const other = tx
    .list('address', scopeOf(call))
    .find((row) => row.networkInterfaceId === networkInterface.id && row.privateIp === target.address);
  if (input.AllowReassociation === false) {
    if (address.associationId)
      throw alreadyAssociated(
        `resource ${address.id} is already associated with associate-id ${address.associationId}`,
      );
    if (other)
      throw alreadyAssociated(`resource ${networkInterface.id} is already associated with address ${other.publicIp}`);
  }
  if (other) tx.put('address', withoutAssociation(other));
  const associationId = tx.newId('eipassoc');
  const instanceId = networkInterface.attachment?.instanceId;
  tx.put('address', {
    ...withoutAssociation(address),
    associationId,
    networkInterfaceId: networkInterface.id,
    privateIp: target.address,
    ...(instanceId && { instanceId }),
  });
  if (target.autoPublicIp) tx.put('network-interface', withoutAutoPublicIp(networkInterface, target.address));
  // The instance that the address was taken from.
  restorePublicIp(call, address.networkInterfaceId);
  return associationId;
}

function selectAddresses(call: Call, input: DescribeAddressesRequest): AddressRow[] {
  const ids = input.AllocationIds ?? [];
  const ips = input.PublicIps ?? [];
  if (ips.length === 0) return selectRows(call, 'address', ids);
  const byIp = ips.map((ip) => byPublicIp(call, ip));
  return [...new Set([...(ids.length > 0 ? selectRows(call, 'address', ids) : []), ...byIp])];
}

export const addresses = {
  AllocateAddress: operation<AllocateAddressRequest, AllocateAddressResult>({
    authorize: 'auto',
    run: (call, input) => {
      refuseUnsupported('AllocateAddress', input, ['CustomerOwnedIpv4Pool', 'IpamPoolId']);
      if (input.Domain === 'standard') throw invalidValue('standard', 'domain', 'EC2-Classic is retired; use vpc.');
      if (input.PublicIpv4Pool && input.PublicIpv4Pool !== 'amazon')
        throw ec2Error('InvalidPublicIpv4PoolID.NotFound', `The pool ID '${input.PublicIpv4Pool}' does not exist`);
      if (input.NetworkBorderGroup && input.NetworkBorderGroup !== call.region)
        throw invalidValue(input.NetworkBorderGroup, 'networkBorderGroup', 'Unknown network border group.');
      enforceQuota(call, 'addressesPerRegion', () => call.tx.list('address', scopeOf(call)).length);
      const row: AddressRow = {
        ...scopeOf(call),
        id: call.tx.newId('eipalloc'),
        publicIp: freePublicAddress(call.tx, input.Address),
        domain: 'vpc',
        tags: tagsFromSpecifications(input.TagSpecifications, 'elastic-ip'),
      };
      call.tx.put('address', row);
      return {
        AllocationId: row.id,
        PublicIp: row.publicIp,
        Domain: 'vpc',
        PublicIpv4Pool: 'amazon',
        NetworkBorderGroup: call.region,
      };
    },
  }),

  DescribeAddresses: operation<DescribeAddressesRequest, DescribeAddressesResult>({
    authorize: 'auto',
    readOnly: true,
    run: (call, input) => ({
      Addresses: applyFilters(selectAddresses(call, input), input.Filters, filters).map(toAddress),
    }),
  }),

  DescribeAddressesAttribute: operation<DescribeAddressesAttributeRequest, DescribeAddressesAttributeResult>({
    authorize: 'auto',
    readOnly: true,
    run: (call, input) => {
      if (input.Attribute && input.Attribute !== 'domain-name')
        throw invalidValue(input.Attribute, 'attribute', 'Unknown attribute.');
      const rows = selectRows(call, 'address', input.AllocationIds);
      const { page, ...next } = paginate(rows, input, { min: 1, max: 1000 }, (row) => row.id);
      return { Addresses: page.map((row) => ({ AllocationId: row.id, PublicIp: row.publicIp })), ...next };
    },
  }),

  AssociateAddress: operation<AssociateAddressRequest, AssociateAddressResult>({
    authorize: 'auto',
    run: (call, input) => ({ AssociationId: associate(call, input) }),
  }),

  DisassociateAddress: operation<DisassociateAddressRequest, Record<string, never>>({
    authorize: 'auto',
    run: (call, input) => {
      if (!input.AssociationId && !input.PublicIp) throw missingParameter('AssociationId or PublicIp');
      const row = input.AssociationId
        ? call.tx.list('address', scopeOf(call)).find((one) => one.associationId === input.AssociationId)
        : byPublicIp(call, input.PublicIp ?? '');
      if (row && isOfNatGateway(call, row)) throw notYours();
      if (!row)
        throw ec2Error('InvalidAssociationID.NotFound', `The association ID '${input.AssociationId}' does not exist`);
      call.tx.put('address', withoutAssociation(row));
      restorePublicIp(call, row.networkInterfaceId);
      return {};
    },
  }),

  ReleaseAddress: operation<ReleaseAddressRequest, Record<string, never>>({
    authorize: 'auto',
    run: (call, input) => {
      const row = requireAddress(call, input, 'The request must contain the parameter allocationId or publicIp');
      if (row.associationId) throw ec2Error('InvalidIPAddress.InUse', `Address ${row.publicIp} is in use.`);
      call.tx.delete('address', row.id);
      return {};
    },
  }),
} satisfies Record<string, Operation>;
