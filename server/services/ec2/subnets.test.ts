import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { CreateSubnetResult, DescribeSubnetsResult } from '@aws-sdk/client-ec2';
import { awsError, testAccountId } from '../../testing.ts';
import { freePublicAddress } from './addresses-pool.ts';
import { availableIpAddressCount, freePrivateAddress, requireFreePrivateAddress } from './subnet-addresses.ts';
import { makeRouteTable, makeSubnet, makeVpc, makeWorld, putInterface, type World } from './testing.ts';

const create = async (world: World, input: object) =>
  (await world.run<CreateSubnetResult>('CreateSubnet', input)).Subnet;

test('[C1] [C4] a subnet block has a length of 16 to 28 and lies inside a block of its VPC', async () => {
  const world = makeWorld();
  const VpcId = await makeVpc(world, '10.0.0.0/16');
  for (const CidrBlock of ['10.0.0.0/29', '10.0.0.0/15', '10.1.0.0/24', '0.0.0.0/0'])
    await assert.rejects(
      create(world, { VpcId, CidrBlock }),
      awsError('InvalidSubnet.Range', `The CIDR '${CidrBlock}' is invalid.`),
    );
  await assert.rejects(
    create(world, { VpcId, CidrBlock: 'x' }),
    awsError('InvalidParameterValue', 'Value (x) for parameter cidrBlock is invalid. This is not a valid CIDR block.'),
  );
  assert.equal((await create(world, { VpcId, CidrBlock: '10.0.0.0/16' }))?.AvailableIpAddressCount, 65531);
});

test('[C4] a subnet does not overlap a sibling, but may overlap another VPC’s', async () => {
  const world = makeWorld();
  const VpcId = await makeVpc(world);
  await makeSubnet(world, VpcId, '10.0.1.0/24');
  for (const CidrBlock of ['10.0.1.0/24', '10.0.1.128/25', '10.0.0.0/16'])
    await assert.rejects(
      create(world, { VpcId, CidrBlock }),
      awsError('InvalidSubnet.Conflict', `The CIDR '${CidrBlock}' conflicts with another subnet`),
    );
  assert.ok(await create(world, { VpcId: await makeVpc(world), CidrBlock: '10.0.1.0/24' }));
});

test('[C2] host bits of a subnet block are cleared', async () => {
  const world = makeWorld();
  const VpcId = await makeVpc(world);
  assert.equal((await create(world, { VpcId, CidrBlock: '10.0.7.9/24' }))?.CidrBlock, '10.0.7.0/24');
});

test('five addresses are reserved: /28 has 11 and /24 has 251', async () => {
  const world = makeWorld();
  const VpcId = await makeVpc(world);
  assert.equal((await create(world, { VpcId, CidrBlock: '10.0.0.0/28' }))?.AvailableIpAddressCount, 11);
  assert.equal((await create(world, { VpcId, CidrBlock: '10.0.1.0/24' }))?.AvailableIpAddressCount, 251);
});

test('the zone is the caller’s choice by name or id, the first one otherwise', async () => {
  const world = makeWorld();
  const VpcId = await makeVpc(world);
  const zone = async (CidrBlock: string, more: object) => {
    const made = await create(world, { VpcId, CidrBlock, ...more });
    return [made?.AvailabilityZone, made?.AvailabilityZoneId];
  };
  assert.deepEqual(await zone('10.0.0.0/24', {}), ['us-east-1a', 'use1-az1']);
  assert.deepEqual(await zone('10.0.1.0/24', { AvailabilityZone: 'us-east-1f' }), ['us-east-1f', 'use1-az6']);
  assert.deepEqual(await zone('10.0.2.0/24', { AvailabilityZoneId: 'use1-az2' }), ['us-east-1b', 'use1-az2']);
  await assert.rejects(
    zone('10.0.3.0/24', { AvailabilityZone: 'us-east-1z' }),
    awsError(
      'InvalidParameterValue',
      /^Value \(us-east-1z\) for parameter availabilityZone is invalid\. Subnets can currently only be created in the following availability zones: us-east-1a, /,
    ),
  );
});

test('the count of available addresses follows the interfaces', async () => {
  const world = makeWorld();
  const vpcId = await makeVpc(world);
  const subnetId = await makeSubnet(world, vpcId, '10.0.0.0/28');
  const free = () =>
    world.store.read((tx) => {
      const subnet = tx.get('subnet', subnetId);
      assert.ok(subnet);
      return [
        availableIpAddressCount(tx, subnet),
        freePrivateAddress(tx, subnet),
        freePrivateAddress(tx, subnet, ['10.0.0.4']),
      ];
    });
  assert.deepEqual(free(), [11, '10.0.0.4', '10.0.0.5']);
  putInterface(world, vpcId, subnetId, '10.0.0.4');
  assert.deepEqual(free(), [10, '10.0.0.5', '10.0.0.5']);
  const { Subnets } = await world.run<DescribeSubnetsResult>('DescribeSubnets', { SubnetIds: [subnetId] });
  assert.equal(Subnets?.[0]?.AvailableIpAddressCount, 10);
});

