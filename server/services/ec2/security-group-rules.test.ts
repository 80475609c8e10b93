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
import { makeGroup, makeVpc, makeWorld, type World } from './testing.ts';

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

test('[S5] a rule is one per peer, with an id, and is shown joined by protocol and ports', async () => {
  const { world, GroupId, allow } = await makePlace();
  const { SecurityGroupRules = [] } = await allow(tcp(443, '10.0.0.0/8', '192.0.2.1/24'), tcp(22, '0.0.0.0/0'));
  assert.deepEqual(
    SecurityGroupRules.map((rule) => [rule.CidrIpv4, rule.FromPort, rule.IsEgress, rule.GroupId]),
    [
      ['10.0.0.0/8', 443, false, GroupId],
      ['192.0.2.0/24', 443, false, GroupId],
      ['0.0.0.0/0', 22, false, GroupId],
    ],
  );
  const { IpPermissions } = await groupOf(world, GroupId);
  assert.deepEqual(
    IpPermissions?.map((one) => [one.FromPort, one.IpRanges?.length]),
    [
      [443, 2],
      [22, 1],
    ],
  );
});

test('[S5] the same rule twice is InvalidPermission.Duplicate, whatever its description', async () => {
  const { allow } = await makePlace();
  await allow(tcp(22, '0.0.0.0/0'));
  const again = {
    IpProtocol: '6',
    FromPort: 22,
    ToPort: 22,
    IpRanges: [{ CidrIp: '0.0.0.0/0', Description: 'again' }],
  };
  await assert.rejects(
    allow(again),
    awsError(
      'InvalidPermission.Duplicate',
      'the specified rule "peer: 0.0.0.0/0, TCP, from port: 22, to port: 22, ALLOW" already exists',
    ),
  );
  await assert.rejects(
    allow(tcp(80, '10.0.0.0/8', '10.1.1.1/8')),
    awsError('InvalidParameterValue', 'The same permission must not appear multiple times'),
  );
  const egress = await allow({ ...again, IpProtocol: 'udp' });
  assert.equal(egress.SecurityGroupRules?.length, 1);
});

test('a request with one bad rule adds none', async () => {
  const { world, GroupId, allow } = await makePlace();
  await assert.rejects(
    allow(tcp(22, '10.0.0.0/8'), tcp(23, 'nonsense')),
    awsError('InvalidParameterValue', 'CIDR block nonsense is malformed'),
  );
  assert.deepEqual((await groupOf(world, GroupId)).IpPermissions, []);
});

test('[S7] a group names a group of its own VPC, itself included, by id or name', async () => {
  const { world, vpcId, GroupId, allow } = await makePlace();
  const other = await makeGroup(world, vpcId, 'other');
  const pair = (one: object): IpPermission => ({ IpProtocol: '-1', UserIdGroupPairs: [one] });
  await allow(pair({ GroupId }));
  await allow(pair({ GroupName: 'other' }));
  const { IpPermissions } = await groupOf(world, GroupId);
  assert.deepEqual(
    IpPermissions?.[0]?.UserIdGroupPairs?.map((one) => one.GroupId),
    [GroupId, other],
  );
  const foreign = await makeGroup(world, await makeVpc(world));
  await assert.rejects(
    allow(pair({ GroupId: foreign })),
    awsError('InvalidGroup.NotFound', 'You have specified two resources that belong to different networks.'),
  );
  await assert.rejects(
    allow(pair({ GroupId: 'sg-00000000000000000' })),
    awsError('InvalidGroup.NotFound', "The security group 'sg-00000000000000000' does not exist"),
  );
  await assert.rejects(allow(pair({ GroupId, UserId: '999999999999' })), awsError('InvalidGroup.NotFound'));
});

test('[S9] a source is an IPv4 block, an IPv6 block, a prefix list of AWS or of a customer', async () => {
  const { world, GroupId, allow } = await makePlace();
  await allow({
    IpProtocol: 'tcp',
    FromPort: 443,
    ToPort: 443,
    Ipv6Ranges: [{ CidrIpv6: '2001:DB8::1/32' }],
    PrefixListIds: [{ PrefixListId: 'pl-63a5400a' }],
  });
  const [permission] = (await groupOf(world, GroupId)).IpPermissions ?? [];
  assert.deepEqual(permission?.Ipv6Ranges, [{ CidrIpv6: '2001:db8::/32' }]);
  assert.deepEqual(permission?.PrefixListIds, [{ PrefixListId: 'pl-63a5400a' }]);
  await assert.rejects(
    allow({ IpProtocol: '-1', PrefixListIds: [{ PrefixListId: 'pl-00000000' }] }),
    awsError('InvalidPrefixListID.NotFound', "The prefix list ID 'pl-00000000' does not exist"),
  );
});

