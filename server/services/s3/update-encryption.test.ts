// UpdateObjectEncryption: the bytes stay where they are, and only the new key opens them.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { type TestContext, test } from 'node:test';
import type {
  CompletedPart,
  CreateMultipartUploadOutput,
  GetObjectOutput,
  HeadObjectOutput,
  PutObjectOutput,
  UploadPartOutput,
} from '@aws-sdk/client-s3';
import { newKey } from '../../kms-keys.ts';
import type { BaseCall, StreamingBody } from '../../service.ts';
import type { KmsKeyRow } from '../../store/rows/kms.ts';
import { awsError, testAccountId, testNow } from '../../testing.ts';
import { body, bytesOf, makeS3 } from './testing.ts';

type Got = Omit<GetObjectOutput, 'Body'> & { Body: StreamingBody };
const Bucket = 'notes';
const Key = 'k';
const text = Buffer.from('secret words '.repeat(600_000));

async function started(t: TestContext) {
  const made = makeS3(t);
  const { run, store, files } = made;
  const makeKey = async (more: Partial<KmsKeyRow> = {}, accountId = testAccountId) => {
    const scope = { partition: 'aws', region: 'us-east-1', accountId };
    const key = newKey(scope, testNow, { description: '', manager: 'CUSTOMER', policy: '{}', tags: {} });
    await store.transact((tx) => tx.put('kms-key', { ...key, ...more })).durable;
    return key;
  };
  await run('CreateBucket', { Bucket, ObjectLockEnabledForBucket: true });
  const update = (KMSKeyArn: string, more: object = {}, overrides: Partial<BaseCall> = {}) =>
    run('UpdateObjectEncryption', { Bucket, Key, ObjectEncryption: { SSEKMS: { KMSKeyArn } }, ...more }, overrides);
  const get = async (more: object = {}) => bytesOf((await run<Got>('GetObject', { Bucket, Key, ...more })).Body);
  const stored = () =>
    Buffer.concat(
      files()
        .sort()
        .map((file) => readFileSync(file)),
    );
  return { ...made, makeKey, update, get, stored };
}

test('an object of S3’s own key comes under a KMS key, and from that under another; nothing else of it changes', async (t) => {
  const { run, store, makeKey, update, get, stored } = await started(t);
  const [first, second] = [await makeKey(), await makeKey()];
  await run<PutObjectOutput>('PutObject', { Bucket, Key, Body: body(text), Metadata: { a: '1' } });
  const before = await run<HeadObjectOutput>('HeadObject', { Bucket, Key });
  const bytes = stored();
  for (const key of [first, second]) {
    await update(key.id, { ObjectEncryption: { SSEKMS: { KMSKeyArn: key.id, BucketKeyEnabled: true } } });
    const after = await run<HeadObjectOutput>('HeadObject', { Bucket, Key });
    const { ServerSideEncryption, SSEKMSKeyId, BucketKeyEnabled, ...rest } = after;
    assert.deepEqual([ServerSideEncryption, SSEKMSKeyId, BucketKeyEnabled], ['aws:kms', key.id, true]);
    const { ServerSideEncryption: was, ...same } = before;
    assert.equal(was, 'AES256');
    assert.deepEqual(rest, same);
    assert.ok(text.equals(await get()));
    assert.ok(text.subarray(1001, 5003).equals(await get({ Range: 'bytes=1001-5002' })));
  }
  assert.ok(bytes.equals(stored()), 'the bytes on disk are the same');
  // The first key opens nothing any more, and the second alone is needed.
  await store.transact((tx) => tx.put('kms-key', { ...first, enabled: false })).durable;
  assert.ok(text.equals(await get()));
  await store.transact((tx) => tx.put('kms-key', { ...second, enabled: false })).durable;
  await assert.rejects(get(), awsError('KMS.DisabledException'));
});

