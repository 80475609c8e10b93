// A network prepared for reach: every interface with the tables that decide for it. Matching is written anew here, over sets: walk/matching.ts answers for one packet,
// and the two are held against each other. Shared with the walk: the index over the Snapshot and address arithmetic.

import { addressPlan, ipv6Plan } from '../addresses.ts';
import { addressAt, ipToNumber, isIpv6Cidr } from '../cidr.ts';
import { ipv6ToNumber } from '../ipv6.ts';
import type {
  Cidr,
  NetworkAcl,
  NetworkInterfaceId,
  Route,
  RouteTable,
  SecurityGroup,
  SecurityGroupId,
  Subnet,
  Vpc,
  VpcId,
} from '../snapshot.ts';
import type { NetworkIndex, PlacedInterface } from '../walk/network-index.ts';
import { AddressSet } from './address-set.ts';
import { type Address, isFree, membership, type Point, SegmentTable } from './segment-table.ts';
import { partsOf, type Traffic, TrafficPool } from './traffic.ts';

/** What a packet that leaves an interface of a subnet meets first. */
export type NextHop =
  | { readonly kind: 'metadata' | 'resolver' | 'nowhere' }
  /** Groups look at it before it is found that nothing can be sent there. */
  | { readonly kind: 'unroutable' | 'same-subnet' }
  | { readonly kind: 'route'; readonly route: Route };

export interface Acl {
  readonly ingress: SegmentTable<Traffic>;
  readonly egress: SegmentTable<Traffic>;
}

/** The groups of an interface, as one. */
export class Groups {
  readonly #pool: TrafficPool;
  readonly #tables: readonly Acl[];
  readonly #memory = { ingress: [] as Traffic[], egress: [] as Traffic[] };

  constructor(pool: TrafficPool, tables: readonly Acl[]) {
    this.#pool = pool;
    this.#tables = tables;
  }

  /** What they let pass to or from the address: the union (S1). */
  allow(direction: 'ingress' | 'egress', peer: Address): Traffic {
    if (isFree(peer)) return this.#union(direction, peer);
    const known = this.#memory[direction][peer.slot];
    if (known !== undefined) return known;
    const traffic = this.#union(direction, peer);
    this.#memory[direction][peer.slot] = traffic;
    return traffic;
  }

  #union(direction: 'ingress' | 'egress', peer: Address): Traffic {
    let sum = this.#pool.none;
    for (const table of this.#tables) sum = this.#pool.unite(sum, table[direction].at(peer));
    return sum;
  }
}

export interface Site {
  readonly placed: PlacedInterface;
  readonly id: NetworkInterfaceId;
  readonly vpc: Vpc;
  readonly subnet: Subnet;
  /** Only then does it carry packets. */
  readonly carries: boolean;
  readonly own: ReadonlySet<Point>;
  /** Private addresses of both families, in order. */
  readonly addresses: readonly Point[];
  readonly publicAddresses: readonly Point[];
  readonly groups: Groups;
  readonly acl: Acl;
  readonly nextHop: SegmentTable<NextHop>;
  /** Whether replies to the address leave by the internet gateway (I3). */
  readonly returnsByGateway: SegmentTable<boolean>;
}

const linkLocal: Cidr = '169.254.0.0/16';
const metadataAddress = '169.254.169.254';
const resolverAddress = '169.254.169.253';
const privateBlocks: readonly Cidr[] = ['10.0.0.0/8', '172.16.0.0/12', '192.168.0.0/16', '100.64.0.0/10'];
const uniqueLocal: readonly Cidr[] = ['fc00::/7'];
/** Public addresses that no host has. */
const unansweredBlocks: readonly Cidr[] = [
  addressPlan.publicPool,
  `${addressPlan.laptop}/32`,
  ipv6Plan.vpcs,
  `${ipv6Plan.laptop}/128`,
];
/** Loopback, multicast, class E: no guest may send there. */
const reservedBlocks: readonly Cidr[] = ['127.0.0.0/8', '224.0.0.0/3', '0.0.0.0/8', linkLocal];

/** Blocks that are treated apart whatever a network looks like. */
export const fixedBlocks: readonly Cidr[] = [...privateBlocks, ...uniqueLocal, ...reservedBlocks, ...unansweredBlocks];

const nowhere: NextHop = { kind: 'nowhere' };
const unroutable: NextHop = { kind: 'unroutable' };
const sameSubnet: NextHop = { kind: 'same-subnet' };

