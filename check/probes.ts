// Which packets would show it? For --live: flows between things that can be made to send, with what the model says of each.

import { type Flow, protocols } from '@postern/network/walk/packet.ts';
import { walk } from '@postern/network/walk/walk.ts';
import { candidateFlow } from './evidence.ts';
import type { Ground } from './network.ts';
import { pairsBetween } from './pairs.ts';
import type { Probe } from './report.ts';
import type { Side } from './resolve.ts';
import type { Traffic } from './traffic.ts';

/** A dropped packet costs a second or two, so an assertion about hundreds of pairs is shown by some of them. */
const mostProbes = 6;
/** What nothing at all may reach is tried with. */
const usual: readonly Traffic[] = [
  { text: 'tcp 22', protocol: protocols.tcp, ports: [{ from: 22, to: 22 }] },
  { text: 'tcp 443', protocol: protocols.tcp, ports: [{ from: 443, to: 443 }] },
  { text: 'icmp', protocol: protocols.icmp },
];
const usualOfServices: readonly Traffic[] = [
  { text: 'tcp 443', protocol: protocols.tcp, ports: [{ from: 443, to: 443 }] },
];

interface Sides {
  readonly froms: readonly Side[];
  readonly tos: readonly Side[];
}

/** @param expected what the assertion says; a flow of which the walk says otherwise is not one to show it with */
export function probesOf(
  ground: Ground,
  traffic: readonly Traffic[],
  { froms, tos }: Sides,
  expected: Probe['expected'],
): Probe[] {
  const probes: Probe[] = [];
  for (const { from, to } of pairsBetween(ground.classOf, froms, tos)) {
    const tried = traffic.length > 0 ? traffic : to.kind === 'service' ? usualOfServices : usual;
    for (const each of tried) {
      if (probes.length >= mostProbes) return probes;
      const flow = candidateFlow(ground, from, to, each);
      if (typeof flow === 'string') continue;
      const verdict = walk(ground.network, flow).verdict === 'open' ? 'open' : 'dropped';
      const probe = verdict === expected ? probeOf(ground, flow, verdict) : undefined;
      if (probe !== undefined) probes.push(probe);
    }
  }
  return probes;
}

/** @returns undefined for what no program of an instance can send, or what begins at no instance */
export function probeOf({ network }: Ground, { from, packet }: Flow, expected: Probe['expected']): Probe | undefined {
  const protocol = nameOf(packet.protocol);
  if (protocol === undefined) return undefined;
  const sender = from.kind === 'network-interface' ? network.networkInterface(from.networkInterfaceId) : undefined;
  const instanceId = sender?.eni.attachment?.instanceId;
  if (from.kind === 'network-interface' && instanceId === undefined) return undefined;
  const holder =
    (sender && network.holder(sender.vpc.vpcId, packet.destination)) ??
    network.publicHolder(packet.destination)?.placed;
  const receiver = holder?.eni.attachment?.instanceId;
  // The person's terminal has a road to instances only, and TCP alone.
  if (instanceId === undefined && (receiver === undefined || protocol !== 'tcp')) return undefined;
  return {
    from: instanceId === undefined ? { kind: 'internet' } : { kind: 'instance', instanceId, address: packet.source },
    to: { address: packet.destination, ...(receiver !== undefined && { instanceId: receiver }) },
    protocol,
    ...(packet.destinationPort !== undefined && { port: packet.destinationPort }),
    ...(packet.sourcePort !== undefined && { sourcePort: packet.sourcePort }),
    expected,
  };
}

function nameOf(protocol: number): Probe['protocol'] | undefined {
  if (protocol === protocols.tcp) return 'tcp';
  if (protocol === protocols.udp) return 'udp';
  return protocol === protocols.icmp || protocol === protocols.icmpv6 ? 'icmp' : undefined;
}
