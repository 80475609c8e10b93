// Buckets with MFA delete: versions go for good only with a code, which works once.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { GetBucketVersioningOutput, PutObjectOutput } from '@aws-sdk/client-s3';
import { stepAt, totp } from '../../mfa.ts';
import { awsError, testAccountId, testNow } from '../../testing.ts';
import { body, makeS3 } from './testing.ts';

const Bucket = 'notes';
const seedHex = '3132333435363738393031323334353637383930';
const serial = `arn:aws:iam::${testAccountId}:mfa/ana`;
const principal = {
  type: 'user',
  accountId: testAccountId,
  arn: `arn:aws:iam::${testAccountId}:user/ana`,
  userId: 'AIDAANA',
  userName: 'ana',
} as const;

test('versioning is changed and versions are deleted only with a code that was not used before', async (t) => {
  const { run, store } = makeS3(t);
  await run('CreateBucket', { Bucket });
  await store.transact((tx) =>
    tx.put('mfa-device', {
      id: serial,
      accountId: testAccountId,
      region: 'global',
      path: '/',
      seedHex,
      createDate: testNow.toISOString(),
      assigned: { userId: principal.userId, date: testNow.toISOString(), usedSteps: [], driftSteps: 0 },
      tags: {},
    }),
  ).durable;
  let minutes = 0;
  /** Each a minute after the one before, so that codes are new. */
  const as = <O>(name: string, input: object, mfa: 'right' | 'none' | 'wrong' | 'used' = 'right') => {
    if (mfa !== 'used') minutes += 1;
    const now = new Date(testNow.getTime() + minutes * 60_000);
    const code = mfa === 'wrong' ? '000000' : totp(seedHex, stepAt(now));
    const MFA = mfa === 'none' ? {} : { MFA: `${serial} ${code}` };
    return run<O>(name, { Bucket, ...input, ...MFA }, { now, principal });
  };
  const versioning = (more: object) => ({ VersioningConfiguration: { Status: 'Enabled', ...more } });
  const needed = awsError('AccessDenied', 'Mfa Authentication must be used for this request');
  await assert.rejects(as('PutBucketVersioning', versioning({ MFADelete: 'Enabled' }), 'none'), needed);
  await assert.rejects(
    as('PutBucketVersioning', versioning({ MFADelete: 'Enabled' }), 'wrong'),
    awsError('AccessDenied'),
  );
  await assert.rejects(as('PutBucketVersioning', versioning({ MFADelete: 'Perhaps' })), awsError('MalformedXML'));
  await as('PutBucketVersioning', versioning({ MFADelete: 'Enabled' }));
  const told = await run<GetBucketVersioningOutput>('GetBucketVersioning', { Bucket });
  assert.deepEqual(told, { Status: 'Enabled', MFADelete: 'Enabled' });
  const Rules = [{ Status: 'Enabled', Filter: {}, Expiration: { Days: 1 } }];
  await assert.rejects(
    as('PutBucketLifecycleConfiguration', { LifecycleConfiguration: { Rules } }),
    awsError('InvalidBucketState'),
  );

  const put = async (Key: string) =>
    (await run<PutObjectOutput>('PutObject', { Bucket, Key, Body: body('x') })).VersionId;
  const [one, two, three] = [await put('k'), await put('k'), await put('k')];
  // A delete marker hides, and takes no code.
  await as('DeleteObject', { Key: 'k' }, 'none');
  await assert.rejects(as('DeleteObject', { Key: 'k', VersionId: one }, 'none'), needed);
  await as('DeleteObject', { Key: 'k', VersionId: one });
  await assert.rejects(as('DeleteObject', { Key: 'k', VersionId: two }, 'used'), awsError('AccessDenied'));
  const Objects = [two, three].map((VersionId) => ({ Key: 'k', VersionId }));
  await assert.rejects(as('DeleteObjects', { Delete: { Objects } }, 'none'), needed);
  const { Deleted } = await as<{ Deleted: object[] }>('DeleteObjects', { Delete: { Objects } });
  assert.equal(Deleted.length, 2);
  await assert.rejects(as('PutBucketVersioning', versioning({}), 'none'), needed);
  await as('PutBucketVersioning', versioning({ MFADelete: 'Disabled' }));
  assert.deepEqual(await run('GetBucketVersioning', { Bucket }), { Status: 'Enabled', MFADelete: 'Disabled' });
  // Another's device is nobody's.
  const stranger = { principal: { ...principal, userId: 'AIDABEN' } };
  const code = totp(seedHex, stepAt(testNow));
  await assert.rejects(
    run('PutBucketVersioning', { Bucket, ...versioning({ MFADelete: 'Enabled' }), MFA: `${serial} ${code}` }, stranger),
    awsError('AccessDenied'),
  );
});
