// Notifications: checked and kept. Nobody is notified (docs/gaps.md).
// https://docs.aws.amazon.com/AmazonS3/latest/userguide/notification-how-to-filtering.html and how-to-enable-disable-notification-intro.html (read 2026-11-21)
// Texts: recorded on S3 (2023); of overlaps, regions, ids and lengths as users print S3's.

import type * as SDK from '@aws-sdk/client-s3';
import type { Call } from '../../service.ts';
import type { BucketRow } from '../../store/rows/s3.ts';
import { invalidArgument, malformedXml } from './errors.ts';

const maxValueBytes = 1024;
const maxConfigurations = 100;

const eventPattern =
  /^s3:(ReducedRedundancyLostObject|IntelligentTiering|LifecycleTransition|ObjectCreated:(\*|Put|Post|Copy|CompleteMultipartUpload)|ObjectRemoved:(\*|Delete|DeleteMarkerCreated)|ObjectRestore:(\*|Post|Completed|Delete)|Replication:(\*|OperationFailedReplication|OperationMissedThreshold|OperationNotTracked|OperationReplicatedAfterThreshold)|LifecycleExpiration:(\*|Delete|DeleteMarkerCreated)|ObjectTagging:(\*|Put|Delete)|ObjectAnnotation:(\*|Put|Delete)|ObjectRetention:Put|ObjectAcl:Put)$/;

const targets = [
  { list: 'QueueConfigurations', arn: 'QueueArn', argument: 'Queue', service: 'sqs' },
  { list: 'TopicConfigurations', arn: 'TopicArn', argument: 'Topic', service: 'sns' },
  { list: 'LambdaFunctionConfigurations', arn: 'LambdaFunctionArn', argument: 'CloudFunction', service: 'lambda' },
] as const;

interface Target {
  readonly Id?: string;
  readonly Events?: readonly string[];
  readonly Filter?: SDK.NotificationConfigurationFilter;
  readonly [arn: string]: unknown;
}

/**
 * EventBridge is taken and tells nobody. A queue, topic or function cannot exist here, so its destination cannot be validated: S3's own refusal,
 * unless the caller skips the validation.
 * @throws MalformedXML, InvalidArgument
 */
export function takeNotification(
  call: Call,
  bucket: BucketRow,
  input: SDK.PutBucketNotificationConfigurationRequest,
): unknown {
  const wanted = (input.NotificationConfiguration ?? {}) as Readonly<Record<string, unknown>>;
  const kept: Record<string, unknown> = {};
  const all: Target[] = [];
  const unseen: string[] = [];
  for (const { list, arn, argument, service } of targets) {
    const configurations = (wanted[list] ?? []) as readonly Target[];
    if (configurations.length === 0) continue;
    kept[list] = configurations.map((one) => {
      const name = String(one[arn] ?? '');
      if (!name || !one.Events?.length) throw malformedXml();
      const [, region] = new RegExp(`^arn:[\\w-]+:${service}:([\\w-]+):\\d{12}:.+`).exec(name) ?? [];
      if (region === undefined) throw invalidArgument('The ARN could not be parsed', argument, name);
      if (region !== bucket.region)
        throw invalidArgument(
          'The notification destination service region is not valid for the bucket location constraint',
          argument,
          name,
        );
      checkEvents(one.Events);
      const Filter = keptFilter(one.Filter);
      unseen.push(name);
      const made = { ...one, Id: one.Id ?? `${call.requestId}-${all.length + 1}`, ...(Filter && { Filter }) };
      all.push(made);
      return made;
    });
  }
  checkTogether(all);
  if (input.SkipDestinationValidation !== true && unseen[0] !== undefined)
    throw invalidArgument(
      'Unable to validate the following destination configurations',
      unseen[0],
      'Destination does not exist',
    );
  if (wanted['EventBridgeConfiguration'] !== undefined) kept['EventBridgeConfiguration'] = {};
  return Object.keys(kept).length > 0 ? kept : undefined;
}

/** @throws InvalidArgument */
function checkTogether(all: readonly Target[]): void {
  // The number is S3's quota, the wording without a source.
  if (all.length > maxConfigurations)
    throw invalidArgument(`A bucket can have at most ${maxConfigurations} notification configurations.`);
  if (new Set(all.map((one) => one.Id)).size < all.length)
    throw invalidArgument('Same ID used for multiple configurations. IDs must be unique.');
  for (const [place, one] of all.entries())
    for (const other of all.slice(place + 1))
      if (overlap(one, other))
        throw invalidArgument(
          'Configuration is ambiguously defined. Cannot have overlapping suffixes in two rules if the prefixes are overlapping for the same event type.',
        );
}

/** Whether one event of one key could be both's. */
function overlap(one: Target, other: Target): boolean {
  const sameEvent = (one.Events ?? []).some((a) => (other.Events ?? []).some((b) => isWithin(a, b) || isWithin(b, a)));
  const [prefix, otherPrefix] = [filterValue(one, 'prefix'), filterValue(other, 'prefix')];
  const [suffix, otherSuffix] = [filterValue(one, 'suffix'), filterValue(other, 'suffix')];
  return (
    sameEvent &&
    (prefix.startsWith(otherPrefix) || otherPrefix.startsWith(prefix)) &&
    (suffix.endsWith(otherSuffix) || otherSuffix.endsWith(suffix))
  );
}

function isWithin(event: string, pattern: string): boolean {
  return pattern.endsWith('*') ? event.startsWith(pattern.slice(0, -1)) : event === pattern;
}

function filterValue({ Filter }: Target, name: string): string {
  return Filter?.Key?.FilterRules?.find((rule) => rule.Name?.toLowerCase() === name)?.Value ?? '';
}

function checkEvents(events: readonly string[]): void {
  for (const event of events)
    if (!eventPattern.test(event))
      throw invalidArgument(`The event '${event}' is not supported for notifications`, 'Event', event);
}

/** S3 tells names of filter rules with a capital, however they came. @throws MalformedXML, InvalidArgument */
function keptFilter(filter: SDK.NotificationConfigurationFilter | undefined): Target['Filter'] | undefined {
  if (!filter) return undefined;
  const seen = new Set<string>();
  const FilterRules = (filter.Key?.FilterRules ?? []).map(({ Name: name, Value }) => {
    if (name === undefined || Value === undefined) throw malformedXml();
    const lower = name.toLowerCase();
    if (lower !== 'prefix' && lower !== 'suffix')
      throw invalidArgument('filter rule name must be either prefix or suffix', 'FilterRule.Name', name);
    if (seen.has(lower))
      throw invalidArgument(`Cannot specify more than one ${lower} rule in a filter.`, 'FilterRule.Name', name);
    seen.add(lower);
    if (Buffer.byteLength(Value) > maxValueBytes)
      throw invalidArgument(
        `Size of filter rule value cannot exceed ${maxValueBytes} bytes in UTF-8 representation`,
        'FilterRule.Value',
        Value,
      );
    return { Name: (lower === 'prefix' ? 'Prefix' : 'Suffix') as SDK.FilterRuleName, Value };
  });
  return { Key: { FilterRules } };
}
