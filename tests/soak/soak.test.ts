// A short soak: what the kernel holds after some thousand random changes by the API is what a cloud makes anew of the same rows.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { growth, growthBound, soak } from './soak.ts';

const skip = process.getuid?.() === 0 ? false : 'only root can enter the world of a cloud to read its kernel state';

test('a soak of a minute leaves nothing over, forgets nothing, and meets no bug', {
  skip,
  timeout: 400_000,
}, async () => {
  const seed = 1;
  const result = await soak(60, seed);
  assert.ok(result.changes > 50, `${result.changes} changes, seed ${seed}`);
  assert.deepEqual({ seed, bugs: result.bugs, difference: result.difference }, { seed, bugs: [], difference: [] });
  assert.ok(growth(result) <= growthBound, `memory in MB: ${result.memoryMegabytes.join(', ')}`);
});
