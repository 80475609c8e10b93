// Where does a new instance stand in the network? Reads subnet, groups, addresses and interfaces out of a RunInstances request, in both of its forms:
// the instance-level parameters (SubnetId, SecurityGroupIds, …) or a list of NetworkInterfaces. Rules S3, S5; default subnet: default-vpc.ts.
// https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_RunInstances.html (read 2026-11-21).

import type { InstanceNetworkInterfaceSpecification, RunInstancesRequest } from '@aws-sdk/client-ec2';
import type { SecurityGroupId } from '@postern/network/snapshot.ts';
import type { Call } from '../../service.ts';
import type { InstanceRow, NetworkInterfaceRow, SubnetRow, Tags } from '../../store/rows/ec2.ts';
import { defaultSubnetsOf, defaultVpcOf } from './default-vpc.ts';
import { ec2Error, invalidCombination, invalidParameterValue, refuseUnsupported } from './errors.ts';
import type { InstanceTypeFacts } from './instance-type-table.ts';
import { checkIpv6Limit, chooseIpv6Addresses, type Ipv6Request, ipv6AddressCount } from './interface-ipv6-addresses.ts';
import {
  type AddressRequest,
  checkAddressLimit,
  checkInterfaceLimit,
  chooseGroups,
  choosePrivateAddresses,
  makeNetworkInterface,
  withAutoPublicIp,
} from './new-network-interface.ts';
import { restorePublicIp } from './public-address.ts';
import { requireRow, scopeOf } from './rows.ts';
import { assignableAddressCount } from './subnet-addresses.ts';
import { zonesOf } from './zones.ts';

/** One interface of every instance that is launched. */
type InterfacePlan =
  | {
      readonly kind: 'new';
      readonly deviceIndex: number;
      readonly deleteOnTermination: boolean;
      readonly subnet: SubnetRow;
      readonly addresses: AddressRequest;
      readonly ipv6: Ipv6Request;
      readonly primaryIpv6: boolean | undefined;
      readonly groupIds: SecurityGroupId[];
      readonly description: string;
      readonly publicIp: boolean;
    }
  | {
      readonly kind: 'existing';
      readonly deviceIndex: number;
      readonly row: NetworkInterfaceRow;
    };

export interface NetworkPlan {
  /** Of the primary interface. */
  readonly subnet: SubnetRow;
  /** In order of device index; the primary one is 0. */
  readonly interfaces: readonly InterfacePlan[];
  /** How many instances the subnets have addresses for. */
  readonly room: number;
}

/** @throws what AWS answers for a request whose network is wrong */
export function planNetwork(call: Call, input: RunInstancesRequest, type: InstanceTypeFacts): NetworkPlan {
  const specs = input.NetworkInterfaces ?? [];
  const interfaces = specs.length === 0 ? [planByInstance(call, input)] : planBySpecifications(call, input, specs);
  checkInterfaceLimit(interfaces.length, type.maxInterfaces, type.instanceType);
  for (const plan of interfaces) {
    checkAddressLimit(addressCount(plan), type.addressesPerInterface);
    checkIpv6Limit(ipv6Count(plan), type.addressesPerInterface);
  }
  const subnet = subnetOf(call, interfaces[0]);
  for (const plan of interfaces) {
    if (subnetOf(call, plan).availabilityZone !== subnet.availabilityZone)
      throw invalidParameterValue(
        'You cannot launch an instance with network interfaces that are in different Availability Zones.',
      );
  }
  checkPlacement(call, input, subnet);
  return { subnet, interfaces, room: roomFor(call, interfaces) };
}

function subnetOf(call: Call, plan: InterfacePlan | undefined): SubnetRow {
  if (!plan) throw new Error('a launch has at least one interface');
  return plan.kind === 'new' ? plan.subnet : requireRow(call, 'subnet', plan.row.subnetId, 'subnetId');
}

