// The nft table of a VPC's router: every decision that is not a route. docs/packet-path.md tells a packet's way through it.
// Constant work per packet: interfaces are reached by verdict maps, and a flow that both ends' groups track skips the groups (S11).

import type { Subnet } from '@postern/network/snapshot.ts';
import type { StageName } from '@postern/network/stages.ts';
import { tokenAnswerBeginning } from '../types.ts';
import { numberOf } from './allocation.ts';
import type { NftChain, NftRule, NftSet, NftTable } from './host-state.ts';
import {
  awsDevice,
  endpointMark,
  igwDevice,
  mark,
  metadataAddress,
  movedMark,
  resolverAddress,
  tracked,
  zone,
} from './names.ts';
import { compileNetworkAcls } from './network-acls.ts';
import { mergedRanges } from './ranges.ts';
import { compileSecurityGroups } from './security-groups.ts';
import type { VpcContext } from './vpc-context.ts';

const metadata = '169.254.169.254';
const linkLocalResolver = '169.254.169.253';
const timeSync = '169.254.169.123';
/** What an internet gateway neither takes in nor lets out (I4): RFC 1918 and RFC 6598. */
const privateBlocks = '{ 10.0.0.0/8, 100.64.0.0/10, 172.16.0.0/12, 192.168.0.0/16 }';
/** The underlay, multicast and broadcast: nothing a guest may send to. */
const reservedBlocks = '{ 127.0.0.0/8, 224.0.0.0/3 }';

/** 16 bytes of the payload, behind the status line: as much as one comparison takes. */
const tokenAnswer = (() => {
  const offset = tokenAnswerBeginning.indexOf('\n') + 1;
  const bytes = Buffer.from(tokenAnswerBeginning).subarray(offset, offset + 16);
  return `@ih,${offset * 8},${bytes.length * 8} 0x${bytes.toString('hex')}`;
})();

export function compileVpcTable(context: VpcContext): NftTable {
  const groups = compileSecurityGroups(context);
  const acls = compileNetworkAcls(context);
  return {
    name: 'vpc',
    sets: [
      ...interfaceSets(context),
      ...addressSets(context),
      verdictMap('sg-ingress', groups.ingress),
      verdictMap('sg-egress', groups.egress),
      verdictMap('acl-ingress', acls.ingress),
      verdictMap('acl-egress', acls.egress),
      ...groups.sets,
    ],
    chains: [
      ...arrivalChains(context),
      ...natChains(context),
      ...departureChains(context),
      ...hopLimitChains(context),
      ...groups.chains,
      ...acls.chains,
      forwardChain(context),
      // The router itself answers nothing but ARP.
      { name: 'to-router', hook: 'type filter hook input priority filter; policy drop;', rules: [] },
    ],
  };
}

function interfaceSets(context: VpcContext): NftSet[] {
  const checked = context.plugged.filter((each) => each.eni.sourceDestCheck);
  const unchecked = context.plugged.filter((each) => !each.eni.sourceDestCheck);
  const hopLimits = new Map(context.vpc.instances.map((each) => [each.instanceId, each.metadata.hopLimit]));
  return [
    verdictMap(
      'arrivals',
      context.plugged.map((each) => `"${each.device}" : goto from-${each.subnet.subnetId}`),
    ),
    {
      name: 'interface-addresses',
      kind: 'set',
      type: 'ifname . ipv4_addr',
      elements: checked.flatMap((each) =>
        each.eni.privateAddresses.map(({ address }) => `"${each.device}" . ${address}`),
      ),
    },
    { name: 'unchecked', kind: 'set', type: 'ifname', elements: unchecked.map((each) => `"${each.device}"`) },
    {
      name: 'middlebox-addresses',
      kind: 'set',
      type: 'ipv4_addr',
      elements: unchecked.flatMap((each) => each.eni.privateAddresses.map(({ address }) => address)),
    },
    verdictMap(
      'hop-limits',
      context.plugged.flatMap((each) => {
        const limit = each.eni.attachment === undefined ? undefined : hopLimits.get(each.eni.attachment.instanceId);
        return limit === undefined || limit >= 64 ? [] : [`"${each.device}" : jump hop-limit-${limit}`];
      }),
    ),
  ];
}

