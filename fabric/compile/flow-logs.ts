// VPC flow logs: what the kernel counts for them. https://docs.aws.amazon.com/vpc/latest/userguide/flow-log-records.html (read 2026-11-22)
// Only a VPC with a logged interface has any of this (docs/decisions/0029): every packet that the forward hook let pass is counted for its sender and its
// receiver behind that hook, and the rules that drop one lead to a chain that counts it first. A packet that no route or gateway takes was let out by its
// sender's groups and ACL (L15), so these are asked before it is counted.
// The key is one number and the packet's addresses and ports: nft 1.0.6 can neither hold nor show a key of more than five parts.

import type { Family } from './family.ts';
import { stage } from './filter/well-known.ts';
import { countMark as bits, flowLogSets, type Path } from './flow-log-marks.ts';
import type { NftChain, NftRule, NftSet, NftTable } from './host-state.ts';
import { awsDevice, egressOnlyDevice, igwDevice, mark } from './names.ts';
import type { PluggedInterface, VpcContext } from './vpc-context.ts';

/** Plugged interfaces with a flow log: the only ones that anything is counted for. */
export function loggedInterfaces(context: VpcContext): readonly PluggedInterface[] {
  return context.plugged.filter(({ eni }) => eni.loggedTraffic !== undefined);
}

/** The table with what is counted for flow logs; the same one where nothing is logged. */
export function withFlowLogs(context: VpcContext, table: NftTable): NftTable {
  const logged = loggedInterfaces(context);
  if (logged.length === 0 || table.sets.length === 0) return table;
  const family = table.family ?? 'ip';
  return {
    ...table,
    sets: [...table.sets, ...interfaceMaps(context, logged), ...countSets(family)],
    chains: [...table.chains.map(countingDrops), ...countingChains(context, table, family)],
  };
}

const asMark = (value: number) => `0x${value.toString(16).padStart(8, '0')}`;
const setBits = (value: number) => `meta mark set meta mark | ${asMark(value)}`;

/** Which interface a packet is counted for, as the upper bits of its mark. A log of one action alone is not asked for the other. */
function interfaceMaps({ endpoints, peerings, vpc }: VpcContext, logged: readonly PluggedInterface[]): NftSet[] {
  const ofInterfaces = (name: string, action: 'ACCEPT' | 'REJECT', direction: number): NftSet => ({
    name,
    kind: 'map',
    type: 'ifname : mark',
    elements: logged
      .filter(({ eni }) => eni.loggedTraffic === 'ALL' || eni.loggedTraffic === action)
      .map(({ device, number }) => `"${device}" : ${asMark(number * bits.interface + direction)}`),
  });
  const path = (device: string, way: Path) => `"${device}" : goto flow-log-by-${way}`;
  return [
    ofInterfaces('flow-log-accepted-from', 'ACCEPT', bits.egress),
    ofInterfaces('flow-log-accepted-to', 'ACCEPT', 0),
    ofInterfaces('flow-log-rejected-from', 'REJECT', bits.egress),
    ofInterfaces('flow-log-rejected-to', 'REJECT', 0),
    {
      name: 'flow-log-paths',
      kind: 'map',
      type: 'ifname : verdict',
      elements: [
        ...(vpc.internetGatewayId === undefined ? [] : [path(igwDevice, 'internet-gateway')]),
        ...(vpc.egressOnlyInternetGatewayIds.length === 0 ? [] : [path(egressOnlyDevice, 'internet-gateway')]),
        ...endpoints.map(({ device }) => path(device, 'gateway-endpoint')),
        ...peerings.map(({ device, isInterRegion }) =>
          path(device, isInterRegion ? 'inter-region-peering' : 'peering'),
        ),
      ],
    },
  ];
}

/** As many flows as one interval may have in a VPC; what comes beyond them is told as skipped. */
const maxFlows = 65_536;
/** Longer than the longest aggregation interval: who reads them empties them. How much is left tells when the first packet came. */
export const countedForSeconds = 3600;

