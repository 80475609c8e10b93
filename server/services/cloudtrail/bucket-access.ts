// May CloudTrail write a trail's files into a bucket? Its policy is asked as for any caller: the service itself, for this trail.
// https://docs.aws.amazon.com/awscloudtrail/latest/userguide/create-s3-bucket-policy-for-cloudtrail.html (read 2026-11-22)

import { parsePolicy } from '@postern/policy/document.ts';
import { evaluate } from '@postern/policy/evaluate.ts';
import type { Call } from '../../service.ts';
import type { TrailRow } from '../../store/rows/cloudtrail.ts';
import { cloudtrailPrincipal, deliveryAcl, logFolder } from '../../trail/delivery.ts';
import { bucketMissing, bucketPolicyInsufficient } from './errors.ts';

/** @throws S3BucketDoesNotExistException, InsufficientS3BucketPolicyException */
export function checkBucket(call: Call, trail: TrailRow): void {
  const bucket = call.tx.get('bucket', trail.bucket);
  if (!bucket) throw bucketMissing(trail.bucket);
  const parsed = bucket.policy === undefined ? undefined : parsePolicy(bucket.policy, { kind: 'resource' });
  if (!parsed?.ok) throw bucketPolicyInsufficient(trail.bucket);
  const policies = { identity: [], resource: { id: 'bucket-policy', document: parsed.document } };
  const context = new Map([
    ['aws:sourcearn', [trail.id]],
    ['aws:sourceaccount', [trail.accountId]],
    ['aws:securetransport', ['true']],
    ['aws:principalisawsservice', ['true']],
    ['aws:principalservicename', [cloudtrailPrincipal(trail).serviceName ?? '']],
  ]);
  const allows = (action: string, path: string, more: readonly (readonly [string, string[]])[] = []) =>
    evaluate(
      {
        principal: cloudtrailPrincipal(trail),
        action,
        resource: `arn:${call.partition}:s3:::${bucket.id}${path}`,
        resourceAccountId: bucket.accountId,
        context: new Map([...context, ...more]),
      },
      policies,
    ).allowed;
  const mayWrite = allows('s3:PutObject', `/${logFolder(trail)}`, [['s3:x-amz-acl', [deliveryAcl]]]);
  if (!mayWrite || !allows('s3:GetBucketAcl', '')) throw bucketPolicyInsufficient(trail.bucket);
}
