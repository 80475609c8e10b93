// What does one rule of a security group allow, and how is it written? Reads IpPermissions and the older flat parameters into rules with one peer each,
// checks them, and turns rules back into both forms of output. Rules S5, S9, S10.
// https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_IpPermission.html (read 2026-11-21).

import type { IpPermission, SecurityGroupRule, UserIdGroupPair } from '@aws-sdk/client-ec2';
import { normalizeCidr } from '@postern/network/cidr.ts';
import { normalizeIpv6Cidr } from '@postern/network/ipv6.ts';
import type { Call } from '../../service.ts';
import type { SecurityGroupRow, SecurityGroupRuleRow } from '../../store/rows/ec2.ts';
import type { Transaction } from '../../store/store.ts';
import { invalidParameterValue } from './errors.ts';
import { type GroupPeer, groupPeer, isPeered, type KnownPeers, peeredPair } from './group-peers.ts';
import { requirePrefixList } from './prefix-list-lookup.ts';
import { ec2Arn } from './rows.ts';
import { toTags } from './tags.ts';

export type Peer = SecurityGroupRuleRow['peer'];

/** The part of a rule that is its identity (S5). */
export interface RuleSpec {
  readonly protocol: number;
  readonly fromPort?: number;
  readonly toPort?: number;
  readonly peer: Peer;
  readonly description?: string;
}

const protocolNames: Readonly<Record<string, number>> = { tcp: 6, udp: 17, icmp: 1, icmpv6: 58, '-1': -1, all: -1 };
const shownNames: Readonly<Record<number, string>> = { 6: 'tcp', 17: 'udp', 1: 'icmp', 58: 'icmpv6' };

export function protocolName(protocol: number): string {
  return shownNames[protocol] ?? String(protocol);
}

/** @throws InvalidParameterValue */
export function readProtocol(text: string | undefined): number {
  if (text === undefined || text === '')
    throw invalidParameterValue(
      "Invalid value 'null' for protocol. VPC security group rules must specify protocols explicitly.",
    );
  const named = protocolNames[text.toLowerCase()];
  if (named !== undefined) return named;
  if (/^\d{1,3}$/.test(text) && Number(text) <= 255) return Number(text);
  throw invalidParameterValue(`Invalid value '${text}' for IP protocol. Unknown protocol.`);
}

/** S10: ports for tcp and udp, type and code for icmp, nothing for the others. */
export function readPorts(
  protocol: number,
  from: number | undefined,
  to: number | undefined,
): { fromPort?: number; toPort?: number } {
  switch (protocol) {
    case 6:
    case 17:
      if (from === undefined || to === undefined)
        throw invalidParameterValue('Invalid value for portRange. Must specify both from and to ports with TCP/UDP.');
      // -1 to -1 is how older clients write every port.
      if (from === -1 && to === -1) return { fromPort: 0, toPort: 65535 };
      for (const port of [from, to])
        if (port < 0 || port > 65535) throw invalidParameterValue(`TCP/UDP port (${port}) out of range`);
      if (from > to) throw invalidParameterValue(`Invalid TCP/UDP port range (${from}:${to})`);
      return { fromPort: from, toPort: to };
    case 1:
    case 58: {
      const [type, code] = [from ?? -1, to ?? -1];
      if (type < -1 || type > 255) throw invalidParameterValue(`ICMP type (${type}) out of range`);
      if (code < -1 || code > 255) throw invalidParameterValue(`ICMP code (${code}) out of range`);
      if (type === -1 && code !== -1) throw invalidParameterValue('ICMP code requires an ICMP type');
      return { fromPort: type, toPort: code };
    }
    default:
      return {};
  }
}

export function cidrPeer(text: string | undefined): Peer {
  const cidr = normalizeCidr(text ?? '');
  if (!cidr) throw invalidParameterValue(`CIDR block ${text ?? ''} is malformed`);
  return { kind: 'cidr', cidr };
}

export function cidr6Peer(text: string | undefined): Peer {
  const cidr = normalizeIpv6Cidr(text ?? '');
  if (!cidr) throw invalidParameterValue(`CIDR block ${text ?? ''} is malformed`);
  return { kind: 'cidr6', cidr };
}

export function prefixListPeer(call: Call, id: string | undefined): Peer {
  return { kind: 'prefix-list', prefixListId: requirePrefixList(call, id).id };
}

/**
 * Every rule that the permissions name, one per peer, in the order given.
 * @param known see `groupPeer`
 */
export function readPermissions(
  call: Call,
  group: SecurityGroupRow,
  permissions: readonly IpPermission[],
  known?: KnownPeers,
): RuleSpec[] {
  return permissions.flatMap((permission) => {
    const protocol = readProtocol(permission.IpProtocol);
    const base = { protocol, ...readPorts(protocol, permission.FromPort, permission.ToPort) };
    const specs: RuleSpec[] = [];
    const add = (peer: Peer, description: string | undefined) =>
      specs.push({ peer, ...base, ...(description !== undefined && { description: checkDescription(description) }) });
    for (const range of permission.IpRanges ?? []) add(cidrPeer(range.CidrIp), range.Description);
    for (const range of permission.Ipv6Ranges ?? []) add(cidr6Peer(range.CidrIpv6), range.Description);
    for (const list of permission.PrefixListIds ?? []) add(prefixListPeer(call, list.PrefixListId), list.Description);
    for (const pair of permission.UserIdGroupPairs ?? []) add(groupPeer(call, group, pair, known), pair.Description);
    return specs;
  });
}

