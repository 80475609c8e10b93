// Reach: which flows can get from one end to another at all, as sets. Every pair of ends is a handful of courses (course.ts), one for each source and destination
// address; where an end is the internet, the addresses there are cut into intervals as the courses narrow them. A flow is in the answer exactly when walk() says
// of it that it is open and arrives at that end.

import { type PlannedService, serviceBlock, serviceIpv6Address, servicePlan } from '../addresses.ts';
import type { Cidr, NetworkInterfaceId, Snapshot } from '../snapshot.ts';
import { indexNetwork, type NetworkIndex } from '../walk/network-index.ts';
import type { Flow } from '../walk/packet.ts';
import { AddressSet } from './address-set.ts';
import { type AllPairs, allPairs } from './all-pairs.ts';
import { classesOf } from './classes.ts';
import type { End, Reach, ReachOptions } from './ends.ts';
import { begins, type Exploration, type Found, fromOutside, toInterface, toOutside, toPoints } from './explore.ts';
import { asReaches } from './reaches.ts';
import { type Site, Sites } from './sites.ts';
import { takesOf } from './takes.ts';

/** Made once for a Snapshot; what one answer has worked out, the next one uses. */
export interface Reachability {
  /** All roads between the ends, in the order of the ends. An interface is no end of itself. */
  between(froms: readonly End[], tos: readonly End[], options?: ReachOptions): Reach[];
  /** Whom the end can reach: every interface, the internet, and S3, DynamoDB and what has an endpoint in its Region. */
  from(end: End, options?: ReachOptions): Reach[];
  /** Who can reach the end: every interface and the internet. */
  to(end: End, options?: ReachOptions): Reach[];
  /** Interfaces that no rule tells apart: what one of them reaches, and what reaches it, holds for all. */
  classes(): readonly (readonly NetworkInterfaceId[])[];
  /** Every interface and the internet to every interface and the internet. */
  allPairs(options?: ReachOptions): AllPairs;
}

/** Throws nothing: an end that does not exist reaches nothing. */
export function prepareReach(snapshot: NetworkIndex | Snapshot): Reachability {
  return new Prepared(new Sites('vpcs' in snapshot ? indexNetwork(snapshot) : snapshot));
}

/** One flow of a set: walk() says of it that it is open, and explains each step. */
export function witness({ from, flows }: Reach): Flow | undefined {
  const packet = flows.example();
  if (packet === undefined) return undefined;
  return from.kind === 'network-interface'
    ? { from: { kind: from.kind, networkInterfaceId: from.networkInterfaceId }, packet }
    : { from: { kind: 'internet' }, packet };
}

class Prepared implements Reachability {
  readonly #sites: Sites;
  readonly #takes: Exploration['takes'];

  constructor(sites: Sites) {
    this.#sites = sites;
    this.#takes = takesOf(sites.pool);
  }

