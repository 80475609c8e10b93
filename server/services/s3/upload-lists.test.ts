// Listings of uploads and parts: who began one, and where a page ends. Recorded at AWS in February 2026.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { CreateMultipartUploadOutput, ListMultipartUploadsOutput, ListPartsOutput } from '@aws-sdk/client-s3';
import { makeS3 } from './testing.ts';

const Bucket = 'uploads';

test('the last upload of a page is told whether there is more or not; a page of prefixes alone has no marker', async (t) => {
  const { run } = makeS3(t);
  await run('CreateBucket', { Bucket });
  const begin = async (Key: string) =>
    (await run<CreateMultipartUploadOutput>('CreateMultipartUpload', { Bucket, Key })).UploadId;
  await begin('in/1');
  await begin('in/2');
  const last = await begin('z');
  const list = (input: object) => run<ListMultipartUploadsOutput>('ListMultipartUploads', { Bucket, ...input });
  const all = await list({ UploadIdMarker: last });
  assert.deepEqual(
    [all.NextKeyMarker, all.NextUploadIdMarker, all.UploadIdMarker, all.IsTruncated],
    ['z', last, '', false],
  );
  const prefix = await list({ Delimiter: '/', MaxUploads: 1 });
  assert.deepEqual(prefix.CommonPrefixes, [{ Prefix: 'in/' }]);
  assert.deepEqual([prefix.NextKeyMarker, prefix.NextUploadIdMarker, prefix.IsTruncated], ['', '', true]);
  const inside = await list({ Delimiter: '/', KeyMarker: 'in/1' });
  assert.deepEqual([inside.CommonPrefixes, inside.Uploads?.map((one) => one.Key)], [undefined, ['z']]);
});

test('an upload was begun by a user or a session by name, or by the account', async (t) => {
  const { run } = makeS3(t);
  await run('CreateBucket', { Bucket });
  const arn = 'arn:aws:iam::123456789012:user/team/ana';
  const principal = { type: 'user', accountId: '123456789012', arn, userId: 'AIDA1', userName: 'ana' } as const;
  const { UploadId } = await run<CreateMultipartUploadOutput>(
    'CreateMultipartUpload',
    { Bucket, Key: 'k' },
    { principal },
  );
  const parts = await run<ListPartsOutput>('ListParts', { Bucket, Key: 'k', UploadId });
  assert.deepEqual(parts.Initiator, { ID: arn, DisplayName: 'ana' });
  await run('AbortMultipartUpload', { Bucket, Key: 'k', UploadId });
  const root = { ...principal, type: 'root', arn: 'arn:aws:iam::123456789012:root' } as const;
  await run('CreateMultipartUpload', { Bucket, Key: 'k' }, { principal: root });
  const [upload] = (await run<ListMultipartUploadsOutput>('ListMultipartUploads', { Bucket })).Uploads ?? [];
  assert.deepEqual(upload?.Initiator, upload?.Owner);
});
