import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import fs, {
  chmodSync,
  copyFileSync,
  existsSync,
  mkdtempSync,
  readdirSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import Database from 'libsql';
import { commitsInJournal, type Write } from './commits.ts';
import { Disk } from './disk.ts';
import type { DhcpOptionsRow } from './rows/ec2.ts';
import { type Index, Store, type StoreOptions } from './store.ts';

const row = (id: string, value = 'a'): DhcpOptionsRow => ({
  id,
  accountId: '123456789012',
  region: 'us-east-1',
  configurations: [{ key: 'domain-name', values: [value] }],
  tags: {},
});

describe('an index of the store', () => {
  const byValue: Index<'dhcp-options'> = {
    kind: 'dhcp-options',
    keyOf: (one) => (one.configurations[0]?.values[0] === 'none' ? undefined : one.configurations[0]?.values[0]),
  };
  const found = (store: Store, key: string) => store.read((tx) => tx.find(byValue, key).map(({ id }) => id));

  test('finds the rows that say something, as they are put, changed, taken away and cleared', () => {
    const store = new Store(':memory:');
    store.transact((tx) => tx.put('dhcp-options', row('a', 'x')));
    assert.deepEqual(found(store, 'x'), ['a'], 'a row from before the index was asked for');
    store.transact((tx) => {
      tx.put('dhcp-options', row('b', 'x'));
      tx.put('dhcp-options', row('c', 'none'));
    });
    assert.deepEqual(found(store, 'x'), ['a', 'b']);
    assert.deepEqual(found(store, 'none'), []);
    store.transact((tx) => tx.put('dhcp-options', row('a', 'y')));
    assert.deepEqual([found(store, 'x'), found(store, 'y')], [['b'], ['a']]);
    store.transact((tx) => tx.delete('dhcp-options', 'b'));
    assert.deepEqual(found(store, 'x'), []);
    store.clear();
    assert.deepEqual(found(store, 'y'), []);
    store.close();
  });

  test('sees what its own transaction wrote, and forgets it when that fails', () => {
    const store = new Store(':memory:');
    store.transact((tx) => {
      tx.put('dhcp-options', row('a', 'x'));
      tx.put('dhcp-options', row('b', 'x'));
    });
    const seen: string[][] = [];
    assert.throws(() =>
      store.transact((tx) => {
        tx.put('dhcp-options', row('a', 'y'));
        tx.delete('dhcp-options', 'b');
        tx.put('dhcp-options', row('c', 'x'));
        seen.push(
          tx.find(byValue, 'x').map(({ id }) => id),
          tx.find(byValue, 'y').map(({ id }) => id),
        );
        throw new Error('no');
      }),
    );
    assert.deepEqual(seen, [['c'], ['a']]);
    assert.deepEqual([found(store, 'x'), found(store, 'y')], [['a', 'b'], []]);
    store.close();
  });
});

/** Writes to the journal until something is to be written that names this. */
const writesUnless =
  (word: string): Write =>
  (descriptor, bytes, position, done) => {
    if (bytes.includes(word)) setImmediate(() => done(new Error('the disk is full'), 0));
    else fs.write(descriptor, bytes, 0, bytes.length, position, done);
  };

/** The server's way, and that of the other tests; and each with a disk that refuses dopt-2. */
const ways: readonly (readonly [name: string, options: StoreOptions, refusing: (file: string) => StoreOptions])[] = [
  [
    'the journal commits',
    { commits: commitsInJournal },
    () => ({ commits: (disk) => commitsInJournal(disk, writesUnless('dopt-2')) }),
  ],
  [
    'the event loop commits',
    {},
    (file) => {
      new Disk(file).close();
      const database = new Database(file);
      database.exec(
        "CREATE TRIGGER full BEFORE INSERT ON rows WHEN NEW.id = 'dopt-2' BEGIN SELECT RAISE(ABORT, 'the disk is full'); END",
      );
      database.close();
      return {};
    },
  ],
];

for (const [way, options, refusing] of ways)
  describe(`the store, where ${way}`, () => {
    /** What does not depend on it is tested once: a thread takes a while to start from source. */
    const once = options.commits === undefined;
    let directory: string;
    let count = 0;
    /** A file of its own: a store keeps its lock until its process ends. */
    const file = () => {
      count += 1;
      return join(directory, `${count}.db`);
    };
    /** What a kill at this moment would leave. */
    const remains = (from: string): string => {
      const to = file();
      for (const suffix of ['', '-wal', '-log0', '-log1'])
        if (existsSync(from + suffix)) copyFileSync(from + suffix, to + suffix);
      return to;
    };
    before(() => {
      directory = mkdtempSync(join(tmpdir(), 'postern-store-'));
    });
    after(() => rmSync(directory, { recursive: true, force: true }));

    test('a kill after a row was durable leaves the bytes that were put before it', async () => {
      const from = file();
      const store = new Store(from, options);
      store.putBytes('x', Buffer.from('body'));
      assert.equal(String(store.bytes('x')), 'body', 'before the commit');
      await store.transact((tx) => tx.put('dhcp-options', row('a'))).durable;
      const after = new Store(remains(from), options);
      assert.equal(String(after.bytes('x')), 'body');
      assert.deepEqual(after.bytesIds(), ['x']);
      after.deleteBytes('x');
      await after.transact((tx) => tx.delete('dhcp-options', 'a')).durable;
      assert.equal(after.bytes('x'), undefined);
      after.putBytes('y', Buffer.from('other'));
      await after.clear();
      assert.deepEqual([after.bytes('y'), after.bytesIds()], [undefined, []]);
      await Promise.all([store.close(), after.close()]);
    });

    test('transactions that come while a commit is under way are all kept, in their order', async () => {
      /** Together more than a file of the journal takes before the other one's turn. */
      const value = (turn: number) => String(turn).padEnd(20_000);
      const from = file();
      const store = new Store(from, options);
      const expected: DhcpOptionsRow[] = [];
      const durable: (Promise<void> | undefined)[] = [];
      for (let turn = 0; turn < 200; turn += 1) {
        const id = `dopt-${turn % 7}`;
        const before = expected.findIndex((one) => one.id === id);
        if (turn % 5 === 4 && before >= 0) {
          expected.splice(before, 1);
          durable.push(store.transact((tx) => tx.delete('dhcp-options', id)).durable);
        } else {
          expected.splice(before < 0 ? expected.length : before, before < 0 ? 0 : 1, row(id, value(turn)));
          durable.push(store.transact((tx) => tx.put('dhcp-options', row(id, value(turn)))).durable);
        }
        if (turn % 3 === 0) await new Promise((resolve) => setImmediate(resolve));
      }
      assert.ok(durable.every((one) => one !== undefined));
      await Promise.all(durable);
      assert.deepEqual(
        new Store(remains(from)).read((tx) => tx.list('dhcp-options')),
        expected,
      );
      await store.close();
    });

    test('`close` writes what is pending first', async () => {
      const from = file();
      const store = new Store(from, options);
      store.transact((tx) => tx.put('dhcp-options', row('dopt-1')));
      await store.close();
      assert.deepEqual(
        new Store(remains(from)).read((tx) => tx.list('dhcp-options')),
        [row('dopt-1')],
      );
    });

    if (once)
      test('rows that were durable are there after a new start, in the order they were first put', async () => {
        const from = file();
        const store = new Store(from, options);
        await store.transact((tx) => {
          for (const id of ['dopt-2', 'dopt-1', 'dopt-3']) tx.put('dhcp-options', row(id));
        }).durable;
        await store.transact((tx) => {
          tx.delete('dhcp-options', 'dopt-3');
          tx.put('dhcp-options', row('dopt-2', 'b'));
        }).durable;
        assert.deepEqual(
          new Store(remains(from)).read((tx) => tx.list('dhcp-options')),
          [row('dopt-2', 'b'), row('dopt-1')],
        );
        await store.close();
      });

    test('what is put right after a clear is on disk with it, and nothing of before', async () => {
      const from = file();
      const store = new Store(from, options);
      await store.transact((tx) => tx.put('dhcp-options', row('dopt-1'))).durable;
      const rows = (path: string) => new Store(remains(path)).read((tx) => tx.list('dhcp-options'));
      const late = store.transact((tx) => tx.put('dhcp-options', row('dopt-2'))).durable;
      const cleared = store.clear();
      assert.deepEqual(rows(from), [row('dopt-1')]);
      void store.transact((tx) => tx.put('dhcp-options', row('dopt-3')));
      await Promise.all([late, cleared]);
      assert.deepEqual(rows(from), [row('dopt-3')]);
      await store.close();
    });

    if (once)
      test('a transaction that throws leaves nothing', async () => {
        const store = new Store(file(), options);
        assert.throws(
          () =>
            store.transact((tx) => {
              tx.put('dhcp-options', row('dopt-9'));
              throw new Error('no');
            }),
          /no/,
        );
        assert.equal(
          store.read((tx) => tx.get('dhcp-options', 'dopt-9')),
          undefined,
        );
        await store.close();
      });

    if (once)
      test('its files are the owner’s alone, whatever the mask is and whatever they were', async () => {
        const mask = process.umask(0);
        try {
          const known = file();
          writeFileSync(known, '');
          chmodSync(known, 0o666);
          const store = new Store(known, options);
          store.transact((tx) => tx.put('dhcp-options', row('dopt-4')));
          void store.clear();
          const open = readdirSync(directory).filter((name) => (statSync(join(directory, name)).mode & 0o077) !== 0);
          await store.close();
          assert.deepEqual(open, []);
        } finally {
          process.umask(mask);
        }
      });

    test('another process that opens the same file is refused, also by another name', async () => {
      const known = file();
      const store = new Store(known, options);
      await store.transact((tx) => tx.put('dhcp-options', row('dopt-1'))).durable;
      const alias = file();
      symlinkSync(known, alias);
      const open = `const { Store } = await import(${JSON.stringify(new URL('./store.ts', import.meta.url).href)});
      for (const file of ${JSON.stringify([known, alias])})
        try { new Store(file); console.log('opened'); } catch (error) { console.log(error.message); }`;
      const other = spawnSync(process.execPath, ['--import', 'tsx', '--input-type=module', '-e', open], {
        encoding: 'utf8',
      });
      assert.equal(
        other.stdout,
        `another process has ${known} open\nanother process has ${alias} open\n`,
        other.stderr,
      );
      await store.close();
    });

    if (once)
      test('a file that is no database is named', () => {
        const broken = file();
        writeFileSync(broken, 'this is no database, and long enough to be looked at by SQLite'.repeat(20));
        assert.throws(() => new Store(broken), /\d\.db cannot be opened: .*not a database/);
      });

    test('a request that was half way when the store was closed is no failure of the disk, and is not kept', async () => {
      const known = file();
      const told: string[] = [];
      const store = new Store(known, { ...options, onBroken: (error) => told.push(error.message) });
      await store.transact((tx) => tx.put('dhcp-options', row('dopt-1'))).durable;
      const closed = store.close();
      store.transact((tx) => tx.put('dhcp-options', row('dopt-2')));
      await closed;
      store.transact((tx) => tx.put('dhcp-options', row('dopt-3')));
      await new Promise((resolve) => setImmediate(resolve));
      assert.deepEqual(told, []);
      const again = new Store(known);
      assert.deepEqual(
        again.read((tx) => tx.list('dhcp-options')),
        [row('dopt-1')],
      );
      await again.close();
    });

    test('when the disk refuses a commit, nobody is told that it was kept, and nothing is answered any more', async () => {
      const full = file();
      const told: string[] = [];
      const store = new Store(full, { ...refusing(full), onBroken: (error) => told.push(error.message) });
      await store.transact((tx) => tx.put('dhcp-options', row('dopt-1'))).durable;
      const { durable } = store.transact((tx) => tx.put('dhcp-options', row('dopt-2')));
      const refused = assert.rejects(durable ?? Promise.resolve(), /cannot be written: the disk is full/);
      const sharesItsFate = store.transact((tx) => tx.put('dhcp-options', row('dopt-3'))).durable;
      await assert.rejects(sharesItsFate ?? Promise.resolve(), /cannot be written/);
      await refused;
      await assert.rejects(store.close(), /cannot be written/);
      assert.equal(told.length, 1);
      assert.throws(() => store.read((tx) => tx.list('dhcp-options')), /cannot be written/);
      assert.throws(() => store.transact((tx) => tx.list('dhcp-options')), /cannot be written/);
      assert.deepEqual(
        new Store(remains(full)).read((tx) => tx.list('dhcp-options')),
        [row('dopt-1')],
      );
    });
  });
