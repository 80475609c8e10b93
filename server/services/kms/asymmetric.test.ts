// What pairs of keys and HMAC keys do besides signing, held against OpenSSL's own, and what they do not.

import assert from 'node:assert/strict';
import * as crypto from 'node:crypto';
import { test } from 'node:test';
import type * as SDK from '@aws-sdk/client-kms';
import { awsError } from '../../testing.ts';
import { makeKms } from './testing.ts';

const { run, create, keyFor, publicKeyOf } = makeKms();
const message = Buffer.from('pay 100 to ana');

test('what a key is not for it does not do, in words that name it', async () => {
  const [hmac, symmetric, signer, agreement, rsa] = await Promise.all([
    keyFor('HMAC_224', 'GENERATE_VERIFY_MAC'),
    keyFor('SYMMETRIC_DEFAULT', 'ENCRYPT_DECRYPT'),
    keyFor('ECC_NIST_P256', 'SIGN_VERIFY'),
    keyFor('ECC_NIST_P256', 'KEY_AGREEMENT'),
    keyFor('RSA_2048', 'ENCRYPT_DECRYPT'),
  ]);
  const sign = { Message: message, SigningAlgorithm: 'ECDSA_SHA_256' };
  const Plaintext = Buffer.from('x');
  for (const [operation, key, input, usage] of [
    ['Sign', hmac, sign, 'GENERATE_VERIFY_MAC'],
    ['Sign', agreement, sign, 'KEY_AGREEMENT'],
    ['Verify', symmetric, { ...sign, Signature: message }, 'ENCRYPT_DECRYPT'],
    ['GenerateMac', symmetric, { Message: message, MacAlgorithm: 'HMAC_SHA_224' }, 'ENCRYPT_DECRYPT'],
    ['Encrypt', signer, { Plaintext }, 'SIGN_VERIFY'],
    ['GenerateDataKey', signer, { KeySpec: 'AES_256' }, 'SIGN_VERIFY'],
    ['GenerateDataKeyPair', hmac, { KeyPairSpec: 'ECC_NIST_P256' }, 'GENERATE_VERIFY_MAC'],
    ['DeriveSharedSecret', signer, { KeyAgreementAlgorithm: 'ECDH', PublicKey: message }, 'SIGN_VERIFY'],
  ] as const)
    await assert.rejects(
      run(operation, { KeyId: key.KeyId, ...input }),
      awsError('InvalidKeyUsageException', `${key.Arn} key usage is ${usage} which is not valid for ${operation}.`),
    );
  const wrongAlgorithm = (operation: string, input: object, algorithm: string, spec: string) =>
    assert.rejects(
      run(operation, input),
      awsError('InvalidKeyUsageException', `Algorithm ${algorithm} is incompatible with key spec ${spec}.`),
    );
  const mac = { KeyId: hmac.KeyId, Message: message, MacAlgorithm: 'HMAC_SHA_256' };
  await wrongAlgorithm('GenerateMac', mac, 'HMAC_SHA_256', 'HMAC_224');
  await wrongAlgorithm('Encrypt', { KeyId: rsa.KeyId, Plaintext }, 'SYMMETRIC_DEFAULT', 'RSA_2048');
  const dataKey = { KeyId: rsa.KeyId, KeySpec: 'AES_256' };
  await wrongAlgorithm('GenerateDataKey', dataKey, 'SYMMETRIC_DEFAULT', 'RSA_2048');
  const p384 = { ...sign, KeyId: signer.KeyId, SigningAlgorithm: 'ECDSA_SHA_384' };
  await wrongAlgorithm('Sign', p384, 'ECDSA_SHA_384', 'ECC_NIST_P256');
  for (const { KeyId } of [hmac, symmetric])
    await assert.rejects(run('GetPublicKey', { KeyId }), awsError('UnsupportedOperationException'));
  for (const { KeyId } of [hmac, signer, rsa]) {
    await assert.rejects(run('RotateKeyOnDemand', { KeyId }), awsError('UnsupportedOperationException', ''));
    await assert.rejects(run('EnableKeyRotation', { KeyId }), awsError('UnsupportedOperationException', ''));
    const status = await run<SDK.GetKeyRotationStatusResponse>('GetKeyRotationStatus', { KeyId });
    assert.equal(status.KeyRotationEnabled, false);
  }
  await run('DisableKey', { KeyId: agreement.KeyId });
  await assert.rejects(run('GetPublicKey', { KeyId: agreement.KeyId }), awsError('DisabledException'));
  await run('EnableKey', { KeyId: agreement.KeyId });
});

