// Records into a bucket: one gzipped file for each log and five minutes. https://docs.aws.amazon.com/vpc/latest/userguide/flow-logs-s3-path.html (read 2026-11-22)

import { randomBytes } from 'node:crypto';
import { gzipSync } from 'node:zlib';
import type { ServiceCaller } from '../as-service.ts';
import { flowLogFolder, readFlowLogFormat } from '../flow-log-format.ts';
import { bucketAndPrefix, deliveryAcl, deliveryService, deliverySourceArn, servicePrincipal } from '../log-delivery.ts';
import type { FlowLogRow } from '../store/rows/flow-logs.ts';
import type { Store } from '../store/store.ts';

export interface Delivery {
  readonly log: FlowLogRow;
  readonly partition: string;
  readonly lines: readonly string[];
  readonly now: Date;
  readonly requestId: string;
}

/** L13; with partitions in Hive's form, and by the hour, where the log says so. @param hash tells files of one minute apart */
export function logFileKey(log: FlowLogRow, prefix: string, now: Date, hash: string): string {
  const { accountId, region } = log;
  const [year = '', month = '', day = ''] = now.toISOString().slice(0, 10).split('-');
  const hour = now.toISOString().slice(11, 13);
  const minute = now.toISOString().slice(14, 16);
  const names = ['aws-service', 'aws-region', 'year', 'month', 'day', 'hour'];
  const values = ['vpcflowlogs', region, year, month, day, ...(log.perHourPartition ? [hour] : [])];
  const folders = values.map((value, index) => (log.hiveCompatiblePartitions ? `${names[index]}=${value}` : value));
  const stamp = `${year}${month}${day}T${hour}${minute}Z`;
  const file = `${accountId}_vpcflowlogs_${region}_${log.id}_${stamp}_${hash}.log.gz`;
  return `${prefix}${flowLogFolder(accountId, log.hiveCompatiblePartitions)}${folders.join('/')}/${file}`;
}

/** Rejects as PutObject answers the delivery service. */
export async function deliverToBucket(
  store: Store,
  call: ServiceCaller,
  { log, partition, lines, now, requestId }: Delivery,
): Promise<void> {
  const { bucket, prefix } = bucketAndPrefix(log.destination ?? '') ?? { bucket: '', prefix: '' };
  const heading = readFlowLogFormat(log.logFormat).fields.join(' ');
  const body = gzipSync(`${[heading, ...lines].join('\n')}\n`);
  const source = { accountId: log.accountId, region: log.region, partition };
  await call(
    {
      principal: servicePrincipal(deliveryService, log.accountId),
      source: { accountId: log.accountId, arn: deliverySourceArn(source) },
      service: 's3',
      operation: 'PutObject',
      // A bucket may be in another Region than what is logged; one that is gone is nowhere.
      region: store.read((tx) => tx.get('bucket', bucket))?.region ?? log.region,
      partition,
      requestId,
      now,
    },
    { Bucket: bucket, Key: logFileKey(log, prefix, now, randomBytes(4).toString('hex')), Body: body, ACL: deliveryAcl },
  );
}
