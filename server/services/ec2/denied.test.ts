import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Decision } from '@postern/policy/types.ts';
import { decodeAuthorizationMessage, messageScope } from '../../authorize/encoded-message.ts';
import { AwsError } from '../../errors.ts';
import { makeBaseCall, rootPrincipal } from '../../testing.ts';
import { ec2 } from './index.ts';

const decision: Decision = {
  allowed: false,
  layer: 'identity',
  explicit: false,
  citations: [],
  layers: [],
  reason: 'because no identity-based policy allows the ec2:CreateVpc action',
};

test('[F5] a denial is UnauthorizedOperation, 403, and its encoded message says what was asked', () => {
  const resource = 'arn:aws:ec2:us-east-1:123456789012:vpc/*';
  const context = new Map([['aws:SourceIp', ['203.0.113.10']]]);
  const error = ec2.denied(
    makeBaseCall(),
    { principal: rootPrincipal(), action: 'ec2:CreateVpc', resource, context },
    decision,
  );
  assert.ok(error instanceof AwsError);
  assert.equal(error.code, 'UnauthorizedOperation');
  assert.equal(error.status, 403);
  const [said, encoded = ''] = error.message.split(' Encoded authorization failure message: ');
  assert.equal(
    said,
    `You are not authorized to perform this operation. User: arn:aws:iam::123456789012:root is not authorized to perform: ec2:CreateVpc on resource: ${resource} because no identity-based policy allows the ec2:CreateVpc action.`,
  );
  const message = JSON.parse(decodeAuthorizationMessage(messageScope(makeBaseCall()), encoded) ?? '{}');
  // Another account learns nothing from it, and nobody does without the key.
  const other = { ...messageScope(makeBaseCall()), accountId: '210987654321' };
  assert.equal(decodeAuthorizationMessage(other, encoded), undefined);
  assert.ok(!Buffer.from(encoded, 'base64url').toString('latin1').includes('CreateVpc'));
  assert.equal(message.allowed, false);
  assert.equal(message.context.resource, resource);
  assert.deepEqual(message.context.conditions.items[0], {
    key: 'aws:SourceIp',
    values: { items: [{ value: '203.0.113.10' }] },
  });
});

test('text that is no encoded message is not decoded', () => {
  const scope = messageScope(makeBaseCall());
  for (const text of ['', 'nonsense', 'AAAA', '%%%']) assert.equal(decodeAuthorizationMessage(scope, text), undefined);
});
