// Does a change of rows concern a packet? Only what is in a VPC with a live instance can: then the fabric is told. A change that is wrongly called
// relevant costs one apply that changes nothing; the other mistake would be a lie, so in doubt it is relevant.

import { isDeepStrictEqual } from 'node:util';
import type { InstanceRow } from '../store/rows/ec2.ts';
import type { Change, Kind, Row, Transaction } from '../store/store.ts';
import { isLive } from './snapshot.ts';

/** VPCs that have a live instance or an interface of a service, which peers may reach, and those whose groups such a VPC's interfaces may carry. */
export function liveVpcs(tx: Transaction): Set<string> {
  const vpcs = new Set<string>();
  for (const row of tx.list('instance')) if (isLive(row)) vpcs.add(row.vpcId);
  for (const row of tx.list('network-interface')) if (row.service) vpcs.add(row.vpcId);
  const lenders = tx
    .list('security-group-vpc-association')
    .flatMap(({ groupId, vpcId }) => (vpcs.has(vpcId) ? (tx.get('security-group', groupId)?.vpcId ?? []) : []));
  for (const vpcId of lenders) vpcs.add(vpcId);
  return vpcs;
}

/** Kinds of rows that `liveVpcs` follows from. */
export const kindsOfLive: ReadonlySet<Kind> = new Set([
  'instance',
  'network-interface',
  'security-group-vpc-association',
]);

type Reader = (row: Row) => string | undefined;
const vpcOf: Reader = (row) => (row as Row & { vpcId?: string }).vpcId;
const ownId: Reader = (row) => row.id;

/** Kind → the VPC that a row belongs to; `anywhere` for those that any VPC may name. Kinds that are not here never concern the network. */
const readers: Partial<Record<Kind, Reader | 'anywhere'>> = {
  vpc: ownId,
  subnet: vpcOf,
  'route-table': vpcOf,
  'internet-gateway': vpcOf,
  'egress-only-internet-gateway': vpcOf,
  'security-group': vpcOf,
  'security-group-rule': vpcOf,
  'security-group-vpc-association': vpcOf,
  'network-acl': vpcOf,
  'network-interface': vpcOf,
  'vpc-endpoint': vpcOf,
  'nat-gateway': vpcOf,
  'vpc-block-public-access': 'anywhere',
  'vpc-block-public-access-exclusion': 'anywhere',
  'instance-connect-endpoint': vpcOf,
  'flow-log': 'anywhere',
  'load-balancer': vpcOf,
  'vpc-endpoint-service': 'anywhere',
  'target-group': vpcOf,
  listener: vpcOf,
  'vpc-peering-connection': 'anywhere',
  'transit-gateway': 'anywhere',
  'transit-gateway-attachment': 'anywhere',
  'transit-gateway-route-table': 'anywhere',
  address: 'anywhere',
  'prefix-list': 'anywhere',
  'dhcp-options': 'anywhere',
};

/** @param live the VPCs that are live after the change */
export function concernsNetwork({ kind, before, after }: Change, live: ReadonlySet<string>): boolean {
  if (kind === 'instance')
    return instanceConcernsNetwork(before as InstanceRow | undefined, after as InstanceRow | undefined);
  const reader = readers[kind];
  if (!reader || live.size === 0) return false;
  if (before && after && isDeepStrictEqual(withoutTags(before), withoutTags(after))) return false;
  if (reader === 'anywhere') return true;
  return [before, after].some((row) => {
    const vpcId = row && reader(row);
    return vpcId !== undefined && live.has(vpcId);
  });
}

function instanceConcernsNetwork(before: InstanceRow | undefined, after: InstanceRow | undefined): boolean {
  const wasLive = before !== undefined && isLive(before);
  const live = after !== undefined && isLive(after);
  if (wasLive !== live) return true;
  return live && !isDeepStrictEqual(before?.metadataOptions, after.metadataOptions);
}

function withoutTags(row: Row): object {
  const { tags: _tags, ...rest } = row as Row & { tags?: unknown };
  return rest;
}
