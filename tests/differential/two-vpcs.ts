// Random networks of two VPCs, for the property tests that do not take all constructs yet (those of topology.ts), as fast-check arbitraries.
// Every construct that the fabric carries can occur, and so can what people get wrong: blackholes, missing routes, odd port ranges, ACLs in any order,
// groups that name one another, no gateway at all.

import type {
  Cidr,
  InterfaceEndpoint,
  NatGateway,
  NetworkAcl,
  NetworkInterface,
  PeeringConnection,
  Route,
  RouteTable,
  SecurityGroup,
  SecurityGroupRule,
  Snapshot,
  Subnet,
  Vpc,
} from '@postern/network/snapshot.ts';
import fc from 'fast-check';
import {
  aclEntry,
  cidrPeer,
  eni,
  everywhere,
  group,
  groupPeer,
  local,
  rule,
  s3List,
  table,
  vpc,
} from '../flows/snapshots.ts';

/** The machines that the kernel half has; each is on one interface. */
export const machines = ['a', 'b', 'c', 'd'] as const;
export type MachineName = (typeof machines)[number];

/** What is drawn at random. Numbers are places in the tables below, so that shrinking leads to the plainest network. */
interface Drawn {
  readonly vpcs: readonly DrawnVpc[];
  readonly placing: readonly DrawnMachine[];
  readonly isPeered: boolean;
}

interface DrawnVpc {
  readonly hasGateway: boolean;
  readonly subnets: readonly { readonly table: number; readonly acl: number }[];
  readonly tables: readonly (readonly number[])[];
  readonly acls: readonly { readonly ingress: readonly DrawnEntry[]; readonly egress: readonly DrawnEntry[] }[];
  readonly groups: readonly { readonly ingress: readonly DrawnRule[]; readonly egress: readonly DrawnRule[] }[];
  readonly nat: 'none' | 'public' | 'private';
  readonly hasGatewayEndpoint: boolean;
  readonly hasInterfaceEndpoint: boolean;
}

interface DrawnEntry {
  readonly action: 'allow' | 'deny';
  readonly protocol: number;
  readonly ports: number;
  readonly peer: number;
}

interface DrawnRule {
  readonly protocol: number;
  readonly ports: number;
  readonly peer: number;
}

interface DrawnMachine {
  readonly vpc: number;
  readonly subnet: number;
  readonly groups: readonly number[];
  readonly isPublic: boolean;
  readonly isChecked: boolean;
}

// The first of each is the plainest.
const protocolChoices = [-1, 6, 17, 1];
const portChoices: readonly (readonly [number, number])[] = [[0, 65_535], [22, 22], [80, 80], [20, 79], [1024, 65_535], [80, 443]]; // biome-ignore format: a table
const cidrChoices: readonly Cidr[] = ['0.0.0.0/0', '10.0.0.0/16', '10.0.0.0/24', '10.0.1.0/24', '10.1.0.0/16', '203.0.113.0/24', '198.18.1.0/26', '10.0.0.8/29']; // biome-ignore format: a table

const mostly = <T>(usual: T, ...others: readonly T[]) =>
  fc.oneof({ weight: 3, arbitrary: fc.constant(usual) }, { weight: 2, arbitrary: fc.constantFrom(usual, ...others) });
const drawnRule = fc.record({ protocol: fc.nat(3), ports: fc.nat(5), peer: fc.nat(10) });
const openRule = fc.constant({ protocol: 0, ports: 0, peer: 0 });
const drawnEntry = fc.record({
  action: mostly<'allow' | 'deny'>('allow', 'deny'),
  protocol: fc.nat(3),
  ports: fc.nat(5),
  peer: fc.nat(7),
});
const openEntry = fc.constant({ action: 'allow' as const, protocol: 0, ports: 0, peer: 0 });
const rules = fc.oneof(
  fc.array(drawnRule, { maxLength: 3 }),
  fc.tuple(openRule).map((one) => [...one]),
);
const entries = fc.oneof(fc.array(drawnEntry, { maxLength: 4 }), fc.tuple(drawnEntry, openEntry).map((two) => [...two]), fc.tuple(openEntry).map((one) => [...one])); // biome-ignore format: one value

