// The stage instance-connect: what may pass the interface of an instance connect endpoint (J4). One that preserves the client's address sends from
// addresses that are not its own, and their routes lead elsewhere: so the connections that it begins are remembered, and replies go back to it.

import type { Subnet } from '@postern/network/snapshot.ts';
import type { NftRule, NftSet } from '../host-state.ts';
import { mark, tracked } from '../names.ts';
import type { PluggedInterface, VpcContext } from '../vpc-context.ts';
import { stage } from './well-known.ts';

function endpoints(context: VpcContext) {
  return context.plugged.flatMap(({ eni, device }) =>
    eni.service?.kind === 'instance-connect-endpoint'
      ? [{ device, comment: stage('instance-connect', eni.service.instanceConnectEndpointId) }]
      : [],
  );
}

/** From it come TCP connections, to it go replies and nothing else. */
export function instanceConnectRules(context: VpcContext): NftRule[] {
  return endpoints(context).flatMap(({ device, comment }) => [
    { match: `iifname "${device}" meta l4proto != tcp drop`, comment },
    { match: `oifname "${device}" ct state != { established, related } drop`, comment },
  ]);
}

const tunnels = 'tunnels';
/** Of a connection that says nothing; the longest tunnel lasts an hour. */
const rememberedSeconds = 86_400;

/** The one interface of a VPC that preserves client addresses, if it has one. */
export function preservingInterface(context: VpcContext): PluggedInterface | undefined {
  return context.plugged.find((each) => each.preservesClientIp);
}

export function tunnelSets(context: VpcContext): NftSet[] {
  if (preservingInterface(context) === undefined) return [];
  const type = 'ipv4_addr . inet_service . ipv4_addr . inet_service';
  return [{ name: tunnels, kind: 'set', type, timeoutSeconds: rememberedSeconds, elements: [] }];
}

/** Before anything else looks at what comes from it. */
export function rememberTunnels(context: VpcContext): NftRule[] {
  const door = preservingInterface(context);
  if (door === undefined) return [];
  const match = `iifname "${door.device}" update @${tunnels} { ip saddr . tcp sport . ip daddr . tcp dport }`;
  return [{ match, comment: stage('instance-connect', door.eni.networkInterfaceId) }];
}

/** What an instance answers in such a connection leaves by the endpoint, whatever its route table says. */
export function tunnelReplies(context: VpcContext, subnet: Subnet): NftRule[] {
  const door = preservingInterface(context);
  if (door === undefined) return [];
  // Inside the endpoint's own subnet no ACL is asked (N4).
  const way = subnet.subnetId === door.subnet.subnetId ? mark.toTunnelInSubnet : mark.toTunnel;
  const match = `ip daddr . tcp dport . ip saddr . tcp sport @${tunnels} meta mark set ${way} return`;
  return [{ match, comment: stage('instance-connect', door.eni.networkInterfaceId) }];
}

/** Inbound rules of its groups are nobody's business: once the outbound ones let a connection begin, its end counts as tracked. */
export function instanceConnectTracking(context: VpcContext): NftRule[] {
  return endpoints(context).map(({ device, comment }) => ({
    match: `ct state new iifname "${device}" ct mark set ct mark | ${tracked.sender}`,
    comment,
  }));
}