function addressSets(context: VpcContext): NftSet[] {
  const pairs = publicPairs(context);
  return [
    {
      name: 'vpc-blocks',
      kind: 'set',
      type: 'ipv4_addr',
      interval: true,
      elements: mergedRanges(context.vpc.cidrBlocks),
    },
    {
      name: 'subnet-marks',
      kind: 'map',
      type: 'ipv4_addr : mark',
      interval: true,
      elements: context.subnets.map(
        (each) => `${each.cidrBlock} : ${numberOf(context.allocation.subnets, each.subnetId)}`,
      ),
    },
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
      name: 'igw-pairs',
      kind: 'set',
      type: 'ipv4_addr . ipv4_addr',
      elements: pairs.map(([own, public_]) => `${own} . ${public_}`),
    },
  ];
}

/** Private and public address of everything plugged that has one; empty without an internet gateway. */
export function publicPairs(context: VpcContext): (readonly [string, string])[] {
  if (context.vpc.internetGatewayId === undefined) return [];
  return context.plugged.flatMap((each) =>
    each.eni.privateAddresses.flatMap(({ address, publicAddress }) =>
      publicAddress === undefined ? [] : [[address, publicAddress] as const],
    ),
  );
}

/** Before connection tracking: who sent it, which route table decides, and the conntrack zone of the path it will take. */
function arrivalChains(context: VpcContext): NftChain[] {
  const igw = context.vpc.internetGatewayId;
  const boxes = context.plugged.filter((each) => !each.eni.sourceDestCheck);
  const legs = context.subnets.map((each) => `${each.cidrBlock} : jump leg-${each.subnetId}`).join(', ');
  const paths = context.endpoints.map((each) => `"${each.device}" : goto zone-${each.device}`);
  if (igw !== undefined) paths.push(`"${igwDevice}" : goto zone-igw`);
  const services = [
    metadata,
    linkLocalResolver,
    timeSync,
    ...(context.resolver === undefined ? [] : [context.resolver]),
  ];
  const fromSubnets = context.subnets.map((subnet): NftChain => {
    const ownTable = context.routeTables.get(subnet.routeTableId);
    // A route for exactly this subnet's block is a middlebox's: it catches traffic inside the subnet too (R4, R13).
    const middlebox = ownTable?.routes.some(
      (route) =>
        route.destination.kind === 'cidr' &&
        route.destination.cidr === subnet.cidrBlock &&
        route.target.kind !== 'local',
    );
    const rules: NftRule[] = [
      {
        match: 'iifname . ip saddr != @interface-addresses iifname != @unchecked drop',
        comment: stage('eni-address', subnet.subnetId),
      },
      {
        match: `ip daddr { ${services.join(', ')} } goto to-services`,
        comment: stage('link-local', context.vpc.vpcId),
      },
      { match: `ip daddr ${reservedBlocks} drop`, comment: stage('route', context.vpc.vpcId) },
    ];
    if (boxes.length > 0)
      rules.push({ match: `iifname @unchecked ip saddr != @middlebox-addresses ip daddr vmap { ${legs} }` });
    if (middlebox !== true)
      rules.push({
        match: `ip daddr ${subnet.cidrBlock} meta mark set ${mark.sameSubnet} return`,
        comment: stage('route', `${subnet.subnetId} local`),
      });
    rules.push({
      match: `meta mark set ${numberOf(context.allocation.subnets, subnet.subnetId)}`,
      comment: stage('route', `${subnet.subnetId} ${subnet.routeTableId}`),
    });
    if (boxes.length > 0)
      rules.push({
        match: `ip daddr != @middlebox-addresses fib daddr . mark oifname { ${boxes.map((each) => `"${each.device}"`).join(', ')} } jump leg-${subnet.subnetId}`,
      });
    rules.push({ match: 'ip daddr @vpc-blocks return' });
    if (paths.length > 0) rules.push({ match: `fib daddr . mark oifname vmap { ${paths.join(', ')} }` });
    return { name: `from-${subnet.subnetId}`, rules };
  });
  return [
    {
      name: 'arrive',
      hook: 'type filter hook prerouting priority raw; policy accept;',
      rules: [
        { match: 'iifname vmap @arrivals' },
        { match: `iifname "${awsDevice}" ct zone set ${zone.service}` },
        ...(igw === undefined ? [] : [{ match: `iifname "${igwDevice}" goto zone-igw` }]),
        ...context.endpoints.map((each) => ({ match: `iifname "${each.device}" goto zone-${each.device}` })),
      ],
    },
    ...fromSubnets,
    ...(boxes.length === 0 ? [] : context.subnets.map((subnet) => legChain(context, subnet))),
    {
      name: 'to-services',
      rules: [
        ...(context.vpc.enableDnsSupport
          ? []
          : [
              {
                match: `ip daddr { ${services.filter((each) => each !== metadata && each !== timeSync).join(', ')} } drop`,
                comment: stage('link-local', `${context.vpc.vpcId} enableDnsSupport=false`),
              },
            ]),
        { match: `meta mark set ${mark.service} ct zone set ${zone.service}` },
      ],
    },
    ...(igw === undefined ? [] : [{ name: 'zone-igw', rules: [{ match: `ct zone set ${zone.igw}` }] }]),
    ...context.endpoints.map((each) => ({
      name: `zone-${each.device}`,
      rules: [{ match: `ct zone set ${each.number}` }],
    })),
  ];
}

