// The public half of a pair: told (GetPublicKey), and another's taken to agree on a secret (DeriveSharedSecret).
// https://docs.aws.amazon.com/kms/latest/APIReference/API_DeriveSharedSecret.html (read 2026-11-21). Recorded (2024-12): a public key that is none is a ValidationException without a message.

import { createPublicKey, diffieHellman, type KeyObject } from 'node:crypto';
import type * as SDK from '@aws-sdk/client-kms';
import { AwsError } from '../../errors.ts';
import { originOf, specOf, usageOf } from '../../kms-keys.ts';
import { type Call, type Operation, operation } from '../../service.ts';
import { dryRunnable, onKey, refuseOthers, usableKey } from './access.ts';
import { checkedBytes, invalid } from './errors.ts';
import { privateKeyOf, publicBytes } from './key-pairs.ts';
import { algorithmsMember, checkAlgorithmName, checkUse, substanceOf } from './key-specs.ts';

const maxPublicKeyBytes = 8192;

/** @throws UnsupportedOperationException, whose wording is without a source */
function getPublicKey(call: Call, input: SDK.GetPublicKeyRequest): SDK.GetPublicKeyResponse {
  const key = usableKey(call, input);
  if (substanceOf(key).kind === 'secret')
    throw new AwsError(
      'UnsupportedOperationException',
      400,
      `${key.id} key spec is ${specOf(key)} which is not valid for ${call.operation}.`,
    );
  return {
    KeyId: key.id,
    PublicKey: publicBytes(privateKeyOf(key)),
    CustomerMasterKeySpec: specOf(key) as SDK.CustomerMasterKeySpec,
    KeySpec: specOf(key) as SDK.KeySpec,
    KeyUsage: usageOf(key) as SDK.KeyUsageType,
    ...algorithmsMember(key),
  };
}

/** The other side's, on the same curve. @throws ValidationException */
function otherSide(bytes: Uint8Array, own: KeyObject): KeyObject {
  try {
    const key = createPublicKey({ key: Buffer.from(bytes), format: 'der', type: 'spki' });
    if (key.asymmetricKeyDetails?.namedCurve === own.asymmetricKeyDetails?.namedCurve) return key;
  } catch {
    // Falls through to the same answer.
  }
  throw invalid('');
}

function deriveSharedSecret(call: Call, input: SDK.DeriveSharedSecretRequest): SDK.DeriveSharedSecretResponse {
  refuseOthers(input);
  const algorithm = checkAlgorithmName('KEY_AGREEMENT', input.KeyAgreementAlgorithm, 'keyAgreementAlgorithm');
  const given = checkedBytes(input.PublicKey, 'publicKey', maxPublicKeyBytes);
  const key = usableKey(call, input);
  checkUse(key, 'KEY_AGREEMENT', call.operation, algorithm);
  const privateKey = privateKeyOf(key);
  return {
    KeyId: key.id,
    SharedSecret: diffieHellman({ privateKey, publicKey: otherSide(given, privateKey) }),
    KeyAgreementAlgorithm: algorithm as SDK.KeyAgreementAlgorithmSpec,
    KeyOrigin: originOf(key),
  };
}

export const publicKeyOperations = {
  GetPublicKey: operation<SDK.GetPublicKeyRequest, SDK.GetPublicKeyResponse>({
    authorize: onKey('kms:GetPublicKey'),
    readOnly: true,
    run: getPublicKey,
  }),
  DeriveSharedSecret: dryRunnable(
    operation<SDK.DeriveSharedSecretRequest, SDK.DeriveSharedSecretResponse>({
      authorize: onKey('kms:DeriveSharedSecret'),
      readOnly: true,
      run: deriveSharedSecret,
    }),
  ),
} satisfies Record<string, Operation>;
