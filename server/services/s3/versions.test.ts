// Versions, delete markers and locks, as recorded on S3: enabled, suspended, the version `null`, and which version a key has after each deletion.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import type {
  CopyObjectOutput,
  CreateMultipartUploadOutput,
  DeleteObjectOutput,
  DeleteObjectsOutput,
  GetObjectOutput,
  GetObjectTaggingOutput,
  HeadObjectOutput,
  ListObjectsV2Output,
  ListObjectVersionsOutput,
  PutObjectOutput,
  UploadPartOutput,
} from '@aws-sdk/client-s3';
import { AwsError } from '../../errors.ts';
import type { StreamingBody } from '../../service.ts';
import { awsError, testNow } from '../../testing.ts';
import { isVersionId, newVersionId } from './names.ts';
import { body, bytesOf, makeS3 } from './testing.ts';

type Got = Omit<GetObjectOutput, 'Body'> & { Body: StreamingBody };
const Bucket = 'notes';
const Key = 'k';

async function withVersions(t: Parameters<typeof makeS3>[0], status?: 'Enabled' | 'Suspended') {
  const s3 = makeS3(t);
  const { run } = s3;
  await run('CreateBucket', { Bucket });
  const setStatus = (Status: string) => run('PutBucketVersioning', { Bucket, VersioningConfiguration: { Status } });
  if (status) await setStatus(status);
  const put = (text: string, key = Key) => run<PutObjectOutput>('PutObject', { Bucket, Key: key, Body: body(text) });
  const text = async (VersionId?: string, key = Key) =>
    (
      await bytesOf((await run<Got>('GetObject', { Bucket, Key: key, ...(VersionId && { VersionId }) })).Body)
    ).toString();
  const remove = (more: object = {}) => run<DeleteObjectOutput>('DeleteObject', { Bucket, Key, ...more });
  /** `version+` or `marker`, the latest with an exclamation mark, as ListObjectVersions tells them. */
  const listed = async () => {
    const { Versions = [], DeleteMarkers = [] } = await run<ListObjectVersionsOutput>('ListObjectVersions', { Bucket });
    const name = (kind: string) => (one: { VersionId?: string | undefined; IsLatest?: boolean | undefined }) =>
      `${kind} ${one.VersionId}${one.IsLatest ? ' latest' : ''}`;
    return [...Versions.map(name('object')), ...DeleteMarkers.map(name('marker'))];
  };
  return { ...s3, setStatus, put, text, remove, listed };
}

const headersOf = async (promise: Promise<unknown>): Promise<Record<string, string>> => {
  try {
    await promise;
  } catch (error) {
    if (error instanceof AwsError) return { ...error.headers };
    throw error;
  }
  throw new Error('it succeeded');
};

test('every put of a versioned bucket is a version; a delete hides the key, and deleting the marker shows it again', async (t) => {
  const { put, text, remove, listed, run } = await withVersions(t, 'Enabled');
  const first = await put('one');
  const second = await put('two');
  assert.ok(first.VersionId && second.VersionId && isVersionId(first.VersionId));
  assert.deepEqual([await text(), await text(first.VersionId)], ['two', 'one']);
  const deleted = await remove();
  assert.equal(deleted.DeleteMarker, true);
  assert.deepEqual(await listed(), [
    `object ${second.VersionId}`,
    `object ${first.VersionId}`,
    `marker ${deleted.VersionId} latest`,
  ]);
  const marker = await headersOf(text());
  assert.deepEqual([marker['x-amz-delete-marker'], marker['x-amz-version-id']], ['true', deleted.VersionId]);
  await assert.rejects(text(), awsError('NoSuchKey'));
  await assert.rejects(text(deleted.VersionId), awsError('MethodNotAllowed'));
  assert.deepEqual(await text(second.VersionId), 'two');
  assert.deepEqual((await run<ListObjectsV2Output>('ListObjectsV2', { Bucket })).KeyCount, 0);
  assert.deepEqual(await remove({ VersionId: deleted.VersionId }), {
    VersionId: deleted.VersionId,
    DeleteMarker: true,
  });
  assert.equal(await text(), 'two');
  await remove({ VersionId: second.VersionId });
  assert.equal(await text(), 'one');
  await assert.rejects(text(second.VersionId), awsError('NoSuchVersion', 'The specified version does not exist.'));
  await remove({ VersionId: first.VersionId });
  assert.deepEqual(await listed(), []);
  await assert.rejects(text(), awsError('NoSuchKey'));
});

