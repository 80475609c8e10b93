import assert from 'node:assert/strict';
import { test } from 'node:test';
import type {
  AssignIpv6AddressesResult,
  AssociateSubnetCidrBlockResult,
  AssociateVpcCidrBlockResult,
  CreateEgressOnlyInternetGatewayResult,
  CreateNetworkInterfaceResult,
  CreateSubnetResult,
  CreateVpcResult,
  DescribeEgressOnlyInternetGatewaysResult,
  DescribeInstancesResult,
  DescribeNetworkAclsResult,
  DescribeNetworkInterfacesResult,
  DescribeRouteTablesResult,
  DescribeSecurityGroupsResult,
  DescribeSubnetsResult,
  DescribeVpcsResult,
  Reservation,
} from '@aws-sdk/client-ec2';
import { contains, containsAddress } from '@postern/network/cidr.ts';
import { buildSnapshot } from '../../control/snapshot.ts';
import { awsError } from '../../testing.ts';
import { makeGateway, makeGroup, makeSubnet, makeVpc, makeWorld, type World } from './testing.ts';

interface Place {
  readonly world: World;
  readonly VpcId: string;
  /** The /56, e.g. `2001:db8:1010:100::/56`. */
  readonly block: `${string}/${number}`;
  /** The subnet block with this number, 0 to 255. */
  readonly slash64: (number: number) => string;
}

async function makePlace(): Promise<Place> {
  const world = makeWorld();
  const made = await world.run<CreateVpcResult>('CreateVpc', {
    CidrBlock: '10.0.0.0/16',
    AmazonProvidedIpv6CidrBlock: true,
  });
  const VpcId = made.Vpc?.VpcId ?? '';
  const block = ((await vpcOf(world, VpcId))?.Ipv6CidrBlockAssociationSet?.[0]?.Ipv6CidrBlock ??
    '') as `${string}/${number}`;
  const prefix = block.replace(/00::\/56$/, '');
  return { world, VpcId, block, slash64: (number) => `${prefix}${number.toString(16).padStart(2, '0')}::/64` };
}

const vpcOf = async (world: World, VpcId: string) =>
  (await world.run<DescribeVpcsResult>('DescribeVpcs', { VpcIds: [VpcId] })).Vpcs?.[0];

async function makeDualSubnet({ world, VpcId, slash64 }: Place, number = 1) {
  const input = { VpcId, CidrBlock: `10.0.${number}.0/24`, Ipv6CidrBlock: slash64(number) };
  return (await world.run<CreateSubnetResult>('CreateSubnet', input)).Subnet?.SubnetId ?? '';
}

const subnetOf = async (world: World, id: string) =>
  (await world.run<DescribeSubnetsResult>('DescribeSubnets', { SubnetIds: [id] })).Subnets?.[0];

test('a VPC asks Amazon for a /56; the answer says associating, the next look the block', async () => {
  const world = makeWorld();
  const { Vpc } = await world.run<CreateVpcResult>('CreateVpc', {
    CidrBlock: '10.0.0.0/16',
    AmazonProvidedIpv6CidrBlock: true,
  });
  assert.equal(Vpc?.Ipv6CidrBlockAssociationSet?.[0]?.Ipv6CidrBlockState?.State, 'associating');
  const [association] = (await vpcOf(world, Vpc?.VpcId ?? ''))?.Ipv6CidrBlockAssociationSet ?? [];
  assert.equal(association?.Ipv6CidrBlockState?.State, 'associated');
  assert.match(association?.Ipv6CidrBlock ?? '', /^2001:db8:101[0-9a-f]:.*::\/56$/);
  assert.equal(association?.Ipv6Pool, 'Amazon');
  assert.equal(association?.NetworkBorderGroup, 'us-east-1');
  const found = await world.run<DescribeVpcsResult>('DescribeVpcs', {
    Filters: [{ Name: 'ipv6-cidr-block-association.ipv6-cidr-block', Values: [association?.Ipv6CidrBlock ?? ''] }],
  });
  assert.deepEqual(
    found.Vpcs?.map((vpc) => vpc.VpcId),
    [Vpc?.VpcId],
  );
});

