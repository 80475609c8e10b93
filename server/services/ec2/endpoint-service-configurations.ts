// Endpoint services from the provider's side: a Network Load Balancer that other VPCs and accounts reach through interface endpoints. Rules Y1–Y6.
// https://docs.aws.amazon.com/vpc/latest/privatelink/configure-endpoint-service.html (read 2026-11-22). Codes are EC2's; wordings have no source but that of a service's not being there.
// Refused: Gateway Load Balancers, private DNS names, other Regions, IPv6, and balancers whose groups are to decide about what comes through endpoints.

import type * as SDK from '@aws-sdk/client-ec2';
import { endpointDomainOf, endpointService } from '@postern/network/endpoint-services.ts';
import type { VpcEndpointServiceId } from '@postern/network/snapshot.ts';
import { derivedId } from '../../derived-id.ts';
import { type Call, type Operation, operation } from '../../service.ts';
import type { VpcEndpointServiceRow } from '../../store/rows/ec2.ts';
import { hasConnections, nameOfService, zonesOfService } from './customers-services.ts';
import { describe } from './describe.ts';
import { eachForItself } from './each-for-itself.ts';
import { ec2Error, invalidParameter, missingParameter, refuseUnsupported, unsupportedOperation } from './errors.ts';
import { applyFilters, type FilterTable } from './filters.ts';
import { oncePerToken } from './idempotency.ts';
import { paginate } from './pagination.ts';
import { findRow, requireRow, scopeOf } from './rows.ts';
import { tagsFromSpecifications, toTags } from './tags.ts';
import { zonesOf } from './zones.ts';

export function toServiceConfiguration(call: Call, row: VpcEndpointServiceRow): SDK.ServiceConfiguration {
  const zones = zonesOfService(call.tx, row);
  const service = endpointService(nameOfService(row));
  return {
    ServiceType: [{ ServiceType: 'Interface' }],
    ServiceId: row.id,
    ServiceName: nameOfService(row),
    ServiceState: 'Available',
    AvailabilityZones: zones,
    AvailabilityZoneIds: zonesOf(row.region).flatMap((zone) => (zones.includes(zone.name) ? [zone.id] : [])),
    AcceptanceRequired: row.acceptanceRequired,
    ManagesVpcEndpoints: false,
    NetworkLoadBalancerArns: row.loadBalancerArns,
    SupportedIpAddressTypes: ['ipv4'],
    BaseEndpointDnsNames: service ? [endpointDomainOf(service)] : [],
    RemoteAccessEnabled: false,
    Tags: toTags(row.tags),
  };
}

const filters: FilterTable<VpcEndpointServiceRow> = {
  'service-name': nameOfService,
  'service-id': (row) => row.id,
  'service-state': () => 'Available',
  'supported-ip-address-types': () => 'ipv4',
};

/** @throws InvalidParameter for a balancer that is not there, UnsupportedOperation for one whose groups are to decide (Y5) */
function requireBalancers(call: Call, arns: readonly string[] | undefined): string[] {
  return (arns ?? []).map((arn) => {
    const row = call.tx.get('load-balancer', arn);
    if (!row || row.accountId !== call.accountId || row.region !== call.region)
      throw invalidParameter(`The Network Load Balancer '${arn}' does not exist`);
    if (row.groupIds && row.enforcesGroupsOnPrivateLink)
      throw unsupportedOperation(
        `A load balancer that enforces inbound rules on PrivateLink traffic (elbv2 set-security-groups --enforce-security-group-inbound-rules-on-private-link-traffic off) behind an endpoint service`,
      );
    return arn;
  });
}