test('a delete of a key that never was makes a marker too, and an id that was never given is no version', async (t) => {
  const { text, remove, listed } = await withVersions(t, 'Enabled');
  const { VersionId } = await remove();
  assert.deepEqual(await listed(), [`marker ${VersionId} latest`]);
  const alien = 'HPniJFCxqTsMuIH9KX8K8wEjNUgmABCD';
  await assert.rejects(text(alien), awsError('InvalidArgument', 'Invalid version id specified'));
  await assert.rejects(remove({ VersionId: alien }), awsError('InvalidArgument', 'Invalid version id specified'));
  assert.deepEqual(await remove({ VersionId: newVersionId() }).then((answer) => answer.DeleteMarker), undefined);
});

test('MFA delete is told once it was said, off too', async (t) => {
  const { run } = makeS3(t);
  await run('CreateBucket', { Bucket });
  const put = (MFADelete?: string) =>
    run('PutBucketVersioning', { Bucket, VersioningConfiguration: { Status: 'Enabled', MFADelete } });
  const told = () => run('GetBucketVersioning', { Bucket });
  assert.deepEqual(await told(), {});
  await put();
  assert.deepEqual(await told(), { Status: 'Enabled' });
  await put('Disabled');
  assert.deepEqual(await told(), { Status: 'Enabled', MFADelete: 'Disabled' });
});

test('what was there before versioning is the version null, and suspended writes replace it alone', async (t) => {
  const { put, text, remove, listed, setStatus, bodies } = await withVersions(t).then((one) => ({
    ...one,
    bodies: () => one.store.bytesIds().length,
  }));
  assert.equal((await put('before')).VersionId, undefined);
  await setStatus('Enabled');
  const { VersionId: second = '' } = await put('second');
  assert.deepEqual(await listed(), [`object ${second} latest`, 'object null']);
  assert.equal(await text('null'), 'before');
  await setStatus('Suspended');
  assert.equal((await put('suspended')).VersionId, undefined);
  assert.deepEqual(await listed(), ['object null latest', `object ${second}`]);
  assert.equal(await text('null'), 'suspended');
  assert.deepEqual(await remove(), { DeleteMarker: true, VersionId: 'null' });
  assert.deepEqual(await listed(), [`object ${second}`, 'marker null latest']);
  assert.deepEqual(await remove(), { DeleteMarker: true, VersionId: 'null' });
  await put('again');
  assert.deepEqual(await listed(), ['object null latest', `object ${second}`]);
  await setStatus('Enabled');
  const { VersionId: third = '' } = await put('third');
  assert.deepEqual(await listed(), [`object ${third} latest`, 'object null', `object ${second}`]);
  await remove({ VersionId: third });
  assert.equal(await text(), 'again');
  assert.equal(bodies(), 2);
});

test('bodies of older versions outlive a sweep, and go with their version', async (t) => {
  const { s3, put, text, remove, files } = await withVersions(t, 'Enabled');
  const large = 'x'.repeat(100_000);
  const { VersionId } = await put(large);
  await put('small');
  assert.equal(await s3.sweep(), 0);
  assert.equal((await text(VersionId)).length, large.length);
  await remove({ VersionId });
  s3.endGrace();
  assert.deepEqual(files(), []);
});

