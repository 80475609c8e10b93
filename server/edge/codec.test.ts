import assert from 'node:assert/strict';
import { test } from 'node:test';
import { loadService } from '../catalogue/catalogue.ts';
import { AwsError } from '../errors.ts';
import { renderError } from './codec.ts';
import { bodyWriter } from './protocols/xml-write.ts';

test('a JSON error without words has no member for them', () => {
  const body = (message: string) =>
    renderError({ protocol: 'aws-json-1.1' }, new AwsError('InvalidCiphertextException', 400, message), 'id').body;
  assert.equal(body(''), '{"__type":"InvalidCiphertextException"}');
  assert.equal(body('x'), '{"__type":"InvalidCiphertextException","message":"x"}');
});

test('the owner of a list of buckets stands before them', () => {
  const shape = loadService('s3').operation('ListBuckets')?.output;
  assert.ok(shape);
  assert.equal(
    bodyWriter(shape)({ Buckets: [{ Name: 'b' }], Owner: { ID: 'o' }, Prefix: 'p' }),
    '<Owner><ID>o</ID></Owner><Buckets><Bucket><Name>b</Name></Bucket></Buckets><Prefix>p</Prefix>',
  );
});
