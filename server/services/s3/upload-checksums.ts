// The checksum of a multipart object: of the parts' checksums (COMPOSITE), or of all its bytes, joined from the parts' CRCs (FULL_OBJECT).
// https://docs.aws.amazon.com/AmazonS3/latest/userguide/checking-object-integrity-upload.html (read 2026-11-21)

import { checksumAlgorithms } from '../../edge/checksums.ts';
import type { ObjectRow, UploadRow } from '../../store/rows/s3.ts';
import { type Algorithm, type ChecksumMembers, defaultChecksum, givenChecksums, suffixOf } from './checksums.ts';
import { combineCrcs } from './crc-combine.ts';
import { badDigest, invalidRequest } from './errors.ts';

/** @throws InvalidRequest: the completion is of another mode than the upload */
export function checkMode(upload: UploadRow, type: string | undefined): void {
  if (type !== undefined && type !== upload.checksumType)
    throw invalidRequest(
      `The upload was created using the ${upload.checksumType ?? 'null'} checksum mode. The complete request must use the same checksum mode.`,
    );
}

/**
 * @param input the completion, which may say what it expects
 * @returns CRC64NVME of the whole when the upload was begun without an algorithm; undefined when a part has no checksum
 * @throws BadDigest
 */
export function joinedChecksum(
  upload: UploadRow,
  parts: readonly UploadRow['parts'][string][],
  input: ChecksumMembers & { readonly ChecksumType?: string | undefined },
): ObjectRow['checksum'] {
  const algorithm = (upload.checksumAlgorithm ?? defaultChecksum.algorithm) as Algorithm;
  // S3 tells no checksum of its own of what it cannot read.
  if (upload.customerKeyMd5 !== undefined && upload.checksumAlgorithm === undefined) return undefined;
  if (parts.some((part) => part.checksum === undefined)) return undefined;
  const values = parts.map((part) => ({ value: part.checksum ?? '', sizeBytes: part.sizeBytes }));
  const type = upload.checksumType ?? (upload.checksumAlgorithm === undefined ? 'FULL_OBJECT' : 'COMPOSITE');
  const value = type === 'FULL_OBJECT' ? combineCrcs(algorithm, values) : composite(algorithm, values);
  for (const given of givenChecksums(input)) {
    // Recorded: where the upload named no algorithm, a value by another one than the usual is not looked at.
    if (upload.checksumAlgorithm === undefined && given.algorithm !== algorithm) continue;
    // Recorded: a CRC of the whole, which is not the usual mode of CRC32 and CRC32C, is one only for a completion that says so.
    const isMeant = type === 'COMPOSITE' || algorithm === 'CRC64NVME' || input.ChecksumType === type;
    // Of a composite value clients give the digest with or without the number of parts.
    const fits = given.value === value || given.value === value.replace(/-\d+$/, '');
    if (given.algorithm !== algorithm || !isMeant || !fits) throw badDigest(suffixOf(algorithm), given.value, value);
  }
  return { algorithm, value, type };
}

function composite(algorithm: Algorithm, parts: readonly { readonly value: string }[]): string {
  const checksum = checksumAlgorithms[suffixOf(algorithm)]?.create();
  if (!checksum) throw new Error(`no implementation of ${algorithm}`);
  for (const { value } of parts) checksum.update(Buffer.from(value, 'base64'));
  return `${checksum.digest()}-${parts.length}`;
}
