// The CRC of two texts one after the other, from their CRCs and the second one's length: so that a multipart object's full checksum needs no
// reading. The method of zlib's crc32_combine: the first CRC times x^(8·length) modulo the polynomial, plus the second.
// https://github.com/madler/zlib/blob/develop/crc32.c (multmodp, x2nmodp; read 2026-11-21). All three start with ones and end inverted.

import type { Algorithm } from './checksums.ts';

const polynomials: Partial<Record<Algorithm, { readonly bits: bigint; readonly polynomial: bigint }>> = {
  CRC32: { bits: 32n, polynomial: 0xedb88320n },
  CRC32C: { bits: 32n, polynomial: 0x82f63b78n },
  CRC64NVME: { bits: 64n, polynomial: 0x9a6c9329ac4bc9b5n },
};

/** Whether checksums of parts can be joined to one of the whole. */
export function canCombine(algorithm: Algorithm): boolean {
  return polynomials[algorithm] !== undefined;
}

/**
 * @param parts base64 checksums in order, each with its part's length
 * @returns the base64 checksum of the whole
 */
export function combineCrcs(
  algorithm: Algorithm,
  parts: readonly { readonly value: string; readonly sizeBytes: number }[],
): string {
  const field = polynomials[algorithm];
  if (!field) throw new Error(`${algorithm} cannot be combined`);
  // The parts of one upload are nearly all of one length.
  const shifts = new Map<number, bigint>();
  let crc = 0n;
  for (const { value, sizeBytes } of parts) {
    let shift = shifts.get(sizeBytes);
    if (shift === undefined) {
      shift = power(BigInt(sizeBytes) * 8n, field);
      shifts.set(sizeBytes, shift);
    }
    crc = multiply(shift, crc, field) ^ BigInt(`0x${Buffer.from(value, 'base64').toString('hex')}`);
  }
  const hex = crc.toString(16).padStart(Number(field.bits / 4n), '0');
  return Buffer.from(hex, 'hex').toString('base64');
}

interface Field {
  readonly bits: bigint;
  readonly polynomial: bigint;
}

/** a·b modulo the polynomial, both bit-reflected. */
function multiply(a: bigint, b: bigint, { bits, polynomial }: Field): bigint {
  let product = 0n;
  let factor = b;
  for (let mask = 1n << (bits - 1n); mask !== 0n; mask >>= 1n) {
    if (a & mask) product ^= factor;
    factor = factor & 1n ? (factor >> 1n) ^ polynomial : factor >> 1n;
  }
  return product;
}

/** x^exponent modulo the polynomial. */
function power(exponent: bigint, field: Field): bigint {
  let result = 1n << (field.bits - 1n);
  let square = 1n << (field.bits - 2n);
  for (let left = exponent; left !== 0n; left >>= 1n) {
    if (left & 1n) result = multiply(square, result, field);
    square = multiply(square, square, field);
  }
  return result;
}
