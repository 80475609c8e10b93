// VPCs: create, describe, delete and their attributes. Rules C1–C5, D1, D5. https://docs.aws.amazon.com/vpc/latest/userguide/vpc-cidr-blocks.html
// (read 2026-11-21). Order of CreateVpc's checks: is it a CIDR, is it in range, unsupported parameters, quota.
// Gap: IPv6 blocks that the customer brings and IPAM pools are refused.

import type {
  CreateVpcRequest,
  CreateVpcResult,
  DeleteVpcRequest,
  DescribeVpcAttributeRequest,
  DescribeVpcAttributeResult,
  DescribeVpcsRequest,
  DescribeVpcsResult,
  ModifyVpcAttributeRequest,
  ModifyVpcTenancyRequest,
  ModifyVpcTenancyResult,
  Vpc,
  VpcState,
} from '@aws-sdk/client-ec2';
import { normalizeCidr, overlaps, parseCidr } from '@postern/network/cidr.ts';
import type { Cidr } from '@postern/network/snapshot.ts';
import { type Call, type Operation, operation } from '../../service.ts';
import type { VpcRow } from '../../store/rows/ec2.ts';
import { blockPublicAccessStates, removeExclusionsOf } from './block-public-access.ts';
import { describe } from './describe.ts';
import {
  ec2Error,
  hasDependencies,
  invalidCombination,
  invalidParameterValue,
  missingParameter,
  notACidr,
  refuseUnsupported,
} from './errors.ts';
import type { FilterTable } from './filters.ts';
import { toVpcIpv6Associations } from './ipv6-blocks.ts';
import { makerOf, makeVpc } from './new-vpc.ts';
import { enforceQuota } from './quotas.ts';
import { requireRow, scopeOf } from './rows.ts';
import { tagsFromSpecifications, toTags } from './tags.ts';
import { associateIpv6Block, checkBorderGroup } from './vpc-ipv6-blocks.ts';
import { peeringsOfVpc, stateOf } from './vpc-peering-rows.ts';

/** C3: a VPC may not have these. */
const unusable: readonly Cidr[] = ['0.0.0.0/8', '127.0.0.0/8', '169.254.0.0/16', '224.0.0.0/4'];

export const invalidVpcRange = (cidr: string) => ec2Error('InvalidVpc.Range', `The CIDR '${cidr}' is invalid.`);

/**
 * A block for a VPC, host bits cleared (C1–C3).
 * @throws InvalidParameterValue when it is no CIDR, InvalidVpc.Range
 */
export function vpcBlock(text: string): Cidr {
  const parsed = parseCidr(text);
  const cidr = normalizeCidr(text);
  if (!parsed || !cidr) throw notACidr(text, 'cidrBlock');
  if (parsed.prefixLength < 16 || parsed.prefixLength > 28) throw invalidVpcRange(text);
  if (unusable.some((block) => overlaps(block, cidr))) throw invalidVpcRange(text);
  return cidr;
}

/** @param state a new VPC is answered as `pending` once, without its states (recorded 2025), and is available at the next look */
export function toVpc(call: Call, row: VpcRow, state: VpcState = 'available'): Vpc {
  const [primary] = row.cidrBlocks;
  return {
    VpcId: row.id,
    OwnerId: row.accountId,
    CidrBlock: primary?.cidr,
    State: state,
    DhcpOptionsId: row.dhcpOptionsId,
    InstanceTenancy: row.instanceTenancy,
    IsDefault: row.isDefault,
    CidrBlockAssociationSet: row.cidrBlocks.map(({ associationId, cidr }) => ({
      AssociationId: associationId,
      CidrBlock: cidr,
      CidrBlockState: { State: 'associated' },
    })),
    Ipv6CidrBlockAssociationSet: toVpcIpv6Associations(row),
    ...(state === 'available' && { BlockPublicAccessStates: blockPublicAccessStates(call, row.id) }),
    Tags: toTags(row.tags),
  };
}