/**
 * What a middlebox forwards passes the router twice with the same addresses, and each time other groups decide: so the way between the box and the
 * instances of a subnet is a conntrack zone of its own, both to the box and from it. What the box itself sends and gets is in zone 0.
 * Gap: between two boxes in a row the two directions differ.
 */
function legChain(context: VpcContext, subnet: Subnet): NftChain {
  return {
    name: `leg-${subnet.subnetId}`,
    rules: [{ match: `ct zone set ${numberOf(context.allocation.middleboxZones, subnet.subnetId)}` }],
  };
}

function natChains(context: VpcContext): NftChain[] {
  const igw = context.vpc.internetGatewayId;
  const resolvers = [linkLocalResolver, ...(context.resolver === undefined ? [] : [context.resolver])].join(', ');
  const prefixMap = (blocks: VpcContext['blocks']) =>
    `snat ip prefix to ip saddr map { ${blocks.map(([from, to]) => `${from} : ${to}`).join(', ')} }`;
  return [
    {
      name: 'nat-in',
      hook: 'type nat hook prerouting priority dstnat; policy accept;',
      rules: [
        ...(igw === undefined
          ? []
          : [{ match: `iifname "${igwDevice}" dnat to ip daddr map @private-of`, comment: stage('igw-ingress', igw) }]),
        {
          match: `meta mark ${mark.service} ip daddr ${metadata} tcp dport 80 dnat to ${metadataAddress}`,
          comment: stage('link-local', 'metadata'),
        },
        {
          match: `meta mark ${mark.service} ip daddr { ${resolvers} } udp dport 53 dnat to ${resolverAddress}`,
          comment: stage('link-local', 'resolver'),
        },
        {
          match: `meta mark ${mark.service} ip daddr { ${resolvers} } tcp dport 53 dnat to ${resolverAddress}`,
          comment: stage('link-local', 'resolver'),
        },
      ],
    },
    {
      name: 'nat-out',
      hook: 'type nat hook postrouting priority srcnat; policy accept;',
      rules: [
        ...(igw === undefined
          ? []
          : [{ match: `oifname "${igwDevice}" snat to ip saddr map @public-of`, comment: stage('igw-egress', igw) }]),
        {
          match: `oifname "${awsDevice}" ${prefixMap(context.blocks)}`,
          comment: stage('link-local', context.vpc.vpcId),
        },
        ...context.endpoints.map((each) => ({
          match: `oifname "${each.device}" ${prefixMap(each.blocks)}`,
          comment: stage('gateway-endpoint', each.endpoint.vpcEndpointId),
        })),
      ],
    },
  ];
}

/**
 * After NAT, both ways. A flow's translation outlives the association that made it, so what passes the gateway must still be a pair that exists.
 * And a reply whose flow would now leave by another path is answered with a reset: creating or removing an endpoint's route drops the TCP
 * connections it moves (W6). The sender's side learns it in the forward chain, for there its packets are of no flow in the new path's zone.
 */
