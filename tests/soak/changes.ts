// What the soak does to a cloud: a table of changes, each of which looks around by the API and changes one thing, often wrongly.
// AWS's refusals are part of it; an error of the 500s is not.

import type { EC2 } from '@aws-sdk/client-ec2';

export interface Site {
  readonly ec2: EC2;
  /** 0 ≤ n < 1, from the seed. */
  readonly random: () => number;
}

type Change = (site: Site) => Promise<unknown>;

const pick = <T>({ random }: Site, all: readonly T[] | undefined): T | undefined =>
  all?.[Math.floor(random() * all.length)];
const chance = (site: Site, share: number) => site.random() < share;
const block = (site: Site) => `10.${60 + Math.floor(site.random() * 6)}.0.0/16`;

/** What every instance does until it ends: asks its neighbours, a service and the internet. */
const userData = Buffer.from(`#!/bin/sh
while :; do
  base=$(ip -4 -o addr show dev eth0 | sed 's/.*inet \\([0-9]*\\.[0-9]*\\.[0-9]*\\)\\..*/\\1/')
  for host in 4 5 6; do ping -n -c 1 -W 1 "$base.$host"; done
  curl -s -o /dev/null -m 1 https://s3.us-east-1.amazonaws.com/
  curl -s -o /dev/null -m 1 http://example.com/
  sleep 0.2
done >/dev/null 2>&1 &
`).toString('base64');

const vpcs = async ({ ec2 }: Site) =>
  (await ec2.describeVpcs({ Filters: [{ Name: 'is-default', Values: ['false'] }] })).Vpcs ?? [];
const subnets = async ({ ec2 }: Site) =>
  (await ec2.describeSubnets({ Filters: [{ Name: 'default-for-az', Values: ['false'] }] })).Subnets ?? [];
const instances = async ({ ec2 }: Site) =>
  ((await ec2.describeInstances({})).Reservations ?? [])
    .flatMap((one) => one.Instances ?? [])
    .filter((one) => one.State?.Name !== 'terminated');
const interfaces = async ({ ec2 }: Site) => (await ec2.describeNetworkInterfaces({})).NetworkInterfaces ?? [];
const groups = async ({ ec2 }: Site) => (await ec2.describeSecurityGroups({})).SecurityGroups ?? [];
const routeTables = async ({ ec2 }: Site) => (await ec2.describeRouteTables({})).RouteTables ?? [];
const gateways = async ({ ec2 }: Site) => (await ec2.describeInternetGateways({})).InternetGateways ?? [];

const protocols = ['tcp', 'udp', 'icmp', '-1'];
const cidrs = ['0.0.0.0/0', '10.0.0.0/8', '10.60.0.0/16', '10.61.1.0/24', '198.19.0.0/16'];

async function rule(site: Site) {
  const IpProtocol = pick(site, protocols) ?? '-1';
  const from = Math.floor(site.random() * 2000);
  const ports = IpProtocol === 'tcp' || IpProtocol === 'udp' ? { FromPort: from, ToPort: from + 100 } : {};
  const icmp = IpProtocol === 'icmp' ? { FromPort: -1, ToPort: -1 } : {};
  const peer = pick(site, await groups(site))?.GroupId;
  const source =
    chance(site, 0.3) && peer
      ? { UserIdGroupPairs: [{ GroupId: peer }] }
      : { IpRanges: [{ CidrIp: pick(site, cidrs) ?? '0.0.0.0/0' }] };
  return { IpProtocol, ...ports, ...icmp, ...source };
}

