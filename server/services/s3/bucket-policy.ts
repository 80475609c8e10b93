// Bucket policies: put, get, delete, and whether one is public. T1–T4, T7, T8.
// https://docs.aws.amazon.com/AmazonS3/latest/API/API_PutBucketPolicy.html (read 2026-11-21). The owner's root may do the three whatever the
// policy says (T1): the rows say `ownerRootExempt` and the authorizer obeys. A permitted caller of another account gets 405 (T2).

import type {
  DeleteBucketPolicyRequest,
  GetBucketPolicyOutput,
  GetBucketPolicyRequest,
  GetBucketPolicyStatusOutput,
  GetBucketPolicyStatusRequest,
  PutBucketPolicyRequest,
} from '@aws-sdk/client-s3';
import { parsePolicy } from '@postern/policy/document.ts';
import { publicStatement } from '@postern/policy/public.ts';
import { type Call, type Operation, operation, type Permission } from '../../service.ts';
import type { BucketRow } from '../../store/rows/s3.ts';
import type { Transaction } from '../../store/store.ts';
import { type BucketInput, hasPublicPolicy, onBucket, requireBucket } from './access.ts';
import { actionExists, actionsApply, conditionFault } from './actions.ts';
import { malformedPolicy, methodNotAllowed, noSuchBucketPolicy, publicPolicyBlocked } from './errors.ts';
import { bucketArn } from './names.ts';
import { effectiveBlock } from './public-access.ts';

function exemptForRoot(action: string): (call: Call, input: BucketInput) => readonly Permission[] {
  const permissions = onBucket<BucketInput>(action);
  return (call, input) => permissions(call, input).map((one) => ({ ...one, ownerRootExempt: true }));
}

/** @throws MethodNotAllowed for a caller that is not of the owner's account */
function ownBucket(call: Call, input: BucketInput, method: string): BucketRow {
  const bucket = requireBucket(call, call.tx, input);
  if (bucket.accountId !== call.accountId) throw methodNotAllowed(method, 'BUCKETPOLICY');
  return bucket;
}

/** Users and roles of accounts that are here must exist; other accounts are not known and taken as they are. */
export function principalExists(tx: Transaction, name: string): boolean {
  const match = /^arn:[\w-]+:iam::(\d{12}):(user|role)\/(?:.*\/)?([^/]+)$/.exec(name);
  if (!match) return true;
  const [, accountId = '', kind, principalName = ''] = match;
  if (!tx.get('account', accountId)) return true;
  return tx.get(kind === 'user' ? 'user' : 'role', `${accountId}/${principalName}`) !== undefined;
}

/** A policy speaks of its own bucket and the objects in it, or of patterns that reach them. */
function resourceFits(own: string, resource: string): boolean {
  if (resource === own || resource.startsWith(`${own}/`)) return true;
  const head = resource.split(/[*?]/, 1)[0] ?? '';
  return (
    head.length < resource.length && (own.startsWith(head) || head.startsWith(`${own}/`)) && head.startsWith('arn:')
  );
}

function putBucketPolicy(call: Call, input: PutBucketPolicyRequest): Record<string, never> {
  const bucket = ownBucket(call, input, 'PUT');
  const text = input.Policy ?? '';
  const own = bucketArn(call.partition, bucket.id);
  const parsed = parsePolicy(text, {
    kind: 'resource',
    resourceFits: (resource) => resourceFits(own, resource),
    actionExists,
    actionsApply,
    conditionFault,
    principalExists: (name) => principalExists(call.tx, name),
  });
  if (!parsed.ok) throw malformedPolicy(parsed.code, parsed.message);
  if (effectiveBlock(call.tx, bucket).blockPublicPolicy && publicStatement(parsed.document))
    throw publicPolicyBlocked(call, 's3:PutBucketPolicy', own);
  call.tx.put('bucket', { ...bucket, policy: text });
  return {};
}

export const bucketPolicyOperations = {
  PutBucketPolicy: operation<PutBucketPolicyRequest, Record<string, never>>({
    authorize: exemptForRoot('s3:PutBucketPolicy'),
    run: putBucketPolicy,
  }),
  GetBucketPolicy: operation<GetBucketPolicyRequest, GetBucketPolicyOutput>({
    authorize: exemptForRoot('s3:GetBucketPolicy'),
    readOnly: true,
    run: (call, input) => {
      const bucket = ownBucket(call, input, 'GET');
      if (bucket.policy === undefined) throw noSuchBucketPolicy(bucket.id);
      return { Policy: bucket.policy };
    },
  }),
  DeleteBucketPolicy: operation<DeleteBucketPolicyRequest, Record<string, never>>({
    authorize: exemptForRoot('s3:DeleteBucketPolicy'),
    run: (call, input) => {
      const { policy: _, ...bucket } = ownBucket(call, input, 'DELETE');
      call.tx.put('bucket', bucket);
      return {};
    },
  }),
  GetBucketPolicyStatus: operation<GetBucketPolicyStatusRequest, GetBucketPolicyStatusOutput>({
    authorize: onBucket('s3:GetBucketPolicyStatus'),
    readOnly: true,
    run: (call, input) => {
      const bucket = requireBucket(call, call.tx, input);
      if (bucket.policy === undefined) throw noSuchBucketPolicy(bucket.id);
      return { PolicyStatus: { IsPublic: hasPublicPolicy(bucket) } };
    },
  }),
} satisfies Record<string, Operation>;
