// Access points: made and told through S3 Control, addressed by ARN and alias, and asked about besides the bucket.

import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import type { CopyObjectOutput, GetObjectOutput, HeadBucketOutput, ListObjectsV2Output } from '@aws-sdk/client-s3';
import type * as Control from '@aws-sdk/client-s3-control';
import type { EndpointPath, RequestPath } from '../../path.ts';
import type { BaseCall, StreamingBody } from '../../service.ts';
import { awsError, runAs, runOperation, testAccountId } from '../../testing.ts';
import { body, bytesOf, document, makeS3, withUsers } from './testing.ts';

type Got = Omit<GetObjectOutput, 'Body'> & { Body: StreamingBody };
const Bucket = 'notes';
const AccountId = testAccountId;
const arnOf = (name: string) => `arn:aws:s3:us-east-1:${AccountId}:accesspoint/${name}`;
const throughEndpoint = (vpcId: string): RequestPath =>
  ({ kind: 'endpoint', vpcEndpointId: 'vpce-0a', vpcId, sourceIp: '10.0.0.4', secure: false }) as EndpointPath;

async function started(t: TestContext) {
  const made = makeS3(t);
  const { run, store, s3 } = made;
  await run('CreateBucket', { Bucket });
  const control = <O = Record<string, unknown>>(name: string, input: object = {}, overrides: Partial<BaseCall> = {}) =>
    runOperation<O>(store, s3.control, name, { AccountId, ...input }, overrides);
  const create = (Name: string, more: object = {}) =>
    control<Control.CreateAccessPointResult & { Alias: string }>('CreateAccessPoint', { Name, Bucket, ...more });
  return { ...made, control, create };
}

test('an access point is made, told, listed page by page and deleted, in the answers recorded on AWS', async (t) => {
  const { run, control, create } = await started(t);
  const made = await create('first');
  assert.equal(made.AccessPointArn, arnOf('first'));
  assert.match(made.Alias, /^first-[0-9a-z]{34}-s3alias$/);
  assert.ok((await create(`x${'y'.repeat(48)}z`)).Alias.length <= 63);
  const got = await control<Control.GetAccessPointResult>('GetAccessPoint', { Name: 'first' });
  assert.deepEqual(
    [got.Bucket, got.BucketAccountId, got.NetworkOrigin, got.Alias, got.Endpoints?.['fips_dualstack']],
    [Bucket, AccountId, 'Internet', made.Alias, 's3-accesspoint-fips.dualstack.us-east-1.amazonaws.com'],
  );
  assert.ok(Object.values(got.PublicAccessBlockConfiguration ?? {}).every((on) => on === true));
  await create('second', { VpcConfiguration: { VpcId: 'vpc-0123456789abcdef0' } });
  const names: string[] = [];
  let NextToken: string | undefined;
  do {
    const page = await control<Control.ListAccessPointsResult>('ListAccessPoints', {
      Bucket,
      MaxResults: 1,
      NextToken,
    });
    names.push(...(page.AccessPointList ?? []).map((point) => `${point.Name} ${point.NetworkOrigin}`));
    ({ NextToken } = page);
  } while (NextToken !== undefined);
  assert.deepEqual(names.slice(0, 2), ['first Internet', 'second VPC']);
  assert.equal(names.length, 3);
  for (const [input, code, message] of [
    [
      { Name: 'first' },
      'AccessPointAlreadyOwnedByYou',
      /^Your previous request to create the named accesspoint succeeded/,
    ],
    [{ Name: 'xn-_test-alias' }, 'InvalidURI', "Couldn't parse the specified URI."],
    [{ Name: 'sa' }, 'InvalidURI', /./],
    ...['-hyphen-start', 'cannot-end-s3alias', 'cannot-have.dot'].map(
      (Name) => [{ Name }, 'InvalidRequest', 'Your Amazon S3 AccessPoint name is invalid'] as const,
    ),
    [
      { Name: 'third', Bucket: 'none' },
      'InvalidRequest',
      'Amazon S3 AccessPoint can only be created for existing bucket',
    ],
  ] as const)
    await assert.rejects(control('CreateAccessPoint', { Bucket, ...input }), awsError(code, message));
  await assert.rejects(run('DeleteBucket', { Bucket }), awsError('BucketHasAccessPointsAttached'));
  await control('DeleteAccessPoint', { Name: 'first' });
  const missing = awsError('NoSuchAccessPoint', 'The specified accesspoint does not exist');
  await assert.rejects(control('GetAccessPoint', { Name: 'first' }), missing);
  await assert.rejects(control('DeleteAccessPoint', { Name: 'first' }), missing);
  await assert.rejects(run('HeadObject', { Bucket: arnOf('first'), Key: 'k' }), missing);
});

