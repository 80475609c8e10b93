// Access control lists as grants: the canned ones, those of headers and of a document, what is public, and what a grant permits as a policy would say it.
// https://docs.aws.amazon.com/AmazonS3/latest/userguide/acl-overview.html (read 2026-11-21). An object may belong to its writer (metadata.ts).

import type { AccessControlPolicy, Grant } from '@aws-sdk/client-s3';
import { AwsError } from '../../errors.ts';
import type { AclGrant, AclPermission, BucketRow } from '../../store/rows/s3.ts';
import type { Transaction } from '../../store/store.ts';
import { invalidArgument, invalidRequest } from './errors.ts';
import { canonicalUserId } from './names.ts';

const groups = 'http://acs.amazonaws.com/groups';
const allUsers = `${groups}/global/AllUsers`;
const authenticatedUsers = `${groups}/global/AuthenticatedUsers`;
const logDelivery = `${groups}/s3/LogDelivery`;
const knownGroups = new Set([allUsers, authenticatedUsers, logDelivery]);
const permissions = new Set<string>([
  'FULL_CONTROL',
  'READ',
  'WRITE',
  'READ_ACP',
  'WRITE_ACP',
] satisfies AclPermission[]);

/** Canonical users of AWS's own services, whom nobody here is. */
const awsUsers = {
  // EC2, for bundles of images (of the canned aws-exec-read).
  imageBundles: '6aa5a366c34c1cbe25dc49211496e913e0351eb0e8c37aa3477e40942ec6b97c',
  // CloudFront's standard logs. https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/AccessLogs.html
  awslogsdelivery: 'c4c1ede66af53448b93c283ce9448c4ba468c9432aa01d700d3878632f77d2d0',
};

const group = (uri: string, permission: AclPermission): AclGrant => ({ uri, permission });

/** Besides the owner's own. */
const canned: Readonly<Record<string, readonly AclGrant[]>> = {
  private: [],
  'public-read': [group(allUsers, 'READ')],
  'public-read-write': [group(allUsers, 'READ'), group(allUsers, 'WRITE')],
  'aws-exec-read': [{ canonicalId: awsUsers.imageBundles, permission: 'READ' }],
  'authenticated-read': [group(authenticatedUsers, 'READ')],
  'bucket-owner-read': [],
  'bucket-owner-full-control': [],
  'log-delivery-write': [group(logDelivery, 'WRITE'), group(logDelivery, 'READ_ACP')],
};

export interface AclInput {
  readonly ACL?: string | undefined;
  readonly GrantFullControl?: string | undefined;
  readonly GrantRead?: string | undefined;
  readonly GrantReadACP?: string | undefined;
  readonly GrantWrite?: string | undefined;
  readonly GrantWriteACP?: string | undefined;
}

const grantHeaders = [
  ['GrantFullControl', 'FULL_CONTROL', 'x-amz-grant-full-control'],
  ['GrantRead', 'READ', 'x-amz-grant-read'],
  ['GrantReadACP', 'READ_ACP', 'x-amz-grant-read-acp'],
  ['GrantWrite', 'WRITE', 'x-amz-grant-write'],
  ['GrantWriteACP', 'WRITE_ACP', 'x-amz-grant-write-acp'],
] as const satisfies readonly (readonly [keyof AclInput, AclPermission, string])[];

/** What policies may ask about the list that headers ask for. */
export function aclContext(input: AclInput): Record<string, readonly string[]> {
  const { ACL: name } = input;
  return {
    ...(name && { 's3:x-amz-acl': [name] }),
    ...Object.fromEntries(
      grantHeaders.flatMap(([member, , header]) => {
        const given = input[member];
        return given ? [[`s3:${header}`, [given]]] : [];
      }),
    ),
  };
}

function ownersGrant(accountId: string): AclGrant {
  return { accountId, permission: 'FULL_CONTROL' };
}

