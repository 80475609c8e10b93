// An assertion about flows, held against an estate: `reaches` asks of every pair of interfaces, `does-not-reach` of any, `only-through` of every road.
// By reach, so with all ports and addresses at once; the walk explains the one flow that is shown.

import { endpointServiceCalled } from '@postern/network/endpoint-services.ts';
import { resolve } from '@postern/network/names.ts';
import { AddressSet } from '@postern/network/reach/address-set.ts';
import type { Hop } from '@postern/network/reach/ends.ts';
import { FlowSet } from '@postern/network/reach/flow-set.ts';
import { prepareReach, type Reachability, witness } from '@postern/network/reach/reach.ts';
import type { NetworkInterfaceId, Vpc } from '@postern/network/snapshot.ts';
import { indexNetwork, type NetworkIndex } from '@postern/network/walk/network-index.ts';
import { protocols } from '@postern/network/walk/packet.ts';
import type { NetworkAssertion, Written } from './document.ts';
import type { End, HopKind, Road as RoadWord } from './ends.ts';
import type { Estate } from './estate.ts';
import { candidateFlow, evidenceOf, nameOfSide } from './evidence.ts';
import { carriesAll, comesFromAll, public4, type Road, roadsBetween, within } from './flows.ts';
import { type ClassOf, pairsBetween } from './pairs.ts';
import { probesOf } from './probes.ts';
import type { Evidence, Probe, Result } from './report.ts';
import type { Resolver, Role, Side } from './resolve.ts';
import type { Traffic } from './traffic.ts';
import { type Depends, type Doubt, dependsOn } from './unmodelled.ts';

/** What is asked again and again of one estate. */
export interface Ground {
  readonly estate: Estate;
  readonly network: NetworkIndex;
  readonly reachability: Reachability;
  readonly resolver: Resolver;
  /** The private addresses of every interface. */
  readonly held: ReadonlySet<string>;
  readonly classOf: ClassOf;
}

function heldAddresses({ snapshot }: Estate): ReadonlySet<string> {
  return new Set(
    snapshot.vpcs.flatMap((vpc) =>
      vpc.networkInterfaces.flatMap((eni) => eni.privateAddresses.map((own) => own.address)),
    ),
  );
}

export function groundOf(estate: Estate, resolver: Resolver): Ground {
  const network = indexNetwork(estate.snapshot);
  const reachability = prepareReach(network);
  const classes = new Map(
    reachability.classes().flatMap((members, place) => members.map((id) => [id, place] as const)),
  );
  const classOf = (id: NetworkInterfaceId) => classes.get(id) ?? id;
  return { estate, network, reachability, resolver, held: heldAddresses(estate), classOf };
}

type Answer = Pick<Result, 'outcome' | 'message' | 'dependsOn' | 'assumptions' | 'probes'> & {
  readonly evidence?: Evidence;
};

const plain = (outcome: Result['outcome'], message: string): Answer => ({
  outcome,
  message,
  dependsOn: [],
  assumptions: [],
  probes: [],
});

export function checkNetwork(ground: Ground, assertion: NetworkAssertion): Answer {
  const froms = sidesOf(ground, assertion, assertion.from, 'from');
  if (!Array.isArray(froms)) return froms;
  const tos = sidesOf(ground, assertion, assertion.to, assertion.verb === 'reaches' ? 'each' : 'to');
  if (!Array.isArray(tos)) return tos;
  const roads = assertion.onlyThrough && roadWordsOf(ground, assertion.onlyThrough);
  if (typeof roads === 'string') return plain('error', roads);
  const sides: Sides = { froms, tos };
  if (froms.some((from) => from.kind === 'internet' && !isRest(from) && tos.some((to) => to.kind !== 'interfaces')))
    return plain('error', 'both ends are outside, and what passes between them is no affair of this network');
  if (assertion.verb === 'does-not-reach') return checkUnreachable(ground, assertion, sides);
  const only = roads && checkRoads(ground, assertion, sides, roads);
  if (assertion.verb === 'may-reach') return only ?? plain('holds', '');
  if (only !== undefined && only.outcome === 'fails') return only;
  const reaches = checkReachable(ground, assertion, sides);
  return reaches.outcome === 'holds' && only !== undefined && only.outcome !== 'holds' ? only : reaches;
}

