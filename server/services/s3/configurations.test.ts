// Sub-resources of a bucket: kept as given, told as kept, and refused as recorded on S3.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import type {
  GetBucketLifecycleConfigurationOutput,
  ListBucketInventoryConfigurationsOutput,
} from '@aws-sdk/client-s3';
import { awsError } from '../../testing.ts';
import { makeS3 } from './testing.ts';

const Bucket = 'notes';

async function withBucket(t: Parameters<typeof makeS3>[0]) {
  const s3 = makeS3(t);
  await s3.run('CreateBucket', { Bucket });
  return s3;
}

const lifecycle = (...Rules: object[]) => ({ Bucket, LifecycleConfiguration: { Rules } });
const rule = (more: object) => ({ Status: 'Enabled', Filter: {}, ...more });
const website = (WebsiteConfiguration: object) => ({ Bucket, WebsiteConfiguration });
const index = { IndexDocument: { Suffix: 'index.html' } };
const cors = (...CORSRules: object[]) => ({ Bucket, CORSConfiguration: { CORSRules } });
const queue = (QueueArn: string, more: object = {}) => ({
  Bucket,
  NotificationConfiguration: { QueueConfigurations: [{ QueueArn, Events: ['s3:ObjectCreated:*'], ...more }] },
});
const inventory = (more: object = {}) => ({
  Id: 'daily',
  IsEnabled: true,
  IncludedObjectVersions: 'All',
  Schedule: { Frequency: 'Daily' },
  Destination: { S3BucketDestination: { Bucket: `arn:aws:s3:::${Bucket}`, Format: 'CSV' } },
  ...more,
});

const refusals: readonly (readonly [operation: string, input: object, code: string, message?: string | RegExp])[] = [
  ['PutBucketCors', cors(), 'MalformedXML'],
  [
    'PutBucketCors',
    cors({ AllowedMethods: ['MYMETHOD'], AllowedOrigins: ['*'] }),
    'InvalidRequest',
    'Found unsupported HTTP method in CORS config. Unsupported method is MYMETHOD',
  ],
  ['PutBucketLifecycleConfiguration', lifecycle(rule({})), 'InvalidRequest', /At least one action/],
  ['PutBucketLifecycleConfiguration', lifecycle({ Status: 'Enabled', Expiration: { Days: 1 } }), 'MalformedXML'],
  [
    'PutBucketLifecycleConfiguration',
    lifecycle(rule({ Expiration: { Date: new Date('2026-11-21T05:00:00Z') } })),
    'InvalidArgument',
    "'Date' must be at midnight GMT",
  ],
  [
    'PutBucketLifecycleConfiguration',
    lifecycle(
      rule({
        Expiration: { Days: 1 },
        Filter: {
          And: {
            Tags: [
              { Key: 'a', Value: '1' },
              { Key: 'a', Value: '2' },
            ],
          },
        },
      }),
    ),
    'InvalidRequest',
    'Duplicate Tag Keys are not allowed.',
  ],
  [
    'PutBucketLifecycleConfiguration',
    { ...lifecycle(rule({ Expiration: { Days: 1 } })), TransitionDefaultMinimumObjectSize: 'value' },
    'InvalidRequest',
    'Invalid TransitionDefaultMinimumObjectSize found: value',
  ],
  ['PutBucketLifecycleConfiguration', lifecycle(rule({ Expiration: { Days: 0 } })), 'InvalidArgument'],
  ['PutBucketWebsite', website({ IndexDocument: { Suffix: '/index.html' } }), 'InvalidArgument', /not well formed/],
  ['PutBucketWebsite', website({ ErrorDocument: { Key: 'e' } }), 'InvalidArgument', /must be provided/],
  ['PutBucketWebsite', website({ ...index, RedirectAllRequestsTo: { HostName: 'x' } }), 'InvalidArgument'],
  [
    'PutBucketWebsite',
    website({ ...index, RoutingRules: [{ Redirect: { ReplaceKeyWith: 'a', ReplaceKeyPrefixWith: 'b' } }] }),
    'InvalidRequest',
    'You can only define ReplaceKeyPrefix or ReplaceKey but not both.',
  ],
  [
    'PutBucketWebsite',
    website({ ...index, RoutingRules: [{ Condition: {}, Redirect: { HostName: 'x' } }] }),
    'InvalidRequest',
    /Condition cannot be empty/,
  ],
  ['PutBucketWebsite', website({ RedirectAllRequestsTo: { HostName: 'x', Protocol: 'ftp' } }), 'InvalidRequest'],
  [
    'PutBucketReplication',
    { Bucket, ReplicationConfiguration: { Role: 'r', Rules: [] } },
    'InvalidRequest',
    "Versioning must be 'Enabled' on the bucket to apply a replication configuration",
  ],
  [
    'PutBucketLogging',
    { Bucket, BucketLoggingStatus: { LoggingEnabled: { TargetBucket: 'nowhere', TargetPrefix: '' } } },
    'InvalidTargetBucketForLogging',
    'The target bucket for logging does not exist',
  ],
  ['PutBucketNotificationConfiguration', queue('invalid'), 'InvalidArgument', 'The ARN could not be parsed'],
  [
    'PutBucketNotificationConfiguration',
    queue('arn:aws:sqs:us-east-1:123456789012:q'),
    'InvalidArgument',
    'Unable to validate the following destination configurations',
  ],
  [
    'PutBucketNotificationConfiguration',
    queue('arn:aws:sqs:us-east-1:123456789012:q', {
      Filter: { Key: { FilterRules: [{ Name: 'INVALID', Value: 'x' }] } },
    }),
    'InvalidArgument',
    'filter rule name must be either prefix or suffix',
  ],
  ['PutBucketEncryption', { Bucket, ServerSideEncryptionConfiguration: { Rules: [] } }, 'MalformedXML'],
  ['PutBucketAccelerateConfiguration', { Bucket, AccelerateConfiguration: { Status: 'enabled' } }, 'MalformedXML'],
  ['PutBucketRequestPayment', { Bucket, RequestPaymentConfiguration: { Payer: 'Random' } }, 'MalformedXML'],
  [
    'PutBucketInventoryConfiguration',
    { Bucket, Id: 'other', InventoryConfiguration: inventory() },
    'IdMismatch',
    'Document ID does not match the specified configuration ID.',
  ],
  [
    'PutBucketInventoryConfiguration',
    {
      Bucket,
      Id: 'daily',
      InventoryConfiguration: inventory({ Destination: { S3BucketDestination: { Bucket: 'x', Format: 'CSV' } } }),
    },
    'InvalidS3DestinationBucket',
    'Invalid bucket ARN.',
  ],
  ['GetBucketAnalyticsConfiguration', { Bucket, Id: 'none' }, 'NoSuchConfiguration'],
  ['DeleteBucketMetricsConfiguration', { Bucket, Id: 'none' }, 'NoSuchConfiguration'],
  ['GetBucketCors', { Bucket }, 'NoSuchCORSConfiguration', 'The CORS configuration does not exist'],
  ['GetBucketWebsite', { Bucket }, 'NoSuchWebsiteConfiguration'],
  ['GetBucketReplication', { Bucket }, 'ReplicationConfigurationNotFoundError'],
];

