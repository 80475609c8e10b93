// Where a flow log's records go, and whether they may. https://docs.aws.amazon.com/vpc/latest/userguide/flow-logs-s3-permissions.html (read 2026-11-22)

import type { CreateFlowLogsRequest } from '@aws-sdk/client-ec2';
import { flowLogFolder } from '../../flow-log-format.ts';
import { flowLogRole, flowLogsService } from '../../flow-log-role.ts';
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
export function readDestination(call: Call, input: CreateFlowLogsRequest): Destination {
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
  if (type !== 'cloud-watch-logs') throw unsupportedOperation(`The flow log destination ${type}`);
  if (!DeliverLogsPermissionArn)
    throw invalidParameter("DeliverLogsPermissionArn can't be empty if LogDestinationType is cloud-watch-logs.");
  if (LogGroupName)
    return { destinationType: type, logGroupName: LogGroupName, deliverLogsPermissionArn: DeliverLogsPermissionArn };
  const destination = LogDestination ?? '';
  // A group's ARN without the star that DescribeLogGroups puts behind it; Terraform and CloudFormation hand that on, and AWS takes it.
  const named = /^arn:[\w-]+:logs:([\w-]+):(\d{12}):log-group:([.\-_/#A-Za-z0-9]+)(?::\*)?$/.exec(destination);
  if (!named) throw invalidParameter(`Invalid LogDestination: ${destination}`);
  const [, region, accountId, logGroupName = ''] = named;
  if (accountId !== call.accountId || region !== call.region)
    throw unsupportedOperation('A log group of another account or Region');
  return { destinationType: type, destination, logGroupName, deliverLogsPermissionArn: DeliverLogsPermissionArn };
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
    deliverLogsPermissionArn,
    hiveCompatiblePartitions,
  }: Destination & Pick<FlowLogRow, 'hiveCompatiblePartitions'>,
): string | undefined {
  if (destinationType !== 's3') {
    requireRole(call, deliverLogsPermissionArn ?? '');
    return undefined;
  }
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

/** @throws UnauthorizedOperation when the caller may not pass the role on, InvalidParameter when the service may not take it */
function requireRole(call: Call, arn: string): void {
  call.require(call.tx, 'iam:PassRole', arn, { 'iam:PassedToService': [flowLogsService] });
  if (!flowLogRole(call.tx, arn, call, '*')) throw invalidParameter(`Unable to assume given IAM role: '${arn}'`);
}
