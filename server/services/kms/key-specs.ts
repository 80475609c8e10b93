// The kinds of keys: what each is made of, what it may be used for, and by which algorithms.
// https://docs.aws.amazon.com/kms/latest/developerguide/symm-asymm-choose-key-spec.html (read 2026-11-21). Recorded (2023 to 2025): the algorithms of SYMMETRIC_DEFAULT, RSA_4096, HMAC keys and
// curves in KeyMetadata. Not here, and refused by name: SM2 (China alone), ML_DSA and ML_KEM, which node:crypto does not have.

import type * as SDK from '@aws-sdk/client-kms';
import { specOf, usageOf, wrongAlgorithm, wrongUsage } from '../../kms-keys.ts';
import type { KmsKeyRow } from '../../store/rows/kms.ts';
import { invalid, notInEnum, unsupported } from './errors.ts';

/** What a key is made of. */
export type Substance =
  | { readonly kind: 'secret'; readonly sizeBytes: number }
  | { readonly kind: 'rsa'; readonly bits: number }
  | { readonly kind: 'ec'; readonly curve: Curve }
  | { readonly kind: 'ed25519' };

/** OpenSSL's names. */
export type Curve = 'prime256v1' | 'secp384r1' | 'secp521r1' | 'secp256k1';

export type PairSubstance = Exclude<Substance, { kind: 'secret' }>;

interface KeyKind {
  readonly substance: Substance;
  readonly algorithms: Readonly<Partial<Record<Usage, readonly string[]>>>;
}

/** Each with the member of KeyMetadata that lists its algorithms. */
const usages = {
  ENCRYPT_DECRYPT: 'EncryptionAlgorithms',
  SIGN_VERIFY: 'SigningAlgorithms',
  GENERATE_VERIFY_MAC: 'MacAlgorithms',
  KEY_AGREEMENT: 'KeyAgreementAlgorithms',
} as const satisfies Record<string, keyof SDK.KeyMetadata>;
type Usage = keyof typeof usages;

const rsa = (bits: number) => ({
  substance: { kind: 'rsa', bits } as const,
  algorithms: {
    ENCRYPT_DECRYPT: ['RSAES_OAEP_SHA_1', 'RSAES_OAEP_SHA_256'],
    SIGN_VERIFY: [
      'RSASSA_PKCS1_V1_5_SHA_256',
      'RSASSA_PKCS1_V1_5_SHA_384',
      'RSASSA_PKCS1_V1_5_SHA_512',
      'RSASSA_PSS_SHA_256',
      'RSASSA_PSS_SHA_384',
      'RSASSA_PSS_SHA_512',
    ],
  },
});

const nist = (curve: Curve, bits: number) => ({
  substance: { kind: 'ec', curve } as const,
  algorithms: { SIGN_VERIFY: [`ECDSA_SHA_${bits}`], KEY_AGREEMENT: ['ECDH'] },
});

const hmac = (bits: number, sizeBytes: number) => ({
  substance: { kind: 'secret', sizeBytes } as const,
  algorithms: { GENERATE_VERIFY_MAC: [`HMAC_SHA_${bits}`] },
});

const keySpecs = {
  SYMMETRIC_DEFAULT: {
    substance: { kind: 'secret', sizeBytes: 32 },
    algorithms: { ENCRYPT_DECRYPT: ['SYMMETRIC_DEFAULT'] },
  },
  RSA_2048: rsa(2048),
  RSA_3072: rsa(3072),
  RSA_4096: rsa(4096),
  ECC_NIST_P256: nist('prime256v1', 256),
  ECC_NIST_P384: nist('secp384r1', 384),
  ECC_NIST_P521: nist('secp521r1', 512),
  ECC_SECG_P256K1: {
    substance: { kind: 'ec', curve: 'secp256k1' },
    algorithms: { SIGN_VERIFY: ['ECDSA_SHA_256'] },
  },
  ECC_NIST_EDWARDS25519: {
    substance: { kind: 'ed25519' },
    algorithms: { SIGN_VERIFY: ['ED25519_SHA_512', 'ED25519_PH_SHA_512'] },
  },
  HMAC_224: hmac(224, 28),
  HMAC_256: hmac(256, 32),
  HMAC_384: hmac(384, 48),
  HMAC_512: hmac(512, 64),
} as const satisfies Record<string, KeyKind>;

const kinds: Readonly<Record<string, KeyKind>> = keySpecs;
const notHere = /^(SM2|ML_(DSA|KEM)_\d+)$/;

