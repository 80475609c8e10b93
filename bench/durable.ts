// What does a durable answer cost on this machine at least? The ways to have one row on disk, in turn, one after the other, with nothing else to do.
// What they share is the disk; what they differ by is metadata, the database, and how many threads are woken.

import fs from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import Database from 'libsql';
import { commitsInJournal } from '../server/store/commits.ts';
import { journalBytes, openJournal } from '../server/store/journal.ts';
import { Store } from '../server/store/store.ts';
import { processorTime } from './processor.ts';

export interface DurableRow {
  readonly name: string;
  /** Of one tenth at most, of half. */
  readonly bestUs: number;
  readonly middleUs: number;
  /** Processor time of the event loop, and of all threads. */
  readonly mainUs: number;
  readonly allUs: number;
}

type Way = (done: () => void) => void;

const page = Buffer.alloc(4096, 'x');
const row = {
  id: 'dopt-1',
  accountId: '123456789012',
  region: 'us-east-1',
  tags: { filler: 'x'.repeat(500) },
} as const;

function waysIn(directory: string): { ways: Readonly<Record<string, Way>>; end: () => Promise<void> } {
  const place = () => {
    let at = 0;
    return () => {
      at = (at + page.length) % journalBytes;
      return at;
    };
  };
  const [next, nextOfPool, nextInMemory] = [place(), place(), place()];
  const overwritten = openJournal(join(directory, 'overwritten'));
  const byPool = openJournal(join(directory, 'pool'));
  const inMemory = fs.openSync(join(directory, 'memory'), 'w');
  fs.writeSync(inMemory, Buffer.alloc(journalBytes));
  const appended = fs.openSync(join(directory, 'appended'), 'a');
  const database = new Database(join(directory, 'plain.db'));
  database.exec(
    'PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; CREATE TABLE t (n INTEGER PRIMARY KEY, text TEXT)',
  );
  const insert = database.prepare('INSERT INTO t (text) VALUES (?)');
  const text = JSON.stringify(row);
  const store = new Store(join(directory, 'store.db'), { commits: commitsInJournal });
  const ways = {
    'a write to memory by the pool of threads: two wake-ups, no disk': (done) =>
      fs.write(inMemory, page, 0, page.length, nextInMemory(), done),
    'one overwritten page, O_DSYNC, on the event loop': (done) => {
      fs.writeSync(overwritten, page, 0, page.length, next());
      done();
    },
    'the same by the pool of threads': (done) => fs.write(byPool, page, 0, page.length, nextOfPool(), done),
    'one appended page and fdatasync, on the event loop': (done) => {
      fs.writeSync(appended, page);
      fs.fdatasyncSync(appended);
      done();
    },
    'one row in SQLite (WAL, FULL), on the event loop': (done) => {
      insert.run(text);
      done();
    },
    'one row in the store': (done) => {
      void store.transact((tx) => tx.put('dhcp-options', { ...row, configurations: [] })).durable?.then(done);
    },
  } satisfies Record<string, Way>;
  const end = async () => {
    for (const file of [inMemory, overwritten, byPool, appended]) fs.closeSync(file);
    database.close();
    await store.close();
  };
  return { ways, end };
}

export async function measureDurable(rounds: number): Promise<DurableRow[]> {
  const directory = fs.mkdtempSync(join(tmpdir(), 'postern-bench-durable-'));
  const { ways: known, end } = waysIn(directory);
  const ways = Object.entries(known).map(([name, way]) => ({ name, way, us: [] as number[], mainUs: 0, allUs: 0 }));
  const each = 50;
  // The first round is warm-up.
  for (let round = 0; round <= rounds; round += 1) {
    for (const one of ways) {
      const before = processorTime(process.pid);
      const us: number[] = [];
      for (let count = 0; count < each; count += 1) {
        const begunAt = performance.now();
        await new Promise<void>((resolve) => one.way(resolve));
        us.push((performance.now() - begunAt) * 1000);
        // As a server does: back to the event loop after each.
        await new Promise((resolve) => setImmediate(resolve));
      }
      const after = processorTime(process.pid);
      if (round === 0) continue;
      one.us.push(...us);
      one.mainUs += (after.mainUs - before.mainUs) / each / rounds;
      one.allUs += (after.allUs - before.allUs) / each / rounds;
    }
  }
  await end();
  fs.rmSync(directory, { recursive: true, force: true });
  return ways.map(({ name, us, mainUs, allUs }) => {
    us.sort((a, b) => a - b);
    const at = (share: number) => us[Math.floor(us.length * share)] ?? Number.NaN;
    return { name, bestUs: at(0.1), middleUs: at(0.5), mainUs, allUs };
  });
}
