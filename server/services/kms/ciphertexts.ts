// What symmetric keys seal: AES-256-GCM under the key's material, the encryption context bound in as additional data, so a ciphertext opens with the same context and no other.
// https://docs.aws.amazon.com/kms/latest/APIReference/API_Encrypt.html (read 2026-11-21)
// A ciphertext: a byte of version, the length of the key's ARN and the ARN, 12 bytes of nonce, 16 of tag, the encrypted bytes. AWS's are opaque too.

import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto';
import { materialId, materialsOf } from '../../kms-keys.ts';
import type { KmsKeyRow } from '../../store/rows/kms.ts';
import { invalidCiphertext, validationError } from './errors.ts';

const version = 1;
const nonceBytes = 12;
const tagBytes = 16;
const headBytes = 3;

export type EncryptionContext = Readonly<Record<string, string>> | undefined;

/** The order of the pairs does not matter. */
function boundContext(context: EncryptionContext): Buffer {
  const pairs = Object.entries(context ?? {}).sort(([a], [b]) => (a < b ? -1 : 1));
  return Buffer.from(JSON.stringify(pairs));
}

/** Whose material seals, and by what name a ciphertext says so. */
export type Sealer = Pick<KmsKeyRow, 'id' | 'keyId' | 'multiRegion' | 'material' | 'rotations' | 'imported'>;

export function seal(key: Sealer, plaintext: Uint8Array, context: EncryptionContext): Uint8Array {
  const arn = Buffer.from(key.id);
  const nonce = randomBytes(nonceBytes);
  const cipher = createCipheriv('aes-256-gcm', Buffer.from(materialsOf(key)[0], 'base64'), nonce);
  cipher.setAAD(boundContext(context));
  const sealed = Buffer.concat([cipher.update(plaintext), cipher.final()]);
  const head = Buffer.from([version, arn.length >> 8, arn.length & 255]);
  return Buffer.concat([head, arn, nonce, cipher.getAuthTag(), sealed]);
}

export interface Sealed {
  readonly arn: string;
  readonly nonce: Buffer;
  readonly tag: Buffer;
  readonly bytes: Buffer;
}

/** @throws InvalidCiphertextException, ValidationException */
export function readSealed(blob: Uint8Array | undefined): Sealed {
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

export interface Opened {
  readonly plaintext: Uint8Array;
  readonly materialId: string;
}

/** @throws InvalidCiphertextException when key or context are not those that it was sealed with */
export function open(key: Sealer, sealed: Sealed, context: EncryptionContext): Opened {
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
