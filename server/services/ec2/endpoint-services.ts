// Which services can an endpoint be made for? Those of the catalogue (network/endpoint-services.ts), in the region of the call. Rules V1, V5, X7.
// A service that Postern does not serve is offered all the same: its endpoint has interfaces and names, and its door says that it is not served.

import type {
  DescribeVpcEndpointServicesRequest,
  DescribeVpcEndpointServicesResult,
  ServiceDetail,
} from '@aws-sdk/client-ec2';
import { type AwsPrefixList, awsPrefixLists } from '@postern/network/aws-prefix-lists.ts';
import {
  dnsSuffixOf,
  type EndpointService,
  type EndpointType,
  endpointDomainOf,
  endpointService,
  endpointServicesOf,
} from '@postern/network/endpoint-services.ts';
import { derivedId } from '../../derived-id.ts';
import { type Call, type Operation, operation } from '../../service.ts';
import { isCustomersName, isPermitted, permittedService } from './customers-services.ts';
import { toServiceConfiguration } from './endpoint-service-configurations.ts';
import { ec2Error, invalidParameter, unsupportedOperation } from './errors.ts';
import { applyFilters, type FilterTable } from './filters.ts';
import { paginate } from './pagination.ts';
import { ec2Arn } from './rows.ts';
import { zonesOf } from './zones.ts';

export const unknownService = (name: string) =>
  ec2Error('InvalidServiceName', `The Vpc Endpoint Service '${name}' does not exist`);

/**
 * The service that a name means, when it has endpoints of that type.
 * @throws InvalidServiceName; InvalidParameter; UnsupportedOperation naming the type
 */
function requireService(call: Call, name: string, type: EndpointType): EndpointService {
  const service = isCustomersName(name) ? customersService(call, name) : endpointServicesOf(call.region).get(name);
  if (!service) throw unknownService(name);
  if (!service.types.includes(type))
    throw invalidParameter(
      `Endpoint type (${type}) does not match available service types ([${service.types.join(', ')}]).`,
    );
  return service;
}

/** One that the caller may use; any other is as if it were not there (Y2). */
function customersService(call: Call, name: string): EndpointService | undefined {
  return permittedService(call, name) && endpointService(name);
}

export function requireGatewayService(call: Call, name: string): AwsPrefixList {
  const { serviceName } = requireService(call, name, 'Gateway');
  const list = awsPrefixLists(call.region).find((one) => one.prefixListName === serviceName);
  if (!list) throw new Error(`${serviceName} has no prefix list`);
  return list;
}

export function requireInterfaceService(call: Call, name: string): EndpointService {
  return requireService(call, name, 'Interface');
}

/** A service is listed once per type. */
interface Offer {
  readonly service: EndpointService;
  readonly type: EndpointType;
  readonly id: string;
}

function offersOf(region: string): Offer[] {
  return [...endpointServicesOf(region).values()].flatMap((service) =>
    service.types.map((type) => ({ service, type, id: derivedId('vpce-svc', region, service.service, type) })),
  );
}

function toDetail(call: Call, { service, type, id }: Offer): ServiceDetail {
  const zones = zonesOf(call.region);
  const isInterface = type === 'Interface';
  const [first] = service.privateDnsNames;
  const publicName = `${service.host}.${call.region}.${dnsSuffixOf(call.region)}`;
  return {
    ServiceName: service.serviceName,
    ServiceId: id,
    ServiceType: [{ ServiceType: type }],
    ServiceRegion: call.region,
    AvailabilityZones: zones.map((zone) => zone.name),
    AvailabilityZoneIds: zones.map((zone) => zone.id),
    Owner: 'amazon',
    BaseEndpointDnsNames: [isInterface ? endpointDomainOf(service) : publicName],
    ...(isInterface &&
      first !== undefined && {
        PrivateDnsName: first,
        PrivateDnsNames: service.privateDnsNames.map((PrivateDnsName) => ({ PrivateDnsName })),
        PrivateDnsNameVerificationState: 'verified' as const,
      }),
    VpcEndpointPolicySupported: service.isPolicySupported,
    AcceptanceRequired: false,
    ManagesVpcEndpoints: false,
    SupportedIpAddressTypes: ['ipv4'],
    Tags: [],
  };
}

/** An entry of the list, of AWS's services and of customers'. */
interface Entry {
  readonly id: string;
  readonly owner: string;
  readonly type: EndpointType;
  readonly detail: ServiceDetail;
}

/** Customers' services that the caller may use, for whom they are listed (Y2). */
function customersEntries(call: Call): Entry[] {
  return call.tx
    .list('vpc-endpoint-service')
    .filter((row) => row.region === call.region && isPermitted(row, call.principal))
    .map((row) => {
      const { AvailabilityZones, AvailabilityZoneIds, BaseEndpointDnsNames, AcceptanceRequired, ServiceName, Tags } =
        toServiceConfiguration(call, row);
      const detail: ServiceDetail = {
        ...{ AvailabilityZones, AvailabilityZoneIds, BaseEndpointDnsNames, AcceptanceRequired, ServiceName, Tags },
        ServiceId: row.id,
        ServiceType: [{ ServiceType: 'Interface' }],
        ServiceRegion: row.region,
        Owner: row.accountId,
        VpcEndpointPolicySupported: false,
        ManagesVpcEndpoints: false,
        SupportedIpAddressTypes: ['ipv4'],
      };
      return { id: row.id, owner: row.accountId, type: 'Interface', detail };
    });
}

function entriesOf(call: Call): Entry[] {
  const offers = offersOf(call.region).map((one): Entry => {
    return { id: one.id, owner: 'amazon', type: one.type, detail: toDetail(call, one) };
  });
  return [...offers, ...customersEntries(call)];
}

function filtersOf(call: Call): FilterTable<Entry> {
  return {
    owner: (one) => one.owner,
    'service-arn': (one) => ec2Arn(call, 'vpc-endpoint-service', one.id),
    'service-id': (one) => one.id,
    'service-name': (one) => one.detail.ServiceName,
    'service-region': () => call.region,
    'service-type': (one) => one.type,
    'supported-ip-address-types': () => 'ipv4',
  };
}

export const endpointServices = {
  DescribeVpcEndpointServices: operation<DescribeVpcEndpointServicesRequest, DescribeVpcEndpointServicesResult>({
    authorize: 'auto',
    readOnly: true,
    run: (call, input) => {
      const wanted = new Set(input.ServiceNames ?? []);
      const others = (input.ServiceRegions ?? []).filter((region) => region !== call.region);
      if (others.length > 0) throw unsupportedOperation(`The parameter ServiceRegions of another region`);
      const all = entriesOf(call);
      for (const name of wanted) if (!all.some((one) => one.detail.ServiceName === name)) throw unknownService(name);
      const named = all.filter((one) => wanted.size === 0 || wanted.has(one.detail.ServiceName ?? ''));
      const kept = applyFilters(named, input.Filters, filtersOf(call));
      const { page, ...next } = paginate(kept, input, { min: 1, max: 1000 }, (one) => one.id);
      return {
        ServiceNames: page.map((one) => one.detail.ServiceName ?? ''),
        ServiceDetails: page.map((one) => one.detail),
        ...next,
      };
    },
  }),
} satisfies Record<string, Operation>;