test('what S3 refuses of a configuration is refused, in its words, and nothing is kept', async (t) => {
  const { run, store } = await withBucket(t);
  for (const [name, input, code, message] of refusals)
    await assert.rejects(run(name, input), awsError(code, message), `${name} ${JSON.stringify(input)}`);
  assert.equal(store.read((tx) => tx.get('bucket', Bucket))?.configurations, undefined);
});

test('what is kept is told again, times as times, and goes with a delete', async (t) => {
  const { run } = await withBucket(t);
  const midnight = new Date('2027-01-01T00:00:00Z');
  await run('PutBucketLifecycleConfiguration', lifecycle(rule({ ID: 'new-year', Expiration: { Date: midnight } })));
  const kept = await run<GetBucketLifecycleConfigurationOutput>('GetBucketLifecycleConfiguration', { Bucket });
  assert.deepEqual(kept, {
    Rules: [{ Status: 'Enabled', Filter: {}, ID: 'new-year', Expiration: { Date: midnight } }],
    TransitionDefaultMinimumObjectSize: 'all_storage_classes_128K',
  });
  await run('DeleteBucketLifecycle', { Bucket });
  await assert.rejects(run('GetBucketLifecycleConfiguration', { Bucket }), awsError('NoSuchLifecycleConfiguration'));

  const CORSRules = [{ AllowedMethods: ['GET'], AllowedOrigins: ['*'] }];
  await run('PutBucketCors', cors(...CORSRules));
  await run('PutBucketWebsite', website(index));
  assert.deepEqual(await run('GetBucketCors', { Bucket }), { CORSRules });
  assert.deepEqual(await run('GetBucketWebsite', { Bucket }), index);
  await run('DeleteBucketCors', { Bucket });
  assert.deepEqual(await run('GetBucketWebsite', { Bucket }), index);

  const arn = 'arn:aws:sqs:us-east-1:123456789012:q';
  await run('PutBucketNotificationConfiguration', { ...queue(arn, { Id: 'n' }), SkipDestinationValidation: true });
  assert.deepEqual(await run('GetBucketNotificationConfiguration', { Bucket }), {
    QueueConfigurations: [{ Id: 'n', QueueArn: arn, Events: ['s3:ObjectCreated:*'] }],
  });
  await run('PutBucketNotificationConfiguration', { Bucket, NotificationConfiguration: {} });
  assert.deepEqual(await run('GetBucketNotificationConfiguration', { Bucket }), {});

  await run('PutBucketInventoryConfiguration', { Bucket, Id: 'daily', InventoryConfiguration: inventory() });
  const list = await run<ListBucketInventoryConfigurationsOutput>('ListBucketInventoryConfigurations', { Bucket });
  assert.deepEqual(list, { IsTruncated: false, InventoryConfigurationList: [inventory()] });
  await run('DeleteBucketInventoryConfiguration', { Bucket, Id: 'daily' });
});

test('where the requester pays, another account says that it knows', async (t) => {
  const { run } = await withBucket(t);
  await run('PutBucketRequestPayment', { Bucket, RequestPaymentConfiguration: { Payer: 'Requester' } });
  assert.deepEqual(await run('GetBucketRequestPayment', { Bucket }), { Payer: 'Requester' });
  const other = {
    accountId: '210987654321',
    principal: { type: 'root' as const, accountId: '210987654321', arn: 'arn:aws:iam::210987654321:root', userId: 'x' },
  };
  await assert.rejects(run('ListObjectsV2', { Bucket }, other), awsError('AccessDenied'));
  await run('ListObjectsV2', { Bucket }, { ...other, headers: { 'x-amz-request-payer': 'requester' } });
});