/**
 * The list that headers ask for; undefined when they ask for none.
 * @param owner of the object, where it is not the bucket's
 * @throws InvalidArgument, InvalidRequest (both kinds)
 */
export function grantsOfHeaders(
  tx: Transaction,
  bucket: BucketRow,
  input: AclInput,
  owner = bucket.accountId,
): readonly AclGrant[] | undefined {
  const { ACL: name } = input;
  const given = grantHeaders.filter(([member]) => input[member] !== undefined);
  if (name !== undefined && given.length > 0)
    throw invalidRequest('Specifying both Canned ACLs and Header Grants is not allowed');
  if (name !== undefined) {
    const grants = canned[name];
    if (!grants) throw invalidArgument('', 'x-amz-acl', name);
    return [ownersGrant(owner), ...grants, ...(owner === bucket.accountId ? [] : bucketOwnersGrants(bucket, name))];
  }
  if (given.length === 0) return undefined;
  return given.flatMap(([member, permission, header]) =>
    (input[member] ?? '').split(',').map((one) => {
      const match = /^\s*(id|uri|emailAddress)="?([^"]*)"?\s*$/i.exec(one);
      if (!match) throw invalidArgument('Argument format not recognized', header, input[member]);
      const [, kind = '', value = ''] = match;
      if (kind.toLowerCase() === 'uri') return group(checkGroup(value, 'uri'), permission);
      if (kind.toLowerCase() === 'id') return { ...userOf(tx, value, 'id'), permission };
      throw unresolvable(value);
    }),
  );
}

/** What two canned lists give the bucket's owner of an object that is not its own. */
function bucketOwnersGrants({ accountId }: BucketRow, name: string): AclGrant[] {
  if (name === 'bucket-owner-full-control') return [{ accountId, permission: 'FULL_CONTROL' }];
  return name === 'bucket-owner-read' ? [{ accountId, permission: 'READ' }] : [];
}

function unresolvable(email: string): AwsError {
  return new AwsError(
    'UnresolvableGrantByEmailAddress',
    400,
    'The e-mail address you provided does not match any account on record.',
    { fields: { EmailAddress: email } },
  );
}

function checkGroup(uri: string, argument: string): string {
  if (!knownGroups.has(uri)) throw invalidArgument('Invalid group uri', argument, uri);
  return uri;
}

/** Canonical ids follow from account ids, and only of accounts that are here. */
function accountOf(tx: Transaction, canonicalId: string, argument: string): string {
  const found = tx.list('account').find((account) => canonicalUserId(account.id) === canonicalId);
  if (!found) throw invalidArgument('Invalid id', argument, canonicalId);
  return found.id;
}

function userOf(tx: Transaction, canonicalId: string, argument: string): Omit<AclGrant, 'permission'> {
  if (Object.values(awsUsers).includes(canonicalId)) return { canonicalId };
  return { accountId: accountOf(tx, canonicalId, argument) };
}

export function malformedAcl(): AwsError {
  return new AwsError(
    'MalformedACLError',
    400,
    'The XML you provided was not well-formed or did not validate against our published schema',
  );
}

/** @throws MalformedACLError, InvalidArgument, UnresolvableGrantByEmailAddress, AccessDenied (another owner) */
export function grantsOfDocument(tx: Transaction, owner: string, document: AccessControlPolicy): readonly AclGrant[] {
  const { Owner, Grants } = document;
  if (!Owner?.ID || !Grants) throw malformedAcl();
  if (accountOf(tx, Owner.ID, 'CanonicalUser/ID') !== owner) throw new AwsError('AccessDenied', 403, 'Access Denied');
  if (Grants.length > 100) throw malformedAcl();
  return Grants.map(({ Grantee: grantee, Permission: permission }) => {
    if (!grantee || permission === undefined || !permissions.has(permission)) throw malformedAcl();
    switch (grantee.Type) {
      case 'CanonicalUser':
        return { ...userOf(tx, grantee.ID ?? '', 'CanonicalUser/ID'), permission };
      case 'Group':
        return group(checkGroup(grantee.URI ?? '', 'Group/URI'), permission);
      case 'AmazonCustomerByEmail':
        throw unresolvable(grantee.EmailAddress ?? '');
      default:
        throw malformedAcl();
    }
  });
}

