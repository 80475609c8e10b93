// What gateways and endpoints take of traffic, apart from addresses.

import { partsOf, type Traffic, type TrafficMatch, type TrafficPool } from './traffic.ts';

const services = {
  metadata: [{ protocol: 6, ports: { from: 80, to: 80 } }],
  resolver: [
    { protocol: 6, ports: { from: 53, to: 53 } },
    { protocol: 17, ports: { from: 53, to: 53 } },
  ],
  /** X3; and what listens there is a service's HTTP. */
  interfaceEndpoint: [
    { protocol: 6, ports: { from: 80, to: 80 } },
    { protocol: 6, ports: { from: 443, to: 443 } },
  ],
  /** W7. */
  gatewayEndpoint: [{ protocol: 6 }, { protocol: 1, icmp: { type: 8, code: -1 } }],
  /** J4. */
  connectEndpoint: [{ protocol: 6 }],
  /** What may begin with any packet, so that a reply on another way is a flow of its own. */
  anyBeginning: [{ protocol: 17 }],
  /** G5. */
  natGateway: [{ protocol: 6 }, { protocol: 17 }, { protocol: 1 }],
  /** G13. */
  nat64: [{ protocol: 6 }, { protocol: 17 }, { protocol: 58, icmp: { type: 128, code: -1 } }],
} as const satisfies Record<string, readonly TrafficMatch[]>;

export type Takes = Readonly<Record<keyof typeof services, Traffic>>;

export function takesOf(pool: TrafficPool): Takes {
  const of = (matches: readonly TrafficMatch[]) =>
    matches.reduce((sum, each) => pool.unite(sum, pool.keep(partsOf(each))), pool.none);
  return {
    metadata: of(services.metadata),
    resolver: of(services.resolver),
    interfaceEndpoint: of(services.interfaceEndpoint),
    gatewayEndpoint: of(services.gatewayEndpoint),
    connectEndpoint: of(services.connectEndpoint),
    anyBeginning: of(services.anyBeginning),
    natGateway: of(services.natGateway),
    nat64: of(services.nat64),
  };
}
