// Tags of accounts, units, roots and policies: at most 50 each.

import type {
  ListTagsForResourceRequest,
  ListTagsForResourceResponse,
  Tag,
  TagResourceRequest,
  UntagResourceRequest,
} from '@aws-sdk/client-organizations';
import { type Call, operation } from '../../service.ts';
import type { OrganizationRow } from '../../store/rows/organizations.ts';
import { constraintViolation, invalidInput, organizationsError } from './errors.ts';
import { checked, findTarget, managed, onNamed, page, patterns, putPlace, readable } from './tree.ts';

const mostTags = 50;

export function checkedTags(tags: readonly Tag[] | undefined): Record<string, string> {
  const record: Record<string, string> = {};
  for (const { Key = '', Value = '' } of tags ?? []) {
    if (Key === '' || Key.length > 128 || Value.length > 256) throw invalidInput();
    if (Key.toLowerCase().startsWith('aws:')) {
      throw invalidInput(
        'INVALID_SYSTEM_TAGS_PARAMETER',
        "You specified a tag key that is a system tag. You can't add, edit, or delete system tag keys because they're reserved for Amazon Web Services use.",
      );
    }
    if (Object.hasOwn(record, Key))
      throw invalidInput('DUPLICATE_TAG_KEY', 'Tag keys must be unique among the tags attached to the same entity.');
    record[Key] = Value;
  }
  if (Object.keys(record).length > mostTags) throw constraintViolation('MAX_TAG_LIMIT_EXCEEDED');
  return record;
}

interface Tagged {
  readonly tags: Readonly<Record<string, string>>;
  readonly put: (tags: Record<string, string>) => void;
}

function findTagged(call: Call, organization: OrganizationRow, resourceId: string | undefined): Tagged {
  const id = checked(resourceId, /^(r-|ou-|p-|\d{12}$)/);
  if (!patterns.policy.test(id)) {
    const place = findTarget(call, organization, id);
    return { tags: place.tags, put: (tags) => putPlace(call, { ...place, tags }) };
  }
  const row = call.tx.get('organization-policy', id);
  if (row?.organizationId !== organization.id) throw organizationsError('TargetNotFoundException');
  return { tags: row.tags, put: (tags) => call.tx.put('organization-policy', { ...row, tags }) };
}

function tagResource(call: Call, input: TagResourceRequest): void {
  const tagged = findTagged(call, managed(call), input.ResourceId);
  const tags = { ...tagged.tags, ...checkedTags(input.Tags) };
  if (Object.keys(tags).length > mostTags) throw constraintViolation('MAX_TAG_LIMIT_EXCEEDED');
  tagged.put(tags);
}

function untagResource(call: Call, input: UntagResourceRequest): void {
  const tagged = findTagged(call, managed(call), input.ResourceId);
  const gone = new Set(input.TagKeys);
  tagged.put(Object.fromEntries(Object.entries(tagged.tags).filter(([key]) => !gone.has(key))));
}

function listTags(call: Call, input: ListTagsForResourceRequest): ListTagsForResourceResponse {
  const { tags } = findTagged(call, readable(call), input.ResourceId);
  const { items, end } = page(Object.entries(tags), { NextToken: input.NextToken }, ([key]) => key);
  return { Tags: items.map(([Key, Value]) => ({ Key, Value })), ...end };
}

export const tagging = {
  TagResource: operation<TagResourceRequest, void>({ authorize: onNamed, run: tagResource }),
  UntagResource: operation<UntagResourceRequest, void>({ authorize: onNamed, run: untagResource }),
  ListTagsForResource: operation<ListTagsForResourceRequest, ListTagsForResourceResponse>({
    authorize: onNamed,
    run: listTags,
    readOnly: true,
  }),
};
