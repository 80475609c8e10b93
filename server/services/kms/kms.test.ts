// Keys, aliases, policies and what keys do; who may use a key is asked of the real policies.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import type * as SDK from '@aws-sdk/client-kms';
import type { BaseCall } from '../../service.ts';
import { awsError, makeStore, runAs, runOperation, testAccountId, testNow } from '../../testing.ts';
import { kms } from './index.ts';

const arnOf = (keyId: string) => `arn:aws:kms:us-east-1:${testAccountId}:key/${keyId}`;
const later = (days: number) => ({ now: new Date(testNow.getTime() + days * 24 * 3600 * 1000) });

function started() {
  const store = makeStore();
  const run = <O = Record<string, unknown>>(name: string, input: object = {}, overrides: Partial<BaseCall> = {}) =>
    runOperation<O>(store, kms, name, input, overrides);
  const create = async (input: object = {}) =>
    (await run<SDK.CreateKeyResponse>('CreateKey', input)).KeyMetadata as SDK.KeyMetadata & {
      KeyId: string;
      Arn: string;
    };
  return { store, run, create };
}

test('a key is named by id, ARN and alias, of its own region alone', async () => {
  const { run, create } = started();
  const { KeyId, Arn } = await create({ Description: 'mine' });
  assert.equal(Arn, arnOf(KeyId));
  await run('CreateAlias', { AliasName: 'alias/mine', TargetKeyId: KeyId });
  for (const named of [KeyId, Arn, 'alias/mine', `arn:aws:kms:us-east-1:${testAccountId}:alias/mine`])
    assert.equal((await run<SDK.DescribeKeyResponse>('DescribeKey', { KeyId: named })).KeyMetadata?.Arn, Arn);
  // Its settings know it by its own name alone.
  for (const operation of ['DisableKey', 'ScheduleKeyDeletion', 'GetKeyPolicy', 'EnableKeyRotation', 'TagResource'])
    await assert.rejects(
      run(operation, { KeyId: 'alias/mine' }),
      awsError('NotFoundException', "Invalid keyId 'alias/mine'"),
    );
  await assert.rejects(run('ListKeys', { Marker: 'x' }), awsError('InvalidMarkerException'));
  const elsewhere = { region: 'eu-west-1' };
  const missing = (KeyId: string, message: string, overrides = {}) =>
    assert.rejects(run('DescribeKey', { KeyId }, overrides), awsError('NotFoundException', message));
  await missing('fake-key-id', "Invalid keyId 'fake-key-id'");
  await missing(KeyId, `Key 'arn:aws:kms:eu-west-1:${testAccountId}:key/${KeyId}' does not exist`, elsewhere);
  await missing(Arn, 'Invalid arn us-east-1', elsewhere);
  await missing('alias/none', `Alias arn:aws:kms:us-east-1:${testAccountId}:alias/none is not found.`);
  await assert.rejects(run('DescribeKey', {}), awsError('ValidationException'));
});

test('aliases are unique, stand for keys alone, and not for those that AWS keeps', async () => {
  const { run, create } = started();
  const one = await create();
  const other = await create();
  const AliasName = 'alias/a/b_c-1';
  await run('CreateAlias', { AliasName, TargetKeyId: one.KeyId });
  await assert.rejects(
    run('CreateAlias', { AliasName, TargetKeyId: other.KeyId }),
    awsError(
      'AlreadyExistsException',
      /^An alias with the name arn:aws:kms:us-east-1:\d+:alias\/a\/b_c-1 already exists$/,
    ),
  );
  await run('UpdateAlias', { AliasName, TargetKeyId: other.KeyId });
  const { Aliases } = await run<SDK.ListAliasesResponse>('ListAliases', { KeyId: other.KeyId });
  assert.deepEqual(
    Aliases?.map((alias) => [alias.AliasName, alias.TargetKeyId]),
    [[AliasName, other.KeyId]],
  );
  for (const [name, target, code] of [
    ['alias/x', AliasName, 'ValidationException'],
    ['x', one.KeyId, 'ValidationException'],
    ['alias/x y', one.KeyId, 'ValidationException'],
    ['alias/aws/mine', one.KeyId, 'NotAuthorizedException'],
  ] as const)
    await assert.rejects(run('CreateAlias', { AliasName: name, TargetKeyId: target }), awsError(code));
  await run('DeleteAlias', { AliasName });
  await assert.rejects(run('DeleteAlias', { AliasName }), awsError('NotFoundException'));
});