test('no two VPCs have the same IPv6 block, and one that was given back is not the next', async () => {
  const world = makeWorld();
  const take = async () => {
    const VpcId = await makeVpc(world);
    await world.run('AssociateVpcCidrBlock', { VpcId, AmazonProvidedIpv6CidrBlock: true });
    return (await vpcOf(world, VpcId))?.Ipv6CidrBlockAssociationSet?.[0];
  };
  const [first, second] = [await take(), await take()];
  await world.run('DisassociateVpcCidrBlock', { AssociationId: first?.AssociationId });
  const blocks = [first, second, await take()].map((one) => one?.Ipv6CidrBlock);
  assert.equal(new Set(blocks).size, 3, blocks.join(' '));
});

test('[C11] [R3] an IPv6 block brings its local route into every table, and takes it away again', async () => {
  const world = makeWorld();
  const VpcId = await makeVpc(world);
  await world.run('CreateRouteTable', { VpcId });
  const locals = async () => {
    const filters = [{ Name: 'vpc-id', Values: [VpcId] }];
    const { RouteTables } = await world.run<DescribeRouteTablesResult>('DescribeRouteTables', { Filters: filters });
    return RouteTables?.map((table) => table.Routes?.flatMap((route) => route.DestinationIpv6CidrBlock ?? []));
  };
  assert.deepEqual(await locals(), [[], []]);
  const answer = await world.run<AssociateVpcCidrBlockResult>('AssociateVpcCidrBlock', {
    VpcId,
    AmazonProvidedIpv6CidrBlock: true,
  });
  const { AssociationId } = answer.Ipv6CidrBlockAssociation ?? {};
  const block = (await vpcOf(world, VpcId))?.Ipv6CidrBlockAssociationSet?.[0]?.Ipv6CidrBlock;
  assert.deepEqual(await locals(), [[block], [block]]);
  const third = await world.run<{ RouteTable: { Routes: object[] } }>('CreateRouteTable', { VpcId });
  assert.equal(third.RouteTable.Routes.length, 2);
  await world.run('DisassociateVpcCidrBlock', { AssociationId });
  assert.deepEqual(await locals(), [[], [], []]);
});

test('[N2] the default ACL gets 101 for IPv6 and every ACL 32768, unless rules were changed', async () => {
  const world = makeWorld();
  const aclsOf = async (VpcId: string) => {
    const input = { Filters: [{ Name: 'vpc-id', Values: [VpcId] }] };
    const { NetworkAcls } = await world.run<DescribeNetworkAclsResult>('DescribeNetworkAcls', input);
    return (NetworkAcls ?? []).map(({ NetworkAclId, Entries }) => ({
      NetworkAclId,
      ingress: (Entries ?? [])
        .filter((one) => !one.Egress)
        .map((one) => `${one.RuleNumber} ${one.RuleAction} ${one.CidrBlock ?? one.Ipv6CidrBlock}`),
    }));
  };
  const first = await makeVpc(world);
  await world.run('CreateNetworkAcl', { VpcId: first });
  await world.run('AssociateVpcCidrBlock', { VpcId: first, AmazonProvidedIpv6CidrBlock: true });
  assert.deepEqual(
    (await aclsOf(first)).map((acl) => acl.ingress),
    [
      ['100 allow 0.0.0.0/0', '101 allow ::/0', '32767 deny 0.0.0.0/0', '32768 deny ::/0'],
      ['32767 deny 0.0.0.0/0', '32768 deny ::/0'],
    ],
  );
  const second = await makeVpc(world);
  const [acl] = await aclsOf(second);
  const entry = {
    NetworkAclId: acl?.NetworkAclId,
    RuleNumber: 50,
    Egress: false,
    Protocol: '-1',
    RuleAction: 'deny',
    CidrBlock: '192.0.2.0/24',
  };
  await world.run('CreateNetworkAclEntry', entry);
  await world.run('AssociateVpcCidrBlock', { VpcId: second, AmazonProvidedIpv6CidrBlock: true });
  assert.deepEqual((await aclsOf(second))[0]?.ingress, [
    '50 deny 192.0.2.0/24',
    '100 allow 0.0.0.0/0',
    '32767 deny 0.0.0.0/0',
    '32768 deny ::/0',
  ]);
});

