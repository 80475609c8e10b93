// One change of a network as a value, and what a Snapshot is after it. A row per kind; the AWS calls that make it are the server's affair.

import type {
  Cidr,
  InternetGatewayId,
  Ipv4,
  NetworkAcl,
  NetworkAclEntry,
  NetworkAclId,
  NetworkInterface,
  NetworkInterfaceId,
  PrefixListId,
  Route,
  RouteTableId,
  RouteTarget,
  SecurityGroup,
  SecurityGroupId,
  SecurityGroupRule,
  Snapshot,
  Subnet,
  SubnetId,
  TransitGateway,
  TransitGatewayAttachmentId,
  TransitGatewayRouteTableId,
  Vpc,
  VpcEndpointId,
  VpcId,
} from '../snapshot.ts';

export type GroupRule = Omit<SecurityGroupRule, 'ruleId'>;

export type Change =
  | {
      readonly kind: 'group-rule';
      readonly groupId: SecurityGroupId;
      readonly direction: 'ingress' | 'egress';
      readonly rule: GroupRule;
    }
  | {
      readonly kind: 'acl-entry';
      readonly networkAclId: NetworkAclId;
      readonly direction: 'ingress' | 'egress';
      readonly entry: NetworkAclEntry;
    }
  /** Where no number is free in front of the entry that denies: it and those before it move back by one, into the first gap. */
  | {
      readonly kind: 'acl-shift';
      readonly networkAclId: NetworkAclId;
      readonly direction: 'ingress' | 'egress';
      /** As they are afterwards: the new one and all that moved. */
      readonly entries: readonly NetworkAclEntry[];
    }
  | {
      readonly kind: 'route';
      readonly routeTableId: RouteTableId;
      readonly destination: Cidr;
      readonly target: RouteTarget;
      /** The table has a route for exactly this destination already. */
      readonly replaces: boolean;
    }
  | {
      readonly kind: 'endpoint-route-table';
      readonly vpcEndpointId: VpcEndpointId;
      readonly prefixListId: PrefixListId;
      readonly routeTableId: RouteTableId;
    }
  | {
      readonly kind: 'new-gateway-endpoint';
      readonly vpcId: VpcId;
      /** `s3` or `dynamodb`. */
      readonly service: string;
      readonly prefixListId: PrefixListId;
      readonly routeTableId: RouteTableId;
    }
  | {
      readonly kind: 'transit-gateway-route';
      /** Whose packets it is for. */
      readonly vpcId: VpcId;
      readonly transitGatewayRouteTableId: TransitGatewayRouteTableId;
      readonly destination: Cidr;
      readonly transitGatewayAttachmentId: TransitGatewayAttachmentId;
      /** The table has a static route for exactly this destination already. */
      readonly replaces: boolean;
    }
  | {
      readonly kind: 'transit-gateway-association';
      readonly vpcId: VpcId;
      readonly transitGatewayRouteTableId: TransitGatewayRouteTableId;
      readonly transitGatewayAttachmentId: TransitGatewayAttachmentId;
    }
  | { readonly kind: 'new-internet-gateway'; readonly vpcId: VpcId }
  | { readonly kind: 'elastic-ip'; readonly networkInterfaceId: NetworkInterfaceId; readonly address: Ipv4 }
  | { readonly kind: 'no-source-dest-check'; readonly networkInterfaceId: NetworkInterfaceId }
  | {
      readonly kind: 'public-access-exclusion';
      readonly subnetId: SubnetId;
      readonly mode: 'allow-bidirectional' | 'allow-egress';
      /** The one that the subnet has already: a second is refused. */
      readonly exclusionId?: string;
    }
  | { readonly kind: 'dns-support'; readonly vpcId: VpcId };

/** What does not exist yet has these ids in a Snapshot that is tried. */
export const newEndpointId: VpcEndpointId = 'vpce-new';
export const newInternetGatewayId: InternetGatewayId = 'igw-new';
/** Which Elastic IP AWS would give is not known before: the last address of the pool stands for it. */
export const newElasticIp: Ipv4 = '198.19.255.254';

