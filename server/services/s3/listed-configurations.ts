// Sub-resources that are many documents, each with an id: analytics, inventory, metrics, intelligent tiering. Kept and told; no report is ever written.
// https://docs.aws.amazon.com/AmazonS3/latest/API/API_PutBucketInventoryConfiguration.html and neighbours (read 2026-11-21)

import type * as SDK from '@aws-sdk/client-s3';
import { AwsError } from '../../errors.ts';
import { type Call, type Operation, operation } from '../../service.ts';
import type { BucketRow } from '../../store/rows/s3.ts';
import { type BucketInput, onBucket, requireBucket } from './access.ts';
import { type ConfigurationName, configurationOf, keepConfiguration } from './configurations.ts';
import { invalidArgument, malformedXml } from './errors.ts';
import { bucketOfArn } from './names.ts';
import { checkFilter } from './rule-filters.ts';

interface Listed {
  readonly name: ConfigurationName;
  /** `Analytics` in `GetBucketAnalyticsConfiguration` and `AnalyticsConfiguration`. */
  readonly word: string;
  readonly get: string;
  readonly put: string;
  /** Of one bucket. */
  readonly most: number;
  readonly check: (call: Call, bucket: BucketRow, document: Document) => void;
  readonly mismatch: () => Error;
}

type Document = { readonly Id?: string; readonly [member: string]: unknown };
type Input = BucketInput & {
  readonly Id?: string;
  readonly ContinuationToken?: string;
  readonly [member: string]: unknown;
};

const pageSize = 100;

const noSuch = () => new AwsError('NoSuchConfiguration', 404, 'The specified configuration does not exist.');
const idMismatch = () => new AwsError('IdMismatch', 400, 'Document ID does not match the specified configuration ID.');

const optionalFields: ReadonlySet<string> = new Set<SDK.InventoryOptionalField>([
  'BucketKeyStatus',
  'ChecksumAlgorithm',
  'ETag',
  'EncryptionStatus',
  'IntelligentTieringAccessTier',
  'IntelligentTieringReferenceDate',
  'IsMultipartUploaded',
  'LastModifiedDate',
  'LifecycleExpirationDate',
  'ObjectAccessControlList',
  'ObjectLockEventHoldDuration',
  'ObjectLockEventHoldStatus',
  'ObjectLockLegalHoldStatus',
  'ObjectLockMode',
  'ObjectLockRetainUntilDate',
  'ObjectOwner',
  'ReplicationStatus',
  'Size',
  'StorageClass',
]);

/** @throws MalformedXML, InvalidS3DestinationBucket */
function checkInventory(call: Call, bucket: BucketRow, document: Document): void {
  const {
    Destination,
    IsEnabled,
    IncludedObjectVersions,
    Schedule,
    OptionalFields = [],
  } = document as Partial<SDK.InventoryConfiguration>;
  const destination = Destination?.S3BucketDestination;
  if (
    IsEnabled === undefined ||
    !/^(All|Current)$/.test(IncludedObjectVersions ?? '') ||
    !/^(Daily|Weekly)$/.test(Schedule?.Frequency ?? '') ||
    !/^(CSV|ORC|Parquet)$/.test(destination?.Format ?? '')
  )
    throw malformedXml();
  if (!OptionalFields.every((field) => optionalFields.has(field))) throw malformedXml();
  const { SSES3, SSEKMS } = destination?.Encryption ?? {};
  if ((SSES3 && SSEKMS) || (SSEKMS && !SSEKMS.KeyId)) throw malformedXml();
  checkReportBucket(call, bucket, destination?.Bucket);
}

/** @throws InvalidS3DestinationBucket; the first text is recorded */
function checkReportBucket(call: Call, bucket: BucketRow, arn: string | undefined): void {
  const refused = (message: string) => new AwsError('InvalidS3DestinationBucket', 400, message);
  const name = bucketOfArn(arn ?? '');
  if (name === undefined) throw refused('Invalid bucket ARN.');
  const target = call.tx.get('bucket', name);
  if (!target) throw refused('The destination bucket does not exist.');
  if (target.region !== bucket.region)
    throw refused('The destination bucket must be in the same Region as the source bucket.');
}

/** @throws MalformedXML */
function checkTiering(_call: Call, _bucket: BucketRow, document: Document): void {
  const { Status, Filter, Tierings = [] } = document as Partial<SDK.IntelligentTieringConfiguration>;
  if (Filter) checkFilter(Filter);
  const least = { ARCHIVE_ACCESS: 90, DEEP_ARCHIVE_ACCESS: 180 };
  const fits = Tierings.every(({ AccessTier, Days = 0 }) => {
    const days = AccessTier && least[AccessTier];
    return days !== undefined && Days >= days && Days <= 730;
  });
  if (!/^(Enabled|Disabled)$/.test(Status ?? '') || Tierings.length === 0 || !fits) throw malformedXml();
}