test('listings of versions go on where they ended, also within a key, and keep prefixes together', async (t) => {
  const { put, remove, run } = await withVersions(t, 'Enabled');
  for (const key of ['a', 'b/1', 'b/2', 'c']) for (const text of ['1', '2', '3']) await put(text, key);
  await remove({ Key: 'a' });
  const all: string[] = [];
  let markers: { KeyMarker?: string; VersionIdMarker?: string } = {};
  for (let pages = 0; pages < 20; pages += 1) {
    const page = await run<ListObjectVersionsOutput>('ListObjectVersions', { Bucket, MaxKeys: 2, ...markers });
    for (const one of [...(page.Versions ?? []), ...(page.DeleteMarkers ?? [])])
      all.push(`${one.Key} ${one.VersionId}`);
    if (!page.IsTruncated) break;
    markers = {
      ...(page.NextKeyMarker !== undefined && { KeyMarker: page.NextKeyMarker }),
      ...(page.NextVersionIdMarker !== undefined && { VersionIdMarker: page.NextVersionIdMarker }),
    };
  }
  assert.equal(all.length, 13);
  assert.equal(new Set(all).size, 13);
  const rolled = await run<ListObjectVersionsOutput>('ListObjectVersions', { Bucket, Delimiter: '/' });
  assert.deepEqual(rolled.CommonPrefixes, [{ Prefix: 'b/' }]);
  assert.equal(rolled.Versions?.length, 6);
  await assert.rejects(
    run('ListObjectVersions', { Bucket, VersionIdMarker: newVersionId() }),
    awsError('InvalidArgument', 'A version-id marker cannot be specified without a key marker.'),
  );
});

test('a listing goes on after a version that was deleted meanwhile, so that a key with many versions can be emptied page by page', async (t) => {
  const { put, remove, run } = await withVersions(t, 'Enabled');
  for (let count = 0; count < 7; count += 1) await put('x', 'k');
  let markers = {};
  for (let gone = 0; gone < 7; ) {
    const page = await run<ListObjectVersionsOutput>('ListObjectVersions', { Bucket, MaxKeys: 3, ...markers });
    assert.ok(page.Versions, `${gone} of 7 are deleted`);
    for (const { Key, VersionId } of page.Versions) await remove({ Key, VersionId });
    gone += page.Versions.length;
    markers = { KeyMarker: page.NextKeyMarker, VersionIdMarker: page.NextVersionIdMarker };
  }
  assert.equal((await run<ListObjectVersionsOutput>('ListObjectVersions', { Bucket })).Versions, undefined);
});

test('tags, copies and heads are of the version that is named', async (t) => {
  const { put, text, remove, run } = await withVersions(t, 'Enabled');
  const { VersionId: first = '' } = await put('one');
  const { VersionId: second = '' } = await put('two');
  const tagging = { Bucket, Key, VersionId: first, Tagging: { TagSet: [{ Key: 'old', Value: '1' }] } };
  assert.deepEqual(await run('PutObjectTagging', tagging), { VersionId: first });
  assert.deepEqual(await run<GetObjectTaggingOutput>('GetObjectTagging', { Bucket, Key }), {
    TagSet: [],
    VersionId: second,
  });
  const old = await run<GetObjectTaggingOutput>('GetObjectTagging', { Bucket, Key, VersionId: first });
  assert.deepEqual(old.TagSet, [{ Key: 'old', Value: '1' }]);
  const copied = await run<CopyObjectOutput>('CopyObject', {
    Bucket,
    Key,
    CopySource: `${Bucket}/${Key}?versionId=${first}`,
  });
  assert.equal(copied.CopySourceVersionId, first);
  assert.equal(await text(), 'one');
  const head = await run<HeadObjectOutput>('HeadObject', { Bucket, Key, VersionId: second });
  assert.deepEqual([head.VersionId, head.ContentLength], [second, 3]);
  const { VersionId: marker } = await remove();
  for (const name of ['GetObjectTagging', 'DeleteObjectTagging'])
    for (const more of [{}, { VersionId: marker }])
      await assert.rejects(run(name, { Bucket, Key, ...more }), awsError('MethodNotAllowed'));
  await assert.rejects(
    run('CopyObject', { Bucket, Key: 'x', CopySource: `${Bucket}/${Key}?versionId=${marker}` }),
    awsError('InvalidRequest'),
  );
  await assert.rejects(run('DeleteBucket', { Bucket }), awsError('BucketNotEmpty', /You must delete all versions/));
});

