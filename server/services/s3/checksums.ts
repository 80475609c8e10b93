// The additional checksum of an object: which one a request brings, whether it is right, and how a row's is answered.
// https://docs.aws.amazon.com/AmazonS3/latest/userguide/checking-object-integrity.html (read 2026-11-21)
// The edge verifies what came with the body, in headers and trailers, and tells the values at its end (`VerifiedBody`); only a value that it does
// not have is computed here. An upload that brings none gets CRC64NVME.

import { checksumAlgorithms } from '../../edge/checksums.ts';
import type { BaseCall } from '../../service.ts';
import type { ObjectRow } from '../../store/rows/s3.ts';
import { badDigest, invalidDigest, invalidRequest } from './errors.ts';

export const algorithms = ['CRC32', 'CRC32C', 'CRC64NVME', 'SHA1', 'SHA256'] as const;
export type Algorithm = (typeof algorithms)[number];

export interface ChecksumMembers {
  readonly ChecksumCRC32?: string | undefined;
  readonly ChecksumCRC32C?: string | undefined;
  readonly ChecksumCRC64NVME?: string | undefined;
  readonly ChecksumSHA1?: string | undefined;
  readonly ChecksumSHA256?: string | undefined;
}

export interface WantedChecksum {
  readonly algorithm: Algorithm;
  /** Base64, when the request gives it before the body. */
  readonly value?: string;
}

function isAlgorithm(name: string): name is Algorithm {
  return (algorithms as readonly string[]).includes(name);
}

/** What an object gets whose upload says nothing. */
export const defaultChecksum: WantedChecksum = { algorithm: 'CRC64NVME' };

/** The suffix of the header: `crc32`. */
export function suffixOf(algorithm: Algorithm): string {
  return algorithm.toLowerCase();
}

export function unsupportedAlgorithm(): Error {
  return invalidRequest(
    'Checksum algorithm provided is unsupported. Please try again with any of the valid types: [CRC32, CRC32C, CRC64NVME, SHA1, SHA256]',
  );
}

/** @throws InvalidRequest for an algorithm that S3 does not know */
export function parseAlgorithm(name: string): Algorithm {
  const upper = name.toUpperCase();
  if (!isAlgorithm(upper)) throw unsupportedAlgorithm();
  return upper;
}

/** The values that a request or a part gives, by algorithm. */
export function givenChecksums(input: ChecksumMembers): { algorithm: Algorithm; value: string }[] {
  return algorithms.flatMap((algorithm) => {
    const value = input[`Checksum${algorithm}`];
    return value === undefined ? [] : [{ algorithm, value }];
  });
}

/**
 * The checksum that an upload brings, or asks for.
 * @throws InvalidRequest: several, or one that is no base64 of the right length
 */
export function wantedChecksum(
  call: BaseCall,
  input: ChecksumMembers & { readonly ChecksumAlgorithm?: string | undefined },
): WantedChecksum | undefined {
  const given = givenChecksums(input);
  if (given.length > 1)
    throw invalidRequest('Expecting a single x-amz-checksum- header. Multiple checksum Types are not allowed.');
  const [first] = given;
  if (first) {
    const bytes = checksumAlgorithms[suffixOf(first.algorithm)]?.bytes ?? 0;
    if (!isBase64Of(first.value, bytes))
      throw invalidRequest(`Value for x-amz-checksum-${suffixOf(first.algorithm)} header is invalid.`);
    return first;
  }
  const trailer = /x-amz-checksum-([a-z0-9]+)/i.exec(call.headers['x-amz-trailer'] ?? '')?.[1]?.toUpperCase();
  if (trailer !== undefined && isAlgorithm(trailer)) return { algorithm: trailer };
  return input.ChecksumAlgorithm ? { algorithm: parseAlgorithm(input.ChecksumAlgorithm) } : undefined;
}

function isBase64Of(value: string, bytes: number): boolean {
  const decoded = Buffer.from(value, 'base64');
  return decoded.length === bytes && decoded.toString('base64') === value;
}

/** @throws InvalidDigest: not the base64 of 16 bytes */
export function checkMd5Form(contentMd5: string | undefined): void {
  if (contentMd5 !== undefined && !isBase64Of(contentMd5, 16)) throw invalidDigest(contentMd5);
}

/** The edge's body: what it verified, by header name, complete after the last byte. */
export interface VerifiedBody {
  readonly checksums?: Readonly<Record<string, string>>;
}

/** The suffixes of checksums that must be computed while the body is written. */
export function toCompute(body: unknown, wanted: WantedChecksum | undefined, headers: BaseCall['headers']): string[] {
  if (!wanted) return [];
  const suffix = suffixOf(wanted.algorithm);
  const verified = (body as VerifiedBody | undefined)?.checksums !== undefined;
  const sent = wanted.value !== undefined || (headers['x-amz-trailer'] ?? '').includes(`x-amz-checksum-${suffix}`);
  return verified && sent ? [] : [suffix];
}

/** The value to keep, after the body has ended. */
export function checksumValue(
  body: unknown,
  written: { readonly checksums: Readonly<Record<string, string>> },
  wanted: WantedChecksum | undefined,
): string | undefined {
  if (!wanted) return undefined;
  const suffix = suffixOf(wanted.algorithm);
  return written.checksums[suffix] ?? (body as VerifiedBody | undefined)?.checksums?.[`x-amz-checksum-${suffix}`];
}

/** @throws BadDigest */
export function verifyBody(
  written: { readonly md5: string; readonly checksums: Readonly<Record<string, string>> },
  contentMd5: string | undefined,
  wanted: WantedChecksum | undefined,
): void {
  if (contentMd5 !== undefined && Buffer.from(written.md5, 'hex').toString('base64') !== contentMd5)
    throw badDigest('Content-MD5', contentMd5, written.md5);
  const computed = wanted && written.checksums[suffixOf(wanted.algorithm)];
  if (wanted?.value !== undefined && computed !== undefined && computed !== wanted.value)
    throw badDigest(wanted.algorithm, wanted.value, computed);
}

/** `{ ChecksumCRC32: …, ChecksumType: … }`, or nothing when there is none. */
export function checksumMembers(
  checksum: ObjectRow['checksum'],
): ChecksumMembers & { ChecksumType?: 'FULL_OBJECT' | 'COMPOSITE' } {
  return checksum ? { [`Checksum${checksum.algorithm}`]: checksum.value, ChecksumType: checksum.type } : {};
}
