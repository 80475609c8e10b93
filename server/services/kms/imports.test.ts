// Keys whose material the customer brings: wrapped by OpenSSL as a customer would, imported, used, ended, brought again.

import assert from 'node:assert/strict';
import * as crypto from 'node:crypto';
import { test } from 'node:test';
import type * as SDK from '@aws-sdk/client-kms';
import type { BaseCall } from '../../service.ts';
import { awsError, makeCall, makeStore, runOperation, testNow } from '../../testing.ts';
import { kms } from './index.ts';

type Made = SDK.KeyMetadata & { KeyId: string; Arn: string };

const later = (hours: number) => ({ now: new Date(testNow.getTime() + hours * 3600 * 1000) });
const forEver = { ExpirationModel: 'KEY_MATERIAL_DOES_NOT_EXPIRE' };
const anew = { ...forEver, ImportType: 'NEW_KEY_MATERIAL' };
const secret = () => crypto.randomBytes(32);

function started() {
  const store = makeStore();
  const run = <O = Record<string, unknown>>(name: string, input: object = {}, overrides: Partial<BaseCall> = {}) =>
    runOperation<O>(store, kms, name, input, overrides);
  const create = async (input: object = {}) =>
    (await run<SDK.CreateKeyResponse>('CreateKey', { Origin: 'EXTERNAL', ...input })).KeyMetadata as Made;
  const described = async (KeyId: string, overrides: Partial<BaseCall> = {}) =>
    (await run<SDK.DescribeKeyResponse>('DescribeKey', { KeyId }, overrides)).KeyMetadata;
  const parameters = (KeyId: string, WrappingAlgorithm = 'RSAES_OAEP_SHA_256', overrides: Partial<BaseCall> = {}) =>
    run<SDK.GetParametersForImportResponse>(
      'GetParametersForImport',
      { KeyId, WrappingAlgorithm, WrappingKeySpec: 'RSA_2048' },
      overrides,
    );
  /** One wrapping key for all imports into a key. */
  const importer = async (KeyId: string, algorithm = 'RSAES_OAEP_SHA_256') => {
    const { ImportToken, PublicKey } = await parameters(KeyId, algorithm);
    return (bytes: Uint8Array, more: object = forEver, overrides: Partial<BaseCall> = {}) =>
      run<SDK.ImportKeyMaterialResponse>(
        'ImportKeyMaterial',
        { KeyId, ImportToken, EncryptedKeyMaterial: wrapped(algorithm, PublicKey, bytes), ...more },
        overrides,
      );
  };
  const seal = async (KeyId: string) =>
    (await run<SDK.EncryptResponse>('Encrypt', { KeyId, Plaintext: Buffer.from('x') })).CiphertextBlob;
  return { store, run, create, described, parameters, importer, seal };
}

function wrapped(algorithm: string, publicKey: Uint8Array | undefined, bytes: Uint8Array): Buffer {
  const key = crypto.createPublicKey({ key: Buffer.from(publicKey ?? []), format: 'der', type: 'spki' });
  const oaepHash = algorithm.endsWith('_1') ? 'sha1' : 'sha256';
  if (algorithm.startsWith('RSAES')) return crypto.publicEncrypt({ key, oaepHash }, bytes);
  const aesKey = secret();
  const cipher = crypto.createCipheriv('id-aes256-wrap-pad', aesKey, Buffer.from('a65959a6', 'hex'));
  return Buffer.concat([crypto.publicEncrypt({ key, oaepHash }, aesKey), cipher.update(bytes), cipher.final()]);
}

test('a key waits for its material, is used with it, and waits again when it is deleted', async () => {
  const { run, create, described, parameters, importer, seal } = started();
  const { KeyId, Arn, KeyState, Enabled, Origin, CurrentKeyMaterialId } = await create();
  assert.deepEqual([KeyState, Enabled, Origin, CurrentKeyMaterialId], ['PendingImport', false, 'EXTERNAL', undefined]);
  const pending = awsError('KMSInvalidStateException', `${Arn} is pending import.`);
  await assert.rejects(seal(KeyId), pending);
  for (const operation of ['EnableKey', 'DisableKey', 'RotateKeyOnDemand'])
    await assert.rejects(run(operation, { KeyId }), pending);
  const { ParametersValidTo, KeyId: told } = await parameters(KeyId);
  assert.deepEqual([told, ParametersValidTo], [Arn, later(24).now]);

  const bring = await importer(KeyId);
  const bytes = secret();
  await assert.rejects(
    bring(bytes, {}),
    awsError('ValidationException', 'A validTo date must be set if the ExpirationModel is KEY_MATERIAL_EXPIRES'),
  );
  const { KeyMaterialId, KeyId: into } = await bring(bytes);
  assert.match(KeyMaterialId ?? '', /^[0-9a-f]{64}$/);
  assert.equal(into, Arn);
  const after = await described(KeyId);
  assert.deepEqual(
    [after?.KeyState, after?.Enabled, after?.ExpirationModel, after?.CurrentKeyMaterialId],
    ['Enabled', true, 'KEY_MATERIAL_DOES_NOT_EXPIRE', KeyMaterialId],
  );
  const CiphertextBlob = await seal(KeyId);

  assert.deepEqual(await run('DeleteImportedKeyMaterial', { KeyId }), { KeyId: Arn, KeyMaterialId });
  const gone = await described(KeyId);
  assert.deepEqual(
    [gone?.KeyState, gone?.Enabled, gone?.ExpirationModel, gone?.CurrentKeyMaterialId],
    ['PendingImport', false, undefined, KeyMaterialId],
  );
  await assert.rejects(run('Decrypt', { CiphertextBlob }), pending);
  const others = awsError('IncorrectKeyMaterialException');
  await assert.rejects(bring(secret()), others);
  await assert.rejects(bring(bytes, anew), others);
  assert.equal((await bring(bytes)).KeyMaterialId, KeyMaterialId);
  const opened = await run<SDK.DecryptResponse>('Decrypt', { CiphertextBlob });
  assert.equal(String(opened.Plaintext), 'x');
});

