// The checksums that S3 clients send: CRC-32, CRC-32C, CRC-64/NVME, SHA-1, SHA-256, SHA-512 and MD5, each fed piece by piece.
// https://docs.aws.amazon.com/AmazonS3/latest/userguide/checking-object-integrity.html; parameters of the CRCs from https://reveng.sourceforge.io/crc-catalogue/ (read 2026-11-21).

import { createHash } from 'node:crypto';
import * as zlib from 'node:zlib';
import { type CrcStep, crcStep } from './crc-wasm.ts';
import { hashText } from './hashes.ts';

export interface Checksum {
  update(bytes: Uint8Array): void;
  /** Big-endian, in base64: the form of the `x-amz-checksum-…` headers. */
  digest(): string;
}

/** By the suffix of the header name; with the name that AWS's messages use. */
export const checksumAlgorithms: Readonly<
  Record<string, { readonly label: string; readonly bytes: number; readonly create: () => Checksum }>
> = {
  crc32: { label: 'CRC32', bytes: 4, create: crc32 },
  crc32c: { label: 'CRC32C', bytes: 4, create: crc32c },
  crc64nvme: { label: 'CRC64NVME', bytes: 8, create: crc64nvme },
  sha1: { label: 'SHA1', bytes: 20, create: () => hash('sha1') },
  sha256: { label: 'SHA256', bytes: 32, create: () => hash('sha256') },
  sha512: { label: 'SHA512', bytes: 64, create: () => hash('sha512') },
  md5: { label: 'MD5', bytes: 16, create: () => hash('md5') },
};

/** Of bytes that are all there, in base64. @param name of `checksumAlgorithms` */
export function checksumOf(name: string, bytes: Uint8Array): string {
  if (name === 'md5' || name.startsWith('sha')) return hashText(name, bytes, 'base64');
  const state = checksumAlgorithms[name]?.create();
  if (!state) throw new Error(`no implementation of ${name}`);
  state.update(bytes);
  return state.digest();
}

export function hash(algorithm: 'md5' | 'sha1' | 'sha256' | 'sha512'): Checksum {
  const state = createHash(algorithm);
  return { update: (bytes) => void state.update(bytes), digest: () => state.digest('base64') };
}

function base64OfWord(word: number): string {
  const bytes = Buffer.allocUnsafe(4);
  bytes.writeUInt32BE(word >>> 0);
  return bytes.toString('base64');
}

// zlib.crc32 came with Node 20.15 and 22.2.
type Crc32 = (data: Uint8Array, value?: number) => number;
const nativeCrc32 = (zlib as unknown as { crc32?: Crc32 }).crc32;

function crc32(): Checksum {
  if (!nativeCrc32) return steppedCrc(0xedb88320n, 32);
  let value = 0;
  return {
    update(bytes) {
      value = nativeCrc32(bytes, value);
    },
    digest: () => base64OfWord(value),
  };
}

function crc32c(): Checksum {
  return steppedCrc(0x82f63b78n, 32);
}

function crc64nvme(): Checksum {
  return steppedCrc(0x9a6c9329ac4bc9b5n, 64);
}

// The tables of a polynomial are made when it is first asked for.
const steps = new Map<bigint, CrcStep>();

function steppedCrc(polynomial: bigint, bits: 32 | 64): Checksum {
  let step = steps.get(polynomial);
  if (!step) {
    step = crcStep(polynomial);
    steps.set(polynomial, step);
  }
  const take = step;
  const ones = (1n << BigInt(bits)) - 1n;
  let state = ones;
  return {
    update(bytes) {
      state = take(state, bytes);
    },
    digest: () => Buffer.from((state ^ ones).toString(16).padStart(bits / 4, '0'), 'hex').toString('base64'),
  };
}
