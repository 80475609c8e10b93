import assert from 'node:assert/strict';
import { test } from 'node:test';
import { planIds } from './id-plan.ts';

test('root’s whole map gives machines the ids from 100000', () => {
  assert.deepEqual(planIds('         0          0 4294967295\n'), { base: 100_000, count: 65_536 });
});

test('a subordinate range gives machines that range', () => {
  assert.deepEqual(planIds('0 1000 1\n1 100000 65536\n'), { base: 1, count: 65_536 });
});

test('a range in two pieces that touch is one', () => {
  assert.deepEqual(planIds('0 1000 1\n1 100000 30000\n30001 200000 40000'), { base: 1, count: 65_536 });
});

test('one id, or a range that is too small, leaves our own id', () => {
  assert.deepEqual(planIds('0 1000 1\n'), { base: 0, count: 1 });
  assert.deepEqual(planIds('0 1000 1\n1 100000 1000\n'), { base: 0, count: 1 });
});
