// One flow that shows it: what the walk says of it step by step, the step that decides, and the command that would mend it.

import { isIpv6Cidr } from '@postern/network/cidr.ts';
import { endpointServiceCalled } from '@postern/network/endpoint-services.ts';
import { joinedVpcs } from '@postern/network/joins.ts';
import { resolve } from '@postern/network/names.ts';
import { AddressSet } from '@postern/network/reach/address-set.ts';
import type { SecurityGroupRule, Vpc } from '@postern/network/snapshot.ts';
import { explainStep, packetWords } from '@postern/network/walk/explain.ts';
import { echoRequest, echoRequest6, type Flow, type Packet, protocols } from '@postern/network/walk/packet.ts';
import type { Trace, Step as WalkStep } from '@postern/network/walk/trace.ts';
import { walk } from '@postern/network/walk/walk.ts';
import type { Estate } from './estate.ts';
import type { Ground } from './network.ts';
import { probeOf } from './probes.ts';
import type { Evidence, Probe, Step } from './report.ts';
import type { Place, Side } from './resolve.ts';
import type { Traffic } from './traffic.ts';

/** A port that a client would have. */
const ephemeralPort = 40_000;
const usualHosts = ['203.0.113.50', '198.51.100.7', '2001:db8:f000::cb00:7132'];

export interface Wish {
  /** It should pass. */
  readonly wanted: boolean;
  /** It should pass by another road. */
  readonly serviceRoads?: boolean;
}

export function evidenceOf(ground: Ground, flow: Flow, wish: Wish): Evidence & { readonly probe?: Probe } {
  const { network, estate } = ground;
  const trace = walk(network, flow);
  // The way back is told where it is in the way.
  const isBackBlocked = trace.blockers.some((step) => step.leg === 'return');
  const walked = trace.steps.filter((step) => step.leg === 'forward' || isBackBlocked);
  const told = walked.map((step) => toStep(ground, step));
  const decider = wish.wanted ? trace.blockers[0] : decidingPass(trace, wish);
  const deciding = decider && told[walked.indexOf(decider)];
  const probe = probeOf(ground, flow, trace.verdict === 'open' ? 'open' : 'dropped');
  const mend = wish.wanted ? estate.opening(flow) : decider === undefined ? [] : closing(estate, decider, wish, flow);
  return {
    flow: packetWords({ packet: flow.packet }),
    between: betweenWords(ground, flow, trace),
    steps: told,
    ...(deciding && { deciding }),
    mend,
    ...(probe && { probe }),
  };
}

function toStep({ network, estate }: Ground, step: WalkStep): Step {
  const { leg, stage, component, verdict, code, cause } = step;
  // A route into what is not modelled is a blackhole in the Snapshot only.
  const road = cause.kind === 'route' && cause.route.state === 'blackhole' ? unmodelledTarget(estate, step) : undefined;
  const because = road === undefined ? explainStep(network, step) : `the route leads to ${road}, which is not modelled`;
  return { leg, stage, component, verdict, because, ...(code && road === undefined && { code }) };
}

function unmodelledTarget({ unmodelled }: Estate, { cause }: WalkStep): string | undefined {
  if (cause.kind !== 'route' || cause.route.target.kind !== 'network-interface') return undefined;
  const id = cause.route.target.networkInterfaceId;
  return unmodelled.find(({ kind, what }) => kind === 'road' && what.startsWith(`${id} `)) && id;
}

/** What lets pass: the receiver's group; where there is none, the last route. By which road: the first route that leaves the VPC. */
function decidingPass({ steps }: Trace, { serviceRoads }: Wish): WalkStep | undefined {
  const forward = steps.filter((step) => step.leg === 'forward');
  const leaving = forward.find((step) => step.cause.kind === 'route' && step.cause.route.target.kind !== 'local');
  if (serviceRoads) return leaving ?? forward.at(-1);
  return forward.findLast((step) => step.stage === 'sg-ingress') ?? leaving ?? forward.at(-1);
}

function betweenWords(ground: Ground, { from, packet }: Flow, { arrival }: Trace): string {
  const place =
    from.kind === 'network-interface' ? ground.network.networkInterface(from.networkInterfaceId) : undefined;
  const sender = place === undefined ? 'the internet' : nameOfPlace(ground, place);
  const holder =
    arrival?.kind === 'network-interface'
      ? ground.network.networkInterface(arrival.networkInterfaceId)
      : ((place && ground.network.holder(place.vpc.vpcId, packet.destination)) ??
        ground.network.publicHolder(packet.destination)?.placed);
  const receiver =
    arrival?.kind === 'vpc-endpoint'
      ? arrival.vpcEndpointId
      : holder === undefined || (arrival !== undefined && arrival.kind !== 'network-interface')
        ? packet.destination
        : nameOfPlace(ground, holder);
  return `${sender} to ${receiver}`;
}

