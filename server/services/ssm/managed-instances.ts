// Nodes: instances whose agent has registered (Q2), and whether it is there (Q4). An instance is a node from its first UpdateInstanceInformation on, which
// the agent makes over the VPC's packets with the instance role's own credentials.

import type {
  DescribeInstanceInformationRequest,
  DescribeInstanceInformationResult,
  GetConnectionStatusRequest,
  GetConnectionStatusResponse,
  InstanceInformation,
} from '@aws-sdk/client-ssm';
import { AwsError } from '../../errors.ts';
import type { OpenChannels } from '../../open-channels.ts';
import { type BaseCall, type Call, operation, type Permission } from '../../service.ts';
import type { InstanceRow } from '../../store/rows/ec2.ts';
import type { ManagedInstanceRow } from '../../store/rows/ssm.ts';
import type { Scope, Transaction } from '../../store/store.ts';
import { invalid, invalidFilterKey, pageOf } from './errors.ts';

/** Not in the SDK's model; members as the agent sends them (aws/amazon-ssm-agent, agent/ssm/service.go). */
export interface UpdateInstanceInformationRequest {
  InstanceId?: string;
  AgentName?: string;
  AgentVersion?: string;
  AgentStatus?: string;
  PlatformType?: string;
  PlatformName?: string;
  PlatformVersion?: string;
  IPAddress?: string;
  ComputerName?: string;
}

/** AWS does not say after which time a node is lost; its agent pings every 5 minutes, so this is two pings missed. */
const lostAfterMs = 11 * 60_000;
/** Between registration and the control channel. */
const connectingMs = 5000;

export type PingStatus = 'Online' | 'ConnectionLost';

/** Online: it has pinged lately, and its control channel is open or about to be. */
export function pingStatus(row: ManagedInstanceRow, channels: OpenChannels, now: Date): PingStatus {
  const ageMs = now.getTime() - Date.parse(row.lastPingAt);
  const isThere = ageMs < connectingMs || (ageMs < lostAfterMs && channels.control(row.id) !== undefined);
  return isThere ? 'Online' : 'ConnectionLost';
}

/** The node's instance, unless it is going or gone. */
export function instanceOfNode(tx: Transaction, row: ManagedInstanceRow): InstanceRow | undefined {
  const instance = tx.get('instance', row.id as InstanceRow['id']);
  return instance && !['terminated', 'shutting-down'].includes(instance.state) ? instance : undefined;
}

/** Every node of an account and region. */
export function nodes(tx: Transaction, scope: Scope): { node: ManagedInstanceRow; instance: InstanceRow }[] {
  return tx.list('ssm-managed-instance', scope).flatMap((node) => {
    const instance = instanceOfNode(tx, node);
    return instance ? [{ node, instance }] : [];
  });
}

export const instanceArn = (call: BaseCall, instanceId: string): string =>
  `arn:${call.partition}:ec2:${call.region}:${call.accountId}:instance/${instanceId}`;

/** The keys that the instance's tags give. */
export function tagContext(tags: Readonly<Record<string, string>>): Record<string, readonly string[]> {
  return Object.fromEntries(
    Object.entries(tags).flatMap(([key, value]) => [
      [`aws:ResourceTag/${key}`, [value]],
      [`ssm:resourceTag/${key}`, [value]],
    ]),
  );
}

/** An action on one instance of the account; one that is not there has no tags. */
export function onInstance(call: Call, instanceId: string): Permission {
  const row = call.tx.get('instance', instanceId as InstanceRow['id']);
  const own = row?.accountId === call.accountId && row.region === call.region ? row : undefined;
  return {
    action: `ssm:${call.operation}`,
    resource: instanceArn(call, instanceId),
    ...(own && { context: tagContext(own.tags) }),
  };
}

/** The instance whose role's session calls; an agent may speak for nobody else. */
export function callingInstance(call: BaseCall): string | undefined {
  const owner = call.accessKey?.owner;
  return owner?.kind === 'role-session' ? owner.instance?.instanceId : undefined;
}

function updateInstanceInformation(call: Call, input: UpdateInstanceInformationRequest): Record<string, never> {
  const { tx } = call;
  const id = input.InstanceId ?? '';
  const instance = tx.get('instance', id as InstanceRow['id']);
  // The code is AWS's for whoever speaks for another node; the wording is ours.
  if (callingInstance(call) !== id || !instance || instance.region !== call.region)
    throw new AwsError('AccessDeniedException', 400, `The caller's credentials are not those of ${id}.`);
  const platform = input.PlatformType ?? '';
  if (platform !== 'Linux' && platform !== 'Windows' && platform !== 'MacOS')
    throw invalid(`PlatformType must be Linux, Windows or MacOS, not '${platform}'.`);
  for (const row of tx.list('ssm-managed-instance', { accountId: call.accountId, region: call.region }))
    if (!instanceOfNode(tx, row)) tx.delete('ssm-managed-instance', row.id);
  const now = call.now.toISOString();
  tx.put('ssm-managed-instance', {
    id,
    accountId: instance.accountId,
    region: instance.region,
    agentName: input.AgentName ?? '',
    agentVersion: input.AgentVersion ?? '',
    platformType: platform,
    platformName: input.PlatformName ?? '',
    platformVersion: input.PlatformVersion ?? '',
    ipAddress: input.IPAddress ?? '',
    computerName: input.ComputerName ?? '',
    registeredAt: tx.get('ssm-managed-instance', id)?.registeredAt ?? now,
    lastPingAt: now,
  });
  return {};
}

