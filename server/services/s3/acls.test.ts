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
