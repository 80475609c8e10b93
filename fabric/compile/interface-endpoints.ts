// The core's side of interface endpoints. To its VPC an endpoint's interface is one like any other; its link ends here, where the addresses of the
// path are put on: the source becomes its place in an underlay block that belongs to this interface and the client's block, the destination the
// endpoint's own address. Without connection tracking, both ways, so that a client may come from a VPC that overlaps with any other, and the
// reply leaves by the interface that was asked. Blocks of peered VPCs are known too (X6); any other source is dropped.

import { cidrRange, containsAddress, ipToNumber, numberToIp } from '@postern/network/cidr.ts';
import type { Cidr, Ipv4, NetworkInterfaceId, Snapshot, VpcEndpointId, VpcId } from '@postern/network/snapshot.ts';
import { type Allocation, clientBlocksOf, endpointAddress, underlayBlocksOf } from './allocation.ts';
import { stage } from './filter/well-known.ts';
import type { KernelRoute, Neighbour, NftChain, NftSet } from './host-state.ts';
import { coreInterfaceDevice, macAddress, nextHop } from './names.ts';

export interface EndpointInterface {
  readonly vpcId: VpcId;
  readonly vpcEndpointId: VpcEndpointId;
  readonly networkInterfaceId: NetworkInterfaceId;
  /** Of the interface. */
  readonly number: number;
  /** Somebody's endpoint service is behind it: the balancer's node that it leads to, if it leads anywhere now. */
  readonly behind?: { readonly node: NetworkInterfaceId | undefined };
  /** The interface's private address. */
  readonly address: Ipv4;
  /** The endpoint's own, on AWS's side. */
  readonly endpointAddress: Ipv4;
  /** A client's block → its underlay block. */
  readonly blocks: readonly (readonly [Cidr, Cidr])[];
  /** Clients' blocks that the underlay has no room for: what comes from there is dropped, and told as a failure. */
  readonly withoutRoom: readonly Cidr[];
}

/** Every interface of every interface endpoint that has its numbers. */
export function endpointInterfacesOf(snapshot: Snapshot, allocation: Allocation): EndpointInterface[] {
  const clientBlocks = clientBlocksOf(snapshot);
  return snapshot.vpcs.flatMap(({ vpcId, interfaceEndpoints, networkInterfaces }) => {
    if (interfaceEndpoints.length === 0) return [];
    const addresses = new Map(networkInterfaces.map((each) => [each.networkInterfaceId, each.privateAddresses[0]]));
    return interfaceEndpoints.flatMap(({ vpcEndpointId, networkInterfaceIds, behind }) =>
      networkInterfaceIds.flatMap((networkInterfaceId) => {
        const number = allocation.interfaces.of.get(networkInterfaceId);
        const endpointNumber = allocation.endpoints.of.get(vpcEndpointId);
        const address = addresses.get(networkInterfaceId)?.address;
        if (number === undefined || endpointNumber === undefined || address === undefined) return [];
        const room = underlayBlocksOf(allocation, networkInterfaceId, clientBlocks(vpcId));
        const own = endpointAddress(endpointNumber);
        const node = behind?.find((each) => each.networkInterfaceId === networkInterfaceId)?.node;
        const ids = { vpcId, vpcEndpointId, networkInterfaceId, number, address, ...(behind && { behind: { node } }) };
        return [{ ...ids, endpointAddress: own, ...room }];
      }),
    );
  });
}

/** A service's interface whose link ends in the core: an interface endpoint's, an instance connect endpoint's or a load balancer's. */
export type CoreInterface = Pick<EndpointInterface, 'number' | 'blocks'>;

export function endpointNeighbours(endpoints: readonly CoreInterface[]): Neighbour[] {
  return endpoints.map(({ number }) => ({
    address: nextHop,
    macAddress: macAddress('interface', number),
    device: coreInterfaceDevice(number),
  }));
}

export function endpointRoutes(endpoints: readonly CoreInterface[]): KernelRoute[] {
  return endpoints.flatMap(({ number, blocks }) =>
    blocks.map(([, underlay]) => ({
      table: 'local' as const,
      destination: underlay,
      kind: 'unicast' as const,
      via: nextHop,
      device: coreInterfaceDevice(number),
    })),
  );
}

/** Verdict maps by link, for the chains below. */
export function endpointSets(endpoints: readonly CoreInterface[]): NftSet[] {
  const verdicts = (direction: 'from' | 'to') =>
    endpoints.map(({ number }) => {
      const device = coreInterfaceDevice(number);
      return `"${device}" : goto ${direction}-${device}`;
    });
  return [
    { name: 'from-interfaces', kind: 'map', type: 'ifname : verdict', elements: verdicts('from') },
    { name: 'to-interfaces', kind: 'map', type: 'ifname : verdict', elements: verdicts('to') },
  ];
}

/** What AWS's services answer on behind an interface endpoint. */
const ports = '{ 80, 443 }';

export function endpointChains(endpoints: readonly EndpointInterface[]): NftChain[] {
  return [
    {
      name: 'path-on',
      hook: 'type filter hook prerouting priority raw; policy accept;',
      rules: [{ match: 'iifname vmap @from-interfaces' }],
    },
    {
      name: 'path-off',
      // After translation of every kind: what leaves is what the VPC knows.
      hook: 'type filter hook postrouting priority 150; policy accept;',
      rules: [{ match: 'oifname vmap @to-interfaces' }],
    },
    ...endpoints.flatMap((each): NftChain[] => {
      const device = coreInterfaceDevice(each.number);
      const comment = stage('interface-endpoint', `${each.vpcEndpointId} ${each.networkInterfaceId}`);
      return [
        {
          name: `from-${device}`,
          rules: [
            // What somebody's own service takes, its balancer's listeners say.
            ...(each.behind === undefined
              ? [
                  { match: `meta l4proto != tcp drop`, comment },
                  { match: `tcp dport != ${ports} drop`, comment },
                ]
              : [{ match: 'meta l4proto != { tcp, udp } drop', comment }]),
            ...each.blocks.map(([block, underlay]) => ({
              match: `ip saddr ${block} ip saddr set ${moved(block, underlay)} ip daddr set ${each.endpointAddress} return`,
              comment,
            })),
            { match: 'drop', comment },
          ],
        },
        {
          name: `to-${device}`,
          rules: [
            ...each.blocks.map(([block, underlay]) => ({
              match: `ip saddr ${each.endpointAddress} ip daddr ${underlay} ip daddr set ${moved(underlay, block, 'ip daddr')} ip saddr set ${each.address} return`,
              comment,
            })),
            { match: 'drop', comment },
          ],
        },
      ];
    }),
  ];
}

/** The same host in another network of the same length. */
export function moved(from: Cidr, to: Cidr, field = 'ip saddr'): string {
  const { first, last } = cidrRange(from);
  return `${field} & ${numberToIp((last - first) >>> 0)} | ${numberToIp(cidrRange(to).first)}`;
}

/** The place of an address in the underlay: in the first of the blocks that has it. */
export function placeIn(blocks: CoreInterface['blocks'], address: Ipv4): Ipv4 | undefined {
  const found = blocks.find(([block]) => containsAddress(block, address));
  if (found === undefined) return undefined;
  const [block, underlay] = found;
  const host = (ipToNumber(address) ?? 0) - cidrRange(block).first;
  return numberToIp((cidrRange(underlay).first + host) >>> 0);
}
