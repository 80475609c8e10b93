// What became of commands: ListCommands, ListCommandInvocations, GetCommandInvocation (U2). A deadline passes without anybody doing anything, so what is
// shown is worked out from the rows and the time of the question.

import type {
  Command,
  CommandFilter,
  CommandInvocation,
  CommandInvocationStatus,
  CommandPlugin,
  CommandStatus,
  GetCommandInvocationRequest,
  GetCommandInvocationResult,
  ListCommandInvocationsRequest,
  ListCommandInvocationsResult,
  ListCommandsRequest,
  ListCommandsResult,
} from '@aws-sdk/client-ssm';
import { type Call, operation } from '../../service.ts';
import type { SsmCommandRow, SsmInvocationRow } from '../../store/rows/ssm.ts';
import type { Index, Transaction } from '../../store/store.ts';
import { invalid, invalidCommandId, invalidPluginName, invocationDoesNotExist, pageOf } from './errors.ts';

export const byCommand: Index<'ssm-invocation'> = { kind: 'ssm-invocation', keyOf: (row) => row.commandId };
export const byInstance: Index<'ssm-invocation'> = { kind: 'ssm-invocation', keyOf: (row) => row.instanceId };

export const ended = (row: SsmInvocationRow): boolean => row.state !== 'Pending' && row.state !== 'InProgress';

/** @throws AwsError InvalidCommandId */
export function ownCommand(call: Call, id: string): SsmCommandRow {
  const row = call.tx.get('ssm-command', id);
  if (row?.accountId !== call.accountId || row.region !== call.region) throw invalidCommandId();
  return row;
}

interface Shown {
  readonly status: CommandInvocationStatus;
  readonly details: string;
}

/** Row's state → what the API calls it. */
const shownAs: Readonly<Record<SsmInvocationRow['state'], Shown>> = {
  Pending: { status: 'Pending', details: 'Pending' },
  InProgress: { status: 'InProgress', details: 'InProgress' },
  Success: { status: 'Success', details: 'Success' },
  Failed: { status: 'Failed', details: 'Failed' },
  TimedOut: { status: 'TimedOut', details: 'ExecutionTimedOut' },
  Cancelled: { status: 'Cancelled', details: 'Cancelled' },
  InvalidPlatform: { status: 'Failed', details: 'InvalidPlatform' },
  Terminated: { status: 'Cancelled', details: 'Terminated' },
};

const undelivered: Shown = { status: 'TimedOut', details: 'DeliveryTimedOut' };

/** Of a row as it is at a time: nobody took it, or nobody was heard of again. */
export function shown(row: SsmInvocationRow, command: SsmCommandRow, now: Date): Shown {
  const taken = row.state !== 'Pending';
  const deadline = taken ? command.expiresAfter : deliverBefore(command);
  if ((!taken || row.state === 'InProgress') && now.toISOString() >= deadline) return undelivered;
  if (row.isCanceling) return { status: 'Cancelling', details: 'Cancelling' };
  return shownAs[row.state];
}

export const deliverBefore = (command: SsmCommandRow): string =>
  new Date(Date.parse(command.requestedAt) + command.timeoutSeconds * 1000).toISOString();

/** The worst of what the nodes say, while none is under way. */
function commandStatus(all: readonly Shown[], command: SsmCommandRow): { status: CommandStatus; details: string } {
  // AWS names this in the details; which status goes with it has no source.
  if (all.length === 0) return { status: 'Failed', details: 'NoInstancesInTag' };
  const some = (...statuses: CommandInvocationStatus[]) => all.find((one) => statuses.includes(one.status));
  const open = some('Pending', 'InProgress', 'Delayed', 'Cancelling');
  if (open) {
    if (command.canceledAt !== undefined && open.status === 'Cancelling')
      return { status: 'Cancelling', details: 'Cancelling' };
    const begun = all.some((one) => one.status !== 'Pending');
    return begun ? { status: 'InProgress', details: 'InProgress' } : { status: 'Pending', details: 'Pending' };
  }
  const worst = some('Failed') ?? some('TimedOut') ?? some('Cancelled');
  if (!worst) return { status: 'Success', details: 'Success' };
  if (worst.details === 'InvalidPlatform') return { status: 'Failed', details: 'Failed' };
  return { status: worst.status as CommandStatus, details: worst.details };
}