export class Sites {
  readonly network: NetworkIndex;
  readonly pool = new TrafficPool();
  readonly all: readonly Site[];
  /** Destinations that an internet gateway lets nothing out to, and sources that it lets nothing in from (I4). */
  readonly forbiddenOut = membership(AddressSet.ofCidrs([...privateBlocks, ...uniqueLocal]));
  readonly forbiddenIn = membership(AddressSet.ofCidrs(privateBlocks));
  readonly unanswered = membership(AddressSet.ofCidrs(unansweredBlocks));
  readonly #points = new Map<string, Point>();
  readonly #byId = new Map<NetworkInterfaceId, Site>();
  /** By address: in each VPC whoever has it, in the Snapshot's order. */
  readonly #holders = new Map<Point, Map<VpcId, Site>>();
  readonly #publicHolders = new Map<Point, { readonly site: Site; readonly inside: Point }>();
  readonly #tables = new Map<string, unknown>();

  constructor(network: NetworkIndex) {
    this.network = network;
    const all: Site[] = [];
    const placed = network.snapshot.vpcs.flatMap((vpc) =>
      vpc.networkInterfaces.flatMap((eni) => network.networkInterface(eni.networkInterfaceId) ?? []),
    );
    for (const each of placed) {
      const site = this.#siteOf(each);
      all.push(site);
      this.#byId.set(site.id, site);
      for (const point of site.addresses) {
        const holders = this.#holders.get(point) ?? new Map<VpcId, Site>();
        this.#holders.set(point, holders.set(site.vpc.vpcId, site));
      }
    }
    this.all = all;
    for (const site of all) {
      for (const { address, publicAddress } of site.placed.eni.privateAddresses) {
        if (publicAddress === undefined) continue;
        this.#publicHolders.set(this.point(publicAddress), { site, inside: this.point(address) });
      }
      for (const address of site.placed.eni.ipv6Addresses)
        this.#publicHolders.set(this.point(address), { site, inside: this.point(address) });
    }
  }

