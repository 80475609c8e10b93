import assert from 'node:assert/strict';
import { test } from 'node:test';
import { preflight } from './preflight.ts';

test('a machine without the tools is told the one command that installs them', () => {
  const path = process.env.PATH;
  process.env.PATH = '/nonexistent';
  try {
    const [failure, ...others] = preflight();
    assert.deepEqual(others, []);
    assert.match(failure?.problem ?? '', /^Not installed: .*nsenter/);
    assert.match(failure?.cure ?? '', /^sudo apt-get install -y [a-z0-9 -]*util-linux/);
  } finally {
    process.env.PATH = path;
  }
});
