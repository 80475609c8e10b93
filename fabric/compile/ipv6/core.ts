// The IPv6 half of the core: every address is local to it (AnyIP), and the blocks of VPCs with a gateway lead back to them.

import { ipv6Plan } from '@postern/network/addresses.ts';
import type { NamespaceState, NftTable } from '../host-state.ts';
import { coreEgressOnlyDevice, coreIgwDevice, egressOnlyDevice, igwDevice, macAddress, nextHop6 } from '../names.ts';
import type { VpcContext } from '../vpc-context.ts';
import { ipv6Context } from './context.ts';
import { coreServiceRules, coreServiceWiring } from './services.ts';

interface Way {
  readonly context: VpcContext;
  /** The core's ends of the VPC's links, that of the internet gateway first: by it everything comes back. */
  readonly devices: readonly { readonly name: string; readonly macAddress: string }[];
}

function waysOf(contexts: readonly VpcContext[]): Way[] {
  return contexts.flatMap((context) => {
    const { number } = context;
    const ends = {
      [igwDevice]: { name: coreIgwDevice(number), macAddress: macAddress('igw', number) },
      [egressOnlyDevice]: { name: coreEgressOnlyDevice(number), macAddress: macAddress('eigw', number) },
    };
    const outside = ipv6Context(context)?.outside ?? [];
    return outside.length === 0
      ? []
      : [{ context, devices: outside.map((device) => ends[device as keyof typeof ends]) }];
  });
}

export function compileIpv6Core(
  contexts: readonly VpcContext[],
): Pick<NamespaceState, 'neighbours' | 'routes'> & { readonly ipv6Table: NftTable } {
  const ways = waysOf(contexts);
  const dual = contexts.filter((context) => ipv6Context(context) !== undefined);
  const services = coreServiceWiring(dual);
  return {
    neighbours: [
      ...ways.flatMap(({ devices }) =>
        devices.map(({ name, macAddress: mac }) => ({ address: nextHop6, macAddress: mac, device: name })),
      ),
      ...services.neighbours,
    ],
    routes: [
      { table: 'local', destination: '::/0', kind: 'local', device: 'lo' },
      ...services.routes,
      ...ways.flatMap(({ context, devices }) =>
        context.vpc.ipv6CidrBlocks.flatMap((destination) =>
          devices
            .slice(0, 1)
            .map(
              ({ name }) => ({ table: 'local', destination, kind: 'unicast', via: nextHop6, device: name }) as const,
            ),
        ),
      ),
    ],
    ipv6Table: compileTable(ways, dual),
  };
}

function compileTable(ways: readonly Way[], dual: readonly VpcContext[]): NftTable {
  const { vpcs, laptop } = ipv6Plan;
  const services = coreServiceRules(dual);
  return {
    family: 'ip6',
    name: 'core',
    sets: [
      {
        name: 'gateways',
        kind: 'set',
        type: 'ifname',
        elements: ways.flatMap(({ devices }) => devices.map(({ name }) => `"${name}"`)),
      },
      services.set,
    ],
    chains: [
      {
        name: 'from-internet',
        hook: 'type filter hook prerouting priority raw; policy accept;',
        rules: [
          { match: 'iifname "lo" return' },
          services.rule,
          { match: 'iifname != @gateways drop' },
          { match: `ip6 saddr != ${vpcs} drop`, comment: 'igw-ingress spoofed source' },
        ],
      },
      {
        name: 'across',
        hook: 'type filter hook forward priority filter; policy drop;',
        rules: [
          {
            match: `iifname @gateways oifname @gateways ip6 saddr ${vpcs} ip6 daddr ${vpcs} accept`,
            comment: 'igw-ingress from another gateway',
          },
        ],
      },
      {
        name: 'to-server',
        hook: 'type filter hook input priority filter; policy accept;',
        rules: [
          services.rule,
          { match: `ip6 daddr ${vpcs} drop`, comment: 'igw-ingress address without a holder' },
          {
            match: 'iifname != "lo" ip6 daddr { fc00::/7, fe80::/10, ff00::/8 } drop',
            comment: 'igw-egress not global',
          },
          {
            match: `iifname != "lo" ip6 daddr ${laptop} ct state new,invalid drop`,
            comment: 'igw-egress the terminal takes no connections',
          },
        ],
      },
    ],
  };
}
