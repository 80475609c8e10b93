// Interface endpoints by the API: rows, names, interfaces, and every mistake that the calls know.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import type {
  CreateVpcEndpointResult,
  DeleteVpcEndpointsResult,
  DescribeNetworkInterfacesResult,
  DescribeVpcEndpointsResult,
  VpcEndpoint,
} from '@aws-sdk/client-ec2';
import { awsError } from '../../testing.ts';
import { makeGateway, makeGroup, makeVpc, makeWorld } from './testing.ts';

const sts = 'com.amazonaws.us-east-1.sts';
const s3 = 'com.amazonaws.us-east-1.s3';

async function makePlace(hostnames = true) {
  const world = makeWorld();
  const VpcId = await makeVpc(world);
  if (hostnames) await world.run('ModifyVpcAttribute', { VpcId, EnableDnsHostnames: { Value: true } });
  const subnet = async (CidrBlock: string, AvailabilityZone: string, vpc: string = VpcId) => {
    const made = await world.run<{ Subnet: { SubnetId: string } }>('CreateSubnet', {
      VpcId: vpc,
      CidrBlock,
      AvailabilityZone,
    });
    return made.Subnet.SubnetId;
  };
  const a = await subnet('10.0.0.0/24', 'us-east-1a');
  const b = await subnet('10.0.1.0/24', 'us-east-1b');
  const create = async (input: object = {}): Promise<VpcEndpoint> => {
    const made = await world.run<CreateVpcEndpointResult>('CreateVpcEndpoint', {
      VpcId,
      ServiceName: sts,
      VpcEndpointType: 'Interface',
      ...input,
    });
    assert.ok(made.VpcEndpoint);
    return made.VpcEndpoint;
  };
  const shown = async (id: string | undefined): Promise<VpcEndpoint> => {
    const found = await world.run<DescribeVpcEndpointsResult>('DescribeVpcEndpoints', { VpcEndpointIds: [id] });
    assert.ok(found.VpcEndpoints?.[0]);
    return found.VpcEndpoints[0];
  };
  const modify = (VpcEndpointId: string | undefined, input: object) =>
    world.run('ModifyVpcEndpoint', { VpcEndpointId, ...input });
  const interfaces = async (NetworkInterfaceIds: readonly string[] | undefined) =>
    (await world.run<DescribeNetworkInterfacesResult>('DescribeNetworkInterfaces', { NetworkInterfaceIds }))
      .NetworkInterfaces ?? [];
  return { world, VpcId, subnet, a, b, create, shown, modify, interfaces };
}

test('[X1] [X2] [X4] one managed interface per subnet, the default group, regional and zonal names, the private name', async () => {
  const { create, shown, interfaces, a, b } = await makePlace();
  const made = await create({ SubnetIds: [a, b] });
  assert.deepEqual([made.State, made.VpcEndpointType, made.PrivateDnsEnabled], ['pending', 'Interface', true]);
  const now = await shown(made.VpcEndpointId);
  assert.deepEqual({ ...now, State: 'pending' }, made);
  assert.equal(now.State, 'available');
  assert.deepEqual([now.SubnetIds, now.RouteTableIds], [[a, b], []]);
  assert.deepEqual(
    now.Groups?.map((one) => one.GroupName),
    ['default'],
  );
  const names = now.DnsEntries?.map((one) => one.DnsName ?? '') ?? [];
  const label = names[0]?.split('.')[0]?.slice(`${now.VpcEndpointId}-`.length);
  assert.match(label ?? '', /^[a-z0-9]{8}$/);
  assert.deepEqual(names, [
    `${now.VpcEndpointId}-${label}.sts.us-east-1.vpce.amazonaws.com`,
    `${now.VpcEndpointId}-${label}-us-east-1a.sts.us-east-1.vpce.amazonaws.com`,
    `${now.VpcEndpointId}-${label}-us-east-1b.sts.us-east-1.vpce.amazonaws.com`,
    'sts.us-east-1.amazonaws.com',
  ]);
  const enis = await interfaces(now.NetworkInterfaceIds);
  assert.deepEqual(
    enis.map((one) => [one.InterfaceType, one.RequesterManaged, one.Status, one.Description, one.PrivateIpAddress]),
    ['10.0.0.4', '10.0.1.4'].map((address) => [
      'vpc_endpoint',
      true,
      'in-use',
      `VPC Endpoint Interface ${now.VpcEndpointId}`,
      address,
    ]),
  );
  assert.deepEqual(
    [enis[0]?.Attachment?.InstanceOwnerId, enis[0]?.Attachment?.InstanceId, enis[0]?.RequesterId?.length],
    ['amazon-aws', undefined, 12],
  );
});

