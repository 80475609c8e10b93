// A node of a Network Load Balancer (B1–B3): what comes to a listener's port goes on to a target, as a connection that the node itself begins. So a flow through
// one is two: the client's, which ends at the node, and the node's, which is walked by itself.
// https://docs.aws.amazon.com/elasticloadbalancing/latest/network/introduction.html (read 2026-11-22)

import type { LoadBalancerId, LoadBalancerNode, LoadBalancerTarget, NetworkLoadBalancer } from '../snapshot.ts';
import { isInside } from './matching.ts';
import type { NetworkIndex, PlacedInterface } from './network-index.ts';
import { type Packet, protocols } from './packet.ts';
import { nonPublicBlocks } from './special-blocks.ts';

export interface Balancer {
  readonly loadBalancerId: LoadBalancerId;
  readonly scheme: NetworkLoadBalancer['scheme'];
  readonly node: LoadBalancerNode;
}

/** The node whose interface this is. */
export function balancerAt({ eni: { networkInterfaceId, service }, vpc }: PlacedInterface): Balancer | undefined {
  if (service?.kind !== 'network-load-balancer') return undefined;
  const found = vpc.networkLoadBalancers.find((each) => each.loadBalancerId === service.loadBalancerId);
  const node = found?.nodes.find((each) => each.networkInterfaceId === networkInterfaceId);
  return found && node && { loadBalancerId: found.loadBalancerId, scheme: found.scheme, node };
}

/** A node begins connections with its targets, to forward and to check them, and no others. */
export function beginsAtNode({ node }: Balancer, { protocol, destination, destinationPort }: Packet): boolean {
  const isTarget = (each: LoadBalancerTarget) => each.address === destination && each.port === destinationPort;
  return (
    (protocol === protocols.tcp && node.checks.some(isTarget)) ||
    node.listeners.some((listener) => listener.protocol === protocol && listener.targets.some(isTarget))
  );
}

/** Its VPC's addresses and those of the VPCs that are peered with it: where its targets can be. */
export function isNear(network: NetworkIndex, { vpc }: PlacedInterface, address: string): boolean {
  const blocks = [vpc, ...network.peersOf(vpc.vpcId)].flatMap((each) => each.cidrBlocks);
  return blocks.some((block) => isInside(block, address));
}

/** Whom it serves: everybody near, and the internet where it faces that. */
export function isClient(
  network: NetworkIndex,
  placed: PlacedInterface,
  { scheme }: Balancer,
  source: string,
): boolean {
  const isPublic = !nonPublicBlocks.some((block) => isInside(block, source));
  return isNear(network, placed, source) || (scheme === 'internet-facing' && isPublic);
}
