// Tags of trails. https://docs.aws.amazon.com/awscloudtrail/latest/APIReference/API_AddTags.html (read 2026-11-22)

import type {
  AddTagsRequest,
  ListTagsRequest,
  ListTagsResponse,
  RemoveTagsRequest,
  Tag,
} from '@aws-sdk/client-cloudtrail';
import { type BaseCall, type Call, operation, type Permission } from '../../service.ts';
import type { TrailRow } from '../../store/rows/cloudtrail.ts';
import { invalidArn, invalidTags, tooManyTags, trailNotFound } from './errors.ts';

const mostTags = 50;

/** @throws InvalidTagParameterException, TagsLimitExceededException */
export function tagsOf(list: readonly Tag[] | undefined, arn: string, before: Record<string, string> = {}) {
  const tags = { ...before };
  const seen = new Set<string>();
  for (const { Key = '', Value = '' } of list ?? []) {
    if (Key === '' || Key.length > 128 || Value.length > 256 || /^aws:/i.test(Key))
      throw invalidTags(`The tag ${Key} is not valid.`);
    if (seen.has(Key)) throw invalidTags(`The tag ${Key} is there twice.`);
    seen.add(Key);
    tags[Key] = Value;
  }
  if (Object.keys(tags).length > mostTags) throw tooManyTags(arn);
  return tags;
}

/** By its ARN alone: other resources that have tags are not served. */
function tagged(call: Call, arn: string): TrailRow {
  if (!/^arn:[\w-]+:cloudtrail:[\w-]+:\d{12}:trail\//.test(arn)) throw invalidArn(arn);
  const row = call.tx.get('trail', arn);
  if (!row || row.accountId !== call.accountId) throw trailNotFound(arn, call.accountId);
  return row;
}

const on = (call: BaseCall, arn: string | undefined): Permission => ({
  action: `cloudtrail:${call.operation}`,
  resource: arn ?? '',
});

export const tagOperations = {
  AddTags: operation<AddTagsRequest, object>({
    authorize: (call, input) => [on(call, input.ResourceId)],
    run: (call, input) => {
      const row = tagged(call, input.ResourceId ?? '');
      call.tx.put('trail', { ...row, tags: tagsOf(input.TagsList, row.id, row.tags) });
      return {};
    },
  }),
  RemoveTags: operation<RemoveTagsRequest, object>({
    authorize: (call, input) => [on(call, input.ResourceId)],
    run: (call, input) => {
      const row = tagged(call, input.ResourceId ?? '');
      const gone = new Set((input.TagsList ?? []).map((tag) => tag.Key));
      const tags = Object.fromEntries(Object.entries(row.tags).filter(([key]) => !gone.has(key)));
      call.tx.put('trail', { ...row, tags });
      return {};
    },
  }),
  ListTags: operation<ListTagsRequest, ListTagsResponse>({
    authorize: (call, input) => (input.ResourceIdList ?? []).map((arn) => on(call, arn)),
    run: (call, input) => ({
      ResourceTagList: (input.ResourceIdList ?? []).map((arn) => {
        const TagsList = Object.entries(tagged(call, arn).tags).map(([Key, Value]) => ({ Key, Value }));
        return { ResourceId: arn, TagsList };
      }),
    }),
    readOnly: true,
  }),
};