function countSets(family: Family): NftSet[] {
  const address = family === 'ip' ? 'ipv4_addr' : 'ipv6_addr';
  const set = (name: string, type: string): NftSet => ({
    ...{ name, kind: 'set', type, elements: [] },
    timeoutSeconds: countedForSeconds,
    maxElements: maxFlows,
  });
  return ([0, 1] as const).flatMap((generation) => {
    const { flows, portless, skipped } = flowLogSets(generation);
    return [
      set(flows, `mark . ${address} . ${address} . inet_service . inet_service`),
      set(portless, `mark . ${address} . ${address} . inet_proto`),
      set(skipped, 'mark'),
    ];
  });
}

/** What becomes of a `drop`, by the stage in its comment; one of a stage that is not here is a gateway's or a route's. */
const countedDrops: Readonly<Record<string, string>> = {
  'sg-egress': 'flow-log-refused-out',
  'acl-egress': 'flow-log-refused-out',
  'acl-ingress': 'flow-log-refused-by-acl-in',
  'sg-ingress': 'flow-log-refused-in',
};

/** Chains of the forward hook that drop: before it nothing is known of groups and ACLs. */
const decidingChains = /^(?:route-through$|sg-|ingress-|egress-|to-e\d|from-e\d)/;

function countingDrops(chain: NftChain): NftChain {
  if (!decidingChains.test(chain.name)) return chain;
  return { ...chain, rules: chain.rules.map(countingDrop) };
}

function countingDrop(rule: NftRule): NftRule {
  const { match, comment } = rule;
  if (comment === undefined || !/(?:^| )drop$/.test(match)) return rule;
  const [stageName = ''] = comment.split(' ');
  if (stageName === 'link-local') return rule;
  const counted = countedDrops[stageName] ?? gatewaysDrop(comment);
  return { comment, match: match.replace(/drop$/, `goto ${counted}`) };
}

function gatewaysDrop(comment: string): string {
  if (comment.endsWith(' block public access')) return 'flow-log-blocked';
  return comment.endsWith(' not the way back') ? 'flow-log-closed' : 'flow-log-lost';
}

/** The forward chain's own questions to the sender's ACL and groups, for a packet that was dropped before they were asked. */
function sendersQuestions(table: NftTable): readonly NftRule[] {
  const forward = table.chains.find(({ name }) => name === 'route-through')?.rules ?? [];
  const asked = /@(?:next-hops-in-subnet|acl-egress|sg-egress)\b/;
  const passes = /^(?:ct mark & \d+ == \d+|ct state related) accept$/;
  return forward
    .filter(({ match }) => asked.test(match) || passes.test(match))
    .map(({ match }) => ({ match: match.replace(/ accept$/, ' return') }));
}

