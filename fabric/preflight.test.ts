import assert from 'node:assert/strict';
import { test } from 'node:test';
import { pathWithTools, preflight } from './preflight.ts';

test('a machine without the tools is told the one command that installs them', () => {
  const [failure, ...others] = preflight('/nonexistent');
  assert.deepEqual(others, []);
  assert.match(failure?.problem ?? '', /^Not installed: .*nsenter/);
  assert.match(failure?.cure ?? '', /^sudo apt-get install -y [a-z0-9 -]*util-linux/);
});

test('an ordinary user’s PATH has the directories of the system’s tools added, after its own', () => {
  assert.equal(
    pathWithTools('/usr/local/bin:/usr/bin:/bin'),
    '/usr/local/bin:/usr/bin:/bin:/usr/local/sbin:/usr/sbin:/sbin',
  );
  assert.equal(pathWithTools(''), '/usr/local/sbin:/usr/sbin:/sbin:/usr/bin:/bin');
});
