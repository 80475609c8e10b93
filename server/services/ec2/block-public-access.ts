// VPC Block Public Access: the mode of an account in a Region, and the VPCs and subnets that are excluded from it.
// https://docs.aws.amazon.com/vpc/latest/userguide/security-vpc-bpa.html (read 2026-11-21). Error codes for exclusions were not seen; they follow their neighbours.
// Changes are complete at once; `…-in-progress` is only in the answer of the call itself. A deleted exclusion is gone.

import type {
  BlockPublicAccessStates,
  CreateVpcBlockPublicAccessExclusionRequest,
  CreateVpcBlockPublicAccessExclusionResult,
  DeleteVpcBlockPublicAccessExclusionRequest,
  DeleteVpcBlockPublicAccessExclusionResult,
  DescribeVpcBlockPublicAccessExclusionsRequest,
  DescribeVpcBlockPublicAccessExclusionsResult,
  DescribeVpcBlockPublicAccessOptionsRequest,
  DescribeVpcBlockPublicAccessOptionsResult,
  ModifyVpcBlockPublicAccessExclusionRequest,
  ModifyVpcBlockPublicAccessExclusionResult,
  ModifyVpcBlockPublicAccessOptionsRequest,
  ModifyVpcBlockPublicAccessOptionsResult,
  VpcBlockPublicAccessExclusion,
  VpcBlockPublicAccessExclusionState,
  VpcBlockPublicAccessOptions,
} from '@aws-sdk/client-ec2';
import { type BlockMode, type ExclusionMode, effectiveBlockMode } from '@postern/network/block-public-access.ts';
import { type Call, type Operation, operation } from '../../service.ts';
import type { BlockPublicAccessExclusionRow, BlockPublicAccessRow } from '../../store/rows/ec2.ts';
import { describe } from './describe.ts';
import { ec2Error, invalidCombination, invalidValue, missingParameter } from './errors.ts';
import type { FilterTable } from './filters.ts';
import { enforceQuota } from './quotas.ts';
import { ec2Arn, requireRow, scopeOf } from './rows.ts';
import { tagsFromSpecifications, toTags } from './tags.ts';

const exclusionKind = 'vpc-block-public-access-exclusion';
const blockModes: readonly string[] = ['off', 'block-bidirectional', 'block-ingress'];
const exclusionModes: readonly string[] = ['allow-bidirectional', 'allow-egress'];

const optionsId = (call: Call) => `${call.accountId}/${call.region}`;

function optionsOf(call: Call): BlockPublicAccessRow | undefined {
  return call.tx.get('vpc-block-public-access', optionsId(call));
}

/** What is in force for a VPC, or with `subnetId` for a subnet of it, as Describe shows it. */
export function blockPublicAccessStates(call: Call, vpcId: string, subnetId?: string): BlockPublicAccessStates {
  const row = optionsOf(call);
  if (!row || row.mode === 'off') return { InternetGatewayBlockMode: 'off' };
  const covering = call.tx
    .list(exclusionKind, scopeOf(call))
    .filter((one) => one.vpcId === vpcId || (subnetId !== undefined && one.subnetId === subnetId));
  const mode = effectiveBlockMode(
    row.mode,
    covering.map((one) => one.mode),
  );
  return { InternetGatewayBlockMode: mode };
}

/** The VPC or subnet is gone. */
export function removeExclusionsOf(call: Call, resourceId: string): void {
  for (const row of call.tx.list(exclusionKind, scopeOf(call)))
    if (row.vpcId === resourceId || row.subnetId === resourceId) call.tx.delete(exclusionKind, row.id);
}

function toOptions(call: Call, state?: 'update-in-progress'): VpcBlockPublicAccessOptions {
  const row = optionsOf(call);
  return {
    AwsAccountId: call.accountId,
    AwsRegion: call.region,
    State: state ?? (row ? 'update-complete' : 'default-state'),
    InternetGatewayBlockMode: row?.mode ?? 'off',
    ...(row && { LastUpdateTimestamp: new Date(row.updatedAt) }),
    ManagedBy: 'account',
    ExclusionsAllowed: 'allowed',
  };
}

function toExclusion(
  call: Call,
  row: BlockPublicAccessExclusionRow,
  state: VpcBlockPublicAccessExclusionState = row.state,
): VpcBlockPublicAccessExclusion {
  return {
    ExclusionId: row.id,
    InternetGatewayExclusionMode: row.mode,
    ResourceArn: arnOf(call, row),
    State: state,
    CreationTimestamp: new Date(row.createdAt),
    LastUpdateTimestamp: new Date(row.updatedAt),
    Tags: toTags(row.tags),
  };
}

function arnOf(call: Call, row: BlockPublicAccessExclusionRow): string {
  return row.subnetId ? ec2Arn(call, 'subnet', row.subnetId) : ec2Arn(call, 'vpc', row.vpcId ?? '');
}

function filtersOf(call: Call): FilterTable<BlockPublicAccessExclusionRow> {
  return {
    'internet-gateway-exclusion-mode': (row) => row.mode,
    'resource-arn': (row) => arnOf(call, row),
    state: (row) => row.state,
  };
}

