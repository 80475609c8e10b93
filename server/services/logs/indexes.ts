// By what are this service's rows looked up, beside their ids?

import type { Index } from '../../store/store.ts';

export const streamsByGroup: Index<'log-stream'> = { kind: 'log-stream', keyOf: (row) => row.groupId };
export const eventsByStream: Index<'log-events'> = { kind: 'log-events', keyOf: (row) => row.streamId };
