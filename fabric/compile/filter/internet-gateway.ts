// The internet gateway in every hook: the stages igw-egress and igw-ingress (I2–I4), the edge route table (R14) and VPC Block Public Access.
//
// Each pair of a private and a public address has a conntrack zone of its own. So a flow belongs to the association that it began with: when an Elastic
// IP moves, what goes on is a new flow in another zone. TCP in the middle of a connection is answered with a reset, UDP and ping continue under the new address.

import type { Subnet } from '@postern/network/snapshot.ts';
import { numberOf, publicPairKey } from '../allocation.ts';
import type { NftChain, NftRule, NftSet } from '../host-state.ts';
import { igwDevice, mark } from '../names.ts';
import { natGatewayOf } from '../nat-gateways.ts';
import { edgeTable, middleboxesOf, publicPairs, type VpcContext } from '../vpc-context.ts';
import { privateBlocks, stage } from './well-known.ts';

export function publicAddressSets(context: VpcContext): NftSet[] {
  const pairs = publicPairs(context);
  const zone = (own: string, public_: string) =>
    numberOf(context.allocation.publicPairs, publicPairKey(context.vpc.vpcId, own, public_));
  const blocked = blockedDevices(context).map((device) => `"${device}"`);
  return [
    {
      name: 'public-of',
      kind: 'map',
      type: 'ipv4_addr : ipv4_addr',
      elements: pairs.map(([own, public_]) => `${own} : ${public_}`),
    },
    {
      name: 'private-of',
      kind: 'map',
      type: 'ipv4_addr : ipv4_addr',
      elements: pairs.map(([own, public_]) => `${public_} : ${own}`),
    },
    { name: 'public-holders', kind: 'set', type: 'ipv4_addr', elements: pairs.map(([own]) => own) },
    {
      name: 'zone-of-private',
      kind: 'map',
      type: 'typeof ip saddr : ct zone',
      elements: pairs.map(([own, public_]) => `${own} : ${zone(own, public_)}`),
    },
    {
      name: 'zone-of-public',
      kind: 'map',
      type: 'typeof ip daddr : ct zone',
      elements: pairs.map(([own, public_]) => `${public_} : ${zone(own, public_)}`),
    },
    ...(blocked.length === 0
      ? []
      : [{ name: 'public-access-blocked', kind: 'set', type: 'ifname', elements: blocked } as const]),
  ];
}

/**
 * Interfaces that a gateway takes nothing from and brings nothing to. Ingress-only mode leaves the flows of NAT gateways, for those begin inside.
 * @param modes those that concern the gateway
 */
export function blockedDevices(
  context: VpcContext,
  modes: readonly Subnet['blockPublicAccess'][] = ['block-bidirectional', 'block-ingress'],
): string[] {
  return context.plugged
    .filter(({ eni, subnet: { blockPublicAccess } }) => {
      if (blockPublicAccess === undefined || !modes.includes(blockPublicAccess)) return false;
      return blockPublicAccess === 'block-bidirectional' || natGatewayOf(eni) === undefined;
    })
    .map(({ device }) => device);
}

/** Before connection tracking: the zone of the pair, going out and coming in. */
export function zoneChains(context: VpcContext): NftChain[] {
  const igw = context.vpc.internetGatewayId;
  if (igw === undefined) return [];
  return [
    { name: 'zone-igw', rules: [{ match: 'ct zone set ip saddr map @zone-of-private' }] },
    {
      name: 'zone-from-igw',
      rules: [
        { match: 'ct zone set ip daddr map @zone-of-public return' },
        { match: 'drop', comment: stage('igw-ingress', igw) },
      ],
    },
  ];
}

/**
 * After translation: which way does what came in take, and is there a way back? A public address is reached only when what answers would leave by this
 * gateway (I3): the subnet of the private address, or that of the middlebox which the edge route table puts in front of it.
 */
export function cameByIgwChains(context: VpcContext): NftChain[] {
  const igw = context.vpc.internetGatewayId;
  if (igw === undefined) return [];
  const edge = edgeTable(context);
  const stay = edge === undefined ? 0 : mark.edge;
  const onlyWithWayBack: NftRule[] = [
    { match: `fib saddr . mark oifname "${igwDevice}" meta mark set ${stay} return` },
    { match: 'ct direction original drop', comment: stage('igw-ingress', `${igw} no route back`) },
    // Marked only: a reset needs the packet routed, which comes after this hook.
    { match: `meta mark set ${mark.movedFromIgw}` },
  ];
  const byOwnSubnet: NftRule = { match: 'meta mark set ip daddr map @subnet-marks' };
  if (edge === undefined) return [{ name: 'came-by-igw', rules: [byOwnSubnet, ...onlyWithWayBack] }];
  const boxes = middleboxesOf(context);
  const verdicts = boxes.map(({ device }) => `"${device}" : goto came-by-igw-for-${device}`).join(', ');
  return [
    ...boxes.map(({ device, subnet }) => ({
      name: `came-by-igw-for-${device}`,
      rules: [{ match: `meta mark set ${numberOf(context.allocation.subnets, subnet.subnetId)}` }, ...onlyWithWayBack],
    })),
    {
      name: 'came-by-igw',
      rules: [
        { match: `meta mark set ${mark.edge}`, comment: stage('route', `${igw} ${edge.routeTableId}`) },
        ...(boxes.length === 0 ? [] : [{ match: `fib daddr . mark oifname vmap { ${verdicts} }` }]),
        byOwnSubnet,
        ...onlyWithWayBack,
      ],
    },
  ];
}

/** In the forward chain. */
export function igwRules(context: VpcContext): NftRule[] {
  const igw = context.vpc.internetGatewayId;
  if (igw === undefined) return [];
  const isBlocking = blockedDevices(context).length > 0;
  const blocking = [
    {
      match: `oifname "${igwDevice}" iifname @public-access-blocked drop`,
      comment: stage('igw-egress', `${igw} block public access`),
    },
    {
      match: `iifname "${igwDevice}" oifname @public-access-blocked drop`,
      comment: stage('igw-ingress', `${igw} block public access`),
    },
  ];
  return [
    { match: `oifname "${igwDevice}" ip daddr ${privateBlocks} drop`, comment: stage('igw-egress', igw) },
    { match: `oifname "${igwDevice}" ip saddr != @public-holders drop`, comment: stage('igw-egress', igw) },
    ...(isBlocking ? blocking : []),
  ];
}