test('[S10] protocols by name and number, ports where they belong', async () => {
  const { world, GroupId, allow } = await makePlace();
  const peer = { IpRanges: [{ CidrIp: '0.0.0.0/0' }] };
  const cases: [IpPermission, unknown[]][] = [
    [{ IpProtocol: '6', FromPort: 1, ToPort: 2 }, ['tcp', 1, 2]],
    [{ IpProtocol: 'UDP', FromPort: 0, ToPort: 65535 }, ['udp', 0, 65535]],
    [{ IpProtocol: 'icmp', FromPort: -1, ToPort: -1 }, ['icmp', -1, -1]],
    [{ IpProtocol: 'icmp', FromPort: 8, ToPort: 0 }, ['icmp', 8, 0]],
    [{ IpProtocol: '50' }, ['50', -1, -1]],
    [{ IpProtocol: '-1', FromPort: 5, ToPort: 6 }, ['-1', -1, -1]],
  ];
  for (const [permission, expected] of cases) {
    const { SecurityGroupRules } = await allow({ ...permission, ...peer });
    const rule = SecurityGroupRules?.[0];
    assert.deepEqual([rule?.IpProtocol, rule?.FromPort, rule?.ToPort], expected);
  }
  const all = (await groupOf(world, GroupId)).IpPermissions?.find((one) => one.IpProtocol === '-1');
  assert.equal(all?.FromPort, undefined);
  const wrong: [IpPermission, RegExp][] = [
    [{ IpProtocol: 'tcp' }, /Must specify both from and to ports with TCP\/UDP/],
    [{ IpProtocol: 'tcp', FromPort: 2, ToPort: 1 }, /Invalid TCP\/UDP port range \(2:1\)/],
    [{ IpProtocol: 'tcp', FromPort: 0, ToPort: 65536 }, /TCP\/UDP port \(65536\) out of range/],
    [{ IpProtocol: 'icmp', FromPort: 300, ToPort: 0 }, /ICMP type \(300\) out of range/],
    [{ IpProtocol: 'foo' }, /Invalid value 'foo' for IP protocol/],
    [{}, /Invalid value 'null' for protocol/],
  ];
  for (const [permission, message] of wrong)
    await assert.rejects(allow({ ...permission, ...peer }), awsError('InvalidParameterValue', message));
});

test('a rule is revoked by permission, by flat parameters and by id', async () => {
  const { world, GroupId, allow, revoke } = await makePlace();
  await allow(tcp(22, '10.0.0.0/8', '0.0.0.0/0'));
  const { SecurityGroupRules } = await allow(tcp(80, '0.0.0.0/0'));
  await revoke({ IpPermissions: [tcp(22, '10.9.9.9/8')] });
  await revoke({ IpProtocol: 'tcp', FromPort: 22, ToPort: 22, CidrIp: '0.0.0.0/0' });
  const id = SecurityGroupRules?.[0]?.SecurityGroupRuleId;
  const revoked = await world.run<{ RevokedSecurityGroupRules: { SecurityGroupRuleId: string }[] }>(
    'RevokeSecurityGroupIngress',
    { GroupId, SecurityGroupRuleIds: [id] },
  );
  assert.deepEqual(
    revoked.RevokedSecurityGroupRules.map((rule) => rule.SecurityGroupRuleId),
    [id],
  );
  assert.deepEqual((await groupOf(world, GroupId)).IpPermissions, []);
  await assert.rejects(
    revoke({ IpPermissions: [tcp(22, '10.0.0.0/8')] }),
    awsError('InvalidPermission.NotFound', 'The specified rule does not exist in this security group.'),
  );
  await assert.rejects(
    revoke({ SecurityGroupRuleIds: [id] }),
    awsError('InvalidSecurityGroupRuleId.NotFound', `The security group rule ID '${id}' does not exist`),
  );
  await assert.rejects(revoke({}), awsError('MissingParameter'));
});

test('an ingress rule is not revoked as an egress rule', async () => {
  const { world, GroupId, allow } = await makePlace();
  const { SecurityGroupRules } = await allow(tcp(80, '0.0.0.0/0'));
  const SecurityGroupRuleIds = SecurityGroupRules?.map((rule) => rule.SecurityGroupRuleId);
  await assert.rejects(
    world.run('RevokeSecurityGroupEgress', { GroupId, SecurityGroupRuleIds }),
    awsError('InvalidSecurityGroupRuleId.NotFound'),
  );
});

