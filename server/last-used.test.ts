import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { createAccount } from './accounts.ts';
import { noteUse } from './last-used.ts';
import type { AccessKeyRow, RoleRow } from './store/rows/iam.ts';
import { makeStore, testAccountId, testNow } from './testing.ts';

const later = (seconds: number) => new Date(testNow.getTime() + seconds * 1000);

describe('when was a key last used', () => {
  const world = () => {
    let id = '';
    const store = makeStore((tx) => {
      id = createAccount(tx, testAccountId, testNow).rootKey.id;
    });
    const key = (): AccessKeyRow => {
      const row = store.read((tx) => tx.get('access-key', id));
      assert.ok(row);
      return row;
    };
    return { store, key };
  };

  it('the first use is kept at once, a second one within the minute is not written', () => {
    const { store, key } = world();
    noteUse(store, key(), { service: 's3', region: 'eu-west-1', now: testNow });
    assert.deepEqual(key().lastUsed, { date: testNow.toISOString(), service: 's3', region: 'eu-west-1' });
    const { revision } = store;
    noteUse(store, key(), { service: 'ec2', region: 'us-east-1', now: later(59) });
    assert.equal(store.revision, revision);
    noteUse(store, key(), { service: 'ec2', region: 'us-east-1', now: later(61) });
    assert.deepEqual(key().lastUsed, { date: later(61).toISOString(), service: 'ec2', region: 'us-east-1' });
  });

  it('a key that is deleted meanwhile does not come back', () => {
    const { store, key } = world();
    const row = key();
    store.transact((tx) => tx.delete('access-key', row.id));
    noteUse(store, row, { service: 's3', region: 'us-east-1', now: testNow });
    assert.equal(
      store.read((tx) => tx.get('access-key', row.id)),
      undefined,
    );
  });

  it('a session counts for its role, and for no other role of that name', () => {
    const { store, key } = world();
    const scope = { accountId: testAccountId, region: 'global' };
    const role: RoleRow = {
      id: `${testAccountId}/app`,
      ...scope,
      roleName: 'app',
      roleId: 'AROAAAAAAAAAAAAAAAAAA',
      path: '/',
      createDate: testNow.toISOString(),
      maxSessionDuration: 3600,
      assumeRolePolicyDocument: '{}',
      attachedPolicyArns: [],
      inlinePolicies: {},
      tags: {},
    };
    store.transact((tx) => tx.put('role', role));
    const session = (roleId: string): AccessKeyRow => ({
      ...key(),
      id: 'ASIAAAAAAAAAAAAAAAAA',
      sessionToken: 'token',
      owner: {
        kind: 'role-session',
        roleName: 'app',
        roleId,
        sessionName: 's1',
        sessionPolicies: [],
        sessionPolicyArns: [],
        tags: {},
      },
    });
    const used = () => store.read((tx) => tx.get('role', role.id)?.lastUsed);
    noteUse(store, session('AROABBBBBBBBBBBBBBBBB'), { service: 's3', region: 'us-east-1', now: testNow });
    assert.equal(used(), undefined);
    noteUse(store, session(role.roleId), { service: 's3', region: 'us-east-1', now: testNow });
    assert.deepEqual(used(), { date: testNow.toISOString(), region: 'us-east-1' });
  });
});
