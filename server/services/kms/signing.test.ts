// Signatures, held against OpenSSL's own, which knows nothing of this code.

import assert from 'node:assert/strict';
import * as crypto from 'node:crypto';
import { test } from 'node:test';
import type * as SDK from '@aws-sdk/client-kms';
import { awsError } from '../../testing.ts';
import { makeKms } from './testing.ts';

const { store, run, create, keyFor, publicKeyOf } = makeKms();
const message = Buffer.from('pay 100 to ana');
const hashOf = (algorithm: string) => algorithm.replace(/^.*_SHA_/, 'sha');

const signers = [
  ['RSA_2048', 'RSASSA_PKCS1_V1_5_SHA_256'],
  ['RSA_2048', 'RSASSA_PKCS1_V1_5_SHA_384'],
  ['RSA_2048', 'RSASSA_PKCS1_V1_5_SHA_512'],
  ['RSA_2048', 'RSASSA_PSS_SHA_256'],
  ['RSA_2048', 'RSASSA_PSS_SHA_384'],
  ['RSA_2048', 'RSASSA_PSS_SHA_512'],
  ['ECC_NIST_P256', 'ECDSA_SHA_256'],
  ['ECC_NIST_P384', 'ECDSA_SHA_384'],
  ['ECC_NIST_P521', 'ECDSA_SHA_512'],
  ['ECC_SECG_P256K1', 'ECDSA_SHA_256'],
] as const;

/** How OpenSSL is asked for the same. */
const asOpenSsl = (key: crypto.KeyObject, algorithm: string) =>
  algorithm.startsWith('RSASSA_PSS')
    ? { key, padding: crypto.constants.RSA_PKCS1_PSS_PADDING, saltLength: crypto.constants.RSA_PSS_SALTLEN_DIGEST }
    : { key };

for (const [spec, SigningAlgorithm] of signers) {
  test(`${spec} signs with ${SigningAlgorithm}, messages and digests, as OpenSSL verifies it`, async () => {
    const { KeyId, Arn, SigningAlgorithms } = await keyFor(spec, 'SIGN_VERIFY');
    assert.ok(SigningAlgorithms?.includes(SigningAlgorithm));
    const publicKey = await publicKeyOf(KeyId);
    const digest = crypto.createHash(hashOf(SigningAlgorithm)).update(message).digest();
    const verify = (Message: Uint8Array, MessageType: string, Signature: Uint8Array) =>
      run<SDK.VerifyResponse>('Verify', { KeyId, SigningAlgorithm, Message, MessageType, Signature });
    for (const [MessageType, Message] of [
      ['RAW', message],
      ['DIGEST', digest],
    ] as const) {
      const { Signature, KeyId: by } = await run<SDK.SignResponse>('Sign', {
        ...{ KeyId, SigningAlgorithm, MessageType, Message },
      });
      assert.ok(Signature);
      assert.equal(by, Arn);
      assert.ok(
        crypto.verify(hashOf(SigningAlgorithm), message, asOpenSsl(publicKey, SigningAlgorithm), Signature),
        MessageType,
      );
      assert.deepEqual(await verify(message, 'RAW', Signature), { KeyId: Arn, SignatureValid: true, SigningAlgorithm });
      assert.equal((await verify(digest, 'DIGEST', Signature)).SignatureValid, true);
      const refused = awsError('KMSInvalidSignatureException', '');
      await assert.rejects(verify(Buffer.from('pay 900 to ana'), 'RAW', Signature), refused);
      for (const at of [0, 5, Signature.length - 1]) {
        const torn = Buffer.from(Signature);
        torn[at] = (torn[at] ?? 0) ^ 1;
        await assert.rejects(verify(message, 'RAW', torn), refused);
      }
      await assert.rejects(verify(message, 'RAW', Buffer.from([0x30])), refused);
      await assert.rejects(verify(message, 'RAW', Buffer.concat([Signature, Buffer.from([0])])), refused);
    }
    const wrongLength = awsError('ValidationException', `Digest is invalid length for algorithm ${SigningAlgorithm}.`);
    await assert.rejects(
      run('Sign', { KeyId, SigningAlgorithm, MessageType: 'DIGEST', Message: message }),
      wrongLength,
    );
    await assert.rejects(verify(message, 'DIGEST', message), wrongLength);
  });
}

