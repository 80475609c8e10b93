// Who is connected to an endpoint service, and may its owner want that? Y3: the provider accepts and rejects, and cannot delete a consumer's endpoint.
// https://docs.aws.amazon.com/vpc/latest/privatelink/configure-endpoint-service.html (read 2026-11-22). The wording of a wrong state has no source.

import type * as SDK from '@aws-sdk/client-ec2';
import { endpointDnsNames } from '@postern/network/endpoint-services.ts';
import { derivedId } from '../../derived-id.ts';
import { type Call, type Operation, operation } from '../../service.ts';
import type { InterfaceEndpointRow, VpcEndpointServiceRow } from '../../store/rows/ec2.ts';
import { endpointsOf } from './customers-services.ts';
import { eachForItself } from './each-for-itself.ts';
import { ec2Error, missingParameter, notFound } from './errors.ts';
import { applyFilters, type FilterTable } from './filters.ts';
import { paginate } from './pagination.ts';
import { requireRow, scopeOf } from './rows.ts';

interface Connection {
  readonly service: VpcEndpointServiceRow;
  readonly endpoint: InterfaceEndpointRow;
}

const filters: FilterTable<Connection> = {
  'ip-address-type': () => 'ipv4',
  'service-id': ({ service }) => service.id,
  'vpc-endpoint-id': ({ endpoint }) => endpoint.id,
  'vpc-endpoint-owner': ({ endpoint }) => endpoint.accountId,
  'vpc-endpoint-region': ({ endpoint }) => endpoint.region,
  'vpc-endpoint-state': ({ endpoint }) => endpoint.connection,
};

function toConnection(call: Call, { service, endpoint }: Connection): SDK.VpcEndpointConnection {
  const interfaces = endpoint.subnets.map(({ networkInterfaceId }) => ({
    networkInterfaceId,
    availabilityZone: call.tx.get('network-interface', networkInterfaceId)?.availabilityZone ?? '',
  }));
  return {
    ServiceId: service.id,
    VpcEndpointId: endpoint.id,
    VpcEndpointOwner: endpoint.accountId,
    // On the wire AWS writes its states in lower case (V2).
    VpcEndpointState: endpoint.connection as unknown as SDK.State,
    CreationTimestamp: new Date(endpoint.creationTime),
    DnsEntries: endpointDnsNames(endpoint, interfaces).map(({ name }) => ({ DnsName: name })),
    NetworkLoadBalancerArns: service.loadBalancerArns,
    IpAddressType: 'ipv4',
    VpcEndpointConnectionId: derivedId('vpce-con', endpoint.id, service.id),
    VpcEndpointRegion: endpoint.region,
    Tags: [],
  };
}

/** Each endpoint for itself: those that it does not go for are listed. */
function decide(
  call: Call,
  input: SDK.AcceptVpcEndpointConnectionsRequest,
  from: readonly InterfaceEndpointRow['connection'][],
  to: 'available' | 'rejected',
): { Unsuccessful: SDK.UnsuccessfulItem[] } {
  const service = requireRow(call, 'vpc-endpoint-service', input.ServiceId, 'ServiceId');
  if (!input.VpcEndpointIds?.length) throw missingParameter('VpcEndpointId');
  const own = endpointsOf(call.tx, service);
  return {
    Unsuccessful: eachForItself(input.VpcEndpointIds, (id) => {
      const endpoint = own.find((each) => each.id === id);
      if (!endpoint) throw notFound('vpc-endpoint', [id]);
      if (!from.includes(endpoint.connection))
        throw ec2Error(
          'InvalidState',
          `The connection of the VPC endpoint ${id} is in the state ${endpoint.connection}.`,
        );
      call.tx.put('vpc-endpoint', { ...endpoint, connection: to });
    }),
  };
}

export const endpointConnections = {
  DescribeVpcEndpointConnections: operation<
    SDK.DescribeVpcEndpointConnectionsRequest,
    SDK.DescribeVpcEndpointConnectionsResult
  >({
    authorize: 'auto',
    readOnly: true,
    run: (call, input) => {
      const all = call.tx
        .list('vpc-endpoint-service', scopeOf(call))
        .flatMap((service) => endpointsOf(call.tx, service).map((endpoint): Connection => ({ service, endpoint })));
      const kept = applyFilters(all, input.Filters, filters);
      const { page, ...next } = paginate(kept, input, { min: 1, max: 1000 }, ({ endpoint }) => endpoint.id);
      return { VpcEndpointConnections: page.map((each) => toConnection(call, each)), ...next };
    },
  }),
  AcceptVpcEndpointConnections: operation<
    SDK.AcceptVpcEndpointConnectionsRequest,
    SDK.AcceptVpcEndpointConnectionsResult
  >({
    authorize: 'auto',
    run: (call, input) => decide(call, input, ['pendingAcceptance'], 'available'),
  }),
  RejectVpcEndpointConnections: operation<
    SDK.RejectVpcEndpointConnectionsRequest,
    SDK.RejectVpcEndpointConnectionsResult
  >({
    authorize: 'auto',
    run: (call, input) => decide(call, input, ['pendingAcceptance', 'available'], 'rejected'),
  }),
} satisfies Record<string, Operation>;
