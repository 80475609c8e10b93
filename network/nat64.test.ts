import assert from 'node:assert/strict';
import { test } from 'node:test';
import { embeddedIpv4, embedIpv4 } from './nat64.ts';

test('[D6] an IPv4 address is the last 32 bits of the well-known prefix, and comes out of it again', () => {
  const cases = {
    '0.0.0.0': '64:ff9b::',
    '198.51.100.7': '64:ff9b::c633:6407',
    '255.255.255.255': '64:ff9b::ffff:ffff',
  };
  for (const [four, six] of Object.entries(cases)) {
    assert.equal(embedIpv4(four), six);
    assert.equal(embeddedIpv4(six), four);
  }
  for (const other of ['64:ff9b:1::c633:6407', '64:ff9b::1:0:0', '2001:db8::1', '::198.51.100.7'])
    assert.equal(embeddedIpv4(other), undefined, other);
});
