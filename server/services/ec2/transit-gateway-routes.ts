// Routes of a transit gateway's route table: create, replace, delete, search. Rules Z5, Z6.
// https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_CreateTransitGatewayRoute.html and API_SearchTransitGatewayRoutes.html (read 2026-11-22).
// Codes are those of a VPC's routes; that they are the same here, and the wordings, have no source. Of a static and a propagated route for one block the one that counts
// is shown. Gaps: IPv6 and prefix lists.

import type {
  CreateTransitGatewayRouteRequest,
  CreateTransitGatewayRouteResult,
  DeleteTransitGatewayRouteRequest,
  DeleteTransitGatewayRouteResult,
  Filter,
  ReplaceTransitGatewayRouteRequest,
  ReplaceTransitGatewayRouteResult,
  SearchTransitGatewayRoutesRequest,
  SearchTransitGatewayRoutesResult,
  TransitGatewayRoute,
} from '@aws-sdk/client-ec2';
import { contains, normalizeCidr } from '@postern/network/cidr.ts';
import type { Cidr } from '@postern/network/snapshot.ts';
import type { TransitRoute } from '@postern/network/transit-routes.ts';
import { transitRoutes } from '../../control/transit-gateways.ts';
import { type Call, type Operation, operation } from '../../service.ts';
import type { TransitGatewayRouteTableRow } from '../../store/rows/transit-gateways.ts';
import { ec2Error, invalidCombination, missingParameter, notACidr, unsupportedOperation } from './errors.ts';
import { applyFilters, type FilterTable } from './filters.ts';
import { paginate } from './pagination.ts';
import { requirePair } from './transit-gateway-route-tables.ts';
import { requireTransit } from './transit-gateway-rows.ts';

const kind = 'transit-gateway-route-table';

function blockOf(text: string | undefined, parameter = 'destinationCidrBlock'): Cidr {
  if (!text) throw missingParameter(parameter);
  if (text.includes(':')) throw unsupportedOperation(`The IPv6 block ${text} in a route of a transit gateway`);
  const cidr = normalizeCidr(text);
  if (!cidr) throw notACidr(text, parameter);
  return cidr;
}

/** Where a static route leads: an attachment of the same gateway, or a blackhole. */
function routeOf(
  call: Call,
  input: CreateTransitGatewayRouteRequest,
): { table: TransitGatewayRouteTableRow; route: TransitGatewayRouteTableRow['routes'][number] } {
  const cidr = blockOf(input.DestinationCidrBlock);
  const { Blackhole, TransitGatewayAttachmentId } = input;
  if (Blackhole && TransitGatewayAttachmentId)
    throw invalidCombination('The request must not contain both blackhole and transitGatewayAttachmentId');
  if (Blackhole) return { table: requireTransit(call, kind, input.TransitGatewayRouteTableId), route: { cidr } };
  const { table, attachment } = requirePair(call, input);
  return { table, route: { cidr, transitGatewayAttachmentId: attachment.id } };
}

function put(call: Call, table: TransitGatewayRouteTableRow, routes: TransitGatewayRouteTableRow['routes']): void {
  call.tx.put(kind, { ...table, routes });
}

const noRoute = (table: TransitGatewayRouteTableRow, cidr: Cidr) =>
  ec2Error('InvalidRoute.NotFound', `no static route with destination-cidr-block ${cidr} in route table ${table.id}`);

/** The route as it counts now. */
function shown(call: Call, id: TransitGatewayRouteTableRow['id'], cidr: Cidr): TransitGatewayRoute | undefined {
  const found = transitRoutes(call.tx, requireTransit(call, kind, id)).find((route) => route.cidr === cidr);
  return found && toRoute(call, found);
}

function toRoute(call: Call, { cidr, type, transitGatewayAttachmentId: id }: TransitRoute): TransitGatewayRoute {
  const attachment = id === undefined ? undefined : call.tx.get('transit-gateway-attachment', id);
  return {
    DestinationCidrBlock: cidr,
    ...(attachment && {
      TransitGatewayAttachments: [
        { ResourceId: attachment.vpcId, TransitGatewayAttachmentId: attachment.id, ResourceType: 'vpc' },
      ],
    }),
    Type: type,
    State: attachment ? 'active' : 'blackhole',
  };
}

const attributes = (call: Call): FilterTable<TransitRoute> => ({
  'attachment.transit-gateway-attachment-id': (route) => route.transitGatewayAttachmentId,
  'attachment.resource-id': ({ transitGatewayAttachmentId: id }) =>
    id && call.tx.get('transit-gateway-attachment', id)?.vpcId,
  'attachment.resource-type': (route) => route.transitGatewayAttachmentId && 'vpc',
  'prefix-list-id': () => undefined,
  state: (route) => (route.transitGatewayAttachmentId ? 'active' : 'blackhole'),
  type: ({ type }) => type,
});

