import assert from 'node:assert/strict';
import { test } from 'node:test';
import { endsOf, questionOf } from './trace.ts';

test('a port in the name, as an option, or none at all: then it is a ping', () => {
  assert.deepEqual(questionOf('i-1', 'db:5432', {}), { from: 'i-1', to: 'db', protocol: 'tcp', port: 5432 });
  assert.deepEqual(questionOf('i-1', 'db', { port: '53', protocol: 'udp' }), {
    from: 'i-1',
    to: 'db',
    protocol: 'udp',
    port: 53,
  });
  assert.deepEqual(questionOf('i-1', '10.0.0.4', {}), { from: 'i-1', to: '10.0.0.4', protocol: 'icmp' });
  assert.deepEqual(questionOf('internet', '2001:db8::1', {}), {
    from: 'internet',
    to: '2001:db8::1',
    protocol: 'icmp',
  });
});

test('what is no port and no protocol is wrong usage', () => {
  assert.throws(() => questionOf('i-1', 'db', { protocol: 'tcp' }), /tcp needs a port/);
  assert.throws(() => questionOf('i-1', 'db', { port: '70000' }), /1 to 65535/);
  assert.throws(() => questionOf('i-1', 'db', { protocol: 'sctp' }), /tcp, udp or icmp/);
});

test('the ends are two words, options, or one of each', () => {
  assert.deepEqual(endsOf('i-1', 'db:80', {}), ['i-1', 'db:80']);
  assert.deepEqual(endsOf(undefined, undefined, { from: 'i-1', to: 's3://b/k' }), ['i-1', 's3://b/k']);
  assert.deepEqual(endsOf('s3://b/k', undefined, { from: 'i-1' }), ['i-1', 's3://b/k']);
  assert.throws(() => endsOf('i-1', undefined, {}), /two ends/);
  assert.throws(() => endsOf('i-1', 'i-2', { from: 'i-3' }), /two ends/);
});

test('a request to a service has no port to say; a port makes it a packet', () => {
  const request = { from: 'i-1', to: 's3://b/k', protocol: 'tcp', port: 443 };
  assert.deepEqual(questionOf('i-1', 's3://b/k', {}), request);
  assert.deepEqual(questionOf('i-1', 'dynamodb', { action: 'dynamodb:ListTables', as: '123456789012' }), {
    ...request,
    to: 'dynamodb',
    action: 'dynamodb:ListTables',
    as: '123456789012',
  });
  assert.throws(() => questionOf('i-1', 'db:80', { as: '123456789012' }), /about a request/);
});
