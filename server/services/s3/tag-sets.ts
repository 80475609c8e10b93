// Tag sets of buckets and objects: their three spellings (XML set, `x-amz-tagging` header, row) and what is a valid tag.
// https://docs.aws.amazon.com/AmazonS3/latest/userguide/object-tagging.html (read 2026-11-21): ten on an object, fifty on a bucket.

import type { Tag } from '@aws-sdk/client-s3';
import { AwsError } from '../../errors.ts';
import { invalidArgument, invalidTag } from './errors.ts';

const allowed = /^[\p{L}\p{Z}\p{N}_.:/=+\-@]*$/u;

/** @throws InvalidTag, BadRequest (too many) */
export function tagsFromSet(set: readonly Tag[], most: 10 | 50): Record<string, string> {
  const tags: Record<string, string> = {};
  for (const { Key: key = '', Value: value = '' } of set) {
    if (key === '' || key.length > 128 || !allowed.test(key))
      throw invalidTag('The TagKey you have provided is invalid', key);
    if (value.length > 256 || !allowed.test(value))
      throw invalidTag('The TagValue you have provided is invalid', key, value);
    if (key.toLowerCase().startsWith('aws:'))
      throw most === 10
        ? invalidTag('Your TagKey cannot be prefixed with aws:', key)
        : invalidTag('System tags cannot be added/updated by requester', key);
    if (Object.hasOwn(tags, key)) throw invalidTag('Cannot provide multiple Tags with the same key', key);
    Object.defineProperty(tags, key, { value, enumerable: true, configurable: true, writable: true });
  }
  if (Object.keys(tags).length > most)
    throw most === 10
      ? new AwsError('BadRequest', 400, 'Object tags cannot be greater than 10')
      : new AwsError('BadRequest', 400, 'Bucket tag count cannot be greater than 50');
  return tags;
}

/** The header's form: a query string. */
export function tagsFromHeader(header: string): Record<string, string> {
  if (header === '') return {};
  const set: Tag[] = [];
  for (const pair of header.split('&')) {
    // Recorded: `a&&&b` is two tags without values.
    if (pair === '') continue;
    const [key = '', value = '', ...more] = pair.split('=');
    const decoded = { Key: decode(key), Value: decode(value) };
    if (
      more.length > 0 ||
      decoded.Key === undefined ||
      decoded.Value === undefined ||
      set.some((one) => one.Key === decoded.Key)
    )
      throw invalidArgument(
        "The header 'x-amz-tagging' shall be encoded as UTF-8 then URLEncoded URL query parameters without tag name duplicates.",
        'x-amz-tagging',
        header,
      );
    set.push({ Key: decoded.Key, Value: decoded.Value });
  }
  return tagsFromSet(set, 10);
}

function decode(text: string): string | undefined {
  try {
    return decodeURIComponent(text.replaceAll('+', ' '));
  } catch {
    return undefined;
  }
}

/** In the order of the keys, as S3 answers. */
export function toTagSet(tags: Readonly<Record<string, string>> | undefined): { Key: string; Value: string }[] {
  return Object.entries(tags ?? {}).map(([Key, Value]) => ({ Key, Value }));
}
