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
  endpointServicesOf,
} from '@postern/network/endpoint-services.ts';
import { derivedId } from '../../derived-id.ts';
import { type Call, type Operation, operation } from '../../service.ts';
import { ec2Error, invalidParameter, unsupportedOperation } from './errors.ts';
import { applyFilters, type FilterTable } from './filters.ts';
import { paginate } from './pagination.ts';
import { ec2Arn } from './rows.ts';
import { zonesOf } from './zones.ts';

export const unknownService = (name: string) =>
  ec2Error('InvalidServiceName', `The Vpc Endpoint Service '${name}' does not exist`);

/**
 * The service that a name means, when it has endpoints of that type.
 * @throws InvalidServiceName; InvalidParameter; UnsupportedOperation naming the type or somebody's own endpoint service
 */
function requireService(call: Call, name: string, type: EndpointType): EndpointService {
  if (/^com\.amazonaws\.vpce\..*\.vpce-svc-/.test(name)) throw unsupportedOperation(`The endpoint service ${name}`);
  const service = endpointServicesOf(call.region).get(name);
  if (!service) throw unknownService(name);
  if (!service.types.includes(type))
    throw invalidParameter(
      `Endpoint type (${type}) does not match available service types ([${service.types.join(', ')}]).`,
    );
  return service;
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

function filtersOf(call: Call): FilterTable<Offer> {
  return {
    owner: () => 'amazon',
    'service-arn': (one) => ec2Arn(call, 'vpc-endpoint-service', one.id),
    'service-id': (one) => one.id,
    'service-name': (one) => one.service.serviceName,
    'service-region': (one) => one.service.region,
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
      for (const name of wanted) if (!endpointServicesOf(call.region).has(name)) throw unknownService(name);
      const all = offersOf(call.region).filter((one) => wanted.size === 0 || wanted.has(one.service.serviceName));
      const kept = applyFilters(all, input.Filters, filtersOf(call));
      const { page, ...next } = paginate(kept, input, { min: 1, max: 1000 }, (one) => one.id);
      return {
        ServiceNames: page.map((one) => one.service.serviceName),
        ServiceDetails: page.map((one) => toDetail(call, one)),
        ...next,
      };
    },
  }),
} satisfies Record<string, Operation>;