const filters: FilterTable<VpcRow> = {
  cidr: (row) => row.cidrBlocks[0]?.cidr,
  cidrBlock: (row) => row.cidrBlocks[0]?.cidr,
  'cidr-block': (row) => row.cidrBlocks[0]?.cidr,
  'cidr-block-association.cidr-block': (row) => row.cidrBlocks.map((block) => block.cidr),
  'cidr-block-association.association-id': (row) => row.cidrBlocks.map((block) => block.associationId),
  'cidr-block-association.state': (row) => row.cidrBlocks.map(() => 'associated'),
  'dhcp-options-id': (row) => row.dhcpOptionsId,
  dhcpOptionsId: (row) => row.dhcpOptionsId,
  'ipv6-cidr-block-association.ipv6-cidr-block': (row) => (row.ipv6CidrBlocks ?? []).map((block) => block.cidr),
  'ipv6-cidr-block-association.ipv6-pool': (row) => (row.ipv6CidrBlocks ?? []).map(() => 'Amazon'),
  'ipv6-cidr-block-association.association-id': (row) => (row.ipv6CidrBlocks ?? []).map((block) => block.associationId),
  'ipv6-cidr-block-association.state': (row) => (row.ipv6CidrBlocks ?? []).map(() => 'associated'),
  'instance-tenancy': (row) => row.instanceTenancy,
  'is-default': (row) => row.isDefault,
  isDefault: (row) => row.isDefault,
  'owner-id': (row) => row.accountId,
  state: () => 'available',
  'vpc-id': (row) => row.id,
};

/** What must be gone before a VPC can be; what CreateVpc made goes with it. */
function deleteVpc(call: Call, vpc: VpcRow): void {
  const { tx } = call;
  const scope = scopeOf(call);
  const mine = (row: { vpcId?: string }) => row.vpcId === vpc.id;
  const groups = tx.list('security-group', scope).filter(mine);
  const tables = tx.list('route-table', scope).filter(mine);
  const acls = tx.list('network-acl', scope).filter(mine);
  const dependents = [
    ...tx.list('subnet', scope).filter(mine),
    ...tx.list('internet-gateway', scope).filter(mine),
    ...tx.list('egress-only-internet-gateway', scope).filter(mine),
    ...tx.list('vpc-endpoint', scope).filter(mine),
    // What others ask of it does not hold it.
    ...peeringsOfVpc(tx, vpc.id).filter(
      (row) =>
        row.state === 'active' || (row.requester.vpcId === vpc.id && stateOf(row, call.now) === 'pending-acceptance'),
    ),
    ...tx.list('instance-connect-endpoint', scope).filter(mine),
    ...tx.list('network-interface', scope).filter(mine),
    ...groups.filter((row) => row.groupName !== 'default'),
    ...tables.filter((row) => !row.associations.some((association) => association.main)),
    ...acls.filter((row) => !row.isDefault),
  ];
  if (dependents.length > 0)
    throw hasDependencies(
      'vpc',
      vpc.id,
      dependents.map(({ id }) => id),
    );
  for (const rule of tx.list('security-group-rule', scope)) if (mine(rule)) tx.delete('security-group-rule', rule.id);
  for (const row of groups) tx.delete('security-group', row.id);
  // Groups of other VPCs that were associated with this one: no interface is left that could carry them.
  for (const row of tx.list('security-group-vpc-association', scope))
    if (mine(row)) tx.delete('security-group-vpc-association', row.id);
  for (const row of tables) tx.delete('route-table', row.id);
  for (const row of acls) tx.delete('network-acl', row.id);
  removeExclusionsOf(call, vpc.id);
  tx.delete('vpc', vpc.id);
}

const attributes = {
  EnableDnsSupport: 'enableDnsSupport',
  EnableDnsHostnames: 'enableDnsHostnames',
  EnableNetworkAddressUsageMetrics: 'enableNetworkAddressUsageMetrics',
} as const;
const attributeNames = Object.keys(attributes) as (keyof typeof attributes)[];

