// What an analysis is asked: two ends, a protocol, and what the packet must look like at either of them. Ids and addresses only: whose they are and
// whether they exist was looked up by whoever asks.

import type {
  InternetGatewayId,
  Ipv4,
  NetworkInterfaceId,
  PortRange,
  VpcEndpointId,
  VpcId,
  VpcPeeringConnectionId,
} from '../snapshot.ts';

export type Place =
  /** An instance with all of its interfaces, or one interface; `id` is what was named. */
  | {
      readonly kind: 'interfaces';
      readonly id: string;
      readonly vpcId: VpcId;
      readonly networkInterfaceIds: readonly NetworkInterfaceId[];
    }
  | { readonly kind: 'internet-gateway'; readonly id: InternetGatewayId; readonly vpcId: VpcId }
  | {
      readonly kind: 'peering-connection';
      readonly id: VpcPeeringConnectionId;
      readonly vpcIds: readonly [VpcId, VpcId];
    }
  | { readonly kind: 'vpc-endpoint'; readonly id: VpcEndpointId; readonly vpcId: VpcId }
  /** A destination that only the header names. */
  | { readonly kind: 'address'; readonly address: Ipv4 };

/** What an end's header must be; absent fields may be anything. */
export interface HeaderFilter {
  readonly sourceAddress?: Ipv4 | undefined;
  readonly sourcePorts?: PortRange | undefined;
  readonly destinationAddress?: Ipv4 | undefined;
  readonly destinationPorts?: PortRange | undefined;
}

export interface Question {
  readonly source: Exclude<Place, { kind: 'address' }>;
  readonly destination: Place;
  /** 6 or 17. */
  readonly protocol: number;
  readonly atSource: HeaderFilter;
  readonly atDestination: HeaderFilter;
  /** Ids of what the path must pass, and of what it must not. */
  readonly through: readonly string[];
  readonly without: readonly string[];
}

/** The VPCs that a place belongs to. */
export function vpcsOf(place: Place): readonly VpcId[] {
  switch (place.kind) {
    case 'address':
      return [];
    case 'peering-connection':
      return place.vpcIds;
    default:
      return [place.vpcId];
  }
}
