// Network Load Balancers: B1, B4, B9. https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_CreateLoadBalancer.html (read 2026-11-22)
// Order of checks at creation: type, unsupported parameters, name, scheme, subnets, groups.

import type * as SDK from '@aws-sdk/client-elastic-load-balancing-v2';
import type { LoadBalancerId } from '@postern/network/snapshot.ts';
import { type Call, type Operation, operation } from '../../service.ts';
import type { SubnetRow } from '../../store/rows/ec2.ts';
import type { LoadBalancerRow } from '../../store/rows/load-balancing.ts';
import { requestTagKeys } from '../../tag-keys.ts';
import { arnPrefix, listenersOf, newSuffix, on, pageOf, requireLoadBalancer, scopeOf } from './arns.ts';
import { attributeList, changedAttributes, loadBalancerAttributes } from './attributes.ts';
import { elbError, invalidConfiguration, refuseMembers, unsupported, validationError } from './errors.ts';
import { balancerGroups, makeNode, removeNode, requireInternetGateway, type WantedNode, wantedNodes } from './nodes.ts';
import { checkedTags } from './tags.ts';

/** Of Network Load Balancers in us-east-1; each region has its own at AWS. */
const hostedZoneId = 'Z26RNL4JYFTOTI';

function toZone(call: Call, node: LoadBalancerRow['nodes'][number]): SDK.AvailabilityZone {
  const { elastic, privateIp } = node;
  const addresses: SDK.LoadBalancerAddress[] = elastic
    ? [{ ...(elastic.publicIp && { IpAddress: elastic.publicIp }), AllocationId: elastic.allocationId }]
    : privateIp === undefined
      ? []
      : [{ PrivateIPv4Address: privateIp }];
  const subnet = call.tx.get('subnet', node.subnetId);
  return {
    ...(subnet && { ZoneName: subnet.availabilityZone }),
    SubnetId: node.subnetId,
    LoadBalancerAddresses: addresses,
  };
}

/** @param state only the answer of the creation says another than `active` */
function toLoadBalancer(
  call: Call,
  row: LoadBalancerRow,
  state: SDK.LoadBalancerStateEnum = 'active',
): SDK.LoadBalancer {
  return {
    LoadBalancerArn: row.id,
    DNSName: row.dnsName,
    CanonicalHostedZoneId: hostedZoneId,
    CreatedTime: new Date(row.createdTime),
    LoadBalancerName: row.name,
    Scheme: row.scheme,
    VpcId: row.vpcId,
    State: { Code: state },
    Type: 'network',
    AvailabilityZones: row.nodes.map((node) => toZone(call, node)),
    ...(row.groupIds && {
      SecurityGroups: row.groupIds,
      EnforceSecurityGroupInboundRulesOnPrivateLinkTraffic: row.enforcesGroupsOnPrivateLink ? 'on' : 'off',
    }),
    IpAddressType: 'ipv4',
    EnablePrefixForIpv6SourceNat: 'off',
  };
}

function checkName(name: string | undefined, what: string): string {
  if (!name) throw validationError(`A ${what} name must be specified`);
  if (name.length > 32) throw validationError(`The ${what} name '${name}' cannot be longer than '32' characters`);
  if (!/^[a-z0-9]([a-z0-9-]*[a-z0-9])?$/i.test(name) || name.startsWith('internal-'))
    throw validationError(
      `The ${what} name '${name}' can only contain characters that are alphanumeric characters and hyphens(-)`,
    );
  return name;
}

function refuseIpv6(
  operation: string,
  input: { readonly IpAddressType?: string | undefined; readonly EnablePrefixForIpv6SourceNat?: string | undefined },
): void {
  if (input.IpAddressType !== undefined && input.IpAddressType !== 'ipv4')
    throw unsupported(`the IpAddressType ${input.IpAddressType} of ${operation}`);
  if (input.EnablePrefixForIpv6SourceNat === 'on') throw unsupported(`EnablePrefixForIpv6SourceNat of ${operation}`);
}

/** The same again is the same balancer; anything else of its name is another. */
function existing(call: Call, name: string, scheme: string, nodes: readonly WantedNode[]): LoadBalancerRow | undefined {
  const found = call.tx.list('load-balancer', scopeOf(call)).find((row) => row.name === name);
  if (!found) return undefined;
  const subnets = (ids: readonly string[]) => ids.toSorted().join();
  const isSame =
    found.scheme === scheme &&
    subnets(found.nodes.map((node) => node.subnetId)) === subnets(nodes.map(({ subnet }) => subnet.id));
  if (!isSame)
    throw elbError(
      'DuplicateLoadBalancerName',
      `A load balancer with the same name '${name}' exists, but with different settings`,
    );
  return found;
}

