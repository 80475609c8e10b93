// Subnets: create, describe, delete and their launch attributes. Rules C1, C2, C4. https://docs.aws.amazon.com/vpc/latest/userguide/subnet-sizing.html
// (read 2026-11-21). Order of CreateSubnet's checks: the VPC, is it a CIDR, size, inside a block of the VPC, overlap with a sibling, zone, quota.
// Gap: subnets of IPv6 alone, Outposts and IPAM are refused.

import type {
  CreateSubnetRequest,
  CreateSubnetResult,
  DeleteSubnetRequest,
  DescribeSubnetsRequest,
  DescribeSubnetsResult,
  ModifySubnetAttributeRequest,
  Subnet,
} from '@aws-sdk/client-ec2';
import { contains, normalizeCidr, overlaps, parseCidr } from '@postern/network/cidr.ts';
import type { Cidr } from '@postern/network/snapshot.ts';
import { type Call, type Operation, operation } from '../../service.ts';
import type { SubnetRow, VpcRow } from '../../store/rows/ec2.ts';
import { blockPublicAccessStates, removeExclusionsOf } from './block-public-access.ts';
import { describe } from './describe.ts';
import {
  ec2Error,
  hasDependencies,
  invalidCombination,
  invalidParameterValue,
  missingParameter,
  notACidr,
  refuseUnsupported,
} from './errors.ts';
import type { FilterTable } from './filters.ts';
import { subnetsByVpc } from './indexes.ts';
import { subnetIpv6Block, toSubnetIpv6Association } from './ipv6-blocks.ts';
import { makerOf, makeSubnet } from './new-vpc.ts';
import { enforceQuota } from './quotas.ts';
import { ec2Arn, requireRow, scopeOf } from './rows.ts';
import { availableIpAddressCount, availableOf, privateAddressCounts } from './subnet-addresses.ts';
import { tagsFromSpecifications, toTags } from './tags.ts';
import { type Zone, zonesOf } from './zones.ts';

/** @param used addresses taken, when they were counted for many subnets at once */
export function toSubnet(call: Call, row: SubnetRow, used: number | undefined): Subnet {
  return {
    SubnetId: row.id,
    SubnetArn: ec2Arn(call, 'subnet', row.id),
    VpcId: row.vpcId,
    OwnerId: row.accountId,
    State: 'available',
    CidrBlock: row.cidrBlock,
    AvailabilityZone: row.availabilityZone,
    AvailabilityZoneId: row.availabilityZoneId,
    AvailableIpAddressCount: used === undefined ? availableIpAddressCount(call.tx, row) : availableOf(row, used),
    DefaultForAz: row.defaultForAz,
    MapPublicIpOnLaunch: row.mapPublicIpOnLaunch,
    MapCustomerOwnedIpOnLaunch: false,
    AssignIpv6AddressOnCreation: row.assignIpv6AddressOnCreation ?? false,
    Ipv6CidrBlockAssociationSet: row.ipv6CidrBlock ? [toSubnetIpv6Association(row.ipv6CidrBlock, 'associated')] : [],
    EnableDns64: row.enableDns64 ?? false,
    Ipv6Native: false,
    PrivateDnsNameOptionsOnLaunch: {
      HostnameType: row.privateDnsHostnameType,
      EnableResourceNameDnsARecord: row.enableResourceNameDnsARecord,
      EnableResourceNameDnsAAAARecord: row.enableResourceNameDnsAAAARecord ?? false,
    },
    BlockPublicAccessStates: blockPublicAccessStates(call, row.vpcId, row.id),
    Tags: toTags(row.tags),
  };
}