test('objects are put, read, listed, copied and deleted by the ARN, the alias and the name of the host', async (t) => {
  const { run, create } = await started(t);
  const { Alias } = await create('door');
  for (const [Key, name] of [
    ['arn', arnOf('door')],
    ['alias', Alias],
    ['host', `door-${AccountId}`],
  ] as const) {
    await run('PutObject', { Bucket: name, Key, Body: body(Key) });
    const got = await run<Got>('GetObject', { Bucket: name, Key }, { operation: 'GetObject' });
    assert.equal((await bytesOf(got.Body)).toString(), Key);
  }
  const { Contents } = await run<ListObjectsV2Output>('ListObjectsV2', { Bucket: Alias });
  assert.deepEqual(
    Contents?.map((one) => one.Key),
    ['alias', 'arn', 'host'],
  );
  const copied = await run<CopyObjectOutput>('CopyObject', {
    Bucket: Alias,
    Key: 'copy',
    CopySource: encodeURIComponent(`${arnOf('door')}/object/arn`),
  });
  assert.ok(copied.CopyObjectResult?.ETag);
  await run('DeleteObject', { Bucket: arnOf('door'), Key: 'arn' });
  await assert.rejects(run('GetObject', { Bucket, Key: 'arn' }), awsError('NoSuchKey'));
  assert.equal((await run<HeadBucketOutput>('HeadBucket', { Bucket: Alias })).AccessPointAlias, true);
  for (const operation of ['GetBucketVersioning', 'DeleteBucket', 'PutBucketTagging'])
    await assert.rejects(run(operation, { Bucket: Alias }), awsError('MethodNotAllowed'));
  // A bucket of such a name is itself.
  await run('CreateBucket', { Bucket: `door-${AccountId}` });
  await assert.rejects(run('HeadObject', { Bucket: `door-${AccountId}`, Key: 'host' }), awsError('NoSuchKey'));
});

test('an access point of a VPC answers that VPC alone', async (t) => {
  const { run, create } = await started(t);
  const VpcId = 'vpc-0123456789abcdef0';
  const { Alias } = await create('inside', { VpcConfiguration: { VpcId } });
  await run('PutObject', { Bucket, Key: 'k', Body: body('x') });
  const head = (overrides: Partial<BaseCall>) => run('HeadObject', { Bucket: Alias, Key: 'k' }, overrides);
  await head({ path: throughEndpoint(VpcId) });
  await assert.rejects(head({}), awsError('AccessDenied', 'Access Denied'));
  await assert.rejects(head({ path: throughEndpoint('vpc-0fedcba9876543210') }), awsError('AccessDenied'));
  await run('HeadObject', { Bucket, Key: 'k' });
});

