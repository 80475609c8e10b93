import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { GetManagedPrefixListEntriesResult, ManagedPrefixList } from '@aws-sdk/client-ec2';
import { awsError } from '../../testing.ts';
import { makeGroup, makeVpc, makeWorld } from './testing.ts';

async function makePlace() {
  const world = makeWorld();
  const create = async (input: object = {}) =>
    (await world.run<{ PrefixList: ManagedPrefixList }>('CreateManagedPrefixList', {
      PrefixListName: 'office', AddressFamily: 'IPv4', MaxEntries: 3, Entries: [{ Cidr: '192.0.2.9/24', Description: 'hq' }], ...input,
    })).PrefixList; // biome-ignore format: one list
  const entries = async (PrefixListId: string | undefined, TargetVersion?: number) =>
    (await world.run<GetManagedPrefixListEntriesResult>('GetManagedPrefixListEntries', { PrefixListId, TargetVersion }))
      .Entries;
  const modify = async (PrefixListId: string | undefined, input: object) =>
    (await world.run<{ PrefixList: ManagedPrefixList }>('ModifyManagedPrefixList', { PrefixListId, ...input }))
      .PrefixList;
  return { world, create, entries, modify };
}

test('AWS’s own lists of the region are shown, with the ids that us-east-1 has, and cannot be changed', async () => {
  const { world, entries, modify } = await makePlace();
  const { PrefixLists } = await world.run<{ PrefixLists: ManagedPrefixList[] }>('DescribeManagedPrefixLists');
  assert.deepEqual(
    PrefixLists.map((list) => [list.PrefixListId, list.PrefixListName, list.OwnerId]),
    [
      ['pl-63a5400a', 'com.amazonaws.us-east-1.s3', 'AWS'],
      ['pl-02cd2c6b', 'com.amazonaws.us-east-1.dynamodb', 'AWS'],
    ],
  );
  assert.deepEqual(await entries('pl-63a5400a'), [{ Cidr: '198.18.1.0/26' }]);
  await assert.rejects(modify('pl-63a5400a', { PrefixListName: 'x' }), awsError('InvalidParameterValue'));
  await assert.rejects(
    world.run('DeleteManagedPrefixList', { PrefixListId: 'pl-63a5400a' }),
    awsError('InvalidParameterValue'),
  );
  const services = await world.run<{ PrefixLists: object[] }>('DescribePrefixLists', {
    Filters: [{ Name: 'prefix-list-name', Values: ['*.s3'] }],
  });
  assert.deepEqual(services.PrefixLists, [
    { PrefixListId: 'pl-63a5400a', PrefixListName: 'com.amazonaws.us-east-1.s3', Cidrs: ['198.18.1.0/26'] },
  ]);
});

test('a list is made in progress and complete at the next look; host bits are cleared', async () => {
  const { world, create, entries } = await makePlace();
  const made = await create();
  assert.deepEqual([made.State, made.Version, made.MaxEntries], ['create-in-progress', 1, 3]);
  const { PrefixLists } = await world.run<{ PrefixLists: ManagedPrefixList[] }>('DescribeManagedPrefixLists', {
    PrefixListIds: [made.PrefixListId],
  });
  assert.equal(PrefixLists[0]?.State, 'create-complete');
  assert.deepEqual(await entries(made.PrefixListId), [{ Cidr: '192.0.2.0/24', Description: 'hq' }]);
});

test('a change of entries is a new version; older ones can be read and restored', async () => {
  const { world, create, entries, modify } = await makePlace();
  const { PrefixListId } = await create();
  const changed = await modify(PrefixListId, {
    CurrentVersion: 1,
    AddEntries: [{ Cidr: '198.51.100.0/24' }],
    RemoveEntries: [{ Cidr: '192.0.2.0/24' }],
  });
  assert.deepEqual([changed.Version, changed.State], [2, 'modify-in-progress']);
  assert.deepEqual(await entries(PrefixListId), [{ Cidr: '198.51.100.0/24' }]);
  assert.deepEqual(await entries(PrefixListId, 1), [{ Cidr: '192.0.2.0/24', Description: 'hq' }]);
  await assert.rejects(
    modify(PrefixListId, { CurrentVersion: 1, AddEntries: [{ Cidr: '10.0.0.0/8' }] }),
    awsError('PrefixListVersionMismatch'),
  );
  const restored = await world.run<{ PrefixList: ManagedPrefixList }>('RestoreManagedPrefixListVersion', {
    PrefixListId,
    PreviousVersion: 1,
    CurrentVersion: 2,
  });
  assert.equal(restored.PrefixList.Version, 3);
  assert.deepEqual(await entries(PrefixListId), [{ Cidr: '192.0.2.0/24', Description: 'hq' }]);
});

test('what does not fit or does not exist is refused', async () => {
  const { create, entries, modify } = await makePlace();
  const { PrefixListId } = await create();
  const four = ['10.0.0.0/8', '11.0.0.0/8', '12.0.0.0/8'].map((Cidr) => ({ Cidr }));
  await assert.rejects(
    modify(PrefixListId, { CurrentVersion: 1, AddEntries: four }),
    awsError('PrefixListMaxEntriesExceeded'),
  );
  await assert.rejects(
    modify(PrefixListId, { CurrentVersion: 1, RemoveEntries: [{ Cidr: '10.0.0.0/8' }] }),
    awsError('InvalidParameterValue'),
  );
  await assert.rejects(modify(PrefixListId, { AddEntries: [{ Cidr: '10.0.0.0/8' }] }), awsError('MissingParameter'));
  await assert.rejects(create({ PrefixListName: 'com.amazonaws.mine' }), awsError('InvalidParameterValue'));
  await assert.rejects(create({ Entries: [{ Cidr: 'x' }] }), awsError('InvalidParameterValue'));
  await assert.rejects(
    create({ Entries: [{ Cidr: '10.0.0.0/8' }, { Cidr: '10.1.0.0/8' }] }),
    awsError('InvalidParameterValue'),
  );
  await assert.rejects(create({ MaxEntries: 0 }), awsError('InvalidParameterValue'));
  await assert.rejects(entries(PrefixListId, 9), awsError('InvalidPrefixListVersion'));
});

test('[S9] a list that a rule names is in use until the rule goes', async () => {
  const { world, create } = await makePlace();
  const { PrefixListId } = await create();
  const GroupId = await makeGroup(world, await makeVpc(world));
  const rule = { GroupId, IpPermissions: [{ IpProtocol: '-1', PrefixListIds: [{ PrefixListId }] }] };
  await world.run('AuthorizeSecurityGroupIngress', rule);
  assert.deepEqual(await world.run('GetManagedPrefixListAssociations', { PrefixListId }), {
    PrefixListAssociations: [{ ResourceId: GroupId, ResourceOwner: '123456789012' }],
  });
  await assert.rejects(world.run('DeleteManagedPrefixList', { PrefixListId }), awsError('DependencyViolation'));
  await world.run('RevokeSecurityGroupIngress', rule);
  await world.run('DeleteManagedPrefixList', { PrefixListId });
  await assert.rejects(
    world.run('GetManagedPrefixListEntries', { PrefixListId }),
    awsError('InvalidPrefixListID.NotFound'),
  );
});
