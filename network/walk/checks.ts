// The checks that a packet passes at an interface and at a subnet's edge, and the record of what each said.

import { ipv6Plan } from '../addresses.ts';
import { addressAt } from '../cidr.ts';
import type { NetworkInterface, NetworkInterfaceId, Route, SubnetId, Vpc } from '../snapshot.ts';
import type { StageName } from '../stages.ts';
import { allowingRule, decidingEntry, isInside, matchesProtocol } from './matching.ts';
import type { NetworkIndex, PlacedInterface } from './network-index.ts';
import { type Flow, type Packet, protocols } from './packet.ts';
import { reservedBlocks } from './special-blocks.ts';
import type { Arrival, Cause, ExplanationCode, Step } from './trace.ts';
import { Ways } from './ways.ts';

function resolversOf({ cidrBlocks: [primary] }: Vpc): readonly string[] {
  return ['169.254.169.253', ipv6Plan.resolver, ...(primary === undefined ? [] : [addressAt(primary, 2)])];
}

/** The interfaces of NAT gateways and transit gateways (G8). */
function hasNoGroups({ service }: NetworkInterface): boolean {
  return service?.kind === 'nat-gateway' || service?.kind === 'transit-gateway';
}

/** One walk's checks so far. */
export class Checks {
  readonly network: NetworkIndex;
  readonly steps: Step[] = [];
  /** Interfaces whose groups were asked when the flow began: its replies pass them (S11). */
  readonly tracked = new Set<NetworkInterfaceId>();
  leg: Step['leg'] = 'forward';
  readonly #ways = new Ways();
  /** The way that the packet took last, through the VPC that it is in. */
  #cameBy: string | undefined;
  /** A reply that its flow's way does not know is a flow of its own on this way. */
  #isAnew = false;

  readonly #flow: Flow;

  constructor(network: NetworkIndex, flow: Flow) {
    this.network = network;
    this.#flow = flow;
  }

  /** Metadata and resolver, past groups and ACLs (3.3); undefined when the packet is for neither. */
  vpcService({ vpc, eni }: PlacedInterface, packet: Packet): Arrival | 'nobody' | undefined {
    const isTcp = packet.protocol === protocols.tcp;
    const { destination, destinationPort } = packet;
    if (destination === '169.254.169.254' && isTcp && destinationPort === 80)
      return { kind: 'vpc-service', vpcId: vpc.vpcId, service: 'metadata' };
    if (destination === ipv6Plan.metadata) {
      const own = vpc.instances.find((each) => each.instanceId === eni.attachment?.instanceId);
      if (own?.metadata.hasIpv6 === true && isTcp && destinationPort === 80)
        return { kind: 'vpc-service', vpcId: vpc.vpcId, service: 'metadata' };
      this.drop('link-local', vpc.vpcId, vpc, packet, 'the metadata service does not answer IPv6 here');
      return 'nobody';
    }
    if (resolversOf(vpc).includes(destination)) {
      const isDns = destinationPort === 53 && (isTcp || packet.protocol === protocols.udp);
      if (isDns && vpc.enableDnsSupport) return { kind: 'vpc-service', vpcId: vpc.vpcId, service: 'resolver' };
      this.drop('link-local', vpc.vpcId, vpc, packet, isDns ? 'enableDnsSupport is false' : 'it answers DNS only');
      return 'nobody';
    }
    if (!isInside('169.254.0.0/16', destination)) return undefined;
    this.drop('link-local', vpc.vpcId, vpc, packet, `nothing answers at ${destination}`);
    return 'nobody';
  }

  /** Where only the VPC's own services answer. */
  isServiceAddress(vpc: Vpc, address: string): boolean {
    return isInside('169.254.0.0/16', address) || resolversOf(vpc).includes(address);
  }

  isSendable(vpc: Vpc, packet: Packet): boolean {
    if (!reservedBlocks.some((block) => isInside(block, packet.destination))) return true;
    this.drop('route', vpc.vpcId, vpc, packet, `nothing can be sent to ${packet.destination}`);
    return false;
  }