function filtersOf(call: Call): FilterTable<SubnetRow> {
  let counts: Map<string, number> | undefined;
  const zone = (row: SubnetRow) => row.availabilityZone;
  const zoneId = (row: SubnetRow) => row.availabilityZoneId;
  const cidr = (row: SubnetRow) => row.cidrBlock;
  const forAz = (row: SubnetRow) => row.defaultForAz;
  return {
    'availability-zone': zone,
    availabilityZone: zone,
    'availability-zone-id': zoneId,
    availabilityZoneId: zoneId,
    'available-ip-address-count': (row) => {
      counts ??= privateAddressCounts(call.tx, scopeOf(call));
      return availableOf(row, counts.get(row.id) ?? 0);
    },
    'cidr-block': cidr,
    cidr,
    cidrBlock: cidr,
    'customer-owned-ipv4-pool': () => undefined,
    'default-for-az': forAz,
    defaultForAz: forAz,
    'enable-dns64': (row) => row.enableDns64 ?? false,
    'enable-lni-at-device-index': () => undefined,
    'ipv6-cidr-block-association.ipv6-cidr-block': (row) => row.ipv6CidrBlock?.cidr,
    'ipv6-cidr-block-association.association-id': (row) => row.ipv6CidrBlock?.associationId,
    'ipv6-cidr-block-association.state': (row) => row.ipv6CidrBlock && 'associated',
    'ipv6-native': () => false,
    'map-customer-owned-ip-on-launch': () => false,
    'map-public-ip-on-launch': (row) => row.mapPublicIpOnLaunch,
    'outpost-arn': () => undefined,
    'owner-id': (row) => row.accountId,
    'private-dns-name-options-on-launch.hostname-type': (row) => row.privateDnsHostnameType,
    'private-dns-name-options-on-launch.enable-resource-name-dns-a-record': (row) => row.enableResourceNameDnsARecord,
    'private-dns-name-options-on-launch.enable-resource-name-dns-aaaa-record': (row) =>
      row.enableResourceNameDnsAAAARecord ?? false,
    state: () => 'available',
    'subnet-arn': (row) => ec2Arn(call, 'subnet', row.id),
    'subnet-id': (row) => row.id,
    'vpc-id': (row) => row.vpcId,
  };
}

/** C1, C2, C4. */
function subnetBlock(call: Call, vpc: VpcRow, text: string): Cidr {
  const parsed = parseCidr(text);
  const cidr = normalizeCidr(text);
  if (!parsed || !cidr) throw notACidr(text, 'cidrBlock');
  const outOfRange = parsed.prefixLength < 16 || parsed.prefixLength > 28;
  if (outOfRange || !vpc.cidrBlocks.some((block) => contains(block.cidr, cidr)))
    throw ec2Error('InvalidSubnet.Range', `The CIDR '${text}' is invalid.`);
  for (const sibling of call.tx.find(subnetsByVpc, vpc.id))
    if (overlaps(sibling.cidrBlock, cidr))
      throw ec2Error('InvalidSubnet.Conflict', `The CIDR '${text}' conflicts with another subnet`);
  return cidr;
}

function zoneOf(call: Call, name: string | undefined, id: string | undefined): Zone {
  if (name && id)
    throw invalidCombination('The parameter availabilityZone cannot be used with the parameter availabilityZoneId');
  const zones = zonesOf(call.region);
  // AWS picks one for the caller; here always the first, so that a script makes the same network every time.
  const zone = name || id ? zones.find((one) => (name ? one.name === name : one.id === id)) : zones[0];
  if (zone) return zone;
  const [parameter, wanted, known] = name
    ? ['availabilityZone', name, zones.map((one) => one.name)]
    : ['availabilityZoneId', id, zones.map((one) => one.id)];
  throw invalidParameterValue(
    `Value (${wanted}) for parameter ${parameter} is invalid. Subnets can currently only be created in the following availability zones: ${known.join(', ')}.`,
  );
}

/** The subnet leaves its route table and ACL, and its reservations go with it. */
function deleteSubnet(call: Call, subnet: SubnetRow): void {
  const { tx } = call;
  const scope = scopeOf(call);
  const inside = tx.list('network-interface', scope).filter((row) => row.subnetId === subnet.id);
  if (inside.length > 0)
    throw hasDependencies(
      'subnet',
      subnet.id,
      inside.map(({ id }) => id),
    );
  for (const table of tx.list('route-table', scope)) {
    const associations = table.associations.filter((one) => one.subnetId !== subnet.id);
    if (associations.length < table.associations.length) tx.put('route-table', { ...table, associations });
  }
  for (const acl of tx.list('network-acl', scope)) {
    const associations = acl.associations.filter((one) => one.subnetId !== subnet.id);
    if (associations.length < acl.associations.length) tx.put('network-acl', { ...acl, associations });
  }
  for (const row of tx.list('subnet-cidr-reservation', scope))
    if (row.subnetId === subnet.id) tx.delete('subnet-cidr-reservation', row.id);
  removeExclusionsOf(call, subnet.id);
  tx.delete('subnet', subnet.id);
}

