import assert from 'node:assert/strict';
import { test } from 'node:test';
import { compareCidrs, contains, containsAddress, isIpv6Cidr, overlaps } from './cidr.ts';
import { ipv6AddressAt, ipv6CidrRange, ipv6ToNumber, normalizeIpv6, normalizeIpv6Cidr, numberToIpv6 } from './ipv6.ts';

test('an IPv6 address has one spelling, that of RFC 5952', () => {
  const cases: Record<string, string | undefined> = {
    '2001:DB8:0:0:0:0:0:1': '2001:db8::1',
    '2001:db8:0:0:1:0:0:1': '2001:db8::1:0:0:1',
    '2001:0db8::0001': '2001:db8::1',
    '2001:db8:0:1:1:1:1:1': '2001:db8:0:1:1:1:1:1',
    '::': '::',
    '::1': '::1',
    '1::': '1::',
    '1:2:3:4:5:6:7:8': '1:2:3:4:5:6:7:8',
    '1:2:3:4:5:6:7::': '1:2:3:4:5:6:7:0',
    '::ffff:10.0.0.1': '::ffff:a00:1',
    '64:ff9b::192.0.2.33': '64:ff9b::c000:221',
    '1:2:3:4:5:6:7': undefined,
    '1:2:3:4:5:6:7:8:9': undefined,
    '1:2:3:4:5:6:7:8::': undefined,
    '1::2::3': undefined,
    ':::': undefined,
    ':1': undefined,
    '1:': undefined,
    '12345::': undefined,
    'g::': undefined,
    '': undefined,
    'fe80::1%eth0': undefined,
    '10.0.0.1': undefined,
    '10.0.0.1::': undefined,
    '::10.0.0.256': undefined,
    '::10.0.0': undefined,
    '1:2:3:4:5:6:7:10.0.0.1': undefined,
  };
  for (const [text, expected] of Object.entries(cases)) assert.equal(normalizeIpv6(text), expected, text);
  assert.equal(
    numberToIpv6(ipv6ToNumber('ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff') ?? 0n),
    Array(8).fill('ffff').join(':'),
  );
});

test('[R7] host bits of an IPv6 block are cleared, not refused', () => {
  const cases: Record<string, string | undefined> = {
    '::/0': '::/0',
    '2001:DB8::1/32': '2001:db8::/32',
    '2001:db8:ffff::/33': '2001:db8:8000::/33',
    '2001:db8::1/128': '2001:db8::1/128',
    'ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff/0': '::/0',
    'fe80::1/64': 'fe80::/64',
    '::/129': undefined,
    '::/': undefined,
    '::/064': undefined,
    '::': undefined,
    '::/-1': undefined,
    'fe80::1%eth0/64': undefined,
    '10.0.0.0/8': undefined,
  };
  for (const [text, expected] of Object.entries(cases)) assert.equal(normalizeIpv6Cidr(text), expected, text);
});

test('an IPv6 block’s ends, and what lies between them', () => {
  assert.deepEqual(ipv6CidrRange('2001:db8::/127'), {
    first: ipv6ToNumber('2001:db8::'),
    last: ipv6ToNumber('2001:db8::1'),
  });
  assert.equal(ipv6AddressAt('2001:db8::/64', 4n), '2001:db8::4');
  assert.equal(ipv6AddressAt('2001:db8::/64', -1n), '2001:db8::ffff:ffff:ffff:ffff');
  assert.throws(() => ipv6CidrRange('10.0.0.0/8'), TypeError);
});

test('[R1] blocks of the two families neither hold nor overlap each other', () => {
  assert.equal(contains('2001:db8::/56', '2001:db8:0:1::/64'), true);
  assert.equal(contains('2001:db8::/56', '2001:db8:0:100::/64'), false);
  assert.equal(contains('::/0', '2001:db8::/32'), true);
  assert.equal(contains('::/0', '10.0.0.0/8'), false);
  assert.equal(contains('0.0.0.0/0', '2001:db8::/32'), false);
  assert.equal(overlaps('2001:db8::/56', '2001:db8::/64'), true);
  assert.equal(overlaps('2001:db8::/64', '2001:db8:0:1::/64'), false);
  assert.equal(overlaps('0.0.0.0/0', '::/0'), false);
  assert.equal(containsAddress('2001:db8::/64', '2001:db8::1:0:0:1'), true);
  assert.equal(containsAddress('2001:db8::/64', '10.0.0.1'), false);
  assert.equal(containsAddress('10.0.0.0/8', '::1'), false);
  assert.deepEqual([isIpv6Cidr('::/0'), isIpv6Cidr('0.0.0.0/0')], [true, false]);
  assert.deepEqual((['2001:db8::/64', '10.0.0.0/8', '2001:db8::/32', '::/0'] as const).toSorted(compareCidrs), [
    '10.0.0.0/8',
    '::/0',
    '2001:db8::/32',
    '2001:db8::/64',
  ]);
});
