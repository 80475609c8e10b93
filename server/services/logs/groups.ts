// Log groups, their retention and their tags. https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_LogGroup.html (read 2026-11-22)

import type * as SDK from '@aws-sdk/client-cloudwatch-logs';
import { type Call, type Operation, operation } from '../../service.ts';
import type { LogGroupRow } from '../../store/rows/logs.ts';
import { checkGroupName, groupArn, groupId, namedGroup, onGroup, onNothing, onTags, requireGroup, scopeOf } from './access.ts'; // biome-ignore format: many words
import { alreadyExists, checkedLimit, invalidParameter, missing, unsupported, violates } from './errors.ts';
import { deleteEvents } from './event-rows.ts';
import { streamsByGroup } from './indexes.ts';
import { pageOf } from './paging.ts';

/** https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_PutRetentionPolicy.html */
const retentions = [
  1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653,
];
const maxTags = 50;

function toGroup(call: Call, row: LogGroupRow): SDK.LogGroup {
  const arn = groupArn(call, row.name);
  return {
    logGroupName: row.name,
    creationTime: row.createdAt,
    ...(row.retentionInDays !== undefined && { retentionInDays: row.retentionInDays }),
    metricFilterCount: 0,
    arn: `${arn}:*`,
    storedBytes: 0,
    logGroupClass: 'STANDARD',
    logGroupArn: arn,
    deletionProtectionEnabled: false,
  };
}

function checkedTags(tags: Readonly<Record<string, string>> | undefined): Record<string, string> {
  const kept = { ...tags };
  for (const [key, value] of Object.entries(kept)) {
    if (key.length < 1 || key.length > 128) throw violates(key, 'tags', 'have length between 1 and 128');
    if (value.length > 256) throw violates(value, 'tags', 'have length less than or equal to 256');
    if (/^aws:/i.test(key)) throw invalidParameter('Tag keys beginning with aws: are reserved.');
  }
  return kept;
}

function withTags(row: LogGroupRow, added: Readonly<Record<string, string>> | undefined): LogGroupRow {
  const tags = { ...row.tags, ...checkedTags(added) };
  if (Object.keys(tags).length > maxTags) throw invalidParameter(`A resource has at most ${maxTags} tags.`);
  return { ...row, tags };
}

function withoutTags(row: LogGroupRow, keys: readonly string[] | undefined): LogGroupRow {
  return { ...row, tags: Object.fromEntries(Object.entries(row.tags).filter(([key]) => !keys?.includes(key))) };
}

const byArn = ({ resourceArn }: { resourceArn: string | undefined }) => namedGroup({ logGroupIdentifier: resourceArn });
const byName = ({ logGroupName }: { logGroupName: string | undefined }) => namedGroup({ logGroupName });
const ofArn = (call: Call, input: { resourceArn: string | undefined }) =>
  requireGroup(call, { logGroupName: byArn(input) });

