// Reach and walk, held against each other on random networks, without a kernel: what reach says of sets, the walk says of each of their packets. From every end,
// packets out of every set that was answered must be open and come to that set's end, and packets at random, mostly at the edges of blocks and port ranges, must be in
// a set exactly when the walk says that they are open.
// POSTERN_DIFFERENTIAL_RUNS and POSTERN_DIFFERENTIAL_SEED make it longer or another one.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { numberToIp } from '@postern/network/cidr.ts';
import { numberToIpv6 } from '@postern/network/ipv6.ts';
import { AddressSet } from '@postern/network/reach/address-set.ts';
import type { End, Reach } from '@postern/network/reach/ends.ts';
import type { FlowBox } from '@postern/network/reach/flow-set.ts';
import { pairsOf, type Ranges } from '@postern/network/reach/ranges.ts';
import { prepareReach, type Reachability } from '@postern/network/reach/reach.ts';
import { openPart, partNames } from '@postern/network/reach/traffic.ts';
import { describeBoxes } from '@postern/network/reach/words.ts';
import type { Cidr, Snapshot } from '@postern/network/snapshot.ts';
import { indexNetwork, type NetworkIndex } from '@postern/network/walk/network-index.ts';
import { isIpv6, type Packet, protocols } from '@postern/network/walk/packet.ts';
import type { Arrival } from '@postern/network/walk/trace.ts';
import { walk } from '@postern/network/walk/walk.ts';
import fc from 'fast-check';
import { randomFrom } from '../flows/random-networks.ts';
import { asCommands } from './commands.ts';
import { topologies } from './topology.ts';

const runs = Number(process.env['POSTERN_DIFFERENTIAL_RUNS'] ?? 15);
const seed = Number(process.env['POSTERN_DIFFERENTIAL_SEED'] ?? 20261121);

type Sender = Extract<End, { kind: 'network-interface' | 'internet' }>;
interface Dice {
  chance(of: number): boolean;
  pick<T>(all: readonly T[]): T;
}

function diceOf(salt: number): Dice {
  const random = randomFrom(salt);
  return { chance: (of) => random() < of, pick: (all) => all[Math.floor(random() * all.length)] as never };
}

/** Of a number of the set: an edge of a range, mostly. */
function pickOf<N extends number | bigint>(dice: Dice, ranges: Ranges<N>): N {
  const [from, end] = dice.pick([...pairsOf(ranges)]);
  const last = (typeof end === 'bigint' ? end - 1n : (end as number) - 1) as N;
  const middle = (
    typeof end === 'bigint'
      ? (from as bigint) + (last as bigint) / 2n
      : Math.floor(((from as number) + (last as number)) / 2)
  ) as N;
  return dice.pick([from, last, middle > last ? from : middle]);
}

function addressOf(dice: Dice, { v4, v6 }: AddressSet, wants6: boolean): string {
  return wants6 ? numberToIpv6(pickOf(dice, v6)) : numberToIp(pickOf(dice, v4));
}

/** A packet of the box, of each kind of traffic that it has. */
function packetsOf(dice: Dice, { sources, destinations, there, back }: FlowBox): Packet[] {
  const families = [false, true].filter(
    (is6) => (is6 ? sources.v6.length * destinations.v6.length : sources.v4.length * destinations.v4.length) > 0,
  );
  return families.flatMap((is6) =>
    partNames.flatMap((part): Packet[] => {
      const open = openPart(there, back, part);
      if (open.length === 0) return [];
      const ends = { source: addressOf(dice, sources, is6), destination: addressOf(dice, destinations, is6) };
      const value = pickOf(dice, open);
      if (part === 'other') return [{ ...ends, protocol: value }];
      const protocol = protocols[part];
      return part === 'tcp' || part === 'udp'
        ? [{ ...ends, protocol, destinationPort: value, sourcePort: pickOf(dice, back[part]) }]
        : [{ ...ends, protocol, icmp: { type: value >> 8, code: value & 255 } }];
    }),
  );
}

