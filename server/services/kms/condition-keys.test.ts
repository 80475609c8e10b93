// What policies may ask about a request for a key. https://docs.aws.amazon.com/kms/latest/developerguide/conditions-kms.html (read 2026-11-21)

import assert from 'node:assert/strict';
import { test } from 'node:test';
import type * as SDK from '@aws-sdk/client-kms';
import { makeCall, makeStore, runOperation } from '../../testing.ts';
import { kms } from './index.ts';

const Tags = [{ TagKey: 'team', TagValue: 'blue' }];

async function started() {
  const store = makeStore();
  const run = <O>(name: string, input: object = {}) => runOperation<O>(store, kms, name, input);
  const { KeyMetadata } = await run<SDK.CreateKeyResponse>('CreateKey', { Tags });
  const KeyId = KeyMetadata?.KeyId ?? '';
  await run('CreateAlias', { AliasName: 'alias/mine', TargetKeyId: KeyId });
  const keysOf = (name: string, input: object) => {
    const { authorize } = kms.operations[name] ?? {};
    assert.ok(typeof authorize === 'function', name);
    return store.read((tx) => authorize(makeCall(tx, { service: 'kms', operation: name }), input))[0]?.context ?? {};
  };
  return { run, KeyId, keysOf };
}

test('a request tells what it asks with: the alias, the tags, the days, the lockout check', async () => {
  const { KeyId, keysOf } = await started();
  for (const [name, input, key, value] of [
    ['CreateKey', { Tags }, 'aws:RequestTag/team', 'blue'],
    ['CreateKey', { Tags }, 'aws:TagKeys', 'team'],
    ['CreateKey', {}, 'kms:BypassPolicyLockoutSafetyCheck', 'false'],
    ['CreateKey', {}, 'kms:MultiRegion', 'false'],
    ['TagResource', { KeyId, Tags }, 'aws:RequestTag/team', 'blue'],
    ['UntagResource', { KeyId, TagKeys: ['team'] }, 'aws:TagKeys', 'team'],
    ['PutKeyPolicy', { KeyId, BypassPolicyLockoutSafetyCheck: true }, 'kms:BypassPolicyLockoutSafetyCheck', 'true'],
    ['ScheduleKeyDeletion', { KeyId, PendingWindowInDays: 9 }, 'kms:ScheduleKeyDeletionPendingWindowInDays', '9'],
    ['EnableKeyRotation', { KeyId, RotationPeriodInDays: 90 }, 'kms:RotationPeriodInDays', '90'],
    ['DescribeKey', { KeyId: 'alias/mine' }, 'kms:RequestAlias', 'alias/mine'],
    ['DescribeKey', { KeyId }, 'kms:ResourceAliases', 'alias/mine'],
    ['DescribeKey', { KeyId }, 'aws:ResourceTag/team', 'blue'],
    ['Encrypt', { KeyId: 'alias/mine' }, 'kms:EncryptionAlgorithm', 'SYMMETRIC_DEFAULT'],
    ['GenerateDataKey', { KeyId }, 'kms:EncryptionAlgorithm', 'SYMMETRIC_DEFAULT'],
  ] as const)
    assert.deepEqual(keysOf(name, input)[key], [value], `${name} ${key}`);
});

