// Objects end to end below the protocol: put, get, ranges, conditions, delete, copy, multipart, and what is left on disk.

import assert from 'node:assert/strict';
import { createHash, randomBytes } from 'node:crypto';
import fs, { statSync, writeFileSync } from 'node:fs';
import { syncBuiltinESMExports } from 'node:module';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { test } from 'node:test';
import type {
  CompleteMultipartUploadOutput,
  CopyObjectOutput,
  CreateMultipartUploadOutput,
  DeleteObjectsOutput,
  GetObjectAttributesOutput,
  GetObjectOutput,
  HeadObjectOutput,
  ListPartsOutput,
  PutObjectOutput,
  UploadPartCopyOutput,
  UploadPartOutput,
} from '@aws-sdk/client-s3';
import { AwsError } from '../../errors.ts';
import type { StreamingBody } from '../../service.ts';
import { awsError } from '../../testing.ts';
import { body, bytesOf, makeS3 } from './testing.ts';

type Got = Omit<GetObjectOutput, 'Body'> & { Body: StreamingBody };
const Bucket = 'notes';
const md5 = (bytes: Uint8Array | string) => `"${createHash('md5').update(bytes).digest('hex')}"`;

async function withBucket(t: Parameters<typeof makeS3>[0]) {
  const s3 = makeS3(t);
  await s3.run('CreateBucket', { Bucket });
  /** Every body that is kept, in a file or, when small, in the database. */
  const bodies = () => [...s3.files(), ...s3.store.bytesIds()];
  return { ...s3, bodies };
}

test('a put object comes back with its bytes, its tag, its headers and its metadata', async (t) => {
  const { run } = await withBucket(t);
  const put = await run<PutObjectOutput>('PutObject', {
    Bucket,
    Key: 'a/b c.txt',
    Body: body('hello ', 'world'),
    ContentType: 'text/plain',
    CacheControl: 'no-store',
    ContentEncoding: 'aws-chunked,gzip',
    Metadata: { who: 'ana' },
  });
  assert.equal(put.ETag, md5('hello world'));
  const got = await run<Got>('GetObject', { Bucket, Key: 'a/b c.txt' });
  assert.equal((await bytesOf(got.Body)).toString(), 'hello world');
  assert.equal(got.ContentLength, 11);
  assert.equal(got.ContentType, 'text/plain');
  assert.equal(got.CacheControl, 'no-store');
  assert.equal(got.ContentEncoding, 'gzip');
  assert.deepEqual(got.Metadata, { who: 'ana' });
  assert.equal(got.ContentRange, undefined);
  const head = await run<HeadObjectOutput>('HeadObject', { Bucket, Key: 'a/b c.txt' });
  assert.equal(head.ETag, put.ETag);
});

test('a large body is streamed to one owner-only file and read back as a file', async (t) => {
  const { run, files } = await withBucket(t);
  const bytes = randomBytes(3_000_001);
  await run('PutObject', {
    Bucket,
    Key: 'big',
    Body: Readable.from([bytes.subarray(0, 1_500_000), bytes.subarray(1_500_000)]),
  });
  const [file, ...more] = files();
  assert.deepEqual(more, []);
  assert.equal(statSync(file ?? '').mode & 0o777, 0o600);
  assert.equal(statSync(join(file ?? '', '..')).mode & 0o777, 0o700);
  const got = await run<Got>('GetObject', { Bucket, Key: 'big' });
  assert.ok('file' in got.Body);
  assert.equal(got.ETag, md5(bytes));
  assert.deepEqual(await bytesOf(got.Body), bytes);
});

test('a small body is in the database alone, whole and in ranges, and a copy outlives it', async (t) => {
  const { run, files, store } = await withBucket(t);
  for (const sizeBytes of [0, 1, 16_384, 16_385]) {
    const bytes = randomBytes(sizeBytes);
    const Key = String(sizeBytes);
    await run('PutObject', { Bucket, Key, Body: body(bytes) });
    const got = await run<Got>('GetObject', { Bucket, Key });
    assert.deepEqual([got.ETag, got.ContentLength], [md5(bytes), sizeBytes]);
    assert.deepEqual(await bytesOf(got.Body), bytes);
    if (sizeBytes < 2) continue;
    const range = await run<Got>('GetObject', { Bucket, Key, Range: 'bytes=5-9' });
    assert.deepEqual(await bytesOf(range.Body), bytes.subarray(5, 10));
  }
  assert.deepEqual([files().length, store.bytesIds().length], [1, 3]);
  await run('CopyObject', { Bucket, Key: 'copy', CopySource: 'notes/16384' });
  await run('DeleteObject', { Bucket, Key: '16384' });
  assert.equal(store.bytesIds().length, 3);
  assert.equal((await bytesOf((await run<Got>('GetObject', { Bucket, Key: 'copy' })).Body)).length, 16_384);
});

