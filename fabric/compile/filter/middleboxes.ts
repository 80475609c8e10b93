// What a middlebox forwards passes the router again with the same addresses, and each time other groups decide. So each hop is a conntrack zone, the same
// in both directions: between a box and the interfaces of a subnet that subnet's (`leg-SUBNET`), between two boxes one for all (`between-boxes`).
// What a box itself sends and gets is in zone 0. Inside one subnet it is one for each interface (insideOne).
// Gap: of three boxes in a row the second hop between boxes is in the zone of the first, so its groups are not asked; ACLs are.

import type { Cidr, Subnet } from '@postern/network/snapshot.ts';
import { numberOf } from '../allocation.ts';
import type { Family } from '../family.ts';
import type { NftChain, NftRule } from '../host-state.ts';
import { nat64GatewaysOf } from '../ipv6/nat64.ts';
import { mark, zone } from '../names.ts';
import { natGatewaysOf } from '../nat-gateways.ts';
import { middleboxesOf, type VpcContext } from '../vpc-context.ts';
import { stage } from './well-known.ts';

/** @param paths verdicts by device that leads out of the VPC   @param forwardedPaths for what a middlebox hands on   @param isDiverted true when the subnet's own block has a middlebox's route (R13) */
export interface SubnetWays {
  readonly subnet: Subnet;
  readonly paths: readonly string[];
  readonly forwardedPaths: readonly string[];
  readonly isDiverted: boolean;
}

function devices(context: VpcContext): string {
  return `{ ${middleboxesOf(context)
    .map((each) => `"${each.device}"`)
    .join(', ')} }`;
}

/** In a subnet's arrival chain, before its own block is told apart: what a box hands on has a chain of its own. */
export function fromMiddlebox(context: VpcContext, { subnetId }: Subnet, family: Family = 'ip'): NftRule[] {
  if (middleboxesOf(context).length === 0) return [];
  return [{ match: `iifname ${devices(context)} ${family} saddr != @middlebox-addresses goto forwarded-${subnetId}` }];
}

/** In a subnet's arrival chain, when the packet has its mark: the next hop is a box. */
export function toMiddlebox(context: VpcContext, { subnetId }: Subnet, family: Family = 'ip'): NftRule[] {
  if (middleboxesOf(context).length === 0) return [];
  return [
    {
      match: `${family} daddr != @middlebox-addresses fib daddr . mark oifname ${devices(context)} jump leg-${subnetId}`,
    },
  ];
}

export function middleboxChains(context: VpcContext, ways: readonly SubnetWays[], family: Family = 'ip'): NftChain[] {
  if (middleboxesOf(context).length === 0) return [];
  return [
    // Of every subnet: what a box hands on may be for one that has no interface of this family now.
    ...context.subnets.map(({ subnetId }) => ({
      name: `leg-${subnetId}`,
      rules: [
        ...ways.filter((each) => each.subnet.subnetId === subnetId).flatMap((each) => insideOne(context, each, family)),
        { match: `ct zone set ${numberOf(context.allocation.middleboxZones, subnetId)}` },
      ],
    })),
    { name: 'between-boxes', rules: [{ match: `ct zone set ${zone.betweenBoxes}` }] },
    ...ways.map((each) => forwardedChain(context, each, family)),
  ];
}

/** Both hops between two interfaces of one subnet (R13) would be in its zone, and the second one's groups not asked. There each interface's address makes a zone. */
function insideOne(context: VpcContext, { subnet, isDiverted }: SubnetWays, family: Family): NftRule[] {
  const block = blockOf(subnet, family);
  if (!isDiverted || block === undefined) return [];
  const both = `${family} saddr ${block} ${family} daddr ${block}`;
  // An IPv4 subnet is a /16 at most: the last 16 bits tell its addresses apart. Of IPv6 two addresses in 65,535 have the same hash.
  const [source, destination] =
    family === 'ip'
      ? ['@nh,112,16', '@nh,144,16']
      : ['saddr', 'daddr'].map((field) => `jhash ip6 ${field} mod 65535 seed 0x1`);
  return [
    { match: `iifname ${devices(context)} ${both} ct zone set ${destination} return` },
    { match: `${both} ct zone set ${source} return` },
  ];
}

function blockOf(subnet: Subnet, family: Family): Cidr | undefined {
  return family === 'ip' ? subnet.cidrBlock : subnet.ipv6CidrBlock;
}

function forwardedChain(
  context: VpcContext,
  { subnet, forwardedPaths: paths, isDiverted }: SubnetWays,
  family: Family,
): NftChain {
  const { subnetId, routeTableId } = subnet;
  const ownBlock = blockOf(subnet, family);
  const legs = context.subnets.flatMap((each) => {
    const block = blockOf(each, family);
    return block === undefined ? [] : [`${block} : goto leg-${each.subnetId}`];
  });
  const ownNatGateways = family === 'ip' ? natGatewaysOf(context) : nat64GatewaysOf(context);
  const toNatGateways = ownNatGateways.map((each) => `"${each.device}" : goto leg-${each.subnet.subnetId}`);
  return {
    name: `forwarded-${subnetId}`,
    rules: [
      ...(isDiverted || ownBlock === undefined
        ? []
        : [
            {
              match: `${family} daddr ${ownBlock} meta mark set ${mark.sameSubnet} goto leg-${subnetId}`,
              comment: stage('route', `${subnetId} local`),
            },
          ]),
      {
        match: `meta mark set ${numberOf(context.allocation.subnets, subnetId)}`,
        comment: stage('route', `${subnetId} ${routeTableId}`),
      },
      {
        match: `${family} daddr != @middlebox-addresses fib daddr . mark oifname ${devices(context)} goto between-boxes`,
      },
      ...(toNatGateways.length === 0
        ? []
        : [{ match: `fib daddr . mark oifname vmap { ${toNatGateways.join(', ')} }` }]),
      ...(legs.length === 0 ? [] : [{ match: `${family} daddr vmap { ${legs.join(', ')} }` }]),
      { match: `${family} daddr @vpc-blocks return` },
      ...(paths.length === 0 ? [] : [{ match: `fib daddr . mark oifname vmap { ${paths.join(', ')} }` }]),
    ],
  };
}
