import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseIpv6Cidr } from './ipv6.ts';

test('an IPv6 block has one spelling, with its host bits cleared', () => {
  const cases: [string, string | undefined][] = [
    ['::/0', '::/0'],
    ['2001:DB8::1/32', '2001:db8::/32'],
    ['2001:db8:0:0:1:0:0:1/128', '2001:db8::1:0:0:1/128'],
    ['fe80::1/64', 'fe80::/64'],
    ['2001:db8:ffff::/33', '2001:db8:8000::/33'],
    ['::ffff:10.0.0.1/128', '::ffff:a00:1/128'],
    ['1:2:3:4:5:6:7:8/128', '1:2:3:4:5:6:7:8/128'],
    ['::/129', undefined],
    ['::', undefined],
    ['fe80::1%eth0/64', undefined],
    ['10.0.0.0/8', undefined],
    ['x/1', undefined],
  ];
  for (const [text, expected] of cases) assert.equal(parseIpv6Cidr(text), expected, text);
});
