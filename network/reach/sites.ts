// A network prepared for reach: every interface with the tables that decide for it (decisions.ts), and who has which address. Tables are made when they are first
// asked for, and one serves all interfaces that it is the same for. Shared with the walk: the index over the Snapshot and address arithmetic.

import { ipToNumber } from '../cidr.ts';
import { ipv6ToNumber } from '../ipv6.ts';
import type {
  InstanceConnectEndpoint,
  LoadBalancerNode,
  NetworkInterfaceId,
  NetworkLoadBalancer,
  Route,
  RouteTable,
  SecurityGroup,
  SecurityGroupId,
  SecurityGroupRule,
  Subnet,
  Vpc,
  VpcId,
} from '../snapshot.ts';
import type { NetworkIndex, PlacedInterface } from '../walk/network-index.ts';
import { AddressSet } from './address-set.ts';
import { metadataAddresses, privateBlocks, unansweredBlocks, uniqueLocal } from './blocks.ts';
import {
  aclFilter,
  addressesOf,
  blocksOf,
  type Filter,
  Groups,
  groupFilter,
  type NextHop,
  nextHops,
  resolversOf,
  routesByAddress,
  type VpcBlocks,
} from './decisions.ts';
import { Nat64 } from './nat64.ts';
import { type Address, isFree, membership, type Point, type SegmentTable } from './segment-table.ts';
import { type Traffic, TrafficPool } from './traffic.ts';
import { TransitGateways } from './transit-gateways.ts';

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
  /** All that it is reached at: its own, public ones, and what those of IPv4 are by NAT64. */
  readonly reachedAt: readonly Point[];
  /** Whether the metadata service of its instance answers IPv6. */
  readonly hasMetadata6: boolean;
  /** The instance connect endpoint whose interface it is. */
  readonly connectEndpoint?: InstanceConnectEndpoint;
  /** The load balancer whose interface it is, and what it does there. */
  readonly balancer?: { readonly of: NetworkLoadBalancer; readonly node: LoadBalancerNode };
  /** @param by the peering connection that the packets come or go by: only there the groups of its other VPC can be named (S7) */
  readonly groups: (by?: string) => Groups;
  readonly acl: Filter;
  readonly nextHop: SegmentTable<NextHop>;
  /** Those of its subnet's table. */
  readonly routes: SegmentTable<Route | 'none'>;
}

export class Sites {
  readonly network: NetworkIndex;
  readonly pool = new TrafficPool();
  readonly transitGateways = new TransitGateways(this);
  readonly all: readonly Site[];
  /** Destinations that an internet gateway lets nothing out to, and sources that it lets nothing in from (I4). */
  readonly forbiddenOut = membership(AddressSet.ofCidrs([...privateBlocks, ...uniqueLocal]));
  readonly forbiddenIn = membership(AddressSet.ofCidrs(privateBlocks));
  readonly unanswered = membership(AddressSet.ofCidrs(unansweredBlocks));
  readonly nat64 = new Nat64(this);
  readonly #points = new Map<string, Point>();
  readonly #byId = new Map<NetworkInterfaceId, Site>();
  /** By address: in each VPC whoever has it, in the Snapshot's order. */
  readonly #holders = new Map<Point, Map<VpcId, Site>>();
  readonly #publicHolders = new Map<Point, { readonly site: Site; readonly inside: Point }>();
  readonly #blocks = new Map<Vpc, VpcBlocks>();
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