const maxDescription = 255;
const descriptionCharacters = /^[a-zA-Z0-9. _\-:/()#,@[\]+=&;{}!$*]*$/;

/** @throws InvalidParameterValue */
export function checkDescription(text: string): string {
  if (text.length <= maxDescription && descriptionCharacters.test(text)) return text;
  throw invalidParameterValue(
    'Invalid rule description. Valid descriptions are strings less than 256 characters from the following set:  a-zA-Z0-9. _-:/()#,@[]+=&;{}!$*',
  );
}

function peerText(peer: Peer): string {
  switch (peer.kind) {
    case 'cidr':
    case 'cidr6':
      return peer.cidr;
    case 'prefix-list':
      return peer.prefixListId;
    case 'security-group':
      return peer.groupId;
  }
}

/** Two rules with the same key are the same rule (S5). */
export function ruleKey(rule: RuleSpec): string {
  return [rule.protocol, rule.fromPort ?? '', rule.toPort ?? '', rule.peer.kind, peerText(rule.peer)].join(' ');
}

/** `peer: 0.0.0.0/0, TCP, from port: 22, to port: 22, ALLOW`, as the error of a duplicate prints a rule. */
export function ruleText(rule: RuleSpec): string {
  const all = (value: number | undefined) => (value === undefined || value === -1 ? 'ALL' : String(value));
  const what =
    rule.protocol === -1
      ? 'ALL'
      : rule.protocol === 1 || rule.protocol === 58
        ? `${protocolName(rule.protocol).toUpperCase()}, type: ${all(rule.fromPort)}, code: ${all(rule.toPort)}`
        : rule.fromPort === undefined
          ? protocolName(rule.protocol).toUpperCase()
          : `${protocolName(rule.protocol).toUpperCase()}, from port: ${rule.fromPort}, to port: ${rule.toPort}`;
  return `peer: ${peerText(rule.peer)}, ${what}, ALLOW`;
}

function toPair(tx: Transaction, rule: SecurityGroupRuleRow, peer: GroupPeer): UserIdGroupPair {
  return isPeered(peer) ? peeredPair(tx, rule, peer) : { GroupId: peer.groupId, UserId: peer.ownerId };
}

/** Rules as DescribeSecurityGroups shows them: one permission per protocol and port range, with all its peers. */
export function toPermissions(tx: Transaction, rules: readonly SecurityGroupRuleRow[]): IpPermission[] {
  const byRange = new Map<
    string,
    Required<Pick<IpPermission, 'IpRanges' | 'Ipv6Ranges' | 'PrefixListIds' | 'UserIdGroupPairs'>> & IpPermission
  >();
  for (const rule of rules) {
    const key = `${rule.protocol} ${rule.fromPort ?? ''} ${rule.toPort ?? ''}`;
    let permission = byRange.get(key);
    if (!permission) {
      permission = {
        IpProtocol: protocolName(rule.protocol),
        ...(rule.fromPort !== undefined && { FromPort: rule.fromPort }),
        ...(rule.toPort !== undefined && { ToPort: rule.toPort }),
        UserIdGroupPairs: [],
        IpRanges: [],
        Ipv6Ranges: [],
        PrefixListIds: [],
      };
      byRange.set(key, permission);
    }
    const description = rule.description === undefined ? {} : { Description: rule.description };
    switch (rule.peer.kind) {
      case 'cidr':
        permission.IpRanges?.push({ CidrIp: rule.peer.cidr, ...description });
        break;
      case 'cidr6':
        permission.Ipv6Ranges?.push({ CidrIpv6: rule.peer.cidr, ...description });
        break;
      case 'prefix-list':
        permission.PrefixListIds?.push({ PrefixListId: rule.peer.prefixListId, ...description });
        break;
      case 'security-group':
        permission.UserIdGroupPairs?.push({ ...toPair(tx, rule, rule.peer), ...description });
        break;
    }
  }
  return [...byRange.values()];
}

/** One rule as DescribeSecurityGroupRules shows it; protocols without ports show -1. */
export function toRule(call: Call, row: SecurityGroupRuleRow): SecurityGroupRule {
  const { peer } = row;
  return {
    SecurityGroupRuleId: row.id,
    SecurityGroupRuleArn: ec2Arn(call, 'security-group-rule', row.id),
    GroupId: row.groupId,
    GroupOwnerId: row.accountId,
    IsEgress: row.isEgress,
    IpProtocol: protocolName(row.protocol),
    FromPort: row.fromPort ?? -1,
    ToPort: row.toPort ?? -1,
    ...(peer.kind === 'cidr' && { CidrIpv4: peer.cidr }),
    ...(peer.kind === 'cidr6' && { CidrIpv6: peer.cidr }),
    ...(peer.kind === 'prefix-list' && { PrefixListId: peer.prefixListId }),
    // The VPC is told of a group in another one alone.
    ...(peer.kind === 'security-group' && { ReferencedGroupInfo: toPair(call.tx, row, peer) }),
    ...(row.description !== undefined && { Description: row.description }),
    Tags: toTags(row.tags),
  };
}
