import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { DescribeNetworkAclsResult, NetworkAcl } from '@aws-sdk/client-ec2';
import { awsError } from '../../testing.ts';
import { makeSubnet, makeVpc, makeWorld, type World } from './testing.ts';

async function aclsOf(world: World, VpcId: string): Promise<NetworkAcl[]> {
  const Filters = [{ Name: 'vpc-id', Values: [VpcId] }];
  return (await world.run<DescribeNetworkAclsResult>('DescribeNetworkAcls', { Filters })).NetworkAcls ?? [];
}

async function makePlace() {
  const world = makeWorld();
  const vpcId = await makeVpc(world);
  const subnetId = await makeSubnet(world, vpcId);
  const { NetworkAcl } = await world.run<{ NetworkAcl: NetworkAcl }>('CreateNetworkAcl', { VpcId: vpcId });
  const NetworkAclId = NetworkAcl.NetworkAclId ?? '';
  const entry = (input: object) =>
    world.run('CreateNetworkAclEntry', {
      NetworkAclId,
      RuleNumber: 100,
      Egress: false,
      Protocol: '-1',
      RuleAction: 'allow',
      CidrBlock: '0.0.0.0/0',
      ...input,
    });
  const shown = async () => (await aclsOf(world, vpcId)).find((acl) => acl.NetworkAclId === NetworkAclId);
  return { world, vpcId, subnetId, NetworkAclId, NetworkAcl, entry, shown };
}

const numbers = (acl: NetworkAcl | undefined) =>
  acl?.Entries?.map((one) => [one.RuleNumber, one.Egress, one.RuleAction]);

test('[N1] the final deny is shown in both directions and cannot be touched', async () => {
  const { world, NetworkAcl, NetworkAclId, entry } = await makePlace();
  assert.deepEqual(NetworkAcl.Entries?.[0], {
    RuleNumber: 32767,
    Egress: true,
    Protocol: '-1',
    RuleAction: 'deny',
    CidrBlock: '0.0.0.0/0',
  });
  for (const RuleNumber of [0, -1, 32767, 40000])
    await assert.rejects(entry({ RuleNumber }), awsError('InvalidParameterValue'));
  await assert.rejects(
    world.run('DeleteNetworkAclEntry', { NetworkAclId, RuleNumber: 32767, Egress: false }),
    awsError('InvalidParameterValue'),
  );
  await entry({ RuleNumber: 32766 });
  await entry({ RuleNumber: 1 });
});

test('[N2] the default ACL allows everything at 100, a custom one nothing', async () => {
  const { world, vpcId, NetworkAcl } = await makePlace();
  assert.deepEqual(numbers(NetworkAcl), [
    [32767, true, 'deny'],
    [32767, false, 'deny'],
  ]);
  const own = (await aclsOf(world, vpcId)).find((acl) => acl.IsDefault);
  assert.deepEqual(numbers(own), [
    [100, true, 'allow'],
    [32767, true, 'deny'],
    [100, false, 'allow'],
    [32767, false, 'deny'],
  ]);
});

test('[N3] a new subnet is in the default ACL, and an association is replaced, never removed', async () => {
  const { world, vpcId, subnetId, NetworkAclId, shown } = await makePlace();
  const own = (await aclsOf(world, vpcId)).find((acl) => acl.IsDefault);
  assert.deepEqual(
    own?.Associations?.map((one) => one.SubnetId),
    [subnetId],
  );
  const AssociationId = own?.Associations?.[0]?.NetworkAclAssociationId;
  const replaced = await world.run<{ NewAssociationId: string }>('ReplaceNetworkAclAssociation', {
    AssociationId,
    NetworkAclId,
  });
  assert.deepEqual((await shown())?.Associations, [
    { NetworkAclAssociationId: replaced.NewAssociationId, NetworkAclId, SubnetId: subnetId },
  ]);
  assert.deepEqual((await aclsOf(world, vpcId)).find((acl) => acl.IsDefault)?.Associations, []);
  await assert.rejects(
    world.run('ReplaceNetworkAclAssociation', { AssociationId, NetworkAclId }),
    awsError('InvalidAssociationID.NotFound', `The association ID '${AssociationId}' does not exist`),
  );
  await assert.rejects(
    world.run('DeleteNetworkAcl', { NetworkAclId }),
    awsError('DependencyViolation', `The network ACL '${NetworkAclId}' has dependencies and cannot be deleted.`),
  );
});

test('[N3] a subnet and an ACL of different VPCs do not meet', async () => {
  const { world, vpcId, NetworkAclId } = await makePlace();
  assert.ok(vpcId);
  const other = await makeVpc(world);
  await makeSubnet(world, other);
  const AssociationId = (await aclsOf(world, other))[0]?.Associations?.[0]?.NetworkAclAssociationId;
  await assert.rejects(
    world.run('ReplaceNetworkAclAssociation', { AssociationId, NetworkAclId }),
    awsError('InvalidParameterValue', /belong to different networks/),
  );
});

