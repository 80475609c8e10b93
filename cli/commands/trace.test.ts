import assert from 'node:assert/strict';
import { test } from 'node:test';
import { questionOf } from './trace.ts';

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
