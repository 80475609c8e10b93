import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import {
  addAccount,
  asOwner,
  createAccount,
  defaultAccountId,
  ensureFirstState,
  ensureRootKey,
  openAuthKey,
  rootKeyOf,
} from './accounts.ts';
import { newAccessKeyId, newSecretAccessKey, newUniqueId, parseRoleArn } from './identities.ts';
import { makeStore, testNow } from './testing.ts';

describe('accounts', () => {
  it('the first start makes the default account with a root key, the second keeps both', () => {
    const store = makeStore();
    const first = store.transact((tx) => ensureFirstState(tx, testNow)).value;
    assert.equal(first.account.id, '123456789012');
    assert.match(first.rootKey.id, /^AKIA[A-Z2-7]{16}$/);
    const second = store.transact((tx) => ensureFirstState(tx, testNow));
    assert.deepEqual(second.value.rootKey, first.rootKey);
    assert.equal(second.durable, undefined);
  });

  it('no two clouds have the same root key', () => {
    const keys = [makeStore(), makeStore()].map(
      (store) => store.transact((tx) => ensureFirstState(tx, testNow)).value.rootKey,
    );
    assert.notEqual(keys[0]?.id, keys[1]?.id);
    assert.notEqual(keys[0]?.secretAccessKey, keys[1]?.secretAccessKey);
  });

  it('a start after root deleted its keys makes a new one', () => {
    const store = makeStore();
    const { rootKey } = store.transact((tx) => ensureFirstState(tx, testNow)).value;
    store.transact((tx) => tx.delete('access-key', rootKey.id));
    const again = store.transact((tx) => ensureFirstState(tx, testNow)).value;
    assert.notEqual(again.rootKey.id, rootKey.id);
    assert.equal(store.read((tx) => rootKeyOf(tx, defaultAccountId))?.id, again.rootKey.id);
  });

  it('a further account is its own, once', () => {
    const store = makeStore();
    store.transact((tx) => createAccount(tx, '210987654321', testNow));
    assert.throws(() => store.transact((tx) => createAccount(tx, '210987654321', testNow)), /exists already/);
    assert.throws(() => store.transact((tx) => createAccount(tx, '21098765432', testNow)), /12 digits/);
    assert.equal(store.read((tx) => tx.list('access-key', { accountId: '210987654321' })).length, 1);
  });

  it('a further account has an id and a root key of its own, and keeps its name', () => {
    const store = makeStore((tx) => ensureFirstState(tx, testNow));
    const row = store.transact((tx) => addAccount(tx, 'network team', testNow)).value;
    assert.match(row.id, /^[1-9]\d{11}$/);
    assert.equal(store.read((tx) => tx.get('account', row.id))?.name, 'network team');
    const rootKey = store.transact((tx) => ensureRootKey(tx, row.id, testNow)).value;
    assert.equal(rootKey.accountId, row.id);
    assert.deepEqual(store.transact((tx) => ensureRootKey(tx, row.id, testNow)).value, rootKey);
    assert.notEqual(store.transact((tx) => addAccount(tx, undefined, testNow)).value.id, row.id);
  });

  it('a cure names the account that it is for, also inside', () => {
    const cure = 'aws ec2 associate-address --allocation-id $(aws ec2 allocate-address)';
    assert.equal(asOwner(cure, defaultAccountId), cure);
    assert.equal(
      asOwner(cure, '210987654321'),
      'aws --account 210987654321 ec2 associate-address --allocation-id $(aws --account 210987654321 ec2 allocate-address)',
    );
  });

  it('with open auth a 12-digit key is that account and any other the default one', () => {
    assert.equal(openAuthKey('000000000001'), '000000000001');
    for (const key of ['test', 'AKIAIOSFODNN7EXAMPLE', '1234567890123'])
      assert.equal(openAuthKey(key), defaultAccountId);
  });

  it('with open auth a key that was issued and is gone stays gone: it does not become root', () => {
    for (const prefix of ['AKIA', 'ASIA'] as const) assert.equal(openAuthKey(newAccessKeyId(prefix)), undefined);
  });

  it('a reset keeps the root key that terminals have exported', () => {
    const store = makeStore((tx) => ensureFirstState(tx, testNow));
    const before = store.read((tx) => rootKeyOf(tx, defaultAccountId));
    store.clear();
    store.transact((tx) => ensureFirstState(tx, testNow, before));
    assert.deepEqual(
      store.read((tx) => rootKeyOf(tx, defaultAccountId)),
      before,
    );
  });
});

describe('identities', () => {
  it('keys and ids have AWS’s lengths and prefixes', () => {
    assert.match(newAccessKeyId('ASIA'), /^ASIA[A-Z2-7]{16}$/);
    assert.equal(newSecretAccessKey().length, 40);
    assert.match(newUniqueId('AROA'), /^AROA[A-Z2-7]{17}$/);
  });

  it('a role’s ARN is read with its path, and nothing else is one', () => {
    assert.deepEqual(parseRoleArn('arn:aws-cn:iam::123456789012:role/a/b/app'), {
      partition: 'aws-cn',
      accountId: '123456789012',
      path: '/a/b/',
      roleName: 'app',
    });
    for (const arn of [
      'arn:aws:iam::123456789012:user/app',
      'arn:aws:iam::123:role/app',
      'arn:aws:iam::123456789012:role/',
      'app',
    ]) {
      assert.equal(parseRoleArn(arn), undefined);
    }
  });
});