test('[X1] two subnets of one zone are refused, and nothing of the endpoint is left', async () => {
  const { world, create, subnet, a } = await makePlace();
  const c = await subnet('10.0.2.0/24', 'us-east-1a');
  await assert.rejects(
    create({ SubnetIds: [a, c] }),
    awsError(
      'DuplicateSubnetsInSameZone',
      `Found another VPC endpoint subnet in the availability zone of ${c}. VPC endpoint subnets should be in different availability zones supported by the VPC endpoint service.`,
    ),
  );
  const { VpcEndpoints } = await world.run<DescribeVpcEndpointsResult>('DescribeVpcEndpoints');
  assert.deepEqual(VpcEndpoints, []);
  assert.deepEqual(
    (await world.run<DescribeNetworkInterfacesResult>('DescribeNetworkInterfaces')).NetworkInterfaces,
    [],
  );
});

test('an address can be chosen, and must be free and inside its subnet', async () => {
  const { create, interfaces, modify, shown, a, b } = await makePlace();
  const at = (Ipv4: string, SubnetId = a) => ({ SubnetIds: [a], SubnetConfigurations: [{ SubnetId, Ipv4 }] });
  const made = await create(at('10.0.0.77'));
  assert.equal((await interfaces(made.NetworkInterfaceIds))[0]?.PrivateIpAddress, '10.0.0.77');
  const other = { ServiceName: 'com.amazonaws.us-east-1.ec2' };
  await assert.rejects(create({ ...other, ...at('10.0.0.77') }), awsError('InvalidIPAddress.InUse'));
  await assert.rejects(create({ ...other, ...at('10.0.0.3') }), awsError('InvalidParameterValue'));
  await assert.rejects(create({ ...other, ...at('10.0.1.9') }), awsError('InvalidParameterValue'));
  const ipv6 = { SubnetIds: [a], SubnetConfigurations: [{ SubnetId: a, Ipv6: '2600::1' }] };
  await assert.rejects(create({ ...other, ...ipv6 }), awsError('UnsupportedOperation', /Ipv6/));
  await modify(made.VpcEndpointId, {
    AddSubnetIds: [b],
    SubnetConfigurations: [
      { SubnetId: b, Ipv4: '10.0.1.88' },
      { SubnetId: a, Ipv4: '10.0.0.78' },
    ],
  });
  const now = await interfaces((await shown(made.VpcEndpointId)).NetworkInterfaceIds);
  assert.deepEqual(
    now.map((one) => one.PrivateIpAddress),
    ['10.0.0.78', '10.0.1.88'],
  );
});

test('[X5] private DNS needs both attributes of the VPC, and a name once per VPC', async () => {
  const { VpcId, world, create, modify, shown } = await makePlace(false);
  await assert.rejects(
    create(),
    awsError(
      'InvalidParameter',
      `Enabling private DNS requires both enableDnsSupport and enableDnsHostnames VPC attributes set to true for ${VpcId}`,
    ),
  );
  const first = await create({ PrivateDnsEnabled: false });
  await assert.rejects(modify(first.VpcEndpointId, { PrivateDnsEnabled: true }), awsError('InvalidParameter'));
  await world.run('ModifyVpcAttribute', { VpcId, EnableDnsHostnames: { Value: true } });
  await modify(first.VpcEndpointId, { PrivateDnsEnabled: true });
  const conflict = awsError(
    'InvalidParameter',
    `private-dns-enabled cannot be set because there is already a conflicting DNS domain for sts.us-east-1.amazonaws.com in the VPC ${VpcId}`,
  );
  await assert.rejects(create(), conflict);
  const second = await create({ PrivateDnsEnabled: false });
  await assert.rejects(modify(second.VpcEndpointId, { PrivateDnsEnabled: true }), conflict);
  await modify(first.VpcEndpointId, { PrivateDnsEnabled: false });
  await modify(second.VpcEndpointId, { PrivateDnsEnabled: true });
  assert.equal((await shown(first.VpcEndpointId)).PrivateDnsEnabled, false);
  await assert.rejects(
    create({ ServiceName: 'com.amazonaws.us-east-1.transfer.server', PrivateDnsEnabled: true }),
    awsError('InvalidParameter', /does not provide a private DNS name/),
  );
  const without = await create({ ServiceName: 'com.amazonaws.us-east-1.transfer.server' });
  assert.equal(without.PrivateDnsEnabled, false);
});