test('[S2] groups let all IPv6 out where the VPC has it, unless their outbound rules were changed', async () => {
  const world = makeWorld();
  const VpcId = await makeVpc(world);
  const untouched = await makeGroup(world, VpcId, 'untouched');
  const changed = await makeGroup(world, VpcId, 'changed');
  const rule = { IpProtocol: 'tcp', FromPort: 443, ToPort: 443, IpRanges: [{ CidrIp: '0.0.0.0/0' }] };
  await world.run('AuthorizeSecurityGroupEgress', { GroupId: changed, IpPermissions: [rule] });
  await world.run('AssociateVpcCidrBlock', { VpcId, AmazonProvidedIpv6CidrBlock: true });
  const later = await makeGroup(world, VpcId, 'later');
  const { SecurityGroups } = await world.run<DescribeSecurityGroupsResult>('DescribeSecurityGroups', {
    Filters: [{ Name: 'vpc-id', Values: [VpcId] }],
  });
  const blocks = new Map(
    SecurityGroups?.map((group) => [
      group.GroupName === 'default' ? 'default' : group.GroupId,
      group.IpPermissionsEgress?.flatMap((each) => each.Ipv6Ranges?.map((range) => range.CidrIpv6)),
    ]),
  );
  assert.deepEqual(
    [blocks.get('default'), blocks.get(untouched), blocks.get(changed), blocks.get(later)],
    [['::/0'], ['::/0'], [], ['::/0']],
  );
});

test('[C4] a subnet takes a /56, /60 or /64 of a block of its VPC that no sibling has', async () => {
  const place = await makePlace();
  const { world, VpcId, slash64 } = place;
  const create = (CidrBlock: string, Ipv6CidrBlock: string) =>
    world.run<CreateSubnetResult>('CreateSubnet', { VpcId, CidrBlock, Ipv6CidrBlock });
  const { Subnet } = await create('10.0.1.0/24', slash64(1).replace('::/64', '::9/64'));
  const [association] = Subnet?.Ipv6CidrBlockAssociationSet ?? [];
  assert.equal(association?.Ipv6CidrBlock, slash64(1));
  assert.match(association?.AssociationId ?? '', /^subnet-cidr-assoc-/);
  await assert.rejects(
    create('10.0.2.0/24', slash64(1)),
    awsError('InvalidSubnet.Conflict', `The CIDR '${slash64(1)}' conflicts with another subnet`),
  );
  await assert.rejects(
    create('10.0.2.0/24', '2001:db8::/64'),
    awsError('InvalidSubnet.Range', "The IPv6 CIDR '2001:db8::/64' is invalid."),
  );
  for (const bad of ['x', slash64(2).replace('/64', '/62'), slash64(2).replace('/64', '/80'), '10.0.0.0/24'])
    await assert.rejects(
      create('10.0.2.0/24', bad),
      awsError('InvalidParameterValue', `invalid value for parameter ipv6-cidr-block: ${bad}`),
    );
  assert.ok(await create('10.0.2.0/24', slash64(16).replace('/64', '/60')));
  const plain = await makeVpc(world, '10.9.0.0/16');
  await assert.rejects(
    world.run('CreateSubnet', { VpcId: plain, CidrBlock: '10.9.0.0/24', Ipv6CidrBlock: slash64(9) }),
    awsError('InvalidSubnet.Range'),
  );
  await assert.rejects(
    world.run('CreateSubnet', { VpcId, Ipv6CidrBlock: slash64(9), Ipv6Native: true }),
    awsError('UnsupportedOperation', /Ipv6Native/),
  );
});

