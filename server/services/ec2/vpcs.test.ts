import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { CreateVpcResult, DescribeVpcsResult, Vpc } from '@aws-sdk/client-ec2';
import { awsError, makeStore, runOperation, testAccountId, testNow } from '../../testing.ts';
import { ensureRegion } from './default-vpc.ts';
import { ec2 } from './index.ts';
import { makeGateway, makeGroup, makeRouteTable, makeSubnet, makeVpc, makeWorld } from './testing.ts';

const missing = 'vpc-00000000000000000';

test('[C1] a VPC block has a prefix length of 16 to 28', async () => {
  const world = makeWorld();
  for (const cidr of ['10.0.0.0/16', '10.0.0.0/28']) assert.ok(await makeVpc(world, cidr));
  for (const cidr of ['10.0.0.0/15', '10.0.0.0/29', '10.0.0.0/0'])
    await assert.rejects(makeVpc(world, cidr), awsError('InvalidVpc.Range', `The CIDR '${cidr}' is invalid.`));
});

test('[C1] text that is no CIDR is InvalidParameterValue', async () => {
  const world = makeWorld();
  for (const cidr of ['10.0.0.0', '10.0.0/16', '10.0.0.256/16', '10.0.0.0/33', 'x', '2001:db8::/32'])
    await assert.rejects(
      makeVpc(world, cidr),
      awsError(
        'InvalidParameterValue',
        `Value (${cidr}) for parameter cidrBlock is invalid. This is not a valid CIDR block.`,
      ),
    );
  await assert.rejects(
    world.run('CreateVpc'),
    awsError('MissingParameter', "Either 'cidrBlock' or 'ipv4IpamPoolId' should be provided."),
  );
});

test('[C2] host bits of a VPC block are cleared', async () => {
  const world = makeWorld();
  const { Vpc } = await world.run<CreateVpcResult>('CreateVpc', { CidrBlock: '100.68.0.18/18' });
  assert.equal(Vpc?.CidrBlock, '100.68.0.0/18');
  assert.equal(Vpc?.State, 'pending');
});

test('[C3] this network, loopback, link-local and multicast are no VPC blocks, Docker’s range is one', async () => {
  const world = makeWorld();
  for (const cidr of ['0.1.0.0/16', '127.0.0.0/16', '169.254.0.0/16', '169.254.9.0/24', '224.0.0.0/16'])
    await assert.rejects(makeVpc(world, cidr), awsError('InvalidVpc.Range'));
  assert.ok(await makeVpc(world, '172.17.0.0/16'));
});

test('[C5] two VPCs may have the same block', async () => {
  const world = makeWorld();
  assert.notEqual(await makeVpc(world, '10.0.0.0/16'), await makeVpc(world, '10.0.0.0/16'));
});

test('[R3] [N2] [S3] a VPC comes with a main route table, a default ACL and a default security group', async () => {
  const world = makeWorld();
  const VpcId = await makeVpc(world);
  const Filters = [{ Name: 'vpc-id', Values: [VpcId] }];
  const tables = await world.run<{ RouteTables: object[] }>('DescribeRouteTables', { Filters });
  const acls = await world.run<{ NetworkAcls: object[] }>('DescribeNetworkAcls', { Filters });
  const groups = await world.run<{ SecurityGroups: { GroupName: string }[] }>('DescribeSecurityGroups', { Filters });
  assert.equal(tables.RouteTables.length, 1);
  assert.equal(acls.NetworkAcls.length, 1);
  assert.deepEqual(
    groups.SecurityGroups.map((group) => group.GroupName),
    ['default'],
  );
});

