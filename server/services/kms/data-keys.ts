// What KMS makes for use outside it: data keys and pairs of them, told in the clear and sealed under a symmetric key, and random bytes.
// https://docs.aws.amazon.com/kms/latest/APIReference/API_GenerateDataKeyPair.html (read 2026-11-21)

import { randomBytes } from 'node:crypto';
import type * as SDK from '@aws-sdk/client-kms';
import { checkSymmetric, currentMaterialId } from '../../kms-keys.ts';
import { type Call, type Operation, operation, type StreamCall, streamOperation } from '../../service.ts';
import type { KmsKeyRow } from '../../store/rows/kms.ts';
import { dryRunnable, dryRunSucceeded, onAll, onKey, refuseOthers, usableKey } from './access.ts';
import { seal } from './ciphertexts.ts';
import { invalid, unsupported, validationError } from './errors.ts';
import { newPrivateKey, privateBytes, publicBytes } from './key-pairs.ts';
import { pairSubstance } from './key-specs.ts';

/** @throws the errors of `usableKey`, InvalidKeyUsageException */
function sealingKey(call: Call, input: { readonly KeyId?: string | undefined }): KmsKeyRow {
  const key = usableKey(call, input);
  checkSymmetric(key, call.operation);
  return key;
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
  const key = sealingKey(call, input);
  const Plaintext = randomBytes(sizeBytes);
  const CiphertextBlob = seal(key, Plaintext, input.EncryptionContext);
  return { CiphertextBlob, Plaintext, KeyId: key.id, KeyMaterialId: currentMaterialId(key) };
}

/** The key is looked at twice: a pair takes its time, and meanwhile somebody may have switched it off. */
async function generatePair(
  call: StreamCall,
  input: SDK.GenerateDataKeyPairRequest,
): Promise<SDK.GenerateDataKeyPairResponse> {
  refuseOthers(input);
  const substance = pairSubstance(input.KeyPairSpec);
  const currentKey = () => call.read((tx) => sealingKey({ ...call, tx }, input));
  currentKey();
  if (input.DryRun) throw dryRunSucceeded();
  const made = await newPrivateKey(substance);
  const key = currentKey();
  const PrivateKeyPlaintext = privateBytes(made);
  return {
    PrivateKeyCiphertextBlob: seal(key, PrivateKeyPlaintext, input.EncryptionContext),
    PrivateKeyPlaintext,
    PublicKey: publicBytes(made),
    KeyId: key.id,
    KeyPairSpec: input.KeyPairSpec,
    KeyMaterialId: currentMaterialId(key),
  };
}

export const dataKeyOperations = {
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
  GenerateDataKeyPair: streamOperation<SDK.GenerateDataKeyPairRequest, SDK.GenerateDataKeyPairResponse>({
    authorize: onKey('kms:GenerateDataKeyPair'),
    readOnly: true,
    run: generatePair,
  }),
  GenerateDataKeyPairWithoutPlaintext: streamOperation<
    SDK.GenerateDataKeyPairWithoutPlaintextRequest,
    SDK.GenerateDataKeyPairWithoutPlaintextResponse
  >({
    authorize: onKey('kms:GenerateDataKeyPairWithoutPlaintext'),
    readOnly: true,
    run: async (call, input) => {
      const { PrivateKeyPlaintext: _, ...answer } = await generatePair(call, input);
      return answer;
    },
  }),
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