test('a subnet gains and loses its IPv6 block, but not while something uses it', async () => {
  const { world, VpcId, slash64 } = await makePlace();
  const SubnetId = await makeSubnet(world, VpcId as `vpc-${string}`);
  const answer = await world.run<AssociateSubnetCidrBlockResult>('AssociateSubnetCidrBlock', {
    SubnetId,
    Ipv6CidrBlock: slash64(7),
  });
  assert.equal(answer.Ipv6CidrBlockAssociation?.Ipv6CidrBlockState?.State, 'associating');
  const { AssociationId } = answer.Ipv6CidrBlockAssociation ?? {};
  assert.equal((await subnetOf(world, SubnetId))?.Ipv6CidrBlockAssociationSet?.[0]?.Ipv6CidrBlock, slash64(7));
  await assert.rejects(
    world.run('AssociateSubnetCidrBlock', { SubnetId, Ipv6CidrBlock: slash64(8) }),
    awsError('CidrLimitExceeded'),
  );
  const [block] = (await vpcOf(world, VpcId))?.Ipv6CidrBlockAssociationSet ?? [];
  await assert.rejects(
    world.run('DisassociateVpcCidrBlock', { AssociationId: block?.AssociationId }),
    awsError('InvalidCidrBlock.InUse'),
  );
  const modify = (Value: boolean) =>
    world.run('ModifySubnetAttribute', { SubnetId, AssignIpv6AddressOnCreation: { Value } });
  await modify(true);
  const disassociate = () => world.run('DisassociateSubnetCidrBlock', { AssociationId });
  await assert.rejects(disassociate(), awsError('InvalidCidrBlock.InUse', /assign-ipv6-address-on-creation/));
  const { NetworkInterface } = await world.run<CreateNetworkInterfaceResult>('CreateNetworkInterface', { SubnetId });
  await modify(false);
  await assert.rejects(disassociate(), awsError('InvalidCidrBlock.InUse', /in use/));
  await world.run('DeleteNetworkInterface', { NetworkInterfaceId: NetworkInterface?.NetworkInterfaceId });
  await disassociate();
  assert.deepEqual((await subnetOf(world, SubnetId))?.Ipv6CidrBlockAssociationSet, []);
  await assert.rejects(disassociate(), awsError('InvalidSubnetCidrBlockAssociationID.NotFound'));
  await assert.rejects(
    world.run('DisassociateSubnetCidrBlock', { AssociationId: 'x' }),
    awsError('InvalidSubnetCidrBlockAssociationId.Malformed'),
  );
  await assert.rejects(modify(true), awsError('InvalidParameterValue', /unless the subnet/));
});

test('an interface gets the IPv6 addresses that it asks for, or one where the subnet says so', async () => {
  const place = await makePlace();
  const { world, slash64 } = place;
  const SubnetId = await makeDualSubnet(place);
  const create = async (input: object) =>
    (await world.run<CreateNetworkInterfaceResult>('CreateNetworkInterface', { SubnetId, ...input })).NetworkInterface;
  const at = (host: string) => slash64(1).replace('::/64', `::${host}`);
  const addresses = (made: Awaited<ReturnType<typeof create>>) =>
    (made?.Ipv6Addresses ?? []).map((one) => one.Ipv6Address ?? '');
  assert.deepEqual(addresses(await create({})), []);
  assert.deepEqual(addresses(await create({ Ipv6Addresses: [{ Ipv6Address: at('A').toUpperCase() }] })), [at('a')]);
  const drawn = addresses(await create({ Ipv6AddressCount: 2 }));
  assert.equal(new Set(drawn).size, 2);
  assert.ok(drawn.every((each) => containsAddress(slash64(1) as '::/64', each)));
  await world.run('ModifySubnetAttribute', { SubnetId, AssignIpv6AddressOnCreation: { Value: true } });
  assert.equal(addresses(await create({})).length, 1);
  assert.equal(addresses(await create({ Ipv6AddressCount: 0 })).length, 0);
  for (const [input, code] of [
    [{ Ipv6Addresses: [{ Ipv6Address: at('a') }] }, 'InvalidIPAddress.InUse'],
    [{ Ipv6Addresses: [{ Ipv6Address: at('3') }] }, 'InvalidParameterValue'],
    [{ Ipv6Addresses: [{ Ipv6Address: at('ffff:ffff:ffff:ffff').replace('::', ':') }] }, 'InvalidParameterValue'],
    [{ Ipv6Addresses: [{ Ipv6Address: '2001:db8::9' }] }, 'InvalidParameterValue'],
    [{ Ipv6Addresses: [{ Ipv6Address: '10.0.1.9' }] }, 'InvalidParameterValue'],
    [{ Ipv6Addresses: [{ Ipv6Address: at('b') }], Ipv6AddressCount: 1 }, 'InvalidParameterCombination'],
  ] as const)
    await assert.rejects(create(input), awsError(code), JSON.stringify(input));
  const found = await world.run<DescribeNetworkInterfacesResult>('DescribeNetworkInterfaces', {
    Filters: [{ Name: 'ipv6-addresses.ipv6-address', Values: [at('a')] }],
  });
  assert.equal(found.NetworkInterfaces?.length, 1);
});