/** `web (i-0ab…)`, else the interface. */
export function nameOfPlace({ estate }: Ground, { eni }: Pick<Place, 'eni'>): string {
  const id = eni.attachment?.instanceId ?? eni.networkInterfaceId;
  const name = estate.resources.find((each) => each.id === id)?.names[0];
  return name === undefined ? id : `${name} (${id})`;
}

export function nameOfSide(ground: Ground, side: Side): string {
  switch (side.kind) {
    case 'interfaces': {
      const [place] = side.places;
      return place === undefined ? 'nobody' : nameOfPlace(ground, place);
    }
    case 'internet':
      return side.cidrs === undefined ? 'the internet' : side.cidrs.join(', ');
    case 'service':
      return side.service;
  }
}

// ---- a flow that should pass and does not

/** One flow to walk, of a pair that nothing gets through between. @returns why there cannot be one, as a sentence */
export function candidateFlow(ground: Ground, from: Side, to: Side, traffic: Traffic): Flow | string {
  const sender = from.kind === 'interfaces' ? from.places[0] : undefined;
  const destination = destinationOf(ground, sender, to);
  if (destination === undefined)
    return sender === undefined
      ? `${nameOfSide(ground, to)} has no public address`
      : `${nameOfSide(ground, to)} has no address that can be seen from there`;
  const isIpv6 = destination.includes(':');
  const source = sourceOf(from, sender, isIpv6);
  if (source === undefined) return `${nameOfSide(ground, from)} has no address of the family of ${destination}`;
  return {
    from:
      sender === undefined
        ? { kind: 'internet' }
        : { kind: 'network-interface', networkInterfaceId: sender.eni.networkInterfaceId },
    packet: packetOf(source, destination, traffic, to.kind === 'service' ? 443 : 80),
  };
}

function packetOf(source: string, destination: string, { protocol, ports }: Traffic, usualPort: number): Packet {
  if (protocol === protocols.icmp || protocol === protocols.icmpv6) {
    const isIpv6 = destination.includes(':');
    return {
      source,
      destination,
      protocol: isIpv6 ? protocols.icmpv6 : protocols.icmp,
      icmp: isIpv6 ? echoRequest6 : echoRequest,
    };
  }
  if (protocol !== -1 && protocol !== protocols.tcp && protocol !== protocols.udp)
    return { source, destination, protocol };
  const destinationPort = ports?.[0]?.from ?? usualPort;
  return {
    source,
    destination,
    protocol: protocol === -1 ? protocols.tcp : protocol,
    sourcePort: ephemeralPort,
    destinationPort,
  };
}

function sourceOf(from: Side, sender: Place | undefined, isIpv6: boolean): string | undefined {
  if (sender !== undefined) {
    const own = isIpv6 ? sender.eni.ipv6Addresses : sender.eni.privateAddresses.map((each) => each.address);
    const only = from.kind === 'interfaces' ? from.only : undefined;
    return own.find((address) => only === undefined || only.contains(address));
  }
  const all = from.kind === 'internet' && from.cidrs !== undefined ? AddressSet.ofCidrs(from.cidrs) : AddressSet.all;
  return new AddressSet(isIpv6 ? [] : all.v4, isIpv6 ? all.v6 : []).example(usualHosts);
}

/** Private where the two can see private addresses: in one VPC, or in VPCs that are peered. */
function destinationOf(ground: Ground, sender: Place | undefined, to: Side): string | undefined {
  switch (to.kind) {
    case 'internet':
      return (to.cidrs === undefined ? AddressSet.all : AddressSet.ofCidrs(to.cidrs)).example(usualHosts);
    case 'service':
      return serviceDestination(ground, sender?.vpc, to);
    case 'interfaces': {
      const place = to.places[0];
      if (place === undefined) return undefined;
      const { privateAddresses, ipv6Addresses } = place.eni;
      const isNear =
        sender !== undefined && (sender.vpc.vpcId === place.vpc.vpcId || areJoined(ground, sender.vpc, place.vpc));
      const own = isNear
        ? privateAddresses.map((each) => each.address)
        : privateAddresses.flatMap((each) => each.publicAddress ?? []);
      const mayBe6 = sender === undefined || sender.eni.ipv6Addresses.length > 0;
      const all = [...own, ...(mayBe6 ? ipv6Addresses : [])];
      return all.find((address) => to.only === undefined || to.only.contains(address));
    }
  }
}

