// Routes: create, replace, delete. Rules R3–R7, R10. https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_CreateRoute.html (read 2026-11-21).
// Order of CreateRoute's checks: the table, the destination, the target, the destination against the VPC's own blocks, duplicate, quota.
// Gap: every target but an internet gateway, an egress-only one, an instance and an interface is refused by name.

import type {
  CreateRouteRequest,
  CreateRouteResult,
  DeleteRouteRequest,
  ReplaceRouteRequest,
} from '@aws-sdk/client-ec2';
import { contains, isIpv6Cidr, normalizeCidr } from '@postern/network/cidr.ts';
import { normalizeIpv6Cidr } from '@postern/network/ipv6.ts';
import type { Cidr } from '@postern/network/snapshot.ts';
import { type Call, type Operation, operation } from '../../service.ts';
import type { RouteRow, RouteTableRow } from '../../store/rows/ec2.ts';
import { checkEdgeRoute, edgeGatewayOf } from './edge-route-tables.ts';
import {
  ec2Error,
  invalidCombination,
  invalidParameterValue,
  isWellFormedId,
  missingParameter,
  notACidr,
  notFound,
  unsupportedOperation,
} from './errors.ts';
import { requireCustomerPrefixList, requirePrefixList } from './prefix-list-lookup.ts';
import { enforceQuota } from './quotas.ts';
import { findRow, requireRow, scopeOf } from './rows.ts';
import { requireAttachedGateway } from './transit-gateway-rows.ts';
import { requirePeering, stateOf } from './vpc-peering-rows.ts';

type Destination = RouteRow['destination'];
type Target = RouteRow['target'];

interface DestinationInput {
  readonly DestinationCidrBlock?: string | undefined;
  readonly DestinationIpv6CidrBlock?: string | undefined;
  readonly DestinationPrefixListId?: string | undefined;
}

/** R5: link-local AWS services are not routable by anyone. */
const linkLocalServices: readonly Cidr[] = ['169.254.168.0/22', 'fd00:ec2::/32'];

const textOf = (destination: Destination): string =>
  destination.kind === 'cidr' ? destination.cidr : destination.prefixListId;

function destinationOf(call: Call, input: DestinationInput): Destination {
  const names = ['DestinationCidrBlock', 'DestinationIpv6CidrBlock', 'DestinationPrefixListId'] as const;
  const given = names.filter((name) => input[name]);
  if (given.length === 0)
    throw missingParameter('destinationCidrBlock or destinationIpv6CidrBlock or destinationPrefixListId');
  if (given.length > 1)
    throw invalidCombination(
      'The request must contain exactly one of destinationCidrBlock, destinationIpv6CidrBlock or destinationPrefixListId',
    );
  if (input.DestinationPrefixListId) {
    const list = requirePrefixList(call, input.DestinationPrefixListId);
    return { kind: 'prefix-list', prefixListId: list.id };
  }
  if (input.DestinationIpv6CidrBlock) {
    const ipv6Cidr = normalizeIpv6Cidr(input.DestinationIpv6CidrBlock);
    if (!ipv6Cidr) throw notACidr(input.DestinationIpv6CidrBlock, 'destinationIpv6CidrBlock');
    return { kind: 'cidr', cidr: ipv6Cidr };
  }
  const text = input.DestinationCidrBlock ?? '';
  const cidr = normalizeCidr(text);
  if (!cidr) throw notACidr(text, 'destinationCidrBlock');
  return { kind: 'cidr', cidr };
}

function same(a: Destination, b: Destination): boolean {
  return a.kind === b.kind && textOf(a) === textOf(b);
}

/** What a route can point to. `refused`: AWS has it, Postern does not carry it yet. */
const targetParameters = {
  GatewayId: gatewayTarget,
  InstanceId: instanceTarget,
  NetworkInterfaceId: interfaceTarget,
  VpcEndpointId: endpointTarget,
  NatGatewayId: natGatewayTarget,
  VpcPeeringConnectionId: peeringTarget,
  TransitGatewayId: transitTarget,
  EgressOnlyInternetGatewayId: egressOnlyTarget,
  LocalGatewayId: 'refused',
  CarrierGatewayId: 'refused',
  CoreNetworkArn: 'refused',
  OdbNetworkArn: 'refused',
} as const satisfies Partial<
  Record<keyof CreateRouteRequest, 'refused' | ((call: Call, table: RouteTableRow, id: string) => Target)>