const lengthOf = (cidr: Cidr) => Number(cidr.split('/')[1]);

/** By the block: each keeps of the routes those that fit one of the values. */
const searches: Readonly<Record<string, (routes: readonly TransitRoute[], cidr: Cidr) => readonly TransitRoute[]>> = {
  'route-search.exact-match': (routes, cidr) => routes.filter((route) => route.cidr === cidr),
  'route-search.subnet-of-match': (routes, cidr) => routes.filter((route) => contains(cidr, route.cidr)),
  'route-search.supernet-of-match': (routes, cidr) => routes.filter((route) => contains(route.cidr, cidr)),
  'route-search.longest-prefix-match': (routes, cidr) =>
    routes
      .filter((route) => contains(route.cidr, cidr))
      .sort((a, b) => lengthOf(b.cidr) - lengthOf(a.cidr))
      .slice(0, 1),
};

/** An address stands for itself. */
function soughtBlock(value: string): Cidr {
  return blockOf(value.includes('/') ? value : `${value}/32`, 'filter');
}

function search(call: Call, routes: readonly TransitRoute[], filters: readonly Filter[]): TransitRoute[] {
  let kept = routes;
  for (const { Name = '', Values = [] } of filters) {
    const find = searches[Name];
    if (find === undefined) continue;
    const found = new Set(Values.flatMap((value) => find(kept, soughtBlock(value))));
    kept = kept.filter((route) => found.has(route));
  }
  const others = filters.filter(({ Name = '' }) => searches[Name] === undefined);
  return applyFilters(kept, others, attributes(call), () => undefined);
}

export const transitGatewayRoutes = {
  CreateTransitGatewayRoute: operation<CreateTransitGatewayRouteRequest, CreateTransitGatewayRouteResult>({
    authorize: 'auto',
    run: (call, input) => {
      const { table, route } = routeOf(call, input);
      if (table.routes.some(({ cidr }) => cidr === route.cidr))
        throw ec2Error('RouteAlreadyExists', `The route identified by ${route.cidr} already exists.`);
      put(call, table, [...table.routes, route]);
      const Route = shown(call, table.id, route.cidr);
      return { ...(Route && { Route }) };
    },
  }),

  ReplaceTransitGatewayRoute: operation<ReplaceTransitGatewayRouteRequest, ReplaceTransitGatewayRouteResult>({
    authorize: 'auto',
    run: (call, input) => {
      const { table, route } = routeOf(call, input);
      if (!table.routes.some(({ cidr }) => cidr === route.cidr)) throw noRoute(table, route.cidr);
      put(
        call,
        table,
        table.routes.map((each) => (each.cidr === route.cidr ? route : each)),
      );
      const Route = shown(call, table.id, route.cidr);
      return { ...(Route && { Route }) };
    },
  }),

  DeleteTransitGatewayRoute: operation<DeleteTransitGatewayRouteRequest, DeleteTransitGatewayRouteResult>({
    authorize: 'auto',
    run: (call, input) => {
      const table = requireTransit(call, kind, input.TransitGatewayRouteTableId);
      const cidr = blockOf(input.DestinationCidrBlock);
      const before = shown(call, table.id, cidr);
      if (!table.routes.some((each) => each.cidr === cidr)) throw noRoute(table, cidr);
      put(
        call,
        table,
        table.routes.filter((each) => each.cidr !== cidr),
      );
      return { Route: { ...before, State: 'deleted' } };
    },
  }),

  SearchTransitGatewayRoutes: operation<SearchTransitGatewayRoutesRequest, SearchTransitGatewayRoutesResult>({
    authorize: 'auto',
    readOnly: true,
    run: (call, input) => {
      const table = requireTransit(call, kind, input.TransitGatewayRouteTableId);
      if (!input.Filters?.length) throw missingParameter('Filters');
      const found = search(call, transitRoutes(call.tx, table), input.Filters);
      const bounds = { min: 5, max: 1000 };
      const { page, NextToken } = paginate(found, { MaxResults: 1000, ...input }, bounds, (route) => route.cidr);
      return {
        Routes: page.map((route) => toRoute(call, route)),
        AdditionalRoutesAvailable: NextToken !== undefined,
        ...(NextToken && { NextToken }),
      };
    },
  }),
} satisfies Record<string, Operation>;
