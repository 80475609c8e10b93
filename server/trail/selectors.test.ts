import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { AdvancedTrailSelector, TrailRow, TrailSelector } from '../store/rows/cloudtrail.ts';
import { everyManagementEvent, isLogged, type SelectableRecord, wantsData } from './selectors.ts';

const trail = (more: Partial<TrailRow> = {}): TrailRow => ({
  id: 'arn:aws:cloudtrail:us-east-1:123456789012:trail/main',
  accountId: '123456789012',
  region: 'us-east-1',
  name: 'main',
  bucket: 'logs',
  includeGlobalServiceEvents: true,
  isMultiRegion: false,
  tags: {},
  isLogging: true,
  deliveredPlace: 0,
  ...more,
});
const management: SelectableRecord = {
  eventCategory: 'Management',
  eventName: 'CreateVpc',
  eventSource: 'ec2.amazonaws.com',
  eventType: 'AwsApiCall',
  readOnly: false,
  awsRegion: 'us-east-1',
  userIdentity: { arn: 'arn:aws:iam::123456789012:user/ana' },
};
const get: SelectableRecord = {
  ...management,
  eventCategory: 'Data',
  eventName: 'GetObject',
  eventSource: 's3.amazonaws.com',
  readOnly: true,
  vpcEndpointId: 'vpce-1',
  resources: [
    { type: 'AWS::S3::Object', ARN: 'arn:aws:s3:::b/in/k' },
    { type: 'AWS::S3::Bucket', ARN: 'arn:aws:s3:::b' },
  ],
};
const list = {
  ...get,
  eventName: 'ListObjects',
  resources: [{ type: 'AWS::S3::Object', ARNPrefix: 'arn:aws:s3:::b/' }],
};

test('a new trail logs management events of its Region, one of every Region those of all', () => {
  assert.equal(isLogged(trail(), management), true);
  assert.equal(isLogged(trail(), get), false);
  const elsewhere = { ...management, awsRegion: 'eu-west-1' };
  assert.equal(isLogged(trail(), elsewhere), false);
  assert.equal(isLogged(trail({ isMultiRegion: true }), elsewhere), true);
  const iam = { ...management, eventSource: 'iam.amazonaws.com' };
  assert.equal(isLogged(trail(), iam), true);
  assert.equal(isLogged(trail({ includeGlobalServiceEvents: false }), iam), false);
});

test('basic selectors', () => {
  const logs = (selector: Partial<TrailSelector>, record: SelectableRecord) =>
    isLogged(trail({ selectors: [{ ...everyManagementEvent, ...selector }] }), record);
  assert.equal(logs({ readWriteType: 'ReadOnly' }, management), false);
  assert.equal(logs({ readWriteType: 'WriteOnly' }, management), true);
  assert.equal(logs({ includeManagementEvents: false }, management), false);
  assert.equal(logs({ excludedSources: ['ec2.amazonaws.com'] }, management), false);
  const objects = (...values: string[]) => ({ dataResources: [{ type: 'AWS::S3::Object', values }] });
  for (const all of ['arn:aws:s3', 'arn:aws:s3:::', 'arn:aws:s3:::b/', 'arn:aws:s3:::b/in/'])
    assert.equal(logs(objects(all), get), true, all);
  assert.equal(logs(objects('arn:aws:s3:::b/'), list), true);
  assert.equal(logs(objects('arn:aws:s3:::b/out/', 'arn:aws:s3:::bb/'), get), false);
  const item = {
    ...get,
    resources: [{ type: 'AWS::DynamoDB::Table', ARN: 'arn:aws:dynamodb:us-east-1:123456789012:table/lab' }],
  };
  const tables = (value: string) => ({ dataResources: [{ type: 'AWS::DynamoDB::Table', values: [value] }] });
  assert.equal(logs(tables('arn:aws:dynamodb'), item), true);
  assert.equal(logs(tables('arn:aws:dynamodb:us-east-1:123456789012:table/lab'), item), true);
  assert.equal(logs(tables('arn:aws:dynamodb:us-east-1:123456789012:table/la'), item), false);
});

test('advanced selectors: every field must fit, of its values any', () => {
  const logs = (record: SelectableRecord, ...fields: AdvancedTrailSelector['fields']) =>
    isLogged(trail({ advancedSelectors: [{ fields }] }), record);
  const data = { field: 'eventCategory', Equals: ['Data'] };
  assert.equal(logs(get, data, { field: 'resources.type', Equals: ['AWS::S3::Object'] }), true);
  assert.equal(logs(management, data), false);
  assert.equal(logs(get, data, { field: 'eventName', Equals: ['PutObject', 'GetObject'] }), true);
  assert.equal(logs(get, data, { field: 'eventName', NotEquals: ['PutObject', 'GetObject'] }), false);
  assert.equal(logs(get, data, { field: 'resources.ARN', StartsWith: ['arn:aws:s3:::b/in/'] }), true);
  assert.equal(
    logs(get, data, { field: 'resources.ARN', StartsWith: ['arn:aws:s3:::b/'], NotEndsWith: ['/k'] }),
    false,
  );
  assert.equal(logs(get, data, { field: 'readOnly', Equals: ['true'] }), true);
  assert.equal(logs(get, data, { field: 'vpcEndpointId', Equals: ['vpce-2'] }), false);
  assert.equal(logs(get, data, { field: 'errorCode', Equals: ['AccessDenied'] }), false);
  assert.equal(logs(list, data, { field: 'resources.ARN', StartsWith: ['arn:aws:s3:::b/'] }), true);
});

test('data events are wanted where a selector speaks of them', () => {
  assert.equal(wantsData(trail()), false);
  assert.equal(wantsData(trail({ selectors: [everyManagementEvent] })), false);
  const dataResources = [{ type: 'AWS::S3::Object', values: ['arn:aws:s3'] }];
  assert.equal(wantsData(trail({ selectors: [{ ...everyManagementEvent, dataResources }] })), true);
  assert.equal(
    wantsData(trail({ advancedSelectors: [{ fields: [{ field: 'eventCategory', Equals: ['Data'] }] }] })),
    true,
  );
});
