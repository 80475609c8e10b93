// Lifecycle rules: what may be put, and when a rule reaches an object. Doing it is lifecycle.ts.
// https://docs.aws.amazon.com/AmazonS3/latest/userguide/intro-lifecycle-rules.html (read 2026-11-21). A day ends at midnight GMT: an object of age N days
// expires at the first midnight after its age is N.

import type * as SDK from '@aws-sdk/client-s3';
import { type Call, type Operation, operation } from '../../service.ts';
import type { BucketRow } from '../../store/rows/s3.ts';
import { type BucketInput, onBucket, requireBucket } from './access.ts';
import { configurationOf, deleting, keepConfiguration } from './configurations.ts';
import { invalidArgument, invalidBucketState, invalidRequest, malformedXml, noSuchConfiguration } from './errors.ts';
import { tagsFromSet } from './tag-sets.ts';

const dayMs = 24 * 3600 * 1000;
const maxRules = 1000;

/** As kept: times are text. */
export interface LifecycleDocument {
  readonly Rules: readonly SDK.LifecycleRule[];
  readonly TransitionDefaultMinimumObjectSize: SDK.TransitionDefaultMinimumObjectSize;
}

const transitionClasses = new Set([
  'GLACIER',
  'STANDARD_IA',
  'ONEZONE_IA',
  'INTELLIGENT_TIERING',
  'DEEP_ARCHIVE',
  'GLACIER_IR',
]);

/** @throws MalformedXML, InvalidArgument, InvalidRequest */
export function checkRules(rules: readonly SDK.LifecycleRule[]): void {
  if (rules.length === 0 || rules.length > maxRules) throw malformedXml();
  const ids = new Set<string>();
  for (const rule of rules) {
    checkRule(rule);
    if (rule.ID === undefined) continue;
    if (rule.ID.length > 255) throw invalidArgument('ID length should not exceed allowed limit of 255');
    if (ids.has(rule.ID))
      throw invalidArgument('Rule ID must be unique. Found same ID for more than one rule', 'ID', rule.ID);
    ids.add(rule.ID);
  }
}

function checkRule(rule: SDK.LifecycleRule): void {
  if (rule.Status !== 'Enabled' && rule.Status !== 'Disabled') throw malformedXml();
  // One of the two says which objects; the old form is a bare prefix.
  if ((rule.Filter === undefined) === (rule.Prefix === undefined)) throw malformedXml();
  if (rule.Filter) checkFilter(rule.Filter);
  const actions = [
    rule.Expiration,
    rule.Transitions?.length ? rule.Transitions : undefined,
    rule.NoncurrentVersionExpiration,
    rule.NoncurrentVersionTransitions?.length ? rule.NoncurrentVersionTransitions : undefined,
    rule.AbortIncompleteMultipartUpload,
  ];
  if (actions.every((one) => one === undefined))
    throw invalidRequest('At least one action needs to be specified in a rule');
  if (rule.Expiration) checkExpiration(rule);
  for (const { Date: date, Days, StorageClass } of rule.Transitions ?? []) {
    if ((date === undefined) === (Days === undefined)) throw malformedXml();
    checkDate(date);
    checkClass(StorageClass);
    if (Days !== undefined && Days < 0)
      throw invalidArgument("'Days' in Transition action must be nonnegative", 'Days', String(Days));
    if (Days !== undefined && Days < 30 && (StorageClass === 'STANDARD_IA' || StorageClass === 'ONEZONE_IA'))
      throw invalidArgument(
        `'Days' in Transition action must be greater than or equal to 30 for storageClass '${StorageClass}'`,
      );
  }
  const noncurrent = rule.NoncurrentVersionExpiration;
  if (noncurrent) checkPositive('NoncurrentDays', 'NoncurrentVersionExpiration', noncurrent.NoncurrentDays);
  checkNewer(noncurrent?.NewerNoncurrentVersions);
  checkOrder(rule);
  for (const { NoncurrentDays, StorageClass } of rule.NoncurrentVersionTransitions ?? []) {
    if (NoncurrentDays === undefined) throw malformedXml();
    checkClass(StorageClass);
  }
  const abort = rule.AbortIncompleteMultipartUpload;
  if (abort) {
    checkPositive('DaysAfterInitiation', 'AbortIncompleteMultipartUpload', abort.DaysAfterInitiation);
    if (filterOf(rule).tags.length > 0)
      throw invalidRequest('AbortIncompleteMultipartUpload cannot be specified with Tags.');
  }
}