test('material ends on its day, unless it is brought again before', async () => {
  const { run, create, described, importer, seal, store } = started();
  const { KeyId, Arn } = await create();
  const bring = await importer(KeyId);
  const bytes = secret();
  const until = (hours: number) => ({ ExpirationModel: 'KEY_MATERIAL_EXPIRES', ValidTo: later(hours).now });
  for (const wrong of [until(0), until(366 * 24), { ...forEver, ValidTo: later(1).now }])
    await assert.rejects(bring(bytes, wrong), awsError('ValidationException'));
  await bring(bytes, until(2));
  const told = await described(KeyId);
  assert.deepEqual([told?.ExpirationModel, told?.ValidTo], ['KEY_MATERIAL_EXPIRES', later(2).now]);
  const CiphertextBlob = await seal(KeyId);
  await bring(bytes, until(4));
  await run('Decrypt', { CiphertextBlob }, later(3));
  await assert.rejects(run('Decrypt', { CiphertextBlob }, later(4)), awsError('KMSInvalidStateException'));
  assert.equal((await described(KeyId, later(4)))?.KeyState, 'PendingImport');
  const bytesKept = () => store.read((tx) => tx.get('kms-key', Arn))?.imported?.materials[0]?.bytes;
  assert.ok(bytesKept());
  // The bytes go with the next call that makes a key.
  await run('CreateKey', {}, later(4));
  assert.equal(bytesKept(), undefined);
  await bring(bytes, forEver, later(5));
  await run('Decrypt', { CiphertextBlob }, later(6));
});

test('a second material waits for its rotation, and what was sealed before needs the first', async () => {
  const { run, create, described, importer, seal } = started();
  const { KeyId, Arn } = await create();
  const bring = await importer(KeyId);
  const [one, two, three] = [secret(), secret(), secret()];
  const first = (await bring(one, { ...forEver, KeyMaterialDescription: 'of May' })).KeyMaterialId;
  await assert.rejects(
    run('RotateKeyOnDemand', { KeyId }),
    awsError('KMSInvalidStateException', `No available key material pending rotation for the key: ${Arn}.`),
  );
  const before = await seal(KeyId);
  const second = (await bring(two, anew)).KeyMaterialId;
  assert.equal((await described(KeyId))?.CurrentKeyMaterialId, first);
  await assert.rejects(
    bring(three, anew),
    awsError(
      'KMSInvalidStateException',
      new RegExp(
        `^New key material \\(id: [0-9a-f]{64}\\) cannot be imported into KMS key ${Arn}, because another key material \\(id: ${second}\\) is pending rotation[.]$`,
      ),
    ),
  );
  await assert.rejects(bring(three), awsError('IncorrectKeyMaterialException'));
  // One that waits may go, and nothing waits for it.
  await run('DeleteImportedKeyMaterial', { KeyId, KeyMaterialId: second });
  assert.equal((await described(KeyId))?.KeyState, 'Enabled');
  assert.equal((await bring(two, anew)).KeyMaterialId, second);

  const listed = async () =>
    (await run<SDK.ListKeyRotationsResponse>('ListKeyRotations', { KeyId, IncludeKeyMaterial: 'ALL_KEY_MATERIAL' }))
      .Rotations;
  const states = async () => (await listed())?.map(({ KeyMaterialState }) => KeyMaterialState);
  assert.deepEqual(await states(), ['PENDING_ROTATION', 'CURRENT']);
  assert.deepEqual(await run('RotateKeyOnDemand', { KeyId }, later(1)), { KeyId: Arn });
  assert.equal((await described(KeyId))?.CurrentKeyMaterialId, second);
  assert.deepEqual(await listed(), [
    {
      ...{ KeyId, KeyMaterialId: second, ImportState: 'IMPORTED', KeyMaterialState: 'CURRENT' },
      ...{ ...forEver, RotationDate: later(1).now, RotationType: 'ON_DEMAND' },
    },
    {
      ...{ KeyId, KeyMaterialId: first, KeyMaterialDescription: 'of May', ImportState: 'IMPORTED' },
      ...{ KeyMaterialState: 'NON_CURRENT', ...forEver },
    },
  ]);
  const after = await seal(KeyId);
  for (const [CiphertextBlob, material] of [
    [before, first],
    [after, second],
  ])
    assert.equal((await run<SDK.DecryptResponse>('Decrypt', { CiphertextBlob })).KeyMaterialId, material);
  await run('DeleteImportedKeyMaterial', { KeyId, KeyMaterialId: first });
  await assert.rejects(run('Decrypt', { CiphertextBlob: after }), awsError('KMSInvalidStateException'));
  await assert.rejects(bring(two, { ...forEver, KeyMaterialId: first }), awsError('IncorrectKeyMaterialException'));
  await bring(one, { ...forEver, KeyMaterialId: first });
  await run('Decrypt', { CiphertextBlob: before });
});

