// CloudTrail's Event history: the record of every management call, for 90 days, by account and Region (L5). Records are made and written when the trail's
// own lines are, a quarter of a second after the answer, and read from the files when somebody asks: nothing of them is held in memory.
// What reads has files of its own: a flood of it must not push out what changed something, which is asked about later. Data events have theirs, and are
// kept while a trail logs some.

import type { RequestEvent } from '../operator/api.ts';
import type { Store } from '../store/store.ts';
import { type EventRecord, type KeptCall, recordsOf, type ServedCall } from './api-event.ts';
import { kindOf } from './event-kinds.ts';
import { JsonLines } from './json-lines.ts';
import { wantsData } from './selectors.ts';

const keptMs = 90 * 24 * 60 * 60 * 1000;
const mebibyte = 1024 * 1024;
const fileBytes = { read: 16 * mebibyte, write: 48 * mebibyte, data: 16 * mebibyte } as const;
type Log = keyof typeof fileBytes;

export interface HistoryOptions {
  /** Where its files are. */
  readonly directory: string;
  readonly store: Store;
  readonly onError: (error: Error) => void;
}

export interface HistoryQuestion {
  readonly accountId: string;
  /** Undefined: every one. */
  readonly region?: string;
  readonly now: Date;
  /** Only records before this place. */
  readonly before?: number;
  /** Only records after this place. */
  readonly after?: number;
  /** Data events too, which are kept while a trail logs some. */
  readonly withData?: boolean;
  /** Only of what reads, or of what does not. */
  readonly readOnly?: boolean;
  /** A piece of text that a record must have: those that do not are not even parsed. */
  readonly containing?: string;
  /** Nothing that was answered before this is wanted. */
  readonly since?: Date;
}

/** Where in the history a time is. */
export function placeOf(time: Date): number {
  return time.getTime() * 1000;
}

export interface FoundEvent {
  /** Later records have higher ones; microseconds since 1970, or near it. */
  readonly place: number;
  readonly text: string;
}

interface Pending {
  readonly place: number;
  readonly call: KeptCall | EventRecord;
}

export class EventHistory {
  readonly #logs: Readonly<Record<Log, JsonLines<Pending>>>;
  readonly #store: Store;
  readonly #onError: (error: Error) => void;
  #lastPlace = 0;
  #isDataWanted: boolean;

  constructor({ directory, store, onError }: HistoryOptions) {
    this.#store = store;
    this.#onError = onError;
    const log = (name: Log) =>
      new JsonLines<Pending>({
        file: `${directory}/events-${name}.jsonl`,
        maxFileBytes: fileBytes[name],
        onError,
        lineOf: (pending) => this.#lineOf(pending),
      });
    this.#logs = { read: log('read'), write: log('write'), data: log('data') };
    const isDataWanted = () =>
      store.read((tx) => tx.list('trail')).some((trail) => trail.isLogging && wantsData(trail));
    this.#isDataWanted = isDataWanted();
    store.onChange((changes) => {
      if (changes.some(({ kind }) => kind === 'trail')) this.#isDataWanted = isDataWanted();
    });
  }

  /** Keeps a call, if it is one of those that are recorded. Its record is made later. */
  record(event: RequestEvent, served: ServedCall): void {
    const { operation, partition, head } = served.identified;
    if (!operation) return;
    const kind = kindOf(operation);
    const isData = kind.category === 'Data';
    if (isData && !this.#isDataWanted) return;
    const call: KeptCall = {
      kind,
      event,
      operation,
      partition,
      principal: served.principal,
      accessKey: served.accessKey,
      host: head.headers.host,
      isSignedInHeader: head.headers.authorization !== undefined,
      resourceAccountId: served.asked?.decisions[0]?.question?.request.resourceAccountId,
      input: served.input,
      output: kind.answers ? served.output : undefined,
    };
    this.#logs[isData ? 'data' : kind.readOnly ? 'read' : 'write'].append({ place: this.#nextPlace(), call });
  }

  /** What AWS did by itself in an account. */
  recordOwn(record: EventRecord): void {
    this.#logs.read.append({ place: this.#nextPlace(), call: record });
  }

  /** The newest first; those of calls that were answered before. */
  async *find(question: HistoryQuestion): AsyncGenerator<FoundEvent> {
    await this.flush();
    const names: readonly Log[] =
      question.readOnly === undefined ? ['write', 'read'] : [question.readOnly ? 'read' : 'write'];
    const open = [...names, ...(question.withData ? (['data'] as const) : [])].map((name) =>
      found(this.#logs[name].linesNewestFirst(), question),
    );
    try {
      const heads = await Promise.all(open.map((one) => one.next()));
      for (;;) {
        let newest = -1;
        for (const [index, { done, value }] of heads.entries())
          if (!done && (newest < 0 || value.place > (heads[newest]?.value as FoundEvent).place)) newest = index;
        const [from, head] = [open[newest], heads[newest]];
        if (!from || !head) return;
        yield head.value as FoundEvent;
        heads[newest] = await from.next();
      }
    } finally {
      for (const one of open) await one.return(undefined);
    }
  }

  async flush(): Promise<void> {
    await Promise.all(Object.values(this.#logs).map((log) => log.flush()));
  }

  async clear(): Promise<void> {
    await Promise.all(Object.values(this.#logs).map((log) => log.clear()));
  }

  close(): void {
    for (const log of Object.values(this.#logs)) log.close();
  }

  #nextPlace(): number {
    this.#lastPlace = Math.max(this.#lastPlace + 1, placeOf(new Date()));
    return this.#lastPlace;
  }

  /** One line for each history that the record is in; a bug in one call must not take the others' records with it. */
  #lineOf({ place, call }: Pending): string | undefined {
    try {
      const records = 'text' in call ? [call] : this.#store.read((tx) => recordsOf(tx, call));
      if (records.length === 0) return undefined;
      return records.map(({ accountId, region, text }) => `[${place},"${accountId}","${region}",${text}]`).join('\n');
    } catch (error) {
      this.#onError(error as Error);
      return undefined;
    }
  }
}

async function* found(lines: AsyncGenerator<string>, question: HistoryQuestion): AsyncGenerator<FoundEvent> {
  const { accountId, region, before = Number.POSITIVE_INFINITY, after = 0, containing = '' } = question;
  const oldest = Math.max(placeOf(question.now) - keptMs * 1000, placeOf(question.since ?? new Date(0)), after + 1);
  const scope = region === undefined ? `"${accountId}","` : `"${accountId}","${region}",`;
  try {
    for await (const line of lines) {
      const comma = line.indexOf(',') + 1;
      const place = Number(line.slice(1, comma - 1));
      // A line that the end of the process cut off has no place, or no end.
      if (Number.isNaN(place) || !line.endsWith('}]')) continue;
      if (place < oldest) return;
      if (place >= before || !line.startsWith(scope, comma) || !line.includes(containing)) continue;
      yield { place, text: line.slice(line.indexOf(',{', comma) + 1, -1) };
    }
  } finally {
    await lines.return(undefined);
  }
}
