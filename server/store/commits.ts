// Who writes a batch: the calling thread, into the database, in a test; the journal, in the server. A commit waits for the disk, 0.1 ms on a good day and 5 on a
// bad one, and the event loop must not wait with it. There is never more than one batch under way, so their order is the order of the transactions, and
// what comes up meanwhile is the next batch: the busier the cloud, the more share one wait (group commit; docs/decisions/0009, 0026).

import fs from 'node:fs';
import { Worker } from 'node:worker_threads';
import type { Disk } from './disk.ts';
import { type Batch, Encoder, journalBytes, journalFiles, openJournal } from './journal.ts';

export interface Commits {
  /**
   * @param done called once, with an error when the batch is not on disk
   * @param placed called after that, when the database has it
   */
  commit(batch: Batch, done: (error?: Error) => void, placed: () => void): void;
  /** Settles when nothing is under way any more and the thread has ended. */
  end(): Promise<void>;
}

/** Commits on the calling thread, at once. */
export function commitsHere(disk: Disk): Commits {
  return {
    commit: (batch, done, placed) => {
      try {
        disk.place([{ serial: 0, batch }], 0);
      } catch (error) {
        done(error as Error);
        return;
      }
      done();
      placed();
    },
    end: async () => {},
  };
}

/** What the fold thread is asked: so much of this file is to go into the database. */
export interface Fold {
  readonly file: 0 | 1;
  readonly bytes: number;
}

/** How much of a file is written since it was last taken from the start, and who is told when the database has that. */
interface Journal {
  readonly descriptor: number;
  bytes: number;
  placed: (() => void)[];
}

/** `fs.write`; a test has one that fails. */
export type Write = (
  file: number,
  bytes: Buffer,
  position: number,
  done: (error: Error | null, written: number) => void,
) => void;
const writeFile: Write = (file, bytes, position, done) => fs.write(file, bytes, 0, bytes.length, position, done);

/** A quiet moment: nobody waits then. */
const quietMs = 50;

/** Commits to the journal, and starts the thread that takes it on to the database. */
export function commitsInJournal(disk: Disk, write = writeFile): Commits {
  return new JournalCommits(disk, write);
}

class JournalCommits implements Commits {
  readonly #write: Write;
  readonly #encoder: Encoder;
  readonly #thread: Worker;
  readonly #ended: Promise<void>;
  readonly #files: readonly Journal[];
  #serial = 0;
  #active: 0 | 1 = 0;
  #isWriting = false;
  #isFolding = false;
  #whenPlaced: (() => void) | undefined;
  #gone: Error | undefined;
  readonly #quiet: NodeJS.Timeout;

  constructor(disk: Disk, write: Write) {
    this.#write = write;
    this.#encoder = new Encoder(disk.generation);
    this.#files = journalFiles(disk.file).map((path) => ({ descriptor: openJournal(path), bytes: 0, placed: [] }));
    this.#thread = startThread(disk.file);
    this.#thread.on('message', () => this.#placed());
    this.#thread.on('error', (error) => {
      this.#gone = error;
    });
    this.#ended = new Promise((resolve) => {
      this.#thread.on('exit', () => {
        this.#gone ??= new Error('the thread that writes it has ended');
        this.#whenPlaced?.();
        resolve();
      });
    });
    this.#quiet = setTimeout(() => this.#fold(), quietMs).unref();
  }

  commit(batch: Batch, done: (error?: Error) => void, placed: () => void): void {
    if (this.#gone) {
      done(this.#gone);
      return;
    }
    const target = this.#target;
    this.#serial += 1;
    const bytes = this.#encoder.encode({ serial: this.#serial, batch });
    this.#isWriting = true;
    this.#write(target.descriptor, bytes, target.bytes, (error, written) => {
      this.#isWriting = false;
      if (error) return done(error);
      if (written < bytes.length) return done(new Error('its log took a part of it only'));
      target.bytes += written;
      target.placed.push(placed);
      // Before anybody is told: who is told may commit the next one at once.
      if (target.bytes >= journalBytes / 2) this.#fold();
      else this.#quiet.refresh();
      done();
    });
  }

  async end(): Promise<void> {
    clearTimeout(this.#quiet);
    for (let tries = 0; tries < 2; tries += 1) {
      this.#fold();
      if (this.#isFolding && !this.#gone)
        await new Promise<void>((resolve) => {
          this.#whenPlaced = resolve;
        });
    }
    this.#thread.postMessage('end');
    await this.#ended;
    for (const { descriptor } of this.#files) fs.closeSync(descriptor);
  }

  get #target(): Journal {
    return this.#files[this.#active] as Journal;
  }

  /** What is written goes on to the database, and the next batches into the other file; unless that one is not there yet. */
  #fold(): void {
    const { bytes } = this.#target;
    if (bytes === 0 || this.#isFolding) return;
    if (this.#isWriting) {
      this.#quiet.refresh();
      return;
    }
    this.#isFolding = true;
    this.#thread.postMessage({ file: this.#active, bytes } satisfies Fold);
    this.#active = this.#active === 0 ? 1 : 0;
  }

  #placed(): void {
    const folded = this.#files[this.#active === 0 ? 1 : 0] as Journal;
    const { placed } = folded;
    folded.bytes = 0;
    folded.placed = [];
    this.#isFolding = false;
    for (const tell of placed) tell();
    this.#whenPlaced?.();
    this.#quiet.refresh();
  }
}

function startThread(file: string): Worker {
  const here = import.meta.url;
  const fromSource = here.endsWith('.ts');
  const entry = new URL(fromSource ? './fold-thread.ts' : './fold-thread.mjs', here);
  // A thread does not inherit the loader that lets a test run from source (tsx 4.23, Node 20.20).
  const loaded = `import('tsx/esm/api').then(({ register }) => { register(); return import('${entry.href}'); });`;
  return new Worker(fromSource ? loaded : entry, {
    eval: fromSource,
    workerData: file,
    // It makes little garbage; the collector's usual reserve would be a tenth of our idle memory.
    resourceLimits: { maxYoungGenerationSizeMb: 2 },
  });
}
