import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  addressAt,
  addressesOf,
  cidrSize,
  compareCidrs,
  contains,
  containsAddress,
  formatCidr,
  ipToNumber,
  normalizeCidr,
  numberToIp,
  overlaps,
  parseCidr,
} from './cidr.ts';

test('a CIDR is four decimal octets without leading zeros, a slash and 0 to 32', () => {
  assert.deepEqual(parseCidr('10.1.2.3/24'), { address: 0x0a010203, prefixLength: 24 });
  for (const bad of [
    '10.0.0.0',
    '10.0.0/24',
    '10.0.0.0/33',
    '10.0.0.256/8',
    '010.0.0.0/8',
    '10.0.0.0/08',
    ' 10.0.0.0/8',
    '::/0',
    '10.0.0.0/',
    '1.2.3.4.5/8',
    '10.0.0.0/-1',
    '10..0.0/8',
    '10.0.0./8',
    '.10.0.0/8',
    '10.0.0.0.1/8',
    '10.0.0.00/8',
    '10.0.0.1e1/8',
    '10.0.0.٣/8',
    '10.0.0/0.0',
  ]) {
    assert.equal(parseCidr(bad), undefined, bad);
  }
});

test('[C2] [R7] host bits are cleared, not refused', () => {
  assert.equal(normalizeCidr('100.68.0.18/18'), '100.68.0.0/18');
  assert.equal(normalizeCidr('255.255.255.255/0'), '0.0.0.0/0');
  assert.equal(formatCidr({ address: 0xffffffff, prefixLength: 32 }), '255.255.255.255/32');
});

test('addresses above 127.255.255.255 keep their sign', () => {
  assert.equal(ipToNumber('240.0.0.1'), 0xf0000001);
  assert.equal(numberToIp(0xf0000001), '240.0.0.1');
  assert.equal(containsAddress('240.0.0.0/4', '255.1.2.3'), true);
});

test('contains and overlaps', () => {
  assert.equal(contains('10.0.0.0/16', '10.0.255.0/24'), true);
  assert.equal(contains('10.0.0.0/16', '10.0.0.0/16'), true);
  assert.equal(contains('10.0.0.0/24', '10.0.0.0/16'), false);
  assert.equal(contains('0.0.0.0/0', '240.0.0.0/4'), true);
  assert.equal(overlaps('10.0.0.0/24', '10.0.0.128/25'), true);
  assert.equal(overlaps('10.0.0.0/24', '10.0.1.0/24'), false);
});

test('sizes, offsets, iteration and order', () => {
  assert.equal(cidrSize('10.0.0.0/28'), 16);
  assert.equal(cidrSize('0.0.0.0/0'), 2 ** 32);
  assert.equal(addressAt('10.0.0.0/24', 2), '10.0.0.2');
  assert.equal(addressAt('10.0.0.0/24', -1), '10.0.0.255');
  assert.deepEqual([...addressesOf('10.0.0.254/31')], ['10.0.0.254', '10.0.0.255']);
  assert.deepEqual((['10.0.0.0/24', '9.0.0.0/8', '10.0.0.0/16'] as const).toSorted(compareCidrs), [
    '9.0.0.0/8',
    '10.0.0.0/16',
    '10.0.0.0/24',
  ]);
});