test('keys never become paths', async (t) => {
  const { run, files, directory } = await withBucket(t);
  for (const Key of ['../../etc/passwd', '/absolute', '..', 'nul\u0001'])
    await run('PutObject', { Bucket, Key, Body: body('x') });
  for (const file of files()) assert.match(file.slice(directory.length), /^\/objects\/[0-9a-f]{2}\/[0-9a-f]{30}$/);
  assert.equal((await bytesOf((await run<Got>('GetObject', { Bucket, Key: '..' })).Body)).toString(), 'x');
});

test('a body that breaks off leaves nothing, and the object that was there stays', async (t) => {
  const { run, bodies } = await withBucket(t);
  await run('PutObject', { Bucket, Key: 'k', Body: body('first') });
  const broken = Readable.from(
    (async function* () {
      yield randomBytes(700_000);
      throw new AwsError('IncompleteBody', 400, 'cut');
    })(),
  );
  await assert.rejects(run('PutObject', { Bucket, Key: 'k', Body: broken }), awsError('IncompleteBody'));
  assert.equal(bodies().length, 1);
  assert.equal((await bytesOf((await run<Got>('GetObject', { Bucket, Key: 'k' })).Body)).toString(), 'first');
});

test('a full disk is told as such and leaves nothing; the object that was there stays', async (t) => {
  const { run, files } = await withBucket(t);
  const large = 'x'.repeat(700_000);
  await run('PutObject', { Bucket, Key: 'k', Body: body(large) });
  const kept = files();
  const real = fs.openSync;
  // The file is made; what is written goes to the device that is always full.
  const openSync = (path: string, flags: string, mode?: number) => {
    const file = real(path, flags, mode);
    if (flags !== 'wx') return file;
    fs.closeSync(file);
    return real('/dev/full', 'w');
  };
  const mocked = t.mock.method(fs, 'openSync', openSync as never);
  syncBuiltinESMExports();
  try {
    await assert.rejects(
      run('PutObject', { Bucket, Key: 'k', Body: body(large, large) }),
      awsError('ServiceUnavailable', /ENOSPC.*Free some space/),
    );
  } finally {
    mocked.mock.restore();
    syncBuiltinESMExports();
  }
  assert.deepEqual(files(), kept);
  assert.equal((await run<Got>('GetObject', { Bucket, Key: 'k' })).ContentLength, large.length);
});

test('of many completions at once each is answered, and one object is made', async (t) => {
  const { run } = await withBucket(t);
  await run('PutBucketVersioning', { Bucket, VersioningConfiguration: { Status: 'Enabled' } });
  const { UploadId } = await run<CreateMultipartUploadOutput>('CreateMultipartUpload', { Bucket, Key: 'k' });
  const { ETag } = await run<UploadPartOutput>('UploadPart', {
    Bucket,
    Key: 'k',
    UploadId,
    PartNumber: 1,
    Body: body('p'),
  });
  const Parts = [{ PartNumber: 1, ETag }];
  const all = await Promise.all(
    Array.from({ length: 16 }, () =>
      run<CompleteMultipartUploadOutput>('CompleteMultipartUpload', {
        Bucket,
        Key: 'k',
        UploadId,
        MultipartUpload: { Parts },
      }),
    ),
  );
  assert.equal(new Set(all.map((one) => one.VersionId)).size, 1);
  assert.match(all[0]?.ChecksumCRC64NVME ?? '', /^[\w+/]{11}=$/);
});

test('a wrong digest or length is refused and leaves nothing', async (t) => {
  const { run, bodies } = await withBucket(t);
  const md5Of = (text: string) => createHash('md5').update(text).digest('base64');
  const put = (more: object, headers = {}) =>
    run('PutObject', { Bucket, Key: 'k', Body: body('abc'), ...more }, { headers });
  await assert.rejects(put({ ContentMD5: md5Of('abd') }), awsError('BadDigest', /Content-MD5/));
  await assert.rejects(put({ ContentMD5: 'nonsense' }), awsError('InvalidDigest'));
  await assert.rejects(put({ ContentLength: 4 }), awsError('IncompleteBody'));
  await assert.rejects(
    put({ ChecksumCRC32: 'AAAAAA==' }),
    awsError('BadDigest', 'The CRC32 you specified did not match the calculated checksum.'),
  );
  await assert.rejects(
    put({ ChecksumCRC32: 'AAAA' }),
    awsError('InvalidRequest', 'Value for x-amz-checksum-crc32 header is invalid.'),
  );
  await assert.rejects(put({ ContentLength: 6 * 1024 ** 3 }), awsError('EntityTooLarge'));
  assert.deepEqual(bodies(), []);
});

