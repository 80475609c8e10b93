// S3 Control: block public access of an account, and access points. Signed as S3 and about one account, which must be the caller's own.
// https://docs.aws.amazon.com/AmazonS3/latest/API/API_Operations_AWS_S3_Control.html (read 2026-11-21). The rest of it (jobs, Storage Lens, access grants, Outposts,
// Object Lambda, multi-Region access points) is refused.

import type * as SDK from '@aws-sdk/client-s3-control';
import { type Authorization, type Call, type Operation, operation, type Service } from '../../service.ts';
import type { AccessPointRow } from '../../store/rows/s3.ts';
import { requestTagKeys, tagKeys } from '../../tag-keys.ts';
import { checkPointPolicy } from './access-point-policy.ts';
import { byBucket, hasPublicPointPolicy, networkOrigin } from './access-points.ts';
import { checkTags, controlTagOperations } from './control-tags.ts';
import {
  accessDenied,
  accessPointExists,
  bareAccessDenied,
  invalidArgument,
  invalidPointName,
  invalidPointUri,
  invalidRequest,
  malformedXml,
  noSuchAccessPoint,
  noSuchPointPolicy,
} from './errors.ts';
import { newPointAlias } from './names.ts';
import { blockMembers, blockOf, noPublicAccessBlock, switchesOf } from './public-access.ts';
import { tagsFromSet } from './tag-sets.ts';

interface AccountInput {
  readonly AccountId?: string | undefined;
}

interface PointInput extends AccountInput {
  readonly Name?: string | undefined;
}

/** Nobody speaks for another account. @throws AccessDenied, InvalidRequest (its wording without a source) */
function checkAccount(call: Call, { AccountId }: AccountInput): void {
  if (call.principal.type === 'anonymous') throw bareAccessDenied();
  if (AccountId === undefined || !/^\d{12}$/.test(AccountId)) throw invalidRequest('Invalid account id');
  if (AccountId !== call.accountId) throw bareAccessDenied();
}

function onAccount(action: string): Authorization<AccountInput> {
  return (call, input) => {
    checkAccount(call, input);
    return [{ action, resource: '*' }];
  };
}

function arnOf(call: Call, name: string): string {
  return `arn:${call.partition}:s3:${call.region}:${call.accountId}:accesspoint/${name}`;
}

function onPoint(action: string): Authorization<PointInput> {
  return (call, input) => {
    checkAccount(call, input);
    return [{ action, resource: arnOf(call, input.Name ?? ''), context: pointContext(call, input) }];
  };
}

function pointContext(call: Call, input: PointInput): Record<string, readonly string[]> {
  const point = call.tx.get('access-point', arnOf(call, input.Name ?? ''));
  return {
    's3:DataAccessPointArn': [arnOf(call, input.Name ?? '')],
    's3:DataAccessPointAccount': [call.accountId],
    ...(point && { 's3:AccessPointNetworkOrigin': [networkOrigin(point)] }),
    ...tagKeys('aws:ResourceTag', point?.tags),
  };
}

/** @throws NoSuchAccessPoint */
function requirePoint(call: Call, { Name: name = '' }: PointInput): AccessPointRow {
  const point = call.tx.get('access-point', arnOf(call, name));
  if (!point) throw noSuchAccessPoint(name);
  return point;
}

const uriForm = /^[a-z0-9.-]{3,50}$/;
const nameForm = /^(?!xn--)[a-z0-9][a-z0-9-]{1,48}[a-z0-9]$/;
const forbiddenSuffix = /(-s3alias|--op-s3)$/;

