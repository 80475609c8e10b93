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
  assert.equal(readFileSync(file as string, 'utf8'), (coverage as () => string)());
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