function create(call: Call, input: SDK.CreateLoadBalancerInput): LoadBalancerRow {
  const type = input.Type ?? 'application';
  if (type !== 'network') throw unsupported(`load balancers of the type ${type}`);
  refuseIpv6('CreateLoadBalancer', input);
  refuseMembers('CreateLoadBalancer', input, ['CustomerOwnedIpv4Pool', 'IpamPools']);
  const name = checkName(input.Name, 'load balancer');
  const scheme = input.Scheme ?? 'internet-facing';
  if (scheme !== 'internal' && scheme !== 'internet-facing')
    throw elbError('InvalidScheme', `The scheme '${scheme}' is not valid`);
  const wanted = wantedNodes(call, 'CreateLoadBalancer', input, scheme);
  const { vpcId } = wanted[0].subnet;
  const same = existing(call, name, scheme, wanted);
  if (same) return same;
  if (scheme === 'internet-facing') requireInternetGateway(call, vpcId);
  const groups = input.SecurityGroups ?? [];
  const suffix = newSuffix(call);
  const loadBalancerId: LoadBalancerId = `net/${name}/${suffix}`;
  const domain = call.region.startsWith('cn-') ? 'amazonaws.com.cn' : 'amazonaws.com';
  const row: LoadBalancerRow = {
    id: `${arnPrefix(call)}loadbalancer/${loadBalancerId}`,
    ...scopeOf(call),
    loadBalancerId,
    name,
    dnsName: `${name}-${suffix}.elb.${call.region}.${domain}`,
    scheme,
    vpcId,
    ...(groups.length > 0 && { groupIds: balancerGroups(call, wanted[0].subnet, groups) }),
    enforcesGroupsOnPrivateLink: true,
    nodes: [],
    attributes: {},
    createdTime: call.now.toISOString(),
    tags: checkedTags(input.Tags),
  };
  const made = { ...row, nodes: wanted.map((each) => makeNode(call, row, each)) };
  call.tx.put('load-balancer', made);
  return made;
}

function select(call: Call, input: SDK.DescribeLoadBalancersInput): LoadBalancerRow[] {
  const { LoadBalancerArns: arns = [], Names: names = [] } = input;
  if (arns.length > 0 && names.length > 0)
    throw validationError('Load balancer names and load balancer ARNs cannot be specified at the same time');
  const all = call.tx.list('load-balancer', scopeOf(call));
  if (arns.length + names.length === 0) return all;
  const missing = [
    ...arns.filter((arn) => !all.some((row) => row.id === arn)),
    ...names.filter((name) => !all.some((row) => row.name === name)),
  ];
  if (missing.length > 0) throw elbError('LoadBalancerNotFound', `Load balancers '[${missing.join(', ')}]' not found`);
  return all.filter((row) => arns.includes(row.id) || names.includes(row.name));
}

/** Y4: an endpoint service has it. */
function isBehindService(call: Call, { id }: LoadBalancerRow): boolean {
  return call.tx.list('vpc-endpoint-service').some((each) => each.loadBalancerArns.includes(id));
}

function remove(call: Call, arn: string | undefined): void {
  const row = arn === undefined ? undefined : call.tx.get('load-balancer', arn);
  // One that is not there is deleted already.
  if (!row || row.accountId !== call.accountId) return;
  if (row.attributes['deletion_protection.enabled'] === 'true')
    throw elbError(
      'OperationNotPermitted',
      `Load balancer '${row.id}' cannot be deleted because deletion protection is enabled`,
    );
  if (isBehindService(call, row))
    throw elbError(
      'ResourceInUse',
      `Load balancer '${row.id}' cannot be deleted because it is currently associated with another service`,
    );
  for (const node of row.nodes) removeNode(call, node);
  for (const listener of listenersOf(call, row.id)) call.tx.delete('listener', listener.id);
  call.tx.delete('load-balancer', row.id);
}

/** Nodes of subnets that are named stay as they are, the others go. */
function setSubnets(call: Call, input: SDK.SetSubnetsInput): LoadBalancerRow {
  refuseIpv6('SetSubnets', input);
  const row = requireLoadBalancer(call, input.LoadBalancerArn);
  const wanted = wantedNodes(call, 'SetSubnets', input, row.scheme);
  if (wanted[0].subnet.vpcId !== row.vpcId)
    throw invalidConfiguration('The subnets must belong to the VPC of the load balancer');
  const kept = row.nodes.filter((node) => wanted.some(({ subnet }) => subnet.id === node.subnetId));
  for (const node of row.nodes) if (!kept.includes(node)) removeNode(call, node);
  const added = wanted.filter(({ subnet }) => !kept.some((node) => node.subnetId === subnet.id));
  const changed = { ...row, nodes: [...kept, ...added.map((each) => makeNode(call, row, each))] };
  call.tx.put('load-balancer', changed);
  return changed;
}

