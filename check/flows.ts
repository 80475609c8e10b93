// Flows between two sides, as reach has them, cut down to what an end means: the addresses of a CIDR, the public addresses of a service.

import { AddressSet } from '@postern/network/reach/address-set.ts';
import type { Hop, Reach } from '@postern/network/reach/ends.ts';
import { FlowSet } from '@postern/network/reach/flow-set.ts';
import type { Reachability } from '@postern/network/reach/reach.ts';
import { allParts } from '@postern/network/reach/traffic.ts';
import type { Cidr } from '@postern/network/snapshot.ts';
import { protocols } from '@postern/network/walk/packet.ts';
import type { Estate } from './estate.ts';
import { reachEnds, type Side } from './resolve.ts';
import type { Traffic } from './traffic.ts';

export interface Road {
  readonly reach: Reach;
  readonly via: readonly Hop[];
  readonly flows: FlowSet;
  /** It goes to some public addresses, and nobody told whether the service's are among them. */
  readonly isVague: boolean;
}

/** No host of the internet has these. */
const reserved = AddressSet.ofCidrs(['0.0.0.0/8', '10.0.0.0/8', '100.64.0.0/10', '127.0.0.0/8', '169.254.0.0/16', '172.16.0.0/12', '192.168.0.0/16', '224.0.0.0/3']); // biome-ignore format: a list
/** Blocks for benchmarks and documentation (RFC 2544, RFC 5737): the sealed internet is made of them, and no host of the real one has such an address. */
const unused = AddressSet.ofCidrs(['198.18.0.0/15', '192.0.2.0/24', '198.51.100.0/24', '203.0.113.0/24']);
/** Public IPv4 addresses of the real internet. */
export const public4 = new AddressSet(AddressSet.all.v4, []).subtract(reserved).subtract(unused);

/** All roads between two sides that carry any of the traffic (none said: any at all). */
export function roadsBetween(
  estate: Estate,
  reachability: Reachability,
  from: Side,
  to: Side,
  traffic: readonly Traffic[],
): Road[] {
  const asked = traffic.length === 0 ? [undefined] : traffic.flatMap(questions);
  return asked.flatMap((each) => {
    const options = each === undefined ? {} : { traffic: each };
    const all = (ends: ReturnType<typeof reachEnds>) => reachability.between(reachEnds(from), ends, options);
    const roads =
      to.kind === 'service' ? serviceRoads(estate, to, from, all) : all(reachEnds(to)).map((reach) => road(reach));
    return roads.flatMap((one) => cut(one, from, to));
  });
}

/** A protocol and its ports; `icmp` means that of IPv6 too. */
function questions({
  protocol,
  ports,
}: Traffic): { protocol: number; ports?: readonly { from: number; to: number }[] }[] {
  const own = { protocol, ...(ports && { ports }) };
  return protocol === protocols.icmp ? [own, { protocol: protocols.icmpv6 }] : [own];
}

const road = (reach: Reach, flows = reach.flows, isVague = false): Road => ({ reach, via: reach.via, flows, isVague });

/** To a service's public addresses, where the estate tells them; through endpoints in any case. */
function serviceRoads(
  estate: Estate,
  { service, region }: Extract<Side, { kind: 'service' }>,
  from: Side,
  all: (ends: ReturnType<typeof reachEnds>) => readonly Reach[],
): Road[] {
  const at = region ?? (from.kind === 'interfaces' ? from.places[0]?.vpc.region : undefined) ?? 'us-east-1';
  const reaches = all([{ kind: 'service', service, region: at }]);
  const blocks = estate.serviceBlocks(service, at);
  if (blocks === 'plan') return reaches.map((reach) => road(reach));
  const inside = reaches
    .filter(({ via }) => via.some((hop) => hop.kind === 'interface-endpoint'))
    .map((reach) => road(reach));
  if (blocks === undefined)
    return [
      ...inside,
      ...all([{ kind: 'internet' }]).map((reach) => road(reach, reach.flows, !isEverywhere(estate, reach.flows))),
    ];
  const told = AddressSet.ofCidrs(blocks);
  const byGateway = reaches.filter(
    ({ arrival, via }) => arrival === 'vpc-endpoint' && via.some((hop) => hop.kind === 'gateway-endpoint'),
  );
  return [
    ...inside,
    ...byGateway.map((reach) => road(reach, within(reach.flows, AddressSet.all, told))),
    ...all([{ kind: 'internet', cidrs: blocks }]).map((reach) => road(reach)),
  ];
}

/** Every public IPv4 address is among the destinations, but for the network's own and those of services that go through gateway endpoints. */
function isEverywhere({ snapshot }: Estate, flows: FlowSet): boolean {
  const lists = new Set(snapshot.vpcs.flatMap((vpc) => vpc.gatewayEndpoints.map((each) => each.prefixListId)));
  const others = snapshot.prefixLists.flatMap(({ prefixListId, cidrs }) => (lists.has(prefixListId) ? cidrs : []));
  const own = snapshot.vpcs.flatMap((vpc) =>
    vpc.networkInterfaces.flatMap((eni) => eni.privateAddresses.flatMap((each) => each.publicAddress ?? [])),
  );
  return public4
    .subtract(flows.destinations())
    .subtract(AddressSet.ofCidrs(others))
    .subtract(AddressSet.ofAddresses(own)).isEmpty;
}

function cut(one: Road, from: Side, to: Side): Road[] {
  const sources = from.kind === 'interfaces' ? from.only : undefined;
  const destinations = to.kind === 'interfaces' ? to.only : undefined;
  const flows =
    sources === undefined && destinations === undefined
      ? one.flows
      : within(one.flows, sources ?? AddressSet.all, destinations ?? AddressSet.all);
  return flows.isEmpty ? [] : [{ ...one, flows }];
}

export function within(flows: FlowSet, sources: AddressSet, destinations: AddressSet): FlowSet {
  return flows.intersect(new FlowSet([{ sources, destinations, there: allParts, back: allParts }]));
}

/** Whether all of a traffic's ports get through; of ICMP an echo, of a protocol without ports anything of it. */
export function carriesAll(flows: FlowSet, traffic: Traffic): boolean {
  const { protocol, ports } = traffic;
  if (protocol === -1) return !flows.isEmpty;
  if (protocol === protocols.icmp) {
    const echo = flows.only(
      { protocol, icmp: { type: 8, code: 0 } },
      { protocol: protocols.icmpv6, icmp: { type: 128, code: 0 } },
    );
    return !echo.isEmpty;
  }
  const own = flows.only({ protocol });
  if (ports === undefined) return !own.isEmpty;
  const open = own.ports(protocol);
  return ports.every((each) => open.some(({ from, to }) => from <= each.from && each.to <= to));
}

/** All of the addresses that an end outside has to be. */
export function comesFromAll(flows: FlowSet, cidrs: readonly Cidr[]): boolean {
  return AddressSet.ofCidrs(cidrs).subtract(flows.sources()).isEmpty;
}
