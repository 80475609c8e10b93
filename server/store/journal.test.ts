// What a crash leaves of the journal, and what the next start makes of it.

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import {
  closeSync,
  constants,
  copyFileSync,
  existsSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import Database from 'libsql';
import { commitsInJournal } from './commits.ts';
import { Disk } from './disk.ts';
import { type Batch, Encoder, entriesOf, journalBytes, openJournal } from './journal.ts';
import type { DhcpOptionsRow } from './rows/ec2.ts';
import { Store } from './store.ts';

const row = (id: string, value = 'a'): DhcpOptionsRow => ({
  id,
  accountId: '123456789012',
  region: 'us-east-1',
  configurations: [{ key: 'domain-name', values: [value] }],
  tags: {},
});
const ids = (store: Store) => store.read((tx) => tx.list('dhcp-options').map(({ id }) => id));
const blockBytes = 4096;
const generation = '0123456789abcdef';

describe('an entry of the journal', () => {
  const batch: Batch = {
    everythingGoes: true,
    rows: ['object', 'a\nb\t"ü"', JSON.stringify({ text: 'line\nend, “quoted”' }), 'object', 'gone', ''],
    bytes: ['x', Buffer.from([0, 10, 255]), 'y', undefined, 'empty', Buffer.alloc(0)],
  };

  test('comes back as it was written, however many follow each other', () => {
    const encoder = new Encoder(generation);
    const large: Batch = { everythingGoes: false, rows: [], bytes: ['large', Buffer.alloc(journalBytes, 7)] };
    const file = Buffer.concat(
      [batch, large, batch].map((one, index) => Buffer.from(encoder.encode({ serial: index + 5, batch: one }))),
    );
    assert.equal(file.length % blockBytes, 0);
    assert.deepEqual(entriesOf(file, generation), [
      { serial: 5, batch },
      { serial: 6, batch: large },
      { serial: 7, batch },
    ]);
  });

  test('is not read when any byte of it is another, when it is cut, of another generation, or out of turn', () => {
    const encoder = new Encoder(generation);
    const bytes = Buffer.from(encoder.encode({ serial: 1, batch }));
    const length = bytes.readUInt32LE(28);
    for (let at = 0; at < length; at += 1) {
      const torn = Buffer.from(bytes);
      torn[at] = (torn[at] ?? 0) ^ 1;
      assert.deepEqual(entriesOf(torn, generation), [], `byte ${at}`);
    }
    for (let cut = 0; cut < length; cut += 1) assert.deepEqual(entriesOf(bytes.subarray(0, cut), generation), []);
    assert.deepEqual(entriesOf(bytes, 'fedcba9876543210'), []);
    const later = Buffer.from(encoder.encode({ serial: 3, batch }));
    assert.equal(entriesOf(Buffer.concat([bytes, later]), generation).length, 1);
  });
});

describe('the next start', () => {
  let directory: string;
  let count = 0;
  /** A store keeps its lock until its process ends, so each has a file of its own. */
  const file = () => {
    count += 1;
    return join(directory, `${count}.db`);
  };
  before(() => {
    directory = mkdtempSync(join(tmpdir(), 'postern-journal-'));
  });
  after(() => rmSync(directory, { recursive: true, force: true }));
  const suffixes = ['', '-wal', '-log0', '-log1'];
  const copied = (from: string, which = suffixes, to = file()): string => {
    for (const suffix of which) if (existsSync(from + suffix)) copyFileSync(from + suffix, to + suffix);
    return to;
  };
  /** Three rows, one commit each, nothing of them in the database yet. */
  async function withThree(): Promise<{ from: string; store: Store }> {
    const from = file();
    const store = new Store(from, { commits: commitsInJournal });
    for (const id of ['one', 'two', 'three']) await store.transact((tx) => tx.put('dhcp-options', row(id))).durable;
    return { from, store };
  }

  test('finds everything that was durable, wherever in its block the last write was torn', async () => {
    const { from, store } = await withThree();
    const remains = copied(from);
    await store.close();
    const whole = readFileSync(`${remains}-log0`);
    for (const at of [0, 1, 20, 31, 32, 100, 200]) {
      const torn = copied(remains);
      // A fourth write, of which the disk has the beginning only.
      const bytes = Buffer.from(whole);
      bytes.copy(bytes, 3 * blockBytes, 2 * blockBytes, 2 * blockBytes + at);
      writeFileSync(`${torn}-log0`, bytes);
      assert.deepEqual(ids(new Store(torn)), ['one', 'two', 'three'], `${at} bytes`);
      const half = Buffer.from(whole);
      half.fill(0, 2 * blockBytes + at, 3 * blockBytes);
      writeFileSync(`${torn}-log0`, half);
      const again = copied(remains);
      writeFileSync(`${again}-log0`, half);
      assert.deepEqual(ids(new Store(again)), ['one', 'two'], `the third, ${at} bytes of it`);
    }
  });

  test('refuses to begin without a change that was followed by others, and names the file', async () => {
    const from = file();
    const store = new Store(from, { commits: commitsInJournal });
    const early = copied(from);
    const large = () => store.transact((tx) => tx.put('dhcp-options', row('a', 'x'.repeat(journalBytes)))).durable;
    await large();
    await large();
    await store.close();
    // The database as it was at the start, and the second file alone.
    const partly = copied(early);
    copyFileSync(`${from}-log1`, `${partly}-log1`);
    rmSync(`${partly}-log0`);
    assert.throws(() => new Store(partly), /\d\.db: change 1 is missing from its log/);
  });

  test('puts what the database has already there only once, and follows from one file to the other', async () => {
    const from = file();
    const store = new Store(from, { commits: commitsInJournal });
    const early = copied(from);
    const value = 'x'.repeat(journalBytes / 8);
    const expected: string[] = [];
    // Deletes and puts again: whatever is placed twice, or out of turn, changes the order.
    for (let turn = 0; turn < 7; turn += 1) {
      const id = `dopt-${turn % 3}`;
      if (turn === 4) await store.transact((tx) => tx.delete('dhcp-options', 'dopt-0')).durable;
      await store.transact((tx) => tx.put('dhcp-options', row(id, value))).durable;
    }
    expected.push(...ids(store));
    const late = copied(from);
    await store.close();
    assert.deepEqual(ids(new Store(late)), expected);
    // Nothing of the journal had been placed, or all of it and nobody had been told.
    assert.deepEqual(ids(new Store(copied(early, ['', '-wal'], copied(from, ['-log0', '-log1'])))), expected);
    assert.deepEqual(ids(new Store(copied(from))), expected);
  });

  test('takes nothing from the log of another database', async () => {
    const { from, store } = await withThree();
    const foreign = copied(from, ['-log0', '-log1']);
    await store.close();
    assert.deepEqual(ids(new Store(foreign)), []);
  });

  test('finds rows that a version of before had written', () => {
    const former = file();
    const database = new Database(former);
    database.exec('CREATE TABLE journal (n INTEGER PRIMARY KEY, rows TEXT NOT NULL)');
    const lines = JSON.stringify(['dhcp-options', 'old', JSON.stringify(row('old'))]);
    database.prepare('INSERT INTO journal (rows) VALUES (?)').run(lines);
    database.close();
    assert.deepEqual(ids(new Store(former)), ['old']);
    assert.deepEqual(ids(new Store(copied(former))), ['old']);
  });

  test('a batch longer than the journal is kept, and the file is short again when the database has it', async () => {
    const from = file();
    const store = new Store(from, { commits: commitsInJournal });
    const body = Buffer.alloc(3 * journalBytes, 'b');
    store.putBytes('large', body);
    await store.transact((tx) => tx.put('dhcp-options', row('after'))).durable;
    assert.ok(body.equals(store.bytes('large') ?? Buffer.alloc(0)), 'before the database has it');
    const killed = new Store(copied(from));
    assert.ok(body.equals(killed.bytes('large') ?? Buffer.alloc(0)));
    while (statSync(`${from}-log0`).size > journalBytes) await delay(5);
    store.deleteBytes('large');
    assert.deepEqual([store.bytes('large'), store.bytesIds()], [undefined, []], 'the database still has it');
    await store.close();
    assert.deepEqual(new Disk(copied(from)).bytesIds(), []);
  });

  test('what is written to the journal is on disk when the write returns', () => {
    const descriptor = openJournal(file());
    const flags = /^flags:\s+(\d+)/m.exec(readFileSync(`/proc/self/fdinfo/${descriptor}`, 'utf8'))?.[1] ?? '';
    assert.notEqual(Number.parseInt(flags, 8) & constants.O_DSYNC, 0);
    closeSync(descriptor);
  });

  test('the files of the journal are the owner’s alone', async () => {
    const mask = process.umask(0);
    try {
      const { from, store } = await withThree();
      await store.close();
      for (const suffix of suffixes)
        if (existsSync(from + suffix)) assert.equal(statSync(from + suffix).mode & 0o077, 0, suffix);
    } finally {
      process.umask(mask);
    }
  });

  for (const afterRows of [1, 40, 700])
    test(`after kill -9, some time after ${afterRows} rows, every row is there that the process had said was durable`, async () => {
      const target = file();
      const program = `
        const { Store } = await import(${JSON.stringify(new URL('./store.ts', import.meta.url).href)});
        const { commitsInJournal } = await import(${JSON.stringify(new URL('./commits.ts', import.meta.url).href)});
        const store = new Store(${JSON.stringify(target)}, { commits: commitsInJournal });
        const shared = ${JSON.stringify(row(''))};
        let next = 0;
        const worker = async () => {
          for (;;) {
            const id = 'dopt-' + next++;
            store.putBytes(id, Buffer.from(id));
            await store.transact((tx) => tx.put('dhcp-options', { ...shared, id })).durable;
            process.stdout.write(id + '\\n');
          }
        };
        for (let at = 0; at < 3; at += 1) void worker();
        setInterval(() => {}, 1000);`;
      const child = spawn(process.execPath, ['--import', 'tsx', '--input-type=module', '-e', program], {
        stdio: ['ignore', 'pipe', 'inherit'],
      });
      let said = '';
      const ended = new Promise((resolve) => child.on('close', resolve));
      child.stdout.setEncoding('utf8').on('data', (text: string) => {
        said += text;
        if (said.split('\n').length > afterRows) child.kill('SIGKILL');
      });
      await ended;
      const store = new Store(target);
      const kept = new Set(ids(store));
      const durable = said.split('\n').slice(0, -1);
      assert.ok(durable.length >= afterRows);
      for (const id of durable) {
        assert.ok(kept.has(id), `${id} is there`);
        assert.equal(String(store.bytes(id)), id);
      }
    });
});
