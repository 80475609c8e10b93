import assert from 'node:assert/strict';
import { test } from 'node:test';
import type {
  DescribeSecurityGroupsResult,
  DescribeSecurityGroupVpcAssociationsResult,
  DescribeVpcsResult,
  GetSecurityGroupsForVpcResult,
} from '@aws-sdk/client-ec2';
import { buildSnapshot } from '../../control/snapshot.ts';
import { awsError } from '../../testing.ts';
import { makeGroup, makeSubnet, makeVpc, makeWorld } from './testing.ts';

async function twoVpcs() {
  const world = makeWorld();
  const home = await makeVpc(world);
  const other = await makeVpc(world, '10.1.0.0/16');
  const GroupId = await makeGroup(world, home, 'shared');
  const SubnetId = await makeSubnet(world, other, '10.1.0.0/24');
  return { world, home, other, GroupId, SubnetId };
}

test('an interface carries another VPC’s group only while the two are associated', async () => {
  const { world, home, other, GroupId, SubnetId } = await twoVpcs();
  const make = () =>
    world.run<{ NetworkInterface: { NetworkInterfaceId: string } }>('CreateNetworkInterface', {
      SubnetId,
      Groups: [GroupId],
    });
  await assert.rejects(
    make(),
    awsError('InvalidParameter', `Security group ${GroupId} and subnet ${SubnetId} belong to different networks.`),
  );
  assert.deepEqual(await world.run('AssociateSecurityGroupVpc', { GroupId, VpcId: other }), { State: 'associating' });
  const { NetworkInterface: card } = await make();
  const { SecurityGroupVpcAssociations: seen } = await world.run<DescribeSecurityGroupVpcAssociationsResult>(
    'DescribeSecurityGroupVpcAssociations',
    { Filters: [{ Name: 'group-id', Values: [GroupId] }] },
  );
  assert.deepEqual(
    seen?.map(({ VpcId, State }) => [VpcId, State]),
    [[other, 'associated']],
  );
  const groups = await world.run<GetSecurityGroupsForVpcResult>('GetSecurityGroupsForVpc', { VpcId: other });
  const shared = groups.SecurityGroupForVpcs?.find((one) => one.GroupId === GroupId);
  assert.equal(shared?.PrimaryVpcId, home);
  // The group itself stays where it is.
  const own = await world.run<DescribeSecurityGroupsResult>('DescribeSecurityGroups', {
    Filters: [{ Name: 'vpc-id', Values: [other] }],
  });
  assert.deepEqual(
    own.SecurityGroups?.map((one) => one.GroupName),
    ['default'],
  );
  await assert.rejects(
    world.run('DisassociateSecurityGroupVpc', { GroupId, VpcId: other }),
    awsError('DependencyViolation', `resource ${GroupId} has a dependent object`),
  );
  await world.run('DeleteNetworkInterface', { NetworkInterfaceId: card.NetworkInterfaceId });
  await assert.rejects(world.run('DeleteSecurityGroup', { GroupId }), awsError('DependencyViolation'));
  await world.run('DisassociateSecurityGroupVpc', { GroupId, VpcId: other });
  await assert.rejects(
    world.run('DisassociateSecurityGroupVpc', { GroupId, VpcId: other }),
    awsError('InvalidAssociation.NotFound'),
  );
  await world.run('DeleteSecurityGroup', { GroupId });
});

test('the Snapshot lists an associated group in both VPCs, with its rules', async () => {
  const { world, other, GroupId } = await twoVpcs();
  await world.run('AssociateSecurityGroupVpc', { GroupId, VpcId: other });
  const snapshot = world.store.read((tx) => buildSnapshot(tx, 1));
  const holders = snapshot.vpcs.flatMap((vpc) => vpc.securityGroups.filter((group) => group.groupId === GroupId));
  assert.equal(holders.length, 2);
  assert.deepEqual(holders[0], holders[1]);
  assert.equal(holders[1]?.egress.length, 1);
});

test('default groups, the default VPC, the own VPC and a second time are refused', async () => {
  const { world, home, other, GroupId } = await twoVpcs();
  const { SecurityGroups: defaults } = await world.run<DescribeSecurityGroupsResult>('DescribeSecurityGroups', {
    Filters: [
      { Name: 'vpc-id', Values: [home] },
      { Name: 'group-name', Values: ['default'] },
    ],
  });
  const { Vpcs } = await world.run<DescribeVpcsResult>('DescribeVpcs', {
    Filters: [{ Name: 'is-default', Values: ['true'] }],
  });
  const associate = (group: string | undefined, VpcId: string | undefined) =>
    world.run('AssociateSecurityGroupVpc', { GroupId: group, VpcId });
  await assert.rejects(associate(defaults?.[0]?.GroupId, other), awsError('InvalidParameterValue'));
  await assert.rejects(associate(GroupId, Vpcs?.[0]?.VpcId), awsError('InvalidParameterValue'));
  await assert.rejects(associate(GroupId, home), awsError('InvalidParameterValue'));
  await assert.rejects(associate('sg-12345678', other), awsError('InvalidGroup.NotFound'));
  await associate(GroupId, other);
  await assert.rejects(associate(GroupId, other), awsError('Resource.AlreadyAssociated'));
});

test('[S5] a rule may name a group that shares a VPC with its own', async () => {
  const { world, other, GroupId } = await twoVpcs();
  const local = await makeGroup(world, other, 'local');
  const authorize = () =>
    world.run('AuthorizeSecurityGroupIngress', {
      GroupId: local,
      IpPermissions: [{ IpProtocol: 'tcp', FromPort: 22, ToPort: 22, UserIdGroupPairs: [{ GroupId }] }],
    });
  await assert.rejects(authorize(), awsError('InvalidGroup.NotFound'));
  await world.run('AssociateSecurityGroupVpc', { GroupId, VpcId: other });
  await authorize();
});

test('a VPC that is deleted leaves no association behind', async () => {
  const { world, other, GroupId, SubnetId } = await twoVpcs();
  await world.run('AssociateSecurityGroupVpc', { GroupId, VpcId: other });
  await world.run('DeleteSubnet', { SubnetId });
  await world.run('DeleteVpc', { VpcId: other });
  assert.deepEqual(
    world.store.read((tx) => tx.list('security-group-vpc-association')),
    [],
  );
  await world.run('DeleteSecurityGroup', { GroupId });
});
