// Buckets: create, delete, head, list, and where they live.
// https://docs.aws.amazon.com/AmazonS3/latest/API/API_CreateBucket.html and neighbours (read 2026-11-21). New buckets have all four blocks of
// public access on and BucketOwnerEnforced ownership (T7, since April 2023). Names are one space for all accounts.

import type {
  CreateBucketOutput,
  CreateBucketRequest,
  DeleteBucketRequest,
  GetBucketLocationOutput,
  GetBucketLocationRequest,
  HeadBucketOutput,
  HeadBucketRequest,
  ListBucketsOutput,
  ListBucketsRequest,
} from '@aws-sdk/client-s3';
import { regions } from '@postern/network/addresses.ts';
import { answerHeaders, type Call, type Operation, operation } from '../../service.ts';
import type { BucketRow } from '../../store/rows/s3.ts';
import { requestTagKeys } from '../../tag-keys.ts';
import { checkExpectedOwner, commonContext, onBucket, requireBucket } from './access.ts';
import { byBucket } from './access-points.ts';
import { aclContext, grantsOfHeaders, isPublicAcl } from './acl-grants.ts';
import {
  aclWithEnforcedOwnership,
  bareAccessDenied,
  bucketAlreadyExists,
  bucketAlreadyOwnedByYou,
  bucketNotEmpty,
  illegalLocationConstraint,
  invalidArgument,
  invalidLocationConstraint,
  noSuchBucket,
  notImplemented,
  pointsAttached,
  publicAclBlocked,
  reservedTagKey,
} from './errors.ts';
import { bucketArn, canonicalUserId, checkBucketName, checkNamespace } from './names.ts';
import { wholeSeconds } from './objects.ts';
import type { S3 } from './state.ts';
import { tagsFromSet } from './tag-sets.ts';

/** @throws IllegalLocationConstraintException, InvalidLocationConstraint */
function regionFor(call: Call, constraint: string | undefined): string {
  const wanted = constraint === 'EU' ? 'eu-west-1' : constraint;
  if (call.region !== 'us-east-1') {
    if (wanted === call.region) return wanted;
    throw illegalLocationConstraint(constraint);
  }
  if (wanted === undefined) return call.region;
  // us-east-1 is what no constraint means, and is not to be spelled out.
  if (!regions.some((known) => known === wanted) || wanted === 'us-east-1') throw invalidLocationConstraint(wanted);
  // Only the global name of the service makes buckets elsewhere.
  if (/(^|\.)s3\.amazonaws\.com$/.test(call.host)) return wanted;
  throw illegalLocationConstraint(constraint);
}

const grantMembers = ['GrantFullControl', 'GrantRead', 'GrantReadACP', 'GrantWrite', 'GrantWriteACP'] as const;

