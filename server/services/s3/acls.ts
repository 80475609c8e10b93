// Access control lists: the owner has everything and nobody else has anything by one. That is what a bucket with BucketOwnerEnforced says, and
// where ACLs are switched on this build still grants nothing by them, so a put that would is refused.
// https://docs.aws.amazon.com/AmazonS3/latest/userguide/about-object-ownership.html (read 2026-11-21)

import type {
  GetBucketAclOutput,
  GetBucketAclRequest,
  GetObjectAclOutput,
  GetObjectAclRequest,
  PutBucketAclRequest,
  PutObjectAclOutput,
  PutObjectAclRequest,
} from '@aws-sdk/client-s3';
import { type Operation, operation } from '../../service.ts';
import type { BucketRow } from '../../store/rows/s3.ts';
import { onBucket, onObject, requireBucket } from './access.ts';
import { aclsNotSupported, invalidArgument, notImplemented } from './errors.ts';
import { canonicalUserId } from './names.ts';
import { existingTags, requireObject, versioned } from './reads.ts';

function ownersAcl(bucket: BucketRow) {
  const ID = canonicalUserId(bucket.accountId);
  return {
    Owner: { ID },
    Grants: [{ Grantee: { ID, Type: 'CanonicalUser' as const }, Permission: 'FULL_CONTROL' as const }],
  };
}

/** @throws AccessControlListNotSupported, NotImplemented */
function checkPut(bucket: BucketRow, input: PutBucketAclRequest | PutObjectAclRequest, harmless: RegExp): void {
  const { ACL: acl } = input;
  if (
    acl !== undefined &&
    !/^(private|public-read|public-read-write|authenticated-read|aws-exec-read|bucket-owner-(read|full-control)|log-delivery-write)$/.test(
      acl,
    )
  )
    throw invalidArgument('', 'x-amz-acl', acl);
  if (bucket.ownership === 'BucketOwnerEnforced') {
    if (acl !== 'bucket-owner-full-control') throw aclsNotSupported();
    return;
  }
  if (acl === undefined || !harmless.test(acl)) throw notImplemented('access control lists');
}

export const aclOperations = {
  GetBucketAcl: operation<GetBucketAclRequest, GetBucketAclOutput>({
    authorize: onBucket('s3:GetBucketAcl'),
    readOnly: true,
    run: (call, input) => ownersAcl(requireBucket(call, call.tx, input)),
  }),
  PutBucketAcl: operation<PutBucketAclRequest, Record<string, never>>({
    authorize: onBucket('s3:PutBucketAcl'),
    run: (call, input) => {
      checkPut(requireBucket(call, call.tx, input), input, /^private$/);
      return {};
    },
  }),
  GetObjectAcl: operation<GetObjectAclRequest, GetObjectAclOutput>({
    authorize: versioned('s3:GetObjectAcl', 's3:GetObjectVersionAcl'),
    readOnly: true,
    run: (call, input) => {
      requireObject(call, call.tx, input);
      return ownersAcl(requireBucket(call, call.tx, input));
    },
  }),
  PutObjectAcl: operation<PutObjectAclRequest, PutObjectAclOutput>({
    authorize: onObject('s3:PutObjectAcl', existingTags),
    run: (call, input) => {
      requireObject(call, call.tx, input, 'refused');
      checkPut(requireBucket(call, call.tx, input), input, /^(private|bucket-owner-(read|full-control))$/);
      return {};
    },
  }),
} satisfies Record<string, Operation>;