test('DeleteObjects makes markers, removes versions, and tells which was which', async (t) => {
  const { put, run, listed } = await withVersions(t, 'Enabled');
  const { VersionId = '' } = await put('one');
  const first = await run<DeleteObjectsOutput>('DeleteObjects', { Bucket, Delete: { Objects: [{ Key }] } });
  const marker = first.Deleted?.[0]?.DeleteMarkerVersionId ?? '';
  assert.deepEqual(first.Deleted, [{ Key, DeleteMarker: true, DeleteMarkerVersionId: marker }]);
  const Objects = [
    { Key, VersionId: marker },
    { Key, VersionId },
  ];
  assert.deepEqual((await run<DeleteObjectsOutput>('DeleteObjects', { Bucket, Delete: { Objects } })).Deleted, [
    { Key, VersionId: marker, DeleteMarker: true, DeleteMarkerVersionId: marker },
    { Key, VersionId },
  ]);
  assert.deepEqual(await listed(), []);
});

test('conditions look at the current version, and a key that a marker hides has none', async (t) => {
  const { put, remove, run } = await withVersions(t, 'Enabled');
  const { ETag } = await put('one');
  const conditional = (more: object) => run('PutObject', { Bucket, Key, Body: body('x'), ...more });
  await assert.rejects(conditional({ IfNoneMatch: '*' }), awsError('PreconditionFailed'));
  await conditional({ IfMatch: ETag });
  await assert.rejects(conditional({ IfMatch: ETag }), awsError('PreconditionFailed'));
  await assert.rejects(remove({ IfMatch: ETag }), awsError('PreconditionFailed'));
  await remove({ IfMatch: '*' });
  await assert.rejects(conditional({ IfMatch: ETag }), awsError('NoSuchKey'));
  await conditional({ IfNoneMatch: '*' });
  for (const [more, header] of [
    [{ IfNoneMatch: '"abc"' }, /not implemented/],
    [{ IfMatch: '*' }, /not implemented/],
    [{ IfMatch: ETag, IfNoneMatch: '*' }, /not implemented/],
  ] as const)
    await assert.rejects(conditional(more), awsError('NotImplemented', header));
  await assert.rejects(remove({ IfMatchSize: 1 }), awsError('NotImplemented'));
});

test('a conditional completion notices that the key changed under the upload', async (t) => {
  const { put, remove, run } = await withVersions(t);
  const begin = async () => {
    const { UploadId } = await run<CreateMultipartUploadOutput>('CreateMultipartUpload', { Bucket, Key });
    const part = await run<UploadPartOutput>('UploadPart', { Bucket, Key, UploadId, PartNumber: 1, Body: body('p') });
    return (more: object) =>
      run('CompleteMultipartUpload', {
        Bucket,
        Key,
        UploadId,
        MultipartUpload: { Parts: [{ PartNumber: 1, ETag: part.ETag }] },
        ...more,
      });
  };
  await put('one');
  const afterDelete = await begin();
  await remove();
  await assert.rejects(afterDelete({ IfNoneMatch: '*' }), awsError('ConditionalRequestConflict'));
  await assert.rejects(afterDelete({ IfMatch: '"x"' }), awsError('NoSuchKey'));
  const duringPut = await begin();
  const { ETag } = await put('two');
  await assert.rejects(duringPut({ IfMatch: ETag }), awsError('ConditionalRequestConflict'));
  await assert.rejects(duringPut({ IfNoneMatch: '*' }), awsError('PreconditionFailed'));
  await duringPut({});
});