test('a checksum is kept and told when asked for', async (t) => {
  const { run } = await withBucket(t);
  // CRC-32 of "123456789" is cbf43926, CRC-64/NVME ae8b14860a799888.
  const crc32 = Buffer.from('cbf43926', 'hex').toString('base64');
  await run('PutObject', { Bucket, Key: 'k', Body: body('123456789'), ChecksumCRC32: crc32 });
  await run('PutObject', { Bucket, Key: 'n', Body: body('123456789'), ChecksumAlgorithm: 'CRC64NVME' });
  const got = await run<Got>('GetObject', { Bucket, Key: 'k', ChecksumMode: 'ENABLED' });
  assert.equal(got.ChecksumCRC32, crc32);
  assert.equal(got.ChecksumType, 'FULL_OBJECT');
  assert.equal((await run<Got>('GetObject', { Bucket, Key: 'k' })).ChecksumCRC32, undefined);
  const head = await run<HeadObjectOutput>('HeadObject', { Bucket, Key: 'n', ChecksumMode: 'ENABLED' });
  assert.equal(head.ChecksumCRC64NVME, Buffer.from('ae8b14860a799888', 'hex').toString('base64'));
});

test('ranges give the bytes asked for, and 416 beyond the end', async (t) => {
  const { run } = await withBucket(t);
  await run('PutObject', { Bucket, Key: 'k', Body: body('0123456789') });
  const range = async (Range: string) => {
    const got = await run<Got>('GetObject', { Bucket, Key: 'k', Range });
    return [(await bytesOf(got.Body)).toString(), got.ContentRange];
  };
  assert.deepEqual(await range('bytes=2-4'), ['234', 'bytes 2-4/10']);
  assert.deepEqual(await range('bytes=7-'), ['789', 'bytes 7-9/10']);
  assert.deepEqual(await range('bytes=-3'), ['789', 'bytes 7-9/10']);
  assert.deepEqual(await range('bytes=5-99'), ['56789', 'bytes 5-9/10']);
  assert.deepEqual(await range('bytes=1-2,4-5'), ['0123456789', undefined]);
  await assert.rejects(range('bytes=10-'), awsError('InvalidRange'));
  await assert.rejects(range('bytes=-0'), awsError('InvalidRange'));
});

test('conditions on reads and writes', async (t) => {
  const { run } = await withBucket(t);
  await run('PutObject', { Bucket, Key: 'k', Body: body('v1'), IfNoneMatch: '*' });
  await assert.rejects(
    run('PutObject', { Bucket, Key: 'k', Body: body('v2'), IfNoneMatch: '*' }),
    awsError('PreconditionFailed'),
  );
  await assert.rejects(
    run('PutObject', { Bucket, Key: 'k', Body: body('v2'), IfMatch: '"no"' }),
    awsError('PreconditionFailed'),
  );
  await assert.rejects(
    run('PutObject', { Bucket, Key: 'other', Body: body('v2'), IfMatch: '"no"' }),
    awsError('NoSuchKey'),
  );
  await run('PutObject', { Bucket, Key: 'k', Body: body('v2'), IfMatch: md5('v1') });
  await assert.rejects(run('GetObject', { Bucket, Key: 'k', IfMatch: md5('v1') }), awsError('PreconditionFailed'));
  await assert.rejects(run('GetObject', { Bucket, Key: 'k', IfNoneMatch: md5('v2') }), awsError('NotModified'));
  const early = new Date('2026-11-21T07:00:00Z');
  const late = new Date('2026-11-21T09:00:00Z');
  const now = new Date('2026-11-21T08:00:00Z');
  await assert.rejects(run('GetObject', { Bucket, Key: 'k', IfModifiedSince: now }), awsError('NotModified'));
  // Recorded: a date in the future is none, on copies too.
  await run('GetObject', { Bucket, Key: 'k', IfModifiedSince: late });
  const copy = { Bucket, Key: 'copy', CopySource: `${Bucket}/k` };
  await run('CopyObject', { ...copy, CopySourceIfModifiedSince: late });
  await assert.rejects(run('CopyObject', { ...copy, CopySourceIfModifiedSince: now }), awsError('PreconditionFailed'));
  await assert.rejects(
    run('GetObject', { Bucket, Key: 'k', IfUnmodifiedSince: early }),
    awsError('PreconditionFailed'),
  );
  await run('GetObject', { Bucket, Key: 'k', IfModifiedSince: early, IfUnmodifiedSince: late });
  await run('GetObject', { Bucket, Key: 'k', IfMatch: md5('v2'), IfUnmodifiedSince: early });
});