function createBucket(call: Call, input: CreateBucketRequest): CreateBucketOutput {
  const name = input.Bucket ?? '';
  checkBucketName(name);
  const configuration = input.CreateBucketConfiguration;
  const region = regionFor(call, configuration?.LocationConstraint);
  checkNamespace(name, input.BucketNamespace, call.accountId, region);
  if (configuration?.Bucket?.Type || configuration?.Location) throw notImplemented('directory buckets');
  const ownership = input.ObjectOwnership ?? 'BucketOwnerEnforced';
  if (!/^(BucketOwnerEnforced|BucketOwnerPreferred|ObjectWriter)$/.test(ownership))
    throw invalidArgument(`Invalid x-amz-object-ownership header: ${ownership}`, 'x-amz-object-ownership');
  const tags = configuration?.Tags ?? [];
  if (tags.some(({ Key }) => Key?.toLowerCase().startsWith('aws:'))) throw reservedTagKey();
  const given = tags.length > 0 ? tagsFromSet(tags, 50) : undefined;
  const asksForGrants = grantMembers.some((member) => input[member] !== undefined);
  if (ownership === 'BucketOwnerEnforced' && (asksForGrants || (input.ACL !== undefined && input.ACL !== 'private')))
    throw aclWithEnforcedOwnership();
  const existing = call.tx.get('bucket', name);
  if (existing && existing.accountId !== call.accountId) throw bucketAlreadyExists(name);
  // In us-east-1 creating one's own bucket again succeeds, for historical reasons, unless tags come with it, even those that it has (recorded).
  if (existing && (existing.region !== 'us-east-1' || region !== 'us-east-1' || given !== undefined))
    throw bucketAlreadyOwnedByYou(name);
  if (!existing) {
    const made: BucketRow = {
      id: name,
      accountId: call.accountId,
      region,
      ...(configuration?.LocationConstraint === 'EU' && { location: 'EU' as const }),
      creationDate: call.now.toISOString(),
      ...(input.ObjectLockEnabledForBucket && { versioning: 'Enabled' as const, objectLock: {} }),
      publicAccessBlock: {
        blockPublicAcls: true,
        ignorePublicAcls: true,
        blockPublicPolicy: true,
        restrictPublicBuckets: true,
      },
      ownership,
      ...(given && { tags: given }),
      settings: {},
    };
    const acl = grantsOfHeaders(call.tx, made, input);
    // A new bucket blocks what is public.
    if (isPublicAcl(acl)) throw publicAclBlocked();
    call.tx.put('bucket', { ...made, ...(acl && ownership !== 'BucketOwnerEnforced' && { acl: [...acl] }) });
  }
  const Location = region === 'us-east-1' ? `/${name}` : `http://${name}.s3.amazonaws.com/`;
  return { Location, BucketArn: bucketArn(call.partition, name) };
}

function listBuckets(call: Call, input: ListBucketsRequest): ListBucketsOutput {
  const { Prefix, BucketRegion, MaxBuckets } = input;
  if (BucketRegion !== undefined && !regions.some((known) => known === BucketRegion))
    throw invalidArgument(`Argument value ${BucketRegion} is not a valid AWS Region`, 'bucket-region');
  if (MaxBuckets !== undefined && (MaxBuckets < 1 || MaxBuckets > 10_000))
    throw invalidArgument('Argument max-buckets must be an integer between 1 and 10000', 'max-buckets');
  const paged =
    Prefix !== undefined || BucketRegion !== undefined || MaxBuckets !== undefined || !!input.ContinuationToken;
  const after = input.ContinuationToken ? readToken(input.ContinuationToken) : '';
  const found = call.tx
    .list('bucket', { accountId: call.accountId, ...(BucketRegion !== undefined && { region: BucketRegion }) })
    .filter((bucket) => bucket.id > after && bucket.id.startsWith(Prefix ?? ''))
    .sort((a, b) => (a.id < b.id ? -1 : 1));
  const page = found.slice(0, MaxBuckets ?? 10_000);
  const last = page.at(-1);
  return {
    Buckets: page.map((bucket) => ({
      Name: bucket.id,
      CreationDate: new Date(wholeSeconds(new Date(bucket.creationDate))),
      BucketArn: bucketArn(call.partition, bucket.id),
      ...(paged && { BucketRegion: bucket.region }),
    })),
    Owner: { ID: canonicalUserId(call.accountId) },
    ...(Prefix !== undefined && { Prefix }),
    ...(last && page.length < found.length && { ContinuationToken: Buffer.from(last.id).toString('base64') }),
  };
}

function readToken(token: string): string {
  const name = Buffer.from(token, 'base64').toString();
  if (!/^[a-z0-9.-]+$/.test(name))
    throw invalidArgument('The continuation token provided is incorrect', 'continuation-token');
  return name;
}

function headBucket(call: Call, input: HeadBucketRequest): HeadBucketOutput & { readonly [answerHeaders]: object } {
  const bucket = requireBucket(call, call.tx, input);
  return {
    BucketRegion: bucket.region,
    BucketArn: bucketArn(call.partition, bucket.id),
    AccessPointAlias: false,
    // Recorded, though there is no body.
    [answerHeaders]: { 'Content-Type': 'application/xml' },
  };
}

