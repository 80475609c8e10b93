// What keys do: encrypt, decrypt, and make data keys. AES-256-GCM under the key's material, the encryption context bound in as additional data, so a
// ciphertext opens with the same context and no other. https://docs.aws.amazon.com/kms/latest/APIReference/API_Encrypt.html (read 2026-11-21)
// A ciphertext: a byte of version, the length of the key's ARN and the ARN, 12 bytes of nonce, 16 of tag, the encrypted bytes. AWS's are opaque too.

import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto';
import type * as SDK from '@aws-sdk/client-kms';
import { checkUsable, materialId, materialsOf } from '../../kms-keys.ts';
import { type Call, type Operation, operation } from '../../service.ts';
import type { KmsKeyRow } from '../../store/rows/kms.ts';
import { type ContextInput, dryRunnable, keyOfCiphertext, onAll, onKey, onThisKey, requireKey } from './access.ts';
import { invalid, invalidCiphertext, unsupported, validationError } from './errors.ts';

const version = 1;
const nonceBytes = 12;
const tagBytes = 16;
const headBytes = 3;
const maxPlaintextBytes = 4096;

type EncryptionContext = Readonly<Record<string, string>> | undefined;

/** The order of the pairs does not matter. */
function boundContext(context: EncryptionContext): Buffer {
  const pairs = Object.entries(context ?? {}).sort(([a], [b]) => (a < b ? -1 : 1));
  return Buffer.from(JSON.stringify(pairs));
}

function seal(key: KmsKeyRow, plaintext: Uint8Array, context: EncryptionContext): Uint8Array {
  const arn = Buffer.from(key.id);
  const nonce = randomBytes(nonceBytes);
  const cipher = createCipheriv('aes-256-gcm', Buffer.from(materialsOf(key)[0], 'base64'), nonce);
  cipher.setAAD(boundContext(context));
  const sealed = Buffer.concat([cipher.update(plaintext), cipher.final()]);
  const head = Buffer.from([version, arn.length >> 8, arn.length & 255]);
  return Buffer.concat([head, arn, nonce, cipher.getAuthTag(), sealed]);
}

interface Sealed {
  readonly arn: string;
  readonly nonce: Buffer;
  readonly tag: Buffer;
  readonly bytes: Buffer;
}

/** @throws InvalidCiphertextException, ValidationException */
function readSealed(blob: Uint8Array | undefined): Sealed {
  if (!blob?.length)
    throw validationError(
      "Value at 'ciphertextBlob' failed to satisfy constraint: Member must have length greater than or equal to 1",
    );
  const bytes = Buffer.from(blob.buffer, blob.byteOffset, blob.byteLength);
  const arnEnd = bytes.length < headBytes ? 0 : headBytes + bytes.readUInt16BE(1);
  const start = arnEnd + nonceBytes + tagBytes;
  if (bytes[0] !== version || bytes.length < start) throw invalidCiphertext();
  return {
    arn: bytes.toString('utf8', headBytes, arnEnd),
    nonce: bytes.subarray(arnEnd, arnEnd + nonceBytes),
    tag: bytes.subarray(arnEnd + nonceBytes, start),
    bytes: bytes.subarray(start),
  };
}

interface Opened {
  readonly plaintext: Uint8Array;
  readonly materialId: string;
}

/** @throws InvalidCiphertextException when key or context are not those that it was sealed with */
function open(key: KmsKeyRow, sealed: Sealed, context: EncryptionContext): Opened {
  for (const material of materialsOf(key)) {
    const decipher = createDecipheriv('aes-256-gcm', Buffer.from(material, 'base64'), sealed.nonce);
    decipher.setAAD(boundContext(context)).setAuthTag(sealed.tag);
    try {
      const plaintext = Buffer.concat([decipher.update(sealed.bytes), decipher.final()]);
      return { plaintext, materialId: materialId(key, material) };
    } catch {
      // Sealed with another of its materials, or not to be opened at all.
    }
  }
  throw invalidCiphertext();
}

/** @throws ValidationException */
function checkAlgorithm(algorithm: string | undefined): void {
  if (algorithm !== undefined && algorithm !== 'SYMMETRIC_DEFAULT')
    throw invalid(`Algorithm ${algorithm} and key spec SYMMETRIC_DEFAULT are not compatible.`);
}

/** @throws the errors of `requireKey` and of a key that cannot be used now */
function usableKey(call: Call, input: { readonly KeyId?: string | undefined }): KmsKeyRow {
  const key = requireKey(call, input);
  checkUsable(key);
  return key;
}

function encrypt(call: Call, input: SDK.EncryptRequest): SDK.EncryptResponse {
  checkAlgorithm(input.EncryptionAlgorithm);
  const plaintext = input.Plaintext;
  if (!plaintext?.length || plaintext.length > maxPlaintextBytes)
    throw validationError(
      `Value at 'plaintext' failed to satisfy constraint: Member must have length ${plaintext?.length ? `less than or equal to ${maxPlaintextBytes}` : 'greater than or equal to 1'}`,
    );
  const key = usableKey(call, input);
  const CiphertextBlob = seal(key, plaintext, input.EncryptionContext);
  return { CiphertextBlob, KeyId: key.id, EncryptionAlgorithm: 'SYMMETRIC_DEFAULT' };
}

/** What would be answered in another way than asked is not served. @throws UnsupportedOperationException */
function refuseOthers(input: {
  readonly Recipient?: SDK.RecipientInfo | undefined;
  readonly DryRunModifiers?: readonly string[] | undefined;
}): void {
  if (input.Recipient !== undefined) throw unsupported('attested recipients');
  if (input.DryRunModifiers?.length) throw unsupported('dry runs without a ciphertext');
}

