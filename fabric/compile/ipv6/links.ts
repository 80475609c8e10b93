// Links, addresses and routes of a VPC's IPv6 half. The same marks, table numbers and kernel rules as IPv4's (vpc-links.ts): the kernel keeps the two families'
// tables apart, as AWS's route tables do (R1).

import type { Cidr, Route, RouteTable } from '@postern/network/snapshot.ts';
import { numberOf } from '../allocation.ts';
import type { KernelRoute, Link, NamespaceState, Neighbour, PolicyRule } from '../host-state.ts';
import {
  coreEgressOnlyDevice,
  egressOnlyDevice,
  igwDevice,
  macAddress,
  mark,
  mtu,
  nextHop6,
  routerAddress6,
  table,
} from '../names.ts';
import { natGatewayOf } from '../nat-gateways.ts';
import { peeringNeighbours } from '../peering.ts';
import type { VpcContext } from '../vpc-context.ts';
import { destinationsOf, tableOf } from '../vpc-links.ts';
import { type Ipv6Context, ipv6Context } from './context.ts';
import { serviceWiring } from './services.ts';

export type Ipv6Wiring = Pick<NamespaceState, 'links' | 'addresses' | 'neighbours' | 'routes' | 'rules'>;

const nothing: Ipv6Wiring = { links: [], addresses: [], neighbours: [], routes: [], rules: [] };

export function compileIpv6Wiring(context: VpcContext): Ipv6Wiring {
  const ipv6 = ipv6Context(context);
  if (ipv6 === undefined) return nothing;
  const services = serviceWiring(context);
  return {
    links: compileLinks(ipv6),
    // Each interface has the router at its other end: a neighbour solicitation is answered only for an address of the link it came by.
    addresses: ipv6.plugged.map((each) => ({ address: routerAddress6, device: each.device })),
    neighbours: [...compileNeighbours(ipv6), ...services.neighbours],
    routes: [...compileRoutes(ipv6), ...services.routes],
    rules: [...services.rules, ...compileRules(ipv6)],
  };
}

function compileLinks({ context, hasEgressOnly }: Ipv6Context): Link[] {
  const [first] = context.vpc.egressOnlyInternetGatewayIds;
  if (!hasEgressOnly || first === undefined) return [];
  const { number } = context;
  return [
    {
      name: egressOnlyDevice,
      macAddress: macAddress('eigw', number),
      mtu: mtu.igw,
      // A VPC may have several; they do the same and share the link.
      alias: first,
      peer: { name: coreEgressOnlyDevice(number), macAddress: macAddress('core-eigw', number), processId: 'core' },
    },
  ];
}

/** Permanent ones, also for a middlebox or a NAT gateway: what is routed to one is sent to its link, whatever addresses it has. */
function compileNeighbours({ context, plugged, boxes, natGateways, outside, peerings }: Ipv6Context): Neighbour[] {
  const towardsCore = outside.map((device) => ({
    address: nextHop6,
    macAddress: macAddress(device === igwDevice ? 'core-igw' : 'core-eigw', context.number),
    device,
  }));
  return [
    ...towardsCore,
    ...peeringNeighbours(peerings, nextHop6),
    ...[...boxes, ...natGateways].map(({ eni, device }) => ({ address: nextHop6, macAddress: eni.macAddress, device })),
    ...plugged.flatMap(({ eni, device }) =>
      eni.ipv6Addresses.map((address) => ({ address, macAddress: eni.macAddress, device })),
    ),
  ];
}

function compileRules({ context, outside }: Ipv6Context): PolicyRule[] {
  const family = 'ip6';
  return [
    ...(outside.length === 0 ? [] : [{ family, preference: 101, mark: mark.toIgw, table: table.toIgw } as const]),
    ...context.subnets.map((subnet) => {
      const subnetMark = numberOf(context.allocation.subnets, subnet.subnetId);
      return {
        family,
        preference: 1000 + subnetMark,
        mark: subnetMark,
        table: tableOf(context, subnet),
      } as const;
    }),
    { family, preference: 2_000_000, table: table.interfaces },
  ];
}

