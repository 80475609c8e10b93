// The core's side of instance connect endpoints (J4). To its VPC an endpoint's interface is one like any other; its link ends here, where the server
// dials. A private address is dialled by its place in an underlay block that belongs to this interface and the address's block, from the endpoint's own
// address on AWS's side; at the link both become what the VPC knows. Without connection tracking, so VPCs may overlap and a reply has one way back.

import { addressPlan } from '@postern/network/addresses.ts';
import { containsAddress } from '@postern/network/cidr.ts';
import type { Cidr, InstanceConnectEndpointId, Ipv4, NetworkInterfaceId, Snapshot } from '@postern/network/snapshot.ts';
import { type Allocation, clientBlocksOf, endpointAddress, underlayBlocksOf } from './allocation.ts';
import { stage } from './filter/well-known.ts';
import type { NftChain } from './host-state.ts';
import { moved, placeIn } from './interface-endpoints.ts';
import { coreInterfaceDevice } from './names.ts';

export interface ConnectInterface {
  readonly instanceConnectEndpointId: InstanceConnectEndpointId;
  readonly networkInterfaceId: NetworkInterfaceId;
  /** Of the interface. */
  readonly number: number;
  /** The interface's private address: what an instance sees. */
  readonly address: Ipv4;
  /** The endpoint's own, on AWS's side: where the server dials from. */
  readonly endpointAddress: Ipv4;
  /** The server dials from the client's address, and the instance sees that one. */
  readonly preserveClientIp: boolean;
  /** A block that it reaches, its VPC's or a peer's → its underlay block. */
  readonly blocks: readonly (readonly [Cidr, Cidr])[];
}

/** Every instance connect endpoint that has its numbers. */
export function connectInterfacesOf(snapshot: Snapshot, allocation: Allocation): ConnectInterface[] {
  const reachable = clientBlocksOf(snapshot);
  return snapshot.vpcs.flatMap(({ vpcId, cidrBlocks, instanceConnectEndpoints, networkInterfaces }) =>
    instanceConnectEndpoints.flatMap((endpoint): ConnectInterface[] => {
      const { instanceConnectEndpointId, networkInterfaceId, preserveClientIp } = endpoint;
      const eni = networkInterfaces.find((each) => each.networkInterfaceId === networkInterfaceId);
      const number = allocation.interfaces.of.get(networkInterfaceId);
      const endpointNumber = allocation.endpoints.of.get(instanceConnectEndpointId);
      const address = eni?.privateAddresses[0]?.address;
      if (number === undefined || endpointNumber === undefined || address === undefined) return [];
      // A client's address has no way back out of a peer.
      const reached = preserveClientIp ? cidrBlocks : reachable(vpcId);
      const { blocks } = underlayBlocksOf(allocation, networkInterfaceId, reached);
      const own = endpointAddress(endpointNumber);
      const ids = { instanceConnectEndpointId, networkInterfaceId, preserveClientIp };
      return [{ ...ids, number, address, endpointAddress: own, blocks }];
    }),
  );
}

export function connectChains(endpoints: readonly ConnectInterface[]): NftChain[] {
  return endpoints.flatMap((each): NftChain[] => {
    const device = coreInterfaceDevice(each.number);
    const comment = stage('instance-connect', `${each.instanceConnectEndpointId} ${each.networkInterfaceId}`);
    return [
      {
        name: `from-${device}`,
        rules: [
          // Replies and nothing else: nobody begins a connection to the endpoint.
          { match: 'meta l4proto != tcp drop', comment },
          { match: 'tcp flags & (syn | ack) == syn drop', comment },
          ...each.blocks.map(([block, underlay]) => ({
            match: `ip saddr ${block} ip saddr set ${moved(block, underlay)} ${each.preserveClientIp ? '' : `ip daddr set ${each.endpointAddress} `}return`,
            comment,
          })),
          { match: 'drop', comment },
        ],
      },
      {
        name: `to-${device}`,
        rules: [
          ...each.blocks.map(([block, underlay]) => ({
            match: each.preserveClientIp
              ? `ip saddr != ${addressPlan.underlay} ip daddr ${underlay} ip daddr set ${moved(underlay, block, 'ip daddr')} return`
              : `ip saddr ${each.endpointAddress} ip daddr ${underlay} ip daddr set ${moved(underlay, block, 'ip daddr')} ip saddr set ${each.address} return`,
            comment,
          })),
          { match: 'drop', comment },
        ],
      },
    ];
  });
}

/** Where to dial from and to, so that a private address is reached through the endpoint. Undefined: it reaches no such address for this client. */
export function dialThrough(
  endpoint: ConnectInterface,
  address: Ipv4,
  clientIp: Ipv4,
): { from: Ipv4; to: Ipv4 } | undefined {
  const from = endpoint.preserveClientIp ? clientIp : endpoint.endpointAddress;
  // A public address of this cloud's own is its holder's: what comes back for it would go there.
  if (endpoint.preserveClientIp && containsAddress(addressPlan.publicPool, clientIp)) return undefined;
  const to = placeIn(endpoint.blocks, address);
  return to === undefined ? undefined : { from, to };
}
