// What only the bytes of an answer show: its status, and which elements an error has. Recorded at AWS in February 2026.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import {
  CreateBucketCommand,
  GetObjectCommand,
  HeadBucketCommand,
  HeadObjectCommand,
  ListObjectsV2Command,
  PutBucketPolicyCommand,
  PutBucketTaggingCommand,
  PutBucketVersioningCommand,
  PutObjectCommand,
  S3ServiceException,
} from '@aws-sdk/client-s3';
import { type S3Server, startS3 } from './s3-server.ts';

const Bucket = 'answers';
let server: S3Server;

before(async () => {
  server = await startS3();
  await server.client.send(new CreateBucketCommand({ Bucket }));
  await server.client.send(new PutObjectCommand({ Bucket, Key: 'k', Body: '0123456789' }));
});
after(() => server.close());

test('a stretch of an object is answered with 206, settings of a bucket that have no answer with 204', async () => {
  const { client } = server;
  const status = async (answer: Promise<{ $metadata: { httpStatusCode?: number | undefined } }>) =>
    (await answer).$metadata.httpStatusCode;
  assert.equal(await status(client.send(new GetObjectCommand({ Bucket, Key: 'k', Range: 'bytes=1-2' }))), 206);
  assert.equal(await status(client.send(new GetObjectCommand({ Bucket, Key: 'k' }))), 200);
  const Tagging = { TagSet: [{ Key: 'a', Value: 'b' }] };
  assert.equal(await status(client.send(new PutBucketTaggingCommand({ Bucket, Tagging }))), 204);
  const Statement = { Effect: 'Deny', Principal: '*', Action: 's3:DeleteBucket', Resource: `arn:aws:s3:::${Bucket}` };
  const Policy = JSON.stringify({ Version: '2012-10-17', Statement });
  assert.equal(await status(client.send(new PutBucketPolicyCommand({ Bucket, Policy }))), 204);
});

test('an error has code, message and ids, and no element for the path', async () => {
  const refused = server.client.send(
    new PutBucketVersioningCommand({ Bucket, VersioningConfiguration: { Status: 'enabled' as 'Enabled' } }),
  );
  await assert.rejects(refused, (error) => {
    assert.ok(error instanceof S3ServiceException);
    assert.equal(error.name, 'MalformedXML');
    assert.ok(!('Resource' in error));
    return true;
  });
});

test('a policy without a word is no JSON', async () => {
  const empty = server.client.send(new PutBucketPolicyCommand({ Bucket, Policy: '' }));
  await assert.rejects(empty, { name: 'MalformedPolicy', message: /first byte must be '\{'$/ });
});

test('a listing tells the region of its bucket', async () => {
  const { client } = server;
  const listing = new ListObjectsV2Command({ Bucket });
  const headers = headersOf(listing);
  await client.send(listing);
  assert.equal(headers()['x-amz-bucket-region'], 'us-east-1');
});

/** The headers of a command's answer, once it has been sent. */
function headersOf(command: HeadBucketCommand | ListObjectsV2Command) {
  let headers: Record<string, string> = {};
  (command as ListObjectsV2Command).middlewareStack.add(
    (next) => async (args) => {
      const result = await next(args);
      headers = (result.response as { headers: Record<string, string> }).headers;
      return result;
    },
    { step: 'deserialize', priority: 'low' },
  );
  return () => headers;
}

test('a bucket is told by HEAD as XML, and takes nothing but forms by POST', async () => {
  const { client, port } = server;
  const head = new HeadBucketCommand({ Bucket });
  const headers = headersOf(head);
  await client.send(head);
  assert.equal(headers()['content-type'], 'application/xml');
  const url = `http://127.0.0.1:${port}/${Bucket}`;
  const posted = await fetch(url, { method: 'POST', body: 'x', headers: { 'Content-Type': 'text/html' } });
  assert.equal(posted.status, 412);
  assert.match(await posted.text(), /<Condition>Bucket POST must be of the enclosure-type multipart\/form-data</);
});

test('an empty number in the query is none', async () => {
  const listing = new ListObjectsV2Command({ Bucket });
  listing.middlewareStack.add(
    (next) => (args) => {
      (args.request as { query: Record<string, string> }).query['max-keys'] = '';
      return next(args);
    },
    { step: 'build' },
  );
  assert.deepEqual((await server.client.send(listing)).MaxKeys, 1000);
});

test('two checksums are refused as two, whatever they are', async () => {
  const command = new PutObjectCommand({
    Bucket,
    Key: 'two',
    Body: 'x',
    ChecksumCRC32: 'AAAAAA==',
    ChecksumSHA256: 'no',
  });
  await assert.rejects(server.client.send(command), (error) => {
    assert.ok(error instanceof S3ServiceException);
    assert.equal(error.name, 'InvalidRequest');
    assert.match(error.message, /^Expecting a single x-amz-checksum- header\./);
    return true;
  });
});

test('a tag set that is not there is an empty one', async () => {
  const { client } = server;
  const none = new PutBucketTaggingCommand({ Bucket, Tagging: { TagSet: undefined } });
  assert.equal((await client.send(none)).$metadata.httpStatusCode, 204);
});

test('a content disposition of any bytes that a header may have is told', async () => {
  const { client } = server;
  await client.send(new PutObjectCommand({ Bucket, Key: 'named', Body: 'x' }));
  const override = 'filename="\u00e9.txt"';
  // The answer to HEAD has its length right before the header.
  const head = await client.send(new HeadObjectCommand({ Bucket, Key: 'named', ResponseContentDisposition: override }));
  assert.equal(head.ContentDisposition, override);
});
