import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { Cidr } from '../snapshot.ts';
import { AddressSet } from './address-set.ts';
import { has, intersect, type Ranges, rangesOf, subtract, unite } from './ranges.ts';

const set = (...cidrs: Cidr[]) => AddressSet.ofCidrs(cidrs);

test('ranges: every operation is what it is of each number', () => {
  const ranges = fc
    .array(fc.tuple(fc.nat(40), fc.nat(40)), { maxLength: 6 })
    .map((pairs): Ranges<number> => rangesOf(pairs));
  fc.assert(
    fc.property(ranges, ranges, (a, b) => {
      for (let at = -1; at < 42; at += 1) {
        const [inA, inB] = [has(a, at), has(b, at)];
        assert.equal(has(unite(a, b), at), inA || inB);
        assert.equal(has(intersect(a, b), at), inA && inB);
        assert.equal(has(subtract(a, b), at), inA && !inB);
      }
      // One spelling for each set: neighbours never touch.
      const both = unite(a, b);
      assert.deepEqual(
        both,
        [...new Set(both)].sort((x, y) => x - y),
      );
    }),
  );
});

test('a set is told as the fewest networks', () => {
  assert.deepEqual(set('10.0.0.0/9', '10.128.0.0/9').cidrs(), ['10.0.0.0/8']);
  assert.deepEqual(set('10.0.0.0/30').subtract(set('10.0.0.0/32')).cidrs(), ['10.0.0.1/32', '10.0.0.2/31']);
  assert.deepEqual(set('2001:db8::/33', '2001:db8:8000::/33', '10.0.0.1/32').cidrs(), ['10.0.0.1/32', '2001:db8::/32']);
  assert.deepEqual(AddressSet.all.cidrs(), ['0.0.0.0/0', '::/0']);
});

test('in words: what it is, or what it is not, whichever is shorter', () => {
  assert.equal(set('10.0.0.4/32').describe(), '10.0.0.4');
  assert.equal(set('10.0.0.0/8', '192.168.0.0/16').describe(), '10.0.0.0/8, 192.168.0.0/16');
  assert.equal(set('0.0.0.0/0').subtract(set('10.0.0.0/8')).describe(), '0.0.0.0/0 but 10.0.0.0/8');
  assert.equal(AddressSet.all.subtract(set('2001:db8::/32')).describe(), 'anywhere but 2001:db8::/32');
  assert.equal(AddressSet.all.describe(), 'anywhere');
  assert.equal(
    AddressSet.ofAddresses(['10.0.0.1', '10.0.0.3', '10.0.0.5', '10.0.0.7', '10.0.0.9']).describe(),
    '10.0.0.1, 10.0.0.3, 10.0.0.5, 10.0.0.7 and 1 more',
  );
});

test('a cover is as wide as what it must not touch lets it be', () => {
  assert.deepEqual(set('10.0.0.0/24').subtract(set('10.0.0.10/32')).cover(set('10.0.1.0/24')), ['10.0.0.0/24']);
  assert.deepEqual(set('10.0.0.4/32').cover(AddressSet.none), ['0.0.0.0/0']);
  assert.deepEqual(set('10.0.0.4/32').cover(set('10.0.0.5/32')), ['10.0.0.4/32']);
});

test('families do not mix, and what is no address is in no set', () => {
  assert.ok(AddressSet.all.contains('::1') && AddressSet.all.contains('255.255.255.255'));
  assert.ok(!set('0.0.0.0/0').contains('::1') && !set('::/0').contains('10.0.0.1') && !AddressSet.all.contains('x'));
});