function countingChains(context: VpcContext, table: NftTable, family: Family): NftChain[] {
  const chain = (name: string, ...rules: (string | NftRule)[]): NftChain => ({
    name,
    rules: rules.map((rule) => (typeof rule === 'string' ? { match: rule } : rule)),
  });
  const count = (map: string, next: string) =>
    `meta mark set ${map.endsWith('-from') ? 'iifname' : 'oifname'} map @${map} ${next}`;
  const sent = count('flow-log-accepted-from', 'jump flow-log-by');
  const questions = sendersQuestions(table);
  const isGroups = ({ match }: NftRule) => !/@(?:next-hops-in-subnet|acl-egress)\b/.test(match);
  return [
    chain('flow-log-tcp-flags', ...tcpFlagRules),
    ...([0, 1] as const).map((generation) => chain(`flow-log-into-${generation}`, ...countRules(family, generation))),
    // Where the reader turns from one set to the other (fabric/flow-counts.ts): nobody else writes this chain after it is made.
    chain(flowLogSwitch, `goto flow-log-into-0`),
    chain(
      'flow-log-count',
      `meta l4proto udp ${setBits(bits.udp)}`,
      'tcp flags & (fin | syn | rst) != 0 jump flow-log-tcp-flags',
      `goto ${flowLogSwitch}`,
    ),
    ...(Object.keys(bits.paths) as Path[])
      .filter((way) => way !== 'none')
      .map((way) => chain(`flow-log-by-${way}`, setBits(bits.paths[way]), 'goto flow-log-count')),
    // The egress-only gateway's name begins with an e too, and is in the map.
    chain('flow-log-by', 'oifname vmap @flow-log-paths', 'oifname "e*" goto flow-log-by-vpc', 'goto flow-log-count'),
    chain('flow-log-reject', setBits(bits.rejected), 'goto flow-log-by'),
    chain('flow-log-reject-blocked', setBits(bits.blocked), 'goto flow-log-by'),
    chain('flow-log-sender-acl', ...questions.filter((rule) => !isGroups(rule))),
    chain('flow-log-sender-groups', ...questions.filter(isGroups)),
    chain('flow-log-refused-out', count('flow-log-rejected-from', 'jump flow-log-reject'), 'drop'),
    chain('flow-log-refused-in', sent, count('flow-log-rejected-to', 'jump flow-log-reject'), 'drop'),
    // The forward chain asks both ACLs before any group; a packet goes the other way round.
    chain('flow-log-refused-by-acl-in', 'jump flow-log-sender-groups', 'goto flow-log-refused-in'),
    chain('flow-log-lost', 'jump flow-log-sender-acl', 'jump flow-log-sender-groups', sent, 'drop'),
    chain(
      'flow-log-blocked',
      'jump flow-log-sender-acl',
      'jump flow-log-sender-groups',
      count('flow-log-rejected-from', 'jump flow-log-reject-blocked'),
      count('flow-log-rejected-to', 'jump flow-log-reject-blocked'),
      'drop',
    ),
    // L9: what arrives after the connection ended is rejected, where it is seen first.
    chain(
      'flow-log-closed',
      count('flow-log-rejected-from', 'jump flow-log-reject'),
      'iifname "e*" drop',
      count('flow-log-rejected-to', 'jump flow-log-reject'),
      'drop',
    ),
    {
      name: 'flow-log-no-route',
      // After translation, before routing drops it without a word.
      hook: 'type filter hook prerouting priority -40; policy accept;',
      rules: [
        { match: `iifname != "e*" return` },
        { match: `meta mark ${mark.service} return` },
        { match: 'ct state != new return' },
        { match: `fib daddr . mark oif exists return` },
        { match: 'fib daddr type local return' },
        { match: 'jump flow-log-sender-acl' },
        { match: 'jump flow-log-sender-groups' },
        { match: count('flow-log-accepted-from', 'jump flow-log-count') },
        { match: 'drop', comment: stage('route', `${context.vpc.vpcId} no route`) },
      ],
    },
    {
      name: 'flow-log-accepted',
      // Behind the hook that decides: only what it let pass comes here, and nothing asks for the mark any more.
      hook: 'type filter hook forward priority 1; policy accept;',
      rules: [
        // Resolver, metadata and time server are never logged (L14).
        { match: `iifname "${awsDevice}" return` },
        { match: `oifname "${awsDevice}" return` },
        { match: sent },
        { match: count('flow-log-accepted-to', 'jump flow-log-count') },
      ],
    },
  ];
}

export const flowLogSwitch = 'flow-log-into';

/** L11, as AWS writes them: SYN with ACK is 18, ACK alone is nothing. */
const tcpFlagRules = [
  `tcp flags & rst != 0 ${setBits(4)} return`,
  `tcp flags & (syn | ack) == (syn | ack) ${setBits(18)} return`,
  `tcp flags & syn != 0 ${setBits(2)} return`,
  setBits(1),
];

function countRules(family: Family, generation: 0 | 1): string[] {
  const { flows, portless, skipped } = flowLogSets(generation);
  const addresses = `meta mark . ${family} saddr . ${family} daddr`;
  // `add` leaves the element's time as the first packet set it. A set that is full ends the rule, not the chain.
  return [
    `meta l4proto { tcp, udp } add @${flows} { ${addresses} . th sport . th dport counter } return`,
    `meta l4proto != { tcp, udp } add @${portless} { ${addresses} . meta l4proto counter } return`,
    `add @${skipped} { meta mark counter }`,
  ];
}