  /** Every public address that an interface has, also as NAT64 has it: no host of the internet has it. */
  publicAddresses(): AddressSet {
    return this.#table('public', () => {
      const held = [...this.#publicHolders.keys()];
      const embedded = held.flatMap((each) => (each.isIpv6 ? [] : [this.nat64.six(each).text]));
      return AddressSet.ofAddresses([...held.map(({ text }) => text), ...embedded]);
    });
  }

  /** The public address of a private one of the interface. */
  publicAddressOf(site: Site | undefined, inside: Address): Point | undefined {
    if (site === undefined || isFree(inside)) return undefined;
    const found = site.placed.eni.privateAddresses.find((each) => each.address === inside.text)?.publicAddress;
    return found === undefined ? undefined : this.point(found);
  }

  /** The route that an edge table has for an address. */
  edgeRoute(vpc: Vpc, table: RouteTable, address: Address): Route | 'none' {
    return this.#routes(vpc, table).at(address);
  }

  /** What a load balancer's node begins with an address: connections with its targets there, and checks of them (B2, B5). */
  begunAt({ balancer }: Site, address: Address): Traffic {
    if (balancer === undefined) return this.pool.all;
    if (isFree(address)) return this.pool.none;
    const { listeners, checks } = balancer.node;
    const all = [...listeners, { protocol: 6, targets: checks }].flatMap(({ protocol, targets }) =>
      targets.flatMap(({ address: own, port }) =>
        own === address.text ? [{ protocol, ports: { from: port, to: port } }] : [],
      ),
    );
    return this.pool.of(...all);
  }

  /** The VPC's blocks, and those of whom its interface endpoints serve, of its middleboxes and subnets. */
  blocks(vpc: Vpc): VpcBlocks {
    let blocks = this.#blocks.get(vpc);
    if (blocks === undefined) {
      blocks = blocksOf(vpc, this.network.neighboursOf(vpc.vpcId));
      this.#blocks.set(vpc, blocks);
    }
    return blocks;
  }

  /** Addresses at which the VPC's own services answer (D2, H1). */
  vpcServiceAddresses(vpc: Vpc, service: 'metadata' | 'resolver'): readonly Point[] {
    if (service === 'metadata') return metadataAddresses.map((each) => this.point(each));
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
    const addresses = addressesOf(eni).map((each) => this.point(each));
    const publicAddresses = eni.privateAddresses.flatMap((each) =>
      each.publicAddress === undefined ? [] : [this.point(each.publicAddress)],
    );
    const points = publicAddresses.length === 0 ? addresses : [...addresses, ...publicAddresses];
    const sixes = this.nat64.sixes(points);
    const key = `${vpc.vpcId} ${subnet.subnetId}`;
    const connectEndpoint = vpc.instanceConnectEndpoints.find(
      (each) => each.networkInterfaceId === eni.networkInterfaceId,
    );
    const balancers = vpc.networkLoadBalancers.flatMap((of) =>
      of.nodes.filter((node) => node.networkInterfaceId === eni.networkInterfaceId).map((node) => ({ of, node })),
    );
    return {
      ...(connectEndpoint !== undefined && { connectEndpoint }),
      ...(balancers[0] !== undefined && { balancer: balancers[0] }),
      placed,
      id: eni.networkInterfaceId,
      vpc,
      subnet,
      hasMetadata6: vpc.instances.some(
        (each) => each.instanceId === eni.attachment?.instanceId && each.metadata.hasIpv6 === true,
      ),
      carries: eni.attachment !== undefined || eni.service !== undefined,
      own: new Set(addresses),
      addresses,
      publicAddresses,
      reachedAt: sixes.length === 0 ? points : [...points, ...sixes],
      groups: this.#groupsBy(vpc, groups),
      acl: this.#table(`acl ${vpc.vpcId} ${acl.networkAclId}`, () => aclFilter(this.pool, acl)),
      nextHop: this.#table(`hop ${key}`, () => nextHops(this.network, vpc, subnet, routeTable)),
      routes: this.#routes(vpc, routeTable),
    };
  }

  #groupsBy(vpc: Vpc, groups: readonly SecurityGroup[]): Site['groups'] {
    const ids = [...new Set(groups.map((each) => each.groupId))].sort();
    return this.#table(`groups ${vpc.vpcId} ${ids.join()}`, () => {
      const inside = this.#groups(vpc, ids, groups);
      const across = new Map<string, Groups>();
      return (by?: string) => {
        if (by === undefined) return inside;
        const made = across.get(by) ?? this.#groups(vpc, ids, groups, by);
        across.set(by, made);
        return made;
      };
    });
  }

  #groups(vpc: Vpc, ids: readonly SecurityGroupId[], groups: readonly SecurityGroup[], by?: string): Groups {
    const tables = ids.flatMap((id) => {
      const group = groups.find((each) => each.groupId === id);
      return group === undefined
        ? []
        : [
            this.#table(`group ${vpc.vpcId} ${id} ${by}`, () =>
              groupFilter(this.pool, group, (peer) => this.#named(vpc, peer, by)),
            ),
          ];
    });
    return new Groups(this.pool, tables);
  }

  #named(vpc: Vpc, peer: SecurityGroupRule['peer'], by: string | undefined): AddressSet {
    switch (peer.kind) {
      case 'cidr':
        return AddressSet.ofCidrs([peer.cidr]);
      case 'prefix-list':
        return AddressSet.ofCidrs(this.network.prefixList(peer.prefixListId));
      case 'security-group':
        return this.#members(vpc, peer.groupId, by);
    }
  }

  /** Addresses of the interfaces that carry a group, in a VPC and, by a peering, in the other one of the same Region (S6, S7). */
  #members(seenFrom: Vpc, groupId: SecurityGroupId, by: string | undefined): AddressSet {
    return this.#table(`members ${seenFrom.vpcId} ${groupId} ${by}`, () => {
      const near = (by === undefined ? [] : this.#acrossPeering(seenFrom, by)).filter(
        ({ region }) => region === seenFrom.region,
      );
      const cards = [seenFrom, ...near].flatMap((each) => this.#cards(each).get(groupId) ?? []);
      return AddressSet.ofAddresses(cards);
    });
  }

  #acrossPeering({ vpcId }: Vpc, by: string): Vpc[] {
    return this.network.snapshot.peeringConnections.flatMap(({ requester, accepter, vpcPeeringConnectionId }) => {
      if (by !== vpcPeeringConnectionId) return [];
      if (requester.vpcId !== vpcId && accepter.vpcId !== vpcId) return [];
      return this.network.vpc(requester.vpcId === vpcId ? accepter.vpcId : requester.vpcId) ?? [];
    });
  }

  /** Addresses by group. */
  #cards(vpc: Vpc): ReadonlyMap<SecurityGroupId, readonly string[]> {
    return this.#table(`cards ${vpc.vpcId}`, () => {
      const cards = new Map<SecurityGroupId, string[]>();
      for (const eni of vpc.networkInterfaces)
        for (const groupId of eni.groupIds) {
          const addresses = cards.get(groupId) ?? [];
          cards.set(groupId, addresses);
          addresses.push(...addressesOf(eni));
        }
      return cards;
    });
  }

  #routes(vpc: Vpc, table: RouteTable): SegmentTable<Route | 'none'> {
    return this.#table(`routes ${vpc.vpcId} ${table.routeTableId}`, () => routesByAddress(this.network, table));
  }
}

export function isNat({ placed }: Site): boolean {
  return placed.eni.service?.kind === 'nat-gateway';
}

/** A load balancer's that was made without groups has none (B4), as a NAT gateway's. */
export function hasNoGroups(site: Site): boolean {
  return isNat(site) || (site.balancer !== undefined && site.placed.eni.groupIds.length === 0);
}

export function isMiddlebox({ placed: { eni } }: Site): boolean {
  return !eni.sourceDestCheck && eni.attachment !== undefined;
}

/** By the interface that the gateway meets. Ingress-only mode leaves NAT gateways, for their flows begin inside. */
export function isPublicAccessBlocked(site: Site): boolean {
  const mode = site.subnet.blockPublicAccess;
  return mode === 'block-bidirectional' || (mode === 'block-ingress' && !isNat(site));
}
