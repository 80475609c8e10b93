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
import { constraintViolation, inputRequired, invalidInput, organizationsError } from './errors.ts';
import { checked, checkedText, delegated, findTarget, onNamed, page, patterns, putPlace } from './tree.ts';

const mostTags = 50;

export function checkedTags(tags: readonly Tag[] | undefined): Record<string, string> {
  const record: Record<string, string> = {};
  for (const [index, { Key, Value }] of (tags ?? []).entries()) {
    // Recorded: TAGS_2_MEMBER_KEY.
    checkedText(Key, 1, 128, `TAGS_${index + 1}_MEMBER_KEY`);
    checkedText(Value, 0, 256, `TAGS_${index + 1}_MEMBER_VALUE`);
  }
  for (const { Key = '', Value = '' } of tags ?? []) {
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

/** What is made with tags needs the permission to tag it. @throws AwsError AccessDeniedException */
export function requireTagging(call: Call, arn: string, tags: Readonly<Record<string, string>>): void {
  const keys = Object.keys(tags);
  if (keys.length === 0) return;
  const asked = Object.entries(tags).map(([key, value]) => [`aws:RequestTag/${key}`, [value]]);
  call.require(call.tx, 'organizations:TagResource', arn, { 'aws:TagKeys': keys, ...Object.fromEntries(asked) });
}

interface Tagged {
  readonly tags: Readonly<Record<string, string>>;
  readonly put: (tags: Record<string, string>) => void;
}

function findTagged(call: Call, organization: OrganizationRow, resourceId: string | undefined): Tagged {
  const id = checked(resourceId, /^(r-|ou-|p-|rp-|\d{12}$)/, 'RESOURCE_ID');
  if (patterns.resourcePolicy.test(id)) {
    const policy = call.tx.get('organization-resource-policy', id);
    if (policy?.organizationId !== organization.id) throw organizationsError('TargetNotFoundException');
    return { tags: policy.tags, put: (tags) => call.tx.put('organization-resource-policy', { ...policy, tags }) };
  }
  if (!patterns.policy.test(id)) {
    const place = findTarget(call, organization, id);
    return { tags: place.tags, put: (tags) => putPlace(call, { ...place, tags }) };
  }
  const row = call.tx.get('organization-policy', id);
  if (row?.organizationId !== organization.id) throw organizationsError('TargetNotFoundException');
  return { tags: row.tags, put: (tags) => call.tx.put('organization-policy', { ...row, tags }) };
}

function tagResource(call: Call, input: TagResourceRequest): void {
  if (!input.Tags) throw inputRequired('TAGS');
  const tagged = findTagged(call, delegated(call), input.ResourceId);
  const tags = { ...tagged.tags, ...checkedTags(input.Tags) };
  if (Object.keys(tags).length > mostTags) throw constraintViolation('MAX_TAG_LIMIT_EXCEEDED');
  tagged.put(tags);
}

function untagResource(call: Call, input: UntagResourceRequest): void {
  if (!input.TagKeys) throw inputRequired('TAG_KEYS');
  const tagged = findTagged(call, delegated(call), input.ResourceId);
  const gone = new Set(input.TagKeys);
  tagged.put(Object.fromEntries(Object.entries(tagged.tags).filter(([key]) => !gone.has(key))));
}

function listTags(call: Call, input: ListTagsForResourceRequest): ListTagsForResourceResponse {
  const { tags } = findTagged(call, delegated(call), input.ResourceId);
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
