// Tags as S3 Control has them: added and removed one by one, of buckets and access points, by ARN.
// https://docs.aws.amazon.com/AmazonS3/latest/API/API_control_TagResource.html (read 2026-11-21). Wordings: recorded on AWS (2025-11).

import type * as SDK from '@aws-sdk/client-s3-control';
import { type Authorization, type Call, type Operation, operation } from '../../service.ts';
import { requestTagKeys, tagKeys } from '../../tag-keys.ts';
import { hasAbac } from './access.ts';
import { bareAccessDenied, invalidTag, malformedXml, noSuchResource, reservedTagKey } from './errors.ts';
import { bucketOfArn } from './names.ts';
import { tagsFromSet, toTagSet } from './tag-sets.ts';

interface ResourceInput {
  readonly AccountId?: string | undefined;
  readonly ResourceArn?: string | undefined;
  readonly Tags?: readonly SDK.Tag[] | undefined;
  readonly TagKeys?: readonly string[] | undefined;
}

function onResource(action: string): Authorization<ResourceInput> {
  return (call, input) => {
    if (call.principal.type === 'anonymous' || input.AccountId !== call.accountId) throw bareAccessDenied();
    const { tags, decide } = tagged(call, input);
    const context = requestTagKeys(input.Tags, input.TagKeys);
    if (decide) Object.assign(context, tagKeys('aws:ResourceTag', tags));
    return [{ action, resource: input.ResourceArn ?? '', context }];
  };
}

interface Tagged {
  readonly tags: Readonly<Record<string, string>>;
  /** Whether policies may ask for them: an access point's always, a bucket's where its owner says so. */
  readonly decide: boolean;
  readonly keep: (tags: Record<string, string>) => void;
}

/** A bucket or an access point of the caller's account. @throws NoSuchResource */
function tagged(call: Call, { ResourceArn: arn = '' }: ResourceInput): Tagged {
  const { tx, accountId, region } = call;
  const bucket = tx.get('bucket', bucketOfArn(arn) ?? '');
  if (bucket?.accountId === accountId && bucket.region === region)
    return {
      tags: bucket.tags ?? {},
      decide: hasAbac(bucket),
      keep: (tags) => tx.put('bucket', { ...bucket, tags }),
    };
  const point = tx.get('access-point', arn);
  if (point?.accountId === accountId && point.region === region)
    return { tags: point.tags ?? {}, decide: true, keep: (tags) => tx.put('access-point', { ...point, tags }) };
  throw noSuchResource();
}

const valid = /^[\p{L}\p{Z}\p{N}_.:/=+\-@]*$/u;

/** @throws MalformedXML, InvalidTag */
export function checkTags(tags: readonly SDK.Tag[] | undefined): asserts tags {
  if (!tags || tags.some(({ Key, Value }) => Key === undefined || Value === undefined)) throw malformedXml();
  const keys = tags.map(({ Key = '' }) => Key);
  if (keys.some((key) => key.toLowerCase().startsWith('aws:'))) throw reservedTagKey();
  if (new Set(keys).size < keys.length)
    throw invalidTag('There are duplicate tag keys in your request. Remove the duplicate tag keys and try again.');
  for (const { Key = '', Value = '' } of tags)
    if (Key === '' || Key.length > 128 || Value.length > 256 || !valid.test(Key) || !valid.test(Value))
      throw invalidTag(
        "This request contains a tag key or value that isn't valid. Valid characters include the following: [a-zA-Z+-=._:/]. Tag keys can contain up to 128 characters. Tag values can contain up to 256 characters.",
      );
}

export const controlTagOperations = {
  TagResource: operation<SDK.TagResourceRequest, SDK.TagResourceResult>({
    authorize: onResource('s3:TagResource'),
    run: (call, { Tags, ...input }) => {
      checkTags(Tags);
      const { tags, keep } = tagged(call, input);
      const added = new Map(Tags.map(({ Key = '', Value = '' }) => [Key, Value]));
      keep(tagsFromSet(toTagSet({ ...tags, ...Object.fromEntries(added) }), 50));
      return {};
    },
  }),
  UntagResource: operation<SDK.UntagResourceRequest, SDK.UntagResourceResult>({
    authorize: onResource('s3:UntagResource'),
    run: (call, { TagKeys, ...input }) => {
      const { tags, keep } = tagged(call, input);
      keep(Object.fromEntries(Object.entries(tags).filter(([key]) => !TagKeys?.includes(key))));
      return {};
    },
  }),
  ListTagsForResource: operation<SDK.ListTagsForResourceRequest, SDK.ListTagsForResourceResult>({
    authorize: onResource('s3:ListTagsForResource'),
    readOnly: true,
    run: (call, input) => ({ Tags: toTagSet(tagged(call, input).tags) }),
  }),
} satisfies Record<string, Operation>;
