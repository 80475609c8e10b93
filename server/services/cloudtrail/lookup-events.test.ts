import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import type { LookupEventsRequest, LookupEventsResponse } from '@aws-sdk/client-cloudtrail';
import { awsError, makeStore, runOperation, testAccountId, testNow } from '../../testing.ts';
import { EventHistory } from '../../trail/event-history.ts';
import { served } from '../../trail/testing.ts';
import { createCloudtrail } from './index.ts';

const directory = mkdtempSync(join(tmpdir(), 'postern-cloudtrail-'));
const store = makeStore();
const history = new EventHistory({
  directory,
  store,
  onError: (error) => {
    throw error;
  },
});
const cloudtrail = createCloudtrail(history);

const lookup = (input: LookupEventsRequest = {}) =>
  runOperation<LookupEventsResponse>(store, cloudtrail, 'LookupEvents', input, { now: new Date() });
const by = async (AttributeKey: string, AttributeValue: string) => {
  const { Events = [] } = await lookup({
    LookupAttributes: [{ AttributeKey: AttributeKey as 'EventName', AttributeValue }],
  });
  return Events.map((event) => event.EventName);
};

const ana = {
  type: 'user',
  accountId: testAccountId,
  arn: `arn:aws:iam::${testAccountId}:user/ana`,
  userId: 'AIDAANA',
  userName: 'ana',
} as const;
const session = {
  type: 'role-session',
  accountId: testAccountId,
  arn: `arn:aws:sts::${testAccountId}:assumed-role/app/i-0ab1`,
  roleArn: `arn:aws:iam::${testAccountId}:role/app`,
  userId: 'AROAAPP:i-0ab1',
} as const;

