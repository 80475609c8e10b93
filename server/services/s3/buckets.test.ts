// Buckets, their policies and what guards them, listings in order and by pages.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import type {
  CreateBucketOutput,
  GetBucketEncryptionOutput,
  GetBucketLocationOutput,
  GetBucketPolicyOutput,
  GetBucketPolicyStatusOutput,
  GetPublicAccessBlockOutput,
  ListBucketsOutput,
  ListMultipartUploadsOutput,
  ListObjectsOutput,
  ListObjectsV2Output,
} from '@aws-sdk/client-s3';
import type { AuthorizationRequest, Decision } from '@postern/policy/types.ts';
import { AwsError } from '../../errors.ts';
import { awsError, makeBaseCall, makeCall, rootPrincipal, testAccountId } from '../../testing.ts';
import { accessDenied } from './errors.ts';
import { KeyIndex, SortedTexts, sortableKey } from './key-index.ts';
import { body, makeS3 } from './testing.ts';

const Bucket = 'notes';
const stranger = { principal: rootPrincipal('210987654321') };

test('a bucket is made, found, listed and deleted', async (t) => {
  const { run } = makeS3(t);
  const made = await run<CreateBucketOutput>('CreateBucket', { Bucket });
  assert.equal(made.Location, '/notes');
  await run('CreateBucket', { Bucket: 'also' });
  const listed = await run<ListBucketsOutput>('ListBuckets', {});
  assert.deepEqual(
    listed.Buckets?.map((one) => one.Name),
    ['also', 'notes'],
  );
  const first = await run<ListBucketsOutput>('ListBuckets', { MaxBuckets: 1 });
  const { ContinuationToken } = first;
  const second = await run<ListBucketsOutput>('ListBuckets', { MaxBuckets: 1, ContinuationToken });
  assert.deepEqual([second.Buckets?.[0]?.Name, second.ContinuationToken], ['notes', undefined]);
  assert.deepEqual((await run<ListBucketsOutput>('ListBuckets', {}, stranger)).Buckets, []);
  await run('PutObject', { Bucket, Key: 'k', Body: body('x') });
  await assert.rejects(run('DeleteBucket', { Bucket }), awsError('BucketNotEmpty'));
  await run('DeleteObject', { Bucket, Key: 'k' });
  await run('DeleteBucket', { Bucket });
  await assert.rejects(run('HeadBucket', { Bucket }), awsError('NoSuchBucket', 'The specified bucket does not exist'));
});

test('names follow the rules and are one space for all accounts', async (t) => {
  const { run } = makeS3(t);
  const bad = [
    'ab',
    'a'.repeat(64),
    'Upper',
    'a_b',
    '-ab',
    'ab-',
    'a..b',
    '10.0.0.1',
    'xn--abc',
    'abc-s3alias',
    '__proto__',
  ];
  for (const name of bad)
    await assert.rejects(run('CreateBucket', { Bucket: name }), awsError('InvalidBucketName'), name);
  for (const name of ['abc', 'a.b-c', '1.2.3.4.5']) await run('CreateBucket', { Bucket: name });
  await run('CreateBucket', { Bucket: 'abc' });
  await assert.rejects(run('CreateBucket', { Bucket: 'abc' }, stranger), awsError('BucketAlreadyExists'));
});

