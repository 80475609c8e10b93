// Replication rules: checked and kept. Nothing is replicated (docs/gaps.md).
// https://docs.aws.amazon.com/AmazonS3/latest/API/API_ReplicationRule.html, API_Destination.html and userguide/replication-add-config.html (read 2026-11-21).
// A rule with a Filter is of the second version of the schema and has a priority and a DeleteMarkerReplication; one without is of the first and has neither.
// Texts: recorded on S3, or as users of Terraform and the CDK print S3's; those that say so below are without a source.

import type * as SDK from '@aws-sdk/client-s3';
import type { Call } from '../../service.ts';
import type { BucketRow } from '../../store/rows/s3.ts';
import { invalidArgument, invalidRequest, malformedXml } from './errors.ts';
import { isStorageClass } from './metadata.ts';
import { bucketOfArn } from './names.ts';
import { checkFilter, tagsOf } from './rule-filters.ts';

const maxRules = 1000;
const maxIdCharacters = 255;
/** The one time that replication time control knows. */
const minutes = 15;

const isStatus = (status: string | undefined) => status === 'Enabled' || status === 'Disabled';
const forMore = 'Please refer to S3 Developer Guide for more information.';
const ofSchema = `for this version of Cross Region Replication configuration schema. ${forMore}`;

/** @throws InvalidRequest, MalformedXML, InvalidArgument */
export function takeReplication(call: Call, bucket: BucketRow, input: SDK.PutBucketReplicationRequest) {
  if (bucket.versioning !== 'Enabled')
    throw invalidRequest("Versioning must be 'Enabled' on the bucket to apply a replication configuration");
  const { Role, Rules: rules = [] } = input.ReplicationConfiguration ?? {};
  if (!Role || rules.length === 0 || rules.length > maxRules) throw malformedXml();
  // Without a source.
  if (!/^arn:[\w-]+:iam::\d{12}:role\/./.test(Role))
    throw invalidArgument('Invalid Role specified in replication configuration', 'Role', Role);
  const ids = rules.map((rule) => rule.ID).filter((id) => id !== undefined);
  if (new Set(ids).size < ids.length)
    throw invalidArgument('Rule ID must be unique. Found same ID for more than one rule.');
  checkSchema(rules);
  for (const rule of rules) {
    checkRule(rule);
    checkDestination(call, bucket, rule);
  }
  call.require(call.tx, 'iam:PassRole', Role, { 'iam:PassedToService': ['s3.amazonaws.com'] });
  return {
    Role,
    Rules: rules.map((rule, index) => ({ ...rule, ID: rule.ID ?? `rule-${call.requestId}-${index}` })),
  };
}

/** One rule without a filter makes it the first version. @throws InvalidRequest */
function checkSchema(rules: readonly SDK.ReplicationRule[]): void {
  const isFirst = rules.some((rule) => rule.Filter === undefined);
  for (const rule of rules)
    for (const member of ['Priority', 'DeleteMarkerReplication'] as const) {
      if (isFirst && rule[member] !== undefined) throw invalidRequest(`${member} cannot be used ${ofSchema}`);
      if (!isFirst && rule[member] === undefined) throw invalidRequest(`${member} must be specified ${ofSchema}`);
    }
  const priorities = rules.map((rule) => rule.Priority).filter((priority) => priority !== undefined);
  const twice = priorities.find((priority, place) => priorities.indexOf(priority) !== place);
  // Without a source, as the next.
  if (twice !== undefined) throw invalidRequest(`Found duplicate priority ${twice}.`);
  if (priorities.some((priority) => priority < 0 || priority > 2 ** 31 - 1))
    throw invalidRequest('Priority must be between 0 and 2147483647.');
}

/** @throws MalformedXML, InvalidArgument, InvalidRequest */
function checkRule(rule: SDK.ReplicationRule): void {
  const { ID, Status, Filter, Prefix, DeleteMarkerReplication: markers, SourceSelectionCriteria: criteria } = rule;
  // Without a source.
  if ((ID ?? '').length > maxIdCharacters)
    throw invalidArgument(`The maximum length of a rule ID is ${maxIdCharacters} characters.`, 'ID', ID);
  const kms = criteria?.SseKmsEncryptedObjects;
  const statuses = [rule, markers, kms, criteria?.ReplicaModifications, rule.ExistingObjectReplication];
  if (!isStatus(Status) || statuses.some((one) => one !== undefined && !isStatus(one.Status))) throw malformedXml();
  if ((Filter === undefined) === (Prefix === undefined)) throw malformedXml();
  if (Filter && Object.keys(Filter).length > 0) checkFilter(Filter);
  if (markers?.Status === 'Enabled' && tagsOf(Filter).length > 0)
    throw invalidRequest(`Delete marker replication is not supported if any Tag filter is specified. ${forMore}`);
  const replicaKey = rule.Destination?.EncryptionConfiguration;
  if (replicaKey && !kms)
    throw invalidRequest('SseKmsEncryptedObjects must be specified if EncryptionConfiguration is present.');
  // Without a source.
  if (kms?.Status === 'Enabled' && !replicaKey?.ReplicaKmsKeyID)
    throw invalidRequest('ReplicaKmsKeyID must be specified if SseKmsEncryptedObjects tag is present.');
}

/** @throws MalformedXML, InvalidArgument, InvalidRequest */
function checkDestination(call: Call, bucket: BucketRow, { Destination: destination }: SDK.ReplicationRule): void {
  const { Bucket, StorageClass, Account, AccessControlTranslation: translation } = destination ?? {};
  const target = bucketOfArn(Bucket ?? '');
  if (target === undefined) throw invalidArgument('Invalid bucket ARN.', 'Bucket', Bucket);
  // Without a source, as the next.
  if (target === bucket.id) throw invalidRequest('Destination bucket cannot be the same as the source bucket.');
  if (translation && Account === undefined)
    throw invalidRequest('Account must be specified if the Owner in AccessControlTranslation has a value');
  if (translation && translation.Owner !== 'Destination') throw malformedXml();
  if (StorageClass !== undefined && !isStorageClass(StorageClass)) throw malformedXml();
  checkTime(destination ?? {});
  if (call.tx.get('bucket', target)?.versioning !== 'Enabled')
    throw invalidRequest('Destination bucket must have versioning enabled.');
}

/** Replication time control takes metrics, both of 15 minutes. @throws MalformedXML, InvalidRequest, InvalidArgument; only the first text has a source */
function checkTime({ ReplicationTime: time, Metrics: metrics }: Partial<SDK.Destination>): void {
  if (metrics && !isStatus(metrics.Status)) throw malformedXml();
  if (!time) return;
  if (!isStatus(time.Status)) throw malformedXml();
  if (!metrics)
    throw invalidRequest('Replication destination must contain both ReplicationTime and Metrics or neither.');
  if (time.Time?.Minutes !== minutes) throw invalidArgument('Invalid time minute value', 'ReplicationTime');
  if (metrics.EventThreshold?.Minutes !== minutes)
    throw invalidArgument('Invalid event threshold minute value', 'ReplicationMetrics');
}