/**
 * Most networks work, so that the one thing that is wrong decides: a flow with two obstacles shows neither. A table begins with what makes its subnets public
 * (0), private behind a NAT gateway (1) or isolated (2), then come routes at random.
 */
const beginnings: readonly (readonly number[])[] = [[0, 3], [2, 3], [3]];
const drawnTable = (usual: number) =>
  fc
    .tuple(mostly(usual, 0, 1, 2), fc.array(fc.nat(11), { maxLength: 2 }), fc.boolean())
    .map(([beginning, others, isFirst]) => {
      const first = beginnings[beginning] ?? [];
      return isFirst ? [...first, ...others] : [...others, ...first];
    });
const drawnSubnet = (usual: number) => fc.record({ table: mostly(usual, 0, 1, 2), acl: mostly(2, 2, 0, 1) });

const drawnVpc: fc.Arbitrary<DrawnVpc> = fc.record({
  hasGateway: mostly(true, true, true, false),
  subnets: fc.tuple(drawnSubnet(0), drawnSubnet(1), drawnSubnet(0)),
  tables: fc.tuple(drawnTable(0), drawnTable(1), drawnTable(2)),
  acls: fc.array(fc.record({ ingress: entries, egress: entries }), { minLength: 2, maxLength: 2 }),
  groups: fc.array(fc.record({ ingress: rules, egress: rules }), { minLength: 3, maxLength: 3 }),
  nat: mostly<DrawnVpc['nat']>('public', 'private', 'none'),
  hasGatewayEndpoint: fc.boolean(),
  hasInterfaceEndpoint: fc.boolean(),
});

const drawnMachine: fc.Arbitrary<DrawnMachine> = fc.record({
  vpc: mostly(0, 1),
  subnet: fc.nat(1),
  groups: fc.oneof(
    { weight: 3, arbitrary: fc.constant([3]) },
    { weight: 2, arbitrary: fc.uniqueArray(fc.nat(2), { minLength: 1, maxLength: 2 }) },
  ),
  isPublic: fc.boolean(),
  isChecked: mostly(true, true, true, false),
});

/** Which constructs may occur. */
export interface Constructs {
  readonly nat: boolean;
  readonly peering: boolean;
  readonly interfaceEndpoints: boolean;
  readonly middleboxes: boolean;
}

export function topologies(constructs: Constructs): fc.Arbitrary<Snapshot> {
  return fc
    .record({
      vpcs: fc.array(drawnVpc, { minLength: 2, maxLength: 2 }),
      placing: fc.array(drawnMachine, { minLength: machines.length, maxLength: machines.length }),
      isPeered: fc.boolean(),
    })
    .map((drawn) => toSnapshot(drawn, constructs));
}

function toSnapshot(drawn: Drawn, constructs: Constructs): Snapshot {
  const isPeered = drawn.isPeered && constructs.peering;
  const peeringConnections: PeeringConnection[] = isPeered
    ? [{ vpcPeeringConnectionId: 'pcx-1', requester: side('vpc-0'), accepter: side('vpc-1') }]
    : [];
  const vpcs = drawn.vpcs.map((each, index) => toVpc(each, index, drawn.placing, isPeered, constructs));
  return { revision: ++revision, vpcs, peeringConnections, prefixLists: [s3List] };
}

let revision = 0;
const side = (vpcId: `vpc-${string}`) => ({ vpcId, allowDnsResolutionFromRemoteVpc: false });

