// A network with one thing less, again and again: what remains of a disagreement when nothing can be taken away. fast-check shrinks what was drawn; this takes away
// what every drawn network has.

import type { NetworkInterface, Snapshot, Vpc } from '@postern/network/snapshot.ts';
import type { Sender } from './flows-of.ts';

/** Every network that is one thing smaller, the largest steps first. The sender stays. */
export function* smaller(snapshot: Snapshot, sender: Sender): Generator<Snapshot> {
  const isSender = (card: NetworkInterface) =>
    sender.kind !== 'laptop' && card.networkInterfaceId === sender.networkInterfaceId;
  for (const vpc of snapshot.vpcs) if (!vpc.networkInterfaces.some(isSender)) yield withoutVpc(snapshot, vpc);
  for (const each of snapshot.peeringConnections) yield withoutPeering(snapshot, each.vpcPeeringConnectionId);
  yield* smallerTransit(snapshot);
  for (const [index, vpc] of snapshot.vpcs.entries())
    for (const less of smallerVpcs(vpc, isSender))
      yield { ...snapshot, vpcs: snapshot.vpcs.map((each, at) => (at === index ? less : each)) };
}

function withoutVpc(snapshot: Snapshot, { vpcId }: Vpc): Snapshot {
  const isOfIt = ({ requester, accepter }: Snapshot['peeringConnections'][number]) =>
    requester.vpcId === vpcId || accepter.vpcId === vpcId;
  const gone = snapshot.peeringConnections.filter(isOfIt);
  const less = gone.reduce((all, each) => withoutPeering(all, each.vpcPeeringConnectionId), snapshot);
  return {
    ...less,
    vpcs: less.vpcs.filter((each) => each.vpcId !== vpcId),
    transitGateways: less.transitGateways.map((gateway) => ({
      ...gateway,
      attachments: gateway.attachments.filter((each) => each.vpcId !== vpcId),
    })),
  };
}

function* smallerTransit(snapshot: Snapshot): Generator<Snapshot> {
  for (const gateway of snapshot.transitGateways) {
    yield {
      ...snapshot,
      transitGateways: snapshot.transitGateways.filter((each) => each !== gateway),
      vpcs: snapshot.vpcs.map((vpc) => ({
        ...withRoutes(vpc, ({ target }) => target.kind !== 'transit-gateway'),
        networkInterfaces: vpc.networkInterfaces.filter((each) => each.service?.kind !== 'transit-gateway'),
      })),
    };
    for (const table of gateway.routeTables)
      for (const route of table.routes) {
        const less = { ...table, routes: table.routes.filter((each) => each !== route) };
        const routeTables = gateway.routeTables.map((each) => (each === table ? less : each));
        yield {
          ...snapshot,
          transitGateways: snapshot.transitGateways.map((each) =>
            each === gateway ? { ...gateway, routeTables } : each,
          ),
        };
      }
  }
}

function withoutPeering(snapshot: Snapshot, id: string): Snapshot {
  return {
    ...snapshot,
    peeringConnections: snapshot.peeringConnections.filter((each) => each.vpcPeeringConnectionId !== id),
    vpcs: snapshot.vpcs.map((vpc) =>
      withRoutes(vpc, ({ target }) => target.kind !== 'peering-connection' || target.vpcPeeringConnectionId !== id),
    ),
  };
}

type Route = Vpc['routeTables'][number]['routes'][number];

function withRoutes(vpc: Vpc, stays: (route: Route) => boolean): Vpc {
  return {
    ...vpc,
    routeTables: vpc.routeTables.map((each) => ({ ...each, routes: each.routes.filter(stays) })),
  };
}

