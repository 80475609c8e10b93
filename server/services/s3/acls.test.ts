// Access control lists: what may be put, what is told, and what they permit, asked of the real policy engine.

import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import type { GetBucketAclOutput } from '@aws-sdk/client-s3';
import type { Principal } from '@postern/policy/types.ts';
import { createAuthorizer } from '../../authorize/authorize.ts';
import { anonymous } from '../../authorize/principal.ts';
import { managedPolicyDocument } from '../../managed-policies.ts';
import { awsError, makeBaseCall, rootPrincipal, testAccountId } from '../../testing.ts';
import { canonicalUserId } from './names.ts';
import { body, makeS3 } from './testing.ts';

const Bucket = 'notes';
const other = '210987654321';
const owner = canonicalUserId(testAccountId);
const allUsers = 'http://acs.amazonaws.com/groups/global/AllUsers';

async function withAcls(t: TestContext) {
  const s3 = makeS3(t);
  const { run, store } = s3;
  store.transact((tx) => {
    for (const id of [testAccountId, other])
      tx.put('account', { id, accountId: id, region: 'global', name: id, email: `${id}@example.com` } as never);
  });
  await run('CreateBucket', { Bucket, ObjectOwnership: 'BucketOwnerPreferred' });
  await run('DeletePublicAccessBlock', { Bucket });
  await run('PutObject', { Bucket, Key: 'k', Body: body('x') });
  const may = (principal: Principal, action: string, resource: string) =>
    store.read((tx) =>
      createAuthorizer({ managedPolicyDocument, serviceOf: () => s3.s3.service })
        .open(makeBaseCall({ service: 's3', principal, accountId: principal.accountId }), s3.s3.service, undefined)
        .allows(tx, action, `arn:aws:s3:::${resource}`),
    );
  return { ...s3, may };
}

test('what is no list is refused as on S3', async (t) => {
  const { run } = await withAcls(t);
  const fake = 'http://acs.amazonaws.com/groups/s3/FakeGroup';
  const both = { ACL: 'private', GrantRead: `uri="${allUsers}"` };
  const document = (Grantee: object, Permission = 'READ') => ({
    AccessControlPolicy: { Owner: { ID: owner }, Grants: [{ Grantee, Permission }] },
  });
  for (const [input, code, message] of [
    [{ ACL: 'fake-acl' }, 'InvalidArgument', ''],
    [{ GrantWrite: `uri="${fake}"` }, 'InvalidArgument', 'Invalid group uri'],
    [{ GrantWrite: 'fakekey="1234"' }, 'InvalidArgument', 'Argument format not recognized'],
    [{ GrantWrite: 'id="wrong-id"' }, 'InvalidArgument', 'Invalid id'],
    [{ AccessControlPolicy: {} }, 'MalformedACLError', undefined],
    [document({ Type: 'Group', URI: fake }), 'InvalidArgument', 'Invalid group uri'],
    [document({ Type: 'CanonicalUser', ID: 'wrong-id' }), 'InvalidArgument', 'Invalid id'],
    [document({ Type: 'CanonicalUser', ID: owner }, 'ALL'), 'MalformedACLError', undefined],
    [{}, 'MissingSecurityHeader', 'Your request was missing a required header'],
    [both, 'InvalidRequest', 'Specifying both Canned ACLs and Header Grants is not allowed'],
    [{ ACL: 'private', ...document({ Type: 'CanonicalUser', ID: owner }) }, 'UnexpectedContent', undefined],
  ] as const)
    for (const name of ['PutBucketAcl', 'PutObjectAcl'])
      await assert.rejects(run(name, { Bucket, Key: 'k', ...input }), awsError(code, message));
});

