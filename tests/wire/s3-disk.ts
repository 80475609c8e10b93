// The kinds of upload that the tests of disks try, each as a client sends it.

import { CreateMultipartUploadCommand, PutObjectCommand, UploadPartCommand } from '@aws-sdk/client-s3';
import type { S3Server } from './s3-server.ts';

/** Each takes the size of the body; it rejects with what the client was told. */
export function uploadsOf(
  { client }: S3Server,
  Bucket: string,
): Readonly<Record<string, (sizeBytes: number) => Promise<unknown>>> {
  const body = (sizeBytes: number) => Buffer.alloc(sizeBytes, 'x');
  return {
    plain: (size) => client.send(new PutObjectCommand({ Bucket, Key: 'plain', Body: body(size) })),
    'with a checksum': (size) =>
      client.send(new PutObjectCommand({ Bucket, Key: 'checked', Body: body(size), ChecksumAlgorithm: 'CRC32C' })),
    'a part': async (size) => {
      const { UploadId } = await client.send(new CreateMultipartUploadCommand({ Bucket, Key: 'parts' }));
      return client.send(new UploadPartCommand({ Bucket, Key: 'parts', UploadId, PartNumber: 1, Body: body(size) }));
    },
  };
}
