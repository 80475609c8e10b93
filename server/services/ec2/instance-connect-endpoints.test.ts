import assert from 'node:assert/strict';
import { test } from 'node:test';
import type {
  CreateInstanceConnectEndpointResult,
  DescribeInstanceConnectEndpointsResult,
  DescribeNetworkInterfacesResult,
} from '@aws-sdk/client-ec2';
import { buildSnapshot } from '../../control/snapshot.ts';
import { awsError } from '../../testing.ts';
import { makeGroup, makeSubnet, makeVpc, makeWorld, type World } from './testing.ts';

async function make(world: World, SubnetId: string, more: object = {}) {
  const input = { SubnetId, ...more };
  const made = await world.run<CreateInstanceConnectEndpointResult>('CreateInstanceConnectEndpoint', input);
  assert.ok(made.InstanceConnectEndpoint?.InstanceConnectEndpointId);
  return made.InstanceConnectEndpoint;
}

async function describe(world: World, input: object = {}) {
  const answer = await world.run<DescribeInstanceConnectEndpointsResult>('DescribeInstanceConnectEndpoints', input);
  return answer.InstanceConnectEndpoints ?? [];
}

test('[J4] an endpoint has an interface that AWS manages, and the tools’ filters find it', async () => {
  const world = makeWorld();
  const vpc = await makeVpc(world);
  const SubnetId = await makeSubnet(world, vpc);
  const group = await makeGroup(world, vpc);
  const tags = [{ ResourceType: 'instance-connect-endpoint', Tags: [{ Key: 'Name', Value: 'door' }] }];
  const made = await make(world, SubnetId, { SecurityGroupIds: [group], TagSpecifications: tags, ClientToken: 't' });
  assert.equal(made.State, 'create-in-progress');
  assert.match(
    made.DnsName ?? '',
    /^eice-[0-9a-f]{17}\.[0-9a-f]{8}\.ec2-instance-connect-endpoint\.us-east-1\.amazonaws\.com$/,
  );
  const again = await make(world, SubnetId, { SecurityGroupIds: [group], TagSpecifications: tags, ClientToken: 't' });
  assert.equal(again.InstanceConnectEndpointId, made.InstanceConnectEndpointId);
  const states = ['create-complete', 'update-in-progress', 'update-failed', 'update-complete'];
  const [seen] = await describe(world, {
    Filters: [
      { Name: 'state', Values: states },
      { Name: 'vpc-id', Values: [vpc] },
      { Name: 'tag:Name', Values: ['door'] },
    ],
  });
  assert.equal(seen?.State, 'create-complete');
  assert.deepEqual(seen?.SecurityGroupIds, [group]);
  const { NetworkInterfaces } = await world.run<DescribeNetworkInterfacesResult>('DescribeNetworkInterfaces', {
    NetworkInterfaceIds: seen?.NetworkInterfaceIds,
  });
  const card = NetworkInterfaces?.[0];
  assert.equal(card?.RequesterManaged, true);
  assert.equal(card?.Status, 'in-use');
  assert.equal(card?.Description, `EC2 Instance Connect Endpoint - ${made.InstanceConnectEndpointId}`);
  await assert.rejects(
    world.run('DeleteNetworkInterface', { NetworkInterfaceId: card?.NetworkInterfaceId }),
    awsError('InvalidParameterValue'),
  );
  const [snapshot] = world.store.read((tx) => buildSnapshot(tx, 1)).vpcs.filter((one) => one.vpcId === vpc);
  assert.deepEqual(snapshot?.instanceConnectEndpoints, [
    {
      instanceConnectEndpointId: made.InstanceConnectEndpointId,
      networkInterfaceId: card?.NetworkInterfaceId,
      preserveClientIp: false,
    },
  ]);
});

test('[J4] one per VPC, and what it stands in cannot go before it', async () => {
  const world = makeWorld();
  const vpc = await makeVpc(world);
  const SubnetId = await makeSubnet(world, vpc);
  const { InstanceConnectEndpointId } = await make(world, SubnetId);
  const other = await makeSubnet(world, vpc, '10.0.1.0/24');
  await assert.rejects(make(world, other), awsError('InstanceConnectEndpointLimitExceeded'));
  await assert.rejects(world.run('DeleteSubnet', { SubnetId }), awsError('DependencyViolation'));
  const deleted = await world.run<CreateInstanceConnectEndpointResult>('DeleteInstanceConnectEndpoint', {
    InstanceConnectEndpointId,
  });
  assert.equal(deleted.InstanceConnectEndpoint?.State, 'delete-in-progress');
  assert.deepEqual(await describe(world), []);
  await assert.rejects(
    describe(world, { InstanceConnectEndpointIds: [InstanceConnectEndpointId] }),
    awsError('InvalidInstanceConnectEndpointId.NotFound'),
  );
  await world.run('DeleteSubnet', { SubnetId });
  await make(world, other);
});

test('its groups can change; another VPC’s and other families are refused', async () => {
  const world = makeWorld();
  const vpc = await makeVpc(world);
  const SubnetId = await makeSubnet(world, vpc);
  const group = await makeGroup(world, vpc);
  const foreign = await makeGroup(world, await makeVpc(world, '10.1.0.0/16'));
  await assert.rejects(make(world, SubnetId, { SecurityGroupIds: [foreign] }), awsError('InvalidParameter'));
  await assert.rejects(make(world, SubnetId, { IpAddressType: 'dualstack' }), awsError('UnsupportedOperation'));
  const { InstanceConnectEndpointId, SecurityGroupIds: before } = await make(world, SubnetId, {
    PreserveClientIp: true,
  });
  assert.equal((await describe(world))[0]?.PreserveClientIp, true);
  assert.equal(before?.length, 1);
  const modify = (...SecurityGroupIds: string[]) =>
    world.run('ModifyInstanceConnectEndpoint', { InstanceConnectEndpointId, SecurityGroupIds });
  await modify(group);
  assert.deepEqual((await describe(world))[0]?.SecurityGroupIds, [group]);
  await assert.rejects(modify(foreign), awsError('InvalidParameter'));
  await assert.rejects(modify(), awsError('MissingParameter'));
  await assert.rejects(world.run('DeleteSecurityGroup', { GroupId: group }), awsError('DependencyViolation'));
});
