// The process that holds DynamoDB's tables. It is started by the server (`../engine.ts`), with the file as its one argument.
// Requests are done one after the other, each whole or not at all, in a transaction that those share which wait at the same time; they are
// answered when it is on disk. What nobody foresaw ends the process before the commit: SQLite takes back what was not committed.

import { deferTimers } from './action.ts';
import { Cells } from './cells.ts';
import type { EngineReply, EngineRequest } from './protocol.ts';
import { refusalOf } from './refusal.ts';
import { facts, run } from './run.ts';
import { SpaceStore, spaceKey, tokensPart } from './store.ts';
import { tokenMs } from './transactions.ts';

const maxShared = 64;
/** An action that never calls back would hold up everybody behind it. */
const deadlineMs = 30_000;

const startTimer = setTimeout;
deferTimers();

const [file] = process.argv.slice(2);
if (file === undefined || process.send === undefined) throw new Error('to be started by the server only');
const send = process.send.bind(process);
const cells = new Cells(file);
cells.expire(tokensPart, Date.now() - tokenMs);
const stores = new Map<string, SpaceStore>();
const waiting: EngineRequest[] = [];
let current: EngineRequest | undefined;
let busy = false;

// The server has ended, or wants this process to.
process.on('disconnect', () => process.exit(0));
// Ctrl-C in the terminal reaches every process of the group; the server ends this one when it has answered everybody.
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => {});
process.on('uncaughtException', crash);
process.on('message', (request: EngineRequest) => {
  waiting.push(request);
  if (busy) return;
  busy = true;
  serve().catch(crash);
});

async function serve(): Promise<void> {
  while (waiting.length > 0) {
    const replies: EngineReply[] = [];
    cells.begin();
    while (replies.length < maxShared) {
      const request = waiting.shift();
      if (!request) break;
      current = request;
      replies.push(await answer(request));
      current = undefined;
    }
    cells.commit();
    for (const reply of replies) send(reply);
  }
  busy = false;
}

async function answer(request: EngineRequest): Promise<EngineReply> {
  const { id, space } = request;
  const store = storeOf(request);
  if (request.kind === 'facts') return { id, output: facts(store, request.tables) };
  const deadline = startTimer(crash, deadlineMs, new Error(`no answer within ${deadlineMs} ms`));
  cells.mark();
  try {
    const output = await run(store, space, request.operation, request.input);
    cells.release(true);
    return { id, output };
  } catch (error) {
    const refusal = refusalOf(error);
    if (!refusal) throw error;
    cells.release(false);
    return { id, refusal };
  } finally {
    clearTimeout(deadline);
  }
}

function storeOf({ space }: EngineRequest): SpaceStore {
  const key = spaceKey(space);
  let store = stores.get(key);
  if (!store) {
    store = new SpaceStore(cells, space);
    stores.set(key, store);
  }
  return store;
}

/** Says which request it was, and ends: nobody knows what state dynalite is in. */
function crash(error: unknown): void {
  const text = (error as Error).stack ?? String(error);
  process.stderr.write(`${text}\n`);
  const end = () => process.exit(1);
  if (current && process.connected)
    send({ id: current.id, crashed: text } satisfies EngineReply, undefined, undefined, end);
  else end();
}
