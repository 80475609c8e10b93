// `postern reach`: who can reach whom at all, on which ports and by which road. The question names things as a person does (an instance, a subnet, a group, a
// service); here they become ends, and network/reach says the rest. No packet is sent.

import { servicePlan } from '@postern/network/addresses.ts';
import { containsAddress, normalizeCidr } from '@postern/network/cidr.ts';
import { normalizeIpv6Cidr } from '@postern/network/ipv6.ts';
import { AddressSet } from '@postern/network/reach/address-set.ts';
import { privateBlocks, uniqueLocal } from '@postern/network/reach/blocks.ts';
import type { End, Reach, ReachOptions } from '@postern/network/reach/ends.ts';
import type { FlowBox } from '@postern/network/reach/flow-set.ts';
import { pairsOf } from '@postern/network/reach/ranges.ts';
import { prepareReach, type Reachability, witness } from '@postern/network/reach/reach.ts';
import { openPart, type PartName, partNames } from '@postern/network/reach/traffic.ts';
import { describeReach } from '@postern/network/reach/words.ts';
import type { Cidr, IcmpMatch, NetworkInterface, PortRange, Snapshot } from '@postern/network/snapshot.ts';
import { protocols } from '@postern/network/walk/packet.ts';
import type { ReachAnswer, ReachQuestion, ReachRow } from './operator/api.ts';
import { OperatorFailure } from './operator/operator.ts';

/** More pairs than this are asked class by class. */
const fewPairs = 5000;
/** A person reads no more, and a program asks for less. */
export const mostRows = 10_000;

/** @throws OperatorFailure when what is named does not exist */
export function reachAnswer(snapshot: Snapshot, question: ReachQuestion): ReachAnswer {
  const froms = question.from === undefined ? undefined : endsOf(snapshot, question.from);
  if (froms?.some(({ kind }) => kind === 'service' || kind === 'vpc-service'))
    throw new OperatorFailure(400, `${question.from} answers and does not ask: nothing begins there.`);
  const tos = question.to === undefined ? undefined : endsOf(snapshot, question.to);
  const instances = instancesOf(snapshot);
  const rows: ReachRow[] = [];
  for (const each of answers(prepareReach(snapshot), snapshot, froms, tos, optionsOf(question))) {
    // Counting what is left would cost as much as telling it.
    if (rows.length === mostRows) return { rows, isComplete: false };
    rows.push(rowOf(each, instances));
  }
  return { rows, isComplete: true };
}

function* answers(
  reach: Reachability,
  snapshot: Snapshot,
  froms: readonly End[] | undefined,
  tos: readonly End[] | undefined,
  options: ReachOptions,
): Iterable<Reach> {
  const interfaces = allInterfaces(snapshot);
  const [count, others] = [(froms ?? interfaces).length * (tos ?? interfaces).length, (tos ?? []).filter(isNoPair)];
  if (count <= fewPairs || others.length > 0) {
    if (tos !== undefined) yield* reach.between(froms ?? [...interfaces, { kind: 'internet' }], tos, options);
    else for (const from of froms ?? [...interfaces, { kind: 'internet' as const }]) yield* reach.from(from, options);
    return;
  }
  const [isFrom, isTo] = [among(froms), among(tos)];
  yield* reach.allPairs(options).expand({ from: isFrom, to: isTo });
  if (tos === undefined) yield* reach.between(froms ?? interfaces, servicesOf(snapshot), options);
}

/** What all pairs do not hold. */
function isNoPair(end: End): boolean {
  return end.kind === 'service' || end.kind === 'vpc-service' || (end.kind === 'internet' && end.cidrs !== undefined);
}

function among(ends: readonly End[] | undefined): (end: End) => boolean {
  if (ends === undefined) return () => true;
  const names = new Set(ends.map(nameOf));
  return (end) => names.has(nameOf(end));
}