test('what kind of key it is, and by which algorithm it is used, is told to policies', async () => {
  const { run, KeyId: symmetric, keysOf } = await started();
  const create = async (KeySpec: string, KeyUsage: string) =>
    (await run<SDK.CreateKeyResponse>('CreateKey', { KeySpec, KeyUsage })).KeyMetadata?.KeyId ?? '';
  const rsa = await create('RSA_2048', 'ENCRYPT_DECRYPT');
  const signer = await create('ECC_NIST_P256', 'SIGN_VERIFY');
  const hmac = await create('HMAC_256', 'GENERATE_VERIFY_MAC');
  const Plaintext = Buffer.from('x');
  const { CiphertextBlob } = await run<SDK.EncryptResponse>('Encrypt', { KeyId: symmetric, Plaintext });
  const move = { CiphertextBlob, DestinationKeyId: rsa, DestinationEncryptionAlgorithm: 'RSAES_OAEP_SHA_1' };
  const wrapped = { KeyId: rsa, CiphertextBlob, EncryptionAlgorithm: 'RSAES_OAEP_SHA_256' };
  for (const [name, input, key, value] of [
    ['CreateKey', { KeySpec: 'HMAC_256', KeyUsage: 'GENERATE_VERIFY_MAC' }, 'kms:KeySpec', 'HMAC_256'],
    ['CreateKey', { KeySpec: 'HMAC_256', KeyUsage: 'GENERATE_VERIFY_MAC' }, 'kms:KeyUsage', 'GENERATE_VERIFY_MAC'],
    ['CreateKey', {}, 'kms:KeySpec', 'SYMMETRIC_DEFAULT'],
    ['DescribeKey', { KeyId: signer }, 'kms:KeySpec', 'ECC_NIST_P256'],
    ['DescribeKey', { KeyId: signer }, 'kms:KeyUsage', 'SIGN_VERIFY'],
    ['Encrypt', { KeyId: rsa, EncryptionAlgorithm: 'RSAES_OAEP_SHA_1' }, 'kms:EncryptionAlgorithm', 'RSAES_OAEP_SHA_1'],
    ['Decrypt', wrapped, 'kms:EncryptionAlgorithm', 'RSAES_OAEP_SHA_256'],
    ['Decrypt', wrapped, 'kms:KeySpec', 'RSA_2048'],
    ['ReEncrypt', move, 'kms:EncryptionAlgorithm', 'SYMMETRIC_DEFAULT'],
    ['Sign', { KeyId: signer, SigningAlgorithm: 'ECDSA_SHA_256' }, 'kms:SigningAlgorithm', 'ECDSA_SHA_256'],
    ['Sign', { KeyId: signer, SigningAlgorithm: 'ECDSA_SHA_256' }, 'kms:MessageType', 'RAW'],
    ['Verify', { KeyId: signer, MessageType: 'DIGEST' }, 'kms:MessageType', 'DIGEST'],
    ['GenerateMac', { KeyId: hmac, MacAlgorithm: 'HMAC_SHA_256' }, 'kms:MacAlgorithm', 'HMAC_SHA_256'],
    ['DeriveSharedSecret', { KeyId: signer, KeyAgreementAlgorithm: 'ECDH' }, 'kms:KeyAgreementAlgorithm', 'ECDH'],
    ['GenerateDataKeyPair', { KeyId: symmetric, KeyPairSpec: 'RSA_2048' }, 'kms:DataKeyPairSpec', 'RSA_2048'],
    ['GenerateDataKeyPair', { KeyId: symmetric }, 'kms:EncryptionAlgorithm', 'SYMMETRIC_DEFAULT'],
  ] as const)
    assert.deepEqual(keysOf(name, input)[key], [value], `${name} ${key}`);
  assert.equal(keysOf('DescribeKey', { KeyId: signer })['kms:MessageType'], undefined);
});

test('what a request does not ask with is absent', async () => {
  const { KeyId, keysOf } = await started();
  const keys = keysOf('DescribeKey', { KeyId });
  for (const key of ['kms:RequestAlias', 'kms:EncryptionAlgorithm', 'aws:TagKeys', 'aws:RequestTag/team'])
    assert.equal(keys[key], undefined, key);
});

test('an encryption anew says whether it stays under its key', async () => {
  const { run, KeyId, keysOf } = await started();
  const other = (await run<SDK.CreateKeyResponse>('CreateKey')).KeyMetadata?.KeyId ?? '';
  const { CiphertextBlob } = await run<SDK.EncryptResponse>('Encrypt', { KeyId, Plaintext: Buffer.from('x') });
  for (const [DestinationKeyId, same] of [
    [KeyId, 'true'],
    [other, 'false'],
  ] as const)
    assert.deepEqual(keysOf('ReEncrypt', { CiphertextBlob, DestinationKeyId })['kms:ReEncryptOnSameKey'], [same]);
});
