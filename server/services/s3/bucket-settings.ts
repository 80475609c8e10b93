// Sub-resources of a bucket that are kept and told, each with S3's own checks: encryption, logging, acceleration, who pays; and object ownership. Replication and
// notification are checked in files of their own. What they would do: who pays is enforced (access.ts); nothing is replicated, logged, notified or accelerated (docs/gaps.md).
// Defaults: https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetBucketEncryption.html and neighbours (read 2026-11-21).

import type * as SDK from '@aws-sdk/client-s3';
import { AwsError } from '../../errors.ts';
import { type Call, type Operation, operation } from '../../service.ts';
import type { BucketRow } from '../../store/rows/s3.ts';
import { onBucket, requireBucket } from './access.ts';
import { deleting, getting, putting } from './configurations.ts';
import {
  aclWithEnforcedOwnership,
  invalidArgument,
  invalidRequest,
  malformedXml,
  noSuchConfiguration,
} from './errors.ts';
import { takeNotification } from './notifications.ts';
import { takeReplication } from './replication.ts';

/** ACLs were given up with `DeleteBucketOwnershipControls`; the row then says so. */
const ownershipDeleted = 'ownershipControlsDeleted';

function putOwnership(call: Call, input: SDK.PutBucketOwnershipControlsRequest): Record<string, never> {
  const bucket = requireBucket(call, call.tx, input);
  const [rule, ...more] = input.OwnershipControls?.Rules ?? [];
  const ownership = rule?.ObjectOwnership;
  if (more.length > 0 || !ownership || !/^(BucketOwnerEnforced|BucketOwnerPreferred|ObjectWriter)$/.test(ownership))
    throw malformedXml();
  const others = bucket.acl?.some(({ accountId }) => accountId !== bucket.accountId) ?? false;
  if (ownership === 'BucketOwnerEnforced' && others) throw aclWithEnforcedOwnership();
  const { [ownershipDeleted]: _, ...settings } = bucket.settings;
  call.tx.put('bucket', { ...bucket, ownership, settings });
  return {};
}

function getOwnership(bucket: BucketRow): SDK.GetBucketOwnershipControlsOutput {
  if (bucket.settings[ownershipDeleted] !== undefined)
    throw noSuchConfiguration(
      'OwnershipControlsNotFoundError',
      'The bucket ownership controls were not found',
      bucket.id,
    );
  return { OwnershipControls: { Rules: [{ ObjectOwnership: bucket.ownership }] } };
}

/** @throws MalformedXML, InvalidArgument. S3 does not look whether there is such a KMS key. */
function takeEncryption(_call: Call, _bucket: BucketRow, input: SDK.PutBucketEncryptionRequest) {
  const rules = input.ServerSideEncryptionConfiguration?.Rules ?? [];
  const [rule] = rules;
  const byDefault = rule?.ApplyServerSideEncryptionByDefault;
  if (rules.length !== 1 || !rule) throw malformedXml();
  const algorithm = byDefault?.SSEAlgorithm;
  if (!algorithm || !/^(AES256|aws:kms|aws:kms:dsse)$/.test(algorithm)) throw malformedXml();
  if (algorithm === 'AES256' && byDefault.KMSMasterKeyID !== undefined)
    throw invalidArgument(
      'a KMSMasterKeyID is not applicable if the default sse algorithm is not aws:kms or aws:kms:dsse',
      'ApplyServerSideEncryptionByDefault',
    );
  const blocked = rule.BlockedEncryptionTypes?.EncryptionType ?? [];
  if (!blocked.every((type) => type === 'NONE' || type === 'SSE-C')) throw malformedXml();
  return { Rules: [{ ...rule, BucketKeyEnabled: rule.BucketKeyEnabled ?? false }] };
}

/** @throws InvalidTargetBucketForLogging, CrossLocationLoggingProhibitted, MalformedXML */
function takeLogging(call: Call, bucket: BucketRow, input: SDK.PutBucketLoggingRequest) {
  const wanted = input.BucketLoggingStatus?.LoggingEnabled;
  if (!wanted) return undefined;
  const { TargetBucket: target, TargetPrefix } = wanted;
  if (target === undefined || TargetPrefix === undefined) throw malformedXml();
  const { SimplePrefix: simple, PartitionedPrefix: partitioned } = wanted.TargetObjectKeyFormat ?? { SimplePrefix: {} };
  if ((simple === undefined) === (partitioned === undefined)) throw malformedXml();
  if (partitioned && !/^(EventTime|DeliveryTime)$/.test(partitioned.PartitionDateSource ?? '')) throw malformedXml();
  const other = call.tx.get('bucket', target);
  const refused = (message: string) =>
    new AwsError('InvalidTargetBucketForLogging', 400, message, { fields: { TargetBucket: target } });
  if (!other) throw refused('The target bucket for logging does not exist');
  if (other.accountId !== bucket.accountId)
    throw refused('The owner for the bucket to be logged and the target bucket must be the same.');
  if (other.region !== bucket.region)
    // The code's spelling is S3's.
    throw new AwsError('CrossLocationLoggingProhibitted', 403, 'Cross S3 location logging not allowed. ', {
      // us-east-1 is where no location is told (recorded).
      fields: {
        ...(bucket.region !== 'us-east-1' && { SourceBucketLocation: bucket.region }),
        TargetBucketLocation: other.region,
      },
    });
  return { LoggingEnabled: wanted };
}