function allInterfaces({ vpcs }: Snapshot): End[] {
  return interfaceEnds(vpcs.flatMap((vpc) => vpc.networkInterfaces));
}

function interfaceEnds(cards: readonly NetworkInterface[]): End[] {
  return cards.map(({ networkInterfaceId }) => ({ kind: 'network-interface', networkInterfaceId }));
}

/** Those with endpoints, and the two that everybody has. */
function servicesOf({ vpcs }: Snapshot): End[] {
  const names = new Set([
    's3',
    'dynamodb',
    ...vpcs.flatMap((vpc) => vpc.interfaceEndpoints.map((each) => each.service)),
  ]);
  return [...names].map((service) => ({ kind: 'service', service }));
}

function optionsOf({ protocol, port }: ReachQuestion): ReachOptions {
  if (protocol === undefined) return {};
  if (protocol === 'icmp') return { traffic: [{ protocol: protocols.icmp }, { protocol: protocols.icmpv6 }] };
  return {
    traffic: { protocol: protocols[protocol], ...(port !== undefined && { ports: [{ from: port, to: port }] }) },
  };
}

// ---- what a person names

/** The interfaces that a kind of id stands for. */
const selections: Readonly<Record<string, (card: NetworkInterface, id: string) => boolean>> = {
  eni: (card, id) => card.networkInterfaceId === id,
  i: (card, id) => card.attachment?.instanceId === id,
  subnet: (card, id) => card.subnetId === id,
  sg: (card, id) => card.groupIds.some((each) => each === id),
  vpce: (card, id) => card.service?.kind === 'vpc-endpoint' && card.service.vpcEndpointId === id,
  eice: (card, id) =>
    card.service?.kind === 'instance-connect-endpoint' && card.service.instanceConnectEndpointId === id,
};

function endsOf(snapshot: Snapshot, name: string): End[] {
  const text = name.replace(/^s3:\/\/.*$/, 's3');
  if (text === 'internet') return [{ kind: 'internet' }];
  if (text === 'metadata' || text === 'resolver')
    return snapshot.vpcs.map(({ vpcId }) => ({ kind: 'vpc-service', vpcId, service: text }));
  if (/^[\d.]+(\/\d+)?$/.test(text) || text.includes(':'))
    return [{ kind: 'internet', cidrs: [hostsOf(snapshot, text)] }];
  const [, prefix = ''] = /^([a-z]+)-[0-9a-z-]+$/.exec(text) ?? [];
  const isSelected = selections[prefix];
  if (isSelected !== undefined || prefix === 'vpc') {
    const cards = snapshot.vpcs.flatMap((vpc) =>
      vpc.networkInterfaces.filter((card) => (isSelected === undefined ? vpc.vpcId === text : isSelected(card, text))),
    );
    if (cards.length > 0) return interfaceEnds(cards);
    throw new OperatorFailure(
      404,
      `${text} has no network interface: it does not exist, or nothing runs there.`,
      'aws ec2 describe-network-interfaces',
    );
  }
  const known = new Set([
    ...Object.keys(servicePlan),
    ...snapshot.vpcs.flatMap((vpc) => vpc.interfaceEndpoints.map((each) => each.service)),
  ]);
  if (known.has(text) && text !== 'other') return [{ kind: 'service', service: text }];
  throw new OperatorFailure(
    400,
    `'${name}' is none of: an i-…, eni-…, subnet-…, sg-…, vpc-…, vpce-… or eice-…, \`internet\`, a block of hosts outside (203.0.113.0/24), or a service (s3, sts …).`,
  );
}

