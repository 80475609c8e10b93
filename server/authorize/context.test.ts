// Who asks and where from: principals out of access keys, and the global condition keys of 6.5.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { RequestPath } from '../path.ts';
import type { AccessKeyRow } from '../store/rows/iam.ts';
import { Store } from '../store/store.ts';
import { makeBaseCall, testNow } from '../testing.ts';
import { globalContext } from './context.ts';
import { anonymous, principalExists, principalOf } from './principal.ts';
import {
  account,
  allow,
  anasKey,
  endpointId,
  key,
  network,
  overEndpoint,
  overInternet,
  policy,
  putEndpoint,
  region,
  role,
  rootKey,
  sessionKey,
  user,
  vpcId,
} from './testing.ts';

test('[K1][K4] the keys of 6.5 come from the path, and no header changes them', () => {
  const store = new Store(':memory:');
  const keysOf = (path: RequestPath, accessKey: AccessKeyRow | undefined, headers: Record<string, string> = {}) =>
    store.read((tx) => {
      const principal = accessKey ? principalOf(tx, accessKey, 'aws') : anonymous;
      assert.ok(principal);
      return Object.fromEntries(
        globalContext(tx, makeBaseCall({ service: 's3', principal, path, headers }), accessKey),
      );
    });
  store.transact((tx) => {
    putEndpoint(tx, policy(allow({ Principal: '*' })));
    network(tx);
    tx.put('user', user('ana', { tags: { Team: 'red' } }));
    tx.put('role', role('app', { path: '/team/' }));
  });
  const forged = { 'x-forwarded-for': '10.9.9.9', 'x-amz-source-vpce': 'vpce-forged', 'user-agent': 'aws-cli/2' };
  const internet = keysOf(overInternet, anasKey, forged);
  assert.deepEqual(internet['aws:sourceip'], ['198.19.0.9']);
  for (const absent of ['aws:sourcevpc', 'aws:sourcevpce', 'aws:sourcevpcarn', 'aws:vpcsourceip', 'aws:vpceaccount'])
    assert.equal(internet[absent], undefined, absent);
  assert.deepEqual(internet['aws:useragent'], ['aws-cli/2']);
  assert.deepEqual(internet['aws:username'], ['ana']);
  assert.deepEqual(internet['aws:principaltag/team'], ['red']);
  assert.deepEqual(internet['aws:epochtime'], [String(testNow.getTime() / 1000)]);
  assert.equal(internet['aws:tokenissuetime'], undefined);

  const fromInstance = sessionKey('app', {
    instance: { instanceId: 'i-0ab1', vpcId, privateIp: '10.0.0.5', delivery: '2.0' },
  });
  const endpoint = keysOf(overEndpoint, fromInstance, forged);
  assert.equal(endpoint['aws:sourceip'], undefined);
  assert.deepEqual(endpoint['aws:vpcsourceip'], ['10.0.0.5']);
  assert.deepEqual(endpoint['aws:sourcevpc'], [vpcId]);
  assert.deepEqual(endpoint['aws:sourcevpce'], [endpointId]);
  assert.deepEqual(endpoint['aws:sourcevpcarn'], [`arn:aws:ec2:us-east-1:${account}:vpc/${vpcId}`]);
  assert.deepEqual(endpoint['aws:vpceaccount'], [account]);
  assert.deepEqual(endpoint['aws:principalarn'], [`arn:aws:iam::${account}:role/team/app`]);
  assert.deepEqual(endpoint['aws:userid'], ['AROAEXAMPLEAPP:i-0ab1']);
  for (const one of [endpoint, keysOf(overInternet, fromInstance)]) {
    assert.deepEqual(one['aws:ec2instancesourcevpc'], [vpcId]);
    assert.deepEqual(one['aws:ec2instancesourceprivateipv4'], ['10.0.0.5']);
    assert.deepEqual(one['aws:tokenissuetime'], ['2026-11-21T07:00:00.000Z']);
  }
  const nobody = keysOf(overInternet, undefined);
  assert.equal(nobody['aws:principalarn'], undefined);
  assert.deepEqual(nobody['aws:principalaccount'], ['anonymous']);
  store.close();
});

test('who holds a key: principals in their AWS forms', () => {
  const store = new Store(':memory:');
  store.transact((tx) => {
    tx.put('account', { id: account, accountId: account, region, createdAt: '' });
    tx.put('user', user('ana', { path: '/team/' }));
    tx.put('role', role('app', { path: '/team/' }));
  });
  store.read((tx) => {
    const arn = (one: AccessKeyRow, partition = 'aws') => principalOf(tx, one, partition)?.arn;
    assert.equal(arn(rootKey), `arn:aws:iam::${account}:root`);
    assert.equal(arn(rootKey, 'aws-cn'), `arn:aws-cn:iam::${account}:root`);
    assert.equal(arn(anasKey), `arn:aws:iam::${account}:user/team/ana`);
    assert.equal(arn(key({ kind: 'user', userName: 'gone' })), undefined);
    assert.equal(arn(key({ kind: 'session-token', of: { userName: 'ana' } })), `arn:aws:iam::${account}:user/team/ana`);
    assert.equal(arn(sessionKey('app')), `arn:aws:sts::${account}:assumed-role/app/i-0ab1`);
    assert.equal(principalOf(tx, sessionKey('app'), 'aws')?.roleArn, `arn:aws:iam::${account}:role/team/app`);
    assert.equal(principalExists(tx, `arn:aws:iam::${account}:user/team/ana`), true);
    assert.equal(principalExists(tx, `arn:aws:iam::${account}:user/ana`), false);
    assert.equal(principalExists(tx, 'arn:aws:iam::999999999999:user/ana'), true);
  });
  store.close();
});
