// The `ip6` table of a VPC's router. Its chains are those of the `ip` one without translation (docs/packet-path.md), and one gateway more: the egress-only
// one, which lets through what was begun inside and nothing else (4.4).
// Neighbour discovery reaches the router and never crosses it: every link has one guest and the router on it.

import { nat64Prefix } from '@postern/network/nat64.ts';
import type { Subnet } from '@postern/network/snapshot.ts';
import { numberOf } from '../allocation.ts';
import { hopLimitChains, tokenAnswer } from '../filter/forward.ts';
import { blockedDevices } from '../filter/internet-gateway.ts';
import { fromMiddlebox, middleboxChains, type SubnetWays, toMiddlebox } from '../filter/middleboxes.ts';
import { forwardingSubnets, hopLimitMap } from '../filter/sets.ts';
import { stage, strayReply, verdictMap } from '../filter/well-known.ts';
import { withFlowLogs } from '../flow-logs.ts';
import type { NftChain, NftRule, NftSet, NftTable } from '../host-state.ts';
import { awsDevice, egressOnlyDevice, igwDevice, mark, tracked, zone } from '../names.ts';
import { movedToNatGateway, natGatewaySets } from '../nat-gateways.ts';
import { compileNetworkAcls } from '../network-acls.ts';
import { peeringArrivals, peeringForwardRules, peeringZoneChains } from '../peering.ts';
import { mergedRanges } from '../ranges.ts';
import { compileSecurityGroups } from '../security-groups.ts';
import type { VpcContext } from '../vpc-context.ts';
import { type Ipv6Context, ipv6Context } from './context.ts';
import { nat64Rules, nat64Tracking } from './nat64.ts';
import { metadataSet, serviceChains, serviceRules, toServices } from './services.ts';

const neighbourDiscovery =
  '{ nd-router-solicit, nd-router-advert, nd-neighbor-solicit, nd-neighbor-advert, nd-redirect }';
/** What no gateway takes in or lets out: unspecified and loopback, IPv4 in disguise, unique local, link-local, multicast. */
const notGlobal = `{ ::/127, ::ffff:0:0/96, ${nat64Prefix}, fc00::/7, fe80::/10, ff00::/8 }`;
/** What no guest may send to by way of the router. */
const reserved = '{ ::/127, ::ffff:0:0/96, fe80::/10, ff00::/8, fd00:ec2::/32 }';

/** A VPC without IPv6 has the table too, and it lets nothing pass. */
export function compileIpv6Table(context: VpcContext): NftTable {
  const ipv6 = ipv6Context(context);
  return ipv6 === undefined
    ? { family: 'ip6', name: 'vpc', sets: [], chains: [forward([]), toRouter([])] }
    : withFlowLogs(context, compileTable(ipv6));
}

function compileTable(ipv6: Ipv6Context): NftTable {
  const { context, plugged } = ipv6;
  const groups = compileSecurityGroups(context, 'ip6', plugged);
  const acls = compileNetworkAcls(context, 'ip6', plugged);
  return {
    family: 'ip6',
    name: 'vpc',
    sets: [
      ...interfaceSets(ipv6),
      verdictMap('sg-ingress', groups.ingress),
      verdictMap('sg-egress', groups.egress),
      verdictMap('acl-ingress', acls.ingress),
      verdictMap('acl-egress', acls.egress),
      ...groups.sets,
    ],
    chains: [
      ...arrivalChains(ipv6),
      ...backChains(ipv6),
      ...serviceChains(context),
      ...hopLimitChains(context, 'ip6'),
      ...groups.chains,
      ...acls.chains,
      forward(forwardRules(ipv6)),
      toRouter([{ match: `icmpv6 type ${neighbourDiscovery} accept` }]),
    ],
  };
}

function forward(rules: readonly NftRule[]): NftChain {
  return { name: 'route-through', hook: 'type filter hook forward priority filter; policy drop;', rules };
}

/** The router answers nothing but neighbour solicitations. */
function toRouter(rules: readonly NftRule[]): NftChain {
  return { name: 'to-router', hook: 'type filter hook input priority filter; policy drop;', rules };
}

function devices(names: readonly string[]): string {
  return `{ ${names.map((name) => `"${name}"`).join(', ')} }`;
}

