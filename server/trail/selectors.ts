// Does a trail log an event? Its selectors, asked about the record. https://docs.aws.amazon.com/awscloudtrail/latest/userguide/filtering-data-events.html and
// https://docs.aws.amazon.com/awscloudtrail/latest/APIReference/API_DataResource.html (read 2026-11-22). Pure.

import { type FieldOperator, fieldOperators, type TrailRow, type TrailSelector } from '../store/rows/cloudtrail.ts';

/** What is asked about. */
export interface SelectableRecord {
  readonly eventCategory: string;
  readonly eventName: string;
  readonly eventSource: string;
  readonly eventType: string;
  readonly readOnly: boolean;
  readonly awsRegion: string;
  readonly errorCode?: string;
  readonly vpcEndpointId?: string;
  readonly userIdentity: { readonly arn?: string };
  readonly resources?: readonly { readonly type?: string; readonly ARN?: string; readonly ARNPrefix?: string }[];
}

export const everyManagementEvent: TrailSelector = {
  readWriteType: 'All',
  includeManagementEvents: true,
  dataResources: [],
  excludedSources: [],
};

const globalSources = /^(iam|sts|organizations|account|cloudfront|route53)\.amazonaws\.com$/;

export function isLogged(trail: TrailRow, record: SelectableRecord): boolean {
  if (!trail.isMultiRegion && record.awsRegion !== trail.region) return false;
  if (!trail.includeGlobalServiceEvents && globalSources.test(record.eventSource)) return false;
  if (trail.advancedSelectors)
    return trail.advancedSelectors.some(({ fields }) => fields.every((field) => fieldFits(field, record)));
  return (trail.selectors ?? [everyManagementEvent]).some((selector) => selectorFits(selector, record));
}

/** Does any of its selectors speak of data events? Without one nothing of them is kept. */
export function wantsData(trail: TrailRow): boolean {
  return (
    trail.selectors?.some(({ dataResources }) => dataResources.length > 0) === true ||
    trail.advancedSelectors?.some(({ fields }) =>
      fields.some(({ field, Equals }) => field === 'eventCategory' && Equals?.includes('Data')),
    ) === true
  );
}

function selectorFits(selector: TrailSelector, record: SelectableRecord): boolean {
  const { readWriteType } = selector;
  if (readWriteType !== 'All' && record.readOnly !== (readWriteType === 'ReadOnly')) return false;
  if (record.eventCategory === 'Management')
    return selector.includeManagementEvents && !selector.excludedSources.includes(record.eventSource);
  return selector.dataResources.some(({ type, values }) =>
    values.some((value) => arnsOf(record, type).some((arn) => isWithin(arn, type, value))),
  );
}

/** `arn:aws:s3` and `arn:aws:s3:::` are all buckets, `arn:aws:s3:::b/` all objects of one; a table is itself alone. */
function isWithin(arn: string, type: string, value: string): boolean {
  return type === 'AWS::S3::Object' || value.split(':').length < 6 ? arn.startsWith(value) : arn === value;
}

const arnsOf = (record: SelectableRecord, type: string): string[] =>
  (record.resources ?? []).flatMap((one) => (one.type === type ? (one.ARN ?? one.ARNPrefix ?? []) : []));

type Reader = (record: SelectableRecord) => readonly (string | undefined)[];

const readers: Readonly<Record<string, Reader>> = {
  eventCategory: (record) => [record.eventCategory],
  eventName: (record) => [record.eventName],
  eventSource: (record) => [record.eventSource],
  eventType: (record) => [record.eventType],
  readOnly: (record) => [String(record.readOnly)],
  errorCode: (record) => [record.errorCode],
  vpcEndpointId: (record) => [record.vpcEndpointId],
  'userIdentity.arn': (record) => [record.userIdentity.arn],
  // Nobody signs in to a console here.
  sessionCredentialFromConsole: () => [undefined],
  // The bucket is named beside its object; what a data event is about is the first.
  'resources.type': (record) => [record.resources?.[0]?.type],
  'resources.ARN': (record) => [record.resources?.[0]?.ARN ?? record.resources?.[0]?.ARNPrefix],
};
export const selectableFields: ReadonlySet<string> = new Set(Object.keys(readers));

const conditions: Readonly<Record<FieldOperator, (value: string, wanted: readonly string[]) => boolean>> = {
  Equals: (value, wanted) => wanted.includes(value),
  StartsWith: (value, wanted) => wanted.some((one) => value.startsWith(one)),
  EndsWith: (value, wanted) => wanted.some((one) => value.endsWith(one)),
  NotEquals: (value, wanted) => !wanted.includes(value),
  NotStartsWith: (value, wanted) => !wanted.some((one) => value.startsWith(one)),
  NotEndsWith: (value, wanted) => !wanted.some((one) => value.endsWith(one)),
};

/** Every condition of a field must hold; of the values of one condition, any. */
function fieldFits(
  field: NonNullable<TrailRow['advancedSelectors']>[number]['fields'][number],
  record: SelectableRecord,
) {
  const values = readers[field.field]?.(record) ?? [];
  return fieldOperators.every((name) => {
    const wanted = field[name];
    return wanted === undefined || values.some((value) => conditions[name](value ?? '', wanted));
  });
}
