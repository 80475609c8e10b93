// The sub-resources of a bucket that decide nothing here yet. What a new bucket answers is answered truly; a put that would set anything else is
// refused by name, because a caller would count on it (NotImplemented). A delete of what is not set succeeds, as in S3.
// Defaults: https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetBucketEncryption.html and neighbours (read 2026-11-21).
// Puts that are not in this table at all (CORS, lifecycle, website, replication …) are answered NotImplemented by the edge.

import type * as SDK from '@aws-sdk/client-s3';
import { type Call, type Operation, operation } from '../../service.ts';
import type { BucketRow } from '../../store/rows/s3.ts';
import { type BucketInput, onBucket, requireBucket } from './access.ts';
import { malformedXml, noSuchConfiguration, notImplemented } from './errors.ts';

/** A setting's answer for a bucket that never had it set. */
function fixed<O extends object>(action: string, answer: O) {
  return operation<BucketInput, O>({
    authorize: onBucket(action),
    readOnly: true,
    run: (call, input) => {
      requireBucket(call, call.tx, input);
      return answer;
    },
  });
}

/** 404 with the code that S3 has for this setting. */
function absent(action: string, code: string, message: string) {
  return operation<BucketInput, Record<string, never>>({
    authorize: onBucket(action),
    readOnly: true,
    run: (call, input) => {
      throw noSuchConfiguration(code, message, requireBucket(call, call.tx, input).id);
    },
  });
}

function deleteOfNothing(action: string) {
  return fixed(action, {});
}

/** A put that is taken when it asks for what is so anyway. `refuse` throws for anything else. */
function onlyDefault<I extends BucketInput>(action: string, refuse: (input: I) => void) {
  return operation<I, Record<string, never>>({
    authorize: onBucket<I>(action),
    run: (call, input) => {
      requireBucket(call, call.tx, input);
      refuse(input);
      return {};
    },
  });
}

const noConfiguration = ['NoSuchConfiguration', 'The specified configuration does not exist.'] as const;

/** ACLs were given up with `DeleteBucketOwnershipControls`; the row then says so. */
const ownershipDeleted = 'ownershipControlsDeleted';

function putOwnership(call: Call, input: SDK.PutBucketOwnershipControlsRequest): Record<string, never> {
  const bucket = requireBucket(call, call.tx, input);
  const [rule, ...more] = input.OwnershipControls?.Rules ?? [];
  const ownership = rule?.ObjectOwnership;
  if (more.length > 0 || !ownership || !/^(BucketOwnerEnforced|BucketOwnerPreferred|ObjectWriter)$/.test(ownership))
    throw malformedXml();
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

function refuseEncryption(input: SDK.PutBucketEncryptionRequest): void {
  const rules = input.ServerSideEncryptionConfiguration?.Rules ?? [];
  if (rules.length !== 1) throw malformedXml();
  const algorithm = rules[0]?.ApplyServerSideEncryptionByDefault?.SSEAlgorithm;
  if (algorithm === undefined) throw malformedXml();
  if (algorithm !== 'AES256') throw notImplemented(`PutBucketEncryption with ${algorithm}`);
}

export const bucketSettingOperations = {
  GetBucketEncryption: fixed<SDK.GetBucketEncryptionOutput>('s3:GetEncryptionConfiguration', {
    ServerSideEncryptionConfiguration: {
      Rules: [{ ApplyServerSideEncryptionByDefault: { SSEAlgorithm: 'AES256' }, BucketKeyEnabled: false }],
    },
  }),
  PutBucketEncryption: onlyDefault('s3:PutEncryptionConfiguration', refuseEncryption),
  DeleteBucketEncryption: deleteOfNothing('s3:PutEncryptionConfiguration'),
  GetBucketLifecycleConfiguration: absent(
    's3:GetLifecycleConfiguration',
    'NoSuchLifecycleConfiguration',
    'The lifecycle configuration does not exist',
  ),
  DeleteBucketLifecycle: deleteOfNothing('s3:PutLifecycleConfiguration'),
  GetBucketCors: absent('s3:GetBucketCORS', 'NoSuchCORSConfiguration', 'The CORS configuration does not exist'),
  DeleteBucketCors: deleteOfNothing('s3:PutBucketCORS'),
  GetBucketWebsite: absent(
    's3:GetBucketWebsite',
    'NoSuchWebsiteConfiguration',
    'The specified bucket does not have a website configuration',
  ),
  DeleteBucketWebsite: deleteOfNothing('s3:DeleteBucketWebsite'),
  GetBucketReplication: absent(
    's3:GetReplicationConfiguration',
    'ReplicationConfigurationNotFoundError',
    'The replication configuration was not found',
  ),
  DeleteBucketReplication: deleteOfNothing('s3:PutReplicationConfiguration'),
  GetBucketLogging: fixed('s3:GetBucketLogging', {}),
  PutBucketLogging: onlyDefault<SDK.PutBucketLoggingRequest>('s3:PutBucketLogging', (input) => {
    if (input.BucketLoggingStatus?.LoggingEnabled) throw notImplemented('PutBucketLogging');
  }),
  GetBucketNotificationConfiguration: fixed('s3:GetBucketNotification', {}),
  PutBucketNotificationConfiguration: onlyDefault<SDK.PutBucketNotificationConfigurationRequest>(
    's3:PutBucketNotification',
    (input) => {
      const asked = Object.values(input.NotificationConfiguration ?? {});
      if (asked.some((one) => one !== undefined && !(Array.isArray(one) && one.length === 0)))
        throw notImplemented('PutBucketNotificationConfiguration');
    },
  ),
  GetBucketRequestPayment: fixed<SDK.GetBucketRequestPaymentOutput>('s3:GetBucketRequestPayment', {
    Payer: 'BucketOwner',
  }),
  PutBucketRequestPayment: onlyDefault<SDK.PutBucketRequestPaymentRequest>('s3:PutBucketRequestPayment', (input) => {
    const payer = input.RequestPaymentConfiguration?.Payer;
    if (payer === 'Requester') throw notImplemented('PutBucketRequestPayment Requester');
    if (payer !== 'BucketOwner') throw malformedXml();
  }),
  GetBucketAccelerateConfiguration: fixed('s3:GetAccelerateConfiguration', {}),
  GetBucketAbac: fixed<SDK.GetBucketAbacOutput>('s3:GetBucketAbac', { AbacStatus: { Status: 'Disabled' } }),
  GetBucketAnalyticsConfiguration: absent('s3:GetAnalyticsConfiguration', ...noConfiguration),
  GetBucketIntelligentTieringConfiguration: absent('s3:GetIntelligentTieringConfiguration', ...noConfiguration),
  GetBucketInventoryConfiguration: absent('s3:GetInventoryConfiguration', ...noConfiguration),
  GetBucketMetricsConfiguration: absent('s3:GetMetricsConfiguration', ...noConfiguration),
  ListBucketAnalyticsConfigurations: fixed('s3:GetAnalyticsConfiguration', { IsTruncated: false }),
  ListBucketIntelligentTieringConfigurations: fixed('s3:GetIntelligentTieringConfiguration', { IsTruncated: false }),
  ListBucketInventoryConfigurations: fixed('s3:GetInventoryConfiguration', { IsTruncated: false }),
  ListBucketMetricsConfigurations: fixed('s3:GetMetricsConfiguration', { IsTruncated: false }),

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
} satisfies Record<string, Operation>;
