// Sign and Verify, of a message or of a digest that the caller has made. https://docs.aws.amazon.com/kms/latest/APIReference/API_Sign.html (read 2026-11-21)
// Recorded (2024-04): a digest of the wrong length, a signature that does not fit. Not here, and refused by name: ED25519_PH_SHA_512, which node:crypto does not have.

import { createHash, createPublicKey, type KeyObject, sign, verify } from 'node:crypto';
import type * as SDK from '@aws-sdk/client-kms';
import { AwsError } from '../../errors.ts';
import { specOf } from '../../kms-keys.ts';
import { type Call, type Operation, operation } from '../../service.ts';
import type { KmsKeyRow } from '../../store/rows/kms.ts';
import { dryRunnable, onKey, usableKey } from './access.ts';
import * as ecdsa from './ecdsa.ts';
import { checkedBytes, invalid, notInEnum, unsupported } from './errors.ts';
import { privateKeyOf } from './key-pairs.ts';
import { checkAlgorithmName, checkUse, substanceOf } from './key-specs.ts';
import * as rsa from './rsa-signatures.ts';

const maxMessageBytes = 4096;
const maxSignatureBytes = 6144;
const messageTypes = ['RAW', 'DIGEST', 'EXTERNAL_MU'];

/** One way of signing: what is signed, and the two sides. */
interface Signing {
  sign(message: Uint8Array): Buffer;
  verifies(message: Uint8Array, signature: Uint8Array): boolean;
}

/** By the algorithms whose names end with their hash. */
function overDigests(key: KmsKeyRow, privateKey: KeyObject, algorithm: string): Signing {
  const hash = algorithm.replace(/^.*_SHA_/, 'sha');
  const substance = substanceOf(key);
  if (substance.kind === 'ec') {
    const { curve } = substance;
    return {
      sign: (digest) => ecdsa.signDigest(curve, privateKey, digest),
      verifies: (digest, signature) => ecdsa.verifiesDigest(curve, privateKey, digest, signature),
    };
  }
  const scheme = algorithm.startsWith('RSASSA_PSS') ? 'PSS' : 'PKCS1_V1_5';
  return {
    sign: (digest) => rsa.signDigest(scheme, hash, privateKey, digest),
    verifies: (digest, signature) => rsa.verifiesDigest(scheme, hash, privateKey, digest, signature),
  };
}

/** Ed25519 reads its message twice, so there is no digest of it. */
function overMessages(privateKey: KeyObject): Signing {
  return {
    sign: (message) => sign(null, message, privateKey),
    verifies: (message, signature) => verify(null, message, createPublicKey(privateKey), signature),
  };
}

/** @throws ValidationException: a digest of another length than the algorithm's */
function digestOf(algorithm: string, type: string, message: Uint8Array): Uint8Array {
  const digest = createHash(algorithm.replace(/^.*_SHA_/, 'sha'))
    .update(message)
    .digest();
  if (type === 'RAW') return digest;
  if (message.length !== digest.length) throw invalid(`Digest is invalid length for algorithm ${algorithm}.`);
  return message;
}

interface Prepared {
  readonly key: KmsKeyRow;
  readonly algorithm: SDK.SigningAlgorithmSpec;
  readonly signing: Signing;
  /** The digest, or for Ed25519 the message. */
  readonly subject: Uint8Array;
}

/** @throws ValidationException, InvalidKeyUsageException, UnsupportedOperationException, and what `usableKey` throws */
function prepared(call: Call, input: Omit<SDK.SignRequest, 'DryRun' | 'GrantTokens'>): Prepared {
  const algorithm = checkAlgorithmName('SIGN_VERIFY', input.SigningAlgorithm, 'signingAlgorithm');
  const type = input.MessageType ?? 'RAW';
  if (!messageTypes.includes(type)) throw notInEnum(type, 'messageType', messageTypes);
  const message = checkedBytes(input.Message, 'message', maxMessageBytes);
  const key = usableKey(call, input);
  checkUse(key, 'SIGN_VERIFY', call.operation, algorithm);
  if (algorithm === 'ED25519_PH_SHA_512') throw unsupported(`the algorithm ${algorithm}`);
  const isPlain = algorithm === 'ED25519_SHA_512';
  // The words are those of ML_DSA keys, as users of them have printed them.
  if (type === 'EXTERNAL_MU' || (isPlain && type !== 'RAW'))
    throw invalid(`Message type ${type} is incompatible with key spec ${specOf(key)}.`);
  const privateKey = privateKeyOf(key);
  return {
    key,
    algorithm: algorithm as SDK.SigningAlgorithmSpec,
    signing: isPlain ? overMessages(privateKey) : overDigests(key, privateKey, algorithm),
    subject: isPlain ? message : digestOf(algorithm, type, message),
  };
}

export const signingOperations = {
  Sign: dryRunnable(
    operation<SDK.SignRequest, SDK.SignResponse>({
      authorize: onKey('kms:Sign'),
      readOnly: true,
      run: (call, input) => {
        const { key, algorithm, signing, subject } = prepared(call, input);
        return { KeyId: key.id, Signature: signing.sign(subject), SigningAlgorithm: algorithm };
      },
    }),
  ),
  Verify: dryRunnable(
    operation<SDK.VerifyRequest, SDK.VerifyResponse>({
      authorize: onKey('kms:Verify'),
      readOnly: true,
      run: (call, input) => {
        const signature = checkedBytes(input.Signature, 'signature', maxSignatureBytes);
        const { key, algorithm, signing, subject } = prepared(call, input);
        if (!signing.verifies(subject, signature)) throw new AwsError('KMSInvalidSignatureException', 400, '');
        return { KeyId: key.id, SignatureValid: true, SigningAlgorithm: algorithm };
      },
    }),
  ),
} satisfies Record<string, Operation>;
