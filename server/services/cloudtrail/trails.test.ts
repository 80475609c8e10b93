import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, beforeEach, describe, it } from 'node:test';
import type {
  CreateTrailRequest,
  DescribeTrailsResponse,
  GetEventSelectorsResponse,
  GetTrailResponse,
  GetTrailStatusResponse,
  ListTagsResponse,
} from '@aws-sdk/client-cloudtrail';
import type { BaseCall } from '../../service.ts';
import type { Store } from '../../store/store.ts';
import { awsError, makeStore, runOperation, testAccountId } from '../../testing.ts';
import { EventHistory } from '../../trail/event-history.ts';
import { createCloudtrail } from './index.ts';

const arn = (name: string, region = 'us-east-1') => `arn:aws:cloudtrail:${region}:${testAccountId}:trail/${name}`;

interface Allowed {
  readonly sourceArn?: string;
  readonly actions?: readonly string[];
  readonly folder?: string;
}

/** What AWS's guide tells to put on the bucket. */
function policy({ sourceArn = arn('main'), actions = ['s3:GetBucketAcl', 's3:PutObject'], folder = '' }: Allowed = {}) {
  const Principal = { Service: 'cloudtrail.amazonaws.com' };
  const from = { 'aws:SourceArn': sourceArn };
  const acl = { 's3:x-amz-acl': 'bucket-owner-full-control', ...from };
  const Resource = `arn:aws:s3:::logs/${folder}AWSLogs/${testAccountId}/*`;
  const Statement = [
    {
      Effect: 'Allow',
      Principal,
      Action: 's3:GetBucketAcl',
      Resource: 'arn:aws:s3:::logs',
      Condition: { StringEquals: from },
    },
    { Effect: 'Allow', Principal, Action: 's3:PutObject', Resource, Condition: { StringEquals: acl } },
  ];
  return JSON.stringify({
    Version: '2012-10-17',
    Statement: Statement.filter(({ Action }) => actions.includes(Action)),
  });
}