function serviceDestination(
  { estate }: Ground,
  vpc: Vpc | undefined,
  { service, region }: Extract<Side, { kind: 'service' }>,
): string | undefined {
  const at = region ?? vpc?.region ?? 'us-east-1';
  const name = endpointServiceCalled(service, at)?.privateDnsNames[0]?.replace('*.', '');
  const answer = vpc && name ? resolve(estate.snapshot, vpc.vpcId, name, 'A')?.answers[0]?.data : undefined;
  const isDoor = estate.snapshot.vpcs.some((each) =>
    each.networkInterfaces.some((eni) => eni.privateAddresses.some((own) => own.address === answer)),
  );
  const blocks = estate.serviceBlocks(service, at);
  if (isDoor || blocks === 'plan') return answer;
  return blocks === undefined
    ? usualHosts[0]
    : AddressSet.ofCidrs(blocks.filter((each) => !isIpv6Cidr(each))).example();
}

function areJoined({ estate: { snapshot } }: Ground, a: Vpc, b: Vpc): boolean {
  return joinedVpcs(snapshot, a.vpcId).includes(b.vpcId);
}

// ---- a flow that passes and should not

/** The rule taken away, or the endpoint put in the road. Others who need the rule lose it too: that is the person's to judge. */
function closing(estate: Estate, step: WalkStep, { serviceRoads }: Wish, { packet }: Flow): readonly string[] {
  const { cause } = step;
  const vpc = estate.snapshot.vpcs.find((each) => each.vpcId === step.vpcId);
  if (vpc === undefined) return [];
  const region = vpc.region === 'us-east-1' ? '' : ` --region ${vpc.region}`;
  if (cause.kind === 'security-group-rule' && step.stage === 'sg-ingress')
    return [revoke(vpc, region, cause.groupId, cause.ruleId)];
  if (cause.kind !== 'route' || !serviceRoads) return [];
  const lists = estate.snapshot.prefixLists.filter(({ cidrs }) =>
    AddressSet.ofCidrs(cidrs).contains(packet.destination),
  );
  const endpoint = vpc.gatewayEndpoints.find((each) => lists.some((list) => list.prefixListId === each.prefixListId));
  if (endpoint === undefined) return [];
  return [
    `aws ec2 modify-vpc-endpoint${region} --vpc-endpoint-id ${endpoint.vpcEndpointId} --add-route-table-ids ${cause.routeTableId}`,
  ];
}

function revoke(vpc: Vpc, region: string, groupId: string, ruleId: string): string {
  const verb = `aws ec2 revoke-security-group-ingress${region} --group-id ${groupId}`;
  if (!ruleId.startsWith('sgr-of-')) return `${verb} --security-group-rule-ids ${ruleId}`;
  // Read off the group, without the rule's own id.
  const rule = vpc.securityGroups
    .find((each) => each.groupId === groupId)
    ?.ingress.find((each) => each.ruleId === ruleId);
  return rule === undefined ? verb : `${verb} --ip-permissions '${JSON.stringify([permission(rule)])}'`;
}

const protocolNames: Readonly<Record<number, string>> = { 1: 'icmp', 6: 'tcp', 17: 'udp', 58: 'icmpv6' };

function permission({ protocol, ports, icmp, peer }: SecurityGroupRule): Record<string, unknown> {
  const range = ports ?? (icmp && { from: icmp.type, to: icmp.code });
  const who =
    peer.kind === 'prefix-list'
      ? { PrefixListIds: [{ PrefixListId: peer.prefixListId }] }
      : peer.kind === 'security-group'
        ? { UserIdGroupPairs: [{ GroupId: peer.groupId }] }
        : isIpv6Cidr(peer.cidr)
          ? { Ipv6Ranges: [{ CidrIpv6: peer.cidr }] }
          : { IpRanges: [{ CidrIp: peer.cidr }] };
  return {
    IpProtocol: protocolNames[protocol] ?? String(protocol),
    ...(range && { FromPort: range.from, ToPort: range.to }),
    ...who,
  };
}