function addressCount(plan: InterfacePlan): number {
  if (plan.kind === 'existing') return plan.row.privateAddresses.length;
  const {
    PrivateIpAddress: one,
    PrivateIpAddresses: list = [],
    SecondaryPrivateIpAddressCount: count = 0,
  } = plan.addresses;
  const listed = new Set([...(one ? [one] : []), ...(list ?? []).flatMap((each) => each.PrivateIpAddress ?? [])]).size;
  const hasPrimary = one !== undefined || (list ?? []).some((each) => each.Primary);
  return listed + (hasPrimary ? 0 : 1) + (count ?? 0);
}

function ipv6Count(plan: InterfacePlan): number {
  return plan.kind === 'existing' ? (plan.row.ipv6Addresses ?? []).length : ipv6AddressCount(plan.subnet, plan.ipv6);
}

/** A subnet that is smaller than the largest count limits it; below the smallest count the launch fails when addresses are chosen. */
function roomFor(call: Call, interfaces: readonly InterfacePlan[]): number {
  const needed = new Map<SubnetRow, number>();
  for (const plan of interfaces)
    if (plan.kind === 'new') needed.set(plan.subnet, (needed.get(plan.subnet) ?? 0) + addressCount(plan));
  let room = Number.POSITIVE_INFINITY;
  for (const [subnet, count] of needed)
    room = Math.min(room, Math.floor(assignableAddressCount(call.tx, subnet) / count));
  return room;
}

function planByInstance(call: Call, input: RunInstancesRequest): InterfacePlan {
  const subnet = chooseSubnet(call, input);
  const groupIds = chooseGroups(call, subnet, [...(input.SecurityGroupIds ?? []), ...groupsByName(call, input)]);
  return {
    kind: 'new',
    deviceIndex: 0,
    deleteOnTermination: true,
    subnet,
    addresses: { PrivateIpAddress: input.PrivateIpAddress },
    ipv6: { Ipv6Addresses: input.Ipv6Addresses, Ipv6AddressCount: input.Ipv6AddressCount },
    primaryIpv6: input.EnablePrimaryIpv6,
    groupIds,
    description: '',
    publicIp: subnet.mapPublicIpOnLaunch,
  };
}

function chooseSubnet(call: Call, input: RunInstancesRequest): SubnetRow {
  if (input.SubnetId) return requireRow(call, 'subnet', input.SubnetId, 'subnetId');
  const vpc = defaultVpcOf(call.tx, call.accountId, call.region);
  if (!vpc) {
    if (input.SecurityGroups?.length)
      throw ec2Error(
        'VPCIdNotSpecified',
        'No default VPC for this user. GroupName is only supported for EC2-Classic and default VPC.',
      );
    throw ec2Error('MissingInput', 'No subnets found for the default VPC. Please specify a subnet.');
  }
  const subnets = defaultSubnetsOf(call.tx, call.accountId, call.region);
  const zone = wantedZone(call, input);
  if (zone !== undefined) {
    const subnet = subnets.find((row) => row.availabilityZone === zone);
    if (!subnet) throw ec2Error('InvalidInput', `No default subnet for availability zone: '${zone}'.`);
    return subnet;
  }
  // AWS picks a zone; here the first one with room, so that a script gets the same network every time.
  const subnet = subnets.find((row) => assignableAddressCount(call.tx, row) > 0) ?? subnets[0];
  if (!subnet)
    throw ec2Error('MissingInput', `No subnets found for the default VPC '${vpc.id}'. Please specify a subnet.`);
  return subnet;
}

function wantedZone(call: Call, input: RunInstancesRequest): string | undefined {
  const { AvailabilityZone: name, AvailabilityZoneId: id } = input.Placement ?? {};
  if (!name && !id) return undefined;
  const zone = zonesOf(call.region).find((one) => (name ? one.name === name : one.id === id));
  if (!zone) throw invalidParameterValue(`Invalid availability zone: [${name ?? id}]`);
  return zone.name;
}

