// Run Command: who is told what, and what they said (U1–U3). SendCommand writes rows; the message gateway delivers what is Pending over the agents' control
// channels and hands their replies to `takeReply`. Order of checks: document, parameters, targets, permission on each, their state.
// Statuses: https://docs.aws.amazon.com/systems-manager/latest/userguide/monitor-commands.html (read 2026-11-21)

import { randomUUID } from 'node:crypto';
import type {
  CancelCommandRequest,
  CancelCommandResult,
  SendCommandRequest,
  SendCommandResult,
} from '@aws-sdk/client-ssm';
import type { OpenChannels } from '../../open-channels.ts';
import { type Call, operation, type Permission } from '../../service.ts';
import type { ManagedInstanceRow, SsmCommandRow, SsmInvocationRow, SsmTarget } from '../../store/rows/ssm.ts';
import type { Transaction } from '../../store/store.ts';
import { documentArn, documentFor, documentNamed, parametersFor, type ServedDocument } from './documents.ts';
import { invalid, invalidInstanceId, unsupported } from './errors.ts';
import { byCommand, commandOf, ended, ownCommand } from './invocations.ts';
import { nodes, onInstance, pingStatus } from './managed-instances.ts';

const defaultTimeoutSeconds = 3600;
const mostInstanceIds = 50;
const mostTargets = 5;
/** AWS keeps them for 30 days. */
const keptMs = 30 * 86_400_000;

/** What cannot be kept is refused. */
const refused: Readonly<Partial<Record<keyof SendCommandRequest, string>>> = {
  CloudWatchOutputConfig: 'CloudWatchOutputConfig',
  AlarmConfiguration: 'AlarmConfiguration',
  NotificationConfig: 'NotificationConfig',
  ServiceRoleArn: 'ServiceRoleArn',
};

/** The nodes that a command is for. @throws AwsError for ids that are no nodes, or not there (U3) */
function chosen(channels: OpenChannels, call: Call, input: SendCommandRequest): ManagedInstanceRow[] {
  const { tx, accountId, region } = call;
  const all = nodes(tx, { accountId, region });
  const ids = [...new Set(input.InstanceIds ?? [])];
  const targets = input.Targets ?? [];
  if (ids.length > 0) {
    const found = all.filter(({ node }) => ids.includes(node.id)).map(({ node }) => node);
    const there = found.filter((node) => pingStatus(node, channels, call.now) === 'Online').map((node) => node.id);
    const bad = ids.filter((id) => !there.includes(id));
    if (bad.length > 0) throw invalidInstanceId(bad, accountId);
    return found;
  }
  return all
    .filter(({ node, instance }) =>
      targets.every(({ Key = '', Values = [] }) => {
        if (Key === 'InstanceIds') return Values.includes('*') || Values.includes(node.id);
        const name = Key.slice('tag:'.length);
        return Object.hasOwn(instance.tags, name) && Values.includes(instance.tags[name] ?? '');
      }),
    )
    .map(({ node }) => node);
}

function checkInput(input: SendCommandRequest): void {
  const ids = input.InstanceIds ?? [];
  const targets = input.Targets ?? [];
  if (ids.length > 0 && targets.length > 0) throw invalid('InstanceIds and Targets cannot be given together.');
  if (ids.length === 0 && targets.length === 0) throw invalid('InstanceIds or Targets must be given.');
  if (ids.length > mostInstanceIds) throw invalid(`InstanceIds must have at most ${mostInstanceIds} members.`);
  if (targets.length > mostTargets) throw invalid(`Targets must have at most ${mostTargets} members.`);
  for (const { Key = '' } of targets)
    if (Key !== 'InstanceIds' && !Key.startsWith('tag:')) throw unsupported(`The target key ${Key}`);
  const seconds = input.TimeoutSeconds;
  if (seconds !== undefined && (seconds < 30 || seconds > 2_592_000))
    throw invalid('TimeoutSeconds must be between 30 and 2592000.');
  for (const [name, pattern] of [
    ['MaxConcurrency', /^([1-9][0-9]*|[1-9][0-9]%|[1-9]%|100%)$/],
    ['MaxErrors', /^([1-9][0-9]*|0|[1-9][0-9]%|[0-9]%|100%)$/],
  ] as const)
    if (input[name] !== undefined && !pattern.test(input[name])) throw invalid(`${name} is a number or a percentage.`);
  for (const [name, words] of Object.entries(refused))
    if (input[name as keyof SendCommandRequest] !== undefined) throw unsupported(words);
  if (input.DocumentHash !== undefined) throw unsupported('DocumentHash');
}

