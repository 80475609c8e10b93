// Is there any packet that gets from one end to the other, and its answer back? Reachability Analyzer's question, asked of the walk: of each class of ports
// and addresses that rules and routes tell apart, one is walked. The way there depends on the destination's port alone and the way back on the source's, so
// the two are searched one after the other. No packet gets through: the walk that came nearest says why.
// Pure. https://docs.aws.amazon.com/vpc/latest/reachability/how-reachability-analyzer-works.html (read 2026-11-21). IPv4 only, as there.

import type { NetworkInterface, SecurityGroup, Vpc } from '../snapshot.ts';
import type { NetworkIndex } from '../walk/network-index.ts';
import { type Origin, type Packet, protocols } from '../walk/packet.ts';
import type { Trace } from '../walk/trace.ts';
import { walk } from '../walk/walk.ts';
import { type Candidate, candidates } from './candidates.ts';
import { type Class, portClasses, sampleAddress, sampleOf } from './classes.ts';
import { beforeSearching, notPublic } from './configuration.ts';
import type { Explanation } from './explanation.ts';
import { headersOf } from './headers.ts';
import { alternatives } from './hints.ts';
import { type Hop, hopsOf, type LegHeaders } from './hops.ts';
import { judge, type Verdict } from './judge.ts';
import { type Question, vpcsOf } from './question.ts';

export interface Analysis {
  readonly isFound: boolean;
  /** Empty unless a path was found. */
  readonly forward: readonly Hop[];
  readonly back: readonly Hop[];
  /** Empty when a path was found. */
  readonly explanations: readonly Explanation[];
  /** Ids of components by which there might be another path. */
  readonly alternatives: readonly string[];
}

/** A walk that was tried, and what became of it. */
export interface Attempt {
  readonly from: Origin;
  readonly packet: Packet;
  readonly trace: Trace;
  readonly verdict: Verdict;
}

/** There are more classes than an answer may take time for. */
export class TooManyFlows extends Error {
  constructor() {
    super(
      'The rules of these VPCs tell apart more addresses and ports than an analysis looks at. Narrow the path with filters.',
    );
  }
}

/** Walks that one analysis may take: a second or two. */
const mostWalks = 50_000;
/** A port that a client would have. */
const ephemeralPort = 40_000;

/** @throws TooManyFlows */
export function analyse(network: NetworkIndex, question: Question): Analysis {
  const nothing = { isFound: false, forward: [], back: [] };
  const settled = beforeSearching(network, question);
  if (settled.length > 0) return { ...nothing, explanations: settled, alternatives: [] };
  const search = new Search(network, question);
  const best = search.best();
  const reasons = [...notPublic(question), ...(best?.verdict.reasons ?? [{ code: 'NO_PATH' } as const])];
  if (best === undefined || reasons.length > 0)
    return { ...nothing, explanations: distinct(reasons), alternatives: alternatives(network, question) };
  const headers: LegHeaders = headersOf(best, search.domains, (from, packet) => search.attempt(from, packet));
  return {
    isFound: true,
    forward: hopsOf(network, question, best.trace, 'forward', headers),
    back: hopsOf(network, question, best.trace, 'return', headers),
    explanations: [],
    alternatives: [],
  };
}

/** The classes that a search chooses from, for each field that is free. */
export interface Domains {
  readonly sourcePorts: readonly Class[];
  readonly destinationPorts: readonly Class[];
  readonly candidates: readonly Candidate[];
}

class Search {
  readonly domains: Domains;
  readonly #network: NetworkIndex;
  readonly #question: Question;
  #walks = 0;

  constructor(network: NetworkIndex, question: Question) {
    this.#network = network;
    this.#question = question;
    const vpcs = concerned(network, question);
    const telling = { vpcs, groups: askedGroups(question, vpcs) };
    const { atSource, atDestination, protocol } = question;
    const cut = (classes: Class[], range: { from: number; to: number } | undefined) =>
      range === undefined ? classes : classes.flatMap((each) => cutAt(each, range));
    this.domains = {
      // Replies pass the groups that let the flow begin. A middlebox that only replies meet asks its own, and a UDP reply by another way is a flow of its own.
      sourcePorts: ephemeralFirst(
        cut(
          portClasses(
            hasBoxes(vpcs) || protocol === protocols.udp ? telling : { vpcs, groups: [] },
            protocol,
            atSource.sourcePorts,
          ),
          atDestination.sourcePorts,
        ),
      ),
      destinationPorts: cut(portClasses(telling, protocol, atSource.destinationPorts), atDestination.destinationPorts),
      candidates: candidates(network, question, telling),
    };
  }

  /** A path, or what came nearest to one; undefined when there was nothing to try. */
  best(): Attempt | undefined {
    let best: Attempt | undefined;
    for (const { from, sources, destinations } of this.domains.candidates)
      for (const source of sources)
        for (const destination of destinations) {
          const found = this.#bestPorts(from, sampleAddress(source), sampleAddress(destination));
          if (found !== undefined && (best === undefined || isNearer(found, best))) best = found;
          if (best?.verdict.reasons.length === 0) return best;
        }
    return best;
  }

