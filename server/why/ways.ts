// By which way does a request of this origin come to a service, and by which other ways could it? The way decides the path keys (table 6.5), so policies
// cannot be asked without it.

import { addressPlan } from '@postern/network/addresses.ts';
import { joinedVpcs } from '@postern/network/joins.ts';
import { resolve } from '@postern/network/names.ts';
import { roadsTo } from '@postern/network/remedy/candidates.ts';
import { applyChange, applyChanges, type Change, newEndpointId } from '@postern/network/remedy/changes.ts';
import { type NetworkStep, networkRemedies } from '@postern/network/remedy/remedies.ts';
import type { Snapshot } from '@postern/network/snapshot.ts';
import { explainStep } from '@postern/network/walk/explain.ts';
import { indexNetwork } from '@postern/network/walk/network-index.ts';
import { type Flow, protocols } from '@postern/network/walk/packet.ts';
import type { Trace } from '@postern/network/walk/trace.ts';
import { walk } from '@postern/network/walk/walk.ts';
import type { ChainLink } from '../operator/api.ts';
import type { RequestPath } from '../path.ts';
import type { Place } from './ends.ts';
import { roadTitle } from './network-commands.ts';
import { networkLink } from './trace.ts';

export interface Way {
  readonly links: readonly ChainLink[];
  readonly isOpen: boolean;
  /** What the service would see; absent where no way leads there. */
  readonly path?: RequestPath;
  readonly flow?: Flow;
}

/** A way with what has to change in the network for it; nothing, for one that is open. */
export interface OtherWay {
  readonly title: string;
  readonly steps: readonly NetworkStep[];
  readonly path: RequestPath;
}

const ephemeralPort = 40_000;
const globalHosts: Readonly<Record<string, string>> = {
  iam: 'iam.amazonaws.com',
  organizations: 'organizations.us-east-1.amazonaws.com',
};

export function hostOf(service: string, region: string): string {
  return globalHosts[service] ?? `${service}.${region}.amazonaws.com`;
}

export const terminalWay: Way = {
  links: [{ stage: 'road', verdict: 'pass', because: 'the person’s own terminal: over the internet, through no VPC' }],
  isOpen: true,
  path: { kind: 'internet', sourceIp: addressPlan.laptop, secure: true },
};

/** @param host of the service   @param address where the client is known to have gone, instead of what the name means */
export function wayFrom(snapshot: Snapshot, from: Place, host: string, address?: string): Way {
  const network = indexNetwork(snapshot);
  const { vpc, card } = from;
  const answers = resolve(snapshot, vpc.vpcId, host, 'A');
  const resolved = answers?.answers[0]?.data;
  const stage = 'name resolution';
  const name: ChainLink =
    address !== undefined
      ? { stage, verdict: 'pass', because: `the client used the endpoint’s own name: ${address}` }
      : answers === undefined
        ? {
            stage,
            verdict: 'drop',
            component: vpc.vpcId,
            because: `enableDnsSupport is false, so nobody says what ${host} is`,
          }
        : resolved === undefined
          ? { stage, verdict: 'drop', component: vpc.vpcId, because: `${host} has no address there` }
          : {
              stage,
              verdict: 'pass',
              component: vpc.vpcId,
              because: `${host} is ${resolved}${privateDns(vpc, resolved)}`,
            };
  const destination = address ?? resolved ?? resolve(snapshot, 'internet', host, 'A')?.answers[0]?.data;
  const source = card.privateAddresses[0]?.address;
  if (destination === undefined || source === undefined) return { links: [name], isOpen: false };
  const flow: Flow = {
    from: { kind: 'network-interface', networkInterfaceId: card.networkInterfaceId },
    packet: { protocol: protocols.tcp, source, destination, sourcePort: ephemeralPort, destinationPort: 443 },
  };
  const trace = walk(network, flow);
  const path = pathOf(snapshot, trace);
  return {
    links: [name, ...trace.steps.map((step) => networkLink(network, step))],
    isOpen: name.verdict === 'pass' && trace.verdict === 'open',
    ...(path && { path }),
    flow,
  };
}

function privateDns({ interfaceEndpoints, networkInterfaces }: Place['vpc'], address: string): string {
  const card = networkInterfaces.find((each) => each.privateAddresses.some((own) => own.address === address));
  const endpoint =
    card && interfaceEndpoints.find((each) => each.networkInterfaceIds.includes(card.networkInterfaceId));
  return endpoint === undefined ? '' : `, private DNS of ${endpoint.vpcEndpointId}`;
}

/** What the service sees of a packet that came out so. */
function pathOf(snapshot: Snapshot, { arrival, seenAs }: Trace): RequestPath | undefined {
  if (arrival === undefined || seenAs === undefined) return undefined;
  if (arrival.kind === 'internet') return { kind: 'internet', sourceIp: seenAs, secure: true };
  if (arrival.kind !== 'vpc-endpoint') return undefined;
  const { vpcEndpointId } = arrival;
  const own = snapshot.vpcs.find((vpc) =>
    [...vpc.gatewayEndpoints, ...vpc.interfaceEndpoints].some((each) => each.vpcEndpointId === vpcEndpointId),
  );
  return own && { kind: 'endpoint', vpcEndpointId, vpcId: own.vpcId, sourceIp: seenAs, secure: true };
}

