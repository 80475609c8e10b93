// Sub-resources that are many documents, each with an id: analytics, inventory, metrics, intelligent tiering. Kept and told; no report is ever written.
// https://docs.aws.amazon.com/AmazonS3/latest/API/API_PutBucketInventoryConfiguration.html and neighbours (read 2026-11-21)

import type * as SDK from '@aws-sdk/client-s3';
import { AwsError } from '../../errors.ts';
import { type Call, type Operation, operation } from '../../service.ts';
import { type BucketInput, onBucket, requireBucket } from './access.ts';
import { type ConfigurationName, configurationOf, keepConfiguration } from './configurations.ts';
import { malformedXml } from './errors.ts';
import { bucketOfArn } from './names.ts';

interface Listed {
  readonly name: ConfigurationName;
  /** `Analytics` in `GetBucketAnalyticsConfiguration` and `AnalyticsConfiguration`. */
  readonly word: string;
  readonly get: string;
  readonly put: string;
  /** Of one bucket. */
  readonly most: number;
  readonly check: (call: Call, document: Document) => void;
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

/** @throws MalformedXML, InvalidS3DestinationBucket */
function checkInventory(call: Call, document: Document): void {
  const { Destination, IsEnabled, IncludedObjectVersions, Schedule } = document as Partial<SDK.InventoryConfiguration>;
  const destination = Destination?.S3BucketDestination;
  if (
    IsEnabled === undefined ||
    !/^(All|Current)$/.test(IncludedObjectVersions ?? '') ||
    !/^(Daily|Weekly)$/.test(Schedule?.Frequency ?? '') ||
    !/^(CSV|ORC|Parquet)$/.test(destination?.Format ?? '')
  )
    throw malformedXml();
  const target = bucketOfArn(destination?.Bucket ?? '');
  if (target === undefined) throw new AwsError('InvalidS3DestinationBucket', 400, 'Invalid bucket ARN.');
  if (!call.tx.get('bucket', target))
    throw new AwsError('InvalidS3DestinationBucket', 400, 'The destination bucket does not exist.');
}

/** @throws MalformedXML */
function checkTiering(_call: Call, document: Document): void {
  const { Status, Tierings = [] } = document as Partial<SDK.IntelligentTieringConfiguration>;
  const least = { ARCHIVE_ACCESS: 90, DEEP_ARCHIVE_ACCESS: 180 };
  const fits = Tierings.every(({ AccessTier, Days = 0 }) => {
    const days = AccessTier && least[AccessTier];
    return days !== undefined && Days >= days && Days <= 730;
  });
  if (!/^(Enabled|Disabled)$/.test(Status ?? '') || Tierings.length === 0 || !fits) throw malformedXml();
}

/** @throws MalformedXML */
function checkAnalytics(_call: Call, document: Document): void {
  if (document['StorageClassAnalysis'] === undefined) throw malformedXml();
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
    check: () => {},
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
        check(call, document);
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
