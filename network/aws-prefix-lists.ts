// The prefix lists that AWS manages: which address ranges a gateway endpoint's service has in a region. Rules and routes name them by id.
// Nobody owns them and they never change, so they are no rows: everyone who needs one asks here.
// https://docs.aws.amazon.com/vpc/latest/userguide/working-with-aws-managed-prefix-lists.html (read 2026-11-21).

import { regions, serviceBlock } from './addresses.ts';
import type { Cidr, PrefixListId } from './snapshot.ts';

export interface AwsPrefixList {
  readonly prefixListId: PrefixListId;
  /** `com.amazonaws.us-east-1.s3` */
  readonly prefixListName: string;
  readonly region: string;
  readonly service: GatewayService;
  readonly cidrs: readonly Cidr[];
  /** How many rules it counts as in a security group (S9). */
  readonly weight: number;
}

export type GatewayService = 's3' | 'dynamodb';

// us-east-1 has AWS's real ids. Elsewhere AWS repeats ids between regions (pl-6ea54007 is two lists), and ours must be unique: they count up from the first.
const firstIds = { s3: 0x63a5400a, dynamodb: 0x02cd2c6b } as const satisfies Record<GatewayService, number>;

/** The lists of a region in a fixed order; none for a name that is no region. */
export function awsPrefixLists(region: string): readonly AwsPrefixList[] {
  return byRegion.get(region) ?? [];
}

/** The list with this id, of any region. */
export function awsPrefixList(prefixListId: string): AwsPrefixList | undefined {
  return byId.get(prefixListId);
}

const byRegion = new Map<string, readonly AwsPrefixList[]>(
  regions.map((region, index) => [
    region,
    (['s3', 'dynamodb'] as const).map((service) => listOf(region, index, service)),
  ]),
);
const byId = new Map([...byRegion.values()].flat().map((list) => [list.prefixListId as string, list]));

function listOf(region: string, index: number, service: GatewayService): AwsPrefixList {
  const block = serviceBlock(region, service);
  return {
    prefixListId: `pl-${(firstIds[service] + index).toString(16).padStart(8, '0')}`,
    prefixListName: `com.amazonaws.${region}.${service}`,
    region,
    service,
    cidrs: block === undefined ? [] : [block],
    weight: 1,
  };
}
