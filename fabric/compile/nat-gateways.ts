// NAT gateways. Each is a namespace of its own with one interface in its subnet: what it translates comes back to the router by that interface as
// anybody's packets do, so the route table and the ACL of its subnet decide on it by themselves (G8), and it has no groups.
// https://docs.aws.amazon.com/vpc/latest/userguide/nat-gateway-basics.html (read 2026-11-21)
// Gap: fragments of TCP and ICMP pass, for the kernel puts them together before anything is asked (G5).

import { addressAt } from '@postern/network/cidr.ts';
import type { NatGatewayId, NetworkInterface } from '@postern/network/snapshot.ts';
import { stage } from './filter/well-known.ts';
import type { NatGatewayState, NftChain, NftRule, NftSet, NftTable } from './host-state.ts';
import { macAddress, tracked } from './names.ts';
import type { PluggedInterface, VpcContext } from './vpc-context.ts';

/** The NAT gateway behind an interface that is one's; its id is also the name of its namespace. */
export function natGatewayOf({ service }: Pick<NetworkInterface, 'service'>): NatGatewayId | undefined {
  return service?.kind === 'nat-gateway' ? service.natGatewayId : undefined;
}

export function natGatewaysOf(context: VpcContext): readonly PluggedInterface[] {
  return context.plugged.filter((each) => natGatewayOf(each.eni) !== undefined);
}

/** @param nat64Gateways those that some route leads IPv6 to */
export function compileNatGateways(context: VpcContext, nat64Gateways: readonly PluggedInterface[]): NatGatewayState[] {
  return context.plugged.flatMap(({ eni, subnet, number }) => {
    const natGatewayId = natGatewayOf(eni);
    if (natGatewayId === undefined) return [];
    const addresses = eni.privateAddresses.map(({ address }) => address);
    return [
      {
        natGatewayId,
        networkInterfaceId: eni.networkInterfaceId,
        addresses,
        gateway: addressAt(subnet.cidrBlock, 1),
        gatewayMacAddress: macAddress('interface', number),
        hasNat64: nat64Gateways.some(({ eni: each }) => each === eni),
        table: translation(natGatewayId, addresses),
      },
    ];
  });
}

/**
 * What happens inside. Several addresses are used by a hash over the flow (G6); ports are those of N8. A packet in the middle of a connection that it does
 * not know, or no longer, is answered with a reset (G7). Its own addresses answer nothing (G5).
 */
function translation(id: NatGatewayId, addresses: readonly string[]): NftTable {
  const comment = stage('nat-gateway', id);
  const sources = addresses.map(
    (address): NftChain => ({
      name: `from-${address}`,
      rules: [
        { match: `meta l4proto { tcp, udp } snat to ${address}:1024-65535`, comment },
        { match: `snat to ${address}`, comment },
      ],
    }),
  );
  const verdicts = sources.map(({ name }, index) => `${index} : goto ${name}`).join(', ');
  const hash = (fields: string) => `jhash ${fields} mod ${sources.length} seed 0x1 vmap { ${verdicts} }`;
  const choice: NftRule[] =
    sources.length === 1
      ? [{ match: `goto ${sources[0]?.name}` }]
      : [
          { match: `meta l4proto { tcp, udp } ${hash('ip saddr . ip daddr . th sport . th dport')}` },
          { match: hash('ip saddr . ip daddr') },
        ];
  return {
    name: 'nat-gateway',
    sets: [],
    chains: [
      ...sources,
      { name: 'translate', hook: 'type nat hook postrouting priority srcnat; policy accept;', rules: choice },
      {
        name: 'route-through',
        hook: 'type filter hook forward priority filter; policy drop;',
        rules: [
          { match: 'meta l4proto != { tcp, udp, icmp } drop', comment },
          { match: 'ct state invalid meta l4proto tcp tcp flags & rst == 0 reject with tcp reset', comment },
          { match: 'ct state invalid drop', comment },
          { match: 'accept' },
        ],
      },
      { name: 'to-itself', hook: 'type filter hook input priority filter; policy drop;', rules: [] },
    ],
  };
}

/** In the router: which interfaces are NAT gateways'. */
export function natGatewaySets(gateways: readonly PluggedInterface[]): NftSet[] {
  if (gateways.length === 0) return [];
  const elements = gateways.map(({ device }) => `"${device}"`);
  return [{ name: 'nat-gateways', kind: 'set', type: 'ifname', elements }];
}

/** In the forward chain before anything that is no packet of a flow is dropped: a connection that was moved to a NAT gateway is not known on this way. */
export function movedToNatGateway(gateways: readonly PluggedInterface[]): NftRule[] {
  if (gateways.length === 0) return [];
  return [
    {
      match: 'ct state invalid oifname @nat-gateways meta l4proto tcp tcp flags & rst == 0 reject with tcp reset',
      comment: stage('nat-gateway', 'route moved'),
    },
  ];
}

/** In the forward chain before ACLs and groups: who may use a NAT gateway, and what one may send under other addresses than its own. */
export function natGatewayRules(context: VpcContext): NftRule[] {
  if (natGatewaysOf(context).length === 0) return [];
  const comment = stage('nat-gateway', context.vpc.vpcId);
  const toOthers = 'oifname @nat-gateways oifname . ip daddr != @interface-addresses';
  return [
    // G9: not by peering, and not by anything else that only ends here. What a transit gateway brings may come from anywhere (Z9).
    ...(context.attachments.length > 0 ? [] : [{ match: `${toOthers} ip saddr != @vpc-blocks drop`, comment }]),
    { match: `${toOthers} meta l4proto != { tcp, udp, icmp } drop`, comment },
    // Replies go to the instances under the address that answered; nothing can begin so.
    {
      match: 'iifname @nat-gateways iifname . ip saddr != @interface-addresses ct direction original drop',
      comment,
    },
    { match: `ct state new oifname @nat-gateways ct mark set ct mark | ${tracked.receiver}` },
    { match: `ct state new iifname @nat-gateways ct mark set ct mark | ${tracked.sender}` },
  ];
}