const pkcs8 = (key: crypto.KeyObject) => key.export({ format: 'der', type: 'pkcs8' });
const curve = (namedCurve: string) => pkcs8(crypto.generateKeyPairSync('ec', { namedCurve }).privateKey);
const rsa = pkcs8(crypto.generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey);

for (const [KeySpec, KeyUsage, algorithm, bytes, other] of [
  ['HMAC_224', 'GENERATE_VERIFY_MAC', 'RSAES_OAEP_SHA_1', crypto.randomBytes(28), secret()],
  ['HMAC_512', 'GENERATE_VERIFY_MAC', 'RSAES_OAEP_SHA_256', crypto.randomBytes(64), secret()],
  ['ECC_NIST_P256', 'SIGN_VERIFY', 'RSAES_OAEP_SHA_256', curve('prime256v1'), curve('secp256k1')],
  ['ECC_SECG_P256K1', 'SIGN_VERIFY', 'RSA_AES_KEY_WRAP_SHA_256', curve('secp256k1'), curve('prime256v1')],
  ['RSA_2048', 'SIGN_VERIFY', 'RSA_AES_KEY_WRAP_SHA_256', rsa, curve('prime256v1')],
  ['RSA_3072', 'ENCRYPT_DECRYPT', 'RSA_AES_KEY_WRAP_SHA_1', undefined, rsa],
] as const) {
  test(`${KeySpec} takes its own kind of material under ${algorithm}, and no other`, async () => {
    const { run, create, importer, described } = started();
    const { KeyId, Arn } = await create({ KeySpec, KeyUsage });
    const bring = await importer(KeyId, algorithm);
    await assert.rejects(bring(other), awsError('IncorrectKeyMaterialException'));
    if (bytes === undefined) return;
    assert.deepEqual(await bring(bytes), { KeyId: Arn });
    assert.equal((await described(KeyId))?.KeyState, 'Enabled');
    await assert.rejects(bring(bytes, anew), awsError('UnsupportedOperationException'));
    const Message = Buffer.from('x');
    if (KeyUsage === 'GENERATE_VERIFY_MAC') {
      const MacAlgorithm = KeySpec.replace('_', '_SHA_');
      const { Mac } = await run<SDK.GenerateMacResponse>('GenerateMac', { KeyId, Message, MacAlgorithm });
      const hash = MacAlgorithm.replace('HMAC_SHA_', 'sha');
      assert.deepEqual(Mac, crypto.createHmac(hash, bytes).update(Message).digest());
      return;
    }
    const privateKey = crypto.createPrivateKey({ key: bytes, format: 'der', type: 'pkcs8' });
    const publicBytes = crypto.createPublicKey(privateKey).export({ format: 'der', type: 'spki' });
    const { PublicKey } = await run<SDK.GetPublicKeyResponse>('GetPublicKey', { KeyId });
    assert.deepEqual(PublicKey, publicBytes);
  });
}