test('a location constraint agrees with the region of the request', async (t) => {
  const { run } = makeS3(t);
  const make = (LocationConstraint: string | undefined, region: string, name = Bucket) =>
    run(
      'CreateBucket',
      { Bucket: name, ...(LocationConstraint && { CreateBucketConfiguration: { LocationConstraint } }) },
      { region },
    );
  await assert.rejects(
    make(undefined, 'eu-west-1'),
    awsError(
      'IllegalLocationConstraintException',
      'The unspecified location constraint is incompatible for the region specific endpoint this request was sent to.',
    ),
  );
  await assert.rejects(
    make('eu-central-1', 'eu-west-1'),
    awsError('IllegalLocationConstraintException', /^The eu-central-1 /),
  );
  await assert.rejects(make('us-east-1', 'us-east-1'), awsError('InvalidLocationConstraint'));
  await make('eu-west-1', 'eu-west-1');
  await assert.rejects(make('eu-west-1', 'eu-west-1'), awsError('BucketAlreadyOwnedByYou'));
  const location = await run<GetBucketLocationOutput>('GetBucketLocation', { Bucket });
  assert.equal(location.LocationConstraint, 'eu-west-1');
  const elsewhere = await run('ListObjectsV2', { Bucket }).catch((error: unknown) => error);
  assert.ok(elsewhere instanceof AwsError);
  assert.deepEqual(
    [elsewhere.code, elsewhere.status, elsewhere.headers],
    ['PermanentRedirect', 301, { 'x-amz-bucket-region': 'eu-west-1' }],
  );
  const byName = { host: 'notes.s3.amazonaws.com' };
  await assert.rejects(
    run('ListObjectsV2', { Bucket }, byName),
    awsError(
      'AuthorizationHeaderMalformed',
      "The authorization header is malformed; the region 'us-east-1' is wrong; expecting 'eu-west-1'",
    ),
  );
});

test('the expected owner must be the owner', async (t) => {
  const { run } = makeS3(t);
  await run('CreateBucket', { Bucket });
  await run('HeadBucket', { Bucket, ExpectedBucketOwner: '123456789012' });
  await assert.rejects(
    run('HeadBucket', { Bucket, ExpectedBucketOwner: '210987654321' }),
    awsError('AccessDenied', 'Access Denied'),
  );
  await assert.rejects(
    run('HeadBucket', { Bucket, ExpectedBucketOwner: 'me' }),
    awsError('InvalidBucketOwnerAWSAccountID'),
  );
});

const policy = (statement: object) => JSON.stringify({ Version: '2012-10-17', Statement: [statement] });
const everything = ['arn:aws:s3:::notes', 'arn:aws:s3:::notes/*'];
const denyUnlessEndpoint = policy({
  Effect: 'Deny',
  Principal: '*',
  Action: 's3:*',
  Resource: everything,
  Condition: { StringNotEquals: { 'aws:SourceVpce': 'vpce-0ab1' } },
});
const allowAll = policy({ Effect: 'Allow', Principal: '*', Action: 's3:GetObject', Resource: 'arn:aws:s3:::notes/*' });

test('[E10] a bucket policy is kept as written, told to the authorizer, and deleted', async (t) => {
  const { run, store, s3 } = makeS3(t);
  await run('CreateBucket', { Bucket });
  await assert.rejects(
    run('GetBucketPolicy', { Bucket }),
    awsError('NoSuchBucketPolicy', 'The bucket policy does not exist'),
  );
  await run('PutBucketPolicy', { Bucket, Policy: denyUnlessEndpoint });
  assert.equal((await run<GetBucketPolicyOutput>('GetBucketPolicy', { Bucket })).Policy, denyUnlessEndpoint);
  for (const resource of ['arn:aws:s3:::notes', 'arn:aws:s3:::notes/a/b']) {
    const found = store.read((tx) => s3.service.resourcePolicy?.(tx, resource));
    assert.deepEqual([found?.policyText, found?.ownerAccountId], [denyUnlessEndpoint, '123456789012']);
    assert.equal(
      store.read((tx) => s3.service.resourceOwner?.(tx, resource)),
      '123456789012',
    );
  }
  assert.equal(
    store.read((tx) => s3.service.resourcePolicy?.(tx, 'arn:aws:s3:::*')),
    undefined,
  );
  await run('DeleteBucketPolicy', { Bucket });
  await assert.rejects(run('GetBucketPolicy', { Bucket }), awsError('NoSuchBucketPolicy'));
});

