// CloudTrail's Event history: the record of every management call, for 90 days, by account and Region (L5). Records are made and written when the trail's
// own lines are, a quarter of a second after the answer, and read from the files when somebody asks: nothing of them is held in memory.
// What reads has files of its own: a flood of it must not push out what changed something, which is asked about later.

import type { RequestEvent } from '../operator/api.ts';
import type { Store } from '../store/store.ts';
import { type EventRecord, type KeptCall, recordsOf, type ServedCall } from './api-event.ts';
import { kindOf } from './event-kinds.ts';
import { JsonLines } from './json-lines.ts';

const keptMs = 90 * 24 * 60 * 60 * 1000;
const fileBytes = { read: 16 * 1024 * 1024, write: 48 * 1024 * 1024 } as const;
type Log = keyof typeof fileBytes;

export interface HistoryOptions {
  /** Where its files are. */
  readonly directory: string;
  readonly store: Store;
  readonly onError: (error: Error) => void;
}

export interface HistoryQuestion {
  readonly accountId: string;
  readonly region: string;
  readonly now: Date;
  /** Only records before this place. */
  readonly before?: number;
  /** Only of what reads, or of what does not. */
  readonly readOnly?: boolean;
  /** A piece of text that a record must have: those that do not are not even parsed. */
  readonly containing?: string;
  /** Nothing that was answered before this is wanted. */
  readonly since?: Date;
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
    this.#logs = { read: log('read'), write: log('write') };
  }

  /** Keeps a call, if it is one of those that are recorded. Its record is made later. */
  record(event: RequestEvent, served: ServedCall): void {
    const { operation, partition, head } = served.identified;
    if (!operation) return;
    const kind = kindOf(operation);
    if (kind.category !== 'Management') return;
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
    this.#logs[kind.readOnly ? 'read' : 'write'].append({ place: this.#nextPlace(), call });
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
    const open = names.map((name) => found(this.#logs[name].linesNewestFirst(), question));
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
    await Promise.all([this.#logs.read.flush(), this.#logs.write.flush()]);
  }

  async clear(): Promise<void> {
    await Promise.all([this.#logs.read.clear(), this.#logs.write.clear()]);
  }

  close(): void {
    this.#logs.read.close();
    this.#logs.write.close();
  }

  #nextPlace(): number {
    this.#lastPlace = Math.max(this.#lastPlace + 1, Date.now() * 1000);
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
  const { accountId, region, before = Number.POSITIVE_INFINITY, containing = '' } = question;
  const oldest = Math.max(question.now.getTime() - keptMs, question.since?.getTime() ?? 0) * 1000;
  const scope = `"${accountId}","${region}",`;
  try {
    for await (const line of lines) {
      const comma = line.indexOf(',') + 1;
      const place = Number(line.slice(1, comma - 1));
      // A line that the end of the process cut off has no place, or no end.
      if (Number.isNaN(place) || !line.endsWith('}]')) continue;
      if (place < oldest) return;
      if (place >= before || !line.startsWith(scope, comma) || !line.includes(containing)) continue;
      yield { place, text: line.slice(comma + scope.length, -1) };
    }
  } finally {
    await lines.return(undefined);
  }
}