test('[X8] S3’s public name stays S3’s unless asked, and inbound only needs a gateway endpoint', async () => {
  const { VpcId, world, create, modify, shown } = await makePlace();
  const plain = await create({ ServiceName: s3 });
  assert.deepEqual(
    [plain.PrivateDnsEnabled, plain.DnsOptions],
    [false, { DnsRecordIpType: 'ipv4', PrivateDnsOnlyForInboundResolverEndpoint: false }],
  );
  assert.match(
    plain.DnsEntries?.[0]?.DnsName ?? '',
    /^\*\.vpce-[0-9a-f]+-[a-z0-9]{8}\.s3\.us-east-1\.vpce\.amazonaws\.com$/,
  );
  const needsGateway = awsError(
    'InvalidParameter',
    `To set PrivateDnsOnlyForInboundResolverEndpoint to true, the VPC ${VpcId} must have a Gateway endpoint for the service.`,
  );
  await assert.rejects(modify(plain.VpcEndpointId, { PrivateDnsEnabled: true }), needsGateway);
  const gateway = await world.run<CreateVpcEndpointResult>('CreateVpcEndpoint', { VpcId, ServiceName: s3 });
  const gatewayId = gateway.VpcEndpoint?.VpcEndpointId;
  await modify(plain.VpcEndpointId, { PrivateDnsEnabled: true });
  const remove = async () =>
    (await world.run<DeleteVpcEndpointsResult>('DeleteVpcEndpoints', { VpcEndpointIds: [gatewayId] })).Unsuccessful;
  const leansOn = `Gateway endpoint cannot be deleted while Interface endpoint ${plain.VpcEndpointId} for the service has PrivateDnsOnlyForInboundResolverEndpoint set to true.`;
  assert.deepEqual(await remove(), [{ ResourceId: gatewayId, Error: { Code: 'InvalidParameter', Message: leansOn } }]);
  assert.equal((await shown(plain.VpcEndpointId)).DnsOptions?.PrivateDnsOnlyForInboundResolverEndpoint, true);
  const everyone = { DnsOptions: { PrivateDnsOnlyForInboundResolverEndpoint: false } };
  await modify(plain.VpcEndpointId, everyone);
  assert.equal((await shown(plain.VpcEndpointId)).DnsOptions?.PrivateDnsOnlyForInboundResolverEndpoint, false);
  const only = { DnsOptions: { PrivateDnsOnlyForInboundResolverEndpoint: true } };
  await assert.rejects(create(only), awsError('InvalidParameter', /both Gateway and Interface/));
  await assert.rejects(
    create({ ServiceName: s3, ...only }),
    awsError('InvalidParameter', /private DNS is not enabled/),
  );
  await assert.rejects(
    world.run('CreateVpcEndpoint', { VpcId, ServiceName: s3, ...only }),
    awsError(
      'InvalidParameter',
      'DnsOptions PrivateDnsOnlyForInboundResolverEndpoint is applicable only to Interface VPC Endpoints.',
    ),
  );
  assert.deepEqual(await remove(), []);
});

