// How a counted flow's mark is made up: written by the compiled rules, read by flow-counts.ts.
// From the lowest bit: AWS's TCP flags (5), UDP (1), action (2), direction (1), the way out (3), and the interface's number (20).

/** Where a packet of an egress record goes (L8). */
export type Path =
  | 'vpc'
  | 'internet-gateway'
  | 'gateway-endpoint'
  | 'peering'
  | 'inter-region-peering'
  /** By no route, or by something that AWS has no number for. */
  | 'none';

export const countMark = {
  tcpFlags: 0x1f,
  udp: 0x20,
  rejected: 0x40,
  /** Rejected by block public access. */
  blocked: 0xc0,
  egress: 0x100,
  paths: {
    none: 0,
    vpc: 0x200,
    'internet-gateway': 0x400,
    'gateway-endpoint': 0x600,
    peering: 0x800,
    'inter-region-peering': 0xa00,
  } as const satisfies Record<Path, number>,
  pathBits: 0xe00,
  /** Times the interface's number. */
  interface: 0x1000,
} as const;

/** One pair of sets is counted into while the other is read. */
export function flowLogSets(generation: 0 | 1) {
  return {
    flows: `flow-log-flows-${generation}`,
    portless: `flow-log-portless-${generation}`,
    skipped: `flow-log-skipped-${generation}`,
  } as const;
}