export const changes: Readonly<Record<string, Change>> = {
  'make a VPC': async (site) => {
    if ((await vpcs(site)).length < 4) await site.ec2.createVpc({ CidrBlock: block(site) });
  },
  'remove a VPC': async (site) => {
    if (chance(site, 0.4)) await site.ec2.deleteVpc({ VpcId: pick(site, await vpcs(site))?.VpcId });
  },
  'make a subnet': async (site) => {
    const vpc = pick(site, await vpcs(site));
    const base = vpc?.CidrBlock?.split('.').slice(0, 2).join('.');
    await site.ec2.createSubnet({ VpcId: vpc?.VpcId, CidrBlock: `${base}.${Math.floor(site.random() * 4)}.0/24` });
  },
  'remove a subnet': async (site) => {
    if (chance(site, 0.5)) await site.ec2.deleteSubnet({ SubnetId: pick(site, await subnets(site))?.SubnetId });
  },
  'make and attach a gateway': async (site) => {
    if ((await gateways(site)).length > 4) return;
    const { InternetGateway } = await site.ec2.createInternetGateway({});
    const VpcId = pick(site, await vpcs(site))?.VpcId;
    await site.ec2.attachInternetGateway({ InternetGatewayId: InternetGateway?.InternetGatewayId, VpcId });
  },
  'detach or remove a gateway': async (site) => {
    const gateway = pick(site, await gateways(site));
    const InternetGatewayId = gateway?.InternetGatewayId;
    const VpcId = gateway?.Attachments?.[0]?.VpcId;
    if (VpcId) await site.ec2.detachInternetGateway({ InternetGatewayId, VpcId });
    else await site.ec2.deleteInternetGateway({ InternetGatewayId });
  },
  'run instances': async (site) => {
    if ((await instances(site)).length >= 6) return;
    const subnet = pick(site, await subnets(site));
    if (!subnet) return;
    await site.ec2.runInstances({
      ImageId: 'ami-12345678',
      MinCount: 1,
      MaxCount: 1,
      UserData: userData,
      NetworkInterfaces: [{ DeviceIndex: 0, SubnetId: subnet.SubnetId, AssociatePublicIpAddress: chance(site, 0.5) }],
    });
  },
  'terminate, stop or start an instance': async (site) => {
    const instance = pick(site, await instances(site));
    const InstanceIds = [instance?.InstanceId ?? 'i-00000000000000000'];
    if (instance?.State?.Name === 'stopped') await site.ec2.startInstances({ InstanceIds });
    else if (chance(site, 0.5)) await site.ec2.stopInstances({ InstanceIds });
    else await site.ec2.terminateInstances({ InstanceIds });
  },
  'make an interface': async (site) => {
    const made = (await interfaces(site)).length;
    if (made < 12) await site.ec2.createNetworkInterface({ SubnetId: pick(site, await subnets(site))?.SubnetId });
  },
  'attach an interface': async (site) => {
    const free = (await interfaces(site)).filter((one) => one.Status === 'available');
    await site.ec2.attachNetworkInterface({
      NetworkInterfaceId: pick(site, free)?.NetworkInterfaceId,
      InstanceId: pick(site, await instances(site))?.InstanceId,
      DeviceIndex: 1,
    });
  },
  'detach or remove an interface': async (site) => {
    const one = pick(site, await interfaces(site));
    const AttachmentId = one?.Attachment?.AttachmentId;
    if (AttachmentId) await site.ec2.detachNetworkInterface({ AttachmentId, Force: chance(site, 0.5) });
    else await site.ec2.deleteNetworkInterface({ NetworkInterfaceId: one?.NetworkInterfaceId });
  },
  'give an interface addresses': async (site) => {
    const NetworkInterfaceId = pick(site, await interfaces(site))?.NetworkInterfaceId;
    await site.ec2.assignPrivateIpAddresses({ NetworkInterfaceId, SecondaryPrivateIpAddressCount: 1 });
  },
  'make a group': async (site) => {
    if ((await groups(site)).length > 15) return;
    const VpcId = pick(site, await vpcs(site))?.VpcId;
    await site.ec2.createSecurityGroup({
      GroupName: `g${Math.floor(site.random() * 1e6)}`,
      Description: 'soak',
      VpcId,
    });
  },
  'remove a group': async (site) => {
    await site.ec2.deleteSecurityGroup({ GroupId: pick(site, await groups(site))?.GroupId });
  },
  'allow something': async (site) => {
    const GroupId = pick(site, await groups(site))?.GroupId;
    const IpPermissions = [await rule(site)];
    if (chance(site, 0.7)) await site.ec2.authorizeSecurityGroupIngress({ GroupId, IpPermissions });
    else await site.ec2.authorizeSecurityGroupEgress({ GroupId, IpPermissions });
  },
  'revoke a rule': async (site) => {
    const { SecurityGroupRules } = await site.ec2.describeSecurityGroupRules({});
    const one = pick(site, SecurityGroupRules);
    const of = { GroupId: one?.GroupId, SecurityGroupRuleIds: [one?.SecurityGroupRuleId ?? ''] };
    if (one?.IsEgress) await site.ec2.revokeSecurityGroupEgress(of);
    else await site.ec2.revokeSecurityGroupIngress(of);
  },
  'change an interface’s groups': async (site) => {
    const one = pick(site, await interfaces(site));
    const own = (await groups(site)).filter((group) => group.VpcId === one?.VpcId && chance(site, 0.5));
    const Groups = own.slice(0, 4).flatMap((group) => group.GroupId ?? []);
    await site.ec2.modifyNetworkInterfaceAttribute({ NetworkInterfaceId: one?.NetworkInterfaceId, Groups });
  },
  'switch a source/destination check': async (site) => {
    const NetworkInterfaceId = pick(site, await interfaces(site))?.NetworkInterfaceId;
    const SourceDestCheck = { Value: chance(site, 0.7) };
    await site.ec2.modifyNetworkInterfaceAttribute({ NetworkInterfaceId, SourceDestCheck });
  },
  'make a route table': async (site) => {
    if ((await routeTables(site)).length < 12)
      await site.ec2.createRouteTable({ VpcId: pick(site, await vpcs(site))?.VpcId });
  },
  'remove a route table': async (site) => {
    await site.ec2.deleteRouteTable({ RouteTableId: pick(site, await routeTables(site))?.RouteTableId });
  },
  'associate or disassociate a table': async (site) => {
    const table = pick(site, await routeTables(site));
    const association = pick(site, table?.Associations);
    if (association && !association.Main && chance(site, 0.5))
      await site.ec2.disassociateRouteTable({ AssociationId: association.RouteTableAssociationId });
    const SubnetId = pick(
      site,
      (await subnets(site)).filter((one) => one.VpcId === table?.VpcId),
    )?.SubnetId;
    await site.ec2.associateRouteTable({ RouteTableId: table?.RouteTableId, SubnetId });
  },
  'route somewhere': async (site) => {
    const table = pick(site, await routeTables(site));
    const route = {
      RouteTableId: table?.RouteTableId,
      DestinationCidrBlock: pick(site, ['0.0.0.0/0', '198.51.100.0/24', '10.70.0.0/16']),
    };
    const gateway = pick(site, await gateways(site))?.InternetGatewayId;
    const NetworkInterfaceId = pick(site, await interfaces(site))?.NetworkInterfaceId;
    if (chance(site, 0.3)) await site.ec2.deleteRoute(route);
    else if (chance(site, 0.6)) await site.ec2.createRoute({ ...route, GatewayId: gateway });
    else await site.ec2.createRoute({ ...route, NetworkInterfaceId });
  },
  'make an endpoint': async (site) => {
    const vpc = pick(site, await vpcs(site));
    const { VpcEndpoints } = await site.ec2.describeVpcEndpoints({});
    if ((VpcEndpoints ?? []).length > 4) return;
    const table = pick(
      site,
      (await routeTables(site)).filter((one) => one.VpcId === vpc?.VpcId),
    );
    await site.ec2.createVpcEndpoint({
      VpcId: vpc?.VpcId,
      ServiceName: `com.amazonaws.us-east-1.${pick(site, ['s3', 'dynamodb'])}`,
      RouteTableIds: [table?.RouteTableId ?? ''],
    });
  },
  'make an interface endpoint': async (site) => {
    const subnet = pick(site, await subnets(site));
    const { VpcEndpoints } = await site.ec2.describeVpcEndpoints({});
    if ((VpcEndpoints ?? []).length > 4) return;
    await site.ec2.createVpcEndpoint({
      VpcId: subnet?.VpcId,
      VpcEndpointType: 'Interface',
      ServiceName: `com.amazonaws.us-east-1.${pick(site, ['sts', 'ec2', 's3'])}`,
      SubnetIds: [subnet?.SubnetId ?? ''],
      PrivateDnsEnabled: false,
    });
  },
  'remove an endpoint': async (site) => {
    const { VpcEndpoints } = await site.ec2.describeVpcEndpoints({});
    await site.ec2.deleteVpcEndpoints({ VpcEndpointIds: [pick(site, VpcEndpoints)?.VpcEndpointId ?? ''] });
  },
  'an ACL entry more or less': async (site) => {
    const { NetworkAcls } = await site.ec2.describeNetworkAcls({});
    const of = {
      NetworkAclId: pick(site, NetworkAcls)?.NetworkAclId,
      RuleNumber: 10 + Math.floor(site.random() * 10),
      Egress: chance(site, 0.5),
    };
    const entry = { Protocol: '-1', RuleAction: chance(site, 0.7) ? ('allow' as const) : ('deny' as const) };
    if (chance(site, 0.4)) await site.ec2.deleteNetworkAclEntry(of);
    else await site.ec2.createNetworkAclEntry({ ...of, ...entry, CidrBlock: pick(site, cidrs) });
  },
  'an elastic address more': async (site) => {
    if (((await site.ec2.describeAddresses({})).Addresses ?? []).length > 5) return;
    const { AllocationId } = await site.ec2.allocateAddress({ Domain: 'vpc' });
    const NetworkInterfaceId = pick(site, await interfaces(site))?.NetworkInterfaceId;
    await site.ec2.associateAddress({ AllocationId, NetworkInterfaceId, AllowReassociation: true });
  },
  'an elastic address less': async (site) => {
    const address = pick(site, (await site.ec2.describeAddresses({})).Addresses);
    if (address?.AssociationId) await site.ec2.disassociateAddress({ AssociationId: address.AssociationId });
    else await site.ec2.releaseAddress({ AllocationId: address?.AllocationId });
  },
  'IPv6 for a VPC, or none': async (site) => {
    const vpc = pick(site, await vpcs(site));
    const has = vpc?.Ipv6CidrBlockAssociationSet?.find((one) => one.Ipv6CidrBlockState?.State === 'associated');
    if (has) await site.ec2.disassociateVpcCidrBlock({ AssociationId: has.AssociationId });
    else await site.ec2.associateVpcCidrBlock({ VpcId: vpc?.VpcId, AmazonProvidedIpv6CidrBlock: true });
  },
  'IPv6 for a subnet, or none': async (site) => {
    const subnet = pick(site, await subnets(site));
    const has = subnet?.Ipv6CidrBlockAssociationSet?.find((one) => one.Ipv6CidrBlockState?.State === 'associated');
    if (has) return site.ec2.disassociateSubnetCidrBlock({ AssociationId: has.AssociationId });
    const vpc = (await vpcs(site)).find((one) => one.VpcId === subnet?.VpcId);
    const block = vpc?.Ipv6CidrBlockAssociationSet?.[0]?.Ipv6CidrBlock?.replace(/00::\/56$/, '0');
    const Ipv6CidrBlock = `${block}${Math.floor(site.random() * 4)}::/64`;
    return site.ec2.associateSubnetCidrBlock({ SubnetId: subnet?.SubnetId, Ipv6CidrBlock });
  },
  'an IPv6 address more or less': async (site) => {
    const one = pick(site, await interfaces(site));
    const NetworkInterfaceId = one?.NetworkInterfaceId;
    const has = pick(site, one?.Ipv6Addresses)?.Ipv6Address;
    if (has && chance(site, 0.5)) await site.ec2.unassignIpv6Addresses({ NetworkInterfaceId, Ipv6Addresses: [has] });
    else await site.ec2.assignIpv6Addresses({ NetworkInterfaceId, Ipv6AddressCount: 1 });
  },
  'an IPv6 route': async (site) => {
    const table = pick(site, await routeTables(site));
    const route = { RouteTableId: table?.RouteTableId, DestinationIpv6CidrBlock: '::/0' };
    const { EgressOnlyInternetGateways } = await site.ec2.describeEgressOnlyInternetGateways({});
    const egress = pick(site, EgressOnlyInternetGateways)?.EgressOnlyInternetGatewayId;
    if (chance(site, 0.3)) await site.ec2.deleteRoute(route);
    else if (egress && chance(site, 0.5)) await site.ec2.createRoute({ ...route, EgressOnlyInternetGatewayId: egress });
    else await site.ec2.createRoute({ ...route, GatewayId: pick(site, await gateways(site))?.InternetGatewayId });
  },
  'an egress-only gateway more or less': async (site) => {
    const { EgressOnlyInternetGateways } = await site.ec2.describeEgressOnlyInternetGateways({});
    const egress = pick(site, EgressOnlyInternetGateways)?.EgressOnlyInternetGatewayId;
    if (egress && chance(site, 0.5))
      await site.ec2.deleteEgressOnlyInternetGateway({ EgressOnlyInternetGatewayId: egress });
    else await site.ec2.createEgressOnlyInternetGateway({ VpcId: pick(site, await vpcs(site))?.VpcId });
  },
  'peer two VPCs': async (site) => {
    const all = await vpcs(site);
    const { VpcPeeringConnection } = await site.ec2.createVpcPeeringConnection({
      VpcId: pick(site, all)?.VpcId,
      PeerVpcId: pick(site, all)?.VpcId,
    });
    const VpcPeeringConnectionId = VpcPeeringConnection?.VpcPeeringConnectionId;
    await site.ec2.acceptVpcPeeringConnection({ VpcPeeringConnectionId });
    const table = pick(site, await routeTables(site))?.RouteTableId;
    await site.ec2.createRoute({ RouteTableId: table, DestinationCidrBlock: block(site), VpcPeeringConnectionId });
  },
  'end a peering': async (site) => {
    const { VpcPeeringConnections } = await site.ec2.describeVpcPeeringConnections({
      Filters: [{ Name: 'status-code', Values: ['active', 'pending-acceptance'] }],
    });
    const VpcPeeringConnectionId = pick(site, VpcPeeringConnections)?.VpcPeeringConnectionId;
    await site.ec2.deleteVpcPeeringConnection({ VpcPeeringConnectionId });
  },
  'a NAT gateway more': async (site) => {
    const { NatGateways } = await site.ec2.describeNatGateways({ Filter: [{ Name: 'state', Values: ['available'] }] });
    if ((NatGateways ?? []).length > 2) return;
    const SubnetId = pick(site, await subnets(site))?.SubnetId;
    const { NatGateway } = await site.ec2.createNatGateway({ SubnetId, ConnectivityType: 'private' });
    const table = pick(site, await routeTables(site))?.RouteTableId;
    const NatGatewayId = NatGateway?.NatGatewayId;
    await site.ec2.createRoute({ RouteTableId: table, DestinationCidrBlock: '203.0.113.0/24', NatGatewayId });
  },
  'a NAT gateway less': async (site) => {
    const { NatGateways } = await site.ec2.describeNatGateways({ Filter: [{ Name: 'state', Values: ['available'] }] });
    await site.ec2.deleteNatGateway({ NatGatewayId: pick(site, NatGateways)?.NatGatewayId });
  },
};
