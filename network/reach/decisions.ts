// What rules, ACL entries and routes decide, as tables over one address. Matching is written anew here, over sets: walk/matching.ts answers for one packet, and the two
// are held against each other.

import { ipv6Plan } from '../addresses.ts';
import { addressAt, isIpv6Cidr } from '../cidr.ts';
import type {
  NetworkAcl,
  NetworkInterface,
  Route,
  RouteTable,
  SecurityGroup,
  SecurityGroupRule,
  Subnet,
  SubnetId,
  Vpc,
} from '../snapshot.ts';
import type { NetworkIndex } from '../walk/network-index.ts';
import { AddressSet } from './address-set.ts';
import { linkLocal, metadataAddresses, reservedBlocks, resolverAddress } from './blocks.ts';
import { type Address, isFree, membership, SegmentTable } from './segment-table.ts';
import { partsOf, type Traffic, type TrafficPool } from './traffic.ts';

/** Which traffic passes from or to an address. */
export interface Filter {
  readonly ingress: SegmentTable<Traffic>;
  readonly egress: SegmentTable<Traffic>;
}

/** @param peersOf the addresses that a rule names   @returns the union of the rules' traffic: they only allow (S1) */
export function groupFilter(
  pool: TrafficPool,
  group: SecurityGroup,
  peersOf: (peer: SecurityGroupRule['peer']) => AddressSet,
): Filter {
  const side = (direction: 'ingress' | 'egress') => {
    const traffic = group[direction].map((rule) => pool.keep(partsOf(rule)));
    return new SegmentTable(
      group[direction].map(({ peer }) => peersOf(peer)),
      (holding) => holding.reduce((sum, each) => pool.unite(sum, traffic[each] ?? pool.none), pool.none),
    );
  };
  return { ingress: side('ingress'), egress: side('egress') };
}

export function aclFilter(pool: TrafficPool, acl: NetworkAcl): Filter {
  const side = (direction: 'ingress' | 'egress') => {
    const entries = acl[direction].map((entry) => ({
      isAllowed: entry.action === 'allow',
      traffic: pool.keep(partsOf(entry)),
    }));
    return new SegmentTable(
      acl[direction].map(({ cidr }) => AddressSet.ofCidrs([cidr])),
      (holding) => {
        // The first that matches decides (N1): what it took is out of reach of those after it.
        let [allowed, left] = [pool.none, pool.all];
        for (const index of holding) {
          const entry = entries[index];
          if (entry === undefined) continue;
          if (entry.isAllowed) allowed = pool.unite(allowed, pool.intersect(left, entry.traffic));
          left = pool.subtract(left, entry.traffic);
        }
        return allowed;
      },
    );
  };
  return { ingress: side('ingress'), egress: side('egress') };
}

/** The groups of an interface, as one. */
export class Groups {
  readonly #pool: TrafficPool;
  readonly #tables: readonly Filter[];
  readonly #memory = { ingress: [] as Traffic[], egress: [] as Traffic[] };

  constructor(pool: TrafficPool, tables: readonly Filter[]) {
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

/** Whose an address is, as a VPC sees it. */
export interface VpcBlocks {
  readonly own: SegmentTable<boolean>;
  /** Whom interface endpoints serve: the VPC and those that it is joined with. */
  readonly clients: SegmentTable<boolean>;
  readonly middleboxes: SegmentTable<boolean>;
  readonly subnets: SegmentTable<SubnetId | 'none'>;
}

export function blocksOf(vpc: Vpc, peers: readonly Vpc[]): VpcBlocks {
  const { cidrBlocks, ipv6CidrBlocks, networkInterfaces, subnets } = vpc;
  const boxes = networkInterfaces.filter((eni) => !eni.sourceDestCheck && eni.attachment !== undefined);
  const subnetBlocks = subnets.map(({ cidrBlock, ipv6CidrBlock }) =>
    AddressSet.ofCidrs(ipv6CidrBlock === undefined ? [cidrBlock] : [cidrBlock, ipv6CidrBlock]),
  );
  return {
    own: membership(AddressSet.ofCidrs([...cidrBlocks, ...ipv6CidrBlocks])),
    clients: membership(AddressSet.ofCidrs([vpc, ...peers].flatMap((each) => each.cidrBlocks))),
    middleboxes: membership(AddressSet.ofAddresses(boxes.flatMap(addressesOf))),
    subnets: new SegmentTable(subnetBlocks, ([first = -1]) => subnets[first]?.subnetId ?? 'none'),
  };
}

/** Private ones and IPv6 ones, in order. */
export function addressesOf({ privateAddresses, ipv6Addresses }: NetworkInterface): string[] {
  return [...privateAddresses.map(({ address }) => address), ...ipv6Addresses];
}

/** What a packet that leaves an interface of a subnet meets first. */
export type NextHop =
  /** Past groups. */
  | { readonly kind: 'metadata' | 'resolver' | 'nowhere' }
  /** Where no guest may send, before any route is looked up. */
  | { readonly kind: 'reserved' }
  | { readonly kind: 'no-route' | 'same-subnet' }
  | { readonly kind: 'route'; readonly route: Route };

const nowhere: NextHop = { kind: 'nowhere' };
const reserved: NextHop = { kind: 'reserved' };
const noRoute: NextHop = { kind: 'no-route' };
const sameSubnet: NextHop = { kind: 'same-subnet' };

export function nextHops(network: NetworkIndex, vpc: Vpc, subnet: Subnet, table: RouteTable): SegmentTable<NextHop> {
  const routes = routesOf(network, table);
  const hops = new Map(routes.map(({ route }): [Route, NextHop] => [route, { kind: 'route', route }]));
  const own = [subnet.cidrBlock, ...(subnet.ipv6CidrBlock === undefined ? [] : [subnet.ipv6CidrBlock])];
  // A route for exactly the subnet's own block catches what would not be routed otherwise (R4, R13).
  const isRouted = table.routes.some(
    ({ destination, target }) =>
      destination.kind === 'cidr' && destination.cidr === subnet.cidrBlock && target.kind !== 'local',
  );
  const special: readonly { readonly hop: NextHop; readonly set: AddressSet }[] = [
    { hop: { kind: 'metadata' }, set: AddressSet.ofAddresses(metadataAddresses) },
    { hop: vpc.enableDnsSupport ? { kind: 'resolver' } : nowhere, set: AddressSet.ofAddresses(resolversOf(vpc)) },
    { hop: nowhere, set: AddressSet.ofCidrs([linkLocal]) },
    { hop: reserved, set: AddressSet.ofCidrs(reservedBlocks) },
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
    return (best && hops.get(best.route)) ?? noRoute;
  });
}

/** Routes by address; a blackhole is one of them (R9). */
export function routesByAddress(network: NetworkIndex, table: RouteTable): SegmentTable<Route | 'none'> {
  const routes = routesOf(network, table);
  return new SegmentTable(
    routes.map((each) => each.set),
    (holding) => longest(routes, holding)?.route ?? 'none',
  );
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

/** Where the VPC's resolver answers (D2). */
export function resolversOf(vpc: Vpc): string[] {
  const [primary] = vpc.cidrBlocks;
  return [
    resolverAddress,
    ipv6Plan.resolver,
    ...(primary === undefined || isIpv6Cidr(primary) ? [] : [addressAt(primary, 2)]),
  ];
}