export const groupOperations = {
  CreateLogGroup: operation<SDK.CreateLogGroupRequest, Record<string, never>>({
    authorize: (call, input) => {
      const tags = input.tags ?? {};
      const tagged = Object.keys(tags).length === 0 ? [] : onTags<SDK.CreateLogGroupRequest>('logs:TagResource', byName, () => tags)(call, input); // biome-ignore format: few words
      return [...onGroup('logs:CreateLogGroup')(call, input), ...tagged];
    },
    run: (call, input) => {
      const name = namedGroup({ logGroupName: input.logGroupName });
      checkGroupName(name);
      if (input.kmsKeyId !== undefined) throw unsupported('kmsKeyId');
      if (input.logGroupClass !== undefined && input.logGroupClass !== 'STANDARD')
        throw unsupported(`logGroupClass ${input.logGroupClass}`);
      if (input.deletionProtectionEnabled === true) throw unsupported('deletionProtectionEnabled');
      const id = groupId(call, name);
      if (call.tx.get('log-group', id)) throw alreadyExists('log group');
      const row = { id, ...scopeOf(call), name, createdAt: call.now.getTime(), tags: {} };
      call.tx.put('log-group', withTags(row, input.tags));
      return {};
    },
  }),

  DeleteLogGroup: operation<SDK.DeleteLogGroupRequest, Record<string, never>>({
    authorize: onGroup('logs:DeleteLogGroup'),
    run: (call, { logGroupName }) => {
      const row = requireGroup(call, { logGroupName });
      for (const stream of call.tx.find(streamsByGroup, row.id)) {
        deleteEvents(call.tx, stream);
        call.tx.delete('log-stream', stream.id);
      }
      call.tx.delete('log-group', row.id);
      return {};
    },
  }),

  DescribeLogGroups: operation<SDK.DescribeLogGroupsRequest, SDK.DescribeLogGroupsResponse>({
    authorize: onNothing('logs:DescribeLogGroups'),
    readOnly: true,
    run: (call, input) => {
      const { logGroupNamePrefix: prefix, logGroupNamePattern: pattern, logGroupIdentifiers: named } = input;
      if (prefix !== undefined && pattern !== undefined)
        throw invalidParameter('LogGroup name prefix and LogGroup name pattern are mutually exclusive parameters.');
      if (input.includeLinkedAccounts === true) throw unsupported('includeLinkedAccounts');
      if (input.accountIdentifiers?.some((id) => id !== call.accountId)) throw unsupported('accountIdentifiers');
      const names = named && new Set(named.map((logGroupIdentifier) => namedGroup({ logGroupIdentifier })));
      const isAsked = ({ name }: LogGroupRow) =>
        name.startsWith(prefix ?? '') &&
        name.toLowerCase().includes((pattern ?? '').toLowerCase()) &&
        names?.has(name) !== false &&
        (input.logGroupClass ?? 'STANDARD') === 'STANDARD';
      const rows = call.tx.list('log-group', scopeOf(call)).filter(isAsked);
      rows.sort((a, b) => (a.name < b.name ? -1 : 1));
      const { page, next } = pageOf(rows, checkedLimit(input.limit ?? 50, 50), input.nextToken, (row) => row.name);
      return { logGroups: page.map((row) => toGroup(call, row)), ...next };
    },
  }),

  PutRetentionPolicy: operation<SDK.PutRetentionPolicyRequest, Record<string, never>>({
    authorize: onGroup('logs:PutRetentionPolicy'),
    run: (call, { logGroupName, retentionInDays: days }) => {
      const row = requireGroup(call, { logGroupName });
      if (days === undefined) throw missing('retentionInDays');
      if (!retentions.includes(days))
        throw violates(days, 'retentionInDays', `satisfy enum value set: [${retentions.join(', ')}]`);
      call.tx.put('log-group', { ...row, retentionInDays: days });
      return {};
    },
  }),

  DeleteRetentionPolicy: operation<SDK.DeleteRetentionPolicyRequest, Record<string, never>>({
    authorize: onGroup('logs:DeleteRetentionPolicy'),
    run: (call, { logGroupName }) => {
      const { retentionInDays: _days, ...row } = requireGroup(call, { logGroupName });
      call.tx.put('log-group', row);
      return {};
    },
  }),

  TagResource: operation<SDK.TagResourceRequest, Record<string, never>>({
    authorize: onTags<SDK.TagResourceRequest>('logs:TagResource', byArn, ({ tags }) => tags ?? {}),
    run: (call, input) => {
      call.tx.put('log-group', withTags(ofArn(call, input), input.tags));
      return {};
    },
  }),

  UntagResource: operation<SDK.UntagResourceRequest, Record<string, never>>({
    authorize: onTags('logs:UntagResource', byArn),
    run: (call, input) => {
      call.tx.put('log-group', withoutTags(ofArn(call, input), input.tagKeys));
      return {};
    },
  }),

  ListTagsForResource: operation<SDK.ListTagsForResourceRequest, SDK.ListTagsForResourceResponse>({
    authorize: onTags('logs:ListTagsForResource', byArn),
    readOnly: true,
    run: (call, input) => ({ tags: ofArn(call, input).tags }),
  }),

  TagLogGroup: operation<SDK.TagLogGroupRequest, Record<string, never>>({
    authorize: onTags<SDK.TagLogGroupRequest>('logs:TagLogGroup', byName, ({ tags }) => tags ?? {}),
    run: (call, { logGroupName, tags }) => {
      call.tx.put('log-group', withTags(requireGroup(call, { logGroupName }), tags));
      return {};
    },
  }),

  UntagLogGroup: operation<SDK.UntagLogGroupRequest, Record<string, never>>({
    authorize: onTags('logs:UntagLogGroup', byName),
    run: (call, { logGroupName, tags }) => {
      call.tx.put('log-group', withoutTags(requireGroup(call, { logGroupName }), tags));
      return {};
    },
  }),

  ListTagsLogGroup: operation<SDK.ListTagsLogGroupRequest, SDK.ListTagsLogGroupResponse>({
    authorize: onTags('logs:ListTagsLogGroup', byName),
    readOnly: true,
    run: (call, { logGroupName }) => ({ tags: requireGroup(call, { logGroupName }).tags }),
  }),
} satisfies Record<string, Operation>;