test('of 64 writers of one key one wins where it must not exist, all leave whole versions, and no body is left over', async (t) => {
  const { run, store, listed, text } = await withVersions(t, 'Enabled');
  const racing = (more: object) =>
    Promise.allSettled(
      Array.from({ length: 64 }, (_, index) =>
        run<PutObjectOutput>('PutObject', { Bucket, Key, Body: body(`writer ${index}`), ...more }),
      ),
    );
  const created = await racing({ IfNoneMatch: '*' });
  assert.equal(created.filter((one) => one.status === 'fulfilled').length, 1);
  assert.equal((await racing({})).filter((one) => one.status === 'fulfilled').length, 64);
  const versions = await listed();
  assert.equal(versions.length, 65);
  for (const one of versions.slice(0, 5)) assert.match(await text(one.split(' ')[1]), /^writer \d+$/);
  assert.equal(store.bytesIds().length, 65);
});

test('object lock keeps a version for its time: compliance from everyone, governance from those who may not bypass', async (t) => {
  const { run } = makeS3(t);
  await run('CreateBucket', { Bucket, ObjectLockEnabledForBucket: true });
  await assert.rejects(
    run('PutBucketVersioning', { Bucket, VersioningConfiguration: { Status: 'Suspended' } }),
    awsError('InvalidBucketState'),
  );
  const until = new Date(testNow.getTime() + 3_600_000);
  const put = (mode: string) =>
    run<PutObjectOutput>('PutObject', {
      Bucket,
      Key,
      Body: body('x'),
      ChecksumAlgorithm: 'CRC32',
      ObjectLockMode: mode,
      ObjectLockRetainUntilDate: until,
    });
  const denied = awsError('AccessDenied', 'Access Denied because object protected by object lock.');
  const governed = await put('GOVERNANCE');
  const remove = (VersionId: string | undefined, more: object = {}, overrides: object = {}) =>
    run('DeleteObject', { Bucket, Key, VersionId, ...more }, overrides);
  await assert.rejects(remove(governed.VersionId), denied);
  const mayNot = {
    require: () => {
      throw new AwsError('AccessDenied', 403, 'no');
    },
  };
  await assert.rejects(
    remove(governed.VersionId, { BypassGovernanceRetention: true }, mayNot),
    awsError('AccessDenied', 'no'),
  );
  // A longer time is free; another mode takes the bypass, though it is the stricter one.
  const retain = (Mode: string, seconds: number, more: object = {}) =>
    run('PutObjectRetention', {
      Bucket,
      Key,
      Retention: { Mode, RetainUntilDate: new Date(until.getTime() + seconds * 1000) },
      ...more,
    });
  await retain('GOVERNANCE', 1);
  await assert.rejects(retain('COMPLIANCE', 1), denied);
  await remove(governed.VersionId, { BypassGovernanceRetention: true });
  await put('GOVERNANCE');
  await retain('COMPLIANCE', 0, { BypassGovernanceRetention: true });
  const compliant = await put('COMPLIANCE');
  await assert.rejects(remove(compliant.VersionId, { BypassGovernanceRetention: true }), denied);
  await assert.rejects(
    run('PutObjectRetention', {
      Bucket,
      Key,
      Retention: { Mode: 'GOVERNANCE', RetainUntilDate: until },
      BypassGovernanceRetention: true,
    }),
    denied,
  );
  await run('PutObjectRetention', {
    Bucket,
    Key,
    Retention: { Mode: 'COMPLIANCE', RetainUntilDate: new Date(until.getTime() + 1000) },
  });
  // Told as recorded: in the time of S3's machines.
  await assert.rejects(
    run('PutObjectRetention', {
      Bucket,
      Key,
      Retention: { Mode: 'COMPLIANCE', RetainUntilDate: new Date('2020-01-01T00:00:00Z') },
    }),
    (error: AwsError) => error.fields['ArgumentValue'] === 'Tue Dec 31 16:00:00 PST 2019',
  );
  // A delete without a version hides the key; the version stays.
  await remove(undefined);
  await remove(compliant.VersionId, {}, { now: new Date(until.getTime() + 2000) });
});