function exclusionMode(given: string | undefined): ExclusionMode {
  if (!given) throw missingParameter('internetGatewayExclusionMode');
  if (!exclusionModes.includes(given))
    throw invalidValue(given, 'internetGatewayExclusionMode', `Use ${exclusionModes.join(' or ')}.`);
  return given as ExclusionMode;
}

function make(call: Call, input: CreateVpcBlockPublicAccessExclusionRequest): BlockPublicAccessExclusionRow {
  const { SubnetId, VpcId } = input;
  if (SubnetId && VpcId) throw invalidCombination('The parameter subnetId cannot be used with the parameter vpcId');
  if (!SubnetId && !VpcId) throw missingParameter('subnetId or vpcId');
  const mode = exclusionMode(input.InternetGatewayExclusionMode);
  const place = SubnetId
    ? { subnetId: requireRow(call, 'subnet', SubnetId).id }
    : { vpcId: requireRow(call, 'vpc', VpcId).id };
  const all = call.tx.list(exclusionKind, scopeOf(call));
  const same = all.find((row) => (SubnetId ? row.subnetId === SubnetId : row.vpcId === VpcId));
  if (same)
    throw ec2Error('ResourceAlreadyExists', `The exclusion ${same.id} for ${SubnetId ?? VpcId} already exists.`);
  enforceQuota(call, 'blockPublicAccessExclusionsPerRegion', () => all.length);
  const at = call.now.toISOString();
  const row: BlockPublicAccessExclusionRow = {
    ...scopeOf(call),
    id: call.tx.newId('vpcbpa-exclude'),
    ...place,
    mode,
    state: 'create-complete',
    createdAt: at,
    updatedAt: at,
    tags: tagsFromSpecifications(input.TagSpecifications, exclusionKind),
  };
  call.tx.put(exclusionKind, row);
  return row;
}

export const blockPublicAccess = {
  ModifyVpcBlockPublicAccessOptions: operation<
    ModifyVpcBlockPublicAccessOptionsRequest,
    ModifyVpcBlockPublicAccessOptionsResult
  >({
    authorize: 'auto',
    run: (call, input) => {
      const mode = input.InternetGatewayBlockMode;
      if (!mode) throw missingParameter('internetGatewayBlockMode');
      if (!blockModes.includes(mode))
        throw invalidValue(mode, 'internetGatewayBlockMode', `Use one of ${blockModes.join(', ')}.`);
      call.tx.put('vpc-block-public-access', {
        ...scopeOf(call),
        id: optionsId(call),
        mode: mode as BlockMode,
        updatedAt: call.now.toISOString(),
      });
      return { VpcBlockPublicAccessOptions: toOptions(call, 'update-in-progress') };
    },
  }),

  DescribeVpcBlockPublicAccessOptions: operation<
    DescribeVpcBlockPublicAccessOptionsRequest,
    DescribeVpcBlockPublicAccessOptionsResult
  >({
    authorize: 'auto',
    readOnly: true,
    run: (call) => ({ VpcBlockPublicAccessOptions: toOptions(call) }),
  }),

  CreateVpcBlockPublicAccessExclusion: operation<
    CreateVpcBlockPublicAccessExclusionRequest,
    CreateVpcBlockPublicAccessExclusionResult
  >({
    authorize: 'auto',
    run: (call, input) => ({
      VpcBlockPublicAccessExclusion: toExclusion(call, make(call, input), 'create-in-progress'),
    }),
  }),

  ModifyVpcBlockPublicAccessExclusion: operation<
    ModifyVpcBlockPublicAccessExclusionRequest,
    ModifyVpcBlockPublicAccessExclusionResult
  >({
    authorize: 'auto',
    run: (call, input) => {
      const old = requireRow(call, exclusionKind, input.ExclusionId, 'exclusionId');
      const mode = exclusionMode(input.InternetGatewayExclusionMode);
      const row = { ...old, mode, state: 'update-complete', updatedAt: call.now.toISOString() } as const;
      call.tx.put(exclusionKind, row);
      return { VpcBlockPublicAccessExclusion: toExclusion(call, row, 'update-in-progress') };
    },
  }),

  DeleteVpcBlockPublicAccessExclusion: operation<
    DeleteVpcBlockPublicAccessExclusionRequest,
    DeleteVpcBlockPublicAccessExclusionResult
  >({
    authorize: 'auto',
    run: (call, input) => {
      const row = requireRow(call, exclusionKind, input.ExclusionId, 'exclusionId');
      call.tx.delete(exclusionKind, row.id);
      return { VpcBlockPublicAccessExclusion: toExclusion(call, row, 'delete-in-progress') };
    },
  }),

  DescribeVpcBlockPublicAccessExclusions: operation<
    DescribeVpcBlockPublicAccessExclusionsRequest,
    DescribeVpcBlockPublicAccessExclusionsResult
  >({
    authorize: 'auto',
    readOnly: true,
    run: (call, input) => {
      const how = { ids: input.ExclusionIds, parameter: 'exclusionId', filters: filtersOf(call) };
      const { page, next } = describe(call, exclusionKind, input, how);
      return { VpcBlockPublicAccessExclusions: page.map((row) => toExclusion(call, row)), ...next };
    },
  }),
} satisfies Record<string, Operation>;
