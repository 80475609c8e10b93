// VPCs, subnets, route tables, network ACLs, DHCP options and prefix lists: from AWS's answers to rows.

import { contains, isIpv6Cidr } from '@postern/network/cidr.ts';
import type { Cidr, PrefixListId, RouteTableId, SubnetId, VpcId } from '@postern/network/snapshot.ts';
import type { NetworkAclEntryRow, RouteRow } from '../store/rows/ec2.ts';
import { type Building, regionOfZone } from './building.ts';
import { subjectOf } from './files.ts';
import { ImportError, type Item } from './item.ts';

export function readVpcs(building: Building): void {
  const zones = new Map(
    building.list('Subnets', 'SubnetId').map(({ item }) => [item.text('VpcId'), item.optionalText('AvailabilityZone')]),
  );
  const attributes = vpcAttributes(building);
  const withNames = vpcsWithNames(building);
  for (const { item, region } of building.list('Vpcs', 'VpcId')) {
    const id = item.text('VpcId') as VpcId;
    const owner = {
      accountId: item.optionalText('OwnerId') ?? '',
      region: regionOfZone(zones.get(id)) ?? region ?? 'us-east-1',
    };
    building.own(id, owner);
    const blocks = associated(item.list('CidrBlockAssociationSet'), 'CidrBlock', 'CidrBlockState');
    const own = item.optionalText('CidrBlock') as Cidr | undefined;
    const cidrBlocks = blocks.length > 0 || own === undefined ? blocks : [{ associationId: '', cidr: own }];
    const ipv6 = associated(item.list('Ipv6CidrBlockAssociationSet'), 'Ipv6CidrBlock', 'Ipv6CidrBlockState');
    const known = attributes.get(id);
    building.rows.putKnown('vpc', {
      ...owner,
      id,
      // The primary one is the VPC's own CidrBlock; AWS does not say that it comes first in the list.
      cidrBlocks: [...cidrBlocks.filter(({ cidr }) => cidr === own), ...cidrBlocks.filter(({ cidr }) => cidr !== own)],
      ...(ipv6.length > 0 && { ipv6CidrBlocks: ipv6 }),
      isDefault: item.flag('IsDefault'),
      enableDnsSupport: known?.support ?? true,
      enableDnsHostnames: known?.hostnames ?? (withNames.has(id) || item.flag('IsDefault')),
      dhcpOptionsId: item.optionalText('DhcpOptionsId') ?? 'default',
      tags: item.tags(),
    });
  }
}

/**
 * VPCs that give host names, by what shows it: a public address has a name only there, and private DNS needs it (D1, X5). Where nothing shows it, a VPC is as AWS
 * makes it: the default VPC gives names, others do not, and all resolve them.
 */
function vpcsWithNames(building: Building): ReadonlySet<string> {
  const named = building
    .list('NetworkInterfaces', 'NetworkInterfaceId')
    .filter(({ item }) => item.item('Association')?.optionalText('PublicDnsName'));
  const withDns = building.list('VpcEndpoints', 'VpcEndpointId').filter(({ item }) => item.flag('PrivateDnsEnabled'));
  return new Set([...named, ...withDns].map(({ item }) => item.text('VpcId')));
}

/** describe-vpc-attribute has one attribute of one VPC in each answer. */
function vpcAttributes({ answers }: Building): ReadonlyMap<string, { support?: boolean; hostnames?: boolean }> {
  const found = new Map<string, { support?: boolean; hostnames?: boolean }>();
  const flagOf = (field: unknown) =>
    typeof field === 'object' && field !== null && 'Value' in field && typeof field.Value === 'boolean'
      ? field.Value
      : undefined;
  for (const { fields } of answers) {
    const vpcId = fields['VpcId'];
    const support = flagOf(fields['EnableDnsSupport']);
    const hostnames = flagOf(fields['EnableDnsHostnames']);
    if (typeof vpcId !== 'string' || (support === undefined && hostnames === undefined)) continue;
    found.set(vpcId, {
      ...found.get(vpcId),
      ...(support !== undefined && { support }),
      ...(hostnames !== undefined && { hostnames }),
    });
  }
  return found;
}