function setSecurityGroups(call: Call, input: SDK.SetSecurityGroupsInput): LoadBalancerRow {
  const row = requireLoadBalancer(call, input.LoadBalancerArn);
  const [node] = row.nodes;
  const subnet = node && call.tx.get('subnet', node.subnetId);
  // B4; AWS says that it cannot be done, in words that have no source.
  if (!row.groupIds)
    throw invalidConfiguration(
      'You cannot set security groups on a Network Load Balancer that was created without any',
    );
  if (!input.SecurityGroups?.length) throw invalidConfiguration('You must specify at least one security group');
  const groupIds = balancerGroups(call, subnet as SubnetRow, input.SecurityGroups);
  const given = input.EnforceSecurityGroupInboundRulesOnPrivateLinkTraffic;
  const enforced = given === undefined ? row.enforcesGroupsOnPrivateLink : given === 'on';
  if (enforced && isBehindService(call, row))
    throw unsupported('inbound rules that are enforced on PrivateLink traffic');
  for (const { networkInterfaceId } of row.nodes) {
    const card = call.tx.get('network-interface', networkInterfaceId);
    if (card) call.tx.put('network-interface', { ...card, groupIds });
  }
  const changed = {
    ...row,
    groupIds,
    enforcesGroupsOnPrivateLink: enforced,
  };
  call.tx.put('load-balancer', changed);
  return changed;
}

const onArn = (call: Call, input: { readonly LoadBalancerArn?: string | undefined }) => [
  on(call, input.LoadBalancerArn),
];

export const loadBalancerOperations = {
  CreateLoadBalancer: operation<SDK.CreateLoadBalancerInput, SDK.CreateLoadBalancerOutput>({
    authorize: (call, input) => {
      const kind = { application: 'app', gateway: 'gwy', network: 'net' }[input.Type ?? 'application'];
      return [on(call, `${arnPrefix(call)}loadbalancer/${kind}/${input.Name ?? '*'}/*`, requestTagKeys(input.Tags))];
    },
    run: (call, input) => ({ LoadBalancers: [toLoadBalancer(call, create(call, input), 'provisioning')] }),
  }),
  DescribeLoadBalancers: operation<SDK.DescribeLoadBalancersInput, SDK.DescribeLoadBalancersOutput>({
    authorize: (call) => [on(call)],
    readOnly: true,
    run: (call, input) => {
      const { page, next } = pageOf(select(call, input), input);
      return { LoadBalancers: page.map((row) => toLoadBalancer(call, row)), ...next };
    },
  }),
  DeleteLoadBalancer: operation<SDK.DeleteLoadBalancerInput, SDK.DeleteLoadBalancerOutput>({
    authorize: onArn,
    run: (call, input) => {
      remove(call, input.LoadBalancerArn);
      return {};
    },
  }),
  DescribeLoadBalancerAttributes: operation<
    SDK.DescribeLoadBalancerAttributesInput,
    SDK.DescribeLoadBalancerAttributesOutput
  >({
    authorize: (call) => [on(call)],
    readOnly: true,
    run: (call, input) => ({
      Attributes: attributeList(loadBalancerAttributes, requireLoadBalancer(call, input.LoadBalancerArn).attributes),
    }),
  }),
  ModifyLoadBalancerAttributes: operation<
    SDK.ModifyLoadBalancerAttributesInput,
    SDK.ModifyLoadBalancerAttributesOutput
  >({
    authorize: onArn,
    run: (call, input) => {
      const row = requireLoadBalancer(call, input.LoadBalancerArn);
      const attributes = changedAttributes(loadBalancerAttributes, row.attributes, input.Attributes);
      call.tx.put('load-balancer', { ...row, attributes });
      return { Attributes: attributeList(loadBalancerAttributes, attributes) };
    },
  }),
  SetSubnets: operation<SDK.SetSubnetsInput, SDK.SetSubnetsOutput>({
    authorize: onArn,
    run: (call, input) => {
      const row = setSubnets(call, input);
      return { AvailabilityZones: row.nodes.map((node) => toZone(call, node)), IpAddressType: 'ipv4' };
    },
  }),
  SetSecurityGroups: operation<SDK.SetSecurityGroupsInput, SDK.SetSecurityGroupsOutput>({
    authorize: onArn,
    run: (call, input) => {
      const row = setSecurityGroups(call, input);
      return {
        SecurityGroupIds: row.groupIds ?? [],
        EnforceSecurityGroupInboundRulesOnPrivateLinkTraffic: row.enforcesGroupsOnPrivateLink ? 'on' : 'off',
      };
    },
  }),
} satisfies Record<string, Operation>;
