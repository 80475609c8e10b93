// Network ACLs: create, describe, delete, their entries, and which subnets they guard. Rules N1–N3, N5, N9.
// https://docs.aws.amazon.com/vpc/latest/userguide/vpc-network-acls.html (read 2026-11-21). The final deny of each direction is shown and never stored.

import type {
  CreateNetworkAclEntryRequest,
  CreateNetworkAclRequest,
  CreateNetworkAclResult,
  DeleteNetworkAclEntryRequest,
  DeleteNetworkAclRequest,
  DescribeNetworkAclsRequest,
  DescribeNetworkAclsResult,
  NetworkAcl,
  NetworkAclEntry,
  ReplaceNetworkAclAssociationRequest,
  ReplaceNetworkAclAssociationResult,
  ReplaceNetworkAclEntryRequest,
} from '@aws-sdk/client-ec2';
import { normalizeCidr } from '@postern/network/cidr.ts';
import { normalizeIpv6Cidr } from '@postern/network/ipv6.ts';
import type { NetworkAclId } from '@postern/network/snapshot.ts';
import { type Call, type Operation, operation } from '../../service.ts';
import type { NetworkAclEntryRow, NetworkAclRow } from '../../store/rows/ec2.ts';
import { describe } from './describe.ts';
import {
  ec2Error,
  hasDependencies,
  invalidCombination,
  invalidParameterValue,
  invalidValue,
  missingParameter,
  notACidr,
} from './errors.ts';
import type { FilterTable } from './filters.ts';
import { oncePerToken } from './idempotency.ts';
import { enforceQuota } from './quotas.ts';
import { findRow, requireRow, scopeOf } from './rows.ts';
import { readProtocol } from './rule-form.ts';
import { tagsFromSpecifications, toTags } from './tags.ts';

const maxRuleNumber = 32766;
/** Shown after every other rule of a direction (N1), the second one where the VPC has IPv6. */
const finalRules = [
  { ruleNumber: 32767, cidrBlock: '0.0.0.0/0' },
  { ruleNumber: 32768, ipv6CidrBlock: '::/0' },
] as const;
const [icmp, tcp, udp, icmpv6] = [1, 6, 17, 58];

function toEntry(entry: NetworkAclEntryRow): NetworkAclEntry {
  return {
    RuleNumber: entry.ruleNumber,
    Egress: entry.egress,
    Protocol: String(entry.protocol),
    RuleAction: entry.action,
    ...(entry.cidrBlock && { CidrBlock: entry.cidrBlock }),
    ...(entry.ipv6CidrBlock && { Ipv6CidrBlock: entry.ipv6CidrBlock }),
    ...(entry.portRange && { PortRange: { From: entry.portRange.from, To: entry.portRange.to } }),
    ...(entry.icmp && { IcmpTypeCode: { Type: entry.icmp.type, Code: entry.icmp.code } }),
  };
}

/** Egress first, by number, as AWS lists them, each direction closed by its final deny. */
function allEntries(call: Call, row: NetworkAclRow): NetworkAclEntryRow[] {
  const hasIpv6 = (call.tx.get('vpc', row.vpcId)?.ipv6CidrBlocks ?? []).length > 0;
  return [true, false].flatMap((egress) => [
    ...row.entries.filter((entry) => entry.egress === egress).sort((a, b) => a.ruleNumber - b.ruleNumber),
    ...finalRules
      .slice(0, hasIpv6 ? 2 : 1)
      .map((rule) => ({ ...rule, egress, protocol: -1, action: 'deny' }) satisfies NetworkAclEntryRow),
  ]);
}

function toNetworkAcl(call: Call, row: NetworkAclRow): NetworkAcl {
  return {
    NetworkAclId: row.id,
    VpcId: row.vpcId,
    OwnerId: row.accountId,
    IsDefault: row.isDefault,
    Associations: row.associations.map((one) => ({
      NetworkAclAssociationId: one.associationId,
      NetworkAclId: row.id,
      SubnetId: one.subnetId,
    })),
    Entries: allEntries(call, row).map(toEntry),
    Tags: toTags(row.tags),
  };
}

const filtersOf = (call: Call): FilterTable<NetworkAclRow> => ({
  'association.association-id': (row) => row.associations.map((one) => one.associationId),
  'association.network-acl-id': (row) => (row.associations.length > 0 ? row.id : undefined),
  'association.subnet-id': (row) => row.associations.map((one) => one.subnetId),
  default: (row) => row.isDefault,
  'entry.cidr': (row) => allEntries(call, row).map((entry) => entry.cidrBlock),
  'entry.egress': (row) => allEntries(call, row).map((entry) => entry.egress),
  'entry.icmp.code': (row) => row.entries.map((entry) => entry.icmp?.code),
  'entry.icmp.type': (row) => row.entries.map((entry) => entry.icmp?.type),
  'entry.ipv6-cidr': (row) => allEntries(call, row).map((entry) => entry.ipv6CidrBlock),
  'entry.port-range.from': (row) => row.entries.map((entry) => entry.portRange?.from),
  'entry.port-range.to': (row) => row.entries.map((entry) => entry.portRange?.to),
  'entry.protocol': (row) => allEntries(call, row).map((entry) => entry.protocol),
  'entry.rule-action': (row) => allEntries(call, row).map((entry) => entry.action),
  'entry.rule-number': (row) => allEntries(call, row).map((entry) => entry.ruleNumber),
  'network-acl-id': (row) => row.id,
  'owner-id': (row) => row.accountId,
  'vpc-id': (row) => row.vpcId,
});