/** @throws ValidationException, UnsupportedOperationException. In which order AWS names the specs of today has no source */
function kindOf(spec: string, member: string): KeyKind {
  const kind = kinds[spec];
  if (kind) return kind;
  if (notHere.test(spec)) throw unsupported(`keys of the spec ${spec}`);
  throw notInEnum(spec, member, Object.keys(keySpecs));
}

/**
 * What a new key shall be. @returns spec and usage, absent where they are the usual ones
 * @throws ValidationException (recorded 2023-04 and 2024-12), UnsupportedOperationException
 */
export function wantedKind({
  KeySpec,
  CustomerMasterKeySpec,
  KeyUsage: usage,
}: Pick<SDK.CreateKeyRequest, 'KeySpec' | 'CustomerMasterKeySpec' | 'KeyUsage'>): Pick<KmsKeyRow, 'spec' | 'usage'> & {
  readonly substance: Substance;
} {
  const spec = KeySpec ?? CustomerMasterKeySpec ?? 'SYMMETRIC_DEFAULT';
  const { substance, algorithms } = kindOf(spec, KeySpec === undefined ? 'customerMasterKeySpec' : 'keySpec');
  const isUsual = spec === 'SYMMETRIC_DEFAULT';
  if (usage !== undefined && !Object.hasOwn(usages, usage)) throw notInEnum(usage, 'keyUsage', Object.keys(usages));
  if (usage === undefined && !isUsual)
    throw invalid('You must specify a KeyUsage value for all KMS keys except for symmetric encryption keys.');
  if (!Object.hasOwn(algorithms, usage ?? 'ENCRYPT_DECRYPT'))
    throw invalid(`KeyUsage ${usage} is not compatible with KeySpec ${spec}`);
  return { substance, ...(!isUsual && { spec }), ...(usage !== undefined && !isUsual && { usage }) };
}

/** @throws ValidationException, UnsupportedOperationException */
export function pairSubstance(spec: string | undefined): PairSubstance {
  const { substance } = kindOf(spec ?? 'null', 'keyPairSpec');
  if (substance.kind !== 'secret') return substance;
  throw notInEnum(
    spec ?? 'null',
    'keyPairSpec',
    Object.keys(kinds).filter((name) => kinds[name]?.substance.kind !== 'secret'),
  );
}

export function substanceOf(key: KmsKeyRow): Substance {
  const kind = kinds[specOf(key)];
  if (!kind) throw new Error(`${key.id} is of the spec ${specOf(key)}, which is unknown`);
  return kind.substance;
}

function algorithmsOf(key: KmsKeyRow): readonly string[] {
  return kinds[specOf(key)]?.algorithms[usageOf(key) as Usage] ?? [];
}

/** The member of KeyMetadata that says by which algorithms a key is used. */
export function algorithmsMember(key: KmsKeyRow): Record<string, string[]> {
  return { [usages[usageOf(key) as Usage]]: [...algorithmsOf(key)] };
}

const allAlgorithms = (usage: Usage) => [
  ...new Set(Object.values(kinds).flatMap(({ algorithms }) => algorithms[usage] ?? [])),
];

/** Recorded (2024-04) in this order. */
const macAlgorithms = ['HMAC_SHA_384', 'HMAC_SHA_256', 'HMAC_SHA_224', 'HMAC_SHA_512'];
const notHereAlgorithm = /^(SM2PKE|SM2DSA|ML_DSA_SHAKE_256)$/;

/** That an algorithm is one at all. @throws ValidationException, UnsupportedOperationException */
export function checkAlgorithmName(usage: Usage, algorithm: string | undefined, member: string): string {
  const known = usage === 'GENERATE_VERIFY_MAC' ? macAlgorithms : allAlgorithms(usage);
  if (algorithm !== undefined && known.includes(algorithm)) return algorithm;
  if (algorithm !== undefined && notHereAlgorithm.test(algorithm)) throw unsupported(`the algorithm ${algorithm}`);
  throw notInEnum(algorithm, member, known);
}

/** @throws InvalidKeyUsageException: a key for something else, or of another algorithm */
export function checkUse(key: KmsKeyRow, usage: Usage, operation: string, algorithm: string): void {
  if (usageOf(key) !== usage) throw wrongUsage(key, operation);
  if (!algorithmsOf(key).includes(algorithm)) throw wrongAlgorithm(key, algorithm);
}
