// Keys of several regions: one id and one material, and of everything else each its own.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import type * as SDK from '@aws-sdk/client-kms';
import { key as accessKey, allow, policy, user } from '../../authorize/testing.ts';
import type { BaseCall } from '../../service.ts';
import { awsError, makeStore, runAs, runOperation, testAccountId, testNow } from '../../testing.ts';
import { kms } from './index.ts';

const here = 'us-east-1';
const there = 'eu-west-1';
const third = 'ap-southeast-1';
const later = (days: number) => ({ now: new Date(testNow.getTime() + days * 24 * 3600 * 1000) });

async function started(input: object = {}) {
  const store = makeStore();
  const run = <O = Record<string, unknown>>(
    name: string,
    given: object,
    region = here,
    overrides: Partial<BaseCall> = {},
  ) => runOperation<O>(store, kms, name, given, { region, ...overrides });
  const { KeyMetadata } = await run<SDK.CreateKeyResponse>('CreateKey', { MultiRegion: true, ...input });
  const KeyId = KeyMetadata?.KeyId ?? '';
  const arn = (region: string) => `arn:aws:kms:${region}:${testAccountId}:key/${KeyId}`;
  const replicate = (ReplicaRegion: string, more: object = {}, region = here) =>
    run<SDK.ReplicateKeyResponse>('ReplicateKey', { KeyId, ReplicaRegion, ...more }, region);
  const described = async (region: string, overrides: Partial<BaseCall> = {}) =>
    (await run<SDK.DescribeKeyResponse>('DescribeKey', { KeyId }, region, overrides)).KeyMetadata;
  const seal = async (region: string) =>
    (await run<SDK.EncryptResponse>('Encrypt', { KeyId, Plaintext: Buffer.from('x') }, region)).CiphertextBlob;
  const open = (CiphertextBlob: Uint8Array | undefined, region: string) =>
    run<SDK.DecryptResponse>('Decrypt', { CiphertextBlob }, region);
  return { store, run, KeyId, KeyMetadata, arn, replicate, described, seal, open };
}

test('a replica has id and material of its primary key, and its own description, policy and tags', async () => {
  const { KeyId, KeyMetadata, arn, replicate, described, run } = await started({ Description: 'mine' });
  assert.match(KeyId, /^mrk-[0-9a-f]{32}$/);
  const configuration = (MultiRegionKeyType: string, replicas: string[]) => ({
    MultiRegionKeyType,
    PrimaryKey: { Arn: arn(here), Region: here },
    ReplicaKeys: replicas.map((Region) => ({ Arn: arn(Region), Region })),
  });
  assert.deepEqual(KeyMetadata?.MultiRegionConfiguration, configuration('PRIMARY', []));
  await assert.rejects(described(there), awsError('NotFoundException', `Key '${arn(there)}' does not exist`));
  const Tags = [{ TagKey: 'team', TagValue: 'blue' }];
  const made = await replicate(there, { Tags });
  assert.deepEqual(made.ReplicaTags, Tags);
  assert.match(made.ReplicaPolicy ?? '', /Enable IAM User Permissions/);
  assert.deepEqual(made.ReplicaKeyMetadata, {
    ...{ AWSAccountId: testAccountId, KeyId, Arn: arn(there), CreationDate: testNow, Enabled: false, Description: '' },
    ...{ KeyUsage: 'ENCRYPT_DECRYPT', KeyState: 'Creating', Origin: 'AWS_KMS', KeyManager: 'CUSTOMER' },
    ...{ CustomerMasterKeySpec: 'SYMMETRIC_DEFAULT', KeySpec: 'SYMMETRIC_DEFAULT' },
    ...{ EncryptionAlgorithms: ['SYMMETRIC_DEFAULT'], MultiRegion: true },
    MultiRegionConfiguration: configuration('REPLICA', [there]),
  });
  const replica = await described(there);
  assert.deepEqual(
    [replica?.KeyState, replica?.Enabled, replica?.CurrentKeyMaterialId],
    ['Enabled', true, KeyMetadata?.CurrentKeyMaterialId],
  );
  assert.deepEqual((await described(here))?.MultiRegionConfiguration, configuration('PRIMARY', [there]));
  assert.equal((await described(here))?.Description, 'mine');
  const listed = await run<SDK.ListResourceTagsResponse>('ListResourceTags', { KeyId });
  assert.deepEqual(listed.Tags, []);
});