test('[T5] a missing key is 404 for who may list the bucket and a denial for who may not', async (t) => {
  const { run } = await withBucket(t);
  await assert.rejects(
    run('GetObject', { Bucket, Key: 'none' }),
    awsError('NoSuchKey', 'The specified key does not exist.'),
  );
  const asked: string[] = [];
  const require = (_tx: unknown, action: string, resource: string) => {
    asked.push(`${action} ${resource}`);
    throw new AwsError('AccessDenied', 403, 'no');
  };
  await assert.rejects(run('HeadObject', { Bucket, Key: 'none' }, { require }), awsError('AccessDenied'));
  assert.deepEqual(asked, ['s3:ListBucket arn:aws:s3:::notes']);
  await assert.rejects(run('GetObject', { Bucket: 'no-bucket', Key: 'x' }), awsError('NoSuchBucket'));
});

test('deletes are idempotent, many at once report each key, and files go with their rows', async (t) => {
  const { run, files, s3 } = await withBucket(t);
  for (const Key of ['a', 'b', 'secret']) await run('PutObject', { Bucket, Key, Body: body(Key.repeat(20_000)) });
  await run('DeleteObject', { Bucket, Key: 'a' });
  await run('DeleteObject', { Bucket, Key: 'a' });
  const require = (_tx: unknown, _action: string, resource: string) => {
    if (resource.endsWith('secret')) throw new AwsError('AccessDenied', 403, 'Access Denied');
  };
  const many = await run<DeleteObjectsOutput>(
    'DeleteObjects',
    { Bucket, Delete: { Objects: [{ Key: 'b' }, { Key: 'secret' }, { Key: 'never' }] } },
    { require },
  );
  assert.deepEqual(
    many.Deleted?.map((one) => one.Key),
    ['b', 'never'],
  );
  assert.deepEqual(many.Errors, [{ Key: 'secret', Code: 'AccessDenied', Message: 'Access Denied' }]);
  assert.equal(files().length, 3);
  s3.endGrace();
  assert.equal(files().length, 1);
});

test('an overwritten file stays for those who were given its name, and goes later', async (t) => {
  const { run, bodies, s3 } = await withBucket(t);
  const old = randomBytes(100_000);
  await run('PutObject', { Bucket, Key: 'k', Body: body(old) });
  const got = await run<Got>('GetObject', { Bucket, Key: 'k' });
  await run('PutObject', { Bucket, Key: 'k', Body: body('new') });
  assert.deepEqual(await bytesOf(got.Body), old);
  s3.endGrace();
  assert.equal(bodies().length, 1);
});

test('the sweep removes files without a row and no others', async (t) => {
  const { run, files, s3, directory, store } = await withBucket(t);
  await run('PutObject', { Bucket, Key: 'k', Body: body('kept'.repeat(5_000)) });
  await run('PutObject', { Bucket, Key: 'small', Body: body('kept') });
  const shard = join(files()[0] ?? '', '..');
  writeFileSync(join(shard, 'f'.repeat(30)), 'orphan');
  store.putBytes('row:orphan', Buffer.from('orphan'));
  assert.equal(await s3.sweep(), 2);
  assert.equal(files().length, 1);
  assert.equal((await bytesOf((await run<Got>('GetObject', { Bucket, Key: 'small' })).Body)).toString(), 'kept');
  await store.clear();
  assert.deepEqual(store.bytesIds(), []);
  assert.equal(await s3.sweep(), 1);
  assert.deepEqual(files(), [], directory);
});