  #bestPorts(from: Origin, source: string, destination: string): Attempt | undefined {
    const { protocol } = this.#question;
    const [first] = this.domains.sourcePorts;
    if (first === undefined) return undefined;
    let best: Attempt | undefined;
    const consider = (sourcePort: number, destinationPort: number) => {
      const attempt = this.attempt(from, { protocol, source, destination, sourcePort, destinationPort });
      if (best === undefined || isNearer(attempt, best)) best = attempt;
      return best.verdict.reasons.length === 0;
    };
    const sourcePort = clientPort(first);
    for (const ports of this.domains.destinationPorts) if (consider(sourcePort, sampleOf(ports))) return best;
    // The source port is looked at on the way back alone.
    if (best === undefined || !best.verdict.isThere || isStopped(best)) return best;
    const { destinationPort = 0 } = best.packet;
    for (const ports of this.domains.sourcePorts.slice(1)) if (consider(sampleOf(ports), destinationPort)) return best;
    return best;
  }

  attempt(from: Origin, packet: Packet): Attempt {
    this.#walks += 1;
    if (this.#walks > mostWalks) throw new TooManyFlows();
    const { destination } = this.#question;
    const until = destination.kind === 'peering-connection' ? { until: destination.id } : {};
    const trace = walk(this.#network, { from, packet, ...until });
    return { from, packet, trace, verdict: judge(this.#network, this.#question, packet, trace) };
  }
}

function isNearer(a: Attempt, b: Attempt): boolean {
  if (a.verdict.isThere !== b.verdict.isThere) return a.verdict.isThere;
  const [x, y] = [a.verdict.reasons, b.verdict.reasons];
  if (x.length !== y.length) return x.length < y.length;
  // A rule that would let it pass, were its group known, is nearer than no rule at all.
  return mismatches(x) < mismatches(y);
}

function mismatches(reasons: readonly Explanation[]): number {
  return reasons.filter((each) => each.code === 'ENI_SG_RULES_MISMATCH').length;
}

function isStopped({ trace }: Attempt): boolean {
  return trace.blockers.some((step) => step.leg === 'forward');
}

function hasBoxes(vpcs: readonly Vpc[]): boolean {
  return vpcs.some((vpc) => vpc.networkInterfaces.some(isBox));
}

function isBox({ sourceDestCheck, service }: NetworkInterface): boolean {
  return !sourceDestCheck && service === undefined;
}

/** The groups of the ends, of whoever has the address that is asked for, and of middleboxes. */
function askedGroups(question: Question, vpcs: readonly Vpc[]): SecurityGroup[] {
  const { source, destination, atSource } = question;
  const ends = new Set<string>(
    [source, destination].flatMap((place) => (place.kind === 'interfaces' ? place.networkInterfaceIds : [])),
  );
  const address = destination.kind === 'address' ? destination.address : atSource.destinationAddress;
  const asked = (card: NetworkInterface) =>
    ends.has(card.networkInterfaceId) ||
    isBox(card) ||
    card.service?.kind === 'vpc-endpoint' ||
    card.privateAddresses.some((each) => each.address === address || each.publicAddress === address);
  return vpcs.flatMap((vpc) => {
    const ids = new Set(vpc.networkInterfaces.filter(asked).flatMap((card) => card.groupIds));
    return vpc.securityGroups.filter((group) => ids.has(group.groupId));
  });
}

/** The VPCs whose rules and routes can have a say: those of the ends, of what they are joined with, and of the providers behind their endpoints. */
function concerned(network: NetworkIndex, { source, destination }: Question): Vpc[] {
  const ends = new Set([...vpcsOf(source), ...vpcsOf(destination)]);
  const near = [...ends].flatMap((vpcId) => network.neighboursOf(vpcId).map((vpc) => vpc.vpcId));
  const known = [...new Set([...ends, ...near])].flatMap((vpcId) => network.vpc(vpcId) ?? []);
  return [...new Set([...known, ...known.flatMap((vpc) => providersOf(network, vpc))])];
}

/** Whose load balancers are behind endpoints of the VPC. */
function providersOf(network: NetworkIndex, { interfaceEndpoints }: Vpc): Vpc[] {
  const nodes = interfaceEndpoints.flatMap(({ behind }) => behind ?? []).map(({ node }) => node);
  return nodes.flatMap((id) => network.networkInterface(id)?.vpc ?? []);
}

function cutAt({ first, last }: Class, { from, to }: { from: number; to: number }): Class[] {
  const starts = [first, from, to + 1].filter((start) => start >= first && start <= last);
  const sorted = [...new Set(starts)].sort((a, b) => a - b);
  return sorted.map((start, index) => ({ first: start, last: (sorted[index + 1] ?? last + 1) - 1 }));
}

function ephemeralFirst(classes: readonly Class[]): Class[] {
  const isIt = ({ first, last }: Class) => first <= ephemeralPort && ephemeralPort <= last;
  return [...classes.filter(isIt), ...classes.filter((each) => !isIt(each))];
}

function clientPort(ports: Class): number {
  return ports.first <= ephemeralPort && ephemeralPort <= ports.last ? ephemeralPort : sampleOf(ports);
}

function distinct(explanations: readonly Explanation[]): Explanation[] {
  const seen = new Set<string>();
  return explanations.filter((each) => {
    const key = JSON.stringify(each);
    return !seen.has(key) && seen.add(key);
  });
}