test('[T1] the three policy operations, and no others, exempt the owner’s root', async (t) => {
  const { run, store, s3 } = makeS3(t);
  await run('CreateBucket', { Bucket });
  const exempt = Object.entries(s3.service.operations).filter(([, row]) => {
    if (typeof row.authorize !== 'function') return false;
    const { authorize } = row;
    const input = { Bucket, Key: 'k', CopySource: 'notes/k', UploadId: 'u', Tagging: undefined };
    return store.read((tx) => authorize(makeCall(tx), input)).some((one) => one.ownerRootExempt);
  });
  assert.deepEqual(exempt.map(([name]) => name).sort(), ['DeleteBucketPolicy', 'GetBucketPolicy', 'PutBucketPolicy']);
});

test('[T2] a caller of another account may not touch the policy even when it is permitted', async (t) => {
  const { run } = makeS3(t);
  await run('CreateBucket', { Bucket });
  await assert.rejects(run('GetBucketPolicy', { Bucket }, stranger), awsError('MethodNotAllowed'));
  await assert.rejects(
    run('PutBucketPolicy', { Bucket, Policy: denyUnlessEndpoint }, stranger),
    awsError('MethodNotAllowed'),
  );
});

test('[T4] a malformed policy is refused in S3’s words', async (t) => {
  const { run } = makeS3(t);
  await run('CreateBucket', { Bucket });
  const put = (Policy: string) => run('PutBucketPolicy', { Bucket, Policy });
  const base = { Effect: 'Deny', Principal: '*', Action: 's3:*', Resource: everything };
  await assert.rejects(put('{'), awsError('MalformedPolicy', /valid JSON/));
  await assert.rejects(
    put(policy({ ...base, Resource: 'arn:aws:s3:::others/*' })),
    awsError('MalformedPolicy', 'Policy has invalid resource'),
  );
  await assert.rejects(
    put(policy({ ...base, Resource: 'arn:aws:s3:::notesy/*' })),
    awsError('MalformedPolicy', 'Policy has invalid resource'),
  );
  await assert.rejects(
    put(policy({ ...base, Action: 's3:Fly' })),
    awsError('MalformedPolicy', 'Policy has invalid action'),
  );
  await assert.rejects(
    put(policy({ ...base, Action: 's3:ListBucket', Resource: 'arn:aws:s3:::notes/*' })),
    awsError('MalformedPolicy', 'Action does not apply to any resource(s) in statement'),
  );
  await assert.rejects(
    put(policy({ ...base, Action: 's3:GetObject', Resource: 'arn:aws:s3:::notes' })),
    awsError('MalformedPolicy', 'Action does not apply to any resource(s) in statement'),
  );
  await put(policy({ ...base, Action: ['s3:ListBucket', 's3:Get*'] }));
  const under = (Action: unknown, Condition: unknown) => put(policy({ ...base, Action, Condition }));
  const unfit = 'Conditions do not apply to combination of actions and resources in statement';
  const prefix = { StringLike: { 's3:prefix': 'public/*' } };
  await under(['s3:ListBucket', 's3:ListBucketVersions'], prefix);
  await under('s3:*', prefix);
  await under('s3:PutObject', { StringEquals: { 's3:x-amz-acl': 'bucket-owner-full-control' } });
  await under('s3:GetObject', { StringEquals: { 'S3:ExistingObjectTag/team': 'net', 'aws:PrincipalTag/team': 'net' } });
  await under('s3:GetObject', { StringEquals: { 's3:DataAccessPointAccount': '1', 's3:BucketTag/team': 'net' } });
  await under(['s3:GetObject', 's3:PutBucketPolicy'], { NumericLessThan: { 's3:TlsVersion': '1.2' } });
  await assert.rejects(under('s3:GetObject', prefix), awsError('MalformedPolicy', unfit));
  await assert.rejects(under(['s3:GetBucketLocation', 's3:ListBucket'], prefix), awsError('MalformedPolicy', unfit));
  await assert.rejects(
    under('s3:GetObjectRetention', { StringEquals: { 's3:ExistingObjectTag/team': 'net' } }),
    awsError('MalformedPolicy', unfit),
  );
  await assert.rejects(
    under('s3:PutObject', { StringEquals: { 's3:x-acl': 'private' } }),
    awsError('MalformedPolicy', 'Policy has an invalid condition key'),
  );
  await under('s3:GetObject', { NotIpAddress: { 'aws:SourceIp': ['10.0.0.0/8', '2001:db8::/32'] } });
  await assert.rejects(
    under('s3:GetObject', { NotIpAddress: { 'aws:SourceIp': 'home' } }),
    awsError('MalformedPolicy', 'Invalid IP address in Conditions'),
  );
  await put(policy({ ...base, Resource: 'arn:aws:s3:::notes*' }));
});