function isThere(end: End, arrival: Arrival, network: NetworkIndex): boolean {
  switch (end.kind) {
    case 'network-interface': {
      const service = network.networkInterface(end.networkInterfaceId)?.eni.service;
      if (arrival.kind === 'vpc-endpoint')
        return service?.kind === 'vpc-endpoint' && service.vpcEndpointId === arrival.vpcEndpointId;
      return (
        (arrival.kind === 'network-interface' || arrival.kind === 'load-balancer') &&
        arrival.networkInterfaceId === end.networkInterfaceId
      );
    }
    case 'internet':
      return arrival.kind === 'internet';
    case 'service':
      return arrival.kind === 'internet' || arrival.kind === 'vpc-endpoint';
    case 'vpc-service':
      return arrival.kind === 'vpc-service' && arrival.vpcId === end.vpcId && arrival.service === end.service;
  }
}

function everything(reach: Reachability, { vpcs }: Snapshot, from: Sender): Reach[] {
  const services = vpcs.flatMap(({ vpcId }): End[] => [
    { kind: 'vpc-service', vpcId, service: 'metadata' },
    { kind: 'vpc-service', vpcId, service: 'resolver' },
  ]);
  return [...reach.from(from), ...reach.between([from], services)];
}

/** Addresses that decide something: what interfaces have, and the edges of every block that is named. */
function interestingAddresses(snapshot: Snapshot): string[] {
  const cidrs = new Set<Cidr>([
    '10.0.0.0/8',
    '100.64.0.0/10',
    '169.254.0.0/16',
    '224.0.0.0/3',
    '198.19.0.0/16',
    '203.0.113.10/32',
    'fc00::/7',
    '2001:db8:f000::10/128',
    '2001:db8:0:1::/64',
  ]);
  const addresses = new Set([
    '169.254.169.253',
    '169.254.169.254',
    '198.18.1.65',
    '203.0.113.50',
    '8.8.8.8',
    '2001:db8:f000::cb00:7132',
    '2600::1',
  ]);
  for (const { cidrs: listed } of snapshot.prefixLists) for (const each of listed) cidrs.add(each);
  for (const vpc of snapshot.vpcs) {
    for (const each of [...vpc.cidrBlocks, ...vpc.ipv6CidrBlocks]) cidrs.add(each);
    for (const { routes } of vpc.routeTables)
      for (const { destination } of routes) if (destination.kind === 'cidr') cidrs.add(destination.cidr);
    for (const { ingress, egress } of vpc.networkAcls) for (const { cidr } of [...ingress, ...egress]) cidrs.add(cidr);
    for (const { ingress, egress } of vpc.securityGroups)
      for (const { peer } of [...ingress, ...egress]) if (peer.kind === 'cidr') cidrs.add(peer.cidr);
    for (const card of vpc.networkInterfaces) {
      for (const { address, publicAddress } of card.privateAddresses) {
        addresses.add(address);
        if (publicAddress !== undefined) addresses.add(publicAddress);
      }
      for (const each of card.ipv6Addresses) addresses.add(each);
    }
  }
  const edges = AddressSet.all;
  for (const cidr of cidrs) {
    const { v4, v6 } = AddressSet.ofCidrs([cidr]);
    for (const each of v4)
      for (const at of [each - 1, each, each + 1])
        if (edges.contains(numberToIp(at)) && at >= 0 && at < 2 ** 32) addresses.add(numberToIp(at));
    for (const each of v6)
      for (const at of [each - 1n, each, each + 1n]) if (at >= 0n && at < 1n << 128n) addresses.add(numberToIpv6(at));
  }
  return [...addresses];
}

const ports = [0, 19, 20, 21, 22, 23, 53, 79, 80, 81, 442, 443, 444, 1023, 1024, 40_000, 65_535];

function randomPacket(dice: Dice, source: string, destination: string): Packet {
  const protocol = dice.pick([6, 6, 6, 17, 17, 1, 58, 47]);
  const ends = { protocol, source, destination };
  if (protocol === 6 || protocol === 17)
    return { ...ends, sourcePort: dice.chance(0.6) ? 40_000 : dice.pick(ports), destinationPort: dice.pick(ports) };
  if (protocol === 47) return ends;
  return { ...ends, icmp: { type: dice.pick([0, 3, 8, 8, 8, 128, 128, 129]), code: dice.pick([0, 0, 1]) } };
}

interface Tally {
  inside: number;
  open: number;
  dropped: number;
}