function associated(items: readonly Item[], block: string, state: string): { associationId: string; cidr: Cidr }[] {
  return items
    .filter((each) => (each.item(state)?.optionalText('State') ?? 'associated') === 'associated')
    .map((each) => ({ associationId: each.optionalText('AssociationId') ?? '', cidr: each.text(block) as Cidr }));
}

export function readSubnets(building: Building): void {
  for (const { item } of building.list('Subnets', 'SubnetId')) {
    const id = item.text('SubnetId') as SubnetId;
    const vpcId = item.text('VpcId') as VpcId;
    const cidrBlock = item.optionalText('CidrBlock') as Cidr | undefined;
    if (cidrBlock === undefined) {
      building.part(`${id} (subnet of IPv6 alone)`, 'subnets of IPv6 alone are not modelled', 'both', [vpcId]);
      continue;
    }
    const [ipv6CidrBlock] = associated(item.list('Ipv6CidrBlockAssociationSet'), 'Ipv6CidrBlock', 'Ipv6CidrBlockState');
    if (item.has('OutpostArn'))
      building.part(`${id} (subnet on an Outpost)`, 'Outposts are not modelled', 'both', [vpcId]);
    building.rows.putKnown('subnet', {
      ...building.ownerOf(vpcId),
      id,
      vpcId,
      cidrBlock,
      ...(ipv6CidrBlock && { ipv6CidrBlock }),
      ...(item.flag('EnableDns64') && { enableDns64: true }),
      availabilityZone: item.text('AvailabilityZone'),
      tags: item.tags(),
    });
  }
}

/** Where a route leads, in the members of a route that name it; `null` where Postern has no such target. */
const targetMembers = [
  ['NatGatewayId', (id: string) => ({ kind: 'nat-gateway', natGatewayId: id as `nat-${string}` })],
  ['VpcPeeringConnectionId', (id: string) => ({ kind: 'peering-connection', vpcPeeringConnectionId: id as `pcx-${string}` })],
  ['EgressOnlyInternetGatewayId', (id: string) => ({ kind: 'egress-only-internet-gateway', egressOnlyInternetGatewayId: id as `eigw-${string}` })],
  ['NetworkInterfaceId', (id: string) => ({ kind: 'network-interface', networkInterfaceId: id as `eni-${string}` })],
  ['TransitGatewayId', null], ['CarrierGatewayId', null], ['LocalGatewayId', null], ['CoreNetworkArn', null], ['OdbNetworkArn', null], ['InstanceId', null],
] as const satisfies readonly (readonly [string, ((id: string) => RouteRow['target']) | null])[]; // biome-ignore format: a table

/** What AWS said of a route, by table and destination; the Snapshot's own finding is held against it. */
export type ToldStates = ReadonlyMap<
  string,
  { readonly state: string; readonly target: string; readonly isModelled: boolean }
>;

export const toldKey = (routeTableId: string, destination: string) => `${routeTableId} ${destination}`;

