// docs/coverage.md is what the code says of itself: made anew, it is the same.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { services } from '@postern/server/catalogue/catalogue.ts';
// @ts-expect-error -- a script in plain JavaScript, with no types
import { coverage, file } from '../../scripts/coverage.mjs';
// @ts-expect-error -- as above
import { reasons } from '../../scripts/coverage-reasons.mjs';

test('docs/coverage.md is up to date (npm run coverage)', () => {
  const held = readFileSync(file as string, 'utf8').split('\n');
  const made = (coverage as () => string)().split('\n');
  const beginnings = made.filter((line) => !held.includes(line)).map((line) => line.slice(0, 80));
  assert.deepEqual(beginnings, [], 'lines that the file has not, by their beginnings');
  assert.ok(made.length === held.length, 'the file has lines too many');
});

test('every reason is one of an operation that there is', () => {
  const idle: string[] = [];
  for (const [name, classes] of Object.entries(reasons as Record<string, [string, RegExp][]>)) {
    const operations = services().find((one) => one.name === name)?.operations ?? [];
    for (const [reason, pattern] of classes)
      if (!operations.some((operation) => pattern.test(operation))) idle.push(`${name}: ${reason}`);
  }
  assert.deepEqual(idle, []);
});