test('[T7] BlockPublicPolicy refuses a public policy, RestrictPublicBuckets keeps strangers out, a fixed endpoint is not public [T8]', async (t) => {
  const { run } = makeS3(t);
  await run('CreateBucket', { Bucket });
  await assert.rejects(
    run('PutBucketPolicy', { Bucket, Policy: allowAll }),
    awsError(
      'AccessDenied',
      /because public policies are blocked by the BlockPublicPolicy block public access setting\.$/,
    ),
  );
  const narrow = policy({
    Effect: 'Allow',
    Principal: '*',
    Action: 's3:GetObject',
    Resource: 'arn:aws:s3:::notes/*',
    Condition: { StringEquals: { 'aws:SourceVpce': 'vpce-0ab1' } },
  });
  await run('PutBucketPolicy', { Bucket, Policy: narrow });
  const isPublic = async () =>
    (await run<GetBucketPolicyStatusOutput>('GetBucketPolicyStatus', { Bucket })).PolicyStatus?.IsPublic;
  assert.equal(await isPublic(), false);
  await run('PutPublicAccessBlock', { Bucket, PublicAccessBlockConfiguration: { RestrictPublicBuckets: true } });
  await run('PutBucketPolicy', { Bucket, Policy: allowAll });
  assert.equal(await isPublic(), true);
  await assert.rejects(run('HeadBucket', { Bucket }, stranger), awsError('AccessDenied', 'Access Denied'));
  await run('HeadBucket', { Bucket });
  const block = await run<GetPublicAccessBlockOutput>('GetPublicAccessBlock', { Bucket });
  assert.deepEqual(block.PublicAccessBlockConfiguration, {
    BlockPublicAcls: false,
    IgnorePublicAcls: false,
    BlockPublicPolicy: false,
    RestrictPublicBuckets: true,
  });
  await run('DeletePublicAccessBlock', { Bucket });
  await run('HeadBucket', { Bucket }, stranger);
  await assert.rejects(run('GetPublicAccessBlock', { Bucket }), awsError('NoSuchPublicAccessBlockConfiguration'));
});

test('[F2] a denial is explained to the owner’s account and bare for strangers', () => {
  const request: AuthorizationRequest = {
    principal: { type: 'user', accountId: '123456789012', arn: 'arn:aws:iam::123456789012:user/ana', userId: 'AIDAX' },
    action: 's3:ListBucket',
    resource: 'arn:aws:s3:::notes',
    resourceAccountId: '123456789012',
    context: new Map(),
  };
  const decision: Decision = {
    allowed: false,
    layer: 'resource',
    explicit: true,
    citations: [],
    layers: [],
    reason: 'with an explicit deny in a resource-based policy',
  };
  const call = makeBaseCall({ principal: request.principal });
  assert.equal(
    accessDenied(call, request, decision).message,
    'User: arn:aws:iam::123456789012:user/ana is not authorized to perform: s3:ListBucket on resource: "arn:aws:s3:::notes" with an explicit deny in a resource-based policy',
  );
  assert.equal(
    accessDenied(makeBaseCall(stranger), { ...request, principal: stranger.principal }, decision).message,
    'Access Denied',
  );
  const all = { ...request, action: 's3:ListAllMyBuckets', resource: 'arn:aws:s3:::*' };
  assert.match(accessDenied(call, all, decision).message, /to perform: s3:ListAllMyBuckets with an explicit deny/);
});