test('aws/s3 is listed without a key before its first use, and describing it makes one', async () => {
  const { store, run } = started();
  await store.transact((tx) => {
    const of = { accountId: testAccountId, region: 'global' };
    tx.put('account', { ...of, id: testAccountId, createdAt: testNow.toISOString() });
    const rest = { secretAccessKey: 'x', status: 'Active', createDate: testNow.toISOString() } as const;
    tx.put('access-key', { ...of, ...rest, id: 'AKIAroot', owner: { kind: 'root' } });
  }).durable;
  const listed = async () => (await run<SDK.ListAliasesResponse>('ListAliases', {})).Aliases;
  const AliasName = 'alias/aws/s3';
  const AliasArn = `arn:aws:kms:us-east-1:${testAccountId}:${AliasName}`;
  assert.deepEqual(await listed(), [{ AliasName, AliasArn }]);
  const { KeyMetadata } = await runAs<SDK.DescribeKeyResponse>(store, 'AKIAroot', kms, 'DescribeKey', {
    KeyId: AliasArn,
  });
  assert.equal(KeyMetadata?.KeyManager, 'AWS');
  assert.deepEqual(
    (await listed())?.map((alias) => [alias.AliasName, alias.TargetKeyId]),
    [[AliasName, KeyMetadata?.KeyId]],
  );
});

test('a ciphertext opens with its key and its context, and with nothing else', async () => {
  const { run, create } = started();
  const { KeyId, Arn } = await create();
  const other = await create();
  const EncryptionContext = { b: '2', a: '1' };
  const { CiphertextBlob } = await run<SDK.EncryptResponse>('Encrypt', {
    KeyId,
    Plaintext: Buffer.from('secret'),
    EncryptionContext,
  });
  assert.ok(CiphertextBlob && !Buffer.from(CiphertextBlob).includes('secret'));
  const opened = await run<SDK.DecryptResponse>('Decrypt', { CiphertextBlob, EncryptionContext: { a: '1', b: '2' } });
  assert.deepEqual([Buffer.from(opened.Plaintext ?? []).toString(), opened.KeyId], ['secret', Arn]);
  const refused = (input: object, code: string) => assert.rejects(run('Decrypt', input), awsError(code));
  await refused({ CiphertextBlob }, 'InvalidCiphertextException');
  await refused({ CiphertextBlob: Buffer.from('nonsense'), EncryptionContext }, 'InvalidCiphertextException');
  await refused({ CiphertextBlob, EncryptionContext, KeyId: other.KeyId }, 'IncorrectKeyException');
  const torn = Buffer.from(CiphertextBlob);
  torn[torn.length - 1] = (torn[torn.length - 1] ?? 0) ^ 1;
  await refused({ CiphertextBlob: torn, EncryptionContext }, 'InvalidCiphertextException');

  const moved = await run<SDK.ReEncryptResponse>('ReEncrypt', {
    CiphertextBlob,
    SourceEncryptionContext: EncryptionContext,
    DestinationKeyId: other.KeyId,
  });
  const again = await run<SDK.DecryptResponse>('Decrypt', { CiphertextBlob: moved.CiphertextBlob });
  assert.deepEqual([Buffer.from(again.Plaintext ?? []).toString(), again.KeyId], ['secret', other.Arn]);

  const dataKey = await run<SDK.GenerateDataKeyResponse>('GenerateDataKey', { KeyId, KeySpec: 'AES_256' });
  assert.equal(dataKey.Plaintext?.length, 32);
  const back = await run<SDK.DecryptResponse>('Decrypt', { CiphertextBlob: dataKey.CiphertextBlob });
  assert.deepEqual(Buffer.from(back.Plaintext ?? []), Buffer.from(dataKey.Plaintext ?? []));
  await assert.rejects(run('GenerateDataKey', { KeyId }), awsError('ValidationException'));
  await assert.rejects(run('Encrypt', { KeyId, Plaintext: Buffer.alloc(4097) }), awsError('ValidationException'));
  await assert.rejects(run('GenerateRandom', {}), awsError('ValidationException', 'NumberOfBytes is required.'));
});