/** S3 keeps 100 at most; the wording above that is without a source. */
function checkNewer(count: number | undefined): void {
  if (count === undefined) return;
  checkPositive('NewerNoncurrentVersions', 'NoncurrentVersionExpiration', count);
  if (count > 100)
    throw invalidArgument(
      "'NewerNoncurrentVersions' for NoncurrentVersionExpiration action must be at most 100",
      'NewerNoncurrentVersions',
      String(count),
    );
}

/** How many days an object stays in a class before it may go on (lifecycle-transition-general-considerations.html, read 2026-11-21). */
const leastStay: Readonly<Record<string, number>> = { STANDARD_IA: 30, ONEZONE_IA: 30, GLACIER: 90 };

/** One action after the other, none of them twice. Texts as users of Terraform and the CDK print S3's. @throws InvalidRequest, InvalidArgument */
function checkOrder(rule: SDK.LifecycleRule): void {
  const { Expiration: expiration, Transitions: transitions = [] } = rule;
  const prefix = rule.Prefix ?? rule.Filter?.Prefix ?? rule.Filter?.And?.Prefix;
  const which = prefix === undefined ? '()' : `(prefix=${prefix})`;
  const classes = transitions.map((one) => one.StorageClass);
  if (new Set(classes).size < classes.length)
    throw invalidRequest(
      `'StorageClass' must be different for 'Transition' actions in same 'Rule' with filter '${which}'`,
    );
  const dated = [expiration, ...transitions].filter((one) => one?.Date !== undefined).length;
  const aged = [expiration, ...transitions].filter((one) => one?.Days !== undefined).length;
  if (dated > 0 && aged > 0)
    throw invalidRequest(
      `Found mixed 'Date' and 'Days' based Expiration and Transition actions in lifecycle rule for filter '${which}'`,
    );
  const days = transitions.flatMap(({ Days, StorageClass }) => (Days === undefined ? [] : [{ Days, StorageClass }]));
  days.sort((a, b) => a.Days - b.Days);
  for (const [place, { Days, StorageClass }] of days.entries()) {
    const before = days[place - 1];
    const stay = leastStay[before?.StorageClass ?? ''] ?? 0;
    if (before && Days < before.Days + stay)
      throw invalidArgument(
        `'Days' in the 'Transition' action for StorageClass '${StorageClass}' for filter '${which}' must be ${stay} days more than 'filter '${which}'' in the 'Transition' action for StorageClass '${before.StorageClass}'`,
      );
  }
  if (days.some(({ Days }) => expiration?.Days !== undefined && expiration.Days <= Days))
    throw invalidArgument(
      `'Days' in the Expiration action for filter '${which}' must be greater than 'Days' in the Transition action`,
    );
}

function checkFilter(filter: SDK.LifecycleRuleFilter): void {
  const members = [filter.And, filter.ObjectSizeGreaterThan, filter.ObjectSizeLessThan, filter.Prefix, filter.Tag];
  if (members.filter((one) => one !== undefined).length > 1) throw malformedXml();
  if (filter.Tag) tagsFromSet([filter.Tag], 10);
  const { And: and } = filter;
  if (!and) return;
  const keys = (and.Tags ?? []).map((one) => one.Key);
  if (new Set(keys).size < keys.length) throw invalidRequest('Duplicate Tag Keys are not allowed.');
  const more = [and.ObjectSizeGreaterThan, and.ObjectSizeLessThan, and.Prefix].filter((one) => one !== undefined);
  if (keys.length + more.length < 2) throw malformedXml();
  if ((and.ObjectSizeGreaterThan ?? 0) >= (and.ObjectSizeLessThan ?? Number.POSITIVE_INFINITY))
    throw invalidRequest("'ObjectSizeLessThan' has to be a value greater than 'ObjectSizeGreaterThan'.");
}

function checkExpiration(rule: SDK.LifecycleRule): void {
  const { Date: date, Days, ExpiredObjectDeleteMarker: marker } = rule.Expiration ?? {};
  if ([date, Days, marker].filter((one) => one !== undefined).length !== 1) throw malformedXml();
  checkDate(date);
  if (Days !== undefined) checkPositive('Days', 'Expiration', Days);
  if (marker !== undefined && filterOf(rule).tags.length > 0)
    throw invalidRequest('ExpiredObjectDeleteMarker cannot be specified with Tags.');
}

function checkDate(date: Date | undefined): void {
  if (date !== undefined && date.getTime() % dayMs !== 0)
    throw invalidArgument("'Date' must be at midnight GMT", 'Date', date.toISOString());
}