describe('LookupEvents', () => {
  before(() => {
    history.record(
      ...served('ec2:CreateVpc', {
        call: { input: { CidrBlock: '10.0.0.0/16' }, output: { Vpc: { VpcId: 'vpc-0a1' } } },
      }),
    );
    history.record(
      ...served('iam:CreateAccessKey', {
        event: { accessKeyId: 'AKIAANA', time: '2026-11-21T09:00:00.000Z' },
        call: { principal: ana, input: { UserName: 'ana' }, output: { AccessKey: { AccessKeyId: 'AKIANEW' } } },
      }),
    );
    history.record(
      ...served('s3:ListBuckets', {
        event: { accessKeyId: 'ASIAAPP', time: '2026-11-21T10:00:00.000Z' },
        call: { principal: session },
      }),
    );
    history.record(...served('s3:GetObject', { call: { principal: session, input: { Bucket: 'b', Key: 'k' } } }));
  });
  after(() => rmSync(directory, { recursive: true }));

  it('[L5] tells events with their records, the newest first, and S3’s object-level calls never', async () => {
    const { Events = [] } = await lookup();
    assert.deepEqual(
      Events.map(({ EventName, Username, ReadOnly }) => [EventName, Username, ReadOnly]),
      [
        ['ListBuckets', 'i-0ab1', 'true'],
        ['CreateAccessKey', 'ana', 'false'],
        ['CreateVpc', 'root', 'false'],
      ],
    );
    const [, , vpc] = Events;
    assert.equal(vpc?.EventSource, 'ec2.amazonaws.com');
    assert.deepEqual(vpc?.EventTime, testNow);
    assert.deepEqual(vpc?.Resources, [{ ResourceType: 'AWS::EC2::VPC', ResourceName: 'vpc-0a1' }]);
    const record = JSON.parse(vpc?.CloudTrailEvent ?? '') as { eventID: string; eventName: string };
    assert.deepEqual([record.eventID, record.eventName], [vpc?.EventId, 'CreateVpc']);
  });

  it('[L5] finds by each attribute, and nothing by a value that only resembles one', async () => {
    const { Events = [] } = await lookup();
    assert.deepEqual(await by('EventId', Events[1]?.EventId ?? ''), ['CreateAccessKey']);
    assert.deepEqual(await by('EventName', 'ListBuckets'), ['ListBuckets']);
    assert.deepEqual(await by('EventName', 'List'), []);
    assert.deepEqual(await by('EventSource', 'iam.amazonaws.com'), ['CreateAccessKey']);
    assert.deepEqual(await by('ReadOnly', 'true'), ['ListBuckets']);
    assert.deepEqual(await by('ReadOnly', 'false'), ['CreateAccessKey', 'CreateVpc']);
    assert.deepEqual(await by('AccessKeyId', 'ASIAAPP'), ['ListBuckets']);
    assert.deepEqual(
      await by('AccessKeyId', 'AKIANEW'),
      [],
      'a key that was made is a resource, and nobody signed with it',
    );
    assert.deepEqual(await by('ResourceName', 'AKIANEW'), ['CreateAccessKey']);
    assert.deepEqual(await by('ResourceName', 'vpc-0a1'), ['CreateVpc']);
    assert.deepEqual(await by('ResourceType', 'AWS::IAM::User'), ['CreateAccessKey']);
    assert.deepEqual(await by('Username', 'root'), ['CreateVpc']);
    assert.deepEqual(await by('Username', 'ana'), ['CreateAccessKey']);
    assert.deepEqual(await by('Username', 'i-0ab1'), ['ListBuckets']);
  });

  it('tells a stretch of time, both ends with it', async () => {
    const names = async (input: LookupEventsRequest) => (await lookup(input)).Events?.map((event) => event.EventName);
    const at = (hour: number) => new Date(Date.UTC(2026, 10, 21, hour));
    assert.deepEqual(await names({ EndTime: at(9) }), ['CreateAccessKey', 'CreateVpc']);
    assert.deepEqual(await names({ StartTime: at(9) }), ['ListBuckets', 'CreateAccessKey']);
    assert.deepEqual(await names({ StartTime: at(11) }), []);
  });

  it('gives pages whose tokens are good for the same question only', async () => {
    const names: (string | undefined)[] = [];
    let NextToken: string | undefined;
    do {
      const page = await lookup({ MaxResults: 1, ...(NextToken !== undefined && { NextToken }) });
      assert.equal(page.Events?.length, 1);
      names.push(page.Events?.[0]?.EventName);
      NextToken = page.NextToken;
    } while (NextToken !== undefined);
    assert.deepEqual(names, ['ListBuckets', 'CreateAccessKey', 'CreateVpc']);
    const { NextToken: first = '' } = await lookup({ MaxResults: 1 });
    await assert.rejects(lookup({ NextToken: first, EndTime: testNow }), awsError('InvalidNextTokenException'));
    await assert.rejects(lookup({ NextToken: 'bm9uc2Vuc2U=' }), awsError('InvalidNextTokenException'));
  });

  it('refuses what it does not know', async () => {
    await assert.rejects(lookup({ MaxResults: 51 }), awsError('InvalidMaxResultsException'));
    await assert.rejects(lookup({ MaxResults: 0 }), awsError('InvalidMaxResultsException'));
    const backwards = { StartTime: new Date(2), EndTime: new Date(1) };
    await assert.rejects(lookup(backwards), awsError('InvalidTimeRangeException'));
    await assert.rejects(by('Colour', 'red'), awsError('InvalidLookupAttributesException'));
    const two = [
      { AttributeKey: 'EventName', AttributeValue: 'a' },
      { AttributeKey: 'EventId', AttributeValue: 'b' },
    ] as const;
    await assert.rejects(lookup({ LookupAttributes: [...two] }), awsError('InvalidLookupAttributesException'));
    await assert.rejects(lookup({ EventCategory: 'data' as 'insight' }), awsError('InvalidEventCategoryException'));
    assert.deepEqual((await lookup({ EventCategory: 'insight' })).Events, []);
  });
});
