// What the completion of an upload must say of checksums. Recorded at AWS in February 2026.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { CompleteMultipartUploadOutput, CreateMultipartUploadOutput, UploadPartOutput } from '@aws-sdk/client-s3';
import { awsError } from '../../testing.ts';
import { body, makeS3 } from './testing.ts';

const of = { Bucket: 'uploads', Key: 'k' };
const sha256 = 'ungWv48Bz+pBQUDeXa4iI7ADYaOWF3qctBD/YfIAFa0=';
const otherCrc = 'AAAAAA==';
const partMissing =
  "One or more of the specified parts could not be found.  The part may not have been uploaded, or the specified entity tag may not match the part's entity tag.";

/** An upload of one part, `abc`. */
async function begin(t: Parameters<typeof makeS3>[0], plan: object) {
  const { run } = makeS3(t);
  await run('CreateBucket', { Bucket: of.Bucket });
  const { UploadId } = await run<CreateMultipartUploadOutput>('CreateMultipartUpload', { ...of, ...plan });
  const part = { ...of, UploadId, PartNumber: 1, Body: body('abc') };
  const { ETag, ChecksumCRC32 } = await run<UploadPartOutput>('UploadPart', { ...part, ChecksumAlgorithm: 'CRC32' });
  const complete = (checksums: object, said: object = {}) =>
    run<CompleteMultipartUploadOutput>('CompleteMultipartUpload', {
      ...of,
      UploadId,
      MultipartUpload: { Parts: [{ PartNumber: 1, ETag, ...checksums }] },
      ...said,
    });
  return { complete, crc: ChecksumCRC32 };
}

test('a part with another checksum than it was sent with is not found; one by another algorithm is a bad digest', async (t) => {
  const { complete, crc } = await begin(t, { ChecksumAlgorithm: 'CRC32' });
  await assert.rejects(complete({ ChecksumCRC32: otherCrc }), awsError('InvalidPart', partMissing));
  await assert.rejects(
    complete({ ChecksumSHA256: sha256 }),
    awsError('BadDigest', 'The sha256 you specified for part 1 did not match what we received.'),
  );
  await complete({ ChecksumCRC32: crc });
});

test('the parts of an upload without an algorithm are found without a checksum alone', async (t) => {
  const { complete, crc } = await begin(t, {});
  await assert.rejects(complete({ ChecksumCRC32: crc }), awsError('InvalidPart', partMissing));
  // A value of the whole by another algorithm than the usual is not looked at.
  await complete({}, { ChecksumCRC32: otherCrc });
});

test('another mode than that of the upload is refused before the parts are looked at', async (t) => {
  const { complete } = await begin(t, { ChecksumAlgorithm: 'CRC32' });
  await assert.rejects(
    complete({}, { ChecksumType: 'FULL_OBJECT' }),
    awsError(
      'InvalidRequest',
      'The upload was created using the COMPOSITE checksum mode. The complete request must use the same checksum mode.',
    ),
  );
});

test('a CRC32 of the whole is taken only from a completion that says that it is of the whole', async (t) => {
  const { complete, crc } = await begin(t, { ChecksumAlgorithm: 'CRC32', ChecksumType: 'FULL_OBJECT' });
  const refused = awsError('BadDigest', 'The crc32 you specified did not match the calculated checksum.');
  await assert.rejects(complete({}, { ChecksumCRC32: crc }), refused);
  await assert.rejects(complete({}, { ChecksumCRC32: otherCrc, ChecksumType: 'FULL_OBJECT' }), refused);
  await assert.rejects(complete({}, { ChecksumSHA256: sha256, ChecksumType: 'FULL_OBJECT' }), refused);
  assert.equal((await complete({}, { ChecksumCRC32: crc, ChecksumType: 'FULL_OBJECT' })).ChecksumCRC32, crc);
});