test('a spec goes with some usages, which must be said', async () => {
  const refused = (input: object, message: string | RegExp) =>
    assert.rejects(run('CreateKey', input), awsError('ValidationException', message));
  await refused(
    { KeySpec: 'HMAC_256' },
    'You must specify a KeyUsage value for all KMS keys except for symmetric encryption keys.',
  );
  for (const [KeySpec, KeyUsage] of [
    ['RSA_2048', 'KEY_AGREEMENT'],
    ['ECC_SECG_P256K1', 'KEY_AGREEMENT'],
    ['ECC_NIST_P256', 'ENCRYPT_DECRYPT'],
    ['HMAC_256', 'SIGN_VERIFY'],
    ['SYMMETRIC_DEFAULT', 'SIGN_VERIFY'],
  ])
    await refused({ KeySpec, KeyUsage }, `KeyUsage ${KeyUsage} is not compatible with KeySpec ${KeySpec}`);
  await refused(
    { KeySpec: 'HMAC_random', KeyUsage: 'GENERATE_VERIFY_MAC' },
    /^1 validation error detected: Value 'HMAC_random' at 'keySpec' /,
  );
  await refused(
    { KeySpec: 'HMAC_256', KeyUsage: 'RANDOM' },
    /^1 validation error detected: Value 'RANDOM' at 'keyUsage' /,
  );
  const { Arn, KeyId, CreationDate, AWSAccountId, ...told } = await create('HMAC_512', 'GENERATE_VERIFY_MAC');
  assert.deepEqual(told, {
    CustomerMasterKeySpec: 'HMAC_512',
    Description: '',
    Enabled: true,
    KeyManager: 'CUSTOMER',
    KeySpec: 'HMAC_512',
    KeyState: 'Enabled',
    KeyUsage: 'GENERATE_VERIFY_MAC',
    MacAlgorithms: ['HMAC_SHA_512'],
    MultiRegion: false,
    Origin: 'AWS_KMS',
  });
});

test('an alias moves between keys that are used alike', async () => {
  const AliasName = 'alias/signer';
  const [one, other, agreement, rsa] = await Promise.all([
    keyFor('ECC_NIST_P256', 'SIGN_VERIFY'),
    keyFor('RSA_2048', 'SIGN_VERIFY'),
    keyFor('ECC_NIST_P256', 'KEY_AGREEMENT'),
    keyFor('RSA_2048', 'ENCRYPT_DECRYPT'),
  ]);
  await run('CreateAlias', { AliasName, TargetKeyId: one.KeyId });
  await run('UpdateAlias', { AliasName, TargetKeyId: other.KeyId });
  const symmetric = await keyFor('SYMMETRIC_DEFAULT', 'ENCRYPT_DECRYPT');
  await run('CreateAlias', { AliasName: 'alias/sealer', TargetKeyId: symmetric.KeyId });
  for (const [name, target] of [
    [AliasName, agreement],
    ['alias/sealer', rsa],
  ] as const)
    await assert.rejects(
      run('UpdateAlias', { AliasName: name, TargetKeyId: target.KeyId }),
      awsError('ValidationException'),
    );
});