interface Sides {
  readonly froms: readonly Side[];
  readonly tos: readonly Side[];
}

/** @returns an answer when an end means nothing, or nobody */
function sidesOf(
  { resolver }: Ground,
  { allowEmpty }: NetworkAssertion,
  ends: readonly Written<End>[],
  role: Role,
): Side[] | Answer {
  const sides: Side[] = [];
  const empty: string[] = [];
  for (const end of ends) {
    const resolved = resolver.resolve(end, role);
    if (resolved.kind === 'missing' && !allowEmpty)
      return plain('error', `${role === 'from' ? 'from' : 'to'}: ${resolved.message}`);
    if (resolved.kind === 'sides') sides.push(...resolved.sides);
    else empty.push(resolved.message);
  }
  const [first] = empty;
  if (first !== undefined && !allowEmpty)
    return plain('fails', `${first}, so nothing was checked; with 'allow-empty: true' that is no failure`);
  return sides.length > 0 ? sides : plain('holds', `nothing to check: ${first ?? 'the end is empty'}`);
}

// ---- nothing reaches

/** Enough to say how wide it is open. */
const mostViolations = 50;

function checkUnreachable(ground: Ground, assertion: NetworkAssertion, sides: Sides): Answer {
  const violations = findRoads(ground, assertion, sides, () => true);
  const certain = violations.filter(({ road }) => !road.isVague);
  const assumptions = [...new Set(certain.flatMap(({ road }) => road.reach.assumptions))];
  if (certain.length > 0) {
    const depends = dependsOn(ground.estate, ground.reachability, sides.froms, sides.tos, 'may-block');
    const [first] = certain;
    const evidence = first && evidenceOfRoad(ground, first.road, assertion);
    const doubt = depends.length > 0 ? 'unknown' : 'fails';
    const message = `${describeRoads(certain)}${depends.length > 0 ? ', unless what is not modelled stands in the way' : ''}`;
    return {
      outcome: doubt,
      message,
      ...(evidence && { evidence }),
      dependsOn: depends,
      assumptions,
      probes: evidence?.probe ? [evidence.probe] : [],
    };
  }
  const [vague] = violations;
  if (vague !== undefined) return unknownAddresses(vague.to);
  return doubted(ground, sides, 'may-open', {
    ...plain('holds', ''),
    probes: probesOf(ground, assertion.traffic, sides, 'dropped'),
  });
}

function unknownAddresses(to: Side): Answer {
  const service = to.kind === 'service' ? to.service : 'the service';
  const how =
    service === 's3' || service === 'dynamodb'
      ? 'aws ec2 describe-prefix-lists tells them'
      : 'some public addresses are reached and others are not';
  return { ...plain('unknown', `which public addresses ${service} has is not in the snapshot; ${how}`) };
}

function doubted(ground: Ground, { froms, tos }: Sides, doubt: Doubt, answer: Answer): Answer {
  const depends: Depends[] = dependsOn(ground.estate, ground.reachability, froms, tos, doubt);
  if (depends.length === 0) return answer;
  const what = doubt === 'may-open' ? 'could carry it' : 'could be in the way';
  const message = `${depends[0]?.what} ${what}: ${depends[0]?.because}${depends.length > 1 ? ` (and ${depends.length - 1} more)` : ''}`;
  return { ...answer, outcome: 'unknown', message, dependsOn: depends };
}

interface Found {
  readonly road: Road;
  readonly to: Side;
  /** How many pairs have one like it. */
  readonly count: number;
}

/** Roads that are not wanted. */
function findRoads(
  { estate, reachability, classOf }: Ground,
  { traffic }: NetworkAssertion,
  { froms, tos }: Sides,
  isWrong: (road: Road) => boolean,
): Found[] {
  const found: Found[] = [];
  for (const { from, to, count } of pairsBetween(classOf, froms, tos)) {
    for (const road of roadsBetween(estate, reachability, from, to, traffic))
      if (isWrong(road)) found.push({ road, to, count });
    if (found.length >= mostViolations) return found;
  }
  return found;
}