test('both the access point and the bucket must allow, and the bucket may leave it to its access points', async (t) => {
  const all = await started(t);
  const { run, control, create } = all;
  await create('door');
  await run('PutObject', { Bucket, Key: 'k', Body: body('x') });
  const onPoint = { Effect: 'Allow', Action: 's3:GetObject', Resource: `${arnOf('door')}/object/*` };
  const onBucket = { Effect: 'Allow', Action: 's3:GetObject', Resource: `arn:aws:s3:::${Bucket}/*` };
  const as = await withUsers(all, { both: [onPoint, onBucket], point: [onPoint], bucket: [onBucket], nobody: [] });
  const head = (who: string, path?: RequestPath) => as(who, 'HeadObject', { Bucket: arnOf('door'), Key: 'k' }, path);
  const refused = (who: string, resource: string) =>
    assert.rejects(
      head(who),
      awsError('AccessDenied', new RegExp(`on resource: "${resource}" because no identity-based`)),
    );
  await head('both');
  await refused('point', `arn:aws:s3:::${Bucket}/k`);
  await refused('bucket', `${arnOf('door')}/object/k`);

  // Delegation: whatever an access point of this account lets through.
  const delegated = {
    Effect: 'Allow',
    Principal: '*',
    Action: 's3:*',
    Resource: [`arn:aws:s3:::${Bucket}`, `arn:aws:s3:::${Bucket}/*`],
    Condition: { StringEquals: { 's3:DataAccessPointAccount': AccountId } },
  };
  await run('PutBucketPolicy', { Bucket, Policy: document(delegated) });
  await head('point');
  await refused('nobody', `${arnOf('door')}/object/k`);
  await assert.rejects(as('nobody', 'HeadObject', { Bucket, Key: 'k' }), awsError('AccessDenied'));
  const nobody = { AWS: `arn:aws:iam::${AccountId}:user/nobody` };
  const point = { ...onPoint, Principal: nobody };
  await control('PutAccessPointPolicy', { Name: 'door', Policy: document(point) });
  await head('nobody');
  await assert.rejects(as('nobody', 'HeadObject', { Bucket, Key: 'k' }), awsError('AccessDenied'));

  // A condition of the access point's own policy on the road.
  const onlyByEndpoint = {
    Effect: 'Deny',
    Principal: '*',
    Action: 's3:*',
    Resource: `${arnOf('door')}/object/*`,
    Condition: { StringNotEquals: { 'aws:SourceVpce': 'vpce-0a' } },
  };
  await control('PutAccessPointPolicy', { Name: 'door', Policy: document(point, onlyByEndpoint) });
  await assert.rejects(head('nobody'), awsError('AccessDenied', /with an explicit deny in a resource-based policy$/));
  await all.store.transact((tx) =>
    tx.put('vpc-endpoint', {
      id: 'vpce-0a',
      accountId: AccountId,
      region: 'us-east-1',
      policyDocument: document({ Effect: 'Allow', Principal: '*', Action: '*', Resource: '*' }),
    } as never),
  ).durable;
  await head('nobody', throughEndpoint('vpc-0123456789abcdef0'));
});

test('a policy speaks of its own access point, is kept, told and deleted; public ones are blocked', async (t) => {
  const { control, create } = await started(t);
  await create('door');
  await create('open', { PublicAccessBlockConfiguration: { BlockPublicPolicy: false } });
  const missing = awsError('NoSuchAccessPointPolicy', 'The specified accesspoint policy does not exist');
  await assert.rejects(control('GetAccessPointPolicy', { Name: 'door' }), missing);
  const statement = (name: string, more: object = {}) => ({
    Effect: 'Allow',
    Principal: { AWS: AccountId },
    Action: 's3:GetObject',
    Resource: `${arnOf(name)}/object/*`,
    ...more,
  });
  const put = (Name: string, Policy: string) => control('PutAccessPointPolicy', { Name, Policy });
  await assert.rejects(put('door', document(statement('other'))), awsError('MalformedPolicy', /invalid resource/i));
  const everybody = { Principal: '*' };
  await assert.rejects(
    put('door', document(statement('door', everybody))),
    awsError('AccessDenied', /BlockPublicPolicy/),
  );
  const Policy = document(statement('door'));
  await put('door', Policy);
  assert.equal(
    (await control<Control.GetAccessPointPolicyResult>('GetAccessPointPolicy', { Name: 'door' })).Policy,
    Policy,
  );
  await put('open', document(statement('open', everybody)));
  const isPublic = async (Name: string) =>
    (await control<Control.GetAccessPointPolicyStatusResult>('GetAccessPointPolicyStatus', { Name })).PolicyStatus
      ?.IsPublic;
  assert.deepEqual([await isPublic('door'), await isPublic('open')], [false, true]);
  await control('DeleteAccessPointPolicy', { Name: 'door' });
  await assert.rejects(control('GetAccessPointPolicy', { Name: 'door' }), missing);
  // The account's block holds for its access points too.
  const PublicAccessBlockConfiguration = { BlockPublicPolicy: true };
  await control('PutPublicAccessBlock', { PublicAccessBlockConfiguration });
  await assert.rejects(
    put('open', document(statement('open', everybody))),
    awsError('AccessDenied', /BlockPublicPolicy/),
  );
});

