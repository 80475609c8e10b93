// Is a route's target there? Computed from the rows on each look, never stored (R8): a detached gateway, a deleted or unattached interface, a stopped or
// terminated instance, a deleted endpoint and a peering that is not active make it a blackhole. `control/` asks the same question for the Snapshot.

import type { Route } from '@aws-sdk/client-ec2';
import { isIpv6Cidr } from '@postern/network/cidr.ts';
import type { RouteRow } from '../../store/rows/ec2.ts';
import type { Transaction } from '../../store/store.ts';
import { attachmentsByVpc } from './indexes.ts';

/** @param vpcId the route table's VPC */
export function routeState(tx: Transaction, vpcId: string, route: RouteRow): 'active' | 'blackhole' {
  return isTargetUsable(tx, vpcId, route.target) ? 'active' : 'blackhole';
}

function isTargetUsable(tx: Transaction, vpcId: string, target: RouteRow['target']): boolean {
  switch (target.kind) {
    case 'local':
      return true;
    case 'internet-gateway':
      return tx.get('internet-gateway', target.internetGatewayId)?.vpcId === vpcId;
    case 'egress-only-internet-gateway':
      return tx.get('egress-only-internet-gateway', target.egressOnlyInternetGatewayId)?.vpcId === vpcId;
    case 'gateway-endpoint':
      return tx.get('vpc-endpoint', target.vpcEndpointId)?.vpcId === vpcId;
    case 'nat-gateway':
      return tx.get('nat-gateway', target.natGatewayId)?.state === 'available';
    case 'peering-connection':
      return tx.get('vpc-peering-connection', target.vpcPeeringConnectionId)?.state === 'active';
    case 'transit-gateway':
      return tx.find(attachmentsByVpc, vpcId).some((row) => row.transitGatewayId === target.transitGatewayId);
    case 'network-interface': {
      const attachment = tx.get('network-interface', target.networkInterfaceId)?.attachment;
      if (!attachment || attachment.status === 'detaching') return false;
      const state = tx.get('instance', attachment.instanceId)?.state;
      return state === 'pending' || state === 'running';
    }
  }
}

/** The route as the API shows it. A target that is gone is still named. */
export function toRoute(tx: Transaction, vpcId: string, route: RouteRow): Route {
  const { destination } = route;
  return {
    ...destinationOf(destination),
    ...targetOf(tx, route),
    Origin: route.origin,
    State: routeState(tx, vpcId, route),
  };
}

function destinationOf(destination: RouteRow['destination']): Route {
  if (destination.kind === 'prefix-list') return { DestinationPrefixListId: destination.prefixListId };
  return isIpv6Cidr(destination.cidr)
    ? { DestinationIpv6CidrBlock: destination.cidr }
    : { DestinationCidrBlock: destination.cidr };
}

function targetOf(tx: Transaction, { target }: RouteRow): Route {
  switch (target.kind) {
    case 'local':
      return { GatewayId: 'local' };
    case 'internet-gateway':
      return { GatewayId: target.internetGatewayId };
    case 'egress-only-internet-gateway':
      return { EgressOnlyInternetGatewayId: target.egressOnlyInternetGatewayId };
    case 'gateway-endpoint':
      return { GatewayId: target.vpcEndpointId };
    case 'nat-gateway':
      return { NatGatewayId: target.natGatewayId };
    case 'peering-connection':
      return { VpcPeeringConnectionId: target.vpcPeeringConnectionId };
    case 'transit-gateway':
      return { TransitGatewayId: target.transitGatewayId };
    case 'network-interface': {
      const attachment = tx.get('network-interface', target.networkInterfaceId)?.attachment;
      return {
        NetworkInterfaceId: target.networkInterfaceId,
        ...(attachment && { InstanceId: attachment.instanceId, InstanceOwnerId: attachment.instanceOwnerId }),
      };
    }
  }
}
