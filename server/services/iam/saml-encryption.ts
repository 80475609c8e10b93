// Which keys does a SAML provider's row have to open encrypted assertions with, and must they be encrypted?
// https://docs.aws.amazon.com/IAM/latest/APIReference/API_UpdateSAMLProvider.html and
// https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles_providers_create_saml.html (read 2026-11-21): two private keys at most, so that one can be replaced by
// another. STS opens the assertions. Unsourced: the words, and that a mode without a key is refused.

import { createPrivateKey } from 'node:crypto';
import type { SAMLPrivateKey, UpdateSAMLProviderRequest } from '@aws-sdk/client-iam';
import { randomBase32, timestamp } from '../../identities.ts';
import type { Call } from '../../service.ts';
import type { SamlProviderRow } from '../../store/rows/iam.ts';
import { constraints } from './checks.ts';
import { invalidInput, noSuchMember, quotaExceeded } from './errors.ts';

const mostKeys = 2;

type Settings = Pick<SamlProviderRow, 'encryptionMode' | 'privateKeys'>;

/** @returns the members of the row as they are afterwards */
export function changedEncryption(
  call: Call,
  before: Settings,
  input: Pick<UpdateSAMLProviderRequest, 'AssertionEncryptionMode' | 'AddPrivateKey' | 'RemovePrivateKey'>,
): Settings {
  constraints()
    .oneOf('assertionEncryptionMode', input.AssertionEncryptionMode, ['Required', 'Allowed'])
    .length('addPrivateKey', input.AddPrivateKey, 1, 16384)
    .length('removePrivateKey', input.RemovePrivateKey, 22, 64)
    .pattern('removePrivateKey', input.RemovePrivateKey, /^[A-Z0-9]+$/, '[A-Z0-9]+')
    .done();
  const removed = input.RemovePrivateKey;
  const kept = (before.privateKeys ?? []).filter(({ keyId }) => keyId !== removed);
  if (removed !== undefined && kept.length === before.privateKeys?.length) {
    throw noSuchMember(`Private key ${removed} cannot be found.`);
  }
  const privateKeys = [...kept, ...addedKey(call, input.AddPrivateKey)];
  if (privateKeys.length > mostKeys) throw quotaExceeded('PrivateKeysPerSAMLProvider', mostKeys);
  const encryptionMode = input.AssertionEncryptionMode ?? before.encryptionMode;
  if (encryptionMode !== undefined && privateKeys.length === 0) {
    throw invalidInput('AssertionEncryptionMode needs a private key.');
  }
  return {
    ...(encryptionMode !== undefined && { encryptionMode }),
    ...(privateKeys.length > 0 && { privateKeys }),
  };
}

function addedKey(call: Call, pem: string | undefined): NonNullable<Settings['privateKeys']> {
  if (pem === undefined) return [];
  if (!isRsaKey(pem)) throw invalidInput('Could not parse private key.');
  return [{ keyId: randomBase32(32), pem, uploadedAt: timestamp(call.now) }];
}

function isRsaKey(pem: string): boolean {
  try {
    return createPrivateKey(pem).asymmetricKeyType === 'rsa';
  } catch {
    return false;
  }
}

export function describeEncryption({ encryptionMode, privateKeys }: Settings) {
  return {
    ...(encryptionMode !== undefined && { AssertionEncryptionMode: encryptionMode }),
    ...(privateKeys && {
      PrivateKeyList: privateKeys.map(
        ({ keyId, uploadedAt }): SAMLPrivateKey => ({ KeyId: keyId, Timestamp: new Date(uploadedAt) }),
      ),
    }),
  };
}