>;

const targetNames = Object.keys(targetParameters) as (keyof typeof targetParameters)[];

function targetOf(call: Call, table: RouteTableRow, input: CreateRouteRequest): Target {
  const [name, ...more] = targetNames.filter((one) => input[one]);
  if (name === undefined)
    throw missingParameter(
      'gatewayId or natGatewayId or networkInterfaceId or vpcPeeringConnectionId or instanceId or transitGatewayId or vpcEndpointId',
    );
  if (more.length > 0) {
    const given = [name, ...more].join(', ');
    throw invalidCombination(`The request must contain exactly one target; these were given: ${given}`);
  }
  const make = targetParameters[name];
  if (make === 'refused') throw unsupportedOperation(`The route target ${name} (${input[name]})`);
  return make(call, table, input[name] ?? '');
}

function gatewayTarget(call: Call, table: RouteTableRow, id: string): Target {
  if (id === 'local')
    throw invalidParameterValue('A local route cannot be created; use ReplaceRoute with LocalTarget.');
  if (id.startsWith('vpce-')) return endpointTarget(call, table, id);
  if (id.startsWith('vgw-')) throw unsupportedOperation(`The route target GatewayId (${id})`);
  const gateway = isWellFormedId('internet-gateway', id) ? findRow(call, 'internet-gateway', id) : undefined;
  if (!gateway) throw ec2Error('InvalidGatewayID.NotFound', `The gateway ID '${id}' does not exist`);
  if (gateway.vpcId !== table.vpcId)
    throw invalidParameterValue(`route table ${table.id} and network gateway ${id} belong to different networks`);
  return { kind: 'internet-gateway', internetGatewayId: gateway.id };
}

/** P11: a route may be made before the other side accepts, and is a blackhole until then. */
function peeringTarget(call: Call, table: RouteTableRow, id: string): Target {
  const row = requirePeering(call, id);
  const state = stateOf(row, call.now);
  if (state !== 'active' && state !== 'pending-acceptance') throw notFound('vpc-peering-connection', [id]);
  if (row.requester.vpcId !== table.vpcId && row.accepter.vpcId !== table.vpcId)
    throw invalidParameterValue(`route table ${table.id} and network gateway ${id} belong to different networks`);
  return { kind: 'peering-connection', vpcPeeringConnectionId: row.id };
}

function transitTarget(call: Call, table: RouteTableRow, id: string): Target {
  return { kind: 'transit-gateway', transitGatewayId: requireAttachedGateway(call, id, table.vpcId).id };
}

function egressOnlyTarget(call: Call, table: RouteTableRow, id: string): Target {
  const kind = 'egress-only-internet-gateway';
  const gateway = isWellFormedId(kind, id) ? findRow(call, kind, id) : undefined;
  if (!gateway) throw ec2Error('InvalidGatewayID.NotFound', `The eigw ID '${id}' does not exist`);
  if (gateway.vpcId !== table.vpcId)
    throw invalidParameterValue(`route table ${table.id} and network gateway ${id} belong to different networks`);
  return { kind, egressOnlyInternetGatewayId: gateway.id };
}

function natGatewayTarget(call: Call, table: RouteTableRow, id: string): Target {
  const row = isWellFormedId('nat-gateway', id) ? findRow(call, 'nat-gateway', id) : undefined;
  if (!row || row.state === 'deleted')
    throw ec2Error('InvalidNatGatewayID.NotFound', `The natGateway ID '${id}' does not exist`);
  if (row.vpcId !== table.vpcId)
    throw invalidParameterValue(`route table ${table.id} and NAT gateway ${id} belong to different networks`);
  return { kind: 'nat-gateway', natGatewayId: row.id };
}