/** As the API tells it; without a list of its own the owner has everything. */
export function grantMembers(bucket: BucketRow, acl: readonly AclGrant[] | undefined, owner: string): Grant[] {
  const shown = bucket.ownership === 'BucketOwnerEnforced' ? undefined : acl;
  return (shown ?? [ownersGrant(owner)]).map(({ accountId, uri, canonicalId, permission }) => ({
    Grantee:
      uri === undefined
        ? { ID: canonicalId ?? canonicalUserId(accountId ?? ''), Type: 'CanonicalUser' as const }
        : { URI: uri, Type: 'Group' as const },
    Permission: permission,
  }));
}

export function isPublicAcl(acl: readonly AclGrant[] | undefined): boolean {
  return acl?.some(({ uri }) => uri === allUsers || uri === authenticatedUsers) ?? false;
}

const bucketActions: Readonly<Record<Exclude<AclPermission, 'FULL_CONTROL'>, readonly string[]>> = {
  READ: ['s3:ListBucket', 's3:ListBucketVersions', 's3:ListBucketMultipartUploads'],
  WRITE: ['s3:PutObject', 's3:DeleteObject'],
  READ_ACP: ['s3:GetBucketAcl'],
  WRITE_ACP: ['s3:PutBucketAcl'],
};

const objectActions: Readonly<Record<Exclude<AclPermission, 'FULL_CONTROL'>, readonly string[]>> = {
  READ: ['s3:GetObject', 's3:GetObjectVersion'],
  // There is no such permission on an object; it may be written down.
  WRITE: [],
  READ_ACP: ['s3:GetObjectAcl', 's3:GetObjectVersionAcl'],
  WRITE_ACP: ['s3:PutObjectAcl', 's3:PutObjectVersionAcl'],
};

export interface Statement {
  readonly Sid: string;
  readonly Effect: 'Allow';
  readonly Principal: unknown;
  readonly Action: readonly string[];
  readonly Resource: string;
  readonly Condition?: unknown;
}

/**
 * The grants of a list as statements of a policy on one resource: an allow beside the bucket policy's, which a deny of it outranks.
 * @param ignoresPublic IgnorePublicAcls holds, of the bucket or its account: what is public does not count. The owner has what it has without them.
 */
export function statementsOf(
  bucket: BucketRow,
  owner: string,
  acl: readonly AclGrant[],
  of: 'bucket' | 'object',
  resource: string,
  partition: string,
  ignoresPublic: boolean,
): Statement[] {
  if (bucket.ownership === 'BucketOwnerEnforced') return [];
  const table = of === 'bucket' ? bucketActions : objectActions;
  return acl.flatMap(({ accountId, uri, canonicalId, permission }, index) => {
    const isPublic = uri === allUsers || uri === authenticatedUsers;
    if (accountId === owner || uri === logDelivery || canonicalId !== undefined) return [];
    if (isPublic && ignoresPublic) return [];
    const Action = permission === 'FULL_CONTROL' ? Object.values(table).flat() : table[permission];
    if (Action.length === 0) return [];
    return [
      {
        Sid: `Acl${of === 'bucket' ? 'OfBucket' : 'OfObject'}Grant${index + 1}`,
        Effect: 'Allow' as const,
        Principal: isPublic ? '*' : { AWS: `arn:${partition}:iam::${accountId}:root` },
        Action,
        Resource: resource,
        ...(uri === authenticatedUsers && { Condition: { StringLike: { 'aws:PrincipalArn': 'arn:*' } } }),
      },
    ];
  });
}
