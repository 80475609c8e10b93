// Object lock: default retention of a bucket, retention and legal hold of a version, and what they forbid.
// https://docs.aws.amazon.com/AmazonS3/latest/userguide/object-lock.html (read 2026-11-21). A lock protects a version, not a key: a delete without a version
// makes a marker and is never refused. COMPLIANCE can only be lengthened, by nobody shortened; GOVERNANCE gives way to s3:BypassGovernanceRetention and its header.

import type * as SDK from '@aws-sdk/client-s3';
import { AwsError } from '../../errors.ts';
import { type BaseCall, type Call, type Operation, operation } from '../../service.ts';
import type { BucketRow, ObjectRow, RetentionMode } from '../../store/rows/s3.ts';
import type { Transaction } from '../../store/store.ts';
import { commonContext, onBucket, onObject, requireBucket } from './access.ts';
import {
  invalidArgument,
  invalidBucketState,
  invalidRequest,
  lockedByObjectLock,
  malformedXml,
  noLockConfiguration,
  noSuchConfiguration,
  notImplemented,
} from './errors.ts';
import { objectArn } from './names.ts';
import { requireObject } from './reads.ts';
import { updateVersion } from './versions.ts';

type Retention = NonNullable<ObjectRow['retention']>;
type Locks = Pick<ObjectRow, 'retention' | 'legalHold'>;

const dayMs = 24 * 3600 * 1000;

function isMode(mode: string | undefined): mode is RetentionMode {
  return mode === 'GOVERNANCE' || mode === 'COMPLIANCE';
}

/** The locks that a write brings, or that the bucket gives every new version. @throws InvalidArgument, InvalidRequest, NotImplemented (event holds) */
export function locksOf(
  call: BaseCall,
  bucket: BucketRow,
  input: {
    readonly ObjectLockMode?: string | undefined;
    readonly ObjectLockRetainUntilDate?: Date | undefined;
    readonly ObjectLockLegalHoldStatus?: string | undefined;
    readonly ObjectLockEventHold?: string | undefined;
    readonly ObjectLockEventHoldDurationDays?: number | undefined;
    readonly ObjectLockEventHoldDurationYears?: number | undefined;
  },
): Locks {
  const { ObjectLockMode: mode, ObjectLockRetainUntilDate: until, ObjectLockLegalHoldStatus: hold } = input;
  if (
    input.ObjectLockEventHold !== undefined ||
    input.ObjectLockEventHoldDurationDays !== undefined ||
    input.ObjectLockEventHoldDurationYears !== undefined
  )
    throw notImplemented('x-amz-object-lock-event-hold');
  if (mode === undefined && until === undefined && hold === undefined) return defaultLocks(bucket, call.now);
  if ((mode === undefined) !== (until === undefined))
    throw invalidArgument(
      'x-amz-object-lock-retain-until-date and x-amz-object-lock-mode must both be supplied',
      mode === undefined ? 'x-amz-object-lock-mode' : 'x-amz-object-lock-retain-until-date',
    );
  if (mode !== undefined && !isMode(mode))
    throw invalidArgument('Unknown wormMode directive.', 'x-amz-object-lock-mode', mode);
  if (hold !== undefined && hold !== 'ON' && hold !== 'OFF')
    throw invalidArgument('Legal Hold must be either of ON or OFF', 'x-amz-object-lock-legal-hold', hold);
  if (!bucket.objectLock) throw noLockConfiguration();
  const kept =
    mode && until ? { retention: { mode, until: futureTime(until, call.now) } } : defaultLocks(bucket, call.now);
  return { ...kept, ...(hold !== undefined && { legalHold: hold === 'ON' }) };
}

function defaultLocks(bucket: BucketRow, now: Date): Locks {
  const rule = bucket.objectLock?.defaultRetention;
  if (!rule) return {};
  const until = new Date(now);
  if (rule.years !== undefined) until.setUTCFullYear(until.getUTCFullYear() + rule.years);
  else until.setTime(until.getTime() + (rule.days ?? 0) * dayMs);
  return { retention: { mode: rule.mode, until: until.toISOString() } };
}

/** @throws InvalidArgument for a time that has passed */
function futureTime(until: Date, now: Date): string {
  if (until <= now)
    throw invalidArgument('The retain until date must be in the future!', 'RetainUntilDate', asJavaPrints(until));
  return until.toISOString();
}

/** In the time zone of S3's own machines, recorded: `Tue Dec 31 16:00:00 PST 2019`. */
function asJavaPrints(date: Date): string {
  const parts = new Intl.DateTimeFormat('en-US', {
    timeZone: 'America/Los_Angeles',
    hourCycle: 'h23',
    weekday: 'short',
    month: 'short',
    day: '2-digit',
    hour: '2-digit',
    minute: '2-digit',
    second: '2-digit',
    timeZoneName: 'short',
    year: 'numeric',
  }).formatToParts(date);
  const part = (type: Intl.DateTimeFormatPartTypes) => parts.find((one) => one.type === type)?.value ?? '';
  const time = `${part('hour')}:${part('minute')}:${part('second')}`;
  return `${part('weekday')} ${part('month')} ${part('day')} ${time} ${part('timeZoneName')} ${part('year')}`;
}