function toVpc(
  drawn: DrawnVpc,
  index: number,
  placing: readonly DrawnMachine[],
  isPeered: boolean,
  constructs: Constructs,
): Vpc {
  // Without peering both VPCs have the same block: overlapping is no matter then (C5).
  const block = isPeered ? index : 0;
  const name = (kind: string, number: number | string) => `${kind}-${index}${number}`;
  const igw = `igw-${index}` as const;
  const networkInterfaces: NetworkInterface[] = placing.flatMap((machine, place) => {
    if (machine.vpc !== index) return [];
    const letter = machines[place] ?? 'a';
    const groupIds = machine.groups.map((number) => (number > 2 ? openGroup(index).groupId : groupId(index, number)));
    return [
      eni(letter, name('', machine.subnet).slice(1), `10.${block}.${machine.subnet}.${10 + place}`, {
        groupIds,
        sourceDestCheck: machine.isChecked || !constructs.middleboxes,
        ...(machine.isPublic && { publicAddress: `198.19.0.${10 + place}` }),
      }),
    ];
  });
  const firstMachine = networkInterfaces[0]?.networkInterfaceId;
  const subnets: Subnet[] = drawn.subnets.map((each, number) => ({
    subnetId: name('subnet', number) as `subnet-${string}`,
    cidrBlock: `10.${block}.${number}.0/24`,
    availabilityZone: 'us-east-1a',
    routeTableId: name('rtb', each.table) as `rtb-${string}`,
    networkAclId: name('acl', each.acl) as `acl-${string}`,
  }));
  const natGateways: NatGateway[] = [];
  if (constructs.nat && drawn.nat !== 'none') {
    const natGatewayId = `nat-${index}` as const;
    networkInterfaces.push({
      ...eni(`nat${index}`, name('', 2).slice(1), `10.${block}.2.200`, {
        groupIds: [],
        ...(drawn.nat === 'public' && { publicAddress: `198.19.0.${200 + index}` }),
      }),
      sourceDestCheck: false,
      service: { kind: 'nat-gateway', natGatewayId },
    });
    natGateways.push({ natGatewayId, connectivityType: drawn.nat, networkInterfaceId: `eni-nat${index}` });
  }
  const interfaceEndpoints: InterfaceEndpoint[] = [];
  if (constructs.interfaceEndpoints && drawn.hasInterfaceEndpoint) {
    const vpcEndpointId = `vpce-if${index}` as const;
    networkInterfaces.push({
      ...eni(`if${index}`, name('', 2).slice(1), `10.${block}.2.210`, {
        groupIds: [drawn.hasGatewayEndpoint ? openGroup(index).groupId : groupId(index, 0)],
      }),
      service: { kind: 'vpc-endpoint', vpcEndpointId },
    });
    interfaceEndpoints.push({
      vpcEndpointId,
      service: 'sts',
      serviceRegion: 'us-east-1',
      networkInterfaceIds: [`eni-if${index}`],
      dnsNames: [],
      privateDnsNames: [],
    });
  }
  const cards = networkInterfaces.map((card) => {
    if (card.service === undefined) return card;
    const { attachment: _none, ...rest } = card;
    return rest;
  });
  const vpcEndpointId = `vpce-s3${index}` as const;
  const routeTables: RouteTable[] = drawn.tables.map((routes, number) =>
    table(name('rtb', number) as `rtb-${string}`, local(`10.${block}.0.0/16`), ...routesOf(routes)),
  );

  /** Routes by number, at most one per destination: as the API would have it. */
  function routesOf(numbers: readonly number[]): Route[] {
    const choices: (Route | undefined)[] = [
      drawn.hasGateway ? to('0.0.0.0/0', { kind: 'internet-gateway', internetGatewayId: igw }) : undefined,
      drawn.hasGatewayEndpoint
        ? { destination: { kind: 'prefix-list', prefixListId: 'pl-s3' }, target: { kind: 'gateway-endpoint', vpcEndpointId }, state: 'active' }
        : undefined,
      natGateways.length > 0 ? to('0.0.0.0/0', { kind: 'nat-gateway', natGatewayId: `nat-${index}` }) : undefined,
      isPeered ? to(`10.${1 - block}.0.0/16`, { kind: 'peering-connection', vpcPeeringConnectionId: 'pcx-1' }) : undefined,
      isPeered ? to('0.0.0.0/0', { kind: 'peering-connection', vpcPeeringConnectionId: 'pcx-1' }) : undefined,
      { ...to('198.51.100.0/24', { kind: 'internet-gateway', internetGatewayId: igw }), state: 'blackhole' },
      drawn.hasGateway ? to('198.51.100.128/25', { kind: 'internet-gateway', internetGatewayId: igw }) : undefined,
      drawn.hasGateway ? to('198.18.1.0/26', { kind: 'internet-gateway', internetGatewayId: igw }) : undefined,
      natGateways.length > 0 ? to('198.18.0.0/16', { kind: 'nat-gateway', natGatewayId: `nat-${index}` }) : undefined,
      { ...to('203.0.113.0/25', { kind: 'internet-gateway', internetGatewayId: igw }), state: 'blackhole' },
      constructs.middleboxes && firstMachine !== undefined ? to('198.51.100.64/26', { kind: 'network-interface', networkInterfaceId: firstMachine }) : undefined,
      isPeered ? to(`10.${1 - block}.0.0/24`, { kind: 'peering-connection', vpcPeeringConnectionId: 'pcx-1' }) : undefined,
    ]; // biome-ignore format: a table
    const byDestination = new Map<string, Route>();
    for (const number of numbers) {
      const route = choices[number];
      if (route === undefined) continue;
      const key = JSON.stringify(route.destination);
      if (!byDestination.has(key)) byDestination.set(key, route);
    }
    return [...byDestination.values()];
  }

  return vpc({
    vpcId: `vpc-${index}`,
    cidrBlocks: [`10.${block}.0.0/16`],
    ...(drawn.hasGateway && { internetGatewayId: igw }),
    subnets,
    routeTables,
    networkAcls: [
      ...drawn.acls.map((acl, number) => toAcl(name('acl', number) as `acl-${string}`, acl)),
      openAclOf(name('acl', 2) as `acl-${string}`),
    ],
    securityGroups: [...drawn.groups.map((each, number) => toGroup(index, number, each, isPeered)), openGroup(index)],
    networkInterfaces: cards,
    gatewayEndpoints: drawn.hasGatewayEndpoint ? [{ vpcEndpointId, service: 's3', prefixListId: 'pl-s3' }] : [],
    interfaceEndpoints,
    natGateways,
  });
}