test("[T7] an account's block of public access holds for its buckets", async (t) => {
  const all = await started(t);
  const { control, run } = all;
  const missing = awsError(
    'NoSuchPublicAccessBlockConfiguration',
    'The public access block configuration was not found',
  );
  await assert.rejects(control('GetPublicAccessBlock'), missing);
  await assert.rejects(
    control('PutPublicAccessBlock', { PublicAccessBlockConfiguration: {} }),
    awsError('InvalidRequest', 'Must specify at least one configuration.'),
  );
  await run('DeletePublicAccessBlock', { Bucket });
  await run('PutObject', { Bucket, Key: 'k', Body: body('x') });
  const open = { Effect: 'Allow', Principal: '*', Action: 's3:GetObject', Resource: `arn:aws:s3:::${Bucket}/*` };
  await run('PutBucketPolicy', { Bucket, Policy: document(open) });
  const other = '210987654321';
  const as = await withUsers(all, { stranger: [{ Effect: 'Allow', Action: 's3:*', Resource: '*' }] }, other);
  await as('stranger', 'HeadObject', { Bucket, Key: 'k' });
  const block = (PublicAccessBlockConfiguration: object) =>
    control('PutPublicAccessBlock', { PublicAccessBlockConfiguration });
  await block({ RestrictPublicBuckets: true });
  await assert.rejects(as('stranger', 'HeadObject', { Bucket, Key: 'k' }), awsError('AccessDenied'));
  await block({ BlockPublicPolicy: true });
  await as('stranger', 'HeadObject', { Bucket, Key: 'k' });
  await assert.rejects(
    run('PutBucketPolicy', { Bucket, Policy: document(open) }),
    awsError('AccessDenied', /BlockPublicPolicy/),
  );
  await run('DeleteBucketPolicy', { Bucket });
  await run('PutBucketOwnershipControls', {
    Bucket,
    OwnershipControls: { Rules: [{ ObjectOwnership: 'BucketOwnerPreferred' }] },
  });
  const publicAcl = { Bucket, Key: 'k', ACL: 'public-read' };
  await run('PutObjectAcl', publicAcl);
  await as('stranger', 'HeadObject', { Bucket, Key: 'k' });
  await block({ IgnorePublicAcls: true });
  await assert.rejects(as('stranger', 'HeadObject', { Bucket, Key: 'k' }), awsError('AccessDenied'));
  await block({ BlockPublicAcls: true });
  await assert.rejects(run('PutObjectAcl', publicAcl), awsError('AccessDenied'));
  const got = await control<Control.GetPublicAccessBlockOutput>('GetPublicAccessBlock');
  assert.deepEqual(got.PublicAccessBlockConfiguration, {
    BlockPublicAcls: true,
    IgnorePublicAcls: false,
    BlockPublicPolicy: false,
    RestrictPublicBuckets: false,
  });
  await control('DeletePublicAccessBlock');
  await run('PutObjectAcl', publicAcl);
  // The account of a call is the caller's own.
  await assert.rejects(
    runAs(all.store, 'AKIAstranger', all.s3.control, 'GetPublicAccessBlock', { AccountId }),
    awsError('AccessDenied'),
  );
});