function endpointTarget(_call: Call, _table: RouteTableRow, id: string): never {
  throw ec2Error(
    'RouteNotSupported',
    `Route table contains unsupported route target: ${id}. VPC Endpoints of this type cannot be used as route targets.`,
  );
}

function interfaceTarget(call: Call, table: RouteTableRow, id: string): Target {
  const row = requireRow(call, 'network-interface', id);
  if (row.vpcId !== table.vpcId)
    throw invalidParameterValue(`route table ${table.id} and interface ${id} belong to different networks`);
  const instanceId = row.attachment?.instanceId;
  return { kind: 'network-interface', networkInterfaceId: row.id, ...(instanceId && { instanceId }) };
}

function instanceTarget(call: Call, table: RouteTableRow, id: string): Target {
  const instance = requireRow(call, 'instance', id);
  const own = call.tx
    .list('network-interface', scopeOf(call))
    .filter((row) => row.attachment?.instanceId === instance.id);
  const [only] = own;
  if (!only) throw notFound('instance', [id]);
  if (own.length > 1)
    throw ec2Error(
      'InvalidInstanceID',
      `There are multiple interfaces attached to instance '${id}'. Please specify an interface ID for the operation instead.`,
    );
  if (only.vpcId !== table.vpcId)
    throw invalidParameterValue(`route table ${table.id} and instance ${id} belong to different networks`);
  return interfaceTarget(call, table, only.id);
}

/** 4.4: an egress-only gateway takes IPv6 alone, and a transit gateway, here, IPv4. A NAT gateway takes both, and of IPv6 it carries what NAT64 can (G13). */
function checkFamily(call: Call, destination: Destination, target: Target): void {
  if (target.kind !== 'egress-only-internet-gateway' && target.kind !== 'transit-gateway') return;
  const isIpv6 =
    destination.kind === 'cidr'
      ? isIpv6Cidr(destination.cidr)
      : requirePrefixList(call, destination.prefixListId).addressFamily === 'IPv6';
  if (target.kind === 'transit-gateway') {
    if (isIpv6) throw unsupportedOperation('An IPv6 route to a transit gateway');
    return;
  }
  if (!isIpv6)
    throw invalidParameterValue(
      `The destination ${textOf(destination)} is not an IPv6 one. An egress-only internet gateway can be the target of IPv6 routes only.`,
    );
}

/** R4, R5. */
function checkDestination(call: Call, table: RouteTableRow, destination: Destination, target: Target): void {
  checkFamily(call, destination, target);
  if (destination.kind !== 'cidr') return;
  const { cidr } = destination;
  const reserved = linkLocalServices.find((block) => contains(block, cidr));
  if (reserved)
    throw invalidParameterValue(
      `The destination CIDR block ${cidr} is within the reserved link-local range ${reserved}.`,
    );
  const vpc = call.tx.get('vpc', table.vpcId);
  const blocks = [...(vpc?.cidrBlocks ?? []), ...(vpc?.ipv6CidrBlocks ?? [])];
  if (!blocks.some((block) => contains(block.cidr, cidr))) return;
  const isSubnet = () =>
    call.tx
      .list('subnet', scopeOf(call))
      .some((row) => row.vpcId === table.vpcId && (row.cidrBlock === cidr || row.ipv6CidrBlock?.cidr === cidr));
  const isBlock = blocks.some((block) => block.cidr === cidr);
  if (target.kind !== 'network-interface' && target.kind !== 'nat-gateway')
    throw invalidParameterValue(
      `The destination CIDR block ${cidr} is equal to or more specific than one of this VPC's CIDR blocks. This route can target only an interface or an instance.`,
    );
  if (!isBlock && !isSubnet())
    throw invalidParameterValue(
      `The destination CIDR block ${cidr} is more specific than one of this VPC's CIDR blocks and does not match the CIDR block of a subnet.`,
    );
}

