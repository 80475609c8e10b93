// The events of a stream, as they are kept: a row for each PutLogEvents, in which they have a time and a number of their own.

import type { LogGroupRow, LogStreamRow } from '../../store/rows/logs.ts';
import type { Transaction } from '../../store/store.ts';
import { eventsByStream } from './indexes.ts';

export interface LogEvent {
  readonly stream: LogStreamRow;
  readonly timestamp: number;
  readonly message: string;
  readonly ingestedAt: number;
  /** In its stream, in the order of arrival. */
  readonly number: number;
}

const dayMs = 86_400_000;

/** What is older is not shown and goes with the next events that come. */
export function oldestKept({ retentionInDays }: LogGroupRow, nowMs: number): number {
  return retentionInDays === undefined ? 0 : nowMs - retentionInDays * dayMs;
}

/** By time, then by arrival. */
export function eventsOf(
  tx: Transaction,
  stream: LogStreamRow,
  fromMs: number,
  untilMs = Number.POSITIVE_INFINITY,
): LogEvent[] {
  const found: LogEvent[] = [];
  for (const { events, first, ingestedAt } of tx.find(eventsByStream, stream.id))
    for (const [index, [timestamp, message]] of events.entries())
      if (timestamp >= fromMs && timestamp < untilMs)
        found.push({ stream, timestamp, message, ingestedAt, number: first + index });
  return found.sort((a, b) => a.timestamp - b.timestamp || a.number - b.number);
}

export function deleteEvents(tx: Transaction, stream: LogStreamRow, olderThanMs = Number.POSITIVE_INFINITY): void {
  for (const row of tx.find(eventsByStream, stream.id))
    if (row.events.every(([timestamp]) => timestamp < olderThanMs)) tx.delete('log-events', row.id);
}