/** @returns what AWS told of each route */
export function readRouteTables(building: Building): ToldStates {
  const told = new Map<string, { state: string; target: string; isModelled: boolean }>();
  const gatewayEndpoints = new Set(
    building
      .list('VpcEndpoints', 'VpcEndpointId')
      .flatMap(({ item }) =>
        item.optionalText('VpcEndpointType') === 'Gateway' || !item.has('VpcEndpointType')
          ? [item.text('VpcEndpointId')]
          : [],
      ),
  );
  for (const { item } of building.list('RouteTables', 'RouteTableId')) {
    const id = item.text('RouteTableId') as RouteTableId;
    const vpcId = item.text('VpcId') as VpcId;
    const routes = item.list('Routes').map((route): RouteRow => {
      const { target, isModelled, name } = targetOf(route, gatewayEndpoints);
      const destination = destinationOf(route);
      const text = destination.kind === 'cidr' ? destination.cidr : destination.prefixListId;
      told.set(toldKey(id, text), { state: route.optionalText('State') ?? 'active', target: name, isModelled });
      return { destination, target, origin: 'CreateRoute' };
    });
    const associations = item.list('Associations').flatMap((each) => {
      if ((each.item('AssociationState')?.optionalText('State') ?? 'associated') !== 'associated') return [];
      const gatewayId = each.optionalText('GatewayId');
      if (gatewayId !== undefined && !gatewayId.startsWith('igw-')) {
        building.part(
          `${id} (edge route table of ${gatewayId})`,
          'edge route tables of internet gateways alone are modelled',
          'both',
          [vpcId],
        );
        return [];
      }
      const subnetId = each.optionalText('SubnetId') as SubnetId | undefined;
      return [
        {
          associationId: each.optionalText('RouteTableAssociationId') ?? '',
          main: each.flag('Main'),
          ...(subnetId && { subnetId }),
          ...(gatewayId && { gatewayId: gatewayId as `igw-${string}` }),
        },
      ];
    });
    building.rows.put('route-table', {
      ...building.ownerOf(vpcId),
      id,
      vpcId,
      routes,
      associations,
      tags: item.tags(),
    });
  }
  return told;
}

function destinationOf(route: Item): RouteRow['destination'] {
  const list = route.optionalText('DestinationPrefixListId');
  if (list !== undefined) return { kind: 'prefix-list', prefixListId: list as PrefixListId };
  const cidr = route.optionalText('DestinationCidrBlock') ?? route.optionalText('DestinationIpv6CidrBlock');
  if (cidr === undefined) throw new ImportError(`${route.where} has no destination`);
  return { kind: 'cidr', cidr: cidr as Cidr };
}

/**
 * What is not modelled leads to an interface that does not exist, so it is a blackhole, and longest prefix decides as it would (R9): a route to a transit
 * gateway must not fall through to the wider one to the internet.
 */
function targetOf(
  route: Item,
  gatewayEndpoints: ReadonlySet<string>,
): { target: RouteRow['target']; isModelled: boolean; name: string } {
  const nowhere = (name: string) => ({
    target: { kind: 'network-interface' as const, networkInterfaceId: name as `eni-${string}` },
    isModelled: false,
    name,
  });
  const gateway = route.optionalText('GatewayId');
  if (gateway === 'local') return { target: { kind: 'local' }, isModelled: true, name: gateway };
  if (gateway?.startsWith('igw-'))
    return {
      target: { kind: 'internet-gateway', internetGatewayId: gateway as `igw-${string}` },
      isModelled: true,
      name: gateway,
    };
  if (gateway !== undefined && gatewayEndpoints.has(gateway))
    return {
      target: { kind: 'gateway-endpoint', vpcEndpointId: gateway as `vpce-${string}` },
      isModelled: true,
      name: gateway,
    };
  if (gateway !== undefined) return nowhere(gateway);
  for (const [member, make] of targetMembers) {
    const id = route.optionalText(member);
    if (id === undefined) continue;
    return make === null ? nowhere(id) : { target: make(id), isModelled: true, name: id };
  }
  return nowhere(route.names().find((name) => !/^Destination|^Origin$|^State$/.test(name)) ?? 'nothing');
}

/** A wildcard's rule number; IPv6 has one of its own. */
const finalRules: ReadonlySet<number> = new Set([32_767, 32_768]);

