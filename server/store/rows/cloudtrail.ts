// Rows of CloudTrail: trails. Times are ISO.

import type { Row } from '../store.ts';

export interface TrailSelector {
  readWriteType: 'All' | 'ReadOnly' | 'WriteOnly';
  includeManagementEvents: boolean;
  dataResources: { type: string; values: string[] }[];
  excludedSources: string[];
}

export const fieldOperators = [
  'Equals',
  'StartsWith',
  'EndsWith',
  'NotEquals',
  'NotStartsWith',
  'NotEndsWith',
] as const;
export type FieldOperator = (typeof fieldOperators)[number];

export interface AdvancedTrailSelector {
  name?: string;
  fields: ({ field: string } & Partial<Record<FieldOperator, string[]>>)[];
}

/** `id` is the ARN; `region` its home. */
export interface TrailRow extends Row {
  name: string;
  bucket: string;
  prefix?: string;
  includeGlobalServiceEvents: boolean;
  isMultiRegion: boolean;
  /** One of the two; neither: every management event. */
  selectors?: TrailSelector[];
  advancedSelectors?: AdvancedTrailSelector[];
  tags: Record<string, string>;
  isLogging: boolean;
  startedAt?: string;
  stoppedAt?: string;
  /** Records up to this place in the history are delivered, or are not the trail's. */
  deliveredPlace: number;
  /** Where it was stopped: what is before that is delivered still. */
  lastPlace?: number;
  deliveredAt?: string;
  attemptedAt?: string;
  /** S3's code; absent when the last attempt succeeded. */
  deliveryError?: string;
}

export interface CloudtrailRows {
  trail: TrailRow;
}
