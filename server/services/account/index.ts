// Account Management: which regions may this account use? ListRegions and GetRegionOptStatus only; contacts and the rest are not here (gaps).
// Every region is there from the start, so those that AWS wants to be opted into say ENABLED, the others ENABLED_BY_DEFAULT.
// https://docs.aws.amazon.com/accounts/latest/reference/manage-acct-regions.html (read 2026-11-20).

import type {
  GetRegionOptStatusRequest,
  GetRegionOptStatusResponse,
  ListRegionsRequest,
  ListRegionsResponse,
  RegionOptStatus,
} from '@aws-sdk/client-account';
import { type Region, regions } from '@postern/network/addresses.ts';
import type { AuthorizationRequest, Decision } from '@postern/policy/types.ts';
import { AwsError } from '../../errors.ts';
import { type BaseCall, type Call, operation, type Permission, type Service } from '../../service.ts';

/** Regions that every account has without asking. */
const enabledByDefault: ReadonlySet<Region> = new Set<Region>([
  'us-east-1',
  'us-east-2',
  'us-west-1',
  'us-west-2',
  'ca-central-1',
  'sa-east-1',
  'eu-central-1',
  'eu-west-1',
  'eu-west-2',
  'eu-west-3',
  'eu-north-1',
  'ap-south-1',
  'ap-northeast-1',
  'ap-northeast-2',
  'ap-northeast-3',
  'ap-southeast-1',
  'ap-southeast-2',
]);

function partitionOf(region: string): string {
  if (region.startsWith('cn-')) return 'aws-cn';
  return region.startsWith('us-gov-') ? 'aws-us-gov' : 'aws';
}

function optStatus(region: Region): RegionOptStatus {
  return partitionOf(region) !== 'aws' || enabledByDefault.has(region) ? 'ENABLED_BY_DEFAULT' : 'ENABLED';
}

function invalid(message: string): AwsError {
  return new AwsError('ValidationException', 400, message, { fields: { reason: 'fieldValidationFailed' } });
}

/** Another account's regions are for the management account of an organization to see. */
function refuseOtherAccount(call: Call, accountId: string | undefined): void {
  if (accountId === undefined) return;
  throw new AwsError(
    'AccessDeniedException',
    403,
    `User: ${call.principal.arn} is not authorized to perform: account:${call.operation}: AccountId is for the management account of an organization.`,
  );
}

function listRegions(call: Call, input: ListRegionsRequest): ListRegionsResponse {
  refuseOtherAccount(call, input.AccountId);
  const most = input.MaxResults ?? 50;
  if (most < 1 || most > 50) throw invalid('MaxResults must be between 1 and 50.');
  const wanted = input.RegionOptStatusContains ?? [];
  const fitting = regions
    .filter((name) => partitionOf(name) === call.partition)
    .map((RegionName) => ({ RegionName, RegionOptStatus: optStatus(RegionName) }))
    .filter((row) => wanted.length === 0 || wanted.includes(row.RegionOptStatus))
    .sort((a, b) => (a.RegionName < b.RegionName ? -1 : 1));
  const start = input.NextToken === undefined ? 0 : readToken(input.NextToken);
  const next = start + most;
  const page = fitting.slice(start, next);
  return next < fitting.length ? { Regions: page, NextToken: writeToken(next) } : { Regions: page };
}

function writeToken(position: number): string {
  return Buffer.from(`regions:${position}`).toString('base64');
}

function readToken(token: string): number {
  const position = /^regions:(\d+)$/.exec(Buffer.from(token, 'base64').toString())?.[1];
  if (position === undefined) throw invalid('NextToken is not valid.');
  return Number(position);
}

function getRegionOptStatus(call: Call, input: GetRegionOptStatusRequest): GetRegionOptStatusResponse {
  refuseOtherAccount(call, input.AccountId);
  const region = regions.find((name) => name === input.RegionName && partitionOf(name) === call.partition);
  if (!region) throw invalid(`Invalid region name: ${input.RegionName ?? ''}`);
  return { RegionName: region, RegionOptStatus: optStatus(region) };
}

function onAccount(call: Call): Permission[] {
  const resource = `arn:${call.partition}:account::${call.accountId}:account`;
  return [{ action: `account:${call.operation}`, resource }];
}

function denied(_call: BaseCall, request: AuthorizationRequest, decision: Decision): AwsError {
  const reason = decision.reason === '' ? '' : ` ${decision.reason}`;
  const subject = `User: ${request.principal.arn} is not authorized to perform: ${request.action}`;
  return new AwsError('AccessDeniedException', 403, `${subject} on resource: ${request.resource}${reason}`);
}

export const account: Service = {
  name: 'account',
  operations: {
    ListRegions: operation<ListRegionsRequest, ListRegionsResponse>({
      authorize: onAccount,
      run: listRegions,
      readOnly: true,
    }),
    GetRegionOptStatus: operation<GetRegionOptStatusRequest, GetRegionOptStatusResponse>({
      authorize: onAccount,
      run: getRegionOptStatus,
      readOnly: true,
    }),
  },
  denied,
};