test('deleting a VPC takes what came with it and leaves no row', async () => {
  const world = makeWorld();
  const rows = () =>
    world.store.read((tx) =>
      (['vpc', 'route-table', 'network-acl', 'security-group', 'security-group-rule'] as const).map(
        (kind) => tx.list(kind).length,
      ),
    );
  const before = rows();
  const VpcId = await makeVpc(world);
  await world.run('DeleteVpc', { VpcId });
  assert.deepEqual(rows(), before);
  await assert.rejects(
    world.run('DeleteVpc', { VpcId }),
    awsError('InvalidVpcID.NotFound', `The vpc ID '${VpcId}' does not exist`),
  );
});

test('a VPC with a subnet, gateway, table, group, ACL or endpoint is not deleted', async () => {
  const world = makeWorld();
  const makers: ((vpcId: string) => Promise<unknown>)[] = [
    (vpcId) => makeSubnet(world, vpcId),
    (vpcId) => makeGateway(world, vpcId),
    (vpcId) => makeRouteTable(world, vpcId),
    (vpcId) => makeGroup(world, vpcId),
    (VpcId) => world.run('CreateNetworkAcl', { VpcId }),
    (VpcId) => world.run('CreateVpcEndpoint', { VpcId, ServiceName: 'com.amazonaws.us-east-1.s3' }),
  ];
  for (const make of makers) {
    const VpcId = await makeVpc(world);
    await make(VpcId);
    const violation = awsError('DependencyViolation', `The vpc '${VpcId}' has dependencies and cannot be deleted.`);
    await assert.rejects(world.run('DeleteVpc', { VpcId }), violation);
  }
});

test('[D1] DNS support is on at first, hostnames only in the default VPC', async () => {
  const world = makeWorld();
  const { Vpcs = [] } = await world.run<DescribeVpcsResult>('DescribeVpcs');
  const attribute = async (VpcId: string | undefined, Attribute: string) =>
    world.run<Record<string, unknown>>('DescribeVpcAttribute', { VpcId, Attribute });
  const VpcId = await makeVpc(world);
  assert.deepEqual(await attribute(VpcId, 'enableDnsSupport'), { VpcId, EnableDnsSupport: { Value: true } });
  assert.deepEqual(await attribute(VpcId, 'enableDnsHostnames'), { VpcId, EnableDnsHostnames: { Value: false } });
  const first = Vpcs[0]?.VpcId;
  assert.deepEqual(await attribute(first, 'enableDnsHostnames'), { VpcId: first, EnableDnsHostnames: { Value: true } });
  await assert.rejects(attribute(VpcId, 'colour'), awsError('InvalidParameterValue'));
});

test('[D5] one attribute is changed per call, and hostnames need DNS support', async () => {
  const world = makeWorld();
  const VpcId = await makeVpc(world);
  const [on, off] = [{ Value: true }, { Value: false }];
  await assert.rejects(
    world.run('ModifyVpcAttribute', { VpcId, EnableDnsSupport: on, EnableDnsHostnames: on }),
    awsError('InvalidParameterCombination', 'Fields for multiple attribute types specified'),
  );
  await world.run('ModifyVpcAttribute', { VpcId, EnableDnsSupport: off });
  await assert.rejects(
    world.run('ModifyVpcAttribute', { VpcId, EnableDnsHostnames: on }),
    awsError('InvalidParameterCombination'),
  );
  await world.run('ModifyVpcAttribute', { VpcId, EnableDnsSupport: on });
  await world.run('ModifyVpcAttribute', { VpcId, EnableDnsHostnames: on });
  const shown = await world.run('DescribeVpcAttribute', { VpcId, Attribute: 'enableDnsHostnames' });
  assert.deepEqual(shown, { VpcId, EnableDnsHostnames: on });
});

test('a customer’s IPv6 blocks and IPAM are refused by name, never ignored', async () => {
  const world = makeWorld();
  await assert.rejects(
    world.run('CreateVpc', { CidrBlock: '10.0.0.0/16', Ipv6Pool: 'ipv6pool-1', Ipv6CidrBlock: '2001:db8::/56' }),
    awsError('UnsupportedOperation', /Ipv6Pool/),
  );
  await assert.rejects(
    world.run('CreateVpc', { CidrBlock: '10.0.0.0/16', VpcEncryptionControl: { Mode: 'enforce' } }),
    awsError('UnsupportedOperation', /VpcEncryptionControl/),
  );
  await world.run('CreateVpc', { CidrBlock: '10.0.0.0/16', AmazonProvidedIpv6CidrBlock: false });
});