/** @throws MalformedXML, InvalidRequest, InvalidS3DestinationBucket */
function checkAnalytics(call: Call, bucket: BucketRow, document: Document): void {
  const { Filter, StorageClassAnalysis } = document as Partial<SDK.AnalyticsConfiguration>;
  if (StorageClassAnalysis === undefined) throw malformedXml();
  if (Filter) checkFilter(Filter);
  const { DataExport } = StorageClassAnalysis;
  if (!DataExport) return;
  const destination = DataExport.Destination?.S3BucketDestination;
  if (DataExport.OutputSchemaVersion !== 'V_1' || destination?.Format !== 'CSV') throw malformedXml();
  checkReportBucket(call, bucket, destination.Bucket);
}

/** The form of the id is documented, the wording without a source. @throws MalformedXML, InvalidRequest, InvalidArgument */
function checkMetrics(_call: Call, _bucket: BucketRow, document: Document): void {
  const { Id = '', Filter } = document as Partial<SDK.MetricsConfiguration>;
  if (!/^[\w.-]{1,64}$/.test(Id)) throw invalidArgument('The configuration ID is not valid.', 'Id', Id);
  if (Filter) checkFilter(Filter);
}

const table: readonly Listed[] = [
  {
    name: 'analytics',
    word: 'Analytics',
    get: 's3:GetAnalyticsConfiguration',
    put: 's3:PutAnalyticsConfiguration',
    most: 1000,
    check: checkAnalytics,
    mismatch: malformedXml,
  },
  {
    name: 'inventory',
    word: 'Inventory',
    get: 's3:GetInventoryConfiguration',
    put: 's3:PutInventoryConfiguration',
    most: 1000,
    check: checkInventory,
    mismatch: idMismatch,
  },
  {
    name: 'metrics',
    word: 'Metrics',
    get: 's3:GetMetricsConfiguration',
    put: 's3:PutMetricsConfiguration',
    most: 1000,
    check: checkMetrics,
    mismatch: malformedXml,
  },
  {
    name: 'tiering',
    word: 'IntelligentTiering',
    get: 's3:GetIntelligentTieringConfiguration',
    put: 's3:PutIntelligentTieringConfiguration',
    most: 1000,
    check: checkTiering,
    mismatch: malformedXml,
  },
];

function kept(call: Call, input: Input, name: ConfigurationName): Readonly<Record<string, Document>> {
  return configurationOf(requireBucket(call, call.tx, input), name) ?? {};
}

function operationsOf({ name, word, get, put, most, check, mismatch }: Listed): Record<string, Operation> {
  const member = `${word}Configuration`;
  return {
    [`GetBucket${member}`]: operation<Input, object>({
      authorize: onBucket(get),
      readOnly: true,
      run: (call, input) => {
        const document = kept(call, input, name)[input.Id ?? ''];
        if (!document) throw noSuch();
        return { [member]: document };
      },
    }),
    [`PutBucket${member}`]: operation<Input, object>({
      authorize: onBucket(put),
      run: (call, input) => {
        const before = kept(call, input, name);
        const document = input[member] as Document | undefined;
        if (!document || !input.Id) throw malformedXml();
        if (document.Id !== input.Id) throw mismatch();
        check(call, requireBucket(call, call.tx, input), document);
        const all = { ...before, [input.Id]: document };
        if (Object.keys(all).length > most)
          throw new AwsError(
            'TooManyConfigurations',
            400,
            'You are attempting to create a new configuration but have already reached the configuration limit.',
          );
        keepConfiguration(call, requireBucket(call, call.tx, input), name, all);
        return {};
      },
    }),
    [`DeleteBucket${member}`]: operation<Input, object>({
      authorize: onBucket(put),
      run: (call, input) => {
        const { [input.Id ?? '']: gone, ...others } = kept(call, input, name);
        if (!gone) throw noSuch();
        const rest = Object.keys(others).length > 0 ? others : undefined;
        keepConfiguration(call, requireBucket(call, call.tx, input), name, rest);
        return {};
      },
    }),
    [`ListBucket${member}s`]: operation<Input, object>({
      authorize: onBucket(get),
      readOnly: true,
      run: (call, input) => {
        const { ContinuationToken: token } = input;
        const after = token === undefined ? '' : Buffer.from(token, 'base64').toString();
        const left = Object.values(kept(call, input, name))
          .filter((one) => (one.Id ?? '') > after)
          .sort((a, b) => ((a.Id ?? '') < (b.Id ?? '') ? -1 : 1));
        const page = left.slice(0, pageSize);
        const last = page.at(-1)?.Id ?? '';
        return {
          IsTruncated: page.length < left.length,
          ...(page.length > 0 && { [`${member}List`]: page }),
          ...(token !== undefined && { ContinuationToken: token }),
          ...(page.length < left.length && { NextContinuationToken: Buffer.from(last).toString('base64') }),
        };
      },
    }),
  };
}

export const listedConfigurationOperations: Readonly<Record<string, Operation>> = Object.assign(
  {},
  ...table.map(operationsOf),
);