function refuseOthers(
  name: string,
  input: SDK.ModifyVpcEndpointServiceConfigurationRequest | SDK.CreateVpcEndpointServiceConfigurationRequest,
): void {
  refuseUnsupported(name, input, [
    'PrivateDnsName',
    'GatewayLoadBalancerArns',
    'AddGatewayLoadBalancerArns',
    'RemoveGatewayLoadBalancerArns',
    'RemovePrivateDnsName',
    'SupportedRegions',
    'AddSupportedRegions',
    'RemoveSupportedRegions',
    'RemoveSupportedIpAddressTypes',
  ] as never);
  const types = 'SupportedIpAddressTypes' in input ? input.SupportedIpAddressTypes : undefined;
  const added = 'AddSupportedIpAddressTypes' in input ? input.AddSupportedIpAddressTypes : undefined;
  const other = [...(types ?? []), ...(added ?? [])].find((each) => each !== 'ipv4');
  if (other) throw unsupportedOperation(`The IP address type ${other} of ${name}`);
}

function make(call: Call, input: SDK.CreateVpcEndpointServiceConfigurationRequest): VpcEndpointServiceId {
  refuseOthers('CreateVpcEndpointServiceConfiguration', input);
  const loadBalancerArns = requireBalancers(call, input.NetworkLoadBalancerArns);
  if (loadBalancerArns.length === 0) throw missingParameter('NetworkLoadBalancerArn');
  const id: VpcEndpointServiceId = call.tx.newId('vpce-svc');
  call.tx.put('vpc-endpoint-service', {
    ...scopeOf(call),
    id,
    loadBalancerArns: [...new Set(loadBalancerArns)],
    acceptanceRequired: input.AcceptanceRequired ?? true,
    principals: [],
    tags: tagsFromSpecifications(input.TagSpecifications, 'vpc-endpoint-service'),
  });
  return id;
}

const connected = (id: string) =>
  ec2Error('ExistingVpcEndpointConnections', `Service '${id}' has existing active VPC Endpoint connections!`);

function modify(call: Call, input: SDK.ModifyVpcEndpointServiceConfigurationRequest): void {
  refuseOthers('ModifyVpcEndpointServiceConfiguration', input);
  const row = requireService(call, input.ServiceId);
  const added = requireBalancers(call, input.AddNetworkLoadBalancerArns);
  const gone = new Set(input.RemoveNetworkLoadBalancerArns ?? []);
  for (const arn of gone)
    if (!row.loadBalancerArns.includes(arn))
      throw invalidParameter(`The Network Load Balancer '${arn}' is not associated with the service`);
  const loadBalancerArns = [...new Set([...row.loadBalancerArns.filter((arn) => !gone.has(arn)), ...added])];
  if (loadBalancerArns.length === 0) {
    if (hasConnections(call.tx, row)) throw connected(row.id);
    throw invalidParameter('At least one load balancer must remain associated with the service');
  }
  const acceptanceRequired = input.AcceptanceRequired ?? row.acceptanceRequired;
  call.tx.put('vpc-endpoint-service', { ...row, loadBalancerArns, acceptanceRequired });
}

function requireService(call: Call, id: string | undefined): VpcEndpointServiceRow {
  return requireRow(call, 'vpc-endpoint-service', id, 'ServiceId');
}

// ---- permissions

const principalForm = /^(\*|arn:aws[a-z-]*:iam::\d{12}:(root|user\/.+|role\/.+))$/;

function principalType(arn: string): SDK.PrincipalType {
  if (arn === '*') return 'All';
  const kind = arn.split(':')[5] ?? '';
  return kind === 'root' ? 'Account' : kind.startsWith('user/') ? 'User' : 'Role';
}

const permissionId = (row: VpcEndpointServiceRow, arn: string) => derivedId('vpce-svc-perm', row.id, arn);

function modifyPermissions(
  call: Call,
  input: SDK.ModifyVpcEndpointServicePermissionsRequest,
): SDK.ModifyVpcEndpointServicePermissionsResult {
  const row = requireService(call, input.ServiceId);
  const gone = new Set(input.RemoveAllowedPrincipals ?? []);
  const wanted = input.AddAllowedPrincipals ?? [];
  for (const arn of [...wanted, ...gone])
    if (!principalForm.test(arn)) throw ec2Error('InvalidPrincipal', `The principal '${arn}' is not valid`);
  const kept = row.principals.filter(({ arn }) => !gone.has(arn));
  const added = [...new Set(wanted)].filter((arn) => !kept.some((each) => each.arn === arn));
  call.tx.put('vpc-endpoint-service', { ...row, principals: [...kept, ...added.map((arn) => ({ arn }))] });
  return {
    AddedPrincipals: added.map((Principal) => ({
      PrincipalType: principalType(Principal),
      Principal,
      ServicePermissionId: permissionId(row, Principal),
      ServiceId: row.id,
    })),
    ReturnValue: true,
  };
}