test('HMAC keys make codes of their own length, and know them again', async () => {
  for (const [bits, sizeBytes] of [
    [224, 28],
    [256, 32],
    [384, 48],
    [512, 64],
  ]) {
    const { KeyId, Arn } = await create(`HMAC_${bits}`, 'GENERATE_VERIFY_MAC');
    const asked = { KeyId, Message: message, MacAlgorithm: `HMAC_SHA_${bits}` };
    const { Mac, ...told } = await run<SDK.GenerateMacResponse>('GenerateMac', asked);
    assert.deepEqual([Mac?.length, told], [sizeBytes, { KeyId: Arn, MacAlgorithm: asked.MacAlgorithm }]);
    const valid = await run('VerifyMac', { ...asked, Mac });
    assert.deepEqual(valid, { KeyId: Arn, MacAlgorithm: asked.MacAlgorithm, MacValid: true });
    const invalid = awsError('KMSInvalidMacException', '');
    await assert.rejects(run('VerifyMac', { ...asked, Mac, Message: Buffer.from('other') }), invalid);
    await assert.rejects(run('VerifyMac', { ...asked, Mac: Mac?.subarray(1) }), invalid);
    await assert.rejects(
      run('GenerateMac', { ...asked, MacAlgorithm: 'INVALID' }),
      awsError(
        'ValidationException',
        "1 validation error detected: Value 'INVALID' at 'macAlgorithm' failed to satisfy constraint: Member must satisfy enum value set: [HMAC_SHA_384, HMAC_SHA_256, HMAC_SHA_224, HMAC_SHA_512]",
      ),
    );
  }
});

test('RSA encrypts what fits, and whoever has the public key may encrypt for it', async () => {
  const { KeyId, Arn, EncryptionAlgorithms } = await keyFor('RSA_2048', 'ENCRYPT_DECRYPT');
  assert.deepEqual(EncryptionAlgorithms, ['RSAES_OAEP_SHA_1', 'RSAES_OAEP_SHA_256']);
  const publicKey = await publicKeyOf(KeyId);
  for (const [EncryptionAlgorithm, oaepHash, most] of [
    ['RSAES_OAEP_SHA_1', 'sha1', 214],
    ['RSAES_OAEP_SHA_256', 'sha256', 190],
  ] as const) {
    const Plaintext = Buffer.alloc(most, 7);
    const { CiphertextBlob, ...told } = await run<SDK.EncryptResponse>('Encrypt', {
      ...{ KeyId, Plaintext, EncryptionAlgorithm },
    });
    assert.deepEqual(told, { KeyId: Arn, EncryptionAlgorithm });
    const outside = crypto.publicEncrypt({ key: publicKey, oaepHash }, Plaintext);
    for (const ciphertext of [CiphertextBlob, outside]) {
      const opened = await run<SDK.DecryptResponse>('Decrypt', {
        ...{ KeyId, CiphertextBlob: ciphertext, EncryptionAlgorithm },
      });
      assert.deepEqual(opened, { KeyId: Arn, Plaintext, EncryptionAlgorithm });
    }
    await assert.rejects(
      run('Encrypt', { KeyId, Plaintext: Buffer.alloc(most + 1), EncryptionAlgorithm }),
      awsError(
        'ValidationException',
        `Algorithm ${EncryptionAlgorithm} and key spec RSA_2048 cannot encrypt data larger than ${most} bytes.`,
      ),
    );
    const other = EncryptionAlgorithm === 'RSAES_OAEP_SHA_1' ? 'RSAES_OAEP_SHA_256' : 'RSAES_OAEP_SHA_1';
    for (const input of [
      { KeyId, CiphertextBlob, EncryptionAlgorithm: other },
      { KeyId, CiphertextBlob },
    ])
      await assert.rejects(run('Decrypt', input), awsError('InvalidCiphertextException', ''));
    await assert.rejects(run('Decrypt', { CiphertextBlob, EncryptionAlgorithm }), awsError('ValidationException'));
    const EncryptionContext = { a: '1' };
    await assert.rejects(
      run('Encrypt', { KeyId, Plaintext: message, EncryptionAlgorithm, EncryptionContext }),
      awsError('ValidationException'),
    );
  }
});

