// Questions whose answer is always the same here. Changing what they tell of is answered as not implemented; that there is none is the truth, and
// tools ask before they plan a table. https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/ (read 2026-11-21)

import type { StreamCall } from '../../service.ts';
import type { WireInput } from './engine/protocol.ts';

type Answer = (call: StreamCall, input: WireInput) => Readonly<Record<string, unknown>>;

const domain = (region: string) => (region.startsWith('cn-') ? 'amazonaws.com.cn' : 'amazonaws.com');

export const fixedAnswers: Readonly<Record<string, Answer>> = {
  /** Every table has them; point-in-time recovery is what one turns on. */
  DescribeContinuousBackups: () => ({
    ContinuousBackupsDescription: {
      ContinuousBackupsStatus: 'ENABLED',
      PointInTimeRecoveryDescription: { PointInTimeRecoveryStatus: 'DISABLED' },
    },
  }),
  DescribeContributorInsights: (_call, { TableName, IndexName }) => ({
    TableName,
    ...(IndexName !== undefined && { IndexName }),
    ContributorInsightsStatus: 'DISABLED',
  }),
  DescribeKinesisStreamingDestination: () => ({ KinesisDataStreamDestinations: [] }),
  DescribeEndpoints: ({ region }) => ({
    Endpoints: [{ Address: `dynamodb.${region}.${domain(region)}`, CachePeriodInMinutes: 1440 }],
  }),
  /** The quotas of a new account. */
  DescribeLimits: () => ({
    AccountMaxReadCapacityUnits: 80_000,
    AccountMaxWriteCapacityUnits: 80_000,
    TableMaxReadCapacityUnits: 40_000,
    TableMaxWriteCapacityUnits: 40_000,
  }),
};
