// Rows of S3. Bodies are files beside the database, named by a random blob id, never by a key: keys never become paths.

import type { Row } from '../store.ts';

export interface BucketRow extends Row {
  /** `id` is the bucket's name: global in a partition. `region` is where it lives. */
  creationDate: string;
  policy?: string;
  publicAccessBlock?: {
    blockPublicAcls: boolean;
    ignorePublicAcls: boolean;
    blockPublicPolicy: boolean;
    restrictPublicBuckets: boolean;
  };
  ownership: 'BucketOwnerEnforced' | 'BucketOwnerPreferred' | 'ObjectWriter';
  tags?: Record<string, string>;
  /** Sub-resources that are kept and returned and decide nothing yet, by operation name; the whole of S3 is an issue of its own. */
  settings: Record<string, string>;
}

export interface ObjectRow extends Row {
  /** `id` is `BUCKET/KEY`. */
  bucket: string;
  key: string;
  blobId: string;
  sizeBytes: number;
  /** With its quotes. */
  etag: string;
  lastModified: string;
  contentType: string;
  /** Content-Encoding, Cache-Control … by lower-case header name. */
  systemMetadata: Record<string, string>;
  userMetadata: Record<string, string>;
  checksum?: { algorithm: string; value: string; type: 'FULL_OBJECT' | 'COMPOSITE' };
  storageClass: string;
  tags?: Record<string, string>;
  partSizes?: number[];
  /** One file per part, in order, so that completing a multipart upload copies nothing; `blobId` is then the first of them. */
  partBlobIds?: string[];
  partChecksums?: (string | null)[];
  /** The upload that it was completed from: CompleteMultipartUpload may be repeated. */
  uploadId?: string;
}

export interface UploadRow extends Row {
  /** `id` is the upload id. */
  bucket: string;
  key: string;
  initiated: string;
  contentType: string;
  systemMetadata: Record<string, string>;
  userMetadata: Record<string, string>;
  storageClass: string;
  checksumAlgorithm?: string;
  checksumType?: 'FULL_OBJECT' | 'COMPOSITE';
  tags?: Record<string, string>;
  parts: Record<string, { blobId: string; sizeBytes: number; etag: string; lastModified: string; checksum?: string }>;
}

export interface S3Rows {
  bucket: BucketRow;
  object: ObjectRow;
  upload: UploadRow;
}