export const endpointServiceConfigurations = {
  CreateVpcEndpointServiceConfiguration: operation<
    SDK.CreateVpcEndpointServiceConfigurationRequest,
    SDK.CreateVpcEndpointServiceConfigurationResult
  >({
    authorize: 'auto',
    run: (call, input) => {
      const known = ([id = '']: readonly string[]) => findRow(call, 'vpc-endpoint-service', id) !== undefined;
      const [id] = oncePerToken(call, input.ClientToken, input, known, () => [make(call, input)]);
      const ServiceConfiguration = toServiceConfiguration(call, requireService(call, id));
      return { ServiceConfiguration, ...(input.ClientToken && { ClientToken: input.ClientToken }) };
    },
  }),
  DescribeVpcEndpointServiceConfigurations: operation<
    SDK.DescribeVpcEndpointServiceConfigurationsRequest,
    SDK.DescribeVpcEndpointServiceConfigurationsResult
  >({
    authorize: 'auto',
    readOnly: true,
    run: (call, input) => {
      const how = { ids: input.ServiceIds, parameter: 'ServiceId', filters, min: 1 };
      const { page, next } = describe(call, 'vpc-endpoint-service', input, how);
      return { ServiceConfigurations: page.map((row) => toServiceConfiguration(call, row)), ...next };
    },
  }),
  ModifyVpcEndpointServiceConfiguration: operation<
    SDK.ModifyVpcEndpointServiceConfigurationRequest,
    SDK.ModifyVpcEndpointServiceConfigurationResult
  >({
    authorize: 'auto',
    run: (call, input) => {
      modify(call, input);
      return { Return: true };
    },
  }),
  DeleteVpcEndpointServiceConfigurations: operation<
    SDK.DeleteVpcEndpointServiceConfigurationsRequest,
    SDK.DeleteVpcEndpointServiceConfigurationsResult
  >({
    authorize: 'auto',
    run: (call, input) => {
      if (!input.ServiceIds?.length) throw missingParameter('ServiceId');
      const Unsuccessful = eachForItself(input.ServiceIds, (id) => {
        const row = requireService(call, id);
        if (hasConnections(call.tx, row)) throw connected(row.id);
        call.tx.delete('vpc-endpoint-service', row.id);
      });
      return { Unsuccessful };
    },
  }),
  ModifyVpcEndpointServicePermissions: operation<
    SDK.ModifyVpcEndpointServicePermissionsRequest,
    SDK.ModifyVpcEndpointServicePermissionsResult
  >({
    authorize: 'auto',
    run: modifyPermissions,
  }),
  DescribeVpcEndpointServicePermissions: operation<
    SDK.DescribeVpcEndpointServicePermissionsRequest,
    SDK.DescribeVpcEndpointServicePermissionsResult
  >({
    authorize: 'auto',
    readOnly: true,
    run: (call, input) => {
      const row = requireService(call, input.ServiceId);
      const table: FilterTable<{ readonly arn: string }> = {
        principal: ({ arn }) => arn,
        'principal-type': ({ arn }) => principalType(arn),
      };
      const kept = applyFilters(row.principals, input.Filters, table);
      const { page, ...next } = paginate(kept, input, { min: 1, max: 1000 }, ({ arn }) => permissionId(row, arn));
      return {
        AllowedPrincipals: page.map(({ arn }) => ({
          PrincipalType: principalType(arn),
          Principal: arn,
          ServicePermissionId: permissionId(row, arn),
          ServiceId: row.id,
          Tags: [],
        })),
        ...next,
      };
    },
  }),
} satisfies Record<string, Operation>;