export const vpcs = {
  CreateVpc: operation<CreateVpcRequest, CreateVpcResult>({
    authorize: 'auto',
    run: (call, input) => {
      refuseUnsupported('CreateVpc', input, [
        'Ipv6Pool', 'Ipv6CidrBlock', 'Ipv4IpamPoolId', 'Ipv4NetmaskLength', 'Ipv6IpamPoolId', 'Ipv6NetmaskLength', 'VpcEncryptionControl',
      ]); // biome-ignore format: a list
      checkBorderGroup(call, input.Ipv6CidrBlockNetworkBorderGroup);
      if (!input.CidrBlock)
        throw ec2Error('MissingParameter', "Either 'cidrBlock' or 'ipv4IpamPoolId' should be provided.");
      const cidr = vpcBlock(input.CidrBlock);
      const instanceTenancy = input.InstanceTenancy ?? 'default';
      if (instanceTenancy !== 'default' && instanceTenancy !== 'dedicated')
        throw ec2Error('UnsupportedTenancy', `The tenancy value ${instanceTenancy} is not supported.`);
      enforceQuota(call, 'vpcsPerRegion', () => call.tx.list('vpc', scopeOf(call)).length);
      const tags = tagsFromSpecifications(input.TagSpecifications, 'vpc');
      const { vpc } = makeVpc(makerOf(call), { cidr, isDefault: false, instanceTenancy, tags });
      if (!input.AmazonProvidedIpv6CidrBlock) return { Vpc: toVpc(call, vpc, 'pending') };
      const association = associateIpv6Block(call, vpc);
      return { Vpc: { ...toVpc(call, vpc, 'pending'), Ipv6CidrBlockAssociationSet: [association] } };
    },
  }),

  DescribeVpcs: operation<DescribeVpcsRequest, DescribeVpcsResult>({
    authorize: 'auto',
    readOnly: true,
    run: (call, input) => {
      const { page, next } = describe(call, 'vpc', input, { ids: input.VpcIds, parameter: 'vpcSet', filters });
      return { Vpcs: page.map((row) => toVpc(call, row)), ...next };
    },
  }),

  DeleteVpc: operation<DeleteVpcRequest, Record<string, never>>({
    authorize: 'auto',
    run: (call, input) => {
      deleteVpc(call, requireRow(call, 'vpc', input.VpcId, 'vpcId'));
      return {};
    },
  }),

  ModifyVpcAttribute: operation<ModifyVpcAttributeRequest, Record<string, never>>({
    authorize: 'auto',
    run: (call, input) => {
      const vpc = requireRow(call, 'vpc', input.VpcId, 'vpcId');
      const given = attributeNames.filter((name) => input[name] !== undefined);
      const [name] = given;
      if (name === undefined) throw missingParameter('attribute');
      if (given.length > 1) throw invalidCombination('Fields for multiple attribute types specified');
      const value = input[name]?.Value;
      if (value === undefined) throw missingParameter('value');
      if (name === 'EnableDnsHostnames' && value && !vpc.enableDnsSupport)
        throw invalidCombination(`DNS hostnames cannot be enabled for ${vpc.id} while its DNS support is disabled.`);
      call.tx.put('vpc', { ...vpc, [attributes[name]]: value });
      return {};
    },
  }),

  DescribeVpcAttribute: operation<DescribeVpcAttributeRequest, DescribeVpcAttributeResult>({
    authorize: 'auto',
    readOnly: true,
    run: (call, input) => {
      const vpc = requireRow(call, 'vpc', input.VpcId, 'vpcId');
      if (!input.Attribute) throw missingParameter('attribute');
      const name = attributeNames.find((one) => attributes[one] === input.Attribute);
      if (!name)
        throw invalidParameterValue(
          `Value (${input.Attribute}) for parameter attribute is invalid. Unknown attribute.`,
        );
      return { VpcId: vpc.id, [name]: { Value: vpc[attributes[name]] } };
    },
  }),

  ModifyVpcTenancy: operation<ModifyVpcTenancyRequest, ModifyVpcTenancyResult>({
    authorize: 'auto',
    run: (call, input) => {
      const vpc = requireRow(call, 'vpc', input.VpcId, 'vpcId');
      if (input.InstanceTenancy !== 'default')
        throw ec2Error('UnsupportedTenancy', `The tenancy value ${input.InstanceTenancy} is not supported.`);
      call.tx.put('vpc', { ...vpc, instanceTenancy: 'default' });
      return { ReturnValue: true };
    },
  }),
} satisfies Record<string, Operation>;
