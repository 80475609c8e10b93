// Tags of objects and buckets. https://docs.aws.amazon.com/AmazonS3/latest/API/API_PutObjectTagging.html (read 2026-11-21)
// A put replaces the whole set.

import type {
  DeleteBucketTaggingRequest,
  DeleteObjectTaggingOutput,
  DeleteObjectTaggingRequest,
  GetBucketTaggingOutput,
  GetBucketTaggingRequest,
  GetObjectTaggingOutput,
  GetObjectTaggingRequest,
  PutBucketTaggingRequest,
  PutObjectTaggingOutput,
  PutObjectTaggingRequest,
} from '@aws-sdk/client-s3';
import { type Call, type Operation, operation } from '../../service.ts';
import type { BucketRow } from '../../store/rows/s3.ts';
import { type BucketInput, hasAbac, onBucket, onObject, requireBucket } from './access.ts';
import { methodNotAllowed, noSuchConfiguration } from './errors.ts';
import { requestTagContext } from './metadata.ts';
import { existingTags, requireObject, versioned, versionMember } from './reads.ts';
import { tagsFromSet, toTagSet } from './tag-sets.ts';
import { updateVersion } from './versions.ts';

/**
 * A bucket whose tags decide who may use it is tagged by TagResource and UntagResource alone.
 * @throws MethodNotAllowed, a code without a source: AWS says only that these operations cannot be used there
 */
function bucketOfTagSet(call: Call, input: BucketInput): BucketRow {
  const bucket = requireBucket(call, call.tx, input);
  if (hasAbac(bucket)) throw methodNotAllowed(call.operation === 'PutBucketTagging' ? 'PUT' : 'DELETE', 'TAGGING');
  return bucket;
}

export const taggingOperations = {
  GetObjectTagging: operation<GetObjectTaggingRequest, GetObjectTaggingOutput>({
    authorize: versioned('s3:GetObjectTagging', 's3:GetObjectVersionTagging'),
    readOnly: true,
    run: (call, input) => {
      const object = requireObject(call, call.tx, input, 'refused');
      return { TagSet: toTagSet(object.tags), ...versionMember(requireBucket(call, call.tx, input), object) };
    },
  }),
  PutObjectTagging: operation<PutObjectTaggingRequest, PutObjectTaggingOutput>({
    authorize: (call, input) => {
      const action = input.VersionId === undefined ? 's3:PutObjectTagging' : 's3:PutObjectVersionTagging';
      return onObject<PutObjectTaggingRequest>(action, () => ({
        ...existingTags(call, input),
        ...requestTagContext(tagsFromSet(input.Tagging?.TagSet ?? [], 10)),
      }))(call, input);
    },
    run: (call, input) => {
      const { tags: _, ...object } = requireObject(call, call.tx, input, 'refused');
      const tags = tagsFromSet(input.Tagging?.TagSet ?? [], 10);
      updateVersion(call.tx, { ...object, ...(Object.keys(tags).length > 0 && { tags }) });
      return versionMember(requireBucket(call, call.tx, input), object);
    },
  }),
  DeleteObjectTagging: operation<DeleteObjectTaggingRequest, DeleteObjectTaggingOutput>({
    authorize: versioned('s3:DeleteObjectTagging', 's3:DeleteObjectVersionTagging'),
    run: (call, input) => {
      const { tags: _, ...object } = requireObject(call, call.tx, input, 'refused');
      updateVersion(call.tx, object);
      return versionMember(requireBucket(call, call.tx, input), object);
    },
  }),
  GetBucketTagging: operation<GetBucketTaggingRequest, GetBucketTaggingOutput>({
    authorize: onBucket('s3:GetBucketTagging'),
    readOnly: true,
    run: (call, input) => {
      const bucket = requireBucket(call, call.tx, input);
      if (!bucket.tags) throw noSuchConfiguration('NoSuchTagSet', 'The TagSet does not exist', bucket.id);
      return { TagSet: toTagSet(bucket.tags) };
    },
  }),
  PutBucketTagging: operation<PutBucketTaggingRequest, Record<string, never>>({
    authorize: onBucket('s3:PutBucketTagging'),
    run: (call, input) => {
      const { tags: _, ...bucket } = bucketOfTagSet(call, input);
      const tags = tagsFromSet(input.Tagging?.TagSet ?? [], 50);
      call.tx.put('bucket', { ...bucket, ...(Object.keys(tags).length > 0 && { tags }) });
      return {};
    },
  }),
  DeleteBucketTagging: operation<DeleteBucketTaggingRequest, Record<string, never>>({
    authorize: onBucket('s3:PutBucketTagging'),
    run: (call, input) => {
      const { tags: _, ...bucket } = bucketOfTagSet(call, input);
      call.tx.put('bucket', bucket);
      return {};
    },
  }),
} satisfies Record<string, Operation>;
