import assert from 'node:assert/strict';
import { test } from 'node:test';
import { environmentFor } from './aws.ts';

const cloud = {
  AWS_ENDPOINT_URL: 'http://127.0.0.1:4566',
  AWS_ACCESS_KEY_ID: 'AKIACLOUD',
  AWS_SECRET_ACCESS_KEY: 'secret',
  AWS_DEFAULT_REGION: 'us-east-1',
};

// Through itself: see `environmentFor`.
const asProxy = {
  http_proxy: cloud.AWS_ENDPOINT_URL,
  HTTP_PROXY: cloud.AWS_ENDPOINT_URL,
  no_proxy: '',
  NO_PROXY: '',
};

test('without a key of the person’s own, the cloud’s is used, and no foreign session token goes with it', () => {
  const made = environmentFor({ AWS_SESSION_TOKEN: 'stale', HOME: '/h' }, cloud);
  assert.deepEqual(made, { HOME: '/h', ...asProxy, ...cloud });
});

test('a key in the environment is used, with its token', () => {
  const own = { AWS_ACCESS_KEY_ID: 'AKIAUSER', AWS_SECRET_ACCESS_KEY: 's', AWS_SESSION_TOKEN: 't' };
  const made = environmentFor(own, cloud);
  assert.deepEqual(made, {
    ...own,
    ...asProxy,
    AWS_ENDPOINT_URL: cloud.AWS_ENDPOINT_URL,
    AWS_DEFAULT_REGION: 'us-east-1',
  });
});

test('a profile of the real AWS is left out, and the person’s region is kept', () => {
  const made = environmentFor({ AWS_PROFILE: 'work', AWS_REGION: 'eu-west-1' }, cloud);
  assert.equal(made['AWS_PROFILE'], undefined);
  assert.equal(made['AWS_DEFAULT_REGION'], 'eu-west-1');
});

test('an account that is named is used, whatever key is in the environment', () => {
  const own = { AWS_ACCESS_KEY_ID: 'AKIAUSER', AWS_SECRET_ACCESS_KEY: 's', AWS_SESSION_TOKEN: 't' };
  assert.deepEqual(environmentFor(own, cloud, true), { ...asProxy, ...cloud });
});