  between(froms: readonly End[], tos: readonly End[], options: ReachOptions = {}): Reach[] {
    const exploration = this.#explore(options);
    return froms.flatMap((from) => tos.flatMap((to) => asReaches(from, to, this.#found(exploration, from, to))));
  }

  from(end: End, options: ReachOptions = {}): Reach[] {
    const outside: End[] = end.kind === 'internet' ? [] : [{ kind: 'internet' }, ...this.#services(end)];
    return this.between([end], [...this.#interfaces(), ...outside], options);
  }

  to(end: End, options: ReachOptions = {}): Reach[] {
    return this.between([...this.#interfaces(), { kind: 'internet' }], [end], options);
  }

  classes(): readonly (readonly NetworkInterfaceId[])[] {
    return classesOf(this.#sites).map((members) => members.map(({ id }) => id));
  }

  allPairs(options: ReachOptions = {}): AllPairs {
    return allPairs(this.#explore(options));
  }

  #explore({ traffic }: ReachOptions): Exploration {
    const { pool } = this.#sites;
    const [sites, takes] = [this.#sites, this.#takes];
    if (traffic === undefined) return { sites, takes, traffic: pool.all };
    const matches = [traffic]
      .flat()
      .flatMap(({ protocol, ports }) =>
        ports === undefined ? [{ protocol }] : ports.map((each) => ({ protocol, ports: each })),
      );
    return { sites, takes, traffic: pool.of(...matches) };
  }

  #interfaces(): End[] {
    return this.#sites.all.map(({ id }) => ({ kind: 'network-interface', networkInterfaceId: id }));
  }

  #services(end: End): End[] {
    const site = end.kind === 'network-interface' ? this.#sites.site(end.networkInterfaceId) : undefined;
    if (site === undefined) return [];
    const { region } = site.vpc;
    const names = new Set(['s3', 'dynamodb']);
    for (const vpc of this.#sites.network.snapshot.vpcs)
      for (const { service, serviceRegion } of vpc.interfaceEndpoints) if (serviceRegion === region) names.add(service);
    return [...names].map((service) => ({ kind: 'service', service, region }));
  }

  #found(exploration: Exploration, from: End, to: End): Found[] {
    if (from.kind === 'internet') {
      const target = to.kind === 'network-interface' ? this.#sites.site(to.networkInterfaceId) : undefined;
      return target === undefined ? [] : fromOutside(exploration, hosts(from.cidrs), target);
    }
    const origin = from.kind === 'network-interface' ? this.#sites.site(from.networkInterfaceId) : undefined;
    if (origin === undefined || !begins(origin)) return [];
    switch (to.kind) {
      case 'network-interface': {
        const target = this.#sites.site(to.networkInterfaceId);
        return target === undefined || target === origin ? [] : toInterface(exploration, origin, target);
      }
      case 'internet':
        return toOutside(exploration, origin, hosts(to.cidrs)).filter(
          ({ outcome }) => outcome.arrival.kind === 'internet',
        );
      case 'service':
        return this.#toService(exploration, origin, to.service, to.region ?? origin.vpc.region);
      case 'vpc-service': {
        const vpc = this.#sites.network.vpc(to.vpcId);
        if (vpc === undefined) return [];
        return toPoints(exploration, origin, this.#sites.vpcServiceAddresses(vpc, to.service)).filter(
          ({ outcome: { arrival } }) =>
            arrival.kind === 'vpc-service' && arrival.vpcId === vpc.vpcId && arrival.service === to.service,
        );
      }
    }
  }

  /** By its public addresses, which a gateway endpoint catches where a route says so, and by interface endpoints. */
  #toService(exploration: Exploration, origin: Site, service: string, region: string): Found[] {
    const { network } = this.#sites;
    const gateways = new Set<string>();
    const lists: Cidr[] = [];
    const doors: Site[] = [];
    for (const vpc of network.snapshot.vpcs) {
      for (const endpoint of vpc.region === region ? vpc.gatewayEndpoints : []) {
        if (endpoint.service !== service) continue;
        gateways.add(endpoint.vpcEndpointId);
        lists.push(...network.prefixList(endpoint.prefixListId));
      }
      for (const endpoint of vpc.interfaceEndpoints) {
        if (endpoint.service !== service || endpoint.serviceRegion !== region) continue;
        doors.push(...endpoint.networkInterfaceIds.flatMap((id) => this.#sites.site(id) ?? []));
      }
    }
    const domain = publicAddressesOf(service, region).unite(AddressSet.ofCidrs(lists));
    const outside = toOutside(exploration, origin, domain).filter(
      ({ outcome: { arrival } }) =>
        arrival.kind === 'internet' || (arrival.kind === 'vpc-endpoint' && gateways.has(arrival.vpcEndpointId)),
    );
    return [...outside, ...doors.flatMap((door) => toInterface(exploration, origin, door))];
  }
}

function hosts(cidrs: readonly Cidr[] | undefined): AddressSet {
  return cidrs === undefined ? AddressSet.all : AddressSet.ofCidrs(cidrs);
}

/** Services without a row in the address plan share one address. */
function publicAddressesOf(service: string, region: string): AddressSet {
  const planned = service in servicePlan ? (service as PlannedService) : 'other';
  const [four, six] = [serviceBlock(region, planned), serviceIpv6Address(region, planned)];
  return AddressSet.ofCidrs([
    ...(four === undefined ? [] : [four]),
    ...(six === undefined ? [] : [`${six}/128` as const]),
  ]);
}