function checkPositive(name: string, action: string, days: number | undefined): void {
  if (days === undefined) throw malformedXml();
  if (!Number.isInteger(days) || days < 1)
    throw invalidArgument(`'${name}' for ${action} action must be a positive integer`, name, String(days));
}

function checkClass(storageClass: string | undefined): void {
  if (storageClass === undefined || !transitionClasses.has(storageClass)) throw malformedXml();
}

export interface Filter {
  readonly prefix: string;
  readonly tags: readonly SDK.Tag[];
  readonly largerThan: number;
  readonly smallerThan: number;
}

/** The one form of a filter's many. */
export function filterOf(rule: SDK.LifecycleRule): Filter {
  const { Filter: filter } = rule;
  const all = filter?.And ?? filter;
  return {
    prefix: rule.Prefix ?? all?.Prefix ?? '',
    tags: filter?.And?.Tags ?? (filter?.Tag ? [filter.Tag] : []),
    largerThan: all?.ObjectSizeGreaterThan ?? -1,
    smallerThan: all?.ObjectSizeLessThan ?? Number.POSITIVE_INFINITY,
  };
}

export function reaches(
  filter: Filter,
  object: { readonly key: string; readonly sizeBytes: number; readonly tags?: Readonly<Record<string, string>> },
): boolean {
  return (
    object.key.startsWith(filter.prefix) &&
    object.sizeBytes > filter.largerThan &&
    object.sizeBytes < filter.smallerThan &&
    filter.tags.every(({ Key = '', Value }) => object.tags?.[Key] === Value)
  );
}

/** The midnight at which an age of so many days is over. @param since ISO time or date */
export function dueAfter(since: string, days: number): Date {
  return new Date(Math.ceil((new Date(since).getTime() + days * dayMs) / dayMs) * dayMs);
}

function putLifecycle(
  call: Call,
  input: SDK.PutBucketLifecycleConfigurationRequest,
): SDK.PutBucketLifecycleConfigurationOutput {
  const bucket = requireBucket(call, call.tx, input);
  const size = input.TransitionDefaultMinimumObjectSize ?? 'all_storage_classes_128K';
  if (size !== 'all_storage_classes_128K' && size !== 'varies_by_storage_class')
    throw invalidRequest(`Invalid TransitionDefaultMinimumObjectSize found: ${String(size)}`);
  const given = input.LifecycleConfiguration?.Rules ?? [];
  checkRules(given);
  // The wording is without a source.
  if (bucket.mfaDelete)
    throw invalidBucketState('Lifecycle configuration is not supported on a bucket with MFA Delete enabled.');
  const Rules = given.map((rule, index) => ({ ...rule, ID: rule.ID ?? `rule-${call.requestId}-${index}` }));
  keepConfiguration(call, bucket, 'lifecycle', { Rules, TransitionDefaultMinimumObjectSize: size });
  return { TransitionDefaultMinimumObjectSize: size };
}

export function lifecycleOf(bucket: BucketRow): LifecycleDocument | undefined {
  return configurationOf<LifecycleDocument>(bucket, 'lifecycle');
}

function withTimes(rule: SDK.LifecycleRule): SDK.LifecycleRule {
  return {
    ...rule,
    ...(rule.Expiration?.Date && { Expiration: { ...rule.Expiration, Date: new Date(rule.Expiration.Date) } }),
    ...(rule.Transitions && {
      Transitions: rule.Transitions.map((one) => (one.Date ? { ...one, Date: new Date(one.Date) } : one)),
    }),
  };
}

export const lifecycleOperations: Readonly<Record<string, Operation>> = {
  GetBucketLifecycleConfiguration: operation<BucketInput, SDK.GetBucketLifecycleConfigurationOutput>({
    authorize: onBucket('s3:GetLifecycleConfiguration'),
    readOnly: true,
    run: (call, input) => {
      const bucket = requireBucket(call, call.tx, input);
      const kept = lifecycleOf(bucket);
      if (!kept)
        throw noSuchConfiguration(
          'NoSuchLifecycleConfiguration',
          'The lifecycle configuration does not exist',
          bucket.id,
        );
      return { ...kept, Rules: kept.Rules.map(withTimes) };
    },
  }),
  PutBucketLifecycleConfiguration: operation<
    SDK.PutBucketLifecycleConfigurationRequest,
    SDK.PutBucketLifecycleConfigurationOutput
  >({ authorize: onBucket('s3:PutLifecycleConfiguration'), run: putLifecycle }),
  DeleteBucketLifecycle: deleting('lifecycle', 's3:PutLifecycleConfiguration'),
};