test('a disabled key does nothing, one that waits for its deletion neither, and after its day it is gone', async () => {
  const { run, create, store } = started();
  const { KeyId, Arn } = await create();
  const { CiphertextBlob } = await run<SDK.EncryptResponse>('Encrypt', { KeyId, Plaintext: Buffer.from('x') });
  await run('DisableKey', { KeyId });
  await assert.rejects(run('Decrypt', { CiphertextBlob }), awsError('DisabledException', `${Arn} is disabled.`));
  await run('EnableKey', { KeyId });
  await assert.rejects(run('ScheduleKeyDeletion', { KeyId, PendingWindowInDays: 6 }), awsError('ValidationException'));
  await run('ScheduleKeyDeletion', { KeyId, PendingWindowInDays: 7 });
  const pending = awsError('KMSInvalidStateException', `${Arn} is pending deletion.`);
  await assert.rejects(run('Decrypt', { CiphertextBlob }), pending);
  await assert.rejects(run('EnableKey', { KeyId }), pending);
  await run('CancelKeyDeletion', { KeyId });
  const { KeyMetadata } = await run<SDK.DescribeKeyResponse>('DescribeKey', { KeyId });
  assert.equal(KeyMetadata?.KeyState, 'Disabled');
  await run('ScheduleKeyDeletion', { KeyId, PendingWindowInDays: 7 });
  await assert.rejects(run('DescribeKey', { KeyId }, later(7)), awsError('NotFoundException'));
  // The material goes with the next call that makes a key.
  await run('CreateKey', {}, later(7));
  assert.equal(
    store.read((tx) => tx.get('kms-key', Arn)),
    undefined,
  );
});

test('a rotated key opens what it sealed before, and names the material that did', async () => {
  const { run, create } = started();
  const { KeyId, Arn, CurrentKeyMaterialId: first } = await create();
  assert.match(first ?? '', /^[0-9a-f]{64}$/);
  const seal = async () =>
    (await run<SDK.EncryptResponse>('Encrypt', { KeyId, Plaintext: Buffer.from('secret') })).CiphertextBlob;
  const before = await seal();
  assert.deepEqual(await run('RotateKeyOnDemand', { KeyId }, later(1)), { KeyId: Arn });
  const described = await run<SDK.DescribeKeyResponse>('DescribeKey', { KeyId });
  const second = described.KeyMetadata?.CurrentKeyMaterialId;
  assert.notEqual(second, first);
  for (const [CiphertextBlob, material] of [
    [before, first],
    [await seal(), second],
  ]) {
    const opened = await run<SDK.DecryptResponse>('Decrypt', { CiphertextBlob });
    assert.deepEqual([Buffer.from(opened.Plaintext ?? []).toString(), opened.KeyMaterialId], ['secret', material]);
  }
  const moved = await run<SDK.ReEncryptResponse>('ReEncrypt', { CiphertextBlob: before, DestinationKeyId: KeyId });
  assert.deepEqual([moved.SourceKeyMaterialId, moved.DestinationKeyMaterialId], [first, second]);
  const dataKey = await run<SDK.GenerateDataKeyResponse>('GenerateDataKey', { KeyId, KeySpec: 'AES_256' });
  assert.equal(dataKey.KeyMaterialId, second);

  const listed = (input: object = {}) => run<SDK.ListKeyRotationsResponse>('ListKeyRotations', { KeyId, ...input });
  const current = {
    KeyId,
    KeyMaterialId: second,
    KeyMaterialState: 'CURRENT',
    RotationDate: later(1).now,
    RotationType: 'ON_DEMAND',
  };
  assert.deepEqual(await listed(), { Rotations: [current], Truncated: false });
  const all = await listed({ IncludeKeyMaterial: 'ALL_KEY_MATERIAL' });
  assert.deepEqual(all.Rotations?.[1], { KeyId, KeyMaterialId: first, KeyMaterialState: 'NON_CURRENT' });
});

