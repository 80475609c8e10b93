// The checksums that S3 clients send: CRC-32, CRC-32C, CRC-64/NVME, SHA-1, SHA-256, SHA-512 and MD5, each fed piece by piece.
// https://docs.aws.amazon.com/AmazonS3/latest/userguide/checking-object-integrity.html; parameters of the CRCs from https://reveng.sourceforge.io/crc-catalogue/ (read 2026-11-21).

import { createHash } from 'node:crypto';
import * as zlib from 'node:zlib';

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
  if (!nativeCrc32) return slicedCrc32(0xedb88320);
  let value = 0;
  return {
    update(bytes) {
      value = nativeCrc32(bytes, value);
    },
    digest: () => base64OfWord(value),
  };
}

function crc32c(): Checksum {
  return slicedCrc32(0x82f63b78);
}

const tables32 = new Map<number, Uint32Array>();

/** Eight tables one after the other: table k gives the effect of a byte that is k bytes before the end of a group of eight. */
function slicingTables(polynomial: number): Uint32Array {
  let tables = tables32.get(polynomial);
  if (tables) return tables;
  tables = new Uint32Array(8 * 256);
  for (let byte = 0; byte < 256; byte++) {
    let crc = byte;
    for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >>> 1) ^ polynomial : crc >>> 1;
    tables[byte] = crc;
  }
  for (let at = 256; at < tables.length; at++) {
    const before = tables[at - 256] ?? 0;
    tables[at] = (before >>> 8) ^ (tables[before & 0xff] ?? 0);
  }
  tables32.set(polynomial, tables);
  return tables;
}

function slicedCrc32(polynomial: number): Checksum {
  const t = slicingTables(polynomial);
  let crc = -1;
  return {
    update(bytes) {
      let c = crc;
      let at = 0;
      const groups = bytes.length - (bytes.length & 7);
      // Indices are in range by construction; `| 0` keeps the compiler's undefined out of the arithmetic without a branch.
      while (at < groups) {
        const low =
          c ^
          (((bytes[at] as number) |
            ((bytes[at + 1] as number) << 8) |
            ((bytes[at + 2] as number) << 16) |
            ((bytes[at + 3] as number) << 24)) as number);
        c =
          (t[1792 + (low & 255)] as number) ^
          (t[1536 + ((low >>> 8) & 255)] as number) ^
          (t[1280 + ((low >>> 16) & 255)] as number) ^
          (t[1024 + (low >>> 24)] as number) ^
          (t[768 + (bytes[at + 4] as number)] as number) ^
          (t[512 + (bytes[at + 5] as number)] as number) ^
          (t[256 + (bytes[at + 6] as number)] as number) ^
          (t[bytes[at + 7] as number] as number);
        at += 8;
      }
      while (at < bytes.length) c = (c >>> 8) ^ (t[(c ^ (bytes[at++] as number)) & 255] as number);
      crc = c;
    },
    digest: () => base64OfWord(~crc),
  };
}

// The 64-bit CRC as two 32-bit halves: BigInt arithmetic would be some fifty times slower.
let tables64: { readonly low: Uint32Array; readonly high: Uint32Array } | undefined;

function slicingTables64(): { readonly low: Uint32Array; readonly high: Uint32Array } {
  if (tables64) return tables64;
  const polynomial = 0x9a6c9329ac4bc9b5n;
  const low = new Uint32Array(8 * 256);
  const high = new Uint32Array(8 * 256);
  for (let byte = 0; byte < 256; byte++) {
    let crc = BigInt(byte);
    for (let bit = 0; bit < 8; bit++) crc = crc & 1n ? (crc >> 1n) ^ polynomial : crc >> 1n;
    low[byte] = Number(crc & 0xffffffffn);
    high[byte] = Number(crc >> 32n);
  }
  for (let at = 256; at < low.length; at++) {
    const l = low[at - 256] as number;
    const h = high[at - 256] as number;
    low[at] = ((l >>> 8) | (h << 24)) ^ (low[l & 255] as number);
    high[at] = (h >>> 8) ^ (high[l & 255] as number);
  }
  tables64 = { low, high };
  return tables64;
}

function crc64nvme(): Checksum {
  const { low: tl, high: th } = slicingTables64();
  let low = -1;
  let high = -1;
  return {
    update(bytes) {
      let l = low;
      let h = high;
      let at = 0;
      const groups = bytes.length - (bytes.length & 7);
      while (at < groups) {
        l ^=
          (bytes[at] as number) |
          ((bytes[at + 1] as number) << 8) |
          ((bytes[at + 2] as number) << 16) |
          ((bytes[at + 3] as number) << 24);
        h ^=
          (bytes[at + 4] as number) |
          ((bytes[at + 5] as number) << 8) |
          ((bytes[at + 6] as number) << 16) |
          ((bytes[at + 7] as number) << 24);
        const a = 1792 + (l & 255);
        const b = 1536 + ((l >>> 8) & 255);
        const c = 1280 + ((l >>> 16) & 255);
        const d = 1024 + (l >>> 24);
        const e = 768 + (h & 255);
        const f = 512 + ((h >>> 8) & 255);
        const g = 256 + ((h >>> 16) & 255);
        const i = h >>> 24;
        l =
          (tl[a] as number) ^
          (tl[b] as number) ^
          (tl[c] as number) ^
          (tl[d] as number) ^
          (tl[e] as number) ^
          (tl[f] as number) ^
          (tl[g] as number) ^
          (tl[i] as number);
        h =
          (th[a] as number) ^
          (th[b] as number) ^
          (th[c] as number) ^
          (th[d] as number) ^
          (th[e] as number) ^
          (th[f] as number) ^
          (th[g] as number) ^
          (th[i] as number);
        at += 8;
      }
      while (at < bytes.length) {
        const index = (l ^ (bytes[at++] as number)) & 255;
        l = ((l >>> 8) | (h << 24)) ^ (tl[index] as number);
        h = (h >>> 8) ^ (th[index] as number);
      }
      low = l;
      high = h;
    },
    digest() {
      const bytes = Buffer.allocUnsafe(8);
      bytes.writeUInt32BE(~high >>> 0, 0);
      bytes.writeUInt32BE(~low >>> 0, 4);
      return bytes.toString('base64');
    },
  };
}