test('a list is told as it was put, and permits what it says', async (t) => {
  const { run, may } = await withAcls(t);
  assert.equal(may(anonymous, 's3:GetObject', `${Bucket}/k`), false);
  await run('PutObjectAcl', { Bucket, Key: 'k', ACL: 'public-read' });
  assert.equal(may(anonymous, 's3:GetObject', `${Bucket}/k`), true);
  assert.equal(may(anonymous, 's3:GetObjectAcl', `${Bucket}/k`), false);
  assert.equal(may(anonymous, 's3:GetObject', `${Bucket}/other`), false);
  await run('PutObjectAcl', { Bucket, Key: 'k', ACL: 'authenticated-read' });
  assert.equal(may(anonymous, 's3:GetObject', `${Bucket}/k`), false);
  assert.equal(may(rootPrincipal(other), 's3:GetObject', `${Bucket}/k`), true);
  assert.equal(may(rootPrincipal(other), 's3:ListBucket', Bucket), false);
  await run('PutBucketAcl', { Bucket, GrantRead: `id="${canonicalUserId(other)}"`, GrantFullControl: `id="${owner}"` });
  const acl = await run<GetBucketAclOutput>('GetBucketAcl', { Bucket });
  assert.deepEqual(
    acl.Grants?.map((one) => [one.Grantee?.ID, one.Permission]),
    [
      [owner, 'FULL_CONTROL'],
      [canonicalUserId(other), 'READ'],
    ],
  );
  assert.equal(may(rootPrincipal(other), 's3:ListBucket', Bucket), true);
  assert.equal(may(rootPrincipal(other), 's3:PutObject', `${Bucket}/new`), false);
  await run('PutBucketAcl', { Bucket, ACL: 'public-read-write' });
  assert.equal(may(anonymous, 's3:PutObject', `${Bucket}/new`), true);
  assert.equal(may(anonymous, 's3:PutBucketAcl', Bucket), false);
  // Who may list learns that a key is missing, and who may write gives a new object its list (recorded).
  assert.equal(may(anonymous, 's3:GetObject', `${Bucket}/new`), true);
  assert.equal(may(anonymous, 's3:PutObjectAcl', `${Bucket}/new`), true);
  // An explicit deny outranks a list.
  const Statement = [{ Effect: 'Deny', Principal: '*', Action: 's3:*', Resource: `arn:aws:s3:::${Bucket}/*` }];
  await run('PutBucketPolicy', { Bucket, Policy: JSON.stringify({ Version: '2012-10-17', Statement }) });
  assert.equal(may(anonymous, 's3:PutObject', `${Bucket}/new`), false);
  assert.equal(may(anonymous, 's3:ListBucket', Bucket), true);
});

test('block public access and ownership decide about lists', async (t) => {
  const { run, may } = await withAcls(t);
  await run('PutBucketAcl', { Bucket, ACL: 'public-read' });
  const block = (more: object) => run('PutPublicAccessBlock', { Bucket, PublicAccessBlockConfiguration: more });
  await block({ BlockPublicAcls: true });
  assert.equal(may(anonymous, 's3:ListBucket', Bucket), true);
  await assert.rejects(run('PutBucketAcl', { Bucket, ACL: 'public-read' }), awsError('AccessDenied'));
  await assert.rejects(
    run('PutObject', { Bucket, Key: 'p', Body: body('x'), ACL: 'public-read' }),
    awsError('AccessDenied'),
  );
  await block({ IgnorePublicAcls: true });
  assert.equal(may(anonymous, 's3:ListBucket', Bucket), false);
  await block({ RestrictPublicBuckets: true });
  assert.equal(may(anonymous, 's3:ListBucket', Bucket), true);
  const enforced = { Bucket, OwnershipControls: { Rules: [{ ObjectOwnership: 'BucketOwnerEnforced' }] } };
  await assert.rejects(run('PutBucketOwnershipControls', enforced), awsError('InvalidBucketAclWithObjectOwnership'));
  await run('PutBucketAcl', { Bucket, ACL: 'private' });
  await run('PutObjectAcl', { Bucket, Key: 'k', ACL: 'public-read' });
  await run('PutBucketOwnershipControls', enforced);
  assert.equal(may(anonymous, 's3:GetObject', `${Bucket}/k`), false);
  await assert.rejects(
    run('PutObjectAcl', { Bucket, Key: 'k', ACL: 'private' }),
    awsError('AccessControlListNotSupported'),
  );
  await run('PutObjectAcl', { Bucket, Key: 'k', ACL: 'bucket-owner-full-control' });
  await assert.rejects(
    run('CreateBucket', { Bucket: 'public', ObjectOwnership: 'ObjectWriter', ACL: 'public-read' }),
    awsError('InvalidBucketAclWithBlockPublicAccessError'),
  );
});