test('a key that is to be deleted does not rotate, until it stays', async () => {
  const { run, create } = started();
  const { KeyId } = await create();
  const isEnabled = async () =>
    (await run<SDK.GetKeyRotationStatusResponse>('GetKeyRotationStatus', { KeyId })).KeyRotationEnabled;
  await run('EnableKeyRotation', { KeyId });
  await run('ScheduleKeyDeletion', { KeyId });
  assert.equal(await isEnabled(), false);
  await run('CancelKeyDeletion', { KeyId });
  assert.equal(await isEnabled(), true);
});

test('a key is rotated by hand so often, and not while it is disabled', async () => {
  const { run, create } = started();
  const { KeyId, Arn } = await create();
  await run('DisableKey', { KeyId });
  await assert.rejects(run('RotateKeyOnDemand', { KeyId }), awsError('DisabledException', `${Arn} is disabled.`));
  await run('EnableKey', { KeyId });
  for (let count = 0; count < 25; count += 1) await run('RotateKeyOnDemand', { KeyId });
  await assert.rejects(
    run('RotateKeyOnDemand', { KeyId }),
    awsError(
      'LimitExceededException',
      `The on-demand rotations limit has been reached for the given keyId. No more on-demand rotations can be performed for this key: ${Arn}`,
    ),
  );
});

test('tags that are too long or too many are refused, of a new key too', async () => {
  const { create } = started();
  const tagged = (Tags: object[], code: string, message: string) =>
    assert.rejects(create({ Tags }), awsError(code, message));
  const fault = (value: string, member: string, most: number) =>
    `1 validation error detected: Value '${value}' at 'tags.1.member.${member}' failed to satisfy constraint: Member must have length less than or equal to ${most}`;
  const [name, value] = ['a'.repeat(129), 'v'.repeat(257)];
  await tagged([{ TagKey: name, TagValue: 'x' }], 'ValidationException', fault(name, 'tagKey', 128));
  await tagged([{ TagKey: 'x', TagValue: value }], 'ValidationException', fault(value, 'tagValue', 256));
  const many = Array.from({ length: 51 }, (_, index) => ({ TagKey: `k${index}`, TagValue: '' }));
  await tagged(many, 'TagException', 'Too many tags');
});

test('what is not there is refused by its name', async () => {
  const { create } = started();
  for (const input of [
    { KeySpec: 'SM2', KeyUsage: 'SIGN_VERIFY' },
    { KeySpec: 'ML_DSA_44', KeyUsage: 'SIGN_VERIFY' },
    { MultiRegion: true, Origin: 'EXTERNAL' },
    { Origin: 'EXTERNAL_KEY_STORE' },
    { CustomKeyStoreId: 'x' },
  ])
    await assert.rejects(create(input), awsError('UnsupportedOperationException'));
  await assert.rejects(create({ KeyUsage: 'SIGN_VERIFY' }), awsError('ValidationException'));
});

