// Log events: put, got by stream, filtered by group. https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_PutLogEvents.html (read 2026-11-22)
// Order of PutLogEvents: group and stream are there, the batch's size, its order, then each event's age.

import type * as SDK from '@aws-sdk/client-cloudwatch-logs';
import { type Call, type Operation, operation } from '../../service.ts';
import type { LogStreamRow } from '../../store/rows/logs.ts';
import { onGroup, onStream, requireGroup, requireStream, scopeOf } from './access.ts';
import { checkedLimit, invalidParameter, invalidToken, missing } from './errors.ts';
import { deleteEvents, eventsOf, type LogEvent, oldestKept } from './event-rows.ts';
import { readFilterPattern } from './filter-pattern.ts';
import { streamsByGroup } from './indexes.ts';
import { pageOf } from './paging.ts';
import { sequenceToken } from './streams.ts';

const maxBatchBytes = 1_048_576;
const bytesPerEvent = 26;
const maxEvents = 10_000;
const dayMs = 86_400_000;
const oldestMs = 14 * dayMs;
const newestMs = 2 * 3_600_000;

function checkBatch(events: readonly SDK.InputLogEvent[]): void {
  if (events.length < 1 || events.length > maxEvents)
    throw invalidParameter(
      `1 validation error detected: Value at 'logEvents' failed to satisfy constraint: Member must have length between 1 and ${maxEvents}`,
    );
  let bytes = 0;
  let before = 0;
  for (const { timestamp, message } of events) {
    if (timestamp === undefined) throw missing('logEvents.1.member.timestamp');
    if (!message) throw missing('logEvents.1.member.message');
    if (timestamp < before)
      throw invalidParameter('Log events in a single PutLogEvents request must be in chronological order.');
    before = timestamp;
    bytes += Buffer.byteLength(message) + bytesPerEvent;
  }
  // These two wordings are the documentation's.
  if (bytes > maxBatchBytes)
    throw invalidParameter(`Upload too large: ${bytes} bytes exceeds limit of ${maxBatchBytes}`);
  if (before - (events[0]?.timestamp ?? before) > dayMs)
    throw invalidParameter('The batch of log events in a single PutLogEvents request cannot span more than 24 hours.');
}

function putEvents(call: Call, input: SDK.PutLogEventsRequest): SDK.PutLogEventsResponse {
  const group = requireGroup(call, { logGroupName: input.logGroupName });
  const stream = requireStream(call, group, input.logStreamName);
  const events = (input.logEvents ?? []).map(({ timestamp = 0, message = '' }) => [timestamp, message] as const);
  checkBatch(input.logEvents ?? []);
  const now = call.now.getTime();
  const kept = oldestKept(group, now);
  const isTooOld = ([timestamp]: (typeof events)[number]) => timestamp < now - oldestMs;
  const isExpired = ([timestamp]: (typeof events)[number]) => timestamp < kept;
  const isTooNew = ([timestamp]: (typeof events)[number]) => timestamp > now + newestMs;
  const accepted = events.filter((event) => !isTooOld(event) && !isExpired(event) && !isTooNew(event));
  const tooOld = events.filter(isTooOld).length;
  const expired = events.filter(isExpired).length;
  const tooNew = events.findIndex(isTooNew);
  const row = accepted.length === 0 ? stream : append(call, stream, accepted);
  if (group.retentionInDays !== undefined) deleteEvents(call.tx, stream, kept);
  return {
    nextSequenceToken: sequenceToken(row),
    ...(accepted.length < events.length && {
      rejectedLogEventsInfo: {
        ...(tooNew >= 0 && { tooNewLogEventStartIndex: tooNew }),
        ...(tooOld > 0 && { tooOldLogEventEndIndex: tooOld }),
        ...(expired > tooOld && { expiredLogEventEndIndex: expired }),
      },
    }),
  };
}

function append(call: Call, stream: LogStreamRow, events: (readonly [number, string])[]): LogStreamRow {
  const now = call.now.getTime();
  const first = stream.eventCount;
  call.tx.put('log-events', {
    ...{ id: `${stream.id} ${first}`, ...scopeOf(call) },
    ...{ streamId: stream.id, first, ingestedAt: now, events },
  });
  const row = {
    ...stream,
    eventCount: first + events.length,
    firstEventAt: Math.min(stream.firstEventAt ?? Number.POSITIVE_INFINITY, events[0]?.[0] ?? now),
    lastEventAt: Math.max(stream.lastEventAt ?? 0, events.at(-1)?.[0] ?? 0),
    lastIngestionAt: now,
  };
  call.tx.put('log-stream', row);
  return row;
}

