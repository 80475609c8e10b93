// Rows of the table of flows, walked: what the kernel half of the tests sends as packets.

import { addressPlan, ipv6Plan } from '@postern/network/addresses.ts';
import { indexNetwork, type NetworkIndex } from '@postern/network/walk/network-index.ts';
import { echoRequest, echoRequest6, isIpv6, protocols, type Flow as WalkedFlow } from '@postern/network/walk/packet.ts';
import type { Arrival, Trace } from '@postern/network/walk/trace.ts';
import { walk } from '@postern/network/walk/walk.ts';
import type { Flow } from './flow.ts';

export { indexNetwork };

export function walkFlow(network: NetworkIndex, flow: Flow): Trace {
  return walk(network, walkedFlow(network, flow));
}

/** A row of the table as the walk takes it. */
export function walkedFlow(network: NetworkIndex, flow: Flow): WalkedFlow {
  const ports = flow.port === undefined ? {} : { sourcePort: 40_000, destinationPort: flow.port };
  const is6 = isIpv6(flow.to);
  const icmp = flow.protocol === 'icmp' ? { icmp: is6 ? echoRequest6 : echoRequest } : {};
  const protocol = flow.protocol === 'icmp' && is6 ? protocols.icmpv6 : protocols[flow.protocol];
  const packet = { protocol, destination: flow.to, ...ports, ...icmp };
  const laptop = is6 ? ipv6Plan.laptop : addressPlan.laptop;
  if (flow.from === 'laptop') return { from: { kind: 'internet' }, packet: { ...packet, source: laptop } };
  const cards = network.snapshot.vpcs.flatMap((vpc) => vpc.networkInterfaces);
  const card = cards.find((each) => each.attachment?.instanceId === `i-${flow.from}`);
  if (card === undefined) throw new Error(`i-${flow.from} has no interface`);
  const source = flow.source ?? (is6 ? card.ipv6Addresses[0] : card.privateAddresses[0]?.address) ?? '';
  return {
    from: { kind: 'network-interface', networkInterfaceId: card.networkInterfaceId },
    packet: { ...packet, source },
  };
}

/** What listens where in the kernel half; the walk ends at a host, and what listens there is the host's affair. */
const listening = { 'network-interface': [22, 80], internet: [80, 443], 'vpc-endpoint': [80, 443] };

/** Whether somebody answers where the walk ended. */
export function isAnswered(flow: Flow, { arrival }: Trace): boolean {
  return arrival === undefined || isHeard(flow, arrival.kind);
}

/** Whether somebody listens at such an end. */
export function isHeard(flow: Flow, arrival: Arrival['kind']): boolean {
  if (flow.protocol === 'icmp' || arrival === 'vpc-service' || arrival === 'peering-connection') return true;
  // A target's port is the row's affair: all listen where they are sent to.
  if (arrival === 'load-balancer') return true;
  const hasListener = listening[arrival].includes(flow.port ?? 0);
  return hasListener && (arrival === 'network-interface' || flow.protocol === 'tcp');
}

export function nameOf(flow: Flow): string {
  return `${flow.from} → ${flow.protocol} ${flow.to}${flow.port === undefined ? '' : `:${flow.port}`}`;
}