function checkPlacement(call: Call, input: RunInstancesRequest, subnet: SubnetRow): void {
  const zone = wantedZone(call, input);
  if (zone !== undefined && zone !== subnet.availabilityZone)
    throw invalidCombination(
      `The availability zone '${zone}' does not match the availability zone '${subnet.availabilityZone}' of the subnet '${subnet.id}'.`,
    );
}

function groupsByName(call: Call, input: RunInstancesRequest): string[] {
  const names = input.SecurityGroups ?? [];
  if (names.length === 0) return [];
  if (input.SubnetId) throw invalidCombination('The parameter groupName cannot be used with the parameter subnet');
  const vpc = defaultVpcOf(call.tx, call.accountId, call.region);
  if (!vpc)
    throw ec2Error(
      'VPCIdNotSpecified',
      'No default VPC for this user. GroupName is only supported for EC2-Classic and default VPC.',
    );
  const groups = call.tx.list('security-group', scopeOf(call)).filter((row) => row.vpcId === vpc.id);
  return names.map((name) => {
    const group = groups.find((row) => row.groupName === name);
    if (!group)
      throw ec2Error('InvalidGroup.NotFound', `The security group '${name}' does not exist in default VPC '${vpc.id}'`);
    return group.id;
  });
}

function planBySpecifications(
  call: Call,
  input: RunInstancesRequest,
  specs: readonly InstanceNetworkInterfaceSpecification[],
): InterfacePlan[] {
  const both = (what: string) =>
    invalidCombination(`Network interfaces and an instance-level ${what} may not be specified on the same request`);
  if (input.SubnetId) throw both('subnet ID');
  if (input.SecurityGroupIds?.length || input.SecurityGroups?.length) throw both('security groups');
  if (input.PrivateIpAddress) throw both('private address');
  if (input.Ipv6Addresses?.length || input.Ipv6AddressCount !== undefined) throw both('IPv6 address');
  const seen = new Set<number>();
  const plans = specs.map((spec) => {
    const deviceIndex = spec.DeviceIndex;
    if (deviceIndex === undefined) throw invalidCombination('Each network interface requires a device index.');
    if (seen.has(deviceIndex)) throw invalidParameterValue(`Each network interface requires a unique device index.`);
    seen.add(deviceIndex);
    return planOf(call, input, spec, deviceIndex, specs.length);
  });
  if (!seen.has(0)) throw invalidCombination('A primary network interface, with device index 0, is required.');
  return plans.sort((a, b) => a.deviceIndex - b.deviceIndex);
}

function planOf(
  call: Call,
  input: RunInstancesRequest,
  spec: InstanceNetworkInterfaceSpecification,
  deviceIndex: number,
  count: number,
): InterfacePlan {
  refuseUnsupported('RunInstances', spec, [
    'AssociateCarrierIpAddress', 'Ipv4Prefixes', 'Ipv4PrefixCount', 'Ipv6Prefixes', 'Ipv6PrefixCount', 'EnaSrdSpecification', 'ConnectionTrackingSpecification',
  ]); // biome-ignore format: a list
  // Every type here has one card.
  if (spec.NetworkCardIndex) refuseUnsupported('RunInstances', spec, ['NetworkCardIndex']);
  if (spec.InterfaceType && spec.InterfaceType !== 'interface')
    refuseUnsupported('RunInstances', spec, ['InterfaceType']);
  if (spec.NetworkInterfaceId) return existingInterface(call, input, spec, deviceIndex);
  if (spec.AssociatePublicIpAddress && deviceIndex !== 0)
    throw invalidCombination(
      'The associatePublicIPAddress parameter can only be specified for the network interface with DeviceIndex 0',
    );
  if (spec.AssociatePublicIpAddress && count > 1)
    throw invalidCombination(
      'The associatePublicIPAddress parameter cannot be specified when launching with multiple network interfaces.',
    );
  const subnet = spec.SubnetId ? requireRow(call, 'subnet', spec.SubnetId, 'subnetId') : chooseSubnet(call, input);
  return {
    kind: 'new',
    deviceIndex,
    // AWS: true for the interfaces of a launch.
    deleteOnTermination: spec.DeleteOnTermination ?? true,
    subnet,
    addresses: {
      PrivateIpAddress: spec.PrivateIpAddress,
      PrivateIpAddresses: spec.PrivateIpAddresses,
      SecondaryPrivateIpAddressCount: spec.SecondaryPrivateIpAddressCount,
    },
    ipv6: { Ipv6Addresses: spec.Ipv6Addresses, Ipv6AddressCount: spec.Ipv6AddressCount },
    primaryIpv6: spec.PrimaryIpv6 ?? input.EnablePrimaryIpv6,
    groupIds: chooseGroups(call, subnet, spec.Groups),
    description: spec.Description ?? '',
    publicIp: spec.AssociatePublicIpAddress ?? (count === 1 && subnet.mapPublicIpOnLaunch),
  };
}