describe('trails', () => {
  const directory = mkdtempSync(join(tmpdir(), 'postern-trails-'));
  let store: Store;
  let run: <O = object>(name: string, input: object, overrides?: Partial<BaseCall>) => Promise<O>;

  function bucketWith(text: string | undefined): void {
    store.transact((tx) =>
      tx.put('bucket', {
        id: 'logs',
        accountId: testAccountId,
        region: 'us-east-1',
        creationDate: '2026-11-20T08:00:00.000Z',
        ownership: 'BucketOwnerEnforced',
        settings: {},
        ...(text !== undefined && { policy: text }),
      }),
    );
  }
  const create = (input: Partial<CreateTrailRequest> = {}) =>
    run('CreateTrail', { Name: 'main', S3BucketName: 'logs', ...input });

  beforeEach(() => {
    store = makeStore();
    const history = new EventHistory({
      directory,
      store,
      onError: (error) => {
        throw error;
      },
    });
    const cloudtrail = createCloudtrail(history);
    run = (name, input, overrides) => runOperation(store, cloudtrail, name, input, overrides);
    bucketWith(policy());
  });
  after(() => rmSync(directory, { recursive: true }));

  it('are made where the bucket’s policy lets CloudTrail write for this very trail', async () => {
    const insufficient = awsError(
      'InsufficientS3BucketPolicyException',
      'Incorrect S3 bucket policy is detected for bucket: logs',
    );
    const refusing = [
      undefined,
      policy({ sourceArn: arn('other') }),
      policy({ actions: ['s3:PutObject'] }),
      policy({ actions: ['s3:GetBucketAcl'] }),
      policy({ folder: 'net/' }),
    ];
    for (const text of refusing) {
      bucketWith(text);
      await assert.rejects(create(), insufficient, text);
    }
    await assert.rejects(create({ S3BucketName: 'nobodys' }), awsError('S3BucketDoesNotExistException'));
    bucketWith(policy());
    await create();
    const { Trail } = await run<GetTrailResponse>('GetTrail', { Name: 'main' });
    assert.deepEqual(Trail, {
      Name: 'main',
      S3BucketName: 'logs',
      IncludeGlobalServiceEvents: true,
      IsMultiRegionTrail: false,
      TrailARN: arn('main'),
      LogFileValidationEnabled: false,
      IsOrganizationTrail: false,
      HomeRegion: 'us-east-1',
      HasCustomEventSelectors: false,
      HasInsightSelectors: false,
    });
    await assert.rejects(create(), awsError('TrailAlreadyExistsException'));
    await assert.rejects(run('UpdateTrail', { Name: 'main', S3KeyPrefix: 'net' }), insufficient);
    bucketWith(policy({ folder: 'net/' }));
    await run('UpdateTrail', { Name: 'main', S3KeyPrefix: 'net' });
    await run('DeleteTrail', { Name: arn('main') });
    await assert.rejects(
      run('GetTrail', { Name: 'main' }),
      awsError('TrailNotFoundException', `Unknown trail: main for the user: ${testAccountId}`),
    );
  });

  it('have names in AWS’s form', async () => {
    for (const Name of ['ab', 'a'.repeat(129), 'a b', '-ab', 'ab-', 'a--b', '192.168.5.4'])
      await assert.rejects(create({ Name }), awsError('InvalidTrailNameException'), Name);
    await assert.rejects(run('GetTrail', { Name: 'arn:aws:s3:::logs' }), awsError('CloudTrailARNInvalidException'));
  });

  it('promise nothing that is not kept', async () => {
    const unserved: Partial<CreateTrailRequest>[] = [
      { SnsTopicName: 'topic' },
      { CloudWatchLogsLogGroupArn: 'arn' },
      { CloudWatchLogsRoleArn: 'arn' },
      { KmsKeyId: 'alias/a' },
      { IsOrganizationTrail: true },
      { EnableLogFileValidation: true },
      { RecursiveLogging: true },
    ];
    for (const input of unserved)
      await assert.rejects(
        create(input),
        awsError('UnsupportedOperationException', new RegExp(Object.keys(input)[0] ?? '')),
      );
    const combination = { IsMultiRegionTrail: true, IncludeGlobalServiceEvents: false };
    await assert.rejects(create(combination), awsError('InvalidParameterCombinationException'));
  });

  it('of every Region have shadows elsewhere, which only their home changes', async () => {
    await create();
    const there = { region: 'eu-west-1' };
    const names = async (input: object) =>
      ((await run<DescribeTrailsResponse>('DescribeTrails', input, there)).trailList ?? []).map(
        (one) => one.HomeRegion,
      );
    assert.deepEqual(await names({}), []);
    await run('UpdateTrail', { Name: 'main', IsMultiRegionTrail: true });
    assert.deepEqual(await names({}), ['us-east-1']);
    assert.deepEqual(await names({ includeShadowTrails: false }), []);
    assert.deepEqual(await names({ trailNameList: ['main'] }), ['us-east-1']);
    assert.deepEqual(await names({ trailNameList: ['nobody'] }), []);
    await assert.rejects(run('DeleteTrail', { Name: 'main' }, there), awsError('InvalidHomeRegionException'));
    const { Trails } = await run<{ Trails: object[] }>('ListTrails', {}, there);
    assert.deepEqual(Trails, [{ TrailARN: arn('main'), Name: 'main', HomeRegion: 'us-east-1' }]);
  });

  it('log from their start to their end', async () => {
    await create();
    const status = () => run<GetTrailStatusResponse>('GetTrailStatus', { Name: 'main' });
    assert.equal((await status()).IsLogging, false);
    const now = new Date('2026-11-21T09:00:00.000Z');
    await run('StartLogging', { Name: arn('main') }, { now });
    const started = await status();
    assert.deepEqual(
      [started.IsLogging, started.StartLoggingTime, started.TimeLoggingStarted],
      [true, now, '2026-11-21T09:00:00Z'],
    );
    await run('StopLogging', { Name: 'main' });
    assert.equal((await status()).IsLogging, false);
  });

  it('tell their event selectors as they were given, of one kind at a time', async () => {
    await create();
    const get = () => run<GetEventSelectorsResponse>('GetEventSelectors', { TrailName: 'main' });
    const standard = {
      ReadWriteType: 'All',
      IncludeManagementEvents: true,
      DataResources: [],
      ExcludeManagementEventSources: [],
    };
    assert.deepEqual(await get(), { TrailARN: arn('main'), EventSelectors: [standard] });
    const DataResources = [{ Type: 'AWS::S3::Object', Values: ['arn:aws:s3:::b/'] }];
    await run('PutEventSelectors', {
      TrailName: 'main',
      EventSelectors: [{ ReadWriteType: 'WriteOnly', DataResources }],
    });
    assert.deepEqual((await get()).EventSelectors, [{ ...standard, ReadWriteType: 'WriteOnly', DataResources }]);
    const AdvancedEventSelectors = [
      {
        Name: 'gets',
        FieldSelectors: [
          { Field: 'eventCategory', Equals: ['Data'] },
          { Field: 'resources.type', Equals: ['AWS::S3::Object'] },
          { Field: 'eventName', Equals: ['GetObject'] },
        ],
      },
    ];
    await run('PutEventSelectors', { TrailName: 'main', AdvancedEventSelectors });
    assert.deepEqual(await get(), { TrailARN: arn('main'), AdvancedEventSelectors });
    const { Trail } = await run<GetTrailResponse>('GetTrail', { Name: 'main' });
    assert.equal(Trail?.HasCustomEventSelectors, true);
  });

  it('take no selectors that mean nothing, or that cannot be kept', async () => {
    await create();
    const put = (input: object) => run('PutEventSelectors', { TrailName: 'main', ...input });
    const fields = (...FieldSelectors: object[]) => ({ AdvancedEventSelectors: [{ FieldSelectors }] });
    const category = (name: string) => ({ Field: 'eventCategory', Equals: [name] });
    const invalid: object[] = [
      {},
      { EventSelectors: [{}], ...fields(category('Management')) },
      { EventSelectors: [{ ReadWriteType: 'Some' }] },
      { EventSelectors: [{ DataResources: [{ Type: 'AWS::S3::Colour', Values: [] }] }] },
      { EventSelectors: [{ DataResources: [{ Type: 'AWS::S3::Object', Values: ['b/'] }] }] },
      { EventSelectors: [{}, {}, {}, {}, {}, {}] },
      fields({ Field: 'eventName', Equals: ['a'] }),
      fields(category('Data')),
      fields(category('Colour')),
      fields(category('Management'), { Field: 'colour', Equals: ['red'] }),
      fields(category('Management'), { Field: 'eventName' }),
    ];
    for (const input of invalid)
      await assert.rejects(put(input), awsError('InvalidEventSelectorsException'), JSON.stringify(input));
    await assert.rejects(put(fields(category('NetworkActivity'))), awsError('UnsupportedOperationException'));
    const table = { Field: 'resources.type', Equals: ['AWS::SQS::Queue'] };
    await assert.rejects(put(fields(category('Data'), table)), awsError('UnsupportedOperationException'));
  });

  it('have tags', async () => {
    await create({ TagsList: [{ Key: 'team', Value: 'net' }] });
    const list = async () =>
      (await run<ListTagsResponse>('ListTags', { ResourceIdList: [arn('main')] })).ResourceTagList?.[0]?.TagsList;
    await run('AddTags', { ResourceId: arn('main'), TagsList: [{ Key: 'level', Value: 'low' }] });
    assert.deepEqual(await list(), [
      { Key: 'team', Value: 'net' },
      { Key: 'level', Value: 'low' },
    ]);
    await run('RemoveTags', { ResourceId: arn('main'), TagsList: [{ Key: 'team' }] });
    assert.deepEqual(await list(), [{ Key: 'level', Value: 'low' }]);
    const twice = [{ Key: 'a' }, { Key: 'a' }];
    await assert.rejects(
      run('AddTags', { ResourceId: arn('main'), TagsList: twice }),
      awsError('InvalidTagParameterException'),
    );
    await assert.rejects(run('ListTags', { ResourceIdList: [arn('nobody')] }), awsError('TrailNotFoundException'));
  });
});
