// Where flows begin and end, and what is known of those between two ends.

import type { Cidr, NetworkInterfaceId, PortRange, Protocol, VpcId } from '../snapshot.ts';
import type { Arrival } from '../walk/trace.ts';
import type { FlowSet } from './flow-set.ts';

export type End =
  | { readonly kind: 'network-interface'; readonly networkInterfaceId: NetworkInterfaceId }
  /** Any host outside; with `cidrs` only those there. Public addresses of services are outside too. */
  | { readonly kind: 'internet'; readonly cidrs?: readonly Cidr[] }
  /** An AWS service: its public addresses, gateway endpoints and interface endpoints alike. Nothing begins there. */
  | { readonly kind: 'service'; readonly service: string; readonly region?: string }
  /** Metadata and resolver of a VPC, past groups and ACLs (3.3). Nothing begins there. */
  | { readonly kind: 'vpc-service'; readonly vpcId: VpcId; readonly service: 'metadata' | 'resolver' };

/** What carries or changes a packet on its way, or hands it over to a service. */
export interface Hop {
  readonly kind:
    | 'internet-gateway'
    | 'egress-only-internet-gateway'
    | 'nat-gateway'
    | 'peering-connection'
    | 'transit-gateway'
    | 'gateway-endpoint'
    | 'interface-endpoint'
    | 'load-balancer'
    /** An interface without source/destination check, by its `eni-…`. */
    | 'middlebox';
  readonly id: string;
}

/** All flows between two ends that take one road. There is one for each road that is open, so none is empty. */
export interface Reach {
  readonly from: End;
  readonly to: End;
  /** The road there, in order; empty: inside the VPC. */
  readonly via: readonly Hop[];
  readonly viaReturn: readonly Hop[];
  readonly arrival: Arrival['kind'];
  /** Requests as their sender sends them: the destination is a public address where the flow goes by one. */
  readonly flows: FlowSet;
  /** What the network does not say, and this answer rests on. */
  readonly assumptions: readonly string[];
}

/** Ports are destination ports. */
export interface AskedTraffic {
  readonly protocol: Protocol;
  readonly ports?: readonly PortRange[];
}

export interface ReachOptions {
  /** Only this; else everything. */
  readonly traffic?: AskedTraffic | readonly AskedTraffic[];
}
