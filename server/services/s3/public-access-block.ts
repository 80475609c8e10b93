// Block public access on a bucket (T7): the four switches, and what each does here.
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
import { invalidRequest, malformedXml, noSuchConfiguration } from './errors.ts';

export const publicAccessBlockOperations = {
  PutPublicAccessBlock: operation<PutPublicAccessBlockRequest, Record<string, never>>({
    authorize: onBucket('s3:PutBucketPublicAccessBlock'),
    run: (call, input) => {
      const bucket = requireBucket(call, call.tx, input);
      const wanted = input.PublicAccessBlockConfiguration;
      if (!wanted) throw malformedXml();
      if (Object.values(wanted).every((value) => value === undefined))
        throw invalidRequest('Must specify at least one configuration.');
      call.tx.put('bucket', {
        ...bucket,
        publicAccessBlock: {
          blockPublicAcls: wanted.BlockPublicAcls ?? false,
          ignorePublicAcls: wanted.IgnorePublicAcls ?? false,
          blockPublicPolicy: wanted.BlockPublicPolicy ?? false,
          restrictPublicBuckets: wanted.RestrictPublicBuckets ?? false,
        },
      });
      return {};
    },
  }),
  GetPublicAccessBlock: operation<GetPublicAccessBlockRequest, GetPublicAccessBlockOutput>({
    authorize: onBucket('s3:GetBucketPublicAccessBlock'),
    readOnly: true,
    run: (call, input) => {
      const bucket = requireBucket(call, call.tx, input);
      const block = bucket.publicAccessBlock;
      if (!block)
        throw noSuchConfiguration(
          'NoSuchPublicAccessBlockConfiguration',
          'The public access block configuration was not found',
          bucket.id,
        );
      return {
        PublicAccessBlockConfiguration: {
          BlockPublicAcls: block.blockPublicAcls,
          IgnorePublicAcls: block.ignorePublicAcls,
          BlockPublicPolicy: block.blockPublicPolicy,
          RestrictPublicBuckets: block.restrictPublicBuckets,
        },
      };
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
