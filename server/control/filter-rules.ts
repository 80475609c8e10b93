// Rows of network ACLs and security groups → what a filter compares: entries by their number, ports and ICMP types without EC2's -1 for all.
// Rules: N1 (the lowest number decides), S7 (a rule names a group wherever it is).

import type {
  IcmpMatch,
  NetworkAcl,
  NetworkAclEntry,
  PortRange,
  RulePeer,
  SecurityGroup,
  SecurityGroupRule,
} from '@postern/network/snapshot.ts';
import type { NetworkAclRow, SecurityGroupRow, SecurityGroupRuleRow } from '../store/rows/ec2.ts';

export function toNetworkAcl(row: NetworkAclRow): NetworkAcl {
  const entries = [...row.entries].sort((a, b) => a.ruleNumber - b.ruleNumber);
  const side = (egress: boolean) =>
    entries.flatMap((entry): NetworkAclEntry[] => {
      const cidr = entry.cidrBlock ?? entry.ipv6CidrBlock;
      if (entry.egress !== egress || cidr === undefined) return [];
      return [
        {
          ruleNumber: entry.ruleNumber,
          protocol: entry.protocol,
          action: entry.action,
          cidr,
          ...(entry.portRange && { ports: entry.portRange }),
          ...(entry.icmp && { icmp: entry.icmp }),
        },
      ];
    });
  return { networkAclId: row.id, ingress: side(false), egress: side(true) };
}

/** @param rules the group's own, of both directions */
export function toSecurityGroup(row: SecurityGroupRow, rules: readonly SecurityGroupRuleRow[]): SecurityGroup {
  const side = (egress: boolean) => rules.filter((rule) => rule.isEgress === egress).flatMap(toRule);
  return { groupId: row.id, ingress: side(false), egress: side(true) };
}

const [icmp, tcp, udp, icmpv6] = [1, 6, 17, 58];
const everyPort: PortRange = { from: 0, to: 65535 };

function toRule(row: SecurityGroupRuleRow): SecurityGroupRule[] {
  const peer = toPeer(row.peer);
  const rule = { ruleId: row.id, protocol: row.protocol, peer };
  if (row.protocol === tcp || row.protocol === udp) return [{ ...rule, ports: portsOf(row) }];
  if (row.protocol === icmp || row.protocol === icmpv6) return [{ ...rule, icmp: icmpOf(row) }];
  return [rule];
}

function toPeer(peer: SecurityGroupRuleRow['peer']): RulePeer {
  switch (peer.kind) {
    case 'cidr6':
      return { kind: 'cidr', cidr: peer.cidr };
    // The row also keeps whose group it is.
    case 'security-group':
      return { kind: 'security-group', groupId: peer.groupId };
    default:
      return peer;
  }
}

function portsOf({ fromPort = -1, toPort = -1 }: SecurityGroupRuleRow): PortRange {
  return fromPort === -1 ? everyPort : { from: fromPort, to: toPort === -1 ? 65535 : toPort };
}

function icmpOf({ fromPort = -1, toPort = -1 }: SecurityGroupRuleRow): IcmpMatch {
  return { type: fromPort, code: toPort };
}