test('a ciphertext goes from a symmetric key to RSA and back', async () => {
  const rsa = await keyFor('RSA_2048', 'ENCRYPT_DECRYPT');
  const symmetric = await keyFor('SYMMETRIC_DEFAULT', 'ENCRYPT_DECRYPT');
  const signer = await keyFor('ECC_NIST_P256', 'SIGN_VERIFY');
  const { CiphertextBlob } = await run<SDK.EncryptResponse>('Encrypt', { KeyId: symmetric.KeyId, Plaintext: message });
  const there = await run<SDK.ReEncryptResponse>('ReEncrypt', {
    CiphertextBlob,
    DestinationKeyId: rsa.KeyId,
    DestinationEncryptionAlgorithm: 'RSAES_OAEP_SHA_256',
  });
  assert.deepEqual(
    [there.SourceKeyId, there.KeyId, there.SourceEncryptionAlgorithm, there.DestinationEncryptionAlgorithm],
    [symmetric.Arn, rsa.Arn, 'SYMMETRIC_DEFAULT', 'RSAES_OAEP_SHA_256'],
  );
  const fromRsa = {
    CiphertextBlob: there.CiphertextBlob,
    SourceKeyId: rsa.KeyId,
    SourceEncryptionAlgorithm: 'RSAES_OAEP_SHA_256',
  };
  const back = await run<SDK.ReEncryptResponse>('ReEncrypt', { ...fromRsa, DestinationKeyId: symmetric.KeyId });
  assert.equal(back.SourceKeyMaterialId, undefined);
  const opened = await run<SDK.DecryptResponse>('Decrypt', { CiphertextBlob: back.CiphertextBlob });
  assert.deepEqual(Buffer.from(opened.Plaintext ?? []), message);
  await assert.rejects(
    run('ReEncrypt', { ...fromRsa, DestinationKeyId: signer.KeyId }),
    awsError('InvalidKeyUsageException', `${signer.Arn} key usage is SIGN_VERIFY which is not valid for ReEncrypt.`),
  );
});

test('two sides agree on one secret, which OpenSSL finds too', async () => {
  for (const spec of ['ECC_NIST_P256', 'ECC_NIST_P384', 'ECC_NIST_P521']) {
    const { KeyId, Arn, KeyAgreementAlgorithms } = await keyFor(spec, 'KEY_AGREEMENT');
    assert.deepEqual(KeyAgreementAlgorithms, ['ECDH']);
    const publicKey = await publicKeyOf(KeyId);
    const namedCurve = publicKey.asymmetricKeyDetails?.namedCurve ?? '';
    const other = crypto.generateKeyPairSync('ec', { namedCurve });
    const PublicKey = other.publicKey.export({ format: 'der', type: 'spki' });
    const asked = { KeyId, KeyAgreementAlgorithm: 'ECDH', PublicKey };
    assert.deepEqual(await run('DeriveSharedSecret', asked), {
      KeyId: Arn,
      SharedSecret: crypto.diffieHellman({ privateKey: other.privateKey, publicKey }),
      KeyAgreementAlgorithm: 'ECDH',
      KeyOrigin: 'AWS_KMS',
    });
    const stranger = crypto.generateKeyPairSync('ec', { namedCurve: 'secp256k1' }).publicKey;
    for (const wrong of [Buffer.from('no key'), stranger.export({ format: 'der', type: 'spki' })])
      await assert.rejects(
        run('DeriveSharedSecret', { ...asked, PublicKey: wrong }),
        awsError('ValidationException', ''),
      );
    await assert.rejects(
      run('DeriveSharedSecret', { ...asked, KeyAgreementAlgorithm: 'INVALID' }),
      awsError(
        'ValidationException',
        "1 validation error detected: Value 'INVALID' at 'keyAgreementAlgorithm' failed to satisfy constraint: Member must satisfy enum value set: [ECDH]",
      ),
    );
  }
});