test('IPv6 addresses are assigned and unassigned; a primary one stays', async () => {
  const place = await makePlace();
  const { world, slash64 } = place;
  const SubnetId = await makeDualSubnet(place);
  const made = await world.run<CreateNetworkInterfaceResult>('CreateNetworkInterface', { SubnetId });
  const { NetworkInterfaceId } = made.NetworkInterface ?? {};
  const assign = async (input: object) =>
    (await world.run<AssignIpv6AddressesResult>('AssignIpv6Addresses', { NetworkInterfaceId, ...input }))
      .AssignedIpv6Addresses;
  const unassign = (...Ipv6Addresses: string[]) =>
    world.run('UnassignIpv6Addresses', { NetworkInterfaceId, Ipv6Addresses });
  const primary = () => world.run('ModifyNetworkInterfaceAttribute', { NetworkInterfaceId, EnablePrimaryIpv6: true });
  const at = (host: string) => slash64(1).replace('::/64', `::${host}`);
  await assert.rejects(primary(), awsError('InvalidParameterValue'));
  assert.deepEqual(await assign({ Ipv6Addresses: [at('5')] }), [at('5')]);
  assert.deepEqual(await assign({ Ipv6Addresses: [at('5'), at('6')] }), [at('6')]);
  const [drawn = ''] = (await assign({ Ipv6AddressCount: 1 })) ?? [];
  await assert.rejects(assign({}), awsError('MissingParameter'));
  await assert.rejects(assign({ Ipv6PrefixCount: 1 }), awsError('UnsupportedOperation', /Ipv6PrefixCount/));
  await primary();
  await assert.rejects(unassign(at('5')), awsError('InvalidParameterValue', /primary/));
  await assert.rejects(unassign(at('6'), at('99')), awsError('InvalidParameterValue'));
  await unassign(at('6').toUpperCase(), drawn);
  const shown = await world.run<DescribeNetworkInterfacesResult>('DescribeNetworkInterfaces', {
    NetworkInterfaceIds: [NetworkInterfaceId ?? ''],
  });
  assert.deepEqual(shown.NetworkInterfaces?.[0]?.Ipv6Addresses, [{ Ipv6Address: at('5'), IsPrimaryIpv6: true }]);
});

