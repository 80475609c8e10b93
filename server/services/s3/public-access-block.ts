// Block public access of a bucket and of an account (T7): the four switches, and what each does here. An account's are set through S3 Control (control.ts).
// BlockPublicPolicy refuses in bucket-policy.ts, RestrictPublicBuckets decides in access.ts, BlockPublicAcls refuses in acls.ts, IgnorePublicAcls
// leaves grants out in acl-grants.ts. https://docs.aws.amazon.com/AmazonS3/latest/userguide/access-control-block-public-access.html (read 2026-11-21)

import type {
  DeletePublicAccessBlockRequest,
  GetPublicAccessBlockOutput,
  GetPublicAccessBlockRequest,
  PutPublicAccessBlockRequest,
} from '@aws-sdk/client-s3';
import { type Operation, operation } from '../../service.ts';
import { onBucket, requireBucket } from './access.ts';
import { blockMembers, blockOf, noPublicAccessBlock } from './public-access.ts';

export const publicAccessBlockOperations = {
  PutPublicAccessBlock: operation<PutPublicAccessBlockRequest, Record<string, never>>({
    authorize: onBucket('s3:PutBucketPublicAccessBlock'),
    run: (call, input) => {
      const bucket = requireBucket(call, call.tx, input);
      call.tx.put('bucket', { ...bucket, publicAccessBlock: blockOf(input.PublicAccessBlockConfiguration) });
      return {};
    },
  }),
  GetPublicAccessBlock: operation<GetPublicAccessBlockRequest, GetPublicAccessBlockOutput>({
    authorize: onBucket('s3:GetBucketPublicAccessBlock'),
    readOnly: true,
    run: (call, input) => {
      const bucket = requireBucket(call, call.tx, input);
      const block = bucket.publicAccessBlock;
      if (!block) throw noPublicAccessBlock({ BucketName: bucket.id });
      return { PublicAccessBlockConfiguration: blockMembers(block) };
    },
  }),
  DeletePublicAccessBlock: operation<DeletePublicAccessBlockRequest, Record<string, never>>({
    authorize: onBucket('s3:PutBucketPublicAccessBlock'),
    run: (call, input) => {
      const { publicAccessBlock: _, ...bucket } = requireBucket(call, call.tx, input);
      call.tx.put('bucket', bucket);
      return {};
    },
  }),
} satisfies Record<string, Operation>;