test('[N5] an entry has one block, ports for tcp and udp, type and code for icmp', async () => {
  const { entry, shown } = await makePlace();
  await entry({ RuleNumber: 10, Protocol: '6', PortRange: { From: 80, To: 443 }, CidrBlock: '10.1.2.3/16' });
  await entry({ RuleNumber: 20, Protocol: 'icmp', IcmpTypeCode: { Type: 3, Code: 4 }, RuleAction: 'deny' });
  await entry({ RuleNumber: 30, Egress: true, CidrBlock: undefined, Ipv6CidrBlock: '::/0' });
  const entries = (await shown())?.Entries ?? [];
  assert.deepEqual(
    entries.find((one) => one.RuleNumber === 10),
    {
      RuleNumber: 10,
      Egress: false,
      Protocol: '6',
      RuleAction: 'allow',
      CidrBlock: '10.1.0.0/16',
      PortRange: { From: 80, To: 443 },
    },
  );
  assert.deepEqual(entries.find((one) => one.RuleNumber === 20)?.IcmpTypeCode, { Type: 3, Code: 4 });
  assert.equal(entries.find((one) => one.RuleNumber === 30)?.Ipv6CidrBlock, '::/0');
  const wrong: [object, string][] = [
    [{ Protocol: '6' }, 'MissingParameter'],
    [{ Protocol: '1' }, 'MissingParameter'],
    [{ Protocol: '6', PortRange: { From: 2, To: 1 } }, 'InvalidParameterValue'],
    [{ CidrBlock: 'x' }, 'InvalidParameterValue'],
    [{ CidrBlock: undefined }, 'MissingParameter'],
    [{ Ipv6CidrBlock: '::/0' }, 'InvalidParameterCombination'],
    [{ RuleAction: 'maybe' }, 'InvalidParameterValue'],
    [{ Egress: undefined }, 'MissingParameter'],
    [{ Protocol: '300' }, 'InvalidParameterValue'],
  ];
  for (const [input, code] of wrong) await assert.rejects(entry(input), awsError(code), JSON.stringify(input));
});

test('[N9] a number is taken once per direction', async () => {
  const { entry } = await makePlace();
  await entry({});
  await entry({ Egress: true });
  await assert.rejects(
    entry({}),
    awsError('NetworkAclEntryAlreadyExists', 'The network acl entry identified by 100 already exists.'),
  );
});

test('[N9] an entry is replaced and deleted by number and direction', async () => {
  const { world, NetworkAclId, entry, shown } = await makePlace();
  await entry({});
  const at = { NetworkAclId, RuleNumber: 100, Egress: false };
  await world.run('ReplaceNetworkAclEntry', { ...at, Protocol: '-1', RuleAction: 'deny', CidrBlock: '10.0.0.0/8' });
  assert.deepEqual(numbers(await shown())?.[1], [100, false, 'deny']);
  await assert.rejects(
    world.run('ReplaceNetworkAclEntry', {
      ...at,
      Egress: true,
      Protocol: '-1',
      RuleAction: 'deny',
      CidrBlock: '10.0.0.0/8',
    }),
    awsError('InvalidNetworkAclEntry.NotFound'),
  );
  await world.run('DeleteNetworkAclEntry', at);
  await assert.rejects(world.run('DeleteNetworkAclEntry', at), awsError('InvalidNetworkAclEntry.NotFound'));
});

test('[N9] the default ACL is not deleted', async () => {
  const { world, vpcId, NetworkAclId } = await makePlace();
  const own = (await aclsOf(world, vpcId)).find((acl) => acl.IsDefault)?.NetworkAclId;
  await assert.rejects(
    world.run('DeleteNetworkAcl', { NetworkAclId: own }),
    awsError('InvalidParameterValue', `cannot delete default network ACL ${own}`),
  );
  await world.run('DeleteNetworkAcl', { NetworkAclId });
});

test('[N9] with AWS’s quotas a direction has 20 rules, the final deny among them', async () => {
  const { world, NetworkAclId } = await makePlace();
  const aws = { settings: { auth: 'strict', strictImages: false, quotas: 'aws', dataDirectory: '/' } } as const;
  const entry = (RuleNumber: number, Egress = false) =>
    world.run(
      'CreateNetworkAclEntry',
      { NetworkAclId, RuleNumber, Egress, Protocol: '-1', RuleAction: 'allow', CidrBlock: '0.0.0.0/0' },
      aws,
    );
  for (let number = 1; number < 20; number += 1) await entry(number);
  await assert.rejects(entry(20), awsError('NetworkAclEntryLimitExceeded'));
  await entry(20, true);
});
