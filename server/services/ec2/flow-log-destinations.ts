// Where a flow log's records go, and whether they may. https://docs.aws.amazon.com/vpc/latest/userguide/flow-logs-s3-permissions.html (read 2026-11-22)

import type { CreateFlowLogsRequest } from '@aws-sdk/client-ec2';
import { flowLogFolder } from '../../flow-log-format.ts';
import { bucketAndPrefix, mayDeliver, withDeliveryStatements } from '../../log-delivery.ts';
import type { Call } from '../../service.ts';
import type { FlowLogRow } from '../../store/rows/flow-logs.ts';
import { invalidParameter, invalidParameterValue, unsupportedOperation } from './errors.ts';

export type Destination = Pick<
  FlowLogRow,
  'destinationType' | 'destination' | 'logGroupName' | 'deliverLogsPermissionArn'
>;

const types = ['cloud-watch-logs', 's3', 'kinesis-data-firehose'];

/** @throws InvalidParameter where members do not go together; their order and wordings were recorded at AWS */
export function readDestination(input: CreateFlowLogsRequest): Destination {
  const type = input.LogDestinationType ?? 'cloud-watch-logs';
  const { LogDestination, LogGroupName, DeliverLogsPermissionArn } = input;
  if (!types.includes(type)) throw invalidParameterValue(`Invalid LogDestinationType: ${type}`);
  if (LogDestination && LogGroupName)
    throw invalidParameter('Please only provide LogGroupName or only provide LogDestination.');
  if (!LogDestination && !LogGroupName)
    throw invalidParameter("LogDestination can't be empty if LogGroupName is not provided.");
  if (LogGroupName && type !== 'cloud-watch-logs')
    throw invalidParameter('LogDestination type must be cloud-watch-logs if LogGroupName is provided.');
  if (type === 's3') {
    if (DeliverLogsPermissionArn) throw invalidParameter('DeliverLogsPermissionArn is not applicable for s3 delivery');
    const destination = LogDestination ?? '';
    if (bucketAndPrefix(destination) === undefined) throw invalidParameter(`Invalid LogDestination: ${destination}`);
    return { destinationType: 's3', destination };
  }
  throw unsupportedOperation(`The flow log destination ${type}`);
}

/**
 * Whether the destination takes records, and what is done so that it does: the statements that let the delivery service write are added to the bucket's
 * policy where the caller could add them himself.
 * @returns what AWS says of each resource when it does not
 */
export function prepareDestination(
  call: Call,
  {
    destinationType,
    destination,
    hiveCompatiblePartitions,
  }: Destination & Pick<FlowLogRow, 'hiveCompatiblePartitions'>,
): string | undefined {
  if (destinationType !== 's3') return undefined;
  const { bucket: name, prefix } = bucketAndPrefix(destination ?? '') ?? { bucket: '', prefix: '' };
  // Without it AWS answers UnauthorizedOperation.
  call.require(call.tx, 'logs:CreateLogDelivery', '*');
  const bucket = call.tx.get('bucket', name);
  if (!bucket) return `LogDestination: ${name} does not exist`;
  const folder = `${prefix}${flowLogFolder(call.accountId, hiveCompatiblePartitions)}`;
  if (mayDeliver(bucket, `${folder}any`, call)) return undefined;
  const denied = `Access Denied for LogDestination: ${name}. Please check LogDestination permission`;
  const arn = `arn:${call.partition}:s3:::${name}`;
  const mayWrite = ['s3:GetBucketPolicy', 's3:PutBucketPolicy'].every((action) => call.allows(call.tx, action, arn));
  if (!mayWrite || bucket.accountId !== call.accountId) return denied;
  const changed = { ...bucket, policy: withDeliveryStatements(bucket, folder, call) };
  // A statement that denies it stays, and decides.
  if (!mayDeliver(changed, `${folder}any`, call)) return denied;
  call.tx.put('bucket', changed);
  return undefined;
}
