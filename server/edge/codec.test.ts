import assert from 'node:assert/strict';
import { test } from 'node:test';
import { AwsError } from '../errors.ts';
import { renderError } from './codec.ts';

test('a JSON error without words has no member for them', () => {
  const body = (message: string) =>
    renderError({ protocol: 'aws-json-1.1' }, new AwsError('InvalidCiphertextException', 400, message), 'id').body;
  assert.equal(body(''), '{"__type":"InvalidCiphertextException"}');
  assert.equal(body('x'), '{"__type":"InvalidCiphertextException","message":"x"}');
});