test('legal hold, default retention and their refusals', async (t) => {
  const { run } = makeS3(t);
  await run('CreateBucket', { Bucket: 'plain' });
  await run('PutObject', { Bucket: 'plain', Key, Body: body('x') });
  const missing = awsError('InvalidRequest', 'Bucket is missing Object Lock Configuration');
  await assert.rejects(run('GetObjectRetention', { Bucket: 'plain', Key }), missing);
  await assert.rejects(run('PutObjectLegalHold', { Bucket: 'plain', Key, LegalHold: { Status: 'ON' } }), missing);
  await assert.rejects(
    run('PutObjectLockConfiguration', { Bucket: 'plain', ObjectLockConfiguration: { ObjectLockEnabled: 'Enabled' } }),
    awsError('InvalidBucketState', "Versioning must be 'Enabled' on the bucket to apply a Object Lock configuration"),
  );
  await assert.rejects(
    run('DeleteObject', { Bucket: 'plain', Key, BypassGovernanceRetention: true }),
    awsError('InvalidArgument', /only applicable to Object Lock enabled buckets/),
  );
  await run('CreateBucket', { Bucket, ObjectLockEnabledForBucket: true });
  for (const Rule of [{}, { DefaultRetention: {} }, { DefaultRetention: { Mode: 'GOVERNANCE', Days: 1, Years: 1 } }])
    await assert.rejects(
      run('PutObjectLockConfiguration', { Bucket, ObjectLockConfiguration: { ObjectLockEnabled: 'Enabled', Rule } }),
      awsError('MalformedXML'),
    );
  const Rule = { DefaultRetention: { Mode: 'GOVERNANCE', Days: 1 } };
  await run('PutObjectLockConfiguration', { Bucket, ObjectLockConfiguration: { ObjectLockEnabled: 'Enabled', Rule } });
  const put = await run<PutObjectOutput>('PutObject', { Bucket, Key, Body: body('x'), ChecksumAlgorithm: 'CRC32' });
  const head = await run<HeadObjectOutput>('HeadObject', { Bucket, Key });
  assert.equal(head.ObjectLockMode, 'GOVERNANCE');
  assert.equal(head.ObjectLockRetainUntilDate?.getTime(), testNow.getTime() + 86_400_000);
  await assert.rejects(run('GetObjectLegalHold', { Bucket, Key }), awsError('NoSuchObjectLockConfiguration'));
  await run('PutObjectLegalHold', { Bucket, Key, LegalHold: { Status: 'ON' } });
  const later = { now: new Date(testNow.getTime() + 2 * 86_400_000) };
  const remove = () => run('DeleteObject', { Bucket, Key, VersionId: put.VersionId }, later);
  await assert.rejects(remove(), awsError('AccessDenied', /object lock/));
  await run('PutObjectLegalHold', { Bucket, Key, LegalHold: { Status: 'OFF' } });
  await remove();
});

test('a copy tells the version null that it made, and no version null that it was made of', async (t) => {
  const { run, setStatus, put } = await withVersions(t, 'Enabled');
  const { VersionId: first } = await put('one', 'k');
  await setStatus('Suspended');
  const copy = () =>
    run<CopyObjectOutput>('CopyObject', { Bucket, Key: 'k', CopySource: `${Bucket}/k`, MetadataDirective: 'REPLACE' });
  const made = await copy();
  assert.deepEqual([made.VersionId, made.CopySourceVersionId], ['null', first]);
  const again = await copy();
  assert.deepEqual([again.VersionId, again.CopySourceVersionId], ['null', undefined]);
  // One that names a version need not change anything, even the current one.
  await run('CopyObject', { Bucket, Key: 'k', CopySource: `${Bucket}/k?versionId=null` });
});

test('of several deletions, one with an id that no version ever had says that there is none', async (t) => {
  const { run } = await withVersions(t, 'Enabled');
  const Objects = [{ Key: 'k', VersionId: 'HPniJFCxqTsMuIH9KX8K8wEjNUgmABCD' }];
  const { Errors } = await run<DeleteObjectsOutput>('DeleteObjects', { Bucket, Delete: { Objects } });
  assert.deepEqual(
    [Errors?.[0]?.Code, Errors?.[0]?.Message],
    ['NoSuchVersion', 'The specified version does not exist.'],
  );
});
