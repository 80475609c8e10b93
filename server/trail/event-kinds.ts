// What kind of event is a call of an operation? Its name and source in the records, whether it is about a resource (management) or in one (data), and
// whether it only reads. https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-concepts.html and
// https://docs.aws.amazon.com/AmazonS3/latest/userguide/cloudtrail-logging-s3-info.html (read 2026-11-22). Gap: no page lists which operations only read: names say it.

import type { OperationModel } from '../catalogue/shapes.ts';

export interface EventKind {
  readonly eventSource: string;
  readonly eventName: string;
  readonly category: 'Management' | 'Data';
  readonly readOnly: boolean;
  /** Does the record say what was answered? Of what changes something, and of what gives out credentials. */
  readonly answers: boolean;
  /** Recorded in one Region of the partition, wherever it was asked. */
  readonly global: boolean;
}

/** Those inside a bucket; all others are about one. Of HeadBucket and the lists of uploads and parts no page says which they are. */
const objectOperations: ReadonlySet<string> = new Set([
  ...['AbortMultipartUpload', 'CompleteMultipartUpload', 'CopyObject', 'CreateMultipartUpload', 'DeleteObject'],
  ...['DeleteObjects', 'DeleteObjectTagging', 'GetObject', 'GetObjectAcl', 'GetObjectAttributes', 'GetObjectLegalHold'],
  ...['GetObjectRetention', 'GetObjectTagging', 'GetObjectTorrent', 'HeadBucket', 'HeadObject', 'ListObjects'],
  ...['ListObjectsV2', 'ListObjectVersions', 'ListParts', 'PutObject', 'PutObjectAcl', 'PutObjectLegalHold'],
  ...['PutObjectRetention', 'PutObjectTagging', 'RenameObject', 'RestoreObject', 'SelectObjectContent', 'UploadPart'],
  ...['UploadPartCopy', 'UpdateObjectEncryption', 'CreateSession', 'WriteGetObjectResponse'],
  ...['PutObjectAnnotation', 'GetObjectAnnotation', 'DeleteObjectAnnotation', 'ListObjectAnnotations'],
]);

/** https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/logging-using-cloudtrail.html (read 2026-11-22) */
const itemOperations: ReadonlySet<string> = new Set([
  ...['BatchExecuteStatement', 'BatchGetItem', 'BatchWriteItem', 'DeleteItem', 'ExecuteStatement'],
  ...['ExecuteTransaction', 'GetItem', 'PutItem', 'Query', 'Scan', 'SearchVectors', 'TransactGetItems'],
  ...['TransactWriteItems', 'UpdateItem'],
]);

/** By the catalogue's name of the service. */
const dataOperations: Readonly<Record<string, ReadonlySet<string>>> = {
  s3: objectOperations,
  dynamodb: itemOperations,
};

/** S3's records have older names than its API. No page lists them; these are the names under which they are found in records. */
const s3Names: Readonly<Record<string, string>> = {
  ListObjectsV2: 'ListObjects',
  GetBucketLifecycleConfiguration: 'GetBucketLifecycle',
  PutBucketLifecycleConfiguration: 'PutBucketLifecycle',
  GetBucketNotificationConfiguration: 'GetBucketNotification',
  PutBucketNotificationConfiguration: 'PutBucketNotification',
  GetPublicAccessBlock: 'GetBucketPublicAccessBlock',
  PutPublicAccessBlock: 'PutBucketPublicAccessBlock',
  DeletePublicAccessBlock: 'DeleteBucketPublicAccessBlock',
  GetObjectLockConfiguration: 'GetBucketObjectLockConfiguration',
  PutObjectLockConfiguration: 'PutBucketObjectLockConfiguration',
};

const readingNames = /^(BatchGet|Decode|Describe|Get|Head|List|Lookup|Query|Scan|Search|Select|Simulate|TransactGet)/;
/** https://docs.aws.amazon.com/kms/latest/developerguide/logging-using-cloudtrail.html: what uses a key changes nothing. */
const readingKms = /^(Decapsulate|Decrypt|DeriveSharedSecret|Encapsulate|Encrypt|Generate|ReEncrypt|Sign$|Verify)/;
const readingSts = /^Assume/;
const givesCredentials: ReadonlySet<string> = new Set([
  ...['AssumeRole', 'AssumeRoleWithSAML', 'AssumeRoleWithWebIdentity', 'AssumeRoot'],
  ...['GetFederationToken', 'GetSessionToken'],
]);

/** https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-concepts.html#cloudtrail-concepts-global-service-events; STS's Region is that of the endpoint. */
const globalServices: ReadonlySet<string> = new Set(['iam', 'organizations', 'account']);

const known = new WeakMap<OperationModel, EventKind>();

export function kindOf(operation: OperationModel): EventKind {
  let kind = known.get(operation);
  if (!kind) {
    kind = makeKind(operation.service.name, operation.service.hosts[0] ?? operation.service.name, operation.name);
    known.set(operation, kind);
  }
  return kind;
}

function makeKind(service: string, host: string, name: string): EventKind {
  const readOnly =
    readingNames.test(name) ||
    (service === 'kms' && readingKms.test(name)) ||
    (service === 'sts' && readingSts.test(name));
  const source = service === 's3-control' ? 's3' : host;
  return {
    eventSource: `${source}.amazonaws.com`,
    eventName: service === 's3' ? (s3Names[name] ?? name) : name,
    category: dataOperations[service]?.has(name) ? 'Data' : 'Management',
    readOnly,
    answers: !readOnly || (service === 'sts' && givesCredentials.has(name)),
    global: globalServices.has(service),
  };
}

/** Where a partition's global services are recorded. */
export function globalRegion(partition: string): string {
  return partition === 'aws-cn' ? 'cn-northwest-1' : partition === 'aws-us-gov' ? 'us-gov-west-1' : 'us-east-1';
}