  /** @param by outwards, the peering connection that the route leads to, if it does; inwards it is known */
  groups(placed: PlacedInterface, direction: 'ingress' | 'egress', packet: Packet, by?: string): void {
    const { eni, vpc } = placed;
    if (hasNoGroups(eni)) return;
    // A load balancer may have been made without groups (B4).
    if (eni.service?.kind === 'network-load-balancer' && eni.groupIds.length === 0) return;
    const stage = `sg-${direction}` as const;
    const component = eni.networkInterfaceId;
    if (this.leg === 'return' && this.tracked.has(component) && !this.#isAnew) {
      this.push(stage, component, vpc.vpcId, packet, 'pass', { kind: 'tracked' });
      return;
    }
    if (this.leg === 'forward') this.tracked.add(component);
    const found = allowingRule(this.network, placed, direction, packet, direction === 'ingress' ? this.#cameBy : by);
    if (found !== undefined) {
      const { group, rule } = found;
      const cause: Cause = { kind: 'security-group-rule', groupId: group.groupId, ruleId: rule.ruleId };
      this.push(stage, component, vpc.vpcId, packet, 'pass', cause);
      return;
    }
    const cause: Cause = { kind: 'security-groups', groupIds: eni.groupIds };
    this.push(stage, component, vpc.vpcId, packet, 'drop', cause, this.#whyNoRule(placed, direction, packet));
  }

  /** A rule that names a group knows its members by their addresses: not behind a gateway that changed them, nor in a VPC that is not known here. */
  #whyNoRule({ vpc, groups }: PlacedInterface, direction: 'ingress' | 'egress', packet: Packet): ExplanationCode {
    const rules = groups.flatMap((group) => group[direction]);
    if (rules.length === 0) return 'SG_HAS_NO_RULES';
    const named = rules.flatMap((rule) =>
      rule.peer.kind === 'security-group' && matchesProtocol(rule, packet) ? [rule.peer.groupId] : [],
    );
    const { from, packet: first } = this.#flow;
    const sender =
      from.kind === 'network-interface' ? this.network.networkInterface(from.networkInterfaceId) : undefined;
    const isChanged = direction === 'ingress' && packet.source !== first.source;
    if (isChanged && named.some((groupId) => sender?.eni.groupIds.includes(groupId)))
      return 'SG_REFERENCES_NOT_PRESERVED';
    if (this.network.hasUnknownPeer(vpc.vpcId) && named.some((groupId) => !this.network.isKnownGroup(groupId)))
      return 'UNKNOWN_PEERED_SGS';
    return 'ENI_SG_RULES_MISMATCH';
  }

  /**
   * The packet goes this way through the VPC.
   * @param way gateway, peering, or the part of the VPC   @returns false for a reply that nobody knows here: it is dropped
   */
  way(vpc: Vpc, way: string, packet: Packet, sender?: PlacedInterface): boolean {
    this.#cameBy = way;
    if (this.leg === 'forward') {
      this.#ways.take(vpc.vpcId, way, packet);
      return true;
    }
    this.#isAnew = !this.#ways.isBack(vpc.vpcId, way, packet);
    if (!this.#isAnew) return true;
    if (packet.protocol !== protocols.udp) {
      this.drop('route', vpc.vpcId, vpc, packet, 'the reply does not go back the way that its request came');
      return false;
    }
    if (sender !== undefined) this.groups(sender, 'egress', packet, way);
    return true;
  }

  acl({ acl, vpc, subnet }: PlacedInterface, direction: 'ingress' | 'egress', packet: Packet): void {
    const entry = decidingEntry(acl, direction, packet);
    const isAllowed = entry?.action === 'allow';
    const cause: Cause = {
      kind: 'acl-entry',
      networkAclId: acl.networkAclId,
      ruleNumber: entry?.ruleNumber ?? '*',
    };
    const code = isAllowed ? undefined : 'SUBNET_ACL_RESTRICTION';
    const verdict = isAllowed ? 'pass' : 'drop';
    this.push(`acl-${direction}`, acl.networkAclId, vpc.vpcId, packet, verdict, cause, code, subnet.subnetId);
  }

  route({ vpc, subnet, routeTable: { routeTableId } }: PlacedInterface, route: Route, packet: Packet): void {
    const isDead = route.state === 'blackhole';
    this.push(
      'route',
      routeTableId,
      vpc.vpcId,
      packet,
      isDead ? 'drop' : 'pass',
      { kind: 'route', routeTableId, route },
      isDead ? 'BAD_STATE_ROUTE' : undefined,
      subnet.subnetId,
    );
  }

  noRoute({ vpc, subnet, routeTable: { routeTableId } }: PlacedInterface, packet: Packet): void {
    const cause: Cause = { kind: 'no-route', routeTableId };
    const code = 'NO_ROUTE_TO_DESTINATION';
    this.push('route', routeTableId, vpc.vpcId, packet, 'drop', cause, code, subnet.subnetId);
  }

  /** I3, at the gateway: the table of whoever would answer does not lead back to it. */
  noWayBack({ vpc, subnet, routeTable: { routeTableId } }: PlacedInterface, gateway: string, packet: Packet): void {
    const cause: Cause = { kind: 'no-route', routeTableId };
    const code = 'NO_ROUTE_TO_DESTINATION';
    this.push('igw-ingress', gateway, vpc.vpcId, packet, 'drop', cause, code, subnet.subnetId);
  }

  drop(stage: StageName, component: string, vpc: Vpc, packet: Packet, because: string, code?: ExplanationCode): void {
    this.push(stage, component, vpc.vpcId, packet, 'drop', { kind: 'component', because }, code);
  }

  push(
    stage: StageName,
    component: string,
    vpcId: Vpc['vpcId'],
    packet: Packet,
    verdict: Step['verdict'],
    cause: Cause,
    code?: ExplanationCode,
    subnetId?: SubnetId,
  ): void {
    this.steps.push({
      leg: this.leg,
      stage,
      component,
      vpcId,
      verdict,
      cause,
      packet,
      ...(code !== undefined && { code }),
      ...(subnetId !== undefined && { subnetId }),
    });
  }
}