interface Node {
  readonly information: InstanceInformation;
  readonly tags: Readonly<Record<string, string>>;
}

type Matcher = (node: Node, values: readonly string[]) => boolean;
const member =
  (read: (one: InstanceInformation) => string | undefined): Matcher =>
  ({ information }, values) =>
    values.includes(read(information) ?? '');

/** The API's filter keys; `tag:KEY` and `tag-key` beside them. */
const filters: Readonly<Record<string, Matcher>> = {
  InstanceIds: member((one) => one.InstanceId),
  AgentVersion: member((one) => one.AgentVersion),
  PingStatus: member((one) => one.PingStatus),
  PlatformTypes: member((one) => one.PlatformType),
  PlatformType: member((one) => one.PlatformType),
  ActivationIds: member((one) => one.ActivationId),
  IamRole: member((one) => one.IamRole),
  ResourceType: member((one) => one.ResourceType),
  AssociationStatus: member((one) => one.AssociationStatus),
  'tag-key': ({ tags }, values) => values.some((value) => Object.hasOwn(tags, value)),
};

function matcherOf(key: string): Matcher {
  if (key.startsWith('tag:')) {
    const name = key.slice('tag:'.length);
    return ({ tags }, values) => Object.hasOwn(tags, name) && values.includes(tags[name] ?? '');
  }
  const found = Object.hasOwn(filters, key) ? filters[key] : undefined;
  if (!found) throw invalidFilterKey();
  return found;
}

function describeInstanceInformation(
  channels: OpenChannels,
  call: Call,
  input: DescribeInstanceInformationRequest,
): DescribeInstanceInformationResult {
  if (input.Filters?.length && input.InstanceInformationFilterList?.length)
    throw invalid('Filters and InstanceInformationFilterList cannot be given together.');
  const asked = [
    ...(input.Filters ?? []).map(({ Key = '', Values = [] }) => ({ matches: matcherOf(Key), values: Values })),
    ...(input.InstanceInformationFilterList ?? []).map(({ key, valueSet = [] }) => ({
      matches: matcherOf(String(key)),
      values: valueSet,
    })),
  ];
  const all = nodes(call.tx, { accountId: call.accountId, region: call.region })
    .map(({ node, instance }): Node => ({ information: informationOf(node, channels, call.now), tags: instance.tags }))
    .filter((node) => asked.every(({ matches, values }) => matches(node, values)));
  const { page, next } = pageOf(all, input, 5, 50);
  return { InstanceInformationList: page.map((node) => node.information), ...next };
}

function informationOf(row: ManagedInstanceRow, channels: OpenChannels, now: Date): InstanceInformation {
  return {
    InstanceId: row.id,
    PingStatus: pingStatus(row, channels, now),
    LastPingDateTime: new Date(row.lastPingAt),
    AgentVersion: row.agentVersion,
    IsLatestVersion: true,
    PlatformType: row.platformType,
    PlatformName: row.platformName,
    PlatformVersion: row.platformVersion,
    ResourceType: 'EC2Instance',
    IPAddress: row.ipAddress,
    ComputerName: row.computerName,
    SourceId: row.id,
    SourceType: 'AWS::EC2::Instance',
  };
}

function getConnectionStatus(
  channels: OpenChannels,
  call: Call,
  input: GetConnectionStatusRequest,
): GetConnectionStatusResponse {
  const Target = input.Target ?? '';
  const row = call.tx.get('ssm-managed-instance', Target);
  const isOwn = row?.accountId === call.accountId && row.region === call.region;
  return { Target, Status: isOwn && channels.control(Target) ? 'connected' : 'notconnected' };
}

export const managedInstanceOperations = (channels: OpenChannels) => ({
  UpdateInstanceInformation: operation<UpdateInstanceInformationRequest, Record<string, never>>({
    authorize: (call, input) => [onInstance(call, input.InstanceId ?? '')],
    run: updateInstanceInformation,
  }),
  DescribeInstanceInformation: operation<DescribeInstanceInformationRequest, DescribeInstanceInformationResult>({
    authorize: 'auto',
    run: (call, input) => describeInstanceInformation(channels, call, input),
    readOnly: true,
  }),
  GetConnectionStatus: operation<GetConnectionStatusRequest, GetConnectionStatusResponse>({
    authorize: (call, input) => [onInstance(call, input.Target ?? '')],
    run: (call, input) => getConnectionStatus(channels, call, input),
    readOnly: true,
  }),
});
