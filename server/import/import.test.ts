// A cloud of our own, described and read again, is the same network: over the topologies of the labs and every construct that the Snapshot has.

import assert from 'node:assert/strict';
import { rmSync } from 'node:fs';
import { test } from 'node:test';
import type { Snapshot } from '@postern/network/snapshot.ts';
import { buildSnapshot } from '../control/snapshot.ts';
import {
  makeGateway,
  makeGroup,
  makeRouteTable,
  makeSubnet,
  makeVpc,
  makeWorld,
  type World,
} from '../services/ec2/testing.ts';
import { type Imported, importAccount } from './import.ts';
import { dump } from './testing.ts';

/** In an order that does not depend on who tells it. The revision is the store's own. */
function comparable(snapshot: Snapshot): unknown {
  const sort = (value: unknown): unknown => {
    if (Array.isArray(value))
      return value.map(sort).toSorted((a, b) => (JSON.stringify(a) < JSON.stringify(b) ? -1 : 1));
    if (typeof value !== 'object' || value === null) return value;
    return Object.fromEntries(
      Object.entries(value)
        .toSorted(([a], [b]) => (a < b ? -1 : 1))
        .map(([key, each]) => [key, sort(each)]),
    );
  };
  return sort({ ...snapshot, revision: 0 });
}

async function roundTrip(world: World, options: Parameters<typeof dump>[1] = {}): Promise<Imported> {
  const directory = await dump(world, options);
  try {
    const imported = importAccount(directory);
    const own = world.store.read((tx) => buildSnapshot(tx, 0));
    assert.deepEqual(comparable(imported.snapshot), comparable(own));
    return imported;
  } finally {
    rmSync(directory, { recursive: true });
  }
}

async function launch(world: World, SubnetId: string, groups: string[] = [], more: object = {}): Promise<string> {
  const input = {
    ImageId: 'ami-0123456789abcdef0',
    InstanceType: 't3.small',
    MinCount: 1,
    MaxCount: 1,
    SubnetId,
    ...more,
  };
  const { Instances } = await world.run<{ Instances: { InstanceId: string }[] }>('RunInstances', {
    ...input,
    ...(groups.length > 0 && { SecurityGroupIds: groups }),
  });
  return Instances[0]?.InstanceId ?? '';
}

const route = (world: World, RouteTableId: string, DestinationCidrBlock: string, target: object) =>
  world.run('CreateRoute', { RouteTableId, DestinationCidrBlock, ...target });

test('the default VPC alone', async () => {
  const { findings } = await roundTrip(makeWorld());
  assert.deepEqual(findings, []);
});

test('lab E: a public subnet, an instance, a gateway endpoint with a policy', async () => {
  const world = makeWorld();
  const vpcId = await makeVpc(world);
  const subnet = await makeSubnet(world, vpcId);
  await world.run('ModifySubnetAttribute', { SubnetId: subnet, MapPublicIpOnLaunch: { Value: true } });
  const GatewayId = await makeGateway(world, vpcId);
  const table = await makeRouteTable(world, vpcId);
  await route(world, table, '0.0.0.0/0', { GatewayId });
  await world.run('AssociateRouteTable', { RouteTableId: table, SubnetId: subnet });
  const group = await makeGroup(world, vpcId);
  const IpPermissions = [
    { IpProtocol: 'tcp', FromPort: 22, ToPort: 22, IpRanges: [{ CidrIp: '0.0.0.0/0', Description: 'ssh' }] },
  ];
  await world.run('AuthorizeSecurityGroupIngress', { GroupId: group, IpPermissions });
  await launch(world, subnet, [group]);
  await world.run('CreateVpcEndpoint', {
    VpcId: vpcId,
    ServiceName: 'com.amazonaws.us-east-1.s3',
    RouteTableIds: [table],
    PolicyDocument: '{"Statement":[{"Effect":"Deny","Principal":"*","Action":"*","Resource":"*"}]}',
  });
  const { findings, rows } = await roundTrip(world);
  assert.deepEqual(findings, []);
  assert.match(rows.list('vpc-endpoint')[0]?.policyDocument ?? '', /Deny/);
});