function checkRuleNumber(number: number | undefined): number {
  if (number === undefined) throw missingParameter('ruleNumber');
  if (!Number.isInteger(number) || number < 1 || number > maxRuleNumber)
    throw invalidValue(number, 'ruleNumber', `Valid values are 1 to ${maxRuleNumber}.`);
  return number;
}

/** Reads and checks one entry (N5). */
function readEntry(input: CreateNetworkAclEntryRequest): NetworkAclEntryRow {
  const ruleNumber = checkRuleNumber(input.RuleNumber);
  if (!input.Protocol) throw missingParameter('protocol');
  if (input.Egress === undefined) throw missingParameter('egress');
  const action = input.RuleAction;
  if (!action) throw missingParameter('ruleAction');
  if (action !== 'allow' && action !== 'deny')
    throw invalidValue(action, 'ruleAction', 'Valid values are allow and deny.');
  const protocol = readProtocol(input.Protocol);
  const base = { ruleNumber, egress: input.Egress, protocol, action, ...readBlock(input) };
  if (protocol === tcp || protocol === udp) return { ...base, portRange: readPortRange(input) };
  if (protocol === icmp || protocol === icmpv6) {
    const { Type: type, Code: code } = input.IcmpTypeCode ?? {};
    if (type === undefined || code === undefined) throw missingParameter('icmpTypeCode');
    for (const [value, name] of [[type, 'icmpType'], [code, 'icmpCode']] as const) // biome-ignore format: two pairs
      if (value < -1 || value > 255) throw invalidValue(value, name, 'It must be between -1 and 255.');
    return { ...base, icmp: { type, code } };
  }
  return base;
}

function readBlock(input: CreateNetworkAclEntryRequest) {
  if (input.CidrBlock && input.Ipv6CidrBlock)
    throw invalidCombination('The parameter cidrBlock cannot be used with the parameter ipv6CidrBlock');
  if (input.Ipv6CidrBlock) {
    const ipv6CidrBlock = normalizeIpv6Cidr(input.Ipv6CidrBlock);
    if (!ipv6CidrBlock) throw notACidr(input.Ipv6CidrBlock, 'ipv6CidrBlock');
    return { ipv6CidrBlock };
  }
  if (!input.CidrBlock) throw missingParameter('cidrBlock');
  const cidrBlock = normalizeCidr(input.CidrBlock);
  if (!cidrBlock) throw notACidr(input.CidrBlock, 'cidrBlock');
  return { cidrBlock };
}

function readPortRange(input: CreateNetworkAclEntryRequest): { from: number; to: number } {
  const { From: from, To: to } = input.PortRange ?? {};
  if (from === undefined || to === undefined) throw missingParameter('portRange');
  for (const port of [from, to])
    if (port < 0 || port > 65535) throw invalidParameterValue(`TCP/UDP port (${port}) out of range`);
  if (from > to) throw invalidParameterValue(`Invalid TCP/UDP port range (${from}:${to})`);
  return { from, to };
}

function isEntry(entry: NetworkAclEntryRow, number: number, egress: boolean): boolean {
  return entry.ruleNumber === number && entry.egress === egress;
}

function missingEntry(row: NetworkAclRow, number: number, egress: boolean) {
  const direction = egress ? 'egress' : 'ingress';
  return ec2Error(
    'InvalidNetworkAclEntry.NotFound',
    `The network ACL entry identified by ${direction} rule number ${number} does not exist in network ACL '${row.id}'`,
  );
}

function makeAcl(call: Call, input: CreateNetworkAclRequest): NetworkAclId {
  const vpc = requireRow(call, 'vpc', input.VpcId, 'vpcId');
  enforceQuota(
    call,
    'networkAclsPerVpc',
    () => call.tx.list('network-acl', scopeOf(call)).filter((row) => row.vpcId === vpc.id).length,
  );
  const id: NetworkAclId = call.tx.newId('acl');
  const tags = tagsFromSpecifications(input.TagSpecifications, 'network-acl');
  call.tx.put('network-acl', {
    ...scopeOf(call),
    id,
    vpcId: vpc.id,
    isDefault: false,
    entries: [],
    associations: [],
    tags,
  });
  return id;
}