function* smallerVpcs(vpc: Vpc, isSender: (card: NetworkInterface) => boolean): Generator<Vpc> {
  if (vpc.ipv6CidrBlocks.length > 0) yield withoutIpv6(vpc);
  for (const card of vpc.networkInterfaces)
    if (!isSender(card) && card.service?.kind !== 'transit-gateway') yield withoutInterface(vpc, card);
  for (const { subnetId } of vpc.subnets) {
    const isUsed = vpc.networkInterfaces.some((card) => card.subnetId === subnetId);
    if (!isUsed) yield { ...vpc, subnets: vpc.subnets.filter((each) => each.subnetId !== subnetId) };
  }
  for (const { vpcEndpointId } of vpc.gatewayEndpoints) {
    const less = withRoutes(
      vpc,
      ({ target }) => target.kind !== 'gateway-endpoint' || target.vpcEndpointId !== vpcEndpointId,
    );
    yield { ...less, gatewayEndpoints: vpc.gatewayEndpoints.filter((each) => each.vpcEndpointId !== vpcEndpointId) };
  }
  for (const { routeTableId } of vpc.routeTables) {
    const isUsed =
      vpc.gatewayRouteTableId === routeTableId || vpc.subnets.some((each) => each.routeTableId === routeTableId);
    if (!isUsed) yield { ...vpc, routeTables: vpc.routeTables.filter((each) => each.routeTableId !== routeTableId) };
  }
  for (const { groupId } of vpc.securityGroups) {
    const isUsed = vpc.networkInterfaces.some((card) => card.groupIds.includes(groupId));
    if (!isUsed) yield { ...vpc, securityGroups: vpc.securityGroups.filter((each) => each.groupId !== groupId) };
  }
  for (const { networkAclId } of vpc.networkAcls) {
    const isUsed = vpc.subnets.some((each) => each.networkAclId === networkAclId);
    if (!isUsed) yield { ...vpc, networkAcls: vpc.networkAcls.filter((each) => each.networkAclId !== networkAclId) };
  }
  for (const table of vpc.routeTables)
    for (const route of table.routes)
      if (route.target.kind !== 'local') yield withRoutes(vpc, (each) => each !== route);
  for (const direction of ['ingress', 'egress'] as const) {
    for (const acl of vpc.networkAcls)
      for (const entry of acl[direction])
        yield {
          ...vpc,
          networkAcls: vpc.networkAcls.map((each) =>
            each === acl ? { ...acl, [direction]: acl[direction].filter((one) => one !== entry) } : each,
          ),
        };
    for (const group of vpc.securityGroups)
      for (const rule of group[direction])
        yield {
          ...vpc,
          securityGroups: vpc.securityGroups.map((each) =>
            each === group ? { ...group, [direction]: group[direction].filter((one) => one !== rule) } : each,
          ),
        };
  }
}

function withoutIpv6(vpc: Vpc): Vpc {
  const four = withRoutes(vpc, ({ destination }) => destination.kind !== 'cidr' || !destination.cidr.includes(':'));
  return {
    ...four,
    ipv6CidrBlocks: [],
    egressOnlyInternetGatewayIds: [],
    subnets: vpc.subnets.map(({ ipv6CidrBlock: _none, ...each }) => each),
    networkInterfaces: vpc.networkInterfaces.map((each) => ({ ...each, ipv6Addresses: [] })),
    networkAcls: vpc.networkAcls.map((acl) => ({
      ...acl,
      ingress: acl.ingress.filter((each) => !each.cidr.includes(':')),
      egress: acl.egress.filter((each) => !each.cidr.includes(':')),
    })),
  };
}

/** With the service behind it and the routes to it. */
function withoutInterface(vpc: Vpc, { networkInterfaceId: id, attachment, service }: NetworkInterface): Vpc {
  const nat = service?.kind === 'nat-gateway' ? service.natGatewayId : undefined;
  const less = withRoutes(vpc, ({ target }) => {
    if (target.kind === 'network-interface') return target.networkInterfaceId !== id;
    return target.kind !== 'nat-gateway' || target.natGatewayId !== nat;
  });
  const networkInterfaces = vpc.networkInterfaces.filter((each) => each.networkInterfaceId !== id);
  const isLast = !networkInterfaces.some((each) => each.attachment?.instanceId === attachment?.instanceId);
  return {
    ...less,
    networkInterfaces,
    instances: isLast ? vpc.instances.filter((each) => each.instanceId !== attachment?.instanceId) : vpc.instances,
    natGateways: vpc.natGateways.filter((each) => each.natGatewayId !== nat),
    interfaceEndpoints: vpc.interfaceEndpoints.flatMap((each) => {
      const ids = each.networkInterfaceIds.filter((one) => one !== id);
      return ids.length === 0 ? [] : [{ ...each, networkInterfaceIds: ids }];
    }),
    instanceConnectEndpoints: vpc.instanceConnectEndpoints.filter((each) => each.networkInterfaceId !== id),
    networkLoadBalancers: vpc.networkLoadBalancers.flatMap((each) => {
      const nodes = each.nodes.filter((one) => one.networkInterfaceId !== id);
      return nodes.length === 0 ? [] : [{ ...each, nodes }];
    }),
  };
}
