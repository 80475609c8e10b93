import assert from 'node:assert/strict';
import { test } from 'node:test';
import type {
  CreateNetworkInterfaceResult,
  CreateSubnetCidrReservationResult,
  DescribeTagsResult,
  DescribeVpcsResult,
  GetSubnetCidrReservationsResult,
} from '@aws-sdk/client-ec2';
import { awsError } from '../../testing.ts';
import { makeSubnet, makeVpc, makeWorld, type World } from './testing.ts';

async function reserve(world: World, SubnetId: string, Cidr: string, ReservationType = 'explicit') {
  const input = { SubnetId, Cidr, ReservationType };
  const { SubnetCidrReservation: made } = await world.run<CreateSubnetCidrReservationResult>(
    'CreateSubnetCidrReservation',
    input,
  );
  return made?.SubnetCidrReservationId ?? '';
}

async function addressOf(world: World, input: object): Promise<string | undefined> {
  const made = await world.run<CreateNetworkInterfaceResult>('CreateNetworkInterface', input);
  return made.NetworkInterface?.PrivateIpAddress;
}

test('[C4] AWS chooses no address of a reservation; whoever names one gets it', async () => {
  const world = makeWorld();
  const SubnetId = await makeSubnet(world, await makeVpc(world), '10.0.0.0/28');
  await reserve(world, SubnetId, '10.0.0.4/31');
  await reserve(world, SubnetId, '10.0.0.8/29', 'prefix');
  assert.equal(await addressOf(world, { SubnetId }), '10.0.0.6');
  assert.equal(await addressOf(world, { SubnetId, PrivateIpAddress: '10.0.0.4' }), '10.0.0.4');
  assert.equal(await addressOf(world, { SubnetId }), '10.0.0.7');
  await assert.rejects(addressOf(world, { SubnetId }), awsError('InsufficientFreeAddressesInSubnet'));
});

test('a launch gets as many instances as there are addresses outside reservations', async () => {
  const world = makeWorld();
  const SubnetId = await makeSubnet(world, await makeVpc(world), '10.0.0.0/28');
  await reserve(world, SubnetId, '10.0.0.8/29');
  const image = { ImageId: 'ami-0123456789abcdef0', InstanceType: 't3.micro', SubnetId };
  const { Instances } = await world.run<{ Instances: { PrivateIpAddress: string }[] }>('RunInstances', {
    ...image,
    MinCount: 1,
    MaxCount: 11,
  });
  assert.deepEqual(
    Instances.map((one) => one.PrivateIpAddress),
    ['10.0.0.4', '10.0.0.5', '10.0.0.6', '10.0.0.7'],
  );
});

test('a range outside the subnet, an overlapping one, a wrong type and no range at all are refused', async () => {
  const world = makeWorld();
  const SubnetId = await makeSubnet(world, await makeVpc(world));
  await assert.rejects(
    reserve(world, SubnetId, '10.1.0.0/31'),
    awsError('InvalidParameterValue', 'Reservation CIDR should be within subnet CIDR block (10.0.0.0/24)'),
  );
  await reserve(world, SubnetId, '10.0.0.16/28');
  await assert.rejects(
    reserve(world, SubnetId, '10.0.0.24/30'),
    awsError('InvalidParameterValue', 'Reservation CIDR 10.0.0.24/30 has overlap with existing reserved CIDR block'),
  );
  await assert.rejects(reserve(world, SubnetId, '10.0.0.64/28', 'mine'), awsError('InvalidParameterValue'));
  await assert.rejects(reserve(world, SubnetId, 'nonsense'), awsError('InvalidParameterValue'));
  await assert.rejects(
    world.run('CreateSubnetCidrReservation', { SubnetId, ReservationType: 'explicit' }),
    awsError('MissingParameter'),
  );
});

