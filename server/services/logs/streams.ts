// Log streams. https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_LogStream.html (read 2026-11-22)

import type * as SDK from '@aws-sdk/client-cloudwatch-logs';
import { type Call, type Operation, operation } from '../../service.ts';
import type { LogGroupRow, LogStreamRow } from '../../store/rows/logs.ts';
import { groupArn, maxNameLength, onGroup, onStream, requireGroup, requireStream, scopeOf, streamId } from './access.ts'; // biome-ignore format: many words
import { alreadyExists, checkedLimit, invalidParameter, missing, violates } from './errors.ts';
import { deleteEvents } from './event-rows.ts';
import { streamsByGroup } from './indexes.ts';
import { pageOf } from './paging.ts';

function toStream(call: Call, group: LogGroupRow, row: LogStreamRow): SDK.LogStream {
  return {
    logStreamName: row.name,
    creationTime: row.createdAt,
    ...(row.firstEventAt !== undefined && { firstEventTimestamp: row.firstEventAt }),
    ...(row.lastEventAt !== undefined && { lastEventTimestamp: row.lastEventAt }),
    ...(row.lastIngestionAt !== undefined && { lastIngestionTime: row.lastIngestionAt }),
    ...(row.eventCount > 0 && { uploadSequenceToken: sequenceToken(row) }),
    arn: `${groupArn(call, group.name)}:log-stream:${row.name}`,
    storedBytes: 0,
  };
}

/** Nobody needs one any more; AWS still answers them. */
export function sequenceToken({ eventCount }: LogStreamRow): string {
  return String(eventCount).padStart(56, '4');
}

const orders = ['LogStreamName', 'LastEventTime'];

export const streamOperations = {
  CreateLogStream: operation<SDK.CreateLogStreamRequest, Record<string, never>>({
    authorize: onStream('logs:CreateLogStream'),
    run: (call, { logGroupName, logStreamName: name }) => {
      const group = requireGroup(call, { logGroupName });
      if (!name) throw missing('logStreamName');
      if (name.length > maxNameLength)
        throw invalidParameter('Invalid LogGroup or LogStream, both must have length less than or equal to 512.');
      if (/[:*]/.test(name)) throw violates(name, 'logStreamName', 'satisfy regular expression pattern: [^:*]*');
      const id = streamId(group.id, name);
      if (call.tx.get('log-stream', id)) throw alreadyExists('log stream');
      const createdAt = call.now.getTime();
      call.tx.put('log-stream', { id, ...scopeOf(call), groupId: group.id, name, createdAt, eventCount: 0 });
      return {};
    },
  }),

  DeleteLogStream: operation<SDK.DeleteLogStreamRequest, Record<string, never>>({
    authorize: onStream('logs:DeleteLogStream'),
    run: (call, { logGroupName, logStreamName }) => {
      const row = requireStream(call, requireGroup(call, { logGroupName }), logStreamName);
      deleteEvents(call.tx, row);
      call.tx.delete('log-stream', row.id);
      return {};
    },
  }),

  DescribeLogStreams: operation<SDK.DescribeLogStreamsRequest, SDK.DescribeLogStreamsResponse>({
    authorize: onGroup('logs:DescribeLogStreams'),
    readOnly: true,
    run: (call, input) => {
      const { logStreamNamePrefix: prefix, orderBy = 'LogStreamName', descending } = input;
      const group = requireGroup(call, input);
      if (!orders.includes(orderBy))
        throw violates(orderBy, 'orderBy', `satisfy enum value set: [${orders.join(', ')}]`);
      const isByTime = orderBy === 'LastEventTime';
      if (isByTime && prefix !== undefined)
        throw invalidParameter('Cannot order by LastEventTime with a logStreamNamePrefix.');
      const rows = call.tx.find(streamsByGroup, group.id).filter(({ name }) => name.startsWith(prefix ?? ''));
      const byName = (a: LogStreamRow, b: LogStreamRow) => (a.name < b.name ? -1 : 1);
      rows.sort(isByTime ? (a, b) => (a.lastEventAt ?? 0) - (b.lastEventAt ?? 0) || byName(a, b) : byName);
      if (descending === true) rows.reverse();
      const { page, next } = pageOf(rows, checkedLimit(input.limit ?? 50, 50), input.nextToken, (row) => row.name);
      return { logStreams: page.map((row) => toStream(call, group, row)), ...next };
    },
  }),
} satisfies Record<string, Operation>;
