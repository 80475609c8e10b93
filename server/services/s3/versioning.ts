// Versioning of a bucket: off until it is switched on, then on or suspended for ever.
// https://docs.aws.amazon.com/AmazonS3/latest/API/API_PutBucketVersioning.html (read 2026-11-21). MFA delete: mfa-delete.ts.

import type {
  GetBucketVersioningOutput,
  GetBucketVersioningRequest,
  PutBucketVersioningRequest,
} from '@aws-sdk/client-s3';
import { AwsError } from '../../errors.ts';
import { type Call, type Operation, operation } from '../../service.ts';
import { onBucket, requireBucket } from './access.ts';
import { configurationOf } from './configurations.ts';
import { invalidBucketState, malformedXml } from './errors.ts';
import { requireMfa } from './mfa-delete.ts';

function putVersioning(call: Call, input: PutBucketVersioningRequest): Record<string, never> {
  const bucket = requireBucket(call, call.tx, input);
  const { Status: status, MFADelete } = input.VersioningConfiguration ?? {};
  if (MFADelete !== undefined && MFADelete !== 'Enabled' && MFADelete !== 'Disabled') throw malformedXml();
  if (status === undefined)
    throw new AwsError('IllegalVersioningConfigurationException', 400, 'The Versioning element must be specified');
  if (status !== 'Enabled' && status !== 'Suspended') throw malformedXml();
  if (bucket.objectLock && status === 'Suspended')
    throw invalidBucketState(
      'An Object Lock configuration is present on this bucket, so the versioning state cannot be changed.',
    );
  if (status === 'Suspended' && configurationOf(bucket, 'replication') !== undefined)
    throw invalidBucketState(
      'A replication configuration is present on this bucket, so you cannot change the versioning state. To change the versioning state, first delete the replication configuration.',
    );
  const { mfaDelete: before, ...others } = bucket;
  if (before || MFADelete === 'Enabled') requireMfa(call, bucket, input);
  const mfaDelete = MFADelete === undefined ? before : MFADelete === 'Enabled';
  // The wording is without a source.
  if (mfaDelete && configurationOf(bucket, 'lifecycle') !== undefined)
    throw invalidBucketState('MFA Delete cannot be enabled on a bucket with a lifecycle configuration.');
  call.tx.put('bucket', { ...others, versioning: status, ...(mfaDelete !== undefined && { mfaDelete }) });
  return {};
}

export const versioningOperations = {
  GetBucketVersioning: operation<GetBucketVersioningRequest, GetBucketVersioningOutput>({
    authorize: onBucket('s3:GetBucketVersioning'),
    readOnly: true,
    run: (call, input) => {
      const { versioning, mfaDelete } = requireBucket(call, call.tx, input);
      return {
        ...(versioning !== undefined && { Status: versioning }),
        ...(mfaDelete !== undefined && { MFADelete: mfaDelete ? ('Enabled' as const) : ('Disabled' as const) }),
      };
    },
  }),
  PutBucketVersioning: operation<PutBucketVersioningRequest, Record<string, never>>({
    authorize: onBucket('s3:PutBucketVersioning'),
    run: putVersioning,
  }),
} satisfies Record<string, Operation>;