/** @throws InvalidRequest, MalformedXML */
function takeAccelerate(_call: Call, bucket: BucketRow, input: SDK.PutBucketAccelerateConfigurationRequest) {
  if (bucket.id.includes('.'))
    throw invalidRequest('S3 Transfer Acceleration is not supported for buckets with periods (.) in their names');
  const status = input.AccelerateConfiguration?.Status;
  if (status !== 'Enabled' && status !== 'Suspended') throw malformedXml();
  return { Status: status };
}

/** @throws MalformedXML */
function takePayer(_call: Call, _bucket: BucketRow, input: SDK.PutBucketRequestPaymentRequest) {
  const payer = input.RequestPaymentConfiguration?.Payer;
  if (payer !== 'Requester' && payer !== 'BucketOwner') throw malformedXml();
  return payer === 'Requester' ? { Payer: payer } : undefined;
}

/** @throws MalformedXML */
function takeAbac(_call: Call, _bucket: BucketRow, input: SDK.PutBucketAbacRequest) {
  const status = input.AbacStatus?.Status;
  if (status !== 'Enabled' && status !== 'Disabled') throw malformedXml();
  return status === 'Enabled' ? { Status: status } : undefined;
}

const same = <T extends object>(kept: T) => kept;

export const bucketSettingOperations: Readonly<Record<string, Operation>> = {
  GetBucketEncryption: getting<SDK.ServerSideEncryptionConfiguration, SDK.GetBucketEncryptionOutput>(
    'encryption',
    's3:GetEncryptionConfiguration',
    (kept) => ({ ServerSideEncryptionConfiguration: kept }),
    {
      ServerSideEncryptionConfiguration: {
        Rules: [{ ApplyServerSideEncryptionByDefault: { SSEAlgorithm: 'AES256' }, BucketKeyEnabled: false }],
      },
    },
  ),
  PutBucketEncryption: putting('encryption', 's3:PutEncryptionConfiguration', takeEncryption),
  DeleteBucketEncryption: deleting('encryption', 's3:PutEncryptionConfiguration'),
  GetBucketReplication: getting<SDK.ReplicationConfiguration, SDK.GetBucketReplicationOutput>(
    'replication',
    's3:GetReplicationConfiguration',
    (kept) => ({ ReplicationConfiguration: kept }),
    ['ReplicationConfigurationNotFoundError', 'The replication configuration was not found'],
  ),
  PutBucketReplication: putting('replication', 's3:PutReplicationConfiguration', takeReplication),
  DeleteBucketReplication: deleting('replication', 's3:PutReplicationConfiguration'),
  GetBucketLogging: getting<SDK.GetBucketLoggingOutput, SDK.GetBucketLoggingOutput>(
    'logging',
    's3:GetBucketLogging',
    same,
    {},
  ),
  PutBucketLogging: putting('logging', 's3:PutBucketLogging', takeLogging),
  GetBucketNotificationConfiguration: getting<SDK.NotificationConfiguration, SDK.NotificationConfiguration>(
    'notification',
    's3:GetBucketNotification',
    same,
    {},
  ),
  PutBucketNotificationConfiguration: putting('notification', 's3:PutBucketNotification', takeNotification),
  GetBucketRequestPayment: getting<SDK.GetBucketRequestPaymentOutput, SDK.GetBucketRequestPaymentOutput>(
    'requestPayment',
    's3:GetBucketRequestPayment',
    same,
    { Payer: 'BucketOwner' },
  ),
  PutBucketRequestPayment: putting('requestPayment', 's3:PutBucketRequestPayment', takePayer),
  GetBucketAccelerateConfiguration: getting<
    SDK.GetBucketAccelerateConfigurationOutput,
    SDK.GetBucketAccelerateConfigurationOutput
  >('accelerate', 's3:GetAccelerateConfiguration', same, {}),
  PutBucketAccelerateConfiguration: putting('accelerate', 's3:PutAccelerateConfiguration', takeAccelerate),
  GetBucketAbac: getting<SDK.AbacStatus, SDK.GetBucketAbacOutput>(
    'abac',
    's3:GetBucketAbac',
    (kept) => ({ AbacStatus: kept }),
    { AbacStatus: { Status: 'Disabled' } },
  ),
  PutBucketAbac: putting('abac', 's3:PutBucketAbac', takeAbac),
  GetBucketOwnershipControls: operation<SDK.GetBucketOwnershipControlsRequest, SDK.GetBucketOwnershipControlsOutput>({
    authorize: onBucket('s3:GetBucketOwnershipControls'),
    readOnly: true,
    run: (call, input) => getOwnership(requireBucket(call, call.tx, input)),
  }),
  PutBucketOwnershipControls: operation<SDK.PutBucketOwnershipControlsRequest, Record<string, never>>({
    authorize: onBucket('s3:PutBucketOwnershipControls'),
    run: putOwnership,
  }),
  DeleteBucketOwnershipControls: operation<SDK.DeleteBucketOwnershipControlsRequest, Record<string, never>>({
    authorize: onBucket('s3:PutBucketOwnershipControls'),
    run: (call, input) => {
      const bucket = requireBucket(call, call.tx, input);
      const settings = { ...bucket.settings, [ownershipDeleted]: 'true' };
      call.tx.put('bucket', { ...bucket, ownership: 'ObjectWriter', settings });
      return {};
    },
  }),
};
