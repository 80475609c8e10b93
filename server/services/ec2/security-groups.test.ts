import assert from 'node:assert/strict';
import { test } from 'node:test';
import type {
  AuthorizeSecurityGroupIngressResult,
  DescribeSecurityGroupRulesResult,
  DescribeSecurityGroupsResult,
  IpPermission,
  SecurityGroup,
} from '@aws-sdk/client-ec2';
import { awsError } from '../../testing.ts';
import { makeGroup, makeSubnet, makeVpc, makeWorld, putInterface, type World } from './testing.ts';

async function groupOf(world: World, GroupId: string): Promise<SecurityGroup> {
  const { SecurityGroups } = await world.run<DescribeSecurityGroupsResult>('DescribeSecurityGroups', {
    GroupIds: [GroupId],
  });
  return SecurityGroups?.[0] as SecurityGroup;
}

const tcp = (port: number, ...cidrs: string[]): IpPermission => ({
  IpProtocol: 'tcp',
  FromPort: port,
  ToPort: port,
  IpRanges: cidrs.map((CidrIp) => ({ CidrIp })),
});

async function makePlace() {
  const world = makeWorld();
  const vpcId = await makeVpc(world);
  const GroupId = await makeGroup(world, vpcId);
  const allow = (...IpPermissions: IpPermission[]) =>
    world.run<AuthorizeSecurityGroupIngressResult>('AuthorizeSecurityGroupIngress', { GroupId, IpPermissions });
  const revoke = (input: object) => world.run('RevokeSecurityGroupIngress', { GroupId, ...input });
  return { world, vpcId, GroupId, allow, revoke };
}

test('[S2] a new group lets nothing in and everything out', async () => {
  const { world, GroupId } = await makePlace();
  const group = await groupOf(world, GroupId);
  assert.deepEqual(group.IpPermissions, []);
  assert.deepEqual(group.IpPermissionsEgress, [
    { IpProtocol: '-1', UserIdGroupPairs: [], IpRanges: [{ CidrIp: '0.0.0.0/0' }], Ipv6Ranges: [], PrefixListIds: [] },
  ]);
});

test('[S3] the default group lets itself in and is not deleted', async () => {
  const { world, vpcId } = await makePlace();
  const Filters = [
    { Name: 'vpc-id', Values: [vpcId] },
    { Name: 'group-name', Values: ['default'] },
  ];
  const { SecurityGroups } = await world.run<DescribeSecurityGroupsResult>('DescribeSecurityGroups', { Filters });
  const group = SecurityGroups?.[0];
  const itself = { GroupId: group?.GroupId, UserId: '123456789012' };
  assert.deepEqual(group?.IpPermissions?.[0]?.UserIdGroupPairs, [itself]);
  const { SecurityGroupRules } = await world.run<DescribeSecurityGroupRulesResult>('DescribeSecurityGroupRules', {
    Filters: [{ Name: 'group-id', Values: [group?.GroupId] }],
  });
  // No VPC, for it is the group's own.
  assert.deepEqual(SecurityGroupRules?.find((rule) => !rule.IsEgress)?.ReferencedGroupInfo, itself);
  await assert.rejects(
    world.run('DeleteSecurityGroup', { GroupId: group?.GroupId }),
    awsError('CannotDelete', `the specified group: "${group?.GroupId}" name: "default" cannot be deleted by a user`),
  );
});

test('[S4] a name is unique in its VPC, is not reserved and does not look like an id', async () => {
  const { world, vpcId } = await makePlace();
  await assert.rejects(
    makeGroup(world, vpcId),
    awsError('InvalidGroup.Duplicate', `The security group 'web' already exists for VPC '${vpcId}'`),
  );
  assert.ok(await makeGroup(world, await makeVpc(world)));
  await assert.rejects(makeGroup(world, vpcId, 'default'), awsError('InvalidGroup.Reserved'));
  await assert.rejects(
    makeGroup(world, vpcId, 'sg-x'),
    awsError('InvalidParameterValue', /may not be in the format sg-\*/),
  );
  await assert.rejects(makeGroup(world, vpcId, 'x'.repeat(256)), awsError('InvalidParameterValue'));
  await assert.rejects(
    world.run('CreateSecurityGroup', { GroupName: 'x' }),
    awsError('MissingParameter', 'The request must contain the parameter GroupDescription'),
  );
});

test('a group without a VPC is made in the default VPC', async () => {
  const { world } = await makePlace();
  const made = await world.run<{ GroupId: string }>('CreateSecurityGroup', { GroupName: 'x', Description: 'x' });
  const { GroupId } = made;
  assert.deepEqual(Object.keys(made), ['GroupId', 'SecurityGroupArn']);
  const vpc = world.store.read((tx) => tx.list('vpc').find((row) => row.isDefault));
  assert.equal((await groupOf(world, GroupId)).VpcId, vpc?.id);
  await world.run('AuthorizeSecurityGroupIngress', {
    GroupName: 'x',
    IpProtocol: 'tcp',
    FromPort: 22,
    ToPort: 22,
    CidrIp: '0.0.0.0/0',
  });
  await world.run('DeleteSecurityGroup', { GroupName: 'x' });
  await assert.rejects(
    world.run('DeleteSecurityGroup', { GroupName: 'x' }),
    awsError('InvalidGroup.NotFound', `The security group 'x' does not exist in default VPC '${vpc?.id}'`),
  );
});

test('a group that an interface wears or another group names is not deleted', async () => {
  const { world, vpcId, GroupId, allow } = await makePlace();
  const other = await makeGroup(world, vpcId, 'other');
  await allow({ IpProtocol: '-1', UserIdGroupPairs: [{ GroupId: other }] });
  const violation = (id: string) => awsError('DependencyViolation', `resource ${id} has a dependent object`);
  await assert.rejects(world.run('DeleteSecurityGroup', { GroupId: other }), violation(other));
  await world.run('RevokeSecurityGroupIngress', {
    GroupId,
    IpPermissions: [{ IpProtocol: '-1', UserIdGroupPairs: [{ GroupId: other }] }],
  });
  const subnetId = await makeSubnet(world, vpcId);
  const { networkInterfaceId } = putInterface(world, vpcId, subnetId, '10.0.0.4', {
    groupIds: [other as `sg-${string}`],
  });
  await assert.rejects(world.run('DeleteSecurityGroup', { GroupId: other }), violation(other));
  world.store.transact((tx) => tx.delete('network-interface', networkInterfaceId));
  await world.run('DeleteSecurityGroup', { GroupId: other });
  assert.equal(
    world.store.read((tx) => tx.list('security-group-rule').some((rule) => rule.groupId === other)),
    false,
  );
});

test('a group that names itself can be deleted', async () => {
  const { world, GroupId, allow } = await makePlace();
  await allow({ IpProtocol: '-1', UserIdGroupPairs: [{ GroupId }] });
  await world.run('DeleteSecurityGroup', { GroupId });
});

test('groups are found by their rules', async () => {
  const { world, GroupId, allow } = await makePlace();
  await allow(tcp(8443, '192.0.2.0/24'));
  const found = async (Name: string, Value: string) =>
    (
      await world.run<DescribeSecurityGroupsResult>('DescribeSecurityGroups', { Filters: [{ Name, Values: [Value] }] })
    ).SecurityGroups?.map((one) => one.GroupId);
  assert.deepEqual(await found('ip-permission.cidr', '192.0.2.0/24'), [GroupId]);
  assert.deepEqual(await found('ip-permission.from-port', '8443'), [GroupId]);
  assert.deepEqual(await found('egress.ip-permission.from-port', '8443'), []);
});
