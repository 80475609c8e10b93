import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isReadableKey, newSshKey } from './ssh-key.ts';

test('every key can be read again', () => {
  // One in some 280 of the library's own could not be.
  for (let made = 0; made < 4000; made += 1) {
    const { private: secret, public: open } = newSshKey('c');
    assert.ok(isReadableKey(secret) && isReadableKey(open), secret);
  }
  assert.equal(isReadableKey('-----BEGIN OPENSSH PRIVATE KEY-----'), false);
});