test('tags of buckets and access points are added and removed by ARN, in the words recorded on AWS', async (t) => {
  const { run, control, create } = await started(t);
  await create('door');
  for (const ResourceArn of [`arn:aws:s3:::${Bucket}`, arnOf('door')]) {
    const tag = (...Tags: object[]) => control('TagResource', { ResourceArn, Tags });
    const list = async () =>
      (await control<Control.ListTagsForResourceResult>('ListTagsForResource', { ResourceArn })).Tags;
    assert.deepEqual(await list(), []);
    await tag({ Key: 'key1', Value: 'value1' }, { Key: 'key2', Value: 'value2' });
    await tag({ Key: 'key2', Value: 'other' });
    await control('UntagResource', { ResourceArn, TagKeys: ['key1', 'none'] });
    assert.deepEqual(await list(), [{ Key: 'key2', Value: 'other' }]);
    await assert.rejects(tag({ Key: 'key1', Value: undefined }), awsError('MalformedXML'));
    await assert.rejects(
      tag({ Key: 'aws:test', Value: 'v' }),
      awsError('InvalidTag', /^User-defined tag keys can't start with "aws:"/),
    );
    const twice = { Key: 'k', Value: 'v' };
    await assert.rejects(tag(twice, twice), awsError('InvalidTag', /^There are duplicate tag keys/));
    await assert.rejects(
      tag({ Key: 'test', Value: 'value1,value2' }),
      awsError('InvalidTag', /^This request contains a tag key or value/),
    );
  }
  const nothing = { ResourceArn: 'arn:aws:s3:::none', Tags: [{ Key: 'k', Value: 'v' }] };
  await assert.rejects(
    control('TagResource', nothing),
    awsError('NoSuchResource', "The specified resource doesn't exist."),
  );
  // What a bucket is made with.
  const made = (Bucket: string, Tags: object[]) => run('CreateBucket', { Bucket, CreateBucketConfiguration: { Tags } });
  await assert.rejects(
    made('tagged', [{ Key: 'aws:x', Value: 'v' }]),
    awsError('InvalidTag', /reserved for system tags/),
  );
  await made('tagged', [{ Key: 'a', Value: '1' }]);
  await run('CreateBucket', { Bucket: 'tagged' });
  await assert.rejects(made('tagged', [{ Key: 'a', Value: '2' }]), awsError('BucketAlreadyOwnedByYou'));
  await assert.rejects(
    run('CreateBucket', { Bucket: 'owned', ObjectOwnership: 'RandomValue' }),
    awsError('InvalidArgument', 'Invalid x-amz-object-ownership header: RandomValue'),
  );
});

test('an access point is tagged as it is made, has no scope, and is of a bucket alone', async (t) => {
  const { create, control } = await started(t);
  await create('tagged', { Tags: [{ Key: 'team', Value: 'net' }] });
  const listed = await control('ListTagsForResource', { ResourceArn: arnOf('tagged') });
  assert.deepEqual(listed, { Tags: [{ Key: 'team', Value: 'net' }] });
  await assert.rejects(create('scoped', { Scope: { Prefixes: ['a/'] } }), awsError('InvalidRequest', /scope/));
  const named = async (input: object) =>
    (await control<Control.ListAccessPointsResult>('ListAccessPoints', input)).AccessPointList?.map(({ Name }) => Name);
  assert.deepEqual(await named({ DataSourceType: 'ALL' }), ['tagged']);
  assert.deepEqual(await named({ DataSourceType: 'FSX' }), []);
});
