// Trails: which records go to which bucket. https://docs.aws.amazon.com/awscloudtrail/latest/APIReference/API_CreateTrail.html (read 2026-11-22).
// The files themselves are server/trail/delivery.ts's. Order of checks: what is not served, the name, the combination, the bucket, its policy.
// Gaps: SNS, CloudWatch Logs, KMS, organizations, digest files: refused.

import type {
  CreateTrailRequest,
  CreateTrailResponse,
  DeleteTrailRequest,
  DescribeTrailsRequest,
  DescribeTrailsResponse,
  GetTrailRequest,
  GetTrailResponse,
  GetTrailStatusRequest,
  GetTrailStatusResponse,
  ListTrailsResponse,
  StartLoggingRequest,
  Trail,
  UpdateTrailRequest,
} from '@aws-sdk/client-cloudtrail';
import { type BaseCall, type Call, operation, type Permission } from '../../service.ts';
import type { TrailRow } from '../../store/rows/cloudtrail.ts';
import { placeOf } from '../../trail/event-history.ts';
import { checkBucket } from './bucket-access.ts';
import {
  invalidCombination,
  invalidPrefix,
  invalidTrailName,
  tooManyTrails,
  trailExists,
  unsupported,
} from './errors.ts';
import { tagsOf } from './tags.ts';
import { checkTrailName, findOwnTrail, findTrail, trailArn, visibleTrails } from './trail-names.ts';

const mostTrails = 5;
const mostPrefixLength = 200;

/** @throws UnsupportedOperationException naming what would be promised and not kept */
function refuseUnserved(input: CreateTrailRequest | UpdateTrailRequest): void {
  const unserved = {
    'SNS topics of trails (SnsTopicName)': input.SnsTopicName,
    'delivery to CloudWatch Logs (CloudWatchLogsLogGroupArn)': input.CloudWatchLogsLogGroupArn,
    'delivery to CloudWatch Logs (CloudWatchLogsRoleArn)': input.CloudWatchLogsRoleArn,
    'log files under a KMS key (KmsKeyId)': input.KmsKeyId,
    'organization trails (IsOrganizationTrail)': input.IsOrganizationTrail,
    'digest files (EnableLogFileValidation)': input.EnableLogFileValidation,
    'logging of its own deliveries (RecursiveLogging)': input.RecursiveLogging,
  };
  for (const [what, given] of Object.entries(unserved)) if (given) throw unsupported(what);
}

function checked(call: Call, row: TrailRow): TrailRow {
  if (row.isMultiRegion && !row.includeGlobalServiceEvents)
    throw invalidCombination('Multi-Region trail must include global service events.');
  if ((row.prefix ?? '').length > mostPrefixLength) throw invalidPrefix();
  checkBucket(call, row);
  return row;
}

function createTrail(call: Call, input: CreateTrailRequest): CreateTrailResponse {
  refuseUnserved(input);
  const name = input.Name ?? '';
  checkTrailName(name);
  const id = trailArn(call, name);
  const own = call.tx.list('trail', { accountId: call.accountId });
  if (own.some((row) => row.name === name && (row.region === call.region || row.isMultiRegion)))
    throw trailExists(name, call.accountId);
  if (call.settings.quotas === 'aws' && own.filter((row) => row.region === call.region).length >= mostTrails)
    throw tooManyTrails(call.accountId, mostTrails, call.region);
  const row: TrailRow = {
    id,
    accountId: call.accountId,
    region: call.region,
    name,
    bucket: input.S3BucketName ?? '',
    ...(input.S3KeyPrefix && { prefix: input.S3KeyPrefix }),
    includeGlobalServiceEvents: input.IncludeGlobalServiceEvents ?? true,
    isMultiRegion: input.IsMultiRegionTrail ?? false,
    tags: tagsOf(input.TagsList, id),
    isLogging: false,
    deliveredPlace: placeOf(call.now),
  };
  call.tx.put('trail', checked(call, row));
  return settingsOf(row);
}

function updateTrail(call: Call, input: UpdateTrailRequest): CreateTrailResponse {
  refuseUnserved(input);
  const before = findOwnTrail(call, input.Name ?? '');
  const { prefix: oldPrefix, ...rest } = before;
  const prefix = input.S3KeyPrefix ?? oldPrefix;
  const row: TrailRow = {
    ...rest,
    bucket: input.S3BucketName ?? before.bucket,
    ...(prefix && { prefix }),
    includeGlobalServiceEvents: input.IncludeGlobalServiceEvents ?? before.includeGlobalServiceEvents,
    isMultiRegion: input.IsMultiRegionTrail ?? before.isMultiRegion,
  };
  call.tx.put('trail', checked(call, row));
  return settingsOf(row);
}

function settingsOf(row: TrailRow) {
  return {
    Name: row.name,
    S3BucketName: row.bucket,
    ...(row.prefix !== undefined && { S3KeyPrefix: row.prefix }),
    IncludeGlobalServiceEvents: row.includeGlobalServiceEvents,
    IsMultiRegionTrail: row.isMultiRegion,
    TrailARN: row.id,
    LogFileValidationEnabled: false,
    IsOrganizationTrail: false,
  };
}