test('ModifyVpcEndpoint adds and removes subnets and groups at every interface', async () => {
  const { world, VpcId, create, modify, shown, interfaces, subnet, a, b } = await makePlace();
  const [web, app] = [await makeGroup(world, VpcId, 'web'), await makeGroup(world, VpcId, 'app')];
  const { VpcEndpointId } = await create({ SubnetIds: [a], SecurityGroupIds: [web] });
  await modify(VpcEndpointId, { AddSubnetIds: [b], AddSecurityGroupIds: [app], RemoveSecurityGroupIds: [web] });
  const both = await shown(VpcEndpointId);
  const groups = async (ids: readonly string[] | undefined) =>
    (await interfaces(ids)).map((one) => one.Groups?.map((group) => group.GroupId));
  assert.deepEqual(await groups(both.NetworkInterfaceIds), [[app], [app]]);
  await modify(VpcEndpointId, { RemoveSubnetIds: [a] });
  assert.deepEqual((await shown(VpcEndpointId)).SubnetIds, [b]);
  await assert.rejects(
    interfaces([both.NetworkInterfaceIds?.[0] ?? '']),
    awsError('InvalidNetworkInterfaceID.NotFound'),
  );
  // Out of a zone and into it again in one call.
  const b2 = await subnet('10.0.3.0/24', 'us-east-1b');
  await modify(VpcEndpointId, { AddSubnetIds: [b2], RemoveSubnetIds: [b] });
  assert.deepEqual((await shown(VpcEndpointId)).SubnetIds, [b2]);
  const refusals: [object, string][] = [
    [{ AddSubnetIds: [b] }, 'DuplicateSubnetsInSameZone'],
    [{ RemoveSubnetIds: [a] }, 'InvalidParameter'],
    [{ AddSubnetIds: ['subnet-00000000'] }, 'InvalidSubnetID.NotFound'],
    [{ RemoveSecurityGroupIds: [web] }, 'InvalidParameter'],
    [{ RemoveSecurityGroupIds: [app] }, 'InvalidParameter'],
    [{ AddSecurityGroupIds: ['sg-00000000'] }, 'InvalidGroup.NotFound'],
    [{ AddRouteTableIds: ['rtb-00000000'] }, 'InvalidParameter'],
    [{ IpAddressType: 'dualstack' }, 'UnsupportedOperation'],
    [{ DnsOptions: { DnsRecordIpType: 'ipv6' } }, 'UnsupportedOperation'],
    [{ PolicyDocument: 'nonsense' }, 'InvalidPolicyDocument'],
  ];
  for (const [input, code] of refusals) await assert.rejects(modify(VpcEndpointId, input), awsError(code), code);
  const foreign = await makeVpc(world, '10.5.0.0/16');
  const elsewhere = await subnet('10.5.0.0/24', 'us-east-1c', foreign);
  await assert.rejects(modify(VpcEndpointId, { AddSubnetIds: [elsewhere] }), awsError('InvalidParameter'));
  const theirs = await makeGroup(world, foreign, 'theirs');
  await assert.rejects(modify(VpcEndpointId, { AddSecurityGroupIds: [theirs] }), awsError('InvalidParameter'));
});

test('[W10] [X7] a policy is kept and reset, where the service has policies at all', async () => {
  const { create, modify, shown } = await makePlace();
  const policy = '{"Statement":[{"Effect":"Allow","Principal":{"AWS":"*"},"Action":"sts:*","Resource":"*"}]}';
  const { VpcEndpointId } = await create({ PolicyDocument: policy });
  assert.equal((await shown(VpcEndpointId)).PolicyDocument, policy);
  await modify(VpcEndpointId, { ResetPolicy: true });
  const everything = { Statement: [{ Action: '*', Effect: 'Allow', Principal: '*', Resource: '*' }] };
  assert.deepEqual(JSON.parse((await shown(VpcEndpointId)).PolicyDocument ?? ''), everything);
  await assert.rejects(
    create({ ServiceName: 'com.amazonaws.us-east-1.email-smtp', PolicyDocument: policy }),
    awsError('InvalidParameter', /endpoint policies/),
  );
});

test('the interfaces are AWS’s to manage', async () => {
  const { world, VpcId, create, interfaces, a } = await makePlace();
  await makeGateway(world, VpcId);
  const { NetworkInterfaceIds, VpcEndpointId } = await create({ SubnetIds: [a] });
  const NetworkInterfaceId = NetworkInterfaceIds?.[0];
  const [eni] = await interfaces(NetworkInterfaceIds);
  const AttachmentId = eni?.Attachment?.AttachmentId;
  const forbidden = awsError('AuthFailure', 'You do not have permission to access the specified resource.');
  await assert.rejects(
    world.run('DeleteNetworkInterface', { NetworkInterfaceId }),
    awsError('InvalidParameterValue', /currently in use/),
  );
  await assert.rejects(
    world.run('DetachNetworkInterface', { AttachmentId }),
    awsError('OperationNotPermitted', /ela-attach/),
  );
  for (const [name, input] of [
    ['ModifyNetworkInterfaceAttribute', { SourceDestCheck: { Value: false } }],
    ['ModifyNetworkInterfaceAttribute', { Groups: ['sg-00000000'] }],
    ['ResetNetworkInterfaceAttribute', { SourceDestCheck: 'x' }],
    ['AssignPrivateIpAddresses', { SecondaryPrivateIpAddressCount: 1 }],
    ['UnassignPrivateIpAddresses', { PrivateIpAddresses: ['10.0.0.4'] }],
  ] as const)
    await assert.rejects(world.run(name, { NetworkInterfaceId, ...input }), forbidden, name);
  const { AllocationId } = await world.run<{ AllocationId: string }>('AllocateAddress');
  await assert.rejects(world.run('AssociateAddress', { AllocationId, NetworkInterfaceId }), forbidden);
  await world.run('DeleteVpcEndpoints', { VpcEndpointIds: [VpcEndpointId] });
  await assert.rejects(interfaces(NetworkInterfaceIds), awsError('InvalidNetworkInterfaceID.NotFound'));
});