export function isNewEndpoint(path: RequestPath): boolean {
  return path.kind === 'endpoint' && path.vpcEndpointId === newEndpointId;
}

/**
 * Every way that leads there now or after changes of the network.
 * @returns ways, and in words why there is none
 */
export function waysFrom(
  snapshot: Snapshot,
  from: Place,
  host: string,
): { readonly ways: readonly OtherWay[]; readonly unsolved: readonly string[] } {
  const dns: Change = { kind: 'dns-support', vpcId: from.vpc.vpcId };
  const first: readonly Change[] = from.vpc.enableDnsSupport ? [] : [dns];
  const named = applyChanges(snapshot, first);
  const way = wayFrom(named, from, host);
  const { flow } = way;
  if (flow === undefined) return { ways: [], unsolved: way.links.map(({ because }) => because) };
  const lead = first.map((change) => ({ change, forms: [] }));
  const network = indexNetwork(named);
  const own = networkRemedies(named, flow);
  const placed = network.networkInterface(from.card.networkInterfaceId);
  const roads = placed === undefined ? [] : roadsTo(network, placed.vpc, placed.routeTable.routeTableId, flow.packet);
  const current = way.isOpen ? way.path : undefined;
  const others = roads
    .filter((change) => isEndpointRoad(change) && !leadsTo(change, current))
    .flatMap((change) => networkRemedies(named, flow, [change]).remedies);
  const seen = new Set<string>();
  const ways = [...own.remedies, ...others].flatMap(({ steps, trace }): OtherWay[] => {
    const changed = steps.reduce((so, step) => applyChange(so, step.change), named);
    const path = pathOf(changed, trace);
    const key = JSON.stringify(steps.map((step) => step.change));
    if (path === undefined || seen.has(key)) return [];
    seen.add(key);
    return [{ title: roadTitle(steps), steps: [...lead, ...steps], path }];
  });
  return { ways, unsolved: own.unsolved.map((step) => `${step.component}: ${explainStep(network, step)}`) };
}

/** Roads that are worth trying when the network is open already: those that change what the policies see. */
function isEndpointRoad({ kind }: Change): boolean {
  return kind === 'endpoint-route-table' || kind === 'new-gateway-endpoint';
}

function leadsTo(change: Change, path: RequestPath | undefined): boolean {
  return (
    path?.kind === 'endpoint' && change.kind === 'endpoint-route-table' && change.vpcEndpointId === path.vpcEndpointId
  );
}

/** Where a request that was made came from: the interface behind its address, if it is one of this cloud's. */
export function originOf(snapshot: Snapshot, path: RequestPath, sessionName: string | undefined): Place | undefined {
  const { sourceIp } = path;
  if (path.kind === 'endpoint') {
    const near: readonly string[] = joinedVpcs(snapshot, path.vpcId);
    return (
      placeOfAddress(snapshot, (vpcId) => vpcId === path.vpcId, sourceIp) ??
      placeOfAddress(snapshot, (vpcId) => near.includes(vpcId), sourceIp)
    );
  }
  for (const vpc of snapshot.vpcs) {
    for (const card of vpc.networkInterfaces) {
      const isIts = card.privateAddresses.some((own) => own.publicAddress === sourceIp);
      if (!isIts && !card.ipv6Addresses.includes(sourceIp)) continue;
      if (card.attachment !== undefined) return { vpc, card };
      // Behind a NAT gateway: who it was is known only by an instance's own credentials.
      return instanceIn(snapshot, sessionName);
    }
  }
  return undefined;
}

function placeOfAddress(snapshot: Snapshot, isIn: (vpcId: string) => boolean, address: string): Place | undefined {
  for (const vpc of snapshot.vpcs.filter(({ vpcId }) => isIn(vpcId))) {
    const card = vpc.networkInterfaces.find((each) => each.privateAddresses.some((own) => own.address === address));
    if (card !== undefined) return { vpc, card };
  }
  return undefined;
}

function instanceIn(snapshot: Snapshot, instanceId: string | undefined): Place | undefined {
  for (const vpc of snapshot.vpcs) {
    const card = vpc.networkInterfaces.find(
      ({ attachment }) => attachment?.instanceId === instanceId && attachment?.deviceIndex === 0,
    );
    if (card !== undefined) return { vpc, card };
  }
  return undefined;
}

/** The road in words. */
export function roadWords(path: RequestPath, origin: Place | undefined): string {
  const from = origin?.card.attachment?.instanceId ?? origin?.card.networkInterfaceId;
  const who = from === undefined ? '' : `, ${from}`;
  if (path.kind === 'endpoint') return `${path.sourceIp}${who}, through ${path.vpcEndpointId} of ${path.vpcId}`;
  const terminal = path.sourceIp === terminalWay.path?.sourceIp ? ', the person’s own terminal' : '';
  return `${path.sourceIp}${who}${terminal}, over the internet`;
}