test('[E1] a key policy must itself allow, or hand on to IAM by naming the account', async () => {
  const { store, run, create } = started();
  const { KeyId, Arn } = await create();
  await store.transact((tx) => {
    const of = { accountId: testAccountId, region: 'global' };
    const user = (userName: string, actions: string[]) =>
      tx.put('user', {
        ...of,
        id: `${testAccountId}/${userName}`,
        path: '/',
        userName,
        userId: `AIDA${userName}`,
        createDate: testNow.toISOString(),
        attachedPolicyArns: [],
        inlinePolicies: actions.length
          ? {
              p: JSON.stringify({
                Version: '2012-10-17',
                Statement: [{ Effect: 'Allow', Action: actions, Resource: '*' }],
              }),
            }
          : {},
        tags: {},
      });
    user('ana', ['kms:*']);
    user('ben', []);
    for (const name of ['ana', 'ben'])
      tx.put('access-key', {
        ...of,
        id: `AKIA${name}`,
        secretAccessKey: 'x',
        status: 'Active',
        createDate: testNow.toISOString(),
        owner: { kind: 'user', userName: name },
      });
  }).durable;
  const as = (name: string, operation: string, input: object) => runAs(store, `AKIA${name}`, kms, operation, input);
  const encrypt = { KeyId, Plaintext: Buffer.from('x') };
  await as('ana', 'Encrypt', encrypt);
  await assert.rejects(
    as('ben', 'Encrypt', encrypt),
    awsError(
      'AccessDeniedException',
      `User: arn:aws:iam::${testAccountId}:user/ben is not authorized to perform: kms:Encrypt on resource: ${Arn} because no identity-based policy allows the kms:Encrypt action`,
    ),
  );
  const policy = (...statements: object[]) => JSON.stringify({ Version: '2012-10-17', Statement: statements });
  const ben = { AWS: `arn:aws:iam::${testAccountId}:user/ben` };
  const all = { Effect: 'Allow', Principal: ben, Action: 'kms:*', Resource: '*' };
  await run('PutKeyPolicy', { KeyId, Policy: policy(all) });
  await as('ben', 'Encrypt', encrypt);
  await assert.rejects(
    as('ana', 'Encrypt', encrypt),
    awsError('AccessDeniedException', /because no resource-based policy allows the kms:Encrypt action$/),
  );
  const onlyDecrypt = policy({ ...all, Action: 'kms:Decrypt' });
  await assert.rejects(
    as('ben', 'PutKeyPolicy', { KeyId, Policy: onlyDecrypt }),
    awsError('MalformedPolicyDocumentException', /will not allow you to update the key policy in the future/),
  );
  await as('ben', 'PutKeyPolicy', { KeyId, Policy: onlyDecrypt, BypassPolicyLockoutSafetyCheck: true });
  await assert.rejects(as('ben', 'PutKeyPolicy', { KeyId, Policy: policy(all) }), awsError('AccessDeniedException'));
  await assert.rejects(
    run('PutKeyPolicy', { KeyId, Policy: policy({ ...all, Principal: { AWS: 'nobody' } }) }),
    awsError('MalformedPolicyDocumentException', 'Policy contains a statement with one or more invalid principals.'),
  );
});

test('nobody is answered in the clear who asked for an attested recipient', async () => {
  const { run, create } = started();
  const { KeyId } = await create();
  const { CiphertextBlob } = await run<SDK.EncryptResponse>('Encrypt', { KeyId, Plaintext: new Uint8Array([1]) });
  const Recipient = { KeyEncryptionAlgorithm: 'RSAES_OAEP_SHA_256', AttestationDocument: new Uint8Array([1]) };
  const refused = awsError('UnsupportedOperationException', /attested recipients/);
  await assert.rejects(run('Decrypt', { CiphertextBlob, Recipient }), refused);
  await assert.rejects(run('GenerateRandom', { NumberOfBytes: 8, Recipient }), refused);
  const DryRunModifiers = ['IGNORE_CIPHERTEXT'];
  await assert.rejects(run('Decrypt', { CiphertextBlob, DryRunModifiers }), awsError('UnsupportedOperationException'));
});