test('lab F: NAT gateway, interface endpoints with private DNS, a stopped and a terminated instance', async () => {
  const world = makeWorld();
  const vpcId = await makeVpc(world);
  await world.run('ModifyVpcAttribute', { VpcId: vpcId, EnableDnsHostnames: { Value: true } });
  const open = await makeSubnet(world, vpcId);
  const { Subnet } = await world.run<{ Subnet: { SubnetId: string } }>('CreateSubnet', {
    VpcId: vpcId,
    CidrBlock: '10.0.1.0/24',
    AvailabilityZone: 'us-east-1f',
  });
  const closed = Subnet.SubnetId;
  const GatewayId = await makeGateway(world, vpcId);
  const [a, b] = [await makeRouteTable(world, vpcId), await makeRouteTable(world, vpcId)];
  await route(world, a, '0.0.0.0/0', { GatewayId });
  await world.run('AssociateRouteTable', { RouteTableId: a, SubnetId: open });
  await world.run('AssociateRouteTable', { RouteTableId: b, SubnetId: closed });
  const { AllocationId } = await world.run<{ AllocationId: string }>('AllocateAddress', {});
  const { NatGateway } = await world.run<{ NatGateway: { NatGatewayId: string } }>('CreateNatGateway', {
    SubnetId: open,
    AllocationId,
  });
  await route(world, b, '0.0.0.0/0', { NatGatewayId: NatGateway.NatGatewayId });
  const group = await makeGroup(world, vpcId);
  await world.run('CreateVpcEndpoint', {
    VpcId: vpcId,
    ServiceName: 'com.amazonaws.us-east-1.sts',
    VpcEndpointType: 'Interface',
    SubnetIds: [open, closed],
    SecurityGroupIds: [group],
    PrivateDnsEnabled: false,
  });
  const [stopped, gone] = [await launch(world, closed), await launch(world, closed)];
  await launch(world, open, [], {});
  for (const [id, state] of [[stopped, 'stopped'], [gone, 'terminated']] as const) // biome-ignore format: pairs
    world.store.transact((tx) => {
      const row = tx.get('instance', id);
      if (row) tx.put('instance', { ...row, state });
    });
  assert.deepEqual((await roundTrip(world)).findings, []);
});

test('lab G: ACLs, groups that name one another, peering, a prefix list, edge routes, a middlebox, DHCP options', async () => {
  const world = makeWorld();
  const [here, there] = [await makeVpc(world), await makeVpc(world, '10.1.0.0/16')];
  await world.run('AssociateVpcCidrBlock', { VpcId: here, CidrBlock: '10.2.0.0/16' });
  const [subnet, other] = [await makeSubnet(world, here), await makeSubnet(world, there, '10.1.0.0/24')];
  const { VpcPeeringConnection } = await world.run<{ VpcPeeringConnection: { VpcPeeringConnectionId: string } }>(
    'CreateVpcPeeringConnection',
    {
      VpcId: here,
      PeerVpcId: there,
    },
  );
  const { VpcPeeringConnectionId } = VpcPeeringConnection;
  await world.run('AcceptVpcPeeringConnection', { VpcPeeringConnectionId });
  await world
    .run('ModifyVpcPeeringConnectionOptions', {
      VpcPeeringConnectionId,
      RequesterPeeringConnectionOptions: { AllowDnsResolutionFromRemoteVpc: true },
    })
    .catch(() => {}); // needs host names on both sides; without them it stays off
  const table = await makeRouteTable(world, here);
  await route(world, table, '10.1.0.0/16', { VpcPeeringConnectionId });
  const [web, db] = [await makeGroup(world, here), await makeGroup(world, here, 'db')];
  const pair = { IpProtocol: 'tcp', FromPort: 5432, ToPort: 5433, UserIdGroupPairs: [{ GroupId: web }] };
  await world.run('AuthorizeSecurityGroupIngress', { GroupId: db, IpPermissions: [pair] });
  const { PrefixList } = await world.run<{ PrefixList: { PrefixListId: string } }>('CreateManagedPrefixList', {
    PrefixListName: 'offices',
    MaxEntries: 5,
    AddressFamily: 'IPv4',
    Entries: [{ Cidr: '203.0.113.0/24' }],
  });
  const lists = [{ PrefixListId: PrefixList.PrefixListId }];
  await world.run('AuthorizeSecurityGroupIngress', {
    GroupId: web,
    IpPermissions: [
      { IpProtocol: '-1', PrefixListIds: lists },
      { IpProtocol: 'icmp', FromPort: 8, ToPort: -1, IpRanges: [{ CidrIp: '10.0.0.0/8' }] },
      { IpProtocol: '47', IpRanges: [{ CidrIp: '10.0.0.0/8' }] },
      { IpProtocol: 'udp', FromPort: 53, ToPort: 53, Ipv6Ranges: [{ CidrIpv6: '::/0' }] },
    ],
  });
  const box = await launch(world, subnet, [web]);
  await launch(world, subnet, [web, db]);
  await launch(world, other);
  await route(world, table, '192.168.0.0/16', { InstanceId: box });
  await world.run('AssociateRouteTable', { RouteTableId: table, SubnetId: subnet });
  const { NetworkAcl } = await world.run<{ NetworkAcl: { NetworkAclId: string } }>('CreateNetworkAcl', { VpcId: here });
  const entry = { NetworkAclId: NetworkAcl.NetworkAclId, Egress: false, CidrBlock: '0.0.0.0/0' };
  await world.run('CreateNetworkAclEntry', {
    ...entry,
    RuleNumber: 200,
    Protocol: '6',
    RuleAction: 'allow',
    PortRange: { From: 80, To: 90 },
  });
  await world.run('CreateNetworkAclEntry', {
    ...entry,
    RuleNumber: 100,
    Protocol: '1',
    RuleAction: 'deny',
    IcmpTypeCode: { Type: 8, Code: -1 },
  });
  const { NetworkAcls = [] } = await world.run<{
    NetworkAcls?: { Associations?: { SubnetId?: string; NetworkAclAssociationId?: string }[] }[];
  }>('DescribeNetworkAcls');
  const AssociationId = NetworkAcls.flatMap((acl) => acl.Associations ?? []).find(
    (each) => each.SubnetId === subnet,
  )?.NetworkAclAssociationId;
  await world.run('ReplaceNetworkAclAssociation', { AssociationId, NetworkAclId: NetworkAcl.NetworkAclId });
  const gateway = await makeGateway(world, here);
  const edge = await makeRouteTable(world, here);
  await world.run('AssociateRouteTable', { RouteTableId: edge, GatewayId: gateway });
  const { DhcpOptions } = await world.run<{ DhcpOptions: { DhcpOptionsId: string } }>('CreateDhcpOptions', {
    DhcpConfigurations: [{ Key: 'domain-name-servers', Values: ['10.0.0.7'] }],
  });
  await world.run('AssociateDhcpOptions', { DhcpOptionsId: DhcpOptions.DhcpOptionsId, VpcId: here });
  await world.run('CreateInstanceConnectEndpoint', { SubnetId: subnet });
  assert.deepEqual((await roundTrip(world)).findings, []);
});