/** A block of hosts outside. What interfaces have is asked for by their ids, because one address can be in several VPCs. */
function hostsOf(snapshot: Snapshot, text: string): Cidr {
  const isBlock = text.includes('/');
  const whole = isBlock ? text : `${text}/${text.includes(':') ? 128 : 32}`;
  const cidr = text.includes(':') ? normalizeIpv6Cidr(whole) : normalizeCidr(whole);
  if (cidr === undefined) throw new OperatorFailure(400, `${text} is no address and no block of them.`);
  if (AddressSet.ofCidrs([cidr]).subtract(AddressSet.ofCidrs([...privateBlocks, ...uniqueLocal])).isEmpty)
    throw new OperatorFailure(
      400,
      `${text} is private, and nobody outside has such an address. Ask for a VPC, subnet or interface by its id.`,
    );
  const holder = snapshot.vpcs
    .flatMap((vpc) => vpc.networkInterfaces)
    .find(({ privateAddresses, ipv6Addresses }) =>
      [
        ...privateAddresses.flatMap(({ address, publicAddress = address }) => [address, publicAddress]),
        ...ipv6Addresses,
      ].some((each) => containsAddress(cidr, each)),
    );
  if (isBlock || holder === undefined) return cidr;
  throw new OperatorFailure(400, `${text} belongs to ${holder.networkInterfaceId}: ask for that.`);
}

// ---- rows

/** Instances by the interfaces that are their first ones. */
function instancesOf({ vpcs }: Snapshot): ReadonlyMap<string, string> {
  return new Map(
    vpcs
      .flatMap((vpc) => vpc.networkInterfaces)
      .flatMap(({ networkInterfaceId, attachment }) =>
        attachment?.deviceIndex === 0 ? [[networkInterfaceId, attachment.instanceId] as const] : [],
      ),
  );
}

function nameOf(end: End): string {
  switch (end.kind) {
    case 'network-interface':
      return end.networkInterfaceId;
    case 'internet':
      return 'internet';
    case 'service':
      return end.service;
    case 'vpc-service':
      return `the ${end.service} of ${end.vpcId}`;
  }
}

function rowOf(reach: Reach, instances: ReadonlyMap<string, string>): ReachRow {
  const { from, to, via, viaReturn, assumptions, flows } = reach;
  const [fromInstance, toInstance] = [instances.get(nameOf(from)), instances.get(nameOf(to))];
  const example = witness(reach)?.packet;
  return {
    from: nameOf(from),
    ...(fromInstance !== undefined && { fromInstance }),
    to: nameOf(to),
    ...(toInstance !== undefined && { toInstance }),
    via,
    viaReturn,
    traffic: describeReach(reach),
    flows: flows.boxes.map((box) => ({
      sources: box.sources.cidrs(),
      destinations: box.destinations.cidrs(),
      requests: partNames.flatMap((part) => requestsOf(box, part)),
    })),
    ...(example !== undefined && { example }),
    assumptions,
  };
}

/** Requests of one protocol, as rules name them. */
function requestsOf({ there, back }: FlowBox, part: PartName): ReachRow['flows'][number]['requests'] {
  const open = [...pairsOf(openPart(there, back, part))].map(([from, end]) => ({ from, to: end - 1 }));
  if (open.length === 0) return [];
  if (part === 'other') return [{ protocols: open }];
  const protocol = protocols[part];
  if (part === 'icmp' || part === 'icmpv6') return [{ protocol, messages: messagesOf(open) }];
  return [
    { protocol, ports: open, sourcePorts: [...pairsOf(back[part])].map(([from, end]) => ({ from, to: end - 1 })) },
  ];
}

/** -1 is every type or every code, as in rules. */
function messagesOf(ranges: readonly PortRange[]): IcmpMatch[] {
  const [first] = ranges;
  if (first?.from === 0 && first.to === 0xff_ff) return [{ type: -1, code: -1 }];
  return ranges.flatMap(({ from, to }) => {
    const messages: IcmpMatch[] = [];
    for (let at = from; at <= to; ) {
      const isWhole = at % 256 === 0 && at + 255 <= to;
      messages.push({ type: at >> 8, code: isWhole ? -1 : at & 255 });
      at += isWhole ? 256 : 1;
    }
    return messages;
  });
}