function to(cidr: Cidr, target: Route['target']): Route {
  return { destination: { kind: 'cidr', cidr }, target, state: 'active' };
}

const groupId = (index: number, number: number) => `sg-${index}${number}` as const;
const openGroup = (index: number): SecurityGroup =>
  group(`sg-${index}open`, [rule(-1, undefined, everywhere)], [rule(-1, undefined, everywhere)]);

function openAclOf(networkAclId: `acl-${string}`): NetworkAcl {
  return { networkAclId, ingress: [aclEntry(100, 'allow')], egress: [aclEntry(100, 'allow')] };
}

function toAcl(networkAclId: `acl-${string}`, drawn: DrawnVpc['acls'][number]): NetworkAcl {
  const side = (list: readonly DrawnEntry[]) =>
    list.map((entry, index) => {
      const protocol = protocolChoices[entry.protocol] ?? -1;
      const [from, last] = portChoices[entry.ports] ?? [0, 65_535];
      return aclEntry(10 * (index + 1), entry.action, {
        protocol,
        cidr: cidrChoices[entry.peer] ?? '0.0.0.0/0',
        ...((protocol === 6 || protocol === 17) && { ports: { from, to: last } }),
        ...(protocol === 1 && { icmp: { type: -1, code: -1 } }),
      });
    });
  return { networkAclId, ingress: side(drawn.ingress), egress: side(drawn.egress) };
}

function toGroup(index: number, number: number, drawn: DrawnVpc['groups'][number], isPeered: boolean): SecurityGroup {
  const one = (each: DrawnRule): SecurityGroupRule => {
    const protocol = protocolChoices[each.protocol] ?? -1;
    const ports = protocol === 6 || protocol === 17 ? (portChoices[each.ports] ?? [0, 65_535]) : undefined;
    const other = isPeered ? 1 - index : index;
    const peer =
      each.peer < cidrChoices.length
        ? cidrPeer(cidrChoices[each.peer] ?? '0.0.0.0/0')
        : each.peer === 8
          ? groupPeer(groupId(index, (number + 1) % 3))
          : each.peer === 9
            ? groupPeer(groupId(other, number))
            : ({ kind: 'prefix-list', prefixListId: 'pl-s3' } as const);
    return rule(protocol, ports, peer, protocol === 1 ? { type: each.ports === 1 ? 8 : -1, code: -1 } : undefined);
  };
  return group(groupId(index, number), drawn.ingress.map(one), drawn.egress.map(one));
}
