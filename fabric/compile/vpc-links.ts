// Links, addresses and routes of a VPC's router namespace. Longest prefix match stays the kernel's (R1): an AWS route table is a kernel table,
// reached by the mark of the packet's subnet; `local` is a `throw`, after which the table of interfaces answers with one /32 per private address.

import { addressAt } from '@postern/network/cidr.ts';
import type { Cidr, Route, RouteTable, Subnet } from '@postern/network/snapshot.ts';
import { numberOf, subnetTableKey } from './allocation.ts';
import { type Family, familyOf } from './family.ts';
import { preservingInterface } from './filter/instance-connect.ts';
import type { GuestInterface, KernelRoute, Link, LinkEnd, Neighbour, PolicyRule } from './host-state.ts';
import {
  awsDevice,
  coreAwsDevice,
  coreEndpointDevice,
  coreIgwDevice,
  endpointMark,
  igwDevice,
  macAddress,
  mark,
  mtu,
  nextHop,
  table,
} from './names.ts';
import { natGatewayOf } from './nat-gateways.ts';
import { peeringNeighbours } from './peering.ts';
import { doorTo } from './transit-gateways.ts';
import { edgeTable, type PluggedInterface, type VpcContext } from './vpc-context.ts';

export function compileLinks(context: VpcContext): Link[] {
  const { vpc, number } = context;
  const links: Link[] = [
    {
      name: awsDevice,
      macAddress: macAddress('aws', number),
      mtu: mtu.interface,
      alias: vpc.vpcId,
      peer: { name: coreAwsDevice(number), macAddress: macAddress('core-aws', number), processId: 'core' },
    },
  ];
  if (vpc.internetGatewayId !== undefined) {
    links.push({
      name: igwDevice,
      macAddress: macAddress('igw', number),
      mtu: mtu.igw,
      alias: vpc.internetGatewayId,
      peer: { name: coreIgwDevice(number), macAddress: macAddress('core-igw', number), processId: 'core' },
    });
  }
  for (const each of context.endpoints) {
    links.push({
      name: each.device,
      macAddress: macAddress('endpoint', each.number),
      mtu: mtu.endpoint,
      alias: each.endpoint.vpcEndpointId,
      peer: {
        name: coreEndpointDevice(each.number),
        macAddress: macAddress('core-endpoint', each.number),
        processId: 'core',
      },
    });
  }
  for (const each of context.plugged) {
    links.push({
      name: each.device,
      macAddress: macAddress('interface', each.number),
      mtu: each.mtu,
      alias: each.eni.networkInterfaceId,
      peer: each.peer,
    });
  }
  return links;
}

export function compileGuests(context: VpcContext): GuestInterface[] {
  const interfacesOf = new Map<LinkEnd, number>();
  for (const { peer } of context.plugged) interfacesOf.set(peer.processId, (interfacesOf.get(peer.processId) ?? 0) + 1);
  return context.plugged.flatMap(({ eni, subnet, number, peer, deviceIndex }) =>
    deviceIndex === undefined || typeof peer.processId !== 'number'
      ? []
      : [
          {
            networkInterfaceId: eni.networkInterfaceId,
            processId: peer.processId,
            device: peer.name,
            deviceIndex,
            prefixLength: Number(subnet.cidrBlock.split('/')[1]),
            addresses: eni.privateAddresses.map((address) => address.address),
            ipv6Addresses: eni.ipv6Addresses,
            gateway: addressAt(subnet.cidrBlock, 1),
            routerMacAddress: macAddress('interface', number),
            ownTable: (interfacesOf.get(peer.processId) ?? 0) > 1,
          },
        ],
  );
}

/** The router's own addresses: the gateway of each subnet, on `lo`, so that it answers ARP on every interface. */
export function compileAddresses(context: VpcContext): { address: string; device: string }[] {
  return context.subnets.map((subnet) => ({ address: addressAt(subnet.cidrBlock, 1), device: 'lo' }));
}