test('an instance is launched with IPv6 addresses, in both forms of the request', async () => {
  const place = await makePlace();
  const { world, slash64 } = place;
  const SubnetId = await makeDualSubnet(place);
  const at = (host: string) => slash64(1).replace('::/64', `::${host}`);
  const launch = async (input: object) => {
    const made = await world.run<Reservation>('RunInstances', {
      ImageId: 'ami-00000000',
      InstanceType: 't3.micro',
      MinCount: 1,
      MaxCount: 1,
      ...input,
    });
    return made.Instances?.[0];
  };
  const one = await launch({ SubnetId, Ipv6Addresses: [{ Ipv6Address: at('a') }] });
  assert.equal(one?.Ipv6Address, at('a'));
  assert.deepEqual(one?.NetworkInterfaces?.[0]?.Ipv6Addresses, [{ Ipv6Address: at('a'), IsPrimaryIpv6: false }]);
  const two = await launch({
    NetworkInterfaces: [{ DeviceIndex: 0, SubnetId, Ipv6AddressCount: 2, PrimaryIpv6: true }],
  });
  assert.deepEqual(
    two?.NetworkInterfaces?.[0]?.Ipv6Addresses?.map((each) => each.IsPrimaryIpv6),
    [true, false],
  );
  await assert.rejects(launch({ SubnetId, Ipv6AddressCount: 3 }), awsError('PrivateIpAddressLimitExceeded'));
  await assert.rejects(
    launch({ SubnetId, Ipv6Addresses: [{ Ipv6Address: at('b') }], MaxCount: 2 }),
    awsError('InvalidParameterCombination'),
  );
  const plain = await makeSubnet(world, place.VpcId as `vpc-${string}`, '10.0.9.0/24');
  await assert.rejects(launch({ SubnetId: plain, Ipv6AddressCount: 1 }), awsError('InvalidParameterValue'));
  const found = await world.run<DescribeInstancesResult>('DescribeInstances', {
    Filters: [{ Name: 'network-interface.ipv6-addresses.ipv6-address', Values: [at('a')] }],
  });
  assert.deepEqual(
    found.Reservations?.flatMap((each) => each.Instances?.map((it) => it.InstanceId)),
    [one?.InstanceId],
  );
});

test('[R6] an egress-only gateway is made in its VPC, once per token, tagged, found and deleted', async () => {
  const { world, VpcId } = await makePlace();
  const create = (input: object) =>
    world.run<CreateEgressOnlyInternetGatewayResult>('CreateEgressOnlyInternetGateway', { VpcId, ...input });
  const tags = [{ ResourceType: 'egress-only-internet-gateway', Tags: [{ Key: 'Name', Value: 'out' }] }];
  const made = await create({ ClientToken: 't-1', TagSpecifications: tags });
  const id = made.EgressOnlyInternetGateway?.EgressOnlyInternetGatewayId ?? '';
  assert.match(id, /^eigw-[0-9a-f]{17}$/);
  assert.deepEqual(made.EgressOnlyInternetGateway?.Attachments, [{ VpcId, State: 'attached' }]);
  const again = await create({ ClientToken: 't-1', TagSpecifications: tags });
  assert.equal(again.EgressOnlyInternetGateway?.EgressOnlyInternetGatewayId, id);
  await assert.rejects(create({ VpcId: 'vpc-00000000000000000' }), awsError('InvalidVpcID.NotFound'));
  const find = async (input: object) =>
    (await world.run<DescribeEgressOnlyInternetGatewaysResult>('DescribeEgressOnlyInternetGateways', input))
      .EgressOnlyInternetGateways?.length;
  assert.equal(await find({ Filters: [{ Name: 'tag:Name', Values: ['out'] }] }), 1);
  assert.equal(await find({ Filters: [{ Name: 'tag:Name', Values: ['in'] }] }), 0);
  await assert.rejects(world.run('DeleteVpc', { VpcId }), awsError('DependencyViolation'));
  const remove = () => world.run('DeleteEgressOnlyInternetGateway', { EgressOnlyInternetGatewayId: id });
  assert.deepEqual(await remove(), { ReturnCode: true });
  await assert.rejects(remove(), awsError('InvalidEgressOnlyInternetGatewayId.NotFound'));
  await assert.rejects(
    find({ EgressOnlyInternetGatewayIds: ['eigw-x'] }),
    awsError('InvalidEgressOnlyInternetGatewayId.Malformed'),
  );
  await world.run('DeleteVpc', { VpcId });
});

