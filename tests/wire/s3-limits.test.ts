// Keys and metadata at their limits, over a real socket: https://docs.aws.amazon.com/AmazonS3/latest/userguide/object-keys.html (read 2026-11-21).

import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { after, before, test } from 'node:test';
import {
  CopyObjectCommand,
  CreateBucketCommand,
  DeleteObjectCommand,
  DeleteObjectsCommand,
  GetObjectCommand,
  HeadObjectCommand,
  ListObjectsV2Command,
  PutObjectCommand,
} from '@aws-sdk/client-s3';
import { type S3Server, startS3 } from './s3-server.ts';

const Bucket = 'limits';
let server: S3Server;

before(async () => {
  server = await startS3();
  await server.client.send(new CreateBucketCommand({ Bucket }));
});
after(() => server.close());

/** What XML has no form for; a client sends them in the path alone. */
const noXml = ['\u0001', 'bell\u0007', '\ufffe', '\uffff'];
const keys = [
  ...['x'.repeat(1024), 'é'.repeat(512), '日本'.repeat(170), '😀'.repeat(256)],
  ...['.', '..', '../up', 'a/../b', 'a/./b', '/lead', '//two', 'a//b', 'trail/', '\\', '~'],
  ...[
    'tab\t',
    'line\n',
    'return\r',
    '\u007f',
    'zero\u200bwidth',
    ' blanks ',
    '%',
    'a%2Fb',
    'a+b',
    'a?b#c',
    'a&b=c;d',
    '<xml>',
    '"\'',
  ],
  ...noXml,
];

test('any text of 1,024 bytes is a key: written, read, listed in order, copied and deleted', async () => {
  const { client } = server;
  for (const Key of keys) {
    await client.send(new PutObjectCommand({ Bucket, Key, Body: Key }));
    const { Body } = await client.send(new GetObjectCommand({ Bucket, Key }));
    assert.equal(await Body?.transformToString(), Key);
  }
  const listed: string[] = [];
  let ContinuationToken: string | undefined;
  do {
    const page = await client.send(
      new ListObjectsV2Command({ Bucket, MaxKeys: 3, EncodingType: 'url', ContinuationToken }),
    );
    listed.push(...(page.Contents ?? []).map(({ Key = '' }) => decodeURIComponent(Key.replaceAll('+', ' '))));
    ContinuationToken = page.NextContinuationToken;
  } while (ContinuationToken !== undefined);
  assert.deepEqual(
    listed,
    [...keys].sort((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b))),
  );
  for (const Key of keys) {
    const CopySource = `${Bucket}/${encodeURIComponent(Key)}`;
    await client.send(new CopyObjectCommand({ Bucket, Key: 'copy', CopySource }));
    const { Body } = await client.send(new GetObjectCommand({ Bucket, Key: 'copy' }));
    assert.equal(await Body?.transformToString(), Key);
  }
  for (const Key of noXml) await client.send(new DeleteObjectCommand({ Bucket, Key }));
  const Objects = ['copy', ...keys].filter((Key) => !noXml.includes(Key)).map((Key) => ({ Key }));
  const { Deleted, Errors } = await client.send(new DeleteObjectsCommand({ Bucket, Delete: { Objects } }));
  assert.deepEqual([Deleted?.map(({ Key }) => Key).sort(), Errors], [Objects.map(({ Key }) => Key).sort(), undefined]);
  assert.equal((await client.send(new ListObjectsV2Command({ Bucket }))).KeyCount, 0);
  assert.deepEqual(server.bugs, []);
});

test('a byte more is too long, also in a copy', async () => {
  const tooLong = { name: 'KeyTooLongError' };
  for (const Key of ['x'.repeat(1025), 'é'.repeat(513)]) {
    await assert.rejects(server.client.send(new PutObjectCommand({ Bucket, Key, Body: 'x' })), tooLong);
    await assert.rejects(server.client.send(new HeadObjectCommand({ Bucket, Key })), /UnknownError|KeyTooLong|400/);
    await assert.rejects(
      server.client.send(new CopyObjectCommand({ Bucket, Key, CopySource: `${Bucket}/x` })),
      tooLong,
    );
  }
});

test('XML with a character that there is not is malformed, and nothing is deleted', async () => {
  await server.client.send(new PutObjectCommand({ Bucket, Key: 'kept', Body: 'x' }));
  const body = Buffer.from('<Delete><Object><Key>kept</Key></Object><Object><Key>\u0001</Key></Object></Delete>');
  const now = new Date().toISOString().replace(/[-:]|\.\d+/g, '');
  const answer = await fetch(`http://127.0.0.1:${server.port}/${Bucket}?delete`, {
    method: 'POST',
    body,
    headers: {
      'content-md5': createHash('md5').update(body).digest('base64'),
      authorization: `AWS4-HMAC-SHA256 Credential=AKIATEST/${now.slice(0, 8)}/us-east-1/s3/aws4_request, SignedHeaders=host;x-amz-date, Signature=${'0'.repeat(64)}`,
      'x-amz-date': now,
      'x-amz-content-sha256': 'UNSIGNED-PAYLOAD',
    },
  });
  assert.match(await answer.text(), /<Code>MalformedXML<\/Code>/);
  await server.client.send(new HeadObjectCommand({ Bucket, Key: 'kept' }));
});

test('metadata has 2,048 bytes, names in lower case, and text beyond ASCII as it was encoded', async () => {
  const put = async (Metadata: Record<string, string>) => {
    await server.client.send(new PutObjectCommand({ Bucket, Key: 'm', Body: 'x', Metadata }));
    return (await server.client.send(new HeadObjectCommand({ Bucket, Key: 'm' }))).Metadata;
  };
  const most = { abcd: 'x'.repeat(2044) };
  assert.deepEqual(await put(most), most);
  await assert.rejects(put({ abcd: 'x'.repeat(2045) }), { name: 'MetadataTooLarge' });
  await assert.rejects(put({ ...most, e: '' }), { name: 'MetadataTooLarge' });
  const odd = { 'with-dash_and.dot': '  inner  blanks', empty: '', quoted: '=?UTF-8?B?w6k=?=', colon: 'a:b;c,d="e"' };
  assert.deepEqual(await put(odd), { ...odd, 'with-dash_and.dot': 'inner  blanks' });
  assert.deepEqual(await put({ UPPER: 'V' }), { upper: 'V' });
});