/** Answered in any region: it is how a client learns which one to use. */
function bucketAnywhere(call: Call, input: GetBucketLocationRequest): BucketRow {
  const name = input.Bucket ?? '';
  const bucket = call.tx.get('bucket', name);
  if (!bucket) throw noSuchBucket(name);
  checkExpectedOwner(bucket, input.ExpectedBucketOwner);
  return bucket;
}

export function bucketOperations(s3: S3) {
  return {
    CreateBucket: operation<CreateBucketRequest, CreateBucketOutput>({
      authorize: (call, input) => {
        const constraint = input.CreateBucketConfiguration?.LocationConstraint;
        const permission = {
          action: 's3:CreateBucket',
          resource: bucketArn(call.partition, input.Bucket ?? ''),
          context: {
            ...commonContext(call),
            ...(constraint && { 's3:locationconstraint': [constraint] }),
            ...aclContext(input),
            ...(input.ObjectOwnership && { 's3:x-amz-object-ownership': [input.ObjectOwnership] }),
            ...(input.BucketNamespace && { 's3:x-amz-bucket-namespace': [input.BucketNamespace] }),
            ...requestTagKeys(input.CreateBucketConfiguration?.Tags),
          },
        };
        if (call.principal.type === 'anonymous') throw bareAccessDenied();
        checkBucketName(input.Bucket ?? '');
        const existing = call.tx.get('bucket', input.Bucket ?? '');
        // Someone else's policy must not answer for a bucket that the caller wants as its own.
        if (existing && existing.accountId !== call.accountId) throw bucketAlreadyExists(existing.id);
        const further = [
          ...(input.ObjectOwnership ? ['s3:PutBucketOwnershipControls'] : []),
          ...(input.CreateBucketConfiguration?.Tags?.length ? ['s3:TagResource'] : []),
          ...(input.ObjectLockEnabledForBucket
            ? ['s3:PutBucketObjectLockConfiguration', 's3:PutBucketVersioning']
            : []),
        ];
        return [permission, ...further.map((action) => ({ ...permission, action }))];
      },
      run: createBucket,
    }),
    DeleteBucket: operation<DeleteBucketRequest, Record<string, never>>({
      authorize: onBucket('s3:DeleteBucket'),
      run: (call, input) => {
        const bucket = requireBucket(call, call.tx, input);
        if (!s3.keys.of(bucket.id).isEmpty || !s3.older.of(bucket.id).isEmpty)
          throw bucketNotEmpty(bucket.id, bucket.versioning !== undefined);
        // Unfinished uploads do not keep a bucket alive.
        for (const upload of call.tx.list('upload'))
          if (upload.bucket === bucket.id) call.tx.delete('upload', upload.id);
        if (call.tx.find(byBucket, bucket.id).length > 0) throw pointsAttached(bucket.id);
        call.tx.delete('bucket', bucket.id);
        return {};
      },
    }),
    HeadBucket: operation<HeadBucketRequest, HeadBucketOutput>({
      authorize: onBucket('s3:ListBucket'),
      readOnly: true,
      run: headBucket,
    }),
    ListBuckets: operation<ListBucketsRequest, ListBucketsOutput>({
      // Its resource is every bucket: policies that allow it on `arn:aws:s3:::*` do allow it.
      authorize: (call) => {
        if (call.principal.type === 'anonymous') throw bareAccessDenied();
        return [
          { action: 's3:ListAllMyBuckets', resource: bucketArn(call.partition, '*'), context: commonContext(call) },
        ];
      },
      readOnly: true,
      run: listBuckets,
    }),
    GetBucketLocation: operation<GetBucketLocationRequest, GetBucketLocationOutput>({
      authorize: (call, input) => {
        const bucket = bucketAnywhere(call, input);
        return [
          {
            action: 's3:GetBucketLocation',
            resource: bucketArn(call.partition, bucket.id),
            context: commonContext(call, bucket),
          },
        ];
      },
      readOnly: true,
      run: (call, input) => {
        const { region, location } = bucketAnywhere(call, input);
        return region === 'us-east-1'
          ? {}
          : { LocationConstraint: (location ?? region) as GetBucketLocationOutput['LocationConstraint'] };
      },
    }),
  } satisfies Record<string, Operation>;
}
