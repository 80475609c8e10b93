// All the packets that go the way of one that was found: field by field, the classes whose walk has the same steps. One field is varied at a time.

import { ipToNumber, numberToIp } from '../cidr.ts';
import type { Cidr, PortRange } from '../snapshot.ts';
import type { Origin, Packet } from '../walk/packet.ts';
import type { Step } from '../walk/trace.ts';
import type { Attempt, Domains } from './analyse.ts';
import { type Class, sampleOf, toCidrs, toPortRanges } from './classes.ts';
import type { Header, LegHeaders } from './hops.ts';

/** @param attempt walks another packet of the same search */
export function headersOf(
  found: Attempt,
  domains: Domains,
  attempt: (from: Origin, packet: Packet) => Attempt,
): LegHeaders {
  const { from, packet } = found;
  const wanted = signature(found.trace.steps);
  const alike = (classes: readonly Class[], change: (number: number) => Partial<Packet>) =>
    classes.filter((each) => {
      const other = attempt(from, { ...packet, ...change(sampleOf(each)) });
      return other.verdict.reasons.length === 0 && signature(other.trace.steps) === wanted;
    });
  const { sources, destinations } = domains.candidates.find(
    (each) => JSON.stringify(each.from) === JSON.stringify(from),
  ) ?? {
    sources: [],
    destinations: [],
  };
  const sent: Header = {
    protocol: packet.protocol,
    sourceAddresses: addresses(
      packet.source,
      alike(sources, (number) => ({ source: numberToIp(number) })),
    ),
    destinationAddresses: addresses(
      packet.destination,
      alike(destinations, (number) => ({ destination: numberToIp(number) })),
    ),
    sourcePorts: ports(
      packet.sourcePort,
      alike(domains.sourcePorts, (sourcePort) => ({ sourcePort })),
    ),
    destinationPorts: ports(
      packet.destinationPort,
      alike(domains.destinationPorts, (destinationPort) => ({ destinationPort })),
    ),
  };
  return { sent, arrived: arrivedOf(found, sent) };
}

/** What gateways changed on the way is one address; the rest is as it was sent. */
function arrivedOf({ packet, trace }: Attempt, sent: Header): Header {
  const arrived = trace.arrivedAs ?? packet;
  const isNat = trace.steps.some((step) => step.leg === 'forward' && step.stage === 'nat-gateway');
  return {
    protocol: sent.protocol,
    sourceAddresses: arrived.source === packet.source ? sent.sourceAddresses : [`${arrived.source}/32`],
    destinationAddresses:
      arrived.destination === packet.destination ? sent.destinationAddresses : [`${arrived.destination}/32`],
    sourcePorts: isNat ? [{ from: 1024, to: 65_535 }] : sent.sourcePorts,
    destinationPorts: sent.destinationPorts,
  };
}

/** The same components for the same reasons: rules, entries and routes by their ids. */
function signature(steps: readonly Step[]): string {
  return JSON.stringify(
    steps.map(({ leg, stage, component, verdict, cause }) => [leg, stage, component, verdict, cause]),
  );
}

/** The one that was walked is always there, whatever its class is. */
function addresses(own: string, classes: readonly Class[]): Cidr[] {
  const number = ipToNumber(own) ?? 0;
  return toCidrs([...classes, { first: number, last: number }]);
}

function ports(own: number | undefined, classes: readonly Class[]): PortRange[] {
  return toPortRanges(own === undefined ? classes : [...classes, { first: own, last: own }]);
}