test('a pair for outside comes in the clear and sealed, or sealed alone', async () => {
  const { KeyId, Arn } = await keyFor('SYMMETRIC_DEFAULT', 'ENCRYPT_DECRYPT');
  const EncryptionContext = { purpose: 'signing' };
  for (const KeyPairSpec of ['RSA_2048', 'ECC_NIST_P521', 'ECC_SECG_P256K1', 'ECC_NIST_EDWARDS25519']) {
    const asked = { KeyId, KeyPairSpec, EncryptionContext };
    const pair = await run<SDK.GenerateDataKeyPairResponse>('GenerateDataKeyPair', asked);
    assert.deepEqual([pair.KeyId, pair.KeyPairSpec], [Arn, KeyPairSpec]);
    const key = Buffer.from(pair.PrivateKeyPlaintext ?? []);
    const privateKey = crypto.createPrivateKey({ key, format: 'der', type: 'pkcs8' });
    const publicBytes = crypto.createPublicKey(privateKey).export({ format: 'der', type: 'spki' });
    assert.deepEqual(pair.PublicKey, publicBytes);
    const CiphertextBlob = pair.PrivateKeyCiphertextBlob;
    const opened = await run<SDK.DecryptResponse>('Decrypt', { CiphertextBlob, EncryptionContext });
    assert.deepEqual(Buffer.from(opened.Plaintext ?? []), key);
    await assert.rejects(run('Decrypt', { CiphertextBlob }), awsError('InvalidCiphertextException'));
  }
  const asked = { KeyId, KeyPairSpec: 'ECC_NIST_P256' };
  const sealed = await run('GenerateDataKeyPairWithoutPlaintext', asked);
  assert.deepEqual(Object.keys(sealed).sort(), [
    ...['KeyId', 'KeyMaterialId', 'KeyPairSpec', 'PrivateKeyCiphertextBlob', 'PublicKey'],
  ]);
  for (const operation of ['GenerateDataKeyPair', 'GenerateDataKeyPairWithoutPlaintext']) {
    await assert.rejects(run(operation, { ...asked, DryRun: true }), awsError('DryRunOperationException'));
    await assert.rejects(run(operation, { ...asked, KeyPairSpec: 'HMAC_256' }), awsError('ValidationException'));
    await assert.rejects(run(operation, { ...asked, KeyPairSpec: 'SM2' }), awsError('UnsupportedOperationException'));
  }
});

test('a key that is switched off while a pair is made seals none', async () => {
  const { KeyId } = await create('SYMMETRIC_DEFAULT', 'ENCRYPT_DECRYPT');
  const pair = run('GenerateDataKeyPair', { KeyId, KeyPairSpec: 'RSA_2048' });
  await run('DisableKey', { KeyId });
  await assert.rejects(pair, awsError('DisabledException'));
});

test('a dry run of any use does everything but answer', async () => {
  const signer = await keyFor('ECC_NIST_P256', 'SIGN_VERIFY');
  const hmac = await keyFor('HMAC_224', 'GENERATE_VERIFY_MAC');
  const sign = { KeyId: signer.KeyId, Message: message, SigningAlgorithm: 'ECDSA_SHA_256', DryRun: true };
  await assert.rejects(run('Sign', sign), awsError('DryRunOperationException'));
  await assert.rejects(run('Verify', { ...sign, Signature: message }), awsError('KMSInvalidSignatureException'));
  const mac = { KeyId: hmac.KeyId, Message: message, MacAlgorithm: 'HMAC_SHA_224', DryRun: true };
  await assert.rejects(run('GenerateMac', mac), awsError('DryRunOperationException'));
});
