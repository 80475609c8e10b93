import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ReachRow } from '@postern/server/operator/api.ts';
import { questionOf, render } from './reach.ts';

const row = (more: Partial<ReachRow>): ReachRow => ({
  from: 'internet',
  to: 'eni-0123456789abcdef0',
  toInstance: 'i-0123456789abcdef0',
  via: [],
  viaReturn: [],
  traffic: 'tcp 22',
  flows: [],
  assumptions: [],
  ...more,
});

test('a port is tcp’s unless said otherwise, and wrong ones are wrong usage', () => {
  assert.deepEqual(questionOf({ to: 'i-1', port: '22' }), { to: 'i-1', protocol: 'tcp', port: 22 });
  assert.deepEqual(questionOf({ from: 'internet', protocol: 'icmp' }), { from: 'internet', protocol: 'icmp' });
  assert.deepEqual(questionOf({}), {});
  assert.throws(() => questionOf({ port: '70000' }), /1 to 65535/);
  assert.throws(() => questionOf({ port: '1', protocol: 'icmp' }), /no ports/);
  assert.throws(() => questionOf({ protocol: 'sctp' }), /tcp, udp or icmp/);
});

test('the table fits 80 columns, with a road of several gateways one below the other', () => {
  const natted = row({
    from: 'eni-0123456789abcdef1',
    fromInstance: 'i-0123456789abcdef1',
    via: [
      { kind: 'nat-gateway', id: 'nat-0123456789abcdef0' },
      { kind: 'internet-gateway', id: 'igw-0123456789abcdef0' },
    ],
    traffic: 'tcp 22, 80, 443, 1024–65535 (source ports 1024–65535); udp 53; icmp echo',
    assumptions: ['eni-1 hands on what is not its own, unchanged'],
  });
  const text = render(
    { to: 'i-0123456789abcdef0' },
    { rows: [row({ traffic: 'tcp 22 from any IPv4 address' }), natted], isComplete: true },
    80,
  );
  assert.equal(
    text,
    `Who reaches i-0123456789abcdef0

  from                 by                     traffic
  internet             inside the VPC         tcp 22 from any IPv4 address
  i-0123456789abcdef1  nat-0123456789abcdef0  tcp 22, 80, 443, 1024–65535
                       igw-0123456789abcdef0  (source ports 1024–65535); udp 53;
                                              icmp echo

Provided that eni-1 hands on what is not its own, unchanged.`,
  );
  assert.ok(text.split('\n').every((line) => [...line].length <= 80));
});

test('nothing is said as nothing', () => {
  assert.match(render({ from: 'internet', to: 'sg-1' }, { rows: [], isComplete: true }, 80), /✗ nothing does/);
});
