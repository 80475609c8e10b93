// Encrypt, Decrypt and ReEncrypt: under a symmetric key (ciphertexts.ts), or with RSA, where the public key is anybody's and a ciphertext does not say whose it is.
// https://docs.aws.amazon.com/kms/latest/APIReference/API_Decrypt.html (read 2026-11-21). Recorded (2024-04): how much RSA encrypts, and the words of a key for something else.

import { constants, createPublicKey, type KeyObject, privateDecrypt, publicEncrypt } from 'node:crypto';
import type * as SDK from '@aws-sdk/client-kms';
import { checkUsable, currentMaterialId, specOf } from '../../kms-keys.ts';
import { type Call, type Operation, operation } from '../../service.ts';
import type { KmsKeyRow } from '../../store/rows/kms.ts';
import { dryRunnable, keyOfCiphertext, onKey, onThisKey, refuseOthers, requireKey, usableKey } from './access.ts';
import { type EncryptionContext, open, readSealed, seal } from './ciphertexts.ts';
import { checkedBytes, invalid, invalidCiphertext } from './errors.ts';
import { privateKeyOf } from './key-pairs.ts';
import { checkAlgorithmName, checkUse } from './key-specs.ts';

const symmetric = 'SYMMETRIC_DEFAULT';
const maxPlaintextBytes = 4096;
const maxCiphertextBytes = 6144;

/** OpenSSL's names, and how long a digest is. The mask is made with the same hash. */
const oaepHashes: Readonly<Record<string, { readonly oaepHash: string; readonly sizeBytes: number }>> = {
  RSAES_OAEP_SHA_1: { oaepHash: 'sha1', sizeBytes: 20 },
  RSAES_OAEP_SHA_256: { oaepHash: 'sha256', sizeBytes: 32 },
};

/** @throws ValidationException, UnsupportedOperationException */
function algorithmNamed(name: string | undefined, member: string): string {
  return checkAlgorithmName('ENCRYPT_DECRYPT', name ?? symmetric, member);
}

function padded(key: KeyObject, algorithm: string) {
  return { key, oaepHash: oaepHashes[algorithm]?.oaepHash ?? 'sha1', padding: constants.RSA_PKCS1_OAEP_PADDING };
}

/** @throws ValidationException: RSA binds no context. The wording is without a source */
function refuseContext(algorithm: string, context: EncryptionContext): void {
  if (Object.keys(context ?? {}).length > 0)
    throw invalid(`Algorithm ${algorithm} does not support an encryption context.`);
}

/** @throws InvalidKeyUsageException, ValidationException */
function sealedBy(
  call: Call,
  key: KmsKeyRow,
  algorithm: string,
  plaintext: Uint8Array,
  context: EncryptionContext,
): Uint8Array {
  checkUse(key, 'ENCRYPT_DECRYPT', call.operation, algorithm);
  const hash = oaepHashes[algorithm];
  if (!hash) return seal(key, plaintext, context);
  refuseContext(algorithm, context);
  const publicKey = createPublicKey(privateKeyOf(key));
  const most = (publicKey.asymmetricKeyDetails?.modulusLength ?? 0) / 8 - 2 * hash.sizeBytes - 2;
  if (plaintext.length > most)
    throw invalid(`Algorithm ${algorithm} and key spec ${specOf(key)} cannot encrypt data larger than ${most} bytes.`);
  return publicEncrypt(padded(publicKey, algorithm), plaintext);
}

interface OpenedBy {
  readonly plaintext: Uint8Array;
  /** Which of a symmetric key's materials it was. */
  readonly materialId?: string;
}

/** @throws InvalidKeyUsageException, InvalidCiphertextException, ValidationException */
function openedBy(
  call: Call,
  key: KmsKeyRow,
  algorithm: string,
  ciphertext: Uint8Array,
  context: EncryptionContext,
): OpenedBy {
  checkUse(key, 'ENCRYPT_DECRYPT', call.operation, algorithm);
  if (algorithm === symmetric) return open(key, readSealed(ciphertext), context);
  refuseContext(algorithm, context);
  try {
    return { plaintext: privateDecrypt(padded(privateKeyOf(key), algorithm), ciphertext) };
  } catch {
    throw invalidCiphertext();
  }
}

/**
 * The key that a ciphertext was made with: a symmetric one's says it itself, RSA's does not.
 * @throws InvalidCiphertextException, IncorrectKeyException, NotFoundException, ValidationException
 */
function keyToOpen(
  call: Call,
  ciphertext: Uint8Array | undefined,
  algorithm: string | undefined,
  named: string | undefined,
): KmsKeyRow {
  const bytes = checkedBytes(ciphertext, 'ciphertextBlob', maxCiphertextBytes);
  return algorithm === undefined || algorithm === symmetric
    ? keyOfCiphertext(call, readSealed(bytes).arn, named)
    : requireKey(call, { KeyId: named });
}

