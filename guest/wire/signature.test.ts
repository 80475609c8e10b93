import assert from 'node:assert/strict';
import { test } from 'node:test';
import { identify, makeHead, verify } from '@postern/server/edge/edge.ts';
import { signedHeaders } from './signature.ts';

const key = { accessKeyId: 'AKIDEXAMPLE', secretAccessKey: 'secret', sessionToken: 'token' };
const now = new Date('2026-11-21T08:00:00Z');
const channel = 'https://ssmmessages.us-east-1.amazonaws.com/v1/control-channel/i-1?role=subscribe&stream=input';

for (const [service, method, href, body] of [
  ['ssm', 'POST', 'https://ssm.us-east-1.amazonaws.com/', '{"a":1}'],
  ['ssmmessages', 'GET', channel, ''],
  ['s3', 'PUT', 'https://s3.us-east-1.amazonaws.com/b/a%20b/stdout', 'out'],
] as const)
  test(`what is signed for ${service} is what the edge verifies, and nothing else`, () => {
    const url = new URL(href);
    const headers = signedHeaders({ method, url, service, region: 'us-east-1', body }, key, now);
    const check = (secretAccessKey: string) =>
      verify(
        identify(makeHead(method, `${url.pathname}${url.search}`, headers)),
        { lookup: () => ({ secretAccessKey, sessionToken: key.sessionToken }), now },
        Buffer.from(body),
      );
    assert.equal(check(key.secretAccessKey).kind, 'signed');
    assert.throws(() => check('another'), /signature/);
  });
