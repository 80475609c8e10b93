// What of a real account the Snapshot does not have, and which answers that could change. An assertion that depends on any of it is unknown, never green.

import type { Unmodelled } from '@postern/check/estate.ts';
import type { Cidr, PrefixListId, RouteTableId, Snapshot } from '@postern/network/snapshot.ts';
import { envelope, harmless, modelled, unmodelled } from './answers.ts';
import type { Building } from './building.ts';
import { Item } from './item.ts';
import { type ReadPrefixList, type ToldStates, toldKey } from './vpc-rows.ts';

/** What AWS says of routes, held against what follows from the rest of the snapshot. @returns the Snapshot with the blackholes that AWS knows of */
export function holdAgainstTold(building: Building, snapshot: Snapshot, told: ToldStates): Snapshot {
  const roads = new Map<string, { because: string; routes: { routeTableId: RouteTableId; destinations: Cidr[] }[] }>();
  const listed = new Map<string, readonly Cidr[]>(snapshot.prefixLists.map((each) => [each.prefixListId, each.cidrs]));
  const here = new Set<string>(snapshot.vpcs.map((vpc) => vpc.vpcId));
  const elsewhere = new Set(
    snapshot.peeringConnections.flatMap(({ vpcPeeringConnectionId, requester, accepter }) =>
      here.has(requester.vpcId) && here.has(accepter.vpcId) ? [] : [vpcPeeringConnectionId as string],
    ),
  );
  const vpcs = snapshot.vpcs.map((vpc) => ({
    ...vpc,
    routeTables: vpc.routeTables.map((table) => ({
      ...table,
      routes: table.routes.map((route) => {
        const { destination } = route;
        const text = destination.kind === 'cidr' ? destination.cidr : destination.prefixListId;
        const said = told.get(toldKey(table.routeTableId, text));
        if (said === undefined) return route;
        if (said.state === 'blackhole')
          return route.state === 'blackhole' ? route : { ...route, state: 'blackhole' as const };
        const isMissing = said.isModelled && route.state === 'blackhole';
        if (!said.isModelled || elsewhere.has(said.target) || isMissing) {
          const destinations =
            destination.kind === 'cidr' ? [destination.cidr] : (listed.get(destination.prefixListId) ?? []);
          const routes = roads.get(said.target)?.routes ?? [];
          const because = isMissing ? missing : elsewhere.has(said.target) ? farSide : unmodelledRoad;
          roads.set(said.target, {
            because,
            routes: [...routes, { routeTableId: table.routeTableId, destinations: [...destinations] }],
          });
        }
        return route;
      }),
    })),
  }));
  for (const [target, { because, routes }] of roads)
    building.findings.push({ kind: 'road', what: `${target} (${nounOf(target)})`, because, routes });
  return { ...snapshot, vpcs };
}

const unmodelledRoad = 'where it leads is not modelled';
const farSide = 'what is on the other side is not known';
const missing =
  'AWS says that the route to it is active, and nothing in the snapshot makes it so: an answer is missing';

const roadNouns: readonly (readonly [RegExp, string])[] = [
  [/^tgw-/, 'transit gateway'], [/^vgw-/, 'virtual private gateway'], [/^vpce-/, 'Gateway Load Balancer endpoint'], [/^cagw-/, 'carrier gateway'],
  [/^lgw-/, 'local gateway'], [/core-network/, 'Cloud WAN core network'], [/^pcx-/, 'peering connection'], [/^i-/, 'instance'], [/^igw-/, 'internet gateway'], [/^eigw-/, 'egress-only internet gateway'], [/^nat-/, 'NAT gateway'], [/^eni-/, 'interface'],
]; // biome-ignore format: a table

const nounOf = (target: string) => roadNouns.find(([form]) => form.test(target))?.[1] ?? 'no target that Postern knows';

/** Lists that are not read, pages that are missing, prefix lists without entries. */
export function readTheRest(building: Building, lists: ReadonlyMap<PrefixListId, ReadPrefixList>): void {
  const known = new Set<string>([...modelled, ...harmless, ...envelope]);
  const unknown = new Map<string, string>();
  for (const { file, fields } of building.answers) {
    for (const [name, value] of Object.entries(fields)) {
      if (known.has(name)) continue;
      const row = unmodelled[name];
      if (row === undefined) {
        if (!(Array.isArray(value) && value.length === 0)) unknown.set(name, file);
        continue;
      }
      const items: unknown[] = Array.isArray(value) ? value : [];
      for (const each of items) noteUnmodelled(building, row, new Item(each, `${file}, ${name}`));
    }
  }
  for (const [name, file] of unknown)
    building.part(
      `${name} in ${file}`,
      'no such list is known here; take the file out if it has no part in who reaches what',
      'both',
    );
  notePages(building);
  noteLists(building, lists);
}

function noteUnmodelled(building: Building, row: (typeof unmodelled)[string], item: Item): void {
  const id = item.optionalText(row.id);
  if (id !== undefined && building.findings.some((each) => each.what.startsWith(`${id} `))) return;
  const what = `${id ?? item.where} (${row.noun})`;
  if (row.anywhere) building.part(what, 'it is not modelled, and where it matters cannot be told', 'may-open');
  else
    building.findings.push({
      kind: 'nothing',
      what,
      because: 'it is not modelled; it counts where routes lead to it or an interface is its own',
    });
}

/** The CLI asks for all pages by itself; with --max-items or --no-paginate it leaves a token. A list that ends has an answer without one. */
function notePages(building: Building): void {
  const open = new Map<string, string>();
  for (const { file, fields } of building.answers) {
    const token =
      fields['NextToken'] ?? fields['nextToken'] ?? (fields['IsTruncated'] === true ? fields['Marker'] : undefined);
    for (const name of Object.keys(fields)) {
      if (!Array.isArray(fields[name])) continue;
      if (typeof token === 'string' && token !== '') {
        if (open.get(name) !== 'ended') open.set(name, file);
      } else open.set(name, 'ended');
    }
  }
  for (const [name, file] of open)
    if (file !== 'ended')
      building.part(`${name} in ${file}`, 'its last page is missing (there is a NextToken)', 'both');
}

/** Rules and routes that name a list whose entries nobody told have none in the Snapshot. */
function noteLists(building: Building, lists: ReadonlyMap<PrefixListId, ReadPrefixList>): void {
  const isTold = (id: PrefixListId) => lists.get(id)?.cidrs !== undefined;
  const note = (
    id: PrefixListId,
    effect: 'may-open' | 'both',
    at: NonNullable<Extract<Unmodelled, { kind: 'part' }>['at']>,
  ) => {
    const name = lists.get(id)?.name;
    building.findings.push({
      kind: 'part',
      what: `${id} (prefix list${name === undefined ? '' : ` ${name}`})`,
      because: 'its entries are not in the snapshot (get-managed-prefix-list-entries, describe-prefix-lists)',
      effect,
      at,
    });
  };
  for (const { peer, groupId, isEgress } of building.rows.list('security-group-rule'))
    if (peer.kind === 'prefix-list' && !isTold(peer.prefixListId))
      note(peer.prefixListId, 'may-open', { groupIds: [groupId], direction: isEgress ? 'egress' : 'ingress' });
  for (const { id, routes } of building.rows.list('route-table'))
    for (const { destination } of routes)
      if (destination.kind === 'prefix-list' && !isTold(destination.prefixListId))
        note(destination.prefixListId, 'both', { routeTableIds: [id] });
}