  point(text: string): Point {
    const known = this.#points.get(text);
    if (known !== undefined) return known;
    const isIpv6 = text.includes(':');
    const value = (isIpv6 ? ipv6ToNumber(text) : ipToNumber(text)) ?? 0;
    const point: Point = { text, isIpv6, value, slot: this.#points.size };
    this.#points.set(text, point);
    return point;
  }

  site(id: NetworkInterfaceId): Site | undefined {
    return this.#byId.get(id);
  }

  holder(vpcId: VpcId, address: Address): Site | undefined {
    return isFree(address) ? undefined : this.#holders.get(address)?.get(vpcId);
  }

  holders(address: Address): Iterable<Site> {
    return (isFree(address) ? undefined : this.#holders.get(address)?.values()) ?? [];
  }

  publicHolder(address: Address): { readonly site: Site; readonly inside: Point } | undefined {
    return isFree(address) ? undefined : this.#publicHolders.get(address);
  }

  /** Every public address that an interface has: no host of the internet has it. */
  publicAddresses(): AddressSet {
    return AddressSet.ofAddresses([...this.#publicHolders.keys()].map(({ text }) => text));
  }

  /** The public address of a private one of the interface. */
  publicAddressOf(site: Site | undefined, inside: Address): Point | undefined {
    if (site === undefined || isFree(inside)) return undefined;
    const found = site.placed.eni.privateAddresses.find((each) => each.address === inside.text)?.publicAddress;
    return found === undefined ? undefined : this.point(found);
  }

  /** The route that an edge table has for an address. */
  edgeRoute(vpc: Vpc, table: RouteTable, address: Address): Route | undefined {
    return this.#routes(vpc, table).at(address)?.route;
  }

  isInBlocks(vpc: Vpc, address: Address): boolean {
    return this.#table(`blocks ${vpc.vpcId}`, () =>
      membership(AddressSet.ofCidrs([...vpc.cidrBlocks, ...vpc.ipv6CidrBlocks])),
    ).at(address);
  }

  /** Addresses at which the VPC's own services answer (D2, H1). */
  vpcServiceAddresses(vpc: Vpc, service: 'metadata' | 'resolver'): readonly Point[] {
    if (service === 'metadata') return [this.point(metadataAddress)];
    return resolversOf(vpc).map((each) => this.point(each));
  }

  // ---- the tables, each made once

  #table<T>(key: string, make: () => T): T {
    const known = this.#tables.get(key);
    if (known !== undefined) return known as T;
    const made = make();
    this.#tables.set(key, made);
    return made;
  }

  #siteOf(placed: PlacedInterface): Site {
    const { eni, vpc, subnet, routeTable, acl, groups } = placed;
    const addresses = [...eni.privateAddresses.map((each) => each.address), ...eni.ipv6Addresses].map((each) =>
      this.point(each),
    );
    const key = `${vpc.vpcId} ${subnet.subnetId}`;
    return {
      placed,
      id: eni.networkInterfaceId,
      vpc,
      subnet,
      carries: eni.attachment !== undefined || eni.service !== undefined,
      own: new Set(addresses),
      addresses,
      publicAddresses: eni.privateAddresses.flatMap((each) =>
        each.publicAddress === undefined ? [] : [this.point(each.publicAddress)],
      ),
      groups: this.#groups(vpc, groups),
      acl: this.#table(`acl ${vpc.vpcId} ${acl.networkAclId}`, () => this.#acl(acl)),
      nextHop: this.#table(`hop ${key}`, () => this.#nextHops(vpc, subnet, routeTable)),
      returnsByGateway: this.#table(`returns ${vpc.vpcId} ${routeTable.routeTableId}`, () => {
        const routes = routesOf(this.network, routeTable);
        return new SegmentTable(
          routes.map((each) => each.set),
          (holding) => {
            const route = longest(routes, holding)?.route;
            return route?.target.kind === 'internet-gateway' && route.state === 'active';
          },
        );
      }),
    };
  }

  #groups(vpc: Vpc, groups: readonly SecurityGroup[]): Groups {
    const ids = [...new Set(groups.map((each) => each.groupId))].sort();
    return this.#table(`groups ${vpc.vpcId} ${ids.join()}`, () => {
      const tables = ids.flatMap((id) => {
        const group = groups.find((each) => each.groupId === id);
        return group === undefined ? [] : [this.#table(`group ${vpc.vpcId} ${id}`, () => this.#group(vpc, group))];
      });
      return new Groups(this.pool, tables);
    });
  }

  #group(vpc: Vpc, group: SecurityGroup): Acl {
    const side = (direction: 'ingress' | 'egress') => {
      const rules = group[direction].map((rule) => {
        const { peer } = rule;
        const set =
          peer.kind === 'cidr'
            ? AddressSet.ofCidrs([peer.cidr])
            : peer.kind === 'prefix-list'
              ? AddressSet.ofCidrs(this.network.prefixList(peer.prefixListId))
              : this.members(vpc, peer.groupId);
        return { set, traffic: this.pool.of(rule) };
      });
      return new SegmentTable(
        rules.map(({ set }) => set),
        (holding) =>
          holding.reduce<Traffic>(
            (sum, each) => this.pool.unite(sum, rules[each]?.traffic ?? this.pool.none),
            this.pool.none,
          ),
      );
    };
    return { ingress: side('ingress'), egress: side('egress') };
  }

  /** Addresses of the interfaces that carry a group, in a VPC and in its peers of the same Region (S6, S7). */
  members(seenFrom: Vpc, groupId: SecurityGroupId): AddressSet {
    return this.#table(`members ${seenFrom.vpcId} ${groupId}`, () => {
      const { vpcs, peeringConnections } = this.network.snapshot;
      const near = new Set<VpcId>([seenFrom.vpcId]);
      for (const { requester, accepter } of peeringConnections) {
        const other =
          requester.vpcId === seenFrom.vpcId
            ? accepter.vpcId
            : accepter.vpcId === seenFrom.vpcId
              ? requester.vpcId
              : undefined;
        if (other !== undefined && this.network.vpc(other)?.region === seenFrom.region) near.add(other);
      }
      const cards = vpcs.filter(({ vpcId }) => near.has(vpcId)).flatMap((each) => this.#cards(each).get(groupId) ?? []);
      return AddressSet.ofAddresses(cards);
    });
  }

  /** Addresses by group. */
  #cards(vpc: Vpc): ReadonlyMap<SecurityGroupId, readonly string[]> {
    return this.#table(`cards ${vpc.vpcId}`, () => {
      const cards = new Map<SecurityGroupId, string[]>();
      for (const { groupIds, privateAddresses, ipv6Addresses } of vpc.networkInterfaces)
        for (const groupId of groupIds) {
          const addresses = cards.get(groupId) ?? [];
          cards.set(groupId, addresses);
          addresses.push(...privateAddresses.map((each) => each.address), ...ipv6Addresses);
        }
      return cards;
    });
  }

  #acl(acl: NetworkAcl): Acl {
    const side = (direction: 'ingress' | 'egress') => {
      const entries = acl[direction].map((entry) => ({
        set: AddressSet.ofCidrs([entry.cidr]),
        isAllowed: entry.action === 'allow',
        traffic: this.pool.keep(partsOf(entry)),
      }));
      return new SegmentTable(
        entries.map(({ set }) => set),
        (holding) => {
          // The first that matches decides (N1): what it took is out of reach of those after it.
          let [allowed, left] = [this.pool.none, this.pool.all];
          for (const index of holding) {
            const entry = entries[index];
            if (entry === undefined) continue;
            if (entry.isAllowed) allowed = this.pool.unite(allowed, this.pool.intersect(left, entry.traffic));
            left = this.pool.subtract(left, entry.traffic);
          }
          return allowed;
        },
      );
    };
    return { ingress: side('ingress'), egress: side('egress') };
  }

  #routes(vpc: Vpc, table: RouteTable): SegmentTable<{ readonly route: Route } | undefined> {
    return this.#table(`routes ${vpc.vpcId} ${table.routeTableId}`, () => {
      const routes = routesOf(this.network, table);
      return new SegmentTable(
        routes.map((each) => each.set),
        (holding) => longest(routes, holding),
      );
    });
  }

  #nextHops(vpc: Vpc, subnet: Subnet, table: RouteTable): SegmentTable<NextHop> {
    const routes = routesOf(this.network, table);
    const hops = new Map(routes.map(({ route }): [Route, NextHop] => [route, { kind: 'route', route }]));
    const own = [subnet.cidrBlock, ...(subnet.ipv6CidrBlock === undefined ? [] : [subnet.ipv6CidrBlock])];
    // A route for exactly the subnet's own block catches what would not be routed otherwise (R4, R13).
    const isRouted = table.routes.some(
      ({ destination, target }) =>
        destination.kind === 'cidr' && destination.cidr === subnet.cidrBlock && target.kind !== 'local',
    );
    const special: readonly { readonly hop: NextHop; readonly set: AddressSet }[] = [
      { hop: { kind: 'metadata' }, set: AddressSet.ofAddresses([metadataAddress]) },
      { hop: vpc.enableDnsSupport ? { kind: 'resolver' } : nowhere, set: AddressSet.ofAddresses(resolversOf(vpc)) },
      { hop: nowhere, set: AddressSet.ofCidrs([linkLocal]) },
      { hop: unroutable, set: AddressSet.ofCidrs(reservedBlocks) },
      { hop: sameSubnet, set: isRouted ? AddressSet.none : AddressSet.ofCidrs(own) },
    ];
    return new SegmentTable([...special.map(({ set }) => set), ...routes.map(({ set }) => set)], (holding) => {
      const [first] = holding;
      const found = first === undefined ? undefined : special[first];
      if (found !== undefined) return found.hop;
      const best = longest(
        routes,
        holding.map((each) => each - special.length),
      );
      return (best && hops.get(best.route)) ?? unroutable;
    });
  }
}

