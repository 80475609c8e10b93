// Sub-resources of a bucket: kept as given, told as kept, and refused as recorded on S3.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import type {
  GetBucketLifecycleConfigurationOutput,
  ListBucketInventoryConfigurationsOutput,
  NotificationConfiguration,
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
  [
    'PutBucketLifecycleConfiguration',
    lifecycle(
      rule({
        Filter: { Prefix: 'a' },
        Expiration: { Days: 30 },
        Transitions: [{ Days: 30, StorageClass: 'STANDARD_IA' }],
      }),
    ),
    'InvalidArgument',
    "'Days' in the Expiration action for filter '(prefix=a)' must be greater than 'Days' in the Transition action",
  ],
  [
    'PutBucketLifecycleConfiguration',
    lifecycle(
      rule({
        Transitions: [
          { Days: 30, StorageClass: 'GLACIER' },
          { Days: 119, StorageClass: 'DEEP_ARCHIVE' },
        ],
      }),
    ),
    'InvalidArgument',
    "'Days' in the 'Transition' action for StorageClass 'DEEP_ARCHIVE' for filter '()' must be 90 days more than 'filter '()'' in the 'Transition' action for StorageClass 'GLACIER'",
  ],
  [
    'PutBucketLifecycleConfiguration',
    lifecycle(
      rule({
        Transitions: [
          { Days: 30, StorageClass: 'GLACIER' },
          { Days: 200, StorageClass: 'GLACIER' },
        ],
      }),
    ),
    'InvalidRequest',
    /^'StorageClass' must be different/,
  ],
  [
    'PutBucketLifecycleConfiguration',
    lifecycle(
      rule({
        Expiration: { Days: 100 },
        Transitions: [{ Date: new Date('2027-01-01T00:00:00Z'), StorageClass: 'GLACIER' }],
      }),
    ),
    'InvalidRequest',
    /^Found mixed 'Date' and 'Days'/,
  ],
  [
    'PutBucketLifecycleConfiguration',
    lifecycle(rule({ NoncurrentVersionExpiration: { NoncurrentDays: 1, NewerNoncurrentVersions: 101 } })),
    'InvalidArgument',
  ],
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
    'PutBucketWebsite',
    website({ ...index, RoutingRules: [{ Redirect: { HostName: 'x', HttpRedirectCode: '314x' } }] }),
    'InvalidRequest',
    'The provided HTTP redirect code (314x) is not valid. Valid codes are 3XX except 300.',
  ],
  [
    'PutBucketWebsite',
    website({
      ...index,
      RoutingRules: [{ Condition: { HttpErrorCodeReturnedEquals: '200' }, Redirect: { HostName: 'x' } }],
    }),
    'InvalidRequest',
    /error code \(200\)/,
  ],
  [
    'PutBucketWebsite',
    website({ ...index, RoutingRules: Array.from({ length: 51 }, () => ({ Redirect: { HostName: 'x' } })) }),
    'InvalidRequest',
    '51 routing rules provided, the number of routing rules in a website configuration is limited to 50.',
  ],
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
  [
    'PutBucketInventoryConfiguration',
    { Bucket, Id: 'daily', InventoryConfiguration: inventory({ OptionalFields: ['Size', 'Colour'] }) },
    'MalformedXML',
  ],
  [
    'PutBucketAnalyticsConfiguration',
    {
      Bucket,
      Id: 'a',
      AnalyticsConfiguration: { Id: 'a', StorageClassAnalysis: {}, Filter: { And: { Prefix: 'x' } } },
    },
    'MalformedXML',
  ],
  [
    'PutBucketAnalyticsConfiguration',
    {
      Bucket,
      Id: 'a',
      AnalyticsConfiguration: {
        Id: 'a',
        StorageClassAnalysis: {
          DataExport: {
            OutputSchemaVersion: 'V_1',
            Destination: { S3BucketDestination: { Format: 'CSV', Bucket: 'notes' } },
          },
        },
      },
    },
    'InvalidS3DestinationBucket',
  ],
  [
    'PutBucketMetricsConfiguration',
    { Bucket, Id: 'm', MetricsConfiguration: { Id: 'm', Filter: { Prefix: 'a', Tag: { Key: 'a', Value: 'b' } } } },
    'MalformedXML',
  ],
  ['PutBucketMetricsConfiguration', { Bucket, Id: 'a b', MetricsConfiguration: { Id: 'a b' } }, 'InvalidArgument'],
  [
    'PutBucketLogging',
    {
      Bucket,
      BucketLoggingStatus: {
        LoggingEnabled: {
          TargetBucket: Bucket,
          TargetPrefix: '',
          TargetObjectKeyFormat: { PartitionedPrefix: { PartitionDateSource: 'Now' } },
        },
      },
    },
    'MalformedXML',
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

test('a replication rule is of one version of the schema, and its destination keeps versions', async (t) => {
  const { run } = await withBucket(t);
  for (const name of [Bucket, 'copies'])
    await run('CreateBucket', { Bucket: name })
      .catch(() => {})
      .then(() => run('PutBucketVersioning', { Bucket: name, VersioningConfiguration: { Status: 'Enabled' } }));
  const copies = 'arn:aws:s3:::copies';
  const off = { Status: 'Disabled' };
  const on = { Status: 'Enabled' };
  const second = { Status: 'Enabled', Priority: 1, Filter: { Prefix: '' }, DeleteMarkerReplication: off };
  const to = (Destination: object = {}, more: object = {}) => ({
    ...second,
    ...more,
    Destination: { Bucket: copies, ...Destination },
  });
  const put = (...Rules: object[]) =>
    run('PutBucketReplication', {
      Bucket,
      ReplicationConfiguration: { Role: 'arn:aws:iam::123456789012:role/copier', Rules },
    });
  const more = 'Please refer to S3 Developer Guide for more information.';
  const { Priority: _, ...unranked } = to();
  const { DeleteMarkerReplication: __, ...unmarked } = to();
  const { Filter: ___, ...unfiltered } = to();
  const kms = { SseKmsEncryptedObjects: on };
  const time = { ReplicationTime: { ...on, Time: { Minutes: 15 } } };
  for (const [rules, code, message] of [
    [[unranked], 'InvalidRequest', `Priority must be specified for this version of Cross Region Replication configuration schema. ${more}`],
    [[unmarked], 'InvalidRequest', /^DeleteMarkerReplication must be specified for this version/],
    [[{ ...unfiltered, Prefix: '' }], 'InvalidRequest', /^Priority cannot be used for this version/],
    [[to({}, { ID: 'a' }), to({}, { ID: 'a', Priority: 2 })], 'InvalidArgument', /^Rule ID must be unique/],
    [[to(), to({}, { ID: 'b' })], 'InvalidRequest', /duplicate priority 1/],
    [[to({}, { Priority: -1 })], 'InvalidRequest', /Priority/],
    [[to({}, { ID: 'x'.repeat(256) })], 'InvalidArgument', /255/],
    [[to({}, { Filter: { Prefix: 'a', Tag: { Key: 'a', Value: 'b' } } })], 'MalformedXML'],
    [[to({}, { Filter: { And: { Prefix: 'a' } } })], 'MalformedXML'],
    [[to({}, { Filter: { Tag: { Key: 'a', Value: 'b' } }, DeleteMarkerReplication: on })], 'InvalidRequest', /^Delete marker replication is not supported if any Tag filter/],
    [[to({}, { DeleteMarkerReplication: { Status: 'On' } })], 'MalformedXML'],
    [[to({ EncryptionConfiguration: { ReplicaKmsKeyID: 'k' } })], 'InvalidRequest', 'SseKmsEncryptedObjects must be specified if EncryptionConfiguration is present.'],
    [[to({}, { SourceSelectionCriteria: kms })], 'InvalidRequest', /^ReplicaKmsKeyID/],
    [[to({ Bucket: 'copies' })], 'InvalidArgument', 'Invalid bucket ARN.'],
    [[to({ Bucket: `arn:aws:s3:::${Bucket}` })], 'InvalidRequest', /same as the source/],
    [[to({ Bucket: 'arn:aws:s3:::nowhere' })], 'InvalidRequest', 'Destination bucket must have versioning enabled.'],
    [[to({ StorageClass: 'FAST' })], 'MalformedXML'],
    [[to({ AccessControlTranslation: { Owner: 'Destination' } })], 'InvalidRequest', /^Account must be specified/],
    [[to(time)], 'InvalidRequest', 'Replication destination must contain both ReplicationTime and Metrics or neither.'],
    [[to({ ...time, Metrics: { ...on, EventThreshold: { Minutes: 20 } } })], 'InvalidArgument', /minute/],
  ] as const)
    await assert.rejects(put(...rules), awsError(code, message), JSON.stringify(rules)); // biome-ignore format: a table
  const suspend = { Bucket, VersioningConfiguration: { Status: 'Suspended' } };
  await put(
    to({ ...time, Metrics: { ...on, EventThreshold: { Minutes: 15 } } }),
    to({}, { ID: 'b', Priority: 2, Filter: {} }),
  );
  await put({ Status: 'Enabled', Prefix: 'a', Destination: { Bucket: copies } });
  await assert.rejects(
    run('PutBucketVersioning', suspend),
    awsError('InvalidBucketState', /^A replication configuration is present/),
  );
  await run('DeleteBucketReplication', { Bucket });
  await run('PutBucketVersioning', suspend);
});

test('two notifications cannot be of one event of one key', async (t) => {
  const { run } = await withBucket(t);
  const arn = 'arn:aws:sqs:us-east-1:123456789012:q';
  const rule = (Prefix: string, Suffix = '') => ({
    QueueArn: arn,
    Events: ['s3:ObjectCreated:*'],
    Filter: {
      Key: { FilterRules: [{ Name: 'prefix', Value: Prefix }, ...(Suffix ? [{ Name: 'suffix', Value: Suffix }] : [])] },
    },
  });
  const put = (...QueueConfigurations: object[]) =>
    run('PutBucketNotificationConfiguration', {
      Bucket,
      NotificationConfiguration: { QueueConfigurations },
      SkipDestinationValidation: true,
    });
  const ambiguous = awsError('InvalidArgument', /^Configuration is ambiguously defined/);
  await assert.rejects(put(rule('a'), rule('ab')), ambiguous);
  await assert.rejects(put(rule('a', '.jpg'), { ...rule('ab', 'g'), Events: ['s3:ObjectCreated:Put'] }), ambiguous);
  await assert.rejects(
    put({ ...rule('a'), Id: 'x' }, { ...rule('b'), Id: 'x' }),
    awsError('InvalidArgument', /^Same ID used/),
  );
  await assert.rejects(
    put({ ...rule('a'), QueueArn: arn.replace('us-east-1', 'eu-west-1') }),
    awsError('InvalidArgument', /region is not valid/),
  );
  await assert.rejects(put(rule('x'.repeat(1025))), awsError('InvalidArgument', /1024 bytes/));
  await assert.rejects(
    put({ ...rule('a'), Events: ['s3:Replication:OperationX'] }),
    awsError('InvalidArgument', /not supported/),
  );
  await put(rule('a', '.jpg'), rule('ab', '.png'), rule('b'), { ...rule('a'), Events: ['s3:ObjectRemoved:*'] });
  const kept = await run<NotificationConfiguration>('GetBucketNotificationConfiguration', { Bucket });
  assert.deepEqual(kept.QueueConfigurations?.[2]?.Filter, { Key: { FilterRules: [{ Name: 'Prefix', Value: 'b' }] } });
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