test('a copy keeps bytes, metadata and tags, or replaces them; onto itself it must change something', async (t) => {
  const { run } = await withBucket(t);
  await run('CreateBucket', { Bucket: 'other' });
  await run('PutObject', {
    Bucket,
    Key: 'a é',
    Body: body('text'),
    Metadata: { m: '1' },
    ContentType: 'text/x',
    Tagging: 'x=1',
  });
  const CopySource = '/notes/a%20%C3%A9';
  const copied = await run<CopyObjectOutput>('CopyObject', { Bucket: 'other', Key: 'c', CopySource });
  assert.equal(copied.CopyObjectResult?.ETag, md5('text'));
  const got = await run<Got>('GetObject', { Bucket: 'other', Key: 'c' });
  assert.deepEqual([got.Metadata, got.ContentType, got.TagCount], [{ m: '1' }, 'text/x', 1]);
  const replace = { MetadataDirective: 'REPLACE', TaggingDirective: 'REPLACE', Metadata: { m: '2' } };
  await run('CopyObject', { Bucket, Key: 'a é', CopySource, ...replace });
  const again = await run<Got>('GetObject', { Bucket, Key: 'a é' });
  assert.deepEqual([again.Metadata, again.ContentType, again.TagCount], [{ m: '2' }, 'binary/octet-stream', undefined]);
  assert.equal((await bytesOf(again.Body)).toString(), 'text');
  await assert.rejects(
    run('CopyObject', { Bucket, Key: 'a é', CopySource }),
    awsError('InvalidRequest', /^This copy request is illegal/),
  );
  await assert.rejects(
    run('CopyObject', { Bucket, Key: 'x', CopySource: 'notes' }),
    awsError('InvalidArgument', 'Invalid copy source object key'),
  );
  await assert.rejects(run('CopyObject', { Bucket, Key: 'x', CopySource: 'notes/none' }), awsError('NoSuchKey'));
  // The source is independent of its copy.
  await run('DeleteObject', { Bucket, Key: 'a é' });
  assert.equal((await bytesOf((await run<Got>('GetObject', { Bucket: 'other', Key: 'c' })).Body)).toString(), 'text');
});

const fiveMiB = 5 * 1024 ** 2;

test('a multipart upload becomes one object without copying, and may be completed twice', async (t) => {
  const { run, bodies, s3 } = await withBucket(t);
  const Key = 'big';
  const { UploadId } = await run<CreateMultipartUploadOutput>('CreateMultipartUpload', {
    Bucket,
    Key,
    Metadata: { m: '1' },
  });
  const bytes = [randomBytes(fiveMiB), randomBytes(fiveMiB + 1), randomBytes(10)];
  const Parts = [];
  for (const [index, part] of bytes.entries()) {
    const { ETag } = await run<UploadPartOutput>('UploadPart', {
      Bucket,
      Key,
      UploadId,
      PartNumber: index + 1,
      Body: body(part),
    });
    Parts.push({ PartNumber: index + 1, ETag });
  }
  // A part that is not named in the end.
  await run('UploadPart', { Bucket, Key, UploadId, PartNumber: 9, Body: body('unused') });
  const listed = await run<ListPartsOutput>('ListParts', { Bucket, Key, UploadId, MaxParts: 2 });
  assert.deepEqual([listed.Parts?.length, listed.IsTruncated, listed.NextPartNumberMarker], [2, true, '2']);
  const complete = { Bucket, Key, UploadId, MultipartUpload: { Parts } };
  const reversed = { ...complete, MultipartUpload: { Parts: [...Parts].reverse() } };
  await assert.rejects(run('CompleteMultipartUpload', reversed), awsError('InvalidPartOrder'));
  const wrong = { ...complete, MultipartUpload: { Parts: [{ PartNumber: 1, ETag: md5('x') }] } };
  await assert.rejects(run('CompleteMultipartUpload', wrong), awsError('InvalidPart'));
  await assert.rejects(
    run('CompleteMultipartUpload', { ...complete, MultipartUpload: { Parts: [] } }),
    awsError('InvalidRequest'),
  );
  const done = await run<CompleteMultipartUploadOutput>('CompleteMultipartUpload', complete);
  const sums = bytes.map((part) => createHash('md5').update(part).digest());
  assert.equal(done.ETag, `${md5(Buffer.concat(sums)).slice(0, -1)}-3"`);
  assert.deepEqual(await run('CompleteMultipartUpload', complete), done);
  const whole = Buffer.concat(bytes);
  const got = await run<Got>('GetObject', { Bucket, Key });
  assert.equal(got.ContentLength, whole.length);
  assert.ok((await bytesOf(got.Body)).equals(whole));
  const across = await run<Got>('GetObject', { Bucket, Key, Range: `bytes=${fiveMiB - 2}-${fiveMiB + 1}` });
  assert.deepEqual(await bytesOf(across.Body), whole.subarray(fiveMiB - 2, fiveMiB + 2));
  const second = await run<Got>('GetObject', { Bucket, Key, PartNumber: 2 });
  assert.deepEqual([second.PartsCount, second.ContentLength], [3, fiveMiB + 1]);
  assert.ok((await bytesOf(second.Body)).equals(bytes[1] ?? Buffer.alloc(0)));
  await assert.rejects(run('GetObject', { Bucket, Key, PartNumber: 4 }), awsError('InvalidPartNumber'));
  s3.endGrace();
  assert.equal(bodies().length, 3);
  // Its copy is one file with a plain tag.
  const copy = await run<CopyObjectOutput>('CopyObject', { Bucket, Key: 'copy', CopySource: 'notes/big' });
  assert.equal(copy.CopyObjectResult?.ETag, md5(whole));
});