interface RouteEntry {
  readonly route: Route;
  readonly set: AddressSet;
  readonly length: number;
  readonly isStatic: boolean;
}

function routesOf(network: NetworkIndex, table: RouteTable): RouteEntry[] {
  return table.routes.flatMap((route) => {
    const { destination } = route;
    const isStatic = destination.kind === 'cidr';
    const cidrs = isStatic ? [destination.cidr] : network.prefixList(destination.prefixListId);
    return cidrs.map((cidr) => ({
      route,
      set: AddressSet.ofCidrs([cidr]),
      length: Number(cidr.slice(cidr.indexOf('/') + 1)),
      isStatic,
    }));
  });
}

/** Longest prefix first; at the same length a static route beats a prefix list's (R1, R2). A blackhole is one of them (R9). */
function longest(routes: readonly RouteEntry[], holding: readonly number[]): RouteEntry | undefined {
  let best: RouteEntry | undefined;
  for (const index of holding) {
    const entry = routes[index];
    if (entry === undefined) continue;
    const isLonger = best === undefined || entry.length > best.length;
    if (isLonger || (entry.length === best?.length && entry.isStatic && !best.isStatic)) best = entry;
  }
  return best;
}

function resolversOf(vpc: Vpc): string[] {
  const [primary] = vpc.cidrBlocks;
  return [resolverAddress, ...(primary === undefined || isIpv6Cidr(primary) ? [] : [addressAt(primary, 2)])];
}
