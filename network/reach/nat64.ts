// Addresses on the two sides of NAT64 (G13), for courses through it.

import { isIpv6Cidr } from '../cidr.ts';
import { ipv6CidrRange } from '../ipv6.ts';
import { embeddedIpv4, embedIpv4, nat64Prefix } from '../nat64.ts';
import type { Vpc } from '../snapshot.ts';
import { AddressSet } from './address-set.ts';
import { reservedBlocks } from './blocks.ts';
import { resolversOf } from './decisions.ts';
import { type Address, EmbeddedFree, isFree, membership, type Point, type SegmentTable } from './segment-table.ts';
import type { Sites } from './sites.ts';

const { first } = ipv6CidrRange(nat64Prefix);

export class Nat64 {
  readonly #sites: Sites;
  readonly #prefix = membership(AddressSet.ofCidrs([nat64Prefix]));
  readonly #nowhere = new Map<Vpc, SegmentTable<boolean>>();
  #isInUse: boolean | undefined;

  constructor(sites: Sites) {
    this.#sites = sites;
  }

  /** Whether some route leads IPv6 to a NAT gateway: else nobody is known by such an address, and nothing is asked about one. */
  get isInUse(): boolean {
    this.#isInUse ??= this.#sites.network.snapshot.vpcs.some(({ routeTables }) =>
      routeTables.some(({ routes }) =>
        routes.some(({ destination, target }) => {
          if (target.kind !== 'nat-gateway') return false;
          const cidrs =
            destination.kind === 'cidr' ? [destination.cidr] : this.#sites.network.prefixList(destination.prefixListId);
          return cidrs.some(isIpv6Cidr);
        }),
      ),
    );
    return this.#isInUse;
  }

  /** The IPv4 address that a NAT gateway of the VPC sends on to; undefined where it sends nothing. */
  four(vpc: Vpc, six: Address): Address | undefined {
    if (!this.#prefix.at(six)) return undefined;
    const four = isFree(six) ? new EmbeddedFree(six, first) : this.#sites.point(embeddedIpv4(six.text) ?? '');
    return this.#nowhereOf(vpc).at(four) ? undefined : four;
  }

  /** The IPv6 address by which a client knows one of IPv4. */
  six(four: Point): Point;
  six(four: Address): Address;
  six(four: Address): Address {
    if (four instanceof EmbeddedFree) return four.six;
    return isFree(four) ? four : this.#sites.point(embedIpv4(four.text));
  }

  /** What the IPv4 ones among them are known by to clients of IPv6. */
  sixes(points: readonly Point[]): Point[] {
    return this.isInUse ? points.flatMap((each) => (each.isIpv6 ? [] : [this.six(each)])) : [];
  }

  /** With what its IPv4 addresses are known by to clients of IPv6. */
  with(set: AddressSet): AddressSet {
    return this.isInUse ? set.unite(new AddressSet([], set.v4.map((bound) => first + BigInt(bound)))) : set; // biome-ignore format: one thought
  }

  /** Where no guest may send, and the VPC's own services, which know a guest by its own address. */
  #nowhereOf(vpc: Vpc): SegmentTable<boolean> {
    const known = this.#nowhere.get(vpc);
    if (known !== undefined) return known;
    const table = membership(AddressSet.ofCidrs(reservedBlocks).unite(AddressSet.ofAddresses(resolversOf(vpc))));
    this.#nowhere.set(vpc, table);
    return table;
  }
}