test('IPv6, an egress-only gateway, and public access that is blocked but for one subnet', async () => {
  const world = makeWorld();
  const { Vpc } = await world.run<{ Vpc: { VpcId: `vpc-${string}` } }>('CreateVpc', {
    CidrBlock: '10.0.0.0/16',
    AmazonProvidedIpv6CidrBlock: true,
  });
  const { Vpcs } = await world.run<{ Vpcs: { Ipv6CidrBlockAssociationSet: { Ipv6CidrBlock: string }[] }[] }>(
    'DescribeVpcs',
    { VpcIds: [Vpc.VpcId] },
  );
  const block = Vpcs[0]?.Ipv6CidrBlockAssociationSet[0]?.Ipv6CidrBlock.replace('/56', '/64') ?? '';
  const { Subnet } = await world.run<{ Subnet: { SubnetId: string } }>('CreateSubnet', {
    VpcId: Vpc.VpcId,
    CidrBlock: '10.0.0.0/24',
    Ipv6CidrBlock: block,
  });
  const plain = await makeSubnet(world, Vpc.VpcId, '10.0.1.0/24');
  await launch(world, Subnet.SubnetId, [], { Ipv6AddressCount: 1 });
  const { EgressOnlyInternetGateway } = await world.run<{
    EgressOnlyInternetGateway: { EgressOnlyInternetGatewayId: string };
  }>('CreateEgressOnlyInternetGateway', { VpcId: Vpc.VpcId });
  const table = await makeRouteTable(world, Vpc.VpcId);
  await world.run('CreateRoute', {
    RouteTableId: table,
    DestinationIpv6CidrBlock: '::/0',
    ...EgressOnlyInternetGateway,
    Attachments: undefined,
  });
  await world.run('ModifyVpcBlockPublicAccessOptions', { InternetGatewayBlockMode: 'block-bidirectional' });
  await world.run('CreateVpcBlockPublicAccessExclusion', {
    SubnetId: plain,
    InternetGatewayExclusionMode: 'allow-egress',
  });
  assert.deepEqual((await roundTrip(world)).findings, []);
});

test('without describe-security-group-rules the rules are those of the groups, under names of their own', async () => {
  const world = makeWorld();
  const directory = await dump(world, { without: ['SecurityGroupRules'] });
  const { snapshot } = importAccount(directory);
  rmSync(directory, { recursive: true });
  const own = world.store.read((tx) => buildSnapshot(tx, 0));
  const nameless = (one: Snapshot) =>
    JSON.parse(JSON.stringify(one.vpcs.map((vpc) => vpc.securityGroups)).replaceAll(/"sgr-[^"]*"/g, '""')) as unknown;
  assert.deepEqual(nameless(snapshot), nameless(own));
});