test('a listing asks for s3:ListBucket on the bucket with prefix, delimiter and size', async (t) => {
  const { run, store, s3 } = makeS3(t);
  await run('CreateBucket', { Bucket });
  const { authorize } = s3.service.operations.ListObjectsV2 ?? {};
  assert.ok(typeof authorize === 'function');
  const [asked] = store.read((tx) =>
    authorize(makeCall(tx, { partition: 'aws-cn' }), { Bucket, Prefix: 'a/', Delimiter: '/', MaxKeys: 5 }),
  );
  assert.equal(asked?.action, 's3:ListBucket');
  assert.equal(asked?.resource, 'arn:aws-cn:s3:::notes');
  assert.deepEqual(
    [asked?.context?.['s3:prefix'], asked?.context?.['s3:delimiter'], asked?.context?.['s3:max-keys']],
    [['a/'], ['/'], ['5']],
  );
});

test('keys are listed in the order of their UTF-8 bytes', async (t) => {
  const { run } = makeS3(t);
  await run('CreateBucket', { Bucket });
  const keys = ['z', 'é', '\uffee', '😀', 'a', 'A', '\ud7ff', '\ue000', 'a/b', 'a-'];
  for (const Key of keys) await run('PutObject', { Bucket, Key, Body: body('') });
  const listed = await run<ListObjectsV2Output>('ListObjectsV2', { Bucket });
  const expected = [...keys].sort((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)));
  assert.deepEqual(
    listed.Contents?.map((one) => one.Key),
    expected,
  );
});

async function allPages(
  run: ReturnType<typeof makeS3>['run'],
  input: object,
): Promise<{ keys: string[]; prefixes: string[]; pages: number }> {
  const keys: string[] = [];
  const prefixes: string[] = [];
  let ContinuationToken: string | undefined;
  let pages = 0;
  do {
    const page: ListObjectsV2Output = await run('ListObjectsV2', {
      Bucket,
      ...input,
      ...(ContinuationToken && { ContinuationToken }),
    });
    keys.push(...(page.Contents ?? []).map((one) => one.Key ?? ''));
    prefixes.push(...(page.CommonPrefixes ?? []).map((one) => one.Prefix ?? ''));
    assert.equal(page.KeyCount, (page.Contents?.length ?? 0) + (page.CommonPrefixes?.length ?? 0));
    ContinuationToken = page.NextContinuationToken;
    assert.equal(page.IsTruncated, ContinuationToken !== undefined);
    pages += 1;
  } while (ContinuationToken);
  return { keys, prefixes, pages };
}

test('prefix, delimiter and pages give each key and each common prefix once', async (t) => {
  const { run } = makeS3(t);
  await run('CreateBucket', { Bucket });
  for (const Key of ['a', 'b/1', 'b/2', 'b/c/3', 'd', 'e/4', 'e0', 'f'])
    await run('PutObject', { Bucket, Key, Body: body('') });
  for (const MaxKeys of [1, 2, 3, 1000]) {
    const top = await allPages(run, { Delimiter: '/', MaxKeys });
    assert.deepEqual(
      [top.keys, top.prefixes],
      [
        ['a', 'd', 'e0', 'f'],
        ['b/', 'e/'],
      ],
      `pages of ${MaxKeys}`,
    );
    const under = await allPages(run, { Prefix: 'b/', Delimiter: '/', MaxKeys });
    assert.deepEqual([under.keys, under.prefixes], [['b/1', 'b/2'], ['b/c/']]);
    assert.equal((await allPages(run, { MaxKeys })).keys.length, 8);
  }
  assert.deepEqual((await allPages(run, { StartAfter: 'b/2' })).keys, ['b/c/3', 'd', 'e/4', 'e0', 'f']);
  // Recorded for Marker: what lies inside a common prefix leaves out the whole of it.
  assert.deepEqual((await allPages(run, { StartAfter: 'b/1', Delimiter: '/' })).prefixes, ['e/']);
  const inside = await run<ListObjectsOutput>('ListObjects', { Bucket, Delimiter: '/', Marker: 'b/1', MaxKeys: 1 });
  assert.deepEqual([inside.CommonPrefixes, inside.Contents?.[0]?.Key], [undefined, 'd']);
  await assert.rejects(
    run('ListObjectsV2', { Bucket, ContinuationToken: 'x' }),
    awsError('InvalidArgument', 'The continuation token provided is incorrect'),
  );
  const v1 = await run<ListObjectsOutput>('ListObjects', { Bucket, Delimiter: '/', MaxKeys: 2 });
  assert.deepEqual([v1.NextMarker, v1.IsTruncated], ['b/', true]);
  const next = await run<ListObjectsOutput>('ListObjects', { Bucket, Delimiter: '/', Marker: 'b/' });
  assert.deepEqual(
    next.Contents?.map((one) => one.Key),
    ['d', 'e0', 'f'],
  );
  const none = await run<ListObjectsV2Output>('ListObjectsV2', { Bucket, MaxKeys: 0 });
  assert.deepEqual([none.KeyCount, none.IsTruncated], [0, false]);
});