/** The internet without its private blocks is the internet. */
function words({ boxes }: FlowSet): string {
  const whole = new AddressSet(AddressSet.all.v4, []);
  const rounded = boxes.map((box) => (public4.subtract(box.sources).isEmpty ? { ...box, sources: whole } : box));
  return new FlowSet(rounded).describe();
}

function describeRoads(found: readonly Found[]): string {
  const [first] = found;
  if (first === undefined) return '';
  const pairs = new Map(found.map(({ road, count }) => [JSON.stringify([road.reach.from, road.reach.to]), count]));
  const more = [...pairs.values()].reduce((sum, count) => sum + count, 0) - 1;
  const some = found.length >= mostViolations ? `${more} or more` : `${more}`;
  const others = more <= 0 ? '' : `, and so with ${some} other ${more === 1 ? 'pair' : 'pairs'}`;
  return `${words(first.road.flows)} gets through${others}`;
}

function evidenceOfRoad(
  ground: Ground,
  road: Road,
  assertion: NetworkAssertion,
): (Evidence & { probe?: Probe }) | undefined {
  const flow = witness({ ...road.reach, flows: road.flows });
  return flow && evidenceOf(ground, flow, { wanted: false, serviceRoads: assertion.onlyThrough !== undefined });
}

// ---- only through

function checkRoads(
  ground: Ground,
  assertion: NetworkAssertion,
  sides: Sides,
  isAllowed: (hop: Hop) => boolean,
): Answer {
  const violations = findRoads(ground, assertion, sides, ({ via }) => !via.some(isAllowed));
  const certain = violations.filter(({ road }) => !road.isVague);
  const [first] = certain;
  if (first !== undefined) {
    const via = first.road.via.map((hop) => hop.id);
    const evidence = evidenceOfRoad(ground, first.road, assertion);
    const how = via.length > 0 ? `through ${via.join(', ')}` : 'inside the VPC';
    const message = `${describeRoads(certain)} ${how}`;
    return {
      ...plain('fails', message),
      ...(evidence && { evidence }),
      assumptions: first.road.reach.assumptions,
      probes: evidence?.probe ? [evidence.probe] : [],
    };
  }
  const [vague] = violations;
  if (vague !== undefined) return unknownAddresses(vague.to);
  return doubted(ground, sides, 'may-open', plain('holds', ''));
}

/** @returns why a road means nothing, else whether a hop is one of the roads */
function roadWordsOf(
  { resolver, estate }: Ground,
  roads: readonly Written<RoadWord>[],
): ((hop: Hop) => boolean) | string {
  const kinds = new Set<HopKind>();
  const ids = new Set<string>();
  for (const { means } of roads) {
    if (means.kind === 'hop') kinds.add(means.hop);
    else if (means.kind === 'id') {
      if (!knownIds(estate).has(means.id)) return `only-through: there is no ${means.id}`;
      ids.add(means.id);
    } else {
      const found = resolver.find(means.selector);
      if (typeof found === 'string') return `only-through: ${found}`;
      for (const each of found) ids.add(each.id);
    }
  }
  return ({ kind, id }) =>
    ids.has(id) || kinds.has(kind === 'gateway-endpoint' || kind === 'interface-endpoint' ? 'vpc-endpoint' : kind);
}

function knownIds({ snapshot }: Estate): Set<string> {
  return new Set([
    ...snapshot.peeringConnections.map((each) => each.vpcPeeringConnectionId),
    ...snapshot.transitGateways.map((each) => each.transitGatewayId),
    ...snapshot.vpcs.flatMap((vpc) => [
      ...(vpc.internetGatewayId ? [vpc.internetGatewayId] : []),
      ...vpc.egressOnlyInternetGatewayIds,
      ...vpc.natGateways.map((each) => each.natGatewayId),
      ...vpc.gatewayEndpoints.map((each) => each.vpcEndpointId),
      ...vpc.interfaceEndpoints.map((each) => each.vpcEndpointId),
      ...vpc.networkInterfaces.map((each) => each.networkInterfaceId),
    ]),
  ]);
}

// ---- reaches

const https: Traffic = { text: 'tcp 443', protocol: protocols.tcp, ports: [{ from: 443, to: 443 }] };
const anything: Traffic = { text: 'any', protocol: -1 };