function existingInterface(
  call: Call,
  input: RunInstancesRequest,
  spec: InstanceNetworkInterfaceSpecification,
  deviceIndex: number,
): InterfacePlan {
  if ((input.MaxCount ?? 1) > 1)
    throw invalidCombination('A network interface ID cannot be specified when launching multiple instances.');
  const rest = [
    spec.SubnetId,
    spec.PrivateIpAddress,
    spec.Groups?.length,
    spec.PrivateIpAddresses?.length,
    spec.SecondaryPrivateIpAddressCount,
    spec.Ipv6Addresses?.length,
    spec.Ipv6AddressCount,
    spec.PrimaryIpv6,
  ];
  if (rest.some((value) => value) || spec.AssociatePublicIpAddress !== undefined)
    throw invalidCombination(
      'A network interface may not specify a network interface ID and other options that create one.',
    );
  if (spec.DeleteOnTermination)
    throw invalidCombination(
      'A network interface may not specify both a network interface ID and delete on termination',
    );
  const row = requireRow(call, 'network-interface', spec.NetworkInterfaceId, 'networkInterfaceId');
  if (row.attachment || row.service) throw ec2Error('InvalidNetworkInterface.InUse', `Interface: [${row.id}] in use.`);
  return { kind: 'existing', deviceIndex, row };
}

/** Writes the interfaces of one instance. */
export function makeInterfaces(call: Call, plan: NetworkPlan, instance: Pick<InstanceRow, 'id'>, tags: Tags): void {
  for (const one of plan.interfaces) {
    const attachment = {
      attachmentId: call.tx.newId('eni-attach'),
      instanceId: instance.id,
      instanceOwnerId: call.accountId,
      deviceIndex: one.deviceIndex,
      deleteOnTermination: one.kind === 'new' && one.deleteOnTermination,
      status: 'attached',
      attachTime: call.now.toISOString(),
    } as const;
    if (one.kind === 'existing') {
      call.tx.put('network-interface', { ...one.row, attachment });
      attachAddresses(call, one.row, instance.id);
      restorePublicIp(call, one.row.id);
      continue;
    }
    const row = makeNetworkInterface(call, {
      subnet: one.subnet,
      privateAddresses: choosePrivateAddresses(call, one.subnet, one.addresses),
      ipv6Addresses: chooseIpv6Addresses(call, one.subnet, one.ipv6),
      primaryIpv6: one.primaryIpv6,
      groupIds: one.groupIds,
      description: one.description,
      interfaceType: 'interface',
      tags,
      attachment,
    });
    if (one.publicIp) withAutoPublicIp(call, row);
  }
}

/** Elastic IPs of an interface name the instance that it is attached to. */
export function attachAddresses(call: Call, row: NetworkInterfaceRow, instanceId: InstanceRow['id'] | undefined): void {
  for (const address of call.tx.list('address', scopeOf(call))) {
    if (address.networkInterfaceId !== row.id) continue;
    const { instanceId: _before, ...rest } = address;
    call.tx.put('address', { ...rest, ...(instanceId && { instanceId }) });
  }
}