export function readNetworkAcls(building: Building): void {
  for (const { item } of building.list('NetworkAcls', 'NetworkAclId')) {
    const vpcId = item.text('VpcId') as VpcId;
    const entries = item.list('Entries').flatMap((entry): NetworkAclEntryRow[] => {
      const ruleNumber = entry.number('RuleNumber') ?? 0;
      if (finalRules.has(ruleNumber)) return [];
      const cidrBlock = entry.optionalText('CidrBlock') as Cidr | undefined;
      const ipv6CidrBlock = entry.optionalText('Ipv6CidrBlock') as Cidr | undefined;
      const range = entry.item('PortRange');
      const icmp = entry.item('IcmpTypeCode');
      const protocol = Number(entry.text('Protocol'));
      const hasPorts = protocol === 6 || protocol === 17;
      return [
        {
          ruleNumber,
          egress: entry.flag('Egress'),
          protocol,
          action: entry.text('RuleAction') === 'allow' ? 'allow' : 'deny',
          ...(cidrBlock && { cidrBlock }),
          ...(ipv6CidrBlock && { ipv6CidrBlock }),
          ...(hasPorts &&
            range && { portRange: { from: range.number('From') ?? 0, to: range.number('To') ?? 65_535 } }),
          ...((protocol === 1 || protocol === 58) &&
            icmp && { icmp: { type: icmp.number('Type') ?? -1, code: icmp.number('Code') ?? -1 } }),
        },
      ];
    });
    building.rows.put('network-acl', {
      ...building.ownerOf(vpcId),
      id: item.text('NetworkAclId') as `acl-${string}`,
      vpcId,
      isDefault: item.flag('IsDefault'),
      entries,
      associations: item.list('Associations').map((each) => ({
        associationId: each.optionalText('NetworkAclAssociationId') ?? '',
        subnetId: each.text('SubnetId') as SubnetId,
      })),
      tags: item.tags(),
    });
  }
}

export function readDhcpOptions(building: Building): void {
  for (const { item } of building.list('DhcpOptions', 'DhcpOptionsId')) {
    building.rows.put('dhcp-options', {
      ...building.ownerOf(undefined, item),
      id: item.text('DhcpOptionsId'),
      configurations: item.list('DhcpConfigurations').map((each) => ({
        key: each.text('Key'),
        values: each.list('Values').map((value) => value.text('Value')),
      })),
      tags: item.tags(),
    });
  }
}

export interface ReadPrefixList {
  readonly name: string;
  /** Undefined: no answer tells them. */
  readonly cidrs?: readonly Cidr[];
}

/** AWS's own (describe-prefix-lists) and customers' (describe-managed-prefix-lists with their entries). */
export function readPrefixLists(building: Building): ReadonlyMap<PrefixListId, ReadPrefixList> {
  const lists = new Map<PrefixListId, ReadPrefixList>();
  const entries = new Map<string, Cidr[]>();
  for (const { file, fields } of building.answers) {
    if (!Array.isArray(fields['Entries'])) continue;
    const id = /pl-[0-9a-z]+/.exec(subjectOf(file))?.[0];
    if (id === undefined)
      throw new ImportError(
        `${file} has the entries of a prefix list; call it as the list, e.g. pl-0123456789abcdef0.json`,
      );
    const own = (fields['Entries'] as { Cidr?: unknown }[]).map(({ Cidr: cidr }) => String(cidr) as Cidr);
    entries.set(id, [...(entries.get(id) ?? []), ...own]);
  }
  // describe-prefix-lists and describe-managed-prefix-lists call their lists the same, and both may be there.
  for (const { item } of building.list('PrefixLists')) {
    const id = item.text('PrefixListId') as PrefixListId;
    const told = item.has('Cidrs') ? (item.texts('Cidrs') as Cidr[]) : entries.get(id);
    const cidrs = told ?? lists.get(id)?.cidrs;
    const name = item.text('PrefixListName');
    const before = lists.get(id);
    if (before !== undefined && before.name !== name)
      building.part(
        `${id} (prefix list)`,
        `two Regions have one of this id, ${before.name} and ${name}: check one Region at a time`,
        'both',
      );
    lists.set(id, { name, ...(cidrs && { cidrs }) });
  }
  for (const [id, cidrs] of entries)
    if (!lists.has(id as PrefixListId)) lists.set(id as PrefixListId, { name: id, cidrs });
  return lists;
}

/** Whether two destinations have addresses in common; a prefix list's are those that are told. */
export function overlapsAny(destinations: readonly Cidr[], blocks: readonly Cidr[]): boolean {
  return destinations.some((each) =>
    blocks.some((block) => isIpv6Cidr(each) === isIpv6Cidr(block) && (contains(each, block) || contains(block, each))),
  );
}
