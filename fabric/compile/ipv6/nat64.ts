// NAT64: IPv6 packets for addresses of 64:ff9b::/96 that a route leads to a NAT gateway (G13). To the router it is a forwarding interface without IPv6 addresses;
// inside, the translator makes IPv4 of them before the gateway's own translation (nat64.pl), and what leaves is IPv4 like any other.

import { numberToIp, overlaps, parseCidr } from '@postern/network/cidr.ts';
import { embedIpv4, nat64Prefix } from '@postern/network/nat64.ts';
import { linkLocalBlock, reserved, stage } from '../filter/well-known.ts';
import type { NftRule } from '../host-state.ts';
import { tracked } from '../names.ts';
import { natGatewayOf, natGatewaysOf } from '../nat-gateways.ts';
import type { PluggedInterface, VpcContext } from '../vpc-context.ts';
import { destinationsOf } from '../vpc-links.ts';
import type { Ipv6Context } from './context.ts';

/** Those that some route leads such packets to; the others cost nothing. */
export function nat64GatewaysOf(context: VpcContext): readonly PluggedInterface[] {
  const led = new Set<string>();
  for (const { routes } of context.vpc.routeTables)
    for (const route of routes) {
      const { target, state } = route;
      const isLed = target.kind === 'nat-gateway' && state === 'active' && !led.has(target.natGatewayId);
      if (isLed && destinationsOf(context, route, 'ip6').some((cidr) => overlaps(cidr, nat64Prefix)))
        led.add(target.natGatewayId);
    }
  return natGatewaysOf(context).filter(({ eni }) => led.has(natGatewayOf(eni) ?? ''));
}

/** What no guest may send to by IPv4 either, and the services that know a guest by its own address. */
function nowhere({ resolver }: VpcContext): string[] {
  const blocks = [...reserved, linkLocalBlock, ...(resolver === undefined ? [] : [`${resolver}/32` as const])];
  return blocks.map((block) => {
    const { address, prefixLength } = parseCidr(block) ?? { address: 0, prefixLength: 32 };
    return `${embedIpv4(numberToIp(address))}/${96 + prefixLength}`;
  });
}

/** In the forward chain before ACLs and groups. */
export function nat64Rules({ context, natGateways }: Ipv6Context): NftRule[] {
  if (natGateways.length === 0) return [];
  const comment = stage('nat-gateway', context.vpc.vpcId);
  return [
    { match: `oifname @nat-gateways ip6 daddr != ${nat64Prefix} drop`, comment },
    { match: `oifname @nat-gateways ip6 daddr { ${nowhere(context).join(', ')} } drop`, comment },
    // G9.
    { match: 'oifname @nat-gateways ip6 saddr != @vpc-blocks drop', comment },
    { match: 'oifname @nat-gateways meta l4proto != { tcp, udp, ipv6-icmp } drop', comment },
    { match: 'oifname @nat-gateways icmpv6 type != echo-request ct state != related drop', comment },
    // Replies; nothing can begin so.
    { match: `iifname @nat-gateways ip6 saddr != ${nat64Prefix} drop`, comment },
    { match: 'iifname @nat-gateways ct direction original drop', comment },
    { match: `ct state new oifname @nat-gateways ct mark set ct mark | ${tracked.receiver}` },
  ];
}

/** At its end, where groups have let the flow begin. */
export function nat64Tracking({ natGateways }: Ipv6Context): NftRule[] {
  return natGateways.length === 0
    ? []
    : [{ match: `ct state new oifname @nat-gateways ct mark set ct mark | ${tracked.both}` }];
}
