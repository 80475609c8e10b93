import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Address, AllocateAddressResult, DescribeAddressesResult } from '@aws-sdk/client-ec2';
import { awsError } from '../../testing.ts';
import { makeGateway, makeSubnet, makeVpc, makeWorld, putInterface } from './testing.ts';

async function makePlace() {
  const world = makeWorld();
  const vpcId = await makeVpc(world);
  const subnetId = await makeSubnet(world, vpcId);
  await makeGateway(world, vpcId);
  const allocate = async () => {
    const { AllocationId = '', PublicIp = '' } = await world.run<AllocateAddressResult>('AllocateAddress', {
      Domain: 'vpc',
    });
    return { AllocationId, PublicIp };
  };
  const associate = async (input: object) =>
    (await world.run<{ AssociationId: string }>('AssociateAddress', input)).AssociationId;
  const shown = async (AllocationId: string): Promise<Address> =>
    (await world.run<DescribeAddressesResult>('DescribeAddresses', { AllocationIds: [AllocationId] }))
      .Addresses?.[0] as Address;
  return { world, vpcId, subnetId, allocate, associate, shown };
}

test('[4.2] an allocated address is public, free and shown', async () => {
  const { allocate, shown } = await makePlace();
  const { AllocationId, PublicIp } = await allocate();
  assert.match(PublicIp, /^198\.19\.\d+\.\d+$/);
  assert.deepEqual(await shown(AllocationId), {
    AllocationId,
    PublicIp,
    Domain: 'vpc',
    PublicIpv4Pool: 'amazon',
    NetworkBorderGroup: 'us-east-1',
    Tags: [],
  });
});

test('[4.2] an address is associated with an instance’s only interface, and takes its auto-assigned address away', async () => {
  const { world, vpcId, subnetId, allocate, associate, shown } = await makePlace();
  const made = putInterface(world, vpcId, subnetId, '10.0.0.4', { instance: 'running', autoPublicIp: '198.19.9.9' });
  const { AllocationId } = await allocate();
  const AssociationId = await associate({ AllocationId, InstanceId: made.instanceId });
  const address = await shown(AllocationId);
  assert.deepEqual(
    [address.AssociationId, address.InstanceId, address.NetworkInterfaceId, address.PrivateIpAddress],
    [AssociationId, made.instanceId, made.networkInterfaceId, '10.0.0.4'],
  );
  const row = world.store.read((tx) => tx.get('network-interface', made.networkInterfaceId));
  assert.deepEqual(row?.privateAddresses, [{ address: '10.0.0.4', primary: true }]);
});

test('[4.2] of an instance and an interface, both given, the instance decides', async () => {
  const { world, vpcId, subnetId, allocate, associate, shown } = await makePlace();
  const before = putInterface(world, vpcId, subnetId, '10.0.0.4', { instance: 'running' });
  const after = putInterface(world, vpcId, subnetId, '10.0.0.5', { instance: 'running' });
  const { AllocationId } = await allocate();
  await associate({ AllocationId, InstanceId: before.instanceId });
  await associate({ AllocationId, InstanceId: after.instanceId, NetworkInterfaceId: before.networkInterfaceId });
  assert.equal((await shown(AllocationId)).NetworkInterfaceId, after.networkInterfaceId);
});

test('[4.2] associating again moves the address, unless reassociation is not allowed', async () => {
  const { world, vpcId, subnetId, allocate, associate, shown } = await makePlace();
  const a = putInterface(world, vpcId, subnetId, '10.0.0.4', { instance: 'running' });
  const b = putInterface(world, vpcId, subnetId, '10.0.0.5', { instance: 'running' });
  const { AllocationId } = await allocate();
  const first = await associate({ AllocationId, InstanceId: a.instanceId });
  assert.equal(await associate({ AllocationId, InstanceId: a.instanceId }), first);
  await assert.rejects(
    associate({ AllocationId, InstanceId: b.instanceId, AllowReassociation: false }),
    awsError('Resource.AlreadyAssociated', `resource ${AllocationId} is already associated with associate-id ${first}`),
  );
  assert.notEqual(await associate({ AllocationId, InstanceId: b.instanceId }), first);
  assert.equal((await shown(AllocationId)).InstanceId, b.instanceId);
});

test('[4.2] one private address has one Elastic IP: a second one replaces the first, which stays allocated', async () => {
  const { world, vpcId, subnetId, allocate, associate, shown } = await makePlace();
  const { networkInterfaceId: NetworkInterfaceId } = putInterface(world, vpcId, subnetId, '10.0.0.4');
  const [one, two] = [await allocate(), await allocate()];
  await associate({ AllocationId: one.AllocationId, NetworkInterfaceId, PrivateIpAddress: '10.0.0.4' });
  await associate({ PublicIp: two.PublicIp, NetworkInterfaceId });
  assert.equal((await shown(one.AllocationId)).AssociationId, undefined);
  assert.equal((await shown(two.AllocationId)).NetworkInterfaceId, NetworkInterfaceId);
  await assert.rejects(
    associate({ AllocationId: one.AllocationId, NetworkInterfaceId, PrivateIpAddress: '10.0.0.9' }),
    awsError('InvalidParameterValue'),
  );
});

