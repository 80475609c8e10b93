import assert from 'node:assert/strict';
import { test } from 'node:test';
import { loadService } from '../catalogue/catalogue.ts';
import { AwsError } from '../errors.ts';
import { renderError } from './codec.ts';
import { readJsonStructure } from './protocols/json.ts';
import { bodyWriter } from './protocols/xml-write.ts';
import { inputRequired } from './refusals.ts';

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

test('Organizations tells what is missing as a Reason', () => {
  const shape = loadService('organizations').operation('TagResource')?.input;
  assert.ok(shape);
  const reads = (input: unknown) => () => readJsonStructure(shape, input, '', false, inputRequired);
  const reason = (Reason: string) => ({ code: 'InvalidInputException', fields: { Reason } });
  assert.throws(reads({ ResourceId: 'r-1' }), reason('INPUT_REQUIRED:TAGS'));
  assert.throws(reads({ Tags: [] }), reason('INPUT_REQUIRED:RESOURCE_ID'));
  const Tags = [
    { Key: 'a', Value: 'b' },
    { Key: 'c', Value: null },
  ];
  assert.throws(reads({ ResourceId: 'r-1', Tags }), reason('INPUT_REQUIRED:TAGS_2_MEMBER_VALUE'));
});
