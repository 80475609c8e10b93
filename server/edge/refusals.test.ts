import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Protocol } from '../catalogue/shapes.ts';
import { serviceRefused } from './refusals.ts';

test('a signature for another service is refused in the words of the service that was signed for', () => {
  const scoped = "Credential should be scoped to correct service: 'ssm'.";
  const words: Record<string, readonly [Protocol, string, number, string | undefined]> = {
    s3: [
      'rest-xml',
      'AuthorizationHeaderMalformed',
      400,
      'The authorization header is malformed; incorrect service "s3". This endpoint belongs to "ssm".',
    ],
    ec2: ['ec2-query', 'AuthFailure', 401, undefined],
    sts: ['aws-query', 'SignatureDoesNotMatch', 403, scoped],
    dynamodb: ['aws-json-1.0', 'InvalidSignatureException', 400, scoped],
  };
  for (const [service, [protocol, code, status, message]] of Object.entries(words)) {
    const refused = serviceRefused(protocol, service, 'ssm');
    assert.deepEqual([refused.code, refused.status], [code, status]);
    if (message !== undefined) assert.equal(refused.message, message);
  }
});