test('keys are url-encoded when asked', async (t) => {
  const { run } = makeS3(t);
  await run('CreateBucket', { Bucket });
  await run('PutObject', { Bucket, Key: 'a b/é+(*)~', Body: body('') });
  const listed = await run<ListObjectsV2Output>('ListObjectsV2', { Bucket, EncodingType: 'url' });
  assert.equal(listed.Contents?.[0]?.Key, 'a+b/%C3%A9%2B%28*%29%7E');
  await assert.rejects(run('ListObjectsV2', { Bucket, EncodingType: 'xml' }), awsError('InvalidArgument'));
});

test('uploads are listed by key and by page', async (t) => {
  const { run } = makeS3(t);
  await run('CreateBucket', { Bucket });
  for (const Key of ['b', 'a', 'a', 'c/1', 'c/2']) await run('CreateMultipartUpload', { Bucket, Key });
  const first = await run<ListMultipartUploadsOutput>('ListMultipartUploads', {
    Bucket,
    MaxUploads: 1,
    Delimiter: '/',
  });
  assert.deepEqual([first.Uploads?.map((one) => one.Key), first.IsTruncated], [['a'], true]);
  const { NextKeyMarker: KeyMarker, NextUploadIdMarker: UploadIdMarker } = first;
  const rest = await run<ListMultipartUploadsOutput>('ListMultipartUploads', {
    Bucket,
    Delimiter: '/',
    KeyMarker,
    UploadIdMarker,
  });
  assert.deepEqual([rest.Uploads?.map((one) => one.Key), rest.CommonPrefixes], [['a', 'b'], [{ Prefix: 'c/' }]]);
});

test('names of an account’s own namespace are asked for, and are of that account and region', async (t) => {
  const { run } = makeS3(t);
  const own = `mine-${testAccountId}-us-east-1-an`;
  const create = (name: string, BucketNamespace?: string) => run('CreateBucket', { Bucket: name, BucketNamespace });
  await create(own, 'account-regional');
  await create('plain', 'global');
  for (const [name, namespace, code] of [
    [`other-${testAccountId}-us-east-1-an`, undefined, 'MissingNamespaceHeader'],
    ['titan-an', undefined, 'MissingNamespaceHeader'],
    ['mine-999999999999-us-east-1-an', 'account-regional', 'InvalidBucketNamespace'],
    [`mine-${testAccountId}-eu-west-1-an`, 'account-regional', 'InvalidBucketNamespace'],
    ['mine', 'account-regional', 'InvalidBucketNamespace'],
    [`other-${testAccountId}-us-east-1-an`, 'global', 'InvalidBucketNamespace'],
    ['mine', 'regional', 'InvalidArgument'],
  ] as const)
    await assert.rejects(create(name, namespace), awsError(code), `${name} ${namespace}`);
});

