// The nodes of a load balancer: an interface in one subnet of each Availability Zone, made in the account's name (B1).

import type { SubnetMapping } from '@aws-sdk/client-elastic-load-balancing-v2';
import type { SecurityGroupId, VpcId } from '@postern/network/snapshot.ts';
import { AwsError } from '../../errors.ts';
import type { Call } from '../../service.ts';
import type { AddressRow, SubnetRow } from '../../store/rows/ec2.ts';
import type { LoadBalancerRow } from '../../store/rows/load-balancing.ts';
import { freeElasticIps, giveElasticIp } from '../ec2/nat-gateway-addresses.ts';
import { chooseGroups, makeNetworkInterface, withAutoPublicIp } from '../ec2/new-network-interface.ts';
import { freePrivateAddress, requireFreePrivateAddress } from '../ec2/subnet-addresses.ts';
import { elbError, invalidConfiguration, refuseMembers, validationError } from './errors.ts';

/** As the interface's owner sees who asked for it. */
const requesterId = 'amazon-elb';

export interface WantedNode {
  readonly subnet: SubnetRow;
  readonly privateIp?: string;
  readonly elastic?: AddressRow;
}

/**
 * The subnets that a call names, each in a zone of its own and all in one VPC.
 * @throws ValidationError, SubnetNotFound, InvalidConfigurationRequest, AllocationIdNotFound
 */
export function wantedNodes(
  call: Call,
  operation: string,
  input: { readonly Subnets?: string[] | undefined; readonly SubnetMappings?: SubnetMapping[] | undefined },
  scheme: LoadBalancerRow['scheme'],
): [WantedNode, ...WantedNode[]] {
  const { Subnets = [], SubnetMappings = [] } = input;
  if (Subnets.length > 0 && SubnetMappings.length > 0)
    throw validationError('Only one of Subnets or SubnetMappings can be specified');
  const mappings = Subnets.length > 0 ? Subnets.map((SubnetId): SubnetMapping => ({ SubnetId })) : SubnetMappings;
  const nodes = mappings.map((mapping) => wantedNode(call, operation, mapping, scheme));
  const [first, ...others] = nodes;
  if (first === undefined) throw validationError('At least one subnet must be specified');
  if (nodes.some(({ subnet }) => subnet.vpcId !== first.subnet.vpcId))
    throw invalidConfiguration('All subnets must belong to the same VPC');
  if (new Set(nodes.map(({ subnet }) => subnet.availabilityZone)).size < nodes.length)
    throw invalidConfiguration('A load balancer cannot be attached to multiple subnets in the same Availability Zone');
  const elastics = nodes.flatMap(({ elastic }) => elastic?.id ?? []);
  if (new Set(elastics).size < elastics.length)
    throw invalidConfiguration('An allocation ID can be specified for one subnet only');
  return [first, ...others];
}

function wantedNode(
  call: Call,
  operation: string,
  mapping: SubnetMapping,
  scheme: LoadBalancerRow['scheme'],
): WantedNode {
  refuseMembers(`${operation}'s SubnetMappings`, mapping, ['IPv6Address', 'SourceNatIpv6Prefix']);
  const { SubnetId = '', AllocationId, PrivateIPv4Address } = mapping;
  const subnet = call.tx.get('subnet', SubnetId as SubnetRow['id']);
  if (!subnet || subnet.accountId !== call.accountId || subnet.region !== call.region)
    throw elbError('SubnetNotFound', `The subnet ID '${SubnetId}' does not exist`);
  if (AllocationId && scheme === 'internal')
    throw invalidConfiguration('An allocation ID can be specified for an internet-facing load balancer only');
  if (PrivateIPv4Address && scheme === 'internet-facing')
    throw invalidConfiguration('A private IPv4 address can be specified for an internal load balancer only');
  if (AllocationId === undefined) return { subnet, ...(PrivateIPv4Address && { privateIp: PrivateIPv4Address }) };
  const elastic = call.tx.get('address', AllocationId as AddressRow['id']);
  if (!elastic || elastic.accountId !== call.accountId || elastic.region !== call.region)
    throw elbError('AllocationIdNotFound', `The allocation ID '${AllocationId}' does not exist`);
  if (elastic.associationId)
    throw elbError('ResourceInUse', `The allocation ID '${AllocationId}' is already associated`);
  return { subnet, elastic };
}

/** @throws InvalidSubnet where an address cannot be had */
export function makeNode(
  call: Call,
  balancer: Pick<LoadBalancerRow, 'loadBalancerId' | 'scheme' | 'groupIds'>,
  wanted: WantedNode,
): LoadBalancerRow['nodes'][number] {
  const { subnet, privateIp, elastic } = wanted;
  const own = asElb('InvalidSubnet', () =>
    privateIp === undefined
      ? freePrivateAddress(call.tx, subnet)
      : requireFreePrivateAddress(call.tx, subnet, privateIp),
  );
  const card = makeNetworkInterface(call, {
    subnet,
    privateAddresses: [{ address: own, primary: true }],
    groupIds: balancer.groupIds ?? [],
    description: `ELB ${balancer.loadBalancerId}`,
    interfaceType: 'network_load_balancer',
    tags: {},
    managed: { service: { kind: 'network-load-balancer', loadBalancerId: balancer.loadBalancerId }, requesterId },
  });
  if (elastic === undefined && balancer.scheme === 'internet-facing') withAutoPublicIp(call, card);
  return {
    subnetId: subnet.id,
    networkInterfaceId: card.id,
    ...(privateIp !== undefined && { privateIp }),
    ...(elastic && { elastic: giveElasticIp(call, elastic, card, own) }),
  };
}

export function removeNode(call: Call, node: LoadBalancerRow['nodes'][number]): void {
  freeElasticIps(call, [{ primary: true, ...(node.elastic && { elastic: node.elastic }) }]);
  call.tx.delete('network-interface', node.networkInterfaceId);
}

/** @throws InvalidSecurityGroup */
export function balancerGroups(call: Call, subnet: SubnetRow, ids: readonly string[]): SecurityGroupId[] {
  return asElb('InvalidSecurityGroup', () => chooseGroups(call, subnet, ids));
}

/** @throws InvalidSubnet */
export function requireInternetGateway(call: Call, vpcId: VpcId): void {
  if (!call.tx.list('internet-gateway').some((row) => row.vpcId === vpcId))
    throw elbError('InvalidSubnet', `VPC ${vpcId} has no internet gateway`);
}

/** What EC2 finds wrong, under this service's code. */
function asElb<T>(code: string, work: () => T): T {
  try {
    return work();
  } catch (error) {
    throw error instanceof AwsError ? elbError(code, error.message) : error;
  }
}