/** A number, or a percentage of all. */
const share = (text: string, all: number): number =>
  text.endsWith('%') ? Math.floor((Number(text.slice(0, -1)) * all) / 100) : Number(text);

function sendCommand(channels: OpenChannels, call: Call, input: SendCommandRequest): SendCommandResult {
  checkInput(input);
  const document = documentFor(input.DocumentName ?? '', input.DocumentVersion);
  if (document.type !== 'Command') throw invalid(`${document.name} is a ${document.type} document, not a Command one.`);
  const parameters = parametersFor(document, input.Parameters);
  const found = chosen(channels, call, input);
  const { tx, accountId, region, now } = call;
  forgetOld(call);
  const timeoutSeconds = input.TimeoutSeconds ?? defaultTimeoutSeconds;
  const executionSeconds = Number(parameters['executionTimeout']?.[0] ?? defaultTimeoutSeconds);
  const row: SsmCommandRow = {
    id: randomUUID(),
    accountId,
    region,
    documentName: document.name,
    comment: input.Comment ?? '',
    parameters: { ...input.Parameters },
    instanceIds: [...new Set(input.InstanceIds ?? [])],
    targets: (input.Targets ?? []).map(({ Key = '', Values = [] }): SsmTarget => ({ key: Key, values: Values })),
    requestedAt: now.toISOString(),
    expiresAfter: new Date(now.getTime() + (timeoutSeconds + executionSeconds) * 1000).toISOString(),
    timeoutSeconds,
    maxConcurrency: input.MaxConcurrency ?? '50',
    maxErrors: input.MaxErrors ?? '0',
    outputS3BucketName: input.OutputS3BucketName ?? '',
    outputS3KeyPrefix: input.OutputS3KeyPrefix ?? '',
  };
  tx.put('ssm-command', row);
  const atOnce = Math.max(1, share(row.maxConcurrency, found.length));
  for (const [index, node] of found.entries())
    tx.put('ssm-invocation', invocation(row, document, node, index >= atOnce));
  return { Command: commandOf(tx, row, now) };
}

function invocation(
  command: SsmCommandRow,
  document: ServedDocument,
  node: ManagedInstanceRow,
  isHeld: boolean,
): SsmInvocationRow {
  const fits = document.platforms.includes(node.platformType);
  return {
    id: `${command.id}/${node.id}`,
    accountId: command.accountId,
    region: command.region,
    commandId: command.id,
    instanceId: node.id,
    state: fits ? 'Pending' : 'InvalidPlatform',
    ...(isHeld && fits && { isHeld }),
    pluginName: document.plugin,
    responseCode: -1,
    standardOutput: '',
    standardError: '',
    output: '',
  };
}

function forgetOld({ tx, accountId, region, now }: Call): void {
  const before = new Date(now.getTime() - keptMs).toISOString();
  for (const row of tx.list('ssm-command', { accountId, region })) {
    // In the order in which they were made.
    if (row.requestedAt >= before) break;
    for (const one of tx.find(byCommand, row.id)) tx.delete('ssm-invocation', one.id);
    tx.delete('ssm-command', row.id);
  }
}

function cancelCommand(call: Call, input: CancelCommandRequest): CancelCommandResult {
  const { tx, now } = call;
  const command = ownCommand(call, input.CommandId ?? '');
  const rows = tx.find(byCommand, command.id);
  const ids = input.InstanceIds ?? [];
  const unknown = ids.filter((id) => !rows.some((row) => row.instanceId === id));
  if (unknown.length > 0) throw invalidInstanceId(unknown, call.accountId);
  tx.put('ssm-command', { ...command, canceledAt: now.toISOString() });
  for (const row of rows) {
    if (ended(row) || (ids.length > 0 && !ids.includes(row.instanceId))) continue;
    // What no agent has heard of ends here; the others are asked.
    if (row.state === 'Pending') tx.put('ssm-invocation', { ...row, state: 'Cancelled', endedAt: now.toISOString() });
    else tx.put('ssm-invocation', { ...row, isCanceling: true });
  }
  return {};
}

