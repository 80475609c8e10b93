// The checksum of a multipart object: of the parts' checksums (COMPOSITE), or of all its bytes, joined from the parts' CRCs (FULL_OBJECT).
// https://docs.aws.amazon.com/AmazonS3/latest/userguide/checking-object-integrity-upload.html (read 2026-11-21)

import { checksumAlgorithms } from '../../edge/checksums.ts';
import type { ObjectRow, UploadRow } from '../../store/rows/s3.ts';
import { type Algorithm, type ChecksumMembers, defaultChecksum, suffixOf } from './checksums.ts';
import { combineCrcs } from './crc-combine.ts';
import { badDigest, invalidRequest } from './errors.ts';

/**
 * @param input the completion, which may say what it expects
 * @returns CRC64NVME of the whole when the upload was begun without an algorithm; undefined when a part has no checksum
 * @throws InvalidRequest (another mode), BadDigest
 */
export function joinedChecksum(
  upload: UploadRow,
  parts: readonly UploadRow['parts'][string][],
  input: ChecksumMembers & { readonly ChecksumType?: string | undefined },
): ObjectRow['checksum'] {
  const algorithm = (upload.checksumAlgorithm ?? defaultChecksum.algorithm) as Algorithm;
  if (input.ChecksumType !== undefined && input.ChecksumType !== upload.checksumType)
    throw invalidRequest(
      `The upload was created using the ${upload.checksumType ?? 'null'} checksum mode. The complete request must use the same checksum mode.`,
    );
  // S3 tells no checksum of its own of what it cannot read.
  if (upload.customerKeyMd5 !== undefined && upload.checksumAlgorithm === undefined) return undefined;
  if (parts.some((part) => part.checksum === undefined)) return undefined;
  const values = parts.map((part) => ({ value: part.checksum ?? '', sizeBytes: part.sizeBytes }));
  const type = upload.checksumType ?? (upload.checksumAlgorithm === undefined ? 'FULL_OBJECT' : 'COMPOSITE');
  const value = type === 'FULL_OBJECT' ? combineCrcs(algorithm, values) : composite(algorithm, values);
  const expected = input[`Checksum${algorithm}`];
  // Of a composite value clients give the digest with or without the number of parts.
  if (expected !== undefined && expected !== value && expected !== value.replace(/-\d+$/, ''))
    throw badDigest(suffixOf(algorithm), expected, value);
  return { algorithm, value, type };
}

function composite(algorithm: Algorithm, parts: readonly { readonly value: string }[]): string {
  const checksum = checksumAlgorithms[suffixOf(algorithm)]?.create();
  if (!checksum) throw new Error(`no implementation of ${algorithm}`);
  for (const { value } of parts) checksum.update(Buffer.from(value, 'base64'));
  return `${checksum.digest()}-${parts.length}`;
}