/** @returns the network as it would be; the given one stays as it is */
export function applyChange(snapshot: Snapshot, change: Change): Snapshot {
  switch (change.kind) {
    case 'group-rule':
      return inVpcs(snapshot, (vpc) => ({
        ...vpc,
        securityGroups: vpc.securityGroups.map((group) =>
          group.groupId === change.groupId ? withRule(group, change) : group,
        ),
      }));
    case 'acl-entry':
    case 'acl-shift':
      return inVpcs(snapshot, (vpc) => ({
        ...vpc,
        networkAcls: vpc.networkAcls.map((acl) =>
          acl.networkAclId === change.networkAclId
            ? withEntries(acl, change.direction, change.kind === 'acl-entry' ? [change.entry] : change.entries)
            : acl,
        ),
      }));
    case 'route': {
      const { destination, target } = change;
      return withRoute(snapshot, change.routeTableId, {
        destination: { kind: 'cidr', cidr: destination },
        target,
        state: 'active',
      });
    }
    case 'transit-gateway-route': {
      const { transitGatewayRouteTableId: id, destination: cidr, transitGatewayAttachmentId } = change;
      return inTransitGateways(snapshot, (gateway) => ({
        ...gateway,
        routeTables: gateway.routeTables.map((table) =>
          table.transitGatewayRouteTableId === id
            ? {
                ...table,
                routes: [...table.routes.filter((each) => each.cidr !== cidr), { cidr, transitGatewayAttachmentId }],
              }
            : table,
        ),
      }));
    }
    case 'transit-gateway-association':
      return inTransitGateways(snapshot, (gateway) => ({
        ...gateway,
        attachments: gateway.attachments.map((each) =>
          each.transitGatewayAttachmentId === change.transitGatewayAttachmentId
            ? { ...each, routeTableId: change.transitGatewayRouteTableId }
            : each,
        ),
      }));
    case 'endpoint-route-table':
      return withRoute(snapshot, change.routeTableId, endpointRoute(change.prefixListId, change.vpcEndpointId));
    case 'new-gateway-endpoint': {
      const { vpcId, service, prefixListId } = change;
      const made = { vpcEndpointId: newEndpointId, service, prefixListId };
      const having = inVpcs(snapshot, (vpc) =>
        vpc.vpcId === vpcId ? { ...vpc, gatewayEndpoints: [...vpc.gatewayEndpoints, made] } : vpc,
      );
      return withRoute(having, change.routeTableId, endpointRoute(prefixListId, newEndpointId));
    }
    case 'new-internet-gateway':
      return inVpcs(snapshot, (vpc) =>
        vpc.vpcId === change.vpcId ? { ...vpc, internetGatewayId: newInternetGatewayId } : vpc,
      );
    case 'elastic-ip':
      return withInterface(snapshot, change.networkInterfaceId, (eni) => ({
        ...eni,
        privateAddresses: eni.privateAddresses.map((own) =>
          own.address === change.address ? { ...own, publicAddress: newElasticIp } : own,
        ),
      }));
    case 'no-source-dest-check':
      return withInterface(snapshot, change.networkInterfaceId, (eni) => ({ ...eni, sourceDestCheck: false }));
    case 'public-access-exclusion':
      return inVpcs(snapshot, (vpc) => ({
        ...vpc,
        subnets: vpc.subnets.map((subnet) =>
          subnet.subnetId === change.subnetId ? excluded(subnet, change.mode) : subnet,
        ),
      }));
    case 'dns-support':
      return inVpcs(snapshot, (vpc) => (vpc.vpcId === change.vpcId ? { ...vpc, enableDnsSupport: true } : vpc));
  }
}

export function applyChanges(snapshot: Snapshot, changes: readonly Change[]): Snapshot {
  return changes.reduce(applyChange, snapshot);
}

function inVpcs(snapshot: Snapshot, change: (vpc: Vpc) => Vpc): Snapshot {
  return { ...snapshot, vpcs: snapshot.vpcs.map(change) };
}

function inTransitGateways(snapshot: Snapshot, change: (gateway: TransitGateway) => TransitGateway): Snapshot {
  return { ...snapshot, transitGateways: snapshot.transitGateways.map(change) };
}

function withInterface(
  snapshot: Snapshot,
  id: NetworkInterfaceId,
  change: (eni: NetworkInterface) => NetworkInterface,
): Snapshot {
  return inVpcs(snapshot, (vpc) => ({
    ...vpc,
    networkInterfaces: vpc.networkInterfaces.map((eni) => (eni.networkInterfaceId === id ? change(eni) : eni)),
  }));
}

function withRule(
  group: SecurityGroup,
  { direction, rule }: { readonly direction: 'ingress' | 'egress'; readonly rule: GroupRule },
): SecurityGroup {
  return { ...group, [direction]: [...group[direction], { ...rule, ruleId: 'sgr-new' }] };
}

function withEntries(
  acl: NetworkAcl,
  direction: 'ingress' | 'egress',
  entries: readonly NetworkAclEntry[],
): NetworkAcl {
  const numbers = new Set(entries.map((each) => each.ruleNumber));
  const kept = acl[direction].filter((each) => !numbers.has(each.ruleNumber));
  return { ...acl, [direction]: [...kept, ...entries].sort((one, other) => one.ruleNumber - other.ruleNumber) };
}

function withRoute(snapshot: Snapshot, routeTableId: RouteTableId, route: Route): Snapshot {
  const isSame = ({ destination }: Route) =>
    destination.kind === 'cidr' && route.destination.kind === 'cidr'
      ? destination.cidr === route.destination.cidr
      : destination.kind === 'prefix-list' &&
        route.destination.kind === 'prefix-list' &&
        destination.prefixListId === route.destination.prefixListId;
  return inVpcs(snapshot, (vpc) => ({
    ...vpc,
    routeTables: vpc.routeTables.map((table) =>
      table.routeTableId === routeTableId
        ? { ...table, routes: [...table.routes.filter((each) => !isSame(each)), route] }
        : table,
    ),
  }));
}

function endpointRoute(prefixListId: PrefixListId, vpcEndpointId: VpcEndpointId): Route {
  return {
    destination: { kind: 'prefix-list', prefixListId },
    target: { kind: 'gateway-endpoint', vpcEndpointId },
    state: 'active',
  };
}

/** Egress that is excluded leaves what ingress-only blocking leaves. */
function excluded(
  { blockPublicAccess: _blocked, ...subnet }: Subnet,
  mode: 'allow-bidirectional' | 'allow-egress',
): Subnet {
  return mode === 'allow-bidirectional' ? subnet : { ...subnet, blockPublicAccess: 'block-ingress' };
}
