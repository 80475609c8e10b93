// Reachability Analyzer and reach, held against each other on random networks, without a kernel: an analysis finds a path between two ends exactly where reach has
// packets of that protocol, and the packets that it shows get through, as the walk sees it.
// POSTERN_DIFFERENTIAL_RUNS and POSTERN_DIFFERENTIAL_SEED make it longer or another one.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Analysis, analyse } from '@postern/network/insights/analyse.ts';
import type { Place } from '@postern/network/insights/question.ts';
import { isEmpty, slabsOf } from '@postern/network/insights/slabs.ts';
import type { End, Reach } from '@postern/network/reach/ends.ts';
import { prepareReach } from '@postern/network/reach/reach.ts';
import type { Snapshot } from '@postern/network/snapshot.ts';
import { indexNetwork, type NetworkIndex } from '@postern/network/walk/network-index.ts';
import type { Origin, Packet } from '@postern/network/walk/packet.ts';
import { walk } from '@postern/network/walk/walk.ts';
import fc from 'fast-check';
import { asCommands } from './commands.ts';
import { topologies } from './topology.ts';

const runs = Number(process.env['POSTERN_DIFFERENTIAL_RUNS'] ?? 12);
const seed = Number(process.env['POSTERN_DIFFERENTIAL_SEED'] ?? 20261121);

interface ScopedEnd {
  readonly place: Exclude<Place, { kind: 'address' }>;
  readonly end: End;
  readonly origin?: Origin;
}

function endsOf({ vpcs }: Snapshot): ScopedEnd[] {
  return vpcs.flatMap((vpc): ScopedEnd[] => {
    const { vpcId, internetGatewayId: igw } = vpc;
    const cards = vpc.networkInterfaces.filter((card) => card.attachment !== undefined);
    const interfaces = cards.map(({ networkInterfaceId: id }): ScopedEnd => {
      const end = { kind: 'network-interface', networkInterfaceId: id } as const;
      return { place: { kind: 'interfaces', id, vpcId, networkInterfaceIds: [id] }, end, origin: end };
    });
    const gateway: ScopedEnd[] =
      igw === undefined
        ? []
        : [
            {
              place: { kind: 'internet-gateway', id: igw, vpcId },
              end: { kind: 'internet' },
              origin: { kind: 'internet', internetGatewayId: igw },
            },
          ];
    const endpoints = [...vpc.gatewayEndpoints, ...vpc.interfaceEndpoints].map((endpoint): ScopedEnd => {
      const { vpcEndpointId: id, service } = endpoint;
      const region = 'serviceRegion' in endpoint ? endpoint.serviceRegion : vpc.region;
      return { place: { kind: 'vpc-endpoint', id, vpcId }, end: { kind: 'service', service, region } };
    });
    return [...interfaces, ...gateway, ...endpoints];
  });
}

/** An analysis ends at the first gateway, and looks at a destination's private address unless it comes from the internet. */
function isOfRoad({ via, arrival }: Reach, from: ScopedEnd, to: ScopedEnd): boolean {
  const gateways = [from, to].flatMap(({ place }) => (place.kind === 'internet-gateway' ? [place.id] : []));
  const passed = via.flatMap(({ kind, id }) => (kind === 'internet-gateway' ? [id] : []));
  if (passed.join() !== gateways.join()) return false;
  return to.place.kind !== 'vpc-endpoint' || (arrival === 'vpc-endpoint' && via.at(-1)?.id === to.place.id);
}

const canJoin = (from: ScopedEnd, to: ScopedEnd) =>
  from.origin !== undefined && from !== to && (from.place.kind === 'interfaces' || to.place.kind === 'interfaces');

/** Where packets pass and the analyzer does not look. */
const ownLimits = ['IGW_NAT_REFLECTION', 'INGRESS_RTB_TRAFFIC_REDIRECTION'];

function checkPackets(
  network: NetworkIndex,
  { place, origin }: ScopedEnd,
  { forward }: Analysis,
  protocol: number,
): void {
  const header = place.kind === 'internet-gateway' ? forward[0]?.inbound : forward[0]?.outbound;
  assert.ok(header && origin);
  const ends = <T>(list: readonly T[] | undefined) => [list?.[0], list?.at(-1)];
  for (const source of ends(header.sourceAddresses))
    for (const destination of ends(header.destinationAddresses))
      for (const sourcePorts of ends(header.sourcePorts))
        for (const destinationPorts of ends(header.destinationPorts)) {
          const packet: Packet = {
            protocol,
            source: source?.split('/')[0] ?? '',
            destination: destination?.split('/')[0] ?? '',
            sourcePort: sourcePorts?.from ?? -1,
            destinationPort: destinationPorts?.to ?? -1,
          };
          // One field at a time is what a header promises; the other fields are those of the packet that was found.
          const trace = walk(network, { from: origin, packet });
          assert.equal(trace.verdict, 'open', JSON.stringify({ packet, blockers: trace.blockers }));
        }
}

function check(snapshot: Snapshot): number {
  const network = indexNetwork(snapshot);
  const reach = prepareReach(network);
  const ends = endsOf(snapshot);
  let found = 0;
  for (const from of ends)
    for (const to of ends) {
      if (!canJoin(from, to)) continue;
      for (const protocol of [6, 17]) {
        const question = { source: from.place, destination: to.place, protocol };
        const rest = { atSource: {}, atDestination: {}, through: [], without: [] };
        const analysis = analyse(network, { ...question, ...rest });
        if (analysis.explanations.some(({ code }) => ownLimits.includes(code))) continue;
        const roads = reach.between([from.end], [to.end], { traffic: { protocol } });
        const open = roads
          .filter((road) => isOfRoad(road, from, to))
          .flatMap(({ flows }) => slabsOf(flows, protocol, []).flat());
        const why = `${from.place.id} → ${to.place.id}, protocol ${protocol}: ${analysis.explanations.map(({ code }) => code).join(', ')}`;
        assert.equal(
          analysis.isFound,
          open.some((each) => !isEmpty(each)),
          why,
        );
        if (!analysis.isFound) assert.ok(analysis.explanations.length > 0, why);
        else {
          found += 1;
          checkPackets(network, from, analysis, protocol);
        }
      }
    }
  return found;
}

test(`an analysis finds a path where reach has packets, ${runs} networks`, () => {
  let found = 0;
  fc.assert(
    fc.property(topologies(), ({ snapshot }) => {
      try {
        found += check(snapshot);
      } catch (error) {
        throw new Error(`${(error as Error).message}\n${asCommands(snapshot)}`, { cause: error });
      }
    }),
    { numRuns: runs, seed },
  );
  assert.ok(found > runs, `only ${found} paths in ${runs} networks`);
});
