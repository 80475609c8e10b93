// What a walk found: every step of the way there and back, each with the thing that decided it.

import type {
  LoadBalancerId,
  NetworkAclId,
  NetworkInterfaceId,
  Route,
  RouteTableId,
  SecurityGroupId,
  SecurityGroupRuleId,
  SubnetId,
  TransitGatewayRoute,
  TransitGatewayRouteTableId,
  VpcEndpointId,
  VpcId,
  VpcPeeringConnectionId,
} from '../snapshot.ts';
import type { StageName } from '../stages.ts';
import type { ExplanationCode } from './explanation-codes.ts';
import type { Packet } from './packet.ts';

export type { ExplanationCode } from './explanation-codes.ts';

/** What decided a step. */
export type Cause =
  | {
      readonly kind: 'security-group-rule';
      readonly groupId: SecurityGroupId;
      readonly ruleId: SecurityGroupRuleId;
    }
  /** No rule of these groups allows. */
  | { readonly kind: 'security-groups'; readonly groupIds: readonly SecurityGroupId[] }
  /** The groups let the flow begin, so they let its replies pass (S11, S12). */
  | { readonly kind: 'tracked' }
  | { readonly kind: 'acl-entry'; readonly networkAclId: NetworkAclId; readonly ruleNumber: number | '*' }
  | { readonly kind: 'route'; readonly routeTableId: RouteTableId; readonly route: Route }
  | { readonly kind: 'no-route'; readonly routeTableId: RouteTableId }
  | {
      readonly kind: 'transit-gateway-route';
      readonly routeTableId: TransitGatewayRouteTableId;
      readonly route: TransitGatewayRoute;
      /** It leads to where the packet came from. */
      readonly isBack: boolean;
    }
  /** Inside one subnet nothing is routed (R13). */
  | { readonly kind: 'same-subnet'; readonly subnetId: string }
  /** A gateway changed an address. */
  | { readonly kind: 'translation'; readonly from: string; readonly to: string }
  /** A fact of the component itself, in words of AWS's documentation. */
  | { readonly kind: 'component'; readonly because: string };

export interface Step {
  readonly leg: 'forward' | 'return';
  readonly stage: StageName;
  /** The AWS id of what decided: interface, ACL, route table, gateway, endpoint. */
  readonly component: string;
  readonly vpcId: VpcId;
  /** Of an ACL or a route table: the subnet at whose edge it was asked. */
  readonly subnetId?: SubnetId;
  readonly verdict: 'pass' | 'drop';
  readonly cause: Cause;
  /** Of a drop, where Reachability Analyzer has one. */
  readonly code?: ExplanationCode;
  /** As it came to this step. */
  readonly packet: Packet;
}

/** Who got the packet. */
export type Arrival =
  | { readonly kind: 'network-interface'; readonly networkInterfaceId: NetworkInterfaceId; readonly vpcId: VpcId }
  | { readonly kind: 'internet'; readonly address: string }
  | { readonly kind: 'vpc-endpoint'; readonly vpcEndpointId: VpcEndpointId }
  /** The client's flow; what its node began then is walked behind it, and `arrivedAs` tells of that. */
  | {
      readonly kind: 'load-balancer';
      readonly loadBalancerId: LoadBalancerId;
      /** Its node's. */
      readonly networkInterfaceId: NetworkInterfaceId;
    }
  /** Only where the walk was to end there; `vpcId` is the side that it came from. */
  | {
      readonly kind: 'peering-connection';
      readonly vpcPeeringConnectionId: VpcPeeringConnectionId;
      readonly vpcId: VpcId;
    }
  | { readonly kind: 'vpc-service'; readonly vpcId: VpcId; readonly service: 'metadata' | 'resolver' };

export interface Trace {
  /** Both legs have no drop. */
  readonly verdict: 'open' | 'dropped';
  /** In order, the way there before the way back. After a drop the walk goes on as if it had passed, where there is a way on. */
  readonly steps: readonly Step[];
  /** Steps that drop: everything that stands in the way. */
  readonly blockers: readonly Step[];
  /** Present when the way there has an end, reached or not. */
  readonly arrival?: Arrival;
  /** The source address that the end sees. */
  readonly seenAs?: string;
  /** The packet as it came to its end. */
  readonly arrivedAs?: Packet;
}