test('reservations are listed, tagged, deleted, and go with their subnet', async () => {
  const world = makeWorld();
  const SubnetId = await makeSubnet(world, await makeVpc(world));
  const { SubnetCidrReservation: made } = await world.run<CreateSubnetCidrReservationResult>(
    'CreateSubnetCidrReservation',
    {
      SubnetId,
      Cidr: '10.0.0.17/28',
      ReservationType: 'prefix',
      Description: 'for pods',
      TagSpecifications: [{ ResourceType: 'subnet-cidr-reservation', Tags: [{ Key: 'team', Value: 'a' }] }],
    },
  );
  assert.equal(made?.Cidr, '10.0.0.16/28');
  const list = async (Filters?: object[]) =>
    (await world.run<GetSubnetCidrReservationsResult>('GetSubnetCidrReservations', { SubnetId, Filters }))
      .SubnetIpv4CidrReservations;
  assert.deepEqual(await list([{ Name: 'reservationType', Values: ['prefix'] }]), [made]);
  assert.deepEqual(await list([{ Name: 'tag:team', Values: ['b'] }]), []);
  const tags = await world.run<DescribeTagsResult>('DescribeTags');
  assert.equal(tags.Tags?.[0]?.ResourceType, 'subnet-cidr-reservation');
  const SubnetCidrReservationId = made?.SubnetCidrReservationId;
  await world.run('DeleteSubnetCidrReservation', { SubnetCidrReservationId });
  await assert.rejects(
    world.run('DeleteSubnetCidrReservation', { SubnetCidrReservationId }),
    awsError(
      'InvalidSubnetCidrReservationID.NotFound',
      `The subnet-cidr-reservation ID '${SubnetCidrReservationId}' does not exist`,
    ),
  );
  await reserve(world, SubnetId, '10.0.0.16/28');
  await world.run('DeleteSubnet', { SubnetId });
  assert.deepEqual(
    world.store.read((tx) => tx.list('subnet-cidr-reservation')),
    [],
  );
});

test('IPv6 ranges are kept back too, and a subnet that is all kept back has none to give', async () => {
  const world = makeWorld();
  const { Vpc } = await world.run<{ Vpc: { VpcId: string } }>('CreateVpc', {
    CidrBlock: '10.0.0.0/16',
    AmazonProvidedIpv6CidrBlock: true,
  });
  const { Vpcs } = await world.run<DescribeVpcsResult>('DescribeVpcs', { VpcIds: [Vpc.VpcId] });
  const block = Vpcs?.[0]?.Ipv6CidrBlockAssociationSet?.[0]?.Ipv6CidrBlock?.replace('/56', '/64') ?? '';
  const input = { VpcId: Vpc.VpcId, CidrBlock: '10.0.0.0/24', Ipv6CidrBlock: block };
  const { Subnet } = await world.run<{ Subnet: { SubnetId: string } }>('CreateSubnet', input);
  const { SubnetId } = Subnet;
  const [low, high] = [block.replace('/64', '/65'), block.replace('::/64', ':8000::/65')];
  await assert.rejects(reserve(world, SubnetId, '2001:db8::/80'), awsError('InvalidParameterValue'));
  await reserve(world, SubnetId, low);
  await assert.rejects(reserve(world, SubnetId, block.replace('/64', '/80')), awsError('InvalidParameterValue'));
  const made = await world.run<CreateNetworkInterfaceResult>('CreateNetworkInterface', {
    SubnetId,
    Ipv6AddressCount: 3,
  });
  for (const { Ipv6Address } of made.NetworkInterface?.Ipv6Addresses ?? [])
    assert.match(Ipv6Address ?? '', /:[89a-f][0-9a-f]{3}:[^:]*:[^:]*:[^:]*$/);
  const listed = await world.run<GetSubnetCidrReservationsResult>('GetSubnetCidrReservations', { SubnetId });
  assert.deepEqual(
    listed.SubnetIpv6CidrReservations?.map((one) => one.Cidr),
    [low],
  );
  assert.deepEqual(listed.SubnetIpv4CidrReservations, []);
  await reserve(world, SubnetId, high);
  await assert.rejects(
    world.run('CreateNetworkInterface', { SubnetId, Ipv6AddressCount: 1 }),
    awsError('InsufficientFreeAddressesInSubnet'),
  );
});
