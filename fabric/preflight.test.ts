import assert from 'node:assert/strict';
import { test } from 'node:test';
import { preflight } from './preflight.ts';

test('a machine without the tools is told the one command that installs them', () => {
  const path = process.env.PATH;
  process.env.PATH = '/nonexistent';
  try {
    for (const failure of preflight()) {
      assert.match(failure.problem, /^Not installed: /);
      assert.match(failure.cure, /^sudo apt-get install -y [a-z0-9 -]+$/);
    }
  } finally {
    process.env.PATH = path;
  }
});

test('every failure names its cure', () => {
  for (const failure of preflight()) {
    assert.notEqual(failure.problem, '');
    assert.notEqual(failure.cure, '');
  }
});