function decrypt(call: Call, input: SDK.DecryptRequest): SDK.DecryptResponse {
  refuseOthers(input);
  checkAlgorithm(input.EncryptionAlgorithm);
  const sealed = readSealed(input.CiphertextBlob);
  const key = keyOfCiphertext(call, sealed.arn, input.KeyId);
  checkUsable(key);
  const { plaintext: Plaintext, materialId: KeyMaterialId } = open(key, sealed, input.EncryptionContext);
  return { KeyId: key.id, KeyMaterialId, Plaintext, EncryptionAlgorithm: 'SYMMETRIC_DEFAULT' };
}

function reEncrypt(call: Call, input: SDK.ReEncryptRequest): SDK.ReEncryptResponse {
  refuseOthers(input);
  checkAlgorithm(input.SourceEncryptionAlgorithm);
  checkAlgorithm(input.DestinationEncryptionAlgorithm);
  const sealed = readSealed(input.CiphertextBlob);
  const from = keyOfCiphertext(call, sealed.arn, input.SourceKeyId);
  checkUsable(from);
  const to = usableKey(call, { KeyId: input.DestinationKeyId });
  const { plaintext, materialId: SourceKeyMaterialId } = open(from, sealed, input.SourceEncryptionContext);
  return {
    CiphertextBlob: seal(to, plaintext, input.DestinationEncryptionContext),
    SourceKeyId: from.id,
    SourceKeyMaterialId,
    KeyId: to.id,
    DestinationKeyMaterialId: materialId(to),
    SourceEncryptionAlgorithm: 'SYMMETRIC_DEFAULT',
    DestinationEncryptionAlgorithm: 'SYMMETRIC_DEFAULT',
  };
}

/** @throws ValidationException. The second wording is recorded, the first not */
function dataKeyBytes({ KeySpec: spec, NumberOfBytes: count }: SDK.GenerateDataKeyRequest): number {
  if ((spec === undefined) === (count === undefined))
    throw invalid('Please specify either number of bytes or key spec.');
  if (spec !== undefined) return spec === 'AES_128' ? 16 : 32;
  return checkCount(count);
}

function checkCount(count: number | undefined): number {
  if (count === undefined) throw invalid('NumberOfBytes is required.');
  if (count >= 1 && count <= 1024) return count;
  const constraint = count < 1 ? 'greater than or equal to 1' : 'less than or equal to 1024';
  throw validationError(
    `Value '${count}' at 'numberOfBytes' failed to satisfy constraint: Member must have value ${constraint}`,
  );
}

function generateDataKey(call: Call, input: SDK.GenerateDataKeyRequest): SDK.GenerateDataKeyResponse {
  refuseOthers(input);
  const sizeBytes = dataKeyBytes(input);
  const key = usableKey(call, input);
  const Plaintext = randomBytes(sizeBytes);
  const CiphertextBlob = seal(key, Plaintext, input.EncryptionContext);
  return { CiphertextBlob, Plaintext, KeyId: key.id, KeyMaterialId: materialId(key) };
}

function onCiphertext(action: string) {
  return (call: Call, input: SDK.DecryptRequest) => {
    const key = keyOfCiphertext(call, readSealed(input.CiphertextBlob).arn, input.KeyId);
    return [onThisKey(call, key, action, input as ContextInput)];
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
      authorize: onCiphertext('kms:Decrypt'),
      readOnly: true,
      run: decrypt,
    }),
  ),
  ReEncrypt: dryRunnable(
    operation<SDK.ReEncryptRequest, SDK.ReEncryptResponse>({
      authorize: (call, input) => {
        const from = keyOfCiphertext(call, readSealed(input.CiphertextBlob).arn, input.SourceKeyId);
        const to = requireKey(call, { KeyId: input.DestinationKeyId });
        const same = { 'kms:ReEncryptOnSameKey': [String(from.id === to.id)] };
        const permissions = [
          onThisKey(call, from, 'kms:ReEncryptFrom', {
            KeyId: input.SourceKeyId,
            EncryptionContext: input.SourceEncryptionContext,
            GrantTokens: input.GrantTokens,
          }),
          onThisKey(call, to, 'kms:ReEncryptTo', {
            KeyId: input.DestinationKeyId,
            EncryptionContext: input.DestinationEncryptionContext,
          }),
        ];
        return permissions.map((one) => ({ ...one, context: { ...one.context, ...same } }));
      },
      readOnly: true,
      run: reEncrypt,
    }),
  ),
  GenerateDataKey: dryRunnable(
    operation<SDK.GenerateDataKeyRequest, SDK.GenerateDataKeyResponse>({
      authorize: onKey('kms:GenerateDataKey'),
      readOnly: true,
      run: generateDataKey,
    }),
  ),
  GenerateDataKeyWithoutPlaintext: dryRunnable(
    operation<SDK.GenerateDataKeyWithoutPlaintextRequest, SDK.GenerateDataKeyWithoutPlaintextResponse>({
      authorize: onKey('kms:GenerateDataKeyWithoutPlaintext'),
      readOnly: true,
      run: (call, input) => {
        const { Plaintext: _, ...answer } = generateDataKey(call, input);
        return answer;
      },
    }),
  ),
  GenerateRandom: operation<SDK.GenerateRandomRequest, SDK.GenerateRandomResponse>({
    authorize: onAll('kms:GenerateRandom'),
    readOnly: true,
    run: (_call, input) => {
      refuseOthers(input);
      if (input.CustomKeyStoreId !== undefined) throw unsupported('custom key stores');
      return { Plaintext: randomBytes(checkCount(input.NumberOfBytes)) };
    },
  }),
} satisfies Record<string, Operation>;