test('a part that is too small, an aborted upload, an unknown upload', async (t) => {
  const { run, bodies, s3 } = await withBucket(t);
  const Key = 'k';
  const { UploadId } = await run<CreateMultipartUploadOutput>('CreateMultipartUpload', { Bucket, Key });
  const part = (PartNumber: number) =>
    run<UploadPartOutput>('UploadPart', { Bucket, Key, UploadId, PartNumber, Body: body('tiny') });
  const Parts = [
    { PartNumber: 1, ETag: (await part(1)).ETag },
    { PartNumber: 2, ETag: (await part(2)).ETag },
  ];
  await assert.rejects(
    run('CompleteMultipartUpload', { Bucket, Key, UploadId, MultipartUpload: { Parts } }),
    // Recorded: without the quotes that it has elsewhere.
    (error: AwsError) => error.code === 'EntityTooSmall' && `"${error.fields['ETag']}"` === Parts[0]?.ETag,
  );
  await assert.rejects(part(0), awsError('InvalidArgument'));
  await assert.rejects(part(10_001), awsError('InvalidArgument'));
  await run('AbortMultipartUpload', { Bucket, Key, UploadId });
  await assert.rejects(run('AbortMultipartUpload', { Bucket, Key, UploadId }), awsError('NoSuchUpload'));
  await assert.rejects(part(1), awsError('NoSuchUpload'));
  s3.endGrace();
  assert.deepEqual(bodies(), []);
});

test('the full checksum of a multipart object is joined from its parts; a composite one is of them', async (t) => {
  const { run } = await withBucket(t);
  const bytes = [randomBytes(fiveMiB), randomBytes(1234)];
  for (const ChecksumAlgorithm of ['CRC32', 'CRC32C', 'CRC64NVME'] as const) {
    const Key = ChecksumAlgorithm;
    const made = await run<CreateMultipartUploadOutput>('CreateMultipartUpload', {
      Bucket,
      Key,
      ChecksumAlgorithm,
      ChecksumType: 'FULL_OBJECT',
    });
    const Parts = [];
    for (const [index, part] of bytes.entries()) {
      const up = await run<UploadPartOutput>('UploadPart', {
        Bucket,
        Key,
        UploadId: made.UploadId,
        PartNumber: index + 1,
        Body: body(part),
      });
      Parts.push({ PartNumber: index + 1, ETag: up.ETag });
    }
    const done = await run<CompleteMultipartUploadOutput>('CompleteMultipartUpload', {
      Bucket,
      Key,
      UploadId: made.UploadId,
      MultipartUpload: { Parts },
    });
    const plain = await run<PutObjectOutput>('PutObject', {
      Bucket,
      Key: 'plain',
      Body: body(...bytes),
      ChecksumAlgorithm,
    });
    assert.equal(done[`Checksum${ChecksumAlgorithm}`], plain[`Checksum${ChecksumAlgorithm}`]);
    assert.equal(done.ChecksumType, 'FULL_OBJECT');
  }
  const Key = 'sha';
  const { UploadId } = await run<CreateMultipartUploadOutput>('CreateMultipartUpload', {
    Bucket,
    Key,
    ChecksumAlgorithm: 'SHA256',
  });
  const up = await run<UploadPartOutput>('UploadPart', { Bucket, Key, UploadId, PartNumber: 1, Body: body('abc') });
  const sha = createHash('sha256').update('abc').digest();
  assert.equal(up.ChecksumSHA256, sha.toString('base64'));
  const bare = { Bucket, Key, UploadId, MultipartUpload: { Parts: [{ PartNumber: 1, ETag: up.ETag }] } };
  await assert.rejects(run('CompleteMultipartUpload', bare), awsError('InvalidRequest', /It was missing for part 1/));
  const done = await run<CompleteMultipartUploadOutput>('CompleteMultipartUpload', {
    ...bare,
    MultipartUpload: { Parts: [{ PartNumber: 1, ETag: up.ETag, ChecksumSHA256: up.ChecksumSHA256 }] },
  });
  assert.equal(done.ChecksumSHA256, `${createHash('sha256').update(sha).digest('base64')}-1`);
  const attributes = await run<GetObjectAttributesOutput>('GetObjectAttributes', {
    Bucket,
    Key,
    ObjectAttributes: ['ObjectParts', 'Checksum', 'ObjectSize', 'ETag'],
  });
  assert.equal(attributes.ObjectParts?.TotalPartsCount, 1);
  assert.equal(attributes.ObjectParts?.Parts?.[0]?.ChecksumSHA256, up.ChecksumSHA256);
  assert.equal(attributes.ObjectSize, 3);
  const crc = { Bucket, Key, ChecksumAlgorithm: 'CRC64NVME', ChecksumType: 'COMPOSITE' };
  await assert.rejects(run('CreateMultipartUpload', crc), awsError('InvalidRequest'));
});