test('[R4] [R5] [R7] [R8] IPv6 routes: to which targets, and to which destinations', async () => {
  const place = await makePlace();
  const { world, VpcId, block, slash64 } = place;
  await makeDualSubnet(place);
  const { RouteTable } = await world.run<{ RouteTable: { RouteTableId: string } }>('CreateRouteTable', { VpcId });
  const { RouteTableId } = RouteTable;
  const make = (vpc: string) =>
    world.run<CreateEgressOnlyInternetGatewayResult>('CreateEgressOnlyInternetGateway', { VpcId: vpc });
  const EgressOnlyInternetGatewayId = (await make(VpcId)).EgressOnlyInternetGateway?.EgressOnlyInternetGatewayId;
  const foreign = (await make(await makeVpc(world))).EgressOnlyInternetGateway?.EgressOnlyInternetGatewayId;
  const GatewayId = await makeGateway(world, VpcId);
  const create = (input: object) => world.run('CreateRoute', { RouteTableId, ...input });
  await create({ DestinationIpv6CidrBlock: '0::0/0', EgressOnlyInternetGatewayId });
  await create({ DestinationIpv6CidrBlock: '2001:DB8:F000::9/48', GatewayId });
  const shown = async () => {
    const answer = await world.run<DescribeRouteTablesResult>('DescribeRouteTables', { RouteTableIds: [RouteTableId] });
    return (answer.RouteTables?.[0]?.Routes ?? [])
      .filter((route) => route.DestinationIpv6CidrBlock)
      .map(
        (route) =>
          `${route.DestinationIpv6CidrBlock} ${route.EgressOnlyInternetGatewayId ?? route.GatewayId} ${route.State}`,
      );
  };
  assert.deepEqual(await shown(), [
    `${block} local active`,
    `::/0 ${EgressOnlyInternetGatewayId} active`,
    `2001:db8:f000::/48 ${GatewayId} active`,
  ]);
  const cases: [object, string, RegExp?][] = [
    [{ DestinationIpv6CidrBlock: '::/0', GatewayId }, 'RouteAlreadyExists', /::\/0/],
    [{ DestinationIpv6CidrBlock: '10.0.0.0/8', GatewayId }, 'InvalidParameterValue', /destinationIpv6CidrBlock/],
    [{ DestinationCidrBlock: '::/1', GatewayId }, 'InvalidParameterValue', /destinationCidrBlock/],
    [{ DestinationCidrBlock: '0.0.0.0/0', EgressOnlyInternetGatewayId }, 'InvalidParameterValue', /IPv6/],
    [{ DestinationIpv6CidrBlock: '2000::/3', EgressOnlyInternetGatewayId: foreign }, 'InvalidParameterValue', /different networks/],
    [{ DestinationIpv6CidrBlock: '2000::/3', EgressOnlyInternetGatewayId: 'eoigw' }, 'InvalidGatewayID.NotFound', /The eigw ID 'eoigw' does not exist/],
    [{ DestinationIpv6CidrBlock: 'fd00:ec2::254/128', GatewayId }, 'InvalidParameterValue', /reserved/],
    [{ DestinationIpv6CidrBlock: slash64(1), GatewayId }, 'InvalidParameterValue', /only an interface or an instance/],
    [{ DestinationIpv6CidrBlock: '::/1', DestinationCidrBlock: '1.0.0.0/8', GatewayId }, 'InvalidParameterCombination'],
  ]; // biome-ignore format: a table
  for (const [input, code, message] of cases)
    await assert.rejects(create(input), awsError(code, message), JSON.stringify(input));
  await world.run('ReplaceRoute', { RouteTableId, DestinationIpv6CidrBlock: '::/0', GatewayId });
  await world.run('ReplaceRoute', { RouteTableId, DestinationIpv6CidrBlock: '::/0', EgressOnlyInternetGatewayId });
  await world.run('DeleteEgressOnlyInternetGateway', { EgressOnlyInternetGatewayId });
  assert.ok((await shown()).includes(`::/0 ${EgressOnlyInternetGatewayId} blackhole`));
  await assert.rejects(
    world.run('DeleteRoute', { RouteTableId, DestinationIpv6CidrBlock: block }),
    awsError('InvalidParameterValue', /local route/),
  );
  await world.run('DeleteRoute', { RouteTableId, DestinationIpv6CidrBlock: '::/0' });
  await assert.rejects(
    world.run('DeleteRoute', { RouteTableId, DestinationIpv6CidrBlock: '::/0' }),
    awsError('InvalidRoute.NotFound', `no route with destination-ipv6-cidr-block ::/0 in route table ${RouteTableId}`),
  );
});