/** A place in a stream: behind (`f`) or before (`b`) the event of this time and number. */
function placeOf(direction: 'f' | 'b', event: LogEvent | undefined, otherwise: string | undefined): string {
  if (event === undefined) return `${direction}/${otherwise?.slice(2) ?? '0-0/s'}`;
  return `${direction}/${event.timestamp}-${event.number}/s`;
}

function getEvents(call: Call, input: SDK.GetLogEventsRequest): SDK.GetLogEventsResponse {
  const limit = checkedLimit(input.limit, maxEvents);
  const group = requireGroup(call, input);
  const stream = requireStream(call, group, input.logStreamName);
  const from = Math.max(input.startTime ?? 0, oldestKept(group, call.now.getTime()));
  const all = eventsOf(call.tx, stream, from, input.endTime);
  const token = input.nextToken;
  const place = token === undefined ? undefined : /^([fb])\/(\d+)-(\d+)\/s$/.exec(token);
  if (place === null) throw invalidToken();
  let page: LogEvent[];
  if (place === undefined) page = input.startFromHead === true ? all.slice(0, limit) : all.slice(-limit);
  else {
    const [timestamp, number] = [Number(place[2]), Number(place[3])];
    const isAtEnd = timestamp === 0;
    const compare = (one: LogEvent) => one.timestamp - timestamp || one.number - number;
    page =
      place[1] === 'f'
        ? all.filter((one) => isAtEnd || compare(one) > 0).slice(0, limit)
        : all.filter((one) => !isAtEnd && compare(one) < 0).slice(-limit);
  }
  return {
    events: page.map(({ timestamp, message, ingestedAt }) => ({ timestamp, message, ingestionTime: ingestedAt })),
    nextForwardToken: placeOf('f', page.at(-1), token),
    nextBackwardToken: placeOf('b', page[0], token),
  };
}

const eventId = ({ timestamp, number }: LogEvent) => `${timestamp}${String(number).padStart(43, '0')}`;

function filterEvents(call: Call, input: SDK.FilterLogEventsRequest): SDK.FilterLogEventsResponse {
  const limit = checkedLimit(input.limit, maxEvents);
  const group = requireGroup(call, input);
  const { logStreamNames: names, logStreamNamePrefix: prefix, endTime } = input;
  if (names !== undefined && prefix !== undefined)
    throw invalidParameter('logStreamNames and logStreamNamePrefix are mutually exclusive parameters.');
  const matches = readFilterPattern(input.filterPattern ?? '');
  const streams = names
    ? names.map((name) => requireStream(call, group, name))
    : call.tx.find(streamsByGroup, group.id).filter(({ name }) => name.startsWith(prefix ?? ''));
  const from = Math.max(input.startTime ?? 0, oldestKept(group, call.now.getTime()));
  // The end belongs to it here, and not in GetLogEvents.
  const until = endTime === undefined ? undefined : endTime + 1;
  const all = streams
    .flatMap((stream) => eventsOf(call.tx, stream, from, until))
    .filter(({ message }) => matches(message));
  all.sort((a, b) => a.timestamp - b.timestamp || a.ingestedAt - b.ingestedAt || a.number - b.number);
  if (input.startFromHead === false) all.reverse();
  const { page, next } = pageOf(all, limit, input.nextToken, (one) => `${one.stream.name} ${one.number}`);
  return {
    events: page.map((one) => ({
      logStreamName: one.stream.name,
      timestamp: one.timestamp,
      message: one.message,
      ingestionTime: one.ingestedAt,
      eventId: eventId(one),
    })),
    searchedLogStreams: [],
    ...next,
  };
}

export const eventOperations = {
  PutLogEvents: operation<SDK.PutLogEventsRequest, SDK.PutLogEventsResponse>({
    authorize: onStream('logs:PutLogEvents'),
    run: putEvents,
  }),
  GetLogEvents: operation<SDK.GetLogEventsRequest, SDK.GetLogEventsResponse>({
    authorize: onStream('logs:GetLogEvents'),
    readOnly: true,
    run: getEvents,
  }),
  FilterLogEvents: operation<SDK.FilterLogEventsRequest, SDK.FilterLogEventsResponse>({
    authorize: onGroup('logs:FilterLogEvents'),
    readOnly: true,
    run: filterEvents,
  }),
} satisfies Record<string, Operation>;