test('a part may be copied from a range of another object', async (t) => {
  const { run } = await withBucket(t);
  await run('PutObject', { Bucket, Key: 'src', Body: body('0123456789') });
  const { UploadId } = await run<CreateMultipartUploadOutput>('CreateMultipartUpload', { Bucket, Key: 'k' });
  const copy = { Bucket, Key: 'k', UploadId, PartNumber: 1, CopySource: 'notes/src', CopySourceRange: 'bytes=2-5' };
  const part = await run<UploadPartCopyOutput>('UploadPartCopy', copy);
  assert.equal(part.CopyPartResult?.ETag, md5('2345'));
  await assert.rejects(run('UploadPartCopy', { ...copy, CopySourceRange: 'bytes=2-10' }), awsError('InvalidArgument'));
  await assert.rejects(
    run('UploadPartCopy', { ...copy, CopySourceRange: 'bytes=10-20' }),
    awsError('InvalidRequest', 'The specified copy range is invalid for the source object size'),
  );
  await run('CompleteMultipartUpload', {
    Bucket,
    Key: 'k',
    UploadId,
    MultipartUpload: { Parts: [{ PartNumber: 1, ETag: part.CopyPartResult?.ETag }] },
  });
  assert.equal((await bytesOf((await run<Got>('GetObject', { Bucket, Key: 'k' })).Body)).toString(), '2345');
});

test('names that mean nothing are refused: of a directive, of a redirect, of a part, of a key', async (t) => {
  const { run } = await withBucket(t);
  await run('PutObject', { Bucket, Key: 'k', Body: body('x') });
  const copy = (more: object) => run('CopyObject', { Bucket, Key: 'c', CopySource: `${Bucket}/k`, ...more });
  await assert.rejects(
    copy({ MetadataDirective: 'MERGE' }),
    awsError('InvalidArgument', 'Unknown metadata directive.'),
  );
  await assert.rejects(copy({ TaggingDirective: 'MERGE' }), awsError('InvalidArgument', 'Unknown tagging directive.'));
  await assert.rejects(
    run('PutObject', { Bucket, Key: 'r', Body: body('x'), WebsiteRedirectLocation: 'ftp://x' }),
    awsError(
      'InvalidRedirectLocation',
      "The website redirect location must have a prefix of 'http://' or 'https://' or '/'.",
    ),
  );
  for (const PartNumber of [0, 10_001])
    await assert.rejects(
      run('GetObject', { Bucket, Key: 'k', PartNumber }),
      awsError('InvalidArgument', /^Part number/),
    );
  await assert.rejects(run('DeleteObjects', { Bucket, Delete: { Objects: [{ Key: '' }] } }), awsError('MalformedXML'));
});

test('what cannot be honoured is refused by name', async (t) => {
  const { run } = await withBucket(t);
  const put = (more: object) => run('PutObject', { Bucket, Key: 'k', Body: body('x'), ...more });
  await assert.rejects(put({ ServerSideEncryption: 'aws:fsx' }), awsError('NotImplemented', /aws:fsx/));
  await assert.rejects(put({ ObjectLockEventHold: 'ON' }), awsError('NotImplemented', /event-hold$/));
  const { UploadId } = await run<{ UploadId: string }>('CreateMultipartUpload', { Bucket, Key: 'k' });
  await assert.rejects(
    run('AbortMultipartUpload', { Bucket, Key: 'k', UploadId, IfMatchInitiatedTime: new Date() }),
    awsError('NotImplemented'),
  );
  await assert.rejects(
    put({ ACL: 'public-read' }),
    awsError('AccessControlListNotSupported', 'The bucket does not allow ACLs'),
  );
  await assert.rejects(put({ StorageClass: 'FAST' }), awsError('InvalidStorageClass'));
  await assert.rejects(put({ Key: 'x'.repeat(1025) }), awsError('KeyTooLongError'));
  await assert.rejects(put({ Metadata: { a: 'x'.repeat(2048) } }), awsError('MetadataTooLarge'));
  await put({ ServerSideEncryption: 'AES256', ACL: 'bucket-owner-full-control', Key: 'é'.repeat(512) });
  await put({ StorageClass: 'GLACIER', Key: 'cold' });
  await assert.rejects(run('GetObject', { Bucket, Key: 'cold' }), awsError('InvalidObjectState'));
});