test('ids are checked for their form, their existence and their owner', async () => {
  const world = makeWorld();
  await assert.rejects(
    world.run('DescribeVpcs', { VpcIds: ['nonsense'] }),
    awsError('InvalidVpcID.Malformed', 'Invalid id: "nonsense" (expecting "vpc-...")'),
  );
  await assert.rejects(
    world.run('DescribeVpcs', { VpcIds: [missing] }),
    awsError('InvalidVpcID.NotFound', `The vpc ID '${missing}' does not exist`),
  );
  const VpcId = await makeVpc(world);
  await assert.rejects(
    world.run('DescribeVpcs', { VpcIds: [VpcId] }, { accountId: '999999999999' }),
    awsError('InvalidVpcID.NotFound'),
  );
  await assert.rejects(world.run('DeleteVpc', { VpcId }, { region: 'eu-west-1' }), awsError('InvalidVpcID.NotFound'));
});

test('a dry run answers DryRunOperation with 412, writes nothing and still sees mistakes', async () => {
  const world = makeWorld();
  const revision = world.store.revision;
  await assert.rejects(
    world.run('CreateVpc', { CidrBlock: '10.0.0.0/16', DryRun: true }),
    (error: { code: string; status: number; message: string }) => {
      assert.deepEqual([error.code, error.status], ['DryRunOperation', 412]);
      assert.equal(error.message, 'Request would have succeeded, but DryRun flag is set.');
      return true;
    },
  );
  assert.equal(world.store.revision, revision);
  await assert.rejects(world.run('DescribeVpcs', { DryRun: true }), awsError('DryRunOperation'));
  await assert.rejects(world.run('CreateVpc', { CidrBlock: 'x', DryRun: true }), awsError('InvalidParameterValue'));
});

test('a sixth VPC is refused with AWS’s quotas only', async () => {
  const world = makeWorld();
  const aws = { settings: { auth: 'strict', strictImages: false, quotas: 'aws', dataDirectory: '/' } } as const;
  for (let index = 0; index < 4; index += 1) await world.run('CreateVpc', { CidrBlock: '10.0.0.0/16' }, aws);
  await assert.rejects(
    world.run('CreateVpc', { CidrBlock: '10.0.0.0/16' }, aws),
    awsError('VpcLimitExceeded', 'The maximum number of VPCs has been reached.'),
  );
  assert.ok(await makeVpc(world));
});

test('the default VPC has a subnet per zone, a gateway, a route to it and the region’s DHCP options', async () => {
  const world = makeWorld();
  const { Vpcs = [] } = await world.run<DescribeVpcsResult>('DescribeVpcs', {
    Filters: [{ Name: 'is-default', Values: ['true'] }],
  });
  const [vpc] = Vpcs;
  assert.equal(vpc?.CidrBlock, '172.31.0.0/16');
  const Filters = [{ Name: 'vpc-id', Values: [vpc?.VpcId] }];
  const { Subnets } = await world.run<{ Subnets: Record<string, unknown>[] }>('DescribeSubnets', { Filters });
  assert.equal(Subnets.length, 6);
  assert.deepEqual(
    Subnets.slice(0, 2).map((one) => [
      one.CidrBlock,
      one.AvailabilityZone,
      one.AvailabilityZoneId,
      one.AvailableIpAddressCount,
      one.MapPublicIpOnLaunch,
      one.DefaultForAz,
    ]),
    [
      ['172.31.0.0/20', 'us-east-1a', 'use1-az1', 4091, true, true],
      ['172.31.16.0/20', 'us-east-1b', 'use1-az2', 4091, true, true],
    ],
  );
  const { RouteTables } = await world.run<{
    RouteTables: { Routes: { DestinationCidrBlock: string; State: string }[] }[];
  }>('DescribeRouteTables', { Filters });
  assert.deepEqual(
    RouteTables[0]?.Routes.map((route) => [route.DestinationCidrBlock, route.State]),
    [
      ['172.31.0.0/16', 'active'],
      ['0.0.0.0/0', 'active'],
    ],
  );
  const { DhcpOptions } = await world.run<{ DhcpOptions: { DhcpOptionsId: string; DhcpConfigurations: unknown[] }[] }>(
    'DescribeDhcpOptions',
  );
  assert.equal(DhcpOptions[0]?.DhcpOptionsId, vpc?.DhcpOptionsId);
  assert.deepEqual(DhcpOptions[0]?.DhcpConfigurations, [
    { Key: 'domain-name', Values: [{ Value: 'ec2.internal' }] },
    { Key: 'domain-name-servers', Values: [{ Value: 'AmazonProvidedDNS' }] },
  ]);
});