export function commandOf(tx: Transaction, row: SsmCommandRow, now: Date): Command {
  const all = tx.find(byCommand, row.id).map((one) => shown(one, row, now));
  const { status, details } = commandStatus(all, row);
  const ended = all.filter(({ status: one }) => !['Pending', 'InProgress', 'Delayed', 'Cancelling'].includes(one));
  return {
    CommandId: row.id,
    DocumentName: row.documentName,
    DocumentVersion: '$DEFAULT',
    Comment: row.comment,
    ExpiresAfter: new Date(row.expiresAfter),
    Parameters: row.parameters,
    InstanceIds: row.instanceIds,
    Targets: row.targets.map(({ key, values }) => ({ Key: key, Values: values })),
    RequestedDateTime: new Date(row.requestedAt),
    Status: status,
    StatusDetails: details,
    OutputS3Region: row.region,
    OutputS3BucketName: row.outputS3BucketName,
    OutputS3KeyPrefix: row.outputS3KeyPrefix,
    MaxConcurrency: row.maxConcurrency,
    MaxErrors: row.maxErrors,
    TargetCount: all.length,
    CompletedCount: ended.length,
    ErrorCount: all.filter(({ status: one }) => one === 'Failed' || one === 'TimedOut').length,
    DeliveryTimedOutCount: all.filter(({ details: one }) => one === 'DeliveryTimedOut').length,
    ServiceRole: '',
    NotificationConfig: { NotificationArn: '', NotificationEvents: [], NotificationType: '' as 'Command' },
    CloudWatchOutputConfig: { CloudWatchLogGroupName: '', CloudWatchOutputEnabled: false },
    TimeoutSeconds: row.timeoutSeconds,
  };
}

const newestFirst = <R extends { requestedAt: string }>(rows: R[]): R[] =>
  rows.sort((a, b) => (a.requestedAt < b.requestedAt ? 1 : a.requestedAt > b.requestedAt ? -1 : 0));

/** @throws AwsError for a filter whose value is no time */
function fitting(filters: readonly CommandFilter[] = []): (row: SsmCommandRow, status: string | undefined) => boolean {
  const tests = filters.map(({ key, value = '' }) => {
    const time = Date.parse(value);
    if (String(key).startsWith('Invoked') && Number.isNaN(time)) throw invalid(`${value} is not a time.`);
    return (row: SsmCommandRow, status: string | undefined): boolean => {
      switch (key) {
        case 'InvokedAfter':
          return Date.parse(row.requestedAt) > time;
        case 'InvokedBefore':
          return Date.parse(row.requestedAt) < time;
        case 'Status':
          return status === value;
        case 'DocumentName':
          return row.documentName === value;
        case 'ExecutionStage':
          return (value === 'Executing') === ['Pending', 'InProgress', 'Cancelling'].includes(status ?? '');
        case undefined:
          return true;
      }
    };
  });
  return (row, status) => tests.every((one) => one(row, status));
}

function listCommands(call: Call, input: ListCommandsRequest): ListCommandsResult {
  const { tx, accountId, region, now } = call;
  const fits = fitting(input.Filters);
  const rows =
    input.CommandId === undefined ? tx.list('ssm-command', { accountId, region }) : [ownCommand(call, input.CommandId)];
  const reached = (row: SsmCommandRow) =>
    input.InstanceId === undefined || tx.get('ssm-invocation', `${row.id}/${input.InstanceId}`) !== undefined;
  const all = newestFirst(rows.filter(reached))
    .map((row) => ({ row, command: commandOf(tx, row, now) }))
    .filter(({ row, command }) => fits(row, command.Status));
  const { page, next } = pageOf(all, input, 1, 50);
  return { Commands: page.map(({ command }) => command), ...next };
}

function listCommandInvocations(call: Call, input: ListCommandInvocationsRequest): ListCommandInvocationsResult {
  const { tx, accountId, region, now } = call;
  const fits = fitting(input.Filters);
  const { CommandId, InstanceId } = input;
  const rows =
    CommandId !== undefined
      ? tx
          .find(byCommand, ownCommand(call, CommandId).id)
          .filter((row) => row.instanceId === (InstanceId ?? row.instanceId))
      : InstanceId !== undefined
        ? tx.find(byInstance, InstanceId)
        : tx.list('ssm-invocation', { accountId, region });
  const all = rows
    .flatMap((row) => {
      const command = tx.get('ssm-command', row.commandId);
      return command?.accountId === accountId && command.region === region
        ? [{ row, command, requestedAt: command.requestedAt }]
        : [];
    })
    .filter(({ row, command }) => fits(command, shown(row, command, now).status));
  const { page, next } = pageOf(newestFirst(all), input, 1, 50);
  return {
    CommandInvocations: page.map(({ row, command }) => invocationOf(call, row, command, input.Details === true)),
    ...next,
  };
}