test('a copy onto itself is allowed where the encryption is another one', async (t) => {
  const { run } = await withBucket(t);
  const onto = { Bucket, Key: 'k', CopySource: `${Bucket}/k` };
  await run('PutObject', { Bucket, Key: 'k', Body: body('x') });
  await assert.rejects(run('CopyObject', onto), awsError('InvalidRequest', /illegal because it is trying to copy/));
  const Rules = [{ ApplyServerSideEncryptionByDefault: { SSEAlgorithm: 'AES256' } }];
  await run('PutBucketEncryption', { Bucket, ServerSideEncryptionConfiguration: { Rules } });
  await run('CopyObject', onto);
});

test('a copy’s source may be a URL, with the bucket in its path', async (t) => {
  const { run } = await withBucket(t);
  await run('PutObject', { Bucket, Key: 'k', Body: body('x') });
  await run('CopyObject', { Bucket, Key: 'copy', CopySource: `https://s3.amazonaws.com/${Bucket}/k` });
  await run('HeadObject', { Bucket, Key: 'copy' });
});

test('tags of a key that is not there are told with the bucket in the place of the key', async (t) => {
  const { run } = await withBucket(t);
  const named = (Key: string) => (error: unknown) => {
    assert.ok(error instanceof AwsError);
    assert.deepEqual([error.code, error.fields], ['NoSuchKey', { Key }]);
    return true;
  };
  await assert.rejects(run('GetObjectTagging', { Bucket, Key: 'none' }), named(Bucket));
  await assert.rejects(run('HeadObject', { Bucket, Key: 'none' }), named('none'));
});

test('a digest that is wrong is told with what was expected, in hex, and what came, in base64', async (t) => {
  const { run } = await withBucket(t);
  const ContentMD5 = Buffer.from('09891eb590524e35fc73372cddc5d596', 'hex').toString('base64');
  await assert.rejects(run('PutObject', { Bucket, Key: 'k', Body: body('something'), ContentMD5 }), (error) => {
    assert.ok(error instanceof AwsError);
    assert.deepEqual(error.fields, {
      ExpectedDigest: '09891eb590524e35fc73372cddc5d596',
      CalculatedDigest: 'Q3uTDbhLgHnC3YBKcZNrXw==',
    });
    return true;
  });
});

test('tags in the header may lack a value, and an ampersand too many is none', async (t) => {
  const { run } = await withBucket(t);
  await run('PutObject', { Bucket, Key: 'k', Body: body('x'), Tagging: 'key1&&&key2' });
  const { TagSet } = await run<{ TagSet: unknown }>('GetObjectTagging', { Bucket, Key: 'k' });
  assert.deepEqual(TagSet, [
    { Key: 'key1', Value: '' },
    { Key: 'key2', Value: '' },
  ]);
});

test('a content encoding is told as it was given, without what describes the upload alone', async (t) => {
  const { run } = makeS3(t);
  await run('CreateBucket', { Bucket });
  for (const [given, told] of [
    ['deflate, gzip', 'deflate, gzip'],
    ['gzip, aws-chunked', 'gzip'],
    ['aws-chunked', undefined],
  ] as const) {
    await run('PutObject', { Bucket, Key: 'e', Body: body('x'), ContentEncoding: given });
    assert.equal((await run<Got>('HeadObject', { Bucket, Key: 'e' })).ContentEncoding, told);
  }
});

test('a read that names an encryption is refused', async (t) => {
  const { run } = makeS3(t);
  await run('CreateBucket', { Bucket });
  await run('PutObject', { Bucket, Key: 'k', Body: body('x') });
  for (const name of ['GetObject', 'HeadObject'])
    await assert.rejects(
      run(name, { Bucket, Key: 'k' }, { headers: { 'x-amz-server-side-encryption': 'AES256' } }),
      awsError('InvalidArgument', 'x-amz-server-side-encryption header is not supported for this operation.'),
    );
});
