// Which services can an endpoint be made for? The two that have gateway endpoints, in the region of the call.
// Interface endpoints are known by name, so that asking for one says what is missing instead of "does not exist".

import type {
  DescribeVpcEndpointServicesRequest,
  DescribeVpcEndpointServicesResult,
  ServiceDetail,
} from '@aws-sdk/client-ec2';
import { servicePlan } from '@postern/network/addresses.ts';
import { type AwsPrefixList, awsPrefixLists } from '@postern/network/aws-prefix-lists.ts';
import { type Call, type Operation, operation } from '../../service.ts';
import { derivedId } from './derived-id.ts';
import { ec2Error, invalidParameter, unsupportedOperation } from './errors.ts';
import { applyFilters } from './filters.ts';
import { paginate } from './pagination.ts';
import { ec2Arn } from './rows.ts';
import { zonesOf } from './zones.ts';

export const unknownService = (name: string) =>
  ec2Error('InvalidServiceName', `The Vpc Endpoint Service '${name}' does not exist`);

/**
 * The gateway service that a name means.
 * @throws InvalidServiceName; InvalidParameter for a service that has interface endpoints only
 */
export function requireGatewayService(call: Call, name: string): AwsPrefixList {
  const list = awsPrefixLists(call.region).find((one) => one.prefixListName === name);
  if (list) return list;
  if (isPlannedService(call.region, name))
    throw invalidParameter('Endpoint type (Gateway) does not match available service types ([Interface]).');
  throw unknownService(name);
}

/** @throws UnsupportedOperation naming the type, or InvalidServiceName when even AWS would not know it */
export function refuseInterfaceEndpoint(call: Call, type: string, name: string): never {
  if (type === 'Interface' && name.startsWith(`com.amazonaws.${call.region}.`) && !isPlannedService(call.region, name))
    throw unknownService(name);
  throw unsupportedOperation(`A VPC endpoint of type ${type} (${name})`);
}

function isPlannedService(region: string, name: string): boolean {
  const prefix = `com.amazonaws.${region}.`;
  const service = name.slice(prefix.length);
  return name.startsWith(prefix) && service !== 'other' && Object.hasOwn(servicePlan, service);
}

/** Services' own names end in the region's domain. */
function domainOf(region: string): string {
  return region.startsWith('cn-') ? 'amazonaws.com.cn' : 'amazonaws.com';
}

function toDetail(call: Call, list: AwsPrefixList): ServiceDetail {
  const zones = zonesOf(call.region);
  return {
    ServiceName: list.prefixListName,
    ServiceId: derivedId('vpce-svc', call.region, list.service),
    ServiceType: [{ ServiceType: 'Gateway' }],
    ServiceRegion: call.region,
    AvailabilityZones: zones.map((zone) => zone.name),
    AvailabilityZoneIds: zones.map((zone) => zone.id),
    Owner: 'amazon',
    BaseEndpointDnsNames: [`${list.service}.${call.region}.${domainOf(call.region)}`],
    VpcEndpointPolicySupported: true,
    AcceptanceRequired: false,
    ManagesVpcEndpoints: false,
    SupportedIpAddressTypes: ['ipv4'],
    Tags: [],
  };
}

export const endpointServices = {
  DescribeVpcEndpointServices: operation<DescribeVpcEndpointServicesRequest, DescribeVpcEndpointServicesResult>({
    authorize: 'auto',
    readOnly: true,
    run: (call, input) => {
      const wanted = input.ServiceNames ?? [];
      const all = awsPrefixLists(call.region);
      const missing = wanted.find((name) => !all.some((one) => one.prefixListName === name));
      if (missing !== undefined) throw unknownService(missing);
      const chosen = wanted.length === 0 ? all : all.filter((one) => wanted.includes(one.prefixListName));
      const kept = applyFilters(chosen, input.Filters, {
        owner: () => 'amazon',
        'service-name': (one) => one.prefixListName,
        'service-region': (one) => one.region,
        'service-type': () => 'Gateway',
        'supported-ip-address-types': () => 'ipv4',
        'service-arn': (one) => ec2Arn(call, 'vpc-endpoint-service', derivedId('vpce-svc', call.region, one.service)),
      });
      const { page, ...next } = paginate(kept, input, { min: 1, max: 1000 }, (one) => one.prefixListName);
      return {
        ServiceNames: page.map((one) => one.prefixListName),
        ServiceDetails: page.map((one) => toDetail(call, one)),
        ...next,
      };
    },
  }),
} satisfies Record<string, Operation>;