function invocationOf(call: Call, row: SsmInvocationRow, command: SsmCommandRow, details: boolean): CommandInvocation {
  const { status, details: StatusDetails } = shown(row, command, call.now);
  return {
    CommandId: row.commandId,
    InstanceId: row.instanceId,
    InstanceName: call.tx.get('ssm-managed-instance', row.instanceId)?.computerName ?? '',
    Comment: command.comment,
    DocumentName: command.documentName,
    DocumentVersion: '$DEFAULT',
    RequestedDateTime: new Date(command.requestedAt),
    Status: status,
    StatusDetails,
    StandardOutputUrl: outputUrl(row, command, 'stdout'),
    StandardErrorUrl: outputUrl(row, command, 'stderr'),
    CommandPlugins: details ? [pluginOf(row, command, { status, details: StatusDetails })] : [],
    ServiceRole: '',
    NotificationConfig: { NotificationArn: '', NotificationEvents: [], NotificationType: '' as 'Command' },
    CloudWatchOutputConfig: { CloudWatchLogGroupName: '', CloudWatchOutputEnabled: false },
  };
}

function pluginOf(row: SsmInvocationRow, command: SsmCommandRow, { status, details }: Shown): CommandPlugin {
  return {
    Name: row.pluginName,
    Status: status as CommandPlugin['Status'],
    StatusDetails: details,
    ResponseCode: row.responseCode,
    ...(row.startedAt !== undefined && { ResponseStartDateTime: new Date(row.startedAt) }),
    ...(row.endedAt !== undefined && { ResponseFinishDateTime: new Date(row.endedAt) }),
    Output: row.output,
    StandardOutputUrl: outputUrl(row, command, 'stdout'),
    StandardErrorUrl: outputUrl(row, command, 'stderr'),
    OutputS3Region: command.region,
    OutputS3BucketName: command.outputS3BucketName,
    OutputS3KeyPrefix: command.outputS3KeyPrefix,
  };
}

/** Where the agent puts it; empty without a bucket. */
function outputUrl(row: SsmInvocationRow, command: SsmCommandRow, stream: 'stdout' | 'stderr'): string {
  if (command.outputS3BucketName === '') return '';
  const plugin = row.pluginName.replace(':', '');
  const parts = [command.outputS3BucketName, command.outputS3KeyPrefix, row.commandId, row.instanceId];
  const path = [...parts, plugin, `0.${plugin}`, stream].filter((part) => part !== '').join('/');
  return `https://s3.${command.region}.amazonaws.com/${path}`;
}

function getCommandInvocation(call: Call, input: GetCommandInvocationRequest): GetCommandInvocationResult {
  const { tx, now } = call;
  const command = ownCommand(call, input.CommandId ?? '');
  const row = tx.get('ssm-invocation', `${command.id}/${input.InstanceId}`);
  if (!row) throw invocationDoesNotExist();
  // Version 1.2 documents run their plugin by its own name; steps have names in 2.2.
  if (input.PluginName !== undefined && input.PluginName !== row.pluginName) throw invalidPluginName();
  const { status, details } = shown(row, command, now);
  return {
    CommandId: row.commandId,
    InstanceId: row.instanceId,
    Comment: command.comment,
    DocumentName: command.documentName,
    DocumentVersion: '$DEFAULT',
    PluginName: row.pluginName,
    ResponseCode: row.responseCode,
    ExecutionStartDateTime: row.startedAt ?? '',
    ExecutionElapsedTime: elapsed(row),
    ExecutionEndDateTime: row.endedAt !== undefined && row.startedAt !== undefined ? row.endedAt : '',
    Status: status,
    StatusDetails: details,
    StandardOutputContent: row.standardOutput,
    StandardOutputUrl: outputUrl(row, command, 'stdout'),
    StandardErrorContent: row.standardError,
    StandardErrorUrl: outputUrl(row, command, 'stderr'),
    CloudWatchOutputConfig: { CloudWatchLogGroupName: '', CloudWatchOutputEnabled: false },
  };
}

/** ISO 8601: `PT1.25S`; empty while it runs. */
function elapsed({ startedAt, endedAt }: SsmInvocationRow): string {
  if (startedAt === undefined || endedAt === undefined) return '';
  return `PT${Math.max(0, Date.parse(endedAt) - Date.parse(startedAt)) / 1000}S`;
}

export const invocationOperations = {
  ListCommands: operation<ListCommandsRequest, ListCommandsResult>({
    authorize: 'auto',
    run: listCommands,
    readOnly: true,
  }),
  ListCommandInvocations: operation<ListCommandInvocationsRequest, ListCommandInvocationsResult>({
    authorize: 'auto',
    run: listCommandInvocations,
    readOnly: true,
  }),
  GetCommandInvocation: operation<GetCommandInvocationRequest, GetCommandInvocationResult>({
    authorize: 'auto',
    run: getCommandInvocation,
    readOnly: true,
  }),
};
