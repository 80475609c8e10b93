// UpdateObjectEncryption: an object's bytes come under another KMS key where they lie. https://docs.aws.amazon.com/AmazonS3/latest/API/API_UpdateObjectEncryption.html and
// …/userguide/update-sse-encryption.html (read 2026-11-21), which have the wordings. Which key each of the permissions is asked of is our reading of them.

import type { ObjectEncryption, UpdateObjectEncryptionRequest } from '@aws-sdk/client-s3';
import { AwsError } from '../../errors.ts';
import { findKey } from '../../kms-keys.ts';
import { type Call, type Operation, operation } from '../../service.ts';
import type { ObjectRow } from '../../store/rows/s3.ts';
import { onObject, requireBucket } from './access.ts';
import { rewrapped } from './encryption.ts';
import { invalidRequest, malformedXml } from './errors.ts';
import { isLocked } from './object-lock.ts';
import { existingTags, requireObject } from './reads.ts';
import type { S3 } from './state.ts';
import { updateVersion } from './versions.ts';

const denied = (message: string) => new AwsError('AccessDenied', 403, message);

const keyArn = /^arn:aws[-a-z0-9]*:kms:[-a-z0-9]*:\d{12}:key\/.+$/;

/** @throws InvalidRequest, MalformedXML */
function wantedKey(wanted: ObjectEncryption | undefined): { readonly arn: string; readonly bucketKey: boolean } {
  if (!wanted) throw malformedXml();
  if (!wanted.SSEKMS)
    throw invalidRequest(
      'Requests that modify an object encryption configuration require a valid new encryption type. Valid values are SSEKMS. Modify the request to specify SSE-KMS for the updated encryption type, and then try again.',
    );
  const { KMSKeyArn: arn, BucketKeyEnabled: bucketKey = false } = wanted.SSEKMS;
  if (!arn)
    throw invalidRequest(
      "Requests that modify an object's encryption type to SSE-KMS require an AWS KMS key Amazon Resource Name (ARN). Modify the request to specify a KMS key ARN, and then try again.",
    );
  if (!keyArn.test(arn))
    throw invalidRequest(
      "Requests that modify an object's encryption type to SSE-KMS require a valid AWS KMS key Amazon Resource Name (ARN). Confirm that you have a correctly formatted KMS key ARN in your request, and then try again.",
    );
  return { arn, bucketKey };
}

/** @throws InvalidRequest */
function checkSource({ encryption, sealed, customerKeyMd5 }: ObjectRow): void {
  const supported = 'Only source objects encrypted with SSE-S3 or SSE-KMS are supported.';
  if (customerKeyMd5 !== undefined || (typeof encryption === 'object' && encryption.twoLayers))
    throw invalidRequest(
      `The UpdateObjectEncryption operation doesn't support source objects with the encryption type DSSE-KMS or SSE-C. ${supported}`,
    );
  if (encryption === undefined && !sealed)
    throw invalidRequest(
      `The UpdateObjectEncryption operation doesn't supported unencrypted source objects. ${supported}`,
    );
}

function updateEncryption(s3: S3, call: Call, input: UpdateObjectEncryptionRequest): Record<string, never> {
  const { arn, bucketKey } = wantedKey(input.ObjectEncryption);
  const bucket = requireBucket(call, call.tx, input);
  const object = requireObject(call, call.tx, input, 'refused');
  checkSource(object);
  if (isLocked(object, call.now))
    throw denied(
      "The encryption type for the specified object can’t be updated because that object is protected by S3 Object Lock. If the object has a governance-mode retention period or a legal hold, you must first remove the Object Lock status on the object before you issue your UpdateObjectEncryption request. You can't use the UpdateObjectEncryption operation with objects that have an Object Lock compliance mode retention period applied to them.",
    );
  if (arn.split(':')[4] !== bucket.accountId)
    throw denied(
      'The AWS KMS key in the request must be owned by the same account as the bucket. Modify the request to specify a KMS key from the same account, and then try again.',
    );
  const scope = { partition: call.partition, region: bucket.region, accountId: bucket.accountId };
  const kmsKey = findKey(call.tx, scope, arn, call.now, 'KMS.');
  updateVersion(call.tx, rewrapped(s3, call, object, kmsKey, bucketKey));
  return {};
}

export function updateEncryptionOperations(s3: S3) {
  return {
    UpdateObjectEncryption: operation<UpdateObjectEncryptionRequest, Record<string, never>>({
      authorize: onObject('s3:UpdateObjectEncryption', existingTags),
      run: (call, input) => updateEncryption(s3, call, input),
    }),
  } satisfies Record<string, Operation>;
}