/** Permanent ones: neither a guest's ARP answers nor its absence move a packet. */
export function compileNeighbours(context: VpcContext): Neighbour[] {
  const towardsCore = [{ device: awsDevice, macAddress: macAddress('core-aws', context.number) }];
  if (context.vpc.internetGatewayId !== undefined)
    towardsCore.push({ device: igwDevice, macAddress: macAddress('core-igw', context.number) });
  for (const each of context.endpoints)
    towardsCore.push({ device: each.device, macAddress: macAddress('core-endpoint', each.number) });
  return [
    ...towardsCore.map((each) => ({ address: nextHop, ...each })),
    ...peeringNeighbours(context.peerings, nextHop),
    ...context.plugged.flatMap((each) =>
      each.eni.privateAddresses.map(({ address }) => ({
        address,
        macAddress: each.eni.macAddress,
        device: each.device,
      })),
    ),
  ];
}

export function compileRules(context: VpcContext): PolicyRule[] {
  return [
    { preference: 100, mark: mark.service, table: table.service },
    { preference: 101, mark: mark.toIgw, table: table.toIgw },
    ...(edgeTable(context) === undefined ? [] : [{ preference: 102, mark: mark.edge, table: table.edge }]),
    ...(preservingInterface(context) === undefined
      ? []
      : [mark.toTunnel, mark.toTunnelInSubnet].map((each, index) => ({
          preference: 103 + index,
          mark: each,
          table: table.toTunnel,
        }))),
    ...context.endpoints.map(({ number }) => ({
      preference: 500_000 + number,
      mark: endpointMark(number),
      table: endpointMark(number),
    })),
    ...context.subnets.map((subnet) => {
      const subnetMark = numberOf(context.allocation.subnets, subnet.subnetId);
      return {
        preference: 1000 + subnetMark,
        mark: subnetMark,
        table: tableOf(context, subnet),
      };
    }),
    { preference: 2_000_000, table: table.interfaces },
  ];
}

export function compileRoutes(context: VpcContext): KernelRoute[] {
  const routes: KernelRoute[] = [
    { table: table.service, destination: '0.0.0.0/0', kind: 'unicast', via: nextHop, device: awsDevice },
    { table: table.interfaces, destination: '0.0.0.0/0', kind: 'blackhole' },
    // Replies to metadata and resolver leave by these, and the router answers ARP for base + 2 because it routes there.
    ...(context.resolver === undefined
      ? []
      : [unicast(table.interfaces, `${context.resolver}/32`, awsDevice, nextHop)]),
  ];
  if (context.vpc.internetGatewayId !== undefined) routes.push(unicast(table.toIgw, '0.0.0.0/0', igwDevice, nextHop));
  const door = preservingInterface(context);
  const doorAddress = door?.eni.privateAddresses[0]?.address;
  if (door !== undefined && doorAddress !== undefined)
    routes.push(unicast(table.toTunnel, '0.0.0.0/0', door.device, doorAddress));
  for (const each of context.endpoints)
    routes.push(unicast(endpointMark(each.number), '0.0.0.0/0', each.device, nextHop));
  for (const each of context.plugged) {
    for (const { address } of each.eni.privateAddresses)
      routes.push(unicast(table.interfaces, `${address}/32`, each.device));
  }
  // A table that leads to a transit gateway is another one in each zone (Z2).
  const zoneOf = new Map(context.subnets.map((subnet) => [tableOf(context, subnet), subnet]));
  for (const [number, { routeTableId, availabilityZone }] of zoneOf) {
    const routeTable = context.routeTables.get(routeTableId);
    if (routeTable !== undefined) routes.push(...compileRouteTable(context, number, routeTable, availabilityZone));
  }
  const edge = edgeTable(context);
  if (edge !== undefined)
    routes.push(
      ...compileRouteTable(
        context,
        table.edge,
        {
          ...edge,
          routes: edge.routes.map((route) =>
            leadsToPublicBox(context, route) ? route : { ...route, state: 'blackhole' },
          ),
        },
        undefined,
      ),
    );
  return routes;
}

