// The operator's endpoints over a real socket, with a cloud that only remembers what it was asked.

import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, request as httpRequest } from 'node:http';
import type { AddressInfo } from 'node:net';
import { after, before, test } from 'node:test';
import { type Cloud, Operator, OperatorFailure } from './operator.ts';

const asked: unknown[] = [];
const logged: string[] = [];
const cloud = {
  status: () => ({ version: 'x' }),
  reset: async () => 5,
  settled: async () => {
    throw new Error('the kernel said no');
  },
  requests: (filter: unknown) => {
    asked.push(filter);
    return [{ operation: 'A' }, { operation: 'B' }];
  },
  environment: (accountId?: string) => ({ AWS_ACCESS_KEY_ID: accountId ?? 'default' }),
  accounts: () => [{ accountId: '123456789012' }],
  createAccount: async (name?: string) => ({ accountId: '210987654321', ...(name && { name }) }),
  setProviderKeys: async () => {},
  connectTarget: (instanceId: string) => {
    throw new OperatorFailure(404, `There is no instance ${instanceId}.`, 'aws ec2 describe-instances');
  },
} as unknown as Cloud;

const operator = new Operator(cloud, { token: 't', auth: 'strict', hosts: ['127.0.0.1'] }, (text) => logged.push(text));
const server = createServer((request, response) => void operator.handle(request, response));
server.on('upgrade', (request, socket, head) => void operator.upgrade(request, socket, head));

before(async () => {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
});
after(() => server.close());

function ask(method: string, path: string, body = '', headers: Record<string, string> = {}) {
  const { port } = server.address() as AddressInfo;
  return new Promise<{ status: number; text: string }>((resolve, reject) => {
    const request = httpRequest({
      port,
      host: '127.0.0.1',
      method,
      path: `/_postern${path}`,
      headers: { authorization: 'Bearer t', ...headers },
    });
    request.on('error', reject);
    request.on('response', (response) => {
      let text = '';
      response.setEncoding('utf8').on('data', (chunk: string) => {
        text += chunk;
      });
      response.on('end', () => resolve({ status: response.statusCode ?? 0, text }));
    });
    request.end(body);
  });
}

test('an endpoint answers in JSON; another method or path is 404 by name', async () => {
  assert.deepEqual(await ask('GET', '/status'), { status: 200, text: '{"version":"x"}' });
  assert.deepEqual(await ask('POST', '/reset'), { status: 200, text: '{"elapsedMs":5}' });
  const { status, text } = await ask('GET', '/reset');
  assert.deepEqual({ status, text }, { status: 404, text: '{"message":"There is no GET /_postern/reset."}' });
  assert.equal((await ask('GET', '/constructor')).status, 404);
});

test('without the token nothing happens', async () => {
  assert.equal((await ask('POST', '/reset', '', { authorization: 'Bearer no' })).status, 401);
  assert.equal((await ask('POST', '/reset', '', { origin: 'http://evil.example' })).status, 403);
});

test('a body that is no JSON object, lacks a field or is too large is the caller’s mistake', async () => {
  for (const body of ['', '{', 'null', '"text"', '{}', '{"instanceId":7,"user":"u","publicKey":"k"}'])
    assert.equal((await ask('POST', '/connect', body)).status, 400, body);
  assert.equal((await ask('POST', '/connect', `{"x":"${'a'.repeat(70_000)}"}`)).status, 413);
});

test('a failure carries the command that mends it', async () => {
  const { status, text } = await ask('POST', '/connect', '{"instanceId":"i-1","user":"u","publicKey":"k"}');
  assert.equal(status, 404);
  assert.deepEqual(JSON.parse(text), { message: 'There is no instance i-1.', cure: 'aws ec2 describe-instances' });
});

test('a bug is logged whole and answered in a sentence', async () => {
  const { status, text } = await ask('GET', '/settled');
  assert.deepEqual({ status, text }, { status: 500, text: '{"message":"Postern failed: the kernel said no"}' });
  assert.match(logged.join('\n'), /operator\.test\.ts/);
});

test('requests: a line per event, the filter passed on, a wrong limit refused', async () => {
  const { text } = await ask('GET', '/requests?limit=7&denied=1');
  assert.equal(text, '{"operation":"A"}\n{"operation":"B"}\n');
  assert.deepEqual(asked.at(-1), { limit: 7, denied: true });
  for (const limit of ['x', '-1', '1.5']) assert.equal((await ask('GET', `/requests?limit=${limit}`)).status, 400);
});

test('a stream that cannot start is refused with a status, not left open', async () => {
  const upgrade = { connection: 'Upgrade', upgrade: 'postern' };
  assert.equal((await ask('GET', '/nothing', '', upgrade)).status, 404);
  assert.equal((await ask('GET', '/tunnel?instance=i-1&port=70000', '', upgrade)).status, 400);
  for (const argv of ['', '[]', '[1]', '{}', 'ls'])
    assert.equal((await ask('GET', `/exec?instance=i-1&argv=${encodeURIComponent(argv)}`, '', upgrade)).status, 400);
  assert.equal((await ask('GET', '/exec', '', { ...upgrade, authorization: '' })).status, 401);
});

test('keys of an identity provider: public ones, in a list', async () => {
  const put = (keys: unknown) =>
    ask('POST', '/provider-keys', JSON.stringify({ providerArn: 'arn:aws:iam::123456789012:oidc-provider/x', keys }));
  assert.equal((await put([{ kty: 'RSA', n: 'a', e: 'AQAB' }])).text, '{"keys":1}');
  for (const keys of [undefined, 'x', [7], [{ kty: 'oct', k: 'a' }], [{ kty: 'EC', d: 'private' }]])
    assert.equal((await put(keys)).status, 400, JSON.stringify(keys));
});

test('accounts: listed, made with or without a name, and the environment of one', async () => {
  assert.equal((await ask('GET', '/accounts')).text, '[{"accountId":"123456789012"}]');
  assert.equal((await ask('POST', '/accounts', '{}')).text, '{"accountId":"210987654321"}');
  const named = await ask('POST', '/accounts', '{"name":"network team"}');
  assert.equal(named.text, '{"accountId":"210987654321","name":"network team"}');
  for (const name of ['', ' ', 'x'.repeat(51), 'a\nb', 7, null])
    assert.equal((await ask('POST', '/accounts', JSON.stringify({ name }))).status, 400, String(name));
  assert.equal((await ask('GET', '/env')).text, '{"AWS_ACCESS_KEY_ID":"default"}');
  assert.equal((await ask('GET', '/env?account=210987654321')).text, '{"AWS_ACCESS_KEY_ID":"210987654321"}');
});