function encrypt(call: Call, input: SDK.EncryptRequest): SDK.EncryptResponse {
  const algorithm = algorithmNamed(input.EncryptionAlgorithm, 'encryptionAlgorithm');
  const plaintext = checkedBytes(input.Plaintext, 'plaintext', maxPlaintextBytes);
  const key = usableKey(call, input);
  return {
    CiphertextBlob: sealedBy(call, key, algorithm, plaintext, input.EncryptionContext),
    KeyId: key.id,
    EncryptionAlgorithm: algorithm as SDK.EncryptionAlgorithmSpec,
  };
}

function decrypt(call: Call, input: SDK.DecryptRequest): SDK.DecryptResponse {
  refuseOthers(input);
  const algorithm = algorithmNamed(input.EncryptionAlgorithm, 'encryptionAlgorithm');
  const ciphertext = checkedBytes(input.CiphertextBlob, 'ciphertextBlob', maxCiphertextBytes);
  const key = keyToOpen(call, ciphertext, algorithm, input.KeyId);
  checkUsable(key, call.now);
  const { plaintext: Plaintext, materialId: opened } = openedBy(
    call,
    key,
    algorithm,
    ciphertext,
    input.EncryptionContext,
  );
  return {
    KeyId: key.id,
    ...(opened !== undefined && { KeyMaterialId: opened }),
    Plaintext,
    EncryptionAlgorithm: algorithm as SDK.EncryptionAlgorithmSpec,
  };
}

function reEncrypt(call: Call, input: SDK.ReEncryptRequest): SDK.ReEncryptResponse {
  refuseOthers(input);
  const source = algorithmNamed(input.SourceEncryptionAlgorithm, 'sourceEncryptionAlgorithm');
  const destination = algorithmNamed(input.DestinationEncryptionAlgorithm, 'destinationEncryptionAlgorithm');
  const ciphertext = checkedBytes(input.CiphertextBlob, 'ciphertextBlob', maxCiphertextBytes);
  const from = keyToOpen(call, ciphertext, source, input.SourceKeyId);
  checkUsable(from, call.now);
  const to = usableKey(call, { KeyId: input.DestinationKeyId });
  const { plaintext, materialId: opened } = openedBy(call, from, source, ciphertext, input.SourceEncryptionContext);
  return {
    CiphertextBlob: sealedBy(call, to, destination, plaintext, input.DestinationEncryptionContext),
    SourceKeyId: from.id,
    ...(opened !== undefined && { SourceKeyMaterialId: opened }),
    KeyId: to.id,
    ...(destination === symmetric && { DestinationKeyMaterialId: currentMaterialId(to) }),
    SourceEncryptionAlgorithm: source as SDK.EncryptionAlgorithmSpec,
    DestinationEncryptionAlgorithm: destination as SDK.EncryptionAlgorithmSpec,
  };
}

export const cryptographicOperations = {
  Encrypt: dryRunnable(
    operation<SDK.EncryptRequest, SDK.EncryptResponse>({
      authorize: onKey('kms:Encrypt'),
      readOnly: true,
      run: encrypt,
    }),
  ),
  Decrypt: dryRunnable(
    operation<SDK.DecryptRequest, SDK.DecryptResponse>({
      authorize: (call, input) => {
        const key = keyToOpen(call, input.CiphertextBlob, input.EncryptionAlgorithm, input.KeyId);
        return [onThisKey(call, key, 'kms:Decrypt', input)];
      },
      readOnly: true,
      run: decrypt,
    }),
  ),
  ReEncrypt: dryRunnable(
    operation<SDK.ReEncryptRequest, SDK.ReEncryptResponse>({
      authorize: (call, input) => {
        const from = keyToOpen(call, input.CiphertextBlob, input.SourceEncryptionAlgorithm, input.SourceKeyId);
        const to = requireKey(call, { KeyId: input.DestinationKeyId });
        const same = { 'kms:ReEncryptOnSameKey': [String(from.id === to.id)] };
        const permissions = [
          onThisKey(call, from, 'kms:ReEncryptFrom', {
            KeyId: input.SourceKeyId,
            EncryptionContext: input.SourceEncryptionContext,
            EncryptionAlgorithm: input.SourceEncryptionAlgorithm,
            GrantTokens: input.GrantTokens,
          }),
          onThisKey(call, to, 'kms:ReEncryptTo', {
            KeyId: input.DestinationKeyId,
            EncryptionContext: input.DestinationEncryptionContext,
            EncryptionAlgorithm: input.DestinationEncryptionAlgorithm,
          }),
        ];
        return permissions.map((one) => ({ ...one, context: { ...one.context, ...same } }));
      },
      readOnly: true,
      run: reEncrypt,
    }),
  ),
} satisfies Record<string, Operation>;