function interfaceSets({ context, plugged, boxes, natGateways, peerings }: Ipv6Context): NftSet[] {
  const checked = plugged.filter((each) => !boxes.includes(each));
  const subnets = context.subnets.flatMap(({ subnetId, ipv6CidrBlock }) =>
    ipv6CidrBlock === undefined ? [] : [`${ipv6CidrBlock} : ${numberOf(context.allocation.subnets, subnetId)}`],
  );
  const set = (name: string, type: string, elements: readonly string[]): NftSet => ({
    name,
    kind: 'set',
    type,
    elements,
  });
  return [
    verdictMap('arrivals', [
      ...plugged.map((each) => `"${each.device}" : goto from-${each.subnet.subnetId}`),
      ...peeringArrivals(peerings),
    ]),
    set(
      'interface-addresses',
      'ifname . ipv6_addr',
      checked.flatMap(({ eni, device }) => eni.ipv6Addresses.map((address) => `"${device}" . ${address}`)),
    ),
    set(
      'unchecked',
      'ifname',
      [...boxes, ...natGateways].map(({ device }) => `"${device}"`),
    ),
    set(
      'holders',
      'ipv6_addr',
      plugged.flatMap(({ eni }) => eni.ipv6Addresses),
    ),
    set(
      'middlebox-addresses',
      'ipv6_addr',
      boxes.flatMap(({ eni }) => eni.ipv6Addresses),
    ),
    ...natGatewaySets(natGateways),
    metadataSet(context),
    hopLimitMap(context),
    ...forwardingSubnets(context),
    { ...set('vpc-blocks', 'ipv6_addr', mergedRanges(context.vpc.ipv6CidrBlocks)), interval: true },
    { name: 'subnet-marks', kind: 'map', type: 'ipv6_addr : mark', interval: true, elements: subnets },
  ];
}

/** Before connection tracking, as filter/arrival.ts. */
function arrivalChains(ipv6: Ipv6Context): NftChain[] {
  const { context, plugged, outside, peerings } = ipv6;
  const inUse = new Set(plugged.map((each) => each.subnet.subnetId));
  const ways = context.subnets.filter((subnet) => inUse.has(subnet.subnetId)).map((subnet) => waysOf(ipv6, subnet));
  return [
    {
      name: 'arrive',
      hook: 'type filter hook prerouting priority raw; policy accept;',
      rules: [
        { match: 'iifname vmap @arrivals' },
        { match: `iifname "${awsDevice}" ct zone set ${zone.service} accept` },
        ...(outside.length === 0 ? [] : [{ match: `iifname ${devices(outside)} goto zone-outside` }]),
        { match: 'drop' },
      ],
    },
    ...ways.map((each) => fromSubnet(ipv6, each)),
    ...peeringZoneChains(peerings),
    ...middleboxChains(context, ways, 'ip6'),
    ...(outside.length === 0 ? [] : [{ name: 'zone-outside', rules: [{ match: `ct zone set ${zone.ipv6Outside}` }] }]),
  ];
}

function waysOf({ context, outside, peerings }: Ipv6Context, subnet: Subnet): SubnetWays {
  // A route for exactly this subnet's block is a middlebox's: it catches traffic inside the subnet too (R4, R13).
  const isDiverted = context.routeTables
    .get(subnet.routeTableId)
    ?.routes.some(
      ({ destination, target }) =>
        destination.kind === 'cidr' && destination.cidr === subnet.ipv6CidrBlock && target.kind !== 'local',
    );
  const paths = [
    ...outside.map((device) => `"${device}" : goto zone-outside`),
    ...peerings.map(({ device }) => `"${device}" : goto zone-${device}`),
  ];
  return { subnet, paths, forwardedPaths: paths, isDiverted: isDiverted === true };
}

