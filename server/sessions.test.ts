import assert from 'node:assert/strict';
import { beforeEach, describe, it } from 'node:test';
import { keyNamed, presentedKey, type SessionRow, signSession } from './sessions.ts';
import type { Store } from './store/store.ts';
import { testAccountId as accountId, makeStore } from './testing.ts';

const facts = {
  accountId,
  createDate: '2026-11-21T07:15:00.000Z',
  expiration: '2026-11-21T08:15:00.000Z',
  owner: {
    kind: 'role-session' as const,
    roleName: 'app',
    roleId: 'AROA',
    sessionName: 's1',
    sessionPolicies: [],
    sessionPolicyArns: [],
    tags: { Team: 'Zürich' },
  },
};

let store: Store;
let session: SessionRow;

const sign = (): SessionRow => store.transact((tx) => signSession(tx, facts)).value;
const present = (from: Store, { id, sessionToken }: Pick<SessionRow, 'id' | 'sessionToken'>) =>
  from.read((tx) => presentedKey(tx, id, sessionToken));

/** The same cloud after a restart: the rows are as they were, and nothing is remembered. */
function restarted(): Store {
  const again = makeStore();
  const key = store.read((tx) => tx.get('session-key', 'sessions'));
  assert.ok(key);
  again.transact((tx) => tx.put('session-key', { ...key }));
  return again;
}

beforeEach(() => {
  store = makeStore();
  session = sign();
});

describe('a session', () => {
  it('is what its token says, also after a restart', () => {
    assert.deepEqual(present(store, session), session);
    assert.deepEqual(present(restarted(), session), session);
    assert.deepEqual({ owner: session.owner, accountId: session.accountId }, { owner: facts.owner, accountId });
  });

  it('writes no row but the key of the first one', () => {
    const { revision } = store;
    sign();
    assert.equal(store.revision, revision);
    assert.equal(store.read((tx) => tx.list('access-key')).length, 0);
  });

  it('has a secret of 40 characters that the token does not carry', () => {
    assert.match(session.secretAccessKey, /^[\w+/]{40}$/);
    const said = Buffer.from(session.sessionToken.slice(80), 'base64').toString();
    assert.ok(said.includes('Zürich') && !said.includes(session.secretAccessKey));
    assert.notEqual(sign().secretAccessKey, session.secretAccessKey);
  });

  it('is nobody’s with another token, a changed one, or none', () => {
    const forged = JSON.stringify({ ...facts, owner: { kind: 'root' } });
    const { id, sessionToken } = session;
    const wrong = {
      'of another session': sign().sessionToken,
      'with other facts': sessionToken.slice(0, 80) + Buffer.from(forged).toString('base64'),
      'with a signature cut short': sessionToken.slice(0, 50),
      'with a letter of its signature changed': sessionToken.replace(/(?<=^.{16})./, (one) =>
        one === '0' ? '1' : '0',
      ),
      'with something after it': `${sessionToken}=`,
      none: undefined,
      empty: '',
    };
    for (const where of [store, restarted()])
      for (const [what, token] of Object.entries(wrong))
        assert.equal(
          where.read((tx) => presentedKey(tx, id, token)),
          undefined,
          what,
        );
    assert.equal(present(restarted(), { id: 'ASIAOTHER', sessionToken }), undefined, 'under another id');
  });

  it('ends with a reset', () => {
    store.clear();
    assert.equal(present(store, session), undefined);
    sign();
    assert.equal(present(store, session), undefined);
    assert.equal(
      store.read((tx) => keyNamed(tx, session.id)),
      undefined,
    );
  });
});
