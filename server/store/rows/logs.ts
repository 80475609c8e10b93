// CloudWatch Logs.

import type { Row } from '../store.ts';

export interface LogGroupRow extends Row {
  /** ACCOUNT/REGION/NAME */
  id: string;
  name: string;
  /** ms since 1970, as all times of this service. */
  createdAt: number;
  /** Absent: for ever. */
  retentionInDays?: number;
  tags: Record<string, string>;
}

export interface LogStreamRow extends Row {
  /** GROUP's id, a colon, NAME: no stream has one in its name. */
  id: string;
  groupId: string;
  name: string;
  createdAt: number;
  firstEventAt?: number;
  lastEventAt?: number;
  lastIngestionAt?: number;
  /** How many events it ever had: the number of the next one. */
  eventCount: number;
}

/** The events of one PutLogEvents, numbered on from `first`. */
export interface LogEventsRow extends Row {
  /** STREAM's id and `first`. */
  id: string;
  streamId: string;
  first: number;
  ingestedAt: number;
  events: (readonly [timestamp: number, message: string])[];
}

export interface LogResourcePolicyRow extends Row {
  /** ACCOUNT/REGION/NAME */
  id: string;
  name: string;
  document: string;
  updatedAt: number;
}

export interface LogsRows {
  'log-group': LogGroupRow;
  'log-stream': LogStreamRow;
  'log-events': LogEventsRow;
  'log-resource-policy': LogResourcePolicyRow;
}
