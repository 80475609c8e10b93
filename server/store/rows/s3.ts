// Rows of S3. Bodies are files beside the database, named by a random blob id, never by a key: keys never become paths.

import type { Row } from '../store.ts';

export interface PublicAccessBlock {
  blockPublicAcls: boolean;
  ignorePublicAcls: boolean;
  blockPublicPolicy: boolean;
  restrictPublicBuckets: boolean;
}

/** `id` is the account's. */
export interface AccountPublicAccessBlockRow extends Row {
  publicAccessBlock: PublicAccessBlock;
}

/** `id` is its ARN: a name is unique in an account and a region. */
export interface AccessPointRow extends Row {
  name: string;
  bucket: string;
  bucketAccountId: string;
  /** Stands wherever a bucket's name may. */
  alias: string;
  creationDate: string;
  /** Present: it answers requests from this VPC alone. */
  vpcId?: string;
  publicAccessBlock: PublicAccessBlock;
  policy?: string;
  tags?: Record<string, string>;
}

export interface BucketRow extends Row {
  /** `id` is the bucket's name: global in a partition. `region` is where it lives. */
  creationDate: string;
  /** As it was spelled when the bucket was made, where that is not the region. */
  location?: 'EU';
  policy?: string;
  publicAccessBlock?: PublicAccessBlock;
  ownership: 'BucketOwnerEnforced' | 'BucketOwnerPreferred' | 'ObjectWriter';
  tags?: Record<string, string>;
  /** Absent: the owner's alone. Means nothing where ownership is BucketOwnerEnforced. */
  acl?: AclGrant[];
  /** Absent: never switched on. */
  versioning?: 'Enabled' | 'Suspended';
  /** Deleting a version, and changing the versioning, takes a code of an MFA device. Absent: nobody ever said whether. */
  mfaDelete?: boolean;
  /** Present: switched on, which cannot be undone. */
  objectLock?: { defaultRetention?: { mode: RetentionMode; days?: number; years?: number } };
  /** Sub-resources as the SDK types them, by name (`cors`, `lifecycle` …); times as text. */
  configurations?: Record<string, unknown>;
  /** Sub-resources that are kept and returned and decide nothing yet, by operation name; the whole of S3 is an issue of its own. */
  settings: Record<string, string>;
}

/** `AES256`: the cloud's own key. */
export type Encryption = 'AES256' | KmsEncryption;

export interface KmsEncryption {
  keyArn: string;
  /** Encrypted once more under a key of the cloud's own (DSSE). */
  twoLayers?: true;
  /** One use of the key for all of the bucket: policies see the bucket's ARN in the context. */
  bucketKey?: true;
  /** JSON of string to string, what the writer gave. */
  context?: string;
  /** Of bytes that were encrypted under something else: their keys, wrapped by this one, in base64 by the seed of each blob. */
  wrappedKeys?: Record<string, string>;
}

export type AclPermission = 'FULL_CONTROL' | 'READ' | 'WRITE' | 'READ_ACP' | 'WRITE_ACP';

/** To an account, to a group by its URI, or to somebody of AWS's own, whom nobody here is. */
export interface AclGrant {
  accountId?: string;
  uri?: string;
  canonicalId?: string;
  permission: AclPermission;
}

export type RetentionMode = 'GOVERNANCE' | 'COMPLIANCE';

/**
 * Of kind `object`: the current version, `id` is `BUCKET/KEY`. Of kind `object-version`: one that was, `id` is `BUCKET/KEY/VERSION`.
 * A key whose latest version is a delete marker has no row of kind `object`. `accountId` is the owner's, which may be the writer's where ownership
 * is not BucketOwnerEnforced.
 */
export interface ObjectRow extends Row {
  /** Absent: the version `null`. */
  versionId?: string;
  /** Of one key's versions and delete markers the highest is the latest. Absent: 0. */
  serial?: number;
  /** Present in every row of kind `object-version`. */
  noncurrentSince?: string;
  retention?: { mode: RetentionMode; until: string };
  legalHold?: boolean;
  /** Base64. Present: the bytes are encrypted with a key that only its owner has. */
  customerKeyMd5?: string;
  /** Under whose key the bytes are encrypted at rest; absent where a customer's key is, and in rows of before, which are plain or `sealed`. */
  encryption?: Encryption;
  /** In rows of before: encrypted with the cloud's own key itself. */
  sealed?: true;
  /** As in `BucketRow`. */
  acl?: AclGrant[];
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
  /** An archived object can be read until then, and from `restoreReadyAt` on. */
  restoredUntil?: string;
  restoreReadyAt?: string;
  tags?: Record<string, string>;
  partSizes?: number[];
  /** One file per part, in order, so that completing a multipart upload copies nothing; `blobId` is then the first of them. */
  partBlobIds?: string[];
  partChecksums?: (string | null)[];
  /** The upload that it was completed from: CompleteMultipartUpload may be repeated. */
  uploadId?: string;
}

/** `id` is `BUCKET/KEY/VERSION`. */
export interface DeleteMarkerRow extends Row {
  bucket: string;
  key: string;
  /** Absent: the version `null`. */
  versionId?: string;
  serial: number;
  lastModified: string;
  deleteMarker: true;
  noncurrentSince?: string;
}

export interface UploadRow extends Row {
  /** `id` is the upload id. */
  bucket: string;
  key: string;
  initiated: string;
  /** Who began it, where it is not the account's root. */
  initiator?: { arn: string; name: string };
  /** Whose account that is, where the object will be another's. */
  initiatorAccountId?: string;
  contentType: string;
  systemMetadata: Record<string, string>;
  userMetadata: Record<string, string>;
  storageClass: string;
  checksumAlgorithm?: string;
  checksumType?: 'FULL_OBJECT' | 'COMPOSITE';
  tags?: Record<string, string>;
  retention?: { mode: RetentionMode; until: string };
  legalHold?: boolean;
  customerKeyMd5?: string;
  encryption?: Encryption;
  acl?: AclGrant[];
  /** The blob of the object that had the key when the upload began; a conditional completion looks whether it still has. */
  replaces?: string;
  parts: Record<string, { blobId: string; sizeBytes: number; etag: string; lastModified: string; checksum?: string }>;
}

export interface S3Rows {
  bucket: BucketRow;
  object: ObjectRow;
  'object-version': ObjectRow;
  'delete-marker': DeleteMarkerRow;
  upload: UploadRow;
  'account-public-access-block': AccountPublicAccessBlockRow;
  'access-point': AccessPointRow;
}
