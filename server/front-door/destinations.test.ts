import assert from 'node:assert/strict';
import { test } from 'node:test';
import { destinationOf } from './front-door.ts';

test('service addresses answer as AWS, unassigned and private ones not at all, every other one as a stand-in', () => {
  const cases: Record<string, string> = {
    '198.18.1.1': 'service',
    '198.19.0.7': 'nobody',
    '203.0.113.10': 'nobody',
    '10.0.0.1': 'nobody',
    '240.1.0.1': 'nobody',
    '203.0.113.50': 'outside',
    '8.8.8.8': 'outside',
    '2001:db8:0:1::1': 'service',
    '2001:db8:1010:101::a': 'nobody',
    '2001:db8:f000::10': 'nobody',
    'fd00:ec2::254': 'nobody',
    'fe80::1': 'nobody',
    'ff02::1': 'nobody',
    '::1': 'nobody',
    '::ffff:a00:1': 'nobody',
    '2001:db8:f000::cb00:7132': 'outside',
    '2606:4700:4700::1111': 'outside',
  };
  for (const [address, expected] of Object.entries(cases)) assert.equal(destinationOf(address), expected, address);
});
