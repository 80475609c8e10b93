// Tags of keys. https://docs.aws.amazon.com/kms/latest/APIReference/API_TagResource.html (read 2026-11-21)

import type * as SDK from '@aws-sdk/client-kms';
import { AwsError } from '../../errors.ts';
import { type Operation, operation } from '../../service.ts';
import { changeableKey, onKey, ownKey } from './access.ts';
import { type Paged, pageOf, validationError } from './errors.ts';

const maxTags = 50;

function tooLong(value: string, place: string, most: number): Error {
  return validationError(
    `Value '${value}' at '${place}' failed to satisfy constraint: Member must have length less than or equal to ${most}`,
  );
}

/** @throws ValidationException, TagException; wordings recorded (2023, 2025) */
export function checkedTags(tags: readonly SDK.Tag[] | undefined): Record<string, string> {
  const kept: Record<string, string> = {};
  for (const [index, { TagKey: name = '', TagValue: value = '' }] of (tags ?? []).entries()) {
    const place = `tags.${index + 1}.member`;
    if (name.length > 128) throw tooLong(name, `${place}.tagKey`, 128);
    if (value.length > 256) throw tooLong(value, `${place}.tagValue`, 256);
  }
  for (const { TagKey: name = '', TagValue: value = '' } of tags ?? []) {
    if (/^aws:/i.test(name)) throw new AwsError('TagException', 400, 'Tags beginning with aws: are reserved');
    if (Object.hasOwn(kept, name)) throw new AwsError('TagException', 400, 'Duplicate tag keys');
    kept[name] = value;
  }
  return limited(kept);
}

/** @throws TagException */
function limited(tags: Record<string, string>): Record<string, string> {
  if (Object.keys(tags).length > maxTags) throw new AwsError('TagException', 400, 'Too many tags');
  return tags;
}

export const tagOperations = {
  TagResource: operation<SDK.TagResourceRequest, Record<string, never>>({
    authorize: onKey('kms:TagResource'),
    run: (call, input) => {
      const key = changeableKey(call, input);
      const tags = limited({ ...key.tags, ...checkedTags(input.Tags) });
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