function departureChains(context: VpcContext): NftChain[] {
  const igw = context.vpc.internetGatewayId;
  const back = waysBack(context);
  const moved = back.flatMap((each): NftChain[] => [
    {
      name: `moved-${each.device}`,
      rules: [
        { match: 'meta mark set ip daddr map @subnet-marks' },
        { match: `fib saddr . mark oifname "${each.device}" meta mark set 0 return` },
        // Marked only: a reset needs the packet routed, which comes after this hook.
        { match: `meta mark set ${each.movedMark}` },
      ],
    },
    {
      name: `reset-${each.device}`,
      rules: [
        {
          match: `meta l4proto tcp tcp flags & rst == 0 meta mark set ${each.mark} reject with tcp reset`,
          comment: each.comment,
        },
        { match: 'drop', comment: each.comment },
      ],
    },
  ]);
  const fromIgw: NftRule[] =
    igw === undefined
      ? []
      : [
          { match: `iifname "${igwDevice}" ip saddr ${privateBlocks} drop`, comment: stage('igw-ingress', igw) },
          {
            match: `iifname "${igwDevice}" ct direction original ip daddr . ct original ip daddr != @igw-pairs drop`,
            comment: stage('igw-ingress', igw),
          },
          {
            match: `iifname "${igwDevice}" ct direction reply ip daddr . ct reply ip daddr != @igw-pairs drop`,
            comment: stage('igw-ingress', igw),
          },
        ];
  const toIgw: NftRule[] =
    igw === undefined
      ? []
      : [
          {
            match: `oifname "${igwDevice}" ct direction original ct original ip saddr . ip saddr != @igw-pairs drop`,
            comment: stage('igw-egress', igw),
          },
          {
            match: `oifname "${igwDevice}" ct direction reply ct reply ip saddr . ip saddr != @igw-pairs drop`,
            comment: stage('igw-egress', igw),
          },
        ];
  return [
    ...moved,
    {
      name: 'translated-in',
      hook: 'type filter hook prerouting priority -50; policy accept;',
      rules: [
        ...fromIgw,
        ...back.map((each) => ({ match: `iifname "${each.device}" ct direction reply jump moved-${each.device}` })),
      ],
    },
    { name: 'translated-out', hook: 'type filter hook postrouting priority 150; policy accept;', rules: toIgw },
  ];
}

/** The links by which the outside answers, with the marks that a reply by a path no longer valid gets, and that its reset is routed by. */
function waysBack(context: VpcContext) {
  const igw = context.vpc.internetGatewayId;
  const byIgw = {
    device: igwDevice,
    mark: mark.toIgw,
    movedMark: mark.movedFromIgw,
    comment: stage('igw-ingress', `${igw} route moved`),
  };
  return [
    ...(igw === undefined ? [] : [byIgw]),
    ...context.endpoints.map((each) => ({
      device: each.device,
      mark: endpointMark(each.number),
      movedMark: movedMark(each.number),
      comment: stage('gateway-endpoint', `${each.endpoint.vpcEndpointId} route moved`),
    })),
  ];
}

function forwardChain(context: VpcContext): NftChain {
  return {
    name: 'route-through',
    hook: 'type filter hook forward priority filter; policy drop;',
    rules: [...serviceRules(context), ...gatewayRules(context), ...interfaceRules(context)],
  };
}

function serviceRules(context: VpcContext): NftRule[] {
  return [
    {
      match: `iifname "${awsDevice}" ip saddr ${metadataAddress} tcp sport 80 ${tokenAnswer} oifname vmap @hop-limits`,
      comment: stage('link-local', 'metadata hop limit'),
    },
    {
      match: `iifname "${awsDevice}" ct state established,related accept`,
      comment: stage('link-local', context.vpc.vpcId),
    },
    { match: `iifname "${awsDevice}" drop` },
    {
      match: `oifname "${awsDevice}" meta mark ${mark.service} ip daddr { ${resolverAddress}, ${metadataAddress} } ip saddr @vpc-blocks ct state new,established accept`,
      comment: stage('link-local', context.vpc.vpcId),
    },
    { match: `oifname "${awsDevice}" drop` },
  ];
}

