// A node of a Network Load Balancer (B1–B3): what comes to a listener's port goes on to a target, as a connection that the node itself begins. So a flow through
// one is two: the client's, which ends at the node, and the node's, which is walked by itself.
// https://docs.aws.amazon.com/elasticloadbalancing/latest/network/introduction.html (read 2026-11-22)

import type { LoadBalancerId, LoadBalancerNode, LoadBalancerTarget, NetworkLoadBalancer } from '../snapshot.ts';
import type { Checks } from './checks.ts';
import type { End } from './gateways.ts';
import { isInside } from './matching.ts';
import type { NetworkIndex, PlacedInterface } from './network-index.ts';
import { type Flow, type Packet, protocols } from './packet.ts';
import { nonPublicBlocks } from './special-blocks.ts';
import type { ExplanationCode, Trace } from './trace.ts';

/** Of load balancers whose targets are load balancers: one still on its way goes round in a circle. */
const mostBalancers = 4;

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
function isNear(network: NetworkIndex, { vpc }: PlacedInterface, address: string): boolean {
  const blocks = [vpc, ...network.neighboursOf(vpc.vpcId)].flatMap((each) => each.cidrBlocks);
  return blocks.some((block) => isInside(block, address));
}

/** Whom it serves: everybody near, and the internet where it faces that. */
function isClient(network: NetworkIndex, placed: PlacedInterface, { scheme }: Balancer, source: string): boolean {
  const isPublic = !nonPublicBlocks.some((block) => isInside(block, source));
  return isNear(network, placed, source) || (scheme === 'internet-facing' && isPublic);
}

/**
 * To a listener and on to a target: of several the one that is not reached, for any of them may be chosen.
 * @param walkOn walks the flow that the node begins   @param depth how many balancers there were before   @param by what the client called
 */
export function throughBalancer(
  checks: Checks,
  receiver: PlacedInterface,
  balancer: Balancer,
  packet: Packet,
  walkOn: (flow: Flow) => Trace,
  depth: number,
  by: 'its address' | 'an endpoint' = 'its address',
): End | undefined {
  const { vpc } = receiver;
  const { networkInterfaceId, privateAddresses } = receiver.eni;
  const { loadBalancerId, node } = balancer;
  const { network } = checks;
  const drop = (because: string, code?: ExplanationCode) =>
    checks.drop('load-balancer', loadBalancerId, vpc, packet, because, code);
  const listener = node.listeners.find(
    ({ protocol, port }) => protocol === packet.protocol && port === packet.destinationPort,
  );
  if (listener === undefined) {
    drop('no listener takes it', 'ELBV2_LISTENERS_MISMATCH');
    return undefined;
  }
  if (by === 'its address' && !isClient(network, receiver, balancer, packet.source))
    drop(`${packet.source} is no address of the VPC or of one that is peered with it`);
  const near =
    depth < mostBalancers ? listener.targets.filter(({ address }) => isNear(network, receiver, address)) : [];
  const from = { kind: 'network-interface', networkInterfaceId } as const;
  const [first, ...others] = near.map((target) => {
    // Y5: also who comes through an endpoint is seen as the node.
    const source = privateAddresses[0]?.address ?? packet.destination;
    const own = { ...packet, source, destination: target.address, destinationPort: target.port };
    return { target, trace: walkOn({ from, packet: own }) };
  });
  if (first === undefined) {
    drop('no target takes it', 'ELBV2_LISTENER_HAS_NO_TG');
    return undefined;
  }
  const { target, trace } = [first, ...others].find((each) => each.trace.verdict === 'dropped') ?? first;
  const to = `${target.address}:${target.port}`;
  const cause = { kind: 'translation', from: `${packet.destination}:${listener.port}`, to } as const;
  checks.push('load-balancer', loadBalancerId, vpc.vpcId, packet, 'pass', cause);
  checks.steps.push(...trace.steps);
  const arrival = { kind: 'load-balancer', loadBalancerId, networkInterfaceId } as const;
  return { arrival, packet, ...(trace.arrivedAs && { behind: trace.arrivedAs }) };
}