test('an object belongs to its writer where the bucket says so: the bucket’s owner needs a grant, and may deny and delete', async (t) => {
  const { run, may, store } = await withAcls(t);
  const OwnershipControls = (ObjectOwnership: string) => ({
    Bucket,
    OwnershipControls: { Rules: [{ ObjectOwnership }] },
  });
  await run('PutBucketOwnershipControls', OwnershipControls('ObjectWriter'));
  const writer = rootPrincipal(other);
  const put = (Key: string, more: object = {}) =>
    run('PutObject', { Bucket, Key, Body: body('x'), ...more }, { principal: writer, accountId: other });
  await put('theirs');
  await put('shared', { ACL: 'bucket-owner-full-control' });
  const owners = async (Key: string) => {
    const acl = await run<GetBucketAclOutput>('GetObjectAcl', { Bucket, Key });
    return [acl.Owner?.ID, ...(acl.Grants ?? []).map((grant) => grant.Grantee?.ID)];
  };
  assert.deepEqual(await owners('theirs'), [canonicalUserId(other), canonicalUserId(other)]);
  assert.deepEqual(await owners('shared'), [canonicalUserId(other), canonicalUserId(other), owner]);
  const root = rootPrincipal(testAccountId);
  const read = (who: Principal, key: string) => may(who, 's3:GetObject', `${Bucket}/${key}`);
  assert.deepEqual([read(writer, 'theirs'), read(root, 'theirs'), read(root, 'shared')], [true, false, true]);
  assert.equal(may(root, 's3:DeleteObject', `${Bucket}/theirs`), true);
  assert.equal(may(writer, 's3:DeleteObject', `${Bucket}/theirs`), false);
  // The bucket's policy permits nothing of what is not its owner's, and denies all the same.
  const statement = (Effect: string) => ({
    Effect,
    Principal: '*',
    Action: 's3:GetObject',
    Resource: `arn:aws:s3:::${Bucket}/*`,
  });
  const policy = (Effect: string) => JSON.stringify({ Version: '2012-10-17', Statement: [statement(Effect)] });
  await run('PutBucketPolicy', { Bucket, Policy: policy('Allow') });
  assert.deepEqual([read(anonymous, 'k'), read(anonymous, 'theirs')], [true, false]);
  await run('PutBucketPolicy', { Bucket, Policy: policy('Deny') });
  assert.equal(read(writer, 'theirs'), false);
  await run('DeleteBucketPolicy', { Bucket });

  // Another may grant what it owns, and not name another owner.
  const document = (id: string) => ({
    AccessControlPolicy: {
      Owner: { ID: id },
      Grants: [{ Grantee: { Type: 'CanonicalUser', ID: owner }, Permission: 'READ' }],
    },
  });
  await assert.rejects(run('PutObjectAcl', { Bucket, Key: 'theirs', ...document(owner) }), awsError('AccessDenied'));
  await run('PutObjectAcl', { Bucket, Key: 'theirs', ...document(canonicalUserId(other)) });
  assert.equal(read(root, 'theirs'), true);

  await run('PutBucketOwnershipControls', OwnershipControls('BucketOwnerPreferred'));
  await put('given', { ACL: 'bucket-owner-full-control' });
  await put('kept');
  const accountOf = (key: string) => store.read((tx) => tx.get('object', `${Bucket}/${key}`))?.accountId;
  assert.deepEqual([accountOf('given'), accountOf('kept')], [testAccountId, other]);
  // Enforced, everything is the bucket's owner's.
  await run('PutBucketOwnershipControls', OwnershipControls('BucketOwnerEnforced'));
  assert.deepEqual([read(root, 'kept'), read(writer, 'kept')], [true, false]);
  assert.equal((await owners('kept'))[0], owner);
});

test('CloudFront may be given its logs: its canonical user is known, and one that nobody has is not', async (t) => {
  const { run } = await withAcls(t);
  const id = 'c4c1ede66af53448b93c283ce9448c4ba468c9432aa01d700d3878632f77d2d0';
  await run('PutBucketAcl', { Bucket, GrantFullControl: `id=${id}` });
  const { Grants, Owner } = await run<GetBucketAclOutput>('GetBucketAcl', { Bucket });
  assert.deepEqual(Grants, [{ Grantee: { ID: id, Type: 'CanonicalUser' }, Permission: 'FULL_CONTROL' }]);
  await run('PutBucketAcl', { Bucket, AccessControlPolicy: { Owner, Grants } });
  await assert.rejects(
    run('PutBucketAcl', { Bucket, GrantFullControl: `id=${id.replace('c4', 'd4')}` }),
    awsError('InvalidArgument', 'Invalid id'),
  );
});

test('aws-exec-read is for a canonical user of AWS, whom nobody here is', async (t) => {
  const { run, may } = await withAcls(t);
  await run('PutObjectAcl', { Bucket, Key: 'k', ACL: 'aws-exec-read' });
  const { Grants } = await run<GetBucketAclOutput>('GetObjectAcl', { Bucket, Key: 'k' });
  assert.deepEqual(
    Grants?.map((grant) => grant.Permission),
    ['FULL_CONTROL', 'READ'],
  );
  assert.equal(may(rootPrincipal(other), 's3:GetObject', `${Bucket}/k`), false);
  assert.equal(may(anonymous, 's3:GetObject', `${Bucket}/k`), false);
});
