// A packet as the five fields that decide where it goes, and the flow that it begins.

import type {
  IcmpMatch,
  InternetGatewayId,
  NetworkInterfaceId,
  Protocol,
  VpcId,
  VpcPeeringConnectionId,
} from '../snapshot.ts';

export interface Packet {
  readonly protocol: Protocol;
  readonly source: string;
  readonly destination: string;
  /** tcp and udp only, as are destination ports. */
  readonly sourcePort?: number;
  readonly destinationPort?: number;
  /** icmp and icmpv6 only. */
  readonly icmp?: IcmpMatch;
}

/** Where a flow begins: an interface of some VPC, a host of the internet (by one gateway, where one is named), or somewhere beyond a peering. */
export type Origin =
  | { readonly kind: 'network-interface'; readonly networkInterfaceId: NetworkInterfaceId }
  | { readonly kind: 'internet'; readonly internetGatewayId?: InternetGatewayId }
  | {
      readonly kind: 'peering-connection';
      readonly vpcPeeringConnectionId: VpcPeeringConnectionId;
      /** The VPC that it comes into. */
      readonly vpcId: VpcId;
    };

export interface Flow {
  readonly from: Origin;
  readonly packet: Packet;
  /** Where the packet enters this peering connection, the way there is at its end. */
  readonly until?: VpcPeeringConnectionId;
}

export const protocols = { icmp: 1, tcp: 6, udp: 17, icmpv6: 58 } as const;
export const echoRequest: IcmpMatch = { type: 8, code: 0 };
export const echoRequest6: IcmpMatch = { type: 128, code: 0 };

const echoReplies: Readonly<Record<number, number>> = { 8: 0, 128: 129 };

/** The answer's packet: addresses and ports change places, an echo request becomes its reply. */
export function replyTo(packet: Packet): Packet {
  const { source, destination, sourcePort, destinationPort, icmp } = packet;
  return {
    protocol: packet.protocol,
    source: destination,
    destination: source,
    ...(destinationPort !== undefined && { sourcePort: destinationPort }),
    ...(sourcePort !== undefined && { destinationPort: sourcePort }),
    ...(icmp !== undefined && { icmp: { type: echoReplies[icmp.type] ?? icmp.type, code: icmp.code } }),
  };
}

export function isIpv6(address: string): boolean {
  return address.includes(':');
}