test('a rule is modified by id and keeps its id; wrong ones are refused in AWS’s words', async () => {
  const { world, GroupId, allow } = await makePlace();
  const { SecurityGroupRules } = await allow(tcp(80, '0.0.0.0/0'), tcp(81, '0.0.0.0/0'));
  const [id, other] = SecurityGroupRules?.map((rule) => rule.SecurityGroupRuleId) ?? [];
  const modify = (SecurityGroupRule: object, SecurityGroupRuleId = id, group = GroupId) =>
    world.run('ModifySecurityGroupRules', {
      GroupId: group,
      SecurityGroupRules: [{ SecurityGroupRuleId, SecurityGroupRule }],
    });
  await modify({ IpProtocol: 'udp', FromPort: 53, ToPort: 53, CidrIpv4: '10.0.0.0/8', Description: 'dns' });
  const shown = await world.run<DescribeSecurityGroupRulesResult>('DescribeSecurityGroupRules', {
    SecurityGroupRuleIds: [id],
  });
  const rule = shown.SecurityGroupRules?.[0];
  assert.deepEqual(
    [rule?.IpProtocol, rule?.FromPort, rule?.CidrIpv4, rule?.Description],
    ['udp', 53, '10.0.0.0/8', 'dns'],
  );
  const spec = { IpProtocol: 'tcp', FromPort: 1, ToPort: 1 };
  await assert.rejects(
    modify(spec),
    awsError(
      'MissingParameter',
      'The request must contain exactly one of: cidrIp, cidrIpv6, prefixListId, or referencedGroupId',
    ),
  );
  await assert.rejects(
    modify({ ...spec, CidrIpv4: '0.0.0.0/0', CidrIpv6: '::/0' }),
    awsError(
      'InvalidParameterCombination',
      'Only one of cidrIp, cidrIpv6, prefixListId, or referencedGroupId can be specified',
    ),
  );
  await assert.rejects(
    modify({ CidrIpv4: '0.0.0.0/0' }),
    awsError(
      'InvalidParameterValue',
      "Invalid value 'null' for protocol. VPC security group rules must specify protocols explicitly.",
    ),
  );
  await assert.rejects(
    modify(spec, 'sgr-00000000'),
    awsError('InvalidSecurityGroupRuleId.NotFound', "The security group rule ID 'sgr-00000000' does not exist"),
  );
  await assert.rejects(
    modify(spec, id, 'sg-00000000'),
    awsError('InvalidGroup.NotFound', "The security group 'sg-00000000' does not exist"),
  );
  await assert.rejects(
    modify({ IpProtocol: 'udp', FromPort: 53, ToPort: 53, CidrIpv4: '10.0.0.0/8' }, other),
    awsError('InvalidPermission.Duplicate'),
  );
});

test('descriptions are updated by permission and by id', async () => {
  const { world, GroupId, allow } = await makePlace();
  const { SecurityGroupRules } = await allow(tcp(80, '0.0.0.0/0'));
  const SecurityGroupRuleId = SecurityGroupRules?.[0]?.SecurityGroupRuleId;
  const description = async () => (await groupOf(world, GroupId)).IpPermissions?.[0]?.IpRanges?.[0]?.Description;
  const update = (input: object) => world.run('UpdateSecurityGroupRuleDescriptionsIngress', { GroupId, ...input });
  await update({ IpPermissions: [{ ...tcp(80), IpRanges: [{ CidrIp: '0.0.0.0/0', Description: 'one' }] }] });
  assert.equal(await description(), 'one');
  await update({ SecurityGroupRuleDescriptions: [{ SecurityGroupRuleId, Description: 'two' }] });
  assert.equal(await description(), 'two');
  await update({ SecurityGroupRuleDescriptions: [{ SecurityGroupRuleId }] });
  assert.equal(await description(), undefined);
  await assert.rejects(update({ IpPermissions: [tcp(81, '0.0.0.0/0')] }), awsError('InvalidPermission.NotFound'));
});

test('rules are found by group, and a malformed group id in that filter is refused', async () => {
  const { world, GroupId, allow } = await makePlace();
  await allow(tcp(80, '0.0.0.0/0'));
  const rules = async (...Values: string[]) =>
    (
      await world.run<DescribeSecurityGroupRulesResult>('DescribeSecurityGroupRules', {
        Filters: [{ Name: 'group-id', Values }],
      })
    ).SecurityGroupRules;
  assert.deepEqual(
    (await rules(GroupId))?.map((rule) => rule.IsEgress),
    [true, false],
  );
  await assert.rejects(
    rules('foobar'),
    awsError('InvalidGroupId.Malformed', /The security group ID 'foobar' is malformed/),
  );
});

test('[S9] with AWS’s quotas a customer’s prefix list counts as its maximum of entries', async () => {
  const { world, GroupId } = await makePlace();
  const aws = { settings: { auth: 'strict', strictImages: false, quotas: 'aws', dataDirectory: '/' } } as const;
  const list = { PrefixListName: 'x', AddressFamily: 'IPv4', MaxEntries: 59 };
  const { PrefixList } = await world.run<{ PrefixList: { PrefixListId: string } }>('CreateManagedPrefixList', list);
  const allow = (permission: IpPermission) =>
    world.run('AuthorizeSecurityGroupIngress', { GroupId, IpPermissions: [permission] }, aws);
  await allow({ IpProtocol: '-1', PrefixListIds: [{ PrefixListId: PrefixList.PrefixListId }] });
  await allow(tcp(1, '0.0.0.0/0'));
  await assert.rejects(allow(tcp(2, '0.0.0.0/0')), awsError('RulesPerSecurityGroupLimitExceeded'));
  await allow({ ...tcp(2), Ipv6Ranges: [{ CidrIpv6: '::/0' }] });
});