test('what OpenSSL signs on a curve is verified, whatever its numbers', async () => {
  // Half of all numbers begin with a bit that DER puts a byte before, one in 256 with a byte that it leaves out.
  for (const [spec, algorithm] of signers.filter(([name]) => name.startsWith('ECC'))) {
    const { KeyId, Arn } = await keyFor(spec, 'SIGN_VERIFY');
    const row = store.read((tx) => tx.get('kms-key', Arn));
    const key = crypto.createPrivateKey({
      ...{ key: Buffer.from(row?.material ?? '', 'base64'), format: 'der', type: 'pkcs8' },
    } as const);
    const publicKey = await publicKeyOf(KeyId);
    for (let count = 0; count < 40; count += 1) {
      const Message = Buffer.from(`${algorithm} ${count}`);
      const Signature = crypto.sign(hashOf(algorithm), Message, key);
      await run('Verify', { KeyId, SigningAlgorithm: algorithm, Message, Signature });
      const ours = await run<SDK.SignResponse>('Sign', { KeyId, SigningAlgorithm: algorithm, Message });
      assert.ok(crypto.verify(hashOf(algorithm), Message, publicKey, ours.Signature ?? Buffer.alloc(0)));
    }
    const zeros = Buffer.alloc(crypto.createHash(hashOf(algorithm)).digest().length);
    const signed = { KeyId, SigningAlgorithm: algorithm, MessageType: 'DIGEST', Message: zeros };
    const { Signature } = await run<SDK.SignResponse>('Sign', signed);
    await run('Verify', { ...signed, Signature });
  }
});

test('a PSS signature has a salt as long as its digest, or it does not fit', async () => {
  const { KeyId, Arn } = await keyFor('RSA_2048', 'SIGN_VERIFY');
  const row = store.read((tx) => tx.get('kms-key', Arn));
  const key = crypto.createPrivateKey({
    ...{ key: Buffer.from(row?.material ?? '', 'base64'), format: 'der', type: 'pkcs8' },
  } as const);
  const { RSA_PKCS1_PSS_PADDING: padding, RSA_PSS_SALTLEN_MAX_SIGN: longest } = crypto.constants;
  for (const [saltLength, fits] of [
    [32, true],
    [31, false],
    [0, false],
    [longest, false],
  ] as const) {
    const Signature = crypto.sign('sha256', message, { key, padding, saltLength });
    const verified = run('Verify', { KeyId, SigningAlgorithm: 'RSASSA_PSS_SHA_256', Message: message, Signature });
    if (fits) await verified;
    else await assert.rejects(verified, awsError('KMSInvalidSignatureException'), String(saltLength));
  }
  // In front of the salt is nothing but zeros and a one, or it is somebody's own making.
  const raw = { key, padding: crypto.constants.RSA_NO_PADDING };
  const encoded = crypto.publicDecrypt(raw, crypto.sign('sha256', message, { key, padding, saltLength: 32 }));
  encoded[9] = (encoded[9] ?? 0) ^ 1;
  const Signature = crypto.privateEncrypt(raw, encoded);
  await assert.rejects(
    run('Verify', { KeyId, SigningAlgorithm: 'RSASSA_PSS_SHA_256', Message: message, Signature }),
    awsError('KMSInvalidSignatureException'),
  );
});

test('Ed25519 signs messages, and the variant that node does not have is refused by its name', async () => {
  const { KeyId, SigningAlgorithms } = await create('ECC_NIST_EDWARDS25519', 'SIGN_VERIFY');
  assert.deepEqual(SigningAlgorithms, ['ED25519_SHA_512', 'ED25519_PH_SHA_512']);
  const asked = { KeyId, SigningAlgorithm: 'ED25519_SHA_512', Message: message };
  const { Signature } = await run<SDK.SignResponse>('Sign', asked);
  assert.ok(Signature && crypto.verify(null, message, await publicKeyOf(KeyId), Signature));
  await run('Verify', { ...asked, Signature });
  await assert.rejects(
    run('Verify', { ...asked, Message: Buffer.from('x'), Signature }),
    awsError('KMSInvalidSignatureException'),
  );
  const Message = Buffer.alloc(64);
  await assert.rejects(run('Sign', { ...asked, Message, MessageType: 'DIGEST' }), awsError('ValidationException'));
  await assert.rejects(
    run('Sign', { ...asked, Message, MessageType: 'DIGEST', SigningAlgorithm: 'ED25519_PH_SHA_512' }),
    awsError('UnsupportedOperationException', /ED25519_PH_SHA_512/),
  );
});
