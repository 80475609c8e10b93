// RSA signatures over a digest that the caller has made: node:crypto signs messages only, and hashes them itself. What is signed is laid out here (RFC 8017, sections 9.1 and 9.2), and
// the power is OpenSSL's. https://docs.aws.amazon.com/kms/latest/developerguide/symm-asymm-choose-key-spec.html (read 2026-11-21): with PSS, the salt is as long as the digest, and the
// mask is made with the same hash.

import {
  constants,
  createHash,
  createPublicKey,
  type KeyObject,
  privateEncrypt,
  publicDecrypt,
  randomBytes,
} from 'node:crypto';

/** In front of a digest, in DER: which hash it is, and its length. */
const digestInfo: Readonly<Record<string, string>> = {
  sha256: '3031300d060960864801650304020105000420',
  sha384: '3041300d060960864801650304020205000430',
  sha512: '3051300d060960864801650304020305000440',
};

export type RsaScheme = 'PKCS1_V1_5' | 'PSS';

export function signDigest(scheme: RsaScheme, hash: string, key: KeyObject, digest: Uint8Array): Buffer {
  return scheme === 'PSS'
    ? privateEncrypt({ key, padding: constants.RSA_NO_PADDING }, pssEncoded(hash, digest, sizeOf(key)))
    : privateEncrypt({ key, padding: constants.RSA_PKCS1_PADDING }, named(hash, digest));
}

export function verifiesDigest(
  scheme: RsaScheme,
  hash: string,
  privateKey: KeyObject,
  digest: Uint8Array,
  signature: Uint8Array,
): boolean {
  const key = createPublicKey(privateKey);
  const open = (padding: number): Buffer | undefined => {
    try {
      return publicDecrypt({ key, padding }, signature);
    } catch {
      return undefined;
    }
  };
  if (scheme === 'PKCS1_V1_5') return open(constants.RSA_PKCS1_PADDING)?.equals(named(hash, digest)) ?? false;
  const encoded = open(constants.RSA_NO_PADDING);
  return encoded !== undefined && isPssOf(hash, digest, encoded);
}

function named(hash: string, digest: Uint8Array): Buffer {
  return Buffer.concat([Buffer.from(digestInfo[hash] ?? '', 'hex'), digest]);
}

function sizeOf(key: KeyObject): number {
  return (key.asymmetricKeyDetails?.modulusLength ?? 0) / 8;
}

/** The hash of a counter and the seed, as often as it takes. */
function mask(hash: string, seed: Uint8Array, sizeBytes: number): Buffer {
  const pieces: Buffer[] = [];
  for (let made = 0, counter = 0; made < sizeBytes; counter += 1) {
    const count = Buffer.alloc(4);
    count.writeUInt32BE(counter);
    const piece = createHash(hash).update(seed).update(count).digest();
    pieces.push(piece);
    made += piece.length;
  }
  return Buffer.concat(pieces).subarray(0, sizeBytes);
}

function masked(bytes: Uint8Array, by: Uint8Array): Buffer {
  const result = Buffer.from(bytes).map((byte, at) => byte ^ (by[at] ?? 0));
  // The number must be below the modulus, whose length is a multiple of eight bits.
  result[0] = (result[0] ?? 0) & 0x7f;
  return Buffer.from(result);
}

function saltedHash(hash: string, digest: Uint8Array, salt: Uint8Array): Buffer {
  return createHash(hash).update(Buffer.alloc(8)).update(digest).update(salt).digest();
}

const trailer = 0xbc;

function pssEncoded(hash: string, digest: Uint8Array, sizeBytes: number): Buffer {
  const salt = randomBytes(digest.length);
  const salted = saltedHash(hash, digest, salt);
  const block = Buffer.alloc(sizeBytes - salted.length - 1);
  block[block.length - salt.length - 1] = 1;
  salt.copy(block, block.length - salt.length);
  return Buffer.concat([masked(block, mask(hash, salted, block.length)), salted, Buffer.from([trailer])]);
}

function isPssOf(hash: string, digest: Uint8Array, encoded: Buffer): boolean {
  const size = digest.length;
  const blockEnd = encoded.length - size - 1;
  if (encoded.at(-1) !== trailer || (encoded[0] ?? 0) & 0x80) return false;
  const salted = encoded.subarray(blockEnd, -1);
  const block = masked(encoded.subarray(0, blockEnd), mask(hash, salted, blockEnd));
  const start = blockEnd - size - 1;
  if (block[start] !== 1 || block.subarray(0, start).some((byte) => byte !== 0)) return false;
  return saltedHash(hash, digest, block.subarray(start + 1)).equals(salted);
}