function isRetained(retention: Retention | undefined, now: Date): retention is Retention {
  return retention !== undefined && new Date(retention.until) > now;
}

/** Whether the caller gave the header, and may. @throws AccessDenied */
function bypasses(
  call: BaseCall,
  tx: Transaction,
  bucket: BucketRow,
  row: ObjectRow,
  asked: boolean | undefined,
): boolean {
  if (asked !== true) return false;
  const resource = objectArn(call.partition, bucket.id, row.key);
  call.require(tx, 's3:BypassGovernanceRetention', resource, commonContext(call, bucket));
  return true;
}

/** @throws InvalidArgument: the header means nothing where nothing can be locked */
export function checkBypass(bucket: BucketRow, asked: boolean | undefined): void {
  if (asked !== undefined && !bucket.objectLock)
    throw invalidArgument(
      'x-amz-bypass-governance-retention is only applicable to Object Lock enabled buckets.',
      'x-amz-bypass-governance-retention',
    );
}

/** Whether a version may be deleted for good. @throws AccessDenied */
export function checkDeletable(
  call: BaseCall,
  tx: Transaction,
  bucket: BucketRow,
  row: ObjectRow,
  bypass: boolean | undefined,
): void {
  if (row.legalHold) throw lockedByObjectLock();
  if (!isRetained(row.retention, call.now)) return;
  if (row.retention.mode === 'COMPLIANCE' || !bypasses(call, tx, bucket, row, bypass)) throw lockedByObjectLock();
}

/** For the lifecycle, which never bypasses. */
export function isLocked(row: ObjectRow, now: Date): boolean {
  return row.legalHold === true || isRetained(row.retention, now);
}

/** What reads tell of the locks, to those who may know. */
export function lockMembers(call: BaseCall, tx: Transaction, row: ObjectRow) {
  if (row.retention === undefined && row.legalHold === undefined) return {};
  const resource = objectArn(call.partition, row.bucket, row.key);
  return {
    ...(row.retention &&
      call.allows(tx, 's3:GetObjectRetention', resource) && {
        ObjectLockMode: row.retention.mode,
        ObjectLockRetainUntilDate: new Date(row.retention.until),
      }),
    ...(row.legalHold !== undefined &&
      call.allows(tx, 's3:GetObjectLegalHold', resource) && {
        ObjectLockLegalHoldStatus: row.legalHold ? ('ON' as const) : ('OFF' as const),
      }),
  };
}

/** @throws InvalidRequest */
function lockedBucket(call: Call, input: { readonly Bucket?: string | undefined }): BucketRow {
  const bucket = requireBucket(call, call.tx, input);
  if (!bucket.objectLock) throw noLockConfiguration();
  return bucket;
}

function noSuchLock(): AwsError {
  return new AwsError(
    'NoSuchObjectLockConfiguration',
    404,
    'The specified object does not have a ObjectLock configuration',
  );
}

function putRetention(call: Call, input: SDK.PutObjectRetentionRequest): SDK.PutObjectRetentionOutput {
  const bucket = requireBucket(call, call.tx, input);
  const row = requireObject(call, call.tx, input, 'refused');
  if (!bucket.objectLock) throw noLockConfiguration();
  const { Mode: mode, RetainUntilDate: until } = input.Retention ?? {};
  const { retention: kept, ...rest } = row;
  if (mode === undefined && until === undefined) {
    // An empty element takes the retention away, for those who may bypass it.
    if (isRetained(kept, call.now)) checkShortening(call, bucket, row, kept, input.BypassGovernanceRetention);
    updateVersion(call.tx, rest);
    return {};
  }
  if (!isMode(mode) || until === undefined) throw malformedXml();
  const wanted = { mode, until: futureTime(until, call.now) };
  // Another mode takes the bypass even where it is the stricter one (seen on S3 by ceph pull request 42505).
  const isLonger = kept && new Date(wanted.until) >= new Date(kept.until) && kept.mode === mode;
  if (isRetained(kept, call.now) && !isLonger)
    checkShortening(call, bucket, row, kept, input.BypassGovernanceRetention);
  updateVersion(call.tx, { ...rest, retention: wanted });
  return {};
}

/** @throws AccessDenied */
function checkShortening(
  call: Call,
  bucket: BucketRow,
  row: ObjectRow,
  kept: Retention,
  bypass: boolean | undefined,
): void {
  if (kept.mode === 'COMPLIANCE' || !bypasses(call, call.tx, bucket, row, bypass)) throw lockedByObjectLock();
}

function putLockConfiguration(call: Call, input: SDK.PutObjectLockConfigurationRequest): Record<string, never> {
  const bucket = requireBucket(call, call.tx, input);
  const wanted = input.ObjectLockConfiguration;
  if (!wanted) throw new AwsError('MissingRequestBodyError', 400, 'Request Body is empty');
  if (wanted.ObjectLockEnabled !== 'Enabled') throw malformedXml();
  if (bucket.versioning !== 'Enabled')
    throw invalidBucketState("Versioning must be 'Enabled' on the bucket to apply a Object Lock configuration");
  const defaultRetention = wanted.Rule && defaultRetentionOf(wanted.Rule.DefaultRetention);
  call.tx.put('bucket', { ...bucket, objectLock: defaultRetention ? { defaultRetention } : {} });
  return {};
}