test('what is not wrapped for this key by its token is refused', async () => {
  const { run, create, parameters } = started();
  const { KeyId } = await create();
  const other = await create();
  const own = await run<SDK.CreateKeyResponse>('CreateKey');
  const Arn = own.KeyMetadata?.Arn ?? '';
  const { ImportToken, PublicKey } = await parameters(KeyId);
  const EncryptedKeyMaterial = wrapped('RSAES_OAEP_SHA_256', PublicKey, secret());
  const asked = { KeyId, ImportToken, EncryptedKeyMaterial, ...forEver };
  const bring = (more: object, overrides: Partial<BaseCall> = {}) =>
    run('ImportKeyMaterial', { ...asked, ...more }, overrides);
  await assert.rejects(bring({ KeyId: other.KeyId }), awsError('InvalidImportTokenException'));
  await assert.rejects(bring({ ImportToken: Buffer.from('x') }), awsError('InvalidImportTokenException'));
  await assert.rejects(bring({}, later(24)), awsError('ExpiredImportTokenException'));
  const sha1 = wrapped('RSAES_OAEP_SHA_1', PublicKey, secret());
  for (const EncryptedKeyMaterial of [sha1, Buffer.from('x')])
    await assert.rejects(bring({ EncryptedKeyMaterial }), awsError('InvalidCiphertextException'));
  const wrongLength = wrapped('RSAES_OAEP_SHA_256', PublicKey, secret().subarray(1));
  await assert.rejects(bring({ EncryptedKeyMaterial: wrongLength }), awsError('IncorrectKeyMaterialException'));
  const wrongOrigin = awsError(
    'UnsupportedOperationException',
    `${Arn} origin is AWS_KMS which is not valid for this operation.`,
  );
  await assert.rejects(parameters(Arn), wrongOrigin);
  await assert.rejects(bring({ KeyId: Arn }), wrongOrigin);
  await assert.rejects(run('DeleteImportedKeyMaterial', { KeyId: Arn }), wrongOrigin);
  await assert.rejects(parameters(KeyId, 'RSAES_PKCS1_V1_5'), awsError('UnsupportedOperationException'));
  await assert.rejects(parameters(KeyId, 'ROT13'), awsError('ValidationException'));
  await bring({});
  await assert.rejects(run('EnableKeyRotation', { KeyId }), awsError('UnsupportedOperationException', /EXTERNAL/));
  await run('ScheduleKeyDeletion', { KeyId, PendingWindowInDays: 7 });
  await assert.rejects(parameters(KeyId), awsError('KMSInvalidStateException'));
  await assert.rejects(bring({}), awsError('KMSInvalidStateException'));
});

test('a wrapping is for some materials only', async () => {
  const { create, parameters } = started();
  const refused = awsError('UnsupportedOperationException', /^The wrapping algorithm /);
  for (const [input, algorithm] of [
    [{}, 'RSA_AES_KEY_WRAP_SHA_256'],
    [{ KeySpec: 'HMAC_256', KeyUsage: 'GENERATE_VERIFY_MAC' }, 'RSA_AES_KEY_WRAP_SHA_1'],
    [{ KeySpec: 'RSA_2048', KeyUsage: 'SIGN_VERIFY' }, 'RSAES_OAEP_SHA_256'],
    [{ KeySpec: 'ECC_NIST_P521', KeyUsage: 'SIGN_VERIFY' }, 'RSAES_OAEP_SHA_1'],
  ] as const)
    await assert.rejects(parameters((await create(input)).KeyId, algorithm), refused);
  const { KeyId } = await create({ KeySpec: 'ECC_NIST_P521', KeyUsage: 'SIGN_VERIFY' });
  await parameters(KeyId, 'RSA_AES_KEY_WRAP_SHA_1');
});

test('policies may ask about an import', async () => {
  const { store, create } = started();
  const { KeyId } = await create();
  const keysOf = (name: string, input: object) => {
    const { authorize } = kms.operations[name] ?? {};
    assert.ok(typeof authorize === 'function', name);
    return store.read((tx) => authorize(makeCall(tx, { service: 'kms', operation: name }), input))[0]?.context ?? {};
  };
  const wrapping = { KeyId, WrappingAlgorithm: 'RSAES_OAEP_SHA_1', WrappingKeySpec: 'RSA_4096' };
  for (const [name, input, key, value] of [
    ['CreateKey', { Origin: 'EXTERNAL' }, 'kms:KeyOrigin', 'EXTERNAL'],
    ['DescribeKey', { KeyId }, 'kms:KeyOrigin', 'EXTERNAL'],
    ['GetParametersForImport', wrapping, 'kms:WrappingAlgorithm', 'RSAES_OAEP_SHA_1'],
    ['GetParametersForImport', wrapping, 'kms:WrappingKeySpec', 'RSA_4096'],
    ['ImportKeyMaterial', { KeyId }, 'kms:ExpirationModel', 'KEY_MATERIAL_EXPIRES'],
    ['ImportKeyMaterial', { KeyId, ...forEver }, 'kms:ExpirationModel', 'KEY_MATERIAL_DOES_NOT_EXPIRE'],
    ['ImportKeyMaterial', { KeyId, ValidTo: testNow }, 'kms:ValidTo', testNow.toISOString()],
  ] as const)
    assert.deepEqual(keysOf(name, input)[key], [value], `${name} ${key}`);
});
