import assert from 'node:assert/strict';
import { test } from 'node:test';
import { regions } from '@postern/network/addresses.ts';
import { zonesOf } from './zones.ts';

test('every region has two to six zones with names of the region and ids of their own', () => {
  const ids = new Set<string>();
  for (const region of regions) {
    const zones = zonesOf(region);
    assert.ok(zones.length >= 2 && zones.length <= 6, region);
    for (const { name, id } of zones) {
      assert.match(name, new RegExp(`^${region}[a-f]$`));
      assert.equal(ids.has(id), false, id);
      ids.add(id);
    }
  }
  assert.deepEqual(zonesOf('us-east-1')[0], { name: 'us-east-1a', id: 'use1-az1' });
  assert.deepEqual(zonesOf('mars-north-1'), []);
  assert.deepEqual(zonesOf('constructor'), []);
});