/** R14: a middlebox that the internet gateway sends to must have a public address. */
function leadsToPublicBox(context: VpcContext, { target }: Route): boolean {
  if (target.kind !== 'network-interface') return true;
  const box = context.plugged.find(({ eni }) => eni.networkInterfaceId === target.networkInterfaceId);
  return box?.eni.privateAddresses.some(({ publicAddress }) => publicAddress !== undefined) === true;
}

/** The destinations of one family that a route stands for: its CIDR, or what its prefix list holds now. */
export function destinationsOf(context: VpcContext, route: Route, family: Family = 'ip'): readonly Cidr[] {
  const { destination } = route;
  const cidrs =
    destination.kind === 'cidr' ? [destination.cidr] : (context.prefixLists.get(destination.prefixListId) ?? []);
  return cidrs.filter((cidr) => familyOf(cidr) === family);
}

/** The kernel table of a subnet's routes. */
export function tableOf({ allocation, routeTables }: VpcContext, subnet: Subnet): number {
  return numberOf(allocation.tables, subnetTableKey(routeTables.get(subnet.routeTableId), subnet));
}

function compileRouteTable(
  context: VpcContext,
  number: number,
  routeTable: RouteTable,
  zone: string | undefined,
): KernelRoute[] {
  const byDestination = new Map<Cidr, KernelRoute>();
  // A static CIDR route wins over a prefix list's entry of the same length (R2, W3), so those are written last.
  const ordered = routeTable.routes.toSorted((a, b) => rank(a) - rank(b));
  for (const route of ordered) {
    for (const destination of destinationsOf(context, route)) {
      byDestination.set(destination, compileRoute(context, number, destination, route, zone));
    }
  }
  return [...byDestination.values()];
}

function rank(route: Route): number {
  return route.destination.kind === 'prefix-list' ? 0 : 1;
}

function compileRoute(
  context: VpcContext,
  number: number,
  destination: Cidr,
  route: Route,
  zone: string | undefined,
): KernelRoute {
  const blackhole: KernelRoute = { table: number, destination, kind: 'blackhole' };
  if (route.state === 'blackhole') return blackhole;
  const byInterface = (isIt: (each: PluggedInterface) => boolean): KernelRoute => {
    const next = context.plugged.find(isIt);
    const primary = next?.eni.privateAddresses[0];
    return next === undefined || primary === undefined
      ? blackhole
      : unicast(number, destination, next.device, primary.address);
  };
  const { target } = route;
  switch (target.kind) {
    case 'local':
      return { table: number, destination, kind: 'throw' };
    case 'internet-gateway':
      return context.vpc.internetGatewayId === target.internetGatewayId
        ? unicast(number, destination, igwDevice, nextHop)
        : blackhole;
    case 'gateway-endpoint': {
      const endpoint = context.endpoints.find((each) => each.endpoint.vpcEndpointId === target.vpcEndpointId);
      return endpoint === undefined ? blackhole : unicast(number, destination, endpoint.device, nextHop);
    }
    case 'network-interface':
      return byInterface(({ eni }) => eni.networkInterfaceId === target.networkInterfaceId);
    case 'nat-gateway':
      return byInterface(({ eni }) => natGatewayOf(eni) === target.natGatewayId);
    case 'peering-connection': {
      const peering = context.peerings.find((each) => each.vpcPeeringConnectionId === target.vpcPeeringConnectionId);
      return peering === undefined ? blackhole : unicast(number, destination, peering.device, nextHop);
    }
    case 'transit-gateway': {
      const door = zone === undefined ? undefined : doorTo(context, target.transitGatewayId, zone);
      return byInterface((each) => each === door);
    }
    case 'egress-only-internet-gateway':
      return blackhole;
  }
}

function unicast(tableNumber: number, destination: Cidr, device: string, via?: string): KernelRoute {
  return { table: tableNumber, destination, kind: 'unicast', device, ...(via === undefined ? {} : { via }) };
}
