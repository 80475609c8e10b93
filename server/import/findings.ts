// What of a real account the Snapshot does not have, and which answers that could change. An assertion that depends on any of it is unknown, never green.

import type { Unmodelled } from '@postern/check/estate.ts';
import type { Cidr, PrefixListId, RouteTableId, Snapshot, VpcId } from '@postern/network/snapshot.ts';
import { envelope, harmless, modelled, unmodelled } from './answers.ts';
import type { Building } from './building.ts';
import { Item } from './item.ts';
import { type ReadPrefixList, type ToldStates, toldKey } from './vpc-rows.ts';

/** What AWS says of routes, held against what follows from the rest of the snapshot. @returns the Snapshot with the blackholes that AWS knows of */
export function holdAgainstTold(building: Building, snapshot: Snapshot, told: ToldStates): Snapshot {
  const roads = new Map<string, { routeTableId: RouteTableId; destinations: Cidr[] }[]>();
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
        if (!said.isModelled || elsewhere.has(said.target)) {
          const destinations =
            destination.kind === 'cidr' ? [destination.cidr] : (listed.get(destination.prefixListId) ?? []);
          roads.set(said.target, [
            ...(roads.get(said.target) ?? []),
            { routeTableId: table.routeTableId, destinations: [...destinations] },
          ]);
        } else if (route.state === 'blackhole')
          building.part(
            `${said.target} (target of a route of ${table.routeTableId})`,
            `AWS says that the route to ${text} is active, and nothing in the snapshot makes it so: is an answer missing?`,
            'both',
            [vpc.vpcId],
          );
        return route;
      }),
    })),
  }));
  for (const [target, routes] of roads) building.findings.push(road(target, elsewhere.has(target), routes));
  return { ...snapshot, vpcs };
}

const roadNouns: readonly (readonly [RegExp, string])[] = [
  [/^tgw-/, 'transit gateway'], [/^vgw-/, 'virtual private gateway'], [/^vpce-/, 'Gateway Load Balancer endpoint'], [/^cagw-/, 'carrier gateway'],
  [/^lgw-/, 'local gateway'], [/core-network/, 'Cloud WAN core network'], [/^pcx-/, 'peering with a VPC that is not in the snapshot'], [/^i-/, 'instance'],
]; // biome-ignore format: a table

function road(
  target: string,
  isElsewhere: boolean,
  routes: Extract<Unmodelled, { kind: 'road' }>['routes'],
): Unmodelled {
  const noun = roadNouns.find(([form]) => form.test(target))?.[1] ?? 'no target that Postern knows';
  const because = isElsewhere ? 'what is on the other side is not known' : 'where it leads is not modelled';
  return { kind: 'road', what: `${target} (${noun})`, because, routes };
}

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
  const what = `${item.optionalText(row.id) ?? item.where} (${row.noun})`;
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

function noteLists(building: Building, lists: ReadonlyMap<PrefixListId, ReadPrefixList>): void {
  const users = new Map<string, Set<VpcId>>();
  const use = (id: string, vpcId: VpcId) => users.set(id, (users.get(id) ?? new Set()).add(vpcId));
  for (const { peer, vpcId } of building.rows.list('security-group-rule'))
    if (peer.kind === 'prefix-list') use(peer.prefixListId, vpcId);
  for (const { routes, vpcId } of building.rows.list('route-table'))
    for (const { destination } of routes) if (destination.kind === 'prefix-list') use(destination.prefixListId, vpcId);
  for (const [id, vpcIds] of users) {
    const list = lists.get(id as PrefixListId);
    if (list?.cidrs !== undefined) continue;
    const name = list === undefined ? 'prefix list' : `prefix list ${list.name}`;
    building.part(
      `${id} (${name})`,
      'its entries are not in the snapshot (get-managed-prefix-list-entries, describe-prefix-lists)',
      'both',
      [...vpcIds],
    );
  }
}