test('[V4] in a subnet of another account there can be no endpoint, whoever’s VPC is named', async () => {
  const { world, VpcId, a } = await makePlace();
  const stranger = { accountId: '210987654321' };
  const own = await world.run<{ Vpc: { VpcId: string } }>('CreateVpc', { CidrBlock: '10.0.0.0/16' }, stranger);
  const create = (vpc: string) =>
    world.run(
      'CreateVpcEndpoint',
      { VpcId: vpc, VpcEndpointType: 'Interface', ServiceName: sts, PrivateDnsEnabled: false, SubnetIds: [a] },
      stranger,
    );
  await assert.rejects(create(own.Vpc.VpcId), awsError('InvalidSubnetID.NotFound'));
  await assert.rejects(create(VpcId), awsError('InvalidVpcID.NotFound'));
});

test('[V5] what an endpoint uses stays until the endpoint is gone', async () => {
  const { world, VpcId, create, a, b } = await makePlace();
  const group = await makeGroup(world, VpcId, 'door');
  const { VpcEndpointId } = await create({ SubnetIds: [a], SecurityGroupIds: [group] });
  const wide = await create({ ServiceName: 'com.amazonaws.us-east-1.ec2', SecurityGroupIds: [group] });
  const inUse = awsError('DependencyViolation');
  await assert.rejects(world.run('DeleteSubnet', { SubnetId: a }), inUse);
  await assert.rejects(world.run('DeleteSecurityGroup', { GroupId: group }), inUse);
  await assert.rejects(world.run('DeleteVpc', { VpcId }), inUse);
  await world.run('DeleteVpcEndpoints', { VpcEndpointIds: [VpcEndpointId] });
  await world.run('DeleteSubnet', { SubnetId: a });
  // Without a subnet it has no interface, and its group is its own all the same.
  await assert.rejects(world.run('DeleteSecurityGroup', { GroupId: group }), inUse);
  await world.run('DeleteVpcEndpoints', { VpcEndpointIds: [wide.VpcEndpointId] });
  await world.run('DeleteSecurityGroup', { GroupId: group });
  await world.run('DeleteSubnet', { SubnetId: b });
  await world.run('DeleteVpc', { VpcId });
});

test('tokens, tags, filters and what is refused by name', async () => {
  const { world, create, a } = await makePlace();
  const TagSpecifications = [{ ResourceType: 'vpc-endpoint', Tags: [{ Key: 'Name', Value: 'door' }] }];
  const first = await create({ ClientToken: 'x', SubnetIds: [a], TagSpecifications });
  assert.equal(
    (await create({ ClientToken: 'x', SubnetIds: [a], TagSpecifications })).VpcEndpointId,
    first.VpcEndpointId,
  );
  await assert.rejects(create({ ClientToken: 'x' }), awsError('IdempotentParameterMismatch'));
  const found = async (Name: string, value: string) =>
    (await world.run<DescribeVpcEndpointsResult>('DescribeVpcEndpoints', { Filters: [{ Name, Values: [value] }] }))
      .VpcEndpoints?.length;
  assert.deepEqual(
    [await found('vpc-endpoint-type', 'Interface'), await found('vpc-endpoint-type', 'Gateway')],
    [1, 0],
  );
  assert.deepEqual([await found('tag:Name', 'door'), await found('vpc-endpoint-state', 'available')], [1, 1]);
  await assert.rejects(create({ DryRun: true, PrivateDnsEnabled: false }), awsError('DryRunOperation'));
  const refusals: [object, string | RegExp][] = [
    [{ ServiceRegion: 'eu-west-1' }, /ServiceRegion/],
    [{ IpAddressType: 'ipv6' }, /IpAddressType/],
    [{ DnsOptions: { DnsRecordIpType: 'dualstack' } }, /DnsRecordIpType/],
  ];
  for (const [input, message] of refusals)
    await assert.rejects(create({ PrivateDnsEnabled: false, ...input }), awsError('UnsupportedOperation', message));
  await assert.rejects(create({ RouteTableIds: ['rtb-1'] }), awsError('InvalidParameter', /Gateway type/));
  await assert.rejects(create({ ServiceName: 'com.amazonaws.us-east-1.nothing' }), awsError('InvalidServiceName'));
  await assert.rejects(create({ ServiceName: 'com.amazonaws.eu-west-1.sts' }), awsError('InvalidServiceName'));
  const iam = await create({ ServiceName: 'com.amazonaws.iam' });
  assert.equal(iam.DnsEntries?.at(-1)?.DnsName, 'iam.amazonaws.com');
});
