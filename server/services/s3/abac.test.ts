// Tags that decide: a bucket's where its owner has switched that on, an access point's always, and those that a request brings.
// https://docs.aws.amazon.com/AmazonS3/latest/userguide/buckets-tagging-enable-abac.html (read 2026-11-21)

import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import type { GetBucketAbacOutput } from '@aws-sdk/client-s3';
import { awsError, runOperation, testAccountId } from '../../testing.ts';
import { makeS3, withUsers } from './testing.ts';

const Bucket = 'notes';
const bucketArn = `arn:aws:s3:::${Bucket}`;
const AccountId = testAccountId;

async function started(t: TestContext) {
  const made = makeS3(t);
  await made.run('CreateBucket', { Bucket, CreateBucketConfiguration: { Tags: [{ Key: 'team', Value: 'blue' }] } });
  const switchTo = (Status: string) => made.run('PutBucketAbac', { Bucket, AbacStatus: { Status } });
  return { ...made, switchTo };
}

const when = (key: string, value: string, Action: string | string[] = 's3:*') => ({
  ...{ Effect: 'Allow', Action, Resource: '*' },
  Condition: { StringEquals: { [key]: value } },
});

test('the setting is told as it was put, and is off at first', async (t) => {
  const { run, switchTo } = await started(t);
  const status = async () => (await run<GetBucketAbacOutput>('GetBucketAbac', { Bucket })).AbacStatus?.Status;
  assert.equal(await status(), 'Disabled');
  await switchTo('Enabled');
  assert.equal(await status(), 'Enabled');
  await switchTo('Disabled');
  assert.equal(await status(), 'Disabled');
  await assert.rejects(switchTo('enabled'), awsError('MalformedXML'));
});

test('a policy may ask for a bucket’s tags only while they are switched on', async (t) => {
  const all = await started(t);
  const as = await withUsers(all, {
    byBucketTag: [when('s3:BucketTag/team', 'blue')],
    byResourceTag: [when('aws:ResourceTag/team', 'blue')],
    red: [when('s3:BucketTag/team', 'red')],
  });
  const list = (name: string) => as(name, 'ListObjectsV2', { Bucket });
  const denied = awsError('AccessDenied');
  for (const name of ['byBucketTag', 'byResourceTag', 'red']) await assert.rejects(list(name), denied);
  await all.switchTo('Enabled');
  await list('byBucketTag');
  await list('byResourceTag');
  await assert.rejects(list('red'), denied);
  // An object has the tags of its bucket under S3's own key alone; it is not there, and who may not list is not told so.
  await assert.rejects(as('byBucketTag', 'HeadObject', { Bucket, Key: 'k' }), awsError('NoSuchKey'));
  await assert.rejects(as('byResourceTag', 'HeadObject', { Bucket, Key: 'k' }), denied);
  await all.switchTo('Disabled');
  await assert.rejects(list('byBucketTag'), denied);
});

test('a Deny by tag holds from the moment on', async (t) => {
  const all = await started(t);
  const deny = { ...when('s3:BucketTag/team', 'blue'), Effect: 'Deny' };
  const as = await withUsers(all, { ana: [{ Effect: 'Allow', Action: '*', Resource: '*' }, deny] });
  await as('ana', 'ListObjectsV2', { Bucket });
  await all.switchTo('Enabled');
  await assert.rejects(as('ana', 'ListObjectsV2', { Bucket }), awsError('AccessDenied', /explicit deny/));
});

test('tags that decide are changed by TagResource and UntagResource, and no longer as a set', async (t) => {
  const { run, switchTo, store, s3 } = await started(t);
  const set = { Bucket, Tagging: { TagSet: [{ Key: 'team', Value: 'red' }] } };
  await run('PutBucketTagging', set);
  await switchTo('Enabled');
  await assert.rejects(run('PutBucketTagging', set), awsError('MethodNotAllowed'));
  await assert.rejects(run('DeleteBucketTagging', { Bucket }), awsError('MethodNotAllowed'));
  const tags = { AccountId, ResourceArn: bucketArn, Tags: [{ Key: 'team', Value: 'green' }] };
  await runOperation(store, s3.control, 'TagResource', tags);
  assert.deepEqual(await run('GetBucketTagging', { Bucket }), { TagSet: [{ Key: 'team', Value: 'green' }] });
});

test('what a request brings is asked for: aws:RequestTag and aws:TagKeys; tags at the making need s3:TagResource', async (t) => {
  const all = await started(t);
  const as = await withUsers(all, {
    maker: [{ Effect: 'Allow', Action: 's3:CreateBucket', Resource: '*' }],
    tagger: [when('aws:RequestTag/team', 'blue', ['s3:CreateBucket', 's3:TagResource'])],
    remover: [
      {
        ...{ Effect: 'Allow', Action: 's3:UntagResource', Resource: '*' },
        Condition: { 'ForAllValues:StringEquals': { 'aws:TagKeys': 'temporary' } },
      },
    ],
  });
  const denied = awsError('AccessDenied');
  const made = (Value: string) => ({
    Bucket: `made-${Value}`,
    CreateBucketConfiguration: { Tags: [{ Key: 'team', Value }] },
  });
  await as('maker', 'CreateBucket', { Bucket: 'bare' });
  await assert.rejects(as('maker', 'CreateBucket', made('blue')), awsError('AccessDenied', /s3:TagResource/));
  await assert.rejects(as('tagger', 'CreateBucket', made('red')), denied);
  await as('tagger', 'CreateBucket', made('blue'));
  const tagged = { AccountId, ResourceArn: bucketArn };
  await as('tagger', 'TagResource', { ...tagged, Tags: [{ Key: 'team', Value: 'blue' }] });
  await assert.rejects(as('tagger', 'TagResource', { ...tagged, Tags: [{ Key: 'team', Value: 'red' }] }), denied);
  await as('remover', 'UntagResource', { ...tagged, TagKeys: ['temporary'] });
  await assert.rejects(as('remover', 'UntagResource', { ...tagged, TagKeys: ['team'] }), denied);
});

test('an access point’s tags, given at its making, decide without a switch', async (t) => {
  const all = await started(t);
  const control = <O>(name: string, input: object) =>
    runOperation<O>(all.store, all.s3.control, name, { AccountId, ...input });
  const Tags = [{ Key: 'team', Value: 'blue' }];
  const { AccessPointArn: point = '' } = await control<{ AccessPointArn?: string }>('CreateAccessPoint', {
    ...{ Name: 'door', Bucket, Tags },
  });
  assert.deepEqual(await control('ListTagsForResource', { ResourceArn: point }), { Tags });
  const as = await withUsers(all, {
    blue: [when('s3:AccessPointTag/team', 'blue')],
    red: [when('s3:AccessPointTag/team', 'red')],
  });
  await as('blue', 'ListObjectsV2', { Bucket: point });
  await assert.rejects(as('red', 'ListObjectsV2', { Bucket: point }), awsError('AccessDenied'));
  const badTags = [{ Key: 'aws:x', Value: '' }];
  await assert.rejects(control('CreateAccessPoint', { Name: 'other', Bucket, Tags: badTags }), awsError('InvalidTag'));
});
