// On which resource does each S3 action work? For the check of bucket policies: "Action does not apply to any resource(s) in statement" (T4).
// https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazons3.html (read 2026-11-21); only what a bucket policy can name.

import { parseIpRange } from '@postern/policy/ip-range.ts';
import { compileActions } from '@postern/policy/match.ts';
import type { Condition } from '@postern/policy/types.ts';
import { hasConditionKey } from '../../service-reference.ts';

const bucketActions =
  `AllowVendedLogDeliveryForResource CreateBucket CreateBucketMetadataTableConfiguration DeleteBucket DeleteBucketMetadataTableConfiguration
  DeleteBucketPolicy DeleteBucketWebsite GetAccelerateConfiguration GetAnalyticsConfiguration GetBucketAbac GetBucketAcl GetBucketCORS
  GetBucketLocation GetBucketLogging GetBucketMetadataTableConfiguration GetBucketNotification GetBucketObjectLockConfiguration
  GetBucketOwnershipControls GetBucketPolicy GetBucketPolicyStatus GetBucketPublicAccessBlock GetBucketRequestPayment GetBucketTagging
  GetBucketVersioning GetBucketWebsite GetEncryptionConfiguration GetIntelligentTieringConfiguration GetInventoryConfiguration
  GetLifecycleConfiguration GetMetricsConfiguration GetReplicationConfiguration ListBucket ListBucketMultipartUploads ListBucketVersions
  ListTagsForResource PauseReplication PutAccelerateConfiguration PutAnalyticsConfiguration PutBucketAbac PutBucketAcl PutBucketCORS
  PutBucketLogging PutBucketNotification PutBucketObjectLockConfiguration PutBucketOwnershipControls PutBucketPolicy
  PutBucketPublicAccessBlock PutBucketRequestPayment PutBucketTagging PutBucketVersioning PutBucketWebsite PutEncryptionConfiguration
  PutIntelligentTieringConfiguration PutInventoryConfiguration PutLifecycleConfiguration PutMetricsConfiguration
  PutReplicationConfiguration TagResource UntagResource`.split(/\s+/);

const objectActions =
  `AbortMultipartUpload BypassGovernanceRetention DeleteObject DeleteObjectAnnotation DeleteObjectTagging DeleteObjectVersion
  DeleteObjectVersionAnnotation DeleteObjectVersionTagging GetObject GetObjectAcl GetObjectAnnotation GetObjectAttributes GetObjectLegalHold
  GetObjectRetention GetObjectTagging GetObjectTorrent GetObjectVersion GetObjectVersionAcl GetObjectVersionAnnotation
  GetObjectVersionAnnotationForReplication GetObjectVersionAttributes GetObjectVersionForReplication GetObjectVersionTagging
  GetObjectVersionTorrent InitiateReplication ListMultipartUploadParts ListObjectAnnotations ListObjectVersionAnnotations
  ObjectOwnerOverrideToBucketOwner PutObject PutObjectAcl PutObjectAnnotation PutObjectLegalHold PutObjectRetention PutObjectTagging
  PutObjectVersionAcl PutObjectVersionAnnotation PutObjectVersionTagging ReplicateDelete ReplicateObject ReplicateObjectAnnotation
  ReplicateTags RestoreObject UpdateObjectEncryption`.split(/\s+/);

const onBucket = bucketActions.map((name) => `s3:${name.toLowerCase()}`);
const onObject = objectActions.map((name) => `s3:${name.toLowerCase()}`);

/** Whether any S3 action that a bucket policy may name fits the pattern. */
export function actionExists(pattern: string): boolean {
  const fits = compileActions([pattern]);
  return onBucket.some(fits) || onObject.some(fits);
}

/**
 * Whether each action of a statement works on at least one of its resources (T4).
 * @param resources ARNs of one bucket and its objects, with wildcards
 */
export function actionsApply(actions: readonly string[], resources: readonly string[]): boolean {
  const namesObject = resources.some((resource) => resource.includes('/') || /[*]/.test(resource));
  const namesBucket = resources.some((resource) => !resource.includes('/'));
  return actions.every((action) => {
    const fits = compileActions([action]);
    return (namesBucket && onBucket.some(fits)) || (namesObject && onObject.some(fits));
  });
}

/** Keys of the request, the bucket and the road to it; the Service Authorization Reference has those of access points with few actions, and one not. */
const keysOfAll =
  /^s3:(accessgrantsinstancearn|accesspoint.+|authtype|buckettag\/.+|dataaccesspoint.+|resourceaccount|signature(age|version)|tlsversion|x-amz-content-sha256)$/i;

/**
 * What S3 refuses a condition of a bucket policy for: a key of its own that there is not, one that some action of the statement does not have
 * (public logs: GetBucketLocation beside ListBucket under s3:prefix), or an address that is none. A pattern needs one fitting action only.
 */
export function conditionFault(
  actions: readonly string[] | undefined,
  { operator, key, values }: Condition,
): 'condition' | 'condition-applies' | 'condition-ip' | undefined {
  if (/^(?:For\w+:)?(?:Not)?IpAddress/.test(operator)) {
    const isRange = (value: string) => value.includes('${') || parseIpRange(value) !== undefined;
    if (!values.every(isRange)) return 'condition-ip';
  }
  if (!/^s3:/i.test(key) || keysOfAll.test(key)) return undefined;
  const having = [...onBucket, ...onObject].filter((action) => hasConditionKey(action, key));
  if (having.length === 0) return 'condition';
  return actions?.every((action) => having.some(compileActions([action]))) === false ? 'condition-applies' : undefined;
}
