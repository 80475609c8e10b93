// Objects under KMS keys: who may write and read them, what answers say, and what becomes of them when the key is switched off.

import assert from 'node:assert/strict';
import { createDecipheriv, createHash, createHmac, randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import type {
  CreateMultipartUploadOutput,
  GetObjectOutput,
  HeadObjectOutput,
  PutObjectOutput,
  UploadPartOutput,
} from '@aws-sdk/client-s3';
import { newKey } from '../../kms-keys.ts';
import type { BaseCall, StreamingBody } from '../../service.ts';
import type { ImportedMaterial, KmsKeyRow } from '../../store/rows/kms.ts';
import { awsError, testAccountId, testNow } from '../../testing.ts';
import { body, bytesOf, makeS3 } from './testing.ts';

type Got = Omit<GetObjectOutput, 'Body'> & { Body: StreamingBody };
const Bucket = 'notes';
const text = Buffer.from('secret words '.repeat(6_000));

async function started(t: TestContext) {
  const made = makeS3(t);
  const { run, store } = made;
  const scope = { partition: 'aws', region: 'us-east-1', accountId: testAccountId };
  const key = newKey(scope, testNow, { description: '', manager: 'CUSTOMER', policy: '{}', tags: {} });
  const change = (row: Partial<KmsKeyRow>) => store.transact((tx) => tx.put('kms-key', { ...key, ...row })).durable;
  await change({});
  await run('CreateBucket', { Bucket });
  const put = (Key: string, more: object = {}, overrides: Partial<BaseCall> = {}) =>
    run<PutObjectOutput>('PutObject', { Bucket, Key, Body: body(text), ...more }, overrides);
  const get = async (Key: string, more: object = {}) =>
    await bytesOf((await run<Got>('GetObject', { Bucket, Key, ...more })).Body);
  return { ...made, key, change, put, get, byKms: { ServerSideEncryption: 'aws:kms', SSEKMSKeyId: key.keyId } };
}

test('an object under a KMS key says so, and its ETag tells nothing of its bytes', async (t) => {
  const { run, key, put, get, byKms, store } = await started(t);
  const context = Buffer.from('{"team":"red"}').toString('base64');
  const answer = await put('k', { ...byKms, BucketKeyEnabled: true, SSEKMSEncryptionContext: context });
  assert.deepEqual(
    [answer.ServerSideEncryption, answer.SSEKMSKeyId, answer.BucketKeyEnabled, answer.SSEKMSEncryptionContext],
    ['aws:kms', key.id, true, context],
  );
  assert.notEqual(answer.ETag, `"${createHash('md5').update(text).digest('hex')}"`);
  const head = await run<HeadObjectOutput>('HeadObject', { Bucket, Key: 'k' });
  assert.deepEqual([head.ServerSideEncryption, head.SSEKMSKeyId, head.ETag], ['aws:kms', key.id, answer.ETag]);
  assert.ok(text.subarray(77).equals(await get('k', { Range: 'bytes=77-' })));
  // Without a key's name it is the account's own, which is then there.
  const own = await put('own', { ServerSideEncryption: 'aws:kms' });
  const alias = store.read((tx) => tx.get('kms-alias', `arn:aws:kms:us-east-1:${testAccountId}:alias/aws/s3`));
  assert.equal(own.SSEKMSKeyId, alias?.keyArn);
  assert.ok(text.equals(await get('own')));
});

test('a bucket encrypts with KMS by default, uploads in parts and copies too', async (t) => {
  const { run, key, put, get, s3, files } = await started(t);
  const rule = { SSEAlgorithm: 'aws:kms', KMSMasterKeyID: key.id };
  const Rules = [{ ApplyServerSideEncryptionByDefault: rule, BucketKeyEnabled: true }];
  await run('PutBucketEncryption', { Bucket, ServerSideEncryptionConfiguration: { Rules } });
  assert.equal((await put('k')).SSEKMSKeyId, key.id);
  assert.equal((await put('plain', { ServerSideEncryption: 'AES256' })).ServerSideEncryption, 'AES256');
  const upload = await run<CreateMultipartUploadOutput>('CreateMultipartUpload', { Bucket, Key: 'parts' });
  assert.deepEqual([upload.SSEKMSKeyId, upload.BucketKeyEnabled], [key.id, true]);
  const { UploadId } = upload;
  const part = { Bucket, Key: 'parts', UploadId, PartNumber: 1, Body: body(text) };
  const { ETag, SSEKMSKeyId } = await run<UploadPartOutput>('UploadPart', part);
  assert.equal(SSEKMSKeyId, key.id);
  const MultipartUpload = { Parts: [{ PartNumber: 1, ETag }] };
  await run('CompleteMultipartUpload', { Bucket, Key: 'parts', UploadId, MultipartUpload });
  assert.ok(text.equals(await get('parts')));
  const before = files().length;
  await run('CopyObject', { Bucket, Key: 'copy', CopySource: `${Bucket}/k` });
  await run('CopyObject', {
    Bucket,
    Key: 'own',
    CopySource: `${Bucket}/k`,
    ServerSideEncryption: 'AES256',
  });
  assert.equal(files().length, before + 2);
  await run('DeleteObject', { Bucket, Key: 'k' });
  s3.endGrace();
  for (const Key of ['copy', 'own']) assert.ok(text.equals(await get(Key)), Key);
  assert.equal((await run<HeadObjectOutput>('HeadObject', { Bucket, Key: 'own' })).SSEKMSKeyId, undefined);
});

test('two layers: on disk each is over the other, and through the API neither is there', async (t) => {
  const { key, put, get, store, directory } = await started(t);
  const twice = { ServerSideEncryption: 'aws:kms:dsse', SSEKMSKeyId: key.id };
  const answer = await put('k', { ...twice, BucketKeyEnabled: true });
  assert.deepEqual(
    [answer.ServerSideEncryption, answer.SSEKMSKeyId, answer.BucketKeyEnabled],
    ['aws:kms:dsse', key.id, undefined],
  );
  assert.notEqual(answer.ETag, `"${createHash('md5').update(text).digest('hex')}"`);
  await put('small', { ...twice, Body: body('secret words') });
  assert.equal((await get('small')).toString(), 'secret words');
  assert.ok(text.equals(await get('k')));
  assert.ok(text.subarray(77, 50_001).equals(await get('k', { Range: 'bytes=77-50000' })));

  const { blobId = '' } = store.read((tx) => tx.get('object', `${Bucket}/k`)) ?? {};
  const seed = Buffer.from(blobId, 'hex');
  const layer = (base: Buffer) => (bytes: Buffer) =>
    createDecipheriv('aes-256-ctr', createHmac('sha256', base).update(blobId).digest(), seed).update(bytes);
  const byKms = layer(Buffer.from(key.material, 'base64'));
  const byCloud = layer(readFileSync(join(directory, 'objects.key')));
  const stored = readFileSync(join(directory, 'objects', blobId.slice(0, 2), blobId.slice(2)));
  assert.equal(byKms(stored).includes('secret'), false);
  assert.equal(byCloud(stored).includes('secret'), false);
  assert.equal(text.equals(byKms(byCloud(stored))), true);
});

test('two layers by default, in parts, and by a copy, which is no second name for bytes in one layer', async (t) => {
  const { run, key, put, get, byKms } = await started(t);
  await put('one', byKms);
  const rule = { SSEAlgorithm: 'aws:kms:dsse', KMSMasterKeyID: key.id };
  const Rules = [{ ApplyServerSideEncryptionByDefault: rule, BucketKeyEnabled: true }];
  await run('PutBucketEncryption', { Bucket, ServerSideEncryptionConfiguration: { Rules } });
  const { UploadId, ...upload } = await run<CreateMultipartUploadOutput>('CreateMultipartUpload', {
    Bucket,
    Key: 'parts',
  });
  assert.deepEqual([upload.ServerSideEncryption, upload.BucketKeyEnabled], ['aws:kms:dsse', undefined]);
  const first = Buffer.alloc(5 * 1024 ** 2, 'secret words ');
  const Parts = [];
  for (const [index, bytes] of [first, text].entries()) {
    const part = { Bucket, Key: 'parts', UploadId, PartNumber: index + 1, Body: body(bytes) };
    const { ETag } = await run<UploadPartOutput>('UploadPart', part);
    Parts.push({ PartNumber: index + 1, ETag });
  }
  await run('CompleteMultipartUpload', { Bucket, Key: 'parts', UploadId, MultipartUpload: { Parts } });
  const whole = Buffer.concat([first, text]);
  assert.ok(whole.equals(await get('parts')));
  assert.ok(
    whole
      .subarray(first.length - 7, first.length + 9)
      .equals(await get('parts', { Range: `bytes=${first.length - 7}-${first.length + 8}` })),
  );
  const told = async (Key: string) => (await run<HeadObjectOutput>('HeadObject', { Bucket, Key })).ServerSideEncryption;
  // From one layer to two, back, and from two to two.
  await run('CopyObject', { Bucket, Key: 'two', CopySource: `${Bucket}/one` });
  await run('CopyObject', { Bucket, Key: 'back', CopySource: `${Bucket}/two`, ...byKms });
  await run('CopyObject', { Bucket, Key: 'again', CopySource: `${Bucket}/two` });
  assert.deepEqual(await Promise.all(['parts', 'one', 'two', 'back', 'again'].map(told)), [
    'aws:kms:dsse',
    'aws:kms',
    'aws:kms:dsse',
    'aws:kms',
    'aws:kms:dsse',
  ]);
  for (const Key of ['one', 'two', 'back', 'again']) assert.ok(text.equals(await get(Key)), Key);
});

test("KMS's own errors come through, recorded on AWS", async (t) => {
  const { key, change, put, get, byKms, run } = await started(t);
  const kms = { ServerSideEncryption: 'aws:kms' };
  const uuid = '134f2428-cec1-4b25-a1ae-9048164dba47';
  const arn = (region: string) => `arn:aws:kms:${region}:${testAccountId}:key/${uuid}`;
  for (const [SSEKMSKeyId, message] of [
    ['fake-key-id', "Invalid keyId 'fake-key-id'"],
    [uuid, `Key '${arn('us-east-1')}' does not exist`],
    [arn('eu-west-1'), 'Invalid arn eu-west-1'],
  ] as const) {
    const missing = awsError('KMS.NotFoundException', message);
    await assert.rejects(put('x', { ...kms, SSEKMSKeyId }), missing);
    await assert.rejects(run('CreateMultipartUpload', { Bucket, Key: 'x', ...kms, SSEKMSKeyId }), missing);
  }
  await put('k', byKms);
  await change({ enabled: false });
  const disabled = awsError('KMS.DisabledException', `${key.id} is disabled.`);
  await assert.rejects(get('k'), disabled);
  await assert.rejects(put('z', byKms), disabled);
  assert.equal((await run<HeadObjectOutput>('HeadObject', { Bucket, Key: 'k' })).ContentLength, text.length);
  await change({ deletionDate: new Date(testNow.getTime() + 1000).toISOString() });
  await assert.rejects(get('k'), awsError('KMS.KMSInvalidStateException', `${key.id} is pending deletion.`));
  await change({ deletionDate: testNow.toISOString() });
  await assert.rejects(get('k'), awsError('KMS.NotFoundException'));
  await change({});
  assert.ok(text.equals(await get('k')));
});

test('a key for something else encrypts no object', async (t) => {
  const { change, put, get, byKms } = await started(t);
  await put('k', byKms);
  const refused = (message: RegExp) => awsError('KMS.InvalidKeyUsageException', message);
  await change({ spec: 'RSA_2048', usage: 'SIGN_VERIFY' });
  const notFor = (operation: string) =>
    refused(new RegExp(`key usage is SIGN_VERIFY which is not valid for ${operation}[.]$`));
  await assert.rejects(put('other', byKms), notFor('GenerateDataKey'));
  await assert.rejects(get('k'), notFor('Decrypt'));
  await change({ spec: 'RSA_2048' });
  await assert.rejects(
    put('other', byKms),
    refused(/^Algorithm SYMMETRIC_DEFAULT is incompatible with key spec RSA_2048[.]$/),
  );
});

test('an object needs the imported material of its key, and stays under the first', async (t) => {
  const { key, change, put, get, byKms } = await started(t);
  const bytes = () => randomBytes(32).toString('base64');
  const imported = (...materials: ImportedMaterial[]) =>
    change({ material: '', imported: { tokenSecret: bytes(), materials } });
  const [first, second] = [
    { id: '1', bytes: bytes() },
    { id: '2', bytes: bytes(), rotated: testNow.toISOString() },
  ] as const;
  await imported(first);
  await put('k', byKms);
  await imported(first, second);
  assert.ok(text.equals(await get('k')));
  await imported({ id: '1' }, second);
  const pending = awsError('KMS.KMSInvalidStateException', `${key.id} is pending import.`);
  await assert.rejects(get('k'), pending);
  await assert.rejects(put('other', byKms), pending);
});

test('the caller is asked for the KMS permission, with the ARN of what is encrypted', async (t) => {
  const { key, put, byKms, run } = await started(t);
  const asked: string[] = [];
  const require: BaseCall['require'] = (_tx, action, resource, context) => {
    if (action.startsWith('kms:'))
      asked.push(
        `${action} ${resource === key.id} ${context?.['kms:EncryptionContext:aws:s3:arn']} ${context?.['kms:ViaService']}`,
      );
  };
  await put('k', byKms, { require });
  await put('b', { ...byKms, BucketKeyEnabled: true }, { require });
  await run('GetObject', { Bucket, Key: 'k' }, { require });
  await run('HeadObject', { Bucket, Key: 'k' }, { require });
  // The checksum of the plain bytes is for those who may read them.
  await run('HeadObject', { Bucket, Key: 'k', ChecksumMode: 'ENABLED' }, { require });
  const via = 's3.us-east-1.amazonaws.com';
  assert.deepEqual(asked, [
    `kms:GenerateDataKey true arn:aws:s3:::${Bucket}/k ${via}`,
    `kms:GenerateDataKey true arn:aws:s3:::${Bucket} ${via}`,
    `kms:Decrypt true arn:aws:s3:::${Bucket}/k ${via}`,
    `kms:Decrypt true arn:aws:s3:::${Bucket}/k ${via}`,
  ]);
  const anonymous = {
    principal: { type: 'anonymous', accountId: 'anonymous', arn: 'anonymous', userId: 'anonymous' },
  } as const;
  await assert.rejects(
    run('GetObject', { Bucket, Key: 'k' }, anonymous),
    awsError('InvalidArgument', / require AWS Signature Version 4\.$/),
  );
});

test('requests that contradict themselves are refused', async (t) => {
  const { run, put } = await started(t);
  for (const [more, code, message] of [
    [{ SSEKMSKeyId: 'x' }, 'InvalidArgument', /requires HTTP header x-amz-server-side-encryption : aws:kms$/],
    [{ ServerSideEncryption: 'AES256', SSEKMSKeyId: 'x' }, 'InvalidArgument', /aws:kms$/],
    [{ ServerSideEncryption: 'aws:kms', SSEKMSEncryptionContext: 'bm8=' }, 'InvalidArgument', /string-string map$/],
    [{ ServerSideEncryption: 'aws:fsx' }, 'NotImplemented', /aws:fsx$/],
    [{ ServerSideEncryption: 'ROT13' }, 'InvalidArgument', /The encryption method specified is not supported/],
  ] as const)
    await assert.rejects(put('x', more), awsError(code, message));
  const rules = (...Rules: object[]) => ({ Bucket, ServerSideEncryptionConfiguration: { Rules } });
  const rule = { SSEAlgorithm: 'AES256', KMSMasterKeyID: 'x' };
  await assert.rejects(
    run('PutBucketEncryption', rules({ ApplyServerSideEncryptionByDefault: rule })),
    awsError('InvalidArgument'),
  );
  // A bucket may refuse customers' keys.
  const BlockedEncryptionTypes = { EncryptionType: ['SSE-C'] };
  await run(
    'PutBucketEncryption',
    rules({ ApplyServerSideEncryptionByDefault: { SSEAlgorithm: 'AES256' }, BlockedEncryptionTypes }),
  );
  const key = Buffer.alloc(32, 1);
  await assert.rejects(
    put('x', {
      SSECustomerAlgorithm: 'AES256',
      SSECustomerKey: key.toString('base64'),
      SSECustomerKeyMD5: createHash('md5').update(key).digest('base64'),
    }),
    awsError('AccessDenied'),
  );
});
