// The core namespace: the AWS side and the sealed internet in one, where the server itself lives. Every address is local to it (AnyIP), so one
// socket on 0.0.0.0 takes what is sent to any service or outside host, and the kernel answers their pings; more specific routes lead back into the VPCs.
// Everything is in the `local` table: AnyIP must be there for sockets to use those addresses as their own, and it is asked first.

import { addressPlan } from '@postern/network/addresses.ts';
import { endpointAddress } from './allocation.ts';
import type { NamespaceState } from './host-state.ts';
import { type ConnectInterface, connectChains } from './instance-connect-endpoints.ts';
import {
  type EndpointInterface,
  endpointChains,
  endpointNeighbours,
  endpointRoutes,
  endpointSets,
} from './interface-endpoints.ts';
import { compileIpv6Core } from './ipv6/core.ts';
import {
  type BalancerInterface,
  balancedRules,
  balancerChains,
  balancerSets,
  doorsOf,
  unbalancedRules,
} from './load-balancers.ts';
import { coreAwsDevice, coreEndpointDevice, coreIgwDevice, macAddress, nextHop } from './names.ts';
import { publicPairs, type VpcContext } from './vpc-context.ts';

/** @param interfaces those of interface endpoints   @param connects those of instance connect endpoints   @param balancers those of load balancers */
export function compileCore(
  contexts: readonly VpcContext[],
  interfaces: readonly EndpointInterface[] = [],
  connects: readonly ConnectInterface[] = [],
  balancers: readonly BalancerInterface[] = [],
): NamespaceState {
  const doors = doorsOf(interfaces);
  const services = [...interfaces, ...connects, ...balancers];
  const withIgw = contexts.filter((context) => context.vpc.internetGatewayId !== undefined);
  const endpoints = contexts.flatMap((context) => context.endpoints);
  const ipv6 = compileIpv6Core(contexts);
  return {
    links: [],
    addresses: [],
    neighbours: [
      ...contexts.map((context) => ({
        address: nextHop,
        macAddress: macAddress('aws', context.number),
        device: coreAwsDevice(context.number),
      })),
      ...withIgw.map((context) => ({
        address: nextHop,
        macAddress: macAddress('igw', context.number),
        device: coreIgwDevice(context.number),
      })),
      ...endpoints.map((each) => ({
        address: nextHop,
        macAddress: macAddress('endpoint', each.number),
        device: coreEndpointDevice(each.number),
      })),
      ...endpointNeighbours(services),
      ...ipv6.neighbours,
    ],
    routes: [
      { table: 'local', destination: '0.0.0.0/0', kind: 'local', device: 'lo' },
      // An underlay block that no VPC has answers nothing.
      { table: 'local', destination: addressPlan.underlay, kind: 'blackhole' },
      { table: 'local', destination: addressPlan.endpoints, kind: 'local', device: 'lo' },
      ...contexts.flatMap((context) =>
        context.blocks.map(([, block]) => ({
          table: 'local' as const,
          destination: block,
          kind: 'unicast' as const,
          via: nextHop,
          device: coreAwsDevice(context.number),
        })),
      ),
      ...endpoints.flatMap((each) =>
        each.blocks.map(([, block]) => ({
          table: 'local' as const,
          destination: block,
          kind: 'unicast' as const,
          via: nextHop,
          device: coreEndpointDevice(each.number),
        })),
      ),
      ...endpointRoutes(services),
      ...withIgw.flatMap((context) =>
        publicPairs(context).map(([, address]) => ({
          table: 'local' as const,
          destination: `${address}/32` as const,
          kind: 'unicast' as const,
          via: nextHop,
          device: coreIgwDevice(context.number),
        })),
      ),
      ...ipv6.routes,
    ],
    rules: [],
    ipv6Table: ipv6.ipv6Table,
    table: {
      name: 'core',
      sets: [
        {
          name: 'igws',
          kind: 'set',
          type: 'ifname',
          elements: withIgw.map((context) => `"${coreIgwDevice(context.number)}"`),
        },
        {
          name: 'endpoint-of',
          kind: 'map',
          type: 'ifname : ipv4_addr',
          elements: endpoints.map((each) => `"${coreEndpointDevice(each.number)}" : ${endpointAddress(each.number)}`),
        },
        ...endpointSets(services),
        ...balancerSets(balancers, doors),
      ],
      chains: [
        {
          name: 'from-internet',
          hook: 'type filter hook prerouting priority raw; policy accept;',
          rules: [
            // The path is in the address, so the internet must not be able to speak or be spoken to in the path's addresses.
            {
              match: `iifname @igws ip saddr != ${addressPlan.publicPool} drop`,
              comment: 'igw-ingress spoofed source',
            },
            {
              match: `iifname @igws ip daddr ${addressPlan.underlay} drop`,
              comment: 'igw-egress reserved destination',
            },
          ],
        },
        ...endpointChains(interfaces),
        ...connectChains(connects),
        ...balancerChains(balancers),
        {
          name: 'nat-in',
          hook: 'type nat hook prerouting priority dstnat; policy accept;',
          rules: [{ match: 'dnat to iifname map @endpoint-of', comment: 'gateway-endpoint address' }],
        },
        {
          name: 'across',
          hook: 'type filter hook forward priority filter; policy drop;',
          rules: [
            {
              match: `iifname @igws oifname @igws ip saddr ${addressPlan.publicPool} ip daddr ${addressPlan.publicPool} accept`,
              comment: 'igw-ingress from another gateway',
            },
            ...balancedRules(balancers),
          ],
        },
        {
          name: 'to-server',
          hook: 'type filter hook input priority filter; policy accept;',
          rules: [
            // A public address that nobody holds has no route into a VPC; it is silent rather than refused.
            { match: `ip daddr ${addressPlan.publicPool} drop`, comment: 'igw-ingress address without a holder' },
            {
              match: `iifname != "lo" ip daddr ${addressPlan.laptop} ct state new,invalid drop`,
              comment: 'igw-egress the terminal takes no connections',
            },
            ...unbalancedRules(balancers, doors),
          ],
        },
      ],
    },
  };
}
