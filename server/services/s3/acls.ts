// Access control lists of buckets and objects. With BucketOwnerEnforced, which new buckets have, they are switched off: told as the owner's alone, and refused
// when put. Else they are kept, told, and permit what they say (acl-grants.ts, resource-policy.ts).
// https://docs.aws.amazon.com/AmazonS3/latest/userguide/about-object-ownership.html (read 2026-11-21)

import type {
  AccessControlPolicy,
  GetBucketAclOutput,
  GetBucketAclRequest,
  GetObjectAclOutput,
  GetObjectAclRequest,
  PutBucketAclRequest,
  PutObjectAclOutput,
  PutObjectAclRequest,
} from '@aws-sdk/client-s3';
import { AwsError } from '../../errors.ts';
import { type Operation, operation } from '../../service.ts';
import type { AclGrant, BucketRow } from '../../store/rows/s3.ts';
import type { Transaction } from '../../store/store.ts';
import { onBucket, onObject, requireBucket } from './access.ts';
import {
  type AclInput,
  aclContext,
  grantMembers,
  grantsOfDocument,
  grantsOfHeaders,
  isPublicAcl,
} from './acl-grants.ts';
import { aclsNotSupported, bareAccessDenied } from './errors.ts';
import { canonicalUserId } from './names.ts';
import { effectiveBlock } from './public-access.ts';
import { existingTags, requireObject, versioned } from './reads.ts';
import { objectOwner } from './resource-policy.ts';
import { updateVersion } from './versions.ts';

function told(bucket: BucketRow, acl: readonly AclGrant[] | undefined, owner = bucket.accountId) {
  return { Owner: { ID: canonicalUserId(owner) }, Grants: grantMembers(bucket, acl, owner) };
}

/**
 * The list that a put asks for, allowed by the bucket's settings.
 * @throws AccessControlListNotSupported, AccessDenied (BlockPublicAcls), MissingSecurityHeader, UnexpectedContent and what reading it throws
 */
function listOf(
  tx: Transaction,
  bucket: BucketRow,
  input: AclInput & { readonly AccessControlPolicy?: AccessControlPolicy | undefined },
  owner = bucket.accountId,
): readonly AclGrant[] {
  const { AccessControlPolicy: document } = input;
  const ofHeaders = grantsOfHeaders(tx, bucket, input, owner);
  if (ofHeaders && document) throw new AwsError('UnexpectedContent', 400, 'This request does not support content');
  const wanted = ofHeaders ?? (document && grantsOfDocument(tx, owner, document));
  if (!wanted)
    throw new AwsError('MissingSecurityHeader', 400, 'Your request was missing a required header', {
      fields: { MissingHeaderName: 'x-amz-acl' },
    });
  checkAllowed(tx, bucket, input.ACL, wanted);
  return wanted;
}

/** @throws AccessControlListNotSupported, AccessDenied */
export function checkAllowed(
  tx: Transaction,
  bucket: BucketRow,
  name: string | undefined,
  wanted: readonly AclGrant[],
): void {
  if (bucket.ownership === 'BucketOwnerEnforced') {
    // What is so anyway may be said.
    const [only, ...more] = wanted;
    const ownersAlone = more.length === 0 && only?.accountId === bucket.accountId && only.permission === 'FULL_CONTROL';
    if (!ownersAlone || (name !== undefined && name !== 'bucket-owner-full-control')) throw aclsNotSupported();
  }
  if (effectiveBlock(tx, bucket).blockPublicAcls && isPublicAcl(wanted))
    throw bareAccessDenied(`BlockPublicAcls is on, and the access control list for ${bucket.id} is public`);
}

/** The list that a write of an object brings, if it brings one. @throws as `checkAllowed`, and what reading it throws */
export function aclOfWrite(
  tx: Transaction,
  bucket: BucketRow,
  input: AclInput,
  owner: string,
): { readonly acl?: AclGrant[] } {
  const wanted = grantsOfHeaders(tx, bucket, input, owner);
  if (!wanted) return {};
  checkAllowed(tx, bucket, input.ACL, wanted);
  return bucket.ownership === 'BucketOwnerEnforced' ? {} : { acl: [...wanted] };
}

export const aclOperations = {
  GetBucketAcl: operation<GetBucketAclRequest, GetBucketAclOutput>({
    authorize: onBucket('s3:GetBucketAcl'),
    readOnly: true,
    run: (call, input) => {
      const bucket = requireBucket(call, call.tx, input);
      return told(bucket, bucket.acl);
    },
  }),
  PutBucketAcl: operation<PutBucketAclRequest, Record<string, never>>({
    authorize: onBucket<PutBucketAclRequest>('s3:PutBucketAcl', (_call, input) => aclContext(input)),
    run: (call, input) => {
      const bucket = requireBucket(call, call.tx, input);
      const acl = listOf(call.tx, bucket, input);
      if (bucket.ownership !== 'BucketOwnerEnforced') call.tx.put('bucket', { ...bucket, acl: [...acl] });
      return {};
    },
  }),
  GetObjectAcl: operation<GetObjectAclRequest, GetObjectAclOutput>({
    authorize: versioned('s3:GetObjectAcl', 's3:GetObjectVersionAcl'),
    readOnly: true,
    run: (call, input) => {
      const object = requireObject(call, call.tx, input);
      const bucket = requireBucket(call, call.tx, input);
      return told(bucket, object.acl, objectOwner(bucket, object));
    },
  }),
  PutObjectAcl: operation<PutObjectAclRequest, PutObjectAclOutput>({
    authorize: (call, input) => {
      const action = input.VersionId === undefined ? 's3:PutObjectAcl' : 's3:PutObjectVersionAcl';
      return onObject<PutObjectAclRequest>(action, () => ({
        ...existingTags(call, input),
        ...aclContext(input),
      }))(call, input);
    },
    run: (call, input) => {
      const object = requireObject(call, call.tx, input, 'refused');
      const bucket = requireBucket(call, call.tx, input);
      const acl = listOf(call.tx, bucket, input, objectOwner(bucket, object));
      if (bucket.ownership !== 'BucketOwnerEnforced') updateVersion(call.tx, { ...object, acl: [...acl] });
      return {};
    },
  }),
} satisfies Record<string, Operation>;