test('a new bucket tells its true defaults, and refuses what it could not keep', async (t) => {
  const { run } = makeS3(t);
  await run('CreateBucket', { Bucket });
  assert.deepEqual(await run('GetBucketVersioning', { Bucket }), {});
  const encryption = await run<GetBucketEncryptionOutput>('GetBucketEncryption', { Bucket });
  assert.equal(
    encryption.ServerSideEncryptionConfiguration?.Rules?.[0]?.ApplyServerSideEncryptionByDefault?.SSEAlgorithm,
    'AES256',
  );
  await assert.rejects(run('GetBucketLifecycleConfiguration', { Bucket }), awsError('NoSuchLifecycleConfiguration'));
  await assert.rejects(run('GetBucketTagging', { Bucket }), awsError('NoSuchTagSet'));
  const withDevice = { Bucket, VersioningConfiguration: { Status: 'Enabled', MFADelete: 'Enabled' } };
  await assert.rejects(
    run('PutBucketVersioning', withDevice),
    awsError('AccessDenied', /^Mfa Authentication must be used/),
  );
  await assert.rejects(run('PutBucketAcl', { Bucket, ACL: 'public-read' }), awsError('AccessControlListNotSupported'));
  await run('PutBucketTagging', { Bucket, Tagging: { TagSet: [{ Key: 'a', Value: '1' }] } });
  assert.deepEqual(await run('GetBucketTagging', { Bucket }), { TagSet: [{ Key: 'a', Value: '1' }] });
  const reserved = { Bucket, Tagging: { TagSet: [{ Key: 'aws:x', Value: '1' }] } };
  await assert.rejects(run('PutBucketTagging', reserved), awsError('InvalidTag'));
});

test('the order of keys survives many changes, a restart of the index and a cleared store', async (t) => {
  const { store } = makeS3(t);
  const index = new KeyIndex(store);
  const texts = new SortedTexts();
  const kept = new Set<string>();
  let seed = 1;
  for (let step = 0; step < 5000; step += 1) {
    seed = (seed * 48271) % 2147483647;
    const text = sortableKey(`k${seed % 1500}`);
    if (seed % 3 === 0) {
      texts.remove(text);
      kept.delete(text);
    } else {
      texts.add(text);
      kept.add(text);
    }
  }
  const cursor = texts.from('');
  const read: string[] = [];
  for (let text = cursor.next(); text !== undefined; text = cursor.next()) read.push(text);
  assert.deepEqual(read, [...kept].sort());
  const row = (key: string) => ({ id: `b/${key}`, bucket: 'b', key, accountId: '1', region: 'r' }) as never;
  store.transact((tx) => tx.put('object', row('x')));
  assert.equal(index.of('b').from('').next(), 'x');
  store.transact((tx) => tx.put('object', row('w')));
  assert.equal(index.of('b').from('').next(), 'w');
  store.clear();
  assert.equal(index.of('b').isEmpty, true);
  store.transact((tx) => tx.put('object', row('y')));
  assert.equal(index.of('b').from('').next(), 'y');
});

test('the old name of the first region in Europe is told as it was given', async (t) => {
  const { run } = makeS3(t);
  const inEurope = { region: 'eu-west-1' };
  await run('CreateBucket', { Bucket: 'old', CreateBucketConfiguration: { LocationConstraint: 'EU' } }, inEurope);
  assert.deepEqual(await run('GetBucketLocation', { Bucket: 'old' }, inEurope), { LocationConstraint: 'EU' });
  await run(
    'CreateBucket',
    { Bucket: 'new', CreateBucketConfiguration: { LocationConstraint: 'eu-west-1' } },
    inEurope,
  );
  assert.deepEqual(await run('GetBucketLocation', { Bucket: 'new' }, inEurope), { LocationConstraint: 'eu-west-1' });
});

test('a region that AWS does not have is refused, though it looks like one', async (t) => {
  const { run } = makeS3(t);
  await assert.rejects(
    run('ListBuckets', { BucketRegion: 'eu-east-1' }),
    awsError('InvalidArgument', 'Argument value eu-east-1 is not a valid AWS Region'),
  );
});
