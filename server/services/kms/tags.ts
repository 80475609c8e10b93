// Tags of keys. https://docs.aws.amazon.com/kms/latest/APIReference/API_TagResource.html (read 2026-11-21)

import type * as SDK from '@aws-sdk/client-kms';
import { AwsError } from '../../errors.ts';
import { type Operation, operation } from '../../service.ts';
import { changeableKey, onKey, ownKey } from './access.ts';
import { type Paged, pageOf } from './errors.ts';

const maxTags = 50;

/** @throws TagException */
export function checkedTags(tags: readonly SDK.Tag[] | undefined): Record<string, string> {
  const kept: Record<string, string> = {};
  for (const { TagKey: name = '', TagValue: value = '' } of tags ?? []) {
    // Recorded wordings (2023).
    if (/^aws:/i.test(name)) throw new AwsError('TagException', 400, 'Tags beginning with aws: are reserved');
    if (Object.hasOwn(kept, name)) throw new AwsError('TagException', 400, 'Duplicate tag keys');
    kept[name] = value;
  }
  return kept;
}

export const tagOperations = {
  TagResource: operation<SDK.TagResourceRequest, Record<string, never>>({
    authorize: onKey('kms:TagResource'),
    run: (call, input) => {
      const key = changeableKey(call, input);
      const tags = { ...key.tags, ...checkedTags(input.Tags) };
      if (Object.keys(tags).length > maxTags) throw new AwsError('TagException', 400, 'Too many tags');
      call.tx.put('kms-key', { ...key, tags });
      return {};
    },
  }),
  UntagResource: operation<SDK.UntagResourceRequest, Record<string, never>>({
    authorize: onKey('kms:UntagResource'),
    run: (call, input) => {
      const key = changeableKey(call, input);
      const tags = Object.fromEntries(Object.entries(key.tags).filter(([name]) => !input.TagKeys?.includes(name)));
      call.tx.put('kms-key', { ...key, tags });
      return {};
    },
  }),
  ListResourceTags: operation<Paged & SDK.ListResourceTagsRequest, SDK.ListResourceTagsResponse>({
    authorize: onKey('kms:ListResourceTags'),
    readOnly: true,
    run: (call, input) => {
      const tags = Object.entries(ownKey(call, input).tags).map(([TagKey, TagValue]) => ({ TagKey, TagValue }));
      const { items, ...page } = pageOf(tags, input, maxTags);
      return { Tags: items, ...page };
    },
  }),
} satisfies Record<string, Operation>;