function compileRoutes(ipv6: Ipv6Context): KernelRoute[] {
  const { context, plugged, outside } = ipv6;
  const [first] = outside;
  return [
    { table: table.interfaces, destination: '::/0', kind: 'blackhole' },
    // What the router itself answers to the outside: resets.
    ...(first === undefined ? [] : [byNextHop(table.toIgw, '::/0', first)]),
    ...plugged.flatMap(({ eni, device }) =>
      eni.ipv6Addresses.map(
        (address): KernelRoute => ({
          table: table.interfaces,
          destination: `${address}/128`,
          kind: 'unicast',
          device,
        }),
      ),
    ),
    ...[...new Map(context.subnets.map((subnet) => [tableOf(context, subnet), subnet.routeTableId]))].flatMap(
      ([number, routeTableId]) => {
        const routeTable = context.routeTables.get(routeTableId);
        return routeTable === undefined ? [] : compileRouteTable(ipv6, number, routeTable);
      },
    ),
  ];
}

function compileRouteTable(ipv6: Ipv6Context, number: number, routeTable: RouteTable): KernelRoute[] {
  const { context } = ipv6;
  const byDestination = new Map<Cidr, KernelRoute>();
  // A static route wins over a prefix list's entry of the same length (R2): written last.
  const isList = ({ destination }: Route) => destination.kind === 'prefix-list';
  for (const route of [...routeTable.routes].sort((a, b) => Number(isList(b)) - Number(isList(a)))) {
    for (const destination of destinationsOf(context, route, 'ip6'))
      byDestination.set(destination, compileRoute(ipv6, number, destination, route));
  }
  return [...byDestination.values()];
}

function compileRoute(
  { context, boxes, natGateways, plugged, peerings }: Ipv6Context,
  number: number,
  destination: Cidr,
  route: Route,
) {
  const blackhole: KernelRoute = { table: number, destination, kind: 'blackhole' };
  if (route.state === 'blackhole') return blackhole;
  const { target } = route;
  switch (target.kind) {
    case 'local':
      return { table: number, destination, kind: 'throw' } satisfies KernelRoute;
    case 'internet-gateway':
      return context.vpc.internetGatewayId === target.internetGatewayId
        ? byNextHop(number, destination, igwDevice)
        : blackhole;
    case 'egress-only-internet-gateway':
      return context.vpc.egressOnlyInternetGatewayIds.includes(target.egressOnlyInternetGatewayId)
        ? byNextHop(number, destination, egressOnlyDevice)
        : blackhole;
    case 'network-interface': {
      const isTarget = (each: (typeof plugged)[number]) => each.eni.networkInterfaceId === target.networkInterfaceId;
      const box = boxes.find(isTarget);
      if (box !== undefined) return byNextHop(number, destination, box.device);
      // One that is checked takes what is for itself and nothing else (R15): the filter says so.
      const own = plugged.find(isTarget);
      const [address] = own?.eni.ipv6Addresses ?? [];
      return own === undefined || address === undefined
        ? blackhole
        : byNextHop(number, destination, own.device, address);
    }
    case 'peering-connection': {
      const peering = peerings.find((each) => each.vpcPeeringConnectionId === target.vpcPeeringConnectionId);
      return peering === undefined ? blackhole : byNextHop(number, destination, peering.device);
    }
    case 'nat-gateway': {
      const gateway = natGateways.find(({ eni }) => natGatewayOf(eni) === target.natGatewayId);
      return gateway === undefined ? blackhole : byNextHop(number, destination, gateway.device);
    }
    case 'transit-gateway':
    case 'gateway-endpoint':
      return blackhole;
  }
}

function byNextHop(tableNumber: number, destination: Cidr, device: string, via: string = nextHop6): KernelRoute {
  return { table: tableNumber, destination, kind: 'unicast', device, via };
}
