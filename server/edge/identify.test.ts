import assert from 'node:assert/strict';
import { it } from 'node:test';
import { makeHead, partitionOf } from './head.ts';
import { identify } from './identify.ts';

const scoped = (service: string, region = 'us-east-1') => ({
  authorization: `AWS4-HMAC-SHA256 Credential=AKIA/20261121/${region}/${service}/aws4_request, SignedHeaders=host, Signature=x`,
});

for (const [host, path, bucket, key] of [
  ['127.0.0.1:4566', '/b/dir/key', 'b', 'dir/key'],
  ['s3.eu-west-1.amazonaws.com', '/b/k', 'b', 'k'],
  ['b.s3.eu-west-1.amazonaws.com', '/dir//k', 'b', 'dir//k'],
  ['b.with.dots.s3.amazonaws.com', '/k', 'b.with.dots', 'k'],
  ['b.s3.dualstack.eu-west-1.amazonaws.com', '/k', 'b', 'k'],
  ['b.s3-eu-west-1.amazonaws.com', '/k', 'b', 'k'],
  ['b.s3.cn-north-1.amazonaws.com.cn', '/k', 'b', 'k'],
  ['b.localhost:4566', '/k', 'b', 'k'],
  ['b.s3.localhost:4566', '/k', 'b', 'k'],
  ['b.s3.localhost.localstack.cloud:4566', '/k', 'b', 'k'],
  ['s3.localhost:4566', '/b/k', 'b', 'k'],
  ['bucket.vpce-0a1.s3.us-east-1.vpce.amazonaws.com', '/b/k', 'b', 'k'],
  ['b.bucket.vpce-0a1.s3.us-east-1.vpce.amazonaws.com', '/k', 'b', 'k'],
] as const) {
  it(`GET ${path} at ${host} is the key ${key} of the bucket ${bucket}`, () => {
    const { operation, labels, failure } = identify(makeHead('GET', path, { host, ...scoped('s3') }));
    assert.equal(failure, undefined);
    assert.deepEqual([operation?.name, labels.Bucket, labels.Key], ['GetObject', bucket, key]);
  });
}

for (const [line, name] of [
  ['GET /', 'ListBuckets'],
  ['GET /b', 'ListObjects'],
  ['GET /b/', 'ListObjects'],
  ['GET /b?list-type=2', 'ListObjectsV2'],
  ['GET /b?location', 'GetBucketLocation'],
  ['GET /b/k?uploadId=u', 'ListParts'],
  ['PUT /b/k?partNumber=1&uploadId=u', 'UploadPart'],
  ['POST /b/k?uploads', 'CreateMultipartUpload'],
  ['POST /b/k?uploadId=u', 'CompleteMultipartUpload'],
  ['DELETE /b/k?uploadId=u', 'AbortMultipartUpload'],
  ['DELETE /b/k?annotation', 'DeleteObjectAnnotation'],
  ['PUT /b?policy', 'PutBucketPolicy'],
  ['HEAD /b', 'HeadBucket'],
  ['GET /b?analytics&id=x', 'GetBucketAnalyticsConfiguration'],
  ['GET /b?analytics', 'ListBucketAnalyticsConfigurations'],
] as const) {
  it(`${line} is ${name}, without the hint that only SDKs send`, () => {
    const [method = '', url = ''] = line.split(' ');
    assert.equal(identify(makeHead(method, url, { host: '127.0.0.1', ...scoped('s3') })).operation?.name, name);
  });
}

it('the copy header makes a PutObject a CopyObject and an UploadPart an UploadPartCopy', () => {
  const headers = { host: '127.0.0.1', 'x-amz-copy-source': 'b/k', ...scoped('s3') };
  assert.equal(identify(makeHead('PUT', '/b/k', headers)).operation?.name, 'CopyObject');
  assert.equal(identify(makeHead('PUT', '/b/k?partNumber=1&uploadId=u', headers)).operation?.name, 'UploadPartCopy');
});

it('the scope says region and partition; without one the host does, and then us-east-1', () => {
  const at = (headers: Record<string, string>) => {
    const { region, partition, service } = identify(makeHead('POST', '/', headers));
    return [service?.name, region, partition];
  };
  assert.deepEqual(at({ host: '127.0.0.1', ...scoped('ec2', 'cn-north-1') }), ['ec2', 'cn-north-1', 'aws-cn']);
  assert.deepEqual(at({ host: 'ec2.us-gov-west-1.amazonaws.com' }), ['ec2', 'us-gov-west-1', 'aws-us-gov']);
  assert.deepEqual(at({ host: 'iam.amazonaws.com' }), ['iam', 'us-east-1', 'aws']);
  assert.deepEqual(at({ host: 'x', 'x-amz-target': 'AmazonSSM.GetParameter' }), ['ssm', 'us-east-1', 'aws']);
  assert.equal(partitionOf('us-iso-east-1'), 'aws-iso');
});

const myPoint = 'arn:aws:s3:us-east-1:123456789012:accesspoint/my-ap';
for (const [door, operation, bucket] of [
  ['my-ap-123456789012.accesspoint.vpce-0a1.s3.us-east-1.vpce.amazonaws.com', 'GetObject', myPoint],
  ['my-ap-123456789012.s3-accesspoint.us-east-1.amazonaws.com', 'GetObject', myPoint],
  ['my-ap-123456789012.s3-accesspoint-fips.dualstack.us-east-1.amazonaws.com', 'GetObject', myPoint],
  ['my-ap-123456789012.127.0.0.1:4566', 'GetObject', 'my-ap-123456789012'],
] as const) {
  it(`[X8] ${door} is an access point`, () => {
    const known = identify(makeHead('GET', '/k', { host: door, ...scoped('s3') }));
    assert.deepEqual([known.operation?.name, known.labels['Bucket'], known.labels['Key']], [operation, bucket, 'k']);
  });
}

for (const host of [
  '123456789012.s3-control.us-east-1.amazonaws.com',
  'control.vpce-0a1.s3.us-east-1.vpce.amazonaws.com',
  '123456789012.127.0.0.1:4566',
  '127.0.0.1:4566',
]) {
  it(`[X8] S3 Control is told by path and account at ${host}`, () => {
    const path = '/v20180820/configuration/publicAccessBlock';
    const known = identify(makeHead('GET', path, { host, 'x-amz-account-id': '123456789012', ...scoped('s3') }));
    assert.deepEqual([known.service?.name, known.operation?.name], ['s3-control', 'GetPublicAccessBlock']);
    // A bucket may be called like the version.
    const object = identify(makeHead('GET', path, { host: '127.0.0.1:4566', ...scoped('s3') }));
    assert.equal(object.operation?.name, 'GetObject');
  });
}