test('[R1] the Snapshot has the rows’ IPv6: blocks, addresses, gateways, routes and rules', async () => {
  const place = await makePlace();
  const { world, VpcId, block, slash64 } = place;
  const SubnetId = await makeDualSubnet(place);
  const at = slash64(1).replace('::/64', '::a');
  await world.run('CreateNetworkInterface', { SubnetId, Ipv6Addresses: [{ Ipv6Address: at }] });
  await world.run('CreateEgressOnlyInternetGateway', { VpcId });
  const vpc = world.store.read((tx) => buildSnapshot(tx, 1)).vpcs.find((each) => each.vpcId === VpcId);
  assert.deepEqual(vpc?.ipv6CidrBlocks, [block]);
  assert.equal(vpc?.egressOnlyInternetGatewayIds.length, 1);
  assert.equal(vpc?.subnets[0]?.ipv6CidrBlock, slash64(1));
  assert.ok(contains(block, slash64(1) as '::/64'));
  assert.deepEqual(vpc?.networkInterfaces[0]?.ipv6Addresses, [at]);
  assert.deepEqual(
    vpc?.networkAcls[0]?.ingress.map((entry) => entry.cidr),
    ['0.0.0.0/0', '::/0'],
  );
  assert.deepEqual(
    vpc?.routeTables[0]?.routes.map((route) => route.destination),
    [
      { kind: 'cidr', cidr: '10.0.0.0/16' },
      { kind: 'cidr', cidr: block },
    ],
  );
});

test('[D6] DNS64 and records of IPv6 need a block of the subnet, which stays while DNS64 is on', async () => {
  const place = await makePlace();
  const { world, VpcId } = place;
  const [dual, plain] = [await makeDualSubnet(place), await makeSubnet(world, VpcId, '10.0.9.0/24')];
  const modify = (SubnetId: string, input: object) => world.run('ModifySubnetAttribute', { SubnetId, ...input });
  const switches = { EnableDns64: 'enable-dns64', EnableResourceNameDnsAAAARecordOnLaunch: 'enable-resource-name-dns-aaaa-record-on-launch' }; // biome-ignore format: two pairs
  for (const [name, word] of Object.entries(switches)) {
    const message = `Invalid value 'true' for ${word}. Cannot set ${word} to true unless the subnet (${plain}) has an IPv6 CIDR block associated with it.`;
    await assert.rejects(modify(plain, { [name]: { Value: true } }), awsError('InvalidParameterValue', message));
    await modify(plain, { [name]: { Value: false } });
    await modify(dual, { [name]: { Value: true } });
  }
  assert.equal((await subnetOf(world, dual))?.EnableDns64, true);
  const ids = async (value: string) => {
    const Filters = [{ Name: 'enable-dns64', Values: [value] }, { Name: 'vpc-id', Values: [VpcId] }]; // biome-ignore format: two filters
    const { Subnets } = await world.run<DescribeSubnetsResult>('DescribeSubnets', { Filters });
    return Subnets?.map((each) => each.SubnetId);
  };
  assert.deepEqual([await ids('true'), await ids('false')], [[dual], [plain]]);
  const inSnapshot = world.store.read((tx) => buildSnapshot(tx, 1)).vpcs.flatMap((vpc) => vpc.subnets);
  assert.deepEqual(
    inSnapshot.flatMap((each) => (each.enableDns64 ? [each.subnetId] : [])),
    [dual],
  );
  const AssociationId = (await subnetOf(world, dual))?.Ipv6CidrBlockAssociationSet?.[0]?.AssociationId;
  const disassociate = () => world.run('DisassociateSubnetCidrBlock', { AssociationId });
  await assert.rejects(disassociate(), awsError('InvalidCidrBlock.InUse', /enable-dns64/));
  await modify(dual, { EnableDns64: { Value: false } });
  await disassociate();
});