test('a full subnet has no free address, and a chosen one must be free, inside and not reserved', async () => {
  const world = makeWorld();
  const vpcId = await makeVpc(world);
  const subnetId = await makeSubnet(world, vpcId, '10.0.0.0/28');
  for (let last = 4; last < 15; last += 1) putInterface(world, vpcId, subnetId, `10.0.0.${last}`);
  world.store.read((tx) => {
    const subnet = tx.get('subnet', subnetId);
    assert.ok(subnet);
    assert.equal(availableIpAddressCount(tx, subnet), 0);
    assert.throws(() => freePrivateAddress(tx, subnet), awsError('InsufficientFreeAddressesInSubnet'));
    assert.throws(() => requireFreePrivateAddress(tx, subnet, '10.0.0.7'), awsError('InvalidIPAddress.InUse'));
    for (const address of ['10.0.0.3', '10.0.0.15', '10.0.0.16', 'x'])
      assert.throws(() => requireFreePrivateAddress(tx, subnet, address), awsError('InvalidParameterValue'), address);
  });
});

test('a subnet with an interface stays; one without goes, with its associations', async () => {
  const world = makeWorld();
  const VpcId = await makeVpc(world);
  const SubnetId = await makeSubnet(world, VpcId);
  const RouteTableId = await makeRouteTable(world, VpcId);
  await world.run('AssociateRouteTable', { SubnetId, RouteTableId });
  const { networkInterfaceId } = putInterface(world, VpcId, SubnetId, '10.0.0.4');
  await assert.rejects(
    world.run('DeleteSubnet', { SubnetId }),
    awsError('DependencyViolation', `The subnet '${SubnetId}' has dependencies and cannot be deleted.`),
  );
  world.store.transact((tx) => tx.delete('network-interface', networkInterfaceId));
  await world.run('DeleteSubnet', { SubnetId });
  const { tables, acls } = world.store.read((tx) => ({
    tables: tx.list('route-table').filter((row) => row.vpcId === VpcId),
    acls: tx.list('network-acl').filter((row) => row.vpcId === VpcId),
  }));
  assert.deepEqual(
    tables.flatMap((row) => row.associations.map((one) => one.main)),
    [true],
  );
  assert.deepEqual(
    acls.flatMap((row) => row.associations),
    [],
  );
});

test('launch attributes are changed one at a time; that of Outposts is refused when switched on', async () => {
  const world = makeWorld();
  const SubnetId = await makeSubnet(world, await makeVpc(world));
  const modify = (input: object) => world.run('ModifySubnetAttribute', { SubnetId, ...input });
  await modify({ MapPublicIpOnLaunch: { Value: true } });
  await modify({ AssignIpv6AddressOnCreation: { Value: false } });
  await modify({ PrivateDnsHostnameTypeOnLaunch: 'resource-name' });
  const { Subnets } = await world.run<DescribeSubnetsResult>('DescribeSubnets', { SubnetIds: [SubnetId] });
  assert.equal(Subnets?.[0]?.MapPublicIpOnLaunch, true);
  assert.equal(Subnets?.[0]?.PrivateDnsNameOptionsOnLaunch?.HostnameType, 'resource-name');
  await assert.rejects(
    modify({ MapCustomerOwnedIpOnLaunch: { Value: true } }),
    awsError('UnsupportedOperation', /MapCustomerOwnedIpOnLaunch/),
  );
  await assert.rejects(
    modify({ MapPublicIpOnLaunch: { Value: true }, EnableResourceNameDnsARecordOnLaunch: { Value: true } }),
    awsError('InvalidParameterCombination'),
  );
  await assert.rejects(modify({}), awsError('MissingParameter'));
});

test('public addresses are unique over every account and region, and a released one is not the next', () => {
  const world = makeWorld();
  const take = (accountId: string, region: string) =>
    world.store.transact((tx) => {
      const id = tx.newId('eipalloc');
      const publicIp = freePublicAddress(tx);
      tx.put('address', { id, accountId, region, publicIp, domain: 'vpc', tags: {} });
      return { id, publicIp };
    }).value;
  const a = take(testAccountId, 'us-east-1');
  const b = take('999999999999', 'eu-west-1');
  assert.notEqual(a.publicIp, b.publicIp);
  assert.match(a.publicIp, /^198\.19\./);
  world.store.transact((tx) => tx.delete('address', a.id));
  assert.notEqual(take(testAccountId, 'us-east-1').publicIp, a.publicIp);
});