function checkFree(table: RouteTableRow, destination: Destination): void {
  if (!table.routes.some((route) => same(route.destination, destination))) return;
  throw ec2Error(
    'RouteAlreadyExists',
    destination.kind === 'cidr'
      ? `The route identified by ${destination.cidr} already exists.`
      : `route table ${table.id} already has a route with destination-prefix-list-id ${destination.prefixListId}`,
  );
}

function createRoute(call: Call, input: CreateRouteRequest): void {
  const table = requireRow(call, 'route-table', input.RouteTableId, 'routeTableId');
  const destination = destinationOf(call, input);
  if (destination.kind === 'prefix-list') requireCustomerPrefixList(call, destination.prefixListId);
  const target = targetOf(call, table, input);
  checkDestination(call, table, destination, target);
  if (edgeGatewayOf(table)) checkEdgeRoute(call, table, { destination, target });
  checkFree(table, destination);
  enforceQuota(call, 'routesPerRouteTable', () => table.routes.length);
  call.tx.put('route-table', { ...table, routes: [...table.routes, { destination, target, origin: 'CreateRoute' }] });
}

function replaceRoute(call: Call, input: ReplaceRouteRequest): void {
  const table = requireRow(call, 'route-table', input.RouteTableId, 'routeTableId');
  const destination = destinationOf(call, input);
  const old = table.routes.find((route) => same(route.destination, destination));
  if (!old)
    throw invalidParameterValue(
      `There is no route defined for '${textOf(destination)}' in the route table. Use CreateRoute instead.`,
    );
  if (old.target.kind === 'gateway-endpoint')
    throw invalidParameterValue(`cannot replace VPC endpoint route ${textOf(destination)} in route table ${table.id}`);
  const isLocal = old.origin === 'CreateRouteTable';
  const toLocal = input.LocalTarget === true || input.GatewayId === 'local';
  if (toLocal && !isLocal)
    throw invalidParameterValue(`The route ${textOf(destination)} is not a local route of route table ${table.id}.`);
  const target: Target = toLocal ? { kind: 'local' } : targetOf(call, table, input);
  if (!toLocal) checkDestination(call, table, destination, target);
  if (edgeGatewayOf(table)) checkEdgeRoute(call, table, { destination, target });
  call.tx.put('route-table', {
    ...table,
    routes: table.routes.map((route) => (route === old ? { ...route, target } : route)),
  });
}

function deleteRoute(call: Call, input: DeleteRouteRequest): void {
  const table = requireRow(call, 'route-table', input.RouteTableId, 'routeTableId');
  const destination = destinationOf(call, input);
  const old = table.routes.find((route) => same(route.destination, destination));
  if (!old) {
    const ofCidr =
      destination.kind === 'cidr' && isIpv6Cidr(destination.cidr)
        ? 'destination-ipv6-cidr-block'
        : 'destination-cidr-block';
    const name = destination.kind === 'cidr' ? ofCidr : 'destination-prefix-list-id';
    throw ec2Error('InvalidRoute.NotFound', `no route with ${name} ${textOf(destination)} in route table ${table.id}`);
  }
  if (old.target.kind === 'gateway-endpoint')
    throw invalidParameterValue(`cannot remove VPC endpoint route ${textOf(destination)} in route table ${table.id}`);
  if (old.origin === 'CreateRouteTable')
    throw invalidParameterValue(`cannot remove local route ${textOf(destination)} in route table ${table.id}`);
  call.tx.put('route-table', { ...table, routes: table.routes.filter((route) => route !== old) });
}

export const routes = {
  CreateRoute: operation<CreateRouteRequest, CreateRouteResult>({
    authorize: 'auto',
    run: (call, input) => {
      createRoute(call, input);
      return { Return: true };
    },
  }),

  ReplaceRoute: operation<ReplaceRouteRequest, Record<string, never>>({
    authorize: 'auto',
    run: (call, input) => {
      replaceRoute(call, input);
      return {};
    },
  }),

  DeleteRoute: operation<DeleteRouteRequest, Record<string, never>>({
    authorize: 'auto',
    run: (call, input) => {
      deleteRoute(call, input);
      return {};
    },
  }),
} satisfies Record<string, Operation>;