/** The subnet's place in one ACL is given up for a place in another (N3: always exactly one). */
function replaceAssociation(call: Call, input: ReplaceNetworkAclAssociationRequest): string {
  const { tx } = call;
  const wanted = requireRow(call, 'network-acl', input.NetworkAclId, 'networkAclId');
  if (!input.AssociationId) throw missingParameter('associationId');
  const isIt = (one: { associationId: string }) => one.associationId === input.AssociationId;
  const old = tx.list('network-acl', scopeOf(call)).find((row) => row.associations.some(isIt));
  const association = old?.associations.find(isIt);
  if (!old || !association)
    throw ec2Error('InvalidAssociationID.NotFound', `The association ID '${input.AssociationId}' does not exist`);
  if (old.vpcId !== wanted.vpcId)
    throw invalidParameterValue(
      `network acl ${wanted.id} and subnet ${association.subnetId} belong to different networks`,
    );
  tx.put('network-acl', { ...old, associations: old.associations.filter((one) => !isIt(one)) });
  const associationId = tx.newId('aclassoc');
  const current = requireRow(call, 'network-acl', wanted.id);
  const associations = [...current.associations, { associationId, subnetId: association.subnetId }];
  tx.put('network-acl', { ...current, associations });
  return associationId;
}

export const networkAcls = {
  CreateNetworkAcl: operation<CreateNetworkAclRequest, CreateNetworkAclResult>({
    authorize: 'auto',
    run: (call, input) => {
      const known = (ids: readonly string[]) => ids.every((id) => findRow(call, 'network-acl', id));
      const [id] = oncePerToken(call, input.ClientToken, input, known, () => [makeAcl(call, input)]);
      const row = requireRow(call, 'network-acl', id);
      return { NetworkAcl: toNetworkAcl(call, row), ...(input.ClientToken && { ClientToken: input.ClientToken }) };
    },
  }),

  DescribeNetworkAcls: operation<DescribeNetworkAclsRequest, DescribeNetworkAclsResult>({
    authorize: 'auto',
    readOnly: true,
    run: (call, input) => {
      const how = { ids: input.NetworkAclIds, parameter: 'networkAclSet', filters: filtersOf(call) };
      const { page, next } = describe(call, 'network-acl', input, how);
      return { NetworkAcls: page.map((row) => toNetworkAcl(call, row)), ...next };
    },
  }),

  DeleteNetworkAcl: operation<DeleteNetworkAclRequest, Record<string, never>>({
    authorize: 'auto',
    run: (call, input) => {
      const row = requireRow(call, 'network-acl', input.NetworkAclId, 'networkAclId');
      if (row.isDefault) throw invalidParameterValue(`cannot delete default network ACL ${row.id}`);
      const users = row.associations.map(({ subnetId }) => subnetId);
      if (users.length > 0) throw hasDependencies('network ACL', row.id, users);
      call.tx.delete('network-acl', row.id);
      return {};
    },
  }),

  CreateNetworkAclEntry: operation<CreateNetworkAclEntryRequest, Record<string, never>>({
    authorize: 'auto',
    run: (call, input) => {
      const row = requireRow(call, 'network-acl', input.NetworkAclId, 'networkAclId');
      const entry = readEntry(input);
      if (row.entries.some((one) => isEntry(one, entry.ruleNumber, entry.egress)))
        throw ec2Error(
          'NetworkAclEntryAlreadyExists',
          `The network acl entry identified by ${entry.ruleNumber} already exists.`,
        );
      // The final deny is one of AWS's 20 (N9).
      enforceQuota(
        call,
        'entriesPerNetworkAcl',
        () => row.entries.filter((one) => one.egress === entry.egress).length + 1,
      );
      call.tx.put('network-acl', { ...row, entries: [...row.entries, entry] });
      return {};
    },
  }),

  ReplaceNetworkAclEntry: operation<ReplaceNetworkAclEntryRequest, Record<string, never>>({
    authorize: 'auto',
    run: (call, input) => {
      const row = requireRow(call, 'network-acl', input.NetworkAclId, 'networkAclId');
      const entry = readEntry(input);
      const isIt = (one: NetworkAclEntryRow) => isEntry(one, entry.ruleNumber, entry.egress);
      if (!row.entries.some(isIt)) throw missingEntry(row, entry.ruleNumber, entry.egress);
      call.tx.put('network-acl', { ...row, entries: row.entries.map((one) => (isIt(one) ? entry : one)) });
      return {};
    },
  }),

  DeleteNetworkAclEntry: operation<DeleteNetworkAclEntryRequest, Record<string, never>>({
    authorize: 'auto',
    run: (call, input) => {
      const row = requireRow(call, 'network-acl', input.NetworkAclId, 'networkAclId');
      const number = checkRuleNumber(input.RuleNumber);
      const { Egress: egress } = input;
      if (egress === undefined) throw missingParameter('egress');
      const entries = row.entries.filter((one) => !isEntry(one, number, egress));
      if (entries.length === row.entries.length) throw missingEntry(row, number, egress);
      call.tx.put('network-acl', { ...row, entries });
      return {};
    },
  }),

  ReplaceNetworkAclAssociation: operation<ReplaceNetworkAclAssociationRequest, ReplaceNetworkAclAssociationResult>({
    authorize: 'auto',
    run: (call, input) => ({ NewAssociationId: replaceAssociation(call, input) }),
  }),
} satisfies Record<string, Operation>;
