import assert from 'node:assert/strict';
import { test } from 'node:test';
import type {
  DescribeSecurityGroupReferencesResult,
  DescribeSecurityGroupRulesResult,
  DescribeSecurityGroupsResult,
  DescribeStaleSecurityGroupsResult,
} from '@aws-sdk/client-ec2';
import type { VpcId } from '@postern/network/snapshot.ts';
import type { BaseCall } from '../../service.ts';
import { awsError } from '../../testing.ts';
import { makeGroup, makeVpc, makeWorld, type World } from './testing.ts';

const account = '123456789012';
const stranger: Partial<BaseCall> = { accountId: '210987654321' };

/** A VPC with the group `web`, and a peered one, at `at`, with the group `db`. */
async function makePair(world: World, at: Partial<BaseCall> = {}, accept = true) {
  const VpcId = await makeVpc(world, '10.20.0.0/16');
  const peer = await world.run<{ Vpc: { VpcId: VpcId } }>('CreateVpc', { CidrBlock: '10.21.0.0/16' }, at);
  const PeerVpcId = peer.Vpc.VpcId;
  const web = await makeGroup(world, VpcId);
  const group = { VpcId: PeerVpcId, GroupName: 'db', Description: 'a test' };
  const { GroupId: db } = await world.run<{ GroupId: string }>('CreateSecurityGroup', group, at);
  const connect = async () => {
    const owner = { ...(at.accountId && { PeerOwnerId: at.accountId }), ...(at.region && { PeerRegion: at.region }) };
    const input = { VpcId, PeerVpcId, ...owner };
    const made = await world.run<{ VpcPeeringConnection: { VpcPeeringConnectionId: string } }>(
      ...(['CreateVpcPeeringConnection', input] as const),
    );
    return made.VpcPeeringConnection.VpcPeeringConnectionId;
  };
  const pcx = await connect();
  const act = (operation: string, id: string) =>
    world.run(`${operation}VpcPeeringConnection`, { VpcPeeringConnectionId: id }, at);
  if (accept) await act('Accept', pcx);
  const permission = (pair: object) => ({
    GroupId: web,
    IpPermissions: [{ IpProtocol: 'tcp', FromPort: 22, ToPort: 22, UserIdGroupPairs: [pair] }],
  });
  const authorize = (pair: object) => world.run('AuthorizeSecurityGroupIngress', permission(pair));
  const revoke = (pair: object) => world.run('RevokeSecurityGroupIngress', permission(pair));
  const pairs = async () => {
    const shown = await world.run<DescribeSecurityGroupsResult>('DescribeSecurityGroups', { GroupIds: [web] });
    return shown.SecurityGroups?.[0]?.IpPermissions?.flatMap((one) => one.UserIdGroupPairs ?? []);
  };
  const stale = async () =>
    (await world.run<DescribeStaleSecurityGroupsResult>('DescribeStaleSecurityGroups', { VpcId }))
      .StaleSecurityGroupSet;
  return { VpcId, PeerVpcId, web, db, pcx, connect, act, authorize, revoke, pairs, stale };
}

test('[S7] [P7] a rule names a group of a peered VPC, also another account’s, and shows over which peering', async () => {
  const world = makeWorld();
  const { PeerVpcId, web, db, pcx, authorize, revoke, pairs } = await makePair(world, stranger);
  const unknown = awsError('InvalidGroup.NotFound', `The security group '${db}' does not exist`);
  await assert.rejects(authorize({ GroupId: db }), unknown);
  await assert.rejects(authorize({ GroupId: db, UserId: '333333333333' }), unknown);
  await assert.rejects(
    authorize({ GroupId: db, UserId: stranger.accountId, VpcPeeringConnectionId: 'pcx-00000000000000000' }),
    awsError('InvalidGroup.NotFound'),
  );
  await authorize({ GroupId: db, UserId: stranger.accountId, VpcPeeringConnectionId: pcx });
  const expected = {
    GroupId: db,
    UserId: stranger.accountId,
    VpcId: PeerVpcId,
    VpcPeeringConnectionId: pcx,
    PeeringStatus: 'active',
  };
  assert.deepEqual(await pairs(), [expected]);
  await assert.rejects(authorize({ GroupId: db, UserId: stranger.accountId }), awsError('InvalidPermission.Duplicate'));
  const Filters = [{ Name: 'group-id', Values: [web] }];
  const { SecurityGroupRules } = await world.run<DescribeSecurityGroupRulesResult>(
    ...(['DescribeSecurityGroupRules', { Filters }] as const),
  );
  const rule = SecurityGroupRules?.find((one) => one.ReferencedGroupInfo);
  assert.deepEqual(rule?.ReferencedGroupInfo, expected);
  await revoke({ GroupId: db, UserId: stranger.accountId });
  assert.deepEqual(await pairs(), []);
  await authorize({ GroupId: `${stranger.accountId}/${db}` });
  await revoke({ GroupName: `${stranger.accountId}/${db}` });
  await authorize({ GroupName: `${stranger.accountId}/${db}` });
  assert.deepEqual(await pairs(), [expected]);
  const named = async (Name: string, value: string) =>
    (
      await world.run<DescribeSecurityGroupsResult>(
        ...(['DescribeSecurityGroups', { Filters: [{ Name, Values: [value] }] }] as const),
      )
    ).SecurityGroups?.map((one) => one.GroupId);
  assert.deepEqual(await named('ip-permission.group-id', db), [web]);
  assert.deepEqual(await named('ip-permission.user-id', stranger.accountId ?? ''), [web]);
  assert.deepEqual(await named('ip-permission.group-name', 'db'), []);
});