function fromSubnet({ context }: Ipv6Context, { subnet, paths, isDiverted }: SubnetWays): NftChain {
  const { subnetId, ipv6CidrBlock } = subnet;
  const rules: NftRule[] = [
    { match: `ip6 daddr { fe80::/10, ff02::/16 } ip6 hoplimit 255 icmpv6 type ${neighbourDiscovery} return` },
    {
      match: 'iifname . ip6 saddr != @interface-addresses iifname != @unchecked drop',
      comment: stage('eni-address', subnetId),
    },
    toServices(context),
    { match: `ip6 daddr ${reserved} drop`, comment: stage('route', context.vpc.vpcId) },
    ...fromMiddlebox(context, subnet, 'ip6'),
  ];
  if (!isDiverted && ipv6CidrBlock !== undefined)
    rules.push({
      match: `ip6 daddr ${ipv6CidrBlock} meta mark set ${mark.sameSubnet} return`,
      comment: stage('route', `${subnetId} local`),
    });
  rules.push(
    {
      match: `meta mark set ${numberOf(context.allocation.subnets, subnetId)}`,
      comment: stage('route', `${subnetId} ${subnet.routeTableId}`),
    },
    ...toMiddlebox(context, subnet, 'ip6'),
    { match: 'ip6 daddr @vpc-blocks return' },
  );
  if (paths.length > 0) rules.push({ match: `fib daddr . mark oifname vmap { ${paths.join(', ')} }` });
  return { name: `from-${subnetId}`, rules };
}

/**
 * After connection tracking, for what comes from the internet. A flow begun there passes only if its subnet's own route answers by the internet gateway
 * (I3), and a reply only if its flow would still leave by a gateway (W6).
 */
function backChains({ context, outside, hasEgressOnly }: Ipv6Context): NftChain[] {
  if (outside.length === 0) return [];
  const gateways = devices(outside);
  const { internetGatewayId: igw, egressOnlyInternetGatewayIds: eigws, vpcId } = context.vpc;
  const gatewayIds = [igw, ...eigws].filter((id) => id !== undefined).join(' ');
  const comment = igw === undefined ? stage('egress-only-gateway', gatewayIds) : stage('igw-ingress', gatewayIds);
  const answers = (names: string) => `fib saddr . mark oifname ${names} meta mark set 0 return`;
  const fromMark = { match: 'meta mark set ip6 daddr map @subnet-marks' };
  return [
    {
      name: 'begun-outside',
      rules:
        igw === undefined
          ? [{ match: 'drop', comment }]
          : [
              ...(hasEgressOnly
                ? [
                    {
                      match: `iifname "${egressOnlyDevice}" drop`,
                      comment: stage('egress-only-gateway', eigws.join(' ')),
                    },
                  ]
                : []),
              fromMark,
              { match: answers(`"${igwDevice}"`) },
              { match: 'drop', comment },
            ],
    },
    {
      name: 'moved-outside',
      rules: [fromMark, { match: answers(gateways) }, { match: `meta mark set ${mark.movedFromIgw}` }],
    },
    {
      name: 'reset-moved',
      rules: [
        {
          match: `meta l4proto tcp tcp flags & rst == 0 meta mark set ${mark.toIgw} reject with tcp reset`,
          comment: stage('igw-ingress', `${gatewayIds} route moved`),
        },
        { match: 'drop', comment: stage('igw-ingress', `${gatewayIds} route moved`) },
      ],
    },
    {
      name: 'from-outside',
      hook: 'type filter hook prerouting priority -50; policy accept;',
      rules: [
        { match: `iifname != ${gateways} return` },
        { match: `ip6 saddr ${notGlobal} drop`, comment },
        { match: 'ip6 saddr @vpc-blocks drop', comment },
        { match: 'ip6 daddr != @vpc-blocks drop', comment: stage('igw-ingress', vpcId) },
        { match: 'ct direction reply jump moved-outside' },
        { match: 'ct state new jump begun-outside' },
      ],
    },
  ];
}

function gatewayRules(ipv6: Ipv6Context): NftRule[] {
  const { context, natGateways, outside, hasEgressOnly } = ipv6;
  if (outside.length === 0) return [...movedToNatGateway(natGateways), strayReply(context)];
  const gateways = devices(outside);
  const { internetGatewayId: igw, egressOnlyInternetGatewayIds: eigws } = context.vpc;
  const comment = stage('igw-egress', [igw, ...eigws].filter((id) => id !== undefined).join(' '));
  return [
    { match: `iifname ${gateways} meta mark ${mark.movedFromIgw} goto reset-moved` },
    {
      match: `ct state invalid oifname ${gateways} meta l4proto tcp tcp flags & rst == 0 reject with tcp reset`,
      comment: stage('igw-egress', `${[igw, ...eigws].filter((id) => id !== undefined).join(' ')} route moved`),
    },
    ...movedToNatGateway(natGateways),
    strayReply(context),
    ...publicAccessRules(ipv6),
    { match: `oifname ${gateways} ip6 daddr ${notGlobal} drop`, comment },
    { match: `oifname ${gateways} ip6 saddr != @holders drop`, comment },
    ...(hasEgressOnly
      ? [
          // It knows the flows that began through it, and no others: not even the replies of one that came by the internet gateway.
          { match: `ct state new oifname "${egressOnlyDevice}" ct mark set ct mark | ${tracked.egressOnly}` },
          {
            match: `oifname "${egressOnlyDevice}" ct mark & ${tracked.egressOnly} == 0 ct state != related drop`,
            comment: stage('egress-only-gateway', eigws.join(' ')),
          },
        ]
      : []),
  ];
}