function described(row: TrailRow): Trail {
  return {
    ...settingsOf(row),
    HomeRegion: row.region,
    HasCustomEventSelectors: row.selectors !== undefined || row.advancedSelectors !== undefined,
    HasInsightSelectors: false,
  };
}

function describeTrails(call: Call, input: DescribeTrailsRequest): DescribeTrailsResponse {
  const names = input.trailNameList ?? [];
  const rows = visibleTrails(call).filter((row) => input.includeShadowTrails !== false || row.region === call.region);
  // Names that nobody has are left out, as AWS does.
  const wanted = names.length === 0 ? rows : rows.filter((row) => names.includes(row.name) || names.includes(row.id));
  return { trailList: wanted.map(described) };
}

function listTrails(call: Call): ListTrailsResponse {
  const rows = call.tx.list('trail', { accountId: call.accountId });
  return { Trails: rows.map((row) => ({ TrailARN: row.id, Name: row.name, HomeRegion: row.region })) };
}

function startLogging(call: Call, name: string): object {
  const { lastPlace: _, ...row } = findOwnTrail(call, name);
  if (row.isLogging) return {};
  const startedAt = call.now.toISOString();
  call.tx.put('trail', { ...row, isLogging: true, startedAt, deliveredPlace: placeOf(call.now) - 1 });
  return {};
}

function stopLogging(call: Call, name: string): object {
  const row = findOwnTrail(call, name);
  if (!row.isLogging) return {};
  const stoppedAt = call.now.toISOString();
  call.tx.put('trail', { ...row, isLogging: false, stoppedAt, lastPlace: placeOf(call.now) });
  return {};
}

const secondsOf = (iso: string | undefined) => (iso === undefined ? '' : `${iso.slice(0, 19)}Z`);

function trailStatus(call: Call, input: GetTrailStatusRequest): GetTrailStatusResponse {
  const row = findTrail(call, input.Name ?? '');
  const { startedAt, stoppedAt, deliveredAt, deliveryError } = row;
  return {
    IsLogging: row.isLogging,
    ...(deliveryError !== undefined && { LatestDeliveryError: deliveryError }),
    ...(deliveredAt !== undefined && { LatestDeliveryTime: new Date(deliveredAt) }),
    ...(startedAt !== undefined && { StartLoggingTime: new Date(startedAt) }),
    ...(stoppedAt !== undefined && { StopLoggingTime: new Date(stoppedAt) }),
    LatestDeliveryAttemptTime: secondsOf(row.attemptedAt),
    LatestNotificationAttemptTime: '',
    LatestNotificationAttemptSucceeded: '',
    LatestDeliveryAttemptSucceeded: secondsOf(deliveredAt),
    TimeLoggingStarted: secondsOf(startedAt),
    TimeLoggingStopped: secondsOf(stoppedAt),
  };
}

const on = (call: BaseCall, name: string | undefined): Permission[] => [
  { action: `cloudtrail:${call.operation}`, resource: trailArn(call, name ?? '') },
];
const onAll = (call: BaseCall): Permission[] => [{ action: `cloudtrail:${call.operation}`, resource: '*' }];
const named = (input: { Name?: string | undefined }): string => {
  if (!input.Name) throw invalidTrailName('Trail name cannot be blank!');
  return input.Name;
};

export const trailOperations = {
  CreateTrail: operation<CreateTrailRequest, CreateTrailResponse>({
    authorize: (call, input) => {
      const [create] = on(call, input.Name);
      const tag = { action: 'cloudtrail:AddTags', resource: trailArn(call, input.Name ?? '') };
      return [...(create ? [create] : []), ...(input.TagsList?.length ? [tag] : [])];
    },
    run: createTrail,
  }),
  UpdateTrail: operation<UpdateTrailRequest, CreateTrailResponse>({
    authorize: (call, input) => on(call, input.Name),
    run: updateTrail,
  }),
  DeleteTrail: operation<DeleteTrailRequest, object>({
    authorize: (call, input) => on(call, input.Name),
    run: (call, input) => {
      call.tx.delete('trail', findOwnTrail(call, named(input)).id);
      return {};
    },
  }),
  DescribeTrails: operation<DescribeTrailsRequest, DescribeTrailsResponse>({
    authorize: onAll,
    run: describeTrails,
    readOnly: true,
  }),
  GetTrail: operation<GetTrailRequest, GetTrailResponse>({
    authorize: (call, input) => on(call, input.Name),
    run: (call, input) => ({ Trail: described(findTrail(call, named(input))) }),
    readOnly: true,
  }),
  ListTrails: operation<object, ListTrailsResponse>({ authorize: onAll, run: listTrails, readOnly: true }),
  StartLogging: operation<StartLoggingRequest, object>({
    authorize: (call, input) => on(call, input.Name),
    run: (call, input) => startLogging(call, named(input)),
  }),
  StopLogging: operation<StartLoggingRequest, object>({
    authorize: (call, input) => on(call, input.Name),
    run: (call, input) => stopLogging(call, named(input)),
  }),
  GetTrailStatus: operation<GetTrailStatusRequest, GetTrailStatusResponse>({
    authorize: (call, input) => on(call, input.Name),
    run: trailStatus,
    readOnly: true,
  }),
};