test('an object of parts too, and a copy of it is under the key that it asks for', async (t) => {
  const { run, makeKey, update, get } = await started(t);
  const key = await makeKey();
  const { UploadId } = await run<CreateMultipartUploadOutput>('CreateMultipartUpload', { Bucket, Key });
  const Parts: CompletedPart[] = [];
  for (const PartNumber of [1, 2]) {
    const part = { Bucket, Key, UploadId, PartNumber, Body: body(text) };
    Parts.push({ PartNumber, ETag: (await run<UploadPartOutput>('UploadPart', part)).ETag });
  }
  await run('CompleteMultipartUpload', { Bucket, Key, UploadId, MultipartUpload: { Parts } });
  await update(key.id);
  const both = Buffer.concat([text, text]);
  assert.ok(both.equals(await get()));
  await run('CopyObject', { Bucket, Key: 'plain', CopySource: `${Bucket}/${Key}`, ServerSideEncryption: 'AES256' });
  await run('CopyObject', {
    ...{ Bucket, Key: 'same', CopySource: `${Bucket}/${Key}` },
    ...{ ServerSideEncryption: 'aws:kms', SSEKMSKeyId: key.id },
  });
  for (const copy of ['plain', 'same']) assert.ok(both.equals(await get({ Key: copy })), copy);
});

test('whoever may not open the old or use the new key changes nothing', async (t) => {
  const { run, makeKey, update } = await started(t);
  const [old, next] = [await makeKey(), await makeKey()];
  const put = { Bucket, Key, Body: body('x'), ServerSideEncryption: 'aws:kms', SSEKMSKeyId: old.id };
  await run('PutObject', put);
  for (const [action, keyArn] of [
    ['kms:Decrypt', old.id],
    ['kms:ReEncryptFrom', old.id],
    ['kms:Encrypt', next.id],
    ['kms:GenerateDataKey', next.id],
    ['kms:ReEncryptTo', next.id],
  ]) {
    const require: BaseCall['require'] = (_tx, asked, resource) => {
      if (asked === action && resource === keyArn) throw new Error(`no ${action}`);
    };
    await assert.rejects(update(next.id, {}, { require }), new RegExp(`no ${action}`));
  }
  assert.equal((await run<HeadObjectOutput>('HeadObject', { Bucket, Key })).SSEKMSKeyId, old.id);
});

test('what cannot be changed is refused in the documentation’s words', async (t) => {
  const { run, makeKey, update } = await started(t);
  const [key, foreign] = [await makeKey(), await makeKey({}, '999999999999')];
  const put = (name: string, more: object) => run('PutObject', { Bucket, Key: name, Body: body('x'), ...more });
  await put(Key, {});
  await put('two', { ServerSideEncryption: 'aws:kms:dsse', SSEKMSKeyId: key.id });
  await put('held', {});
  await run('PutObjectLegalHold', { Bucket, Key: 'held', LegalHold: { Status: 'ON' } });
  const gone = `arn:aws:kms:us-east-1:${testAccountId}:key/00000000-0000-0000-0000-000000000000`;
  for (const [input, code, message] of [
    [{ ObjectEncryption: undefined }, 'MalformedXML', /./],
    [{ ObjectEncryption: {} }, 'InvalidRequest', /require a valid new encryption type/],
    [{ ObjectEncryption: { SSEKMS: {} } }, 'InvalidRequest', /require an AWS KMS key Amazon Resource Name/],
    [{ ObjectEncryption: { SSEKMS: { KMSKeyArn: key.keyId } } }, 'InvalidRequest', /correctly formatted KMS key ARN/],
    [{ Key: 'two' }, 'InvalidRequest', /encryption type DSSE-KMS or SSE-C/],
    [{ Key: 'held' }, 'AccessDenied', /protected by S3 Object Lock/],
    [{ Key: 'none' }, 'NoSuchKey', /./],
    [{ ObjectEncryption: { SSEKMS: { KMSKeyArn: foreign.id } } }, 'AccessDenied', /same account as the bucket/],
    [{ ObjectEncryption: { SSEKMS: { KMSKeyArn: gone } } }, 'KMS.NotFoundException', /./],
  ] as const)
    await assert.rejects(update(key.id, input), awsError(code, message), JSON.stringify(input));
});
