// Which group or stream does a call name, and what must the caller be allowed on it?
// https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/iam-access-control-overview-cwl.html (read 2026-11-22): permissions on a group are of its ARN with
// something behind it (`:*` in a policy), but for its tags; AWS's messages print it with an empty stream.

import type { Call, Permission } from '../../service.ts';
import type { LogGroupRow, LogStreamRow } from '../../store/rows/logs.ts';
import { exclusive, groupNotFound, invalidParameter, missing, streamNotFound, violates } from './errors.ts';

export interface GroupInput {
  readonly logGroupName?: string | undefined;
  /** A name or an ARN. */
  readonly logGroupIdentifier?: string | undefined;
}

export const maxNameLength = 512;

export function scopeOf(call: Call): { accountId: string; region: string } {
  return { accountId: call.accountId, region: call.region };
}

export function groupArn(
  { partition, region, accountId }: Pick<Call, 'partition' | 'region' | 'accountId'>,
  name: string,
): string {
  return `arn:${partition}:logs:${region}:${accountId}:log-group:${name}`;
}

export const groupId = (call: Call, name: string) => `${call.accountId}/${call.region}/${name}`;
export const streamId = (group: string, name: string) => `${group}:${name}`;

/** @throws ValidationException when a call names a group twice, InvalidParameterException when it names none */
export function namedGroup({ logGroupName, logGroupIdentifier }: GroupInput): string {
  if (logGroupName !== undefined && logGroupIdentifier !== undefined) throw exclusive();
  const name =
    logGroupName ?? /(?:^arn:[^:]*:logs:[^:]*:[^:]*:log-group:)?([^:]*)(?::\*)?$/.exec(logGroupIdentifier ?? '')?.[1];
  if (name === undefined || name === '') throw missing('logGroupName');
  return name;
}

export function checkGroupName(name: string): void {
  if (name.length > maxNameLength)
    throw invalidParameter('Invalid LogGroup or LogStream, both must have length less than or equal to 512.');
  if (!/^[.\-_/#A-Za-z0-9]+$/.test(name))
    throw violates(name, 'logGroupName', 'satisfy regular expression pattern: [\\.\\-_/#A-Za-z0-9]+');
}

/** @throws ResourceNotFoundException */
export function requireGroup(call: Call, input: GroupInput): LogGroupRow {
  const row = call.tx.get('log-group', groupId(call, namedGroup(input)));
  if (!row) throw groupNotFound();
  return row;
}

/** @throws ResourceNotFoundException */
export function requireStream(call: Call, group: LogGroupRow, name: string | undefined): LogStreamRow {
  if (name === undefined || name === '') throw missing('logStreamName');
  const row = call.tx.get('log-stream', streamId(group.id, name));
  if (!row) throw streamNotFound();
  return row;
}

function tagContext(call: Call, name: string): Pick<Permission, 'context'> {
  const tags = Object.entries(call.tx.get('log-group', groupId(call, name))?.tags ?? {});
  if (tags.length === 0) return {};
  return { context: Object.fromEntries(tags.map(([key, value]) => [`aws:ResourceTag/${key}`, [value]])) };
}

export function onGroup<I extends GroupInput>(action: string) {
  return (call: Call, input: I): readonly Permission[] => {
    const name = namedGroup(input);
    return [{ action, resource: `${groupArn(call, name)}:log-stream:`, ...tagContext(call, name) }];
  };
}

export function onStream<I extends GroupInput & { readonly logStreamName?: string | undefined }>(action: string) {
  return (call: Call, input: I): readonly Permission[] => {
    const name = namedGroup(input);
    const resource = `${groupArn(call, name)}:log-stream:${input.logStreamName ?? ''}`;
    return [{ action, resource, ...tagContext(call, name) }];
  };
}

/** Of tags: the ARN without anything behind it. */
export function onTags<I>(
  action: string,
  nameOf: (input: I) => string,
  added: (input: I) => Readonly<Record<string, string>> = () => ({}),
) {
  return (call: Call, input: I): readonly Permission[] => {
    const name = nameOf(input);
    const tags = Object.entries(added(input));
    const requested = tags.length === 0 ? {} : { 'aws:TagKeys': tags.map(([key]) => key), ...Object.fromEntries(tags.map(([key, value]) => [`aws:RequestTag/${key}`, [value]])) }; // biome-ignore format: few words
    return [{ action, resource: groupArn(call, name), context: { ...tagContext(call, name).context, ...requested } }];
  };
}

/** Of what belongs to no group. */
export function onNothing(action: string) {
  return (call: Call): readonly Permission[] => [{ action, resource: `${groupArn(call, '')}:log-stream:` }];
}
