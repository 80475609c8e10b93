import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as dns from 'dns-packet';
import { type Asker, answerQuery, type Resolve } from './resolver.ts';

const internet: Asker = { of: 'internet' };
const inVpc: Asker = { of: 'vpc-1', sourceIp: '10.0.0.4' };

const query = (name: string, type: dns.RecordType = 'A') =>
  dns.encode({ type: 'query', id: 7, flags: dns.RECURSION_DESIRED, questions: [{ name, type }] });
const one: Resolve = (_asker, name) => ({
  rcode: 'NOERROR',
  answers: [{ name: name.toLowerCase(), type: 'A', ttlSeconds: 60, data: '198.18.1.1' }],
});

test('an answer carries the question’s id and its capitals', () => {
  const answer = dns.decode(answerQuery(query('S3.Amazonaws.com'), inVpc, one, 512) ?? Buffer.alloc(0));
  assert.equal(answer.id, 7);
  assert.equal((answer.flags ?? 0) & 15, 0);
  assert.deepEqual(
    answer.answers?.map(({ name }) => name),
    ['S3.Amazonaws.com'],
  );
});

test('a name that does not exist is NXDOMAIN', () => {
  const answer = dns.decode(
    answerQuery(query('no.such'), internet, () => ({ rcode: 'NXDOMAIN', answers: [] }), 512) ?? Buffer.alloc(0),
  );
  assert.equal((answer.flags ?? 0) & 15, 3);
});

test('[D4] where the resolver is off there is no answer at all', () => {
  assert.equal(
    answerQuery(query('s3.amazonaws.com'), inVpc, () => undefined, 512),
    undefined,
  );
});

test('what is no question gets no answer', () => {
  assert.equal(answerQuery(Buffer.from('hello'), internet, one, 512), undefined);
  assert.equal(
    answerQuery(dns.encode({ type: 'response', id: 1, questions: [{ name: 'a', type: 'A' }] }), internet, one, 512),
    undefined,
  );
  assert.equal(answerQuery(Buffer.alloc(0), internet, one, 512), undefined);
});

test('an answer that is too large for UDP says so', () => {
  const many: Resolve = (_asker, name) => ({
    rcode: 'NOERROR',
    answers: Array.from({ length: 100 }, (_, index) => ({ name, type: 'A', ttlSeconds: 1, data: `10.0.0.${index}` })),
  });
  const answer = dns.decode(answerQuery(query('many.test'), internet, many, 512) ?? Buffer.alloc(0));
  assert.equal(answer.flag_tc, true);
  assert.equal(answer.answers?.length, 0);
});

test('[X4] of several addresses another comes first each time, and questions of one answer between take no turn', () => {
  const two: Resolve = (_asker, name) => ({
    rcode: 'NOERROR',
    answers: ['10.0.0.50', '10.0.1.50'].map((data) => ({ name, type: 'A', ttlSeconds: 60, data })),
  });
  let turn = 0;
  const first = (resolve: Resolve) => {
    const bytes = answerQuery(query('vpce-1.test'), inVpc, resolve, 512, () => turn++);
    return dns.decode(bytes ?? Buffer.alloc(0)).answers?.map((answer) => ('data' in answer ? answer.data : ''))[0];
  };
  const seen = [first(two), first(one), first(two), first(one), first(two)];
  assert.deepEqual(seen, ['10.0.0.50', '198.18.1.1', '10.0.1.50', '198.18.1.1', '10.0.0.50']);
});