function modified(subnet: SubnetRow, input: ModifySubnetAttributeRequest): SubnetRow {
  const {
    MapPublicIpOnLaunch: map,
    PrivateDnsHostnameTypeOnLaunch: hostname,
    EnableResourceNameDnsARecordOnLaunch: record,
    EnableResourceNameDnsAAAARecordOnLaunch: record6,
    AssignIpv6AddressOnCreation: assign6,
    EnableDns64: dns64,
    MapCustomerOwnedIpOnLaunch: mapOwned,
  } = input;
  const given = [map, hostname, record, record6, assign6, dns64, mapOwned].filter(
    (value) => value !== undefined,
  ).length;
  if (given > 1) throw invalidCombination('Fields for multiple attribute types specified');
  if (mapOwned?.Value) refuseUnsupported('ModifySubnetAttribute', input, ['MapCustomerOwnedIpOnLaunch']);
  refuseUnsupported('ModifySubnetAttribute', input, ['EnableLniAtDeviceIndex', 'CustomerOwnedIpv4Pool']);
  if (map?.Value !== undefined) return { ...subnet, mapPublicIpOnLaunch: map.Value };
  if (record?.Value !== undefined) return { ...subnet, enableResourceNameDnsARecord: record.Value };
  if (record6?.Value !== undefined) {
    if (record6.Value) requireIpv6Block(subnet, 'enable-resource-name-dns-aaaa-record-on-launch');
    return { ...subnet, enableResourceNameDnsAAAARecord: record6.Value };
  }
  if (assign6?.Value !== undefined) {
    if (assign6.Value) requireIpv6Block(subnet, 'assign-ipv6-address-on-creation');
    return { ...subnet, assignIpv6AddressOnCreation: assign6.Value };
  }
  if (dns64?.Value !== undefined) {
    if (dns64.Value) requireIpv6Block(subnet, 'enable-dns64');
    return { ...subnet, enableDns64: dns64.Value };
  }
  if (hostname !== undefined) {
    if (hostname !== 'ip-name' && hostname !== 'resource-name')
      throw invalidParameterValue(`Value (${hostname}) for parameter PrivateDnsHostnameTypeOnLaunch is invalid.`);
    return { ...subnet, privateDnsHostnameType: hostname };
  }
  if (given === 0 && input.DisableLniAtDeviceIndex === undefined) throw missingParameter('attribute');
  return subnet;
}

function requireIpv6Block(subnet: SubnetRow, attribute: string): void {
  if (subnet.ipv6CidrBlock) return;
  throw invalidParameterValue(
    `Invalid value 'true' for ${attribute}. Cannot set ${attribute} to true unless the subnet (${subnet.id}) has an IPv6 CIDR block associated with it.`,
  );
}

export const subnets = {
  CreateSubnet: operation<CreateSubnetRequest, CreateSubnetResult>({
    authorize: 'auto',
    run: (call, input) => {
      refuseUnsupported('CreateSubnet', input, [
        'Ipv6Native', 'OutpostArn', 'Ipv4IpamPoolId', 'Ipv4NetmaskLength', 'Ipv6IpamPoolId', 'Ipv6NetmaskLength',
      ]); // biome-ignore format: a list
      const vpc = requireRow(call, 'vpc', input.VpcId, 'vpcId');
      if (!input.CidrBlock)
        throw ec2Error('MissingParameter', "Either 'cidrBlock' or 'ipv4IpamPoolId' should be provided.");
      const cidr = subnetBlock(call, vpc, input.CidrBlock);
      const ipv6Cidr = input.Ipv6CidrBlock ? subnetIpv6Block(call, vpc, input.Ipv6CidrBlock) : undefined;
      const zone = zoneOf(call, input.AvailabilityZone, input.AvailabilityZoneId);
      enforceQuota(call, 'subnetsPerVpc', () => call.tx.find(subnetsByVpc, vpc.id).length);
      const tags = tagsFromSpecifications(input.TagSpecifications, 'subnet');
      const row = makeSubnet(makerOf(call), {
        vpcId: vpc.id,
        cidr,
        ...(ipv6Cidr && { ipv6Cidr }),
        zone,
        defaultForAz: false,
        tags,
      });
      return { Subnet: toSubnet(call, row, 0) };
    },
  }),

  DescribeSubnets: operation<DescribeSubnetsRequest, DescribeSubnetsResult>({
    authorize: 'auto',
    readOnly: true,
    run: (call, input) => {
      const filters = filtersOf(call);
      const { page, next } = describe(call, 'subnet', input, { ids: input.SubnetIds, parameter: 'subnetSet', filters });
      const counts = privateAddressCounts(call.tx, scopeOf(call));
      return { Subnets: page.map((row) => toSubnet(call, row, counts.get(row.id) ?? 0)), ...next };
    },
  }),

  DeleteSubnet: operation<DeleteSubnetRequest, Record<string, never>>({
    authorize: 'auto',
    run: (call, input) => {
      deleteSubnet(call, requireRow(call, 'subnet', input.SubnetId, 'subnetId'));
      return {};
    },
  }),

  ModifySubnetAttribute: operation<ModifySubnetAttributeRequest, Record<string, never>>({
    authorize: 'auto',
    run: (call, input) => {
      const subnet = requireRow(call, 'subnet', input.SubnetId, 'subnetId');
      call.tx.put('subnet', modified(subnet, input));
      return {};
    },
  }),
} satisfies Record<string, Operation>;