/**
 * VPC Block Public Access. Ingress-only mode leaves the egress-only gateway, for its flows begin inside; their replies may come by the link of the
 * internet gateway, because an address is the same by both.
 */
function publicAccessRules({ context, outside }: Ipv6Context): NftRule[] {
  const { internetGatewayId: igw, egressOnlyInternetGatewayIds: eigws } = context.vpc;
  const ids = [igw, ...eigws].filter((id) => id !== undefined).join(' ');
  const out = stage('igw-egress', `${ids} block public access`);
  const into = stage('igw-ingress', `${ids} block public access`);
  const gateways = devices(outside);
  const everything = blockedDevices(context, ['block-bidirectional']);
  const ingress = blockedDevices(context, ['block-ingress']);
  return [
    ...(everything.length === 0
      ? []
      : [
          { match: `oifname ${gateways} iifname ${devices(everything)} drop`, comment: out },
          { match: `iifname ${gateways} oifname ${devices(everything)} drop`, comment: into },
        ]),
    ...(ingress.length === 0
      ? []
      : [
          { match: `oifname "${igwDevice}" iifname ${devices(ingress)} drop`, comment: out },
          {
            match: `iifname "${igwDevice}" oifname ${devices(ingress)} ct mark & ${tracked.egressOnly} == 0 drop`,
            comment: into,
          },
        ]),
  ];
}

function forwardRules(ipv6: Ipv6Context): NftRule[] {
  const { context, outside, boxes, natGateways, hasEgressOnly, peerings } = ipv6;
  const { sender, receiver, both } = tracked;
  const edges = [...outside, ...peerings.map(({ device }) => device)];
  const toInterface = edges.length === 0 ? '' : `oifname != ${devices(edges)} `;
  return [
    { match: `icmpv6 type ${neighbourDiscovery} drop` },
    ...serviceRules(context, tokenAnswer),
    ...gatewayRules(ipv6),
    ...nat64Rules(ipv6),
    ...peeringForwardRules(peerings, 'ip6'),
    // Gateways and peerings have no groups: their end of a flow counts as tracked.
    ...(edges.length === 0
      ? []
      : [
          { match: `ct state new oifname ${devices(edges)} ct mark set ct mark | ${receiver}` },
          { match: `ct state new iifname ${devices(edges)} ct mark set ct mark | ${sender}` },
        ]),
    {
      match: `${toInterface}oifname . ip6 daddr != @interface-addresses oifname != @unchecked drop`,
      comment: stage('source-dest-check', context.vpc.vpcId),
    },
    ...(boxes.length + natGateways.length > 0
      ? [{ match: `meta mark . oifname @next-hops-in-subnet meta mark set ${mark.sameSubnet}` }]
      : []),
    { match: `meta mark != ${mark.sameSubnet} iifname vmap @acl-egress` },
    { match: `meta mark != ${mark.sameSubnet} oifname vmap @acl-ingress` },
    { match: `ct mark & ${both} == ${both} accept`, comment: stage('sg-ingress', 'tracked') },
    { match: 'ct state related accept', comment: stage('sg-ingress', 'tracked') },
    { match: `ct direction original ct mark & ${sender} == 0 iifname vmap @sg-egress` },
    { match: `ct direction reply ct mark & ${receiver} == 0 iifname vmap @sg-egress` },
    { match: `ct direction original ct mark & ${receiver} == 0 oifname vmap @sg-ingress` },
    { match: `ct direction reply ct mark & ${sender} == 0 oifname vmap @sg-ingress` },
    // Flows through an egress-only gateway and a NAT gateway are tracked whatever the rules say (S13).
    ...(hasEgressOnly ? [{ match: `ct state new oifname "${egressOnlyDevice}" ct mark set ct mark | ${both}` }] : []),
    ...nat64Tracking(ipv6),
    { match: 'accept' },
  ];
}
