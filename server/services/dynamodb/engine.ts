// The server's side of the process that holds the tables: started on first use, asked over its own channel, started again when it has ended.
// A request that ends it gets InternalServerError; those that wait behind are asked again of the next process, for nothing of theirs was kept.
// A process that ends without a word (kill -9) may have kept any of those that it had, so all of them get InternalServerError.

import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { AwsError } from '../../errors.ts';
import type { EngineReply, EngineRequest, Space, TableFacts, WireInput } from './engine/protocol.ts';
import { internalServerError } from './errors.ts';

export interface EngineOptions {
  /** The file of the tables. */
  readonly file: string;
  /** The program to start. */
  readonly program?: string;
  /** Told when the process has ended and nobody wanted that. */
  readonly notice: (text: string) => void;
}

type WithoutId<T> = T extends unknown ? Omit<T, 'id'> : never;
type Question = WithoutId<EngineRequest>;

interface Waiting {
  readonly question: Question;
  readonly resolve: (output: Readonly<Record<string, unknown>>) => void;
  readonly reject: (error: Error) => void;
  /** Asked again once: a request that meets two ends is answered. */
  retried: boolean;
}

/** What the process said of its own end is in the notice; more than this is not kept. */
const maxComplaint = 4000;

export class Engine {
  readonly #options: EngineOptions;
  readonly #waiting = new Map<number, Waiting>();
  /** Those of whose end nobody has to be told, or was told. */
  readonly #told = new WeakSet<ChildProcess>();
  #child: ChildProcess | undefined;
  /** Settles when the process that is to end has ended. */
  #ending: Promise<void> | undefined;
  #lastId = 0;

  constructor(options: EngineOptions) {
    this.#options = options;
  }

  /** The process, while there is one. */
  get processId(): number | undefined {
    return this.#child?.pid;
  }

  /** Settles when the answer's writes are on disk. @throws AwsError */
  run(space: Space, operation: string, input: WireInput): Promise<Readonly<Record<string, unknown>>> {
    return this.#ask({ kind: 'run', space, operation, input });
  }

  async facts(space: Space, tables: readonly string[]): Promise<Readonly<Record<string, TableFacts>>> {
    if (tables.length === 0) return {};
    return (await this.#ask({ kind: 'facts', space, tables })) as Record<string, TableFacts>;
  }

  /** Ends the process. What waits is answered InternalServerError. */
  close(): Promise<void> {
    return this.#end(() => {});
  }

  /** Ends the process and removes every table of every account. */
  reset(): Promise<void> {
    return this.#end(() => {
      for (const suffix of ['', '-wal', '-shm']) rmSync(this.#options.file + suffix, { force: true });
    });
  }

  /** Nobody starts a process again before `then` is done. */
  #end(then: () => void): Promise<void> {
    const child = this.#child;
    const before = this.#ending;
    this.#child = undefined;
    if (child) this.#told.add(child);
    this.#failAll();
    const ending = Promise.all([before, child && hasEnded(child, () => child.kill('SIGKILL'))]).then(() => {
      if (this.#ending === ending) this.#ending = undefined;
      then();
    });
    this.#ending = ending;
    return ending;
  }

  async #ask(question: Question, retried = false): Promise<Readonly<Record<string, unknown>>> {
    while (this.#ending) await this.#ending;
    return new Promise((resolve, reject) => {
      this.#send({ question, resolve, reject, retried });
    });
  }

  #send(waiting: Waiting): void {
    this.#child ??= this.#start();
    const id = ++this.#lastId;
    this.#waiting.set(id, waiting);
    // A channel that is closing says so by the process's end, which answers everybody.
    this.#child.send({ ...waiting.question, id }, () => {});
  }

  #start(): ChildProcess {
    const child = spawn(process.execPath, [this.#options.program ?? enginePath(), this.#options.file], {
      stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
      env: {},
    });
    let complaint = '';
    child.stderr?.setEncoding('utf8').on('data', (text: string) => {
      complaint = (complaint + text).slice(-maxComplaint);
    });
    child.on('message', (reply: EngineReply) => this.#receive(reply));
    child.on('error', (error) => this.#ended(child, error.message));
    child.on('close', (code, signal) =>
      this.#ended(child, `${signal ?? `status ${code}`}${complaint && `\n${complaint}`}`),
    );
    return child;
  }

  #receive(reply: EngineReply): void {
    const waiting = this.#waiting.get(reply.id);
    if (!waiting) return;
    this.#waiting.delete(reply.id);
    if ('output' in reply) waiting.resolve(reply.output);
    else if ('refusal' in reply) {
      const { code, status, message, fields } = reply.refusal;
      waiting.reject(new AwsError(code, status, message, { fields }));
    } else {
      waiting.reject(internalServerError());
      this.#askAgain();
    }
  }

  /** The culprit is answered; nothing of the others was committed, and the process takes no more. */
  #askAgain(): void {
    const others = [...this.#waiting.values()];
    this.#waiting.clear();
    const child = this.#child;
    this.#child = undefined;
    const gone = (child ? hasEnded(child) : Promise.resolve()).then(() => {
      if (this.#ending === gone) this.#ending = undefined;
    });
    this.#ending = gone;
    for (const one of others) {
      if (one.retried) one.reject(internalServerError());
      else this.#ask(one.question, true).then(one.resolve, one.reject);
    }
  }

  #ended(child: ChildProcess, how: string): void {
    if (this.#child === child) {
      this.#child = undefined;
      this.#failAll();
    }
    if (this.#told.has(child)) return;
    this.#told.add(child);
    this.#options.notice(`the process that holds DynamoDB's tables ended (${how}); the next request starts it again`);
  }

  #failAll(): void {
    const all = [...this.#waiting.values()];
    this.#waiting.clear();
    for (const one of all) one.reject(internalServerError());
  }
}

/** @param act what makes it end, when it has not yet */
function hasEnded(child: ChildProcess, act: () => void = () => {}): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return Promise.resolve();
  return new Promise((resolve) => {
    child.once('exit', () => resolve());
    // It could not be started.
    child.once('error', () => resolve());
    act();
  });
}

/** Beside the bundle, or in the build of the source tree. */
function enginePath(): string {
  const here = dirname(fileURLToPath(import.meta.url));
  const beside = join(here, 'dynamodb-engine.mjs');
  return existsSync(beside) ? beside : join(here, '..', '..', '..', 'dist', 'dynamodb-engine.mjs');
}