test('[4.2] associating needs an address, a target in a fit state and a gateway on the VPC', async () => {
  const { world, vpcId, subnetId, allocate, associate } = await makePlace();
  const { AllocationId } = await allocate();
  await assert.rejects(
    associate({ InstanceId: 'i-00000000' }),
    awsError('MissingParameter', 'Invalid request, expect PublicIp/AllocationId parameter.'),
  );
  await assert.rejects(
    associate({ AllocationId }),
    awsError('MissingParameter', 'Invalid request, expect InstanceId/NetworkId parameter.'),
  );
  await assert.rejects(
    associate({ AllocationId, InstanceId: 'i-00000000' }),
    awsError('InvalidInstanceID.NotFound', "The instance ID 'i-00000000' does not exist"),
  );
  const pending = putInterface(world, vpcId, subnetId, '10.0.0.4', { instance: 'pending' });
  await assert.rejects(
    associate({ AllocationId, InstanceId: pending.instanceId }),
    awsError(
      'InvalidInstanceID',
      `The pending instance '${pending.instanceId}' is not in a valid state for this operation.`,
    ),
  );
  const lonely = await makeVpc(world);
  const inside = putInterface(world, lonely, await makeSubnet(world, lonely), '10.0.0.4', { instance: 'running' });
  await assert.rejects(
    associate({ AllocationId, InstanceId: inside.instanceId }),
    awsError('Gateway.NotAttached', `Network ${lonely} is not attached to any internet gateway`),
  );
});

test('[4.2] an address in use is not released; disassociated it is, and then it is gone', async () => {
  const { world, vpcId, subnetId, allocate, associate } = await makePlace();
  const { networkInterfaceId: NetworkInterfaceId } = putInterface(world, vpcId, subnetId, '10.0.0.4');
  const { AllocationId, PublicIp } = await allocate();
  const AssociationId = await associate({ AllocationId, NetworkInterfaceId });
  await assert.rejects(
    world.run('ReleaseAddress', { AllocationId }),
    awsError('InvalidIPAddress.InUse', `Address ${PublicIp} is in use.`),
  );
  await world.run('DisassociateAddress', { AssociationId });
  await assert.rejects(
    world.run('DisassociateAddress', { AssociationId }),
    awsError('InvalidAssociationID.NotFound', `The association ID '${AssociationId}' does not exist`),
  );
  await world.run('ReleaseAddress', { AllocationId });
  await assert.rejects(
    world.run('ReleaseAddress', { AllocationId }),
    awsError('InvalidAllocationID.NotFound', `The allocation ID '${AllocationId}' does not exist`),
  );
  await assert.rejects(
    world.run('DescribeAddresses', { PublicIps: [PublicIp] }),
    awsError('InvalidAddress.NotFound', `Address '${PublicIp}' not found.`),
  );
  await assert.rejects(world.run('ReleaseAddress', {}), awsError('MissingParameter'));
});

test('a gateway is not detached while an Elastic IP is mapped in its VPC', async () => {
  const { world, vpcId: VpcId, subnetId, allocate, associate } = await makePlace();
  const { networkInterfaceId: NetworkInterfaceId } = putInterface(world, VpcId, subnetId, '10.0.0.4');
  const AssociationId = await associate({ AllocationId: (await allocate()).AllocationId, NetworkInterfaceId });
  const InternetGatewayId = world.store.read(
    (tx) => tx.list('internet-gateway').find((row) => row.vpcId === VpcId)?.id,
  );
  await assert.rejects(
    world.run('DetachInternetGateway', { InternetGatewayId, VpcId }),
    awsError('DependencyViolation'),
  );
  await world.run('DisassociateAddress', { AssociationId });
  await world.run('DetachInternetGateway', { InternetGatewayId, VpcId });
});

test('a sixth address is refused with AWS’s quotas', async () => {
  const { world } = await makePlace();
  const aws = { settings: { auth: 'strict', strictImages: false, quotas: 'aws', dataDirectory: '/' } } as const;
  for (let count = 0; count < 5; count += 1) await world.run('AllocateAddress', {}, aws);
  await assert.rejects(
    world.run('AllocateAddress', {}, aws),
    awsError('AddressLimitExceeded', 'The maximum number of addresses has been reached.'),
  );
});
