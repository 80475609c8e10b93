// The core's side of Network Load Balancers (B1–B3, docs/decisions/0031). To its VPC a node's interface is one like any other; its link ends here, and as with an interface
// endpoint the addresses of the path are put on and off without connection tracking (interface-endpoints.ts). Between the two the kernel translates: what comes to
// a listener goes on to a target by a hash over the flow, from the balancer's own address, out of the link that it came in by. So groups, ACLs and routes of the
// router see two flows, the client's with the node and the node's with a target.

import type {
  Cidr,
  Ipv4,
  LoadBalancerId,
  LoadBalancerNode,
  NetworkInterfaceId,
  Snapshot,
} from '@postern/network/snapshot.ts';
import { type Allocation, endpointAddress, nodeBlocksOf, underlayBlocksOf } from './allocation.ts';
import { stage } from './filter/well-known.ts';
import type { NftChain, NftRule, NftSet } from './host-state.ts';
import { type EndpointInterface, moved, placeIn } from './interface-endpoints.ts';
import { coreInterfaceDevice } from './names.ts';

export interface BalancerInterface {
  readonly loadBalancerId: LoadBalancerId;
  readonly networkInterfaceId: NetworkInterfaceId;
  /** Of the interface. */
  readonly number: number;
  /** The interface's private address: what a target sees. */
  readonly address: Ipv4;
  /** The balancer's own, on AWS's side: where it begins connections. */
  readonly endpointAddress: Ipv4;
  /** A block of clients or targets → its underlay block. */
  readonly blocks: readonly (readonly [Cidr, Cidr])[];
  readonly withoutRoom: readonly Cidr[];
  readonly listeners: LoadBalancerNode['listeners'];
}

/** Every node that has its numbers. */
export function balancerInterfacesOf(snapshot: Snapshot, allocation: Allocation): BalancerInterface[] {
  const wanted = new Map(nodeBlocksOf(snapshot).map(({ id, blocks }) => [id, blocks]));
  return snapshot.vpcs.flatMap(({ networkLoadBalancers, networkInterfaces }) =>
    networkLoadBalancers.flatMap(({ loadBalancerId, nodes }) =>
      nodes.flatMap(({ networkInterfaceId, listeners }): BalancerInterface[] => {
        const number = allocation.interfaces.of.get(networkInterfaceId);
        const endpointNumber = allocation.endpoints.of.get(loadBalancerId);
        const card = networkInterfaces.find((each) => each.networkInterfaceId === networkInterfaceId);
        const address = card?.privateAddresses[0]?.address;
        if (number === undefined || endpointNumber === undefined || address === undefined) return [];
        const ids = { loadBalancerId, networkInterfaceId, number, address, listeners };
        const room = underlayBlocksOf(allocation, networkInterfaceId, wanted.get(networkInterfaceId) ?? []);
        return [{ ...ids, endpointAddress: endpointAddress(endpointNumber), ...room }];
      }),
    ),
  );
}

/** Where the server dials from and to, so that a target is asked how it is through a node's link. Undefined: the node reaches no such address. */
export function dialFromNode(node: BalancerInterface, address: Ipv4): { from: Ipv4; to: Ipv4 } | undefined {
  const to = placeIn(node.blocks, address);
  return to === undefined ? undefined : { from: node.endpointAddress, to };
}

/** An interface endpoint's interface that leads to a node (Y1). */
export type Door = Pick<EndpointInterface, 'number' | 'vpcEndpointId' | 'behind'>;

/** Interfaces of endpoints whose service is somebody's own. */
export function doorsOf(endpoints: readonly EndpointInterface[]): readonly Door[] {
  return endpoints.filter(({ behind }) => behind !== undefined);
}

/** @param doors the same listeners, by endpoints' links */
export function balancerSets(nodes: readonly BalancerInterface[], doors: readonly Door[]): NftSet[] {
  if (nodes.length === 0) return [];
  const devices = nodes.map(({ number }) => coreInterfaceDevice(number));
  const others = doors.map(({ number }) => coreInterfaceDevice(number));
  return [
    {
      name: 'balancers',
      kind: 'set',
      type: 'ifname',
      elements: [...devices, ...others].map((device) => `"${device}"`),
    },
    {
      name: 'listeners',
      kind: 'map',
      type: 'ifname . inet_proto . inet_service : verdict',
      elements: nodes.flatMap((node) => {
        const own = coreInterfaceDevice(node.number);
        const leading = doors.filter(({ behind }) => behind?.node === node.networkInterfaceId);
        const ways = [own, ...leading.map(({ number }) => coreInterfaceDevice(number))];
        return node.listeners
          .filter(({ targets }) => reached(node, targets).length > 0)
          .flatMap(({ protocol, port }) =>
            ways.map((device) => `"${device}" . ${protocol} . ${port} : goto listener-${own}-${protocol}-${port}`),
          );
      }),
    },
    {
      name: 'begun-by-balancers',
      kind: 'map',
      type: 'ifname : verdict',
      elements: devices.map((device) => `"${device}" : goto begun-by-${device}`),
    },
  ];
}