function createPoint(call: Call, input: SDK.CreateAccessPointRequest): SDK.CreateAccessPointResult {
  const {
    Name: name = '',
    Bucket = '',
    BucketAccountId,
    VpcConfiguration,
    PublicAccessBlockConfiguration: block,
    Scope,
    Tags,
  } = input;
  if (Scope) throw invalidRequest('Postern has no directory buckets, whose access points alone have a scope.');
  if (!uriForm.test(name)) throw invalidPointUri(name);
  if (!nameForm.test(name) || forbiddenSuffix.test(name)) throw invalidPointName();
  const bucket = call.tx.get('bucket', Bucket);
  if (!bucket || bucket.region !== call.region || bucket.accountId !== (BucketAccountId ?? call.accountId))
    throw invalidRequest('Amazon S3 AccessPoint can only be created for existing bucket');
  const vpcId = VpcConfiguration?.VpcId;
  // The wording is without a source.
  if (VpcConfiguration && !/^vpc-[0-9a-f]{8,17}$/.test(vpcId ?? '')) throw invalidRequest('Invalid VpcId');
  if (Tags) checkTags(Tags);
  const id = arnOf(call, name);
  if (call.tx.get('access-point', id)) throw accessPointExists();
  const point: AccessPointRow = {
    id,
    accountId: call.accountId,
    region: call.region,
    name,
    bucket: bucket.id,
    bucketAccountId: bucket.accountId,
    alias: newPointAlias(name),
    creationDate: call.now.toISOString(),
    ...(vpcId !== undefined && { vpcId }),
    ...(Tags?.length && { tags: tagsFromSet(Tags, 50) }),
    // All four are on unless the maker says otherwise, and cannot be changed.
    publicAccessBlock: block
      ? switchesOf(block)
      : { blockPublicAcls: true, ignorePublicAcls: true, blockPublicPolicy: true, restrictPublicBuckets: true },
  };
  call.tx.put('access-point', point);
  return { AccessPointArn: id, Alias: point.alias };
}

function listed(point: AccessPointRow): SDK.AccessPoint {
  return {
    Name: point.name,
    NetworkOrigin: networkOrigin(point),
    ...(point.vpcId !== undefined && { VpcConfiguration: { VpcId: point.vpcId } }),
    Bucket: point.bucket,
    AccessPointArn: point.id,
    Alias: point.alias,
    BucketAccountId: point.bucketAccountId,
  };
}

function getPoint(call: Call, input: PointInput): SDK.GetAccessPointResult {
  const point = requirePoint(call, input);
  const host = (variant: string) => `s3-accesspoint${variant}.${point.region}.amazonaws.com`;
  return {
    ...listed(point),
    PublicAccessBlockConfiguration: blockMembers(point.publicAccessBlock),
    CreationDate: new Date(point.creationDate),
    Endpoints: {
      ipv4: host(''),
      fips: host('-fips'),
      fips_dualstack: host('-fips.dualstack'),
      dualstack: host('.dualstack'),
    },
  };
}

const maxListed = 1000;

function listPoints(call: Call, input: SDK.ListAccessPointsRequest): SDK.ListAccessPointsResult {
  const { MaxResults: most = maxListed, NextToken: token } = input;
  if (most < 0 || most > maxListed) throw invalidArgument('Invalid maxResults', 'maxResults', String(most));
  const after = token === undefined ? '' : Buffer.from(token, 'base64').toString();
  const { accountId, region } = call;
  const all =
    input.Bucket === undefined
      ? call.tx.list('access-point', { accountId, region })
      : call.tx.find(byBucket, input.Bucket).filter((row) => row.accountId === accountId && row.region === region);
  const { DataSourceId: sourceId, DataSourceType: sourceType = 'S3' } = input;
  // FSx's volumes are sources too, and none is here.
  const ofSource = all.filter((row) => sourceType !== 'FSX' && (sourceId === undefined || sourceId === row.bucket));
  const rest = ofSource.filter((row) => row.name > after).sort((a, b) => (a.name < b.name ? -1 : 1));
  const page = rest.slice(0, most);
  const last = page.at(-1);
  return {
    AccessPointList: page.map(listed),
    ...(last && rest.length > page.length && { NextToken: Buffer.from(last.name).toString('base64') }),
  };
}