test('what one has sealed each opens, and a key of one region alone opens in its own', async () => {
  const { KeyId, arn, replicate, run, seal, open } = await started();
  await replicate(there);
  for (const [from, to] of [
    [here, there],
    [there, here],
  ] as const) {
    const opened = await open(await seal(from), to);
    assert.deepEqual([String(opened.Plaintext), opened.KeyId], ['x', arn(to)]);
  }
  const elsewhere = awsError(
    'AccessDeniedException',
    /^The ciphertext refers to a customer master key that does not exist, /,
  );
  await assert.rejects(open(await seal(here), third), elsewhere);
  await run('DisableKey', { KeyId }, there);
  await open(await seal(here), here);
  await assert.rejects(open(await seal(here), there), awsError('DisabledException', `${arn(there)} is disabled.`));
  const single = (await run<SDK.CreateKeyResponse>('CreateKey', {})).KeyMetadata;
  const { CiphertextBlob } = await run<SDK.EncryptResponse>('Encrypt', {
    ...{ KeyId: single?.KeyId, Plaintext: Buffer.from('x') },
  });
  await open(CiphertextBlob, here);
  await assert.rejects(open(CiphertextBlob, there), elsewhere);
});

test('a pair of several regions is one pair', async () => {
  const { KeyId, replicate, run } = await started({ KeySpec: 'ECC_NIST_P256', KeyUsage: 'SIGN_VERIFY' });
  await replicate(there);
  const asked = { KeyId, Message: Buffer.from('x'), SigningAlgorithm: 'ECDSA_SHA_256' };
  const { Signature } = await run<SDK.SignResponse>('Sign', asked);
  await run('Verify', { ...asked, Signature }, there);
});

test('a primary key alone is replicated, once into each region of its partition', async () => {
  const { KeyId, arn, replicate, run } = await started();
  await replicate(there);
  await assert.rejects(replicate(there), awsError('AlreadyExistsException'));
  await assert.rejects(
    replicate(third, {}, there),
    awsError('UnsupportedOperationException', `${arn(there)} is not a multi-region primary key.`),
  );
  for (const region of [here, 'cn-north-1', 'moon-1'])
    await assert.rejects(replicate(region), awsError('ValidationException'));
  const single = (await run<SDK.CreateKeyResponse>('CreateKey', {})).KeyMetadata?.KeyId;
  await assert.rejects(
    run('ReplicateKey', { KeyId: single, ReplicaRegion: there }),
    awsError('UnsupportedOperationException', /is not a multi-region primary key[.]$/),
  );
  await run('DisableKey', { KeyId });
  await assert.rejects(replicate(third), awsError('DisabledException'));
});

test('a primary key rotates for all, and a replica does not', async () => {
  const { KeyId, replicate, run, described, seal, open } = await started();
  await replicate(there);
  const before = await seal(there);
  for (const operation of ['RotateKeyOnDemand', 'EnableKeyRotation', 'DisableKeyRotation'])
    await assert.rejects(run(operation, { KeyId }, there), awsError('UnsupportedOperationException'));
  await run('RotateKeyOnDemand', { KeyId });
  const [primary, replica] = [await described(here), await described(there)];
  assert.equal(primary?.CurrentKeyMaterialId, replica?.CurrentKeyMaterialId);
  await open(before, here);
  await open(await seal(here), there);
  const status = async (region: string) =>
    (await run<SDK.GetKeyRotationStatusResponse>('GetKeyRotationStatus', { KeyId }, region)).KeyRotationEnabled;
  await run('EnableKeyRotation', { KeyId });
  assert.deepEqual([await status(here), await status(there)], [true, true]);
  await run('DisableKeyRotation', { KeyId });
  assert.deepEqual([await status(here), await status(there)], [false, false]);
  // One that is made later has all of the materials.
  await replicate(third);
  await open(before, third);
});

