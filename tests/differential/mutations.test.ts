// The mutation check breaks each stage in the walk and in the compiler; what it breaks is there to be broken.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { stages } from '@postern/network/stages.ts';
import { mutations, nameOf } from './mutations.ts';

test('every stage has a mutation in the walk and one in the compiler', () => {
  const missing = stages.flatMap(({ name }) =>
    ['walk', 'compile']
      .filter((side) => !mutations.some((each) => each.stage === name && each.side === side))
      .map((side) => `${side}: ${name}`),
  );
  assert.deepEqual(missing, []);
});

test('what a mutation changes is once in its file', () => {
  const wrong = mutations.flatMap((each) => {
    const source = readFileSync(new URL(`../../${each.file}`, import.meta.url), 'utf8');
    const times = source.split(each.from).length - 1;
    return times === 1 ? [] : [`${nameOf(each)}: ${each.from} is ${times} times in ${each.file}`];
  });
  assert.deepEqual(wrong, []);
});
