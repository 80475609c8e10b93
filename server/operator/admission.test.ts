import assert from 'node:assert/strict';
import { test } from 'node:test';
import { loopbackHosts, refuse } from './admission.ts';

const rules = { token: 'right', auth: 'strict', hosts: [...loopbackHosts] } as const;
const headers = { host: '127.0.0.1:4566', authorization: 'Bearer right' };

test('the operator’s token lets in, by every loopback name', () => {
  for (const host of ['127.0.0.1:4566', 'localhost:4566', '[::1]:4566', 'LOCALHOST'])
    assert.equal(refuse({ ...headers, host }, rules), undefined, host);
});

test('no token, a wrong one, one of another length and another scheme are 401', () => {
  for (const authorization of [undefined, 'Bearer wrong', 'Bearer righ', 'Bearer right2', 'Basic right', 'Bearer ', ''])
    assert.equal(
      refuse({ host: headers.host, ...(authorization !== undefined && { authorization }) }, rules)?.status,
      401,
    );
});

test('a foreign Host is 403 even with the token: DNS rebinding changes the name', () => {
  for (const host of ['evil.example', '127.0.0.1.evil.example:4566', 'localhost.evil:4566', '10.0.0.1:4566', ''])
    assert.equal(refuse({ ...headers, host }, rules)?.status, 403, host);
  assert.equal(refuse({ authorization: headers.authorization }, rules)?.status, 403);
});

test('a foreign Origin is 403 even with the token; the own one may ask', () => {
  for (const origin of ['http://evil.example', 'null', 'http://127.0.0.1:80', 'https://localhost:4566'])
    assert.equal(refuse({ ...headers, origin }, rules)?.status, 403, origin);
  assert.equal(refuse({ ...headers, origin: 'http://127.0.0.1:4566' }, rules), undefined);
});

test('--auth open needs no token, and refuses a foreign Host and Origin all the same', () => {
  const open = { ...rules, auth: 'open' } as const;
  assert.equal(refuse({ host: headers.host }, open), undefined);
  assert.equal(refuse({ host: 'evil.example' }, open)?.status, 403);
  assert.equal(refuse({ host: headers.host, origin: 'http://evil.example' }, open)?.status, 403);
});
