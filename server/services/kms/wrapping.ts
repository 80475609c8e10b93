// How material comes wrapped to be imported: under an RSA key that KMS made for it, or under an AES key which is wrapped by that one.
// https://docs.aws.amazon.com/kms/latest/developerguide/importing-keys-get-public-key-and-token.html (read 2026-11-21). Not here: RSAES_PKCS1_V1_5, which AWS ended in 2023, and SM2PKE.

import { constants, createDecipheriv, type KeyObject, privateDecrypt } from 'node:crypto';
import { AwsError } from '../../errors.ts';
import { specOf } from '../../kms-keys.ts';
import type { KmsKeyRow } from '../../store/rows/kms.ts';
import { invalidCiphertext, notInEnum, unsupported } from './errors.ts';
import { type PairSubstance, substanceOf } from './key-specs.ts';

interface Wrapping {
  readonly oaepHash: 'sha1' | 'sha256';
  readonly isHybrid?: true;
}

const wrappings: Readonly<Record<string, Wrapping>> = {
  RSAES_OAEP_SHA_1: { oaepHash: 'sha1' },
  RSAES_OAEP_SHA_256: { oaepHash: 'sha256' },
  RSA_AES_KEY_WRAP_SHA_1: { oaepHash: 'sha1', isHybrid: true },
  RSA_AES_KEY_WRAP_SHA_256: { oaepHash: 'sha256', isHybrid: true },
};

const wrappingKeys: Readonly<Record<string, PairSubstance>> = {
  RSA_2048: { kind: 'rsa', bits: 2048 },
  RSA_3072: { kind: 'rsa', bits: 3072 },
  RSA_4096: { kind: 'rsa', bits: 4096 },
};

/** @throws ValidationException, UnsupportedOperationException */
export function wrappingAlgorithm(name: string | undefined): string {
  if (name !== undefined && Object.hasOwn(wrappings, name)) return name;
  if (name === 'RSAES_PKCS1_V1_5' || name === 'SM2PKE') throw unsupported(`the wrapping algorithm ${name}`);
  throw notInEnum(name, 'wrappingAlgorithm', Object.keys(wrappings));
}

/** @throws ValidationException, UnsupportedOperationException */
export function wrappingKey(spec: string | undefined): PairSubstance {
  const substance = wrappingKeys[spec ?? ''];
  if (substance) return substance;
  if (spec === 'SM2') throw unsupported('wrapping keys of the spec SM2');
  throw notInEnum(spec, 'wrappingKeySpec', Object.keys(wrappingKeys));
}

/**
 * Which wrapping is for which material (the API reference of GetParametersForImport): an RSA key is too long for RSA alone, and the hybrid is for pairs.
 * @throws UnsupportedOperationException, whose wording is without a source
 */
export function checkWrapping(algorithm: string, wrappingSpec: string | undefined, key: KmsKeyRow): void {
  const substance = substanceOf(key);
  const isHybrid = wrappings[algorithm]?.isHybrid ?? false;
  const fits =
    substance.kind === 'rsa'
      ? isHybrid
      : substance.kind === 'secret'
        ? !isHybrid
        : isHybrid || specOf(key) !== 'ECC_NIST_P521' || wrappingSpec !== 'RSA_2048';
  if (!fits)
    throw new AwsError(
      'UnsupportedOperationException',
      400,
      `The wrapping algorithm ${algorithm} with a wrapping key of the spec ${wrappingSpec} is not for key material of the spec ${specOf(key)}.`,
    );
}

/** RFC 5649. */
const keyWrapStart = Buffer.from('a65959a6', 'hex');
const aesKeyBytes = 32;

/** @throws InvalidCiphertextException */
export function unwrapped(algorithm: string, key: KeyObject, wrapped: Uint8Array): Buffer {
  const { oaepHash, isHybrid } = wrappings[algorithm] ?? { oaepHash: 'sha1' };
  const open = (bytes: Uint8Array) =>
    privateDecrypt({ key, oaepHash, padding: constants.RSA_PKCS1_OAEP_PADDING }, bytes);
  try {
    if (!isHybrid) return open(wrapped);
    const sizeBytes = (key.asymmetricKeyDetails?.modulusLength ?? 0) / 8;
    const aesKey = open(wrapped.subarray(0, sizeBytes));
    if (aesKey.length !== aesKeyBytes) throw invalidCiphertext();
    const cipher = createDecipheriv('id-aes256-wrap-pad', aesKey, keyWrapStart);
    return Buffer.concat([cipher.update(wrapped.subarray(sizeBytes)), cipher.final()]);
  } catch {
    throw invalidCiphertext();
  }
}
