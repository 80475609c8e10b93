// Which tags does a new resource get, and how are tags checked and shown?
// https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/Using_Tags.html#tag-restrictions (read 2026-11-21): 50 per resource, keys of 1 to 128 and
// values of 0 to 256 characters, `aws:` reserved. CreateTags, DeleteTags and DescribeTags are in tagging.ts.

import type { Tag, TagSpecification } from '@aws-sdk/client-ec2';
import type { Tags } from '../../store/rows/ec2.ts';
import { ec2Error, invalidParameter, invalidParameterValue } from './errors.ts';

const maxTags = 50;
const maxKeyLength = 128;
const maxValueLength = 256;

/** `tags` as the API shows them, in the order they were set. */
export function toTags(tags: Tags): Tag[] {
  return Object.entries(tags).map(([Key, Value]) => ({ Key, Value }));
}

/**
 * The tags that a create call asks for.
 * @param resourceType the one type that the call makes, e.g. `vpc`; or several, with `wanted` the one to read (RunInstances)
 * @throws InvalidParameter when a specification names another type
 */
export function tagsFromSpecifications(
  specifications: readonly TagSpecification[] | undefined,
  resourceType: string,
  allowed: readonly string[] = [resourceType],
): Tags {
  const list: Tag[] = [];
  for (const specification of specifications ?? []) {
    const type = specification.ResourceType;
    if (!type) throw invalidParameter('Tag specification resource type must have a value');
    if (!allowed.includes(type))
      throw invalidParameter(`'${type}' is not a valid taggable resource type for this operation.`);
    if (!specification.Tags || specification.Tags.length === 0)
      throw invalidParameter('Tag specification must have at least one tag');
    if (type === resourceType) list.push(...specification.Tags);
  }
  return addTags({}, list);
}

/**
 * `before` with `added` over it.
 * @throws InvalidParameterValue, TagLimitExceeded
 */
export function addTags(before: Tags, added: readonly Tag[]): Tags {
  const seen = new Set<string>();
  const tags = new Map(Object.entries(before));
  for (const { Key: key = '', Value: value = '' } of added) {
    checkTag(key, value);
    if (seen.has(key)) throw invalidParameterValue(`Duplicate tag key '${key}' specified.`);
    seen.add(key);
    tags.set(key, value);
  }
  if (tags.size > maxTags)
    throw ec2Error('TagLimitExceeded', `The maximum number of Tags for a resource has been reached.`);
  return Object.fromEntries(tags);
}

function checkTag(key: string, value: string): void {
  if (key === '') throw invalidParameterValue('Tag key cannot be null or empty.');
  if (key.toLowerCase().startsWith('aws:'))
    throw invalidParameterValue(
      `Value ( ${key} ) for parameter key is invalid. Tag keys starting with 'aws:' are reserved for internal use`,
    );
  if (key.length > maxKeyLength)
    throw invalidParameterValue(`Tag key exceeds the maximum length of ${maxKeyLength} characters: '${key}'`);
  if (value.length > maxValueLength)
    throw invalidParameterValue(`Tag value exceeds the maximum length of ${maxValueLength} characters: '${value}'`);
}