test('a replica takes the place of its primary key', async () => {
  const { KeyId, arn, replicate, run, described } = await started();
  const update = (PrimaryRegion: string, region = here) => run('UpdatePrimaryRegion', { KeyId, PrimaryRegion }, region);
  await assert.rejects(update(there), awsError('NotFoundException', `Key '${arn(there)}' does not exist`));
  await replicate(there);
  await replicate(third);
  await assert.rejects(update(third, there), awsError('UnsupportedOperationException'));
  assert.deepEqual(await update(there), {});
  for (const region of [here, there, third]) {
    const told = (await described(region))?.MultiRegionConfiguration;
    assert.deepEqual(
      [told?.MultiRegionKeyType, told?.PrimaryKey?.Region, told?.ReplicaKeys?.map(({ Region }) => Region)],
      [region === there ? 'PRIMARY' : 'REPLICA', there, region === here ? [here, third] : [third, here].sort()],
    );
  }
  await run('RotateKeyOnDemand', { KeyId }, there);
  await assert.rejects(run('RotateKeyOnDemand', { KeyId }), awsError('UnsupportedOperationException'));
});

test('a primary key is deleted after its last replica', async () => {
  const { KeyId, replicate, run, described } = await started();
  await replicate(there);
  const schedule = (PendingWindowInDays: number, region: string) =>
    run<SDK.ScheduleKeyDeletionResponse>('ScheduleKeyDeletion', { KeyId, PendingWindowInDays }, region);
  const told = await schedule(7, here);
  assert.deepEqual([told.KeyState, told.DeletionDate], ['PendingReplicaDeletion', undefined]);
  await assert.rejects(schedule(7, here), awsError('KMSInvalidStateException'));
  await assert.rejects(run('EnableKey', { KeyId }), awsError('KMSInvalidStateException'));
  assert.equal((await described(here))?.PendingDeletionWindowInDays, 7);
  assert.equal((await described(here, later(100)))?.KeyState, 'PendingReplicaDeletion');
  // The replica is there still, and may stay.
  await schedule(10, there);
  await run('CancelKeyDeletion', { KeyId }, there);
  assert.equal((await described(here, later(100)))?.KeyState, 'PendingReplicaDeletion');
  await schedule(10, there);
  assert.equal((await described(here, later(9)))?.KeyState, 'PendingReplicaDeletion');
  const alone = await described(here, later(10));
  assert.deepEqual([alone?.KeyState, alone?.DeletionDate], ['PendingDeletion', later(17).now]);
  assert.deepEqual(alone?.MultiRegionConfiguration?.ReplicaKeys, []);
  await run('CreateKey', {}, here, later(11));
  await assert.rejects(described(here, later(17)), awsError('NotFoundException'));
  await run('CancelKeyDeletion', { KeyId }, here, later(12));
  assert.equal((await described(here, later(17)))?.KeyState, 'Disabled');
});

test('to replicate a key asks for the key here, and for a new one there', async () => {
  const { store, KeyId } = await started();
  const may = (region: string) =>
    policy(
      allow({ Action: ['kms:ReplicateKey'], Condition: { StringEquals: { 'kms:ReplicaRegion': [there, third] } } }),
      allow({ Action: ['kms:CreateKey'], Condition: { StringEquals: { 'aws:RequestedRegion': region } } }),
      allow({
        Action: ['kms:UpdatePrimaryRegion'],
        Condition: { StringEquals: { 'kms:MultiRegionKeyType': 'PRIMARY' } },
      }),
    );
  await store.transact((tx) => {
    tx.put('user', user('ana', { inlinePolicies: { p: may(there) } }));
    tx.put('access-key', accessKey({ kind: 'user', userName: 'ana' }, { id: 'ana' }));
  }).durable;
  const as = (operation: string, input: object) => runAs(store, 'ana', kms, operation, { KeyId, ...input });
  const denied = (action: string) => awsError('AccessDeniedException', new RegExp(`kms:${action}`));
  await assert.rejects(as('ReplicateKey', { ReplicaRegion: 'eu-west-2' }), denied('ReplicateKey'));
  await assert.rejects(as('ReplicateKey', { ReplicaRegion: third }), denied('CreateKey'));
  await as('ReplicateKey', { ReplicaRegion: there });
  await assert.rejects(as('UpdatePrimaryRegion', { PrimaryRegion: there }), denied('UpdatePrimaryRegion'));
});