export function balancerChains(nodes: readonly BalancerInterface[]): NftChain[] {
  if (nodes.length === 0) return [];
  return [
    ...nodes.flatMap(nodeChains),
    {
      name: 'balance',
      hook: 'type nat hook prerouting priority dstnat; policy accept;',
      rules: [{ match: 'iifname . meta l4proto . th dport vmap @listeners' }],
    },
    {
      name: 'begun-by-balancer',
      hook: 'type nat hook postrouting priority srcnat; policy accept;',
      rules: [{ match: 'ct status dnat oifname vmap @begun-by-balancers' }],
    },
  ];
}

/** In the core's forward chain. */
export function balancedRules(nodes: readonly BalancerInterface[]): NftRule[] {
  if (nodes.length === 0) return [];
  return [{ match: 'iifname @balancers oifname @balancers ct status dnat accept' }];
}

/** In the core's input chain: nothing of the server answers at a balancer's address, but it hears what its own checks are answered. */
export function unbalancedRules(nodes: readonly BalancerInterface[], doors: readonly Door[]): NftRule[] {
  const drop = (number: number, comment: string) => ({
    match: `iifname "${coreInterfaceDevice(number)}" ct state new,invalid drop`,
    comment,
  });
  return [
    ...nodes.map(({ number, loadBalancerId }) => drop(number, stage('load-balancer', loadBalancerId))),
    ...doors.map(({ number, vpcEndpointId, behind }) => {
      const node = nodes.find((each) => each.networkInterfaceId === behind?.node);
      // What a node has no listener for is the balancer's to say; where there is none, the endpoint's.
      const said =
        node === undefined ? stage('interface-endpoint', vpcEndpointId) : stage('load-balancer', node.loadBalancerId);
      return drop(number, said);
    }),
  ];
}

function nodeChains(node: BalancerInterface): NftChain[] {
  const device = coreInterfaceDevice(node.number);
  const comment = stage('load-balancer', `${node.loadBalancerId} ${node.networkInterfaceId}`);
  return [
    {
      name: `from-${device}`,
      rules: [
        { match: 'meta l4proto != tcp drop', comment },
        ...node.blocks.map(([block, underlay]) => ({
          match: `ip saddr ${block} ip saddr set ${moved(block, underlay)} ip daddr set ${node.endpointAddress} return`,
          comment,
        })),
        { match: 'drop', comment },
      ],
    },
    {
      name: `to-${device}`,
      rules: [
        ...node.blocks.map(([block, underlay]) => ({
          match: `ip saddr ${node.endpointAddress} ip daddr ${underlay} ip daddr set ${moved(underlay, block, 'ip daddr')} ip saddr set ${node.address} return`,
          comment,
        })),
        { match: 'drop', comment },
      ],
    },
    // N8: the ports that a load balancer begins connections from.
    {
      name: `begun-by-${device}`,
      rules: [{ match: `meta l4proto { tcp, udp } snat to ${node.endpointAddress}:1024-65535`, comment }],
    },
    ...node.listeners.flatMap((listener) => listenerChain(node, device, listener)),
  ];
}

type Listener = BalancerInterface['listeners'][number];

/** Targets by their place on AWS's side; one that has none is not reached by anybody. */
function reached({ blocks }: BalancerInterface, targets: Listener['targets']): { place: Ipv4; port: number }[] {
  return targets.flatMap(({ address, port }) => {
    const place = placeIn(blocks, address);
    return place === undefined ? [] : [{ place, port }];
  });
}

/** One target for each flow, and the same for all of its packets. */
function listenerChain(node: BalancerInterface, device: string, { protocol, port, targets }: Listener): NftChain[] {
  const places = reached(node, targets);
  const [only] = places;
  if (only === undefined) return [];
  const comment = stage('load-balancer', `${node.loadBalancerId} ${port}`);
  const map = places.map((each, index) => `${index} : ${each.place} . ${each.port}`).join(', ');
  const hash = `jhash ip saddr . ip daddr . th sport . th dport mod ${places.length} seed 0x1`;
  const translation =
    places.length === 1 ? `dnat to ${only.place}:${only.port}` : `dnat ip addr . port to ${hash} map { ${map} }`;
  return [
    {
      name: `listener-${device}-${protocol}-${port}`,
      rules: [{ match: `meta l4proto { tcp, udp } ${translation}`, comment }],
    },
  ];
}