test('[S5] [S7] without an active peering, or from another region, a group of another VPC is refused', async () => {
  const world = makeWorld();
  const waiting = await makePair(world, {}, false);
  const otherNetwork = awsError(
    'InvalidGroup.NotFound',
    'You have specified two resources that belong to different networks.',
  );
  await assert.rejects(waiting.authorize({ GroupId: waiting.db }), otherNetwork);
  const foreign = await makePair(world, stranger, false);
  const invisible = awsError('InvalidGroup.NotFound', `The security group '${foreign.db}' does not exist`);
  await assert.rejects(foreign.authorize({ GroupId: foreign.db, UserId: stranger.accountId }), invisible);
  await foreign.act('Accept', foreign.pcx);
  // The peering of one VPC is not that of another.
  await assert.rejects(
    waiting.authorize({ GroupId: foreign.db, UserId: stranger.accountId }),
    awsError('InvalidGroup.NotFound'),
  );
  const abroad = await makePair(world, { region: 'eu-west-1' });
  await assert.rejects(abroad.authorize({ GroupId: abroad.db }), awsError('InvalidGroup.NotFound'));
});

test('[S8] [P10] a reference stays when its group or its peering goes, is told as stale, and counts again', async () => {
  const world = makeWorld();
  const { PeerVpcId, VpcId, web, db, pcx, connect, act, authorize, revoke, pairs, stale } = await makePair(world);
  await authorize({ GroupId: db });
  assert.deepEqual(await stale(), []);
  await act('Delete', pcx);
  const [one] = (await stale()) ?? [];
  assert.equal(one?.GroupId, web);
  assert.equal(one?.VpcId, VpcId);
  assert.deepEqual(one?.StaleIpPermissionsEgress, []);
  assert.deepEqual(one?.StaleIpPermissions, [
    {
      IpProtocol: 'tcp',
      FromPort: 22,
      ToPort: 22,
      IpRanges: [],
      PrefixListIds: [],
      UserIdGroupPairs: [
        { GroupId: db, UserId: account, VpcId: PeerVpcId, VpcPeeringConnectionId: pcx, PeeringStatus: 'deleted' },
      ],
    },
  ]);
  const again = await connect();
  await act('Accept', again);
  assert.deepEqual(await stale(), []);
  assert.equal((await pairs())?.[0]?.VpcPeeringConnectionId, again);
  // A peer's rule does not keep the group.
  await world.run('DeleteSecurityGroup', { GroupId: db });
  const [orphan] = (await stale()) ?? [];
  assert.deepEqual(orphan?.StaleIpPermissions?.[0]?.UserIdGroupPairs, [
    { GroupId: db, VpcId: PeerVpcId, VpcPeeringConnectionId: again, PeeringStatus: 'active' },
  ]);
  await revoke({ GroupId: db });
  assert.deepEqual(await stale(), []);
  await assert.rejects(revoke({ GroupId: db }), awsError('InvalidGroup.NotFound'));
});

test('[S7] DescribeSecurityGroupReferences tells the peers that name a group, each once', async () => {
  const world = makeWorld();
  const { VpcId, db, pcx, authorize, act } = await makePair(world, stranger);
  await authorize({ GroupId: db, UserId: stranger.accountId });
  const references = async (ids: string[], at: Partial<BaseCall> = stranger) =>
    (
      await world.run<DescribeSecurityGroupReferencesResult>(
        ...(['DescribeSecurityGroupReferences', { GroupId: ids }, at] as const),
      )
    ).SecurityGroupReferenceSet;
  assert.deepEqual(await references([db]), [{ GroupId: db, ReferencingVpcId: VpcId, VpcPeeringConnectionId: pcx }]);
  await assert.rejects(references([db], {}), awsError('InvalidGroup.NotFound'));
  await assert.rejects(references([]), awsError('MissingParameter'));
  await act('Delete', pcx);
  assert.deepEqual(await references([db]), []);
});