/** The agent has it. */
export function takeAcknowledgement(tx: Transaction, id: string, isTaken: boolean, now: Date): void {
  const row = tx.get('ssm-invocation', id);
  if (row?.state !== 'Pending') return;
  const time = now.toISOString();
  if (isTaken) tx.put('ssm-invocation', { ...row, state: 'InProgress', startedAt: time });
  else end(tx, { ...row, state: 'Failed', endedAt: time }, now);
}

/** What the agent says of one plugin (agent/contracts/model.go). */
export interface PluginStatus {
  readonly status?: string;
  readonly code?: number;
  readonly output?: string;
  readonly standardOutput?: string;
  readonly standardError?: string;
  readonly startDateTime?: string;
  readonly endDateTime?: string;
}

export interface Reply {
  readonly documentStatus?: string;
  readonly runtimeStatus?: Readonly<Record<string, PluginStatus>>;
}

/** https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_GetCommandInvocation.html (read 2026-11-21); the second is the agent's own limit. */
const mostOutput = 24_000;
const mostError = 8000;
const mostOfBoth = 2500;

/** Records what an agent replies; the last word ends the invocation. */
export function takeReply(tx: Transaction, id: string, reply: Reply, now: Date): void {
  const row = tx.get('ssm-invocation', id);
  if (!row || ended(row)) return;
  const [plugin = {}] = Object.values(reply.runtimeStatus ?? {});
  const told: SsmInvocationRow = {
    ...row,
    state: 'InProgress',
    responseCode: typeof plugin.code === 'number' ? plugin.code : row.responseCode,
    startedAt: isoTime(plugin.startDateTime) ?? row.startedAt ?? now.toISOString(),
    standardOutput: (plugin.standardOutput ?? '').slice(0, mostOutput),
    standardError: (plugin.standardError ?? '').slice(0, mostError),
    output: (plugin.output ?? '').slice(0, mostOfBoth),
  };
  const state = finalStates[reply.documentStatus ?? ''];
  if (!state) return void tx.put('ssm-invocation', { ...told, responseCode: -1 });
  const { isCanceling: _asked, ...rest } = told;
  end(tx, { ...rest, state, endedAt: isoTime(plugin.endDateTime) ?? now.toISOString() }, now);
}

const finalStates: Readonly<Record<string, SsmInvocationRow['state']>> = {
  Success: 'Success',
  Failed: 'Failed',
  TimedOut: 'TimedOut',
  Cancelled: 'Cancelled',
};

function isoTime(text: string | undefined): string | undefined {
  const time = Date.parse(text ?? '');
  return Number.isNaN(time) ? undefined : new Date(time).toISOString();
}

/** Ends one and lets the next begin, or none when too many have failed. */
function end(tx: Transaction, row: SsmInvocationRow, now: Date): void {
  tx.put('ssm-invocation', row);
  const command = tx.get('ssm-command', row.commandId);
  const all = tx.find(byCommand, row.commandId);
  const held = all.filter((one) => one.isHeld && one.state === 'Pending');
  const [next] = held;
  if (!command || !next) return;
  const errors = all.filter((one) => one.state === 'Failed' || one.state === 'TimedOut').length;
  const { isHeld: _held, ...released } = next;
  if (errors <= share(command.maxErrors, all.length)) return void tx.put('ssm-invocation', released);
  for (const one of held) tx.put('ssm-invocation', { ...one, state: 'Terminated', endedAt: now.toISOString() });
}

/** Document, instances and bucket, each with the tags that its policies may ask for. */
function permissions(channels: OpenChannels, call: Call, input: SendCommandRequest): readonly Permission[] {
  const action = `ssm:${call.operation}`;
  const name = input.DocumentName ?? '';
  const ids = input.InstanceIds ?? [];
  const targeted = ids.length > 0 || !documentNamed(name) ? ids : chosen(channels, call, input).map((node) => node.id);
  return [
    { action, resource: documentArn(call, name) },
    ...targeted.map((id) => onInstance(call, id)),
    ...(input.OutputS3BucketName
      ? [{ action, resource: `arn:${call.partition}:s3:::${input.OutputS3BucketName}` }]
      : []),
  ];
}

export const commandOperations = (channels: OpenChannels) => ({
  SendCommand: operation<SendCommandRequest, SendCommandResult>({
    authorize: (call, input) => permissions(channels, call, input),
    run: (call, input) => sendCommand(channels, call, input),
  }),
  CancelCommand: operation<CancelCommandRequest, CancelCommandResult>({
    authorize: 'auto',
    run: cancelCommand,
  }),
});