test('the default VPC is the same in every new cloud, made once, and its deletion is remembered', async () => {
  const ids = [];
  for (let cloud = 0; cloud < 2; cloud += 1) {
    const store = makeStore();
    const ensure = () => store.transact((tx) => ensureRegion(tx, testAccountId, 'eu-west-1', testNow)).value;
    assert.equal(ensure(), true);
    assert.equal(ensure(), false);
    ids.push(
      store.read((tx) =>
        [...tx.list('vpc'), ...tx.list('subnet'), ...tx.list('internet-gateway'), ...tx.list('security-group')].map(
          (row) => row.id,
        ),
      ),
    );
    store.transact((tx) => {
      for (const row of tx.list('vpc')) tx.delete('vpc', row.id);
    });
    assert.equal(ensure(), false);
    assert.equal(
      store.read((tx) => tx.list('vpc').length),
      0,
    );
  }
  assert.deepEqual(ids[0], ids[1]);
  assert.equal(new Set(ids[0]).size, ids[0]?.length);
});

test('CreateDefaultVpc makes one only when there is none', async () => {
  const store = makeStore();
  const run = (name: string, input: unknown = {}) => runOperation<{ Vpc: Vpc }>(store, ec2, name, input);
  const { Vpc } = await run('CreateDefaultVpc');
  assert.equal(Vpc.IsDefault, true);
  await assert.rejects(
    run('CreateDefaultVpc'),
    awsError('DefaultVpcAlreadyExists', 'A Default VPC already exists for this account in this region.'),
  );
});

test('CreateDefaultSubnet fills a zone whose default subnet is gone', async () => {
  const world = makeWorld();
  const Filters = [{ Name: 'availability-zone', Values: ['us-east-1c'] }];
  const { Subnets } = await world.run<{ Subnets: { SubnetId: string; CidrBlock: string }[] }>('DescribeSubnets', {
    Filters,
  });
  const id = Subnets[0]?.SubnetId;
  await assert.rejects(
    world.run('CreateDefaultSubnet', { AvailabilityZone: 'us-east-1c' }),
    awsError('DefaultSubnetAlreadyExistsInAvailabilityZone', `'${id}' is already the default subnet in us-east-1c.`),
  );
  await world.run('DeleteSubnet', { SubnetId: id });
  const made = await world.run<{ Subnet: { CidrBlock: string; DefaultForAz: boolean } }>('CreateDefaultSubnet', {
    AvailabilityZone: 'us-east-1c',
  });
  assert.deepEqual([made.Subnet.CidrBlock, made.Subnet.DefaultForAz], ['172.31.32.0/20', true]);
  await assert.rejects(
    world.run('CreateDefaultSubnet', { AvailabilityZone: 'eu-west-1a' }, { region: 'eu-west-1' }),
    awsError('DefaultVpcDoesNotExist', 'No default VPC exists for this account in this region.'),
  );
});