const operations: Readonly<Record<string, Operation>> = {
  ...controlTagOperations,
  GetPublicAccessBlock: operation<AccountInput, SDK.GetPublicAccessBlockOutput>({
    authorize: onAccount('s3:GetAccountPublicAccessBlock'),
    readOnly: true,
    run: (call) => {
      const row = call.tx.get('account-public-access-block', call.accountId);
      if (!row) throw noPublicAccessBlock({ AccountId: call.accountId });
      return { PublicAccessBlockConfiguration: blockMembers(row.publicAccessBlock) };
    },
  }),
  PutPublicAccessBlock: operation<SDK.PutPublicAccessBlockRequest, Record<string, never>>({
    authorize: onAccount('s3:PutAccountPublicAccessBlock'),
    run: (call, input) => {
      const publicAccessBlock = blockOf(input.PublicAccessBlockConfiguration);
      const { accountId } = call;
      call.tx.put('account-public-access-block', { id: accountId, accountId, region: 'global', publicAccessBlock });
      return {};
    },
  }),
  DeletePublicAccessBlock: operation<AccountInput, Record<string, never>>({
    authorize: onAccount('s3:PutAccountPublicAccessBlock'),
    run: (call) => {
      call.tx.delete('account-public-access-block', call.accountId);
      return {};
    },
  }),
  CreateAccessPoint: operation<SDK.CreateAccessPointRequest, SDK.CreateAccessPointResult>({
    authorize: (call, input) => {
      checkAccount(call, input);
      const { Name: name = '', VpcConfiguration, Tags } = input;
      const context = {
        ...pointContext(call, input),
        's3:AccessPointNetworkOrigin': [VpcConfiguration ? 'VPC' : 'Internet'],
        ...requestTagKeys(Tags),
      };
      const actions = Tags?.length ? ['s3:CreateAccessPoint', 's3:TagResource'] : ['s3:CreateAccessPoint'];
      return actions.map((action) => ({ action, resource: arnOf(call, name), context }));
    },
    run: createPoint,
  }),
  GetAccessPoint: operation<PointInput, SDK.GetAccessPointResult>({
    authorize: onPoint('s3:GetAccessPoint'),
    readOnly: true,
    run: getPoint,
  }),
  ListAccessPoints: operation<SDK.ListAccessPointsRequest, SDK.ListAccessPointsResult>({
    authorize: onAccount('s3:ListAccessPoints'),
    readOnly: true,
    run: listPoints,
  }),
  DeleteAccessPoint: operation<PointInput, Record<string, never>>({
    authorize: onPoint('s3:DeleteAccessPoint'),
    run: (call, input) => {
      call.tx.delete('access-point', requirePoint(call, input).id);
      return {};
    },
  }),
  PutAccessPointPolicy: operation<SDK.PutAccessPointPolicyRequest, Record<string, never>>({
    authorize: onPoint('s3:PutAccessPointPolicy'),
    run: (call, input) => {
      const point = requirePoint(call, input);
      if (!input.Policy) throw malformedXml();
      checkPointPolicy(call, point, input.Policy);
      call.tx.put('access-point', { ...point, policy: input.Policy });
      return {};
    },
  }),
  GetAccessPointPolicy: operation<PointInput, SDK.GetAccessPointPolicyResult>({
    authorize: onPoint('s3:GetAccessPointPolicy'),
    readOnly: true,
    run: (call, input) => {
      const point = requirePoint(call, input);
      if (point.policy === undefined) throw noSuchPointPolicy(point.name);
      return { Policy: point.policy };
    },
  }),
  GetAccessPointPolicyStatus: operation<PointInput, SDK.GetAccessPointPolicyStatusResult>({
    authorize: onPoint('s3:GetAccessPointPolicyStatus'),
    readOnly: true,
    run: (call, input) => {
      const point = requirePoint(call, input);
      if (point.policy === undefined) throw noSuchPointPolicy(point.name);
      return { PolicyStatus: { IsPublic: hasPublicPointPolicy(point) } };
    },
  }),
  DeleteAccessPointPolicy: operation<PointInput, Record<string, never>>({
    authorize: onPoint('s3:DeleteAccessPointPolicy'),
    run: (call, input) => {
      const { policy, ...point } = requirePoint(call, input);
      if (policy === undefined) throw noSuchPointPolicy(point.name);
      call.tx.put('access-point', point);
      return {};
    },
  }),
};

export const s3Control: Service = { name: 's3-control', operations, denied: accessDenied };