function gatewayRules(context: VpcContext): NftRule[] {
  const igw = context.vpc.internetGatewayId;
  const outside = [...(igw === undefined ? [] : [igwDevice]), ...context.endpoints.map((each) => each.device)];
  if (outside.length === 0) return [{ match: 'ct state invalid drop' }];
  const names = `{ ${outside.map((name) => `"${name}"`).join(', ')} }`;
  const rules: NftRule[] = [
    ...waysBack(context).map((each) => ({
      match: `iifname "${each.device}" meta mark ${each.movedMark} goto reset-${each.device}`,
    })),
    {
      match: `ct state invalid oifname ${names} meta l4proto tcp tcp flags & rst == 0 reject with tcp reset`,
      comment: stage('gateway-endpoint', 'route moved'),
    },
    { match: 'ct state invalid drop' },
  ];
  if (igw !== undefined) {
    rules.push(
      { match: `oifname "${igwDevice}" ip daddr ${privateBlocks} drop`, comment: stage('igw-egress', igw) },
      { match: `oifname "${igwDevice}" ip saddr != @public-holders drop`, comment: stage('igw-egress', igw) },
    );
  }
  for (const { device, endpoint } of context.endpoints) {
    const comment = stage('gateway-endpoint', endpoint.vpcEndpointId);
    rules.push(
      { match: `oifname "${device}" ip saddr != @vpc-blocks drop`, comment },
      { match: `oifname "${device}" meta l4proto != { tcp, icmp } drop`, comment },
      { match: `oifname "${device}" icmp type != echo-request ct state != related drop`, comment },
      { match: `iifname "${device}" ct state new drop`, comment },
    );
  }
  rules.push(
    // Gateways have no groups: their end of a flow counts as tracked.
    { match: `ct state new oifname ${names} ct mark set ct mark | ${tracked.receiver}` },
    { match: `ct state new iifname ${names} ct mark set ct mark | ${tracked.sender}` },
    {
      match: `oifname != ${names} oifname . ip daddr != @interface-addresses oifname != @unchecked drop`,
      comment: stage('source-dest-check', context.vpc.vpcId),
    },
  );
  return rules;
}

function interfaceRules(context: VpcContext): NftRule[] {
  const sourceDestCheck: NftRule[] =
    context.vpc.internetGatewayId === undefined && context.endpoints.length === 0
      ? [
          {
            match: 'oifname . ip daddr != @interface-addresses oifname != @unchecked drop',
            comment: stage('source-dest-check', context.vpc.vpcId),
          },
        ]
      : [];
  const { sender, receiver, both } = tracked;
  return [
    ...sourceDestCheck,
    { match: `meta mark != ${mark.sameSubnet} iifname vmap @acl-egress` },
    { match: `meta mark != ${mark.sameSubnet} oifname vmap @acl-ingress` },
    { match: `ct mark & ${both} == ${both} accept`, comment: stage('sg-ingress', 'tracked') },
    { match: 'ct state related accept', comment: stage('sg-ingress', 'tracked') },
    { match: `ct direction original ct mark & ${sender} == 0 iifname vmap @sg-egress` },
    { match: `ct direction reply ct mark & ${receiver} == 0 iifname vmap @sg-egress` },
    { match: `ct direction original ct mark & ${receiver} == 0 oifname vmap @sg-ingress` },
    { match: `ct direction reply ct mark & ${sender} == 0 oifname vmap @sg-ingress` },
    { match: 'accept' },
  ];
}

/** Chains that set the TTL of the metadata service's token answers, one per limit in use (H4). */
function hopLimitChains(context: VpcContext): NftChain[] {
  const limits = new Set(context.vpc.instances.map((each) => each.metadata.hopLimit).filter((limit) => limit < 64));
  return [...limits]
    .toSorted((a, b) => a - b)
    .map((limit) => ({ name: `hop-limit-${limit}`, rules: [{ match: `ip ttl set ${limit}` }] }));
}

function verdictMap(name: string, elements: readonly string[]): NftSet {
  return { name, kind: 'map', type: 'ifname : verdict', elements };
}

/** `stage AWS-id`: the comment that leads from a dropped packet to the API call. The kernel keeps 127 characters. */
function stage(name: StageName, id: string): string {
  return `${name} ${id}`.slice(0, 127);
}