/** Every sender, every receiver, all of the traffic. */
function checkReachable(ground: Ground, assertion: NetworkAssertion, sides: Sides): Answer {
  const assumptions = new Set<string>();
  for (const { from, to } of pairsBetween(ground.classOf, sides.froms, sides.tos)) {
    if (isRest(from) || isRest(to)) continue;
    const wanted = assertion.traffic.length > 0 ? assertion.traffic : [to.kind === 'service' ? https : anything];
    for (const traffic of wanted) {
      const gap = gapBetween(ground, from, to, traffic);
      if (gap.kind === 'open') {
        for (const each of gap.assumptions) assumptions.add(each);
        continue;
      }
      if (gap.kind === 'vague') return unknownAddresses(to);
      const flow = candidateFlow(ground, from, to, traffic);
      const evidence = typeof flow === 'string' ? undefined : evidenceOf(ground, flow, { wanted: true });
      const names = `${nameOfSide(ground, from)} does not reach ${nameOfSide(ground, to)}${assertion.traffic.length > 0 ? ` on ${traffic.text}` : ''}`;
      const message = `${names}: ${typeof flow === 'string' ? flow : (gap.because ?? evidence?.deciding?.because ?? 'not with all of the traffic')}`;
      return doubted(ground, { froms: [from], tos: [to] }, 'may-open', {
        ...plain('fails', message),
        ...(evidence && { evidence }),
        probes: evidence?.probe ? [evidence.probe] : [],
      });
    }
  }
  const answer = {
    ...plain('holds', ''),
    assumptions: [...assumptions],
    probes: probesOf(ground, assertion.traffic, sides, 'open'),
  };
  return doubted(ground, sides, 'may-block', answer);
}

type Gap =
  | { readonly kind: 'open'; readonly assumptions: readonly string[] }
  | { readonly kind: 'closed'; readonly because?: string }
  | { readonly kind: 'vague' };

function gapBetween(ground: Ground, from: Side, to: Side, traffic: Traffic): Gap {
  const { estate, reachability } = ground;
  let roads = roadsBetween(estate, reachability, from, to, [traffic]);
  if (to.kind === 'service' && from.kind === 'interfaces') roads = byName(ground, from.places[0]?.vpc, to, roads);
  const certain = roads.filter((each) => !each.isVague);
  const flows = certain.reduce((sum, each) => sum.unite(each.flows), new FlowSet([]));
  if (!carriesAll(flows, traffic)) return roads.length > certain.length ? { kind: 'vague' } : { kind: 'closed' };
  if (from.kind === 'internet' && from.cidrs !== undefined && !comesFromAll(flows, from.cidrs))
    return {
      kind: 'closed',
      because: `from ${AddressSet.ofCidrs(from.cidrs).subtract(flows.sources()).describe()} it does not`,
    };
  return { kind: 'open', assumptions: certain.flatMap(({ reach }) => reach.assumptions) };
}

/** A client asks for the service by its name: where private DNS answers with an endpoint's addresses, it goes there and nowhere else (X5). */
function byName(
  { estate, held }: Ground,
  vpc: Vpc | undefined,
  { service, region }: Extract<Side, { kind: 'service' }>,
  roads: Road[],
): Road[] {
  const name = vpc && endpointServiceCalled(service, region ?? vpc.region)?.privateDnsNames[0]?.replace('*.', '');
  if (vpc === undefined || name === undefined) return roads;
  const answers = resolve(estate.snapshot, vpc.vpcId, name, 'A')?.answers.map((each) => each.data) ?? [];
  const doors = answers.filter((address) => held.has(address));
  if (doors.length === 0) return roads.filter(({ via }) => !via.some((hop) => hop.kind === 'interface-endpoint'));
  return roads.flatMap((each) => {
    const flows = within(each.flows, AddressSet.all, AddressSet.ofAddresses(doors));
    return flows.isEmpty ? [] : [{ ...each, flows }];
  });
}

/** Of a CIDR that interfaces have addresses in: the hosts outside are not asked for. */
const isRest = (side: Side) => side.kind === 'internet' && side.isRest === true;
