// The protocol part of a group's or an ACL's rule in nft's words. Ports and ICMP type and code match as AWS reads them: -1 is every one (S10, N1).

import type { IcmpMatch, PortRange, Protocol } from '@postern/network/snapshot.ts';

export function portMatch(rule: {
  readonly protocol: Protocol;
  readonly ports?: PortRange;
  readonly icmp?: IcmpMatch;
}): string {
  switch (rule.protocol) {
    case -1:
      return '';
    case 6:
      return `meta l4proto tcp${ports('tcp', rule.ports)}`;
    case 17:
      return `meta l4proto udp${ports('udp', rule.ports)}`;
    case 1:
      return `meta l4proto icmp${icmp('icmp', rule.icmp)}`;
    case 58:
      return `meta l4proto ipv6-icmp${icmp('icmpv6', rule.icmp)}`;
    default:
      return `meta l4proto ${rule.protocol}`;
  }
}

function ports(protocol: 'tcp' | 'udp', range: PortRange | undefined): string {
  if (range === undefined || (range.from <= 0 && range.to >= 65_535)) return '';
  return ` ${protocol} dport ${range.from === range.to ? range.from : `${range.from}-${range.to}`}`;
}

function icmp(protocol: 'icmp' | 'icmpv6', match: IcmpMatch | undefined): string {
  if (match === undefined || match.type === -1) return '';
  return ` ${protocol} type ${match.type}${match.code === -1 ? '' : ` ${protocol} code ${match.code}`}`;
}