/** @throws with the network as commands where the two disagree */
function compare(snapshot: Snapshot, salt: number, tally: Tally): void {
  const dice = diceOf(salt);
  const network = indexNetwork(snapshot);
  const reach = prepareReach(network);
  const addresses = interestingAddresses(snapshot);
  // NAT gateways and endpoints answer only; the walk follows what they would send too.
  const machines = snapshot.vpcs
    .flatMap((vpc) => vpc.networkInterfaces)
    .filter(({ service }) => !['nat-gateway', 'vpc-endpoint', 'transit-gateway'].includes(service?.kind ?? ''));
  const senders: Sender[] = [
    { kind: 'internet' },
    ...machines.map(({ networkInterfaceId }): Sender => ({ kind: 'network-interface', networkInterfaceId })),
  ];
  const fail = (what: string, from: Sender, packet: Packet, more: unknown) =>
    assert.fail(
      `${what}\n${JSON.stringify(from)} ${JSON.stringify(packet)}\n${JSON.stringify(more, null, 1)}\n${asCommands(snapshot)}`,
    );
  for (const from of senders) {
    const found = everything(reach, snapshot, from);
    for (const { to, flows, via } of found)
      for (const box of flows.boxes)
        for (const packet of packetsOf(dice, box)) {
          tally.inside += 1;
          const trace = walk(network, { from, packet });
          if (trace.verdict !== 'open' || trace.arrival === undefined || !isThere(to, trace.arrival, network))
            fail(`in the set to ${JSON.stringify(to)} by ${JSON.stringify(via)}`, from, packet, trace.blockers);
        }
    const own = from.kind === 'internet' ? undefined : network.networkInterface(from.networkInterfaceId)?.eni;
    const sources =
      own === undefined ? addresses : [...own.privateAddresses.map(({ address }) => address), ...own.ipv6Addresses];
    for (const destination of addresses) {
      // What it has itself is no flow of the network.
      if (
        own !== undefined &&
        [...own.privateAddresses.flatMap((each) => [each.address, each.publicAddress]), ...own.ipv6Addresses].includes(
          destination,
        )
      )
        continue;
      const fitting = sources.filter((each) => isIpv6(each) === isIpv6(destination));
      if (fitting.length === 0) continue;
      for (let count = 0; count < 2; count += 1) {
        const packet = randomPacket(dice, dice.pick(fitting), destination);
        const trace = walk(network, { from, packet });
        const sets = found.filter(({ flows }) => flows.contains(packet));
        const isOpen = trace.verdict === 'open';
        tally[isOpen ? 'open' : 'dropped'] += 1;
        if (isOpen ? !sets.some(({ to }) => trace.arrival && isThere(to, trace.arrival, network)) : sets.length > 0)
          fail(
            `the walk says ${trace.verdict}, and it is in ${sets.length} sets`,
            from,
            packet,
            isOpen ? trace.steps : trace.blockers,
          );
      }
    }
  }
  // Class by class it must be the same as pair by pair.
  const pairs = (list: Iterable<Reach>) =>
    [...list]
      .filter(({ to }) => to.kind !== 'service')
      .map(({ from, to, via, flows }) =>
        JSON.stringify([from, to, via, flows.boxes.map((box) => describeBoxes([box])).sort()]),
      )
      .sort();
  assert.deepEqual(pairs(reach.allPairs().expand()), pairs(senders.flatMap((from) => reach.from(from))));
}

function check(networks: fc.Arbitrary<Snapshot>): Tally {
  const tally: Tally = { inside: 0, open: 0, dropped: 0 };
  const property = fc.property(networks, fc.nat(), (snapshot, salt) => compare(snapshot, salt, tally));
  const report = fc.check(property, { numRuns: runs, seed, endOnFailure: false });
  if (report.failed) {
    const message = report.errorInstance instanceof Error ? report.errorInstance.message : String(report.errorInstance);
    assert.fail(
      `seed ${report.seed}, path ${report.counterexamplePath}, shrunk ${report.numShrinks} times\n${message}`,
    );
  }
  return tally;
}

test(`${runs} random networks: a flow is in reach’s sets exactly when the walk says that it is open`, (t) => {
  const tally = check(topologies().map(({ snapshot }) => snapshot));
  t.diagnostic(JSON.stringify(tally));
  assert.ok(tally.open > runs * 100 && tally.inside > runs * 100 && tally.dropped > runs * 100, JSON.stringify(tally));
});