/** @throws MalformedXML, InvalidArgument */
function defaultRetentionOf(given: SDK.DefaultRetention | undefined) {
  const { Mode: mode, Days: days, Years: years } = given ?? {};
  if (!isMode(mode) || (days === undefined) === (years === undefined)) throw malformedXml();
  const [period, most] = days === undefined ? [years ?? 0, 100] : [days, 36_500];
  if (!Number.isInteger(period) || period < 1)
    throw invalidArgument('Default retention period must be a positive integer value.');
  if (period > most) throw invalidArgument(`Default retention period too large: maximum is ${most}`);
  return { mode, ...(days === undefined ? { years: period } : { days: period }) };
}

function getLockConfiguration(bucket: BucketRow): SDK.GetObjectLockConfigurationOutput {
  if (!bucket.objectLock)
    throw noSuchConfiguration(
      'ObjectLockConfigurationNotFoundError',
      'Object Lock configuration does not exist for this bucket',
      bucket.id,
    );
  const rule = bucket.objectLock.defaultRetention;
  return {
    ObjectLockConfiguration: {
      ObjectLockEnabled: 'Enabled',
      ...(rule && {
        Rule: {
          DefaultRetention: {
            Mode: rule.mode,
            ...(rule.days !== undefined && { Days: rule.days }),
            ...(rule.years !== undefined && { Years: rule.years }),
          },
        },
      }),
    },
  };
}

export const objectLockOperations = {
  GetObjectLockConfiguration: operation<SDK.GetObjectLockConfigurationRequest, SDK.GetObjectLockConfigurationOutput>({
    authorize: onBucket('s3:GetBucketObjectLockConfiguration'),
    readOnly: true,
    run: (call, input) => getLockConfiguration(requireBucket(call, call.tx, input)),
  }),
  PutObjectLockConfiguration: operation<SDK.PutObjectLockConfigurationRequest, Record<string, never>>({
    authorize: onBucket('s3:PutBucketObjectLockConfiguration'),
    run: putLockConfiguration,
  }),
  GetObjectRetention: operation<SDK.GetObjectRetentionRequest, SDK.GetObjectRetentionOutput>({
    authorize: onObject('s3:GetObjectRetention'),
    readOnly: true,
    run: (call, input) => {
      lockedBucket(call, input);
      const { retention } = requireObject(call, call.tx, input, 'refused');
      if (!retention) throw noSuchLock();
      return { Retention: { Mode: retention.mode, RetainUntilDate: new Date(retention.until) } };
    },
  }),
  PutObjectRetention: operation<SDK.PutObjectRetentionRequest, SDK.PutObjectRetentionOutput>({
    authorize: onObject<SDK.PutObjectRetentionRequest>('s3:PutObjectRetention', (_call, input) => ({
      ...(input.Retention?.Mode && { 's3:object-lock-mode': [input.Retention.Mode] }),
    })),
    run: putRetention,
  }),
  GetObjectLegalHold: operation<SDK.GetObjectLegalHoldRequest, SDK.GetObjectLegalHoldOutput>({
    authorize: onObject('s3:GetObjectLegalHold'),
    readOnly: true,
    run: (call, input) => {
      lockedBucket(call, input);
      const { legalHold } = requireObject(call, call.tx, input, 'refused');
      if (legalHold === undefined) throw noSuchLock();
      return { LegalHold: { Status: legalHold ? 'ON' : 'OFF' } };
    },
  }),
  PutObjectLegalHold: operation<SDK.PutObjectLegalHoldRequest, SDK.PutObjectLegalHoldOutput>({
    authorize: onObject<SDK.PutObjectLegalHoldRequest>('s3:PutObjectLegalHold', (_call, input) => ({
      ...(input.LegalHold?.Status && { 's3:object-lock-legal-hold': [input.LegalHold.Status] }),
    })),
    run: (call, input) => {
      const bucket = requireBucket(call, call.tx, input);
      const row = requireObject(call, call.tx, input, 'refused');
      const status = input.LegalHold?.Status;
      if (status !== 'ON' && status !== 'OFF') throw malformedXml();
      if (!bucket.objectLock) throw noLockConfiguration();
      updateVersion(call.tx, { ...row, legalHold: status === 'ON' });
      return {};
    },
  }),
} satisfies Record<string, Operation>;

/** A locked version must not arrive damaged. @throws InvalidRequest */
export function checkLockedUpload(locks: Locks, hasDigest: boolean): void {
  if ((locks.retention || locks.legalHold !== undefined) && !hasDigest)
    throw invalidRequest(
      'Content-MD5 OR x-amz-checksum- HTTP header is required for Put Object requests with Object Lock parameters',
    );
}
